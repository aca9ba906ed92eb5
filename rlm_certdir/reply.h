/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A decision as the server's attributes: Certdir-Decision, Certdir-Reason, and what is known of device and person. */
#ifndef CERTDIR_REPLY_H
#define CERTDIR_REPLY_H

#include "checker.h"
#include "freeradius/server.h"

/* Defines the attributes and how groups compare; in bootstrap. What fails was logged. */
bool certdir_reply_define(CONF_SECTION *cs);

/*
 * Puts the decision into control of this request and into session-state of the outermost one. Replaces what an earlier decision
 * left, so that no attribute of another device survives. observe: nobody is denied, and Certdir-Would tells who would be.
 */
void certdir_reply_put(REQUEST *request, struct certdir_check const *check, bool observe);

/* Certdir-Class, into session-state of the outermost request, after certdir_reply_put(): what the site gives its network device as Class. */
void certdir_reply_put_class(REQUEST *request, char const *text);

/* The Certdir-Decision in session-state, borrowed; NULL = none was made. *quarantine: that it would be allowed but for its compliance. */
char const *certdir_reply_decision(REQUEST *request, bool *quarantine);

#endif
