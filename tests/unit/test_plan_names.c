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
	 "problem k1: CN \"Muller\" is taken by CN=M\u00dcLLER,OU=Wi-Fi,DC=corp,DC=example, which is not ours (adopt "
	 "takes over what a script made): it gets "
	 "no account\n"
	 "foreign CN=M\u00dcLLER: is not ours and stays as it is: this OU should hold nothing else\n"},
	{"a value is held in another spelling",
	 "outside x spn=host/m\u00fcller\n"
	 "device k1 Muller\n",
	 "problem k1: servicePrincipalName \"HOST/Muller\" is held by CN=x,OU=Other,DC=corp,DC=example: it gets no "
	 "account\n"},
	{"a value that one account has in two spellings, and a foreign entry",
	 "device k1 Muller\n"
	 "account k2 PC2 spn=HOST/Muller spn=host/m\u00fcller\n"
	 "device k2 PC2\n"
	 "outside x spn=HOST/m\u00fcller\n",
	 "change k2 PC2 (PC2$): servicePrincipalName \"HOST/Muller\", \"host/m\u00fcller\" -> \"HOST/PC2\"\n"
	 "  change CN=PC2 -spn=HOST/Muller -spn=host/m\u00fcller +spn=HOST/PC2\n"
	 "problem k1: servicePrincipalName \"HOST/Muller\" is held by CN=PC2,OU=Wi-Fi,DC=corp,DC=example, and by an "
	 "entry that is not ours: it gets no account\n"},
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

/* Tickets for cifs/x and http/x come of HOST/x: what a device must not be called. */
static const struct rule rules_of_hosts[] = {
	{"the domain and its own",
	 "device k1 corp.example\n"
	 "device k2 Corp\n"
	 "device k3 EXAMPLE\n",
	 "problem k1: servicePrincipalName \"HOST/corp.example\" would let this device pass for another: a domain or a "
	 "domain controller is called so: rename the device: it gets no account\n"
	 "problem k2: servicePrincipalName \"HOST/Corp\" would let this device pass for another: a domain or a domain "
	 "controller is called so: rename the device: it gets no account\n"
	 "problem k3: servicePrincipalName \"HOST/EXAMPLE\" would let this device pass for another: a domain or a "
	 "domain controller is called so: rename the device: it gets no account\n"},
	{"a controller and a child",
	 "device k4 DC1\n"
	 "device k5 emea spn=HOST/emea spn=HOST/emea.corp.example\n"
	 "device k6 PC1 spn=HOST/PC1 spn=HOST/PC1.corp.example\n",
	 "create k6 PC1 (PC1$): new device \"PC1\"\n"
	 "  create CN=PC1 class=computer cn=PC1 sam=PC1$ uac=4096 mark=certdir:wifi:k6 spn=HOST/PC1 "
	 "spn=HOST/PC1.corp.example and a password\n"
	 "problem k4: servicePrincipalName \"HOST/DC1\" would let this device pass for another: a domain or a domain "
	 "controller is called so: rename the device: it gets no account\n"
	 "problem k5: servicePrincipalName \"HOST/emea.corp.example\" would let this device pass for another: a domain "
	 "or a domain controller is called so: rename the device: it gets no account\n"},
	{"names with a dot",
	 "device k1 www.bank.example\n"
	 "device k4 PC4.corp.example\n"
	 "device k2 PC2 spn=HOST/PC2.corp.example.\n"
	 "device k3 PC3 spn=HOST/a.b.corp.example\n",
	 "problem k1: servicePrincipalName \"HOST/www.bank.example\" would let this device pass for another: the name "
	 "of a device must have no dot: rename the device: it gets no account\n"
	 "problem k2: servicePrincipalName \"HOST/PC2.corp.example.\" would let this device pass for another: the name "
	 "of a device must have no dot: rename the device: it gets no account\n"
	 "problem k3: servicePrincipalName \"HOST/a.b.corp.example\" would let this device pass for another: the name "
	 "of a device must have no dot: rename the device: it gets no account\n"
	 "problem k4: servicePrincipalName \"HOST/PC4.corp.example\" would let this device pass for another: the name "
	 "of a device must have no dot: rename the device: it gets no account\n"},
	{"a domain that the administrator chose",
	 "device k3 PC3 spn=HOST/b.PC3.wifi.corp.example\n"
	 "device k4 PC4 spn=HOST/PC4.wifi.corp.example\n"
	 "device k5 PC5 spn=HOST/.corp.example\n"
	 "device k6 PC6 spn=MSSQLSvc/PC6.wifi.corp.example:1433\n",
	 "create k4 PC4 (PC4$): new device \"PC4\"\n"
	 "  create CN=PC4 class=computer cn=PC4 sam=PC4$ uac=4096 mark=certdir:wifi:k4 spn=HOST/PC4.wifi.corp.example "
	 "and a password\n"
	 "create k6 PC6 (PC6$): new device \"PC6\"\n"
	 "  create CN=PC6 class=computer cn=PC6 sam=PC6$ uac=4096 mark=certdir:wifi:k6 "
	 "spn=MSSQLSvc/PC6.wifi.corp.example:1433 and a password\n"
	 "problem k3: servicePrincipalName \"HOST/b.PC3.wifi.corp.example\" would let this device pass for another: "
	 "the name of a device must have no dot: rename the device: it gets no account\n"
	 "problem k5: servicePrincipalName \"HOST/.corp.example\" would let this device pass for another: it is no "
	 "name of a host: rename the device: it gets no account\n"},
	{"names of services, wherever the class and the port stand",
	 "device k1 intranet\n"
	 "device k2 WPAD spn=WSMAN/WPAD:80\n"
	 "device k3 PC3 spn=ldap/localhost/corp.example\n"
	 "device k4 PC4 spn=HTTP/sso.corp.example\n"
	 "device k5 krbtgt\n",
	 "problem k1: servicePrincipalName \"HOST/intranet\" would let this device pass for another: it is a usual "
	 "name of a web server: rename the device: it gets no account\n"
	 "problem k2: servicePrincipalName \"WSMAN/WPAD:80\" would let this device pass for another: browsers look for "
	 "their proxy there: rename the device: it gets no account\n"
	 "problem k3: servicePrincipalName \"ldap/localhost/corp.example\" would let this device pass for another: "
	 "every computer calls itself so: rename the device: it gets no account\n"
	 "problem k4: servicePrincipalName \"HTTP/sso.corp.example\" would let this device pass for another: users "
	 "sign in there: rename the device: it gets no account\n"
	 "problem k5: servicePrincipalName \"HOST/krbtgt\" would let this device pass for another: it is the ticket "
	 "service of Kerberos: rename the device: it gets no account\n"},
	{"more than these names, or no host",
	 "device k5 wpad-1\n"
	 "device k6 intranet2\n"
	 "device k7 PC7 spn=RADIUS\n",
	 "create k7 PC7 (PC7$): new device \"PC7\"\n"
	 "  create CN=PC7 class=computer cn=PC7 sam=PC7$ uac=4096 mark=certdir:wifi:k7 spn=RADIUS and a password\n"
	 "create k6 intranet2 (INTRANET2$): new device \"intranet2\"\n"
	 "  create CN=intranet2 class=computer cn=intranet2 sam=INTRANET2$ uac=4096 mark=certdir:wifi:k6 "
	 "spn=HOST/intranet2 and a password\n"
	 "create k5 wpad-1 (WPAD-1$): new device \"wpad-1\"\n"
	 "  create CN=wpad-1 class=computer cn=wpad-1 sam=WPAD-1$ uac=4096 mark=certdir:wifi:k5 spn=HOST/wpad-1 and a "
	 "password\n"},
	{"in other spellings",
	 "device k1 \uff37\uff50\uff41\uff44\n"
	 "device k2 \u00cdntranet\n"
	 "device k3 x\uff0fy spn=HOST\uff0fproxy\n",
	 "problem k1: servicePrincipalName \"HOST/\uff37\uff50\uff41\uff44\" would let this device pass for another: "
	 "browsers look for their proxy there: rename the device: it gets no account\n"
	 "problem k2: servicePrincipalName \"HOST/\u00cdntranet\" would let this device pass for another: it is a "
	 "usual name of a web server: rename the device: it gets no account\n"
	 "problem k3: servicePrincipalName \"HOST\uff0fproxy\" would let this device pass for another: it is a usual "
	 "name of a proxy: rename the device: it gets no account\n"},
	{"a host name that is an attribute",
	 "device k1 PC1 dns=mail.corp.example\n"
	 "device k2 PC2 dns=PC2.corp.example\n"
	 "device k3 PC3 dns=corp.example\n"
	 "device k4 PC4 dns=pc4\n",
	 "create k2 PC2 (PC2$): new device \"PC2\"\n"
	 "  create CN=PC2 class=computer cn=PC2 sam=PC2$ uac=4096 mark=certdir:wifi:k2 spn=HOST/PC2 "
	 "dns=PC2.corp.example and a password\n"
	 "create k4 PC4 (PC4$): new device \"PC4\"\n"
	 "  create CN=PC4 class=computer cn=PC4 sam=PC4$ uac=4096 mark=certdir:wifi:k4 spn=HOST/PC4 dns=pc4 and a "
	 "password\n"
	 "problem k1: dNSHostName \"mail.corp.example\" would let this device pass for another: it is a usual name of "
	 "a mail server: rename the device: it gets no account\n"
	 "problem k3: dNSHostName \"corp.example\" would let this device pass for another: a domain or a domain "
	 "controller is called so: rename the device: it gets no account\n"},
	{"an account that is there stays as it is, and a device that must not come in is disabled",
	 "device k1 mail desc=new\n"
	 "account k1 mail\n"
	 "device k2 proxy not=is_disabled\n"
	 "account k2 proxy\n"
	 "device k3 PC3\n"
	 "account k3 PC3\n",
	 "disable k2 proxy (PROXY$): is disabled\n"
	 "  disable CN=proxy -mark=certdir:wifi:k2 +mark=certdir:wifi:k2:disabled !-uac=4096 !uac=4098\n"
	 "problem k1: servicePrincipalName \"HOST/mail\" would let this device pass for another: it is a usual name of "
	 "a mail server: rename the device: its account is left as it is\n"},
	{"somebody has the host in another class",
	 "outside svc-web spn=HTTP/shop spn=MSSQLSvc/store.corp.example\n"
	 "device k1 SHOP\n"
	 "device k2 store spn=HOST/store spn=HOST/store.corp.example\n"
	 "device k3 other\n",
	 "create k3 other (OTHER$): new device \"other\"\n"
	 "  create CN=other class=computer cn=other sam=OTHER$ uac=4096 mark=certdir:wifi:k3 spn=HOST/other and a "
	 "password\n"
	 "problem k1: servicePrincipalName \"http/SHOP\" is held by CN=svc-web,OU=Other,DC=corp,DC=example, who would "
	 "lose that host's clients: it gets no account\n"
	 "problem k2: servicePrincipalName \"MSSQLSvc/store.corp.example\" is held by "
	 "CN=svc-web,OU=Other,DC=corp,DC=example, who would lose that host's clients: it gets no account\n"},
	{"an account of ours that has another class is in nobody's way",
	 "device k1 PC1 spn=HOST/PC1 spn=HTTP/PC2\n"
	 "account k1 PC1 spn=HOST/PC1 spn=HTTP/PC2\n"
	 "device k2 PC2\n",
	 "create k2 PC2 (PC2$): new device \"PC2\"\n"
	 "  create CN=PC2 class=computer cn=PC2 sam=PC2$ uac=4096 mark=certdir:wifi:k2 spn=HOST/PC2 and a password\n"},
	{"who waits for what is refused stays",
	 "device k1 vpn\n"
	 "account k1 PC1\n"
	 "device k2 PC1\n",
	 "problem k1: servicePrincipalName \"HOST/vpn\" would let this device pass for another: it is a usual name of "
	 "a VPN server: rename the device: its account is left as it is\n"
	 "problem k2: CN \"PC1\" is held by CN=PC1,OU=Wi-Fi,DC=corp,DC=example, the account of device k1: it gets no "
	 "account\n"},
};

static void test_hosts(void **state)
{
	(void)state;
	check_rules(rules_of_hosts, sizeof(rules_of_hosts) / sizeof(*rules_of_hosts), true);
}

/* Computers that somebody made beforehand, without service principal names. */
static const struct rule rules_of_namesakes[] = {
	{"a computer that is called so",
	 "outside PC1 sam=PC1$\n"
	 "device k1 PC1\n"
	 "outside x sam=pc2$\n"
	 "device k2 PC2\n",
	 "problem k1: sAMAccountName \"PC1$\" is that of CN=PC1,OU=Other,DC=corp,DC=example: a computer called so is "
	 "there already: it gets no account\n"
	 "problem k2: sAMAccountName \"PC2$\" is that of CN=x,OU=Other,DC=corp,DC=example: a computer called so is "
	 "there already: it gets no account\n"},
	{"a name that is cut is a mere clash",
	 "outside WORKSTATION-BERLIN-9 sam=WORKSTATION-BER$\n"
	 "device k1 WORKSTATION-BERLIN-1\n",
	 "create k1 WORKSTATION-BERLIN-1 (WORKSTAT-XVUDNE$): new device \"WORKSTATION-BERLIN-1\"\n"
	 "  create CN=WORKSTATION-BERLIN-1 class=computer cn=WORKSTATION-BERLIN-1 sam=WORKSTAT-XVUDNE$ uac=4096 "
	 "mark=certdir:wifi:k1 spn=HOST/WORKSTATION-BERLIN-1 and a password\n"},
	{"unless the CN is the same",
	 "outside Workstation-Berlin-2 sam=WORKSTATION-BER$\n"
	 "device k1 WORKSTATION-BERLIN-1\n"
	 "device k2 WORKSTATION-BERLIN-2\n",
	 "create k1 WORKSTATION-BERLIN-1 (WORKSTAT-XVUDNE$): new device \"WORKSTATION-BERLIN-1\"\n"
	 "  create CN=WORKSTATION-BERLIN-1 class=computer cn=WORKSTATION-BERLIN-1 sam=WORKSTAT-XVUDNE$ uac=4096 "
	 "mark=certdir:wifi:k1 spn=HOST/WORKSTATION-BERLIN-1 and a password\n"
	 "problem k2: sAMAccountName \"WORKSTATION-BER$\" is that of "
	 "CN=Workstation-Berlin-2,OU=Other,DC=corp,DC=example: a computer called so is there already: it gets no "
	 "account\n"},
	{"or its host name",
	 "outside WORKSTATION-BER sam=WORKSTATION-BER$ dns=workstation-berlin-2.corp.example\n"
	 "device k1 WORKSTATION-BERLIN-1\n"
	 "device k2 WORKSTATION-BERLIN-2\n",
	 "create k1 WORKSTATION-BERLIN-1 (WORKSTAT-XVUDNE$): new device \"WORKSTATION-BERLIN-1\"\n"
	 "  create CN=WORKSTATION-BERLIN-1 class=computer cn=WORKSTATION-BERLIN-1 sam=WORKSTAT-XVUDNE$ uac=4096 "
	 "mark=certdir:wifi:k1 spn=HOST/WORKSTATION-BERLIN-1 and a password\n"
	 "problem k2: sAMAccountName \"WORKSTATION-BER$\" is that of CN=WORKSTATION-BER,OU=Other,DC=corp,DC=example: a "
	 "computer called so is there already: it gets no account\n"},
	{"characters that an account's name has not are a mere clash, too",
	 "outside M-LLER sam=M-LLER$\n"
	 "device k1 M\u00fcller\n",
	 "create k1 M\u00fcller (M-LLER-XVUDNE$): new device \"M\u00fcller\"\n"
	 "  create CN=M\u00fcller class=computer cn=M\u00fcller sam=M-LLER-XVUDNE$ uac=4096 mark=certdir:wifi:k1 "
	 "spn=HOST/M\u00fcller and a password\n"},
	{"an account is not renamed to it",
	 "outside PC2 sam=PC2$\n"
	 "device k1 PC2\n"
	 "account k1 PC1\n",
	 "problem k1: sAMAccountName \"PC2$\" is that of CN=PC2,OU=Other,DC=corp,DC=example: a computer called so is "
	 "there already: its account is left as it is\n"},
	{"what an account of ours was called once is a mere clash",
	 "device k1 PC2\n"
	 "account k1 PC2 sam=PC1$\n"
	 "device k2 PC1\n",
	 "create k2 PC1 (PC1-5KLV7M$): new device \"PC1\"\n"
	 "  create CN=PC1 class=computer cn=PC1 sam=PC1-5KLV7M$ uac=4096 mark=certdir:wifi:k2 spn=HOST/PC1 and a "
	 "password\n"},
	{"an account of another section",
	 "outside PC1 sam=PC1$ mark=certdir:wired:k1\n"
	 "device k1 PC1\n",
	 "problem k1: sAMAccountName \"PC1$\" is that of CN=PC1,OU=Other,DC=corp,DC=example: a computer called so is "
	 "there already: it gets no account\n"},
	{"a user is somebody else",
	 "outside pc1 sam=pc1\n"
	 "device k1 PC1\n",
	 "create k1 PC1 (PC1$): new device \"PC1\"\n"
	 "  create CN=PC1 class=computer cn=PC1 sam=PC1$ uac=4096 mark=certdir:wifi:k1 spn=HOST/PC1 and a password\n"},
	{"an account that is there keeps its names, whoever else has them",
	 "outside PC1 sam=PC1$\n"
	 "device k1 PC1 desc=new\n"
	 "account k1 PC1 sam=OTHER$\n",
	 "change k1 PC1 (OTHER$): description \"new\" added\n"
	 "  change CN=PC1 +desc=new\n"},
};

static void test_namesakes(void **state)
{
	(void)state;
	check_rules(rules_of_namesakes, sizeof(rules_of_namesakes) / sizeof(*rules_of_namesakes), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_spellings), cmocka_unit_test(test_hosts),
					   cmocka_unit_test(test_namesakes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
