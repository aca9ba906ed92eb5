/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "asking/line.h"

#include <stdio.h>
#include <string.h>

#include "text/canonical.h"

#define VERSION "certdir 1 "

static const char *const replies[] = {[CERTDIR_REPLY_KNOWN] = "known",
				      [CERTDIR_REPLY_UNKNOWN] = "unknown",
				      [CERTDIR_REPLY_BUSY] = "busy",
				      [CERTDIR_REPLY_DONE] = "done",
				      [CERTDIR_REPLY_REFUSED] = "refused"};

static const enum certdir_identity_type types[] = {CERTDIR_ID_ENTRA, CERTDIR_ID_INTUNE, CERTDIR_ID_GUID};

void certdir_question_print(const struct certdir_question *question, char line[CERTDIR_ASKING_LINE])
{
	if (question->what == CERTDIR_ASKING_ROUND)
		(void)snprintf(line, CERTDIR_ASKING_LINE, VERSION "round\n");
	else
		(void)snprintf(line, CERTDIR_ASKING_LINE, VERSION "device %s %s %s\n",
			       certdir_identity_type_name(question->type), question->id,
			       question->tenant[0] ? question->tenant : "-");
}

/* Takes `word` off the front of what is left. */
static bool take(const char **at, size_t *left, const char *word)
{
	const size_t length = strlen(word);

	if (*left < length || memcmp(*at, word, length) != 0)
		return false;
	*at += length;
	*left -= length;
	return true;
}

static bool take_guid(const char **at, size_t *left, char guid[CERTDIR_GUID_SIZE])
{
	char canonical[CERTDIR_VALUE_MAX + 1];

	if (*left < CERTDIR_GUID_SIZE - 1 ||
	    !certdir_canonical(CERTDIR_ID_GUID, *at, CERTDIR_GUID_SIZE - 1, canonical) ||
	    memcmp(*at, canonical, CERTDIR_GUID_SIZE - 1) != 0)
		return false;
	memcpy(guid, *at, CERTDIR_GUID_SIZE - 1);
	guid[CERTDIR_GUID_SIZE - 1] = '\0';
	*at += CERTDIR_GUID_SIZE - 1;
	*left -= CERTDIR_GUID_SIZE - 1;
	return true;
}

static bool take_type(const char **at, size_t *left, enum certdir_identity_type *type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (take(at, left, certdir_identity_type_name(types[i]))) {
			*type = types[i];
			return true;
		}
	return false;
}

bool certdir_question_read(struct certdir_question *question, const char *line, size_t length)
{
	memset(question, 0, sizeof(*question));
	if (!take(&line, &length, VERSION))
		return false;
	if (take(&line, &length, "round\n")) {
		question->what = CERTDIR_ASKING_ROUND;
		return length == 0;
	}
	return take(&line, &length, "device ") && take_type(&line, &length, &question->type) &&
	       take(&line, &length, " ") && take_guid(&line, &length, question->id) && take(&line, &length, " ") &&
	       (take(&line, &length, "-") || take_guid(&line, &length, question->tenant)) &&
	       take(&line, &length, "\n") && length == 0;
}

void certdir_reply_print(enum certdir_reply reply, char line[CERTDIR_ASKING_LINE])
{
	(void)snprintf(line, CERTDIR_ASKING_LINE, VERSION "%s\n", replies[reply]);
}

enum certdir_reply certdir_reply_read(const char *line, size_t length)
{
	char wanted[CERTDIR_ASKING_LINE];

	for (enum certdir_reply reply = CERTDIR_REPLY_KNOWN; reply <= CERTDIR_REPLY_REFUSED; reply++) {
		certdir_reply_print(reply, wanted);
		if (strlen(wanted) == length && memcmp(wanted, line, length) == 0)
			return reply;
	}
	return CERTDIR_REPLY_NONE;
}
