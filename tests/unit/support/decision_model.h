/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random worlds for the model of decisions. They begin with the truth, devices that live and people who own them, then
 * come directories that know them in part, later or no longer, then the certificate that a CA issued to one of them. What
 * a stranger can choose he chooses: the names of his devices, and in his certificates all that no CA vouches for.
 *
 * Values are pointers into one pool, so that they can be compared as such and worlds be copied as plain memory.
 */
#ifndef DECISION_MODEL_H
#define DECISION_MODEL_H

#include "world.h"

#include <strings.h>

enum { DEVICES = 5, RECORDS = 24, DIRECTORIES = 4, SOURCES = 3, UNKNOWN = 20, VALUES = 32, DAY = 86400 };

/* Kinds of values, each with a pool of its own. */
enum pool { ENTRA, INTUNE, OBJECT, SID, SERIAL, NAME, DNS_A, DNS_B, DNS_C, POOLS };

/* One device as it is. */
struct truth {
	bool stranger, entra, intune, jamf, linked; /* linked: its Entra object has its SID */
	int forest; /* 0, 1, or -1 */
	enum { FINE, DISABLED, RETIRED, EXPIRED, DELETED, LIVES } life;
	unsigned name; /* index of its own name, which others may bear as well */
	char *called, *serial;
	int64_t registered, seen;
};

struct model_directory {
	struct certdir_directory base; /* first */
	enum certdir_answer_state state;
	uint32_t keeps;
	struct certdir_source sources[SOURCES];
	size_t source_count;
	struct certdir_record records[RECORDS];
	size_t count;
	unsigned asked;
};

struct model {
	uint64_t seed;
	struct truth devices[DEVICES + 1]; /* from 1 */
	size_t device_count;
	struct model_directory directories[DIRECTORIES];
	size_t directory_count;
	struct model_directory people; /* who is asked about people; nobody until make_people() */
	int64_t rows;
	struct certdir_policy policy;
	struct certdir_certificate certificate;
	size_t holder; /* whose certificate it is */
};

/* What came out. Bit r of a set of rows: the record of that row. */
struct verdict {
	enum certdir_reason reason;
	bool allowed, by_dates;
	uint64_t device, heard;
	char detail[CERTDIR_TEXT_MAX];
};

extern char *pool[POOLS][VALUES];
extern const char *const domains[2][2];
extern uint64_t random_state;

/* A fuzzer's bytes, which come before chance: it learns what they do to a world. */
extern const unsigned char *chosen;

extern size_t chosen_count;

unsigned chance(unsigned below);
bool one_in(unsigned n);
void pool_fill(void);
struct certdir_record *add_row(struct model *model, size_t d, size_t source);
void make_facts(const struct truth *device, struct certdir_record *record);
void name_row(struct certdir_record *record);
struct certdir_source make_source(enum certdir_source_kind kind, const char *name, const char *tenant);
void make_directory(struct model *model, size_t d, bool ldap);

/* Somebody who is called PERSON, unless he is gone. Enabled and not expired, and fresh: true. */
#define PERSON "anna@x"
bool make_people(struct model *model);

void tighten_policy(struct certdir_policy *policy);
void put_name(struct model *model, enum certdir_identity_type type, enum certdir_rank rank, char *value);

/* What a profile puts there beside ids: the names that the device had when the certificate was issued. */
void put_true_names(struct model *model, size_t k, unsigned least);

/* What whoever requests can write himself: names and what extensions say. */
void put_chosen(struct model *model, size_t victim);

void begin_certificate(struct model *model, size_t k);
void make_certificate(struct model *model);
void make_model(struct model *model, uint64_t seed);
uint64_t row_bit(const struct certdir_record *record);
struct verdict judge(struct model *model);
void tell(const struct model *model);

#endif
