/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device list as a directory: what a search makes of the edition in use, and the asking for what is not in it. */
#include "directory/list.h"

#include <stdlib.h>
#include <string.h>

#include "asking/client.h"
#include "directory/list_source.h"
#include "directory/list_watch.h"
#include "text/canonical.h"

struct people {
	struct certdir_directory base; /* first */
	struct list_directory *list;
};

struct list_directory {
	struct certdir_directory base; /* first */
	struct people people;
	char tenant[CERTDIR_VALUE_MAX + 1]; /* canonical, "" = any */
	struct certdir_list_watch *watch;
	struct certdir_asker *asker; /* NULL: nobody is asked */
};

/* ---- asking ---- */

static bool ask_sync(struct certdir_directory *directory, enum certdir_identity_type type, const char *id,
		     const char *tenant)
{
	struct list_directory *list = (struct list_directory *)directory;
	struct certdir_question question = {.what = CERTDIR_ASKING_DEVICE, .type = type};

	if (list->tenant[0])
		tenant = list->tenant;
	if (strlen(id) >= sizeof(question.id) || strlen(tenant) >= sizeof(question.tenant))
		return false;
	strcpy(question.id, id);
	strcpy(question.tenant, tenant);
	if (certdir_asker_ask(list->asker, &question) != CERTDIR_REPLY_KNOWN)
		return false;
	certdir_list_watch_look_now(list->watch);
	return true;
}

/* ---- searching ---- */

/* What an answer holds is a reader, which holds its edition of the list: a login ends on the one that it began with. */
static void release(void *held)
{
	certdir_list_reader_put(held);
}

/*
 * The sources in scope, and what the list knows devices by. As long as nothing was loaded that it is there for (of its tenant, where
 * it is limited to one), that may be anything: no name may stand in for an id that could not be found yet.
 */
static bool take_sources(const struct list_directory *list, const struct certdir_list_snapshot *snapshot, bool people,
			 struct certdir_answer *answer)
{
	const struct certdir_list_source *sources;
	bool loaded = false;
	size_t count;

	sources = certdir_list_sources(snapshot, &count);
	answer->sources = calloc(count + 1, sizeof(*answer->sources));
	if (!answer->sources)
		return false;
	answer->keeps = 0;
	for (size_t i = 0; i < count; i++) {
		if (!certdir_list_source_concerns(&sources[i], list->tenant))
			continue;
		loaded |= !list->tenant[0] || sources[i].tenant;
		answer->sources[answer->source_count] = people ? certdir_list_source_describe_people(&sources[i])
							       : certdir_list_source_describe(&sources[i]);
		answer->keeps |= answer->sources[answer->source_count++].keeps;
	}
	if (!loaded)
		answer->keeps = UINT32_MAX;
	return true;
}

struct certdir_list_snapshot *certdir_list_directory_edition(struct certdir_directory *directory)
{
	struct certdir_error why;

	return certdir_list_watch_edition(((struct list_directory *)directory)->watch, &why);
}

uint64_t certdir_directory_list_edition(const struct certdir_directory *directory)
{
	return certdir_list_watch_editions(((const struct list_directory *)directory)->watch);
}

/* The first search of a login. Until the list is seen, it may know devices by anything. */
static bool begin(struct list_directory *list, bool people, struct certdir_answer *answer)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_error error = {.text = ""};

	answer->keeps = UINT32_MAX;
	snapshot = certdir_list_watch_edition(list->watch, &error);
	if (!snapshot) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_MISSING, error.text);
		return false;
	}
	answer->held = certdir_list_reader_get(snapshot, &error);
	answer->release = release;
	if (!answer->held)
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
	else if (take_sources(list, snapshot, people, answer))
		answer->state = CERTDIR_ANSWERED;
	else
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, "out of memory");
	certdir_list_release(snapshot);
	return answer->state == CERTDIR_ANSWERED;
}

static bool is_known(const struct certdir_answer *answer, int64_t row)
{
	for (size_t i = 0; i < answer->count; i++)
		if (answer->records[i].row == row)
			return true;
	return false;
}

/* Names of sources are borrowed from the edition, so the pointer tells which it is. */
static size_t place_of(const struct certdir_answer *answer, const struct certdir_list_source *source)
{
	size_t i;

	for (i = 0; i < answer->source_count && answer->sources[i].name != source->name; i++)
		;
	return i;
}

static bool add_record(const struct list_directory *list, int64_t row, struct certdir_answer *answer)
{
	const struct certdir_list_source *source;
	const char *only_against;
	struct certdir_device device;
	struct certdir_record *record;
	struct certdir_error error;

	if (!certdir_list_device(answer->held, row, &device, &source, &only_against, &error)) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
		return false;
	}
	record = certdir_answer_add(answer);
	if (!record) {
		certdir_device_clear(&device);
		return false;
	}
	record->device = device;
	if (!certdir_list_values(answer->held, row, &record->values, &record->value_count, &error)) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
		return false;
	}
	record->source = place_of(answer, source);
	record->row = row;
	record->only_against = only_against;
	if (!only_against && list->tenant[0] && !device.tenant)
		record->only_against = "of no tenant, and the list is limited to one";
	return true;
}

/* The row of a certificate becomes a record, which takes what it holds. False: the answer says why. */
static bool add_issued(struct certdir_list_issued *row, const char *thumbprint, struct certdir_answer *answer)
{
	struct certdir_record *record = certdir_answer_add(answer);
	const struct certdir_issued *issued = &row->issued;
	const char *id = issued->intune_device_id  ? issued->intune_device_id
			 : issued->entra_device_id ? issued->entra_device_id
			 : issued->upn		   ? issued->upn
						   : thumbprint;

	if (!record)
		return false;
	record->source = place_of(answer, row->source);
	record->only_against = "a certificate that was issued to it is no device";
	record->issued = malloc(sizeof(*record->issued));
	record->values = calloc(1, sizeof(*record->values));
	if (record->issued) {
		*record->issued = row->issued;
		memset(&row->issued, 0, sizeof(row->issued));
		issued = record->issued;
	}
	record->device.id = strdup(id);
	record->device.intune_device_id = issued->intune_device_id ? strdup(issued->intune_device_id) : NULL;
	record->device.entra_device_id = issued->entra_device_id ? strdup(issued->entra_device_id) : NULL;
	if (record->values) {
		record->values[0] = (struct certdir_value){CERTDIR_ID_CERTIFICATE, strdup(thumbprint)};
		record->value_count = record->values[0].value != NULL;
	}
	if (record->issued && record->device.id && record->value_count &&
	    !record->device.intune_device_id == !issued->intune_device_id &&
	    !record->device.entra_device_id == !issued->entra_device_id)
		return true;
	certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, "out of memory");
	return false;
}

/* What is not looked at might be a "no": the answer is full then. */
static bool search_tables(const struct list_directory *list, const struct certdir_sought *sought,
			  struct certdir_answer *answer)
{
	struct certdir_list_issued rows[CERTDIR_LIST_FIND_MAX];
	struct certdir_error error;
	bool more, ok = true;
	const int count = certdir_list_issued_find(answer->held, list->tenant[0] ? list->tenant : NULL,
						   sought->certificate, rows, &more, &error);

	if (count < 0) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
		return false;
	}
	answer->full |= more;
	for (int i = 0; i < count; i++) {
		ok = ok && add_issued(&rows[i], sought->value, answer);
		certdir_issued_clear(&rows[i].issued);
	}
	return ok;
}

static bool search_for(const struct list_directory *list, struct certdir_sought *sought, struct certdir_answer *answer)
{
	const char *tenant = list->tenant[0] ? list->tenant : NULL;
	int64_t rows[CERTDIR_LIST_FIND_MAX];
	struct certdir_error error;
	bool more;
	int count;

	if (sought->type == CERTDIR_ID_CERTIFICATE)
		return search_tables(list, sought, answer);
	count = certdir_list_find(answer->held, tenant, sought->type, sought->value, rows, &more, &error);
	if (count < 0) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
		return false;
	}
	sought->many |= more;
	for (int i = 0; i < count; i++)
		if (!is_known(answer, rows[i]) && !add_record(list, rows[i], answer))
			return false;
	return true;
}

static void search_list(struct certdir_directory *directory, struct certdir_sought *sought, size_t count,
			struct certdir_answer *answer)
{
	struct list_directory *list = (struct list_directory *)directory;

	if (answer->state == CERTDIR_NOT_ASKED && !begin(list, false, answer))
		return;
	for (size_t i = 0; i < count && answer->state == CERTDIR_ANSWERED; i++)
		if (!search_for(list, &sought[i], answer))
			return;
}

/* ---- people ---- */

static bool add_person(int64_t row, struct certdir_answer *answer)
{
	const struct certdir_list_source *source;
	struct certdir_list_person person;
	struct certdir_record *record;
	struct certdir_error error;

	if (!certdir_list_user(answer->held, row, &person, &source, &error)) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
		return false;
	}
	record = certdir_answer_add(answer);
	if (record) {
		*record = (struct certdir_record){.device = person.person,
						  .source = place_of(answer, source),
						  .values = person.values,
						  .value_count = person.value_count,
						  .row = row};
		return true;
	}
	certdir_record_clear(&(struct certdir_record){
		.device = person.person, .values = person.values, .value_count = person.value_count});
	return false;
}

static void search_people(struct certdir_directory *directory, struct certdir_sought *sought, size_t count,
			  struct certdir_answer *answer)
{
	struct list_directory *list = ((struct people *)directory)->list;
	const char *tenant = list->tenant[0] ? list->tenant : NULL;

	if (answer->state == CERTDIR_NOT_ASKED && !begin(list, true, answer))
		return;
	for (size_t i = 0; i < count && answer->state == CERTDIR_ANSWERED; i++) {
		int64_t rows[CERTDIR_LIST_FIND_MAX];
		struct certdir_error error;
		bool more = false;
		int found;

		if (sought[i].type == CERTDIR_ID_CERTIFICATE) {
			(void)search_tables(list, &sought[i], answer);
			continue;
		}
		found = certdir_list_find_user(answer->held, tenant, sought[i].type, sought[i].value, rows, &more,
					       &error);

		if (found < 0)
			certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
		sought[i].many |= more;
		for (int r = 0; r < found; r++)
			if (!is_known(answer, rows[r]) && !add_person(rows[r], answer))
				return;
	}
}

/* It is a part of the list, which frees it. */
static void close_people(struct certdir_directory *directory)
{
	(void)directory;
}

struct certdir_directory *certdir_list_directory_people(struct certdir_directory *directory)
{
	static const struct certdir_directory_type people_type = {search_people, close_people};
	struct list_directory *list = (struct list_directory *)directory;

	list->people = (struct people){.base = *directory, .list = list};
	list->people.base.type = &people_type;
	list->people.base.ask = NULL;
	return &list->people.base;
}

/* ---- open, close ---- */

static void close_list(struct certdir_directory *directory)
{
	struct list_directory *list = (struct list_directory *)directory;

	certdir_list_watch_close(list->watch);
	certdir_asker_close(list->asker);
	free(list);
}

static const struct certdir_directory_type list_type = {search_list, close_list};

struct certdir_directory *certdir_list_directory_open(const struct certdir_list_config *config, bool watch_file,
						      struct certdir_error *error)
{
	struct list_directory *list = calloc(1, sizeof(*list));

	if (!list) {
		certdir_error_set(error, "%s: out of memory", config->filename);
		return NULL;
	}
	list->base.type = &list_type;
	list->base.max_age = config->max_age;
	if (watch_file && config->ask && (list->asker = certdir_asker_open(config->filename, config->askers)) != NULL)
		list->base.ask = ask_sync;
	if (config->tenant && *config->tenant &&
	    !certdir_canonical(CERTDIR_ID_GUID, config->tenant, strlen(config->tenant), list->tenant))
		certdir_error_set(error, "tenant = \"%s\" is not a GUID: give the tenant's id, not its domain",
				  config->tenant);
	else
		list->watch = certdir_list_watch_open(config, list->tenant, watch_file, error);
	if (list->watch)
		return &list->base;
	close_list(&list->base);
	return NULL;
}
