/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/background.h"

/* A disk that is full at times is told once, until it was well for so long. */
#define QUIET (60 * CERTDIR_SECOND)

struct line {
	struct line *next;
	char *text; /* owned */
	size_t length;
	uint64_t dropped; /* lines before this one that found no room */
};

struct certdir_journal {
	const char *filename;
	pthread_t thread;
	pthread_mutex_t lock; /* of the four below */
	pthread_cond_t added;
	struct line *first, **last;
	size_t waiting; /* bytes of lines that are not written yet */
	uint64_t dropped;
	bool ending;
	atomic_uint_fast64_t all_dropped; /* since the beginning */
	/* The thread's own. */
	int file; /* or -1 */
	bool cut; /* the file ends in a part of a line */
	bool failing; /* which was told */
	int64_t failed_at, told_at; /* as certdir_monotonic() */
	uint64_t lost; /* lines since the last one that was written */
	uint64_t untold;
};

/* ---- the file ---- */

static void failed(struct certdir_journal *journal, const char *why)
{
	journal->failed_at = certdir_monotonic();
	if (!journal->failing)
		certdir_log(CERTDIR_LOG_ERROR,
			    "journal %s cannot be written: %s; decisions are not recorded until it can",
			    journal->filename, why);
	journal->failing = true;
}

/* Whether the name is still that of the file that is open. */
static bool has_name(const struct certdir_journal *journal)
{
	struct stat named, open;

	return journal->file >= 0 && stat(journal->filename, &named) == 0 && fstat(journal->file, &open) == 0 &&
	       named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

static bool open_file(struct certdir_journal *journal)
{
	struct stat status;

	if (journal->file >= 0)
		(void)close(journal->file);
	journal->cut = false;
	/* Not blocking: a pipe of that name would keep the thread, and with it the server's end. */
	journal->file = open(journal->filename,
			     O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
	if (journal->file < 0) {
		failed(journal, strerror(errno));
		return false;
	}
	if (fstat(journal->file, &status) == 0 && S_ISREG(status.st_mode))
		return true;
	(void)close(journal->file);
	journal->file = -1;
	failed(journal, "it is no regular file");
	return false;
}

/* One call for a line: what others append to the same file stands between lines and never in one. */
static bool write_line(struct certdir_journal *journal, const struct line *line)
{
	char head[64] = "{";
	struct iovec parts[2] = {{.iov_base = head}, {line->text + 1, line->length - 1}};
	const uint64_t missing = journal->lost + line->dropped;
	ssize_t written;
	int length;

	length =
		missing ? snprintf(head, sizeof(head), "%s{\"dropped\":%" PRIu64 ",", journal->cut ? "\n" : "", missing)
			: snprintf(head, sizeof(head), "%s{", journal->cut ? "\n" : "");
	parts[0].iov_len = (size_t)length;
	written = writev(journal->file, parts, 2);
	if (written == (ssize_t)(parts[0].iov_len + parts[1].iov_len)) {
		journal->cut = false;
		return true;
	}
	failed(journal, written < 0 ? strerror(errno) : "no space is left");
	journal->cut |= written > 0;
	return false;
}

/* Told at most once in a while: a disk that is too slow drops some lines, writes some, and drops some more. */
static void tell_missing(struct certdir_journal *journal)
{
	const int64_t now = certdir_monotonic();

	if (journal->failing && now - journal->failed_at >= QUIET)
		journal->failing = false;
	if (journal->failing || !journal->untold || (journal->told_at && now - journal->told_at < QUIET))
		return;
	certdir_log(CERTDIR_LOG_WARN, "journal %s lacks %" PRIu64 " decisions: the disk was full or too slow",
		    journal->filename, journal->untold);
	journal->told_at = now;
	journal->untold = 0;
}

/* Frees the lines. Returns how many bytes they had. */
static size_t write_lines(struct certdir_journal *journal, struct line *line)
{
	bool ready = has_name(journal) || open_file(journal);
	size_t bytes = 0;

	while (line) {
		struct line *next = line->next;

		if (ready && write_line(journal, line)) {
			journal->untold += journal->lost + line->dropped;
			journal->lost = 0;
		} else {
			journal->lost += line->dropped + 1;
			journal->all_dropped++;
		}
		bytes += line->length;
		free(line->text);
		free(line);
		line = next;
	}
	tell_missing(journal);
	return bytes;
}

static void *run(void *context)
{
	struct certdir_journal *journal = context;

	(void)open_file(journal);
	(void)pthread_mutex_lock(&journal->lock);
	while (journal->first || !journal->ending) {
		struct line *lines = journal->first;
		size_t bytes;

		if (!lines) {
			(void)certdir_condition_wait(&journal->added, &journal->lock, INT64_MAX);
			continue;
		}
		journal->first = NULL;
		journal->last = &journal->first;
		(void)pthread_mutex_unlock(&journal->lock);
		bytes = write_lines(journal, lines);
		(void)pthread_mutex_lock(&journal->lock);
		journal->waiting -= bytes;
	}
	(void)pthread_mutex_unlock(&journal->lock);
	journal->untold += journal->lost + journal->dropped;
	journal->failing = false;
	journal->told_at = 0;
	tell_missing(journal);
	return NULL;
}

/* ---- for others ---- */

static void destroy(struct certdir_journal *journal)
{
	if (journal->file >= 0)
		(void)close(journal->file);
	(void)pthread_cond_destroy(&journal->added);
	(void)pthread_mutex_destroy(&journal->lock);
	free(journal);
}

struct certdir_journal *certdir_journal_open(const char *filename, struct certdir_error *error)
{
	struct certdir_journal *journal = calloc(1, sizeof(*journal));

	if (!journal || !certdir_condition_init(&journal->added)) {
		certdir_error_set(error, "out of memory");
		free(journal);
		return NULL;
	}
	(void)pthread_mutex_init(&journal->lock, NULL);
	journal->filename = filename;
	journal->last = &journal->first;
	journal->file = -1;
	if (certdir_background_start(&journal->thread, run, journal, error))
		return journal;
	destroy(journal);
	return NULL;
}

void certdir_journal_add(struct certdir_journal *journal, char *line, size_t length)
{
	struct line *added = line ? malloc(sizeof(*added)) : NULL;

	(void)pthread_mutex_lock(&journal->lock);
	if (added && length <= CERTDIR_JOURNAL_WAITING_MAX - journal->waiting) {
		*added = (struct line){.text = line, .length = length, .dropped = journal->dropped};
		journal->dropped = 0;
		journal->waiting += length;
		*journal->last = added;
		journal->last = &added->next;
		line = NULL;
		added = NULL;
	} else {
		journal->dropped++;
		journal->all_dropped++;
	}
	(void)pthread_cond_signal(&journal->added);
	(void)pthread_mutex_unlock(&journal->lock);
	free(added);
	free(line);
}

uint64_t certdir_journal_dropped(struct certdir_journal *journal)
{
	return journal->all_dropped;
}

void certdir_journal_close(struct certdir_journal *journal)
{
	if (!journal)
		return;
	(void)pthread_mutex_lock(&journal->lock);
	journal->ending = true;
	(void)pthread_cond_signal(&journal->added);
	(void)pthread_mutex_unlock(&journal->lock);
	(void)pthread_join(journal->thread, NULL);
	destroy(journal);
}
