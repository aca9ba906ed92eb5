/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of a live directory's answers: in bytes, in the store, in front of the directory, in a file. */
#include "base/background.h"
#include "directory/memory.h"
#include "directory/memory_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ENTRA "0a1b2c3d-0000-4000-8000-00000000000f"
#define SID "S-1-5-21-1-2-3-1104"

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* ---- records as bytes ---- */

/* Whatever a record can have. A field that is new has to be here, and in packed.c. */
_Static_assert(sizeof(void *) != 8 || sizeof(struct certdir_device) == 368, "pack the new field of a device, too");
_Static_assert(sizeof(void *) != 8 || sizeof(struct certdir_record) == 408, "pack the new field of a record, too");

static void fill(struct certdir_record *record)
{
	struct certdir_device *device = &record->device;
	char **text;

	memset(record, 0, sizeof(*record));
	device->id = strdup("CN=PC\xc3\xa4,DC=x");
	for (size_t i = 1; (text = certdir_device_text(device, i)) != NULL; i++)
		assert_return_code(asprintf(text, "text %zu", i), 0);
	device->udid[0] = '\0';
	device->dns_names = calloc(2, sizeof(char *));
	device->dns_names[device->dns_name_count++] = strdup("pc.x");
	device->dns_names[device->dns_name_count++] = strdup("pc.y");
	device->groups = calloc(2, sizeof(*device->groups));
	device->groups[device->group_count++] = (struct certdir_group){strdup("g1"), NULL, strdup("S-1-5-9"), 17};
	device->groups[device->group_count++] = (struct certdir_group){strdup("g2"), strdup("name"), NULL, -1};
	device->former_names = calloc(1, sizeof(*device->former_names));
	device->former_names[device->former_name_count++] = (struct certdir_former_name){strdup("old"), 1 << 30};
	device->own = (struct certdir_statement){true, 1, CERTDIR_YES, 2, CERTDIR_NO, 3, 4};
	device->intune = (struct certdir_statement){true, 5, CERTDIR_NO, 6, CERTDIR_YES, 7, INT64_MAX};
	device->enabled = CERTDIR_YES;
	device->managed = CERTDIR_NO;
	device->join_type = CERTDIR_JOIN_AD;
	device->last_seen = 8;
	device->registered = 9;
	device->expires = INT64_MIN;
	record->values = calloc(2, sizeof(*record->values));
	record->values[record->value_count++] = (struct certdir_value){CERTDIR_ID_GUID, strdup(ENTRA)};
	record->values[record->value_count++] = (struct certdir_value){CERTDIR_ID_NAME, strdup("pc")};
}

static void test_every_field_comes_back(void **state)
{
	struct certdir_record record, again = {0};
	struct certdir_packed *packed, *twice;

	(void)state;
	fill(&record);
	packed = certdir_record_pack(&record);
	assert_non_null(packed);
	assert_true(certdir_record_unpack(packed->bytes, packed->length, &again));
	assert_string_equal(again.device.id, "CN=PC\xc3\xa4,DC=x");
	assert_string_equal(again.device.udid, "");
	assert_int_equal(again.device.expires, INT64_MIN);
	assert_int_equal(again.device.intune.registered, INT64_MAX);
	assert_string_equal(again.device.groups[1].name, "name");
	assert_null(again.device.groups[1].sid);
	assert_string_equal(again.values[1].value, "pc");
	/* The same bytes again: nothing was lost on the way, in whatever field. */
	twice = certdir_record_pack(&again);
	assert_int_equal(twice->length, packed->length);
	assert_memory_equal(twice->bytes, packed->bytes, packed->length);
	/* id, five ids, and the GUID among the values */
	assert_int_equal(packed->identity_count, 7);
	certdir_packed_release(packed);
	certdir_packed_release(twice);
	certdir_record_clear(&record);
	certdir_record_clear(&again);
}

/* None of them is taken, and none reads beyond the end: run with the address sanitizer. */
static void test_record_cut_and_changed_at_each_byte(void **state)
{
	struct certdir_record record, again = {0};
	struct certdir_packed *packed;

	(void)state;
	fill(&record);
	packed = certdir_record_pack(&record);
	for (size_t length = 0; length < packed->length; length++) {
		unsigned char *bytes = malloc(length + 1);

		memcpy(bytes, packed->bytes, length);
		assert_false(certdir_record_unpack(bytes, length, &again));
		assert_null(again.device.id);
		free(bytes);
	}
	for (size_t at = 0; at < packed->length; at++)
		for (unsigned value = 0; value < 256; value += 5) {
			unsigned char *bytes = malloc(packed->length);

			memcpy(bytes, packed->bytes, packed->length);
			bytes[at] = (unsigned char)value;
			if (certdir_record_unpack(bytes, packed->length, &again)) {
				assert_non_null(again.device.id);
				assert_true(again.device.join_type < CERTDIR_JOIN_TYPES);
				certdir_record_clear(&again);
			}
			free(bytes);
		}
	certdir_packed_release(packed);
	certdir_record_clear(&record);
}

/* ---- questions and what was told ---- */

struct device {
	const char *id;
	const char *sid;
	const char *name;
	enum certdir_tristate enabled;
};

static void make_record(struct certdir_record *record, const struct device *device)
{
	memset(record, 0, sizeof(*record));
	record->device.id = copy(device->id);
	record->device.sid = copy(device->sid);
	record->device.name = copy(device->name);
	record->device.enabled = device->enabled;
}

static struct certdir_reply *told_of(const struct device *devices, size_t count, size_t values)
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

static struct certdir_question question_of(enum certdir_identity_type type, const char *value)
{
	const struct certdir_sought sought = {type, value, false};
	struct certdir_question question;

	assert_true(certdir_question_init(&question, &sought, 1));
	return question;
}

static void put(struct certdir_store *store, enum certdir_identity_type type, const char *value,
		const struct device *devices, size_t count)
{
	struct certdir_question question = question_of(type, value);
	struct certdir_reply *told = told_of(devices, count, 1);

	certdir_store_put(store, &question, told);
	certdir_reply_release(told);
	certdir_question_clear(&question);
}

/* -1: nothing is known; else whether the first record is enabled. */
static int get(struct certdir_store *store, enum certdir_identity_type type, const char *value)
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

static void test_a_question_has_no_order_but_types(void **state)
{
	const struct certdir_sought one[] = {{CERTDIR_ID_NAME, "b", false}, {CERTDIR_ID_DNS, "a", false}};
	const struct certdir_sought other[] = {{CERTDIR_ID_DNS, "a", false}, {CERTDIR_ID_NAME, "b", false}};
	/* What could run together, does not. */
	const struct certdir_sought apart[][2] = {{{CERTDIR_ID_NAME, "a", false}, {CERTDIR_ID_DNS, "b", false}},
						  {{CERTDIR_ID_DNS, "ab", false}, {CERTDIR_ID_NAME, "", false}},
						  {{CERTDIR_ID_DNS, "", false}, {CERTDIR_ID_NAME, "ab", false}}};
	struct certdir_question a, b;

	(void)state;
	assert_true(certdir_question_init(&a, one, 2));
	assert_true(certdir_question_init(&b, other, 2));
	assert_int_equal(a.key_length, b.key_length);
	assert_memory_equal(a.key, b.key, a.key_length);
	assert_int_equal(a.order[0], 1);
	assert_int_equal(b.order[0], 0);
	certdir_question_clear(&b);
	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		assert_true(certdir_question_init(&b, apart[i], 2));
		assert_false(b.key_length == a.key_length && memcmp(b.key, a.key, a.key_length) == 0);
		certdir_question_clear(&b);
	}
	certdir_question_clear(&a);
}

/* ---- the store ---- */

static struct certdir_store *new_store(size_t answers, size_t bytes)
{
	struct certdir_store *store = certdir_store_new(answers, bytes);

	assert_non_null(store);
	return store;
}

static const struct device pc01 = {"cn=pc01", SID, "pc01", CERTDIR_YES};
static const struct device pc01_disabled = {"cn=pc01", SID, "pc01", CERTDIR_NO};
static const struct device pc02 = {"cn=pc02", "S-1-5-21-1-2-3-1105", "pc02", CERTDIR_YES};

static void test_a_no_holds_for_every_name_of_the_device(void **state)
{
	struct certdir_store *store = new_store(100, 1 << 20);

	(void)state;
	put(store, CERTDIR_ID_NAME, "pc01", &pc01, 1);
	put(store, CERTDIR_ID_SID, SID, &pc01, 1);
	put(store, CERTDIR_ID_DNS, "pc01.x", &pc01_disabled, 1);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "pc01"), CERTDIR_NO);
	assert_int_equal(get(store, CERTDIR_ID_SID, SID), CERTDIR_NO);
	/* Nothing of it is anybody else's. */
	assert_int_equal(get(store, CERTDIR_ID_NAME, "pc02"), -1);
	assert_int_equal(get(store, CERTDIR_ID_DNS, "pc01"), -1);
	put(store, CERTDIR_ID_SID, SID, &pc01, 1);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "pc01"), CERTDIR_YES);
	certdir_store_free(store);
}

static void test_what_is_gone_is_gone_by_every_name(void **state)
{
	const struct device moved = {"cn=pc01,ou=disabled", SID, "pc01", CERTDIR_NO};
	struct certdir_store *store = new_store(100, 1 << 20);

	(void)state;
	/* Asked by the name it had before, and not there any more. */
	put(store, CERTDIR_ID_NAME, "pc01", &pc01, 1);
	put(store, CERTDIR_ID_DNS, "pc01.x", &pc01, 1);
	put(store, CERTDIR_ID_NAME, "pc02", &pc02, 1);
	put(store, CERTDIR_ID_NAME, "pc01", NULL, 0);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "pc01"), -1);
	assert_int_equal(get(store, CERTDIR_ID_DNS, "pc01.x"), -1);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "pc02"), CERTDIR_YES);
	/* Asked by an id that nobody asked by before. */
	put(store, CERTDIR_ID_NAME, "pc01", &pc01, 1);
	put(store, CERTDIR_ID_SID, SID, NULL, 0);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "pc01"), -1);
	/* Moved to another place, and disabled there. */
	put(store, CERTDIR_ID_NAME, "pc01", &pc01, 1);
	put(store, CERTDIR_ID_DNS, "pc01.x", &moved, 1);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "pc01"), -1);
	assert_int_equal(get(store, CERTDIR_ID_DNS, "pc01.x"), CERTDIR_NO);
	certdir_store_free(store);
}

static void put_late(struct certdir_store *store, const char *name, const struct device *device, int64_t late)
{
	struct certdir_question question = question_of(CERTDIR_ID_NAME, name);
	struct certdir_reply *told = told_of(device, 1, 1);

	told->asked.monotonic -= late;
	certdir_store_put(store, &question, told);
	certdir_reply_release(told);
	certdir_question_clear(&question);
}

/* Two searches may end in another order than they began in. */
static void test_an_older_answer_changes_nothing(void **state)
{
	const struct device moved = {"cn=pc01,ou=disabled", SID, "pc01", CERTDIR_NO};
	struct certdir_store *store = new_store(100, 1 << 20);

	(void)state;
	put(store, CERTDIR_ID_NAME, "pc01", &pc01_disabled, 1);
	put_late(store, "pc01", &pc01, 1000000);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "pc01"), CERTDIR_NO);
	put_late(store, "alias", &pc01, 1000000);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "alias"), CERTDIR_NO);
	put(store, CERTDIR_ID_NAME, "pc01", &moved, 1);
	put_late(store, "alias", &pc01, 1000000);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "pc01"), CERTDIR_NO);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "alias"), -1);
	/* Gone, and an answer from before that comes by a name that nobody asked by. */
	put(store, CERTDIR_ID_NAME, "pc02", &pc02, 1);
	put(store, CERTDIR_ID_NAME, "pc02", NULL, 0);
	put_late(store, "pc02.alias", &pc02, 1000000);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "pc02.alias"), -1);
	certdir_store_free(store);
}

/* Of two records one is gone: what is left of the answer is not all of it. */
static void test_half_an_answer_is_none(void **state)
{
	const struct device both[] = {{"cn=a", "S-1-5-21-1", "pc", CERTDIR_YES},
				      {"cn=b", "S-1-5-21-2", "pc", CERTDIR_NO}};
	struct certdir_store *store = new_store(100, 1 << 20);

	(void)state;
	put(store, CERTDIR_ID_NAME, "pc", both, 2);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "pc"), CERTDIR_YES);
	put(store, CERTDIR_ID_SID, "S-1-5-21-2", NULL, 0);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "pc"), -1);
	assert_int_equal(certdir_store_count(store), 0);
	assert_int_equal(certdir_store_bytes(store), 0);
	certdir_store_free(store);
}

/* Ten seconds ago, when the clock was an hour ahead. */
static void test_groups_are_as_old_as_they_are_when_a_clock_was_set_back(void **state)
{
	struct certdir_store *store = new_store(100, 1 << 20);
	struct certdir_question question = question_of(CERTDIR_ID_NAME, "pc01");
	struct certdir_record record;
	struct certdir_reply *told;

	(void)state;
	make_record(&record, &pc01);
	record.device.groups = calloc(1, sizeof(*record.device.groups));
	record.device.groups[record.device.group_count++] = (struct certdir_group){.id = strdup("cn=wifi")};
	told = certdir_reply_new(1, 1);
	told->records[0] = certdir_record_pack(&record);
	certdir_record_clear(&record);
	told->asked = certdir_moment_now();
	told->asked.monotonic -= 10 * INT64_C(1000000);
	told->asked.wall += 3600 * INT64_C(1000000);
	certdir_store_put(store, &question, told);
	certdir_reply_release(told);
	told = told_of(&pc01, 1, 1);
	told->partial = true;
	certdir_store_put(store, &question, told);
	certdir_reply_release(told);
	told = certdir_store_get(store, &question);
	memset(&record, 0, sizeof(record));
	assert_true(certdir_record_unpack(told->records[0]->bytes, told->records[0]->length, &record));
	assert_int_equal(record.device.group_count, 1);
	assert_in_range(record.device.groups[0].as_of, time(NULL) - 30, time(NULL) - 9);
	certdir_record_clear(&record);
	certdir_reply_release(told);
	certdir_question_clear(&question);
	certdir_store_free(store);
}

static void test_bounds(void **state)
{
	struct certdir_store *store = new_store(3, 1 << 20);
	struct device many[CERTDIR_CARRIERS_MAX + 1];
	char names[CERTDIR_CARRIERS_MAX + 1][16];

	(void)state;
	for (size_t i = 0; i <= CERTDIR_CARRIERS_MAX; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
		many[i] = (struct device){names[i], NULL, "iphone", CERTDIR_YES};
	}
	for (size_t i = 0; i < 3; i++)
		put(store, CERTDIR_ID_NAME, names[i], &many[i], 1);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "n0"), CERTDIR_YES); /* used: n1 goes first */
	put(store, CERTDIR_ID_NAME, "n3", &many[3], 1);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "n1"), -1);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "n0"), CERTDIR_YES);
	/* What strangers ask for pushes nobody out: names that nobody has, and one that everybody has. */
	for (size_t i = 0; i < 50; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "s%zu", i);
		put(store, CERTDIR_ID_NAME, name, NULL, 0);
		put(store, CERTDIR_ID_DNS, name, many, CERTDIR_CARRIERS_MAX + 1);
	}
	assert_int_equal(certdir_store_count(store), 3);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "n0"), CERTDIR_YES);
	certdir_store_free(store);

	store = new_store(1000, 10000);
	for (size_t i = 0; i < 1000; i++) {
		char name[16];
		const struct device device = {name, name, name, CERTDIR_YES};

		(void)snprintf(name, sizeof(name), "pc%zu", i);
		put(store, CERTDIR_ID_NAME, name, &device, 1);
		assert_true(certdir_store_bytes(store) <= 10000);
	}
	assert_true(certdir_store_count(store) > 5);
	assert_int_equal(get(store, CERTDIR_ID_NAME, "pc999"), CERTDIR_YES);
	certdir_store_free(store);
}

/* Logins wait for the lock meanwhile, and the kernel takes its time to give memory. */
static void test_packing_takes_no_more_memory_than_the_store_counts(void **state)
{
	struct certdir_store *store = new_store(1000, 1 << 20);
	struct certdir_bytes bytes = {0};
	size_t room;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		char name[16];
		const struct device device = {name, name, name, CERTDIR_YES};

		(void)snprintf(name, sizeof(name), "pc%zu", i);
		put(store, CERTDIR_ID_NAME, name, &device, 1);
	}
	certdir_bytes_reserve(&bytes, certdir_store_bytes(store));
	room = bytes.room;
	assert_int_equal(room, certdir_store_bytes(store));
	certdir_memory_pack(&bytes, store, "origin");
	assert_false(bytes.failed);
	assert_int_equal(bytes.room, room);
	free(bytes.bytes);
	certdir_store_free(store);
}

/* Nothing is counted twice or forgotten, whatever happens in whatever order. */
static void test_bytes_come_back_to_nothing(void **state)
{
	struct certdir_store *store = new_store(20, 1 << 20);
	unsigned seed = 7;

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		struct device devices[3];
		char ids[3][8], sids[3][8], name[8];
		size_t count;

		seed = seed * 1103515245 + 12345;
		count = seed >> 16 & 3;
		for (size_t d = 0; d < 3; d++) {
			const unsigned id = (seed >> (18 + d)) % 7 + (unsigned)d * 7;

			(void)snprintf(ids[d], sizeof(ids[d]), "cn=%u", id);
			(void)snprintf(sids[d], sizeof(sids[d]), "S-%u", (seed >> (20 + d)) % 9);
			devices[d] = (struct device){ids[d], sids[d], NULL, CERTDIR_YES};
		}
		(void)snprintf(name, sizeof(name), "%u", (seed >> 24) % 40);
		put(store, seed & 1 << 23 ? CERTDIR_ID_NAME : CERTDIR_ID_DNS, name, devices, count % 4);
	}
	for (size_t i = 0; i < 40; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "%zu", i);
		put(store, CERTDIR_ID_NAME, name, NULL, 0);
		put(store, CERTDIR_ID_DNS, name, NULL, 0);
	}
	assert_int_equal(certdir_store_count(store), 0);
	assert_int_equal(certdir_store_bytes(store), 0);
	certdir_store_free(store);
}

/* ---- in front of a directory ---- */

/* Says what it is told to say, and counts how often it is asked. */
struct fake {
	struct certdir_directory base;
	pthread_mutex_t lock;
	pthread_cond_t go;
	bool held; /* searches wait until it is not */
	atomic_uint asked;
	bool down;
	const char *group; /* of each device, or NULL */
	bool partial; /* groups cannot be asked for */
	struct device devices[4];
	size_t count;
};

static void fake_search(struct certdir_directory *directory, struct certdir_sought *sought, size_t count,
			struct certdir_answer *answer)
{
	struct fake *fake = (struct fake *)directory;

	(void)count;
	atomic_fetch_add(&fake->asked, 1);
	(void)pthread_mutex_lock(&fake->lock);
	while (fake->held)
		(void)pthread_cond_wait(&fake->go, &fake->lock);
	(void)pthread_mutex_unlock(&fake->lock);
	if (fake->down) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, "it is down");
		return;
	}
	answer->sources = calloc(1, sizeof(*answer->sources));
	answer->sources[0] = (struct certdir_source){.kind = CERTDIR_SOURCE_LDAP, .name = "ad", .says_enabled = true};
	answer->source_count = 1;
	for (size_t i = 0; i < fake->count; i++) {
		struct certdir_record *record = certdir_answer_add(answer);

		make_record(record, &fake->devices[i]);
		if (!fake->group)
			continue;
		record->device.groups = calloc(1, sizeof(*record->device.groups));
		record->device.groups[record->device.group_count++] = (struct certdir_group){.id = strdup(fake->group)};
	}
	answer->partial = fake->partial;
	answer->state = CERTDIR_ANSWERED;
	sought[0].many = fake->count == 3;
}

static void fake_close(struct certdir_directory *directory)
{
	(void)directory;
}

static struct fake fake;

static void fake_reset(const struct device *device)
{
	static const struct certdir_directory_type type = {fake_search, fake_close};

	memset(&fake, 0, sizeof(fake));
	fake.base = (struct certdir_directory){.type = &type, .name = "ad", .is_live = true, .keeps = 1};
	(void)pthread_mutex_init(&fake.lock, NULL);
	(void)pthread_cond_init(&fake.go, NULL);
	if (device)
		fake.devices[fake.count++] = *device;
}

static struct certdir_directory *open_memory(uint32_t remember, bool stale, const char *filename)
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

struct said {
	enum certdir_answer_state state;
	size_t count;
	enum certdir_tristate enabled;
	int64_t age; /* -1: as of now */
	bool many;
	size_t groups; /* of the first record */
	int64_t group_as_of; /* of its first one, 0 = as old as the record */
};

static struct said ask(struct certdir_directory *memory, const char *name)
{
	struct certdir_sought sought = {CERTDIR_ID_NAME, name, false};
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

static void test_a_burst_is_one_search(void **state)
{
	struct certdir_directory *memory;
	struct said said;

	(void)state;
	fake_reset(&pc01);
	memory = open_memory(60, false, NULL);
	for (size_t i = 0; i < 100; i++) {
		said = ask(memory, "pc01");
		assert_int_equal(said.state, CERTDIR_ANSWERED);
		assert_int_equal(said.count, 1);
		assert_true(i == 0 ? said.age == -1 : said.age >= 0 && said.age < 30);
	}
	assert_int_equal(atomic_load(&fake.asked), 1);
	assert_int_equal(memory->max_age, 60);
	/* What is not there may be there in a moment. */
	fake.count = 0;
	(void)ask(memory, "pc02");
	assert_int_equal(ask(memory, "pc02").count, 0);
	fake.devices[fake.count++] = pc02;
	assert_int_equal(ask(memory, "pc02").count, 1);
	/* That many have it is remembered, too. */
	fake.count = 3;
	fake.devices[1] = fake.devices[2] = pc01;
	assert_true(ask(memory, "iphone").many);
	assert_true(ask(memory, "iphone").many);
	assert_int_equal(atomic_load(&fake.asked), 5);
	memory->type->close(memory);
}

static void test_without_remember_each_login_asks(void **state)
{
	struct certdir_directory *memory;

	(void)state;
	fake_reset(&pc01);
	memory = open_memory(0, true, NULL);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(ask(memory, "pc01").age, -1);
	assert_int_equal(atomic_load(&fake.asked), 10);
	memory->type->close(memory);
}

static void test_what_it_said_last(void **state)
{
	struct certdir_directory *memory;
	struct said said;

	(void)state;
	for (int stale = 0; stale < 2; stale++) {
		fake_reset(&pc01);
		memory = open_memory(0, stale, NULL);
		(void)ask(memory, "pc01");
		fake.down = true;
		said = ask(memory, "pc01");
		assert_int_equal(said.state, CERTDIR_ANSWER_UNAVAILABLE);
		assert_int_equal(said.count, stale);
		assert_int_equal(ask(memory, "pc02").count, 0);
		/* The other way, it is asked again. */
		fake.down = false;
		fake.devices[0] = pc01_disabled;
		assert_int_equal(ask(memory, "pc01").enabled, CERTDIR_NO);
		fake.down = true;
		assert_int_equal(ask(memory, "pc01").enabled, stale ? CERTDIR_NO : CERTDIR_UNKNOWN);
		fake.down = false;
		fake.count = 0;
		(void)ask(memory, "pc01");
		fake.down = true;
		assert_int_equal(ask(memory, "pc01").count, 0);
		memory->type->close(memory);
	}
}

/* A directory that is about to fail is slow over groups first: what it said of them before is not lost by that. */
static void test_groups_that_could_not_be_asked_for(void **state)
{
	const int64_t begun = time(NULL);
	struct certdir_directory *memory;
	struct said said;

	(void)state;
	fake_reset(&pc01);
	fake.group = "cn=wifi";
	memory = open_memory(0, true, NULL);
	(void)ask(memory, "pc01");
	fake.group = NULL;
	fake.partial = true;
	for (int disabled = 0; disabled < 2; disabled++) {
		fake.down = false;
		fake.devices[0] = disabled ? pc01_disabled : pc01;
		assert_int_equal(ask(memory, "pc01").groups, 0);
		/* By a name that it was not asked by before. */
		(void)ask(memory, "pc01.alias");
		fake.down = true;
		for (int alias = 0; alias < 2; alias++) {
			said = ask(memory, alias ? "pc01.alias" : "pc01");
			assert_int_equal(said.enabled, disabled ? CERTDIR_NO : CERTDIR_YES);
			assert_int_equal(said.groups, 1);
			assert_in_range(said.group_as_of, begun, time(NULL));
		}
	}
	/* An answer that knows of all groups knows that this one is none of them. */
	fake.down = fake.partial = false;
	(void)ask(memory, "pc01");
	fake.down = true;
	assert_int_equal(ask(memory, "pc01").groups, 0);
	memory->type->close(memory);
	/* Nor does it stand for the next one. */
	fake_reset(&pc01);
	fake.partial = true;
	memory = open_memory(60, false, NULL);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(ask(memory, "pc01").age, -1);
	assert_int_equal(atomic_load(&fake.asked), 10);
	memory->type->close(memory);
}

static void *ask_once(void *context)
{
	struct said *said = malloc(sizeof(*said));

	*said = ask(context, "pc01");
	return said;
}

enum { THREADS = 16 };

static void test_logins_at_once_share_a_search(void **state)
{
	struct certdir_directory *memory;
	pthread_t threads[THREADS];

	(void)state;
	fake_reset(&pc01);
	memory = open_memory(60, false, NULL);
	fake.held = true;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_once, memory), 0);
	while (atomic_load(&fake.asked) == 0)
		(void)sched_yield();
	(void)pthread_mutex_lock(&fake.lock);
	fake.held = false;
	(void)pthread_cond_broadcast(&fake.go);
	(void)pthread_mutex_unlock(&fake.lock);
	for (size_t i = 0; i < THREADS; i++) {
		struct said *said;

		(void)pthread_join(threads[i], (void **)&said);
		assert_int_equal(said->state, CERTDIR_ANSWERED);
		assert_int_equal(said->enabled, CERTDIR_YES);
		free(said);
	}
	/* Eight may wait for the first; the others ask themselves. */
	assert_in_range(atomic_load(&fake.asked), 1, THREADS - 8);
	memory->type->close(memory);
}

static void *ask_often(void *context)
{
	static atomic_uint next;
	unsigned seed = atomic_fetch_add(&next, 1);

	for (size_t i = 0; i < 2000; i++) {
		char name[16];
		struct said said;

		seed = seed * 1103515245 + 12345;
		(void)snprintf(name, sizeof(name), "pc%u", (seed >> 16) % 50);
		said = ask(context, name);
		assert_int_equal(said.state, CERTDIR_ANSWERED);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct certdir_directory *memory;
	pthread_t threads[4];

	(void)state;
	fake_reset(&pc01);
	memory = open_memory(60, false, NULL);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often, memory), 0);
	for (size_t i = 0; i < 4; i++)
		(void)pthread_join(threads[i], NULL);
	assert_in_range(atomic_load(&fake.asked), 50, 60);
	memory->type->close(memory);
}

/* ---- the file ---- */

static char folder[] = "/tmp/certdir-memory.XXXXXX";
static char filename[64], temporary[80];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(filename, sizeof(filename), "%s/m.ad.memory", folder);
	(void)snprintf(temporary, sizeof(temporary), "%s.new", filename);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(filename);
	(void)rmdir(temporary);
	(void)unlink(temporary);
	return rmdir(folder);
}

/* A store with an answer that is so many seconds old. */
static struct certdir_store *old_store(int64_t age)
{
	struct certdir_store *store = new_store(100, 1 << 20);
	struct certdir_question question = question_of(CERTDIR_ID_NAME, "pc01");
	struct certdir_reply *told = told_of(&pc01, 1, 1);

	told->asked.wall -= age * 1000000;
	certdir_store_put(store, &question, told);
	certdir_reply_release(told);
	certdir_question_clear(&question);
	put(store, CERTDIR_ID_NAME, "pc02", &pc02, 1);
	return store;
}

static void save_old(int64_t age)
{
	struct certdir_store *store = old_store(age);
	struct certdir_bytes bytes = {0};
	struct certdir_error error = {.text = ""};

	certdir_memory_pack(&bytes, store, "base_dn = dc=x\n");
	if (!certdir_memory_save(filename, &bytes, &error))
		fail_msg("%s", error.text);
	free(bytes.bytes);
	certdir_store_free(store);
}

static void test_over_a_restart(void **state)
{
	struct certdir_directory *memory;
	struct stat status;
	struct said said;

	(void)state;
	fake_reset(&pc01);
	memory = open_memory(0, true, filename);
	(void)ask(memory, "pc01");
	memory->type->close(memory);
	assert_int_equal(stat(filename, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	fake.down = true;
	memory = open_memory(0, true, filename);
	said = ask(memory, "pc01");
	assert_int_equal(said.state, CERTDIR_ANSWER_UNAVAILABLE);
	assert_int_equal(said.enabled, CERTDIR_YES);
	assert_in_range(said.age, 0, 30);
	memory->type->close(memory);
	/* As old as it is, and not as of the restart. */
	save_old(7200);
	memory = open_memory(60, true, filename);
	assert_in_range(ask(memory, "pc01").age, 7199, 7230);
	assert_in_range(ask(memory, "pc02").age, 0, 30);
	memory->type->close(memory);
	/* A server that does not fall back writes nothing and reads nothing. */
	assert_int_equal(unlink(filename), 0);
	memory = open_memory(60, false, filename);
	(void)ask(memory, "pc01");
	memory->type->close(memory);
	assert_int_not_equal(stat(filename, &status), 0);
}

/* Whoever can write a long text into an entry does not keep a "yes" alive by it. */
static void test_an_answer_that_cannot_be_kept_ends_the_one_before(void **state)
{
	static char text[70000];
	struct certdir_directory *memory;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	fake_reset(&pc01);
	memory = open_memory(0, true, NULL);
	assert_int_equal(ask(memory, "pc01").enabled, CERTDIR_YES);
	fake.devices[0] = pc01_disabled;
	fake.group = text;
	assert_int_equal(ask(memory, "pc01").enabled, CERTDIR_NO);
	fake.down = true;
	assert_int_equal(ask(memory, "pc01").count, 0);
	memory->type->close(memory);
}

/* The system's time was an hour ahead when pc01 was asked for, and is right now: nothing that is remembered is lost for that. */
static void test_a_clock_that_was_set_back(void **state)
{
	struct certdir_directory *memory;

	(void)state;
	fake_reset(&pc01);
	fake.down = true;
	save_old(-3600);
	memory = open_memory(0, true, filename);
	assert_in_range(ask(memory, "pc02").age, 0, 30);
	assert_in_range(ask(memory, "pc01").age, 0, 30);
	memory->type->close(memory);
}

static bool loads(const char *origin, struct certdir_error *error)
{
	struct certdir_store *store = new_store(100, 1 << 20);
	const bool ok = certdir_memory_load(filename, store, origin, error);

	certdir_store_free(store);
	return ok;
}

static void overwrite(const unsigned char *bytes, size_t size)
{
	const int fd = open(filename, O_WRONLY | O_CREAT | O_TRUNC, 0640);

	assert_int_equal(write(fd, bytes, size), size);
	(void)close(fd);
}

/* A file without an answer, written so many seconds from now. */
static void save_written(int64_t ahead)
{
	static const char magic[] = "certdir memory 1\n", origin[] = "base_dn = dc=x\n";
	struct certdir_bytes bytes = {0};
	struct certdir_error error = {.text = ""};

	certdir_bytes_put(&bytes, magic, sizeof(magic) - 1);
	certdir_bytes_put_number(&bytes, sizeof(origin) - 1);
	certdir_bytes_put(&bytes, origin, sizeof(origin) - 1);
	certdir_bytes_put_number(&bytes, (uint64_t)(time(NULL) + ahead));
	if (!certdir_memory_save(filename, &bytes, &error))
		fail_msg("%s", error.text);
	free(bytes.bytes);
}

static void test_refused(void **state)
{
	struct certdir_error error = {.text = ""};
	unsigned char bytes[4096], changed[4096];
	size_t size;
	int fd;

	(void)state;
	save_old(60);
	assert_true(loads("base_dn = dc=x\n", &error));
	assert_false(loads("base_dn = dc=y\n", &error));
	assert_non_null(strstr(error.text, "another directory"));
	fd = open(filename, O_RDONLY);
	size = (size_t)read(fd, bytes, sizeof(bytes));
	(void)close(fd);
	for (size_t cut = 0; cut < size; cut++) {
		overwrite(bytes, cut);
		assert_false(loads("base_dn = dc=x\n", &error));
	}
	for (size_t at = 0; at < size; at++) {
		memcpy(changed, bytes, size);
		changed[at] ^= 1;
		overwrite(changed, size);
		assert_false(loads("base_dn = dc=x\n", &error));
	}
	assert_non_null(strstr(error.text, "damaged"));
	save_written(7200);
	assert_false(loads("base_dn = dc=x\n", &error));
	assert_non_null(strstr(error.text, "in the future"));
	assert_int_equal(unlink(filename), 0);
	assert_false(loads("base_dn = dc=x\n", &error));
	assert_string_equal(error.text, "");
	assert_int_equal(symlink("/etc/passwd", filename), 0);
	assert_false(loads("base_dn = dc=x\n", &error));
	assert_non_null(strstr(error.text, "symbolic"));
	assert_int_equal(unlink(filename), 0);
}

/* What a seal would hide: whoever can write the file can seal it. Run with the address sanitizer. */
static void test_hostile_bytes(void **state)
{
	struct certdir_store *store = old_store(60);
	struct certdir_bytes bytes = {0};
	struct certdir_error error;

	(void)state;
	certdir_memory_pack(&bytes, store, "o");
	certdir_store_free(store);
	assert_false(bytes.failed);
	for (size_t length = 0; length <= bytes.length; length++) {
		unsigned char *cut = malloc(length + 1);

		memcpy(cut, bytes.bytes, length);
		store = new_store(100, 1 << 20);
		(void)certdir_memory_unpack(store, cut, length, "o", &error);
		certdir_store_free(store);
		free(cut);
	}
	for (size_t at = 0; at < bytes.length; at++)
		for (unsigned value = 0; value < 256; value += 3) {
			unsigned char *changed = malloc(bytes.length);

			memcpy(changed, bytes.bytes, bytes.length);
			changed[at] = (unsigned char)value;
			store = new_store(100, 1 << 20);
			(void)certdir_memory_unpack(store, changed, bytes.length, "o", &error);
			assert_true(certdir_store_count(store) <= 2);
			certdir_store_free(store);
			free(changed);
		}
	free(bytes.bytes);
}

/* A server that was killed while it wrote leaves this behind; one that cannot write keeps what there was. */
static void test_what_stands_beside_it(void **state)
{
	struct certdir_bytes bytes = {0};
	struct certdir_error error = {.text = ""};

	(void)state;
	save_old(60);
	assert_int_equal(rename(filename, temporary), 0);
	assert_false(loads("base_dn = dc=x\n", &error));
	save_old(60);
	assert_true(loads("base_dn = dc=x\n", &error));
	assert_int_not_equal(access(temporary, F_OK), 0);
	assert_int_equal(mkdir(temporary, 0700), 0);
	assert_false(certdir_memory_save(filename, &bytes, &error));
	assert_non_null(strstr(error.text, temporary));
	assert_true(loads("base_dn = dc=x\n", &error));
	assert_int_equal(rmdir(temporary), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_comes_back),
		cmocka_unit_test(test_record_cut_and_changed_at_each_byte),
		cmocka_unit_test(test_a_question_has_no_order_but_types),
		cmocka_unit_test(test_a_no_holds_for_every_name_of_the_device),
		cmocka_unit_test(test_what_is_gone_is_gone_by_every_name),
		cmocka_unit_test(test_an_older_answer_changes_nothing),
		cmocka_unit_test(test_half_an_answer_is_none),
		cmocka_unit_test(test_groups_are_as_old_as_they_are_when_a_clock_was_set_back),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_packing_takes_no_more_memory_than_the_store_counts),
		cmocka_unit_test(test_bytes_come_back_to_nothing),
		cmocka_unit_test(test_a_burst_is_one_search),
		cmocka_unit_test(test_without_remember_each_login_asks),
		cmocka_unit_test(test_what_it_said_last),
		cmocka_unit_test(test_groups_that_could_not_be_asked_for),
		cmocka_unit_test(test_logins_at_once_share_a_search),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_over_a_restart),
		cmocka_unit_test(test_a_clock_that_was_set_back),
		cmocka_unit_test(test_an_answer_that_cannot_be_kept_ends_the_one_before),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hostile_bytes),
		cmocka_unit_test(test_what_stands_beside_it),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
