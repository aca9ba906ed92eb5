/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CERTDIR_EAP_TLS_RESUMPTION_H
#define CERTDIR_EAP_TLS_RESUMPTION_H

#include <stdbool.h>

struct ssl_ctx_st;

/*
 * From now on a kept TLS session of this context is resumed only if its certificate still verifies as in a full
 * handshake: by the CAs and CRLs that the context has now. One that does not is as if not there, and the supplicant
 * goes on with a full handshake in the same login. To be called before each step of a handshake; the first call does the
 * work, from any thread. A context that keeps no sessions is left alone. False when there is no memory.
 */
bool eap_tls_resumption_guard(struct ssl_ctx_st *context);

#endif
