/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity/canonical.h"

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
	const uint32_t guids =
		CERTDIR_BIT(CERTDIR_ID_ENTRA) | CERTDIR_BIT(CERTDIR_ID_INTUNE) | CERTDIR_BIT(CERTDIR_ID_GUID);

	if (certdir_canonical(type, value, length, out))
		return CERTDIR_FITS;
	return (guids & CERTDIR_BIT(type)) && is_zero_guid(value, length) ? CERTDIR_NOTHING : CERTDIR_UNFIT;
}

bool certdir_reading_put(struct certdir_reading *reading, const struct certdir_place *place,
			 enum certdir_identity_type type, const char *canonical, bool immutable, bool tentative)
{
	struct certdir_certificate *certificate = reading->certificate;
	struct certdir_identity *identity = certificate->identities;

	for (size_t i = 0; i < certificate->count; i++, identity++) {
		if (identity->type != type || strcmp(identity->value, canonical) != 0)
			continue;
		identity->immutable = identity->immutable || immutable;
		identity->tentative = identity->tentative && tentative;
		return true;
	}
	if (certificate->count == CERTDIR_IDENTITIES_MAX)
		return certdir_reading_refuse(reading, place, "more than %d names in one certificate",
					      CERTDIR_IDENTITIES_MAX);
	*identity = (struct certdir_identity){
		.type = type,
		.value = strdup(canonical),
		.from = place->field->from,
		.immutable = immutable,
		.tentative = tentative,
	};
	if (!identity->value)
		return certdir_reading_refuse(reading, place, "out of memory");
	certificate->count++;
	return true;
}

bool certdir_reading_has_form(const struct certdir_reading *reading, const char *from)
{
	for (size_t i = 0; i < reading->form_count; i++)
		if (strcmp(reading->forms[i].from, from) == 0)
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
		return certdir_reading_put(reading, place, form->type, canonical, false, false);
	case CERTDIR_NOTHING:
		return true;
	case CERTDIR_UNFIT:
		break;
	}
	return certdir_reading_refuse(reading, place, "form \"%s\" takes \"%.*s\" from it, which is no %s", form->name,
				      (int)(end - start), value + start, certdir_identity_type_name(form->type));
}

bool certdir_reading_text(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			  size_t length)
{
	const char *why;

	if (length == 0)
		return true;
	if (!certdir_text_valid(value, length, &why))
		return certdir_reading_refuse(reading, place, "%s", why);
	if (place->field->meaning && !place->field->meaning(reading, place, value, length))
		return false;
	for (size_t i = 0; i < reading->form_count; i++)
		if (!try_form(reading, place, &reading->forms[i], value, length))
			return false;
	return true;
}

bool certdir_reading_string(struct certdir_reading *reading, const struct certdir_place *place, unsigned tag,
			    struct certdir_der content)
{
	char text[CERTDIR_VALUE_MAX];
	const char *why;
	size_t length;

	if (!certdir_der_text(tag, content, text, &length, &why))
		return certdir_reading_refuse(reading, place, "%s", why);
	return certdir_reading_text(reading, place, text, length);
}

char *certdir_hex(const unsigned char *bytes, size_t length)
{
	char *hex = malloc(2 * length + 1);

	for (size_t i = 0; hex && i < length; i++) {
		hex[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	if (hex)
		hex[2 * length] = '\0';
	return hex;
}
