#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# seeds.sh TARGET CERTIFICATES TO: inputs for a fuzz target to begin with.
set -e
mkdir -p "$3"
case $1 in
certificate) cp "$2"/*.der "$3" ;;
page) # the last byte chooses who reads the page
	for file in tests/vectors/graph/*.json; do
		for kind in 0 1 2 3 4; do { cat "$file"; printf ' %s' $kind; } >"$3/$kind-${file##*/}"; done
	done ;;
csv) # headers of ours and of others
	printf 'displayName,deviceId,accountEnabled,serialNumber,groups,sid\r\npc1,3f2504e0-4f89-11d3-9a0c-0305e82c3301,true,S1,"a|b\\|c",S-1-5-21-1-2-3-4\r\n' >"$3/graph"
	printf 'Device name;Device ID;Serial number;Compliance;OS;Ownership\nlt;3f2504e0-4f89-11d3-9a0c-0305e82c3301;S1;Compliant;Windows;Corporate\n' >"$3/intune"
	printf 'serialNumber,imei,meid,wiFiMacAddress\nS1,26-053179-311383-7,293608736500703710,00:a0:c9:1e:2f:3d\n' >"$3/phones"
	printf 'Computer Name,UDID,Serial Number,Managed\n"m,1",3F2504E0-4F89-11D3-9A0C-0305E82C3301,C02,Managed\n' >"$3/jamf" ;;
issued) # Intune's columns, a spreadsheet's, and a zip of the first
	printf 'Thumbprint,SerialNumber,IssuerName,DeviceId,UPN,ValidFrom,ValidTo,CertificateStatus,CertificateStatus_loc\r\n%040d,4D01,"CN=CA, O=x",3f2504e0-4f89-11d3-9a0c-0305e82c3301,a@b,2026-01-01 10:00:00.0000000,2027-01-01,issued,Issued\r\n' 1 >"$3/intune"
	printf 'Device ID;Serial number;Issuer;Valid to;Status\n"x";12:34;CN=y;1/31/2027 10:00:00 AM;revoked\n' >"$3/spreadsheet"
	/usr/bin/python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w", 8).write(sys.argv[2], "a.csv")' "$3/zip" "$3/intune" ;;
json)
	printf '{"id":"8d3e1d0a-6d1c-4a7e-9f0e-1f6d2b3c4d5e","deviceId":"3f2504e0-4f89-11d3-9a0c-0305e82c3301","displayName":"pc1","accountEnabled":true,"trustType":"AzureAd","groups":[{"id":"8d3e1d0a-6d1c-4a7e-9f0e-1f6d2b3c4d5e","displayName":"g"}],"formerNames":[],"extensionAttributes":{"extensionAttribute1":"a|b"}}' >"$3/graph" ;;
ldap_entry) # \\377 ends the DN and each value
	printf 'CN=PC1,DC=corp,DC=example\377cn:PC1\377dNSHostName:pc1.corp.example\377userAccountControl:4096\377sAMAccountName:PC1$\377memberOf:cn=g,ou=groups,dc=corp,dc=example\377objectSid:\001\005\000\000\000\000\000\005\025\000\000\000\001\000\000\000\002\000\000\000\003\000\000\000\004\000\000\000\377primaryGroupID:515\377' >"$3/computer" ;;
ldap_srv) # example.com. SRV: dc1.example.com
	printf '\000\001\201\200\000\001\000\001\000\000\000\000\007example\003com\000\000\041\000\001\300\014\000\041\000\001\000\000\000\074\000\014\000\012\000\005\001\205\003dc1\300\014' >"$3/answer" ;;
records) # an undo file, as an apply leaves it
	printf 'version: 1\n# Takes back what `certdir placeholders apply` did for [placeholders wifi]\n\ndn: CN=a,OU=b\n# mark: certdir:wifi:k\nchangetype: modify\ndelete: description\ndescription: new\n-\nadd: description\ndescription:: w7w=\n-\nreplace: userAccountControl\nuserAccountControl: 4096\n-\n\ndn: CN=c,OU=b\n# mark: certdir:wifi:k\nchangetype: modrdn\nnewrdn: CN=d\ndeleteoldrdn: 1\nnewsuperior: OU=b\n\ndn: CN=e,OU=b\nchangetype: add\nobjectClass: computer\nadminDescription: certdir:wifi:k\n\ndn: CN=f,OU=b\ncontrol: 1.3.6.1.1.12 true:: oyEEEGFkbWluRGVzY3JpcHRpb24EDWNlcnRkaXI6d2lmaTpr\n# mark: certdir:wifi:k\nchangetype: delete\n\n# The end.\n' >"$3/undo"
	# which libldap takes for the index of a record, and finds nothing more
	printf '1: x\n' >"$3/index"
	printf 'version: 1\ndn: CN=a,OU=b\nchangetype: delete\n' >"$3/joined"
	printf 'dn: CN=a,OU=b\nchangetype: modify\nreplace: \n' >"$3/nothing" ;;
profile)
	printf '{"@odata.type":"#microsoft.graph.windows81SCEPCertificateProfile","id":"3f2504e0-4f89-11d3-9a0c-0305e82c3301","displayName":"P","assignments":[{"target":{"@odata.type":"#microsoft.graph.groupAssignmentTarget","groupId":"3f2504e0-4f89-11d3-9a0c-0305e82c3302"}}],"subjectNameFormat":"custom","subjectNameFormatString":"CN={{DeviceName}},O=x","customSubjectAlternativeNames":[{"sanType":"universalResourceIdentifier","name":"DeviceId:{{DeviceId}}"}],"extendedKeyUsages":[{"objectIdentifier":"1.3.6.1.5.5.7.3.2"}],"renewalThresholdPercentage":20,"certificateValidityPeriodScale":"years","certificateValidityPeriodValue":1}' >"$3/scep"
	printf '{"@odata.type":"#microsoft.graph.iosEnterpriseWiFiConfiguration","id":"3f2504e0-4f89-11d3-9a0c-0305e82c3301","eapType":"eapTls","trustedServerCertificateNames":["a"]}' >"$3/wifi" ;;
memory) # a name, and one record
	printf '\143\145\162\164\144\151\162\040\155\145\155\157\162\171\040\062\012\001\157\001\003\006\141\000\001\000\001\000\001\063\005\143\156\075\141\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000' >"$3/one" ;;
conf) # the examples of the manual page, without what troff makes of them
	sed -n '/^\.nf/,/^\.fi/p' man/certdir.conf.5 | sed 's/\\-/-/g;s/\\f.//g;s/\\e/\\/g;/^\./d' >"$3/example" ;;
esac
