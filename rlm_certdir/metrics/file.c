/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics/file.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/background.h"
#include "base/replace.h"

enum { INTERVAL = 15 /* seconds: as often as Prometheus looks mostly */, MODE = 0644 };

struct certdir_metrics_file {
	const char *filename;
	void (*print)(void *context, struct certdir_exposition *to);
	void *context;
	pthread_t thread;
	pthread_mutex_t lock; /* of `ending` */
	pthread_cond_t wake;
	bool ending;
	bool failing; /* which was told */
};

/* The text, which the caller frees, or NULL with errno. */
static char *print(struct certdir_metrics_file *self)
{
	struct certdir_exposition to = {0};
	char *text = NULL;
	size_t size;

	to.out = open_memstream(&text, &size);
	if (!to.out)
		return NULL;
	self->print(self->context, &to);
	if (fclose(to.out) == 0)
		return text;
	free(text);
	errno = ENOMEM;
	return NULL;
}

static void write_once(struct certdir_metrics_file *self)
{
	char *text = print(self);
	const bool ok = text && certdir_replace(self->filename, text, MODE);

	if (!ok && !self->failing)
		certdir_log(
			CERTDIR_LOG_WARN,
			"metrics: %s cannot be written: %s; the user that radiusd runs as has to be able to make files "
			"in its directory",
			self->filename, strerror(errno));
	self->failing = !ok;
	free(text);
}

static void *run(void *context)
{
	struct certdir_metrics_file *self = context;
	bool ending = false;

	write_once(self);
	while (!ending) {
		const int64_t next = certdir_monotonic() + INTERVAL * CERTDIR_SECOND;

		(void)pthread_mutex_lock(&self->lock);
		while (!self->ending && certdir_condition_wait(&self->wake, &self->lock, next))
			;
		ending = self->ending;
		(void)pthread_mutex_unlock(&self->lock);
		write_once(self);
	}
	return NULL;
}

static void destroy(struct certdir_metrics_file *self)
{
	(void)pthread_cond_destroy(&self->wake);
	(void)pthread_mutex_destroy(&self->lock);
	free(self);
}

struct certdir_metrics_file *certdir_metrics_file_open(const char *filename,
						       void (*print_all)(void *context, struct certdir_exposition *to),
						       void *context, struct certdir_error *error)
{
	struct certdir_metrics_file *self = calloc(1, sizeof(*self));

	if (!self || !certdir_condition_init(&self->wake)) {
		certdir_error_set(error, "out of memory");
		free(self);
		return NULL;
	}
	(void)pthread_mutex_init(&self->lock, NULL);
	self->filename = filename;
	self->print = print_all;
	self->context = context;
	if (certdir_background_start(&self->thread, run, self, error))
		return self;
	destroy(self);
	return NULL;
}

void certdir_metrics_file_close(struct certdir_metrics_file *self)
{
	if (!self)
		return;
	(void)pthread_mutex_lock(&self->lock);
	self->ending = true;
	(void)pthread_cond_signal(&self->wake);
	(void)pthread_mutex_unlock(&self->lock);
	(void)pthread_join(self->thread, NULL);
	destroy(self);
}
