/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/asked.h"

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
	unsigned cost, requests; /* that were taken from the rate, and made */
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

/* Requests that it may take at most; 0 = none, and *resting tells whether that is for now only. */
static unsigned cost_of(const struct certdir_asked *asked, const struct certdir_question *question, bool *resting)
{
	const unsigned each = question->type == CERTDIR_ID_ENTRA ? 1 : 3;
	size_t tenants = 0;

	*resting = false;
	for (size_t i = 0; i < asked->config->count; i++) {
		const bool its = is_of(question, &asked->config->tenants[i]), rest = its && rests(asked, i);

		tenants += its && !rest;
		*resting |= rest;
	}
	return tenants * each > COST_MAX ? COST_MAX : (unsigned)tenants * each;
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
	const int64_t now = certdir_monotonic();
	bool resting;
	unsigned cost;
	int i;

	for (i = 0; i < QUESTIONS && asked->questions[i].state != FREE; i++)
		;
	*reply = CERTDIR_REPLY_BUSY;
	if (i == QUESTIONS || !asked->config)
		return -1;
	cost = cost_of(asked, question, &resting);
	if (cost == 0 && !resting)
		*reply = CERTDIR_REPLY_UNKNOWN;
	if (cost == 0 || !certdir_rate_take(&asked->rate, cost, now))
		return -1;
	asked->questions[i] = (struct asked_question){.question = *question, .state = QUEUED, .cost = cost};
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

/* Asks for one device by its Entra id: *body is the page if it has it, else NULL. */
static bool ask_devices(struct certdir_graph *graph, const struct certdir_tenant_config *tenant, const char *id,
			char **body, struct certdir_error *error)
{
	char *url = certdir_print("%s/devices?$filter=deviceId%%20eq%%20'%s'&$select=%s", certdir_graph_base(graph), id,
				  tenant->extension_attributes ? CERTDIR_RECORD_EXTENDED_SELECT
							       : CERTDIR_RECORD_ENTRA_SELECT);
	struct reading reading = {.tenant = tenant, .id = id};
	bool ok = false;

	*body = NULL;
	if (!url)
		certdir_error_set(error, "out of memory");
	else
		ok = certdir_graph_ask(graph, url, NULL, "Device.Read.All", NULL, body, error) == CERTDIR_GRAPH_OK &&
		     *body && read_page(*body, false, entra_properties(tenant), take_device, &reading, error);
	free(url);
	if (!reading.found) {
		free(*body);
		*body = NULL;
	}
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
		ok = ask_devices(graph, tenant, reading.entra, devices, error);
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
 * Asks one tenant, first for the kind of id that the certificate says it is; but administrators put an Entra id behind Intune's prefix, and
 * the list looks for both as well. False with `error` when it does not answer.
 */
static bool ask_tenant(struct certdir_asked *asked, size_t index, struct asked_question *found,
		       struct certdir_error *error)
{
	const struct certdir_tenant_config *tenant = &asked->used->tenants[index];
	const enum certdir_identity_type type = found->question.type;
	struct certdir_graph *graph = graph_of(asked, index, error);
	const char *id = found->question.id;
	struct certdir_http_counts counts;
	bool ok = graph != NULL;

	if (ok && type == CERTDIR_ID_INTUNE && tenant->intune)
		ok = ask_record(graph, tenant, id, &found->record, &found->devices, error);
	if (ok && !found->devices)
		ok = ask_devices(graph, tenant, id, &found->devices, error);
	if (ok && !found->devices && type == CERTDIR_ID_GUID && tenant->intune)
		ok = ask_record(graph, tenant, id, &found->record, &found->devices, error);
	if (found->devices)
		found->tenant = tenant;
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

/* False: not all have answered, so that it may be known all the same. */
static bool ask_all(struct certdir_asked *asked, struct asked_question *found)
{
	const struct certdir_sync_config *config = asked->used;
	bool ok = true;

	found->config = config;
	for (size_t i = 0; !found->devices && i < config->count; i++) {
		struct certdir_error error = {.text = "out of memory"};

		if (!is_of(&found->question, &config->tenants[i]))
			continue;
		if (asked->rests[i] > certdir_monotonic()) { /* which this thread alone sets */
			ok = false;
		} else if (!ask_tenant(asked, i, found, &error)) {
			ok = false;
			if (!asked->stop)
				certdir_log(CERTDIR_LOG_WARN, "a device that a server asked for: %s", error.text);
		}
	}
	return ok || found->devices;
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

static struct asked_question *next_question(struct certdir_asked *asked)
{
	for (int i = 0; i < QUESTIONS; i++)
		if (asked->questions[i].state == QUEUED)
			return &asked->questions[i];
	return NULL;
}

/* Asks for one, without the mutex, and takes what came. */
static void fetch(struct certdir_asked *asked, struct asked_question *question)
{
	struct asked_question found = {.question = question->question, .at = (int64_t)time(NULL)};
	bool ok;

	question->state = FETCHING;
	(void)pthread_mutex_unlock(&asked->mutex);
	ok = ask_all(asked, &found);
	(void)pthread_mutex_lock(&asked->mutex);
	question->at = found.at;
	question->config = found.config;
	question->tenant = found.tenant;
	question->devices = found.devices;
	question->record = found.record;
	if (found.requests < question->cost)
		certdir_rate_return(&asked->rate, question->cost - found.requests);
	if (ok && found.devices) {
		question->state = FETCHED;
		ring(asked->main_event);
	} else {
		answer(asked, question, ok ? CERTDIR_REPLY_UNKNOWN : CERTDIR_REPLY_BUSY);
	}
}

static void *work(void *context)
{
	struct certdir_asked *asked = context;

	(void)pthread_mutex_lock(&asked->mutex);
	while (!asked->stop) {
		const bool ready = take_config(asked);
		struct asked_question *question = next_question(asked);

		if (question && ready)
			fetch(asked, question);
		else if (question)
			answer(asked, question, CERTDIR_REPLY_BUSY);
		else
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
	writer = certdir_list_write_begin(sync->config->list, false, &error);
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
