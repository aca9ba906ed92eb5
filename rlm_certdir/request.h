/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the request of a login says of itself: who sent it, over what. */
#ifndef CERTDIR_REQUEST_H
#define CERTDIR_REQUEST_H

#include <netinet/in.h>

#include "decision_json.h"
#include "freeradius/server.h"

/* Attributes that are the server's or its dictionaries': what the network device says, and what the server says of a certificate. */
enum certdir_login_attribute {
	CERTDIR_LOGIN_CALLING,
	CERTDIR_LOGIN_CALLED,
	CERTDIR_LOGIN_SSID,
	CERTDIR_LOGIN_NAS,
	CERTDIR_LOGIN_NAS_IP,
	CERTDIR_LOGIN_SUBJECT,
	CERTDIR_LOGIN_ISSUER,
	CERTDIR_LOGIN_SERIAL,
	CERTDIR_LOGIN_ATTRIBUTES
};

/* Looks the attributes up in the server's dictionaries; once, in bootstrap. */
void certdir_request_attributes(void);

/* What the network device sent, where `request` is one inside of it, as EAP-TLS and tunnels make them. */
REQUEST *certdir_request_outermost(REQUEST *request);

/* The attribute of this very request, or NULL. */
VALUE_PAIR *certdir_request_pair(REQUEST *request, enum certdir_login_attribute attribute);

/* What the network device says of the login stands in the outermost request; "" = nothing. Borrowed. */
char const *certdir_request_says(REQUEST *request, enum certdir_login_attribute attribute);

/* NAS-Identifier, or NAS-IP-Address, which is written into `text`, where there is none. */
char const *certdir_request_nas(REQUEST *request, char text[INET_ADDRSTRLEN]);

/* Room for the texts that certdir_request_told() makes. */
struct certdir_request_texts {
	char client[INET6_ADDRSTRLEN], nas[INET6_ADDRSTRLEN];
};

/* All that the request says of the login, for the journal: borrowed from the request and from `texts`. The rest is left as it is. */
void certdir_request_told(REQUEST *request, struct certdir_told *told, struct certdir_request_texts *texts);

/* The SSID, borrowed. "" = the login has none, or in another form. */
char const *certdir_request_ssid(REQUEST *request);

#endif
