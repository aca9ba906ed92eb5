/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything below the OU. A hundred thousand entries are usual, so a value is looked at once and copied once. */
#include "placeholders/accounts.h"

#include "directory/ldap_entry.h"
#include "identity/canonical.h"
#include "placeholders/dn.h"
#include "placeholders/life.h"
#include "placeholders/value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	PAGE = 1000, /* Active Directory's MaxPageSize */
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

/* Whether many names are that of one entry: most of them are spelled the same way, and comparing DNs is slow. */
struct comparison {
	const char *dn; /* or NULL: nothing is */
	char *last; /* what was compared last; malloc'ed */
	size_t last_length;
	bool equal;
};

struct accounts_list {
	struct certdir_account *items;
	size_t count, room;
};

struct reading {
	const struct certdir_placeholders_config *config;
	const struct certdir_domain *domain;
	struct certdir_arena *arena;
	const char **attributes; /* NULL-terminated, each once */
	size_t fields[FIELDS]; /* which of them */
	size_t *columns; /* and of the configuration's columns */
	int *attribute_of; /* for each value of the present entry: which attribute it is of */
	size_t values_room;
	struct comparison parent, group, computers;
	struct accounts_list own, foreign;
	struct certdir_error error; /* "" = memory is out */
};

/* ---- names ---- */

/* Remembers the last answer: neighbours in a listing have the same parent and the same groups. 1, 0, or -1: memory is out. */
static int is_same(struct comparison *comparison, const char *bytes, size_t length)
{
	char *copy;

	if (!comparison->dn)
		return 0;
	if (comparison->last && comparison->last_length == length && memcmp(comparison->last, bytes, length) == 0)
		return comparison->equal;
	copy = strndup(bytes, length);
	if (!copy)
		return -1;
	free(comparison->last);
	comparison->last = copy;
	comparison->last_length = length;
	/* One with a NUL inside is none. */
	comparison->equal =
		strlen(copy) == length && (strcmp(copy, comparison->dn) == 0 || certdir_dn_equal(copy, comparison->dn));
	return comparison->equal;
}

static size_t attribute_add(struct reading *reading, const char *name)
{
	size_t i = 0;

	for (; reading->attributes[i]; i++)
		if (strcasecmp(reading->attributes[i], name) == 0)
			return i;
	reading->attributes[i] = name;
	return i;
}

/* Whether a real computer may take over an account: elsewhere nobody joins what we make. */
static bool can_live(const struct reading *reading)
{
	return reading->domain->active_directory && reading->config->kind == CERTDIR_PLACEHOLDER_COMPUTER;
}

static bool begin(struct reading *reading)
{
	const struct certdir_placeholders_config *config = reading->config;
	const char *const names[FIELDS] = {
		[OBJECT_CLASS] = "objectClass",
		[MARK] = config->mark_attribute,
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

	reading->attributes = calloc(FIELDS + config->column_count + signs + 1, sizeof(*reading->attributes));
	reading->columns = calloc(config->column_count + 1, sizeof(*reading->columns));
	if (!reading->attributes || !reading->columns)
		return false;
	for (size_t i = 0; i < FIELDS; i++)
		reading->fields[i] = attribute_add(reading, names[i]);
	for (size_t i = 0; i < config->column_count; i++)
		reading->columns[i] = attribute_add(reading, config->columns[i].attribute);
	for (size_t i = 0; can_live(reading) && certdir_life_attributes[i]; i++)
		(void)attribute_add(reading, certdir_life_attributes[i]);
	return true;
}

static void finish(struct reading *reading)
{
	free(reading->attributes);
	free(reading->columns);
	free(reading->attribute_of);
	free(reading->parent.last);
	free(reading->group.last);
	free(reading->computers.last);
	free(reading->own.items);
	free(reading->foreign.items);
}

/* ---- one entry ---- */

static int attribute_index(const struct reading *reading, const struct certdir_ldap_value *value)
{
	for (int i = 0; reading->attributes[i]; i++)
		if (certdir_value_of(value, reading->attributes[i]))
			return i;
	return NO_ATTRIBUTE;
}

/* Finds out what each value is of. Values of one attribute share the bytes of its name, so only the first is compared. */
static bool classify(struct reading *reading, const struct certdir_ldap_entry *entry)
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
static const struct certdir_ldap_value *next_value(const struct reading *reading,
						   const struct certdir_ldap_entry *entry, size_t attribute, size_t *at)
{
	for (; *at < entry->count; ++*at)
		if (reading->attribute_of[*at] == (int)attribute)
			return &entry->values[(*at)++];
	return NULL;
}

static const struct certdir_ldap_value *field_value(const struct reading *reading,
						    const struct certdir_ldap_entry *entry, enum field field)
{
	size_t at = 0;

	return next_value(reading, entry, reading->fields[field], &at);
}

/* All values of an attribute, sorted. */
static bool take_values(struct reading *reading, const struct certdir_ldap_entry *entry, size_t attribute,
			struct certdir_ldap_values *values)
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
static bool take_mark(struct reading *reading, const struct certdir_ldap_entry *entry, struct certdir_account *account)
{
	const struct certdir_ldap_value *value, *found = NULL;
	struct certdir_mark mark;
	size_t at = 0;

	while ((value = next_value(reading, entry, reading->fields[MARK], &at))) {
		if (!certdir_mark_parse((const char *)value->bytes, value->length, &mark))
			continue;
		if (found)
			return true;
		found = value;
	}
	if (!found || !certdir_mark_parse((const char *)found->bytes, found->length, &mark))
		return true;
	account->mark_text = certdir_arena_copy(reading->arena, (const char *)found->bytes, found->length);
	account->mark = certdir_arena_alloc(reading->arena, sizeof(*account->mark));
	if (!account->mark_text || !account->mark)
		return false;
	*account->mark = mark;
	return true;
}

static bool is_computer(const struct reading *reading, const struct certdir_ldap_entry *entry)
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
static bool take_name(struct reading *reading, const struct certdir_ldap_entry *entry, struct certdir_account *account,
		      bool *ours)
{
	struct certdir_rdn rdn;
	const char *parent;
	int direct;

	*ours = false;
	if (entry->dn_length == 0 || !certdir_value_clean(entry->dn, entry->dn_length)) {
		account->dn = account->cn = show_dn(reading->arena, entry->dn, entry->dn_length);
		return account->dn;
	}
	account->dn = account->cn = certdir_arena_copy(reading->arena, entry->dn, entry->dn_length);
	if (!account->dn)
		return false;
	if (certdir_rdn_read(account->dn, reading->arena, &rdn)) {
		account->cn = rdn.value;
		*ours = certdir_rdn_is(&rdn, "CN");
	}
	parent = certdir_dn_parent(account->dn);
	direct = is_same(&reading->parent, parent, strlen(parent));
	account->direct = direct == 1;
	return direct >= 0 && !reading->arena->failed;
}

/* Membership in the two groups that matter. */
static bool take_groups(struct reading *reading, const struct certdir_ldap_entry *entry,
			struct certdir_account *account)
{
	const struct certdir_ldap_value *value;
	size_t at = 0;

	while ((value = next_value(reading, entry, reading->fields[MEMBER_OF], &at))) {
		const char *dn = (const char *)value->bytes;
		const int group = is_same(&reading->group, dn, value->length);
		const int computers = is_same(&reading->computers, dn, value->length);

		if (group < 0 || computers < 0)
			return false;
		account->listed_member |= group == 1;
		account->in_computers |= computers == 1;
	}
	account->member = account->listed_member ||
			  (reading->domain->group_id != 0 && account->primary_group == reading->domain->group_id);
	return true;
}

static bool take_identity(struct reading *reading, const struct certdir_ldap_entry *entry,
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

static bool refuse(struct reading *reading, const struct certdir_account *account, const char *attribute)
{
	certdir_error_set(&reading->error,
			  "%s: its %s cannot be read: let the account that certdir binds as read all attributes of the "
			  "entries below ou = %s",
			  account->dn, attribute, reading->config->ou);
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
static bool take_own(struct reading *reading, const struct certdir_ldap_entry *entry, struct certdir_account *account)
{
	const struct certdir_ldap_value *version = field_value(reading, entry, VERSION);
	const struct certdir_ldap_value *control = field_value(reading, entry, CONTROL);
	const size_t count = reading->config->column_count;

	if (!version || version->length > VERSION_MAX)
		return refuse(reading, account, reading->domain->version_attribute);
	account->version = certdir_value_text(reading->arena, version);
	if (!account->version)
		return refuse(reading, account, reading->domain->version_attribute);
	if (control ? !certdir_value_flags(control, &account->control) : reading->domain->active_directory)
		return refuse(reading, account, "userAccountControl");
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

static bool add_account(struct accounts_list *list, const struct certdir_account *account)
{
	if (list->count == list->room) {
		const size_t room = list->room ? 2 * list->room : 256;
		struct certdir_account *grown = realloc(list->items, room * sizeof(*grown));

		if (!grown)
			return false;
		list->items = grown;
		list->room = room;
	}
	list->items[list->count++] = *account;
	return true;
}

/* sAMAccountName and primaryGroupID. False: memory is out; *ours gets false when they are not what a server can mean. */
static bool take_account_name(struct reading *reading, const struct certdir_ldap_entry *entry,
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

static bool take_entry(void *context, const struct certdir_ldap_entry *entry)
{
	struct reading *reading = context;
	const struct certdir_placeholders_config *config = reading->config;
	struct certdir_account account = {.dn = NULL};
	bool ours;

	if (!classify(reading, entry) || !take_name(reading, entry, &account, &ours))
		return false;
	/* The OU is the base of the search and not an account. */
	if (!account.direct && certdir_dn_equal(account.dn, reading->domain->ou))
		return true;
	if (!take_mark(reading, entry, &account) || !take_account_name(reading, entry, &account, &ours) ||
	    !take_identity(reading, entry, &account) || !take_groups(reading, entry, &account))
		return false;
	account.computer = is_computer(reading, entry);
	account.own = ours && account.mark && strcasecmp(account.mark->section, config->name) == 0 &&
		      (config->kind != CERTDIR_PLACEHOLDER_COMPUTER || account.computer);
	if (account.computer && can_live(reading))
		account.life = certdir_life_find(config, entry, reading->arena);
	if (account.own && !take_own(reading, entry, &account))
		return false;
	return add_account(account.own ? &reading->own : &reading->foreign, &account);
}

/* ---- all of them ---- */

static int by_dn(const void *a, const void *b)
{
	const struct certdir_account *left = a, *right = b;

	return strcmp(left->dn, right->dn);
}

static int by_key(const void *a, const void *b)
{
	const struct certdir_account *left = a, *right = b;
	const int order = strcmp(left->mark->key, right->mark->key);

	return order ? order : strcmp(left->dn, right->dn);
}

static struct certdir_account *keep(struct certdir_arena *arena, struct accounts_list *list,
				    int (*compare)(const void *, const void *))
{
	struct certdir_account *items = certdir_arena_alloc(arena, (list->count + 1) * sizeof(*items));

	if (items && list->count > 0) {
		memcpy(items, list->items, list->count * sizeof(*items));
		qsort(items, list->count, sizeof(*items), compare);
	}
	return items;
}

/* ---- what stands below an account ---- */

static int by_dn_of(const void *a, const void *b)
{
	const struct certdir_account *const *left = a, *const *right = b;

	return strcasecmp((*left)->dn, (*right)->dn);
}

struct index {
	struct certdir_account **items; /* computers, by DN */
	size_t count;
};

static void index_computers(struct index *index, struct certdir_account *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (entries[i].computer)
			index->items[index->count++] = &entries[i];
}

static void give_child(struct reading *reading, struct certdir_account *account, const char *child)
{
	if (can_live(reading) && account->computer && !account->life)
		account->life = certdir_arena_print(reading->arena, "entries stand below it, such as %s", child);
}

static void note_children(struct reading *reading, const struct index *index, const struct certdir_account *entries,
			  size_t count)
{
	const char *last = "";

	for (size_t i = 0; i < count; i++) {
		const char *parent = certdir_dn_parent(entries[i].dn);

		/* Neighbours stand below the same entry. */
		if (entries[i].direct || strcmp(parent, last) == 0)
			continue;
		for (last = parent; *parent; parent = certdir_dn_parent(parent)) {
			const struct certdir_account sought = {.dn = parent}, *key = &sought;
			struct certdir_account **found =
				bsearch(&key, index->items, index->count, sizeof(struct certdir_account *), by_dn_of);

			if (found)
				give_child(reading, *found, entries[i].dn);
		}
	}
}

static bool any_deep(const struct certdir_account *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!entries[i].direct)
			return true;
	return false;
}

/* A computer's BitLocker keys and printers stand below it; nothing does below a placeholder. Most OUs have nothing deep. */
static bool note_all_children(struct reading *reading, struct certdir_accounts *accounts)
{
	const size_t count = accounts->own_count + accounts->foreign_count;
	struct index index = {NULL, 0};

	if (!can_live(reading) || (!any_deep(accounts->own, accounts->own_count) &&
				   !any_deep(accounts->foreign, accounts->foreign_count)))
		return true;
	index.items = certdir_arena_alloc(reading->arena, (count + 1) * sizeof(struct certdir_account *));
	if (!index.items)
		return false;
	index_computers(&index, accounts->own, accounts->own_count);
	index_computers(&index, accounts->foreign, accounts->foreign_count);
	if (index.count > 1)
		qsort(index.items, index.count, sizeof(struct certdir_account *), by_dn_of);
	note_children(reading, &index, accounts->own, accounts->own_count);
	note_children(reading, &index, accounts->foreign, accounts->foreign_count);
	return !reading->arena->failed;
}

/* ---- listings ---- */

static struct reading new_reading(const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
				  struct certdir_arena *arena)
{
	return (struct reading){
		.config = config,
		.domain = domain,
		.arena = arena,
		.parent = {.dn = domain->ou},
		.group = {.dn = domain->group},
		.computers = {.dn = domain->computers},
	};
}

/* An entry and everything below it. */
static enum certdir_ldap_status list(struct reading *reading, struct certdir_ldap_connection *connection,
				     const char *base, struct certdir_error *error)
{
	enum certdir_ldap_status status = CERTDIR_LDAP_FAILED;

	certdir_error_set(error, "out of memory");
	if (begin(reading)) {
		const struct certdir_ldap_listing listing = {base, CERTDIR_LDAP_SUBTREE, "(objectClass=*)",
							     reading->attributes, PAGE};

		status = certdir_ldap_list(connection, &listing, take_entry, reading, error);
	}
	if (reading->error.text[0])
		*error = reading->error;
	return status;
}

bool certdir_accounts_read(const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
			   struct certdir_ldap_connection *connection, struct certdir_arena *arena,
			   struct certdir_accounts *accounts, struct certdir_error *error)
{
	struct reading reading = new_reading(config, domain, arena);
	bool ok = false;

	*accounts = (struct certdir_accounts){.own_count = 0};
	if (list(&reading, connection, config->ou, error) != CERTDIR_LDAP_OK)
		goto out;
	accounts->own_count = reading.own.count;
	accounts->foreign_count = reading.foreign.count;
	accounts->own = keep(arena, &reading.own, by_key);
	accounts->foreign = keep(arena, &reading.foreign, by_dn);
	ok = accounts->own && accounts->foreign && note_all_children(&reading, accounts);
	if (!ok)
		certdir_error_set(error, "out of memory");
out:
	finish(&reading);
	return ok;
}

/* Of what was listed below an entry the entry itself, and whether there is more. */
static void choose_one(struct reading *reading, const char *dn, struct certdir_account *account, bool *found)
{
	const struct accounts_list *lists[] = {&reading->own, &reading->foreign};
	const char *child = NULL;

	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; i < lists[l]->count; i++) {
			if (certdir_dn_equal(lists[l]->items[i].dn, dn)) {
				*account = lists[l]->items[i];
				*found = true;
			} else {
				child = lists[l]->items[i].dn;
			}
		}
	if (*found && child)
		give_child(reading, account, child);
}

bool certdir_account_read(const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
			  struct certdir_ldap_connection *connection, const char *dn, struct certdir_arena *arena,
			  struct certdir_account *account, bool *found, struct certdir_error *error)
{
	struct reading reading = new_reading(config, domain, arena);
	const enum certdir_ldap_status status = list(&reading, connection, dn, error);

	*account = (struct certdir_account){.dn = NULL};
	*found = false;
	if (status == CERTDIR_LDAP_OK)
		choose_one(&reading, dn, account, found);
	finish(&reading);
	if (!arena->failed)
		return status == CERTDIR_LDAP_OK || status == CERTDIR_LDAP_NO_OBJECT;
	certdir_error_set(error, "out of memory");
	return false;
}
