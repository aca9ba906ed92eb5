/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links: which lead to Graph, and which only look as if they did. */
#include "sync/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define GRAPH "https://graph.microsoft.com"

static const struct {
	const char *url, *base;
	const char *why; /* NULL: good */
} links[] = {
	{GRAPH "/v1.0/devices", GRAPH, NULL},
	{GRAPH "/v1.0/devices/delta?$deltatoken=a'b(c)%2F..%2F", GRAPH, NULL},
	{GRAPH "/v1.0/x/../../y?a=//b@c:d", GRAPH, NULL},
	{GRAPH "?a=b", GRAPH, NULL},
	{GRAPH, GRAPH, NULL},
	{"HTTPS://Graph.Microsoft.COM/v1.0", GRAPH, NULL},
	{GRAPH ":443/v1.0", GRAPH, NULL},
	{GRAPH "/v1.0", GRAPH ":443", NULL},
	{"https://localhost:8443/x", "https://localhost:8443", NULL},
	{"https://[::1]:8443/x", "https://[::1]:8443", NULL},
	{"https://[0:0::1]/x", "https://[::1]", NULL},
	{"https://[::2]:8443/x", "https://[::1]:8443", "[::2]"},
	{"https://[::1]@evil.example/x", "https://[::1]", "user name"},
	{GRAPH "/v1.0/devices?$filter=mail eq 'x'", GRAPH, "blank"},
	{"https://graph.microsoft.com@evil.example/", GRAPH, "user name"},
	{"https://graph.microsoft.com:443@evil.example/", GRAPH, "user name"},
	{"https://user:pass@graph.microsoft.com/", GRAPH, "user name"},
	{"https://@graph.microsoft.com/", GRAPH, "user name"},
	{"https://graph.microsoft.com\\@evil.example/", GRAPH, "backslash"},
	{"https:\\\\graph.microsoft.com/", GRAPH, "backslash"},
	{"https://evil.example\\.graph.microsoft.com/", GRAPH, "backslash"},
	{"https://graph.microsoft.com/a\\b", GRAPH, "backslash"},
	{"https://graph.microsoft.com#@evil.example/", GRAPH, "fragment"},
	{"https://evil.example/#graph.microsoft.com", GRAPH, "fragment"},
	{"https://graph.microsoft.com.evil.example/", GRAPH, "graph.microsoft.com.evil.example"},
	{"https://evil.example/graph.microsoft.com", GRAPH, "evil.example"},
	{"https://evil.example?graph.microsoft.com/", GRAPH, "evil.example"},
	{"https://graph.microsoft.com./", GRAPH, "graph.microsoft.com."},
	{"https://xgraph.microsoft.com/", GRAPH, "xgraph"},
	{"https://graph.microsoft.us/", GRAPH, "graph.microsoft.us"},
	{"https://graph.microsoft.com:8443/", GRAPH, "8443"},
	{"https://graph.microsoft.com:80/", GRAPH, "port 80"},
	{"https://graph.microsoft.com:44300/", GRAPH, "44300"},
	{"https://localhost/x", "https://localhost:8443", "port 443"},
	{"https://localhost:8444/x", "https://localhost:8443", "8444"},
	{"http://graph.microsoft.com/", GRAPH, "not https"},
	{"http://graph.microsoft.com:443/", GRAPH, "not https"},
	{"ftp://graph.microsoft.com/", GRAPH, "not https"},
	{"file:///etc/passwd", GRAPH, "not https"},
	{"//graph.microsoft.com/", GRAPH, "not https"},
	{"/v1.0/devices", GRAPH, "not https"},
	{"graph.microsoft.com/v1.0", GRAPH, "not https"},
	{"https:graph.microsoft.com/", GRAPH, "not https"},
	{"https:/graph.microsoft.com/", GRAPH, "not https"},
	{"https:///graph.microsoft.com/", GRAPH, "no host"},
	{"https://", GRAPH, ""},
	{"https://:443/", GRAPH, ""},
	{"", GRAPH, "not https"},
	{" https://graph.microsoft.com/", GRAPH, "blank"},
	{"https://graph.microsoft.com/ ", GRAPH, "blank"},
	{"https://graph.microsoft.com/\r\nX: y", GRAPH, "control"},
	{"https://graph.microsoft.com\t/", GRAPH, "control"},
	{"https://graph.microsoft.com/\x7f", GRAPH, "control"},
	{"https://gr\xc3\xa4ph.microsoft.com/", GRAPH, "non-ASCII"},
	{"https://graph\xe3\x80\x82microsoft.com/", GRAPH, "non-ASCII"},
	{"https://graph.microsoft.com:0x1bb/", GRAPH, ""},
	{"https://graph.microsoft.com:99999/", GRAPH, ""},
	{"https://2130706433:8443/", "https://localhost:8443", "127.0.0.1"},
};

static void test_links(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		struct certdir_error error = {.text = ""};
		const bool good = certdir_link_check(links[i].url, links[i].base, &error);

		if (good != (links[i].why == NULL))
			fail_msg("%s: %s", links[i].url, good ? "accepted" : error.text);
		if (good)
			continue;
		if (!strstr(error.text, links[i].why))
			fail_msg("%s: \"%s\" does not say \"%s\"", links[i].url, error.text, links[i].why);
		for (const char *at = error.text; *at; at++)
			if (*at < ' ' || *at > '~')
				fail_msg("%s: no text for a terminal", links[i].url);
	}
}

/* Both are named: where it leads, and where it should. */
static void test_both_named(void **state)
{
	struct certdir_error error = {.text = ""};

	(void)state;
	assert_false(certdir_link_check("https://evil.example:444/x", GRAPH, &error));
	assert_non_null(strstr(error.text, "evil.example port 444"));
	assert_non_null(strstr(error.text, "graph.microsoft.com port 443"));
}

/* Files of reports come from hosts that nobody names one by one. */
static void test_hosts(void **state)
{
	static const char *const hosts[] = {".blob.core.windows.net", "files.example", ".local.example:8443", NULL};
	static const struct {
		const char *url;
		bool good;
	} urls[] = {
		{"https://amsua0202repexpstorage.blob.core.windows.net/a/b.zip?sv=1&sig=a%2Bb%3D", true},
		{"https://A.Blob.Core.Windows.NET/", true},
		{"https://a.blob.core.windows.net:443/", true},
		{"https://files.example/x", true},
		{"https://a.local.example:8443/x", true},
		{"https://blob.core.windows.net/", false},
		{"https://.blob.core.windows.net/", false},
		{"https://evilblob.core.windows.net/", false},
		{"https://a.blob.core.windows.net.evil.example/", false},
		{"https://a.blob.core.windows.net@evil.example/", false},
		{"https://a.blob.core.windows.net:444/", false},
		{"https://evil.example/a.blob.core.windows.net", false},
		{"https://evil.example?a.blob.core.windows.net", false},
		{"https://evil.example#a.blob.core.windows.net", false},
		{"https://evil.example\\.blob.core.windows.net/", false},
		{"https://a.files.example/x", false},
		{"https://files.example:8443/x", false},
		{"https://a.local.example/x", false},
		{"http://a.blob.core.windows.net/", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct certdir_error error = {.text = ""};

		if (certdir_link_host_check(urls[i].url, hosts, &error) != urls[i].good || !*error.text != urls[i].good)
			fail_msg("%s: %s", urls[i].url, *error.text ? error.text : "accepted");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_links), cmocka_unit_test(test_both_named),
					   cmocka_unit_test(test_hosts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
