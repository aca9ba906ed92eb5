/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device that sessions are of: the guard counts it once, however many these are; and when it was put out. Pure. */
#ifndef CERTDIR_SESSIONS_COUNTED_H
#define CERTDIR_SESSIONS_COUNTED_H

#include "sessions/session.h"

struct certdir_counted;

/*
 * The device that the session is of, by what its Class says in clear: one of those in `tree`, a balanced tree of the C library, NULL at
 * first, or a new one there. certdir_counted_give() follows. NULL when memory is out.
 */
struct certdir_counted *certdir_counted_take(void **tree, const struct certdir_session *session);
/* One session of it less: the last one takes it out of the tree and frees it. NULL is allowed. */
void certdir_counted_give(void **tree, struct certdir_counted *device);

/* Marks it, for one count, by a bit. True: it had not that mark yet since certdir_counted_mark() was called with another `count`. */
bool certdir_counted_mark(struct certdir_counted *device, uint64_t count, unsigned mark);

/*
 * A device that was put out, let in by its next login, and is denied again for the same reason: login and second judgement do not agree,
 * and the device would lose its line again and again. So it is put out again after 10 minutes, then 20, 40, 60, until everybody who can be
 * asked allows it.
 */
void certdir_counted_put_out(struct certdir_counted *device, enum certdir_reason reason, int64_t now);
void certdir_counted_agree(struct certdir_counted *device);
/* Whether it is denied for that reason for the first time: not when a login, at `issued`, let it in again after it was put out for it. */
bool certdir_counted_is_news(const struct certdir_counted *device, int64_t issued, enum certdir_reason reason);
/* When a session of it whose login was at `issued` may be put out: not before `now`. */
int64_t certdir_counted_when(const struct certdir_counted *device, int64_t issued, enum certdir_reason reason,
			     int64_t now);

#endif
