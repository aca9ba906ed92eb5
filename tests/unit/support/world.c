/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world.h"

/* ---- searching ---- */

/* Shares the world's strings: the answer must not free them, so the copies are made of copies. */
static char *world_copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static void world_copy_record(struct certdir_record *to, const struct certdir_record *from)
{
	char **const strings[] = {&to->device.id,
				  &to->device.object_id,
				  &to->device.entra_device_id,
				  &to->device.intune_device_id,
				  &to->device.name,
				  &to->device.serial_number,
				  &to->device.sid,
				  &to->device.owner,
				  &to->device.ownership,
				  &to->device.operating_system,
				  &to->device.tenant,
				  &to->device.intune_name,
				  &to->device.management_state,
				  &to->device.management_agent,
				  &to->device.compliance,
				  &to->device.udid,
				  &to->device.imei,
				  &to->device.meid,
				  &to->device.wifi_mac};

	*to = *from;
	if (from->issued) {
		to->issued = calloc(1, sizeof(*to->issued));
		to->issued->intune_device_id = world_copy(from->issued->intune_device_id);
		to->issued->entra_device_id = world_copy(from->issued->entra_device_id);
		to->issued->revoked = from->issued->revoked;
	}
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		*strings[i] = world_copy(*strings[i]);
	to->device.dns_names = calloc(from->device.dns_name_count + 1, sizeof(char *));
	for (size_t i = 0; i < from->device.dns_name_count; i++)
		to->device.dns_names[i] = world_copy(from->device.dns_names[i]);
	to->device.groups = calloc(from->device.group_count + 1, sizeof(*to->device.groups));
	for (size_t i = 0; i < from->device.group_count; i++)
		to->device.groups[i] = (struct certdir_group){
			world_copy(from->device.groups[i].id), world_copy(from->device.groups[i].name),
			world_copy(from->device.groups[i].sid), from->device.groups[i].as_of};
	to->device.former_names = calloc(from->device.former_name_count + 1, sizeof(*to->device.former_names));
	for (size_t i = 0; i < from->device.former_name_count; i++)
		to->device.former_names[i] = (struct certdir_former_name){world_copy(from->device.former_names[i].name),
									  from->device.former_names[i].since};
	to->values = calloc(from->value_count + 1, sizeof(*to->values));
	for (size_t i = 0; i < from->value_count; i++)
		to->values[i] = (struct certdir_value){from->values[i].type, world_copy(from->values[i].value)};
}

static void world_search(struct certdir_directory *base, struct certdir_sought *sought, size_t count,
			 struct certdir_answer *answer)
{
	struct world_directory *directory = (struct world_directory *)base;

	directory->asked += count > 0;
	answer->keeps = directory->keeps;
	answer->state = directory->fails;
	if (directory->fails != CERTDIR_ANSWERED) {
		certdir_say(answer->detail, "%s cannot answer", base->name);
		if (!directory->sources[0].synced[0] || !base->is_live)
			return;
	}
	if (!answer->sources) {
		answer->sources = calloc(WORLD_SOURCES, sizeof(*answer->sources));
		memcpy(answer->sources, directory->sources, sizeof(directory->sources));
		answer->source_count = directory->source_count;
	}
	for (size_t s = 0; s < count; s++) {
		size_t added = 0;

		for (size_t r = 0; r < directory->count; r++) {
			const struct certdir_record *record = &directory->records[r];
			bool known = false;

			if (certdir_record_carries(record, directory->sources[record->source].kind, sought[s].type,
						   sought[s].value) == CERTDIR_CARRIES_NOT)
				continue;
			if (added++ == CERTDIR_CARRIERS_MAX) {
				sought[s].many = true;
				break;
			}
			for (size_t i = 0; i < answer->count; i++)
				known |= answer->records[i].row == record->row;
			if (!known) {
				struct certdir_record *copy = certdir_answer_add(answer);

				if (!copy)
					return;
				world_copy_record(copy, record);
			}
		}
	}
}

void world_close(struct certdir_directory *base)
{
	(void)base;
}

/* ---- reading it from JSON ---- */

const char *world_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Times stand in the JSON as seconds ago. */
static int64_t world_time(const json_t *object, const char *key)
{
	const json_t *ago = json_object_get(object, key);

	return ago ? WORLD_NOW - json_integer_value(ago) : 0;
}

static enum certdir_tristate world_tristate(const json_t *object, const char *key, enum certdir_tristate otherwise)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return otherwise;
	return json_is_null(value) ? CERTDIR_UNKNOWN : json_is_true(value) ? CERTDIR_YES : CERTDIR_NO;
}

static void world_fail(const char *what, const char *value)
{
	fprintf(stderr, "a world cannot be read: %s \"%s\"\n", what, value ? value : "");
	abort();
}

static uint32_t world_types(const json_t *array)
{
	const json_t *item;
	uint32_t types = 0;
	size_t i;

	json_array_foreach(array, i, item)
	{
		enum certdir_identity_type type;

		if (!certdir_identity_type_parse(json_string_value(item), &type))
			world_fail("type", json_string_value(item));
		types |= CERTDIR_BIT(type);
	}
	return types;
}

static void world_read_names(const json_t *vector, struct certdir_device *device)
{
	const json_t *item;
	size_t i;

	device->dns_names = calloc(json_array_size(json_object_get(vector, "dns")) + 1, sizeof(char *));
	json_array_foreach(json_object_get(vector, "dns"), i, item) device->dns_names[device->dns_name_count++] =
		world_copy(json_string_value(item));
	device->groups = calloc(json_array_size(json_object_get(vector, "groups")) + 1, sizeof(*device->groups));
	json_array_foreach(json_object_get(vector, "groups"), i, item)
	{
		struct certdir_group *group = &device->groups[device->group_count++];

		/* "name" or [id, name, sid], and how many seconds ago the device was last known to be in it */
		*group = (struct certdir_group){0};
		if (json_is_string(item)) {
			group->name = world_copy(json_string_value(item));
			continue;
		}
		group->id = world_copy(json_string_value(json_array_get(item, 0)));
		group->name = world_copy(json_string_value(json_array_get(item, 1)));
		group->sid = world_copy(json_string_value(json_array_get(item, 2)));
		group->as_of = json_array_size(item) > 3 ? WORLD_NOW - json_integer_value(json_array_get(item, 3)) : 0;
	}
	device->former_names =
		calloc(json_array_size(json_object_get(vector, "former")) + 1, sizeof(*device->former_names));
	json_array_foreach(json_object_get(vector, "former"), i, item)
	{
		/* [name, seconds ago] */
		const json_t *ago = json_array_get(item, 1);

		device->former_names[device->former_name_count++] =
			(struct certdir_former_name){world_copy(json_string_value(json_array_get(item, 0))),
						     ago ? WORLD_NOW - json_integer_value(ago) : 0};
	}
}

/*
 * {"compliant": true, "since": 60, "managed": true, "seen": 60, "registered": 9000}, in "own" or in "intune"; "compliance" is Intune's
 * word instead. Without "managed" it is managed as the record's "state" and "agent" say.
 */
static void world_read_statement(const json_t *vector, struct certdir_statement *statement)
{
	statement->is = true;
	statement->compliant = world_text(vector, "compliance") ? certdir_compliance(world_text(vector, "compliance"))
								: world_tristate(vector, "compliant", CERTDIR_UNKNOWN);
	statement->as_of = world_time(vector, "as_of");
	statement->compliant_since = world_time(vector, "since");
	statement->managed = world_tristate(vector, "managed", CERTDIR_UNKNOWN);
	statement->last_seen = world_time(vector, "seen");
	statement->registered = world_time(vector, "registered");
}

static void world_read_values(const json_t *vector, struct certdir_record *record)
{
	const json_t *item;
	size_t i;

	record->values = calloc(json_array_size(json_object_get(vector, "values")) + 1, sizeof(*record->values));
	json_array_foreach(json_object_get(vector, "values"), i, item)
	{
		struct certdir_value *value = &record->values[record->value_count++];

		if (!certdir_identity_type_parse(json_string_value(json_array_get(item, 0)), &value->type))
			world_fail("type", json_string_value(json_array_get(item, 0)));
		value->value = world_copy(json_string_value(json_array_get(item, 1)));
	}
}

/* A row of a table of issued certificates, which is no device. */
static void world_read_issued(const json_t *vector, struct certdir_record *record)
{
	if (!vector)
		return;
	record->issued = calloc(1, sizeof(*record->issued));
	record->issued->intune_device_id = world_copy(record->device.intune_device_id);
	record->issued->entra_device_id = world_copy(record->device.entra_device_id);
	record->issued->revoked = json_is_true(json_object_get(vector, "revoked"));
	record->only_against = world_copy("a certificate");
}

static void world_read_record(const json_t *vector, struct world_directory *directory)
{
	struct certdir_record *record = &directory->records[directory->count];
	struct certdir_device *device = &record->device;
	const char *source = world_text(vector, "source"), *against = world_text(vector, "against");
	const json_t *intune = json_object_get(vector, "intune"), *own = json_object_get(vector, "own");

	if (directory->count == WORLD_RECORDS)
		world_fail("too many records", directory->base.name);
	memset(record, 0, sizeof(*record));
	record->row = (int64_t)++directory->count;
	while (source && record->source < directory->source_count &&
	       strcmp(directory->sources[record->source].name, source) != 0)
		record->source++;
	if (record->source == directory->source_count)
		world_fail("no such source", source);
	record->only_against = world_copy(against);
	device->entra_device_id = world_copy(world_text(vector, "e"));
	device->intune_device_id = world_copy(world_text(vector, "i"));
	device->object_id = world_copy(world_text(vector, "o"));
	device->udid = world_copy(world_text(vector, "udid"));
	device->owner = world_copy(world_text(vector, "owner"));
	device->sid = world_copy(world_text(vector, "sid"));
	device->name = world_copy(world_text(vector, "name"));
	device->intune_name = world_copy(world_text(vector, "intune_name"));
	device->serial_number = world_copy(world_text(vector, "serial"));
	device->imei = world_copy(world_text(vector, "imei"));
	device->meid = world_copy(world_text(vector, "meid"));
	device->wifi_mac = world_copy(world_text(vector, "mac"));
	device->tenant = world_copy(world_text(vector, "tenant"));
	device->ownership = world_copy(world_text(vector, "ownership"));
	device->operating_system = world_copy(world_text(vector, "system"));
	device->management_state = world_copy(world_text(vector, "state"));
	device->management_agent = world_copy(world_text(vector, "agent"));
	device->compliance = world_copy(world_text(vector, "compliance"));
	device->id = world_copy(world_text(vector, "id"));
	if (!device->id)
		device->id = world_copy(device->entra_device_id	   ? device->entra_device_id
					: device->intune_device_id ? device->intune_device_id
					: device->udid		   ? device->udid
					: device->sid		   ? device->sid
					: device->name		   ? device->name
								   : "nameless");
	device->enabled = world_tristate(vector, "enabled", CERTDIR_YES);
	device->expires = world_time(vector, "expires");
	if (world_text(vector, "join") && !certdir_join_type_parse(world_text(vector, "join"), &device->join_type))
		world_fail("join type", world_text(vector, "join"));
	world_read_names(vector, device);
	world_read_values(vector, record);
	world_read_issued(json_object_get(vector, "issued"), record);
	/* "own": null: Intune alone knows it. */
	if (!own || json_is_object(own))
		world_read_statement(own, &device->own);
	if (intune)
		world_read_statement(intune, &device->intune);
	certdir_device_merge(device);
	if (json_object_get(intune, "managed"))
		device->intune.managed = world_tristate(intune, "managed", CERTDIR_UNKNOWN);
}

/* "E#" is "Ea", "Eb", .. */
static void world_number(json_t *record, char letter)
{
	const char *key;
	json_t *value;

	json_object_foreach(record, key, value)
	{
		char text[64];

		if (!json_is_string(value) || !strchr(json_string_value(value), '#'))
			continue;
		(void)snprintf(text, sizeof(text), "%s", json_string_value(value));
		*strchr(text, '#') = letter;
		(void)json_string_set(value, text);
	}
}

static void world_read_records(const json_t *vector, struct world_directory *directory)
{
	const json_int_t times = json_integer_value(json_object_get(vector, "times"));

	for (json_int_t i = 0; i < (times ? times : 1); i++) {
		json_t *record = json_deep_copy(vector);

		world_number(record, (char)('a' + i));
		world_read_record(record, directory);
		json_decref(record);
	}
}

static void world_read_sources(const json_t *vector, struct world_directory *directory)
{
	const json_t *sources = json_object_get(vector, "sources"), *item;
	const char *name;

	json_object_foreach((json_t *)sources, name, item)
	{
		struct certdir_source *source = &directory->sources[directory->source_count++];
		const char *tenant = world_text(item, "tenant");

		*source = (struct certdir_source){
			.kind = json_is_true(json_object_get(item, "import")) ? CERTDIR_SOURCE_IMPORT
				: json_is_true(json_object_get(item, "ldap")) ? CERTDIR_SOURCE_LDAP
									      : CERTDIR_SOURCE_TENANT,
			.listed = json_is_true(json_object_get(item, "ldap")),
			.domain = world_text(item, "domain"),
			.name = world_copy(name),
			.tenant = world_copy(tenant),
			.says_enabled = !json_is_false(json_object_get(item, "says_enabled")),
			.good_for = json_integer_value(json_object_get(item, "good_for")),
		};
		source->synced[CERTDIR_PART_OF_DEVICES] =
			json_object_get(item, "age") ? world_time(item, "age") : WORLD_NOW - 60;
		source->synced[CERTDIR_PART_OF_INTUNE] =
			json_object_get(item, "intune_age") ? world_time(item, "intune_age") : WORLD_NOW - 60;
		source->synced[CERTDIR_PART_OF_GROUPS] =
			json_object_get(item, "groups_age") ? world_time(item, "groups_age") : WORLD_NOW - 60;
		source->interval[CERTDIR_PART_OF_DEVICES] = json_integer_value(json_object_get(item, "interval"));
		source->interval[CERTDIR_PART_OF_INTUNE] = json_integer_value(json_object_get(item, "intune_interval"));
		source->interval[CERTDIR_PART_OF_GROUPS] = json_integer_value(json_object_get(item, "groups_interval"));
	}
	if (directory->source_count)
		return;
	directory->source_count = 1;
	directory->sources[0] = (struct certdir_source){.kind = CERTDIR_SOURCE_TENANT,
							.name = world_copy("t"),
							.tenant = world_copy("T"),
							.says_enabled = true,
							.synced = {WORLD_NOW - 60, WORLD_NOW - 60, WORLD_NOW - 60}};
}

uint32_t world_keeps(bool ldap)
{
	const uint32_t names = CERTDIR_BIT(CERTDIR_ID_NAME) | CERTDIR_BIT(CERTDIR_ID_DNS) |
			       CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_SID_URI);

	return ldap ? names | CERTDIR_BIT(CERTDIR_ID_MAPPING) | CERTDIR_BIT(CERTDIR_ID_UPN)
		    : names | CERTDIR_BIT(CERTDIR_ID_GUID) | CERTDIR_BIT(CERTDIR_ID_ENTRA) |
			       CERTDIR_BIT(CERTDIR_ID_INTUNE) | CERTDIR_BIT(CERTDIR_ID_SERIAL) |
			       CERTDIR_BIT(CERTDIR_ID_IMEI) | CERTDIR_BIT(CERTDIR_ID_MEID) |
			       CERTDIR_BIT(CERTDIR_ID_WIFI_MAC) | CERTDIR_BIT(CERTDIR_ID_PERMANENT);
}

static void world_read_directory(const json_t *vector, struct world_directory *directory)
{
	static const struct certdir_directory_type type = {world_search, world_close};
	const json_t *list = json_object_get(vector, "list"), *ldap = json_object_get(vector, "ldap"), *item;
	const json_t *keeps = json_object_get(vector, "keeps"), *max_age = json_object_get(vector, "max_age");
	size_t i;

	memset(directory, 0, sizeof(*directory));
	directory->base.type = &type;
	directory->base.name = world_copy(world_text(vector, "name"));
	if (!directory->base.name)
		directory->base.name = ldap ? "ldap" : "list";
	directory->base.is_live = ldap != NULL;
	directory->base.max_age = max_age ? (uint32_t)json_integer_value(max_age) : 3600;
	directory->keeps = keeps ? world_types(keeps) : world_keeps(ldap != NULL);
	directory->fails = json_is_true(json_object_get(vector, "down"))      ? CERTDIR_ANSWER_UNAVAILABLE
			   : json_is_true(json_object_get(vector, "missing")) ? CERTDIR_ANSWER_MISSING
									      : CERTDIR_ANSWERED;
	if (directory->fails == CERTDIR_ANSWER_MISSING)
		directory->keeps = UINT32_MAX;
	directory->base.keeps = directory->keeps;
	json_array_foreach(json_object_get(vector, "domains"), i, item) directory->domains[i] = json_string_value(item);
	directory->base.domains = directory->domains[0] ? directory->domains : NULL;
	directory->issuers[0] = world_text(vector, "issuer");
	directory->base.issuers = directory->issuers[0] ? directory->issuers : NULL;
	if (ldap) {
		directory->source_count = 1;
		directory->sources[0] = (struct certdir_source){
			.kind = CERTDIR_SOURCE_LDAP, .name = directory->base.name, .says_enabled = true};
		if (json_object_get(vector, "memory"))
			directory->sources[0].synced[0] = world_time(vector, "memory");
	} else {
		world_read_sources(vector, directory);
	}
	for (size_t s = 0; s < directory->source_count; s++)
		directory->sources[s].keeps = directory->keeps;
	json_array_foreach(ldap ? ldap : list, i, item) world_read_records(item, directory);
}

/* ---- the certificate ---- */

static const struct {
	const char *word;
	enum certdir_identity_type type;
	enum certdir_rank rank;
	const char *from;
	bool exact;
} world_places[] = {
	{"URI", CERTDIR_ID_GUID, CERTDIR_RANK_VOUCHED, "san.uri", false},
	{"ENTRA", CERTDIR_ID_ENTRA, CERTDIR_RANK_VOUCHED, "san.uri", false},
	{"INTUNE", CERTDIR_ID_INTUNE, CERTDIR_RANK_VOUCHED, "san.uri", false},
	{"GUID", CERTDIR_ID_GUID, CERTDIR_RANK_ID, "subject.cn", false},
	{"EXT", CERTDIR_ID_ENTRA, CERTDIR_RANK_CONFIRMING, "ext.entra", false},
	{"CN", CERTDIR_ID_NAME, CERTDIR_RANK_CHOSEN, "subject.cn", false},
	{"DNS", CERTDIR_ID_DNS, CERTDIR_RANK_CHOSEN, "san.dns", false},
	{"SER", CERTDIR_ID_SERIAL, CERTDIR_RANK_CHOSEN, "subject.serialNumber", false},
	{"IMEI", CERTDIR_ID_IMEI, CERTDIR_RANK_CHOSEN, "subject.cn", false},
	{"MEID", CERTDIR_ID_MEID, CERTDIR_RANK_CHOSEN, "subject.cn", false},
	{"MAC", CERTDIR_ID_WIFI_MAC, CERTDIR_RANK_CHOSEN, "subject.cn", false},
	{"PERM", CERTDIR_ID_PERMANENT, CERTDIR_RANK_CHOSEN, "san.permanentIdentifier", false},
	{"VPERM", CERTDIR_ID_PERMANENT, CERTDIR_RANK_VOUCHED, "san.permanentIdentifier", false},
	{"UPN", CERTDIR_ID_UPN, CERTDIR_RANK_CHOSEN, "san.upn", false},
	{"SID", CERTDIR_ID_SID, CERTDIR_RANK_CONFIRMING, "ext.sid", false},
	{"SIDURI", CERTDIR_ID_SID_URI, CERTDIR_RANK_CONFIRMING, "san.uri", false},
	{"UDID", CERTDIR_ID_UDID, CERTDIR_RANK_ID, "subject.cn", false},
	{"VUDID", CERTDIR_ID_UDID, CERTDIR_RANK_VOUCHED, "san.uri", false},
	{"VSID", CERTDIR_ID_SID, CERTDIR_RANK_VOUCHED, "ext.sid", false},
	{"VDNS", CERTDIR_ID_DNS, CERTDIR_RANK_VOUCHED, "san.dns", true},
	{"VSER", CERTDIR_ID_SERIAL, CERTDIR_RANK_VOUCHED, "subject.serialNumber", false},
	{"VNAME", CERTDIR_ID_NAME, CERTDIR_RANK_VOUCHED, "subject.cn", false},
	{"MAP", CERTDIR_ID_MAPPING, CERTDIR_RANK_VOUCHED, "public key", false},
	{"MAIL", CERTDIR_ID_MAIL, CERTDIR_RANK_CHOSEN, "san.email", false},
	{"UNAME", CERTDIR_ID_USER_NAME, CERTDIR_RANK_CHOSEN, "subject.cn", false},
	{"UID", CERTDIR_ID_USER_ID, CERTDIR_RANK_ID, "san.uri", false},
	{"VUID", CERTDIR_ID_USER_ID, CERTDIR_RANK_VOUCHED, "san.uri", false},
	{"USID", CERTDIR_ID_USER_SID, CERTDIR_RANK_CONFIRMING, "ext.sid", false},
	{"PERSON", CERTDIR_ID_NAME, CERTDIR_RANK_NONE, "subject.cn", false},
};

static void world_put_identity(struct certdir_certificate *certificate, enum certdir_identity_type type,
			       enum certdir_rank rank, const char *from, bool exact, const char *value)
{
	if (certificate->count < CERTDIR_IDENTITIES_MAX)
		certificate->identities[certificate->count++] =
			(struct certdir_identity){type, world_copy(value), from, rank, exact};
}

static void world_read_certificate(const json_t *vector, struct certdir_certificate *certificate)
{
	char *words = world_copy(world_text(vector, "cert")), *at = words, *word;

	memset(certificate, 0, sizeof(*certificate));
	certificate->subject = world_copy("CN=test");
	certificate->issuer = world_copy("CN=Example CA,DC=example");
	certificate->serial = world_copy("01");
	certificate->tenant = world_copy(world_text(vector, "tenant"));
	certificate->thumbprint = world_copy(world_text(vector, "thumbprint"));
	certificate->person = json_is_true(json_object_get(vector, "person"));
	if (world_text(vector, "holder") && !certdir_holder_parse(world_text(vector, "holder"), &certificate->holder))
		world_fail("holder", world_text(vector, "holder"));
	certificate->left_out = (size_t)json_integer_value(json_object_get(vector, "left_out"));
	certificate->not_before = json_object_get(vector, "issued") ? world_time(vector, "issued") : WORLD_NOW - 86400;
	while ((word = strsep(&at, " ")) != NULL) {
		char *value = strchr(word, ':');
		size_t p = 0;

		if (!value)
			world_fail("no value", word);
		*value++ = '\0';
		while (p < sizeof(world_places) / sizeof(world_places[0]) && strcmp(world_places[p].word, word) != 0)
			p++;
		if (p == sizeof(world_places) / sizeof(world_places[0]))
			world_fail("no such place", word);
		world_put_identity(certificate, world_places[p].type, world_places[p].rank, world_places[p].from,
				   world_places[p].exact, value);
		if (world_places[p].type == CERTDIR_ID_NAME && strchr(value, '.'))
			world_put_identity(certificate, CERTDIR_ID_DNS, world_places[p].rank, world_places[p].from,
					   false, value);
	}
	free(words);
}

/* ---- the policy ---- */

static const char *const *world_read_words(const json_t *array, struct world_words *words)
{
	const json_t *item;
	size_t i;

	memset(words, 0, sizeof(*words));
	json_array_foreach(array, i, item) words->items[i] = json_string_value(item);
	return array ? words->items : NULL;
}

static void world_read_policy(const json_t *vector, struct certdir_policy *policy, struct world_words words[3])
{
	const json_t *join = json_object_get(vector, "join_types"), *item;
	const char *twins = world_text(vector, "twins"), *key;
	static const char *const known[] = {"require_managed",
					    "require_compliant",
					    "compliance_unknown",
					    "on_unavailable",
					    "stale_for",
					    "names_must_agree",
					    "require_enabled_owner",
					    "twins",
					    "enrollment_grace",
					    "max_inactive",
					    "join_types",
					    "groups",
					    "ownership",
					    "operating_systems",
					    NULL};
	size_t i;

	json_object_foreach((json_t *)vector, key, item)
	{
		for (i = 0; known[i] && strcmp(known[i], key) != 0; i++)
			;
		if (!known[i])
			world_fail("no such policy", key);
	}
	*policy = (struct certdir_policy){
		.require_managed = json_is_true(json_object_get(vector, "require_managed")),
		.require_compliant = json_is_true(json_object_get(vector, "require_compliant")),
		.compliance_unknown_allow = world_text(vector, "compliance_unknown") != NULL,
		.allow_stale = world_text(vector, "on_unavailable") != NULL,
		.stale_for = json_object_get(vector, "stale_for")
				     ? (uint32_t)json_integer_value(json_object_get(vector, "stale_for"))
				     : 86400,
		.names_must_agree = json_is_true(json_object_get(vector, "names_must_agree")),
		.require_enabled_owner = json_is_true(json_object_get(vector, "require_enabled_owner")),
		.twins_deny = twins && strcmp(twins, "deny") == 0,
		.enrollment_grace = (uint32_t)json_integer_value(json_object_get(vector, "enrollment_grace")),
		.max_inactive = (uint32_t)json_integer_value(json_object_get(vector, "max_inactive")),
		.join_types = join ? 0 : UINT32_MAX,
		.groups = world_read_words(json_object_get(vector, "groups"), &words[0]),
		.ownerships = world_read_words(json_object_get(vector, "ownership"), &words[1]),
		.operating_systems = world_read_words(json_object_get(vector, "operating_systems"), &words[2]),
	};
	json_array_foreach(join, i, item)
	{
		enum certdir_join_type type;

		if (!certdir_join_type_parse(json_string_value(item), &type))
			world_fail("join type", json_string_value(item));
		policy->join_types |= CERTDIR_BIT(type);
	}
}

/* ---- people ---- */

/* Everybody is looked up by what people are known by, unless "keeps" says by what. */
static void world_read_people(const json_t *vector, struct world_directory *directory)
{
	world_read_directory(vector, directory);
	if (json_object_get(vector, "keeps") || directory->fails == CERTDIR_ANSWER_MISSING)
		return;
	directory->keeps = directory->base.keeps = CERTDIR_PERSONS;
	for (size_t s = 0; s < directory->source_count; s++)
		directory->sources[s].keeps = directory->keeps;
}

/* ---- all of it ---- */

static void world_free_record(struct certdir_record *record)
{
	for (size_t i = 0; i < record->value_count; i++)
		free(record->values[i].value);
	free(record->values);
	free((char *)(uintptr_t)record->only_against);
	if (record->issued)
		certdir_issued_clear(record->issued);
	free(record->issued);
	certdir_device_clear(&record->device);
}

void world_read(const json_t *vector, struct world *world)
{
	const json_t *item;
	size_t i;

	memset(&world->checker, 0, sizeof(world->checker));
	memset(&world->check, 0, sizeof(world->check));
	world->checker.accepted = json_object_get(vector, "identities")
					  ? world_types(json_object_get(vector, "identities"))
					  : ~CERTDIR_BIT(CERTDIR_ID_UPN);
	json_array_foreach(json_object_get(vector, "directories"), i, item)
	{
		world_read_directory(item, &world->directories[i]);
		world->checker.directories[world->checker.directory_count++] = &world->directories[i].base;
	}
	json_array_foreach(json_object_get(vector, "people"), i, item)
	{
		world_read_people(item, &world->people[i]);
		world->checker.people[world->checker.people_count++] = &world->people[i].base;
	}
	world_read_policy(json_object_get(vector, "policy"), &world->checker.policy, world->words);
	world_read_certificate(vector, &world->check.certificate);
	world->check.parsed = true;
}

void world_decide(struct world *world)
{
	const struct certdir_login login = {.now = WORLD_NOW};

	certdir_check_names(&world->check, &world->checker, &login);
}

static void world_clear_directory(struct world_directory *directory)
{
	for (size_t r = 0; r < directory->count; r++)
		world_free_record(&directory->records[r]);
	for (size_t s = 0; s < directory->source_count; s++) {
		if (!directory->base.is_live)
			free((char *)(uintptr_t)directory->sources[s].name);
		free((char *)(uintptr_t)directory->sources[s].tenant);
	}
	if (strcmp(directory->base.name, "ldap") != 0 && strcmp(directory->base.name, "list") != 0)
		free((char *)(uintptr_t)directory->base.name);
}

void world_clear(struct world *world)
{
	certdir_check_clear(&world->check);
	for (size_t d = 0; d < world->checker.directory_count; d++)
		world_clear_directory(&world->directories[d]);
	for (size_t d = 0; d < world->checker.people_count; d++)
		world_clear_directory(&world->people[d]);
}
