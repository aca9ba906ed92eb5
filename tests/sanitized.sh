#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# sanitized.sh BUILD RUNTIMES TEST...: tests whose radiusd, a stock one, loads the module of a BUILD with sanitizers. RUNTIMES are the
# sanitizers' libraries ("libasan.so libubsan.so"); a TEST is what pytest takes. The sanitizer's own options come by the environment.
set -eu
build=$(realpath "$1") runtimes=$2
shift 2
cc=${CC:-cc}

# The server loads modules with RTLD_DEEPBIND, which sanitizers refuse.
"$cc" -shared -fPIC -o "$build/nodeepbind.so" tests/drivers/nodeepbind.c -ldl
preload=$build/nodeepbind.so
for library in $runtimes; do preload=$preload:$("$cc" -print-file-name="$library"); done
# libldap has to be there before the module brings it, or the sanitizer and the server's way of loading modules wait for each other.
preload=$preload:$(ldconfig -p | sed -n 's/.*libldap-2\..* => //p' | head -1)

CERTDIR_BUILD=$build CERTDIR_PRELOAD=$preload exec "${PYTHON:-/usr/bin/python3}" -m pytest -q -p no:cacheprovider "$@"
