/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a live directory said last: for the same question a moment later, and for when it cannot answer. */
#ifndef CERTDIR_DIRECTORY_MEMORY_H
#define CERTDIR_DIRECTORY_MEMORY_H

#include "directory/directory.h"

struct certdir_memory_config {
	/* Seconds in which an answer that found something is given again without asking; 0 = never. */
	uint32_t remember;
	/* on_unavailable = stale: where the directory cannot answer, what it said last is in the answer, with its age. */
	bool when_unavailable;
	/* Microseconds that a login waits for the answer to another login's search for the same values. */
	int64_t patience;
	/*
	 * How many do. More ask the directory themselves, which bounds how many workers it holds: one device that logs in again and again
	 * must not take all of them.
	 */
	unsigned waiting_max;
	/* Where the answers stand over a restart, or NULL; used with `when_unavailable` alone. */
	const char *filename;
	/* Taken: whose answers they are. What makes an answer another one must make this text another one. */
	char *origin;
};

/*
 * A directory that asks `live`, which it owns, also when this fails. Searches for the same values at the same time are one search. An
 * answer out of the memory has sources with a time (synced), and is CERTDIR_ANSWERED while it is younger than `remember`; an older one
 * is CERTDIR_ANSWER_UNAVAILABLE, says why, and has records all the same. Strings of `config` are borrowed. NULL with `error`.
 */
struct certdir_directory *certdir_memory_open(struct certdir_directory *live,
					      const struct certdir_memory_config *config, struct certdir_error *error);

#endif
