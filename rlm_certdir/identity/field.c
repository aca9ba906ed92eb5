/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/field.h"

#include <stddef.h>
#include <string.h>

static const struct certdir_field fields[] = {
	{"subject.cn", "subject CN", CERTDIR_MEANS_COMMON_NAME, false},
	{"subject.ou", "subject OU", CERTDIR_MEANS_NOTHING, false},
	{"subject.o", "subject O", CERTDIR_MEANS_NOTHING, false},
	{"subject.serialNumber", "subject serialNumber", CERTDIR_MEANS_SERIAL_NUMBER, false},
	{"subject.emailAddress", "subject emailAddress", CERTDIR_MEANS_MAIL, true},
	{"subject.uid", "subject UID", CERTDIR_MEANS_NOTHING, false},
	{"san.dns", "SAN dNSName", CERTDIR_MEANS_DNS_NAME, true},
	{"san.uri", "SAN URI", CERTDIR_MEANS_URI, true},
	{"san.upn", "SAN UPN", CERTDIR_MEANS_UPN, false},
	{"san.email", "SAN rfc822Name", CERTDIR_MEANS_MAIL, true},
	{"san.permanentIdentifier", "SAN permanentIdentifier", CERTDIR_MEANS_PERMANENT_ID, true},
	{"san.other", "SAN otherName", CERTDIR_MEANS_NOTHING, false},
};

const struct certdir_field *certdir_field_find(const char *from)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(fields[i].from, from) == 0)
			return &fields[i];
	return NULL;
}
