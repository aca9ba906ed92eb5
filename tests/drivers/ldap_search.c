/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks an LDAP directory what the tests want to know: argv[1] is the configuration (a JSON object), each line on
 * stdin a request, each line on stdout its answer.
 *   {"values": [["dns_name", "pc01.corp.example"], ..]}     one search
 *   {"searches": [[[..], ..], [[..], ..]]}                  several of one login, whose answer is one
 *   {"threads": 8, "searches": 500, "names": 40}                that many at once, for common_name load-0..; counts
 * the wrong ones
 */
#include "directory/ldap.h"
#include "directory/ldap_schema.h"

#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VALUES_MAX = 64 };

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
	struct certdir_ldap_directory_config config = {
		.server.servers = servers,
		.server.identity = text_of(options, "identity"),
		.server.password = text_of(options, "password"),
		.server.keytab = text_of(options, "keytab"),
		.server.bind = text_of(options, "keytab") ? CERTDIR_LDAP_BIND_GSSAPI : CERTDIR_LDAP_BIND_SIMPLE,
		.base_dn = text_of(options, "base_dn"),
		.filter = text_of(options, "filter"),
		.scope = text_of(options, "scope"),
		.group_base_dn = text_of(options, "group_base_dn"),
		.domains = text_of(options, "domains"),
		.server.start_tls = json_is_true(json_object_get(options, "start_tls")),
		.server.ca_file = text_of(options, "ca_file"),
		.server.certificate_file = text_of(options, "certificate_file"),
		.server.private_key_file = text_of(options, "private_key_file"),
		.server.require_cert = text_of(options, "require_cert"),
		.server.net_timeout = number_of(options, "net_timeout"),
		.server.res_timeout = number_of(options, "res_timeout"),
		.server.srv_timelimit = number_of(options, "srv_timelimit"),
		.server.port = (uint16_t)number_of(options, "port"),
		.most = json_object_get(options, "most") ? number_of(options, "most") : 8,
	};
	const json_t *list = json_object_get(options, "server"), *deadline = json_object_get(options, "deadline");
	const double seconds = json_number_value(deadline ? deadline : json_object_get(options, "res_timeout"));

	config.deadline.tv_sec = (time_t)seconds;
	config.deadline.tv_usec = (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6 + 0.5);
	for (size_t i = 0; i < json_array_size(list) && i < 7; i++)
		servers[i] = json_string_value(json_array_get(list, i));
	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++)
		config.attributes[type] = json_object_get(options, certdir_identity_type_name(type))
						  ? text_of(options, certdir_identity_type_name(type))
					  : CERTDIR_PERSONAL & CERTDIR_BIT(type)
						  ? ""
						  : certdir_ldap_default_attributes[type];
	return certdir_ldap_directory_open(&config, error);
}

static json_t *record_json(const struct certdir_record *record, const struct certdir_sought *sought, size_t count)
{
	static const char *const tristate[] = {"unknown", "no", "yes"};
	const struct certdir_device *device = &record->device;
	json_t *groups = json_array(), *names = json_array(), *values = json_array(), *by = json_array(),
	       *by_label = json_array();

	for (size_t i = 0; i < device->group_count; i++)
		json_array_append_new(groups, json_pack("[s?s?s?]", device->groups[i].id, device->groups[i].name,
							device->groups[i].sid));
	for (size_t i = 0; i < device->dns_name_count; i++)
		json_array_append_new(names, json_string(device->dns_names[i]));
	for (size_t i = 0; i < record->value_count; i++)
		json_array_append_new(values, json_pack("[ss]", certdir_identity_type_name(record->values[i].type),
							record->values[i].value));
	for (size_t i = 0; i < count; i++) {
		const enum certdir_carries carries =
			certdir_record_carries(record, CERTDIR_SOURCE_LDAP, sought[i].type, sought[i].value);

		if (carries != CERTDIR_CARRIES_NOT)
			json_array_append_new(carries == CERTDIR_CARRIES_LABEL ? by_label : by,
					      json_integer((json_int_t)i));
	}
	return json_pack(
		"{s:s, s:o, s:o, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:o, s:o, s:s, s:s, s:I, s:I, s:I, s:b}",
		"id", device->id, "by", by, "by_label", by_label, "name", device->name, "sid", device->sid,
		"serial_number", device->serial_number, "entra_device_id", device->entra_device_id, "intune_device_id",
		device->intune_device_id, "operating_system", device->operating_system, "dns_names", names, "values",
		values, "groups", groups, "enabled", tristate[device->enabled], "join_type",
		certdir_join_type_name(device->join_type), "expires", (json_int_t)device->expires, "last_seen",
		(json_int_t)device->own.last_seen, "registered", (json_int_t)device->own.registered, "is",
		device->own.is);
}

static json_t *kinds_json(uint32_t kinds)
{
	json_t *list = json_array();

	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++)
		if (kinds & CERTDIR_BIT(type))
			json_array_append_new(list, json_string(certdir_identity_type_name(type)));
	return list;
}

static json_t *answer_json(const struct certdir_answer *answer, const struct certdir_sought *sought, size_t count,
			   double seconds)
{
	static const char *const states[] = {"not asked", "answered", "unavailable", "missing"};
	json_t *records = json_array(), *many = json_array(), *sources = json_array(), *domains = json_array();

	for (size_t r = 0; r < answer->count; r++)
		json_array_append_new(records, record_json(&answer->records[r], sought, count));
	for (size_t i = 0; i < count; i++)
		if (sought[i].many)
			json_array_append_new(many, json_integer((json_int_t)i));
	for (size_t i = 0; i < answer->source_count; i++)
		json_array_append_new(sources, json_pack("[iso]", (int)answer->sources[i].kind, answer->sources[i].name,
							 kinds_json(answer->sources[i].keeps)));
	for (size_t i = 0; directory->domains && directory->domains[i]; i++)
		json_array_append_new(domains, json_string(directory->domains[i]));
	return json_pack("{s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:f}", "state", states[answer->state],
			 "detail", answer->detail, "full", answer->full, "partial", answer->partial, "many", many,
			 "keeps", kinds_json(answer->keeps), "known_before", kinds_json(directory->keeps), "sources",
			 sources, "is_live", directory->is_live, "domains", domains, "records", records, "seconds",
			 seconds);
}

static double monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t read_values(struct certdir_sought *sought, const json_t *values)
{
	size_t count = 0;

	for (; count < json_array_size(values) && count < VALUES_MAX; count++) {
		const json_t *pair = json_array_get(values, count);

		sought[count].many = false;
		sought[count].value = json_string_value(json_array_get(pair, 1));
		if (!certdir_identity_type_parse(json_string_value(json_array_get(pair, 0)), &sought[count].type))
			abort();
	}
	return count;
}

static json_t *search(const json_t *searches)
{
	struct certdir_sought sought[VALUES_MAX];
	struct certdir_answer answer = {.count = 0};
	const double start = monotonic();
	size_t count = 0;
	json_t *result;

	for (size_t i = 0; i < json_array_size(searches); i++) {
		count = read_values(sought, json_array_get(searches, i));
		directory->type->search(directory, sought, count, &answer);
	}
	result = answer_json(&answer, sought, count, monotonic() - start);
	certdir_answer_clear(&answer);
	return result;
}

static json_t *search_once(json_t *values)
{
	json_t *searches = json_pack("[O]", values), *result = search(searches);

	json_decref(searches);
	return result;
}

struct load {
	pthread_t thread;
	unsigned number, searches, names, wrong;
	double seconds;
};

static void *run_load(void *context)
{
	struct load *load = context;
	const double start = monotonic();

	for (unsigned n = 0; n < load->searches; n++) {
		struct certdir_answer answer = {.count = 0};
		char name[32];
		struct certdir_sought sought = {.type = CERTDIR_ID_NAME, .value = name};

		snprintf(name, sizeof(name), "load-%u", (load->number * 7 + n) % load->names);
		directory->type->search(directory, &sought, 1, &answer);
		if (answer.state != CERTDIR_ANSWERED || answer.count != 1 || sought.many ||
		    strcmp(answer.records[0].device.name, name) != 0)
			load->wrong++;
		certdir_answer_clear(&answer);
	}
	load->seconds = monotonic() - start;
	return NULL;
}

static json_t *load_test(const json_t *request)
{
	struct load loads[64] = {0};
	const unsigned threads = number_of(request, "threads");
	const double start = monotonic();
	json_t *each = json_array();
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
		json_array_append_new(each, json_real(loads[i].seconds));
	}
	return json_pack("{s:i, s:f, s:o}", "wrong", (int)wrong, "seconds", monotonic() - start, "each", each);
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
	struct certdir_error error = {.text = ""};
	char *line = NULL;
	size_t size = 0;

	if (!options)
		return 64;
	certdir_log_set(log_to_stderr);
	(void)signal(SIGPIPE, SIG_IGN); /* as radiusd does */
	directory = open_directory(options, &error);
	say(json_pack("{s:b, s:s}", "open", directory != NULL, "error", error.text));
	while (directory && getline(&line, &size, stdin) > 0) {
		json_t *request = json_loads(line, 0, NULL);

		if (!request)
			return 64;
		if (json_object_get(request, "threads"))
			say(load_test(request));
		else if (json_object_get(request, "searches"))
			say(search(json_object_get(request, "searches")));
		else
			say(search_once(json_object_get(request, "values")));
		json_decref(request);
	}
	free(line);
	if (directory)
		directory->type->close(directory);
	json_decref(options);
	return 0;
}
