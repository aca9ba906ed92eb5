/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file side of publishing: lock, copy, temporary file, seal, fsync, rename. What stands inside is the writer's. */
#ifndef CERTDIR_LIST_EDITION_H
#define CERTDIR_LIST_EDITION_H

#include "list/draft.h"

enum { CERTDIR_LIST_PATIENCE = 120 }; /* seconds that a writer waits for another one, which needs a few */

struct certdir_list_edition {
	char *filename; /* what is published, symbolic links resolved: a rename would replace the link */
	char *directory; /* where `temporary` stands, and where SQLite may put its own temporary files */
	char *temporary; /* `filename`.new.<pid>; of a private edition a file of no name soon */
	char *journal; /* `temporary`-journal, where SQLite keeps what a rollback needs */
	char *folder; /* private: the directory that both are made in, NULL when it is gone */
	bool is_private;
	int lock; /* descriptor of `filename`.lock */
	int file; /* descriptor of `temporary` */
	struct certdir_list_keys *signer; /* the private key that it is signed with, NULL = it is not; owned */
	struct certdir_list_draft draft; /* what SQLite changes, until it is in `temporary` */
	int64_t replaced; /* when that was made whose place it takes without its content, 0 = not known */
	bool goes_on; /* it begins with the published list */
};

/*
 * Takes the lock, waiting for its holder up to `patience` seconds, removes what killed writers left, makes an empty temporary file.
 * A symbolic link has to be root's or our own, or whoever can write the directory would say what root overwrites. False with
 * `error`, nothing is owned. On true the caller ends it with certdir_list_edition_publish() or certdir_list_edition_abandon().
 */
bool certdir_list_edition_begin(struct certdir_list_edition *edition, const char *filename, unsigned patience,
				struct certdir_error *error);

/*
 * The same without a lock, in a directory for temporary files: for what is only looked at. Once SQLite has opened all files,
 * certdir_list_edition_hide() takes their names away, and nothing is left of them when the process ends, however it does. Such an
 * edition can only be abandoned.
 */
bool certdir_list_edition_begin_private(struct certdir_list_edition *edition, const char *filename,
					struct certdir_error *error);
void certdir_list_edition_hide(struct certdir_list_edition *edition);

/* Whether there is a published file (or anything else of its name) that this edition will take the place of. */
bool certdir_list_edition_replaces(const struct certdir_list_edition *edition);

/*
 * It is signed with the key in the file `signing_key`, unless that is NULL: then no signed list may be published, or the servers that ask for a
 * signature would be left without one. False with `error`.
 */
bool certdir_list_edition_sign(struct certdir_list_edition *edition, const char *signing_key,
			       struct certdir_error *error);

/* Begins with nothing, and will be later than what is published, as far as that can be read. */
void certdir_list_edition_replace(struct certdir_list_edition *edition);

/* Begins with the published list; what is read of it is verified on the way. */
bool certdir_list_edition_go_on(struct certdir_list_edition *edition, struct certdir_error *error);

/*
 * Appends what changed to the file of changes; or seals all of it in the temporary file and renames that over what is published, which
 * stays beside it as `filename`.last with `filename`.last.changes, when this edition went on from it. Nothing changes the draft any more,
 * and its connection is closed. Ends the edition either way.
 */
bool certdir_list_edition_publish(struct certdir_list_edition *edition, struct certdir_error *error);
void certdir_list_edition_abandon(struct certdir_list_edition *edition);

#endif
