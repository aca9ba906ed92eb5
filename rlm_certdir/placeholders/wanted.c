/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/wanted.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "directory/mark.h"
#include "text/timestamp.h"

enum {
	CN_MAX = 64, /* characters: ub-common-name (RFC 5280 A.1), rangeUpper of Active Directory's cn (MS-ADA1) */
	TEXT_SIZE = 1025 /* rangeUpper of Active Directory's description (MS-ADA1), and a NUL */
};

/* ---- whether the list may be acted on ---- */

/* "3 days" */
static const char *print_age(int64_t seconds, char out[40])
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{86400, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"}};
	size_t i = 0;

	while (i < 3 && seconds < 2 * units[i].seconds)
		i++;
	(void)snprintf(out, 40, "%" PRId64 " %s", seconds / units[i].seconds, units[i].name);
	return out;
}

/* False when a part of a source ("tenant", "Intune of tenant") was synced, and too long ago. */
static bool is_fresh(const struct certdir_list_source *source, const char *part, int64_t synced_at, int64_t now,
		     int64_t max_age, struct certdir_error *error)
{
	char synced[CERTDIR_TIMESTAMP_SIZE], ago[40], limit[40];

	if (now - synced_at <= max_age)
		return true;
	certdir_timestamp_print(synced_at, synced);
	certdir_error_set(error,
			  "the device list is too old to act on: %s \"%.80s\" was %s %s, %s ago, and max_age is %s: %s",
			  part, source->name, source->kind == CERTDIR_SOURCE_TENANT ? "synced" : "imported", synced,
			  print_age(now - synced_at, ago), print_age(max_age, limit),
			  source->kind == CERTDIR_SOURCE_TENANT
				  ? "run certdir sync, and see certdir status for what keeps it from "
				    "working"
				  : "import it again with certdir list import, or raise max_age");
	return false;
}

/* Every part that is asked of tenants has been synced for one of them at least. */
static bool has_part(const struct certdir_list_source *sources, size_t count, bool intune)
{
	size_t tenants = 0;

	for (size_t i = 0; i < count; i++) {
		if (sources[i].kind != CERTDIR_SOURCE_TENANT)
			continue;
		tenants++;
		if (intune ? sources[i].intune_synced : sources[i].groups_synced)
			return true;
	}
	return tenants == 0;
}

/* Which option wants what Intune alone knows of a tenant's devices, or NULL. */
static const char *wants_intune(const struct certdir_placeholders_config *config)
{
	if (config->adopt &&
	    (strstr(config->adopt->text, "{serial_number}") || strstr(config->adopt->text, "{intune_device_id}")))
		return "--pattern";
	if (strstr(config->cn.text, "{serial_number}"))
		return "{serial_number} in name";
	if (strstr(config->cn.text, "{intune_device_id}"))
		return "{intune_device_id} in name";
	if (config->selection.require_compliant)
		return "require_compliant = yes";
	return config->selection.require_managed ? "require_managed = yes" : NULL;
}

/* What an LDAP directory has is there already: it is nobody that an entry is to be made for. */
static bool has_wanted(const struct certdir_list_source *source)
{
	return source->kind != CERTDIR_SOURCE_LDAP;
}

/* Some group that the section goes by, or NULL. */
static const char *wants_groups(const struct certdir_placeholders_config *config)
{
	if (config->selection.groups)
		return config->selection.groups[0];
	if (config->group_count > 0)
		return config->groups[0].name;
	for (size_t i = 0; i < config->place_count; i++)
		if (!config->places[i].tenant)
			return config->places[i].name;
	return NULL;
}

/* What is asked for must be as fresh as the devices. A tenant that never had it does without. */
static bool parts_are_fresh(const struct certdir_placeholders_config *config, const struct certdir_list_source *sources,
			    size_t count, int64_t now, struct certdir_error *error)
{
	const bool intune = wants_intune(config), groups = wants_groups(config);

	for (size_t i = 0; i < count; i++)
		if ((intune && sources[i].intune_synced &&
		     !is_fresh(&sources[i], "Intune of tenant", sources[i].intune_synced, now, config->max_age,
			       error)) ||
		    (groups && sources[i].groups_synced &&
		     !is_fresh(&sources[i], "a group of tenant", sources[i].groups_synced, now, config->max_age,
			       error)))
			return false;
	return true;
}

static bool has_parts(const struct certdir_placeholders_config *config, const struct certdir_list_source *sources,
		      size_t count, struct certdir_error *error)
{
	const char *intune = wants_intune(config), *group = wants_groups(config);

	if (intune && !has_part(sources, count, true)) {
		certdir_error_set(error,
				  "the device list is incomplete: %s asks for Intune, which no tenant was synced with "
				  "yet: run certdir sync, and see certdir status for what keeps Intune out",
				  intune);
		return false;
	}
	if (group && !has_part(sources, count, false)) {
		certdir_error_set(error,
				  "the device list is incomplete: %s asks for groups, and no tenant was "
				  "synced with any yet: write group = %.80s into [tenant ..] and run certdir sync",
				  config->selection.groups ? "require_group" : "the section", group);
		return false;
	}
	return true;
}

static bool knows_group(struct certdir_list_reader *reader, const char *option, const char *group,
			struct certdir_error *error)
{
	bool knows;

	if (!certdir_list_knows_group(reader, group, &knows, error))
		return false;
	if (!knows)
		certdir_error_set(
			error,
			"%s \"%.80s\": the device list knows no group of this name or id, which is not one "
			"that nobody is in: write group = %.80s into [tenant ..] and run certdir sync, or "
			"correct the name when the group was renamed; an import knows a group only while a device "
			"of it is in that",
			option, group, group);
	return knows;
}

static bool knows_groups(const struct certdir_placeholders_config *config, struct certdir_list_snapshot *list,
			 struct certdir_error *error)
{
	struct certdir_list_reader *reader;
	bool ok = true;

	if (config->group_count == 0 && config->place_count == 0)
		return true;
	reader = certdir_list_reader_get(list, error);
	if (!reader)
		return false;
	for (size_t i = 0; ok && i < config->group_count; i++)
		ok = knows_group(reader, "group", config->groups[i].name, error);
	for (size_t i = 0; ok && i < config->place_count; i++)
		ok = config->places[i].tenant || knows_group(reader, "ou_of_group", config->places[i].name, error);
	certdir_list_reader_put(reader);
	return ok;
}

bool certdir_wanted_list_usable(const struct certdir_placeholders_config *config, struct certdir_list_snapshot *list,
				int64_t now, struct certdir_error *error)
{
	const struct certdir_list_source *sources;
	size_t count, devices = 0;

	sources = certdir_list_sources(list, &count);
	for (size_t i = 0; i < count; i++)
		devices += has_wanted(&sources[i]) ? sources[i].devices : 0;
	if (devices == 0) {
		certdir_error_set(error, "the device list is empty, which is no reason to take every account away: run "
					 "certdir sync or certdir list import first");
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (has_wanted(&sources[i]) &&
		    !is_fresh(&sources[i], sources[i].kind == CERTDIR_SOURCE_TENANT ? "tenant" : "import",
			      sources[i].synced, now, sources[i].good_for ? sources[i].good_for : config->max_age,
			      error))
			return false;
	return has_parts(config, sources, count, error) && parts_are_fresh(config, sources, count, now, error) &&
	       knows_groups(config, list, error);
}

/* ---- reading ---- */

/* A device of the list and what is known of where it stands there. */
struct candidate {
	struct certdir_wanted wanted;
	const struct certdir_list_source *source;
	const char *tenant; /* or NULL */
	size_t order; /* in which they came */
};

struct reading {
	const struct certdir_placeholders_config *config;
	const char *domain;
	int64_t now;
	struct certdir_arena *arena;
	size_t templates; /* of all columns */
	size_t of_ldap; /* devices that has_wanted() keeps out */
	struct candidate *found;
	size_t count;
	bool failed;
};

static const char *copy(struct certdir_arena *arena, const char *text)
{
	return text ? certdir_arena_copy(arena, text, strlen(text)) : NULL;
}

/* As UTF-16 counts, which is how Active Directory does; in no case less than the characters. */
static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++) {
		if (((unsigned char)*text & 0xc0) != 0x80)
			count++;
		if ((unsigned char)*text >= 0xf0)
			count++;
	}
	return count;
}

/* What keeps the device's id from standing in a mark, or NULL. */
static const char *key_problem(struct reading *in, const struct certdir_device *device)
{
	const size_t length = strlen(device->id);

	if (!device->entra_device_id && !device->intune_device_id && !device->object_id && !device->sid &&
	    !device->serial_number && !device->name)
		return "has no id, serial number or name that it could be known by";
	if (length > CERTDIR_MARK_KEY_MAX)
		return certdir_arena_print(in->arena, "has an id of %zu bytes, and a mark holds %d", length,
					   CERTDIR_MARK_KEY_MAX);
	return NULL;
}

/* The CN, or NULL with *problem. */
static const char *make_cn(struct reading *in, const struct certdir_template_source *source, const char **problem)
{
	char text[TEXT_SIZE], *start = text;
	const char *missing;
	size_t length;

	if (!certdir_template_fill(&in->config->cn, source, true, text, sizeof(text), &missing)) {
		*problem = missing ? certdir_arena_print(in->arena, "has no %s", missing)
				   : "would get a name of more than 1024 bytes";
		return NULL;
	}
	start += strspn(start, " ");
	for (length = strlen(start); length > 0 && start[length - 1] == ' '; length--)
		;
	start[length] = '\0';
	if (length == 0 || characters(start) > CN_MAX) {
		*problem = length == 0 ? "would get an empty name"
				       : certdir_arena_print(in->arena,
							     "would get a name of %zu characters, and a CN has at most "
							     "%d: %.40s..",
							     characters(start), CN_MAX, start);
		return NULL;
	}
	return certdir_arena_copy(in->arena, start, length);
}

static bool has_value(const struct certdir_ldap_bytes *items, size_t count, const char *text, size_t length,
		      bool folded)
{
	for (size_t i = 0; i < count; i++)
		if (folded ? certdir_fold_same(items[i].bytes, items[i].length, text, length, CERTDIR_ACCENTS_IGNORED)
			   : items[i].length == length && memcmp(items[i].bytes, text, length) == 0)
			return true;
	return false;
}

/*
 * The values of one column into `items`, sorted, each once. A description is for people and says what there is to say; a name
 * of any kind that lacks a part would be everybody's, so it is left out.
 */
static bool fill_column(struct reading *in, const struct certdir_column *column,
			const struct certdir_template_source *source, struct certdir_ldap_bytes *items, size_t *count,
			const char **problem)
{
	const bool strict = strcasecmp(column->attribute, "description") != 0;
	char text[TEXT_SIZE];
	const char *missing;
	size_t length;

	*count = 0;
	for (size_t i = 0; i < column->template_count; i++) {
		if (!certdir_template_fill(&column->templates[i], source, strict, text, sizeof(text), &missing)) {
			if (!missing && !*problem)
				*problem = certdir_arena_print(in->arena, "would get more than %d bytes of %s",
							       TEXT_SIZE - 1, column->attribute);
			continue;
		}
		length = strlen(text);
		if (length == 0 || has_value(items, *count, text, length, column->folded))
			continue;
		items[*count] = (struct certdir_ldap_bytes){certdir_arena_copy(in->arena, text, length), length};
		if (!items[(*count)++].bytes)
			return false;
	}
	if (*count > 1)
		qsort(items, *count, sizeof(*items), certdir_bytes_compare);
	return true;
}

static bool fill_columns(struct reading *in, struct certdir_wanted *wanted,
			 const struct certdir_template_source *source, const char **problem)
{
	const struct certdir_placeholders_config *config = in->config;
	struct certdir_ldap_bytes *items = certdir_arena_alloc(in->arena, (in->templates + 1) * sizeof(*items));
	struct certdir_ldap_values *values =
		certdir_arena_alloc(in->arena, (config->rules.column_count + 1) * sizeof(*values));

	if (!items || !values)
		return false;
	for (size_t i = 0; i < config->rules.column_count; i++) {
		values[i].items = items;
		if (!fill_column(in, &config->rules.columns[i], source, items, &values[i].count, problem))
			return false;
		items += config->rules.columns[i].template_count;
	}
	wanted->values = values;
	return true;
}

/* ---- groups and places ---- */

static bool is_named(const char *name, const char *text)
{
	return text && strcasecmp(name, text) == 0;
}

/* As require_group has it; what the sync keeps although the device has left the group is good for as long as the list is. */
static bool is_member(const struct reading *in, const struct certdir_device *device, const char *name)
{
	for (size_t i = 0; i < device->group_count; i++) {
		const struct certdir_group *group = &device->groups[i];

		if (is_named(name, group->name) || is_named(name, group->id) || is_named(name, group->sid))
			return !group->as_of || in->now - group->as_of <= in->config->max_age;
	}
	return false;
}

static bool is_of_tenant(const struct certdir_device *device, const struct certdir_list_source *source,
			 const char *name)
{
	return is_named(name, source->tenant) || is_named(name, device->tenant) ||
	       (source->kind == CERTDIR_SOURCE_TENANT && is_named(name, source->name));
}

/* The OU, the groups, the primary one of a device. */
static void place(const struct reading *in, const struct certdir_device *device,
		  const struct certdir_list_source *source, struct certdir_wanted *wanted)
{
	const struct certdir_placeholders_config *config = in->config;

	wanted->ou = config->rules.ou;
	for (size_t i = config->place_count; i-- > 0;)
		if (config->places[i].tenant ? is_of_tenant(device, source, config->places[i].name)
					     : is_member(in, device, config->places[i].name))
			wanted->ou = config->places[i].ou;
	if (config->member_of)
		wanted->groups = wanted->primary = 1;
	for (size_t i = config->group_count; i-- > 0;)
		if (is_member(in, device, config->groups[i].name)) {
			wanted->groups |= UINT64_C(1) << config->groups[i].target;
			wanted->primary = 1 + (unsigned)config->groups[i].target;
		}
}

static const char *fill_pattern(struct reading *in, const struct certdir_template_source *source)
{
	char text[TEXT_SIZE];
	const char *missing;

	if (!in->config->adopt ||
	    !certdir_template_fill(in->config->adopt, source, true, text, sizeof(text), &missing) || !text[0])
		return NULL;
	return copy(in->arena, text);
}

static bool describe(struct reading *in, const struct certdir_device *device, struct candidate *candidate)
{
	struct certdir_template_source source = {.device = device, .domain = in->domain};
	struct certdir_wanted *wanted = &candidate->wanted;
	const char *problem = NULL;

	*wanted = (struct certdir_wanted){.key = copy(in->arena, device->id),
					  .name = copy(in->arena, device->name),
					  .sid = copy(in->arena, device->sid),
					  .hybrid = device->join_type == CERTDIR_JOIN_HYBRID};
	place(in, device, candidate->source, wanted);
	wanted->left_out = certdir_selection_judge(&in->config->selection, device, candidate->source, in->now,
						   in->arena, &wanted->why_not);
	wanted->pattern = fill_pattern(in, &source);
	wanted->cn = source.cn = make_cn(in, &source, &problem);
	if (wanted->cn && !fill_columns(in, wanted, &source, &problem))
		return false;
	if (!wanted->why_not) {
		wanted->problem = key_problem(in, device);
		if (!wanted->problem)
			wanted->problem = problem;
	}
	return !in->arena->failed;
}

/* A certdir_list_each() function. */
static bool add_device(void *context, int64_t row, const struct certdir_device *device,
		       const struct certdir_list_source *source)
{
	struct reading *in = context;
	struct candidate *candidate;

	(void)row;
	if (!has_wanted(source)) {
		in->of_ldap++;
		return true;
	}
	in->failed = true;
	candidate = certdir_array_next(&in->found, in->count, sizeof(*candidate));
	if (!candidate)
		return false;
	candidate->source = source;
	candidate->order = in->count++;
	/* It is looked at for imports alone; a tenant's device has the tenant of its source. */
	if (source->kind == CERTDIR_SOURCE_IMPORT)
		candidate->tenant = copy(in->arena, device->tenant);
	in->failed = !describe(in, device, candidate);
	return !in->failed;
}

/* ---- each key once ---- */

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;
	const int order = strcmp(left->wanted.key, right->wanted.key);

	return order ? order : (left->order > right->order) - (left->order < right->order);
}

/* A tenant knows its own devices better than an import does, but for a "no", which settle() hears from all. */
static bool is_beaten(const struct candidate *import, const struct candidate *same, size_t count)
{
	if (import->source->kind == CERTDIR_SOURCE_TENANT)
		return false;
	for (size_t i = 0; i < count; i++)
		if (same[i].source->kind == CERTDIR_SOURCE_TENANT &&
		    (!import->tenant ||
		     (same[i].source->tenant && strcmp(import->tenant, same[i].source->tenant) == 0)))
			return true;
	return false;
}

/*
 * Of devices with one key the one that counts, with a problem when several do. A login is denied by any record's "no", so that of any
 * device here leaves it without an entry.
 */
static const struct certdir_wanted *settle(struct reading *in, struct candidate *same, size_t count)
{
	struct candidate *chosen = NULL, *other = NULL;
	const struct certdir_wanted *no = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!no && certdir_left_out_is_no(same[i].wanted.left_out))
			no = &same[i].wanted;
		if (is_beaten(&same[i], same, count))
			continue;
		if (!chosen) {
			chosen = &same[i];
			continue;
		}
		if (!other)
			other = &same[i];
		/* One that should come in has to be looked at; when none of them should, there is nothing to it. */
		if (chosen->wanted.why_not && !same[i].wanted.why_not) {
			other = chosen;
			chosen = &same[i];
		}
	}
	if (no && !certdir_left_out_is_no(chosen->wanted.left_out)) {
		chosen->wanted.why_not = no->why_not;
		chosen->wanted.left_out = no->left_out;
		chosen->wanted.problem = NULL;
	}
	if (other && !chosen->wanted.why_not)
		chosen->wanted.problem = certdir_arena_print(
			in->arena,
			"stands in the list more than once (in \"%.80s\" and in \"%.80s\"), and none of them counts "
			"before the others",
			chosen->source->name, other->source->name);
	return &chosen->wanted;
}

static bool take_all(struct reading *in, struct certdir_wanted_list *wanted)
{
	size_t end;

	wanted->devices = certdir_arena_alloc(in->arena, (in->count + 1) * sizeof(*wanted->devices));
	if (!wanted->devices)
		return false;
	if (in->count > 0)
		qsort(in->found, in->count, sizeof(*in->found), compare_candidates);
	for (size_t i = 0; i < in->count; i = end) {
		const struct certdir_wanted *chosen;

		for (end = i + 1; end < in->count; end++)
			if (strcmp(in->found[end].wanted.key, in->found[i].wanted.key) != 0)
				break;
		chosen = settle(in, &in->found[i], end - i);
		wanted->devices[wanted->count++] = *chosen;
		wanted->selected += !chosen->why_not;
		wanted->left_out[chosen->left_out]++;
	}
	wanted->left_out[CERTDIR_LEFT_OUT_LDAP] = in->of_ldap;
	return !in->arena->failed;
}

bool certdir_wanted_read(const struct certdir_placeholders_config *config, struct certdir_list_reader *reader,
			 const char *domain, int64_t now, struct certdir_arena *arena,
			 struct certdir_wanted_list *wanted, struct certdir_error *error)
{
	struct reading in = {.config = config, .domain = domain, .now = now, .arena = arena};
	bool ok;

	*wanted = (struct certdir_wanted_list){0};
	for (size_t i = 0; i < config->rules.column_count; i++)
		in.templates += config->rules.columns[i].template_count;
	ok = certdir_list_each(reader, add_device, &in, error);
	if (ok && (in.failed || !take_all(&in, wanted))) {
		certdir_error_set(error, "out of memory: there are %zu devices and more", in.count);
		ok = false;
	}
	free(in.found);
	return ok;
}

/* ---- finding ---- */

static int compare_key(const void *key, const void *wanted)
{
	return strcmp(key, ((const struct certdir_wanted *)wanted)->key);
}

struct certdir_wanted *certdir_wanted_find(const struct certdir_wanted_list *wanted, const char *key)
{
	if (wanted->count == 0)
		return NULL;
	return bsearch(key, wanted->devices, wanted->count, sizeof(*wanted->devices), compare_key);
}
