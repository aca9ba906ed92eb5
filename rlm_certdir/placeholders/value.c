/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/value.h"

#include "text/canonical.h"
#include "text/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

bool certdir_value_clean(const char *bytes, size_t length)
{
	while (length > 0) {
		uint32_t character = (unsigned char)*bytes;
		const size_t size = character < 0x80 ? 1 : certdir_utf8_read(bytes, length, &character);

		if (size == 0 || character < 0x20 || (character >= 0x7f && character < 0xa0))
			return false;
		bytes += size;
		length -= size;
	}
	return true;
}

char *certdir_value_text(struct certdir_arena *arena, const struct certdir_ldap_value *value)
{
	const char *bytes = (const char *)value->bytes;

	if (value->length == 0 || !certdir_value_clean(bytes, value->length))
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

int certdir_bytes_compare(const void *a, const void *b)
{
	const struct certdir_ldap_bytes *left = a, *right = b;
	const size_t common = left->length < right->length ? left->length : right->length;
	const int order = common > 0 ? memcmp(left->bytes, right->bytes, common) : 0;

	return order ? order : (left->length > right->length) - (left->length < right->length);
}

void certdir_filter_print(FILE *out, const char *attribute, const void *bytes, size_t length)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-$/@:";
	const unsigned char *value = bytes;

	(void)fprintf(out, "(%s=", attribute);
	for (size_t i = 0; i < length; i++) {
		if (value[i] && strchr(plain, value[i]))
			(void)fputc(value[i], out);
		else
			(void)fprintf(out, "\\%02x", value[i]);
	}
	(void)fputc(')', out);
}
