/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the domain, those around it and its controllers are called: no device may have such a name. */
#include "placeholders/accounts.h"

#include <string.h>

#include "placeholders/value.h"

struct reading {
	struct certdir_arena *arena;
	struct certdir_domain *domain;
	const char *configuration; /* DN of the forest's configuration, or NULL */
};

static void add(struct reading *reading, const char *text, size_t length)
{
	struct certdir_domain_name *name = certdir_arena_alloc(reading->arena, sizeof(*name));

	if (!name)
		return;
	*name = (struct certdir_domain_name){certdir_arena_copy(reading->arena, text, length), length,
					     reading->domain->names};
	if (name->text)
		reading->domain->names = name;
}

/* "dc1.corp.example", and "dc1". */
static void add_host(struct reading *reading, const char *name)
{
	const size_t label = strcspn(name, ".");

	add(reading, name, strlen(name));
	if (name[label])
		add(reading, name, label);
}

/* A certdir_ldap_list() function: of the root DSE, or an entry of the partitions. */
static bool take_entry(void *context, const struct certdir_ldap_entry *entry)
{
	struct reading *reading = context;

	for (size_t i = 0; i < entry->count; i++) {
		const char *text = certdir_value_text(reading->arena, &entry->values[i]);

		if (!text)
			continue;
		if (certdir_value_of(&entry->values[i], "configurationNamingContext"))
			reading->configuration = text;
		else
			add_host(reading, text);
	}
	return !reading->arena->failed;
}

bool certdir_domain_names_read(struct certdir_ldap_connection *connection, struct certdir_arena *arena,
			       struct certdir_domain *domain, struct certdir_error *error)
{
	static const char *const of_root[] = {"dnsHostName", "configurationNamingContext", NULL};
	static const char *const of_partition[] = {"nETBIOSName", "dnsRoot", NULL};
	struct reading reading = {arena, domain, NULL};
	struct certdir_ldap_query listing = {
		.base = "", .scope = CERTDIR_LDAP_BASE, .filter = "(objectClass=*)", .attributes = of_root};
	enum certdir_ldap_status status;

	/* The domain and its parents. */
	for (const char *at = domain->name; at; at = strchr(at, '.') ? strchr(at, '.') + 1 : NULL)
		add(&reading, at, strlen(at));
	if (domain->name)
		add_host(&reading, domain->name);
	status = certdir_ldap_list(connection, &listing, take_entry, &reading, error);
	if (status == CERTDIR_LDAP_OK && reading.configuration) {
		listing = (struct certdir_ldap_query){
			.base = certdir_arena_print(arena, "CN=Partitions,%s", reading.configuration),
			.scope = CERTDIR_LDAP_SUBTREE,
			.filter = "(objectClass=crossRef)",
			.attributes = of_partition,
			.page = 1000};
		if (listing.base)
			status = certdir_ldap_list(connection, &listing, take_entry, &reading, error);
	}
	if (arena->failed)
		certdir_error_set(error, "out of memory");
	/* Who may not read this does with what is known; who has no connection any more does not. */
	return !arena->failed && status != CERTDIR_LDAP_LOST && status != CERTDIR_LDAP_TIMEOUT;
}
