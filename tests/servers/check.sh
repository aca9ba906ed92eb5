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
build=$(cd "$build" && pwd)
logins=(-m pytest -q -p no:cacheprovider -k list-tls tests/integration/test_logins.py tests/integration/test_resumption.py)

die()
{
	echo "check-servers: $*" >&2
	exit 1
}

# logged LOG COMMAND..: says nothing while all is well.
logged()
{
	local log=$1
	shift
	"$@" >"$log" 2>&1 || { tail -20 "$log" >&2
	die "failed: ${*:0:120}; all of it is in $log"; }
}

# inside ROOT COMMAND: a shell in a root, with a /proc and /dev that go with it.
inside()
{
	unshare --mount --fork --pid sh -ec 'root=$1; mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"
		exec chroot "$root" /bin/sh -ec "$2"' sh "$1" "$2"
}

new_root()
{
	local release=$1 root=$2
	rm -rf "$root.new" && debootstrap --variant=minbase "$release" "$root.new" "$mirror" && cp /etc/resolv.conf "$root.new/etc/" &&
		{ apt-config dump | grep -E '^Acquire::(Check-|https?::|Retries)' >"$root.new/etc/apt/apt.conf.d/90host" || true; } &&
		mv "$root.new" "$root"
}

check_debian()
{
	local release=$1 root=$build/$1
	[ -d "$root" ] || logged "$root.log" new_root "$release" "$root"
	rm -rf "$root/src" && mkdir "$root/src"
	tar -C "$repo" --exclude='./build*' --exclude=./.git --exclude='__pycache__' -c . | tar -x --no-same-owner -C "$root/src"
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
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -1)
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
