/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/memberships.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

const char *const certdir_memberships_attributes[] = {"objectSid", "memberOf", NULL};

enum { SID_MAX = 68 }; /* bytes: 15 sub-authorities (MS-DTYP 2.4.2.2) */

struct group {
	char *key; /* its DN, normal */
	char *dn;
	unsigned char sid[SID_MAX];
	size_t sid_length; /* 0 = none */
	char **parents; /* DNs of the groups that it is a member of, normal */
	size_t parent_count;
};

struct certdir_memberships {
	struct group *groups;
	size_t count;
	const struct group **by_sid;
	bool sorted;
};

struct certdir_memberships *certdir_memberships_open(void)
{
	return calloc(1, sizeof(struct certdir_memberships));
}

static void clear_group(struct group *group)
{
	for (size_t i = 0; i < group->parent_count; i++)
		free(group->parents[i]);
	free(group->parents);
	free(group->key);
	free(group->dn);
}

void certdir_memberships_close(struct certdir_memberships *memberships)
{
	if (!memberships)
		return;
	for (size_t i = 0; i < memberships->count; i++)
		clear_group(&memberships->groups[i]);
	free(memberships->groups);
	free(memberships->by_sid);
	free(memberships);
}

/* ---- in ---- */

static char *normal_of(const void *dn, size_t length)
{
	char *text = strndup(dn, length), *normal = text ? certdir_ldap_dn_normal(text) : NULL;

	free(text);
	return normal;
}

static bool read_parents(struct group *group, const struct certdir_ldap_entry *entry)
{
	const struct certdir_ldap_value *value;
	size_t i = 0;

	group->parents = calloc(entry->count + 1, sizeof(*group->parents));
	while (group->parents && (value = certdir_ldap_entry_next(entry, "memberOf", &i)) != NULL) {
		if (!certdir_ldap_text_valid((const char *)value->bytes, value->length))
			continue;
		group->parents[group->parent_count] = normal_of(value->bytes, value->length);
		if (!group->parents[group->parent_count++])
			return false;
	}
	return group->parents;
}

static bool read_group(struct group *group, const struct certdir_ldap_entry *entry)
{
	const struct certdir_ldap_value *sid;
	size_t count;

	sid = certdir_ldap_entry_only(entry, "objectSid", &count);
	if (sid && sid->length <= SID_MAX) {
		memcpy(group->sid, sid->bytes, sid->length);
		group->sid_length = sid->length;
	}
	group->key = normal_of(entry->dn, entry->dn_length);
	group->dn = strndup(entry->dn, entry->dn_length);
	return group->key && group->dn && read_parents(group, entry);
}

bool certdir_memberships_add(struct certdir_memberships *memberships, const struct certdir_ldap_entry *entry)
{
	struct group *group;

	if (!entry->dn || !certdir_ldap_text_valid(entry->dn, entry->dn_length))
		return true;
	group = certdir_array_next(&memberships->groups, memberships->count, sizeof(*group));
	/* It counts even when it could not be read whole, so that it is freed. */
	memberships->count += group != NULL;
	return group && read_group(group, entry);
}

/* ---- out ---- */

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct group *)a)->key, ((const struct group *)b)->key);
}

static int compare_sids(const struct group *a, const struct group *b)
{
	if (a->sid_length != b->sid_length)
		return a->sid_length < b->sid_length ? -1 : 1;
	return memcmp(a->sid, b->sid, a->sid_length);
}

static int compare_by_sid(const void *a, const void *b)
{
	return compare_sids(*(const struct group *const *)a, *(const struct group *const *)b);
}

static bool sort(struct certdir_memberships *memberships)
{
	if (memberships->sorted)
		return true;
	memberships->by_sid = calloc(memberships->count + 1, sizeof(*memberships->by_sid));
	if (!memberships->by_sid)
		return false;
	if (memberships->count > 0)
		qsort(memberships->groups, memberships->count, sizeof(*memberships->groups), compare_keys);
	for (size_t i = 0; i < memberships->count; i++)
		memberships->by_sid[i] = &memberships->groups[i];
	if (memberships->count > 0)
		qsort(memberships->by_sid, memberships->count, sizeof(*memberships->by_sid), compare_by_sid);
	memberships->sorted = true;
	return true;
}

static const struct group *find(const struct certdir_memberships *memberships, const char *key)
{
	const struct group sought = {.key = (char *)key};

	return memberships->count
		       ? bsearch(&sought, memberships->groups, memberships->count, sizeof(sought), compare_keys)
		       : NULL;
}

/* The primary group, which memberOf does not have; NULL when it is not known. */
static const struct group *find_primary(const struct certdir_memberships *memberships,
					const struct certdir_ldap_entry *entry)
{
	struct group sought = {.key = NULL};
	const struct group *key = &sought, *const * found;

	if (!certdir_ldap_primary_group(entry, sought.sid, &sought.sid_length) || !sought.sid_length ||
	    !memberships->count)
		return NULL;
	found = bsearch(&key, memberships->by_sid, memberships->count, sizeof(key), compare_by_sid);
	return found ? *found : NULL;
}

/* A group that is there already gets its SID. */
static bool add(struct certdir_device *device, const struct group *group, const char *base, bool *cut)
{
	static const char attribute[] = "objectSid";
	const struct certdir_ldap_value sid = {attribute, sizeof(attribute) - 1, group->sid, group->sid_length};
	const struct certdir_ldap_entry entry = {group->dn, strlen(group->dn), &sid, group->sid_length ? 1 : 0,
						 .pieces = NULL};

	return certdir_ldap_group_add(device, &entry, base, cut);
}

/* Adds what is above one group of the device. */
static bool add_parents(const struct certdir_memberships *memberships, struct certdir_device *device, size_t index,
			const char *base, bool *cut)
{
	char *key = certdir_ldap_dn_normal(device->groups[index].id);
	const struct group *group = key ? find(memberships, key) : NULL;
	bool ok = key && (!group || add(device, group, base, cut));

	for (size_t i = 0; ok && group && i < group->parent_count; i++) {
		const struct group *parent = find(memberships, group->parents[i]);

		ok = !parent || add(device, parent, base, cut);
	}
	free(key);
	return ok;
}

bool certdir_memberships_read(struct certdir_memberships *memberships, struct certdir_device *device,
			      const struct certdir_ldap_entry *entry, const char *base, bool *cut)
{
	const struct group *primary;

	if (!sort(memberships) || !certdir_ldap_group_read(device, entry, base, cut))
		return false;
	primary = find_primary(memberships, entry);
	if (primary && !add(device, primary, base, cut))
		return false;
	/* Each group is there once, so circles end. */
	for (size_t i = 0; i < device->group_count; i++)
		if (!add_parents(memberships, device, i, base, cut))
			return false;
	return true;
}
