/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals wait while an answer is waited for: the LDAP library takes one that comes in between for the end of the connection. */
#ifndef CERTDIR_PLACEHOLDERS_SIGNALS_H
#define CERTDIR_PLACEHOLDERS_SIGNALS_H

#include <pthread.h>
#include <signal.h>

/* Blocks all signals of this thread; certdir_signals_release() with the same `before` lets them through again. */
static inline void certdir_signals_hold(sigset_t *before)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, before);
}

static inline void certdir_signals_release(const sigset_t *before)
{
	(void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

#endif
