/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded into a program: time(2) is TEST_TIME (Unix seconds, and stands still), or TEST_LATER seconds later than it is. */
#include <stdlib.h>
#include <time.h>

time_t time(time_t *out)
{
	const char *at = getenv("TEST_TIME"), *later = getenv("TEST_LATER");
	struct timespec now;
	time_t answer;

	clock_gettime(CLOCK_REALTIME, &now);
	answer = at ? (time_t)atoll(at) : now.tv_sec + (later ? (time_t)atoll(later) : 0);
	if (out)
		*out = answer;
	return answer;
}
