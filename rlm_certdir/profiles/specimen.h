/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A certificate as a profile would have it made, with samples for what each device has of its own: identity/ says what it means. */
#ifndef CERTDIR_PROFILES_SPECIMEN_H
#define CERTDIR_PROFILES_SPECIMEN_H

#include "identity/certificate.h"
#include "profiles/profile.h"
#include "profiles/variable.h"

/*
 * Reads a certificate of `profile` as a login would, by `rules` (NULL: the defaults). issuer: who signs it, or NULL. False with `error` when
 * certdir refuses such a certificate, or memory is out. The caller calls certdir_certificate_clear() either way.
 */
bool certdir_specimen_read(struct certdir_certificate *certificate, const struct certdir_profile *profile,
			   const char *issuer, const struct certdir_rules *rules, struct certdir_error *error);

/* Whether an identity is what its variable is: a name where a serial number was meant finds nobody. */
bool certdir_specimen_is(const struct certdir_identity *identity, const struct certdir_variable *variable);

/* The name of the CA that signs, as far as the profiles know: that of the root that a SCEP profile names, or
 * of the CA that a PKCS profile names, where devices are given its certificate. NULL = not known. */
const char *certdir_specimen_issuer(const struct certdir_profiles *profiles, const struct certdir_profile *profile);

#endif
