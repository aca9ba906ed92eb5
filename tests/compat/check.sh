#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check.sh BUILDDIR [SOURCE]: compares rlm_certdir/compat with the true headers of FreeRADIUS.
# The headers come from the distribution's source package of the installed version, or from a source tree at SOURCE.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
compat=$here/../../rlm_certdir/compat
installed=${FREERADIUS_INCLUDE:-/usr/include/freeradius}
build=${1:?usage: check.sh BUILDDIR [SOURCE]}
source=${2:-}
mkdir -p "$build"
build=$(cd "$build" && pwd)

die()
{
	echo "check-compat: $*" >&2
	exit 1
}

# The repository that the installed package came from, as a private list of sources: the machine's own apt is not touched.
list_sources()
{
	local uri=$1 file
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
		[ -f "$file" ] && grep -qF "${uri%/}" "$file" || continue
		case $file in
		*.sources) sed 's/^Types:.*/Types: deb-src/' "$file" >"$apt/parts/${file##*/}" ;;
		*.list) sed -n 's/^ *deb \(.*\)/deb-src \1/p' "$file" >"$apt/parts/${file##*/}" ;;
		esac
	done
}

fetch_source()
{
	local version uri options
	version=$(dpkg-query -W -f '${source:Version}' libfreeradius-dev)
	uri=$(apt-cache madison libfreeradius-dev | awk -F ' *[|] *' -v version="$version" '$2 == version && $3 ~ /:/ { split($3, word, " ")
		print word[1]; exit }')
	[ -n "$uri" ] || die "apt knows no repository that has libfreeradius-dev $version, the one installed here." \
		"Run apt-get update; if the repository has a newer one, install that"
	apt=$build/apt
	rm -rf "$apt" "$build/source"
	mkdir -p "$apt/parts" "$apt/state/lists/partial" "$apt/cache/archives/partial" "$build/source"
	list_sources "$uri"
	options=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt/parts" -o Dir::State="$apt/state"
		-o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root
		-o Acquire::Languages=none)
	{ apt-get "${options[@]}" update &&
		(cd "$build/source" && apt-get "${options[@]}" source "freeradius=$version"); } >"$build/fetch.log" 2>&1 ||
		{ tail -5 "$build/fetch.log" >&2
		die "no source package of freeradius $version could be had from $uri, so nothing was checked"; }
	source=$(echo "$build"/source/*/)
}

# The source tree lacks what its build makes: that comes from the installed headers, which that build made.
overlay()
{
	local header name
	rm -rf "$build/true"
	mkdir -p "$build/true/freeradius-devel"
	cp "$source"/src/include/*.h "$build/true/freeradius-devel/"
	for header in "$installed"/*.h; do
		name=${header##*/}
		case $name in
		autoconf.h | features.h | radpaths.h | missing.h | tls.h) ;;
		*) [ ! -e "$build/true/freeradius-devel/$name" ] || continue ;;
		esac
		sed 's,<freeradius/,<freeradius-devel/,' "$header" >"$build/true/freeradius-devel/$name"
	done
	cp "$source"/src/modules/rlm_eap/eap.h "$source"/src/modules/rlm_eap/libeap/eap_types.h "$build/true/"
	cp "$compat/pcre.h" "$build/true/" # another library's, which the server holds pointers to
}

flags=(-std=gnu11 -D_GNU_SOURCE -DIS_MODULE=1 -DNDEBUG -w -Werror=incompatible-pointer-types -Werror=implicit)

compile_ours() # OUTPUT, more flags
{
	local out=$1
	shift
	"${CC:-cc}" "${flags[@]}" -DCOMPAT -I"$build" -I"$compat" -I"${installed%/*}" -include freeradius/build.h -include freeradius/features.h \
		"$@" -o "$out" "$here/check.c"
}

# Every member of a structure and every enumerator in our two headers, as MEMBER and VALUE lines. The preprocessor's line
# markers tell which lines are ours, and it has left out what the server's version does not have.
list_members()
{
	local name
	: >"$build/members.h"
	compile_ours - -E | awk '
		/^# [0-9]/ { ours = index($3, "compat/freeradius/"); next }
		!ours { next }
		/^(typedef )?struct [^;]*\{/ { body = "" ; open = 1 ; kind = $0 ~ /^typedef/ ? "" : $1 " " $2 ; next }
		/^(typedef )?enum.*\{/ { values = 1 }
		values {
			line = $0
			sub(/.*\{/, "", line); sub(/\}.*/, "", line)
			count = split(line, item, ",")
			for (i = 1; i <= count; i++) {
				sub(/=.*/, "", item[i]); gsub(/[ \t]/, "", item[i])
				if (item[i] ~ /^[A-Z]/) print "VALUE(" item[i] ")"
			}
			if (/\}/) values = 0
			next
		}
		open && /^\}/ {
			type = kind
			if (type == "") { type = $0; gsub(/[} ;]/, "", type) }
			count = split(body, member, " ")
			for (i = 1; i <= count; i++) print "MEMBER(" type ", " member[i] ")"
			open = 0
			next
		}
		open {
			# A macro is expanded onto a line of its own, which is not ours: state[ 16 ];
			line = rest $0
			rest = line
			if (line !~ /;/) next
			rest = ""
			if (match(line, /\(\*[a-z_]+\)/)) { body = body " " substr(line, RSTART + 2, RLENGTH - 3); next }
			sub(/;.*/, "", line); gsub(/\[[^]]*\]/, "", line)
			count = split(line, item, ",")
			for (i = 1; i <= count; i++) { match(item[i], /[A-Za-z_]+$/); body = body " " substr(item[i], RSTART, RLENGTH) }
		}' >"$build/members.h"
	# A list that came out short would make the check easy.
	for name in RLM_MODULE_NOTFOUND L_DBG_LVL_DISABLE L_DST_NULL FR_TLS_EX_INDEX_HANDLER 'rad_request, parent' \
		'eap_handler_t, state' 'eap_handler_t, opaque' 'tls_session_t, ssl' 'rlm_eap_module_t, process' 'fr_log_t, dst' 'RADCLIENT, secret'; do
		grep -q "$name" "$build/members.h" || die "$name was not found in rlm_certdir/compat: has its form changed?"
	done
}

if [ -z "$source" ]; then
	"$here/../testenv/deps.sh" gcc libc6-dev dpkg-dev libfreeradius-dev libtalloc-dev libssl-dev
	fetch_source
fi
overlay
name=$(basename "$source")
[ "$source" = "${2:-}" ] || rm -rf "$build/source" "$apt"
list_members
compile_ours "$build/ours" || die "rlm_certdir/compat does not compile, or declares a function differently from check.c"
"${CC:-cc}" "${flags[@]}" -I"$build" -I"$build/true" -include freeradius-devel/build.h -include freeradius-devel/features.h \
	-o "$build/theirs" "$here/check.c" ||
	die "the headers of $name do not have what rlm_certdir/compat declares"
"$build/ours" >"$build/ours.txt"
"$build/theirs" >"$build/theirs.txt"
if ! diff --unchanged-line-format= --old-line-format='  ours   %L' --new-line-format='  theirs %L' \
	"$build/ours.txt" "$build/theirs.txt"; then
	die "rlm_certdir/compat and the server's headers of $name differ, as above. Correct rlm_certdir/compat"
fi
echo "compat: $(wc -l <"$build/ours.txt") sizes, offsets and values are those of $name"
