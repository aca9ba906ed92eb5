/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/directory.h"

#include <stdlib.h>
#include <string.h>

void certdir_answer_clear(struct certdir_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		certdir_device_clear(&answer->matches[i].device);
	free(answer->matches);
	memset(answer, 0, sizeof(*answer));
}

struct certdir_match *certdir_answer_add(struct certdir_answer *answer)
{
	struct certdir_match *matches = realloc(answer->matches, (answer->count + 1) * sizeof(*matches));

	if (!matches) {
		/* An answer with a device missing would be a lie: say that there is none. */
		answer->state = CERTDIR_ANSWER_UNAVAILABLE;
		certdir_say(answer->detail, "out of memory");
		return NULL;
	}
	answer->matches = matches;
	memset(&matches[answer->count], 0, sizeof(*matches));
	return &matches[answer->count++];
}
