/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of devices that an administrator hands in: JSON or CSV, of Graph, PowerShell, our own or another product's export. */
#ifndef CERTDIR_IMPORT_DEVICES_H
#define CERTDIR_IMPORT_DEVICES_H

#include "import/device_json.h"
#include "import/export.h"

/* A file that is being read. The first part says what is wanted, the second is what came of it; certdir_devices_file_clear() frees that. */
struct certdir_devices_file {
	const char *name;
	const char *format; /* "csv" or "json"; NULL: as the name ends, or the text begins */
	/* Takes a device; false with `error` ends the reading. `record` does not live on. */
	bool (*take)(void *context, const struct certdir_device_record *record, struct certdir_error *error);
	void *context;

	const struct certdir_export *export; /* whose file it is; NULL: the names are ours */
	json_t *taken; /* of an export: columns -> the properties that they are taken as */
	json_t *ignored; /* names of columns and properties that say nothing here, as keys */
	size_t record; /* the one being read, counted from 1; at the end, how many there are */
	bool says_enabled; /* some of it says who is enabled */
};

/* Reads `text`, which is all of it. False with `error`, which names the file and where in it; nothing of it is to be used then. */
bool certdir_devices_read(struct certdir_devices_file *file, const char *text, size_t length,
			  struct certdir_error *error);
void certdir_devices_file_clear(struct certdir_devices_file *file);

#endif
