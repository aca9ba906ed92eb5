# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced: sets $engine (docker, or podman with storage of its own below $1) and $compose, and defines build_image, monitoring_image, healthy.

base=docker.io/library/debian:bookworm-slim
work=$1

# What podman needs that a machine without systemd, registry or all capabilities would not give it by default.
podman_settings()
{
	mkdir -p "$work/networks"
	cat >"$work/storage.conf" <<-END
		[storage]
		driver = "overlay"
		graphroot = "$work/graph"
		runroot = "$work/run"
	END
	# The usual limits are above ours, and cannot be set without CAP_SYS_RESOURCE. runc and cgroupfs: crun refuses a cgroup tree that is half v1.
	cat >"$work/containers.conf" <<-END
		[containers]
		default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
		[engine]
		runtime = "runc"
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		[network]
		network_backend = "netavark"
		network_config_dir = "$work/networks"
	END
	export CONTAINERS_STORAGE_CONF=$work/storage.conf CONTAINERS_CONF=$work/containers.conf
}

# The base image from the registry, else made of the packages that this machine's apt can get.
podman_base()
{
	local mirror root=$work/rootfs
	podman image exists $base && return
	timeout 120 podman pull -q $base >/dev/null 2>&1 && return
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Codename: bookworm' | head -1)
	[ -n "$mirror" ] || {
		echo "docker-test: neither a registry with $base nor, in apt's sources, Debian bookworm to make it of" >&2
		return 1
	}
	echo "no registry: making $base with debootstrap"
	rm -rf "$root"
	debootstrap --variant=minbase bookworm "$root" "$mirror" >"$work/debootstrap.log" || {
		tail -3 "$work/debootstrap.log" >&2
		return 1
	}
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
		sort -u | grep bookworm >"$root/etc/apt/sources.list"
	rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
	tar -C "$root" -c . | podman import -q --change 'CMD ["bash"]' - $base >/dev/null
	rm -rf "$root"
}

# One of the images of compose.yaml from the registry, else of Debian's package, with the user and the entry that the other one has.
monitoring_image() # IMAGE PACKAGE ENTRY
{
	$engine image inspect "$1" >/dev/null 2>&1 && return
	timeout 120 $engine pull -q "$1" >/dev/null 2>&1 && return
	echo "no registry: making $1 of Debian's $2"
	printf '%s\n' "FROM $base" "RUN apt-get update && apt-get install -y --no-install-recommends $2 && install -d -o nobody -g nogroup /prometheus" \
		"USER nobody" "$3" | $engine build $build_options -t "$1" -
}

if docker info >/dev/null 2>&1; then
	engine=docker
	compose=
	docker compose version >/dev/null 2>&1 && compose="docker compose"
	build_options=
	build_image() { docker build -t "$1" -f docker/Dockerfile .; }
	healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$1")" = healthy ]; }
else
	engine=podman
	compose=podman-compose
	tests/testenv/deps.sh podman podman-compose runc netavark aardvark-dns debootstrap
	podman_settings
	podman_base
	# The host's network, for apt alone; docker's image format, because the other one has no health check.
	build_options="--format docker --network host"
	build_image() { podman build $build_options -t "$1" -f docker/Dockerfile .; }
	# Without systemd nobody runs podman's checks by the clock.
	healthy() { podman healthcheck run "$1" >/dev/null 2>&1; }
fi
