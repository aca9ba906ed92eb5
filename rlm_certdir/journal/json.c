/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/json.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "text/utf8.h"

enum { FIRST_SIZE = 4096, REPLACEMENT = 0xFFFD };

/* Room for so many bytes more, or NULL. */
static char *room(struct certdir_json *json, size_t more)
{
	size_t size = json->size ? json->size : FIRST_SIZE;
	char *text;

	if (json->failed || more > SIZE_MAX / 4 || json->length > SIZE_MAX / 4) {
		json->failed = true;
		return NULL;
	}
	while (size - json->length < more)
		size *= 2;
	if (size != json->size) {
		text = realloc(json->text, size);
		if (!text) {
			json->failed = true;
			return NULL;
		}
		json->text = text;
		json->size = size;
	}
	return json->text + json->length;
}

static void put(struct certdir_json *json, const char *bytes, size_t length)
{
	char *to = room(json, length);

	if (!to)
		return;
	memcpy(to, bytes, length);
	json->length += length;
}

/* What stands before each value. */
static void begin(struct certdir_json *json, const char *key)
{
	if (json->inside)
		put(json, ",", 1);
	json->inside = true;
	if (!key)
		return;
	put(json, "\"", 1);
	put(json, key, strlen(key));
	put(json, "\":", 2);
}

void certdir_json_open(struct certdir_json *json, const char *key, char bracket)
{
	begin(json, key);
	put(json, &bracket, 1);
	json->inside = false;
}

void certdir_json_close(struct certdir_json *json, char bracket)
{
	put(json, &bracket, 1);
	json->inside = true;
}

/* How many bytes stand in a JSON text as they are, as nearly all do. */
static size_t plain(const char *bytes, size_t length)
{
	size_t i = 0;

	while (i < length && bytes[i] >= ' ' && bytes[i] <= '~' && bytes[i] != '"' && bytes[i] != '\\')
		i++;
	return i;
}

/* Of a character below U+10000, as all are that are hidden. */
static void put_escape(struct certdir_json *json, uint32_t character)
{
	char text[16];
	const int length = snprintf(text, sizeof(text), "\\u%04" PRIx32, character);

	put(json, text, (size_t)length);
}

/* The first character of `bytes`; returns how many bytes it took. */
static size_t put_character(struct certdir_json *json, const char *bytes, size_t length)
{
	uint32_t character;
	const size_t taken = certdir_utf8_read(bytes, length, &character);

	if (!taken) {
		put_escape(json, REPLACEMENT);
		return 1;
	}
	if (character == '"' || character == '\\')
		put(json, "\\", 1);
	if (certdir_utf8_hidden(character))
		put_escape(json, character);
	else
		put(json, bytes, taken);
	return taken;
}

void certdir_json_bytes(struct certdir_json *json, const char *key, const char *bytes, size_t length)
{
	begin(json, key);
	put(json, "\"", 1);
	while (length) {
		size_t taken = plain(bytes, length);

		if (taken)
			put(json, bytes, taken);
		else
			taken = put_character(json, bytes, length);
		bytes += taken;
		length -= taken;
	}
	put(json, "\"", 1);
}

void certdir_json_text(struct certdir_json *json, const char *key, const char *text)
{
	if (text && *text)
		certdir_json_bytes(json, key, text, strlen(text));
}

void certdir_json_base64(struct certdir_json *json, const char *key, const unsigned char *bytes, size_t length)
{
	const size_t size = (length + 2) / 3 * 4 + 1; /* with the NUL that OpenSSL puts behind */
	char *to;

	begin(json, key);
	put(json, "\"", 1);
	to = length <= INT_MAX ? room(json, size) : NULL;
	if (to)
		json->length += (size_t)EVP_EncodeBlock((unsigned char *)to, bytes, (int)length);
	put(json, "\"", 1);
}

unsigned char *certdir_json_unbase64(const char *text, size_t length, size_t *size)
{
	unsigned char *bytes;
	int read;

	/* OpenSSL leaves out blanks at both ends, takes "=" anywhere, and counts what it stands for as bytes. */
	if (!length || length % 4 || length > INT_MAX || strcspn(text, "=") < length - 2 || strspn(text, " \t\r\n") ||
	    strchr(" \t\r\n", text[length - 1]))
		return NULL;
	bytes = malloc(length);
	read = bytes ? EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length) : -1;
	if (read < 0) {
		free(bytes);
		return NULL;
	}
	*size = (size_t)read - (text[length - 1] == '=') - (text[length - 2] == '=');
	return bytes;
}

void certdir_json_number(struct certdir_json *json, const char *key, int64_t number)
{
	char text[32];
	const int length = snprintf(text, sizeof(text), "%" PRId64, number);

	begin(json, key);
	put(json, text, (size_t)length);
}

void certdir_json_flag(struct certdir_json *json, const char *key, bool flag)
{
	if (!flag)
		return;
	begin(json, key);
	put(json, "true", 4);
}

char *certdir_json_take(struct certdir_json *json, size_t *length)
{
	char *text;

	put(json, "\n", 1);
	if (json->failed)
		free(json->text);
	text = json->failed ? NULL : json->text;
	*length = json->failed ? 0 : json->length;
	memset(json, 0, sizeof(*json));
	return text;
}
