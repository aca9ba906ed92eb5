/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks an LDAP directory what the tests want to know: argv[1] is the configuration (a JSON object), each line on
 * stdin a request, each line on stdout its answer.
 *   {"identities": [["dns_name", "pc01.corp.example"], ..]}     one search, and the decision that follows from it
 *   {"threads": 8, "searches": 500, "names": 40}                that many at once, for common_name load-0..; counts
 * the wrong ones
 */
#include "decision/decision.h"
#include "directory/ldap_schema.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct certdir_directory *directory;

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static uint32_t number_of(const json_t *object, const char *key)
{
	return (uint32_t)json_integer_value(json_object_get(object, key));
}

static void log_to_stderr(enum certdir_log_level level, const char *text)
{
	fprintf(stderr, "log %d %s\n", (int)level, text);
}

static struct certdir_directory *open_directory(const json_t *options, struct certdir_error *error)
{
	static const char *servers[8];
	struct certdir_ldap_config config = {
	    .servers = servers,
	    .identity = text_of(options, "identity"),
	    .password = text_of(options, "password"),
	    .base_dn = text_of(options, "base_dn"),
	    .filter = text_of(options, "filter"),
	    .scope = text_of(options, "scope"),
	    .start_tls = json_is_true(json_object_get(options, "start_tls")),
	    .ca_file = text_of(options, "ca_file"),
	    .certificate_file = text_of(options, "certificate_file"),
	    .private_key_file = text_of(options, "private_key_file"),
	    .require_cert = text_of(options, "require_cert"),
	    .net_timeout = number_of(options, "net_timeout"),
	    .res_timeout = number_of(options, "res_timeout"),
	    .srv_timelimit = number_of(options, "srv_timelimit"),
	    .port = (uint16_t)number_of(options, "port"),
	};
	const json_t *list = json_object_get(options, "server");

	for (size_t i = 0; i < json_array_size(list) && i < 7; i++)
		servers[i] = json_string_value(json_array_get(list, i));
	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++)
		config.attributes[type] = json_object_get(options, certdir_identity_type_name(type))
					      ? text_of(options, certdir_identity_type_name(type))
					      : certdir_ldap_default_attributes[type];
	return certdir_ldap_directory_open(&config, error);
}

static json_t *bits(uint64_t mask)
{
	json_t *list = json_array();

	for (int i = 0; i < 64; i++)
		if (mask >> i & 1)
			json_array_append_new(list, json_integer(i));
	return list;
}

static json_t *match_json(const struct certdir_match *match)
{
	static const char *const tristate[] = {"unknown", "no", "yes"};
	const struct certdir_device *device = &match->device;
	json_t *groups = json_array(), *names = json_array();

	for (size_t i = 0; i < device->group_count; i++)
		json_array_append_new(groups, json_pack("[s?s?]", device->groups[i].id, device->groups[i].name));
	for (size_t i = 0; i < device->dns_name_count; i++)
		json_array_append_new(names, json_string(device->dns_names[i]));
	return json_pack("{s:s, s:o, s:s?, s:s?, s:s?, s:s?, s:o, s:o, s:s, s:s, s:I, s:I, s:I}", "id", device->id,
			 "by", bits(match->by), "name", device->name, "sid", device->sid, "serial_number",
			 device->serial_number, "operating_system", device->operating_system, "dns_names", names,
			 "groups", groups, "enabled", tristate[device->enabled], "join_type",
			 certdir_join_type_name(device->join_type), "expires", (json_int_t)device->expires, "last_seen",
			 (json_int_t)device->last_seen, "registered", (json_int_t)device->registered);
}

static json_t *answer_json(const struct certdir_answer *answer, const struct certdir_decision *decision, double seconds)
{
	static const char *const states[] = {"answered", "unavailable", "missing"};
	json_t *matches = json_array(), *holds = json_array();

	for (size_t m = 0; m < answer->count; m++)
		json_array_append_new(matches, match_json(&answer->matches[m]));
	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++)
		if (answer->holds & CERTDIR_BIT(type))
			json_array_append_new(holds, json_string(certdir_identity_type_name(type)));
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:f}", "state", states[answer->state], "detail",
			 answer->detail, "truncated", bits(answer->truncated), "holds", holds, "matches", matches,
			 "reason", answer->state == CERTDIR_ANSWERED ? certdir_reason_name(decision->reason) : "",
			 "seconds", seconds);
}

static double monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static json_t *search(const json_t *identities)
{
	const struct certdir_policy policy = {.join_types = UINT32_MAX};
	struct certdir_certificate certificate = {.count = 0};
	struct certdir_answer answer = {.count = 0};
	struct certdir_decision decision = {.detail = ""};
	const int64_t now = (int64_t)time(NULL);
	json_t *result;
	double start;

	for (size_t i = 0; i < json_array_size(identities) && i < CERTDIR_IDENTITIES_MAX; i++) {
		const json_t *pair = json_array_get(identities, i);
		struct certdir_identity *identity = &certificate.identities[certificate.count++];

		if (!certdir_identity_type_parse(json_string_value(json_array_get(pair, 0)), &identity->type))
			abort();
		identity->value = (char *)(uintptr_t)json_string_value(json_array_get(pair, 1));
		identity->immutable = identity->type <= CERTDIR_ID_SID;
	}
	start = monotonic();
	directory->type->search(directory, &certificate, UINT64_MAX, now, &answer);
	start = monotonic() - start;
	if (answer.state == CERTDIR_ANSWERED) {
		certdir_agree(&certificate, UINT64_MAX, &answer, &decision);
		if (decision.reason == CERTDIR_ALLOWED)
			certdir_judge(&policy, now, &decision);
	}
	result = answer_json(&answer, &decision, start);
	certdir_answer_clear(&answer);
	return result;
}

struct load {
	pthread_t thread;
	unsigned number, searches, names, wrong;
};

static void *run_load(void *context)
{
	struct load *load = context;

	for (unsigned n = 0; n < load->searches; n++) {
		struct certdir_certificate certificate = {.count = 1};
		struct certdir_answer answer = {.count = 0};
		char name[32];

		snprintf(name, sizeof(name), "load-%u", (load->number * 7 + n) % load->names);
		certificate.identities[0] = (struct certdir_identity){.type = CERTDIR_ID_NAME, .value = name};
		directory->type->search(directory, &certificate, 1, 0, &answer);
		if (answer.state != CERTDIR_ANSWERED || answer.count != 1 || answer.matches[0].by != 1 ||
		    strcmp(answer.matches[0].device.name, name) != 0)
			load->wrong++;
		certdir_answer_clear(&answer);
	}
	return NULL;
}

static json_t *load_test(const json_t *request)
{
	struct load loads[64] = {0};
	const unsigned threads = number_of(request, "threads");
	const double start = monotonic();
	unsigned wrong = 0;

	for (unsigned i = 0; i < threads && i < 64; i++) {
		loads[i].number = i;
		loads[i].searches = number_of(request, "searches");
		loads[i].names = number_of(request, "names");
		pthread_create(&loads[i].thread, NULL, run_load, &loads[i]);
	}
	for (unsigned i = 0; i < threads && i < 64; i++) {
		pthread_join(loads[i].thread, NULL);
		wrong += loads[i].wrong;
	}
	return json_pack("{s:i, s:f}", "wrong", (int)wrong, "seconds", monotonic() - start);
}

static void say(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(object);
}

int main(int argc, char **argv)
{
	json_t *options = argc == 2 ? json_loads(argv[1], 0, NULL) : NULL;
	struct certdir_error error = {""};
	char *line = NULL;
	size_t size = 0;

	if (!options)
		return 64;
	certdir_log_set(log_to_stderr);
	directory = open_directory(options, &error);
	say(json_pack("{s:b, s:s}", "open", directory != NULL, "error", error.text));
	while (directory && getline(&line, &size, stdin) > 0) {
		json_t *request = json_loads(line, 0, NULL);

		if (!request)
			return 64;
		say(json_object_get(request, "threads") ? load_test(request)
							: search(json_object_get(request, "identities")));
		json_decref(request);
	}
	free(line);
	if (directory)
		directory->type->close(directory);
	json_decref(options);
	return 0;
}
