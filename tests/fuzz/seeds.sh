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
conf) # the examples of the manual page, without what troff makes of them
	sed -n '/^\.nf/,/^\.fi/p' man/certdir.conf.5 | sed 's/\\-/-/g;s/\\f.//g;s/\\e/\\/g;/^\./d' >"$3/example" ;;
esac
