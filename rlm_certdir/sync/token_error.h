/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Entra ID, or a managed identity's endpoint, says when it gives no token, and what the administrator does about it. */
#ifndef CERTDIR_SYNC_TOKEN_ERROR_H
#define CERTDIR_SYNC_TOKEN_ERROR_H

#include "sync/config.h"

/* A refusal of the token endpoint: {"error","error_description","error_codes"}. */
struct certdir_token_error {
	long code; /* 7000215 of AADSTS7000215; 0 = none */
	char error[64]; /* "invalid_client" */
	char description[160]; /* its first line, without trace and correlation ids */
};
void certdir_token_error_read(struct certdir_token_error *said, const char *body, size_t length);

/* Whether asking again may help. managed: of the managed identity endpoint, which answers 404 and 410 while it starts. */
bool certdir_token_error_transient(long status, const struct certdir_token_error *said, bool managed);
void certdir_token_error_explain(long status, const struct certdir_token_error *said,
				 const struct certdir_tenant_config *config, const char *host,
				 struct certdir_error *error);

#endif
