/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything below the OU: listings of it, what stands below an account, and single entries looked at again. */
#include "placeholders/account_entry.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text/dn.h"

enum { PAGE = 1000 }; /* Active Directory's MaxPageSize */

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

static struct certdir_account *keep(struct certdir_arena *arena, struct certdir_account_list *list,
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

/* Own entries and computers, by DN. */
struct index {
	struct certdir_account **items;
	size_t count;
};

static void index_entries(struct index *index, struct certdir_account *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (entries[i].own || entries[i].computer)
			index->items[index->count++] = &entries[i];
}

/* A computer's BitLocker keys and printers stand below it; nothing does below a placeholder. */
static void give_child(struct certdir_account_reading *reading, struct certdir_account *account, const char *child)
{
	if (!account->child)
		account->child = child;
	if (certdir_account_can_live(reading) && account->computer && !account->life)
		account->life = certdir_arena_print(reading->arena, "entries stand below it, such as %s", child);
}

static void note_children(struct certdir_account_reading *reading, const struct index *index,
			  const struct certdir_account *entries, size_t count)
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
				bsearch(&key, index->items, index->count, sizeof(*found), by_dn_of);

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

/* An OU whose entries all stand directly in it, as most do, has no children to note. */
static bool note_all_children(struct certdir_account_reading *reading, struct certdir_accounts *accounts)
{
	struct index index = {NULL, 0};

	if (!any_deep(accounts->own, accounts->own_count) && !any_deep(accounts->foreign, accounts->foreign_count))
		return true;
	index.items = certdir_arena_alloc(reading->arena,
					  (accounts->own_count + accounts->foreign_count) * sizeof(*index.items));
	if (!index.items)
		return false;
	index_entries(&index, accounts->own, accounts->own_count);
	index_entries(&index, accounts->foreign, accounts->foreign_count);
	if (index.count > 0)
		qsort(index.items, index.count, sizeof(*index.items), by_dn_of);
	note_children(reading, &index, accounts->own, accounts->own_count);
	note_children(reading, &index, accounts->foreign, accounts->foreign_count);
	return !reading->arena->failed;
}

/* ---- listings ---- */

/* An entry and everything below it. */
static enum certdir_ldap_status list(struct certdir_account_reading *reading,
				     struct certdir_ldap_connection *connection, const char *base,
				     struct certdir_error *error)
{
	enum certdir_ldap_status status = CERTDIR_LDAP_FAILED;

	certdir_error_set(error, "out of memory");
	if (reading->attributes || certdir_account_reading_begin(reading)) {
		const struct certdir_ldap_query listing = {.base = base,
							   .scope = CERTDIR_LDAP_SUBTREE,
							   .filter = "(objectClass=*)",
							   .attributes = reading->attributes,
							   .page = PAGE,
							   .pieces = true};

		status = certdir_ldap_list(connection, &listing, certdir_account_entry_take, reading, error);
	}
	if (reading->error.text[0])
		*error = reading->error;
	return status;
}

/* Whether the OU stands within another one, whose listing has all of it. */
static bool is_listed(const struct certdir_account_reading *reading, const char *ou)
{
	for (const char *above = certdir_dn_parent(ou); *above; above = certdir_dn_parent(above))
		if (certdir_account_is_ou(reading, above))
			return true;
	return false;
}

static bool list_all(struct certdir_account_reading *reading, struct certdir_ldap_connection *connection,
		     struct certdir_error *error)
{
	for (size_t i = 0; i < reading->ous.count; i++)
		if (!is_listed(reading, reading->ous.dns[i]) &&
		    list(reading, connection, reading->ous.dns[i], error) != CERTDIR_LDAP_OK)
			return false;
	return true;
}

bool certdir_accounts_read(const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
			   struct certdir_ldap_connection *connection, struct certdir_arena *arena,
			   struct certdir_accounts *accounts, struct certdir_error *error)
{
	struct certdir_account_reading reading;
	bool ok = false;

	certdir_account_reading_init(&reading, config, domain, arena);
	*accounts = (struct certdir_accounts){.own_count = 0};
	if (!list_all(&reading, connection, error))
		goto out;
	accounts->own_count = reading.own.count;
	accounts->foreign_count = reading.foreign.count;
	accounts->own = keep(arena, &reading.own, by_key);
	accounts->foreign = keep(arena, &reading.foreign, by_dn);
	ok = accounts->own && accounts->foreign && note_all_children(&reading, accounts);
	if (!ok)
		certdir_error_set(error, "out of memory");
out:
	certdir_account_reading_clear(&reading);
	return ok;
}

/* Of what was listed below an entry the entry itself, and whether there is more. */
static bool choose_one(struct certdir_account_reading *reading, const char *dn, struct certdir_account *account)
{
	const struct certdir_account_list *lists[] = {&reading->own, &reading->foreign};
	const char *child = NULL;
	bool found = false;

	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; i < lists[l]->count; i++) {
			if (certdir_dn_equal(lists[l]->items[i].dn, dn)) {
				*account = lists[l]->items[i];
				found = true;
			} else {
				child = lists[l]->items[i].dn;
			}
		}
	if (found && child)
		give_child(reading, account, child);
	return found;
}

static struct certdir_ldap_query look_of(const struct certdir_account_reading *reading, const char *dn)
{
	return (struct certdir_ldap_query){.base = dn,
					   .scope = CERTDIR_LDAP_SUBTREE,
					   .filter = "(objectClass=*)",
					   .attributes = reading->attributes,
					   .pieces = true};
}

/* What came of one; `reading` has only that. */
static void end_look(struct certdir_account_reading *reading, struct certdir_account_look *look)
{
	if (reading->error.text[0])
		look->why = reading->error;
	if (look->status == CERTDIR_LDAP_SIZE_LIMIT)
		look->status = CERTDIR_LDAP_FAILED;
	if (look->status == CERTDIR_LDAP_OK && !choose_one(reading, look->dn, &look->account))
		look->status = CERTDIR_LDAP_NO_OBJECT;
	reading->own.count = reading->foreign.count = 0;
	reading->error.text[0] = '\0';
}

/* A connection that is lost is lost for all. */
static bool is_lost(enum certdir_ldap_status status)
{
	return status == CERTDIR_LDAP_LOST || status == CERTDIR_LDAP_TIMEOUT;
}

bool certdir_accounts_look(const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
			   struct certdir_ldap_connection *connection, struct certdir_arena *arena,
			   struct certdir_account_look *looks, size_t count, struct certdir_error *error)
{
	struct certdir_account_reading reading;
	size_t sent = 0;
	bool ok;

	certdir_error_set(error, "out of memory");
	certdir_account_reading_init(&reading, config, domain, arena);
	ok = certdir_account_reading_begin(&reading);
	for (; ok && sent < count; sent += ok) {
		const struct certdir_ldap_query listing = look_of(&reading, looks[sent].dn);

		ok = certdir_ldap_list_send(connection, &listing, &looks[sent].id, error) == CERTDIR_LDAP_OK;
	}
	for (size_t i = 0; ok && i < sent; i++) {
		const struct certdir_ldap_query listing = look_of(&reading, looks[i].dn);

		looks[i].status = certdir_ldap_list_receive(connection, &listing, looks[i].id,
							    certdir_account_entry_take, &reading, &looks[i].why);
		ok = !is_lost(looks[i].status);
		if (!ok)
			*error = looks[i].why;
		end_look(&reading, &looks[i]);
	}
	certdir_account_reading_clear(&reading);
	if (arena->failed)
		certdir_error_set(error, "out of memory");
	return ok && !arena->failed;
}
