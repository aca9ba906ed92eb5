/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir list export`: what `certdir list import` reads back, without loss. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/failure.h"
#include "cli/list.h"
#include "cli/visible.h"
#include "import/csv.h"
#include "import/device_json.h"

struct export
{
	struct certdir_list_reader *reader;
	bool csv;
	size_t count;
	struct certdir_error error; /* what stopped it, "" = nothing */
};

static void print_row(const json_t *object)
{
	for (const char *const *column = certdir_device_json_columns; *column; column++) {
		const json_t *value = json_object_get(object, *column);

		if (column != certdir_device_json_columns)
			putchar(',');
		if (json_is_boolean(value))
			fputs(json_is_true(value) ? "true" : "false", stdout);
		else if (value)
			certdir_csv_print(stdout, json_string_value(value));
	}
	fputs("\r\n", stdout);
}

static bool export_device(void *context, int64_t row, const struct certdir_device *device,
			  const struct certdir_list_source *source)
{
	struct export *export = context;
	json_t *object = certdir_device_json_write(device, export->csv);

	(void)row;
	/* Where a source has no word for it, being there means so; among devices of others that would get lost. */
	if (object && device->enabled == CERTDIR_UNKNOWN && !source->says_enabled)
		(void)json_object_set_new(object, "accountEnabled", json_true());
	if (!object) {
		certdir_error_set(&export->error, "device \"%.100s\" cannot be exported: out of memory", device->id);
		return false;
	}
	if (export->csv) {
		print_row(object);
	} else {
		fputs(export->count ? ",\n" : "[\n", stdout);
		(void)json_dumpf(object, stdout, JSON_COMPACT);
	}
	export->count++;
	json_decref(object);
	return !ferror(stdout);
}

static void print_header(void)
{
	for (const char *const *column = certdir_device_json_columns; *column; column++)
		printf("%s%s", column == certdir_device_json_columns ? "" : ",", *column);
	fputs("\r\n", stdout);
}

int certdir_cli_list_export(const struct certdir_cli_options *options)
{
	struct export export = {.csv = options->format && strcmp(options->format, "csv") == 0};
	struct certdir_list_snapshot *snapshot;
	int status = 0;

	if (!certdir_cli_list_open(options, &snapshot, &export.reader))
		return EX_NOINPUT;
	if (export.csv) {
		certdir_cli_visible_end();
		print_header();
	}
	if (!certdir_list_each(export.reader, export_device, &export, &export.error) || export.error.text[0]) {
		status = certdir_cli_fail(EX_NOINPUT, options->list, "%s", export.error.text);
	} else if (!export.csv) {
		fputs(export.count ? "\n]\n" : "[]\n", stdout);
	}
	certdir_cli_list_close(snapshot, export.reader);
	return status;
}
