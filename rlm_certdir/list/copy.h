/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A published list on its way into a new edition: read once, verified while it is copied, never whole in memory. */
#ifndef CERTDIR_LIST_COPY_H
#define CERTDIR_LIST_COPY_H

#include "list/seal.h"

/*
 * Copies the image of the list `filename`, without its seal, to the empty file `to`; with `to` -1 it is only verified. What
 * was copied is what the seal is of. On true the caller clears `seal`. False with `error`, which says what to do: the
 * list is missing or not acceptable, or `to`, called `name`, cannot be written.
 */
bool certdir_list_copy(const char *filename, int to, const char *name, struct certdir_list_seal *seal,
		       struct certdir_error *error);

#endif
