/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list -> which device shall have which entry. */
#ifndef CERTDIR_PLACEHOLDERS_WANTED_H
#define CERTDIR_PLACEHOLDERS_WANTED_H

#include "ldap/operation.h"
#include "list/list.h"
#include "placeholders/arena.h"
#include "placeholders/config.h"

/* What keeps a device of the list without an entry; the first that does. */
enum certdir_left_out {
	CERTDIR_LEFT_OUT_NOT, /* nothing: it is selected */
	CERTDIR_LEFT_OUT_RETIRED,
	CERTDIR_LEFT_OUT_DISABLED,
	CERTDIR_LEFT_OUT_EXPIRED,
	CERTDIR_LEFT_OUT_ENABLED_UNKNOWN,
	CERTDIR_LEFT_OUT_TRUST_TYPE, /* has one that trust_types does not name */
	CERTDIR_LEFT_OUT_UNTYPED, /* has none, and trust_types does not say "none" */
	CERTDIR_LEFT_OUT_NOT_MANAGED,
	CERTDIR_LEFT_OUT_NOT_COMPLIANT,
	CERTDIR_LEFT_OUT_COMPLIANCE_UNKNOWN,
	CERTDIR_LEFT_OUT_NOT_IN_GROUP,
	CERTDIR_LEFT_OUT_OPERATING_SYSTEM,
	CERTDIR_LEFT_OUT_LDAP, /* an LDAP directory has it: it is there already */
	CERTDIR_LEFT_OUT_OTHER,
	CERTDIR_LEFT_OUTS
};

/* A device of the list. Strings are the arena's. */
struct certdir_wanted {
	const char *key; /* the device's id in the list; stands in the mark */
	const char *name; /* for people; or NULL */
	const char *why_not; /* it shall have no enabled entry: "is disabled", "is not compliant"; NULL = it shall */
	const char *problem; /* it should and cannot: "has no serial_number"; then why_not is NULL and cn may be */
	const char *cn;
	const char *sid; /* onPremisesSecurityIdentifier, to notice accounts that Entra Connect syncs back; or NULL */
	bool hybrid; /* trustType ServerAd */
	enum certdir_left_out left_out; /* what why_not says */
	const char *pattern; /* config->adopt filled, or NULL: the device lacks a part of it */
	const char *ou; /* one of the config's ous: where its entry stands */
	uint64_t groups; /* a bit for each of the config's targets that it is to be in */
	unsigned primary; /* 1 + index of the target that is to be its primary group, 0 = none */
	struct certdir_ldap_values
		*values; /* one for each column of the configuration, sorted by bytes; NULL unless cn */
	struct certdir_ldap_values mappings; /* of valid certificates handed in (mappings.h), sorted */
	struct certdir_ldap_values ended; /* mappings of its certificates that have ended, sorted */
};

struct certdir_wanted_list {
	struct certdir_wanted *devices; /* sorted by key (strcmp), each key once */
	size_t count;
	size_t selected; /* those without why_not */
	size_t left_out[CERTDIR_LEFT_OUTS]; /* how many of the list are left out for what */
};

/*
 * Whether the list may be acted on: not empty, no source older than max_age, and every part that the selection asks for (Intune,
 * groups) was synced, and none longer ago than that; and it knows every group by which accounts get groups and places, since one that
 * nobody synced, or that has another name now, is not one that nobody is in. False with `error`: what is wrong and what to do.
 */
bool certdir_wanted_list_usable(const struct certdir_placeholders_config *config, struct certdir_list_snapshot *list,
				int64_t now, struct certdir_error *error);

/*
 * Reads every device of `reader`'s list. `domain` ("corp.example") fills {domain}. Of several with one id those of a synced tenant count
 * before imports; two of the same kind get a `problem`. But a "no" of any of them (disabled, retired) counts, as it does in a login:
 * the device shall have no enabled entry then. Memory is the arena's. False with `error`.
 */
bool certdir_wanted_read(const struct certdir_placeholders_config *config, struct certdir_list_reader *reader,
			 const char *domain, int64_t now, struct certdir_arena *arena,
			 struct certdir_wanted_list *wanted, struct certdir_error *error);

/* The device with this key, or NULL. */
struct certdir_wanted *certdir_wanted_find(const struct certdir_wanted_list *wanted, const char *key);

/*
 * What leaves out a device of a source of the list at Unix time `now`, and why_not as in certdir_wanted, static or the arena's; NULL
 * when nothing does. Pure.
 */
enum certdir_left_out certdir_selection_judge(const struct certdir_selection *selection,
					      const struct certdir_device *device,
					      const struct certdir_list_source *from, int64_t now,
					      struct certdir_arena *arena, const char **why_not);

/* Whether that is a "no", which no other record of the device outweighs. */
bool certdir_left_out_is_no(enum certdir_left_out left_out);

#endif
