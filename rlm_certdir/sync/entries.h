/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LDAP entries in a spool, as they came: into its pages, and out of them again. */
#ifndef CERTDIR_SYNC_ENTRIES_H
#define CERTDIR_SYNC_ENTRIES_H

#include "ldap/connection.h"
#include "sync/spool.h"

enum { CERTDIR_ENTRIES_PAGE = 1000 }; /* entries of a page */

/* Entries on their way into the spool. */
struct certdir_entries {
	struct certdir_spool *spool;
	unsigned listing; /* that the pages belong to */
	size_t count; /* of the page that is being filled */
};

/* False with `error`: the spool cannot be written. */
bool certdir_entries_put(struct certdir_entries *entries, const struct certdir_ldap_entry *entry,
			 struct certdir_error *error);
/* Ends the last page, if it has any. */
bool certdir_entries_end(struct certdir_entries *entries, struct certdir_error *error);

/* Calls `each` for every entry of the pages of a listing; false from it, with `error`, ends it. False with `error`. */
bool certdir_entries_each(const struct certdir_spool *spool, unsigned listing,
			  bool (*each)(void *context, const struct certdir_ldap_entry *entry,
				       struct certdir_error *error),
			  void *context, struct certdir_error *error);

#endif
