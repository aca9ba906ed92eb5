/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device as the guard counts it: once, however many sessions it has. Pure. */
#ifndef CERTDIR_SESSIONS_COUNTED_H
#define CERTDIR_SESSIONS_COUNTED_H

#include "sessions/session.h"

struct certdir_counted;

/*
 * The device that the session is of, by what its Class says in clear: one of those in `tree`, a balanced tree of the C library, NULL at first, or a
 * new one there. certdir_counted_give() follows. NULL when memory is out.
 */
struct certdir_counted *certdir_counted_take(void **tree, const struct certdir_session *session);
/* One session of it less: the last one takes it out of the tree and frees it. NULL is allowed. */
void certdir_counted_give(void **tree, struct certdir_counted *device);

/* Marks it, for one count, by a bit. True: it had not that mark yet since certdir_counted_mark() was called with another `count`. */
bool certdir_counted_mark(struct certdir_counted *device, uint64_t count, unsigned mark);

#endif
