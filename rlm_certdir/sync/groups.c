/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The groups that the configuration names: who is in them, directly or through other groups. The spool has three listings of
 * each word: 3n is which group it means, 3n + 1 which users are in that, where users are listed, 3n + 2 which devices.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/part.h"
#include "sync/record.h"
#include "text/canonical.h"

static const char permission[] = "GroupMember.Read.All";

/* What Graph has for a configured word. */
struct found {
	char *id;
	char *name;
	size_t count; /* groups that the word fits */
};

static void found_clear(struct found *found)
{
	free(found->id);
	free(found->name);
	*found = (struct found){NULL, NULL, 0};
}

/* ---- which group is meant ---- */

static bool take_group(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	struct found *found = context;
	const char *id, *name;

	if (!certdir_record_group(object, &id, &name, error))
		return false;
	/* A page that is asked for again brings the same group again. */
	if (found->id && strcmp(found->id, id) == 0)
		return true;
	found->count++;
	if (found->id)
		return true;
	found->id = strdup(id);
	found->name = strdup(name ? name : id);
	if (!found->id || !found->name)
		certdir_error_set(error, "out of memory");
	return found->id && found->name;
}

/* A word as a text of OData, in whose quotes quotes are doubled (OData ABNF). */
static char *double_quotes(const char *word)
{
	char *text = malloc(strlen(word) * 2 + 1), *out = text;

	for (; text && *word; word++) {
		if (*word == '\'')
			*out++ = '\'';
		*out++ = *word;
	}
	if (text)
		*out = '\0';
	return text;
}

static char *find_url(const struct certdir_sync_job *job, const char *word)
{
	char *doubled = double_quotes(word), *filter = NULL, *query = NULL, *url = NULL, id[CERTDIR_VALUE_MAX + 1];
	const bool by_id = certdir_canonical(CERTDIR_ID_GUID, word, strlen(word), id);

	if (doubled)
		filter = certdir_print("%s eq '%s'", by_id ? "id" : "displayName", doubled);
	if (filter)
		query = certdir_http_form((const char *const[]){"$filter", filter, "$select", "id,displayName", NULL});
	if (query)
		url = certdir_sync_url(job, "/groups?%s", query);
	free(doubled);
	free(filter);
	free(query);
	return url;
}

/* Exactly one group must fit: two of one name are two sets of people, and one of them is not meant. */
static bool is_one(const char *word, const struct found *found, struct certdir_error *error)
{
	if (found->count == 0)
		certdir_error_set(error, "group \"%s\": Entra ID has none of this name or object id", word);
	else if (found->count > 1)
		certdir_error_set(
			error,
			"group \"%s\": %zu groups have this name: write the object id of the one that is meant, %s "
			"for example",
			word, found->count, found->id);
	return found->count == 1;
}

static struct certdir_listing find_listing(size_t number, struct found *found)
{
	return (struct certdir_listing){.number = (unsigned)number * 3,
					.permission = permission,
					.properties = certdir_record_group_properties,
					.each = take_group,
					.context = found};
}

/* ---- what is to be done ---- */

static size_t count_words(const struct certdir_sync_job *job)
{
	size_t count = 0;

	while (job->tenant->groups[count])
		count++;
	return count;
}

/* The address, and the words. */
static char *of(const struct certdir_sync_job *job)
{
	char *text = certdir_sync_url(job, "/groups\n%s%s", job->tenant->tenant_id, job->tenant->users ? " users" : ""),
	     *longer;

	for (size_t i = 0; text && i < count_words(job); i++) {
		longer = certdir_print("%s\n%s", text, job->tenant->groups[i]);
		free(text);
		text = longer;
	}
	return text;
}

/* Without a group, memberships of former times have to end. */
static bool plan(struct certdir_sync_job *job, const struct certdir_tenant_state *state, bool *fetch)
{
	*fetch = count_words(job) > 0;
	if (!*fetch && state->groups_synced == 0)
		certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED, "no group is configured");
	else if (*fetch && job->paced && !job->all && state->groups_synced != 0 && job->now >= state->groups_synced &&
		 job->now - state->groups_synced < job->tenant->groups_interval)
		certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED, "not due yet (groups_interval)");
	else
		return true;
	return false;
}

/* ---- from Graph ---- */

/* CERTDIR_GRAPH_OK: the word means one group. */
static enum certdir_graph_outcome fetch_group(struct certdir_sync_job *job, size_t number, struct found *found,
					      struct certdir_error *error)
{
	const char *word = job->tenant->groups[number];
	enum certdir_graph_outcome outcome;
	struct certdir_listed listed;

	outcome = certdir_sync_part_fetch(job, find_listing(number, found), find_url(job, word), &listed, error);
	certdir_listed_clear(&listed);
	if (outcome != CERTDIR_GRAPH_OK || is_one(word, found, error))
		return outcome;
	certdir_sync_part_forget(job);
	return CERTDIR_GRAPH_FAILED;
}

/* Graph counts the members, too: a listing with fewer of them is cut short. */
static enum certdir_graph_outcome fetch_members(struct certdir_sync_job *job, size_t number, bool users,
						const struct found *found, struct certdir_error *error)
{
	const struct certdir_listing listing = {
		.number = (unsigned)number * 3 + 2 - users, .permission = permission, .eventual = true};
	enum certdir_graph_outcome outcome;
	struct certdir_listed listed;
	char *url =
		certdir_sync_url(job, "/groups/%s/transitiveMembers/microsoft.graph.%s?$select=id&$count=true&$top=999",
				 found->id, users ? "user" : "device");

	outcome = certdir_sync_part_fetch(job, listing, url, &listed, error);
	if (outcome == CERTDIR_GRAPH_OK && listed.count > (int64_t)listed.objects) {
		certdir_error_set(error, "Graph's listing is incomplete: %zu members of %lld", listed.objects,
				  (long long)listed.count);
		certdir_sync_part_forget(job);
		outcome = CERTDIR_GRAPH_FAILED;
	}
	certdir_listed_clear(&listed);
	return outcome;
}

static void fetch(struct certdir_sync_job *job)
{
	enum certdir_graph_outcome outcome = CERTDIR_GRAPH_OK;
	struct found found = {NULL, NULL, 0};
	struct certdir_error error;

	for (size_t i = 0; i < count_words(job) && outcome == CERTDIR_GRAPH_OK; i++) {
		outcome = fetch_group(job, i, &found, &error);
		if (outcome == CERTDIR_GRAPH_OK && job->tenant->users)
			outcome = fetch_members(job, i, true, &found, &error);
		if (outcome == CERTDIR_GRAPH_OK)
			outcome = fetch_members(job, i, false, &found, &error);
		found_clear(&found);
	}
	if (outcome == CERTDIR_GRAPH_OK)
		certdir_sync_part_fetched(job);
	else
		certdir_sync_part_broken(job, outcome, &error);
}

/* ---- into the list ---- */

static bool put(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	struct certdir_tenant *list = context;
	const char *id;

	return certdir_record_member(object, &id, error) && certdir_tenant_group_put(list, id, error);
}

/* The members of a group that are devices, or users. CERTDIR_GRAPH_OK: its part has ended, as *ended says. */
static enum certdir_graph_outcome apply_members(struct certdir_sync_job *job, struct certdir_tenant *list,
						size_t number, bool users, const struct found *found,
						enum certdir_tenant_ended *ended, struct certdir_error *error)
{
	const struct certdir_listing members = {.number = (unsigned)number * 3 + 2 - users,
						.properties = certdir_record_member_properties,
						.each = put,
						.context = list};
	struct certdir_tenant_counts counts = {0};
	enum certdir_graph_outcome outcome;
	struct certdir_listed listed;

	if (!(users ? certdir_tenant_group_begin_users(list, found->id, found->name, error)
		    : certdir_tenant_group_begin(list, found->id, found->name, error)))
		return CERTDIR_GRAPH_FAILED;
	outcome = certdir_sync_part_replay(job, members, &listed, error);
	certdir_listed_clear(&listed);
	if (outcome != CERTDIR_GRAPH_OK) {
		certdir_tenant_part_abandon(list);
		return outcome;
	}
	*ended = certdir_tenant_group_end(list, &counts, error);
	*ended = certdir_sync_part_guard(job, *ended, &counts, "members of a group", error);
	certdir_sync_counts_add(&job->report.counts, &counts);
	return CERTDIR_GRAPH_OK;
}

/* One group whole; *ended is the worse of its parts. */
static enum certdir_graph_outcome apply_group(struct certdir_sync_job *job, struct certdir_tenant *list, size_t number,
					      struct found *found, enum certdir_tenant_ended *ended,
					      struct certdir_error *error)
{
	enum certdir_tenant_ended users = CERTDIR_ENDED;
	enum certdir_graph_outcome outcome;
	struct certdir_listed listed;

	outcome = certdir_sync_part_replay(job, find_listing(number, found), &listed, error);
	certdir_listed_clear(&listed);
	if (outcome == CERTDIR_GRAPH_OK && job->tenant->users)
		outcome = apply_members(job, list, number, true, found, &users, error);
	if (outcome != CERTDIR_GRAPH_OK)
		return outcome;
	*ended = users;
	if (users != CERTDIR_ENDED_FAILED)
		outcome = apply_members(job, list, number, false, found, ended, error);
	if (*ended == CERTDIR_ENDED)
		*ended = users;
	return outcome;
}

/* All groups; one that the guard refuses keeps none of the others back. False, with the part's end noted, when one failed. */
static bool apply_groups(struct certdir_sync_job *job, struct certdir_tenant *list, struct found *found)
{
	enum certdir_graph_outcome outcome;
	enum certdir_tenant_ended ended;
	struct certdir_error error;

	for (size_t i = 0; i < count_words(job); i++) {
		outcome = apply_group(job, list, i, &found[i], &ended, &error);
		if (outcome != CERTDIR_GRAPH_OK) {
			certdir_sync_part_broken(job, outcome, &error);
			return false;
		}
		if (ended == CERTDIR_ENDED_FAILED) {
			certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
			return false;
		}
		if (ended == CERTDIR_ENDED_SHRUNK && job->report.result != CERTDIR_SYNC_SHRUNK)
			certdir_sync_part_end(job, CERTDIR_SYNC_SHRUNK, "%s", error.text);
	}
	return true;
}

/* Memberships in groups that are no longer asked for end. */
static void keep_groups(struct certdir_sync_job *job, struct certdir_tenant *list, const struct found *found)
{
	const size_t count = count_words(job);
	const char **ids = calloc(count + 1, sizeof(*ids));
	struct certdir_error error = {.text = "out of memory"};

	for (size_t i = 0; ids && i < count; i++)
		ids[i] = found[i].id;
	if (!ids || !certdir_tenant_groups_keep(list, ids, &error))
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
	free(ids);
}

static void apply(struct certdir_sync_job *job, struct certdir_tenant *list)
{
	const size_t count = count_words(job);
	struct found *found = calloc(count + 1, sizeof(*found));

	job->report.counts = (struct certdir_tenant_counts){0};
	certdir_sync_part_end(job, CERTDIR_SYNC_DONE, NULL);
	if (!found)
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "out of memory");
	else if (apply_groups(job, list, found))
		keep_groups(job, list, found);
	for (size_t i = 0; i < count && found; i++)
		found_clear(&found[i]);
	free(found);
}

const struct certdir_sync_kind certdir_sync_groups = {plan, of, NULL, fetch, apply};
