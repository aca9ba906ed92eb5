/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir doctor`: what its groups of checks share. Each group runs in a process of its own, and ends in time or is ended. */
#ifndef CERTDIR_CLI_DOCTOR_H
#define CERTDIR_CLI_DOCTOR_H

#include <jansson.h>

#include "cli/conf_file.h"
#include "cli/options.h"
#include "cli/raddb_file.h"

enum certdir_doctor_state {
	CERTDIR_DOCTOR_RIGHT,
	CERTDIR_DOCTOR_WARNING,
	CERTDIR_DOCTOR_WRONG,
	CERTDIR_DOCTOR_SKIPPED, /* not looked at; the detail says why */
	CERTDIR_DOCTOR_STATES
};
const char *certdir_doctor_state_name(enum certdir_doctor_state state); /* "right", .. */

/* What was found, in order: objects as --json prints them. */
struct certdir_doctor_findings {
	json_t *checks; /* an array of them; NULL in a job */
	const char *group; /* of those that are added now */
	int out; /* in a job, where each goes at once, a line of JSON: what was found counts even if the job has to be ended */
};

/*
 * Adds a finding of the check `name`. The text is cleaned: others may have written it. remedy: the command or line that mends it; NULL:
 * what follows "; do: " in the text, if that is there, which is taken out of it.
 */
void certdir_doctor_say(struct certdir_doctor_findings *findings, enum certdir_doctor_state state, const char *name,
			const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* All that checks look at; it is gathered before the first of them runs, and never changed. */
struct certdir_doctor {
	const struct certdir_cli_options *options;
	int64_t now;
	const char *directory; /* of the server's configuration, or NULL: there is none here */
	struct raddb_file *raddb; /* NULL: there is none, or raddb_error says what is wrong with it */
	char raddb_error[CERTDIR_TEXT_MAX];
	bool has_conf; /* certdir.conf is there, or was asked for */
	bool conf_read; /* and `conf` is what it says, else conf_error what is wrong with it */
	struct certdir_cli_conf conf;
	char conf_error[CERTDIR_TEXT_MAX];
	bool raddb_stuck, conf_stuck; /* reading it does not end: that was told, and it is left alone */
};

/* A group of checks, of one subject or of all, in a process of its own: it may end the process, block, and become another user. */
typedef void (*certdir_doctor_look)(const struct certdir_doctor *doctor, const void *subject,
				    struct certdir_doctor_findings *findings);

struct certdir_doctor_job {
	const char *group; /* its title, a literal */
	const char *about; /* what it looks at, for when it does not end; borrowed, or NULL */
	certdir_doctor_look look;
	void *subject; /* of malloc(3), or NULL */
	/* Of doctor_jobs.c. */
	int process; /* its id, 0 = there is none */
	int pipe;
	char *text; /* that came out of it */
	size_t length;
	bool late;
};

struct certdir_doctor_jobs {
	struct certdir_doctor_job *items;
	size_t count;
};

/* Adds a job, which is printed in this order; `subject` is freed with it. `about`: as in the job. */
void certdir_doctor_add(struct certdir_doctor_jobs *jobs, const char *group, const char *about,
			certdir_doctor_look look, void *subject);
enum { CERTDIR_DOCTOR_SECONDS = 10 /* that a group of checks has */ };
/*
 * Runs all at once and puts what they found into `findings`; one that has not ended after so many seconds is ended, one that died is a
 * finding. The jobs are gone then. A job may run others, in less time than it has itself.
 */
void certdir_doctor_run(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs, int seconds,
			struct certdir_doctor_findings *findings);

/* Runs `act`, which prints its mistakes on standard error, and puts the last two lines of them into `text`, "" without any. */
void certdir_doctor_listen(void (*act)(void *context), void *context, char text[CERTDIR_TEXT_MAX]);

/* In a job: becomes the server's user, to see what that sees. False with a finding of `name`: that cannot be. */
bool certdir_doctor_become_server(const struct certdir_doctor *doctor, const char *name,
				  struct certdir_doctor_findings *findings);
/* Who we are, for texts: names, or what stands in for one that has none. */
enum { CERTDIR_DOCTOR_NUMBER = 12 };
const char *certdir_doctor_user(void);
const char *certdir_doctor_group(char number[CERTDIR_DOCTOR_NUMBER]);
/* Whether we may read `path`. False with a finding that says which directory or mode is in the way. NULL is nothing to read. */
bool certdir_doctor_readable(const char *path, const char *name, struct certdir_doctor_findings *findings);
/* Whether a file may be made in a directory, likewise. */
bool certdir_doctor_writable(const char *directory, const char *name, struct certdir_doctor_findings *findings);
/* The permissions that others have at a file: none, whatever its mode says, when they may not pass through a directory above it. */
unsigned certdir_doctor_others(const char *path);
/* Whether root could read `path`, and we, who are not root, may not. */
bool certdir_doctor_is_hidden(const char *path);
/*
 * What a program (argv, NULL-terminated, found by PATH) prints; the caller frees it, NULL = nothing. *code: its exit code, 127 = there is
 * none.
 */
char *certdir_doctor_output(const char *const *argv, int *code);
/* The first line of what systemctl with such an argv prints: "" when that is nothing, or there is no systemd here. */
void certdir_doctor_systemctl(const char *const *argv, char line[CERTDIR_TEXT_MAX]);
/* A finding about whether a unit of systemd's is active; `what` is said of it: "the server". wrong: what it is if it is not. */
void certdir_doctor_unit(const char *unit, const char *what, enum certdir_doctor_state wrong,
			 struct certdir_doctor_findings *findings);
/* How far our clock is off from `theirs`, Unix seconds, said by `whom`. */
void certdir_doctor_clock(int64_t theirs, const char *whom, struct certdir_doctor_findings *findings);

/* In a job: what the file of sessions tells of network devices. */
void certdir_doctor_devices(const struct certdir_doctor *doctor, const char *filename,
			    struct certdir_doctor_findings *findings);

/* In a job, which becomes the server's user by it: what is wrong with Intune's profiles, which Graph has `seconds` to show. */
void certdir_doctor_profiles(const struct certdir_doctor *doctor, const char *tenant, int64_t seconds,
			     struct certdir_doctor_findings *findings);

/* The groups add their jobs, in the order of a login. */
void certdir_doctor_server(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs);
void certdir_doctor_certificates(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs);
void certdir_doctor_lists(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs);
void certdir_doctor_directories(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs);
void certdir_doctor_sync(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs);
void certdir_doctor_tenants(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs);
void certdir_doctor_sessions(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs);

#endif
