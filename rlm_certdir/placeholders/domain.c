/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server and its domain: the root DSE, the OUs, the groups (MS-ADTS 3.1.1.3.2, 3.1.1.3.4.3). */
#include "placeholders/accounts.h"

#include <stdlib.h>
#include <string.h>

#include "placeholders/value.h"
#include "text/canonical.h"
#include "text/dn.h"
#include "text/utf8.h"

#define ACTIVE_DIRECTORY "1.2.840.113556.1.4.800"

enum {
	DOMAIN_COMPUTERS = 515, /* RID, MS-DTYP 2.4.2.4 */
	CONTEXTS_MAX = 64 /* naming contexts of one server */
};
/* groupType, MS-ADTS 2.2.12 */
#define GROUP_GLOBAL UINT32_C(0x00000002)
#define GROUP_UNIVERSAL UINT32_C(0x00000008)
#define GROUP_SECURITY UINT32_C(0x80000000)

/* One reading; what the callbacks fill. */
struct reading {
	const struct certdir_placeholders_config *config;
	struct certdir_ldap_connection *connection;
	struct certdir_arena *arena;
	struct certdir_domain *domain;
	struct certdir_error *error;
	const char *contexts[CONTEXTS_MAX];
	size_t context_count;
	const char *sid; /* of the domain */
	/* the entry that was read last */
	bool found, is_group, has_type, is_protected;
	const char *dn;
	const char *entry_sid;
	uint32_t group_type;
};

static const char *uri(const struct reading *reading)
{
	return certdir_ldap_connection_uri(reading->connection);
}

/* Reads one entry, or the first that a subtree search finds. False with `error`; *not* being there is no failure: `found`. */
static bool read_one(struct reading *reading, const char *base, enum certdir_ldap_scope scope, const char *filter,
		     const char *const *attributes, bool (*each)(void *context, const struct certdir_ldap_entry *entry))
{
	const struct certdir_ldap_query listing = {
		.base = base, .scope = scope, .filter = filter, .attributes = attributes};
	enum certdir_ldap_status status;

	reading->found = reading->is_group = reading->has_type = reading->is_protected = false;
	reading->dn = reading->entry_sid = NULL;
	status = certdir_ldap_list(reading->connection, &listing, each, reading, reading->error);
	if (reading->arena->failed) {
		certdir_error_set(reading->error, "out of memory");
		return false;
	}
	return status == CERTDIR_LDAP_OK || status == CERTDIR_LDAP_NO_OBJECT;
}

static bool take_root(void *context, const struct certdir_ldap_entry *entry)
{
	struct reading *reading = context;

	reading->found = true;
	for (size_t i = 0; i < entry->count; i++) {
		const struct certdir_ldap_value *value = &entry->values[i];
		const char *text = certdir_value_text(reading->arena, value);

		if (!text)
			continue;
		if (certdir_value_of(value, "supportedCapabilities")) {
			if (strcmp(text, ACTIVE_DIRECTORY) == 0)
				reading->domain->active_directory = true;
		} else if (reading->context_count < CONTEXTS_MAX) {
			reading->contexts[reading->context_count++] = text;
		}
	}
	return !reading->arena->failed;
}

static bool read_root(struct reading *reading)
{
	static const char *const attributes[] = {"supportedCapabilities", "defaultNamingContext", "namingContexts",
						 NULL};
	struct certdir_domain *domain = reading->domain;

	if (!read_one(reading, "", CERTDIR_LDAP_BASE, "(objectClass=*)", attributes, take_root))
		return false;
	domain->version_attribute = domain->active_directory ? "uSNChanged" : "entryCSN";
	domain->id_attribute = domain->active_directory ? "objectGUID" : "entryUUID";
	return true;
}

static bool take_entry(void *context, const struct certdir_ldap_entry *entry)
{
	struct reading *reading = context;
	const struct certdir_ldap_value *sid = certdir_value_find(entry, "objectSid");
	const struct certdir_ldap_value *type = certdir_value_find(entry, "groupType");
	const struct certdir_ldap_value *protection = certdir_value_find(entry, "adminCount");
	uint32_t count;

	reading->found = true;
	if (certdir_text_fault(entry->dn, entry->dn_length) == CERTDIR_TEXT_CLEAN)
		reading->dn = certdir_arena_copy(reading->arena, entry->dn, entry->dn_length);
	if (sid)
		reading->entry_sid = certdir_value_sid(reading->arena, sid);
	if (type)
		reading->has_type = certdir_value_flags(type, &reading->group_type);
	reading->is_protected = protection && (!certdir_value_flags(protection, &count) || count > 0);
	for (size_t i = 0; i < entry->count; i++) {
		const struct certdir_ldap_value *value = &entry->values[i];

		if (certdir_value_of(value, "objectClass") && value->length == 5 &&
		    memcmp(value->bytes, "group", 5) == 0)
			reading->is_group = true;
	}
	return !reading->arena->failed;
}

static bool read_entry(struct reading *reading, const char *dn)
{
	static const char *const attributes[] = {"objectClass", "objectSid", "groupType", "adminCount", NULL};

	return read_one(reading, dn, CERTDIR_LDAP_BASE, "(objectClass=*)", attributes, take_entry);
}

/* ---- the OU ---- */

/* Says which of the names above a missing entry is there. Always false. */
static bool missing(struct reading *reading, const char *option, const char *dn, const char *kind)
{
	const char *ancestor = certdir_dn_parent(dn);

	for (; *ancestor; ancestor = certdir_dn_parent(ancestor)) {
		if (!read_entry(reading, ancestor))
			return false;
		if (reading->found)
			break;
	}
	certdir_error_set(
		reading->error,
		"%s: %s = %s: there is no such %s, or the account that certdir binds as may not see it; %s%s: "
		"create it or correct %s",
		uri(reading), option, dn, kind, *ancestor ? "what stands nearest is " : "nothing above it is there",
		ancestor, option);
	return false;
}

/* The option that names an OU. */
static const char *ou_option(const struct reading *reading, const char *ou)
{
	const struct certdir_placeholders_config *config = reading->config;
	const char *option = "ou";

	for (size_t i = config->place_count; i-- > 0 && ou != config->rules.ou;)
		if (config->places[i].ou == ou)
			option = certdir_arena_print(reading->arena, "%s \"%s\"",
						     config->places[i].tenant ? "ou_of_tenant" : "ou_of_group",
						     config->places[i].name);
	return option ? option : "ou";
}

static bool read_ous(struct reading *reading)
{
	const struct certdir_placeholders_config *config = reading->config;
	const struct certdir_ldap_config *ldap = &config->ldap;
	const char **ous;

	/* Asking as nobody gives an empty directory here and an error there. */
	if (ldap->bind == CERTDIR_LDAP_BIND_SIMPLE && (!ldap->identity || !ldap->identity[0])) {
		certdir_error_set(reading->error,
				  "[placeholders %s]: the bind is anonymous, and nobody may change accounts: set "
				  "identity and password_file",
				  reading->config->rules.name);
		return false;
	}
	ous = certdir_arena_alloc(reading->arena, config->ou_count * sizeof(*ous));
	if (!ous) {
		certdir_error_set(reading->error, "out of memory");
		return false;
	}
	reading->domain->ous = ous;
	for (size_t i = 0; i < config->ou_count; i++) {
		if (!read_entry(reading, config->ous[i]))
			return false;
		if (!reading->found)
			return missing(reading, ou_option(reading, config->ous[i]), config->ous[i], "OU");
		ous[i] = reading->dn ? reading->dn : config->ous[i];
	}
	return true;
}

/* The nearest naming context at or above the OU. */
static const char *context_of(const struct reading *reading, const char *ou)
{
	for (const char *dn = ou; *dn; dn = certdir_dn_parent(dn))
		for (size_t i = 0; i < reading->context_count; i++)
			if (certdir_dn_equal(dn, reading->contexts[i]))
				return reading->contexts[i];
	return NULL;
}

/* "corp.example" of "DC=corp,DC=example", or NULL. */
static const char *name_of(struct certdir_arena *arena, const char *base)
{
	const char *name = NULL;

	for (const char *dn = base; *dn; dn = certdir_dn_parent(dn)) {
		const char *label = certdir_dn_rdn_value(dn, "DC", arena);

		if (label)
			name = name ? certdir_arena_print(arena, "%s.%s", name, label) : label;
	}
	return name;
}

static bool read_base(struct reading *reading)
{
	struct certdir_domain *domain = reading->domain;

	domain->base = context_of(reading, domain->ous[0]);
	if (!domain->base) {
		certdir_error_set(
			reading->error,
			"%s: none of the server's namingContexts stands above ou = %s: correct ou, or let the "
			"account that certdir binds as read the root DSE",
			uri(reading), reading->config->rules.ou);
		return false;
	}
	for (size_t i = 1; i < reading->config->ou_count; i++)
		if (context_of(reading, domain->ous[i]) != domain->base) {
			certdir_error_set(reading->error,
					  "%s: %s is not in the domain of ou = %s: accounts cannot be moved between "
					  "them, so write a section for each domain",
					  uri(reading), reading->config->ous[i], reading->config->rules.ou);
			return false;
		}
	domain->name = name_of(reading->arena, domain->base);
	if (!read_entry(reading, domain->base))
		return false;
	reading->sid = reading->entry_sid;
	return true;
}

/* ---- groups ---- */

static bool read_computers(struct reading *reading)
{
	static const char *const attributes[] = {"objectSid", NULL};
	unsigned char bytes[68];
	const char *text;
	char *filter = NULL;
	size_t size, length;
	FILE *out;
	bool ok = false;

	if (reading->config->rules.kind != CERTDIR_PLACEHOLDER_COMPUTER || !reading->sid)
		return true;
	text = certdir_arena_print(reading->arena, "%s-%d", reading->sid, DOMAIN_COMPUTERS);
	length = text ? certdir_sid_to_bytes(text, bytes) : 0;
	out = open_memstream(&filter, &size);
	if (out && length > 0)
		certdir_filter_print(out, "objectSid", bytes, length);
	if (!out || fclose(out) != 0 || !text) {
		certdir_error_set(reading->error, "out of memory");
		goto out;
	}
	ok = length == 0 ||
	     read_one(reading, reading->domain->base, CERTDIR_LDAP_SUBTREE, filter, attributes, take_entry);
	if (ok && length > 0 && reading->found)
		reading->domain->computers = reading->dn;
out:
	free(filter);
	return ok;
}

/* Whether the entry that was read last has a SID of the domain. */
static bool is_in_domain(const struct reading *reading)
{
	const size_t length = reading->sid ? strlen(reading->sid) : 0;

	return length > 0 && reading->entry_sid && strncmp(reading->entry_sid, reading->sid, length) == 0 &&
	       reading->entry_sid[length] == '-';
}

/* What the group must be to give rights, and to be a primary group (MS-SAMR 3.1.1.8.2). NULL = it is. */
static const char *unfit(const struct reading *reading, uint32_t rid)
{
	const bool active_directory = reading->domain->active_directory;

	if (active_directory && !reading->is_group)
		return "it is not a group";
	if (active_directory && (!reading->has_type || !(reading->group_type & GROUP_SECURITY)))
		return "it is a distribution group, which grants nothing: make it a security group";
	if (active_directory && is_in_domain(reading) && rid == DOMAIN_COMPUTERS)
		return "every computer account is in Domain Computers, so that says nothing of a device: name another "
		       "group, or leave this out";
	if (active_directory && reading->is_protected)
		return "it is protected, as those of administrators are (adminCount = 1), and accounts of devices do "
		       "not belong there: name another group";
	if (!reading->config->rules.primary_group)
		return NULL;
	if (rid == 0)
		return "it has no objectSid, so it cannot be a primary group: set primary_group = no";
	if (!active_directory)
		return NULL;
	if (!(reading->group_type & (GROUP_GLOBAL | GROUP_UNIVERSAL)))
		return "only a global or universal group can be a primary group: set primary_group = no or change its "
		       "scope";
	if (!is_in_domain(reading))
		return "only a group of the accounts' own domain can be a primary group: set primary_group = no";
	return NULL;
}

static bool read_group(struct reading *reading, const struct certdir_target *target, struct certdir_domain_group *group)
{
	const char *why;

	if (!read_entry(reading, target->dn))
		return false;
	if (!reading->found || !reading->dn)
		return missing(reading, target->option, target->dn, "group");
	group->dn = reading->dn;
	group->name = certdir_dn_rdn_value(group->dn, NULL, reading->arena);
	if (!group->name)
		group->name = group->dn;
	if (reading->entry_sid)
		group->id = (uint32_t)strtoul(strrchr(reading->entry_sid, '-') + 1, NULL, 10);
	why = unfit(reading, group->id);
	/* A RID says nothing in another domain. */
	if (reading->domain->active_directory && !is_in_domain(reading))
		group->id = 0;
	if (!why)
		return true;
	certdir_error_set(reading->error, "%s: %s = %s: %s", uri(reading), target->option, target->dn, why);
	return false;
}

static bool read_groups(struct reading *reading)
{
	const struct certdir_placeholders_config *config = reading->config;
	struct certdir_domain *domain = reading->domain;

	domain->group_count = config->target_count;
	domain->groups = certdir_arena_alloc(reading->arena, (config->target_count + 1) * sizeof(*domain->groups));
	if (!domain->groups) {
		certdir_error_set(reading->error, "out of memory");
		return false;
	}
	for (size_t i = 0; i < config->target_count; i++)
		if (!read_group(reading, &config->targets[i], &domain->groups[i]))
			return false;
	return true;
}

bool certdir_domain_id_read(const struct certdir_domain *domain, const struct certdir_ldap_answer *answer, char id[37])
{
	char text[CERTDIR_VALUE_MAX + 1];

	id[0] = '\0';
	if (answer->status != CERTDIR_LDAP_OK)
		return false;
	if (!domain->active_directory && certdir_canonical(CERTDIR_ID_GUID, answer->value, answer->length, text))
		memcpy(id, text, 37);
	else if (domain->active_directory && answer->length == 16)
		certdir_guid_from_bytes((const unsigned char *)answer->value, id);
	return id[0];
}

bool certdir_domain_read(const struct certdir_placeholders_config *config, struct certdir_ldap_connection *connection,
			 struct certdir_arena *arena, struct certdir_domain *domain, struct certdir_error *error)
{
	struct reading reading = {
		.config = config, .connection = connection, .arena = arena, .domain = domain, .error = error};

	*domain = (struct certdir_domain){.active_directory = false};
	return read_root(&reading) && read_ous(&reading) && read_base(&reading) && read_computers(&reading) &&
	       read_groups(&reading) &&
	       (config->rules.kind != CERTDIR_PLACEHOLDER_COMPUTER ||
		certdir_domain_names_read(connection, arena, domain, error));
}
