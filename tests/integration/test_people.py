# SPDX-License-Identifier: GPL-2.0-or-later
"""People: synced into the list, looked up in LDAP, and judged in real logins."""

import json
import re
import sqlite3
import uuid
from contextlib import closing

import pytest

from testenv.graph import FakeGraph
from testenv.logins import Pki, enter
from testenv.shipped import ShippedSite
from testenv.slapd import READER, READER_PASSWORD, SUFFIX, Slapd, sid_bytes
from testenv.supplicant import radclient
from testenv.sync import Sync
from testenv.tenant import DOMAIN_SID, Tenant
from testenv.turns import Turn, log_in_by_turns


def users_of(sync, columns="upn"):
    with closing(sqlite3.connect(f"file:{sync.list_file}?mode=ro&immutable=1", uri=True)) as db:
        return sorted(db.execute(f"SELECT {columns} FROM user"))


def groups_of(sync):
    with closing(sqlite3.connect(f"file:{sync.list_file}?mode=ro&immutable=1", uri=True)) as db:
        return sorted(db.execute("SELECT u.upn,g.name FROM user_group m JOIN user u ON u.id=m.user JOIN grp g ON g.id=m.grp"))


def test_users_are_synced(tmp_path):
    tenant = Tenant(7, devices=5, groups=("Wi-Fi staff",))
    with FakeGraph(tenant) as graph:
        people, (staff,) = graph.people, tenant.group_named("Wi-Fi staff")
        anna, ben = people.add("anna"), people.add("ben", on_premises=False, accountEnabled=False)
        for number in range(38):
            people.add(f"u{number}")
        people.join(staff, anna)
        sync = Sync(tmp_path / "sync", graph, group="Wi-Fi staff")
        sync.run()
        assert users_of(sync) == [] and not graph.asked("users"), "they were not asked for"

        sync.set(users="yes")
        parts = sync.run().parts()
        assert (parts["users"]["result"], parts["users"]["after"], parts["users"]["full"]) == ("done", 40, True)
        found = {row[0]: row[1:] for row in users_of(sync, "upn,user_id,enabled,sam_account_name,mail,sid,dn")}
        truth = people.devices[anna]
        assert found["anna@contoso.example"] == (anna, 1, "anna", "anna.mail@contoso.example",
                                                 truth["onPremisesSecurityIdentifier"],
                                                 truth["onPremisesDistinguishedName"])
        assert found["ben@contoso.example"] == (ben, 0, None, "ben.mail@contoso.example", None, None)
        assert groups_of(sync) == [("anna@contoso.example", "Wi-Fi staff")]

        # What changed, and no more than that.
        before = len(graph.requests)
        people.change(anna, accountEnabled=False)
        people.change(ben, userPrincipalName="Ben.New@contoso.example", mail=None)
        people.join(staff, ben)
        people.leave(staff, anna)
        parts = sync.run().parts()
        assert parts["users"]["full"] is False and len(graph.asked("users", before)) == 1
        found = {row[0]: row[1:] for row in users_of(sync, "upn,enabled,mail,sam_account_name")}
        assert found["anna@contoso.example"] == (0, "anna.mail@contoso.example", "anna")
        assert found["ben.new@contoso.example"] == (0, None, None)
        assert groups_of(sync) == [("ben.new@contoso.example", "Wi-Fi staff")]

        people.delete(ben)
        assert sync.run().parts()["users"]["removed"] == 1
        assert groups_of(sync) == []
        graph.expire_delta()
        assert sync.run().parts()["users"]["full"] is True
        assert len(users_of(sync)) == 39
        assert not graph.violations

        # Half of them gone at once is not believed: they stay, as old as they are.
        for user in sorted(people.devices)[:30]:
            people.delete(user)
        assert sync.run(code=None).parts()["users"]["result"] == "shrunk"
        assert len(users_of(sync)) == 39
        assert len([one for one in users_of(sync, "ifnull(confirmed,-1)") if one[0] != -1]) == 30
        sync.run("--force")
        assert len(users_of(sync)) == 9

        sync.set(users="no")
        sync.run()
        assert users_of(sync) == []


# ---- real logins ----

STANDINGS = ("enabled", "disabled", "gone", "other-group")
OIDS = {"device": "1.3.6.1.4.1.99999.1", "user": "1.3.6.1.4.1.99999.2", "both": "1.3.6.1.4.1.99999.3", "named": "1.3.6.1.4.1.99999.4"}
MODULE = """
certdir {{
    directories = "list ldap"
    certificates devices {{ issuer = "CN=certdir test CA", ekus = "{device}", common_name = "subject.cn" }}
    certificates people {{ issuer = "CN=certdir test CA", ekus = "{user}", holder = user, upn = "san.upn", user_sid = "ext.sid" }}
    certificates shared {{ issuer = "CN=certdir test CA", ekus = "{both}", holder = both, upn = "san.upn", common_name = "subject.cn",
        mail = "san.email" }}
    certificates named {{ issuer = "CN=certdir test CA", ekus = "{named}", holder = user, user_name = "subject.cn" }}
    list {{ filename = "{list}" }}
    ldap {{ server = "{uri}", identity = "{identity}", password = "{password}", base_dn = "{base}",
        user_filter = "(&(objectClass=user)(!(objectClass=computer)))", group_base_dn = "ou=Groups,{base}" }}
    policy {{ require_group = staff }}
}}
"""


# All that a login leaves in session-state of who it was, told to the supplicant.
FOUND = "".join(f"%{{session-state:Certdir-{name}}}/" for name in ("Device-Name", "Group[*]", "User-Name", "User-Group[*]"))
FOUND = f'\t\tupdate reply {{\n\t\t\t&Reply-Message := "{FOUND}"\n\t\t}}\n'


class Office:
    """A device and a person of each standing, known to the list or to LDAP alone, and a server for all of them."""

    def __init__(self, directory, graph, slapd, pki):
        self.pki = pki
        self.sync = Sync(directory / "sync", graph, group="staff", users="yes")
        self.fill_list(graph)
        self.fill_ldap(slapd)
        self.sync.run()
        text = MODULE.format(**OIDS, list=self.sync.list_file, uri=slapd.uri, identity=READER, password=READER_PASSWORD,
                             base=SUFFIX)
        self.server = ShippedSite(directory / "radiusd", pki.trust, text, "certdir-wired",
                                  changed={"sites-available/certdir-wired": lambda site: re.sub(
                                      "(?=^\t\tPost-Auth-Type)", lambda _: FOUND, site, flags=re.MULTILINE)})

    @staticmethod
    def fill_list(graph):
        staff = graph.tenant.add_group("staff")
        for standing in set(STANDINGS) - {"gone"}:
            user = graph.people.add(f"list-{standing}", accountEnabled=standing != "disabled")
            device = graph.tenant.add_device(f"list-pc-{standing}", accountEnabled=standing != "disabled")
            if standing != "other-group":
                graph.tenant.join(staff, device)
                graph.people.join(staff, user)

    @staticmethod
    def fill_ldap(slapd):
        staff = [f"cn=x,{SUFFIX}"]
        for number, standing in enumerate(sorted(set(STANDINGS) - {"gone"})):
            dn, off = f"cn=ldap-{standing},{SUFFIX}", 2 if standing == "disabled" else 0
            slapd.add_entry(dn, objectClass="user", cn=f"ldap-{standing}", sAMAccountName=f"ldap-{standing}",
                            userPrincipalName=f"ldap-{standing}@contoso.example", userAccountControl=512 + off,
                            objectSid=sid_bytes(f"{DOMAIN_SID}-{5000 + number}"))
            computer = slapd.add_computer(f"ldap-pc-{standing}", userAccountControl=4096 + off)
            staff += [dn, computer] if standing != "other-group" else []
        slapd.add_entry(f"cn=staff,ou=Groups,{SUFFIX}", objectClass="group", cn="staff", member=staff)

    def certificate(self, holder, person, device):
        san = [{"upn": f"{person}@contoso.example"}] if person else []
        return self.pki.issue(subject=[["CN", device or "x"]], san=san, eku=["clientAuth", OIDS[holder]])


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    directory = tmp_path_factory.mktemp("office")
    (directory / "pki").mkdir()
    with FakeGraph(Tenant(3)) as graph, Slapd(directory / "slapd") as slapd:
        made = Office(directory, graph, slapd, Pki(directory / "pki"))
        with made.server:
            yield made


REASONS = {"enabled": "allowed", "disabled": "disabled", "gone": "not-found", "other-group": "not-in-group"}


@pytest.mark.parametrize("kind", ["list", "ldap"])
@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("holder", ["device", "user", "both"])
def test_login_of_people(office, holder, standing, kind):
    """Who holds the certificate has to be there, enabled and in the group; of both, each, and one in the group."""
    subject, fine, other = f"{kind}-{standing}", f"{kind}-other-group", f"{kind}-pc-{standing}"
    if holder == "device":
        # The person that it names beside the device is not asked for.
        tries = [(office.certificate(holder, f"{kind}-disabled", other), REASONS[standing])]
    elif holder == "user":
        tries = [(office.certificate(holder, subject, f"{kind}-pc-disabled"), REASONS[standing])]
    else:
        device = f"{kind}-pc-other-group"
        tries = [(office.certificate(holder, subject, device), REASONS[standing]),
                 (office.certificate(holder, fine, other), REASONS[standing]),
                 (office.certificate(holder, subject, None), "not-found")]
    for certificate, reason in tries:
        attempt, decision = enter(office.server, office.pki, certificate)
        assert decision.reason == reason, decision.line
        assert attempt.accepted is (reason == "allowed")
        if reason == "allowed" and holder != "device":
            assert "@contoso.example" in decision.fields["upn"] and (holder == "user") is (decision.fields["device"] == "")


@pytest.mark.parametrize("kind", ["list", "ldap"])
def test_login_by_account_name(office, kind):
    """What {{OnPremisesSamAccountName}} gives, however it is written, is the person's, and nobody else's."""
    for standing, reason in REASONS.items():
        certificate = office.certificate("named", None, f"{kind}-{standing}".upper())
        attempt, decision = enter(office.server, office.pki, certificate)
        assert (decision.reason, attempt.accepted) == (reason, reason == "allowed"), decision.line
    certificate = office.certificate("named", None, f"{kind}-pc-enabled")
    assert enter(office.server, office.pki, certificate)[1].reason == "not-found", "a device is no person"


def session_of(attempt):
    """What accounting has of the session: User-Name, and who the Class says it is."""
    return attempt.one("User-Name"), re.match("certdir:([0-9a-f-]{36})", attempt.one("Class"))[1]


def account(server, attempt):
    """What a switch sends when the session begins: the User-Name and the Class that the Access-Accept gave it (RFC 2865, 5.1)."""
    session = {name: attempt.one(name) for name in ("User-Name", "Class")}
    ask = type("Accounting", (), {"port": server.accounting_port, "secret": server.secret})
    radclient(ask, {**session, "Acct-Status-Type": "Start", "Acct-Session-Id": "1", "Calling-Station-Id": "02-00-00-00-00-01"}, "acct")


def test_user_or_computer(office):
    """
    Windows' profile of that name, at one port: the computer logs in with its certificate, then the person with hers, again with
    the TLS session of before, the computer after her, and somebody with a certificate of both. Nobody is taken for the one before.
    """
    machine, user = office.certificate("device", None, "list-pc-enabled"), office.certificate("user", "list-enabled", None)
    both, out = office.certificate("both", "list-enabled", "list-pc-enabled"), office.certificate("user", "list-disabled", None)
    mark = office.server.mark()
    turns = [Turn(machine, "host/list-pc-enabled"), Turn(user, "list-enabled@contoso.example"), Turn(), Turn(machine), Turn(),
             Turn(both), Turn(out)]
    attempts = log_in_by_turns(office.server, office.pki.ca, turns)
    decisions = office.server.decisions(mark, count=len(turns))
    assert [one.resumed for one in attempts] == [False, False, True, False, True, False, False]
    assert [one.reason for one in decisions] == ["allowed"] * 6 + ["disabled"] and not attempts[6].accepted
    person, device = "list-enabled@contoso.example", "list-pc-enabled"
    assert [(one.fields["device"], one.fields["upn"]) for one in decisions[:6]] == [
        (device, ""), ("", person), ("", person), (device, ""), (device, ""), (device, person)]
    computer, human = f"{device}/staff///", f"//{person}/staff/"
    assert [one.one("Reply-Message") for one in attempts] == [
        computer, human, human, computer, computer, f"{device}/staff/{person}/staff/", None]
    computer, human = session_of(attempts[0]), session_of(attempts[1])
    assert (computer[0], human[0]) == (f"host/{device}", person) and computer[1] != human[1]
    assert [session_of(one) for one in attempts[2:6]] == [human, computer, computer, (person, computer[1])]

    for attempt in attempts[:2]:
        account(office.server, attempt)
    told = re.findall(r'User-Name = "(.*)"|Class = 0x(.*)', office.server.details())
    assert [name or bytes.fromhex(value).decode() for name, value in told] == [
        value for one in attempts[:2] for value in (one.one("User-Name"), one.one("Class"))]


def test_check_explains_people(office):
    certificate, _ = office.certificate("both", "list-disabled", "list-pc-enabled")
    out = office.sync.certdir("check", "--raddb", office.server.raddb, certificate, code=1)
    assert "the person: disabled" in out and "decision deny: disabled: the user: " in out
    assert "list-disabled@contoso.example" in out and "the device\n" in out


def test_check_tells_that_no_table_has_it(office, tmp_path):
    """Of a person's certificate as of a device's."""
    certificate, _ = office.certificate("user", "list-enabled", None)
    report = tmp_path / "report.csv"
    report.write_text(f"DeviceId,ValidTo,CertificateStatus,Thumbprint\n{uuid.uuid4()},2036-01-01T00:00:00Z,issued,{'A1' * 20}\n")
    office.sync.certdir("list", "import", "--certificates", "--list", office.sync.list_file, report)
    check = ["check", "--raddb", office.server.raddb, certificate]
    result = json.loads(office.sync.certdir(*check, "--json"))
    assert result["decision"] == "allow"
    assert [(one["directory"], one["devices"]) for one in result["person"]["lookups"] if one["type"] == "certificate"] == [("list", 0)]
    assert office.sync.certdir(*check).count("no table of issued certificates has it, the newest is of 2") == 1
