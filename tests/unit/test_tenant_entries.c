/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An LDAP directory as a source of the list: entries in, rows out, and what a login finds by them. */
#include "directory/list.h"
#include "tenant/tenant.h"
#include "list_fixture.h"

#define KEY1 "00000000-0000-0000-0000-000000000001"
#define KEEPS                                                                                                          \
	(CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_DNS) | CERTDIR_BIT(CERTDIR_ID_NAME) |                    \
	 CERTDIR_BIT(CERTDIR_ID_UPN) | CERTDIR_BIT(CERTDIR_ID_MAPPING))

static struct certdir_tenant_ldap ldap;
static struct certdir_tenant_options options;
static struct certdir_tenant_counts counts;
static char said[sizeof(((struct certdir_error *)0)->text)]; /* by the guard */

static int setup(void **state)
{
	ldap = (struct certdir_tenant_ldap){
		.question = "base|filter", .keeps = KEEPS, .interval = 3600, .domain = "corp.x"};
	options = (struct certdir_tenant_options){
		.name = "corp", .ldap = &ldap, .now = 1000, .changes = 1000000, .max_shrink = 10};
	return fixture_setup(state);
}

static struct certdir_device computer(const char *name)
{
	return (struct certdir_device){.id = (char *)name,
				       .name = (char *)name,
				       .sid = (char *)SID1,
				       .enabled = CERTDIR_YES,
				       .join_type = CERTDIR_JOIN_AD,
				       .last_seen = 500};
}

static void put(struct certdir_tenant *list, const char *key, const struct certdir_device *device,
		const struct certdir_value *values, size_t count)
{
	const struct certdir_tenant_entry entry = {key, device, values, count};
	struct certdir_error error;

	if (!certdir_tenant_entries_put(list, &entry, &error))
		fail_msg("%s", error.text);
}

/* A listing of entries "from".."to", those below `disabled` disabled, as one edition. */
static enum certdir_tenant_ended list(bool all, int from, int to, int disabled, const char *cursor)
{
	struct certdir_error error = {.text = ""};
	struct certdir_list_writer *writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	struct certdir_tenant *tenant = writer ? certdir_tenant_open(writer, &options, &error) : NULL;
	enum certdir_tenant_ended ended;

	if (!tenant || !certdir_tenant_entries_begin(tenant, all, &error))
		fail_msg("%s", error.text);
	for (int i = from; i <= to; i++) {
		char key[40], name[32], sid[64];
		struct certdir_device device = computer(name);

		(void)snprintf(key, sizeof(key), "00000000-0000-0000-0000-%012d", i);
		(void)snprintf(name, sizeof(name), "pc%d", i);
		(void)snprintf(sid, sizeof(sid), "S-1-5-21-1-2-3-%d", i);
		device.sid = sid;
		device.enabled = i < disabled ? CERTDIR_NO : CERTDIR_YES;
		put(tenant, key, &device, NULL, 0);
	}
	ended = certdir_tenant_entries_end(tenant, cursor, &counts, &error);
	(void)snprintf(said, sizeof(said), "%s", error.text);
	certdir_tenant_close(tenant);
	fixture_publish(writer);
	return ended;
}

static struct certdir_tenant_state look(void)
{
	static char link[64];
	struct certdir_error error;
	struct certdir_list_writer *looker = certdir_list_look(fixture_file, &error);
	struct certdir_tenant *tenant = looker ? certdir_tenant_open(looker, &options, &error) : NULL;
	struct certdir_tenant_state state;

	if (!tenant)
		fail_msg("%s", error.text);
	certdir_tenant_state(tenant, &state);
	if (state.delta_link)
		state.delta_link = strcpy(link, state.delta_link);
	certdir_tenant_close(tenant);
	certdir_list_write_abort(looker);
	return state;
}

static void test_listing(void **state)
{
	(void)state;
	assert_int_equal(list(true, 1, 50, 0, "c1"), CERTDIR_ENDED);
	assert_int_equal(counts.added, 50);
	assert_string_equal(look().delta_link, "c1");
	options.now = 2000;
	assert_int_equal(list(true, 3, 51, 0, "c2"), CERTDIR_ENDED);
	assert_int_equal(counts.changed, 0);
	assert_int_equal(counts.lost, 2);
	assert_int_equal(counts.added, 1);
	assert_int_equal(counts.after, 49);
	assert_int_equal(look().synced, 2000);
}

/* Changes are taken, and nothing else is: what they do not name stays, as old as it was. */
static void test_changes(void **state)
{
	(void)state;
	(void)list(true, 1, 50, 0, "c1");
	options.now = 2000;
	assert_int_equal(list(false, 1, 2, 3, "c2"), CERTDIR_ENDED);
	assert_int_equal(counts.changed, 2);
	assert_int_equal(counts.after, 50);
	assert_int_equal(look().synced, 1000);
	assert_string_equal(look().delta_link, "c2");
	/* Another question: a cursor of the former one is none. */
	ldap.question = "base|other";
	assert_null(look().delta_link);
}

/* An answer that came short takes nobody away; a "no" in it is heard, and the next listing is whole. */
static void test_guard(void **state)
{
	struct certdir_list_snapshot *snapshot;
	const struct certdir_list_source *source;
	struct certdir_list_reader *reader;
	struct certdir_device device;
	int64_t rows[CERTDIR_LIST_FIND_MAX];
	struct certdir_error error;
	const char *against;
	bool more;

	(void)state;
	(void)list(true, 1, 50, 0, "c1");
	options.now = 2000;
	assert_int_equal(list(true, 1, 25, 2, "c2"), CERTDIR_ENDED_SHRUNK);
	assert_non_null(strstr(said, "25 of 50 devices would be lost"));
	assert_int_equal(counts.kept, 25);
	assert_int_equal(counts.changed, 1);
	assert_null(look().delta_link);
	snapshot = fixture_load();
	reader = fixture_reader(snapshot);
	assert_int_equal(certdir_list_find(reader, NULL, CERTDIR_ID_NAME, "pc50", rows, &more, &error), 1);
	assert_true(certdir_list_device(reader, rows[0], &device, &source, &against, &error));
	assert_int_equal(device.own.as_of, 1000);
	assert_null(against);
	certdir_device_clear(&device);
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
	/* It comes again, and is as of now again; an empty answer is no less doubtful. */
	options.now = 3000;
	assert_int_equal(list(true, 1, 50, 2, "c3"), CERTDIR_ENDED);
	assert_int_equal(counts.lost + counts.kept + counts.added, 0);
	options.now = 4000;
	assert_int_equal(list(true, 1, 0, 0, "c4"), CERTDIR_ENDED_SHRUNK);
	options.max_shrink = 100;
	assert_int_equal(list(true, 1, 0, 0, "c4"), CERTDIR_ENDED);
	assert_int_equal(counts.after, 0);
}

static void test_names(void **state)
{
	char *dns[] = {(char *)"longname-of-pc-1.corp.x", (char *)"alias.corp.x"};
	struct certdir_group groups[] = {{.id = (char *)"CN=A,DC=corp,DC=x", .sid = (char *)"S-1-5-21-1-2-3-512"},
					 {.id = (char *)"CN=B,DC=corp,DC=x", .name = (char *)"B"}};
	struct certdir_value values[] = {{CERTDIR_ID_NAME, (char *)"longname-of-pc-"},
					 {CERTDIR_ID_UPN, (char *)"pc@corp.x"},
					 {CERTDIR_ID_GUID, (char *)G1},
					 {CERTDIR_ID_MAPPING, (char *)"X509:<SKI>aabb"}};
	struct certdir_device device = computer("CN=longname-of-pc-1,DC=corp,DC=x");
	static const struct {
		enum certdir_identity_type type;
		const char *value;
		size_t count;
	} sought[] = {{CERTDIR_ID_NAME, "longname-of-pc-1", 1},
		      {CERTDIR_ID_NAME, "LONGNAME-of-pc-", 1},
		      {CERTDIR_ID_NAME, "longname-of-pc-2", 1}, /* the decision sees that it is another's */
		      {CERTDIR_ID_NAME, "pc", 0},
		      {CERTDIR_ID_DNS, "alias.corp.x", 1},
		      {CERTDIR_ID_DNS, "longname-of-pc-1.else.x", 1},
		      {CERTDIR_ID_DNS, "else.corp.x", 0},
		      {CERTDIR_ID_UPN, "pc@corp.x", 1},
		      {CERTDIR_ID_UPN, "pc@corp.y", 0},
		      {CERTDIR_ID_SID, SID1, 1},
		      {CERTDIR_ID_ENTRA, G1, 1},
		      {CERTDIR_ID_ENTRA, G2, 0},
		      {CERTDIR_ID_MAPPING, "X509:<SKI>aabb", 1},
		      {CERTDIR_ID_SERIAL, "pc@corp.x", 0}};
	const struct certdir_list_config config = {.filename = fixture_file, .max_age = 60};
	struct certdir_directory *directory;
	struct certdir_list_writer *writer;
	struct certdir_tenant *tenant;
	struct certdir_error error;

	(void)state;
	device.name = (char *)"longname-of-pc-1";
	device.dns_names = dns;
	device.dns_name_count = 2;
	device.groups = groups;
	device.group_count = 2;
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	tenant = certdir_tenant_open(writer, &options, &error);
	assert_true(tenant && certdir_tenant_entries_begin(tenant, true, &error));
	put(tenant, KEY1, &device, values, 4);
	put(tenant, KEY1, &device, values, 4); /* the same again */
	assert_int_equal(certdir_tenant_entries_end(tenant, NULL, &counts, &error), CERTDIR_ENDED);
	assert_int_equal(counts.after, 1);
	certdir_tenant_close(tenant);
	fixture_publish(writer);
	directory = certdir_list_directory_open(&config, false, &error);
	for (size_t i = 0; i < sizeof(sought) / sizeof(sought[0]); i++) {
		struct certdir_sought one = {.type = sought[i].type, .value = sought[i].value};
		struct certdir_answer answer = {0};

		directory->type->search(directory, &one, 1, &answer);
		assert_int_equal(answer.state, CERTDIR_ANSWERED);
		if (answer.count != sought[i].count)
			fail_msg("%s: %zu records", sought[i].value, answer.count);
		if (!answer.count) {
			certdir_answer_clear(&answer);
			continue;
		}
		assert_string_equal(answer.records[0].device.id, device.id);
		assert_int_equal(answer.records[0].value_count, 4);
		assert_int_equal(answer.records[0].device.dns_name_count, 2);
		assert_int_equal(answer.records[0].device.group_count, 2);
		assert_string_equal(answer.records[0].device.groups[0].sid, "S-1-5-21-1-2-3-512");
		assert_null(answer.records[0].device.groups[0].name);
		assert_true(answer.records[0].device.own.is);
		assert_int_equal(answer.sources[0].kind, CERTDIR_SOURCE_LDAP);
		assert_true(answer.sources[0].listed);
		assert_string_equal(answer.sources[0].domain, "corp.x");
		assert_int_equal(answer.sources[0].synced[CERTDIR_PART_OF_GROUPS], 1000);
		assert_int_equal(answer.sources[0].interval[CERTDIR_PART_OF_DEVICES], 3600);
		assert_int_equal(answer.sources[0].keeps & KEEPS, KEEPS);
		assert_false(answer.keeps & CERTDIR_BIT(CERTDIR_ID_GUID));
		certdir_answer_clear(&answer);
	}
	directory->type->close(directory);
}

/* A name belongs to one source, of whatever kind. */
static void test_refused(void **state)
{
	struct certdir_list_writer *writer = fixture_begin(true, "corp", NULL, 1000);
	struct certdir_error error;

	(void)state;
	assert_null(certdir_tenant_open(writer, &options, &error));
	assert_non_null(strstr(error.text, "imported source of that name"));
	certdir_list_write_abort(writer);
	(void)list(true, 1, 2, 0, NULL);
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	assert_false(certdir_list_write_source(writer, "corp", NULL, 1000, &error));
	assert_non_null(strstr(error.text, "`certdir sync` fills"));
	certdir_list_write_abort(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_listing, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_guard, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
