/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What other products export: told by the names of the columns, and read with the meaning that these have there. An id of
 * theirs is never taken for one of ours, and their words become Graph's. Pure.
 */
#ifndef CERTDIR_IMPORT_EXPORT_H
#define CERTDIR_IMPORT_EXPORT_H

#include "base/certdir.h"

#include <jansson.h>

struct certdir_export;

/* Whose export has these columns (an array of names, compared without case), or NULL when nobody's is known to. */
const struct certdir_export *certdir_export_find(const json_t *names);

/* "Jamf Pro" */
const char *certdir_export_name(const struct certdir_export *export);

/* The property, as certdir_device_json_read() knows it, that a column is taken as; NULL: it is left. */
const char *certdir_export_takes(const struct certdir_export *export, const char *name);

/*
 * A row (names of columns -> texts) as a new object that certdir_device_json_read() takes. A value that says nothing here, such as a
 * word that is not known or a time in a local format, is left; then `left` gets a key that says which. NULL when memory is out.
 */
json_t *certdir_export_read(const struct certdir_export *export, const json_t *row, json_t *left);

#endif
