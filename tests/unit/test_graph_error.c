/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error bodies of Graph and Entra ID: what follows from them, and what the administrator reads. */
#include "sync/graph_error.h"
#include "sync/token_error.h"
#include "sync/roles.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const outcomes[] = {
	[CERTDIR_GRAPH_OK] = "ok",
	[CERTDIR_GRAPH_RESYNC] = "resync",
	[CERTDIR_GRAPH_EXPIRED_PAGE] = "expired-page",
	[CERTDIR_GRAPH_NOT_APPLICABLE] = "not-applicable",
	[CERTDIR_GRAPH_NOT_FOUND] = "not-found",
	[CERTDIR_GRAPH_EMPTY] = "empty",
	[CERTDIR_GRAPH_STOPPED] = "stopped",
	[CERTDIR_GRAPH_FAILED] = "failed",
	[CERTDIR_GRAPH_REFUSED] = "refused",
	[CERTDIR_GRAPH_DENIED] = "denied",
	[CERTDIR_GRAPH_BUSY] = "again",
	[CERTDIR_GRAPH_UNAUTHORIZED] = "renew",
};

static const char *text_of(const json_t *vector, const char *key)
{
	return json_string_value(json_object_get(vector, key));
}

/* A text stands for itself, anything else for its JSON. The caller frees it. */
static char *body_of(const json_t *vector)
{
	const json_t *body = json_object_get(vector, "body");

	return json_is_string(body) ? strdup(json_string_value(body)) : json_dumps(body, JSON_ENCODE_ANY);
}

static void check_text(const json_t *vector, const char *text)
{
	const json_t *says = json_object_get(vector, "says"), *hides = json_object_get(vector, "hides");

	if (!*text)
		fail_msg("%s: no text", text_of(vector, "name"));
	for (size_t i = 0; i < json_array_size(says); i++)
		if (!strstr(text, json_string_value(json_array_get(says, i))))
			fail_msg("%s: \"%s\" does not say \"%s\"", text_of(vector, "name"), text,
				 json_string_value(json_array_get(says, i)));
	for (size_t i = 0; i < json_array_size(hides); i++)
		if (strstr(text, json_string_value(json_array_get(hides, i))))
			fail_msg("%s: \"%s\" says \"%s\"", text_of(vector, "name"), text,
				 json_string_value(json_array_get(hides, i)));
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			fail_msg("%s: a control character reaches the terminal", text_of(vector, "name"));
}

static void check_graph(const json_t *vector)
{
	const char *permission = text_of(vector, "permission");
	const long status = (long)json_integer_value(json_object_get(vector, "status"));
	const struct certdir_graph_lack lack = {.permissions = permission ? permission : "Device.Read.All",
						.granted = json_is_true(json_object_get(vector, "granted")),
						.managed = json_is_true(json_object_get(vector, "managed"))};
	const char *next = text_of(vector, "next");
	const char *due = strcmp(next, "end") == 0 ? text_of(vector, "outcome") : next;
	enum certdir_graph_outcome outcome;
	struct certdir_graph_error said;
	struct certdir_error error = {.text = ""};
	char *body = body_of(vector);

	certdir_graph_error_read(&said, body, strlen(body));
	outcome = certdir_graph_error_judge(status, &said);
	if (strcmp(outcomes[outcome], due) != 0)
		fail_msg("%s: %s, not %s", text_of(vector, "name"), outcomes[outcome], due);
	certdir_graph_error_explain(status, &said, "https://graph.example.test", &lack, &error);
	check_text(vector, error.text);
	free(body);
}

static void check_token(const json_t *vector)
{
	const long status = (long)json_integer_value(json_object_get(vector, "status"));
	const bool managed = json_is_true(json_object_get(vector, "managed"));
	const struct certdir_tenant_config config = {
		.name = "contoso",
		.tenant_id = "33333333-3333-4333-8333-333333333333",
		.client_id = "44444444-4444-4444-8444-444444444444",
		.credential = managed ? CERTDIR_CREDENTIAL_MANAGED_IDENTITY : CERTDIR_CREDENTIAL_SECRET,
	};
	struct certdir_token_error said;
	struct certdir_error error = {.text = ""};
	char *body = body_of(vector);
	bool transient;

	certdir_token_error_read(&said, body, strlen(body));
	transient = certdir_token_error_transient(status, &said, managed);
	if (transient != json_is_true(json_object_get(vector, "transient")))
		fail_msg("%s: %s", text_of(vector, "name"), transient ? "transient" : "not transient");
	certdir_token_error_explain(status, &said, &config, "https://login.example.test", &error);
	check_text(vector, error.text);
	if (!strstr(error.text, config.client_id))
		fail_msg("%s: \"%s\" names no client_id", text_of(vector, "name"), error.text);
	free(body);
}

static void test_vectors(void **state)
{
	json_t *vectors = vectors_load("graph_errors.json");

	(void)state;
	for (size_t i = 0; i < json_array_size(vectors); i++) {
		const json_t *vector = json_array_get(vectors, i);

		if (strcmp(text_of(vector, "kind"), "graph") == 0)
			check_graph(vector);
		else
			check_token(vector);
	}
	json_decref(vectors);
}

/* A body is not NUL-terminated text: what stands behind it does not count, and none at all is fine. */
static void test_length(void **state)
{
	static const char body[] = "{\"error\":{\"code\":\"a\"}}garbage";
	struct certdir_graph_error said;
	struct certdir_token_error token;

	(void)state;
	certdir_graph_error_read(&said, body, strlen("{\"error\":{\"code\":\"a\"}}"));
	assert_string_equal(said.codes[0], "a");
	certdir_graph_error_read(&said, body, strlen(body));
	assert_string_equal(said.codes[0], "");
	certdir_graph_error_read(&said, NULL, 0);
	assert_string_equal(said.message, "");
	certdir_token_error_read(&token, NULL, 0);
	assert_int_equal(token.code, 0);
}

/* ---- what a token grants ---- */

#define NOTHING "eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJ4In0.c2ln" /* {"aud":"x"} */
#define ALL_DEVICE "eyJ0eXAiOiJKV1QifQ.eyJyb2xlcyI6WyJEZXZpY2UuUmVhZC5BbGwiXX0.c2ln" /* {"roles":["Device.Read.All"]} */
/* {"roles":["Directory.Read.All",1]} */
#define DIRECTORY "eyJ0eXAiOiJKV1QifQ.eyJyb2xlcyI6WyJEaXJlY3RvcnkuUmVhZC5BbGwiLDFdfQ.c2ln"

static void test_permissions(void **state)
{
	static const char device[] = "Device.Read.All", intune[] = "DeviceManagementManagedDevices.Read.All",
			  group[] = "GroupMember.Read.All";
	static const struct {
		const char *token;
		bool intune, groups;
		const char *refused, *missing; /* NULL: it is granted */
	} cases[] = {
		{NOTHING, true, true, device,
		 "Device.Read.All, DeviceManagementManagedDevices.Read.All, GroupMember.Read.All"},
		{NOTHING, false, true, device, "Device.Read.All, GroupMember.Read.All"},
		{NOTHING, false, false, group, "Device.Read.All, GroupMember.Read.All"},
		{ALL_DEVICE, true, false, intune, intune},
		{ALL_DEVICE, true, true, group, "DeviceManagementManagedDevices.Read.All, GroupMember.Read.All"},
		{ALL_DEVICE, true, false, device, NULL},
		{DIRECTORY, true, true, intune, intune},
		{DIRECTORY, true, true, group, NULL},
		/* What cannot be read says nothing. */
		{"opaque", true, true, device, device},
		{"", true, true, device, device},
		{"a.b.c", true, true, device, device},
		{"a.!.c", true, true, device, device},
		{"a..c", true, true, device, device},
		{"a.eyJ", true, true, device, device},
		{"a.W10.c", true, true, intune, intune}, /* [] */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *groups[] = {cases[i].groups ? "staff" : NULL, NULL};
		const struct certdir_tenant_config config = {.intune = cases[i].intune, .groups = groups};
		struct certdir_roles permissions;
		char missing[CERTDIR_ROLES_TEXT];
		bool is_missing;

		certdir_roles_read(&permissions, cases[i].token);
		is_missing = certdir_roles_missing(&permissions, &config, cases[i].refused, missing);
		if (is_missing != (cases[i].missing != NULL))
			fail_msg("case %zu: %s, \"%s\"", i, is_missing ? "missing" : "granted", missing);
		if (is_missing && strcmp(missing, cases[i].missing) != 0)
			fail_msg("case %zu: \"%s\"", i, missing);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors), cmocka_unit_test(test_length),
					   cmocka_unit_test(test_permissions)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
