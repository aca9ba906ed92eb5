/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over a CSV file as `certdir list import` reads it: rows, whose export it is, and the device of each row. A field that is
 * printed is read back as it was, and so is a device.
 */
#include "holds.h"
#include "import/csv.h"
#include "import/device_json.h"
#include "import/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The row printed as the only one of a file is the same row. */
static void print_and_read(const struct certdir_csv *row)
{
	struct certdir_error error;
	struct certdir_csv again;
	char *text = NULL;
	size_t length = 0;
	bool done, blank = true;
	FILE *out = open_memstream(&text, &length);

	HOLDS(out);
	for (size_t i = 0; i < row->count; i++) {
		if (i > 0)
			fputc(',', out);
		certdir_csv_print(out, row->fields[i]);
		blank &= row->fields[i][0] == '\0';
	}
	fputs("\r\n", out);
	HOLDS(fclose(out) == 0);
	certdir_csv_init(&again, text, length);
	again.separator = ','; /* a single field may hold a ";" */
	/* A row of nothing, and a first line that PowerShell's types look like, are passed over. */
	if (!blank && strncmp(row->fields[0], "#TYPE", 5) != 0) {
		HOLDS(certdir_csv_next(&again, &done, &error) && again.count == row->count);
		for (size_t i = 0; i < row->count; i++)
			HOLDS(strcmp(again.fields[i], row->fields[i]) == 0);
	}
	certdir_csv_clear(&again);
	free(text);
}

static json_t *header_of(const struct certdir_csv *csv)
{
	json_t *header = json_array();

	for (size_t i = 0; i < csv->count; i++)
		json_array_append_new(header, json_string(csv->fields[i]) ?: json_string("?"));
	return header;
}

static json_t *object_of(const struct certdir_csv *csv, const json_t *header)
{
	json_t *object = json_object();

	for (size_t i = 0; i < csv->count && i < json_array_size(header); i++) {
		json_t *value = json_string(csv->fields[i]); /* NULL: no UTF-8 */

		if (value)
			json_object_set_new(object, json_string_value(json_array_get(header, i)), value);
	}
	return object;
}

/* What was read is written, and read again: the same device. */
static void check_device(const struct certdir_device *device)
{
	json_t *first = certdir_device_json_write(device, true), *second;
	struct certdir_device_record record;
	struct certdir_error error;

	HOLDS(first);
	/* The list refuses a group of no name, so that none is ever written. */
	for (size_t i = 0; i < device->group_count; i++)
		if (!device->groups[i].id && !device->groups[i].name) {
			json_decref(first);
			return;
		}
	HOLDS(certdir_device_json_read(&record, first, NULL, &error));
	second = certdir_device_json_write(&record.device, true);
	HOLDS(json_equal(first, second));
	certdir_device_record_clear(&record);
	json_decref(first);
	json_decref(second);
}

static void read_row(const struct certdir_export *export, const json_t *row)
{
	json_t *ignored = json_object(), *translated = export ? certdir_export_read(export, row, ignored) : NULL;
	struct certdir_device_record record;
	struct certdir_error error = {.text = ""};

	if (certdir_device_json_read(&record, export ? translated : row, ignored, &error)) {
		check_device(&record.device);
		certdir_device_record_clear(&record);
	} else {
		HOLDS(error.text[0]);
	}
	json_decref(translated);
	json_decref(ignored);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const struct certdir_export *export;
	struct certdir_error error = {.text = ""};
	struct certdir_csv csv;
	json_t *header = NULL;
	bool done;

	certdir_csv_init(&csv, (const char *)data, size);
	if (certdir_csv_next(&csv, &done, &error)) {
		print_and_read(&csv);
		header = header_of(&csv);
		export = certdir_export_find(header);
		while (certdir_csv_next(&csv, &done, &error)) {
			json_t *row = object_of(&csv, header);

			print_and_read(&csv);
			read_row(export, row);
			json_decref(row);
		}
	}
	HOLDS(done != (error.text[0] != '\0'));
	json_decref(header);
	certdir_csv_clear(&csv);
	return 0;
}
