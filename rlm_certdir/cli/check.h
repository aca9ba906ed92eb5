/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CERTDIR_CLI_CHECK_H
#define CERTDIR_CLI_CHECK_H

/* `certdir check ..`; argv[0] is "check". Returns the exit status: 0 all allowed, 1 some denied, 2 some undecided, 64, 65. */
int certdir_cli_check(int argc, char **argv);

#endif
