/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a section of a virtual server calls, by way of policies, groups of modules and other servers, as the server resolves names. */
#ifndef CERTDIR_WIRING_CALLS_H
#define CERTDIR_WIRING_CALLS_H

#include "raddb_section.h"

/* Sections of the configuration, each of them once; zeroed it is empty, and free(set.items) ends it. */
struct section_set {
	CONF_SECTION **items;
	size_t count;
};

/* True when it was not there yet. */
bool section_set_add(struct section_set *set, CONF_SECTION *cs);

/* Looks at a module or policy that is called: true ends the walk. */
typedef bool (*call_function)(void *context, CONF_SECTION *called);

/*
 * Shows `is` every module and policy that `section` of a server calls, whatever condition stands before it, and tells whether it was
 * true of one. `root` is the whole configuration.
 */
bool section_calls(CONF_SECTION *root, CONF_SECTION *server, char const *section, call_function is, void *context);

/* The same of the calls in `cs` itself that stand there without a condition and without return codes of their own. */
bool section_calls_plainly(CONF_SECTION *root, CONF_SECTION *cs, call_function is, void *context);

/* An instance of a module, and not a policy of that name. */
bool section_is_module(CONF_SECTION *cs, char const *kind);

#endif
