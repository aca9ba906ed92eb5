#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# install.sh install|uninstall|enabled: the files in raddb, for `make install`, `make uninstall` and packages, which say where by the environment:
#   SHIPPED  where each file stands as it was shipped last
#   RADDB    the server's configuration, below DESTDIR
#   LISTDIR  where the lists are, without DESTDIR
#
# radiusd reads policy.d and the enabled folders whole, so nothing is ever written beside a file there. A file in raddb that is as it
# was shipped before is replaced; one that was edited or removed is the administrator's.
set -eu
here=$(dirname "$0")
snippets='mods-available/certdir mods-available/certdir-eap policy.d/certdir
	sites-available/certdir-check sites-available/certdir-wifi sites-available/certdir-wired'

# Debian's radiusd runs as freerad from the start, RHEL's as radiusd: what it reads gets the owner and group of raddb itself.
give_to_server() {
	[ "$(id -u)" -ne 0 ] || chown --reference="$RADDB" "$1"
}

install_one() {
	to=$RADDB/$1 last=$SHIPPED/$1
	mkdir -p "${last%/*}"
	sed "s,/var/lib/certdir,$LISTDIR," "$here/$1" >"$last.new"
	if [ -e "$to.new" ]; then
		mv "$to.new" "$last.old"
		echo "moved $to.new, written by an older certdir, to $last.old: radiusd reads policy.d whole"
	fi
	if [ -e "$to" ] && ! cmp -s "$last.new" "$to" && ! cmp -s "$last" "$to"; then
		echo "kept $to, which is not as it was shipped. To see what differs: diff $to $last"
	elif [ ! -e "$to" ] && [ -e "$last" ] && [ "$first" = no ]; then
		echo "left out $to, which was removed. To have it back: cp $last $to"
	else
		install -D -m 640 "$last.new" "$to"
		give_to_server "$to"
	fi
	chmod 644 "$last.new"
	mv "$last.new" "$last"
}

# A file that the server reads by a link, or an eap module that calls certdir: it would not start without what is about to go.
say_what_is_enabled() {
	undo=
	for link in "$RADDB"/*-enabled/*; do
		case $link@$(readlink "$link") in
		*/eap@*-available/certdir*) undo="$undo
    ln -sfn ../mods-available/eap $link" ;;
		*/certdir@* | *-available/certdir*) undo="$undo
    rm $link" ;;
		esac
	done
	[ -n "$undo" ] || return 0
	echo "radiusd would not start without certdir. Take virtual_server = certdir-.. out of $RADDB/mods-available/eap and clients.conf, then$undo
and try again" >&2
	exit 1
}

uninstall_one() {
	to=$RADDB/$1
	if cmp -s "$SHIPPED/$1" "$to"; then
		rm "$to"
	elif [ -e "$to" ]; then
		echo "kept $to, which was edited"
	fi
}

case ${1-} in
install)
	if [ -e "$RADDB/mods-available/certdir" ]; then first=no; else first=yes; fi
	for file in $snippets; do install_one "$file"; done ;;
# What a package does before it goes.
enabled)
	say_what_is_enabled ;;
uninstall)
	say_what_is_enabled
	for file in $snippets; do uninstall_one "$file"; done ;;
*)
	echo "usage: $0 install|uninstall|enabled" >&2
	exit 64 ;;
esac
