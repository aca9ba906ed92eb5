/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/canonical.h"
#include "text/hex.h"

bool certdir_reading_refuse(struct certdir_reading *reading, const struct certdir_place *place, const char *format, ...)
{
	char why[CERTDIR_VALUE_MAX * 2];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, sizeof why, format, arguments);
	va_end(arguments);
	if (place->position)
		certdir_error_set(reading->error, "%s %zu: %s", place->field->label, place->position, why);
	else
		certdir_error_set(reading->error, "%s: %s", place->field->label, why);
	return false;
}

bool certdir_reading_ignores(const struct certdir_reading *reading, const char *from)
{
	return reading->section && !certdir_section_reads(reading->section, from);
}

static bool is_zero_guid(const char *value, size_t length)
{
	static const char zero[] = "00000000-0000-0000-0000-000000000000";

	for (; length > 36 && strchr(" {", value[0]); length--)
		value++;
	while (length > 36 && strchr(" }", value[length - 1]))
		length--;
	return length == 36 && memcmp(value, zero, 36) == 0;
}

enum certdir_fit certdir_reading_fit(enum certdir_identity_type type, const char *value, size_t length, char *out)
{
	if (certdir_canonical(type, value, length, out))
		return CERTDIR_FITS;
	if (type == CERTDIR_ID_SERIAL)
		return CERTDIR_NOTHING;
	return certdir_type_rank(type) == CERTDIR_RANK_ID && is_zero_guid(value, length) ? CERTDIR_NOTHING
											 : CERTDIR_UNFIT;
}

static struct certdir_identity *find(struct certdir_certificate *certificate, const struct certdir_identity *wanted,
				     const char *value)
{
	for (size_t i = 0; i < certificate->count; i++) {
		struct certdir_identity *identity = &certificate->identities[i];

		if (identity->type == wanted->type && strcmp(identity->value, value) == 0 &&
		    strcmp(identity->from, wanted->from) == 0)
			return identity;
	}
	return NULL;
}

bool certdir_reading_put(struct certdir_reading *reading, const struct certdir_place *place,
			 enum certdir_identity_type type, const char *canonical, enum certdir_rank rank)
{
	struct certdir_certificate *certificate = reading->certificate;
	struct certdir_identity identity = {.type = type, .from = place->field->from, .rank = rank}, *known;

	if (reading->section)
		certdir_section_place(reading->section, &identity);
	known = find(certificate, &identity, canonical);
	if (known) {
		if (known->rank < identity.rank)
			known->rank = identity.rank;
		return true;
	}
	if (!certdir_certificate_room(certificate, identity.rank)) {
		if (identity.rank != CERTDIR_RANK_NONE && identity.rank != CERTDIR_RANK_CHOSEN)
			return certdir_reading_refuse(reading, place, "more than %d names in one certificate",
						      CERTDIR_IDENTITIES_MAX);
		certificate->left_out += identity.rank == CERTDIR_RANK_CHOSEN;
		return true;
	}
	identity.value = strdup(canonical);
	if (!identity.value)
		return identity.rank == CERTDIR_RANK_NONE || certdir_reading_refuse(reading, place, "out of memory");
	certificate->identities[certificate->count++] = identity;
	return true;
}

bool certdir_reading_has_form(const struct certdir_reading *reading, const char *from)
{
	for (size_t i = 0; i < reading->rules->form_count; i++)
		if (strcmp(reading->rules->forms[i].from, from) == 0)
			return true;
	return false;
}

static bool try_form(struct certdir_reading *reading, const struct certdir_place *place,
		     const struct certdir_form *form, const char *value, size_t length)
{
	char canonical[CERTDIR_VALUE_MAX + 1];
	size_t start, end;

	if (strcmp(form->from, place->field->from) != 0 || !certdir_form_match(form, value, length, &start, &end))
		return true;
	switch (certdir_reading_fit(form->type, value + start, end - start, canonical)) {
	case CERTDIR_FITS:
		return certdir_reading_put(reading, place, form->type, canonical, certdir_type_rank(form->type));
	case CERTDIR_NOTHING:
		return true;
	case CERTDIR_UNFIT:
		break;
	}
	return certdir_reading_refuse(reading, place, "form \"%s\" takes \"%.*s\" from it, which is no %s", form->name,
				      (int)(end - start), value + start, certdir_identity_type_name(form->type));
}

static bool read_text(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
		      size_t length)
{
	const struct certdir_field *field = place->field;
	const bool form = certdir_reading_has_form(reading, field->from);
	const char *why;
	bool valid;

	if (length == 0)
		return true;
	valid = certdir_text_valid(value, length, &why);
	if (valid && reading->rules->see)
		reading->rules->see(reading->rules->context, field->from, value, length);
	/* What is too long among what others write is none of ours; what has a NUL inside may pretend to be. */
	if (!valid && (field->any ? form && !certdir_text_clean(value, length, &why) : form || field->meaning))
		return certdir_reading_refuse(reading, place, "%s", why);
	if (field->meaning && !field->meaning(reading, place, value, length))
		return false;
	for (size_t i = 0; form && valid && i < reading->rules->form_count; i++)
		if (!try_form(reading, place, &reading->rules->forms[i], value, length))
			return false;
	return true;
}

bool certdir_reading_text(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			  size_t length)
{
	return read_text(reading, place, value, length) || certdir_reading_ignores(reading, place->field->from);
}

static bool read_string(struct certdir_reading *reading, const struct certdir_place *place, unsigned tag,
			struct certdir_der content)
{
	const bool form = certdir_reading_has_form(reading, place->field->from);
	char text[CERTDIR_VALUE_MAX];
	const char *why;
	size_t length;

	if (!form && !place->field->meaning && !reading->rules->see)
		return true;
	if (certdir_der_text(tag, content, text, &length, &why))
		return read_text(reading, place, text, length);
	if (!form && !place->field->meaning)
		return true;
	if (form || !place->field->any)
		return certdir_reading_refuse(reading, place, "%s", why);
	return place->field->meaning(reading, place, (const char *)content.bytes, content.length);
}

bool certdir_reading_string(struct certdir_reading *reading, const struct certdir_place *place, unsigned tag,
			    struct certdir_der content)
{
	return read_string(reading, place, tag, content) || certdir_reading_ignores(reading, place->field->from);
}

char *certdir_hex(const unsigned char *bytes, size_t length)
{
	char *hex = malloc(2 * length + 1);

	if (hex)
		certdir_hex_print(bytes, length, hex);
	return hex;
}
