/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/managed.h"
#include "sync/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADERS = 2, KEY_MAX = 4096 /* bytes, as in Microsoft's own libraries */ };

static const char imds[] = "http://169.254.169.254", arc[] = "http://localhost:40342/metadata/identity/oauth2/token";
static const char arc_keys[] = "/var/opt/azcmagent/tokens", arc_agent[] = "/opt/azcmagent/bin/himds";

struct certdir_managed {
	const char *keys; /* the directory of Arc's keys; NULL: this is not Arc */
	char *url;
	char *host;
	char *header; /* "X-IDENTITY-HEADER: ..", or NULL */
	const char *headers[HEADERS + 1];
};

/* ---- the endpoint ---- */

static const char *environment(const char *name)
{
	const char *value = secure_getenv(name);

	return value && value[0] ? value : NULL;
}

/* "http://HOST/PATH" without blanks and what ends a path. */
static bool is_endpoint(const char *url)
{
	for (const char *at = url; *at; at++)
		if (*at <= ' ' || *at > '~' || strchr("\\?#@", *at))
			return false;
	return strncmp(url, "http://", 7) == 0 && url[7] && url[7] != '/';
}

static bool set_up(struct certdir_managed *managed, const struct certdir_tenant_config *config, const char *endpoint,
		   const char *version)
{
	const char *const pairs[] = {
		"api-version",	   version, "resource", config->graph, config->client_id ? "client_id" : NULL,
		config->client_id, NULL};
	char *query = certdir_http_form(pairs);

	managed->host = strndup(endpoint, 7 + strcspn(endpoint + 7, "/"));
	if (query)
		managed->url = certdir_print("%s?%s", endpoint, query);
	free(query);
	return managed->host && managed->url;
}

static bool open_imds(struct certdir_managed *managed, const struct certdir_tenant_config *config)
{
	/* Where it is elsewhere, this variable says so, to Microsoft's own libraries as well. */
	const char *host = environment("AZURE_POD_IDENTITY_AUTHORITY_HOST");
	char *endpoint = certdir_print("%s/metadata/identity/oauth2/token", host ? host : imds);
	const bool ok = endpoint && set_up(managed, config, endpoint, "2018-02-01");

	managed->headers[0] = "Metadata: true";
	free(endpoint);
	return ok;
}

static bool open_app_service(struct certdir_managed *managed, const struct certdir_tenant_config *config,
			     const char *endpoint, const char *secret)
{
	managed->headers[0] = managed->header = certdir_print("X-IDENTITY-HEADER: %s", secret);
	return managed->header && set_up(managed, config, endpoint, "2019-08-01");
}

static bool open_arc(struct certdir_managed *managed, const struct certdir_tenant_config *config, const char *endpoint)
{
	managed->keys = config->arc_keys ? config->arc_keys : arc_keys;
	managed->headers[0] = "Metadata: true";
	return set_up(managed, config, endpoint, "2019-11-01");
}

struct certdir_managed *certdir_managed_open(const struct certdir_tenant_config *config, struct certdir_error *error)
{
	const char *endpoint = environment("IDENTITY_ENDPOINT"), *secret = environment("IDENTITY_HEADER");
	struct certdir_managed *managed = calloc(1, sizeof(*managed));
	bool ok = false;

	certdir_error_set(error, "out of memory");
	if (!managed)
		return NULL;
	if (endpoint && !is_endpoint(endpoint))
		certdir_error_set(error, "the environment's IDENTITY_ENDPOINT is no http:// address: certdir knows the "
					 "managed identities of Azure's virtual machines, Azure Arc and App Service");
	else if (endpoint && secret)
		ok = open_app_service(managed, config, endpoint, secret);
	/* The agent sets the variables for logins and services; a job of cron's has none. */
	else if (endpoint || (!environment("AZURE_POD_IDENTITY_AUTHORITY_HOST") && access(arc_agent, F_OK) == 0))
		ok = open_arc(managed, config, endpoint ? endpoint : arc);
	else
		ok = open_imds(managed, config);
	if (ok && managed->keys && config->client_id) {
		certdir_error_set(error,
				  "a machine in Azure Arc has no other identity than its own: leave client_id out");
		ok = false;
	}
	if (ok)
		return managed;
	certdir_managed_close(managed);
	return NULL;
}

void certdir_managed_close(struct certdir_managed *managed)
{
	if (!managed)
		return;
	if (managed->header)
		explicit_bzero(managed->header, strlen(managed->header));
	free(managed->header);
	free(managed->url);
	free(managed->host);
	free(managed);
}

const char *certdir_managed_url(const struct certdir_managed *managed)
{
	return managed->url;
}

const char *const *certdir_managed_headers(const struct certdir_managed *managed)
{
	return managed->headers;
}

const char *certdir_managed_host(const struct certdir_managed *managed)
{
	return managed->host;
}

/* ---- Arc's challenge ---- */

/* The name of the .key file in the agent's directory that the challenge asks for, or NULL. */
static const char *key_name(const struct certdir_managed *managed, const char *challenge)
{
	static const char prefix[] = "Basic realm=", suffix[] = ".key";
	const char *path = challenge + sizeof(prefix) - 1, *name;
	const size_t directory = strlen(managed->keys);

	if (strncasecmp(challenge, prefix, sizeof(prefix) - 1) != 0 || strncmp(path, managed->keys, directory) != 0 ||
	    path[directory] != '/')
		return NULL;
	name = path + directory + 1;
	if (strlen(name) < sizeof(suffix) || strcmp(name + strlen(name) - (sizeof(suffix) - 1), suffix) != 0 ||
	    strchr(name, '/'))
		return NULL;
	return name;
}

/* A regular file of root's or of whoever has the directory, which nobody else can have written. */
static bool is_agents(int directory, int file)
{
	struct stat of_directory, of_file;

	return fstat(directory, &of_directory) == 0 && fstat(file, &of_file) == 0 && S_ISREG(of_file.st_mode) &&
	       (of_file.st_uid == 0 || of_file.st_uid == of_directory.st_uid) && !(of_file.st_mode & S_IWOTH);
}

char *certdir_managed_answer(const struct certdir_managed *managed, const char *challenge, struct certdir_error *error)
{
	const char *name = managed->keys ? key_name(managed, challenge) : NULL;
	int directory = -1, file = -1;
	char key[KEY_MAX + 2], *header = NULL;
	ssize_t length = -1;

	if (!name) {
		certdir_error_set(error, "%s asks for a proof that is no .key file in %s: it is not asked any further",
				  managed->host, managed->keys ? managed->keys : arc_keys);
		return NULL;
	}
	directory = open(managed->keys, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory >= 0)
		file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (file < 0) {
		certdir_error_set(error,
				  "%s wants to see a file in %s, which cannot be read: %s; the user that runs certdir "
				  "has to be a member of the group himds",
				  managed->host, managed->keys, strerror(errno));
		goto out;
	}
	if (is_agents(directory, file))
		length = read(file, key, KEY_MAX + 1);
	key[length > 0 ? length : 0] = '\0';
	key[strcspn(key, "\r\n")] = '\0';
	if (length <= 0 || length > KEY_MAX || !certdir_http_is_plain(key))
		certdir_error_set(error, "the .key file in %s that %s asks for is not one of the agent's",
				  managed->keys, managed->host);
	else if (!(header = certdir_print("Authorization: Basic %s", key)))
		certdir_error_set(error, "out of memory");
	explicit_bzero(key, sizeof(key));
out:
	if (file >= 0)
		(void)close(file);
	if (directory >= 0)
		(void)close(directory);
	return header;
}
