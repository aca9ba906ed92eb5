/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device lists that the server reads, and the sync that fills them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "asking/socket.h"
#include "cli/doctor.h"
#include "cli/words.h"
#include "directory/directory.h"

/* ---- is it one ---- */

/* What makes a list where there is none. */
static const char *first_list(const struct certdir_doctor *doctor)
{
	return access(doctor->options->conf, F_OK) == 0 ? "systemctl start certdir-sync, or certdir list import"
							: "certdir setup, then certdir sync; or certdir list import";
}

/* keys: as the server asks for them. */
static struct certdir_list_snapshot *load(const struct certdir_doctor *doctor, const char *filename,
					  const struct certdir_list_keys *keys,
					  struct certdir_doctor_findings *findings)
{
	struct certdir_error damage, error;
	struct certdir_list_snapshot *snapshot = certdir_list_reload(filename, keys, NULL, &error), *last;
	char age[CERTDIR_CLI_AGE_SIZE];

	if (snapshot) {
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "list", "", "%s is whole%s and has %zu device%s",
				   filename, keys ? ", signed with a key that is asked for," : "",
				   certdir_list_device_count(snapshot),
				   certdir_cli_plural(certdir_list_device_count(snapshot)));
		return snapshot;
	}
	certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "list",
			   strstr(error.text, "; do: ")	 ? NULL
			   : access(filename, F_OK) == 0 ? "certdir sync, or copy a whole list there"
							 : first_list(doctor),
			   "%s", error.text);
	last = certdir_list_load_last(filename, keys, &damage, &error);
	if (last)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WARNING, "last", "certdir sync",
				   "a server that starts now takes the edition before, of %s ago",
				   certdir_cli_age((int64_t)time(NULL) - certdir_list_published(last), age));
	certdir_list_release(last);
	return NULL;
}

/* ---- is it fresh ---- */

struct part {
	const char *name;
	int64_t synced, interval;
	enum certdir_part part;
};

static void check_part(const struct certdir_list_source *source, const struct part *part, uint32_t max_age, int64_t now,
		       struct certdir_doctor_findings *findings)
{
	struct certdir_source described = {
		.kind = source->kind, .good_for = source->good_for, .listed = source->kind == CERTDIR_SOURCE_LDAP};
	int64_t limit, age = now - part->synced;
	char text[CERTDIR_CLI_AGE_SIZE], most[CERTDIR_CLI_AGE_SIZE];

	if (!part->synced)
		return;
	described.interval[part->part] = part->interval;
	limit = certdir_source_limit(&described, part->part, max_age);
	if (age < -CERTDIR_AHEAD)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "age", "timedatectl set-ntp true",
				   "%s of \"%s\" are of a time to come: a clock is wrong", part->name, source->name);
	else if (limit && age > limit)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "age",
				   source->kind == CERTDIR_SOURCE_IMPORT ? "certdir list import, with --good-for"
									 : "certdir status; journalctl -u certdir-sync",
				   "%s of \"%s\" are %s old, and count for %s", part->name, source->name,
				   certdir_cli_age(age, text), certdir_cli_age(limit, most));
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "age", "", "%s of \"%s\" are %s old", part->name,
				   source->name, certdir_cli_age(age, text));
}

static void check_source(const struct certdir_list_source *source, uint32_t max_age, int64_t now,
			 struct certdir_doctor_findings *findings)
{
	const struct part parts[] = {
		{"devices", source->synced, source->interval, CERTDIR_PART_OF_DEVICES},
		{"Intune records", source->intune_synced, source->intune_interval, CERTDIR_PART_OF_INTUNE},
		{"groups", source->groups_synced, 0, CERTDIR_PART_OF_GROUPS},
		{"certificates", source->certificates_synced, source->certificates_interval,
		 CERTDIR_PART_OF_CERTIFICATES}};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		check_part(source, &parts[i], max_age, now, findings);
}

static void check_sources(struct certdir_list_snapshot *snapshot, uint32_t max_age, int64_t now,
			  struct certdir_doctor_findings *findings)
{
	size_t count;
	const struct certdir_list_source *sources = certdir_list_sources(snapshot, &count);

	for (size_t i = 0; i < count; i++)
		check_source(&sources[i], max_age, now, findings);
}

/* ---- who can change it, who fills it ---- */

static void check_permissions(const char *filename, struct certdir_doctor_findings *findings)
{
	struct certdir_error error;

	if (!certdir_list_permissions_check(filename, &error))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "permissions", NULL, "%s", error.text);
	else if (access(filename, F_OK) == 0)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "permissions", "",
				   "nobody can change %s who is not meant to", filename);
}

/* 0, or an errno: whether a certdir sync listens beside the list. No word is sent. */
static int knock(const char *filename)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s" CERTDIR_ASKING_SUFFIX, filename);
	int failure = 0;

	if (length >= (int)sizeof(address.sun_path))
		failure = ENAMETOOLONG;
	else if (file < 0 || (connect(file, (struct sockaddr *)&address, sizeof(address)) != 0 && errno != EAGAIN))
		failure = errno;
	if (file >= 0)
		(void)close(file);
	return failure;
}

static void check_socket(const char *filename, bool ask, struct certdir_doctor_findings *findings)
{
	const int failure = knock(filename);
	char remedy[CERTDIR_TEXT_MAX], number[CERTDIR_DOCTOR_NUMBER];

	if (!failure)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "asking", "", "a certdir sync answers at %s%s",
				   filename, CERTDIR_ASKING_SUFFIX);
	else if (failure == EACCES) {
		certdir_say(remedy, "chgrp %s %s%s; chmod g+rw %s%s", certdir_doctor_group(number), filename,
			    CERTDIR_ASKING_SUFFIX, filename, CERTDIR_ASKING_SUFFIX);
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "asking", remedy, "%s may not ask at %s%s",
				   certdir_doctor_user(), filename, CERTDIR_ASKING_SUFFIX);
	} else if (ask)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "asking", "systemctl start certdir-sync",
				   "ask = yes, and no certdir sync answers at %s%s: %s", filename,
				   CERTDIR_ASKING_SUFFIX, strerror(failure));
}

/* ---- all of it ---- */

struct subject {
	const char *filename;
	uint32_t max_age;
	bool ask;
	const char *const *public_keys;
};

static void look_at_permissions(const struct certdir_doctor *doctor, const void *subject,
				struct certdir_doctor_findings *findings)
{
	const struct subject *list = subject;

	(void)doctor;
	check_permissions(list->filename, findings);
}

static void look_into(const struct certdir_doctor *doctor, const struct subject *list,
		      struct certdir_doctor_findings *findings)
{
	struct certdir_error error;
	struct certdir_list_keys *keys = list->public_keys ? certdir_list_keys_public(list->public_keys, &error) : NULL;
	struct certdir_list_snapshot *snapshot;

	if (list->public_keys && !keys) {
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "public_key",
				   "write the name of a public key (PEM) into public_key of list { }", "%s",
				   error.text);
		return;
	}
	snapshot = load(doctor, list->filename, keys, findings);
	if (snapshot)
		check_sources(snapshot, list->max_age, doctor->now, findings);
	certdir_list_release(snapshot);
	certdir_list_keys_close(keys);
}

/* As the server sees it. */
static void look_at_list(const struct certdir_doctor *doctor, const void *subject,
			 struct certdir_doctor_findings *findings)
{
	const struct subject *list = subject;

	if (!certdir_doctor_become_server(doctor, "readable", findings))
		return;
	/* One that is not there load() explains best. */
	if ((access(list->filename, R_OK) != 0 && errno == ENOENT) ||
	    certdir_doctor_readable(list->filename, "readable", findings))
		look_into(doctor, list, findings);
	check_socket(list->filename, list->ask, findings);
}

static void add(struct certdir_doctor_jobs *jobs, certdir_doctor_look look, const struct certdir_list_config *list)
{
	struct subject *subject = malloc(sizeof(*subject));

	if (!subject)
		return;
	*subject = (struct subject){list->filename, list->max_age, list->ask, list->public_keys};
	certdir_doctor_add(jobs, "list", list->filename, look, subject);
}

static void take_directory(void *context, const struct raddb_directory *directory)
{
	if (!directory->list)
		return;
	add(context, look_at_list, directory->list);
	add(context, look_at_permissions, directory->list);
}

void certdir_doctor_lists(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs)
{
	if (doctor->raddb)
		raddb_file_each_directory(doctor->raddb, take_directory, jobs);
}
