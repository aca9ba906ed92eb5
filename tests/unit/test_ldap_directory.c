/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An LDAP directory that cannot be opened as it is configured, and one whose server does not answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "directory/ldap.h"
#include "directory/ldap_schema.h"

static const char *const closed[] = {"ldap://127.0.0.1:1", NULL}; /* tcpmux: nobody listens there */
static const char *const nothing[] = {NULL};

static struct certdir_ldap_directory_config good(void)
{
	struct certdir_ldap_directory_config config = {
		.server = {.servers = closed, .net_timeout = 1, .res_timeout = 1},
		.base_dn = "OU=Devices,DC=Corp,DC=example",
		.deadline = {.tv_sec = 1},
		.most = 2,
		.name = "ad",
	};

	memcpy(config.attributes, certdir_ldap_default_attributes, sizeof(config.attributes));
	return config;
}

static void expect_refused(const struct certdir_ldap_directory_config *config, const char *why)
{
	struct certdir_error error = {.text = ""};

	assert_null(certdir_ldap_directory_open(config, &error));
	if (!strstr(error.text, why))
		fail_msg("\"%s\" does not say \"%s\"", error.text, why);
}

#define REFUSED(why, ...)                                                                                              \
	do {                                                                                                           \
		struct certdir_ldap_directory_config config = good();                                                  \
                                                                                                                       \
		__VA_ARGS__;                                                                                           \
		expect_refused(&config, why);                                                                          \
	} while (0)

static void test_what_is_misconfigured_is_named(void **state)
{
	static const char *const with_base[] = {"ldaps://dc1.corp.example/dc=x", NULL};
	static const char *const plain[] = {"ldap://dc1.corp.example", NULL};

	(void)state;
	REFUSED("ldap: server is not set", config.server.servers = NULL);
	REFUSED("ldap: server is not set", config.server.servers = nothing);
	REFUSED("ldap: base_dn is not set", config.base_dn = NULL);
	REFUSED("ldap: base_dn is not set", config.base_dn = "");
	REFUSED("ldap: identity is set but password is not", config.server.identity = "cn=x");
	REFUSED("ldap: password is set but identity is not", config.server.password = "secret");
	REFUSED("ldap: certificate_file and private_key_file go together", config.server.certificate_file = "/x");
	REFUSED("ldap: net_timeout is not between 1 and 3600", config.server.net_timeout = 0);
	REFUSED("ldap: res_timeout is not between 1 and 3600", config.server.res_timeout = 3601);
	REFUSED("ldap: deadline is not between 0.1 and 60", config.deadline.tv_sec = 61);
	REFUSED("ldap: deadline is not between 0.1 and 60", config.deadline = (struct timeval){.tv_usec = 99999});
	REFUSED("ldap: srv_timelimit is not between 0 (none) and 3600", config.server.srv_timelimit = 3601);
	REFUSED("ldap: scope = \"subtree\": write sub, one or base", config.scope = "subtree");
	REFUSED("check its parentheses", config.filter = "(objectClass=computer");
	REFUSED("ldap: objectSid holds SIDs", config.attributes[CERTDIR_ID_NAME] = "objectSid");
	REFUSED("\"a..b\" is not a DNS domain", config.domains = "corp.example a..b");
	/* What the connection finds wrong with a server's options says which section it is of, too. */
	REFUSED("ldap: server \"ldaps://dc1.corp.example/dc=x\": write \"dc=x\" as base_dn",
		config.server.servers = with_base);
	REFUSED("ldap: server \"ldap://dc1.corp.example\" would get the password in clear text",
		config.server.servers = plain;
		config.server.identity = "cn=x"; config.server.password = "secret");
	REFUSED("ldap: ca_file \"/nowhere\" cannot be read", config.server.ca_file = "/nowhere");
	REFUSED("ldap: require_cert = \"yes\": write never", config.server.require_cert = "yes");
}

static void test_what_it_knows_devices_by_is_known_before_it_is_asked(void **state)
{
	struct certdir_ldap_directory_config config = good();
	struct certdir_error error = {.text = ""};
	struct certdir_directory *directory;
	struct certdir_answer answer = {.state = CERTDIR_NOT_ASKED};

	(void)state;
	config.scope = "one";
	config.group_base_dn = "OU=Groups, DC=corp,DC=example";
	directory = certdir_ldap_directory_open(&config, &error);
	if (!directory)
		fail_msg("%s", error.text);
	assert_true(directory->is_live);
	assert_true(directory->keeps & CERTDIR_BIT(CERTDIR_ID_SID));
	assert_false(directory->keeps & CERTDIR_BIT(CERTDIR_ID_INTUNE));
	assert_string_equal(directory->domains[0], "corp.example");
	assert_null(directory->domains[1]);
	/* Nothing is asked for: nothing is said. */
	directory->type->search(directory, NULL, 0, &answer);
	assert_int_equal(answer.state, CERTDIR_NOT_ASKED);
	directory->type->close(directory);
}

static void test_server_that_is_down_is_an_outcome(void **state)
{
	const struct certdir_ldap_directory_config config = good();
	struct certdir_sought sought[] = {{.type = CERTDIR_ID_NAME, .value = "pc01"},
					  {.type = CERTDIR_ID_DNS, .value = "pc01.corp.example"}};
	struct certdir_error error = {.text = ""};
	struct certdir_directory *directory = certdir_ldap_directory_open(&config, &error);
	struct certdir_answer answer = {.state = CERTDIR_NOT_ASKED};

	(void)state;
	assert_non_null(directory);
	directory->type->search(directory, sought, 2, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWER_UNAVAILABLE);
	assert_non_null(strstr(answer.detail, "127.0.0.1"));
	assert_int_equal(answer.count, 0);
	assert_string_equal(answer.sources[0].name, "ad");
	/* What could not be asked once in a login is not asked again. */
	directory->type->search(directory, sought, 2, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWER_UNAVAILABLE);
	certdir_answer_clear(&answer);
	directory->type->close(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_misconfigured_is_named),
		cmocka_unit_test(test_what_it_knows_devices_by_is_known_before_it_is_asked),
		cmocka_unit_test(test_server_that_is_down_is_an_outcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
