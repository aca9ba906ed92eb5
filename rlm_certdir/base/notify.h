/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a service that stays tells systemd: sd_notify(3), by the protocol that its page documents. */
#ifndef CERTDIR_NOTIFY_H
#define CERTDIR_NOTIFY_H

#include "base/certdir.h"

/*
 * Sends "READY=1", "STATUS=.." or several lines of the kind to the socket that $NOTIFY_SOCKET names; an abstract one begins with @.
 * Nothing when there is none, and nobody waits or fails when nobody takes it.
 */
void certdir_notify(const char *lines);
/* The same with one line made of a format, in which control characters have become question marks. */
void certdir_notify_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Microseconds within which this process has to say WATCHDOG=1 again and again, as $WATCHDOG_USEC and $WATCHDOG_PID tell; 0 = nobody
 * watches it.
 */
int64_t certdir_notify_watchdog(void);

#endif
