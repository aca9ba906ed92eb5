/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "identity/rank.h"
#include "text/canonical.h"

bool certdir_reading_refuse(struct certdir_reading *reading, const struct certdir_place *place, const char *format, ...)
{
	char why[CERTDIR_VALUE_MAX * 2];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, sizeof(why), format, arguments);
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
	/* A board without a number, a tablet without a modem: whatever stands there instead. */
	if (certdir_type_is_hardware(type))
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
	if (!certdir_rank_room(certificate, identity.rank)) {
		if (identity.rank != CERTDIR_RANK_NONE && identity.rank != CERTDIR_RANK_CHOSEN)
			return certdir_reading_refuse(reading, place, "more than %d names in one certificate",
						      CERTDIR_NAMES_MAX);
		certificate->left_out += identity.rank == CERTDIR_RANK_CHOSEN;
		return true;
	}
	identity.value = strdup(canonical);
	if (!identity.value)
		return identity.rank == CERTDIR_RANK_NONE || certdir_reading_refuse(reading, place, "out of memory");
	certificate->identities[certificate->count++] = identity;
	return true;
}
