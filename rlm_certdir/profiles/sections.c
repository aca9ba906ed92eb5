/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/sections.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiles/specimen.h"

static const char *const fields[] = {
	"subject.cn", "subject.serialNumber", "subject.emailAddress", "san.dns", "san.uri", "san.upn", "san.email"};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

/* Whose certificates a section is for: one that names a device is the device's, whoever else it names. */
enum part { DEVICES, PEOPLE, PARTS };

/* Of each profile the CA, "" = not known, NULL = it makes no certificates; and the part. */
struct makers {
	const struct certdir_profiles *profiles;
	struct certdir_arena arena;
	const char **cas;
	enum part *parts;
};

/* The profiles of one CA and part, and what stands where in their certificates. */
struct section {
	const struct makers *makers;
	const char *ca;
	enum part part;
	const char *eku; /* that they have and those of the other part have not; or NULL */
	uint32_t types[FIELDS]; /* CERTDIR_BIT(type) */
	bool ids[FIELDS]; /* an id that the profile put there */
	bool others[FIELDS]; /* what the device or its user chose */
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

/* A variable and nothing else. */
static bool is_whole(const char *text)
{
	return strncmp(text, "{{", 2) == 0 && strstr(text, "}}")[2] == '\0';
}

/* A number that is all of the value is read where a section places it. A form would refuse what is none in other certificates. */
static bool is_number(const char *text, enum certdir_identity_type type)
{
	return is_whole(text) && (type == CERTDIR_ID_SERIAL || type == CERTDIR_ID_IMEI || type == CERTDIR_ID_MEID ||
				  type == CERTDIR_ID_WIFI_MAC);
}

/* What a section for people calls it, as 1 << type; 0: nobody is looked up by it there. */
static uint32_t personal_types(const struct certdir_profile_name *name, const struct certdir_variable *variable)
{
	if (variable->type == CERTDIR_ID_SID_URI)
		return read_types(name, variable) ? CERTDIR_BIT(CERTDIR_ID_USER_SID) : 0;
	/* These two are nobody's where no section places them. */
	if ((variable->type == CERTDIR_ID_USER_NAME && strcmp(name->from, "subject.cn") == 0 && is_whole(name->text)) ||
	    (variable->type == CERTDIR_ID_MAIL && is_whole(name->text) &&
	     (strcmp(name->from, "san.email") == 0 || strcmp(name->from, "subject.emailAddress") == 0)))
		return CERTDIR_BIT(variable->type);
	return read_types(name, variable) & CERTDIR_PERSONS;
}

/* Notes where a name stands, and prints a form for it where it takes one. */
static void place(struct section *section, const struct certdir_profile_name *name, FILE *out, size_t *number)
{
	const struct certdir_variable *variable = only_variable(name->text);
	const size_t field = field_of(name->from);
	uint32_t types;

	if (field == FIELDS)
		return;
	if (!variable || variable->type == CERTDIR_ID_TYPES || (CERTDIR_PERSONS & CERTDIR_BIT(variable->type)) ||
	    section->part == PEOPLE) {
		section->others[field] |= strstr(name->text, "{{") != NULL;
		if (variable && variable->type != CERTDIR_ID_TYPES && section->part == PEOPLE)
			section->types[field] |= personal_types(name, variable);
		return;
	}
	types = read_types(name, variable);
	if (!types && variable->type != CERTDIR_ID_SID_URI && !is_number(name->text, variable->type))
		print_form(out, name, variable, number);
	section->types[field] |= types ? types : CERTDIR_BIT(variable->type);
	if (is_id(variable))
		section->ids[field] = true;
	else if (variable->type != CERTDIR_ID_SID_URI)
		section->others[field] = true;
}

static bool is_vouched(const struct section *section, size_t field)
{
	return section->ids[field] && !section->others[field];
}

/* NAME = "subject.cn san.uri": the fields of which `is` is true, where there are any. */
static void print_fields(FILE *out, const char *name, const bool is[FIELDS])
{
	bool first = true;

	for (size_t i = 0; i < FIELDS; i++) {
		if (!is[i])
			continue;
		if (first)
			(void)fprintf(out, "\t%s = \"%s", name, fields[i]);
		else
			(void)fprintf(out, " %s", fields[i]);
		first = false;
	}
	if (!first)
		(void)fputs("\"\n", out);
}

static void print_places(FILE *out, const struct section *section)
{
	bool is[FIELDS];

	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++) {
		/*
		 * A SID confirms; where the CA vouches for what stands there, it would say who it is. Where names stand, no text is
		 * taken for a serial number.
		 */
		for (size_t i = 0; i < FIELDS; i++)
			is[i] = (section->types[i] & CERTDIR_BIT(type)) &&
				!(type == CERTDIR_ID_SID_URI && is_vouched(section, i)) &&
				!(type == CERTDIR_ID_SERIAL && (section->types[i] & CERTDIR_BIT(CERTDIR_ID_NAME)));
		print_fields(out, certdir_identity_type_name((enum certdir_identity_type)type), is);
	}
	for (size_t i = 0; i < FIELDS; i++)
		is[i] = is_vouched(section, i);
	print_fields(out, "vouched", is);
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

/* Whether a profile's certificates name a device, or else a person. PARTS: neither. */
static enum part part_of(const struct certdir_profile *profile)
{
	enum part part = PARTS;

	for (size_t i = 0; i < profile->name_count; i++) {
		const struct certdir_variable *variable = only_variable(profile->names[i].text);

		if (!variable || variable->type == CERTDIR_ID_TYPES || variable->type == CERTDIR_ID_SID_URI ||
		    field_of(profile->names[i].from) == FIELDS)
			continue;
		if (!(CERTDIR_PERSONS & CERTDIR_BIT(variable->type)))
			return DEVICES;
		if (personal_types(&profile->names[i], variable))
			part = PEOPLE;
	}
	return part;
}

/* The next profile of the section at *i or behind it, which moves behind that; NULL: there are no more. */
static const struct certdir_profile *next(const struct section *section, enum part part, size_t *i)
{
	const struct makers *makers = section->makers;

	while (*i < makers->profiles->count) {
		const size_t at = (*i)++;

		if (makers->cas[at] && strcmp(makers->cas[at], section->ca) == 0 && makers->parts[at] == part)
			return &makers->profiles->items[at];
	}
	return NULL;
}

static bool has_eku(const struct certdir_profile *profile, const char *eku)
{
	for (size_t i = 0; i < profile->eku_count; i++)
		if (strcmp(profile->ekus[i], eku) == 0)
			return true;
	return false;
}

/* Whether all profiles of a part have the purpose, or none of them has: `due`. */
static bool all_have(const struct section *section, enum part part, const char *eku, bool due)
{
	const struct certdir_profile *profile;

	for (size_t i = 0; (profile = next(section, part, &i));)
		if (has_eku(profile, eku) != due)
			return false;
	return true;
}

/* A purpose by which the certificates of this part are told from those of the other, or NULL. */
static const char *own_eku(const struct section *section)
{
	size_t at = 0;
	const struct certdir_profile *first = *section->ca ? next(section, section->part, &at) : NULL;

	for (size_t i = 0; first && i < first->eku_count; i++)
		if (all_have(section, section->part, first->ekus[i], true) &&
		    all_have(section, section->part == PEOPLE ? DEVICES : PEOPLE, first->ekus[i], false))
			return first->ekus[i];
	return NULL;
}

/* One section for all profiles of the CA and part, none where there are none; `number` counts sections and forms. */
static void print_part(FILE *out, struct section *section, size_t *number)
{
	const struct certdir_profile *profile;
	bool any = false;

	for (size_t i = 0; (profile = next(section, section->part, &i)); any = true) {
		(void)fprintf(out, "# %s\n", profile->name);
		for (size_t n = 0; n < profile->name_count; n++)
			place(section, &profile->names[n], out, number);
	}
	if (!any)
		return;
	if (section->part == PARTS) {
		(void)fputs("# (they name nobody)\n", out);
		return;
	}
	(void)fprintf(out, "certificates intune%zu {\n", ++*number);
	if (*section->ca)
		print_issuer(out, section->ca);
	if (section->eku)
		(void)fprintf(out, "\tekus = \"%s\"\n", section->eku);
	if (section->part == PEOPLE)
		(void)fputs("\tholder = user\n", out);
	print_places(out, section);
	(void)fputs("}\n", out);
}

/* The text, with each line a comment. */
static void print_comment(FILE *out, const char *text)
{
	for (size_t length; *text; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		(void)fprintf(out, "#%.*s\n", (int)length, text);
	}
}

/* What is to be done where one CA issues for devices and for people. */
static bool print_aside(FILE *out, struct section *people, size_t *number)
{
	char *text = NULL;
	size_t size;
	FILE *aside = open_memstream(&text, &size);

	if (!aside)
		return false;
	print_part(aside, people, number);
	if (fclose(aside) != 0) {
		free(text);
		return false;
	}
	(void)fputs(
		"# Certificates of people of the same CA are refused: nothing in the profiles tells them from those of "
		"devices.\n# Give their profile an extended key usage of its own, or have another CA or template issue "
		"them, and put this\n# before the section above, with a line ekus, issuer or template that only they "
		"fit:\n",
		out);
	print_comment(out, text);
	free(text);
	return true;
}

static bool holds(const struct section *section)
{
	size_t i = 0;

	return next(section, section->part, &i) != NULL;
}

/* The first section that a certificate fits holds: the one that asks for more comes first. */
static bool print_ca(FILE *out, const struct makers *makers, const char *ca, size_t *number)
{
	struct section devices = {.makers = makers, .ca = ca, .part = DEVICES};
	struct section people = {.makers = makers, .ca = ca, .part = PEOPLE};
	struct section nobody = {.makers = makers, .ca = ca, .part = PARTS};
	const bool both = holds(&devices) && holds(&people);

	(void)fputc('\n', out);
	people.eku = both ? own_eku(&people) : NULL;
	devices.eku = both && !people.eku ? own_eku(&devices) : NULL;
	if (people.eku)
		print_part(out, &people, number);
	print_part(out, &devices, number);
	if (both && !people.eku && !devices.eku && !print_aside(out, &people, number))
		return false;
	if (!both || devices.eku)
		print_part(out, &people, number);
	print_part(out, &nobody, number);
	return true;
}

/* Whether an earlier profile has this CA. */
static bool was_printed(const struct makers *makers, size_t before)
{
	for (size_t i = 0; i < before; i++)
		if (makers->cas[i] && strcmp(makers->cas[i], makers->cas[before]) == 0)
			return true;
	return false;
}

/* A section without an issuer takes every certificate, so it comes last. */
static bool print_all(FILE *out, const struct makers *makers)
{
	size_t number = 0;

	for (int known = 1; known >= 0; known--)
		for (size_t i = 0; i < makers->profiles->count; i++)
			if (makers->cas[i] && (*makers->cas[i] != '\0') == known && !was_printed(makers, i) &&
			    !print_ca(out, makers, makers->cas[i], &number))
				return false;
	return true;
}

static bool find_makers(struct makers *makers)
{
	const size_t count = makers->profiles->count;

	makers->cas = certdir_arena_alloc(&makers->arena, (count + 1) * sizeof(*makers->cas));
	makers->parts = certdir_arena_alloc(&makers->arena, (count + 1) * sizeof(*makers->parts));
	for (size_t i = 0; !makers->arena.failed && i < count; i++) {
		const struct certdir_profile *profile = &makers->profiles->items[i];
		const char *issuer = certdir_specimen_issuer(makers->profiles, profile);

		if (!certdir_profile_issues(profile))
			continue;
		if (!issuer && profile->ca)
			issuer = certdir_arena_print(&makers->arena, "CN=%s", profile->ca);
		makers->cas[i] = issuer ? issuer : "";
		makers->parts[i] = part_of(profile);
	}
	return !makers->arena.failed;
}

char *certdir_sections_print(const struct certdir_profiles *profiles)
{
	struct makers makers = {.profiles = profiles};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const bool ok = out && find_makers(&makers) && print_all(out, &makers);

	certdir_arena_clear(&makers.arena);
	if (out && fclose(out) == 0 && ok)
		return text;
	free(text);
	return NULL;
}
