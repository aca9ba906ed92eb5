/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One entry below the OU -> an account; for accounts.c alone. A hundred thousand of them are usual, so a value is looked at once and copied
 * once.
 */
#ifndef CERTDIR_PLACEHOLDERS_ACCOUNT_ENTRY_H
#define CERTDIR_PLACEHOLDERS_ACCOUNT_ENTRY_H

#include "placeholders/accounts.h"

enum { CERTDIR_ACCOUNT_SPELLINGS = 256, CERTDIR_ACCOUNT_FIELDS = 11 };

/* Which of a few DNs a name is: thousands of names are spelled the same way, and comparing DNs is slow. */
struct certdir_account_names {
	const char *dns[CERTDIR_TARGETS_MAX]; /* each of another entry */
	size_t count;
	struct certdir_account_spelling {
		char *bytes; /* malloc'ed; NULL = free */
		size_t length;
		uint64_t which;
	} spellings[CERTDIR_ACCOUNT_SPELLINGS]; /* by hash; the last one stays */
};

/* Accounts of malloc(3); what they point to is the arena's. */
struct certdir_account_list {
	struct certdir_account *items;
	size_t count;
};

/* What a listing is read with; configuration, domain and arena are borrowed. */
struct certdir_account_reading {
	const struct certdir_placeholders_config *config;
	const struct certdir_domain *domain;
	struct certdir_arena *arena;
	const char **attributes; /* NULL-terminated, each once */
	size_t attribute_count, attribute_last; /* the one that a value was found to be of last */
	size_t fields[CERTDIR_ACCOUNT_FIELDS]; /* which of them are read of every entry */
	size_t *columns; /* and which are the configuration's columns */
	int *attribute_of; /* for each value of the present entry: which attribute it is of */
	size_t values_room;
	struct certdir_account_names ous, groups, computers;
	struct certdir_account_list own, foreign;
	struct certdir_error error; /* "" = memory is out */
};

/* Of nothing yet. */
void certdir_account_reading_init(struct certdir_account_reading *reading,
				  const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
				  struct certdir_arena *arena);
/* Finds the attributes that are asked for, before the first listing. False: memory is out. */
bool certdir_account_reading_begin(struct certdir_account_reading *reading);
void certdir_account_reading_clear(struct certdir_account_reading *reading);

/* Whether a real computer may take over an account: elsewhere nobody joins what we make. */
bool certdir_account_can_live(const struct certdir_account_reading *reading);
/* Whether `dn` is one of the OUs. */
bool certdir_account_is_ou(const struct certdir_account_reading *reading, const char *dn);

/*
 * Puts an entry among reading->own or foreign; `context` is the reading. False with reading->error, whose text stays empty when memory is
 * out.
 */
bool certdir_account_entry_take(void *context, const struct certdir_ldap_entry *entry);

#endif
