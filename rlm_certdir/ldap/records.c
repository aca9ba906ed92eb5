/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/records.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <ldap.h>
#include <ldif.h>

#include "text/canonical.h"

/* What a record points to. */
struct record {
	char *text; /* which libldap takes to pieces */
	LDIFRecord parsed;
	bool is_parsed;
	struct certdir_ldap_change *changes;
	struct certdir_ldap_bytes *values;
	char *line; /* "mark: ..", which libldap takes to pieces, too */
	struct berval mark;
	int mark_is_owned;
};

struct reading {
	const char *filename;
	struct certdir_ldap_records *records;
	struct record *all; /* as many as items */
	size_t room;
	struct certdir_error *error;
};

/* ---- assertions ---- */

bool certdir_ldap_assertion_make(const char *attribute, const char *value, char **bytes, size_t *length)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);
	struct berval flat = {0, NULL};
	bool ok = ber && ber_printf(ber, "t{ss}", LDAP_FILTER_EQUALITY, attribute, value) >= 0 &&
		  ber_flatten2(ber, &flat, 0) == 0;

	*bytes = ok ? malloc(flat.bv_len) : NULL;
	*length = flat.bv_len;
	if (*bytes)
		memcpy(*bytes, flat.bv_val, flat.bv_len);
	ber_free(ber, 1);
	return *bytes;
}

/* ---- lines ---- */

static bool refuse(const struct reading *reading, unsigned long line, const char *why)
{
	certdir_error_set(reading->error, "%s:%lu: %s", reading->filename, line, why);
	return false;
}

/* A name in base64 becomes part of messages: libldap's own, too. */
static bool dn_acceptable(const char *line, size_t length)
{
	char *copy = strndup(line, length);
	struct berval type, value = {0, NULL};
	const char *why;
	int freeval = 0;
	const bool ok = copy && ldif_parse_line2(copy, &type, &value, &freeval) == 0 && value.bv_val &&
			certdir_text_valid(value.bv_val, value.bv_len, &why);

	if (freeval)
		ber_memfree(value.bv_val);
	free(copy);
	return ok;
}

/* What is wrong with a line, or NULL. */
static const char *look_at_line(const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	const size_t name = colon ? (size_t)(colon - line) : 0;

	for (size_t i = 0; i < length; i++)
		if (line[i] < ' ' || line[i] > '~')
			return "there is a character that certdir does not write";
	if (length == 0 || line[0] == '#' || (length == 1 && line[0] == '-'))
		return NULL;
	if (name == 0)
		return "it is no line of LDIF as certdir writes it";
	for (size_t i = 0; i < name; i++)
		if (!isalnum((unsigned char)line[i]) && !strchr("-.;", line[i]))
			return "it is no line of LDIF as certdir writes it";
	/* libldap would read another file for "attribute:<" and for "include". */
	if (colon[1] == '<' || (name == 7 && strncasecmp(line, "include", name) == 0))
		return "it names another file";
	if (name == 2 && strncasecmp(line, "dn::", 4) == 0 && !dn_acceptable(line, length))
		return "the name is no text";
	return NULL;
}

static bool look_at_lines(const struct reading *reading, const char *text, size_t length)
{
	unsigned long number = 1;

	for (size_t at = 0; at < length; number++) {
		const char *end = memchr(text + at, '\n', length - at);
		const size_t line = end ? (size_t)(end - text) - at : length - at;
		const char *why = look_at_line(text + at, line);

		if (why)
			return refuse(reading, number, why);
		at += line + 1;
	}
	return true;
}

/* ---- records ---- */

static size_t count_values(const LDAPMod *mod)
{
	size_t count = 0;

	while (mod->mod_bvalues && mod->mod_bvalues[count])
		count++;
	return count;
}

/* Where the next values of a record go. */
static struct certdir_ldap_values take_values(const LDAPMod *mod, struct certdir_ldap_bytes **next)
{
	const struct certdir_ldap_values values = {*next, count_values(mod)};

	for (size_t i = 0; i < values.count; i++)
		*(*next)++ = (struct certdir_ldap_bytes){mod->mod_bvalues[i]->bv_val, mod->mod_bvalues[i]->bv_len};
	return values;
}

static bool read_change(const LDAPMod *mod, bool add, struct certdir_ldap_bytes **next,
			struct certdir_ldap_change *change)
{
	const int verb = add ? LDAP_MOD_ADD : mod->mod_op & ~LDAP_MOD_BVALUES;
	const struct certdir_ldap_values values = take_values(mod, next);

	*change = (struct certdir_ldap_change){.attribute = mod->mod_type, .whole = verb == LDAP_MOD_REPLACE};
	*(verb == LDAP_MOD_DELETE ? &change->deleted : &change->added) = values;
	if (!mod->mod_type || !mod->mod_type[0])
		return false;
	/* Without a value it would take away what nobody has named. */
	return verb == LDAP_MOD_REPLACE || ((verb == LDAP_MOD_ADD || verb == LDAP_MOD_DELETE) && values.count > 0);
}

static bool read_changes(struct record *record, struct certdir_ldap_operation *operation)
{
	LDAPMod **mods = record->parsed.lrop_mods;
	struct certdir_ldap_bytes *next;
	size_t count = 0, values = 0;

	for (; mods && mods[count]; count++)
		values += count_values(mods[count]);
	record->changes = calloc(count + 1, sizeof(*record->changes));
	record->values = calloc(values + 1, sizeof(*record->values));
	if (!record->changes || !record->values)
		return false;
	next = record->values;
	for (size_t i = 0; i < count; i++)
		if (!read_change(mods[i], operation->verb == CERTDIR_LDAP_VERB_ADD, &next, &record->changes[i]))
			return false;
	operation->changes = record->changes;
	operation->count = count;
	return count > 0;
}

static bool is_text(const struct berval *value)
{
	const char *why;

	return value->bv_val && value->bv_len > 0 && certdir_text_valid(value->bv_val, value->bv_len, &why);
}

static bool read_rename(struct record *record, struct certdir_ldap_operation *operation)
{
	operation->rdn = record->parsed.lrop_newrdn.bv_val;
	operation->parent = record->parsed.lrop_newsup.bv_val;
	return is_text(&record->parsed.lrop_newrdn) && is_text(&record->parsed.lrop_newsup) &&
	       record->parsed.lrop_delold == 1;
}

/* What it asserts is in the comment, too. */
static bool has_known_control(const struct record *record)
{
	LDAPControl **controls = record->parsed.lr_ctrls;

	return !controls || !controls[0] ||
	       (!controls[1] && strcmp(controls[0]->ldctl_oid, CERTDIR_LDAP_ASSERTION) == 0);
}

/* Looks for it before libldap takes the text to pieces. False: it cannot be read. */
static bool read_mark(struct record *record)
{
	static const char head[] = "\n# mark:";
	const char *found = strstr(record->text, head), *line = found ? found + 3 : NULL;
	struct berval type;

	if (!found)
		return true;
	record->line = strndup(line, strcspn(line, "\n"));
	return record->line && ldif_parse_line2(record->line, &type, &record->mark, &record->mark_is_owned) == 0 &&
	       record->mark.bv_val;
}

/* "# id: " and a GUID; zeros were written before it was known. */
static bool read_id(const struct record *record, char id[37])
{
	static const char head[] = "\n# id: ", unknown[] = "00000000-0000-0000-0000-000000000000";
	const char *found = strstr(record->text, head), *text = found ? found + sizeof(head) - 1 : NULL;
	const size_t length = text ? strcspn(text, "\n") : 0;
	char canonical[CERTDIR_VALUE_MAX + 1];

	if (!text || (length == sizeof(unknown) - 1 && memcmp(text, unknown, length) == 0))
		return true;
	if (!certdir_canonical(CERTDIR_ID_GUID, text, length, canonical))
		return false;
	memcpy(id, canonical, 37);
	return true;
}

static bool read_operation(struct record *record, struct certdir_ldap_record *item)
{
	struct certdir_ldap_operation *operation = &item->operation;

	operation->dn = record->parsed.lr_dn.bv_val;
	if (!is_text(&record->parsed.lr_dn) || !has_known_control(record))
		return false;
	switch (record->parsed.lr_op) {
	case LDAP_REQ_ADD:
		operation->verb = CERTDIR_LDAP_VERB_ADD;
		return read_changes(record, operation);
	case LDAP_REQ_MODIFY:
		operation->verb = CERTDIR_LDAP_VERB_MODIFY;
		return read_changes(record, operation);
	case LDAP_REQ_MODRDN:
		operation->verb = CERTDIR_LDAP_VERB_RENAME;
		return read_rename(record, operation);
	case LDAP_REQ_DELETE:
		operation->verb = CERTDIR_LDAP_VERB_DELETE;
		return true;
	default:
		return false;
	}
}

static bool make_room(struct reading *reading)
{
	const size_t room = reading->room ? 2 * reading->room : 64;
	struct record *all;
	struct certdir_ldap_record *items;

	if (reading->records->count < reading->room)
		return true;
	all = realloc(reading->all, room * sizeof(*all));
	if (all)
		reading->all = reading->records->owned = all;
	items = realloc(reading->records->items, room * sizeof(*items));
	if (items)
		reading->records->items = items;
	reading->room = all && items ? room : reading->room;
	return all && items;
}

/* libldap 2.5 takes a "-" in an entry that is added for an attribute without a name, and looks at that name. */
static bool separates_only_changes(const char *text)
{
	static const char modify[] = "\nchangetype: modify\n";
	const char *verb = strcasestr(text, "\nchangetype:"), *line = strstr(text, "\n-");

	while (line && line[2] && line[2] != '\n')
		line = strstr(line + 1, "\n-");
	return !line || (verb && verb < line && strncmp(verb, modify, sizeof(modify) - 1) == 0);
}

/* Takes the text, which is freed with the record. */
static bool read_record(struct reading *reading, char *text, unsigned long line)
{
	struct berval bytes = {strlen(text), text};
	struct certdir_ldap_record *item;
	struct record *record;

	if (!make_room(reading)) {
		ber_memfree(text);
		return refuse(reading, line, "out of memory");
	}
	record = &reading->all[reading->records->count];
	item = &reading->records->items[reading->records->count++];
	*record = (struct record){.text = text};
	*item = (struct certdir_ldap_record){.line = line};
	if (!read_mark(record))
		return refuse(reading, line, "the mark in the record that begins here cannot be read");
	if (!read_id(record, item->id))
		return refuse(reading, line, "the id in the record that begins here is no GUID");
	if (!separates_only_changes(text))
		return refuse(reading, line,
			      "a line \"-\" is in the record that begins here, which is no \"changetype: modify\": "
			      "take the line out");
	item->mark = (struct certdir_ldap_bytes){record->mark.bv_val, record->mark.bv_len};
	/* What it has is freed in any case; libldap says on stderr which part it cannot read. */
	record->is_parsed = true;
	if (ldap_parse_ldif_record(&bytes, line, &record->parsed, "certdir", 0) != LDAP_SUCCESS)
		return refuse(reading, line, "the record that begins here is no LDIF");
	return read_operation(record, item) ||
	       refuse(reading, line, "certdir writes no such record as begins here: nothing is done");
}

/*
 * Whether there is nothing but comments and "version: 1", which becomes a comment: RFC 2849 wants no empty line between it and the
 * first record, and libldap reads it in the first line of a file alone.
 */
static bool is_head(char *text)
{
	bool head = true;

	for (char *line = text, *next; *line; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (head && strncasecmp(line, "version:", 8) == 0)
			*line = '#';
		head = head && *line == '#';
	}
	return head;
}

static bool read_records(struct reading *reading, LDIFFP *file)
{
	unsigned long line = 0;
	bool ok = true;
	int read = 1;

	while (ok && read > 0) {
		const unsigned long before = line;
		char *text = NULL;
		int size = 0;

		read = ldif_read_record(file, &line, &text, &size);
		/* libldap may find a record and give none of it. */
		read = read > 0 && !text ? -1 : read;
		if (read > 0 && !is_head(text)) {
			ok = read_record(reading, text, before + 1);
			continue;
		}
		ber_memfree(text);
		if (read < 0)
			ok = refuse(reading, line, "it is no LDIF");
	}
	return ok;
}

bool certdir_ldap_records_read(const char *text, size_t length, const char *filename,
			       struct certdir_ldap_records *records, struct certdir_error *error)
{
	struct reading reading = {.filename = filename, .records = records, .error = error};
	LDIFFP *file;
	bool ok;

	*records = (struct certdir_ldap_records){.items = NULL};
	if (!look_at_lines(&reading, text, length))
		return false;
	file = ldif_open_mem((char *)(uintptr_t)text, length, "r");
	if (!file)
		return refuse(&reading, 0, "out of memory");
	ok = read_records(&reading, file);
	ldif_close(file);
	if (!ok)
		certdir_ldap_records_clear(records);
	return ok;
}

void certdir_ldap_records_clear(struct certdir_ldap_records *records)
{
	struct record *all = records->owned;

	for (size_t i = 0; i < records->count; i++) {
		if (all[i].is_parsed)
			ldap_ldif_record_done(&all[i].parsed);
		ber_memfree(all[i].text);
		free(all[i].changes);
		free(all[i].values);
		if (all[i].mark_is_owned)
			ber_memfree(all[i].mark.bv_val);
		free(all[i].line);
	}
	free(all);
	free(records->items);
	*records = (struct certdir_ldap_records){.items = NULL};
}
