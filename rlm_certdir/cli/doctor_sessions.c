/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the server keeps beside the list: sessions, and how network devices took its orders; the journal; memories. No packet is sent. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/doctor.h"
#include "cli/words.h"

/* ---- what the journal lacks ---- */

enum { JOURNAL_TAIL = 8 << 20 };

/* Lines that could not be written, as those behind them begin with. */
static uint64_t count_dropped(const char *text, size_t length)
{
	static const char mark[] = "{\"dropped\":";
	const char *at = text, *const end = text + length;
	uint64_t dropped = 0;

	while ((at = memmem(at, (size_t)(end - at), mark, strlen(mark)))) {
		const bool begins = at == text || at[-1] == '\n';

		at += strlen(mark);
		dropped += begins ? strtoull(at, NULL, 10) : 0;
	}
	return dropped;
}

/* Of a long journal the end alone is read. */
static void check_dropped(const char *filename, struct certdir_doctor_findings *findings)
{
	const int file = open(filename, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = NULL, remedy[CERTDIR_TEXT_MAX];
	uint64_t dropped;
	struct stat status;
	size_t length = 0;

	if (file < 0)
		return;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
		(void)lseek(file, status.st_size > JOURNAL_TAIL ? status.st_size - JOURNAL_TAIL : 0, SEEK_SET);
		text = certdir_file_load(file, 2 * JOURNAL_TAIL, &length);
	}
	(void)close(file);
	dropped = text ? count_dropped(text, length) : 0;
	certdir_say(remedy, "look whether the disk of it is full or slow: df %s", filename);
	if (dropped)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WARNING, "journal", remedy,
				   "%s lacks %" PRIu64 " decision%s that could not be written", filename, dropped,
				   certdir_cli_plural((size_t)dropped));
	free(text);
}

/* ---- files that the server writes ---- */

static void check_directory(const char *filename, const char *name, struct certdir_doctor_findings *findings)
{
	char *copy = strdup(filename), *directory = copy ? dirname(copy) : NULL;

	if (directory && certdir_doctor_writable(directory, name, findings))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, name, "", "the server can write %s", filename);
	free(copy);
}

/* A file that is written again and again, and another one beside it that takes its place. */
static void check_option(const struct certdir_doctor *doctor, const char *name,
			 struct certdir_doctor_findings *findings)
{
	const char *filename = raddb_file_option(doctor->raddb, name);
	char remedy[CERTDIR_TEXT_MAX];

	if (!filename || !*filename)
		return;
	certdir_say(remedy, "chown %s %s", certdir_doctor_user(), filename);
	if (access(filename, W_OK) != 0 && errno == EACCES && access(filename, F_OK) == 0)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, name, remedy, "%s may not write %s",
				   certdir_doctor_user(), filename);
	else
		check_directory(filename, name, findings);
}

static void check_memory(void *context, const struct raddb_directory *directory)
{
	const char *memory = directory->ldap ? directory->ldap->memory : NULL;

	if (memory && *memory && certdir_doctor_writable(memory, "memory", context))
		certdir_doctor_say(context, CERTDIR_DOCTOR_RIGHT, "memory", "", "%s: the server can write into %s",
				   directory->name, memory);
}

static void look_at_records(const struct certdir_doctor *doctor, const void *subject,
			    struct certdir_doctor_findings *findings)
{
	const char *sessions = raddb_file_sessions(doctor->raddb), *journal;

	(void)subject;
	if (!certdir_doctor_become_server(doctor, "files", findings))
		return;
	check_option(doctor, "journal", findings);
	journal = raddb_file_option(doctor->raddb, "journal");
	if (journal && *journal)
		check_dropped(journal, findings);
	check_option(doctor, "metrics", findings);
	raddb_file_each_directory(doctor->raddb, check_memory, findings);
	if (!sessions)
		return;
	check_directory(sessions, "sessions", findings);
	if (access(sessions, F_OK) == 0)
		certdir_doctor_devices(doctor, sessions, findings);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "orders", "",
				   "%s is not there yet: no server has run with sessions { }", sessions);
}

void certdir_doctor_sessions(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs)
{
	if (doctor->raddb && raddb_file_place(doctor->raddb))
		certdir_doctor_add(jobs, "records", NULL, look_at_records, NULL);
}
