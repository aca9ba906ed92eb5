/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir sync`: the list fills itself. */
#ifndef CERTDIR_CLI_SYNC_H
#define CERTDIR_CLI_SYNC_H

/* argv[0] is "sync". Returns the exit code: those of certdir_cli_sync_exit, 64 usage, 78 configuration. */
int certdir_cli_sync(int argc, char **argv);

#endif
