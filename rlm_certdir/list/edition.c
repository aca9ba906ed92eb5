/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/edition.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/permissions.h"
#include "list/lock.h"

/* The real place of a file that does not exist yet: an absolute name, which SQLite takes for nothing else. */
static char *resolve_new(const char *filename, struct certdir_error *error)
{
	const char *slash = strrchr(filename, '/');
	char *directory = certdir_file_directory(filename);
	char *real = directory ? realpath(directory, NULL) : NULL, *name = NULL;

	if (!real)
		certdir_error_set(error, "%s cannot be written: its directory: %s", filename, strerror(errno));
	else if (!(name = certdir_print("%s/%s", strcmp(real, "/") == 0 ? "" : real, slash ? slash + 1 : filename)))
		certdir_error_set(error, "%s: out of memory", filename);
	free(directory);
	free(real);
	return name;
}

/* A link that others made would say which file of ours is overwritten. */
static bool check_link(const char *filename, struct certdir_error *error)
{
	struct stat status;

	if (lstat(filename, &status) != 0 || !S_ISLNK(status.st_mode) || status.st_uid == 0 ||
	    status.st_uid == geteuid())
		return true;
	certdir_error_set(
		error,
		"%s is a symbolic link of user %u, who is neither root nor the user that certdir runs as: name "
		"the list itself, or do: chown -h root %s",
		filename, (unsigned)status.st_uid, filename);
	return false;
}

/* The caller frees it. */
static char *resolve(const char *filename, struct certdir_error *error)
{
	struct stat status;
	char *real;

	if (!check_link(filename, error))
		return NULL;
	real = realpath(filename, NULL);
	if (real)
		return real;
	if (errno != ENOENT) {
		certdir_error_set(error, "%s cannot be written: %s", filename, strerror(errno));
		return NULL;
	}
	if (lstat(filename, &status) == 0) {
		certdir_error_set(error, "%s is a symbolic link to nothing: remove it or make its target", filename);
		return NULL;
	}
	return resolve_new(filename, error);
}

/* Where `edition->filename` stands. */
static char *directory_of(const struct certdir_list_edition *edition)
{
	const size_t length = (size_t)(strrchr(edition->filename, '/') - edition->filename);

	return length ? strndup(edition->filename, length) : strdup("/");
}

/* The names of the temporary file and its journal; `temporary` is taken over, and NULL when memory is out. */
static bool name_files(struct certdir_list_edition *edition, char *temporary, struct certdir_error *error)
{
	edition->temporary = temporary;
	edition->journal = temporary ? certdir_print("%s-journal", temporary) : NULL;
	if (edition->directory && edition->journal)
		return true;
	certdir_error_set(error, "%s: out of memory", edition->filename);
	return false;
}

/* "123" of `base`.new.123, "123-journal": what killed writers left. */
static bool is_leftover(const char *suffix)
{
	size_t digits = strspn(suffix, "0123456789");

	return digits > 0 && (suffix[digits] == '\0' || strcmp(suffix + digits, "-journal") == 0);
}

/* Whoever made them held the lock that we hold now, so nobody is writing them any more. */
static void remove_leftovers(const struct certdir_list_edition *edition)
{
	const char *base = strrchr(edition->filename, '/') + 1;
	size_t length = strlen(base);
	DIR *directory = opendir(edition->directory);
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		const char *name = entry->d_name;

		if (strncmp(name, base, length) != 0 || strncmp(name + length, ".new.", 5) != 0)
			continue;
		if (is_leftover(name + length + 5))
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
	}
	(void)closedir(directory);
}

static void clear(struct certdir_list_edition *edition)
{
	if (edition->file >= 0)
		(void)close(edition->file);
	if (edition->lock >= 0)
		(void)close(edition->lock);
	free(edition->filename);
	free(edition->directory);
	free(edition->temporary);
	free(edition->journal);
	free(edition->folder);
	certdir_list_keys_close(edition->signer);
	certdir_list_draft_clear(&edition->draft);
	memset(edition, 0, sizeof(*edition));
	edition->lock = edition->file = edition->draft.input.file = -1;
}

static bool open_temporary(struct certdir_list_edition *edition, struct certdir_error *error)
{
	edition->file = open(edition->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (edition->file < 0)
		certdir_error_set(error, "%s cannot be created: %s", edition->temporary, strerror(errno));
	certdir_list_draft_init(&edition->draft, edition->file, edition->temporary);
	return edition->file >= 0;
}

static bool begin(struct certdir_list_edition *edition, const char *filename, bool is_private,
		  struct certdir_error *error)
{
	*edition = (struct certdir_list_edition){.is_private = is_private, .lock = -1, .file = -1};
	certdir_list_draft_init(&edition->draft, -1, NULL);
	edition->filename = resolve(filename, error);
	return edition->filename != NULL;
}

bool certdir_list_edition_begin(struct certdir_list_edition *edition, const char *filename, unsigned patience,
				struct certdir_error *error)
{
	if (!begin(edition, filename, false, error))
		return false;
	/* Before anything is made beside it. What cannot be read is for who reads it to complain about. */
	if (access(edition->filename, R_OK) == 0 && !certdir_list_file_replaceable(edition->filename, error))
		goto out;
	edition->directory = directory_of(edition);
	if (!name_files(edition, certdir_print("%s.new.%ld", edition->filename, (long)getpid()), error))
		goto out;
	edition->lock = certdir_list_lock(edition->filename, edition->directory, patience, error);
	if (edition->lock < 0)
		goto out;
	remove_leftovers(edition);
	/* A journal of our own name would be taken for ours and rolled back into the new edition. */
	if (unlink(edition->journal) != 0 && errno != ENOENT) {
		certdir_error_set(error, "%s cannot be removed: %s", edition->journal, strerror(errno));
		goto out;
	}
	if (open_temporary(edition, error))
		return true;
out:
	clear(edition);
	return false;
}

/* A directory of ours, readable by nobody else; where SQLite would put temporary files, too. */
static bool make_folder(struct certdir_list_edition *edition, struct certdir_error *error)
{
	const char *const places[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
	int code = ENOENT;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		/* its real name: SQLite follows no links for us */
		char *place = places[i] ? realpath(places[i], NULL) : NULL;

		edition->folder = place ? certdir_print("%s/certdir.XXXXXX", place) : NULL;
		if (edition->folder && mkdtemp(edition->folder)) {
			edition->directory = place;
			return true;
		}
		code = places[i] ? errno : code;
		free(place);
		free(edition->folder);
		edition->folder = NULL;
	}
	certdir_error_set(error, "no directory for temporary files: set TMPDIR to one that can be written: %s",
			  strerror(code));
	return false;
}

bool certdir_list_edition_begin_private(struct certdir_list_edition *edition, const char *filename,
					struct certdir_error *error)
{
	if (begin(edition, filename, true, error) && make_folder(edition, error) &&
	    name_files(edition, certdir_print("%s/devices.db", edition->folder), error) &&
	    open_temporary(edition, error))
		return true;
	if (edition->folder)
		(void)rmdir(edition->folder);
	clear(edition);
	return false;
}

void certdir_list_edition_hide(struct certdir_list_edition *edition)
{
	(void)unlink(edition->temporary);
	(void)unlink(edition->journal);
	if (edition->folder)
		(void)rmdir(edition->folder);
	free(edition->folder);
	edition->folder = NULL;
}

bool certdir_list_edition_replaces(const struct certdir_list_edition *edition)
{
	struct stat status;

	return lstat(edition->filename, &status) == 0 || errno != ENOENT;
}

/* `filename` followed by `suffix`, for where a missing one is no failure; NULL when memory is out. */
static char *beside(const struct certdir_list_edition *edition, const char *suffix)
{
	return certdir_print("%s%s", edition->filename, suffix);
}

/* Of a list that is damaged, so that its own end says nothing, its changes and the list before do. */
static bool was_signed(const struct certdir_list_edition *edition)
{
	char *changes = beside(edition, ".changes"), *last = beside(edition, ".last");
	const bool is =
		certdir_list_edition_replaces(edition) &&
		(certdir_list_file_is_signed(edition->filename) ||
		 (changes && certdir_list_changes_are_signed(changes)) || (last && certdir_list_file_is_signed(last)));

	free(changes);
	free(last);
	return is;
}

bool certdir_list_edition_sign(struct certdir_list_edition *edition, const char *signing_key,
			       struct certdir_error *error)
{
	if (signing_key) {
		edition->signer = certdir_list_keys_private(signing_key, error);
		edition->draft.signer = edition->signer;
		return edition->signer != NULL;
	}
	if (edition->is_private || !was_signed(edition))
		return true;
	certdir_error_set(error,
			  "%s is signed, and must not become one that is not: name its key, by signing_key_file in "
			  "certdir.conf or --signing-key; if it is to be without, move it away first",
			  edition->filename);
	return false;
}

void certdir_list_edition_replace(struct certdir_list_edition *edition)
{
	char *changes = beside(edition, ".changes");
	const int64_t list = certdir_list_file_made(edition->filename),
		      changed = changes ? certdir_list_changes_made(changes) : 0;

	edition->replaced = list > changed ? list : changed;
	free(changes);
}

bool certdir_list_edition_go_on(struct certdir_list_edition *edition, struct certdir_error *error)
{
	edition->goes_on = certdir_list_draft_open(&edition->draft, edition->filename, error);
	return edition->goes_on;
}

/*
 * Whoever could read the published file must be able to read the new one, and whoever the directory is for must be able to go on
 * where root has been. Best effort, but not in silence.
 */
static void keep_permissions(const struct certdir_list_edition *edition, int file)
{
	struct stat old;
	const mode_t mode = stat(edition->filename, &old) == 0 ? old.st_mode & 0777 : 0640;

	certdir_permissions_succeed(file, edition->filename, edition->directory, edition->temporary);
	if (fchmod(file, mode) != 0)
		certdir_log(CERTDIR_LOG_WARN, "%s: the new edition cannot get mode %03o: %s", edition->filename,
			    (unsigned)mode, strerror(errno));
}

static void remove_beside(const struct certdir_list_edition *edition, const char *suffix)
{
	char *name = beside(edition, suffix);

	if (name)
		(void)unlink(name);
	free(name);
}

/* What is published now gets a second name, which its successor leaves to it. */
static bool keep(const struct certdir_list_edition *edition, const char *suffix, const char *last_suffix)
{
	char *name = beside(edition, suffix), *last = beside(edition, last_suffix);
	const bool ok = name && last && link(name, last) == 0;

	if (!ok)
		certdir_log(CERTDIR_LOG_WARN,
			    "%s%s cannot be kept as %s%s: %s; a server that starts while the list is damaged "
			    "will have none",
			    edition->filename, suffix, edition->filename, last_suffix, strerror(errno));
	free(name);
	free(last);
	return ok;
}

/* After the rename the edition is published; that its name may not survive a power cut yet is only worth a warning. */
static void sync_directory(const struct certdir_list_edition *edition)
{
	if (!certdir_file_sync_directory(edition->directory))
		certdir_log(CERTDIR_LOG_WARN, "%s: fsync failed: %s; a power cut may bring the old edition of %s back",
			    edition->directory, strerror(errno), edition->filename);
}

static bool give_name(const struct certdir_list_edition *edition, const char *suffix, struct certdir_error *error)
{
	char *name = beside(edition, suffix);
	const bool ok = name && rename(edition->temporary, name) == 0;

	if (!ok)
		certdir_error_set(error, "%s cannot be renamed to %s%s: %s", edition->temporary, edition->filename,
				  suffix, strerror(errno));
	free(name);
	return ok;
}

/* What is written lasts before it gets its name. */
static bool finish_file(const struct certdir_list_edition *edition, int file, struct certdir_error *error)
{
	keep_permissions(edition, file);
	if (fsync(file) == 0)
		return true;
	certdir_error_set(error, "%s cannot be written: %s", edition->temporary, strerror(errno));
	return false;
}

/* Whatever the clock says, an edition is later than the one that it goes on from, or takes the place of. */
static int64_t make_time(const struct certdir_list_edition *edition)
{
	const int64_t before = edition->goes_on ? edition->draft.before : edition->replaced;
	struct timespec clock;
	int64_t now;

	(void)clock_gettime(CLOCK_REALTIME, &clock);
	now = (int64_t)clock.tv_sec * 1000000 + clock.tv_nsec / 1000;
	return now > before ? now : before + 1;
}

/* Behind the changes that are there stands at most what a writer did not end. */
static bool cut_changes(const struct certdir_list_draft *draft, struct certdir_error *error)
{
	struct stat status;

	if (fstat(draft->laid_file, &status) == 0 && (uint64_t)status.st_size == draft->laid.size)
		return true;
	if (ftruncate(draft->laid_file, (off_t)draft->laid.size) == 0)
		return true;
	certdir_error_set(error, "%s.changes cannot be written: %s", draft->input.filename, strerror(errno));
	return false;
}

/* What has come of an edition that cannot be ended takes room, and is in nobody's way. */
static bool append_changes(struct certdir_list_edition *edition, struct certdir_error *error)
{
	struct certdir_list_draft *draft = &edition->draft;
	struct certdir_error ignored;
	const bool ok = cut_changes(draft, error) &&
			certdir_list_draft_write(draft, make_time(edition), draft->laid_file, error) &&
			finish_file(edition, draft->laid_file, error);

	if (ok)
		(void)unlink(edition->temporary);
	else
		(void)cut_changes(draft, &ignored);
	return ok;
}

static bool begin_changes(struct certdir_list_edition *edition, struct certdir_error *error)
{
	if (!certdir_list_draft_write(&edition->draft, make_time(edition), edition->file, error) ||
	    !finish_file(edition, edition->file, error) || !give_name(edition, ".changes", error))
		return false;
	sync_directory(edition);
	return true;
}

/* Changes alone are published where there are few, and nobody has put another file in the place of those that are laid. */
static bool is_small(const struct certdir_list_edition *edition)
{
	const struct certdir_list_draft *draft = &edition->draft;
	char *name = beside(edition, ".changes");
	struct stat now, then;
	const bool same =
		draft->laid.batch_count == 0 || (name && stat(name, &now) == 0 && fstat(draft->laid_file, &then) == 0 &&
						 now.st_ino == then.st_ino && now.st_dev == then.st_dev);

	free(name);
	return same && certdir_list_draft_is_small(draft);
}

/*
 * The list before stays with its changes, for a server that starts while this one is damaged, when it is gone on with. Its name comes last, so
 * that it never stands there without what was changed since.
 */
static void keep_last(const struct certdir_list_edition *edition, bool had_changes)
{
	remove_beside(edition, ".last");
	remove_beside(edition, ".last.changes");
	if (edition->goes_on && (!had_changes || keep(edition, ".changes", ".last.changes")))
		(void)keep(edition, "", ".last");
}

/*
 * Interrupted before its name, there is one more name for each file of the list; behind it, there are changes beside a list that has
 * them in it already, or took their place: they are known by the seal that they are of, and by their age, and count as none.
 */
static bool publish_whole(struct certdir_list_edition *edition, struct certdir_error *error)
{
	const bool had_changes = edition->draft.had_changes;
	const int64_t made = make_time(edition);

	if (!certdir_list_draft_gather(&edition->draft, error) ||
	    !certdir_list_seal_append(edition->file, made, edition->signer, edition->temporary, error) ||
	    !finish_file(edition, edition->file, error))
		return false;
	keep_last(edition, had_changes);
	if (!give_name(edition, "", error))
		return false;
	remove_beside(edition, ".changes");
	sync_directory(edition);
	return true;
}

bool certdir_list_edition_publish(struct certdir_list_edition *edition, struct certdir_error *error)
{
	bool ok = false;

	(void)unlink(edition->journal);
	if (edition->is_private)
		certdir_error_set(error, "%s: this edition was for looking only", edition->filename);
	else if (!is_small(edition))
		ok = publish_whole(edition, error);
	else if (edition->draft.laid.batch_count)
		ok = append_changes(edition, error);
	else
		ok = begin_changes(edition, error);
	if (!ok) {
		certdir_list_edition_abandon(edition);
		return false;
	}
	clear(edition);
	return true;
}

void certdir_list_edition_abandon(struct certdir_list_edition *edition)
{
	/* Not twice: the names of a private one are anyone's to take again. */
	if (edition->file >= 0 && (!edition->is_private || edition->folder))
		certdir_list_edition_hide(edition);
	clear(edition);
}
