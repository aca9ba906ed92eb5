/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sessions cost beside logins: COUNT of them (10,000), 1,000 Interim-Updates a second for ten seconds, then 500 denied by one edition. CPU of
 * all threads, how long a worker was held, what the file has.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/background.h"
#include "sessions/sessions.h"

static atomic_ulong editions;
static atomic_int denied, orders;

static uint64_t edition(void *context)
{
	(void)context;
	return atomic_load(&editions);
}

static void judge(void *context, const char *class, bool live, struct certdir_judgement *judgement)
{
	(void)context;
	(void)live;
	judgement->verdict = atoi(class + strlen("certdir:")) < atomic_load(&denied) ? CERTDIR_DENY : CERTDIR_ALLOW;
	judgement->reason = CERTDIR_DISABLED;
}

static void answer(void *context, const struct certdir_order *order)
{
	(void)context;
	atomic_fetch_add(&orders, 1);
	order->answered(order->to, order->id, CERTDIR_ORDER_DONE, 0);
}

static void hush(enum certdir_log_level level, const char *text)
{
	(void)level;
	(void)text;
}

static double cpu_seconds(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Microseconds that the worker was held. */
static int64_t take(struct certdir_sessions *sessions, enum certdir_packet_kind kind, int device)
{
	struct certdir_packet packet = {.kind = kind, .received = (int64_t)time(NULL)};
	char id[24], class[220], user[24];
	int64_t begin;

	(void)snprintf(id, sizeof(id), "4D2C0A91-%08X", device);
	(void)snprintf(user, sizeof(user), "host/pc%d", device);
	(void)snprintf(class, sizeof(class), "certdir:%08d-862c-51be-8b63-04a3f74b7604;%0120d", device, 0);
	(void)certdir_address_read(&packet.session.client, "192.0.2.1");
	packet.session.text[CERTDIR_SESSION_ID] = id;
	packet.session.text[CERTDIR_SESSION_CLASS] = class;
	packet.session.text[CERTDIR_SESSION_USER] = user;
	packet.session.text[CERTDIR_SESSION_NAS_IDENTIFIER] = "ap1";
	packet.session.text[CERTDIR_SESSION_STATION] = "02-00-00-00-00-01";
	packet.session.issued = 1;
	begin = certdir_monotonic();
	(void)certdir_sessions_take(sessions, &packet);
	return certdir_monotonic() - begin;
}

static void wait_until(int64_t moment)
{
	while (certdir_monotonic() < moment)
		(void)usleep(200);
}

static long size_of(const char *file, const char *end)
{
	char name[128];
	struct stat status;

	(void)snprintf(name, sizeof(name), "%s%s", file, end);
	return stat(name, &status) == 0 ? (long)(status.st_size / 1024) : 0;
}

static void run_interims(struct certdir_sessions *sessions, int count)
{
	const int64_t begin = certdir_monotonic();
	const double before = cpu_seconds();
	int64_t longest = 0;

	for (int i = 0; i < 10000; i++) {
		int64_t took;

		wait_until(begin + i * 1000);
		took = take(sessions, CERTDIR_PACKET_INTERIM, i % count);
		longest = took > longest ? took : longest;
	}
	printf("1,000 Interim-Updates a second: %.1f %% of a CPU, a worker held %lld us at most\n",
	       (cpu_seconds() - before) * 10, (long long)longest);
}

static void run_edition(struct certdir_sessions *sessions)
{
	const int64_t begin = certdir_monotonic();
	const double before = cpu_seconds();

	(void)sessions;
	atomic_store(&denied, 500);
	atomic_fetch_add(&editions, 1);
	while (atomic_load(&orders) < 500)
		(void)usleep(200);
	printf("500 denied by one edition: %.0f ms to the last order, %.0f ms of CPU\n",
	       (double)(certdir_monotonic() - begin) / 1000, (cpu_seconds() - before) * 1000);
}

int main(int argc, char **argv)
{
	const int count = argc > 1 ? atoi(argv[1]) : 10000;
	char file[] = "/tmp/bench-sessions.XXXXXX";
	const struct certdir_sessions_config config = {.filename = file,
						       .max_sessions = 1000000,
						       .max_disconnect = 100,
						       .judge = {.judge = judge, .edition = edition},
						       .sender = {.send = answer}};
	struct certdir_error error;
	struct certdir_sessions *sessions;
	double before;
	int64_t begin;

	(void)close(mkstemp(file));
	certdir_log_set(hush);
	sessions = certdir_sessions_open(&config, NULL, &error);
	if (!sessions || !certdir_sessions_start(sessions, &error))
		return 1;
	begin = certdir_monotonic();
	before = cpu_seconds();
	for (int i = 0; i < count; i++)
		(void)take(sessions, CERTDIR_PACKET_START, i);
	printf("%d sessions begin: %.1f us each, ", count, (double)(certdir_monotonic() - begin) / count);
	wait_until(begin + 3 * CERTDIR_SECOND);
	printf("%.0f us of CPU each with the file, %ld KiB and %ld KiB of journal\n",
	       (cpu_seconds() - before) * 1e6 / count, size_of(file, ""), size_of(file, "-wal"));
	run_interims(sessions, count);
	run_edition(sessions);
	begin = certdir_monotonic();
	certdir_sessions_close(sessions);
	sessions = certdir_sessions_open(&config, NULL, &error);
	printf("closed and loaded again in %.0f ms\n", (double)(certdir_monotonic() - begin) / 1000);
	certdir_sessions_close(sessions);
	return unlink(file);
}
