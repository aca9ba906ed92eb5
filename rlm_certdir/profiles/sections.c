/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/sections.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiles/specimen.h"
#include "text/canonical.h"

static const char *const fields[] = {"subject.cn", "subject.serialNumber", "san.dns", "san.uri", "san.upn"};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

/* What stands where in the certificates of one CA. */
struct places {
	uint32_t types[FIELDS]; /* CERTDIR_BIT(type) */
	bool ids[FIELDS]; /* an id that the profile put there */
	bool others[FIELDS]; /* what the device or its user chose */
	bool person; /* a UPN where it is read */
};

static size_t field_of(const char *from)
{
	size_t i = 0;

	while (i < FIELDS && strcmp(fields[i], from) != 0)
		i++;
	return i;
}

/* The only variable of a text, or NULL. */
static const struct certdir_variable *only_variable(const char *text)
{
	const char *at = text, *name, *more;
	size_t length, more_length;

	if (!certdir_variable_next(&at, &name, &length) || certdir_variable_next(&at, &more, &more_length))
		return NULL;
	return certdir_variable_find(name, length);
}

static bool is_id(const struct certdir_variable *variable)
{
	return variable->type == CERTDIR_ID_ENTRA || variable->type == CERTDIR_ID_INTUNE;
}

/* The types that identities of a single name have which are what its variable is; 0: certdir reads it as something else. */
static uint32_t read_types(const struct certdir_profile_name *name, const struct certdir_variable *variable)
{
	const struct certdir_profile alone = {.names = name, .name_count = 1};
	struct certdir_certificate certificate;
	struct certdir_error error;
	uint32_t types = 0;

	if (certdir_specimen_read(&certificate, &alone, NULL, NULL, &error))
		for (size_t i = 0; i < certificate.count; i++)
			if (certdir_specimen_is(&certificate.identities[i], variable))
				types |= CERTDIR_BIT(is_id(variable) ? variable->type : certificate.identities[i].type);
	certdir_certificate_clear(&certificate);
	return types;
}

/* A pattern for the value of the variable in `text`. What patterns or the configuration would take for something else stands in brackets. */
static void print_pattern(FILE *out, const char *text)
{
	for (; *text; text++) {
		const char *end = strncmp(text, "{{", 2) == 0 ? strstr(text, "}}") : NULL;

		if (end) {
			(void)fputs("(.+)", out);
			text = end + 1;
		} else if (isalnum((unsigned char)*text) || strchr(" -_:/,;=@", *text) ||
			   (unsigned char)*text >= 0x80) {
			(void)fputc(*text, out);
		} else {
			(void)fputc('.', out);
		}
	}
}

static void print_form(FILE *out, const struct certdir_profile_name *name, const struct certdir_variable *variable,
		       size_t *number)
{
	(void)fprintf(out, "form intune%zu {\n\tfrom = \"%s\"\n\tpattern = \"^", ++*number, name->from);
	print_pattern(out, name->text);
	(void)fprintf(out, "$\"\n\ttype = %s\n}\n", certdir_identity_type_name(variable->type));
}

/* Notes where a name stands, and prints a form for it where it takes one. */
static void place(struct places *places, const struct certdir_profile_name *name, FILE *out, size_t *number)
{
	const struct certdir_variable *variable = only_variable(name->text);
	const size_t field = field_of(name->from);
	uint32_t types;

	if (field == FIELDS)
		return;
	places->person |= variable && variable->type == CERTDIR_ID_UPN && strcmp(name->from, "san.upn") == 0;
	if (!variable || variable->type == CERTDIR_ID_TYPES || variable->type == CERTDIR_ID_UPN) {
		places->others[field] |= strstr(name->text, "{{") != NULL;
		return;
	}
	types = read_types(name, variable);
	if (!types && variable->type != CERTDIR_ID_SID_URI)
		print_form(out, name, variable, number);
	if (!types)
		types = CERTDIR_BIT(variable->type);
	places->types[field] |= types;
	if (is_id(variable))
		places->ids[field] = true;
	else if (variable->type != CERTDIR_ID_SID_URI)
		places->others[field] = true;
}

/* name = "subject.cn san.uri", where it stands anywhere. */
static void print_places(FILE *out, const struct places *places, enum certdir_identity_type type)
{
	bool first = true;

	for (size_t i = 0; i < FIELDS; i++) {
		/* A SID confirms; where the CA vouches for what stands there, it would say who it is. */
		if (!(places->types[i] & CERTDIR_BIT(type)) ||
		    (type == CERTDIR_ID_SID_URI && places->ids[i] && !places->others[i]))
			continue;
		if (first)
			(void)fprintf(out, "\t%s = \"%s", certdir_identity_type_name(type), fields[i]);
		else
			(void)fprintf(out, " %s", fields[i]);
		first = false;
	}
	if (!first)
		(void)fputs("\"\n", out);
}

static void print_vouched(FILE *out, const struct places *places)
{
	bool first = true;

	for (size_t i = 0; i < FIELDS; i++) {
		if (!places->ids[i] || places->others[i])
			continue;
		(void)fprintf(out, first ? "\tvouched = \"%s" : " %s", fields[i]);
		first = false;
	}
	if (!first)
		(void)fputs("\"\n", out);
}

static void print_issuer(FILE *out, const char *issuer)
{
	(void)fputs("\tissuer = \"", out);
	for (; *issuer; issuer++) {
		if (*issuer == '"' || *issuer == '\\')
			(void)fputc('\\', out);
		(void)fputc(*issuer, out);
	}
	(void)fputs("\"\n", out);
}

/* The issuer of a profile's certificates, malloc'ed; "" = not known, NULL when memory is out. */
static char *issuer_of(const struct certdir_profiles *profiles, const struct certdir_profile *profile)
{
	const char *root = certdir_specimen_issuer(profiles, profile);

	if (!root && profile->ca)
		return certdir_print("CN=%s", profile->ca);
	return strdup(root ? root : "");
}

/* One section for all profiles of the CA; `number` counts sections and forms. */
static bool print_section(FILE *out, const struct certdir_profiles *profiles, const char *issuer, size_t *number)
{
	struct places places = {0};
	uint32_t types = 0;

	(void)fputc('\n', out);
	for (size_t i = 0; i < profiles->count; i++) {
		const struct certdir_profile *profile = &profiles->items[i];
		char *other = certdir_profile_issues(profile) ? issuer_of(profiles, profile) : NULL;

		if (certdir_profile_issues(profile) && !other)
			return false;
		if (other && strcmp(other, issuer) == 0) {
			(void)fprintf(out, "# %s\n", profile->name);
			for (size_t n = 0; n < profile->name_count; n++)
				place(&places, &profile->names[n], out, number);
		}
		free(other);
	}
	for (size_t i = 0; i < FIELDS; i++)
		types |= places.types[i];
	if (!types && !places.person) {
		(void)fputs("# (they name no device)\n", out);
		return true;
	}
	(void)fprintf(out, "certificates intune%zu {\n", ++*number);
	if (*issuer)
		print_issuer(out, issuer);
	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++)
		print_places(out, &places, (enum certdir_identity_type)type);
	print_vouched(out, &places);
	if (!types)
		(void)fputs("\tholder = user\n\tupn = \"san.upn\"\n", out);
	(void)fputs("}\n", out);
	return true;
}

/* Whether an earlier profile has this issuer. */
static bool was_printed(const struct certdir_profiles *profiles, size_t before, const char *issuer)
{
	bool is = false;

	for (size_t i = 0; !is && i < before; i++) {
		char *other =
			certdir_profile_issues(&profiles->items[i]) ? issuer_of(profiles, &profiles->items[i]) : NULL;

		is = other && strcmp(other, issuer) == 0;
		free(other);
	}
	return is;
}

/* One without an issuer takes every certificate, so it comes last. */
static bool print_all(FILE *out, const struct certdir_profiles *profiles, bool known, size_t *number)
{
	bool ok = true;

	for (size_t i = 0; ok && i < profiles->count; i++) {
		char *issuer =
			certdir_profile_issues(&profiles->items[i]) ? issuer_of(profiles, &profiles->items[i]) : NULL;

		if (certdir_profile_issues(&profiles->items[i]))
			ok = issuer && ((*issuer != '\0') != known || was_printed(profiles, i, issuer) ||
					print_section(out, profiles, issuer, number));
		free(issuer);
	}
	return ok;
}

char *certdir_sections_print(const struct certdir_profiles *profiles)
{
	char *text = NULL;
	size_t size, number = 0;
	FILE *out = open_memstream(&text, &size);
	bool ok = out && print_all(out, profiles, true, &number) && print_all(out, profiles, false, &number);

	if (out && fclose(out) == 0 && ok)
		return text;
	free(text);
	return NULL;
}
