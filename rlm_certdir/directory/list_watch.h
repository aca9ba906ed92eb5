/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The edition of a list file that is in use, and the thread that looks for a new one and says what is odd about it. */
#ifndef CERTDIR_DIRECTORY_LIST_WATCH_H
#define CERTDIR_DIRECTORY_LIST_WATCH_H

#include "directory/list.h"
#include "list/list.h"

struct certdir_list_watch;

/*
 * Reads the file of `config`, and with `thread` looks for another one each second. `tenant`: config->tenant as it is canonical, "" = any;
 * borrowed as the strings of config. A file that cannot be used is logged. NULL with `error` when a key
 * cannot be read, or memory or threads are out.
 */
struct certdir_list_watch *certdir_list_watch_open(const struct certdir_list_config *config, const char *tenant,
						   bool thread, struct certdir_error *error);
void certdir_list_watch_close(struct certdir_list_watch *watch); /* NULL is allowed */

/* The edition in use, which the caller releases; NULL with `why`: none was good yet. From any thread, as all below. */
struct certdir_list_snapshot *certdir_list_watch_edition(struct certdir_list_watch *watch, struct certdir_error *why);
/* How many came into use. */
uint64_t certdir_list_watch_editions(const struct certdir_list_watch *watch);
/* Waits until the thread has looked at what is published now, a second at most. */
void certdir_list_watch_look_now(struct certdir_list_watch *watch);

#endif
