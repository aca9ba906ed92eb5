/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/array.h"

void certdir_csv_init(struct certdir_csv *csv, const char *bytes, size_t length)
{
	bool quoted = false, comma = false, semicolon = false;

	memset(csv, 0, sizeof(*csv));
	csv->at = csv->counted = bytes;
	csv->end = bytes + length;
	csv->line = 1;
	if (length >= 6 && memcmp(bytes, "#TYPE ", 6) == 0) {
		while (csv->at < csv->end && *csv->at != '\n' && *csv->at != '\r')
			csv->at++;
		while (csv->at < csv->end && (*csv->at == '\n' || *csv->at == '\r'))
			csv->at++;
	}
	for (const char *c = csv->at; c < csv->end && (quoted || (*c != '\n' && *c != '\r')); c++) {
		quoted ^= *c == '"';
		comma |= !quoted && *c == ',';
		semicolon |= !quoted && *c == ';';
	}
	csv->separator = semicolon && !comma ? ';' : ',';
}

void certdir_csv_clear(struct certdir_csv *csv)
{
	free(csv->text);
	free(csv->fields);
	csv->text = NULL;
	csv->fields = NULL;
}

void certdir_csv_feed(struct certdir_csv *csv, const char *bytes, size_t length, bool more)
{
	csv->at = csv->counted = bytes;
	csv->end = bytes + length;
	csv->more = more;
}

static bool at_line_end(const struct certdir_csv *csv)
{
	return csv->at == csv->end || *csv->at == '\n' || *csv->at == '\r';
}

/*
 * A field that a spreadsheet would calculate, such as =cmd|.., or one of those with apostrophes in front: written with one
 * apostrophe more and read with one less, it is the same text, and no formula on the way.
 */
static bool is_formula(const char *field)
{
	return field[strspn(field, "'")] && strchr("=+-@\t\r", field[strspn(field, "'")]);
}

/* Copies a quoted field to *out; the opening quote has been read. */
static bool take_quoted(struct certdir_csv *csv, char **out, struct certdir_error *error)
{
	while (csv->at < csv->end) {
		if (*csv->at != '"') {
			*(*out)++ = *csv->at++;
			continue;
		}
		csv->at++;
		if (csv->at == csv->end || *csv->at != '"') {
			if (at_line_end(csv) || *csv->at == csv->separator)
				return true;
			certdir_error_set(error, "field %zu: text follows the closing quote", csv->count + 1);
			return false;
		}
		*(*out)++ = *csv->at++;
	}
	certdir_error_set(error, "field %zu: its quote is not closed; is the file cut short?", csv->count + 1);
	return false;
}

static bool take_field(struct certdir_csv *csv, char **out, struct certdir_error *error)
{
	char **field = certdir_array_next(&csv->fields, csv->count, sizeof(*field));

	if (!field) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	*field = *out;
	if (csv->at < csv->end && *csv->at == '"') {
		csv->at++;
		if (!take_quoted(csv, out, error))
			return false;
	} else {
		while (!at_line_end(csv) && *csv->at != csv->separator)
			*(*out)++ = *csv->at++;
	}
	*(*out)++ = '\0';
	if (**field == '\'' && is_formula(*field))
		++*field;
	csv->count++;
	return true;
}

static void count_lines(struct certdir_csv *csv)
{
	for (; csv->counted < csv->at; csv->counted++)
		if (*csv->counted == '\n' ||
		    (*csv->counted == '\r' && (csv->counted + 1 == csv->end || csv->counted[1] != '\n')))
			csv->line++;
}

/* No row is longer than what is left; fields shrink but for their NUL, which takes the separator's place. */
static bool make_room(struct certdir_csv *csv, struct certdir_error *error)
{
	const size_t room = (size_t)(csv->end - csv->at) + 2;

	if (csv->text && room <= csv->room)
		return true;
	free(csv->text);
	csv->text = malloc(room);
	csv->room = room;
	if (!csv->text)
		certdir_error_set(error, "out of memory");
	return csv->text;
}

/* Reads the fields of the row up to its end. */
static bool take_fields(struct certdir_csv *csv, struct certdir_error *error)
{
	char *out = csv->text;

	for (;;) {
		if (!take_field(csv, &out, error))
			return false;
		if (at_line_end(csv))
			return true;
		csv->at++;
	}
}

/* Whether the row may go on behind what is here: of CR alone nobody knows yet whether LF follows. */
static bool is_open(const struct certdir_csv *csv)
{
	return csv->more && (csv->at == csv->end || (*csv->at == '\r' && csv->at + 1 == csv->end));
}

bool certdir_csv_next(struct certdir_csv *csv, bool *done, struct certdir_error *error)
{
	const char *start;
	bool ok;

	csv->count = 0;
	while (csv->at < csv->end && (*csv->at == '\n' || *csv->at == '\r'))
		csv->at++;
	count_lines(csv);
	*done = csv->at == csv->end;
	if (*done || !make_room(csv, error))
		return false;
	start = csv->at;
	ok = take_fields(csv, error);
	if (is_open(csv)) {
		csv->at = start;
		*done = true;
		return false;
	}
	if (ok && memchr(start, 0, (size_t)(csv->at - start))) {
		certdir_error_set(error, "a NUL byte is inside");
		return false;
	}
	return ok;
}

bool certdir_csv_is(const char *field, const char *name)
{
	for (; *field; field++) {
		if (*field == ' ')
			continue;
		if (certdir_ascii_lower(*field) != *name++)
			return false;
	}
	return !*name;
}

void certdir_csv_print(FILE *out, const char *field)
{
	const char *apostrophe = is_formula(field) ? "'" : "";

	if (!strpbrk(field, ",;\"\r\n") && *field != ' ' && (!*field || field[strlen(field) - 1] != ' ')) {
		fprintf(out, "%s%s", apostrophe, field);
		return;
	}
	fprintf(out, "\"%s", apostrophe);
	for (; *field; field++) {
		if (*field == '"')
			putc('"', out);
		putc(*field, out);
	}
	putc('"', out);
}
