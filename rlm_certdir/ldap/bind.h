/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a connected handle to one that the server knows us on: StartTLS, and the kinds of bind. */
#ifndef CERTDIR_LDAP_BIND_H
#define CERTDIR_LDAP_BIND_H

#include "ldap/handle.h"
#include "ldap/kerberos.h"

/* TLS on a connection in clear text: asks the server for it and makes the handshake. Sets `error` unless OK. */
enum certdir_ldap_status certdir_ldap_start_tls(struct certdir_ldap_connection *connection,
						struct certdir_error *error);

/*
 * Gets what the bind needs and the server has no part in: Kerberos credentials, from a domain controller that may be
 * another and may be slow. Sets `error` unless OK. Clear `kerberos` in any case, after the bind.
 */
enum certdir_ldap_status certdir_ldap_prepare(const struct certdir_ldap_connection *connection,
					      struct certdir_kerberos *kerberos, struct certdir_error *error);

/* Binds as the configuration says. Anything but OK sets `error`, with an advice where one is known. */
enum certdir_ldap_status certdir_ldap_bind(struct certdir_ldap_connection *connection,
					   struct certdir_kerberos *kerberos, struct certdir_error *error);

#endif
