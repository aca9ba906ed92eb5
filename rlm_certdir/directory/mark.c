/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/mark.h"

#include "identity/canonical.h"
#include "timestamp.h"

#include <stdio.h>
#include <string.h>

static const char prefix[] = "certdir:", disabled[] = ":disabled", gone[] = ":gone=";
enum { TIME_LENGTH = 20 }; /* "2026-11-22T10:00:00Z" */

/* "2026-11-22T10:00:00Z" and no other spelling. */
static bool parse_time(const char *text, int64_t *seconds)
{
	char again[CERTDIR_TIMESTAMP_SIZE];
	int64_t parsed;

	if (!certdir_timestamp_parse(text, &parsed))
		return false;
	certdir_timestamp_print(parsed, again);
	if (strcmp(text, again) != 0)
		return false;
	*seconds = parsed;
	return true;
}

/* Takes the state off the end of "KEY:disabled". */
static void cut_state(char *text, struct certdir_mark *mark)
{
	const size_t length = strlen(text), gone_length = sizeof(gone) - 1 + TIME_LENGTH;

	mark->state = CERTDIR_MARK_WANTED;
	mark->gone = 0;
	if (length > sizeof(disabled) - 1 && strcmp(text + length - (sizeof(disabled) - 1), disabled) == 0) {
		mark->state = CERTDIR_MARK_DISABLED;
		text[length - (sizeof(disabled) - 1)] = '\0';
	} else if (length > gone_length && strncmp(text + length - gone_length, gone, sizeof(gone) - 1) == 0 &&
		   parse_time(text + length - TIME_LENGTH, &mark->gone)) {
		mark->state = CERTDIR_MARK_GONE;
		text[length - gone_length] = '\0';
	} else if (length > 1 && text[length - 1] == ':') {
		text[length - 1] = '\0';
	}
}

bool certdir_mark_parse(const char *bytes, size_t length, struct certdir_mark *mark)
{
	char text[CERTDIR_MARK_MAX + 1], *key;
	const char *why;
	size_t section;

	if (length > CERTDIR_MARK_MAX || !certdir_text_valid(bytes, length, &why) || length < sizeof(prefix) ||
	    memcmp(bytes, prefix, sizeof(prefix) - 1) != 0)
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
	(void)snprintf(mark->key, sizeof(mark->key), "%s", key);
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
