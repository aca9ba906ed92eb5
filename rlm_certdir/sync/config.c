/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "base/shrink.h"
#include "directory/ldap_domain.h"
#include "directory/ldap_filter.h"
#include "directory/ldap_group.h"
#include "ldap/ldap_conf.h"
#include "text/canonical.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, DECADE = 3650 * DAY };

/* ---- kinds of values ---- */

/* Lower case, as the list compares it. where: the place to find the right one. */
static void read_guid(struct certdir_conf_section *section, const char *key, const char **value, const char *where)
{
	struct certdir_conf_entry *entry = certdir_conf_take(section, key);
	bool zero;

	if (!entry)
		return;
	*value = entry->value;
	if (!certdir_guid_is(entry->value, &zero) || zero)
		(void)certdir_conf_refuse_value(section, entry, "%s%s",
						strchr(entry->value, '.') ? "this is a domain's name, not its GUID: "
									  : "this is no GUID: ",
						where);
	for (char *at = entry->value; *at; at++)
		*at = certdir_ascii_lower(*at);
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
static const struct certdir_conf_entry *read_url(struct certdir_conf_section *section, const char *key,
						 const char **value)
{
	static const char scheme[] = "https://";
	const struct certdir_conf_entry *entry = certdir_conf_take(section, key);
	const char *host;
	size_t length;

	if (!entry)
		return NULL;
	*value = entry->value;
	host = entry->value + strlen(scheme);
	if (strncmp(entry->value, scheme, strlen(scheme)) != 0)
		(void)certdir_conf_refuse_value(section, entry, "this begins with https://");
	else if ((length = strcspn(host, "/?#")) > 0 && host[length])
		(void)certdir_conf_refuse_value(section, entry, "nothing follows the host: https://%.*s", (int)length,
						host);
	else if (!is_host_port(host))
		(void)certdir_conf_refuse_value(section, entry,
						"this is https://HOST or https://HOST:PORT and nothing else");
	return entry;
}

/* ---- the options of a tenant ---- */

void certdir_sync_config_place(struct certdir_conf_section *section, struct certdir_tenant_config *tenant)
{
	static const char *const names[] = {"global", "us-l4", "us-dod", "china", NULL};
	static const struct {
		const char *authority, *graph, *report_hosts[2];
	} clouds[] = {
		{"https://login.microsoftonline.com", "https://graph.microsoft.com", {".blob.core.windows.net"}},
		{"https://login.microsoftonline.us", "https://graph.microsoft.us", {".blob.core.usgovcloudapi.net"}},
		{"https://login.microsoftonline.us",
		 "https://dod-graph.microsoft.us",
		 {".blob.core.usgovcloudapi.net"}},
		{"https://login.partner.microsoftonline.cn",
		 "https://microsoftgraph.chinacloudapi.cn",
		 {".blob.core.chinacloudapi.cn"}}};
	const struct certdir_conf_entry *cloud = certdir_conf_entry(section, "cloud"), *authority, *graph;
	size_t index = 0;

	certdir_conf_word(section, "cloud", names, &index);
	tenant->authority = clouds[index].authority;
	tenant->graph = clouds[index].graph;
	tenant->report_hosts = clouds[index].report_hosts;
	authority = read_url(section, "authority", &tenant->authority);
	graph = read_url(section, "graph", &tenant->graph);
	certdir_conf_path(section, "ca_file", &tenant->ca_file, "/etc/ssl/certs/ca-certificates.crt");
	if (cloud && (authority || graph))
		(void)certdir_conf_refuse(
			section, cloud->line,
			"cloud says where Graph is, and so does line %d: leave cloud, or authority and graph, out",
			authority ? authority->line : graph->line);
	if (!authority != !graph)
		(void)certdir_conf_refuse(section, authority ? authority->line : graph->line,
					  "%s needs %s beside it; for Microsoft's clouds write cloud = global, us-l4, "
					  "us-dod or china instead",
					  authority ? "authority" : "graph", authority ? "graph" : "authority");
}

static void refuse_second_credential(struct certdir_conf_section *section, const struct certdir_conf_entry *a,
				     const struct certdir_conf_entry *b)
{
	const struct certdir_conf_entry *first = a->line < b->line ? a : b, *second = first == a ? b : a;

	(void)certdir_conf_refuse(
		section, second->line,
		"%s is a second credential beside %s in line %d: a tenant has one of client_secret_file, "
		"certificate_file with private_key_file, managed_identity = yes, federated_token_file",
		second->key, first->key, first->line);
}

static void choose_credential(struct certdir_conf_section *section, struct certdir_tenant_config *tenant,
			      bool managed_identity)
{
	const struct certdir_conf_entry *certificate = certdir_conf_entry(section, "certificate_file");
	const struct certdir_conf_entry *key = certdir_conf_entry(section, "private_key_file");
	const struct certdir_conf_entry *password = certdir_conf_entry(section, "private_key_password_file");
	const struct certdir_conf_entry *const found[] = {
		[CERTDIR_CREDENTIAL_SECRET] = certdir_conf_entry(section, "client_secret_file"),
		[CERTDIR_CREDENTIAL_CERTIFICATE] = certificate ? certificate : key,
		[CERTDIR_CREDENTIAL_MANAGED_IDENTITY] =
			managed_identity ? certdir_conf_entry(section, "managed_identity") : NULL,
		[CERTDIR_CREDENTIAL_FEDERATED] = certdir_conf_entry(section, "federated_token_file")};
	const struct certdir_conf_entry *chosen = NULL;

	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		if (found[i] && chosen) {
			refuse_second_credential(section, chosen, found[i]);
			return;
		}
		if (!found[i])
			continue;
		chosen = found[i];
		tenant->credential = (enum certdir_credential)i;
	}
	if (password && !key)
		(void)certdir_conf_refuse(
			section, password->line,
			"private_key_password_file needs certificate_file and private_key_file beside it");
	else if (!certificate != !key)
		(void)certdir_conf_refuse(section, chosen->line, "%s needs %s beside it%s",
					  certificate ? "certificate_file" : "private_key_file",
					  certificate ? "private_key_file" : "certificate_file",
					  certificate ? "; both may name one file" : "");
}

static void read_credential(struct certdir_conf_section *section, struct certdir_tenant_config *tenant)
{
	bool managed_identity = false;

	certdir_conf_refuse_secret(section, "client_secret", "a client secret", "secret");
	certdir_conf_path(section, "client_secret_file", &tenant->client_secret_file, "/etc/certdir/contoso.secret");
	certdir_conf_path(section, "certificate_file", &tenant->certificate_file, "/etc/certdir/contoso.pem");
	certdir_conf_path(section, "private_key_file", &tenant->private_key_file, "/etc/certdir/contoso.key");
	certdir_conf_path(section, "private_key_password_file", &tenant->private_key_password_file,
			  "/etc/certdir/contoso.password");
	certdir_conf_yes_no(section, "managed_identity", &managed_identity);
	certdir_conf_path(section, "federated_token_file", &tenant->federated_token_file,
			  "/var/run/secrets/azure/tokens/azure-identity-token");
	certdir_conf_yes_no(section, "renew", &tenant->renew);
	choose_credential(section, tenant, managed_identity);
}

static void read_filter(struct certdir_conf_section *section, struct certdir_tenant_filter *filter)
{
	const char **operating_systems = NULL, **ownerships = NULL;

	certdir_conf_trust_types(section, &filter->join_types);
	certdir_conf_words(section, "operating_systems", &operating_systems);
	certdir_conf_words(section, "ownership", &ownerships);
	certdir_conf_yes_no(section, "only_enabled", &filter->only_enabled);
	filter->operating_systems = operating_systems;
	filter->ownerships = ownerships;
	for (size_t i = 0; ownerships && ownerships[i]; i++)
		if (strcasecmp(ownerships[i], "company") != 0 && strcasecmp(ownerships[i], "personal") != 0)
			(void)certdir_conf_refuse_value(section, certdir_conf_entry(section, "ownership"),
							"known are company, personal");
}

/* "1 7" */
static void read_extension_attributes(struct certdir_conf_section *section, uint32_t *attributes)
{
	const struct certdir_conf_entry *entry = certdir_conf_take(section, "extension_attributes");
	unsigned long number;
	char *end;

	for (const char *at = entry ? entry->value : ""; *at; at = end + strspn(end, " ")) {
		number = *at >= '0' && *at <= '9' ? strtoul(at, &end, 10) : 0;
		if (number < 1 || number > CERTDIR_LIST_EXTENSION_ATTRIBUTES || (*end && *end != ' ')) {
			(void)certdir_conf_refuse_value(section, entry,
							"these are numbers from 1 to 15 with blanks between: 1 7");
			return;
		}
		*attributes |= CERTDIR_BIT(number);
	}
}

/* Intune's report of certificates. A host with a dot in front is all that end so. */
static void read_certificates(struct certdir_conf_section *section, struct certdir_tenant_config *tenant)
{
	const struct certdir_conf_entry *entry;
	const char **hosts = NULL;

	certdir_conf_yes_no(section, "certificates", &tenant->certificates);
	certdir_conf_duration(section, "certificates_interval", 0, 30 * DAY, &tenant->certificates_interval);
	entry = certdir_conf_entry(section, "report_hosts");
	certdir_conf_words(section, "report_hosts", &hosts);
	for (size_t i = 0; hosts && hosts[i]; i++)
		if (hosts[i][0] == '[' || !strchr(hosts[i], '.') || !is_host_port(hosts[i] + (hosts[i][0] == '.')))
			(void)certdir_conf_refuse_value(
				section, entry,
				"these are hosts, with a dot in front all hosts that end so: .blob.core.windows.net");
	if (hosts && hosts[0])
		tenant->report_hosts = hosts;
}

/* ---- the sections ---- */

static void check_name(struct certdir_conf_section *section, const struct certdir_sync_config *config, const char *what,
		       const char *example)
{
	if (section->name[0] == '\0')
		(void)certdir_conf_refuse(section, section->line, "%s needs a name of your choice: [%s %s]", what,
					  section->kind, example);
	if (strlen(section->name) > 64 || !certdir_conf_plain(section->name, "._-"))
		(void)certdir_conf_refuse(section, section->line,
					  "%s's name has 1 to 64 letters, digits, dots, dashes and underscores", what);
	/* It is that of a source in the list. */
	for (size_t i = 0; i + 1 < config->count; i++)
		if (strcmp(config->tenants[i].name, section->name) == 0)
			(void)certdir_conf_refuse(section, section->line,
						  "[%s %s] in line %d has this name already: give one of them another",
						  config->tenants[i].ldap ? "ldap" : "tenant", section->name,
						  config->tenants[i].line);
}

/* What is missing; a misspelt option has been found before. Of several the first that is refused in a line is told. */
static void check_complete(struct certdir_conf_section *section, const struct certdir_sync_config *config,
			   const struct certdir_tenant_config *tenant)
{
	if (!tenant->tenant_id)
		(void)certdir_conf_refuse(section, tenant->line,
					  "[tenant %s] needs tenant_id = GUID: Tenant ID on the Entra admin center's "
					  "overview page",
					  tenant->name);
	if (!tenant->client_secret_file && !tenant->certificate_file && !tenant->federated_token_file &&
	    tenant->credential != CERTDIR_CREDENTIAL_MANAGED_IDENTITY)
		(void)certdir_conf_refuse(section, tenant->line,
					  "[tenant %s] needs a credential: client_secret_file, certificate_file with "
					  "private_key_file, managed_identity = yes, or federated_token_file",
					  tenant->name);
	if (!tenant->client_id && tenant->credential != CERTDIR_CREDENTIAL_MANAGED_IDENTITY)
		(void)certdir_conf_refuse(section, tenant->line,
					  "[tenant %s] needs client_id = GUID: Application (client) ID on the app "
					  "registration's overview page",
					  tenant->name);
	if (tenant->renew && (!tenant->object_id || !tenant->certificate_file || !tenant->private_key_file ||
			      strcmp(tenant->certificate_file, tenant->private_key_file) != 0))
		(void)certdir_conf_refuse(
			section, certdir_conf_entry(section, "renew")->line,
			"renew = yes is for what certdir setup makes: certificate_file and private_key_file "
			"name one file, and object_id the application");
	/* A device that two sources have is ambiguous, and would be kept out. */
	for (size_t i = 0; i < config->count; i++)
		if (&config->tenants[i] != tenant && config->tenants[i].tenant_id && tenant->tenant_id &&
		    strcmp(config->tenants[i].tenant_id, tenant->tenant_id) == 0)
			(void)certdir_conf_refuse_value(section, certdir_conf_entry(section, "tenant_id"),
							"[tenant %s] in line %d is this tenant already",
							config->tenants[i].name, config->tenants[i].line);
}

/* Of those who name no group. */
static const char *none[] = {NULL};

static void read_tenant(struct certdir_conf_section *section, struct certdir_sync_config *config)
{
	struct certdir_tenant_config *tenant = &config->tenants[config->count++];

	*tenant = (struct certdir_tenant_config){.name = section->name,
						 .line = section->line,
						 .groups = none,
						 .intune = true,
						 .intune_interval = HOUR,
						 .groups_interval = 5 * MINUTE,
						 .certificates_interval = HOUR,
						 .deadline = HOUR};
	check_name(section, config, "a tenant", "contoso");
	certdir_sync_config_place(section, tenant);
	read_guid(section, "tenant_id", &tenant->tenant_id, "Tenant ID on the Entra admin center's overview page");
	read_guid(section, "client_id", &tenant->client_id,
		  "Application (client) ID on the app registration's overview page");
	read_guid(section, "object_id", &tenant->object_id, "Object ID on the app registration's overview page");
	read_credential(section, tenant);
	certdir_conf_yes_no(section, "intune", &tenant->intune);
	certdir_conf_yes_no(section, "users", &tenant->users);
	certdir_conf_duration(section, "intune_interval", 0, 30 * DAY, &tenant->intune_interval);
	certdir_conf_duration(section, "groups_interval", 0, DAY, &tenant->groups_interval);
	read_certificates(section, tenant);
	certdir_conf_repeated(section, "group", "this group", &tenant->groups);
	read_filter(section, &tenant->filter);
	read_extension_attributes(section, &tenant->extension_attributes);
	certdir_conf_duration(section, "deadline", 1, DAY, &tenant->deadline);
	if (certdir_conf_section_finish(section))
		check_complete(section, config, tenant);
}

/* ---- [ldap NAME] ---- */

enum { CONNECT_TIMEOUT = 10, ANSWER_TIMEOUT = 30 }; /* seconds; a page of a listing is one answer */

/* An attribute list for each kind of identity; those of Active Directory stand where none is named. */
static void read_attributes(struct certdir_conf_section *section, struct certdir_ldap_map *map)
{
	const char *attributes[CERTDIR_ID_TYPES];
	const struct certdir_conf_entry *first = NULL;
	struct certdir_error why;

	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++) {
		const char *name = certdir_identity_type_name(type);

		/* Computers are listed here, and no people. */
		attributes[type] = CERTDIR_PERSONAL & CERTDIR_BIT(type) ? "" : certdir_ldap_default_attributes[type];
		if (type == CERTDIR_ID_SID_URI || type == CERTDIR_ID_CERTIFICATE ||
		    (CERTDIR_PERSONAL & CERTDIR_BIT(type)))
			continue;
		certdir_conf_text(section, name, &attributes[type]);
		if (!first)
			first = certdir_conf_entry(section, name);
	}
	if (!certdir_ldap_map_init(map, attributes, &why))
		(void)certdir_conf_refuse(section, first ? first->line : section->line, "%s", why.text);
}

static void read_dn(struct certdir_conf_section *section, const char *key, const char **value, const char *example)
{
	const struct certdir_conf_entry *entry = certdir_conf_take(section, key);

	if (entry)
		*value = entry->value;
	if (entry && !certdir_ldap_conf_dn(entry->value))
		(void)certdir_conf_refuse_value(section, entry, "this is no distinguished name, such as %s", example);
}

static void read_where(struct certdir_conf_section *section, struct certdir_ldap_source *ldap)
{
	struct certdir_error why;

	read_dn(section, "base_dn", &ldap->base_dn, "DC=corp,DC=example");
	read_dn(section, "group_base_dn", &ldap->group_base_dn, "OU=Groups,DC=corp,DC=example");
	certdir_conf_text(section, "filter", &ldap->filter);
	if (!certdir_ldap_filter_valid(ldap->filter, &why))
		(void)certdir_conf_refuse(section, certdir_conf_entry(section, "filter")->line, "%s", why.text);
}

/* What follows from the options. False when memory is out. */
static bool conclude(struct certdir_ldap_source *ldap)
{
	struct certdir_error ignored;
	size_t size;
	FILE *out;

	if ((ldap->group_base_dn && !(ldap->group_base = certdir_ldap_dn_normal(ldap->group_base_dn))) ||
	    !certdir_ldap_domains_make(&ldap->domains, "", ldap->base_dn, &ignored))
		return false;
	out = open_memstream(&ldap->question, &size);
	if (out)
		(void)fprintf(out, "%s\n%s\n%s", ldap->base_dn, ldap->filter, ldap->group_base ? ldap->group_base : "");
	for (size_t c = 0; out && c < ldap->map.count; c++)
		(void)fprintf(out, "\n%s=%s", certdir_identity_type_name(ldap->map.columns[c].type),
			      ldap->map.columns[c].attribute);
	if (!out || fclose(out) != 0)
		return false;
	ldap->list.question = ldap->question;
	ldap->list.keeps = ldap->map.keeps;
	ldap->list.domain = ldap->domains ? ldap->domains[0] : NULL;
	return true;
}

static bool check_ldap(struct certdir_conf_section *section, const struct certdir_ldap_source *ldap)
{
	if (!ldap->server.servers)
		return certdir_conf_refuse(section, section->line, "[ldap %s] needs server = ldaps://dc1.corp.example",
					   section->name);
	return ldap->base_dn ||
	       certdir_conf_refuse(section, section->line,
				   "[ldap %s] needs base_dn = DC=corp,DC=example: the domain, or an OU in it",
				   section->name);
}

static void read_ldap(struct certdir_conf_section *section, struct certdir_sync_config *config)
{
	struct certdir_tenant_config *tenant = &config->tenants[config->count++];
	struct certdir_ldap_source *ldap = calloc(1, sizeof(*ldap));
	struct certdir_ldap_conf server = {section, "base_dn", NULL, NULL};

	*tenant = (struct certdir_tenant_config){
		.ldap = ldap, .name = section->name, .line = section->line, .groups = none, .deadline = HOUR};
	if (!ldap) {
		(void)certdir_conf_no_memory(section);
		return;
	}
	ldap->server = (struct certdir_ldap_config){
		.net_timeout = CONNECT_TIMEOUT, .res_timeout = ANSWER_TIMEOUT, .srv_timelimit = ANSWER_TIMEOUT};
	ldap->filter = CERTDIR_LDAP_DEFAULT_FILTER;
	ldap->list.interval = HOUR;
	server.ldap = &ldap->server;
	server.password_file = &ldap->password_file;
	check_name(section, config, "an LDAP directory", "corp");
	certdir_ldap_conf_read(&server);
	read_where(section, ldap);
	read_attributes(section, &ldap->map);
	certdir_conf_duration(section, "interval", 0, 30 * DAY, &ldap->list.interval);
	certdir_conf_duration(section, "deadline", 1, DAY, &tenant->deadline);
	if (certdir_conf_section_finish(section) && check_ldap(section, ldap) && certdir_ldap_conf_check(&server) &&
	    !conclude(ldap))
		(void)certdir_conf_no_memory(section);
}

static void free_ldap(struct certdir_ldap_source *ldap)
{
	if (!ldap)
		return;
	free(ldap->group_base);
	free(ldap->question);
	certdir_ldap_domains_free(ldap->domains);
	certdir_ldap_map_clear(&ldap->map);
	free(ldap);
}

/* ---- all of it ---- */

static void read_list(struct certdir_conf_section *section, struct certdir_sync_config *config)
{
	if (section->name[0])
		(void)certdir_conf_refuse(section, section->line, "the list has no name: write [list] alone");
	certdir_conf_path(section, "filename", &config->list, "/var/lib/certdir/devices.db");
	certdir_conf_path(section, "signing_key_file", &config->signing_key, "/etc/certdir/list.key");
	certdir_conf_duration(section, "former_names", 0, DECADE, &config->former_names);
	certdir_conf_duration(section, "changes", 0, DECADE, &config->changes);
	certdir_conf_percent(section, "max_shrink", &config->max_shrink);
	(void)certdir_conf_section_finish(section);
}

bool certdir_sync_config_read(struct certdir_conf *conf, struct certdir_sync_config *config,
			      struct certdir_error *error)
{
	static const struct {
		const char *kind;
		void (*read)(struct certdir_conf_section *section, struct certdir_sync_config *config);
	} kinds[] = {{"list", read_list}, {"tenant", read_tenant}, {"ldap", read_ldap}};

	*config = (struct certdir_sync_config){.list = "/var/lib/certdir/devices.db",
					       .former_names = 30 * DAY,
					       .changes = 90 * DAY,
					       .max_shrink = CERTDIR_SHRINK};
	config->tenants = calloc(conf->count + 1, sizeof(*config->tenants));
	if (!config->tenants) {
		certdir_error_set(error, "%s: out of memory", conf->filename);
		return false;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (struct certdir_conf_section *section = NULL;
		     (section = certdir_conf_section(conf, kinds[i].kind, section));)
			kinds[i].read(section, config);
	if (!conf->refused)
		return true;
	*error = conf->error;
	certdir_sync_config_clear(config);
	return false;
}

void certdir_sync_config_clear(struct certdir_sync_config *config)
{
	for (size_t i = 0; i < config->count; i++)
		free_ldap(config->tenants[i].ldap);
	free(config->tenants);
	memset(config, 0, sizeof(*config));
}
