/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One edition of the list, verified, in memory. */
#include "list/snapshot.h"

#include "list/schema.h"
#include "list/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SQLITE_HEADER = 100, USER_VERSION_AT = 60, APPLICATION_ID_AT = 68 };

static uint32_t big_endian(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void describe_open_failure(const char *filename, int code, struct certdir_error *error)
{
	if (code == ENOENT || code == ENOTDIR)
		certdir_error_set(error,
				  "%s does not exist: create it with `certdir list import`, or copy it from "
				  "another server",
				  filename);
	else if (code == EACCES || code == EPERM)
		certdir_error_set(error,
				  "%s cannot be read: permission denied for user id %u; it needs read permission",
				  filename, (unsigned)geteuid());
	else
		certdir_error_set(error, "%s cannot be opened: %s", filename, strerror(code));
}

/* Fills `buffer` from `fd`. A file that is shorter or longer than it was a moment ago is being written. */
static bool read_fully(int fd, const char *filename, unsigned char *buffer, size_t size, struct certdir_error *error)
{
	size_t done = 0;
	unsigned char more;
	ssize_t got;

	while (done < size) {
		got = read(fd, buffer + done, size - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			certdir_error_set(error, "%s cannot be read: %s", filename, strerror(errno));
			return false;
		}
		if (got == 0)
			break;
		done += (size_t)got;
	}
	do
		got = read(fd, &more, 1);
	while (got < 0 && errno == EINTR);
	if (done < size || got != 0) {
		certdir_error_set(error,
				  "%s changes while it is read: something writes into it instead of renaming over it",
				  filename);
		return false;
	}
	return true;
}

/* NONBLOCK: opening a FIFO must not wait for a writer. The buffer is the caller's to free. */
static unsigned char *read_file(const char *filename, size_t *size, struct certdir_error *error)
{
	int fd = open(filename, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	unsigned char *buffer = NULL;
	struct stat status;
	bool ok = false;

	if (fd < 0) {
		describe_open_failure(filename, errno, error);
		return NULL;
	}
	if (fstat(fd, &status) != 0) {
		certdir_error_set(error, "%s cannot be read: %s", filename, strerror(errno));
		goto out;
	}
	if (!S_ISREG(status.st_mode)) {
		certdir_error_set(error, "%s is not a file but a %s: give the name of a device list", filename,
				  S_ISDIR(status.st_mode) ? "directory" : "pipe, socket or device");
		goto out;
	}
	if (status.st_size == 0) {
		certdir_error_set(error, "%s is empty: publish it again with `certdir list import`", filename);
		goto out;
	}
	*size = (size_t)status.st_size;
	buffer = malloc(*size);
	if (!buffer) {
		certdir_error_set(error, "%s: no memory for its %zu bytes", filename, *size);
		goto out;
	}
	ok = read_fully(fd, filename, buffer, *size, error);
out:
	(void)close(fd);
	if (!ok) {
		free(buffer);
		buffer = NULL;
	}
	return buffer;
}

/* Says what a file without a true seal is, as far as its first bytes tell. */
static void describe_unsealed(const char *filename, const unsigned char *file, size_t size, struct certdir_error *error)
{
	if (size < SQLITE_HEADER || memcmp(file, "SQLite format 3", 16) != 0)
		certdir_error_set(error, "%s is not a device list%s", filename,
				  size < SQLITE_HEADER ? ", or only the first bytes of one" : "");
	else if (big_endian(file + APPLICATION_ID_AT) != CERTDIR_LIST_APPLICATION_ID)
		certdir_error_set(error, "%s is a SQLite database of another application, not a device list", filename);
	else
		certdir_error_set(
			error,
			"%s is not sealed: it is cut short, still being copied, or written by something other than "
			"certdir; publish it again with `certdir list import`, and copy a list to a "
			"temporary name first, then rename it",
			filename);
}

static bool verify_file(const char *filename, const unsigned char *file, size_t size, size_t *image,
			struct certdir_error *error)
{
	uint32_t version;

	switch (certdir_list_seal_check(file, size, image)) {
	case CERTDIR_SEAL_TRUE:
		break;
	case CERTDIR_SEAL_ABSENT:
		describe_unsealed(filename, file, size, error);
		return false;
	case CERTDIR_SEAL_BROKEN:
		certdir_error_set(
			error,
			"%s does not match its seal: it was changed or is half written; publish it again with "
			"`certdir list import`, or copy it again",
			filename);
		return false;
	}
	if (*image < SQLITE_HEADER || memcmp(file, "SQLite format 3", 16) != 0 ||
	    big_endian(file + APPLICATION_ID_AT) != CERTDIR_LIST_APPLICATION_ID) {
		describe_unsealed(filename, file, *image < SQLITE_HEADER ? 0 : *image, error);
		return false;
	}
	version = big_endian(file + USER_VERSION_AT);
	if (version != CERTDIR_LIST_SCHEMA_VERSION) {
		certdir_error_set(error, "%s has schema version %u, this certdir reads version %u: %s", filename,
				  version, CERTDIR_LIST_SCHEMA_VERSION,
				  version > CERTDIR_LIST_SCHEMA_VERSION ? "update certdir here"
									: "publish it again with this certdir");
		return false;
	}
	return true;
}

/* "sid common_name" -> bits, with the types that are looked up among the same ids. Words of a later certdir are skipped. */
static uint32_t parse_holds(const char *text)
{
	uint32_t holds = 0;

	while (text && *text) {
		char word[32];
		size_t length = strcspn(text, " ");
		enum certdir_identity_type type;

		if (length < sizeof(word)) {
			memcpy(word, text, length);
			word[length] = '\0';
			if (certdir_identity_type_parse(word, &type))
				holds |= CERTDIR_BIT(type);
		}
		text += length + (text[length] == ' ');
	}
	if (holds & (CERTDIR_BIT(CERTDIR_ID_ENTRA) | CERTDIR_BIT(CERTDIR_ID_INTUNE)))
		holds |= CERTDIR_BIT(CERTDIR_ID_GUID);
	if (holds & CERTDIR_BIT(CERTDIR_ID_SID))
		holds |= CERTDIR_BIT(CERTDIR_ID_SID_URI);
	if (holds & CERTDIR_BIT(CERTDIR_ID_NAME))
		holds |= CERTDIR_BIT(CERTDIR_ID_DNS); /* a DNS name's first label is looked up among names */
	return holds;
}

static bool add_source(struct certdir_list_snapshot *snapshot, sqlite3_stmt *row)
{
	const char *name = (const char *)sqlite3_column_text(row, 1);
	const char *tenant = (const char *)sqlite3_column_text(row, 2);
	struct certdir_list_source *sources =
		realloc(snapshot->sources, (snapshot->source_count + 1) * sizeof(*snapshot->sources));
	struct certdir_list_source *source;

	if (!sources)
		return false;
	snapshot->sources = sources;
	source = &sources[snapshot->source_count++];
	*source = (struct certdir_list_source){
		.id = sqlite3_column_int64(row, 0),
		.name = strdup(name ? name : ""),
		.tenant = tenant ? strdup(tenant) : NULL,
		.synced = sqlite3_column_int64(row, 3),
		.devices = (size_t)sqlite3_column_int64(row, 4),
		.holds = parse_holds((const char *)sqlite3_column_text(row, 5)),
	};
	snapshot->devices += source->devices;
	snapshot->holds |= source->holds;
	return source->name && (source->tenant || !tenant);
}

/* What the writer noted at publishing, so that loading does not scan a million devices. */
static bool read_sources(struct certdir_list_snapshot *snapshot, sqlite3 *db, struct certdir_error *error)
{
	sqlite3_stmt *stmt = NULL;
	bool ok = false;
	int rc;

	if (sqlite3_prepare_v2(db, "SELECT id,name,tenant,synced,devices,identities FROM source ORDER BY id", -1, &stmt,
			       NULL) != SQLITE_OK)
		goto out;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		if (!add_source(snapshot, stmt)) {
			certdir_error_set(error, "%s: out of memory", snapshot->filename);
			sqlite3_finalize(stmt);
			return false;
		}
	if (rc != SQLITE_DONE)
		goto out;
	sqlite3_finalize(stmt);
	stmt = NULL;
	if (sqlite3_prepare_v2(db, "SELECT value,EXISTS(SELECT 1 FROM former_name) FROM meta WHERE key='published'", -1,
			       &stmt, NULL) != SQLITE_OK)
		goto out;
	if (sqlite3_step(stmt) == SQLITE_ROW) {
		snapshot->published = sqlite3_column_int64(stmt, 0);
		snapshot->has_former_names = sqlite3_column_int(stmt, 1);
	}
	ok = true;
out:
	if (!ok)
		certdir_error_set(error, "%s: its tables cannot be read: %s", snapshot->filename, sqlite3_errmsg(db));
	sqlite3_finalize(stmt);
	return ok;
}

struct certdir_list_snapshot *certdir_list_load(const char *filename, struct certdir_error *error)
{
	struct certdir_list_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct certdir_list_reader *reader = NULL;
	size_t size;

	if (!snapshot) {
		certdir_error_set(error, "%s: out of memory", filename);
		return NULL;
	}
	atomic_init(&snapshot->references, 1);
	(void)pthread_mutex_init(&snapshot->mutex, NULL);
	snapshot->filename = strdup(filename);
	if (!snapshot->filename) {
		certdir_error_set(error, "%s: out of memory", filename);
		goto out;
	}
	snapshot->file = read_file(filename, &size, error);
	if (!snapshot->file || !verify_file(filename, snapshot->file, size, &snapshot->image, error))
		goto out;
	reader = certdir_list_reader_open(snapshot, error);
	if (!reader || !read_sources(snapshot, reader->db, error))
		goto out;
	snapshot->idle = reader;
	return snapshot;
out:
	if (reader)
		certdir_list_reader_close(reader);
	certdir_list_release(snapshot);
	return NULL;
}

struct certdir_list_snapshot *certdir_list_retain(struct certdir_list_snapshot *snapshot)
{
	atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
	return snapshot;
}

void certdir_list_release(struct certdir_list_snapshot *snapshot)
{
	if (!snapshot || atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) != 1)
		return;
	while (snapshot->idle) {
		struct certdir_list_reader *reader = snapshot->idle;

		snapshot->idle = reader->next;
		certdir_list_reader_close(reader);
	}
	for (size_t i = 0; i < snapshot->source_count; i++) {
		free((char *)snapshot->sources[i].name);
		free((char *)snapshot->sources[i].tenant);
	}
	free(snapshot->sources);
	free(snapshot->file);
	free(snapshot->filename);
	(void)pthread_mutex_destroy(&snapshot->mutex);
	free(snapshot);
}

uint32_t certdir_list_holds(const struct certdir_list_snapshot *snapshot)
{
	return snapshot->holds;
}

size_t certdir_list_device_count(const struct certdir_list_snapshot *snapshot)
{
	return snapshot->devices;
}

int64_t certdir_list_published(const struct certdir_list_snapshot *snapshot)
{
	return snapshot->published;
}

const struct certdir_list_source *certdir_list_sources(const struct certdir_list_snapshot *snapshot, size_t *count)
{
	*count = snapshot->source_count;
	return snapshot->sources;
}
