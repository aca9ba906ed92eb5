/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's file of sessions, as far as other commands look at it. */
#ifndef CERTDIR_CLI_SESSIONS_H
#define CERTDIR_CLI_SESSIONS_H

#include "sessions/session.h"

#define CERTDIR_CLI_SESSIONS_DEFAULT "/var/lib/certdir-radiusd/certdir.sessions"

/* How many sessions of the file are in each state. False with `error`: it cannot be read. */
bool certdir_cli_sessions_count(const char *filename, size_t counts[CERTDIR_SESSION_STATES],
				struct certdir_error *error);

#endif
