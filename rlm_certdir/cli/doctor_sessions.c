/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the server keeps beside the list: sessions, and how network devices took its orders; the journal; memories. No packet is sent. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "cli/doctor.h"
#include "sessions/order.h"
#include "sessions/store.h"

/* A network device, by the address that its accounting comes from. */
struct device {
	struct sockaddr_storage client;
	size_t sessions, updates;
	int64_t answered, outcome; /* the newest */
};

struct survey {
	struct device *devices;
	size_t count;
	size_t held;
};

static struct device *device_of(struct survey *survey, const struct sockaddr_storage *client)
{
	struct device *device;

	for (size_t i = 0; i < survey->count; i++)
		if (certdir_address_compare(&survey->devices[i].client, client) == 0)
			return &survey->devices[i];
	device = certdir_array_next(&survey->devices, survey->count, sizeof(*device));
	if (!device)
		return NULL;
	device->client = *client;
	survey->count++;
	return device;
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

static void check_device(const struct device *device, struct certdir_doctor_findings *findings)
{
	char address[CERTDIR_ADDRESS_SIZE];
	const char *name = certdir_address_print(&device->client, address);

	if (device->answered && device->outcome == CERTDIR_ORDER_SILENT)
		certdir_doctor_say(
			findings, CERTDIR_DOCTOR_WRONG, "orders",
			"switch on RFC 5176 (CoA) there, with the client's secret, and let UDP port 3799 through",
			"%s did not answer the last order to end a session", name);
	else if (device->answered && device->outcome == CERTDIR_ORDER_UNSUPPORTED)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WARNING, "orders",
				   "switch on RFC 5176 (CoA) there; else a session lasts until its next login",
				   "%s says that it cannot end sessions", name);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "orders", "", "%s: %zu sessions, %s", name,
				   device->sessions,
				   device->answered ? "and it answers orders" : "and no order was needed so far");
	if (!device->updates)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WARNING, "updates",
				   "Acct-Interim-Interval = 600, on the device or in its replies",
				   "%s was not seen to send Interim-Updates: a lost Start is never made up for", name);
}

static void tell_survey(const struct survey *survey, struct certdir_doctor_findings *findings)
{
	if (survey->held)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WARNING, "held",
				   "certdir sessions list; certdir sessions release",
				   "%zu denied sessions are held: more than max_disconnect lets end", survey->held);
	if (!survey->count)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "orders", "", "no session is known");
	for (size_t i = 0; i < survey->count; i++)
		check_device(&survey->devices[i], findings);
}

static void check_store(const char *filename, struct certdir_doctor_findings *findings)
{
	struct survey survey = {NULL, 0, 0};
	struct certdir_error error;
	struct certdir_session_store *store = certdir_session_store_look(filename, &error);

	if (!store || !certdir_session_store_each(store, take_session, &survey, &error))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "sessions",
				   "look whether the server could make it: journalctl -u freeradius", "%s", error.text);
	else
		tell_survey(&survey, findings);
	certdir_session_store_close(store);
	free(survey.devices);
}

/* ---- files that the server writes ---- */

static void check_directory(const char *filename, const char *name, struct certdir_doctor_findings *findings)
{
	char *copy = strdup(filename), *directory = copy ? dirname(copy) : NULL;

	if (directory && certdir_doctor_writable(directory, name, findings))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, name, "", "the server can write %s", filename);
	free(copy);
}

/* A file that is written again and again, and another one beside it that takes its place. */
static void check_option(const struct certdir_doctor *doctor, const char *name,
			 struct certdir_doctor_findings *findings)
{
	const char *filename = raddb_file_option(doctor->raddb, name);
	char remedy[CERTDIR_TEXT_MAX];

	if (!filename || !*filename)
		return;
	certdir_say(remedy, "chown %s %s", certdir_doctor_user(), filename);
	if (access(filename, W_OK) != 0 && errno == EACCES && access(filename, F_OK) == 0)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, name, remedy, "%s may not write %s",
				   certdir_doctor_user(), filename);
	else
		check_directory(filename, name, findings);
}

static void check_memory(void *context, const struct raddb_directory *directory)
{
	const char *memory = directory->ldap ? directory->ldap->memory : NULL;

	if (memory && *memory && certdir_doctor_writable(memory, "memory", context))
		certdir_doctor_say(context, CERTDIR_DOCTOR_RIGHT, "memory", "", "%s: the server can write into %s",
				   directory->name, memory);
}

static void look_at_records(const struct certdir_doctor *doctor, const void *subject,
			    struct certdir_doctor_findings *findings)
{
	const char *sessions = raddb_file_sessions(doctor->raddb);

	(void)subject;
	if (!certdir_doctor_become_server(doctor, "files", findings))
		return;
	check_option(doctor, "journal", findings);
	check_option(doctor, "metrics", findings);
	raddb_file_each_directory(doctor->raddb, check_memory, findings);
	if (!sessions)
		return;
	check_directory(sessions, "sessions", findings);
	if (access(sessions, F_OK) == 0)
		check_store(sessions, findings);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "orders", "",
				   "%s is not there yet: no server has run with sessions { }", sessions);
}

void certdir_doctor_sessions(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs)
{
	if (doctor->raddb && raddb_file_place(doctor->raddb))
		certdir_doctor_add(jobs, "records", NULL, look_at_records, NULL);
}
