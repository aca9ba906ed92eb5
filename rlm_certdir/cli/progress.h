/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines at the end of the terminal that say where long works are. There is one terminal, so there is one such block. */
#ifndef CERTDIR_CLI_PROGRESS_H
#define CERTDIR_CLI_PROGRESS_H

#include "base/certdir.h"

/* Shows progress when stderr is a terminal, until certdir_cli_progress_end(). Messages of the log, of any thread, go above it. */
void certdir_cli_progress_begin(void);
/* "TOPIC: WHAT, N a second", for `objects` so far. With a new topic the last line of the former one stays. */
void certdir_cli_progress_show(const char *topic, const char *what, size_t objects);

/* Several works at once: draws all their lines anew, from .._lines() to .._drawn(), unless that was done a moment ago. */
bool certdir_cli_progress_lines(void);
void certdir_cli_progress_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void certdir_cli_progress_drawn(void);
/* When the lines want to be drawn again, by certdir_monotonic(); INT64_MAX when nobody sees them. */
int64_t certdir_cli_progress_next(void);

/* Makes room for a line that somebody else prints. */
void certdir_cli_progress_clear(void);
/* Takes the lines away; what comes now is shown as it is. */
void certdir_cli_progress_end(void);

#endif
