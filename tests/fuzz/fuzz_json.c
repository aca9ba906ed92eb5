/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over devices in JSON, as `certdir list import` reads them. What a device is decided by must survive an export and an
 * import, or two servers would decide differently.
 */
#include "holds.h"
#include "import/device_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The list refuses a group of no name, so that none is ever written. */
static bool has_nameless_group(const struct certdir_device *device)
{
	for (size_t i = 0; i < device->group_count; i++)
		if (!device->groups[i].id && !device->groups[i].name)
			return true;
	return false;
}

static void write_and_read(const struct certdir_device *device, bool flat)
{
	json_t *first = certdir_device_json_write(device, flat), *second;
	struct certdir_device_record record;
	struct certdir_error error;

	HOLDS(first);
	HOLDS(certdir_device_json_read(&record, first, NULL, &error));
	HOLDS(record.device.enabled == device->enabled && record.device.expires == device->expires);
	second = certdir_device_json_write(&record.device, flat);
	HOLDS(json_equal(first, second));
	certdir_device_record_clear(&record);
	json_decref(first);
	json_decref(second);
}

static void read_device(const json_t *object)
{
	json_t *ignored = json_object();
	struct certdir_device_record record;
	struct certdir_error error = {.text = ""};

	if (!certdir_device_json_read(&record, object, ignored, &error)) {
		HOLDS(error.text[0]);
	} else {
		if (!has_nameless_group(&record.device)) {
			write_and_read(&record.device, false);
			write_and_read(&record.device, true);
		}
		certdir_device_record_clear(&record);
	}
	json_decref(ignored);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	json_error_t where;
	json_t *root = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where), *object;
	size_t index;

	if (json_is_array(root))
		json_array_foreach(root, index, object) read_device(object);
	else if (root)
		read_device(root);
	json_decref(root);
	return 0;
}
