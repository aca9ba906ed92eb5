/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir sync`: the list fills itself. */
#ifndef CERTDIR_CLI_SYNC_H
#define CERTDIR_CLI_SYNC_H

#include "sync/config.h"

/* argv[0] is "sync". Returns the exit code: those of certdir_cli_sync_exit, 64 usage, 78 configuration. */
int certdir_cli_sync(int argc, char **argv);

/* certdir.conf and what sync reads out of it. */
struct certdir_cli_conf {
	struct certdir_conf *conf;
	struct certdir_sync_config config;
};

/* Reads `filename` whole; says on stderr what is wrong with it. On false nothing is owned. */
bool certdir_cli_conf_load(const char *filename, struct certdir_cli_conf *loaded);
void certdir_cli_conf_clear(struct certdir_cli_conf *loaded);

#endif
