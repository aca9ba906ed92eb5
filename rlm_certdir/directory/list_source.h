/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a source of the list is to a search: of whom it may speak, what it knows devices or people by, how old it is. Pure. */
#ifndef CERTDIR_DIRECTORY_LIST_SOURCE_H
#define CERTDIR_DIRECTORY_LIST_SOURCE_H

#include "directory/directory.h"
#include "list/list.h"

/* Whether a list that is limited to `tenant` ("" = to none) takes it: it is of that tenant, or names none and may hold some of its devices. */
bool certdir_list_source_concerns(const struct certdir_list_source *source, const char *tenant);
/* As a source of devices, and of people. Texts are borrowed from `source`. */
struct certdir_source certdir_list_source_describe(const struct certdir_list_source *source);
struct certdir_source certdir_list_source_describe_people(const struct certdir_list_source *source);

#endif
