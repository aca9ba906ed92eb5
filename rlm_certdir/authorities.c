/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "authorities.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "identity/certificate.h"
#include "identity/pem.h"
#include "text/dn.h"

enum { FILE_MAX = 1 << 20 /* bytes */ };

size_t certdir_authorities_in_file(const char *filename)
{
	FILE *stream = fopen(filename, "re");
	char line[256];
	size_t count = 0;

	while (stream && fgets(line, sizeof(line), stream))
		count += strncmp(line, "-----BEGIN ", 11) == 0 && strstr(line, "CERTIFICATE-----") != NULL;
	if (stream)
		(void)fclose(stream);
	return count;
}

/* OpenSSL looks for names like 5ed36f99.0 alone. */
size_t certdir_authorities_in_directory(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	size_t count = 0;

	while (directory && (entry = readdir(directory)))
		count += strspn(entry->d_name, "0123456789abcdef") == 8 && entry->d_name[8] == '.' &&
			 isdigit((unsigned char)entry->d_name[9]);
	if (directory)
		(void)closedir(directory);
	return count;
}

struct search {
	const char *issuer;
	bool found;
};

static void compare_subject(void *context, const unsigned char *der, size_t length)
{
	struct search *search = context;
	struct certdir_certificate certificate;
	struct certdir_error error;

	(void)certdir_certificate_parse(&certificate, der, length, NULL, &error);
	search->found |= certificate.subject && certdir_dn_equal(certificate.subject, search->issuer);
	certdir_certificate_clear(&certificate);
}

bool certdir_authorities_have(const char *filename, const char *issuer)
{
	struct search search = {issuer, false};
	struct certdir_error error;
	const int file = open(filename, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	char *bytes = file >= 0 ? certdir_file_load(file, FILE_MAX, &length) : NULL;
	const bool read = length && certdir_pem_each(bytes, length, compare_subject, &search, &error);

	free(bytes);
	if (file >= 0)
		(void)close(file);
	return !read || search.found;
}
