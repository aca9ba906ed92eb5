/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/words.h"

#include <stddef.h>
#include <strings.h>

static const char *spelled(const char *const *words, const char *text)
{
	for (; *words; words++)
		if (strcasecmp(*words, text) == 0)
			return *words;
	return text;
}

const char *certdir_list_compliance(const char *text)
{
	static const char *const words[] = {"unknown", "compliant",	"noncompliant",	 "conflict",
					    "error",   "inGracePeriod", "configManager", NULL};

	return spelled(words, text);
}

const char *certdir_list_management_state(const char *text)
{
	static const char *const words[] = {"managed",	   "retirePending", "retireFailed", "wipePending", "wipeFailed",
					    "unhealthy",   "deletePending", "retireIssued", "wipeIssued",  "wipeCanceled",
					    "retireCanceled", "discovered", NULL};

	return spelled(words, text);
}
