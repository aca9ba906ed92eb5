/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/link.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

struct parts {
	char *scheme, *host, *port;
};

static void parts_clear(struct parts *parts)
{
	curl_free(parts->scheme);
	curl_free(parts->host);
	curl_free(parts->port);
}

static bool parts_read(const char *url, struct parts *parts, struct certdir_error *error)
{
	CURLU *parsed = curl_url();
	CURLUcode code = parsed ? CURLUE_OK : CURLUE_OUT_OF_MEMORY;

	*parts = (struct parts){NULL};
	if (code == CURLUE_OK)
		code = curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER);
	if (code == CURLUE_OK)
		code = curl_url_get(parsed, CURLUPART_SCHEME, &parts->scheme, 0);
	if (code == CURLUE_OK)
		code = curl_url_get(parsed, CURLUPART_HOST, &parts->host, 0);
	if (code == CURLUE_OK)
		code = curl_url_get(parsed, CURLUPART_PORT, &parts->port, CURLU_DEFAULT_PORT);
	if (code != CURLUE_OK)
		certdir_error_set(error, "a link that cannot be followed: %s", curl_url_strerror(code));
	curl_url_cleanup(parsed);
	return code == CURLUE_OK;
}

/* What stands in the way of reading `url` in one way only, or NULL. */
static const char *oddity(const char *url)
{
	static const char scheme[] = "https://";
	const char *authority = url + sizeof(scheme) - 1;

	for (const char *at = url; *at; at++)
		if (*at <= 0x20 || *at > 0x7e || *at == '\\')
			return "has a blank, a backslash, a control or a non-ASCII character in it";
	if (strncasecmp(url, scheme, sizeof(scheme) - 1) != 0)
		return "is not https";
	if (strchr(url, '#'))
		return "has a fragment (#)";
	if (memchr(authority, '@', strcspn(authority, "/?")))
		return "has a user name before its host";
	return *authority == '/' ? "has no host" : NULL;
}

/* Whether a host and port are what `wanted` says. */
static bool fits(const struct parts *link, const char *wanted)
{
	const size_t length = strcspn(wanted, ":"), host = strlen(link->host);
	const char *port = wanted[length] ? wanted + length + 1 : "443";

	if (strcmp(link->port, port) != 0 || (*wanted == '.' ? host <= length : host != length))
		return false;
	return strncasecmp(link->host + (host - length), wanted, length) == 0;
}

bool certdir_link_host_check(const char *url, const char *const *hosts, struct certdir_error *error)
{
	const char *odd = oddity(url);
	struct parts link = {NULL};
	bool ok = false;

	if (odd) {
		certdir_error_set(error, "the server gave a link to a file that %s", odd);
		return false;
	}
	if (parts_read(url, &link, error)) {
		for (; *hosts && !ok; hosts++)
			ok = fits(&link, *hosts);
		if (!ok)
			certdir_error_set(error,
					  "the server gave a link to a file on %.200s port %s, which is none of "
					  "report_hosts",
					  link.host, link.port);
	}
	parts_clear(&link);
	return ok;
}

bool certdir_link_check(const char *url, const char *base, struct certdir_error *error)
{
	const char *odd = oddity(url);
	struct parts link = {NULL}, own = {NULL};
	bool ok = false;

	if (odd) {
		/* Its text is left out: what is odd in it would be odd on the terminal, too. */
		certdir_error_set(error, "the server gave a link that %s; links lead to %s only", odd, base);
		return false;
	}
	if (!parts_read(url, &link, error) || !parts_read(base, &own, error))
		goto out;
	ok = strcasecmp(link.scheme, own.scheme) == 0 && strcasecmp(link.host, own.host) == 0 &&
	     strcmp(link.port, own.port) == 0;
	if (!ok)
		certdir_error_set(error,
				  "the server gave a link to %.200s port %s, which is not the configured %s port %s",
				  link.host, link.port, own.host, own.port);
out:
	parts_clear(&link);
	parts_clear(&own);
	return ok;
}
