/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A decision as a line of the journal, certdir-journal(5): all that was known, so that `certdir replay` can decide it anew. */
#ifndef CERTDIR_DECISION_JSON_H
#define CERTDIR_DECISION_JSON_H

#include "checker.h"

enum { CERTDIR_JOURNAL_VERSION = 1 };

/* What is known of a login beside what was decided. Texts are borrowed bytes that others chose; NULL or "" = not known. */
struct certdir_told {
	int64_t at; /* microseconds since 1970 */
	int64_t took; /* microseconds */
	const char *module; /* the instance */
	bool observe;
	const char *user_name;
	size_t user_name_length;
	const char *station, *called_station, *ssid, *session;
	const char *client; /* the address that the request came from */
	const char *nas, *nas_address; /* NAS-Identifier; NAS-IP-Address or NAS-IPv6-Address */
	const char *port_id;
	int64_t port; /* -1 = not known */
	const unsigned char *der; /* the certificate, or NULL */
	size_t der_length;
};

/* The whole line with its line feed, *length bytes; the caller frees it. NULL when memory is out. */
char *certdir_decision_json(const struct certdir_check *check, const struct certdir_told *told, size_t *length);

#endif
