# SPDX-License-Identifier: GPL-2.0-or-later
"""What an LDAP directory said last: for bursts, and for when it cannot answer, over a restart, too."""

import os
import re
import subprocess

import pytest

from testenv.devices import DOMAIN
from testenv.logins import enter
from testenv.radiusd import BUILD, shipped_module
from testenv.slapd import Slapd
from testenv.supplicant import Login, wait_until
from testenv.worlds import ldap_options


@pytest.fixture
def slapd(tmp_path):
    with Slapd(tmp_path / "slapd") as server:
        server.places = {name: server.add_computer(name, dNSHostName=f"{name.lower()}.{DOMAIN}")
                         for name in ("LAPTOP-1", "LAPTOP-2")}
        yield server


@pytest.fixture
def memory(tmp_path):
    folder = tmp_path / "memory"
    folder.mkdir()
    return folder


def module(slapd, folder="", *, stale=True, remember=0, **options):
    return shipped_module({"directories": "ldap", **ldap_options(slapd), "ldap.options.remember": remember,
                           "ldap.options.memory": folder, "policy.on_unavailable": "stale" if stale else "fail", **options})


def entered(server, pki, name):
    """The decision on a device's login, and whether it came in."""
    attempt, decision = enter(server, pki, pki.named(name))
    assert attempt.accepted == (decision.verdict == "allow"), decision.line
    return decision


def entered_late(server, pki, name):
    """The same a moment later: what was said within a second is not old yet."""
    decision = entered(server, pki, name)
    while decision.reason == "allowed":
        decision = entered(server, pki, name)
    return decision


def disable(slapd, name):
    slapd.modify(slapd.places[name], userAccountControl=4098)


def test_an_outage_from_beginning_to_end(radiusd, pki, slapd, memory):
    server = radiusd(module(slapd, memory))
    for name in ("LAPTOP-1", "LAPTOP-2"):
        decision = entered(server, pki, name)
        assert (decision.reason, decision.fields["age"]) == ("allowed", "0"), decision.line
    disable(slapd, "LAPTOP-2")
    assert entered(server, pki, "LAPTOP-2").reason == "disabled"
    slapd.stop()
    decision = entered_late(server, pki, "LAPTOP-1")
    assert decision.reason == "allowed-stale", decision.line
    assert 1 < int(decision.fields["age"]) < 60 and "what it said last is" in decision.fields["detail"], decision.line
    assert entered(server, pki, "LAPTOP-2").reason == "disabled"  # a "no" stays one
    assert entered(server, pki, "STRANGER-1").reason == "directory-unavailable"

    server.stop()
    file, = memory.iterdir()
    assert file.name == "certdir.ldap.memory" and file.stat().st_mode & 0o777 == 0o640
    mark = server.mark()
    server.start()
    server.wait_log("2 answers of it are remembered", mark)
    assert entered(server, pki, "LAPTOP-1").reason == "allowed-stale"
    assert entered(server, pki, "LAPTOP-2").reason == "disabled"
    assert entered(server, pki, "STRANGER-1").reason == "directory-unavailable"

    slapd.start()
    wait_until(lambda: entered(server, pki, "LAPTOP-1").reason == "allowed", what="the directory being noticed again")
    server.stop()

    # Whatever is wrong with the file, the server starts, says so once and lets nobody in by it.
    whole = file.read_bytes()
    slapd.stop()
    for damaged, why in ((whole[:-7], "damaged"), (whole[:40] + b"x" + whole[41:], "damaged"), (b"", "damaged")):
        file.write_bytes(damaged)
        mark = server.mark()
        server.start()
        assert len(re.findall(f"{re.escape(str(file))} is not used: it is {why}", server.log(mark))) == 1
        assert entered(server, pki, "LAPTOP-1").reason == "directory-unavailable"
        server.kill()


def test_killed_while_it_writes(radiusd, pki, slapd, memory):
    """What it had written before is there, and what it was writing is swept."""
    server = radiusd(module(slapd, memory))
    entered(server, pki, "LAPTOP-1")
    server.stop()
    file, = memory.iterdir()
    half = memory / f"{file.name}.new"
    half.write_bytes(file.read_bytes()[:100])
    slapd.stop()
    server.start()
    assert entered_late(server, pki, "LAPTOP-1").reason == "allowed-stale"
    server.kill()
    slapd.start()
    server.start()
    entered(server, pki, "LAPTOP-1")
    server.stop()
    assert list(memory.iterdir()) == [file]


def test_without_stale_nothing_of_it_is_used(radiusd, pki, slapd, memory):
    server = radiusd(module(slapd, memory, stale=False))
    assert entered(server, pki, "LAPTOP-1").reason == "allowed"
    slapd.stop()
    assert entered(server, pki, "LAPTOP-1").reason == "directory-unavailable"
    server.stop()
    assert not list(memory.iterdir())


def test_no_longer_than_stale_for(radiusd, pki, slapd):
    server = radiusd(module(slapd, **{"policy.stale_for": 3}))
    assert entered(server, pki, "LAPTOP-1").reason == "allowed"
    slapd.stop()
    decision = entered_late(server, pki, "LAPTOP-1")
    while decision.reason == "allowed-stale":
        assert int(decision.fields["age"]) <= 3
        decision = entered(server, pki, "LAPTOP-1")
    assert decision.reason == "directory-unavailable", decision.line
    assert re.search(r"what it said last is [4-9] s old", decision.fields["detail"]), decision.line


def test_a_burst_asks_once(radiusd, pki, slapd):
    """Of a device that logs in again and again; a new one gets in at its first try all the same."""
    server = radiusd(module(slapd, stale=False, remember=60))
    mark = server.mark()
    certificate = pki.named("LAPTOP-1")
    logins = [Login(server, *certificate, pki.ca, mac=f"02:00:00:00:01:{n:02x}") for n in range(20)]
    assert all(attempt.accepted for login in logins for attempt in login.finish())
    decisions = server.decisions(mark, count=20)
    assert {decision.reason for decision in decisions} == {"allowed"}
    assert entered(server, pki, "LAPTOP-9").reason == "not-found"
    slapd.add_computer("LAPTOP-9", dNSHostName=f"laptop-9.{DOMAIN}")
    assert entered(server, pki, "LAPTOP-9").reason == "allowed"
    slapd.stop()
    assert entered(server, pki, "LAPTOP-1").reason == "allowed"  # without asking
    assert entered(server, pki, "LAPTOP-2").reason == "directory-unavailable"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_no_folder_and_a_full_disk(radiusd, pki, slapd, memory):
    server = radiusd(module(slapd, memory / "nowhere"))
    server.wait_log("nowhere/certdir.ldap.memory.new cannot be made: No such file or directory: its directory has to be one", 0)
    entered(server, pki, "LAPTOP-1")
    server.stop()
    small = memory / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", small], check=True)
    try:
        (small / "filler").write_bytes(b"x" * 12288)
        server = radiusd(module(slapd, small))
        entered(server, pki, "LAPTOP-1")
        assert os.statvfs(small).f_bfree == 0
        mark = server.mark()
        server.stop()
        assert len(re.findall("No space left on device. What it says is not known after a restart", server.log(mark))) == 1
        assert sorted(file.name for file in small.iterdir()) == ["certdir.ldap.memory", "filler"]
    finally:
        subprocess.run(["umount", small], check=True)


def test_check_neither_reads_nor_writes_it(radiusd, pki, slapd, memory):
    server = radiusd(module(slapd, memory))
    entered(server, pki, "LAPTOP-1")
    server.stop()
    file, = memory.iterdir()
    before = file.stat().st_mtime_ns
    slapd.stop()
    certificate = pki.named("LAPTOP-1")[0]
    done = subprocess.run([BUILD / "certdir", "check", "--raddb", server.raddb, certificate], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 2 and "directory-unavailable" in done.stdout, done.stdout + done.stderr
    assert [one.stat().st_mtime_ns for one in memory.iterdir()] == [before]
