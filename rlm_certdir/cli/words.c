/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/words.h"

#include <inttypes.h>
#include <stdio.h>

#include "text/timestamp.h"

enum { EXPIRY_WARNING = 30 * 86400 /* seconds */ };

const char *certdir_cli_age(int64_t seconds, char out[CERTDIR_CLI_AGE_SIZE])
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
	return out;
}

void certdir_cli_print_when(int64_t seconds, int64_t now)
{
	char at[CERTDIR_TIMESTAMP_SIZE], age[CERTDIR_CLI_AGE_SIZE];

	if (seconds == 0) {
		fputs("never", stdout);
		return;
	}
	certdir_timestamp_print(seconds, at);
	printf("%s (%s ago)", at, certdir_cli_age(now - seconds, age));
}

const char *certdir_cli_good_for(int64_t seconds, char out[CERTDIR_CLI_AGE_SIZE])
{
	char age[CERTDIR_CLI_AGE_SIZE];

	(void)snprintf(out, CERTDIR_CLI_AGE_SIZE, seconds ? ", good for %.18s" : "", certdir_cli_age(seconds, age));
	return out;
}

const char *certdir_cli_date(int64_t seconds, char out[CERTDIR_CLI_DATE_SIZE])
{
	return certdir_timestamp_show(seconds, out) ? out : "a date that is out of range";
}

const char *certdir_cli_yes_no(enum certdir_tristate is, const char *unknown)
{
	return is == CERTDIR_YES ? "yes" : is == CERTDIR_NO ? "no" : unknown;
}

const char *certdir_cli_text_or(const char *text, const char *none)
{
	return text ? text : none;
}

const char *certdir_cli_plural(size_t count)
{
	return count == 1 ? "" : "s";
}

const char *certdir_cli_device_name(const struct certdir_device *device, const char *none)
{
	return certdir_cli_text_or(device->name, certdir_cli_text_or(device->intune_name, none));
}

bool certdir_cli_expires_soon(int64_t expires, int64_t now, char when[CERTDIR_CLI_EXPIRY_SIZE])
{
	const int64_t left = expires - now;
	char age[CERTDIR_CLI_AGE_SIZE];

	(void)snprintf(when, CERTDIR_CLI_EXPIRY_SIZE, left < 0 ? "%s ago" : "in %s",
		       certdir_cli_age(left < 0 ? -left : left, age));
	return expires && left < EXPIRY_WARNING;
}

const char *certdir_cli_expiry_advice(bool renews)
{
	return renews ? "renew = yes did not replace it yet, and certdir sync's log says why; run certdir setup"
		      : "make a new certificate and upload it to the app registration";
}
