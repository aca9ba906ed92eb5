/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists with a true seal that nobody should trust: foreign programs in them, pages that lead nowhere, sizes that are not. */
#include "list_fixture.h"
#include "list/draft.h"
#include "list/schema.h"
#include "list/snapshot.h"
#include "tenant/tenant.h"

#include <openssl/evp.h>
#include <sys/resource.h>

/* Changes the published list's image with SQL, and seals it truly. */
static void change_image(const char *sql)
{
	char name[128];
	unsigned char *file;
	size_t size, image;
	char *message = NULL;
	sqlite3 *db;
	FILE *out;

	file = fixture_read(&size);
	image = fixture_image(file, size);
	(void)snprintf(name, sizeof(name), "%s/image", fixture_directory);
	out = fopen(name, "wb");
	assert_non_null(out);
	assert_int_equal(fwrite(file, 1, image, out), image);
	assert_int_equal(fclose(out), 0);
	free(file);
	assert_int_equal(sqlite3_open(name, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s", message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(rename(name, fixture_file), 0);
	file = fixture_read(&size);
	fixture_seal(file, size);
	free(file);
}

static void assert_refused(const char *says)
{
	struct certdir_error error = {.text = ""};
	struct certdir_list_snapshot *snapshot = certdir_list_load(fixture_file, &error);

	if (snapshot || !strstr(error.text, says))
		fail_msg("\"%s\" does not say \"%s\"", error.text, says);
	/* nor does a writer go on with it */
	assert_null(certdir_list_write_begin(fixture_file, false, NULL, &error));
	if (!strstr(error.text, says))
		fail_msg("a writer: \"%s\" does not say \"%s\"", error.text, says);
}

/* Whatever stands in the schema that we did not put there, or does not stand there as we did. */
static void test_foreign_schema(void **state)
{
	static const struct {
		const char *sql, *says;
	} table[] = {
		{"CREATE TRIGGER back AFTER DELETE ON device BEGIN INSERT INTO device(source,name) VALUES(1,'STOLEN'); "
		 "END",
		 "trigger back is foreign"},
		{"CREATE VIEW v AS SELECT 1", "view v is foreign"},
		{"DROP INDEX device_by_name;DROP INDEX device_by_sid;ALTER TABLE device RENAME TO hidden;CREATE VIEW "
		 "device AS WITH "
		 "RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i id FROM n",
		 "is not the same"},
		{"CREATE TABLE more(a)", "table more is foreign"},
		{"CREATE INDEX zz ON device(owner)", "index zz is foreign"},
		{"DROP INDEX device_by_sid", "index device_by_sid is missing"},
		{"DROP INDEX device_by_sid;CREATE INDEX device_by_sid ON device(sid)",
		 "index device_by_sid is not the same"},
		{"ALTER TABLE device ADD COLUMN more", "table device is not the same"},
		{"ALTER TABLE meta RENAME TO atem", "table atem is foreign"},
		{"PRAGMA writable_schema=1;UPDATE sqlite_schema SET sql=sql||' ' WHERE name='change'",
		 "table change is not the same"},
		{"ANALYZE", "table sqlite_stat1 is foreign"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		(void)unlink(fixture_file);
		fixture_edition(1, 5);
		change_image(table[i].sql);
		assert_refused(table[i].says);
	}
}

/* Starting anew takes nothing over from such a list, and a published one is as ours again. */
static void test_start_anew(void **state)
{
	struct certdir_list_snapshot *snapshot;

	(void)state;
	fixture_edition(1, 5);
	change_image("CREATE TRIGGER back AFTER DELETE ON device BEGIN INSERT INTO device(source,name) "
		     "VALUES(1,'STOLEN'); END");
	fixture_edition(2, 3);
	snapshot = fixture_load();
	assert_int_equal(certdir_list_device_count(snapshot), 3);
	certdir_list_release(snapshot);
}

/* ---- lookups end ---- */

static int64_t steps_used(struct certdir_list_reader *reader)
{
	int64_t steps = 0;

	for (sqlite3_stmt *stmt = NULL; (stmt = sqlite3_next_stmt(reader->sql.db, stmt));)
		steps += sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1);
	return steps;
}

static void look_up(struct certdir_list_reader *reader, enum certdir_identity_type type, const char *value, int count)
{
	int64_t rows[CERTDIR_LIST_FIND_MAX];
	struct certdir_error error;
	bool more;

	(void)steps_used(reader);
	if (certdir_list_find(reader, TENANT_A, type, value, rows, &more, &error) != count)
		fail_msg("%s", error.text);
}

/*
 * The longest that an honest list can bring about: every device of another tenant has the names that are looked for, each in all
 * places where names stand, and has little else that would make the list larger.
 */
static void test_longest_honest_lookup(void **state)
{
	struct certdir_list_writer *writer = fixture_begin(true, "import", NULL, 1);
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	int64_t most = 0;

	(void)state;
	fixture_run(writer,
		    "INSERT INTO source(id,name,kind,tenant,synced) VALUES(2,'contoso','tenant','" TENANT_A "',1),"
		    "(3,'fabrikam','tenant','" TENANT_B "',1);"
		    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<20000) INSERT INTO "
		    "device(source,name,intune_name,serial_number,sid,entra_device_id) SELECT 3,'p',CASE i%2 WHEN 0 "
		    "THEN 'q' END,"
		    "'S','" SID1 "','" G1 "' FROM n;"
		    "INSERT INTO dns_name SELECT id,'p.q' FROM device;"
		    "INSERT INTO former_name SELECT id,'f',1 FROM device;"
		    "INSERT INTO intune_waiting(source,entra_device_id,intune_name,serial_number) SELECT "
		    "3,'w'||id,'p','S' FROM device");
	fixture_publish(writer);
	snapshot = fixture_load();
	reader = fixture_reader(snapshot);
	static const struct {
		enum certdir_identity_type type;
		const char *value;
	} lookups[] = {{CERTDIR_ID_NAME, "p"},	{CERTDIR_ID_NAME, "q"},	  {CERTDIR_ID_NAME, "f"},
		       {CERTDIR_ID_DNS, "p.q"}, {CERTDIR_ID_SERIAL, "S"}, {CERTDIR_ID_SID, SID1},
		       {CERTDIR_ID_GUID, G1}};

	for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++) {
		int64_t steps;

		look_up(reader, lookups[i].type, lookups[i].value, 0);
		steps = steps_used(reader);
		print_message("%s: %lld instructions of %lld\n", lookups[i].value, (long long)steps,
			      (long long)certdir_list_reader_steps(&snapshot->image) * 1000);
		most = steps > most ? steps : most;
	}
	print_message("%.1f instructions a device, %.2f a byte\n", (double)most / 20000,
		      (double)most / (double)snapshot->image.size);
	/* the bound grows with the list, as this does: a third of it has to be enough */
	assert_true(3 * most < (certdir_list_reader_steps(&snapshot->image) - 1000) * 1000);
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

enum { PAGE = 4096, LEVELS = 12, CELLS = 150 };

static void put(unsigned char *at, int bytes, uint32_t value)
{
	while (bytes-- > 0) {
		at[bytes] = (unsigned char)value;
		value >>= 8;
	}
}

/* A page of the index of names in SQLite's file format: CELLS times "loop", row 1; of an inner page each leads to page `child`. */
static void make_page(unsigned char *page, uint32_t child)
{
	static const unsigned char record[] = {7, 3, 13 + 2 * 4, 9, 'l', 'o', 'o', 'p'};
	const int header = child ? 12 : 8, size = (child ? 4 : 0) + (int)sizeof(record);
	int content = PAGE;

	memset(page, 0, PAGE);
	page[0] = child ? 2 : 10;
	put(page + 3, 2, CELLS);
	for (int i = 0; i < CELLS; i++) {
		content -= size;
		if (child)
			put(page + content, 4, child);
		memcpy(page + content + (child ? 4 : 0), record, sizeof(record));
		put(page + header + 2 * i, 2, (uint32_t)content);
	}
	put(page + 5, 2, (uint32_t)content);
	if (child)
		put(page + 8, 4, child);
}

/* An index whose every page is reached on 150 ways: no page is twice on one of them, and there are 150 to the 12th rows. */
static void make_endless(void)
{
	size_t size, image;
	unsigned char *file = fixture_read(&size), *grown;
	sqlite3_stmt *stmt;
	uint32_t root, pages;
	sqlite3 *db;

	image = fixture_image(file, size);
	pages = (uint32_t)(image / PAGE);
	assert_int_equal(sqlite3_open(fixture_file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name='device_by_name'", -1,
					    &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	root = (uint32_t)sqlite3_column_int(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	grown = calloc(pages + LEVELS, PAGE);
	assert_non_null(grown);
	memcpy(grown, file, image);
	make_page(grown + (root - 1) * PAGE, pages + 1);
	for (uint32_t level = 1; level <= LEVELS; level++)
		make_page(grown + (pages + level - 1) * PAGE, level < LEVELS ? pages + level + 1 : 0);
	put(grown + 28, 4, pages + LEVELS);
	fixture_seal(grown, (size_t)(pages + LEVELS) * PAGE);
	free(file);
	free(grown);
}

static void test_a_lookup_ends(void **state)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	int64_t rows[CERTDIR_LIST_FIND_MAX];
	struct certdir_error error = {.text = ""};
	struct rusage usage;
	bool more;

	(void)state;
	fixture_edition(1, 5);
	make_endless();
	snapshot = fixture_load(); /* its schema is ours */
	reader = fixture_reader(snapshot);
	assert_int_equal(certdir_list_find(reader, NULL, CERTDIR_ID_NAME, "loop", rows, &more, &error), -1);
	assert_non_null(strstr(error.text, "reading it does not end"));
	assert_int_equal(certdir_list_find(reader, NULL, CERTDIR_ID_SERIAL, "loop", rows, &more, &error), 0);
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	assert_true(usage.ru_maxrss < 1 << 20);
}

/* ---- sizes ---- */

static void test_sparse_files(void **state)
{
	unsigned char *file, *digests, footer[CERTDIR_SEAL_FOOTER];
	const uint64_t image = UINT64_C(7) << 30;
	const size_t chunks = image / CERTDIR_SEAL_CHUNK;
	struct certdir_list_draft draft;
	struct certdir_error error;
	struct rusage usage;
	size_t size;
	int fd;

	(void)state;
	fixture_edition(1, 5);
	file = fixture_read(&size);
	memcpy(footer, file + size - sizeof(footer), sizeof(footer));
	/* larger than any list */
	assert_int_equal(truncate(fixture_file, (off_t)64 << 30), 0);
	assert_refused("at most 8 GiB");
	/* as large as one can be, and no seal at the end */
	assert_int_equal(truncate(fixture_file, (off_t)8 << 30), 0);
	assert_refused("is not sealed");
	/* a true one of digests that nothing has, for an image that is longer than its header says */
	for (int i = 0; i < 8; i++)
		footer[8 + i] = (unsigned char)(image >> (8 * i));
	digests = calloc(1, chunks * CERTDIR_SEAL_DIGEST + 24);
	assert_non_null(digests);
	memcpy(digests, footer, 24);
	assert_int_equal(EVP_Digest(digests, chunks * CERTDIR_SEAL_DIGEST + 24, footer + 24, NULL, EVP_sha256(), NULL),
			 1);
	fd = open(fixture_file, O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)(image + chunks * CERTDIR_SEAL_DIGEST)), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), (off_t)(image + chunks * CERTDIR_SEAL_DIGEST));
	assert_int_equal(write(fd, footer, sizeof(footer)), sizeof(footer));
	assert_int_equal(close(fd), 0);
	assert_refused("another size than its first bytes say");
	free(digests);
	/* nothing of all this was read, or allocated */
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	assert_true(usage.ru_maxrss < 1 << 20);
	certdir_list_draft_init(&draft, -1, NULL);
	assert_false(certdir_list_draft_open(&draft, fixture_file, &error));
	certdir_list_draft_clear(&draft);
	free(file);
}

/* A true seal of an image that is longer, or shorter, than its header says. */
static void test_another_size(void **state)
{
	unsigned char *file;
	size_t size, image;

	(void)state;
	fixture_edition(1, 5);
	file = fixture_read(&size);
	image = fixture_image(file, size);
	fixture_seal(file, image - PAGE);
	assert_refused("another size than its first bytes say");
	file = realloc(file, image + PAGE);
	assert_non_null(file);
	memset(file + image, 0, PAGE);
	fixture_seal(file, image + PAGE);
	assert_refused("another size than its first bytes say");
	free(file);
}

/* ---- rows ---- */

/* SQLite believes a schema that says NOT NULL: what was written under another one is read all the same. */
#define IN_ANOTHER_SCHEMA(sql)                                                                                         \
	"PRAGMA writable_schema=1;CREATE TABLE aside AS SELECT sql FROM sqlite_schema WHERE name='source';"            \
	"UPDATE sqlite_schema SET sql=replace(sql,'NOT NULL','') WHERE name='source';"                                 \
	"PRAGMA writable_schema=RESET;PRAGMA writable_schema=1;" sql                                                   \
	";UPDATE sqlite_schema SET sql=(SELECT sql FROM aside) WHERE name='source';PRAGMA writable_schema=RESET;"      \
	"DROP TABLE aside"

static void count_name(void *context, const char *name)
{
	*(size_t *)context += strlen(name);
}

static void test_rows_that_nobody_writes(void **state)
{
	const struct certdir_tenant_options options = {.name = "contoso", .tenant = TENANT_A, .now = 2000};
	const char *const none[] = {NULL}, *const group[] = {G1, NULL};
	struct certdir_list_writer *looker;
	struct certdir_tenant *tenant;
	struct certdir_error error;
	size_t length = 0;

	(void)state;
	fixture_edition(1, 5);
	change_image("INSERT INTO source(name,kind,tenant,synced) VALUES('contoso','tenant','" TENANT_A "',1000);"
		     "INSERT INTO grp(source,object_id,name) VALUES(2,'x',printf('%.*c',5000,'g'));" IN_ANOTHER_SCHEMA(
			     "INSERT INTO source(kind,synced) VALUES('tenant',1000);"
			     "INSERT INTO source(name,kind,synced) VALUES('x',NULL,1000)"));
	looker = certdir_list_look(fixture_file, &error);
	if (!looker)
		fail_msg("%s", error.text);
	assert_true(certdir_list_look_tenants(looker, count_name, &length, &error));
	assert_int_equal(length, strlen("contoso"));
	certdir_list_write_abort(looker);
	looker = certdir_list_write_begin(fixture_file, false, NULL, &error);
	assert_non_null(looker);
	tenant = certdir_tenant_open(looker, &options, &error);
	if (!tenant)
		fail_msg("%s", error.text);
	assert_false(certdir_tenant_groups_keep(tenant, none, &error));
	assert_non_null(strstr(error.text, "the list is damaged"));
	certdir_tenant_close(tenant);
	fixture_run(looker, "UPDATE grp SET object_id=NULL,name=NULL");
	tenant = certdir_tenant_open(looker, &options, &error);
	assert_non_null(tenant);
	assert_false(certdir_tenant_groups_keep(tenant, group, &error));
	assert_non_null(strstr(error.text, "the list is damaged"));
	certdir_tenant_close(tenant);
	certdir_list_write_abort(looker);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_foreign_schema),	    TEST(test_start_anew),   TEST(test_longest_honest_lookup),
		TEST(test_a_lookup_ends),	    TEST(test_sparse_files), TEST(test_another_size),
		TEST(test_rows_that_nobody_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
