/* SPDX-License-Identifier: GPL-2.0-or-later */
/* certdir.conf as the commands need it. */
#ifndef CERTDIR_CLI_CONF_FILE_H
#define CERTDIR_CLI_CONF_FILE_H

#include "placeholders/config.h"
#include "sync/config.h"

struct certdir_cli_conf {
	struct certdir_conf *conf;
	struct certdir_sync_config config;
	struct certdir_placeholders_configs placeholders;
};

/*
 * Reads `filename` whole; says on stderr what is wrong with it. On false nothing is owned. [placeholders ..] are read for those who
 * ask: a mistake in them is no reason not to sync.
 */
bool certdir_cli_conf_load(const char *filename, bool placeholders, struct certdir_cli_conf *loaded);
void certdir_cli_conf_clear(struct certdir_cli_conf *loaded);

#endif
