# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by what works in roots of Debian's releases, which has set $repo: roots, and commands in them.

die()
{
	echo "${0##*/tests/}: $*" >&2
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

# new_root RELEASE ROOT: Debian's minimum, whose apt asks where this machine's does.
new_root()
{
	local release=$1 root=$2 mirror
	mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -1)
	rm -rf "$root.new" && debootstrap --variant=minbase "$release" "$root.new" "$mirror" && cp /etc/resolv.conf "$root.new/etc/" &&
		{ apt-config dump | grep -E '^Acquire::(Check-|https?::|Retries)' >"$root.new/etc/apt/apt.conf.d/90host" || true; } &&
		mv "$root.new" "$root"
}

# copy_tree DIRECTORY: this tree without what was built.
copy_tree()
{
	rm -rf "$1" && mkdir "$1"
	tar -C "$repo" --exclude='./build*' --exclude=./.git --exclude='__pycache__' -c . | tar -x --no-same-owner -C "$1"
}
