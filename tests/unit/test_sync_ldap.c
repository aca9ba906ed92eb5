/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sync of an LDAP directory is made of: entries in a spool, groups, and the count of a domain controller. */
#include "sync/domain_controller.h"
#include "sync/entries.h"
#include "sync/memberships.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct certdir_ldap_value *value(const char *attribute, const void *bytes, size_t length)
{
	static struct certdir_ldap_value values[64];
	static size_t next;
	struct certdir_ldap_value *made = &values[next++ % 64];

	*made = (struct certdir_ldap_value){attribute, strlen(attribute), bytes, length};
	return made;
}

static const struct certdir_ldap_value *text(const char *attribute, const char *bytes)
{
	return value(attribute, bytes, strlen(bytes));
}

static struct certdir_ldap_entry entry(const char *dn, struct certdir_ldap_value *room, size_t count, ...)
{
	va_list arguments;

	va_start(arguments, count);
	for (size_t i = 0; i < count; i++)
		room[i] = *va_arg(arguments, const struct certdir_ldap_value *);
	va_end(arguments);
	return (struct certdir_ldap_entry){dn, strlen(dn), room, count, NULL, 0};
}

/* ---- entries in a spool ---- */

struct seen {
	size_t entries, values;
	size_t stop_at;
};

static bool look(void *context, const struct certdir_ldap_entry *found, struct certdir_error *error)
{
	struct seen *seen = context;
	char dn[32];

	(void)snprintf(dn, sizeof(dn), "cn=%zu", seen->entries);
	assert_int_equal(found->dn_length, strlen(dn));
	assert_memory_equal(found->dn, dn, strlen(dn));
	assert_int_equal(found->count, seen->entries % 3);
	for (size_t i = 0; i < found->count; i++) {
		assert_int_equal(found->values[i].attribute_length, 2);
		assert_int_equal(found->values[i].length, i ? 3 : 0);
		assert_memory_equal(found->values[i].bytes, "a\0b", found->values[i].length);
	}
	seen->values += found->count;
	if (++seen->entries != seen->stop_at)
		return true;
	certdir_error_set(error, "enough");
	return false;
}

static void test_entries(void **state)
{
	struct certdir_spool *spool;
	struct certdir_entries entries = {.listing = 1};
	struct certdir_error error;
	struct seen seen = {0}, other = {0}, few = {.stop_at = 7};
	long holder;

	(void)state;
	assert_int_equal(certdir_spool_open(&spool, NULL, &holder, &error), CERTDIR_SPOOL_OPENED);
	assert_true(certdir_spool_begin(spool, "x", 1, &error));
	entries.spool = spool;
	for (size_t i = 0; i < 2500; i++) {
		struct certdir_ldap_value room[2];
		char dn[32];
		struct certdir_ldap_entry put;

		(void)snprintf(dn, sizeof(dn), "cn=%zu", i);
		put = entry(dn, room, 2, value("at", "", 0), value("at", "a\0b", 3));
		put.count = i % 3;
		assert_true(certdir_entries_put(&entries, &put, &error));
	}
	assert_true(certdir_entries_end(&entries, &error));
	assert_true(certdir_entries_end(&entries, &error)); /* an empty page is none */
	assert_int_equal(certdir_spool_pages(spool), 3);
	assert_true(certdir_entries_each(spool, 1, look, &seen, &error));
	assert_int_equal(seen.entries, 2500);
	assert_true(certdir_entries_each(spool, 0, look, &other, &error));
	assert_int_equal(other.entries, 0);
	assert_false(certdir_entries_each(spool, 1, look, &few, &error));
	assert_string_equal(error.text, "enough");
	certdir_spool_close(spool);
}

/* What is no entry is not read beyond its end. */
static void test_damaged_entries(void **state)
{
	static const char *const pages[] = {"x", "\xff\xff\xff\xff", "\x02\0\0\0ab\xff\xff\xff\x7f",
					    "\0\0\0\0\x01\0\0\0\x08\0\0\0"};
	static const size_t lengths[] = {1, 4, 10, 12};

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct certdir_spool *spool;
		struct certdir_error error;
		struct seen seen = {0};
		long holder;

		assert_int_equal(certdir_spool_open(&spool, NULL, &holder, &error), CERTDIR_SPOOL_OPENED);
		assert_true(certdir_spool_begin(spool, "x", 1, &error));
		certdir_spool_page_begin(spool);
		assert_true(certdir_spool_page_bytes(spool, pages[i], lengths[i], &error));
		assert_true(certdir_spool_page_end(spool, 1, 1, -1, NULL, &error));
		assert_false(certdir_entries_each(spool, 1, look, &seen, &error));
		assert_string_equal(error.text, "an entry that was spooled cannot be read");
		certdir_spool_close(spool);
	}
}

/* ---- groups ---- */

static const unsigned char domain_sid[] = {1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0};

static const unsigned char *sid(unsigned char room[28], unsigned rid)
{
	memcpy(room, domain_sid, 24);
	for (unsigned i = 0; i < 4; i++)
		room[24 + i] = (unsigned char)(rid >> 8 * i);
	return room;
}

static bool is_in(const struct certdir_device *device, const char *id, const char *group_sid)
{
	for (size_t i = 0; i < device->group_count; i++)
		if (strcmp(device->groups[i].id, id) == 0)
			return group_sid ? device->groups[i].sid && strcmp(device->groups[i].sid, group_sid) == 0
					 : true;
	return false;
}

/* Over any number of steps, in a circle too, by DNs that are spelt in another way, and from the primary group on. */
static void test_memberships(void **state)
{
	struct certdir_memberships *memberships = certdir_memberships_open();
	unsigned char own[28], ids[6][28];
	struct certdir_ldap_value room[4];
	struct certdir_device device = {.id = strdup("CN=pc,DC=x")};
	struct certdir_ldap_entry made;
	bool cut = false;

	(void)state;
	made = entry("CN=a,DC=x", room, 2, value("objectSid", sid(ids[0], 1001), 28), text("memberOf", "CN=b,DC=x"));
	assert_true(certdir_memberships_add(memberships, &made));
	made = entry("CN=b,DC=x", room, 2, value("objectSid", sid(ids[1], 1002), 28),
		     text("memberOf", "CN=c\\2C d,DC=x"));
	assert_true(certdir_memberships_add(memberships, &made));
	made = entry("CN=c\\, d,DC=x", room, 2, value("objectSid", sid(ids[2], 1003), 28),
		     text("memberOf", "cn=A, dc=x"));
	assert_true(certdir_memberships_add(memberships, &made));
	made = entry("CN=Primary,DC=x", room, 2, value("objectSid", sid(ids[3], 515), 28),
		     text("memberOf", "CN=over,DC=x"));
	assert_true(certdir_memberships_add(memberships, &made));
	made = entry("CN=over,DC=x", room, 1, value("objectSid", sid(ids[4], 1005), 28));
	assert_true(certdir_memberships_add(memberships, &made));
	made = entry("CN=other,DC=x", room, 1, value("objectSid", sid(ids[5], 1006), 28));
	assert_true(certdir_memberships_add(memberships, &made));
	made = entry("CN=pc,DC=x", room, 4, value("objectSid", sid(own, 2000), 28), text("primaryGroupID", "515"),
		     text("memberOf", "CN=a,DC=x"), text("memberOf", "CN=foreign,DC=y"));
	assert_true(certdir_memberships_read(memberships, &device, &made, NULL, &cut));
	assert_false(cut);
	assert_int_equal(device.group_count, 6);
	assert_true(is_in(&device, "CN=a,DC=x", "S-1-5-21-1-2-3-1001"));
	assert_true(is_in(&device, "CN=b,DC=x", "S-1-5-21-1-2-3-1002"));
	assert_true(is_in(&device, "CN=c\\, d,DC=x", "S-1-5-21-1-2-3-1003"));
	assert_true(is_in(&device, "CN=Primary,DC=x", "S-1-5-21-1-2-3-515"));
	assert_true(is_in(&device, "CN=over,DC=x", "S-1-5-21-1-2-3-1005"));
	assert_true(is_in(&device, "CN=foreign,DC=y", NULL));
	certdir_device_clear(&device);
	certdir_memberships_close(memberships);
}

/* ---- a domain controller's count ---- */

#define INVOCATION "00112233445566778899aabbccddeeff"

static void test_cursors(void **state)
{
	static const struct {
		const char *now, *cursor;
		bool counts;
	} cases[] = {{INVOCATION ":200", INVOCATION ":100", true},
		     {INVOCATION ":200", INVOCATION ":200", true},
		     {INVOCATION ":200", INVOCATION ":201", false}, /* it was set back */
		     {"f" INVOCATION, INVOCATION ":100", false},
		     {"ff112233445566778899aabbccddeeff:200", INVOCATION ":100", false}, /* another, or restored */
		     {"", INVOCATION ":100", false},
		     {INVOCATION ":200", "", false},
		     {INVOCATION ":200", "https://graph", false},
		     {INVOCATION ":200", INVOCATION, false}};
	char *filter = certdir_domain_controller_changes("(objectClass=computer)", INVOCATION ":100");

	(void)state;
	assert_string_equal(filter, "(&(objectClass=computer)(uSNChanged>=101))");
	free(filter);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_domain_controller controller = {.active_directory = true};

		(void)snprintf(controller.cursor, sizeof(controller.cursor), "%s", cases[i].now);
		assert_int_equal(certdir_domain_controller_counts(&controller, cases[i].cursor), cases[i].counts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_damaged_entries),
		cmocka_unit_test(test_memberships),
		cmocka_unit_test(test_cursors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
