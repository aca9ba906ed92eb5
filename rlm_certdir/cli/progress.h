/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line on the terminal that says where a long work is. There is one terminal, so there is one such line. */
#ifndef CERTDIR_CLI_PROGRESS_H
#define CERTDIR_CLI_PROGRESS_H

#include "certdir.h"

/* Shows progress when stderr is a terminal, until certdir_cli_progress_end(). Messages of the log go between. */
void certdir_cli_progress_begin(void);
/* "TOPIC: WHAT, N a second", for `objects` so far. With a new topic the last line of the former one stays. */
void certdir_cli_progress_show(const char *topic, const char *what, size_t objects);
/* Makes room for a line that somebody else prints. */
void certdir_cli_progress_clear(void);
void certdir_cli_progress_end(void);

#endif
