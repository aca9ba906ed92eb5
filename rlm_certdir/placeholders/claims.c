/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a value that must be unique in the domain. */
#include "placeholders/accounts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "placeholders/value.h"
#include "text/utf8.h"

#define ACCOUNT_NAME "sAMAccountName"
#define HOST_NAME "dNSHostName"

enum { CLAIMS_TOGETHER = 64, PAGE = 1000, ATTRIBUTES_MAX = 8 };

struct asking {
	struct certdir_arena *arena;
	struct certdir_claim *claims;
	size_t count;
	enum certdir_accents accents;
	const char *attributes[ATTRIBUTES_MAX + 2]; /* and one that is not asked for, and NULL */
	bool unexplained; /* the server found an entry, and we do not see by what */
};

static bool is_value(const struct asking *asking, const struct certdir_claim *claim,
		     const struct certdir_ldap_value *value)
{
	return certdir_value_of(value, claim->attribute) &&
	       certdir_fold_same(claim->value, strlen(claim->value), (const char *)value->bytes, value->length,
				 asking->accents);
}

/* Of several holders the one whose DN comes first, whatever order the server has. */
static void hold(struct certdir_claim *claim, const char *dn, const char *host)
{
	claim->holders++;
	if (claim->holder && strcmp(dn, claim->holder) >= 0)
		return;
	claim->holder = dn;
	claim->host = host;
}

static bool take_entry(void *context, const struct certdir_ldap_entry *entry)
{
	struct asking *asking = context;
	const bool clean = certdir_text_fault(entry->dn, entry->dn_length) == CERTDIR_TEXT_CLEAN;
	const char *dn =
		clean ? certdir_arena_copy(asking->arena, entry->dn, entry->dn_length) : "an entry with a broken name";
	const struct certdir_ldap_value *name = certdir_value_find(entry, HOST_NAME);
	const char *host = name ? certdir_value_text(asking->arena, name) : NULL;
	bool explained = false;

	if (!dn || asking->arena->failed)
		return false;
	for (size_t c = 0; c < asking->count; c++) {
		size_t i = 0;

		while (i < entry->count && !is_value(asking, &asking->claims[c], &entry->values[i]))
			i++;
		if (i == entry->count)
			continue;
		hold(&asking->claims[c], dn, host);
		explained = true;
	}
	if (explained && (!entry->pieces || asking->count == 1))
		return true;
	/*
	 * Servers know more characters as equal than we do, and do not show all values of an entry that has thousands. Asked for one
	 * value alone, what they find is its holder.
	 */
	if (asking->count == 1)
		hold(&asking->claims[0], dn, host);
	else
		asking->unexplained = true;
	return true;
}

/* "(|(sAMAccountName=a$)(servicePrincipalName=HOST/x))"; the caller frees it. NULL when memory is out. */
static char *filter_of(const struct asking *asking)
{
	char *filter = NULL;
	size_t size;
	FILE *out = open_memstream(&filter, &size);

	if (!out)
		return NULL;
	(void)fputs("(|", out);
	for (size_t i = 0; i < asking->count; i++) {
		const struct certdir_claim *claim = &asking->claims[i];

		certdir_filter_print(out, claim->attribute, claim->value, strlen(claim->value));
	}
	(void)fputc(')', out);
	if (fclose(out) != 0) {
		free(filter);
		return NULL;
	}
	return filter;
}

static bool ask(struct asking *asking, const char *base, struct certdir_ldap_connection *connection,
		struct certdir_error *error)
{
	struct certdir_ldap_query listing = {.base = base,
					     .scope = CERTDIR_LDAP_SUBTREE,
					     .attributes = asking->attributes,
					     .page = PAGE,
					     .pieces = true};
	char *filter = filter_of(asking);
	bool ok = false;

	for (size_t i = 0; i < asking->count; i++) {
		asking->claims[i].holder = asking->claims[i].host = NULL;
		asking->claims[i].holders = 0;
	}
	certdir_error_set(error, "out of memory");
	if (filter) {
		listing.filter = filter;
		ok = certdir_ldap_list(connection, &listing, take_entry, asking, error) == CERTDIR_LDAP_OK;
	}
	free(filter);
	return ok;
}

/* The attributes that the claims are of, each once. How many claims could be taken: all, unless there are too many attributes. */
static size_t name_attributes(struct asking *asking)
{
	size_t count = 0, i;
	bool names = false;

	for (i = 0; i < asking->count; i++) {
		size_t a = 0;

		while (a < count && strcasecmp(asking->attributes[a], asking->claims[i].attribute) != 0)
			a++;
		if (a < count)
			continue;
		if (count == ATTRIBUTES_MAX)
			break;
		asking->attributes[count++] = asking->claims[i].attribute;
		names |= strcasecmp(asking->claims[i].attribute, ACCOUNT_NAME) == 0;
	}
	if (names)
		asking->attributes[count++] = HOST_NAME;
	asking->attributes[count] = NULL;
	return i;
}

bool certdir_claims_ask(const struct certdir_domain *domain, struct certdir_ldap_connection *connection,
			struct certdir_arena *arena, struct certdir_claim *claims, size_t count,
			struct certdir_error *error)
{
	const enum certdir_accents accents = certdir_domain_accents(domain);

	for (size_t at = 0; at < count;) {
		struct asking asking = {.arena = arena, .claims = claims + at, .count = count - at, .accents = accents};

		if (asking.count > CLAIMS_TOGETHER)
			asking.count = CLAIMS_TOGETHER;
		asking.count = name_attributes(&asking);
		at += asking.count;
		if (!ask(&asking, domain->base, connection, error))
			return false;
		for (size_t i = 0; asking.unexplained && i < asking.count; i++) {
			struct asking alone = {
				.arena = arena, .claims = asking.claims + i, .count = 1, .accents = accents};

			(void)name_attributes(&alone);
			if (!ask(&alone, domain->base, connection, error))
				return false;
		}
	}
	return true;
}
