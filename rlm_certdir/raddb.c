/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables below are the whole of the configuration: an option that is not in them is refused, because a misspelt
 * `require_compliant` that is silently ignored lets strangers in.
 */
#include "raddb.h"

#include "base/array.h"
#include "directory/ldap.h"
#include "directory/ldap_schema.h"
#include "directory/list.h"
#include "directory/memory.h"
#include "identity/section.h"
#include "raddb_section.h"
#include "text/canonical.h"
#include "text/dn.h"

struct options { /* certdir { .. } itself */
	char const *certificate;
	char const *identities;
	char const *directories;
	bool unguarded; /* wiring.c reads it, of all instances at once */
};

static CONF_PARSER const certdir_options[] = {
	{"certificate", FR_CONF_OFFSET(PW_TYPE_STRING, struct options, certificate), "session"},
	{"identities", FR_CONF_OFFSET(PW_TYPE_STRING, struct options, identities),
	 "entra_device_id intune_device_id device_guid sid dns_name common_name serial_number udid imei meid wifi_mac "
	 "permanent_id certificate"},
	{"directories", FR_CONF_OFFSET(PW_TYPE_STRING, struct options, directories), "list"},
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

static CONF_PARSER const list_options[] = {
	{"filename", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_list_config, filename),
	 "/var/lib/certdir/devices.db"},
	{"max_age", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct certdir_list_config, max_age), "3600"},
	{"tenant", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_list_config, tenant), ""},
	CONF_PARSER_TERMINATOR};

static CONF_PARSER const ldap_options[] = {
	{"port", FR_CONF_OFFSET(PW_TYPE_SHORT, struct certdir_ldap_directory_config, server.port), "389"},
	{"identity", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_ldap_directory_config, server.identity), ""},
	{"password",
	 FR_CONF_OFFSET(PW_TYPE_STRING | PW_TYPE_SECRET, struct certdir_ldap_directory_config, server.password), ""},
	{"base_dn", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_ldap_directory_config, base_dn), NULL},
	{"filter", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_ldap_directory_config, filter),
	 CERTDIR_LDAP_DEFAULT_FILTER},
	{"user_base_dn", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_ldap_directory_config, user_base_dn), ""},
	{"user_filter", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_ldap_directory_config, user_filter),
	 CERTDIR_LDAP_USER_FILTER},
	{"scope", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_ldap_directory_config, scope),
	 CERTDIR_LDAP_DEFAULT_SCOPE},
	{"group_base_dn", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_ldap_directory_config, group_base_dn), ""},
	{"domains", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_ldap_directory_config, domains), ""},
	CONF_PARSER_TERMINATOR};

struct ldap_sasl {
	char const *mech;
	char const *keytab;
};

static CONF_PARSER const ldap_tls_options[] = {
	{"start_tls", FR_CONF_OFFSET(PW_TYPE_BOOLEAN, struct certdir_ldap_directory_config, server.start_tls), "no"},
	{"ca_file", FR_CONF_OFFSET(PW_TYPE_FILE_INPUT, struct certdir_ldap_directory_config, server.ca_file), NULL},
	{"ca_path", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_ldap_directory_config, server.ca_path), NULL},
	{"certificate_file",
	 FR_CONF_OFFSET(PW_TYPE_FILE_INPUT, struct certdir_ldap_directory_config, server.certificate_file), NULL},
	{"private_key_file",
	 FR_CONF_OFFSET(PW_TYPE_FILE_INPUT, struct certdir_ldap_directory_config, server.private_key_file), NULL},
	{"require_cert", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_ldap_directory_config, server.require_cert),
	 "demand"},
	CONF_PARSER_TERMINATOR};

static CONF_PARSER const ldap_sasl_options[] = {
	{"mech", FR_CONF_OFFSET(PW_TYPE_STRING, struct ldap_sasl, mech), ""},
	{"keytab", FR_CONF_OFFSET(PW_TYPE_FILE_INPUT, struct ldap_sasl, keytab), NULL},
	CONF_PARSER_TERMINATOR};

static CONF_PARSER const ldap_time_options[] = {
	{"net_timeout", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct certdir_ldap_directory_config, server.net_timeout), "1"},
	{"res_timeout", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct certdir_ldap_directory_config, server.res_timeout), "3"},
	{"srv_timelimit", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct certdir_ldap_directory_config, server.srv_timelimit),
	 "3"},
	{"deadline", FR_CONF_OFFSET(PW_TYPE_TIMEVAL, struct certdir_ldap_directory_config, deadline), "1.0"},
	{"remember", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct certdir_ldap_directory_config, remember), "5"},
	{"memory", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_ldap_directory_config, memory),
	 "/var/lib/certdir-radiusd"},
	CONF_PARSER_TERMINATOR};

#define ATTRIBUTE(_name, _type)                                                                                        \
	{                                                                                                              \
		_name, FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_ldap_directory_config, attributes[_type]), ""     \
	}

static CONF_PARSER const ldap_attribute_options[] = {ATTRIBUTE("entra_device_id", CERTDIR_ID_ENTRA),
						     ATTRIBUTE("intune_device_id", CERTDIR_ID_INTUNE),
						     ATTRIBUTE("device_guid", CERTDIR_ID_GUID),
						     ATTRIBUTE("sid", CERTDIR_ID_SID),
						     ATTRIBUTE("dns_name", CERTDIR_ID_DNS),
						     ATTRIBUTE("common_name", CERTDIR_ID_NAME),
						     ATTRIBUTE("serial_number", CERTDIR_ID_SERIAL),
						     ATTRIBUTE("upn", CERTDIR_ID_UPN),
						     ATTRIBUTE("mapping", CERTDIR_ID_MAPPING),
						     ATTRIBUTE("udid", CERTDIR_ID_UDID),
						     ATTRIBUTE("user_id", CERTDIR_ID_USER_ID),
						     ATTRIBUTE("user_sid", CERTDIR_ID_USER_SID),
						     ATTRIBUTE("user_name", CERTDIR_ID_USER_NAME),
						     ATTRIBUTE("mail", CERTDIR_ID_MAIL),
						     ATTRIBUTE("imei", CERTDIR_ID_IMEI),
						     ATTRIBUTE("meid", CERTDIR_ID_MEID),
						     ATTRIBUTE("wifi_mac", CERTDIR_ID_WIFI_MAC),
						     ATTRIBUTE("permanent_id", CERTDIR_ID_PERMANENT),
						     CONF_PARSER_TERMINATOR};

struct policy_options {
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
	certdir_options, {NULL}, {"form", "certificates", "list", "ldap", "policy"}};
static struct section const form_section = {form_options, {NULL}, {NULL}};
static struct section const certificates_section = {certificates_options, {"issuer"}, {NULL}};
static struct section const list_section = {list_options, {"issuer"}, {NULL}};
static struct section const ldap_section = {
	ldap_options, {"server", "issuer"}, {"sasl", "tls", "options", "attributes"}};
static struct section const ldap_tls_section = {ldap_tls_options, {NULL}, {NULL}};
static struct section const ldap_sasl_section = {ldap_sasl_options, {NULL}, {NULL}};
static struct section const ldap_time_section = {ldap_time_options, {NULL}, {NULL}};
static struct section const ldap_attribute_section = {ldap_attribute_options, {NULL}, {NULL}};
static struct section const policy_section = {
	policy_options, {"require_group", "ownership", "operating_systems"}, {NULL}};

/* The values of a repeatable option, NULL-terminated, owned by `cs`; empty values do not count. *list is NULL without any. */
static bool strings(CONF_SECTION *cs, char const *name, char const *const **list)
{
	char const **values;
	size_t count = 0;

	FOR_EACH_PAIR(pair, cs, name)
		count++;
	values = talloc_zero_array(cs, char const *, count + 1);
	if (!values) {
		cf_log_err_cs(cs, "%s: out of memory", name);
		return false;
	}
	count = 0;
	FOR_EACH_PAIR(pair, cs, name)
		if (cf_pair_value(pair) && *cf_pair_value(pair))
			values[count++] = cf_pair_value(pair);
	*list = count ? values : NULL;
	return true;
}

/* Where an option stands, or the section when it was left out, for messages with file and line. */
static CONF_ITEM *place(CONF_SECTION *cs, char const *name)
{
	CONF_PAIR *pair = cf_pair_find(cs, name);

	return pair ? cf_pair_to_item(pair) : cf_section_to_item(cs);
}

/* Calls `take` for each blank-separated word of `text`. */
static bool words(CONF_ITEM *at, char const *text, bool (*take)(CONF_ITEM *at, char const *word, void *context),
		  void *context)
{
	char word[64];

	while (*(text += strspn(text, " \t,"))) {
		size_t const length = strcspn(text, " \t,");

		if (length >= sizeof(word)) {
			cf_log_err(at, "\"%.*s..\" is too long", 32, text);
			return false;
		}
		memcpy(word, text, length);
		word[length] = '\0';
		if (!take(at, word, context))
			return false;
		text += length;
	}
	return true;
}

/* "a" or "b": *second tells which. */
static bool choice(CONF_SECTION *cs, char const *option, char const *value, char const *a, char const *b, bool *second)
{
	*second = strcmp(value, b) == 0;
	if (*second || strcmp(value, a) == 0)
		return true;
	cf_log_err(place(cs, option), "%s = %s: must be %s or %s", option, value, a, b);
	return false;
}

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
		cf_log_err(place(cs, "type"), "form %s: type = %s is no identity type that a form can give", name,
			   options.type);
		return false;
	}
	if (!certdir_form_compile(form, name, options.from, options.pattern, type, &error)) {
		cf_log_err(place(cs, "pattern"), "%s", error.text);
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
		cf_log_err(place(cs, name), "certificates %s: %s is not among `identities`: name it there, too",
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
		cf_log_err(place(cs, "holder"), "holder = %s: must be device, user or both", options.holder);
		return false;
	}
	if (!strings(cs, "issuer", &section->issuers))
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

/* ---- directories ---- */

static struct certdir_directory *open_list(CONF_SECTION *cs, bool watch, char const *const *groups,
					   struct certdir_error *error)
{
	struct certdir_list_config config = {.groups = groups};

	if (!section_parse(cs, &config, &list_section))
		return NULL;
	return certdir_list_directory_open(&config, watch, error);
}

struct opening {
	CONF_SECTION *cs; /* certdir { } */
	struct certdir_checker *checker;
	bool watch;
	bool alone; /* `directories` is the name of one */
	bool people; /* who the person is, is asked, too */
};

/*
 * How many workers one directory may hold: half of those that the server may have, so that a directory that does not
 * answer leaves the others to those who do not need it. Without a thread pool there is one.
 */
static unsigned share_of_workers(CONF_SECTION *cs)
{
	CONF_ITEM *item = cf_section_to_item(cs);
	CONF_SECTION *threads;
	CONF_PAIR *most;
	long workers = 32; /* thread pool's own default */

	while (cf_item_parent(item))
		item = cf_section_to_item(cf_item_parent(item));
	threads = cf_section_sub_find(cf_item_to_section(item), "thread");
	most = threads ? cf_pair_find(threads, "max_servers") : NULL;
	if (!threads)
		workers = 1;
	else if (most && cf_pair_value(most))
		workers = strtol(cf_pair_value(most), NULL, 10);
	return workers < 2 ? 1 : workers > 1024 ? 512 : (unsigned)workers / 2;
}

/* With SASL it is TLS, a socket or a key that says who we are, and nobody reads an identity that stands beside it. */
static bool no_password(CONF_SECTION *cs, char const *mech)
{
	static char const *const options[] = {"identity", "password"};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		CONF_PAIR *pair = cf_pair_find(cs, options[i]);

		if (!pair || !cf_pair_value(pair) || !*cf_pair_value(pair))
			continue;
		cf_log_err_cp(pair, "%s is for binds without sasl { }: take it out, or sasl { mech = %s }", options[i],
			      mech);
		return false;
	}
	return true;
}

/* How the directory is bound to: with identity and password unless `sasl` names another way. */
static bool read_sasl(CONF_SECTION *cs, struct certdir_ldap_config *server)
{
	struct ldap_sasl sasl = {NULL, NULL};
	CONF_SECTION *section;
	CONF_ITEM *at;

	if (!subsection_parse(cs, "sasl", &sasl, &ldap_sasl_section))
		return false;
	section = cf_section_sub_find(cs, "sasl");
	at = place(section, "mech");
	server->keytab = sasl.keytab;
	if (!*sasl.mech)
		server->bind = CERTDIR_LDAP_BIND_SIMPLE;
	else if (strcasecmp(sasl.mech, "EXTERNAL") == 0)
		server->bind = CERTDIR_LDAP_BIND_EXTERNAL;
	else if (strcasecmp(sasl.mech, "GSSAPI") == 0)
		server->bind = CERTDIR_LDAP_BIND_GSSAPI;
	else {
		cf_log_err(at,
			   "mech = \"%s\": EXTERNAL and GSSAPI are known; a bind with identity and password is "
			   "what is made without sasl { }",
			   sasl.mech);
		return false;
	}
	if ((server->bind == CERTDIR_LDAP_BIND_GSSAPI) == (sasl.keytab != NULL))
		return !*sasl.mech || no_password(cs, sasl.mech);
	if (sasl.keytab)
		cf_log_err(place(section, "keytab"), "keytab is for mech = GSSAPI");
	else
		cf_log_err(at, "mech = GSSAPI needs the keytab of the account: keytab = ${certdir}/radius.keytab or "
			       "the like");
	return false;
}

/* A server puts a memory in front of a live directory. What only looks (the CLI, -C) asks the directory itself. */
static struct certdir_directory *remember(struct opening const *opening, CONF_SECTION *cs, char const *whose,
					  struct certdir_ldap_directory_config const *config,
					  struct certdir_directory *live, struct certdir_error *error)
{
	struct certdir_memory_config memory = {.remember = config->remember,
					       .when_unavailable = opening->checker->policy.allow_stale,
					       .patience = (int64_t)config->deadline.tv_sec * 1000000 +
							   config->deadline.tv_usec,
					       .waiting_max = config->most / 4};

	if (!live || !opening->watch || (!memory.remember && !memory.when_unavailable))
		return live;
	live->name = section_instance(cs);
	if (config->memory[0])
		memory.filename = talloc_asprintf(cs, "%s/%s.%s%s.memory", config->memory,
						  section_instance(opening->cs), section_instance(cs), whose);
	memory.origin = certdir_ldap_directory_origin(config);
	if (memory.origin && (memory.filename || !config->memory[0]))
		return certdir_memory_open(live, &memory, error);
	certdir_error_set(error, "out of memory");
	live->type->close(live);
	free(memory.origin);
	return NULL;
}

/* The people of the same directory. They share its workers. */
static struct certdir_directory *open_ldap_people(struct opening const *opening, CONF_SECTION *cs,
						  struct certdir_ldap_directory_config config,
						  struct certdir_error *error)
{
	config.base_dn = *config.user_base_dn ? config.user_base_dn : config.base_dn;
	config.filter = config.user_filter;
	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++)
		if (!(CERTDIR_PERSONS & CERTDIR_BIT(type)))
			config.attributes[type] = "";
	return remember(opening, cs, ".users", &config, certdir_ldap_directory_open(&config, error), error);
}

static struct certdir_directory *open_ldap(struct opening const *opening, CONF_SECTION *cs,
					   struct certdir_directory **people, struct certdir_error *error)
{
	struct certdir_ldap_directory_config config = {.name = section_instance(cs), .most = share_of_workers(cs)};

	if (!section_parse(cs, &config, &ldap_section) || !read_sasl(cs, &config.server) ||
	    !subsection_parse(cs, "tls", &config, &ldap_tls_section) ||
	    !subsection_parse(cs, "options", &config, &ldap_time_section))
		return NULL;
	if (!cf_section_sub_find(cs, "attributes"))
		memcpy(config.attributes, certdir_ldap_default_attributes, sizeof(config.attributes));
	else if (!subsection_parse(cs, "attributes", &config, &ldap_attribute_section))
		return NULL;
	if (!strings(cs, "server", &config.server.servers))
		return NULL;
	/* Longer, and it is no burst that it helps with but a device that was disabled. */
	if (config.remember > 60) {
		certdir_error_set(error, "ldap: remember is not between 0 (off) and 60 seconds: for when the directory "
					 "cannot be asked there is on_unavailable = stale");
		return NULL;
	}
	if (opening->people) {
		config.most = config.most < 2 ? 1 : config.most / 2;
		*people = open_ldap_people(opening, cs, config, error);
		if (!*people)
			return NULL;
	}
	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++)
		if (CERTDIR_PERSONAL & CERTDIR_BIT(type))
			config.attributes[type] = "";
	return remember(opening, cs, "", &config, certdir_ldap_directory_open(&config, error), error);
}

static char const *const directory_kinds[] = {"list", "ldap"};

enum { DIRECTORY_KINDS = sizeof(directory_kinds) / sizeof(directory_kinds[0]) };

/* The section that `directories` means by a word: its second name, or its first when it has no second. */
static CONF_SECTION *directory_section(CONF_SECTION *cs, char const *word)
{
	for (size_t k = 0; k < DIRECTORY_KINDS; k++)
		FOR_EACH_SECTION(sub, cs, directory_kinds[k])
			if (strcmp(section_instance(sub), word) == 0)
				return sub;
	return NULL;
}

/* A name that no certificate can have would keep everybody out. */
static bool issuers_valid(CONF_SECTION *cs)
{
	FOR_EACH_PAIR(pair, cs, "issuer") {
		char const *dn = cf_pair_value(pair);

		if (dn && *dn && !certdir_dn_equal(dn, dn)) {
			cf_log_err_cp(pair,
				      "issuer = \"%s\" is no distinguished name: write it as `certdir check` prints it",
				      dn);
			return false;
		}
	}
	return true;
}

/* Whoever may make a group somewhere in a directory can give it any name, so that a name alone counts below group_base_dn only. */
static void tell_bare_groups(CONF_SECTION *cs, char const *const *groups)
{
	CONF_PAIR *base = cf_pair_find(cs, "group_base_dn");

	if (base && cf_pair_value(base) && *cf_pair_value(base))
		return;
	for (; groups && *groups; groups++) {
		char guid[CERTDIR_VALUE_MAX + 1];

		if (strchr(*groups, '=') || strncasecmp(*groups, "S-1-", 4) == 0 ||
		    certdir_canonical(CERTDIR_ID_GUID, *groups, strlen(*groups), guid))
			continue;
		certdir_log(CERTDIR_LOG_WARN,
			    "require_group = \"%s\": a bare name counts in ldap only below group_base_dn, which is not "
			    "set: name the group by its DN or SID, or set group_base_dn",
			    *groups);
	}
}

static bool take_directory(CONF_ITEM *at, char const *word, void *context)
{
	struct opening *opening = context;
	struct certdir_checker *checker = opening->checker;
	CONF_SECTION *cs = directory_section(opening->cs, word);
	struct certdir_directory *directory, *people = NULL;
	struct certdir_error error = {.text = ""};

	if (!cs) {
		cf_log_err(
			at,
			"directories: \"%s\" is none of the sections list { }, ldap { }, list NAME { }, ldap NAME { }",
			word);
		return false;
	}
	if (checker->directory_count == CERTDIR_DIRECTORIES_MAX) {
		cf_log_err(at, "directories: more than %d", (int)CERTDIR_DIRECTORIES_MAX);
		return false;
	}
	directory = strcmp(cf_section_name1(cs), "list") == 0
			    ? open_list(cs, opening->watch, opening->alone ? checker->policy.groups : NULL, &error)
			    : open_ldap(opening, cs, &people, &error);
	if (!directory) {
		if (people)
			people->type->close(people);
		if (error.text[0])
			cf_log_err_cs(cs, "%s", error.text);
		return false;
	}
	if (opening->people && !people)
		people = certdir_list_directory_people(directory);
	if (people)
		checker->people[checker->people_count++] = people;
	checker->directories[checker->directory_count++] = directory;
	if (!issuers_valid(cs) || !strings(cs, "issuer", &directory->issuers))
		return false;
	if (directory->is_live)
		tell_bare_groups(cs, checker->policy.groups);
	directory->name = section_instance(cs);
	if (people) {
		people->issuers = directory->issuers;
		people->name = directory->name;
	}
	return true;
}

static bool is_opened(struct certdir_checker const *checker, CONF_SECTION *cs)
{
	for (size_t d = 0; d < checker->directory_count; d++)
		if (checker->directories[d]->name == section_instance(cs))
			return true;
	return false;
}

/* The names in a section that nothing reads: a misspelt option there would be found on the day that it is needed. */
static bool unread_valid(CONF_SECTION *cs)
{
	static struct {
		char const *name;
		struct section const *section;
	} const parts[] = {{"sasl", &ldap_sasl_section},
			   {"tls", &ldap_tls_section},
			   {"options", &ldap_time_section},
			   {"attributes", &ldap_attribute_section}};
	bool const is_list = strcmp(cf_section_name1(cs), "list") == 0;
	bool valid = section_valid(cs, is_list ? &list_section : &ldap_section);

	for (size_t p = 0; !is_list && p < sizeof(parts) / sizeof(parts[0]); p++) {
		CONF_SECTION *part = cf_section_sub_find(cs, parts[p].name);

		valid &= !part || section_valid(part, parts[p].section);
	}
	return valid;
}

/* Those that `directories` does not name. */
static bool unread_directories_valid(CONF_SECTION *cs, struct certdir_checker const *checker)
{
	bool valid = true;

	for (size_t k = 0; k < DIRECTORY_KINDS; k++)
		FOR_EACH_SECTION(sub, cs, directory_kinds[k]) {
			if (is_opened(checker, sub))
				continue;
			valid &= unread_valid(sub);
			certdir_log(CERTDIR_LOG_INFO, "%s[%d]: %s is not named in `directories`, and so is not used",
				    cf_section_filename(sub), cf_section_lineno(sub), section_instance(sub));
		}
	return valid;
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

static bool read_policy(CONF_SECTION *parent, struct certdir_policy *policy)
{
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
	return strings(cs, "require_group", &policy->groups) && ownerships_valid(cs) && systems_valid(cs) &&
	       strings(cs, "ownership", &policy->ownerships) &&
	       strings(cs, "operating_systems", &policy->operating_systems) &&
	       choice(cs, "twins", options.twins, "dates", "deny", &policy->twins_deny) &&
	       choice(cs, "compliance_unknown", options.compliance_unknown, "deny", "allow",
		      &policy->compliance_unknown_allow) &&
	       choice(cs, "on_unavailable", options.on_unavailable, "fail", "stale", &policy->allow_stale) &&
	       choice(cs, "user_name", options.user_name, "any", "match", &policy->match_user_name) &&
	       words(place(cs, "join_types"), options.join_types, take_join_type, &policy->join_types);
}

/* A SID confirms, unless a certificates section says that the CA vouches for it. */
static bool can_select(struct certdir_checker const *checker)
{
	uint32_t const confirming = CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_SID_URI);

	return checker->accepted & (checker->section_count ? UINT32_MAX : ~confirming);
}

bool certdir_raddb_read(CONF_SECTION *cs, bool watch, struct certdir_raddb *raddb)
{
	struct opening opening = {.cs = cs, .checker = &raddb->checker, .watch = watch};
	struct options options = {0};

	memset(raddb, 0, sizeof(*raddb));
	if (!section_parse(cs, &options, &module_section) ||
	    !choice(cs, "certificate", options.certificate, "session", "attributes", &raddb->from_attributes) ||
	    !words(place(cs, "identities"), options.identities, take_identity, &raddb->checker.accepted) ||
	    !read_forms(cs, &raddb->checker) || !read_certificates(cs, &raddb->checker) ||
	    !read_policy(cs, &raddb->checker.policy))
		goto fail;
	opening.alone = directory_section(cs, options.directories) != NULL;
	opening.people = raddb->checker.policy.require_enabled_owner;
	for (size_t i = 0; i < raddb->checker.section_count; i++)
		opening.people |= raddb->checker.sections[i].holder != CERTDIR_HOLDER_DEVICE;
	if (!words(place(cs, "directories"), options.directories, take_directory, &opening))
		goto fail;
	if (!raddb->checker.directory_count) {
		cf_log_err(place(cs, "directories"), "directories: name at least one list or ldap section");
		goto fail;
	}
	if (!can_select(&raddb->checker)) {
		cf_log_err(place(cs, "identities"), "identities: name at least one type that can select a device");
		goto fail;
	}
	if (!unread_directories_valid(cs, &raddb->checker))
		goto fail;
	return true;

fail:
	certdir_checker_clear(&raddb->checker);
	return false;
}
