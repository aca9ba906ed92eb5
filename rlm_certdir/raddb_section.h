/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A section of raddb as a whole: known names, each of them once, numbers that are numbers. What is wrong is logged with its place. */
#ifndef CERTDIR_RADDB_SECTION_H
#define CERTDIR_RADDB_SECTION_H

#include "raddb.h"

/* Everything that may stand in a section. The server's parser fills `options`; the others are read by hand. */
struct section {
	CONF_PARSER const *options;
	char const *repeated[4]; /* options that may stand there more than once */
	char const *sections[6];
};

/* Whether `name` is in a NULL-terminated list. */
bool is_one_of(char const *const *names, char const *name);

/* Whether nothing stands in it that nobody would read. */
bool section_valid(CONF_SECTION *cs, struct section const *section);

/* Reads a valid section into `base`. */
bool section_parse(CONF_SECTION *cs, void *base, struct section const *section);

/* The same for a subsection that may be left out, in which case the defaults hold. */
bool subsection_parse(CONF_SECTION *parent, char const *name, void *base, struct section const *section);

#endif
