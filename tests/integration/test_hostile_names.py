# SPDX-License-Identifier: GPL-2.0-or-later
"""
Names that the server's own TLS-Client-Cert-* attributes get wrong: cut at a NUL, unescaped, left out, or filled in from
somewhere else. With the certificate itself in hand each is refused or means what it says, on full and resumed sessions.
"""

import pytest

from testenv.certificates import Authority
from testenv.devices import DOMAIN, device_id
from testenv.logins import enter, enter_again
from testenv.radiusd import shipped_module
from testenv.supplicant import radclient
from testenv.worlds import ListWorld

# The list knows pc01 and pc02 and nothing else that stands here.
SID = "S-1-5-21-1004336348-1177238915-682003330-1104"


def hexed(raw):
    return {"hex": raw.hex()}


# certificate -> reason; None: any of the refusals that mean "names nobody"
VECTORS = {
    "san-cut-by-nul": (
        {"subject": [["CN", "stranger"]], "san": [{"dns": hexed(f"pc01.{DOMAIN}".encode() + b"\0.evil.example")}]},
        "malformed-certificate"),
    "cn-with-nul": ({"subject": [["CN", {"hex": b"pc01\0.evil".hex()}]]}, "malformed-certificate"),
    "cn-octal-escape": ({"subject": [["CN", r"\160c01"]]}, None),
    "san-octal-escape": ({"subject": [["CN", "stranger"]], "san": [{"dns": rf"\160c01.{DOMAIN}"}]}, None),
    "san-percent-star": ({"subject": [["CN", "stranger"]], "san": [{"dns": "%2a"}, {"dns": f"%2a.{DOMAIN}"}]}, None),
    "san-star": ({"subject": [["CN", "*"]], "san": [{"dns": f"*.{DOMAIN}"}, {"dns": "*"}]}, None),
    "cn-ldap-filter": ({"subject": [["CN", "pc01)(objectClass=*"]]}, None),
    "cn-sql": ({"subject": [["CN", "x' OR name LIKE 'pc%"]]}, None),
    "cn-xlat": ({"subject": [["CN", "%{reply:User-Name}pc01"]]}, None),
    "cn-newline": ({"subject": [["CN", "stranger\ncertdir: allow allowed"]]}, "malformed-certificate"),
    "cn-quote": ({"subject": [["CN", 'stranger" device="pc01']]}, None),
    "second-cn-known": ({"subject": [["CN", "stranger"], ["CN", "pc01"]]}, "allowed"),
    "second-cn-another": ({"subject": [["CN", "pc02"], ["CN", "pc01"]]}, "conflict"),
    "seventh-san": (
        {"subject": [["CN", "stranger"]],
         "san": [{"dns": f"alias{n}.{DOMAIN}"} for n in range(6)] + [{"dns": f"pc01.{DOMAIN}"}]}, "allowed"),
    "seventh-san-another": (
        {"subject": [["CN", "pc02"]],
         "san": [{"dns": f"alias{n}.{DOMAIN}"} for n in range(6)] + [{"dns": f"pc01.{DOMAIN}"}]}, "conflict"),
    "san-uri-known": (
        {"subject": [["O", "Example"]], "san": [{"uri": f"IntuneDeviceId://{device_id('pc01')}"}]}, "allowed"),
    "san-uri-unknown-beside-known-name": (
        {"subject": [["CN", "pc01"]], "san": [{"uri": f"IntuneDeviceId://{device_id('nobody')}"}]}, "not-found"),
    "sid-uri-of-another": (
        {"subject": [["CN", "pc01"]], "san": [{"uri": f"tag:microsoft.com,2022-09-14:sid:{SID}"}]}, "sid-mismatch"),
}


class HostileWorld(ListWorld):
    """pc01 with another SID than the certificates say, and pc02."""

    def fill(self):
        self.list.add("pc01", onPremisesSecurityIdentifier=SID[:-1] + "9")
        self.put("pc02")


@pytest.fixture(scope="module", params=["1.2", "1.3"])
def world(request, pki, tmp_path_factory):
    world = HostileWorld(tmp_path_factory.mktemp("hostile"), pki, request.param)
    yield world
    world.close()


@pytest.mark.parametrize("handshake", ["full", "resumed"])
@pytest.mark.parametrize("vector", VECTORS)
def test_name(world, pki, vector, handshake):
    recipe, reason = VECTORS[vector]
    certificate = pki.issue(recipe)
    if handshake == "full":
        attempt, decision = enter(world.server, pki, certificate)
    else:
        attempt, decision = enter_again(world.server, pki, certificate, lambda: None, before=world.before)
    assert attempt.accepted is (reason == "allowed"), decision.line
    if reason:
        assert decision.reason == reason, decision.line
    else:
        assert decision.reason in ("not-found", "no-identity", "malformed-certificate"), decision.line
    if reason == "allowed":
        assert decision.fields["device"] == "pc01"
    else:
        assert decision.verdict == "deny"


def test_certificate_without_cn_does_not_get_its_issuers(world, pki):
    """The server's attributes name the CA here: a CA that is called like a device must not lend its name."""
    authority = Authority("pc01", parent=pki.authority)
    leaf, key = pki.issue(authority=authority, subject=[["O", "Example"]])
    leaf.write_text(leaf.read_text() + authority.pem)
    attempt, decision = enter(world.server, pki, (leaf, key))
    assert not attempt.accepted
    assert decision.reason == "no-identity", decision.line


def test_log_line_cannot_be_forged(world, pki):
    mark = world.server.mark()
    enter(world.server, pki, pki.issue(subject=[["CN", 'x"\\" verdict=allow device="pc01']]),
          identity='host/x\u202e" device="pc01')
    decision, = world.server.decisions(mark)
    assert decision.verdict == "deny"
    assert decision.fields["device"] == ""
    assert "\u202e" not in decision.line and "\\u202e" in decision.line  # nor can it be turned around


# ---- certificate = attributes: the second door ----

ATTRIBUTE_SITE = """
	update request {
		&TLS-Client-Cert-Common-Name := &User-Name
	}
	certdir {
		invalid = 1
		notfound = 1
		noop = 1
		fail = 1
		userlock = 1
	}
	update reply {
		&Reply-Message := "%{control:Certdir-Reason}"
	}
	update control {
		&Auth-Type := Accept
	}
"""


@pytest.fixture
def attributes_server(radiusd, device_list):
    device_list.add("pc01")
    device_list.publish()
    module = shipped_module({"certificate": "attributes", "list.filename": device_list.path})
    return radiusd(module, authorize=ATTRIBUTE_SITE)


@pytest.mark.parametrize("name, reason", [
    ("pc01", "allowed"),
    ("host/PC01", "allowed"),
    ("pc02", "not-found"),
    (r"\160c01", "malformed-certificate"),
    (r"pc01\000.evil", "malformed-certificate"),
    ("%2a", "malformed-certificate"),
    ("%{User-Name}", "malformed-certificate"),
    ("pc01\tx", "malformed-certificate"),
    ("pc01\x01", "malformed-certificate"),
])
def test_attributes_refuse_what_may_have_been_mangled(attributes_server, name, reason):
    mark = attributes_server.mark()
    reply = radclient(attributes_server, {"User-Name": name})
    decision, = attributes_server.decisions(mark, count=1)
    assert decision.reason == reason, decision.line
    assert reply.attributes["Reply-Message"] == [reason]


def test_attributes_door_in_an_eap_tls_login(radiusd, device_list, pki):
    """Where the certificate itself is at hand, its mangled attributes must not be believed."""
    device_list.add("pc01")
    device_list.publish()
    server = radiusd(shipped_module({"certificate": "attributes", "list.filename": device_list.path}), tls="1.2")
    attempt, decision = enter(server, pki, pki.issue(subject=[["CN", r"\160c01"]]))
    assert not attempt.accepted, decision.line


def test_session_door_does_not_fall_back_to_attributes(radiusd, device_list):
    device_list.add("pc01")
    device_list.publish()
    server = radiusd(shipped_module({"list.filename": device_list.path}), authorize=ATTRIBUTE_SITE)
    mark = server.mark()
    reply = radclient(server, {"User-Name": "pc01"})
    decision, = server.decisions(mark, count=1)
    assert decision.reason == "no-certificate", decision.line
    assert reply.attributes["Reply-Message"] == ["no-certificate"]
