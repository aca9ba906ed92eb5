/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/issued.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/certificates_value.h"
#include "import/csv.h"
#include "text/excerpt.h"
#include "text/timestamp.h"

/* Bytes; no row is longer: a certificate's names are a few kilobytes at most. */
enum { WINDOW = 256 << 10 };

/* ---- columns ---- */

enum column {
	THUMBPRINT,
	SERIAL,
	ISSUER,
	DEVICE,
	USER,
	UPN,
	BEGINNING,
	END,
	STATUS,
	STATUS_SHOWN,
	STATUS_CA,
	PROFILE,
	COLUMNS
};

enum { SPELLINGS = 4 };

/* Intune's first; then what other products call the same. In lower case without blanks. */
static const char *const spellings[COLUMNS][SPELLINGS] = {
	[THUMBPRINT] = {"thumbprint", "certificatethumbprint", "certificatehash"},
	[SERIAL] = {"serialnumber", "certificateserialnumber"},
	[ISSUER] = {"issuername", "issuer"},
	[DEVICE] = {"deviceid", "intunedeviceid", "manageddeviceid"},
	[USER] = {"userid"},
	[UPN] = {"upn", "userprincipalname"},
	[BEGINNING] = {"validfrom", "notbefore", "issuancedate"},
	[END] = {"validto", "notafter", "expirationdate"},
	[STATUS] = {"certificatestatus"},
	[STATUS_SHOWN] = {"certificatestatus_loc"},
	[STATUS_CA] = {"status"},
	[PROFILE] = {"policyid"},
};

struct certdir_issued_reader {
	certdir_issued_take take;
	void *context;
	struct certdir_csv csv;
	bool begun; /* the header is read */
	size_t at[COLUMNS]; /* 0 = not there, else the field's number from 1 */
	size_t fields; /* of the header */
	struct certdir_issued_counts counts;
	size_t length; /* bytes in the window */
	char window[WINDOW];
};

static void find_columns(struct certdir_issued_reader *reader)
{
	reader->fields = reader->csv.count;
	for (size_t c = 0; c < COLUMNS; c++)
		for (size_t s = SPELLINGS; s-- > 0;)
			for (size_t f = reader->csv.count; spellings[c][s] && f-- > 0;)
				if (certdir_csv_is(reader->csv.fields[f], spellings[c][s]))
					reader->at[c] = f + 1;
}

/* What is there of the columns without which a row says nothing, or would say too much: the name of one that is missing, or NULL. */
static const char *missing(const struct certdir_issued_reader *reader)
{
	const size_t *at = reader->at;

	if (!at[DEVICE])
		return "DeviceId";
	if (!at[THUMBPRINT] && !at[SERIAL])
		return "Thumbprint";
	if (!at[THUMBPRINT] && !at[ISSUER])
		return "IssuerName";
	if (!at[END])
		return "ValidTo";
	return at[STATUS] || at[STATUS_CA] ? NULL : "CertificateStatus";
}

static bool read_header(struct certdir_issued_reader *reader, struct certdir_error *error)
{
	const char *column;

	find_columns(reader);
	reader->begun = true;
	column = missing(reader);
	if (column)
		certdir_error_set(error, "the table of certificates has no column %s", column);
	return !column;
}

/* The value of the present row, without blanks around it; NULL when there is none. */
static char *cell(const struct certdir_issued_reader *reader, enum column column)
{
	char *field = reader->at[column] ? reader->csv.fields[reader->at[column] - 1] : NULL;
	size_t length;

	if (!field)
		return NULL;
	field += strspn(field, " \t\r\n");
	length = strlen(field);
	while (length > 0 && strchr(" \t\r\n", field[length - 1]))
		length--;
	field[length] = '\0';
	return length > 0 ? field : NULL;
}

/* ---- rows ---- */

/* Counts the present row as one that is left out, and keeps why the first was. Always true: the next one may be better. */
static bool refuse(struct certdir_issued_reader *reader, const char *why)
{
	if (reader->counts.refused++ == 0)
		certdir_say(reader->counts.why, "line %zu: %s", reader->csv.line, why);
	return true;
}

static bool refuse_value(struct certdir_issued_reader *reader, const char *column, const char *text, const char *why)
{
	struct certdir_error error;
	char shown[64];

	certdir_error_set(&error, "%s \"%s\" %s", column, certdir_excerpt(shown, sizeof(shown), text, strlen(text)),
			  why);
	return refuse(reader, error.text);
}

/* Intune's times are in UTC and do not say so; those of spreadsheets may be of any zone. */
static bool read_time(char *text, bool end, int64_t *seconds, const char **why)
{
	*seconds = 0;
	if (!text || certdir_timestamp_parse(text, seconds))
		return true;
	return end ? certdir_validity_parse(text, seconds, why) : certdir_beginning_parse(text, seconds, why);
}

/*
 * Whether the text is a state that is known: then *name is what Intune calls it, and *no whether it keeps the certificate out. A CA's numbers
 * mean something else than Intune's.
 */
static bool read_status(const char *text, bool intune, const char **name, bool *no)
{
	const struct certdir_issuance *issuance = intune ? certdir_issuance_find(text) : NULL;
	enum certdir_certificate_status status;

	if (issuance) {
		*name = issuance->name;
		*no = issuance->no;
		return true;
	}
	status = certdir_status_parse(text);
	*no = status == CERTDIR_CERTIFICATE_REVOKED;
	return *no || status == CERTDIR_CERTIFICATE_ISSUED;
}

/* Adds a word that nobody knows to those that are told, once, as long as there is room. */
static void tell_status(struct certdir_issued_counts *counts, const char *text)
{
	const size_t used = strlen(counts->status);
	char shown[64], word[70];

	(void)snprintf(word, sizeof(word), "\"%s\"", certdir_excerpt(shown, sizeof(shown), text, strlen(text)));
	if (!strstr(counts->status, word) && used + strlen(word) + 3 < sizeof(counts->status))
		(void)snprintf(counts->status + used, sizeof(counts->status) - used, "%s%s", used ? ", " : "", word);
}

/*
 * Whether the status keeps the certificate out. Intune's report has a word, or a number with the word for people in another column, which
 * comes first then, since it says what is meant. A word that nobody here knows, or of another language, is no reason to keep a known
 * device out, and is told.
 */
static bool is_revoked(struct certdir_issued_reader *reader, const char **status)
{
	const char *own = cell(reader, STATUS), *shown = cell(reader, STATUS_SHOWN), *of_ca = cell(reader, STATUS_CA);
	const bool number = own && !own[strspn(own, "0123456789")];
	const char *texts[] = {number ? shown : own, number ? own : shown, own ? NULL : of_ca};
	bool no = false;

	*status = NULL;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!texts[i])
			continue;
		if (!*status)
			*status = texts[i];
		if (read_status(texts[i], i < 2, &texts[i], &no)) {
			*status = texts[i];
			return no;
		}
	}
	if (*status) {
		reader->counts.doubtful++;
		tell_status(&reader->counts, *status);
	}
	return false;
}

/* Hands on the row; one that its taker cannot store is left out. */
static bool hand_on(struct certdir_issued_reader *reader, const struct certdir_issued *row, struct certdir_error *error)
{
	bool taken = true;

	if (!row->intune_device_id && !row->user_id && !row->upn && !row->revoked) {
		reader->counts.nobody++;
		return true;
	}
	if (reader->take && !reader->take(reader->context, row, &taken, error))
		return false;
	return taken || refuse(reader, error->text);
}

static bool read_row(struct certdir_issued_reader *reader, struct certdir_error *error)
{
	char serial[128], *text = cell(reader, SERIAL), *begins = cell(reader, BEGINNING), *ends = cell(reader, END);
	struct certdir_issued row = {.thumbprint = cell(reader, THUMBPRINT),
				     .issuer = cell(reader, ISSUER),
				     .intune_device_id = cell(reader, DEVICE),
				     .user_id = cell(reader, USER),
				     .upn = cell(reader, UPN),
				     .profile = cell(reader, PROFILE)};
	const char *status, *why = "";

	if (text && certdir_serial_parse(text, true, serial, sizeof(serial), &why))
		row.serial = serial;
	else if (text && !row.thumbprint)
		return refuse_value(reader, "serial number", text, why);
	if (!read_time(begins, false, &row.not_before, &why))
		return refuse_value(reader, "ValidFrom", begins, why);
	if (!read_time(ends, true, &row.not_after, &why))
		return refuse_value(reader, "ValidTo", ends, why);
	row.revoked = is_revoked(reader, &status);
	row.status = (char *)status;
	return hand_on(reader, &row, error);
}

/* A last row without an end of line is a cut one if there is anything odd about it. */
static bool count_row(struct certdir_issued_reader *reader, struct certdir_error *error)
{
	const struct certdir_issued_counts *counts = &reader->counts;
	const size_t odd = counts->refused + counts->doubtful;

	reader->counts.rows++;
	if (reader->csv.count != reader->fields)
		(void)refuse(reader, "it has more or fewer fields than the header");
	else if (!read_row(reader, error))
		return false;
	if (reader->csv.at < reader->csv.end || odd == counts->refused + counts->doubtful)
		return true;
	certdir_error_set(error, "line %zu, the last, is cut short: the file is not whole", reader->csv.line);
	return false;
}

/* ---- the stream ---- */

/* Reads the rows that are whole; what is left of the window moves to its front. last: nothing follows. */
static bool read_rows(struct certdir_issued_reader *reader, bool last, struct certdir_error *error)
{
	struct certdir_csv *csv = &reader->csv;
	const size_t mark = !csv->at && reader->length >= 3 && memcmp(reader->window, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	struct certdir_error why;
	bool done;

	if (!csv->at)
		certdir_csv_init(csv, reader->window + mark, reader->length - mark);
	certdir_csv_feed(csv, reader->window + mark, reader->length - mark, !last);
	while (certdir_csv_next(csv, &done, &why)) {
		if (reader->begun ? !count_row(reader, error) : !read_header(reader, error))
			return false;
	}
	if (!done)
		certdir_error_set(error, "line %zu: %s", csv->line, why.text);
	reader->length = (size_t)(csv->end - csv->at);
	memmove(reader->window, csv->at, reader->length);
	return done;
}

struct certdir_issued_reader *certdir_issued_open(certdir_issued_take take, void *context, struct certdir_error *error)
{
	struct certdir_issued_reader *reader = calloc(1, sizeof(*reader));

	if (!reader) {
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	reader->take = take;
	reader->context = context;
	return reader;
}

bool certdir_issued_bytes(void *context, const char *bytes, size_t length, struct certdir_error *error)
{
	struct certdir_issued_reader *reader = context;

	while (length > 0) {
		const size_t room = WINDOW - reader->length, some = length < room ? length : room;

		memcpy(reader->window + reader->length, bytes, some);
		reader->length += some;
		bytes += some;
		length -= some;
		if (reader->length < WINDOW)
			break;
		if (!read_rows(reader, false, error))
			return false;
		if (reader->length == WINDOW) {
			certdir_error_set(error, "line %zu is longer than %d KiB: this is no table of certificates",
					  reader->csv.line, WINDOW >> 10);
			return false;
		}
	}
	return true;
}

bool certdir_issued_end(struct certdir_issued_reader *reader, struct certdir_issued_counts *counts,
			struct certdir_error *error)
{
	const bool ok = read_rows(reader, true, error);

	*counts = reader->counts;
	if (!ok || reader->begun)
		return ok;
	certdir_error_set(error, "the table of certificates is empty: it has not even a header");
	return false;
}

void certdir_issued_close(struct certdir_issued_reader *reader)
{
	if (reader)
		certdir_csv_clear(&reader->csv);
	free(reader);
}

bool certdir_issued_is(const char *text, size_t length)
{
	struct certdir_issued_reader *reader;
	struct certdir_error error;
	bool done, is = false;

	reader = certdir_issued_open(NULL, NULL, &error);
	if (!reader)
		return false;
	certdir_csv_init(&reader->csv, text, length);
	if (certdir_csv_next(&reader->csv, &done, &error)) {
		find_columns(reader);
		is = reader->at[DEVICE] && (reader->at[THUMBPRINT] || reader->at[SERIAL]);
	}
	certdir_issued_close(reader);
	return is;
}

static void remark(char out[CERTDIR_TEXT_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

static void remark(char out[CERTDIR_TEXT_MAX], const char *format, ...)
{
	char text[CERTDIR_TEXT_MAX];
	const size_t used = strlen(out);
	va_list arguments;

	va_start(arguments, format);
	certdir_vsay(text, format, arguments);
	va_end(arguments);
	(void)snprintf(out + used, CERTDIR_TEXT_MAX - used, "%s%s", used ? "; " : "", text);
}

const char *certdir_issued_remarks(const struct certdir_issued_counts *counts, char out[CERTDIR_TEXT_MAX])
{
	out[0] = '\0';
	if (counts->refused)
		remark(out, "%zu rows were left out, the first: %s", counts->refused, counts->why);
	if (counts->nobody)
		remark(out, "%zu rows name no device and no user", counts->nobody);
	if (counts->doubtful)
		remark(out, "%zu rows have a status that is not known (%s) and count as issued", counts->doubtful,
		       counts->status);
	return out;
}
