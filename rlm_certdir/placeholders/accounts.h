/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands in the directory: the server, its domain, and everything in the OU. */
#ifndef CERTDIR_PLACEHOLDERS_ACCOUNTS_H
#define CERTDIR_PLACEHOLDERS_ACCOUNTS_H

#include "ldap/operation.h"
#include "directory/mark.h"
#include "placeholders/arena.h"
#include "placeholders/config.h"
#include "placeholders/fold.h"

/* A group that accounts are put into. */
struct certdir_domain_group {
	const char *dn; /* as the server spells it */
	const char *name; /* its RDN, for people */
	uint32_t id; /* its RID, 0 = none */
};

/* One name of several. */
struct certdir_domain_name {
	const char *text;
	size_t length;
	const struct certdir_domain_name *next;
};

/* The server and what it says of itself. Strings are the arena's. */
struct certdir_domain {
	bool active_directory;
	const char *version_attribute; /* uSNChanged or entryCSN: changes with every change of an entry */
	const char *id_attribute; /* objectGUID or entryUUID: no other entry ever has the same one */
	const char *const
		*ous; /* DNs of the config's ous as the server spells them, and every DN of an entry below them */
	const char *base; /* DN of the domain, "DC=corp,DC=example"; what unique means reaches this far */
	const char *name; /* "corp.example", from base; NULL when base has no DC */
	/* What the domain, others of its forest and its controllers are called: "corp.example", "CORP", "dc1"; or NULL */
	const struct certdir_domain_name *names;
	const char
		*computers; /* DN of the group that new computers are put into (Domain Computers, RID 515), or NULL */
	struct certdir_domain_group *groups; /* one for each of the config's targets */
};

/* Whether names that differ in accents alone are in each other's way. */
static inline enum certdir_accents certdir_domain_accents(const struct certdir_domain *domain)
{
	return domain->active_directory ? CERTDIR_ACCENTS_IGNORED : CERTDIR_ACCENTS_COUNT;
}

/* An entry of the OU. Strings are the arena's. */
struct certdir_account {
	const char *dn;
	const char *cn; /* value of its RDN, unescaped */
	bool direct; /* it stands in one of the section's OUs itself and not deeper */
	const char *ou; /* which of the config's ous, NULL unless direct */
	bool own; /* carries this section's mark, and is what the section keeps (a computer, ..) */
	struct certdir_mark *mark; /* of any section, or NULL */
	const char *version;
	const char *account_name; /* sAMAccountName, or NULL */
	uint32_t control; /* userAccountControl, 0 = none */
	bool disabled; /* bit 2 of it */
	uint64_t groups; /* a bit for each of domain.groups that it is in by memberOf: so not its primary one */
	bool in_computers; /* of domain.computers by memberOf */
	uint32_t primary_group; /* RID, 0 = none */
	const char *sid; /* objectSid as text, or NULL */
	const char *guid; /* objectGUID as text, or NULL: the deviceId that Entra Connect would give it */
	const char *mark_text; /* the mark as it stands there */
	struct certdir_ldap_values *values; /* one for each column of the configuration, sorted by bytes; of own ones */
	struct certdir_ldap_values mappings; /* altSecurityIdentities, sorted; of own ones */
	int64_t expires; /* accountExpires in Unix seconds, 0 = never; of own ones */
	bool computer; /* by its class */
	const char *
		unfit; /* of a computer without a mark: why it cannot be given one, for people; NULL: nothing says so */
	const char *life; /* of any computer account: why it is a real computer, for people; NULL: nothing says so */
};

struct certdir_accounts {
	struct certdir_account *own; /* sorted by mark key; several with one key are possible */
	size_t own_count;
	struct certdir_account *foreign; /* everything else below the OU, sorted by dn; never to be changed */
	size_t foreign_count;
};

/*
 * Learns what the server is, and that the OUs and the groups are there. False with `error`: an OU is missing (and what stands nearest to
 * it), a group is missing or is no security group, the server is read-only, bound as nobody.
 */
bool certdir_domain_read(const struct certdir_placeholders_config *config, struct certdir_ldap_connection *connection,
			 struct certdir_arena *arena, struct certdir_domain *domain, struct certdir_error *error);

/*
 * Writes what a server answered who was asked for domain.id_attribute as a GUID in canonical form. False when it is none, or was not
 * given.
 */
bool certdir_domain_id_read(const struct certdir_domain *domain, const struct certdir_ldap_answer *answer, char id[37]);

/*
 * Adds to domain.names what the server, which is a domain controller, and the forest's partitions tell (dnsHostName;
 * nETBIOSName and dnsRoot, MS-ADTS 6.1.1.2.1.1). Who may not read those does without. False with `error`: the connection
 * is lost, or memory is out.
 */
bool certdir_domain_names_read(struct certdir_ldap_connection *connection, struct certdir_arena *arena,
			       struct certdir_domain *domain, struct certdir_error *error);

/* Reads everything below the OUs, paged. False with `error`. */
bool certdir_accounts_read(const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
			   struct certdir_ldap_connection *connection, struct certdir_arena *arena,
			   struct certdir_accounts *accounts, struct certdir_error *error);

/* One entry, looked at by its DN. */
struct certdir_account_look {
	const char *dn;
	/* CERTDIR_LDAP_NO_OBJECT: it is not there, or may not be seen. Anything but that and OK sets `why`. */
	enum certdir_ldap_status status;
	struct certdir_account account;
	struct certdir_error why;
	int id; /* the room's own */
};

/*
 * Looks at some entries as they stand now, wherever they are, with what stands below them: all that are asked for are on the way at once.
 * Whoever wants to change or delete one asks first whether it is still `own` and without `life`. False with `error`: the
 * connection is lost, and nothing is known, or memory is out.
 */
bool certdir_accounts_look(const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
			   struct certdir_ldap_connection *connection, struct certdir_arena *arena,
			   struct certdir_account_look *looks, size_t count, struct certdir_error *error);

/* A value that must be unique in the domain and who has it already. */
struct certdir_claim {
	const char *attribute; /* sAMAccountName, servicePrincipalName, altSecurityIdentities */
	const char *value;
	const char *holder; /* DN of an entry that has it, NULL = nobody; the arena's */
	const char *host; /* the holder's dNSHostName where an account's name was asked for, or NULL */
	size_t holders; /* how many entries have it: nothing keeps mappings from being on several */
};

/* Asks the whole domain who holds the values, many in one search, and sets each claim's holder. False with `error`. */
bool certdir_claims_ask(const struct certdir_domain *domain, struct certdir_ldap_connection *connection,
			struct certdir_arena *arena, struct certdir_claim *claims, size_t count,
			struct certdir_error *error);

#endif
