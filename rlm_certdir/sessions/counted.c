/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sessions/counted.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_PAUSE = 600, LONGEST_PAUSE = 3600 }; /* seconds */

struct certdir_counted {
	size_t sessions;
	uint64_t count; /* that the marks are of */
	unsigned marks;
	unsigned times; /* that it was put out, and not agreed about since */
	enum certdir_reason reason; /* the last time */
	int64_t put_out; /* when that was */
	const char *id; /* stands behind it */
	size_t length;
};

static int by_id(const void *a, const void *b)
{
	const struct certdir_counted *left = a, *right = b;

	if (left->length != right->length)
		return left->length < right->length ? -1 : 1;
	return memcmp(left->id, right->id, left->length);
}

static struct certdir_counted *add(void **tree, const struct certdir_counted *sought)
{
	struct certdir_counted *device = malloc(sizeof(*device) + sought->length);

	if (!device)
		return NULL;
	*device = *sought;
	device->id = memcpy(device + 1, sought->id, sought->length);
	if (tsearch(device, tree, by_id))
		return device;
	free(device);
	return NULL;
}

struct certdir_counted *certdir_counted_take(void **tree, const struct certdir_session *session)
{
	struct certdir_counted sought = {.sessions = 0};
	struct certdir_counted *const *found;
	struct certdir_counted *device;

	sought.id = certdir_session_device(session, &sought.length);
	if (!sought.id) {
		sought.id = session->text[CERTDIR_SESSION_CLASS];
		sought.length = strlen(sought.id);
	}
	found = tfind(&sought, tree, by_id);
	device = found ? *found : add(tree, &sought);
	if (device)
		device->sessions++;
	return device;
}

void certdir_counted_give(void **tree, struct certdir_counted *device)
{
	if (!device || --device->sessions > 0)
		return;
	(void)tdelete(device, tree, by_id);
	free(device);
}

bool certdir_counted_mark(struct certdir_counted *device, uint64_t count, unsigned mark)
{
	if (device->count != count)
		device->marks = 0;
	device->count = count;
	if (device->marks & mark)
		return false;
	device->marks |= mark;
	return true;
}

void certdir_counted_put_out(struct certdir_counted *device, enum certdir_reason reason, int64_t now)
{
	/* Its other sessions, which end with this one. */
	if (device->times && device->reason == reason && now < device->put_out + FIRST_PAUSE)
		return;
	device->times = device->reason == reason ? device->times + 1 : 1;
	device->reason = reason;
	device->put_out = now;
}

void certdir_counted_agree(struct certdir_counted *device)
{
	device->times = 0;
}

bool certdir_counted_is_news(const struct certdir_counted *device, int64_t issued, enum certdir_reason reason)
{
	return device->times == 0 || device->reason != reason || (device->times == 1 && issued <= device->put_out);
}

int64_t certdir_counted_when(const struct certdir_counted *device, int64_t issued, enum certdir_reason reason,
			     int64_t now)
{
	int64_t pause = FIRST_PAUSE;

	if (!device->times || device->reason != reason || issued < device->put_out)
		return now;
	for (unsigned i = 1; i < device->times && pause < LONGEST_PAUSE; i++)
		pause *= 2;
	pause = pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE;
	/* Further away: the clock was set. */
	return device->put_out + pause > now && device->put_out <= now ? device->put_out + pause : now;
}
