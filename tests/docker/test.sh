#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the container image and runs it as an administrator would: the demo's devices log in, the list is replaced under it.
# shellcheck disable=SC2086  # an engine may be two words, as "sudo podman"
set -euo pipefail
cd "$(dirname "$0")/../.."

die()
{
	echo "docker-test: $*" >&2
	exit 1
}

[ "$(id -u)" -eq 0 ] || die "needs root: to log in, it goes into the container's network namespace"
# Not in build/: make looks through that one.
. tests/docker/engine.sh "$PWD/build-docker/engine"
work=$PWD/build-docker/mounts
mkdir -p build-docker
name=certdir-test-$$
image=certdir-test

cleanup()
{
	$engine rm -f "$name" >/dev/null 2>&1 || true
	umount "$PWD/build-docker/engine/graph/overlay" 2>/dev/null || true # podman's own mount; `make clean` could not remove it
}
trap cleanup EXIT

wait_until() # SECONDS WHAT COMMAND...
{
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		[ $SECONDS -lt $end ] || { $engine logs "$name" 2>&1 | tail -20; die "$what did not come about"; }
		sleep 0.2
	done
}

# No network but its own loopback: nothing listens on this machine's addresses. Hardened as in docker/compose.yaml.
start()
{
	$engine run -d --name "$name" --network none --read-only --cap-drop ALL --security-opt no-new-privileges \
		-v "$work/certs:/etc/freeradius/3.0/certs:ro" -v "$work/secrets:/run/secrets:ro" \
		-v "$work/list:/var/lib/certdir:ro" -v "$work.wifi:/etc/freeradius/3.0/sites-available/certdir-wifi:ro" \
		"$image" >/dev/null 2>"$work.log" || { cat "$work.log" >&2; die "the container does not start"; }
	pid=$($engine inspect -f '{{.State.Pid}}' "$name")
}

named() # IMAGE
{
	sed -n "s,.*image: \(.*$1:.*\),\1,p" docker/compose.yaml
}

logged()
{
	$engine logs "$name" 2>&1 | grep "$1" >/dev/null
}

refuses() # EXPECTED ARGUMENTS...
{
	local expected=$1 said
	shift
	if said=$($engine run --rm --no-healthcheck --network none "$@" "$image" 2>&1); then
		die "a container without what it needs started"
	fi
	[ "$(echo "$said" | wc -l)" -eq 1 ] && [[ $said == *"$expected"* ]] || die "not one line with '$expected': $said"
}

build_image $image >"$work.log" 2>&1 || { tail -20 "$work.log" >&2; die "the image does not build"; }
echo "the image is built with $engine: $($engine image inspect -f '{{.Size}}' $image | awk '{ printf "%d MB", $1 / 1e6 }')"

docker/demo.py "$work" >/dev/null
refuses "certs/server.pem /etc/freeradius/3.0/certs/ca.pem /run/secrets/server.key /run/secrets/clients.conf"
refuses ": /run/secrets/server.key /run/secrets/clients.conf" -v "$work/certs:/etc/freeradius/3.0/certs:ro"
chown root "$work/secrets/server.key"
refuses "chown 1812" -v "$work/certs:/etc/freeradius/3.0/certs:ro" -v "$work/secrets:/run/secrets:ro"
chown 1812 "$work/secrets/server.key"
echo "what is not mounted is said in one line"

mkdir -p "$work.list" # of root
if said=$($engine run --rm --no-healthcheck --network none -v "$work.list:/var/lib/certdir" "$image" certdir sync 2>&1); then
	die "a sync that cannot write its list has nothing to say"
fi
[[ $said == *"user id 1812 cannot write list/"* ]] || die "not what to do about a list/ of root: $said"

if $engine run --rm --no-healthcheck --network none --entrypoint sh "$image" -c \
	'cat /etc/freeradius/3.0/certs/* /etc/freeradius/3.0/clients.conf /run/secrets/* /etc/ssl/private/* 2>/dev/null; grep -r testing123 \
		/etc/freeradius/3.0/mods-enabled /etc/freeradius/3.0/sites-enabled /etc/freeradius/3.0/radiusd.conf' | grep .; then
	die "the image has a certificate, key or secret in it"
fi

# The site with its VLANs switched on, as an administrator would.
sed 's/^#\(.*certdir_assign_vlan\)$/\1/' raddb-snippets/sites-available/certdir-wifi >"$work.wifi"
start
wait_until 30 "a healthy server" healthy "$name"
[ "$(awk '/^Uid:/ { print $2 }' "/proc/$pid/status")" = 1812 ] || die "radiusd does not run as user id 1812"
[ "$(awk '/^CapEff:/ { print $2 }' "/proc/$pid/status")" = 0000000000000000 ] || die "radiusd has capabilities"
echo "healthy, read-only, as user id 1812, without capabilities"

$engine exec "$name" certdir list verify >/dev/null || die "certdir in the image does not take the list"

enter="nsenter -n -t $pid /usr/bin/python3 tests/docker/logins.py $work"
$enter demo

# The list is replaced as a sync does it, from outside; the server must take the new one by itself.
published=$($engine logs "$name" 2>&1 | grep -c 'devices.db: [0-9]* devices')
"${CERTDIR_BUILD:-build}/certdir" list import --force --list "$work/list/devices.db" tests/docker/devices-later.json >/dev/null
reloaded() { [ "$($engine logs "$name" 2>&1 | grep -c 'devices.db: [0-9]* devices')" -gt "$published" ]; }
wait_until 10 "the reading of a new list" reloaded
$enter later
logged 'certdir: deny disabled .*LAPTOP-ANNA' || die "no line for the denied laptop in the container's log"

kill -STOP "$pid"
if healthy_now=$(timeout 60 $engine exec "$name" certdir-health 2>&1); then
	die "a stopped server is called healthy: $healthy_now"
fi
kill -CONT "$pid"
wait_until 30 "a healthy server after a pause" $engine exec "$name" certdir-health
echo "a server that hangs is unhealthy, and healthy again when it answers"

mv "$work/list/devices.db" "$work/aside.db"
if $engine exec "$name" certdir-health >/dev/null 2>&1; then
	die "a server whose list is gone is called healthy"
fi
mv "$work/aside.db" "$work/list/devices.db"
$engine exec "$name" certdir-health || die "a server whose list is there again is not healthy"
[ "$($engine run --rm --no-healthcheck --network none "$image" id -Gn)" = freerad ] || die "the image's user is in groups that it does not need"
echo "a server without its list is unhealthy"

$engine stop -t 10 "$name" >/dev/null 2>&1
$engine rm -f "$name" >/dev/null 2>&1

if [ -n "$compose" ]; then
	monitoring_image "$(named prom/prometheus)" prometheus \
		'ENTRYPOINT ["prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]' >"$work.log" 2>&1 ||
		{ tail -20 "$work.log" >&2; die "no image of Prometheus"; }
	monitoring_image "$(named prom/node-exporter)" prometheus-node-exporter 'ENTRYPOINT ["prometheus-node-exporter"]' >"$work.log" 2>&1 ||
		{ tail -20 "$work.log" >&2; die "no image of the node exporter"; }
	CERTDIR_ENGINE=$engine CERTDIR_COMPOSE=$compose CERTDIR_IMAGE=$image /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/docker
fi
echo "docker-test: all as it must be"
