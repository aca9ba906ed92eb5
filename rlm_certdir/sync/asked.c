/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/asked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "asking/bounds.h"
#include "base/background.h"
#include "sync/engine.h"
#include "sync/record.h"

enum {
	QUESTIONS = 64, /* at a time */
	BATCH = 15, /* devices that one request asks for: so many alternatives Graph takes */
	COST_MAX = 30, /* what the rate gives at once */
	PATIENCE = 3 /* seconds that Graph has for one: nobody waits longer */
};
/* After a request that failed, its tenant is not asked for so long; or for as long as Graph says, within a bound. */
#define REST (5 * CERTDIR_SECOND)
#define REST_MAX (300 * CERTDIR_SECOND)

enum state { FREE, QUEUED, FETCHING, FETCHED, ANSWERED };

struct asked_question {
	struct certdir_question question;
	enum state state;
	enum certdir_reply reply;
	unsigned waiters;
	unsigned requests; /* that were made for it, and for others with it */
	bool again; /* Graph does not have the kind of object that was asked for first, and is asked for the other */
	int64_t at; /* Unix seconds, before Graph was asked */
	const struct certdir_sync_config *config;
	const struct certdir_tenant_config *tenant; /* that knows it */
	char *devices, *record; /* what its Graph says: a page of devices; an Intune record, or NULL */
};

struct certdir_asked {
	int main_event, door_event;
	atomic_int stop;
	pthread_t thread;
	/* of the thread alone */
	struct certdir_graph **graphs; /* of the tenants of `used` */

	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t work;
	const struct certdir_sync_config *config; /* of now, or NULL */
	const struct certdir_sync_config *used; /* that the graphs are of, or NULL */
	struct asked_question questions[QUESTIONS];
	struct certdir_rate rate;
	struct certdir_unknown unknown;
	int64_t *rests; /* of each tenant of `used`: until when it is not asked, certdir_monotonic() */
};

static void ring(int event)
{
	const uint64_t one = 1;

	(void)!write(event, &one, sizeof(one));
}

/* ---- questions: with the mutex ---- */

static void clear(struct asked_question *question)
{
	free(question->devices);
	free(question->record);
	memset(question, 0, sizeof(*question));
}

static void answer(struct certdir_asked *asked, struct asked_question *question, enum certdir_reply reply)
{
	if (reply == CERTDIR_REPLY_UNKNOWN)
		certdir_unknown_add(&asked->unknown, &question->question, certdir_monotonic());
	question->state = ANSWERED;
	question->reply = reply;
	if (question->waiters == 0)
		clear(question);
	ring(asked->door_event);
}

static bool is_of(const struct certdir_question *question, const struct certdir_tenant_config *tenant)
{
	return !tenant->ldap && (!question->tenant[0] || strcasecmp(question->tenant, tenant->tenant_id) == 0);
}

static bool rests(const struct certdir_asked *asked, size_t tenant)
{
	return asked->config == asked->used && asked->rests && asked->rests[tenant] > certdir_monotonic();
}

/* How many tenants are to be asked; *resting tells whether others are not for now. */
static size_t count_tenants(const struct certdir_asked *asked, const struct certdir_question *question, bool *resting)
{
	size_t count = 0;

	*resting = false;
	for (size_t i = 0; i < asked->config->count; i++) {
		const bool its = is_of(question, &asked->config->tenants[i]), rest = its && rests(asked, i);

		count += its && !rest;
		*resting |= rest;
	}
	return count;
}

static int find(const struct certdir_asked *asked, const struct certdir_question *question)
{
	for (int i = 0; i < QUESTIONS; i++)
		if (asked->questions[i].state != FREE && certdir_question_same(&asked->questions[i].question, question))
			return i;
	return -1;
}

static int add(struct certdir_asked *asked, const struct certdir_question *question, enum certdir_reply *reply)
{
	bool resting;
	int i;

	for (i = 0; i < QUESTIONS && asked->questions[i].state != FREE; i++)
		;
	*reply = CERTDIR_REPLY_BUSY;
	if (i == QUESTIONS || !asked->config)
		return -1;
	if (count_tenants(asked, question, &resting) == 0) {
		*reply = resting ? CERTDIR_REPLY_BUSY : CERTDIR_REPLY_UNKNOWN;
		return -1;
	}
	asked->questions[i] = (struct asked_question){.question = *question, .state = QUEUED};
	(void)pthread_cond_signal(&asked->work);
	return i;
}

int certdir_asked_enter(struct certdir_asked *asked, const struct certdir_question *question, enum certdir_reply *reply)
{
	int number = -1;

	(void)pthread_mutex_lock(&asked->mutex);
	if (certdir_unknown_has(&asked->unknown, question, certdir_monotonic())) {
		*reply = CERTDIR_REPLY_UNKNOWN;
	} else {
		number = find(asked, question);
		if (number < 0)
			number = add(asked, question, reply);
		if (number >= 0)
			asked->questions[number].waiters++;
	}
	(void)pthread_mutex_unlock(&asked->mutex);
	return number;
}

void certdir_asked_leave(struct certdir_asked *asked, int number)
{
	struct asked_question *question = &asked->questions[number];

	(void)pthread_mutex_lock(&asked->mutex);
	if (--question->waiters == 0 && question->state == ANSWERED)
		clear(question);
	(void)pthread_mutex_unlock(&asked->mutex);
}

enum certdir_reply certdir_asked_look(struct certdir_asked *asked, int number)
{
	enum certdir_reply reply;

	(void)pthread_mutex_lock(&asked->mutex);
	reply = asked->questions[number].state == ANSWERED ? asked->questions[number].reply : CERTDIR_REPLY_NONE;
	(void)pthread_mutex_unlock(&asked->mutex);
	if (reply != CERTDIR_REPLY_NONE)
		certdir_asked_leave(asked, number);
	return reply;
}

/* ---- what Graph says, of one object ---- */

/* Reads a page that is in memory; prefix and suffix make one of a single object. */
static bool read_page(const char *body, bool single, const char *const *properties,
		      bool (*each)(void *context, const struct certdir_page_object *object,
				   struct certdir_error *error),
		      void *context, struct certdir_error *error)
{
	struct certdir_page *page = certdir_page_open(properties, each, context);
	bool retry, ok = page != NULL;

	if (!page)
		certdir_error_set(error, "out of memory");
	if (page)
		certdir_page_begin(page);
	ok = ok && (!single || certdir_page_bytes(page, "{\"value\":[", 10, &retry, error)) &&
	     certdir_page_bytes(page, body, strlen(body), &retry, error) &&
	     (!single || certdir_page_bytes(page, "]}", 2, &retry, error)) && certdir_page_end(page, &retry, error);
	certdir_page_close(page);
	return ok;
}

static const char *const *entra_properties(const struct certdir_tenant_config *tenant)
{
	return tenant->extension_attributes ? certdir_record_extended_properties : certdir_record_entra_properties;
}

struct reading {
	const struct certdir_tenant_config *tenant;
	const char *id; /* of the device that was asked for */
	struct certdir_tenant *list; /* NULL: it is only looked for */
	size_t found;
	char entra[CERTDIR_GUID_SIZE]; /* of an Intune record */
};

/* What was not asked for is not taken, even if Graph gives it. */
static bool take_device(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	struct reading *reading = context;
	char room[CERTDIR_RECORD_ROOM];
	struct certdir_device device;
	uint32_t present;

	if (!certdir_record_entra(object, reading->tenant->extension_attributes, room, &device, &present, error))
		return false;
	if (object->removed || !device.entra_device_id || strcasecmp(device.entra_device_id, reading->id) != 0)
		return true;
	reading->found++;
	return !reading->list || certdir_tenant_devices_put(reading->list, &device, present, error);
}

static bool take_record(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	struct reading *reading = context;
	struct certdir_device record;

	if (!certdir_record_intune(object, &record, error))
		return false;
	if (strcasecmp(record.intune_device_id, reading->id) != 0)
		return true;
	if (record.entra_device_id && strlen(record.entra_device_id) < sizeof(reading->entra))
		strcpy(reading->entra, record.entra_device_id);
	return !reading->list || certdir_tenant_asked_record(reading->list, &record, error);
}

/* ---- the thread: asks Graph ---- */

static struct certdir_graph *graph_of(struct certdir_asked *asked, size_t tenant, struct certdir_error *error)
{
	const struct certdir_http_limits limits = {.deadline = certdir_monotonic() + PATIENCE * CERTDIR_SECOND,
						   .stop = &asked->stop};
	struct certdir_graph **graph = &asked->graphs[tenant];

	if (*graph && !certdir_graph_renew(*graph, &limits)) {
		certdir_graph_close(*graph);
		*graph = NULL;
	}
	if (!*graph)
		*graph = certdir_graph_open(&asked->used->tenants[tenant], &limits, error);
	return *graph;
}

/* Asks for devices by their Entra ids, BATCH at most: *body is the page of those that there are. */
static bool get_devices(struct certdir_graph *graph, const struct certdir_tenant_config *tenant, const char *const *ids,
			size_t count, char **body, struct certdir_error *error)
{
	char filter[BATCH * 64] = "", *url;
	size_t length = 0;
	bool ok = false;

	for (size_t i = 0; i < count; i++)
		length += (size_t)snprintf(filter + length, sizeof(filter) - length, "%sdeviceId%%20eq%%20'%s'",
					   i ? "%20or%20" : "", ids[i]);
	url = certdir_print("%s/devices?$filter=%s&$select=%s", certdir_graph_base(graph), filter,
			    tenant->extension_attributes ? CERTDIR_RECORD_EXTENDED_SELECT
							 : CERTDIR_RECORD_ENTRA_SELECT);
	*body = NULL;
	if (!url)
		certdir_error_set(error, "out of memory");
	else
		ok = certdir_graph_ask(graph, url, NULL, "Device.Read.All", NULL, body, error) == CERTDIR_GRAPH_OK &&
		     *body;
	free(url);
	return ok;
}

/* *devices: a copy of the page, where that device is on it. */
static bool pick_device(const struct certdir_tenant_config *tenant, const char *body, const char *id, char **devices,
			struct certdir_error *error)
{
	struct reading reading = {.tenant = tenant, .id = id};

	if (!read_page(body, false, entra_properties(tenant), take_device, &reading, error))
		return false;
	*devices = reading.found ? strdup(body) : NULL;
	return true;
}

static bool ask_devices(struct certdir_graph *graph, const struct certdir_tenant_config *tenant,
			struct asked_question *found, size_t count, struct certdir_error *error)
{
	const char *ids[BATCH];
	size_t wanted = 0;
	char *body = NULL;
	bool ok;

	for (size_t i = 0; i < count; i++)
		if (!found[i].devices)
			ids[wanted++] = found[i].question.id;
	ok = wanted == 0 || get_devices(graph, tenant, ids, wanted, &body, error);
	for (size_t i = 0; ok && body && i < count; i++)
		if (!found[i].devices)
			ok = pick_device(tenant, body, found[i].question.id, &found[i].devices, error);
	free(body);
	return ok;
}

/* Asks for an Intune record, and for the device that it names: both, or none. */
static bool ask_record(struct certdir_graph *graph, const struct certdir_tenant_config *tenant, const char *id,
		       char **record, char **devices, struct certdir_error *error)
{
	char *url = certdir_print("%s/deviceManagement/managedDevices/%s?$select=" CERTDIR_RECORD_INTUNE_SELECT,
				  certdir_graph_base(graph), id);
	struct reading reading = {.tenant = tenant, .id = id};
	enum certdir_graph_outcome outcome = CERTDIR_GRAPH_FAILED;
	const char *const entra = reading.entra;
	char *body = NULL;
	bool ok;

	*record = *devices = NULL;
	if (!url)
		certdir_error_set(error, "out of memory");
	else
		outcome = certdir_graph_ask(graph, url, NULL, "DeviceManagementManagedDevices.Read.All", NULL, record,
					    error);
	free(url);
	if (outcome != CERTDIR_GRAPH_OK || !*record)
		return outcome == CERTDIR_GRAPH_NOT_FOUND || outcome == CERTDIR_GRAPH_NOT_APPLICABLE;
	ok = read_page(*record, true, certdir_record_intune_properties, take_record, &reading, error);
	if (ok && reading.entra[0] && strcasecmp(reading.entra, id) != 0)
		ok = get_devices(graph, tenant, &entra, 1, &body, error) &&
		     pick_device(tenant, body, entra, devices, error);
	free(body);
	if (!*devices) {
		free(*record);
		*record = NULL;
	}
	return ok;
}

/* Nobody asks before, but who has asked already. */
static void rest(struct certdir_asked *asked, size_t tenant, int64_t until)
{
	const int64_t now = certdir_monotonic(), least = now + REST, most = now + REST_MAX;

	(void)pthread_mutex_lock(&asked->mutex);
	asked->rests[tenant] = until < least ? least : until > most ? most : until;
	(void)pthread_mutex_unlock(&asked->mutex);
}

/*
 * Which kind is asked for: first what the certificate says that the id is; but administrators put an Entra id behind Intune's prefix, and
 * the list looks for both as well.
 */
static bool by_record(const struct asked_question *question)
{
	return (question->question.type == CERTDIR_ID_INTUNE) != question->again;
}

/* Asks one tenant for those that were not found yet; by a record, for one alone. False with `error` when it does not answer. */
static bool ask_tenant(struct certdir_asked *asked, size_t index, struct asked_question *found, size_t count,
		       struct certdir_error *error)
{
	const struct certdir_tenant_config *tenant = &asked->used->tenants[index];
	struct certdir_graph *graph = graph_of(asked, index, error);
	struct certdir_http_counts counts;
	bool ok = graph != NULL;

	if (ok && !by_record(found))
		ok = ask_devices(graph, tenant, found, count, error);
	else if (ok && tenant->intune)
		ok = ask_record(graph, tenant, found->question.id, &found->record, &found->devices, error);
	for (size_t i = 0; i < count; i++)
		if (found[i].devices && !found[i].tenant)
			found[i].tenant = tenant;
	if (!ok)
		rest(asked, index, graph ? certdir_graph_wait_until(graph) : 0);
	if (!graph)
		return false;
	certdir_graph_counts(graph, &counts);
	found->requests += (unsigned)counts.requests;
	/* The next one reads the credentials anew. */
	if (!ok) {
		certdir_graph_close(graph);
		asked->graphs[index] = NULL;
	}
	return ok;
}

static bool is_complete(const struct asked_question *found, size_t count)
{
	while (count > 0 && found[count - 1].devices)
		count--;
	return count == 0;
}

/* False: not all have answered, so that who was not found may be known all the same. */
static bool ask_all(struct certdir_asked *asked, struct asked_question *found, size_t count)
{
	const struct certdir_sync_config *config = asked->used;
	bool ok = true;

	for (size_t i = 0; !is_complete(found, count) && i < config->count; i++) {
		struct certdir_error error = {.text = "out of memory"};

		if (!is_of(&found->question, &config->tenants[i]))
			continue;
		if (asked->rests[i] > certdir_monotonic()) { /* which this thread alone sets */
			ok = false;
		} else if (!ask_tenant(asked, i, found, count, &error)) {
			ok = false;
			if (!asked->stop)
				certdir_log(CERTDIR_LOG_WARN, "a device that a server asked for: %s", error.text);
		}
	}
	return ok;
}

static void close_graphs(struct certdir_asked *asked)
{
	for (size_t i = 0; asked->graphs && i < asked->used->count; i++)
		certdir_graph_close(asked->graphs[i]);
	free(asked->graphs);
	free(asked->rests);
	asked->graphs = NULL;
	asked->rests = NULL;
}

/* Goes over to the configuration of now; with the mutex, as nothing is under way. */
static bool take_config(struct certdir_asked *asked)
{
	if (asked->used == asked->config)
		return asked->graphs && asked->rests;
	close_graphs(asked);
	asked->used = asked->config;
	if (asked->used) {
		asked->graphs = calloc(asked->used->count + 1, sizeof(struct certdir_graph *));
		asked->rests = calloc(asked->used->count + 1, sizeof(*asked->rests));
	}
	return asked->graphs && asked->rests;
}

/* The first that waits, and others that one request asks for with it. */
static size_t next_questions(struct certdir_asked *asked, struct asked_question *next[BATCH])
{
	size_t count = 0;

	for (int i = 0; i < QUESTIONS && count < BATCH; i++) {
		struct asked_question *question = &asked->questions[i];

		if (question->state != QUEUED ||
		    (count &&
		     (by_record(question) || strcmp(question->question.tenant, next[0]->question.tenant) != 0)))
			continue;
		next[count++] = question;
		if (by_record(question))
			break;
	}
	return count;
}

/* What came of one, or of all together as `ok` says. */
static void settle(struct certdir_asked *asked, struct asked_question *question, const struct asked_question *found,
		   bool ok)
{
	question->at = found->at;
	question->config = found->config;
	question->tenant = found->tenant;
	question->devices = found->devices;
	question->record = found->record;
	if (ok && !found->devices && question->question.type != CERTDIR_ID_ENTRA && !question->again) {
		question->again = true;
		question->state = QUEUED;
		return;
	}
	if (found->devices) {
		question->state = FETCHED;
		ring(asked->main_event);
	} else {
		answer(asked, question, ok ? CERTDIR_REPLY_UNKNOWN : CERTDIR_REPLY_BUSY);
	}
}

/* Asks for them, in `cost` requests at most, without the mutex, and takes what came. */
static void fetch(struct certdir_asked *asked, struct asked_question *const *questions, size_t count, unsigned cost)
{
	struct asked_question found[BATCH] = {{.state = FREE}};
	bool ok;

	for (size_t i = 0; i < count; i++) {
		found[i] = (struct asked_question){.question = questions[i]->question,
						   .again = questions[i]->again,
						   .config = asked->used,
						   .at = (int64_t)time(NULL)};
		questions[i]->state = FETCHING;
	}
	(void)pthread_mutex_unlock(&asked->mutex);
	ok = ask_all(asked, found, count);
	(void)pthread_mutex_lock(&asked->mutex);
	if (found->requests < cost)
		certdir_rate_return(&asked->rate, cost - found->requests);
	for (size_t i = 0; i < count; i++)
		settle(asked, questions[i], &found[i], ok);
}

/* Requests that they may take, as far as there are so many: a record and the device that it names are two. False: not now. */
static bool take_rate(struct certdir_asked *asked, const struct asked_question *question, unsigned *cost)
{
	bool resting;
	const size_t tenants = count_tenants(asked, &question->question, &resting),
		     requests = tenants * (by_record(question) ? 2 : 1);

	*cost = requests > COST_MAX ? COST_MAX : (unsigned)requests;
	return certdir_rate_take(&asked->rate, *cost, certdir_monotonic());
}

static void *work(void *context)
{
	struct certdir_asked *asked = context;

	(void)pthread_mutex_lock(&asked->mutex);
	while (!asked->stop) {
		struct asked_question *next[BATCH] = {NULL};
		const size_t count = next_questions(asked, next);
		unsigned cost;
		const bool ready = take_config(asked) && count && take_rate(asked, next[0], &cost);

		if (ready)
			fetch(asked, next, count, cost);
		for (size_t i = 0; i < count && !ready; i++)
			answer(asked, next[i], CERTDIR_REPLY_BUSY);
		if (count == 0)
			(void)pthread_cond_wait(&asked->work, &asked->mutex);
	}
	close_graphs(asked);
	asked->used = NULL;
	(void)pthread_mutex_unlock(&asked->mutex);
	return NULL;
}

/* ---- the main thread: into the list ---- */

/* Puts one into the tenant's part; *reply is what is to be said when it is published. */
static bool put(struct certdir_tenant *list, const struct asked_question *question, struct certdir_error *error)
{
	struct reading reading = {.tenant = question->tenant, .id = question->question.id};

	if (question->record &&
	    !read_page(question->record, true, certdir_record_intune_properties, take_record, &reading, error))
		return false;
	if (question->record)
		reading.id = reading.entra;
	reading.list = list;
	if (!read_page(question->devices, false, entra_properties(question->tenant), take_device, &reading, error))
		return false;
	reading.id = question->question.id;
	return !question->record ||
	       read_page(question->record, true, certdir_record_intune_properties, take_record, &reading, error);
}

/* Whether the edition is to be published for it; *reply: what is to be said then. */
static bool merge(struct certdir_sync *sync, struct certdir_list_writer *writer, const struct asked_question *question,
		  enum certdir_reply *reply, struct certdir_error *error)
{
	const struct certdir_tenant_options options =
		certdir_sync_list_options(sync, question->config, question->tenant, question->at);
	struct certdir_tenant *list = certdir_tenant_open(writer, &options, error);
	struct certdir_tenant_counts counts = {0};
	bool known = false, ok;

	ok = list && certdir_tenant_asked_begin(list, error) && put(list, question, error) &&
	     certdir_tenant_asked_end(list, &counts, error) == CERTDIR_ENDED &&
	     certdir_tenant_knows(list, question->question.id, &known, error);
	certdir_tenant_close(list);
	*reply = !ok ? CERTDIR_REPLY_BUSY : known ? CERTDIR_REPLY_KNOWN : CERTDIR_REPLY_UNKNOWN;
	if (!ok)
		certdir_log(CERTDIR_LOG_WARN, "%s: device %s, which a server asked for: %s", question->tenant->name,
			    question->question.id, error->text);
	else if (known)
		certdir_log(CERTDIR_LOG_INFO, "%s: device %s, which a server asked for, is in the list",
			    question->tenant->name, question->question.id);
	/* A device that the filter keeps out is stored, too: it is not asked for again. */
	return ok;
}

/* Those that have come; copies, whose texts stay the questions'. */
static size_t take_fetched(struct certdir_asked *asked, int numbers[QUESTIONS], struct asked_question copies[QUESTIONS])
{
	size_t count = 0;

	(void)pthread_mutex_lock(&asked->mutex);
	for (int i = 0; i < QUESTIONS; i++)
		if (asked->questions[i].state == FETCHED) {
			copies[count] = asked->questions[i];
			numbers[count++] = i;
		}
	(void)pthread_mutex_unlock(&asked->mutex);
	return count;
}

void certdir_asked_apply(struct certdir_asked *asked, struct certdir_sync *sync)
{
	struct asked_question copies[QUESTIONS];
	enum certdir_reply replies[QUESTIONS];
	struct certdir_error error;
	struct certdir_list_writer *writer;
	int numbers[QUESTIONS];
	const size_t count = take_fetched(asked, numbers, copies);
	bool any = false, published = false;

	if (count == 0)
		return;
	writer = certdir_list_write_begin(sync->config->list, false, sync->config->signing_key, &error);
	for (size_t i = 0; writer && i < count; i++)
		any |= merge(sync, writer, &copies[i], &replies[i], &error);
	if (any)
		published = certdir_list_write_publish(writer, &error);
	else
		certdir_list_write_abort(writer);
	if (!published && (any || !writer))
		certdir_log(CERTDIR_LOG_WARN, "devices that a server asked for are not published: %s", error.text);
	(void)pthread_mutex_lock(&asked->mutex);
	for (size_t i = 0; i < count; i++)
		answer(asked, &asked->questions[numbers[i]], published ? replies[i] : CERTDIR_REPLY_BUSY);
	(void)pthread_mutex_unlock(&asked->mutex);
}

/* ---- life ---- */

void certdir_asked_configure(struct certdir_asked *asked, const struct certdir_sync_config *config)
{
	(void)pthread_mutex_lock(&asked->mutex);
	asked->config = config;
	(void)pthread_cond_signal(&asked->work);
	(void)pthread_mutex_unlock(&asked->mutex);
}

bool certdir_asked_uses(struct certdir_asked *asked, const struct certdir_sync_config *config)
{
	bool uses;

	(void)pthread_mutex_lock(&asked->mutex);
	uses = asked->config == config || asked->used == config;
	for (int i = 0; i < QUESTIONS; i++)
		uses |= asked->questions[i].config == config;
	(void)pthread_mutex_unlock(&asked->mutex);
	return uses;
}

struct certdir_asked *certdir_asked_open(int main_event, int door_event, struct certdir_error *error)
{
	struct certdir_asked *asked = calloc(1, sizeof(*asked));

	if (!asked) {
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	asked->main_event = main_event;
	asked->door_event = door_event;
	asked->unknown.start = (uint64_t)certdir_monotonic() * UINT64_C(0x9e3779b97f4a7c15);
	(void)pthread_mutex_init(&asked->mutex, NULL);
	(void)pthread_cond_init(&asked->work, NULL);
	if (certdir_background_start(&asked->thread, work, asked, error))
		return asked;
	free(asked);
	return NULL;
}

void certdir_asked_close(struct certdir_asked *asked)
{
	if (!asked)
		return;
	(void)pthread_mutex_lock(&asked->mutex);
	asked->stop = 1;
	(void)pthread_cond_signal(&asked->work);
	(void)pthread_mutex_unlock(&asked->mutex);
	(void)pthread_join(asked->thread, NULL);
	for (int i = 0; i < QUESTIONS; i++)
		clear(&asked->questions[i]);
	(void)pthread_cond_destroy(&asked->work);
	(void)pthread_mutex_destroy(&asked->mutex);
	free(asked);
}
