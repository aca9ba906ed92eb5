/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of changes beside a large list: what it costs, and whatever is done to it or to the list. */
#include "changes_fixture.h"
#include "fsync_count.h"
#include "list/changes.h"
#include "list/file.h"
#include "list/snapshot.h"
#include "list/writer.h"

#include <errno.h>
#include <openssl/evp.h>
#include <time.h>

enum { DEVICES = 6000, HEAD = 64, DIGEST = CERTDIR_SEAL_DIGEST, ENTRY = 4 + DIGEST };

static void copy(const char *from, const char *to)
{
	char command[300];

	(void)snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
	assert_int_equal(system(command), 0);
}

static unsigned char *read_changes(size_t *size)
{
	FILE *in = fopen(changes_file, "rb");
	unsigned char *bytes;

	assert_non_null(in);
	*size = (size_t)changes_size_of(changes_file);
	bytes = malloc(*size);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, *size, in), *size);
	(void)fclose(in);
	return bytes;
}

static void write_changes(const unsigned char *bytes, size_t size)
{
	FILE *out = fopen(changes_file, "wb");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
}

#define COUNT ";UPDATE source SET devices=(SELECT count(*) FROM device)"

/* ---- what it costs ---- */

static void test_one_change(void **state)
{
	struct certdir_list_snapshot *before, *after;
	struct certdir_error error;
	unsigned char *list, *same;
	size_t size, same_size;

	(void)state;
	fixture_large(DEVICES);
	list = fixture_read(&size);
	before = fixture_load();
	changes_next(2000, "INSERT INTO device(source,name) VALUES(1,'NEW')" COUNT);
	same = fixture_read(&same_size);
	assert_int_equal(size, same_size);
	assert_memory_equal(list, same, size);
	assert_in_range(changes_size_of(changes_file), 4096, 100000);
	changes_check_list(DEVICES + 1);
	/* The list itself is in memory once. */
	after = certdir_list_reload(fixture_file, NULL, before, &error);
	assert_non_null(after);
	assert_ptr_equal(before->image.base, after->image.base);
	assert_int_equal(changes_edition_of(before), 1000);
	assert_int_equal(changes_edition_of(after), 2000);
	certdir_list_release(before);
	assert_int_equal(changes_edition_of(after), 2000);
	certdir_list_release(after);
	free(list);
	free(same);
}

/*
 * The next one is behind it: what was there before is as it was, in the file and in memory. What a hard link has is for a backup to keep, and
 * a file that somebody has put there meanwhile is nobody's to go on with.
 */
static void test_next_change(void **state)
{
	struct certdir_list_snapshot *before, *after;
	struct certdir_list_writer *writer;
	unsigned char *first, *both;
	struct certdir_error error;
	size_t size, both_size;

	(void)state;
	fixture_large(DEVICES);
	changes_next(2000, "UPDATE device SET enabled=0 WHERE id=7");
	first = read_changes(&size);
	before = fixture_load();
	changes_next(3000, "UPDATE device SET enabled=0 WHERE id=3000");
	both = read_changes(&both_size);
	assert_in_range(both_size, size + 4096, size + 100000);
	assert_memory_equal(first, both, size);
	after = certdir_list_reload(fixture_file, NULL, before, &error);
	assert_non_null(after);
	assert_int_equal(before->image.changes.batch_count, 1);
	assert_int_equal(after->image.changes.batch_count, 2);
	assert_ptr_equal(before->image.changes.batches[0], after->image.changes.batches[0]);
	assert_int_equal(changes_edition_of(before), 2000);
	certdir_list_release(before);
	assert_int_equal(changes_edition_of(after), 3000);
	changes_check_list(DEVICES);

	assert_int_equal(link(changes_file, changes_copy), 0);
	changes_next(4000, "SELECT 1");
	assert_int_equal(changes_size_of(changes_file), -1);
	assert_int_equal(changes_size_of(changes_copy), both_size);
	changes_expect_start(4000, false);
	changes_next(5000, "SELECT 1");
	assert_true(changes_size_of(changes_file) > 0);
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	assert_non_null(writer);
	assert_int_equal(unlink(changes_file), 0);
	assert_true(certdir_list_writer_run(writer, "UPDATE source SET synced=6000", &error));
	assert_true(certdir_list_write_publish(writer, &error));
	changes_expect_start(6000, false);
	certdir_list_release(after);
	free(first);
	free(both);
}

/* They last before what makes them an edition does: its digest, or the name. */
static void test_lasts(void **state)
{
	(void)state;
	fixture_large(DEVICES);
	synced = (struct fsync_count){0};
	changes_next(2000, "SELECT 1");
	assert_true(changes_size_of(changes_file) > 0);
	assert_int_equal(synced.files, 2);
	assert_int_equal(synced.directories, 1);
	assert_int_equal(synced.early, 0);
	synced = (struct fsync_count){0};
	changes_next(3000, "SELECT 1");
	assert_int_equal(synced.files, 2);
	assert_int_equal(synced.directories, 0);
	assert_int_equal(synced.sizes[1], changes_size_of(changes_file));
	assert_int_equal(synced.sizes[0], changes_size_of(changes_file) - DIGEST);
}

/* Changes come behind changes until they are a quarter of the list; then what was before stands beside it, changes and all. */
static void test_written_whole(void **state)
{
	char last[128], last_of_last[140];
	struct certdir_list_snapshot *snapshot;
	struct certdir_error error;
	int edition = 2000;
	off_t before = 0;

	(void)state;
	(void)snprintf(last, sizeof(last), "%s.last", fixture_file);
	(void)snprintf(last_of_last, sizeof(last_of_last), "%s.changes", last);
	fixture_large(DEVICES);
	for (; edition < 2200; edition++) {
		changes_next(edition, "UPDATE device SET enabled=0 WHERE id%97=(SELECT synced%97 FROM source)");
		if (changes_size_of(changes_file) < 0)
			break;
		assert_true(changes_size_of(changes_file) >= before);
		before = changes_size_of(changes_file);
	}
	assert_in_range(edition, 2003, 2100);
	changes_check_list(DEVICES);
	snapshot = certdir_list_load(last, &error);
	assert_non_null(snapshot);
	assert_int_equal(changes_edition_of(snapshot), edition - 1);
	certdir_list_release(snapshot);
	/* What takes its place without going on with it leaves nothing of it. */
	changes_next(3000, "SELECT 1");
	assert_true(changes_size_of(changes_file) > 0);
	fixture_edition(1, 5);
	assert_int_equal(changes_size_of(changes_file), -1);
	assert_int_equal(changes_size_of(last), -1);
	assert_int_equal(changes_size_of(last_of_last), -1);
	changes_expect_start(1000, false);
}

/* A clock that was ahead: what is made anew is later all the same, or servers would take the old changes for newer ones. */
static void test_later_than_what_it_replaces(void **state)
{
	const int64_t ahead = ((int64_t)time(NULL) + 86400) * 1000000;
	struct certdir_error error;
	unsigned char *bytes;
	size_t size;
	int file;

	(void)state;
	fixture_large(DEVICES);
	bytes = fixture_read(&size);
	fixture_overwrite(bytes, fixture_image(bytes, size));
	free(bytes);
	file = open(fixture_file, O_RDWR | O_CLOEXEC);
	assert_true(file >= 0);
	assert_true(certdir_list_seal_append(file, ahead, NULL, fixture_file, &error));
	(void)close(file);
	changes_next(2000, "SELECT 1");
	changes_next(2001, "SELECT 1");
	assert_int_equal(certdir_list_changes_made(changes_file), ahead + 2);
	fixture_large(DEVICES);
	assert_int_equal(certdir_list_file_made(fixture_file), ahead + 3);
	fixture_large(DEVICES);
	assert_int_equal(certdir_list_file_made(fixture_file), ahead + 4);
	changes_expect_start(1000, false);
}

/* Many at once, a list that grows and shrinks: it is whole all the same. */
static void test_many_changes(void **state)
{
	(void)state;
	fixture_large(DEVICES);
	changes_next(2000, "UPDATE device SET owner=hex(randomblob(500))");
	assert_int_equal(changes_size_of(changes_file), -1);
	changes_check_list(DEVICES);
	changes_next(2001, "DELETE FROM device WHERE id>5900" COUNT);
	assert_true(changes_size_of(changes_file) > 0);
	changes_check_list(5900);
	changes_next(2002,
		     "INSERT INTO device(source,name,owner) SELECT 1,'x'||id,owner FROM device WHERE id<500" COUNT);
	changes_check_list(6399);
	changes_next(2003, "BEGIN;DELETE FROM device WHERE id%3=0;ROLLBACK;DELETE FROM device WHERE id%3>0" COUNT);
	changes_check_list(2133);
	changes_next(2004, "SELECT 1");
	changes_check_list(2133);
}

/* ---- files that do not belong together ---- */

static void test_list_without_its_changes(void **state)
{
	struct certdir_list_snapshot *used;
	struct certdir_error error;

	(void)state;
	fixture_large(DEVICES);
	changes_next(2000, "SELECT 1");
	copy(changes_file, changes_copy);
	changes_next(3000, "SELECT 1");
	used = fixture_load();
	assert_int_equal(changes_edition_of(used), 3000);
	/* In use it is not given up for what is older; a server that starts has what there is. */
	copy(changes_copy, changes_file);
	assert_null(certdir_list_reload(fixture_file, NULL, used, &error));
	assert_non_null(strstr(error.text, "older than what is in use"));
	changes_expect_start(2000, false);
	assert_int_equal(unlink(changes_file), 0);
	assert_null(certdir_list_reload(fixture_file, NULL, used, &error));
	assert_non_null(strstr(error.text, "devices.db.changes is missing"));
	changes_expect_start(1000, false);
	/* A writer goes on from what there is. */
	changes_next(4000, "SELECT 1");
	changes_expect_start(4000, false);
	certdir_list_release(used);
}

/* Between the two names of a list that was written whole, or of another that was copied: older changes are none, newer ones are missed. */
static void test_changes_of_another_list(void **state)
{
	struct certdir_error error;

	(void)state;
	fixture_large(DEVICES);
	changes_next(2000, "SELECT 1");
	copy(changes_file, changes_copy);
	fixture_large(DEVICES);
	copy(changes_copy, changes_file);
	changes_expect_start(1000, false);
	changes_next(3000, "SELECT 1");
	changes_expect_start(3000, false);

	copy(fixture_file, changes_copy);
	assert_int_equal(unlink(changes_file), 0);
	fixture_large(DEVICES);
	changes_next(4000, "SELECT 1");
	copy(changes_copy, fixture_file);
	assert_null(certdir_list_load(fixture_file, &error));
	assert_non_null(strstr(error.text, "changes of another list"));
	changes_expect_start(1000, true);
	assert_false(changes_try(5000, "SELECT 1", &error));
	assert_non_null(strstr(error.text, "left as it is"));
	assert_int_equal(unlink(fixture_file), 0);
	changes_expect_start(-1, false);
}

/* How a reader of the list finds them, without reading that each time. *editions: how many are sound. */
static enum certdir_changes_state read_alone(const struct certdir_list_image *image, uint32_t *editions,
					     struct certdir_error *error)
{
	struct certdir_list_changes changes;
	enum certdir_changes_state state;
	const int file = certdir_list_changes_open(changes_file, O_RDONLY, &state, error);

	assert_true(file >= 0);
	certdir_list_changes_begin(&changes, image->base->root, image->base->size, image->base->made);
	state = certdir_list_changes_read(&changes, file, UINT64_MAX, changes_file, error);
	*editions = changes.batch_count;
	certdir_list_changes_clear(&changes);
	(void)close(file);
	return state;
}

static void expect_alone(const struct certdir_list_image *image, enum certdir_changes_state wanted, uint32_t editions)
{
	struct certdir_error error = {.text = ""};
	uint32_t found;
	const enum certdir_changes_state state = read_alone(image, &found, &error);

	if (state != wanted || (state == CERTDIR_CHANGES_READ && found != editions) ||
	    (state == CERTDIR_CHANGES_DAMAGED && !strstr(error.text, "devices.db.changes")))
		fail_msg("state %d with %u editions: %s", state, found, error.text);
}

/* Where it was copied, or is read, while the second edition is written, that one is none yet; whoever goes on from it writes over it. */
static void test_cut_changes(void **state)
{
	struct certdir_list_snapshot *first, *used, *fresh;
	struct certdir_error error;
	unsigned char *bytes;
	size_t size, before;

	(void)state;
	fixture_large(DEVICES);
	changes_next(2000, "SELECT 1");
	before = (size_t)changes_size_of(changes_file);
	first = fixture_load();
	changes_next(3000, "UPDATE device SET enabled=0 WHERE id=3000");
	used = certdir_list_reload(fixture_file, NULL, first, &error);
	assert_non_null(used);
	bytes = read_changes(&size);
	for (size_t cut = 0; cut < size; cut += cut % 5000 < 150 || cut > size - 150 ? 1 : 777) {
		write_changes(bytes, cut);
		expect_alone(&used->image, cut < before ? CERTDIR_CHANGES_DAMAGED : CERTDIR_CHANGES_READ, 1);
		if (cut % 50 != 0)
			continue;
		changes_expect_start(cut < before ? 1000 : 2000, cut < before);
		assert_null(certdir_list_reload(fixture_file, NULL, used, &error));
		assert_non_null(strstr(error.text, cut < before ? "is cut short" : "older than what is in use"));
		fresh = certdir_list_reload(fixture_file, NULL, first, &error);
		assert_int_equal(fresh != NULL, cut >= before);
		certdir_list_release(fresh);
	}
	/* What a power cut leaves, where blocks have come before their head, or with their digest lost. */
	memset(bytes + before, 0, HEAD);
	write_changes(bytes, size - 40);
	changes_expect_start(2000, false);
	changes_next(4000, "UPDATE device SET enabled=0 WHERE id=4000");
	changes_expect_start(4000, false);
	free(bytes);
	bytes = read_changes(&size);
	memset(bytes + size - DIGEST, 0, DIGEST);
	write_changes(bytes, size);
	changes_expect_start(2000, false);
	changes_next(5000, "SELECT 1");
	changes_expect_start(5000, false);
	changes_check_list(DEVICES);
	certdir_list_release(first);
	certdir_list_release(used);
	free(bytes);
}

/* Who copies another file of changes into its place while an edition is made takes nothing of that: it is not appended to what is gone. */
static void test_replaced_while_writing(void **state)
{
	struct certdir_list_writer *writer;
	struct certdir_error error;

	(void)state;
	fixture_large(DEVICES);
	changes_next(2000, "SELECT 1");
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	assert_non_null(writer);
	assert_true(certdir_list_writer_run(writer, "UPDATE source SET synced=3000", &error));
	copy(changes_file, changes_copy);
	assert_int_equal(rename(changes_copy, changes_file), 0);
	assert_true(certdir_list_write_publish(writer, &error));
	changes_expect_start(3000, false);
}

/* Changes of two editions, which the caller frees; the second begins at *before of their *size bytes. *used is to be released. */
static unsigned char *two_editions(struct certdir_list_snapshot **used, size_t *before, size_t *size)
{
	fixture_large(DEVICES);
	changes_next(2000, "SELECT 1");
	*before = (size_t)changes_size_of(changes_file);
	changes_next(3000, "SELECT 1");
	*used = fixture_load();
	return read_changes(size);
}

/* Of the part at `at`, what stands before or behind each place in it did not last: the edition was not ended. */
static void lose_sectors(const struct certdir_list_snapshot *used, const unsigned char *bytes, size_t size, size_t at,
			 size_t part)
{
	unsigned char *lost = malloc(size);

	assert_non_null(lost);
	for (size_t cut = 4; cut < part; cut += 4)
		for (int side = 0; side < 2; side++) {
			memcpy(lost, bytes, size);
			memset(lost + at + (side ? cut : 0), 0, side ? part - cut : cut);
			write_changes(lost, size);
			expect_alone(&used->image, CERTDIR_CHANGES_READ, 1);
		}
	free(lost);
}

/* After a power cut: of the edition that was appended last, the sectors behind a place did not last, or those before it. */
static void test_lost_sectors(void **state)
{
	struct certdir_list_snapshot *used;
	unsigned char *bytes;
	size_t size, before;

	(void)state;
	bytes = two_editions(&used, &before, &size);
	lose_sectors(used, bytes, size - DIGEST, before, HEAD);
	lose_sectors(used, bytes, size, size - DIGEST, DIGEST);
	changes_expect_start(2000, false);
	changes_next(4000, "SELECT 1");
	changes_expect_start(4000, false);
	certdir_list_release(used);
	free(bytes);
}

static void test_damaged_changes(void **state)
{
	struct certdir_list_snapshot *used;
	struct certdir_error error;
	unsigned char *bytes;
	size_t size, before;

	(void)state;
	bytes = two_editions(&used, &before, &size);
	for (size_t at = 0; at < size;
	     at += at < before + HEAD + 4 * ENTRY && at % before < HEAD + 4 * ENTRY ? 1 : 997) {
		bytes[at] ^= 8;
		write_changes(bytes, size);
		expect_alone(&used->image, CERTDIR_CHANGES_DAMAGED, 0);
		if (at % 50 == 0)
			changes_expect_start(at < before ? 1000 : 2000, true);
		bytes[at] ^= 8;
	}
	for (size_t at = size - DIGEST; at < size; at++) {
		bytes[at] ^= 8;
		write_changes(bytes, size);
		expect_alone(&used->image, CERTDIR_CHANGES_DAMAGED, 0);
		bytes[at] ^= 8;
	}
	bytes[before + HEAD] ^= 1;
	write_changes(bytes, size);
	assert_null(certdir_list_load(fixture_file, &error));
	assert_non_null(strstr(error.text, "devices.db.changes"));
	assert_false(changes_try(5000, "SELECT 1", &error));
	assert_non_null(strstr(error.text, "left as it is"));
	bytes[before + HEAD] ^= 1;
	/* A writer reads no block that it does not need, and goes on from none that is damaged. */
	bytes[size - DIGEST - CERTDIR_LIST_BLOCK + 2000] ^= 1;
	write_changes(bytes, size);
	assert_false(changes_try(5000, "UPDATE device SET owner='x'||name,object_id=name", &error));
	assert_non_null(strstr(error.text, "devices.db.changes is damaged"));
	changes_expect_start(2000, true);
	bytes[size - DIGEST - CERTDIR_LIST_BLOCK + 2000] ^= 1;
	write_changes(bytes, size);
	changes_expect_start(3000, false);
	certdir_list_release(used);
	free(bytes);
}

/* ---- made to harm, with true digests ---- */

static void put(unsigned char *bytes, uint64_t value, int size)
{
	for (int i = 0; i < size; i++)
		bytes[i] = (unsigned char)(value >> (8 * i));
}

/* The digest of the file's one edition, which has `count` blocks in truth. */
static void seal(unsigned char *bytes, size_t size, size_t count)
{
	assert_int_equal(EVP_Digest(bytes, HEAD + count * ENTRY, bytes + size - DIGEST, NULL, EVP_sha256(), NULL), 1);
}

static void test_hostile_changes(void **state)
{
	enum { BASE = 8, TOTAL = 40, COUNT_AT = 56 };
	struct certdir_list_snapshot *snapshot;
	unsigned char *bytes, *numbers;
	struct certdir_error error;
	uint64_t total;
	size_t size, count;

	(void)state;
	fixture_large(DEVICES);
	changes_next(2000, "SELECT 1");
	snapshot = fixture_load();
	total = snapshot->image.changes.total;
	count = snapshot->image.changes.count;
	certdir_list_release(snapshot);
	assert_true(count >= 2);
	bytes = read_changes(&size);
	numbers = bytes + HEAD;
	const struct {
		unsigned char *at;
		uint64_t value;
		int bytes;
		const char *says;
	} cases[] = {
		{numbers, numbers[4] | (uint64_t)numbers[5] << 8, 4, "a block twice, or behind the end"},
		{numbers, total, 4, "a block twice, or behind the end"},
		{numbers, UINT32_MAX, 4, "a block twice, or behind the end"},
		{bytes + TOTAL, 0, 8, "a size that no writer makes"},
		{bytes + TOTAL, UINT64_MAX, 8, "a size that no writer makes"},
		{bytes + TOTAL, UINT64_C(1) << 32 | total, 8, "a size that no writer makes"},
		{bytes + TOTAL, 1, 8, "a block twice, or behind the end"},
		{bytes + TOTAL, total + 1, 8, "does not fit"},
		{bytes + TOTAL, total - 1, 8, "another size than its first bytes say"},
		{bytes + COUNT_AT, 0, 8, "no file of changes"},
		{bytes + COUNT_AT, count - 1, 8, "no file of changes"},
		{bytes + COUNT_AT, (uint64_t)(uint32_t) ~(count - 1) << 32 | (count - 1), 8, "does not match its seal"},
		{bytes + COUNT_AT, (uint64_t)(uint32_t) ~(count + 1) << 32 | (count + 1), 8, "cut short"},
		{bytes + COUNT_AT, UINT32_MAX, 8, "no file of changes"},
		{bytes, 0, 8, "no file of changes"},
		{bytes + BASE, 0, 8, "changes of another list"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		unsigned char kept[8];

		memcpy(kept, cases[i].at, 8);
		put(cases[i].at, cases[i].value, cases[i].bytes);
		seal(bytes, size, count);
		write_changes(bytes, size);
		memcpy(cases[i].at, kept, 8);
		if (certdir_list_load(fixture_file, &error) || !strstr(error.text, cases[i].says))
			fail_msg("case %zu: %s", i, error.text);
		changes_expect_start(1000, true);
	}
	seal(bytes, size, count);
	write_changes(bytes, size);
	changes_expect_start(2000, false);
	/* Nobody reads into memory what nobody has sealed. */
	assert_int_equal(truncate(changes_file, INT64_C(1) << 40), 0);
	changes_expect_start(2000, false);
	changes_next(3000, "SELECT 1");
	assert_true(changes_size_of(changes_file) < 200000);
	assert_int_equal(unlink(changes_file), 0);
	assert_int_equal(mkfifo(changes_file, 0600), 0);
	assert_null(certdir_list_load(fixture_file, &error));
	assert_non_null(strstr(error.text, "is not a file"));
	free(bytes);
}

/* ---- a list that is damaged where nothing was needed yet ---- */

static void test_damaged_list(void **state)
{
	struct certdir_error error;
	unsigned char *list;
	size_t size, image;

	(void)state;
	fixture_large(DEVICES);
	list = fixture_read(&size);
	image = fixture_image(list, size);
	/* The first page is always needed, and so is each row that changes, and everything when it is written whole. */
	list[50] ^= 1;
	fixture_overwrite(list, size);
	assert_false(changes_try(2000, "SELECT 1", &error));
	list[50] ^= 1;
	for (size_t at = 40000; at < image; at += image / 7) {
		list[at] ^= 1;
		fixture_overwrite(list, size);
		assert_false(changes_try(2000, "UPDATE device SET owner='x'||name,object_id=name", &error));
		if (!strstr(error.text, "does not match its seal") || !strstr(error.text, "left as it is"))
			fail_msg("%s", error.text);
		list[at] ^= 1;
	}
	assert_int_equal(changes_size_of(changes_file), -1);
	fixture_overwrite(list, size);
	changes_next(2000, "SELECT 1");
	changes_check_list(DEVICES);
	free(list);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, changes_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_one_change),
		TEST(test_next_change),
		TEST(test_lasts),
		TEST(test_later_than_what_it_replaces),
		TEST(test_written_whole),
		TEST(test_many_changes),
		TEST(test_list_without_its_changes),
		TEST(test_changes_of_another_list),
		TEST(test_cut_changes),
		TEST(test_replaced_while_writing),
		TEST(test_lost_sectors),
		TEST(test_damaged_changes),
		TEST(test_hostile_changes),
		TEST(test_damaged_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
