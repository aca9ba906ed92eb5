/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image of the next edition, as SQLite changes it. It begins as the published list, of which only what is needed is read and verified,
 * with the changes in memory; when there are many of them, all of it is in a file of its own.
 */
#ifndef CERTDIR_LIST_DRAFT_H
#define CERTDIR_LIST_DRAFT_H

#include "list/blocks.h"
#include "list/changes.h"
#include "list/input.h"
#include "list/vfs.h"

struct certdir_list_draft {
	struct certdir_list_input
		input; /* the published list; .file is -1 when there is none, or it is needed no more */
	bool *verified; /* for each of its chunks: it was as its seal says */
	uint64_t kept; /* bytes from its start that were not cut off since */
	struct certdir_list_changes laid; /* that were published since it was written whole */
	bool had_changes; /* there were such */
	int laid_file; /* where they are, -1 = nowhere */
	bool extensible; /* that file can be appended to */
	struct certdir_list_blocks fresh; /* changes of this edition */
	bool is_whole; /* all is in the file `whole` */
	int whole; /* borrowed; -1 = it is only read */
	const char *name; /* of it, borrowed */
	const struct certdir_list_keys
		*signer; /* the private key that the edition is signed with, NULL = it is not; borrowed */
	uint64_t size; /* bytes of the image */
	int64_t before; /* when the edition was made that it goes on from, 0 = none */
	struct certdir_error
		why; /* what SQLite cannot tell: why it could not read or write; its text is empty at first */
};

/* An empty draft in the empty file `whole`, called `name`; with -1 nothing can be written. */
void certdir_list_draft_init(struct certdir_list_draft *draft, int whole, const char *name);
/*
 * Begins it with the published list `filename` (which is borrowed) and its changes; a list that `signer` has not signed is wholly in `whole`
 * then. False with `error`, which says what to do: the
 * list is missing or not acceptable, its changes are not, or `whole` cannot be written.
 */
bool certdir_list_draft_open(struct certdir_list_draft *draft, const char *filename, struct certdir_error *error);
void certdir_list_draft_clear(struct certdir_list_draft *draft);

/* The draft for certdir_list_database_pages(), as its context. */
extern const struct certdir_list_pages certdir_list_draft_pages;

/* Whether to publish the changes alone. Else certdir_list_draft_gather() first, and then all that `whole` has. */
bool certdir_list_draft_is_small(const struct certdir_list_draft *draft);
/* Puts all of it into `whole`. False with `error`. */
bool certdir_list_draft_gather(struct certdir_list_draft *draft, struct certdir_error *error);
/* Appends the changes, as made at `made`, to `file`, which has those that are laid and nothing else. False with `error`. */
bool certdir_list_draft_write(struct certdir_list_draft *draft, int64_t made, int file, struct certdir_error *error);

#endif
