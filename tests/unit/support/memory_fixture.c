/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory_fixture.h"

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

void make_record(struct certdir_record *record, const struct device *device)
{
	memset(record, 0, sizeof(*record));
	record->device.id = copy(device->id);
	record->device.sid = copy(device->sid);
	record->device.name = copy(device->name);
	record->device.enabled = device->enabled;
}

struct certdir_reply *told_of(const struct device *devices, size_t count, size_t values)
{
	struct certdir_reply *told = certdir_reply_new(count, values);

	assert_non_null(told);
	told->asked = certdir_moment_now();
	for (size_t i = 0; i < count; i++) {
		struct certdir_record record;

		make_record(&record, &devices[i]);
		told->records[i] = certdir_record_pack(&record);
		assert_non_null(told->records[i]);
		certdir_record_clear(&record);
	}
	return told;
}

struct certdir_question question_of(enum certdir_identity_type type, const char *value)
{
	const struct certdir_sought sought = {.type = type, .value = value};
	struct certdir_question question;

	assert_true(certdir_question_init(&question, &sought, 1));
	return question;
}

void store_put(struct certdir_store *store, enum certdir_identity_type type, const char *value,
	       const struct device *devices, size_t count)
{
	struct certdir_question question = question_of(type, value);
	struct certdir_reply *told = told_of(devices, count, 1);

	certdir_store_put(store, &question, told);
	certdir_reply_release(told);
	certdir_question_clear(&question);
}

int store_get(struct certdir_store *store, enum certdir_identity_type type, const char *value)
{
	struct certdir_question question = question_of(type, value);
	struct certdir_reply *told = certdir_store_get(store, &question);
	struct certdir_record record = {0};
	int enabled = -1;

	certdir_question_clear(&question);
	if (!told)
		return -1;
	assert_true(told->count > 0);
	assert_true(certdir_record_unpack(told->records[0]->bytes, told->records[0]->length, &record));
	enabled = (int)record.device.enabled;
	certdir_record_clear(&record);
	certdir_reply_release(told);
	return enabled;
}

struct certdir_store *new_store(size_t answers, size_t bytes)
{
	struct certdir_store *store = certdir_store_new(answers, bytes);

	assert_non_null(store);
	return store;
}

const struct device pc01 = {"cn=pc01", SID, "pc01", CERTDIR_YES};
const struct device pc01_disabled = {"cn=pc01", SID, "pc01", CERTDIR_NO};
const struct device pc02 = {"cn=pc02", "S-1-5-21-1-2-3-1105", "pc02", CERTDIR_YES};

static void fake_search(struct certdir_directory *directory, struct certdir_sought *sought, size_t count,
			struct certdir_answer *answer)
{
	struct fake *self = (struct fake *)directory;

	(void)count;
	atomic_fetch_add(&self->asked, 1);
	(void)pthread_mutex_lock(&self->lock);
	while (self->held)
		(void)pthread_cond_wait(&self->go, &self->lock);
	(void)pthread_mutex_unlock(&self->lock);
	if (self->down) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, "it is down");
		return;
	}
	answer->sources = calloc(1, sizeof(*answer->sources));
	answer->sources[0] = (struct certdir_source){.kind = CERTDIR_SOURCE_LDAP, .name = "ad", .says_enabled = true};
	answer->source_count = 1;
	for (size_t i = 0; i < self->count; i++) {
		struct certdir_record *record = certdir_answer_add(answer);

		make_record(record, &self->devices[i]);
		if (!self->group)
			continue;
		record->device.groups = calloc(1, sizeof(*record->device.groups));
		record->device.groups[record->device.group_count++] = (struct certdir_group){.id = strdup(self->group)};
	}
	answer->partial = self->partial;
	answer->state = CERTDIR_ANSWERED;
	sought[0].many = self->count == 3;
}

static void fake_close(struct certdir_directory *directory)
{
	(void)directory;
}

struct fake fake;

void fake_reset(const struct device *device)
{
	static const struct certdir_directory_type type = {fake_search, fake_close};

	memset(&fake, 0, sizeof(fake));
	fake.base = (struct certdir_directory){.type = &type, .name = "ad", .is_live = true, .keeps = 1};
	(void)pthread_mutex_init(&fake.lock, NULL);
	(void)pthread_cond_init(&fake.go, NULL);
	if (device)
		fake.devices[fake.count++] = *device;
}

struct certdir_directory *open_memory(uint32_t remember, bool stale, const char *filename)
{
	const struct certdir_memory_config config = {.remember = remember,
						     .when_unavailable = stale,
						     .patience = 20000000,
						     .waiting_max = 8,
						     .filename = filename,
						     .origin = strdup("base_dn = dc=x\n")};
	struct certdir_error error = {.text = ""};
	struct certdir_directory *memory = certdir_memory_open(&fake.base, &config, &error);

	if (!memory)
		fail_msg("%s", error.text);
	return memory;
}

struct said memory_ask(struct certdir_directory *memory, const char *name)
{
	struct certdir_sought sought = {.type = CERTDIR_ID_NAME, .value = name};
	struct certdir_answer answer = {0};
	struct said said;

	memory->type->search(memory, &sought, 1, &answer);
	said.state = answer.state;
	said.count = answer.count;
	said.enabled = answer.count ? answer.records[0].device.enabled : CERTDIR_UNKNOWN;
	said.age = answer.source_count && answer.sources[0].synced[0] ? time(NULL) - answer.sources[0].synced[0] : -1;
	said.many = sought.many;
	said.groups = answer.count ? answer.records[0].device.group_count : 0;
	said.group_as_of = said.groups ? answer.records[0].device.groups[0].as_of : 0;
	certdir_answer_clear(&answer);
	return said;
}
