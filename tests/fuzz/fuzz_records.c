/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over the records of an undo file, which anybody could have edited. What is refused is refused in a sentence that names the
 * file; what is taken can be carried out: each record has a name, and no change takes away what it does not name.
 */
#include "holds.h"
#include "ldap/records.h"

#include <stdlib.h>
#include <string.h>

static unsigned long sum; /* so that every byte of what was taken is read */

static void read_bytes(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		sum = sum * 31 + (unsigned char)bytes[i];
}

static void read_values(const struct certdir_ldap_values *values)
{
	for (size_t i = 0; i < values->count; i++)
		read_bytes(values->items[i].bytes, values->items[i].length);
}

static void check_record(const struct certdir_ldap_record *record)
{
	const struct certdir_ldap_operation *operation = &record->operation;
	const bool changes = operation->verb == CERTDIR_LDAP_VERB_ADD || operation->verb == CERTDIR_LDAP_VERB_MODIFY;

	HOLDS(record->line > 0 && operation->dn && operation->dn[0]);
	HOLDS(operation->verb != CERTDIR_LDAP_VERB_READ && (operation->count > 0) == changes);
	HOLDS((operation->rdn && operation->parent) == (operation->verb == CERTDIR_LDAP_VERB_RENAME));
	read_bytes(record->mark.bytes, record->mark.length);
	for (size_t i = 0; i < operation->count; i++) {
		const struct certdir_ldap_change *change = &operation->changes[i];

		HOLDS(change->attribute && change->attribute[0]);
		HOLDS(change->whole || change->added.count + change->deleted.count > 0);
		read_values(&change->added);
		read_values(&change->deleted);
	}
}

/*
 * libldap 2.5 loses the controls of a record that it refuses: a few bytes of a command that ends. All other leaks count; that the function
 * is found takes the slow way through the stack. What it gives us and is not freed is the unit test's to find.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:ldap_parse_ldif_record_x\n";
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct certdir_ldap_records records;
	struct certdir_error error = {.text = ""};
	char *text = malloc(size + 1);
	bool ok;

	HOLDS(text);
	memcpy(text, data, size);
	text[size] = '\0';
	ok = certdir_ldap_records_read(text, size, "undo.ldif", &records, &error);
	free(text);
	HOLDS(ok || (strncmp(error.text, "undo.ldif:", 10) == 0 && !records.items));
	for (size_t i = 0; ok && i < records.count; i++)
		check_record(&records.items[i]);
	certdir_ldap_records_clear(&records);
	return 0;
}
