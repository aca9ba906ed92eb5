/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The groups that the configuration names: who is in them, directly or through other groups. */
#include "list/text.h"
#include "sync/part.h"
#include "sync/record.h"

#include <stdlib.h>
#include <string.h>

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

/* A word in an OData filter of a URL: quotes are doubled (OData ABNF), all but unreserved characters escaped (RFC 3986 2.3). */
static char *escape(const char *word)
{
	static const char digits[] = "0123456789ABCDEF";
	char *text = malloc(strlen(word) * 6 + 1), *out = text;

	for (; text && *word; word++) {
		const unsigned char byte = (unsigned char)*word;

		if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
		    strchr("-._~", byte)) {
			*out++ = (char)byte;
			continue;
		}
		for (int i = 0; i < (byte == '\'' ? 2 : 1); i++) {
			*out++ = '%';
			*out++ = digits[byte >> 4];
			*out++ = digits[byte & 15];
		}
	}
	if (text)
		*out = '\0';
	return text;
}

static char *find_url(const struct certdir_sync_tenant *tenant, const char *word)
{
	struct certdir_error not_a_guid;
	char *id = NULL, *escaped = escape(word), *url = NULL;
	const bool by_id = certdir_list_text_make("", "", CERTDIR_FORM_GUID, word, &id, &not_a_guid) && id;

	if (escaped)
		url = certdir_sync_url(tenant, "/groups?$filter=%s%%20eq%%20'%s'&$select=id,displayName",
				       by_id ? "id" : "displayName", escaped);
	free(escaped);
	free(id);
	return url;
}

/* Exactly one group must fit: two of one name are two sets of people, and one of them is not meant. */
static enum certdir_graph_outcome find(struct certdir_sync_tenant *tenant, const char *word, struct found *found,
				       struct certdir_error *error)
{
	const struct certdir_listing listing = {.permission = permission,
						.properties = certdir_record_group_properties,
						.each = take_group,
						.context = found};
	char *url = find_url(tenant, word);
	enum certdir_graph_outcome outcome = CERTDIR_GRAPH_FAILED;
	struct certdir_listed listed;

	if (!url) {
		certdir_error_set(error, "out of memory");
		return outcome;
	}
	outcome = certdir_listing_run(tenant->graph, &listing, url, &listed, error);
	certdir_listed_clear(&listed);
	free(url);
	if (outcome != CERTDIR_GRAPH_OK || found->count == 1)
		return outcome;
	if (found->count == 0)
		certdir_error_set(error, "group \"%s\": Entra ID has none of this name or object id", word);
	else
		certdir_error_set(
			error,
			"group \"%s\": %zu groups have this name: write the object id of the one that is meant, %s "
			"for example",
			word, found->count, found->id);
	return CERTDIR_GRAPH_FAILED;
}

/* ---- who is in it ---- */

static bool put(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	struct certdir_sync_tenant *tenant = context;
	const char *id;

	return certdir_record_member(object, &id, error) && certdir_list_group_put(tenant->list, id, error);
}

/* Graph counts the members, too: a listing with fewer of them is cut short. */
static enum certdir_graph_outcome list_members(struct certdir_sync_tenant *tenant, const char *url,
					       struct certdir_error *error)
{
	const struct certdir_listing listing = {.permission = permission,
						.eventual = true,
						.properties = certdir_record_member_properties,
						.each = put};
	enum certdir_graph_outcome outcome;
	struct certdir_listed listed;

	outcome = certdir_sync_part_list(tenant, listing, url, &listed, error);
	if (outcome == CERTDIR_GRAPH_OK && listed.count > (int64_t)listed.objects) {
		certdir_error_set(error, "Graph's listing came short: %zu members of %lld", listed.objects,
				  (long long)listed.count);
		outcome = CERTDIR_GRAPH_FAILED;
	}
	certdir_listed_clear(&listed);
	return outcome;
}

static void add_tally(struct certdir_list_tally *sum, const struct certdir_list_tally *tally)
{
	sum->before += tally->before;
	sum->added += tally->added;
	sum->changed += tally->changed;
	sum->lost += tally->lost;
	sum->after += tally->after;
	sum->unlisted += tally->unlisted;
	sum->duplicates += tally->duplicates;
}

/* One group whole. CERTDIR_GRAPH_OK: its part has ended, as *ended says. */
static enum certdir_graph_outcome sync_group(struct certdir_sync_tenant *tenant, const struct found *found,
					     enum certdir_list_ended *ended, struct certdir_error *error)
{
	struct certdir_list_tally tally = {0};
	enum certdir_graph_outcome outcome;
	char *url;

	if (!certdir_list_group_begin(tenant->list, found->id, found->name, error))
		return CERTDIR_GRAPH_FAILED;
	url = certdir_sync_url(tenant,
			       "/groups/%s/transitiveMembers/microsoft.graph.device?$select=id&$count=true&$top=999",
			       found->id);
	if (!url)
		certdir_error_set(error, "out of memory");
	outcome = url ? list_members(tenant, url, error) : CERTDIR_GRAPH_FAILED;
	free(url);
	if (outcome != CERTDIR_GRAPH_OK) {
		certdir_list_part_abandon(tenant->list);
		return outcome;
	}
	*ended = certdir_list_group_end(tenant->list, &tally, error);
	add_tally(&certdir_sync_part_report(tenant)->tally, &tally);
	return CERTDIR_GRAPH_OK;
}

/* Finds and syncs one configured group. False, with the part's end noted, when it did not go well. */
static bool run_group(struct certdir_sync_tenant *tenant, const char *word, struct found *found)
{
	enum certdir_list_ended ended = CERTDIR_ENDED_FAILED;
	enum certdir_graph_outcome outcome;
	struct certdir_error error;

	outcome = find(tenant, word, found, &error);
	if (outcome == CERTDIR_GRAPH_OK)
		outcome = sync_group(tenant, found, &ended, &error);
	for (int i = 0; i < CERTDIR_SYNC_RESTARTS && outcome == CERTDIR_GRAPH_EXPIRED_PAGE; i++)
		outcome = sync_group(tenant, found, &ended, &error);
	if (outcome == CERTDIR_GRAPH_OK && ended == CERTDIR_ENDED)
		return true;
	if (outcome == CERTDIR_GRAPH_OK) {
		certdir_sync_part_end(tenant, ended == CERTDIR_ENDED_SHRUNK ? CERTDIR_SYNC_SHRUNK : CERTDIR_SYNC_FAILED,
				      "%s", error.text);
		return false;
	}
	certdir_sync_part_broken(tenant, outcome, &error);
	return false;
}

void certdir_sync_groups(struct certdir_sync_tenant *tenant)
{
	const char **words = tenant->config->groups;
	struct certdir_error error;
	struct found *found = NULL;
	const char **ids = NULL;
	size_t count = 0;
	bool ok = true;

	while (words && words[count])
		count++;
	found = calloc(count + 1, sizeof(*found));
	ids = calloc(count + 1, sizeof(*ids));
	if (!found || !ids) {
		certdir_sync_part_end(tenant, CERTDIR_SYNC_FAILED, "out of memory");
		goto out;
	}
	for (size_t i = 0; i < count && ok; i++) {
		ok = run_group(tenant, words[i], &found[i]);
		ids[i] = found[i].id;
	}
	if (!ok)
		goto out;
	if (!certdir_list_groups_keep(tenant->list, ids, &error))
		certdir_sync_part_end(tenant, CERTDIR_SYNC_FAILED, "%s", error.text);
	else if (count == 0)
		certdir_sync_part_end(tenant, CERTDIR_SYNC_SKIPPED, "no group is configured");
	else
		certdir_sync_part_end(tenant, CERTDIR_SYNC_DONE, NULL);
out:
	for (size_t i = 0; i < count && found; i++)
		found_clear(&found[i]);
	free(found);
	free(ids);
}
