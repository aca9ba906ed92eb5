/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metering.h"

#include <string.h>
#include <time.h>

#include "directory/list.h"
#include "list/list.h"

_Static_assert((int)CERTDIR_TALLY_DIRECTORIES == (int)CERTDIR_DIRECTORIES_MAX + 1,
	       "the tally has a row for each directory");

void certdir_metering_begin(struct certdir_metering *self)
{
	for (size_t d = 0; d < self->checker->directory_count; d++)
		self->tally.directories[d] = self->checker->directories[d]->name;
	self->started = (int64_t)time(NULL);
}

void certdir_metering_add(struct certdir_metering *self, const struct certdir_check *check, int64_t took)
{
	certdir_tally_add(&self->tally, check->decision.reason, check->decision.directory, took);
	if (check->asked_for)
		certdir_tally_add_ask(&self->tally, check->came);
}

/* One look at everything: what is printed metric by metric is of one time. */
struct look {
	const struct certdir_metering *metering;
	struct certdir_exposition *to;
	struct certdir_directory *const *directories; /* devices', or people's */
	size_t count;
	bool people;
	struct certdir_answer answers[CERTDIR_DIRECTORIES_MAX]; /* of lists: nothing but their sources */
	struct certdir_list_snapshot
		*editions[CERTDIR_DIRECTORIES_MAX]; /* of devices' lists; NULL where there is none */
	struct certdir_measured measured[CERTDIR_DIRECTORIES_MAX]; /* of LDAP directories */
};

static void look_at(struct look *look)
{
	for (size_t d = 0; d < look->count; d++) {
		struct certdir_directory *directory = look->directories[d];

		if (directory->measure)
			directory->measure(directory, &look->measured[d]);
		if (directory->is_live)
			continue;
		directory->type->search(directory, NULL, 0, &look->answers[d]);
		if (!look->people)
			look->editions[d] = certdir_list_directory_edition(directory);
	}
}

static void forget(struct look *look)
{
	for (size_t d = 0; d < look->count; d++) {
		certdir_answer_clear(&look->answers[d]);
		certdir_list_release(look->editions[d]);
	}
}

/* ---- lists ---- */

static void print_of_list(const struct look *look, size_t d, enum certdir_metric metric, int64_t value)
{
	const struct certdir_label labels[] = {
		{"module", look->metering->module}, {"directory", look->directories[d]->name}, {NULL, NULL}};

	certdir_metric_print(look->to, metric, labels, value);
}

/* Of the edition that the server has in use, be it an old one. Devices: -1 = there is none. */
static int64_t edition_number(const struct look *look, size_t d, enum certdir_metric metric)
{
	const struct certdir_list_snapshot *edition = look->editions[d];

	if (metric == CERTDIR_METRIC_LIST_EDITIONS)
		return (int64_t)certdir_directory_list_edition(look->directories[d]);
	if (metric == CERTDIR_METRIC_LIST_UP)
		return edition != NULL;
	if (!edition)
		return -1;
	return metric == CERTDIR_METRIC_LIST_PUBLISHED ? certdir_list_published(edition)
						       : (int64_t)certdir_list_device_count(edition);
}

static void print_editions(const struct look *look)
{
	static const enum certdir_metric metrics[] = {CERTDIR_METRIC_LIST_UP, CERTDIR_METRIC_LIST_PUBLISHED,
						      CERTDIR_METRIC_LIST_DEVICES, CERTDIR_METRIC_LIST_EDITIONS};

	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++)
		for (size_t d = 0; d < look->count; d++) {
			const int64_t number = look->directories[d]->is_live ? -1 : edition_number(look, d, metrics[m]);

			if (number >= 0)
				print_of_list(look, d, metrics[m], number);
		}
}

/* ---- parts of sources ---- */

static void print_part(const struct look *look, size_t d, const struct certdir_source *source, unsigned part,
		       enum certdir_metric metric)
{
	static const char *const names[CERTDIR_PARTS] = {"devices", "intune", "groups", "certificates"};
	const bool import = source->kind == CERTDIR_SOURCE_IMPORT;
	const char *const name = look->people && part == CERTDIR_PART_OF_DEVICES ? "users" : names[part];
	const int64_t limit = certdir_source_limit(source, (enum certdir_part)part, look->directories[d]->max_age);
	const bool stale = metric == CERTDIR_METRIC_LIST_STALE;
	const struct certdir_label labels[] = {{"module", look->metering->module},
					       {"directory", look->directories[d]->name},
					       {import ? "source" : "tenant", source->name},
					       {import && !stale ? NULL : "part", name},
					       {NULL, NULL}};

	/* A tenant that never was listed is told as 0; of its other parts nobody knows here whether they are wanted. */
	if (source->synced[part] == 0 && (stale || import || part != CERTDIR_PART_OF_DEVICES || look->people))
		return;
	if (!stale || limit)
		certdir_metric_print(look->to, metric, labels, source->synced[part] + (stale ? limit : 0));
}

/* An LDAP directory in a list brings all at once. Of people's answers, the part that devices' have not. */
static unsigned parts_of(const struct look *look, const struct certdir_source *source)
{
	return look->people || source->listed ? 1 : CERTDIR_PARTS;
}

static void print_parts(const struct look *look, enum certdir_metric metric)
{
	for (size_t d = 0; d < look->count; d++)
		for (size_t s = 0; s < look->answers[d].source_count; s++) {
			const struct certdir_source *source = &look->answers[d].sources[s];
			const bool import = source->kind == CERTDIR_SOURCE_IMPORT;
			const bool fits = metric == CERTDIR_METRIC_LIST_STALE ||
					  import == (metric != CERTDIR_METRIC_TENANT_SUCCESS);
			const bool table = metric == CERTDIR_METRIC_IMPORT_CERTIFICATES_TIME;

			if (fits && import && metric != CERTDIR_METRIC_LIST_STALE)
				print_part(look, d, source,
					   table ? CERTDIR_PART_OF_CERTIFICATES : CERTDIR_PART_OF_DEVICES, metric);
			else if (fits)
				for (unsigned part = 0; part < parts_of(look, source); part++)
					print_part(look, d, source, part, metric);
		}
}

/* ---- LDAP ---- */

/* `name` and `value`: one more label. */
static void print_of_server(const struct look *look, size_t d, const char *server, enum certdir_metric metric,
			    const char *name, const char *value, int64_t number)
{
	const struct certdir_label labels[] = {{"module", look->metering->module},
					       {"directory", look->directories[d]->name},
					       {"of", look->people ? "people" : "devices"},
					       {server ? "server" : name, server ? server : value},
					       {server ? name : NULL, value},
					       {NULL, NULL}};

	certdir_metric_print(look->to, metric, labels, number);
}

static void print_servers(const struct look *look, enum certdir_metric metric)
{
	for (size_t d = 0; d < look->count; d++)
		for (size_t s = 0; s < look->measured[d].server_count; s++) {
			const struct certdir_measured_server *server = &look->measured[d].servers[s];

			if (metric == CERTDIR_METRIC_LDAP_SERVER_UP) {
				print_of_server(look, d, server->uri, metric, NULL, NULL, !server->sick);
				continue;
			}
			print_of_server(look, d, server->uri, metric, "answered", "yes", (int64_t)server->answered);
			print_of_server(look, d, server->uri, metric, "answered", "no", (int64_t)server->unanswered);
		}
}

static void print_memory(const struct look *look)
{
	for (size_t d = 0; d < look->count; d++) {
		const struct certdir_measured *measured = &look->measured[d];
		const enum certdir_metric metric = CERTDIR_METRIC_LDAP_MEMORY;

		if (!measured->remembers)
			continue;
		print_of_server(look, d, NULL, metric, "kind", "remembered", (int64_t)measured->remembered);
		print_of_server(look, d, NULL, metric, "kind", "shared", (int64_t)measured->shared);
		print_of_server(look, d, NULL, metric, "kind", "outage", (int64_t)measured->outage);
	}
}

/* ---- sessions ---- */

static void print_orders(const struct certdir_metering *self, struct certdir_exposition *to,
			 const struct certdir_sessions_measured *measured)
{
	static const char *const kinds[CERTDIR_ORDER_KINDS] = {"disconnect", "change"};
	struct certdir_label labels[] = {{"module", self->module}, {"order", NULL}, {NULL, NULL}, {NULL, NULL}};

	for (unsigned kind = 0; kind < CERTDIR_ORDER_KINDS; kind++) {
		labels[1].value = kinds[kind];
		certdir_metric_print(to, CERTDIR_METRIC_ORDERS, labels, (int64_t)measured->orders[kind]);
	}
	for (unsigned i = 0; i < CERTDIR_ORDER_KINDS * CERTDIR_ORDER_OUTCOMES; i++) {
		const unsigned kind = i / CERTDIR_ORDER_OUTCOMES, outcome = i % CERTDIR_ORDER_OUTCOMES;

		labels[1].value = kinds[kind];
		labels[2] = (struct certdir_label){"answer",
						   certdir_order_outcome_name((enum certdir_order_outcome)outcome)};
		certdir_metric_print(to, CERTDIR_METRIC_ORDER_ANSWERS, labels,
				     (int64_t)measured->answers[kind][outcome]);
	}
}

static void print_sessions(const struct certdir_metering *self, struct certdir_exposition *to)
{
	struct certdir_sessions_measured measured;

	if (!self->sessions)
		return;
	certdir_sessions_measure(self->sessions, &measured);
	for (unsigned state = 0; state < CERTDIR_SESSION_STATES; state++) {
		const struct certdir_label labels[] = {
			{"module", self->module},
			{"state", certdir_session_state_name((enum certdir_session_state)state)},
			{NULL, NULL}};

		certdir_metric_print(to, CERTDIR_METRIC_SESSIONS, labels, (int64_t)measured.states[state]);
	}
	print_orders(self, to, &measured);
}

/* ---- all of it ---- */

static void print_module(struct certdir_metering *self, struct certdir_exposition *to)
{
	const struct certdir_label build[] = {
		{"module", self->module}, {"version", self->version}, {"freeradius", self->server}, {NULL, NULL}};
	const struct certdir_label module[] = {{"module", self->module}, {NULL, NULL}};

	certdir_metric_print(to, CERTDIR_METRIC_BUILD, build, 1);
	certdir_metric_print(to, CERTDIR_METRIC_STARTED, module, self->started);
	certdir_metric_print(to, CERTDIR_METRIC_ENFORCING, module, !self->observe);
	certdir_tally_print(&self->tally, self->module, to);
	if (self->journal)
		certdir_metric_print(to, CERTDIR_METRIC_JOURNAL_DROPPED, module,
				     (int64_t)certdir_journal_dropped(self->journal));
}

void certdir_metering_print(void *metering, struct certdir_exposition *to)
{
	struct certdir_metering *self = metering;
	struct look looks[2] = {{.metering = self,
				 .to = to,
				 .directories = self->checker->directories,
				 .count = self->checker->directory_count},
				{.metering = self,
				 .to = to,
				 .directories = self->checker->people,
				 .count = self->checker->people_count,
				 .people = true}};
	static const enum certdir_metric parts[] = {CERTDIR_METRIC_LIST_STALE, CERTDIR_METRIC_TENANT_SUCCESS,
						    CERTDIR_METRIC_IMPORT_TIME,
						    CERTDIR_METRIC_IMPORT_CERTIFICATES_TIME};
	static const enum certdir_metric servers[] = {CERTDIR_METRIC_LDAP_SERVER_UP, CERTDIR_METRIC_LDAP_SEARCHES};

	look_at(&looks[0]);
	look_at(&looks[1]);
	print_module(self, to);
	print_editions(&looks[0]);
	for (size_t i = 0; i < 2 * sizeof(parts) / sizeof(parts[0]); i++)
		print_parts(&looks[i % 2], parts[i / 2]);
	for (size_t i = 0; i < 2 * sizeof(servers) / sizeof(servers[0]); i++)
		print_servers(&looks[i % 2], servers[i / 2]);
	print_memory(&looks[0]);
	print_memory(&looks[1]);
	print_sessions(self, to);
	forget(&looks[0]);
	forget(&looks[1]);
}
