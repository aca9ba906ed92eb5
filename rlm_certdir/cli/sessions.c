/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir sessions`: which sessions a server knows, what was ordered about them, and the word that lets go what its guard holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cli/color.h"
#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/sessions.h"
#include "cli/words.h"
#include "sessions/hearing.h"
#include "sessions/order.h"
#include "sessions/store.h"
#include "text/excerpt.h"
#include "text/utf8.h"

enum { WORD_SIZE = 1024 }; /* more than an attribute has */

struct listing {
	const struct certdir_cli_options *options;
	int64_t now;
	size_t counts[CERTDIR_SESSION_STATES];
	bool failed; /* standard output cannot be written, or memory is out */
};

static const char *file_of(const struct certdir_cli_options *options)
{
	return options->operand_count ? options->operands[0] : CERTDIR_CLI_SESSIONS_DEFAULT;
}

/* NAS devices wrote these, and may have written anything. */
static const char *clean(const char *text, size_t length, char out[WORD_SIZE])
{
	char copy[WORD_SIZE];

	if (length >= sizeof(copy))
		length = sizeof(copy) - 1;
	memcpy(copy, text, length);
	copy[length] = '\0';
	certdir_excerpt_clean(out, WORD_SIZE, copy);
	return out;
}

static const char *word(const struct certdir_session *session, enum certdir_session_field field, char out[WORD_SIZE])
{
	const char *text = session->text[field];

	return text ? clean(text, strlen(text), out) : "-";
}

static const char *device(const struct certdir_session *session, char out[WORD_SIZE])
{
	size_t length = 0;
	const char *text = certdir_session_device(session, &length);

	return text ? clean(text, length, out) : "-";
}

static const char *nas(const struct certdir_session *session, char out[WORD_SIZE])
{
	const char *text = certdir_session_nas(session);

	return *text ? clean(text, strlen(text), out) : "-";
}

static bool is_denied(const struct certdir_session *session)
{
	return session->denied && session->state != CERTDIR_SESSION_RUNNING &&
	       session->state != CERTDIR_SESSION_TO_CHANGE;
}

static const char *outcome(const struct certdir_session *session)
{
	return certdir_order_outcome_name((enum certdir_order_outcome)session->outcome);
}

/* ---- for people ---- */

static void print_orders(const struct certdir_session *session, int64_t now)
{
	char age[CERTDIR_CLI_AGE_SIZE];

	if (session->attempts == 0 && session->state == CERTDIR_SESSION_WANTED_OUT && session->again > now)
		printf(", as before, and let in again since: asked in %s", certdir_cli_age(session->again - now, age));
	if (session->attempts == 0)
		return;
	printf(", asked %lld time%s", (long long)session->attempts, session->attempts == 1 ? "" : "s");
	if (session->answered)
		printf(", answer %s %s ago", outcome(session), certdir_cli_age(now - session->answered, age));
	if (session->answered && session->cause)
		printf(" (Error-Cause %lld)", (long long)session->cause);
	if (session->state == CERTDIR_SESSION_WANTED_OUT || session->state == CERTDIR_SESSION_TO_CHANGE)
		printf(", again in %s", certdir_cli_age(session->again - now, age));
}

static void print_one(const struct certdir_session *session, int64_t now)
{
	char client[CERTDIR_ADDRESS_SIZE], words[5][WORD_SIZE];

	printf("%s %s session %s station %s user %s device %s since ", certdir_address_print(&session->client, client),
	       nas(session, words[0]), word(session, CERTDIR_SESSION_ID, words[1]),
	       word(session, CERTDIR_SESSION_STATION, words[2]), word(session, CERTDIR_SESSION_USER, words[3]),
	       device(session, words[4]));
	certdir_cli_print_when(session->started, now);
	printf(": %s%s%s", certdir_cli_color(is_denied(session) ? CERTDIR_CLI_RED : CERTDIR_CLI_PLAIN),
	       certdir_session_state_name(session->state), certdir_cli_color(CERTDIR_CLI_PLAIN));
	if (is_denied(session))
		printf(", %s", certdir_reason_name(session->reason));
	print_orders(session, now);
	printf("\n");
}

static void print_counts(const struct listing *listing)
{
	const char *before = "";

	for (unsigned state = 0; state < CERTDIR_SESSION_STATES; state++) {
		if (!listing->counts[state])
			continue;
		printf("%s%zu %s", before, listing->counts[state],
		       certdir_session_state_name((enum certdir_session_state)state));
		before = ", ";
	}
	printf("%s\n", before[0] ? "" : "no sessions are known");
	if (listing->counts[CERTDIR_SESSION_HELD])
		printf("more devices are denied than max_disconnect lets be put out: look whether that is meant; "
		       "`certdir "
		       "sessions release` ends them\n");
}

/* ---- for programs ---- */

/* JSON is UTF-8: what is none is shown as for people. */
static json_t *json_word(const char *text, size_t length)
{
	char out[WORD_SIZE];

	if (!text)
		return json_null();
	if (certdir_text_fault(text, length) == CERTDIR_TEXT_NOT_UTF8)
		return json_string(clean(text, length, out));
	return json_stringn(text, length);
}

static bool print_json(const struct certdir_session *session)
{
	static const struct {
		const char *name;
		enum certdir_session_field field;
	} words[] = {{"session", CERTDIR_SESSION_ID},	       {"multi_session", CERTDIR_SESSION_MULTI_ID},
		     {"station", CERTDIR_SESSION_STATION},     {"user", CERTDIR_SESSION_USER},
		     {"nas", CERTDIR_SESSION_NAS_IDENTIFIER},  {"nas_ip", CERTDIR_SESSION_NAS_IP},
		     {"nas_ipv6", CERTDIR_SESSION_NAS_IPV6},   {"port", CERTDIR_SESSION_NAS_PORT},
		     {"port_id", CERTDIR_SESSION_NAS_PORT_ID}, {"called", CERTDIR_SESSION_CALLED_STATION},
		     {"ip", CERTDIR_SESSION_FRAMED_IP},	       {"ipv6", CERTDIR_SESSION_FRAMED_IPV6}};
	char client[CERTDIR_ADDRESS_SIZE];
	size_t length = 0;
	const char *id = certdir_session_device(session, &length);
	json_t *object = json_pack("{s:s}", "client", certdir_address_print(&session->client, client));

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *text = session->text[words[i].field];

		(void)json_object_set_new(object, words[i].name, json_word(text, text ? strlen(text) : 0));
	}
	(void)json_object_set_new(object, "device", json_word(id, length));
	(void)json_object_set_new(object, "since", certdir_cli_json_time(session->started));
	(void)json_object_set_new(object, "heard", certdir_cli_json_time(session->heard));
	(void)json_object_set_new(object, "state", json_string(certdir_session_state_name(session->state)));
	(void)json_object_set_new(object, "reason",
				  is_denied(session) ? json_string(certdir_reason_name(session->reason)) : json_null());
	(void)json_object_set_new(object, "attempts", json_integer(session->attempts));
	(void)json_object_set_new(object, "answer", session->answered ? json_string(outcome(session)) : json_null());
	(void)json_object_set_new(object, "answered", certdir_cli_json_time(session->answered));
	(void)json_object_set_new(object, "error_cause",
				  session->answered && session->cause ? json_integer(session->cause) : json_null());
	return certdir_cli_json_print(object);
}

/* ---- list ---- */

static void take(void *context, const struct certdir_session *session)
{
	struct listing *listing = context;

	listing->counts[session->state]++;
	if (listing->options->json)
		listing->failed |= !print_json(session);
	else
		print_one(session, listing->now);
}

int certdir_cli_sessions_list(const struct certdir_cli_options *options)
{
	struct listing listing = {.options = options, .now = (int64_t)time(NULL)};
	struct certdir_session_store *store;
	struct certdir_error error;
	bool ok;

	store = certdir_session_store_look(file_of(options), &error);
	ok = store && certdir_session_store_each(store, take, &listing, &error);
	certdir_session_store_close(store);
	if (!ok)
		return certdir_cli_fail(EX_NOINPUT, file_of(options), "%s", error.text);
	if (listing.failed)
		return EX_IOERR;
	if (!options->json)
		print_counts(&listing);
	return listing.counts[CERTDIR_SESSION_HELD] > 0;
}

/* ---- how many ---- */

static void count(void *context, const struct certdir_session *session)
{
	((size_t *)context)[session->state]++;
}

bool certdir_cli_sessions_count(const char *filename, size_t counts[CERTDIR_SESSION_STATES],
				struct certdir_error *error)
{
	struct certdir_session_store *store = certdir_session_store_look(filename, error);
	bool ok;

	memset(counts, 0, CERTDIR_SESSION_STATES * sizeof(*counts));
	ok = store && certdir_session_store_each(store, count, counts, error);
	certdir_session_store_close(store);
	return ok;
}

/* ---- release ---- */

/* Whether the server that has the file open has read the word; it looks once a second. */
static bool is_heard(const char *filename)
{
	for (int i = 0; i < 30; i++) {
		struct certdir_error error;
		struct certdir_session_store *store = certdir_session_store_look(filename, &error);
		const bool waits = !store || certdir_session_store_release_waits(store);

		certdir_session_store_close(store);
		if (!waits)
			return true;
		(void)usleep(100000);
	}
	return false;
}

int certdir_cli_sessions_release(const struct certdir_cli_options *options)
{
	const char *filename = file_of(options);
	size_t counts[CERTDIR_SESSION_STATES];
	struct certdir_error error;

	if (!certdir_cli_sessions_count(filename, counts, &error))
		return certdir_cli_fail(EX_NOINPUT, filename, "%s", error.text);
	if (!counts[CERTDIR_SESSION_HELD]) {
		printf("no session is held\n");
		return 1;
	}
	if (!certdir_session_store_ask_release(filename, &error))
		return certdir_cli_fail(EX_CANTCREAT, filename, "%s", error.text);
	if (!is_heard(filename))
		return certdir_cli_fail(EX_UNAVAILABLE, filename,
					"no server has read %s within 3 seconds: nothing is released; is radiusd "
					"running?",
					filename);
	printf("%zu session%s released\n", counts[CERTDIR_SESSION_HELD],
	       certdir_cli_plural(counts[CERTDIR_SESSION_HELD]));
	return 0;
}
