/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A password that nobody knows. */
#ifndef CERTDIR_PLACEHOLDERS_PASSWORD_H
#define CERTDIR_PLACEHOLDERS_PASSWORD_H

#include "certdir.h"

enum { CERTDIR_PASSWORD_CHARACTERS = 60, CERTDIR_PASSWORD_SIZE = 2 * (CERTDIR_PASSWORD_CHARACTERS + 2) };

/*
 * Makes a value for unicodePwd: a random password with upper case, lower case and digits, in quotes and in UTF-16LE (MS-ADTS
 * 3.1.1.3.1.5). The caller wipes it. False with `error`: the kernel gives no randomness.
 */
bool certdir_password_make(char value[CERTDIR_PASSWORD_SIZE], struct certdir_error *error);

#endif
