/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The random worlds of test_plan_model: devices and entries, and what happens to them in a round. */
#ifndef PLAN_TURNS_H
#define PLAN_TURNS_H

#include "plan_fixture.h"

#include <time.h>

enum { SEEDS = 500, POOL = 9, NAMES = 11, ROUNDS = 5, DELETE_AFTER = 1000 };

struct world {
	struct device devices[DEVICES]; /* the first POOL are used */
	struct domain domain;
	int64_t now;
	bool calm; /* nobody but certdir touches the directory, and no two devices have a name in common */
	bool disturbed; /* by hand, in this round */
	int certificates; /* made so far */
};

extern unsigned seed, state;
extern struct planning planning;

unsigned pick(unsigned count);
bool turn_chance(unsigned per_cent);

#define CHECK(condition, ...)                                                                                          \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			print_error("seed %u: ", seed);                                                                \
			print_error(__VA_ARGS__);                                                                      \
			print_error("\n");                                                                             \
			show();                                                                                        \
			fail();                                                                                        \
		}                                                                                                      \
	} while (0)

extern const struct world *shown;

void show(void);
void come(struct world *world, size_t index);
bool is_ours(const struct entry *entry);

/* Whether it is ours and a real computer by now. */
bool lives(const struct entry *entry);

void turn(struct world *world);

#endif
