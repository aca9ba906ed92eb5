/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands do. Each prints and returns the exit code; those of sysexits.h are not repeated here. */
#ifndef CERTDIR_CLI_COMMANDS_H
#define CERTDIR_CLI_COMMANDS_H

#include "cli/options.h"

/* 0 all allowed, 1 some denied, 2 some undecided, 65 a certificate cannot be read. */
int certdir_cli_check(const struct certdir_cli_options *options);

/* All of `certdir list`: 0, 1 nothing found or not in order, 3 shrink guard, 66 no input, 73 cannot write. */
int certdir_cli_list_show(const struct certdir_cli_options *options);
int certdir_cli_list_find(const struct certdir_cli_options *options);
int certdir_cli_list_stats(const struct certdir_cli_options *options);
int certdir_cli_list_sources(const struct certdir_cli_options *options);
int certdir_cli_list_remove(const struct certdir_cli_options *options);
int certdir_cli_list_changes(const struct certdir_cli_options *options);
int certdir_cli_list_import(const struct certdir_cli_options *options);
int certdir_cli_list_export(const struct certdir_cli_options *options);
int certdir_cli_list_verify(const struct certdir_cli_options *options);

/* Those of certdir_cli_sync_exit, 78 configuration. */
int certdir_cli_sync(const struct certdir_cli_options *options);

/* Those of certdir_cli_placeholders_exit, 78 configuration. */
int certdir_cli_placeholders_plan(const struct certdir_cli_options *options);
int certdir_cli_placeholders_apply(const struct certdir_cli_options *options);
int certdir_cli_placeholders_adopt(const struct certdir_cli_options *options);
int certdir_cli_placeholders_export(const struct certdir_cli_options *options);
int certdir_cli_placeholders_undo(const struct certdir_cli_options *options);

/* 0 nothing is wrong, 1 something is, 65 unreadable answers or certificate, 66 no list or file, 69 Graph, 78 configuration. */
int certdir_cli_profiles(const struct certdir_cli_options *options);

/* 0, 1 some are held (list), none is (release), 66 no file, 69 no server reads it, 73 cannot write. */
int certdir_cli_sessions_list(const struct certdir_cli_options *options);
int certdir_cli_sessions_release(const struct certdir_cli_options *options);

/* 0, 66 no list or journal, 73 cannot write, 78 configuration. */
int certdir_cli_report(const struct certdir_cli_options *options);

/* 0 nothing changes, 1 something does, 65 no login in it can be decided, 66 no such file or unreadable, 78 configuration. */
int certdir_cli_replay(const struct certdir_cli_options *options);

/* 0, 1 somebody has to consent, 64, 65 a key file that is none of ours, 69 Entra ID or Graph refuses, 73 cannot write, 75 not yet, 78. */
int certdir_cli_setup(const struct certdir_cli_options *options);

/* 0, 1 something failed or is old, 66 no list, 78 configuration. */
int certdir_cli_status(const struct certdir_cli_options *options);

/* 0 all is right, 1 something is wrong, 2 there are warnings. */
int certdir_cli_doctor(const struct certdir_cli_options *options);

#endif
