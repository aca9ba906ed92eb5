/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines into a file, by a thread of its own: who adds one never waits for the disk. */
#ifndef CERTDIR_JOURNAL_H
#define CERTDIR_JOURNAL_H

#include "base/certdir.h"

enum { CERTDIR_JOURNAL_WAITING_MAX = 16 << 20 /* bytes that wait for the disk; more are dropped, and counted */ };

struct certdir_journal;

/*
 * Starts the thread, which opens `filename` for appending (mode 0640) and makes it where it is not there. One that cannot be opened or
 * written is told in the log, once, and tried again with each line: a full disk must keep nobody from logging in. Where another file has
 * the name, or none, as after logrotate(8) has moved it, the next line goes into that. `filename` is borrowed. NULL with `error` when
 * memory or threads are out.
 */
struct certdir_journal *certdir_journal_open(const char *filename, struct certdir_error *error);

/*
 * Adds a JSON object on a line of its own, from any thread. Takes `line`, which free(3) frees; NULL stands for one that there was no memory
 * for. Lines that were lost are told in the next one that is written: its first key is "dropped", and how many.
 */
void certdir_journal_add(struct certdir_journal *journal, char *line, size_t length);

/* How many lines were lost since it was opened; from any thread. */
uint64_t certdir_journal_dropped(struct certdir_journal *journal);

/* Writes what still waits, and ends the thread. NULL is none. */
void certdir_journal_close(struct certdir_journal *journal);

#endif
