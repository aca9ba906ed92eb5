# SPDX-License-Identifier: GPL-2.0-or-later
"""Many logins at once: every decision is about the certificate it belongs to. And a run under valgrind."""

import itertools
import json
import os
import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import pytest

from testenv.devices import DOMAIN, graph_device, import_list
from testenv.logins import enter, enter_again
from testenv.radiusd import REPO, shipped_module
from testenv.slapd import Slapd
from testenv.supplicant import login
from testenv.worlds import ldap_options

GOOD, BAD = 24, 16  # devices
# Logins of each good device (in one process, resuming), of each bad one: 144 + 160, and 1,000 in `make soak`.
ROUNDS = (20, 32) if "CERTDIR_SOAK" in os.environ else (6, 10)
LOGINS = GOOD * ROUNDS[0] + BAD * ROUNDS[1]
AT_ONCE = 8


@dataclass
class Guest:
    """A certificate and what must come of it."""

    name: str
    serial: str
    files: tuple
    reason: str

    @property
    def identity(self):
        return f"host/{self.name}"


def guests(pki):
    found = []
    for number in range(GOOD + BAD):
        kind = "good" if number < GOOD else ("off", "stranger")[number % 2]
        serial = f"51{number:06X}"
        name = f"{kind.upper()}-{number}"
        files = pki.issue(subject=[["CN", name]], san=[{"dns": f"{name.lower()}.{DOMAIN}"}], serial=serial)
        found.append(Guest(name, serial, files, {"good": "allowed", "off": "disabled", "stranger": "not-found"}[kind]))
    return found


def fill_list(guest_list, device_list):
    for guest in guest_list:
        if guest.reason != "not-found":
            device_list.add(guest.name, accountEnabled=guest.reason == "allowed")
    device_list.publish()
    return {"list.filename": device_list.path, "directories": "list"}


@contextmanager
def editions(device_list):
    """The list is made so large that what changes stands in a file beside it; that is published again and again, another device each time."""
    path, source = device_list.path, device_list.path.with_name("more.json")
    over = threading.Event()

    def publish(names, name):
        source.write_text(json.dumps([graph_device(name) for name in names]))
        import_list(path, source, "--source", name)

    def go_on():
        for number in itertools.count():
            publish([f"CHANGED-{number}"], "changed")
            if over.wait(1):
                return

    publish([f"{'X' * 240}-{number}" for number in range(7000)], "many")
    base = path.read_bytes()
    with ThreadPoolExecutor(1) as pool:
        publisher = pool.submit(go_on)
        try:
            yield
        finally:
            over.set()
            publisher.result()
    assert path.read_bytes() == base
    assert path.with_name(path.name + ".changes").exists()


def fill_slapd(guest_list, slapd):
    for guest in guest_list:
        if guest.reason != "not-found":
            slapd.add_computer(guest.name, dNSHostName=f"{guest.name.lower()}.{DOMAIN}",
                               userAccountControl=4096 if guest.reason == "allowed" else 4098)
    return {"directories": "ldap", **ldap_options(slapd)}


def visit(server, pki, guest, number):
    """One run of eapol_test: several logins of a good device, one of a bad one."""
    logins = ROUNDS[0] if guest.reason == "allowed" else 1
    attempts = login(server, *guest.files, pki.ca, tls=server.tls, identity=guest.identity, logins=logins, timeout=60,
                     mac=f"02:00:00:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}")
    assert len(attempts) == logins, guest
    for attempt in attempts:
        assert attempt.accepted is (guest.reason == "allowed"), (guest, attempt)
        if attempt.accepted:
            assert attempt.one("User-Name") == f"host/{guest.name}"
    return logins, sum(attempt.resumed for attempt in attempts)


@pytest.mark.parametrize("kind, tls", [("list", "1.3"), ("ldap", "1.2")])
def test_many_logins_do_not_mix(radiusd, pki, tmp_path, device_list, kind, tls):
    everybody = guests(pki)
    with Slapd(tmp_path / "slapd") as slapd:
        options = fill_list(everybody, device_list) if kind == "list" else fill_slapd(everybody, slapd)
        server = radiusd(shipped_module(options), tls=tls, threads=8, debug=0,
                         post_auth="certdir_reply_user_name")
        visits = [guest for guest in everybody for _ in range(1 if guest.reason == "allowed" else ROUNDS[1])]
        random.Random(1).shuffle(visits)
        with (editions(device_list) if kind == "list" else nullcontext()), ThreadPoolExecutor(AT_ONCE) as pool:
            counts = list(pool.map(lambda item: visit(server, pki, item[1], item[0]), enumerate(visits)))
        logins, resumed = (sum(column) for column in zip(*counts))
        assert logins == LOGINS
        assert kind != "list" or len(re.findall(r": 70\d\d devices", server.log())) > 1
        assert resumed > GOOD * ROUNDS[0] // 3  # with TLS 1.3 the server lets each session be resumed once
        decisions = server.decisions(count=logins)
        assert len(decisions) == logins
        by_serial = {guest.serial: guest for guest in everybody}
        for decision in decisions:
            guest = by_serial[decision.fields["serial"]]
            assert decision.reason == guest.reason, decision.line
            assert decision.fields["user"] == guest.identity, decision.line
            assert decision.fields["device"] == ("" if guest.reason == "not-found" else guest.name), decision.line
        assert server.stop() == 0


# ---- valgrind ----

VALGRIND = ["valgrind", "--leak-check=full", "--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite",
            "--num-callers=40", "--keep-debuginfo=yes", "--track-origins=no"]
FRAME = re.compile(r"^ +(?:at|by) 0x[0-9A-F]+: .*\((?:in )?([^():]+)(?::\d+)?\)$", re.MULTILINE)
OUR_FILES = {path.name for path in (REPO / "rlm_certdir").rglob("*.[ch]")} | {"rlm_certdir.so"}
THEIRS = re.compile(r"freeradius|rlm_eap\w*\.so")
# What libldap allocates once for the process, when the first handle is made, and never frees.
ONCE = "ldap_int_initialize "


def blocks(report):
    """The errors in valgrind's report: runs of lines between empty ones."""
    lines = [re.sub(r"^==\d+== ?", "", line) for line in report.splitlines()]
    return [block for block in "\n".join(lines).split("\n\n") if re.search(r"^ +(at|by) 0x", block, re.MULTILINE)]


def is_ours(block):
    """
    True when our code made the call that went wrong: from the innermost frame on, ours comes before the server's. (All
    of EAP-TLS has our wrapper among its callers, and the server's own code is not clean there.)
    """
    for place in FRAME.findall(block):
        name = place.rsplit("/", 1)[-1]
        if THEIRS.fullmatch(name):
            return False
        if name in OUR_FILES:
            return ONCE not in block
    return False


def test_valgrind_sees_nothing_of_ours(radiusd, pki, tmp_path, device_list):
    everybody = guests(pki)
    with Slapd(tmp_path / "slapd") as slapd:
        slapd.add_computer("ONLY-AD", dNSHostName=f"only-ad.{DOMAIN}")
        options = {**fill_list(everybody, device_list), **ldap_options(slapd), "directories": "list ldap"}
        report = tmp_path / "valgrind.txt"
        server = radiusd(shipped_module(options), tls="1.3", start=False, arguments=["-m"],
                         wrapper=VALGRIND + [f"--log-file={report}"], post_auth="certdir_assign_vlan")
        server.start(timeout=120)
        good, off, stranger = everybody[0], everybody[GOOD], everybody[GOOD + 1]
        hostile = pki.issue(subject=[["CN", "x"]], san=[{"dns": {"hex": b"good-0\0".hex()}}, {"uri": "tag:none"}])
        patient = {"timeout": 60}
        for _ in range(3):
            assert enter(server, pki, good.files, **patient)[0].accepted
            assert enter(server, pki, pki.named("ONLY-AD"), **patient)[0].accepted
            for files in (off.files, stranger.files, hostile, pki.issue(subject=[["O", "Example"]])):
                assert not enter(server, pki, files, **patient)[0].accepted
            mark = server.mark()
            device_list.add(f"NEW-{mark}")
            device_list.publish()
            server.wait_log(r"certdir: .*: \d+ devices?", mark, timeout=30)
        assert enter_again(server, pki, good.files, lambda: None, **patient)[0].accepted
        slapd.stop()
        assert enter(server, pki, stranger.files, **patient)[1].reason == "directory-unavailable"
        server.stop(timeout=120)
    text = report.read_text()
    assert "ERROR SUMMARY" in text, text[-2000:]
    assert len(OUR_FILES) > 10
    ours = [block for block in blocks(text) if is_ours(block)]
    assert not ours, "\n\n".join(ours)[:6000]
