/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to Graph in the name of somebody who has signed in, or of the application itself: short answers, any method. */
#ifndef CERTDIR_SYNC_ADMIN_H
#define CERTDIR_SYNC_ADMIN_H

#include <jansson.h>

#include "sync/graph_error.h"
#include "sync/http.h"

struct certdir_admin {
	struct certdir_http *http;
	const struct certdir_http_limits *limits;
	const char *graph; /* "https://graph.microsoft.com" */
	const char *authorization; /* the header */
	bool once; /* it must not be done twice: what fails is not sent again, since it may have arrived */
};

struct certdir_admin_answer {
	long status; /* 0 = none came */
	json_t *body; /* of an answer that is good, or NULL; the caller drops it */
	struct certdir_graph_error said; /* of any other */
};

/*
 * Asks for `path` below v1.0, percent-encoded. method: PATCH, or NULL for POST with a body and GET without. body: taken; NULL = none.
 * prefer: a header of that name, or NULL. Throttling and short outages are waited for. False with `error`: anything but 2xx.
 */
bool certdir_admin_ask(const struct certdir_admin *admin, const char *method, const char *path, json_t *body,
		       const char *prefer, struct certdir_admin_answer *answer, struct certdir_error *error);

#endif
