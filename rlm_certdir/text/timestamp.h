/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points in time as files spell them. */
#ifndef CERTDIR_TIMESTAMP_H
#define CERTDIR_TIMESTAMP_H

#include "base/certdir.h"

enum { CERTDIR_TIMESTAMP_SIZE = 24 };

/*
 * ISO 8601 date and time ("2024-05-01T10:00:00.123Z", "2024-05-01", an offset; without one it is UTC) or PowerShell's
 * "/Date(1714557600000)/" to Unix seconds. Years before 1970, Graph's "0001-01-01" among them, mean none: 0. False when it
 * is neither.
 */
bool certdir_timestamp_parse(const char *text, int64_t *seconds);

/* "2024-05-01T10:00:00Z"; "@" and the number where no calendar has it. */
void certdir_timestamp_print(int64_t seconds, char out[CERTDIR_TIMESTAMP_SIZE]);
/* "2024-05-01 10:00:00Z", for people. False where no calendar has it: the caller says so in its own words. */
bool certdir_timestamp_show(int64_t seconds, char out[CERTDIR_TIMESTAMP_SIZE]);

#endif
