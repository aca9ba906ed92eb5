/* SPDX-License-Identifier: GPL-2.0-or-later */
/* certdir replay: what would have become of these logins? As of now: yesterday's ages, of a list of today, say nothing. */
#include "cli/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include <jansson.h>

#include "base/array.h"
#include "cli/commands.h"
#include "cli/judge.h"
#include "decision_json.h"
#include "facts.h"
#include "journal/json.h"
#include "text/timestamp.h"

enum { LINE_SIZE = 1 << 20 /* bytes; a longer line is no decision of ours */ };

struct run {
	const struct certdir_cli_options *options;
	const struct certdir_cli_judge *judge;
	struct certdir_cli_replay found;
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

/* The certificate is decided with its first login. NULL when it is none, or when memory is out. */
static struct certdir_cli_replayed *replay(struct run *run, const json_t *der, const json_t *user)
{
	const struct certdir_login login = {json_string_value(user), user ? json_string_length(user) : 0, run->now};
	const size_t length = json_string_length(der) + 1 + login.user_name_length;
	char *key = malloc(length + 1);
	struct certdir_cli_replayed *replayed = NULL;
	unsigned char *bytes;
	json_t *place;
	size_t size;

	if (!key) {
		run->failed = true;
		return NULL;
	}
	memcpy(key, json_string_value(der), json_string_length(der));
	key[json_string_length(der)] = ' ';
	if (login.user_name)
		memcpy(key + json_string_length(der) + 1, login.user_name, login.user_name_length);
	/* No name has a NUL in it, and none this either. */
	for (size_t i = 0; i < length; i++)
		key[i] = key[i] ? key[i] : '\1';
	key[length] = '\0';
	place = json_object_get(run->known, key);
	if (place) {
		replayed = &run->found.replayed[json_integer_value(place)];
	} else if ((bytes = certdir_json_unbase64(json_string_value(der), json_string_length(der), &size))) {
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

static bool parse_reason(const char *name, enum certdir_reason *reason)
{
	for (unsigned i = 0; name && i < CERTDIR_REASONS; i++)
		if (strcmp(certdir_reason_name((enum certdir_reason)i), name) == 0) {
			*reason = (enum certdir_reason)i;
			return true;
		}
	return false;
}

/* ISO 8601 in UTC sorts as text. */
static void note_time(struct certdir_cli_replay *found, const char *time)
{
	if (!found->from[0] || strcmp(time, found->from) < 0)
		(void)snprintf(found->from, sizeof(found->from), "%s", time);
	if (strcmp(time, found->to) > 0)
		(void)snprintf(found->to, sizeof(found->to), "%s", time);
}

/* False when it is no line of a journal. */
static bool take_object(struct run *run, const json_t *object)
{
	struct certdir_cli_replay *found = &run->found;
	const json_t *certificate = json_object_get(object, "certificate"), *der = json_object_get(certificate, "der"),
		     *user = json_object_get(json_object_get(object, "login"), "user_name"),
		     *version = json_object_get(object, "version"), *dropped = json_object_get(object, "dropped");
	const char *time = json_string_value(json_object_get(object, "time")),
		   *module = json_string_value(json_object_get(object, "module"));
	struct certdir_cli_replayed *replayed;
	enum certdir_reason reason;
	int64_t seconds;

	if (json_is_integer(version) && json_integer_value(version) != CERTDIR_JOURNAL_VERSION) {
		found->newer++;
		return true;
	}
	if (!version || !time || strlen(time) >= sizeof(found->from) || !certdir_timestamp_parse(time, &seconds) ||
	    !parse_reason(json_string_value(json_object_get(object, "reason")), &reason) ||
	    (der && !json_is_string(der)))
		return false;
	if (json_integer_value(dropped) > 0)
		found->missing += (uint64_t)json_integer_value(dropped);
	if (run->options->module && (!module || strcmp(module, run->options->module) != 0)) {
		found->elsewhere++;
		return true;
	}
	if (!der) {
		found->without++;
		return true;
	}
	replayed = replay(run, der, user);
	if (!replayed)
		return run->failed;
	replayed->logins[reason]++;
	found->logins++;
	note_time(found, time);
	return true;
}

static void leave_out(struct run *run, size_t number, const char *why)
{
	run->found.broken++;
	if (!run->told)
		fprintf(stderr, "certdir: %s[%zu]: %s: left out; of more such lines only the number is told\n",
			run->file, number, why);
	run->told = true;
}

static void take_line(struct run *run, const char *line, size_t length, size_t number)
{
	json_error_t error;
	json_t *object;

	if (!length)
		return;
	object = json_loadb(line, length, JSON_ALLOW_NUL, &error);
	if (!object)
		leave_out(run, number, "no JSON");
	else if (!take_object(run, object))
		leave_out(run, number, "no line of a journal");
	json_decref(object);
}

/* ---- files ---- */

/* All whole lines of the buffer. Returns how many bytes they took. */
static size_t take_lines(struct run *run, const char *buffer, size_t filled, size_t *number, bool *skipping)
{
	size_t begin = 0;
	const char *end;

	while (!run->failed && (end = memchr(buffer + begin, '\n', filled - begin))) {
		const size_t length = (size_t)(end - buffer) - begin;

		++*number;
		if (!*skipping)
			take_line(run, buffer + begin, length, *number);
		*skipping = false;
		begin += length + 1;
	}
	return begin;
}

/* A last line without its end is being written, or was cut: it is taken if it is whole. */
static void take_file(struct run *run, FILE *in, char *buffer)
{
	size_t filled = 0, more, taken, number = 0;
	bool skipping = false;

	run->told = false;
	while (!run->failed && (more = fread(buffer + filled, 1, LINE_SIZE - filled, in)) > 0) {
		filled += more;
		taken = take_lines(run, buffer, filled, &number, &skipping);
		filled -= taken;
		memmove(buffer, buffer + taken, filled);
		if (filled < LINE_SIZE)
			continue;
		if (!skipping)
			leave_out(run, number + 1, "a line of more than 1 MiB");
		skipping = true;
		filled = 0;
	}
	if (!run->failed && !skipping)
		take_line(run, buffer, filled, number + 1);
}

/* All of them before the process becomes the server's user, who may not be able to read them. */
static FILE **open_files(const struct certdir_cli_options *options)
{
	FILE **files = calloc(options->operand_count, sizeof(*files));

	for (size_t i = 0; files && i < options->operand_count; i++) {
		files[i] = strcmp(options->operands[i], "-") == 0 ? stdin : fopen(options->operands[i], "re");
		if (!files[i])
			fprintf(stderr, "certdir: %s: %s\n", options->operands[i], strerror(errno));
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
	char *buffer = malloc(LINE_SIZE);
	bool read = true;

	run->failed |= !buffer;
	for (size_t i = 0; !run->failed && i < run->options->operand_count; i++) {
		run->file = run->options->operands[i];
		take_file(run, files[i], buffer);
		if (!ferror(files[i]))
			continue;
		fprintf(stderr, "certdir: %s cannot be read to its end\n", run->file);
		read = false;
	}
	free(buffer);
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
	run->failed = !run->known;
	warn_of_findings(run->judge);
	whole = read_files(run, files);
	if (run->failed) {
		fprintf(stderr, "certdir: out of memory\n");
		return EX_OSERR;
	}
	if (!run->options->json)
		certdir_cli_replay_print(&run->found);
	else if (!certdir_cli_replay_print_json(&run->found))
		return EX_OSERR;
	return !whole || !run->found.logins ? EX_DATAERR : anything_changes(&run->found) ? 1 : 0;
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
