/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir placeholders`: entries in a directory for the devices of the list. */
#ifndef CERTDIR_CLI_PLACEHOLDERS_H
#define CERTDIR_CLI_PLACEHOLDERS_H

/* argv[0] is "placeholders". Returns the exit code: those of certdir_cli_placeholders_exit, 64 usage, 78 configuration. */
int certdir_cli_placeholders(int argc, char **argv);

#endif
