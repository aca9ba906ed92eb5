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

static const char *const tenant_names[TENANTS] = {"contoso", "fabrikam"};
static struct model models[TENANTS], begun;
static struct line changes[LOG];
static size_t change_count;
static struct world world;
static char history[1 << 20];
static int now, current;
static uint64_t random_state;

#define M (&models[current])

/* ---- chance ---- */

static unsigned chance(unsigned below)
{
	uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ z >> 31) % below);
}

static const char *one_of(const char *const *words)
{
	unsigned count = 0;

	while (words[count])
		count++;
	return words[chance(count)];
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	char command[256];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	strcat(strcat(history, command), "; ");
	run(&world, command);
}

/* ---- what follows from the state ---- */

static struct record *record_of(struct model *model, const char *key)
{
	for (size_t i = 0; *key && i < RECORDS * 2; i++)
		if (model->records[i].there && strcmp(model->records[i].key, key) == 0)
			return &model->records[i];
	return NULL;
}

static const struct record *joined(const struct model *model, const struct object *object)
{
	return record_of((struct model *)model, object->d);
}

/* Intune's word where it is one, else Entra ID's. */
static const char *compliance(const struct model *model, const struct object *object)
{
	const struct record *record = joined(model, object);

	return record && (!*object->c || strcmp(record->c, "unknown") != 0) ? record->c : object->c;
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

/* The filters that are tried: none, or one of these. */
static bool takes(const char *filter, enum certdir_join_type join_type, const char *system, const char *ownership,
		  enum certdir_tristate enabled)
{
	if (strcmp(filter, "enabled") == 0)
		return enabled == CERTDIR_YES;
	if (strcmp(filter, "own=company") == 0)
		return strcmp(ownership, "company") == 0;
	if (strcmp(filter, "os=ios j=entra") == 0)
		return strcmp(system, "iOS") == 0 && join_type == CERTDIR_JOIN_ENTRA;
	return true;
}

static bool object_listed(const struct model *model, const struct object *object)
{
	const struct record *record = joined(model, object);

	return object->there && !object->gone &&
	       takes(model->filter, object->j, object->os, record && *record->own_type ? record->own_type : object->own,
		     object->e);
}

static bool own_listed(const struct model *model, const struct record *record)
{
	return record->there && record->own && !record->once &&
	       takes(model->filter, CERTDIR_JOIN_UNKNOWN, record->os, record->own_type,
		     strcmp(record->st, "managed") == 0 ? CERTDIR_YES : CERTDIR_UNKNOWN);
}

/* ---- names ---- */

static void drop_name(struct names *names, size_t i)
{
	memmove(&names->former[i], &names->former[i + 1], (names->count - i - 1) * sizeof(names->former[0]));
	names->count--;
}

static void forget_name(struct names *names, const char *name)
{
	for (size_t i = names->count; i-- > 0;)
		if (strcasecmp(names->former[i].name, name) == 0)
			drop_name(names, i);
}

static void renamed(struct names *names, const char *before, const char *after)
{
	if (strcasecmp(before, after) == 0)
		return;
	if (*before) {
		forget_name(names, before);
		strcpy(names->former[names->count].name, before);
		names->former[names->count++].since = now;
	}
	forget_name(names, after);
}

/* ---- the change log ---- */

static void note(const char *what, const char *device, const char *name, const char *before, const char *after)
{
	assert_true(change_count < LOG);
	changes[change_count].at = now;
	changes[change_count].tenant = current;
	(void)snprintf(changes[change_count++].text, sizeof(changes[0].text), "%d %s %s %s %s>%s", now, what, device,
		       name, before, after);
}

static const char *label(const struct object *object, size_t i, char out[16])
{
	if (*object->d)
		(void)snprintf(out, 16, "%s%s", *object->d == 'i' ? "" : "d", object->d);
	else
		(void)snprintf(out, 16, "o%zu", i + 1);
	return out;
}

static const char *yes_or_no(enum certdir_tristate value)
{
	return value == CERTDIR_UNKNOWN ? "" : value == CERTDIR_YES ? "yes" : "no";
}

static bool same_compliance(const char *a, const char *b)
{
	return strcmp(*a ? a : "unknown", *b ? b : "unknown") == 0;
}

/* It came, or it went; true when it was there and is. */
static bool note_listing(bool was, bool is, bool quiet, const char *device, const char *old_name, const char *name)
{
	if (was && !is)
		note("removed", device, old_name, "", "");
	if (!was && is && !quiet)
		note("added", device, name, "", "");
	return was && is;
}

static void note_object(size_t i, bool quiet)
{
	const struct object *before = &begun.objects[i], *after = &M->objects[i];
	const bool was = object_listed(&begun, before), is = object_listed(M, after);
	char device[16];

	label(after, i, device);
	if (!note_listing(was, is, quiet, device, after->n, after->n))
		return;
	if (strcasecmp(before->n, after->n) != 0)
		note("renamed", device, after->n, before->n, after->n);
	if (before->e != after->e)
		note("enabled", device, after->n, yes_or_no(before->e), yes_or_no(after->e));
	if (!quiet && !same_compliance(compliance(&begun, before), compliance(M, after)))
		note("compliance", device, after->n, compliance(&begun, before), compliance(M, after));
}

static void note_own(const struct record *before, const struct record *after, bool quiet)
{
	const bool was = before && own_listed(&begun, before), is = after && own_listed(M, after);
	char device[16];

	(void)snprintf(device, sizeof(device), "i%x", (unsigned)(before ? before->id : after->id));
	if (!note_listing(was, is, quiet, device, after && after->own ? after->n : before->n, after ? after->n : ""))
		return;
	if (strcasecmp(before->n, after->n) != 0)
		note("renamed", device, after->n, before->n, after->n);
	if (!same_compliance(before->c, after->c))
		note("compliance", device, after->n, before->c, after->c);
}

static void note_all(bool quiet)
{
	for (size_t i = 0; i < OBJECTS; i++)
		note_object(i, quiet);
	for (size_t i = 0; i < RECORDS * 2; i++)
		if (begun.records[i].there && begun.records[i].own)
			note_own(&begun.records[i], record_of(M, begun.records[i].key), quiet);
	for (size_t i = 0; i < RECORDS * 2; i++)
		if (M->records[i].there && M->records[i].own &&
		    !(record_of(&begun, M->records[i].key) && record_of(&begun, M->records[i].key)->own))
			note_own(NULL, &M->records[i], quiet);
	for (size_t i = change_count; i-- > 0;)
		if (changes[i].at <= now - CHANGES)
			changes[i] = changes[--change_count];
}

#endif
