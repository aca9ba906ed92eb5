/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of checks share: one profile is looked at, and what is wrong with it goes into the report. */
#ifndef CERTDIR_PROFILES_CHECK_H
#define CERTDIR_PROFILES_CHECK_H

#include "profiles/report.h"

/* Devices that something will go wrong for. */
struct certdir_hits {
	size_t sure;
	size_t perhaps; /* they may be in a group that the list does not know, or be kept out by a filter */
	const char *names[CERTDIR_FINDING_DEVICES]; /* of those that are sure, or of the others while there are none */
};

struct certdir_profile_check {
	const struct certdir_profiles *profiles;
	const struct certdir_profiles_world *world;
	const struct certdir_profile *profile;
	const struct certdir_hits
		*lacking; /* devices that get it, or may, and not for sure profile number i of those that it needs */
	struct certdir_profiles_report *report;
};

/* Adds a finding, whose text is formatted. `hits` may be NULL. What memory being out costs, the report's arena remembers. */
void certdir_check_add(const struct certdir_profile_check *check, bool note, const char *code,
		       const struct certdir_hits *hits, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "12 Entra-joined devices of the list (PC-1, PC-2 and 10 more)", by the number that are sure or else perhaps: the report's. */
const char *certdir_check_devices(const struct certdir_profile_check *check, const struct certdir_hits *hits,
				  const char *which);

/* The checks of a profile by itself, and together with those that it needs. */
void certdir_check_certificate(const struct certdir_profile_check *check);
/* A Wi-Fi or wired profile. */
void certdir_check_network(const struct certdir_profile_check *check);
/* Whether the RADIUS server takes its certificates. */
void certdir_check_server(const struct certdir_profile_check *check);
/* Whether all that get it get what it needs as well. */
void certdir_check_targets(const struct certdir_profile_check *check);

/* How many other profiles a profile needs, and the i-th of them; NULL where it is not among those that were read. */
size_t certdir_profile_needs(const struct certdir_profile *profile);
const struct certdir_profile *certdir_profile_needed(const struct certdir_profiles *profiles,
						     const struct certdir_profile *profile, size_t i);

enum certdir_meant { CERTDIR_MEANT_NOT, CERTDIR_MEANT_PERHAPS, CERTDIR_MEANT_YES };

/* Whether a profile goes to a device, by its platform and assignments. */
enum certdir_meant certdir_target_means(const struct certdir_profile *profile, const struct certdir_device *device);

/* Whether certificates of `profile` have a variable of `type` at the place `from`, or at any where that is NULL. */
bool certdir_profile_uses(const struct certdir_profile *profile, const char *from, enum certdir_identity_type type);
/* Whether they have anything at the place. */
bool certdir_profile_has(const struct certdir_profile *profile, const char *from);

#endif
