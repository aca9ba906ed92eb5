/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan does and leaves, rule by rule: names, values that must be unique, accounts that pass on. */
#include "plan_script.h"

#include "plan/planner.h"

static const struct rule rules_of_names[] = {
	{"two devices with one name and no account",
	 "device k1 PC1\n"
	 "device k2 pc1\n",
	 "problem k1: CN \"PC1\" is meant for 2 devices (another is k2): it gets no account\n"
	 "problem k2: CN \"pc1\" is meant for 2 devices (another is k1): it gets no account\n"},
	{"two devices with one name; an account that is there stays",
	 "device k1 PC1 desc=new\n"
	 "device k2 PC1\n"
	 "account k1 PC1 desc=old\n",
	 "change k1 PC1 (PC1$): description \"old\" -> \"new\"\n"
	 "problem k2: CN \"PC1\" is held by CN=PC1,OU=Wi-Fi,DC=corp,DC=example, the account of device k1: it gets no "
	 "account\n"},
	{"nobody is renamed to a name that several want",
	 "device k1 PC2 desc=new\n"
	 "device k2 PC2\n"
	 "account k1 PC1 desc=old\n",
	 "problem k1: CN \"PC2\" is meant for 2 devices (another is k2): its account is left as it is\n"
	 "problem k2: CN \"PC2\" is meant for 2 devices (another is k1): it gets no account\n"},
	{"a foreign entry has the name",
	 "foreign PC1\n"
	 "device k1 PC1\n",
	 "problem k1: CN \"PC1\" is taken by CN=PC1,OU=Wi-Fi,DC=corp,DC=example, which is not ours (adopt takes over "
	 "what a script made): it gets no "
	 "account\n"
	 "foreign CN=PC1: is not ours and stays as it is: this OU should hold nothing else\n"},
	{"a foreign entry below has the name",
	 "foreign PC1 deep\n"
	 "device k1 PC1\n",
	 "create k1 PC1 (PC1$): new device \"PC1\"\n"
	 "foreign CN=PC1,OU=Deep: is not ours and stays as it is: this OU should hold nothing else\n"},
	{"a foreign entry has the name that an account is to get",
	 "foreign PC2\n"
	 "device k1 PC2\n"
	 "account k1 PC1\n",
	 "problem k1: CN \"PC2\" is taken by CN=PC2,OU=Wi-Fi,DC=corp,DC=example, which is not ours (adopt takes over "
	 "what a script made): its account is "
	 "left as it is\n"
	 "foreign CN=PC2: is not ours and stays as it is: this OU should hold nothing else\n"},
	{"who cannot go away keeps others from coming",
	 "foreign PC3\n"
	 "device k1 PC2\n"
	 "account k1 PC1\n"
	 "device k2 PC3\n"
	 "account k2 PC2\n"
	 "device k3 PC1\n",
	 "problem k1: CN \"PC2\" is held by CN=PC2,OU=Wi-Fi,DC=corp,DC=example, the account of device k2: its account "
	 "is left as it is\n"
	 "problem k2: CN \"PC3\" is taken by CN=PC3,OU=Wi-Fi,DC=corp,DC=example, which is not ours (adopt takes over "
	 "what a script made): its account is "
	 "left as it is\n"
	 "problem k3: CN \"PC1\" is held by CN=PC1,OU=Wi-Fi,DC=corp,DC=example, the account of device k1: it gets no "
	 "account\n"
	 "foreign CN=PC3: is not ours and stays as it is: this OU should hold nothing else\n"},
	{"a disabled account is in nobody's way",
	 "device k1 PC2 not=is_disabled\n"
	 "account k1 PC2 disabled\n"
	 "device k2 PC2\n"
	 "account k2 PC1\n",
	 "move k2 PC2 (PC1$): CN \"PC1\" -> \"PC2\"; servicePrincipalName \"HOST/PC1\" -> \"HOST/PC2\"\n"
	 "move k1 certdir-08be0f07b56224c1 (PC2$): another device is now called \"PC2\"; servicePrincipalName "
	 "\"HOST/PC2\" removed\n"},
	{"an account that is removed is in nobody's way",
	 "account k1 PC2 gone=1\n"
	 "device k2 PC2\n"
	 "account k2 PC1\n",
	 "move k2 PC2 (PC1$): CN \"PC1\" -> \"PC2\"; servicePrincipalName \"HOST/PC1\" -> \"HOST/PC2\"\n"
	 "remove k1 PC2 (PC2$): is not in the list since 1970-01-01T00:00:01Z\n"},
	{"several accounts with one key",
	 "account k1 PC1\n"
	 "account k1 PC2\n"
	 "device k1 PC3\n",
	 "problem k1: 2 accounts carry the mark of this device and are left as they are: "
	 "CN=PC1,OU=Wi-Fi,DC=corp,DC=example; CN=PC2,OU=Wi-Fi,DC=corp,DC=example: clear the adminDescription of all "
	 "but "
	 "one, and of any that is a real computer\n"},
	{"several accounts with one key of a device that is gone",
	 "account k1 PC1 gone=1\n"
	 "account k1 PC2\n"
	 "device k2 PC3\n",
	 "refused: 2 of 2 accounts would be disabled or removed, and max_remove = 10% allows fewer: look at the plan, "
	 "and use "
	 "--force when it is right\n"
	 "create k2 PC3 (PC3$): new device \"PC3\"\n"
	 "disable k1 PC2 (PC2$): is not in the list any more\n"
	 "remove k1 PC1 (PC1$): is not in the list since 1970-01-01T00:00:01Z\n"},
	{"several accounts with one key of a device that must not come in",
	 "account k1 PC1\n"
	 "account k1 PC2\n"
	 "device k1 PC1 not=is_disabled\n"
	 "device k2 PC3\n",
	 "refused: 2 of 2 accounts would be disabled or removed, and max_remove = 10% allows fewer: look at the plan, "
	 "and use "
	 "--force when it is right\n"
	 "create k2 PC3 (PC3$): new device \"PC3\"\n"
	 "disable k1 PC1 (PC1$): is disabled\n"
	 "disable k1 PC2 (PC2$): is disabled\n"},
	{"a device with a problem",
	 "device k1 PC1 nocn problem=has_no_serial_number\n"
	 "device k2 PC2 nocn problem=has_no_serial_number\n"
	 "account k1 PC1 spn=x/y\n",
	 "problem k1: has no serial number: its account is left as it is\n"
	 "problem k2: has no serial number: it gets no account\n"},
	{"a key that no mark can hold", "device k1\tx PC1\n",
	 "problem k1\tx: its id is too long for a mark, or no plain text: it gets no account\n"},
	{"an account with entries below it is not removed",
	 "account k1 PC1 gone=1\n"
	 "foreign x below=PC1\n"
	 "device k2 PC2\n"
	 "account k2 PC2\n",
	 "problem k1: CN=PC1,OU=Wi-Fi,DC=corp,DC=example cannot be removed: entries stand below it, such as "
	 "CN=x,CN=PC1,OU=Wi-Fi,DC=corp,DC=example\n"
	 "foreign CN=x,CN=PC1: is not ours and stays as it is: this OU should hold nothing else\n"},
	{"several in 15 characters",
	 "device k1 WORKSTATION-BERLIN-1\n"
	 "device k2 workstation-berlin-2\n"
	 "device k3 WORKSTATION-BERLIN-3\n",
	 "create k1 WORKSTATION-BERLIN-1 (WORKSTATION-BER$): new device \"WORKSTATION-BERLIN-1\"\n"
	 "create k3 WORKSTATION-BERLIN-3 (WORKSTAT-G298NA$): new device \"WORKSTATION-BERLIN-3\"\n"
	 "create k2 workstation-berlin-2 (WORKSTAT-5KLV7M$): new device \"workstation-berlin-2\"\n"},
	{"15 characters that an account has",
	 "device k2 WORKSTATION-BERLIN-1\n"
	 "account k1 OTHER sam=WORKSTATION-BER$\n"
	 "device k1 OTHER\n",
	 "create k2 WORKSTATION-BERLIN-1 (WORKSTAT-5KLV7M$): new device \"WORKSTATION-BERLIN-1\"\n"},
	{"15 characters that a foreign entry has",
	 "device k2 WORKSTATION-BERLIN-1\n"
	 "foreign x sam=WORKSTATION-BER$\n",
	 "create k2 WORKSTATION-BERLIN-1 (WORKSTAT-5KLV7M$): new device \"WORKSTATION-BERLIN-1\"\n"
	 "foreign CN=x: is not ours and stays as it is: this OU should hold nothing else\n"},
	{"15 characters that somebody in the domain has",
	 "device k2 WORKSTATION-BERLIN-1\n"
	 "device k3 WORKSTATION-BERLIN-2\n"
	 "outside x sam=workstation-ber$\n",
	 "create k2 WORKSTATION-BERLIN-1 (WORKSTAT-5KLV7M$): new device \"WORKSTATION-BERLIN-1\"\n"
	 "create k3 WORKSTATION-BERLIN-2 (WORKSTAT-G298NA$): new device \"WORKSTATION-BERLIN-2\"\n"},
	{"the second choice is taken, too",
	 "device k2 WORKSTATION-BERLIN-1\n"
	 "outside x sam=WORKSTATION-BER$\n"
	 "outside y sam=WORKSTAT-5KLV7M$\n",
	 "create k2 WORKSTATION-BERLIN-1 (WORKSTAT-Z2T5P5$): new device \"WORKSTATION-BERLIN-1\"\n"},
};

static void test_names(void **state)
{
	(void)state;
	check_rules(rules_of_names, sizeof(rules_of_names) / sizeof(*rules_of_names), false);
}

static const struct rule rules_of_values[] = {
	{"a value is held in the domain",
	 "outside x spn=host/pc1\n"
	 "device k1 PC1\n",
	 "problem k1: servicePrincipalName \"HOST/PC1\" is held by CN=x,OU=Other,DC=corp,DC=example: it gets no "
	 "account\n"},
	{"a value is held in the domain, an account is there",
	 "outside x spn=http/pc1\n"
	 "device k1 PC1 desc=new spn=HOST/PC1 spn=HTTP/PC1\n"
	 "account k1 PC1 desc=old\n",
	 "problem k1: servicePrincipalName \"HTTP/PC1\" is held by CN=x,OU=Other,DC=corp,DC=example: its account is "
	 "left as it is\n"},
	{"a value passes from one to another",
	 "device k1 PC1 spn=A/1\n"
	 "device k2 PC2 spn=B/2\n"
	 "account k1 PC1 spn=B/2\n"
	 "account k2 PC2 spn=C/3\n",
	 "change k1 PC1 (PC1$): servicePrincipalName \"B/2\" -> \"A/1\"\n"
	 "  yield CN=PC1 -spn=B/2\n"
	 "  change CN=PC1 +spn=A/1\n"
	 "change k2 PC2 (PC2$): servicePrincipalName \"C/3\" -> \"B/2\"\n"
	 "  change CN=PC2 -spn=C/3 +spn=B/2\n"},
	{"a value passes on to a new device",
	 "device k1 PC1 spn=A/1\n"
	 "device k2 PC2 spn=B/2\n"
	 "account k1 PC1 spn=B/2\n",
	 "create k2 PC2 (PC2$): new device \"PC2\"\n"
	 "  create CN=PC2 class=computer cn=PC2 sam=PC2$ uac=4096 mark=certdir:wifi:k2 spn=B/2 and a password\n"
	 "change k1 PC1 (PC1$): servicePrincipalName \"B/2\" -> \"A/1\"\n"
	 "  yield CN=PC1 -spn=B/2\n"
	 "  change CN=PC1 +spn=A/1\n"},
	{"two swap values",
	 "device k1 PC1 spn=A/1\n"
	 "device k2 PC2 spn=B/2\n"
	 "account k1 PC1 spn=B/2\n"
	 "account k2 PC2 spn=A/1\n",
	 "change k1 PC1 (PC1$): servicePrincipalName \"B/2\" -> \"A/1\"\n"
	 "  yield CN=PC1 -spn=B/2\n"
	 "  change CN=PC1 +spn=A/1\n"
	 "change k2 PC2 (PC2$): servicePrincipalName \"A/1\" -> \"B/2\"\n"
	 "  yield CN=PC2 -spn=A/1\n"
	 "  change CN=PC2 +spn=B/2\n"},
	{"a value stays with who shall have it",
	 "device k1 PC1 spn=A/1\n"
	 "device k2 PC2 spn=A/1\n"
	 "account k1 PC1 spn=A/1\n",
	 "problem k2: servicePrincipalName \"A/1\" is held by CN=PC1,OU=Wi-Fi,DC=corp,DC=example, the account of "
	 "device k1: it gets no account\n"},
	{"a value stays with who takes its account over",
	 "account k1 PC1 spn=A/1\n"
	 "device k2 PC1 spn=A/1\n"
	 "device k3 PC3 spn=A/1\n",
	 "change k2 PC1 (PC1$): re-enrolled: was device k1\n"
	 "  change CN=PC1 -mark=certdir:wifi:k1 +mark=certdir:wifi:k2\n"
	 "problem k3: servicePrincipalName \"A/1\" is held by CN=PC1,OU=Wi-Fi,DC=corp,DC=example, the account of "
	 "device k2: it gets no account\n"},
	{"two new devices shall have one value",
	 "device k1 PC1 spn=A/1\n"
	 "device k2 PC2 spn=a/1\n",
	 "problem k1: servicePrincipalName \"A/1\" is meant for 2 devices (another is k2): it gets no account\n"
	 "problem k2: servicePrincipalName \"a/1\" is meant for 2 devices (another is k1): it gets no account\n"},
	{"who cannot change keeps its values",
	 "foreign PC3\n"
	 "device k1 PC3 spn=A/1\n"
	 "account k1 PC1 spn=B/2\n"
	 "device k2 PC2 spn=B/2\n",
	 "problem k1: CN \"PC3\" is taken by CN=PC3,OU=Wi-Fi,DC=corp,DC=example, which is not ours (adopt takes over "
	 "what a script made): its account is "
	 "left as it is\n"
	 "problem k2: servicePrincipalName \"B/2\" is held by CN=PC1,OU=Wi-Fi,DC=corp,DC=example, the account of "
	 "device k1: it gets no account\n"
	 "foreign CN=PC3: is not ours and stays as it is: this OU should hold nothing else\n"},
	{"a disabled account gives up what a wanted one shall have",
	 "device k1 PC1 not=is_disabled\n"
	 "account k1 PC1 disabled spn=A/1 spn=B/2\n"
	 "device k2 PC2 spn=A/1\n",
	 "create k2 PC2 (PC2$): new device \"PC2\"\n"
	 "  create CN=PC2 class=computer cn=PC2 sam=PC2$ uac=4096 mark=certdir:wifi:k2 spn=A/1 and a password\n"
	 "change k1 PC1 (PC1$): servicePrincipalName \"A/1\" removed\n"
	 "  yield CN=PC1 -spn=A/1\n"},
	{"an account that is removed gives up its values before",
	 "account k1 PC1 gone=1 spn=A/1 spn=B/2\n"
	 "device k2 PC2 spn=A/1\n",
	 "create k2 PC2 (PC2$): new device \"PC2\"\n"
	 "  create CN=PC2 class=computer cn=PC2 sam=PC2$ uac=4096 mark=certdir:wifi:k2 spn=A/1 and a password\n"
	 "remove k1 PC1 (PC1$): is not in the list since 1970-01-01T00:00:01Z\n"
	 "  yield CN=PC1 -spn=A/1\n"
	 "  delete CN=PC1 class=computer cn=PC1 sam=PC1$ uac=4098 mark=certdir:wifi:k1:gone=1970-01-01T00:00:01Z "
	 "spn=B/2\n"},
};

static void test_values(void **state)
{
	(void)state;
	check_rules(rules_of_values, sizeof(rules_of_values) / sizeof(*rules_of_values), true);
}

static const struct rule rules_of_re_enrolled[] = {
	{"the old device is gone from the list",
	 "config certificates\n"
	 "account k1 PC1 desc=old sam=FIRST$ map=X509:<SKI>01 map=X509:<SKI>02\n"
	 "device k2 pc1 desc=new map=X509:<SKI>02 map=X509:<SKI>03\n",
	 "change k2 PC1 (FIRST$): re-enrolled: was device k1; description \"old\" -> \"new\"; altSecurityIdentities "
	 "\"X509:<SKI>01\" -> \"X509:<SKI>03\"\n"
	 "  change CN=PC1 -mark=certdir:wifi:k1 +mark=certdir:wifi:k2 -desc=old +desc=new -map=X509:<SKI>01 "
	 "+map=X509:<SKI>03\n"},
	{"the old device is disabled",
	 "account k1 PC1 disabled\n"
	 "device k1 PC1 not=is_disabled\n"
	 "device k2 PC1\n",
	 "enable k2 PC1 (PC1$): re-enrolled: was device k1\n"
	 "  change CN=PC1 -mark=certdir:wifi:k1:disabled +mark=certdir:wifi:k2 !-uac=4098 !uac=4096\n"},
	{"the old device was gone for long enough",
	 "account k1 PC1 gone=1\n"
	 "device k2 PC1\n",
	 "enable k2 PC1 (PC1$): re-enrolled: was device k1\n"
	 "  change CN=PC1 -mark=certdir:wifi:k1:gone=1970-01-01T00:00:01Z +mark=certdir:wifi:k2 !-uac=4098 "
	 "!uac=4096\n"},
	{"without certificates the mappings of the old device go all the same",
	 "account k1 PC1 map=X509:<SKI>01 map=X509:<S>weak\n"
	 "device k2 PC1\n",
	 "change k2 PC1 (PC1$): re-enrolled: was device k1; altSecurityIdentities \"X509:<SKI>01\" removed\n"
	 "  change CN=PC1 -mark=certdir:wifi:k1 +mark=certdir:wifi:k2 -map=X509:<SKI>01\n"},
	{"the old device is still wanted",
	 "account k1 PC1\n"
	 "device k1 PC1\n"
	 "device k2 PC1\n",
	 "problem k2: CN \"PC1\" is held by CN=PC1,OU=Wi-Fi,DC=corp,DC=example, the account of device k1: it gets no "
	 "account\n"},
	{"two new devices",
	 "account k1 PC1\n"
	 "device k2 PC1\n"
	 "device k3 PC1\n",
	 "disable k1 PC1 (PC1$): is not in the list any more\n"
	 "  disable CN=PC1 -mark=certdir:wifi:k1 +mark=certdir:wifi:k1:gone=1970-01-01T02:46:40Z !-uac=4096 !uac=4098\n"
	 "problem k2: CN \"PC1\" is meant for 2 devices (another is k3): it gets no account\n"
	 "problem k3: CN \"PC1\" is meant for 2 devices (another is k2): it gets no account\n"},
	{"the old one is in a place below",
	 "account k1 PC1 gone=9500 deep spn=HOST/x sam=x$\n"
	 "device k2 PC1\n",
	 "create k2 PC1 (PC1$): new device \"PC1\"\n"
	 "  create CN=PC1 class=computer cn=PC1 sam=PC1$ uac=4096 mark=certdir:wifi:k2 spn=HOST/PC1 and a password\n"},
	{"the taker cannot have it all: the old one is disabled as if nobody came",
	 "account k1 PC1\n"
	 "device k2 PC1 spn=HTTP/x\n"
	 "outside o1 spn=HTTP/x\n"
	 "device k9 PC9\n"
	 "account k9 PC9\n",
	 "disable k1 PC1 (PC1$): is not in the list any more\n"
	 "  disable CN=PC1 -mark=certdir:wifi:k1 +mark=certdir:wifi:k1:gone=1970-01-01T02:46:40Z !-uac=4096 !uac=4098\n"
	 "problem k2: servicePrincipalName \"HTTP/x\" is held by CN=o1,OU=Other,DC=corp,DC=example: it gets no "
	 "account\n"},
	{"the taker cannot have it all, and what the old one has is free for others",
	 "account k1 PC1 gone=9500 spn=HTTP/y\n"
	 "device k2 PC1 spn=HTTP/x\n"
	 "outside o1 spn=HTTP/x\n"
	 "device k3 PC3 spn=HTTP/y\n"
	 "device k9 PC9\n"
	 "account k9 PC9\n",
	 "create k3 PC3 (PC3$): new device \"PC3\"\n"
	 "  create CN=PC3 class=computer cn=PC3 sam=PC3$ uac=4096 mark=certdir:wifi:k3 spn=HTTP/y and a password\n"
	 "change k1 PC1 (PC1$): servicePrincipalName \"HTTP/y\" removed\n"
	 "  yield CN=PC1 -spn=HTTP/y\n"
	 "problem k2: servicePrincipalName \"HTTP/x\" is held by CN=o1,OU=Other,DC=corp,DC=example: it gets no "
	 "account\n"},
};

static void test_re_enrolled(void **state)
{
	(void)state;
	check_rules(rules_of_re_enrolled, sizeof(rules_of_re_enrolled) / sizeof(*rules_of_re_enrolled), true);
}

static const struct rule rules_of_others[] = {
	{"foreign entries",
	 "foreign printer\n"
	 "foreign scanner mark=certdir:other:k1\n"
	 "foreign fax mark=nonsense deep\n"
	 "device k1 PC1\n",
	 "create k1 PC1 (PC1$): new device \"PC1\"\n"
	 "foreign CN=fax,OU=Deep: is not ours and stays as it is: this OU should hold nothing else\n"
	 "foreign CN=printer: is not ours and stays as it is: this OU should hold nothing else\n"
	 "foreign CN=scanner: belongs to [placeholders other] and stays as it is: give each section an OU of its "
	 "own\n"},
	{"an entry with our mark that is no computer",
	 "foreign user mark=certdir:wifi:k1 class=user\n"
	 "device k1 PC1\n",
	 "create k1 PC1 (PC1$): new device \"PC1\"\n"
	 "foreign CN=user: carries our mark and is no entry of [placeholders wifi]: it stays as it is\n"},
	{"Entra Connect has synced an account, seen by its SID",
	 "account k1 PC1 sid=S-1-5-21-1-2-3-1001\n"
	 "device k1 PC1\n"
	 "device k2 PC1-SYNCED sid=S-1-5-21-1-2-3-1001\n"
	 "device k3 PC3 sid=S-1-5-21-1-2-3-9999\n",
	 "create k3 PC3 (PC3$): new device \"PC3\"\n"
	 "problem k2: this device is CN=PC1,OU=Wi-Fi,DC=corp,DC=example itself, which Entra Connect has synced: it "
	 "gets no account\n"
	 "warning OU=Wi-Fi,DC=corp,DC=example: Entra Connect syncs this OU, and so makes devices of its accounts: 1 of "
	 "the "
	 "list (k2 is CN=PC1,OU=Wi-Fi,DC=corp,DC=example). Take the OU out of its synchronization, or every account "
	 "comes "
	 "back as a device\n"},
	{"Entra Connect has synced an account, seen by its GUID",
	 "account k1 PC1 guid=GUID-2\n"
	 "device k1 PC1\n"
	 "device guid-2 PC2 hybrid not=has_another_trust_type\n"
	 "device guid-3 PC3 hybrid\n",
	 "create guid-3 PC3 (PC3$): new device \"PC3\"\n"
	 "warning OU=Wi-Fi,DC=corp,DC=example: Entra Connect syncs this OU, and so makes devices of its accounts: 1 of "
	 "the "
	 "list (guid-2 is CN=PC1,OU=Wi-Fi,DC=corp,DC=example). Take the OU out of its synchronization, or every "
	 "account "
	 "comes back as a device\n"},
	{"the GUID of a device that is not hybrid says nothing",
	 "account k1 PC1 guid=guid-2\n"
	 "device k1 PC1\n"
	 "device guid-2 PC2\n",
	 "create guid-2 PC2 (PC2$): new device \"PC2\"\n"},
};

static void test_others(void **state)
{
	(void)state;
	check_rules(rules_of_others, sizeof(rules_of_others) / sizeof(*rules_of_others), false);
}

/* ---- texts ---- */

static const char *quoted(const char *bytes, size_t size)
{
	static char out[CERTDIR_EXCERPT_QUOTED];

	return certdir_excerpt_quote(bytes, size, out);
}

static void test_text(void **state)
{
	struct certdir_plan_text text = {.length = 0};
	struct certdir_arena arena = {0};
	char value[300];
	const char *end;

	(void)state;
	assert_string_equal(quoted("PC1", 3), "\"PC1\"");
	assert_string_equal(quoted("", 0), "\"\"");
	assert_string_equal(quoted("a\"\\\n\0\xff"
				   "b",
				   7),
			    "\"a\\22\\5c\\0a\\00\\ffb\"");
	assert_string_equal(quoted("\xc3\xa4\xc3", 3), "\"\xc3\xa4\\c3\"");
	memset(value, 'x', sizeof(value));
	for (size_t i = 0; i < sizeof(value); i++) {
		const size_t length_of = strlen(quoted(value, i));

		/* Whole, or visibly not. */
		assert_true(length_of == i + 2 || strcmp(quoted(value, i) + length_of - 3, "\"..") == 0);
	}
	memset(value, '\1', sizeof(value));
	assert_true(strlen(quoted(value, sizeof(value))) < CERTDIR_EXCERPT_QUOTED);
	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = "\xf0\x9f\x98\x80"[i % 4];
	for (size_t i = 0; i < sizeof(value); i++)
		assert_true(strlen(quoted(value, i)) < CERTDIR_EXCERPT_QUOTED);

	memset(value, 'x', sizeof(value));
	for (int i = 0; i < 5; i++)
		certdir_plan_say(&text, "%.*s", 100, value);
	end = certdir_plan_text_end(&text, &arena);
	assert_int_equal(strlen(end), 3 * 100 + 2 * 2 + strlen("; and 2 more"));
	assert_string_equal(end + 304, "; and 2 more");
	text = (struct certdir_plan_text){.length = 0};
	certdir_plan_say(&text, "%.*s%.*s", 290, value, 290, value);
	assert_string_equal(certdir_plan_text_end(&text, &arena) + CERTDIR_TEXT_MAX - 6, "xxx..");

	assert_string_equal(certdir_plan_rdn(&arena, " a "), "CN=\\ a\\ ");
	assert_string_equal(certdir_plan_rdn(&arena, " "), "CN=\\ ");
	assert_string_equal(certdir_plan_rdn(&arena, "#1 #"), "CN=\\#1 #");
	assert_string_equal(certdir_plan_rdn(&arena, ",+\"\\<>;="), "CN=\\,\\+\\\"\\\\\\<\\>\\;\\=");
	certdir_arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_values),
					   cmocka_unit_test(test_re_enrolled), cmocka_unit_test(test_others),
					   cmocka_unit_test(test_text)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
