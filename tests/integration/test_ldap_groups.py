# SPDX-License-Identifier: GPL-2.0-or-later
"""
The groups of a computer: nested ones and the primary group in a real Active Directory (Samba), and what is left of them
when the server does not help. Also what else only a real domain controller shows: its Global Catalog, names cut to 15
characters.
"""

import itertools
import uuid

import pytest

from testenv.certificates import tlv
from testenv.driver import build_driver
from testenv.ldap_search import Liar, Searches, entry, message, result
from testenv.samba import BASE, COMPUTERS, DNS
from testenv.slapd import DEVICES, READER, READER_PASSWORD, SUFFIX, Slapd, sid_bytes

COUNT = itertools.count(1)
TIMES = {"net_timeout": 2, "res_timeout": 5, "srv_timelimit": 5}
CHAIN = b"1.2.840.113556.1.4.1941"


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    return build_driver(tmp_path_factory.mktemp("driver"), "ldap_search")


@pytest.fixture
def opened(driver):
    with Searches(driver) as searches:
        yield searches.open


# ---- Active Directory ----


class Branch:
    """An OU with computers, one with the groups that only administrators make, and one of a helpdesk."""

    def __init__(self, domain):
        self.domain, self.tag = domain, f"G{next(COUNT)}-{uuid.uuid4().hex[:4]}"
        self.ou = domain.add_ou(f"Branch {self.tag}")
        self.devices, self.groups, self.helpdesk = (
            domain.add_ou(name, self.ou) for name in ("Devices", "Groups", "Helpdesk"))
        self.name = f"{self.tag}-pc"
        self.dn = domain.add_computer(self.name, self.devices, dNSHostName=f"{self.name}.{DNS}")
        self.reader = domain.add_user(f"reader-{self.tag}")

    def group(self, name, *members, parent=None):
        dn = self.domain.add(f"CN={name},{parent or self.groups}", objectClass="group",
                             sAMAccountName=f"{uuid.uuid4().hex[:12]}")
        if members:
            self.domain.modify(dn, member=list(members))
        return dn

    def options(self, **more):
        return {"server": [self.domain.ldaps_uri], "identity": self.reader.identity, "password": self.reader.password,
                "ca_file": str(self.domain.ca_file), "base_dn": self.devices, "group_base_dn": self.groups, **TIMES,
                **more}


@pytest.fixture
def branch(domain):
    return Branch(domain)


def groups_of(answer):
    """{DN: (name, SID)} of the one record."""
    assert answer["state"] == "answered", answer
    (record,) = answer["records"]
    groups = {dn: (name, sid) for dn, name, sid in record["groups"]}
    assert len(groups) == len(record["groups"]), "each group is there once"
    return groups


def test_nested_and_primary_groups(branch, opened):
    """By DN and SID, over two steps; a group of the same name in another OU does not get it."""
    inner = branch.group("Inner", branch.dn)
    middle = branch.group("Middle", inner)
    staff = branch.group("Wi-Fi staff", middle)
    forged = branch.group("Wi-Fi staff", branch.dn, parent=branch.helpdesk)
    branch.group("Others", branch.domain.add_computer(f"{branch.tag}-x", branch.devices))
    groups = groups_of(opened(branch.options())(("common_name", branch.name)))
    sid = branch.domain.sid
    assert groups == {inner: ("Inner", sid(inner)), middle: ("Middle", sid(middle)), staff: ("Wi-Fi staff", sid(staff)),
                      forged: (None, sid(forged)), COMPUTERS: (None, sid(COMPUTERS))}
    assert sid(COMPUTERS).endswith("-515")


@pytest.mark.parametrize("base,named", [
    ("{groups}", True), ("", False), (None, False), ("{ou}", True), ("{base}", True), ("{devices}", False),
    ("ou=groups , {ou}", True), ("oups,{ou}", False),
])
def test_where_a_bare_name_counts(branch, opened, base, named):
    staff = branch.group("Wi-Fi staff", branch.dn)
    where = base and base.format(groups=branch.groups.lower(), ou=branch.ou, base=BASE.upper(),
                                 devices=branch.devices)
    groups = groups_of(opened(branch.options(group_base_dn=where))(("common_name", branch.name)))
    assert groups[staff] == ("Wi-Fi staff" if named else None, branch.domain.sid(staff))


@pytest.mark.parametrize("name", ["a, b", "star*", "(paren)", "back\\slash", "hash#1", "plus+equal=", "m\u00fcller"])
def test_hostile_names(branch, opened, name):
    """Names of devices stand in DNs, and DNs in filters."""
    cn = f"{branch.tag} {name}"
    dn = branch.domain.add_computer(cn, branch.devices, sAMAccountName=f"{uuid.uuid4().hex[:12]}$")
    nested = branch.group("Nested", branch.group("Direct", dn))
    groups = groups_of(opened(branch.options())(("common_name", cn.lower())))
    assert groups[nested][0] == "Nested" and len(groups) == 3


def test_twins_get_no_search_for_each(branch, opened):
    """There is no one device yet: what their own entries say."""
    inner = branch.group("Inner", branch.dn)
    branch.group("Outer", inner)
    twin = branch.domain.add_computer(branch.name, branch.helpdesk, sAMAccountName=f"{branch.tag}-2$")
    records = opened(branch.options(base_dn=branch.ou))(("common_name", branch.name))["records"]
    assert {record["id"]: [dn for dn, *_ in record["groups"]] for record in records} == {branch.dn: [inner], twin: []}


def test_one_that_only_shares_the_short_name_is_none(branch, opened):
    outer = branch.group("Outer", branch.group("Inner", branch.dn))
    branch.domain.add_computer(branch.name, branch.helpdesk, sAMAccountName=f"{branch.tag}-2$",
                               dNSHostName=f"{branch.name}.other.test")
    search = opened(branch.options(base_dn=branch.ou))
    records = {record["id"]: record for record in search(("dns_name", f"{branch.name}.{DNS}".lower()))["records"]}
    assert len(records) == 2 and outer in [group[0] for group in records[branch.dn]["groups"]]


def test_global_catalog(branch, opened):
    staff = branch.group("Wi-Fi staff", branch.group("Inner", branch.dn))
    search = opened(branch.options(server=[f"ldaps://{branch.domain.address}:3269"], base_dn="", domains=DNS.upper()))
    answer = search(("dns_name", f"{branch.name}.{DNS}".lower()))
    assert groups_of(answer)[staff][0] == "Wi-Fi staff"
    assert answer["domains"] == [DNS] and answer["records"][0]["enabled"] == "yes"


def test_a_name_that_is_cut(branch, opened):
    """What Windows makes of a long name: 15 characters in cn and sAMAccountName, all of it in dNSHostName."""
    whole = f"{branch.tag}-a-long-computer-name".lower()
    cut = whole[:15].upper()
    branch.domain.add_computer(cut, branch.devices, dNSHostName=f"{whole}.{DNS}")
    search = opened(branch.options())
    for values in ([("common_name", whole)], [("dns_name", f"{whole}.{DNS}")],
                   [("common_name", whole), ("common_name", cut.lower())]):
        (record,) = search(*values)["records"]
        assert record["name"] == cut and record["by"] == list(range(len(values)))
    (record,) = search(("common_name", whole + "-2"))["records"]
    assert record["by"] == []


# ---- other servers ----


def slapd_options(server, **more):
    return {"server": [server if isinstance(server, str) else server.uri], "identity": READER,
            "password": READER_PASSWORD, "base_dn": DEVICES, "group_base_dn": f"ou=Groups,{SUFFIX}", **TIMES, **more}


@pytest.fixture(scope="module")
def slapd(tmp_path_factory):
    with Slapd(tmp_path_factory.mktemp("slapd") / "1", debug="256") as server:
        server.add_computer("account", objectSid=sid_bytes("S-1-5-21-1-2-3-1104"), primaryGroupID=515)
        server.add_computer("device", sAMAccountName=None, userAccountControl=None)
        server.add_entry(f"cn=Computers,ou=Groups,{SUFFIX}", objectClass="group", cn="Computers",
                         objectSid=sid_bytes("S-1-5-21-1-2-3-515"))
        server.add_entry(f"cn=Staff,ou=Groups,{SUFFIX}", objectClass="group", cn="Staff",
                         member=[f"cn=account,{DEVICES}", f"cn=device,{DEVICES}"])
        yield server


def test_a_server_without_the_rule_for_nested_groups(slapd, opened):
    groups = groups_of(opened(slapd_options(slapd))(("common_name", "account")))
    assert groups == {f"cn=Staff,ou=Groups,{SUFFIX}": ("Staff", None),
                      f"cn=Computers,ou=Groups,{SUFFIX}": ("Computers", "S-1-5-21-1-2-3-515")}


@pytest.mark.parametrize("name,searches", [("account", 2), ("device", 1), ("nobody", 1)])
def test_searches_of_a_login(slapd, opened, name, searches):
    """One, and one more for the groups of an account of Active Directory."""
    before = slapd.log().count("SRCH base=")
    search = opened(slapd_options(slapd))
    for _ in range(2):
        search(("common_name", name), ("dns_name", f"{name}.corp.example"), ("sid", "S-1-5-21-1-2-3-4"))
    search.close()
    assert slapd.log().count("SRCH base=") - before == 2 * searches


def test_an_account_beside_another_entry(slapd, opened):
    """Whichever comes first, the groups are the account's."""
    for names in (["account", "device"], ["device", "account"]):
        records = opened(slapd_options(slapd))(*(("common_name", name) for name in names))["records"]
        assert {record["name"]: len(record["groups"]) for record in records} == {"account": 2, "device": 1}


def test_groups_where_there_is_no_active_directory(slapd, opened):
    groups = groups_of(opened(slapd_options(slapd))(("common_name", "device")))
    assert groups == {f"cn=Staff,ou=Groups,{SUFFIX}": ("Staff", None)}


# ---- servers that refuse, break or lie ----

PC = {"cn": [b"pc01"], "sAMAccountName": [b"PC01$"], "userAccountControl": [b"4096"], "primaryGroupID": [b"515"],
      "objectSid": [sid_bytes("S-1-5-21-1-2-3-1104")], "memberOf": [b"cn=Direct,dc=x"]}
DIRECT = {"cn=Direct,dc=x": (None, None)}


class Domain(Liar):
    """Has PC01, and answers the search for groups with `groups(message id)`; None: not at all."""

    def __init__(self, groups, **more):
        self.groups, self.asked = groups, 0
        super().__init__(lambda number: self.answer(number, {**PC, **more}))

    def answer(self, number, attributes):
        if CHAIN not in self.last:
            return message(number, entry(b"cn=pc01,dc=x", **attributes)) + message(number, result(0x65, 0))
        self.asked += 1
        return self.groups(number)


@pytest.fixture
def liar():
    running = []

    def start(*arguments, **more):
        running.append(Domain(*arguments, **more))
        return running[-1]

    yield start
    for server in running:
        server.close()


def failing(code):
    return lambda number: message(number, entry(b"cn=Part,dc=x")) + message(number, result(0x65, code))


@pytest.mark.parametrize("code", [18, 53, 3, 32, 10, None])
def test_a_refusal_does_not_fail_the_answer(liar, opened, code):
    server = liar(failing(code) if code else lambda number: b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20)
    search = opened(slapd_options(server.uri))
    for _ in range(3):
        answer = search(("common_name", "pc01"))
        assert groups_of(answer) == DIRECT and answer["partial"] == (code is None)
    assert server.asked == 3
    assert search.close().count("nested groups and the primary group are not seen") == 1


def test_a_late_answer_does_not_fail_it_and_is_not_waited_for_by_all(liar, opened):
    server = liar(lambda number: b"")
    search = opened(slapd_options(server.uri, res_timeout=1))
    answers = [search(("common_name", "pc01")) for _ in range(4)]
    assert [groups_of(answer) for answer in answers] == [DIRECT] * 4
    assert all(answer["partial"] for answer in answers), "nobody is to remember that there are no others"
    assert 0.9 < answers[0]["seconds"] < 2 and all(answer["seconds"] < 0.5 for answer in answers[1:])
    assert server.asked == 1 and search.close().count("nested groups and the primary group are not seen") == 1


def test_the_request(liar, opened):
    """The domain and not the devices' OU is searched; the primary group by its SID, unless the entry does not tell."""
    server = liar(lambda number: message(number, result(0x65, 0)))
    opened(slapd_options(server.uri))(("common_name", "pc01"))
    assert tlv(0x04, SUFFIX.encode()) + tlv(0x0A, b"\2") in server.last and b"cn=pc01,dc=x" in server.last
    assert sid_bytes("S-1-5-21-1-2-3-515") in server.last
    for wrong in ([], [b"515", b"516"], [b"-1"], [b"4294967296"], [b"x"]):
        server = liar(lambda number: message(number, result(0x65, 0)), primaryGroupID=wrong)
        assert groups_of(opened(slapd_options(server.uri))(("common_name", "pc01"))) == DIRECT
        assert server.asked == 1 and sid_bytes("S-1-5-21-1-2-3-1")[8:20] not in server.last


def test_more_groups_than_are_taken(liar, opened):
    """Bounded, said once, and those that are taken count."""
    server = liar(lambda number: b"".join(message(number, entry(b"cn=g%d,dc=x" % i)) for i in range(3000))
                  + message(number, result(0x65, 0)))
    search = opened(slapd_options(server.uri))
    for _ in range(2):
        assert len(groups_of(search(("common_name", "pc01")))) == 1000
    assert search.close().count("more than 1000 groups") == 1
    server = liar(failing(18), memberOf=[b"cn=m%d,dc=x" % i for i in range(3000)])
    search = opened(slapd_options(server.uri))
    assert len(groups_of(search(("common_name", "pc01")))) == 1000
    assert search.close().count("more than 1000 groups") == 1


def test_hostile_groups(liar, opened):
    server = liar(lambda number: b"".join(message(number, one) for one in (
        entry(b""), entry(b"\xff"), entry(b"cn=a\0b"), entry(b"nonsense", objectSid=[b"\1\2"]),
        entry(b"CN=Direct,dc=x", objectSid=[sid_bytes("S-1-5-21-1-2-3-9")]),
        entry(b"cn=two,dc=x", objectSid=[sid_bytes("S-1-5-21-1-2-3-7"), sid_bytes("S-1-5-21-1-2-3-8")]),
        entry(b"cn=in,OU=groups, " + SUFFIX.encode()), entry(b"cn=x\\,ou=Groups," + SUFFIX.encode()),
    )) + message(number, result(0x65, 0)))
    groups = groups_of(opened(slapd_options(server.uri))(("common_name", "pc01")))
    assert groups == {"cn=Direct,dc=x": (None, "S-1-5-21-1-2-3-9"), "nonsense": (None, None),
                      "cn=two,dc=x": (None, None), f"cn=in,OU=groups, {SUFFIX}": ("in", None),
                      f"cn=x\\,ou=Groups,{SUFFIX}": (None, None)}
