/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an undo file may contain. It is a text that anybody may have edited, and it is carried out with the rights of the account that certdir
 * binds as, which may be an administrator's: so nothing is taken that an apply of the section cannot have written.
 */
#include "placeholders/take_back.h"

#include <string.h>
#include <strings.h>

#include "text/canonical.h"
#include "text/dn.h"

/* userAccountControl (MS-ADTS 2.2.16). */
enum { DISABLED = 0x2, WORKSTATION = 0x1000, SERVER_TRUST = 0x2000, PARTIAL_SECRETS = 0x4000000 };

enum { ADDED = 1, CHANGED = 2 };

/* Beside the mark and the columns of the section, which may be both. */
static const struct {
	const char *attribute;
	unsigned in;
} allowed[] = {
	{"objectClass", ADDED},
	{"cn", ADDED | CHANGED},
	{"sAMAccountName", ADDED},
	{"userAccountControl", ADDED | CHANGED},
	{"primaryGroupID", CHANGED}, /* of a group that the account is in, or the server refuses */
	{"altSecurityIdentities", ADDED | CHANGED},
};

struct check {
	const struct certdir_placeholders_config *config;
	const struct certdir_domain *domain;
	struct certdir_arena arena;
	struct certdir_error why;
};

/* ---- places ---- */

static bool is_ou(const struct check *check, const char *dn)
{
	for (size_t i = 0; i < check->config->ou_count; i++)
		if (strcmp(dn, check->domain->ous[i]) == 0 || certdir_dn_equal(dn, check->domain->ous[i]))
			return true;
	return false;
}

/* Whether it is one of the section's OUs, or stands below one. */
static bool is_within(const struct check *check, const char *dn)
{
	for (; *dn; dn = certdir_dn_parent(dn))
		if (is_ou(check, dn))
			return true;
	return false;
}

static bool is_cn(struct check *check, const char *rdn)
{
	return certdir_dn_rdn_value(rdn, "CN", &check->arena);
}

static bool check_place(struct check *check, const char *dn)
{
	if (is_cn(check, dn) && is_within(check, certdir_dn_parent(dn)))
		return true;
	certdir_error_set(&check->why, "%s is not in an OU of the section", dn);
	return false;
}

static bool check_rename(struct check *check, const struct certdir_ldap_operation *operation)
{
	if (!is_within(check, operation->parent)) {
		certdir_error_set(&check->why, "%s is no OU of the section", operation->parent);
		return false;
	}
	if (is_cn(check, operation->rdn) && !operation->rdn[certdir_dn_rdn_length(operation->rdn)])
		return true;
	certdir_error_set(&check->why, "%s is no name that certdir gives", operation->rdn);
	return false;
}

/* ---- values ---- */

static bool is_mark_of(const struct check *check, const struct certdir_ldap_bytes *value)
{
	struct certdir_mark mark;

	return certdir_mark_parse(value->bytes, value->length, &mark) &&
	       strcasecmp(mark.section, check->config->rules.name) == 0;
}

static bool is_class(const struct check *check, const struct certdir_ldap_bytes *value)
{
	for (const char **class = check->config->rules.object_classes; *class; class ++)
		if (strlen(*class) == value->length && strncasecmp(*class, value->bytes, value->length) == 0)
			return true;
	return false;
}

/* An account that is changed may have any flag already, and take_back.c sees that it gets none; no placeholder is a domain controller. */
static bool is_control(const struct certdir_ldap_bytes *value, bool added)
{
	uint32_t control;

	if (!certdir_undo_control(value, &control))
		return false;
	return added ? (control & ~(uint32_t)DISABLED) == WORKSTATION : !(control & (SERVER_TRUST | PARTIAL_SECRETS));
}

static bool check_values(struct check *check, const char *attribute, const struct certdir_ldap_values *values,
			 bool added)
{
	for (size_t i = 0; i < values->count; i++) {
		const struct certdir_ldap_bytes *value = &values->items[i];
		bool ok = true;

		if (strcasecmp(attribute, "objectClass") == 0)
			ok = is_class(check, value);
		else if (strcasecmp(attribute, "userAccountControl") == 0)
			ok = is_control(value, added);
		else if (strcasecmp(attribute, check->config->rules.mark_attribute) == 0)
			ok = !certdir_mark_begins(value->bytes, value->length) || is_mark_of(check, value);
		if (ok)
			continue;
		certdir_error_set(&check->why, "certdir writes no such %s as stands there", attribute);
		return false;
	}
	return true;
}

static bool is_allowed(const struct check *check, const char *attribute, unsigned in)
{
	if (strcasecmp(attribute, check->config->rules.mark_attribute) == 0)
		return true;
	for (size_t i = 0; i < check->config->rules.column_count; i++)
		if (strcasecmp(attribute, check->config->rules.columns[i].attribute) == 0)
			return true;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
		if (strcasecmp(attribute, allowed[i].attribute) == 0)
			return allowed[i].in & in;
	return false;
}

static bool check_changes(struct check *check, const struct certdir_ldap_operation *operation, unsigned in)
{
	for (size_t i = 0; i < operation->count; i++) {
		const struct certdir_ldap_change *change = &operation->changes[i];

		if (!is_allowed(check, change->attribute, in)) {
			certdir_error_set(&check->why, "the section does not write %s", change->attribute);
			return false;
		}
		if (!check_values(check, change->attribute, &change->added, in == ADDED))
			return false;
	}
	return true;
}

/* ---- groups ---- */

static bool is_group(const struct check *check, const char *dn)
{
	const struct certdir_domain *domain = check->domain;

	for (size_t i = 0; i < check->config->target_count; i++)
		if (certdir_dn_equal(dn, domain->groups[i].dn))
			return true;
	return domain->computers && certdir_dn_equal(dn, domain->computers);
}

static bool are_members(struct check *check, const struct certdir_ldap_values *values)
{
	const char *why;

	for (size_t i = 0; i < values->count; i++)
		if (!certdir_text_valid(values->items[i].bytes, values->items[i].length, &why) ||
		    !check_place(check, values->items[i].bytes))
			return false;
	return true;
}

static bool check_group(struct check *check, const struct certdir_ldap_operation *operation)
{
	const struct certdir_ldap_change *change = operation->changes;

	certdir_error_set(&check->why, "memberships are changed one group at a time, and by names");
	if (operation->count > 1 || change->whole || !are_members(check, &change->added) ||
	    !are_members(check, &change->deleted))
		return false;
	if (is_group(check, operation->dn))
		return true;
	certdir_error_set(&check->why, "%s is no group of the section: name it there again to take this back",
			  operation->dn);
	return false;
}

/* ---- records ---- */

/* The mark that the entry must have; for what comes back, the one that it gets. */
static bool check_mark(struct check *check, const struct certdir_ldap_record *record)
{
	const struct certdir_ldap_operation *operation = &record->operation;
	bool marked = operation->verb != CERTDIR_LDAP_VERB_ADD;

	for (size_t i = 0; i < operation->count && !marked; i++)
		for (size_t k = 0; k < operation->changes[i].added.count; k++)
			marked |=
				strcasecmp(operation->changes[i].attribute, check->config->rules.mark_attribute) == 0 &&
				is_mark_of(check, &operation->changes[i].added.items[k]);
	if (!marked)
		certdir_error_set(&check->why, "the entry would come back without the section's mark");
	else if (record->mark.bytes ? !is_mark_of(check, &record->mark) : operation->verb == CERTDIR_LDAP_VERB_DELETE)
		certdir_error_set(&check->why, "the mark that the entry must have is not the section's");
	else
		return true;
	return false;
}

static bool check_record(struct check *check, const struct certdir_ldap_record *record)
{
	const struct certdir_ldap_operation *operation = &record->operation;

	if (!check_mark(check, record))
		return false;
	for (size_t i = 0; operation->verb == CERTDIR_LDAP_VERB_MODIFY && i < operation->count; i++)
		if (strcasecmp(operation->changes[i].attribute, "member") == 0)
			return check_group(check, operation);
	if (!check_place(check, operation->dn))
		return false;
	switch (operation->verb) {
	case CERTDIR_LDAP_VERB_ADD:
		return check_changes(check, operation, ADDED);
	case CERTDIR_LDAP_VERB_MODIFY:
		return check_changes(check, operation, CHANGED);
	case CERTDIR_LDAP_VERB_RENAME:
		return check_rename(check, operation);
	default:
		return true;
	}
}

bool certdir_undo_file_check(const struct certdir_undo_file *file, const struct certdir_placeholders_config *config,
			     const struct certdir_domain *domain, struct certdir_error *error)
{
	struct check check = {.config = config, .domain = domain};
	bool ok = true;

	for (size_t i = 0; i < file->records.count && ok; i++) {
		ok = check_record(&check, &file->records.items[i]);
		if (!ok)
			certdir_error_set(error, "%s:%lu: %s: nothing is done", file->filename,
					  file->records.items[i].line, check.why.text);
		certdir_arena_clear(&check.arena);
	}
	return ok;
}
