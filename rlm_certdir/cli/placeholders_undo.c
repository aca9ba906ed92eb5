/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/placeholders_undo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/conf_file.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/placeholders_report.h"
#include "cli/visible.h"
#include "placeholders/undo.h"

struct undo {
	const struct certdir_placeholders_config *config;
	bool json, dry_run, printed;
};

static const char *verb_name(const struct certdir_ldap_operation *operation)
{
	switch (operation->verb) {
	case CERTDIR_LDAP_VERB_ADD:
		return "add";
	case CERTDIR_LDAP_VERB_RENAME:
		return "rename";
	case CERTDIR_LDAP_VERB_DELETE:
		return "delete";
	default:
		return "modify";
	}
}

static void tell(void *context, enum certdir_take_back_outcome outcome, const struct certdir_ldap_operation *operation,
		 const char *why)
{
	static const char *const types[] = {"undone", "nothing", "left"};
	struct undo *undo = context;
	const char *type = undo->dry_run && outcome == CERTDIR_TAKE_BACK_DONE ? "undo" : types[outcome];
	char *dn, *text;

	if (undo->json) {
		undo->printed &= certdir_cli_json_print(
			json_pack("{s:s,s:s,s:s,s:o,s:o}", "type", type, "section", undo->config->rules.name, "verb",
				  verb_name(operation), "dn", certdir_cli_placeholders_json(operation->dn), "why",
				  certdir_cli_placeholders_json(why)));
		return;
	}
	dn = certdir_cli_visible_copy(operation->dn);
	text = certdir_cli_visible_copy(why);
	if (dn && text)
		undo->printed &=
			printf("%-10s %s %s%s%s\n", type, verb_name(operation), dn, *text ? ": " : "", text) >= 0;
	free(dn);
	free(text);
}

static void print_summary(struct undo *undo, const struct certdir_take_back_report *report,
			  const struct certdir_error *error)
{
	const size_t *counts = report->counts;

	if (undo->json)
		undo->printed &= certdir_cli_json_print(
			json_pack("{s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:o}", "type", "summary", "section",
				  undo->config->rules.name, "dry_run", undo->dry_run, "records",
				  (json_int_t)report->records, "undone", (json_int_t)counts[CERTDIR_TAKE_BACK_DONE],
				  "nothing", (json_int_t)counts[CERTDIR_TAKE_BACK_NOTHING], "left",
				  (json_int_t)counts[CERTDIR_TAKE_BACK_LEFT], "error",
				  certdir_cli_placeholders_json(error->text[0] ? error->text : NULL)));
	else
		undo->printed &= printf("%s: %zu of %zu changes %s, %zu had nothing to take back, %zu left alone%s\n",
					undo->config->rules.name, counts[CERTDIR_TAKE_BACK_DONE], report->records,
					undo->dry_run ? "would be taken back" : "taken back",
					counts[CERTDIR_TAKE_BACK_NOTHING], counts[CERTDIR_TAKE_BACK_LEFT],
					undo->dry_run ? "; nothing was changed, this was a dry run" : "") >= 0;
	undo->printed &= fflush(stdout) == 0;
}

static void say(const char *name, const char *error)
{
	char *text = certdir_cli_visible_copy(error);

	fprintf(stderr, "certdir: %s: %s\n", name, text ? text : "out of memory");
	free(text);
}

/* The server refuses some of what stands in an older file while a newer one stands. */
static void warn_of_newer(const struct undo *undo, const char *filename)
{
	char newest[CERTDIR_TEXT_MAX], text[CERTDIR_TEXT_MAX];

	certdir_undo_newest(undo->config, filename, newest);
	if (!newest[0])
		return;
	certdir_say(text,
		    "warning: %.200s is newer than %.200s: unless that was taken back already, take it back first, "
		    "since what "
		    "is left alone here may need that",
		    newest, filename);
	say(undo->config->rules.name, text);
}

static int take_back(struct undo *undo, const struct certdir_undo_file *file, const volatile int *stop)
{
	const struct certdir_take_back_options options = {
		.dry_run = undo->dry_run, .stop = stop, .told = tell, .context = undo};
	struct certdir_take_back_report report = {.records = file->records.count};
	struct certdir_placeholders placeholders;
	struct certdir_error error = {.text = ""};
	int lock;
	bool ok;

	if (!certdir_placeholders_lock(undo->config, &lock, &error)) {
		say(undo->config->rules.name, error.text);
		return *stop ? CERTDIR_CLI_PLACEHOLDERS_STOPPED : CERTDIR_CLI_PLACEHOLDERS_FAILED;
	}
	warn_of_newer(undo, file->filename);
	ok = certdir_placeholders_undo(&placeholders, undo->config, file, &options, &report, &error);
	print_summary(undo, &report, &error);
	if (!ok)
		say(undo->config->rules.name, error.text);
	certdir_placeholders_close(&placeholders);
	if (lock >= 0)
		(void)close(lock);
	if (!ok)
		return report.stopped ? CERTDIR_CLI_PLACEHOLDERS_STOPPED : CERTDIR_CLI_PLACEHOLDERS_FAILED;
	if (undo->dry_run && report.counts[CERTDIR_TAKE_BACK_DONE] > 0)
		return CERTDIR_CLI_PLACEHOLDERS_TO_DO;
	return report.counts[CERTDIR_TAKE_BACK_LEFT] > 0 ? CERTDIR_CLI_PLACEHOLDERS_PROBLEMS
							 : CERTDIR_CLI_PLACEHOLDERS_NOTHING;
}

static const struct certdir_placeholders_config *find_section(const struct certdir_cli_conf *loaded, const char *name)
{
	for (size_t i = 0; i < loaded->placeholders.count; i++)
		if (strcmp(loaded->placeholders.sections[i].rules.name, name) == 0)
			return &loaded->placeholders.sections[i];
	return NULL;
}

int certdir_cli_placeholders_undo_file(const char *conf, const char *filename, bool json, bool dry_run,
				       const volatile int *stop)
{
	struct undo undo = {.json = json, .dry_run = dry_run, .printed = true};
	struct certdir_undo_file file;
	struct certdir_cli_conf loaded;
	struct certdir_error error;
	int status = EX_CONFIG;

	if (!certdir_cli_conf_load(conf, true, &loaded))
		return EX_CONFIG;
	if (!certdir_undo_file_read(filename, &file, &error)) {
		certdir_cli_conf_clear(&loaded);
		return certdir_cli_fail(access(filename, R_OK) == 0 ? EX_DATAERR : EX_NOINPUT, filename, "%s",
					error.text);
	}
	undo.config = find_section(&loaded, file.section);
	if (undo.config)
		status = take_back(&undo, &file, stop);
	else
		(void)certdir_cli_fail(status, filename, "%s is of a section that %s does not have: [placeholders %s]",
				       filename, conf, file.section);
	certdir_undo_file_clear(&file);
	certdir_cli_conf_clear(&loaded);
	return undo.printed ? status : CERTDIR_CLI_PLACEHOLDERS_FAILED;
}
