/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a tenant's part of the list asks of SQLite. */
#include "list/schema.h"
#include "tenant/state.h"

#define RECORD CERTDIR_LIST_RECORD_COLUMNS
#define RECORD_OF(table)                                                                                               \
	table ".intune_device_id," table ".serial_number," table ".owner," table ".intune_compliance," table           \
	      ".intune_ownership," table ".intune_last_seen," table ".intune_registered," table ".wifi_mac," table     \
	      ".ethernet_mac," table ".intune_name," table ".management_state," table ".management_agent," table       \
	      ".category," table ".enrollment_profile," table ".intune_confirmed"
/* Copies the record of `from` to the device ?1. */
#define JOIN(from) "UPDATE device SET (" RECORD ")=(" RECORD_OF("o") ") FROM " from " AND device.id=?1"
/* A device of Intune alone. */
#define OWN "object_id IS NULL AND intune_compliance IS NOT NULL"
#define HAS(column) "SELECT 1 FROM device WHERE " column " IS NOT NULL AND source=?1 AND listed LIMIT 1"

const char *const certdir_tenant_sql[CERTDIR_TENANT_STATEMENTS] = {
	[CERTDIR_TENANT_FIND_OBJECT] = "SELECT id FROM device WHERE object_id=?1 AND source=?2",
	[CERTDIR_TENANT_READ_FILTERED] =
		"SELECT listed,join_type,operating_system,coalesce(intune_ownership,ownership),enabled,once_entra,"
		"iif(object_id IS NULL,management_state,NULL) FROM device WHERE id=?1",
	[CERTDIR_TENANT_SET_LISTED] = "UPDATE device SET listed=?2 WHERE id=?1",
	[CERTDIR_TENANT_SAVE] = "INSERT OR IGNORE INTO temp.was SELECT id,name,enabled," CERTDIR_LIST_COMPLIANCE
				" FROM device d WHERE id=?1",
	[CERTDIR_TENANT_SAVED] = "SELECT d.id,w.name,d.name,w.enabled,d.enabled,w.compliance," CERTDIR_LIST_COMPLIANCE
				 " FROM temp.was w CROSS JOIN device d ON d.id=w.id WHERE d.listed",
	[CERTDIR_TENANT_LOG] = "INSERT INTO change(at,source,device,name,what,before,after) SELECT ?2,"
			       "(SELECT name FROM source WHERE id=device.source)," CERTDIR_LIST_CALLED(
				       "") ",name,?3,?4,?5 FROM device WHERE "
					   "id=?1 AND (listed OR ?3='removed')",
	[CERTDIR_TENANT_FORMER] = "INSERT OR REPLACE INTO former_name(device,name,since) VALUES(?1,?2,?3)",
	[CERTDIR_TENANT_FORMER_BACK] = "DELETE FROM former_name WHERE device=?1 AND name=?2",
	[CERTDIR_TENANT_FORGET_NAMES] = "DELETE FROM former_name WHERE device=?1",
	[CERTDIR_TENANT_FORGET_GROUPS] = "DELETE FROM device_group WHERE device=?1",
	[CERTDIR_TENANT_FORGET_DNS_NAMES] = "DELETE FROM dns_name WHERE device=?1",
	[CERTDIR_TENANT_FORGET_VALUES] = "DELETE FROM value WHERE device=?1",
	[CERTDIR_TENANT_FORGET_DEVICE] = "DELETE FROM device WHERE id=?1",
	[CERTDIR_TENANT_PRUNE_CHANGES] = "DELETE FROM change WHERE at<=?1",
	[CERTDIR_TENANT_STORE_COUNTS] =
		"UPDATE source SET devices=?2,unlisted=?3,identities=?4,filter=iif(?5,NULL,filter) "
		"WHERE id=?1",
	[CERTDIR_TENANT_UNTYPED] = "SELECT count(*) FROM device NOT INDEXED WHERE source=?1 AND NOT listed AND "
				   "join_type IS NULL AND once_entra IS NULL",
	[CERTDIR_TENANT_KEEP] = "UPDATE device SET confirmed=coalesce(confirmed,?2) WHERE id=?1",
	[CERTDIR_TENANT_KEEP_RECORD] = "UPDATE device SET intune_confirmed=coalesce(intune_confirmed,?2) WHERE id=?1",
	[CERTDIR_TENANT_KEEP_LISTED] = "UPDATE device SET listed=1 WHERE id=?1 AND once_entra IS NULL",
	[CERTDIR_TENANT_HAS_ENTRA] = HAS("entra_device_id"),
	[CERTDIR_TENANT_HAS_INTUNE] = HAS("intune_device_id"),
	[CERTDIR_TENANT_HAS_SID] = HAS("sid"),
	[CERTDIR_TENANT_HAS_NAME] = HAS("coalesce(name,intune_name)"),
	[CERTDIR_TENANT_HAS_SERIAL] = HAS("serial_number"),

	[CERTDIR_TENANT_UNCONFIRMED] =
		"SELECT id FROM device INDEXED BY device_unconfirmed WHERE source=?1 AND confirmed IS NOT NULL",
	[CERTDIR_TENANT_NEWEST] = "SELECT max(id) FROM device",
	[CERTDIR_TENANT_CONFIRM] = "UPDATE device SET confirmed=NULL WHERE id=?1",
	[CERTDIR_TENANT_READ] = "SELECT id,entra_device_id,name,sid,operating_system,ownership,compliance,join_type,"
				"enabled,managed,last_seen,registered,extension_attributes FROM device "
				"WHERE object_id=?1 AND source=?2",
	[CERTDIR_TENANT_ADD] = "INSERT INTO device(source,listed,object_id,entra_device_id,name,sid,operating_system,"
			       "ownership,compliance,join_type,enabled,managed,last_seen,registered,"
			       "extension_attributes,compliance_since) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	/* ?11: now */
	[CERTDIR_TENANT_SET_FACTS] =
		"UPDATE device SET operating_system=?2,ownership=?3,compliance=?4,join_type=?5,enabled=?6,managed=?7,"
		"last_seen=?8,registered=?9,extension_attributes=?10,"
		"compliance_since=CASE WHEN compliance IS ?4 THEN compliance_since ELSE ?11 END WHERE id=?1",
	[CERTDIR_TENANT_SET_IDS] = "UPDATE device SET entra_device_id=?2,name=?3,sid=?4 WHERE id=?1",
	[CERTDIR_TENANT_PUT_OFF] = "INSERT INTO temp.again(object_id,present,entra_device_id,name,sid,operating_system,"
				   "ownership,compliance,join_type,enabled,managed,last_seen,registered,"
				   "extension_attributes) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	/* with the columns of CERTDIR_TENANT_READ in front */
	[CERTDIR_TENANT_AGAIN] = "SELECT id,entra_device_id,name,sid,operating_system,ownership,compliance,join_type,"
				 "enabled,managed,last_seen,registered,extension_attributes,object_id,present "
				 "FROM temp.again ORDER BY id",
	[CERTDIR_TENANT_OBJECTS] = "SELECT id FROM device WHERE source=?1 AND object_id IS NOT NULL",
	[CERTDIR_TENANT_ALL] = "SELECT id FROM device NOT INDEXED WHERE source=?1",
	[CERTDIR_TENANT_JOINED_ID] = "SELECT entra_device_id FROM device WHERE id=?1 AND intune_compliance IS NOT NULL",
	/* ?2: Entra device id, ?3: source */
	[CERTDIR_TENANT_JOIN_WAITING] = JOIN("intune_waiting o WHERE o.entra_device_id=?2 AND o.source=?3"),
	[CERTDIR_TENANT_JOIN_TWIN] = JOIN("device o WHERE o.entra_device_id=?2 AND o.source=?3 AND o.id<>?1 AND "
					  "o.intune_compliance IS NOT NULL"),
	[CERTDIR_TENANT_JOIN_OWN] = JOIN("device o WHERE o.intune_device_id=?2 AND o.source=?3 AND "
					 "o.object_id IS NULL AND o.intune_compliance IS NOT NULL"),
	[CERTDIR_TENANT_NO_MORE_WAITING] = "DELETE FROM intune_waiting WHERE entra_device_id=?1 AND source=?2",
	[CERTDIR_TENANT_FIND_OWN] = "SELECT id FROM device WHERE intune_device_id=?1 AND source=?2 AND " OWN,
	[CERTDIR_TENANT_OWN_ID] = "SELECT intune_device_id FROM device WHERE id=?1",
	/* devices with that Entra id, in ascending order */
	[CERTDIR_TENANT_OTHERS] = "SELECT id FROM device WHERE entra_device_id=?1 AND source=?2 AND id<>?3",
	[CERTDIR_TENANT_LET_WAIT] =
		"INSERT OR REPLACE INTO intune_waiting(source,entra_device_id," RECORD ") SELECT source,?2," RECORD
		" FROM device WHERE id=?1 AND intune_compliance IS NOT NULL",
	[CERTDIR_TENANT_CLEAR_RECORD] = "UPDATE device SET (" RECORD ")=(NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,"
					"NULL,NULL,NULL,NULL,NULL,NULL) WHERE id=?1 AND intune_compliance IS NOT NULL",
	[CERTDIR_TENANT_PRUNE_FORMER] = "DELETE FROM former_name WHERE since<=?1 AND "
					"EXISTS(SELECT 1 FROM device d WHERE d.id=former_name.device AND d.source=?2)",
	[CERTDIR_TENANT_STORE_SYNC] = "UPDATE source SET synced=?2,delta_link=?3,delta_since=?4,filter=?5,"
				      "extension_attributes=?6 WHERE id=?1",

	[CERTDIR_TENANT_FIND_ENTRY] = "SELECT id,digest FROM device WHERE entry=?1 AND source=?2",
	[CERTDIR_TENANT_ADD_ENTRY] = "INSERT INTO device(source,entry) VALUES(?1,?2)",
	[CERTDIR_TENANT_SET_ENTRY] =
		"UPDATE device SET "
		"digest=?2,dn=?3,name=?4,sid=?5,serial_number=?6,entra_device_id=?7,intune_device_id=?8,"
		"udid=?9,operating_system=?10,enabled=?11,join_type=?12,last_seen=?13,registered=?14,expires=?15 "
		"WHERE id=?1",
	[CERTDIR_TENANT_ADD_DNS_NAME] = "INSERT OR IGNORE INTO dns_name(device,name) VALUES(?1,?2)",
	[CERTDIR_TENANT_ADD_VALUE] = "INSERT OR IGNORE INTO value(device,type,value) VALUES(?1,?2,?3)",
	[CERTDIR_TENANT_ADD_LDAP_GROUP] = "INSERT INTO grp(object_id,source,name,sid) VALUES(?1,?2,?3,?4)",
	[CERTDIR_TENANT_SET_LDAP_GROUP] =
		"UPDATE grp SET name=?2,sid=?3 WHERE id=?1 AND (name IS NOT ?2 OR sid IS NOT ?3)",
	[CERTDIR_TENANT_PRUNE_GROUPS] = "DELETE FROM grp WHERE source=?1 AND NOT EXISTS("
					"SELECT 1 FROM device_group m WHERE m.grp=grp.id)",
	[CERTDIR_TENANT_STORE_ENTRIES] =
		"UPDATE source SET synced=?2,delta_link=?3,delta_since=?4,filter=?5,interval=?6,domain=?7 "
		"WHERE id=?1",

	[CERTDIR_TENANT_STAGE] = "INSERT INTO temp.staged(key," RECORD ",operating_system) "
				 "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULL,?)",
	[CERTDIR_TENANT_STAGED_BY_ID] =
		"SELECT intune_device_id,id FROM temp.staged INDEXED BY staged_by_id ORDER BY 1,2",
	[CERTDIR_TENANT_STAGED_BY_KEY] = "SELECT key,id FROM temp.staged INDEXED BY staged_by_key "
					 "ORDER BY key,intune_registered,intune_last_seen,intune_device_id,id",
	[CERTDIR_TENANT_ONCE] = "INSERT OR IGNORE INTO temp.once VALUES(?1)",
	[CERTDIR_TENANT_ONCE_STAGED] = "INSERT OR IGNORE INTO temp.once SELECT intune_device_id FROM temp.staged "
				       "WHERE id=?1 AND key<>intune_device_id",
	[CERTDIR_TENANT_ONCE_WAITING] = "INSERT OR IGNORE INTO temp.once "
					"SELECT intune_device_id FROM intune_waiting WHERE source=?1",
	[CERTDIR_TENANT_ONCE_OUTLIVED] =
		"INSERT OR IGNORE INTO temp.once SELECT intune_device_id FROM temp.staged WHERE id=?1",
	/* those that wait are not forgotten as long as they do */
	[CERTDIR_TENANT_KEEP_ONCE] =
		"INSERT OR REPLACE INTO intune_once SELECT ?1,id,?2 FROM (SELECT id FROM temp.once "
		"EXCEPT SELECT intune_device_id FROM intune_waiting WHERE source=?1)",
	[CERTDIR_TENANT_PRUNE_ONCE] = "DELETE FROM intune_once WHERE source=?1 AND at<=?2",
	[CERTDIR_TENANT_PAIR] = "INSERT INTO temp.pair SELECT d.id,s.id FROM temp.staged s INDEXED BY staged_by_key "
				"CROSS JOIN device d INDEXED BY device_by_entra_device_id "
				"WHERE d.entra_device_id=s.key AND d.source=?1 ORDER BY d.id,s.id",
	/* a device and its record: its row and that of the record, what it has, what it should have */
	[CERTDIR_TENANT_PAIRS] = "SELECT p.device,p.staged," RECORD_OF("d") "," RECORD_OF(
		"s") " FROM temp.pair p CROSS JOIN device d ON d.id=p.device CROSS JOIN temp.staged s ON s.id=p.staged "
		     "ORDER BY p.rowid",
	[CERTDIR_TENANT_OWN_PAIR] = "SELECT d.id,s.id," RECORD_OF("d") "," RECORD_OF(
		"s") ",d.name,d.operating_system,s.intune_name,s.operating_system "
		     "FROM device d CROSS JOIN temp.staged s WHERE d.id=?1 AND s.id=?2",
	[CERTDIR_TENANT_STAGED] =
		"SELECT intune_device_id,key,intune_ownership,operating_system,management_state,"
		"intune_device_id IN (SELECT id FROM temp.once) OR EXISTS(SELECT 1 FROM intune_once o "
		"WHERE o.source=?2 AND o.intune_device_id=s.intune_device_id) "
		"FROM temp.staged s WHERE id=?1",
	[CERTDIR_TENANT_SET_RECORD] =
		"UPDATE device SET (" RECORD ")=(?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16) "
		"WHERE id=?1",
	/* those that no index has */
	[CERTDIR_TENANT_SET_RECORD_FACTS] =
		"UPDATE device SET owner=?4,intune_compliance=?5,intune_ownership=?6,intune_last_seen=?7,"
		"intune_registered=?8,wifi_mac=?9,ethernet_mac=?10,management_state=?12,"
		"management_agent=?13,category=?14,enrollment_profile=?15,intune_confirmed=?16 WHERE id=?1",
	[CERTDIR_TENANT_WITH_RECORD] = "SELECT id,intune_device_id FROM device NOT INDEXED WHERE source=?1 AND "
				       "intune_compliance IS NOT NULL AND object_id IS NOT NULL",
	[CERTDIR_TENANT_ALL_OWN] = "SELECT id,intune_device_id,once_entra FROM device INDEXED BY device_of_intune "
				   "WHERE source=?1 AND " OWN,
	[CERTDIR_TENANT_STILL_WAITING] =
		"SELECT s.id FROM intune_waiting w CROSS JOIN temp.staged s INDEXED BY staged_by_key "
		"WHERE s.key=w.entra_device_id AND w.source=?1",
	[CERTDIR_TENANT_STOP_WAITING] = "DELETE FROM intune_waiting WHERE source=?1 AND intune_device_id IN (SELECT "
					"intune_device_id FROM temp.staged)",
	[CERTDIR_TENANT_FORGET_WAITING] = "DELETE FROM intune_waiting WHERE source=?1 AND id<=?2",
	[CERTDIR_TENANT_LAST_WAITING] = "SELECT max(id) FROM intune_waiting WHERE source=?1",
	[CERTDIR_TENANT_KEEP_WAITING] =
		"UPDATE intune_waiting SET intune_confirmed=coalesce(intune_confirmed,?3) WHERE source=?1 AND id<=?2",
	[CERTDIR_TENANT_COUNT_KEPT] =
		"SELECT count(*) FROM (SELECT coalesce(entra_device_id,intune_device_id) FROM device WHERE source=?1 "
		"AND "
		"intune_confirmed IS NOT NULL UNION SELECT entra_device_id FROM intune_waiting WHERE source=?1 AND "
		"intune_confirmed IS NOT NULL)",
	/* the records of an Intune id, and whether each names an Entra device */
	[CERTDIR_TENANT_STAGED_OF] = "SELECT id,key<>intune_device_id FROM temp.staged INDEXED BY staged_by_id "
				     "WHERE intune_device_id=?1",
	[CERTDIR_TENANT_WAIT] = "INSERT OR REPLACE INTO intune_waiting(source,entra_device_id," RECORD
				") SELECT ?1,key," RECORD " FROM temp.staged WHERE id=?2",
	[CERTDIR_TENANT_ADD_OWN] =
		"INSERT INTO device(source,listed,once_entra," RECORD ",name,operating_system) "
		"SELECT ?1,?2,nullif(?3,0)," RECORD ",intune_name,operating_system FROM temp.staged WHERE id=?4",
	[CERTDIR_TENANT_SET_OWN] = "UPDATE device SET name=?2,operating_system=?3 WHERE id=?1",
	[CERTDIR_TENANT_SET_ONCE] = "UPDATE device SET once_entra=1,listed=0 WHERE id=?1",
	[CERTDIR_TENANT_STORE_INTUNE] =
		"UPDATE source SET intune_synced=?2,intune_records=?3,intune_interval=?4 WHERE id=?1",

	[CERTDIR_TENANT_GROUPS] = "SELECT id,object_id,name,synced FROM grp WHERE source=?1",
	[CERTDIR_TENANT_FIND_GROUP] = "SELECT id,name,synced FROM grp WHERE object_id=?1 AND source=?2",
	[CERTDIR_TENANT_ADD_GROUP] = "INSERT INTO grp(object_id,source,name) VALUES(?1,?2,?3)",
	[CERTDIR_TENANT_NAME_GROUP] = "UPDATE grp SET name=?2 WHERE id=?1",
	[CERTDIR_TENANT_MEMBERS] = "SELECT device,confirmed IS NOT NULL FROM device_group WHERE grp=?1",
	[CERTDIR_TENANT_JOIN_GROUP] = "INSERT INTO device_group(device,grp) VALUES(?1,?2)",
	[CERTDIR_TENANT_LEAVE_GROUP] = "DELETE FROM device_group WHERE device=?1 AND grp=?2",
	[CERTDIR_TENANT_KEEP_MEMBER] =
		"UPDATE device_group SET confirmed=coalesce(confirmed,(SELECT synced FROM grp WHERE id=?2)) "
		"WHERE device=?1 AND grp=?2",
	[CERTDIR_TENANT_CONFIRM_MEMBER] = "UPDATE device_group SET confirmed=NULL WHERE device=?1 AND grp=?2",
	[CERTDIR_TENANT_GROUP_SYNCED] = "UPDATE grp SET synced=?2 WHERE id=?1",
	[CERTDIR_TENANT_DROP_GROUP] = "DELETE FROM grp WHERE id=?1",
	[CERTDIR_TENANT_STORE_GROUPS] = "UPDATE source SET groups_synced=?2 WHERE id=?1",
};
