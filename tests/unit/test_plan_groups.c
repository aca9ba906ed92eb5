/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups that follow those of the devices, and accounts that move between the OUs of a section: every step. */
#include "plan_script.h"

static const struct rule rules_of_groups[] = {
	{"a new account",
	 "config groups\n"
	 "device k1 PC1 red blue\n"
	 "device k2 PC2\n",
	 "create k1 PC1 (PC1$): new device \"PC1\"\n"
	 "  create CN=PC1 class=computer cn=PC1 sam=PC1$ uac=4096 mark=certdir:wifi:k1 spn=HOST/PC1 and a "
	 "password\n"
	 "  join red +member=CN=PC1\n"
	 "  join blue +member=CN=PC1\n"
	 "create k2 PC2 (PC2$): new device \"PC2\"\n"
	 "  create CN=PC2 class=computer cn=PC2 sam=PC2$ uac=4096 mark=certdir:wifi:k2 spn=HOST/PC2 and a "
	 "password\n"},
	{"a device changes its group",
	 "config groups\n"
	 "device k1 PC1 blue\n"
	 "account k1 PC1 memberof=red memberof=CN=other\n",
	 "change k1 PC1 (PC1$): joins blue; leaves red\n"
	 "  join blue +member=CN=PC1\n"
	 "  leave red -member=CN=PC1\n"},
	{"nothing to do; groups of others are theirs",
	 "config groups\n"
	 "device k1 PC1 blue\n"
	 "account k1 PC1 memberof=blue memberof=CN=other\n",
	 ""},
	{"all are in the first, some in more",
	 "config group groups\n"
	 "device k1 PC1\n"
	 "device k2 PC2 blue\n"
	 "account k1 PC1 memberof=red\n"
	 "account k2 PC2 memberof=blue\n",
	 "change k1 PC1 (PC1$): joins Wi-Fi; leaves red\n"
	 "  join Wi-Fi +member=CN=PC1\n"
	 "  leave red -member=CN=PC1\n"
	 "change k2 PC2 (PC2$): joins Wi-Fi\n"
	 "  join Wi-Fi +member=CN=PC2\n"},
	{"who is disabled keeps the groups, who is removed leaves them",
	 "config groups\n"
	 "device k1 PC1 not=is_disabled\n"
	 "account k1 PC1 memberof=red\n"
	 "device k9 PC9 red\n"
	 "account k9 PC9 memberof=red\n"
	 "account k2 PC2 memberof=red memberof=blue gone=1\n"
	 "account k3 PC3 primary=1201 memberof=blue gone=1\n",
	 "disable k1 PC1 (PC1$): is disabled\n"
	 "  disable CN=PC1 -mark=certdir:wifi:k1 +mark=certdir:wifi:k1:disabled !-uac=4096 !uac=4098\n"
	 "remove k2 PC2 (PC2$): is not in the list since 1970-01-01T00:00:01Z\n"
	 "  leave red -member=CN=PC2\n"
	 "  leave blue -member=CN=PC2\n"
	 "  delete CN=PC2 class=computer cn=PC2 sam=PC2$ uac=4098 "
	 "mark=certdir:wifi:k2:gone=1970-01-01T00:00:01Z spn=HOST/PC2\n"
	 "remove k3 PC3 (PC3$): is not in the list since 1970-01-01T00:00:01Z\n"
	 "  leave blue -member=CN=PC3\n"
	 "  delete CN=PC3 class=computer cn=PC3 sam=PC3$ uac=4098 "
	 "mark=certdir:wifi:k3:gone=1970-01-01T00:00:01Z spn=HOST/PC3\n"},
	{"a new account and its primary group",
	 "config primary groups\n"
	 "device k1 PC1 red blue\n"
	 "device k2 PC2\n",
	 "create k1 PC1 (PC1$): new device \"PC1\"\n"
	 "  create CN=PC1 class=computer cn=PC1 sam=PC1$ uac=4096 mark=certdir:wifi:k1 spn=HOST/PC1 and a "
	 "password\n"
	 "  join Wi-Fi +member=CN=PC1\n"
	 "  join red +member=CN=PC1\n"
	 "  join blue +member=CN=PC1\n"
	 "  primary CN=PC1 !-primary=515 !primary=1201\n"
	 "  leave Domain Computers -member=CN=PC1\n"
	 "create k2 PC2 (PC2$): new device \"PC2\"\n"
	 "  create CN=PC2 class=computer cn=PC2 sam=PC2$ uac=4096 mark=certdir:wifi:k2 spn=HOST/PC2 and a "
	 "password\n"
	 "  join Wi-Fi +member=CN=PC2\n"
	 "  primary CN=PC2 !-primary=515 !primary=1200\n"
	 "  leave Domain Computers -member=CN=PC2\n"},
	{"the primary group changes",
	 "config primary groups\n"
	 "device k1 PC1 blue\n"
	 "account k1 PC1 primary=1201 memberof=Wi-Fi\n",
	 "change k1 PC1 (PC1$): joins blue; blue becomes its primary group; leaves red\n"
	 "  join blue +member=CN=PC1\n"
	 "  primary CN=PC1 !-primary=1201 !primary=1202\n"
	 "  leave red -member=CN=PC1\n"},
	{"the primary group becomes an ordinary one",
	 "config primary groups\n"
	 "device k1 PC1 red blue\n"
	 "account k1 PC1 primary=1202 memberof=Wi-Fi\n",
	 "change k1 PC1 (PC1$): joins red; red becomes its primary group\n"
	 "  join red +member=CN=PC1\n"
	 "  primary CN=PC1 !-primary=1202 !primary=1201\n"},
	{"back into the one that all are in",
	 "config primary groups\n"
	 "device k1 PC1\n"
	 "account k1 PC1 primary=1201 memberof=Wi-Fi\n",
	 "change k1 PC1 (PC1$): Wi-Fi becomes its primary group; leaves red\n"
	 "  primary CN=PC1 !-primary=1201 !primary=1200\n"
	 "  leave red -member=CN=PC1\n"},
	{"in no group any more, it is in Domain Computers again",
	 "config primary none groups\n"
	 "device k1 PC1\n"
	 "account k1 PC1 primary=1201\n"
	 "device k2 PC2\n"
	 "account k2 PC2\n"
	 "device k3 PC3 red\n"
	 "account k3 PC3 primary=1201 computers\n",
	 "change k1 PC1 (PC1$): Domain Computers becomes its primary group; leaves red\n"
	 "  join Domain Computers +member=CN=PC1\n"
	 "  primary CN=PC1 !-primary=1201 !primary=515\n"
	 "  leave red -member=CN=PC1\n"
	 "change k3 PC3 (PC3$): leaves Domain Computers\n"
	 "  leave Domain Computers -member=CN=PC3\n"},
	{"a primary group that it must not be in, without primary_group",
	 "config groups\n"
	 "device k1 PC1 blue\n"
	 "account k1 PC1 primary=1201\n"
	 "device k2 PC2 red\n"
	 "account k2 PC2 primary=1201\n"
	 "device k3 PC3\n"
	 "account k3 PC3 primary=999\n",
	 "change k1 PC1 (PC1$): joins blue; Domain Computers becomes its primary group; leaves red\n"
	 "  join blue +member=CN=PC1\n"
	 "  join Domain Computers +member=CN=PC1\n"
	 "  primary CN=PC1 !-primary=1201 !primary=515\n"
	 "  leave red -member=CN=PC1\n"},
	{"many would leave a group",
	 "config groups\n"
	 "device k1 PC1\naccount k1 PC1 memberof=red\n"
	 "device k2 PC2\naccount k2 PC2 memberof=red\n"
	 "device k3 PC3\naccount k3 PC3 memberof=red\n"
	 "device k4 PC4\naccount k4 PC4 memberof=red\n"
	 "device k5 PC5\naccount k5 PC5 memberof=red\n"
	 "device k6 PC6\naccount k6 PC6 memberof=red\n",
	 "refused: 6 of 6 accounts would leave a group, and max_remove = 10% allows fewer: look at the plan, "
	 "and use --force when it is right\n"
	 "change k1 PC1 (PC1$): leaves red\n"
	 "  leave red -member=CN=PC1\n"
	 "change k2 PC2 (PC2$): leaves red\n"
	 "  leave red -member=CN=PC2\n"
	 "change k3 PC3 (PC3$): leaves red\n"
	 "  leave red -member=CN=PC3\n"
	 "change k4 PC4 (PC4$): leaves red\n"
	 "  leave red -member=CN=PC4\n"
	 "change k5 PC5 (PC5$): leaves red\n"
	 "  leave red -member=CN=PC5\n"
	 "change k6 PC6 (PC6$): leaves red\n"
	 "  leave red -member=CN=PC6\n"},
	{"a problem keeps the groups",
	 "config groups\n"
	 "device k1 PC1 blue problem=has_no_name\n"
	 "account k1 PC1 memberof=red\n",
	 "problem k1: has no name: its account is left as it is\n"},
};

static const struct rule rules_of_places[] = {
	{"a new account in the other OU", "device k1 PC1 staff\n",
	 "create k1 PC1 (PC1$): new device \"PC1\"\n"
	 "  create CN=PC1,OU=Staff,DC=corp,DC=example class=computer cn=PC1 sam=PC1$ uac=4096 "
	 "mark=certdir:wifi:k1 spn=HOST/PC1 and a password\n"},
	{"to the other OU and back",
	 "device k1 PC1 staff\n"
	 "account k1 PC1\n"
	 "device k2 PC2\n"
	 "account k2 PC2 staff\n",
	 "move k1 PC1 (PC1$): was in OU=Wi-Fi,DC=corp,DC=example\n"
	 "  rename CN=PC1 to CN=PC1 in OU=Staff,DC=corp,DC=example\n"
	 "move k2 PC2 (PC2$): was in OU=Staff,DC=corp,DC=example\n"
	 "  rename CN=PC2,OU=Staff,DC=corp,DC=example to CN=PC2\n"},
	{"two take each other's name and place",
	 "device k2 PC3 staff\n"
	 "account k2 PC2\n"
	 "device k3 PC2\n"
	 "account k3 PC3 staff\n",
	 "move k3 PC2 (PC3$): was in OU=Staff,DC=corp,DC=example; CN \"PC3\" -> \"PC2\"; servicePrincipalName "
	 "\"HOST/PC3\" -> \"HOST/PC2\"\n"
	 "  yield CN=PC3,OU=Staff,DC=corp,DC=example -spn=HOST/PC3\n"
	 "  aside CN=PC3,OU=Staff,DC=corp,DC=example to CN=certdir-08be0d07b562215b in "
	 "OU=Staff,DC=corp,DC=example\n"
	 "  rename CN=certdir-08be0d07b562215b,OU=Staff,DC=corp,DC=example to CN=PC2\n"
	 "  change CN=PC2 +spn=HOST/PC2\n"
	 "move k2 PC3 (PC2$): was in OU=Wi-Fi,DC=corp,DC=example; CN \"PC2\" -> \"PC3\"; servicePrincipalName "
	 "\"HOST/PC2\" -> \"HOST/PC3\"\n"
	 "  yield CN=PC2 -spn=HOST/PC2\n"
	 "  aside CN=PC2 to CN=certdir-08be0c07b5621fa8\n"
	 "  rename CN=certdir-08be0c07b5621fa8 to CN=PC3 in OU=Staff,DC=corp,DC=example\n"
	 "  change CN=PC3,OU=Staff,DC=corp,DC=example +spn=HOST/PC3\n"},
	{"a foreign entry has the name there",
	 "device k1 PC1 staff\n"
	 "account k1 PC1\n"
	 "foreign PC1 staff\n"
	 "device k2 PC2 staff\n"
	 "foreign PC2\n",
	 "problem k1: CN \"PC1\" is taken by CN=PC1,OU=Staff,DC=corp,DC=example, which is not ours (adopt takes over "
	 "what a script made): its "
	 "account is left as it is\n"
	 "problem k2: CN \"PC2\" is taken by CN=PC2,OU=Wi-Fi,DC=corp,DC=example, which is not ours (adopt takes over "
	 "what a script made): it gets "
	 "no account\n"
	 "foreign CN=PC1,OU=Staff,DC=corp,DC=example: is not ours and stays as it is: this OU should hold "
	 "nothing else\n"
	 "foreign CN=PC2: is not ours and stays as it is: this OU should hold nothing else\n"},
	{"one name in two OUs",
	 "device k1 PC1 staff\n"
	 "device k2 PC1\n"
	 "device k3 PC3 staff\n"
	 "device k4 PC3\n"
	 "account k3 PC3 staff\n",
	 "problem k1: CN \"PC1\" is meant for 2 devices (another is k2): it gets no account\n"
	 "problem k2: CN \"PC1\" is meant for 2 devices (another is k1): it gets no account\n"
	 "problem k4: CN \"PC3\" is held by CN=PC3,OU=Staff,DC=corp,DC=example, the account of device k3: it "
	 "gets no account\n"},
	{"who is not wanted stays where it is, and steps aside there",
	 "device k1 PC1 not=is_disabled\n"
	 "account k1 PC1 staff disabled\n"
	 "device k2 PC1 staff\n"
	 "account k2 PC2 staff\n",
	 "move k2 PC1 (PC2$): CN \"PC2\" -> \"PC1\"; servicePrincipalName \"HOST/PC2\" -> \"HOST/PC1\"\n"
	 "  rename CN=PC2,OU=Staff,DC=corp,DC=example to CN=PC1 in OU=Staff,DC=corp,DC=example\n"
	 "  change CN=PC1,OU=Staff,DC=corp,DC=example -spn=HOST/PC2 +spn=HOST/PC1\n"
	 "move k1 certdir-08be0f07b56224c1 (PC1$): another device is now called \"PC1\"; servicePrincipalName "
	 "\"HOST/PC1\" removed\n"
	 "  yield CN=PC1,OU=Staff,DC=corp,DC=example -spn=HOST/PC1\n"
	 "  aside CN=PC1,OU=Staff,DC=corp,DC=example to CN=certdir-08be0f07b56224c1 in "
	 "OU=Staff,DC=corp,DC=example\n"},
	{"an account is taken over into the other OU",
	 "device k2 PC1 staff\n"
	 "account k1 PC1\n",
	 "move k2 PC1 (PC1$): re-enrolled: was device k1; was in OU=Wi-Fi,DC=corp,DC=example\n"
	 "  rename CN=PC1 to CN=PC1 in OU=Staff,DC=corp,DC=example\n"
	 "  change CN=PC1,OU=Staff,DC=corp,DC=example -mark=certdir:wifi:k1 +mark=certdir:wifi:k2\n"},
	{"an account below an OU comes back",
	 "device k1 PC1 staff\n"
	 "account k1 PC1 deep\n",
	 "move k1 PC1 (PC1$): was in OU=Deep,OU=Wi-Fi,DC=corp,DC=example\n"
	 "  rename CN=PC1,OU=Deep to CN=PC1 in OU=Staff,DC=corp,DC=example\n"},
};

static void test_groups(void **state)
{
	(void)state;
	check_rules(rules_of_groups, sizeof(rules_of_groups) / sizeof(*rules_of_groups), true);
}

static void test_places(void **state)
{
	(void)state;
	check_rules(rules_of_places, sizeof(rules_of_places) / sizeof(*rules_of_places), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_groups), cmocka_unit_test(test_places)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
