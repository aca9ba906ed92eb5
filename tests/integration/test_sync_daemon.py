# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir sync --interval as a service: what a quiet minute costs, what wakes it, what it tells systemd."""

import fcntl
import signal
import socket
from contextlib import contextmanager

import pytest

from testenv.supplicant import wait_until
from testenv.sync import STAFF, contoso, serving


@pytest.fixture
def serve():
    with serving() as serve:
        yield serve


@pytest.fixture
def world(serve, tmp_path):
    return contoso(serve, tmp_path)


@contextmanager
def staying(sync, *arguments):
    """The service; what it wrote in .out and .err at the end, which is a good one."""
    process = sync.start("--interval", *arguments)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.out, process.err = process.communicate(timeout=20)
    assert process.returncode == 0, process.err


def rounds(graph):
    return len(graph.asked("delta"))


def test_what_a_quiet_round_costs(world):
    """One delta request, and no token: all else has a pace of its own. And no line in the journal."""
    tenant, graph, sync = world
    sync.set(intune_interval="1h")
    with staying(sync, "1s") as process:
        wait_until(lambda: sync.list_file.exists() and rounds(graph) >= 7, timeout=20, what="rounds")
        first = len(graph.requests)
        wait_until(lambda: rounds(graph) >= 10, timeout=20, what="more of them")
        assert {request.route for request in graph.requests[first:]} == {"delta"}
        assert len(graph.asked("token")) == 3, "one for each part, in the first round"
    assert process.out.count("published") == 1 and process.out.count("contoso: devices") == 1


def test_groups_come_for_a_new_device_and_by_hand(world):
    """At 60 s, groups are listed each five minutes: but who is new gets his at once, and SIGHUP is for what somebody has just changed."""
    tenant, graph, sync = world
    group, = tenant.group_named(STAFF)
    old = next(device for device in sorted(tenant.devices) if device not in tenant.devices_in(group))

    def members():
        return {one["id"] for one in sync.listed() if any(in_it["displayName"] == STAFF for in_it in one.get("groups", ()))}

    with staying(sync, "1s") as process:
        wait_until(lambda: sync.list_file.exists() and rounds(graph) >= 6, timeout=20, what="rounds")
        new = tenant.add_device("NEW-1")
        tenant.join(group, new)
        wait_until(lambda: new in members(), timeout=20, what="the new device's group")
        asked = len(graph.asked("members"))
        tenant.join(group, old)
        seen = rounds(graph)
        wait_until(lambda: rounds(graph) >= seen + 2, timeout=20, what="rounds without groups")
        assert len(graph.asked("members")) == asked and old not in members()
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: old in members(), timeout=20, what="the group, by SIGHUP")


def test_what_systemd_is_told(world, tmp_path):
    """It is ready, what it did, that it is alive while it works, and that it ends. While it hangs, it is not alive."""
    tenant, graph, sync = world
    notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notified.bind(str(tmp_path / "notify"))
    notified.settimeout(20)
    sync.env.update(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="600000")
    heard = []

    def hear(wanted):
        while True:
            heard.append(notified.recv(4096).decode())
            if wanted in heard[-1]:
                return heard[-1]

    with staying(sync, "1h") as process:
        assert hear("READY=1") == "READY=1"
        assert "1 source synced" in hear("STATUS=")
        for _ in range(3):
            hear("WATCHDOG=1")
        with open(f"{sync.list_file}.lock", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # nobody can write the list
            process.send_signal(signal.SIGHUP)
            wait_until(lambda: "wait" in process.stderr.readline(), timeout=20, what="the wait for the lock")
            notified.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    notified.recv(4096)
            notified.settimeout(1.5)
            with pytest.raises(TimeoutError):
                notified.recv(4096)
        notified.settimeout(20)
        hear("WATCHDOG=1")
    hear("STOPPING=1")
    assert heard.count("READY=1") == 1
