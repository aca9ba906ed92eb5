/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "asking/client.h"

#include <stdlib.h>

#include "asking/socket.h"
#include "base/background.h"

enum { FAILURES_MAX = 2 }; /* in a row */

struct certdir_asker {
	const char *list;
	unsigned most;
	pthread_mutex_t mutex; /* guards what follows */
	unsigned waiting;
	unsigned failures;
	int64_t again_at; /* certdir_monotonic() */
};

struct certdir_asker *certdir_asker_open(const char *list, unsigned most)
{
	struct certdir_asker *asker = calloc(1, sizeof(*asker));

	if (!asker)
		return NULL;
	asker->list = list;
	asker->most = most;
	(void)pthread_mutex_init(&asker->mutex, NULL);
	return asker;
}

void certdir_asker_close(struct certdir_asker *asker)
{
	if (!asker)
		return;
	(void)pthread_mutex_destroy(&asker->mutex);
	free(asker);
}

/* Whether to ask. Of those who come after a rest the first does, and the others find that it is not over. */
static bool enter(struct certdir_asker *asker)
{
	bool may;

	(void)pthread_mutex_lock(&asker->mutex);
	may = asker->waiting < asker->most &&
	      (asker->failures < FAILURES_MAX || certdir_monotonic() >= asker->again_at);
	if (may)
		asker->waiting++;
	if (may && asker->failures >= FAILURES_MAX)
		asker->again_at = certdir_monotonic() + CERTDIR_ASKING_REST;
	(void)pthread_mutex_unlock(&asker->mutex);
	return may;
}

static void leave(struct certdir_asker *asker, bool answered, const struct certdir_error *error)
{
	bool failed, back;

	(void)pthread_mutex_lock(&asker->mutex);
	asker->waiting--;
	back = answered && asker->failures >= FAILURES_MAX;
	asker->failures = answered ? 0 : asker->failures + 1;
	failed = asker->failures == FAILURES_MAX;
	if (!answered)
		asker->again_at = certdir_monotonic() + CERTDIR_ASKING_REST;
	(void)pthread_mutex_unlock(&asker->mutex);
	if (failed)
		certdir_log(CERTDIR_LOG_WARN,
			    "ask = yes: %s: devices that the list does not have yet are unknown until certdir sync "
			    "--interval answers there again",
			    error->text);
	if (back)
		certdir_log(CERTDIR_LOG_INFO, "ask = yes: %s" CERTDIR_ASKING_SUFFIX " answers again", asker->list);
}

enum certdir_reply certdir_asker_ask(struct certdir_asker *asker, const struct certdir_question *question)
{
	struct certdir_error error = {.text = ""};
	enum certdir_reply reply;

	if (!enter(asker))
		return CERTDIR_REPLY_NONE;
	reply = certdir_asking_ask(asker->list, question, certdir_monotonic() + CERTDIR_ASKING_WAIT, &error);
	leave(asker, reply != CERTDIR_REPLY_NONE, &error);
	return reply;
}
