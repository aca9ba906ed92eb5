/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a plan is made of, as data: the rules of a section, the domain, the entries of the OUs and the devices of the list. Others read
 * these (placeholders/); nothing here knows how.
 */
#ifndef CERTDIR_PLAN_INPUT_H
#define CERTDIR_PLAN_INPUT_H

#include "base/arena.h"
#include "base/certdir.h"
#include "directory/mark.h"
#include "ldap/change.h"
#include "plan/fold.h"
#include "plan/template.h"

/* ---- values ---- */

/* By bytes, a shorter one before one that begins with it. For qsort(): pointers to struct certdir_ldap_bytes. */
int certdir_bytes_compare(const void *a, const void *b);

/* ---- the rules ---- */

enum certdir_placeholder_kind {
	CERTDIR_PLACEHOLDER_COMPUTER, /* a computer account of Active Directory */
	CERTDIR_PLACEHOLDER_DEVICE /* an entry of object classes and attributes that the administrator chose */
};

/*
 * An attribute whose values we keep, all of them. Column 0.. of every account and every wanted entry. For computers also those
 * that follow rules of their own in plan.c: they have no templates.
 */
struct certdir_column {
	const char *attribute;
	const struct certdir_template *templates; /* a value of each that is not empty */
	size_t template_count;
	bool folded; /* compared without regard to case */
	bool unique; /* no two accounts of the domain may have a value in common (servicePrincipalName) */
};

/* What the plan goes by: how entries look, and how much may change. Strings are the configuration's. */
struct certdir_plan_rules {
	const char *name; /* of the section, which stands in the marks */
	const char *ou; /* DN, of all devices that no place fits */
	enum certdir_placeholder_kind kind;
	const char *mark_attribute; /* adminDescription or description */
	const char **object_classes; /* NULL-terminated */
	struct certdir_column *columns;
	size_t column_count;
	bool enabled; /* accounts of wanted devices are enabled ones */
	bool primary_group; /* make the first group that fits the primary group */
	bool mapped; /* computer accounts get mappings of certificates that are handed in, which are all there are */
	bool issued; /* and of tables, which may be missing, or lack some: what they do not have says nothing */
	unsigned max_remove; /* per cent */
	int64_t delete_after; /* seconds */
};

enum { CERTDIR_TARGETS_MAX = 64 }; /* targets, and OUs: a bit each */

/* ---- the directory ---- */

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
	struct certdir_domain_group
		*groups; /* that accounts are put into and taken out of, at most CERTDIR_TARGETS_MAX */
	size_t group_count;
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
	const char *child; /* DN of an entry below it, or NULL; of own ones and of computers */
	const char *life; /* of any computer account: why it is a real computer, for people; NULL: nothing says so */
};

struct certdir_accounts {
	struct certdir_account *own; /* sorted by mark key; several with one key are possible */
	size_t own_count;
	struct certdir_account *foreign; /* everything else below the OU, sorted by dn; never to be changed */
	size_t foreign_count;
};

/* ---- the list ---- */

/* What keeps a device of the list without an entry; the first that does. */
enum certdir_left_out {
	CERTDIR_LEFT_OUT_NOT, /* nothing: it is selected */
	CERTDIR_LEFT_OUT_RETIRED,
	CERTDIR_LEFT_OUT_DISABLED,
	CERTDIR_LEFT_OUT_EXPIRED,
	CERTDIR_LEFT_OUT_ENABLED_UNKNOWN,
	CERTDIR_LEFT_OUT_TRUST_TYPE, /* has one that trust_types does not name */
	CERTDIR_LEFT_OUT_UNTYPED, /* has none, and trust_types does not say "none" */
	CERTDIR_LEFT_OUT_NOT_MANAGED,
	CERTDIR_LEFT_OUT_NOT_COMPLIANT,
	CERTDIR_LEFT_OUT_COMPLIANCE_UNKNOWN,
	CERTDIR_LEFT_OUT_NOT_IN_GROUP,
	CERTDIR_LEFT_OUT_OPERATING_SYSTEM,
	CERTDIR_LEFT_OUT_LDAP, /* an LDAP directory has it: it is there already */
	CERTDIR_LEFT_OUT_OTHER,
	CERTDIR_LEFT_OUTS
};

/* Why certificates that a table says were issued to a device give it no strong mapping; of several the last counts. */
enum certdir_unmapped {
	CERTDIR_UNMAPPED_NOT, /* one does, or there are none */
	CERTDIR_UNMAPPED_EXPIRED,
	CERTDIR_UNMAPPED_REVOKED,
	CERTDIR_UNMAPPED_FORM, /* `mapping` asks for what only the certificate itself tells */
	CERTDIR_UNMAPPED_NUMBER, /* the table lacks serial number or issuer */
	CERTDIR_UNMAPPED_ISSUER, /* its name cannot be told exactly from the table's text */
	CERTDIR_UNMAPPED_SHARED, /* another device has the same one */
	CERTDIR_UNMAPPED_REASONS
};

/* A device of the list. Strings are the arena's. */
struct certdir_wanted {
	const char *key; /* the device's id in the list; stands in the mark */
	const char *name; /* for people; or NULL */
	const char *why_not; /* it shall have no enabled entry: "is disabled", "is not compliant"; NULL = it shall */
	const char *problem; /* it should and cannot: "has no serial_number"; then why_not is NULL and cn may be */
	const char *cn;
	const char *sid; /* onPremisesSecurityIdentifier, to notice accounts that Entra Connect syncs back; or NULL */
	bool hybrid; /* trustType ServerAd */
	enum certdir_left_out left_out; /* what why_not says */
	const char *pattern; /* rules->adopt filled, or NULL: the device lacks a part of it */
	const char *ou; /* where its entry stands */
	uint64_t groups; /* a bit for each of domain.groups that it is to be in */
	unsigned primary; /* 1 + index of the group that is to be its primary group, 0 = none */
	struct certdir_ldap_values
		*values; /* one for each column of the configuration, sorted by bytes; NULL unless cn */
	struct certdir_ldap_values mappings; /* of valid certificates (mappings.h), sorted */
	struct certdir_ldap_values ended; /* mappings of its certificates that have ended, sorted */
	enum certdir_unmapped unmapped; /* looked at when it has no mapping */
};

struct certdir_wanted_list {
	struct certdir_wanted *devices; /* sorted by key (strcmp), each key once */
	size_t count;
	size_t selected; /* those without why_not */
	size_t left_out[CERTDIR_LEFT_OUTS]; /* how many of the list are left out for what */
};

/* ---- what the entries do not show ---- */

/* A value that must be unique in the domain and who has it already. */
struct certdir_claim {
	const char *attribute; /* sAMAccountName, servicePrincipalName, altSecurityIdentities */
	const char *value;
	const char *holder; /* DN of an entry that has it, NULL = nobody; the arena's */
	const char *host; /* the holder's dNSHostName where an account's name was asked for, or NULL */
	size_t holders; /* how many entries have it: nothing keeps mappings from being on several */
};

/* How the plan learns what it cannot see: sets the holder of each claim; false with `error`. */
struct certdir_claims_source {
	bool (*ask)(void *context, struct certdir_claim *claims, size_t count, struct certdir_error *error);
	void *context;
};

#endif
