/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out orders (sessions/order.h): Disconnect-Request and CoA-Request of RFC 5176, each sent again as RFC 5080, 2.2.1 has it, by a
 * thread of its own. Secrets are those of the server's configuration, and of its dynamic clients.
 */
#ifndef CERTDIR_DAS_H
#define CERTDIR_DAS_H

#include "freeradius/server.h"
#include "sessions/order.h"

struct certdir_das;

/*
 * `any`: a section of the configuration, whose client { } sections say how network devices take orders. Starts the thread. NULL with an error
 * that names file and line.
 */
struct certdir_das *certdir_das_open(CONF_SECTION *any, struct certdir_error *error);
/* Whether those sections are right, and nothing else: for radiusd -C. */
bool certdir_das_check(CONF_SECTION *any, struct certdir_error *error);

/*
 * The `send` of struct certdir_order_sender; `das` is its context. From any thread. At most 100 packets a second leave, at most 64 orders
 * wait for the first word of a device, at most 8 of them for the same one, and of one that is silent a single one at a time: when that
 * ends without an answer, so do the others that wait for that device.
 */
void certdir_das_send(void *das, const struct certdir_order *order);

/* An accounting packet: the secret of its client, and which of our addresses it came to. From any worker. */
void certdir_das_heard(struct certdir_das *das, REQUEST *request);

/* Ends the thread. Orders without an answer are given up: nobody is told any more. NULL is none. */
void certdir_das_close(struct certdir_das *das);

#endif
