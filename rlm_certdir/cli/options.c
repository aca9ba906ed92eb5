/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/failure.h"
#include "conf/conf.h"
#include "text/suggest.h"
#include "version.h"

/* What getopt_long() gives beside the letters below; LOG, GROUP and JOIN are among them, and operands under another name. */
enum { HELP = 'h', OPERAND = 1, WRONG = '?', LOG = 'L', GROUP = 'G', JOIN = 'J' };

/* Every option of every command. Of the letters, which are ours, only -c and -o can be typed. */
static const struct {
	char letter;
	const char *name;
	const char *value; /* what stands for it in messages; NULL: the option takes none */
	size_t offset;
} known[] = {
	{'c', "-c", "FILE", offsetof(struct certdir_cli_options, conf)},
	{'o', "-o", "FILE", offsetof(struct certdir_cli_options, output)},
	{'r', "--raddb", "DIR", offsetof(struct certdir_cli_options, raddb)},
	{'m', "--module", "NAME", offsetof(struct certdir_cli_options, module)},
	{'l', "--list", "FILE", offsetof(struct certdir_cli_options, list)},
	{'n', "--name", "HOST", offsetof(struct certdir_cli_options, name)},
	{'u', "--user-name", "NAME", offsetof(struct certdir_cli_options, user_name)},
	{'s', "--source", "NAME", offsetof(struct certdir_cli_options, source)},
	{'t', "--tenant", "GUID", offsetof(struct certdir_cli_options, tenant)},
	{'f', "--format", "json|csv", offsetof(struct certdir_cli_options, format)},
	{'g', "--good-for", "DURATION", offsetof(struct certdir_cli_options, good_for)},
	{'K', "--signing-key", "FILE", offsetof(struct certdir_cli_options, signing_key)},
	{'b', "--public-key", "FILE", offsetof(struct certdir_cli_options, public_key)},
	{JOIN, "--join", "TYPE", offsetof(struct certdir_cli_options, join)},
	{'D', "--disabled", NULL, offsetof(struct certdir_cli_options, disabled)},
	{'M', "--noncompliant", NULL, offsetof(struct certdir_cli_options, noncompliant)},
	{'z', "--stale", NULL, offsetof(struct certdir_cli_options, stale)},
	{'S', "--since", "TIME", offsetof(struct certdir_cli_options, since)},
	{'i', "--interval", "DURATION", offsetof(struct certdir_cli_options, interval)},
	{'p', "--pattern", "TEMPLATE", offsetof(struct certdir_cli_options, pattern)},
	{'x', "--from", "DIR", offsetof(struct certdir_cli_options, from)},
	{'v', "--save", "DIR", offsetof(struct certdir_cli_options, save)},
	{'q', "--sessions", "FILE", offsetof(struct certdir_cli_options, sessions)},
	{'k', "--radius-certificate", "FILE", offsetof(struct certdir_cli_options, radius_certificate)},
	{LOG, "--log", "FILE", 0},
	{GROUP, "--group", "NAME", 0},
	{'e', "--features", "LIST", offsetof(struct certdir_cli_options, features)},
	{'O', "--cloud", "NAME", offsetof(struct certdir_cli_options, cloud)},
	{'T', "--print", "az|powershell", offsetof(struct certdir_cli_options, print)},
	{'w', "--write-raddb", NULL, offsetof(struct certdir_cli_options, write_raddb)},
	{'j', "--json", NULL, offsetof(struct certdir_cli_options, json)},
	{'P', "--prometheus", NULL, offsetof(struct certdir_cli_options, prometheus)},
	{'d', "--dry-run", NULL, offsetof(struct certdir_cli_options, dry_run)},
	{'F', "--force", NULL, offsetof(struct certdir_cli_options, force)},
	{'A', "--full", NULL, offsetof(struct certdir_cli_options, full)},
	{'R', "--replace", NULL, offsetof(struct certdir_cli_options, replace)},
	{'a', "--apply", NULL, offsetof(struct certdir_cli_options, apply)},
	{'I', "--sids", NULL, offsetof(struct certdir_cli_options, sids)},
	{'E', "--all", NULL, offsetof(struct certdir_cli_options, all)},
	{'N', "--now", NULL, offsetof(struct certdir_cli_options, now)},
	{'C', "--certificates", NULL, offsetof(struct certdir_cli_options, certificates)},
};

enum { KNOWN_COUNT = sizeof(known) / sizeof(known[0]), COMMANDS_MAX = 32 };

/* A command line that is being read. */
struct reading {
	const struct certdir_cli_command *command; /* of a group until its first operand is read */
	struct certdir_cli_options options;
	char given[KNOWN_COUNT + 1]; /* the letters of the options that are there, each once */
};

static const struct certdir_cli_command *find_command(const struct certdir_cli_command *commands, const char *name)
{
	while (commands->name && strcmp(commands->name, name) != 0)
		commands++;
	return commands->name ? commands : NULL;
}

static size_t find_option(char letter)
{
	size_t i = 0;

	while (known[i].letter != letter)
		i++;
	return i;
}

/* The whole usage would push what is wrong out of sight. */
static int say_synopsis(const struct certdir_cli_options *options)
{
	const char *end = strstr(options->usage, "\n\n");

	fprintf(stderr, "%.*s\n\n`%s --help` says more.\n", end ? (int)(end - options->usage) : 0, options->usage,
		options->title);
	return EX_USAGE;
}

int certdir_cli_misuse(const struct certdir_cli_options *options, const char *option, const char *format, ...)
{
	char text[CERTDIR_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	certdir_vsay(text, format, arguments);
	va_end(arguments);
	certdir_cli_failure_keep(NULL, option, text);
	fprintf(stderr, "%s: %s\n", options->title, text);
	return say_synopsis(options);
}

/* For getopt_long(): what this command takes and nothing else, because a name may be shortened as long as it is clear. */
static void name_options(const char *takes, struct option longs[KNOWN_COUNT + 2])
{
	size_t count = 0;

	for (size_t i = 0; i < KNOWN_COUNT; i++)
		if (known[i].name[1] == '-' && strchr(takes, known[i].letter))
			longs[count++] =
				(struct option){known[i].name + 2, known[i].value ? required_argument : no_argument,
						NULL, known[i].letter};
	longs[count++] = (struct option){"help", no_argument, NULL, HELP};
	longs[count] = (struct option){0};
}

/* The same for the letters that can be typed. */
static void name_letters(const char *takes, char letters[2 * KNOWN_COUNT + 3])
{
	*letters++ = '-'; /* operands come one by one, in their order */
	*letters++ = HELP;
	for (size_t i = 0; i < KNOWN_COUNT; i++)
		if (known[i].name[1] != '-' && strchr(takes, known[i].letter)) {
			*letters++ = known[i].letter;
			*letters++ = ':';
		}
	*letters = '\0';
}

static void take_option(struct reading *reading, char letter)
{
	const size_t option = find_option(letter);
	void *field = (char *)&reading->options + known[option].offset;

	if (known[option].value)
		memcpy(field, &(const char *){optarg}, sizeof(optarg));
	else
		*(bool *)field = true;
	if (!strchr(reading->given, letter))
		reading->given[strlen(reading->given)] = letter;
}

/* The first operand of a group names its command. False when it has none of that name. */
static bool take_operand(struct reading *reading, char *word)
{
	struct certdir_cli_options *options = &reading->options;
	const struct certdir_cli_command *command;
	const size_t length = strlen(options->title);

	if (!reading->command->group) {
		options->operands[options->operand_count++] = word;
		return true;
	}
	command = find_command(reading->command->group, word);
	if (!command)
		return false;
	reading->command = command;
	(void)snprintf(options->title + length, sizeof(options->title) - length, " %s", word);
	if (command->usage)
		options->usage = command->usage;
	return true;
}

/* What was read against what the command takes and needs. Returns the exit code, 0 for what is in order. */
static int check(const struct reading *reading)
{
	const struct certdir_cli_command *command = reading->command;
	const struct certdir_cli_options *options = &reading->options;

	for (const char *letter = reading->given; *letter; letter++)
		if (!strchr(command->takes, *letter))
			return certdir_cli_misuse(options, known[find_option(*letter)].name, "does not take %s",
						  known[find_option(*letter)].name);
	if (options->operand_count < command->least)
		return certdir_cli_misuse(options, NULL, "an operand is missing");
	if (options->operand_count > command->most)
		return certdir_cli_misuse(options, NULL, "one operand too many: %s",
					  options->operands[options->operand_count - 1]);
	if (options->format && strcmp(options->format, "json") != 0 && strcmp(options->format, "csv") != 0)
		return certdir_cli_misuse(options, "--format", "--format is json or csv, not %s", options->format);
	for (const char *letter = command->needs; letter && *letter; letter++)
		if (!strchr(reading->given, *letter)) {
			const size_t option = find_option(*letter);
			const char *value = known[option].value;

			return certdir_cli_misuse(options, known[option].name, "%s%s%s is missing", known[option].name,
						  value ? " " : "", value ? value : "");
		}
	return 0;
}

static int say_usage(FILE *out, const struct certdir_cli_options *options)
{
	fputs(options->usage, out);
	return out == stdout ? 0 : EX_USAGE;
}

static int refuse_command(const struct reading *reading, const char *name)
{
	const struct certdir_cli_command *group = reading->command->group;
	const char *names[COMMANDS_MAX], *near;
	size_t count = 0;

	for (; group[count].name; count++)
		names[count] = group[count].name;
	near = certdir_suggest_near(name, names, count);
	if (near)
		return certdir_cli_misuse(&reading->options, NULL, "there is no command \"%s\"; did you mean %s?", name,
					  near);
	return certdir_cli_misuse(&reading->options, NULL, "there is no command \"%s\"", name);
}

/* getopt_long() has said what is wrong. With no `optopt` it was a long name, the word before `optind`, that is unknown or unclear. */
static int refuse_option(const struct reading *reading, char **argv, const struct option *longs)
{
	const char *word = argv[optind - 1], *names[KNOWN_COUNT + 1], *near;
	char text[CERTDIR_TEXT_MAX];
	size_t count = 0;

	for (; longs[count].name; count++)
		names[count] = longs[count].name;
	near = optopt == 0 && strncmp(word, "--", 2) == 0 ? certdir_suggest_near(word + 2, names, count) : NULL;
	if (near)
		fprintf(stderr, "did you mean --%s?\n", near);
	certdir_say(text, "this option is not known, not clear, or its value is wrong%s%s%s",
		    near ? "; did you mean --" : "", near ? near : "", near ? "?" : "");
	certdir_cli_failure_keep(NULL, word, text);
	return say_synopsis(&reading->options);
}

/* argv[0] is the command's name. */
static int run_command(struct reading *reading, int argc, char **argv)
{
	struct certdir_cli_options *options = &reading->options;
	struct option longs[KNOWN_COUNT + 2];
	char letters[2 * KNOWN_COUNT + 3];
	int letter, status;

	name_options(reading->command->takes, longs);
	name_letters(reading->command->takes, letters);
	/* Operands are kept in argv, where getopt_long() has read already. */
	options->operands = argv + 1;
	argv[0] = options->title;
	while ((letter = getopt_long(argc, argv, letters, longs, NULL)) != -1)
		if (letter == HELP)
			return say_usage(stdout, options);
		else if (letter == WRONG)
			return refuse_option(reading, argv, longs);
		else if (letter != OPERAND && letter != LOG && letter != GROUP)
			take_option(reading, (char)letter);
		else if (letter == OPERAND && strchr(reading->command->takes, GROUP))
			return certdir_cli_misuse(options, NULL, "one operand too many: %s", optarg);
		else if (!take_operand(reading, optarg))
			return refuse_command(reading, optarg);
	for (; optind < argc; optind++) /* behind "--" */
		if (!take_operand(reading, argv[optind]))
			return refuse_command(reading, argv[optind]);
	if (reading->command->group)
		return say_usage(stderr, options);
	status = check(reading);
	options->operands[options->operand_count] = NULL;
	return status ? status : reading->command->run(options);
}

/* ---- what a shell may offer ---- */

/* The option that `word` is, or -1: none, or one that takes no value. */
static int value_option(const char *takes, const char *word)
{
	for (size_t i = 0; i < KNOWN_COUNT; i++)
		if (known[i].value && strchr(takes, known[i].letter) && strcmp(known[i].name, word) == 0)
			return (int)i;
	return -1;
}

static void offer_options(const struct certdir_cli_command *command)
{
	for (size_t i = 0; i < KNOWN_COUNT; i++)
		if (strchr(command->takes, known[i].letter))
			puts(known[i].name);
	puts("--help");
}

static void offer_join_types(void)
{
	for (unsigned type = 0; type < CERTDIR_JOIN_TYPES; type++)
		puts(certdir_join_type_name((enum certdir_join_type)type));
}

/* The words that can stand for the last of `words`, a line each; nothing where that is a file, or a value that nobody knows. */
static int complete(const struct certdir_cli_command *command, int count, char **words)
{
	const char *last = count ? words[count - 1] : "";

	if (count > 1 && strcmp(words[0], "help") == 0)
		return complete(command, count - 1, words + 1);
	for (int i = 0; i < count - 1; i++) {
		const int option = value_option(command->takes, words[i]);

		if (option >= 0 && i == count - 2 && known[option].letter == 'f')
			puts("json\ncsv");
		if (option >= 0 && i == count - 2 && known[option].letter == JOIN)
			offer_join_types();
		if (option >= 0 && i++ == count - 2)
			return 0;
		if (option < 0 && command->group && words[i][0] != '-')
			command = find_command(command->group, words[i]);
		if (!command)
			return 0;
	}
	for (const struct certdir_cli_command *one = command->group; one && one->name; one++)
		puts(one->name);
	if (last[0] == '-' || (!command->group && command->most == 0))
		offer_options(command);
	return 0;
}

/* `certdir help COMMAND..` is `certdir COMMAND.. --help`. */
static int help(struct reading *reading, char **words)
{
	for (; *words && reading->command->group; words++)
		if (!take_operand(reading, *words))
			return refuse_command(reading, *words);
	if (*words)
		return certdir_cli_misuse(&reading->options, NULL, "has no command \"%s\"", *words);
	return say_usage(stdout, &reading->options);
}

int certdir_cli_run(const struct certdir_cli_command *commands, const char *usage, int argc, char **argv)
{
	struct reading reading = {.options = {.title = "certdir", .usage = usage, .conf = CERTDIR_CONF_DEFAULT}};
	const struct certdir_cli_command group = {.group = commands, .takes = ""};

	if (argc < 2)
		return say_usage(stderr, &reading.options);
	reading.command = &group;
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return say_usage(stdout, &reading.options);
	if (strcmp(argv[1], "help") == 0)
		return help(&reading, argv + 2);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return puts(certdir_version) < 0;
	if (strcmp(argv[1], "complete") == 0)
		return complete(&group, argc - 2, argv + 2);
	if (!take_operand(&reading, argv[1]))
		return refuse_command(&reading, argv[1]);
	reading.options.list = reading.command->list;
	return run_command(&reading, argc - 1, argv + 1);
}
