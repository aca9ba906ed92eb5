/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan does about computers: accounts that have become one, and devices that are one of the domain's. */
#include "plan_script.h"

#define LIVES(dn)                                                                                                      \
	dn " is a real computer by now (operatingSystem Windows): it is left as it is; move it out of the OU and "     \
	   "clear its adminDescription\n"
#define PC1 "CN=PC1," OU

static const struct rule
	rules_of_life[] =
		{
			{"a device that is still wanted",
			 "config primary certificates\n"
			 "device k1 PC1 spn=HOST/other desc=new map=X509:<SKI>1\n"
			 "account k1 PC1 spn=HOST/PC1 spn=TERMSRV/PC1 dns=pc1.corp.example desc=old life=Windows "
			 "nobody computers\n"
			 "device k2 PC2 map=X509:<SKI>2\n",
			 "create k2 PC2 (PC2$): new device \"PC2\"\n"
			 "problem k1: " LIVES(PC1)},
			{"a device that is to be called otherwise",
			 "device k1 PC2\n"
			 "account k1 PC1 deep life=Windows\n",
			 "problem k1: " LIVES("CN=PC1,OU=Deep," OU)},
			{"a device that must not come in",
			 "device k1 PC1 not=is_disabled\n"
			 "account k1 PC1 life=Windows\n"
			 "device k2 PC2\n"
			 "account k2 PC2\n",
			 "problem k1: " LIVES(PC1)},
			{"a device that has left the list",
			 "account k1 PC1 life=Windows\n"
			 "device k2 PC2\n"
			 "account k2 PC2\n",
			 "problem k1: " LIVES(PC1)},
			{"an account that was disabled when its device left, and a person has enabled it",
			 "account k1 PC1 gone=1 uac=4096 life=Windows\n"
			 "device k2 PC2\n"
			 "account k2 PC2\n",
			 "problem k1: " LIVES(PC1)},
			{"an account that is to be removed",
			 "account k1 PC1 gone=1 life=Windows\n"
			 "foreign x below=PC1\n"
			 "device k2 PC2\n"
			 "account k2 PC2\n",
			 "problem k1: " LIVES(PC1) "foreign CN=x,CN=PC1: is not ours and stays as it is: this OU "
						   "should hold nothing else\n"},
			{"none of them counts as lost",
			 "config max_remove=1\n"
			 "account k1 PC1 life=Windows\n"
			 "account k2 PC2 life=Windows\n"
			 "account k3 PC3 life=Windows\n"
			 "account k4 PC4 life=Windows\n"
			 "account k5 PC5 life=Windows\n"
			 "account k6 PC6 life=Windows\n"
			 "account k7 PC7 life=Windows\n"
			 "device k8 PC8\n",
			 "create k8 PC8 (PC8$): new device \"PC8\"\n"
			 "problem k1: " LIVES(PC1) "problem k2: " LIVES("CN=PC2," OU) "problem k3: " LIVES("CN=PC3," OU) "problem k4: " LIVES(
				 "CN=PC4," OU) "problem k5: " LIVES("CN=PC5," OU) "problem k6: " LIVES("CN=PC6," OU) "p"
														     "r"
														     "o"
														     "b"
														     "l"
														     "e"
														     "m"
														     " "
														     "k"
														     "7"
														     ":"
														     " " LIVES(
															     "CN=PC7," OU)},
			{"nor is it one of those that stay when all others would be lost",
			 "account k1 PC1\n"
			 "account k2 PC2\n"
			 "account k3 PC3\n"
			 "account k4 PC4\n"
			 "account k5 PC5\n"
			 "account k6 PC6 life=Windows\n"
			 "device k7 PC7\n",
			 "refused: 5 of 5 accounts would be disabled or removed, and max_remove = 10% allows fewer: "
			 "look at the plan, and use --force when it is right\n"
			 "create k7 PC7 (PC7$): new device \"PC7\"\n"
			 "disable k1 PC1 (PC1$): is not in the list any more\n"
			 "disable k2 PC2 (PC2$): is not in the list any more\n"
			 "disable k3 PC3 (PC3$): is not in the list any more\n"
			 "disable k4 PC4 (PC4$): is not in the list any more\n"
			 "disable k5 PC5 (PC5$): is not in the list any more\n"
			 "problem k6: " LIVES("CN=PC6," OU)},
			{"another device of that name takes nothing over",
			 "account k1 PC1 life=Windows\n"
			 "device k2 PC1\n",
			 "problem k1: " LIVES(PC1) "problem k2: CN \"PC1\" is held by " PC1
						   ", which is a real computer by now: it gets no account\n"},
			{"another device waits for a service principal name",
			 "account k1 PC1 spn=HOST/x life=Windows\n"
			 "device k2 PC2 spn=HOST/x\n"
			 "device k3 PC3\n"
			 "account k3 PC2\n",
			 "move k3 PC3 (PC2$): CN \"PC2\" -> \"PC3\"; servicePrincipalName \"HOST/PC2\" -> "
			 "\"HOST/PC3\"\n"
			 "problem k1: " LIVES(PC1) "problem k2: servicePrincipalName \"HOST/x\" is held by " PC1
						   ", which is a real computer by now: it gets no "
						   "account\n"},
			{"another device waits for a mapping",
			 "config certificates\n"
			 "account k1 PC1 map=X509:<SKI>1 life=Windows\n"
			 "device k2 PC2 map=X509:<SKI>1\n"
			 "account k2 PC2 map=X509:<SKI>2\n",
			 "problem k1: " LIVES(PC1) "problem k2: altSecurityIdentities \"X509:<SKI>1\" is held by " PC1
						   ", which is a real computer by now: its "
						   "account is left as it is\n"},
			{"it needs no mapping of ours",
			 "config certificates warnings\n"
			 "device k1 PC1\n"
			 "account k1 PC1 life=Windows\n",
			 "problem k1: " LIVES(PC1)},
			{"one of several with the mark of a wanted device",
			 "device k1 PC1\n"
			 "account k1 PC1 life=Windows\n"
			 "account k1 PC2\n",
			 "problem k1: 2 accounts carry the mark of this device and are left as they are: " PC1
			 "; CN=PC2," OU
			 ": clear the adminDescription of all but one, and of any that is a real computer\n"
			 "problem k1: " LIVES(PC1)},
			{"one of several with the mark of a device that is gone",
			 "account k1 PC1 life=Windows\n"
			 "account k1 PC2\n"
			 "device k2 PC3\n"
			 "account k2 PC3\n",
			 "disable k1 PC2 (PC2$): is not in the list any more\n"
			 "problem k1: " LIVES(PC1)},
			{"the mark was cleared",
			 "foreign PC1 spn=TERMSRV/PC1 life=Windows\n"
			 "device k1 PC1\n"
			 "device k2 PC2\n",
			 "create k2 PC2 (PC2$): new device \"PC2\"\n"
			 "problem k1: CN \"PC1\" is taken by " PC1
			 ", which is not ours (adopt takes over what a script made): it gets no account\n"
			 "foreign CN=PC1: is not ours and stays as it is: this OU should hold nothing else\n"},
};

static void test_life(void **state)
{
	(void)state;
	check_rules(rules_of_life, sizeof(rules_of_life) / sizeof(*rules_of_life), false);
}

#define SID "S-1-5-21-1-2-3-1001"

static const struct rule rules_of_hybrids[] = {
	{"a placeholder that was joined, and its device is a hybrid one now",
	 "account k1 PC1 sid=" SID " life=Windows\n"
	 "device k2 PC1 sid=" SID " hybrid not=has_another_trust_type\n"
	 "device k3 PC3\n"
	 "account k3 PC3\n",
	 "problem k1: " PC1
	 ", the placeholder of device k1, was joined to the domain and is device k2 now: it is left as "
	 "it is; move it out of the OU and clear its adminDescription\n"},
	{"the hybrid device would get an account, too",
	 "device k1 PC1\n"
	 "account k1 PC1 sid=" SID " life=Windows\n"
	 "device k2 PC2 sid=" SID " hybrid\n",
	 "problem k1: " PC1
	 ", the placeholder of device k1, was joined to the domain and is device k2 now: it is left as "
	 "it is; move it out of the OU and clear its adminDescription\n"
	 "problem k2: this device is " PC1 " itself, which was joined to the domain: it gets no account\n"},
	{"a placeholder of a device that is gone frees the names of a computer that is not ours",
	 "account k1 PC1 gone=9999 spn=HOST/pc1 spn=HOST/PC1.corp.example:80/x spn=HOST/PC11 spn=RADIUS/k1 dns=PC1\n"
	 "device k2 PC1 sid=" SID " hybrid not=has_another_trust_type\n"
	 "device k3 PC3\n"
	 "account k3 PC3\n",
	 "move k1 certdir-08be0f07b56224c1 (PC1$): another device is now called \"PC1\"; servicePrincipalName "
	 "\"HOST/PC1.corp.example:80/x\", \"HOST/pc1\" removed\n"
	 "  yield CN=PC1 -spn=HOST/PC1.corp.example:80/x -spn=HOST/pc1\n"
	 "  aside CN=PC1 to CN=certdir-08be0f07b56224c1\n"},
	{"when it leaves, on the same day",
	 "account k1 x spn=HOST/PC1\n"
	 "device k2 PC1 sid=" SID " hybrid not=has_another_trust_type\n"
	 "device k3 PC3\n"
	 "account k3 PC3\n",
	 "disable k1 x (X$): is not in the list any more; servicePrincipalName \"HOST/PC1\" removed\n"
	 "  disable CN=x -mark=certdir:wifi:k1 +mark=certdir:wifi:k1:gone=1970-01-01T02:46:40Z !-uac=4096 !uac=4098\n"
	 "  yield CN=x -spn=HOST/PC1\n"},
	{"a placeholder of a device that is still wanted",
	 "device k1 PC1 desc=new\n"
	 "account k1 PC1 desc=old\n"
	 "device k2 PC1 sid=" SID " hybrid not=has_another_trust_type\n",
	 "change k1 PC1 (PC1$): description \"old\" -> \"new\"\n"
	 "  change CN=PC1 -desc=old +desc=new\n"
	 "problem k1: its account PC1 has the name of device k2, which is joined to the domain with an account of its "
	 "own: when both are one machine, remove the one that is out of date from Entra ID\n"},
	{"hybrid devices that shall have accounts are not their own namesakes",
	 "device k1 PC1 sid=" SID " hybrid\n"
	 "account k1 PC1\n",
	 ""},
	{"without a SID nobody knows whether there is a computer",
	 "account k1 PC1 gone=9999\n"
	 "device k2 PC1 hybrid not=has_another_trust_type\n"
	 "device k3 PC3\n"
	 "account k3 PC3\n",
	 ""},
};

static void test_hybrids(void **state)
{
	(void)state;
	check_rules(rules_of_hybrids, sizeof(rules_of_hybrids) / sizeof(*rules_of_hybrids), true);
}

#define ODD "which certdir never sets and leaves as it is: "

static const struct rule rules_of_oddities[] = {
	{"flags that a person has set",
	 "device k1 PC1 desc=new\n"
	 "account k1 PC1 uac=4128\n" /* PASSWD_NOTREQD */
	 "device k2 PC2 not=is_disabled\n"
	 "account k2 PC2 disabled uac=22548482\n", /* the other three, disabled */
	 "change k1 PC1 (PC1$): description \"new\" added\n"
	 "problem k1: userAccountControl of " PC1 " has PASSWD_NOTREQD, " ODD "it may have an empty password; take it "
	 "away\n"
	 "problem k2: userAccountControl of CN=PC2," OU " has DONT_REQ_PREAUTH, " ODD
	 "anybody may ask for what its password can be guessed from; take it away\n"
	 "problem k2: userAccountControl of CN=PC2," OU " has TRUSTED_FOR_DELEGATION, " ODD
	 "it may act as anybody who logs on to it; take it away\n"
	 "problem k2: userAccountControl of CN=PC2," OU " has TRUSTED_TO_AUTH_FOR_DELEGATION, " ODD
	 "it may act as anybody; take it away\n"},
	{"other flags, and those of a real computer",
	 "device k1 PC1\n"
	 "account k1 PC1 uac=69632\n" /* DONT_EXPIRE_PASSWORD */
	 "device k2 PC2\n"
	 "account k2 PC2 uac=528384 life=Windows\n", /* TRUSTED_FOR_DELEGATION */
	 "problem k2: " LIVES("CN=PC2," OU)},
	{"an account that has expired",
	 "device k1 PC1\n"
	 "account k1 PC1 expires=10000\n"
	 "device k2 PC2\n"
	 "account k2 PC2 expires=10001\n"
	 "device k3 PC3 not=is_disabled\n"
	 "account k3 PC3 disabled expires=1\n",
	 "problem k1: accountExpires of " PC1
	 " was at 1970-01-01T02:46:40Z, so that nobody is let in by it; certdir never "
	 "sets it and leaves it as it is: clear it\n"},
	{"an account that nobody shall be let in by anyway",
	 "config disabled\n"
	 "device k1 PC1\n"
	 "account k1 PC1 expires=1\n",
	 ""},
};

static void test_oddities(void **state)
{
	(void)state;
	check_rules(rules_of_oddities, sizeof(rules_of_oddities) / sizeof(*rules_of_oddities), false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_life), cmocka_unit_test(test_hybrids),
					   cmocka_unit_test(test_oddities)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
