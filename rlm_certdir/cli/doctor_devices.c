/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network devices, by the sessions that the server has in its file. There may be ten thousand: of each kind, some are named and all counted. */
#include <netinet/in.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor.h"
#include "cli/words.h"
#include "sessions/order.h"
#include "sessions/store.h"

enum { NAMED = 10 };

enum kind { SILENT, UNSUPPORTED, FINE, MUTE, KINDS };

/* A network device, by the address that its accounting comes from. */
struct device {
	struct sockaddr_storage client;
	size_t sessions, updates;
	int64_t answered, outcome; /* the newest */
};

struct survey {
	struct certdir_doctor_findings *findings;
	void *devices; /* tsearch(3)'s */
	size_t held;
	size_t told[KINDS];
	/* Clients of the configuration that no session is known of. */
	size_t unheard;
	char names[CERTDIR_TEXT_MAX];
};

/* ---- gathering ---- */

static int compare(const void *a, const void *b)
{
	const struct device *one = a, *other = b;

	return certdir_address_compare(&one->client, &other->client);
}

static struct device *device_of(struct survey *survey, const struct sockaddr_storage *client)
{
	struct device *device = calloc(1, sizeof(*device)), **place;

	if (!device)
		return NULL;
	device->client = *client;
	place = tsearch(device, &survey->devices, compare);
	if (!place || *place != device)
		free(device);
	return place ? *place : NULL;
}

static void take_session(void *context, const struct certdir_session *session)
{
	struct survey *survey = context;
	struct device *device = device_of(survey, &session->client);

	survey->held += session->state == CERTDIR_SESSION_HELD;
	if (!device)
		return;
	device->sessions++;
	device->updates += session->interval > 0;
	if (session->answered <= device->answered)
		return;
	device->answered = session->answered;
	device->outcome = session->outcome;
}

/* A tool on this machine, which the server's own configuration has a client for. */
static bool is_loopback(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* What is no single address says nothing of who hides behind it. */
static void take_client(void *context, const char *address)
{
	struct survey *survey = context;
	struct device wanted;
	char former[CERTDIR_TEXT_MAX];

	if (!certdir_address_read(&wanted.client, address) || is_loopback(&wanted.client) ||
	    tfind(&wanted, &survey->devices, compare))
		return;
	if (survey->unheard++ >= NAMED)
		return;
	certdir_say(former, "%s", survey->names);
	certdir_say(survey->names, "%s%s%s", former, former[0] ? ", " : "", address);
}

/* ---- telling ---- */

static const struct {
	enum certdir_doctor_state state;
	const char *name, *text, *remedy;
} kinds[KINDS] = {
	[SILENT] = {CERTDIR_DOCTOR_WRONG, "orders", "did not answer the last order to end a session",
		    "switch on RFC 5176 (CoA) there, with the client's secret, and let UDP port 3799 through"},
	[UNSUPPORTED] = {CERTDIR_DOCTOR_WARNING, "orders", "says that it cannot end sessions",
			 "switch on RFC 5176 (CoA) there; else a session lasts until its next login"},
	[FINE] = {CERTDIR_DOCTOR_RIGHT, "orders", "answers orders, or none was needed so far", ""},
	[MUTE] = {CERTDIR_DOCTOR_WARNING, "updates",
		  "was not seen to send Interim-Updates: a lost Start is never made up for",
		  "Acct-Interim-Interval = 600, on the device or in its replies"},
};

static bool may_be_named(struct survey *survey, enum kind kind)
{
	return survey->told[kind]++ < NAMED;
}

static void tell(struct survey *survey, enum kind kind, const char *who)
{
	if (may_be_named(survey, kind))
		certdir_doctor_say(survey->findings, kinds[kind].state, kinds[kind].name, kinds[kind].remedy, "%s %s",
				   who, kinds[kind].text);
}

static void tell_device(const void *node, VISIT visit, void *context)
{
	const struct device *device = *(struct device *const *)node;
	struct survey *survey = context;
	char address[CERTDIR_ADDRESS_SIZE];
	const char *name = certdir_address_print(&device->client, address);

	if (visit != postorder && visit != leaf)
		return;
	if (device->answered && device->outcome == CERTDIR_ORDER_SILENT)
		tell(survey, SILENT, name);
	else if (device->answered && device->outcome == CERTDIR_ORDER_UNSUPPORTED)
		tell(survey, UNSUPPORTED, name);
	else if (may_be_named(survey, FINE))
		certdir_doctor_say(survey->findings, CERTDIR_DOCTOR_RIGHT, "orders", "", "%s: %zu session%s, %s", name,
				   device->sessions, certdir_cli_plural(device->sessions),
				   device->answered ? "and it answers orders" : "and no order was needed so far");
	if (!device->updates)
		tell(survey, MUTE, name);
}

static void tell_others(const struct survey *survey)
{
	for (size_t i = 0; i < KINDS; i++)
		if (survey->told[i] > NAMED)
			certdir_doctor_say(survey->findings, kinds[i].state, kinds[i].name, kinds[i].remedy,
					   "%zu more network device%s: each %s", survey->told[i] - NAMED,
					   certdir_cli_plural(survey->told[i] - NAMED), kinds[i].text);
	if (survey->unheard)
		certdir_doctor_say(
			survey->findings, CERTDIR_DOCTOR_SKIPPED, "accounting",
			"log in there; if certdir sessions list does not have it then, switch on accounting",
			"no session is known of %zu client%s of the configuration (%s%s): nobody is in there, or "
			"no accounting comes",
			survey->unheard, certdir_cli_plural(survey->unheard), survey->names,
			survey->unheard > NAMED ? ", .." : "");
}

static void tell_survey(const struct certdir_doctor *doctor, struct survey *survey)
{
	if (survey->held)
		certdir_doctor_say(survey->findings, CERTDIR_DOCTOR_WARNING, "held",
				   "certdir sessions list; certdir sessions release",
				   "%zu denied session%s held: more than max_disconnect lets end", survey->held,
				   survey->held == 1 ? " is" : "s are");
	if (!survey->devices) {
		certdir_doctor_say(survey->findings, CERTDIR_DOCTOR_SKIPPED, "orders", "", "no session is known");
		return;
	}
	twalk_r(survey->devices, tell_device, survey);
	raddb_file_each_client(doctor->raddb, take_client, survey);
	tell_others(survey);
}

void certdir_doctor_devices(const struct certdir_doctor *doctor, const char *filename,
			    struct certdir_doctor_findings *findings)
{
	struct survey survey = {.findings = findings};
	struct certdir_error error;
	struct certdir_session_store *store = certdir_session_store_look(filename, &error);

	if (!store || !certdir_session_store_each(store, take_session, &survey, &error))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "sessions",
				   "restart the server, which sets a damaged file aside and begins a new one", "%s",
				   error.text);
	else
		tell_survey(doctor, &survey);
	certdir_session_store_close(store);
	tdestroy(survey.devices, free);
}
