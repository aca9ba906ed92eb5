/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model of test_tenant_model.c: what it knows of two tenants, what follows from that, and the change log that it keeps. */
#ifndef TENANT_MODEL_H
#define TENANT_MODEL_H

#include "tenant_script.h"

enum { OBJECTS = 6, RECORDS = 8, STAGED = 24, GROUPS = 3, FORMER = 24, TENANTS = 2, LOG = 4000 };
enum { FORMER_NAMES = 100, CHANGES = 300, ONCE_KEPT = 400 * 86400 };

struct names {
	struct {
		char name[8];
		int since;
	} former[FORMER];
	size_t count;
};

/* Texts are "" when not known. Ids are as in a script: "1", "i1". */
struct object {
	bool there, gone, seen;
	char d[8], n[8], s[8], own[12], os[12], c[16];
	enum certdir_tristate e, m;
	enum certdir_join_type j;
	int t, r;
	int since; /* that c is what it is */
	int kept; /* gone, and kept by the guard: as of when; 0 = it is not */
	struct names names;
	bool groups[GROUPS];
	int left[GROUPS]; /* the same of having left */
};

struct record {
	bool there, own;
	bool once; /* own, but it named an Entra device before */
	int id;
	char key[8], n[8], sn[8], c[16], own_type[12], os[12], u[8], w[8], st[16], ma[8];
	int t, r;
	int kept;
	struct names names;
};

struct model {
	struct object objects[OBJECTS];
	struct record records[RECORDS * 2];
	int once[RECORDS +
		 1]; /* when the Intune record of that id was last found to have named an Entra device, 0 = never */
	bool known[GROUPS];
	char group_names[GROUPS][8];
	char filter[64];
	unsigned shrink; /* without a filter alone: what it takes away is another matter */
	int synced, intune_synced, group_synced[GROUPS]; /* when; 0 = never */
};

struct line {
	int at;
	int tenant;
	char text[100];
};

extern const char *const tenant_names[TENANTS];
extern struct model models[TENANTS], begun;
extern struct line changes[LOG];
extern size_t change_count;
extern struct world model_world;
extern char history[1 << 20];
extern int now, current;
extern uint64_t tenant_random_state;

#define M (&models[current])

unsigned tenant_chance(unsigned below);
const char *one_of(const char *const *words);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
struct record *record_of(struct model *model, const char *key);
const struct record *joined(const struct model *model, const struct object *object);

/* Intune's word where it is one, else Entra ID's. */
const char *compliance(const struct model *model, const struct object *object);

const char *or_null(const char *text);
bool object_listed(const struct model *model, const struct object *object);
bool own_listed(const struct model *model, const struct record *record);
void drop_name(struct names *names, size_t i);
void renamed(struct names *names, const char *before, const char *after);
void note(const char *what, const char *device, const char *name, const char *before, const char *after);
const char *label(const struct object *object, size_t i, char out[16]);
void note_all(bool quiet);

#endif
