/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "certdir.h"

#include <string.h>

enum certdir_tristate certdir_compliance(const char *word, bool *elsewhere)
{
	/* A device in its grace period still counts as compliant in Intune, and gets in everywhere else, too. */
	static const struct {
		const char *word;
		enum certdir_tristate compliant;
	} words[] = {{"compliant", CERTDIR_YES},
		     {"inGracePeriod", CERTDIR_YES},
		     {"noncompliant", CERTDIR_NO},
		     {"conflict", CERTDIR_NO},
		     {"error", CERTDIR_NO}};

	*elsewhere = word && strcmp(word, "configManager") == 0;
	for (size_t i = 0; word && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].compliant;
	return CERTDIR_UNKNOWN;
}
