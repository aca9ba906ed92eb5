# SPDX-License-Identifier: GPL-2.0-or-later
"""The Class of a session: what judges it again comes back from real logins, sealed, and opens with the key alone."""

import json
import re
import subprocess

import pytest

from testenv.devices import DeviceList, device_id
from testenv.driver import build_driver
from testenv.logins import enter
from testenv.radiusd import Radiusd, shipped_module
from testenv.shipped import ShippedSite
from testenv.supplicant import login, radclient

QUARANTINE = {"sites-available/certdir-check": lambda text: re.sub(r"^(\t\t\t)reject$", r"\1certdir_quarantine", text, flags=re.MULTILINE)}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("class")


@pytest.fixture(scope="module")
def key(directory):
    key = directory / "key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    return key


@pytest.fixture(scope="module")
def devices(directory):
    devices = DeviceList(directory / "devices.db")
    devices.add("LAPTOP-1")
    devices.add("LAX-1", isCompliant=False)
    devices.publish()
    return devices


@pytest.fixture(scope="module")
def open_class(directory, key):
    """What a Class says: None where it does not open."""
    program = build_driver(directory, "class_open")

    def open_it(text, by=key, instance="certdir"):
        told = subprocess.run([program, by, instance, text], check=True, capture_output=True, text=True).stdout
        return None if told == "shut\n" else json.loads(told)

    return open_it


@pytest.fixture(scope="module")
def server(pki, directory, key, devices):
    module = shipped_module({"list.filename": devices.path, "policy.require_compliant": "yes"}).rstrip()[:-1]
    module += f"\tsessions {{\n\t\tfilename = {directory / 'sessions'}\n\t\tkey_file = {key}\n\t}}\n}}\n"
    with ShippedSite(directory / "radiusd", pki.trust, module, "certdir-wired", changed=QUARANTINE, tls="1.3") as server:
        yield server


def test_class_opens(server, pki, open_class, directory):
    """In clear the device's id, as ever; the rest by its ids, though names decided, and of no other key or instance."""
    attempt, decision = enter(server, pki, pki.named("LAPTOP-1"))
    text = attempt.one("Class")
    assert attempt.accepted and text.startswith(f"certdir:{device_id('LAPTOP-1')};") and len(text) <= 253
    told = open_class(text)
    assert told["id"] == decision.fields["id"] == device_id("LAPTOP-1")
    assert told["ids"] == [f"vouched:entra_device_id={device_id('LAPTOP-1')}"]
    assert told["issuer"] and told["not_before"] and len(told["thumbprint"]) == 40
    assert not told["quarantine"] and not told["stale"] and told["live"] == 0
    other = directory / "other"
    other.write_bytes(bytes(32))
    other.chmod(0o600)
    assert open_class(text, by=other) is None and open_class(text, instance="certdir2") is None
    assert open_class(text.replace(device_id("LAPTOP-1"), device_id("LAX-1"))) is None


def test_resumed_session_has_one(server, pki, open_class):
    """In TLS 1.3, too, where the server itself shows nothing of the certificate."""
    first, second = login(server, *pki.named("LAPTOP-1"), pki.ca, tls="1.3", logins=2)
    assert second.accepted and second.resumed
    told = [open_class(attempt.one("Class")) for attempt in (first, second)]
    assert told[0] and told[0] == told[1]


def test_quarantine_is_told(server, pki, open_class):
    attempt, decision = enter(server, pki, pki.issue(subject=[["CN", device_id("LAX-1")]]))
    assert attempt.accepted and decision.reason == "not-compliant" and attempt.one("Session-Timeout") == 600
    told = open_class(attempt.one("Class"))
    assert told["quarantine"] and told["ids"] == [f"id:device_guid={device_id('LAX-1')}"]


def test_no_class_of_who_is_denied(server, pki):
    attempt, _ = enter(server, pki, pki.named("STRANGER-1"))
    assert not attempt.accepted and "Class" not in attempt.attributes


FOUND = """update session-state {
			&Certdir-Class := &Reply-Message
		}
		update control {
			&Auth-Type := Accept
		}"""


@pytest.fixture(scope="module")
def policy(pki, devices, tmp_path_factory):
    """Where the Reply-Message is what certdir would have sealed."""
    with Radiusd(tmp_path_factory.mktemp("policy"), pki.trust, shipped_module({"list.filename": devices.path}), authorize=FOUND,
                 post_auth="certdir_reply_session") as server:
        yield server


@pytest.mark.parametrize("name", ["CN=a,DC=x", r"CN=a\2C b\\,DC=x", "CN=it's %{User-Name} `x` $1,DC=x", "0x41"])
def test_policy_changes_no_byte(policy, name):
    """The seal is of the bytes: a DN may have whatever it likes in it."""
    text = f"certdir:{name};AZaz09-_"
    reply = radclient(policy, {"User-Name": "x", "Reply-Message": text})
    assert bytes.fromhex(reply.attributes["Class"][0][2:]).decode() == text
