/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over the file of changes beside an honest list. It is refused, or laid over the list; then readers and writers see the same
 * image, and reading that ends.
 *
 * The input is how many blocks each of two editions has (1 byte), what is cut off the end (2), whether digests of the blocks (bit 0), of
 * the first edition (bit 1) and of the second (bit 2) are made true (1), and a row of changes to an honest file: place (2), how many bytes
 * (1), the bytes.
 */
#include "holds.h"
#include "list/draft.h"
#include "list/list.h"
#include "list/snapshot.h"
#include "list/writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 5, HEAD = 64 };

static char directory[] = "/tmp/fuzz_changes.XXXXXX", list[64], changes_name[80];

static const char rows[] =
	"INSERT INTO source(id,name,synced,devices,identities) VALUES(2,'test',1,100,'common_name');WITH RECURSIVE "
	"n(i) AS "
	"(VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<100) INSERT INTO device(source,name,owner) SELECT "
	"2,'PC-'||i,hex(zeroblob(100)) FROM n";

static void remove_all(void)
{
	char name[80];

	(void)unlink(list);
	(void)unlink(changes_name);
	(void)snprintf(name, sizeof(name), "%s.lock", list);
	(void)unlink(name);
	(void)rmdir(directory);
}

static void make_list(void)
{
	struct certdir_list_writer *writer;
	struct certdir_error error;

	HOLDS(mkdtemp(directory));
	(void)atexit(remove_all);
	(void)snprintf(list, sizeof(list), "%s/list", directory);
	(void)snprintf(changes_name, sizeof(changes_name), "%s.changes", list);
	writer = certdir_list_write_begin(list, true, NULL, &error);
	HOLDS(writer && certdir_list_writer_run(writer, rows, &error) && certdir_list_write_publish(writer, &error));
}

/* What changes.h says of its form. */
static size_t head_size(size_t count)
{
	return HEAD + count * (4 + CERTDIR_SEAL_DIGEST);
}

static size_t batch_size(size_t count)
{
	return count ? head_size(count) + count * CERTDIR_LIST_BLOCK + CERTDIR_SEAL_DIGEST : 0;
}

/* Blocks of the list itself, each in its place: what it says is as it was. */
static void add_edition(size_t count)
{
	struct certdir_list_draft draft;
	struct certdir_error error;
	int file;

	if (count == 0)
		return;
	certdir_list_draft_init(&draft, -1, NULL);
	HOLDS(certdir_list_draft_open(&draft, list, &error));
	for (size_t i = 0; i < count; i++) {
		const uint64_t at = (uint64_t)i * CERTDIR_LIST_BLOCK;
		unsigned char bytes[CERTDIR_LIST_BLOCK];

		HOLDS(certdir_list_draft_pages.read(&draft, bytes, sizeof(bytes), at));
		memcpy(certdir_list_blocks_put(&draft.fresh, (uint32_t)i), bytes, sizeof(bytes));
	}
	file = open(changes_name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	HOLDS(file >= 0 && certdir_list_draft_write(&draft, draft.before + 1, file, &error));
	(void)close(file);
	certdir_list_draft_clear(&draft);
}

static void sum(const unsigned char *bytes, size_t size, unsigned char *out)
{
	HOLDS(certdir_list_seal_sum(bytes, size, NULL, 0, out));
}

static void make_true(unsigned char *batch, size_t count, bool blocks, bool all)
{
	for (size_t i = 0; blocks && i < count; i++)
		sum(batch + head_size(count) + i * CERTDIR_LIST_BLOCK, CERTDIR_LIST_BLOCK,
		    batch + HEAD + count * 4 + i * CERTDIR_SEAL_DIGEST);
	if (all && count)
		sum(batch, head_size(count), batch + batch_size(count) - CERTDIR_SEAL_DIGEST);
}

static void change(int file, size_t first, size_t second, const unsigned char *data, size_t size)
{
	const size_t end = (size_t)lseek(file, 0, SEEK_END);
	const size_t cut = size > 2 && end ? ((size_t)data[1] << 8 | data[2]) % end : 0;
	const unsigned flags = size > 3 ? data[3] : 0;
	unsigned char *bytes = malloc(end + 1);

	HOLDS(bytes && pread(file, bytes, end, 0) == (ssize_t)end);
	for (size_t at = 4; at + 3 <= size && end;) {
		const size_t place = ((size_t)data[at] << 8 | data[at + 1]) % end, left = size - at - 3;
		size_t count = data[at + 2] < left ? data[at + 2] : left;

		count = count < end - place ? count : end - place;
		memcpy(bytes + place, data + at + 3, count);
		at += 3 + count;
	}
	make_true(bytes, first, flags & 1, flags & 2);
	make_true(bytes + batch_size(first), second, flags & 1, flags & 4);
	HOLDS(pwrite(file, bytes, end, 0) == (ssize_t)end && ftruncate(file, (off_t)(end - cut)) == 0);
	free(bytes);
}

static void hear(void *context, const char *text)
{
	(void)context;
	HOLDS(!text || strlen(text) < SIZE_MAX);
}

/* What a reader takes, a writer can go on from. */
static void compare(const struct certdir_list_image *image)
{
	struct certdir_list_draft draft;
	struct certdir_error error;

	certdir_list_draft_init(&draft, -1, NULL);
	HOLDS(certdir_list_draft_open(&draft, list, &error));
	HOLDS(draft.size == image->size);
	for (uint64_t at = 0; at < image->size; at += CERTDIR_LIST_BLOCK) {
		const unsigned char *page = certdir_list_image_pages.fetch((void *)image, CERTDIR_LIST_BLOCK, at);
		unsigned char bytes[CERTDIR_LIST_BLOCK];

		HOLDS(page && certdir_list_draft_pages.read(&draft, bytes, sizeof(bytes), at));
		HOLDS(memcmp(page, bytes, sizeof(bytes)) == 0);
	}
	certdir_list_draft_clear(&draft);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error = {.text = ""}, damage;
	const size_t first = 1 + (size ? data[0] % BLOCKS : 0), second = size ? data[0] / BLOCKS % (BLOCKS + 1) : 0;
	int file;

	if (!list[0])
		make_list();
	(void)unlink(changes_name);
	add_edition(first);
	add_edition(second);
	file = open(changes_name, O_RDWR | O_CLOEXEC);
	HOLDS(file >= 0);
	change(file, first, second, data, size);
	(void)close(file);
	snapshot = certdir_list_load(list, &error);
	HOLDS(snapshot || (size > 1 && error.text[0]));
	reader = snapshot ? certdir_list_reader_get(snapshot, &error) : NULL;
	if (reader) {
		compare(&snapshot->image);
		(void)certdir_list_verify(reader, hear, NULL, &error);
	}
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
	/* A server that starts has at least the list as it was written whole. */
	snapshot = certdir_list_load_last(list, NULL, &damage, &error);
	HOLDS(snapshot || !damage.text[0]);
	certdir_list_release(snapshot);
	return 0;
}
