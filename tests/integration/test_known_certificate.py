# SPDX-License-Identifier: GPL-2.0-or-later
"""Real logins with certificates that are in Intune's report of issued ones, from the report to the decision."""

import hashlib
import ssl
import time
import uuid
from pathlib import Path

import pytest

from testenv import clock
from testenv.graph import FakeGraph
from testenv.graph_reports import certificate as issued
from testenv.logins import Pki, enter, enter_again, wait_list_loaded
from testenv.radiusd import Radiusd, shipped_module
from testenv.supplicant import radclient
from testenv.sync import Sync
from testenv.tenant import DOMAIN_SID, Tenant

ATTRIBUTE_SITE = """
	update request {
		&TLS-Client-Cert-Common-Name := &User-Name
		&TLS-Client-Cert-Serial := &Reply-Message
	}
	certdir {
		notfound = 1
	}
	update control {
		&Auth-Type := Accept
	}
"""


def thumbprint(pair):
    return hashlib.sha1(ssl.PEM_cert_to_DER_cert(Path(pair[0]).read_text())).hexdigest().upper()


class Fleet:
    """A tenant whose certificates Intune reports, its list, and the server that asks it."""

    def __init__(self, directory, graph, *, tls="1.2", certificates="yes", **options):
        (directory / "pki").mkdir(parents=True)
        self.graph, self.tenant, self.pki = graph, graph.tenant, Pki(directory / "pki")
        graph.certificates = []
        self.sync = Sync(directory / "sync", graph, certificates=certificates, certificates_interval="0s")
        self.sync.env = clock.HURRY
        self.records = {}
        self.server = None
        self.add("BYSTANDER")
        self.publish()
        options = {"directories": "list", "list.filename": self.sync.list_file, **options}
        (directory / "radiusd").mkdir()
        self.server = Radiusd(directory / "radiusd", self.pki.trust, shipped_module(options), tls=tls)

    def publish(self):
        """A sync may publish twice, and the server load the first of them meanwhile: after another look it has the last one."""
        self.sync.run("--force")
        if self.server:
            mark = self.server.mark()
            self.sync.list_file.touch()
            wait_list_loaded(self.server, mark)

    def add(self, name, **more):
        """A device that is enabled and enrolled; its object id."""
        device = self.tenant.add_device(name, accountEnabled=True, trustType="AzureAd", **more)
        self.records[device] = self.tenant.enrol(device, managementState="managed")
        return device

    def issue(self, device, status="issued", **recipe):
        """(certificate file, key file) that Intune says it issued to the device."""
        pair = self.pki.issue(**{"subject": [["CN", "Wi-Fi"]], **recipe})
        self.graph.certificates.append(issued(self.records[device], len(self.graph.certificates) + 1, status=status,
                                              Thumbprint=thumbprint(pair)))
        return pair

    def revoke(self, pair):
        for row in self.graph.certificates:
            if row["Thumbprint"] == thumbprint(pair):
                row["CertificateStatus"] = "revoked"

    def enter(self, pair):
        """(accepted, reason, the device's name, the value that found it)."""
        attempt, decision = enter(self.server, self.pki, pair)
        return attempt.accepted, decision.reason, decision.fields["device"], decision.fields["matched"].partition(":")[0]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    with FakeGraph(Tenant(5)) as graph:
        made = Fleet(tmp_path_factory.mktemp("fleet"), graph, tls="1.3")
        with made.server:
            yield made


def test_certificate_without_a_name(fleet):
    """CN=Wi-Fi says nothing of the device; the table does, until it is disabled, gone, or the certificate revoked."""
    names = ("fine", "revoked", "disabled", "gone")
    devices = {name: fleet.add(name) for name in names}
    pairs = {name: fleet.issue(devices[name]) for name in names}
    stranger = fleet.pki.issue(subject=[["CN", "Wi-Fi"]])
    fleet.publish()
    for name in names:
        assert fleet.enter(pairs[name]) == (True, "allowed", name, "certificate")
    assert fleet.enter(stranger)[:2] == (False, "not-found")

    fleet.revoke(pairs["revoked"])
    fleet.tenant.change(devices["disabled"], accountEnabled=False)
    fleet.tenant.delete(devices["gone"])
    fleet.tenant.unenrol(fleet.records[devices["gone"]])

    # A session from before is no better than a handshake.
    attempt, decision = enter_again(fleet.server, fleet.pki, pairs["revoked"], fleet.publish)
    assert (attempt.accepted, decision.reason) == (False, "certificate-revoked"), decision.line
    reasons = {name: fleet.enter(pairs[name])[:2] for name in names}
    assert reasons == {"fine": (True, "allowed"), "revoked": (False, "certificate-revoked"),
                       "disabled": (False, "disabled"), "gone": (False, "not-found")}
    out = fleet.sync.certdir("check", "--raddb", fleet.server.raddb, pairs["revoked"][0], code=1)
    assert "certificate-revoked: the certificate is revoked in \"contoso\"" in out


def test_names_that_deceive_are_settled(fleet):
    """Two devices of one name, and a SID that whoever asked for the certificate wrote himself."""
    first, second = fleet.add("PC01"), fleet.add("PC01")
    victim = fleet.add("victim", onPremisesSecurityIdentifier=f"{DOMAIN_SID}-4711")
    second_is_off = fleet.issue(second, subject=[["CN", "PC01"]])
    mine, spoofed = fleet.issue(first, subject=[["CN", "PC01"]]), fleet.issue(first, sid=f"{DOMAIN_SID}-4711")
    own = fleet.issue(victim, sid=f"{DOMAIN_SID}-4711")
    unknown = fleet.pki.issue(subject=[["CN", "PC01"]])
    fleet.tenant.change(second, accountEnabled=False)
    fleet.publish()
    assert fleet.enter(mine) == (True, "allowed", "PC01", "certificate")
    assert fleet.enter(second_is_off)[:2] == (False, "disabled")
    assert fleet.enter(unknown)[0] is False, "by its name it may be the one that is disabled"
    assert fleet.enter(spoofed)[:2] == (False, "conflict")
    assert fleet.enter(own) == (True, "allowed", "victim", "certificate")


def test_as_many_names_as_there_is_room_for(fleet):
    """CN and URIs are the 63 that a certificate may have: it is still looked up itself."""
    device = fleet.add("MANY")
    full = fleet.issue(device, san=[{"uri": f"IntuneDeviceId://{uuid.uuid4()}"} for _ in range(62)])
    fleet.publish()
    assert fleet.enter(full) == (True, "allowed", "MANY", "certificate")


def test_known_certificate_is_required(tmp_path):
    """Never synced, older than the report, newer than it, in it."""
    with FakeGraph(Tenant(6)) as graph:
        fleet = Fleet(tmp_path, graph, certificates=None, **{"policy.require_known_certificate": "yes",
                                                             "policy.known_certificate_grace": 3600})
        fleet.add("old"), fleet.add("new")
        old, new = (fleet.pki.issue(subject=[["CN", name]], not_before=time.time() - age)
                    for name, age in (("old", 7200), ("new", 0)))
        known = fleet.issue(fleet.add("known"))
        with fleet.server:
            fleet.publish()
            assert [fleet.enter(pair)[:2] for pair in (old, new)] == [(False, "list-stale")] * 2
            fleet.sync.set(certificates="yes")
            fleet.publish()
            assert fleet.enter(known) == (True, "allowed", "known", "certificate")
            assert fleet.enter(old)[:2] == (False, "not-found")
            assert fleet.enter(new)[:3] == (True, "allowed", "new")


def test_attributes_have_no_certificate(fleet, radiusd):
    """The second door sees strings: what it says of the certificate is not looked up."""
    serial = fleet.graph.certificates[0]["SerialNumber"] if fleet.graph.certificates else ""
    server = radiusd(shipped_module({"certificate": "attributes", "directories": "list", "list.filename": fleet.sync.list_file}),
                     authorize=ATTRIBUTE_SITE)
    reasons = []
    for name in ("BYSTANDER", "Wi-Fi"):
        mark = server.mark()
        radclient(server, {"User-Name": name, "Reply-Message": serial})
        reasons.append(server.decisions(mark, count=1)[0].reason)
    assert reasons == ["allowed", "not-found"]
