/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the EAP modules of FreeRADIUS 3.2.x keep about one EAP conversation. These headers are never installed.
 * Only eap_tls_*.c may include this; eap_tls_session.c does not believe the layout before it has proved it on the live session.
 *
 * Interface facts from src/modules/rlm_eap/eap.h, src/include/tls-h.
 */
#ifndef CERTDIR_COMPAT_EAP_H
#define CERTDIR_COMPAT_EAP_H

#include "freeradius/server.h"

#include <openssl/ssl.h>

typedef struct _eap_handler {
	struct _eap_handler *prev, *next;
	uint8_t state[AUTH_VECTOR_LEN];
	fr_ipaddr_t src_ipaddr;
	uint8_t eap_id;
	int type; /* an enum */
	time_t timestamp;
	REQUEST *request;
	char *identity;
#if COMPAT_FREERADIUS >= 1030204
	char const *dedup;
#endif
	void *prev_eapds;
	void *eap_ds;
	void *opaque; /* the tls_session_t of a TLS-based method */
	/* more follows */
} eap_handler_t;

typedef struct rlm_eap_module {
	char const *name;
	int (*instantiate)(CONF_SECTION *conf, void **instance);
	int (*session_init)(void *instance, eap_handler_t *handler);
	int (*process)(void *instance, eap_handler_t *handler);
	int (*detach)(void *instance);
} rlm_eap_module_t;

typedef struct _tls_session_t {
	SSL_CTX *ctx;
	SSL *ssl;
	/* more follows */
} tls_session_t;

enum { FR_TLS_EX_INDEX_HANDLER = 10, FR_TLS_EX_INDEX_REQUEST = 12, FR_TLS_EX_INDEX_SSN = 15 };

#endif
