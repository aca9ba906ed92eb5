/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/watchdog.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/background.h"

struct certdir_watchdog {
	pthread_t thread;
	pthread_mutex_t mutex; /* guards all below, and the fields of everything that is watched */
	pthread_cond_t wake;
	bool stop;
	bool halted;
	int64_t wakes_at; /* when the thread will look next */
	struct certdir_watched *watched;
};

/* Shuts down what is late; returns when the next one would be. */
static int64_t shut_down_late(struct certdir_watchdog *watchdog)
{
	const int64_t now = certdir_monotonic();
	int64_t next = INT64_MAX;

	for (struct certdir_watched *watched = watchdog->watched; watched; watched = watched->next) {
		if (!watched->until || watched->fd < 0 || watched->shut_down)
			continue;
		if (watched->until <= now) {
			watched->shut_down = true;
			(void)shutdown(watched->fd, SHUT_RDWR);
		} else if (watched->until < next) {
			next = watched->until;
		}
	}
	return next;
}

static void *watch(void *context)
{
	struct certdir_watchdog *watchdog = context;

	(void)pthread_mutex_lock(&watchdog->mutex);
	while (!watchdog->stop) {
		watchdog->wakes_at = shut_down_late(watchdog);
		(void)certdir_condition_wait(&watchdog->wake, &watchdog->mutex, watchdog->wakes_at);
	}
	(void)pthread_mutex_unlock(&watchdog->mutex);
	return NULL;
}

struct certdir_watchdog *certdir_watchdog_start(struct certdir_error *error)
{
	struct certdir_watchdog *watchdog = calloc(1, sizeof(*watchdog));

	if (!watchdog || !certdir_condition_init(&watchdog->wake)) {
		certdir_error_set(error, "out of memory");
		free(watchdog);
		return NULL;
	}
	(void)pthread_mutex_init(&watchdog->mutex, NULL);
	if (certdir_background_start(&watchdog->thread, watch, watchdog, error))
		return watchdog;
	(void)pthread_cond_destroy(&watchdog->wake);
	(void)pthread_mutex_destroy(&watchdog->mutex);
	free(watchdog);
	return NULL;
}

void certdir_watchdog_halt(struct certdir_watchdog *watchdog)
{
	(void)pthread_mutex_lock(&watchdog->mutex);
	watchdog->halted = true;
	for (struct certdir_watched *watched = watchdog->watched; watched; watched = watched->next)
		if (watched->until)
			watched->until = 1;
	(void)pthread_cond_signal(&watchdog->wake);
	(void)pthread_mutex_unlock(&watchdog->mutex);
}

void certdir_watchdog_stop(struct certdir_watchdog *watchdog)
{
	if (!watchdog)
		return;
	(void)pthread_mutex_lock(&watchdog->mutex);
	watchdog->stop = true;
	(void)pthread_cond_signal(&watchdog->wake);
	(void)pthread_mutex_unlock(&watchdog->mutex);
	(void)pthread_join(watchdog->thread, NULL);
	(void)pthread_cond_destroy(&watchdog->wake);
	(void)pthread_mutex_destroy(&watchdog->mutex);
	free(watchdog);
}

void certdir_watched_init(struct certdir_watched *watched, struct certdir_watchdog *watchdog)
{
	*watched = (struct certdir_watched){.watchdog = watchdog, .fd = -1};
	(void)pthread_mutex_lock(&watchdog->mutex);
	watched->next = watchdog->watched;
	watched->link = &watchdog->watched;
	if (watched->next)
		watched->next->link = &watched->next;
	watchdog->watched = watched;
	(void)pthread_mutex_unlock(&watchdog->mutex);
}

void certdir_watched_clear(struct certdir_watched *watched)
{
	if (!watched->watchdog)
		return;
	(void)pthread_mutex_lock(&watched->watchdog->mutex);
	*watched->link = watched->next;
	if (watched->next)
		watched->next->link = watched->link;
	(void)pthread_mutex_unlock(&watched->watchdog->mutex);
	if (watched->fd >= 0)
		(void)close(watched->fd);
	watched->watchdog = NULL;
}

/* Most deadlines end long before the thread would look, and the next begins later: it is seldom woken. Mutex held. */
static void wake_for(const struct certdir_watched *watched)
{
	struct certdir_watchdog *watchdog = watched->watchdog;

	if (watched->until && watched->fd >= 0 && watched->until < watchdog->wakes_at)
		(void)pthread_cond_signal(&watchdog->wake);
}

bool certdir_watched_socket(struct certdir_watched *watched, int fd)
{
	const int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0), former = watched->fd;

	if (fd >= 0 && copy < 0)
		return false;
	(void)pthread_mutex_lock(&watched->watchdog->mutex);
	watched->fd = copy;
	wake_for(watched);
	(void)pthread_mutex_unlock(&watched->watchdog->mutex);
	if (former >= 0)
		(void)close(former);
	return true;
}

void certdir_watched_begin(struct certdir_watched *watched, int64_t until)
{
	(void)pthread_mutex_lock(&watched->watchdog->mutex);
	watched->until = watched->watchdog->halted ? 1 : until;
	wake_for(watched);
	(void)pthread_mutex_unlock(&watched->watchdog->mutex);
}

bool certdir_watched_end(struct certdir_watched *watched)
{
	bool shut_down;

	(void)pthread_mutex_lock(&watched->watchdog->mutex);
	watched->until = 0;
	shut_down = watched->shut_down;
	(void)pthread_mutex_unlock(&watched->watchdog->mutex);
	return shut_down;
}
