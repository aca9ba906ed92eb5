/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/issued.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "identity/windows_name.h"
#include "placeholders/config.h"
#include "text/dn.h"

static void add_id(struct certdir_certificate *certificate, enum certdir_identity_type type, char *value)
{
	if (value)
		certificate->identities[certificate->count++] = (struct certdir_identity){
			.type = type, .value = value, .from = "table", .rank = CERTDIR_RANK_VOUCHED};
}

void certdir_issued_certificate(const struct certdir_issued *row, const char *tenant,
				struct certdir_certificate *certificate)
{
	*certificate = (struct certdir_certificate){.issuer = row->issuer,
						    .serial = row->serial,
						    .thumbprint = row->thumbprint,
						    .tenant = (char *)(uintptr_t)tenant,
						    .not_before = row->not_before,
						    .not_after = row->not_after,
						    .client_auth = true};
	add_id(certificate, CERTDIR_ID_INTUNE, row->intune_device_id);
	add_id(certificate, CERTDIR_ID_ENTRA, row->entra_device_id);
}

/* ---- the issuer ---- */

/*
 * What can be read in two ways: .NET, which writes Intune's table, escapes nothing with a backslash and quotes values with "+", ";", "#" or
 * "=" in them, so that outside of quotes they are somebody else's syntax; "?" and U+FFFD stand where a letter was lost; "<" may end the issuer
 * in a mapping.
 */
static bool has_doubtful(const char *text)
{
	bool quoted = false, valued = false;

	for (; *text; text++) {
		quoted ^= *text == '"';
		if (strchr("\\?<", *text) || (!quoted && strchr("+;#", *text)) || strncmp(text, "\xef\xbf\xbd", 3) == 0)
			return true;
		if (!quoted && *text == '=' && valued)
			return true;
		if (!quoted)
			valued = *text == '=' || (valued && *text != ',');
	}
	return false;
}

/*
 * A mapping has the name from the root down, so it must be known which end of the text that is: a CA's own name comes first, or else the
 * country or domain comes last.
 */
static bool is_order_known(const struct certdir_dn *name)
{
	const char *first = name->pairs[0].type, *last = name->pairs[name->count - 1].type;
	const bool first_is_cn = strcasecmp(first, "CN") == 0, last_is_cn = strcasecmp(last, "CN") == 0;

	if (name->count == 1)
		return true;
	if (first_is_cn || last_is_cn)
		return !last_is_cn;
	return (strcasecmp(last, "C") == 0 || strcasecmp(last, "DC") == 0) && strcasecmp(first, last) != 0;
}

static bool is_exact(const char *issuer)
{
	struct certdir_dn name = {.text = NULL};
	char *windows = NULL;
	const bool exact = *issuer != '/' && !has_doubtful(issuer) && certdir_dn_parse(&name, issuer) &&
			   is_order_known(&name) && certdir_windows_name(issuer, &windows) && windows;

	certdir_dn_clear(&name);
	free(windows);
	return exact;
}

enum certdir_unmapped certdir_issued_judge(const struct certdir_issued *row, uint32_t forms, int64_t now)
{
	if (row->revoked)
		return CERTDIR_UNMAPPED_REVOKED;
	if (row->not_after && now > row->not_after)
		return CERTDIR_UNMAPPED_EXPIRED;
	if (!(forms & CERTDIR_BIT(CERTDIR_MAPPING_ISSUER_SERIAL)))
		return CERTDIR_UNMAPPED_FORM;
	if (!row->serial || !row->issuer)
		return CERTDIR_UNMAPPED_NUMBER;
	return is_exact(row->issuer) ? CERTDIR_UNMAPPED_NOT : CERTDIR_UNMAPPED_ISSUER;
}
