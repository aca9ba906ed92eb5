/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CERTDIR_EAP_TLS_SESSION_H
#define CERTDIR_EAP_TLS_SESSION_H

#include "base/certdir.h"
#include "freeradius/server.h"

/*
 * Puts a wrapper around the server's EAP-TLS method, once for the process; call while single-threaded (instantiate).
 * False with `error` when this server's EAP-TLS cannot be reached. Pairs with eap_tls_session_unhook().
 */
bool eap_tls_session_hook(struct certdir_error *error);
void eap_tls_session_unhook(void);

enum eap_tls_session_result {
	EAP_TLS_SESSION_FOUND, /* *certificate is the caller's to X509_free() */
	EAP_TLS_SESSION_NONE, /* no certificate; `error` says why */
	EAP_TLS_SESSION_UNREACHABLE, /* the server's structures are not what we know; `error` says so */
};

/* True when `request` is being judged inside an EAP-TLS login on this thread. */
bool eap_tls_session_present(const REQUEST *request);

/*
 * The client certificate of the EAP-TLS login that `request` belongs to: read from the live TLS session, so it is
 * there on full and resumed sessions, TLS 1.2 and 1.3. Works only inside the virtual server that EAP-TLS's
 * `virtual_server` names, on the thread that runs it.
 */
enum eap_tls_session_result eap_tls_session_certificate(REQUEST *request, struct x509_st **certificate,
							struct certdir_error *error);

#endif
