/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directory that is a list file. */
#ifndef CERTDIR_DIRECTORY_LIST_H
#define CERTDIR_DIRECTORY_LIST_H

#include "directory/directory.h"

/* Every string is borrowed and must outlive the directory. NULL or "" = not set. */
struct certdir_list_config {
	const char *filename;
	const char *tenant; /* only devices of this tenant */
	uint32_t max_age; /* seconds, 0 = never stale */
	const char *const
		*public_keys; /* NULL-terminated, or NULL: files of keys, with one of which the list has to be signed */
	bool ask; /* with a watch: the certdir sync beside the file is asked for devices that it does not have */
	unsigned askers; /* how many may wait for that at a time */
	const char *const *
		groups; /* NULL-terminated, or NULL: groups that only this list can have; one that it has not is logged */
};

/*
 * Opens a list. With `watch`, a thread of its own looks for a new file once a second and swaps it in (radiusd);
 * without, it is read once (CLI). A missing or broken file is no failure: it is logged and answers say so.
 * NULL only when `tenant` is no GUID, a file of public_keys has no key, or when memory or threads are out, with `error`.
 */
struct certdir_directory *certdir_list_directory_open(const struct certdir_list_config *config, bool watch,
						      struct certdir_error *error);

struct certdir_list_snapshot;
/* The edition in use, which the caller releases; NULL when there is none. */
struct certdir_list_snapshot *certdir_list_directory_edition(struct certdir_directory *list);
/*
 * How many editions have come into use since the list was opened: who sees another number than before has something to decide again.
 * Any thread may ask.
 */
uint64_t certdir_directory_list_edition(const struct certdir_directory *list);

/*
 * The people of a list: another directory on the same editions, which is closed before it. Its answers have records of persons, whose
 * parts are as old as the tenant's users and groups. Never NULL.
 */
struct certdir_directory *certdir_list_directory_people(struct certdir_directory *list);

#endif
