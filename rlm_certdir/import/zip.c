/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <strings.h>

#include "text/excerpt.h"

enum {
	PIECE = 64 << 10,
	NAME_MAX_LENGTH = 255,
	/* Certificates are packed to a quarter, as half of a row is a digest; what is packed a hundred times smaller is a bomb. */
	RATIO_MAX = 100
};

/* Bytes of the file in it; a million certificates are half a gigabyte. */
#define UNPACKED_MAX (UINT64_C(8) << 30)

struct zip {
	const struct certdir_zip_source *source;
	struct archive *archive;
	uint64_t at; /* in the source */
	struct certdir_error *error;
	bool failed; /* the source did, and `error` says how */
	char piece[PIECE];
};

bool certdir_zip_is(const char *bytes, size_t length)
{
	return length >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
}

bool certdir_zip_memory_read(void *context, uint64_t at, char *bytes, size_t size, size_t *got,
			     struct certdir_error *error)
{
	const struct certdir_zip_memory *memory = context;
	const size_t left = memory->length - (size_t)at;

	(void)error;
	*got = size < left ? size : left;
	memcpy(bytes, memory->bytes + at, *got);
	return true;
}

/* ---- libarchive asks ---- */

static la_ssize_t give(struct archive *archive, void *context, const void **bytes)
{
	struct zip *zip = context;
	const uint64_t left = zip->source->size - zip->at;
	size_t got = 0;

	(void)archive;
	*bytes = zip->piece;
	if (left == 0)
		return 0;
	if (!zip->source->read(zip->source->context, zip->at, zip->piece, left < PIECE ? (size_t)left : PIECE, &got,
			       zip->error)) {
		zip->failed = true;
		return ARCHIVE_FATAL;
	}
	zip->at += got;
	return (la_ssize_t)got;
}

static la_int64_t seek(struct archive *archive, void *context, la_int64_t offset, int whence)
{
	struct zip *zip = context;
	const la_int64_t from = whence == SEEK_SET   ? 0
				: whence == SEEK_CUR ? (la_int64_t)zip->at
						     : (la_int64_t)zip->source->size;

	(void)archive;
	if (offset < -from || offset > (la_int64_t)zip->source->size - from)
		return ARCHIVE_FATAL;
	zip->at = (uint64_t)(from + offset);
	return from + offset;
}

static bool open_zip(struct zip *zip)
{
	struct archive *archive = zip->archive = archive_read_new();

	/* The seeking reader alone: it believes the directory at the end, which a zip that was cut does not have. */
	return archive && archive_read_support_format_zip_seekable(archive) == ARCHIVE_OK &&
	       archive_read_set_seek_callback(archive, seek) == ARCHIVE_OK &&
	       archive_read_open(archive, zip, NULL, give, NULL) == ARCHIVE_OK;
}

/* ---- what is in it ---- */

/* Always false: what libarchive says, unless it was the source that failed. */
static bool fail(const struct zip *zip, const char *what)
{
	const char *why = zip->archive ? archive_error_string(zip->archive) : "out of memory";
	char shown[160];

	if (!zip->failed)
		certdir_error_set(zip->error, "%s: %s", what,
				  why ? certdir_excerpt(shown, sizeof(shown), why, strlen(why)) : "it is damaged");
	return false;
}

static bool check_entry(const struct zip *zip, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	const size_t length = name ? strlen(name) : 0;
	char shown[80];

	if (length < 4 || length > NAME_MAX_LENGTH || strpbrk(name, "/\\") ||
	    strcasecmp(name + length - 4, ".csv") != 0)
		certdir_error_set(zip->error, "the zip has an entry \"%s\" where one file NAME.csv belongs",
				  certdir_excerpt(shown, sizeof(shown), name ? name : "", length));
	else if (archive_entry_filetype(entry) != AE_IFREG)
		certdir_error_set(zip->error, "the entry of the zip is no file");
	else if (archive_entry_is_encrypted(entry))
		certdir_error_set(zip->error, "the zip is encrypted: unpack it and hand in the CSV");
	else
		return true;
	return false;
}

/* Hands on the bytes of the entry; its CRC is compared at the end. */
static bool unpack(struct zip *zip, certdir_zip_take take, void *context)
{
	const uint64_t most =
		zip->source->size < UNPACKED_MAX / RATIO_MAX ? zip->source->size * RATIO_MAX : UNPACKED_MAX;
	uint64_t unpacked = 0;
	const void *bytes;
	la_int64_t offset;
	size_t length;
	int status;

	while ((status = archive_read_data_block(zip->archive, &bytes, &length, &offset)) == ARCHIVE_OK) {
		unpacked += length;
		if (unpacked > most) {
			certdir_error_set(zip->error,
					  "the zip unpacks to more than %d times its size, or more than %d GiB: no "
					  "report does",
					  RATIO_MAX, (int)(UNPACKED_MAX >> 30));
			return false;
		}
		if (!take(context, bytes, length, zip->error))
			return false;
	}
	return status == ARCHIVE_EOF || fail(zip, "the zip cannot be unpacked");
}

static bool read_all(struct zip *zip, certdir_zip_take take, void *context)
{
	struct archive_entry *entry;
	int status;

	if (!open_zip(zip))
		return fail(zip, "this is no zip, or one that was cut");
	status = archive_read_next_header(zip->archive, &entry);
	if (status == ARCHIVE_EOF)
		certdir_error_set(zip->error, "the zip is empty");
	if (status == ARCHIVE_EOF)
		return false;
	if (status != ARCHIVE_OK)
		return fail(zip, "this is no zip, or one that was cut");
	if (!check_entry(zip, entry) || !unpack(zip, take, context))
		return false;
	status = archive_read_next_header(zip->archive, &entry);
	if (status == ARCHIVE_OK)
		certdir_error_set(zip->error, "the zip has several entries where one file belongs");
	else if (status != ARCHIVE_EOF)
		return fail(zip, "the zip cannot be read to its end");
	return status == ARCHIVE_EOF;
}

bool certdir_zip_read(const struct certdir_zip_source *source, certdir_zip_take take, void *context,
		      struct certdir_error *error)
{
	struct zip zip = {.source = source, .error = error};
	const bool ok = read_all(&zip, take, context);

	(void)archive_read_free(zip.archive);
	return ok;
}
