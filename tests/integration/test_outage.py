# SPDX-License-Identifier: GPL-2.0-or-later
"""A directory that is down, hangs, comes back: who gets in, who does not, and how long anybody waits."""

import time

import pytest

from testenv.devices import DOMAIN
from testenv.logins import enter
from testenv.radiusd import shipped_module
from testenv.slapd import Slapd
from testenv.supplicant import Login, radclient, wait_until
from testenv.worlds import ldap_options

# Deadlines of the shipped file: 1 s to connect, 3 s for an answer; and room for a busy machine.
LONGEST = 8


@pytest.fixture
def slapd(tmp_path):
    with Slapd(tmp_path / "slapd") as server:
        server.add_computer("LAPTOP-1", dNSHostName=f"laptop-1.{DOMAIN}")
        yield server


@pytest.fixture(params=["ldap", "ldaps"])
def module(request, slapd):
    return shipped_module({"directories": "ldap", **ldap_options(slapd, ldaps=request.param == "ldaps")})


def unavailable(attempt, decision):
    assert not attempt.accepted
    assert (decision.verdict, decision.reason) == ("unsure", "directory-unavailable"), decision.line
    return True


def test_stopped_and_started_again(radiusd, pki, slapd, module):
    server = radiusd(module)
    certificate = pki.named("LAPTOP-1")
    assert enter(server, pki, certificate)[0].accepted
    slapd.stop()
    unavailable(*enter(server, pki, certificate))
    slapd.start()
    wait_until(lambda: enter(server, pki, certificate)[0].accepted, what="the directory being noticed again")


def test_radiusd_starts_and_serves_with_the_directory_down(radiusd, pki, slapd, module):
    slapd.stop()
    server = radiusd(module)
    certificate = pki.named("LAPTOP-1")
    unavailable(*enter(server, pki, certificate))
    slapd.start()
    wait_until(lambda: enter(server, pki, certificate)[0].accepted, what="the directory being noticed")


def test_hanging_directory_holds_nobody_past_the_deadline(radiusd, pki, slapd, module):
    server = radiusd(module)
    certificate = pki.named("LAPTOP-1")
    assert enter(server, pki, certificate)[0].accepted
    slapd.pause()
    try:
        begin = time.monotonic()
        unavailable(*enter(server, pki, certificate))
        assert time.monotonic() - begin < LONGEST
    finally:
        slapd.resume()
    wait_until(lambda: enter(server, pki, certificate)[0].accepted, what="the directory being noticed again")


def test_hanging_directory_from_the_start(radiusd, pki, slapd, module):
    """Nobody is bound yet: connections open, and the handshake or the bind never answers."""
    slapd.pause()
    try:
        server = radiusd(module)
        begin = time.monotonic()
        unavailable(*enter(server, pki, pki.named("LAPTOP-1")))
        assert time.monotonic() - begin < LONGEST
    finally:
        slapd.resume()


def test_hanging_directory_does_not_stall_others(radiusd, pki, slapd, module):
    """More logins than worker threads wait for a dead directory; a request that needs none is answered all the same."""
    server = radiusd(module, threads=4)
    certificate = pki.named("LAPTOP-1")
    assert enter(server, pki, certificate)[0].accepted
    slapd.pause()
    logins = []
    try:
        mark = server.mark()
        logins = [Login(server, *certificate, pki.ca, mac=f"02:00:00:00:01:{n:02x}") for n in range(8)]
        server.decisions(mark, count=1, timeout=LONGEST)
        begin = time.monotonic()
        radclient(server, {"User-Name": "no-eap-at-all"}, timeout=LONGEST)
        assert time.monotonic() - begin < LONGEST
        assert all(not attempt.accepted for one in logins for attempt in one.finish())
    finally:
        slapd.resume()
    found = server.decisions(mark, count=8)
    assert {decision.reason for decision in found} == {"directory-unavailable"}
    assert server.alive()


# ---- a list beside it ----


@pytest.fixture
def both(slapd, device_list):
    """Known to the list: LISTED-1, OFF-1 (disabled). Known to slapd: LAPTOP-1, OFF-1."""
    device_list.add("LISTED-1")
    device_list.add("OFF-1", accountEnabled=False)
    device_list.publish()
    slapd.add_computer("OFF-1", dNSHostName=f"off-1.{DOMAIN}")
    return {"list.filename": device_list.path, **ldap_options(slapd)}


EXPECTED = [
    # directories, device, with slapd, without
    ("list ldap", "LISTED-1", "allowed", "allowed"),
    ("list ldap", "LAPTOP-1", "allowed", "directory-unavailable"),
    ("list ldap", "OFF-1", "disabled", "disabled"),
    ("list ldap", "STRANGER-1", "not-found", "directory-unavailable"),
    ("ldap list", "LISTED-1", "allowed", "allowed"),
    ("ldap list", "OFF-1", "disabled", "disabled"),
    ("ldap list", "STRANGER-1", "not-found", "directory-unavailable"),
]


@pytest.mark.parametrize("directories", ["list ldap", "ldap list"])
def test_list_and_ldap(radiusd, pki, slapd, both, directories):
    server = radiusd(shipped_module({"directories": directories, **both}))
    cases = [(pki.named(name), name, up, down) for order, name, up, down in EXPECTED if order == directories]
    for certificate, name, up, _ in cases:
        attempt, decision = enter(server, pki, certificate)
        assert (name, decision.reason) == (name, up)
        assert attempt.accepted is (up == "allowed")
    slapd.stop()
    for certificate, name, _, down in cases:
        attempt, decision = enter(server, pki, certificate)
        assert (name, decision.reason) == (name, down)
        assert attempt.accepted is (down == "allowed")


def test_missing_list_and_a_live_directory(radiusd, pki, both, device_list):
    """A known device is not kept out because a list is missing."""
    device_list.path.unlink()
    server = radiusd(shipped_module({"directories": "list ldap", **both}))
    attempt, decision = enter(server, pki, pki.named("LAPTOP-1"))
    assert attempt.accepted and decision.fields["directory"] == "ldap", decision.line
    attempt, decision = enter(server, pki, pki.named("STRANGER-1"))
    assert not attempt.accepted
    assert (decision.verdict, decision.reason) == ("unsure", "list-missing"), decision.line
