/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold for the decision in one world, told by looking at its records: each rule once more, without the way that
 * the code goes to it. Which rule it is stands with each.
 */
#ifndef DECISION_PROPERTIES_H
#define DECISION_PROPERTIES_H

#include "decision_model.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { RULE_AHEAD = 300, RULE_SAME_TIME = 900 };

extern struct model model; /* the world */
extern struct verdict verdict;
extern unsigned checked[64]; /* how often a property had something to say */
extern const char *names_of_checked[64];

void complain(const char *property, const char *format, ...) __attribute__((format(printf, 2, 3)));
void count_check(const char *property);

#define HOLDS(condition, ...)                                                                                          \
	do {                                                                                                           \
		count_check(__func__);                                                                                 \
		if (!(condition))                                                                                      \
			complain(__func__, __VA_ARGS__);                                                               \
	} while (0)

struct known_row {
	const struct certdir_record *record;
	const struct model_directory *directory;
	const struct certdir_source *source;
	size_t at;
};

bool next_row(struct known_row *row);

#define FOR_EACH_ROW(row, set)                                                                                         \
	for (struct known_row row = {0}; next_row(&row);)                                                              \
		if (row_bit(row.record) & (set))

const char *tenant_of(const struct known_row *row);
bool in_scope(const struct model_directory *directory);

/* Every row that a list in scope would tell if asked, heard or not. */
uint64_t rows_of_lists(void);

enum { IDS = 5 };

void ids_of(const struct certdir_record *record, const char *ids[IDS]);
bool says_no(const struct known_row *row);

/* Rule 3: an import's row, whose tenant is up to date and has no such device. What Intune still has of it is none. */
bool is_outdated(const struct known_row *import);

bool is_guid(enum certdir_identity_type type);
bool is_kept(const struct certdir_identity *id);
enum certdir_rank top_rank(void);

#define FOR_EACH_VALUE(id, wanted_rank)                                                                                \
	for (const struct certdir_identity *id = model.certificate.identities;                                         \
	     id < model.certificate.identities + model.certificate.count; id++)                                        \
		if (id->rank == (wanted_rank) && (id->rank == CERTDIR_RANK_CONFIRMING || is_kept(id)))

void check_properties(void);

#endif
