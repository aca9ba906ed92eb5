/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table of names that are found by what a directory takes for the same (fold.h). For plan/ alone. */
#ifndef CERTDIR_PLAN_NAMES_H
#define CERTDIR_PLAN_NAMES_H

#include "plan/input.h"

struct certdir_plan_pair;

/* One name and whose it is. Texts are borrowed. */
struct certdir_plan_name {
	unsigned space; /* names of two spaces are never the same */
	const char *bytes;
	size_t length;
	struct certdir_plan_pair *pair; /* NULL: of a foreign entry */
	const struct certdir_account *account; /* of that entry, or of the pair where it counts */
	struct certdir_plan_name *next; /* of the same name, in the order in which they were added */
	size_t count; /* of the first: how many they are */
	/* the rest is the table's own */
	struct certdir_plan_name *last; /* of the first of a name: the last of it */
	struct certdir_plan_name *neighbour; /* another name in the same place of the table */
	struct certdir_ldap_bytes key; /* what is compared (certdir_fold_key()) */
	uint64_t hash;
};

/* Empty with an arena and how to compare; all memory is the arena's, whose `failed` tells that some could not be had. */
struct certdir_plan_names {
	struct certdir_arena *arena;
	enum certdir_accents accents;
	struct certdir_plan_name **places;
	size_t size; /* of `places`, a power of two */
	size_t count; /* of different names */
};

/* Adds a name, behind those that are the same; its bytes are borrowed. */
void certdir_plan_names_add(struct certdir_plan_names *names, struct certdir_plan_name name);
/* The first of this name, the others follow by `next`; or NULL. */
const struct certdir_plan_name *certdir_plan_names_find(const struct certdir_plan_names *names, unsigned space,
							const char *bytes, size_t length);

#endif
