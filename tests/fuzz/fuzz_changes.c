/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over the file of changes beside an honest list. It is refused, or laid over the list; then readers and writers see the same
 * image, and reading that ends.
 *
 * The input is the number of blocks (1 byte), what is cut off its end (1), whether the digest is made true (1), and a row of changes to an
 * honest file: place, counted from the end (2 bytes), how many bytes (1), the bytes.
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

enum { BLOCKS = 5 };

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
	writer = certdir_list_write_begin(list, true, &error);
	HOLDS(writer && certdir_list_writer_run(writer, rows, &error) && certdir_list_write_publish(writer, &error));
}

/* Blocks of the list itself, each in its place: what it says is as it was. */
static int make_changes(size_t count)
{
	struct certdir_list_draft draft;
	struct certdir_error error;
	int file;

	certdir_list_draft_init(&draft, -1, NULL);
	HOLDS(certdir_list_draft_open(&draft, list, &error));
	for (size_t i = 0; i < count; i++) {
		const uint64_t at = (uint64_t)i * CERTDIR_LIST_BLOCK;
		unsigned char bytes[CERTDIR_LIST_BLOCK];

		HOLDS(certdir_list_draft_pages.read(&draft, bytes, sizeof(bytes), at));
		memcpy(certdir_list_changes_put(&draft.changes, (uint32_t)i), bytes, sizeof(bytes));
	}
	memcpy(draft.changes.base, draft.input.seal.root, sizeof(draft.changes.base));
	draft.changes.made = draft.before + 1;
	file = open(changes_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	HOLDS(file >= 0 && certdir_list_changes_write(&draft.changes, file, "changes", &error));
	certdir_list_draft_clear(&draft);
	return file;
}

static void change(int file, const unsigned char *data, size_t size)
{
	const size_t end = (size_t)lseek(file, 0, SEEK_END);
	const size_t cut = size > 1 ? data[1] % end : 0;
	const bool seal = size > 2 && data[2] % 2;
	unsigned char digest[CERTDIR_SEAL_DIGEST], *bytes = malloc(end);

	HOLDS(bytes && pread(file, bytes, end, 0) == (ssize_t)end);
	for (size_t at = 3; at + 3 <= size;) {
		const size_t place = ((size_t)data[at] << 8 | data[at + 1]) % end, left = size - at - 3;
		size_t count = data[at + 2] < left ? data[at + 2] : left;

		count = count < place ? count : place;
		memcpy(bytes + end - place, data + at + 3, count);
		at += 3 + count;
	}
	if (seal && end - cut > sizeof(digest)) {
		HOLDS(certdir_list_seal_sum(bytes, end - cut - sizeof(digest), NULL, 0, digest));
		memcpy(bytes + end - cut - sizeof(digest), digest, sizeof(digest));
	}
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
	int file;

	if (!list[0])
		make_list();
	(void)unlink(changes_name);
	file = make_changes(size ? data[0] % (BLOCKS + 1) : 1);
	change(file, data, size);
	(void)close(file);
	snapshot = certdir_list_load(list, &error);
	HOLDS(snapshot || (size > 1 && error.text[0]));
	reader = snapshot ? certdir_list_reader_get(snapshot, &error) : NULL;
	if (reader) {
		compare(&snapshot->image);
		(void)certdir_list_verify(reader, true, hear, NULL, &error);
	}
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
	/* A server that starts has at least the list as it was written whole. */
	snapshot = certdir_list_load_last(list, &damage, &error);
	HOLDS(snapshot || !damage.text[0]);
	certdir_list_release(snapshot);
	return 0;
}
