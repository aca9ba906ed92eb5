/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/password.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* 64 of them, so that six random bits choose one without a bias. */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Asks for less than 256 bytes, which getrandom(2) never gives in part. */
static bool randomize(unsigned char bytes[CERTDIR_PASSWORD_CHARACTERS])
{
	ssize_t got;

	do
		got = getrandom(bytes, CERTDIR_PASSWORD_CHARACTERS, 0);
	while (got < 0 && errno == EINTR);
	return got == CERTDIR_PASSWORD_CHARACTERS;
}

/* What the domain's password policy asks for may be three kinds of characters of four. */
static bool is_complex(const unsigned char bytes[CERTDIR_PASSWORD_CHARACTERS])
{
	bool upper = false, lower = false, digit = false;

	for (size_t i = 0; i < CERTDIR_PASSWORD_CHARACTERS; i++) {
		const unsigned at = bytes[i] & 63;

		upper |= at < 26;
		lower |= at >= 26 && at < 52;
		digit |= at >= 52 && at < 62;
	}
	return upper && lower && digit;
}

bool certdir_password_make(char value[CERTDIR_PASSWORD_SIZE], struct certdir_error *error)
{
	unsigned char bytes[CERTDIR_PASSWORD_CHARACTERS];

	do {
		if (!randomize(bytes)) {
			certdir_error_set(error, "the kernel gives no random numbers (getrandom): %s", strerror(errno));
			return false;
		}
	} while (!is_complex(bytes));
	memset(value, 0, CERTDIR_PASSWORD_SIZE);
	value[0] = value[CERTDIR_PASSWORD_SIZE - 2] = '"';
	for (size_t i = 0; i < CERTDIR_PASSWORD_CHARACTERS; i++)
		value[2 * (i + 1)] = alphabet[bytes[i] & 63];
	explicit_bzero(bytes, sizeof(bytes));
	return true;
}

enum certdir_ldap_status certdir_password_send(struct certdir_ldap_connection *connection,
					       const struct certdir_ldap_operation *operation, int *id,
					       struct certdir_error *error)
{
	char password[CERTDIR_PASSWORD_SIZE];
	const struct certdir_ldap_bytes bytes = {password, sizeof(password)};
	struct certdir_ldap_change *changes = calloc(operation->count + 1, sizeof(*changes));
	struct certdir_ldap_operation with = *operation;
	enum certdir_ldap_status status = CERTDIR_LDAP_FAILED;

	if (!changes) {
		certdir_error_set(error, "out of memory");
		return status;
	}
	memcpy(changes, operation->changes, operation->count * sizeof(*changes));
	changes[operation->count] = (struct certdir_ldap_change){.attribute = "unicodePwd", .added = {&bytes, 1}};
	with.changes = changes;
	with.count++;
	if (certdir_password_make(password, error))
		status = certdir_ldap_send(connection, &with, id, error);
	explicit_bzero(password, sizeof(password));
	free(changes);
	return status;
}
