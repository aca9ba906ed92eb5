/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans of many devices, also of fleets that look as if somebody wanted to keep a planner busy: none may take time by the
 * square of their number.
 *
 *	test_plan_scale [DEVICES]
 */
#include "plan/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include <time.h>

#define OU "OU=Wi-Fi,DC=corp,DC=example"

static size_t devices = 24000;
static const struct certdir_template a_template = {"{name}", false};
static const struct certdir_column columns[] = {{"servicePrincipalName", &a_template, 1, true, true},
						{"dNSHostName", NULL, 0, true, false},
						{"description", &a_template, 1, false, false}};
static const char *classes[] = {"computer", NULL};
static struct certdir_arena arena;

static const char *print(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *print(const char *format, ...)
{
	char text[200];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return certdir_arena_copy(&arena, text, strlen(text));
}

static struct certdir_ldap_values values_of(const char *one, const char *two)
{
	struct certdir_ldap_bytes *items = certdir_arena_alloc(&arena, 2 * sizeof(*items));

	items[0] = (struct certdir_ldap_bytes){one, strlen(one)};
	if (two)
		items[1] = (struct certdir_ldap_bytes){two, strlen(two)};
	return (struct certdir_ldap_values){items, two ? 2 : 1};
}

static struct certdir_ldap_values *row_of(const char *cn)
{
	struct certdir_ldap_values *row = certdir_arena_alloc(&arena, 3 * sizeof(*row));

	row[0] = values_of(print("HOST/%s", cn), print("HOST/%s.corp.example", cn));
	row[2] = values_of(print("device %s, serial number 12345", cn), NULL);
	return row;
}

/* What the fleet looks like: names of device i, and of its account (NULL = none). */
struct fleet {
	const char *title;
	const char *(*wanted)(size_t i);
	const char *(*account)(size_t i);
	size_t actions; /* for each 100 devices */
};

static const char *own_name(size_t i)
{
	return print("%08zx-1111-2222-3333-444455556666", i * 2654435761u % 0xffffffffu);
}

static const char *next_name(size_t i)
{
	return own_name((i + 1) % devices);
}

static const char *after_the_last(size_t i)
{
	return own_name(i + 1);
}

static const char *one_name(size_t i)
{
	(void)i;
	return "laptop";
}

static const char *long_name(size_t i)
{
	return print("WORKSTATION-BERLIN-%zu", i);
}

/* A chain whose end cannot move. */
static const char *stuck_name(size_t i)
{
	return own_name(i + 1 == devices ? i - 1 : i + 1);
}

static const char *none(size_t i)
{
	(void)i;
	return NULL;
}

static const struct fleet fleets[] = {
	{"nothing to do", own_name, own_name, 0},
	{"all new", own_name, none, 100},
	{"all new, same 15 characters", long_name, none, 100},
	{"all gone", none, own_name, 100},
	{"all re-enrolled under the name of another", next_name, none, 100},
	{"one circle of names", next_name, own_name, 100},
	{"one chain of names", after_the_last, own_name, 100},
	{"a chain that is stuck", stuck_name, own_name, 0},
	{"one name for all", one_name, own_name, 0},
	{"one name for all, and all new", one_name, none, 0},
};

static size_t unmapped; /* so many of the first have no certificate */

static struct certdir_ldap_values mappings_of(size_t i)
{
	return i < unmapped ? (struct certdir_ldap_values){NULL, 0} : values_of(print("X509:<SKI>%040zx", i), NULL);
}

static const char *ous[] = {OU};
static struct certdir_domain_group group = {"CN=Wi-Fi,DC=corp,DC=example", "Wi-Fi", 1200};

static void make_wanted(const struct fleet *fleet, struct certdir_wanted_list *wanted)
{
	*wanted = (struct certdir_wanted_list){.devices =
						       certdir_arena_alloc(&arena, devices * sizeof(*wanted->devices))};
	for (size_t i = 0; i < devices && fleet->wanted != none; i++) {
		const char *cn = fleet->wanted(i);

		wanted->devices[i] = (struct certdir_wanted){
			.key = print("%08zx-aaaa-bbbb-cccc-ddddeeeeffff", i),
			.name = cn,
			.cn = cn,
			.ou = ous[0],
			.groups = 1,
			.primary = 1,
			.values = row_of(cn),
			.mappings = mappings_of(i),
		};
		wanted->count = wanted->selected = i + 1;
	}
}

static void make_accounts(const struct fleet *fleet, struct certdir_accounts *accounts)
{
	*accounts = (struct certdir_accounts){.own = certdir_arena_alloc(&arena, devices * sizeof(*accounts->own))};
	for (size_t i = 0; i < devices && fleet->account != none; i++) {
		struct certdir_account *account = &accounts->own[i];

		account->mark = certdir_arena_alloc(&arena, sizeof(*account->mark));
		(void)snprintf(account->mark->key, sizeof(account->mark->key), "%08zx-aaaa-bbbb-cccc-ddddeeeeffff", i);
		(void)strcpy(account->mark->section, "wifi");
		account->mark_text = print("certdir:wifi:%s", account->mark->key);
		account->cn = fleet->account(i);
		account->dn = print("CN=%s," OU, account->cn);
		account->direct = account->own = true;
		account->ou = ous[0];
		account->version = "1";
		account->account_name = print("%015zu$", i);
		account->control = 4096;
		account->primary_group = 1200;
		account->sid = print("S-1-5-21-1-2-3-%zu", i);
		account->guid = print("%08zx-9999-8888-7777-666655554444", i);
		account->values = row_of(account->cn);
		account->mappings = mappings_of(i);
		accounts->own_count = i + 1;
	}
}

static bool ask(void *context, struct certdir_claim *claims, size_t count, struct certdir_error *error)
{
	(void)context;
	(void)claims;
	(void)count;
	(void)error;
	return true;
}

static size_t remarks; /* of the last plan, but for a line for each account without a mapping */

static double plan_fleet(const struct fleet *fleet)
{
	const struct certdir_plan_rules rules = {.name = "wifi",
						 .ou = OU,
						 .mark_attribute = "adminDescription",
						 .object_classes = classes,
						 .columns = (struct certdir_column *)columns,
						 .column_count = 3,
						 .enabled = true,
						 .primary_group = true,
						 .mapped = true,
						 .max_remove = 10,
						 .delete_after = 1000};
	const struct certdir_domain domain = {.active_directory = true,
					      .name = "corp.example",
					      .groups = &group,
					      .group_count = 1,
					      .computers = "CN=Domain Computers,CN=Users,DC=corp,DC=example"};
	const struct certdir_claims_source claims = {ask, NULL};
	struct certdir_wanted_list wanted;
	struct certdir_accounts accounts;
	struct certdir_plan plan;
	struct certdir_error error;
	clock_t start;

	make_wanted(fleet, &wanted);
	make_accounts(fleet, &accounts);
	assert_false(arena.failed);
	start = clock();
	assert_true(certdir_plan_make(&rules, &domain, &wanted, &accounts, &claims, 10000, &arena, &plan, &error));
	assert_int_equal(plan.action_count, devices * fleet->actions / 100);
	remarks = plan.remark_count - unmapped;
	return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* By the square it would be 64 times, whatever else the machine does. */
static bool grows_with_the_fleet(const struct fleet *fleet, size_t most)
{
	double few, all;

	devices = most / 8;
	few = plan_fleet(fleet);
	certdir_arena_clear(&arena);
	devices = most;
	all = plan_fleet(fleet);
	certdir_arena_clear(&arena);
	print_message("%6zu devices: %5.0f ms, %zu: %.0f ms, %s\n", most, all * 1000, most / 8, few * 1000,
		      fleet->title);
	return all <= 30 * few + 0.2;
}

static void test_fleets(void **state)
{
	const size_t most = devices;

	(void)state;
	for (size_t i = 0; i < sizeof(fleets) / sizeof(*fleets); i++) {
		bool grows = false;

		/* A busy machine takes the caches away now and then, which costs the large fleet more. */
		for (int attempt = 0; attempt < 4 && !grows; attempt++)
			grows = grows_with_the_fleet(&fleets[i], most);
		if (!grows)
			fail_msg("%s: takes far more than eight times as long for eight times as many",
				 fleets[i].title);
	}
}

/* One in a hundred may be new and have no certificate yet. */
static void test_unmapped(void **state)
{
	const size_t most = devices;

	(void)state;
	devices = 800;
	for (unmapped = 7; unmapped < 10; unmapped++) {
		(void)plan_fleet(&fleets[0]);
		assert_int_equal(remarks, unmapped > 8);
		certdir_arena_clear(&arena);
	}
	unmapped = 0;
	devices = most;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_unmapped), cmocka_unit_test(test_fleets)};

	if (argc > 1)
		devices = (size_t)atol(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
