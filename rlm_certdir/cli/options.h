/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: what every command takes stands in one table, so that all of them read it, and refuse what is wrong, alike. */
#ifndef CERTDIR_CLI_OPTIONS_H
#define CERTDIR_CLI_OPTIONS_H

#include "base/certdir.h"

/* What options and operands say; a command looks at those that it takes. Texts are argv's, NULL when they were not given. */
struct certdir_cli_options {
	char title[64]; /* "certdir list show": what messages about the command line begin with */
	const char *usage; /* and what they end with */
	const char *conf; /* certdir.conf */
	const char *list; /* the list's file name */
	const char *raddb, *module, *name, *user_name; /* check */
	const char *source, *tenant, *format, *good_for; /* list import, and some of them others */
	const char *signing_key; /* list import, list remove */
	const char *public_key; /* list verify */
	const char *since; /* list changes */
	const char *interval; /* sync */
	const char *output; /* report */
	const char *pattern; /* placeholders adopt */
	const char *from, *save, *radius_certificate; /* profiles */
	const char *sessions; /* status */
	const char *features, *cloud, *print; /* setup, whose operands are groups */
	bool write_raddb;
	const char *join; /* list find */
	bool disabled, noncompliant, stale;
	bool json, prometheus, dry_run, force, full, replace, apply, sids, certificates, now, all;
	char **operands; /* ends with a NULL */
	size_t operand_count;
};

struct certdir_cli_command {
	const char *name; /* as it is typed; NULL ends a table */
	const char *takes; /* letters of the options in options.c */
	const char *needs; /* those that it cannot do without, or NULL */
	size_t least, most; /* operands */
	int (*run)(const struct certdir_cli_options *options); /* returns the exit code */
	const char *usage; /* NULL: that of the group it is in */
	const char *list; /* the list when --list does not say otherwise, or NULL */
	const struct certdir_cli_command
		*group; /* it has commands of its own, which the first operand names; or NULL */
};

/* Runs the command of `commands` that argv names; `usage` is that of the program. Returns the exit code, 64 for what is no command. */
int certdir_cli_run(const struct certdir_cli_command *commands, const char *usage, int argc, char **argv);

/*
 * Says on stderr what is wrong with the command line and what would be right. `option` is the one that is at fault, as it is typed, or
 * NULL when it is none. Returns the exit code, 64.
 */
int certdir_cli_misuse(const struct certdir_cli_options *options, const char *option, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
