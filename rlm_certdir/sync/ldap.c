/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entries of an LDAP directory, read as a login would read them: all of them each `interval`, and in between, from a domain
 * controller that says how far it is, those that changed. Changes say nothing of what is gone, was moved away, or is in other
 * groups (a computer's uSNChanged does not tell of its groups): so they bring news, and the age of all is that of the last
 * listing of all.
 */
#include "base/background.h"
#include "base/shrink.h"
#include "directory/directory.h"
#include "directory/ldap_domain.h"
#include "ldap/operation.h"
#include "ldap/session.h"
#include "sync/domain_controller.h"
#include "sync/entries.h"
#include "sync/memberships.h"
#include "sync/part.h"
#include "text/canonical.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The listings of the spool. */
enum { ENTRIES, GROUPS, CURSOR };

/* ---- what the spool is of ---- */

static const char all_line[] = "ldap all\n";

static bool is_all(const struct certdir_sync_job *job)
{
	return strncmp(certdir_spool_of(job->spool), all_line, sizeof(all_line) - 1) == 0;
}

static char *of_all(const struct certdir_sync_job *job)
{
	return certdir_print("%s%s", all_line, job->tenant->ldap->question);
}

static char *of(const struct certdir_sync_job *job)
{
	return job->delta_link
		       ? certdir_print("ldap changes since %s\n%s", job->delta_link, job->tenant->ldap->question)
		       : of_all(job);
}

static bool is_due(const struct certdir_sync_job *job, const struct certdir_tenant_state *state)
{
	return job->all || job->options->force || state->synced == 0 || state->other || job->now < state->synced ||
	       job->now - state->synced >= job->tenant->ldap->list.interval;
}

static bool plan(struct certdir_sync_job *job, const struct certdir_tenant_state *state, bool *fetch)
{
	*fetch = true;
	if (is_due(job, state))
		return true;
	/* Without a cursor there is nothing in between. */
	if (state->delta_link)
		job->delta_link = strdup(state->delta_link);
	if (!state->delta_link)
		certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED, "not due yet (interval)");
	else if (!job->delta_link)
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "out of memory");
	return job->delta_link;
}

/* ---- from the directory ---- */

struct fetching {
	struct certdir_sync_job *job;
	struct certdir_ldap_session session;
	struct certdir_entries entries;
	struct certdir_error *error;
	bool stopped;
};

static bool may_go_on(struct fetching *fetching)
{
	const struct certdir_sync_job *job = fetching->job;

	fetching->stopped = job->limits.stop && *job->limits.stop;
	if (fetching->stopped)
		certdir_error_set(fetching->error, "stopped on request");
	else if (certdir_monotonic() > job->limits.deadline)
		certdir_error_set(fetching->error,
				  "the listing took longer than deadline = %llds: nothing of it counts",
				  (long long)job->tenant->deadline);
	else
		return true;
	return false;
}

static bool take_entry(void *context, const struct certdir_ldap_entry *entry)
{
	struct fetching *fetching = context;
	struct certdir_sync_job *job = fetching->job;

	if (!may_go_on(fetching) || !certdir_entries_put(&fetching->entries, entry, fetching->error))
		return false;
	if (fetching->entries.listing == ENTRIES)
		job->report.objects++;
	if (fetching->entries.count > 0)
		return true;
	job->report.pages++;
	(void)pthread_mutex_lock(&job->mutex);
	job->pages = job->report.pages;
	job->objects = job->report.objects;
	(void)pthread_mutex_unlock(&job->mutex);
	return true;
}

/* One listing into the spool, whole. */
static bool list(struct fetching *fetching, unsigned which, const char *base, const char *filter,
		 const char *const *attributes)
{
	const struct certdir_ldap_query listing = {.base = base,
						   .scope = CERTDIR_LDAP_SUBTREE,
						   .filter = filter,
						   .attributes = attributes,
						   .page = CERTDIR_ENTRIES_PAGE};
	enum certdir_ldap_status status;

	fetching->entries = (struct certdir_entries){fetching->job->spool, which, 0};
	status = certdir_ldap_list(fetching->session.connection, &listing, take_entry, fetching, fetching->error);
	if (status == CERTDIR_LDAP_NO_OBJECT)
		certdir_error_set(fetching->error, "%s: \"%s\" is not there, or the account may not see it",
				  fetching->session.uri, base);
	if (status != CERTDIR_LDAP_OK)
		return false;
	fetching->job->report.pages += fetching->entries.count > 0;
	return certdir_entries_end(&fetching->entries, fetching->error);
}

/* Each once; the caller frees the array. NULL when memory is out. */
static const char **attributes_of(const struct certdir_ldap_source *ldap)
{
	const char **attributes;
	size_t count = 0;

	while (certdir_ldap_entry_attributes[count])
		count++;
	attributes = calloc(count + 2 + ldap->map.count + 1, sizeof(*attributes));
	if (!attributes)
		return NULL;
	memcpy(attributes, certdir_ldap_entry_attributes, count * sizeof(*attributes));
	attributes[count++] = "objectGUID";
	attributes[count++] = "entryUUID";
	for (size_t c = 0; c < ldap->map.count; c++) {
		size_t i;

		for (i = 0; i < count && strcasecmp(attributes[i], ldap->map.columns[c].attribute) != 0; i++)
			;
		if (i == count)
			attributes[count++] = ldap->map.columns[c].attribute;
	}
	return attributes;
}

static bool list_entries(struct fetching *fetching)
{
	const struct certdir_sync_job *job = fetching->job;
	const struct certdir_ldap_source *ldap = job->tenant->ldap;
	const char **attributes = attributes_of(ldap);
	char *filter =
		is_all(job) ? strdup(ldap->filter) : certdir_domain_controller_changes(ldap->filter, job->delta_link);
	const bool ok = attributes && filter;
	bool listed = false;

	if (ok)
		listed = list(fetching, ENTRIES, ldap->base_dn, filter, attributes);
	else
		certdir_error_set(fetching->error, "out of memory");
	free(attributes);
	free(filter);
	return listed;
}

/* Groups are there for those who are in them: nobody has changed, nobody is asked. */
static bool list_groups(struct fetching *fetching, const struct certdir_domain_controller *controller)
{
	if (!controller->active_directory || fetching->job->report.objects == 0)
		return true;
	return list(fetching, GROUPS, certdir_ldap_domain_root(fetching->job->tenant->ldap->base_dn),
		    "(objectClass=group)", certdir_memberships_attributes);
}

static bool fetch_all_of_it(struct fetching *fetching)
{
	struct certdir_sync_job *job = fetching->job;
	struct certdir_spool *spool = job->spool;
	struct certdir_domain_controller controller;

	if (!certdir_ldap_session_open(&fetching->session, &job->tenant->ldap->server, job->tenant->ldap->password_file,
				       NULL, fetching->error) ||
	    !certdir_domain_controller_read(&controller, fetching->session.connection, fetching->error))
		return false;
	/* What changed there since another one's count, or since a backup of it, nobody can tell. */
	if (!is_all(job) && !certdir_domain_controller_counts(&controller, job->delta_link) &&
	    !certdir_sync_part_begin(job, of_all(job), fetching->error))
		return false;
	/* Pages of an LDAP listing are of no use without its end. */
	if (certdir_spool_pages(spool) > 0 &&
	    !certdir_sync_part_begin(job, strdup(certdir_spool_of(spool)), fetching->error))
		return false;
	if (!list_entries(fetching) || !list_groups(fetching, &controller))
		return false;
	certdir_spool_page_begin(spool);
	return certdir_spool_page_end(spool, CURSOR, 0, -1, controller.cursor[0] ? controller.cursor : NULL,
				      fetching->error);
}

static void fetch(struct certdir_sync_job *job)
{
	struct certdir_error error = {.text = "out of memory"};
	struct fetching fetching = {.job = job, .error = &error};

	if (certdir_spool_finished(job->spool)) {
		job->report.pages = certdir_spool_pages(job->spool);
		job->fetched = true;
		return;
	}
	if (fetch_all_of_it(&fetching))
		certdir_sync_part_fetched(job);
	else
		certdir_sync_part_broken(job, fetching.stopped ? CERTDIR_GRAPH_STOPPED : CERTDIR_GRAPH_FAILED, &error);
	certdir_ldap_session_close(&fetching.session);
}

/* ---- into the list ---- */

struct applying {
	const struct certdir_ldap_source *ldap;
	struct certdir_memberships *memberships;
	struct certdir_tenant *list;
	size_t entries, hidden, nameless;
	bool cut;
};

static bool add_group(void *context, const struct certdir_ldap_entry *entry, struct certdir_error *error)
{
	struct applying *applying = context;

	if (certdir_memberships_add(applying->memberships, entry))
		return true;
	certdir_error_set(error, "out of memory");
	return false;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int compare_groups(const void *a, const void *b)
{
	return strcmp(((const struct certdir_group *)a)->id, ((const struct certdir_group *)b)->id);
}

static int compare_values(const void *a, const void *b)
{
	const struct certdir_value *left = a, *right = b;

	return left->type != right->type ? (int)left->type - (int)right->type : strcmp(left->value, right->value);
}

/* Values have no order in LDAP: an entry that says the same in another one has not changed. */
static void sort(struct certdir_record *record)
{
	struct certdir_device *device = &record->device;

	if (device->dns_name_count > 1)
		qsort(device->dns_names, device->dns_name_count, sizeof(*device->dns_names), compare_texts);
	if (device->group_count > 1)
		qsort(device->groups, device->group_count, sizeof(*device->groups), compare_groups);
	if (record->value_count > 1)
		qsort(record->values, record->value_count, sizeof(*record->values), compare_values);
}

/* The entry's own id; its DN, which is not for ever, where it has none. */
static const char *key_of(const struct certdir_ldap_entry *entry, const char *dn, char room[37])
{
	const struct certdir_ldap_value *value;
	size_t count;

	value = certdir_ldap_entry_only(entry, "objectGUID", &count);
	if (value && value->length == 16) {
		certdir_guid_from_bytes(value->bytes, room);
		return room;
	}
	value = certdir_ldap_entry_only(entry, "entryUUID", &count);
	if (!value || value->length != 36 || !certdir_ldap_text_valid((const char *)value->bytes, value->length))
		return dn;
	memcpy(room, value->bytes, 36);
	room[36] = '\0';
	return room;
}

static bool put_record(struct applying *applying, const struct certdir_ldap_entry *entry, struct certdir_record *record,
		       struct certdir_error *error)
{
	struct certdir_tenant_entry put = {.device = &record->device};
	struct certdir_ldap_remarks remarks;
	char key[37];

	if (!certdir_ldap_entry_read(record, entry, &applying->ldap->map, &remarks) ||
	    !certdir_memberships_read(applying->memberships, &record->device, entry, applying->ldap->group_base,
				      &remarks.cut)) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	applying->hidden += remarks.hidden;
	applying->cut |= remarks.cut;
	sort(record);
	put.key = key_of(entry, record->device.id, key);
	put.values = record->values;
	put.value_count = record->value_count;
	return certdir_tenant_entries_put(applying->list, &put, error);
}

static bool put_entry(void *context, const struct certdir_ldap_entry *entry, struct certdir_error *error)
{
	struct applying *applying = context;
	struct certdir_answer answer = {.state = CERTDIR_ANSWERED};
	struct certdir_record *record;
	bool ok;

	applying->entries++;
	if (!certdir_ldap_text_valid(entry->dn, entry->dn_length)) {
		applying->nameless++;
		return true;
	}
	record = certdir_answer_add(&answer);
	if (!record)
		certdir_error_set(error, "out of memory");
	ok = record && put_record(applying, entry, record, error);
	certdir_answer_clear(&answer);
	return ok;
}

/*
 * An account that has lost the right to see whether accounts are enabled would have nobody let in. What was known before stays, and
 * says so by its age.
 */
static bool may_see(const struct certdir_sync_job *job, const struct applying *applying, struct certdir_error *error)
{
	if (certdir_shrink_allowed(applying->entries, applying->hidden, job->config->max_shrink))
		return true;
	certdir_error_set(
		error,
		"userAccountControl of %zu of %zu computers is not shown to the account, so nobody could tell "
		"whether they are enabled: let it read that attribute; nothing was taken",
		applying->hidden, applying->entries);
	return false;
}

static void warn(const struct certdir_sync_job *job, const struct applying *applying)
{
	if (applying->hidden)
		certdir_log(
			CERTDIR_LOG_WARN,
			"ldap %s: userAccountControl of %zu computers is not shown to the account: they count as not "
			"enabled",
			job->tenant->name, applying->hidden);
	if (applying->cut)
		certdir_log(
			CERTDIR_LOG_WARN,
			"ldap %s: a computer has more than 1000 groups, names or ids, and those beyond are not seen",
			job->tenant->name);
	if (applying->nameless)
		certdir_log(CERTDIR_LOG_WARN, "ldap %s: %zu entries have a DN that is no text, and were passed over",
			    job->tenant->name, applying->nameless);
}

static bool replay(struct certdir_sync_job *job, struct applying *applying, struct certdir_error *error)
{
	applying->memberships = certdir_memberships_open();
	if (!applying->memberships)
		certdir_error_set(error, "out of memory");
	return applying->memberships && certdir_entries_each(job->spool, GROUPS, add_group, applying, error) &&
	       certdir_entries_each(job->spool, ENTRIES, put_entry, applying, error) && may_see(job, applying, error);
}

/* The cursor that the last page carries, or NULL: none. False with `error`. */
static bool read_cursor(const struct certdir_sync_job *job, char **cursor, struct certdir_error *error)
{
	const struct certdir_spool_page *last = certdir_spool_page(job->spool, certdir_spool_pages(job->spool) - 1);

	*cursor = last->link ? certdir_spool_link(job->spool, last, error) : NULL;
	return *cursor || !last->link;
}

static void apply(struct certdir_sync_job *job, struct certdir_tenant *list)
{
	struct applying applying = {.ldap = job->tenant->ldap, .list = list};
	struct certdir_tenant_counts counts = {0};
	enum certdir_tenant_ended ended = CERTDIR_ENDED_FAILED;
	struct certdir_error error = {.text = ""};
	char *cursor = NULL;

	job->report.full = is_all(job);
	if (certdir_sync_part_follows(job, list, &error) &&
	    certdir_tenant_entries_begin(list, job->report.full, &error)) {
		if (replay(job, &applying, &error) && read_cursor(job, &cursor, &error))
			ended = certdir_tenant_entries_end(list, cursor, &counts, &error);
		else
			certdir_tenant_part_abandon(list);
	}
	job->report.objects = applying.entries;
	if (ended != CERTDIR_ENDED_FAILED)
		warn(job, &applying);
	ended = certdir_sync_part_guard(job, ended, &counts, "devices", &error);
	certdir_sync_part_ended(job, ended, &counts, &error);
	certdir_memberships_close(applying.memberships);
	free(cursor);
}

const struct certdir_sync_kind certdir_sync_ldap = {plan, of, of_all, fetch, apply};
