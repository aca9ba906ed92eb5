/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/mark.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "text/canonical.h"
#include "text/timestamp.h"

static const char prefix[] = "certdir:", disabled[] = ":disabled", gone[] = ":gone=";
enum { TIME_LENGTH = 20 }; /* "2026-11-22T10:00:00Z" */

/* "2026-11-22T10:00:00Z" and no other spelling but for case. */
static bool parse_time(const char *text, int64_t *seconds)
{
	char upper[TIME_LENGTH + 1], again[CERTDIR_TIMESTAMP_SIZE];
	int64_t parsed;

	if (strlen(text) != TIME_LENGTH)
		return false;
	for (size_t i = 0; i <= TIME_LENGTH; i++)
		upper[i] = (char)(text[i] == 't' || text[i] == 'z' ? text[i] - ('a' - 'A') : text[i]);
	if (!certdir_timestamp_parse(upper, &parsed))
		return false;
	certdir_timestamp_print(parsed, again);
	if (strcmp(upper, again) != 0)
		return false;
	*seconds = parsed;
	return true;
}

/* The last ":gone=", or NULL. Its time has colons of its own, so it is not what follows the last colon. */
static char *find_gone(char *text)
{
	char *found = NULL;

	while ((text = strcasestr(text, gone)) != NULL)
		found = text++;
	return found;
}

/*
 * Takes the state off the end of "KEY:disabled". A time that cannot be read is no reason to take the device for a
 * wanted one: it counts as disabled.
 */
static void cut_state(char *text, struct certdir_mark *mark)
{
	const size_t length = strlen(text);
	char *end = NULL;

	mark->state = CERTDIR_MARK_WANTED;
	mark->gone = 0;
	if (length > 1 && text[length - 1] == ':') {
		end = text + length - 1;
	} else if (length >= sizeof(disabled) - 1 &&
		   strcasecmp(text + length - (sizeof(disabled) - 1), disabled) == 0) {
		mark->state = CERTDIR_MARK_DISABLED;
		end = text + length - (sizeof(disabled) - 1);
	} else if ((end = find_gone(text)) != NULL) {
		mark->state =
			parse_time(end + sizeof(gone) - 1, &mark->gone) ? CERTDIR_MARK_GONE : CERTDIR_MARK_DISABLED;
	}
	if (end)
		*end = '\0';
}

/* Directories match these values without regard to blanks around them (RFC 4518 2.6.1) and to case. */
static void trim(const char **bytes, size_t *length)
{
	while (*length && (*bytes)[0] == ' ') {
		(*bytes)++;
		(*length)--;
	}
	while (*length && (*bytes)[*length - 1] == ' ')
		(*length)--;
}

bool certdir_mark_begins(const char *bytes, size_t length)
{
	trim(&bytes, &length);
	return length >= sizeof(prefix) - 1 && strncasecmp(bytes, prefix, sizeof(prefix) - 1) == 0;
}

bool certdir_mark_parse(const char *bytes, size_t length, struct certdir_mark *mark)
{
	char text[CERTDIR_MARK_MAX + 1], guid[CERTDIR_VALUE_MAX + 1], *key;
	const char *why;
	size_t section;

	trim(&bytes, &length);
	if (length > CERTDIR_MARK_MAX || !certdir_text_valid(bytes, length, &why) || length < sizeof(prefix) ||
	    !certdir_mark_begins(bytes, length))
		return false;
	memcpy(text, bytes + sizeof(prefix) - 1, length - (sizeof(prefix) - 1));
	text[length - (sizeof(prefix) - 1)] = '\0';
	section = strcspn(text, ":");
	if (section == 0 || section > CERTDIR_MARK_SECTION_MAX || text[section] != ':')
		return false;
	key = text + section + 1;
	cut_state(key, mark);
	if (!*key || strlen(key) > CERTDIR_MARK_KEY_MAX)
		return false;
	memcpy(mark->section, text, section);
	mark->section[section] = '\0';
	/* A device's id is a GUID as a rule, and those are written in lower case here. */
	if (certdir_canonical(CERTDIR_ID_GUID, key, strlen(key), guid))
		key = guid;
	memcpy(mark->key, key, strlen(key) + 1);
	return true;
}

/* Whether a key ends in what could be taken for a state. */
static bool is_ambiguous(const char *key)
{
	struct certdir_mark mark;
	char text[CERTDIR_MARK_KEY_MAX + 1];

	(void)snprintf(text, sizeof(text), "%s", key);
	cut_state(text, &mark);
	return strcmp(text, key) != 0;
}

void certdir_mark_print(const struct certdir_mark *mark, char out[CERTDIR_MARK_MAX + 1])
{
	char state[sizeof(gone) + TIME_LENGTH] = "", time[CERTDIR_TIMESTAMP_SIZE];

	switch (mark->state) {
	case CERTDIR_MARK_WANTED:
		if (is_ambiguous(mark->key))
			(void)snprintf(state, sizeof(state), ":");
		break;
	case CERTDIR_MARK_DISABLED:
		(void)snprintf(state, sizeof(state), "%s", disabled);
		break;
	case CERTDIR_MARK_GONE:
		certdir_timestamp_print(mark->gone, time);
		(void)snprintf(state, sizeof(state), "%s%.*s", gone, (int)TIME_LENGTH, time);
		break;
	}
	(void)snprintf(out, CERTDIR_MARK_MAX + 1, "%s%s:%s%s", prefix, mark->section, mark->key, state);
}
