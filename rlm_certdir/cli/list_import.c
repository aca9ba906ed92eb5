/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir list import`: a file of devices becomes a source of the list. Nothing is published before all of it was good. */
#include "import/csv.h"
#include "import/device_json.h"
#include "import/input.h"
#include "cli/list.h"
#include "conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <time.h>

enum { DECADE = 3650 * 86400 }; /* seconds */
enum { EXIT_SHRUNK = 3 }; /* the same as that of `certdir sync` */

struct import {
	const struct certdir_cli_list_options *options;
	struct certdir_list_writer *writer;
	json_t *ignored; /* names of properties, as keys */
	size_t record; /* the one being read, counted from 1 */
	size_t before, before_source;
	int64_t good_for; /* -1 = not given */
	size_t lost; /* devices that the source had and that are not in the file */
};

/* ---- records ---- */

static bool import_record(struct import *import, const json_t *object, struct certdir_error *error)
{
	struct certdir_device_record record;
	struct certdir_error why;
	bool ok;

	import->record++;
	ok = certdir_device_json_read(&record, object, import->ignored, &why);
	if (ok) {
		if (record.warning.text[0])
			fprintf(stderr, "certdir: warning: %s: record %zu: %s: the device is imported without it\n",
				import->options->operand, import->record, record.warning.text);
		ok = certdir_list_write_device(import->writer, &record.device, &why);
		certdir_device_record_clear(&record);
	}
	if (!ok)
		certdir_error_set(error, "%.150s: record %zu: %.320s", import->options->operand, import->record,
				  why.text);
	return ok;
}

/* [..], {"value":[..]}, or one device alone: ConvertTo-Json writes a list of one like that. */
static bool import_json(struct import *import, const char *text, size_t length, struct certdir_error *error)
{
	const char *file = import->options->operand;
	json_error_t where;
	json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where), *list, *object;
	bool ok = false;
	size_t index;

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
		ok = import_record(import, root, error);
	else if (!json_is_array(list))
		certdir_error_set(error, "%.300s holds no array of devices", file);
	else
		ok = true;
	if (json_is_array(list))
		json_array_foreach(list, index, object) if (!ok || !(ok = import_record(import, object, error))) break;
	json_decref(root);
	return ok;
}

/* A row as a JSON object of texts; empty fields are not known. NULL with `error`. */
static json_t *row_object(const struct certdir_csv *csv, const json_t *header, struct certdir_error *error)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < csv->count; i++) {
		const char *name = json_string_value(json_array_get(header, i));
		json_t *value;

		if (!*csv->fields[i])
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

/* The names of the columns; those that mean nothing are ignored, but not all of them may be. */
static json_t *read_header(struct import *import, struct certdir_csv *csv, struct certdir_error *error)
{
	json_t *header = json_array(), *empty = json_object();
	struct certdir_device_record record;
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
		(void)json_object_set_new(empty, csv->fields[i], json_null());
	}
	/* Reading a device of nulls tells which columns mean nothing. */
	if (!certdir_device_json_read(&record, empty, import->ignored, error))
		goto out;
	certdir_device_record_clear(&record);
	if (json_object_size(import->ignored) == csv->count) {
		certdir_error_set(error,
				  "header: none of its columns is known; write deviceId, displayName, serialNumber ..");
		goto out;
	}
	json_decref(empty);
	return header;
out:
	json_decref(empty);
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
			object = row_object(csv, header, &why);
		if (!object) {
			done = false;
			break;
		}
		ok = import_record(import, object, error);
		json_decref(object);
	}
	if (ok && !done) {
		certdir_error_set(error, "%.150s: record %zu: %.320s", import->options->operand, import->record + 1,
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
		certdir_error_set(error, "%.150s: %.350s", import->options->operand, why.text);
	json_decref(header);
	certdir_csv_clear(&csv);
	return ok;
}

static bool is_csv(const struct certdir_cli_list_options *options, const char *text)
{
	const char *dot = strrchr(options->operand, '.');

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

/* Ids that now stand in several devices, of another source for example, make each of them ambiguous: say so at once. */
static void warn_about(const struct certdir_cli_list_options *options)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error;

	if (!certdir_cli_list_open(options, &snapshot, &reader))
		return;
	if (certdir_list_verify(reader, print_warning, (void *)options->list, &error) < 0)
		fprintf(stderr, "certdir: warning: %s\n", error.text);
	certdir_cli_list_close(snapshot, reader);
}

static void print_ignored(const struct import *import)
{
	const char *separator = "", *key;
	json_t *value;

	if (json_object_size(import->ignored) == 0)
		return;
	fprintf(stderr, "certdir: %s: ignored, because nothing here looks at it: ", import->options->operand);
	json_object_foreach(import->ignored, key, value)
	{
		fprintf(stderr, "%s%s", separator, key);
		separator = ", ";
	}
	fputc('\n', stderr);
}

static int print_result(const struct import *import, size_t devices)
{
	const struct certdir_cli_list_options *options = import->options;
	json_t *ignored, *result;
	const char *key;
	json_t *value;

	if (!options->json) {
		print_ignored(import);
		printf("%zu devices (before: %zu) in %s%s\n", devices, import->before, options->list,
		       options->dry_run ? ": nothing was published, this was a dry run" : "");
		return 0;
	}
	ignored = json_array();
	json_object_foreach(import->ignored, key, value)(void) json_array_append_new(ignored, json_string(key));
	result = json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:b,s:o}", "list", options->list, "source", options->source,
			   "devices", (json_int_t)devices, "before", (json_int_t)import->before, "imported",
			   (json_int_t)import->record, "lost", (json_int_t)import->lost, "dry_run", options->dry_run,
			   "ignored", ignored);
	if (!result || json_dumpf(result, stdout, JSON_COMPACT) != 0)
		fprintf(stderr, "certdir: the result cannot be printed\n");
	putchar('\n');
	json_decref(result);
	return 0;
}

/* A file that came short looks like one from which devices were removed: then a person has to say so. */
static int check_shrink(struct import *import, struct certdir_error *error)
{
	const struct certdir_cli_list_options *options = import->options;
	size_t before;

	if (!certdir_list_write_lost(import->writer, &before, &import->lost, error))
		return EX_CANTCREAT;
	if (options->force || certdir_list_shrink_allowed(before, import->lost, CERTDIR_LIST_SHRINK))
		return 0;
	certdir_error_set(
		error,
		"%.150s lacks %zu of the %zu devices that source \"%.80s\" has, which is more than %d %%: is it "
		"complete? If they are to go, import it with --force",
		options->operand, import->lost, before, options->source, CERTDIR_LIST_SHRINK);
	return EXIT_SHRUNK;
}

static int import_text(struct import *import, const char *text, size_t length)
{
	const struct certdir_cli_list_options *options = import->options;
	struct certdir_error error;
	size_t devices;
	int status = EX_CANTCREAT;

	import->writer = (options->dry_run ? certdir_list_write_private : certdir_list_write_begin)(
		options->list, options->replace, &error);
	if (!import->writer)
		goto out;
	count_before(import);
	if (!certdir_list_write_source(import->writer, options->source, options->tenant, (int64_t)time(NULL), &error) ||
	    (import->good_for >= 0 && !certdir_list_write_good_for(import->writer, import->good_for, &error)))
		goto out;
	status = EX_NOINPUT;
	if (!(is_csv(options, text) ? import_csv : import_json)(import, text, length, &error))
		goto out;
	status = check_shrink(import, &error);
	if (status != 0)
		goto out;
	status = EX_CANTCREAT;
	devices = import->record + (options->replace ? 0 : import->before - import->before_source);
	if (options->dry_run) {
		certdir_list_write_abort(import->writer);
		return print_result(import, devices);
	}
	if (!certdir_list_write_publish(import->writer, &error)) {
		import->writer = NULL;
		goto out;
	}
	warn_about(options);
	return print_result(import, devices);
out:
	certdir_list_write_abort(import->writer);
	fprintf(stderr, "certdir: %s; nothing was changed\n", error.text);
	return status;
}

int certdir_cli_list_import(const struct certdir_cli_list_options *options)
{
	struct import import = {.options = options, .good_for = -1};
	struct certdir_error error;
	int status = EX_NOINPUT;
	size_t length;
	char *text;

	if (options->good_for &&
	    (!certdir_duration_parse(options->good_for, &import.good_for) || import.good_for > DECADE)) {
		fprintf(stderr,
			"certdir: --good-for %s: this is how long the devices stay fresh, as 30d or 12h, up to 3650d; "
			"0 ends it\n",
			options->good_for);
		return EX_USAGE;
	}
	text = certdir_input_read(options->operand, &length, &error);
	import.ignored = json_object();
	if (!text)
		fprintf(stderr, "certdir: %s\n", error.text);
	else if (!import.ignored)
		fprintf(stderr, "certdir: out of memory\n");
	else
		status = import_text(&import, text, length);
	json_decref(import.ignored);
	free(text);
	return status;
}
