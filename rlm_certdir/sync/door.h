/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket beside the list: a thread takes lines of whoever connects, has them answered, and keeps nobody waiting for anybody. */
#ifndef CERTDIR_SYNC_DOOR_H
#define CERTDIR_SYNC_DOOR_H

#include <stdatomic.h>

#include "sync/config.h"

struct certdir_asked;
struct certdir_door;

/*
 * hurry is set, and main_event written, when somebody who may asks for a round. NULL with `error`: the socket cannot be had. list is copied.
 */
struct certdir_door *certdir_door_open(const char *list, int main_event, atomic_int *hurry,
				       struct certdir_error *error);
/* Whom it has questions answered by. */
struct certdir_asked *certdir_door_asked(struct certdir_door *door);
void certdir_door_close(struct certdir_door *door);

#endif
