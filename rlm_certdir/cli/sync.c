/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <time.h>

#include "asking/socket.h"
#include "base/background.h"
#include "base/notify.h"
#include "base/signature.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/conf_file.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/sync_report.h"
#include "cli/words.h"
#include "sync/last_run.h"
#include "text/timestamp.h"

enum { INTERVAL_MAX = 30 * 86400 }; /* seconds */

/* ---- certdir.conf ---- */

/* A reading of the file. One that is not the last stays as long as something that was begun with it is under way. */
struct generation {
	struct certdir_cli_conf loaded;
	struct certdir_signature file; /* as it was then */
	struct generation *older;
};

static void free_generation(struct generation *generation)
{
	certdir_cli_conf_clear(&generation->loaded);
	free(generation);
}

/* Found out before anything is fetched that could not be published. */
static bool can_sign(const struct certdir_sync_config *config)
{
	struct certdir_error error;
	struct certdir_list_keys *signer;

	if (!config->signing_key)
		return true;
	signer = certdir_list_keys_private(config->signing_key, &error);
	if (!signer)
		(void)certdir_cli_fail(EX_CONFIG, config->signing_key, "signing_key_file: %s", error.text);
	certdir_list_keys_close(signer);
	return signer != NULL;
}

/* The new first of `older`; NULL when there is none to be had, after saying why. */
static struct generation *load(const struct certdir_cli_options *options, struct generation *older)
{
	struct generation *fresh = calloc(1, sizeof(*fresh));

	if (!fresh) {
		(void)certdir_cli_fail(EX_CONFIG, NULL, "out of memory");
		return NULL;
	}
	/* Before it is read: what changes meanwhile is seen the next time. */
	certdir_signature_take(&fresh->file, options->conf);
	if (certdir_cli_conf_load(options->conf, false, &fresh->loaded)) {
		fresh->older = older;
		if (fresh->loaded.config.count > 0 && can_sign(&fresh->loaded.config))
			return fresh;
		if (!fresh->loaded.config.count)
			(void)certdir_cli_fail(
				EX_CONFIG, options->conf,
				"%s has no [tenant NAME] and no [ldap NAME]: there is nothing to sync; see "
				"certdir.conf(5)",
				options->conf);
	}
	free_generation(fresh);
	return NULL;
}

/*
 * A file that is broken now is no reason to stop: the last good one stays in use. One that has not changed does, too, with the
 * connections and tokens that were made for it.
 */
static struct generation *reload(const struct certdir_cli_options *options, struct generation *last)
{
	struct certdir_signature now;
	struct generation *fresh;

	certdir_signature_take(&now, options->conf);
	if (certdir_signature_same(&now, &last->file))
		return last;
	fresh = load(options, last);
	if (!fresh)
		fprintf(stderr, "certdir: going on with %s as it was\n", options->conf);
	return fresh ? fresh : last;
}

static void forget_unused(const struct certdir_sync *sync, struct generation *last)
{
	struct generation **at = &last->older;

	while (*at) {
		struct generation *old = *at;

		if (certdir_sync_uses(sync, &old->loaded.config)) {
			at = &old->older;
		} else {
			*at = old->older;
			free_generation(old);
		}
	}
}

/* ---- signals ---- */

static atomic_int stop; /* SIGTERM, SIGINT */
static atomic_int hurry; /* SIGHUP, --now: the next round begins now */
static bool staying;

static void take_signal(int number)
{
	if (number == SIGHUP && staying)
		hurry = 1;
	else
		stop = 1;
}

static void catch_signals(bool stay)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = take_signal}; /* no SA_RESTART: a wait shall end */

	staying = stay;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigaction(numbers[i], &action, NULL);
	/* A reader of stdout, or a server, that went away is an error and not the end. */
	(void)signal(SIGPIPE, SIG_IGN);
}

/* Until `when` (certdir_monotonic), a signal, or something that `event` tells of. */
static void wait_until(int64_t when, int event)
{
	struct pollfd poll = {.fd = event, .events = POLLIN};
	const int64_t left = when - certdir_monotonic();
	const struct timespec timeout = {.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};
	sigset_t all, before;

	if (left <= 0)
		return;
	/* Signals get through in ppoll() alone, so that none comes between the look and the wait. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	if (!stop && !hurry)
		(void)ppoll(&poll, 1, &timeout, &before);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

/* ---- what is shown ---- */

static bool print_change(void *context, const struct certdir_list_change *change)
{
	const struct certdir_cli_options *options = context;

	certdir_cli_progress_clear();
	if (options->json)
		return certdir_cli_change_print_json(change);
	certdir_cli_change_print_would(change);
	return !ferror(stdout);
}

/* For certdir_sync_watch(). */
static void draw_view(void *context, const struct certdir_sync_view *view)
{
	const char *part = certdir_sync_part_name(view->part);
	const uint64_t rate =
		view->microseconds > 0 ? (uint64_t)view->objects * 1000000 / (uint64_t)view->microseconds : 0;

	(void)context;
	if (view->waiting[0])
		certdir_cli_progress_line("%s: %s: %s", view->tenant, part, view->waiting);
	else
		certdir_cli_progress_line("%s: %s: %zu page%s, %zu object%s, %" PRIu64 " a second", view->tenant, part,
					  view->pages, certdir_cli_plural(view->pages), view->objects,
					  certdir_cli_plural(view->objects), rate);
}

static void draw(struct certdir_sync *sync)
{
	if (!certdir_cli_progress_lines())
		return;
	certdir_sync_watch(sync, draw_view, NULL);
	certdir_cli_progress_drawn();
}

/* What was asked for as JSON comes once in one run, and with each news of a program that stays. */
static void keep_report(const struct certdir_cli_sync_run *run, const struct certdir_cli_options *options)
{
	json_t *report = certdir_cli_sync_json(run);
	struct certdir_error error;

	if (!report) {
		fprintf(stderr, "certdir: the report cannot be made: out of memory\n");
		return;
	}
	if (options->json && (run->idle || options->interval))
		(void)certdir_cli_json_print(json_incref(report));
	if (!run->dry_run && !certdir_sync_last_run_save(run->config, report, &error))
		fprintf(stderr, "certdir: warning: %s\n", error.text);
	json_decref(report);
}

/* For `systemctl status`: when the list was last brought up to date, or what is in the way. */
static void tell_service(const struct certdir_cli_sync_run *run, int status)
{
	char at[CERTDIR_TIMESTAMP_SIZE];

	if (!run->idle || run->stopped)
		return;
	certdir_timestamp_print((int64_t)time(NULL), at);
	if (status == CERTDIR_CLI_SYNC_DONE)
		certdir_notify_say("STATUS=%s: %zu source%s synced", at, run->report->count,
				   certdir_cli_plural(run->report->count));
	else
		certdir_notify_say("STATUS=%s: not all could be synced: see certdir status", at);
}

/* Returns the exit code, as far as it is known. */
static int tell(struct certdir_sync *sync, const struct certdir_cli_options *options,
		const struct certdir_sync_config *config, int64_t began, size_t rounds)
{
	const struct certdir_cli_sync_run run = {.config = config,
						 .report = certdir_sync_report(sync),
						 .sync = sync,
						 .idle = certdir_sync_idle(sync),
						 .stopped = stop,
						 .dry_run = options->dry_run,
						 .quiet = rounds > 1,
						 .milliseconds = (certdir_monotonic() - began) / 1000};
	const int status = certdir_cli_sync_exit(&run);

	certdir_cli_progress_clear();
	certdir_cli_sync_print(&run, options->json);
	/* Who was stopped before there was anything has nothing to tell. */
	if ((run.idle || run.report->edition) && (status != CERTDIR_CLI_SYNC_STOPPED || run.report->published))
		keep_report(&run, options);
	(void)fflush(stdout);
	tell_service(&run, status);
	return status;
}

/* ---- rounds ---- */

/*
 * Until the next round: up to a tenth sooner than said, so that the programs of many servers, which were started at the same time, do not
 * ask all at once.
 */
static int64_t until_next(int64_t interval)
{
	const int64_t most = interval * CERTDIR_SECOND;
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		random = (uint32_t)certdir_monotonic();
	return most - most / 10 * (random % 1000) / 1000;
}

/*
 * Tells systemd that rounds go on, when it is time to: by the loop that does the work, so that one that hangs is found out. Returns when the next time
 * is.
 */
static int64_t feed_watchdog(void)
{
	const int64_t within = certdir_notify_watchdog(), now = certdir_monotonic();
	static int64_t next;

	if (within == 0)
		return INT64_MAX;
	if (now >= next) {
		certdir_notify("WATCHDOG=1");
		next = now + within / 3;
	}
	return next;
}

static void answer_servers(struct certdir_sync *sync)
{
	struct certdir_error error;

	if (!certdir_sync_answer(sync, &hurry, &error))
		fprintf(stderr, "certdir: warning: no server can ask for devices: %s\n", error.text);
}

static void begin_round(struct certdir_sync *sync, const struct certdir_cli_options *options, size_t round,
			struct generation **last)
{
	/* Who asks for a round by hand has changed something, perhaps a group. */
	const bool paced = options->interval && round > 0 && !hurry;

	hurry = 0;
	if (round > 0)
		*last = reload(options, *last);
	certdir_sync_begin(sync, &(*last)->loaded.config, paced);
	forget_unused(sync, *last);
	if (options->interval && round == 0)
		answer_servers(sync);
}

/* Until everything is done, or for ever with an interval. */
static int run_rounds(struct certdir_sync *sync, const struct certdir_cli_options *options, int64_t interval,
		      struct generation **last)
{
	int64_t next = certdir_monotonic(), began = next, fed, next_wait;
	int status = CERTDIR_CLI_SYNC_STOPPED;
	size_t rounds = 0;

	for (;;) {
		fed = feed_watchdog();
		if (!stop && (hurry || certdir_monotonic() >= next)) {
			began = certdir_monotonic();
			begin_round(sync, options, rounds++, last);
			next = interval ? began + until_next(interval) : INT64_MAX;
		}
		if (certdir_sync_step(sync))
			status = tell(sync, options, &(*last)->loaded.config, began, rounds);
		if (certdir_sync_idle(sync) && (stop || !interval))
			return interval ? 0 : status;
		draw(sync);
		next_wait = certdir_earlier(certdir_earlier(next, fed), certdir_sync_next(sync));
		if (!certdir_sync_idle(sync))
			next_wait = certdir_earlier(next_wait, certdir_cli_progress_next());
		wait_until(next_wait, certdir_sync_event(sync));
	}
}

static int run(const struct certdir_cli_options *options, int64_t interval, struct generation **last)
{
	const struct certdir_sync_options sync_options = {.full = options->full,
							  .force = options->force,
							  .dry_run = options->dry_run,
							  .stop = &stop,
							  .change = options->dry_run ? print_change : NULL,
							  .context = (void *)options};
	struct certdir_error error;
	struct certdir_sync *sync = certdir_sync_open(&sync_options, &error);
	int status;

	if (!sync)
		return certdir_cli_fail(CERTDIR_CLI_SYNC_NONE, NULL, "%s", error.text);
	certdir_cli_progress_begin();
	if (interval)
		certdir_notify("READY=1");
	status = run_rounds(sync, options, interval, last);
	if (interval)
		certdir_notify("STOPPING=1");
	certdir_cli_progress_end();
	certdir_sync_close(sync);
	return status;
}

/* Has the one that stays begin a round. Returns the exit code. */
static int wake(const struct certdir_cli_options *options, const struct generation *last)
{
	static const struct certdir_question question = {.what = CERTDIR_ASKING_ROUND};
	const char *list = last->loaded.config.list;
	struct certdir_error error;

	switch (certdir_asking_ask(list, &question, certdir_monotonic() + 5 * CERTDIR_SECOND, &error)) {
	case CERTDIR_REPLY_DONE:
		return 0;
	case CERTDIR_REPLY_REFUSED:
		fprintf(stderr, "certdir: only root and the user that runs certdir sync --interval may wake it\n");
		break;
	default:
		fprintf(stderr,
			"certdir: no certdir sync --interval of %s can be woken (%s): start it, or run certdir sync\n",
			options->conf, error.text);
	}
	return CERTDIR_CLI_SYNC_NONE;
}

int certdir_cli_sync(const struct certdir_cli_options *options)
{
	struct generation *last, *older;
	int64_t interval = 0;
	int status;

	if (options->interval &&
	    (!certdir_duration_parse(options->interval, &interval) || interval < 1 || interval > INTERVAL_MAX))
		return certdir_cli_misuse(options, "--interval",
					  "--interval is a number with s, m, h or d, from 1s to 30d");
	if (interval && (options->force || options->dry_run))
		return certdir_cli_misuse(options, "--interval",
					  "--force and --dry-run are for one run, without --interval");
	if (options->now && (interval || options->full || options->force || options->dry_run || options->json))
		return certdir_cli_misuse(options, "--now",
					  "--now wakes the certdir sync that stays, and takes no other option");
	last = load(options, NULL);
	if (!last)
		return EX_CONFIG;
	if (options->now) {
		status = wake(options, last);
	} else {
		catch_signals(interval != 0);
		status = run(options, interval, &last);
	}
	for (; last; last = older) {
		older = last->older;
		free_generation(last);
	}
	return status;
}
