/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/section.h"

#include <string.h>
#include <strings.h>

#include "identity/field.h"
#include "text/canonical.h"
#include "text/dn.h"
#include "text/hex.h"

#define FIELDS CERTDIR_FIELD_NAMES ", ext.sid, ext.entra, ext.mdm"

static bool is_set(const char *text)
{
	return text && *text;
}

/* Takes the first of blank-separated words; false when there is none left. */
static bool take_word(const char **words, const char **word, size_t *length)
{
	if (!*words)
		return false;
	*word = *words + strspn(*words, " \t");
	*length = strcspn(*word, " \t");
	*words = *word + *length;
	return *length > 0;
}

static bool has_word(const char *words, const char *wanted, size_t wanted_length)
{
	const char *word;
	size_t length;

	while (take_word(&words, &word, &length))
		if (length == wanted_length && memcmp(word, wanted, length) == 0)
			return true;
	return false;
}

/* ---- which section ---- */

/* Key identifiers are copied from displays that put colons or blanks between the bytes. */
static bool is_key(const char *text)
{
	size_t digits = 0;

	for (; *text; text++) {
		if (certdir_hex_digit(*text) >= 0)
			digits++;
		else if (*text != ':' && *text != ' ')
			return false;
	}
	return digits > 0 && digits % 2 == 0;
}

/* `key`: lower-case hex, or NULL. */
static bool key_equal(const char *text, const char *key)
{
	if (!key)
		return false;
	for (; *text; text++) {
		const int digit = certdir_hex_digit(*text);

		if (digit < 0)
			continue;
		if (certdir_hex_digit(*key) != digit)
			return false;
		key++;
	}
	return !*key;
}

/* The certificate claims its issuer's key, and a CA may copy that from the request: so a key only narrows a name. */
static bool has_issuer(const struct certdir_section *section, const struct certdir_certificate *certificate)
{
	const char *const *issuer = section->issuers;
	bool named = false, narrowed = false, has_key = false;

	if (!issuer || !*issuer)
		return true;
	for (; *issuer; issuer++) {
		if (is_key(*issuer)) {
			narrowed = true;
			has_key = has_key || key_equal(*issuer, certificate->issuer_key);
		} else {
			named = named || (certificate->issuer && certdir_dn_equal(*issuer, certificate->issuer));
		}
	}
	return named && (has_key || !narrowed);
}

static bool has_eku(const struct certdir_section *section, const struct certdir_certificate *certificate)
{
	const char *words = section->ekus, *word;
	size_t length;

	if (!is_set(words))
		return true;
	while (take_word(&words, &word, &length))
		if (has_word(certificate->ekus, word, length))
			return true;
	return false;
}

const struct certdir_section *certdir_section_find(const struct certdir_section *sections, size_t count,
						   const struct certdir_certificate *certificate)
{
	for (size_t i = 0; i < count; i++) {
		const struct certdir_section *section = &sections[i];

		if (is_set(section->template) &&
		    (!certificate->template || strcasecmp(section->template, certificate->template) != 0))
			continue;
		if (has_eku(section, certificate) && has_issuer(section, certificate))
			return section;
	}
	return NULL;
}

/* ---- what it says of a name ---- */

enum certdir_rank certdir_type_rank(enum certdir_identity_type type)
{
	if (certdir_type_is_guid(type) || type == CERTDIR_ID_USER_ID)
		return CERTDIR_RANK_ID;
	return type == CERTDIR_ID_SID || type == CERTDIR_ID_SID_URI || type == CERTDIR_ID_USER_SID
		       ? CERTDIR_RANK_CONFIRMING
		       : CERTDIR_RANK_CHOSEN;
}

static bool is_placed(const struct certdir_section *section, const char *from, size_t length)
{
	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++)
		if (has_word(section->places[type], from, length))
			return true;
	return false;
}

bool certdir_section_reads(const struct certdir_section *section, const char *from)
{
	return is_placed(section, from, strlen(from));
}

bool certdir_section_vouches(const struct certdir_section *section, const char *from)
{
	return has_word(section->vouched, from, strlen(from));
}

/* The types of GUIDs are one: which of them a GUID is read as is the prefix's doing, and not always right. */
static bool places(const struct certdir_section *section, enum certdir_identity_type type, const char *from)
{
	for (unsigned other = 0; other < CERTDIR_ID_TYPES; other++)
		if ((other == type || (certdir_type_is_guid(type) && certdir_type_is_guid(other))) &&
		    has_word(section->places[other], from, strlen(from)))
			return true;
	return false;
}

/* What a value is where the section has names of a person stand. */
static enum certdir_identity_type type_there(const struct certdir_section *section,
					     const struct certdir_identity *identity)
{
	static const enum certdir_identity_type persons[CERTDIR_ID_TYPES] = {[CERTDIR_ID_GUID] = CERTDIR_ID_USER_ID,
									     [CERTDIR_ID_SID] = CERTDIR_ID_USER_SID,
									     [CERTDIR_ID_SID_URI] = CERTDIR_ID_USER_SID,
									     [CERTDIR_ID_NAME] = CERTDIR_ID_USER_NAME};
	const enum certdir_identity_type person = persons[identity->type];

	/* No table entry is the first type, which is no person's. */
	if (!person || !has_word(section->places[person], identity->from, strlen(identity->from)) ||
	    (person == CERTDIR_ID_USER_ID && places(section, CERTDIR_ID_GUID, identity->from)))
		return identity->type;
	return person;
}

bool certdir_section_numbers(const struct certdir_section *sections, size_t count, enum certdir_identity_type type,
			     const char *from)
{
	for (size_t i = 0; i < count; i++)
		if (places(&sections[i], type, from) &&
		    (type != CERTDIR_ID_SERIAL || !places(&sections[i], CERTDIR_ID_NAME, from)))
			return true;
	return false;
}

void certdir_section_place(const struct certdir_section *section, struct certdir_identity *identity)
{
	identity->type = type_there(section, identity);
	identity->rank = CERTDIR_RANK_NONE;
	if (places(section, identity->type, identity->from))
		identity->rank = certdir_section_vouches(section, identity->from) ? CERTDIR_RANK_VOUCHED
										  : certdir_type_rank(identity->type);
	identity->exact = identity->type == CERTDIR_ID_DNS && identity->rank == CERTDIR_RANK_VOUCHED;
}

/* ---- what the administrator wrote ---- */

static bool is_field(const char *from, size_t length)
{
	static const char *const others[] = {"ext.sid", "ext.entra", "ext.mdm"};
	char name[32];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (length == strlen(others[i]) && memcmp(from, others[i], length) == 0)
			return true;
	if (length >= sizeof(name))
		return false;
	memcpy(name, from, length);
	name[length] = '\0';
	return certdir_field_find(name) != NULL;
}

/* Every field of one option, `key`. *count grows by how many there are. */
static bool check_fields(const struct certdir_section *section, const char *key, const char *fields, size_t *count,
			 struct certdir_error *error)
{
	const char *field;
	size_t length;

	while (take_word(&fields, &field, &length)) {
		++*count;
		if (is_field(field, length))
			continue;
		certdir_error_set(error, "certificates %s: %s: no field \"%.*s\" in a certificate: use one of " FIELDS,
				  section->name, key, length < 64 ? (int)length : 64, field);
		return false;
	}
	return true;
}

static bool check_places(const struct certdir_section *section, struct certdir_error *error)
{
	size_t count = 0;

	if (is_set(section->places[CERTDIR_ID_MAPPING])) {
		certdir_error_set(error,
				  "certificates %s: a mapping is made of the whole certificate: drop \"mapping\"",
				  section->name);
		return false;
	}
	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++)
		if (!check_fields(section, certdir_identity_type_name((enum certdir_identity_type)type),
				  section->places[type], &count, error))
			return false;
	if (count == 0)
		certdir_error_set(error,
				  "certificates %s names no place where an identity stands: e.g. dns_name = "
				  "\"san.dns\"",
				  section->name);
	return count > 0;
}

static const char *const holders[] = {
	[CERTDIR_HOLDER_DEVICE] = "device", [CERTDIR_HOLDER_USER] = "user", [CERTDIR_HOLDER_BOTH] = "both"};

bool certdir_holder_parse(const char *word, enum certdir_holder *holder)
{
	for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]); i++)
		if (strcmp(word, holders[i]) == 0) {
			*holder = (enum certdir_holder)i;
			return true;
		}
	return false;
}

/* Names that nobody would be looked up by are a mistake, and one of a person has to be there for a person. */
static bool check_holder(const struct certdir_section *section, struct certdir_error *error)
{
	const char *holder = holders[section->holder];
	bool person = false;

	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++) {
		const bool personal = CERTDIR_PERSONAL & CERTDIR_BIT(type);
		const char *name = certdir_identity_type_name((enum certdir_identity_type)type);

		if (!is_set(section->places[type]))
			continue;
		/* A SID confirms, unless it is vouched for. */
		person |= type == CERTDIR_ID_USER_SID ? is_set(section->vouched) : personal || type == CERTDIR_ID_UPN;
		if (section->holder != CERTDIR_HOLDER_DEVICE
			    ? section->holder == CERTDIR_HOLDER_BOTH || personal || type == CERTDIR_ID_UPN
			    : !personal)
			continue;
		certdir_error_set(error,
				  "certificates %s: %s names a %s, and with holder = %s nobody is looked up by it: say "
				  "holder = %s",
				  section->name, name, personal ? "person" : "device", holder,
				  personal ? "user, or both" : "both, or device");
		return false;
	}
	if (person || section->holder == CERTDIR_HOLDER_DEVICE)
		return true;
	certdir_error_set(
		error,
		"certificates %s: holder = %s, and no place where a person's name stands: e.g. upn = \"san.upn\"",
		section->name, holder);
	return false;
}

static bool check_vouched(const struct certdir_section *section, struct certdir_error *error)
{
	const char *fields = section->vouched, *field;
	size_t length, count = 0;

	if (!check_fields(section, "vouched", fields, &count, error))
		return false;
	while (take_word(&fields, &field, &length)) {
		if (is_placed(section, field, length))
			continue;
		certdir_error_set(error,
				  "certificates %s: vouched: no identity stands in %.*s: say which one, e.g. "
				  "entra_device_id = \"%.*s\"",
				  section->name, (int)length, field, (int)length, field);
		return false;
	}
	return true;
}

static bool is_oid(const char *text, size_t length)
{
	bool digit = false, dot = false;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '.' && !digit)
			return false;
		dot = dot || text[i] == '.';
		digit = text[i] >= '0' && text[i] <= '9';
		if (!digit && text[i] != '.')
			return false;
	}
	return digit && dot;
}

static bool check_ekus(const struct certdir_section *section, struct certdir_error *error)
{
	const char *words = section->ekus, *word;
	size_t length;

	while (take_word(&words, &word, &length)) {
		if (is_oid(word, length))
			continue;
		certdir_error_set(error,
				  "certificates %s: ekus: \"%.*s\" is no object identifier: give it as digits and "
				  "dots, 1.3.6.1.5.5.7.3.2",
				  section->name, length < 64 ? (int)length : 64, word);
		return false;
	}
	return true;
}

static bool check_issuers(const struct certdir_section *section, struct certdir_error *error)
{
	const char *const *issuer = section->issuers;
	bool named = false;

	for (; issuer && *issuer; issuer++) {
		if (is_key(*issuer))
			continue;
		named = true;
		if (certdir_dn_equal(*issuer, *issuer))
			continue;
		certdir_error_set(error,
				  "certificates %s: issuer \"%.200s\" is neither a distinguished name (as "
				  "`certdir check` prints it) nor a key identifier in hex",
				  section->name, *issuer);
		return false;
	}
	if (named)
		return true;
	if (issuer != section->issuers) {
		certdir_error_set(error,
				  "certificates %s: issuer \"%.200s\" is a key identifier, which any certificate may "
				  "claim: add an issuer with the CA's distinguished name",
				  section->name, *section->issuers);
		return false;
	}
	if (is_set(section->template) || is_set(section->ekus)) {
		/* Any CA that the server trusts could write the template's name. */
		certdir_error_set(error, "certificates %s: %s says something only of a known CA: add its issuer",
				  section->name, is_set(section->template) ? "template" : "ekus");
		return false;
	}
	return true;
}

bool certdir_section_check(const struct certdir_section *section, struct certdir_error *error)
{
	return check_issuers(section, error) && check_ekus(section, error) && check_places(section, error) &&
	       check_holder(section, error) && check_vouched(section, error);
}
