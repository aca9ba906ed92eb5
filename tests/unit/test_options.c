/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: the true table of commands, with commands that only tell what they were called with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The CLI is no library, so its files are compiled in here. */
#include "cli/failure.c"
#include "cli/json.c"
#include "cli/options.c"
#define main cli_main
int cli_main(int argc, char **argv);
#include "cli/main.c"
#undef main

const char certdir_version[] = "certdir 1.2.3 (for FreeRADIUS 3.2.1)";
static const char *ran; /* the command that was run last, or NULL */
static struct certdir_cli_options with;

#define COMMAND(_name)                                                                                                 \
	int certdir_cli_##_name(const struct certdir_cli_options *options)                                             \
	{                                                                                                              \
		ran = #_name;                                                                                          \
		with = *options;                                                                                       \
		return 42;                                                                                             \
	}
COMMAND(check)
COMMAND(doctor)
COMMAND(list_show)
COMMAND(list_find)
COMMAND(list_stats)
COMMAND(list_sources)
COMMAND(list_remove)
COMMAND(list_changes)
COMMAND(list_import)
COMMAND(list_export)
COMMAND(list_verify)
COMMAND(setup)
COMMAND(sync)
COMMAND(placeholders_plan)
COMMAND(placeholders_apply)
COMMAND(placeholders_adopt)
COMMAND(placeholders_export)
COMMAND(placeholders_undo)
COMMAND(profiles)
COMMAND(replay)
COMMAND(report)
COMMAND(sessions_list)
COMMAND(sessions_release)
COMMAND(status)

void certdir_cli_visible_begin(void)
{
}

bool certdir_cli_visible_silent(void)
{
	return false;
}

/* What one command line printed; argv of the last one stays, because `with` points into it. */
static char words[512], *outs, *errs;
static char *argv[32];

static void drop(void)
{
	free(outs);
	free(errs);
	outs = errs = NULL;
}

static int run(const char *line)
{
	FILE *const out = stdout, *const err = stderr;
	size_t out_size, err_size;
	int argc = 0, status;

	drop();
	(void)snprintf(words, sizeof(words), "%s", line);
	argv[argc++] = (char *)"certdir";
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	ran = NULL;
	optind = 0; /* a new command line */
	stdout = open_memstream(&outs, &out_size);
	stderr = open_memstream(&errs, &err_size);
	status = cli_main(argc, argv);
	(void)fclose(stdout);
	(void)fclose(stderr);
	stdout = out;
	stderr = err;
	return status;
}

/* A command line -> the first line on stderr, behind which the usage stands. */
static const struct {
	const char *line, *says;
} misuses[] = {
	{"foo", "certdir: there is no command \"foo\""},
	{"statsu", "certdir: there is no command \"statsu\"; did you mean status?"},
	{"list fnd x", "certdir list: there is no command \"fnd\"; did you mean find?"},
	{"help list fnd", "certdir list: there is no command \"fnd\"; did you mean find?"},
	{"help list find x", "certdir list find: has no command \"x\""},
	{"sync --dryrun", "certdir sync: unrecognized option '--dryrun'\ndid you mean --dry-run?"},
	{"list find --al --jsn x", "certdir list find: unrecognized option '--jsn'\ndid you mean --json?"},
	{"list foo", "certdir list: there is no command \"foo\""},
	{"list -- foo", "certdir list: there is no command \"foo\""},
	{"placeholders foo", "certdir placeholders: there is no command \"foo\""},
	/* what is no option, or none of this command */
	{"check --foo x", "certdir check: unrecognized option '--foo'"},
	{"check -x x", "certdir check: invalid option -- 'x'"},
	{"check -c x x", "certdir check: invalid option -- 'c'"},
	{"check --dry-run x", "certdir check: unrecognized option '--dry-run'"},
	{"list show --foo x", "certdir list show: unrecognized option '--foo'"},
	{"list --foo show x", "certdir list: unrecognized option '--foo'"},
	{"list show --source a x", "certdir list show: does not take --source"},
	{"list stats --format csv", "certdir list stats: does not take --format"},
	{"list import --since 2d x", "certdir list import: does not take --since"},
	{"list export --json", "certdir list export: does not take --json"},
	{"sync --prometheus", "certdir sync: unrecognized option '--prometheus'"},
	{"status --full", "certdir status: unrecognized option '--full'"},
	{"placeholders plan --apply", "certdir placeholders plan: does not take --apply"},
	{"placeholders plan --sids", "certdir placeholders plan: does not take --sids"},
	{"placeholders apply --pattern x", "certdir placeholders apply: does not take --pattern"},
	{"placeholders undo --force x", "certdir placeholders undo: does not take --force"},
	/* values */
	{"check --name", "certdir check: option '--name' requires an argument"},
	{"status -c", "certdir status: option requires an argument -- 'c'"},
	{"list stats --json=yes", "certdir list stats: option '--json' doesn't allow an argument"},
	{"list import --format xml x", "certdir list import: --format is json or csv, not xml"},
	{"list export --format xml", "certdir list export: --format is json or csv, not xml"},
	/* options that do not go together */
	/* operands */
	{"check", "certdir check: an operand is missing"},
	{"list show", "certdir list show: an operand is missing"},
	{"list import --source a", "certdir list import: an operand is missing"},
	{"list show a b", "certdir list show: one operand too many: b"},
	{"list stats a", "certdir list stats: one operand too many: a"},
	{"list find -- -a -b", "certdir list find: one operand too many: -b"},
	{"replay --list x", "certdir replay: an operand is missing"},
	{"replay --log", "certdir replay: option '--log' requires an argument"},
	{"check --log x", "certdir check: unrecognized option '--log'"},
	{"sync x", "certdir sync: one operand too many: x"},
	{"status x", "certdir status: one operand too many: x"},
	{"placeholders apply a b", "certdir placeholders apply: one operand too many: b"},
	{"placeholders undo", "certdir placeholders undo: an operand is missing"},
	{"placeholders adopt --pattern {name}", "certdir placeholders adopt: an operand is missing"},
	/* options that have to be there */
	{"list remove", "certdir list remove: --source NAME is missing"},
	{"placeholders export", "certdir placeholders export: --sids is missing"},
	{"placeholders adopt a", "certdir placeholders adopt: --pattern TEMPLATE is missing"},
};

static void test_misuse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(misuses) / sizeof(*misuses); i++) {
		const int status = run(misuses[i].line);
		const size_t length = strlen(misuses[i].says);

		if (status != EX_USAGE || ran || *outs || strncmp(errs, misuses[i].says, length) != 0 ||
		    strncmp(errs + length, "\nusage: certdir ", 16) != 0 || !strstr(errs, " --help` says more.\n"))
			fail_msg("%s: %d, ran %s, \"%s\", \"%s\"", misuses[i].line, status, ran ? ran : "nothing", outs,
				 errs);
	}
	drop();
}

/* Nothing but the usage, on the stream that fits. */
static void test_usage(void **state)
{
	static const struct {
		const char *line, *usage;
		bool asked;
	} cases[] = {
		{"", "usage: certdir check [--raddb", false},
		{"list", "usage: certdir list show|find", false},
		{"list --json", "usage: certdir list show|find", false},
		{"placeholders", "usage: certdir placeholders plan|apply", false},
		{"placeholders -c x", "usage: certdir placeholders plan|apply", false},
		{"--help", "usage: certdir check [--raddb", true},
		{"help", "usage: certdir check [--raddb", true},
		{"--version", "certdir 1.2.3 (for FreeRADIUS 3.2.1)\n", true},
		{"-V", "certdir 1.2.3 (for FreeRADIUS 3.2.1)\n", true},
		{"-h", "usage: certdir check [--raddb", true},
		{"help list", "usage: certdir list show|find", true},
		{"help list find", "usage: certdir list find", true},
		{"help sync", "usage: certdir sync", true},
		{"list -h", "usage: certdir list show|find", true},
		{"list find -h", "usage: certdir list find", true},
		{"sync -hc x", "usage: certdir sync", true},
		{"check --help", "usage: certdir check", true},
		{"list --help", "usage: certdir list show|find", true},
		{"list show --help", "usage: certdir list show", true},
		{"list find --hel", "usage: certdir list find", true},
		{"list stats --json x y --help", "usage: certdir list stats", true},
		{"list sources --help", "usage: certdir list sources", true},
		{"list remove --help", "usage: certdir list remove", true},
		{"list changes --help", "usage: certdir list changes", true},
		{"list import --help", "usage: certdir list import", true},
		{"list export --help", "usage: certdir list export", true},
		{"list verify --help", "usage: certdir list verify", true},
		{"sync --help", "usage: certdir sync", true},
		{"placeholders --help", "usage: certdir placeholders plan|apply", true},
		{"placeholders undo --help", "usage: certdir placeholders plan|apply", true},
		{"replay --help", "usage: certdir replay", true},
		{"status --help", "usage: certdir status", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const int status = run(cases[i].line);
		const char *there = cases[i].asked ? outs : errs, *other = cases[i].asked ? errs : outs;

		if (status != (cases[i].asked ? 0 : EX_USAGE) || ran || *other ||
		    strncmp(there, cases[i].usage, strlen(cases[i].usage)) != 0)
			fail_msg("%s: %d, \"%s\", \"%s\"", cases[i].line, status, outs, errs);
	}
	drop();
}

/* Before and behind the operand, before the command's name, shortened, given twice (the last one counts), and behind --. */
static void test_where_options_stand(void **state)
{
	static const struct {
		const char *line, *runs, *list, *conf, *operand;
	} cases[] = {
		{"list show a", "list_show", LIST_DEFAULT, CERTDIR_CONF_DEFAULT, "a"},
		{"list show --list x a", "list_show", "x", CERTDIR_CONF_DEFAULT, "a"},
		{"list show a --list x", "list_show", "x", CERTDIR_CONF_DEFAULT, "a"},
		{"list --list x show a", "list_show", "x", CERTDIR_CONF_DEFAULT, "a"},
		{"list find --li=x a", "list_find", "x", CERTDIR_CONF_DEFAULT, "a"},
		{"list show --list y a --list x", "list_show", "x", CERTDIR_CONF_DEFAULT, "a"},
		{"list show --list x -- -a", "list_show", "x", CERTDIR_CONF_DEFAULT, "-a"},
		{"list -- show -a", "list_show", LIST_DEFAULT, CERTDIR_CONF_DEFAULT, "-a"},
		{"check -", "check", NULL, CERTDIR_CONF_DEFAULT, "-"},
		{"placeholders -c x plan a", "placeholders_plan", NULL, "x", "a"},
		{"placeholders apply a -cx", "placeholders_apply", NULL, "x", "a"},
		{"placeholders undo -c x a", "placeholders_undo", NULL, "x", "a"},
		{"placeholders plan", "placeholders_plan", NULL, CERTDIR_CONF_DEFAULT, NULL},
		{"sync -c x", "sync", NULL, "x", NULL},
		{"status", "status", NULL, CERTDIR_CONF_DEFAULT, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(run(cases[i].line), 42);
		assert_string_equal(ran, cases[i].runs);
		assert_string_equal(with.conf, cases[i].conf);
		assert_string_equal(with.list ? with.list : "", cases[i].list ? cases[i].list : "");
		assert_int_equal(with.operand_count, cases[i].operand != NULL);
		assert_string_equal(cases[i].operand ? with.operands[0] : "", cases[i].operand ? cases[i].operand : "");
		assert_null(with.operands[with.operand_count]);
	}
	drop();
}

/* Every option lands where its command looks for it. */
static void test_every_option(void **state)
{
	(void)state;
	run("check --raddb a --module b --name d --user-name e --json f g h");
	assert_string_equal(with.raddb, "a");
	assert_string_equal(with.module, "b");
	assert_string_equal(with.name, "d");
	assert_string_equal(with.user_name, "e");
	assert_true(with.json && !with.force && with.operand_count == 3 && !with.list);
	assert_string_equal(with.operands[2], "h");
	run("list import --source a --tenant b --format csv --good-for 3d --replace --force --dry-run f");
	assert_string_equal(with.source, "a");
	assert_string_equal(with.tenant, "b");
	assert_string_equal(with.format, "csv");
	assert_string_equal(with.good_for, "3d");
	assert_true(with.replace && with.force && with.dry_run && !with.json && !with.full);
	run("replay --log a --raddb b --log c d --module e --json");
	assert_string_equal(with.raddb, "b");
	assert_string_equal(with.module, "e");
	assert_true(with.json && with.operand_count == 3 && !with.list);
	assert_string_equal(with.operands[0], "a");
	assert_string_equal(with.operands[1], "c");
	assert_string_equal(with.operands[2], "d");
	run("list changes --since 2d");
	assert_string_equal(with.since, "2d");
	run("sync --full --interval 1h");
	assert_string_equal(with.interval, "1h");
	assert_true(with.full && !with.force && !with.dry_run);
	run("status --prometheus");
	assert_true(with.prometheus && !with.json);
	run("placeholders adopt --apply --pattern {name} a");
	assert_string_equal(with.pattern, "{name}");
	assert_true(with.apply && !with.sids);
	run("placeholders export --sids");
	assert_true(with.sids && !with.apply);
	drop();
}

/* Half of what was to be printed is no success. */
static void test_a_full_disk(void **state)
{
	FILE *const out = stdout, *const err = stderr;
	size_t size;
	int status;

	(void)state;
	argv[0] = (char *)"certdir";
	argv[1] = (char *)"help";
	argv[2] = NULL;
	stdout = fopen("/dev/full", "w");
	stderr = open_memstream(&errs, &size);
	status = cli_main(2, argv);
	(void)fclose(stdout);
	(void)fclose(stderr);
	stdout = out;
	stderr = err;
	assert_int_equal(status, EX_IOERR);
	assert_non_null(strstr(errs, "standard output cannot be written: No space left"));
	drop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_misuse),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_where_options_stand),
		cmocka_unit_test(test_every_option),
		cmocka_unit_test(test_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
