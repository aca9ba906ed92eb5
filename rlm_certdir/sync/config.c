/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/config.h"

#include "directory/ldap_domain.h"
#include "directory/ldap_filter.h"
#include "directory/ldap_group.h"
#include "ldap/ldap_conf.h"
#include "text/canonical.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, DECADE = 3650 * DAY };

/* What is read at the moment. Reading goes on after a mistake: the conf keeps the one that stands first. */
struct reading {
	struct certdir_conf *conf;
	struct certdir_conf_section *section;
	struct certdir_error *error;
};

/* ---- kinds of values ---- */

/* Lower case, as the list compares it. where: the place to find the right one. */
static bool read_guid(struct reading *in, const char *key, const char **value, const char *where)
{
	struct certdir_conf_entry *entry;
	bool zero;

	if (!certdir_conf_text(in->conf, in->section, key, value, in->error))
		return false;
	entry = certdir_conf_entry(in->section, key);
	if (!entry)
		return true;
	if (!certdir_guid_is(entry->value, &zero) || zero)
		return certdir_conf_refuse_value(in->conf, entry, in->error, "%s%s",
						 strchr(entry->value, '.') ? "this is a domain's name, not its GUID: "
									   : "this is no GUID: ",
						 where);
	for (char *at = entry->value; *at; at++)
		if (*at >= 'A' && *at <= 'F')
			*at = (char)(*at - 'A' + 'a');
	return true;
}

/* The length of the host at the start of `text`, a name, an IPv4 address, or an IPv6 address in brackets; 0 = none. */
static size_t host_length(const char *text)
{
	const char *end = strchr(text, ']');
	char address[INET6_ADDRSTRLEN];
	struct in6_addr parsed;

	if (*text != '[')
		return strcspn(text, ":");
	if (!end || (size_t)(end - text) > sizeof(address))
		return 0;
	(void)snprintf(address, sizeof(address), "%.*s", (int)(end - text) - 1, text + 1);
	return inet_pton(AF_INET6, address, &parsed) == 1 ? (size_t)(end - text) + 1 : 0;
}

static bool is_host_port(const char *text)
{
	const size_t length = host_length(text);
	const char *port = text + length + 1;

	if (length == 0 || (*text != '[' && !certdir_conf_plain(text, ".-:")))
		return false;
	if (text[length] == '\0')
		return true;
	return text[length] == ':' && *port && !port[strspn(port, "0123456789")] && strlen(port) <= 5 &&
	       atoi(port) >= 1 && atoi(port) <= 65535;
}

/* https://HOST or https://HOST:PORT, and nothing behind it. */
static bool read_url(struct reading *in, const char *key, const char **value)
{
	static const char scheme[] = "https://";
	const struct certdir_conf_entry *entry;
	const char *host;
	size_t length;

	if (!certdir_conf_text(in->conf, in->section, key, value, in->error))
		return false;
	entry = certdir_conf_entry(in->section, key);
	if (!entry)
		return true;
	if (strncmp(entry->value, scheme, strlen(scheme)) != 0)
		return certdir_conf_refuse_value(in->conf, entry, in->error, "this begins with https://");
	host = entry->value + strlen(scheme);
	length = strcspn(host, "/?#");
	if (host[length] && length > 0)
		return certdir_conf_refuse_value(in->conf, entry, in->error, "nothing follows the host: https://%.*s",
						 (int)length, host);
	if (!is_host_port(host))
		return certdir_conf_refuse_value(in->conf, entry, in->error,
						 "this is https://HOST or https://HOST:PORT and nothing else");
	return true;
}

/* ---- the options of a tenant ---- */

static bool read_cloud(struct reading *in, struct certdir_tenant_config *tenant)
{
	static const char *const names[] = {"global", "us-l4", "us-dod", "china", NULL};
	static const struct {
		const char *authority, *graph;
	} clouds[] = {{"https://login.microsoftonline.com", "https://graph.microsoft.com"},
		      {"https://login.microsoftonline.us", "https://graph.microsoft.us"},
		      {"https://login.microsoftonline.us", "https://dod-graph.microsoft.us"},
		      {"https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"}};
	const struct certdir_conf_entry *cloud = certdir_conf_entry(in->section, "cloud");
	const struct certdir_conf_entry *authority = certdir_conf_entry(in->section, "authority");
	const struct certdir_conf_entry *graph = certdir_conf_entry(in->section, "graph");
	size_t index = 0;
	bool ok;

	ok = certdir_conf_word(in->conf, in->section, "cloud", names, &index, in->error);
	ok &= read_url(in, "authority", &tenant->authority);
	ok &= read_url(in, "graph", &tenant->graph);
	ok &= certdir_conf_path(in->conf, in->section, "ca_file", &tenant->ca_file,
				"/etc/ssl/certs/ca-certificates.crt", in->error);
	if (cloud && (authority || graph))
		ok = certdir_conf_refuse(
			in->conf, cloud->line, in->error,
			"cloud says where Graph is, and so does line %d: leave cloud, or authority and graph, out",
			authority ? authority->line : graph->line);
	if (!authority != !graph)
		ok = certdir_conf_refuse(in->conf, authority ? authority->line : graph->line, in->error,
					 "%s needs %s beside it; for Microsoft's clouds write cloud = global, us-l4, "
					 "us-dod or china instead",
					 authority ? "authority" : "graph", authority ? "graph" : "authority");
	if (!authority && !graph) {
		tenant->authority = clouds[index].authority;
		tenant->graph = clouds[index].graph;
	}
	return ok;
}

static bool refuse_second_credential(struct reading *in, const struct certdir_conf_entry *a,
				     const struct certdir_conf_entry *b)
{
	const struct certdir_conf_entry *first = a->line < b->line ? a : b, *second = first == a ? b : a;

	return certdir_conf_refuse(
		in->conf, second->line, in->error,
		"%s is a second credential beside %s in line %d: a tenant has one of client_secret_file, "
		"certificate_file with private_key_file, managed_identity = yes, federated_token_file",
		second->key, first->key, first->line);
}

static bool choose_credential(struct reading *in, struct certdir_tenant_config *tenant, bool managed_identity)
{
	const struct certdir_conf_entry *certificate = certdir_conf_entry(in->section, "certificate_file");
	const struct certdir_conf_entry *key = certdir_conf_entry(in->section, "private_key_file");
	const struct certdir_conf_entry *password = certdir_conf_entry(in->section, "private_key_password_file");
	const struct certdir_conf_entry *const found[] = {
		certdir_conf_entry(in->section, "client_secret_file"), certificate ? certificate : key,
		managed_identity ? certdir_conf_entry(in->section, "managed_identity") : NULL,
		certdir_conf_entry(in->section, "federated_token_file")};
	static const enum certdir_credential credentials[] = {CERTDIR_CREDENTIAL_SECRET, CERTDIR_CREDENTIAL_CERTIFICATE,
							      CERTDIR_CREDENTIAL_MANAGED_IDENTITY,
							      CERTDIR_CREDENTIAL_FEDERATED};
	const struct certdir_conf_entry *chosen = NULL;

	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		if (found[i] && chosen)
			return refuse_second_credential(in, chosen, found[i]);
		if (!found[i])
			continue;
		chosen = found[i];
		tenant->credential = credentials[i];
	}
	if (password && !key)
		return certdir_conf_refuse(
			in->conf, password->line, in->error,
			"private_key_password_file needs certificate_file and private_key_file beside it");
	if (!certificate != !key)
		return certdir_conf_refuse(in->conf, chosen->line, in->error, "%s needs %s beside it%s",
					   certificate ? "certificate_file" : "private_key_file",
					   certificate ? "private_key_file" : "certificate_file",
					   certificate ? "; both may name one file" : "");
	return true;
}

static bool read_credential(struct reading *in, struct certdir_tenant_config *tenant)
{
	const struct certdir_conf_entry *secret = certdir_conf_entry(in->section, "client_secret");
	bool managed_identity = false, ok;

	if (secret) {
		(void)certdir_conf_next(in->section, "client_secret", NULL);
		in->section->known_count--; /* no word to suggest */
		(void)certdir_conf_refuse(
			in->conf, secret->line, in->error,
			"a client secret does not belong into this file: put it alone into a file that "
			"nobody else can read, and write client_secret_file = /etc/certdir/%.64s.secret",
			tenant->name);
	}
	ok = !secret;
	ok &= certdir_conf_path(in->conf, in->section, "client_secret_file", &tenant->client_secret_file,
				"/etc/certdir/contoso.secret", in->error);
	ok &= certdir_conf_path(in->conf, in->section, "certificate_file", &tenant->certificate_file,
				"/etc/certdir/contoso.pem", in->error);
	ok &= certdir_conf_path(in->conf, in->section, "private_key_file", &tenant->private_key_file,
				"/etc/certdir/contoso.key", in->error);
	ok &= certdir_conf_path(in->conf, in->section, "private_key_password_file", &tenant->private_key_password_file,
				"/etc/certdir/contoso.password", in->error);
	ok &= certdir_conf_yes_no(in->conf, in->section, "managed_identity", &managed_identity, in->error);
	ok &= certdir_conf_path(in->conf, in->section, "federated_token_file", &tenant->federated_token_file,
				"/var/run/secrets/azure/tokens/azure-identity-token", in->error);
	return choose_credential(in, tenant, managed_identity) && ok;
}

static bool read_groups(struct reading *in, struct certdir_tenant_config *tenant)
{
	const struct certdir_conf_entry *entry = NULL;
	size_t count = 0;
	bool ok = true;

	tenant->groups = calloc(in->section->count + 1, sizeof(*tenant->groups));
	if (!tenant->groups)
		return certdir_conf_refuse(in->conf, in->section->line, in->error, "out of memory");
	while ((entry = certdir_conf_next(in->section, "group", entry))) {
		for (size_t i = 0; i < count; i++)
			if (strcasecmp(tenant->groups[i], entry->value) == 0)
				ok = certdir_conf_refuse_value(in->conf, entry, in->error,
							       "this group stands there twice");
		tenant->groups[count++] = entry->value;
	}
	return ok;
}

static bool read_filter(struct reading *in, struct certdir_tenant_config *tenant)
{
	struct certdir_tenant_filter *filter = &tenant->filter;
	bool ok;

	ok = certdir_conf_trust_types(in->conf, in->section, &filter->join_types, in->error);
	ok &= certdir_conf_words(in->conf, in->section, "operating_systems", &tenant->operating_systems, in->error);
	ok &= certdir_conf_words(in->conf, in->section, "ownership", &tenant->ownerships, in->error);
	ok &= certdir_conf_yes_no(in->conf, in->section, "only_enabled", &filter->only_enabled, in->error);
	filter->operating_systems = tenant->operating_systems;
	filter->ownerships = tenant->ownerships;
	for (size_t i = 0; ok && tenant->ownerships && tenant->ownerships[i]; i++)
		if (strcasecmp(tenant->ownerships[i], "company") != 0 &&
		    strcasecmp(tenant->ownerships[i], "personal") != 0)
			ok = certdir_conf_refuse_value(in->conf, certdir_conf_entry(in->section, "ownership"),
						       in->error, "known are company, personal");
	return ok;
}

/* "1 7" */
static bool read_extension_attributes(struct reading *in, struct certdir_tenant_config *tenant)
{
	const struct certdir_conf_entry *entry;
	const char *numbers = "", *at;
	unsigned long number;
	char *end;

	if (!certdir_conf_text(in->conf, in->section, "extension_attributes", &numbers, in->error))
		return false;
	entry = certdir_conf_entry(in->section, "extension_attributes");
	for (at = numbers; entry && *at; at = end + strspn(end, " ")) {
		number = *at >= '0' && *at <= '9' ? strtoul(at, &end, 10) : 0;
		if (number < 1 || number > CERTDIR_LIST_EXTENSION_ATTRIBUTES || (*end && *end != ' '))
			return certdir_conf_refuse_value(in->conf, entry, in->error,
							 "these are numbers from 1 to 15 with blanks between: 1 7");
		tenant->extension_attributes |= CERTDIR_BIT(number);
	}
	return true;
}

/* ---- the sections ---- */

static bool check_name(struct reading *in, const struct certdir_sync_config *config, const char *what,
		       const char *example)
{
	const struct certdir_conf_section *section = in->section;

	if (section->name[0] == '\0')
		return certdir_conf_refuse(in->conf, section->line, in->error,
					   "%s needs a name of your choice: [%s %s]", what, section->kind, example);
	if (strlen(section->name) > 64 || !certdir_conf_plain(section->name, "._-"))
		return certdir_conf_refuse(in->conf, section->line, in->error,
					   "%s's name has 1 to 64 letters, digits, dots, dashes and underscores", what);
	/* It is that of a source in the list. */
	for (size_t i = 0; i + 1 < config->count; i++)
		if (strcmp(config->tenants[i].name, section->name) == 0)
			return certdir_conf_refuse(in->conf, section->line, in->error,
						   "[%s %s] in line %d has this name already: give one of them another",
						   config->tenants[i].ldap ? "ldap" : "tenant", section->name,
						   config->tenants[i].line);
	return true;
}

/* What is missing; a misspelt option has been found before. */
static bool check_complete(struct reading *in, const struct certdir_sync_config *config,
			   const struct certdir_tenant_config *tenant)
{
	if (!tenant->tenant_id)
		return certdir_conf_refuse(in->conf, tenant->line, in->error,
					   "[tenant %s] needs tenant_id = GUID: Tenant ID on the Entra admin center's "
					   "overview page",
					   tenant->name);
	if (!tenant->client_secret_file && !tenant->certificate_file && !tenant->federated_token_file &&
	    tenant->credential != CERTDIR_CREDENTIAL_MANAGED_IDENTITY)
		return certdir_conf_refuse(in->conf, tenant->line, in->error,
					   "[tenant %s] needs a credential: client_secret_file, certificate_file with "
					   "private_key_file, managed_identity = yes, or federated_token_file",
					   tenant->name);
	if (!tenant->client_id && tenant->credential != CERTDIR_CREDENTIAL_MANAGED_IDENTITY)
		return certdir_conf_refuse(in->conf, tenant->line, in->error,
					   "[tenant %s] needs client_id = GUID: Application (client) ID on the app "
					   "registration's overview page",
					   tenant->name);
	/* A device that two sources have is ambiguous, and would be kept out. */
	for (size_t i = 0; i < config->count; i++)
		if (&config->tenants[i] != tenant && config->tenants[i].tenant_id &&
		    strcmp(config->tenants[i].tenant_id, tenant->tenant_id) == 0)
			return certdir_conf_refuse_value(in->conf, certdir_conf_entry(in->section, "tenant_id"),
							 in->error, "[tenant %s] in line %d is this tenant already",
							 config->tenants[i].name, config->tenants[i].line);
	return true;
}

static bool read_tenant(struct reading *in, struct certdir_sync_config *config)
{
	struct certdir_tenant_config *tenant = &config->tenants[config->count++];
	bool ok;

	*tenant = (struct certdir_tenant_config){.name = in->section->name,
						 .line = in->section->line,
						 .intune = true,
						 .intune_interval = HOUR,
						 .deadline = HOUR};
	ok = check_name(in, config, "a tenant", "contoso");
	ok &= read_cloud(in, tenant);
	ok &= read_guid(in, "tenant_id", &tenant->tenant_id, "Tenant ID on the Entra admin center's overview page");
	ok &= read_guid(in, "client_id", &tenant->client_id,
			"Application (client) ID on the app registration's overview page");
	ok &= read_credential(in, tenant);
	ok &= certdir_conf_yes_no(in->conf, in->section, "intune", &tenant->intune, in->error);
	ok &= certdir_conf_duration(in->conf, in->section, "intune_interval", 0, 30 * DAY, &tenant->intune_interval,
				    in->error);
	ok &= read_groups(in, tenant);
	ok &= read_filter(in, tenant);
	ok &= read_extension_attributes(in, tenant);
	ok &= certdir_conf_duration(in->conf, in->section, "deadline", 1, DAY, &tenant->deadline, in->error);
	ok &= certdir_conf_section_finish(in->conf, in->section, in->error);
	return ok && check_complete(in, config, tenant);
}

/* ---- [ldap NAME] ---- */

enum { CONNECT_TIMEOUT = 10, ANSWER_TIMEOUT = 30 }; /* seconds; a page of a listing is one answer */

/* An attribute list for each kind of identity; those of Active Directory stand where none is named. */
static bool read_attributes(struct reading *in, struct certdir_ldap_source *ldap)
{
	const char *attributes[CERTDIR_ID_TYPES];
	const struct certdir_conf_entry *first = NULL;
	struct certdir_error why;
	bool ok = true;

	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++) {
		const char *name = certdir_identity_type_name(type);

		attributes[type] = certdir_ldap_default_attributes[type];
		if (type == CERTDIR_ID_SID_URI)
			continue;
		ok &= certdir_conf_text(in->conf, in->section, name, &attributes[type], in->error);
		if (!first)
			first = certdir_conf_entry(in->section, name);
	}
	if (certdir_ldap_map_init(&ldap->map, attributes, &why))
		return ok;
	return certdir_conf_refuse(in->conf, first ? first->line : in->section->line, in->error, "%s", why.text);
}

static bool read_dn(struct reading *in, const char *key, const char **value, const char *example)
{
	if (!certdir_conf_text(in->conf, in->section, key, value, in->error))
		return false;
	return !*value || certdir_ldap_conf_dn(*value) ||
	       certdir_conf_refuse_value(in->conf, certdir_conf_entry(in->section, key), in->error,
					 "this is no distinguished name, such as %s", example);
}

static bool read_where(struct reading *in, struct certdir_ldap_source *ldap)
{
	struct certdir_error why;
	bool ok;

	ok = read_dn(in, "base_dn", &ldap->base_dn, "DC=corp,DC=example");
	ok &= read_dn(in, "group_base_dn", &ldap->group_base_dn, "OU=Groups,DC=corp,DC=example");
	ok &= certdir_conf_text(in->conf, in->section, "filter", &ldap->filter, in->error);
	if (!certdir_ldap_filter_valid(ldap->filter, &why))
		ok = certdir_conf_refuse(in->conf, certdir_conf_entry(in->section, "filter")->line, in->error, "%s",
					 why.text);
	return ok;
}

/* What follows from the options. */
static bool conclude(struct reading *in, struct certdir_ldap_source *ldap)
{
	size_t size;
	FILE *out;

	if (ldap->group_base_dn && !(ldap->group_base = certdir_ldap_dn_normal(ldap->group_base_dn)))
		return certdir_conf_refuse(in->conf, in->section->line, in->error, "out of memory");
	if (!certdir_ldap_domains_make(&ldap->domains, "", ldap->base_dn, in->error))
		return false;
	out = open_memstream(&ldap->question, &size);
	if (out)
		(void)fprintf(out, "%s\n%s\n%s", ldap->base_dn, ldap->filter, ldap->group_base ? ldap->group_base : "");
	for (size_t c = 0; out && c < ldap->map.count; c++)
		(void)fprintf(out, "\n%s=%s", certdir_identity_type_name(ldap->map.columns[c].type),
			      ldap->map.columns[c].attribute);
	if (!out || fclose(out) != 0)
		return certdir_conf_refuse(in->conf, in->section->line, in->error, "out of memory");
	ldap->list.question = ldap->question;
	ldap->list.keeps = ldap->map.keeps;
	ldap->list.domain = ldap->domains ? ldap->domains[0] : NULL;
	return true;
}

static bool check_ldap(struct reading *in, const struct certdir_ldap_source *ldap)
{
	if (!ldap->server.servers)
		return certdir_conf_refuse(in->conf, in->section->line, in->error,
					   "[ldap %s] needs server = ldaps://dc1.corp.example", in->section->name);
	return ldap->base_dn ||
	       certdir_conf_refuse(in->conf, in->section->line, in->error,
				   "[ldap %s] needs base_dn = DC=corp,DC=example: the domain, or an OU in it",
				   in->section->name);
}

static bool read_ldap(struct reading *in, struct certdir_sync_config *config)
{
	struct certdir_tenant_config *tenant = &config->tenants[config->count++];
	struct certdir_ldap_source *ldap = calloc(1, sizeof(*ldap));
	struct certdir_ldap_conf server = {in->conf, in->section, "base_dn", NULL, NULL, in->error};
	bool ok;

	*tenant = (struct certdir_tenant_config){
		.ldap = ldap, .name = in->section->name, .line = in->section->line, .deadline = HOUR};
	tenant->groups = calloc(1, sizeof(*tenant->groups));
	if (!ldap || !tenant->groups)
		return certdir_conf_refuse(in->conf, in->section->line, in->error, "out of memory");
	ldap->server = (struct certdir_ldap_config){
		.net_timeout = CONNECT_TIMEOUT, .res_timeout = ANSWER_TIMEOUT, .srv_timelimit = ANSWER_TIMEOUT};
	ldap->filter = CERTDIR_LDAP_DEFAULT_FILTER;
	ldap->list.interval = HOUR;
	server.ldap = &ldap->server;
	server.password_file = &ldap->password_file;
	ok = check_name(in, config, "an LDAP directory", "corp");
	ok &= certdir_ldap_conf_read(&server);
	ok &= read_where(in, ldap);
	ok &= read_attributes(in, ldap);
	ok &= certdir_conf_duration(in->conf, in->section, "interval", 0, 30 * DAY, &ldap->list.interval, in->error);
	ok &= certdir_conf_duration(in->conf, in->section, "deadline", 1, DAY, &tenant->deadline, in->error);
	ok &= certdir_conf_section_finish(in->conf, in->section, in->error);
	return ok && check_ldap(in, ldap) && certdir_ldap_conf_check(&server) && conclude(in, ldap);
}

static void free_ldap(struct certdir_ldap_source *ldap)
{
	if (!ldap)
		return;
	free((void *)ldap->server.servers);
	free(ldap->group_base);
	free(ldap->question);
	certdir_ldap_domains_free(ldap->domains);
	certdir_ldap_map_clear(&ldap->map);
	free(ldap);
}

/* ---- all of it ---- */

static bool read_list(struct reading *in, struct certdir_sync_config *config)
{
	bool ok = true;

	if (in->section->name[0])
		ok = certdir_conf_refuse(in->conf, in->section->line, in->error,
					 "the list has no name: write [list] alone");
	ok &= certdir_conf_path(in->conf, in->section, "filename", &config->list, "/var/lib/certdir/devices.db",
				in->error);
	ok &= certdir_conf_duration(in->conf, in->section, "former_names", 0, DECADE, &config->former_names, in->error);
	ok &= certdir_conf_duration(in->conf, in->section, "changes", 0, DECADE, &config->changes, in->error);
	ok &= certdir_conf_percent(in->conf, in->section, "max_shrink", &config->max_shrink, in->error);
	return ok & certdir_conf_section_finish(in->conf, in->section, in->error);
}

bool certdir_sync_config_read(struct certdir_conf *conf, struct certdir_sync_config *config,
			      struct certdir_error *error)
{
	struct reading in = {.conf = conf, .error = error};
	bool ok = true;

	*config = (struct certdir_sync_config){.list = "/var/lib/certdir/devices.db",
					       .former_names = 30 * DAY,
					       .changes = 90 * DAY,
					       .max_shrink = CERTDIR_LIST_SHRINK};
	config->tenants = calloc(conf->count + 1, sizeof(*config->tenants));
	if (!config->tenants) {
		certdir_error_set(error, "%s: out of memory", conf->filename);
		return false;
	}
	while ((in.section = certdir_conf_section(conf, "list", in.section)))
		ok &= read_list(&in, config);
	while ((in.section = certdir_conf_section(conf, "tenant", in.section)))
		ok &= read_tenant(&in, config);
	while ((in.section = certdir_conf_section(conf, "ldap", in.section)))
		ok &= read_ldap(&in, config);
	if (!ok)
		certdir_sync_config_clear(config);
	return ok;
}

void certdir_sync_config_clear(struct certdir_sync_config *config)
{
	for (size_t i = 0; i < config->count; i++) {
		free(config->tenants[i].groups);
		free(config->tenants[i].operating_systems);
		free(config->tenants[i].ownerships);
		free_ldap(config->tenants[i].ldap);
	}
	free(config->tenants);
	memset(config, 0, sizeof(*config));
}
