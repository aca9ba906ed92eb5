# SPDX-License-Identifier: GPL-2.0-or-later
"""
A sync that is killed, or has no room, or may not write: the published list is the old one or the new one, whole, and the next
sync succeeds. And radiusd, while lists are published under it.

CERTDIR_KILLS=200 kills more often, CERTDIR_LOAD_SECONDS=120 loads longer.
"""

import copy
import os
import random
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from testenv import graph_faults
from testenv.graph import FakeGraph
from testenv.logins import wait_list_loaded
from testenv.published import Options, Published, arranged
from testenv.radiusd import shipped_module
from testenv.supplicant import login
from testenv.sync import NONE, Sync
from testenv.tenant import Tenant

KILLS = int(os.environ.get("CERTDIR_KILLS", "8"))
LOAD_SECONDS = int(os.environ.get("CERTDIR_LOAD_SECONDS", "10"))
GROUP = "Wi-Fi staff"


@pytest.fixture
def graph():
    with FakeGraph(Tenant("crash", 400, groups=(GROUP,))) as graph:
        graph.habits.page_size = 100
        yield graph


@pytest.fixture
def tmpfs(tmp_path):
    """A small file system of its own: remount(options) changes it."""
    place = tmp_path / "tmpfs"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", place], check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")

    def remount(options):
        subprocess.run(["mount", "-o", f"remount,{options}", place], check=True)

    yield place, remount
    subprocess.run(["umount", "-l", place], check=True)


class Truth:
    """What the list must hold: as it was last seen, and as it will be when a sync has gone to its end."""

    def __init__(self, graph):
        self.tenant = graph.tenant
        self.published = Published(Options(groups=(GROUP,)))

    def synced(self):
        self.published = self._next()
        return self.now()

    def now(self):
        return arranged(self.published.devices(time.time()))

    def soon(self):
        return arranged(self._next().devices(time.time()))

    def _next(self):
        published = copy.deepcopy(self.published)
        published.devices_done(self.tenant, time.time())
        published.intune_done(self.tenant)
        published.groups_done(self.tenant)
        return published


@pytest.fixture
def truth(graph):
    return Truth(graph)


def live(graph, number):
    """A few things happen, one of them on every kind of object."""
    tenant = graph.tenant
    tenant.live(10, True)
    tenant.add_device(f"ROUND-{number}")


def run_until(sync, in_the_end, seconds=None):
    """
    A sync that is killed `seconds` after its start, or (in_the_end) after Graph was asked for the last time, where the list is
    written: (exit code, how long that was). Without `seconds` it goes to its end.
    """
    graph, = sync.graphs.values()
    asked = threading.Event()
    graph.order("members", lambda server, request, proper: (asked.set(), proper())[1])
    process = sync.start("--json")
    if in_the_end:
        assert asked.wait(30)
    started = time.monotonic()
    try:
        process.wait(timeout=30 if seconds is None else seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    took = time.monotonic() - started
    process.communicate()
    return process.returncode, took


def test_killed_at_any_moment(graph, truth, tmp_path):
    rng = random.Random("kills")
    sync = Sync(tmp_path / "sync", graph, group=GROUP)
    sync.run()
    lasts = {in_the_end: min(run_until(sync, in_the_end)[1] for _ in range(3)) for in_the_end in (False, True)}
    assert sync.listed() == truth.synced()
    killed = number = 0
    while number < KILLS or killed <= KILLS // 2:  # on a busy machine some come too late
        assert number < 4 * KILLS, f"only {killed} of {number} were killed in time"
        live(graph, number)
        in_the_end = number % 2 == 1
        graph.behave()
        code, _ = run_until(sync, in_the_end, rng.random() * lasts[in_the_end])
        assert code in (0, -signal.SIGKILL)
        killed += code != 0
        assert "in order" in sync.certdir("list", "verify", "--list", sync.list_file)
        assert sync.listed() in (truth.now(), truth.soon()), number
        sync.run()
        assert sync.listed() == truth.synced(), number
        assert sync.leftovers() == []
        number += 1


def test_killed_before_there_was_a_list(graph, truth, tmp_path):
    sync = Sync(tmp_path / "sync", graph, group=GROUP)
    graph.order("groups", graph_faults.slow(30))
    assert run_until(sync, False, 1)[0] == -signal.SIGKILL
    assert not sync.list_file.exists()
    graph.behave()
    sync.run()
    assert sync.listed() == truth.synced() and sync.leftovers() == []


def test_full_disk(graph, truth, tmpfs):
    place, remount = tmpfs
    sync = Sync(place / "sync", graph, group=GROUP)
    sync.run()
    truth.synced()
    old = sync.list_file.read_bytes()
    live(graph, 0)
    for more in (8, 64, len(old) // 1024 // 2, len(old) // 1024 - 4):
        used = sum(path.stat().st_blocks * 512 for path in place.rglob("*") if path.is_file())
        remount(f"size={used // 1024 + more}k")
        run = sync.run(code=None)
        assert run.code == NONE and "No space left" in run.err + run.out or "full" in run.err + run.out, (more, run)
        assert sync.list_file.read_bytes() == old and sync.leftovers() == []
    remount("size=64m")
    sync.run()
    assert sync.listed() == truth.synced()


def test_read_only_directory(graph, truth, tmpfs):
    place, remount = tmpfs
    sync = Sync(place / "sync", graph, group=GROUP)
    sync.run()
    truth.synced()
    old = sync.list_file.read_bytes()
    live(graph, 0)
    remount("ro")
    sync.write = lambda: None  # the configuration is there
    run = sync.run(code=NONE)
    assert "Read-only" in run.err + run.out
    assert sync.list_file.read_bytes() == old
    assert not [one for one in graph.asked("delta") if "$deltatoken" in one.query], "nothing is asked for in vain"
    remount("rw")
    sync.run()
    assert sync.listed() == truth.synced()


# ---- radiusd under load ----


class Visitors:
    """Devices that log in again and again; every login must come out as it should."""

    def __init__(self, server, pki):
        self.server, self.pki = server, pki
        self.wrong, self.logins, self.over = [], 0, threading.Event()
        self.lock = threading.Lock()

    def come(self, number, name, files, welcome):
        while not self.over.is_set():
            attempts = login(self.server, *files, self.pki.ca, tls=self.server.tls, identity=f"host/{name}",
                             logins=10 if welcome else 1, timeout=60, mac=f"02:00:00:00:01:{number:02x}")
            with self.lock:
                self.logins += len(attempts)
                self.wrong += [(name, one) for one in attempts if one.accepted is not welcome]


def test_radiusd_while_lists_are_published(graph, tmp_path, radiusd, pki):
    tenant = graph.tenant
    for name in ("GOOD-1", "GOOD-2"):
        tenant.add_device(name, accountEnabled=True)
    tenant.add_device("OFF-1", accountEnabled=False)
    sync = Sync(tmp_path / "sync", graph, group=GROUP)
    sync.run()
    server = radiusd(shipped_module({"list.filename": sync.list_file, "directories": "list"}), tls="1.3", threads=4, debug=0)
    visitors = Visitors(server, pki)
    welcome = {"GOOD-1": True, "GOOD-2": True, "OFF-1": False, "STRANGER-1": False}
    guests = [(name, pki.named(name), good) for name, good in welcome.items()]
    others = [device for device, properties in tenant.devices.items() if properties["displayName"] not in welcome]
    service = sync.start("--interval", "1s")
    try:
        with ThreadPoolExecutor(len(guests)) as pool:
            coming = [pool.submit(visitors.come, number, *guest) for number, guest in enumerate(guests)]
            usage = watch(server, tenant, others, visitors)
            visitors.over.set()
            for one in coming:
                one.result(timeout=90)
    finally:
        visitors.over.set()
        service.terminate()
        service.communicate(timeout=30)
    assert service.returncode == 0
    assert not visitors.wrong, visitors.wrong[:3]
    assert {decision.reason for decision in server.decisions(count=visitors.logins)} == {"allowed", "disabled", "not-found"}
    early, late = usage[len(usage) // 3], usage[-1]
    assert late[1] <= early[1] + 2, f"descriptors: {usage}"
    assert late[0] <= early[0] * 1.1 + 4e6, f"memory: {usage}"


def watch(server, tenant, others, visitors):
    """Lets other devices change for LOAD_SECONDS, and until enough lists were loaded and visitors came, however slow the machine is:
    (memory, descriptors) after each list."""
    rng = random.Random("load")
    mark, usage = server.mark(), []
    until = time.monotonic() + LOAD_SECONDS
    while time.monotonic() < until or len(usage) < LOAD_SECONDS // 2 or visitors.logins <= 2 * LOAD_SECONDS:
        assert time.monotonic() < until + 300, f"{len(usage)} lists and {visitors.logins} visitors in {LOAD_SECONDS + 300} seconds"
        tenant.rename(rng.choice(others))
        wait_list_loaded(server, mark)
        mark = server.mark()
        usage.append((server.rss_bytes, server.fd_count))
    return usage
