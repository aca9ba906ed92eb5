/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sessions/counted.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct certdir_counted {
	size_t sessions;
	uint64_t count; /* that the marks are of */
	unsigned marks;
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
