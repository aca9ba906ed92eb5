# SPDX-License-Identifier: GPL-2.0-or-later
"""
LDAP directories as sources of the list: a domain of Active Directory (Samba) and OpenLDAP. What a sync makes of them, what becomes of
changes, and what of a directory that says less than it should, or nothing.
"""

import itertools
import json
import sqlite3
import subprocess
from contextlib import closing

import pytest

from testenv.certificates import Authority
from testenv.graph import FakeGraph
from testenv.ports import free_port
from testenv.radiusd import BUILD
from testenv.samba import BASE, DNS
from testenv.slapd import ADMIN, ADMIN_PASSWORD, DEVICES, SUFFIX, Slapd
from testenv.sync import DONE, NONE, SHRUNK, SOME, Sync
from testenv.tenant import Tenant

COUNT = itertools.count(1)
CLIENT = {"eku": ["clientAuth"]}


class Source(Sync):
    """A list with one LDAP directory in it, "corp"."""

    def __init__(self, directory, **options):
        super().__init__(directory, {})
        self.directories["corp"] = {"interval": "0s", **options}

    def sync(self, *arguments, code=DONE):
        """What the part did."""
        return self.run(*arguments, code=code).parts("corp")["devices"]

    def rows(self, *columns, where="1"):
        with closing(sqlite3.connect(f"file:{self.list_file}?mode=ro&immutable=1", uri=True)) as db:
            return db.execute(f"SELECT {','.join(columns)} FROM device WHERE {where} ORDER BY name").fetchall()

    def names(self):
        return [name for name, in self.rows("name")]

    def check(self, certificate, code):
        """What a login with the list alone would be told; its reason."""
        path, _ = certificate.write(self.directory, f"client{next(COUNT)}")
        done = subprocess.run([BUILD / "certdir", "check", "--json", "--list", self.list_file, path],
                              capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)["reason"]


# ---- Active Directory ----


class Branch(Source):
    """An OU of a domain, with computers of its own."""

    def __init__(self, directory, domain, **options):
        self.domain, self.tag = domain, f"B{next(COUNT)}"
        super().__init__(directory)
        self.ou = domain.add_ou(f"Branch {self.tag}")
        self.account = domain.add_user(f"svc-{self.tag}", password=f"Svc-passw0rd-{self.tag}")
        self.directories["corp"] |= {
            "server": domain.ldaps_uri, "ca_file": domain.ca_file, "identity": self.account.identity,
            "password_file": self.secret_file("password", self.account.password), "base_dn": self.ou, **options}

    def add(self, number, **attributes):
        name = f"{self.tag}-PC{number:02}"
        return self.domain.add_computer(name, self.ou, dNSHostName=f"{name}.{DNS}", **attributes)

    def fill(self, count):
        return [self.add(number) for number in range(1, count + 1)]


@pytest.fixture
def branch(domain, tmp_path):
    return Branch(tmp_path / "sync", domain)


def test_a_computer_is_known_by_the_list_as_it_is_in_the_directory(branch, domain):
    inner, outer = domain.add_group(f"{branch.tag} inner"), domain.add_group(f"{branch.tag} outer")
    dn = branch.add(1, operatingSystem="Windows 11", userPrincipalName=f"{branch.tag}@{DNS}",
                    altSecurityIdentities="X509:<SKI>0011aabb", servicePrincipalName=[f"HOST/alias-{branch.tag}.{DNS}"])
    domain.modify(inner, member=dn)
    domain.modify(outer, member=inner)
    part = branch.sync()
    assert (part["result"], part["full"], part["added"], part["listed"]) == ("done", True, 1, 1)
    shown = branch.certdir("list", "show", "--list", branch.list_file, f"{branch.tag}-PC01")
    for fact in (dn, domain.sid(dn), f"alias-{branch.tag}.{DNS}".lower(), "X509:<SKI>0011aabb", "Windows 11", inner, outer,
                 "CN=Domain Computers,", "ad", f"{branch.tag}@{DNS}".lower()):
        assert fact in shown, shown
    shown = branch.certdir("list", "find", "--list", branch.list_file, f"{branch.tag}@{DNS}")
    assert f"{branch.tag}-PC01" in shown
    sources = json.loads(branch.certdir("list", "sources", "--json", "--list", branch.list_file))["sources"]
    assert [(source["kind"], source["name"], source["devices"]) for source in sources] == [("ldap", "corp", 1)]
    status = branch.status(code=0)["tenants"][0]
    assert (status["kind"], status["ok"], status["devices"], list(status["parts"])) == ("ldap", True, 1, ["devices"])
    assert "ldap corp: ok" in branch.certdir("status", "-c", branch.conf)
    assert 'certdir_tenant_devices{tenant="corp"} 1' in branch.certdir("status", "-c", branch.conf, "--prometheus")


def test_logins_are_decided_with_the_domain_gone(branch, domain):
    authority = Authority("branch CA")
    _, off = branch.fill(2)
    domain.modify(off, userAccountControl=4098)
    branch.sync()
    domain.pause()
    try:
        certificates = [authority.issue(CLIENT, subject=[["CN", name]], san=[{"dns": f"{name}.{DNS}"}])
                        for name in (f"{branch.tag}-PC01", f"{branch.tag}-PC02", f"{branch.tag}-PC03")]
        assert [branch.check(certificate, code) for certificate, code in zip(certificates, (0, 1, 1))] == [
            "allowed", "disabled", "not-found"]
        # A stranger of the domain's own names, whose first label is a computer's, is no computer.
        stranger = authority.issue(CLIENT, subject=[["CN", "x"]], san=[{"dns": f"{branch.tag}-PC01.sub.{DNS}"}])
        assert branch.check(stranger, 1) == "not-found"
    finally:
        domain.resume()


def test_changes_come_between_listings_of_all(branch, domain):
    branch.directories["corp"]["interval"] = "1h"
    gone, moved, off, renamed, _ = branch.fill(5)
    group = domain.add_group(f"{branch.tag} group")
    branch.sync()
    other = domain.add_ou(f"Elsewhere {branch.tag}")
    before = branch.rows("id", "name")
    domain.modify(off, userAccountControl=4098)
    domain.modify(group, member=off)
    domain.rename(renamed, f"CN={branch.tag}-NEW")
    branch.add(6)
    domain.delete(gone)
    domain.rename(moved, f"CN={branch.tag}-PC02", other)
    part = branch.sync()
    assert (part["result"], part["full"], part["added"], part["changed"], part["removed"]) == ("done", False, 1, 2, 0)
    assert branch.rows("dn", where=f"name='{branch.tag}-PC03' AND enabled=0") == [(off,)]
    assert group in branch.certdir("list", "show", "--list", branch.list_file, f"{branch.tag}-PC03")
    # By its own id: it is the same row.
    assert (dict(before)[branch.rows("id", where=f"name='{branch.tag}-NEW'")[0][0]]) == f"{branch.tag}-PC04"
    assert len(branch.names()) == 6
    # Nothing has changed since.
    part = branch.sync()
    assert (part["full"], part["objects"], part["changed"]) == (False, 0, 0)
    # What is gone is found by a listing of all.
    part = branch.sync("--full")
    assert (part["full"], part["removed"], part["changed"]) == (True, 2, 0)
    assert branch.names() == [f"{branch.tag}-NEW", f"{branch.tag}-PC03", f"{branch.tag}-PC05", f"{branch.tag}-PC06"]
    logged = branch.certdir("list", "changes", "--list", branch.list_file, "--since", "1h")
    assert f"{branch.tag}-PC01" in logged and "removed" in logged


def test_another_question_is_another_listing(branch, domain):
    branch.directories["corp"]["interval"] = "1h"
    branch.fill(3)
    branch.sync()
    branch.directories["corp"]["filter"] = "(&(objectClass=computer)(!(cn=*PC03)))"
    part = branch.sync()
    assert (part["full"], part["removed"], part["listed"]) == (True, 1, 2)


def test_who_may_not_see_takes_nobody_away(branch, domain):
    """A right that was taken away makes the answer short, or empty: it is no proof that anybody is gone."""
    branch.fill(7)
    branch.sync()
    domain.grant(branch.ou, f"(D;CI;RPLCLORC;;;{domain.sid(branch.account.dn)})")
    part = branch.sync(code=None)
    assert part["result"] in ("shrunk", "failed"), part
    assert len(branch.names()) == 7


def test_what_cannot_be_judged_is_not_taken(branch, domain):
    computers = branch.fill(7)
    branch.sync()
    uac = "bf967a68-0de6-11d0-a285-00aa003049e2"  # userAccountControl, MS-ADA3
    for computer in computers:
        domain.grant(computer, f"(OD;;RP;{uac};;{domain.sid(branch.account.dn)})")
    part = branch.sync(code=NONE)
    assert part["result"] == "failed" and "userAccountControl of 7 of 7" in part["note"]
    assert branch.rows("count(*)", where="enabled=1") == [(7,)]


def test_a_server_that_is_gone_leaves_the_list_and_others_are_tried(branch, domain):
    branch.fill(3)
    dead = f"ldaps://127.0.0.1:{free_port()}"
    branch.directories["corp"]["server"] = [dead, domain.ldaps_uri]
    branch.sync()
    branch.directories["corp"]["server"] = dead
    part = branch.sync(code=NONE)
    assert part["result"] == "failed" and dead in part["note"]
    assert len(branch.names()) == 3
    assert branch.status(code=1)["tenants"][0]["ok"] is False


def test_a_directory_that_hangs_keeps_no_tenant_waiting(branch, domain, tmp_path):
    branch.fill(2)
    with FakeGraph(Tenant("branch", 3)) as graph:
        both = Sync(tmp_path / "both", graph, intune="no")
        both.directories["corp"] = {**branch.directories["corp"], "deadline": "1s"}
        domain.pause()
        try:
            process = both.start()
            assert "contoso: devices: full" in process.stdout.readline()
            while "published" not in (line := process.stdout.readline()):
                assert line
            assert process.poll() is None  # and the other one is still on its way
        finally:
            domain.resume()
        out, err = process.communicate(timeout=60)
        assert process.returncode in (DONE, SOME), out + err


# ---- OpenLDAP ----


@pytest.fixture(scope="module")
def slapd(tmp_path_factory):
    with Slapd(tmp_path_factory.mktemp("slapd"), settings="") as server:
        yield server


def of_slapd(slapd, directory, **options):
    source = Source(directory, server=slapd.ldaps_uri, ca_file=slapd.ca_file, identity=ADMIN, **options)
    source.directories["corp"]["password_file"] = source.secret_file("password", ADMIN_PASSWORD)
    return source


def test_openldap_is_listed_whole_each_time(slapd, tmp_path):
    for number in range(1, 8):
        slapd.add_entry(f"cn=host{number},{DEVICES}", objectClass="device", cn=f"host{number}", serialNumber=f"SN-{number}")
    source = of_slapd(slapd, tmp_path / "sync", base_dn=DEVICES, filter="(objectClass=device)",
                      serial_number="serialNumber")
    assert source.sync()["added"] == 7
    assert source.check(Authority("CA").issue(CLIENT, subject=[["CN", "host1"]]), 0) == "allowed"
    before = source.rows("id", "entry")
    slapd.modify(f"cn=host1,{DEVICES}", serialNumber="SN-9")
    slapd.delete(f"cn=host2,{DEVICES}")
    part = source.sync()
    assert (part["full"], part["removed"], part["changed"], part["added"]) == (True, 1, 1, 0)
    assert set(source.rows("id", "entry")) < set(before)
    # Not due: there is nothing that could tell what changed.
    source.directories["corp"]["interval"] = "1h"
    assert source.sync()["result"] == "skipped"


def test_an_empty_answer_is_no_answer(slapd, tmp_path):
    source = of_slapd(slapd, tmp_path / "sync", base_dn=SUFFIX, filter="(objectClass=organizationalUnit)", common_name="ou")
    assert source.sync()["added"] == 2
    source.directories["corp"]["filter"] = "(objectClass=room)"
    part = source.sync(code=SHRUNK)
    assert (part["result"], part["kept"], part["listed"]) == ("shrunk", 2, 2)
    assert source.rows("count(*)", where="confirmed IS NOT NULL") == [(2,)]
    assert source.sync("--force")["removed"] == 2


def test_a_base_that_is_not_there(slapd, tmp_path):
    source = of_slapd(slapd, tmp_path / "sync", base_dn=f"ou=Nowhere,{SUFFIX}")
    part = source.sync(code=NONE)
    assert "is not there, or the account may not see it" in part["note"]
