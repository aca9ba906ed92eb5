/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which accounts of a script become ours, and which are left and why. The pattern of each device is its description's first value. */
#include "plan_script.h"

static void adopt_world(void)
{
	struct planning *planning = &world.planning;
	struct certdir_error error;

	certdir_arena_clear(&planning->arena);
	planning->seen = world.domain;
	read_accounts(planning);
	read_wanted(planning, world.devices);
	for (size_t i = 0; i < planning->wanted.count; i++) {
		struct certdir_wanted *device = &planning->wanted.devices[i];

		if (device->values && device->values[2].count > 0)
			device->pattern = device->values[2].items[0].bytes;
		if (device->why_not)
			device->left_out = strcmp(device->why_not, "is only registered") == 0
						   ? CERTDIR_LEFT_OUT_TRUST_TYPE
						   : CERTDIR_LEFT_OUT_DISABLED;
	}
	assert_true(certdir_plan_adopt(&planning->rules, &planning->domain, &planning->wanted, &planning->accounts, NOW,
				       &planning->arena, &planning->plan, &error));
	world.warnings = true;
	print_plan(true);
}

static const struct rule rules[] = {
	{"by CN and by account name, and nothing else of it changes",
	 "device k1 PC1 desc=guid-1\n"
	 "device k2 PC2 desc=GUID-2\n"
	 "device k3 PC3 desc=guid-3\n"
	 "foreign guid-1 sam=X$ uac=4096 spn=HOST/guid-1 desc=by_a_script\n"
	 "foreign x sam=guid-2$ uac=4098\n"
	 "foreign guid-3 staff sam=guid-3$ uac=4096\n",
	 "adopt k1 guid-1 (X$): device k1; called \"PC1\"\n"
	 "  change CN=guid-1 +mark=certdir:wifi:k1\n"
	 "adopt k3 guid-3 (guid-3$): device k3; called \"PC3\"\n"
	 "  change CN=guid-3,OU=Staff,DC=corp,DC=example +mark=certdir:wifi:k3\n"
	 "adopt k2 x (guid-2$): device k2; called \"PC2\"; it is disabled: the next apply enables it\n"
	 "  change CN=x +mark=certdir:wifi:k2\n"},
	{"a name that was cut",
	 "device k1 PC1 desc=12345678-aaaa-bbbb\n"
	 "device k2 PC2 desc=87654321-aaaa-bbbb\n"
	 "device k3 PC3 desc=87654321-aaaa-bbcc\n"
	 "device k4 PC4 desc=123456789012345\n"
	 "foreign a sam=12345678-aaaa-b$ uac=4096\n"
	 "foreign b sam=87654321-aaaa-b$ uac=4096\n"
	 "foreign 87654321-aaaa-bbcc sam=87654321-AAAA-B$1 uac=4096\n"
	 "foreign c sam=123456789012345$ uac=4096\n",
	 "adopt k3 87654321-aaaa-bbcc (87654321-AAAA-B$1): device k3; called \"PC3\"\n"
	 "  change CN=87654321-aaaa-bbcc +mark=certdir:wifi:k3\n"
	 "adopt k1 a (12345678-aaaa-b$): device k1; called \"PC1\"\n"
	 "  change CN=a +mark=certdir:wifi:k1\n"
	 "adopt k4 c (123456789012345$): device k4; called \"PC4\"\n"
	 "  change CN=c +mark=certdir:wifi:k4\n"
	 "problem CN=b: fits several devices, such as k2 and k3: it is left as it is\n"},
	{"who has one already, two for one, one for two",
	 "device k1 PC1 desc=guid-1\n"
	 "account k1 PC1\n"
	 "foreign guid-1 uac=4096\n"
	 "device k2 PC2 desc=guid-2\n"
	 "foreign guid-2 uac=4096\n"
	 "foreign y sam=guid-2$ uac=4096\n"
	 "device k3 PC3 desc=same\n"
	 "device k4 PC4 desc=same\n"
	 "foreign same uac=4096\n",
	 "problem CN=guid-1: fits device k1, which has an account already: "
	 "CN=PC1,OU=Wi-Fi,DC=corp,DC=example: it is left as it is\n"
	 "problem CN=guid-2: 2 accounts fit device k2: they are left as they are\n"
	 "problem CN=same: fits several devices, such as k3 and k4: it is left as it is\n"
	 "problem CN=y: 2 accounts fit device k2: they are left as they are\n"},
	{"real computers, other marks, other values, other devices",
	 "device k1 PC1 desc=guid-1\n"
	 "foreign guid-1 uac=4096 life=Windows\n"
	 "device k2 PC2 desc=guid-2\n"
	 "foreign guid-2 uac=4096 mark=certdir:other:k2\n"
	 "device k3 PC3 desc=guid-3\n"
	 "foreign guid-3 uac=4096 mark=by_hand\n"
	 "device k4 PC4 desc=guid-4 hybrid\n"
	 "foreign guid-4 uac=4096\n"
	 "device k5 PC5 desc=guid-5 not=is_only_registered\n"
	 "foreign guid-5 uac=4096\n"
	 "device k6 PC6 desc=guid-6 not=is_disabled\n"
	 "foreign guid-6 uac=4096\n"
	 "foreign guid-7 deep uac=4096\n",
	 "adopt k6 guid-6 (): device k6; called \"PC6\"; is disabled: the next apply disables it\n"
	 "  change CN=guid-6 +mark=certdir:wifi:k6\n"
	 "problem CN=guid-1: is a real computer by now (operatingSystem Windows), although its name fits "
	 "device k1: it is left as it is\n"
	 "problem CN=guid-3: fits device k3, but its adminDescription has another value: it is left as it is\n"
	 "problem CN=guid-4: fits device k4, which is a computer of Active Directory that Entra Connect has "
	 "synced: it is left as it is\n"
	 "problem CN=guid-5: fits device k5, which is none for this section: it is only registered: it is "
	 "left as it is\n"
	 "foreign CN=guid-2: belongs to [placeholders other] and stays as it is: give each section an OU of "
	 "its own\n"},
	{"strangers, and what is no computer",
	 "device k1 PC1 desc=guid-1\n"
	 "foreign a uac=4096\nforeign b uac=4096\nforeign c uac=4096\nforeign d uac=4096\nforeign e uac=4096\n"
	 "foreign f uac=4096\n"
	 "foreign guid-1 class=user\n",
	 "warning : 6 computers without a device in the list: nothing changes there, and NPS lets in who "
	 "is enabled: a, b, c, d, e, ..\n"},
};

static void test_adopt(void **state)
{
	bool good = true;

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		read_world(rules[i].script);
		adopt_world();
		if (strcmp(printed, rules[i].plan) != 0) {
			good = false;
			print_error("---- %s: expected\n---- and not\n%s", rules[i].title, printed);
		}
		/* Once done, there is nothing more to adopt. */
		carry_out_all();
		adopt_world();
		assert_int_equal(world.planning.plan.action_count, 0);
	}
	certdir_arena_clear(&world.planning.arena);
	assert_true(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_adopt)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
