/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/mapping.h"

#include <stdlib.h>
#include <string.h>

/* The start of the last RDN of name[0..length): behind the last comma that no backslash escapes. */
static size_t last_rdn(const char *name, size_t length)
{
	size_t start = 0;

	for (size_t i = 0; i < length; i++) {
		if (name[i] == '\\')
			i++;
		else if (name[i] == ',')
			start = i + 1;
	}
	return start;
}

char *certdir_mapping_issuer_serial(const struct certdir_certificate *certificate)
{
	const char *issuer = certificate->issuer;
	size_t left = strlen(issuer), digits = strlen(certificate->serial);
	char *text = malloc(sizeof("X509:<I>,<SR>") + left + digits), *at = text;

	if (!text)
		return NULL;
	at = stpcpy(at, "X509:<I>");
	while (left > 0) {
		const size_t start = last_rdn(issuer, left);

		memcpy(at, issuer + start, left - start);
		at += left - start;
		left = start ? start - 1 : 0;
		if (left > 0)
			*at++ = ',';
	}
	at = stpcpy(at, "<SR>");
	for (; digits >= 2; digits -= 2) {
		*at++ = certificate->serial[digits - 2];
		*at++ = certificate->serial[digits - 1];
	}
	*at = '\0';
	return text;
}

/* Takes `value`. */
static bool add(struct certdir_certificate *certificate, const char *from, char *value)
{
	if (!value || certificate->count == CERTDIR_IDENTITIES_MAX) {
		free(value);
		return false;
	}
	if (strlen(value) > CERTDIR_VALUE_MAX) {
		free(value);
		return true;
	}
	certificate->identities[certificate->count++] =
		(struct certdir_identity){.type = CERTDIR_ID_MAPPING, .value = value, .from = from};
	return true;
}

static char *join(const char *form, const char *hex)
{
	char *text = malloc(strlen(form) + strlen(hex) + 1);

	if (text)
		(void)stpcpy(stpcpy(text, form), hex);
	return text;
}

bool certdir_mapping_add(struct certdir_certificate *certificate)
{
	return add(certificate, "issuer and serial", certdir_mapping_issuer_serial(certificate)) &&
	       (!certificate->ski || add(certificate, "ext.ski", join("X509:<SKI>", certificate->ski))) &&
	       add(certificate, "public key", join("X509:<SHA1-PUKEY>", certificate->public_key_sha1));
}
