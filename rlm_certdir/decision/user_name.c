/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does the outer User-Name, which the supplicant is free to choose, name the device of the certificate? */
#include <string.h>
#include <strings.h>

#include "decision/decision.h"

struct span {
	const char *at;
	size_t length;
};

static bool equal(struct span a, const char *b, size_t length)
{
	return a.length == length && length > 0 && strncasecmp(a.at, b, length) == 0;
}

/* NPS and Windows write host/NAME, host/NAME.domain, DOMAIN\NAME$, NAME$@domain (MS-PEAP, RFC 7542 for the realm). */
static struct span bare(struct span name)
{
	const char *cut;

	if (name.length > 5 && strncasecmp(name.at, "host/", 5) == 0)
		name = (struct span){name.at + 5, name.length - 5};
	cut = memchr(name.at, '\\', name.length);
	if (cut)
		name = (struct span){cut + 1, name.length - (size_t)(cut + 1 - name.at)};
	cut = memchr(name.at, '@', name.length);
	if (cut)
		name.length = (size_t)(cut - name.at);
	if (name.length > 0 && name.at[name.length - 1] == '$')
		name.length--;
	if (name.length > 0 && name.at[name.length - 1] == '.')
		name.length--;
	return name;
}

bool certdir_user_name_matches(const struct certdir_certificate *certificate, const char *name, size_t length)
{
	const struct span whole = {name, length}, plain = bare(whole);
	const char *dot = memchr(plain.at, '.', plain.length);
	const struct span label = {plain.at, dot ? (size_t)(dot - plain.at) : plain.length};

	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];
		const size_t value = strlen(id->value);

		if (equal(whole, id->value, value) || equal(plain, id->value, value))
			return true;
		/* One side may be the fully qualified form of the other; two different domains are two names. */
		if (id->type == CERTDIR_ID_DNS && !dot && equal(plain, id->value, strcspn(id->value, ".")))
			return true;
		if (id->type == CERTDIR_ID_NAME && dot && equal(label, id->value, value))
			return true;
	}
	return false;
}
