#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check.sh BUILDDIR: the Debian packages of this tree on Debian 12 and 13, each built and installed in roots of its own below BUILDDIR.
# They are built twice, in two places, and compared; lintian reads them; test_packages.py lives with them under a real systemd. Roots are
# kept; remove BUILDDIR to begin anew.
set -euo pipefail

repo=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:?usage: check.sh BUILDDIR}
mkdir -p "$build"
. "$repo/tests/servers/roots.sh"
build=$(cd "$build" && pwd)

# Where packages are built: apart, as what a build needs would hide what the packages forgot to ask for.
new_builder()
{
	rm -rf "$2.new" && cp -a "$1" "$2.new" && inside "$2.new" 'apt-get update; apt-get install -y make lintian' && mv "$2.new" "$2"
}

# The second build has another path and another time of day.
build_packages()
{
	copy_tree "$1/src" && inside "$1" 'cd /src; export LC_ALL=C.UTF-8; make deb; . /etc/os-release
		lintian --fail-on error,warning --suppress-tags bad-distribution-in-changes-file build/deb/*.changes
		packaging/deb.sh /again "$(build/deb/certdir-*/build/certdir --version | cut -d" " -f2)"
		for package in build/deb/*.deb; do cmp "$package" "/again/${package##*/}"; done'
}

# Where they are installed: they come with what they ask for and nothing else. Then comes what looks at them.
install_packages()
{
	rm -rf "$3" && cp -a "$1" "$3" && cp "$2"/src/build/deb/{certdir,freeradius-certdir}_*.deb "$3/root/" && inside "$3" '
		export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
		apt-get update; apt-get install -y --no-install-recommends /root/*.deb
		certdir --version; freeradius -C
		apt-get install -y --no-install-recommends dbus eapoltest openssl logrotate'
}

[ "$(id -u)" -eq 0 ] || die "making roots and entering them takes root"
"$repo/tests/testenv/deps.sh" debootstrap python3-pytest
for release in bookworm trixie; do
	base=$build/$release
	[ -d "$base" ] || logged "$base.log" new_root "$release" "$base"
	[ -d "$base.builder" ] || logged "$base.log" new_builder "$base" "$base.builder"
	logged "$base.log" build_packages "$base.builder"
	echo "$release: built twice, the same bytes; lintian is content"
	logged "$base.log" install_packages "$base" "$base.builder" "$base.site"
	(cd "$repo" && CERTDIR_SITE="$base.site" /usr/bin/python3 -m pytest -q -x -p no:cacheprovider tests/packages)
done
