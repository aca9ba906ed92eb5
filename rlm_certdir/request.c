/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "request.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

static struct {
	char const *name;
	DICT_ATTR const *da; /* NULL where no dictionary has it */
} server_attributes[CERTDIR_LOGIN_ATTRIBUTES] = {
	[CERTDIR_LOGIN_CALLING] = {"Calling-Station-Id", NULL},
	[CERTDIR_LOGIN_CALLED] = {"Called-Station-Id", NULL},
	[CERTDIR_LOGIN_SSID] = {"Called-Station-SSID", NULL},
	[CERTDIR_LOGIN_NAS] = {"NAS-Identifier", NULL},
	[CERTDIR_LOGIN_NAS_IP] = {"NAS-IP-Address", NULL},
	[CERTDIR_LOGIN_SUBJECT] = {"TLS-Client-Cert-Subject", NULL},
	[CERTDIR_LOGIN_ISSUER] = {"TLS-Client-Cert-Issuer", NULL},
	[CERTDIR_LOGIN_SERIAL] = {"TLS-Client-Cert-Serial", NULL},
};

REQUEST *certdir_request_outermost(REQUEST *request)
{
	while (request->parent)
		request = request->parent;
	return request;
}

void certdir_request_attributes(void)
{
	for (size_t i = 0; i < CERTDIR_LOGIN_ATTRIBUTES; i++)
		server_attributes[i].da = dict_attrbyname(server_attributes[i].name);
}

VALUE_PAIR *certdir_request_pair(REQUEST *request, enum certdir_login_attribute attribute)
{
	DICT_ATTR const *da = server_attributes[attribute].da;

	return da && request->packet ? fr_pair_find_by_da(request->packet->vps, da, TAG_ANY) : NULL;
}

char const *certdir_request_says(REQUEST *request, enum certdir_login_attribute attribute)
{
	VALUE_PAIR *vp = certdir_request_pair(certdir_request_outermost(request), attribute);

	return vp ? vp->vp_strvalue : "";
}

char const *certdir_request_nas(REQUEST *request, char text[INET_ADDRSTRLEN])
{
	char const *name = certdir_request_says(request, CERTDIR_LOGIN_NAS);
	VALUE_PAIR *vp = certdir_request_pair(certdir_request_outermost(request), CERTDIR_LOGIN_NAS_IP);

	if (*name || !vp || !inet_ntop(AF_INET, &vp->vp_ipaddr, text, INET_ADDRSTRLEN))
		return name;
	return text;
}

static VALUE_PAIR *outer_pair(REQUEST *request, unsigned attribute)
{
	return fr_pair_find_by_num(certdir_request_outermost(request)->packet->vps, attribute, 0, TAG_ANY);
}

static char const *outer_text(REQUEST *request, unsigned attribute)
{
	VALUE_PAIR *vp = outer_pair(request, attribute);

	return vp ? vp->vp_strvalue : NULL;
}

static char const *nas_address(REQUEST *request, char text[INET6_ADDRSTRLEN])
{
	VALUE_PAIR *vp = outer_pair(request, PW_NAS_IP_ADDRESS);

	if (vp)
		return inet_ntop(AF_INET, &vp->vp_ipaddr, text, INET6_ADDRSTRLEN);
	vp = outer_pair(request, PW_NAS_IPV6_ADDRESS);
	return vp ? inet_ntop(AF_INET6, &vp->vp_ipv6addr, text, INET6_ADDRSTRLEN) : NULL;
}

void certdir_request_told(REQUEST *request, struct certdir_told *told, struct certdir_request_texts *texts)
{
	fr_ipaddr_t const *client = &certdir_request_outermost(request)->packet->src_ipaddr;
	VALUE_PAIR const *port = outer_pair(request, PW_NAS_PORT);

	told->user_name = request->username ? request->username->vp_strvalue : NULL;
	told->user_name_length = request->username ? request->username->vp_length : 0;
	told->station = certdir_request_says(request, CERTDIR_LOGIN_CALLING);
	told->called_station = certdir_request_says(request, CERTDIR_LOGIN_CALLED);
	told->ssid = certdir_request_ssid(request);
	told->session = outer_text(request, PW_ACCT_SESSION_ID);
	told->client = inet_ntop(client->af, &client->ipaddr, texts->client, sizeof(texts->client));
	told->nas = certdir_request_says(request, CERTDIR_LOGIN_NAS);
	told->nas_address = nas_address(request, texts->nas);
	told->port_id = outer_text(request, PW_NAS_PORT_ID);
	told->port = port ? (int64_t)port->vp_integer : -1;
}

/*
 * The SSID, from Called-Station-Id as RFC 3580 (3.20) has it, MAC:SSID; an SSID may have colons of its own. The
 * server's policy rewrite_called_station_id moves it into Called-Station-SSID.
 */
char const *certdir_request_ssid(REQUEST *request)
{
	char const *ssid = certdir_request_says(request, CERTDIR_LOGIN_SSID),
		   *called = certdir_request_says(request, CERTDIR_LOGIN_CALLED);
	unsigned digits = 0;

	if (*ssid)
		return ssid;
	for (; *called && digits < 12; called++) {
		if (isxdigit((unsigned char)*called))
			digits++;
		else if (!strchr("-:.", *called))
			return "";
	}
	return *called == ':' ? called + 1 : "";
}
