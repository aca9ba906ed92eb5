# SPDX-License-Identifier: GPL-2.0-or-later
"""A root of a distribution, booted: its own systemd, in namespaces of its own, with nothing but a loopback for a network."""

import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

from testenv.network import network_of
from testenv.supplicant import wait_until

# What systemd wants to find. Shared: it hands over credentials by mounts that appear in its own namespace. /dev is every container's.
BOOT = r"""
root=$1
mount --bind "$root" "$root"
mount --make-rshared "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for place in run tmp dev; do mount -t tmpfs tmpfs "$root/$place"; done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
for device in null zero full random urandom tty; do : >"$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
ip link set lo up
exec env -i container=certdir-test PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" /lib/systemd/systemd --log-target=journal --show-status=no
"""
CGROUPS = next(Path(line.split()[1]) for line in Path("/proc/mounts").read_text().splitlines() if line.split()[2] == "cgroup2")


class Root:
    """A context: booted inside, gone outside. What is changed in it stays."""

    def __init__(self, path):
        self.path = Path(path).resolve()
        self.cgroup = CGROUPS / f"certdir-test-{os.getpid()}"
        self.process = self.init = None

    def __enter__(self):
        self.cgroup.mkdir()
        self.process = subprocess.Popen(
            ["sh", "-c", 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"', "sh", self.cgroup, "unshare", "--mount", "--fork", "--pid",
             "--cgroup", "--uts", "--ipc", "--net", "--kill-child", "sh", "-ec", BOOT, "sh", self.path], stdin=subprocess.DEVNULL)
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        wait_until(lambda: self.process.poll() is not None or children.read_text(), timeout=20, what="the first process")
        self.init = int(children.read_text())
        wait_until(lambda: self.run("systemctl is-system-running", code=None).strip() in ("running", "degraded"), timeout=60,
                   what="systemd to be up")
        return self

    def __exit__(self, *_):
        os.kill(self.init, signal.SIGKILL)
        self.process.wait(20)
        for directory, _, _ in os.walk(self.cgroup, topdown=False):
            os.rmdir(directory)

    def run(self, command, code=0, timeout=120):
        """A shell command in it: all that it said. code: how it has to end, None: any way."""
        done = subprocess.run(["nsenter", "--target", str(self.init), "--all", "--root", "--wd", "/usr/bin/env", "-i", "LC_ALL=C.UTF-8",
                               "DEBIAN_FRONTEND=noninteractive", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-ec", command],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False)
        assert code in (None, done.returncode), f"{command}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def stat(self, path):
        """OWNER:GROUP MODE, by the root's names."""
        return self.run(f"stat -c '%U:%G %a' {path}").strip()

    @contextmanager
    def network(self):
        """Sockets that this thread opens inside are in the root's network."""
        with network_of(self.init):
            yield
