/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's own configuration, read by the server's own parser. Nothing of FreeRADIUS shows through this header. */
#ifndef CERTDIR_CLI_RADDB_FILE_H
#define CERTDIR_CLI_RADDB_FILE_H

#include "checker.h"

struct raddb_file;

/*
 * Reads DIR/radiusd.conf and makes a checker of its `certdir` section, or of `certdir MODULE` when module is not NULL.
 * NULL when it cannot: the mistakes were printed on stderr with file and line.
 */
struct raddb_file *raddb_file_open(const char *directory, const char *module);
const struct certdir_checker *raddb_file_checker(const struct raddb_file *file);
void raddb_file_close(struct raddb_file *file);

#endif
