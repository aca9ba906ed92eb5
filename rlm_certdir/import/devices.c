/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/devices.h"

#include <string.h>
#include <strings.h>

#include "import/csv.h"

/* ---- names of columns and properties ---- */

/* Whose columns these are, and which of them are taken for what. Of an export, only accountEnabled is looked at for its spelling. */
static bool take_names(struct certdir_devices_file *file, const json_t *names, struct certdir_error *error)
{
	const json_t *item;
	size_t index;

	file->export = certdir_export_find(names);
	if (!file->export)
		return true;
	json_array_foreach((json_t *)names, index, item)
	{
		const char *name = json_string_value(item), *near, *property;

		property = certdir_export_takes(file->export, name);
		near = property ? NULL : certdir_device_json_near(name);
		if (near && strcmp(near, "accountEnabled") == 0) {
			certdir_error_set(error, "column \"%.100s\": did you mean %s? Call it so, or leave it out",
					  name, near);
			return false;
		}
		if (property)
			(void)json_object_set_new(file->taken, name, json_string(property));
		else
			(void)json_object_set_new(file->ignored, name, json_null());
	}
	return true;
}

/* The names of the first object tell for all. */
static bool take_keys(struct certdir_devices_file *file, const json_t *object, struct certdir_error *error)
{
	json_t *names = json_array(), *value;
	const char *key;
	bool ok;

	json_object_foreach((json_t *)object, key, value)(void) json_array_append_new(names, json_string(key));
	ok = take_names(file, names, error);
	json_decref(names);
	return ok;
}

/* ---- records ---- */

static bool take_device(struct certdir_devices_file *file, const json_t *object, struct certdir_error *error)
{
	struct certdir_device_record record;
	bool ok;

	if (!certdir_device_json_read(&record, object, file->ignored, error))
		return false;
	file->says_enabled |= record.says_enabled;
	ok = file->take(file->context, &record, error);
	certdir_device_record_clear(&record);
	return ok;
}

/* "FILE: record N: why" */
static bool refuse_record(const struct certdir_devices_file *file, size_t record, const struct certdir_error *why,
			  struct certdir_error *error)
{
	certdir_error_set(error, "%.150s: record %zu: %.320s", file->name, record, why->text);
	return false;
}

static bool take_record(struct certdir_devices_file *file, const json_t *object, struct certdir_error *error)
{
	json_t *translated = NULL;
	struct certdir_error why;
	bool ok;

	file->record++;
	certdir_error_set(&why, "out of memory");
	if (file->export && json_is_object(object))
		object = translated = certdir_export_read(file->export, object, file->ignored);
	ok = object && take_device(file, object, &why);
	json_decref(translated);
	return ok || refuse_record(file, file->record, &why, error);
}

/* ---- JSON ---- */

static bool read_objects(struct certdir_devices_file *file, const json_t *list, struct certdir_error *error)
{
	const json_t *object;
	size_t index;
	bool ok = take_keys(file, json_array_get(list, 0), error);

	json_array_foreach((json_t *)list, index, object) ok = ok && take_record(file, object, error);
	return ok;
}

/* [..], {"value":[..]}, or one device alone: ConvertTo-Json writes a list of one like that. */
static bool read_json(struct certdir_devices_file *file, const char *text, size_t length, struct certdir_error *error)
{
	json_error_t where;
	json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where), *list;
	bool ok = false;

	if (!root) {
		certdir_error_set(error, "%.150s: line %d, column %d: not JSON, or cut short: %.200s", file->name,
				  where.line, where.column, where.text);
		return false;
	}
	list = json_is_object(root) ? json_object_get(root, "value") : root;
	if (json_is_object(root) && json_object_get(root, "@odata.nextLink"))
		certdir_error_set(
			error,
			"%.300s is one page of several (@odata.nextLink): fetch all of them, with `-All` in PowerShell",
			file->name);
	else if (json_is_object(root) && !list)
		ok = take_keys(file, root, error) && take_record(file, root, error);
	else if (!json_is_array(list))
		certdir_error_set(error, "%.300s holds no array of devices", file->name);
	else
		ok = read_objects(file, list, error);
	json_decref(root);
	return ok;
}

/* ---- CSV ---- */

/* A row as a JSON object of texts; empty fields are not known. NULL with `error`. */
static json_t *row_object(const struct certdir_devices_file *file, const struct certdir_csv *csv, const json_t *header,
			  struct certdir_error *error)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < csv->count; i++) {
		const char *name = json_string_value(json_array_get(header, i));
		json_t *value;

		if (!*csv->fields[i] || (file->export && !json_object_get(file->taken, name)))
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
static bool check_names(struct certdir_devices_file *file, const json_t *header, struct certdir_error *error)
{
	json_t *empty = json_object(), *item;
	struct certdir_device_record record;
	size_t index;
	bool ok;

	json_array_foreach((json_t *)header, index, item)
	{
		const char *property = file->export ? certdir_export_takes(file->export, json_string_value(item))
						    : json_string_value(item);

		if (property)
			(void)json_object_set_new(empty, property, json_null());
	}
	ok = certdir_device_json_read(&record, empty, file->ignored, error);
	json_decref(empty);
	if (!ok)
		return false;
	file->says_enabled |= record.says_enabled;
	certdir_device_record_clear(&record);
	if (json_object_size(file->ignored) < json_array_size(header))
		return true;
	certdir_error_set(error, "header: none of its columns is known; write deviceId, displayName, serialNumber ..");
	return false;
}

/* Adds the name of a column, which no other has. */
static bool add_column(json_t *header, const struct certdir_csv *csv, size_t column, struct certdir_error *error)
{
	for (size_t j = 0; j < column; j++)
		if (strcasecmp(csv->fields[j], csv->fields[column]) == 0) {
			certdir_error_set(error, "header: column \"%.100s\" stands twice", csv->fields[column]);
			return false;
		}
	if (json_array_append_new(header, json_string(csv->fields[column])) == 0)
		return true;
	certdir_error_set(error, "header: column %zu is not UTF-8: save the file as UTF-8", column + 1);
	return false;
}

/* The names of the columns; NULL with `error`. */
static json_t *read_header(struct certdir_devices_file *file, struct certdir_csv *csv, struct certdir_error *error)
{
	json_t *header = json_array();
	bool done, ok = certdir_csv_next(csv, &done, error);

	if (!ok && done)
		certdir_error_set(error, "the file is empty; its first line has to name the columns");
	for (size_t i = 0; ok && i < csv->count; i++)
		ok = add_column(header, csv, i, error);
	if (ok && take_names(file, header, error) && check_names(file, header, error))
		return header;
	json_decref(header);
	return NULL;
}

static bool read_rows(struct certdir_devices_file *file, struct certdir_csv *csv, const json_t *header,
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
			object = row_object(file, csv, header, &why);
		if (!object)
			return refuse_record(file, file->record + 1, &why, error);
		ok = take_record(file, object, error);
		json_decref(object);
	}
	return ok && (done || refuse_record(file, file->record + 1, &why, error));
}

static bool read_csv(struct certdir_devices_file *file, const char *text, size_t length, struct certdir_error *error)
{
	struct certdir_error why;
	struct certdir_csv csv;
	json_t *header;
	bool ok = false;

	certdir_csv_init(&csv, text, length);
	header = read_header(file, &csv, &why);
	if (header)
		ok = read_rows(file, &csv, header, error);
	else
		certdir_error_set(error, "%.150s: %.350s", file->name, why.text);
	json_decref(header);
	certdir_csv_clear(&csv);
	return ok;
}

/* ---- the file ---- */

static bool is_csv(const struct certdir_devices_file *file, const char *text)
{
	const char *dot = strrchr(file->name, '.');

	if (file->format)
		return strcmp(file->format, "csv") == 0;
	if (dot && strcasecmp(dot, ".csv") == 0)
		return true;
	if (dot && strcasecmp(dot, ".json") == 0)
		return false;
	text += strspn(text, " \t\r\n");
	return *text != '[' && *text != '{';
}

bool certdir_devices_read(struct certdir_devices_file *file, const char *text, size_t length,
			  struct certdir_error *error)
{
	file->taken = json_object();
	file->ignored = json_object();
	if (file->taken && file->ignored)
		return is_csv(file, text) ? read_csv(file, text, length, error) : read_json(file, text, length, error);
	certdir_error_set(error, "out of memory");
	return false;
}

void certdir_devices_file_clear(struct certdir_devices_file *file)
{
	json_decref(file->taken);
	json_decref(file->ignored);
	file->taken = file->ignored = NULL;
}
