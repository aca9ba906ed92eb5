/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's own configuration, read by the server's own parser. Nothing of FreeRADIUS shows through this header. */
#ifndef CERTDIR_CLI_RADDB_FILE_H
#define CERTDIR_CLI_RADDB_FILE_H

#include "checker.h"
#include "wiring.h"

struct raddb_file;

/*
 * Reads DIR/radiusd.conf and makes a checker of its `certdir` section, or of `certdir MODULE` when module is not NULL. Run by root, the
 * process becomes the server's user for good, as that configuration names it: what the server cannot read then counts as
 * what it is. NULL when it cannot: the mistakes were printed on stderr with file and line.
 */
struct raddb_file *raddb_file_open(const char *directory, const char *module);
const struct certdir_checker *raddb_file_checker(const struct raddb_file *file);
/* Whether that section denies nobody: policy { mode = observe }. */
bool raddb_file_observes(const struct raddb_file *file);
/* What is wrong on the way from the network to certdir; of all its instances. */
const struct certdir_finding *raddb_file_findings(const struct raddb_file *file, size_t *count);
/* Calls `each` for the TLS configurations of its eap modules: the files of the server's certificate and of the CAs, NULL where not set. */
void raddb_file_each_tls(const struct raddb_file *file,
			 void (*each)(void *context, const char *certificate_file, const char *ca_file), void *context);
void raddb_file_close(struct raddb_file *file);

#endif
