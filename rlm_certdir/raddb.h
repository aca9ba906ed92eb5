/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A `certdir { .. }` section of raddb -> a checker. Module and CLI both read their configuration here. */
#ifndef CERTDIR_RADDB_H
#define CERTDIR_RADDB_H

#include "checker.h"
#include "freeradius/server.h"
#include "raddb_sessions.h"

struct certdir_raddb {
	struct certdir_checker checker;
	bool from_attributes; /* certificate = attributes */
	char const *journal; /* file that each decision is written into, or "" */
	char const *metrics; /* file for Prometheus, or "" */
	bool observe; /* policy { mode = observe }: decides and denies nobody */
	struct certdir_raddb_sessions sessions;
};

/*
 * Reads the section and opens its directories. `watch` lets lists be reloaded when they change (the server does, the CLI
 * does not). False when something is wrong: every mistake was logged with file and line by the server's own logger.
 * What is read stays borrowed from `cs`, which must outlive `raddb`. On true, certdir_checker_clear(&raddb->checker) frees it.
 */
bool certdir_raddb_read(CONF_SECTION *cs, bool watch, struct certdir_raddb *raddb);

#endif
