/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list as a directory: searches, and a file that is replaced, damaged and removed under eight threads that ask. */
#include "list_fixture.h"
#include "directory/list.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <time.h>

enum { THREADS = 8, DEVICES = 200, DEADLINE = 20 };

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- log: kept, so that tests can wait for a line and count it ---- */

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static char log_text[65536];

static void keep_log(enum certdir_log_level level, const char *text)
{
	static const char *const names[] = {"INFO ", "WARN ", "ERROR "};

	(void)pthread_mutex_lock(&log_mutex);
	if (strlen(log_text) + strlen(text) + 10 < sizeof(log_text))
		strcat(strcat(strcat(log_text, names[level]), text), "\n");
	(void)pthread_mutex_unlock(&log_mutex);
}

static int log_count(const char *what)
{
	int count = 0;

	(void)pthread_mutex_lock(&log_mutex);
	for (const char *at = log_text; (at = strstr(at, what)); at++)
		count++;
	(void)pthread_mutex_unlock(&log_mutex);
	return count;
}

static void log_clear(void)
{
	(void)pthread_mutex_lock(&log_mutex);
	log_text[0] = '\0';
	(void)pthread_mutex_unlock(&log_mutex);
}

static void pause_briefly(void)
{
	(void)nanosleep(&(struct timespec){0, 5000000}, NULL);
}

static void wait_for_log(const char *what)
{
	double end = now() + DEADLINE;

	while (!log_count(what)) {
		if (now() > end)
			fail_msg("\"%s\" was not logged; this was: %s", what, log_text);
		pause_briefly();
	}
}

/* ---- searching ---- */

static struct certdir_directory *open_list(const struct certdir_list_config *config, bool watch)
{
	struct certdir_error error;
	struct certdir_directory *directory = certdir_list_directory_open(config, watch, &error);

	if (!directory)
		fail_msg("%s", error.text);
	return directory;
}

static struct certdir_directory *watched;

static int setup(void **state)
{
	certdir_log_set(keep_log);
	log_clear();
	return fixture_setup(state);
}

/* ---- one list for all searches: an import of no tenant, two tenants ---- */

#define OBJECT "03020100-0000-4000-8000-000000000007"
#define OBJECT_SID "S-1-12-1-50462976-1073741824-128-117440512"
#define ENTRA "bbbbbbbb-0000-4000-8000-000000000007"
#define GONE "cccccccc-0000-4000-8000-000000000001"
#define UNLISTED "kept out by the filter of the sync"
#define ONCE "Intune's record of it names an Entra device that is gone"
#define NO_TENANT "of no tenant, and the list is limited to one"

static void publish_sources(const char *rows)
{
	struct certdir_list_writer *writer = fixture_begin(true, "jamf", NULL, 1000);

	fixture_run(writer, "INSERT INTO source(id,name,kind,tenant,synced,intune_synced,intune_interval,groups_synced)"
			    " VALUES(2,'contoso','tenant','" TENANT_A "',2000,2100,3600,NULL),"
			    "(3,'fabrikam','tenant','" TENANT_B "',3000,NULL,NULL,3300)");
	fixture_run(writer, rows);
	fixture_publish(writer);
}

static const char rows[] =
	"INSERT INTO device(id,source,tenant,name,entra_device_id,sid,serial_number) VALUES"
	"(1,1,NULL,'PC1','" ENTRA "','" SID1 "',NULL),(2,1,'" TENANT_A "','two',NULL,NULL,'SN2'),"
	"(3,1,'" TENANT_B "','three',NULL,NULL,'SN2');"
	"INSERT INTO dns_name VALUES(1,'pc1.corp.example');"
	"INSERT INTO "
	"device(id,source,listed,object_id,entra_device_id,intune_device_id,name,intune_compliance,once_entra)"
	" VALUES(7,2,1,'" OBJECT "','" ENTRA "','" G1 "','pc1','compliant',NULL),"
	"(8,2,0,'" G2 "',NULL,NULL,'pc1',NULL,NULL),(9,2,1,NULL,NULL,'" G3 "','alone','compliant',NULL),"
	"(10,2,1,NULL,NULL,'" G2 "','wiped','compliant',1),(11,3,1,'" G2 "',NULL,NULL,'pc1',NULL,NULL);"
	"INSERT INTO former_name VALUES(9,'was-9',5);"
	"INSERT INTO "
	"intune_waiting(id,source,entra_device_id,intune_device_id,intune_compliance,intune_name,serial_number)"
	" VALUES(1,2,'" GONE "','" G1 "','compliant','GONE-1','SN-GONE')";

/* "1 8(kept out..)": rows in order with why they only speak against. */
static void answer_text(const struct certdir_answer *answer, char out[512])
{
	out[0] = '\0';
	for (size_t i = 0; i < answer->count; i++)
		(void)snprintf(out + strlen(out), 512 - strlen(out), "%s%d%s%s%s", i ? " " : "",
			       (int)answer->records[i].row, answer->records[i].only_against ? "(" : "",
			       answer->records[i].only_against ? answer->records[i].only_against : "",
			       answer->records[i].only_against ? ")" : "");
}

static void test_search_finds(void **state)
{
	static const struct {
		enum certdir_identity_type type;
		const char *value;
		const char *all;
		const char *tenant; /* the list limited to TENANT_A */
	} cases[] = {
		{CERTDIR_ID_ENTRA, ENTRA, "1 7", "1(" NO_TENANT ") 7"},
		{CERTDIR_ID_INTUNE, ENTRA, "1 7", "1(" NO_TENANT ") 7"},
		{CERTDIR_ID_GUID, G1, "7 -1(" ONCE ")", "7 -1(" ONCE ")"},
		{CERTDIR_ID_GUID, GONE, "-1(" ONCE ")", "-1(" ONCE ")"},
		{CERTDIR_ID_GUID, G2, "10(" ONCE ") 8(" UNLISTED ") 11", "10(" ONCE ") 8(" UNLISTED ")"},
		{CERTDIR_ID_GUID, G3, "9", "9"},
		{CERTDIR_ID_SID, SID1, "1", "1(" NO_TENANT ")"},
		{CERTDIR_ID_SID_URI, SID1, "1", "1(" NO_TENANT ")"},
		{CERTDIR_ID_SID, OBJECT_SID, "7", "7"},
		{CERTDIR_ID_NAME, "pc1", "1 7 8(" UNLISTED ") 11", "1(" NO_TENANT ") 7 8(" UNLISTED ")"},
		{CERTDIR_ID_NAME, "was-9", "9", "9"},
		{CERTDIR_ID_DNS, "pc1.corp.example", "1 7 8(" UNLISTED ") 11", "1(" NO_TENANT ") 7 8(" UNLISTED ")"},
		{CERTDIR_ID_DNS, "two.corp.example", "2", "2"},
		{CERTDIR_ID_SERIAL, "SN2", "2 3", "2"},
		{CERTDIR_ID_NAME, "gone-1", "-1(" ONCE ")", "-1(" ONCE ")"},
		{CERTDIR_ID_DNS, "gone-1.corp.example", "-1(" ONCE ")", "-1(" ONCE ")"},
		{CERTDIR_ID_SERIAL, "SN-GONE", "-1(" ONCE ")", "-1(" ONCE ")"},
		{CERTDIR_ID_NAME, "nobody", "", ""},
		{CERTDIR_ID_UPN, "ada@example.com", "", ""},
	};

	(void)state;
	publish_sources(rows);
	for (int limited = 0; limited < 2; limited++) {
		const struct certdir_list_config config = {
			.filename = fixture_file, .tenant = limited ? "{72F988BF-86F1-41AF-91AB-2D7CD011DB47}" : ""};
		struct certdir_directory *directory = open_list(&config, false);

		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			struct certdir_sought sought = {.type = cases[i].type, .value = cases[i].value};
			struct certdir_answer answer = {0};
			char got[512];

			directory->type->search(directory, &sought, 1, &answer);
			assert_int_equal(answer.state, CERTDIR_ANSWERED);
			answer_text(&answer, got);
			if (sought.many || strcmp(got, limited ? cases[i].tenant : cases[i].all) != 0)
				fail_msg("case %zu%s: \"%s\"%s", i, limited ? ", limited" : "", got,
					 sought.many ? " and more" : "");
			certdir_answer_clear(&answer);
		}
		directory->type->close(directory);
	}
}

/* What the configuration asks for and nobody has is told, once for all editions in which it is so. */
static void test_tells_what_nobody_has(void **state)
{
	static const char *const groups[] = {"STAFF", "Staf", "empty", "11111111-0000-4000-8000-00000000000a", NULL};
	struct certdir_list_config config = {.filename = fixture_file, .tenant = TENANT_A, .groups = groups};
	struct certdir_directory *directory;

	(void)state;
	publish_sources(
		"INSERT INTO device(id,source,entra_device_id) VALUES(1,2,'" ENTRA "');"
		"INSERT INTO grp(id,source,object_id,name) VALUES(1,2,'11111111-0000-4000-8000-00000000000A','Staff'),"
		"(2,2,NULL,'empty');INSERT INTO device_group(device,grp) VALUES(1,1)");
	directory = open_list(&config, false);
	assert_int_equal(log_count("require_group"), 2);
	assert_int_equal(log_count("require_group = \"Staf\": no device is in a group of that name or object id"), 1);
	assert_int_equal(log_count("require_group = \"empty\""), 1);
	assert_int_equal(log_count("no source is of that tenant"), 0);
	directory->type->close(directory);
}

/* Sources in scope with their parts, and what they know devices by. */
static void test_search_describes_sources(void **state)
{
	const uint32_t of_tenant = CERTDIR_BIT(CERTDIR_ID_ENTRA) | CERTDIR_BIT(CERTDIR_ID_GUID) |
				   CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_SID_URI) |
				   CERTDIR_BIT(CERTDIR_ID_NAME) | CERTDIR_BIT(CERTDIR_ID_DNS);
	const uint32_t of_intune = CERTDIR_BIT(CERTDIR_ID_INTUNE) | CERTDIR_BIT(CERTDIR_ID_SERIAL) |
				   CERTDIR_BIT(CERTDIR_ID_PERMANENT) | CERTDIR_BIT(CERTDIR_ID_IMEI) |
				   CERTDIR_BIT(CERTDIR_ID_MEID) | CERTDIR_BIT(CERTDIR_ID_WIFI_MAC);
	struct certdir_list_config config = {.filename = fixture_file, .tenant = TENANT_A, .max_age = 60};
	struct certdir_sought sought = {.type = CERTDIR_ID_GUID, .value = ENTRA};
	struct certdir_directory *directory;
	struct certdir_answer answer = {0};

	(void)state;
	publish_sources("INSERT INTO device(source,entra_device_id) VALUES(1,'" ENTRA "'),(2,'" ENTRA "')");
	directory = open_list(&config, false);
	assert_false(directory->is_live || directory->keeps || directory->domains);
	assert_int_equal(directory->max_age, 60);
	directory->type->search(directory, NULL, 0, &answer); /* asks for nothing, and tells about itself */
	assert_int_equal(answer.state, CERTDIR_ANSWERED);
	assert_int_equal(answer.count, 0);
	assert_int_equal(answer.keeps, of_tenant | of_intune);
	assert_int_equal(answer.source_count, 2); /* the other tenant is out of scope */
	assert_int_equal(answer.sources[0].kind, CERTDIR_SOURCE_IMPORT);
	assert_string_equal(answer.sources[0].name, "jamf");
	assert_null(answer.sources[0].tenant);
	assert_int_equal(answer.sources[0].synced[CERTDIR_PART_OF_DEVICES], 1000);
	assert_int_equal(answer.sources[1].kind, CERTDIR_SOURCE_TENANT);
	assert_string_equal(answer.sources[1].tenant, TENANT_A);
	assert_int_equal(answer.sources[1].synced[CERTDIR_PART_OF_DEVICES], 2000);
	assert_int_equal(answer.sources[1].synced[CERTDIR_PART_OF_INTUNE], 2100);
	assert_int_equal(answer.sources[1].synced[CERTDIR_PART_OF_GROUPS], 0);
	assert_int_equal(answer.sources[1].interval[CERTDIR_PART_OF_INTUNE], 3600);
	assert_int_equal(answer.sources[1].interval[CERTDIR_PART_OF_DEVICES], 0);
	assert_true(answer.sources[1].says_enabled);
	assert_int_equal(answer.sources[0].keeps, CERTDIR_BIT(CERTDIR_ID_ENTRA) | CERTDIR_BIT(CERTDIR_ID_GUID));
	assert_int_equal(answer.sources[1].keeps, of_tenant | of_intune);
	directory->type->search(directory, &sought, 1, &answer);
	assert_int_equal(answer.count, 2);
	assert_int_equal(answer.records[0].source, 0);
	assert_int_equal(answer.records[1].source, 1);
	assert_int_equal(answer.source_count, 2);
	certdir_answer_clear(&answer);
	directory->type->close(directory);

	config.tenant = TENANT_B; /* whose Intune was never synced */
	directory = open_list(&config, false);
	directory->type->search(directory, NULL, 0, &answer);
	assert_int_equal(answer.keeps, of_tenant);
	assert_int_equal(answer.sources[1].synced[CERTDIR_PART_OF_GROUPS], 3300);
	certdir_answer_clear(&answer);
	directory->type->close(directory);

	fixture_edition(1, 1); /* an import that has names alone */
	config.tenant = NULL;
	directory = open_list(&config, false);
	directory->type->search(directory, NULL, 0, &answer);
	assert_int_equal(answer.keeps, CERTDIR_BIT(CERTDIR_ID_NAME) | CERTDIR_BIT(CERTDIR_ID_DNS));
	certdir_answer_clear(&answer);
	directory->type->close(directory);

	config.tenant = "contoso.example";
	{
		struct certdir_error error;

		assert_null(certdir_list_directory_open(&config, false, &error));
		assert_non_null(strstr(error.text, "not a GUID"));
	}
}

/* What was never loaded may be known by anything; what an import's rows carry is known. */
static void test_search_keeps(void **state)
{
	const uint32_t ids = CERTDIR_BIT(CERTDIR_ID_GUID) | CERTDIR_BIT(CERTDIR_ID_ENTRA),
		       names = CERTDIR_BIT(CERTDIR_ID_NAME) | CERTDIR_BIT(CERTDIR_ID_DNS);
	const struct {
		const char *source; /* tenant of the only one; "" = there is none */
		const char *tenant; /* of the configuration */
		struct certdir_device device;
		uint32_t keeps, source_keeps;
	} cases[] = {
		{"", NULL, {0}, UINT32_MAX, 0},
		{"", TENANT_A, {0}, UINT32_MAX, 0},
		{NULL, NULL, {.name = (char *)"a"}, names, names},
		{NULL, NULL, {.entra_device_id = (char *)G1}, ids, ids},
		{NULL, NULL, {.object_id = (char *)G1}, CERTDIR_BIT(CERTDIR_ID_GUID), CERTDIR_BIT(CERTDIR_ID_GUID)},
		{NULL, TENANT_A, {.name = (char *)"a"}, UINT32_MAX, names},
		{TENANT_A, TENANT_A, {.name = (char *)"a"}, names, names},
		{TENANT_B, TENANT_A, {.name = (char *)"a"}, UINT32_MAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct certdir_list_config config = {.filename = fixture_file, .tenant = cases[i].tenant};
		const bool none = cases[i].source && !*cases[i].source;
		struct certdir_list_writer *writer = fixture_begin(true, "jamf", none ? NULL : cases[i].source, 1000);
		struct certdir_directory *directory;
		struct certdir_answer answer = {0};

		if (none)
			fixture_run(writer, "DELETE FROM source");
		else
			fixture_add(writer, &cases[i].device);
		fixture_publish(writer);
		directory = open_list(&config, false);
		directory->type->search(directory, NULL, 0, &answer);
		assert_int_equal(answer.state, CERTDIR_ANSWERED);
		if (answer.keeps != cases[i].keeps ||
		    (answer.source_count ? answer.sources[0].keeps : 0) != cases[i].source_keeps)
			fail_msg("case %zu: %x", i, answer.keeps);
		certdir_answer_clear(&answer);
		directory->type->close(directory);
	}
}

/* A login asks again with what it learnt, and ends on the edition that it began with. */
static void test_search_goes_on(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_sought first[] = {{.type = CERTDIR_ID_ENTRA, .value = ENTRA},
					 {.type = CERTDIR_ID_NAME, .value = "pc1"}};
	struct certdir_sought second[] = {{.type = CERTDIR_ID_GUID, .value = G1},
					  {.type = CERTDIR_ID_SID, .value = SID1}};
	struct certdir_answer answer = {0};
	char got[512];

	(void)state;
	publish_sources(rows);
	watched = open_list(&config, true);
	watched->type->search(watched, first, 2, &answer);
	answer_text(&answer, got);
	assert_string_equal(got, "1 7 8(" UNLISTED ") 11");
	assert_int_equal(answer.records[0].device.dns_name_count, 1);
	log_clear();
	fixture_edition(1, 1);
	wait_for_log(": 1 devices");
	watched->type->search(watched, second, 2, &answer);
	answer_text(&answer, got);
	assert_string_equal(got, "1 7 8(" UNLISTED ") 11 -1(" ONCE ")");
	assert_string_equal(answer.sources[1].name, "contoso");
	certdir_answer_clear(&answer);
	watched->type->search(watched, second, 2, &answer);
	assert_int_equal(answer.count, 0);
	certdir_answer_clear(&answer);
	watched->type->close(watched);
}

/* So many devices of one name that none of them is told apart by it: an id finds its device all the same. */
static void test_search_many(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_sought sought[] = {{.type = CERTDIR_ID_NAME, .value = "iphone"},
					  {.type = CERTDIR_ID_ENTRA, .value = G1},
					  {.type = CERTDIR_ID_NAME, .value = "ipad"}};
	struct certdir_list_writer *writer = fixture_begin(false, "test", NULL, 1000);
	struct certdir_directory *directory;
	struct certdir_answer answer = {0};

	(void)state;
	for (int i = 0; i < 50; i++)
		fixture_add(writer, &(struct certdir_device){.name = (char *)"iPhone"});
	fixture_add(writer, &(struct certdir_device){.name = (char *)"iPhone", .entra_device_id = (char *)G1});
	for (int i = 0; i < CERTDIR_LIST_FIND_MAX; i++)
		fixture_add(writer, &(struct certdir_device){.name = (char *)"iPad"});
	fixture_publish(writer);
	directory = open_list(&config, false);
	directory->type->search(directory, sought, 3, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWERED);
	assert_true(sought[0].many && !sought[1].many && !sought[2].many);
	assert_int_equal(answer.count, 2 * CERTDIR_LIST_FIND_MAX + 1);
	assert_string_equal(answer.records[CERTDIR_LIST_FIND_MAX].device.id, G1);
	directory->type->search(directory, sought, 1, &answer); /* `many` stays, and nothing is added twice */
	assert_true(sought[0].many);
	assert_int_equal(answer.count, 2 * CERTDIR_LIST_FIND_MAX + 1);
	certdir_answer_clear(&answer);
	directory->type->close(directory);
}

/* What an answer has no room for is not there, and is told of; what is there stays: there may be a "no" among it. */
static void test_search_too_many(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_list_writer *writer = fixture_begin(false, "test", NULL, 1000);
	struct certdir_sought sought[CERTDIR_RECORDS_MAX / CERTDIR_LIST_FIND_MAX + 1];
	char names[CERTDIR_RECORDS_MAX / CERTDIR_LIST_FIND_MAX + 1][16];
	struct certdir_directory *directory;
	struct certdir_answer answer = {0};
	const size_t count = sizeof(sought) / sizeof(*sought);

	(void)state;
	for (size_t n = 0; n < count; n++) {
		(void)snprintf(names[n], sizeof(names[n]), "n%zu", n);
		sought[n] = (struct certdir_sought){.type = CERTDIR_ID_NAME, .value = names[n]};
		for (int i = 0; i < (n + 1 < count ? CERTDIR_LIST_FIND_MAX : 1); i++)
			fixture_add(writer, &(struct certdir_device){.name = names[n]});
	}
	fixture_publish(writer);
	directory = open_list(&config, false);
	directory->type->search(directory, sought, count - 1, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWERED);
	assert_int_equal(answer.count, CERTDIR_RECORDS_MAX);
	assert_false(answer.full);
	for (int again = 0; again < 2; again++) {
		directory->type->search(directory, sought, count, &answer);
		assert_int_equal(answer.state, CERTDIR_ANSWERED);
		assert_true(answer.full);
		assert_int_equal(answer.count, CERTDIR_RECORDS_MAX);
		assert_string_equal(answer.records[0].device.name, "n0");
	}
	certdir_answer_clear(&answer);
	assert_int_equal(answer.state, CERTDIR_NOT_ASKED);
	directory->type->close(directory);
}

/* A page of the index is damaged under a true seal: that is no "not found". */
static void test_search_fails(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_sought sought[] = {{.type = CERTDIR_ID_SERIAL, .value = "X"},
					  {.type = CERTDIR_ID_NAME, .value = "pc-7"}};
	struct certdir_directory *directory;
	struct certdir_answer answer = {0};
	unsigned char *file;
	sqlite3_stmt *stmt;
	size_t size, image;
	sqlite3 *db;

	(void)state;
	fixture_edition(1, DEVICES);
	assert_int_equal(sqlite3_open_v2(fixture_file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name='device_by_name'", -1,
					    &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	file = fixture_read(&size);
	image = fixture_image(file, size);
	memset(file + (sqlite3_column_int64(stmt, 0) - 1) * 4096, 0xa5, 4096);
	sqlite3_finalize(stmt);
	(void)sqlite3_close(db);
	fixture_seal(file, image);
	free(file);
	directory = open_list(&config, false);
	directory->type->search(directory, sought, 1, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWERED);
	directory->type->search(directory, sought, 2, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWER_UNAVAILABLE);
	assert_non_null(strstr(answer.detail, "malformed"));
	certdir_answer_clear(&answer);
	directory->type->close(directory);
}

/* ---- a file that changes under its readers ---- */

static atomic_int oldest, newest; /* editions that may be answered from now */
static atomic_bool finished;
static atomic_int answered, wrong;

/* The edition that answers now; -1 = missing, -2 = anything else. */
static int ask(unsigned device)
{
	char name[32];
	struct certdir_sought sought = {.type = CERTDIR_ID_NAME, .value = name};
	struct certdir_answer answer = {0};
	int edition = -2;

	(void)snprintf(name, sizeof(name), "pc-%u", device % DEVICES);
	watched->type->search(watched, &sought, 1, &answer);
	if (answer.state == CERTDIR_ANSWER_MISSING)
		edition = -1;
	else if (answer.state == CERTDIR_ANSWERED && answer.count == 1)
		edition = atoi(answer.records[0].device.owner);
	certdir_answer_clear(&answer);
	return edition;
}

static void *keep_asking(void *context)
{
	unsigned device = 0;

	(void)context;
	while (!atomic_load(&finished)) {
		int low = atomic_load(&oldest), edition = ask(device++), high = atomic_load(&newest);

		atomic_fetch_add(&answered, 1);
		if (edition < low || edition > high)
			atomic_fetch_add(&wrong, 1);
		(void)nanosleep(&(struct timespec){0, 200000}, NULL); /* other tests run beside this one */
	}
	return NULL;
}

/* Publishes the next edition and waits until it is the one that answers. */
static void next_edition(void)
{
	double end = now() + DEADLINE;
	int edition = atomic_fetch_add(&newest, 1) + 1;

	fixture_edition(edition, DEVICES);
	while (ask(0) != edition) {
		if (now() > end)
			fail_msg("edition %d was not taken up; log: %s", edition, log_text);
		pause_briefly();
	}
	/* A search that began before the swap may still end with the old truth; one that begins now may not. */
	atomic_store(&oldest, edition);
}

/* The same size, half old and half new: what a reader sees while cp is at work. */
static void make_half(void)
{
	size_t size;
	unsigned char *bytes = fixture_read(&size);

	for (size_t i = size / 2, end = fixture_image(bytes, size); i < end; i++)
		bytes[i] ^= 0x55;
	fixture_overwrite(bytes, size);
	free(bytes);
}

static void make_truncated(void)
{
	struct stat status;

	assert_int_equal(stat(fixture_file, &status), 0);
	assert_int_equal(truncate(fixture_file, status.st_size / 2), 0);
}

static void make_unsealed(void)
{
	struct stat status;

	assert_int_equal(stat(fixture_file, &status), 0);
	assert_int_equal(truncate(fixture_file, status.st_size - CERTDIR_SEAL_FOOTER), 0);
}

static void make_gone(void)
{
	assert_int_equal(unlink(fixture_file), 0);
}

static void make_empty(void)
{
	fixture_overwrite("", 0);
}

static void make_garbage(void)
{
	fixture_overwrite("garbage", 7);
}

static void make_foreign(void)
{
	sqlite3 *db;

	assert_int_equal(unlink(fixture_file), 0);
	assert_int_equal(sqlite3_open(fixture_file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE device(id)", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

static void make_fifo(void)
{
	assert_int_equal(unlink(fixture_file), 0);
	assert_int_equal(mkfifo(fixture_file, 0600), 0);
}

static void make_directory(void)
{
	assert_int_equal(unlink(fixture_file), 0);
	assert_int_equal(mkdir(fixture_file, 0700), 0);
}

static void make_dangling(void)
{
	assert_int_equal(unlink(fixture_file), 0);
	assert_int_equal(symlink("nowhere", fixture_file), 0);
}

static void make_unreadable(void)
{
	assert_int_equal(chmod(fixture_file, 0), 0);
}

static const struct {
	void (*make)(void);
	const char *level;
	const char *says;
} disasters[] = {
	{make_half, "ERROR", "does not match its seal"},
	{make_truncated, "ERROR", "is not sealed"},
	{make_unsealed, "ERROR", "is not sealed"},
	{make_gone, "WARN", "does not exist"},
	{make_empty, "ERROR", "is empty"},
	{make_garbage, "ERROR", "is not a device list"},
	{make_foreign, "ERROR", "is a SQLite database"},
	{make_fifo, "ERROR", "is not a file"},
	{make_directory, "ERROR", "is not a file"},
	{make_dangling, "WARN", "does not exist"},
	{make_unreadable, "ERROR", "cannot be read"},
};

static void test_file_changes_under_readers(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	pthread_t threads[THREADS];

	(void)state;
	atomic_store(&oldest, 0);
	atomic_store(&newest, 0);
	atomic_store(&finished, false);
	atomic_store(&answered, 0);
	atomic_store(&wrong, 0);
	fixture_edition(0, DEVICES);
	watched = open_list(&config, true);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, keep_asking, NULL), 0);
	next_edition();
	for (size_t i = 0; i < sizeof(disasters) / sizeof(*disasters); i++) {
		char says[200];

		if (disasters[i].make == make_unreadable && geteuid() == 0)
			continue; /* root reads everything */
		log_clear();
		disasters[i].make();
		(void)snprintf(says, sizeof(says), "%s %s %s", disasters[i].level, fixture_file, disasters[i].says);
		wait_for_log(says);
		assert_int_equal(log_count("with 200 devices"), 1);
		assert_int_equal(ask(1), atomic_load(&newest));
		(void)unlink(fixture_file);
		(void)rmdir(fixture_file);
		next_edition();
		assert_int_equal(log_count(says), 1);
	}
	atomic_store(&finished, true);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	watched->type->close(watched);
	assert_int_equal(atomic_load(&wrong), 0);
	assert_true(atomic_load(&answered) > 1000);
}

/* Starting without a list is no reason not to start; the list is taken up when it comes. */
static void test_list_comes_late(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_sought sought = {.type = CERTDIR_ID_NAME, .value = "pc-1"};
	struct certdir_answer answer = {0};

	(void)state;
	atomic_store(&newest, 0);
	watched = open_list(&config, true);
	watched->type->search(watched, &sought, 1, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWER_MISSING);
	assert_int_equal(answer.keeps, UINT32_MAX); /* what it would know devices by is not known */
	assert_non_null(strstr(answer.detail, "does not exist"));
	certdir_answer_clear(&answer);
	assert_int_equal(log_count("ERROR "), 1);
	make_garbage();
	wait_for_log("is not a device list");
	assert_int_equal(ask(0), -1);
	/* Looked at again and again, and still the same: said once. */
	for (double end = now() + 2.5; now() < end; pause_briefly())
		assert_int_equal(utimensat(AT_FDCWD, fixture_file, NULL, 0), 0);
	assert_int_equal(log_count("is not a device list"), 1);
	assert_int_equal(certdir_directory_list_edition(watched), 0);
	assert_int_equal(unlink(fixture_file), 0); /* nothing else makes room for a list */
	next_edition();
	assert_true(certdir_directory_list_edition(watched) >= 1);
	watched->type->close(watched);
}

/* It is damaged; who can write it is told all the same. */
static void make_changes_file(mode_t mode)
{
	char name[300];
	int file;

	(void)snprintf(name, sizeof(name), "%s.changes", fixture_file);
	file = open(name, O_WRONLY | O_CREAT, 0600);
	assert_true(file >= 0 && fchmod(file, mode) == 0 && close(file) == 0);
}

/* A list that others can change is used, and told once. */
static void test_permissions_are_told(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};

	(void)state;
	if (geteuid() != 0)
		skip(); /* the group of others is root's to give */
	atomic_store(&newest, 0);
	fixture_edition(0, DEVICES);
	watched = open_list(&config, true);
	wait_for_log("INFO ");
	assert_int_equal(log_count("can change it"), 0);
	assert_int_equal(chmod(fixture_file, 0666), 0);
	wait_for_log("anybody can change it, and so let devices in; do: chmod o-w");
	next_edition(); /* keeps the mode */
	assert_int_equal(log_count("can change it"), 1);
	assert_int_equal(chown(fixture_file, 0, 12345), 0);
	assert_int_equal(chmod(fixture_file, 0664), 0);
	wait_for_log("members of group 12345 can change it");
	assert_int_equal(chmod(fixture_file, 0644), 0);
	make_changes_file(0666);
	wait_for_log("devices.db.changes has mode 0666: anybody can change it");
	watched->type->close(watched);
}

/* An old copy in the place of the list is taken, but not without a word. */
static void test_older_list_is_told(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	char command[300];

	(void)state;
	atomic_store(&newest, 0);
	fixture_edition(0, DEVICES);
	(void)snprintf(command, sizeof(command), "cp '%s' '%s/old'", fixture_file, fixture_directory);
	assert_int_equal(system(command), 0);
	watched = open_list(&config, true);
	next_edition();
	assert_int_equal(log_count("takes the place of the newer one"), 0);
	(void)snprintf(command, sizeof(command), "mv '%s/old' '%s'", fixture_directory, fixture_file);
	assert_int_equal(system(command), 0);
	wait_for_log("takes the place of the newer one");
	assert_int_equal(ask(0), 0);
	watched->type->close(watched);
}

/* Signals are left to the program's own threads, and closing does not wait for the watcher's second to end. */
static void test_watcher_is_quiet(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	sigset_t before, after;
	double start;

	(void)state;
	fixture_edition(1, 1);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &before);
	start = now();
	for (int i = 0; i < 20; i++) {
		struct certdir_directory *directory = open_list(&config, true);

		directory->type->close(directory);
	}
	assert_true(now() - start < 5);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

/* A part that grows stale is told once, by name, and again only when it was fresh in between. */
static void test_stale_parts_are_told(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file, .max_age = 60};
	const long long t = (long long)time(NULL);
	static const struct {
		int devices, intune, interval; /* seconds ago, 0 = never; negative = ahead */
		const char *says; /* NULL = nothing */
		int told, users;
	} editions[] = {
		{10, 500, 300, NULL, 0, 0}, /* within twice its interval */
		{10, 700, 300, "the intune part of tenant \"contoso\" was last synced 70", 1, 0},
		{10, 710, 300, "the intune part", 1, 0}, /* told already */
		{10, 10, 300, "the intune part", 1, 0},
		{10, 720, 300, "the intune part", 2, 0},
		{10, 30, 0, "the users part of tenant \"contoso\" was last synced 7", 1, 70},
		{70, 0, 0, "the devices part of tenant \"contoso\" was last synced 7", 1, 0},
		{-200, 10, 0, "in the future", 0, 0},
		{10, -400, 0, "source \"contoso\" was synced in the future: check the clock of the sync host", 1, 0},
		{-500, 10, 0, "in the future", 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(editions) / sizeof(*editions); i++) {
		struct certdir_list_writer *writer = fixture_begin(true, "jamf", NULL, t);
		const int loaded = log_count("INFO ");
		char sql[300];

		(void)snprintf(sql, sizeof(sql),
			       "INSERT INTO source(id,name,kind,tenant,synced,intune_synced,intune_interval,"
			       "users_synced)VALUES(2,'contoso','tenant','" TENANT_A
			       "',%lld,nullif(%lld,%lld),%d,nullif(%lld,%lld))",
			       t - editions[i].devices, t - editions[i].intune, t, editions[i].interval,
			       t - editions[i].users, t);
		fixture_run(writer, sql);
		fixture_publish(writer);
		if (i == 0)
			watched = open_list(&config, true);
		for (double end = now() + DEADLINE; log_count("INFO ") == loaded && now() < end; pause_briefly())
			;
		/* What is to be told is told before the next look at the file. */
		for (double end = now() + (editions[i].told ? DEADLINE : 0.2); now() < end; pause_briefly())
			if (editions[i].told && log_count(editions[i].says) >= editions[i].told)
				break;
		if (editions[i].says ? log_count(editions[i].says) != editions[i].told : log_count("WARN "))
			fail_msg("edition %zu: %s", i, log_text);
	}
	watched->type->close(watched);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_search_finds),     TEST(test_tells_what_nobody_has), TEST(test_search_describes_sources),
		TEST(test_search_keeps),     TEST(test_search_goes_on),	       TEST(test_search_many),
		TEST(test_search_too_many),  TEST(test_search_fails),	       TEST(test_file_changes_under_readers),
		TEST(test_list_comes_late),  TEST(test_permissions_are_told),  TEST(test_older_list_is_told),
		TEST(test_watcher_is_quiet), TEST(test_stale_parts_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
