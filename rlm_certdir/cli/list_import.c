/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir list import`: a file of devices becomes a source of the list. Nothing is published before all of it was good. */
#include "base/shrink.h"
#include "cli/change.h"
#include "cli/json.h"
#include "cli/list.h"
#include "conf/conf.h"
#include "import/csv.h"
#include "import/device_json.h"
#include "import/export.h"
#include "import/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <time.h>

enum { DECADE = 3650 * 86400 }; /* seconds */
enum { EXIT_SHRUNK = 3 }; /* the same as that of `certdir sync` */

struct import {
	const struct certdir_cli_options *options;
	struct certdir_list_writer *writer;
	const struct certdir_export *export; /* whose file it is, or NULL: the names are ours */
	json_t *taken; /* of an export: columns -> the properties that they are taken as */
	json_t *ignored; /* names of columns and properties that say nothing here, as keys */
	size_t record; /* the one being read, counted from 1 */
	size_t before, before_source;
	int64_t now;
	int64_t good_for; /* -1 = not given */
	struct certdir_list_compared compared;
};

/* ---- records ---- */

static bool write_record(struct import *import, const json_t *object, struct certdir_error *error)
{
	struct certdir_device_record record;
	bool ok;

	if (!certdir_device_json_read(&record, object, import->ignored, error))
		return false;
	if (record.warning.text[0])
		fprintf(stderr, "certdir: warning: %s: record %zu: %s: the device is imported without it\n",
			import->options->operands[0], import->record, record.warning.text);
	if (record.says_enabled)
		certdir_list_write_says_enabled(import->writer);
	ok = certdir_list_write_device(import->writer, &record.device, error);
	certdir_device_record_clear(&record);
	return ok;
}

static bool import_record(struct import *import, const json_t *object, struct certdir_error *error)
{
	json_t *translated = NULL;
	struct certdir_error why;
	bool ok = false;

	import->record++;
	if (import->export && json_is_object(object)) {
		object = translated = certdir_export_read(import->export, object, import->ignored);
		certdir_error_set(&why, "out of memory");
	}
	if (object)
		ok = write_record(import, object, &why);
	if (!ok)
		certdir_error_set(error, "%.150s: record %zu: %.320s", import->options->operands[0], import->record,
				  why.text);
	json_decref(translated);
	return ok;
}

/* Whose columns these are, and which of them are taken for what. Of an export, only accountEnabled is looked at for its spelling. */
static bool take_names(struct import *import, const json_t *names, struct certdir_error *error)
{
	const json_t *item;
	size_t index;

	import->export = certdir_export_find(names);
	if (!import->export)
		return true;
	json_array_foreach((json_t *)names, index, item)
	{
		const char *name = json_string_value(item), *near, *property;

		property = certdir_export_takes(import->export, name);
		near = property ? NULL : certdir_device_json_near(name);
		if (near && strcmp(near, "accountEnabled") == 0) {
			certdir_error_set(error, "column \"%.100s\": did you mean %s? Call it so, or leave it out",
					  name, near);
			return false;
		}
		if (property)
			(void)json_object_set_new(import->taken, name, json_string(property));
		else
			(void)json_object_set_new(import->ignored, name, json_null());
	}
	return true;
}

/* The first of them tells for all. */
static bool take_keys(struct import *import, const json_t *object, struct certdir_error *error)
{
	json_t *names = json_array(), *value;
	const char *key;
	bool ok;

	json_object_foreach((json_t *)object, key, value)(void) json_array_append_new(names, json_string(key));
	ok = take_names(import, names, error);
	json_decref(names);
	return ok;
}

static bool import_objects(struct import *import, const json_t *list, struct certdir_error *error)
{
	const json_t *object;
	size_t index;

	if (!take_keys(import, json_array_get(list, 0), error))
		return false;
	json_array_foreach((json_t *)list, index, object) if (!import_record(import, object, error)) return false;
	return true;
}

/* [..], {"value":[..]}, or one device alone: ConvertTo-Json writes a list of one like that. */
static bool import_json(struct import *import, const char *text, size_t length, struct certdir_error *error)
{
	const char *file = import->options->operands[0];
	json_error_t where;
	json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where), *list;
	bool ok = false;

	if (!root) {
		certdir_error_set(error, "%.150s: line %d, column %d: not JSON, or cut short: %.200s", file, where.line,
				  where.column, where.text);
		return false;
	}
	list = json_is_object(root) ? json_object_get(root, "value") : root;
	if (json_is_object(root) && json_object_get(root, "@odata.nextLink"))
		certdir_error_set(
			error,
			"%.300s is one page of several (@odata.nextLink): fetch all of them, with `-All` in PowerShell",
			file);
	else if (json_is_object(root) && !list)
		ok = take_keys(import, root, error) && import_record(import, root, error);
	else if (!json_is_array(list))
		certdir_error_set(error, "%.300s holds no array of devices", file);
	else
		ok = import_objects(import, list, error);
	json_decref(root);
	return ok;
}

/* A row as a JSON object of texts; empty fields are not known. NULL with `error`. */
static json_t *row_object(const struct import *import, const struct certdir_csv *csv, const json_t *header,
			  struct certdir_error *error)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < csv->count; i++) {
		const char *name = json_string_value(json_array_get(header, i));
		json_t *value;

		if (!*csv->fields[i] || (import->export && !json_object_get(import->taken, name)))
			continue;
		value = json_string(csv->fields[i]);
		if (!value) {
			certdir_error_set(error, "field %s is not UTF-8: save the file as UTF-8", name);
			json_decref(object);
			return NULL;
		}
		(void)json_object_set_new(object, name, value);
	}
	if (!object)
		certdir_error_set(error, "out of memory");
	return object;
}

/* Reading a device of nulls tells which columns mean nothing, and whether the file says who is enabled. */
static bool check_names(struct import *import, const json_t *header, struct certdir_error *error)
{
	json_t *empty = json_object(), *item;
	struct certdir_device_record record;
	size_t index;
	bool ok;

	json_array_foreach((json_t *)header, index, item)
	{
		const char *property = import->export ? certdir_export_takes(import->export, json_string_value(item))
						      : json_string_value(item);

		if (property)
			(void)json_object_set_new(empty, property, json_null());
	}
	ok = certdir_device_json_read(&record, empty, import->ignored, error);
	if (ok && record.says_enabled)
		certdir_list_write_says_enabled(import->writer);
	if (ok)
		certdir_device_record_clear(&record);
	json_decref(empty);
	if (ok && json_object_size(import->ignored) == json_array_size(header)) {
		certdir_error_set(error,
				  "header: none of its columns is known; write deviceId, displayName, serialNumber ..");
		ok = false;
	}
	return ok;
}

/* The names of the columns; NULL with `error`. */
static json_t *read_header(struct import *import, struct certdir_csv *csv, struct certdir_error *error)
{
	json_t *header = json_array();
	bool done;

	if (!certdir_csv_next(csv, &done, error)) {
		if (done)
			certdir_error_set(error, "the file is empty; its first line has to name the columns");
		goto out;
	}
	for (size_t i = 0; i < csv->count; i++) {
		json_t *name = json_string(csv->fields[i]);

		for (size_t j = 0; name && j < i; j++)
			if (strcasecmp(csv->fields[j], csv->fields[i]) == 0) {
				certdir_error_set(error, "header: column \"%.100s\" stands twice", csv->fields[i]);
				json_decref(name);
				goto out;
			}
		if (!name) {
			certdir_error_set(error, "header: column %zu is not UTF-8: save the file as UTF-8", i + 1);
			goto out;
		}
		(void)json_array_append_new(header, name);
	}
	if (take_names(import, header, error) && check_names(import, header, error))
		return header;
out:
	json_decref(header);
	return NULL;
}

static bool import_rows(struct import *import, struct certdir_csv *csv, const json_t *header,
			struct certdir_error *error)
{
	struct certdir_error why;
	bool done, ok = true;

	while (ok && certdir_csv_next(csv, &done, &why)) {
		json_t *object = NULL;

		if (csv->count != json_array_size(header))
			certdir_error_set(&why, "has %zu fields, the header has %zu; is the file cut short?",
					  csv->count, json_array_size(header));
		else
			object = row_object(import, csv, header, &why);
		if (!object) {
			done = false;
			break;
		}
		ok = import_record(import, object, error);
		json_decref(object);
	}
	if (ok && !done) {
		certdir_error_set(error, "%.150s: record %zu: %.320s", import->options->operands[0], import->record + 1,
				  why.text);
		ok = false;
	}
	return ok;
}

static bool import_csv(struct import *import, const char *text, size_t length, struct certdir_error *error)
{
	struct certdir_error why;
	struct certdir_csv csv;
	json_t *header;
	bool ok = false;

	certdir_csv_init(&csv, text, length);
	header = read_header(import, &csv, &why);
	if (header)
		ok = import_rows(import, &csv, header, error);
	else
		certdir_error_set(error, "%.150s: %.350s", import->options->operands[0], why.text);
	json_decref(header);
	certdir_csv_clear(&csv);
	return ok;
}

static bool is_csv(const struct certdir_cli_options *options, const char *text)
{
	const char *dot = strrchr(options->operands[0], '.');

	if (options->format)
		return strcmp(options->format, "csv") == 0;
	if (dot && strcasecmp(dot, ".csv") == 0)
		return true;
	if (dot && strcasecmp(dot, ".json") == 0)
		return false;
	text += strspn(text, " \t\r\n");
	return *text != '[' && *text != '{';
}

/* ---- the list ---- */

/* What the list holds now. The lock is held, so it stays so until we publish. */
static void count_before(struct import *import)
{
	const struct certdir_list_source *sources;
	struct certdir_list_snapshot *snapshot;
	struct certdir_error error;
	size_t count;

	snapshot = certdir_list_load(import->options->list, &error);
	if (!snapshot)
		return;
	import->before = certdir_list_device_count(snapshot);
	sources = certdir_list_sources(snapshot, &count);
	for (size_t i = 0; i < count; i++)
		if (strcmp(sources[i].name, import->options->source) == 0)
			import->before_source = sources[i].devices;
	certdir_list_release(snapshot);
}

static void print_warning(void *context, const char *text)
{
	const char *list = context;

	fprintf(stderr, "certdir: warning: %s: %s\n", list, text);
}

/*
 * Ids that now stand in several devices, of another source for example, make each of them ambiguous: say so at once. Whether indexes and
 * tables say the same is for `certdir list verify`: SQLite has just written them.
 */
static void warn_about(const struct certdir_cli_options *options)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error;

	if (!certdir_cli_list_open(options, &snapshot, &reader))
		return;
	if (certdir_list_verify(reader, false, print_warning, (void *)options->list, &error) < 0)
		fprintf(stderr, "certdir: warning: %s\n", error.text);
	certdir_cli_list_close(snapshot, reader);
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

	if (import->export) {
		fprintf(stderr, "certdir: %s: took for an export of %s: ", file, certdir_export_name(import->export));
		print_keys(import->taken);
		if (json_object_size(import->ignored))
			fprintf(stderr, "; left: ");
	} else if (json_object_size(import->ignored)) {
		fprintf(stderr, "certdir: %s: ignored, because nothing here looks at it: ", file);
	} else {
		return;
	}
	print_keys(import->ignored);
	fputc('\n', stderr);
}

static void print_json(const struct import *import, size_t devices)
{
	const struct certdir_cli_options *options = import->options;
	json_t *ignored = json_array(), *value;
	const char *key;

	json_object_foreach(import->ignored, key, value)(void) json_array_append_new(ignored, json_string(key));
	(void)certdir_cli_json_print(
		json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:s?,s:O,s:o}", "list", options->list, "source",
			  options->source, "devices", (json_int_t)devices, "before", (json_int_t)import->before,
			  "imported", (json_int_t)import->record, "added", (json_int_t)import->compared.added, "lost",
			  (json_int_t)import->compared.lost, "changed", (json_int_t)import->compared.changed, "dry_run",
			  options->dry_run, "export", import->export ? certdir_export_name(import->export) : NULL,
			  "taken", import->taken, "ignored", ignored));
}

static int print_result(const struct import *import, size_t devices)
{
	const struct certdir_cli_options *options = import->options;

	if (options->json) {
		print_json(import, devices);
		return 0;
	}
	print_names(import);
	printf("%zu devices (before: %zu) in %s: %zu added, %zu removed, %zu changed%s\n", devices, import->before,
	       options->list, import->compared.added, import->compared.lost, import->compared.changed,
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
	return EXIT_SHRUNK;
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

	import->writer = (options->dry_run ? certdir_list_write_private
					   : certdir_list_write_begin)(options->list, options->replace, error);
	if (!import->writer)
		return false;
	count_before(import);
	return certdir_list_write_source(import->writer, options->source, options->tenant, import->now, error) &&
	       (import->good_for < 0 || certdir_list_write_good_for(import->writer, import->good_for, error));
}

static int end(struct import *import, struct certdir_error *error)
{
	const struct certdir_cli_options *options = import->options;
	const size_t devices = import->record + (options->replace ? 0 : import->before - import->before_source);
	struct certdir_list_writer *writer = import->writer;

	if (options->dry_run) {
		if (!certdir_list_write_changes(writer, import->now, print_change, import, error))
			return EX_CANTCREAT;
	} else {
		import->writer = NULL;
		if (!certdir_list_write_publish(writer, error))
			return EX_CANTCREAT;
		warn_about(options);
	}
	return print_result(import, devices);
}

static int import_text(struct import *import, const char *text, size_t length)
{
	struct certdir_error error;
	int status = EX_CANTCREAT;

	if (begin(import, &error)) {
		status = EX_NOINPUT;
		if ((is_csv(import->options, text) ? import_csv : import_json)(import, text, length, &error))
			status = compare(import, &error);
		if (status == 0)
			status = end(import, &error);
	}
	certdir_list_write_abort(import->writer);
	if (status != 0)
		fprintf(stderr, "certdir: %s; nothing was changed\n", error.text);
	return status;
}

int certdir_cli_list_import(const struct certdir_cli_options *options)
{
	struct certdir_cli_options given = *options;
	struct import import = {.options = &given, .now = (int64_t)time(NULL), .good_for = -1};
	struct certdir_error error;
	int status = EX_NOINPUT;
	size_t length;
	char *text;

	if (!given.source)
		given.source = "import";
	if (options->good_for &&
	    (!certdir_duration_parse(options->good_for, &import.good_for) || import.good_for > DECADE)) {
		fprintf(stderr,
			"certdir: --good-for %s: this is how long the devices stay fresh, as 30d or 12h, up to 3650d; "
			"0 ends it\n",
			options->good_for);
		return EX_USAGE;
	}
	text = certdir_input_read(options->operands[0], &length, &error);
	import.ignored = json_object();
	import.taken = json_object();
	if (!text)
		fprintf(stderr, "certdir: %s\n", error.text);
	else if (!import.ignored || !import.taken)
		fprintf(stderr, "certdir: out of memory\n");
	else
		status = import_text(&import, text, length);
	json_decref(import.ignored);
	json_decref(import.taken);
	free(text);
	return status;
}
