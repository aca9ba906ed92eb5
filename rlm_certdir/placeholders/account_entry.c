/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/account_entry.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/hash.h"
#include "directory/ldap_entry.h"
#include "placeholders/life.h"
#include "placeholders/value.h"
#include "text/canonical.h"
#include "text/dn.h"
#include "text/utf8.h"

enum {
	ACCOUNT_DISABLED = 2, /* userAccountControl, MS-ADTS 2.2.16 */
	VERSION_MAX = 127, /* bytes that certdir_ldap_answer.value holds */
	NO_ATTRIBUTE = -1
};

/* What is read of every entry; the columns of the configuration come behind, unless they are among these. */
enum field {
	OBJECT_CLASS,
	MARK,
	VERSION,
	ACCOUNT_NAME,
	CONTROL,
	PRIMARY_GROUP,
	MEMBER_OF,
	SID,
	GUID,
	MAPPINGS,
	EXPIRES,
	FIELDS
};
_Static_assert((int)FIELDS == (int)CERTDIR_ACCOUNT_FIELDS, "as many as the header says");

/* ---- names ---- */

static uint64_t compare_all(const struct certdir_account_names *known, const char *dn)
{
	for (size_t i = 0; i < known->count; i++)
		if (strcmp(dn, known->dns[i]) == 0 || certdir_dn_equal(dn, known->dns[i]))
			return UINT64_C(1) << i;
	return 0;
}

/* Sets the bit of the DN that a name is, or none. False: memory is out. */
static bool find_dn(struct certdir_account_names *known, const char *bytes, size_t length, uint64_t *which)
{
	uint64_t hash = CERTDIR_HASH_START;
	struct certdir_account_spelling *spelling;
	char *copy;

	*which = 0;
	if (known->count == 0)
		return true;
	for (size_t i = 0; i < length; i++)
		hash = certdir_hash_byte(hash, (unsigned char)bytes[i]);
	spelling = &known->spellings[(hash ^ hash >> 32) % CERTDIR_ACCOUNT_SPELLINGS];
	if (!spelling->bytes || spelling->length != length || memcmp(spelling->bytes, bytes, length) != 0) {
		copy = strndup(bytes, length);
		if (!copy)
			return false;
		free(spelling->bytes);
		/* What has a NUL inside is no DN, and no spelling to find again. */
		*spelling = (struct certdir_account_spelling){copy, length,
							      strlen(copy) == length ? compare_all(known, copy) : 0};
		if (strlen(copy) != length)
			spelling->length = 0;
	}
	*which = spelling->which;
	return true;
}

static void forget_spellings(struct certdir_account_names *known)
{
	for (size_t i = 0; i < CERTDIR_ACCOUNT_SPELLINGS; i++)
		free(known->spellings[i].bytes);
}

static size_t attribute_add(struct certdir_account_reading *reading, const char *name)
{
	for (size_t i = 0; i < reading->attribute_count; i++)
		if (strcasecmp(reading->attributes[i], name) == 0)
			return i;
	reading->attributes[reading->attribute_count] = name;
	return reading->attribute_count++;
}

bool certdir_account_is_ou(const struct certdir_account_reading *reading, const char *dn)
{
	return compare_all(&reading->ous, dn) != 0;
}

bool certdir_account_can_live(const struct certdir_account_reading *reading)
{
	return reading->domain->active_directory && reading->config->rules.kind == CERTDIR_PLACEHOLDER_COMPUTER;
}

void certdir_account_reading_init(struct certdir_account_reading *reading,
				  const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
				  struct certdir_arena *arena)
{
	*reading = (struct certdir_account_reading){.config = config, .domain = domain, .arena = arena};
	for (size_t i = 0; i < config->ou_count; i++)
		reading->ous.dns[reading->ous.count++] = domain->ous[i];
	for (size_t i = 0; i < config->target_count; i++)
		reading->groups.dns[reading->groups.count++] = domain->groups[i].dn;
	if (domain->computers)
		reading->computers.dns[reading->computers.count++] = domain->computers;
}

bool certdir_account_reading_begin(struct certdir_account_reading *reading)
{
	const struct certdir_placeholders_config *config = reading->config;
	const char *const names[FIELDS] = {
		[OBJECT_CLASS] = "objectClass",
		[MARK] = config->rules.mark_attribute,
		[VERSION] = reading->domain->version_attribute,
		[ACCOUNT_NAME] = "sAMAccountName",
		[CONTROL] = "userAccountControl",
		[PRIMARY_GROUP] = "primaryGroupID",
		[MEMBER_OF] = "memberOf",
		[SID] = "objectSid",
		[GUID] = "objectGUID",
		[MAPPINGS] = "altSecurityIdentities",
		[EXPIRES] = "accountExpires",
	};
	size_t signs = 0;

	while (certdir_life_attributes[signs])
		signs++;

	reading->attributes = calloc(FIELDS + config->rules.column_count + signs + 1, sizeof(*reading->attributes));
	reading->columns = calloc(config->rules.column_count + 1, sizeof(*reading->columns));
	if (!reading->attributes || !reading->columns)
		return false;
	for (size_t i = 0; i < FIELDS; i++)
		reading->fields[i] = attribute_add(reading, names[i]);
	for (size_t i = 0; i < config->rules.column_count; i++)
		reading->columns[i] = attribute_add(reading, config->rules.columns[i].attribute);
	for (size_t i = 0; certdir_account_can_live(reading) && certdir_life_attributes[i]; i++)
		(void)attribute_add(reading, certdir_life_attributes[i]);
	return true;
}

void certdir_account_reading_clear(struct certdir_account_reading *reading)
{
	free(reading->attributes);
	free(reading->columns);
	free(reading->attribute_of);
	forget_spellings(&reading->ous);
	forget_spellings(&reading->groups);
	forget_spellings(&reading->computers);
	free(reading->own.items);
	free(reading->foreign.items);
}

/* ---- one entry ---- */

/* From the one behind the last on: a server sends all entries' attributes in one order as a rule. */
static int attribute_index(struct certdir_account_reading *reading, const struct certdir_ldap_value *value)
{
	for (size_t i = 0; i < reading->attribute_count; i++) {
		if (++reading->attribute_last >= reading->attribute_count)
			reading->attribute_last = 0;
		if (certdir_value_of(value, reading->attributes[reading->attribute_last]))
			return (int)reading->attribute_last;
	}
	return NO_ATTRIBUTE;
}

/* Finds out what each value is of. Values of one attribute share the bytes of its name, so only the first is compared. */
static bool classify(struct certdir_account_reading *reading, const struct certdir_ldap_entry *entry)
{
	if (entry->count > reading->values_room) {
		int *grown = realloc(reading->attribute_of, 2 * entry->count * sizeof(*grown));

		if (!grown)
			return false;
		reading->attribute_of = grown;
		reading->values_room = 2 * entry->count;
	}
	for (size_t i = 0; i < entry->count; i++) {
		const struct certdir_ldap_value *value = &entry->values[i];

		if (i > 0 && value->attribute == value[-1].attribute &&
		    value->attribute_length == value[-1].attribute_length)
			reading->attribute_of[i] = reading->attribute_of[i - 1];
		else
			reading->attribute_of[i] = attribute_index(reading, value);
	}
	return true;
}

/* The next value of a field at or behind *at, or NULL. */
static const struct certdir_ldap_value *next_value(const struct certdir_account_reading *reading,
						   const struct certdir_ldap_entry *entry, size_t attribute, size_t *at)
{
	for (; *at < entry->count; ++*at)
		if (reading->attribute_of[*at] == (int)attribute)
			return &entry->values[(*at)++];
	return NULL;
}

static const struct certdir_ldap_value *field_value(const struct certdir_account_reading *reading,
						    const struct certdir_ldap_entry *entry, enum field field)
{
	size_t at = 0;

	return next_value(reading, entry, reading->fields[field], &at);
}

/* All values of an attribute, sorted. */
static bool take_values(struct certdir_account_reading *reading, const struct certdir_ldap_entry *entry,
			size_t attribute, struct certdir_ldap_values *values)
{
	const struct certdir_ldap_value *value;
	struct certdir_ldap_bytes *items;
	size_t count = 0, at = 0;

	while (next_value(reading, entry, attribute, &at))
		count++;
	if (count == 0)
		return true;
	items = certdir_arena_alloc(reading->arena, count * sizeof(*items));
	if (!items)
		return false;
	values->items = items;
	values->count = count;
	for (at = 0; (value = next_value(reading, entry, attribute, &at)); items++) {
		items->bytes = certdir_arena_copy(reading->arena, (const char *)value->bytes, value->length);
		items->length = value->length;
		if (!items->bytes)
			return false;
	}
	if (count > 1)
		qsort(items - count, count, sizeof(*items), certdir_bytes_compare);
	return true;
}

/* The entry's mark. Two of them are as good as none: nobody knows whose it is. */
static bool take_mark(struct certdir_account_reading *reading, const struct certdir_ldap_entry *entry,
		      struct certdir_account *account)
{
	const struct certdir_ldap_value *value, *found = NULL;
	struct certdir_mark mark, another;
	size_t at = 0;

	while ((value = next_value(reading, entry, reading->fields[MARK], &at))) {
		if (!certdir_mark_parse((const char *)value->bytes, value->length, found ? &another : &mark))
			continue;
		if (found)
			return true;
		found = value;
	}
	if (!found)
		return true;
	account->mark_text = certdir_arena_copy(reading->arena, (const char *)found->bytes, found->length);
	account->mark = certdir_arena_alloc(reading->arena, sizeof(*account->mark));
	if (!account->mark_text || !account->mark)
		return false;
	*account->mark = mark;
	return true;
}

static bool is_computer(const struct certdir_account_reading *reading, const struct certdir_ldap_entry *entry)
{
	const struct certdir_ldap_value *value;
	size_t at = 0;

	while ((value = next_value(reading, entry, reading->fields[OBJECT_CLASS], &at)))
		if (value->length == 8 && strncasecmp((const char *)value->bytes, "computer", 8) == 0)
			return true;
	return false;
}

/* A DN that is no text is only ever shown: each byte of it that is not plain as \xx (RFC 4514). */
static const char *show_dn(struct certdir_arena *arena, const char *bytes, size_t length)
{
	char *text = certdir_arena_alloc(arena, 3 * length + 1), *out = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] >= ' ' && bytes[i] <= '~')
			*out++ = bytes[i];
		else
			out += sprintf(out, "\\%02x", (unsigned char)bytes[i]);
	}
	return text;
}

/* DN, CN and whether it is one that we could have made: CN=.. and nothing else. */
static bool take_name(struct certdir_account_reading *reading, const struct certdir_ldap_entry *entry,
		      struct certdir_account *account, bool *ours)
{
	const char *parent, *cn;
	uint64_t which;

	*ours = false;
	if (entry->dn_length == 0 || certdir_text_fault(entry->dn, entry->dn_length) != CERTDIR_TEXT_CLEAN) {
		account->dn = account->cn = show_dn(reading->arena, entry->dn, entry->dn_length);
		return account->dn;
	}
	account->dn = account->cn = certdir_arena_copy(reading->arena, entry->dn, entry->dn_length);
	if (!account->dn)
		return false;
	cn = certdir_dn_rdn_value(account->dn, "CN", reading->arena);
	*ours = cn;
	if (cn || (cn = certdir_dn_rdn_value(account->dn, NULL, reading->arena)))
		account->cn = cn;
	parent = certdir_dn_parent(account->dn);
	if (!find_dn(&reading->ous, parent, strlen(parent), &which))
		return false;
	account->direct = which != 0;
	if (account->direct)
		account->ou = reading->config->ous[__builtin_ctzll(which)];
	return !reading->arena->failed;
}

/* Membership in the groups that matter. */
static bool take_groups(struct certdir_account_reading *reading, const struct certdir_ldap_entry *entry,
			struct certdir_account *account)
{
	const struct certdir_ldap_value *value;
	size_t at = 0;

	while ((value = next_value(reading, entry, reading->fields[MEMBER_OF], &at))) {
		const char *dn = (const char *)value->bytes;
		uint64_t group, computers;

		if (!find_dn(&reading->groups, dn, value->length, &group) ||
		    !find_dn(&reading->computers, dn, value->length, &computers))
			return false;
		account->groups |= group;
		account->in_computers |= computers != 0;
	}
	return true;
}

static bool take_identity(struct certdir_account_reading *reading, const struct certdir_ldap_entry *entry,
			  struct certdir_account *account)
{
	const struct certdir_ldap_value *sid = field_value(reading, entry, SID),
					*guid = field_value(reading, entry, GUID);

	if (sid)
		account->sid = certdir_value_sid(reading->arena, sid);
	if (guid && guid->length == 16) {
		char text[37];

		certdir_guid_from_bytes(guid->bytes, text);
		account->guid = certdir_arena_copy(reading->arena, text, sizeof(text) - 1);
	}
	return !reading->arena->failed;
}

/*
 * An attribute of one of ours that has to be known. One computer that somebody hides it of does not keep all others from what is theirs:
 * as nobody can say what it is, it is left alone as a real one is.
 */
static bool refuse(struct certdir_account_reading *reading, struct certdir_account *account, const char *attribute)
{
	if (certdir_account_can_live(reading)) {
		if (!account->life)
			account->life = certdir_arena_print(reading->arena, "its %s cannot be read", attribute);
		return account->life;
	}
	certdir_error_set(&reading->error,
			  "%s: its %s cannot be read: let the account that certdir binds as read all attributes of the "
			  "entries below ou = %s",
			  account->dn, attribute, reading->config->rules.ou);
	return false;
}

/* When it ends to be one that a login is let in by. */
static int64_t read_expiry(const struct certdir_ldap_value *value)
{
	int64_t time;

	/* Two numbers mean never (MS-ADA1 2.1). */
	if (!value || !certdir_ldap_integer(value, &time) || time <= 0 || time == INT64_MAX)
		return 0;
	return certdir_ldap_unix_time(time);
}

/* What only our own accounts need. Not to see a value that is there would be taken for a change to make. */
static bool take_own(struct certdir_account_reading *reading, const struct certdir_ldap_entry *entry,
		     struct certdir_account *account)
{
	const struct certdir_ldap_value *version = field_value(reading, entry, VERSION);
	const struct certdir_ldap_value *control = field_value(reading, entry, CONTROL);
	const size_t count = reading->config->rules.column_count;

	/* A real computer may have thousands of values, and life.c has seen that. */
	if (entry->pieces && !certdir_account_can_live(reading)) {
		certdir_error_set(&reading->error,
				  "%s has more values in one attribute than the server gives at once, and a part must "
				  "not be taken for the whole: remove some",
				  account->dn);
		return false;
	}
	if (version && version->length <= VERSION_MAX)
		account->version = certdir_value_text(reading->arena, version);
	if (!account->version && !refuse(reading, account, reading->domain->version_attribute))
		return false;
	if ((control ? !certdir_value_flags(control, &account->control) : reading->domain->active_directory) &&
	    !refuse(reading, account, "userAccountControl"))
		return false;
	account->disabled = account->control & ACCOUNT_DISABLED;
	account->expires = read_expiry(field_value(reading, entry, EXPIRES));
	account->values = certdir_arena_alloc(reading->arena, (count + 1) * sizeof(*account->values));
	if (!account->values)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!take_values(reading, entry, reading->columns[i], &account->values[i]))
			return false;
	return take_values(reading, entry, reading->fields[MAPPINGS], &account->mappings);
}

static bool add_account(struct certdir_account_list *list, const struct certdir_account *account)
{
	struct certdir_account *added = certdir_array_next(&list->items, list->count, sizeof(*added));

	if (!added)
		return false;
	*added = *account;
	list->count++;
	return true;
}

/* sAMAccountName and primaryGroupID. False: memory is out; *ours gets false when they are not what a server can mean. */
static bool take_account_name(struct certdir_account_reading *reading, const struct certdir_ldap_entry *entry,
			      struct certdir_account *account, bool *ours)
{
	const struct certdir_ldap_value *name = field_value(reading, entry, ACCOUNT_NAME);
	const struct certdir_ldap_value *primary = field_value(reading, entry, PRIMARY_GROUP);

	if (name) {
		account->account_name = certdir_value_text(reading->arena, name);
		*ours = *ours && account->account_name;
	}
	if (primary && !certdir_value_flags(primary, &account->primary_group))
		*ours = false;
	return !reading->arena->failed;
}

/* Whether a computer without a mark could be given one: `unfit` says why not. */
static bool take_stranger(struct certdir_account_reading *reading, const struct certdir_ldap_entry *entry,
			  struct certdir_account *account, bool ours)
{
	const struct certdir_ldap_value *version = field_value(reading, entry, VERSION);
	const struct certdir_ldap_value *control = field_value(reading, entry, CONTROL);

	if (control && certdir_value_flags(control, &account->control))
		account->disabled = account->control & ACCOUNT_DISABLED;
	if (version && version->length <= VERSION_MAX)
		account->version = certdir_value_text(reading->arena, version);
	if (field_value(reading, entry, MARK))
		account->unfit = certdir_arena_print(reading->arena, "its %s has another value",
						     reading->config->rules.mark_attribute);
	else if (!ours)
		account->unfit = "its name or its attributes are not what a computer of ours can have";
	else if (!account->version)
		account->unfit = certdir_arena_print(reading->arena, "its %s cannot be read",
						     reading->domain->version_attribute);
	return !reading->arena->failed;
}

bool certdir_account_entry_take(void *context, const struct certdir_ldap_entry *entry)
{
	struct certdir_account_reading *reading = context;
	const struct certdir_placeholders_config *config = reading->config;
	struct certdir_account account = {.dn = NULL};
	bool ours;

	if (!classify(reading, entry) || !take_name(reading, entry, &account, &ours))
		return false;
	if (!take_mark(reading, entry, &account) || !take_account_name(reading, entry, &account, &ours) ||
	    !take_identity(reading, entry, &account) || !take_groups(reading, entry, &account))
		return false;
	account.computer = is_computer(reading, entry);
	account.own = ours && account.mark && strcasecmp(account.mark->section, config->rules.name) == 0 &&
		      (config->rules.kind != CERTDIR_PLACEHOLDER_COMPUTER || account.computer);
	/* The OUs themselves, bases of searches or within another, are no entries that anybody put there. */
	if (!account.own && certdir_account_is_ou(reading, account.dn))
		return true;
	if (account.computer && certdir_account_can_live(reading))
		account.life = certdir_life_find(&config->rules, entry, reading->arena);
	if (account.own && !take_own(reading, entry, &account))
		return false;
	if (account.computer && !account.mark && !take_stranger(reading, entry, &account, ours))
		return false;
	return add_account(account.own ? &reading->own : &reading->foreign, &account);
}
