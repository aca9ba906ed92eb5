/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/record.h"

#include "tenant/tenant.h"
#include "list/text.h"
#include "base/words.h"
#include "text/excerpt.h"
#include "text/timestamp.h"

#include <stdio.h>
#include <string.h>

struct field {
	const char *name;
	enum certdir_kind kind;
	unsigned property;
	size_t offset;
};

#define NAME_OF(name, ...) name,
#define ENTRA_FIELD(name, kind, member, property)                                                                      \
	{name, CERTDIR_KIND_##kind, CERTDIR_PROPERTY_##property, offsetof(struct certdir_device, member)},
#define INTUNE_FIELD(name, kind, member) {name, CERTDIR_KIND_##kind, 0, offsetof(struct certdir_device, member)},

/* "id" comes first everywhere: the field i is the value i + 1. */
const char *const certdir_record_entra_properties[] = {"id", CERTDIR_DEVICE_PROPERTIES(NAME_OF) NULL};

#define ATTRIBUTE(number) "extensionAttributes/extensionAttribute" #number

/* extensionAttributes stands behind the fields, extensionAttribute1 behind that. */
const char *const certdir_record_extended_properties[] = {
	"id",	       CERTDIR_DEVICE_PROPERTIES(NAME_OF) "extensionAttributes",
	ATTRIBUTE(1),  ATTRIBUTE(2),
	ATTRIBUTE(3),  ATTRIBUTE(4),
	ATTRIBUTE(5),  ATTRIBUTE(6),
	ATTRIBUTE(7),  ATTRIBUTE(8),
	ATTRIBUTE(9),  ATTRIBUTE(10),
	ATTRIBUTE(11), ATTRIBUTE(12),
	ATTRIBUTE(13), ATTRIBUTE(14),
	ATTRIBUTE(15), NULL};

const char *const certdir_record_intune_properties[] = {"id", CERTDIR_MANAGED_DEVICE_PROPERTIES(NAME_OF) NULL};
const char *const certdir_record_user_properties[] = {"id",
						      "userPrincipalName",
						      "accountEnabled",
						      "onPremisesSecurityIdentifier",
						      "onPremisesSamAccountName",
						      "onPremisesDistinguishedName",
						      "mail",
						      NULL};
const char *const certdir_record_group_properties[] = {"id", "displayName", NULL};
const char *const certdir_record_member_properties[] = {"id", NULL};

static const struct field user_fields[] = {
	{"userPrincipalName", CERTDIR_KIND_TEXT, CERTDIR_USER_UPN, offsetof(struct certdir_tenant_user, upn)},
	{"accountEnabled", CERTDIR_KIND_YES_NO, CERTDIR_USER_ENABLED, offsetof(struct certdir_tenant_user, enabled)},
	{"onPremisesSecurityIdentifier", CERTDIR_KIND_SID, CERTDIR_USER_SID, offsetof(struct certdir_tenant_user, sid)},
	{"onPremisesSamAccountName", CERTDIR_KIND_TEXT, CERTDIR_USER_SAM,
	 offsetof(struct certdir_tenant_user, sam_account_name)},
	{"onPremisesDistinguishedName", CERTDIR_KIND_TEXT, CERTDIR_USER_DN, offsetof(struct certdir_tenant_user, dn)},
	{"mail", CERTDIR_KIND_TEXT, CERTDIR_USER_MAIL, offsetof(struct certdir_tenant_user, mail)},
};

static const struct field entra_fields[] = {CERTDIR_DEVICE_PROPERTIES(ENTRA_FIELD)};
static const struct field intune_fields[] = {CERTDIR_MANAGED_DEVICE_PROPERTIES(INTUNE_FIELD)};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* ---- errors ---- */

enum { SHOWN_SIZE = 100 };

/* What errors show of a value. */
static const char *show(const struct certdir_page_value *value, char out[SHOWN_SIZE])
{
	switch (value->type) {
	case CERTDIR_PAGE_MISSING:
		return "missing";
	case CERTDIR_PAGE_NULL:
		return "null";
	case CERTDIR_PAGE_FALSE:
		return "false";
	case CERTDIR_PAGE_TRUE:
		return "true";
	case CERTDIR_PAGE_OTHER:
		return "{..}";
	default:
		return certdir_excerpt(out, SHOWN_SIZE, value->text, value->length);
	}
}

/* Names the object, the property and the value. Always false. */
static bool refuse(const char *what, const struct certdir_page_object *object, const char *name,
		   const struct certdir_page_value *value, const char *why, struct certdir_error *error)
{
	char id[SHOWN_SIZE], text[SHOWN_SIZE];

	certdir_error_set(error, "Graph's %s %s: %s = %s: %s", what, show(&object->values[0], id), name,
			  show(value, text), why);
	return false;
}

/* ---- values ---- */

/* The id of any object. */
static bool take_id(const char *what, const struct certdir_page_object *object, const char **id,
		    struct certdir_error *error)
{
	const struct certdir_page_value *value = &object->values[0];
	char text[SHOWN_SIZE];

	if (value->type == CERTDIR_PAGE_TEXT && value->length > 0) {
		*id = value->text;
		return true;
	}
	certdir_error_set(error,
			  "Graph's answer has a %s whose id is %s, not a text: without it, nothing can be told of it",
			  what, value->type == CERTDIR_PAGE_TEXT ? "empty" : show(value, text));
	return false;
}

/* The struct owns its strings elsewhere, so they are not const; here nobody writes or frees them. */
static void put_text(void *at, const char *text)
{
	*(char **)at = (char *)(uintptr_t)text;
}

/* Puts a value that is there and neither null nor empty. Returns what is wrong with it, or NULL. */
static const char *put_value(enum certdir_kind kind, void *at, const struct certdir_page_value *value)
{
	const bool yes_no = kind == CERTDIR_KIND_YES_NO || kind == CERTDIR_KIND_COMPLIANT;
	const bool yes = value->type == CERTDIR_PAGE_TRUE;

	if (yes_no && !yes && value->type != CERTDIR_PAGE_FALSE)
		return "neither true nor false nor null";
	if (!yes_no && value->type != CERTDIR_PAGE_TEXT)
		return "neither a text nor null";
	switch (kind) {
	case CERTDIR_KIND_COMPLIANT:
		put_text(at, yes ? "compliant" : "noncompliant");
		break;
	case CERTDIR_KIND_JOIN_TYPE:
		*(enum certdir_join_type *)at = certdir_word_trust_type(value->text);
		break;
	case CERTDIR_KIND_YES_NO:
		*(enum certdir_tristate *)at = yes ? CERTDIR_YES : CERTDIR_NO;
		break;
	case CERTDIR_KIND_TIME:
		return certdir_timestamp_parse(value->text, at) ? NULL : "not a time";
	default:
		put_text(at, certdir_word_spelled(kind, value->text));
	}
	return NULL;
}

static bool take_fields(const char *what, const struct field *fields, size_t count,
			const struct certdir_page_object *object, void *record, uint32_t *present,
			struct certdir_error *error)
{
	for (size_t i = 0; i < count; i++) {
		const struct certdir_page_value *value = &object->values[i + 1];
		const char *why;

		if (value->type == CERTDIR_PAGE_MISSING)
			continue;
		*present |= CERTDIR_BIT(fields[i].property);
		if (value->type == CERTDIR_PAGE_NULL || (value->type == CERTDIR_PAGE_TEXT && value->length == 0))
			continue;
		why = put_value(fields[i].kind, (char *)record + fields[i].offset, value);
		if (why)
			return refuse(what, object, fields[i].name, value, why, error);
	}
	return true;
}

/* ---- extension attributes ---- */

_Static_assert(CERTDIR_RECORD_ROOM == CERTDIR_LIST_TEXT_MAX + 2, "what is cut must be refused");

/* Appends "7=value", \ before | and \, as far as there is room. */
static void add_attribute(char room[CERTDIR_RECORD_ROOM], size_t *used, unsigned number, const char *text)
{
	char *at = room + *used, *const end = room + CERTDIR_RECORD_ROOM - 1;

	if (*used > 0 && at < end)
		*at++ = '|';
	at += snprintf(at, (size_t)(end - at) + 1, "%u=", number);
	for (at = at > end ? end : at; *text && at < end; text++) {
		if ((*text == '|' || *text == '\\') && at < end)
			*at++ = '\\';
		if (at < end)
			*at++ = *text;
	}
	*at = '\0';
	*used = (size_t)(at - room);
}

static bool take_attributes(const char *what, const struct certdir_page_object *object, uint32_t asked,
			    char room[CERTDIR_RECORD_ROOM], struct certdir_device *device, uint32_t *present,
			    struct certdir_error *error)
{
	const size_t first = 1 + LENGTH(entra_fields);
	const struct certdir_page_value *whole = &object->values[first];
	size_t used = 0;

	if (whole->type == CERTDIR_PAGE_MISSING)
		return true;
	*present |= CERTDIR_BIT(CERTDIR_PROPERTY_EXTENSION_ATTRIBUTES);
	if (whole->type != CERTDIR_PAGE_NULL && whole->type != CERTDIR_PAGE_OTHER)
		return refuse(what, object, "extensionAttributes", whole, "neither an object nor null", error);
	for (unsigned number = 1; number <= CERTDIR_LIST_EXTENSION_ATTRIBUTES; number++) {
		const struct certdir_page_value *value = &object->values[first + number];

		if (!(asked & CERTDIR_BIT(number)) || value->type == CERTDIR_PAGE_MISSING ||
		    value->type == CERTDIR_PAGE_NULL || (value->type == CERTDIR_PAGE_TEXT && value->length == 0))
			continue;
		if (value->type != CERTDIR_PAGE_TEXT)
			return refuse(what, object, certdir_record_extended_properties[first + number], value,
				      "neither a text nor null", error);
		add_attribute(room, &used, number, value->text);
	}
	if (used > 0)
		put_text(&device->extension_attributes, room);
	return true;
}

/* ---- objects ---- */

bool certdir_record_entra(const struct certdir_page_object *object, uint32_t extension_attributes,
			  char room[CERTDIR_RECORD_ROOM], struct certdir_device *device, uint32_t *present,
			  struct certdir_error *error)
{
	static const char what[] = "device";
	const char *id;

	memset(device, 0, sizeof(*device));
	*present = 0;
	if (!take_id(what, object, &id, error))
		return false;
	put_text(&device->object_id, id);
	return object->removed ||
	       (take_fields(what, entra_fields, LENGTH(entra_fields), object, device, present, error) &&
		(extension_attributes == 0 ||
		 take_attributes(what, object, extension_attributes, room, device, present, error)));
}

bool certdir_record_intune(const struct certdir_page_object *object, struct certdir_device *record,
			   struct certdir_error *error)
{
	static const char what[] = "managedDevice";
	uint32_t present = 0;
	const char *id;

	memset(record, 0, sizeof(*record));
	if (!take_id(what, object, &id, error))
		return false;
	put_text(&record->intune_device_id, id);
	return take_fields(what, intune_fields, LENGTH(intune_fields), object, record, &present, error);
}

bool certdir_record_user(const struct certdir_page_object *object, struct certdir_tenant_user *user, uint32_t *present,
			 struct certdir_error *error)
{
	static const char what[] = "user";

	memset(user, 0, sizeof(*user));
	*present = 0;
	return take_id(what, object, &user->user_id, error) &&
	       (object->removed || take_fields(what, user_fields, LENGTH(user_fields), object, user, present, error));
}

bool certdir_record_group(const struct certdir_page_object *object, const char **id, const char **name,
			  struct certdir_error *error)
{
	static const char what[] = "group";
	const struct certdir_page_value *value = &object->values[1];

	*name = value->type == CERTDIR_PAGE_TEXT && value->length > 0 ? value->text : NULL;
	if (!take_id(what, object, id, error))
		return false;
	if (value->type == CERTDIR_PAGE_MISSING || value->type == CERTDIR_PAGE_NULL || value->type == CERTDIR_PAGE_TEXT)
		return true;
	return refuse(what, object, certdir_record_group_properties[1], value, "neither a text nor null", error);
}

bool certdir_record_member(const struct certdir_page_object *object, const char **id, struct certdir_error *error)
{
	return take_id("group member", object, id, error);
}
