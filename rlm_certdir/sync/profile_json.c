/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/profile_json.h"

#include <string.h>
#include <strings.h>

#include "text/canonical.h"
#include "text/dn.h"
#include "text/excerpt.h"

#define GRAPH "#microsoft.graph."

/* ---- texts ---- */

const char *certdir_profile_json_text(const json_t *text, struct certdir_arena *arena)
{
	const size_t length = json_string_length(text);
	char *clean = json_is_string(text) ? certdir_arena_alloc(arena, length + 4) : NULL;

	if (clean)
		(void)certdir_excerpt(clean, length + 4, json_string_value(text), length);
	return clean;
}

const char *certdir_profile_json_id(const json_t *text, struct certdir_arena *arena)
{
	char guid[CERTDIR_VALUE_MAX + 1];

	return json_is_string(text) && certdir_canonical(CERTDIR_ID_GUID, json_string_value(text),
							 json_string_length(text), guid)
		       ? certdir_arena_copy(arena, guid, strlen(guid))
		       : NULL;
}

static bool is_word(const json_t *object, const char *key, const char *word)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && strcasecmp(text, word) == 0;
}

/* An array of texts, or of objects with a text `key`; those that are none are left out. */
static const char *const *texts(const json_t *array, const char *key, size_t *count, struct certdir_arena *arena)
{
	const char **all = certdir_arena_alloc(arena, (json_array_size(array) + 1) * sizeof(*all));

	*count = 0;
	for (size_t i = 0; all && i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);

		all[*count] = certdir_profile_json_text(key ? json_object_get(item, key) : item, arena);
		*count += all[*count] != NULL;
	}
	return all;
}

/* ---- what it is ---- */

static enum certdir_profile_kind kind_of(const char *type)
{
	static const struct {
		const char *part;
		enum certdir_profile_kind kind;
	} kinds[] = {
		{"ScepCertificateProfile", CERTDIR_PROFILE_SCEP},
		{"PkcsCertificateProfile", CERTDIR_PROFILE_PKCS},
		{"ImportedPFXCertificateProfile", CERTDIR_PROFILE_PFX},
		{"TrustedRootCertificate", CERTDIR_PROFILE_ROOT},
		{"EnterpriseWiFiConfiguration", CERTDIR_PROFILE_NETWORK},
		{"WifiEnterpriseEAPConfiguration", CERTDIR_PROFILE_NETWORK},
		{"WiredNetworkConfiguration", CERTDIR_PROFILE_NETWORK},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcasestr(type, kinds[i].part))
			return kinds[i].kind;
	return CERTDIR_PROFILE_OTHER;
}

static enum certdir_platform platform_of(const char *type)
{
	/* The longer of two that begin alike comes first. */
	static const struct {
		const char *prefix;
		enum certdir_platform platform;
	} platforms[] = {
		{"windowsPhone", CERTDIR_PLATFORM_UNKNOWN},
		{"windows", CERTDIR_PLATFORM_WINDOWS},
		{"ios", CERTDIR_PLATFORM_IOS},
		{"macOS", CERTDIR_PLATFORM_MACOS},
		{"androidDeviceOwner", CERTDIR_PLATFORM_ANDROID_CORPORATE},
		{"androidForWork", CERTDIR_PLATFORM_ANDROID_WORK},
		{"androidWorkProfile", CERTDIR_PLATFORM_ANDROID_WORK},
		{"android", CERTDIR_PLATFORM_ANDROID},
		{"aosp", CERTDIR_PLATFORM_ANDROID},
	};

	for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++)
		if (strncasecmp(type, platforms[i].prefix, strlen(platforms[i].prefix)) == 0)
			return platforms[i].platform;
	return CERTDIR_PLATFORM_UNKNOWN;
}

/* ---- assignments ---- */

static void read_target(struct certdir_profile_target *target, const json_t *json, struct certdir_arena *arena)
{
	static const struct {
		const char *type;
		enum certdir_profile_target_kind kind;
	} kinds[] = {
		{GRAPH "groupAssignmentTarget", CERTDIR_TARGET_GROUP},
		{GRAPH "exclusionGroupAssignmentTarget", CERTDIR_TARGET_EXCLUDED},
		{GRAPH "allDevicesAssignmentTarget", CERTDIR_TARGET_ALL_DEVICES},
		{GRAPH "allLicensedUsersAssignmentTarget", CERTDIR_TARGET_ALL_USERS},
	};
	const char *filter = json_string_value(json_object_get(json, "deviceAndAppManagementAssignmentFilterId"));
	bool zero = false;

	target->kind = CERTDIR_TARGET_OTHER;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (is_word(json, "@odata.type", kinds[i].type))
			target->kind = kinds[i].kind;
	target->group = certdir_profile_json_id(json_object_get(json, "groupId"), arena);
	target->filtered = filter && *filter && !is_word(json, "deviceAndAppManagementAssignmentFilterType", "none") &&
			   !(certdir_guid_is(filter, &zero) && zero);
}

static void read_targets(struct certdir_profile *profile, const json_t *assignments, struct certdir_arena *arena)
{
	const size_t count = json_array_size(assignments);

	profile->targets = certdir_arena_alloc(arena, (count + 1) * sizeof(*profile->targets));
	for (size_t i = 0; profile->targets && i < count; i++)
		read_target(&profile->targets[i], json_object_get(json_array_get(assignments, i), "target"), arena);
	profile->target_count = profile->targets ? count : 0;
}

/* ---- names ---- */

enum { SUBJECT_MAX = CERTDIR_DN_PAIRS_MAX };

struct names {
	struct certdir_profile_name *items;
	size_t count;
	struct certdir_arena *arena;
};

static void add_name(struct names *names, const char *from, const char *text)
{
	char *copy = certdir_arena_copy(names->arena, text, strlen(text));

	if (copy)
		names->items[names->count++] = (struct certdir_profile_name){from, copy};
}

static bool add_attribute(void *context, const char *type, const char *value)
{
	static const char *const fields[][2] = {
		{"CN", "subject.cn"},
		{"OU", "subject.ou"},
		{"O", "subject.o"},
		{"UID", "subject.uid"},
		{"serialNumber", "subject.serialNumber"},
		{"2.5.4.5", "subject.serialNumber"},
		{"emailAddress", "subject.emailAddress"},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcasecmp(type, fields[i][0]) == 0)
			add_name(context, fields[i][1], value);
	return true;
}

/* The subject as a custom one would be written; NULL where Graph does not say what stands in it. */
static const char *subject_of(const json_t *object, struct certdir_arena *arena)
{
	static const char *const formats[][2] = {
		{"commonName", "CN={{UserName}}"},
		{"commonNameIncludingEmail", "CN={{UserName}},E={{EmailAddress}}"},
		{"commonNameAsEmail", "CN={{EmailAddress}}"},
		{"commonNameAsIMEI", "CN={{IMEI}}"},
		{"commonNameAsSerialNumber", "CN={{SerialNumber}}"},
		{"commonNameAsAadDeviceId", "CN={{AAD_Device_ID}}"},
		{"commonNameAsIntuneDeviceId", "CN={{DeviceId}}"},
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (is_word(object, "subjectNameFormat", formats[i][0]))
			return formats[i][1];
	return certdir_profile_json_text(json_object_get(object, "subjectNameFormatString"), arena);
}

/* Profiles from before custom ones were there have a set of types in their place. */
static void add_old_alternatives(struct names *names, const json_t *object)
{
	const char *types = json_string_value(json_object_get(object, "subjectAlternativeNameType"));

	if (types && strcasestr(types, "emailAddress"))
		add_name(names, "san.email", "{{EmailAddress}}");
	if (types && strcasestr(types, "userPrincipalName"))
		add_name(names, "san.upn", "{{UserPrincipalName}}");
}

static void add_alternatives(struct names *names, const json_t *object)
{
	static const char *const types[][2] = {
		{"domainNameService", "san.dns"},
		{"universalResourceIdentifier", "san.uri"},
		{"userPrincipalName", "san.upn"},
		{"emailAddress", "san.email"},
	};
	const json_t *all = json_object_get(object, "customSubjectAlternativeNames");

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *one = json_array_get(all, i);
		const char *text = certdir_profile_json_text(json_object_get(one, "name"), names->arena);

		for (size_t t = 0; text && t < sizeof(types) / sizeof(types[0]); t++)
			if (is_word(one, "sanType", types[t][0]))
				add_name(names, types[t][1], text);
	}
	if (json_array_size(all) == 0)
		add_old_alternatives(names, object);
}

static void read_names(struct certdir_profile *profile, const json_t *object, struct certdir_arena *arena,
		       const char **unread)
{
	const size_t most = SUBJECT_MAX + json_array_size(json_object_get(object, "customSubjectAlternativeNames")) + 2;
	struct names names = {certdir_arena_alloc(arena, most * sizeof(*names.items)), 0, arena};
	const char *subject = subject_of(object, arena);

	if (!names.items)
		return;
	if (!subject)
		*unread = "its subject is of a kind that is not known here";
	else if (*subject && !certdir_dn_each(subject, add_attribute, &names))
		*unread = "its subject is no distinguished name";
	add_alternatives(&names, object);
	profile->names = names.items;
	profile->name_count = names.count;
}

/* ---- the rest ---- */

static int64_t days(const json_t *object)
{
	const int64_t value = json_integer_value(json_object_get(object, "certificateValidityPeriodValue"));

	if (value <= 0 || value > 1000)
		return 0;
	if (is_word(object, "certificateValidityPeriodScale", "years"))
		return value * 365;
	return is_word(object, "certificateValidityPeriodScale", "months") ? value * 30 : value;
}

static void read_certificate(struct certdir_profile *profile, const json_t *object, struct certdir_arena *arena,
			     const char **unread)
{
	const int64_t renewal = json_integer_value(json_object_get(object, "renewalThresholdPercentage"));

	read_names(profile, object, arena, unread);
	profile->ekus =
		texts(json_object_get(object, "extendedKeyUsages"), "objectIdentifier", &profile->eku_count, arena);
	profile->machine = is_word(object, "certificateStore", "machine");
	profile->user = is_word(object, "certificateStore", "user");
	profile->validity = days(object);
	profile->renewal = renewal > 0 && renewal < 100 ? renewal : 0;
	profile->ca = certdir_profile_json_text(json_object_get(object, "certificationAuthorityName"), arena);
}

static void read_network(struct certdir_profile *profile, const json_t *object, struct certdir_arena *arena)
{
	profile->tls = is_word(object, "eapType", "eapTls")
			       ? !is_word(object, "authenticationMethod", "derivedCredential")
			       : is_word(object, "authenticationMethod", "certificate");
	profile->login = certdir_profile_json_text(json_object_get(object, "authenticationType"), arena);
	profile->server_names = texts(json_object_get(object, "trustedServerCertificateNames"), NULL,
				      &profile->server_name_count, arena);
}

static bool read_root(struct certdir_profile *profile, const json_t *object, const char **unread)
{
	const char *base64 = json_string_value(json_object_get(object, "trustedRootCertificate"));

	if (base64 && !certdir_profile_root_read(profile, base64))
		return false;
	if (!profile->certificate.subject)
		*unread = "its certificate cannot be read";
	return true;
}

bool certdir_profile_json_read(struct certdir_profile *profile, const json_t *object, struct certdir_arena *arena,
			       const char **unread, struct certdir_error *error)
{
	const char *type = certdir_profile_json_text(json_object_get(object, "@odata.type"), arena);
	bool ok = true;

	*profile = (struct certdir_profile){
		.id = certdir_profile_json_id(json_object_get(object, "id"), arena),
		.name = certdir_profile_json_text(json_object_get(object, "displayName"), arena),
		.type = type && strncmp(type, GRAPH, strlen(GRAPH)) == 0 ? type + strlen(GRAPH) : ""};
	certdir_error_set(error, "a profile without an id");
	if (!profile->id)
		return false;
	if (!profile->name || !*profile->name)
		profile->name = profile->id;
	profile->kind = kind_of(profile->type);
	profile->platform = platform_of(profile->type);
	read_targets(profile, json_object_get(object, "assignments"), arena);
	if (certdir_profile_issues(profile))
		read_certificate(profile, object, arena, unread);
	else if (profile->kind == CERTDIR_PROFILE_NETWORK)
		read_network(profile, object, arena);
	else if (profile->kind == CERTDIR_PROFILE_ROOT)
		ok = read_root(profile, object, unread);
	certdir_error_set(error, "out of memory");
	return ok && !arena->failed;
}
