/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sessions/order.h"

#include <stdlib.h>
#include <string.h>

const char *certdir_session_attribute(enum certdir_session_field field)
{
	static const char *const names[CERTDIR_SESSION_FIELDS] = {
		"Acct-Session-Id", "Acct-Multi-Session-Id", "Calling-Station-Id", "User-Name",
		"NAS-Identifier",  "NAS-IP-Address",	    "NAS-IPv6-Address",	  "NAS-Port",
		"NAS-Port-Id",	   "Called-Station-Id",	    "Framed-IP-Address",  "Framed-IPv6-Address",
		"Class",
	};

	return field < CERTDIR_SESSION_FIELDS ? names[field] : "-";
}

const char *certdir_session_state_name(enum certdir_session_state state)
{
	static const char *const names[CERTDIR_SESSION_STATES] = {"running",	"to-change", "held",
								  "wanted-out", "refused",   "ended"};

	return state < CERTDIR_SESSION_STATES ? names[state] : "-";
}

const char *certdir_order_outcome_name(enum certdir_order_outcome outcome)
{
	static const char *const names[CERTDIR_ORDER_OUTCOMES] = {"done", "gone", "unsupported", "refused", "silent"};

	return outcome < CERTDIR_ORDER_OUTCOMES ? names[outcome] : "-";
}

struct certdir_session *certdir_session_copy(const struct certdir_session *session)
{
	struct certdir_session *copy;
	size_t size = sizeof(*copy);
	char *end;

	for (unsigned i = 0; i < CERTDIR_SESSION_FIELDS; i++)
		size += session->text[i] ? strlen(session->text[i]) + 1 : 0;
	copy = malloc(size);
	if (!copy)
		return NULL;
	*copy = *session;
	end = (char *)(copy + 1);
	for (unsigned i = 0; i < CERTDIR_SESSION_FIELDS; i++) {
		if (!session->text[i])
			continue;
		copy->text[i] = end;
		end = stpcpy(end, session->text[i]) + 1;
	}
	return copy;
}
