/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/certificates_csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import/certificates_value.h"
#include "import/csv.h"
#include "identity/windows_name.h"
#include "text/canonical.h"
#include "text/dn.h"

/* ---- columns ---- */

enum column { THUMBPRINT, SERIAL, ISSUER, NAME, SUBJECT, ALTERNATIVE, BEGINNING, VALIDITY, STATUS, WHOLE, COLUMNS };

enum { SPELLINGS = 5 };

/* Names in lower case without blanks. Of several that stand there the first with a value counts. */
static const char *const spellings[COLUMNS][SPELLINGS] = {
	[THUMBPRINT] = {"certificatehash", "thumbprint"},
	[SERIAL] = {"serialnumber", "certificateserialnumber"},
	[ISSUER] = {"issuer", "issuername", "issuerdistinguishedname"},
	[NAME] = {"commonname", "issuedcommonname"},
	[SUBJECT] = {"subject", "issueddistinguishedname", "distinguishedname"},
	[ALTERNATIVE] = {"subjectalternativename", "dnsnames", "dnsname", "dnsnamelist"},
	[BEGINNING] = {"notbefore", "certificateeffectivedate", "validfrom"},
	[VALIDITY] = {"notafter", "certificateexpirationdate", "validto", "expires"},
	[STATUS] = {"disposition", "requestdisposition", "status", "certificatestatus", "requeststatus"},
	[WHOLE] = {"binarycertificate", "rawcertificate", "rawdata"},
};

struct table {
	struct certdir_certificates_file *file;
	struct certdir_csv csv;
	size_t at[COLUMNS][SPELLINGS]; /* 0 = not there, else the field's number from 1 */
	size_t fields; /* of the header */
	bool hexadecimal; /* some serial number shows that they are */
};

/* Finds the columns in the row that csv stands on; the number of the field whose name stands twice, or 0. */
static size_t find_columns(struct table *table)
{
	size_t twice = 0;

	table->fields = table->csv.count;
	for (size_t f = 0; f < table->csv.count; f++)
		for (size_t c = 0; c < COLUMNS; c++)
			for (size_t s = 0; s < SPELLINGS && spellings[c][s]; s++) {
				if (!certdir_csv_is(table->csv.fields[f], spellings[c][s]))
					continue;
				if (table->at[c][s])
					twice = f + 1;
				table->at[c][s] = f + 1;
			}
	return twice;
}

static bool has(const struct table *table, enum column column)
{
	for (size_t s = 0; s < SPELLINGS; s++)
		if (table->at[column][s])
			return true;
	return false;
}

/* What stands where a value should: certutil's word for none, or the name of the value's .NET type. */
static bool is_none(const char *field)
{
	return strcmp(field, "EMPTY") == 0 ||
	       (strncmp(field, "System.", 7) == 0 &&
		(field[strlen(field) - 1] == ']' || strncmp(field, "System.Security.", 16) == 0));
}

/* The value of the present row, without blanks around it; NULL when there is none. */
static const char *cell(struct table *table, enum column column)
{
	for (size_t s = 0; s < SPELLINGS; s++) {
		char *field = table->at[column][s] ? table->csv.fields[table->at[column][s] - 1] : "";
		size_t length;

		field += strspn(field, " \t\r\n");
		length = strlen(field);
		while (length > 0 && strchr(" \t\r\n", field[length - 1]))
			length--;
		if (length == 0)
			continue;
		field[length] = '\0';
		if (!is_none(field))
			return field;
	}
	return NULL;
}

bool certdir_certificates_csv_is(const char *text, size_t length)
{
	struct table table = {0};
	struct certdir_error error;
	bool done, is;

	certdir_csv_init(&table.csv, text, length);
	is = certdir_csv_next(&table.csv, &done, &error);
	if (is) {
		(void)find_columns(&table);
		is = has(&table, SERIAL) || has(&table, WHOLE);
	}
	certdir_csv_clear(&table.csv);
	return is;
}

/* ---- names ---- */

/* A certificate while its names are read. */
struct naming {
	struct certdir_certificate *certificate;
	struct certdir_error *error;
};

static bool add_name(struct naming *naming, const char *from, const char *value, size_t length)
{
	/* The door for attributes takes neither; here they are what they are, but no device is called like that. */
	if (memchr(value, '\\', length) || memchr(value, '%', length)) {
		certdir_error_set(naming->error, "%s: \\ or %% in it: hand in the certificate itself", from);
		return false;
	}
	return certdir_certificate_add(naming->certificate, from, value, length, NULL, naming->error);
}

/* A CA's database has several common names in one field, a line each. */
static bool add_common_names(struct naming *naming, const char *text)
{
	while (*text) {
		const size_t length = strcspn(text, "\r\n");

		if (!add_name(naming, "subject.cn", text, length))
			return false;
		text += length + strspn(text + length, "\r\n");
	}
	return true;
}

static bool add_attribute(void *context, const char *type, const char *value)
{
	if (strcasecmp(type, "CN") == 0)
		return add_name(context, "subject.cn", value, strlen(value));
	return strcasecmp(type, "serialNumber") != 0 || add_name(context, "subject.serialNumber", value, strlen(value));
}

static bool add_subject(struct naming *naming, const char *dn)
{
	naming->error->text[0] = '\0';
	if (certdir_dn_each(dn, add_attribute, naming))
		return true;
	if (!naming->error->text[0])
		certdir_error_set(naming->error, "subject \"%.200s\" is no distinguished name", dn);
	return false;
}

/* What Windows and OpenSSL write before a name in a subject alternative name; other kinds name no device. */
static const struct {
	const char *label, *from;
} labels[] = {
	{"DNS Name", "san.dns"},
	{"DNS-Name", "san.dns"},
	{"DNS", "san.dns"},
	{"URL", "san.uri"},
	{"URI", "san.uri"},
	{"UPN", "san.upn"},
	{"Principal Name", "san.upn"},
};

static bool add_labelled(struct naming *naming, const char *item, size_t label, size_t length)
{
	const char *value = item + label + 1;

	length -= label + 1;
	for (; length > 0 && *value == ' '; length--)
		value++;
	while (length > 0 && value[length - 1] == ' ')
		length--;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (strlen(labels[i].label) == label && strncasecmp(item, labels[i].label, label) == 0)
			return add_name(naming, labels[i].from, value, length);
	return true;
}

/* "DNS Name=pc01.example.com", or DNS names one after the other. */
static bool add_item(struct naming *naming, const char *item, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (item[i] == '=' || item[i] == ':')
			return add_labelled(naming, item, i, length);
	while (length > 0) {
		size_t name = 0;

		while (name < length && !strchr(", ", item[name]))
			name++;
		if (name > 0 && !add_name(naming, "san.dns", item, name))
			return false;
		name += name < length;
		item += name;
		length -= name;
	}
	return true;
}

/* Items end at a line's end, at ";" and at a comma with a blank: a comma alone may be part of a URI. */
static bool add_alternative_names(struct naming *naming, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, ";\r\n");
		const char *comma = memmem(text, length, ", ", 2);

		if (comma)
			length = (size_t)(comma - text);
		while (length > 0 && *text == ' ') {
			text++;
			length--;
		}
		if (!add_item(naming, text, length))
			return false;
		text += length + strspn(text + length, ",; \r\n");
	}
	return true;
}

static bool read_names(struct table *table, struct certdir_certificate *certificate, struct certdir_error *error)
{
	struct naming naming = {.certificate = certificate, .error = error};
	const char *subject = cell(table, SUBJECT), *name = cell(table, NAME);
	const char *alternative = cell(table, ALTERNATIVE);

	if (subject ? !add_subject(&naming, subject) : name && !add_common_names(&naming, name))
		return false;
	if (alternative && !add_alternative_names(&naming, alternative))
		return false;
	certdir_certificate_rank(certificate, NULL);
	return true;
}

/* ---- rows ---- */

struct order {
	size_t count;
	bool first_cn, last_cn;
};

static bool look_at_order(void *context, const char *type, const char *value)
{
	struct order *order = context;

	(void)value;
	order->last_cn = strcasecmp(type, "CN") == 0;
	if (order->count++ == 0)
		order->first_cn = order->last_cn;
	return true;
}

/* Sets the issuer, which a mapping has from the root down: so it must be known which end of the text that is. */
static bool read_issuer(struct table *table, struct certdir_certificate *certificate, struct certdir_error *error)
{
	const struct certdir_certificates_file *file = table->file;
	const char *issuer = cell(table, ISSUER);
	struct order order = {0};
	char *windows = NULL;

	if (!issuer)
		issuer = file->taker->issuer;
	if (!issuer)
		return certdir_certificates_fail(
			file, table->csv.line, error,
			"no issuer: export the column Issuer, too, or set certificate_issuer to the CA's name");
	certificate->issuer = strdup(issuer);
	if (!certificate->issuer || !certdir_windows_name(issuer, &windows)) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	free(windows);
	if (!windows)
		return certdir_certificates_fail(
			file, table->csv.line, error,
			"issuer \"%.200s\" is no distinguished name: write CN=CA,DC=example,DC=com", issuer);
	(void)certdir_dn_each(issuer, look_at_order, &order);
	if (order.count > 1 && order.last_cn && !order.first_cn)
		return certdir_certificates_fail(file, table->csv.line, error,
						 "issuer \"%.200s\" is written from the root down: write it the other "
						 "way round, the CN first, or "
						 "export the certificates themselves (RawCertificate)",
						 issuer);
	return true;
}

static bool read_serial(struct table *table, struct certdir_certificate *certificate, const char *text,
			struct certdir_error *error)
{
	char serial[128];
	const char *why;

	if (!certdir_serial_parse(text, table->hexadecimal, serial, sizeof(serial), &why))
		return certdir_certificates_fail(table->file, table->csv.line, error, "serial number \"%.80s\" %s",
						 text, why);
	certificate->serial = strdup(serial);
	if (!certificate->serial)
		certdir_error_set(error, "out of memory");
	return certificate->serial;
}

static bool read_validity(struct table *table, struct certdir_certificate *certificate, struct certdir_error *error)
{
	const char *text = cell(table, VALIDITY), *why;

	if (!text)
		return certdir_certificates_fail(table->file, table->csv.line, error,
						 "no end of validity (column NotAfter)");
	if (!certdir_validity_parse(text, &certificate->not_after, &why))
		return certdir_certificates_fail(table->file, table->csv.line, error, "end of validity \"%.80s\" %s",
						 text, why);
	return true;
}

/* When it was issued, which a list need not say: 0 then. */
static bool read_beginning(struct table *table, struct certdir_certificate *certificate, struct certdir_error *error)
{
	const char *text = cell(table, BEGINNING), *why;

	return !text || certdir_beginning_parse(text, &certificate->not_before, &why) ||
	       certdir_certificates_fail(table->file, table->csv.line, error, "beginning of validity \"%.80s\" %s",
					 text, why);
}

/* Of all the certificate, which a list need not say. What is none is as if it were not there: serial and issuer tell, too. */
static bool read_thumbprint(struct table *table, struct certdir_certificate *certificate, struct certdir_error *error)
{
	const char *text = cell(table, THUMBPRINT);
	char thumbprint[CERTDIR_VALUE_MAX + 1];

	if (!text || !certdir_canonical(CERTDIR_ID_CERTIFICATE, text, strlen(text), thumbprint))
		return true;
	certificate->thumbprint = strdup(thumbprint);
	if (!certificate->thumbprint)
		certdir_error_set(error, "out of memory");
	return certificate->thumbprint;
}

/* A certificate of which only the columns are known. */
static bool read_columns(struct table *table, const char *serial, struct certdir_error *error)
{
	struct certdir_certificates_file *file = table->file;
	struct certdir_certificate certificate = {0};
	struct certdir_error why;
	bool ok;

	ok = read_thumbprint(table, &certificate, error) && read_serial(table, &certificate, serial, error) &&
	     read_issuer(table, &certificate, error) && read_beginning(table, &certificate, error) &&
	     read_validity(table, &certificate, error);
	if (ok && read_names(table, &certificate, &why))
		ok = certdir_certificates_take(file, table->csv.line, &certificate, error);
	else if (ok)
		certdir_certificates_refuse(file, table->csv.line, "%s: %s",
					    certdir_reason_name(CERTDIR_MALFORMED_CERTIFICATE), why.text);
	certdir_certificate_clear(&certificate);
	return ok;
}

/* Base64 with or without its PEM lines, blanks anywhere, as PEM with lines of 64. */
static bool read_whole(struct table *table, const char *text, struct certdir_error *error)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
	char *pem = malloc(strlen(text) * 2 + sizeof(begin) + sizeof(end) + 4), *at = pem;
	const char *stop = strstr(text, end);
	size_t digits = 0;
	bool ok;

	if (!pem) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	if (strncmp(text, begin, sizeof(begin) - 1) == 0) {
		text += sizeof(begin) - 1;
		stop = stop ? stop : text; /* cut: then it is empty, and refused */
	} else {
		stop = text + strlen(text);
	}
	at = stpcpy(stpcpy(at, begin), "\n");
	for (; text < stop; text++) {
		if (strchr(" \t\r\n", *text))
			continue;
		*at++ = *text;
		if (++digits % 64 == 0)
			*at++ = '\n';
	}
	at = stpcpy(stpcpy(stpcpy(at, digits % 64 ? "\n" : ""), end), "\n");
	ok = certdir_certificates_block(table->file, table->csv.line, pem, (size_t)(at - pem), error);
	free(pem);
	return ok;
}

/* certutil lists requests that no certificate came of: it says so in their place. */
static bool is_request(const struct table *table)
{
	static const enum column columns[] = {SERIAL, WHOLE};

	for (size_t c = 0; c < 2; c++)
		for (size_t s = 0; s < SPELLINGS; s++)
			if (table->at[columns[c]][s] &&
			    strcmp(table->csv.fields[table->at[columns[c]][s] - 1], "EMPTY") == 0)
				return true;
	return false;
}

/*
 * A row whose status is known to be that of a certificate, which may be revoked. One that is not is left out, and said: who can tell
 * whether it is to be trusted? Nothing that is mapped already goes for that.
 */
static bool read_status(struct table *table)
{
	struct certdir_certificates_file *file = table->file;
	const char *text = cell(table, STATUS);
	enum certdir_certificate_status status;

	status = text ? certdir_status_parse(text) : CERTDIR_CERTIFICATE_ISSUED;
	file->revoked = status == CERTDIR_CERTIFICATE_REVOKED;
	if (status == CERTDIR_CERTIFICATE_DOUBTFUL)
		certdir_certificates_refuse(
			file, table->csv.line,
			"its status \"%.80s\" is not known: write issued or revoked, or leave the column out", text);
	return status == CERTDIR_CERTIFICATE_ISSUED || status == CERTDIR_CERTIFICATE_REVOKED;
}

static bool read_row(struct table *table, struct certdir_error *error)
{
	const struct certdir_certificates_file *file = table->file;
	const char *whole, *serial;

	if (table->csv.count != table->fields)
		return certdir_certificates_fail(file, table->csv.line, error,
						 "has %zu fields, the header has %zu: is the file cut short?",
						 table->csv.count, table->fields);
	if (!read_status(table))
		return true;
	whole = cell(table, WHOLE);
	serial = cell(table, SERIAL);
	if (whole)
		return read_whole(table, whole, error);
	if (!serial && is_request(table))
		return true;
	if (!serial)
		return certdir_certificates_fail(file, table->csv.line, error, "no serial number");
	if (!file->taker->by_serial)
		return certdir_certificates_fail(file, table->csv.line, error,
						 "no certificate in it: only mapping = issuer_serial can do without");
	return read_columns(table, serial, error);
}

static bool check_header(struct table *table, size_t twice, struct certdir_error *error)
{
	const struct certdir_certificates_file *file = table->file;
	const size_t line = table->csv.line;

	if (twice)
		return certdir_certificates_fail(file, line, error, "column \"%.80s\" stands twice",
						 table->csv.fields[twice - 1]);
	if (has(table, WHOLE))
		return true;
	if (!has(table, SERIAL))
		return certdir_certificates_fail(
			file, line, error,
			"no column with certificates (RawCertificate) or serial numbers (SerialNumber)");
	if (!file->taker->by_serial)
		return certdir_certificates_fail(file, line, error,
						 "has no certificates, only their serial numbers: export "
						 "RawCertificate, too, or add issuer_serial "
						 "to mapping");
	if (!has(table, VALIDITY))
		return certdir_certificates_fail(file, line, error,
						 "no column with the end of validity (NotAfter, Certificate "
						 "Expiration Date, ValidTo, Expires)");
	if (!has(table, NAME) && !has(table, SUBJECT) && !has(table, ALTERNATIVE))
		return certdir_certificates_fail(
			file, line, error,
			"no column with names (CommonName, Subject, DnsNames): whose certificates are "
			"they?");
	return true;
}

/* Reads all rows, with `each` for those behind the header. */
static bool read_rows(struct table *table, const char *text, size_t length,
		      bool (*each)(struct table *table, struct certdir_error *error), struct certdir_error *error)
{
	struct certdir_error why;
	bool done, ok;

	certdir_csv_init(&table->csv, text, length);
	memset(table->at, 0, sizeof(table->at));
	ok = certdir_csv_next(&table->csv, &done, &why);
	if (!ok && done)
		return certdir_certificates_fail(table->file, 0, error, "is empty: has the export failed?");
	if (ok && !check_header(table, find_columns(table), error))
		goto out;
	while (ok && (ok = certdir_csv_next(&table->csv, &done, &why)))
		if (!each(table, error))
			goto out;
	ok = done;
	if (!ok)
		(void)certdir_certificates_fail(table->file, table->csv.line, error, "%s", why.text);
	certdir_csv_clear(&table->csv);
	return ok;
out:
	certdir_csv_clear(&table->csv);
	return false;
}

static bool look_for_hex(struct table *table, struct certdir_error *error)
{
	const char *serial = table->csv.count == table->fields ? cell(table, SERIAL) : NULL;

	(void)error;
	if (serial && certdir_serial_shows_hex(serial) && !strpbrk(serial, ".,+"))
		table->hexadecimal = true;
	return true;
}

bool certdir_certificates_csv_read(struct certdir_certificates_file *file, const char *text, size_t length,
				   struct certdir_error *error)
{
	struct table table = {.file = file};

	if (!read_rows(&table, text, length, look_for_hex, error) || !read_rows(&table, text, length, read_row, error))
		return false;
	if (file->count == 0)
		return certdir_certificates_fail(file, 0, error,
						 "has no certificate below its header: has the export failed?");
	return true;
}
