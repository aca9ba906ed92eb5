# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir replay: recorded logins, decided anew by another list or policy."""

import base64
import json
import ssl
import subprocess

import pytest

from testenv.devices import DeviceList, device_id
from testenv.logins import enter, wait_list_loaded
from testenv.radiusd import BUILD, Radiusd, shipped_module
from testenv.supplicant import wait_until


def replay(*arguments, stdin=None):
    done = subprocess.run([BUILD / "certdir", "replay", *arguments], input=stdin, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def replay_json(*arguments, stdin=None):
    code, out, err = replay("--json", *arguments, stdin=stdin)
    return code, json.loads(out), err


def changes(told):
    return {(c["from_reason"], c["to_reason"]): (c["logins"], len(c["certificates"])) for c in told["changes"]}


def line(certificate, reason="allowed", user="host/test", **more):
    der = base64.b64encode(ssl.PEM_cert_to_DER_cert(certificate[0].read_text())).decode()
    return json.dumps({"version": 1, "time": "2026-11-29T08:00:00.000Z", "module": "certdir", "reason": reason,
                       "login": {"user_name": user}, "certificate": {"der": der}, **more}).encode() + b"\n"


@pytest.fixture
def devices(tmp_path):
    devices = DeviceList(tmp_path / "devices.db")
    for name in ("STAYS-1", "LEAVES-1", "LAX-1"):
        devices.add(name)
    devices.add("COMES-1", accountEnabled=False)
    devices.change("LAX-1", isCompliant=False)
    devices.publish()
    return devices


def test_real_logins_by_another_list_and_another_policy(pki, devices, tmp_path):
    journal = tmp_path / "certdir.json"
    module = {"list.filename": devices.path, "journal": journal}
    certificates = {name: pki.named(name) for name in ("STAYS-1", "LEAVES-1", "COMES-1", "LAX-1", "STRANGER-1")}
    with Radiusd(tmp_path, pki.trust, shipped_module(module)) as server:
        for name in (*certificates, "LEAVES-1"):
            enter(server, pki, certificates[name])
        wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") == 6, what="the journal")
        code, told, _ = replay_json("--log", journal, "--raddb", server.raddb)
        assert (code, told["logins"], told["certificates"], told["changes"]) == (0, 6, 5, [])

        mark = server.mark()
        devices.remove("LEAVES-1")
        devices.change("COMES-1", accountEnabled=True)
        devices.publish()
        wait_list_loaded(server, mark)
    changed = {("allowed", "not-found"): (2, 1), ("disabled", "allowed"): (1, 1)}
    code, told, _ = replay_json("--log", journal, "--list", devices.path)
    assert code == 1 and changes(told) == changed
    out = next(c for c in told["changes"] if c["to_reason"] == "not-found")
    assert (out["from"], out["to"], out["certificates"][0]["subject"], out["certificates"][0]["logins"]) == ("allow", "deny", "CN=LEAVES-1", 2)
    back = next(c for c in told["changes"] if c["to"] == "allow")
    assert back["certificates"][0]["device"] == device_id("COMES-1")

    server.module = shipped_module({**module, "policy.require_compliant": "yes"})
    server.write()
    code, told, _ = replay_json("--raddb", server.raddb, "--log", journal)
    assert code == 1 and changes(told) == {**changed, ("allowed", "not-compliant"): (1, 1)}
    code, out, _ = replay("--raddb", server.raddb, journal)
    assert code == 1 and "allow allowed -> deny not-found: 2 logins of 1 certificate\n       2  CN=LEAVES-1, serial " in out
    assert out.startswith("6 logins of 5 certificates from 20") and "decided again as if they came now" in out


def test_hostile_lines_are_counted_and_never_fatal(pki, devices, tmp_path):
    good = line(pki.named("STAYS-1"))
    junk = [good[:100] + b"\n", b"\0\xff\n", b"[]\n", b"{}\n", b'{"version":1}\n', b"x" * (3 << 20) + b"\n",
            good.replace(b'"allowed"', b'"nonsense"'), good.replace(b'"der": "', b'"der": "!'), good.replace(b'"der": "', b'"der": 7, "x": "'),
            good.replace(b"2026-11-29T", b"\\u001b[31m"), b"[" * 100000 + b"\n"]
    journal = tmp_path / "hostile.json"
    journal.write_bytes(b"\n" + b"".join(junk) + good + good.replace(b'"version": 1', b'"version": 2') +
                        b'{"version": 1, "dropped": 4, "time": "2026-11-29T09:00:00Z", "reason": "unseen"}\n' + good[:-1])
    code, told, err = replay_json("--list", devices.path, "--log", journal)
    assert (code, told["logins"], told["certificates"], told["broken"], told["other_versions"], told["without_certificate"],
            told["missing"]) == (0, 2, 1, len(junk), 1, 1, 4), err
    assert err.count("\n") == 1 and f"{journal}[2]" in err
    code, out, _ = replay("--list", devices.path, "--log", journal)
    assert f"{len(junk)} lines that are none of a journal" in out and "1 line of another version" in out


def test_exit_codes_and_standard_input(pki, devices, tmp_path):
    known, stranger = line(pki.named("STAYS-1")), line(pki.named("STRANGER-1"))
    assert replay("--list", devices.path, "-", stdin=known)[0] == 0
    assert replay("--list", devices.path, "--log", "-", stdin=known + stranger)[0] == 1
    assert replay("--list", devices.path, "-", stdin=b"")[0] == 65
    assert replay("--list", devices.path, "-", stdin=b"garbage\n")[0] == 65
    # As a server with certificate = attributes writes them.
    code, out, err = replay("--list", devices.path, "-", stdin=known.replace(b'"der": "', b'"other": "') * 2)
    assert code == 65 and "2 lines without a certificate (certificate = attributes keeps none)" in out and "its lines have no certificate" in err
    assert replay("--list", devices.path, tmp_path / "absent")[0] == 66
    assert replay("--list", devices.path, "--raddb", tmp_path, "-", stdin=known)[0] == 64
    assert replay("--raddb", tmp_path, "-", stdin=known)[0] == 78
    # A copy of a list is as old as it is: that is no reason here. One that is missing lets nobody in.
    assert replay_json("--list", tmp_path / "absent.db", "-", stdin=known)[1]["changes"][0]["to_reason"] == "list-missing"


def test_each_certificate_is_decided_once_for_each_outer_identity(pki, devices):
    certificate = pki.named("STAYS-1")
    text = b"".join(line(certificate, user=user) for user in ("host/a", "host/b", "host/a", "host/a\0", "B\u00fcro", "host/b"))
    code, told, _ = replay_json("--list", devices.path, "-", stdin=text * 3)
    assert (code, told["logins"], told["certificates"]) == (0, 18, 4)


def test_only_logins_of_the_instance_that_is_named(radiusd, pki, devices):
    server = radiusd(shipped_module({"list.filename": devices.path}), start=False)
    text = line(pki.named("STRANGER-1"), module="wired") + line(pki.named("STAYS-1"))
    code, told, err = replay_json("--raddb", server.raddb, "--module", "certdir", "-", stdin=text)
    assert (code, told["logins"], told["other_instances"]) == (0, 1, 1), err
