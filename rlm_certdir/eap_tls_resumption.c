/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server keeps TLS sessions in files or a cache of its own, and gives them to OpenSSL when a supplicant asks for one.
 * It looks at the certificate's end, and nobody asks whether its CA is still trusted: a CA that was taken out of ca_file, or a
 * certificate that a CRL lists by now, would come in until the session's end. So the two callbacks by which the server
 * keeps sessions are wrapped: what comes back has to verify as in a full handshake. Nothing is resumed past them: the server switches off
 * tickets that hold a session themselves (SSL_OP_NO_TICKET), and OpenSSL's own memory of sessions (SSL_SESS_CACHE_NO_INTERNAL).
 *
 * A kept session has the device's certificate and not the CAs that it sent, so these are put into the session's
 * application data, which OpenSSL keeps with it.
 */
#include "eap_tls_resumption.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>

#include "freeradius/eap.h"

/* Of a device that sent more than this beside its own certificate nothing is kept: it resumes only where ca_file has what it sent. */
#define MAX_SENT 16384

/* The server's callbacks of one context. */
struct keeping {
	SSL_SESSION *(*get)(SSL *ssl, const unsigned char *id, int length, int *copy);
	int (*new)(SSL *ssl, SSL_SESSION *session);
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int keeping_index = -1; /* a context's struct keeping */

/* OpenSSL calls these with the context that has the callbacks; the SSL may have got another one with another certificate. */
static const struct keeping *keeping_of(const SSL *ssl)
{
	const tls_session_t *session = SSL_get_ex_data(ssl, FR_TLS_EX_INDEX_SSN);

	return SSL_CTX_get_ex_data(session->ctx, keeping_index);
}

/* ---- the CAs that a device sent, one certificate after the other ---- */

static void keep_sent(SSL *ssl, SSL_SESSION *session)
{
	STACK_OF(X509) *const sent = SSL_get_peer_cert_chain(ssl);
	unsigned char text[MAX_SENT], *end = text;

	for (int i = 0; i < sk_X509_num(sent); i++) {
		const int length = i2d_X509(sk_X509_value(sent, i), NULL);

		if (length <= 0 || length > text + sizeof(text) - end)
			return;
		i2d_X509(sk_X509_value(sent, i), &end);
	}
	if (end > text)
		SSL_SESSION_set1_ticket_appdata(session, text, (size_t)(end - text));
}

/* NULL when nothing was kept. */
static STACK_OF(X509) * sent_with(SSL_SESSION *session)
{
	STACK_OF(X509) *sent = NULL;
	void *text = NULL;
	size_t length = 0;

	if (!SSL_SESSION_get0_ticket_appdata(session, &text, &length) || !length)
		return NULL;
	sent = sk_X509_new_null();
	for (const unsigned char *at = text, *const end = at + length; sent && at < end;) {
		X509 *const certificate = d2i_X509(NULL, &at, end - at);

		if (certificate && sk_X509_push(sent, certificate) > 0)
			continue;
		X509_free(certificate);
		break;
	}
	return sent;
}

/* ---- resuming ---- */

/* As OpenSSL does it in a full handshake. X509_V_OK, or what is wrong. */
static int verify(SSL *ssl, X509 *certificate, STACK_OF(X509) * sent)
{
	X509_STORE_CTX *const check = X509_STORE_CTX_new();
	int result = X509_V_ERR_OUT_OF_MEM;

	if (check && X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)), certificate, sent)) {
		X509_VERIFY_PARAM *const param = X509_STORE_CTX_get0_param(check);

		X509_VERIFY_PARAM_set_auth_level(param, SSL_get_security_level(ssl));
		X509_STORE_CTX_set_default(check, "ssl_client");
		X509_VERIFY_PARAM_set1(param, SSL_get0_param(ssl));
		result = X509_verify_cert(check) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(check);
		if (result == X509_V_OK && X509_STORE_CTX_get_error(check) != X509_V_OK)
			result = X509_STORE_CTX_get_error(check);
	}
	X509_STORE_CTX_free(check);
	return result;
}

/* What goes wrong in here must not be left in OpenSSL's queue: it would be taken for the handshake's own. */
static bool still_verifies(SSL *ssl, SSL_SESSION *session)
{
	X509 *const certificate = SSL_SESSION_get0_peer(session);
	STACK_OF(X509) * sent;
	int result;

	if (!certificate)
		return true; /* nobody was let in by one: there is nothing to verify, as in a full handshake */
	ERR_set_mark();
	sent = sent_with(session);
	result = verify(ssl, certificate, sent);
	sk_X509_pop_free(sent, X509_free);
	ERR_pop_to_mark();
	if (result != X509_V_OK)
		radlog_request(L_INFO, L_DBG_LVL_OFF, SSL_get_ex_data(ssl, FR_TLS_EX_INDEX_REQUEST),
			       "certdir: the certificate of the TLS session that was to be resumed does not verify any "
			       "more: %s; a full handshake follows",
			       X509_verify_cert_error_string(result));
	return result == X509_V_OK;
}

static SSL_SESSION *guarded_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
	SSL_SESSION *const session = keeping_of(ssl)->get(ssl, id, length, copy);

	if (!session || still_verifies(ssl, session))
		return session;
	if (!*copy)
		SSL_SESSION_free(session);
	return NULL;
}

static int guarded_new(SSL *ssl, SSL_SESSION *session)
{
	keep_sent(ssl, session);
	return keeping_of(ssl)->new (ssl, session);
}

static void free_keeping(void *parent, void *keeping, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
	(void)parent, (void)data, (void)index, (void)argl, (void)argp;
	free(keeping);
}

/* Under the lock. */
static bool guard(SSL_CTX *context)
{
	struct keeping *keeping;

	if (!SSL_CTX_sess_get_get_cb(context) || SSL_CTX_sess_get_get_cb(context) == guarded_get)
		return true;
	if (keeping_index < 0)
		keeping_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_keeping);
	keeping = malloc(sizeof(*keeping));
	if (keeping_index < 0 || !keeping || !SSL_CTX_set_ex_data(context, keeping_index, keeping)) {
		free(keeping);
		return false;
	}
	*keeping = (struct keeping){SSL_CTX_sess_get_get_cb(context), SSL_CTX_sess_get_new_cb(context)};
	SSL_CTX_sess_set_get_cb(context, guarded_get);
	if (keeping->new)
		SSL_CTX_sess_set_new_cb(context, guarded_new);
	return true;
}

bool eap_tls_resumption_guard(SSL_CTX *context)
{
	bool guarded;

	pthread_mutex_lock(&lock);
	guarded = guard(context);
	pthread_mutex_unlock(&lock);
	return guarded;
}
