/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One edition of the list, verified, in memory. */
#include "list/snapshot.h"

#include "list/file.h"
#include "base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fills `buffer` from `fd`. A file that is shorter or longer than it was a moment ago is being written. */
static bool read_fully(int fd, const char *filename, unsigned char *buffer, size_t size, struct certdir_error *error)
{
	unsigned char more;

	if (certdir_file_read_at(fd, buffer, size, 0) == (ssize_t)size && certdir_file_read_at(fd, &more, 1, size) == 0)
		return true;
	if (errno)
		certdir_error_set(error, "%s cannot be read: %s", filename, strerror(errno));
	else
		certdir_error_set(error,
				  "%s changes while it is read: something writes into it instead of renaming over it",
				  filename);
	return false;
}

static bool is_empty(const char *filename)
{
	struct stat status;

	return stat(filename, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0;
}

/*
 * The whole file, the caller's to free. Nothing is allocated for one that does not look like a list of that size. *damaged: it is
 * there and may be read, and is not what a publisher wrote.
 */
static unsigned char *read_file(const char *filename, size_t *size, bool *damaged, struct certdir_error *error)
{
	unsigned char *buffer = NULL, header[CERTDIR_LIST_HEADER];
	int fd = certdir_list_file_open(filename, size, error);
	struct certdir_list_seal seal;

	*damaged = fd < 0 && is_empty(filename);
	if (fd < 0)
		return NULL;
	*damaged = !certdir_list_file_seal(fd, filename, *size, &seal, header, error);
	if (!*damaged) {
		certdir_list_seal_clear(&seal);
		buffer = malloc(*size);
		if (!buffer)
			certdir_error_set(error, "%s: no memory for its %zu bytes", filename, *size);
	}
	if (buffer && !read_fully(fd, filename, buffer, *size, error)) {
		*damaged = true;
		free(buffer);
		buffer = NULL;
	}
	(void)close(fd);
	return buffer;
}

static bool verify_file(const char *filename, const unsigned char *file, size_t size, size_t *image, bool *damaged,
			struct certdir_error *error)
{
	enum certdir_seal_state state = certdir_list_seal_check(file, size, image);

	*damaged = state != CERTDIR_SEAL_TRUE;
	return certdir_list_file_accept(filename, state, file, state == CERTDIR_SEAL_TRUE ? *image : size, error);
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
	if (holds & (CERTDIR_BIT(CERTDIR_ID_ENTRA) | CERTDIR_BIT(CERTDIR_ID_INTUNE) | CERTDIR_BIT(CERTDIR_ID_UDID)))
		holds |= CERTDIR_BIT(CERTDIR_ID_GUID);
	if (holds & CERTDIR_BIT(CERTDIR_ID_SID))
		holds |= CERTDIR_BIT(CERTDIR_ID_SID_URI);
	if (holds & CERTDIR_BIT(CERTDIR_ID_NAME))
		holds |= CERTDIR_BIT(CERTDIR_ID_DNS); /* a DNS name's first label is looked up among names */
	return holds;
}

static enum certdir_source_kind parse_kind(const char *text)
{
	if (text && strcmp(text, "tenant") == 0)
		return CERTDIR_SOURCE_TENANT;
	return text && strcmp(text, "ldap") == 0 ? CERTDIR_SOURCE_LDAP : CERTDIR_SOURCE_IMPORT;
}

static bool add_source(struct certdir_list_snapshot *snapshot, sqlite3_stmt *row)
{
	const char *name = (const char *)sqlite3_column_text(row, 1);
	const char *tenant = (const char *)sqlite3_column_text(row, 2);
	struct certdir_list_source *sources =
		realloc(snapshot->sources, (snapshot->source_count + 1) * sizeof(*snapshot->sources));
	const char *domain = (const char *)sqlite3_column_text(row, 14);
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
		.kind = parse_kind((const char *)sqlite3_column_text(row, 6)),
		.intune_synced = sqlite3_column_int64(row, 7),
		.groups_synced = sqlite3_column_int64(row, 8),
		.delta_since = sqlite3_column_int64(row, 9),
		.intune_interval = sqlite3_column_int64(row, 10),
		.says_enabled = sqlite3_column_int(row, 11),
		.good_for = sqlite3_column_int64(row, 12),
		.interval = sqlite3_column_int64(row, 13),
		.domain = domain ? strdup(domain) : NULL,
	};
	snapshot->devices += source->devices;
	return source->name && (source->tenant || !tenant) && (source->domain || !domain);
}

/* What the writer noted at publishing, so that loading does not scan a million devices. */
static bool read_sources(struct certdir_list_snapshot *snapshot, sqlite3 *db, struct certdir_error *error)
{
	sqlite3_stmt *stmt = NULL;
	bool ok = false;
	int rc;

	if (sqlite3_prepare_v2(
		    db,
		    "SELECT id,name,tenant,synced,devices,identities,kind,intune_synced,groups_synced,"
		    "delta_since,intune_interval,says_enabled,good_for,interval,domain FROM source ORDER BY id",
		    -1, &stmt, NULL) != SQLITE_OK)
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
	if (sqlite3_prepare_v2(db,
			       "SELECT (SELECT value FROM meta WHERE key='published'),"
			       "EXISTS(SELECT 1 FROM intune_waiting),EXISTS(SELECT 1 FROM former_name),"
			       "EXISTS(SELECT 1 FROM dns_name),EXISTS(SELECT 1 FROM device_group),"
			       "EXISTS(SELECT 1 FROM value)",
			       -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		goto out;
	snapshot->published = sqlite3_column_int64(stmt, 0);
	snapshot->has_waiting = sqlite3_column_int(stmt, 1);
	snapshot->has_former_names = sqlite3_column_int(stmt, 2);
	snapshot->has_dns_names = sqlite3_column_int(stmt, 3);
	snapshot->has_groups = sqlite3_column_int(stmt, 4);
	snapshot->has_values = sqlite3_column_int(stmt, 5);
	ok = true;
out:
	if (!ok)
		certdir_error_set(error, "%s: its tables cannot be read: %s", snapshot->filename, sqlite3_errmsg(db));
	sqlite3_finalize(stmt);
	return ok;
}

/*
 * How many thousands of SQLite's instructions a lookup may take, which is in proportion to the list. The longest honest one goes
 * through all devices, since all have the name that is looked for and none is of the tenant: 56 instructions each, or one for every
 * seven bytes of the list (test_hostile_list.c). Ten million take a tenth of a second.
 */
static int64_t steps_of(size_t image)
{
	return 1000 + (int64_t)(image / 2000);
}

static struct certdir_list_snapshot *load(const char *filename, bool *damaged, struct certdir_error *error)
{
	struct certdir_list_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct certdir_list_reader *reader = NULL;
	size_t size;

	*damaged = false;
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
	snapshot->file = read_file(filename, &size, damaged, error);
	if (!snapshot->file || !verify_file(filename, snapshot->file, size, &snapshot->image, damaged, error))
		goto out;
	snapshot->steps = steps_of(snapshot->image);
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

struct certdir_list_snapshot *certdir_list_load(const char *filename, struct certdir_error *error)
{
	bool damaged;

	return load(filename, &damaged, error);
}

/* Beside the list itself, where a symbolic link leads to it. */
static char *name_of_last(const char *filename)
{
	char *real = realpath(filename, NULL), *last = NULL;

	if (real && asprintf(&last, "%s.last", real) < 0)
		last = NULL;
	free(real);
	return last;
}

struct certdir_list_snapshot *certdir_list_load_last(const char *filename, struct certdir_error *damage,
						     struct certdir_error *error)
{
	bool damaged;
	struct certdir_list_snapshot *snapshot = load(filename, &damaged, error);
	struct certdir_error why;
	char *last;

	damage->text[0] = '\0';
	if (snapshot || !damaged)
		return snapshot;
	last = name_of_last(filename);
	snapshot = last ? certdir_list_load(last, &why) : NULL;
	if (snapshot)
		*damage = *error;
	free(last);
	return snapshot;
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
		free((char *)snapshot->sources[i].domain);
	}
	free(snapshot->sources);
	free(snapshot->file);
	free(snapshot->filename);
	(void)pthread_mutex_destroy(&snapshot->mutex);
	free(snapshot);
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
