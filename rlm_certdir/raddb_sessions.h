/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `sessions { }` of a certdir { } section: which sessions are known, where they are kept, how many may be ended at a time. */
#ifndef CERTDIR_RADDB_SESSIONS_H
#define CERTDIR_RADDB_SESSIONS_H

#include "base/certdir.h"
#include "freeradius/server.h"

/* Texts are borrowed from the configuration. */
struct certdir_raddb_sessions {
	bool wanted; /* the section is there */
	char const *filename;
	char const *key_file; /* "" = the file has a key of its own */
	uint32_t max_sessions;
	uint32_t max_disconnect; /* percent */
};

/* `cs` is the certdir { } section. False when something is wrong with it: it was logged with file and line. */
bool raddb_sessions_read(CONF_SECTION *cs, struct certdir_raddb_sessions *sessions);

#endif
