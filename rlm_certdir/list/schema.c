/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/schema.h"

/*
 * Identity columns have partial indexes: most lists leave some of them empty. An Entra id stands once in a source, so its
 * index is unique; the same id in two sources is for `certdir list verify` to report, because only an administrator knows
 * which source is right.
 */
const char certdir_list_schema[] =
	"PRAGMA page_size=4096;"
	"PRAGMA encoding='UTF-8';"
	"PRAGMA application_id=0x43455244;"
	"PRAGMA user_version=1;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	/* identities: the types that its devices carry, blank-separated; devices: how many. Both are set when publishing. */
	"CREATE TABLE source(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, tenant TEXT, synced INTEGER NOT NULL,"
	" devices INTEGER NOT NULL DEFAULT 0, identities TEXT NOT NULL DEFAULT '');"
	/* tenant: only where it is not that of the source */
	"CREATE TABLE device(id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source(id), object_id TEXT,"
	" entra_device_id TEXT, intune_device_id TEXT, name TEXT COLLATE NOCASE, serial_number TEXT, sid TEXT, owner "
	"TEXT,"
	" ownership TEXT, operating_system TEXT, tenant TEXT, compliance TEXT, enabled INTEGER, managed INTEGER,"
	" join_type TEXT, last_seen INTEGER, registered INTEGER, expires INTEGER);"
	"CREATE UNIQUE INDEX device_by_entra_device_id ON device(entra_device_id, source) WHERE entra_device_id IS NOT "
	"NULL;"
	"CREATE INDEX device_by_intune_device_id ON device(intune_device_id) WHERE intune_device_id IS NOT NULL;"
	"CREATE INDEX device_by_object_id ON device(object_id) WHERE object_id IS NOT NULL;"
	"CREATE INDEX device_by_name ON device(name) WHERE name IS NOT NULL;"
	"CREATE INDEX device_by_serial_number ON device(serial_number) WHERE serial_number IS NOT NULL;"
	"CREATE INDEX device_by_sid ON device(sid) WHERE sid IS NOT NULL;"
	"CREATE TABLE dns_name(device INTEGER NOT NULL REFERENCES device(id), name TEXT NOT NULL,"
	" PRIMARY KEY(device, name)) WITHOUT ROWID;"
	"CREATE INDEX dns_name_by_name ON dns_name(name);"
	/* since: the edition in which the device stood under another name first */
	"CREATE TABLE former_name(device INTEGER NOT NULL REFERENCES device(id), name TEXT NOT NULL COLLATE NOCASE,"
	" since INTEGER, PRIMARY KEY(device, name)) WITHOUT ROWID;"
	"CREATE INDEX former_name_by_name ON former_name(name);"
	"CREATE TABLE grp(id INTEGER PRIMARY KEY, object_id TEXT, name TEXT);"
	"CREATE INDEX grp_by_object_id ON grp(object_id, name);"
	"CREATE TABLE device_group(device INTEGER NOT NULL REFERENCES device(id), grp INTEGER NOT NULL REFERENCES "
	"grp(id),"
	" PRIMARY KEY(device, grp)) WITHOUT ROWID;";

#define COLUMN(column, kind) {#column, offsetof(struct certdir_device, column), CERTDIR_FORM_##kind},
const struct certdir_list_column certdir_list_columns[CERTDIR_LIST_TEXTS] = {CERTDIR_LIST_TEXT_COLUMNS(COLUMN)};
