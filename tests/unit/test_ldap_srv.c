/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pure parts of finding a domain's servers: the domain in a URI, a DNS answer of anybody's making, the order. */
#include "ldap/srv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_domain(void **state)
{
	static const struct {
		const char *uri, *domain; /* NULL = none */
	} cases[] = {
		{"ldap:///dc=example,dc=com", "example.com"},
		{"ldaps:///DC=Corp,DC=Example,DC=Com", "corp.example.com"},
		{"ldap:///dc%3Dexample%2Cdc%3Dcom", "example.com"},
		{"ldap:///dc=com", "com"},
		{"ldap://dc1.example.com", NULL},
		{"ldap:///", NULL},
		{"ldap://dc1/dc=example,dc=com", NULL},
		{"ldap:///ou=x,dc=example,dc=com", NULL},
		{"ldap:///dc=example,ou=x", NULL},
		{"ldap:///dc=exa mple,dc=com", NULL},
		{"ldap:///dc=,dc=com", NULL},
		{"ldap:///dc=a%00b,dc=com", NULL},
		{"ldapi:///dc=example,dc=com", NULL},
		{"dc=example,dc=com", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char domain[CERTDIR_DOMAIN_MAX + 1];
		const bool found = certdir_ldap_srv_domain(cases[i].uri, domain);

		if (found != (cases[i].domain != NULL))
			fail_msg("case %zu: %s", i, cases[i].uri);
		if (found)
			assert_string_equal(domain, cases[i].domain);
	}
}

/* ---- answers ---- */

struct message {
	unsigned char *bytes;
	size_t length;
};

static void put(struct message *message, const void *bytes, size_t length)
{
	message->bytes = realloc(message->bytes, message->length + length);
	assert_non_null(message->bytes);
	memcpy(message->bytes + message->length, bytes, length);
	message->length += length;
}

static void put16(struct message *message, unsigned value)
{
	const unsigned char bytes[] = {(unsigned char)(value >> 8), (unsigned char)value};

	put(message, bytes, sizeof(bytes));
}

/* A header, and the question at offset 12: example.com. SRV IN. */
static struct message begin(unsigned records)
{
	struct message message = {NULL, 0};

	put16(&message, 1);
	put16(&message, 0x8180);
	put16(&message, 1);
	put16(&message, records);
	put16(&message, 0);
	put16(&message, 0);
	put(&message, "\7example\3com", 13);
	put16(&message, 33);
	put16(&message, 1);
	return message;
}

static void put_record(struct message *message, unsigned type, unsigned priority, unsigned weight, unsigned port,
		       const void *target, size_t length)
{
	put16(message, 0xc00c); /* the question's name */
	put16(message, type);
	put16(message, 1);
	put16(message, 0);
	put16(message, 60);
	put16(message, (unsigned)(6 + length));
	put16(message, priority);
	put16(message, weight);
	put16(message, port);
	put(message, target, length);
}

static struct certdir_ldap_target targets[CERTDIR_LDAP_TARGETS_MAX];
static size_t count;

static enum certdir_ldap_srv_answer answer_of(struct message *message, uint16_t port)
{
	/* Of its very size, so that a byte too far is seen by valgrind and sanitizers. */
	unsigned char *copy = malloc(message->length ? message->length : 1);
	enum certdir_ldap_srv_answer answer;

	assert_non_null(copy);
	if (message->length)
		memcpy(copy, message->bytes, message->length);
	answer = certdir_ldap_srv_read(copy, message->length, port ? "ldaps" : "ldap", port, targets, &count);
	free(copy);
	return answer;
}

static void test_answer(void **state)
{
	struct message message = begin(4);

	(void)state;
	put_record(&message, 33, 10, 5, 3890, "\3dc1\xc0\x0c", 6);
	put_record(&message, 5, 0, 0, 0, "\3dc7\xc0\x0c", 6); /* a CNAME, or what claims to be one */
	put_record(&message, 33, 0, 0, 389, "\3DC2\5other\4test", 16);
	put_record(&message, 33, 10, 5, 3890, "\3dc1\xc0\x0c", 6); /* twice */
	assert_int_equal(answer_of(&message, 0), CERTDIR_LDAP_SRV_TARGETS);
	assert_int_equal(count, 2);
	assert_string_equal(targets[0].uri, "ldap://dc1.example.com:3890");
	assert_int_equal(targets[0].priority, 10);
	assert_int_equal(targets[0].weight, 5);
	assert_string_equal(targets[1].uri, "ldap://dc2.other.test:389");
	assert_int_equal(answer_of(&message, 636), CERTDIR_LDAP_SRV_TARGETS);
	assert_string_equal(targets[0].uri, "ldaps://dc1.example.com:636");
	free(message.bytes);
}

/* Cut anywhere, what is whole counts, and nothing behind the end is read. */
static void test_cut_short(void **state)
{
	struct message message = begin(2);
	size_t one, all;

	(void)state;
	put_record(&message, 33, 0, 0, 389, "\3dc1\xc0\x0c", 6);
	one = message.length;
	put_record(&message, 33, 0, 0, 389, "\3dc2\xc0\x0c", 6);
	all = message.length;
	for (message.length = 0; message.length <= all; message.length++) {
		const size_t whole = message.length == all ? 2 : message.length >= one ? 1 : 0;

		assert_int_equal(answer_of(&message, 0), whole ? CERTDIR_LDAP_SRV_TARGETS : CERTDIR_LDAP_SRV_BROKEN);
		assert_int_equal(count, whole);
	}
	free(message.bytes);
}

static void test_odd_targets(void **state)
{
	static const struct {
		const char *target;
		size_t length;
		unsigned port;
		enum certdir_ldap_srv_answer answer;
	} cases[] = {
		{"", 1, 0, CERTDIR_LDAP_SRV_REFUSED}, /* "." */
		{"\3dc1\xc0\x0c", 6, 0, CERTDIR_LDAP_SRV_BROKEN}, /* port 0 */
		{"\4a/b@\xc0\x0c", 7, 389, CERTDIR_LDAP_SRV_BROKEN},
		{"\4a b?\xc0\x0c", 7, 389, CERTDIR_LDAP_SRV_BROKEN},
		{"\3dc1", 4, 389, CERTDIR_LDAP_SRV_BROKEN}, /* a name without an end */
		{"\xc0\x2f", 2, 389, CERTDIR_LDAP_SRV_BROKEN}, /* points at itself */
		{"\xff\xff", 2, 389, CERTDIR_LDAP_SRV_BROKEN}, /* points behind the end */
		{"\x41x", 2, 389, CERTDIR_LDAP_SRV_BROKEN}, /* no kind of label */
		{"", 0, 389, CERTDIR_LDAP_SRV_BROKEN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message message = begin(1);

		put_record(&message, 33, 0, 0, cases[i].port, cases[i].target, cases[i].length);
		assert_int_equal(answer_of(&message, 0), cases[i].answer);
		/* It takes nothing from one that is good. */
		put_record(&message, 33, 0, 0, 389, "\2ok\xc0\x0c", 5);
		message.bytes[7] = 2;
		assert_int_equal(answer_of(&message, 0), CERTDIR_LDAP_SRV_TARGETS);
		assert_int_equal(count, 1);
		free(message.bytes);
	}
}

static void test_nobody(void **state)
{
	struct message message = begin(0);

	(void)state;
	assert_int_equal(answer_of(&message, 0), CERTDIR_LDAP_SRV_NONE);
	free(message.bytes);
}

static void test_too_many(void **state)
{
	struct message message = begin(2000);

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		char name[16];
		const int length = snprintf(name, sizeof(name), "%cdc%04u", 6, i);

		memcpy(name + length, "\xc0\x0c", 2);
		put_record(&message, 33, i < 1990 ? 5 : 1, 0, 389, name, (size_t)length + 2);
	}
	assert_int_equal(answer_of(&message, 0), CERTDIR_LDAP_SRV_TARGETS);
	assert_int_equal(count, CERTDIR_LDAP_TARGETS_MAX);
	for (size_t i = 0, first = 0; i < count; i++) {
		first += targets[i].priority == 1;
		if (i == count - 1)
			assert_int_equal(first, 10);
	}
	free(message.bytes);
}

/* ---- order ---- */

static void test_order(void **state)
{
	unsigned short seed[3] = {1, 2, 3};
	unsigned heavy = 0, light = 0, none = 0;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		struct certdir_ldap_target four[] = {{"ldap://later:389", 20, 65535},
						     {"ldap://none:389", 10, 0},
						     {"ldap://light:389", 10, 10},
						     {"ldap://heavy:389", 10, 30}};

		certdir_ldap_srv_order(four, 4, seed);
		assert_string_equal(four[3].uri, "ldap://later:389");
		heavy += strcmp(four[0].uri, "ldap://heavy:389") == 0;
		light += strcmp(four[0].uri, "ldap://light:389") == 0;
		none += strcmp(four[0].uri, "ldap://none:389") == 0;
	}
	assert_int_equal(heavy + light + none, 3000);
	assert_in_range(heavy, 2050, 2350); /* 3 of 4, less the one in 41 that is of none */
	assert_in_range(light, 630, 840);
	assert_in_range(none, 30, 130);
	certdir_ldap_srv_order(targets, 0, seed);
	certdir_ldap_srv_order(targets, 1, seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domain),	    cmocka_unit_test(test_answer), cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_odd_targets), cmocka_unit_test(test_nobody), cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
