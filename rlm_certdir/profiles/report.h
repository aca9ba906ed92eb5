/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Profiles, their assignments, the list's devices and the RADIUS server's side -> what will go wrong. Pure: nothing is read here.
 *
 *	certdir_fleet_open();
 *	certdir_fleet_device();    for each device of the list
 *	certdir_report_make();
 */
#ifndef CERTDIR_PROFILES_REPORT_H
#define CERTDIR_PROFILES_REPORT_H

#include "identity/rules.h"
#include "profiles/profile.h"

/* The RADIUS server's side, and what the list knows. Borrowed; zeroed = nothing is known. */
struct certdir_profiles_world {
	const struct certdir_certificate *server; /* its certificate, and behind it those it sends along */
	size_t server_count;
	const struct certdir_rules *rules; /* how its certdir reads certificates */
	uint32_t accepted; /* CERTDIR_BIT(type) that it looks devices up by */
	const struct certdir_certificate *authorities; /* CAs that it takes certificates of clients from */
	size_t authority_count;
	bool has_list; /* devices were counted, and groups are marked that it knows */
};

/* ---- devices ---- */

struct certdir_fleet;

/* All is borrowed for its life. NULL when memory is out. */
struct certdir_fleet *certdir_fleet_open(const struct certdir_profiles *profiles,
					 const struct certdir_profiles_world *world);
void certdir_fleet_close(struct certdir_fleet *fleet);

/* Counts a device where something will go wrong for it. False when memory is out. */
bool certdir_fleet_device(struct certdir_fleet *fleet, const struct certdir_device *device);

/* ---- the report ---- */

enum { CERTDIR_FINDING_DEVICES = 5 }; /* that are named */

struct certdir_profiles_finding {
	const struct certdir_profile *profile;
	const char *code; /* static: "never-issued" */
	bool note; /* something to know, or to look at: perhaps nothing is wrong */
	const char *text; /* what goes wrong, for which devices, and the remedy */
	size_t device_count;
	const char *devices[CERTDIR_FINDING_DEVICES]; /* names of the first of them, as many as there are */
};

struct certdir_profiles_report {
	struct certdir_arena arena;
	struct certdir_profiles_finding *findings; /* malloc'ed; profile by profile */
	size_t count;
	size_t faults; /* those that are no notes */
};

/* False when memory is out. The caller calls certdir_report_clear() either way. */
bool certdir_report_make(struct certdir_profiles_report *report, const struct certdir_fleet *fleet);
void certdir_report_clear(struct certdir_profiles_report *report);

#endif
