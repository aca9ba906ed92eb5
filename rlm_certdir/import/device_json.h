/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON objects that describe a device -> struct certdir_device, and back. */
#ifndef CERTDIR_IMPORT_DEVICE_JSON_H
#define CERTDIR_IMPORT_DEVICE_JSON_H

#include "base/certdir.h"

#include <jansson.h>

struct certdir_device_record {
	struct certdir_device device; /* `id` is not set */
	struct certdir_error warning; /* what was left out although it was there, "" = nothing */
	bool says_enabled; /* accountEnabled stands there, be it null: then being there does not mean that it is enabled */
};

/*
 * Reads a Graph device, an Intune managedDevice, or what certdir_device_json_write() made. Property names are compared
 * without case (PowerShell capitalises), null and "" are "not known", yes/no and times may be text, lists may be text
 * separated by "|" ("\" before a "|" or "\" that belongs to a value): so a row of CSV is such an object, too. A deviceName
 * is the device's name where there is no displayName.
 * The names of properties that mean nothing here become keys of `ignored` (may be NULL); but one that looks like one of ours is an
 * error.
 * False with `error`, which names the device, the property and its value. A displayName or serialNumber that is not fit to
 * print is left out with a `warning`: the device's user or maker chose it, and it must not keep a whole tenant out.
 * On true the caller calls certdir_device_record_clear(); on false nothing is owned.
 */
bool certdir_device_json_read(struct certdir_device_record *record, const json_t *object, json_t *ignored,
			      struct certdir_error *error);
void certdir_device_record_clear(struct certdir_device_record *record);

/* A property that certdir_device_json_read() takes, in its own spelling, whatever the case of `name`; NULL: there is none. */
const char *certdir_device_json_property(const char *name);
/* The property that a misspelt name is meant for: letters are wrong, or blanks, "_", "-" stand between them. NULL: none. */
const char *certdir_device_json_near(const char *name);

/*
 * A new object with everything that is known of a device; lists, and the extension attributes, as arrays and an object, or as one
 * text each when `flat` (for CSV). NULL when memory is out.
 */
json_t *certdir_device_json_write(const struct certdir_device *device, bool flat);

/* Takes the next value out of "a|b\|c" into *item, which the caller frees; false at the end or when memory is out. */
bool certdir_device_json_split(const char **at, char **item);
/* The reverse, of an array whose nulls are empty values: a new text, or NULL when memory is out. */
json_t *certdir_device_json_flatten(const json_t *list);

/* The properties that certdir_device_json_write() may write when `flat`, in order; NULL-terminated. */
extern const char *const certdir_device_json_columns[];

#endif
