/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CSV (RFC 4180) as spreadsheets and PowerShell write it: CRLF or LF, "," or ";", quoted fields with line breaks. Libraries take a file
 * that was cut short for a whole one, which would take away the devices that stand behind the cut; this reader refuses it.
 */
#ifndef CERTDIR_IMPORT_CSV_H
#define CERTDIR_IMPORT_CSV_H

#include "base/certdir.h"

#include <stdio.h>

struct certdir_csv {
	const char *at, *end; /* what is still to be read; borrowed */
	const char *counted; /* up to here lines are counted */
	size_t line; /* the line that the present row starts on, from 1 */
	bool more; /* bytes follow those that are here */
	char separator;
	char *text; /* the fields of the present row, each NUL-terminated */
	size_t room; /* of text */
	char **fields; /* pointers into text */
	size_t count;
};

/*
 * The header decides about the separator: ";" when there is one and no ",". A first line "#TYPE ..", which Windows PowerShell's
 * Export-Csv writes, is skipped.
 */
void certdir_csv_init(struct certdir_csv *csv, const char *bytes, size_t length);
void certdir_csv_clear(struct certdir_csv *csv);

/* Goes on, when the bytes before are used up to csv->at, with those that stood there and what follows them. more: they are not the last. */
void certdir_csv_feed(struct certdir_csv *csv, const char *bytes, size_t length, bool more);

/*
 * Reads the next row that is not blank, and takes off the apostrophe that certdir_csv_print() puts before a formula. False at the end
 * (*done; with more to come: of the rows that are here whole) or with `error`: a quote that is not closed, a NUL.
 */
bool certdir_csv_next(struct certdir_csv *csv, bool *done, struct certdir_error *error);

/* Whether a field of a header is this name, which is in lower case without blanks: case and blanks do not count. */
bool certdir_csv_is(const char *field, const char *name);

/* Prints one field, quoted when it has to be. An apostrophe keeps a spreadsheet from taking it for a formula. */
void certdir_csv_print(FILE *out, const char *field);

#endif
