#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# deb.sh DIRECTORY VERSION: Debian packages of this tree in DIRECTORY, built from a copy of it there. Their version names the release of
# Debian that they were built on, so that those of the next one are newer. The same tree gives the same bytes.
set -eu
directory=$1 version=$2
tree=$directory/certdir-$version
repo=$(cd "$(dirname "$0")/.." && pwd)

rm -rf "$directory"
mkdir -p "$tree"
tar -C "$repo" --exclude='./build*' --exclude=./.git --exclude='__pycache__' -c . | tar -C "$tree" -x --no-same-owner
cp -R "$tree/packaging/debian" "$tree/debian"

# When it was changed last: by git, or, in a tree without git, as old as the change log.
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$repo" log -1 --format=%ct 2>/dev/null || date -r "$repo/CHANGELOG.md" +%s)}
maintainer=$(sed -n 's/^Maintainer: //p' "$tree/debian/control")
. /etc/os-release
cat >"$tree/debian/changelog" <<END
certdir ($version-1~$ID$VERSION_ID) unstable; urgency=medium

  * Release $version.

 -- $maintainer  $(LC_ALL=C date -R -u -d "@$epoch")
END
cd "$tree"
dpkg-buildpackage -b -uc -us
echo "To install them, here or where they were copied to: apt-get install ./certdir_*.deb ./freeradius-certdir_*.deb (in $directory)"
