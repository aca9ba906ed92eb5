# SPDX-License-Identifier: GPL-2.0-or-later
"""A TLS session that was kept opens nothing that a full handshake would not: what the eap module trusts by now counts."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from testenv.certificates import Authority
from testenv.devices import DOMAIN, DeviceList
from testenv.radiusd import shipped_module
from testenv.supplicant import login_with_pause

NOTICE = "the certificate of the TLS session that was to be resumed does not verify any more: "


@pytest.fixture(params=["1.2", "1.3"])
def server(request, radiusd, tmp_path):
    devices = DeviceList(tmp_path / "devices.db")
    devices.add("PC1")
    devices.publish()
    return radiusd(shipped_module({"list.filename": devices.path}), start=False, tls=request.param)


def revoked(authority, certificate):
    """The authority's CRL, with this certificate in it or with none."""
    now = datetime.datetime.now(datetime.timezone.utc)
    crl = x509.CertificateRevocationListBuilder().issuer_name(x509.load_der_x509_certificate(authority.der).subject)
    crl = crl.last_update(now - datetime.timedelta(hours=1)).next_update(now + datetime.timedelta(hours=1))
    if certificate:
        entry = x509.RevokedCertificateBuilder().revocation_date(now - datetime.timedelta(minutes=1))
        crl = crl.add_revoked_certificate(entry.serial_number(x509.load_pem_x509_certificate(
            certificate.read_bytes()).serial_number).build())
    return crl.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


class Trust:
    """A server that starts anew with another ca_file, and keeps its sessions."""

    def __init__(self, server, pki, path):
        self.server, self.pki, self.path = server, pki, path

    def begin(self, *trusted, crl=""):
        self.server.stop()
        self.path.write_text("".join(authority.pem for authority in trusted) + crl)
        self.server.trust = {**self.pki.trust, "ca": self.path}
        self.server.write()
        if crl:
            eap = self.server.raddb / "mods-enabled" / "eap"
            eap.write_text(eap.read_text().replace("ca_file =", "check_crl = yes\n\t\tca_file ="))
        self.server.start()

    def login_twice(self, device, between):
        """The Attempts of a full login and of one that wants to resume its session, after `between`."""
        return login_with_pause(self.server, *device, self.pki.ca, between, tls=self.server.tls)


@pytest.fixture
def trust(server, pki, tmp_path):
    return Trust(server, pki, tmp_path / "trusted.pem")


def device_of(pki, authority):
    return pki.issue(authority=authority, subject=[["CN", "PC1"]], san=[{"dns": f"pc1.{DOMAIN}"}])


def test_a_ca_that_was_taken_out(trust, pki):
    """The login becomes a full one, which the server refuses in its own words."""
    gone, stays = Authority("CA that goes"), Authority("CA that stays")
    trust.begin(gone, stays)
    first, second = trust.login_twice(device_of(pki, gone), lambda: trust.begin(stays))
    assert first.accepted and not first.resumed
    assert not second.accepted and not second.resumed and second.eap == "failure"
    assert NOTICE + "unable to get" in trust.server.log()


def test_a_certificate_that_was_revoked(trust, pki):
    authority = Authority("CA with a CRL")
    device = device_of(pki, authority)
    trust.begin(authority, crl=revoked(authority, None))
    first, second = trust.login_twice(device, lambda: trust.begin(authority, crl=revoked(authority, device[0])))
    assert first.accepted and not second.accepted and not second.resumed
    assert NOTICE + "certificate revoked" in trust.server.log()


@pytest.fixture
def chained(pki, tmp_path):
    """(root, its issuing CA, a device that sends the latter's certificate, too)."""
    root = Authority("Root")
    middle = Authority("Issuing CA", parent=root)
    certificate, key = device_of(pki, middle)
    chain = tmp_path / "chain.pem"
    chain.write_text(certificate.read_text() + middle.pem)
    return root, middle, (chain, key)


def test_nothing_has_changed(trust, chained):
    """A restart costs no session, and neither does a CA that only the device sends."""
    root, middle, device = chained
    for trusted in ((root,), (root, middle)):
        trust.begin(*trusted)
        first, second = trust.login_twice(device, lambda trusted=trusted: trust.begin(*trusted))
        assert first.accepted and second.accepted and second.resumed
    assert NOTICE not in trust.server.log()


def test_a_full_handshake_follows_in_the_same_login(trust, chained):
    """A session of a server without certdir does not say which CAs the device sent; the supplicant just sends them again."""
    root, _, device = chained
    module, trust.server.module, trust.server.virtual_server = trust.server.module, None, None
    trust.begin(root)
    trust.server.module, trust.server.virtual_server = module, "certdir-check"
    first, second = trust.login_twice(device, lambda: trust.begin(root))
    assert first.accepted and second.accepted and not second.resumed and second.eap == "success"
    assert NOTICE + "unable to get local issuer certificate" in trust.server.log()
