/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "identity/rank.h"
#include "identity/windows_name.h"

/* Whether the number would be a negative one if no zero byte stood before it. */
static bool has_zero(const char *serial)
{
	return strlen(serial) >= 2 && strchr("89ABCDEF", serial[0]);
}

bool certdir_mapping_issuer_serial(const struct certdir_certificate *certificate, bool zero, char **mapping)
{
	size_t digits = strlen(certificate->serial);
	char *issuer, *at;

	*mapping = NULL;
	if (zero && !has_zero(certificate->serial))
		return true;
	if (!certdir_windows_name(certificate->issuer, &issuer))
		return false;
	if (!issuer)
		return true;
	*mapping = malloc(sizeof("X509:<I><SR>00") + strlen(issuer) + digits);
	if (*mapping) {
		at = stpcpy(stpcpy(stpcpy(*mapping, "X509:<I>"), issuer), "<SR>");
		for (; digits >= 2; digits -= 2) {
			*at++ = certificate->serial[digits - 2];
			*at++ = certificate->serial[digits - 1];
		}
		(void)stpcpy(at, zero ? "00" : "");
	}
	free(issuer);
	return *mapping;
}

static bool join(const char *form, const char *hex, char **mapping)
{
	*mapping = NULL;
	if (!hex)
		return true;
	*mapping = malloc(strlen(form) + strlen(hex) + 1);
	if (*mapping)
		(void)stpcpy(stpcpy(*mapping, form), hex);
	return *mapping;
}

bool certdir_mapping_ski(const struct certdir_certificate *certificate, char **mapping)
{
	return join("X509:<SKI>", certificate->ski, mapping);
}

bool certdir_mapping_public_key(const struct certdir_certificate *certificate, char **mapping)
{
	return join("X509:<SHA1-PUKEY>", certificate->public_key_sha1, mapping);
}

/* Takes `value`. */
static bool put(struct certdir_certificate *certificate, const char *from, char *value)
{
	if (!value)
		return true;
	if (strlen(value) > CERTDIR_VALUE_MAX) {
		free(value);
		return true;
	}
	if (!certdir_rank_room(certificate, CERTDIR_RANK_VOUCHED)) {
		free(value);
		return false;
	}
	certificate->identities[certificate->count++] = (struct certdir_identity){
		.type = CERTDIR_ID_MAPPING, .value = value, .from = from, .rank = CERTDIR_RANK_VOUCHED};
	return true;
}

bool certdir_mapping_add(struct certdir_certificate *certificate)
{
	const char *const ski = certificate->ski, *const key = certificate->public_key_sha1;
	char *mapping;

	for (int zero = 0; zero < 2; zero++)
		if (!certdir_mapping_issuer_serial(certificate, zero, &mapping) ||
		    !put(certificate, "issuer and serial", mapping))
			return false;
	if (ski && key && strcmp(ski, key) == 0 &&
	    (!certdir_mapping_ski(certificate, &mapping) || !put(certificate, "ext.ski", mapping)))
		return false;
	return certdir_mapping_public_key(certificate, &mapping) && put(certificate, "public key", mapping);
}
