/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image that a writer changes, against a plain copy of it in memory; and what SQLite is told of such an image. */
#include "list_fixture.h"
#include "list/draft.h"
#include "list/image.h"

enum { BLOCK = CERTDIR_LIST_BLOCK, DEVICES = 4500, GROWTH = 64 * BLOCK };

static struct certdir_list_draft draft;
static unsigned char *model; /* what the draft has to say */
static uint64_t model_size;
static int file; /* that the draft may write */

static int setup(void **state)
{
	struct certdir_error error;
	unsigned char *list;
	size_t size;

	if (fixture_setup(state) != 0)
		return -1;
	fixture_large(DEVICES);
	list = fixture_read(&size);
	model_size = fixture_image(list, size);
	model = calloc(1, (size_t)model_size + GROWTH);
	assert_non_null(model);
	memcpy(model, list, (size_t)model_size);
	free(list);
	file = open(fixture_directory, O_RDWR | O_TMPFILE, 0600);
	assert_true(file >= 0);
	certdir_list_draft_init(&draft, file, "the draft");
	if (!certdir_list_draft_open(&draft, fixture_file, &error))
		fail_msg("%s", error.text);
	assert_false(draft.is_whole);
	return 0;
}

static int teardown(void **state)
{
	certdir_list_draft_clear(&draft);
	(void)close(file);
	free(model);
	return fixture_teardown(state);
}

static void write_both(uint64_t from, size_t amount)
{
	unsigned char bytes[4 * BLOCK];

	assert_true(amount <= sizeof(bytes));
	for (size_t i = 0; i < amount; i++)
		bytes[i] = (unsigned char)rand();
	assert_true(certdir_list_draft_pages.write(&draft, bytes, amount, from));
	memcpy(model + from, bytes, amount);
	model_size = from + amount > model_size ? from + amount : model_size;
}

static void cut_both(uint64_t size)
{
	assert_true(certdir_list_draft_pages.cut(&draft, size));
	if (size < model_size) {
		memset(model + size, 0, (size_t)(model_size - size));
		model_size = size;
	}
}

static void compare(uint64_t from, size_t amount)
{
	unsigned char *bytes = malloc(amount + 1);

	assert_non_null(bytes);
	assert_int_equal(certdir_list_draft_pages.size(&draft), model_size);
	assert_true(certdir_list_draft_pages.read(&draft, bytes, amount, from));
	assert_memory_equal(bytes, model + from, amount);
	free(bytes);
}

/* What is read does not begin or end where blocks, or chunks of the seal, do. */
static void test_reads_anywhere(void **state)
{
	(void)state;
	write_both(BLOCK, BLOCK);
	write_both(6 * BLOCK, 3 * BLOCK);
	for (uint64_t at = 0; at < 12 * BLOCK; at += 509) {
		compare(at, 1);
		compare(at, 100);
		compare(at, 3 * BLOCK + 7);
	}
	compare(model_size - 5000, 5000);
	compare(0, (size_t)model_size);
	assert_false(draft.is_whole);
}

/* SQLite need not write a page that is free: behind the old end, and where the list was cut off, it is zero and not what was there. */
static void test_holes(void **state)
{
	const uint64_t end = model_size;
	struct certdir_list_changes read;
	unsigned char bytes[BLOCK];
	struct certdir_error error;

	(void)state;
	write_both(end + 5 * BLOCK, BLOCK);
	compare(end - BLOCK, 7 * BLOCK);
	write_both(end - 3 * BLOCK, 3 * BLOCK);
	cut_both(end - 3 * BLOCK);
	write_both(end + BLOCK, BLOCK);
	compare(end - 5 * BLOCK, 7 * BLOCK);
	assert_true(certdir_list_draft_is_small(&draft));
	/* The file has the holes, too, and fits the list. */
	assert_true(certdir_list_draft_write(&draft, 1, file, &error));
	certdir_list_changes_begin(&read, draft.input.seal.root, end, 0);
	assert_int_equal(certdir_list_changes_read(&read, file, UINT64_MAX, "changes", &error), CERTDIR_CHANGES_READ);
	assert_int_equal(read.count, 5);
	for (uint64_t number = end / BLOCK - 3; number < model_size / BLOCK; number++) {
		assert_memory_equal(certdir_list_changes_find(&read, number), model + number * BLOCK, BLOCK);
		assert_true(certdir_list_changes_copy(&read, file, number, bytes));
		assert_memory_equal(bytes, model + number * BLOCK, BLOCK);
	}
	certdir_list_changes_clear(&read);
}

static void take_a_step(void)
{
	const uint64_t blocks = model_size / BLOCK;

	switch (rand() % 8) {
	case 0:
		cut_both((blocks - (uint64_t)rand() % 9) * BLOCK);
		break;
	case 1:
		if (blocks * BLOCK < draft.input.seal.size + GROWTH / 2)
			write_both((blocks + (uint64_t)rand() % 9) * BLOCK, BLOCK);
		break;
	case 2:
	case 3:
		write_both((uint64_t)rand() % (blocks - 4) * BLOCK, (size_t)(1 + rand() % 4) * BLOCK);
		break;
	default:
		compare((uint64_t)rand() % (model_size - 20000), (size_t)rand() % 20000);
	}
}

/* Whatever is done to it, and when all of it goes into a file, too. */
static void test_any_order(void **state)
{
	struct certdir_error error;

	(void)state;
	srand(4711);
	for (int i = 0; i < 150; i++)
		take_a_step();
	assert_false(draft.is_whole);
	compare(0, (size_t)model_size);
	assert_true(certdir_list_draft_gather(&draft, &error));
	compare(0, (size_t)model_size);
	for (int i = 0; i < 50; i++)
		take_a_step();
	compare(0, (size_t)model_size);
}

/* Half a block is nothing that changes can say. */
static void test_half_a_block(void **state)
{
	(void)state;
	write_both(4 * BLOCK, BLOCK);
	write_both(4 * BLOCK + 100, 200);
	assert_true(draft.is_whole);
	compare(0, (size_t)model_size);
	cut_both(model_size - 100);
	compare(0, (size_t)model_size);
}

/* ---- what SQLite is told ---- */

static sqlite3_file *open_pages(const struct certdir_list_pages *pages, void *context)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(certdir_list_vfs());
	sqlite3_file *opened = vfs ? calloc(1, (size_t)vfs->szOsFile) : NULL;

	assert_non_null(opened);
	certdir_list_vfs_next(pages, context);
	assert_int_equal(vfs->xOpen(vfs, "list", opened, SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	return opened;
}

static void test_vfs(void **state)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(certdir_list_vfs());
	sqlite3_file *opened = open_pages(&certdir_list_draft_pages, &draft);
	unsigned char bytes[200];
	sqlite3_int64 size;
	void *page;

	(void)state;
	/* One is for one connection. */
	assert_int_equal(vfs->xOpen(vfs, "list", opened, SQLITE_OPEN_MAIN_DB, NULL), SQLITE_CANTOPEN);
	free(opened);
	opened = open_pages(&certdir_list_draft_pages, &draft);
	assert_int_equal(opened->pMethods->xFileSize(opened, &size), SQLITE_OK);
	assert_int_equal(size, model_size);
	memset(bytes, 1, sizeof(bytes));
	assert_int_equal(opened->pMethods->xRead(opened, bytes, 200, size - 150), SQLITE_IOERR_SHORT_READ);
	assert_memory_equal(bytes, model + size - 150, 200); /* behind its end the model is zero */
	memset(bytes, 1, sizeof(bytes));
	assert_int_equal(opened->pMethods->xRead(opened, bytes, 200, INT64_MAX - 200), SQLITE_IOERR_SHORT_READ);
	assert_memory_equal(bytes, model + size, 200);
	assert_int_equal(opened->pMethods->xFetch(opened, 0, BLOCK, &page), SQLITE_OK);
	assert_null(page);
	free(opened);
}

/* A page is a pointer into the list or into its changes; nothing reaches over a border, and nobody writes. */
static void test_vfs_of_readers(void **state)
{
	char name[32];
	const struct certdir_list_changes_from from = {.filename = name};
	struct certdir_list_image image;
	enum certdir_image_damage damage;
	struct certdir_error error;
	sqlite3_file *opened;
	void *page;

	(void)state;
	write_both(3 * BLOCK, BLOCK);
	assert_true(certdir_list_draft_write(&draft, draft.before + 1, file, &error));
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	assert_true(certdir_list_image_load(&image, fixture_file, &from, NULL, &damage, &error));
	opened = open_pages(&certdir_list_image_pages, &image);
	const struct {
		uint64_t from;
		int amount;
		const unsigned char *at;
	} cases[] = {
		{0, BLOCK, image.base->bytes},
		{100, BLOCK - 100, image.base->bytes + 100},
		{3 * BLOCK + 8, 100, certdir_list_changes_find(&image.changes, 3) + 8},
		{model_size - BLOCK, BLOCK, image.base->bytes + model_size - BLOCK},
		{100, BLOCK, NULL},
		{0, BLOCK + 1, NULL},
		{model_size - 100, 101, NULL},
		{model_size + BLOCK, 1, NULL},
		{INT64_MAX, 1, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(opened->pMethods->xFetch(opened, (sqlite3_int64)cases[i].from, cases[i].amount, &page),
				 SQLITE_OK);
		assert_ptr_equal(page, cases[i].at);
	}
	assert_int_equal(opened->pMethods->xWrite(opened, "x", 1, 0), SQLITE_READONLY);
	assert_int_equal(opened->pMethods->xTruncate(opened, 0), SQLITE_READONLY);
	free(opened);
	certdir_list_image_clear(&image);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_reads_anywhere), TEST(test_holes), TEST(test_any_order),
		TEST(test_half_a_block),   TEST(test_vfs),   TEST(test_vfs_of_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
