#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# rpm.sh DIRECTORY VERSION SERVER: RPM packages of this tree in DIRECTORY, for the release SERVER of FreeRADIUS, whose headers are here.
set -eu
version=$2 server=$3
repo=$(cd "$(dirname "$0")/.." && pwd)

rm -rf "$1"
mkdir -p "$1/SOURCES"
directory=$(cd "$1" && pwd)
tar -C "$repo" --exclude='./build*' --exclude=./.git --exclude='__pycache__' --transform "s,^\.,certdir-$version," \
	-czf "$directory/SOURCES/certdir-$version.tar.gz" .
# What is installed is told by rpm alone where rpm installed it.
needs=$(command -v apt-get >/dev/null && echo --nodeps || true)
# shellcheck disable=SC2086
exec rpmbuild -bb $needs --define "_topdir $directory" --define "certdir_version $version" --define "server $server" \
	--define "next_server $(echo "$server" | awk -F. '{ print $1 "." $2 "." $3 + 1 }')" "$repo/packaging/certdir.spec"
