/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a running module tells Prometheus: how logins ended, and how its lists, LDAP servers, sessions and journal fare now. */
#ifndef CERTDIR_METERING_H
#define CERTDIR_METERING_H

#include "checker.h"
#include "journal/journal.h"
#include "metrics/file.h"
#include "metrics/tally.h"
#include "sessions/sessions.h"

/* All but the tally is borrowed. */
struct certdir_metering {
	struct certdir_tally tally;
	const char *module; /* the instance's name */
	const char *version, *server; /* its version, and that of FreeRADIUS that it was built for */
	const struct certdir_checker *checker;
	bool observe;
	struct certdir_journal *journal; /* or NULL */
	struct certdir_sessions *sessions; /* or NULL */
	int64_t started; /* Unix seconds */
};

/* Names the directories that the tally tells apart, and notes the time. The rest is in place. */
void certdir_metering_begin(struct certdir_metering *metering);
/* A login was decided, and took so many microseconds. From any thread. */
void certdir_metering_add(struct certdir_metering *metering, const struct certdir_check *check, int64_t took);
/* Prints all of it: the `print` of a struct certdir_metrics_file, with this as its context. */
void certdir_metering_print(void *metering, struct certdir_exposition *to);

#endif
