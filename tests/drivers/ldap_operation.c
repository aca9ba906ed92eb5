/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps an LDAP directory as the tests want: argv[1] is the configuration (a JSON object), each line on stdin a request, each
 * line on stdout its answer. The first answer tells whether the connection is there.
 *   {"list": {"base": "dc=x", "scope": "sub", "attributes": ["cn"], "page": 100}}   the entries, or only how many ("only_count")
 *   {"send": [{"verb": "add", "dn": "cn=a,dc=x", "changes": [{"attribute": "cn", "come": ["a"]}]}, ..]}    their ids
 *   {"receive": 3}                                                                      so many answers
 */
#include "ldap/operation.h"

#include <jansson.h>
#include <ldap.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const statuses[] = {
	[CERTDIR_LDAP_OK] = "ok",
	[CERTDIR_LDAP_SIZE_LIMIT] = "size-limit",
	[CERTDIR_LDAP_LOST] = "lost",
	[CERTDIR_LDAP_TIMEOUT] = "timeout",
	[CERTDIR_LDAP_REFUSED] = "refused",
	[CERTDIR_LDAP_NO_OBJECT] = "no-object",
	[CERTDIR_LDAP_EXISTS] = "exists",
	[CERTDIR_LDAP_DENIED] = "denied",
	[CERTDIR_LDAP_READ_ONLY] = "read-only",
	[CERTDIR_LDAP_CONSTRAINT] = "constraint",
	[CERTDIR_LDAP_NOT_LEAF] = "not-leaf",
	[CERTDIR_LDAP_CHANGED] = "changed",
	[CERTDIR_LDAP_FAILED] = "failed",
};

static struct certdir_ldap_connection *connection;

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static uint32_t number_of(const json_t *object, const char *key)
{
	return (uint32_t)json_integer_value(json_object_get(object, key));
}

static double monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- list ---- */

struct listed {
	json_t *entries; /* NULL = only counted */
	int count, refuse_at;
	struct certdir_error *error;
};

/* Bytes as JSON holds them: Latin-1. */
static json_t *bytes_json(const void *bytes, size_t length)
{
	char *text = malloc(2 * length + 1), *at = text;
	json_t *string;

	for (size_t i = 0; i < length; i++) {
		const unsigned char byte = ((const unsigned char *)bytes)[i];

		if (byte & 0x80)
			*at++ = (char)(0xc0 | byte >> 6);
		*at++ = (char)(byte & 0x80 ? 0x80 | (byte & 0x3f) : byte);
	}
	string = json_stringn_nocheck(text, (size_t)(at - text));
	free(text);
	return string;
}

static bool take_entry(void *context, const struct certdir_ldap_entry *entry)
{
	struct listed *listed = context;
	json_t *values;

	if (++listed->count == listed->refuse_at) {
		certdir_error_set(listed->error, "the test wants no more");
		return false;
	}
	if (!listed->entries)
		return true;
	values = json_array();
	for (size_t i = 0; i < entry->count; i++)
		json_array_append_new(values, json_pack("[s#, o]", entry->values[i].attribute,
							(int)entry->values[i].attribute_length,
							bytes_json(entry->values[i].bytes, entry->values[i].length)));
	json_array_append_new(listed->entries, json_pack("[o, o]", bytes_json(entry->dn, entry->dn_length), values));
	return true;
}

static json_t *run_list(const json_t *request)
{
	const char *attributes[16] = {NULL}, *scope = text_of(request, "scope");
	const json_t *names = json_object_get(request, "attributes");
	struct certdir_error error = {.text = ""};
	struct certdir_ldap_query listing = {
		.base = text_of(request, "base"),
		.scope = !scope ? CERTDIR_LDAP_SUBTREE
			 : strcmp(scope, "base") == 0
				 ? CERTDIR_LDAP_BASE
				 : (strcmp(scope, "one") == 0 ? CERTDIR_LDAP_ONE : CERTDIR_LDAP_SUBTREE),
		.filter = text_of(request, "filter") ? text_of(request, "filter") : "(objectClass=*)",
		.attributes = attributes,
		.page = number_of(request, "page"),
	};
	struct listed listed = {
		.entries = json_is_true(json_object_get(request, "only_count")) ? NULL : json_array(),
		.refuse_at = (int)number_of(request, "refuse_at"),
		.error = &error,
	};
	const double start = monotonic();
	enum certdir_ldap_status status;

	for (size_t i = 0; i < json_array_size(names) && i < 15; i++)
		attributes[i] = json_string_value(json_array_get(names, i));
	status = certdir_ldap_list(connection, &listing, take_entry, &listed, &error);
	return json_pack("{s:s, s:s, s:i, s:o?, s:f}", "status", statuses[status], "error",
			 status == CERTDIR_LDAP_OK ? "" : error.text, "count", listed.count, "entries", listed.entries,
			 "seconds", monotonic() - start);
}

/* ---- operations ---- */

static struct certdir_ldap_values values_of(const json_t *list)
{
	struct certdir_ldap_values values = {.count = json_array_size(list)};
	struct certdir_ldap_bytes *items = calloc(values.count + 1, sizeof(*items));

	for (size_t i = 0; i < values.count; i++) {
		const json_t *value = json_array_get(list, i);

		items[i].bytes = json_string_value(value);
		items[i].length = json_string_length(value);
	}
	values.items = items;
	return values;
}

static enum certdir_ldap_verb verb_of(const json_t *request)
{
	static const char *const verbs[] = {"add", "modify", "rename", "delete", "read"};
	const char *verb = text_of(request, "verb");

	for (size_t i = 0; i < 5; i++)
		if (verb && strcmp(verb, verbs[i]) == 0)
			return (enum certdir_ldap_verb)i;
	abort();
}

static enum certdir_ldap_status send_one(const json_t *request, int *id, struct certdir_error *error)
{
	const json_t *list = json_object_get(request, "changes");
	const size_t count = json_array_size(list);
	struct certdir_ldap_change *changes = calloc(count + 1, sizeof(*changes));
	const struct certdir_ldap_operation operation = {
		.verb = verb_of(request),
		.dn = text_of(request, "dn"),
		.changes = changes,
		.count = count,
		.rdn = text_of(request, "rdn"),
		.parent = text_of(request, "parent"),
		.attribute = text_of(request, "attribute"),
	};
	enum certdir_ldap_status status;

	for (size_t i = 0; i < count; i++) {
		const json_t *change = json_array_get(list, i);

		changes[i].attribute = text_of(change, "attribute");
		changes[i].deleted = values_of(json_object_get(change, "gone"));
		changes[i].added = values_of(json_object_get(change, "come"));
		changes[i].whole = json_is_true(json_object_get(change, "whole"));
	}
	status = certdir_ldap_send(connection, &operation, id, error);
	for (size_t i = 0; i < count; i++) {
		free((void *)(uintptr_t)changes[i].deleted.items);
		free((void *)(uintptr_t)changes[i].added.items);
	}
	free(changes);
	return status;
}

static json_t *run_send(const json_t *list)
{
	struct certdir_error error = {.text = ""};
	enum certdir_ldap_status status = CERTDIR_LDAP_OK;
	json_t *ids = json_array();
	const double start = monotonic();
	int id;

	for (size_t i = 0; i < json_array_size(list) && status == CERTDIR_LDAP_OK; i++) {
		status = send_one(json_array_get(list, i), &id, &error);
		if (status == CERTDIR_LDAP_OK)
			json_array_append_new(ids, json_integer(id));
	}
	return json_pack("{s:s, s:s, s:o, s:f}", "status", statuses[status], "error",
			 status == CERTDIR_LDAP_OK ? "" : error.text, "ids", ids, "seconds", monotonic() - start);
}

static json_t *run_receive(json_int_t count)
{
	struct certdir_error error = {.text = ""};
	enum certdir_ldap_status status = CERTDIR_LDAP_OK;
	struct certdir_ldap_answer answer;
	json_t *answers = json_array();
	const double start = monotonic();

	while (count-- > 0 && status == CERTDIR_LDAP_OK) {
		status = certdir_ldap_receive(connection, &answer, &error);
		if (status == CERTDIR_LDAP_OK)
			json_array_append_new(answers,
					      json_pack("{s:i, s:s, s:s, s:b, s:s}", "id", answer.id, "status",
							statuses[answer.status], "text", answer.text, "found",
							(int)answer.found, "value", answer.found ? answer.value : ""));
	}
	return json_pack("{s:s, s:s, s:o, s:f}", "status", statuses[status], "error",
			 status == CERTDIR_LDAP_OK ? "" : error.text, "answers", answers, "seconds",
			 monotonic() - start);
}

/* ---- main ---- */

static void say(json_t *object)
{
	if (!object)
		abort();
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(object);
}

/* What somebody else in the process does with libldap meanwhile: connects and binds. */
struct other {
	const char *uri;
	double seconds; /* that it took; -1 when it failed */
};

static void *bind_by_libldap(void *context)
{
	struct other *other = context;
	const double start = monotonic();
	struct berval nothing = {0, NULL};
	const int version = LDAP_VERSION3;
	LDAP *handle = NULL;

	(void)usleep(100000); /* the one that is opened is at its name by then */
	other->seconds = -1;
	if (ldap_initialize(&handle, other->uri) != LDAP_SUCCESS)
		return NULL;
	(void)ldap_set_option(handle, LDAP_OPT_PROTOCOL_VERSION, &version);
	if (ldap_sasl_bind_s(handle, "", LDAP_SASL_SIMPLE, &nothing, NULL, NULL, NULL) == LDAP_SUCCESS)
		other->seconds = monotonic() - start;
	(void)ldap_unbind_ext(handle, NULL, NULL);
	return NULL;
}

static void open_connection(const json_t *options, struct certdir_watchdog *watchdog)
{
	static struct certdir_ldap_config config;
	const char *bind = text_of(options, "bind");
	struct certdir_error error = {.text = ""};
	enum certdir_ldap_status status = CERTDIR_LDAP_FAILED;
	const double start = monotonic();
	struct other other = {.uri = text_of(options, "beside")};
	pthread_t thread;
	json_t *result;
	bool acceptable;

	config = (struct certdir_ldap_config){
		.bind = bind && strcmp(bind, "external") == 0 ? CERTDIR_LDAP_BIND_EXTERNAL
			: bind && strcmp(bind, "gssapi") == 0 ? CERTDIR_LDAP_BIND_GSSAPI
							      : CERTDIR_LDAP_BIND_SIMPLE,
		.identity = text_of(options, "identity"),
		.password = text_of(options, "password"),
		.keytab = text_of(options, "keytab"),
		.start_tls = json_is_true(json_object_get(options, "start_tls")),
		.ca_file = text_of(options, "ca_file"),
		.certificate_file = text_of(options, "certificate_file"),
		.private_key_file = text_of(options, "private_key_file"),
		.net_timeout = number_of(options, "net_timeout"),
		.res_timeout = number_of(options, "res_timeout"),
	};
	acceptable = certdir_ldap_connection_check(text_of(options, "server"), &config, &error);
	if (other.uri && pthread_create(&thread, NULL, bind_by_libldap, &other) != 0)
		abort();
	if (acceptable)
		status = certdir_ldap_connection_open(&connection, text_of(options, "server"), &config, watchdog,
						      &error);
	result = json_pack("{s:b, s:s, s:s, s:f}", "acceptable", (int)acceptable, "status", statuses[status], "error",
			   error.text, "seconds", monotonic() - start);
	if (other.uri) {
		(void)pthread_join(thread, NULL);
		json_object_set_new(result, "beside", json_real(other.seconds));
	}
	say(result);
}

int main(int argc, char **argv)
{
	json_t *options = argc == 2 ? json_loads(argv[1], 0, NULL) : NULL;
	struct certdir_error error = {.text = ""};
	struct certdir_watchdog *watchdog = certdir_watchdog_start(&error);
	char *line = NULL;
	size_t size = 0;

	if (!options || !watchdog)
		return 64;
	(void)signal(SIGPIPE, SIG_IGN);
	open_connection(options, watchdog);
	while (connection && getline(&line, &size, stdin) > 0) {
		json_t *request = json_loads(line, 0, NULL), *part;

		if (!request)
			return 64;
		if ((part = json_object_get(request, "list")) != NULL)
			say(run_list(part));
		else if ((part = json_object_get(request, "send")) != NULL)
			say(run_send(part));
		else
			say(run_receive(json_integer_value(json_object_get(request, "receive"))));
		json_decref(request);
	}
	free(line);
	certdir_ldap_connection_close(connection);
	certdir_watchdog_stop(watchdog);
	json_decref(options);
	return 0;
}
