/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the objects of Graph's listings say, as values for the list. Texts are borrowed from the page's object and live
 * as long as it; nothing is to be freed. They are UTF-8, but not yet in the form that the list stores.
 *
 * Each function has the names to open its page with, in .._properties; .._SELECT asks Graph for them. A property that
 * is not of its type, or a time that cannot be read, is an error that names it and the object: a guess might let
 * somebody in.
 */
#ifndef CERTDIR_SYNC_RECORD_H
#define CERTDIR_SYNC_RECORD_H

#include "base/properties.h"
#include "sync/page.h"

/* Values of $select, comma-joined. All are properties of the v1.0 schema. */
#define CERTDIR_RECORD_AND(name, ...) "," name
#define CERTDIR_RECORD_ENTRA_SELECT "id" CERTDIR_DEVICE_PROPERTIES(CERTDIR_RECORD_AND)
#define CERTDIR_RECORD_EXTENDED_SELECT CERTDIR_RECORD_ENTRA_SELECT ",extensionAttributes"
#define CERTDIR_RECORD_INTUNE_SELECT "id" CERTDIR_MANAGED_DEVICE_PROPERTIES(CERTDIR_RECORD_AND)
#define CERTDIR_RECORD_USER_SELECT                                                                                     \
	"id,userPrincipalName,accountEnabled,onPremisesSecurityIdentifier,onPremisesSamAccountName,"                   \
	"onPremisesDistinguishedName,mail"

enum { CERTDIR_RECORD_ROOM = 1024 + 2 }; /* bytes for extension attributes as one text: one more than the list takes */

extern const char *const certdir_record_entra_properties[];
extern const char *const certdir_record_extended_properties[]; /* those, and extension attributes */
extern const char *const certdir_record_intune_properties[];
extern const char *const certdir_record_user_properties[];
extern const char *const certdir_record_group_properties[];
extern const char *const certdir_record_member_properties[];

/*
 * A device of /devices or /devices/delta. `device->object_id` is always there; the properties that the object carries
 * are in *present, as CERTDIR_BIT of enum certdir_tenant_property, and a null or empty one is there with nothing in it.
 * One with object->removed has its id and nothing else. False with `error`.
 *
 * A trustType that is none of AzureAd, ServerAd, Workplace is unknown, and so is an ownership that says "unknown".
 *
 * extension_attributes: CERTDIR_BIT(1..15) of those that are asked for, or 0; the object is of a page of the extended properties
 * then. They are written to `room`, which may be NULL without them; what has no room there is too long for the list, too.
 */
bool certdir_record_entra(const struct certdir_page_object *object, uint32_t extension_attributes,
			  char room[CERTDIR_RECORD_ROOM], struct certdir_device *device, uint32_t *present,
			  struct certdir_error *error);

/*
 * A managedDevice of Intune: `record->intune_device_id` is always there, the rest as Intune has it. Words of
 * complianceState and managementState are in Intune's spelling; one that is newer than this program stays as it is. deviceName
 * is `intune_name`. False with `error`.
 */
bool certdir_record_intune(const struct certdir_page_object *object, struct certdir_device *record,
			   struct certdir_error *error);

struct certdir_tenant_user;

/* A user of /users/delta; *present as that of a device, CERTDIR_BIT of enum certdir_tenant_user_property. False with `error`. */
bool certdir_record_user(const struct certdir_page_object *object, struct certdir_tenant_user *user, uint32_t *present,
			 struct certdir_error *error);

/* A group: its object id and its name, which may be NULL. False with `error`. */
bool certdir_record_group(const struct certdir_page_object *object, const char **id, const char **name,
			  struct certdir_error *error);

/* A member of a group: its object id. False with `error`. */
bool certdir_record_member(const struct certdir_page_object *object, const char **id, struct certdir_error *error);

#endif
