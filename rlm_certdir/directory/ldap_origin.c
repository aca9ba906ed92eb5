/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "directory/ldap.h"

static void line(FILE *to, const char *option, const char *value)
{
	fprintf(to, "%s = %s\n", option, value ? value : "");
}

char *certdir_ldap_directory_origin(const struct certdir_ldap_directory_config *config)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	for (const char *const *server = config->server.servers; server && *server; server++)
		line(to, "server", *server);
	fprintf(to, "port = %u\n", (unsigned)config->server.port);
	fprintf(to, "bind = %d\n", (int)config->server.bind);
	line(to, "identity", config->server.identity);
	line(to, "keytab", config->server.keytab);
	line(to, "certificate_file", config->server.certificate_file);
	line(to, "base_dn", config->base_dn);
	line(to, "filter", config->filter);
	line(to, "scope", config->scope);
	line(to, "group_base_dn", config->group_base_dn);
	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++)
		line(to, certdir_identity_type_name((enum certdir_identity_type)type), config->attributes[type]);
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}
