/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/schema.h"

#define BY_OBJECT_ID                                                                                                   \
	"CREATE INDEX IF NOT EXISTS device_by_object_id ON device(object_id, source) WHERE object_id IS NOT NULL;"
#define BY_ENTRA_DEVICE_ID                                                                                             \
	"CREATE INDEX IF NOT EXISTS device_by_entra_device_id ON device(entra_device_id, source)"                      \
	" WHERE entra_device_id IS NOT NULL;"

/*
 * Identity columns have partial indexes: most lists leave some of them empty. Those that writing itself looks things up by
 * stand here; the others are made at once, at the end, which is several times faster. They carry the source, because a writer
 * looks for devices of its own source alone, and another may have a thousand with one junk serial number.
 * No index is unique: two objects of Entra ID may carry one device id, for a moment or for long, and that is for
 * `certdir list verify` to report.
 */
const char certdir_list_schema[] =
	"PRAGMA page_size=4096;"
	"PRAGMA encoding='UTF-8';"
	"PRAGMA application_id=0x43455244;"
	"PRAGMA user_version=6;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	/*
	 * kind: 'import', 'tenant' or 'ldap'. devices: how many are listed, unlisted: how many are not; identities: the types that listed ones
	 * carry, blank-separated. synced, intune_synced, groups_synced: last success. intune_interval: seconds from one Intune listing to
	 * the next, as configured. says_enabled: an import without such a column says nothing of it.
	 * good_for: seconds for which an import stays fresh whatever max_age is. filter: the one that `listed` was made by.
	 * extension_attributes: the numbers of those that delta_link asks for. Of an LDAP directory, delta_link says from where on
	 * its changes are to be asked for, filter is the question that its entries are the answer to, interval the seconds from one
	 * listing of all of them to the next, and domain the DNS domain of its computers.
	 * certificates_synced, certificates_interval, certificates: the same of the table of issued certificates, and how many it has.
	 * users_synced, users: the same of a tenant's users, and how many there are; users_link: their delta link.
	 */
	"CREATE TABLE source(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL DEFAULT 'import',"
	" tenant TEXT, synced INTEGER NOT NULL, devices INTEGER NOT NULL DEFAULT 0, unlisted INTEGER NOT NULL DEFAULT "
	"0,"
	" identities TEXT NOT NULL DEFAULT '', delta_link TEXT, delta_since INTEGER, intune_synced INTEGER,"
	" intune_records INTEGER NOT NULL DEFAULT 0, intune_interval INTEGER, groups_synced INTEGER,"
	" says_enabled INTEGER NOT NULL DEFAULT 1, good_for INTEGER, filter TEXT, extension_attributes TEXT, interval "
	"INTEGER, domain TEXT, users_synced INTEGER, users INTEGER NOT NULL DEFAULT 0, users_link TEXT,"
	" certificates_synced INTEGER, certificates_interval INTEGER, certificates INTEGER NOT NULL DEFAULT 0);"
	/*
	 * compliance, ownership, last_seen, registered: as Entra ID or an import says; Intune's word stands beside it, with
	 * intune_compliance set in each device that an Intune record is joined to. compliance_since: when Entra ID said first what it says
	 * now. once_entra: a device that Intune alone knows, but whose record named an Entra device before: it does not stand alone.
	 * tenant: only where it is not that of the source. confirmed: Entra ID has removed the device, and the shrink guard keeps it: when it was
	 * last known to be there, NULL = by the last sync. intune_confirmed: the same of Intune's record. Of an LDAP directory: dn, the
	 * entry's own id (objectGUID, entryUUID), and a digest of all that it said, by which it is seen that it says the same again.
	 */
	"CREATE TABLE device(id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source(id),"
	" listed INTEGER NOT NULL DEFAULT 1, object_id TEXT, entra_device_id TEXT, intune_device_id TEXT,"
	" name TEXT COLLATE NOCASE, serial_number TEXT, sid TEXT, owner TEXT, ownership TEXT, operating_system TEXT,"
	" tenant TEXT, wifi_mac TEXT, ethernet_mac TEXT, compliance TEXT, enabled INTEGER, managed INTEGER, join_type "
	"TEXT,"
	" last_seen INTEGER, registered INTEGER, expires INTEGER, intune_compliance TEXT, intune_ownership TEXT,"
	" intune_last_seen INTEGER, intune_registered INTEGER, intune_name TEXT COLLATE NOCASE, management_state TEXT,"
	" management_agent TEXT, category TEXT, enrollment_profile TEXT, extension_attributes TEXT,"
	" compliance_since INTEGER, once_entra INTEGER, udid TEXT, imei TEXT, meid TEXT, confirmed INTEGER, "
	"intune_confirmed INTEGER,"
	" dn TEXT, entry TEXT, digest TEXT);" BY_OBJECT_ID BY_ENTRA_DEVICE_ID
	"CREATE INDEX device_by_entry ON device(entry, source) WHERE entry IS NOT NULL;"
	/* removals that wait */
	"CREATE INDEX device_unconfirmed ON device(source) WHERE confirmed IS NOT NULL;"
	/* those that Intune alone knows */
	"CREATE INDEX device_of_intune ON device(intune_device_id, source)"
	" WHERE object_id IS NULL AND intune_compliance IS NOT NULL;"
	/* Intune records of devices that Entra ID does not know, or not any more */
	"CREATE TABLE intune_waiting(id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source(id),"
	" entra_device_id TEXT NOT NULL, intune_device_id TEXT, serial_number TEXT, owner TEXT, intune_compliance TEXT,"
	" intune_ownership TEXT, intune_last_seen INTEGER, intune_registered INTEGER, wifi_mac TEXT, ethernet_mac TEXT,"
	" intune_name TEXT COLLATE NOCASE, management_state TEXT, management_agent TEXT, category TEXT,"
	" enrollment_profile TEXT, imei TEXT, meid TEXT, intune_confirmed INTEGER, UNIQUE(entra_device_id, source));"
	/*
	 * Intune ids of records that named an Entra device once, and that no row of this list tells of any more: they went away, or their
	 * device has one that enrolled later. at: when that was seen last.
	 */
	"CREATE TABLE intune_once(source INTEGER NOT NULL REFERENCES source(id), intune_device_id TEXT NOT NULL,"
	" at INTEGER NOT NULL, PRIMARY KEY(source, intune_device_id)) WITHOUT ROWID;"
	"CREATE TABLE dns_name(device INTEGER NOT NULL REFERENCES device(id), name TEXT NOT NULL,"
	" PRIMARY KEY(device, name)) WITHOUT ROWID;"
	/* what an entry of an LDAP directory is known by beside its columns; type: as in `identities` */
	"CREATE TABLE value(device INTEGER NOT NULL REFERENCES device(id), type TEXT NOT NULL, value TEXT NOT NULL"
	" COLLATE NOCASE, PRIMARY KEY(device, type, value)) WITHOUT ROWID;"
	/* since: when it became a former one */
	"CREATE TABLE former_name(device INTEGER NOT NULL REFERENCES device(id), name TEXT NOT NULL COLLATE NOCASE,"
	" since INTEGER, PRIMARY KEY(device, name)) WITHOUT ROWID;"
	"CREATE INDEX former_name_by_since ON former_name(since);"
	/*
	 * source: the tenant that lists its members, or the LDAP directory whose entries tell of it, NULL = imports do; object_id: of an
	 * LDAP group its DN; synced: when its members were listed
	 */
	"CREATE TABLE grp(id INTEGER PRIMARY KEY, source INTEGER REFERENCES source(id), object_id TEXT, name TEXT,"
	" synced INTEGER, sid TEXT);"
	"CREATE INDEX grp_by_object_id ON grp(object_id, name);"
	/* confirmed: as that of device: the device has left the group, and the shrink guard keeps it there */
	"CREATE TABLE device_group(device INTEGER NOT NULL REFERENCES device(id), grp INTEGER NOT NULL REFERENCES "
	"grp(id),"
	" confirmed INTEGER, PRIMARY KEY(device, grp)) WITHOUT ROWID;"
	"CREATE INDEX device_group_by_grp ON device_group(grp);"
	/*
	 * The people of a tenant. upn, sam_account_name, mail: lower case. confirmed: as that of device. user_group.confirmed: as that of
	 * device_group.
	 */
	"CREATE TABLE user(id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source(id),"
	" user_id TEXT NOT NULL, upn TEXT, sid TEXT, sam_account_name TEXT, dn TEXT, mail TEXT, enabled INTEGER,"
	" confirmed INTEGER, UNIQUE(user_id, source));"
	"CREATE TABLE user_group(user INTEGER NOT NULL REFERENCES user(id), grp INTEGER NOT NULL REFERENCES grp(id),"
	" confirmed INTEGER, PRIMARY KEY(user, grp)) WITHOUT ROWID;"
	"CREATE INDEX user_group_by_grp ON user_group(grp);"
	/*
	 * Certificates that were issued, and to whom. serial: upper-case hex of the INTEGER's bytes. status: the table's own word; revoked: it
	 * lets nobody in. confirmed: the table has it no more: when it was last known to have it.
	 */
	"CREATE TABLE certificate(id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source(id),"
	" thumbprint TEXT, issuer TEXT, serial TEXT, intune_device_id TEXT, entra_device_id TEXT, user_id TEXT,"
	" upn TEXT, not_before INTEGER, not_after INTEGER, status TEXT, revoked INTEGER NOT NULL DEFAULT 0,"
	" profile TEXT, confirmed INTEGER);"
	/* source: its name, since the source itself may be gone */
	"CREATE TABLE change(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, source TEXT NOT NULL, device TEXT, name "
	"TEXT, what TEXT NOT NULL, before TEXT, after TEXT);"
	"CREATE INDEX change_by_at ON change(at);";

#define OF_CERTIFICATES                                                                                                \
	"CREATE INDEX IF NOT EXISTS certificate_by_thumbprint ON certificate(thumbprint) WHERE thumbprint IS NOT "     \
	"NULL;"                                                                                                        \
	"CREATE INDEX IF NOT EXISTS certificate_by_serial ON certificate(serial) WHERE thumbprint IS NULL;"

const char certdir_list_indexes[] =
	"CREATE INDEX IF NOT EXISTS device_by_intune_device_id ON device(intune_device_id, source)"
	" WHERE intune_device_id IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS intune_waiting_by_id ON intune_waiting(intune_device_id);"
	"CREATE INDEX IF NOT EXISTS intune_waiting_by_name ON intune_waiting(intune_name) WHERE intune_name IS NOT "
	"NULL;"
	"CREATE INDEX IF NOT EXISTS intune_waiting_by_serial ON intune_waiting(serial_number)"
	" WHERE serial_number IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS device_by_name ON device(name) WHERE name IS NOT NULL;"
	/* The display name is Intune's name of most devices: this one is small. */
	"CREATE INDEX IF NOT EXISTS device_by_intune_name ON device(intune_name)"
	" WHERE intune_name IS NOT NULL AND intune_name IS NOT name;"
	"CREATE INDEX IF NOT EXISTS device_by_serial_number ON device(serial_number, source)"
	" WHERE serial_number IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS device_by_sid ON device(sid, source) WHERE sid IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS device_by_udid ON device(udid, source) WHERE udid IS NOT NULL;"
	/* Lookups need no source, and a writer looks for nothing by these. */
	"CREATE INDEX IF NOT EXISTS device_by_imei ON device(imei) WHERE imei IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS device_by_meid ON device(meid) WHERE meid IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS device_by_wifi_mac ON device(wifi_mac) WHERE wifi_mac IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS intune_waiting_by_imei ON intune_waiting(imei) WHERE imei IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS intune_waiting_by_meid ON intune_waiting(meid) WHERE meid IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS intune_waiting_by_wifi_mac ON intune_waiting(wifi_mac) WHERE wifi_mac IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS dns_name_by_name ON dns_name(name);"
	"CREATE INDEX IF NOT EXISTS value_by_value ON value(value);"
	"CREATE INDEX IF NOT EXISTS former_name_by_name ON former_name(name);"
	"CREATE INDEX IF NOT EXISTS user_by_upn ON user(upn) WHERE upn IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS user_by_sid ON user(sid) WHERE sid IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS user_by_sam_account_name ON user(sam_account_name) WHERE sam_account_name IS NOT "
	"NULL;"
	"CREATE INDEX IF NOT EXISTS user_by_mail ON user(mail) WHERE mail IS NOT NULL;" OF_CERTIFICATES;

const char certdir_list_indexes_early[] = BY_OBJECT_ID BY_ENTRA_DEVICE_ID;

const char certdir_list_indexes_issued[] = OF_CERTIFICATES;
const char certdir_list_indexes_issued_drop[] =
	"DROP INDEX IF EXISTS certificate_by_thumbprint;DROP INDEX IF EXISTS certificate_by_serial;";

const char certdir_list_indexes_drop[] = "DROP INDEX IF EXISTS device_by_object_id;"
					 "DROP INDEX IF EXISTS device_by_entra_device_id;"
					 "DROP INDEX IF EXISTS device_by_intune_device_id;"
					 "DROP INDEX IF EXISTS device_by_name;"
					 "DROP INDEX IF EXISTS device_by_intune_name;"
					 "DROP INDEX IF EXISTS device_by_serial_number;"
					 "DROP INDEX IF EXISTS device_by_sid;"
					 "DROP INDEX IF EXISTS device_by_udid;"
					 "DROP INDEX IF EXISTS device_by_imei;"
					 "DROP INDEX IF EXISTS device_by_meid;"
					 "DROP INDEX IF EXISTS device_by_wifi_mac;";

#define COLUMN(column, kind) {#column, offsetof(struct certdir_device, column), CERTDIR_FORM_##kind},
const struct certdir_list_column certdir_list_columns[CERTDIR_LIST_TEXTS] = {CERTDIR_LIST_TEXT_COLUMNS(COLUMN)};
