/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is remembered: records as bytes, questions, and the store. */
#include "memory_fixture.h"

#include "base/background.h"

/* ---- records as bytes ---- */

/* Whatever a record can have. A field that is new has to be here, and in packed.c. */
_Static_assert(sizeof(void *) != 8 || sizeof(struct certdir_device) == 384, "pack the new field of a device, too");

/* But `issued`: live directories have no tables of certificates. */
_Static_assert(sizeof(void *) != 8 || sizeof(struct certdir_record) == 432, "pack the new field of a record, too");

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

static void test_a_question_has_no_order_but_types(void **state)
{
	const struct certdir_sought one[] = {{.type = CERTDIR_ID_NAME, .value = "b"},
					     {.type = CERTDIR_ID_DNS, .value = "a"}};
	const struct certdir_sought other[] = {{.type = CERTDIR_ID_DNS, .value = "a"},
					       {.type = CERTDIR_ID_NAME, .value = "b"}};
	/* What could run together, does not. */
	const struct certdir_sought apart[][2] = {
		{{.type = CERTDIR_ID_NAME, .value = "a"}, {.type = CERTDIR_ID_DNS, .value = "b"}},
		{{.type = CERTDIR_ID_DNS, .value = "ab"}, {.type = CERTDIR_ID_NAME, .value = ""}},
		{{.type = CERTDIR_ID_DNS, .value = ""}, {.type = CERTDIR_ID_NAME, .value = "ab"}}};
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

static void test_a_no_holds_for_every_name_of_the_device(void **state)
{
	struct certdir_store *store = new_store(100, 1 << 20);

	(void)state;
	store_put(store, CERTDIR_ID_NAME, "pc01", &pc01, 1);
	store_put(store, CERTDIR_ID_SID, SID, &pc01, 1);
	store_put(store, CERTDIR_ID_DNS, "pc01.x", &pc01_disabled, 1);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "pc01"), CERTDIR_NO);
	assert_int_equal(store_get(store, CERTDIR_ID_SID, SID), CERTDIR_NO);
	/* Nothing of it is anybody else's. */
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "pc02"), -1);
	assert_int_equal(store_get(store, CERTDIR_ID_DNS, "pc01"), -1);
	store_put(store, CERTDIR_ID_SID, SID, &pc01, 1);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "pc01"), CERTDIR_YES);
	certdir_store_free(store);
}

static void test_what_is_gone_is_gone_by_every_name(void **state)
{
	const struct device moved = {"cn=pc01,ou=disabled", SID, "pc01", CERTDIR_NO};
	struct certdir_store *store = new_store(100, 1 << 20);

	(void)state;
	/* Asked by the name it had before, and not there any more. */
	store_put(store, CERTDIR_ID_NAME, "pc01", &pc01, 1);
	store_put(store, CERTDIR_ID_DNS, "pc01.x", &pc01, 1);
	store_put(store, CERTDIR_ID_NAME, "pc02", &pc02, 1);
	store_put(store, CERTDIR_ID_NAME, "pc01", NULL, 0);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "pc01"), -1);
	assert_int_equal(store_get(store, CERTDIR_ID_DNS, "pc01.x"), -1);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "pc02"), CERTDIR_YES);
	/* Asked by an id that nobody asked by before. */
	store_put(store, CERTDIR_ID_NAME, "pc01", &pc01, 1);
	store_put(store, CERTDIR_ID_SID, SID, NULL, 0);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "pc01"), -1);
	/* Moved to another place, and disabled there. */
	store_put(store, CERTDIR_ID_NAME, "pc01", &pc01, 1);
	store_put(store, CERTDIR_ID_DNS, "pc01.x", &moved, 1);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "pc01"), -1);
	assert_int_equal(store_get(store, CERTDIR_ID_DNS, "pc01.x"), CERTDIR_NO);
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
	store_put(store, CERTDIR_ID_NAME, "pc01", &pc01_disabled, 1);
	put_late(store, "pc01", &pc01, 1000000);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "pc01"), CERTDIR_NO);
	put_late(store, "alias", &pc01, 1000000);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "alias"), CERTDIR_NO);
	store_put(store, CERTDIR_ID_NAME, "pc01", &moved, 1);
	put_late(store, "alias", &pc01, 1000000);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "pc01"), CERTDIR_NO);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "alias"), -1);
	/* Gone, and an answer from before that comes by a name that nobody asked by. */
	store_put(store, CERTDIR_ID_NAME, "pc02", &pc02, 1);
	store_put(store, CERTDIR_ID_NAME, "pc02", NULL, 0);
	put_late(store, "pc02.alias", &pc02, 1000000);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "pc02.alias"), -1);
	certdir_store_free(store);
}

/* Of two records one is gone: what is left of the answer is not all of it. */
static void test_half_an_answer_is_none(void **state)
{
	const struct device both[] = {{"cn=a", "S-1-5-21-1", "pc", CERTDIR_YES},
				      {"cn=b", "S-1-5-21-2", "pc", CERTDIR_NO}};
	struct certdir_store *store = new_store(100, 1 << 20);

	(void)state;
	store_put(store, CERTDIR_ID_NAME, "pc", both, 2);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "pc"), CERTDIR_YES);
	store_put(store, CERTDIR_ID_SID, "S-1-5-21-2", NULL, 0);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "pc"), -1);
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
		store_put(store, CERTDIR_ID_NAME, names[i], &many[i], 1);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "n0"), CERTDIR_YES); /* used: n1 goes first */
	store_put(store, CERTDIR_ID_NAME, "n3", &many[3], 1);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "n1"), -1);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "n0"), CERTDIR_YES);
	/* What strangers ask for pushes nobody out: names that nobody has, and one that everybody has. */
	for (size_t i = 0; i < 50; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "s%zu", i);
		store_put(store, CERTDIR_ID_NAME, name, NULL, 0);
		store_put(store, CERTDIR_ID_DNS, name, many, CERTDIR_CARRIERS_MAX + 1);
	}
	assert_int_equal(certdir_store_count(store), 3);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "n0"), CERTDIR_YES);
	certdir_store_free(store);

	store = new_store(1000, 10000);
	for (size_t i = 0; i < 1000; i++) {
		char name[16];
		const struct device device = {name, name, name, CERTDIR_YES};

		(void)snprintf(name, sizeof(name), "pc%zu", i);
		store_put(store, CERTDIR_ID_NAME, name, &device, 1);
		assert_true(certdir_store_bytes(store) <= 10000);
	}
	assert_true(certdir_store_count(store) > 5);
	assert_int_equal(store_get(store, CERTDIR_ID_NAME, "pc999"), CERTDIR_YES);
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
		store_put(store, CERTDIR_ID_NAME, name, &device, 1);
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
		store_put(store, seed & 1 << 23 ? CERTDIR_ID_NAME : CERTDIR_ID_DNS, name, devices, count % 4);
	}
	for (size_t i = 0; i < 40; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "%zu", i);
		store_put(store, CERTDIR_ID_NAME, name, NULL, 0);
		store_put(store, CERTDIR_ID_DNS, name, NULL, 0);
	}
	assert_int_equal(certdir_store_count(store), 0);
	assert_int_equal(certdir_store_bytes(store), 0);
	certdir_store_free(store);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
