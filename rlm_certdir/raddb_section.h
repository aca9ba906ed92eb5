/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A section of raddb as a whole: known names, each of them once, numbers that are numbers. What is wrong is logged with its place. */
#ifndef CERTDIR_RADDB_SECTION_H
#define CERTDIR_RADDB_SECTION_H

#include "base/certdir.h"
#include "freeradius/server.h"

/* Each subsection of a section (or NULL) that is called so; of every name when that is NULL. */
#define FOR_EACH_SECTION(_cs, _parent, _name)                                                                          \
	for (CONF_SECTION *_cs = NULL; (_cs = cf_subsection_find_next(_parent, _cs, _name));)

/* Each value of an option that may stand in a section more than once. */
#define FOR_EACH_PAIR(_pair, _cs, _name) for (CONF_PAIR *_pair = NULL; (_pair = cf_pair_find_next(_cs, _pair, _name));)

/* Everything that may stand in a section. The server's parser fills `options`; the others are read by hand. */
struct section {
	CONF_PARSER const *options;
	char const *repeated[4]; /* options that may stand there more than once */
	char const *sections[8];
};

/* What a section is called by: its second name, or the first when it has no second. */
char const *section_instance(CONF_SECTION *cs);

/* Whether `name` is in a NULL-terminated list. */
bool is_one_of(char const *const *names, char const *name);

/* Whether nothing stands in it that nobody would read. */
bool section_valid(CONF_SECTION *cs, struct section const *section);

/* Reads a valid section into `base`. */
bool section_parse(CONF_SECTION *cs, void *base, struct section const *section);

/* The same for a subsection that may be left out, in which case the defaults hold. */
bool subsection_parse(CONF_SECTION *parent, char const *name, void *base, struct section const *section);

/* The values of a repeatable option, NULL-terminated, owned by `cs`; empty values do not count. *list is NULL without any. */
bool section_strings(CONF_SECTION *cs, char const *name, char const *const **list);

/* Where an option stands, or the section when it was left out, for messages with file and line. */
CONF_ITEM *section_place(CONF_SECTION *cs, char const *name);

/* Calls `take` for each blank-separated word of `text`. */
bool section_words(CONF_ITEM *at, char const *text, bool (*take)(CONF_ITEM *at, char const *word, void *context),
		   void *context);

/* "a" or "b": *second tells which. */
bool section_choice(CONF_SECTION *cs, char const *option, char const *value, char const *a, char const *b,
		    bool *second);

#endif
