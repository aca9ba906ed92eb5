/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operations of a plan, rule by rule: what comes, changes and goes. */
#include "plan_script.h"

static const struct rule rules_of_steps[] = {
	{"a new device", "device k1 PC1 desc=my_PC\n",
	 "create k1 PC1 (PC1$): new device \"PC1\"\n"
	 "  create CN=PC1 class=computer cn=PC1 sam=PC1$ uac=4096 mark=certdir:wifi:k1 spn=HOST/PC1 desc=my PC and a "
	 "password\n"},
	{"a new device in a group",
	 "config primary\n"
	 "device k1 PC1\n",
	 "create k1 PC1 (PC1$): new device \"PC1\"\n"
	 "  create CN=PC1 class=computer cn=PC1 sam=PC1$ uac=4096 mark=certdir:wifi:k1 spn=HOST/PC1 and a password\n"
	 "  join Wi-Fi +member=CN=PC1\n"
	 "  primary CN=PC1 !-primary=515 !primary=1200\n"
	 "  leave Domain Computers -member=CN=PC1\n"},
	{"a new device in a group that is not the primary one",
	 "config group\n"
	 "device k1 PC1\n",
	 "create k1 PC1 (PC1$): new device \"PC1\"\n"
	 "  create CN=PC1 class=computer cn=PC1 sam=PC1$ uac=4096 mark=certdir:wifi:k1 spn=HOST/PC1 and a password\n"
	 "  join Wi-Fi +member=CN=PC1\n"},
	{"a new device with certificates",
	 "config certificates\n"
	 "device k1 PC1 map=X509:<SKI>01 map=X509:<SKI>02 ended=X509:<SKI>03\n",
	 "create k1 PC1 (PC1$): new device \"PC1\"\n"
	 "  create CN=PC1 class=computer cn=PC1 sam=PC1$ uac=4096 mark=certdir:wifi:k1 spn=HOST/PC1 map=X509:<SKI>01 "
	 "map=X509:<SKI>02 and a password\n"},
	{"a new device whose account is not to be enabled",
	 "config disabled\n"
	 "device k1 PC1\n",
	 "create k1 PC1 (PC1$): new device \"PC1\"\n"
	 "  create CN=PC1 class=computer cn=PC1 sam=PC1$ uac=4098 mark=certdir:wifi:k1 spn=HOST/PC1 and a password\n"},
	{"a name with everything in it", "device k1 #a,b+c\"d\\e<f>g;h=i_\n",
	 "create k1 #a,b+c\"d\\e<f>g;h=i  (#A-B-C-D-E-F-G-$): new device \"#a,b+c\\22d\\5ce<f>g;h=i \"\n"
	 "  create CN=\\#a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h\\=i\\  class=computer cn=#a,b+c\"d\\e<f>g;h=i  "
	 "sam=#A-B-C-D-E-F-G-$ uac=4096 mark=certdir:wifi:k1 spn=HOST/#a,b+c\"d\\e<f>g;h=i  and a password\n"},
	{"nothing to do",
	 "config primary\n"
	 "device k1 PC1 desc=x\n"
	 "account k1 PC1 desc=x\n",
	 ""},
	{"an attribute is another",
	 "device k1 PC1 desc=new\n"
	 "account k1 PC1 desc=old\n",
	 "change k1 PC1 (PC1$): description \"old\" -> \"new\"\n"
	 "  change CN=PC1 -desc=old +desc=new\n"},
	{"case is no change in a folded column, and one elsewhere",
	 "device k1 PC1 spn=host/pc1 desc=A\n"
	 "account k1 PC1 spn=HOST/PC1 desc=a\n",
	 "change k1 PC1 (PC1$): description \"a\" -> \"A\"\n"
	 "  change CN=PC1 -desc=a +desc=A\n"},
	{"a value that no template makes goes",
	 "device k1 PC1\n"
	 "account k1 PC1 dns=pc1.corp.example spn=HOST/PC1 spn=HOST/OTHER\n",
	 "change k1 PC1 (PC1$): servicePrincipalName \"HOST/OTHER\" removed; dNSHostName \"pc1.corp.example\" removed\n"
	 "  change CN=PC1 -spn=HOST/OTHER -dns=pc1.corp.example\n"},
	{"a new name",
	 "device k1 PC2\n"
	 "account k1 PC1\n",
	 "move k1 PC2 (PC1$): CN \"PC1\" -> \"PC2\"; servicePrincipalName \"HOST/PC1\" -> \"HOST/PC2\"\n"
	 "  rename CN=PC1 to CN=PC2\n"
	 "  change CN=PC2 -spn=HOST/PC1 +spn=HOST/PC2\n"},
	{"a new name that differs in case alone",
	 "device k1 pc1\n"
	 "account k1 PC1\n",
	 ""},
	{"moved to a place below the OU",
	 "device k1 PC1\n"
	 "account k1 PC1 deep\n",
	 "move k1 PC1 (PC1$): was in OU=Deep,OU=Wi-Fi,DC=corp,DC=example\n"
	 "  rename CN=PC1,OU=Deep to CN=PC1\n"},
	{"moved and renamed",
	 "device k1 PC2\n"
	 "account k1 PC1 deep\n",
	 "move k1 PC2 (PC1$): was in OU=Deep,OU=Wi-Fi,DC=corp,DC=example; CN \"PC1\" -> \"PC2\"; servicePrincipalName "
	 "\"HOST/PC1\" -> \"HOST/PC2\"\n"
	 "  rename CN=PC1,OU=Deep to CN=PC2\n"
	 "  change CN=PC2 -spn=HOST/PC1 +spn=HOST/PC2\n"},
	{"two devices swap names",
	 "device k1 PC2\n"
	 "device k2 PC1\n"
	 "account k1 PC1\n"
	 "account k2 PC2\n",
	 "move k2 PC1 (PC2$): CN \"PC2\" -> \"PC1\"; servicePrincipalName \"HOST/PC2\" -> \"HOST/PC1\"\n"
	 "  yield CN=PC2 -spn=HOST/PC2\n"
	 "  aside CN=PC2 to CN=certdir-08be0c07b5621fa8\n"
	 "  rename CN=certdir-08be0c07b5621fa8 to CN=PC1\n"
	 "  change CN=PC1 +spn=HOST/PC1\n"
	 "move k1 PC2 (PC1$): CN \"PC1\" -> \"PC2\"; servicePrincipalName \"HOST/PC1\" -> \"HOST/PC2\"\n"
	 "  yield CN=PC1 -spn=HOST/PC1\n"
	 "  aside CN=PC1 to CN=certdir-08be0f07b56224c1\n"
	 "  rename CN=certdir-08be0f07b56224c1 to CN=PC2\n"
	 "  change CN=PC2 +spn=HOST/PC2\n"},
	{"a chain of names",
	 "device k1 PC2\n"
	 "device k2 PC3\n"
	 "account k1 PC1\n"
	 "account k2 PC2\n",
	 "move k1 PC2 (PC1$): CN \"PC1\" -> \"PC2\"; servicePrincipalName \"HOST/PC1\" -> \"HOST/PC2\"\n"
	 "  rename CN=PC1 to CN=PC2\n"
	 "  change CN=PC2 -spn=HOST/PC1 +spn=HOST/PC2\n"
	 "move k2 PC3 (PC2$): CN \"PC2\" -> \"PC3\"; servicePrincipalName \"HOST/PC2\" -> \"HOST/PC3\"\n"
	 "  yield CN=PC2 -spn=HOST/PC2\n"
	 "  aside CN=PC2 to CN=certdir-08be0c07b5621fa8\n"
	 "  rename CN=certdir-08be0c07b5621fa8 to CN=PC3\n"
	 "  change CN=PC3 +spn=HOST/PC3\n"},
	{"a name that becomes free for a new device",
	 "device k1 PC2\n"
	 "device k2 PC1\n"
	 "account k1 PC1\n",
	 "create k2 PC1 (PC1-5KLV7M$): new device \"PC1\"\n"
	 "  create CN=PC1 class=computer cn=PC1 sam=PC1-5KLV7M$ uac=4096 mark=certdir:wifi:k2 spn=HOST/PC1 and a "
	 "password\n"
	 "move k1 PC2 (PC1$): CN \"PC1\" -> \"PC2\"; servicePrincipalName \"HOST/PC1\" -> \"HOST/PC2\"\n"
	 "  yield CN=PC1 -spn=HOST/PC1\n"
	 "  rename CN=PC1 to CN=PC2\n"
	 "  change CN=PC2 +spn=HOST/PC2\n"},
	{"not selected any more",
	 "device k1 PC1 not=is_not_compliant desc=new\n"
	 "account k1 PC1 desc=old\n"
	 "device k2 PC2\n"
	 "account k2 PC2\n",
	 "disable k1 PC1 (PC1$): is not compliant\n"
	 "  disable CN=PC1 -mark=certdir:wifi:k1 +mark=certdir:wifi:k1:disabled !-uac=4096 !uac=4098\n"},
	{"not in the list any more",
	 "account k1 PC1 uac=69632\n"
	 "device k2 PC2\n"
	 "account k2 PC2\n",
	 "disable k1 PC1 (PC1$): is not in the list any more\n"
	 "  disable CN=PC1 -mark=certdir:wifi:k1 +mark=certdir:wifi:k1:gone=1970-01-01T02:46:40Z !-uac=69632 "
	 "!uac=69634\n"},
	{"gone for long enough",
	 "config certificates\n"
	 "account k1 PC1 gone=8000 desc=x map=X509:<SKI>01 map=weak\n"
	 "device k2 PC2 map=X509:<SKI>02\n"
	 "account k2 PC2 map=X509:<SKI>02\n",
	 "remove k1 PC1 (PC1$): is not in the list since 1970-01-01T02:13:20Z\n"
	 "  delete CN=PC1 class=computer cn=PC1 sam=PC1$ uac=4098 mark=certdir:wifi:k1:gone=1970-01-01T02:13:20Z "
	 "spn=HOST/PC1 desc=x map=X509:<SKI>01 map=weak\n"},
	{"gone, but not for long enough",
	 "account k1 PC1 gone=9001\n"
	 "device k2 PC2\n"
	 "account k2 PC2\n",
	 ""},
	{"gone at a time that is still to come",
	 "account k1 PC1 gone=20000\n"
	 "device k2 PC2\n"
	 "account k2 PC2\n",
	 "change k1 PC1 (PC1$): its mark had a time in the future\n"
	 "  disable CN=PC1 -mark=certdir:wifi:k1:gone=1970-01-01T05:33:20Z "
	 "+mark=certdir:wifi:k1:gone=1970-01-01T02:46:40Z\n"},
	{"gone long ago and enabled by hand: it begins again",
	 "account k1 PC1 gone=8000 uac=4096\n"
	 "device k2 PC2\n"
	 "account k2 PC2\n",
	 "disable k1 PC1 (PC1$): is not in the list, and the account was enabled\n"
	 "  disable CN=PC1 -mark=certdir:wifi:k1:gone=1970-01-01T02:13:20Z "
	 "+mark=certdir:wifi:k1:gone=1970-01-01T02:46:40Z !-uac=4096 !uac=4098\n"},
	{"gone, and back but not selected",
	 "account k1 PC1 gone=8000\n"
	 "device k1 PC1 not=is_disabled\n"
	 "device k2 PC2\n"
	 "account k2 PC2\n",
	 "change k1 PC1 (PC1$): is in the list again, and is disabled\n"
	 "  disable CN=PC1 -mark=certdir:wifi:k1:gone=1970-01-01T02:13:20Z +mark=certdir:wifi:k1:disabled\n"},
	{"disabled, and then gone",
	 "account k1 PC1 disabled\n"
	 "device k2 PC2\n"
	 "account k2 PC2\n",
	 "change k1 PC1 (PC1$): is not in the list any more\n"
	 "  disable CN=PC1 -mark=certdir:wifi:k1:disabled +mark=certdir:wifi:k1:gone=1970-01-01T02:46:40Z\n"},
	{"gone and back",
	 "account k1 PC1 gone=8000 desc=old\n"
	 "device k1 PC1 desc=new\n",
	 "enable k1 PC1 (PC1$): is in the list again; description \"old\" -> \"new\"\n"
	 "  change CN=PC1 -mark=certdir:wifi:k1:gone=1970-01-01T02:13:20Z +mark=certdir:wifi:k1 !-uac=4098 !uac=4096 "
	 "-desc=old +desc=new\n"},
	{"disabled and back under another name",
	 "account k1 PC1 disabled\n"
	 "device k1 PC2\n",
	 "enable k1 PC2 (PC1$): is wanted again; CN \"PC1\" -> \"PC2\"; servicePrincipalName \"HOST/PC1\" -> "
	 "\"HOST/PC2\"\n"
	 "  rename CN=PC1 to CN=PC2\n"
	 "  change CN=PC2 -mark=certdir:wifi:k1:disabled +mark=certdir:wifi:k1 !-uac=4098 !uac=4096 -spn=HOST/PC1 "
	 "+spn=HOST/PC2\n"},
	{"disabled by hand",
	 "account k1 PC1 uac=4098\n"
	 "device k1 PC1\n",
	 "enable k1 PC1 (PC1$): the account was disabled\n"
	 "  change CN=PC1 !-uac=4098 !uac=4096\n"},
	{"other bits are kept",
	 "account k1 PC1 uac=66050\n"
	 "device k1 PC1\n",
	 "enable k1 PC1 (PC1$): the account was disabled\n"
	 "  change CN=PC1 !-uac=66050 !uac=66048\n"},
	{"enabled = no",
	 "config disabled\n"
	 "account k1 PC1 uac=4096\n"
	 "device k1 PC1\n",
	 "disable k1 PC1 (PC1$): enabled = no\n"
	 "  change CN=PC1 !-uac=4096 !uac=4098\n"},
	{"enabled = no, and back",
	 "config disabled\n"
	 "account k1 PC1 gone=8000\n"
	 "device k1 PC1\n",
	 "change k1 PC1 (PC1$): is in the list again\n"
	 "  change CN=PC1 -mark=certdir:wifi:k1:gone=1970-01-01T02:13:20Z +mark=certdir:wifi:k1\n"},
	{"not in the group",
	 "config group\n"
	 "account k1 PC1 nobody\n"
	 "device k1 PC1\n",
	 "change k1 PC1 (PC1$): joins Wi-Fi\n"
	 "  join Wi-Fi +member=CN=PC1\n"},
	{"not in the group, and not wanted",
	 "config primary\n"
	 "account k1 PC1 nobody\n"
	 "device k1 PC1 not=is_disabled\n"
	 "device k2 PC2\n"
	 "account k2 PC2\n",
	 "disable k1 PC1 (PC1$): is disabled\n"
	 "  disable CN=PC1 -mark=certdir:wifi:k1 +mark=certdir:wifi:k1:disabled !-uac=4096 !uac=4098\n"},
	{"the primary group is another",
	 "config primary\n"
	 "account k1 PC1 nobody\n"
	 "device k1 PC1\n",
	 "change k1 PC1 (PC1$): joins Wi-Fi; Wi-Fi becomes its primary group; leaves Domain Computers\n"
	 "  join Wi-Fi +member=CN=PC1\n"
	 "  primary CN=PC1 !-primary=515 !primary=1200\n"
	 "  leave Domain Computers -member=CN=PC1\n"},
	{"still among the computers",
	 "config primary\n"
	 "account k1 PC1 computers\n"
	 "device k1 PC1\n",
	 "change k1 PC1 (PC1$): leaves Domain Computers\n"
	 "  leave Domain Computers -member=CN=PC1\n"},
	{"renamed into the group",
	 "config primary\n"
	 "account k1 PC1 nobody\n"
	 "device k1 PC2\n",
	 "move k1 PC2 (PC1$): CN \"PC1\" -> \"PC2\"; servicePrincipalName \"HOST/PC1\" -> \"HOST/PC2\"; joins Wi-Fi; "
	 "Wi-Fi becomes its primary group; leaves Domain Computers\n"
	 "  rename CN=PC1 to CN=PC2\n"
	 "  change CN=PC2 -spn=HOST/PC1 +spn=HOST/PC2\n"
	 "  join Wi-Fi +member=CN=PC2\n"
	 "  primary CN=PC2 !-primary=515 !primary=1200\n"
	 "  leave Domain Computers -member=CN=PC2\n"},
};

static void test_steps(void **state)
{
	(void)state;
	check_rules(rules_of_steps, sizeof(rules_of_steps) / sizeof(*rules_of_steps), true);
}

static const struct rule rules_of_mappings[] = {
	{"exactly those of its valid certificates",
	 "config certificates\n"
	 "device k1 PC1 map=X509:<I>DC=x<SR>01\n"
	 "account k1 PC1 map=X509:<SKI>09 map=X509:<SHA1-PUKEY>0a map=X509:<I>DC=x<SR>02 map=X509:<I>DC=x<S>CN=y "
	 "map=X509:<RFC822>a@b map=Kerberos:x\n",
	 "change k1 PC1 (PC1$): altSecurityIdentities \"X509:<I>DC=x<SR>02\", \"X509:<SHA1-PUKEY>0a\" and 1 more -> "
	 "\"X509:<I>DC=x<SR>01\"\n"
	 "  change CN=PC1 -map=X509:<I>DC=x<SR>02 -map=X509:<SHA1-PUKEY>0a -map=X509:<SKI>09 "
	 "+map=X509:<I>DC=x<SR>01\n"},
	{"case of hexadecimal digits is no change",
	 "config certificates\n"
	 "device k1 PC1 map=X509:<SKI>ab\n"
	 "account k1 PC1 map=x509:<ski>AB\n",
	 ""},
	{"without certificates it keeps what it has, but for those that ended",
	 "config certificates\n"
	 "device k1 PC1 ended=X509:<SKI>01\n"
	 "account k1 PC1 map=X509:<SKI>01 map=X509:<SKI>02\n",
	 "change k1 PC1 (PC1$): altSecurityIdentities \"X509:<SKI>01\" removed\n"
	 "  change CN=PC1 -map=X509:<SKI>01\n"},
	{"issuer and SID is a strong one of no certificate: it stays, and is enough",
	 "config certificates\n"
	 "device k1 PC1\n"
	 "account k1 PC1 map=X509:<I>DC=x<SID>S-1-5-21-1\n"
	 "device k2 PC2 map=X509:<SKI>02\n"
	 "account k2 PC2 map=X509:<SKI>01 map=X509:<I>DC=x<SID>S-1-5-21-2\n",
	 "change k2 PC2 (PC2$): altSecurityIdentities \"X509:<SKI>01\" -> \"X509:<SKI>02\"\n"
	 "  change CN=PC2 -map=X509:<SKI>01 +map=X509:<SKI>02\n"},
	{"it goes from an account that another device takes over",
	 "config certificates\n"
	 "device k2 PC1\n"
	 "account k1 PC1 map=X509:<I>DC=x<SID>S-1-5-21-1 gone=9000\n",
	 "enable k2 PC1 (PC1$): re-enrolled: was device k1; altSecurityIdentities \"X509:<I>DC=x<SID>S-1-5-21-1\" "
	 "removed\n"
	 "  change CN=PC1 -mark=certdir:wifi:k1:gone=1970-01-01T02:30:00Z +mark=certdir:wifi:k2 !-uac=4098 !uac=4096 "
	 "-map=X509:<I>DC=x<SID>S-1-5-21-1\n"
	 "no-mapping k2: PC1 has no strong mapping: NPS refuses its certificate, unless the CA writes the account's "
	 "SID into it\n"},
	{"both spellings of one serial number stay beside each other",
	 "config certificates\n"
	 "device k1 PC1 map=X509:<I>DC=x<SR>01ff map=X509:<I>DC=x<SR>01ff00\n"
	 "account k1 PC1 map=X509:<I>DC=x<SR>01FF\n",
	 "change k1 PC1 (PC1$): altSecurityIdentities \"X509:<I>DC=x<SR>01ff00\" added\n"
	 "  change CN=PC1 +map=X509:<I>DC=x<SR>01ff00\n"},
	{"a mapping of another device goes",
	 "config certificates\n"
	 "device k1 PC1\n"
	 "account k1 PC1 map=X509:<SKI>01 map=X509:<SKI>02\n"
	 "device k2 PC2 map=X509:<SKI>01\n"
	 "account k2 PC2\n",
	 "change k1 PC1 (PC1$): altSecurityIdentities \"X509:<SKI>01\" removed\n"
	 "  yield CN=PC1 -map=X509:<SKI>01\n"
	 "change k2 PC2 (PC2$): altSecurityIdentities \"X509:<SKI>01\" added\n"
	 "  change CN=PC2 +map=X509:<SKI>01\n"},
	{"an ended mapping of another device goes",
	 "config certificates\n"
	 "device k1 PC1\n"
	 "account k1 PC1 map=X509:<SKI>01\n"
	 "device k2 PC2 ended=X509:<SKI>01\n"
	 "account k2 PC2 map=X509:<SKI>03\n",
	 "change k1 PC1 (PC1$): altSecurityIdentities \"X509:<SKI>01\" removed\n"
	 "  change CN=PC1 -map=X509:<SKI>01\n"
	 "no-mapping k1: PC1 has no strong mapping: NPS refuses its certificate, unless the CA writes the account's "
	 "SID into it\n"},
	{"it goes from disabled accounts, too, and nothing else does",
	 "config certificates\n"
	 "device k1 PC1 not=is_disabled map=X509:<SKI>07 ended=X509:<SKI>02\n"
	 "account k1 PC1 disabled map=X509:<SKI>01 map=X509:<SKI>02\n"
	 "device k2 PC2 map=X509:<SKI>01\n"
	 "account k2 PC2\n",
	 "change k1 PC1 (PC1$): altSecurityIdentities \"X509:<SKI>01\" removed\n"
	 "  yield CN=PC1 -map=X509:<SKI>01\n"
	 "change k2 PC2 (PC2$): altSecurityIdentities \"X509:<SKI>01\" added\n"
	 "  change CN=PC2 +map=X509:<SKI>01\n"},
	{"a mapping that somebody else has",
	 "config certificates\n"
	 "outside x map=X509:<SKI>01\n"
	 "device k1 PC1 map=X509:<SKI>01\n"
	 "device k2 PC2 map=X509:<SKI>01\n"
	 "account k2 PC2\n",
	 "problem k1: altSecurityIdentities \"X509:<SKI>01\" is meant for 2 devices (another is k2): it gets no "
	 "account\n"
	 "problem k2: altSecurityIdentities \"X509:<SKI>01\" is meant for 2 devices (another is k1): its account is "
	 "left as it is\n"
	 "no-mapping k2: PC2 has no strong mapping: NPS refuses its certificate, unless the CA writes the account's "
	 "SID into it\n"},
	{"a mapping that somebody else has is not put on an account",
	 "config certificates\n"
	 "outside x map=X509:<SKI>01\n"
	 "device k2 PC2 map=X509:<SKI>01 desc=new\n"
	 "account k2 PC2\n",
	 "problem k2: altSecurityIdentities \"X509:<SKI>01\" is held by CN=x,OU=Other,DC=corp,DC=example: its account "
	 "is left as it is\n"
	 "no-mapping k2: PC2 has no strong mapping: NPS refuses its certificate, unless the CA writes the account's "
	 "SID into it\n"},
	{"a mapping that an account gives up and somebody else keeps",
	 "config certificates\n"
	 "outside x map=X509:<SKI>01\n"
	 "device k1 PC1 ended=X509:<SKI>01\n"
	 "account k1 PC1 map=X509:<SKI>01\n"
	 "device k2 PC2 map=X509:<SKI>01\n"
	 "account k2 PC2\n",
	 "change k1 PC1 (PC1$): altSecurityIdentities \"X509:<SKI>01\" removed\n"
	 "  change CN=PC1 -map=X509:<SKI>01\n"
	 "problem k2: altSecurityIdentities \"X509:<SKI>01\" is held by CN=PC1,OU=Wi-Fi,DC=corp,DC=example, and by an "
	 "entry that is not ours: its account is left as it is\n"
	 "no-mapping k1: PC1 has no strong mapping: NPS refuses its certificate, unless the CA writes the account's "
	 "SID into it\n"
	 "no-mapping k2: PC2 has no strong mapping: NPS refuses its certificate, unless the CA writes the account's "
	 "SID into it\n"},
	{"without `certificates` mappings are left alone",
	 "config warnings\n"
	 "device k1 PC1 map=X509:<SKI>01\n"
	 "account k1 PC1 map=X509:<SKI>09\n"
	 "device k2 PC2\n"
	 "account k2 PC2\n"
	 "device k3 PC3\n",
	 "create k3 PC3 (PC3$): new device \"PC3\"\n"
	 "  create CN=PC3 class=computer cn=PC3 sam=PC3$ uac=4096 mark=certdir:wifi:k3 spn=HOST/PC3 and a password\n"
	 "warning : 2 enabled accounts have no strong mapping: NPS refuses a certificate without the account's SID; "
	 "`certificates = ` here says where the devices' certificates are, and `certificates = yes` in [tenant ..] "
	 "asks "
	 "Intune for them\n"},
	{"of certificates that a table has, what has ended goes, and what is not known stays: the table may be cut",
	 "config certificates issued\n"
	 "device k1 PC1 map=X509:<SKI>02 ended=X509:<SKI>01\n"
	 "account k1 PC1 map=X509:<SKI>01 map=X509:<SKI>07 map=X509:<SKI>08\n"
	 "device k2 PC2 map=X509:<SKI>08\n"
	 "account k2 PC2\n"
	 "device k3 PC3\n"
	 "account k3 PC3 map=X509:<SKI>09\n",
	 "change k1 PC1 (PC1$): altSecurityIdentities \"X509:<SKI>01\", \"X509:<SKI>08\" -> \"X509:<SKI>02\"\n"
	 "  yield CN=PC1 -map=X509:<SKI>08\n"
	 "  change CN=PC1 -map=X509:<SKI>01 +map=X509:<SKI>02\n"
	 "change k2 PC2 (PC2$): altSecurityIdentities \"X509:<SKI>08\" added\n"
	 "  change CN=PC2 +map=X509:<SKI>08\n"},
	{"without files, too",
	 "config issued\n"
	 "device k1 PC1 map=X509:<SKI>02\n"
	 "account k1 PC1 map=X509:<SKI>01\n",
	 "change k1 PC1 (PC1$): altSecurityIdentities \"X509:<SKI>02\" added\n"
	 "  change CN=PC1 +map=X509:<SKI>02\n"},
	{"certificates that NPS refuses, and why",
	 "config issued\n"
	 "device k1 PC1 unmapped=5\n"
	 "account k1 PC1\n"
	 "device k2 PC2 unmapped=2 not=is_disabled\n"
	 "account k2 PC2 disabled\n"
	 "device k3 PC3 unmapped=1\n"
	 "account k3 PC3 map=X509:<SKI>01\n"
	 "device k4 PC4 unmapped=2 map=X509:<SKI>04\n"
	 "account k4 PC4 map=X509:<SKI>04\n",
	 "nps-refuses k1: PC1 was issued certificates, and none gives it a strong mapping: the table's text of the "
	 "issuer "
	 "does not tell its name in Active Directory for certain: hand in the certificate (certificates = ..)\n"},
	{"accounts that NPS refuses",
	 "config certificates\n"
	 "device k1 PC1\n"
	 "account k1 PC1 map=X509:<S>weak\n"
	 "device k2 PC2\n"
	 "device k3 PC3 not=is_disabled\n"
	 "account k3 PC3 disabled\n"
	 "device k4 PC4 problem=is_odd\n"
	 "account k4 PC4\n",
	 "create k2 PC2 (PC2$): new device \"PC2\"\n"
	 "  create CN=PC2 class=computer cn=PC2 sam=PC2$ uac=4096 mark=certdir:wifi:k2 spn=HOST/PC2 and a password\n"
	 "problem k4: is odd: its account is left as it is\n"
	 "no-mapping k1: PC1 has no strong mapping: NPS refuses its certificate, unless the CA writes the account's "
	 "SID into it\n"
	 "no-mapping k2: PC2 has no strong mapping: NPS refuses its certificate, unless the CA writes the account's "
	 "SID into it\n"
	 "no-mapping k4: PC4 has no strong mapping: NPS refuses its certificate, unless the CA writes the account's "
	 "SID into it\n"},
	{"disabled ones may lack a mapping",
	 "config certificates disabled\n"
	 "device k1 PC1\n",
	 "create k1 PC1 (PC1$): new device \"PC1\"\n"
	 "  create CN=PC1 class=computer cn=PC1 sam=PC1$ uac=4098 mark=certdir:wifi:k1 spn=HOST/PC1 and a password\n"},
};

/* `without` of `all` accounts have no mapping: what is said of them all, and whether somebody has to look. */
static void check_unmapped(size_t without, size_t all, const char *said, bool problem)
{
	static char script[8192];
	char *end = script + sprintf(script, "config certificates\n");
	const struct certdir_plan *plan = &world.planning.plan;
	size_t problems = 0, each = 0;

	for (size_t i = 0; i < all; i++)
		end += sprintf(end, "device k%02zu PC%02zu\naccount k%02zu PC%02zu%s\n", i, i, i, i,
			       i < without ? "" : " map=X509:<SKI>01");
	read_world(script);
	plan_world();
	for (size_t i = 0; i < plan->remark_count; i++) {
		problems += plan->remarks[i].kind == CERTDIR_REMARK_PROBLEM;
		each += plan->remarks[i].kind == CERTDIR_REMARK_NO_MAPPING;
	}
	assert_int_equal(each, without);
	assert_int_equal(problems, problem);
	assert_int_equal(plan->unmapped ? strncmp(plan->unmapped, said, strlen(said)) : *said, 0);
}

static void test_unmapped(void **state)
{
	(void)state;
	check_unmapped(0, 12, "", false);
	check_unmapped(1, 12, "1 of 12 enabled accounts have no strong mapping (PC00): NPS refuses", false);
	check_unmapped(5, 12,
		       "5 of 12 enabled accounts have no strong mapping (PC00, PC01, PC02, PC03, PC04): NPS refuses",
		       false);
	check_unmapped(
		6, 12,
		"6 of 12 enabled accounts have no strong mapping (PC00, PC01, PC02, PC03, PC04, ..): NPS refuses",
		true);
	certdir_arena_clear(&world.planning.arena);
}

static void test_mappings(void **state)
{
	(void)state;
	check_rules(rules_of_mappings, sizeof(rules_of_mappings) / sizeof(*rules_of_mappings), true);
}

static const struct rule rules_of_devices[] = {
	{"a new entry",
	 "config device\n"
	 "device k1 PC1 serial=S1\n",
	 "create k1 PC1 (): new device \"PC1\"\n"
	 "  create CN=PC1 class=device cn=PC1 desc=certdir:wifi:k1 serial=S1\n"},
	{"a name and a value change",
	 "config device\n"
	 "device k1 PC2 serial=S2\n"
	 "account k1 PC1 serial=S1\n",
	 "move k1 PC2 (): CN \"PC1\" -> \"PC2\"; serialNumber \"S1\" -> \"S2\"\n"
	 "  rename CN=PC1 to CN=PC2\n"
	 "  change CN=PC2 -serial=S1 +serial=S2\n"},
	{"a description of somebody else's beside the mark",
	 "config device\n"
	 "device k1 PC1 serial=S2\n"
	 "account k1 PC1 serial=S1 desc=by_hand\n",
	 "change k1 PC1 (): serialNumber \"S1\" -> \"S2\"\n"
	 "  change CN=PC1 -serial=S1 +serial=S2\n"},
	{"a second cn",
	 "config device\n"
	 "device k1 PC1 cn=S1\n"
	 "account k1 PC1 cn=S0\n",
	 "change k1 PC1 (): cn \"S0\" -> \"S1\"\n"
	 "  change CN=PC1 -cn=S0 +cn=S1\n"},
	{"a second cn becomes the first",
	 "config device\n"
	 "device k1 S1 cn=S2\n"
	 "account k1 PC1 cn=S1\n",
	 "move k1 S1 (): CN \"PC1\" -> \"S1\"; cn \"S2\" added\n"
	 "  rename CN=PC1 to CN=S1\n"
	 "  change CN=S1 +cn=S2\n"},
	{"a second cn of a new entry",
	 "config device\n"
	 "device k1 PC1 cn=S1\n",
	 "create k1 PC1 (): new device \"PC1\"\n"
	 "  create CN=PC1 class=device cn=PC1 cn=S1 desc=certdir:wifi:k1\n"},
	{"a second cn of one that goes and makes room",
	 "config device\n"
	 "account k1 PC1 cn=S1 gone=1\n"
	 "device k2 PC1\n"
	 "account k2 PC2\n",
	 "move k2 PC1 (): CN \"PC2\" -> \"PC1\"\n"
	 "  rename CN=PC2 to CN=PC1\n"
	 "remove k1 PC1 (): is not in the list since 1970-01-01T00:00:01Z\n"
	 "  aside CN=PC1 to CN=certdir-08be0f07b56224c1\n"
	 "  delete CN=certdir-08be0f07b56224c1 class=device cn=certdir-08be0f07b56224c1 cn=S1 "
	 "desc=certdir:wifi:k1:gone=1970-01-01T00:00:01Z\n"},
	{"not wanted",
	 "config device\n"
	 "device k1 PC1 not=is_disabled\n"
	 "account k1 PC1\n"
	 "account k2 PC2\n"
	 "device k3 PC3\n"
	 "account k3 PC3\n",
	 "disable k1 PC1 (): is disabled\n"
	 "  disable CN=PC1 -desc=certdir:wifi:k1 +desc=certdir:wifi:k1:disabled\n"
	 "disable k2 PC2 (): is not in the list any more\n"
	 "  disable CN=PC2 -desc=certdir:wifi:k2 +desc=certdir:wifi:k2:gone=1970-01-01T02:46:40Z\n"},
	{"wanted again",
	 "config device\n"
	 "device k1 PC1\n"
	 "account k1 PC1 gone=1\n",
	 "enable k1 PC1 (): is in the list again\n"
	 "  change CN=PC1 -desc=certdir:wifi:k1:gone=1970-01-01T00:00:01Z +desc=certdir:wifi:k1\n"},
	{"an entry gone for long enough",
	 "config device\n"
	 "account k1 PC1 gone=1 serial=S1\n"
	 "device k3 PC3\n"
	 "account k3 PC3\n",
	 "remove k1 PC1 (): is not in the list since 1970-01-01T00:00:01Z\n"
	 "  delete CN=PC1 class=device cn=PC1 desc=certdir:wifi:k1:gone=1970-01-01T00:00:01Z serial=S1\n"},
	{"re-enrolled",
	 "config device\n"
	 "account k1 PC1 serial=S1\n"
	 "device k3 PC1 serial=S1\n",
	 "change k3 PC1 (): re-enrolled: was device k1\n"
	 "  change CN=PC1 -desc=certdir:wifi:k1 +desc=certdir:wifi:k3\n"},
};

static void test_devices(void **state)
{
	(void)state;
	check_rules(rules_of_devices, sizeof(rules_of_devices) / sizeof(*rules_of_devices), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_steps), cmocka_unit_test(test_mappings),
					   cmocka_unit_test(test_unmapped), cmocka_unit_test(test_devices)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
