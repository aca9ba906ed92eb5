/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socket beside the list on which a certdir sync that stays is asked. Whoever may write there could write the list itself: so both
 * sides look who the other is, and no secret is needed.
 */
#ifndef CERTDIR_ASKING_SOCKET_H
#define CERTDIR_ASKING_SOCKET_H

#include <sys/types.h>

#include "asking/line.h"

#define CERTDIR_ASKING_SUFFIX ".sock" /* behind the list's name */

/*
 * Listens beside `list`, for its owner and its group. -1 with `error`; also when another process listens there already. One that nobody
 * listens on any more is replaced. The descriptor does not block.
 */
int certdir_asking_listen(const char *list, struct certdir_error *error);
/* The end: nobody finds the socket any more. */
void certdir_asking_unlisten(int file, const char *list);
/* Who connected; false when that is not known. */
bool certdir_asking_peer(int file, uid_t *user);

/*
 * Asks whoever listens beside `list`, who has to be root or the list's owner, and waits until `deadline` (certdir_monotonic()). NONE with
 * `error` when nobody is there, it is somebody else, it takes too long, or the answer is none.
 */
enum certdir_reply certdir_asking_ask(const char *list, const struct certdir_question *question, int64_t deadline,
				      struct certdir_error *error);

#endif
