/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line on the terminal that says where a sync is. There is one terminal, so there is one such line. */
#ifndef CERTDIR_CLI_PROGRESS_H
#define CERTDIR_CLI_PROGRESS_H

#include "sync/sync.h"

/* Shows progress when stderr is a terminal, until certdir_cli_progress_end(). Messages of the log go between. */
void certdir_cli_progress_begin(void);
/* A certdir_sync_progress. */
void certdir_cli_progress_show(void *context, const char *tenant, enum certdir_sync_part part, size_t pages,
			       size_t objects);
/* Makes room for a line that somebody else prints. */
void certdir_cli_progress_clear(void);
void certdir_cli_progress_end(void);

#endif
