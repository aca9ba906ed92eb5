/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions over a restart and a file that is damaged; what judging, guard and orders come to, with a judge and a sender of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/background.h"
#include "sessions/sessions.h"
#include "sessions/store.h"

/* ---- a world: what the judge says, and what the sender was given ---- */

struct world {
	char directory[64], file[96];
	atomic_ulong edition;
	atomic_bool restless; /* each look finds another one */
	atomic_int denied_below; /* sessions whose device's number is below this one are denied by everybody */
	atomic_int unknown_below; /* by lists, and allowed by the others */
	atomic_int changed_below;
	atomic_bool unsure;
	atomic_bool login_meanwhile; /* while the judge denies device 0, it logs in anew, allowed */
	atomic_int orders, changes;
	atomic_int asked_live, asked_lists;
	atomic_int outcome; /* enum certdir_order_outcome; -1: no answer */
	struct certdir_sessions *sessions;
	struct certdir_class_key key;
	bool live;
	bool key_file;
};

static void take(struct world *world, enum certdir_packet_kind kind, int device, int64_t issued);

static uint64_t edition_of(void *context)
{
	struct world *world = context;

	return atomic_fetch_add(&world->edition, atomic_load(&world->restless));
}

static void judge(void *context, const char *class, bool live, struct certdir_judgement *judgement)
{
	struct world *world = context;
	const int device = atoi(class + strlen("certdir:"));

	atomic_fetch_add(live ? &world->asked_live : &world->asked_lists, 1);
	judgement->verdict = atomic_load(&world->unsure) ? CERTDIR_UNSURE : CERTDIR_ALLOW;
	judgement->reason = CERTDIR_ALLOWED;
	if (device < atomic_load(&world->denied_below) || (!live && device < atomic_load(&world->unknown_below))) {
		judgement->verdict = CERTDIR_DENY;
		judgement->reason = live ? CERTDIR_DISABLED : CERTDIR_NOT_FOUND;
		if (atomic_exchange(&world->login_meanwhile, false)) {
			atomic_store(&world->denied_below, 0);
			take(world, CERTDIR_PACKET_START, 0, 2);
		}
	} else if (device < atomic_load(&world->changed_below) && !strstr(class, ";next")) {
		judgement->changed = true;
		(void)snprintf(judgement->class, sizeof(judgement->class), "certdir:%d;next", device);
	}
}

static void send_order(void *context, const struct certdir_order *order)
{
	struct world *world = context;
	const int outcome = atomic_load(&world->outcome);

	assert_non_null(order->session->text[CERTDIR_SESSION_ID]);
	atomic_fetch_add(order->kind == CERTDIR_ORDER_CHANGE ? &world->changes : &world->orders, 1);
	if (outcome >= 0)
		order->answered(order->to, order->id, (enum certdir_order_outcome)outcome, 0);
}

static void open_world(struct world *world, bool judging)
{
	const struct certdir_sessions_config config = {
		.filename = world->file,
		.max_sessions = 100000,
		.max_disconnect = 5,
		.judge = {.judge = judge, .edition = edition_of, .live = world->live, .context = world},
		.sender = {.send = send_order, .context = world}};
	struct certdir_error error;

	world->sessions = certdir_sessions_open(&config, world->key_file ? NULL : &world->key, &error);
	assert_non_null(world->sessions);
	assert_true(!judging || certdir_sessions_start(world->sessions, &error));
}

static void close_world(struct world *world)
{
	certdir_sessions_close(world->sessions);
	world->sessions = NULL;
}

static atomic_int complaints;

static void hush(enum certdir_log_level level, const char *text)
{
	atomic_fetch_add(&complaints, level == CERTDIR_LOG_ERROR);
	if (getenv("CERTDIR_TEST_LOUD"))
		fprintf(stderr, "%s\n", text);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	certdir_log_set(hush);
	(void)snprintf(world->directory, sizeof(world->directory), "/tmp/certdir-sessions.XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	(void)snprintf(world->file, sizeof(world->file), "%s/certdir.sessions", world->directory);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	char command[160];

	if (world->sessions)
		close_world(world);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", world->directory);
	assert_int_equal(system(command), 0);
	free(world);
	return 0;
}

static void take(struct world *world, enum certdir_packet_kind kind, int device, int64_t issued)
{
	struct certdir_packet packet = {.kind = kind, .received = (int64_t)time(NULL)};
	char id[16], class[40];

	(void)snprintf(id, sizeof(id), "s%d", device);
	(void)snprintf(class, sizeof(class), "certdir:%d;sealed%s", device, issued > 1 ? " later" : "");
	assert_true(certdir_address_read(&packet.session.client, "192.0.2.1"));
	packet.session.text[CERTDIR_SESSION_ID] = id;
	packet.session.text[CERTDIR_SESSION_CLASS] = class;
	packet.session.text[CERTDIR_SESSION_USER] = "host/\"pc\xff";
	packet.session.text[CERTDIR_SESSION_NAS_IDENTIFIER] = "ap1";
	packet.session.issued = issued;
	assert_int_equal(certdir_sessions_take(world->sessions, &packet), CERTDIR_TOOK_IT);
}

static void take_many(struct world *world, int count)
{
	for (int i = 0; i < count; i++)
		take(world, CERTDIR_PACKET_START, i, 1);
}

/* ---- what stands in the file ---- */

struct found {
	size_t count, states[CERTDIR_SESSION_STATES];
	struct certdir_session *last;
};

static void count_one(void *context, const struct certdir_session *session)
{
	struct found *found = context;

	found->count++;
	found->states[session->state]++;
	free(found->last);
	found->last = certdir_session_copy(session);
}

static bool look(const struct world *world, struct found *found)
{
	struct certdir_error error;
	struct certdir_session_store *store = certdir_session_store_look(world->file, &error);
	bool ok;

	free(found->last);
	memset(found, 0, sizeof(*found));
	ok = store && certdir_session_store_each(store, count_one, found, &error);
	certdir_session_store_close(store);
	return ok;
}

/* Waits until the condition holds, for 10 seconds at most. */
#define UNTIL(_condition)                                                                                              \
	do {                                                                                                           \
		const int64_t until_ = certdir_monotonic() + 10 * CERTDIR_SECOND;                                      \
		while (!(_condition)) {                                                                                \
			if (certdir_monotonic() > until_)                                                              \
				fail_msg("never: %s", #_condition);                                                    \
			(void)usleep(2000);                                                                            \
		}                                                                                                      \
	} while (0)

static bool has(const struct world *world, enum certdir_session_state state, size_t count)
{
	struct found found = {.last = NULL};
	const bool ok = look(world, &found) && found.states[state] == count;

	free(found.last);
	return ok;
}

/*
 * With `count` sessions that are all judged, and allowed: a test that has many of them denied by an edition then has none denied by itself,
 * before it is known for how many.
 */
static void open_judged(struct world *world, int count)
{
	struct certdir_error error;

	open_world(world, false);
	take_many(world, count);
	assert_true(certdir_sessions_start(world->sessions, &error));
	UNTIL(atomic_load(&world->asked_lists) >= 2 * count); /* all at the start, and each new one once */
}

/* ---- the file ---- */

static void test_restart(void **state)
{
	struct world *world = *state;
	struct certdir_class_key key;
	struct found found = {.last = NULL};

	memset(&world->key, 0xa5, sizeof(world->key));
	open_world(world, false);
	take_many(world, 3);
	UNTIL(has(world, CERTDIR_SESSION_RUNNING, 3)); /* while it is open */
	take(world, CERTDIR_PACKET_STOP, 1, 1);
	close_world(world);
	key = world->key;
	memset(&world->key, 0x11, sizeof(world->key));
	open_world(world, false);
	assert_memory_equal(&world->key, &key, sizeof(key));
	take(world, CERTDIR_PACKET_INTERIM, 2, 1);
	close_world(world);
	assert_true(look(world, &found)); /* and when nobody has it open */
	assert_int_equal(found.states[CERTDIR_SESSION_RUNNING], 2);
	assert_int_equal(found.states[CERTDIR_SESSION_ENDED], 1);
	assert_string_equal(found.last->text[CERTDIR_SESSION_USER], "host/\"pc\xff");
	assert_string_equal(found.last->text[CERTDIR_SESSION_CLASS], "certdir:2;sealed");
	assert_int_equal(found.last->client.ss_family, AF_INET);
	assert_int_equal(found.last->issued, 1);
	free(found.last);
}

static void spoil(const struct world *world, long at, size_t length)
{
	FILE *file = fopen(world->file, "r+");

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	for (size_t i = 0; i < length; i++)
		assert_int_not_equal(fputc(0x5a, file), EOF);
	assert_int_equal(fclose(file), 0);
}

/* Whatever is wrong with it: it is kept aside, and the server goes on with an empty one. */
static void test_damaged(void **state)
{
	static const struct {
		long at;
		size_t length;
	} damages[] = {{0, 100}, {60, 4}, {4096, 4096}, {0, 20}};
	struct world *world = *state;
	char aside[128];
	struct stat status;

	(void)snprintf(aside, sizeof(aside), "%s.damaged", world->file);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		open_world(world, false);
		take_many(world, 50);
		close_world(world);
		spoil(world, damages[i].at, damages[i].length);
		(void)unlink(aside);
		open_world(world, false);
		if (stat(aside, &status) != 0)
			fail_msg("damage %zu is not seen", i);
		take(world, CERTDIR_PACKET_START, 7, 1);
		close_world(world);
		assert_true(has(world, CERTDIR_SESSION_RUNNING, 1));
		assert_int_equal(unlink(world->file), 0);
	}
}

/* A file that cannot be made is no reason not to know sessions: written when it can. */
static void test_no_file(void **state)
{
	struct world *world = *state;

	assert_int_equal(mkdir(world->file, 0700), 0);
	open_world(world, true);
	take_many(world, 2);
	atomic_store(&world->denied_below, 1);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(atomic_load(&world->orders) == 1);
	assert_int_equal(rmdir(world->file), 0);
	close_world(world);
	assert_true(has(world, CERTDIR_SESSION_RUNNING, 1));
}

/* A second server at the same file gets nothing of it, and takes nothing away. When the first has ended, the second one's are beside its. */
static void test_two_servers(void **state)
{
	struct world *first = *state, second = *first;

	first->key_file = second.key_file = true;
	open_world(first, false);
	take_many(first, 2);
	UNTIL(has(first, CERTDIR_SESSION_RUNNING, 2));
	atomic_store(&complaints, 0);
	open_world(&second, false);
	assert_int_equal(atomic_load(&complaints), 1);
	take(&second, CERTDIR_PACKET_START, 1, 1);
	take(&second, CERTDIR_PACKET_START, 7, 1);
	take(first, CERTDIR_PACKET_START, 2, 1);
	UNTIL(has(first, CERTDIR_SESSION_RUNNING, 3));
	close_world(first);
	close_world(&second);
	assert_true(has(first, CERTDIR_SESSION_RUNNING, 4));
}

/* A disk that is full: told once, and all of it is written when there is room. */
static void test_full_disk(void **state)
{
	struct world *world = *state;
	struct rlimit before, full;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	open_world(world, false);
	take_many(world, 2);
	UNTIL(has(world, CERTDIR_SESSION_RUNNING, 2));
	full = before;
	full.rlim_cur = 40960;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	atomic_store(&complaints, 0);
	for (int i = 0; i < 500; i++)
		take(world, CERTDIR_PACKET_START, i, 1);
	UNTIL(atomic_load(&complaints) > 0);
	for (int i = 500; i < 600; i++)
		take(world, CERTDIR_PACKET_START, i, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	close_world(world);
	assert_true(has(world, CERTDIR_SESSION_RUNNING, 600));
	assert_int_equal(atomic_load(&complaints), 1);
}

/* ---- judging ---- */

static void test_denied(void **state)
{
	struct world *world = *state;

	open_world(world, true);
	take_many(world, 20);
	UNTIL(atomic_load(&world->asked_lists) >= 20); /* each new one once */
	atomic_store(&world->denied_below, 2);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(atomic_load(&world->orders) == 2);
	UNTIL(has(world, CERTDIR_SESSION_ENDED, 2));
	assert_true(has(world, CERTDIR_SESSION_RUNNING, 18));
	/* What cannot be known changes nothing. */
	atomic_store(&world->unsure, true);
	atomic_store(&world->denied_below, 0);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(atomic_load(&world->asked_lists) >= 58);
	assert_int_equal(atomic_load(&world->orders), 2);
	assert_true(has(world, CERTDIR_SESSION_RUNNING, 18));
}

/* The list changed while the server was down: its sessions are judged at the start. */
static void test_judged_at_start(void **state)
{
	struct world *world = *state;

	open_world(world, false);
	take_many(world, 20);
	close_world(world);
	atomic_store(&world->denied_below, 1);
	open_world(world, true);
	UNTIL(atomic_load(&world->orders) == 1);
}

/* An order without an answer outlives the server, and is given again. */
static void test_order_outlives(void **state)
{
	struct world *world = *state;
	struct found found = {.last = NULL};

	atomic_store(&world->outcome, CERTDIR_ORDER_SILENT);
	open_world(world, true);
	take_many(world, 1);
	atomic_store(&world->denied_below, 1);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(has(world, CERTDIR_SESSION_WANTED_OUT, 1));
	UNTIL(look(world, &found) && found.last && found.last->answered);
	assert_int_equal(found.last->attempts, 1);
	assert_int_equal(found.last->outcome, CERTDIR_ORDER_SILENT);
	assert_true(found.last->again >= found.last->answered + 60);
	assert_int_equal(found.last->reason, CERTDIR_NOT_FOUND);
	close_world(world);
	open_world(world, true);
	assert_true(has(world, CERTDIR_SESSION_WANTED_OUT, 1));
	free(found.last);
}

/* What lists deny and LDAP allows is asked once, and again when lists say another thing; an Interim-Update asks everybody. */
static void test_live(void **state)
{
	struct world *world = *state;

	world->live = true;
	open_world(world, true);
	atomic_store(&world->unknown_below, 5);
	take_many(world, 20);
	UNTIL(atomic_load(&world->asked_live) == 5);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(atomic_load(&world->asked_lists) >= 20 + 5 + 20);
	take(world, CERTDIR_PACKET_INTERIM, 19, 1);
	UNTIL(atomic_load(&world->asked_live) == 6);
	assert_int_equal(atomic_load(&world->orders), 0);
	atomic_store(&world->denied_below, 3);
	take(world, CERTDIR_PACKET_INTERIM, 2, 1);
	UNTIL(atomic_load(&world->orders) == 1);
}

/* What was found of a login that another one has followed is not about that one. */
static void test_login_meanwhile(void **state)
{
	struct world *world = *state;

	open_world(world, true);
	take_many(world, 2);
	UNTIL(atomic_load(&world->asked_lists) >= 2);
	atomic_store(&world->login_meanwhile, true);
	atomic_store(&world->denied_below, 1);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(atomic_load(&world->asked_lists) >= 5);
	assert_int_equal(atomic_load(&world->orders), 0);
}

static void test_changed(void **state)
{
	struct world *world = *state;
	struct found found = {.last = NULL};

	open_world(world, true);
	take_many(world, 1);
	atomic_store(&world->changed_below, 1);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(atomic_load(&world->changes) == 1);
	UNTIL(look(world, &found) && found.last && found.last->text[CERTDIR_SESSION_JUDGED]);
	assert_string_equal(found.last->text[CERTDIR_SESSION_JUDGED], "certdir:0;next");
	assert_int_equal(found.last->state, CERTDIR_SESSION_RUNNING);
	/* The NAS still says the Class of the login, and nothing is asked again. */
	take(world, CERTDIR_PACKET_INTERIM, 0, 1);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(atomic_load(&world->asked_lists) >= 3);
	assert_int_equal(atomic_load(&world->changes), 1);
	free(found.last);
}

/* A new group of all cuts nobody's line all at once: 5 % of 400 go in a minute. Who is denied does not wait for that. */
static void test_mass_change(void **state)
{
	struct world *world = *state;

	open_judged(world, 400);
	atomic_store(&world->changed_below, 100);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(atomic_load(&world->changes) >= 20);
	atomic_store(&world->denied_below, 1);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(atomic_load(&world->orders) == 1);
	assert_in_range(atomic_load(&world->changes), 20, 22);
	assert_true(has(world, CERTDIR_SESSION_TO_CHANGE, 100 - (size_t)atomic_load(&world->changes)));
}

/* ---- the guard ---- */

static void test_mass(void **state)
{
	struct world *world = *state;
	struct certdir_error error;

	open_judged(world, 400);
	/* 5 % of 400 are 20. */
	atomic_store(&world->denied_below, 100);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(has(world, CERTDIR_SESSION_HELD, 100));
	assert_int_equal(atomic_load(&world->orders), 0);
	/* Over a restart, too. */
	close_world(world);
	open_world(world, true);
	UNTIL(atomic_load(&world->asked_lists) >= 1600);
	assert_int_equal(atomic_load(&world->orders), 0);
	/* What is allowed again drops out; still too many. */
	atomic_store(&world->denied_below, 50);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(has(world, CERTDIR_SESSION_HELD, 50));
	assert_int_equal(atomic_load(&world->orders), 0);
	assert_true(certdir_session_store_ask_release(world->file, &error));
	UNTIL(has(world, CERTDIR_SESSION_ENDED, 50));
	assert_int_equal(atomic_load(&world->orders), 50);
}

/* Most was a slip that the next edition takes back: the few that are left go by themselves. */
static void test_slip(void **state)
{
	struct world *world = *state;

	open_judged(world, 400);
	atomic_store(&world->denied_below, 100);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(has(world, CERTDIR_SESSION_HELD, 100));
	atomic_store(&world->denied_below, 20);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(has(world, CERTDIR_SESSION_ENDED, 20));
	assert_true(has(world, CERTDIR_SESSION_RUNNING, 380));
}

/* Where sessions are judged one by one, what is held stays so, though few are left; who is denied by then goes. */
static void test_one_by_one(void **state)
{
	struct world *world = *state;

	open_judged(world, 400);
	atomic_store(&complaints, 0);
	atomic_store(&world->denied_below, 100);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(atomic_load(&complaints) == 1); /* decided on, and told */
	UNTIL(has(world, CERTDIR_SESSION_HELD, 100));
	atomic_store(&world->denied_below, 10);
	for (int i = 10; i < 100; i++)
		take(world, CERTDIR_PACKET_INTERIM, i, 1);
	UNTIL(has(world, CERTDIR_SESSION_HELD, 10));
	atomic_store(&world->denied_below, 11);
	take(world, CERTDIR_PACKET_INTERIM, 10, 1);
	UNTIL(has(world, CERTDIR_SESSION_ENDED, 1));
	assert_true(has(world, CERTDIR_SESSION_HELD, 10));
	assert_int_equal(atomic_load(&world->orders), 1);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(has(world, CERTDIR_SESSION_ENDED, 11));
}

/* Piece by piece is a mass, too. */
static void test_pieces(void **state)
{
	struct world *world = *state;

	open_judged(world, 400);
	atomic_store(&world->denied_below, 15);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(atomic_load(&world->orders) == 15);
	UNTIL(has(world, CERTDIR_SESSION_ENDED, 15));
	atomic_store(&world->denied_below, 30);
	for (int i = 15; i < 30; i++)
		take(world, CERTDIR_PACKET_INTERIM, i, 1);
	UNTIL(has(world, CERTDIR_SESSION_RUNNING, 370));
	UNTIL(has(world, CERTDIR_SESSION_HELD, 15));
	assert_int_equal(atomic_load(&world->orders), 15);
}

/* A device with many sessions, in a small site, is one device. */
static void test_many_of_one(void **state)
{
	struct world *world = *state;
	struct certdir_packet packet = {.kind = CERTDIR_PACKET_START, .received = (int64_t)time(NULL)};
	char id[16];

	open_world(world, true);
	take_many(world, 5);
	assert_true(certdir_address_read(&packet.session.client, "192.0.2.2"));
	packet.session.text[CERTDIR_SESSION_ID] = id;
	packet.session.text[CERTDIR_SESSION_CLASS] = "certdir:0;sealed";
	packet.session.issued = 1;
	for (int i = 0; i < 30; i++) {
		(void)snprintf(id, sizeof(id), "more%d", i);
		assert_int_equal(certdir_sessions_take(world->sessions, &packet), CERTDIR_TOOK_IT);
	}
	UNTIL(has(world, CERTDIR_SESSION_RUNNING, 35));
	atomic_store(&world->denied_below, 1);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(has(world, CERTDIR_SESSION_ENDED, 31));
	assert_int_equal(atomic_load(&world->orders), 31);
}

/* Its logins are accepted, and it is denied after each: not put out again at once, unless everybody allowed it in between. */
static void test_let_in_again(void **state)
{
	struct world *world = *state;
	const int64_t now = (int64_t)time(NULL);

	open_world(world, true);
	atomic_store(&world->denied_below, 1);
	take(world, CERTDIR_PACKET_START, 0, now);
	UNTIL(has(world, CERTDIR_SESSION_ENDED, 1));
	take(world, CERTDIR_PACKET_START, 0, now + 20);
	UNTIL(has(world, CERTDIR_SESSION_WANTED_OUT, 1));
	assert_int_equal(atomic_load(&world->orders), 1);
	atomic_store(&world->denied_below, 0);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(has(world, CERTDIR_SESSION_RUNNING, 1));
	atomic_store(&world->denied_below, 1);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(has(world, CERTDIR_SESSION_ENDED, 1));
	assert_int_equal(atomic_load(&world->orders), 2);
}

/* More devices than the guard lets be put out at once, which an administrator had put out, and which their logins let in again. */
static void test_let_in_again_by_many(void **state)
{
	enum { BACK = 20 };
	struct world *world = *state;
	const int64_t now = (int64_t)time(NULL);
	struct certdir_error error;

	open_judged(world, BACK + 1);
	atomic_store(&world->denied_below, BACK);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(has(world, CERTDIR_SESSION_HELD, BACK));
	assert_true(certdir_session_store_ask_release(world->file, &error));
	UNTIL(has(world, CERTDIR_SESSION_ENDED, BACK));
	for (int i = 0; i < BACK; i++)
		take(world, CERTDIR_PACKET_START, i, now + 20);
	UNTIL(has(world, CERTDIR_SESSION_WANTED_OUT, BACK));
	/* Nobody else is held because of them. */
	atomic_store(&world->denied_below, BACK + 1);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(has(world, CERTDIR_SESSION_ENDED, 1));
	assert_int_equal(atomic_load(&world->orders), BACK + 1);
}

/* More is to be asked of directories than there is time for before the next edition: all of it is judged and decided on all the same. */
static void test_editions_in_a_row(void **state)
{
	struct world *world = *state;
	struct certdir_error error;

	world->live = true;
	open_world(world, false);
	take_many(world, 200);
	atomic_store(&world->denied_below, 200);
	atomic_store(&world->restless, true);
	/* All are judged for the first edition. */
	assert_true(certdir_sessions_start(world->sessions, &error));
	UNTIL(has(world, CERTDIR_SESSION_HELD, 200));
	assert_int_equal(atomic_load(&world->orders), 0);
	assert_true(certdir_session_store_ask_release(world->file, &error));
	UNTIL(has(world, CERTDIR_SESSION_ENDED, 200));
}

/* A word that nobody read is not for the server that starts later. */
static void test_old_release(void **state)
{
	struct world *world = *state;
	struct certdir_error error;

	open_judged(world, 100);
	atomic_store(&world->denied_below, 50);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(has(world, CERTDIR_SESSION_HELD, 50));
	close_world(world);
	assert_true(certdir_session_store_ask_release(world->file, &error));
	open_world(world, true);
	atomic_store(&world->asked_lists, 0);
	atomic_fetch_add(&world->edition, 1);
	UNTIL(atomic_load(&world->asked_lists) >= 100);
	assert_true(has(world, CERTDIR_SESSION_HELD, 50));
	assert_int_equal(atomic_load(&world->orders), 0);
}

int main(void)
{
#define WITH_WORLD(_test) cmocka_unit_test_setup_teardown(_test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_WORLD(test_restart),
		WITH_WORLD(test_damaged),
		WITH_WORLD(test_no_file),
		WITH_WORLD(test_full_disk),
		WITH_WORLD(test_two_servers),
		WITH_WORLD(test_mass_change),
		WITH_WORLD(test_denied),
		WITH_WORLD(test_live),
		WITH_WORLD(test_login_meanwhile),
		WITH_WORLD(test_changed),
		WITH_WORLD(test_judged_at_start),
		WITH_WORLD(test_mass),
		WITH_WORLD(test_slip),
		WITH_WORLD(test_pieces),
		WITH_WORLD(test_one_by_one),
		WITH_WORLD(test_many_of_one),
		WITH_WORLD(test_let_in_again),
		WITH_WORLD(test_order_outlives),
		WITH_WORLD(test_let_in_again_by_many),
		WITH_WORLD(test_editions_in_a_row),
		WITH_WORLD(test_old_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
