/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "raddb_directories.h"

#include "directory/ldap_schema.h"
#include "directory/memory.h"
#include "raddb_section.h"
#include "text/canonical.h"
#include "text/dn.h"

static CONF_PARSER const list_options[] = {
	{"filename", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_list_config, filename),
	 "/var/lib/certdir/devices.db"},
	{"max_age", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct certdir_list_config, max_age), "3600"},
	{"tenant", FR_CONF_OFFSET(PW_TYPE_STRING, struct certdir_list_config, tenant), ""},
	{"ask", FR_CONF_OFFSET(PW_TYPE_BOOLEAN, struct certdir_list_config, ask), "no"},
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

static struct section const list_section = {list_options, {"issuer", "public_key"}, {NULL}};
static struct section const ldap_section = {
	ldap_options, {"server", "issuer"}, {"sasl", "tls", "options", "attributes"}};
static struct section const ldap_tls_section = {ldap_tls_options, {NULL}, {NULL}};
static struct section const ldap_sasl_section = {ldap_sasl_options, {NULL}, {NULL}};
static struct section const ldap_time_section = {ldap_time_options, {NULL}, {NULL}};
static struct section const ldap_attribute_section = {ldap_attribute_options, {NULL}, {NULL}};

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

bool raddb_list_read(CONF_SECTION *cs, struct certdir_list_config *config)
{
	return section_parse(cs, config, &list_section) && section_strings(cs, "public_key", &config->public_keys);
}

static struct certdir_directory *open_list(CONF_SECTION *cs, bool watch, char const *const *groups,
					   struct certdir_error *error)
{
	struct certdir_list_config config = {.groups = groups};

	if (!raddb_list_read(cs, &config))
		return NULL;
	/* An eighth of all workers: strangers, who are unknown as well, must not hold the others up. */
	config.askers = (share_of_workers(cs) + 3) / 4;
	return certdir_list_directory_open(&config, watch, error);
}

struct opening {
	CONF_SECTION *cs; /* certdir { } */
	struct certdir_checker *checker;
	bool watch;
	bool alone; /* `directories` is the name of one */
	bool people; /* who the person is, is asked, too */
};

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
	at = section_place(section, "mech");
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
		cf_log_err(section_place(section, "keytab"), "keytab is for mech = GSSAPI");
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
		memory.filename = talloc_asprintf(cs, "%s/%s.%s.memory%s", config->memory,
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

bool raddb_ldap_read(CONF_SECTION *cs, struct certdir_ldap_directory_config *config)
{
	config->name = section_instance(cs);
	config->most = share_of_workers(cs);
	if (!section_parse(cs, config, &ldap_section) || !read_sasl(cs, &config->server) ||
	    !subsection_parse(cs, "tls", config, &ldap_tls_section) ||
	    !subsection_parse(cs, "options", config, &ldap_time_section))
		return false;
	if (!cf_section_sub_find(cs, "attributes"))
		memcpy(config->attributes, certdir_ldap_default_attributes, sizeof(config->attributes));
	else if (!subsection_parse(cs, "attributes", config, &ldap_attribute_section))
		return false;
	return section_strings(cs, "server", &config->server.servers);
}

static struct certdir_directory *open_ldap(struct opening const *opening, CONF_SECTION *cs,
					   struct certdir_directory **people, struct certdir_error *error)
{
	struct certdir_ldap_directory_config config = {.name = NULL};

	if (!raddb_ldap_read(cs, &config))
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
	if (!issuers_valid(cs) || !section_strings(cs, "issuer", &directory->issuers))
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

bool raddb_directories_open(CONF_SECTION *cs, char const *directories, bool watch, struct certdir_checker *checker)
{
	struct opening opening = {.cs = cs, .checker = checker, .watch = watch};

	opening.alone = directory_section(cs, directories) != NULL;
	opening.people = checker->policy.require_enabled_owner;
	for (size_t i = 0; i < checker->section_count; i++)
		opening.people |= checker->sections[i].holder != CERTDIR_HOLDER_DEVICE;
	if (!section_words(section_place(cs, "directories"), directories, take_directory, &opening))
		return false;
	if (!checker->directory_count) {
		cf_log_err(section_place(cs, "directories"), "directories: name at least one list or ldap section");
		return false;
	}
	return unread_directories_valid(cs, checker);
}
