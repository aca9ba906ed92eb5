/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table of issued certificates that an administrator hands in as a file. */
#ifndef CERTDIR_IMPORT_ISSUED_FILE_H
#define CERTDIR_IMPORT_ISSUED_FILE_H

#include "import/issued.h"

/*
 * Reads `name` ("-" is standard input): Intune's report, as CSV or as the zip that the admin center and Graph give; another CSV with a
 * column for the device's id; or certificates as import/certificates.h has them (certutil -view .. csv, PEM), whose names say which device
 * is meant where one of them is an Intune or Entra id; one whose kind the certificate does not tell stands in both places of the row. False with `error`, which names the file: it is none of these, or cut.
 */
bool certdir_issued_file_read(const char *name, certdir_issued_take take, void *context,
			      struct certdir_issued_counts *counts, struct certdir_error *error);

#endif
