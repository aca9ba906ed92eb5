/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random histories of two tenants, told to the list and to a model that is too simple to be wrong; after each edition the list
 * read back, its change log, and what names find must be the model's.
 *
 *	test_tenant_model [SEEDS [FIRST]]
 */
#include "tenant_script.h"

enum { OBJECTS = 6, RECORDS = 8, STAGED = 24, GROUPS = 3, FORMER = 24, TENANTS = 2, LOG = 4000 };
enum { FORMER_NAMES = 100, CHANGES = 300 };

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
	struct names names;
	bool groups[GROUPS];
};

struct record {
	bool there, own;
	int id;
	char key[8], n[8], sn[8], c[16], own_type[12], os[12], u[8], w[8];
	int t, r;
	struct names names;
};

struct model {
	struct object objects[OBJECTS];
	struct record records[RECORDS * 2];
	bool known[GROUPS];
	char group_names[GROUPS][8];
	char filter[64];
	bool synced, intune_synced;
};

struct line {
	int at;
	int tenant;
	char text[100];
};

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

static const char *compliance(const struct model *model, const struct object *object)
{
	const struct record *record = joined(model, object);

	return record ? record->c : object->c;
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
	return record->there && record->own &&
	       takes(model->filter, CERTDIR_JOIN_UNKNOWN, record->os, record->own_type, CERTDIR_UNKNOWN);
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

static void note_object(size_t i, bool quiet)
{
	const struct object *before = &begun.objects[i], *after = &M->objects[i];
	const bool was = object_listed(&begun, before), is = object_listed(M, after);
	char device[16];

	label(after, i, device);
	if (was && !is)
		note("removed", device, after->n, "", "");
	if (!was && is && !quiet)
		note("added", device, after->n, "", "");
	if (!was || !is)
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
	if (was && !is)
		note("removed", device, after && after->own ? after->n : before->n, "", "");
	if (!was && is && !quiet)
		note("added", device, after->n, "", "");
	if (!was || !is)
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

/* ---- the devices part ---- */

static const char *const device_names[] = {"A", "a", "B", "C", "D", "-", NULL};
static const char *const device_ids[] = {"1", "2", "3", "4", "i1", "i2", "0", "-", NULL};
static const char *const ownerships[] = {"company", "personal", "-", NULL};
static const char *const systems[] = {"iOS", "Windows", "-", NULL};
static const char *const states[] = {"compliant", "noncompliant", "-", NULL};
static const char *const joins[] = {"entra", "hybrid", "unknown", NULL};
static const char *const answers[] = {"y", "n", "-", NULL};

static void set_text(char *text, const char *value)
{
	strcpy(text, strcmp(value, "-") == 0 || strcmp(value, "0") == 0 ? "" : value);
}

static void put_object(bool full)
{
	size_t i = chance(OBJECTS);
	struct object *object = &M->objects[i];
	char old[8], text[128] = "";
	const char *value;

	if (!object->there)
		memset(object, 0, sizeof(*object));
	object->there = true;
	object->gone = false;
	object->seen |= full;
	strcpy(old, object->n);
#define PROPERTY(key, words, set)                                                                                      \
	if (chance(3)) {                                                                                               \
		value = one_of(words);                                                                                 \
		strcat(strcat(strcat(text, " " #key "="), value), "");                                                 \
		set;                                                                                                   \
	}
	PROPERTY(d, device_ids, set_text(object->d, value))
	PROPERTY(n, device_names, set_text(object->n, value))
	PROPERTY(own, ownerships, set_text(object->own, value))
	PROPERTY(os, systems, set_text(object->os, value))
	PROPERTY(c, states, set_text(object->c, value))
	PROPERTY(e, answers, object->e = yes_no(value))
	PROPERTY(m, answers, object->m = yes_no(value))
	PROPERTY(j, joins, if (!certdir_join_type_parse(value, &object->j)) object->j = CERTDIR_JOIN_UNKNOWN)
	if (chance(3)) {
		object->t = (int)chance(20);
		(void)snprintf(text + strlen(text), 16, " t=%d", object->t);
	}
	say("put %zx%s", i + 1, text);
	renamed(&object->names, old, object->n);
}

static void remove_object(void)
{
	size_t i = chance(OBJECTS);

	say("rm %zx", i + 1);
	if (M->objects[i].there)
		M->objects[i].gone = true;
}

static void end_devices(bool full)
{
	bool quiet = !M->synced;

	for (size_t i = 0; full && i < OBJECTS; i++)
		if (M->objects[i].there && !M->objects[i].seen)
			M->objects[i].gone = true;
	for (size_t r = 0; r < RECORDS * 2; r++)
		for (size_t i = 0; i < OBJECTS; i++)
			if (M->records[r].there && M->objects[i].there && !M->objects[i].gone &&
			    strcmp(M->objects[i].d, M->records[r].key) == 0) {
				M->records[r].own = false;
				M->records[r].names.count = 0;
			}
	note_all(quiet);
	for (size_t i = 0; i < OBJECTS; i++) {
		struct object *object = &M->objects[i];

		if (object->gone)
			memset(object, 0, sizeof(*object));
		for (size_t f = object->names.count; f-- > 0;)
			if (object->names.former[f].since <= now - FORMER_NAMES)
				drop_name(&object->names, f);
	}
	for (size_t r = 0; r < RECORDS * 2; r++)
		for (size_t f = M->records[r].names.count; f-- > 0;)
			if (M->records[r].names.former[f].since <= now - FORMER_NAMES)
				drop_name(&M->records[r].names, f);
	M->synced = true;
}

/* Ends a part well, or else nothing of it was. */
static bool ends(void)
{
	switch (chance(10)) {
	case 0:
		*M = begun;
		say("abandon");
		return false;
	case 1:
		*M = begun;
		say("publish");
		return false;
	default:
		return true;
	}
}

static void devices_part(void)
{
	const bool full = chance(4) == 0 || !M->synced;

	for (size_t i = 0; i < OBJECTS; i++)
		M->objects[i].seen = false;
	say("%s", full ? "full" : "delta");
	for (unsigned count = chance(10); count > 0; count--)
		if (chance(4))
			put_object(full);
		else
			remove_object();
	if (ends()) {
		say("end");
		end_devices(full);
	}
}

/* ---- the Intune part ---- */

static const char *const words[] = {"x", "y", "-", NULL};
static const char *const intune_states[] = {"compliant", "error", "unknown", "-", NULL};

static struct record stage_record(void)
{
	struct record record = {
		.there = true, .id = (int)chance(RECORDS) + 1, .t = (int)chance(5), .r = (int)chance(3)};
	const char *values[8] = {one_of(device_ids), one_of(device_names), one_of(words), one_of(intune_states),
				 one_of(ownerships), one_of(systems),	   one_of(words), one_of(words)};

	if (chance(3) == 0)
		(void)snprintf(record.key, sizeof(record.key), "i%d", record.id);
	else
		set_text(record.key, values[0]);
	say("rec %x d=%s n=%s sn=%s c=%s own=%s os=%s u=%s w=%s t=%d r=%d", (unsigned)record.id,
	    *record.key ? record.key : "0", values[1], values[2], values[3], values[4], values[5], values[6], values[7],
	    record.t, record.r);
	if (!*record.key)
		(void)snprintf(record.key, sizeof(record.key), "i%d", record.id);
	set_text(record.n, values[1]);
	set_text(record.sn, values[2]);
	for (char *c = record.sn; *c; c++)
		*c = (char)(*c - 'a' + 'A');
	strcpy(record.c, *values[3] == '-' ? "unknown" : values[3]);
	set_text(record.own_type, values[4]);
	set_text(record.os, values[5]);
	set_text(record.u, values[6]);
	set_text(record.w, values[7]);
	return record;
}

/* Of `count` staged records those that count: the last of an id, and of those the latest of a key. */
static void choose(struct record *staged, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			if (staged[i].id == staged[j].id)
				staged[i].there = false;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			if (staged[i].there && staged[j].there && i != j && strcmp(staged[i].key, staged[j].key) == 0 &&
			    (staged[i].t < staged[j].t || (staged[i].t == staged[j].t && staged[i].id < staged[j].id)))
				staged[i].there = false;
}

static void end_intune(struct record *staged, size_t count)
{
	size_t used = 0;

	choose(staged, count);
	memset(M->records, 0, sizeof(M->records));
	for (size_t i = 0; i < count; i++) {
		struct record *record = &M->records[used], *before;
		char own[8];

		if (!staged[i].there)
			continue;
		used++;
		*record = staged[i];
		(void)snprintf(own, sizeof(own), "i%d", record->id);
		record->own = strcmp(own, record->key) == 0;
		for (size_t o = 0; o < OBJECTS; o++)
			if (M->objects[o].there && strcmp(M->objects[o].d, record->key) == 0)
				record->own = false;
		before = record_of(&begun, record->key);
		if (record->own && before && before->own) {
			record->names = before->names;
			renamed(&record->names, before->n, record->n);
		}
	}
	note_all(!M->intune_synced);
	M->intune_synced = true;
}

static void intune_part(void)
{
	struct record staged[STAGED];
	size_t count = chance(STAGED / (1 + chance(4)));

	say("intune");
	for (size_t i = 0; i < count; i++)
		staged[i] = stage_record();
	if (ends()) {
		say("end");
		end_intune(staged, count);
	}
}

/* ---- groups ---- */

static void set_member(size_t i, size_t group, bool member, bool quiet)
{
	struct object *object = &M->objects[i];
	char device[16];

	if (object->groups[group] == member)
		return;
	object->groups[group] = member;
	if (!quiet && object_listed(M, object))
		note("group", label(object, i, device), object->n, member ? "" : M->group_names[group],
		     member ? M->group_names[group] : "");
}

static void group_part(void)
{
	size_t group = chance(GROUPS);
	const char *name = chance(2) ? "Staff" : "Crew";
	bool members[OBJECTS] = {false};

	say("group %zu %s", group + 1, name);
	for (unsigned count = chance(8); count > 0; count--) {
		size_t i = chance(OBJECTS);

		say("member %zx", i + 1);
		members[i] = M->objects[i].there;
	}
	if (!ends())
		return;
	say("end");
	strcpy(M->group_names[group], name);
	for (size_t i = 0; i < OBJECTS; i++)
		set_member(i, group, members[i], !M->known[group]);
	M->known[group] = true;
}

static void keep_groups(void)
{
	size_t group = chance(GROUPS);

	say("keep %zu", group + 1);
	for (size_t g = 0; g < GROUPS; g++)
		for (size_t i = 0; g != group && i < OBJECTS; i++)
			set_member(i, g, false, false);
	for (size_t g = 0; g < GROUPS; g++)
		M->known[g] &= g == group;
}

/* ---- comparing ---- */

static int compare_names(const void *a, const void *b)
{
	return strcasecmp(*(char *const *)a, *(char *const *)b);
}

static void former_of(struct names *from, char *former[FORMER + 1])
{
	for (size_t i = 0; i < from->count; i++)
		former[i] = from->former[i].name;
	former[from->count] = NULL;
	qsort(former, from->count, sizeof(*former), compare_names);
}

static char *guid_of(const char *id, char out[40])
{
	if (!*id)
		return NULL;
	return make_guid(*id == 'i' ? 'c' : 'd', atoi(id + (*id == 'i')), out);
}

#define TEXT_OF(text) ((char *)or_null(text))

static void add_record(struct certdir_device *device, const struct record *record, char id[40])
{
	device->intune_device_id = make_guid('c', record->id, id);
	device->serial_number = TEXT_OF(record->sn);
	device->owner = TEXT_OF(record->u);
	device->wifi_mac = TEXT_OF(record->w);
	device->compliance = TEXT_OF(record->c);
	device->managed = CERTDIR_YES;
	if (*record->own_type)
		device->ownership = TEXT_OF(record->own_type);
	device->last_seen = device->last_seen > record->t ? device->last_seen : record->t;
	device->registered = device->registered > record->r ? device->registered : record->r;
}

static void expected_list(struct model *model, char out[TEXT])
{
	char guids[8][40], *former[FORMER + 1], text[TEXT];
	struct certdir_group groups[GROUPS];
	struct lines lines = {0};

	for (size_t i = 0; i < OBJECTS; i++) {
		struct object *object = &model->objects[i];
		const struct record *record = joined(model, object);
		struct certdir_device device = {.object_id = make_guid('a', (int)i + 1, guids[0]),
						.entra_device_id = guid_of(object->d, guids[1]),
						.name = TEXT_OF(object->n),
						.ownership = TEXT_OF(object->own),
						.operating_system = TEXT_OF(object->os),
						.compliance = TEXT_OF(object->c),
						.enabled = object->e,
						.managed = object->m,
						.join_type = object->j,
						.last_seen = object->t,
						.groups = groups};

		if (!object_listed(model, object))
			continue;
		if (record)
			add_record(&device, record, guids[2]);
		for (size_t g = 0; g < GROUPS; g++)
			if (object->groups[g])
				groups[device.group_count++] = (struct certdir_group){
					make_guid('e', (int)g + 1, guids[3 + g]), model->group_names[g]};
		former_of(&object->names, former);
		device_text(&device, former, text);
		lines_add(&lines, text);
	}
	for (size_t i = 0; i < RECORDS * 2; i++) {
		struct record *record = &model->records[i];
		struct certdir_device device = {.name = TEXT_OF(record->n), .operating_system = TEXT_OF(record->os)};

		if (!own_listed(model, record))
			continue;
		add_record(&device, record, guids[2]);
		former_of(&record->names, former);
		device_text(&device, former, text);
		lines_add(&lines, text);
	}
	lines_join(&lines, out);
}

static void expected_changes(int tenant, char out[TEXT])
{
	struct lines lines = {0};

	for (size_t i = 0; i < change_count; i++)
		if (changes[i].tenant == tenant)
			lines_add(&lines, changes[i].text);
	lines_join(&lines, out);
}

static bool formerly(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcasecmp(names->former[i].name, name) == 0)
			return true;
	return false;
}

/* How many devices a name must find: by name, or, when nobody has it, by former name. */
static int expected_found(const char *name)
{
	int by_name = 0, by_former = 0;
	bool taken = false;

	for (int t = 0; t < TENANTS; t++) {
		const struct model *model = &models[t];

		for (size_t i = 0; i < OBJECTS; i++) {
			const struct object *object = &model->objects[i];
			bool has = object->there && strcasecmp(object->n, name) == 0;

			taken |= has;
			by_name += has && object_listed(model, object);
			by_former += object_listed(model, object) && formerly(&object->names, name);
		}
		for (size_t i = 0; i < RECORDS * 2; i++) {
			const struct record *record = &model->records[i];
			bool has = record->there && record->own && strcasecmp(record->n, name) == 0;

			taken |= has;
			by_name += has && own_listed(model, record);
			by_former += own_listed(model, record) && formerly(&record->names, name);
		}
	}
	by_name = taken ? by_name : by_former;
	return by_name > CERTDIR_LIST_FIND_MAX ? CERTDIR_LIST_FIND_MAX : by_name;
}

/* The history is longer than what cmocka prints. */
static void complain(const char *what, const char *name, const char *got, const char *wanted)
{
	fprintf(stderr, "%s\n%s %s\n%s\nand not\n%s\n", history, name, what, got, wanted);
	fail();
}

static void check_names(void)
{
	struct certdir_error error;
	struct certdir_list_snapshot *snapshot = certdir_list_load(fixture_file, &error);
	struct certdir_list_reader *reader = certdir_list_reader_get(snapshot, &error);
	int64_t rows[CERTDIR_LIST_FIND_MAX];

	for (char name[2] = "a"; *name <= 'd'; ++*name) {
		int found = certdir_list_find(reader, CERTDIR_ID_NAME, name, rows, &error);

		char got[16], wanted[16];

		(void)snprintf(got, sizeof(got), "%d devices", found);
		(void)snprintf(wanted, sizeof(wanted), "%d", expected_found(name));
		if (found != expected_found(name))
			complain("finds", name, got, wanted);
	}
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

static const char *const tenant_names[TENANTS] = {"contoso", "fabrikam"};

static void check(void)
{
	static char got[TEXT], wanted[TEXT];

	for (int t = 0; t < TENANTS; t++) {
		list_text(tenant_names[t], got);
		expected_list(&models[t], wanted);
		if (strcmp(got, wanted) != 0)
			complain("is", tenant_names[t], got, wanted);
		changes_text(tenant_names[t], 0, got);
		expected_changes(t, wanted);
		if (strcmp(got, wanted) != 0)
			complain("logs", tenant_names[t], got, wanted);
	}
	check_names();
}

/* ---- histories ---- */

static void switch_tenant(void)
{
	current = (int)chance(TENANTS);
	now += (int)chance(30);
	say("name %s", tenant_names[current]);
	say("guid %d", current + 1);
	say("filter %s", M->filter);
	say("now %d", now);
	begun = *M;
}

/* Another filter, which a listing takes over. */
static void change_filter(void)
{
	static const char *const filters[] = {"", "enabled", "own=company", "os=ios j=entra", NULL};

	strcpy(M->filter, one_of(filters));
	say("filter %s", M->filter);
	for (size_t i = 0; i < OBJECTS; i++)
		M->objects[i].seen = false;
	say("delta");
	put_object(false);
	say("end");
	end_devices(false);
}

static void act(void)
{
	static void (*const parts[])(void) = {devices_part, devices_part, devices_part, intune_part,
					      intune_part,  group_part,	  keep_groups,	change_filter};

	switch_tenant();
	if (!M->synced)
		devices_part();
	else
		parts[chance(sizeof(parts) / sizeof(*parts))]();
	if (chance(3) == 0) {
		say("publish");
		check();
	}
}

static unsigned seeds = 200, first_seed = 1;

static void test_histories(void **state)
{
	(void)state;
	for (unsigned seed = first_seed; seed < first_seed + seeds; seed++) {
		(void)unlink(fixture_file);
		memset(models, 0, sizeof(models));
		(void)snprintf(history, sizeof(history), "seed %u: ", seed);
		random_state = seed;
		now = 1000;
		change_count = 0;
		world_begin(&world);
		say("former %d", FORMER_NAMES);
		say("changes %d", CHANGES);
		for (int i = 0; i < 40; i++)
			act();
		say("publish");
		check();
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_histories, fixture_setup, fixture_teardown),
	};

	if (argc > 1)
		seeds = (unsigned)atoi(argv[1]);
	if (argc > 2)
		first_seed = (unsigned)atoi(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
