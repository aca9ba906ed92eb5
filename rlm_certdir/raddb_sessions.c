/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "raddb_sessions.h"

#include <talloc.h>

#include "raddb_section.h"

#define FOLDER "/var/lib/certdir-radiusd"

static CONF_PARSER const sessions_options[] = {
	{"filename", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_raddb_sessions, filename), ""},
	{"key_file", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_raddb_sessions, key_file), ""},
	{"max_sessions", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct certdir_raddb_sessions, max_sessions), "100000"},
	{"max_disconnect", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct certdir_raddb_sessions, max_disconnect), "5"},
	CONF_PARSER_TERMINATOR};

static struct section const sessions_section = {sessions_options, {NULL}, {NULL}};

static bool is_within(CONF_SECTION *cs, char const *option, uint32_t value, uint32_t most)
{
	if (value >= 1 && value <= most)
		return true;
	cf_log_err(section_place(cs, option), "%s = %u: must be a number from 1 to %u", option, value, most);
	return false;
}

bool raddb_sessions_read(CONF_SECTION *cs, struct certdir_raddb_sessions *sessions)
{
	CONF_SECTION *sub = cf_section_sub_find(cs, "sessions");

	if (!sub)
		return true;
	if (!section_parse(sub, sessions, &sessions_section) ||
	    !is_within(sub, "max_sessions", sessions->max_sessions, 1000000) ||
	    !is_within(sub, "max_disconnect", sessions->max_disconnect, 100))
		return false;
	sessions->wanted = true;
	if (!sessions->filename[0])
		sessions->filename = talloc_asprintf(sub, FOLDER "/%s.sessions", section_instance(cs));
	return true;
}
