/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of one or a few devices, and a section that reads them. */
#ifndef WANTED_FIXTURE_H
#define WANTED_FIXTURE_H

#include "list/writer.h"
#include "list_fixture.h"
#include "placeholders/wanted.h"

enum { NOW = 2000000000, DAY = 86400 };

extern struct certdir_template spns[3], dns_host_name[1], description[1];

/* A section with this template of the name. */
struct certdir_placeholders_config make_config(const char *name);

/* A list with one source "a", in the place of the one before. */
struct certdir_list_writer *wanted_begin(const char *tenant);

void wanted_add(struct certdir_list_writer *writer, struct certdir_device device);
void wanted_source(struct certdir_list_writer *writer, const char *name, const char *tenant);

void wanted_list_read(const struct certdir_placeholders_config *config, const char *domain, struct certdir_arena *arena,
		      struct certdir_wanted_list *wanted);

#endif
