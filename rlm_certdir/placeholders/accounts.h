/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands in the directory: the server, its domain, and everything in the OU. */
#ifndef CERTDIR_PLACEHOLDERS_ACCOUNTS_H
#define CERTDIR_PLACEHOLDERS_ACCOUNTS_H

#include "ldap/operation.h"
#include "placeholders/config.h"
#include "plan/plan.h"

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
 * Looks at some entries as they stand now, wherever they are, with what stands below them: all that are asked for are in flight at once.
 * Whoever wants to change or delete one asks first whether it is still `own` and without `life`. False with `error`: the
 * connection is lost, and nothing is known, or memory is out.
 */
bool certdir_accounts_look(const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
			   struct certdir_ldap_connection *connection, struct certdir_arena *arena,
			   struct certdir_account_look *looks, size_t count, struct certdir_error *error);

/* Asks the whole domain who holds the values, many in one search, and sets each claim's holder. False with `error`. */
bool certdir_claims_ask(const struct certdir_domain *domain, struct certdir_ldap_connection *connection,
			struct certdir_arena *arena, struct certdir_claim *claims, size_t count,
			struct certdir_error *error);

#endif
