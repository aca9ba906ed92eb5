/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of issued certificates that says whose each is: Intune's report AllDeviceCertificates as CSV, or a CA's own export with such
 * columns. It is read as a stream: a million rows need as much memory as a thousand.
 */
#ifndef CERTDIR_IMPORT_ISSUED_H
#define CERTDIR_IMPORT_ISSUED_H

#include "base/certdir.h"

/* What became of the rows. */
struct certdir_issued_counts {
	size_t rows;
	size_t refused; /* that cannot be read or stored */
	char why[CERTDIR_TEXT_MAX]; /* the first of them, or "" */
	size_t nobody; /* that name neither a device nor a user, and are not revoked: they say nothing */
	size_t doubtful; /* taken, though nobody here knows what their status means */
	char status[256]; /* their words, each once and in quotes, as many as there is room for */
};

/* "3 rows .." about all that is odd, in `out`; "" when nothing is. Returns `out`. */
const char *certdir_issued_remarks(const struct certdir_issued_counts *counts, char out[CERTDIR_TEXT_MAX]);

/*
 * Takes a row, of which nothing is owned. *taken false with the reason in `error`: it cannot be stored. False with `error` ends the
 * reading.
 */
typedef bool (*certdir_issued_take)(void *context, const struct certdir_issued *row, bool *taken,
				    struct certdir_error *error);

/* Whether a text begins with a header that names a device id and a certificate. */
bool certdir_issued_is(const char *text, size_t length);

struct certdir_issued_reader;

/* take NULL: the rows are only read. NULL with `error` when memory is out. */
struct certdir_issued_reader *certdir_issued_open(certdir_issued_take take, void *context, struct certdir_error *error);
/* The next bytes; `reader` as a certdir_zip_take has it. False with `error`, which names the line or the column that is missing. */
bool certdir_issued_bytes(void *reader, const char *bytes, size_t length, struct certdir_error *error);
/* There are no more. False with `error` also when the last row is cut short: then all of it is void. */
bool certdir_issued_end(struct certdir_issued_reader *reader, struct certdir_issued_counts *counts,
			struct certdir_error *error);
void certdir_issued_close(struct certdir_issued_reader *reader);

#endif
