/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sessions/class.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "conf/secret.h"
#include "text/canonical.h"
#include "text/hex.h"

enum {
	VERSION = 1, /* of the sealed form: another one is not ours */
	MAC_SIZE = 16, /* bytes of HMAC-SHA-256 that are kept (RFC 2104, 5: at least half of them) */
	PACKED_MAX = CERTDIR_CLASS_MAX,
	SEALED_MAX = 4 * ((PACKED_MAX + MAC_SIZE + 2) / 3) + 1
};

static const char PREFIX[] = "certdir:";
enum { PREFIX_SIZE = sizeof(PREFIX) - 1 };

/* ---- keys ---- */

bool certdir_class_key_read(struct certdir_class_key *key, const char *filename, struct certdir_error *error)
{
	size_t length;
	char *bytes = certdir_secret_read_bytes(filename, &length, error);
	const bool enough = length >= CERTDIR_CLASS_KEY_SIZE;

	memset(key, 0, sizeof(*key));
	if (!bytes)
		return false;
	if (enough)
		(void)SHA256((const unsigned char *)bytes, length, key->bytes);
	else
		certdir_error_set(error, "%s has %zu bytes, a key has %d or more; do: openssl rand -out %s 32",
				  filename, length, CERTDIR_CLASS_KEY_SIZE, filename);
	explicit_bzero(bytes, length);
	free(bytes);
	return enough;
}

bool certdir_class_key_make(struct certdir_class_key *key)
{
	return RAND_bytes(key->bytes, sizeof(key->bytes)) == 1;
}

/* Of the instance, which does not stand in the text, the device's id, which does, and what is packed. */
static bool mac(unsigned char out[MAC_SIZE], const struct certdir_class_key *key, const char *instance,
		const char *text, size_t text_length, const unsigned char *packed, size_t length)
{
	unsigned char bytes[2 * CERTDIR_CLASS_MAX + CERTDIR_CLASS_NAME_MAX + 2], full[EVP_MAX_MD_SIZE];
	const size_t named = strlen(instance) + 1; /* its NUL ends it */
	unsigned full_length;

	if (named > CERTDIR_CLASS_NAME_MAX + 1 || text_length > CERTDIR_CLASS_MAX || length > PACKED_MAX)
		return false;
	memcpy(bytes, instance, named);
	memcpy(bytes + named, text, text_length);
	bytes[named + text_length] = '\0'; /* nor has the text one */
	memcpy(bytes + named + text_length + 1, packed, length);
	if (!HMAC(EVP_sha256(), key->bytes, sizeof(key->bytes), bytes, named + text_length + 1 + length, full,
		  &full_length))
		return false;
	memcpy(out, full, MAC_SIZE);
	return true;
}

/* ---- base64url without padding (RFC 4648, 5) ---- */

static void replace(char *text, const char from[2], const char to[2])
{
	for (; *text; text++)
		*text = *text == from[0] ? to[0] : *text == from[1] ? to[1] : *text;
}

static void encode(const unsigned char *bytes, size_t length, char text[SEALED_MAX])
{
	(void)EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
	replace(text, "+/", "-_");
	text[strcspn(text, "=")] = '\0';
}

/* Returns how many bytes, 0 where it is not how encode() would have written them. */
static size_t decode(const char *text, size_t length, unsigned char bytes[SEALED_MAX])
{
	char padded[SEALED_MAX], again[SEALED_MAX];
	const size_t padding = (4 - length % 4) % 4;
	int decoded;

	if (length == 0 || padding == 3 || length + padding >= SEALED_MAX)
		return 0;
	memcpy(padded, text, length);
	memcpy(padded + length, "===", padding);
	padded[length + padding] = '\0';
	replace(padded, "-_", "+/");
	decoded = EVP_DecodeBlock(bytes, (unsigned char *)padded, (int)(length + padding));
	if (decoded < (int)padding)
		return 0;
	decoded -= (int)padding;
	encode(bytes, (size_t)decoded, again);
	return strlen(again) == length && memcmp(again, text, length) == 0 ? (size_t)decoded : 0;
}

/* ---- packing ---- */

enum {
	HOLDER_BITS = 3,
	QUARANTINE = 1 << 2,
	STALE = 1 << 3,
	PERSON = 1 << 4,
	LIVE_SHIFT = 5,

	HAS_ISSUER = 1,
	HAS_SECTION = 1 << 1,
	HAS_NOT_BEFORE = 1 << 2,
	HAS_TENANT = 1 << 3,
	HAS_THUMBPRINT = 1 << 4,
	HAS_SERIAL = 1 << 5,
	HAS_ASKED = 1 << 6,

	/* The first byte of a value: its type, which rank, how it is written. Exact ones are vouched for. */
	TYPE_BITS = 31,
	RANK_SHIFT = 5,
	EXACT_RANK = CERTDIR_RANKS,
	GUID_SIZE = 16,
	THUMBPRINT_SIZE = 20
};

/* Too much or too little is remembered, and looked at in the end. */
struct packer {
	unsigned char bytes[PACKED_MAX + MAC_SIZE]; /* the seal stands behind */
	size_t length;
	bool failed;
};

static void put(struct packer *packer, const void *bytes, size_t length)
{
	packer->failed |= length > PACKED_MAX - packer->length;
	if (packer->failed)
		return;
	memcpy(packer->bytes + packer->length, bytes, length);
	packer->length += length;
}

static void put_number(struct packer *packer, uint64_t number, size_t size)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(number >> 8 * (size - 1 - i));
	put(packer, bytes, size);
}

/* Hex digits, and dashes where a GUID has them, as `size` bytes. */
static void put_hex(struct packer *packer, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int byte;

		text += *text == '-';
		byte = certdir_hex_byte(text);
		packer->failed |= byte < 0;
		if (byte < 0)
			return;
		put_number(packer, (uint64_t)byte, 1);
		text += 2;
	}
	packer->failed |= *text != '\0';
}

/* How a value of that type is written: a GUID or SID in binary, all else as text. */
enum form { FORM_TEXT, FORM_GUID, FORM_SID };

static enum form form_of(enum certdir_identity_type type, const char *value)
{
	unsigned char bytes[68];
	bool zero;

	if ((certdir_type_is_guid(type) || type == CERTDIR_ID_USER_ID) && certdir_guid_is(value, &zero))
		return FORM_GUID;
	if (type == CERTDIR_ID_SID || type == CERTDIR_ID_SID_URI || type == CERTDIR_ID_USER_SID)
		return certdir_sid_to_bytes(value, bytes) ? FORM_SID : FORM_TEXT;
	return FORM_TEXT;
}

/* A value: type and rank, then its length, which the form is told with: 0 = a GUID. */
static void put_id(struct packer *packer, const struct certdir_class_id *id)
{
	const enum form form = form_of(id->type, id->value);
	const unsigned rank = id->exact ? EXACT_RANK : id->rank;
	unsigned char sid[68];
	size_t length;

	put_number(packer, id->type | rank << RANK_SHIFT, 1);
	switch (form) {
	case FORM_GUID:
		put_number(packer, 0, 1);
		put_hex(packer, id->value, GUID_SIZE);
		break;
	case FORM_SID:
		length = certdir_sid_to_bytes(id->value, sid);
		put_number(packer, length, 1);
		put(packer, sid, length);
		break;
	case FORM_TEXT:
		length = strlen(id->value);
		put_number(packer, length, 1);
		put(packer, id->value, length);
		break;
	}
}

static uint8_t flags_of(const struct certdir_class *class)
{
	return (uint8_t)(class->holder | (class->quarantine ? QUARANTINE : 0) | (class->stale ? STALE : 0) |
			 (class->person ? PERSON : 0) | class->live << LIVE_SHIFT);
}

static uint8_t parts_of(const struct certdir_class *class)
{
	return (uint8_t)((class->issuer ? HAS_ISSUER : 0) | (class->section ? HAS_SECTION : 0) |
			 (class->not_before ? HAS_NOT_BEFORE : 0) | (class->tenant[0] ? HAS_TENANT : 0) |
			 (class->thumbprint[0] ? HAS_THUMBPRINT : 0) | (class->serial[0] ? HAS_SERIAL : 0) |
			 (class->asked_of_device || class->asked_of_person ? HAS_ASKED : 0));
}

static void put_head(struct packer *packer, const struct certdir_class *class)
{
	put_number(packer, VERSION, 1);
	put_number(packer, flags_of(class), 1);
	put_number(packer, parts_of(class), 1);
	put_number(packer, (uint64_t) class->issued, 5);
	put_number(packer, class->groups, 8);
	if (class->asked_of_device || class->asked_of_person) {
		put_number(packer, class->asked_of_device, 1);
		put_number(packer, class->asked_of_person, 1);
	}
	if (class->issuer)
		put_number(packer, class->issuer, 8);
	if (class->section)
		put_number(packer, class->section, 4);
	if (class->not_before)
		put_number(packer, (uint64_t) class->not_before, 5);
	if (class->tenant[0])
		put_hex(packer, class->tenant, GUID_SIZE);
	if (class->thumbprint[0])
		put_hex(packer, class->thumbprint, THUMBPRINT_SIZE);
	if (class->serial[0]) {
		put_number(packer, strlen(class->serial) / 2, 1);
		put_hex(packer, class->serial, strlen(class->serial) / 2);
	}
}

/* ---- unpacking ---- */

struct unpacker {
	const unsigned char *at, *end;
	bool failed;
};

/* Zeros where nothing is left. */
static const unsigned char *take(struct unpacker *unpacker, size_t length)
{
	static const unsigned char nothing[UINT8_MAX];
	const unsigned char *at = unpacker->at;

	unpacker->failed |= (size_t)(unpacker->end - at) < length;
	if (unpacker->failed)
		return nothing;
	unpacker->at += length;
	return at;
}

static uint64_t take_number(struct unpacker *unpacker, size_t size)
{
	const unsigned char *bytes = take(unpacker, size);
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | bytes[i];
	return number;
}

static void take_guid(struct unpacker *unpacker, char guid[37])
{
	static const size_t dashes = 1 << 4 | 1 << 6 | 1 << 8 | 1 << 10; /* before these bytes */
	const unsigned char *bytes = take(unpacker, GUID_SIZE);

	for (size_t i = 0; i < GUID_SIZE; i++) {
		if (dashes >> i & 1)
			*guid++ = '-';
		guid = certdir_hex_put(guid, bytes[i]);
	}
	*guid = '\0';
}

static void take_text(struct unpacker *unpacker, size_t length, char value[CERTDIR_VALUE_MAX + 1])
{
	const unsigned char *bytes = take(unpacker, length);

	memcpy(value, bytes, length);
	value[length] = '\0';
}

static void take_id(struct unpacker *unpacker, struct certdir_class_id *id)
{
	const unsigned kind = (unsigned)take_number(unpacker, 1);
	const size_t length = (size_t)take_number(unpacker, 1);

	id->type = kind & TYPE_BITS;
	id->exact = kind >> RANK_SHIFT == EXACT_RANK;
	id->rank = id->exact ? CERTDIR_RANK_VOUCHED : kind >> RANK_SHIFT;
	unpacker->failed |= id->type >= CERTDIR_ID_TYPES || id->rank >= CERTDIR_RANKS;
	if (length == 0)
		take_guid(unpacker, id->value);
	else if (id->type == CERTDIR_ID_SID || id->type == CERTDIR_ID_SID_URI || id->type == CERTDIR_ID_USER_SID)
		unpacker->failed |= !certdir_sid_from_bytes(take(unpacker, length), length, id->value);
	else
		take_text(unpacker, length, id->value);
}

static void take_serial(struct unpacker *unpacker, char serial[65])
{
	const size_t length = (size_t)take_number(unpacker, 1);

	unpacker->failed |= length > 32;
	if (unpacker->failed)
		return;
	certdir_hex_print(take(unpacker, length), length, serial);
	for (; *serial; serial++)
		*serial = *serial >= 'a' ? (char)(*serial - 'a' + 'A') : *serial;
}

static void take_head(struct unpacker *unpacker, struct certdir_class *class)
{
	const uint64_t version = take_number(unpacker, 1), flags = take_number(unpacker, 1),
		       parts = take_number(unpacker, 1);

	unpacker->failed |= version != VERSION || (flags & HOLDER_BITS) > CERTDIR_HOLDER_BOTH;
	class->holder = flags & HOLDER_BITS;
	class->quarantine = flags & QUARANTINE;
	class->stale = flags & STALE;
	class->live = (unsigned)(flags >> LIVE_SHIFT);
	class->person = flags & PERSON;
	class->issued = (int64_t)take_number(unpacker, 5);
	class->groups = take_number(unpacker, 8);
	class->asked_of_device = parts & HAS_ASKED ? (uint8_t)take_number(unpacker, 1) : 0;
	class->asked_of_person = parts & HAS_ASKED ? (uint8_t)take_number(unpacker, 1) : 0;
	class->issuer = parts & HAS_ISSUER ? take_number(unpacker, 8) : 0;
	class->section = parts & HAS_SECTION ? (uint32_t)take_number(unpacker, 4) : 0;
	class->not_before = parts & HAS_NOT_BEFORE ? (int64_t)take_number(unpacker, 5) : 0;
	if (parts & HAS_TENANT)
		take_guid(unpacker, class->tenant);
	if (parts & HAS_THUMBPRINT)
		certdir_hex_print(take(unpacker, THUMBPRINT_SIZE), THUMBPRINT_SIZE, class->thumbprint);
	if (parts & HAS_SERIAL)
		take_serial(unpacker, class->serial);
}

/* ---- sealing ---- */

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static bool md5(const char *id, char out[CERTDIR_CLASS_NAME_MAX + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length;

	if (EVP_Digest(id, strlen(id), digest, &length, EVP_md5(), NULL) != 1)
		return false;
	certdir_hex_print(digest, length, out);
	return true;
}

/* How many bytes can be packed behind a text of that length. */
static size_t room_behind(size_t text_length)
{
	const size_t taken = text_length + 1;
	const size_t sealed = taken < CERTDIR_CLASS_MAX ? (CERTDIR_CLASS_MAX - taken) * 3 / 4 : 0;

	return sealed > MAC_SIZE ? sealed - MAC_SIZE : 0;
}

/* What is needed, then of the rest what there is room for. False when what is needed does not fit. */
static bool pack(struct packer *packer, const struct certdir_class *class, size_t room)
{
	packer->length = 0;
	packer->failed = false;
	put_head(packer, class);
	for (size_t i = 0; i < class->id_count; i++)
		if (class->ids[i].needed)
			put_id(packer, &class->ids[i]);
	if (packer->failed || packer->length > room)
		return false;
	for (size_t i = 0; i < class->id_count; i++) {
		const size_t length = packer->length;

		if (class->ids[i].needed)
			continue;
		put_id(packer, &class->ids[i]);
		if (packer->failed || packer->length > room)
			packer->length = length;
		packer->failed = false;
	}
	return true;
}

/* Writes all of it behind the id as it is given. */
static bool seal(const struct certdir_class *class, const char *id, const struct certdir_class_key *key,
		 char text[CERTDIR_CLASS_MAX + 1])
{
	const size_t length = PREFIX_SIZE + strlen(id);
	char sealed[SEALED_MAX];
	struct packer packer;

	if (!is_plain(id) || length >= CERTDIR_CLASS_MAX || !pack(&packer, class, room_behind(length)))
		return false;
	memcpy(text, PREFIX, PREFIX_SIZE);
	memcpy(text + PREFIX_SIZE, id, length - PREFIX_SIZE);
	if (!mac(packer.bytes + packer.length, key, class->instance, text, length, packer.bytes, packer.length))
		return false;
	encode(packer.bytes, packer.length + MAC_SIZE, sealed);
	text[length] = ';';
	strcpy(text + length + 1, sealed);
	return true;
}

bool certdir_class_seal(const struct certdir_class *class, const struct certdir_class_key *key,
			char text[CERTDIR_CLASS_MAX + 1])
{
	char digest[CERTDIR_CLASS_NAME_MAX + 1];
	const bool sealed =
		class->id_count && class->id[0] && class->instance[0] &&
		(seal(class, class->id, key, text) || (md5(class->id, digest) && seal(class, digest, key, text)));

	if (!sealed)
		text[0] = '\0';
	return sealed;
}

static bool unpack(struct certdir_class *class, const unsigned char *packed, size_t length)
{
	struct unpacker unpacker = {.at = packed, .end = packed + length};

	take_head(&unpacker, class);
	while (unpacker.at < unpacker.end && !unpacker.failed && class->id_count < CERTDIR_CLASS_IDS_MAX)
		take_id(&unpacker, &class->ids[class->id_count++]);
	return !unpacker.failed && unpacker.at == unpacker.end && class->id_count;
}

/* `at`: where the ";" stands. Nothing of what is packed is looked at before its seal is seen to hold. */
static bool open_at(struct certdir_class *class, const char *text, size_t at, size_t length,
		    const struct certdir_class_key *key)
{
	unsigned char packed[SEALED_MAX], expected[MAC_SIZE];
	const size_t got = decode(text + at + 1, length - at - 1, packed);

	if (got <= MAC_SIZE || !mac(expected, key, class->instance, text, at, packed, got - MAC_SIZE) ||
	    CRYPTO_memcmp(expected, packed + got - MAC_SIZE, MAC_SIZE) != 0)
		return false;
	memcpy(class->id, text + PREFIX_SIZE, at - PREFIX_SIZE);
	return unpack(class, packed, got - MAC_SIZE);
}

bool certdir_class_open(struct certdir_class *class, const char *text, size_t length,
			const struct certdir_class_key *key, const char *instance)
{
	size_t at = length;

	memset(class, 0, sizeof(*class));
	if (length > CERTDIR_CLASS_MAX || length <= PREFIX_SIZE || memcmp(text, PREFIX, PREFIX_SIZE) != 0 ||
	    strlen(instance) > CERTDIR_CLASS_NAME_MAX)
		return false;
	/* The last one: an id may have one of its own. */
	while (at > PREFIX_SIZE && text[at - 1] != ';')
		at--;
	strcpy(class->instance, instance);
	if (at > PREFIX_SIZE && open_at(class, text, at - 1, length, key))
		return true;
	memset(class, 0, sizeof(*class));
	return false;
}
