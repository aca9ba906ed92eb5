# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir in the distribution's own raddb: what is forgotten or misspelt between the network device and certdir is told."""

import re

import pytest

from testenv.certificates import Authority
from testenv.devices import DeviceList
from testenv.radiusd import shipped_module
from testenv.stock import StockRadiusd
from testenv.supplicant import login

INNER_TLS = """\
network={{
	key_mgmt=IEEE8021X
	eap={method}
	identity="host/test"
	ca_cert="{ca}"
	phase2="{phase2}=TLS"
	ca_cert2="{ca}"
	client_cert2="{certificate}"
	private_key2="{key}"
	eapol_flags=0
	phase1="tls_disable_tlsv1_3=1"
}}
"""
PASSWORD = """\
network={{
	key_mgmt=IEEE8021X
	eap={method}
	identity="bob"
	password="hello"
	eapol_flags=0
}}
"""


@pytest.fixture(scope="module")
def devices(tmp_path_factory):
    devices = DeviceList(tmp_path_factory.mktemp("list") / "devices.db")
    devices.add("LAPTOP-1")
    devices.add("OFF-1", accountEnabled=False)
    devices.publish()
    return devices


@pytest.fixture
def stock(tmp_path, pki, devices):
    """Makes servers with the stock raddb: stock(options of StockRadiusd)."""
    running = []

    def make(start=True, module=None, **options):
        directory = tmp_path / f"stock{len(running)}"
        directory.mkdir()
        server = StockRadiusd(directory, pki.trust, shipped_module({"list.filename": devices.path, **(module or {})}),
                              **options)
        running.append(server)
        return server.start() if start else server

    yield make
    for server in running:
        server.kill()


def inner_tls(pki, certificate, method, phase2):
    return INNER_TLS.format(method=method, phase2=phase2, ca=pki.ca, certificate=certificate[0], key=certificate[1])


def enter(server, pki, certificate, **options):
    """Logs in once: (let in, the one line of certdir)."""
    mark = server.mark()
    attempt, = login(server, *certificate, pki.ca, **options)
    decision, = server.decisions(mark, count=1)
    return attempt.accepted, decision


# ---- certdir in post-auth ----


def test_one_line_for_each_login(stock, pki):
    """Whoever denies it: certdir, or the server before certdir was asked. No second line where certdir decided."""
    server = stock()
    for name, reason in (("LAPTOP-1", "allowed"), ("OFF-1", "disabled"), ("STRANGER-1", "not-found")):
        accepted, decision = enter(server, pki, pki.named(name))
        assert (accepted, decision.reason) == (name == "LAPTOP-1", reason), decision.line
    foreign = pki.issue(subject=[["CN", "LAPTOP-1"]], authority=Authority("another CA"))
    accepted, decision = enter(server, pki, foreign, mac="02:00:00:00:0a:01")
    assert (accepted, decision.verdict, decision.reason) == (False, "deny", "unseen"), decision.line
    assert decision.fields["mac"] == "02-00-00-00-0A-01" and decision.fields["user"] == "host/test"
    assert "(EAP-Type TLS): it ended in the TLS handshake" in decision.line and "the server says: " in decision.line
    for method, said in (("MD5", "only EAP-TLS shows a client certificate"), ("PEAP", "no EAP-TLS inside")):
        accepted, decision = enter(server, pki, foreign, network=PASSWORD.format(method=method))
        assert (accepted, decision.reason) == (False, "unseen") and said in decision.line, decision.line


def test_post_auth_rejects_what_certdir_never_saw(stock, pki):
    """The outer site is guarded and eap was forgotten: a stranger whom eap accepts stays out, with one line."""
    server = stock(eap_tls="")
    accepted, decision = enter(server, pki, pki.named("STRANGER-1"))
    assert (accepted, decision.verdict, decision.reason) == (False, "deny", "unseen"), decision.line
    assert "tls { } of the eap module has no `virtual_server`" in decision.line


def test_post_auth_leaves_a_quarantine_alone(stock, pki):
    """What certdir denied, and unlang lets in with the denial in its hands, is not rejected again."""
    let_in = {"sites-available/certdir-check": [(r"^\t\t\treject$", "\t\t\tupdate control {\n\t\t\t\t&Auth-Type := Accept\n\t\t\t}")]}
    server = stock(edits=let_in)
    accepted, decision = enter(server, pki, pki.named("OFF-1"))
    assert (accepted, decision.reason) == (True, "disabled"), decision.line


def test_a_resumed_tunnel_is_not_a_login(stock, pki, tmp_path):
    """PEAP with EAP-TLS inside, in a site without certdir_full_tunnel: resumed, there is no inner login, so nobody is let in."""
    (tmp_path / "sessions").mkdir()
    cache = {"mods-available/eap": [
        (r"^\t\t\tenable = no", f'enable = yes\n\t\t\tname = "tests"\n\t\t\tpersist_dir = "{tmp_path}/sessions"')]}
    certificate = pki.named("LAPTOP-1")
    resuming = {"sites-available/certdir-wifi": [(r"^\t\tcertdir_full_tunnel\n", "")]}
    server = stock(edits={**cache, **resuming})
    mark = server.mark()
    first, second = login(server, *certificate, pki.ca, logins=2, network=inner_tls(pki, certificate, "PEAP", "auth"))
    assert first.accepted and second.resumed and not second.accepted
    allowed, unseen = server.decisions(mark, count=2)
    assert (allowed.reason, unseen.reason) == ("allowed", "unseen")
    assert "a resumed session has no inner login: set cache { enable = no }" in unseen.line
