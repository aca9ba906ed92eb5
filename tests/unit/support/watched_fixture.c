/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watched_fixture.h"

#include <pthread.h>
#include <time.h>

double seconds_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
char log_text[65536];

static void keep_log(enum certdir_log_level level, const char *text)
{
	static const char *const names[] = {"INFO ", "WARN ", "ERROR "};

	(void)pthread_mutex_lock(&log_mutex);
	if (strlen(log_text) + strlen(text) + 10 < sizeof(log_text))
		strcat(strcat(strcat(log_text, names[level]), text), "\n");
	(void)pthread_mutex_unlock(&log_mutex);
}

int log_count(const char *what)
{
	int count = 0;

	(void)pthread_mutex_lock(&log_mutex);
	for (const char *at = log_text; (at = strstr(at, what)); at++)
		count++;
	(void)pthread_mutex_unlock(&log_mutex);
	return count;
}

void log_clear(void)
{
	(void)pthread_mutex_lock(&log_mutex);
	log_text[0] = '\0';
	(void)pthread_mutex_unlock(&log_mutex);
}

void pause_briefly(void)
{
	(void)nanosleep(&(struct timespec){0, 5000000}, NULL);
}

void wait_for_log(const char *what)
{
	double end = seconds_now() + DEADLINE;

	while (!log_count(what)) {
		if (seconds_now() > end)
			fail_msg("\"%s\" was not logged; this was: %s", what, log_text);
		pause_briefly();
	}
}

struct certdir_directory *open_list(const struct certdir_list_config *config, bool watch)
{
	struct certdir_error error;
	struct certdir_directory *directory = certdir_list_directory_open(config, watch, &error);

	if (!directory)
		fail_msg("%s", error.text);
	return directory;
}

int watched_setup(void **state)
{
	certdir_log_set(keep_log);
	log_clear();
	return fixture_setup(state);
}
