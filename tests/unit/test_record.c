/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects of Graph's pages as values for the list: tests/vectors/graph, whole, in slices, and cut at every byte. */
#include "tenant/tenant.h"
#include "sync/record.h"
#include "vectors.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- what an object was read as, in the form of expect.json ---- */

static void put_text(json_t *out, const char *name, const char *text)
{
	if (text)
		assert_int_equal(json_object_set_new(out, name, json_string(text)), 0);
}

static void put_number(json_t *out, const char *name, int64_t number)
{
	if (number)
		assert_int_equal(json_object_set_new(out, name, json_integer(number)), 0);
}

static void put_yes_no(json_t *out, const char *name, enum certdir_tristate value)
{
	if (value != CERTDIR_UNKNOWN)
		assert_int_equal(json_object_set_new(out, name, json_boolean(value == CERTDIR_YES)), 0);
}

static void put_join_type(json_t *out, enum certdir_join_type type)
{
	static const char *const names[] = {NULL, "entra", "hybrid", "registered", "ad"};

	put_text(out, "join_type", names[type]);
}

static void put_device(json_t *out, const struct certdir_device *device)
{
	const struct certdir_device none = {0};
	struct certdir_device rest = *device;

	put_text(out, "object_id", device->object_id);
	put_text(out, "entra_device_id", device->entra_device_id);
	put_text(out, "intune_device_id", device->intune_device_id);
	put_text(out, "name", device->name);
	put_text(out, "serial_number", device->serial_number);
	put_text(out, "sid", device->sid);
	put_text(out, "owner", device->owner);
	put_text(out, "ownership", device->ownership);
	put_text(out, "operating_system", device->operating_system);
	put_text(out, "wifi_mac", device->wifi_mac);
	put_text(out, "ethernet_mac", device->ethernet_mac);
	put_text(out, "compliance", device->compliance);
	put_text(out, "intune_name", device->intune_name);
	put_text(out, "management_state", device->management_state);
	put_text(out, "management_agent", device->management_agent);
	put_text(out, "category", device->category);
	put_text(out, "enrollment_profile", device->enrollment_profile);
	put_text(out, "extension_attributes", device->extension_attributes);
	put_yes_no(out, "enabled", device->enabled);
	put_yes_no(out, "managed", device->managed);
	put_join_type(out, device->join_type);
	put_number(out, "last_seen", device->last_seen);
	put_number(out, "registered", device->registered);
	/* Nothing else was touched. */
	rest.object_id = rest.entra_device_id = rest.intune_device_id = rest.name = rest.serial_number = rest.sid =
		NULL;
	rest.owner = rest.ownership = rest.operating_system = rest.wifi_mac = rest.ethernet_mac = rest.compliance =
		NULL;
	rest.intune_name = rest.management_state = rest.management_agent = rest.category = rest.enrollment_profile =
		rest.extension_attributes = NULL;
	rest.enabled = rest.managed = CERTDIR_UNKNOWN;
	rest.join_type = CERTDIR_JOIN_UNKNOWN;
	rest.last_seen = rest.registered = 0;
	assert_memory_equal(&rest, &none, sizeof(rest));
}

static void put_present(json_t *out, uint32_t present)
{
	static const char *const names[CERTDIR_PROPERTIES] = {
		[CERTDIR_PROPERTY_DEVICE_ID] = "deviceId",
		[CERTDIR_PROPERTY_NAME] = "displayName",
		[CERTDIR_PROPERTY_SID] = "onPremisesSecurityIdentifier",
		[CERTDIR_PROPERTY_OPERATING_SYSTEM] = "operatingSystem",
		[CERTDIR_PROPERTY_OWNERSHIP] = "deviceOwnership",
		[CERTDIR_PROPERTY_JOIN_TYPE] = "trustType",
		[CERTDIR_PROPERTY_ENABLED] = "accountEnabled",
		[CERTDIR_PROPERTY_COMPLIANT] = "isCompliant",
		[CERTDIR_PROPERTY_MANAGED] = "isManaged",
		[CERTDIR_PROPERTY_LAST_SEEN] = "approximateLastSignInDateTime",
		[CERTDIR_PROPERTY_REGISTERED] = "registrationDateTime",
		[CERTDIR_PROPERTY_EXTENSION_ATTRIBUTES] = "extensionAttributes",
	};
	json_t *list = json_array();

	for (unsigned i = 0; i < CERTDIR_PROPERTIES; i++)
		if (present & CERTDIR_BIT(i))
			assert_int_equal(json_array_append_new(list, json_string(names[i])), 0);
	assert_int_equal(present >> CERTDIR_PROPERTIES, 0);
	assert_int_equal(json_object_set_new(out, "present", list), 0);
}

static bool each_device(void *context, const struct certdir_page_object *object, uint32_t attributes,
			struct certdir_error *error)
{
	char room[CERTDIR_RECORD_ROOM];
	struct certdir_device device;
	json_t *out = json_object();
	uint32_t present;
	bool read;

	memset(&device, 0xa5, sizeof(device));
	present = 0xffffffff;
	read = certdir_record_entra(object, attributes, room, &device, &present, error);
	if (read) {
		put_device(out, &device);
		put_present(out, present);
		if (object->removed)
			assert_int_equal(json_object_set_new(out, "removed", json_true()), 0);
	}
	return json_array_append_new(context, out) == 0 && read;
}

static bool each_entra(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	return each_device(context, object, 0, error);
}

static bool each_extended(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	return each_device(context, object, CERTDIR_BIT(1) | CERTDIR_BIT(7) | CERTDIR_BIT(15), error);
}

static bool each_intune(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	struct certdir_device record;
	json_t *out = json_object();
	bool read;

	memset(&record, 0xa5, sizeof(record));
	read = certdir_record_intune(object, &record, error);
	if (read)
		put_device(out, &record);
	return json_array_append_new(context, out) == 0 && read;
}

static bool each_group(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	json_t *out = json_object();
	const char *id, *name;
	const bool read = certdir_record_group(object, &id, &name, error);

	if (read) {
		put_text(out, "id", id);
		put_text(out, "name", name);
		if (object->removed)
			assert_int_equal(json_object_set_new(out, "removed", json_true()), 0);
	}
	return json_array_append_new(context, out) == 0 && read;
}

static bool each_member(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	json_t *out = json_object();
	const char *id;
	const bool read = certdir_record_member(object, &id, error);

	if (read)
		put_text(out, "id", id);
	return json_array_append_new(context, out) == 0 && read;
}

/* ---- one vector ---- */

static const struct reader {
	const char *name;
	const char *const *properties;
	const char *select;
	bool (*each)(void *context, const struct certdir_page_object *object, struct certdir_error *error);
} readers[] = {
	{"entra", certdir_record_entra_properties, CERTDIR_RECORD_ENTRA_SELECT, each_entra},
	{"extended", certdir_record_extended_properties, CERTDIR_RECORD_EXTENDED_SELECT, each_extended},
	{"intune", certdir_record_intune_properties, CERTDIR_RECORD_INTUNE_SELECT, each_intune},
	{"group", certdir_record_group_properties, "id,displayName", each_group},
	{"member", certdir_record_member_properties, "id", each_member},
};

enum { READERS = sizeof readers / sizeof *readers };

static const struct reader *reader_named(const char *name)
{
	for (size_t i = 0; i < READERS; i++)
		if (strcmp(readers[i].name, name) == 0)
			return &readers[i];
	fail_msg("no reader \"%s\"", name);
	return NULL;
}

static bool feed(struct certdir_page *page, const char *body, size_t length, size_t slice, bool *retry,
		 struct certdir_error *error)
{
	for (size_t at = 0, size; at < length; at += size) {
		size = slice ? slice : 1 + (size_t)rand() % 40;
		size = size > length - at ? length - at : size;
		if (!certdir_page_bytes(page, body + at, size, retry, error))
			return false;
	}
	return certdir_page_end(page, retry, error);
}

/* {"objects":..,"next":..} or {"refused":..,"retry":..}. slice: bytes fed at once, 0 = at random. */
static json_t *digest(const struct reader *reader, const char *body, size_t length, size_t slice)
{
	json_t *out = json_object(), *objects = json_array();
	struct certdir_page *page = certdir_page_open(reader->properties, reader->each, objects);
	struct certdir_error error;
	bool retry;

	assert_non_null(page);
	if (feed(page, body, length, slice, &retry, &error)) {
		json_object_set(out, "objects", objects);
		put_text(out, "next", certdir_page_next_link(page));
		put_text(out, "delta", certdir_page_delta_link(page));
		if (certdir_page_count(page) != -1)
			json_object_set_new(out, "count", json_integer(certdir_page_count(page)));
	} else {
		char *position = strstr(error.text, " (byte");

		if (position)
			*position = '\0';
		put_text(out, "refused", error.text);
		json_object_set_new(out, "retry", json_boolean(retry));
	}
	json_decref(objects);
	certdir_page_close(page);
	return out;
}

static char *vector_read(const char *name, size_t *length)
{
	const char *directory = getenv("CERTDIR_TEST_VECTORS");
	char path[4096], *body = malloc(1 << 16);
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/graph/%s", directory ? directory : "tests/vectors", name);
	file = fopen(path, "rb");
	if (!file || !body)
		fail_msg("%s is not there", path);
	*length = fread(body, 1, 1 << 16, file);
	assert_true(*length > 0 && *length < 1 << 16);
	(void)fclose(file);
	return body;
}

/* An expectation holds a part of the error, all of the rest. */
static bool fits(const json_t *got, const json_t *expected)
{
	static const char *const keys[] = {"objects", "next", "delta", "count", "retry"};
	const char *refused = json_string_value(json_object_get(expected, "refused"));
	const char *why = json_string_value(json_object_get(got, "refused"));

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const json_t *one = json_object_get(got, keys[i]), *other = json_object_get(expected, keys[i]);

		if (one != other && !json_equal(one, other))
			return false;
	}
	return refused ? why && strstr(why, refused) : !why;
}

static void check(const char *file, const json_t *got, const json_t *expected,
		  bool (*agree)(const json_t *, const json_t *))
{
	if (!agree(got, expected))
		fail_msg("%s:\n%s\nand not\n%s", file, json_dumps(got, 0), json_dumps(expected, 0));
}

static bool equal(const json_t *got, const json_t *expected)
{
	return json_equal(got, expected);
}

static void check_vector(const json_t *expected)
{
	const char *file = json_string_value(json_object_get(expected, "file"));
	const struct reader *reader = reader_named(json_string_value(json_object_get(expected, "read")));
	const bool refused = json_object_get(expected, "refused") != NULL;
	size_t length;
	char *body = vector_read(file, &length);
	json_t *whole = digest(reader, body, length, length), *other;

	check(file, whole, expected, fits);
	for (size_t slice = 0; slice <= 20; slice++) {
		other = digest(reader, body, length, slice);
		check(file, other, whole, equal);
		json_decref(other);
	}
	while (length > 0 && strchr(" \n", body[length - 1]))
		length--;
	while (length-- > 0) {
		other = digest(reader, body, length, 1 + length);
		if (!json_object_get(other, "refused") || (!refused && !json_is_true(json_object_get(other, "retry"))))
			fail_msg("%s, cut to %zu bytes: %s", file, length, json_dumps(other, 0));
		json_decref(other);
	}
	json_decref(whole);
	free(body);
}

static void test_vectors(void **state)
{
	json_t *vectors = vectors_load("graph/expect.json"), *expected;
	size_t i;

	(void)state;
	json_array_foreach(vectors, i, expected) check_vector(expected);
	json_decref(vectors);
}

/* A file that nobody expects anything of tests nothing. */
static void test_all_expected(void **state)
{
	const char *directory = getenv("CERTDIR_TEST_VECTORS");
	json_t *vectors = vectors_load("graph/expect.json"), *expected;
	char path[4096];
	DIR *files;
	size_t i;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/graph", directory ? directory : "tests/vectors");
	files = opendir(path);
	assert_non_null(files);
	for (struct dirent *file = readdir(files); file; file = readdir(files)) {
		bool found = file->d_name[0] == '.' || strcmp(file->d_name, "expect.json") == 0;

		json_array_foreach(vectors, i, expected) found =
			found || strcmp(json_string_value(json_object_get(expected, "file")), file->d_name) == 0;
		if (!found)
			fail_msg("%s/%s has no line in expect.json", path, file->d_name);
	}
	(void)closedir(files);
	json_decref(vectors);
}

/* What is asked for is what is read, in the same order, and the id comes first. */
static void test_select(void **state)
{
	(void)state;
	for (size_t i = 0; i < READERS; i++) {
		char joined[1024] = "";

		for (size_t j = 0; readers[i].properties[j]; j++) {
			if (strchr(readers[i].properties[j], '/')) /* a part of one that is asked for */
				continue;
			strcat(joined, j ? "," : "");
			strcat(joined, readers[i].properties[j]);
		}
		assert_string_equal(joined, readers[i].select);
		assert_string_equal(readers[i].properties[0], "id");
	}
}

static bool each_long(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	char room[CERTDIR_RECORD_ROOM];
	struct certdir_device device;
	uint32_t present;

	assert_true(certdir_record_entra(object, 0xfffe, room, &device, &present, error));
	*(size_t *)context = strlen(device.extension_attributes);
	return true;
}

/* Attributes that the list has no room for are cut to what it refuses: never to something that looks whole. */
static void test_long_attributes(void **state)
{
	(void)state;
	for (size_t length = 1; length < 3000; length += length < 80 ? 1 : 97) {
		char body[64 * 1024] = "{\"value\":[{\"id\":\"x\",\"extensionAttributes\":{", *at = body + strlen(body);
		size_t told = 0, whole = 0;
		struct certdir_page *page = certdir_page_open(certdir_record_extended_properties, each_long, &told);
		struct certdir_error error;
		bool retry;

		for (int number = 1; number <= 15; number++) {
			at += sprintf(at, "%s\"extensionAttribute%d\":\"", number > 1 ? "," : "", number);
			memset(at, number % 2 ? '|' : 'x', length);
			at += length;
			*at++ = '"';
			whole += (number > 1 ? 1U : 0U) + (number > 9 ? 3U : 2U) + length * (number % 2 ? 2U : 1U);
		}
		at += sprintf(at, "}}]}");
		assert_true(certdir_page_bytes(page, body, (size_t)(at - body), &retry, &error));
		assert_true(certdir_page_end(page, &retry, &error));
		assert_int_equal(told, whole < 1025 ? whole : 1025);
		certdir_page_close(page);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_all_expected),
		cmocka_unit_test(test_select),
		cmocka_unit_test(test_long_attributes),

	};

	srand(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
