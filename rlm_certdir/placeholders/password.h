/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A password that nobody knows. */
#ifndef CERTDIR_PLACEHOLDERS_PASSWORD_H
#define CERTDIR_PLACEHOLDERS_PASSWORD_H

#include "ldap/operation.h"

enum { CERTDIR_PASSWORD_CHARACTERS = 60, CERTDIR_PASSWORD_SIZE = 2 * (CERTDIR_PASSWORD_CHARACTERS + 2) };

/*
 * Makes a value for unicodePwd: a random password with upper case, lower case and digits, in quotes and in UTF-16LE (MS-ADTS
 * 3.1.1.3.1.5). The caller wipes it. False with `error`: the kernel gives no randomness.
 */
bool certdir_password_make(char value[CERTDIR_PASSWORD_SIZE], struct certdir_error *error);

/*
 * As certdir_ldap_send(), an ADD of a computer account with such a password: one without is an account that anybody may use, by an empty
 * password, or by the name in lower case where the server sets that by itself. Nobody knows it, us included once it is sent.
 */
enum certdir_ldap_status certdir_password_send(struct certdir_ldap_connection *connection,
					       const struct certdir_ldap_operation *operation, int *id,
					       struct certdir_error *error);

#endif
