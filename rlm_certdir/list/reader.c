/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/reader.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * What a person may ask of all devices, such as to sort and to compare them, in lookups of the longest kind: a hundred thousand
 * instructions for each device, which is more than anything here takes.
 */
enum { ALL_LOOKUPS = 400 };

/*
 * It is in proportion to the list. The longest honest lookup goes through all devices, since all have the name that is looked for and
 * none is of the tenant: 56 instructions each, or one for every seven bytes of the list (test_hostile_list.c). Ten million take a tenth
 * of a second.
 */
int64_t certdir_list_reader_steps(const struct certdir_list_image *image)
{
	return 1000 + (int64_t)(image->size / 2000);
}

void certdir_list_reader_allow(struct certdir_list_reader *reader)
{
	reader->steps.thousands = ALL_LOOKUPS * certdir_list_reader_steps(reader->image);
}

struct certdir_list_steps certdir_list_reader_begin(struct certdir_list_reader *reader)
{
	const struct certdir_list_steps outside = reader->steps;

	reader->steps.thousands = certdir_list_reader_steps(reader->image);
	return outside;
}

bool certdir_list_reader_fail(struct certdir_list_reader *reader, struct certdir_error *error)
{
	if (reader->steps.thousands == 0)
		certdir_error_set(error,
				  "%s: reading it does not end: the list is damaged, or was made to harm: publish it "
				  "again",
				  reader->image->filename);
	else
		certdir_error_set(error, "%s: reading failed: %s", reader->image->filename,
				  sqlite3_errmsg(reader->sql.db));
	return false;
}

bool certdir_list_reader_no_memory(const struct certdir_list_reader *reader, struct certdir_error *error)
{
	certdir_error_set(error, "%s: out of memory", reader->image->filename);
	return false;
}

/*
 * With mmap_size set SQLite takes pages by xFetch, which is a pointer into the image: no page is copied, and this maps nothing. One
 * read transaction lasts as long as the connection, since the image never changes: beginning one costs as much as a lookup.
 */
static bool attach_image(struct certdir_list_reader *reader)
{
	struct certdir_list_image *image = (struct certdir_list_image *)reader->image; /* which nothing writes to */
	char pragmas[200];

	if (!certdir_list_database_pages(&certdir_list_image_pages, image, "list", false, &reader->sql.db))
		return false;
	certdir_list_database_bound(reader->sql.db, &reader->steps);
	(void)snprintf(pragmas, sizeof(pragmas),
		       "PRAGMA mmap_size=%zu;PRAGMA cache_size=-256;PRAGMA temp_store=MEMORY;"
		       "PRAGMA query_only=1;BEGIN;SELECT 1 FROM sqlite_schema",
		       image->size);
	return sqlite3_exec(reader->sql.db, pragmas, NULL, NULL, NULL) == SQLITE_OK;
}

struct certdir_list_reader *certdir_list_reader_open(const struct certdir_list_image *image,
						     struct certdir_error *error)
{
	struct certdir_list_reader *reader = calloc(1, sizeof(*reader));

	if (!reader) {
		certdir_error_set(error, "%s: out of memory", image->filename);
		return NULL;
	}
	reader->image = image;
	reader->steps.thousands = certdir_list_reader_steps(image);
	if (attach_image(reader))
		return reader;
	(void)certdir_list_reader_fail(reader, error);
	certdir_list_reader_close(reader);
	return NULL;
}

void certdir_list_reader_close(struct certdir_list_reader *reader)
{
	certdir_sql_close(&reader->sql);
	free(reader);
}
