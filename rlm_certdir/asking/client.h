/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking from the threads of a server, of which only some may wait, and none for somebody who does not answer. */
#ifndef CERTDIR_ASKING_CLIENT_H
#define CERTDIR_ASKING_CLIENT_H

#include "asking/line.h"

enum {
	CERTDIR_ASKING_WAIT = 2000000, /* microseconds that one waits at most */
	CERTDIR_ASKING_REST = 10000000 /* microseconds for which nobody is asked after two failures in a row */
};

struct certdir_asker;

/* list: whose certdir sync is asked, borrowed. most: how many may wait at a time. NULL: memory is out. */
struct certdir_asker *certdir_asker_open(const char *list, unsigned most);
void certdir_asker_close(struct certdir_asker *asker);

/*
 * NONE: it could not be asked, too many are waiting, or it has not answered lately, which is logged once. After a rest, one asks
 * for all whether it is back. Thread-safe.
 */
enum certdir_reply certdir_asker_ask(struct certdir_asker *asker, const struct certdir_question *question);

#endif
