/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables inside a device list, for reader and writer alike.
 *
 * Administrators open the file with sqlite3(1) too: columns carry the names that the documentation uses, times are Unix
 * seconds, yes/no is 1/0 with NULL for "not known", GUIDs are lower-case text.
 */
#ifndef CERTDIR_LIST_SCHEMA_H
#define CERTDIR_LIST_SCHEMA_H

#include "base/certdir.h"

/* SQLite header offset 68, big-endian: "CERD". file(1) and other programs know a device list by it. */
#define CERTDIR_LIST_APPLICATION_ID UINT32_C(0x43455244)
/* SQLite header offset 60. Raised with every change of the tables that an older certdir could not read. */
#define CERTDIR_LIST_SCHEMA_VERSION UINT32_C(6)

/* Makes an empty list in a new database: pragmas, tables, and the indexes that writing needs. */
extern const char certdir_list_schema[];
/* Makes the indexes that only readers need, where they are not there yet. Each publish runs it. */
extern const char certdir_list_indexes[];
/*
 * Drops these and those that writing needs from table device, before so much is written that making them anew is several times
 * faster than keeping them up; the early ones are for the writer to make again.
 */
extern const char certdir_list_indexes_drop[];
extern const char certdir_list_indexes_early[];
/* The same of table certificate. */
extern const char certdir_list_indexes_issued[];
extern const char certdir_list_indexes_issued_drop[];

/* How the text of a column is brought into form before it is stored. */
enum certdir_list_form {
	CERTDIR_FORM_TEXT, /* as it is */
	CERTDIR_FORM_NAME, /* as it is, but for "host/" and "$"; compared without regard to ASCII case */
	CERTDIR_FORM_GUID, /* canonical; all zero is "none" */
	CERTDIR_FORM_SID, /* canonical */
	CERTDIR_FORM_UDID, /* canonical; zeros are "none" */
	CERTDIR_FORM_SERIAL, /* canonical; blank is "none" */
	/* canonical; what is none is kept as it is, for people, and is nobody's */
	CERTDIR_FORM_IMEI,
	CERTDIR_FORM_MEID,
	CERTDIR_FORM_MAC,
};

/* The text columns of table device, in the order in which statements name them. */
struct certdir_list_column {
	const char *name;
	size_t offset; /* of the char * in struct certdir_device */
	enum certdir_list_form form;
};

/* clang-format off */
#define CERTDIR_LIST_PLAIN_COLUMNS(_) \
	_(object_id, GUID) _(entra_device_id, GUID) _(intune_device_id, GUID) _(name, NAME) _(serial_number, SERIAL) \
	_(sid, SID) _(owner, TEXT) _(operating_system, TEXT) _(tenant, GUID) _(wifi_mac, MAC) _(ethernet_mac, TEXT) \
	_(intune_name, NAME) _(management_state, TEXT) _(management_agent, TEXT) _(category, TEXT) \
	_(enrollment_profile, TEXT) _(extension_attributes, TEXT) _(udid, UDID) _(imei, IMEI) _(meid, MEID)
/* Those that Intune has a column of its own for, too; what counts is merged when it is read. */
#define CERTDIR_LIST_MERGED_COLUMNS(_) _(ownership, TEXT) _(compliance, TEXT)
#define CERTDIR_LIST_TEXT_COLUMNS(_) CERTDIR_LIST_PLAIN_COLUMNS(_) CERTDIR_LIST_MERGED_COLUMNS(_)
/* clang-format on */

enum { CERTDIR_LIST_TEXTS = 22 };
extern const struct certdir_list_column certdir_list_columns[CERTDIR_LIST_TEXTS];

/* The columns of an Intune record, in table device as in intune_waiting. */
#define CERTDIR_LIST_RECORD_COLUMNS                                                                                    \
	"intune_device_id,serial_number,owner,intune_compliance,intune_ownership,intune_last_seen,intune_registered,"  \
	"wifi_mac,ethernet_mac,intune_name,management_state,management_agent,category,enrollment_profile,"             \
	"imei,meid,intune_confirmed"

/* What the change log calls a device by; `d` is "" or what stands before a column, such as "d.". */
#define CERTDIR_LIST_CALLED(d)                                                                                         \
	"coalesce(" d "entra_device_id," d "intune_device_id," d "object_id," d "udid," d "serial_number," d "sid)"

/*
 * What is told of a device `d`: Intune's word where it is a yes or a no, else Entra ID's, else what Intune has all the same. No IN (..),
 * for which SQLite sets up a table each time: that was more than half of reading a device.
 */
#define CERTDIR_LIST_COMPLIANCE                                                                                        \
	"coalesce(iif(CASE d.intune_compliance WHEN 'compliant' THEN 1 WHEN 'inGracePeriod' THEN 1 "                   \
	"WHEN 'noncompliant' THEN 1 WHEN 'conflict' THEN 1 WHEN 'error' THEN 1 END,"                                   \
	"d.intune_compliance,NULL),d.compliance,d.intune_compliance)"

#endif
