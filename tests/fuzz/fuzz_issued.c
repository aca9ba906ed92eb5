/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over a table of issued certificates, and the zip that it comes in. The same rows come of it whatever pieces it arrives in, and
 * nothing is taken of a zip that fails without a reason being told.
 */
#include "holds.h"
#include "import/issued.h"
#include "import/zip.h"

#include <string.h>

struct seen {
	size_t rows;
	size_t sum; /* of the lengths of all values */
};

static void add(struct seen *seen, const char *text)
{
	if (text)
		seen->sum += strlen(text) + 1;
}

static bool take(void *context, const struct certdir_issued *row, bool *taken, struct certdir_error *error)
{
	struct seen *seen = context;

	(void)error;
	seen->rows++;
	add(seen, row->thumbprint);
	add(seen, row->issuer);
	add(seen, row->serial);
	add(seen, row->intune_device_id);
	add(seen, row->upn);
	add(seen, row->status);
	*taken = true;
	return true;
}

static bool read_pieces(const char *text, size_t length, size_t piece, struct seen *seen)
{
	struct certdir_error error = {.text = ""};
	struct certdir_issued_reader *reader = certdir_issued_open(take, seen, &error);
	struct certdir_issued_counts counts;
	char remarks[CERTDIR_TEXT_MAX];
	bool ok = true;

	HOLDS(reader);
	for (size_t at = 0; at < length && ok; at += piece)
		ok = certdir_issued_bytes(reader, text + at, at + piece < length ? piece : length - at, &error);
	ok = ok && certdir_issued_end(reader, &counts, &error);
	HOLDS(ok == !error.text[0]);
	HOLDS(!ok || counts.rows == seen->rows + counts.refused + counts.nobody);
	if (ok)
		(void)certdir_issued_remarks(&counts, remarks);
	certdir_issued_close(reader);
	return ok;
}

static bool read_zip(const char *bytes, size_t length)
{
	struct certdir_zip_memory memory = {bytes, length};
	const struct certdir_zip_source source = {length, certdir_zip_memory_read, &memory};
	struct certdir_error error = {.text = ""};
	struct seen seen = {0};
	struct certdir_issued_reader *reader = certdir_issued_open(take, &seen, &error);
	struct certdir_issued_counts counts;
	bool ok;

	HOLDS(reader);
	ok = certdir_zip_read(&source, certdir_issued_bytes, reader, &error) &&
	     certdir_issued_end(reader, &counts, &error);
	HOLDS(ok == !error.text[0]);
	certdir_issued_close(reader);
	return ok;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const char *text = (const char *)data;
	struct seen whole = {0}, pieces = {0};
	bool ok;

	if (certdir_zip_is(text, size)) {
		(void)read_zip(text, size);
		return 0;
	}
	ok = read_pieces(text, size, size + 1, &whole);
	HOLDS(read_pieces(text, size, 3, &pieces) == ok);
	HOLDS(whole.rows == pieces.rows && whole.sum == pieces.sum);
	(void)certdir_issued_is(text, size);
	return 0;
}
