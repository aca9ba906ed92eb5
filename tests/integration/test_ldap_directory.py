# SPDX-License-Identifier: GPL-2.0-or-later
"""The LDAP directory against a real slapd that looks like Active Directory, and against servers that break or lie."""

import json
import os
import select
import shlex
import socket
import subprocess
import threading
import time

import pytest

from testenv.certificates import Authority, sequence, tlv
from testenv.driver import build_ldap_driver
from testenv.ports import free_port
from testenv.slapd import DEVICES, READER, READER_PASSWORD, SUFFIX, Slapd, filetime, sid_bytes

SID = "S-1-5-21-397955417-626881126-188441444-3623811"
RES_TIMEOUT = 2


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """The search program, built against the core library."""
    return build_ldap_driver(tmp_path_factory.mktemp("driver"), "ldap_search")


class Search:
    """A running search program: an LDAP directory opened once."""

    def __init__(self, program, options, **more):
        options = {**options, **more}
        wrapper = shlex.split(os.environ.get("CERTDIR_LDAP_WRAPPER", ""))
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LDAP")}
        self.process = subprocess.Popen([*wrapper, str(program), json.dumps(options)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**environment, "LDAPNOINIT": "1"})
        self.opened = self._read()

    def _read(self, timeout=120):
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            self.process.kill()
            pytest.fail("the search program hangs")
        line = self.process.stdout.readline()
        if not line:
            pytest.fail(f"the search program ended with {self.process.wait()}:\n{self.process.stderr.read()}")
        return json.loads(line)

    def request(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._read()

    def __call__(self, *identities):
        return self.request(identities=identities)

    def connections(self, port):
        """How many established connections to a port it has."""
        inodes = set()
        for number in os.listdir(f"/proc/{self.process.pid}/fd"):
            target = os.readlink(f"/proc/{self.process.pid}/fd/{number}")
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table.readlines()[1:]]
        return sum(1 for row in rows if row[9] in inodes and int(row[2].split(":")[1], 16) == port and row[3] == "01")

    def close(self):
        """Ends it and returns what it logged."""
        _, log = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, log
        return log


@pytest.fixture(scope="module")
def authority():
    return Authority("ldap test CA")


def populate(server):
    server.add_computer("PC01", dNSHostName="PC01.corp.example", objectSid=sid_bytes(SID),
                        servicePrincipalName=["HOST/PC01", "HOST/PC01.corp.example", "TERMSRV/other.corp.example"],
                        serialNumber="ser-0001", operatingSystem="Windows 11", whenCreated="20250131120000.0Z",
                        lastLogonTimestamp=filetime(1760000000))
    server.add_computer("SPN-ONLY", servicePrincipalName=["HOST/alias.corp.example"])
    server.add_computer("renamed", cn="renamed", sAMAccountName="OLDNAME$")
    server.add_computer("disabled", userAccountControl=4098)
    server.add_computer("expired", accountExpires=filetime(time.time() - 3600))
    server.add_computer("expires", accountExpires=filetime(1999999999))
    server.add_computer("ancient", accountExpires=1)
    server.add_computer("never", accountExpires=0)
    server.add_entry(f"ou=Other,{DEVICES}", objectClass="organizationalUnit", ou="Other")
    server.add_computer("twin")
    server.add_computer("twin", parent=f"ou=Other,{DEVICES}", sAMAccountName="TWIN2$",
                        objectSid=sid_bytes("S-1-5-21-1-2-3-1104"))
    server.add_computer("a-name-of-more-than-fifteen")
    for name in ("st*r", "par(en)", "back\\slash", "%2a", "m\u00fcller", "\u043f\u043a-7"):
        server.add_computer(name)
    server.add_entry(f"cn=alice,{DEVICES}", objectClass="user", cn="alice", sAMAccountName="alice")
    for i in range(14):
        server.add_entry(f"ou=Many{i},{DEVICES}", objectClass="organizationalUnit", ou=f"Many{i}")
        server.add_computer("many", parent=f"ou=Many{i},{DEVICES}", sAMAccountName=f"MANY{i}$",
                            objectSid=sid_bytes(f"S-1-5-21-1-2-3-{2000 + i}"))
    for i in range(40):
        server.add_computer(f"load-{i}")
    server.add_entry(f"cn=Wi-Fi staff,ou=Groups,{SUFFIX}", objectClass="group", cn="Wi-Fi staff",
                     member=f"cn=PC01,{DEVICES}")
    server.add_entry(f"cn=a\\2C b,ou=Groups,{SUFFIX}", objectClass="group", cn="a, b", member=f"cn=PC01,{DEVICES}")


@pytest.fixture(scope="module")
def slapd(tmp_path_factory, authority):
    with Slapd(tmp_path_factory.mktemp("slapd") / "1", authority) as server:
        populate(server)
        yield server


@pytest.fixture
def own_slapd(tmp_path, authority):
    """Starts a server that the test may break, with one computer, PC01."""
    servers = []

    def start(**settings):
        server = Slapd(tmp_path / f"slapd{len(servers)}", authority, **settings).start()
        servers.append(server)
        server.add_computer("PC01", dNSHostName="pc01.corp.example", objectSid=sid_bytes(SID))
        return server

    yield start
    for server in servers:
        server.kill()


def options(*servers, **more):
    return {"server": list(servers), "identity": READER, "password": READER_PASSWORD, "base_dn": DEVICES,
            "net_timeout": 2, "res_timeout": RES_TIMEOUT, "srv_timelimit": 2, **more}


@pytest.fixture
def opened(driver):
    """Opens directories that end, cleanly, with the test."""
    running = []

    def open_one(*servers, **more):
        search = Search(driver, options(*servers, **more))
        running.append(search)
        assert search.opened == {"open": True, "error": ""}
        return search

    yield open_one
    for search in running:
        search.close()


@pytest.fixture
def ask(opened, slapd):
    return opened(slapd.uri)


def names(answer):
    assert answer["state"] == "answered", answer
    return [match["name"] for match in answer["matches"]]


# ---- found ----


@pytest.mark.parametrize("identity,name", [
    (("dns_name", "pc01.corp.example"), "PC01"),
    (("dns_name", "alias.corp.example"), "SPN-ONLY"),
    (("common_name", "pc01"), "PC01"),
    (("common_name", "oldname"), "renamed"),
    (("common_name", "renamed"), "renamed"),
    (("common_name", "a-name-of-more-than-fifteen"), "a-name-of-more-than-fifteen"),
    (("sid", SID), "PC01"),
    (("common_name", "st*r"), "st*r"),
    (("common_name", "par(en)"), "par(en)"),
    (("common_name", "back\\slash"), "back\\slash"),
    (("common_name", "%2a"), "%2a"),
    (("common_name", "m\u00fcller"), "m\u00fcller"),
    (("common_name", "\u043f\u043a-7"), "\u043f\u043a-7"),
])
def test_found(ask, identity, name):
    answer = ask(identity)
    assert names(answer) == [name]
    assert answer["matches"][0]["by"] == [0]
    assert answer["truncated"] == []
    assert answer["reason"] == "allowed"


@pytest.mark.parametrize("identity", [
    ("common_name", "*"), ("common_name", "pc0*"), ("common_name", "pc01)(cn=*"), ("common_name", "\\2a"),
    ("common_name", "pc01\\00"), ("dns_name", "*"), ("dns_name", "other.corp.example"), ("sid", "S-1-5-21-1-2-3-4"),
    ("common_name", "a-name-of-more-"), ("common_name", "alice"), ("common_name", "old name"),
    ("common_name", "x" * 255),
])
def test_not_found(ask, identity):
    answer = ask(identity)
    assert names(answer) == [] and answer["truncated"] == []
    assert answer["reason"] == "not-found"


def test_device(ask):
    device = ask(("sid", SID), ("dns_name", "pc01.corp.example"), ("common_name", "pc01"), ("common_name", "nobody"),
                 ("serial_number", "SER-0001"), ("sid_uri", SID))["matches"][0]
    groups = device.pop("groups")
    assert device == {
        "id": f"cn=PC01,{DEVICES}", "by": [0, 1, 2, 5], "name": "PC01", "sid": SID, "serial_number": "SER-0001",
        "operating_system": "Windows 11", "dns_names": ["pc01.corp.example"], "enabled": "yes", "join_type": "ad",
        "expires": 0, "last_seen": 1760000000, "registered": 1738324800,
    }
    assert sorted(name for _, name in groups) == ["Wi-Fi staff", "a, b"]
    assert all(dn.endswith(f",ou=Groups,{SUFFIX}") for dn, _ in groups)


def test_holds(ask, opened, slapd):
    kinds = ["sid", "sid_uri", "dns_name", "common_name", "upn", "mapping"]
    assert ask(("serial_number", "SER-0001"))["holds"] == kinds
    search = opened(slapd.uri, serial_number="serialNumber", sid="", sid_uri="", upn="", mapping="")
    answer = search(("serial_number", "SER-0001"), ("sid", SID))
    assert answer["holds"] == ["dns_name", "common_name", "serial_number"]
    assert answer["matches"][0]["by"] == [0]


@pytest.mark.parametrize("name,enabled,expires,reason", [
    ("disabled", "no", 0, "disabled"),
    ("expires", "yes", 1999999999, "allowed"),
    ("ancient", "yes", 1, "disabled"),
    ("never", "yes", 0, "allowed"),
])
def test_account(ask, name, enabled, expires, reason):
    answer = ask(("common_name", name))
    assert (answer["matches"][0]["enabled"], answer["matches"][0]["expires"]) == (enabled, expires)
    assert answer["reason"] == reason


def test_expired(ask):
    answer = ask(("common_name", "expired"))
    assert time.time() - 7300 < answer["matches"][0]["expires"] < time.time() - 3500
    assert answer["reason"] == "disabled"


def test_two_of_a_name(ask):
    answer = ask(("common_name", "twin"))
    assert names(answer) == ["twin", "twin"] and answer["reason"] == "ambiguous"
    assert ask(("common_name", "twin"), ("sid", "S-1-5-21-1-2-3-1104"))["reason"] == "allowed"
    assert ask(("common_name", "twin"), ("sid", SID))["reason"] == "conflict"


def test_more_than_the_size_limit(ask):
    """A name that many have never selects, and does not keep an id from settling which one it is."""
    answer = ask(("common_name", "many"))
    assert len(answer["matches"]) == 10 and answer["truncated"] == [0] and answer["reason"] == "ambiguous"
    for i in (0, 13):
        answer = ask(("common_name", "many"), ("sid", f"S-1-5-21-1-2-3-{2000 + i}"))
        assert answer["truncated"] == [0] and answer["reason"] == "allowed"
        selected = [match for match in answer["matches"] if 1 in match["by"]]
        assert [match["id"] for match in selected] == [f"cn=many,ou=Many{i},{DEVICES}"]
    assert ask(("common_name", "many"), ("sid", "S-1-5-21-1-2-3-9999"))["reason"] == "not-found"


def test_looser_matching_of_the_server(ask):
    """The server folds case and blanks of names beyond ours: what we cannot see ourselves selects nothing."""
    answer = ask(("common_name", "M\u00dcLLER"))
    assert answer["matches"] == [] and answer["truncated"] == [0] and answer["reason"] == "ambiguous"
    answer = ask(("common_name", " pc01"), ("sid", SID))
    assert answer["matches"][0]["by"] == [1] and answer["reason"] == "allowed"


@pytest.mark.parametrize("scope,found", [("sub", 2), ("one", 1), ("base", 0)])
def test_scope(opened, slapd, scope, found):
    assert len(opened(slapd.uri, scope=scope)(("common_name", "twin"))["matches"]) == found


def test_filter(opened, slapd):
    search = opened(slapd.uri, filter="(&(objectClass=computer)(serialNumber=ser-0001))")
    assert names(search(("common_name", "pc01"))) == ["PC01"]
    assert names(search(("common_name", "twin"))) == []


# ---- what we are not shown ----


def test_hidden_attributes(opened, own_slapd):
    server = own_slapd(access=f"access to attrs=userAccountControl,dNSHostName by dn.exact={READER} =sc by users read")
    search = opened(server.uri)
    answer = search(("common_name", "pc01"))
    assert answer["matches"][0]["enabled"] == "unknown" and answer["reason"] == "disabled"
    answer = search(("dns_name", "pc01.corp.example"))
    assert answer["matches"] == [] and answer["reason"] == "ambiguous"
    search(("dns_name", "pc01.corp.example"))
    log = search.close()
    search.close = lambda: None
    assert log.count("userAccountControl is not shown to us") == 1
    assert log.count("by a name that does not stand in the attributes") == 1


# ---- failures ----


def test_server_stopped_and_started_again(opened, own_slapd):
    server = own_slapd()
    search = opened(server.uri)
    assert names(search(("common_name", "pc01"))) == ["PC01"]
    server.stop()
    answer = search(("common_name", "pc01"))
    assert answer["state"] == "unavailable" and answer["matches"] == []
    assert answer["detail"].startswith(f"{server.uri}: Can't contact LDAP server")
    server.start()
    assert names(search(("common_name", "pc01"))) == ["PC01"]


def test_idle_connection_that_died_is_replaced(opened, own_slapd):
    server = own_slapd()
    search = opened(server.uri)
    assert names(search(("common_name", "pc01"))) == ["PC01"]
    assert search.connections(server.port) == 1
    server.stop()
    server.start()
    assert search.connections(server.port) == 0
    assert names(search(("common_name", "pc01"))) == ["PC01"]
    assert search.connections(server.port) == 1
    assert names(search(("common_name", "pc01"))) == ["PC01"]
    assert search.connections(server.port) == 1


def test_hung_server(opened, own_slapd):
    server = own_slapd()
    search = opened(server.uri)
    assert names(search(("common_name", "pc01"))) == ["PC01"]
    server.pause()
    for _ in ("on the old connection", "on a new one"):
        answer = search(("common_name", "pc01"))
        assert answer["state"] == "unavailable" and f"no answer within {RES_TIMEOUT} s" in answer["detail"]
        assert RES_TIMEOUT - 0.1 < answer["seconds"] < RES_TIMEOUT + 0.5
    server.resume()
    assert names(search(("common_name", "pc01"))) == ["PC01"]


def test_second_server(opened, own_slapd):
    server = own_slapd()
    nobody = f"ldap://127.0.0.1:{free_port('tcp')}"
    search = opened(nobody, server.uri)
    assert names(search(("common_name", "pc01"))) == ["PC01"]
    server.stop()
    detail = search(("common_name", "pc01"))["detail"]
    assert nobody in detail and server.uri in detail


def test_second_server_when_the_first_hangs(opened, own_slapd):
    first, second = own_slapd(), own_slapd()
    search = opened(first.uri, second.uri)
    first.pause()
    answer = search(("common_name", "pc01"))
    assert names(answer) == ["PC01"] and answer["seconds"] < RES_TIMEOUT + 0.5
    first.resume()


@pytest.mark.parametrize("wrong,words", [
    ({"password": "wrong"}, "Invalid credentials: check identity and password"),
    ({"identity": f"cn=nobody,{SUFFIX}"}, "Invalid credentials: check identity and password"),
    ({"identity": "radius@corp"}, "check that identity and base_dn are DNs"),
    ({"base_dn": f"ou=Nowhere,{SUFFIX}"}, "No such object: check base_dn"),
    ({"base_dn": "nonsense"}, "check that identity and base_dn are DNs"),
    ({"filter": "(objectClass)"}, "check filter"),
    ({"identity": "", "password": ""}, "let identity read the devices under base_dn"),
])
def test_wrong_configuration(opened, slapd, wrong, words):
    answer = opened(slapd.uri, **wrong)(("common_name", "pc01"))
    assert answer["state"] == "unavailable" and answer["matches"] == []
    assert answer["detail"].startswith(f"{slapd.uri}: ") and words in answer["detail"]


def test_wrong_password_is_not_tried_elsewhere(opened, slapd, own_slapd):
    """It would count twice towards the account's lockout."""
    answer = opened(slapd.uri, own_slapd().uri, password="wrong")(("common_name", "pc01"))
    assert "check identity and password" in answer["detail"] and "; " not in answer["detail"]


def test_referral(opened, own_slapd):
    server = own_slapd(settings="referral ldap://elsewhere.example")
    answer = opened(server.uri, base_dn="dc=other,dc=example")(("common_name", "pc01"))
    assert answer["state"] == "unavailable" and "referrals are not followed" in answer["detail"]


# ---- TLS ----


@pytest.mark.parametrize("kind", ["ldaps", "start_tls"])
def test_tls(opened, slapd, kind, tmp_path):
    server, more = (slapd.ldaps_uri, {}) if kind == "ldaps" else (slapd.uri, {"start_tls": True})
    assert names(opened(server, ca_file=str(slapd.ca_file), **more)(("common_name", "pc01"))) == ["PC01"]
    wrong, _ = Authority("another CA").write(tmp_path, "wrong")
    refused = opened(server, ca_file=str(wrong), **more)(("common_name", "pc01"))
    assert refused["state"] == "unavailable" and refused["matches"] == []
    assert "TLS failed: check the port, ca_file" in refused["detail"]
    assert names(opened(server, ca_file=str(wrong), require_cert="never", **more)(("common_name", "pc01"))) == ["PC01"]


def test_name_in_the_server_certificate(opened, tmp_path):
    """A certificate of the right CA for another host is refused."""
    class Elsewhere(Authority):
        def issue(self, recipe=None, key=None, **more):
            return super().issue(recipe, key, **{**more, "subject": [["CN", "elsewhere"]],
                                                 "san": [{"dns": "elsewhere.example"}]})

    with Slapd(tmp_path / "elsewhere", Elsewhere("elsewhere CA")) as server:
        answer = opened(server.ldaps_uri, ca_file=str(server.ca_file))(("common_name", "pc01"))
        assert answer["state"] == "unavailable" and "names in the server's certificate" in answer["detail"]


@pytest.mark.parametrize("more,words", [
    ({"server": ["ldap://192.0.2.1"]}, "would get the password in clear text: use ldaps:// or start_tls = yes"),
    ({"server": ["dc1.corp.example"]}, "\"ldap://dc1.corp.example:389\" would get the password in clear text"),
    ({"server": ["ldap://127.0.0.1.corp.example"]}, "clear text"),
    ({"server": ["ldap://a ldap://b"]}, "neither a host name nor one URI"),
    ({"server": ["http://a"]}, "neither a host name nor one URI"),
    ({"server": ["ldaps://a/dc=x"]}, "write \"dc=x\" as base_dn"),
    ({"server": ["ldaps://a"], "start_tls": True}, "start_tls is for ldap:// only"),
    ({"server": []}, "server is not set"),
    ({"base_dn": ""}, "base_dn is not set"),
    ({"password": ""}, "servers take that for an anonymous bind"),
    ({"identity": ""}, "identity is not: name the account"),
    ({"filter": "objectClass=computer"}, "check its parentheses"),
    ({"filter": "(a=b))(|(c=*)"}, "check its parentheses"),
    ({"scope": "subtree"}, "write sub, one or base"),
    ({"ca_file": "/nonexistent/ca.pem"}, "ca_file \"/nonexistent/ca.pem\" cannot be read: No such file"),
    ({"server": ["ldaps://a"], "ca_file": "/etc"}, "TLS cannot be set up: check ca_file"),
    ({"server": ["ldaps://a"], "certificate_file": "/dev/null"}, "certificate_file and private_key_file go together"),
    ({"require_cert": "maybe"}, "require_cert = \"maybe\""),
    ({"res_timeout": 0}, "res_timeout"),
    ({"common_name": "cn)(x"}, "is not the name of an LDAP attribute"),
    ({"dns_name": "objectSid"}, "objectSid holds SIDs, not dns_name"),
])
def test_refused_at_open(driver, more, words):
    search = Search(driver, options("ldap://127.0.0.1"), **more)
    assert not search.opened["open"] and words in search.opened["error"]
    search.close()


@pytest.mark.parametrize("server", ["localhost", "127.0.0.1", "ldap://[::1]:389", "::1", "ldapi:///",
                                    "ldaps://192.0.2.1"])
def test_accepted_at_open(opened, server):
    opened(server)


# ---- servers that break or lie ----


class Liar(threading.Thread):
    """Takes every bind and answers every search with `reply(message id)`: bytes, or None to close the connection."""

    def __init__(self, reply):
        super().__init__(daemon=True)
        self.reply, self.connections, self.searches, self.abandoned, self.last = reply, 0, 0, 0, b""
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.uri = f"ldap://127.0.0.1:{self.socket.getsockname()[1]}"
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self.serve(connection)

    def serve(self, connection):
        stream = connection.makefile("rb")
        while head := stream.read(2):
            length = head[1]
            if length & 0x80:
                length = int.from_bytes(stream.read(length & 0x7F), "big")
            body = stream.read(length)
            number, operation = body[2], body[3]  # 02 01 id op: ids stay below 128 here
            if operation == 0x60:
                connection.sendall(message(number, result(0x61, 0)))
            elif operation == 0x63:
                self.searches, self.last = self.searches + 1, body
                reply = self.reply(number)
                if reply is None:
                    return
                try:
                    connection.sendall(reply)
                except OSError:
                    return
            elif operation == 0x50:
                self.abandoned += 1

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def message(number, operation):
    return sequence(tlv(0x02, bytes([number])), operation)


def result(tag, code, referral=b""):
    return tlv(tag, tlv(0x0a, bytes([code])) + tlv(0x04, b"") + tlv(0x04, b"") + referral)


def entry(dn, **attributes):
    listed = b"".join(
        sequence(tlv(0x04, name.encode()), tlv(0x31, b"".join(tlv(0x04, value) for value in values)))
        for name, values in attributes.items())
    return tlv(0x64, tlv(0x04, dn) + sequence(listed))


@pytest.fixture
def liar():
    running = []

    def start(reply):
        running.append(Liar(reply))
        return running[-1]

    yield start
    for server in running:
        server.close()


def answering(*entries, code=0):
    return lambda number: b"".join(message(number, one) for one in entries) + message(number, result(0x65, code))


GOOD = {"cn": [b"pc01"], "sAMAccountName": [b"PC01$"], "userAccountControl": [b"4096"], "accountExpires": [b"0"]}


@pytest.mark.parametrize("change,enabled", [
    ({}, "yes"),
    ({"userAccountControl": [b"4098"]}, "no"),
    ({"userAccountControl": [b"4096", b"4096"]}, "no"),
    ({"userAccountControl": [b""]}, "no"),
    ({"userAccountControl": [b"-4096"]}, "no"),
    ({"userAccountControl": [b"4096\0"]}, "no"),
    ({"userAccountControl": [b"0x1000"]}, "no"),
    ({"userAccountControl": [b"99999999999999999999"]}, "no"),
    ({"userAccountControl": []}, "unknown"),
    ({"accountExpires": [b"-1"]}, "no"),
    ({"accountExpires": [b"soon"]}, "no"),
    ({"accountExpires": [b"0", b"0"]}, "no"),
    ({"cn": [b"pc01", b"\xff\xfe", b"a\0b"], "memberOf": [b"\xff", b"cn=a\0b", b"nonsense", b"cn=\\ff"]}, "yes"),
    ({"objectSid": [b"\x01\xff\x00"], "dNSHostName": [b"\0.a"], "whenCreated": [b"9999"]}, "yes"),
])
def test_hostile_values(opened, liar, change, enabled):
    server = liar(answering(entry(b"cn=pc01,dc=x", **{**GOOD, **change})))
    answer = opened(server.uri)(("common_name", "pc01"))
    assert [match["enabled"] for match in answer["matches"]] == [enabled]


@pytest.mark.parametrize("dn,cn", [(b"cn=stranger,dc=x", b"stranger"), (b"", b"pc01"), (b"cn=\0", b"pc01"),
                                   (b"cn=pc01,dc=x", b"pc01\0"), (b"cn=pc01,dc=x", b"pc011"), (b"\xff", b"pc01")])
def test_an_entry_that_was_not_asked_for(opened, liar, dn, cn):
    server = liar(answering(entry(dn, cn=[cn], userAccountControl=[b"4096"])))
    answer = opened(server.uri)(("common_name", "pc01"))
    assert answer["matches"] == [] and answer["reason"] == "ambiguous"


def test_more_entries_than_asked_for(opened, liar):
    many = [entry(b"cn=pc01,ou=%d,dc=x" % i, **GOOD) for i in range(3000)]
    server = liar(answering(*many))
    search = opened(server.uri)
    for _ in range(3):
        answer = search(("common_name", "pc01"))
        assert len(answer["matches"]) == 10 and answer["truncated"] == [0]
    assert server.connections == 1 and server.abandoned >= 2, "what still comes is not kept"


def test_the_request_itself(opened, liar):
    server = liar(answering(entry(b"cn=pc01,dc=x", **GOOD)))
    opened(server.uri, srv_timelimit=7, scope="one")(("common_name", "pc01"))
    scope, deref, size_limit, time_limit = tlv(0x0A, b"\1"), tlv(0x0A, b"\0"), tlv(0x02, b"\x0a"), tlv(0x02, b"\7")
    assert tlv(0x04, DEVICES.encode()) + scope + deref + size_limit + time_limit in server.last
    for name in ("memberOf", "userAccountControl", "accountExpires", "objectSid", "dNSHostName", "userPrincipalName"):
        assert server.last.count(tlv(0x04, name.encode())) == 1


def test_referrals_are_not_followed(opened, liar):
    other = liar(answering(entry(b"cn=pc01,dc=y", **GOOD)))
    place = tlv(0x04, f"{other.uri}/dc=y??sub".encode())
    search = opened(liar(answering(tlv(0x73, place), entry(b"cn=pc01,dc=x", **GOOD))).uri)
    assert [match["id"] for match in search(("common_name", "pc01"))["matches"]] == ["cn=pc01,dc=x"]
    search = opened(liar(lambda number: message(number, result(0x65, 10, tlv(0xA3, place)))).uri)
    answer = search(("common_name", "pc01"))
    assert answer["state"] == "unavailable" and "referrals are not followed" in answer["detail"]
    assert other.connections == 0


@pytest.mark.parametrize("code,words", [(3, "raise srv_timelimit"), (11, "raise the server's limit"),
                                        (50, "let identity read the devices"), (1, "wants identity and password"),
                                        (80, "")])
def test_error_after_an_entry(opened, liar, code, words):
    """What came before an error is not the whole truth."""
    answer = opened(liar(answering(entry(b"cn=pc01,dc=x", **GOOD), code=code)).uri)(("common_name", "pc01"))
    assert answer["state"] == "unavailable" and answer["matches"] == [] and words in answer["detail"]


@pytest.mark.parametrize("reply", [
    lambda number: None,
    lambda number: b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20,
    lambda number: message(number, tlv(0x64, b"\xff\xff\xff")) + message(number, result(0x65, 0)),
])
def test_a_search_that_breaks(opened, liar, reply):
    server = liar(reply)
    answer = opened(server.uri)(("common_name", "pc01"))
    assert answer["state"] == "unavailable" and answer["detail"].startswith(server.uri)
    assert server.searches == 1, "a fresh connection is not tried twice"


def test_a_search_without_an_end(opened, liar):
    server = liar(lambda number: message(number, entry(b"cn=pc01,dc=x", **GOOD)))
    answer = opened(server.uri)(("common_name", "pc01"))
    assert answer["state"] == "unavailable" and answer["matches"] == []
    assert RES_TIMEOUT - 0.1 < answer["seconds"] < RES_TIMEOUT + 0.5


# ---- many at once ----


def test_threads_get_their_own_answers(ask, slapd):
    threads = 8
    answer = ask.request(threads=threads, searches=500, names=40)
    assert answer["wrong"] == 0
    assert 1 <= ask.connections(slapd.port) <= threads
