/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory in memory with a domain's rules: what must be unique is, and what is not there cannot go. */
#ifndef PLAN_FIXTURE_H
#define PLAN_FIXTURE_H

#include "text/dn.h"
#include "plan/fold.h"
#include "plan/plan.h"
#include "placeholders/value.h"

#include <stdarg.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DOMAIN "DC=corp,DC=example"
#define OU "OU=Wi-Fi," DOMAIN
#define STAFF "OU=Staff," DOMAIN /* another OU of the section */
#define GROUP "CN=Wi-Fi,OU=Groups," DOMAIN
#define COMPUTERS "CN=Domain Computers,CN=Users," DOMAIN

enum { GROUP_ID = 1200, COMPUTERS_ID = 515 };

/* What a section can put its accounts into; GROUP is the first. */
enum { GROUPS = 3 };

extern struct certdir_domain_group fixture_groups[GROUPS];

enum { ENTRIES = 40, VALUES = 20, TEXT = 120, DEVICES = 24, DEVICE_VALUES = 4 };

enum attribute {
	CLASS,
	NAME,
	ACCOUNT,
	CONTROL,
	MARK,
	SPN,
	HOST_NAME,
	DESCRIPTION,
	SERIAL,
	MAPPING,
	PRIMARY,
	MEMBER_OF,
	SID,
	GUID,
	SYSTEM,
	EXPIRES,
	ATTRIBUTES
};

extern const char *const attribute_names[ATTRIBUTES];

struct value {
	enum attribute attribute;
	char text[TEXT];
};

struct entry {
	char dn[TEXT];
	int version, id;
	struct value values[VALUES];
	size_t count;
};

struct domain {
	struct entry entries[ENTRIES];
	size_t count;
	int version, id;
	char refusal[400]; /* why the last operation was refused */
};

enum attribute attribute_of(const char *name);

/* What the directory compares names by: Active Directory without accents, others with them. */
extern enum certdir_accents accents;

bool is_same(const char *a, const char *b, enum certdir_accents with);
struct entry *entry_at(struct domain *domain, const char *dn);
struct value *value_at(struct entry *entry, enum attribute attribute, const char *text);
const char *text_at(const struct entry *entry, enum attribute attribute);
void add_value(struct entry *entry, enum attribute attribute, const char *text);
void drop_value(struct entry *entry, struct value *value);
void set_value(struct entry *entry, enum attribute attribute, const char *text);

/* Whether another entry of the domain has a value that must be unique. */
bool is_taken(struct domain *domain, const struct entry *entry, enum attribute attribute, const char *text);

void text_of(const struct certdir_ldap_bytes *bytes, char text[TEXT]);
bool carry_out(struct domain *domain, const struct certdir_ldap_operation *operation);

/* Takes an operation back with nothing but what it says. */
bool take_back(struct domain *domain, const struct certdir_ldap_operation *operation);

struct device {
	bool there;
	char key[40], cn[64], name[64], sid[40];
	char why_not[32], problem[64]; /* "" = none */
	bool hybrid;
	enum certdir_unmapped unmapped;
	bool staff; /* its account stands in STAFF */
	unsigned groups; /* beside the first: a bit for each of GROUPS */
	char values[ATTRIBUTES][DEVICE_VALUES][64];
	char mappings[DEVICE_VALUES][64], ended[DEVICE_VALUES][64];
};

/* Everything that certdir_plan_make() takes; strings are the devices' and the domain's. */
struct planning {
	struct certdir_plan_rules rules;
	bool member_of; /* all are in GROUP */
	struct certdir_domain domain;
	struct certdir_wanted_list wanted;
	struct certdir_accounts accounts;
	struct certdir_plan plan;
	struct certdir_arena arena;
	struct domain seen; /* the directory as it was when the plan was made */
	size_t asked, rounds;
};

void configure(struct planning *planning, enum certdir_placeholder_kind kind);
void with_group(struct planning *planning, bool primary);

/* All of them, by the groups of the devices, with or without one that all are in. */
void with_groups(struct planning *planning, bool primary, bool member_of);

enum attribute mark_attribute(const struct planning *planning);
bool is_in(const struct entry *entry, const char *group);

/* The targets of a device, and the first of them behind GROUP, or that one, for its primary group. */
void place(const struct planning *planning, const struct device *device, struct certdir_wanted *item);

void read_accounts(struct planning *planning);
void read_wanted(struct planning *planning, const struct device devices[DEVICES]);

/* Reads both sides and plans. certdir_arena_clear(&planning->arena) follows. */
void make_plan(struct planning *planning, const struct domain *directory, const struct device devices[DEVICES],
	       int64_t now);

#endif
