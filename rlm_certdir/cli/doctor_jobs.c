/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever a check meets, a stopped server or a crash of a library, costs that check alone and no more than its time. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/background.h"
#include "base/file.h"
#include "cli/doctor.h"
#include "text/excerpt.h"

enum { OUTPUT_MAX = 1 << 20 };

const char *certdir_doctor_state_name(enum certdir_doctor_state state)
{
	static const char *const names[CERTDIR_DOCTOR_STATES] = {"right", "warning", "wrong", "skipped"};

	return names[state];
}

/* Takes it. */
static void put(const struct certdir_doctor_findings *findings, json_t *check)
{
	char *text = findings->checks ? NULL : json_dumps(check, JSON_COMPACT);

	if (findings->checks)
		(void)json_array_append(findings->checks, check);
	else if (text &&
		 !(certdir_file_write(findings->out, text, strlen(text)) && certdir_file_write(findings->out, "\n", 1)))
		_exit(1);
	free(text);
	json_decref(check);
}

void certdir_doctor_say(struct certdir_doctor_findings *findings, enum certdir_doctor_state state, const char *name,
			const char *remedy, const char *format, ...)
{
	static const char advice[] = "; do: ";
	char text[CERTDIR_TEXT_MAX], detail[CERTDIR_TEXT_MAX], mends[CERTDIR_TEXT_MAX];
	char *at;
	va_list arguments;

	va_start(arguments, format);
	certdir_vsay(text, format, arguments);
	va_end(arguments);
	at = remedy ? NULL : strstr(text, advice);
	if (at) {
		*at = '\0';
		remedy = at + strlen(advice);
	}
	certdir_excerpt_clean(detail, sizeof(detail), text);
	certdir_excerpt_clean(mends, sizeof(mends), remedy ? remedy : "");
	put(findings, json_pack("{s:s,s:s,s:s,s:s,s:s}", "group", findings->group, "name", name, "state",
				certdir_doctor_state_name(state), "detail", detail, "remedy", mends));
}

void certdir_doctor_add(struct certdir_doctor_jobs *jobs, const char *group, const char *about,
			certdir_doctor_look look, void *subject)
{
	struct certdir_doctor_job *job = certdir_array_next(&jobs->items, jobs->count, sizeof(*job));

	if (!job) {
		free(subject);
		return;
	}
	*job = (struct certdir_doctor_job){
		.group = group, .about = about, .look = look, .subject = subject, .pipe = -1};
	jobs->count++;
}

/* ---- in the process of a job ---- */

/*
 * Nobody is left behind when the one who asks is ended, nor what a job has started when that is. What a library has to say of a fault
 * stands in the finding.
 */
static void look(const struct certdir_doctor *doctor, const struct certdir_doctor_job *job, int out)
{
	struct certdir_doctor_findings findings = {NULL, job->group, out};
	const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(nowhere, STDIN_FILENO);
	(void)dup2(nowhere, STDOUT_FILENO);
	(void)dup2(nowhere, STDERR_FILENO);
	job->look(doctor, job->subject, &findings);
	_exit(0);
}

static void start(const struct certdir_doctor *doctor, struct certdir_doctor_job *job)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return;
	job->process = fork();
	if (job->process == 0)
		look(doctor, job, ends[1]);
	if (job->process > 0)
		(void)setpgid(job->process, job->process);
	(void)close(ends[1]);
	job->pipe = ends[0];
	if (job->process > 0)
		return;
	job->process = 0;
	(void)close(job->pipe);
	job->pipe = -1;
}

/* ---- beside it ---- */

static void hear(struct certdir_doctor_job *job)
{
	char bytes[4096], *longer;
	const ssize_t got = read(job->pipe, bytes, sizeof(bytes));

	if (got < 0 && errno == EINTR)
		return;
	longer = got > 0 && job->length + (size_t)got <= OUTPUT_MAX ? realloc(job->text, job->length + (size_t)got)
								    : NULL;
	if (longer) {
		memcpy(longer + job->length, bytes, (size_t)got);
		job->text = longer;
		job->length += (size_t)got;
		return;
	}
	(void)close(job->pipe);
	job->pipe = -1;
}

/* False when none is left. */
static bool hear_all(struct certdir_doctor_jobs *jobs, int milliseconds)
{
	struct pollfd *polled = calloc(jobs->count + 1, sizeof(*polled));
	nfds_t open = 0;

	for (size_t i = 0; polled && i < jobs->count; i++) {
		polled[i] = (struct pollfd){jobs->items[i].pipe, POLLIN, 0};
		open += jobs->items[i].pipe >= 0;
	}
	if (open && poll(polled, jobs->count, milliseconds) > 0)
		for (size_t i = 0; i < jobs->count; i++)
			if (jobs->items[i].pipe >= 0 && polled[i].revents)
				hear(&jobs->items[i]);
	free(polled);
	return open > 0;
}

/* The whole lines that came; a last one without an end was being written. */
static void take_findings(const struct certdir_doctor_job *job, struct certdir_doctor_findings *findings)
{
	const char *line = job->text, *end = job->text + job->length, *feed;

	for (; line < end && (feed = memchr(line, '\n', (size_t)(end - line))); line = feed + 1)
		put(findings, json_loadb(line, (size_t)(feed - line), 0, NULL));
}

static void end(struct certdir_doctor_job *job, int seconds, struct certdir_doctor_findings *findings)
{
	int status = 0;

	findings->group = job->group;
	job->late = job->pipe >= 0;
	if (job->process > 0 && job->late)
		(void)kill(-job->process, SIGKILL);
	if (job->pipe >= 0)
		(void)close(job->pipe);
	while (job->process > 0 && waitpid(job->process, &status, 0) < 0 && errno == EINTR)
		;
	if (job->text)
		take_findings(job, findings);
	if (job->late)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "time",
				   "look whether that server, or a disk, is stuck",
				   "%s%sno end after %d seconds: given up", job->about ? job->about : "",
				   job->about ? ": " : "", seconds);
	else if (status || !job->process)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "time", "report it, with this configuration",
				   "these checks ended before they were done (status %d)", status);
	free(job->text);
	free(job->subject);
}

void certdir_doctor_run(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs, int seconds,
			struct certdir_doctor_findings *findings)
{
	const int64_t until = certdir_monotonic() + seconds * CERTDIR_SECOND;
	int64_t left;

	(void)fflush(NULL);
	for (size_t i = 0; i < jobs->count; i++)
		start(doctor, &jobs->items[i]);
	while ((left = until - certdir_monotonic()) > 0 && hear_all(jobs, (int)(left / 1000) + 1))
		;
	for (size_t i = 0; i < jobs->count; i++)
		end(&jobs->items[i], seconds, findings);
	free(jobs->items);
	*jobs = (struct certdir_doctor_jobs){NULL, 0};
}
