/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/permissions.h"
#include "list/reader.h"

/* What there is in the list at all. */
static bool read_contents(struct certdir_list_snapshot *snapshot, struct certdir_list_reader *reader,
			  struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&reader->sql,
					     "SELECT (SELECT value FROM meta WHERE key='published'),"
					     "EXISTS(SELECT 1 FROM intune_waiting),EXISTS(SELECT 1 FROM former_name),"
					     "EXISTS(SELECT 1 FROM dns_name),EXISTS(SELECT 1 FROM device_group),"
					     "EXISTS(SELECT 1 FROM value),EXISTS(SELECT 1 FROM certificate)",
					     SQL_NOTHING);

	if (certdir_sql_next(stmt) != 1) {
		certdir_error_set(error, "%s: its tables cannot be read: %s", snapshot->image.filename,
				  sqlite3_errmsg(reader->sql.db));
		return false;
	}
	snapshot->published = sqlite3_column_int64(stmt, 0);
	snapshot->has_waiting = sqlite3_column_int(stmt, 1);
	snapshot->has_former_names = sqlite3_column_int(stmt, 2);
	snapshot->has_dns_names = sqlite3_column_int(stmt, 3);
	snapshot->has_groups = sqlite3_column_int(stmt, 4);
	snapshot->has_values = sqlite3_column_int(stmt, 5);
	snapshot->has_certificates = sqlite3_column_int(stmt, 6);
	(void)sqlite3_reset(stmt);
	return true;
}

/* Its tables are compared before anything is asked of them, and once: other readers are of the same image. */
static bool read_snapshot(struct certdir_list_snapshot *snapshot, struct certdir_error *error)
{
	struct certdir_list_reader *reader = certdir_list_reader_open(&snapshot->image, error);

	if (!reader)
		return false;
	reader->snapshot = snapshot;
	snapshot->idle = reader;
	return certdir_list_database_is_ours(reader->sql.db, "main", snapshot->image.filename, error) &&
	       certdir_list_sources_read(&snapshot->sources, reader, error) && read_contents(snapshot, reader, error);
}

/* All is as certdir_list_image_load() has it. */
static struct certdir_list_snapshot *load(const char *filename, const struct certdir_list_changes_from *from,
					  const struct certdir_list_snapshot *present,
					  enum certdir_image_damage *damage, struct certdir_error *error)
{
	struct certdir_list_snapshot *snapshot = calloc(1, sizeof(*snapshot));

	*damage = CERTDIR_IMAGE_SOUND;
	if (!snapshot) {
		certdir_error_set(error, "%s: out of memory", filename);
		return NULL;
	}
	atomic_init(&snapshot->references, 1);
	(void)pthread_mutex_init(&snapshot->mutex, NULL);
	if (certdir_list_image_load(&snapshot->image, filename, from, present ? &present->image : NULL, damage,
				    error) &&
	    read_snapshot(snapshot, error))
		return snapshot;
	certdir_list_release(snapshot);
	return NULL;
}

/* Beside the list itself, where a symbolic link leads to it. */
static char *name_beside(const char *filename, const char *suffix)
{
	char *real = realpath(filename, NULL), *name = certdir_print("%s%s", real ? real : filename, suffix);

	free(real);
	return name;
}

char *certdir_list_changes_name(const char *filename)
{
	return name_beside(filename, ".changes");
}

bool certdir_list_permissions_check(const char *filename, struct certdir_error *finding)
{
	char *changes = certdir_list_changes_name(filename);
	const bool ok = certdir_permissions_check(filename, finding) &&
			(!changes || certdir_permissions_check(changes, finding));

	free(changes);
	return ok;
}

void certdir_list_permissions_warn(const char *filename)
{
	struct certdir_error finding;

	if (!certdir_list_permissions_check(filename, &finding))
		certdir_log(CERTDIR_LOG_WARN, "%s", finding.text);
}

bool certdir_list_is_older(const struct certdir_list_snapshot *snapshot, const struct certdir_list_snapshot *other)
{
	return snapshot->image.made < other->image.made;
}

struct certdir_list_snapshot *certdir_list_reload(const char *filename, const struct certdir_list_keys *keys,
						  const struct certdir_list_snapshot *present,
						  struct certdir_error *error)
{
	char *changes = certdir_list_changes_name(filename);
	struct certdir_list_snapshot *snapshot = NULL;
	enum certdir_image_damage damage;

	if (!changes)
		certdir_error_set(error, "%s: out of memory", filename);
	else
		snapshot = load(filename, &(struct certdir_list_changes_from){.filename = changes, .keys = keys},
				present, &damage, error);
	free(changes);
	return snapshot;
}

struct certdir_list_snapshot *certdir_list_load(const char *filename, struct certdir_error *error)
{
	return certdir_list_reload(filename, NULL, NULL, error);
}

static struct certdir_list_snapshot *load_list_before(const char *filename, const struct certdir_list_keys *keys)
{
	char *last = name_beside(filename, ".last");
	struct certdir_error why;
	struct certdir_list_snapshot *snapshot = last ? certdir_list_reload(last, keys, NULL, &why) : NULL;

	free(last);
	return snapshot;
}

/* The changes of editions before: older than they were, and newer than any other list. */
static struct certdir_list_snapshot *load_sound_part(const char *filename, const struct certdir_list_keys *keys,
						     const char *changes)
{
	const struct certdir_list_changes_from from = {.filename = changes, .keys = keys, .sound_part = true};
	enum certdir_image_damage damage;
	struct certdir_error why;

	return load(filename, &from, NULL, &damage, &why);
}

struct certdir_list_snapshot *certdir_list_load_last(const char *filename, const struct certdir_list_keys *keys,
						     struct certdir_error *damage, struct certdir_error *error)
{
	char *changes = certdir_list_changes_name(filename);
	enum certdir_image_damage which = CERTDIR_IMAGE_SOUND;
	struct certdir_list_snapshot *snapshot = NULL;

	damage->text[0] = '\0';
	if (!changes)
		certdir_error_set(error, "%s: out of memory", filename);
	else
		snapshot = load(filename, &(struct certdir_list_changes_from){.filename = changes, .keys = keys}, NULL,
				&which, error);
	if (!snapshot && which != CERTDIR_IMAGE_SOUND) {
		snapshot = which == CERTDIR_CHANGES_UNFIT ? load_sound_part(filename, keys, changes)
							  : load_list_before(filename, keys);
		if (snapshot)
			*damage = *error;
	}
	free(changes);
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
	certdir_list_sources_clear(&snapshot->sources);
	certdir_list_image_clear(&snapshot->image);
	(void)pthread_mutex_destroy(&snapshot->mutex);
	free(snapshot);
}

/* ---- readers ---- */

/* A reader in use retains its snapshot; an idle one does not, or the snapshot would hold itself for ever. */
struct certdir_list_reader *certdir_list_reader_get(struct certdir_list_snapshot *snapshot, struct certdir_error *error)
{
	struct certdir_list_reader *reader;

	(void)pthread_mutex_lock(&snapshot->mutex);
	reader = snapshot->idle;
	if (reader)
		snapshot->idle = reader->next;
	(void)pthread_mutex_unlock(&snapshot->mutex);
	if (!reader)
		reader = certdir_list_reader_open(&snapshot->image, error);
	if (!reader)
		return NULL;
	reader->snapshot = certdir_list_retain(snapshot);
	certdir_list_reader_allow(reader);
	return reader;
}

void certdir_list_reader_put(struct certdir_list_reader *reader)
{
	struct certdir_list_snapshot *snapshot;

	if (!reader)
		return;
	snapshot = reader->snapshot;
	(void)pthread_mutex_lock(&snapshot->mutex);
	reader->next = snapshot->idle;
	snapshot->idle = reader;
	(void)pthread_mutex_unlock(&snapshot->mutex);
	certdir_list_release(snapshot);
}

/* ---- what it says of itself ---- */

const char *certdir_list_files(const struct certdir_list_snapshot *snapshot)
{
	return snapshot->image.files ? snapshot->image.files : snapshot->image.filename;
}

bool certdir_list_laid(const struct certdir_list_snapshot *snapshot, struct certdir_list_laid *laid)
{
	const struct certdir_list_changes *changes = &snapshot->image.changes;

	*laid = (struct certdir_list_laid){.pages = changes->count,
					   .bytes = changes->size,
					   .behind = changes->behind,
					   .made = changes->made / 1000000};
	return changes->batch_count > 0;
}

size_t certdir_list_device_count(const struct certdir_list_snapshot *snapshot)
{
	return snapshot->sources.devices;
}

int64_t certdir_list_published(const struct certdir_list_snapshot *snapshot)
{
	return snapshot->published;
}

const struct certdir_list_source *certdir_list_sources(const struct certdir_list_snapshot *snapshot, size_t *count)
{
	*count = snapshot->sources.count;
	return snapshot->sources.items;
}
