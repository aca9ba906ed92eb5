/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tenant_model.h"

const char *const tenant_names[TENANTS] = {"contoso", "fabrikam"};

struct model models[TENANTS], begun;

struct line changes[LOG];

size_t change_count;

struct world model_world;

char history[1 << 20];

int now, current;

uint64_t tenant_random_state;

/* ---- chance ---- */

unsigned tenant_chance(unsigned below)
{
	uint64_t z = (tenant_random_state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ z >> 31) % below);
}

const char *one_of(const char *const *words)
{
	unsigned count = 0;

	while (words[count])
		count++;
	return words[tenant_chance(count)];
}

void say(const char *format, ...)
{
	char command[256];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	strcat(strcat(history, command), "; ");
	run(&model_world, command);
}

/* ---- what follows from the state ---- */

struct record *record_of(struct model *model, const char *key)
{
	for (size_t i = 0; *key && i < RECORDS * 2; i++)
		if (model->records[i].there && strcmp(model->records[i].key, key) == 0)
			return &model->records[i];
	return NULL;
}

const struct record *joined(const struct model *model, const struct object *object)
{
	return record_of((struct model *)model, object->d);
}

const char *compliance(const struct model *model, const struct object *object)
{
	const struct record *record = joined(model, object);

	return record && (!*object->c || strcmp(record->c, "unknown") != 0) ? record->c : object->c;
}

const char *or_null(const char *text)
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

bool object_listed(const struct model *model, const struct object *object)
{
	const struct record *record = joined(model, object);

	return object->there && !object->gone &&
	       takes(model->filter, object->j, object->os, record && *record->own_type ? record->own_type : object->own,
		     object->e);
}

bool own_listed(const struct model *model, const struct record *record)
{
	return record->there && record->own && !record->once &&
	       takes(model->filter, CERTDIR_JOIN_UNKNOWN, record->os, record->own_type,
		     strcmp(record->st, "managed") == 0 ? CERTDIR_YES : CERTDIR_UNKNOWN);
}

/* ---- names ---- */

void drop_name(struct names *names, size_t i)
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

void renamed(struct names *names, const char *before, const char *after)
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

void note(const char *what, const char *device, const char *name, const char *before, const char *after)
{
	assert_true(change_count < LOG);
	changes[change_count].at = now;
	changes[change_count].tenant = current;
	(void)snprintf(changes[change_count++].text, sizeof(changes[0].text), "%d %s %s %s %s>%s", now, what, device,
		       name, before, after);
}

const char *label(const struct object *object, size_t i, char out[16])
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

void note_all(bool quiet)
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
