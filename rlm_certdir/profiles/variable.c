/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/variable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ENTRA "e17a0000-5a3b-4e1c-9d2f-000000000001"
#define INTUNE "1a7e0000-5a3b-4e1c-9d2f-000000000002"
#define SERIAL "S4MPLE7Q"
#define IMEI "352099001761481"
#define NAME "sample-pc"

#define NOBODY CERTDIR_ID_TYPES

/*
 * https://learn.microsoft.com/intune/intune-service/protect/certificates-profile-scep and its page for PKCS. More than one name stands for
 * a value, by platform and age of the profile.
 */
static const struct certdir_variable variables[] = {
	{"AAD_Device_ID", CERTDIR_ID_ENTRA, ENTRA, false},
	{"AzureADDeviceId", CERTDIR_ID_ENTRA, ENTRA, false},
	{"DeviceId", CERTDIR_ID_INTUNE, INTUNE, false},
	{"FullyQualifiedDomainName", CERTDIR_ID_DNS, "sample-host.corp.example", false},
	{"DeviceName", CERTDIR_ID_NAME, NAME, false},
	{"Device_Name", CERTDIR_ID_NAME, NAME, false},
	{"SerialNumber", CERTDIR_ID_SERIAL, SERIAL, true},
	{"Device_Serial", CERTDIR_ID_SERIAL, SERIAL, true},
	{"IMEI", CERTDIR_ID_IMEI, IMEI, true},
	{"IMEINumber", CERTDIR_ID_IMEI, IMEI, true},
	{"Device_IMEI", CERTDIR_ID_IMEI, IMEI, true},
	{"MEID", CERTDIR_ID_MEID, "A0000000002329", true},
	{"WiFiMacAddress", CERTDIR_ID_WIFI_MAC, "00A0C91E2F3D", false},
	{"OnPremisesSecurityIdentifier", CERTDIR_ID_SID_URI, "S-1-5-21-1004336348-1177238915-682003330-512", false},
	{"UserPrincipalName", CERTDIR_ID_UPN, "sample-user@example.com", false},
	{"UserName", NOBODY, "sample-user", false},
	{"EmailAddress", CERTDIR_ID_MAIL, "sample-mail@example.com", false},
	{"GivenName", NOBODY, "Sample", false},
	{"SurName", NOBODY, "Person", false},
	{"Department", NOBODY, "Department", false},
	{"OnPremisesSamAccountName", CERTDIR_ID_USER_NAME, "sampleuser", false},
	{"OnPrem_Distinguished_Name", NOBODY, "CN=Sample Person", false},
};

enum { COUNT = sizeof(variables) / sizeof(variables[0]) };

const struct certdir_variable *certdir_variable_find(const char *name, size_t length)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strlen(variables[i].name) == length && strncasecmp(variables[i].name, name, length) == 0)
			return &variables[i];
	return NULL;
}

const struct certdir_variable *certdir_variable_of(const char *value)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcasestr(value, variables[i].sample))
			return &variables[i];
	return NULL;
}

bool certdir_variable_next(const char **text, const char **name, size_t *length)
{
	const char *open = strstr(*text, "{{"), *close = open ? strstr(open, "}}") : NULL;

	if (!close)
		return false;
	*name = open + 2;
	*length = (size_t)(close - *name);
	*text = close + 2;
	return true;
}

/* The next variable of `text` that is known, or NULL. */
static const struct certdir_variable *next_known(const char **text)
{
	const struct certdir_variable *variable = NULL;
	const char *name;
	size_t length;

	while (!variable && certdir_variable_next(text, &name, &length))
		variable = certdir_variable_find(name, length);
	return variable;
}

bool certdir_variable_in(const char *text, enum certdir_identity_type type)
{
	const struct certdir_variable *variable;

	while ((variable = next_known(&text)))
		if (variable->type == type)
			return true;
	return false;
}

bool certdir_variable_hardware_in(const char *text)
{
	const struct certdir_variable *variable;

	while ((variable = next_known(&text)))
		if (variable->hardware)
			return true;
	return false;
}

char *certdir_variable_fill(const char *text)
{
	const struct certdir_variable *variable;
	const char *at = text, *name;
	char *filled = NULL;
	size_t length, size;
	FILE *out = open_memstream(&filled, &size);

	if (!out)
		return NULL;
	while (certdir_variable_next(&at, &name, &length)) {
		(void)fwrite(text, 1, (size_t)(name - 2 - text), out);
		variable = certdir_variable_find(name, length);
		(void)fputs(variable ? variable->sample : "", out);
		text = at;
	}
	(void)fputs(text, out);
	if (fclose(out) == 0)
		return filled;
	free(filled);
	return NULL;
}
