/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `certdir setup`: from nothing to a tenant that can be synced. Each step may be done twice, so that a run that was interrupted, or that
 * nobody was allowed to end, is gone on with by another: the key is on the disk before anybody hears of it, and tells which application is ours.
 */
#include "cli/setup.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/background.h"
#include "base/permissions.h"
#include "cli/commands.h"
#include "cli/conf_file.h"
#include "conf/secret.h"
#include "sync/retry.h"
#include "sync/signin.h"
#include "sync/token.h"
#include "text/canonical.h"

enum {
	ALL = 3600, /* seconds, for everything */
	VERIFY = 180, /* seconds, until Entra ID's servers know of what was made */
	PAUSE = 3 /* seconds */
};

static int complain(const struct certdir_error *error, int status)
{
	fprintf(stderr, "certdir: %s\n", error->text);
	return status;
}

/* ---- the key ---- */

/* The sync has to read it, and to replace it. */
static void give_to_user(const char *filename)
{
	const struct passwd *user = getpwnam("certdir");

	if (user && !certdir_permissions_give(filename, user->pw_uid, (gid_t)-1))
		fprintf(stderr, "certdir: warning: %s cannot be given to the user certdir: %s\n", filename,
			strerror(errno));
}

static int save_key(const struct certdir_cli_setup *setup)
{
	struct certdir_error error;

	if (!certdir_own_credential_save(&setup->key, setup->key_file, &error))
		return complain(&error, EX_CANTCREAT);
	give_to_user(setup->key_file);
	return 0;
}

/* An empty file holds the key's place, so that of two runs one makes it; a run that was killed then leaves it. 0 or an exit code. */
static int lock_key(struct certdir_cli_setup *setup)
{
	const bool there = access(setup->key_file, F_OK) == 0;
	const int made = there ? -1 : certdir_permissions_open(setup->key_file, 0600);

	if (made >= 0)
		(void)close(made);
	if (!there && made < 0) {
		fprintf(stderr, "certdir: %s cannot be written: %s\n", setup->key_file, strerror(errno));
		return EX_CANTCREAT;
	}
	setup->lock = certdir_own_credential_lock(setup->key_file);
	if (setup->lock >= 0)
		return 0;
	fprintf(stderr, "certdir: %s cannot be locked: another certdir is changing it, or it cannot be read\n",
		setup->key_file);
	return EX_TEMPFAIL;
}

static int make_key(struct certdir_cli_setup *setup, int64_t now)
{
	char *name = certdir_print("certdir %s", setup->name);
	struct certdir_error error;
	const bool made = certdir_own_credential_make(&setup->key, name ? name : "certdir", now, &error);

	free(name);
	return made ? save_key(setup) : complain(&error, EX_OSERR);
}

/* That of an earlier run, as long as it is good. */
static int have_key(struct certdir_cli_setup *setup)
{
	const int64_t now = (int64_t)time(NULL);
	struct certdir_error error;
	const int locked = lock_key(setup);
	struct stat status;

	if (locked != 0)
		return locked;
	if (fstat(setup->lock, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0)
		return make_key(setup, now);
	if (!certdir_own_credential_read(&setup->key, setup->key_file, &error))
		return complain(&error, EX_DATAERR);
	if (setup->key.not_after > now)
		return 0;
	certdir_own_credential_clear(&setup->key);
	return make_key(setup, now);
}

/* ---- the application ---- */

/* Shows the code and waits. NULL after saying why there is no token. */
static char *sign_in(const struct certdir_signin_place *place)
{
	struct certdir_signin signin;
	struct certdir_error error;
	char *authorization = NULL;

	if (certdir_signin_begin(&signin, place, &error)) {
		printf("Sign in as an administrator who may register applications: open\n\n    %s\n\nin any browser, "
		       "and "
		       "enter the code\n\n    %s\n\n",
		       signin.url, signin.code);
		(void)fflush(stdout);
		authorization = certdir_signin_wait(&signin, place, &error);
	}
	if (!authorization)
		(void)complain(&error, 0);
	certdir_signin_clear(&signin);
	return authorization;
}

static void print_consent(const struct certdir_cli_setup *setup)
{
	printf("\nThis account may not grant permissions. All else is done. A Global Administrator or Privileged Role "
	       "Administrator\n"
	       "consents in the Entra admin center (App registrations, All applications, certdir, API permissions, "
	       "Grant admin\n"
	       "consent), or at\n\n    %s/%s/adminconsent?client_id=%s\n\n"
	       "where a page may follow that has no reply address (AADSTS500113). certdir setup, run again, shows "
	       "whether it counts.\n",
	       setup->place.authority, setup->tenant, setup->application.client_id);
}

/* What comes between a sign-in and a tenant that certdir.conf knows. *granted: the permissions are. 0 or an exit code. */
static int register_application(struct certdir_cli_setup *setup, const struct certdir_admin *admin, bool *granted)
{
	const uint32_t wanted = certdir_cli_setup_permissions(setup);
	struct certdir_error error;
	char key_id[sizeof(setup->key.key_id)];
	bool refused;

	memcpy(key_id, setup->key.key_id, sizeof(key_id));
	if (!certdir_application_ensure(admin, &setup->key, setup->client_id, wanted, &setup->application, &error))
		return complain(&error, EX_UNAVAILABLE);
	/* Before anything else: the next run has to find it again. */
	if (!certdir_cli_setup_write(setup))
		return EX_CANTCREAT;
	printf("%s the application certdir, client_id %s; %s has [tenant %s].\n",
	       setup->application.made ? "Registered" : "Found", setup->application.client_id, setup->options->conf,
	       setup->name);
	if (strcmp(setup->key.key_id, key_id) != 0 && save_key(setup))
		return EX_CANTCREAT;
	if (!certdir_application_grant(admin, &setup->application, wanted, &refused, &error))
		return complain(&error, EX_UNAVAILABLE);
	*granted = !refused;
	return 0;
}

/* ---- does it work? ---- */

static const struct certdir_tenant_config *find_tenant(const struct certdir_sync_config *config, const char *name)
{
	for (size_t i = 0; i < config->count; i++)
		if (!config->tenants[i].ldap && strcmp(config->tenants[i].name, name) == 0)
			return &config->tenants[i];
	return NULL;
}

/* One look: what lacks yet is in `error`. */
static bool try_token(const struct certdir_tenant_config *tenant, struct certdir_http *http,
		      const struct certdir_http_limits *limits, struct certdir_error *error)
{
	struct certdir_token *token = certdir_token_open(tenant, http, limits, error);
	char missing[CERTDIR_ROLES_TEXT];
	const char *header;
	bool ok = token && certdir_token_get(token, &header, error) == CERTDIR_HTTP_ANSWERED;

	if (ok && certdir_roles_missing(certdir_token_roles(token), tenant, "Device.Read.All", missing) && missing[0]) {
		certdir_error_set(error, "the application has not got these permissions yet: %s", missing);
		ok = false;
	}
	certdir_token_close(token);
	return ok;
}

static bool verify(const struct certdir_tenant_config *tenant, struct certdir_http *http,
		   const struct certdir_http_limits *limits)
{
	const int64_t until = certdir_monotonic() + VERIFY * CERTDIR_SECOND;
	struct certdir_error error;
	bool told = false;

	while (!try_token(tenant, http, limits, &error)) {
		if (certdir_monotonic() >= until) {
			fprintf(stderr,
				"certdir: after %d s it does not work yet: %s; what has been done stays: try certdir "
				"sync --dry-run "
				"in a while, or run certdir setup again\n",
				VERIFY, error.text);
			return false;
		}
		if (!told)
			printf("Waiting until all of Entra ID knows of it..\n");
		told = true;
		(void)fflush(stdout);
		(void)certdir_retry_sleep(limits, certdir_monotonic() + PAUSE * CERTDIR_SECOND);
	}
	printf("Entra ID gives tokens with these permissions to the new certificate.\n");
	return true;
}

/* By certdir.conf as certdir sync is going to read it. 0 or an exit code. */
static int look_whether_it_works(const struct certdir_cli_setup *setup, struct certdir_http *http,
				 const struct certdir_http_limits *limits)
{
	const struct certdir_tenant_config *tenant;
	struct certdir_cli_conf loaded;
	int status = EX_CONFIG;

	if (!certdir_cli_conf_load(setup->options->conf, false, &loaded))
		return EX_CONFIG;
	tenant = find_tenant(&loaded.config, setup->name);
	if (tenant)
		status = verify(tenant, http, limits) ? 0 : EX_TEMPFAIL;
	certdir_cli_conf_clear(&loaded);
	return status;
}

/* ---- the way ---- */

static void told_to_wait(void *context, unsigned attempt, unsigned of, int64_t microseconds, const char *why)
{
	(void)context, (void)attempt, (void)of;
	fprintf(stderr, "certdir: %s; trying again in %lld s\n", why, (long long)(microseconds + 999999) / 1000000);
}

static int register_and_look(struct certdir_cli_setup *setup, const struct certdir_signin_place *place)
{
	char *authorization = sign_in(place);
	const struct certdir_admin admin = {.http = place->http,
					    .limits = place->limits,
					    .graph = setup->place.graph,
					    .authorization = authorization};
	bool granted = false;
	int status;

	if (!authorization)
		return EX_UNAVAILABLE;
	status = register_application(setup, &admin, &granted);
	certdir_secret_free(authorization);
	if (status)
		return status;
	if (!granted) {
		print_consent(setup);
		return 1;
	}
	return look_whether_it_works(setup, place->http, place->limits);
}

/* The tenant's id takes the place of its domain. */
static int look_up_tenant(struct certdir_cli_setup *setup, const struct certdir_signin_place *place)
{
	struct certdir_error error;
	char *id;

	id = certdir_signin_tenant(place, &error);
	if (!id)
		return complain(&error, EX_UNAVAILABLE);
	free(setup->tenant);
	setup->tenant = id;
	return 0;
}

static int go(struct certdir_cli_setup *setup)
{
	const struct certdir_http_limits limits = {.deadline = certdir_monotonic() + ALL * CERTDIR_SECOND,
						   .waiting = told_to_wait};
	struct certdir_error error;
	struct certdir_http *http = certdir_http_open(setup->place.ca_file, &limits, &error);
	struct certdir_signin_place place = {&setup->place, setup->tenant, http, &limits};
	int status;

	if (!http)
		return complain(&error, EX_OSERR);
	status = look_up_tenant(setup, &place);
	place.tenant_id = setup->tenant;
	if (!status)
		status = have_key(setup);
	if (!status && setup->options->print)
		certdir_cli_setup_print(setup);
	else if (!status)
		status = register_and_look(setup, &place);
	certdir_http_close(http);
	return status;
}

static void clear(struct certdir_cli_setup *setup)
{
	for (size_t i = 0; setup->groups && setup->groups[i]; i++)
		free((char *)(uintptr_t)setup->groups[i]);
	free(setup->groups);
	free(setup->tenant);
	free(setup->name);
	free(setup->list);
	free(setup->key_file);
	certdir_own_credential_clear(&setup->key);
	if (setup->lock >= 0)
		(void)close(setup->lock);
	certdir_conf_free(setup->conf);
}

int certdir_cli_setup(const struct certdir_cli_options *options)
{
	struct certdir_cli_setup setup = {
		.options = options, .asks = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO), .lock = -1};
	int status;

	if (options->print && strcmp(options->print, "az") != 0 && strcmp(options->print, "powershell") != 0)
		return certdir_cli_misuse(options, "--print", "--print is az or powershell, not %s", options->print);
	status = certdir_cli_setup_ask(&setup);
	if (!status)
		status = go(&setup);
	if (!options->print && (status == 0 || status == 1)) {
		const int raddb = certdir_cli_setup_raddb(&setup);

		status = raddb ? raddb : status;
		printf("\nWhat is left: certdir sync --dry-run, certdir sync, systemctl enable --now certdir-sync, and "
		       "certdir doctor\n");
	}
	clear(&setup);
	return status;
}
