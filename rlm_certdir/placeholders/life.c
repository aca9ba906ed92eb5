/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/life.h"

#include <string.h>
#include <strings.h>

#include "directory/ldap_entry.h"
#include "placeholders/value.h"
#include "text/timestamp.h"

/* Seconds that a password may be set after its account was made and still be the one that it was made with. */
enum { SLACK = 10 };
enum { SERVER_TRUST = 0x2000, PARTIAL_SECRETS = 0x4000000 };
enum { TIMES = 2 /* attributes that every account has, and the others behind them are signs */, SHOWN = 80 };

static const char spn[] = "servicePrincipalName", created[] = "whenCreated", password[] = "pwdLastSet";

const char *const certdir_life_attributes[] = {
	created, password,
	/* The computer writes these itself when it starts. */
	"operatingSystem", "operatingSystemVersion",
	/* A hybrid join writes the first, Windows Hello and the second way of that join the other. */
	"userCertificate", "msDS-KeyCredentialLink",
	/* Windows LAPS and the LAPS before it keep the password of a local administrator. */
	"msLAPS-PasswordExpirationTime", "ms-Mcs-AdmPwdExpirationTime", NULL};

/* ---- words ---- */

/* "operatingSystem Windows 11"; without a value that is no text or too long to be shown. */
static const char *show(const struct certdir_ldap_value *value, const char *attribute, const char *more,
			struct certdir_arena *arena)
{
	const char *text = value->length <= SHOWN ? certdir_value_text(arena, value) : NULL;

	return certdir_arena_print(arena, "%s%s%s%s", attribute, text ? " " : "", text ? text : "", more);
}

/* ---- service principal names ---- */

/* Whether a template writes names of this class; one that has no class of its own may write any. */
static bool writes_class(const char *template, const char *class, size_t length)
{
	const size_t own = strcspn(template, "/");

	return memchr(template, '{', own) || (own == length && strncasecmp(template, class, length) == 0);
}

/*
 * A class that Windows registers for a computer that was joined. Others tell nothing: an earlier template of the section may have written
 * what those of today do not, and an account that was taken for a computer by that would not be disabled any more.
 */
static bool is_of_computer(const struct certdir_plan_rules *rules, const struct certdir_ldap_value *value)
{
	static const char *const classes[] = {"RestrictedKrbHost", "TERMSRV", "WSMAN"};
	const char *name = (const char *)value->bytes, *slash = memchr(name, '/', value->length);
	const size_t length = slash ? (size_t)(slash - name) : value->length;
	size_t c = 0;

	while (c < 3 && !(strlen(classes[c]) == length && strncasecmp(name, classes[c], length) == 0))
		c++;
	if (c == 3)
		return false;
	for (size_t i = 0; i < rules->column_count; i++) {
		const struct certdir_column *column = &rules->columns[i];

		for (size_t t = 0; strcasecmp(column->attribute, spn) == 0 && t < column->template_count; t++)
			if (writes_class(column->templates[t].text, name, length))
				return false;
	}
	return true;
}

/* ---- what it is ---- */

/*
 * Managed service accounts are computers to the schema (MS-ADSC), and domain controllers are told apart by a bit alone (MS-ADTS 2.2.16:
 * SERVER_TRUST_ACCOUNT, PARTIAL_SECRETS_ACCOUNT). Both may stand in the OU as a script's account would, without any other sign.
 */
static const char *kind_sign(const struct certdir_ldap_value *value, struct certdir_arena *arena)
{
	static const char managed[] = "ManagedServiceAccount";
	const size_t length = sizeof(managed) - 1;
	uint32_t control;

	if (certdir_value_of(value, "objectClass") && value->length >= length &&
	    strncasecmp((const char *)value->bytes + value->length - length, managed, length) == 0)
		return show(value, "objectClass", "", arena);
	if (certdir_value_of(value, "userAccountControl") && certdir_value_flags(value, &control) &&
	    control & (SERVER_TRUST | PARTIAL_SECRETS))
		return show(value, "userAccountControl", ", as domain controllers have it", arena);
	return NULL;
}

/* ---- the password ---- */

/* MS-ADA3 2.174: of an account that never had a password, or must change it, pwdLastSet is 0. */
static const char *password_sign(const struct certdir_ldap_value *made, const struct certdir_ldap_value *set,
				 struct certdir_arena *arena)
{
	char when[CERTDIR_TIMESTAMP_SIZE], since[CERTDIR_TIMESTAMP_SIZE];
	const int64_t begin = made ? certdir_ldap_generalized_time(made) : 0;
	int64_t filetime, time;

	if (begin == 0)
		return "its whenCreated cannot be read";
	if (!set || !certdir_ldap_integer(set, &filetime))
		return "its pwdLastSet cannot be read";
	time = certdir_ldap_unix_time(filetime);
	if (filetime == 0 || time <= begin + SLACK)
		return NULL;
	certdir_timestamp_print(time, when);
	certdir_timestamp_print(begin, since);
	return certdir_arena_print(arena, "its password was set at %s, and the account was made at %s", when, since);
}

/* ---- the entry ---- */

/* A placeholder has a few values of each attribute: one with so many that the server shows only some is something else by now. */
static const char *pieces_sign(const struct certdir_ldap_entry *entry, struct certdir_arena *arena)
{
	const char *options = memchr(entry->pieces, ';', entry->pieces_length);
	const size_t length = options ? (size_t)(options - entry->pieces) : entry->pieces_length;

	return certdir_arena_print(arena, "its %.*s has more values than the server gives at once", (int)length,
				   entry->pieces);
}

static const char *value_sign(const struct certdir_plan_rules *rules, const struct certdir_ldap_value *value,
			      struct certdir_arena *arena)
{
	if (certdir_value_of(value, spn))
		return is_of_computer(rules, value)
			       ? show(value, spn, ", which Windows registers for a joined computer", arena)
			       : NULL;
	for (size_t i = TIMES; certdir_life_attributes[i]; i++)
		if (certdir_value_of(value, certdir_life_attributes[i]))
			return show(value, certdir_life_attributes[i], "", arena);
	return kind_sign(value, arena);
}

const char *certdir_life_find(const struct certdir_plan_rules *rules, const struct certdir_ldap_entry *entry,
			      struct certdir_arena *arena)
{
	const struct certdir_ldap_value *made = NULL, *set = NULL;
	const char *sign = NULL;

	for (size_t i = 0; i < entry->count && !sign; i++) {
		const struct certdir_ldap_value *value = &entry->values[i];

		if (certdir_value_of(value, created))
			made = value;
		else if (certdir_value_of(value, password))
			set = value;
		else
			sign = value_sign(rules, value, arena);
	}
	if (!sign && entry->pieces)
		sign = pieces_sign(entry, arena);
	return sign ? sign : password_sign(made, set, arena);
}
