/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/ldap_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ldap/srv.h"
#include "text/dn.h"

static const struct certdir_conf_entry *entry_of(const struct certdir_ldap_conf *in, const char *key)
{
	return certdir_conf_entry(in->section, key);
}

bool certdir_ldap_conf_dn(const char *text)
{
	/* Comparing is how others find out, too: what is no DN does not even equal itself. */
	return text[0] != '/' && certdir_dn_equal(text, text);
}

/* Refuses the first of these options that is there. */
static bool refuse_options(const struct certdir_ldap_conf *in, const char *const *keys, const char *why)
{
	for (; *keys; keys++)
		if (entry_of(in, *keys))
			return certdir_conf_refuse(in->section, entry_of(in, *keys)->line, "%s: %s", *keys, why);
	return true;
}

void certdir_ldap_conf_read(const struct certdir_ldap_conf *in)
{
	static const char *const binds[] = {"simple", "external", "gssapi", NULL};
	static const char *const requirements[] = {"never", "allow", "try", "demand", "hard", NULL};
	struct certdir_conf_section *section = in->section;
	struct certdir_ldap_config *ldap = in->ldap;
	size_t bind = CERTDIR_LDAP_BIND_SIMPLE, requirement = 4;
	const char **servers = NULL;

	certdir_conf_refuse_secret(section, "password", "a password", "password");
	certdir_conf_repeated(section, "server", "this", &servers);
	ldap->servers = servers;
	certdir_conf_word(section, "bind", binds, &bind);
	ldap->bind = (enum certdir_ldap_bind)bind;
	certdir_conf_text(section, "identity", &ldap->identity);
	certdir_conf_path(section, "password_file", in->password_file, "/etc/certdir/wifi.password");
	certdir_conf_path(section, "keytab", &ldap->keytab, "/etc/certdir/wifi.keytab");
	certdir_conf_yes_no(section, "start_tls", &ldap->start_tls);
	certdir_conf_path(section, "ca_file", &ldap->ca_file, "/etc/ssl/certs/ca-certificates.crt");
	certdir_conf_path(section, "certificate_file", &ldap->certificate_file, "/etc/certdir/wifi.pem");
	certdir_conf_path(section, "private_key_file", &ldap->private_key_file, "/etc/certdir/wifi.key");
	certdir_conf_word(section, "require_cert", requirements, &requirement);
	if (entry_of(in, "require_cert"))
		ldap->require_cert = requirements[requirement];
}

/* What each way of binding needs, and what it has no use for. */
static bool check_bind(const struct certdir_ldap_conf *in)
{
	static const char *const of_simple[] = {"identity", "password_file", NULL};
	static const char *const of_gssapi[] = {"keytab", NULL};
	const struct certdir_conf_entry *bind = entry_of(in, "bind");
	const int line = bind ? bind->line : in->section->line;
	bool ok = true;

	if (in->ldap->bind != CERTDIR_LDAP_BIND_SIMPLE)
		ok &= refuse_options(in, of_simple, "this is for bind = simple");
	else if (!in->ldap->identity || !*in->password_file)
		ok = certdir_conf_refuse(in->section, line,
					 "bind = simple needs %s: who reads or writes a directory says who it is",
					 in->ldap->identity   ? "password_file beside identity"
					 : *in->password_file ? "identity beside password_file"
							      : "identity and password_file");
	if (in->ldap->bind != CERTDIR_LDAP_BIND_GSSAPI)
		ok &= refuse_options(in, of_gssapi, "this is for bind = gssapi");
	else if (!in->ldap->keytab)
		ok = certdir_conf_refuse(in->section, line,
					 "bind = gssapi needs keytab = /etc/certdir/%.32s.keytab or the like",
					 in->section->name);
	return ok;
}

static bool check_key(const struct certdir_ldap_conf *in)
{
	const struct certdir_conf_entry *certificate = entry_of(in, "certificate_file");
	const struct certdir_conf_entry *key = entry_of(in, "private_key_file");

	if (!certificate == !key)
		return true;
	return certdir_conf_refuse(in->section, certificate ? certificate->line : key->line,
				   "%s needs %s beside it; both may name one file",
				   certificate ? "certificate_file" : "private_key_file",
				   certificate ? "private_key_file" : "certificate_file");
}

/* With EXTERNAL it is TLS or the socket that says who we are. */
static bool check_external(const struct certdir_ldap_conf *in, const struct certdir_conf_entry *server)
{
	if (strncasecmp(server->value, "ldapi://", 8) == 0)
		return true;
	if (!in->ldap->certificate_file)
		return certdir_conf_refuse_value(in->section, server,
						 "bind = external needs certificate_file and private_key_file to say "
						 "who we are, or a server ldapi://..");
	return in->ldap->start_tls || strncasecmp(server->value, "ldaps://", 8) == 0 ||
	       certdir_conf_refuse_value(in->section, server,
					 "bind = external with a certificate needs TLS: use ldaps:// or "
					 "start_tls = yes");
}

static bool check_server(const struct certdir_ldap_conf *in, const struct certdir_conf_entry *server)
{
	struct certdir_ldap_config ldap = *in->ldap;
	const struct certdir_conf_entry *at = server;
	const char *path = strstr(server->value, "://");
	char domain[CERTDIR_DOMAIN_MAX + 1];
	const bool is_domain = certdir_ldap_srv_domain(server->value, domain);
	struct certdir_error why;
	char *uri;
	bool ok;

	if (!is_domain && strpbrk(server->value, " ,;"))
		return certdir_conf_refuse_value(in->section, server,
						 "one server in each line: write server = .. again for the next");
	path = path && strncasecmp(server->value, "ldapi", 5) != 0 ? strpbrk(path + 3, "/?") : NULL;
	if (!is_domain && path && path[1])
		return certdir_conf_refuse_value(
			in->section, server,
			"nothing follows the host and its port but a domain whose servers the "
			"DNS names, as in ldap:///dc=example,dc=com; where to look stands in %s = ..",
			in->where);
	/* What is in these files is read later; whatever the password is, it must not be sent in clear text. */
	ldap.keytab = NULL;
	if (ldap.bind == CERTDIR_LDAP_BIND_SIMPLE)
		ldap.password = *in->password_file;
	uri = certdir_ldap_uri(server->value, 0);
	if (!uri)
		return certdir_conf_no_memory(in->section);
	ok = certdir_ldap_connection_check(uri, &ldap, &why);
	free(uri);
	if (ok)
		return true;
	/* Of several servers it is this one that is at fault. */
	if (why.about && strcmp(why.about, server->key) != 0)
		at = entry_of(in, why.about);
	return certdir_conf_refuse(in->section, at ? at->line : server->line, "%s", why.text);
}

bool certdir_ldap_conf_check(const struct certdir_ldap_conf *in)
{
	bool ok = check_bind(in) & check_key(in);

	for (size_t i = 0; i < in->section->count && ok; i++) {
		const struct certdir_conf_entry *server = &in->section->entries[i];

		if (strcmp(server->key, "server") != 0)
			continue;
		if (in->ldap->bind == CERTDIR_LDAP_BIND_EXTERNAL)
			ok = check_external(in, server);
		ok = ok && check_server(in, server);
	}
	return ok;
}
