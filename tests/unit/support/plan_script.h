/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small worlds in a few words, and plans in print: a rule is a world and the plan that comes of it, which is then
 * carried out and must leave nothing to do.
 *
 *	config certificates|issued|warnings|disabled|device|group|primary|groups|none|max_remove=N|delete_after=N
 *	device KEY CN [not=WHY] [problem=WHAT] [spn=V].. [desc=V] [serial=V] [map=V].. [ended=V].. [sid=V] [hybrid]
 *	        [unmapped=N] [staff] [red] [blue] [wifi]
 *	account KEY CN [disabled] [gone=TIME] [uac=N] [sam=V] [spn=V].. [desc=V] [serial=V] [map=V].. [deep] [nobody]
 *	        [computers] [staff] [sid=V] [guid=V] [life=SYSTEM] [expires=TIME]
 *	foreign CN [mark=V] [spn=V].. [deep] [staff] [below=CN]
 *	outside CN [sam=V] [spn=V].. [map=V]..
 *
 * "1-3: device k# PC#" stands for three lines, with 1, 2 and 3, also in a plan. "_" is a blank; short_names[] says which
 * attributes these are. Without spn=, a device shall have HOST/CN and an account has it. In a group, accounts are what they
 * shall be unless they are "nobody"; with "groups" they are in what is said: memberof=, primary=; "none" is a section without
 * one that all are in. The time is 10000, and accounts that are gone are deleted after 1000.
 */
#ifndef PLAN_SCRIPT_H
#define PLAN_SCRIPT_H

#include "plan_fixture.h"
#include "plan/account_name.h"
#include "text/timestamp.h"

enum { NOW = 10000 };

struct world {
	struct device devices[DEVICES];
	struct domain domain;
	struct planning planning;
	bool warnings; /* are printed */
};

extern struct world world;
extern char printed[20000];
extern size_t length;

void read_world(const char *script);
void print_plan(bool steps);
void plan_world(void);
void carry_out_all(void);

struct rule {
	const char *title, *script, *plan;
};

void check_rules(const struct rule *rules, size_t count, bool steps);

#endif
