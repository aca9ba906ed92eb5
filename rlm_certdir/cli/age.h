/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long something is ago, and when it was, for people. */
#ifndef CERTDIR_CLI_AGE_H
#define CERTDIR_CLI_AGE_H

#include "base/certdir.h"

enum { CERTDIR_CLI_AGE_SIZE = 32, CERTDIR_CLI_DATE_SIZE = 32 };

/* "90 s", "5 min", "3 h", "12 days" of seconds; less than none is "0 s". */
void certdir_cli_age(int64_t seconds, char out[CERTDIR_CLI_AGE_SIZE]);

/* ", good for 30 days" of an import's seconds; "" of 0. */
void certdir_cli_good_for(int64_t seconds, char out[CERTDIR_CLI_AGE_SIZE]);

/* "2026-11-22 10:00:00Z" of Unix seconds; returns `out`, or a text that says that there is no such date. */
const char *certdir_cli_date(int64_t seconds, char out[CERTDIR_CLI_DATE_SIZE]);

#endif
