/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place that knows the host's internals: how an out-of-tree module reaches the TLS session of a login.
 *
 * rlm_eap calls the TLS method through its exported, writable method table, and the virtual server that checks certificates
 * runs inside that call, on the same thread. So the table's `process` is replaced by a wrapper that remembers the handler
 * of the call in a thread-local. Two guards stand before anything is read through it: the handler must be working on this very
 * request or on a parent of it, and OpenSSL's own record of the session (ex_data, set by the server) must lead back
 * to this handler, which proves that our idea of the handler's layout is the server's.
 */
#include "eap_tls_session.h"

#include <openssl/x509.h>

#include "eap_tls_resumption.h"
#include "freeradius/eap.h"

static struct {
	unsigned users; /* instances of the module */
	fr_dlhandle library;
	rlm_eap_module_t *table;
	int (*process)(void *instance, eap_handler_t *handler);
} hook;

static _Thread_local eap_handler_t *current;

/* The TLS session of a conversation; NULL when it is not where we expect it. */
static const tls_session_t *session_of(const eap_handler_t *handler)
{
	const tls_session_t *const session = handler->opaque;

	return session && session->ssl && SSL_get_ex_data(session->ssl, FR_TLS_EX_INDEX_HANDLER) == handler ? session
													    : NULL;
}

/* TTLS and PEAP can run EAP-TLS inside EAP: restore what was there before. */
static int wrapped_process(void *instance, eap_handler_t *handler)
{
	eap_handler_t *const outer = current;
	const tls_session_t *const session = session_of(handler);
	int result;

	if (session && !eap_tls_resumption_guard(session->ctx))
		return 0; /* out of memory: this login fails */
	current = handler;
	result = hook.process(instance, handler);
	current = outer;
	return result;
}

bool eap_tls_session_hook(struct certdir_error *error)
{
	if (hook.users++)
		return true;
	hook.library = fr_dlopenext("rlm_eap_tls");
	if (!hook.library) {
		certdir_error_set(error, "cannot load the server's rlm_eap_tls: %s", fr_dlerror());
		goto fail;
	}
	hook.table = fr_dlsym(hook.library, "rlm_eap_tls");
	if (!hook.table || !hook.table->name || strcmp(hook.table->name, "eap_tls") != 0 || !hook.table->process) {
		certdir_error_set(error, "the server's rlm_eap_tls is not built as certdir knows it");
		goto fail;
	}
	hook.process = hook.table->process;
	hook.table->process = wrapped_process;
	return true;

fail:
	if (hook.library)
		fr_dlclose(hook.library);
	memset(&hook, 0, sizeof(hook));
	return false;
}

void eap_tls_session_unhook(void)
{
	if (!hook.users || --hook.users)
		return;
	hook.table->process = hook.process;
	fr_dlclose(hook.library);
	memset(&hook, 0, sizeof(hook));
}

static bool belongs_to(const REQUEST *request, const eap_handler_t *handler)
{
	for (; request; request = request->parent)
		if (handler->request == request)
			return true;
	return false;
}

bool eap_tls_session_present(const REQUEST *request)
{
	return current && belongs_to(request, current);
}

enum eap_tls_session_result eap_tls_session_certificate(REQUEST *request, X509 **certificate,
							struct certdir_error *error)
{
	const tls_session_t *session;

	if (!current) {
		certdir_error_set(error, "no EAP-TLS session here: call certdir in the virtual server that "
					 "`tls { virtual_server }` of the eap module names");
		return EAP_TLS_SESSION_NONE;
	}
	if (!belongs_to(request, current)) {
		certdir_error_set(error, "the EAP-TLS session on this thread belongs to another request");
		return EAP_TLS_SESSION_UNREACHABLE;
	}
	session = session_of(current);
	if (!session) {
		certdir_error_set(
			error, "the TLS session is not where certdir expects it: rebuild certdir against the headers "
			       "of this server");
		return EAP_TLS_SESSION_UNREACHABLE;
	}
	*certificate = SSL_get_peer_certificate(session->ssl);
	if (*certificate)
		return EAP_TLS_SESSION_FOUND;
	certdir_error_set(error, "the supplicant sent no client certificate");
	return EAP_TLS_SESSION_NONE;
}
