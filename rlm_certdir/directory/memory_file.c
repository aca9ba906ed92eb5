/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/background.h"
#include "base/file.h"
#include "list/seal.h"

static const char magic[] = "certdir memory 2\n";

/* The store's bound counts more for an answer than its file has of it. */
#define FILE_MAX (2 * (uint64_t)CERTDIR_STORE_BYTES_MAX)

/* ---- answers -> bytes ---- */

static void put_block(struct certdir_bytes *to, const void *bytes, size_t length)
{
	certdir_bytes_put_number(to, length);
	certdir_bytes_put(to, bytes, length);
}

/*
 * When it was said, by the time that the system has now: it may have been set back since, and what was said in the future would be
 * refused with all the rest.
 */
static uint64_t said_at(const struct certdir_reply *reply)
{
	const struct certdir_moment now = certdir_moment_now();
	const int64_t age = certdir_moment_since(&reply->asked, &now);

	return age < now.wall ? (uint64_t)(now.wall - age) : 0;
}

static void put_answer(void *context, const unsigned char *key, size_t key_length, const struct certdir_reply *reply)
{
	struct certdir_bytes *to = context;
	const unsigned char full = reply->full;

	put_block(to, key, key_length);
	put_block(to, reply->many, reply->value_count);
	certdir_bytes_put_number(to, said_at(reply));
	certdir_bytes_put(to, &full, 1);
	certdir_bytes_put_number(to, reply->count);
	for (size_t r = 0; r < reply->count; r++)
		put_block(to, reply->records[r]->bytes, reply->records[r]->length);
}

void certdir_memory_pack(struct certdir_bytes *to, const struct certdir_store *store, const char *origin)
{
	certdir_bytes_put(to, magic, sizeof(magic) - 1);
	put_block(to, origin, strlen(origin));
	certdir_bytes_put_number(to, (uint64_t)time(NULL));
	certdir_store_each(store, put_answer, to);
}

/* ---- bytes -> answers ---- */

static const unsigned char *take_block(struct certdir_bytes_reader *from, size_t *length)
{
	const uint64_t stated = certdir_bytes_number(from);
	const unsigned char *block = certdir_bytes_take(from, stated);

	*length = block ? (size_t)stated : 0;
	return block;
}

/* The values of a question, or 0 when the key is none: a type and a text for each of them. */
static size_t count_values(const unsigned char *key, size_t length)
{
	size_t count = 0;

	while (length > 1 && key[0] < CERTDIR_ID_TYPES) {
		const unsigned char *end = memchr(key + 1, '\0', length - 1);

		if (!end)
			return 0;
		length -= (size_t)(end + 1 - key);
		key = end + 1;
		count++;
	}
	return length == 0 ? count : 0;
}

static bool take_flags(bool *flags, const unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] > 1)
			return false;
		flags[i] = bytes[i] == 1;
	}
	return true;
}

static bool take_record(struct certdir_bytes_reader *from, struct certdir_packed **packed)
{
	struct certdir_record record = {0};
	size_t length;
	const unsigned char *bytes = take_block(from, &length);

	if (!bytes || !certdir_record_unpack(bytes, length, &record))
		return false;
	*packed = certdir_record_pack(&record);
	certdir_record_clear(&record);
	return *packed;
}

static bool take_told(struct certdir_bytes_reader *from, struct certdir_reply *reply, const unsigned char *many)
{
	if (!take_flags(reply->many, many, reply->value_count))
		return false;
	for (size_t r = 0; r < reply->count; r++)
		if (!take_record(from, &reply->records[r]))
			return false;
	return true;
}

static bool take_answer(struct certdir_bytes_reader *from, struct certdir_store *store, int64_t written)
{
	struct certdir_question question = {0};
	size_t key_length, many_length;
	const unsigned char *key = take_block(from, &key_length), *many = take_block(from, &many_length);
	const int64_t asked = (int64_t)certdir_bytes_number(from);
	const unsigned char *full = certdir_bytes_take(from, 1);
	const uint64_t count = certdir_bytes_number(from);
	struct certdir_reply *reply;
	bool ok;

	question.count = key ? count_values(key, key_length) : 0;
	if (from->failed || question.count == 0 || question.count != many_length || *full > 1 || count == 0 ||
	    count > CERTDIR_CARRIERS_MAX || asked < 0 || asked / CERTDIR_SECOND > written + CERTDIR_AHEAD)
		return false;
	reply = certdir_reply_new((size_t)count, many_length);
	if (!reply)
		return false;
	reply->asked = (struct certdir_moment){certdir_moment_now().monotonic, asked};
	reply->full = *full;
	ok = take_told(from, reply, many);
	question.key = (unsigned char *)(uintptr_t)key;
	question.key_length = key_length;
	if (ok)
		certdir_store_put(store, &question, reply);
	certdir_reply_release(reply);
	return ok;
}

bool certdir_memory_unpack(struct certdir_store *store, const unsigned char *bytes, size_t length, const char *origin,
			   struct certdir_error *error)
{
	struct certdir_bytes_reader from = {bytes, bytes + length, false};
	const unsigned char *begin = certdir_bytes_take(&from, sizeof(magic) - 1);
	const int64_t now = (int64_t)time(NULL);
	const unsigned char *is;
	size_t is_length;
	int64_t written;

	if (!begin || memcmp(begin, magic, sizeof(magic) - 1) != 0) {
		certdir_error_set(error, "it is no memory of a directory, or one of another version of certdir");
		return false;
	}
	is = take_block(&from, &is_length);
	if (!is || is_length != strlen(origin) || memcmp(is, origin, is_length) != 0) {
		certdir_error_set(error, "it is of another directory, or of this one as it was configured before");
		return false;
	}
	written = (int64_t)certdir_bytes_number(&from);
	if (written < 0 || written > now + CERTDIR_AHEAD) {
		certdir_error_set(error, "it was written in the future: check the clock");
		return false;
	}
	while (!from.failed && from.at < from.end)
		if (!take_answer(&from, store, written))
			from.failed = true;
	if (from.failed)
		certdir_error_set(error, "it is damaged");
	return !from.failed;
}

/* ---- the file ---- */

static bool write_file(int fd, const char *name, const struct certdir_bytes *bytes, struct certdir_error *error)
{
	if (!certdir_file_write_at(fd, bytes->bytes, bytes->length, 0, name, error) ||
	    !certdir_list_seal_append(fd, 0, NULL, name, error))
		return false;
	if (fsync(fd) == 0)
		return true;
	certdir_error_set(error, "%s cannot be written: %s", name, strerror(errno));
	return false;
}

/* That a name may not survive a power cut costs one edition of what is written each minute. */
static void sync_folder(const char *filename)
{
	char *folder = certdir_file_directory(filename);

	(void)(folder && certdir_file_sync_directory(folder));
	free(folder);
}

bool certdir_memory_save(const char *filename, const struct certdir_bytes *bytes, struct certdir_error *error)
{
	char *temporary = NULL;
	bool ok = false;
	int fd = -1;

	if (asprintf(&temporary, "%s.new", filename) < 0) {
		certdir_error_set(error, "%s cannot be written: out of memory", filename);
		return false;
	}
	/* What a server that was killed has left. */
	(void)unlink(temporary);
	fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0) {
		certdir_error_set(error,
				  "%s cannot be made: %s: its directory has to be one that the user whom radiusd runs "
				  "as can write",
				  temporary, strerror(errno));
		goto out;
	}
	ok = write_file(fd, temporary, bytes, error);
	if (ok && rename(temporary, filename) != 0) {
		certdir_error_set(error, "%s cannot be renamed to %s: %s", temporary, filename, strerror(errno));
		ok = false;
	}
	if (!ok)
		(void)unlink(temporary);
	else
		sync_folder(filename);
out:
	if (fd >= 0)
		(void)close(fd);
	free(temporary);
	return ok;
}

/* The whole file, the caller's to free. */
static unsigned char *read_file(const char *filename, size_t *size, struct certdir_error *error)
{
	const int fd = open(filename, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	unsigned char *bytes = NULL;
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0)
		certdir_error_set(error, "%s", errno == ENOENT ? "" : strerror(errno));
	else if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size > FILE_MAX)
		certdir_error_set(error, "it is no file, or too large for what it should be");
	else if (!(bytes = (unsigned char *)certdir_file_load(fd, FILE_MAX, size)))
		certdir_error_set(error, "%s", errno == ENOMEM ? "out of memory" : strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return bytes;
}

bool certdir_memory_load(const char *filename, struct certdir_store *store, const char *origin,
			 struct certdir_error *error)
{
	size_t size = 0, sealed;
	unsigned char *bytes = read_file(filename, &size, error);
	bool ok = false;

	if (!bytes)
		return false;
	if (certdir_list_seal_check(bytes, size, &sealed) != CERTDIR_SEAL_TRUE)
		certdir_error_set(error, "it is damaged: it does not match its seal");
	else
		ok = certdir_memory_unpack(store, bytes, sealed, origin, error);
	free(bytes);
	return ok;
}
