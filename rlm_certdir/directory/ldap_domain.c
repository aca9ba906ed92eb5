/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/ldap_domain.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "text/canonical.h"
#include "text/dn.h"

void certdir_ldap_domains_free(char **domains)
{
	for (char **domain = domains; domain && *domain; domain++)
		free(*domain);
	free(domains);
}

/* Appends to a NULL-terminated list of `count`. */
static bool add_domain(char ***domains, size_t count, const char *name)
{
	return certdir_array_next(domains, count + 1, sizeof(**domains)) && ((*domains)[count] = strdup(name));
}

static bool read_words(char ***domains, const char *words, struct certdir_error *error)
{
	static const char blanks[] = " \t\n";
	char name[CERTDIR_VALUE_MAX + 1];
	size_t count = 0;

	while (*(words += strspn(words, blanks))) {
		const size_t length = strcspn(words, blanks);

		if (!certdir_canonical(CERTDIR_ID_DNS, words, length, name)) {
			certdir_error_set(error, "ldap: domains: \"%.*s\" is not a DNS domain: write corp.example",
					  (int)length, words);
			return false;
		}
		if (!add_domain(domains, count++, name)) {
			certdir_error_set(error, "out of memory");
			return false;
		}
		words += length;
	}
	return true;
}

bool certdir_ldap_domains_make(char ***domains, const char *words, const char *base_dn, struct certdir_error *error)
{
	char name[CERTDIR_VALUE_MAX + 1];
	bool ok;

	*domains = NULL;
	ok = read_words(domains, words ? words : "", error);
	if (ok && !*domains && certdir_dn_domain(base_dn, false, name)) {
		ok = add_domain(domains, 0, name);
		if (!ok)
			certdir_error_set(error, "out of memory");
	}
	if (!ok) {
		certdir_ldap_domains_free(*domains);
		*domains = NULL;
	}
	return ok;
}

/* Behind the next comma that separates RDNs, or NULL. */
static const char *next_rdn(const char *dn)
{
	for (; *dn && *dn != ','; dn++)
		if (dn[0] == '\\' && dn[1])
			dn++;
	return *dn ? dn + 1 : NULL;
}

const char *certdir_ldap_domain_root(const char *dn)
{
	const char *root = NULL;

	for (const char *rdn = dn; rdn; rdn = next_rdn(rdn)) {
		rdn += strspn(rdn, " ");
		if (strncasecmp(rdn, "DC=", 3) != 0)
			root = NULL;
		else if (!root)
			root = rdn;
	}
	return root ? root : dn;
}
