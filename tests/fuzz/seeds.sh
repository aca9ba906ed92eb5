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
	printf 'Computer Name,UDID,Serial Number,Managed\n"m,1",3F2504E0-4F89-11D3-9A0C-0305E82C3301,C02,Managed\n' >"$3/jamf" ;;
conf) # the examples of the manual page, without what troff makes of them
	sed -n '/^\.nf/,/^\.fi/p' man/certdir.conf.5 | sed 's/\\-/-/g;s/\\f.//g;s/\\e/\\/g;/^\./d' >"$3/example" ;;
esac
