/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/certificates.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "identity/der.h"
#include "identity/pem.h"
#include "import/certificates_csv.h"
#include "import/certificates_file.h"
#include "import/input.h"

bool certdir_certificates_fail(const struct certdir_certificates_file *file, size_t line, struct certdir_error *error,
			       const char *format, ...)
{
	char text[CERTDIR_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	certdir_vsay(text, format, arguments);
	va_end(arguments);
	if (line)
		certdir_error_set(error, "%.200s line %zu: %s", file->name, line, text);
	else
		certdir_error_set(error, "%.200s: %s", file->name, text);
	return false;
}

/* ---- one certificate ---- */

static void name_origin(const struct certdir_certificates_file *file, size_t line, char origin[CERTDIR_TEXT_MAX])
{
	if (line)
		certdir_say(origin, "%.400s line %zu", file->name, line);
	else
		certdir_say(origin, "%.400s", file->name);
}

void certdir_certificates_refuse(struct certdir_certificates_file *file, size_t line, const char *format, ...)
{
	char origin[CERTDIR_TEXT_MAX], why[CERTDIR_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	certdir_vsay(why, format, arguments);
	va_end(arguments);
	name_origin(file, line, origin);
	file->count++;
	file->taker->refuse(file->taker->context, origin, why);
}

bool certdir_certificates_take(struct certdir_certificates_file *file, size_t line,
			       const struct certdir_certificate *certificate, struct certdir_error *error)
{
	char origin[CERTDIR_TEXT_MAX];

	name_origin(file, line, origin);
	file->count++;
	return file->taker->take(file->taker->context, certificate, origin, file->revoked, error);
}

/*
 * Whether the bytes are a whole certificate, however odd its inside: one that OpenSSL does not take is malformed then, and not a
 * file that was damaged or is something else. Outer length, and the version that certificates alone begin with (RFC 5280 4.1).
 */
static bool is_certificate(const unsigned char *der, size_t length)
{
	struct certdir_der content, signed_part, version;

	return certdir_der_only((struct certdir_der){der, length}, CERTDIR_DER_SEQUENCE, &content) &&
	       certdir_der_expect(&content, CERTDIR_DER_SEQUENCE, &signed_part) &&
	       certdir_der_expect(&signed_part, CERTDIR_DER_CONTEXT_0, &version);
}

static bool add_der(struct certdir_certificates_file *file, size_t line, const unsigned char *der, size_t length,
		    struct certdir_error *error)
{
	struct certdir_certificate certificate;
	struct certdir_error why;
	bool ok = true;

	if (certdir_certificate_parse(&certificate, der, length, NULL, &why))
		ok = certdir_certificates_take(file, line, &certificate, error);
	else if (is_certificate(der, length))
		certdir_certificates_refuse(file, line, "%s: %s", certdir_reason_name(CERTDIR_MALFORMED_CERTIFICATE),
					    why.text);
	else
		ok = certdir_certificates_fail(
			file, line, error,
			"is no X.509 certificate, or one that is cut short (PKCS #7 and #12 are not read)");
	certdir_certificate_clear(&certificate);
	return ok;
}

struct block {
	struct certdir_certificates_file *file;
	size_t line;
	struct certdir_error *error;
	bool ok;
};

static void add_block(void *context, const unsigned char *der, size_t length)
{
	struct block *block = context;

	block->ok = block->ok && add_der(block->file, block->line, der, length, block->error);
}

bool certdir_certificates_block(struct certdir_certificates_file *file, size_t line, const char *pem, size_t length,
				struct certdir_error *error)
{
	struct block block = {.file = file, .line = line, .error = error, .ok = true};
	struct certdir_error why;

	if (!certdir_pem_each(pem, length, add_block, &block, &why))
		return certdir_certificates_fail(file, line, error, "the certificate that begins here is damaged: %s",
						 why.text);
	return block.ok;
}

/* ---- PEM ---- */

/* Text, line by line. */
struct lines {
	const char *at, *end; /* what is still to be read */
	const char *line; /* the present one, without its end */
	size_t length;
	size_t number;
};

static bool next_line(struct lines *lines)
{
	const char *end;

	if (lines->at == lines->end)
		return false;
	end = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
	lines->line = lines->at;
	lines->at = end ? end + 1 : lines->end;
	lines->length = (size_t)((end ? end : lines->end) - lines->line);
	while (lines->length > 0 && strchr(" \t\r", lines->line[lines->length - 1]))
		lines->length--;
	lines->number++;
	return true;
}

static bool starts(const struct lines *lines, const char *text)
{
	return lines->length >= strlen(text) && memcmp(lines->line, text, strlen(text)) == 0;
}

/* The block that the present line begins, up to its END. */
static bool read_block(struct certdir_certificates_file *file, struct lines *lines, struct certdir_error *error)
{
	const char *begin = lines->line;
	const size_t number = lines->number;

	while (next_line(lines)) {
		if (starts(lines, "-----BEGIN "))
			break;
		if (starts(lines, "-----END "))
			return certdir_certificates_block(file, number, begin, (size_t)(lines->at - begin), error);
	}
	return certdir_certificates_fail(
		file, number, error, "the certificate that begins here does not end: is the file still being written?");
}

/* Every line that begins with a dash has to be whole, or the file was cut there. */
static bool is_cut(const struct lines *lines)
{
	return lines->length > 0 && lines->line[0] == '-' &&
	       !((starts(lines, "-----BEGIN ") || starts(lines, "-----END ")) && lines->length > 15 &&
		 memcmp(lines->line + lines->length - 5, "-----", 5) == 0);
}

static bool read_pem(struct certdir_certificates_file *file, const char *text, size_t length,
		     struct certdir_error *error)
{
	struct lines lines = {.at = text, .end = text + length};

	while (next_line(&lines)) {
		if (lines.at == lines.end && is_cut(&lines))
			return certdir_certificates_fail(file, lines.number, error,
							 "ends within a line: is the file still being written?");
		if ((starts(&lines, "-----BEGIN CERTIFICATE") || starts(&lines, "-----BEGIN X509 CERTIFICATE-----")) &&
		    !starts(&lines, "-----BEGIN CERTIFICATE REQUEST-----") && !read_block(file, &lines, error))
			return false;
	}
	if (file->count == 0)
		return certdir_certificates_fail(file, 0, error,
						 "holds no certificate: give PEM, DER, or CSV whose first line names a "
						 "column SerialNumber; not PKCS "
						 "#7 or #12");
	return true;
}

/* ---- files and directories ---- */

static bool ends_in(const char *name, const char *end)
{
	const size_t length = strlen(name), tail = strlen(end);

	return length >= tail && strcasecmp(name + length - tail, end) == 0;
}

/* A DER certificate is a SEQUENCE whose length takes more than one byte; a text may begin with 0, but goes on in ASCII. */
static bool is_der(const char *bytes, size_t length)
{
	return length >= 2 && bytes[0] == 0x30 && ((unsigned char)bytes[1] & 0x80);
}

static bool read_file(const struct certdir_certificates_taker *taker, const char *name, struct certdir_error *error)
{
	struct certdir_certificates_file file = {.taker = taker, .name = name};
	size_t length;
	char *bytes = certdir_input_read(name, &length, error);
	bool ok;

	if (!bytes)
		return false;
	if (is_der(bytes, length))
		ok = add_der(&file, 0, (const unsigned char *)bytes, length, error);
	else if (ends_in(name, ".csv") || certdir_certificates_csv_is(bytes, length))
		ok = certdir_certificates_csv_read(&file, bytes, length, error);
	else
		ok = read_pem(&file, bytes, length, error);
	free(bytes);
	return ok;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Not alphasort(): the order must not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Reads the file DIRECTORY/NAME; what is no regular file is passed over. */
static bool read_entry(const struct certdir_certificates_taker *taker, const char *directory, const char *name,
		       size_t *files, struct certdir_error *error)
{
	struct stat status;
	char *path;
	bool ok;

	if (asprintf(&path, "%s%s%s", directory, ends_in(directory, "/") ? "" : "/", name) < 0) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	ok = stat(path, &status) == 0;
	if (!ok) {
		certdir_error_set(error, "%.300s cannot be read: %s", path, strerror(errno));
	} else if (S_ISREG(status.st_mode)) {
		(*files)++;
		ok = read_file(taker, path, error);
	}
	free(path);
	return ok;
}

static bool read_directory(const struct certdir_certificates_taker *taker, const char *directory,
			   struct certdir_error *error)
{
	struct dirent **entries;
	const int count = scandir(directory, &entries, not_hidden, by_name);
	size_t files = 0;
	bool ok = true;

	if (count < 0) {
		certdir_error_set(error, "%.300s cannot be read: %s", directory, strerror(errno));
		return false;
	}
	for (int i = 0; i < count; i++) {
		ok = ok && read_entry(taker, directory, entries[i]->d_name, &files, error);
		free(entries[i]);
	}
	free(entries);
	if (ok && files == 0) {
		certdir_error_set(error,
				  "%.300s: no files in this directory: has the export of the certificates failed?",
				  directory);
		return false;
	}
	return ok;
}

bool certdir_certificates_read(const char *const *paths, const struct certdir_certificates_taker *taker,
			       struct certdir_error *error)
{
	for (const char *const *path = paths; *path; path++) {
		struct stat status;

		if (stat(*path, &status) != 0) {
			certdir_error_set(error, "certificates = %.300s cannot be read: %s", *path, strerror(errno));
			return false;
		}
		if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
			certdir_error_set(error, "certificates = %.300s is neither a file nor a directory", *path);
			return false;
		}
		if (!(S_ISDIR(status.st_mode) ? read_directory : read_file)(taker, *path, error))
			return false;
	}
	return true;
}
