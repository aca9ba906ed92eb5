/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes one JSON object (RFC 8259) for a log. The module links no JSON library: radiusd has other modules that bring one, of any version. */
#ifndef CERTDIR_JSON_H
#define CERTDIR_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What was written so far. Zeroed is empty. Where memory is out, `failed` remembers it: who writes much looks once, at the end. Keys are
 * written as they are; NULL in an array and for the object itself.
 */
struct certdir_json {
	char *text; /* owned; not NUL-terminated */
	size_t length, size;
	bool inside; /* something stands before, so that a comma is due */
	bool failed;
};

/* An object or an array: open with '{' or '[', and close with its other half. */
void certdir_json_open(struct certdir_json *json, const char *key, char bracket);
void certdir_json_close(struct certdir_json *json, char bracket);

/* A text, which is left out when it is NULL or empty. */
void certdir_json_text(struct certdir_json *json, const char *key, const char *text);
/*
 * Any bytes as a text. What is no UTF-8 becomes U+FFFD, a byte each; what does not show as itself on a line (certdir_utf8_hidden()) is
 * escaped, so that no name looks like another in a terminal.
 */
void certdir_json_bytes(struct certdir_json *json, const char *key, const char *bytes, size_t length);
void certdir_json_base64(struct certdir_json *json, const char *key, const unsigned char *bytes, size_t length);
void certdir_json_number(struct certdir_json *json, const char *key, int64_t number);
/* A true; a false is left out. */
void certdir_json_flag(struct certdir_json *json, const char *key, bool flag);

/* Ends it with a line feed and hands the text over: the caller frees it. NULL when memory was out; `json` is empty then, too. */
char *certdir_json_take(struct certdir_json *json, size_t *length);

/* The bytes of a base64 text, which is untrusted; the caller frees them. NULL when it is none, when it is empty, or when memory is out. */
unsigned char *certdir_json_unbase64(const char *text, size_t length, size_t *size);

#endif
