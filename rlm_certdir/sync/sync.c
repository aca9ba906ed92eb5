/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs: begun, fetched by threads, collected. What becomes of their pages is edition.c's. */
#include "sync/sync.h"

#include "base/background.h"
#include "sync/engine.h"
#include "text/excerpt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
	/* Each has a connection, a spool and a few descriptors more; a program has a thousand of them by default. */
	THREADS_MAX = 64,
	/* Complete parts wait so long for others that they could be published with. */
	GATHER = 1000000, /* microseconds */
	SPOOL_LIFE = 86400 /* seconds; page tokens do not live for ever, and no listing takes a day */
};

static const char not_tried[] = "not tried, since the devices failed";

static const struct certdir_sync_kind *const kinds[CERTDIR_SYNC_PARTS] = {[CERTDIR_SYNC_DEVICES] =
										  &certdir_sync_devices,
									  [CERTDIR_SYNC_INTUNE] = &certdir_sync_intune,
									  [CERTDIR_SYNC_GROUPS] = &certdir_sync_groups};

const struct certdir_sync_kind *certdir_sync_kind(const struct certdir_sync_job *job)
{
	return job->tenant->ldap ? &certdir_sync_ldap : kinds[job->part];
}

const char *certdir_sync_part_name(enum certdir_sync_part part)
{
	static const char *const names[CERTDIR_SYNC_PARTS] = {
		[CERTDIR_SYNC_DEVICES] = "devices", [CERTDIR_SYNC_INTUNE] = "intune", [CERTDIR_SYNC_GROUPS] = "groups"};

	return names[part];
}

const char *certdir_sync_result_name(enum certdir_sync_result result)
{
	static const char *const names[] = {[CERTDIR_SYNC_RUNNING] = "running", [CERTDIR_SYNC_DONE] = "done",
					    [CERTDIR_SYNC_SKIPPED] = "skipped", [CERTDIR_SYNC_SHRUNK] = "shrunk",
					    [CERTDIR_SYNC_FAILED] = "failed",	[CERTDIR_SYNC_STOPPED] = "stopped"};

	return names[result];
}

bool certdir_sync_stopped(const struct certdir_sync *sync)
{
	return sync->options.stop && *sync->options.stop;
}

/* ---- the report ---- */

/* Parts that it has. */
static enum certdir_sync_part parts_of(const struct certdir_tenant_config *tenant)
{
	return tenant->ldap ? CERTDIR_SYNC_INTUNE : CERTDIR_SYNC_PARTS;
}

static void forget_names(struct certdir_sync_report *report)
{
	for (char **name = report->forgotten; name && *name; name++)
		free(*name);
	free(report->forgotten);
	report->forgotten = NULL;
}

struct certdir_sync_report_tenant *certdir_sync_tenant(struct certdir_sync *sync, const char *name)
{
	for (size_t i = 0; i < sync->report.count; i++)
		if (strcmp(sync->report.tenants[i].name, name) == 0)
			return &sync->report.tenants[i];
	return NULL;
}

static void clear_news(struct certdir_sync_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		for (int part = 0; part < CERTDIR_SYNC_PARTS; part++)
			report->tenants[i].parts[part].news = false;
}

/* The report's tenants become those of `config`; what is known of them stays. */
static bool renew_tenants(struct certdir_sync *sync, const struct certdir_sync_config *config)
{
	struct certdir_sync_report_tenant *tenants = calloc(config->count + 1, sizeof(*tenants));

	if (!tenants)
		return false;
	for (size_t i = 0; i < config->count; i++) {
		const struct certdir_sync_report_tenant *former = certdir_sync_tenant(sync, config->tenants[i].name);

		if (former)
			tenants[i] = *former;
		tenants[i].name = config->tenants[i].name;
		for (enum certdir_sync_part part = parts_of(&config->tenants[i]); part < CERTDIR_SYNC_PARTS; part++)
			tenants[i].parts[part].result = CERTDIR_SYNC_SKIPPED;
	}
	free(sync->report.tenants);
	sync->report.tenants = tenants;
	sync->report.count = config->count;
	return true;
}

const struct certdir_sync_report *certdir_sync_report(const struct certdir_sync *sync)
{
	return &sync->report;
}

/* ---- jobs ---- */

struct certdir_sync_job *certdir_sync_find(const struct certdir_sync *sync, const char *tenant,
					   enum certdir_sync_part part)
{
	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next)
		if (job->part == part && strcmp(job->tenant->name, tenant) == 0 && job->step != CERTDIR_SYNC_ENDED)
			return job;
	return NULL;
}

static bool is_under_way(const struct certdir_sync_job *job)
{
	return job && (job->step == CERTDIR_SYNC_DUE || job->step == CERTDIR_SYNC_FETCHING);
}

bool certdir_sync_fetching(const struct certdir_sync *sync, const char *tenant, enum certdir_sync_part part)
{
	return is_under_way(certdir_sync_find(sync, tenant, part));
}

bool certdir_sync_busy(const struct certdir_sync *sync, const char *tenant)
{
	for (const struct certdir_sync_job *job = sync->jobs; job; job = job->next)
		if (strcmp(job->tenant->name, tenant) == 0)
			return true;
	return false;
}

bool certdir_sync_idle(const struct certdir_sync *sync)
{
	return !sync->jobs;
}

bool certdir_sync_uses(const struct certdir_sync *sync, const struct certdir_sync_config *config)
{
	if (sync->config == config)
		return true;
	for (const struct certdir_sync_job *job = sync->jobs; job; job = job->next)
		if (job->config == config)
			return true;
	return false;
}

/* It was listed twice in one round: what both did is told as one. */
static void merge(struct certdir_sync_report_part *report, const struct certdir_sync_report_part *before)
{
	struct certdir_tenant_counts counts = before->counts;

	report->pages += before->pages;
	report->resumed += before->resumed;
	report->objects += before->objects;
	report->full |= before->full;
	counts.added += report->counts.added;
	counts.changed += report->counts.changed;
	counts.lost += report->counts.lost;
	counts.after = report->counts.after;
	counts.unlisted = report->counts.unlisted;
	counts.duplicates = report->counts.duplicates;
	if (report->result == CERTDIR_SYNC_DONE || report->result == CERTDIR_SYNC_SHRUNK)
		report->counts = counts;
}

void certdir_sync_tell(struct certdir_sync *sync, const struct certdir_sync_job *job)
{
	struct certdir_sync_report_tenant *tenant = certdir_sync_tenant(sync, job->tenant->name);
	const int64_t seconds = (certdir_monotonic() - job->started) / 1000000;
	struct certdir_sync_report_part *report;

	if (!tenant)
		return;
	report = &tenant->parts[job->part];
	tenant->seconds = seconds > tenant->seconds ? seconds : tenant->seconds;
	sync->news = true;
	/* Intune that was gone on with, and is not due again. */
	if (job->again && job->report.result == CERTDIR_SYNC_SKIPPED)
		return;
	if (job->again) {
		struct certdir_sync_report_part before = *report;

		*report = job->report;
		merge(report, &before);
	} else {
		*report = job->report;
	}
	report->news = true;
}

static void free_job(struct certdir_sync_job *job)
{
	certdir_graph_close(job->graph);
	certdir_spool_close(job->spool);
	(void)pthread_mutex_destroy(&job->mutex);
	free(job->delta_link);
	free(job);
}

static void sweep(struct certdir_sync *sync)
{
	struct certdir_sync_job **at = &sync->jobs;

	while (*at) {
		struct certdir_sync_job *job = *at;

		if (job->step == CERTDIR_SYNC_ENDED) {
			*at = job->next;
			free_job(job);
		} else {
			at = &job->next;
		}
	}
}

void certdir_sync_drop(struct certdir_sync_job *job)
{
	certdir_spool_remove(job->spool);
	job->spool = NULL;
	job->step = CERTDIR_SYNC_ENDED;
}

void certdir_sync_end(struct certdir_sync *sync, struct certdir_sync_job *job)
{
	certdir_sync_tell(sync, job);
	job->step = CERTDIR_SYNC_ENDED;
}

/* ---- a job begins ---- */

static void told_to_wait(void *context, unsigned attempt, unsigned of, int64_t microseconds, const char *why)
{
	struct certdir_sync_job *job = context;
	char most[32] = "";

	if (of > 0)
		(void)snprintf(most, sizeof(most), " of %u", of);
	(void)pthread_mutex_lock(&job->mutex);
	certdir_say(job->waiting, "attempt %u%s in %" PRId64 " s: %s", attempt, most, (microseconds + 999999) / 1000000,
		    why);
	(void)pthread_mutex_unlock(&job->mutex);
}

/* Its id tells which tenant it is, whatever it is called; an LDAP directory has its name alone. */
static char *spool_name(const struct certdir_sync_job *job)
{
	const bool ldap = job->tenant->ldap;

	return certdir_print("%s" CERTDIR_SPOOL_SUFFIX "%s.%s", job->config->list,
			     ldap ? job->tenant->name : job->tenant->tenant_id,
			     ldap ? "ldap" : certdir_sync_part_name(job->part));
}

/* Whether the spool holds what `wanted`, which is freed, says. */
static bool is_of(const struct certdir_sync_job *job, char *wanted)
{
	const bool ok = wanted && strcmp(certdir_spool_of(job->spool), wanted) == 0;

	free(wanted);
	return ok;
}

/*
 * Whether the pages of an earlier run are a good start: of the same, not too old, and newer than what the list has. Those that are
 * whole, and of the second that the list has, were applied by a run that was killed after that.
 */
static bool may_go_on(const struct certdir_sync_job *job, int64_t synced)
{
	const struct certdir_sync_kind *kind = certdir_sync_kind(job);
	const int64_t began = certdir_spool_began(job->spool);

	return certdir_spool_of(job->spool) && certdir_spool_pages(job->spool) > 0 && began <= job->now &&
	       job->now - began < SPOOL_LIFE && began >= synced + certdir_spool_finished(job->spool) &&
	       (is_of(job, kind->of(job)) || (kind->instead && is_of(job, kind->instead(job))));
}

static bool begin_spool(struct certdir_sync_job *job, int64_t synced, struct certdir_error *error)
{
	if (!may_go_on(job, synced))
		return certdir_sync_part_begin(job, certdir_sync_kind(job)->of(job), error);
	job->report.resumed = certdir_spool_pages(job->spool);
	return true;
}

/* False, with the part ended, when there is no spool to be had. */
static bool open_spool(struct certdir_sync_job *job, int64_t synced)
{
	char *name = job->options->dry_run ? NULL : spool_name(job);
	struct certdir_error error = {.text = "out of memory"};
	enum certdir_spool_opened opened = CERTDIR_SPOOL_FAILED;
	long holder;

	if (name || job->options->dry_run)
		opened = certdir_spool_open(&job->spool, name, &holder, &error);
	free(name);
	if (opened == CERTDIR_SPOOL_BUSY)
		certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED, "%s of %s are being listed by process %ld",
				      certdir_sync_part_name(job->part), job->tenant->name, holder);
	else if (opened == CERTDIR_SPOOL_FAILED || !begin_spool(job, synced, &error))
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
	else
		return true;
	return false;
}

/* What it takes to ask: Graph's connection; LDAP's is the thread's own to make. */
static bool open_graph(struct certdir_sync *sync, struct certdir_sync_job *job)
{
	struct certdir_error error;

	job->limits = (struct certdir_http_limits){.deadline = job->started + job->tenant->deadline * 1000000,
						   .stop = sync->options.stop,
						   .waiting = told_to_wait,
						   .context = job};
	if (job->tenant->ldap)
		return true;
	job->graph = certdir_graph_open(job->tenant, &job->limits, &error);
	if (!job->graph)
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
	else
		certdir_sync_tenant(sync, job->tenant->name)->credential_expires =
			certdir_graph_credential_expires(job->graph);
	return job->graph != NULL;
}

static struct certdir_sync_job *make_job(struct certdir_sync *sync, const struct certdir_tenant_config *tenant,
					 enum certdir_sync_part part)
{
	struct certdir_sync_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	(void)pthread_mutex_init(&job->mutex, NULL);
	job->config = sync->config;
	job->tenant = tenant;
	job->options = &sync->options;
	job->part = part;
	job->event = sync->event;
	job->now = (int64_t)time(NULL);
	job->started = certdir_monotonic();
	job->next = sync->jobs;
	sync->jobs = job;
	return job;
}

static int64_t synced_of(const struct certdir_tenant_state *state, enum certdir_sync_part part)
{
	const int64_t synced[CERTDIR_SYNC_PARTS] = {[CERTDIR_SYNC_DEVICES] = state->synced,
						    [CERTDIR_SYNC_INTUNE] = state->intune_synced,
						    [CERTDIR_SYNC_GROUPS] = state->groups_synced};

	return synced[part];
}

/* Begins a part. False when its tenant cannot be asked at all. */
static bool begin_job(struct certdir_sync *sync, const struct certdir_tenant_config *tenant,
		      enum certdir_sync_part part, const struct certdir_tenant_state *state, bool again)
{
	struct certdir_sync_job *job = make_job(sync, tenant, part);
	bool fetch = false;

	if (!job) {
		certdir_say(sync->report.error, "out of memory");
		return false;
	}
	job->again = again;
	job->all = sync->options.full && !again;
	if (!certdir_sync_kind(job)->plan(job, state, &fetch) || (fetch && !open_graph(sync, job)) ||
	    (fetch && !open_spool(job, synced_of(state, part))))
		certdir_sync_end(sync, job);
	else
		job->step = fetch ? CERTDIR_SYNC_DUE : CERTDIR_SYNC_READY;
	return !fetch || job->graph || tenant->ldap;
}

/* ---- a round begins ---- */

/* A tenant's list options, out of what the file and the command line say. */
struct certdir_tenant_options certdir_sync_list_options(const struct certdir_sync *sync,
							const struct certdir_sync_config *config,
							const struct certdir_tenant_config *tenant, int64_t now)
{
	return (struct certdir_tenant_options){
		.name = tenant->name,
		.tenant = tenant->tenant_id,
		.filter = tenant->filter,
		.now = now,
		.former_names = config->former_names,
		.changes = config->changes,
		/* A dry run shows what would be lost, and tells of the guard itself. */
		.max_shrink = sync->options.force || sync->options.dry_run ? 100 : config->max_shrink,
		.intune_interval = tenant->intune_interval,
		.extension_attributes = tenant->extension_attributes,
		.ldap = tenant->ldap ? &tenant->ldap->list : NULL};
}

/* Ends parts that could not even be begun. */
static void end_parts(struct certdir_sync *sync, const struct certdir_tenant_config *tenant,
		      enum certdir_sync_part from, const char *note)
{
	for (enum certdir_sync_part part = from; part < parts_of(tenant); part++) {
		struct certdir_sync_job *job =
			certdir_sync_find(sync, tenant->name, part) ? NULL : make_job(sync, tenant, part);

		if (!job)
			continue;
		if (part == CERTDIR_SYNC_DEVICES)
			certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", note);
		else
			certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED, "%s", not_tried);
		certdir_sync_end(sync, job);
	}
}

/* parts: CERTDIR_BIT(part) of those that are wanted. */
static void begin_tenant(struct certdir_sync *sync, size_t index, struct certdir_list_writer *looker, unsigned parts,
			 bool again)
{
	const struct certdir_tenant_config *tenant = &sync->config->tenants[index];
	const struct certdir_tenant_options options =
		certdir_sync_list_options(sync, sync->config, tenant, sync->report.started);
	struct certdir_tenant *list;
	struct certdir_tenant_state state;
	struct certdir_error error;

	list = certdir_tenant_open(looker, &options, &error);
	if (!list) {
		end_parts(sync, tenant, CERTDIR_SYNC_DEVICES, error.text);
		return;
	}
	certdir_tenant_state(list, &state);
	sync->report.tenants[index].listed = state.synced != 0;
	for (enum certdir_sync_part part = 0; part < parts_of(tenant); part++) {
		struct certdir_sync_job *former = certdir_sync_find(sync, tenant->name, part);

		if (!(parts & CERTDIR_BIT(part)) || (former && former->step != CERTDIR_SYNC_LINGERING))
			continue;
		if (former)
			certdir_sync_drop(former);
		if (!begin_job(sync, tenant, part, &state, again) && part == CERTDIR_SYNC_DEVICES) {
			end_parts(sync, tenant, CERTDIR_SYNC_INTUNE, NULL);
			break;
		}
	}
	certdir_tenant_close(list);
}

struct names {
	const struct certdir_sync_config *config;
	char **names;
	size_t count;
};

static void note_forgotten(void *context, const char *name)
{
	struct names *names = context;
	char **longer, shown[CERTDIR_VALUE_MAX + 1];

	for (size_t i = 0; i < names->config->count; i++)
		if (strcmp(names->config->tenants[i].name, name) == 0)
			return;
	longer = reallocarray(names->names, names->count + 2, sizeof(*longer));
	if (!longer)
		return;
	names->names = longer;
	(void)certdir_excerpt(shown, sizeof(shown), name, strlen(name));
	longer[names->count] = strdup(shown);
	longer[++names->count] = NULL;
}

/* parts: of each tenant, CERTDIR_BIT(part) of those that are wanted; NULL: all of all. */
static void begin_parts(struct certdir_sync *sync, const unsigned *parts, bool again)
{
	struct certdir_error error;
	struct certdir_list_writer *looker = certdir_list_look(sync->config->list, &error);
	struct names names = {.config = sync->config};

	if (!looker || !certdir_list_look_tenants(looker, note_forgotten, &names, &error)) {
		certdir_say(sync->report.error, "%s", error.text);
		certdir_list_write_abort(looker);
		return;
	}
	forget_names(&sync->report);
	sync->report.forgotten = names.names;
	if (sync->report.count == 0 && !renew_tenants(sync, sync->config))
		certdir_say(sync->report.error, "out of memory");
	for (size_t i = 0; i < sync->report.count; i++)
		if (!parts || parts[i])
			begin_tenant(sync, i, looker, parts ? parts[i] : ~0U, again);
	certdir_list_write_abort(looker);
}

void certdir_sync_begin(struct certdir_sync *sync, const struct certdir_sync_config *config)
{
	struct certdir_sync_report *report = &sync->report;

	sync->config = config;
	sync->news = true;
	clear_news(report);
	report->started = (int64_t)time(NULL);
	report->published = false;
	report->error[0] = '\0';
	/* Their names are the former configuration's. */
	if (report->count > 0 && !renew_tenants(sync, config)) {
		report->count = 0;
		certdir_say(report->error, "out of memory");
		return;
	}
	for (size_t i = 0; i < report->count; i++) {
		struct certdir_sync_report_tenant *tenant = &report->tenants[i];

		tenant->seconds = 0;
		tenant->requests = tenant->throttled = tenant->bytes = 0;
	}
	/* What no run has gone on with, of a tenant that is no more, for example: devices' data does not lie about for ever. */
	if (!sync->options.dry_run)
		certdir_spool_sweep(config->list, report->started - SPOOL_LIFE);
	begin_parts(sync, NULL, false);
	for (size_t i = 0; i < report->count; i++)
		report->tenants[i].attempted = report->started;
}

/*
 * What an earlier run began is as old as that: it is followed by what happened since. With these parts an hour's listing may be
 * followed by a delta of a page.
 */
static void begin_again(struct certdir_sync *sync)
{
	unsigned *parts = calloc(sync->report.count + 1, sizeof(*parts));
	bool any = false;

	for (size_t i = 0; parts && i < sync->report.count; i++) {
		parts[i] = sync->report.tenants[i].again;
		sync->report.tenants[i].again = 0;
		any |= parts[i] != 0;
	}
	if (any && !certdir_sync_stopped(sync))
		begin_parts(sync, parts, true);
	free(parts);
}

/* ---- threads ---- */

static void *work(void *context)
{
	struct certdir_sync_job *job = context;
	const uint64_t one = 1;

	certdir_sync_kind(job)->fetch(job);
	(void)pthread_mutex_lock(&job->mutex);
	job->over = true;
	(void)pthread_mutex_unlock(&job->mutex);
	/* It cannot be full: it counts to 2^64. */
	return write(job->event, &one, sizeof(one)) == (ssize_t)sizeof(one) ? NULL : job;
}

/* Starts what is due, as far as there may be threads. */
static void start(struct certdir_sync *sync)
{
	struct certdir_error error;

	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next) {
		if (job->step != CERTDIR_SYNC_DUE)
			continue;
		if (certdir_sync_stopped(sync)) {
			certdir_sync_part_end(job, CERTDIR_SYNC_STOPPED, "stopped on request");
			certdir_sync_end(sync, job);
		} else if (sync->threads < THREADS_MAX) {
			if (certdir_background_start(&job->thread, work, job, &error)) {
				job->step = CERTDIR_SYNC_FETCHING;
				sync->threads++;
			} else {
				certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
				certdir_sync_end(sync, job);
			}
		}
	}
}

static void count_requests(struct certdir_sync *sync, const struct certdir_sync_job *job)
{
	struct certdir_sync_report_tenant *tenant = certdir_sync_tenant(sync, job->tenant->name);
	struct certdir_http_counts counts;

	if (!tenant)
		return;
	if (!job->graph) {
		tenant->requests += job->report.pages;
		return;
	}
	certdir_graph_counts(job->graph, &counts);
	tenant->requests += counts.requests;
	tenant->throttled += counts.throttled;
	tenant->bytes += counts.bytes;
}

/* A thread is over: the connection is not needed any more. */
static void collect(struct certdir_sync *sync, struct certdir_sync_job *job)
{
	(void)pthread_join(job->thread, NULL);
	sync->threads--;
	count_requests(sync, job);
	certdir_graph_close(job->graph);
	job->graph = NULL;
	job->step = CERTDIR_SYNC_READY;
	/* Nobody asks for what becomes of a tenant that certdir.conf has dropped meanwhile. */
	if (!certdir_sync_tenant(sync, job->tenant->name))
		certdir_sync_drop(job);
	else if (!job->fetched)
		certdir_sync_end(sync, job);
}

static void collect_all(struct certdir_sync *sync)
{
	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next) {
		bool over;

		(void)pthread_mutex_lock(&job->mutex);
		over = job->over;
		(void)pthread_mutex_unlock(&job->mutex);
		if (over && job->step == CERTDIR_SYNC_FETCHING)
			collect(sync, job);
	}
}

/* ---- steps ---- */

/* How many are still to be fetched; *ready: how many could be applied now. */
static size_t survey(const struct certdir_sync *sync, size_t *ready)
{
	size_t fetching = 0;

	*ready = 0;
	for (const struct certdir_sync_job *job = sync->jobs; job; job = job->next) {
		fetching += is_under_way(job);
		*ready += certdir_sync_may_apply(sync, job);
	}
	return fetching;
}

/* Whether an edition is to be made now. A dry run makes one, of all. */
static bool is_time(struct certdir_sync *sync)
{
	size_t ready, fetching = survey(sync, &ready);

	if (ready == 0)
		sync->ready_since = 0;
	else if (sync->ready_since == 0)
		sync->ready_since = certdir_monotonic();
	if (ready == 0 || fetching == 0)
		return ready > 0;
	return !sync->options.dry_run && certdir_monotonic() >= sync->ready_since + GATHER;
}

int64_t certdir_sync_next(const struct certdir_sync *sync)
{
	return sync->ready_since == 0 || sync->options.dry_run ? INT64_MAX : sync->ready_since + GATHER;
}

bool certdir_sync_step(struct certdir_sync *sync)
{
	uint64_t ignored;
	bool news;

	sync->report.edition = false;
	if (!sync->news)
		clear_news(&sync->report);
	/* Reset before looking, so that no end of a thread is overlooked. */
	if (read(sync->event, &ignored, sizeof(ignored)) < 0)
		ignored = 0;
	collect_all(sync);
	if (is_time(sync)) {
		sync->ready_since = 0;
		certdir_sync_publish(sync);
		begin_again(sync);
	}
	certdir_sync_let_go(sync);
	start(sync);
	sweep(sync);
	news = sync->news;
	sync->news = false;
	return news;
}

int certdir_sync_event(const struct certdir_sync *sync)
{
	return sync->event;
}

void certdir_sync_watch(struct certdir_sync *sync, void (*each)(void *context, const struct certdir_sync_view *view),
			void *context)
{
	struct certdir_sync_view view;

	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next) {
		if (job->step != CERTDIR_SYNC_FETCHING)
			continue;
		view = (struct certdir_sync_view){.tenant = job->tenant->name,
						  .part = job->part,
						  .microseconds = certdir_monotonic() - job->started};
		(void)pthread_mutex_lock(&job->mutex);
		view.pages = job->pages;
		view.objects = job->objects;
		memcpy(view.waiting, job->waiting, sizeof(view.waiting));
		(void)pthread_mutex_unlock(&job->mutex);
		each(context, &view);
	}
}

/* ---- life ---- */

struct certdir_sync *certdir_sync_open(const struct certdir_sync_options *options, struct certdir_error *error)
{
	struct certdir_sync *sync = calloc(1, sizeof(*sync));

	if (!sync) {
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	sync->options = *options;
	sync->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (sync->event >= 0)
		return sync;
	certdir_error_set(error, "no event descriptor to be had: %s", strerror(errno));
	free(sync);
	return NULL;
}

void certdir_sync_close(struct certdir_sync *sync)
{
	if (!sync)
		return;
	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next) {
		if (job->step == CERTDIR_SYNC_FETCHING)
			(void)pthread_join(job->thread, NULL);
		job->step = CERTDIR_SYNC_ENDED;
	}
	sweep(sync);
	forget_names(&sync->report);
	free(sync->report.tenants);
	(void)close(sync->event);
	free(sync);
}
