/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The RADIUS server: its module, its start, its configuration, and whether logins reach certdir at all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor.h"

enum { CAUSES = 2 };

/* ---- the module's file ---- */

static void check_module(const struct certdir_doctor *doctor, struct certdir_doctor_findings *findings)
{
	const char *libraries = raddb_file_libraries(doctor->raddb);
	char path[CERTDIR_TEXT_MAX];

	for (const char *at = libraries; *at; at += strcspn(at, ":"), at += *at == ':') {
		certdir_say(path, "%.*s/rlm_certdir.so", (int)strcspn(at, ":"), at);
		if (access(path, R_OK) != 0)
			continue;
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "module", "", "%s", path);
		return;
	}
	certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "module",
			   "install the module (make install), or write its directory into libdir of radiusd.conf",
			   "there is no rlm_certdir.so in %s", libraries);
}

/* ---- would it start ---- */

/* What `radiusd -C` says, which reads all of its configuration, loads all modules, and ends. The caller frees it. *code: 127 = there is none. */
static char *ask_server(const char *directory, int *code)
{
	static const char *const names[] = {"freeradius", "radiusd", "/usr/sbin/freeradius", "/usr/sbin/radiusd"};
	char *said = NULL;

	*code = 127;
	for (size_t i = 0; *code == 127 && i < sizeof(names) / sizeof(names[0]); i++) {
		const char *const argv[] = {names[i], "-C", "-l", "stdout", "-n", "radiusd", "-d", directory, NULL};

		free(said);
		said = certdir_doctor_output(argv, code);
	}
	return said;
}

/* The first errors that were logged are the cause, and what follows its consequences. */
static void first_errors(const char *said, char text[CERTDIR_TEXT_MAX])
{
	static const char mark[] = ": Error: ";
	const char *at = said;

	text[0] = '\0';
	for (int i = 0; i < CAUSES; i++) {
		char former[CERTDIR_TEXT_MAX];

		at = strstr(at, mark);
		if (!at)
			return;
		certdir_say(former, "%s", text);
		at += strlen(mark);
		certdir_say(text, "%s%s%.*s", former, former[0] ? "; " : "", (int)strcspn(at, "\n"), at);
	}
}

static const char *start_remedy(const char *said)
{
	if (said && strstr(said, "magic number"))
		return "install the module that was built for this version of the server";
	if (said && strstr(said, "Failed to link to module"))
		return "install the module, or write its directory into libdir of radiusd.conf";
	return "mend that line; `freeradius -XC` shows all";
}

static void check_start(const struct certdir_doctor *doctor, struct certdir_doctor_findings *findings)
{
	char errors[CERTDIR_TEXT_MAX] = "";
	int code;
	char *said;

	if (raddb_file_user(doctor->raddb) && geteuid() != 0) {
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "start", "run certdir doctor as root",
				   "whether the server starts: only root can try");
		return;
	}
	said = ask_server(doctor->directory, &code);
	if (said)
		first_errors(said, errors);
	if (code == 127)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "start", "",
				   "there is no program freeradius or radiusd here");
	else if (code != 0)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "start", start_remedy(said),
				   "the server does not start: %s", errors[0] ? errors : "it does not say why");
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "start", "",
				   "the server starts with the configuration in %s", doctor->directory);
	free(said);
}

/* ---- is it running ---- */

/* Debian's name of it, and RHEL's. */
static void check_service(struct certdir_doctor_findings *findings)
{
	char state[CERTDIR_TEXT_MAX];

	certdir_doctor_systemctl((const char *const[]){"systemctl", "is-active", "radiusd.service", NULL}, state);
	certdir_doctor_unit(strcmp(state, "active") == 0 ? "radiusd.service" : "freeradius.service", "the server",
			    CERTDIR_DOCTOR_WRONG, findings);
}

static void look_at_server(const struct certdir_doctor *doctor, const void *subject,
			   struct certdir_doctor_findings *findings)
{
	(void)subject;
	check_module(doctor, findings);
	check_start(doctor, findings);
	check_service(findings);
}

/* ---- its configuration ---- */

struct entering {
	struct raddb_file *raddb;
	bool entered;
};

static void enter_raddb(void *context)
{
	struct entering *entering = context;

	entering->entered = raddb_file_enter(entering->raddb);
}

/* What stands in certdir { } may be a password. */
static void check_mode(const struct certdir_doctor *doctor, struct certdir_doctor_findings *findings)
{
	const char *file = raddb_file_place(doctor->raddb);
	const unsigned others = certdir_doctor_others(file);
	char remedy[CERTDIR_TEXT_MAX];

	certdir_say(remedy, "chmod o-rwx %s", file);
	/* The server itself refuses one that others can write. */
	if (others & S_IROTH)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WARNING, "mode", remedy,
				   "anybody can read %s, and passwords in it", file);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "mode", "", "%s is not for everybody", file);
}

static void check_wiring(const struct certdir_doctor *doctor, struct certdir_doctor_findings *findings)
{
	size_t count;
	const struct certdir_finding *found;

	raddb_file_check_wiring(doctor->raddb);
	found = raddb_file_findings(doctor->raddb, &count);

	for (size_t i = 0; i < count; i++) {
		char text[CERTDIR_TEXT_MAX], *colon;

		certdir_say(text, "%s", found[i].text);
		colon = strrchr(text, ':');
		if (colon && colon[1] == ' ')
			*colon = '\0';
		else
			colon = NULL;
		certdir_doctor_say(findings, found[i].error ? CERTDIR_DOCTOR_WRONG : CERTDIR_DOCTOR_WARNING, "wiring",
				   colon ? colon + 2 : "", "%s[%d]: %s", found[i].file, found[i].line, text);
	}
	if (!count)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "wiring", "",
				   "each EAP-TLS login of the clients in the configuration reaches certdir");
}

/* As the server's user, and last: no check of this job comes after it. */
static void check_options(const struct certdir_doctor *doctor, struct certdir_doctor_findings *findings)
{
	struct entering entering = {doctor->raddb, false};
	char said[CERTDIR_TEXT_MAX];

	certdir_doctor_listen(enter_raddb, &entering, said);
	if (!entering.entered) {
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "options",
				   "mend that line; mods-available/certdir explains each option", "%s", said);
		return;
	}
	if (raddb_file_observes(doctor->raddb))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WARNING, "options",
				   "policy { mode = enforce }, when the decisions in the log are as they should be",
				   "policy { mode = observe }: certdir decides, and denies nobody");
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "options", "", "certdir { } has no mistakes");
}

static void look_at_configuration(const struct certdir_doctor *doctor, const void *subject,
				  struct certdir_doctor_findings *findings)
{
	(void)subject;
	if (!doctor->raddb && geteuid() != 0 && strstr(doctor->raddb_error, strerror(EACCES))) {
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "raddb", "run certdir doctor as root", "%s",
				   doctor->raddb_error);
		return;
	}
	if (!doctor->raddb) {
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "raddb", "mend that; `freeradius -XC` shows more",
				   "%s", doctor->raddb_error);
		return;
	}
	if (!raddb_file_place(doctor->raddb)) {
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "raddb",
				   "link mods-available/certdir into mods-enabled", "%s has no certdir module",
				   doctor->directory);
		return;
	}
	check_mode(doctor, findings);
	check_wiring(doctor, findings);
	check_options(doctor, findings);
}

static void tell_none(const struct certdir_doctor *doctor, const void *subject,
		      struct certdir_doctor_findings *findings)
{
	(void)doctor, (void)subject;
	certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "raddb", "name it with --raddb DIR if there is one",
			   "there is no FreeRADIUS configuration on this machine");
}

void certdir_doctor_server(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs)
{
	if (doctor->raddb_stuck)
		return;
	if (!doctor->directory) {
		certdir_doctor_add(jobs, "server", NULL, tell_none, NULL);
		return;
	}
	if (doctor->raddb)
		certdir_doctor_add(jobs, "server", NULL, look_at_server, NULL);
	certdir_doctor_add(jobs, "configuration", NULL, look_at_configuration, NULL);
}
