/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The access token of one application in one tenant: asked for when it is needed, kept until shortly before its end. */
#ifndef CERTDIR_SYNC_TOKEN_H
#define CERTDIR_SYNC_TOKEN_H

#include "sync/http.h"
#include "sync/roles.h"

struct certdir_token;

/* Reads the credentials; asks for nothing yet. All is borrowed for the life of the token. NULL with `error`. */
struct certdir_token *certdir_token_open(const struct certdir_tenant_config *config, struct certdir_http *http,
					 const struct certdir_http_limits *limits, struct certdir_error *error);
void certdir_token_close(struct certdir_token *token); /* and wipes */

/*
 * *header: "Authorization: Bearer ..", good for five minutes or more if the server gives that much; it lives until the next
 * call. ANSWERED, STOPPED, or FAILED with `error`, which never shows a secret or a token.
 */
enum certdir_http_result certdir_token_get(struct certdir_token *token, const char **header,
					   struct certdir_error *error);

/* Whether there is one that the next get would give without asking. */
bool certdir_token_is_good(const struct certdir_token *token);
/* It was refused: the next get asks for a new one. */
void certdir_token_forget(struct certdir_token *token);

/* What the token that certdir_token_get() gave last says that the application may do. */
const struct certdir_roles *certdir_token_roles(const struct certdir_token *token);

/* notAfter of the client certificate in Unix seconds, 0 = not known. */
int64_t certdir_token_credential_expires(const struct certdir_token *token);

#endif
