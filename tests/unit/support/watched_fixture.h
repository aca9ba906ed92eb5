/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list as a directory, and what it logs: kept, so that tests can wait for a line and count it. */
#ifndef WATCHED_FIXTURE_H
#define WATCHED_FIXTURE_H

#include "list_fixture.h"
#include "directory/list.h"

enum { DEVICES = 200, DEADLINE = 20 /* seconds */ };

double seconds_now(void); /* by CLOCK_MONOTONIC, in seconds */
void pause_briefly(void);

extern char log_text[65536];
int log_count(const char *what);
void log_clear(void);
void wait_for_log(const char *what);

/* Fails the test where it cannot be opened. */
struct certdir_directory *open_list(const struct certdir_list_config *config, bool watch);
/* As fixture_setup(), with the log kept. */
int watched_setup(void **state);

#endif
