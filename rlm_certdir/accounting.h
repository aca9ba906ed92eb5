/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's side of sessions/: its accounting packets, the checker that judges sessions again, the orders that end them. */
#ifndef CERTDIR_ACCOUNTING_H
#define CERTDIR_ACCOUNTING_H

#include "raddb.h"
#include "sessions/class.h"
#include "sessions/sessions.h"

struct certdir_accounting;

/*
 * `cs`: the certdir { } section that `raddb` was read from; both outlive it. Opens the file of sessions { }, reads the key and starts what
 * judges sessions and sends orders. NULL with `error`.
 */
struct certdir_accounting *certdir_accounting_open(CONF_SECTION *cs, struct certdir_raddb const *raddb,
						   struct certdir_error *error);
/* Whether all that it would read is right, and nothing else: for radiusd -C. */
bool certdir_accounting_check(CONF_SECTION *cs, struct certdir_raddb const *raddb, struct certdir_error *error);
void certdir_accounting_close(struct certdir_accounting *accounting); /* NULL is allowed */

/* An accounting packet: ok where it tells of a session of ours, else noop. Memory only; never fails. */
rlm_rcode_t certdir_accounting_take(struct certdir_accounting *accounting, REQUEST *request);

/* The Class of a login that was decided. False: it has none, see certdir_class_seal(). */
bool certdir_accounting_class(struct certdir_accounting const *accounting, struct certdir_check const *check,
			      char text[CERTDIR_CLASS_MAX + 1]);

/* Borrowed; for metrics. */
struct certdir_sessions *certdir_accounting_sessions(struct certdir_accounting const *accounting);

#endif
