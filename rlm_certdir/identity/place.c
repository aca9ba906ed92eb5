/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/place.h"

#include <string.h>

#include "identity/meaning.h"
#include "text/canonical.h"

bool certdir_place_has_form(const struct certdir_reading *reading, const char *from)
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

/* True when a form says how this type is read there: what it does not take is none. */
static bool is_by_form(const struct certdir_reading *reading, enum certdir_identity_type type, const char *from)
{
	for (size_t i = 0; i < reading->rules->form_count; i++)
		if (reading->rules->forms[i].type == type && strcmp(reading->rules->forms[i].from, from) == 0)
			return true;
	return false;
}

/*
 * A number of hardware looks like any other text: it is one where a `certificates` section has its type stand here. Which section the
 * certificate fits is not always known yet; who fits none of these is told so by its rank.
 */
static bool put_placed(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
		       size_t length)
{
	static const enum certdir_identity_type types[] = {CERTDIR_ID_SERIAL, CERTDIR_ID_IMEI, CERTDIR_ID_MEID,
							   CERTDIR_ID_WIFI_MAC};
	const struct certdir_rules *rules = reading->rules;
	const struct certdir_section *sections = reading->section ? reading->section : rules->sections;
	const size_t count = reading->section ? 1 : rules->section_count;
	char canonical[CERTDIR_VALUE_MAX + 1];

	for (size_t i = 0; count > 0 && i < sizeof(types) / sizeof(types[0]); i++)
		if (certdir_section_numbers(sections, count, types[i], place->field->from) &&
		    !is_by_form(reading, types[i], place->field->from) &&
		    certdir_canonical(types[i], value, length, canonical) &&
		    !certdir_reading_put(reading, place, types[i], canonical, CERTDIR_RANK_NONE))
			return false;
	return true;
}

static bool read_text(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
		      size_t length)
{
	const struct certdir_field *field = place->field;
	const bool form = certdir_place_has_form(reading, field->from);
	const char *why;
	bool valid;

	if (length == 0)
		return true;
	valid = certdir_text_valid(value, length, &why);
	if (valid && reading->rules->see)
		reading->rules->see(reading->rules->context, field->from, value, length);
	/* What is too long among what others write is none of ours; what has a NUL inside may pretend to be. */
	if (!valid && (field->any ? form && !certdir_text_clean(value, length, &why) : form || field->means))
		return certdir_reading_refuse(reading, place, "%s", why);
	if (field->means && !certdir_meaning_put(reading, place, value, length))
		return false;
	if (valid && !put_placed(reading, place, value, length))
		return false;
	for (size_t i = 0; form && valid && i < reading->rules->form_count; i++)
		if (!try_form(reading, place, &reading->rules->forms[i], value, length))
			return false;
	return true;
}

bool certdir_place_text(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			size_t length)
{
	return read_text(reading, place, value, length) || certdir_reading_ignores(reading, place->field->from);
}

static bool read_string(struct certdir_reading *reading, const struct certdir_place *place, unsigned tag,
			struct certdir_der content)
{
	const bool form = certdir_place_has_form(reading, place->field->from);
	char text[CERTDIR_VALUE_MAX];
	const char *why;
	size_t length;

	if (!form && !place->field->means && !reading->rules->see && reading->rules->section_count == 0)
		return true;
	if (certdir_der_text(tag, content, text, &length, &why))
		return read_text(reading, place, text, length);
	if (!form && !place->field->means)
		return true;
	if (form || !place->field->any)
		return certdir_reading_refuse(reading, place, "%s", why);
	return certdir_meaning_put(reading, place, (const char *)content.bytes, content.length);
}

bool certdir_place_string(struct certdir_reading *reading, const struct certdir_place *place, unsigned tag,
			  struct certdir_der content)
{
	return read_string(reading, place, tag, content) || certdir_reading_ignores(reading, place->field->from);
}
