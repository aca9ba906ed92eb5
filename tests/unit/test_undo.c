/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way back: LDIF of single operations, the order of a plan's, and the file that it stands in. */
#include "placeholders/ldif.h"
#include "placeholders/undo.h"
#include "fsync_count.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOW = 1795341600 }; /* 2026-11-22T10:00:00Z */
#define TIME "20261122T100000Z"

/* ---- lines ---- */

static const struct {
	const char *bytes;
	size_t length;
	const char *line;
} lines[] = {
	{"LAPTOP-7", 8, "cn: LAPTOP-7\n"},
	{"", 0, "cn:\n"},
	{"a b", 3, "cn: a b\n"},
	{" a", 2, "cn:: IGE=\n"},
	{"a ", 2, "cn:: YSA=\n"},
	{":a", 2, "cn:: OmE=\n"},
	{"<a", 2, "cn:: PGE=\n"},
	{"a:<", 3, "cn: a:<\n"},
	{"#a", 2, "cn: #a\n"},
	{"a\nb", 3, "cn:: YQpi\n"},
	{"a\rb", 3, "cn:: YQ1i\n"},
	{"a\0b", 3, "cn:: YQBi\n"},
	{"\0", 1, "cn:: AA==\n"},
	{"a\x7f", 2, "cn:: YX8=\n"},
	{"\xc3\xbc", 2, "cn:: w7w=\n"},
	{"\xff\xff\xff", 3, "cn:: ////\n"},
	{"\xff\xff", 2, "cn:: //8=\n"},
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		certdir_ldif_print(out, "cn", lines[i].bytes, lines[i].length);
		assert_int_equal(fclose(out), 0);
		assert_string_equal(text, lines[i].line);
		free(text);
	}
}

/* ---- operations ---- */

#define VALUES(name, ...)                                                                                              \
	static const struct certdir_ldap_bytes name##_items[] = {__VA_ARGS__};                                         \
	static const struct certdir_ldap_values name = {name##_items, sizeof(name##_items) / sizeof(name##_items[0])}
#define TEXT(text)                                                                                                     \
	{                                                                                                              \
		text, sizeof(text) - 1                                                                                 \
	}

VALUES(host_a, TEXT("HOST/a"));
VALUES(host_bc, TEXT("HOST/b"), TEXT("HOST/c"));
VALUES(enabled, TEXT("4096"));
VALUES(disabled, TEXT("4098"));
VALUES(computer, TEXT("computer"));
VALUES(mark, TEXT("certdir:wifi:k1"));
static const struct certdir_ldap_values none;

#define ID "2c7e3f0a-0000-4000-8000-000000000007"

static struct certdir_ldap_change changes[3];

static struct certdir_ldap_operation modify(void)
{
	changes[0] = (struct certdir_ldap_change){"servicePrincipalName", host_a, host_bc, false};
	changes[1] = (struct certdir_ldap_change){"userAccountControl", disabled, enabled, true};
	changes[2] = (struct certdir_ldap_change){"dNSHostName", none, host_a, false};
	return (struct certdir_ldap_operation){
		.verb = CERTDIR_LDAP_VERB_MODIFY, .dn = "CN=a,OU=o", .changes = changes, .count = 3};
}

static void assert_undo_of(const struct certdir_ldap_operation *operation, const char *id, const char *wanted)
{
	const struct certdir_step step = {.operation = *operation, .mark = "certdir:wifi:k2"};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_true(certdir_undo_print(out, &step, "adminDescription", id));
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, wanted);
	free(text);
}

static void assert_undo(const struct certdir_ldap_operation *operation, const char *wanted)
{
	assert_undo_of(operation, NULL, wanted);
}

static void test_operations(void **state)
{
	struct certdir_ldap_operation operation = modify();

	(void)state;
	assert_undo(&operation,
		    "dn: CN=a,OU=o\n# mark: certdir:wifi:k2\nchangetype: modify\n"
		    "delete: dNSHostName\ndNSHostName: HOST/a\n-\n"
		    "replace: userAccountControl\nuserAccountControl: 4098\n-\n"
		    "delete: servicePrincipalName\nservicePrincipalName: HOST/b\nservicePrincipalName: HOST/c\n-\n"
		    "add: servicePrincipalName\nservicePrincipalName: HOST/a\n-\n\n");
	/* What had no value before has none again. */
	changes[0] = (struct certdir_ldap_change){"userAccountControl", none, enabled, true};
	operation.count = 1;
	assert_undo(&operation,
		    "dn: CN=a,OU=o\n# mark: certdir:wifi:k2\nchangetype: modify\nreplace: userAccountControl\n-\n\n");
	operation.verb = CERTDIR_LDAP_VERB_ADD;
	/* Only while it has its mark: RFC 4528, a critical control, and the filter (adminDescription=certdir:wifi:k1). */
	changes[0] = (struct certdir_ldap_change){"adminDescription", none, mark, false};
	assert_undo(&operation, "dn: CN=a,OU=o\n# id: 00000000-0000-0000-0000-000000000000\n"
				"# mark: certdir:wifi:k1\n"
				"control: 1.3.6.1.1.12 true:: oyMEEGFkbWluRGVzY3JpcHRpb24ED2NlcnRkaXI6d2lmaTprMQ==\n"
				"changetype: delete\n\n");
	/* A file grows by no byte when the server has said what it calls the entry. */
	assert_undo_of(&operation, ID,
		       "dn: CN=a,OU=o\n# id: " ID "\n# mark: certdir:wifi:k1\n"
		       "control: 1.3.6.1.1.12 true:: oyMEEGFkbWluRGVzY3JpcHRpb24ED2NlcnRkaXI6d2lmaTprMQ==\n"
		       "changetype: delete\n\n");
	operation.verb = CERTDIR_LDAP_VERB_READ;
	assert_undo(&operation, "");
}

static void test_rename(void **state)
{
	const struct certdir_ldap_operation operation = {.verb = CERTDIR_LDAP_VERB_RENAME,
							 .dn = "CN=a\\,b,OU=deep,OU=o",
							 .rdn = "CN=\xc3\xbc",
							 .parent = "OU=o"};

	(void)state;
	assert_undo(&operation, "dn:: Q049w7wsT1U9bw==\n# mark: certdir:wifi:k2\nchangetype: modrdn\nnewrdn: "
				"CN=a\\,b\ndeleteoldrdn: 1\n"
				"newsuperior: OU=deep,OU=o\n\n");
}

static void test_delete(void **state)
{
	const struct certdir_ldap_operation operation = {
		.verb = CERTDIR_LDAP_VERB_DELETE, .dn = "CN=a,OU=o", .changes = changes, .count = 3};

	(void)state;
	/* What it had may stand on either side. */
	changes[0] = (struct certdir_ldap_change){"objectClass", none, computer, false};
	changes[1] = (struct certdir_ldap_change){"servicePrincipalName", host_bc, none, false};
	changes[2] = (struct certdir_ldap_change){"userAccountControl", disabled, none, true};
	assert_undo(&operation, "dn: CN=a,OU=o\nchangetype: add\nobjectClass: computer\nservicePrincipalName: HOST/b\n"
				"servicePrincipalName: HOST/c\nuserAccountControl: 4098\n\n");
}

/* ---- the file ---- */

/* Two actions: one entry is renamed and changed, then another gets its name, and a group that goes with it again. */
static struct certdir_step steps[] = {
	{.phase = CERTDIR_PHASE_RENAME,
	 .operation = {.verb = CERTDIR_LDAP_VERB_RENAME, .dn = "CN=a,OU=o", .rdn = "CN=b", .parent = "OU=o"},
	 .account = "CN=a,OU=o"},
	{.phase = CERTDIR_PHASE_CHANGE,
	 .operation = {.verb = CERTDIR_LDAP_VERB_MODIFY, .dn = "CN=b,OU=o", .changes = changes, .count = 1},
	 .account = "CN=a,OU=o"},
	{.phase = CERTDIR_PHASE_JOIN,
	 .operation = {.verb = CERTDIR_LDAP_VERB_MODIFY, .dn = "CN=group", .changes = changes, .count = 1},
	 .account = "CN=a,OU=o"},
	{.phase = CERTDIR_PHASE_CREATE, .operation = {.verb = CERTDIR_LDAP_VERB_ADD, .dn = "CN=a,OU=o"}, .action = 1},
	{.phase = CERTDIR_PHASE_JOIN,
	 .operation = {.verb = CERTDIR_LDAP_VERB_MODIFY, .dn = "CN=group2", .changes = changes, .count = 1},
	 .action = 1},
};
static const struct certdir_plan plan = {.steps = steps, .step_count = sizeof(steps) / sizeof(steps[0])};

static char directory[256];

static const struct certdir_placeholders_config *section(const char *where, const char *name)
{
	static struct certdir_placeholders_config config = {.rules = {.mark_attribute = "adminDescription"}};

	config.rules.name = name;
	config.undo_directory = where;
	return &config;
}

static int make_directory(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "%s/certdir-undo-XXXXXX",
		       getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(directory) ? 0 : -1;
}

/* Everything in the directory, sorted, in one text. */
static const char *listing(void)
{
	static char text[2048];
	struct dirent **entries;
	const int count = scandir(directory, &entries, NULL, alphasort);

	text[0] = '\0';
	for (int i = 0; i < count; i++) {
		if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
			(void)strcat(strcat(text, entries[i]->d_name), "\n");
		free(entries[i]);
	}
	free(entries);
	return text;
}

static int remove_directory(void **state)
{
	char command[sizeof(directory) + 16];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

static char *content(const char *filename)
{
	static char text[65536];
	FILE *in = fopen(filename, "r");
	size_t length;

	assert_non_null(in);
	length = fread(text, 1, sizeof(text) - 1, in);
	text[length] = '\0';
	(void)fclose(in);
	return text;
}

/* The DNs of the records, in their order. */
static void assert_records(const char *filename, const char *wanted)
{
	char names[1024] = "", *save = NULL;

	for (char *line = strtok_r(content(filename), "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, "dn: ", 4) == 0)
			(void)strcat(strcat(names, line + 4), " ");
	assert_string_equal(names, wanted);
}

static void fill_changes(void)
{
	changes[0] = (struct certdir_ldap_change){"member", none, host_a, false};
}

static void test_order(void **state)
{
	const bool some[] = {true, false, false, true, false}, all[] = {true, true, true, true, true};
	char filename[CERTDIR_TEXT_MAX] = "", same[CERTDIR_TEXT_MAX];
	struct certdir_error error;

	(void)state;
	fill_changes();
	/* Phases backwards; and nothing of an entry that goes itself. */
	assert_true(certdir_undo_write(section(directory, "wifi"), NOW, &plan, all, NULL, filename, &error));
	assert_records(filename, "CN=group CN=a,OU=o CN=b,OU=o CN=b,OU=o ");
	assert_memory_equal(content(filename), "version: 1\n# ", 13);
	assert_non_null(strstr(content(filename), "[placeholders wifi]"));
	assert_non_null(strstr(content(filename), "2026-11-22T10:00:00Z"));
	assert_non_null(strstr(content(filename), "certdir placeholders undo"));
	(void)strcpy(same, filename);
	assert_true(certdir_undo_write(section(directory, "wifi"), NOW, &plan, some, NULL, filename, &error));
	assert_string_equal(filename, same);
	assert_records(filename, "CN=a,OU=o CN=b,OU=o ");
	assert_string_equal(listing(), "wifi-" TIME ".ldif\n");
}

static void test_names(void **state)
{
	const bool nothing[5] = {false};
	char first[CERTDIR_TEXT_MAX] = "", second[CERTDIR_TEXT_MAX] = "", third[CERTDIR_TEXT_MAX] = "";
	struct certdir_error error;
	struct stat status;

	(void)state;
	fill_changes();
	assert_true(certdir_undo_write(section(directory, "wifi"), NOW, &plan, NULL, NULL, first, &error));
	assert_true(certdir_undo_write(section(directory, "wifi"), NOW, &plan, nothing, NULL, second, &error));
	assert_true(certdir_undo_write(section(directory, "lan"), NOW, &plan, NULL, NULL, third, &error));
	assert_string_equal(listing(), "lan-" TIME ".ldif\nwifi-" TIME "-2.ldif\nwifi-" TIME ".ldif\n");
	/* What was there first is as it was. */
	assert_records(first, "CN=group CN=a,OU=o CN=b,OU=o CN=b,OU=o ");
	assert_records(second, "");
	assert_int_equal(stat(first, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void test_directory(void **state)
{
	char filename[CERTDIR_TEXT_MAX] = "", path[sizeof(directory) + 16];
	struct certdir_error error;
	struct stat status;

	(void)state;
	fill_changes();
	(void)snprintf(path, sizeof(path), "%s/undo", directory);
	assert_true(certdir_undo_write(section(path, "wifi"), NOW, &plan, NULL, NULL, filename, &error));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	filename[0] = '\0';
	(void)snprintf(path, sizeof(path), "%s/no/undo", directory);
	assert_false(certdir_undo_write(section(path, "wifi"), NOW, &plan, NULL, NULL, filename, &error));
	assert_non_null(strstr(error.text, path));
	assert_non_null(strstr(error.text, strerror(ENOENT)));
	assert_string_equal(filename, "");
}

/* A new file has room for all steps, whichever are asked for; one that is there stays when there is no room for its successor. */
static void test_no_room(void **state)
{
	const bool nothing[5] = {false};
	struct rlimit before, small;
	char filename[CERTDIR_TEXT_MAX] = "", old[CERTDIR_TEXT_MAX] = "";
	struct certdir_error error;
	bool fresh, again, little;

	(void)state;
	fill_changes();
	assert_true(certdir_undo_write(section(directory, "old"), NOW, &plan, NULL, NULL, old, &error));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){.rlim_cur = strlen(content(old)) - 1, .rlim_max = before.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	fresh = certdir_undo_write(section(directory, "wifi"), NOW, &plan, nothing, NULL, filename, &error);
	again = certdir_undo_write(section(directory, "old"), NOW, &plan, NULL, NULL, old, &error);
	little = certdir_undo_write(section(directory, "old"), NOW, &plan, nothing, NULL, old, &error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_false(fresh);
	assert_string_equal(filename, "");
	assert_false(again);
	assert_true(little);
	assert_string_equal(listing(), "old-" TIME ".ldif\n");
	assert_records(old, "");
}

/* What takes a phase back is on the disk, name and all, before the phase begins. */
static void test_lasts(void **state)
{
	const bool nothing[5] = {false};
	char filename[CERTDIR_TEXT_MAX] = "";
	struct certdir_error error;

	(void)state;
	fill_changes();
	synced.files = synced.directories = 0;
	assert_true(certdir_undo_write(section(directory, "wifi"), NOW, &plan, NULL, NULL, filename, &error));
	assert_true(synced.files >= 1);
	assert_int_equal(synced.directories, 1);
	synced.files = synced.directories = 0;
	assert_true(certdir_undo_write(section(directory, "wifi"), NOW, &plan, nothing, NULL, filename, &error));
	assert_true(synced.files >= 1);
	assert_int_equal(synced.directories, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_operations),
		cmocka_unit_test(test_rename),
		cmocka_unit_test(test_delete),
		cmocka_unit_test_setup_teardown(test_order, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_names, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_directory, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_no_room, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_lasts, make_directory, remove_directory),
	};

	return cmocka_run_group_tests_name("undo", tests, NULL, NULL);
}
