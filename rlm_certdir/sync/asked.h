/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that a server asks for, because its list does not have them: a thread asks Graph for each, and the main thread puts what it says
 * into an edition of the list. How often is bounded whoever asks; who asks for the same shares an answer.
 */
#ifndef CERTDIR_SYNC_ASKED_H
#define CERTDIR_SYNC_ASKED_H

#include "asking/line.h"
#include "sync/config.h"

struct certdir_sync;
struct certdir_asked;

/*
 * main_event, door_event: eventfd(2), written when certdir_asked_apply() has work, and when a question is answered. NULL with `error`.
 */
struct certdir_asked *certdir_asked_open(int main_event, int door_event, struct certdir_error *error);
void certdir_asked_close(struct certdir_asked *asked);

/* Whom to ask from now on; it is borrowed as long as certdir_asked_uses() says so. */
void certdir_asked_configure(struct certdir_asked *asked, const struct certdir_sync_config *config);
bool certdir_asked_uses(struct certdir_asked *asked, const struct certdir_sync_config *config);

/* Of the door. A number to come back with, or -1 with the reply. */
int certdir_asked_enter(struct certdir_asked *asked, const struct certdir_question *question,
			enum certdir_reply *reply);
/* The reply to that number, which ends then; NONE: not yet. */
enum certdir_reply certdir_asked_look(struct certdir_asked *asked, int number);
/* Whoever asked has gone. */
void certdir_asked_leave(struct certdir_asked *asked, int number);

/* Of the main thread: publishes what has come, and answers. */
void certdir_asked_apply(struct certdir_asked *asked, struct certdir_sync *sync);

#endif
