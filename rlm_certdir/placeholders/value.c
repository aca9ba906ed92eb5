/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ldap/filter.h"
#include "text/canonical.h"
#include "text/utf8.h"

bool certdir_value_of(const struct certdir_ldap_value *value, const char *attribute)
{
	return value->attribute_length == strlen(attribute) &&
	       strncasecmp(value->attribute, attribute, value->attribute_length) == 0;
}

const struct certdir_ldap_value *certdir_value_find(const struct certdir_ldap_entry *entry, const char *attribute)
{
	for (size_t i = 0; i < entry->count; i++)
		if (certdir_value_of(&entry->values[i], attribute))
			return &entry->values[i];
	return NULL;
}

char *certdir_value_text(struct certdir_arena *arena, const struct certdir_ldap_value *value)
{
	const char *bytes = (const char *)value->bytes;

	if (value->length == 0 || certdir_text_fault(bytes, value->length) != CERTDIR_TEXT_CLEAN)
		return NULL;
	return certdir_arena_copy(arena, bytes, value->length);
}

bool certdir_value_flags(const struct certdir_ldap_value *value, uint32_t *flags)
{
	char text[16], *end;
	long long number;

	if (value->length == 0 || value->length >= sizeof(text) || memchr(value->bytes, '\0', value->length))
		return false;
	memcpy(text, value->bytes, value->length);
	text[value->length] = '\0';
	errno = 0;
	number = strtoll(text, &end, 10);
	if (*end || errno || number < INT32_MIN || number > UINT32_MAX)
		return false;
	*flags = (uint32_t)number;
	return true;
}

char *certdir_value_sid(struct certdir_arena *arena, const struct certdir_ldap_value *value)
{
	char text[CERTDIR_VALUE_MAX + 1];

	if (!certdir_sid_from_bytes(value->bytes, value->length, text))
		return NULL;
	return certdir_arena_copy(arena, text, strlen(text));
}

void certdir_filter_print(FILE *out, const char *attribute, const void *bytes, size_t length)
{
	const unsigned char *value = bytes;
	char escaped[CERTDIR_LDAP_FILTER_BYTE];

	(void)fprintf(out, "(%s=", attribute);
	for (size_t i = 0; i < length; i++) {
		const char *end = certdir_ldap_filter_put(escaped, value[i]);

		(void)fwrite(escaped, 1, (size_t)(end - escaped), out);
	}
	(void)fputc(')', out);
}
