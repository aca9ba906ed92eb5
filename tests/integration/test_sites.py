# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped sites and policies, as the files are, with what an administrator switches on in them."""

import hashlib
import os
import re
import subprocess

import pytest

from testenv import packet
from testenv.devices import DeviceList, device_id
from testenv.logins import enter, wait_list_loaded
from testenv.radiusd import REPO, Radiusd, shipped_module
from testenv.shipped import ShippedSite, uncommented
from testenv.supplicant import Gate, login, login_with_pause, radclient, wait_until

SITES = ["certdir-wifi", "certdir-wired"]
STAFF = [{"id": "7e7ed6ca-1d0b-4c5b-9c1a-6c3f8d7a9b01", "displayName": "Wi-Fi staff"}]
LONG = "Ä" * 127  # 254 bytes
NAMES = {  # a device's name: the User-Name of its session
    "LAPTOP-1": "host/LAPTOP-1",
    "pc01.corp.example": "host/pc01.corp.example",
    ".": "host/" + device_id("."),
    "N" * 59: "host/" + "N" * 59,
    "N" * 60: "host/" + device_id("N" * 60),
    LONG: "host/" + device_id(LONG),
    "alice@corp.example": "host/" + device_id("alice@corp.example"),
    "CORP\\alice": "host/" + device_id("CORP\\alice"),
    "Anna's iPad": "host/" + device_id("Anna's iPad"),
    "Büro": "host/" + device_id("Büro"),
    "%{User-Name}": "host/" + device_id("%{User-Name}"),
}
QUARANTINE = {"sites-available/certdir-check": lambda text: re.sub(r"^(\t\t\t)reject$", r"\1certdir_quarantine", text, flags=re.MULTILINE)}


def assigning(site, changed=None):
    """What to change so that the site assigns VLANs."""
    return {f"sites-available/{site}": uncommented("certdir_assign_vlan"), **(changed or {})}


@pytest.fixture(scope="module")
def open_site(pki, tmp_path_factory):
    """Servers for the whole module: open_site(devices, site, options of the module file, options of ShippedSite)."""
    running = []

    def open_it(devices, site, options=None, **more):
        directory = tmp_path_factory.mktemp("site")
        server = ShippedSite(directory, pki.trust, shipped_module({"list.filename": devices.path, **(options or {})}), site, **more)
        running.append(server)
        return server.start()

    yield open_it
    for server in running:
        server.stop()


@pytest.fixture(scope="module")
def devices(tmp_path_factory):
    devices = DeviceList(tmp_path_factory.mktemp("list") / "devices.db")
    for name in NAMES:
        devices.add(name)
    devices.add("STAFF-1", groups=STAFF)
    devices.add("LAX-1", isCompliant=False)
    devices.publish()
    return devices


@pytest.fixture(scope="module")
def shipped(open_site, devices):
    """The sites as they are, opened once."""
    servers = {}

    def server(name):
        if name not in servers:
            servers[name] = open_site(devices, name)
        return servers[name]

    return server


@pytest.fixture(params=SITES)
def site(request, shipped):
    return shipped(request.param)


@pytest.fixture(scope="module")
def by_id(pki):
    """A device's certificate, found by its id whatever it is called."""
    return lambda name: pki.issue(subject=[["CN", device_id(name)]])


# ---- a session: its name, its end, its VLAN ----


def test_shipped_site_lets_in_without_a_vlan(site, pki):
    attempt, _ = enter(site, pki, pki.named("LAPTOP-1"), identity="host/somebody-else")
    assert attempt.accepted and attempt.eap == "success"
    assert not [name for name in attempt.attributes if name.startswith("Tunnel")]
    assert attempt.one("User-Name") == "host/LAPTOP-1"
    assert attempt.one("Class") == f"certdir:{device_id('LAPTOP-1')}"
    assert attempt.one("Session-Timeout") == 28800 and attempt.one("Termination-Action") == 1
    attempt, decision = enter(site, pki, pki.named("STRANGER-1"))
    assert not attempt.accepted and attempt.eap == "failure" and decision.reason == "not-found"
    assert set(attempt.attributes) <= {"EAP-Message", "Message-Authenticator"}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.encode("ascii", "replace")[:20].decode())
def test_user_name_is_a_device_s(shipped, pki, by_id, name):
    attempt, _ = enter(shipped("certdir-wifi"), pki, by_id(name), identity="alice@corp.example")
    assert attempt.accepted
    assert attempt.one("User-Name") == NAMES[name]
    assert attempt.one("Class") == f"certdir:{device_id(name)}"


def test_vlans_are_one_line_away(open_site, devices, pki):
    server = open_site(devices, "certdir-wired", changed=assigning("certdir-wired"))
    for name, vlan in [("LAPTOP-1", "10"), ("STAFF-1", "20")]:
        attempt, _ = enter(server, pki, pki.named(name))
        assert attempt.vlan == vlan and attempt.one("Tunnel-Type") == 13 and attempt.one("Tunnel-Medium-Type") == 6
    attempt, _ = enter(server, pki, pki.named("STRANGER-1"))
    assert not attempt.accepted and attempt.vlan is None
    attempt, _ = enter(server, pki, pki.named("LAX-1"))
    assert attempt.vlan == "10"


@pytest.mark.parametrize("assigned", [False, True], ids=["shipped", "assigning"])
def test_quarantine_is_never_on_the_network_of_others(open_site, devices, pki, assigned):
    changed = assigning("certdir-wired", QUARANTINE) if assigned else QUARANTINE
    server = open_site(devices, "certdir-wired", {"policy.require_compliant": "yes"}, changed=changed)
    attempt, decision = enter(server, pki, pki.named("LAX-1"))
    assert attempt.accepted and decision.reason == "not-compliant"
    assert (attempt.vlan, attempt.one("Tunnel-Type"), attempt.one("Tunnel-Medium-Type")) == ("99", 13, 6)
    assert attempt.one("Session-Timeout") == 600 and attempt.one("Termination-Action") == 1
    attempt, _ = enter(server, pki, pki.named("LAPTOP-1"))
    assert attempt.vlan == ("10" if assigned else None) and attempt.one("Session-Timeout") == 28800
    assert not enter(server, pki, pki.named("STRANGER-1"))[0].accepted


def test_session_of_a_stale_list_is_short(open_site, tmp_path_factory, pki):
    devices = DeviceList(tmp_path_factory.mktemp("list") / "devices.db")
    devices.add("LAPTOP-1")
    devices.publish()
    server = open_site(devices, "certdir-wifi", {"list.max_age": "1", "policy.on_unavailable": "stale"},
                       changed=assigning("certdir-wifi"))

    def stale():
        attempt, decision = enter(server, pki, pki.named("LAPTOP-1"))
        return attempt if decision.reason == "allowed-stale" else None

    attempt = wait_until(stale, what="a stale list")
    assert (attempt.vlan, attempt.one("Session-Timeout")) == ("30", 3600)


# Logins without EAP, for policies alone: what certdir would have found out is in the request.
FOUND = """update session-state {
			&Certdir-Decision := "%{Reply-Message}"
			&Certdir-Device-Id := "%{User-Name}%{User-Name}"
		}
		if (&NAS-Identifier) {
			update session-state {
				&Certdir-Device-Id !* ANY
				&Certdir-User-Id := "%{NAS-Identifier}%{NAS-Identifier}"
			}
		}
		update control {
			&Auth-Type := Accept
		}"""


@pytest.fixture(scope="module")
def anyone(pki, devices, tmp_path_factory):
    """certdir's decision is the Reply-Message, the device's id the User-Name, twice, or a person's the NAS-Identifier, twice."""
    with Radiusd(tmp_path_factory.mktemp("anyone"), pki.trust, shipped_module({"list.filename": devices.path}), authorize=FOUND,
                 post_auth="certdir_assign_vlan\n\t\tcertdir_reply_user_name\n\t\tcertdir_reply_session") as server:
        yield server


@pytest.mark.parametrize("half, user_name, whole", [
    ("x" * 29, "x" * 58, True), ("CN=Büro,DC=corp", None, True), ("0x41", "0x410x41", True), ("..", None, True),
    ("x" * 120, None, True), ("x" * 121, None, False)], ids=["plain", "DN", "hex", "path", "240 bytes", "242 bytes"])
def test_id_that_fits_nowhere(anyone, half, user_name, whole):
    """The id of a device without a name, as an LDAP directory may give one."""
    reply = radclient(anyone, {"User-Name": half, "Reply-Message": "allow"})
    digest = hashlib.md5((half + half).encode()).hexdigest()
    assert reply.attributes["User-Name"] == [f"host/{user_name or digest}"]
    assert bytes.fromhex(reply.attributes["Class"][0][2:]).decode() == f"certdir:{half + half if whole else digest}"


@pytest.mark.parametrize("half, whole", [("CN=Anna Büro,DC=x", True), ("x" * 121, False)], ids=["DN", "242 bytes"])
def test_class_of_a_person(anyone, half, whole):
    """A person's certificate may name no device."""
    reply = radclient(anyone, {"User-Name": "anna", "NAS-Identifier": half, "Reply-Message": "allow"})
    digest = hashlib.md5((half + half).encode()).hexdigest()
    assert bytes.fromhex(reply.attributes["Class"][0][2:]).decode() == f"certdir:{half + half if whole else digest}"


@pytest.mark.parametrize("decision", ["allow", "deny", "unsure", ""])
def test_vlan_is_of_what_was_allowed(anyone, decision):
    """In a site of one's own that calls this policy alone, and accepts whatever certdir says."""
    reply = radclient(anyone, {"User-Name": "x", **({"Reply-Message": decision} if decision else {})})
    assert reply.code == ("Access-Accept" if decision == "allow" else "Access-Reject")
    assert ("Tunnel-Private-Group-Id" in reply.attributes) is (decision == "allow")


# ---- a reject that comes late ----


def test_late_reject_carries_a_failure(site, pki):
    """TTLS with a password inside: EAP ends in success, then post-auth rejects, because certdir never saw a device."""
    mark = site.mark()
    with Gate(site.port, lambda: None) as gate:
        attempt, = login(site, *pki.named("LAPTOP-1"), pki.ca, method="ttls-pap", port=gate.port)
    assert not attempt.accepted and attempt.eap == "failure"
    decision, = site.decisions(mark)
    assert decision.reason == "unseen" and "no EAP-TLS inside" in decision.line
    reply, request = gate.replies[-1], gate.requests[-1]
    assert reply[0] == packet.REJECT
    identifier = packet.eap(request)[1]
    assert packet.eap(reply) == bytes([packet.EAP_FAILURE, identifier, 0, 4])
    assert {kind for kind, _ in packet.attributes(reply)} == {packet.EAP_MESSAGE, packet.MESSAGE_AUTHENTICATOR}
    assert packet.is_authentic(reply, request, site.secret)


@pytest.mark.parametrize("more", ["", "Service-Type = Call-Check\n"], ids=["password", "MAC authentication"])
def test_reject_without_eap_is_told(site, more):
    mark = site.mark()
    reply = radclient(site, f'User-Name = "0200000000ab"\nUser-Password = "0200000000ab"\nCalling-Station-Id = "0200.0000.00ab"\n{more}')
    assert reply.code == "Access-Reject" and set(reply.attributes) <= {"Message-Authenticator"}
    decision, = site.decisions(mark)
    assert decision.reason == "unseen" and "no EAP in this login" in decision.line


# ---- tunnels ----


@pytest.fixture(scope="module", params=["1.2", "1.3"])
def caching(request, open_site, tmp_path_factory):
    """A site with the TLS cache on, and its list."""
    devices = DeviceList(tmp_path_factory.mktemp("list") / "devices.db")
    devices.add("LAPTOP-1")
    devices.publish()
    return open_site(devices, "certdir-wifi", tls=request.param), devices


def enable(devices, server, enabled):
    mark = server.mark()
    devices.change("LAPTOP-1", accountEnabled=enabled)
    devices.publish()
    wait_list_loaded(server, mark)


@pytest.mark.parametrize("method", ["tls", "peap-tls", "ttls-tls"])
def test_second_login_is_decided_again(caching, pki, method):
    """EAP-TLS resumes, a tunnel does not, and certdir decides each of the logins."""
    server, devices = caching
    certificate = pki.named("LAPTOP-1")
    for enabled in (True, False):
        marks = []

        def pause():
            if not enabled:
                enable(devices, server, False)
            marks.append(server.mark())

        first, second = login_with_pause(server, *certificate, pki.ca, pause, tls=server.tls, method=method)
        decision, = server.decisions(marks[0], count=1)
        assert first.accepted and second.accepted is enabled, decision.line
        assert decision.reason == ("allowed" if enabled else "disabled")
        assert second.resumed or method != "tls"
        assert second.eap == ("success" if enabled else "failure")
    enable(devices, server, True)


def test_tunnel_that_another_site_has_cached(open_site, devices, pki, tmp_path):
    """Its first resumption is a reject that says why and takes the session out of the cache, so that the next login is a full one."""
    resuming = {"sites-available/certdir-wifi": lambda text: text.replace("\t\tcertdir_full_tunnel\n", "")}
    other = open_site(devices, "certdir-wifi", changed=resuming, sessions=tmp_path)
    shipped = open_site(devices, "certdir-wifi", sessions=tmp_path)
    certificate = pki.named("LAPTOP-1")
    cached = []
    first, second = login_with_pause(other, *certificate, pki.ca, lambda: cached.extend(tmp_path.iterdir()), shipped, method="peap-tls")
    assert first.accepted and second.resumed and not second.accepted and second.eap == "failure"
    decision, = shipped.decisions()
    assert decision.reason == "unseen" and "(EAP-Type PEAP)" in decision.line and "or a resumed session" in decision.line
    assert len([file for file in cached if not file.exists()]) == 2  # the session and its attributes
    assert enter(shipped, pki, certificate, method="peap-tls")[0].accepted


# ---- accounting ----


def account(server, kind):
    return radclient(type("Accounting", (), {"port": server.accounting_port, "secret": server.secret}), {
        "Acct-Status-Type": kind, "Acct-Session-Id": "5F01", "User-Name": "host/LAPTOP-1", "Calling-Station-Id": "020000.0000ab",
        "Called-Station-Id": "00:11:22:33:44:55:corp", "NAS-IP-Address": "192.0.2.7", "Class": "certdir:3f2504e0"}, "acct")


def test_accounting_has_a_place(site):
    for kind in ("Start", "Stop"):
        assert account(site, kind).code == "Accounting-Response"
    text = site.details()
    for line in ("Acct-Status-Type = Start", "Acct-Status-Type = Stop", 'Calling-Station-Id = "02-00-00-00-00-AB"',
                 'Called-Station-SSID = "corp"', f"Class = 0x{b'certdir:3f2504e0'.hex()}"):
        assert line in text
    assert re.search(r'Acct-Unique-Session-Id = "[0-9a-f]{32}"', text)


def test_accounting_without_a_module_that_keeps_it(open_site, devices):
    """The container has none: it is answered all the same, or the access points would send each packet again and again."""
    server = open_site(devices, "certdir-wifi", keep_accounting=False)
    assert account(server, "Start").code == "Accounting-Response"


# ---- the container's demo ----


def test_demo_of_the_container_again(tmp_path):
    """Its directories are mounted: a running container keeps what it has, and gets a fresh list under the same name."""
    def demo():
        done = subprocess.run(["/usr/bin/python3", REPO / "docker" / "demo.py", tmp_path], capture_output=True, text=True, timeout=60,
                              check=False)
        assert done.returncode == 0, done.stderr
        files = {path.relative_to(tmp_path): (path.stat().st_ino, path.read_bytes() if path.is_file() else None)
                 for path in tmp_path.rglob("*") if "devices.db" not in path.name and path.suffix != ".json"}
        return files, (tmp_path / "list" / "devices.db").stat()

    (tmp_path / "sync").mkdir()
    (tmp_path / "sync" / "certdir.conf").write_text("mine\n")
    files, first = demo()
    again, second = demo()
    assert again == files and (tmp_path / "sync" / "certdir.conf").read_text() == "mine\n"
    assert (second.st_ino, second.st_mtime_ns) != (first.st_ino, first.st_mtime_ns)
    if os.geteuid() == 0:
        assert {path.stat().st_uid for path in (tmp_path / "list", *(tmp_path / "list").iterdir())} == {1812}
