/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file: a line that says what it is, a line with the number of the process that has it, then records. A record is a header,
 * a body and a link; its digest is of all three, so that neither a torn write nor a block of zeros is taken for one. Numbers are in
 * this machine's order: the file is for nobody else.
 */
#include "sync/spool.h"

#include "base/array.h"
#include "base/file.h"
#include "base/permissions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char first_line[] = "certdir pages 1\n";

enum {
	LINE = 16, /* bytes of each of the first two lines */
	RECORDS_AT = 2 * LINE,
	DIGEST = 32,
	PIECE = 64 << 10,
	BODY_MAX = 64 << 20, /* no page is larger, see http.h */
	LINK_MAX = 256 << 10
};

enum kind { HEAD = 1, PAGE, FINISH };

struct record {
	uint32_t kind;
	uint32_t listing;
	int64_t time; /* HEAD: when it was begun */
	int64_t count;
	uint64_t objects;
	uint64_t length; /* of the body: a page, or what the HEAD says it is of */
	uint64_t link;
	unsigned char digest[DIGEST];
};

struct certdir_spool {
	char *filename; /* NULL: it has none */
	const char *name; /* for messages */
	int file;
	uint64_t end; /* of the last whole record */
	uint64_t next; /* behind what was written of the one that arrives */
	EVP_MD_CTX *digest; /* of that one's body */
	bool digesting; /* false when that could not be begun */
	char *of;
	int64_t began;
	bool finished;
	struct certdir_spool_page *pages;
	size_t count;
};

/* ---- bytes ---- */

static bool fail(const struct certdir_spool *spool, const char *what, struct certdir_error *error)
{
	certdir_error_set(error, "%s cannot be %s: %s", spool->name, what, strerror(errno));
	return false;
}

static bool no_memory(const struct certdir_spool *spool, struct certdir_error *error)
{
	certdir_error_set(error, "%s: out of memory", spool->name);
	return false;
}

/* Fewer bytes than asked for only at the end of the file. */
static bool read_some(const struct certdir_spool *spool, void *bytes, size_t size, uint64_t at, size_t *got,
		      struct certdir_error *error)
{
	const ssize_t done = certdir_file_read_at(spool->file, bytes, size, at);

	*got = done < 0 ? 0 : (size_t)done;
	return done >= 0 || fail(spool, "read", error);
}

static bool cut_at(struct certdir_spool *spool, uint64_t size, struct certdir_error *error)
{
	spool->end = spool->next = size;
	return ftruncate(spool->file, (off_t)size) == 0 || fail(spool, "written", error);
}

/* ---- digests ---- */

static bool digest_begin(struct certdir_spool *spool)
{
	if (!spool->digest)
		spool->digest = EVP_MD_CTX_new();
	return spool->digest && EVP_DigestInit_ex(spool->digest, EVP_sha256(), NULL) == 1;
}

static bool digest_add(struct certdir_spool *spool, const void *bytes, size_t length)
{
	return EVP_DigestUpdate(spool->digest, bytes, length) == 1;
}

/* The header is digested last, when its numbers are known. */
static bool digest_end(struct certdir_spool *spool, const struct record *record, unsigned char digest[DIGEST])
{
	return digest_add(spool, record, offsetof(struct record, digest)) &&
	       EVP_DigestFinal_ex(spool->digest, digest, NULL) == 1;
}

/* ---- records that are there ---- */

/* Digests `length` bytes from `at` on; *whole: all of them are there. */
static bool digest_file(struct certdir_spool *spool, uint64_t at, uint64_t length, bool *whole,
			struct certdir_error *error)
{
	char piece[PIECE];
	size_t got;

	for (*whole = true; length > 0 && *whole; length -= got, at += got) {
		const size_t size = length < PIECE ? (size_t)length : PIECE;

		if (!read_some(spool, piece, size, at, &got, error))
			return false;
		*whole = got == size && digest_add(spool, piece, got);
	}
	return true;
}

/* Reads the record at the end of what is known; *whole: there is one, and it is what its digest is of. */
static bool read_record(struct certdir_spool *spool, struct record *record, bool *whole, struct certdir_error *error)
{
	unsigned char digest[DIGEST];
	size_t got;

	*whole = false;
	if (!read_some(spool, record, sizeof(*record), spool->end, &got, error))
		return false;
	if (got < sizeof(*record) || record->length > BODY_MAX || record->link > LINK_MAX)
		return true;
	if (!digest_begin(spool))
		return no_memory(spool, error);
	if (!digest_file(spool, spool->end + sizeof(*record), record->length + record->link, whole, error))
		return false;
	*whole = *whole && digest_end(spool, record, digest) && memcmp(digest, record->digest, DIGEST) == 0;
	return true;
}

static bool take_head(struct certdir_spool *spool, const struct record *record, uint64_t at,
		      struct certdir_error *error)
{
	size_t got;

	spool->of = calloc(1, (size_t)record->length + 1);
	if (!spool->of)
		return no_memory(spool, error);
	spool->began = record->time;
	return read_some(spool, spool->of, (size_t)record->length, at, &got, error);
}

static bool add_page(struct certdir_spool *spool, const struct record *record, uint64_t at, struct certdir_error *error)
{
	struct certdir_spool_page *page = certdir_array_next(&spool->pages, spool->count, sizeof(*page));

	if (!page)
		return no_memory(spool, error);
	spool->count++;
	*page = (struct certdir_spool_page){.listing = record->listing,
					    .objects = (size_t)record->objects,
					    .count = record->count,
					    .at = at,
					    .length = (size_t)record->length,
					    .link = (size_t)record->link};
	return true;
}

/* Takes a whole record into memory. *fits: it stands where one of its kind may. */
static bool take_record(struct certdir_spool *spool, const struct record *record, bool *fits,
			struct certdir_error *error)
{
	const uint64_t at = spool->end + sizeof(*record);

	*fits = !spool->finished && (record->kind == HEAD) == !spool->of;
	if (!*fits)
		return true;
	spool->end = spool->next = at + record->length + record->link;
	spool->finished = record->kind == FINISH;
	if (record->kind == HEAD)
		return take_head(spool, record, at, error);
	return record->kind != PAGE || add_page(spool, record, at, error);
}

/* What stands behind the last whole record is cut off. */
static bool read_records(struct certdir_spool *spool, struct certdir_error *error)
{
	struct record record;
	bool whole = true;
	char line[LINE];
	size_t got;

	if (!read_some(spool, line, LINE, 0, &got, error))
		return false;
	spool->end = RECORDS_AT;
	while (whole && got == LINE && memcmp(line, first_line, LINE) == 0) {
		if (!read_record(spool, &record, &whole, error) ||
		    (whole && !take_record(spool, &record, &whole, error)))
			return false;
	}
	return cut_at(spool, spool->end, error);
}

/* ---- records that are written ---- */

/* Writes the header of the record whose body and link are in the file already, and so makes it one. */
static bool put_record(struct certdir_spool *spool, struct record *record, struct certdir_error *error)
{
	bool fits;

	if (!spool->digesting || !digest_end(spool, record, record->digest))
		return no_memory(spool, error);
	if (!certdir_file_write_at(spool->file, record, sizeof(*record), spool->end, spool->name, error))
		return false;
	return take_record(spool, record, &fits, error);
}

void certdir_spool_page_begin(struct certdir_spool *spool)
{
	spool->next = spool->end + sizeof(struct record);
	spool->digesting = digest_begin(spool);
}

bool certdir_spool_page_bytes(struct certdir_spool *spool, const char *bytes, size_t length,
			      struct certdir_error *error)
{
	if (!certdir_file_write_at(spool->file, bytes, length, spool->next, spool->name, error))
		return false;
	spool->next += length;
	return (spool->digesting && digest_add(spool, bytes, length)) || no_memory(spool, error);
}

bool certdir_spool_page_end(struct certdir_spool *spool, unsigned listing, size_t objects, int64_t count,
			    const char *link, struct certdir_error *error)
{
	struct record record = {.kind = PAGE,
				.listing = listing,
				.count = count,
				.objects = objects,
				.length = spool->next - spool->end - sizeof(record),
				.link = link ? strlen(link) : 0};

	return (!link || certdir_spool_page_bytes(spool, link, strlen(link), error)) &&
	       put_record(spool, &record, error);
}

static void forget(struct certdir_spool *spool)
{
	free(spool->of);
	spool->of = NULL;
	spool->count = 0;
	spool->finished = false;
}

static void sweep_one(const char *name, int64_t before)
{
	struct certdir_spool *spool;
	struct certdir_error ignored;
	struct stat status;
	long holder;

	if (lstat(name, &status) == 0 && status.st_mtime < before &&
	    certdir_spool_open(&spool, name, &holder, &ignored) == CERTDIR_SPOOL_OPENED)
		certdir_spool_remove(spool);
}

void certdir_spool_sweep(const char *list, int64_t before)
{
	const char *slash = strrchr(list, '/');
	const int place = slash ? (int)(slash + 1 - list) : 0;
	char *base = certdir_print("%s" CERTDIR_SPOOL_SUFFIX, list + place);
	char *folder = certdir_print("%.*s.", place, list), *name;
	DIR *directory = base && folder ? opendir(folder) : NULL;
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		if (strncmp(entry->d_name, base, strlen(base)) != 0)
			continue;
		name = certdir_print("%.*s%s", place, list, entry->d_name);
		if (name)
			sweep_one(name, before);
		free(name);
	}
	if (directory)
		(void)closedir(directory);
	free(base);
	free(folder);
}

bool certdir_spool_begin(struct certdir_spool *spool, const char *of, int64_t began, struct certdir_error *error)
{
	struct record record = {.kind = HEAD, .time = began, .length = strlen(of)};

	forget(spool);
	if (!cut_at(spool, RECORDS_AT, error))
		return false;
	certdir_spool_page_begin(spool);
	return certdir_spool_page_bytes(spool, of, strlen(of), error) && put_record(spool, &record, error);
}

bool certdir_spool_finish(struct certdir_spool *spool, struct certdir_error *error)
{
	struct record record = {.kind = FINISH};

	if (spool->finished)
		return true;
	certdir_spool_page_begin(spool);
	return put_record(spool, &record, error);
}

bool certdir_spool_cut(struct certdir_spool *spool, size_t index, struct certdir_error *error)
{
	if (index >= spool->count)
		return true;
	spool->count = index;
	spool->finished = false;
	return cut_at(spool, spool->pages[index].at - sizeof(struct record), error);
}

/* ---- open, close ---- */

static bool open_nameless(struct certdir_spool *spool, struct certdir_error *error)
{
	const char *directory = secure_getenv("TMPDIR");
	char *name = certdir_print("%s/certdir-XXXXXX", directory && directory[0] ? directory : "/tmp");

	if (!name) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	spool->file = mkostemp(name, O_CLOEXEC);
	if (spool->file < 0)
		certdir_error_set(error, "%s cannot be made: %s; TMPDIR says where there is room", name,
				  strerror(errno));
	else
		(void)unlink(name);
	free(name);
	return spool->file >= 0;
}

static long holder_of(const struct certdir_spool *spool)
{
	struct certdir_error ignored;
	char line[LINE + 1] = "";
	size_t got;

	return read_some(spool, line, LINE, LINE, &got, &ignored) ? strtol(line, NULL, 10) : 0;
}

/* Whose pages may be read: who can write the file could put devices into it. Root's files belong to the directory's owner. */
static bool is_ours(const char *filename, const struct stat *status)
{
	char *copy = strdup(filename);
	struct stat directory;
	const bool known = copy && stat(dirname(copy), &directory) == 0;

	free(copy);
	return status->st_uid == 0 || status->st_uid == geteuid() || (known && status->st_uid == directory.st_uid);
}

/* The lock is worth something only on the file that still has the name: who had it before may have removed it meanwhile. */
static enum certdir_spool_opened open_named(struct certdir_spool *spool, long *holder, struct certdir_error *error)
{
	struct stat ours, named;

	for (;;) {
		spool->file = certdir_permissions_open(spool->filename, 0600);
		if (spool->file < 0 || fstat(spool->file, &ours) != 0) {
			(void)fail(spool, "opened", error);
			return CERTDIR_SPOOL_FAILED;
		}
		if (!S_ISREG(ours.st_mode)) {
			certdir_error_set(error, "%s is not a file: remove it", spool->name);
			return CERTDIR_SPOOL_FAILED;
		}
		if (!is_ours(spool->filename, &ours)) {
			certdir_error_set(error, "%s belongs to user %u: remove it", spool->name,
					  (unsigned)ours.st_uid);
			return CERTDIR_SPOOL_FAILED;
		}
		if (flock(spool->file, LOCK_EX | LOCK_NB) != 0) {
			*holder = holder_of(spool);
			if (errno == EWOULDBLOCK)
				return CERTDIR_SPOOL_BUSY;
			(void)fail(spool, "locked", error);
			return CERTDIR_SPOOL_FAILED;
		}
		if (stat(spool->filename, &named) == 0 && named.st_ino == ours.st_ino && named.st_dev == ours.st_dev)
			return CERTDIR_SPOOL_OPENED;
		(void)close(spool->file);
	}
}

static bool sign(struct certdir_spool *spool, struct certdir_error *error)
{
	char lines[RECORDS_AT + 1];

	(void)snprintf(lines, sizeof(lines), "%s%-15ld\n", first_line, (long)getpid());
	return certdir_file_write_at(spool->file, lines, RECORDS_AT, 0, spool->name, error);
}

/* Frees it; the file stays. */
static void free_spool(struct certdir_spool *spool)
{
	forget(spool);
	EVP_MD_CTX_free(spool->digest);
	if (spool->file >= 0)
		(void)close(spool->file);
	free(spool->pages);
	free(spool->filename);
	free(spool);
}

static struct certdir_spool *make(const char *filename, struct certdir_error *error)
{
	struct certdir_spool *spool = calloc(1, sizeof(*spool));

	if (spool) {
		spool->file = -1;
		spool->filename = filename ? strdup(filename) : NULL;
		spool->name = spool->filename ? spool->filename : "a temporary file";
	}
	if (spool && (!filename || spool->filename))
		return spool;
	free(spool);
	certdir_error_set(error, "out of memory");
	return NULL;
}

enum certdir_spool_opened certdir_spool_open(struct certdir_spool **spool, const char *filename, long *holder,
					     struct certdir_error *error)
{
	enum certdir_spool_opened opened = CERTDIR_SPOOL_OPENED;

	*holder = 0;
	*spool = make(filename, error);
	if (!*spool)
		return CERTDIR_SPOOL_FAILED;
	if (filename)
		opened = open_named(*spool, holder, error);
	else if (!open_nameless(*spool, error))
		opened = CERTDIR_SPOOL_FAILED;
	if (opened == CERTDIR_SPOOL_OPENED && (!read_records(*spool, error) || !sign(*spool, error)))
		opened = CERTDIR_SPOOL_FAILED;
	if (opened != CERTDIR_SPOOL_OPENED) {
		free_spool(*spool);
		*spool = NULL;
	}
	return opened;
}

void certdir_spool_remove(struct certdir_spool *spool)
{
	if (!spool)
		return;
	if (spool->filename)
		(void)unlink(spool->filename);
	free_spool(spool);
}

void certdir_spool_close(struct certdir_spool *spool)
{
	if (spool && spool->count == 0)
		certdir_spool_remove(spool);
	else if (spool)
		free_spool(spool);
}

/* ---- what is in it ---- */

const char *certdir_spool_of(const struct certdir_spool *spool)
{
	return spool->of;
}

int64_t certdir_spool_began(const struct certdir_spool *spool)
{
	return spool->began;
}

bool certdir_spool_finished(const struct certdir_spool *spool)
{
	return spool->finished;
}

size_t certdir_spool_pages(const struct certdir_spool *spool)
{
	return spool->count;
}

const struct certdir_spool_page *certdir_spool_page(const struct certdir_spool *spool, size_t index)
{
	return &spool->pages[index];
}

bool certdir_spool_read(const struct certdir_spool *spool, const struct certdir_spool_page *page, size_t from,
			char *bytes, size_t size, size_t *got, struct certdir_error *error)
{
	if (size > page->length - from)
		size = page->length - from;
	if (!read_some(spool, bytes, size, page->at + from, got, error))
		return false;
	if (*got == size)
		return true;
	certdir_error_set(error, "%s was cut while it was read: something else writes into it", spool->name);
	return false;
}

char *certdir_spool_link(const struct certdir_spool *spool, const struct certdir_spool_page *page,
			 struct certdir_error *error)
{
	char *link = calloc(1, page->link + 1);
	size_t got;

	if (!link)
		(void)no_memory(spool, error);
	if (link && read_some(spool, link, page->link, page->at + page->length, &got, error))
		return link;
	free(link);
	return NULL;
}
