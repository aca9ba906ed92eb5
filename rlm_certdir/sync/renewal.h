/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tenant's certificate that certdir setup made is replaced by a new one when a third of its life is left. At each moment the file that
 * certdir.conf names has a key that Entra ID takes; beside it stand, for a while,
 *
 *	NAME.next    the new one, until a token was got with it
 *	NAME.former  the one before, until Entra ID has forgotten it, a day later
 */
#ifndef CERTDIR_SYNC_RENEWAL_H
#define CERTDIR_SYNC_RENEWAL_H

#include <stdatomic.h>

#include "sync/config.h"

struct certdir_renewal;

/* NULL when memory is out. */
struct certdir_renewal *certdir_renewal_open(const atomic_int *stop);
/*
 * Looks, in a thread of its own, which certificates of `config` are due, and takes each a step or more further; what is done, and what is
 * in the way, is said in the log. Does nothing while the last look is under way, nor within an hour of a failure. `config` is borrowed
 * until certdir_renewal_uses() says no.
 */
void certdir_renewal_begin(struct certdir_renewal *renewal, const struct certdir_sync_config *config);
bool certdir_renewal_uses(struct certdir_renewal *renewal, const struct certdir_sync_config *config);
void certdir_renewal_close(struct certdir_renewal *renewal); /* waits for its thread */

#endif
