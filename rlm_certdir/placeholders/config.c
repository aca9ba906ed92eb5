/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/shrink.h"
#include "directory/mark.h"
#include "ldap/ldap_conf.h"
#include "text/dn.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, DECADE = 3650 * DAY };
enum { CONNECT_TIMEOUT = 10, ANSWER_TIMEOUT = 60 }; /* seconds; a page of a listing is one answer */

/* What is read at the moment. Reading goes on after a mistake: the conf keeps the one that stands first. */
struct reading {
	struct certdir_conf_section *section;
	struct certdir_placeholders_config *config;
	struct certdir_arena *arena; /* what is owned */
};

static bool no_memory(struct reading *in)
{
	return certdir_conf_no_memory(in->section);
}

static const struct certdir_conf_entry *entry_of(const struct reading *in, const char *key)
{
	return certdir_conf_entry(in->section, key);
}

/* ---- kinds of values ---- */

static void read_dn(struct reading *in, const char *key, const char **value, const char *example)
{
	certdir_conf_text(in->section, key, value);
	if (entry_of(in, key) && !certdir_ldap_conf_dn(*value))
		(void)certdir_conf_refuse_value(in->section, entry_of(in, key),
						"this is no distinguished name, such as %s", example);
}

/* How often `key` stands there, at most. */
static size_t count_of(const struct reading *in, const char *key)
{
	size_t count = 0;

	for (size_t i = 0; i < in->section->count; i++)
		count += strcmp(in->section->entries[i].key, key) == 0;
	return count;
}

/* The values of a key that may be repeated. `fits` says what is wrong with a value, or NULL. */
static void read_fitting(struct reading *in, const char *key, const char *(*fits)(const char *value),
			 const char ***values)
{
	const struct certdir_conf_entry *entry = NULL;
	const char *why;

	certdir_conf_repeated(in->section, key, "this", values);
	while ((entry = certdir_conf_next(in->section, key, entry)))
		if ((why = fits(entry->value)))
			(void)certdir_conf_refuse_value(in->section, entry, "%s", why);
}

/* Refuses the first of these options that is there. */
static void refuse_options(struct reading *in, const char *const *keys, const char *why)
{
	for (; *keys; keys++)
		if (entry_of(in, *keys))
			(void)certdir_conf_refuse(in->section, entry_of(in, *keys)->line, "%s: %s", *keys, why);
}

/* ---- templates ---- */

static void read_template(struct reading *in, const struct certdir_conf_entry *entry, const char *text, bool of_entry,
			  struct certdir_template *template)
{
	struct certdir_error why;

	if (!certdir_template_init(template, text, of_entry, &why))
		(void)certdir_conf_refuse_value(in->section, entry, "%s", why.text);
}

static void add_template(struct reading *in, const struct certdir_conf_entry *entry, const char *text,
			 struct certdir_column *column, struct certdir_template *templates)
{
	column->templates = templates;
	read_template(in, entry, text, true, &templates[column->template_count++]);
}

/* The column of an option whose value is a template, or of one that may be repeated; absent: `defaults`, or none. */
static void read_column(struct reading *in, struct certdir_column *column, const char *key, bool repeated,
			const char *const *defaults)
{
	const size_t count = count_of(in, key);
	struct certdir_template *templates = certdir_arena_alloc(in->arena, (count + 2) * sizeof(*templates));
	const struct certdir_conf_entry *entry = repeated ? NULL : certdir_conf_take(in->section, key);

	if (!templates)
		(void)no_memory(in);
	else if (entry)
		add_template(in, entry, entry->value, column, templates);
	while (repeated && templates && (entry = certdir_conf_next(in->section, key, entry)))
		add_template(in, entry, entry->value, column, templates);
	for (; count == 0 && templates && *defaults; defaults++)
		add_template(in, NULL, *defaults, column, templates);
}

/* ---- which devices ---- */

static void read_selection(struct reading *in)
{
	struct certdir_selection *selection = &in->config->selection;

	/* For a computer that is joined to Active Directory a second account would be a twin; other directories have none of it. */
	if (in->config->rules.kind == CERTDIR_PLACEHOLDER_DEVICE)
		selection->join_types = CERTDIR_BIT(CERTDIR_JOIN_TYPES) - 1;
	certdir_conf_trust_types(in->section, &selection->join_types);
	certdir_conf_yes_no(in->section, "require_enabled", &selection->require_enabled);
	certdir_conf_yes_no(in->section, "require_managed", &selection->require_managed);
	certdir_conf_yes_no(in->section, "require_compliant", &selection->require_compliant);
	certdir_conf_repeated(in->section, "require_group", "this", &selection->groups);
	certdir_conf_words(in->section, "operating_systems", &selection->operating_systems);
}

/* ---- how a computer account looks ---- */

static const char *absolute(const char *value)
{
	return value[0] == '/' ? NULL : "this is the name of a file or directory and begins with /";
}

static const char *const mapping_forms[CERTDIR_MAPPING_FORMS] = {[CERTDIR_MAPPING_SKI] = "ski",
								 [CERTDIR_MAPPING_SHA1_PUKEY] = "sha1_pukey",
								 [CERTDIR_MAPPING_ISSUER_SERIAL] = "issuer_serial"};

const char *certdir_mapping_form_name(enum certdir_mapping_form form)
{
	return mapping_forms[form];
}

/* The form whose name is the first `length` bytes of `word`, or CERTDIR_MAPPING_FORMS. */
static size_t form_of(const char *word, size_t length)
{
	size_t form = 0;

	while (form < CERTDIR_MAPPING_FORMS &&
	       (strlen(mapping_forms[form]) != length || strncasecmp(word, mapping_forms[form], length) != 0))
		form++;
	return form;
}

/*
 * What is meant when nothing is said: the key identifier hangs on nobody's way to write names and numbers; issuer and serial number are
 * there for certificates without one and for lists that have no certificates in them.
 */
static void read_forms(struct reading *in)
{
	static const char separators[] = " \t,";
	const char *text = "ski issuer_serial", *at;
	uint32_t forms = 0;

	certdir_conf_text(in->section, "mapping", &text);
	for (at = text + strspn(text, separators); *at; at += strspn(at, separators)) {
		const size_t length = strcspn(at, separators), form = form_of(at, length);

		if (form == CERTDIR_MAPPING_FORMS)
			break;
		forms |= CERTDIR_BIT(form);
		at += length;
	}
	in->config->mapping = forms;
	if (*at || !forms)
		(void)certdir_conf_refuse_value(
			in->section, entry_of(in, "mapping"),
			"write one or more of ski, sha1_pukey, issuer_serial with blanks between them");
}

static void read_mappings(struct reading *in)
{
	struct certdir_placeholders_config *config = in->config;

	read_fitting(in, "certificates", absolute, &config->certificates);
	config->rules.mapped = config->certificates;
	read_dn(in, "certificate_issuer", &config->certificate_issuer, "CN=Example CA,DC=corp,DC=example");
	read_forms(in);
}

/* ---- groups and places ---- */

static bool is_same_dn(const char *a, const char *b)
{
	return strcmp(a, b) == 0 || certdir_dn_equal(a, b);
}

/* What stands behind `key "NAME" =`; the entry is NULL at the end. False: it is refused, and may not be the last. */
static bool next_named(struct reading *in, const char *key, const struct certdir_conf_entry **entry, const char **name,
		       const char *example)
{
	size_t length = 0;

	certdir_conf_named(in->section, key, entry, name, &length);
	if (!*entry)
		return true;
	if (!certdir_ldap_conf_dn((*entry)->value))
		return certdir_conf_refuse_value(in->section, *entry, "this is no distinguished name, such as %s",
						 example);
	*name = certdir_arena_copy(in->arena, *name, length);
	return *name || no_memory(in);
}

/* The target of this DN, a new one when there is none yet; false when there are too many. */
static bool add_target(struct reading *in, const struct certdir_conf_entry *entry, const char *option, size_t *target)
{
	struct certdir_placeholders_config *config = in->config;

	for (*target = 0; *target < config->target_count; ++*target)
		if (is_same_dn(config->targets[*target].dn, entry->value))
			return true;
	if (config->target_count == CERTDIR_TARGETS_MAX)
		return certdir_conf_refuse_value(in->section, entry,
						 "a section has at most %d groups, member_of among them: divide its "
						 "devices among several sections",
						 CERTDIR_TARGETS_MAX);
	config->targets[config->target_count++] = (struct certdir_target){entry->value, option};
	return true;
}

static void add_group(struct reading *in, const struct certdir_conf_entry *entry, const char *name)
{
	struct certdir_placeholders_config *config = in->config;
	struct certdir_group_rule rule = {.name = name};

	if (!add_target(in, entry, entry->key, &rule.target))
		return;
	for (size_t i = 0; i < config->group_count; i++)
		if (config->groups[i].target == rule.target && strcasecmp(config->groups[i].name, name) == 0)
			(void)certdir_conf_refuse_value(in->section, entry, "this stands there twice");
	config->groups[config->group_count++] = rule;
}

static void read_groups(struct reading *in)
{
	static const char example[] = "CN=Wi-Fi devices,OU=Groups,DC=corp,DC=example";
	struct certdir_placeholders_config *config = in->config;
	const struct certdir_conf_entry *entry = NULL;
	const char *name = NULL;
	size_t first;

	config->groups = certdir_arena_alloc(in->arena, (in->section->count + 1) * sizeof(*config->groups));
	config->targets = certdir_arena_alloc(in->arena, CERTDIR_TARGETS_MAX * sizeof(*config->targets));
	if (!config->groups || !config->targets) {
		(void)no_memory(in);
		return;
	}
	read_dn(in, "member_of", &config->member_of, example);
	if (config->member_of)
		(void)add_target(in, entry_of(in, "member_of"), "member_of", &first);
	do
		if (next_named(in, "group", &entry, &name, example) && entry)
			add_group(in, entry, name);
	while (entry);
	certdir_conf_yes_no(in->section, "primary_group", &config->rules.primary_group);
}

/* The one spelling of an OU of the section. */
static const char *ou_of(struct reading *in, const char *dn)
{
	struct certdir_placeholders_config *config = in->config;

	for (size_t i = 0; i < config->ou_count; i++)
		if (is_same_dn(config->ous[i], dn))
			return config->ous[i];
	return config->ous[config->ou_count++] = dn;
}

static void add_place(struct reading *in, const struct certdir_conf_entry *entry, const char *name, bool tenant)
{
	struct certdir_placeholders_config *config = in->config;
	size_t at = config->place_count;

	for (size_t i = 0; i < config->place_count; i++)
		if (config->places[i].tenant == tenant && strcasecmp(config->places[i].name, name) == 0)
			(void)certdir_conf_refuse(in->section, entry->line,
						  "%s stands in line %d already, and only the first counts", entry->key,
						  config->places[i].line);
	if (config->ou_count == CERTDIR_TARGETS_MAX) {
		(void)certdir_conf_refuse_value(
			in->section, entry, "a section has at most %d OUs: divide its devices among several sections",
			CERTDIR_TARGETS_MAX);
		return;
	}
	for (; at > 0 && config->places[at - 1].line > entry->line; at--)
		config->places[at] = config->places[at - 1];
	config->places[at] = (struct certdir_place){tenant, name, ou_of(in, entry->value), entry->line};
	config->place_count++;
}

static void read_places(struct reading *in)
{
	static const char *const keys[] = {"ou_of_group", "ou_of_tenant"};
	static const char example[] = "OU=Staff,DC=corp,DC=example";
	struct certdir_placeholders_config *config = in->config;
	const char *name = NULL;

	read_dn(in, "ou", &config->rules.ou, "OU=Wi-Fi,DC=corp,DC=example");
	config->places = certdir_arena_alloc(in->arena, (in->section->count + 1) * sizeof(*config->places));
	config->ous = certdir_arena_alloc(in->arena, (in->section->count + 1) * sizeof(*config->ous));
	if (!config->places || !config->ous) {
		(void)no_memory(in);
		return;
	}
	if (config->rules.ou)
		(void)ou_of(in, config->rules.ou);
	for (size_t tenant = 0; tenant < 2; tenant++) {
		const struct certdir_conf_entry *entry = NULL;

		do
			if (next_named(in, keys[tenant], &entry, &name, example) && entry)
				add_place(in, entry, name, tenant == 1);
		while (entry);
	}
}

/*
 * All three columns in any case: a value that stands on accounts from before and whose option is gone from the file has to go,
 * too.
 */
static void read_computer(struct reading *in)
{
	static const char *const spns[] = {"HOST/{cn}", "HOST/{cn}.{domain}", NULL};
	static const char *const none[] = {NULL};
	static const char *classes[] = {"computer", NULL};
	static const char *const of_device[] = {"object_class", "attribute", NULL};
	struct certdir_placeholders_config *config = in->config;
	struct certdir_column *columns = certdir_arena_alloc(in->arena, 3 * sizeof(*columns));

	refuse_options(in, of_device, "this is for kind = device; a computer account has its own options");
	if (!columns) {
		(void)no_memory(in);
		return;
	}
	columns[0] = (struct certdir_column){.attribute = "servicePrincipalName", .folded = true, .unique = true};
	columns[1] = (struct certdir_column){.attribute = "dNSHostName", .folded = true};
	columns[2] = (struct certdir_column){.attribute = "description"};
	config->rules.columns = columns;
	config->rules.column_count = 3;
	config->rules.mark_attribute = "adminDescription";
	config->rules.object_classes = classes;
	read_column(in, &columns[0], "service_principal_name", true, spns);
	read_column(in, &columns[1], "dns_host_name", false, none);
	read_column(in, &columns[2], "description", false, none);
	certdir_conf_yes_no(in->section, "enabled", &config->rules.enabled);
	read_groups(in);
	read_mappings(in);
}

/* ---- how a device entry looks ---- */

static const char *descriptor(const char *value)
{
	const bool begins = (value[0] >= 'a' && value[0] <= 'z') || (value[0] >= 'A' && value[0] <= 'Z');

	return begins && certdir_conf_plain(value, "-") ? NULL : "this is a name of letters, digits and dashes";
}

/* Why an attribute cannot be kept for the administrator, or NULL. */
static const char *reserved(const char *attribute)
{
	static const struct {
		const char *attribute, *why;
	} reserved[] = {{"description", "the mark stands in description"},
			{"objectClass", "write object_class = .. instead"},
			{"userPassword", "no password comes from a template: everybody could guess it"},
			{"commonName", "write cn, as the server does"}};

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcasecmp(attribute, reserved[i].attribute) == 0)
			return reserved[i].why;
	return descriptor(attribute);
}

/* The column of an attribute, a new one when there is none yet, which has room for `room` templates; NULL when memory is out. */
static struct certdir_column *column_of(struct reading *in, const char *attribute, size_t length, size_t room)
{
	struct certdir_placeholders_config *config = in->config;
	struct certdir_column *column;

	for (size_t i = 0; i < config->rules.column_count; i++)
		if (strlen(config->rules.columns[i].attribute) == length &&
		    strncasecmp(config->rules.columns[i].attribute, attribute, length) == 0)
			return &config->rules.columns[i];
	column = &config->rules.columns[config->rules.column_count];
	column->attribute = certdir_arena_copy(in->arena, attribute, length);
	column->templates = certdir_arena_alloc(in->arena, room * sizeof(*column->templates));
	if (!column->attribute || !column->templates)
		return NULL;
	config->rules.column_count++;
	return column;
}

static void read_attribute(struct reading *in, const struct certdir_conf_entry *entry, size_t room)
{
	const size_t length = strcspn(entry->value, " \t");
	const char *text = entry->value + length + strspn(entry->value + length, " \t");
	struct certdir_column *column = column_of(in, entry->value, length, room);
	const char *why = column ? reserved(column->attribute) : "out of memory";

	if (!why && *text == '\0')
		why = "an attribute's name and a template belong here, as in serialNumber {serial_number}";
	for (size_t i = 0; !why && i < column->template_count; i++)
		if (strcmp(column->templates[i].text, text) == 0)
			why = "this stands there twice";
	if (why) {
		(void)certdir_conf_refuse_value(in->section, entry, "%s", why);
		return;
	}
	/* The server may not tell two values apart by case, and would refuse an entry that has both. */
	if (column->template_count > 0)
		column->folded = true;
	add_template(in, entry, text, column, (struct certdir_template *)column->templates);
}

/* cn is there in any case, first, with the name that the RDN has: an entry has to have the values of its RDN. */
static void read_attributes(struct reading *in)
{
	const size_t count = count_of(in, "attribute") + 1;
	struct certdir_placeholders_config *config = in->config;
	const struct certdir_conf_entry *entry = NULL;
	struct certdir_column *cn;

	config->rules.columns = certdir_arena_alloc(in->arena, count * sizeof(*config->rules.columns));
	cn = config->rules.columns ? column_of(in, "cn", 2, count) : NULL;
	if (!cn) {
		(void)no_memory(in);
		return;
	}
	cn->folded = true;
	add_template(in, NULL, "{cn}", cn, (struct certdir_template *)cn->templates);
	while ((entry = certdir_conf_next(in->section, "attribute", entry)))
		read_attribute(in, entry, count);
}

static void read_device(struct reading *in)
{
	static const char *classes[] = {"device", NULL};
	static const char *const of_computer[] = {
		"service_principal_name", "dns_host_name",	"enabled", "member_of", "primary_group",
		"certificates",		  "certificate_issuer", "mapping", NULL};
	static const char *const of_computer_too[] = {"description", NULL};
	const struct certdir_conf_entry *group = NULL;
	const char *name;
	size_t length;

	refuse_options(in, of_computer, "this is for kind = computer; write attribute = NAME TEMPLATE instead");
	certdir_conf_named(in->section, "group", &group, &name, &length);
	if (group)
		(void)certdir_conf_refuse_value(in->section, group, "groups are for kind = computer");
	refuse_options(in, of_computer_too, "this is for kind = computer; here the mark stands in description");
	in->config->rules.mark_attribute = "description";
	in->config->rules.object_classes = classes;
	read_fitting(in, "object_class", descriptor, &in->config->rules.object_classes);
	read_attributes(in);
}

/* ---- the section ---- */

static void check_name(struct reading *in)
{
	struct certdir_conf_section *section = in->section;

	if (section->name[0] == '\0')
		(void)certdir_conf_refuse(section, section->line,
					  "this needs a name of your choice, which will stand in the marks: "
					  "[placeholders wifi]");
	if (strlen(section->name) > CERTDIR_MARK_SECTION_MAX || !certdir_conf_plain(section->name, "._-"))
		(void)certdir_conf_refuse(section, section->line,
					  "the name of [placeholders ..] has 1 to %d letters, digits, dots, dashes "
					  "and underscores",
					  CERTDIR_MARK_SECTION_MAX);
}

static void read_entries(struct reading *in)
{
	static const char *const kinds[] = {"computer", "device", NULL};
	struct certdir_placeholders_config *config = in->config;
	const char *name = "{entra_device_id}";
	size_t kind = 2;

	read_places(in);
	certdir_conf_text(in->section, "name", &name);
	read_template(in, entry_of(in, "name"), name, false, &config->cn);
	certdir_conf_word(in->section, "kind", kinds, &kind);
	if (kind == 2 && entry_of(in, "kind")) {
		/* Nobody can say what else belongs here. */
		for (size_t i = 0; i < in->section->count; i++)
			in->section->entries[i].taken = true;
		return;
	}
	config->rules.kind = kind == 1 ? CERTDIR_PLACEHOLDER_DEVICE : CERTDIR_PLACEHOLDER_COMPUTER;
	if (config->rules.kind == CERTDIR_PLACEHOLDER_DEVICE)
		read_device(in);
	else
		read_computer(in);
}

static void read_guards(struct reading *in)
{
	struct certdir_placeholders_config *config = in->config;

	certdir_conf_duration(in->section, "max_age", 1, DECADE, &config->max_age);
	certdir_conf_percent(in->section, "max_remove", &config->rules.max_remove);
	/* An hour at least, so that no run deletes what it has disabled itself. */
	certdir_conf_duration(in->section, "delete_after", HOUR, DECADE, &config->rules.delete_after);
	certdir_conf_path(in->section, "undo_directory", &config->undo_directory, "/var/lib/certdir/undo");
}

/* What is missing; a misspelt option has been found before. */
static bool check_complete(struct reading *in)
{
	static const char *const of_certificates[] = {"certificate_issuer", NULL};
	const struct certdir_placeholders_config *config = in->config;
	const char *name = config->rules.name;

	if (!config->certificates)
		refuse_options(in, of_certificates, "there are no certificates = .. to make mappings of");
	if (in->section->wrong)
		return false;
	if (config->rules.primary_group && config->target_count == 0)
		return certdir_conf_refuse_value(in->section, entry_of(in, "primary_group"),
						 "member_of has to name the group, or group \"NAME\" = .. one for the "
						 "devices of each group of the list");
	if (!config->ldap.servers)
		return certdir_conf_refuse(in->section, in->section->line,
					   "[placeholders %s] needs server = ldaps://dc1.corp.example", name);
	return config->rules.ou ||
	       certdir_conf_refuse(
		       in->section, in->section->line,
		       "[placeholders %s] needs ou = OU=%s,DC=corp,DC=example: an OU that nothing else uses", name,
		       name);
}

/* Whether `dn` is `above` or stands below it. */
static bool is_within(const char *dn, const char *above)
{
	for (; *dn; dn = certdir_dn_parent(dn))
		if (certdir_dn_equal(dn, above) ||
		    certdir_fold_same(dn, strlen(dn), above, strlen(above), CERTDIR_ACCENTS_IGNORED))
			return true;
	return false;
}

/* Names the line of an OU of the section that another section is in the way of. */
static void refuse_meeting(struct reading *in, const char *ou, const struct certdir_placeholders_config *other,
			   const char *theirs)
{
	const struct certdir_conf_entry *entry = entry_of(in, "ou");

	for (size_t i = 0; i < in->section->count; i++)
		if (in->section->entries[i].value == ou)
			entry = &in->section->entries[i];
	(void)certdir_conf_refuse_value(
		in->section, entry,
		"[placeholders %s] in line %d keeps %s: each needs an OU of its own that is not "
		"within the other",
		other->rules.name, other->line, theirs);
}

/*
 * Two sections would each take the other's entries for foreign ones. Their servers do not matter: who can tell from two names that
 * they are not one directory?
 */
static void check_apart(struct reading *in, const struct certdir_placeholders_configs *configs)
{
	for (const struct certdir_placeholders_config *other = configs->sections; other < in->config; other++)
		for (size_t i = 0; i < in->config->ou_count; i++)
			for (size_t k = 0; k < other->ou_count; k++)
				if (is_within(other->ous[k], in->config->ous[i]) ||
				    is_within(in->config->ous[i], other->ous[k])) {
					refuse_meeting(in, in->config->ous[i], other, other->ous[k]);
					return;
				}
}

static void read_section(struct reading *in, struct certdir_placeholders_configs *configs)
{
	struct certdir_placeholders_config *config = in->config = &configs->sections[configs->count++];
	const struct certdir_ldap_conf server = {in->section, "ou", &config->ldap, &config->password_file};

	*in->config = (struct certdir_placeholders_config){
		.rules = {.name = in->section->name,
			  .enabled = true,
			  .max_remove = CERTDIR_SHRINK,
			  .delete_after = 30 * DAY},
		.line = in->section->line,
		.ldap = {.net_timeout = CONNECT_TIMEOUT,
			 .res_timeout = ANSWER_TIMEOUT,
			 .srv_timelimit = ANSWER_TIMEOUT},
		.selection = {.join_types = CERTDIR_BIT(CERTDIR_JOIN_ENTRA), .require_enabled = true},
		.max_age = DAY,
		.undo_directory = "/var/lib/certdir/undo"};
	in->arena = in->config->owned = calloc(1, sizeof(*in->arena));
	if (!in->arena) {
		(void)no_memory(in);
		return;
	}
	check_name(in);
	certdir_ldap_conf_read(&server);
	read_entries(in);
	read_selection(in);
	read_guards(in);
	if (certdir_conf_section_finish(in->section) && check_complete(in) && certdir_ldap_conf_check(&server))
		check_apart(in, configs);
}

bool certdir_placeholders_config_read(struct certdir_conf *conf, struct certdir_placeholders_configs *configs,
				      struct certdir_error *error)
{
	struct reading in = {.section = NULL};

	*configs = (struct certdir_placeholders_configs){0};
	configs->sections = calloc(conf->count + 1, sizeof(*configs->sections));
	if (!configs->sections) {
		certdir_error_set(error, "%s: out of memory", conf->filename);
		return false;
	}
	while ((in.section = certdir_conf_section(conf, "placeholders", in.section)))
		read_section(&in, configs);
	if (!conf->refused)
		return true;
	*error = conf->error;
	certdir_placeholders_config_clear(configs);
	return false;
}

void certdir_placeholders_config_clear(struct certdir_placeholders_configs *configs)
{
	for (size_t i = 0; i < configs->count; i++) {
		struct certdir_placeholders_config *config = &configs->sections[i];

		if (config->owned)
			certdir_arena_clear(config->owned);
		free(config->owned);
	}
	free(configs->sections);
	*configs = (struct certdir_placeholders_configs){0};
}
