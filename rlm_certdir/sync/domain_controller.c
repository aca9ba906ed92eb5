/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/domain_controller.h"

#include "directory/ldap_entry.h"
#include "ldap/operation.h"
#include "text/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTIVE_DIRECTORY "1.2.840.113556.1.4.800" /* LDAP_CAP_ACTIVE_DIRECTORY_OID, MS-ADTS 3.1.1.3.4.3.1 */

enum { INVOCATION = 32 }; /* hexadecimal digits of an invocationId */

struct root {
	struct certdir_domain_controller *controller;
	char *service; /* DN of what describes the server, or NULL */
	int64_t usn; /* -1 = not said */
	char invocation[INVOCATION + 1];
	bool memory;
};

static bool take_root(void *context, const struct certdir_ldap_entry *entry)
{
	struct root *root = context;
	const struct certdir_ldap_value *value;
	size_t count, i = 0;

	while ((value = certdir_ldap_entry_next(entry, "supportedCapabilities", &i)) != NULL)
		if (value->length == strlen(ACTIVE_DIRECTORY) &&
		    memcmp(value->bytes, ACTIVE_DIRECTORY, value->length) == 0)
			root->controller->active_directory = true;
	value = certdir_ldap_entry_only(entry, "highestCommittedUSN", &count);
	if (!value || !certdir_ldap_integer(value, &root->usn) || root->usn < 0)
		root->usn = -1;
	value = certdir_ldap_entry_only(entry, "dsServiceName", &count);
	if (!value || !certdir_ldap_text_valid((const char *)value->bytes, value->length))
		return true;
	root->service = strndup((const char *)value->bytes, value->length);
	root->memory = root->service;
	return root->memory;
}

static bool take_service(void *context, const struct certdir_ldap_entry *entry)
{
	struct root *root = context;
	size_t count;
	const struct certdir_ldap_value *value = certdir_ldap_entry_only(entry, "invocationId", &count);

	if (value && value->length == INVOCATION / 2)
		certdir_hex_print(value->bytes, value->length, root->invocation);
	return true;
}

/* Who may not read it has no cursor, and lists all each time. */
static bool read_service(struct root *root, struct certdir_ldap_connection *connection, struct certdir_error *error)
{
	static const char *const attributes[] = {"invocationId", NULL};
	const struct certdir_ldap_query listing = {.base = root->service,
						   .scope = CERTDIR_LDAP_BASE,
						   .filter = "(objectClass=*)",
						   .attributes = attributes};
	const enum certdir_ldap_status status = certdir_ldap_list(connection, &listing, take_service, root, error);

	return status == CERTDIR_LDAP_OK || status == CERTDIR_LDAP_NO_OBJECT || status == CERTDIR_LDAP_DENIED;
}

bool certdir_domain_controller_read(struct certdir_domain_controller *controller,
				    struct certdir_ldap_connection *connection, struct certdir_error *error)
{
	static const char *const attributes[] = {"supportedCapabilities", "highestCommittedUSN", "dsServiceName", NULL};
	const struct certdir_ldap_query listing = {
		.base = "", .scope = CERTDIR_LDAP_BASE, .filter = "(objectClass=*)", .attributes = attributes};
	struct root root = {.controller = controller, .usn = -1};
	bool ok;

	*controller = (struct certdir_domain_controller){.active_directory = false};
	ok = certdir_ldap_list(connection, &listing, take_root, &root, error) == CERTDIR_LDAP_OK;
	if (ok && controller->active_directory && root.service && root.usn >= 0)
		ok = read_service(&root, connection, error);
	if (ok && root.invocation[0])
		(void)snprintf(controller->cursor, sizeof(controller->cursor), "%s:%" PRId64, root.invocation,
			       root.usn);
	free(root.service);
	return ok;
}

bool certdir_domain_controller_counts(const struct certdir_domain_controller *controller, const char *cursor)
{
	/* A count that is behind where it was is that of a controller which was set back without saying so. */
	return controller->cursor[0] && strncmp(controller->cursor, cursor, INVOCATION + 1) == 0 &&
	       strtoll(controller->cursor + INVOCATION + 1, NULL, 10) >= strtoll(cursor + INVOCATION + 1, NULL, 10);
}

char *certdir_domain_controller_changes(const char *filter, const char *cursor)
{
	return certdir_print("(&%s(uSNChanged>=%lld))", filter, strtoll(cursor + INVOCATION + 1, NULL, 10) + 1);
}
