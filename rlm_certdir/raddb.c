/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables below are the whole of the configuration: an option that is not in them is refused, because a misspelt
 * `require_compliant` that is silently ignored lets strangers in.
 */
#include "raddb.h"

#include "base/array.h"
#include "identity/section.h"
#include "raddb_directories.h"
#include "raddb_section.h"

struct options { /* certdir { .. } itself */
	char const *certificate;
	char const *identities;
	char const *directories;
	char const *journal;
	char const *metrics;
	bool unguarded; /* wiring.c reads it, of all instances at once */
};

static CONF_PARSER const certdir_options[] = {
	{"certificate", FR_CONF_OFFSET(PW_TYPE_STRING, struct options, certificate), "session"},
	{"identities", FR_CONF_OFFSET(PW_TYPE_STRING, struct options, identities),
	 "entra_device_id intune_device_id device_guid sid dns_name common_name serial_number udid imei meid wifi_mac "
	 "permanent_id certificate"},
	{"directories", FR_CONF_OFFSET(PW_TYPE_STRING, struct options, directories), "list"},
	{"journal", FR_CONF_OFFSET(PW_TYPE_STRING, struct options, journal), ""},
	{"metrics", FR_CONF_OFFSET(PW_TYPE_STRING, struct options, metrics), ""},
	{"unguarded", FR_CONF_OFFSET(PW_TYPE_BOOLEAN, struct options, unguarded), "no"},
	CONF_PARSER_TERMINATOR};

struct form_options {
	char const *from;
	char const *pattern;
	char const *type;
};

static CONF_PARSER const form_options[] = {
	{"from", FR_CONF_OFFSET(PW_TYPE_STRING | PW_TYPE_REQUIRED, struct form_options, from), NULL},
	{"pattern", FR_CONF_OFFSET(PW_TYPE_STRING | PW_TYPE_REQUIRED, struct form_options, pattern), NULL},
	{"type", FR_CONF_OFFSET(PW_TYPE_STRING | PW_TYPE_REQUIRED, struct form_options, type), NULL},
	CONF_PARSER_TERMINATOR};

struct certificates_options {
	struct certdir_section section;
	char const *holder;
};

#define PLACES(_name, _type)                                                                                           \
	{                                                                                                              \
		_name, FR_CONF_OFFSET(PW_TYPE_STRING, struct certificates_options, section.places[_type]), ""          \
	}

static CONF_PARSER const certificates_options[] = {
	{"template", FR_CONF_OFFSET(PW_TYPE_STRING, struct certificates_options, section.template), ""},
	{"ekus", FR_CONF_OFFSET(PW_TYPE_STRING, struct certificates_options, section.ekus), ""},
	PLACES("entra_device_id", CERTDIR_ID_ENTRA),
	PLACES("intune_device_id", CERTDIR_ID_INTUNE),
	PLACES("device_guid", CERTDIR_ID_GUID),
	PLACES("sid", CERTDIR_ID_SID),
	PLACES("sid_uri", CERTDIR_ID_SID_URI),
	PLACES("dns_name", CERTDIR_ID_DNS),
	PLACES("common_name", CERTDIR_ID_NAME),
	PLACES("serial_number", CERTDIR_ID_SERIAL),
	PLACES("upn", CERTDIR_ID_UPN),
	PLACES("udid", CERTDIR_ID_UDID),
	PLACES("imei", CERTDIR_ID_IMEI),
	PLACES("meid", CERTDIR_ID_MEID),
	PLACES("wifi_mac", CERTDIR_ID_WIFI_MAC),
	PLACES("permanent_id", CERTDIR_ID_PERMANENT),
	PLACES("mapping", CERTDIR_ID_MAPPING),
	PLACES("user_id", CERTDIR_ID_USER_ID),
	PLACES("user_sid", CERTDIR_ID_USER_SID),
	PLACES("user_name", CERTDIR_ID_USER_NAME),
	PLACES("mail", CERTDIR_ID_MAIL),
	{"holder", FR_CONF_OFFSET(PW_TYPE_STRING, struct certificates_options, holder), "device"},
	{"vouched", FR_CONF_OFFSET(PW_TYPE_STRING, struct certificates_options, section.vouched), ""},
	CONF_PARSER_TERMINATOR};

struct policy_options {
	char const *mode;
	bool require_managed;
	bool require_compliant;
	char const *compliance_unknown;
	uint32_t enrollment_grace;
	uint32_t max_inactive;
	char const *join_types;
	char const *on_unavailable;
	uint32_t stale_for;
	bool names_must_agree;
	bool require_enabled_owner;
	bool require_known_certificate;
	uint32_t known_certificate_grace;
	char const *twins;
	char const *user_name;
};

static CONF_PARSER const policy_options[] = {
	{"mode", FR_CONF_OFFSET(PW_TYPE_STRING, struct policy_options, mode), "enforce"},
	{"require_managed", FR_CONF_OFFSET(PW_TYPE_BOOLEAN, struct policy_options, require_managed), "no"},
	{"require_compliant", FR_CONF_OFFSET(PW_TYPE_BOOLEAN, struct policy_options, require_compliant), "no"},
	{"compliance_unknown", FR_CONF_OFFSET(PW_TYPE_STRING, struct policy_options, compliance_unknown), "deny"},
	{"enrollment_grace", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct policy_options, enrollment_grace), "0"},
	{"max_inactive", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct policy_options, max_inactive), "0"},
	{"join_types", FR_CONF_OFFSET(PW_TYPE_STRING, struct policy_options, join_types), "entra hybrid registered ad"},
	{"on_unavailable", FR_CONF_OFFSET(PW_TYPE_STRING, struct policy_options, on_unavailable), "fail"},
	{"stale_for", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct policy_options, stale_for), "86400"},
	{"require_known_certificate", FR_CONF_OFFSET(PW_TYPE_BOOLEAN, struct policy_options, require_known_certificate),
	 "no"},
	{"known_certificate_grace", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct policy_options, known_certificate_grace),
	 "115200"},
	{"names_must_agree", FR_CONF_OFFSET(PW_TYPE_BOOLEAN, struct policy_options, names_must_agree), "no"},
	{"require_enabled_owner", FR_CONF_OFFSET(PW_TYPE_BOOLEAN, struct policy_options, require_enabled_owner), "no"},
	{"twins", FR_CONF_OFFSET(PW_TYPE_STRING, struct policy_options, twins), "dates"},
	{"user_name", FR_CONF_OFFSET(PW_TYPE_STRING, struct policy_options, user_name), "any"},
	CONF_PARSER_TERMINATOR};

static struct section const module_section = {
	certdir_options, {NULL}, {"form", "certificates", "list", "ldap", "policy", "sessions"}};
static struct section const form_section = {form_options, {NULL}, {NULL}};
static struct section const certificates_section = {certificates_options, {"issuer"}, {NULL}};
static struct section const policy_section = {
	policy_options, {"require_group", "ownership", "operating_systems"}, {NULL}};

/* ---- identities, forms, certificates ---- */

static bool take_identity(CONF_ITEM *at, char const *word, void *context)
{
	enum certdir_identity_type type;

	if (!certdir_identity_type_parse(word, &type)) {
		cf_log_err(
			at,
			"identities: \"%s\" is no identity type; use entra_device_id intune_device_id device_guid sid "
			"sid_uri dns_name common_name serial_number upn udid imei meid wifi_mac permanent_id "
			"certificate mapping",
			word);
		return false;
	}
	*(uint32_t *)context |= CERTDIR_BIT(type);
	return true;
}

static bool read_form(CONF_SECTION *cs, struct certdir_form *form)
{
	char const *const name = cf_section_name2(cs);
	struct form_options options = {0};
	enum certdir_identity_type type;
	struct certdir_error error;

	if (!name) {
		cf_log_err_cs(cs, "a form needs a name: form NAME { .. }");
		return false;
	}
	if (!section_parse(cs, &options, &form_section))
		return false;
	if (!certdir_identity_type_parse(options.type, &type) || type == CERTDIR_ID_MAPPING) {
		cf_log_err(section_place(cs, "type"), "form %s: type = %s is no identity type that a form can give",
			   name, options.type);
		return false;
	}
	if (!certdir_form_compile(form, name, options.from, options.pattern, type, &error)) {
		cf_log_err(section_place(cs, "pattern"), "%s", error.text);
		return false;
	}
	return true;
}

/* Room for one more, zeroed, in an array of the checker's; NULL is an error that has been reported. */
static void *next_of(CONF_SECTION *cs, void *array, size_t count, size_t size)
{
	void *item = certdir_array_next(array, count, size);

	if (!item)
		cf_log_err_cs(cs, "out of memory");
	return item;
}

static bool read_forms(CONF_SECTION *cs, struct certdir_checker *checker)
{
	FOR_EACH_SECTION(sub, cs, "form") {
		struct certdir_form *form = next_of(sub, &checker->forms, checker->form_count, sizeof(*form));

		if (!form || !read_form(sub, form))
			return false;
		checker->form_count++;
	}
	return true;
}

/* A place for a type that `identities` leaves out would be read and never used. */
static bool places_accepted(CONF_SECTION *cs, struct certdir_section const *section, uint32_t accepted)
{
	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++) {
		char const *const name = certdir_identity_type_name((enum certdir_identity_type)type);

		/* People are looked up by what the section places. A SID confirms where either form of it is accepted. */
		if (!section->places[type] || !section->places[type][0] || (CERTDIR_PERSONAL & CERTDIR_BIT(type)) ||
		    (type == CERTDIR_ID_UPN && section->holder != CERTDIR_HOLDER_DEVICE) ||
		    (accepted & CERTDIR_BIT(type)) ||
		    (type == CERTDIR_ID_SID_URI && (accepted & CERTDIR_BIT(CERTDIR_ID_SID))))
			continue;
		cf_log_err(section_place(cs, name), "certificates %s: %s is not among `identities`: name it there, too",
			   section->name, name);
		return false;
	}
	return true;
}

static bool read_certificates_section(CONF_SECTION *cs, struct certdir_section *section, uint32_t accepted)
{
	struct certificates_options options = {.holder = NULL};
	struct certdir_error error;

	if (!cf_section_name2(cs)) {
		cf_log_err_cs(cs, "a certificates section needs a name: certificates NAME { .. }");
		return false;
	}
	if (!section_parse(cs, &options, &certificates_section))
		return false;
	*section = options.section;
	section->name = cf_section_name2(cs);
	if (!certdir_holder_parse(options.holder, &section->holder)) {
		cf_log_err(section_place(cs, "holder"), "holder = %s: must be device, user or both", options.holder);
		return false;
	}
	if (!section_strings(cs, "issuer", &section->issuers))
		return false;
	if (!certdir_section_check(section, &error)) {
		cf_log_err_cs(cs, "%s", error.text);
		return false;
	}
	return places_accepted(cs, section, accepted);
}

/* In the order of the file: the first that a certificate fits holds. */
static bool read_certificates(CONF_SECTION *cs, struct certdir_checker *checker)
{
	FOR_EACH_SECTION(sub, cs, "certificates") {
		struct certdir_section *section =
			next_of(sub, &checker->sections, checker->section_count, sizeof(*section));

		if (!section || !read_certificates_section(sub, section, checker->accepted))
			return false;
		checker->section_count++;
	}
	return true;
}

/* ---- policy ---- */

static bool take_join_type(CONF_ITEM *at, char const *word, void *context)
{
	enum certdir_join_type type;

	if (!certdir_join_type_parse(word, &type)) {
		cf_log_err(at, "join_types: \"%s\" is no join type; use entra hybrid registered ad unknown", word);
		return false;
	}
	*(uint32_t *)context |= CERTDIR_BIT(type);
	return true;
}

/* A device's ownership is one of two words, so a third is a mistake. */
static bool ownerships_valid(CONF_SECTION *cs)
{
	static char const *const known[] = {"", "company", "personal", NULL};

	FOR_EACH_PAIR(pair, cs, "ownership")
		if (cf_pair_value(pair) && !is_one_of(known, cf_pair_value(pair))) {
			cf_log_err_cp(pair, "ownership = %s: must be company or personal", cf_pair_value(pair));
			return false;
		}
	return true;
}

/* Whose comma would be part of a name that no device has. */
static bool systems_valid(CONF_SECTION *cs)
{
	char const *const name = "operating_systems";

	FOR_EACH_PAIR(pair, cs, name)
		if (cf_pair_value(pair) && strchr(cf_pair_value(pair), ',')) {
			cf_log_err_cp(pair, "%s = %s: write the option once for each system", name,
				      cf_pair_value(pair));
			return false;
		}
	return true;
}

static bool read_policy(CONF_SECTION *parent, struct certdir_raddb *raddb)
{
	struct certdir_policy *policy = &raddb->checker.policy;
	struct policy_options options = {0};
	CONF_SECTION *cs;

	if (!subsection_parse(parent, "policy", &options, &policy_section))
		return false;
	cs = cf_section_sub_find(parent, "policy");
	policy->require_managed = options.require_managed;
	policy->require_compliant = options.require_compliant;
	policy->enrollment_grace = options.enrollment_grace;
	policy->max_inactive = options.max_inactive;
	policy->stale_for = options.stale_for;
	policy->names_must_agree = options.names_must_agree;
	policy->require_known_certificate = options.require_known_certificate;
	policy->known_certificate_grace = options.known_certificate_grace;
	policy->require_enabled_owner = options.require_enabled_owner;
	return section_choice(cs, "mode", options.mode, "enforce", "observe", &raddb->observe) &&
	       section_strings(cs, "require_group", &policy->groups) && ownerships_valid(cs) && systems_valid(cs) &&
	       section_strings(cs, "ownership", &policy->ownerships) &&
	       section_strings(cs, "operating_systems", &policy->operating_systems) &&
	       section_choice(cs, "twins", options.twins, "dates", "deny", &policy->twins_deny) &&
	       section_choice(cs, "compliance_unknown", options.compliance_unknown, "deny", "allow",
			      &policy->compliance_unknown_allow) &&
	       section_choice(cs, "on_unavailable", options.on_unavailable, "fail", "stale", &policy->allow_stale) &&
	       section_choice(cs, "user_name", options.user_name, "any", "match", &policy->match_user_name) &&
	       section_words(section_place(cs, "join_types"), options.join_types, take_join_type, &policy->join_types);
}

/* A SID confirms, unless a certificates section says that the CA vouches for it. */
static bool can_select(struct certdir_checker const *checker)
{
	uint32_t const confirming = CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_SID_URI);

	return checker->accepted & (checker->section_count ? UINT32_MAX : ~confirming);
}

/* Which certificate it is, its bytes tell, and attributes have none. */
static bool can_know_certificate(CONF_SECTION *cs, struct certdir_raddb const *raddb)
{
	if (!raddb->from_attributes || !raddb->checker.policy.require_known_certificate)
		return true;
	cf_log_err(section_place(cs, "certificate"),
		   "certificate = attributes: which certificate it is cannot be told from them, and "
		   "require_known_certificate = yes would deny everybody: take one of the two out");
	return false;
}

/* Each writes the file anew, and whoever comes last would hide what the other one has to tell. */
static bool metrics_are_own(CONF_SECTION *cs, char const *own)
{
	FOR_EACH_SECTION(other, cf_item_parent(cf_section_to_item(cs)), "certdir") {
		CONF_PAIR *pair = other == cs ? NULL : cf_pair_find(other, "metrics");
		char const *value = pair ? cf_pair_value(pair) : NULL;

		if (!*own || !value || strcmp(value, own) != 0)
			continue;
		cf_log_err(section_place(cs, "metrics"),
			   "metrics = %s: certdir %s at %s[%d] writes that file, too: give each a file of its own", own,
			   section_instance(other), cf_pair_filename(pair), cf_pair_lineno(pair));
		return false;
	}
	return true;
}

bool certdir_raddb_read(CONF_SECTION *cs, bool watch, struct certdir_raddb *raddb)
{
	struct options options = {0};

	memset(raddb, 0, sizeof(*raddb));
	if (!section_parse(cs, &options, &module_section) ||
	    !section_choice(cs, "certificate", options.certificate, "session", "attributes", &raddb->from_attributes) ||
	    !section_words(section_place(cs, "identities"), options.identities, take_identity,
			   &raddb->checker.accepted) ||
	    !read_forms(cs, &raddb->checker) || !read_certificates(cs, &raddb->checker) || !read_policy(cs, raddb) ||
	    !can_know_certificate(cs, raddb) || !metrics_are_own(cs, options.metrics))
		goto fail;
	raddb->journal = options.journal;
	raddb->metrics = options.metrics;
	if (!raddb_sessions_read(cs, &raddb->sessions))
		goto fail;
	if (!raddb_directories_open(cs, options.directories, watch, &raddb->checker))
		goto fail;
	if (!can_select(&raddb->checker)) {
		cf_log_err(section_place(cs, "identities"),
			   "identities: name at least one type that can select a device");
		goto fail;
	}
	return true;

fail:
	certdir_checker_clear(&raddb->checker);
	return false;
}
