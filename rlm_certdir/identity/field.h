/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of places in a certificate where names stand: one table. */
#ifndef CERTDIR_IDENTITY_FIELD_H
#define CERTDIR_IDENTITY_FIELD_H

#include <stdbool.h>

enum certdir_means {
	CERTDIR_MEANS_NOTHING, /* but to forms */
	CERTDIR_MEANS_COMMON_NAME,
	CERTDIR_MEANS_SERIAL_NUMBER,
	CERTDIR_MEANS_MAIL,
	CERTDIR_MEANS_DNS_NAME,
	CERTDIR_MEANS_URI,
	CERTDIR_MEANS_UPN,
	CERTDIR_MEANS_PERMANENT_ID
};

struct certdir_field {
	const char *from; /* "san.dns" */
	const char *label; /* "SAN dNSName", for messages */
	enum certdir_means means;
	bool any; /* others write here, too: any bytes may stand there, and what is not meant for us is passed over */
};

#define CERTDIR_FIELD_NAMES                                                                                            \
	"subject.cn, subject.ou, subject.o, subject.serialNumber, subject.emailAddress, subject.uid, "                 \
	"san.dns, san.uri, san.upn, san.email, san.permanentIdentifier, san.other"

/* The field that is called `from`, or NULL. */
const struct certdir_field *certdir_field_find(const char *from);

#endif
