/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/export.h"

#include "import/device_json.h"
#include "text/timestamp.h"

#include <string.h>
#include <strings.h>

/* Their word, and what it is here. NULL: it says nothing. */
struct word {
	const char *theirs, *ours;
};

static const struct word managed[] = {{"Managed", "true"}, {"Unmanaged", "false"}, {"true", "true"}, {"false", "false"},
				      {"Yes", "true"},	   {"No", "false"},	   {NULL, NULL}};

/* ConfigMgr alone, Exchange ActiveSync or Defender manage, but not through Intune. */
static const struct word managed_by[] = {{"Intune", "true"}, {"Co-managed", "true"}, {"MDM", "true"}, {NULL, NULL}};

/* Entra ID's portal under its former and its present name, and Graph's own joinType. */
static const struct word join_types[] = {{"Azure AD joined", "AzureAd"},
					 {"Microsoft Entra joined", "AzureAd"},
					 {"Entra joined", "AzureAd"},
					 {"azureADJoined", "AzureAd"},
					 {"Hybrid Azure AD joined", "ServerAd"},
					 {"Microsoft Entra hybrid joined", "ServerAd"},
					 {"Entra hybrid joined", "ServerAd"},
					 {"hybridAzureADJoined", "ServerAd"},
					 {"Azure AD registered", "Workplace"},
					 {"Microsoft Entra registered", "Workplace"},
					 {"Entra registered", "Workplace"},
					 {"azureADRegistered", "Workplace"},
					 {"AzureAd", "AzureAd"},
					 {"ServerAd", "ServerAd"},
					 {"Workplace", "Workplace"},
					 {"Unknown", "unknown"},
					 {NULL, NULL}};

static const struct word compliances[] = {{"Compliant", "compliant"},
					  {"Noncompliant", "noncompliant"},
					  {"Not compliant", "noncompliant"},
					  {"InGracePeriod", "inGracePeriod"},
					  {"In grace period", "inGracePeriod"},
					  {"Conflict", "conflict"},
					  {"Error", "error"},
					  {"ConfigManager", "configManager"},
					  {"ConfigMgr", "configManager"},
					  {"Unknown", "unknown"},
					  {"Not evaluated", "unknown"},
					  {NULL, NULL}};

static const struct word ownerships[] = {{"Corporate", "company"}, {"Company", "company"}, {"Institutional", "company"},
					 {"Personal", "personal"}, {"Unknown", "unknown"}, {NULL, NULL}};

static const struct word states[] = {{"Managed", "managed"},
				     {"RetirePending", "retirePending"},
				     {"Retire pending", "retirePending"},
				     {"RetireFailed", "retireFailed"},
				     {"Retire failed", "retireFailed"},
				     {"RetireIssued", "retireIssued"},
				     {"Retire issued", "retireIssued"},
				     {"RetireCanceled", "retireCanceled"},
				     {"Retire canceled", "retireCanceled"},
				     {"WipePending", "wipePending"},
				     {"Wipe pending", "wipePending"},
				     {"WipeFailed", "wipeFailed"},
				     {"Wipe failed", "wipeFailed"},
				     {"WipeIssued", "wipeIssued"},
				     {"Wipe issued", "wipeIssued"},
				     {"WipeCanceled", "wipeCanceled"},
				     {"Wipe canceled", "wipeCanceled"},
				     {"DeletePending", "deletePending"},
				     {"Delete pending", "deletePending"},
				     {"Unhealthy", "unhealthy"},
				     {"Discovered", "discovered"},
				     {NULL, NULL}};

/* What Google says of a device that was disabled, or that left the company, is the only column here that says "no". */
static const struct word chrome_status[] = {
	{"ACTIVE", "true"}, {"Provisioned", "true"}, {"DISABLED", "false"}, {"DEPROVISIONED", "false"}, {NULL, NULL}};

enum kind { TEXT, TIME };

/* A column that is taken; one with no property is known, too, and means something else than ours of that name. */
struct column {
	const char *name, *property;
	enum kind kind;
	const struct word *words;
};

static const struct column intune[] = {
	{"Device ID", "intuneDeviceId", TEXT, NULL},
	{"Azure AD Device ID", "deviceId", TEXT, NULL},
	{"Microsoft Entra Device ID", "deviceId", TEXT, NULL},
	{"Entra Device ID", "deviceId", TEXT, NULL},
	{"Device name", "deviceName", TEXT, NULL},
	{"Serial number", "serialNumber", TEXT, NULL},
	{"Wi-Fi MAC", "wiFiMacAddress", TEXT, NULL},
	{"IMEI", "imei", TEXT, NULL},
	{"MEID", "meid", TEXT, NULL},
	{"EthernetMAC", "ethernetMacAddress", TEXT, NULL},
	{"Ethernet MAC", "ethernetMacAddress", TEXT, NULL},
	{"Primary user UPN", "userPrincipalName", TEXT, NULL},
	{"OS", "operatingSystem", TEXT, NULL},
	{"Category", "deviceCategoryDisplayName", TEXT, NULL},
	{"Compliance", "complianceState", TEXT, compliances},
	{"Ownership", "managedDeviceOwnerType", TEXT, ownerships},
	{"Device state", "managementState", TEXT, states},
	{"Managed by", "isManaged", TEXT, managed_by},
	{"JoinType", "trustType", TEXT, join_types},
	{"Join type", "trustType", TEXT, join_types},
	{"Last check-in", "lastSyncDateTime", TIME, NULL},
	{"Enrollment date", "enrolledDateTime", TIME, NULL},
	{NULL, NULL, TEXT, NULL},
};

static const struct column entra[] = {
	{"joinType (trustType)", "trustType", TEXT, join_types},
	{"registrationTime", "registrationDateTime", TIME, NULL},
	{"approximateLastSignInDateTime", "approximateLastSignInDateTime", TIME, NULL},
	{"objectId", "id", TEXT, NULL},
	{NULL, NULL, TEXT, NULL},
};

/* Windows Autopilot's own file, and the list that the Intune admin center exports. */
static const struct column autopilot[] = {
	{"Device Serial Number", "serialNumber", TEXT, NULL},
	{"Serial number", "serialNumber", TEXT, NULL},
	{"Assigned User", "userPrincipalName", TEXT, NULL},
	{NULL, NULL, TEXT, NULL},
};

static const struct column jamf[] = {
	{"Computer Name", "displayName", TEXT, NULL},
	{"Display Name", "displayName", TEXT, NULL},
	{"Serial Number", "serialNumber", TEXT, NULL},
	{"UDID", "udid", TEXT, NULL},
	{"Computer Azure Active Directory ID", "deviceId", TEXT, NULL},
	{"Computer Microsoft Entra ID", "deviceId", TEXT, NULL},
	{"Managed", "isManaged", TEXT, managed},
	{"Operating System", "operatingSystem", TEXT, NULL},
	{"Wi-Fi MAC Address", "wiFiMacAddress", TEXT, NULL},
	{"IMEI", "imei", TEXT, NULL},
	{"MEID", "meid", TEXT, NULL},
	{"Device Ownership Type", "deviceOwnership", TEXT, ownerships},
	{"Last Check-in", "lastSyncDateTime", TIME, NULL},
	{"Last Inventory Update", "approximateLastSignInDateTime", TIME, NULL},
	{"Last Enrollment", "enrolledDateTime", TIME, NULL},
	{NULL, NULL, TEXT, NULL},
};

/* From the Admin console, the Directory API or GAM. deviceId is Google's own, of no other directory. */
static const struct column google[] = {
	{"deviceId", NULL, TEXT, NULL},
	{"serialNumber", "serialNumber", TEXT, NULL},
	{"Serial number", "serialNumber", TEXT, NULL},
	{"status", "accountEnabled", TEXT, chrome_status},
	{"macAddress", "wiFiMacAddress", TEXT, NULL},
	{"MEID", "meid", TEXT, NULL},
	{"Wi-Fi MAC address", "wiFiMacAddress", TEXT, NULL},
	{"ethernetMacAddress", "ethernetMacAddress", TEXT, NULL},
	{"Ethernet MAC address", "ethernetMacAddress", TEXT, NULL},
	{"lastSync", "lastSyncDateTime", TIME, NULL},
	{"Last policy sync", "lastSyncDateTime", TIME, NULL},
	{"lastEnrollmentTime", "enrolledDateTime", TIME, NULL},
	{"Enrollment time", "enrolledDateTime", TIME, NULL},
	{NULL, NULL, TEXT, NULL},
};

/* Each is told by any pair of columns that nobody else's has; one that is enough alone stands twice. */
struct certdir_export {
	const char *name;
	const struct column *columns;
	const char *marks[6][2];
};

static const struct certdir_export exports[] = {
	{"Windows Autopilot",
	 autopilot,
	 {{"Device Serial Number", "Hardware Hash"},
	  {"Device Serial Number", "Windows Product ID"},
	  {"Serial number", "Profile status"}}},
	{"Entra admin center", entra, {{"joinType (trustType)", "joinType (trustType)"}}},
	{"Intune admin center",
	 intune,
	 {{"Device name", "Azure AD Device ID"},
	  {"Device name", "Microsoft Entra Device ID"},
	  {"Device name", "Entra Device ID"},
	  {"Device ID", "Device name"},
	  {"Device name", "Primary user UPN"},
	  {"Device name", "Managed by"}}},
	{"Jamf Pro",
	 jamf,
	 {{"Computer Name", "Serial Number"},
	  {"Computer Name", "UDID"},
	  {"Display Name", "Serial Number"},
	  {"Display Name", "UDID"},
	  {"JSS Computer ID", "JSS Computer ID"},
	  {"Jamf Pro Computer ID", "Jamf Pro Computer ID"}}},
	{"Google Admin",
	 google,
	 {{"serialNumber", "annotatedAssetId"},
	  {"serialNumber", "annotatedUser"},
	  {"serialNumber", "orgUnitPath"},
	  {"Serial number", "Directory API ID"},
	  {"Serial number", "Org unit path"},
	  {"Serial number", "Organizational unit path"}}},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static bool has_name(const json_t *names, const char *name)
{
	const json_t *item;
	size_t index;

	json_array_foreach((json_t *)names, index, item) if (json_is_string(item) && strcasecmp(json_string_value(item),
												name) == 0) return true;
	return false;
}

const struct certdir_export *certdir_export_find(const json_t *names)
{
	for (size_t i = 0; i < LENGTH(exports); i++)
		for (size_t m = 0; m < LENGTH(exports[i].marks) && exports[i].marks[m][0]; m++)
			if (has_name(names, exports[i].marks[m][0]) && has_name(names, exports[i].marks[m][1]))
				return &exports[i];
	return NULL;
}

const char *certdir_export_name(const struct certdir_export *export)
{
	return export->name;
}

static const struct column *column_of(const struct certdir_export *export, const char *name)
{
	for (const struct column *column = export->columns; column->name; column++)
		if (strcasecmp(column->name, name) == 0)
			return column;
	return NULL;
}

/* Somebody may have added columns of ours to it, or it has Graph's names. */
const char *certdir_export_takes(const struct certdir_export *export, const char *name)
{
	const struct column *column = column_of(export, name);

	return column ? column->property : certdir_device_json_property(name);
}

/* What a value is here; NULL: it says nothing. */
static const char *meaning(const struct column *column, const char *text)
{
	const struct word *word = column->words;
	int64_t seconds;

	if (column->kind == TIME)
		return certdir_timestamp_parse(text, &seconds) ? text : NULL;
	for (; word && word->theirs; word++)
		if (strcasecmp(word->theirs, text) == 0)
			return word->ours;
	return word ? NULL : text;
}

enum { LEFT_MAX = 200 }; /* so many are enough to see what is wrong with the file */

static void note_left(json_t *left, const struct column *column, const char *text)
{
	json_t *key = column->kind == TIME
			      ? json_sprintf("%s where it is no time as 2024-05-01T10:00:00Z", column->name)
			      : json_sprintf("%s \"%.60s\"", column->name, text);

	if (key && json_object_size(left) < LEFT_MAX)
		(void)json_object_set_new(left, json_string_value(key), json_null());
	json_decref(key);
}

/* False when memory is out. */
static bool take(const struct certdir_export *export, json_t *object, const char *name, const json_t *value,
		 json_t *left)
{
	const struct column *column = column_of(export, name);
	const char *property = certdir_export_takes(export, name), *text = json_string_value(value), *ours;

	if (!property || json_object_get(object, property))
		return true;
	if (!column || !text)
		return json_object_set(object, property, (json_t *)value) == 0;
	ours = meaning(column, text);
	if (ours)
		return json_object_set_new(object, property, json_string(ours)) == 0;
	note_left(left, column, text);
	/* That there is such a column counts, though its value says nothing. */
	return json_object_set_new(object, property, json_null()) == 0;
}

json_t *certdir_export_read(const struct certdir_export *export, const json_t *row, json_t *left)
{
	json_t *object = json_object(), *value;
	const char *name;
	bool ok = object;

	json_object_foreach((json_t *)row, name, value) ok = ok && take(export, object, name, value, left);
	if (ok)
		return object;
	json_decref(object);
	return NULL;
}
