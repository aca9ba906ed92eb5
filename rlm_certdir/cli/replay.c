/* SPDX-License-Identifier: GPL-2.0-or-later */
/* certdir replay: what would have become of these logins? As of now: yesterday's ages, of a list of today, say nothing. */
#include "cli/replay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include <jansson.h>

#include "base/array.h"
#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/journal_lines.h"
#include "cli/judge.h"
#include "cli/replay_line.h"
#include "decision_json.h"
#include "facts.h"
#include "journal/json.h"
#include "text/timestamp.h"

struct run {
	const struct certdir_cli_options *options;
	const struct certdir_cli_judge *judge;
	struct certdir_cli_replay found;
	struct certdir_cli_replay_line line; /* that is read */
	json_t *known; /* certificate and outer identity -> place in `found.replayed` */
	int64_t now;
	bool failed; /* memory is out */
	const char *file; /* that is read */
	bool told; /* that a line of it was left out */
};

/* ---- one login ---- */

static char *copy(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

static void decide(struct run *run, struct certdir_cli_replayed *replayed, const unsigned char *der, size_t length,
		   const struct certdir_login *login)
{
	struct certdir_check check;

	certdir_check_der(&check, run->judge->checker, der, length, login);
	replayed->subject = copy(check.certificate.subject);
	replayed->serial = copy(check.certificate.serial);
	if (check.decision.record_count)
		replayed->device = copy(CERTDIR_FACT(&check.decision, id));
	replayed->reason = check.decision.reason;
	replayed->detail = copy(check.decision.detail);
	certdir_check_clear(&check);
}

/* Certificate and outer identity as one text. No name has a NUL in it, and this none either. NULL when memory is out. */
static char *key_of(const struct certdir_cli_replay_line *line)
{
	const size_t length = line->der.length + 1 + line->user_name.length;
	char *key = malloc(length + 1);

	if (!key)
		return NULL;
	memcpy(key, line->der.bytes, line->der.length);
	key[line->der.length] = ' ';
	memcpy(key + line->der.length + 1, line->user_name.bytes, line->user_name.length);
	key[length] = '\0';
	for (char *at = key; (at = memchr(at, 0, length - (size_t)(at - key)));)
		*at = '\1';
	return key;
}

/* The certificate is decided with its first login. NULL when it is none, or when memory is out. */
static struct certdir_cli_replayed *replay(struct run *run)
{
	const struct certdir_cli_replay_line *line = &run->line;
	const struct certdir_login login = {line->user_name.there ? line->user_name.bytes : NULL,
					    line->user_name.length, run->now};
	struct certdir_cli_replayed *replayed = NULL;
	char *key = key_of(line);
	json_t *place = key ? json_object_get(run->known, key) : NULL;
	unsigned char *bytes;
	size_t size;

	run->failed |= !key;
	if (place) {
		replayed = &run->found.replayed[json_integer_value(place)];
	} else if (key && (bytes = certdir_json_unbase64(line->der.bytes, line->der.length, &size))) {
		replayed = certdir_array_next(&run->found.replayed, run->found.count, sizeof(*replayed));
		if (replayed)
			decide(run, replayed, bytes, size, &login);
		run->failed |= !replayed ||
			       json_object_set_new(run->known, key, json_integer((json_int_t)run->found.count)) != 0;
		run->found.count += replayed != NULL;
		free(bytes);
	}
	free(key);
	return replayed;
}

/* ---- one line ---- */

/* ISO 8601 in UTC sorts as text. */
static void note_time(struct certdir_cli_replay *found, const char *time)
{
	if (!found->from[0] || strcmp(time, found->from) < 0)
		(void)snprintf(found->from, sizeof(found->from), "%s", time);
	if (strcmp(time, found->to) > 0)
		(void)snprintf(found->to, sizeof(found->to), "%s", time);
}

/* False when it is no line of a journal. */
static bool take_login(struct run *run)
{
	struct certdir_cli_replay *found = &run->found;
	const struct certdir_cli_replay_line *line = &run->line;
	const char *module = run->options->module;
	struct certdir_cli_replayed *replayed;
	enum certdir_reason reason;
	int64_t seconds;

	if (line->version && line->version != CERTDIR_JOURNAL_VERSION) {
		found->newer++;
		return true;
	}
	if (!line->version || !certdir_timestamp_parse(line->time, &seconds) ||
	    !certdir_reason_read(line->reason, &reason))
		return false;
	found->missing += line->dropped > 0 ? (uint64_t)line->dropped : 0;
	if (module && strcmp(line->module, module) != 0) {
		found->elsewhere++;
		return true;
	}
	if (!line->der.there) {
		found->without++;
		return true;
	}
	replayed = replay(run);
	if (!replayed)
		return run->failed;
	replayed->logins[reason]++;
	found->logins++;
	note_time(found, line->time);
	return true;
}

static void leave_out(struct run *run, size_t number)
{
	run->found.broken++;
	if (!run->told)
		fprintf(stderr, "certdir: %s[%zu]: no line of a journal: left out; others in it are only counted\n",
			run->file, number);
	run->told = true;
}

static bool take_line(void *context, const char *text, size_t length, size_t number)
{
	struct run *run = context;

	if (!(text && certdir_cli_replay_line_read(&run->line, text, length) && take_login(run)))
		leave_out(run, number);
	return !run->failed;
}

/* ---- files ---- */

/* All of them before the process becomes the server's user, who may not be able to read them. */
static FILE **open_files(const struct certdir_cli_options *options)
{
	FILE **files = calloc(options->operand_count, sizeof(*files));

	for (size_t i = 0; files && i < options->operand_count; i++) {
		files[i] = strcmp(options->operands[i], "-") == 0 ? stdin : fopen(options->operands[i], "re");
		if (!files[i])
			(void)certdir_cli_fail(EX_NOINPUT, options->operands[i], "%s: %s", options->operands[i],
					       strerror(errno));
	}
	return files;
}

static bool all_open(FILE **files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!files[i])
			return false;
	return true;
}

static void close_files(FILE **files, size_t count)
{
	for (size_t i = 0; files && i < count; i++)
		if (files[i])
			(void)fclose(files[i]);
	free(files);
}

static bool read_files(struct run *run, FILE **files)
{
	bool read = true;

	for (size_t i = 0; !run->failed && i < run->options->operand_count; i++) {
		run->file = run->options->operands[i];
		run->told = false;
		run->failed |= !certdir_cli_journal_each(files[i], take_line, run);
		if (!ferror(files[i]))
			continue;
		(void)certdir_cli_fail(EX_NOINPUT, run->file, "%s cannot be read to its end", run->file);
		read = false;
	}
	return read;
}

/* ---- the command ---- */

bool certdir_cli_replay_matters(enum certdir_reason from, enum certdir_reason to)
{
	return (certdir_reason_verdict(from) == CERTDIR_ALLOW) != (certdir_reason_verdict(to) == CERTDIR_ALLOW);
}

struct certdir_cli_replay_change certdir_cli_replay_change(const struct certdir_cli_replay *replay,
							   enum certdir_reason from, enum certdir_reason to)
{
	struct certdir_cli_replay_change change = {0, 0};

	for (size_t i = 0; i < replay->count; i++)
		if (replay->replayed[i].reason == to) {
			change.logins += replay->replayed[i].logins[from];
			change.certificates += replay->replayed[i].logins[from] > 0;
		}
	return change;
}

static bool anything_changes(const struct certdir_cli_replay *replay)
{
	for (size_t i = 0; i < replay->count; i++)
		for (unsigned from = 0; from < CERTDIR_REASONS; from++)
			if (replay->replayed[i].logins[from] &&
			    certdir_cli_replay_matters((enum certdir_reason)from, replay->replayed[i].reason))
				return true;
	return false;
}

static void clear(struct run *run)
{
	for (size_t i = 0; i < run->found.count; i++) {
		free(run->found.replayed[i].subject);
		free(run->found.replayed[i].serial);
		free(run->found.replayed[i].device);
		free(run->found.replayed[i].detail);
	}
	free(run->found.replayed);
	json_decref(run->known);
	certdir_cli_replay_line_clear(&run->line);
}

/* Decisions are as good as ever, but nobody is asked for them. */
static void warn_of_findings(const struct certdir_cli_judge *judge)
{
	for (size_t f = 0; f < judge->finding_count; f++)
		if (judge->findings[f].error)
			fprintf(stderr, "certdir: radiusd does not start with this configuration: %s[%d]: %s\n",
				judge->findings[f].file, judge->findings[f].line, judge->findings[f].text);
}

/* That a list is loaded is no news here. */
static void tell(enum certdir_log_level level, const char *text)
{
	if (level != CERTDIR_LOG_INFO)
		fprintf(stderr, "certdir: %s\n", text);
}

static int replay_files(struct run *run, FILE **files)
{
	bool whole;

	run->known = json_object();
	run->failed = !run->known || !certdir_cli_replay_line_init(&run->line);
	warn_of_findings(run->judge);
	whole = read_files(run, files);
	if (run->failed)
		return certdir_cli_fail(EX_OSERR, NULL, "out of memory");
	/* "0 logins" of a file that nobody could read would look like a result. */
	if (!whole && !run->found.logins)
		return EX_NOINPUT;
	if (!run->options->json)
		certdir_cli_replay_print(&run->found);
	else if (!certdir_cli_replay_print_json(&run->found))
		return EX_OSERR;
	if (!run->found.logins)
		return certdir_cli_fail(EX_DATAERR, run->file, "there is no login in it that can be decided again%s",
					run->found.without ? ": its lines have no certificate" : "");
	return !whole ? EX_NOINPUT : anything_changes(&run->found) ? 1 : 0;
}

int certdir_cli_replay(const struct certdir_cli_options *options)
{
	struct certdir_cli_judge judge;
	struct run run = {.options = options, .judge = &judge, .now = (int64_t)time(NULL)};
	FILE **files = open_files(options);
	int status = EX_NOINPUT;

	/* Neither an LDAP server that ends the connection nor the watchdog that does must end the program. */
	(void)signal(SIGPIPE, SIG_IGN);
	certdir_log_set(tell);
	if (files && all_open(files, options->operand_count)) {
		status = certdir_cli_judge_open(&judge, options, 0);
		if (!status) {
			status = replay_files(&run, files);
			certdir_cli_judge_close(&judge);
		}
	}
	clear(&run);
	close_files(files, options->operand_count);
	return status;
}
