/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/door.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "asking/socket.h"
#include "base/background.h"
#include "sync/asked.h"

enum { GUESTS = 64, AT_SOCKET = GUESTS, AT_EVENT, POLLED };

/* How long one may take to say a line, and how long he is answered at all. */
#define LINE_TIME CERTDIR_SECOND
#define ANSWER_TIME (10 * CERTDIR_SECOND)

struct guest {
	int file; /* -1: nobody */
	int number; /* of his question, -1 = none yet */
	int64_t until; /* certdir_monotonic() */
	size_t used;
	char line[CERTDIR_ASKING_LINE];
};

struct certdir_door {
	char *list;
	int socket, event, main_event;
	atomic_int *hurry;
	atomic_int stop;
	struct certdir_asked *asked;
	pthread_t thread;
	struct guest guests[GUESTS];
};

static void dismiss(struct certdir_door *door, struct guest *guest)
{
	if (guest->number >= 0)
		certdir_asked_leave(door->asked, guest->number);
	(void)close(guest->file);
	guest->file = -1;
}

/* A local socket takes a line at once, or its reader has gone. */
static void reply_to(struct certdir_door *door, struct guest *guest, enum certdir_reply reply)
{
	char line[CERTDIR_ASKING_LINE];

	certdir_reply_print(reply, line);
	(void)!send(guest->file, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
	guest->number = -1;
	dismiss(door, guest);
}

/* Root, and whoever runs this program: the RADIUS server has no business to. */
static enum certdir_reply begin_round(const struct certdir_door *door, const struct guest *guest)
{
	const uint64_t one = 1;
	uid_t user;

	if (!certdir_asking_peer(guest->file, &user) || (user != 0 && user != geteuid()))
		return CERTDIR_REPLY_REFUSED;
	*door->hurry = 1;
	(void)!write(door->main_event, &one, sizeof(one));
	return CERTDIR_REPLY_DONE;
}

static void take_line(struct certdir_door *door, struct guest *guest)
{
	struct certdir_question question;
	enum certdir_reply reply;

	if (!certdir_question_read(&question, guest->line, guest->used)) {
		dismiss(door, guest);
	} else if (question.what == CERTDIR_ASKING_ROUND) {
		reply_to(door, guest, begin_round(door, guest));
	} else {
		guest->number = certdir_asked_enter(door->asked, &question, &reply);
		guest->until = certdir_monotonic() + ANSWER_TIME;
		if (guest->number < 0)
			reply_to(door, guest, reply);
	}
}

/* Something came, or he has gone. Who has asked says nothing more. */
static void hear(struct certdir_door *door, struct guest *guest)
{
	const ssize_t got =
		recv(guest->file, guest->line + guest->used, sizeof(guest->line) - guest->used, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0 || guest->number >= 0) {
		dismiss(door, guest);
		return;
	}
	guest->used += (size_t)got;
	if (guest->line[guest->used - 1] == '\n')
		take_line(door, guest);
	else if (guest->used == sizeof(guest->line))
		dismiss(door, guest);
}

static void let_in(struct certdir_door *door)
{
	struct guest *guest = door->guests;
	int file;

	while (guest < door->guests + GUESTS && guest->file >= 0)
		guest++;
	file = accept4(door->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (file < 0)
		return;
	if (guest == door->guests + GUESTS) {
		(void)close(file);
		return;
	}
	*guest = (struct guest){.file = file, .number = -1, .until = certdir_monotonic() + LINE_TIME};
}

/* Answers whom there is an answer for, and shows out who stays too long. Returns when the next one has. */
static int64_t attend(struct certdir_door *door)
{
	const int64_t now = certdir_monotonic();
	int64_t next = INT64_MAX;

	for (struct guest *guest = door->guests; guest < door->guests + GUESTS; guest++) {
		enum certdir_reply reply = CERTDIR_REPLY_NONE;

		if (guest->file < 0)
			continue;
		if (guest->number >= 0)
			reply = certdir_asked_look(door->asked, guest->number);
		if (reply != CERTDIR_REPLY_NONE)
			reply_to(door, guest, reply);
		else if (now >= guest->until)
			dismiss(door, guest);
		else
			next = certdir_earlier(next, guest->until);
	}
	return next;
}

static void *serve(void *context)
{
	struct certdir_door *door = context;
	struct pollfd files[POLLED];
	uint64_t ignored;

	while (!door->stop) {
		const int64_t next = attend(door), now = certdir_monotonic();

		for (size_t i = 0; i < GUESTS; i++)
			files[i] = (struct pollfd){.fd = door->guests[i].file, .events = POLLIN};
		files[AT_SOCKET] = (struct pollfd){.fd = door->socket, .events = POLLIN};
		files[AT_EVENT] = (struct pollfd){.fd = door->event, .events = POLLIN};
		if (poll(files, POLLED, next == INT64_MAX ? -1 : next <= now ? 0 : (int)((next - now) / 1000) + 1) <= 0)
			continue;
		if (files[AT_EVENT].revents && read(door->event, &ignored, sizeof(ignored)) < 0)
			ignored = 0;
		for (size_t i = 0; i < GUESTS; i++)
			if (door->guests[i].file >= 0 && files[i].revents)
				hear(door, &door->guests[i]);
		if (files[AT_SOCKET].revents)
			let_in(door);
	}
	for (size_t i = 0; i < GUESTS; i++)
		if (door->guests[i].file >= 0)
			dismiss(door, &door->guests[i]);
	return NULL;
}

static void free_door(struct certdir_door *door)
{
	certdir_asked_close(door->asked);
	if (door->socket >= 0)
		certdir_asking_unlisten(door->socket, door->list);
	if (door->event >= 0)
		(void)close(door->event);
	free(door->list);
	free(door);
}

struct certdir_door *certdir_door_open(const char *list, int main_event, atomic_int *hurry, struct certdir_error *error)
{
	struct certdir_door *door = calloc(1, sizeof(*door));

	certdir_error_set(error, "out of memory");
	if (!door)
		return NULL;
	door->socket = -1;
	door->main_event = main_event;
	door->hurry = hurry;
	for (size_t i = 0; i < GUESTS; i++)
		door->guests[i].file = -1;
	door->list = strdup(list);
	door->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (door->event < 0)
		certdir_error_set(error, "no event descriptor to be had: %s", strerror(errno));
	else if (door->list)
		door->socket = certdir_asking_listen(list, error);
	if (door->socket >= 0)
		door->asked = certdir_asked_open(main_event, door->event, error);
	if (door->asked && certdir_background_start(&door->thread, serve, door, error))
		return door;
	free_door(door);
	return NULL;
}

struct certdir_asked *certdir_door_asked(struct certdir_door *door)
{
	return door->asked;
}

void certdir_door_close(struct certdir_door *door)
{
	const uint64_t one = 1;

	if (!door)
		return;
	door->stop = 1;
	(void)!write(door->event, &one, sizeof(one));
	(void)pthread_join(door->thread, NULL);
	free_door(door);
}
