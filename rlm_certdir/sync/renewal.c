/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/renewal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/background.h"
#include "base/file.h"
#include "conf/secret.h"
#include "sync/admin.h"
#include "sync/assertion.h"
#include "sync/credential.h"
#include "sync/token.h"
#include "text/canonical.h"
#include "text/timestamp.h"

enum {
	PART_LEFT = 3, /* of a certificate's life: then it is replaced */
	PART_URGENT = 6, /* then it is, even if Entra ID has not forgotten the one before it */
	FORMER_KEPT = 86400, /* seconds */
	NEXT_KEPT = 86400, /* seconds, in which Entra ID has to take a new key: else another is made */
	AFTER_FAILURE = 3600, /* seconds */
	DEADLINE = 300 /* seconds, of one certificate */
};

struct certdir_renewal {
	const atomic_int *stop;
	const struct certdir_sync_config *config; /* that the thread works on */
	pthread_t thread;
	bool running;
	atomic_bool over;
	int64_t not_before; /* certdir_monotonic() */
	bool failed; /* the thread's */
};

/* One tenant's certificate, and who asks for it. */
struct work {
	const struct certdir_tenant_config *tenant;
	struct certdir_http_limits limits;
	struct certdir_http *http;
	const char *file;
	char *next, *former;
	struct certdir_own_credential current;
};

/* ---- tokens and requests ---- */

/* Asks Entra ID for a token with the key in `file`; the header is for certdir_admin. NULL with `error`. */
static struct certdir_token *token_with(struct work *work, const char *file, struct certdir_tenant_config *config,
					const char **header, struct certdir_error *error)
{
	struct certdir_token *token;

	*config = *work->tenant;
	config->certificate_file = config->private_key_file = file;
	token = certdir_token_open(config, work->http, &work->limits, error);
	if (token && certdir_token_get(token, header, error) == CERTDIR_HTTP_ANSWERED)
		return token;
	certdir_token_close(token);
	return NULL;
}

/* A change of the application's keys, proven by the key in use. `body` is taken; the proof is put into it. once: as in certdir_admin. */
static bool change_keys(struct work *work, const char *action, bool once, json_t *body,
			struct certdir_admin_answer *answer, struct certdir_error *error)
{
	const int64_t now = (int64_t)time(NULL);
	struct certdir_tenant_config config;
	const char *header;
	char path[80], *proof = NULL;
	struct certdir_token *token = token_with(work, work->file, &config, &header, error);
	struct certdir_assertion *key = token ? certdir_assertion_open(work->file, work->file, NULL, now, error) : NULL;
	struct certdir_admin admin = {work->http, &work->limits, work->tenant->graph, token ? header : NULL, once};
	bool ok = false;

	memset(answer, 0, sizeof(*answer));
	if (key)
		proof = certdir_assertion_prove(key, work->tenant->object_id, now, error);
	(void)snprintf(path, sizeof(path), "/applications/%s/%s", work->tenant->object_id, action);
	if (proof && json_object_set_new(body, "proof", json_string(proof)) == 0)
		ok = certdir_admin_ask(&admin, NULL, path, json_incref(body), NULL, answer, error);
	json_decref(body);
	free(proof);
	certdir_assertion_close(key);
	certdir_token_close(token);
	return ok;
}

/*
 * What Graph says when the application has no such key. The code alone is that of other refusals, too, as of a proof that is not well made,
 * and then the key is still there.
 */
static bool is_gone(const struct certdir_admin_answer *answer)
{
	return answer->status == 400 && strcmp(answer->said.codes[0], "Request_BadRequest") == 0 &&
	       strstr(answer->said.message, "No credentials found to be removed");
}

/* Has Entra ID forget a key, "" = it never said what it calls it, and nothing can be done. One that it does not know is as good. */
static bool forget(struct work *work, const char *key_id, struct certdir_error *error)
{
	struct certdir_admin_answer answer;

	return !key_id[0] ||
	       change_keys(work, "removeKey", false, json_pack("{s:s}", "keyId", key_id), &answer, error) ||
	       is_gone(&answer);
}

/* ---- the new key ---- */

static bool is_there(const char *file)
{
	return access(file, F_OK) == 0;
}

static int64_t age_of(const char *file)
{
	struct stat status;

	return stat(file, &status) == 0 ? (int64_t)time(NULL) - (int64_t)status.st_mtime : 0;
}

/* On the disk before anybody else hears of it: a key that Entra ID takes and nobody has would be of no use. */
static bool make_next(const struct work *work, struct certdir_own_credential *next, struct certdir_error *error)
{
	char name[100];

	(void)snprintf(name, sizeof(name), "certdir %s", work->tenant->name);
	if (!certdir_own_credential_make(next, name, (int64_t)time(NULL), error))
		return false;
	if (certdir_own_credential_save(next, work->next, error))
		return true;
	certdir_own_credential_clear(next);
	return false;
}

/*
 * Entra ID's name for it is kept: it is what the key is taken back by later. It is sent once: a second copy of one that did arrive would be
 * another credential of the application. The next look finds out by a token whether it arrived.
 */
static bool upload_next(struct work *work, struct certdir_own_credential *next, struct certdir_error *error)
{
	struct certdir_admin_answer answer;
	json_t *body = json_pack("{s:{s:s,s:s,s:s},s:n}", "keyCredential", "type", "AsymmetricX509Cert", "usage",
				 "Verify", "key", next->der, "passwordCredential");
	const char *id;
	bool zero, ok = change_keys(work, "addKey", true, body, &answer, error);

	id = json_string_value(json_object_get(answer.body, "keyId"));
	if (ok && id && certdir_guid_is(id, &zero) && !zero) {
		(void)snprintf(next->key_id, sizeof(next->key_id), "%.36s", id);
		ok = certdir_own_credential_save(next, work->next, error);
	}
	json_decref(answer.body);
	return ok;
}

/* The one before is copied and not linked: not all file systems have links, and nobody may link a file that he only reads. */
static bool swap(const struct work *work, struct certdir_error *error)
{
	char *directory = certdir_file_directory(work->file);
	bool ok = certdir_own_credential_save(&work->current, work->former, error);

	if (ok && (!directory || rename(work->next, work->file) != 0 || !certdir_file_sync_directory(directory))) {
		certdir_error_set(error, "%s cannot be replaced by %s: %s", work->file, work->next, strerror(errno));
		ok = false;
	}
	free(directory);
	return ok;
}

static void tell_new(const struct work *work)
{
	char until[CERTDIR_TIMESTAMP_SIZE];
	struct certdir_own_credential next;
	struct certdir_error error;

	if (!certdir_own_credential_read(&next, work->file, &error))
		return;
	certdir_timestamp_print(next.not_after, until);
	certdir_log(CERTDIR_LOG_INFO, "%s: %s has a new certificate, good until %s", work->tenant->name, work->file,
		    until);
	certdir_own_credential_clear(&next);
}

/* Whether Entra ID takes the new one, which is in use from now on; then *ok is whether this disk took it, too, or else `error` says why not. */
static bool use_next(struct work *work, bool *ok, struct certdir_error *error)
{
	struct certdir_tenant_config config;
	const char *header;
	struct certdir_token *token = token_with(work, work->next, &config, &header, error);

	certdir_token_close(token);
	if (!token)
		return false;
	*ok = swap(work, error);
	if (*ok)
		tell_new(work);
	return true;
}

static bool is_readable(const char *file, struct certdir_error *error)
{
	size_t length;
	char *bytes = certdir_secret_read_bytes(file, &length, error);

	if (bytes)
		explicit_bzero(bytes, length);
	free(bytes);
	return bytes != NULL;
}

/* What is left of an earlier look is gone on with: with the same key all may be done again. *next: the key that is to be taken. */
static bool prepare_next(struct work *work, struct certdir_own_credential *next, struct certdir_error *error)
{
	bool forgotten;

	if (!is_there(work->next))
		return make_next(work, next, error);
	/* Entra ID may have it: who cannot read it now may be able to later. */
	if (!is_readable(work->next, error))
		return false;
	if (certdir_own_credential_read(next, work->next, error)) {
		if (age_of(work->next) < NEXT_KEPT)
			return true;
		forgotten = forget(work, next->key_id, error);
		certdir_own_credential_clear(next);
		if (!forgotten)
			return false;
	}
	certdir_log(CERTDIR_LOG_WARN, "%s: Entra ID has not taken the new certificate in %s for a day: another is made",
		    work->tenant->name, work->next);
	(void)unlink(work->next);
	return make_next(work, next, error);
}

/* Not all of Entra ID's servers know a new key at once: the next look tries it again, and until then the present one is good. */
static bool renew(struct work *work, struct certdir_error *error)
{
	struct certdir_own_credential next;
	bool ok;

	if (is_there(work->next) && use_next(work, &ok, error))
		return ok;
	if (!prepare_next(work, &next, error))
		return false;
	ok = next.key_id[0] || upload_next(work, &next, error);
	certdir_own_credential_clear(&next);
	if (ok)
		(void)use_next(work, &ok, error);
	return ok;
}

/* ---- the former key ---- */

/* False: Entra ID has not forgotten it. */
static bool forget_former(struct work *work, struct certdir_error *error)
{
	struct certdir_own_credential former;
	struct certdir_error why;
	bool ok = true;

	if (certdir_own_credential_read(&former, work->former, &why)) {
		if (strcmp(former.key_id, work->current.key_id) != 0)
			ok = forget(work, former.key_id, error);
		certdir_own_credential_clear(&former);
	} else {
		certdir_log(CERTDIR_LOG_WARN, "%s: the application keeps the certificate in %s: %s", work->tenant->name,
			    work->former, why.text);
	}
	if (ok)
		(void)unlink(work->former);
	return ok;
}

/* ---- the thread ---- */

static bool has_left(const struct certdir_own_credential *credential, int part)
{
	const int64_t life = credential->not_after - credential->not_before;

	return credential->not_after - (int64_t)time(NULL) >= life / part;
}

/* One thing at a time: who has not been forgotten is not overwritten by the next one, or Entra ID would keep it. */
static bool look(struct work *work, struct certdir_error *error)
{
	const bool due = !has_left(&work->current, PART_LEFT), former = is_there(work->former);

	if (!due && (!former || age_of(work->former) < FORMER_KEPT))
		return true;
	work->http = certdir_http_open(work->tenant->ca_file, &work->limits, error);
	if (!work->http)
		return false;
	if (former && !forget_former(work, error)) {
		if (has_left(&work->current, PART_URGENT))
			return false;
		certdir_log(CERTDIR_LOG_WARN,
			    "%s: the application keeps the certificate before the one in %s; take it out in the Entra "
			    "admin center: %s",
			    work->tenant->name, work->file, error->text);
	}
	return !due || renew(work, error);
}

static bool look_at(struct certdir_renewal *renewal, const struct certdir_tenant_config *tenant,
		    struct certdir_error *error)
{
	struct work work = {.tenant = tenant, .file = tenant->certificate_file};
	const int lock = certdir_own_credential_lock(work.file);
	bool ok;

	/* Another program is at it; or there is none, which whoever needs it will say. */
	if (lock < 0)
		return true;
	work.limits = (struct certdir_http_limits){.deadline = certdir_monotonic() + DEADLINE * CERTDIR_SECOND,
						   .stop = renewal->stop};
	certdir_error_set(error, "out of memory");
	work.next = certdir_print("%s.next", work.file);
	work.former = certdir_print("%s.former", work.file);
	ok = work.next && work.former && certdir_own_credential_read(&work.current, work.file, error) &&
	     look(&work, error);
	certdir_own_credential_clear(&work.current);
	certdir_http_close(work.http);
	free(work.next);
	free(work.former);
	(void)close(lock);
	return ok;
}

static void *work_through(void *context)
{
	struct certdir_renewal *renewal = context;
	struct certdir_error error;

	for (size_t i = 0; i < renewal->config->count; i++) {
		const struct certdir_tenant_config *tenant = &renewal->config->tenants[i];

		if (!tenant->renew || look_at(renewal, tenant, &error))
			continue;
		renewal->failed = true;
		if (!renewal->stop || !*renewal->stop)
			certdir_log(CERTDIR_LOG_WARN,
				    "%s: the certificate in %s could not be renewed; if it stays so, run certdir setup "
				    "again, which gives the application a new one: %s",
				    tenant->name, tenant->certificate_file, error.text);
	}
	renewal->over = true;
	return NULL;
}

/* ---- life ---- */

struct certdir_renewal *certdir_renewal_open(const atomic_int *stop)
{
	struct certdir_renewal *renewal = calloc(1, sizeof(*renewal));

	if (renewal)
		renewal->stop = stop;
	return renewal;
}

/* Collects a thread that is over, or waits for it. */
static void collect(struct certdir_renewal *renewal, bool wait)
{
	if (!renewal->running || (!wait && !renewal->over))
		return;
	(void)pthread_join(renewal->thread, NULL);
	renewal->running = false;
	renewal->config = NULL;
	if (renewal->failed)
		renewal->not_before = certdir_monotonic() + AFTER_FAILURE * CERTDIR_SECOND;
}

void certdir_renewal_begin(struct certdir_renewal *renewal, const struct certdir_sync_config *config)
{
	struct certdir_error error;
	bool any = false;

	collect(renewal, false);
	for (size_t i = 0; i < config->count; i++)
		any |= config->tenants[i].renew;
	if (!any || renewal->running || certdir_monotonic() < renewal->not_before)
		return;
	renewal->config = config;
	renewal->over = renewal->failed = false;
	renewal->running = certdir_background_start(&renewal->thread, work_through, renewal, &error);
	if (!renewal->running)
		renewal->config = NULL;
}

bool certdir_renewal_uses(struct certdir_renewal *renewal, const struct certdir_sync_config *config)
{
	collect(renewal, false);
	return renewal->config == config;
}

void certdir_renewal_close(struct certdir_renewal *renewal)
{
	if (!renewal)
		return;
	collect(renewal, true);
	free(renewal);
}
