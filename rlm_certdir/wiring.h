/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether logins reach certdir at all: the way from a network device's request to the virtual server that calls certdir,
 * as the configuration has it. Module and CLI walk it alike. What is forgotten there lets strangers in without a word.
 */
#ifndef CERTDIR_WIRING_H
#define CERTDIR_WIRING_H

#include "base/certdir.h"

/* Something about the configuration that its administrator has to know. */
struct certdir_finding {
	bool error; /* strangers get in, or no device does; else a warning */
	const char *file; /* borrowed from the configuration */
	int line;
	char text[CERTDIR_TEXT_MAX]; /* what is wrong, and what to do */
};

typedef void (*certdir_finding_function)(void *context, const struct certdir_finding *finding);

struct conf_part; /* the server's CONF_SECTION */

/*
 * Walks the whole configuration, whose root is given, from `listen` and `client` over servers and eap modules to certdir, and
 * calls `tell` for each finding. Takes for reachable what any condition might let a request reach, and knows nothing of
 * clients that come from elsewhere (SQL).
 */
void certdir_wiring_check(struct conf_part *root, certdir_finding_function tell, void *context);

#endif
