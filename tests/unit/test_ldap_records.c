/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Undo files, as apply leaves them and as people edit them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ldap/records.h"

#include <string.h>

#define FIRST "dn: CN=a,OU=b\n# mark: certdir:wifi:k\nchangetype: delete\n"
#define SECOND "dn: CN=c,OU=b\nchangetype: delete\n"

/* The names of the records, with a blank between them; or what is wrong with the file. */
static const struct {
	const char *text, *names, *error;
} files[] = {
	{"", "", NULL},
	{"# The end.\n", "", NULL},
	{"version: 1\n", "", NULL},
	{"version: 1\n# Takes back\n\n" FIRST "\n" SECOND, "CN=a,OU=b CN=c,OU=b", NULL},
	/* Edited: nothing is left out in silence. */
	{"version: 1\n" FIRST "\n" SECOND, "CN=a,OU=b CN=c,OU=b", NULL},
	{"version: 1\n# Takes back\n" FIRST, "CN=a,OU=b", NULL},
	{"# Takes back\nversion: 1\n" FIRST "\n" SECOND, "CN=a,OU=b CN=c,OU=b", NULL},
	{"\n\n# Takes back\nversion: 1\n\n" FIRST, "CN=a,OU=b", NULL},
	{FIRST SECOND, NULL, "undo.ldif:1: the record that begins here is no LDIF"},
	{"version: 1\n\nchangetype: delete\n", NULL, "undo.ldif:3: "},
	{"dn: CN=a,OU=b\ncontrol: 1.2.3 true\nchangetype: delete\n", NULL,
	 "undo.ldif:1: certdir writes no such record"},
	{"dn: CN=a,OU=b\nchangetype: modify\nreplace: \n\n", NULL, "undo.ldif:1: certdir writes no such record"},
	/* libldap crashes on the first. */
	{"dn: CN=a,OU=b\nchangetype: add\n-\n", NULL, "undo.ldif:1: a line \"-\" is in the record"},
	{"dn: CN=a,OU=b\nchangetype: add\ncn: a\n-", NULL, "undo.ldif:1: a line \"-\" is in the record"},
	{"dn: CN=a,OU=b\nChangeType: add\nchangetype: modify\n-\n", NULL, "undo.ldif:1: a line \"-\" is in the record"},
	{"dn: CN=a,OU=b\nchangetype: modify\nadd: cn\ncn: -\n-\nreplace: sn\n-\n", "CN=a,OU=b", NULL},
	/* libldap takes a digit for the index of a record, and finds a record without a text. */
	{"1: x\n", NULL, "undo.ldif:1: it is no LDIF"},
};

static void say_names(const struct certdir_ldap_records *records, char out[256])
{
	out[0] = '\0';
	for (size_t i = 0; i < records->count; i++) {
		(void)strcat(out, i ? " " : "");
		(void)strcat(out, records->items[i].operation.dn);
	}
}

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct certdir_ldap_records records;
		struct certdir_error error = {.text = ""};
		char names[256];
		const bool ok =
			certdir_ldap_records_read(files[i].text, strlen(files[i].text), "undo.ldif", &records, &error);

		say_names(&records, names);
		if (ok != (files[i].names != NULL) || (ok && strcmp(names, files[i].names) != 0) ||
		    (!ok && strncmp(error.text, files[i].error, strlen(files[i].error)) != 0))
			fail_msg("file %zu: %s: \"%s\" %s", i, ok ? "taken" : "refused", names, error.text);
		certdir_ldap_records_clear(&records);
	}
}

/* The mark is found whatever stands before it. */
static void test_mark(void **state)
{
	static const char text[] = "version: 1\n" FIRST;
	struct certdir_ldap_records records;
	struct certdir_error error;

	(void)state;
	assert_true(certdir_ldap_records_read(text, strlen(text), "undo.ldif", &records, &error));
	assert_int_equal(records.count, 1);
	assert_int_equal(records.items[0].mark.length, strlen("certdir:wifi:k"));
	assert_memory_equal(records.items[0].mark.bytes, "certdir:wifi:k", records.items[0].mark.length);
	certdir_ldap_records_clear(&records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
