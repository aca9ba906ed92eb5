/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/age.h"

#include <inttypes.h>
#include <stdio.h>

#include "text/timestamp.h"

void certdir_cli_age(int64_t seconds, char out[CERTDIR_CLI_AGE_SIZE])
{
	static const struct {
		int64_t below, unit;
		const char *name;
	} units[] = {{120, 1, "s"}, {7200, 60, "min"}, {172800, 3600, "h"}, {INT64_MAX, 86400, "days"}};
	size_t i = 0;

	if (seconds < 0)
		seconds = 0;
	while (seconds >= units[i].below)
		i++;
	(void)snprintf(out, CERTDIR_CLI_AGE_SIZE, "%" PRId64 " %s", seconds / units[i].unit, units[i].name);
}

void certdir_cli_good_for(int64_t seconds, char out[CERTDIR_CLI_AGE_SIZE])
{
	char age[CERTDIR_CLI_AGE_SIZE];

	certdir_cli_age(seconds, age);
	(void)snprintf(out, CERTDIR_CLI_AGE_SIZE, seconds ? ", good for %.18s" : "", age);
}

const char *certdir_cli_date(int64_t seconds, char out[CERTDIR_CLI_DATE_SIZE])
{
	if (!certdir_timestamp_show(seconds, out))
		return "a date that is out of range";
	return out;
}
