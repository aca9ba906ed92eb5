/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intune's profiles, from Graph or from its saved answers. */
#ifndef CERTDIR_SYNC_PROFILES_H
#define CERTDIR_SYNC_PROFILES_H

#include "profiles/profile.h"
#include "sync/graph.h"

#define CERTDIR_PROFILES_PERMISSION "DeviceManagementConfiguration.Read.All"

/* Where the answers come from. Borrowed. */
struct certdir_profiles_source {
	struct certdir_graph *graph; /* NULL: they are files in `directory` */
	const char *host; /* of Graph: "https://graph.microsoft.com" */
	/*
	 * With `graph` each answer is saved there as it came, or none is where it is NULL. A file for each request: deviceConfigurations.json,
	 * deviceConfigurations.2.json and so on for its pages, ID.RELATION.json, configurationPolicies.json, ID.settings.json. One that is
	 * there already is never overwritten.
	 */
	const char *directory;
};

/*
 * Reads all profiles that have to do with certificates, and the names of those that may have and cannot be read. False with `error`: Graph
 * refused, a file is missing, cut or no JSON. A relation that was not saved is not known, and no error. The caller calls
 * certdir_profiles_clear() either way.
 */
bool certdir_profiles_read(struct certdir_profiles *profiles, const struct certdir_profiles_source *source,
			   struct certdir_error *error);

#endif
