# SPDX-License-Identifier: GPL-2.0-or-later
"""The LDAP directory against a real slapd that looks like Active Directory, and against servers that break or lie."""

import time

import pytest

from testenv.certificates import Authority, sequence, tlv
from testenv.driver import build_driver
from testenv.ldap_proxy import LdapProxy
from testenv.ldap_search import Liar, Search, Searches, answering, entry, message, result
from testenv.ports import free_port
from testenv.slapd import DEVICES, READER, READER_PASSWORD, SUFFIX, Slapd, filetime, sid_bytes
from testenv.supplicant import wait_until

SID = "S-1-5-21-397955417-626881126-188441444-3623811"
RES_TIMEOUT = 2


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """The search program, built against the core library."""
    return build_driver(tmp_path_factory.mktemp("driver"), "ldap_search")


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
    for i in range(20):
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
    with Searches(driver) as searches:
        yield lambda *servers, **more: searches.open(options(*servers, **more))


@pytest.fixture
def ask(opened, slapd):
    return opened(slapd.uri)


def names(answer):
    assert answer["state"] == "answered", answer
    return [record["name"] for record in answer["records"]]


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
    assert answer["records"][0]["by"] == [0] and answer["records"][0]["enabled"] == "yes"
    assert answer["many"] == []


@pytest.mark.parametrize("identity", [
    ("common_name", "*"), ("common_name", "pc0*"), ("common_name", "pc01)(cn=*"), ("common_name", "\\2a"),
    ("common_name", "pc01\\00"), ("dns_name", "*"), ("dns_name", "other.corp.example"), ("sid", "S-1-5-21-1-2-3-4"),
    ("common_name", "a-name-of-more-"), ("common_name", "alice"), ("common_name", "old name"),
    ("common_name", "x" * 255),
])
def test_not_found(ask, identity):
    answer = ask(identity)
    assert names(answer) == [] and answer["many"] == []


def test_short_names_of_a_dns_name(opened, own_slapd):
    """Found by its first label, cut as sAMAccountName is, and by its whole name in cn."""
    server = own_slapd()
    server.add_computer("LONG-COMPUTER-N", dNSHostName="long-computer-name.corp.example")
    server.add_computer("only-label-of-many", sAMAccountName="ONLY-LABEL-OF-M$")
    server.add_computer("srv.corp.example", sAMAccountName="SRV1$")
    search = opened(server.uri)
    (record,) = search(("common_name", "long-computer-name"))["records"]
    assert (record["name"], record["by"]) == ("LONG-COMPUTER-N", [0])
    assert ["common_name", "long-computer-n"] in record["values"]
    answer = search(("common_name", "long-computer-nobody"))
    assert [(record["name"], record["by"]) for record in answer["records"]] == [("LONG-COMPUTER-N", [])]
    assert answer["many"] == []
    (record,) = search(("dns_name", "pc01.other.example"), ("dns_name", "pc01.corp.example"))["records"]
    assert (record["by"], record["by_label"]) == ([1], [0])
    (record,) = search(("dns_name", "only-label-of-many.corp.example"))["records"]
    assert (record["by"], record["by_label"]) == ([], [0])
    (record,) = search(("dns_name", "srv.corp.example"))["records"]
    assert (record["name"], record["by"]) == ("srv.corp.example", [0])


def test_device(ask):
    record = ask(("sid", SID), ("dns_name", "pc01.corp.example"), ("common_name", "pc01"), ("common_name", "nobody"),
                 ("serial_number", "SER-0001"), ("sid_uri", SID))["records"][0]
    groups = record.pop("groups")
    assert record == {
        "id": f"cn=PC01,{DEVICES}", "by": [0, 1, 2, 4, 5], "by_label": [], "name": "PC01", "sid": SID,
        "serial_number": "SER-0001", "operating_system": "Windows 11", "dns_names": ["pc01.corp.example"],
        "entra_device_id": None, "intune_device_id": None, "values": [["common_name", "pc01"]], "enabled": "yes",
        "join_type": "ad", "expires": 0, "last_seen": 1760000000,
        "registered": 1738324800, "is": True,
    }
    assert sorted(dn for dn, *_ in groups) == sorted(
        [f"cn=Wi-Fi staff,ou=Groups,{SUFFIX}", f"cn=a\\2C b,ou=Groups,{SUFFIX}"])
    assert all(more == [None, None] for _, *more in groups)


def test_keeps(ask, opened, slapd):
    kinds = ["sid", "dns_name", "common_name", "upn", "mapping"]
    answer = ask(("serial_number", "SER-0001"))
    assert answer["keeps"] == answer["known_before"] == kinds and answer["is_live"]
    assert (answer["state"], answer["records"], answer["sources"]) == ("answered", [], [[2, "ldap", kinds]])
    search = opened(slapd.uri, serial_number="serialNumber", entra_device_id="description", sid="", upn="", mapping="")
    answer = search(("serial_number", "SER-0001"), ("sid", "S-1-5-21-1-2-3-4"))
    assert answer["keeps"] == answer["sources"][0][2] == [
        "entra_device_id", "device_guid", "dns_name", "common_name", "serial_number"]
    assert answer["records"][0]["by"] == [0]
    assert search(("sid", SID))["records"] == []


def test_a_sid_from_the_requester_is_not_asked(ask):
    assert ask(("sid_uri", SID))["records"] == []


ENTRA, INTUNE, OTHER = (f"0a1b2c3d-0000-4000-8000-{n:012x}" for n in (1, 2, 3))


@pytest.mark.parametrize("kind", ["entra_device_id", "intune_device_id", "device_guid"])
@pytest.mark.parametrize("guid", [ENTRA, INTUNE, OTHER])
def test_guids_are_one_name_space(opened, own_slapd, kind, guid):
    server = own_slapd()
    server.add_computer("guids", description=[INTUNE.upper(), OTHER], displayName=ENTRA)
    search = opened(server.uri, entra_device_id="displayName", intune_device_id="description")
    (record,) = search((kind, guid))["records"]
    assert (record["name"], record["by"]) == ("guids", [0])
    assert (record["entra_device_id"], record["intune_device_id"]) == (ENTRA, None)
    assert sorted(value for value in record["values"] if value[0] == "intune_device_id") == [
        ["intune_device_id", INTUNE], ["intune_device_id", OTHER]]


def test_searches_of_one_login(ask, opened, liar):
    """An entry is one record, however often it is found; what could not be asked is not waited for again."""
    answer = ask.request(searches=[[("common_name", "pc01")], [], [("sid", SID), ("common_name", "renamed")]])
    assert names(answer) == ["PC01", "renamed"] and [record["by"] for record in answer["records"]] == [[0], [1]]
    assert ask.request(searches=[[]])["state"] == "not asked"
    server = liar(lambda number: None)
    assert opened(server.uri).request(searches=[[("sid", SID)], [("sid", SID)]])["state"] == "unavailable"
    assert server.searches == 1


@pytest.mark.parametrize("more,domains", [
    ({}, ["corp.example"]),
    ({"base_dn": "OU=a\\,DC\\=x,dc=Corp , DC=Example"}, ["corp.example"]),
    ({"base_dn": "o=corp"}, []),
    ({"domains": " A.example\tb.example. "}, ["a.example", "b.example"]),
    ({"base_dn": "", "domains": "a.example"}, ["a.example"]),
])
def test_domains(opened, slapd, more, domains):
    assert opened(slapd.uri, **more)(("common_name", "nobody"))["domains"] == domains


@pytest.mark.parametrize("name,enabled,expires", [
    ("disabled", "no", 0),
    ("expires", "yes", 1999999999),
    ("ancient", "yes", 1),
    ("never", "yes", 0),
])
def test_account(ask, name, enabled, expires):
    answer = ask(("common_name", name))
    assert (answer["records"][0]["enabled"], answer["records"][0]["expires"]) == (enabled, expires)


def test_expired(ask):
    answer = ask(("common_name", "expired"))
    assert time.time() - 7300 < answer["records"][0]["expires"] < time.time() - 3500


MARK = "certdir:wifi:2C7E3F0A-0000-4000-8000-000000000001"
KEY = ["device_guid", "2c7e3f0a-0000-4000-8000-000000000001"]


@pytest.mark.parametrize("attribute,mark,enabled,key", [
    ("adminDescription", MARK, "yes", True),
    ("adminDescription", MARK + ":disabled", "no", True),
    ("adminDescription", MARK.upper() + ":Disabled ", "no", True),
    ("adminDescription", MARK + ":GONE=2026-11-22T10:00:00z", "no", True),
    ("adminDescription", MARK + ":gone=soon", "no", True),
    ("adminDescription", "Certdir:?", "no", False),
    ("description", MARK + ":disabled", "no", False),
    ("description", [MARK, "a laptop"], "yes", False),
])
def test_marks(opened, own_slapd, attribute, mark, enabled, key):
    """Of an account the description is no proof of which device it stands for: whoever joined it may write there."""
    server = own_slapd()
    server.add_computer("marked", **{attribute: mark})
    record = opened(server.uri)(("common_name", "marked"))["records"][0]
    assert (record["enabled"], KEY in record["values"]) == (enabled, key)


def test_two_of_a_name(ask):
    answer = ask(("common_name", "twin"))
    assert names(answer) == ["twin", "twin"] and answer["many"] == []
    answer = ask(("common_name", "twin"), ("sid", "S-1-5-21-1-2-3-1104"))
    assert sorted(record["by"] for record in answer["records"]) == [[0], [0, 1]]


def test_more_than_the_size_limit(ask):
    """A name that many have never selects, and does not keep an id from settling which one it is."""
    answer = ask(("common_name", "many"))
    assert len(answer["records"]) == 16 and answer["many"] == [0]
    for i in (0, 19):
        answer = ask(("common_name", "many"), ("sid", f"S-1-5-21-1-2-3-{2000 + i}"))
        assert answer["many"] == [0]
        selected = [record for record in answer["records"] if 1 in record["by"]]
        assert [record["id"] for record in selected] == [f"cn=many,ou=Many{i},{DEVICES}"]
        assert len({record["id"] for record in answer["records"]}) == len(answer["records"]), "each is there once"
    answer = ask(("common_name", "many"), ("sid", "S-1-5-21-1-2-3-9999"))
    assert all(record["by"] == [0] for record in answer["records"])


def test_looser_matching_of_the_server(ask):
    """The server folds case and blanks of names beyond ours: what we cannot see ourselves selects nothing."""
    answer = ask(("common_name", "M\u00dcLLER"))
    assert answer["records"] == [] and answer["many"] == [0]
    answer = ask(("common_name", " pc01"), ("sid", SID))
    assert answer["records"][0]["by"] == [1] and answer["many"] == []


@pytest.mark.parametrize("scope,found", [("sub", 2), ("one", 1), ("base", 0)])
def test_scope(opened, slapd, scope, found):
    assert len(opened(slapd.uri, scope=scope)(("common_name", "twin"))["records"]) == found


def test_filter(opened, slapd):
    search = opened(slapd.uri, filter="(&(objectClass=computer)(serialNumber=ser-0001))")
    assert names(search(("common_name", "pc01"))) == ["PC01"]
    assert names(search(("common_name", "twin"))) == []


# ---- what we are not shown ----


def test_hidden_attributes(opened, own_slapd):
    hidden = "userAccountControl,dNSHostName,sAMAccountName,cn"
    server = own_slapd(access=f"access to attrs={hidden} by dn.exact={READER} =sc by users read")
    search = opened(server.uri)
    for value in (("common_name", "pc01"), ("dns_name", "pc01.corp.example")):
        answer = search(value)
        assert answer["records"] == [] and answer["many"] == [0]
    assert search(("sid", SID))["records"][0]["enabled"] == "unknown"
    search(("sid", SID))
    log = search.close()
    assert log.count("userAccountControl is not shown to us") == 1
    assert log.count("by a name that does not stand in the attributes") == 1


# ---- failures ----


def well(search, *values):
    """The first answer of a server that comes back: it is tried again in the background."""
    def answered():
        answer = search(*values)
        return answer if answer["state"] == "answered" else None

    return wait_until(answered, what="an answer")


def test_server_stopped_and_started_again(opened, own_slapd):
    server = own_slapd()
    search = opened(server.uri)
    assert names(search(("common_name", "pc01"))) == ["PC01"]
    server.stop()
    answer = search(("common_name", "pc01"))
    assert answer["state"] == "unavailable" and answer["records"] == []
    assert answer["detail"].startswith(f"{server.uri}: cannot connect: 127.0.0.1: Connection refused")
    server.start()
    again = well(search, ("common_name", "pc01"))
    assert names(again) == ["PC01"]


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
        assert answer["state"] == "unavailable" and f"within {RES_TIMEOUT} s" in answer["detail"]
        assert RES_TIMEOUT - 0.1 < answer["seconds"] < RES_TIMEOUT + 0.5
    assert search(("common_name", "pc01"))["seconds"] < 0.1, "nobody waits for a server that is sick"
    server.resume()
    assert names(well(search, ("common_name", "pc01"))) == ["PC01"]


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
    assert answer["state"] == "unavailable" and answer["records"] == []
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
    assert refused["state"] == "unavailable" and refused["records"] == []
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
    ({"base_dn": None, "domains": "corp.example"}, "base_dn = \"\" together with domains"),
    ({"domains": "corp.example corp_example,x"}, "\"corp_example,x\" is not a DNS domain"),
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


@pytest.fixture
def liar():
    running = []

    def start(reply):
        running.append(Liar(reply))
        return running[-1]

    yield start
    for server in running:
        server.close()


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
    assert [record["enabled"] for record in answer["records"]] == [enabled]


@pytest.mark.parametrize("dn,cn", [(b"cn=stranger,dc=x", b"stranger"), (b"", b"pc01"), (b"cn=\0", b"pc01"),
                                   (b"cn=pc01,dc=x", b"pc01\0"), (b"cn=pc01,dc=x", b"pc011"), (b"\xff", b"pc01")])
def test_an_entry_that_was_not_asked_for(opened, liar, dn, cn):
    server = liar(answering(entry(dn, cn=[cn], userAccountControl=[b"4096"])))
    answer = opened(server.uri)(("common_name", "pc01"))
    assert answer["records"] == [] and answer["many"] == [0]


def test_more_entries_than_asked_for(opened, liar):
    many = [entry(b"cn=pc01,ou=%d,dc=x" % i, **GOOD) for i in range(3000)]
    server = liar(answering(*many))
    search = opened(server.uri)
    for _ in range(3):
        answer = search(("common_name", "pc01"))
        assert len(answer["records"]) == 16 and answer["many"] == [0]
    assert server.connections == 1 and server.abandoned >= 2, "what still comes is not kept"


# ---- many values, and servers that take their time ----


def computer(name, place="x"):
    return entry(f"cn={name},ou={place},dc=x".encode(), cn=[name.encode()], userAccountControl=[b"4096"])


def later(seconds, *entries, code=0):
    def reply(number):
        time.sleep(seconds)
        return answering(*entries, code=code)(number)
    return reply


NAMES = [f"pc{i:02}" for i in range(46)]
VALUES = [("common_name", name) for name in NAMES]
DELAY = 0.5


@pytest.mark.parametrize("extra", [0, 128 - len(NAMES)])
def test_many_names_take_one_search(opened, liar, extra):
    """A worker waits for a slow server once, and not once for each name."""
    server = liar(later(DELAY, *map(computer, NAMES), *(computer(NAMES[i % 46], i) for i in range(extra))))
    answer = opened(server.uri)(*VALUES)
    assert (len(answer["records"]), answer["many"], answer["full"]) == (len(NAMES) + extra, [], False)
    assert server.searches == 1 and DELAY <= answer["seconds"] < RES_TIMEOUT


def test_carriers_are_counted_here(opened, liar):
    """What is not cut tells which value too many carry; a first label counts where nobody has the full name."""
    def ask(count, *values):
        server = liar(answering(*(computer("pc01", i) for i in range(count)), computer("pc02")))
        answer = opened(server.uri)(*values)
        assert server.searches == 1 and len(answer["records"]) == count + 1
        return answer["many"]

    assert ask(16, ("common_name", "pc01"), ("common_name", "pc02")) == []
    assert ask(17, ("common_name", "pc01"), ("common_name", "pc02")) == [0]
    assert ask(17, ("common_name", "pc02"), ("dns_name", "pc01.corp.example")) == [1]
    server = liar(answering(*(computer("pc01", i) for i in range(17)), computer("pc01.corp.example")))
    assert opened(server.uri)(("common_name", "pc02"), ("dns_name", "pc01.corp.example"))["many"] == []


def test_many_names_of_a_cut_answer(opened, liar):
    """Then those are asked for that are not known to have many, first all and then each alone, and only for so long."""
    found = [computer("pc00", i) for i in range(17)]
    server = liar(later(DELAY, *found, code=4))
    answer = opened(server.uri, deadline=2)(*VALUES)
    assert answer["many"] == list(range(46)) and answer["full"] is False
    assert 3 <= server.searches <= 4 and 1.9 <= answer["seconds"] < 2.3
    assert len(answer["records"]) == 17 and answer["state"] == "answered"
    assert [name for name in NAMES if name.encode() in server.last] == [NAMES[server.searches - 2]]


def test_a_name_that_many_have_costs_one_more_search(opened, liar):
    def reply(number):
        common = [computer("pc00", i) for i in range(17)] if b"pc00" in server.last else []
        return answering(*common, *map(computer, NAMES[1:]), code=4 if common else 0)(number)

    server = liar(reply)
    answer = opened(server.uri)(*VALUES)
    assert (answer["many"], server.searches, len(answer["records"])) == ([0], 2, 17 + 45)


def test_single_answers_settle_a_cut_one(opened, liar):
    def reply(number):
        asked = [name for name in NAMES if name.encode() in server.last]
        return answering(*map(computer, asked), code=4 if len(asked) > 1 else 0)(number)

    server = liar(reply)
    answer = opened(server.uri)(*VALUES)
    assert (names(answer), answer["many"], server.searches) == (NAMES, [], 1 + len(NAMES))


def test_an_entry_that_does_not_show_why_it_was_found(opened, liar):
    """It spoils the value that it was found by, and no other."""
    def reply(number):
        found = [computer("pc02")] if b"pc02" in server.last else []
        if b"pc01" in server.last:
            found.append(entry(b"cn=stranger,dc=x", userAccountControl=[b"4096"]))
        return answering(*found)(number)

    server = liar(reply)
    answer = opened(server.uri)(("common_name", "pc01"), ("common_name", "pc02"))
    assert (names(answer), answer["many"], server.searches) == (["pc02"], [0], 3)


def test_no_room_for_more(opened, liar):
    """What is there stays, since it may hold a "no"; nothing more is asked for that could not be taken."""
    full = [computer(NAMES[i % 46], i) for i in range(128)]
    server = liar(lambda number: answering(*full, code=4)(number) if server.searches == 1
                  else answering(computer("pc00", "new"))(number))
    answer = opened(server.uri)(*VALUES)
    assert (answer["state"], answer["full"], len(answer["records"])) == ("answered", True, 128)
    assert answer["many"] == list(range(46)) and server.searches == 2
    server = liar(lambda number: answering(*full)(number) if server.searches == 1
                  else answering(computer("new"))(number))
    answer = opened(server.uri).request(searches=[VALUES, [("common_name", "new")], [("common_name", "pc00")]])
    assert (answer["state"], answer["full"], len(answer["records"])) == ("answered", True, 128)
    assert answer["many"] == [0] and server.searches == 3


def test_the_request_itself(opened, liar):
    server = liar(answering(entry(b"cn=pc01,dc=x", **GOOD)))
    opened(server.uri, srv_timelimit=7, scope="one")(("common_name", "pc01"))
    scope, deref, size_limit, time_limit = tlv(0x0A, b"\1"), tlv(0x0A, b"\0"), tlv(0x02, b"\x10"), tlv(0x02, b"\7")
    assert tlv(0x04, DEVICES.encode()) + scope + deref + size_limit + time_limit in server.last
    for name in ("memberOf", "userAccountControl", "accountExpires", "objectSid", "dNSHostName", "userPrincipalName",
                 "primaryGroupID", "altSecurityIdentities"):
        assert server.last.count(tlv(0x04, name.encode())) == 1


def test_referrals_are_not_followed(opened, liar):
    other = liar(answering(entry(b"cn=pc01,dc=y", **GOOD)))
    place = tlv(0x04, f"{other.uri}/dc=y??sub".encode())
    search = opened(liar(answering(tlv(0x73, place), entry(b"cn=pc01,dc=x", **GOOD))).uri)
    assert [record["id"] for record in search(("common_name", "pc01"))["records"]] == ["cn=pc01,dc=x"]
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
    assert answer["state"] == "unavailable" and answer["records"] == [] and words in answer["detail"]


def broken(attribute):
    """An entry whose only attribute is no attribute."""
    return lambda number: (message(number, tlv(0x64, tlv(0x04, b"cn=pc01,dc=x") + sequence(attribute)))
                           + message(number, result(0x65, 0)))


@pytest.mark.parametrize("reply", [
    lambda number: None,
    lambda number: b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20,
    lambda number: message(number, tlv(0x64, b"\xff\xff\xff")) + message(number, result(0x65, 0)),
    broken(tlv(0x04, b"cn")),
    broken(sequence(tlv(0x04, b"cn"))),
    broken(sequence(tlv(0x04, b"cn"), b"\x31\x7f")),
    broken(sequence(tlv(0x04, b"cn"), tlv(0x31, b"\x04\x08pc01")) + tlv(0x04, b"more than that")),
    broken(sequence(tlv(0x04, b"cn"), tlv(0x31, b"\x04\x84\xff\xff\xff\xff"))),
])
def test_a_search_that_breaks(opened, liar, reply):
    server = liar(reply)
    answer = opened(server.uri)(("common_name", "pc01"))
    assert answer["state"] == "unavailable" and answer["detail"].startswith(server.uri)
    assert server.searches == 1, "a fresh connection is not tried twice"


@pytest.mark.parametrize("more", [0, 13])
def test_a_search_without_an_end(opened, liar, more):
    """Also where it ends in the middle of the last message, some of which came with the first."""
    server = liar(lambda number: message(number, entry(b"cn=pc01,dc=x", **GOOD)) + message(number, result(0x65, 0))[:more])
    answer = opened(server.uri)(("common_name", "pc01"))
    assert answer["state"] == "unavailable" and answer["records"] == []
    assert RES_TIMEOUT - 0.1 < answer["seconds"] < RES_TIMEOUT + 0.5


# ---- messages and what is read at once ----


@pytest.mark.parametrize("tls", [False, True])
def test_messages_byte_by_byte(opened, slapd, tls):
    with LdapProxy(slapd.tls_port if tls else slapd.port, tls=tls) as proxy:
        proxy.piece = 1
        search = opened(proxy.uri, ca_file=str(slapd.ca_file))
        for _ in range(2):
            assert names(search(("common_name", "pc01"), ("common_name", "twin"))) == ["PC01", "twin", "twin"]


def test_a_message_that_begins_with_the_one_before(opened, liar):
    """Wherever what is read at once ends: in the entry, or in the result behind it."""
    whole, cuts = answering(entry(b"cn=pc01,dc=x", **GOOD)), iter((1, 2, 40, -14, -13, -12, -8, -1))

    def in_two(number):
        cut = next(cuts)
        return [whole(number)[:cut], whole(number)[cut:]]

    search = opened(liar(in_two).uri)
    for _ in range(8):
        assert names(search(("common_name", "pc01"))) == ["pc01"]


def test_an_answer_takes_one_read(ask):
    """An entry and the result were four. What slapd has not sent yet takes another one."""
    def reads():
        with open(f"/proc/{ask.process.pid}/io", encoding="ascii") as counts:
            return int(dict(line.split() for line in counts)["syscr:"])

    ask(("common_name", "pc01"))
    before = reads()
    assert ask.request(threads=1, searches=200, names=40)["wrong"] == 0
    assert reads() - before < 2.5 * 200


# ---- many at once ----


def test_threads_get_their_own_answers(ask, slapd):
    threads = 8
    answer = ask.request(threads=threads, searches=500, names=40)
    assert answer["wrong"] == 0
    assert 1 <= ask.connections(slapd.port) <= threads
