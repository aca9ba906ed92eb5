#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Has Microsoft's own Graph client (from npm) page through the fake Graph. usage: check.sh BUILD-DIRECTORY
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
build=${1:?usage: check.sh BUILD-DIRECTORY}
command -v npm >/dev/null || { echo "npm is needed: apt-get install npm" >&2; exit 1; }
mkdir -p "$build"
cp "$here/package.json" "$here/.npmrc" "$here/check.mjs" "$build/"
(cd "$build" && npm install --silent)
PYTHONPATH="$here/.." exec "${PYTHON:-/usr/bin/python3}" -m testenv.graph --devices 2500 --page-size 300 --throttle 7 node "$build/check.mjs"
