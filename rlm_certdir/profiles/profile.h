/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Intune's profiles say of certificates: what will stand in them, who gets them, and which network profile uses them. */
#ifndef CERTDIR_PROFILES_PROFILE_H
#define CERTDIR_PROFILES_PROFILE_H

#include "base/arena.h"
#include "base/certdir.h"

enum certdir_profile_kind {
	CERTDIR_PROFILE_OTHER, /* has nothing to do with certificates */
	CERTDIR_PROFILE_SCEP,
	CERTDIR_PROFILE_PKCS,
	CERTDIR_PROFILE_PFX, /* imported: what stands in them, Intune does not say */
	CERTDIR_PROFILE_ROOT,
	CERTDIR_PROFILE_NETWORK /* Wi-Fi or wired, with EAP */
};

enum certdir_platform {
	CERTDIR_PLATFORM_UNKNOWN,
	CERTDIR_PLATFORM_WINDOWS,
	CERTDIR_PLATFORM_IOS,
	CERTDIR_PLATFORM_MACOS,
	CERTDIR_PLATFORM_ANDROID, /* device administrator, AOSP */
	CERTDIR_PLATFORM_ANDROID_CORPORATE,
	CERTDIR_PLATFORM_ANDROID_WORK /* the work profile of a personal device */
};

/* A name that certificates will have. */
struct certdir_profile_name {
	const char *from; /* static: "subject.cn", "san.uri", as in struct certdir_identity */
	const char *text; /* with variables: "IntuneDeviceId://{{DeviceId}}" */
};

enum certdir_profile_target_kind {
	CERTDIR_TARGET_GROUP,
	CERTDIR_TARGET_EXCLUDED,
	CERTDIR_TARGET_ALL_DEVICES,
	CERTDIR_TARGET_ALL_USERS,
	CERTDIR_TARGET_OTHER /* newer than this program */
};

struct certdir_profile_target {
	enum certdir_profile_target_kind kind;
	const char *group; /* object id, canonical; NULL where it is none */
	bool filtered; /* an assignment filter decides, too */
	bool known; /* the list has devices in the group; for who has a list to set */
};

struct certdir_profile {
	const char *id; /* canonical GUID */
	const char *name;
	const char *type; /* Graph's, such as "windows81SCEPCertificateProfile" */
	enum certdir_profile_kind kind;
	enum certdir_platform platform;
	struct certdir_profile_target *targets;
	size_t target_count;

	/* SCEP, PKCS */
	const struct certdir_profile_name *names;
	size_t name_count;
	bool machine, user; /* whose the certificate is; both false where nothing says it */
	const char *const *ekus; /* object identifiers */
	size_t eku_count;
	int64_t validity; /* days, 0 = not known */
	int64_t renewal; /* per cent of the validity that are left when it is renewed, 0 = not known */
	const char *ca; /* what PKCS profiles call the CA; or NULL */

	/* ROOT: what the certificate says, empty where it cannot be read; certdir_profiles_clear() frees it */
	struct certdir_certificate certificate;

	/* NETWORK */
	bool tls; /* the client shows a certificate */
	const char *login; /* who logs in: "machine", "user", ..; or NULL */
	const char *const *server_names;
	size_t server_name_count;

	/* SCEP: its root. NETWORK: those that the server's certificate is held against, and the profile of the client's certificate. */
	bool related; /* these are known */
	const char *const *roots; /* ids */
	size_t root_count;
	const char *identity; /* id; or NULL */
};

/* What could not be read, or is not. */
struct certdir_profile_unread {
	const char *name;
	const char *why;
};

/* All texts are the arena's: valid UTF-8 without control characters, whatever the answers had. */
struct certdir_profiles {
	struct certdir_arena arena;
	struct certdir_profile *items; /* malloc'ed */
	size_t count;
	struct certdir_profile_unread *unread; /* malloc'ed */
	size_t unread_count;
	bool incomplete; /* by a permission that is missing, or since Graph was busy */
};

/* Frees what one has beside the arena: for those that are not kept. */
void certdir_profile_clear(struct certdir_profile *profile);
void certdir_profiles_clear(struct certdir_profiles *profiles);

/* The profile of this id, or NULL. */
const struct certdir_profile *certdir_profiles_find(const struct certdir_profiles *profiles, const char *id);

/*
 * Reads the certificate of a root profile: base64 of DER or of a PEM file. One that cannot be read is left out, since what it may be is not
 * known then. False when memory is out.
 */
bool certdir_profile_root_read(struct certdir_profile *profile, const char *base64);

/* Whether certificates are made after it, and what will stand in them is known. */
bool certdir_profile_issues(const struct certdir_profile *profile);

#endif
