/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Reads exactly `digits` digits. */
static bool take_number(const char **at, int digits, int *number)
{
	*number = 0;
	for (int i = 0; i < digits; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*number = *number * 10 + (**at - '0');
	}
	return true;
}

static bool take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

/* "", "Z", "+02:00", "+0200" */
static bool take_offset(const char **at, int64_t *offset)
{
	int hours, minutes, sign = **at == '-' ? -1 : 1;

	*offset = 0;
	if (take_char(at, 'Z') || take_char(at, 'z') || **at == '\0')
		return true;
	if (!take_char(at, '+') && !take_char(at, '-'))
		return false;
	if (!take_number(at, 2, &hours))
		return false;
	(void)take_char(at, ':');
	if (!take_number(at, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*offset = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool take_time_of_day(const char **at, struct tm *tm)
{
	if (!take_number(at, 2, &tm->tm_hour) || !take_char(at, ':') || !take_number(at, 2, &tm->tm_min))
		return false;
	if (take_char(at, ':') && !take_number(at, 2, &tm->tm_sec))
		return false;
	if (take_char(at, '.')) {
		size_t digits = strspn(*at, "0123456789");

		if (digits == 0)
			return false;
		*at += digits;
	}
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

static bool parse_iso(const char *text, int64_t *seconds)
{
	struct tm tm = {0}, normal;
	int64_t offset = 0;
	int year, month;

	if (!take_number(&text, 4, &year) || !take_char(&text, '-') || !take_number(&text, 2, &month) ||
	    !take_char(&text, '-') || !take_number(&text, 2, &tm.tm_mday))
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	if ((take_char(&text, 'T') || take_char(&text, 't') || take_char(&text, ' ')) &&
	    (!take_time_of_day(&text, &tm) || !take_offset(&text, &offset)))
		return false;
	if (*text)
		return false;
	normal = tm;
	*seconds = (int64_t)timegm(&normal) - offset;
	/* timegm turns 31 April into 1 May: no such day. */
	return normal.tm_mday == tm.tm_mday && normal.tm_mon == tm.tm_mon;
}

static bool parse_powershell(const char *text, int64_t *seconds)
{
	char *end;
	long long milliseconds;

	if (strncmp(text, "/Date(", 6) != 0)
		return false;
	milliseconds = strtoll(text + 6, &end, 10);
	if (end == text + 6)
		return false;
	/* The offset that may follow says where the clock hung; the number is UTC all the same. */
	if (*end == '+' || *end == '-')
		end += 1 + strspn(end + 1, "0123456789");
	*seconds = milliseconds / 1000;
	return strcmp(end, ")/") == 0 && milliseconds / 1000 <= INT64_C(253402300799);
}

bool certdir_timestamp_parse(const char *text, int64_t *seconds)
{
	if (!parse_iso(text, seconds) && !parse_powershell(text, seconds))
		return false;
	if (*seconds < 0)
		*seconds = 0;
	return true;
}

void certdir_timestamp_print(int64_t seconds, char out[CERTDIR_TIMESTAMP_SIZE])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(out, CERTDIR_TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(out, CERTDIR_TIMESTAMP_SIZE, "?");
}
