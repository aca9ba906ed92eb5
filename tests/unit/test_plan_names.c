/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans by names: what the directory takes for one, what is more than a name, and whose it is already. */
#include "plan_script.h"

/* What Windows compares: case of all letters, accents, width. */
static const struct rule rules_of_spellings[] = {
	{"names that are one for the directory",
	 "device k1 M\u00fcller-PC\n"
	 "device k2 M\u00dcLLER-PC\n"
	 "device k3 Muller-PC\n"
	 "device k4 Mueller-PC\n",
	 "create k4 Mueller-PC (MUELLER-PC$): new device \"Mueller-PC\"\n"
	 "  create CN=Mueller-PC class=computer cn=Mueller-PC sam=MUELLER-PC$ uac=4096 mark=certdir:wifi:k4 "
	 "spn=HOST/Mueller-PC and a password\n"
	 "problem k1: CN \"M\u00fcller-PC\" is meant for 3 devices (another is k2): it gets no account\n"
	 "problem k2: CN \"M\u00dcLLER-PC\" is meant for 3 devices (another is k1): it gets no account\n"
	 "problem k3: CN \"Muller-PC\" is meant for 3 devices (another is k1): it gets no account\n"},
	{"values that are one for the directory",
	 "device k1 PC1 spn=HTTP/caf\u00e9\n"
	 "device k2 PC2 spn=http/CAFE\n",
	 "problem k1: servicePrincipalName \"HTTP/caf\u00e9\" is meant for 2 devices (another is k2): it gets no "
	 "account\n"
	 "problem k2: servicePrincipalName \"http/CAFE\" is meant for 2 devices (another is k1): it gets no account\n"},
	{"a foreign entry has the name in another spelling",
	 "foreign M\u00dcLLER\n"
	 "device k1 Muller\n",
	 "problem k1: CN \"Muller\" is taken by CN=M\u00dcLLER,OU=Wi-Fi,DC=corp,DC=example, which is not ours: it gets "
	 "no account\n"
	 "foreign CN=M\u00dcLLER: is not ours and stays as it is: this OU should hold nothing else\n"},
	{"a value is held in another spelling",
	 "outside x spn=host/m\u00fcller\n"
	 "device k1 Muller\n",
	 "problem k1: servicePrincipalName \"HOST/Muller\" is held by CN=x,OU=Other,DC=corp,DC=example: it gets no "
	 "account\n"},
	{"an account gets the accents that its device has",
	 "device k1 M\u00fcller\n"
	 "account k1 Muller\n",
	 "move k1 M\u00fcller (MULLER$): CN \"Muller\" -> \"M\u00fcller\"; servicePrincipalName \"HOST/Muller\" -> "
	 "\"HOST/M\u00fcller\"\n"
	 "  rename CN=Muller to CN=M\u00fcller\n"
	 "  change CN=M\u00fcller -spn=HOST/Muller +spn=HOST/M\u00fcller\n"},
	{"but not the case",
	 "device k1 M\u00fcller\n"
	 "account k1 M\u00dcLLER\n",
	 ""},
	{"an account is taken over in another spelling",
	 "device k2 M\u00fcller\n"
	 "account k1 MULLER\n",
	 "move k2 M\u00fcller (MULLER$): re-enrolled: was device k1; CN \"MULLER\" -> \"M\u00fcller\"; "
	 "servicePrincipalName \"HOST/MULLER\" -> \"HOST/M\u00fcller\"\n"
	 "  rename CN=MULLER to CN=M\u00fcller\n"
	 "  change CN=M\u00fcller -mark=certdir:wifi:k1 +mark=certdir:wifi:k2 -spn=HOST/MULLER "
	 "+spn=HOST/M\u00fcller\n"},
	{"a name passes on in another spelling",
	 "device k1 PC1\n"
	 "account k1 MULLER\n"
	 "device k2 M\u00fcller\n"
	 "account k2 PC2\n",
	 "move k2 M\u00fcller (PC2$): CN \"PC2\" -> \"M\u00fcller\"; servicePrincipalName \"HOST/PC2\" -> "
	 "\"HOST/M\u00fcller\"\n"
	 "  rename CN=PC2 to CN=M\u00fcller\n"
	 "  change CN=M\u00fcller -spn=HOST/PC2 +spn=HOST/M\u00fcller\n"
	 "move k1 PC1 (MULLER$): CN \"MULLER\" -> \"PC1\"; servicePrincipalName \"HOST/MULLER\" -> \"HOST/PC1\"\n"
	 "  yield CN=MULLER -spn=HOST/MULLER\n"
	 "  aside CN=MULLER to CN=certdir-08be0f07b56224c1\n"
	 "  rename CN=certdir-08be0f07b56224c1 to CN=PC1\n"
	 "  change CN=PC1 +spn=HOST/PC1\n"},
	{"accents count where the directory is another",
	 "config device\n"
	 "device k1 M\u00fcller\n"
	 "device k2 Muller\n"
	 "device k3 \u00c4RZTE\n"
	 "device k4 \u00e4rzte\n",
	 "create k2 Muller (): new device \"Muller\"\n"
	 "  create CN=Muller class=device cn=Muller desc=certdir:wifi:k2\n"
	 "create k1 M\u00fcller (): new device \"M\u00fcller\"\n"
	 "  create CN=M\u00fcller class=device cn=M\u00fcller desc=certdir:wifi:k1\n"
	 "problem k3: CN \"\u00c4RZTE\" is meant for 2 devices (another is k4): it gets no account\n"
	 "problem k4: CN \"\u00e4rzte\" is meant for 2 devices (another is k3): it gets no account\n"},
};

static void test_spellings(void **state)
{
	(void)state;
	check_rules(rules_of_spellings, sizeof(rules_of_spellings) / sizeof(*rules_of_spellings), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_spellings)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
