/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sessions/order.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

const char *certdir_session_attribute(enum certdir_session_field field)
{
	static const char *const names[CERTDIR_SESSION_ATTRIBUTES] = {
		"Acct-Session-Id", "Acct-Multi-Session-Id", "Calling-Station-Id", "User-Name",
		"NAS-Identifier",  "NAS-IP-Address",	    "NAS-IPv6-Address",	  "NAS-Port",
		"NAS-Port-Id",	   "Called-Station-Id",	    "Framed-IP-Address",  "Framed-IPv6-Address",
		"Class",
	};

	return field < CERTDIR_SESSION_ATTRIBUTES ? names[field] : "-";
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

const char *certdir_session_device(const struct certdir_session *session, size_t *length)
{
	static const char prefix[] = "certdir:";
	const char *text = session->text[CERTDIR_SESSION_CLASS];

	if (!text || strncmp(text, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	text += sizeof(prefix) - 1;
	*length = strcspn(text, ";");
	return text;
}

/* ---- addresses ---- */

static const void *address_bytes(const struct sockaddr_storage *address, size_t *length)
{
	switch (address->ss_family) {
	case AF_INET:
		*length = sizeof(struct in_addr);
		return &((const struct sockaddr_in *)address)->sin_addr;
	case AF_INET6:
		*length = sizeof(struct in6_addr);
		return &((const struct sockaddr_in6 *)address)->sin6_addr;
	default:
		*length = 0;
		return address;
	}
}

int certdir_address_compare(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	size_t length, other;
	const void *left = address_bytes(a, &length), *right = address_bytes(b, &other);

	return a->ss_family != b->ss_family ? (int)a->ss_family - (int)b->ss_family : memcmp(left, right, length);
}

const char *certdir_address_print(const struct sockaddr_storage *address, char text[CERTDIR_ADDRESS_SIZE])
{
	size_t length;
	const void *bytes = address_bytes(address, &length);

	if (length == 0 || !inet_ntop(address->ss_family, bytes, text, CERTDIR_ADDRESS_SIZE))
		text[0] = '\0';
	return text;
}

bool certdir_address_read(struct sockaddr_storage *address, const char *text)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		address->ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		address->ss_family = AF_INET6;
	else
		return false;
	return true;
}
