/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A deviceConfiguration of Graph's beta endpoint -> what it says of certificates. */
#ifndef CERTDIR_SYNC_PROFILE_JSON_H
#define CERTDIR_SYNC_PROFILE_JSON_H

#include <jansson.h>

#include "profiles/profile.h"

/*
 * Reads one with its assignments (https://learn.microsoft.com/graph/api/resources/intune-deviceconfig-deviceconfiguration?view=graph-rest-beta).
 * Texts are the arena's. False with `error`: it has no id, or memory is out. What is missing in it is not known; `unread` is set to why
 * something that is there cannot be read, or stays as it is.
 */
bool certdir_profile_json_read(struct certdir_profile *profile, const json_t *object, struct certdir_arena *arena,
			       const char **unread, struct certdir_error *error);

/* A text of JSON, clean and whole: the arena's. NULL when it is none, or memory is out. */
const char *certdir_profile_json_text(const json_t *text, struct certdir_arena *arena);

/* The canonical form of a GUID, which may be part of a file's name then: the arena's. NULL when it is none, or memory is out. */
const char *certdir_profile_json_id(const json_t *text, struct certdir_arena *arena);

#endif
