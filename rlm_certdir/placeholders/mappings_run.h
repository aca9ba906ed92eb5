/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates on their way to mappings; for mappings*.c alone. mappings.c finds whose each is, mappings_settle.c who gets what. */
#ifndef CERTDIR_PLACEHOLDERS_MAPPINGS_RUN_H
#define CERTDIR_PLACEHOLDERS_MAPPINGS_RUN_H

#include "checker.h"
#include "identity/mapping.h"
#include "placeholders/mappings.h"

/* One value that a certificate's mapping can have, and whose it is. */
struct certdir_mapping_entry {
	const char *value; /* the arena's */
	struct certdir_wanted *device;
	size_t certificate; /* which of those that have a device */
	enum certdir_mapping_form form;
	bool ended; /* the certificate has, or another form is asked for and there */
};

/* A certificate that has a device. */
struct certdir_mapping_owned {
	struct certdir_wanted *device;
	bool issued; /* known of a table alone */
	bool ended;
	uint32_t forms; /* of the mappings that its device has got */
};

/* What a certificate that was handed in is known by in a table. Strings are the arena's. */
struct certdir_mapping_handed {
	const char *serial, *issuer;
	const char *thumbprint; /* or NULL */
	size_t certificate;
};

struct certdir_mappings {
	const struct certdir_placeholders_config *config;
	struct certdir_wanted_list *wanted;
	struct certdir_arena *arena;
	struct certdir_checker checker; /* of the list alone, with a policy that everybody passes */
	struct certdir_mappings_report report;
	struct certdir_mapping_entry *entries;
	size_t count;
	struct certdir_mapping_owned *owned;
	size_t owned_count;
	struct certdir_mapping_handed *handed; /* sorted by serial number once tables are read */
	size_t handed_count;
	size_t inexact; /* certificates of tables whose issuer is not known exactly */
	size_t remarks; /* said or not */
	size_t unknown; /* certificates that name no device of the list, */
	const char *unknown_names; /* of the first few, the arena's; NULL: memory is out */
	const char *why_unknown; /* what the first of them said */
};

/* Says in the log why there is no mapping of something; of many such lines only the first, and how many more there were. */
void certdir_mappings_remark(struct certdir_mappings *mappings, const char *origin, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Gives the devices their mappings, and counts in the report what became of the certificates. False with `error`: memory is out. */
bool certdir_mappings_settle(struct certdir_mappings *mappings, struct certdir_error *error);

#endif
