/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [placeholders NAME] of certdir.conf: what a good section gives, and what is said about each mistake. */
#include "placeholders/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A section that lacks nothing; tests add to it. */
#define SIMPLE "identity = CN=certdir,DC=x\npassword_file = /etc/certdir/wifi.password\n"
#define SERVER "server = ldaps://dc1.corp.example\n" SIMPLE
#define OU "ou = OU=Wi-Fi,DC=corp,DC=example\n"
#define WIFI "[placeholders wifi]\n" SERVER OU

static char file[64];

static int make_file(void **state)
{
	int fd;

	(void)state;
	strcpy(file, "/tmp/test_placeholders.XXXXXX");
	fd = mkstemp(file);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(file);
}

/* Reads `text` as the command does; @ in it stands for the file's own name. NULL with `error`. */
static struct certdir_conf *read_conf(const char *text, struct certdir_placeholders_configs *configs,
				      struct certdir_error *error)
{
	static const char *const kinds[] = {"list", "tenant", "placeholders", NULL};
	FILE *out = fopen(file, "w");
	struct certdir_conf *conf;
	bool ok;

	assert_non_null(out);
	for (; *text; text++)
		assert_true(*text == '@' ? fputs(file, out) >= 0 : fputc(*text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	memset(configs, 0, sizeof(*configs));
	conf = certdir_conf_load(file, error);
	if (!conf)
		return NULL;
	ok = certdir_placeholders_config_read(conf, configs, error);
	ok &= certdir_conf_finish(conf, kinds, error);
	if (ok)
		return conf;
	certdir_placeholders_config_clear(configs);
	certdir_conf_free(conf);
	return NULL;
}

static struct certdir_conf *read_good(const char *text, struct certdir_placeholders_configs *configs)
{
	struct certdir_error error;
	struct certdir_conf *conf = read_conf(text, configs, &error);

	if (!conf)
		fail_msg("%s", error.text);
	return conf;
}

static void clear(struct certdir_conf *conf, struct certdir_placeholders_configs *configs)
{
	certdir_placeholders_config_clear(configs);
	assert_int_equal(configs->count, 0);
	certdir_conf_free(conf);
}

/* "HOST/{cn} HOST/{cn}.{domain}" and the column's marks. */
static void check_column(const struct certdir_column *column, const char *attribute, const char *templates, bool folded,
			 bool unique)
{
	char text[512] = "";

	assert_string_equal(column->attribute, attribute);
	for (size_t i = 0; i < column->template_count; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			       column->templates[i].text);
	assert_string_equal(text, templates);
	assert_int_equal(column->folded, folded);
	assert_int_equal(column->unique, unique);
}

/* ---- good files ---- */

static const char computer[] = "[placeholders wifi]\n"
			       "server = ldapi://%2frun%2fslapd\n"
			       "server = ldapi:///\n"
			       "bind = external\n"
			       "ca_file = @\n"
			       "certificate_file = @\n"
			       "private_key_file = @\n"
			       "require_cert = allow\n"
			       "ou = OU=Wi-Fi\\, all,DC=corp,DC=example\n"
			       "kind = computer\n"
			       "trust_types = AzureAd, serverad\n"
			       "require_enabled = no\n"
			       "require_managed = yes\n"
			       "require_compliant = yes\n"
			       "require_group = Wi-Fi staff\n"
			       "require_group = b26a3f1e-2d0b-44f5-9d0f-3a0c5a3a7d11\n"
			       "operating_systems = Windows, macOS\n"
			       "name = {name}\n"
			       "service_principal_name = HOST/{cn}\n"
			       "description = {name} {serial_number}\n"
			       "dns_host_name = {cn}.{domain}\n"
			       "enabled = no\n"
			       "member_of = CN=Wi-Fi,OU=Groups,DC=corp,DC=example\n"
			       "primary_group = yes\n"
			       "certificates = /srv/certificates\n"
			       "certificates = /srv/more.csv\n"
			       "certificate_issuer = CN=Example CA,DC=corp,DC=example\n"
			       "mapping = SHA1_PUKEY, issuer_serial\n"
			       "max_age = 2h\n"
			       "max_remove = 25%\n"
			       "delete_after = 7d\n"
			       "undo_directory = /srv/undo\n";

static void test_computer(void **state)
{
	struct certdir_placeholders_configs configs;
	struct certdir_conf *conf = read_good(computer, &configs);
	const struct certdir_placeholders_config *config = configs.sections;

	(void)state;
	assert_int_equal(configs.count, 1);
	assert_string_equal(config->rules.name, "wifi");
	assert_int_equal(config->line, 1);
	assert_string_equal(config->ldap.servers[0], "ldapi://%2frun%2fslapd");
	assert_string_equal(config->ldap.servers[1], "ldapi:///");
	assert_null(config->ldap.servers[2]);
	assert_int_equal(config->ldap.bind, CERTDIR_LDAP_BIND_EXTERNAL);
	assert_null(config->ldap.identity);
	assert_null(config->ldap.password);
	assert_string_equal(config->ldap.ca_file, file);
	assert_string_equal(config->ldap.certificate_file, file);
	assert_string_equal(config->ldap.private_key_file, file);
	assert_string_equal(config->ldap.require_cert, "allow");
	assert_false(config->ldap.start_tls);
	assert_int_equal(config->ldap.net_timeout, 10);
	assert_int_equal(config->ldap.res_timeout, 60);
	assert_string_equal(config->rules.ou, "OU=Wi-Fi\\, all,DC=corp,DC=example");
	assert_int_equal(config->rules.kind, CERTDIR_PLACEHOLDER_COMPUTER);
	assert_string_equal(config->rules.mark_attribute, "adminDescription");
	assert_string_equal(config->rules.object_classes[0], "computer");
	assert_null(config->rules.object_classes[1]);
	assert_string_equal(config->cn.text, "{name}");
	assert_int_equal(config->rules.column_count, 3);
	check_column(&config->rules.columns[0], "servicePrincipalName", "HOST/{cn}", true, true);
	check_column(&config->rules.columns[1], "dNSHostName", "{cn}.{domain}", true, false);
	check_column(&config->rules.columns[2], "description", "{name} {serial_number}", false, false);
	assert_false(config->rules.enabled);
	assert_string_equal(config->member_of, "CN=Wi-Fi,OU=Groups,DC=corp,DC=example");
	assert_true(config->rules.primary_group);
	assert_string_equal(config->certificates[0], "/srv/certificates");
	assert_string_equal(config->certificates[1], "/srv/more.csv");
	assert_null(config->certificates[2]);
	assert_string_equal(config->certificate_issuer, "CN=Example CA,DC=corp,DC=example");
	assert_int_equal(config->mapping,
			 CERTDIR_BIT(CERTDIR_MAPPING_SHA1_PUKEY) | CERTDIR_BIT(CERTDIR_MAPPING_ISSUER_SERIAL));
	clear(conf, &configs);
}

static void test_selection_and_guards(void **state)
{
	struct certdir_placeholders_configs configs;
	struct certdir_conf *conf = read_good(computer, &configs);
	const struct certdir_placeholders_config *config = configs.sections;
	const struct certdir_selection *selection = &config->selection;

	(void)state;
	assert_int_equal(selection->join_types, CERTDIR_BIT(CERTDIR_JOIN_ENTRA) | CERTDIR_BIT(CERTDIR_JOIN_HYBRID));
	assert_false(selection->require_enabled);
	assert_true(selection->require_managed);
	assert_true(selection->require_compliant);
	assert_string_equal(selection->groups[0], "Wi-Fi staff");
	assert_string_equal(selection->groups[1], "b26a3f1e-2d0b-44f5-9d0f-3a0c5a3a7d11");
	assert_null(selection->groups[2]);
	assert_string_equal(selection->operating_systems[0], "Windows");
	assert_string_equal(selection->operating_systems[1], "macOS");
	assert_null(selection->operating_systems[2]);
	assert_int_equal(config->max_age, 7200);
	assert_int_equal(config->rules.max_remove, 25);
	assert_int_equal(config->rules.delete_after, 7 * 86400);
	assert_string_equal(config->undo_directory, "/srv/undo");
	clear(conf, &configs);
}

/* Names in quotes with what an INI file would trip over; DNs that are one. */
static const char grouped[] = WIFI "group \"Wi-Fi staff\" = CN=a,DC=x\n"
				   "ou_of_tenant \"contoso\"=OU=b,OU=Wi-Fi,DC=corp,DC=example\n"
				   "group \"a; #1 \"x\" [b]\" = cn=A, dc=x\n"
				   "ou_of_group \"b26a3f1e-2d0b-44f5-9d0f-3a0c5a3a7d11\" = OU=c,DC=corp,DC=example\n"
				   "member_of = CN=all,DC=x\n"
				   "group\t\"Wi-Fi staff\" = CN=all,DC=x\n"
				   "ou_of_group \"Staff\" = ou=C,dc=corp,dc=example\n"
				   "primary_group = yes\n";

static void test_groups(void **state)
{
	struct certdir_placeholders_configs configs;
	struct certdir_conf *conf = read_good(grouped, &configs);
	const struct certdir_placeholders_config *config = configs.sections;

	(void)state;
	assert_int_equal(config->target_count, 2);
	assert_string_equal(config->targets[0].dn, "CN=all,DC=x");
	assert_string_equal(config->targets[0].option, "member_of");
	assert_string_equal(config->targets[1].dn, "CN=a,DC=x");
	assert_string_equal(config->targets[1].option, "group \"Wi-Fi staff\"");
	assert_int_equal(config->group_count, 3);
	assert_string_equal(config->groups[0].name, "Wi-Fi staff");
	assert_int_equal(config->groups[0].target, 1);
	assert_string_equal(config->groups[1].name, "a; #1 \"x\" [b]");
	assert_int_equal(config->groups[1].target, 1);
	assert_string_equal(config->groups[2].name, "Wi-Fi staff");
	assert_int_equal(config->groups[2].target, 0);
	assert_int_equal(config->ou_count, 3);
	assert_ptr_equal(config->ous[0], config->rules.ou);
	assert_int_equal(config->place_count, 3);
	assert_true(config->places[0].tenant && !config->places[1].tenant && !config->places[2].tenant);
	assert_string_equal(config->places[0].name, "contoso");
	assert_string_equal(config->places[0].ou, "OU=b,OU=Wi-Fi,DC=corp,DC=example");
	assert_string_equal(config->places[1].name, "b26a3f1e-2d0b-44f5-9d0f-3a0c5a3a7d11");
	assert_ptr_equal(config->places[1].ou, config->places[2].ou);
	clear(conf, &configs);
}

/* One bit each: 64 are taken, and one more is not. */
static void test_many_groups(void **state)
{
	struct certdir_placeholders_configs configs;
	struct certdir_conf *conf;
	struct certdir_error error;
	char text[8000] = WIFI;

	(void)state;
	for (int i = 0; i < 64; i++)
		(void)snprintf(text + strlen(text), 100, "group \"g%d\" = CN=%d,DC=x\n", i, i);
	conf = read_good(text, &configs);
	assert_int_equal(configs.sections[0].target_count, 64);
	clear(conf, &configs);
	(void)snprintf(text + strlen(text), 100, "group \"g64\" = CN=63,DC=x\nmember_of = CN=64,DC=x\n");
	assert_false(read_conf(text, &configs, &error));
	assert_non_null(strstr(error.text, ":69: group \"g63\" = CN=63,DC=x: a section has at most 64 groups"));
}

static void test_defaults(void **state)
{
	struct certdir_placeholders_configs configs;
	struct certdir_conf *conf = read_good(WIFI, &configs);
	const struct certdir_placeholders_config *config = configs.sections;

	(void)state;
	assert_int_equal(config->ldap.bind, CERTDIR_LDAP_BIND_SIMPLE);
	assert_string_equal(config->ldap.identity, "CN=certdir,DC=x");
	assert_string_equal(config->password_file, "/etc/certdir/wifi.password");
	assert_null(config->ldap.password);
	assert_null(config->ldap.require_cert);
	assert_int_equal(config->rules.kind, CERTDIR_PLACEHOLDER_COMPUTER);
	assert_int_equal(config->selection.join_types, CERTDIR_BIT(CERTDIR_JOIN_ENTRA));
	assert_true(config->selection.require_enabled);
	assert_false(config->selection.require_managed);
	assert_false(config->selection.require_compliant);
	assert_null(config->selection.groups);
	assert_null(config->selection.operating_systems);
	assert_string_equal(config->cn.text, "{entra_device_id}");
	/* What has no template is kept all the same: empty. */
	assert_int_equal(config->rules.column_count, 3);
	check_column(&config->rules.columns[0], "servicePrincipalName", "HOST/{cn} HOST/{cn}.{domain}", true, true);
	check_column(&config->rules.columns[1], "dNSHostName", "", true, false);
	check_column(&config->rules.columns[2], "description", "", false, false);
	assert_true(config->rules.enabled);
	assert_null(config->member_of);
	assert_false(config->rules.primary_group);
	assert_null(config->certificates);
	assert_null(config->certificate_issuer);
	assert_int_equal(config->mapping,
			 CERTDIR_BIT(CERTDIR_MAPPING_SKI) | CERTDIR_BIT(CERTDIR_MAPPING_ISSUER_SERIAL));
	assert_int_equal(config->max_age, 86400);
	assert_int_equal(config->rules.max_remove, 10);
	assert_int_equal(config->rules.delete_after, 30 * 86400);
	assert_string_equal(config->undo_directory, "/var/lib/certdir/undo");
	clear(conf, &configs);
}

static const char device[] = "[placeholders fleet]\n"
			     "server = ldap://127.0.0.1:3389\n" SIMPLE "ou = ou=devices,dc=example\n"
			     "kind = device\n"
			     "trust_types = ServerAd\n"
			     "object_class = device\n"
			     "object_class = ieee802Device\n"
			     "attribute = cn {name}\n"
			     "attribute = serialNumber\t {serial_number} \n"
			     "attribute = CN host/{name}\n"
			     "attribute = uid a{name}\n"
			     "attribute = uid b{name}\n"
			     "[placeholders kerberos]\n"
			     "server = ldap://ds1.example\n"
			     "bind = gssapi\n"
			     "keytab = /etc/certdir/fleet.keytab\n"
			     "start_tls = yes\n"
			     "ou = ou=others,dc=example\n"
			     "kind = device\n";

static void test_device(void **state)
{
	struct certdir_placeholders_configs configs;
	struct certdir_conf *conf = read_good(device, &configs);
	const struct certdir_placeholders_config *config = configs.sections;

	(void)state;
	assert_int_equal(configs.count, 2);
	assert_int_equal(config->rules.kind, CERTDIR_PLACEHOLDER_DEVICE);
	assert_string_equal(config->rules.mark_attribute, "description");
	assert_string_equal(config->rules.object_classes[0], "device");
	assert_string_equal(config->rules.object_classes[1], "ieee802Device");
	assert_null(config->rules.object_classes[2]);
	assert_int_equal(config->rules.column_count, 3);
	check_column(&config->rules.columns[0], "cn", "{cn} {name} host/{name}", true, false);
	check_column(&config->rules.columns[1], "serialNumber", "{serial_number}", false, false);
	check_column(&config->rules.columns[2], "uid", "a{name} b{name}", true, false);
	assert_int_equal(config->selection.join_types, CERTDIR_BIT(CERTDIR_JOIN_HYBRID));
	config++;
	/* Every device of the list: those without a trust type, too, as imports are. */
	assert_int_equal(config->selection.join_types, CERTDIR_BIT(CERTDIR_JOIN_TYPES) - 1);
	assert_int_equal(config->ldap.bind, CERTDIR_LDAP_BIND_GSSAPI);
	assert_string_equal(config->ldap.keytab, "/etc/certdir/fleet.keytab");
	assert_true(config->ldap.start_tls);
	assert_string_equal(config->rules.object_classes[0], "device");
	assert_null(config->rules.object_classes[1]);
	assert_int_equal(config->rules.column_count, 1);
	check_column(&config->rules.columns[0], "cn", "{cn}", true, false);
	clear(conf, &configs);
}

static void test_none(void **state)
{
	struct certdir_placeholders_configs configs;
	struct certdir_conf *conf = read_good("", &configs);

	(void)state;
	assert_int_equal(configs.count, 0);
	clear(conf, &configs);
}

/* ---- every option ---- */

static const struct {
	const char *key, *value;
	bool repeated;
} options[] = {
	{"server", "ldaps://dc1.corp.example/", true},
	{"bind", "simple", false},
	{"identity", "certdir@corp.example", false},
	{"password_file", "/p", false},
	{"keytab", "/k", false},
	{"start_tls", "no", false},
	{"ca_file", "/c", false},
	{"certificate_file", "/c", false},
	{"private_key_file", "/c", false},
	{"require_cert", "demand", false},
	{"ou", "OU=a,DC=b", false},
	{"kind", "device", false},
	{"trust_types", "Workplace", false},
	{"require_enabled", "yes", false},
	{"require_managed", "no", false},
	{"require_compliant", "no", false},
	{"require_group", "a", true},
	{"operating_systems", "Windows", false},
	{"name", "{name}", false},
	{"service_principal_name", "HOST/{cn}", true},
	{"description", "x", false},
	{"dns_host_name", "x", false},
	{"enabled", "yes", false},
	{"member_of", "CN=a,DC=b", false},
	{"primary_group", "no", false},
	{"object_class", "device", true},
	{"attribute", "uid {name}", true},
	{"certificates", "/c", true},
	{"certificate_issuer", "CN=a", false},
	{"mapping", "ski", false},
	{"max_age", "1d", false},
	{"max_remove", "1%", false},
	{"delete_after", "1h", false},
	{"undo_directory", "/u", false},
};

/* One that counts once stands there once, and one that is misspelt is none: both are said of the option itself. */
static void test_each_option(void **state)
{
	struct certdir_placeholders_configs configs;
	char text[2000], wanted[200];
	struct certdir_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const char *key = options[i].key;
		const bool of_device = strcmp(key, "object_class") == 0 || strcmp(key, "attribute") == 0;

		(void)snprintf(text, sizeof(text), "[placeholders a]\n%s = %s\n%s = %s\n%s", key, options[i].value, key,
			       options[i].value, of_device ? "kind = device\n" : "");
		assert_null(read_conf(text, &configs, &error));
		(void)snprintf(wanted, sizeof(wanted), ":3: %s stands in line 2 already, and only one can count", key);
		if (options[i].repeated)
			assert_null(strstr(error.text, "only one can count"));
		else if (!strstr(error.text, wanted))
			fail_msg("%s: %s", key, error.text);
		(void)snprintf(text, sizeof(text), "[placeholders a]\n%sx = %s\n" SERVER OU "%s", key, options[i].value,
			       of_device ? "kind = device\n" : "");
		assert_null(read_conf(text, &configs, &error));
		(void)snprintf(wanted, sizeof(wanted), ":2: [placeholders a] has no option %sx: did you mean %s?", key,
			       key);
		if (!strstr(error.text, wanted))
			fail_msg("%s: %s", key, error.text);
	}
}

/* ---- mistakes ---- */

#define NAME32 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define KNOWN "known are {entra_device_id}, {intune_device_id}, {name}, {serial_number}"
#define UNNAMED(key) "behind " key " stands a name in quotes: " key " \"NAME\" = ..; a name that has = or : in it"
#define DEVICE "[placeholders a]\n" SERVER OU "kind = device\n"

#define FORMS "write one or more of ski, sha1_pukey, issuer_serial with blanks between them"

static const struct {
	const char *text;
	const char *error; /* without "FILE:" */
} mistakes[] = {
	/* the section */
	{"[placeholders]\n" SERVER OU,
	 "1: this needs a name of your choice, which will stand in the marks: [placeholders wifi]"},
	{"[placeholders wi:fi]\n" SERVER OU,
	 "1: the name of [placeholders ..] has 1 to 32 letters, digits, dots, dashes and underscores"},
	{"[placeholders n" NAME32 "]\n" SERVER OU,
	 "1: the name of [placeholders ..] has 1 to 32 letters, digits, dots, dashes and underscores"},
	{"[placeholders a]\n" SERVER,
	 "1: [placeholders a] needs ou = OU=a,DC=corp,DC=example: an OU that nothing else uses"},
	{"[placeholders a]\n" SIMPLE OU, "1: [placeholders a] needs server = ldaps://dc1.corp.example"},
	{WIFI "attribute = uid x\nkind = devcie\nobject_class = x\n", "7: kind = devcie: did you mean device?"},
	/* the server */
	{WIFI "server = ldap://dc2.corp.example\n",
	 "6: server \"ldap://dc2.corp.example\" would get the password in clear text"},
	{"[placeholders a]\nserver = dc1.corp.example\n" SIMPLE OU,
	 "2: server \"ldap://dc1.corp.example:389\" would get the password in clear text: use ldaps:// or "
	 "start_tls = yes"},
	{"[placeholders a]\nserver = ldap://dc1.corp.example\n" SIMPLE OU "start_tsl = yes\n",
	 "6: [placeholders a] has no option start_tsl: did you mean start_tls?"},
	{WIFI "server = ldaps://DC1.corp.example\n", "6: server = ldaps://DC1.corp.example: this stands there twice"},
	{WIFI "server = ldaps://dc2/dc=corp\n", "6: server = ldaps://dc2/dc=corp: nothing follows the host and its "
						"port but a domain whose servers the DNS names, as in "
						"ldap:///dc=example,dc=com; where to look stands in ou = .."},
	{WIFI "server = https://dc2\n",
	 "6: server \"https://dc2\" is neither a host name nor one URI like ldaps://host:636"},
	{WIFI "server = ldaps://a ldaps://b\n",
	 "6: server = ldaps://a ldaps://b: one server in each line: write server = .. again for the next"},
	{WIFI "start_tls = yes\n",
	 "2: server \"ldaps://dc1.corp.example\": start_tls is for ldap:// only; set start_tls = no"},
	{WIFI "ca_file = ca.pem\n",
	 "6: ca_file is the name of a file and begins with /, as /etc/ssl/certs/ca-certificates.crt does"},
	{WIFI "ca_file = /nowhere/ca.pem\n",
	 "6: ca_file \"/nowhere/ca.pem\" cannot be read: No such file or directory"},
	{WIFI "certificate_file = @\n", "6: certificate_file needs private_key_file beside it; both may name one file"},
	{WIFI "private_key_file = @\n", "6: private_key_file needs certificate_file beside it; both may name one file"},
	{WIFI "require_cert = hart\n", "6: require_cert = hart: did you mean hard?"},
	{WIFI "password = hunter2\n", "6: a password does not belong into this file: put it alone into a file that "
				      "nobody else can read, and write password_file = /etc/certdir/wifi.password"},
	/* who we are */
	{"[placeholders a]\nserver = ldaps://dc1\n" OU,
	 "1: bind = simple needs identity and password_file: who reads or writes a directory says who it is"},
	{"[placeholders a]\nserver = ldaps://dc1\nbind = simple\nidentity = x\n" OU,
	 "3: bind = simple needs password_file beside identity: who reads or writes a directory says who it is"},
	{"[placeholders a]\nserver = ldaps://dc1\nbind = simple\npassword_file = /x\n" OU,
	 "3: bind = simple needs identity beside password_file: who reads or writes a directory says who it is"},
	{"[placeholders a]\nserver = ldaps://dc1\nidentity = x\npassword_file = hunter2\n" OU,
	 "4: password_file is the name of a file and begins with /, as /etc/certdir/wifi.password does"},
	{WIFI "keytab = /k\n", "6: keytab: this is for bind = gssapi"},
	{"[placeholders a]\nserver = ldap://dc1\nbind = gssapi\n" OU,
	 "3: bind = gssapi needs keytab = /etc/certdir/a.keytab or the like"},
	{"[placeholders a]\nserver = ldap://dc1\nbind = gssapi\nkeytab = /k\npassword_file = /x\n" OU,
	 "5: password_file: this is for bind = simple"},
	{"[placeholders a]\nserver = ldaps://dc1\nbind = external\n" OU,
	 "2: server = ldaps://dc1: bind = external needs certificate_file and private_key_file to say who we are, or "
	 "a server ldapi://.."},
	{"[placeholders a]\nserver = ldap://dc1\nbind = external\ncertificate_file = @\nprivate_key_file = @\n" OU,
	 "2: server = ldap://dc1: bind = external with a certificate needs TLS: use ldaps:// or start_tls = yes"},
	{"[placeholders a]\nserver = ldapi:///\nbind = external\nidentity = x\n" OU,
	 "4: identity: this is for bind = simple"},
	{WIFI "bind = sasl\n", "6: bind = sasl: known are simple, external, gssapi"},
	/* the OU */
	{"[placeholders a]\n" SERVER "ou = Wi-Fi\n",
	 "5: ou = Wi-Fi: this is no distinguished name, such as OU=Wi-Fi,DC=corp,DC=example"},
	{"[placeholders a]\n" SERVER "ou = /OU=Wi-Fi\n",
	 "5: ou = /OU=Wi-Fi: this is no distinguished name, such as OU=Wi-Fi,DC=corp,DC=example"},
	{"[placeholders a]\n" SERVER "ou = OU=a,,DC=b\n",
	 "5: ou = OU=a,,DC=b: this is no distinguished name, such as OU=Wi-Fi,DC=corp,DC=example"},
	{WIFI "[placeholders b]\n" SERVER "ou = ou=wi-fi, dc=CORP, dc=example\n",
	 "10: ou = ou=wi-fi, dc=CORP, dc=example: [placeholders wifi] in line 1 keeps OU=Wi-Fi,DC=corp,DC=example: "
	 "each needs an OU of its own that is not within the other"},
	{WIFI "[placeholders b]\nserver = ldaps://other\n" SIMPLE "ou = OU=a\\,b,OU=WI-FI,DC=corp,DC=example\n",
	 "10: ou = OU=a\\,b,OU=WI-FI,DC=corp,DC=example: [placeholders wifi] in line 1 keeps "
	 "OU=Wi-Fi,DC=corp,DC=example: each needs an OU of its own that is not within the other"},
	{WIFI "[placeholders b]\n" SERVER "ou = DC=corp,DC=example\n",
	 "10: ou = DC=corp,DC=example: [placeholders wifi] in line 1 keeps OU=Wi-Fi,DC=corp,DC=example: each needs "
	 "an OU of its own that is not within the other"},
	{"[placeholders a]\n" SERVER "ou = OU=Ger\u00e4te,DC=corp,DC=example\n"
	 "[placeholders b]\n" SERVER "ou = ou=GER\u00c4TE,dc=corp,dc=example\n",
	 "10: ou = ou=GER\u00c4TE,dc=corp,dc=example: [placeholders a] in line 1 keeps "
	 "OU=Ger\u00e4te,DC=corp,DC=example: "
	 "each needs an OU of its own that is not within the other"},
	/* which devices */
	{WIFI "trust_types = Azure\n", "6: trust_types = Azure: known are AzureAd (joined), ServerAd (hybrid joined), "
				       "Workplace (registered), none (not said), with commas between them"},
	{WIFI "require_managed = 1\n", "6: require_managed = 1: this is yes or no"},
	{WIFI "require_group = A\nrequire_group = a\n", "7: require_group = a: this stands there twice"},
	{WIFI "operating_systems = Windows,\n",
	 "6: operating_systems = Windows,: there is nothing before or behind a comma"},
	/* templates */
	{WIFI "name = {device_id}\n", "6: name = {device_id}: {device_id} is nothing that a device has: " KNOWN},
	{WIFI "name = {cn}\n", "6: name = {cn}: {cn} is nothing that a device has: " KNOWN},
	{WIFI "name = {name\n", "6: name = {name: a { and a } belong together, with a name between them, as in {name}"},
	{WIFI "service_principal_name = HOST/{cn}.{dns_domain}\n",
	 "6: service_principal_name = HOST/{cn}.{dns_domain}: {dns_domain} is nothing that a device has: " KNOWN
	 ", {cn}, {domain}"},
	{WIFI "description = }\n",
	 "6: description = }: a { and a } belong together, with a name between them, as in {name}"},
	/* computers */
	{WIFI "attribute = uid x\n", "6: attribute: this is for kind = device; a computer account has its own options"},
	{WIFI "kind = computer\nobject_class = device\n",
	 "7: object_class: this is for kind = device; a computer account has its own options"},
	{WIFI "primary_group = yes\n",
	 "6: primary_group = yes: member_of has to name the group, or group \"NAME\" = .. one "
	 "for the devices of each group of the list"},
	{WIFI "group Wi-Fi = CN=a,DC=x\n", "6: " UNNAMED("group")},
	{WIFI "group = CN=a,DC=x\n", "6: " UNNAMED("group")},
	{WIFI "group \"\" = CN=a,DC=x\n", "6: " UNNAMED("group")},
	{WIFI "group \"a=b\" = CN=a,DC=x\n", "6: " UNNAMED("group")},
	{WIFI "ou_of_tenant \"a: b\" = CN=a,DC=x\n", "6: " UNNAMED("ou_of_tenant")},
	{WIFI "group \"a\" = Wi-Fi\n", "6: group \"a\" = Wi-Fi: this is no distinguished name, such as CN=Wi-Fi "
				       "devices,OU=Groups,DC=corp,DC=example"},
	{WIFI "group \"a\" = CN=a,DC=x\ngroup \"A\" = cn=a, dc=x\n",
	 "7: group \"A\" = cn=a, dc=x: this stands there twice"},
	{WIFI "ou_of_group \"a\" = staff\n",
	 "6: ou_of_group \"a\" = staff: this is no distinguished name, such as OU=Staff,DC=corp,DC=example"},
	{WIFI "ou_of_group \"a\" = OU=a,DC=x\nou_of_group \"A\" = OU=b,DC=x\n",
	 "7: ou_of_group \"A\" stands in line 6 already, and only the first counts"},
	{WIFI "[placeholders office]\nserver = ldaps://dc1.corp.example\n" SIMPLE
	      "ou = OU=office,DC=corp,DC=example\nou_of_group \"a\" = OU=x,OU=Wi-Fi,DC=corp,DC=example\n",
	 "11: ou_of_group \"a\" = OU=x,OU=Wi-Fi,DC=corp,DC=example: [placeholders wifi] in line 1 keeps "
	 "OU=Wi-Fi,DC=corp,DC=example: each needs an OU of its own that is not within the other"},
	{DEVICE "group \"a\" = CN=a,DC=x\n", "7: group \"a\" = CN=a,DC=x: groups are for kind = computer"},
	{WIFI "member_of = Wi-Fi devices\n", "6: member_of = Wi-Fi devices: this is no distinguished name, such as "
					     "CN=Wi-Fi devices,OU=Groups,DC=corp,DC=example"},
	{WIFI "certificate_issuer = CN=a\n",
	 "6: certificate_issuer: there are no certificates = .. to make mappings of"},
	{WIFI "certificate_issuer = Example CA\ncertificates = /x\n",
	 "6: certificate_issuer = Example CA: this is no distinguished name, such as "
	 "CN=Example CA,DC=corp,DC=example"},
	{WIFI "certificates = certs\n",
	 "6: certificates = certs: this is the name of a file or directory and begins with /"},
	{WIFI "certificates = /x\nmapping = issuer-serial\n", "7: mapping = issuer-serial: " FORMS},
	{WIFI "certificates = /x\nmapping = ski public-key\n", "7: mapping = ski public-key: " FORMS},
	{WIFI "certificates = /x\nmapping = ,\n", "7: mapping = ,: " FORMS},
	/* devices */
	{DEVICE "service_principal_name = HOST/{cn}\n",
	 "7: service_principal_name: this is for kind = computer; write attribute = NAME TEMPLATE instead"},
	{DEVICE "certificates = /x\n",
	 "7: certificates: this is for kind = computer; write attribute = NAME TEMPLATE instead"},
	{DEVICE "description = {name}\n",
	 "7: description: this is for kind = computer; here the mark stands in description"},
	{DEVICE "attribute = Description {name}\n",
	 "7: attribute = Description {name}: the mark stands in description"},
	{DEVICE "attribute = userpassword {name}\n", "7: attribute = userpassword {name}: no password comes from a "
						     "template: everybody could guess it"},
	{DEVICE "attribute = objectClass x\n", "7: attribute = objectClass x: write object_class = .. instead"},
	{DEVICE "attribute = cn\n", "7: attribute = cn: an attribute's name and a template belong here, as in "
				    "serialNumber {serial_number}"},
	{DEVICE "attribute = {name}\n", "7: attribute = {name}: this is a name of letters, digits and dashes"},
	{DEVICE "attribute = cn;lang-en {name}\n",
	 "7: attribute = cn;lang-en {name}: this is a name of letters, digits and dashes"},
	{DEVICE "attribute = 2.5.4.3 {name}\n",
	 "7: attribute = 2.5.4.3 {name}: this is a name of letters, digits and dashes"},
	{DEVICE "attribute = cn {cn}\n", "7: attribute = cn {cn}: this stands there twice"},
	{DEVICE "attribute = uid {user}\n",
	 "7: attribute = uid {user}: {user} is nothing that a device has: " KNOWN ", {cn}, {domain}"},
	{DEVICE "object_class = device\nobject_class = DEVICE\n", "8: object_class = DEVICE: this stands there twice"},
	{DEVICE "object_class = 1.2.3\n", "7: object_class = 1.2.3: this is a name of letters, digits and dashes"},
	/* guards */
	{WIFI "max_age = 0\n", "6: max_age = 0: this is from 1s to 3650d"},
	{WIFI "max_remove = all\n", "6: max_remove = all: this is a whole number from 0% to 100%"},
	{WIFI "delete_after = never\n", "6: delete_after = never: this is a number with s, m, h or d for seconds, "
					"minutes, hours or days, such as 12h"},
	{WIFI "undo_directory = undo\n",
	 "6: undo_directory is the name of a file and begins with /, as /var/lib/certdir/undo does"},
	/* the first of several */
	{WIFI "max_remove = x\n[placeholders b]\n" SERVER "ou = x\nmax_age = y\n",
	 "6: max_remove = x: this is a whole number from 0% to 100%"},
};

static void test_mistakes(void **state)
{
	struct certdir_placeholders_configs configs;
	struct certdir_error error;
	char wanted[CERTDIR_TEXT_MAX];
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		if (read_conf(mistakes[i].text, &configs, &error))
			fail_msg("this is taken:\n%s", mistakes[i].text);
		length = (size_t)snprintf(wanted, sizeof(wanted), "%s:%s", file, mistakes[i].error);
		if (strncmp(error.text, wanted, length) != 0)
			fail_msg("wanted: %s\ngot:    %s", wanted, error.text);
		assert_null(strstr(error.text, "hunter2"));
		assert_int_equal(configs.count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_computer),    cmocka_unit_test(test_selection_and_guards),
		cmocka_unit_test(test_defaults),    cmocka_unit_test(test_device),
		cmocka_unit_test(test_none),	    cmocka_unit_test(test_each_option),
		cmocka_unit_test(test_mistakes),    cmocka_unit_test(test_groups),
		cmocka_unit_test(test_many_groups),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
