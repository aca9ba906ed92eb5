/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What profiles say of their certificates, in the words of a server's configuration. */
#ifndef CERTDIR_PROFILES_SECTIONS_H
#define CERTDIR_PROFILES_SECTIONS_H

#include "profiles/profile.h"

/*
 * The `form` and `certificates` sections for certdir { } of raddb, one for each CA: where each identity stands, and which the CA vouches for.
 * A variable for an id is vouched for, since Intune's challenge binds the request to what the profile says. malloc'ed, "" where no profile
 * makes certificates that name a device; NULL when memory is out.
 */
char *certdir_sections_print(const struct certdir_profiles *profiles);

#endif
