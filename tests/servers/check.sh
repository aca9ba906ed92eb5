#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check.sh BUILDDIR [SOURCE]: certdir with other servers: Debian 12's and 13's packages, each in a root of its own below BUILDDIR, and one
# built from the tree at SOURCE. In each: the build, and logins, full and resumed, with TLS 1.2 and 1.3. Packages come from the mirror that
# apt is set up for here. Roots and built servers are kept; remove BUILDDIR to begin anew.
set -euo pipefail

repo=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:?usage: check.sh BUILDDIR [SOURCE]}
source=${2:-}
mkdir -p "$build"
. "$repo/tests/servers/roots.sh"
build=$(cd "$build" && pwd)
logins=(-m pytest -q -p no:cacheprovider -k list-tls tests/integration/test_logins.py tests/integration/test_resumption.py)

check_debian()
{
	local release=$1 root=$build/$1
	[ -d "$root" ] || logged "$root.log" new_root "$release" "$root"
	copy_tree "$root/src"
	logged "$root.log" inside "$root" "cd /src; export LC_ALL=C.UTF-8; command -v make >/dev/null || { apt-get update; apt-get install -y make; }
		make deps-demo; tests/testenv/deps.sh python3-pytest python3-ldap; make -j$(nproc) all
		/usr/bin/python3 ${logins[*]}"
	report "Debian's $(inside "$root" 'dpkg-query -W -f "\${Version}" freeradius') ($release)" "$root.log"
}

# The tree is copied, because a server is built in its own tree.
install_server()
{
	rm -rf "$build/tree" "$build/server" && cp -a "$source" "$build/tree" &&
		(cd "$build/tree" && ./configure --prefix="$build/server" && make -j"$(nproc)" && make install) &&
		cp "$source/VERSION" "$build/server/.version"
}

check_source()
{
	local log=$build/source.log
	cmp -s "$source/VERSION" "$build/server/.version" || logged "$log" install_server
	logged "$log" make -C "$repo" --no-print-directory -j"$(nproc)" B="$build/certdir" FREERADIUS_PREFIX="$build/server" all
	cd "$repo"
	logged "$log" env CERTDIR_BUILD="$build/certdir" FREERADIUS_PREFIX="$build/server" /usr/bin/python3 "${logins[@]}"
	report "$(cat "$source/VERSION") from $source" "$log"
}

report()
{
	printf 'FreeRADIUS %s: %s\n' "$1" "$(tail -1 "$2")"
}

[ "$(id -u)" -eq 0 ] || die "making roots and entering them takes root"
"$repo/tests/testenv/deps.sh" debootstrap
for release in bookworm trixie; do
	check_debian "$release"
done
if [ -z "$source" ]; then
	echo "FreeRADIUS from source: not tried. Give a tree of 3.2.x: make check-servers FREERADIUS_SRC=DIRECTORY"
	exit 0
fi
[ -x "$source/configure" ] || die "$source is no source tree of FreeRADIUS: it has no configure"
check_source
