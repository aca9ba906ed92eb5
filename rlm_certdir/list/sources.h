/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a list says of its sources, as its writer noted it: loading does not scan a million devices. */
#ifndef CERTDIR_LIST_SOURCES_H
#define CERTDIR_LIST_SOURCES_H

#include "list/list.h"
#include "list/reader.h"

/* All zero at first. */
struct certdir_list_sources {
	struct certdir_list_source *items;
	size_t count;
	size_t devices; /* of all of them */
};

/* Reads them; certdir_list_sources_clear() frees what there is, after a failure, too. False with `error`. */
bool certdir_list_sources_read(struct certdir_list_sources *sources, struct certdir_list_reader *reader,
			       struct certdir_error *error);
void certdir_list_sources_clear(struct certdir_list_sources *sources);

/* The source in row `id` of its table, or NULL. */
const struct certdir_list_source *certdir_list_sources_find(const struct certdir_list_sources *sources, int64_t id);

#endif
