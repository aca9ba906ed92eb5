/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gives orders to network devices as the tests want: argv[1] is a configuration file with client { } sections; each line on stdin is one
 * of these, each line on stdout an answer. The first answer tells whether the configuration was read.
 *   {"order": 7, "kind": "disconnect", "client": "127.0.0.1", "session": {"Acct-Session-Id": "5"}}
 *   {"heard": "127.0.0.1", "secret": "x", "own": "127.0.0.1", "socket": 3}     an accounting packet; -1: out of a file
 */
#include "das.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <sys/wait.h>

#include <freeradius/radpaths.h>

#include "base/background.h"

static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

/* libfreeradius-server calls these in the program that it is linked to. */
pid_t rad_fork(void);
pid_t rad_waitpid(pid_t pid, int *status);
pid_t rad_fork(void)
{
	return fork();
}

pid_t rad_waitpid(pid_t pid, int *status)
{
	return waitpid(pid, status, 0);
}

static void say(json_t *object)
{
	if (!object)
		abort();
	pthread_mutex_lock(&output);
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	pthread_mutex_unlock(&output);
	json_decref(object);
}

static char const *text_of(json_t const *object, char const *key)
{
	return json_string_value(json_object_get(object, key));
}

static struct sockaddr_storage address_of(char const *text)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	struct sockaddr_in *const four = (void *)&address;
	struct sockaddr_in6 *const six = (void *)&address;

	if (inet_pton(AF_INET, text, &four->sin_addr) == 1)
		address.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1)
		address.ss_family = AF_INET6;
	return address;
}

static void answered(void *to, uint64_t id, enum certdir_order_outcome outcome, uint32_t cause)
{
	(void)to;
	say(json_pack("{s:I, s:s, s:i, s:f}", "order", (json_int_t)id, "outcome", certdir_order_outcome_name(outcome),
		      "cause", (int)cause, "at", (double)certdir_monotonic() / 1e6));
}

static void give(struct certdir_das *das, json_t const *line)
{
	json_t const *fields = json_object_get(line, "session");
	char const *kind = text_of(line, "kind");
	struct certdir_session session = {.client = address_of(text_of(line, "client"))};
	struct certdir_order const order = {
		.id = (uint64_t)json_integer_value(json_object_get(line, "order")),
		.kind = kind && strcmp(kind, "change") == 0 ? CERTDIR_ORDER_CHANGE : CERTDIR_ORDER_DISCONNECT,
		.session = &session,
		.reason = "disabled",
		.answered = answered,
	};

	for (unsigned i = 0; i < CERTDIR_SESSION_FIELDS; i++)
		session.text[i] = text_of(fields, certdir_session_attribute((enum certdir_session_field)i));
	certdir_das_send(das, &order);
}

static void hear(struct certdir_das *das, json_t const *line)
{
	struct sockaddr_storage const from = address_of(text_of(line, "heard")), own = address_of(text_of(line, "own"));
	RADIUS_PACKET packet = {.sockfd = (int)json_integer_value(json_object_get(line, "socket"))};
	RADCLIENT client = {.secret = text_of(line, "secret")};
	REQUEST request = {.packet = &packet, .client = &client};

	(void)fr_sockaddr2ipaddr(&from, sizeof(from), &packet.src_ipaddr, NULL);
	(void)fr_sockaddr2ipaddr(&own, sizeof(own), &packet.dst_ipaddr, NULL);
	certdir_das_heard(das, &request);
}

extern CONF_SECTION *root_config;

static struct certdir_das *open_das(char const *file)
{
	struct certdir_error error = {.text = "the server cannot read it"};
	struct certdir_das *das = NULL;

	default_log.dst = L_DST_STDERR;
	default_log.fd = STDERR_FILENO;
	root_config = cf_section_alloc(NULL, "main", NULL);
	if (dict_init(DICTDIR, RADIUS_DICTIONARY) == 0 && cf_file_read(root_config, file) >= 0)
		das = certdir_das_open(root_config, &error);
	say(json_pack("{s:b, s:s}", "open", das != NULL, "error", das ? "" : error.text));
	return das;
}

int main(int argc, char **argv)
{
	struct certdir_das *das = argc == 2 ? open_das(argv[1]) : NULL;
	char *line = NULL;
	size_t size = 0;

	while (das && getline(&line, &size, stdin) > 0) {
		json_t *request = json_loads(line, 0, NULL);

		if (!request)
			return 64;
		if (json_object_get(request, "order"))
			give(das, request);
		else
			hear(das, request);
		json_decref(request);
	}
	free(line);
	certdir_das_close(das);
	talloc_free(root_config);
	dict_free();
	return 0;
}
