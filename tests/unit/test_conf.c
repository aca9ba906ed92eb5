/* SPDX-License-Identifier: GPL-2.0-or-later */
/* certdir.conf: what a good file gives, and what is said about each mistake. */
#include "sync/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TENANT "72f988bf-86f1-41af-91ab-2d7cd011db47"
#define CLIENT "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
#define LDAP "server = ldaps://dc1.corp.x\nbase_dn = DC=corp,DC=x\nidentity = CN=a\npassword_file = /p\n"
#define IDS "tenant_id = " TENANT "\nclient_id = " CLIENT "\n"
#define SECRET "client_secret_file = /s\n"
#define CERTIFICATE "certificate_file = /c\nprivate_key_file = /k\n"

static char file[64];

static int make_file(void **state)
{
	int fd;

	(void)state;
	strcpy(file, "/tmp/test_conf.XXXXXX");
	fd = mkstemp(file);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(file);
}

static void write_bytes(const char *bytes, size_t length)
{
	FILE *out = fopen(file, "wb");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, length, out), length);
	assert_int_equal(fclose(out), 0);
}

/* Reads the file as `certdir sync` does. NULL with `error`. */
static struct certdir_conf *read_conf(struct certdir_sync_config *config, struct certdir_error *error)
{
	static const char *const kinds[] = {"list", "tenant", "ldap", "placeholders", NULL};
	struct certdir_conf *conf = certdir_conf_load(file, error);
	bool ok = conf && certdir_sync_config_read(conf, config, error);

	if (conf && !certdir_conf_finish(conf, kinds, error)) {
		if (ok)
			certdir_sync_config_clear(config);
		ok = false;
	}
	if (ok)
		return conf;
	certdir_conf_free(conf);
	return NULL;
}

static struct certdir_conf *read_text(const char *text, struct certdir_sync_config *config)
{
	struct certdir_error error;
	struct certdir_conf *conf;

	write_bytes(text, strlen(text));
	conf = read_conf(config, &error);
	if (!conf)
		fail_msg("%s", error.text);
	return conf;
}

/* ---- good files ---- */

static const char good[] = "# what the list keeps\n"
			   "[list]\n"
			   "filename = /srv/devices.db\n"
			   "former_names = 7d\n"
			   "changes=48h\n"
			   "\tmax_shrink  =  5 \n"
			   "\n"
			   "; one tenant\n"
			   "  [ tenant   contoso ]\n"
			   "cloud = us-dod\n"
			   "tenant_id = 72F988BF-86F1-41AF-91AB-2D7CD011DB47\n"
			   "client_id = " CLIENT "\n"
			   "certificate_file = /etc/certdir/contoso.pem\n"
			   "private_key_file = /etc/certdir/contoso.key\n"
			   "intune = no\n"
			   "intune_interval = 90m\n"
			   "certificates = yes\n"
			   "certificates_interval = 2h\n"
			   "report_hosts = .blob.local.example, files.example:8443\n"
			   "group = Wi-Fi staff; not guests #1 = [all]\n"
			   "group = b26a3f1e-2d0b-44f5-9d0f-3a0c5a3a7d11\n"
			   "trust_types = azuread,ServerAd\n"
			   "operating_systems = Windows , iOS\n"
			   "ownership = company\n"
			   "only_enabled = yes\n"
			   "extension_attributes = 7 1  15 1\n"
			   "deadline = 90s\n"
			   "[placeholders wifi]\n"
			   "anything = goes\n"
			   "[tenant fabrikam]\n"
			   "authority = https://localhost:8443\n"
			   "graph = https://127.0.0.1\n"
			   "ca_file = /tmp/ca.pem\n"
			   "tenant_id = b26a3f1e-2d0b-44f5-9d0f-3a0c5a3a7d11\n"
			   "managed_identity = yes\n";

static void check_contoso(const struct certdir_tenant_config *tenant)
{
	assert_string_equal(tenant->name, "contoso");
	assert_int_equal(tenant->line, 9);
	assert_string_equal(tenant->tenant_id, TENANT);
	assert_string_equal(tenant->client_id, CLIENT);
	assert_string_equal(tenant->authority, "https://login.microsoftonline.us");
	assert_string_equal(tenant->graph, "https://dod-graph.microsoft.us");
	assert_null(tenant->ca_file);
	assert_int_equal(tenant->credential, CERTDIR_CREDENTIAL_CERTIFICATE);
	assert_string_equal(tenant->certificate_file, "/etc/certdir/contoso.pem");
	assert_string_equal(tenant->private_key_file, "/etc/certdir/contoso.key");
	assert_false(tenant->intune);
	assert_int_equal(tenant->intune_interval, 5400);
	assert_true(tenant->certificates);
	assert_int_equal(tenant->certificates_interval, 7200);
	assert_string_equal(tenant->report_hosts[0], ".blob.local.example");
	assert_string_equal(tenant->report_hosts[1], "files.example:8443");
	assert_null(tenant->report_hosts[2]);
	assert_int_equal(tenant->deadline, 90);
	assert_string_equal(tenant->groups[0], "Wi-Fi staff; not guests #1 = [all]");
	assert_string_equal(tenant->groups[1], "b26a3f1e-2d0b-44f5-9d0f-3a0c5a3a7d11");
	assert_null(tenant->groups[2]);
	assert_int_equal(tenant->filter.join_types, CERTDIR_BIT(CERTDIR_JOIN_ENTRA) | CERTDIR_BIT(CERTDIR_JOIN_HYBRID));
	assert_string_equal(tenant->filter.operating_systems[0], "Windows");
	assert_string_equal(tenant->filter.operating_systems[1], "iOS");
	assert_null(tenant->filter.operating_systems[2]);
	assert_string_equal(tenant->filter.ownerships[0], "company");
	assert_null(tenant->filter.ownerships[1]);
	assert_true(tenant->filter.only_enabled);
	assert_int_equal(tenant->extension_attributes, CERTDIR_BIT(1) | CERTDIR_BIT(7) | CERTDIR_BIT(15));
}

static void check_fabrikam(const struct certdir_tenant_config *tenant)
{
	assert_string_equal(tenant->name, "fabrikam");
	assert_null(tenant->client_id);
	assert_string_equal(tenant->authority, "https://localhost:8443");
	assert_string_equal(tenant->graph, "https://127.0.0.1");
	assert_string_equal(tenant->ca_file, "/tmp/ca.pem");
	assert_int_equal(tenant->credential, CERTDIR_CREDENTIAL_MANAGED_IDENTITY);
	assert_true(tenant->intune);
	assert_int_equal(tenant->intune_interval, 3600);
	assert_false(tenant->certificates);
	assert_int_equal(tenant->certificates_interval, 3600);
	assert_string_equal(tenant->report_hosts[0], ".blob.core.windows.net");
	assert_null(tenant->report_hosts[1]);
	assert_int_equal(tenant->deadline, 3600);
	assert_null(tenant->groups[0]);
	assert_int_equal(tenant->filter.join_types, 0);
	assert_null(tenant->filter.operating_systems);
	assert_null(tenant->filter.ownerships);
	assert_false(tenant->filter.only_enabled);
	assert_int_equal(tenant->extension_attributes, 0);
}

static void check_good(const char *text)
{
	struct certdir_sync_config config;
	struct certdir_conf *conf = read_text(text, &config);

	assert_string_equal(config.list, "/srv/devices.db");
	assert_int_equal(config.former_names, 7 * 86400);
	assert_int_equal(config.changes, 2 * 86400);
	assert_int_equal(config.max_shrink, 5);
	assert_int_equal(config.count, 2);
	check_contoso(&config.tenants[0]);
	check_fabrikam(&config.tenants[1]);
	certdir_sync_config_clear(&config);
	certdir_conf_free(conf);
}

static void test_good(void **state)
{
	char windows[2 * sizeof(good) + 3], *at = windows;

	(void)state;
	check_good(good);
	/* As an editor on Windows saves it. */
	at += sprintf(at, "\xef\xbb\xbf");
	for (const char *from = good; *from; from++) {
		if (*from == '\n')
			*at++ = '\r';
		*at++ = *from;
	}
	*at = '\0';
	check_good(windows);
}

static void test_defaults(void **state)
{
	static const struct {
		const char *text;
		enum certdir_credential credential;
		const char *graph;
	} tenants[] = {
		{SECRET, CERTDIR_CREDENTIAL_SECRET, "https://graph.microsoft.com"},
		{CERTIFICATE "cloud = global\n", CERTDIR_CREDENTIAL_CERTIFICATE, "https://graph.microsoft.com"},
		{"federated_token_file = /t\ncloud = us-l4\n", CERTDIR_CREDENTIAL_FEDERATED,
		 "https://graph.microsoft.us"},
		{"managed_identity = yes\ncloud = china", CERTDIR_CREDENTIAL_MANAGED_IDENTITY,
		 "https://microsoftgraph.chinacloudapi.cn"},
		{SECRET "managed_identity = no\n", CERTDIR_CREDENTIAL_SECRET, "https://graph.microsoft.com"},
	};
	struct certdir_sync_config config;
	struct certdir_conf *conf;
	char text[512];

	(void)state;
	conf = read_text("", &config);
	assert_string_equal(config.list, "/var/lib/certdir/devices.db");
	assert_int_equal(config.former_names, 30 * 86400);
	assert_int_equal(config.changes, 90 * 86400);
	assert_int_equal(config.max_shrink, 10);
	assert_int_equal(config.count, 0);
	certdir_sync_config_clear(&config);
	certdir_conf_free(conf);
	for (size_t i = 0; i < sizeof(tenants) / sizeof(tenants[0]); i++) {
		(void)snprintf(text, sizeof(text), "[tenant t]\n" IDS "%s", tenants[i].text);
		conf = read_text(text, &config);
		assert_int_equal(config.tenants[0].credential, tenants[i].credential);
		assert_string_equal(config.tenants[0].graph, tenants[i].graph);
		certdir_sync_config_clear(&config);
		certdir_conf_free(conf);
	}
}

static void test_addresses(void **state)
{
	static const char *const urls[] = {"https://127.0.0.1:8443", "https://[::1]", "https://[::1]:8443",
					   "https://[2001:db8::192.0.2.1]:443", "https://graph"};

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct certdir_sync_config config;
		struct certdir_conf *conf;
		char text[500];

		(void)snprintf(text, sizeof(text), "[tenant a]\n" IDS SECRET "authority = %s\ngraph = %s\n", urls[i],
			       urls[i]);
		conf = read_text(text, &config);
		assert_string_equal(config.tenants[0].authority, urls[i]);
		assert_string_equal(config.tenants[0].graph, urls[i]);
		certdir_sync_config_clear(&config);
		certdir_conf_free(conf);
	}
}

/* Long lines and names, of which nothing is cut. */
static void test_long(void **state)
{
	struct certdir_sync_config config;
	char name[65], group[4001], text[5000];
	struct certdir_conf *conf;

	(void)state;
	memset(name, 'n', 64);
	name[64] = '\0';
	memset(group, 'g', 4000);
	group[4000] = '\0';
	(void)snprintf(text, sizeof(text), "[tenant %s]\n" IDS SECRET "group = %s\n", name, group);
	conf = read_text(text, &config);
	assert_string_equal(config.tenants[0].name, name);
	assert_string_equal(config.tenants[0].groups[0], group);
	certdir_sync_config_clear(&config);
	certdir_conf_free(conf);
}

/* ---- mistakes ---- */

static const struct {
	const char *text;
	const char *error; /* without "FILE:" */
} mistakes[] = {
	/* the file */
	{"[ldap]\n" LDAP, "1: an LDAP directory needs a name of your choice: [ldap corp]"},
	{"[tenant a]\n" IDS SECRET "[ldap a]\n" LDAP,
	 "5: [tenant a] in line 1 has this name already: give one of them another"},
	{"[ldap a]\n" LDAP "base = DC=x\n", "6: [ldap a] has no option base: did you mean base_dn?"},
	{"[ldap a]\n" LDAP "attributes = x\n",
	 "6: [ldap a] has no option attributes: "
	 "known are server, bind, identity, password_file, keytab, start_tls, ca_file, "
	 "certificate_file, private_key_file, require_cert, base_dn, group_base_dn, filter, "
	 "entra_device_id, intune_device_id, device_guid, sid, dns_name, common_name, "
	 "serial_number, upn, udid, imei, meid, wifi_mac, permanent_id, mapping, interval, deadline"},
	{"[ldap a]\nbase_dn = DC=x\nidentity = cn=a\npassword_file = /p\n",
	 "1: [ldap a] needs server = ldaps://dc1.corp.example"},
	{"[ldap a]\nserver = ldaps://dc1\nidentity = cn=a\npassword_file = /p\n",
	 "1: [ldap a] needs base_dn = DC=corp,DC=example: the domain, or an OU in it"},
	{"[ldap a]\nserver = ldap://dc1\nbase_dn = DC=x\nidentity = cn=a\npassword_file = /p\n",
	 "2: server \"ldap://dc1\" would get the password in clear text: use ldaps:// or start_tls = yes"},
	{"[ldap a]\n" LDAP "base_dn = x\n", "6: base_dn stands in line 3 already, and only one can count"},
	{"[ldap a]\n" LDAP "group_base_dn = Groups\n",
	 "6: group_base_dn = Groups: this is no distinguished name, such as OU=Groups,DC=corp,DC=example"},
	{"[ldap a]\n" LDAP "filter = objectClass=computer\n", "6: ldap: the filter \"objectClass=computer\" is not of "
							      "the form (objectClass=computer): check its parentheses"},
	{"[ldap a]\n" LDAP "serial_number = serial Number!\n",
	 "6: ldap: \"Number!\" for serial_number is not the name of an LDAP attribute"},
	{"[ldap a]\n" LDAP "sid_uri = objectSid\n",
	 "6: [ldap a] has no option sid_uri: "
	 "known are server, bind, identity, password_file, keytab, start_tls, ca_file, "
	 "certificate_file, private_key_file, require_cert, base_dn, group_base_dn, filter, "
	 "entra_device_id, intune_device_id, device_guid, sid, dns_name, common_name, "
	 "serial_number, upn, udid, imei, meid, wifi_mac, permanent_id, mapping, interval, deadline"},
	{"[ldap a]\n" LDAP "interval = 15\n", "6: interval = 15: a number of what: 15m, 15h or 15d?"},
	{"[ldap a]\n" LDAP "password = x\n",
	 "6: a password does not belong into this file: put it alone into a file that nobody else can read, and write "
	 "password_file = /etc/certdir/a.password"},
	{"[ldap a]\nserver = ldaps://dc1\nbase_dn = DC=x\n",
	 "1: bind = simple needs identity and password_file: who reads or writes a directory says who it is"},
	{"tenant_id = x\n", "1: this stands in no section: [list] or [tenant NAME] comes first"},
	{"[list]\nfilename\n", "2: this is neither a [section] nor option = value"},
	{"[list]\n= x\n", "2: there is no option's name before the ="},
	{"[list]\nfilename: /x\n", "2: between an option and its value stands =, not a colon: write filename = .."},
	{"[list]\nfilename : /x=y\n", "2: between an option and its value stands =, not a colon: write filename = .."},
	{"[list]\nMIIEvQ1: x\n", "2: between an option and its value stands =, not a colon: write option = .."},
	{"[list]\n: x\n", "2: there is no option's name before the :"},
	{"[list]\nfilename:\n", "2: between an option and its value stands =, not a colon: write filename = .."},
	{"[list]\nfilename =\n", "2: there is no value behind the =: leave the line out, or give one"},
	{"[list]\nfilename = \"/x\"\n", "2: write the value without quotes: blanks inside of it are kept"},
	{"[list\n", "1: a section's name ends with ], as in [tenant contoso]"},
	{"[ ]\n", "1: this section has no name: [list] or [tenant NAME]"},
	{"[list] ; mine\n", "1: nothing follows the ] of a section; a comment stands on a line of its own"},
	{"[tenant a]]\n", "1: nothing follows the ] of a section; a comment stands on a line of its own"},
	{"\n[list]\n[list]\n", "3: [list] stands in line 2 already: put what belongs together into one section"},
	{"[tenant a]\n" IDS SECRET "[tenant a]\n",
	 "5: [tenant a] stands in line 1 already: put what belongs together into one section"},
	{"[lists]\n", "1: there is no section of the kind lists: did you mean list?"},
	{"[Tenant a]\n", "1: there is no section of the kind Tenant: did you mean tenant?"},
	{"[global]\n", "1: there is no section of the kind global: known are list, tenant, ldap, placeholders"},
	{"[list]\nfilename = /x\xff\n", "2: this is not UTF-8: save the file as UTF-8"},
	{"[list]\nfilename = /x\x01\n", "2: there is a control character in this line"},
	{"[list]\rfilename = /x\n", "1: there is a control character in this line"},
	{"\xff\xfe[\n", "1: this is UTF-16: save the file as UTF-8"},
	/* options */
	{"[list]\nmax_shrnk = 10\n", "2: [list] has no option max_shrnk: did you mean max_shrink?"},
	{"[list]\nFilename = /x\n", "2: [list] has no option Filename: did you mean filename?"},
	{"[list]\ncloud = global\n",
	 "2: [list] has no option cloud: known are filename, signing_key_file, former_names, changes, max_shrink"},
	{"[list]\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC==\n", "2: [list] has no option of that name: known are filename, "
							 "signing_key_file, former_names, changes, max_shrink"},
	{"[tenant a]\n" IDS "secret_file = /x\n",
	 "4: [tenant a] has no option secret_file: did you mean client_secret_file?"},
	{"[tenant a]\ntennant_id = " TENANT "\nclient_id = " CLIENT "\n" SECRET,
	 "2: [tenant a] has no option tennant_id: did you mean tenant_id?"},
	{"[list]\nfilename = /x\nfilename = /x\n", "3: filename stands in line 2 already, and only one can count"},
	{"[list a]\n", "1: the list has no name: write [list] alone"},
	{"[list]\nfilename = devices.db\n",
	 "2: filename is the name of a file and begins with /, as /var/lib/certdir/devices.db does"},
	{"[list]\nchanges = 5\n", "2: changes = 5: a number of what: 5m, 5h or 5d?"},
	{"[list]\nformer_names = 30 days\n", "2: former_names = 30 days: this is a number with s, m, h or d for "
					     "seconds, minutes, hours or days, such as 12h"},
	{"[list]\nformer_names = -1d\n",
	 "2: former_names = -1d: this is a number with s, m, h or d for seconds, minutes, hours or days, such as 12h"},
	{"[list]\nchanges = 1w\n",
	 "2: changes = 1w: this is a number with s, m, h or d for seconds, minutes, hours or days, such as 12h"},
	{"[list]\nchanges = 90d ; a while\n",
	 "2: changes = 90d ; a while: this is a number with s, m, h or d for seconds, minutes, hours or days, such as "
	 "12h; a comment stands on a line of its own"},
	{"[list]\nchanges = 99999999999d\n", "2: changes = 99999999999d: this is a number with s, m, h or d for "
					     "seconds, minutes, hours or days, such as 12h"},
	{"[list]\nchanges = 9999999999d\n", "2: changes = 9999999999d: this is from 0d to 3650d"},
	{"[list]\nmax_shrink = 101%\n", "2: max_shrink = 101%: this is a whole number from 0% to 100%"},
	{"[list]\nmax_shrink = 0.5\n", "2: max_shrink = 0.5: this is a whole number from 0% to 100%"},
	{"[list]\nmax_shrink = 10 %\n", "2: max_shrink = 10 %: this is a whole number from 0% to 100%"},
	/* a tenant */
	{"[tenant]\n" IDS SECRET, "1: a tenant needs a name of your choice: [tenant contoso]"},
	{"[tenant my tenant]\n" IDS SECRET,
	 "1: a tenant's name has 1 to 64 letters, digits, dots, dashes and underscores"},
	{"[tenant nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]\n" IDS SECRET,
	 "1: a tenant's name has 1 to 64 letters, digits, dots, dashes and underscores"},
	{"[tenant a]\nclient_id = " CLIENT "\n" SECRET,
	 "1: [tenant a] needs tenant_id = GUID: Tenant ID on the Entra admin center's overview page"},
	{"[tenant a]\ntenant_id = " TENANT "\n" SECRET,
	 "1: [tenant a] needs client_id = GUID: Application (client) ID on the app registration's overview page"},
	{"[tenant a]\ntenant_id = contoso.onmicrosoft.com\nclient_id = " CLIENT "\n" SECRET,
	 "2: tenant_id = contoso.onmicrosoft.com: this is a domain's name, not its GUID: Tenant ID on the Entra admin "
	 "center's overview page"},
	{"[tenant a]\ntenant_id = common\nclient_id = " CLIENT "\n" SECRET,
	 "2: tenant_id = common: this is no GUID: Tenant ID on the Entra admin center's overview page"},
	{"[tenant a]\ntenant_id = " TENANT "\nclient_id = {" CLIENT "}\n" SECRET,
	 "3: client_id = {" CLIENT
	 "}: this is no GUID: Application (client) ID on the app registration's overview page"},
	{"[tenant a]\ntenant_id = 00000000-0000-0000-0000-000000000000\nclient_id = " CLIENT "\n" SECRET,
	 "2: tenant_id = 00000000-0000-0000-0000-000000000000: this is no GUID: Tenant ID on the Entra admin center's "
	 "overview page"},
	{"[tenant a]\n" IDS SECRET "[tenant b]\n" IDS SECRET,
	 "6: tenant_id = " TENANT ": [tenant a] in line 1 is this tenant already"},
	/* its cloud */
	{"[tenant a]\ncloud = usgov\n" IDS SECRET, "2: cloud = usgov: known are global, us-l4, us-dod, china"},
	{"[tenant a]\ncloud = Global\n" IDS SECRET, "2: cloud = Global: did you mean global?"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\ngraph = https://g\ncloud = china\n",
	 "7: cloud says where Graph is, and so does line 5: leave cloud, or authority and graph, out"},
	{"[tenant a]\n" IDS SECRET "graph = https://g\n", "5: graph needs authority beside it; for Microsoft's clouds "
							  "write cloud = global, us-l4, us-dod or china instead"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\n",
	 "5: authority needs graph beside it; for Microsoft's clouds write cloud = global, us-l4, us-dod or china "
	 "instead"},
	{"[tenant a]\n" IDS SECRET "authority = http://a\ngraph = https://g\n",
	 "5: authority = http://a: this begins with https://"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\ngraph = https://g/\n",
	 "6: graph = https://g/: nothing follows the host: https://g"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\ngraph = https://g:1/v1.0\n",
	 "6: graph = https://g:1/v1.0: nothing follows the host: https://g:1"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\ngraph = https://g@evil.example\n",
	 "6: graph = https://g@evil.example: this is https://HOST or https://HOST:PORT and nothing else"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\ngraph = https://g\\evil.example\n",
	 "6: graph = https://g\\evil.example: this is https://HOST or https://HOST:PORT and nothing else"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\ngraph = https://g:65536\n",
	 "6: graph = https://g:65536: this is https://HOST or https://HOST:PORT and nothing else"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\ngraph = https://g:\n",
	 "6: graph = https://g:: this is https://HOST or https://HOST:PORT and nothing else"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\ngraph = https://::1\n",
	 "6: graph = https://::1: this is https://HOST or https://HOST:PORT and nothing else"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\ngraph = https://[::1\n",
	 "6: graph = https://[::1: this is https://HOST or https://HOST:PORT and nothing else"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\ngraph = https://[::g]:1\n",
	 "6: graph = https://[::g]:1: this is https://HOST or https://HOST:PORT and nothing else"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\ngraph = https://[::1]x\n",
	 "6: graph = https://[::1]x: this is https://HOST or https://HOST:PORT and nothing else"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\ngraph = https://[fe80::1%eth0]\n",
	 "6: graph = https://[fe80::1%eth0]: this is https://HOST or https://HOST:PORT and nothing else"},
	{"[tenant a]\n" IDS SECRET "authority = https://a\ngraph = https://\n",
	 "6: graph = https://: this is https://HOST or https://HOST:PORT and nothing else"},
	{"[tenant a]\n" IDS SECRET "ca_file = ca.pem\n",
	 "5: ca_file is the name of a file and begins with /, as /etc/ssl/certs/ca-certificates.crt does"},
	/* its credential */
	{"[tenant a]\n" IDS,
	 "1: [tenant a] needs a credential: client_secret_file, certificate_file with private_key_file, "
	 "managed_identity = yes, or federated_token_file"},
	{"[tenant a]\n" IDS "managed_identity = no\n",
	 "1: [tenant a] needs a credential: client_secret_file, certificate_file with private_key_file, "
	 "managed_identity = yes, or federated_token_file"},
	{"[tenant a]\n" IDS "private_key_file = /k\n\nclient_secret_file = /s\n",
	 "6: client_secret_file is a second credential beside private_key_file in line 4: a tenant has one of "
	 "client_secret_file, certificate_file with private_key_file, managed_identity = yes, federated_token_file"},
	{"[tenant a]\n" IDS "federated_token_file = /t\nmanaged_identity = yes\n",
	 "5: managed_identity is a second credential beside federated_token_file in line 4: a tenant has one of "
	 "client_secret_file, certificate_file with private_key_file, managed_identity = yes, federated_token_file"},
	{"[tenant a]\n" IDS "certificate_file = /c\n",
	 "4: certificate_file needs private_key_file beside it; both may name one file"},
	{"[tenant a]\n" IDS "private_key_file = /k\n", "4: private_key_file needs certificate_file beside it"},
	{"[tenant a]\n" IDS SECRET "private_key_password_file = /p\n",
	 "5: private_key_password_file needs certificate_file and private_key_file beside it"},
	{"[tenant a]\n" IDS "client_secret = abc8Q~verysecret\n",
	 "4: a client secret does not belong into this file: put it alone into a file that nobody else can read, and "
	 "write client_secret_file = /etc/certdir/a.secret"},
	{"[tenant a]\n" IDS "client_secret_file = abc8Q~verysecret\n",
	 "4: client_secret_file is the name of a file and begins with /, as /etc/certdir/contoso.secret does"},
	{"[tenant a]\n" IDS "managed_identity = true\n", "4: managed_identity = true: this is yes or no"},
	/* what to fetch, and the filter */
	{"[tenant a]\n" IDS SECRET "intune = nope\n", "5: intune = nope: this is yes or no"},
	{"[tenant a]\n" IDS SECRET "intune_interval = 31d\n", "5: intune_interval = 31d: this is from 0d to 30d"},
	{"[tenant a]\n" IDS SECRET "deadline = 0\n", "5: deadline = 0: this is from 1s to 1d"},
	{"[tenant a]\n" IDS SECRET "group = A\ngroup = B\ngroup = a\n", "7: group = a: this group stands there twice"},
	{"[tenant a]\n" IDS SECRET "trust_types = AzureAd, Hybrid\n",
	 "5: trust_types = AzureAd, Hybrid: known are AzureAd (joined), ServerAd (hybrid joined), Workplace "
	 "(registered), none (not said), with commas between them"},
	{"[tenant a]\n" IDS SECRET "operating_systems = Windows,,iOS\n",
	 "5: operating_systems = Windows,,iOS: there is nothing before or behind a comma"},
	{"[tenant a]\n" IDS SECRET "operating_systems = \"Windows\", macOS\n",
	 "5: operating_systems = \"Windows\", macOS: write the names without quotes, with commas between them"},
	{"[tenant a]\n" IDS SECRET "operating_systems = Windows; macOS\n",
	 "5: operating_systems = Windows; macOS: write the names without quotes, with commas between them"},
	{"[tenant a]\n" IDS SECRET "operating_systems = \"Windows, macOS\"\n",
	 "5: write the value without quotes: blanks inside of it are kept"},
	{"[tenant a]\n" IDS SECRET "operating_systems = Windows,\n",
	 "5: operating_systems = Windows,: there is nothing before or behind a comma"},
	{"[tenant a]\n" IDS SECRET "extension_attributes = 0\n",
	 "5: extension_attributes = 0: these are numbers from 1 to 15 with blanks between: 1 7"},
	{"[tenant a]\n" IDS SECRET "extension_attributes = 1 16\n",
	 "5: extension_attributes = 1 16: these are numbers from 1 to 15 with blanks between: 1 7"},
	{"[tenant a]\n" IDS SECRET "extension_attributes = 1,7\n",
	 "5: extension_attributes = 1,7: these are numbers from 1 to 15 with blanks between: 1 7"},
	{"[tenant a]\n" IDS SECRET "extension_attributes = extensionAttribute1\n",
	 "5: extension_attributes = extensionAttribute1: these are numbers from 1 to 15 with blanks between: 1 7"},
	{"[tenant a]\n" IDS SECRET "extension_attributes = -1\n",
	 "5: extension_attributes = -1: these are numbers from 1 to 15 with blanks between: 1 7"},
	{"[tenant a]\n" IDS SECRET "extension_attributes = 99999999999999999999\n",
	 "5: extension_attributes = 99999999999999999999: these are numbers from 1 to 15 with blanks between: 1 7"},
	{"[tenant a]\n" IDS SECRET "ownership = company, byod\n",
	 "5: ownership = company, byod: known are company, personal"},
	{"[tenant a]\n" IDS "certificate_file = /c\nprivate_key_file = /c\nrenew = yes\n",
	 "6: renew = yes is for what certdir setup makes: certificate_file and private_key_file name one file, and "
	 "object_id the application"},
	{"[tenant a]\n" IDS CERTIFICATE "object_id = " CLIENT "\nrenew = yes\n",
	 "7: renew = yes is for what certdir setup makes: certificate_file and private_key_file name one file, and "
	 "object_id the application"},
	{"[tenant a]\n" IDS "client_secret_file = ${CREDENTIALS_DIRECTORY}/a\n",
	 "4: client_secret_file is in ${CREDENTIALS_DIRECTORY}, which systemd sets for a service that has "
	 "LoadCredential=; "
	 "by hand, run systemd-run with it, or name the file itself"},
	/* of several, the first in the file */
	{"[tenant a]\n" IDS SECRET "deadline = x\nintune = x\ncloud = x\n[list]\nfilename = x\n",
	 "5: deadline = x: this is a number with s, m, h or d for seconds, minutes, hours or days, such as 12h"},
	{"[tenant a]\n" IDS SECRET "[x]\n[list]\nfilename = x\n",
	 "5: there is no section of the kind x: known are list, tenant, ldap, placeholders"},
};

static void test_mistakes(void **state)
{
	struct certdir_sync_config config;
	struct certdir_error error;
	char expected[700];

	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct certdir_conf *conf;

		write_bytes(mistakes[i].text, strlen(mistakes[i].text));
		conf = read_conf(&config, &error);
		if (conf)
			fail_msg("nothing is wrong with:\n%s", mistakes[i].text);
		(void)snprintf(expected, sizeof(expected), "%s:%s", file, mistakes[i].error);
		assert_string_equal(error.text, expected);
	}
}

static void test_credentials(void **state)
{
	struct certdir_sync_config config;
	struct certdir_conf *conf;

	(void)state;
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x.service", 1), 0);
	conf = read_text("[tenant a]\n" IDS "client_secret_file = ${CREDENTIALS_DIRECTORY}/a.secret\n"
			 "[ldap b]\nserver = ldaps://dc1.corp.x\nbase_dn = DC=corp,DC=x\nidentity = CN=a\n"
			 "password_file = ${CREDENTIALS_DIRECTORY}/b\n",
			 &config);
	assert_string_equal(config.tenants[0].client_secret_file, "/run/credentials/x.service/a.secret");
	assert_string_equal(config.tenants[1].ldap->password_file, "/run/credentials/x.service/b");
	certdir_sync_config_clear(&config);
	certdir_conf_free(conf);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static void check_refused(const char *bytes, size_t length, const char *expected)
{
	struct certdir_sync_config config;
	struct certdir_error error;

	write_bytes(bytes, length);
	assert_null(read_conf(&config, &error));
	if (!strstr(error.text, expected))
		fail_msg("\"%s\" is not in \"%s\"", expected, error.text);
	assert_ptr_equal(strstr(error.text, file), error.text);
}

static void test_bytes(void **state)
{
	static const char nul[] = "[list]\nfilename = /x\0y\n";
	char *big = malloc((1 << 20) + 1);

	(void)state;
	assert_non_null(big);
	check_refused(nul, sizeof(nul) - 1, ":2: there is a NUL byte in this line");
	memset(big, 'x', (1 << 20) + 1);
	memcpy(big, "#\n#", 3);
	check_refused(big, 4097 + 2, ":2: this line is longer than 4096 bytes");
	check_refused(big, (1 << 20) + 1, " is larger than 1 MiB");
	free(big);
}

/* Long values and names are cut in messages, after a whole character, so that the reason is always there. */
static void test_long_messages(void **state)
{
	char text[4000];
	int length;

	(void)state;
	length = sprintf(text, "[list]\nmax_shrink = ");
	for (; length < 3900; length += 2)
		memcpy(text + length, "\303\244", 3);
	check_refused(text, (size_t)length, "\303\244..: this is a whole number from 0% to 100%");
	length = sprintf(text, "[tenant %0*d]\nx = y\n", 3000, 0);
	check_refused(text, (size_t)length, ":1: a tenant's name has 1 to 64");
	length = sprintf(text, "[tenant %0*d]\n[tenant %0*d]\n", 1000, 0, 1000, 0);
	check_refused(text, (size_t)length, ":2: [tenant 000");
}

static void test_permissions(void **state)
{
	struct certdir_error error;
	char expected[300];

	(void)state;
	write_bytes("", 0);
	assert_int_equal(chmod(file, 0666), 0);
	assert_null(certdir_conf_load(file, &error));
	(void)snprintf(
		expected, sizeof(expected),
		"%s can be written by anybody, who could let any device in: chmod o-w %s, and check what it says", file,
		file);
	assert_string_equal(error.text, expected);
	assert_int_equal(chmod(file, 0644), 0);
	assert_null(certdir_conf_load("/tmp", &error));
	assert_string_equal(error.text, "/tmp is no file");
	assert_null(certdir_conf_load("/nowhere/certdir.conf", &error));
	assert_string_equal(error.text,
			    "/nowhere/certdir.conf does not exist: name it with -c, or let certdir setup write it; "
			    "a list that is imported needs none, `certdir list stats` shows it");
}

/* ---- mutations of a good file: read, or refused with a line ---- */

static uint32_t random_number(void)
{
	static uint32_t state = 2463534242;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static size_t mutate(char *bytes, size_t length)
{
	static const char *const pieces[] = {"\n",
					     "[",
					     "]",
					     "=",
					     ";",
					     "#",
					     " ",
					     "\t",
					     "\r\n",
					     "\"",
					     ",",
					     "%",
					     "\xc3",
					     "\xef\xbb\xbf",
					     "yes",
					     "/",
					     "tenant",
					     "[list]\n",
					     "\n[tenant x]\n",
					     ":",
					     "0"};

	for (uint32_t times = 1 + random_number() % 4; times > 0 && length > 0; times--) {
		size_t at = random_number() % length, end;
		const char *piece;

		switch (random_number() % 4) {
		case 0: /* a byte becomes another */
			bytes[at] = (char)random_number();
			break;
		case 1: /* a stretch is lost */
			end = at + random_number() % 40;
			end = end > length ? length : end;
			memmove(bytes + at, bytes + end, length - end);
			length -= end - at;
			break;
		case 2: /* the rest is lost */
			length = at;
			break;
		default:
			piece = pieces[random_number() % (sizeof(pieces) / sizeof(pieces[0]))];
			memmove(bytes + at + strlen(piece), bytes + at, length - at);
			memcpy(bytes + at, piece, strlen(piece));
			length += strlen(piece);
			break;
		}
	}
	return length;
}

static void test_mutations(void **state)
{
	char bytes[sizeof(good) + 256], what[80];
	size_t length, refused = 0, line;

	(void)state;
	(void)snprintf(what, sizeof(what), "%s:%%zu: ", file);
	for (int i = 0; i < 3000; i++) {
		struct certdir_sync_config config;
		struct certdir_error error;
		struct certdir_conf *conf;

		memcpy(bytes, good, sizeof(good) - 1);
		length = mutate(bytes, sizeof(good) - 1);
		write_bytes(bytes, length);
		conf = read_conf(&config, &error);
		if (conf) {
			certdir_sync_config_clear(&config);
			certdir_conf_free(conf);
			continue;
		}
		refused++;
		line = 0;
		if (strncmp(error.text, file, strlen(file)) != 0 ||
		    sscanf(error.text + strlen(file), ":%zu: ", &line) != 1 || line < 1 || line > 60)
			fail_msg("no line: %s", error.text);
	}
	assert_in_range(refused, 800, 2999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	      cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_long),	      cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_mistakes),      cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_long_messages), cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_mutations),     cmocka_unit_test(test_credentials),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
