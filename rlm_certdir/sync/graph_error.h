/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Graph says when it refuses: what it means to us, and what the administrator does about it. */
#ifndef CERTDIR_SYNC_GRAPH_ERROR_H
#define CERTDIR_SYNC_GRAPH_ERROR_H

#include <jansson.h>

#include "base/certdir.h"

/* What an answer means, or, of all but BUSY and UNAUTHORIZED, what became of a request after all its attempts. */
enum certdir_graph_outcome {
	CERTDIR_GRAPH_OK,
	CERTDIR_GRAPH_RESYNC, /* the delta token is gone: 410, syncStateNotFound, resyncRequired */
	CERTDIR_GRAPH_EXPIRED_PAGE, /* Directory_ExpiredPageToken: throw the pages away and list again */
	CERTDIR_GRAPH_NOT_APPLICABLE, /* the tenant has no Intune */
	CERTDIR_GRAPH_NOT_FOUND, /* 404 */
	CERTDIR_GRAPH_EMPTY, /* 204: a relation that leads nowhere; of a listing, a failure as others */
	CERTDIR_GRAPH_STOPPED, /* limits.stop */
	CERTDIR_GRAPH_FAILED, /* everything else; `error` says what to do */
	CERTDIR_GRAPH_REFUSED, /* the same, and it is the URL that is not taken (400) */
	CERTDIR_GRAPH_DENIED, /* the same, and others may be answered: 403, or nothing but "later" up to the last attempt */
	CERTDIR_GRAPH_BUSY, /* the same request is worth another attempt, later */
	CERTDIR_GRAPH_UNAUTHORIZED /* the access token is not taken: the same with a new one is worth an attempt */
};

enum { CERTDIR_GRAPH_CODES = 4 };

/* An error body. Texts are valid UTF-8 without control characters, shortened where they end in "..". */
struct certdir_graph_error {
	char codes[CERTDIR_GRAPH_CODES][64]; /* error.code, then those of its innerErrors, as far as there are any */
	char message[160];
	char request_id[64];
};

/*
 * Reads {"error":{"code","message","innerError":{..}}} (https://learn.microsoft.com/graph/errors); an Intune message that is JSON
 * itself is replaced by what it says. What is no such body leaves all empty.
 */
void certdir_graph_error_read(struct certdir_graph_error *said, const char *body, size_t length);

/* What follows from an answer that is no 200. */
enum certdir_graph_outcome certdir_graph_error_judge(long status, const struct certdir_graph_error *said);

/* What the application lacks, as far as it is known. */
struct certdir_graph_lack {
	/* "Device.Read.All, GroupMember.Read.All": needed and not granted, or what was refused */
	const char *permissions;
	bool granted; /* what was refused is granted */
	bool managed; /* the application is a managed identity, which gets its permissions in another way */
};

/* The same in words, with what to do. host: who answered. */
void certdir_graph_error_explain(long status, const struct certdir_graph_error *said, const char *host,
				 const struct certdir_graph_lack *lack, struct certdir_error *error);

/* For errors alike: a text of JSON, shortened and fit for a terminal; `out` stays as it is when it is none. */
void certdir_graph_excerpt(char *out, size_t size, const json_t *text);
/* " code: message", as much as there is. */
void certdir_graph_quote(char *out, size_t size, const char *code, const char *message);

#endif
