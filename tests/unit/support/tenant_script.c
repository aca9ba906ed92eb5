/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tenant_script.h"

char *make_guid(char kind, int number, char out[40])
{
	(void)snprintf(out, 40, "%08x-0000-4000-8000-%c00000000000", (unsigned)number, kind);
	return out;
}

const char *number_of(const char *guid, char kind, char out[24])
{
	(void)snprintf(out, 24, "%s%lx", guid[24] == kind ? "" : guid[24] == 'c' ? "i" : "?", strtoul(guid, NULL, 16));
	return out;
}

void world_open(struct world *world)
{
	struct certdir_error error;

	if (!world->writer && !(world->writer = certdir_list_write_begin(fixture_file, false, NULL, &error)))
		fail_msg("%s", error.text);
	if (!world->tenant && !(world->tenant = certdir_tenant_open(world->writer, &world->options, &error)))
		fail_msg("%s", error.text);
}

static void world_shut(struct world *world)
{
	certdir_tenant_close(world->tenant);
	world->tenant = NULL;
	world->part = 0;
}

void world_publish(struct world *world)
{
	struct certdir_error error;

	world_open(world);
	world_shut(world);
	if (!certdir_list_write_publish(world->writer, &error))
		fail_msg("%s", error.text);
	world->writer = NULL;
}

void world_begin(struct world *world)
{
	static char guid[40];

	memset(world, 0, sizeof(*world));
	world->options = (struct certdir_tenant_options){.name = "contoso",
							 .tenant = make_guid('b', 1, guid),
							 .now = 1000,
							 .former_names = 1000000,
							 .changes = 1000000,
							 .max_shrink = 100};
}

enum certdir_tristate yes_no(const char *text)
{
	return *text == 'y' ? CERTDIR_YES : *text == 'n' ? CERTDIR_NO : CERTDIR_UNKNOWN;
}

/* The properties of "put" and "rec" behind the number. Values with a blank in them are written with "_". */
static void parse_device(char *words, struct certdir_device *device, uint32_t *present, char ids[2][64])
{
	static const struct {
		const char *key;
		size_t offset;
		enum certdir_tenant_property property;
	} texts[] = {
		{"n", offsetof(struct certdir_device, name), CERTDIR_PROPERTY_NAME},
		{"os", offsetof(struct certdir_device, operating_system), CERTDIR_PROPERTY_OPERATING_SYSTEM},
		{"own", offsetof(struct certdir_device, ownership), CERTDIR_PROPERTY_OWNERSHIP},
		{"c", offsetof(struct certdir_device, compliance), CERTDIR_PROPERTY_COMPLIANT},
		{"sn", offsetof(struct certdir_device, serial_number), CERTDIR_PROPERTIES},
		{"u", offsetof(struct certdir_device, owner), CERTDIR_PROPERTIES},
		{"w", offsetof(struct certdir_device, wifi_mac), CERTDIR_PROPERTIES},
		{"x", offsetof(struct certdir_device, extension_attributes), CERTDIR_PROPERTY_EXTENSION_ATTRIBUTES},
		{"st", offsetof(struct certdir_device, management_state), CERTDIR_PROPERTIES},
		{"ma", offsetof(struct certdir_device, management_agent), CERTDIR_PROPERTIES},
		{"cat", offsetof(struct certdir_device, category), CERTDIR_PROPERTIES},
		{"ep", offsetof(struct certdir_device, enrollment_profile), CERTDIR_PROPERTIES}};
	char *rest, *word;

	for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		char *value = strchr(word, '=');
		bool known = false;

		*value++ = '\0';
		for (char *blank = value; (blank = strchr(blank, '_'));)
			*blank = ' ';
		for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
			if (strcmp(word, texts[i].key) == 0) {
				*(char **)((char *)device + texts[i].offset) = strcmp(value, "-") == 0 ? NULL : value;
				*present |= CERTDIR_BIT(texts[i].property);
				known = true;
			}
		if (strcmp(word, "d") == 0) {
			device->entra_device_id =
				*value == '-' ? NULL
				: strcmp(value, "0") == 0
					? strcpy(ids[0], "00000000-0000-0000-0000-000000000000")
					: make_guid(*value == 'i' ? 'c' : 'd',
						    (int)strtol(value + (*value == 'i'), NULL, 16), ids[0]);
			*present |= CERTDIR_BIT(CERTDIR_PROPERTY_DEVICE_ID);
		} else if (strcmp(word, "s") == 0) {
			(void)snprintf(ids[1], 64, "S-1-5-21-1-2-3-%s", value);
			device->sid = *value == '-' ? NULL : ids[1];
			*present |= CERTDIR_BIT(CERTDIR_PROPERTY_SID);
		} else if (strcmp(word, "e") == 0) {
			device->enabled = yes_no(value);
			*present |= CERTDIR_BIT(CERTDIR_PROPERTY_ENABLED);
		} else if (strcmp(word, "m") == 0) {
			device->managed = yes_no(value);
			*present |= CERTDIR_BIT(CERTDIR_PROPERTY_MANAGED);
		} else if (strcmp(word, "j") == 0) {
			if (!certdir_join_type_parse(value, &device->join_type))
				device->join_type = CERTDIR_JOIN_UNKNOWN;
			*present |= CERTDIR_BIT(CERTDIR_PROPERTY_JOIN_TYPE);
		} else if (strcmp(word, "t") == 0) {
			device->last_seen = atoi(value);
			*present |= CERTDIR_BIT(CERTDIR_PROPERTY_LAST_SEEN);
		} else if (strcmp(word, "r") == 0) {
			device->registered = atoi(value);
			*present |= CERTDIR_BIT(CERTDIR_PROPERTY_REGISTERED);
		} else if (!known) {
			fail_msg("what is %s?", word);
		}
	}
}

/* The properties of "put" of the users part, as those of a device. */
static bool put_user(struct world *world, const char *id, char *words, struct certdir_error *error)
{
	static const char *const keys[] = {"upn", "e", "s", "sam", "dn", "mail"}; /* as certdir_tenant_user_property */
	struct certdir_tenant_user user = {.user_id = id};
	const char **const texts[] = {&user.upn, NULL, &user.sid, &user.sam_account_name, &user.dn, &user.mail};
	uint32_t present = 0;
	char *rest;

	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		char *value = strchr(word, '=');
		size_t i = 0;

		*value++ = '\0';
		while (i < CERTDIR_USER_MAIL && strcmp(word, keys[i]) != 0)
			i++;
		assert_string_equal(word, keys[i]);
		present |= CERTDIR_BIT(i);
		if (i == CERTDIR_USER_ENABLED)
			user.enabled = yes_no(value);
		else
			*texts[i] = strcmp(value, "-") == 0 ? NULL : value;
	}
	return certdir_tenant_users_put(world->tenant, &user, present, error);
}

static bool run_object(struct world *world, const char *verb, char *words, struct certdir_error *error)
{
	struct certdir_device device = {0};
	uint32_t present = 0;
	char id[40], ids[2][64], managed[] = "managed";
	int number = (int)strtol(words, &words, 16);

	if (world->part == 'u' && strcmp(verb, "rm") == 0)
		return certdir_tenant_users_remove(world->tenant, make_guid('a', number, id), error);
	if (world->part == 'u')
		return put_user(world, make_guid('a', number, id), words, error);
	if (strcmp(verb, "rm") == 0)
		return certdir_tenant_devices_remove(world->tenant, make_guid('a', number, id), error);
	if (strcmp(verb, "member") == 0)
		return certdir_tenant_group_put(world->tenant, make_guid('a', number, id), error);
	if (strcmp(verb, "rec") == 0)
		device.management_state = managed;
	parse_device(words, &device, &present, ids);
	if (strcmp(verb, "put") == 0) {
		device.object_id = make_guid('a', number, id);
		return certdir_tenant_devices_put(world->tenant, &device, present, error);
	}
	device.intune_device_id = make_guid('c', number, id);
	device.intune_name = device.name;
	return world->part == 'a' ? certdir_tenant_asked_record(world->tenant, &device, error)
				  : certdir_tenant_intune_put(world->tenant, &device, error);
}

const char *script_so_far;

static void run_end(struct world *world, const char *how)
{
	struct certdir_error error = {.text = ""};
	enum certdir_tenant_ended ended =
		world->part == 'a'   ? certdir_tenant_asked_end(world->tenant, &world->counts, &error)
		: world->part == 'd' ? certdir_tenant_devices_end(world->tenant, "link", &world->counts, &error)
		: world->part == 'u' ? certdir_tenant_users_end(world->tenant, "link", &world->counts, &error)
		: world->part == 'i' ? certdir_tenant_intune_end(world->tenant, &world->counts, &error)
				     : certdir_tenant_group_end(world->tenant, &world->counts, &error);
	const char *const names[] = {
		[CERTDIR_ENDED] = "end", [CERTDIR_ENDED_SHRUNK] = "shrunk", [CERTDIR_ENDED_FAILED] = "failed"};

	(void)snprintf(world->failure, sizeof(world->failure), "%s", error.text);
	if (strcmp(names[ended], how) != 0) {
		if (script_so_far)
			fprintf(stderr, "%s\n", script_so_far);
		fail_msg("the part ended with \"%s\", not \"%s\": %s", names[ended], how, error.text);
	}
	world->part = 0;
}

static void run_filter(struct world *world, char *words)
{
	struct certdir_tenant_filter *filter = &world->options.filter;
	size_t systems = 0, ownerships = 0, used = 0;
	enum certdir_join_type join_type;
	char *rest, *word;

	memset(filter, 0, sizeof(*filter));
	for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		(void)snprintf(world->words[used], 32, "%s", strchr(word, '=') ? strchr(word, '=') + 1 : word);
		if (strncmp(word, "own=", 4) == 0)
			world->ownerships[ownerships++] = world->words[used++];
		else if (strncmp(word, "os=", 3) == 0)
			world->systems[systems++] = world->words[used++];
		else if (strcmp(word, "enabled") == 0)
			filter->only_enabled = true;
		else if (strncmp(word, "j=", 2) == 0 && certdir_join_type_parse(word + 2, &join_type))
			filter->join_types |= CERTDIR_BIT(join_type);
	}
	world->ownerships[ownerships] = world->systems[systems] = NULL;
	filter->ownerships = ownerships ? world->ownerships : NULL;
	filter->operating_systems = systems ? world->systems : NULL;
}

/* Commands about the tenant and how it is opened the next time. */
static bool run_option(struct world *world, const char *verb, char *words)
{
	static char guid[40];
	int number = atoi(words);

	if (strcmp(verb, "now") == 0)
		world->options.now = number;
	else if (strcmp(verb, "shrink") == 0)
		world->options.max_shrink = (unsigned)number;
	else if (strcmp(verb, "former") == 0)
		world->options.former_names = number;
	else if (strcmp(verb, "changes") == 0)
		world->options.changes = number;
	else if (strcmp(verb, "filter") == 0)
		run_filter(world, words);
	else if (strcmp(verb, "interval") == 0)
		world->options.intune_interval = number;
	else if (strcmp(verb, "attributes") == 0)
		for (world->options.extension_attributes = 0; *words; words += strspn(words, " "))
			world->options.extension_attributes |= CERTDIR_BIT(strtoul(words, &words, 10));
	else if (strcmp(verb, "guid") == 0)
		world->options.tenant = make_guid('b', number, guid);
	else if (strcmp(verb, "name") == 0)
		world->options.name = strcpy(world->words[7], words);
	else
		return false;
	world_shut(world);
	return true;
}

static void run_keep(struct world *world, char *words)
{
	char ids[8][40], *rest, *word;
	const char *list[9];
	struct certdir_error error;
	size_t count = 0;

	for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest), count++)
		list[count] = make_guid('e', atoi(word), ids[count]);
	list[count] = NULL;
	if (!certdir_tenant_groups_keep(world->tenant, list, &error))
		fail_msg("%s", error.text);
}

static bool run_begin(struct world *world, const char *verb, char *words, struct certdir_error *error)
{
	char id[40];

	world->part = *verb == 'a' || *verb == 'i' || *verb == 'u' ? *verb : *verb == 'g' || *verb == 'p' ? 'g' : 'd';
	if (world->part == 'a')
		return certdir_tenant_asked_begin(world->tenant, error);
	if (world->part == 'u')
		return certdir_tenant_users_begin(world->tenant, strcmp(words, "full") == 0, error);
	if (world->part == 'i')
		return certdir_tenant_intune_begin(world->tenant, error);
	if (world->part == 'd')
		return certdir_tenant_devices_begin(world->tenant, strcmp(verb, "full") == 0, error);
	make_guid('e', (int)strtol(words, &words, 10), id);
	words = *words ? words + 1 : NULL;
	return *verb == 'p' ? certdir_tenant_group_begin_users(world->tenant, id, words, error)
			    : certdir_tenant_group_begin(world->tenant, id, words, error);
}

/* One command; false with world->failure when the list refuses it. */
static bool run_one(struct world *world, char *command)
{
	char verb[16] = "", *words = command + strcspn(command, " ");
	struct certdir_error error = {.text = ""};
	bool ok = true;

	memcpy(verb, command, (size_t)(words - command) < 15 ? (size_t)(words - command) : 15);
	words += *words == ' ';
	if (run_option(world, verb, words))
		return true;
	world_open(world);
	if (strcmp(verb, "full") == 0 || strcmp(verb, "delta") == 0 || strcmp(verb, "intune") == 0 ||
	    strcmp(verb, "group") == 0 || strcmp(verb, "users") == 0 || strcmp(verb, "people") == 0 ||
	    strcmp(verb, "asked") == 0)
		ok = run_begin(world, verb, words, &error);
	else if (strcmp(verb, "end") == 0 || strcmp(verb, "shrunk") == 0 || strcmp(verb, "failed") == 0)
		run_end(world, verb);
	else if (strcmp(verb, "abandon") == 0)
		certdir_tenant_part_abandon(world->tenant);
	else if (strcmp(verb, "forget") == 0)
		ok = certdir_tenant_users_forget(world->tenant, &error);
	else if (strcmp(verb, "publish") == 0)
		world_publish(world);
	else if (strcmp(verb, "keep") == 0)
		run_keep(world, words);
	else
		ok = run_object(world, verb, words, &error);
	if (!ok)
		(void)snprintf(world->failure, sizeof(world->failure), "%s", error.text);
	return ok;
}

void run(struct world *world, const char *script)
{
	char *text = strdup(script), *rest, *command;

	for (command = strtok_r(text, ";", &rest); command; command = strtok_r(NULL, ";", &rest)) {
		command += strspn(command, " ");
		if (*command && !run_one(world, command))
			fail_msg("%s: %s", command, world->failure);
	}
	free(text);
}

/* ---- the list as text ---- */

static void add_text(char *out, const char *key, const char *value)
{
	if (value)
		(void)snprintf(out + strlen(out), TEXT - strlen(out), " %s=%s", key, value);
}

static void add_time(char *out, const char *key, int64_t value)
{
	if (value)
		(void)snprintf(out + strlen(out), TEXT - strlen(out), " %s=%d", key, (int)value);
}

static void add_yes_no(char *out, const char *key, enum certdir_tristate value)
{
	if (value != CERTDIR_UNKNOWN)
		add_text(out, key, value == CERTDIR_YES ? "y" : "n");
}

bool tell_since;

bool tell_kept = true;

void device_text(const struct certdir_device *device, char out[TEXT])
{
	char number[24];

	strcpy(out, device->object_id ? number_of(device->object_id, 'a', number) : "-");
	if (device->entra_device_id)
		add_text(out, "d", number_of(device->entra_device_id, 'd', number));
	if (device->intune_device_id)
		add_text(out, "i", number_of(device->intune_device_id, 'c', number));
	add_text(out, "n", device->name);
	add_text(out, "s", device->sid ? device->sid + strlen("S-1-5-21-1-2-3-") : NULL);
	add_text(out, "sn", device->serial_number);
	add_text(out, "c", device->compliance);
	add_text(out, "own", device->ownership);
	add_text(out, "os", device->operating_system);
	add_text(out, "j", device->join_type ? certdir_join_type_name(device->join_type) : NULL);
	add_text(out, "u", device->owner);
	add_text(out, "w", device->wifi_mac);
	add_yes_no(out, "e", device->enabled);
	add_yes_no(out, "m", device->managed);
	add_time(out, "t", device->last_seen);
	add_time(out, "r", device->registered);
	add_text(out, "in",
		 device->intune_name && device->name && strcmp(device->intune_name, device->name) == 0
			 ? NULL
			 : device->intune_name);
	if (device->intune_device_id && !(device->management_state && strcmp(device->management_state, "managed") == 0))
		add_text(out, "st", device->management_state ? device->management_state : "-");
	add_text(out, "ma", device->management_agent);
	add_text(out, "cat", device->category);
	add_text(out, "ep", device->enrollment_profile);
	add_text(out, "x", device->extension_attributes);
	add_time(out, "kept", tell_kept ? device->own.as_of : 0);
	add_time(out, "rkept", tell_kept ? device->intune.as_of : 0);
	add_time(out, "cs", tell_since ? device->own.compliant_since : 0);
	for (size_t i = 0; i < device->former_name_count; i++)
		add_text(out, "f", device->former_names[i].name);
	for (size_t i = 0; i < device->group_count; i++) {
		add_text(out, "g", number_of(device->groups[i].id, 'e', number));
		(void)snprintf(out + strlen(out), TEXT - strlen(out), "/%s",
			       device->groups[i].name ? device->groups[i].name : "");
		add_time(out, "since", tell_kept ? device->groups[i].as_of : 0);
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void lines_add(struct lines *lines, const char *line)
{
	assert_true(lines->count < 256);
	lines->items[lines->count++] = strdup(line);
}

void lines_join(struct lines *lines, char out[TEXT])
{
	out[0] = '\0';
	qsort(lines->items, lines->count, sizeof(*lines->items), compare_lines);
	for (size_t i = 0; i < lines->count; i++) {
		(void)snprintf(out + strlen(out), TEXT - strlen(out), "%s%s", i ? "; " : "", lines->items[i]);
		free(lines->items[i]);
	}
	lines->count = 0;
}

static bool take_device(void *context, int64_t row, const struct certdir_device *device,
			const struct certdir_list_source *source)
{
	struct lines *lines = context;
	char text[TEXT];

	(void)row;
	device_text(device, text);
	if (strcmp(source->name, lines->source) != 0)
		return true;
	lines_add(lines, text);
	lines->holds |= (device->entra_device_id ? CERTDIR_BIT(CERTDIR_ID_ENTRA) : 0) |
			(device->intune_device_id ? CERTDIR_BIT(CERTDIR_ID_INTUNE) : 0) |
			(device->sid ? CERTDIR_BIT(CERTDIR_ID_SID) : 0) |
			(device->name || device->intune_name ? CERTDIR_BIT(CERTDIR_ID_NAME) : 0) |
			(device->serial_number ? CERTDIR_BIT(CERTDIR_ID_SERIAL) : 0);
	return true;
}

void list_text(const char *name, char out[TEXT])
{
	const uint32_t kinds = CERTDIR_BIT(CERTDIR_ID_ENTRA) | CERTDIR_BIT(CERTDIR_ID_INTUNE) |
			       CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_NAME) |
			       CERTDIR_BIT(CERTDIR_ID_SERIAL);
	struct certdir_error error;
	struct certdir_list_snapshot *snapshot = certdir_list_load(fixture_file, &error);
	const struct certdir_list_source *sources;
	struct certdir_list_numbers numbers;
	struct lines lines = {.source = name};
	size_t count;

	if (!snapshot)
		fail_msg("%s", error.text);
	lines.reader = certdir_list_reader_get(snapshot, &error);
	assert_non_null(lines.reader);
	assert_true(certdir_list_each(lines.reader, take_device, &lines, &error));
	sources = certdir_list_sources(snapshot, &count);
	for (size_t i = 0; i < count; i++)
		if (strcmp(sources[i].name, name) == 0) {
			assert_true(certdir_list_numbers(lines.reader, sources[i].id, &numbers, &error));
			assert_int_equal(numbers.devices, lines.count);
			assert_int_equal(sources[i].devices, lines.count);
			assert_int_equal(sources[i].holds & kinds, lines.holds);
		}
	lines_join(&lines, out);
	certdir_list_reader_put(lines.reader);
	certdir_list_release(snapshot);
}

void query_text(const char *sql, char out[TEXT])
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;

	out[0] = '\0';
	assert_int_equal(sqlite3_open_v2(fixture_file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	while (sqlite3_step(stmt) == SQLITE_ROW)
		(void)snprintf(out + strlen(out), TEXT - strlen(out), "%s%s", *out ? " " : "",
			       (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

bool take_change(void *context, const struct certdir_list_change *change)
{
	struct lines *lines = context;
	char text[512], number[24];
	const char *kind = change->device ? strchr("dca", change->device[24]) : NULL;

	(void)snprintf(text, sizeof(text), "%d %s %s%s %s %s>%s", (int)change->at, change->what,
		       kind ? *kind == 'd'    ? "d"
			       : *kind == 'c' ? "i"
					      : "o"
			    : "?",
		       kind ? number_of(change->device, *kind, number) : "", change->name ? change->name : "",
		       change->before ? change->before : "", change->after ? change->after : "");
	if (strcmp(change->source, lines->source) == 0)
		lines_add(lines, text);
	return true;
}

void changes_text(const char *name, int64_t since, char out[TEXT])
{
	struct certdir_error error;
	struct certdir_list_snapshot *snapshot = certdir_list_load(fixture_file, &error);
	struct lines lines = {.source = name};

	if (!snapshot)
		fail_msg("%s", error.text);
	lines.reader = certdir_list_reader_get(snapshot, &error);
	assert_non_null(lines.reader);
	assert_true(certdir_list_changes(lines.reader, since, take_change, &lines, &error));
	lines_join(&lines, out);
	certdir_list_reader_put(lines.reader);
	certdir_list_release(snapshot);
}

void expect(const char *script, const char *wanted)
{
	struct world world;
	char got[TEXT];

	(void)unlink(fixture_file);
	world_begin(&world);
	run(&world, script);
	world_publish(&world);
	list_text("contoso", got);
	if (strcmp(got, wanted) != 0)
		fail_msg("%s\ngives \"%s\"\nand not \"%s\"", script, got, wanted);
}

void put_many(struct world *world, int from, int to)
{
	char command[64];

	for (int i = from; i <= to; i++) {
		(void)snprintf(command, sizeof(command), "put %x d=%x", i, i);
		run(world, command);
	}
}

void rec_many(struct world *world, int from, int to)
{
	char command[64];

	for (int i = from; i <= to; i++) {
		(void)snprintf(command, sizeof(command), "rec %x d=%x", i, i);
		run(world, command);
	}
}
