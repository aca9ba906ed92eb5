/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text/timestamp.h"

#include <inttypes.h>
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

static bool take_time_of_day(const char **at, int64_t *of_day)
{
	int hours, minutes, seconds = 0;

	if (!take_number(at, 2, &hours) || !take_char(at, ':') || !take_number(at, 2, &minutes))
		return false;
	if (take_char(at, ':') && !take_number(at, 2, &seconds))
		return false;
	if (take_char(at, '.')) {
		size_t digits = strspn(*at, "0123456789");

		if (digits == 0)
			return false;
		*at += digits;
	}
	*of_day = hours * 3600 + minutes * 60 + seconds;
	return hours < 24 && minutes < 60 && seconds <= 60;
}

/* By hand: a sync reads millions of times, and timegm(), which takes the lock of the time zone, would be most of it. */
static bool take_date(const char **at, int64_t *days)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	int year, month, day, leap, past;

	if (!take_number(at, 4, &year) || !take_char(at, '-') || !take_number(at, 2, &month) || !take_char(at, '-') ||
	    !take_number(at, 2, &day) || month < 1 || month > 12)
		return false;
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	past = year - 1;
	/* 719162 days lie between 0001-01-01 and 1970-01-01. */
	*days = past * 365 + past / 4 - past / 100 + past / 400 - 719162 + before[month - 1] + (month > 2 ? leap : 0) +
		day - 1;
	return day >= 1 && day <= before[month] - before[month - 1] + (month == 2 ? leap : 0);
}

static bool parse_iso(const char *text, int64_t *seconds)
{
	int64_t days, of_day = 0, offset = 0;

	if (!take_date(&text, &days))
		return false;
	if ((take_char(&text, 'T') || take_char(&text, 't') || take_char(&text, ' ')) &&
	    (!take_time_of_day(&text, &of_day) || !take_offset(&text, &offset)))
		return false;
	*seconds = days * 86400 + of_day - offset;
	return *text == '\0';
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

/* `between` stands between date and time. */
static bool print(int64_t seconds, char between, char out[CERTDIR_TIMESTAMP_SIZE])
{
	const time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(out, CERTDIR_TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return false;
	*strchr(out, 'T') = between;
	return true;
}

void certdir_timestamp_print(int64_t seconds, char out[CERTDIR_TIMESTAMP_SIZE])
{
	if (!print(seconds, 'T', out))
		(void)snprintf(out, CERTDIR_TIMESTAMP_SIZE, "@%" PRId64, seconds);
}

bool certdir_timestamp_show(int64_t seconds, char out[CERTDIR_TIMESTAMP_SIZE])
{
	return print(seconds, ' ', out);
}
