/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/packed.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "text/canonical.h"
#include "text/utf8.h"

enum {
	ITEMS_MAX = 4096, /* groups, names, values of a record: an LDAP entry gives up to 1000 of each */
	TEXT_MAX = 1 << 16 /* bytes of one of its texts */
};

/* ---- bytes ---- */

void certdir_bytes_put(struct certdir_bytes *to, const void *bytes, size_t length)
{
	if (to->length + length > to->room) {
		const size_t room = 2 * to->room + length + 256;
		unsigned char *grown = to->failed ? NULL : realloc(to->bytes, room);

		if (!grown) {
			to->failed = true;
			return;
		}
		to->bytes = grown;
		to->room = room;
	}
	if (length)
		memcpy(to->bytes + to->length, bytes, length);
	to->length += length;
}

void certdir_bytes_reserve(struct certdir_bytes *to, size_t room)
{
	unsigned char *bytes = room > to->room ? realloc(to->bytes, room) : NULL;

	if (!bytes)
		return;
	/* Not with 0: that would be left to the kernel until the bytes are used. */
	memset(bytes + to->room, 1, room - to->room);
	to->bytes = bytes;
	to->room = room;
}

void certdir_bytes_put_number(struct certdir_bytes *to, uint64_t number)
{
	unsigned char bytes[10];
	size_t length = 0;

	for (; number > 127; number >>= 7)
		bytes[length++] = (unsigned char)(number | 128);
	bytes[length++] = (unsigned char)number;
	certdir_bytes_put(to, bytes, length);
}

uint64_t certdir_bytes_number(struct certdir_bytes_reader *from)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64 && from->at < from->end; shift += 7) {
		const unsigned char byte = *from->at++;

		number |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return from->failed ? 0 : number;
	}
	from->failed = true;
	return 0;
}

const unsigned char *certdir_bytes_take(struct certdir_bytes_reader *from, uint64_t length)
{
	const unsigned char *bytes = from->at;

	if (from->failed || length > (uint64_t)(from->end - from->at)) {
		from->failed = true;
		return NULL;
	}
	from->at += length;
	return bytes;
}

/* ---- one description of a record for both ways, so that they cannot differ ---- */

/* Either puts or takes; what it takes is owned by the record at once, so that whoever clears that frees it. */
struct pass {
	struct certdir_bytes *to; /* NULL: takes */
	struct certdir_bytes_reader from;
	bool failed;
};

static void pass_number(struct pass *pass, int64_t *number)
{
	if (pass->to)
		certdir_bytes_put_number(pass->to, (uint64_t)*number);
	else
		*number = (int64_t)certdir_bytes_number(&pass->from);
}

/* One of `count` words of an enum; also a count itself. */
static unsigned pass_word(struct pass *pass, unsigned word, unsigned count)
{
	int64_t number = word;

	pass_number(pass, &number);
	if (number >= 0 && number < count)
		return (unsigned)number;
	pass->failed = true;
	return 0;
}

#define PASS_ENUM(_pass, _enum, _count)                                                                                \
	do {                                                                                                           \
		const unsigned _word = pass_word(_pass, (unsigned)(_enum), _count);                                    \
		(_enum) = _word;                                                                                       \
	} while (0)

static void pass_flag(struct pass *pass, bool *flag)
{
	*flag = pass_word(pass, *flag, 2) != 0;
}

static bool is_text(const char *text, size_t length)
{
	while (length > 0) {
		uint32_t character;
		const size_t bytes = certdir_utf8_read(text, length, &character);

		if (bytes == 0 || character == 0)
			return false;
		text += bytes;
		length -= bytes;
	}
	return true;
}

/* 0 = NULL, else one more than its length. */
static void pass_text(struct pass *pass, char **text)
{
	const unsigned size = pass_word(pass, pass->to && *text ? (unsigned)strnlen(*text, TEXT_MAX) + 1 : 0, TEXT_MAX);
	const char *bytes;

	if (size == 0)
		return;
	if (pass->to) {
		certdir_bytes_put(pass->to, *text, size - 1);
		return;
	}
	bytes = (const char *)certdir_bytes_take(&pass->from, size - 1);
	if (bytes && is_text(bytes, size - 1))
		*text = strndup(bytes, size - 1);
	pass->failed |= !*text;
}

/* One that everybody relies on to be there. */
static void pass_name(struct pass *pass, char **text)
{
	pass_text(pass, text);
	pass->failed |= !*text;
}

/* How many items follow, with room for them. */
static void pass_count(struct pass *pass, size_t *count, void *items, size_t size)
{
	const unsigned items_there = pass_word(pass,
					       pass->to && *count < ITEMS_MAX ? (unsigned)*count
					       : pass->to		      ? ITEMS_MAX
									      : 0,
					       ITEMS_MAX);
	void *room;

	if (pass->to || items_there == 0)
		return;
	room = calloc(items_there, size);
	pass->failed |= !room;
	memcpy(items, &room, sizeof(room));
	*count = room ? items_there : 0;
}

static void pass_statement(struct pass *pass, struct certdir_statement *statement)
{
	pass_flag(pass, &statement->is);
	pass_number(pass, &statement->as_of);
	PASS_ENUM(pass, statement->compliant, CERTDIR_YES + 1);
	pass_number(pass, &statement->compliant_since);
	PASS_ENUM(pass, statement->managed, CERTDIR_YES + 1);
	pass_number(pass, &statement->last_seen);
	pass_number(pass, &statement->registered);
}

static void pass_texts(struct pass *pass, struct certdir_device *device)
{
	char **text;

	for (size_t i = 0; !pass->failed && (text = certdir_device_text(device, i)) != NULL; i++)
		pass_text(pass, text);
	pass->failed |= !device->id;
}

static void pass_lists(struct pass *pass, struct certdir_device *device)
{
	pass_count(pass, &device->dns_name_count, &device->dns_names, sizeof(*device->dns_names));
	for (size_t i = 0; i < device->dns_name_count && !pass->failed; i++)
		pass_name(pass, &device->dns_names[i]);
	pass_count(pass, &device->group_count, &device->groups, sizeof(*device->groups));
	for (size_t i = 0; i < device->group_count && !pass->failed; i++) {
		pass_name(pass, &device->groups[i].id);
		pass_text(pass, &device->groups[i].name);
		pass_text(pass, &device->groups[i].sid);
		pass_number(pass, &device->groups[i].as_of);
	}
	pass_count(pass, &device->former_name_count, &device->former_names, sizeof(*device->former_names));
	for (size_t i = 0; i < device->former_name_count && !pass->failed; i++) {
		pass_name(pass, &device->former_names[i].name);
		pass_number(pass, &device->former_names[i].since);
	}
}

static void pass_record(struct pass *pass, struct certdir_record *record)
{
	struct certdir_device *device = &record->device;

	pass_texts(pass, device);
	pass_lists(pass, device);
	pass_statement(pass, &device->own);
	pass_statement(pass, &device->intune);
	PASS_ENUM(pass, device->enabled, CERTDIR_YES + 1);
	PASS_ENUM(pass, device->managed, CERTDIR_YES + 1);
	PASS_ENUM(pass, device->join_type, CERTDIR_JOIN_TYPES);
	pass_number(pass, &device->last_seen);
	pass_number(pass, &device->registered);
	pass_number(pass, &device->expires);
	pass_count(pass, &record->value_count, &record->values, sizeof(*record->values));
	for (size_t i = 0; i < record->value_count && !pass->failed; i++) {
		PASS_ENUM(pass, record->values[i].type, CERTDIR_ID_TYPES);
		pass_name(pass, &record->values[i].value);
	}
}

/* ---- by what it is known again ---- */

static size_t put_identity(struct certdir_bytes *to, const char *identity)
{
	if (!identity)
		return 0;
	certdir_bytes_put(to, identity, strlen(identity) + 1);
	return 1;
}

static size_t put_identities(struct certdir_bytes *to, const struct certdir_record *record)
{
	const struct certdir_device *device = &record->device;
	size_t count = put_identity(to, device->id);

	count += put_identity(to, device->entra_device_id);
	count += put_identity(to, device->intune_device_id);
	count += put_identity(to, device->object_id);
	count += put_identity(to, device->udid);
	count += put_identity(to, device->sid);
	for (size_t i = 0; i < record->value_count; i++)
		if (certdir_type_is_guid(record->values[i].type) || record->values[i].type == CERTDIR_ID_SID)
			count += put_identity(to, record->values[i].value);
	return count;
}

/* ---- packing ---- */

struct certdir_packed *certdir_record_pack(struct certdir_record *record)
{
	struct certdir_bytes bytes = {0}, identities = {0};
	struct pass pass = {.to = &bytes};
	struct certdir_packed *packed = NULL;
	const size_t count = put_identities(&identities, record);

	pass_record(&pass, record);
	if (!pass.failed && !bytes.failed && !identities.failed)
		packed = malloc(sizeof(*packed) + bytes.length + identities.length);
	if (packed) {
		atomic_init(&packed->references, 1);
		packed->length = bytes.length;
		packed->identities = (char *)packed->bytes + bytes.length;
		packed->identity_count = count;
		memcpy(packed->bytes, bytes.bytes, bytes.length);
		memcpy(packed->identities, identities.bytes, identities.length);
	}
	free(bytes.bytes);
	free(identities.bytes);
	return packed;
}

bool certdir_record_unpack(const unsigned char *bytes, size_t length, struct certdir_record *record)
{
	struct pass pass = {.from = {bytes, bytes + length, false}};

	pass_record(&pass, record);
	if (!pass.failed && !pass.from.failed && pass.from.at == pass.from.end)
		return true;
	certdir_record_clear(record);
	return false;
}

static bool has_group(const struct certdir_device *device, const struct certdir_group *group)
{
	for (size_t g = 0; g < device->group_count; g++) {
		const struct certdir_group *other = &device->groups[g];

		/* The group's own entry, which was asked for then, had its SID. */
		if (strcmp(other->id, group->id) == 0 &&
		    (!group->sid || (other->sid && strcmp(other->sid, group->sid) == 0)))
			return true;
	}
	return false;
}

static bool move_groups(struct certdir_device *to, struct certdir_device *from, int64_t as_of)
{
	for (size_t g = 0; g < from->group_count; g++) {
		struct certdir_group *group = &from->groups[g], *moved;

		if (has_group(to, group))
			continue;
		moved = certdir_array_next(&to->groups, to->group_count, sizeof(*moved));
		if (!moved)
			return false;
		*moved = *group;
		if (!moved->as_of)
			moved->as_of = as_of;
		to->group_count++;
		*group = (struct certdir_group){.id = NULL};
	}
	return true;
}

struct certdir_packed *certdir_packed_keep_groups(const struct certdir_packed *record,
						  const struct certdir_packed *before, int64_t as_of)
{
	struct certdir_record now = {0}, then = {0};
	struct certdir_packed *packed = NULL;

	if (certdir_record_unpack(record->bytes, record->length, &now) &&
	    certdir_record_unpack(before->bytes, before->length, &then) &&
	    move_groups(&now.device, &then.device, as_of))
		packed = certdir_record_pack(&now);
	certdir_record_clear(&now);
	certdir_record_clear(&then);
	return packed;
}

struct certdir_packed *certdir_packed_retain(struct certdir_packed *packed)
{
	atomic_fetch_add_explicit(&packed->references, 1, memory_order_relaxed);
	return packed;
}

void certdir_packed_release(struct certdir_packed *packed)
{
	if (packed && atomic_fetch_sub_explicit(&packed->references, 1, memory_order_acq_rel) == 1)
		free(packed);
}
