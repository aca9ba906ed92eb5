/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers, times and answers in words, for people: each of them is said in one way by all commands. */
#ifndef CERTDIR_CLI_WORDS_H
#define CERTDIR_CLI_WORDS_H

#include "base/certdir.h"

enum { CERTDIR_CLI_AGE_SIZE = 32, CERTDIR_CLI_DATE_SIZE = 32 };

/* "90 s", "5 min", "3 h", "12 days" of seconds; less than none is "0 s". Returns `out`. */
const char *certdir_cli_age(int64_t seconds, char out[CERTDIR_CLI_AGE_SIZE]);

/* Prints "2026-11-22T10:00:00Z (5 min ago)" of Unix seconds, or "never" of 0, which stands for a time that is not known. */
void certdir_cli_print_when(int64_t seconds, int64_t now);

/* ", good for 30 days" of an import's seconds; "" of 0. Returns `out`. */
const char *certdir_cli_good_for(int64_t seconds, char out[CERTDIR_CLI_AGE_SIZE]);

/* "2026-11-22 10:00:00Z" of Unix seconds; returns `out`, or a text that says that there is no such date. */
const char *certdir_cli_date(int64_t seconds, char out[CERTDIR_CLI_DATE_SIZE]);

/* "yes", "no", or what is to be said where that is not known. */
const char *certdir_cli_yes_no(enum certdir_tristate is, const char *unknown);

/* A text, or what is to be said where there is none. */
const char *certdir_cli_text_or(const char *text, const char *none);

/* What makes a noun one of `count` things: "", or "s". */
const char *certdir_cli_plural(size_t count);

/* What a device is called for people: its name, that of Intune, or `none`. */
const char *certdir_cli_device_name(const struct certdir_device *device, const char *none);

/*
 * Whether a client certificate that expires at `expires` (Unix seconds, 0 = not known) ends so soon that somebody has to renew it. Writes
 * "in 12 days" or "3 days ago" into `when`.
 */
enum { CERTDIR_CLI_EXPIRY_SIZE = CERTDIR_CLI_AGE_SIZE + 8 };
bool certdir_cli_expires_soon(int64_t expires, int64_t now, char when[CERTDIR_CLI_EXPIRY_SIZE]);

/* What to do about one of those. `renews`: its section has `renew = yes`. */
const char *certdir_cli_expiry_advice(bool renews);

#endif
