/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random histories of two tenants, told to the list and to a model that is too simple to be wrong; after each edition the list
 * read back, its change log, and what names find must be the model's.
 *
 *	test_tenant_model [SEEDS [FIRST]]
 */
#include "tenant_model.h"
#include "base/shrink.h"

/* Stands before the C library's: histories have no power cut, and thousands of editions would wait for the disk. */
int fsync(int fd)
{
	(void)fd;
	return 0;
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
	size_t i = tenant_chance(OBJECTS);
	struct object *object = &M->objects[i];
	char old[8], old_c[16], text[128] = "";
	const char *value;

	if (!object->there) {
		memset(object, 0, sizeof(*object));
		object->since = 0;
	}
	strcpy(old_c, object->c);
	object->there = true;
	object->gone = false;
	object->kept = 0;
	object->seen |= full;
	strcpy(old, object->n);
#define PROPERTY(key, words, set)                                                                                      \
	if (tenant_chance(3)) {                                                                                        \
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
	if (tenant_chance(3)) {
		object->t = (int)tenant_chance(20);
		(void)snprintf(text + strlen(text), 16, " t=%d", object->t);
	}
	say("put %zx%s", i + 1, text);
	if (object->since == 0) /* it may have been compliant for long */
		object->since = strcmp(object->c, "compliant") == 0 ? 1 : now;
	else if (strcmp(old_c, object->c) != 0)
		object->since = now;
	renamed(&object->names, old, object->n);
}

static void remove_object(void)
{
	size_t i = tenant_chance(OBJECTS);

	say("rm %zx", i + 1);
	if (M->objects[i].there)
		M->objects[i].gone = true;
}

/* Whether the guard keeps what would be lost. */
static bool refused(size_t before, size_t lost)
{
	return !certdir_shrink_allowed(before, lost, M->shrink);
}

static size_t count_listed(const struct model *model)
{
	size_t count = 0;

	for (size_t i = 0; i < OBJECTS; i++)
		count += object_listed(model, &model->objects[i]);
	for (size_t r = 0; r < RECORDS * 2; r++)
		count += own_listed(model, &model->records[r]);
	return count;
}

static bool keep_objects(void)
{
	size_t lost = 0;

	for (size_t i = 0; i < OBJECTS; i++)
		lost += object_listed(&begun, &begun.objects[i]) && M->objects[i].gone;
	if (!refused(count_listed(&begun), lost))
		return false;
	for (size_t i = 0; i < OBJECTS; i++)
		if (M->objects[i].gone && begun.objects[i].there) {
			M->objects[i].gone = false;
			if (!M->objects[i].kept)
				M->objects[i].kept = begun.synced;
		}
	return true;
}

/* How it ends: "end", "shrunk". */
static const char *end_devices(bool full)
{
	bool quiet = !M->synced, kept;

	for (size_t i = 0; full && i < OBJECTS; i++)
		if (M->objects[i].there && !M->objects[i].seen)
			M->objects[i].gone = true;
	kept = keep_objects();
	for (size_t r = 0; r < RECORDS * 2; r++)
		for (size_t i = 0; i < OBJECTS; i++)
			if (M->records[r].there && M->objects[i].there && !M->objects[i].gone &&
			    strcmp(M->objects[i].d, M->records[r].key) == 0) {
				M->records[r].own = M->records[r].once = false;
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
	M->synced = now;
	return kept ? "shrunk" : "end";
}

/* Ends a part well, or else nothing of it was. */
static bool ends(void)
{
	switch (tenant_chance(10)) {
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

/* What is kept is gone, unless it comes again. */
static void begin_devices(void)
{
	for (size_t i = 0; i < OBJECTS; i++) {
		M->objects[i].seen = false;
		M->objects[i].gone = M->objects[i].kept != 0;
	}
}

static void devices_part(void)
{
	const bool full = tenant_chance(4) == 0 || !M->synced;

	begin_devices();
	say("%s", full ? "full" : "delta");
	for (unsigned count = tenant_chance(10); count > 0; count--)
		if (tenant_chance(4))
			put_object(full);
		else
			remove_object();
	if (ends())
		say("%s", end_devices(full));
}

/* ---- the Intune part ---- */

static const char *const words[] = {"x", "y", "-", NULL};
static const char *const management_states[] = {"managed", "wipePending", "-", NULL};
static const char *const agents[] = {"mdm", "eas", "-", NULL};
static const char *const intune_states[] = {"compliant", "error", "unknown", "-", NULL};

/* A history with the guard. There, no record names the Intune id of another as its Entra device: two would have one key. */
static bool guarded;

static struct record stage_record(void)
{
	struct record record = {.there = true,
				.id = (int)tenant_chance(RECORDS) + 1,
				.t = (int)tenant_chance(5),
				.r = (int)tenant_chance(3)};
	const char *values[10] = {one_of(device_ids),	     one_of(device_names), one_of(words), one_of(intune_states),
				  one_of(ownerships),	     one_of(systems),	   one_of(words), one_of(words),
				  one_of(management_states), one_of(agents)};

	if (tenant_chance(3) == 0 || (guarded && *values[0] == 'i'))
		(void)snprintf(record.key, sizeof(record.key), "i%d", record.id);
	else
		set_text(record.key, values[0]);
	say("rec %x d=%s n=%s sn=%s c=%s own=%s os=%s u=%s w=%s st=%s ma=%s t=%d r=%d", (unsigned)record.id,
	    *record.key ? record.key : "0", values[1], values[2], values[3], values[4], values[5], values[6], values[7],
	    values[8], values[9], record.t, record.r);
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
	set_text(record.st, values[8]);
	set_text(record.ma, values[9]);
	return record;
}

static bool names_itself(const struct record *record)
{
	char own[8];

	(void)snprintf(own, sizeof(own), "i%d", record->id);
	return strcmp(own, record->key) == 0;
}

static bool enrolled_before(const struct record *a, const struct record *b)
{
	return a->r != b->r ? a->r < b->r : a->t != b->t ? a->t < b->t : a->id < b->id;
}

/* Notes which records named an Entra device, or were joined to one, before this listing or earlier in it. */
static void note_once(const struct record *staged, size_t count)
{
	for (int id = 1; id <= RECORDS; id++)
		if (M->once[id] <= now - ONCE_KEPT)
			M->once[id] = 0;
	for (size_t i = 0; i < RECORDS * 2; i++)
		if (begun.records[i].there && (!begun.records[i].own || begun.records[i].once))
			M->once[begun.records[i].id] = now;
	for (size_t i = 0; i < count; i++)
		if (!staged[i].there && !names_itself(&staged[i]))
			M->once[staged[i].id] = now;
}

/* Of `count` staged records those that count: the last of an id, and of those the last enrolled of a key. */
static void choose(struct record *staged, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			if (staged[i].id == staged[j].id)
				staged[i].there = false;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			if (staged[i].there && staged[j].there && i != j && strcmp(staged[i].key, staged[j].key) == 0 &&
			    enrolled_before(&staged[i], &staged[j])) {
				staged[i].there = false;
				M->once[staged[i].id] = now;
			}
}

/* ---- what a listing lacks ---- */

static bool is_joined(const struct model *model, const struct record *record)
{
	for (size_t i = 0; i < OBJECTS; i++)
		if (model->objects[i].there && strcmp(model->objects[i].d, record->key) == 0)
			return true;
	return false;
}

static bool is_staged(const struct record *staged, size_t count, int id)
{
	for (size_t i = 0; i < count; i++)
		if (staged[i].id == id)
			return true;
	return false;
}

/* Another Entra device has the record by now. */
static bool has_moved(const struct record *staged, size_t count, int id)
{
	for (size_t i = 0; i < count; i++)
		if (staged[i].id == id && (!names_itself(&staged[i]) || (staged[i].there && is_joined(M, &staged[i]))))
			return true;
	return false;
}

static void keep_record(const struct record *record, size_t *used)
{
	struct record *kept = &M->records[(*used)++];

	*kept = *record;
	if (!kept->kept)
		kept->kept = begun.intune_synced;
}

/* The guard over records. */
static bool keep_records(const struct record *staged, size_t count, size_t *used)
{
	size_t before = 0, lost = 0;

	for (size_t i = 0; i < RECORDS * 2; i++) {
		before += begun.records[i].there;
		lost += begun.records[i].there && !record_of(M, begun.records[i].key);
	}
	if (!refused(before, lost))
		return false;
	for (size_t i = 0; i < RECORDS * 2; i++) {
		const struct record *record = &begun.records[i];

		if (!record->there || record_of(M, record->key))
			continue;
		if (record->own || is_joined(&begun, record) ? !has_moved(staged, count, record->id)
							     : !is_staged(staged, count, record->id))
			keep_record(record, used);
	}
	return true;
}

/* The guard over devices that Intune alone knows. */
static bool keep_own(const struct record *staged, size_t count, size_t *used)
{
	size_t lost = 0;

	for (size_t i = 0; i < RECORDS * 2; i++) {
		const struct record *record = &begun.records[i], *after = record_of(M, record->key);

		lost += own_listed(&begun, record) && !has_moved(staged, count, record->id) &&
			!(after && own_listed(M, after));
	}
	if (!refused(count_listed(&begun), lost))
		return false;
	for (size_t i = 0; i < RECORDS * 2; i++) {
		const struct record *record = &begun.records[i];

		if (record->there && record->own && !has_moved(staged, count, record->id) && !record_of(M, record->key))
			keep_record(record, used);
	}
	return true;
}

static const char *end_intune(struct record *staged, size_t count)
{
	size_t used = 0;
	bool kept;

	choose(staged, count);
	note_once(staged, count);
	memset(M->records, 0, sizeof(M->records));
	for (size_t i = 0; i < count; i++) {
		struct record *record = &M->records[used], *before;

		if (!staged[i].there)
			continue;
		used++;
		*record = staged[i];
		record->own = names_itself(record);
		for (size_t o = 0; o < OBJECTS; o++)
			if (M->objects[o].there && strcmp(M->objects[o].d, record->key) == 0)
				record->own = false;
		record->once = record->own && M->once[record->id];
		before = record_of(&begun, record->key);
		if (record->own && before && before->own) {
			record->names = before->names;
			renamed(&record->names, before->n, record->n);
		}
	}
	kept = keep_records(staged, count, &used);
	kept |= keep_own(staged, count, &used);
	note_all(!M->intune_synced);
	M->intune_synced = now;
	return kept ? "shrunk" : "end";
}

static void intune_part(void)
{
	struct record staged[STAGED];
	size_t count = tenant_chance(STAGED / (1 + tenant_chance(4)));

	say("intune");
	for (size_t i = 0; i < count; i++)
		staged[i] = stage_record();
	if (ends())
		say("%s", end_intune(staged, count));
}

/* ---- groups ---- */

static void set_member(size_t i, size_t group, bool member, bool quiet)
{
	struct object *object = &M->objects[i];
	char device[16];

	if (object->groups[group] == member)
		return;
	object->groups[group] = member;
	object->left[group] = 0;
	if (!quiet && object_listed(M, object))
		note("group", label(object, i, device), object->n, member ? "" : M->group_names[group],
		     member ? M->group_names[group] : "");
}

static void group_part(void)
{
	size_t group = tenant_chance(GROUPS);
	const char *name = tenant_chance(2) ? "Staff" : "Crew";
	bool members[OBJECTS] = {false}, kept;
	size_t before = 0, leavers = 0;

	say("group %zu %s", group + 1, name);
	for (unsigned count = tenant_chance(8); count > 0; count--) {
		size_t i = tenant_chance(OBJECTS);

		say("member %zx", i + 1);
		members[i] = M->objects[i].there;
	}
	if (!ends())
		return;
	for (size_t i = 0; i < OBJECTS; i++) {
		before += M->objects[i].groups[group];
		leavers += M->objects[i].groups[group] && !members[i];
	}
	kept = refused(before, leavers);
	say("%s", kept ? "shrunk" : "end");
	strcpy(M->group_names[group], name);
	for (size_t i = 0; i < OBJECTS; i++)
		if (kept && M->objects[i].groups[group] && !members[i]) {
			if (!M->objects[i].left[group])
				M->objects[i].left[group] = M->group_synced[group];
		} else {
			M->objects[i].left[group] = 0;
			set_member(i, group, members[i], !M->known[group]);
		}
	M->group_synced[group] = now;
	M->known[group] = true;
}

static void keep_groups(void)
{
	size_t group = tenant_chance(GROUPS);

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
	const struct certdir_former_name *left = a, *right = b;

	return strcasecmp(left->name, right->name);
}

static void former_of(struct names *from, struct certdir_former_name former[FORMER], struct certdir_device *device)
{
	for (size_t i = 0; i < from->count; i++)
		former[i] = (struct certdir_former_name){.name = from->former[i].name};
	qsort(former, from->count, sizeof(*former), compare_names);
	device->former_names = former;
	device->former_name_count = from->count;
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
	device->intune.as_of = record->kept;
	device->serial_number = TEXT_OF(record->sn);
	device->owner = TEXT_OF(record->u);
	device->wifi_mac = TEXT_OF(record->w);
	device->intune_name = TEXT_OF(record->n);
	device->management_state = TEXT_OF(record->st);
	device->management_agent = TEXT_OF(record->ma);
	if (!device->compliance || strcmp(record->c, "unknown") != 0)
		device->compliance = TEXT_OF(record->c);
	if (strcmp(record->st, "managed") == 0 && strcmp(record->ma, "eas") != 0)
		device->managed = CERTDIR_YES;
	else if (*record->st && device->managed != CERTDIR_YES)
		device->managed = CERTDIR_NO;
	if (*record->own_type)
		device->ownership = TEXT_OF(record->own_type);
	device->last_seen = device->last_seen > record->t ? device->last_seen : record->t;
	device->registered = device->registered > record->r ? device->registered : record->r;
}

static void expected_list(struct model *model, char out[TEXT])
{
	struct certdir_former_name former[FORMER];
	char guids[8][40], text[TEXT];
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
						.own = {.compliant_since = object->since, .as_of = object->kept},
						.groups = groups};

		if (!object_listed(model, object))
			continue;
		if (record)
			add_record(&device, record, guids[2]);
		for (size_t g = 0; g < GROUPS; g++)
			if (object->groups[g])
				groups[device.group_count++] =
					(struct certdir_group){.id = make_guid('e', (int)g + 1, guids[3 + g]),
							       .name = model->group_names[g],
							       .as_of = object->left[g]};
		former_of(&object->names, former, &device);
		device_text(&device, text);
		lines_add(&lines, text);
	}
	for (size_t i = 0; i < RECORDS * 2; i++) {
		struct record *record = &model->records[i];
		struct certdir_device device = {.name = TEXT_OF(record->n), .operating_system = TEXT_OF(record->os)};

		if (!own_listed(model, record))
			continue;
		add_record(&device, record, guids[2]);
		if (strcmp(record->st, "managed") == 0)
			device.enabled = CERTDIR_YES;
		former_of(&record->names, former, &device);
		device_text(&device, text);
		lines_add(&lines, text);
	}
	lines_join(&lines, out);
}

/* The Intune ids of records that do not stand alone, of all tenants: "contoso/1 fabrikam/3". */
static void expected_once(char out[TEXT])
{
	out[0] = '\0';
	for (int t = 0; t < TENANTS; t++)
		for (int id = 1; id <= RECORDS; id++)
			for (size_t i = 0; i < RECORDS * 2; i++) {
				const struct record *record = &models[t].records[i];

				if (record->there && record->id == id && record->once)
					(void)snprintf(out + strlen(out), TEXT - strlen(out), "%s%s/%d",
						       *out ? " " : "", tenant_names[t], id);
			}
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

static bool is_called(const char *of_device, const char *of_record, const char *name)
{
	return strcasecmp(of_device, name) == 0 || strcasecmp(of_record, name) == 0;
}

/*
 * How many devices and waiting records a name must find, listed or not: by name or Intune's name, or, when nobody has it, by former
 * name.
 */
static int expected_found(const char *name)
{
	int by_name = 0, by_former = 0, found;

	for (int t = 0; t < TENANTS; t++) {
		const struct model *model = &models[t];

		for (size_t i = 0; i < OBJECTS; i++) {
			const struct object *object = &model->objects[i];
			const struct record *record = joined(model, object);

			by_name += object->there && is_called(object->n, record ? record->n : "", name);
			by_former += object->there && formerly(&object->names, name);
		}
		for (size_t i = 0; i < RECORDS * 2; i++) {
			const struct record *record = &model->records[i];

			by_name += record->there && (record->own || !is_joined(model, record)) &&
				   is_called(record->n, "", name);
			by_former += record->there && record->own && formerly(&record->names, name);
		}
	}
	found = by_name ? by_name : by_former;
	return found > CERTDIR_LIST_FIND_MAX ? CERTDIR_LIST_FIND_MAX : found;
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
	struct certdir_list_reader *reader = snapshot ? certdir_list_reader_get(snapshot, &error) : NULL;
	int64_t rows[CERTDIR_LIST_FIND_MAX];

	if (!reader)
		fail_msg("%s", error.text);
	for (char name[2] = "a"; *name <= 'd'; ++*name) {
		bool more;
		int found = certdir_list_find(reader, NULL, CERTDIR_ID_NAME, name, rows, &more, &error);

		char got[16], wanted[16];

		(void)snprintf(got, sizeof(got), "%d devices", found);
		(void)snprintf(wanted, sizeof(wanted), "%d", expected_found(name));
		if (found != expected_found(name))
			complain("finds", name, got, wanted);
	}
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

static void check(void)
{
	static char got[TEXT], wanted[TEXT];

	query_text("SELECT s.name||'/'||ltrim(substr(intune_device_id,1,8),'0') FROM device d JOIN source s ON "
		   "s.id=d.source "
		   "WHERE once_entra ORDER BY 1",
		   got);
	expected_once(wanted);
	if (strcmp(got, wanted) != 0)
		complain("marks", "it", got, wanted);
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
	current = (int)tenant_chance(TENANTS);
	now += tenant_chance(30) ? (int)tenant_chance(30)
				 : 300 * 86400; /* long enough that two of them have things forgotten */
	say("name %s", tenant_names[current]);
	say("guid %d", current + 1);
	say("filter %s", M->filter);
	M->shrink = !guarded || *M->filter || tenant_chance(3) ? 100 : 10;
	say("shrink %u", M->shrink);
	say("now %d", now);
	begun = *M;
}

/* Another filter, which a listing takes over. */
static void change_filter(void)
{
	static const char *const filters[] = {"", "enabled", "own=company", "os=ios j=entra", NULL};

	strcpy(M->filter, one_of(filters));
	say("filter %s", M->filter);
	M->shrink = 100;
	say("shrink 100");
	begin_devices();
	say("delta");
	put_object(false);
	say("%s", end_devices(false));
}

static void act(void)
{
	static void (*const parts[])(void) = {devices_part, devices_part, devices_part, intune_part,
					      intune_part,  group_part,	  keep_groups,	change_filter};

	switch_tenant();
	if (!M->synced)
		devices_part();
	else
		parts[tenant_chance(sizeof(parts) / sizeof(*parts))]();
	if (tenant_chance(3) == 0) {
		say("publish");
		check();
	}
}

static unsigned seeds = 20, first_seed = 1; /* make soak has 1,000 */

static void test_histories(void **state)
{
	(void)state;
	tell_since = true;
	script_so_far = history;
	for (unsigned seed = first_seed; seed < first_seed + seeds; seed++) {
		(void)unlink(fixture_file);
		memset(models, 0, sizeof(models));
		(void)snprintf(history, sizeof(history), "seed %u: ", seed);
		tenant_random_state = seed;
		guarded = seed % 2;
		now = 1000;
		change_count = 0;
		world_begin(&model_world);
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
