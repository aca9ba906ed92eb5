/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files that are there whole, or as they were before. */
#ifndef CERTDIR_BASE_REPLACE_H
#define CERTDIR_BASE_REPLACE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Puts `text` into the file `name`, of `mode` whatever the umask is, and of the owner and group that it had. The temporary name, NAME.new,
 * is always the same, so that what a killed run left is used again; its lock keeps two runs apart. False with errno: EWOULDBLOCK while another
 * run writes it.
 */
bool certdir_replace(const char *name, const char *text, mode_t mode);

#endif
