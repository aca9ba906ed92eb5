/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list with a file of changes beside it: editions of both, and what a reader has of them. */
#ifndef CHANGES_FIXTURE_H
#define CHANGES_FIXTURE_H

#include "list_fixture.h"
#include "list/snapshot.h"
#include "list/writer.h"

extern char changes_file[112], changes_copy[112]; /* beside fixture_file, in its directory */

/* As fixture_setup(), with the names above. */
int changes_setup(void **state);

/* Publishes the next edition, after `sql`: its number is how long the source has been synced. False with `error`. */
bool changes_try(int edition, const char *sql, struct certdir_error *error);
/* The same; the test fails where it cannot be. */
void changes_next(int edition, const char *sql);

int changes_edition_of(const struct certdir_list_snapshot *snapshot);
/* Which edition a server has that starts now, -1 = none; whether it says that something is damaged. */
int changes_start(bool *damaged);
void changes_expect_start(int edition, bool damaged);

off_t changes_size_of(const char *filename); /* -1: there is none */
/* What is published is a sound database with so many devices, in which each index has what its table has. */
void changes_check_list(size_t devices);

#endif
