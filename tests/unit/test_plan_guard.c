/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard of a plan: how much one run may take away, or change, before a person has to say so. */
#include "plan_script.h"

static const struct rule rules_of_guard[] = {
	{"five may always go",
	 "1-12: account k# PC#\n"
	 "6-12: device k# PC#\n",
	 "1-5: disable k# PC# (PC#$): is not in the list any more\n"},
	{"six of twelve are too many",
	 "1-12: account k# PC#\n"
	 "7-12: device k# PC#\n",
	 "refused: 6 of 12 accounts would be disabled or removed, and max_remove = 10% allows fewer: look at the plan, "
	 "and use --force when it is right\n"
	 "1-6: disable k# PC# (PC#$): is not in the list any more\n"},
	{"unless the administrator says so",
	 "config max_remove=50\n"
	 "1-12: account k# PC#\n"
	 "7-12: device k# PC#\n",
	 "1-6: disable k# PC# (PC#$): is not in the list any more\n"},
	{"removals count",
	 "config max_remove=0\n"
	 "1-6: account k# PC# gone=1\n"
	 "8-9: device k# PC#\n"
	 "8-9: account k# PC#\n",
	 "refused: 6 of 8 accounts would be disabled or removed, and max_remove = 0% allows fewer: look at the plan, "
	 "and use --force when it is right\n"
	 "1-6: remove k# PC# (PC#$): is not in the list since 1970-01-01T00:00:01Z\n"},
	{"mappings of many are replaced, and nothing says that the old ones are done with",
	 "config certificates\n"
	 "1-6: device k# PC# map=X509:<SKI>b#\n"
	 "1-6: account k# PC# map=X509:<SKI>a#\n",
	 "refused: 6 of 6 accounts would lose a mapping whose certificate is not known to have ended, and max_remove = "
	 "10% allows fewer: look at the plan, and use --force when it is right\n"
	 "1-6: change k# PC# (PC#$): altSecurityIdentities \"X509:<SKI>a#\" -> \"X509:<SKI>b#\"\n"},
	{"a list has all devices by other ids, as one without a column: nobody would have a mapping any more",
	 "1-6: device n# PC#\n"
	 "1-6: account k# PC# map=X509:<SKI>a#\n",
	 "refused: 6 of 6 accounts would lose a mapping whose certificate is not known to have ended, and max_remove = "
	 "10% allows fewer: look at the plan, and use --force when it is right\n"
	 "1-6: change n# PC# (PC#$): re-enrolled: was device k#; altSecurityIdentities \"X509:<SKI>a#\" removed\n"},
	{"accounts without a mapping do not make those that lose one a few",
	 "config max_remove=50\n"
	 "1-6: device n# PC#\n"
	 "1-6: account k# PC# map=X509:<SKI>a#\n"
	 "7-12: device k# PC#\n"
	 "7-12: account k# PC#\n",
	 "refused: 6 of 6 accounts would lose a mapping whose certificate is not known to have ended, and max_remove = "
	 "50% allows fewer: look at the plan, and use --force when it is right\n"
	 "1-6: change n# PC# (PC#$): re-enrolled: was device k#; altSecurityIdentities \"X509:<SKI>a#\" removed\n"},
	{"a class of devices was set up again, and their new certificates are there",
	 "config certificates\n"
	 "1-6: device n# PC# map=X509:<SKI>b#\n"
	 "1-6: account k# PC# map=X509:<SKI>a#\n",
	 "1-6: change n# PC# (PC#$): re-enrolled: was device k#; altSecurityIdentities \"X509:<SKI>a#\" -> "
	 "\"X509:<SKI>b#\"\n"},
	{"many would lose a value and get no other: the list has not what `attribute = ` asks for",
	 "config device\n"
	 "1-6: device k# PC#\n"
	 "1-6: account k# PC# serial=S#\n",
	 "refused: 6 of 6 accounts would lose a value of an attribute and get no other, and max_remove = 10% allows "
	 "fewer: look at the plan, and use --force when it is right\n"
	 "1-6: change k# PC# (): serialNumber \"S#\" removed\n"},
	{"many get another value",
	 "config device\n"
	 "1-6: device k# PC# serial=T#\n"
	 "1-6: account k# PC# serial=S#\n",
	 "1-6: change k# PC# (): serialNumber \"S#\" -> \"T#\"\n"},
	{"many would lose a service principal name, by which NPS finds them",
	 "1-6: device k# PC# spn=HOTS/PC#\n"
	 "1-6: account k# PC#\n",
	 "refused: 6 of 6 accounts would lose a service principal name, and max_remove = 10% allows fewer: look at the "
	 "plan, and use --force when it is right\n"
	 "1-6: change k# PC# (PC#$): servicePrincipalName \"HOST/PC#\" -> \"HOTS/PC#\"\n"},
	{"the old ones have ended",
	 "config certificates\n"
	 "1-6: device k# PC# map=X509:<SKI>b# ended=X509:<SKI>a#\n"
	 "1-6: account k# PC# map=X509:<SKI>a#\n",
	 "1-6: change k# PC# (PC#$): altSecurityIdentities \"X509:<SKI>a#\" -> \"X509:<SKI>b#\"\n"},
	{"a few renewals pass, also when they are all there are",
	 "config certificates\n"
	 "1-5: device k# PC# map=X509:<SKI>b#\n"
	 "1-5: account k# PC# map=X509:<SKI>a#\n",
	 "1-5: change k# PC# (PC#$): altSecurityIdentities \"X509:<SKI>a#\" -> \"X509:<SKI>b#\"\n"},
	{"mappings of one CA of two are not handed in any more",
	 "config certificates\n"
	 "1-6: device k# PC# map=X509:<SKI>a#\n"
	 "1-6: account k# PC# map=X509:<SKI>a# map=X509:<SKI>b#\n",
	 "refused: 6 of 6 accounts would lose a mapping whose certificate is not known to have ended, and max_remove = "
	 "10% allows fewer: look at the plan, and use --force when it is right\n"
	 "1-6: change k# PC# (PC#$): altSecurityIdentities \"X509:<SKI>b#\" removed\n"},
	{"mappings move to other devices: names in the wrong column",
	 "config certificates\n"
	 "1-6: account k# PC# map=X509:<SKI>a#\n"
	 "device k1 PC1 map=X509:<SKI>a2\n"
	 "device k2 PC2 map=X509:<SKI>a3\n"
	 "device k3 PC3 map=X509:<SKI>a4\n"
	 "device k4 PC4 map=X509:<SKI>a5\n"
	 "device k5 PC5 map=X509:<SKI>a6\n"
	 "device k6 PC6 map=X509:<SKI>a1\n",
	 "refused: 6 of 6 accounts would lose a mapping whose certificate is not known to have ended, and max_remove = "
	 "10% allows fewer: look at the plan, and use --force when it is right\n"
	 "change k1 PC1 (PC1$): altSecurityIdentities \"X509:<SKI>a1\" -> \"X509:<SKI>a2\"\n"
	 "change k2 PC2 (PC2$): altSecurityIdentities \"X509:<SKI>a2\" -> \"X509:<SKI>a3\"\n"
	 "change k3 PC3 (PC3$): altSecurityIdentities \"X509:<SKI>a3\" -> \"X509:<SKI>a4\"\n"
	 "change k4 PC4 (PC4$): altSecurityIdentities \"X509:<SKI>a4\" -> \"X509:<SKI>a5\"\n"
	 "change k5 PC5 (PC5$): altSecurityIdentities \"X509:<SKI>a5\" -> \"X509:<SKI>a6\"\n"
	 "change k6 PC6 (PC6$): altSecurityIdentities \"X509:<SKI>a6\" -> \"X509:<SKI>a1\"\n"},
	{"accounts that are taken over lose those of devices that are not wanted",
	 "config certificates\n"
	 "1-6: device j# PC# map=X509:<SKI>b#\n"
	 "1-6: account k# PC# map=X509:<SKI>a# gone=9000\n",
	 "1-6: enable j# PC# (PC#$): re-enrolled: was device k#; altSecurityIdentities \"X509:<SKI>a#\" -> "
	 "\"X509:<SKI>b#\"\n"},
	{"many get another name",
	 "config certificates\n"
	 "1-6: device k# NB# map=X509:<SKI>b#\n"
	 "1-6: account k# PC# map=X509:<SKI>a#\n",
	 "refused: 6 of 6 accounts would lose a mapping whose certificate is not known to have ended; 6 of 6 accounts "
	 "would be renamed or moved, and max_remove = 10% allows fewer: look at the plan, and use --force when it is "
	 "right\n"
	 "1-6: move k# NB# (PC#$): CN \"PC#\" -> \"NB#\"; servicePrincipalName \"HOST/PC#\" -> \"HOST/NB#\"; "
	 "altSecurityIdentities \"X509:<SKI>a#\" -> \"X509:<SKI>b#\"\n"},
	{"accounts in no group do not make those that leave one a few",
	 "config groups max_remove=50\n"
	 "1-12: device k# PC#\n"
	 "1-6: account k# PC# memberof=red\n"
	 "7-12: account k# PC#\n",
	 "refused: 6 of 6 accounts would leave a group, and max_remove = 50% allows fewer: look at the plan, "
	 "and use --force when it is right\n"
	 "1-6: change k# PC# (PC#$): leaves red\n"},
	{"a few get another name, and all are brought back",
	 "config max_remove=10\n"
	 "1-5: device k# NB#\n"
	 "1-5: account k# PC# deep\n",
	 "1-5: move k# NB# (PC#$): was in OU=Deep,OU=Wi-Fi,DC=corp,DC=example; CN \"PC#\" -> \"NB#\"; "
	 "servicePrincipalName \"HOST/PC#\" -> \"HOST/NB#\"\n"},
	{"nothing is selected",
	 "device k1 PC1 not=is_disabled\n"
	 "account k1 PC1\n",
	 "refused: no device of the list is selected, and the OU has 1 account: look at what [placeholders wifi] "
	 "selects, and use --force when all of them are to go\n"
	 "disable k1 PC1 (PC1$): is disabled\n"},
	{"nothing is selected, and nothing is to be done",
	 "device k1 PC1 not=is_disabled\n"
	 "account k1 PC1 disabled\n",
	 ""},
	{"nothing is selected and nothing is there", "device k1 PC1 not=is_disabled\n", ""},
	{"taking over loses nothing",
	 "config max_remove=0\n"
	 "1-7: account k# PC#\n"
	 "1-7: device j# PC#\n",
	 "1-7: change j# PC# (PC#$): re-enrolled: was device k#\n"},
};

static void test_guard(void **state)
{
	(void)state;
	check_rules(rules_of_guard, sizeof(rules_of_guard) / sizeof(*rules_of_guard), false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_guard)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
