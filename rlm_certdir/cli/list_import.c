/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir list import`: a file of devices becomes a source of the list. Nothing is published before all of it was good. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/shrink.h"
#include "cli/change.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/list.h"
#include "cli/progress.h"
#include "cli/words.h"
#include "conf/conf.h"
#include "import/devices.h"
#include "import/input.h"

enum { DECADE = 3650 * 86400 /* seconds */, SHOWN_EACH = 1000 /* devices */ };

struct import {
	const struct certdir_cli_options *options;
	struct certdir_list_writer *writer;
	struct certdir_devices_file file;
	int64_t now;
	int64_t good_for; /* -1 = not given */
	struct certdir_list_compared compared;
};

/* Of a small file there is nothing to wait for. */
static void show_progress(const struct import *import)
{
	char what[40];

	(void)snprintf(what, sizeof(what), "%zu devices", import->file.record);
	certdir_cli_progress_show(import->options->source, what, import->file.record);
}

static bool take_device(void *context, const struct certdir_device_record *record, struct certdir_error *error)
{
	const struct import *import = context;

	if (import->file.record % SHOWN_EACH == 0)
		show_progress(import);
	if (record->warning.text[0]) {
		certdir_cli_progress_clear();
		fprintf(stderr, "certdir: warning: %s: record %zu: %s: the device is imported without it\n",
			import->file.name, import->file.record, record->warning.text);
	}
	return certdir_list_write_device(import->writer, &record->device, error);
}

/* ---- the list ---- */

static void print_warning(void *context, const char *text)
{
	const char *list = context;

	fprintf(stderr, "certdir: warning: %s: %s\n", list, text);
}

/* The keys of an object, and the texts that they have, comma-separated: "UDID as udid, Managed as isManaged". */
static void print_keys(const json_t *object)
{
	const char *separator = "", *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		fprintf(stderr, "%s%s", separator, key);
		if (json_is_string(value) && strcmp(json_string_value(value), key) != 0)
			fprintf(stderr, " as %s", json_string_value(value));
		separator = ", ";
	}
}

/* What was made of the names in the file. */
static void print_names(const struct import *import)
{
	const char *file = import->options->operands[0];

	if (import->file.export) {
		fprintf(stderr, "certdir: %s: took for an export of %s: ", file,
			certdir_export_name(import->file.export));
		print_keys(import->file.taken);
		if (json_object_size(import->file.ignored))
			fprintf(stderr, "; left: ");
	} else if (json_object_size(import->file.ignored)) {
		fprintf(stderr, "certdir: %s: ignored, because nothing here looks at it: ", file);
	} else {
		return;
	}
	print_keys(import->file.ignored);
	fputc('\n', stderr);
}

static void print_json(const struct import *import, size_t devices)
{
	const struct certdir_cli_options *options = import->options;
	json_t *ignored = json_array(), *value;
	const char *key;

	json_object_foreach(import->file.ignored, key, value)(void) json_array_append_new(ignored, json_string(key));
	(void)certdir_cli_json_print(json_pack(
		"{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:s?,s:O,s:o}", "list", options->list, "source", options->source,
		"devices", (json_int_t)devices, "before", (json_int_t)import->compared.listed, "imported",
		(json_int_t)import->file.record, "added", (json_int_t)import->compared.added, "lost",
		(json_int_t)import->compared.lost, "changed", (json_int_t)import->compared.changed, "dry_run",
		options->dry_run, "export", import->file.export ? certdir_export_name(import->file.export) : NULL,
		"taken", import->file.taken, "ignored", ignored));
}

static int print_result(const struct import *import, size_t devices)
{
	const struct certdir_cli_options *options = import->options;

	if (options->json) {
		print_json(import, devices);
		return 0;
	}
	print_names(import);
	printf("%zu device%s (before: %zu) in %s: %zu added, %zu removed, %zu changed%s\n", devices,
	       certdir_cli_plural(devices), import->compared.listed, options->list, import->compared.added,
	       import->compared.lost, import->compared.changed,
	       options->dry_run ? "; nothing was published, this was a dry run" : "");
	return 0;
}

/* ---- what changes ---- */

static bool print_change(void *context, const struct certdir_list_change *change)
{
	const struct import *import = context;

	if (import->options->json)
		return certdir_cli_change_print_json(change);
	certdir_cli_change_print_would(change);
	return true;
}

enum { NAMES_SHOWN = 5 };

struct names {
	char text[256];
	size_t shown;
	bool more;
};

static bool name_removed(void *context, const struct certdir_list_change *change)
{
	struct names *names = context;
	const size_t used = strlen(names->text), left = sizeof(names->text) - used;
	const char *name = change->name ? change->name : change->device ? change->device : "one without a name";

	if (strcmp(change->what, "removed") != 0)
		return true;
	/* Whole, or not at all. */
	if (names->shown == NAMES_SHOWN ||
	    snprintf(names->text + used, left, "%s%s", used ? ", " : "", name) >= (int)left) {
		names->text[used] = '\0';
		names->more = true;
		return false;
	}
	names->shown++;
	return true;
}

/* A file that came short looks like one from which devices were removed: then a person has to say so. */
static int check_shrink(struct import *import, struct certdir_error *error)
{
	const struct certdir_cli_options *options = import->options;
	const struct certdir_list_compared *compared = &import->compared;
	struct names names = {.shown = 0};

	if (options->force || certdir_shrink_allowed(compared->before, compared->lost, CERTDIR_SHRINK))
		return 0;
	if (!certdir_list_write_changes(import->writer, import->now, name_removed, &names, error))
		return EX_CANTCREAT;
	certdir_error_set(error,
			  "%.100s: of the %zu devices of source \"%.60s\", %zu would be lost (%s%s), and "
			  "%d %% is the limit: is the file complete? If they are to go, import it with --force",
			  options->operands[0], compared->before, options->source, compared->lost, names.text,
			  !names.more	  ? ""
			  : names.text[0] ? ", .."
					  : "..",
			  CERTDIR_SHRINK);
	return CERTDIR_CLI_LIST_SHRUNK;
}

/* Compares with what was there, logs it, and lets the guard look at it. That all of a new source is new is not logged. */
static int compare(struct import *import, struct certdir_error *error)
{
	if (!certdir_list_write_compare(import->writer, &import->compared, error) ||
	    (import->compared.before && !certdir_list_write_log(import->writer, import->now, error)))
		return EX_CANTCREAT;
	return check_shrink(import, error);
}

/* ---- all of it ---- */

static bool begin(struct import *import, struct certdir_error *error)
{
	const struct certdir_cli_options *options = import->options;

	import->writer = certdir_cli_list_change(options, options->replace, error);
	if (!import->writer)
		return false;
	return certdir_list_write_source(import->writer, options->source, options->tenant, import->now, error) &&
	       (import->good_for < 0 || certdir_list_write_good_for(import->writer, import->good_for, error));
}

static int end(struct import *import, struct certdir_error *error)
{
	const struct certdir_cli_options *options = import->options;
	const size_t devices =
		import->file.record + (options->replace ? 0 : import->compared.listed - import->compared.before);
	struct certdir_list_writer *writer = import->writer;

	if (options->dry_run) {
		if (!certdir_list_write_changes(writer, import->now, print_change, import, error))
			return EX_CANTCREAT;
	} else {
		/* Ids that stand in several of its devices make each of them ambiguous: say so at once. */
		if (!certdir_list_write_twins(writer, print_warning, (void *)options->list, error))
			return EX_CANTCREAT;
		import->writer = NULL;
		if (!certdir_list_write_publish(writer, error))
			return EX_CANTCREAT;
	}
	return print_result(import, devices);
}

static int import_text(struct import *import, const char *text, size_t length)
{
	struct certdir_error error;
	int status = EX_CANTCREAT;
	bool read;

	if (begin(import, &error)) {
		status = EX_NOINPUT;
		certdir_cli_progress_begin();
		read = certdir_devices_read(&import->file, text, length, &error);
		certdir_cli_progress_end();
		if (read) {
			if (import->file.says_enabled)
				certdir_list_write_says_enabled(import->writer);
			status = compare(import, &error);
		}
		if (status == 0)
			status = end(import, &error);
	}
	certdir_list_write_abort(import->writer);
	if (status == 0)
		return 0;
	return certdir_cli_fail(status, status == EX_CANTCREAT ? import->options->list : import->options->operands[0],
				"%s; nothing was changed", error.text);
}

int certdir_cli_list_import(const struct certdir_cli_options *options)
{
	struct certdir_cli_options given = *options;
	struct import import = {
		.options = &given,
		.file = {.name = options->operands[0],
			 .format = options->format,
			 .take = take_device,
			 .context = &import},
		.now = (int64_t)time(NULL),
		.good_for = -1,
	};
	struct certdir_error error;
	int status = EX_NOINPUT;
	size_t length;
	char *text;

	if (options->certificates)
		return certdir_cli_list_import_certificates(options);
	if (!given.source)
		given.source = "import";
	if (options->good_for &&
	    (!certdir_duration_parse(options->good_for, &import.good_for) || import.good_for > DECADE))
		return certdir_cli_fail_option(EX_USAGE, "--good-for",
					       "--good-for %s: this is how long the devices stay fresh, as 30d or 12h, "
					       "up to 3650d; 0 ends it",
					       options->good_for);
	text = certdir_input_read(options->operands[0], &length, &error);
	if (text)
		status = import_text(&import, text, length);
	else
		(void)certdir_cli_fail(status, options->operands[0], "%s", error.text);
	certdir_devices_file_clear(&import.file);
	free(text);
	return status;
}
