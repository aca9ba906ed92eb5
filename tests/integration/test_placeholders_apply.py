# SPDX-License-Identifier: GPL-2.0-or-later
"""The directory side of placeholders: what is read, and plans made by hand carried out and taken back, on a real slapd."""

import os
import signal
import subprocess

import pytest

from testenv import samba
from testenv.driver import build_driver
from testenv.placeholder_driver import (COLUMNS, DOMAIN_SID, GROUP, OU, Job, World, action, change, create, creations, join,
                                        records)
from testenv.slapd import ADMIN, MEMBEROF, READER, READER_PASSWORD, SUFFIX, sid_bytes


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The driver, built against the core library."""
    return build_driver(tmp_path_factory.mktemp("driver"), "placeholders_apply")


@pytest.fixture
def world(tmp_path, program):
    world = World(tmp_path, program)
    yield world
    world.close()


@pytest.fixture(scope="module")
def still(tmp_path_factory, program):
    """A world whose tests only read."""
    world = World(tmp_path_factory.mktemp("still"), program)
    yield world
    world.close()


# -- what the server is --

def test_domain(still):
    domain = still.run({"member_of": GROUP.upper()}).of("domain")
    assert domain == {"type": "domain", "active_directory": False, "version_attribute": "entryCSN", "base": SUFFIX,
                      "name": "corp.example", "computers": None,
                      "groups": [{"dn": GROUP, "id": 1104, "name": "Wi-Fi"}]}
    # Written differently, the OU is the same one.
    assert still.run({"ou": "OU=nps, DC=corp, DC=example"}).end["ok"]


def test_missing_ou_says_what_stands_nearest(still):
    error = still.refused(ou=f"OU=a\\,b,OU=missing,{OU}")
    assert f"ou = OU=a\\,b,OU=missing,{OU}" in error and f"nearest is {OU}:" in error, error
    error = still.refused(ou="OU=NPS,DC=other,DC=example")
    assert "nothing above it is there" in error, error
    error = still.refused(ou="no DN")
    assert "no DN" in error or "DN" in error, error


def test_missing_group(still):
    error = still.refused(member_of=f"CN=None,OU=Groups,{SUFFIX}")
    assert "member_of = CN=None" in error and f"nearest is OU=Groups,{SUFFIX}" in error, error
    error = still.refused(member_of=OU, primary_group=True)
    assert "no objectSid" in error and "primary_group = no" in error, error


def test_bound_as_nobody(still):
    error = still.refused(identity="", password="")
    assert "anonymous" in error and "identity" in error and "password_file" in error, error


# -- what stands in the OU --

@pytest.fixture(scope="module")
def populated(tmp_path_factory, program):
    world = World(tmp_path_factory.mktemp("populated"), program)
    server = world.server
    guid = bytes(range(16))
    world.computer("PC2", key="k2", description=["b", "a", "ü"], servicePrincipalName=["HOST/pc2.corp", "HOST/PC2"],
                   altSecurityIdentities=["X509:<SKI>02", "X509:<SKI>01"], objectSid=sid_bytes(f"{DOMAIN_SID}-2002"),
                   objectGUID=guid, primaryGroupID=515, dNSHostName="pc2.corp")
    world.computer("PC1", key="k9", userAccountControl=4098)
    world.computer("PC3", key="k3", primaryGroupID=1104)
    world.computer("a,b+c", key="k4", sAMAccountName="ab$")
    server.add_entry(f"ou=deep,{OU}", objectClass="organizationalUnit", ou="deep")
    world.computer("PC5", key="k5", parent=f"ou=deep,{OU}")
    # What is not ours: another section's, none's, a user's, several attributes in the RDN, a mark that is none.
    world.computer("X1", section="lan")
    server.add_computer("X2", OU)
    server.add_entry(f"cn=X3,{OU}", objectClass="user", cn="X3", adminDescription="certdir:wifi:k3")
    server.add_entry(f"cn=X4+sAMAccountName=X4$,{OU}", objectClass="computer", cn="X4", sAMAccountName="X4$",
                     adminDescription="certdir:wifi:x4")
    server.add_entry(f"sAMAccountName=X5$,{OU}", objectClass="computer", cn="X5", sAMAccountName="X5$",
                     adminDescription="certdir:wifi:x5")
    server.add_computer("X6", OU, adminDescription="certdir:wifi")
    server.add_computer("X7\nCNF:1", OU, sAMAccountName="X7$", adminDescription="certdir:wifi:x7")
    server.modify(GROUP, member=[f"cn=PC2,{OU}", f"cn=X2,{OU}"])
    world.accounts = world.run({"member_of": GROUP}, accounts=True).of("accounts")
    yield world
    world.close()


def test_own_accounts(populated):
    own = populated.accounts["own"]
    assert [(account["key"], account["cn"], account["direct"]) for account in own] == [
        ("k2", "PC2", True), ("k3", "PC3", True), ("k4", "a,b+c", True), ("k5", "PC5", False), ("k9", "PC1", True)]
    assert own[0] == {
        "dn": f"cn=PC2,{OU}", "cn": "PC2", "direct": True, "own": True, "key": "k2", "mark": "certdir:wifi:k2",
        "version": populated.version(f"cn=PC2,{OU}"), "account_name": "PC2$", "control": 4096, "disabled": False,
        "groups": 1, "in_computers": False, "primary_group": 515, "sid": f"{DOMAIN_SID}-2002",
        "guid": "03020100-0504-0706-0809-0a0b0c0d0e0f",
        "columns": {"servicePrincipalName": ["HOST/PC2", "HOST/pc2.corp"], "dNSHostName": ["pc2.corp"],
                    "description": ["a", "b", "ü"]},
        "mappings": ["X509:<SKI>01", "X509:<SKI>02"]}
    assert [(account["cn"], account["disabled"]) for account in own if account["control"] != 4096] == [("PC1", True)]
    assert [(account["cn"], account["groups"], account["primary_group"]) for account in own
            if account["groups"] or account["primary_group"]] == [("PC2", 1, 515), ("PC3", 0, 1104)]


def test_foreign_accounts(populated):
    foreign = populated.accounts["foreign"]
    assert [account["cn"].lower() for account in foreign if "+" not in account["dn"]] == [
        "x1", "x2", "x3", "x6", f"cn=x7\\0acnf:1,{OU.lower()}", "deep", "x5$"]
    assert [account["key"] for account in foreign if "+" in account["dn"]] == ["x4"]
    assert not any(account["own"] for account in foreign)
    assert [account["dn"] for account in foreign] == sorted(account["dn"] for account in foreign)
    # The OU itself is none of them.
    assert populated.accounts["foreign_count"] == len(foreign) == 8


def test_kind_device(populated):
    """Entries of any object class, with the mark in description."""
    populated.server.add_entry(f"ou=Fleet,{SUFFIX}", objectClass="organizationalUnit", ou="Fleet")
    populated.server.add_entry(f"cn=D1,ou=Fleet,{SUFFIX}", objectClass="device", cn="D1",
                               description=["in the hall", "certdir:wifi:d1:disabled"], serialNumber="7")
    populated.server.add_entry(f"cn=D2,ou=Fleet,{SUFFIX}", objectClass="device", cn="D2",
                               description=["certdir:wifi:d2", "certdir:lan:d2"])
    accounts = populated.run({"ou": f"ou=Fleet,{SUFFIX}", "kind": "device", "mark_attribute": "description",
                              "columns": ["serialNumber", "objectClass"]}, accounts=True).of("accounts")
    assert [(account["key"], account["mark"], account["columns"]) for account in accounts["own"]] == [
        ("d1", "certdir:wifi:d1:disabled", {"serialNumber": ["7"], "objectClass": ["device"]})]
    # Two marks are as good as none.
    assert [(account["cn"], account["mark"]) for account in accounts["foreign"]] == [("D2", None)]


def test_claims(populated):
    claims = [["sAMAccountName", "pc2$"], ["sAMAccountName", "PC4$"], ["servicePrincipalName", "host/pc2.CORP"],
              ["servicePrincipalName", "*"], ["servicePrincipalName", "HOST/PC2)(cn=*"],
              ["altSecurityIdentities", "X509:<SKI>01"], ["sAMAccountName", "X2$"],
              *[["sAMAccountName", f"NOBODY{number}$"] for number in range(150)], ["sAMAccountName", "PC1$"]]
    holders = populated.run(claims=claims).of("claims")["holders"]
    assert [(claim[1], holder) for claim, holder in zip(claims, holders) if holder] == [
        ("pc2$", f"cn=PC2,{OU}"), ("host/pc2.CORP", f"cn=PC2,{OU}"), ("X509:<SKI>01", f"cn=PC2,{OU}"),
        ("X2$", f"cn=X2,{OU}"), ("PC1$", f"cn=PC1,{OU}")]


def test_claims_in_another_spelling(populated):
    """The server's rules fold more than ASCII; who holds what is found all the same, and far from the OU."""
    dn = populated.server.add_computer("Kiosk", f"ou=Devices,{SUFFIX}", servicePrincipalName=["HOST/müller", "HOST/kiosk"])
    claims = [["servicePrincipalName", "HOST/A"], ["servicePrincipalName", "HOST/MÜLLER"], ["sAMAccountName", "B$"]]
    assert populated.run(claims=claims).of("claims")["holders"] == [None, dn, None]


# -- plans --

def test_apply_and_back(world):
    """Each kind of change, and names that go round; all of it comes back exactly as it was."""
    before = {}
    for name in ("KEEP", "SWAP1", "SWAP2", "OLD", "STALE"):
        dn = world.computer(name, description=f"of {name}", servicePrincipalName=[f"HOST/{name}"], displayName="ä ")
        before[name] = dn, world.version(dn)
    world.server.modify(GROUP, member=[before["OLD"][0]])
    was = world.content()

    def rename(phase, old, new):
        return {"phase": phase, "verb": "rename", "dn": f"CN={old},{OU}", "rdn": f"CN={new}", "parent": OU}

    def modify(phase, name, *changes):
        return {"phase": phase, "verb": "modify", "dn": f"CN={name},{OU}", "changes": list(changes)}

    def of(name, *steps):
        dn, version = before[name]
        return action(name, *steps, account=dn, version=version)

    stale = was[before["STALE"][0]]
    plan = [
        action("NEW", create("NEW", description=["new"]), join("NEW")),
        of("SWAP1", rename("aside", "SWAP1", "tmp1"), rename("rename", "tmp1", "SWAP2")),
        of("SWAP2", rename("aside", "SWAP2", "tmp2"), rename("rename", "tmp2", "SWAP1"),
           modify("change", "SWAP1", change("description", ["of SWAP2"], [" ö", "b"]))),
        of("KEEP", modify("yield", "KEEP", change("servicePrincipalName", ["HOST/KEEP"])),
           modify("change", "KEEP", change("servicePrincipalName", come=["HOST/STALE", "HOST/kept"]),
                  change("userAccountControl", ["4096"], ["4098"], whole=True), change("dNSHostName", come=["keep.corp"])),
           join("KEEP")),
        of("OLD", join("OLD", leave=True)),
        of("STALE", modify("yield", "STALE", change("servicePrincipalName", ["HOST/STALE"])),
           {"phase": "delete", "verb": "delete", "dn": before["STALE"][0],
            "changes": [change(name, [value.decode() for value in values]) for name, values in stale.items()
                        if name not in ("servicePrincipalName", "memberOf")]}),
    ]
    job = world.run(plan=plan)
    assert job.end["ok"], job.end
    assert sorted(job.done) == ["KEEP", "NEW", "OLD", "STALE", "SWAP1", "SWAP2"]
    assert (job.end["actions"], job.end["steps"]) == (6, sum(len(item["steps"]) for item in plan))

    now = world.content()
    assert {dn.lower() for dn in now if dn.lower().endswith(OU.lower())} == {
        f"cn={name},{OU}".lower() for name in ("new", "swap1", "swap2", "keep", "old")} | {OU.lower()}
    assert sorted(now[GROUP]["member"]) == sorted([f"cn=NEW,{OU}".encode(), f"cn=KEEP,{OU}".encode()])
    lower = {dn.lower(): entry for dn, entry in now.items()}
    assert lower[f"cn=swap1,{OU}".lower()]["sAMAccountName"] == [b"SWAP2$"]
    assert lower[f"cn=keep,{OU}".lower()]["userAccountControl"] == [b"4098"]

    assert world.undo_files() == [os.path.basename(job.end["undo"])]
    back = world.take_back(job.end["undo"])
    assert back.end["ok"] and {line["type"] for line in back.lines} == {"domain", "undone", "end"}, back.lines

    def folded(content):
        return {dn.lower(): {name: sorted(value.lower() if name in ("cn", "memberOf", "member") else value for value in values)
                             for name, values in entry.items() if values} for dn, entry in content.items()}
    assert folded(world.content()) == folded(was)
    # And a second time there is nothing that could be taken back.
    again = world.take_back(job.end["undo"])
    assert again.end["ok"] and {line["type"] for line in again.lines} == {"domain", "nothing", "left alone", "end"}
    assert folded(world.content()).keys() == folded(was).keys()


def test_nothing_to_do_leaves_no_file(world):
    end = world.run(plan=[]).end
    assert end["ok"] and end["undo"] == "" and world.undo_files() == []


def test_entry_changed_since_the_plan(world):
    dns = {name: world.computer(name) for name in ("A", "B")}
    versions = {name: world.version(dn) for name, dn in dns.items()}
    plan = [action(name, {"phase": phase, "verb": "modify", "dn": dns[name], "changes": [change("description", come=["x"])]},
                   account=dns[name], version=versions[name]) for name, phase in (("A", "yield"), ("B", "change"))]
    world.server.modify(dns["B"], displayName="by hand")
    was = world.content()[dns["B"]]
    end = world.run(plan=[*plan, action("C", create("C"))]).end
    assert not end["ok"] and dns["B"] in end["error"] and "entryCSN" in end["error"] and "new plan" in end["error"], end
    # It is set aside, and the others go on.
    assert (end["failed"], end["actions"], end["aside"], end["begun"], end["untried"]) == (False, 2, 1, 0, 0)
    now = world.content()
    assert now[dns["A"]]["description"] == [b"x"] and now[dns["B"]] == was and f"cn=C,{OU}" in now
    assert [dn.lower() for dn in records(end["undo"])] == [f"cn=c,{OU}".lower(), dns["A"].lower()]

    # One that is gone, and one whose version changed only for its membership.
    world.server.delete(dns["B"])
    end = world.run(plan=plan[1:]).end
    assert not end["ok"] and dns["B"] in end["error"] and "went away" in end["error"], end
    assert end["undo"] == ""
    stale = action("A", join("A"), account=dns["A"], version=versions["A"])
    end = world.run(plan=[stale]).end
    assert not end["ok"] and dns["A"] in end["error"] and "entryCSN" in end["error"], end
    assert "member" not in world.content()[GROUP]


def test_values_changed_since_the_plan(world):
    dn = world.computer("A", description="now")
    end = world.run(plan=[action("A", {"phase": "change", "verb": "modify", "dn": dn, "changes": [
        change("description", ["then"], ["later"])]}, account=dn, version=world.version(dn))]).end
    assert not end["ok"] and dn in end["error"] and "since the plan was made" in end["error"], end
    assert world.content()[dn]["description"] == [b"now"] and world.undo_files() == []
    end = world.run(plan=[action("A", create("A"))]).end
    assert not end["ok"] and f"CN=A,{OU} cannot be created" in end["error"] and "somebody made it" in end["error"], end
    assert world.undo_files() == []


def test_one_that_is_refused_does_not_keep_the_others(world):
    """For what nobody can plan for, like a name that is taken by somebody who may not be seen; however many they are."""
    world.server.add_computer("B", parent=OU)
    was = world.content()
    job = world.run(plan=[action(name, create(name), join(name)) for name in ("A", "B", "C")])
    assert not job.end["ok"] and f"CN=B,{OU} cannot be created" in job.end["error"], job.end
    assert sorted(job.done) == ["A", "C"] and job.end["steps"] == 4
    assert len(world.content()[GROUP]["member"]) == 2
    world.take_back(job.end["undo"])
    assert world.content() == was

    names = [f"T{number:03}" for number in range(100)]
    for name in names[:50]:
        world.server.add_computer(name, parent=OU)
    job = world.run(plan=[action(name, create(name), join(name)) for name in names])
    assert not job.end["ok"] and "cannot be created" in job.end["error"], job.end
    assert (job.end["failed"], sorted(job.done), job.end["aside"]) == (False, names[50:], 50)


def test_members_together(world):
    """Memberships go many in one operation; one that is gone already is found, and set aside alone."""
    names = [f"PC{number:05}" for number in range(450)]
    job = world.run(plan=[action(name, create(name), join(name)) for name in names])
    assert job.end["ok"] and len(world.content()[GROUP]["member"]) == 450, job.end
    assert sorted(job.done) == names and len(records(job.end["undo"])) == 450

    world.server.modify(GROUP, member=[f"CN={name},{OU}" for name in names if name != "PC00250"])
    versions = {account["cn"]: account["version"] for account in world.run(accounts=True).of("accounts")["own"]}
    leaving = [action(name, join(name, leave=True), account=f"CN={name},{OU}", version=versions[name]) for name in names]
    job = world.run(plan=leaving)
    assert not job.end["ok"] and GROUP in job.end["error"] and f"by its member CN=PC00250,{OU}" in job.end["error"], job.end
    assert "since the plan was made" in job.end["error"], job.end
    assert sorted(job.done) == [name for name in names if name != "PC00250"] and "member" not in world.content()[GROUP]
    assert sorted(records(job.end["undo"])) == [GROUP] * 449


def test_odd_members_are_no_missing_right(tmp_path, program):
    """A group that takes some members is one whose right is given, however many others are refused by the same words."""
    world = World(tmp_path, program, overlay=MEMBEROF + "memberof-dangling error\nmemberof-dangling-error 53\n")
    try:
        fine = [f"FINE{number}" for number in range(9)]
        job = world.run(plan=[*[action(name, join(name)) for name in [f"ODD{number}" for number in range(8)]],
                              *[action(name, create(name), join(name)) for name in fine]])
        assert (job.end["failed"], sorted(job.done), job.end["aside"]) == (False, fine, 8), job.end
        assert len(world.content()[GROUP]["member"]) == 9
    finally:
        world.close()


def modification(name, dn, version, phase="change", **attributes):
    """An action that adds values to an account."""
    return action(name, {"phase": phase, "verb": "modify", "dn": dn, "changes": [
        change(key, come=[value]) for key, value in attributes.items()]}, account=dn, version=version)


@pytest.fixture
def odd(tmp_path, program):
    """Some accounts may not be written by the one that applies; everything else may."""
    writer = f'by dn.exact="{READER}"'
    world = World(tmp_path, program, access=(
        f'access to dn.regex="^cn=DENIED[^,]*,{OU}$" {writer} read by anonymous auth\n'
        f'access to * {writer} write by anonymous auth'))
    world.as_writer = {"identity": READER, "password": READER_PASSWORD}
    yield world
    world.close()


def test_odd_entries_keep_nobody_waiting(odd):
    """Refused in whatever way, an entry is set aside and told; who is to be disabled comes before all others."""
    dns = {name: odd.computer(name) for name in ("DENIED", "PARENT", "CLASS", "GONE", "TOUCHED", "LAPTOP", "ZULU")}
    odd.computer("BELOW", parent=dns["PARENT"])
    versions = {name: odd.version(dn) for name, dn in dns.items()}
    odd.server.delete(dns["GONE"])
    odd.server.modify(dns["TOUCHED"], displayName="by hand")

    def modify(name, phase="yield", **attributes):
        return modification(name, dns[name], versions[name], phase, **attributes)

    def delete(name):
        return {"phase": "delete", "verb": "delete", "dn": dns[name], "changes": []}

    elsewhere = {**create("ELSEWHERE"), "dn": "CN=ELSEWHERE,DC=other,DC=example"}
    plan = [modify("DENIED", description="x"), modify("CLASS", dc="x"), modify("GONE", description="x"),
            modify("TOUCHED", description="x"), action("ELSEWHERE", elsewhere, join("ELSEWHERE")),
            action("PARENT", modify("PARENT", description="x")["steps"][0], delete("PARENT"),
                   account=dns["PARENT"], version=versions["PARENT"]),
            modify("LAPTOP", "disable", description="stolen"), action("NEW", create("NEW"), join("NEW")),
            action("ZULU", delete("ZULU"), account=dns["ZULU"], version=versions["ZULU"])]
    job = odd.run(odd.as_writer, plan=plan)
    end = job.end
    assert job.done == ["LAPTOP", "NEW", "ZULU"]
    assert (end["failed"], end["ok"], end["actions"], end["begun"], end["aside"], end["untried"]) == (False, False, 3, 1, 5, 0)
    left = {line["name"]: line for line in job.lines if line["type"] == "left"}
    for name, said in (("DENIED", "write its description"), ("CLASS", "breaks a rule"), ("GONE", "went away"),
                       ("TOUCHED", "entryCSN"), ("ELSEWHERE", "takes no changes, or not this one"),
                       ("PARENT", "what stands below it")):
        assert said in left.pop(name)["why"], job.lines
    assert not left
    now = odd.content()
    assert now[dns["LAPTOP"]]["description"] == [b"stolen"] and now[dns["PARENT"]]["description"] == [b"x"]
    line, = [line for line in job.lines if line["type"] == "left" and line["left"]]
    assert (line["name"], line["left"]) == ("PARENT", "delete")


def test_many_odd_entries(odd):
    """All of them neighbours and the first in the plan."""
    odd.run(plan=[action(name, create(name)) for name in [f"DENIED{number:03}" for number in range(300)] +
                  [f"FINE{number:04}" for number in range(2700)]])
    accounts = odd.run(accounts=True).of("accounts")["own"]
    plan = [modification(one["cn"], one["dn"], one["version"], description="x") for one in accounts]
    assert plan[0]["name"].startswith("DENIED")
    job = odd.run(odd.as_writer, plan=plan)
    assert (job.end["failed"], job.end["actions"], job.end["aside"]) == (False, 2700, 300), job.end
    assert all(name.startswith("FINE") for name in job.done) and len(set(job.done)) == 2700
    # Where nobody is given the right, it is the right that is told, and not all of them are tried.
    job = odd.run(odd.as_writer, plan=[*plan[:300], action("NEW", create("NEW"))])
    end = job.end
    assert end["failed"] and "write its description" in end["error"] and "given to none" in end["error"], end
    assert (job.done, end["aside"] < 200, end["aside"] + end["untried"]) == (["NEW"], True, 300), end


def test_what_was_not_given_up_is_not_given_to_another(odd):
    """No server minds a certificate mapping on two accounts, and NPS lets neither in."""
    mapping = "X509:<SKI>0102"
    dns = {name: odd.computer(name, **({"altSecurityIdentities": mapping} if name == "DENIED" else {}))
           for name in ("DENIED", "TAKER", "OTHER")}
    odd.server.modify(dns["OTHER"], altSecurityIdentities=mapping.replace("0102", "03"))
    versions = {name: odd.version(dn) for name, dn in dns.items()}

    def give(name, value):
        return action(name, {"phase": "yield", "verb": "modify", "dn": dns[name],
                             "changes": [change("altSecurityIdentities", [value])]}, account=dns[name], version=versions[name])

    job = odd.run(odd.as_writer, plan=[
        give("DENIED", mapping), give("OTHER", mapping.replace("0102", "03")),
        modification("TAKER", dns["TAKER"], versions["TAKER"], altSecurityIdentities=mapping.lower()),
        action("NEW", create("NEW", altSecurityIdentities=[mapping.replace("0102", "03")]))])
    assert sorted(job.done) == ["NEW", "OTHER"] and job.end["aside"] == 2, job.end
    why = {line["name"]: line["why"] for line in job.lines if line["type"] == "left"}
    assert "still has" in why["TAKER"] and dns["DENIED"] in why["TAKER"]
    assert "altSecurityIdentities" not in odd.content()[dns["TAKER"]]


def test_a_name_that_was_not_given_up_is_known_in_another_spelling(odd):
    """Without accents, where Active Directory takes both for one."""
    name = "HOST/m\u00fcller"
    dns = {cn: odd.computer(cn, **({"servicePrincipalName": name} if cn == "DENIED" else {})) for cn in ("DENIED", "TAKER")}
    versions = {cn: odd.version(dn) for cn, dn in dns.items()}
    give = action("DENIED", {"phase": "yield", "verb": "modify", "dn": dns["DENIED"],
                             "changes": [change("servicePrincipalName", [name])]}, account=dns["DENIED"], version=versions["DENIED"])
    take = modification("TAKER", dns["TAKER"], versions["TAKER"], servicePrincipalName="HOST/Muller")
    job = odd.run(odd.as_writer, accents=False, plan=[give, take])
    why = {line["name"]: line["why"] for line in job.lines if line["type"] == "left"}
    assert not job.done and "still has" in why["TAKER"], (job.done, why)
    # Elsewhere they are two names.
    assert odd.run(odd.as_writer, plan=[give, take]).done == ["TAKER"]


def test_who_is_somebody_else_by_the_time_of_its_deletion_stays(world):
    """The version was read long before, when it gave something up; a PC is joined in the meantime."""
    dns = {name: world.computer(name, description="x") for name in ("A", "B")}
    versions = {name: world.version(dn) for name, dn in dns.items()}
    plan = [action(name, {"phase": "yield", "verb": "modify", "dn": dn, "changes": [change("description", ["x"])]},
                   {"phase": "delete", "verb": "delete", "dn": dn, "changes": [change("cn", come=[name])]},
                   account=dn, version=versions[name]) for name, dn in dns.items()]
    somebody = action("somebody", {"phase": "change", "verb": "modify", "dn": dns["A"],
                                   "changes": [change("adminDescription", ["certdir:wifi:A"])]})
    job = world.run(plan=[*plan, somebody])
    assert dns["A"] in world.content() and dns["B"] not in world.content()
    assert (job.end["failed"], sorted(job.done), job.end["begun"]) == (False, ["B", "somebody"], 1), job.end
    left, = [line for line in job.lines if line["type"] == "left"]
    assert (left["name"], left["left"]) == ("A", "delete") and "left as it is" in left["why"]


@pytest.mark.parametrize("last", ["change", "join"])
def test_who_is_somebody_else_between_two_steps_stays_so(world, last):
    dns = {name: world.computer(name, description="x") for name in ("A", "B")}
    versions = {name: world.version(dn) for name, dn in dns.items()}

    def second(name):
        if last == "join":
            return join(name)
        return {"phase": "change", "verb": "modify", "dn": dns[name], "changes": [change("description", come=["y"])]}

    plan = [action(name, {"phase": "yield", "verb": "modify", "dn": dn, "changes": [change("description", ["x"])]},
                   second(name), account=dn, version=versions[name]) for name, dn in dns.items()]
    somebody = action("somebody", {"phase": "rename", "verb": "modify", "dn": dns["A"],
                                   "changes": [change("adminDescription", ["certdir:wifi:A"])]})
    job = world.run(plan=[*plan, somebody])
    content = world.content()
    assert "description" not in content[dns["A"]]
    if last == "join":
        assert content[GROUP]["member"] == [dns["B"].encode()]
    else:
        assert content[dns["B"]]["description"] == [b"y"]
    assert (job.end["failed"], sorted(job.done), job.end["begun"]) == (False, ["B", "somebody"], 1), job.end


def test_many_are_read_in_pages(world):
    end = world.run(plan=creations(2500)).end
    assert end["ok"], end
    accounts = world.run(accounts=True).of("accounts")
    assert (accounts["own_count"], accounts["foreign_count"]) == (2500, 0)
    assert [account["cn"] for account in accounts["own"]] == [f"PC{number:05}" for number in range(2500)]


# -- what breaks --

def test_server_killed(world):
    world.computer("THERE")
    was = world.content()
    job = world.job(plan=creations(3000))
    job.read_done(200)
    world.server.kill()
    job.finish()
    assert not job.end["ok"] and world.server.uri in job.end["error"] and "nobody knows" in job.end["error"], job.end
    assert 200 <= job.end["actions"] == len(job.done) < 3000
    world.server.start()
    made = {dn.lower() for dn in world.content()} - {dn.lower() for dn in was}
    listed = {dn.lower() for dn in records(job.end["undo"])}
    # What was on the way counts as done; more than the window is never on the way.
    assert {f"cn={name},{OU}".lower() for name in job.done} <= listed and made <= listed
    assert len(listed) - len(job.done) <= 64
    world.take_back(job.end["undo"])
    assert world.content() == was


def test_apply_killed(world):
    """kill -9: the file on the disk covers what may have been done, and was complete before the first change."""
    dn = world.computer("THERE", description="a")
    was = world.content()
    first = action("THERE", {"phase": "change", "verb": "modify", "dn": dn, "changes": [
        change("description", ["a"], ["b"])]}, account=dn, version=world.version(dn))
    job = world.job(plan=[first, *creations(3000)])
    job.read_done(100)
    job.kill()
    undo, = [name for name in world.undo_files() if name.endswith(".ldif")]
    world.take_back(world.undo / undo)
    assert world.content() == was


def test_undo_never_covers_a_later_phase(world):
    """Taking back a creation that was never tried would delete the entry that still has the name."""
    dns = {name: world.computer(name, description="a") for name in ("A", "B")}
    was = world.content()
    plan = [action("A", {"phase": "yield", "verb": "modify", "dn": dns["A"], "changes": [change("description", ["a"], ["b"])]},
                   account=dns["A"], version=world.version(dns["A"])),
            action("B", {"phase": "rename", "verb": "rename", "dn": dns["B"], "rdn": "CN=C", "parent": OU},
                   account=dns["B"], version=world.version(dns["B"])),
            action("new B", {**create("B"), "dn": dns["B"]})]
    job = world.job(plan=plan, hang_at=1)
    job.read_done(1)
    job.kill()
    undo = world.undo / world.undo_files()[0]
    assert records(undo) == [dns["A"]]
    world.take_back(undo)
    assert world.content() == was


def test_stopped_by_a_signal(world):
    job = world.job(plan=creations(3000))
    job.read_done(100)
    job.process.send_signal(signal.SIGINT)
    job.finish()
    end = job.end
    assert not end["ok"] and end["stopped"] and "signal" in end["error"], end
    assert 100 <= end["actions"] == len(job.done) < 3000
    # All that was sent was answered: what was done, is in the file, and nothing else.
    assert sorted(records(end["undo"])) == sorted(f"CN={name},{OU}" for name in job.done)
    assert world.run(accounts=True).of("accounts")["own_count"] == len(job.done)
    assert world.take_back(end["undo"]).end["ok"]
    assert world.run(accounts=True).of("accounts")["own_count"] == 0


def test_an_entry_that_cannot_be_read_keeps_none_from_being_taken_back(tmp_path, program):
    reader = {"identity": READER, "password": READER_PASSWORD}
    world = World(tmp_path, program, access=(
        f'access to dn.exact="cn=B,{OU}" attrs=entryCSN by dn.exact="{ADMIN}" write by * none\n'
        f'access to * by dn.exact="{READER}" write by anonymous auth'))
    try:
        undo = world.run(plan=[action(name, create(name)) for name in ("A", "B", "C")]).end["undo"]
        job = world.run(reader, undo=undo)
        assert job.end["ok"] and f"cn=C,{OU}" not in world.content() and f"cn=A,{OU}" not in world.content(), job.end
        assert f"cn=B,{OU}" in world.content()
    finally:
        world.close()


def test_two_at_once(world):
    """Both have made the same plan; each change is made once, and each file takes back what its own apply did."""
    plan = creations(1500)
    jobs = [world.job(plan=plan) for _ in range(2)]
    for job in jobs:
        job.finish()
    done = [job.done for job in jobs]
    assert not set(done[0]) & set(done[1])
    assert sum(job.end["ok"] for job in jobs) == 0 or [] in done
    made = world.run(accounts=True).of("accounts")["own_count"]
    assert made == len(done[0]) + len(done[1])
    for job in jobs:
        if not job.end["ok"]:
            assert "somebody made it since the plan was made" in job.end["error"], job.end
        assert sorted(records(job.end["undo"]) if job.end["undo"] else []) == sorted(f"CN={name},{OU}" for name in job.done)


@pytest.mark.parametrize("kind", ["file", "full"])
def test_no_undo_file_no_change(world, kind):
    was = world.content()
    if kind == "file":
        world.undo.write_text("")
        end = world.run(plan=creations(3)).end
        assert "undo" in end["error"] and "undo_directory" in end["error"] and str(world.undo) in end["error"], end
    else:
        world.undo.mkdir()
        # So much that no file may be as large; a small part of it alone would fit.
        job = world.run({}, plan=[action("A", create("A")), *[action(f"B{number}", {
            "phase": "delete", "verb": "delete", "dn": f"CN=B{number},{OU}",
            "changes": [change("description", ["x" * 50000])]}, account=f"CN=B{number},{OU}", version="1")
            for number in range(40)]], file_size=500000)
        end = job.end
        assert "undo" in end["error"] and "File too large" in end["error"], end
    assert not end["ok"] and end["actions"] == 0 and end["undo"] == ""
    assert world.content() == was
    assert kind == "file" or world.undo_files() == []


# -- rights --

WRITER = READER  # an account that is there already
ACCESS = {
    "none": "",
    "create": f'access to dn.subtree="{OU}" attrs=children by dn.exact="{WRITER}" write by users read by anonymous auth\n'
              f'access to dn.one="{OU}" attrs=entry by dn.exact="{WRITER}" add by users read by anonymous auth',
}


@pytest.fixture(scope="module", params=["none", "create"])
def restricted(request, tmp_path_factory, program):
    world = World(tmp_path_factory.mktemp("restricted"), program, access=ACCESS[request.param])
    world.may_create = request.param == "create"
    world.there = world.computer("THERE")
    yield world
    world.close()


def test_rights_missing(restricted):
    there, version = restricted.there, restricted.version(restricted.there)
    was = restricted.content()

    def refused(*steps, account=there):
        end = restricted.run({"identity": READER, "password": READER_PASSWORD},
                             plan=[action("A", *steps, **({"account": account, "version": version} if account else {}))]).end
        assert not end["ok"], end
        assert restricted.content() == was and restricted.undo_files() == [] and end["undo"] == ""
        return end["error"]

    if not restricted.may_create:
        error = refused(create("NEW"), account=None)
        assert f"CN=NEW,{OU} cannot be created" in error and "create computer objects in this OU" in error, error
    error = refused({"phase": "change", "verb": "modify", "dn": there, "changes": [
        change("description", come=["x"]), change("dNSHostName", come=["y"])]})
    assert f"{there} cannot be changed" in error and "write its description, dNSHostName" in error, error
    error = refused({"phase": "rename", "verb": "rename", "dn": there, "rdn": "CN=NEW", "parent": OU})
    assert f"{there} cannot be renamed" in error and "write name and cn" in error, error
    error = refused({"phase": "delete", "verb": "delete", "dn": there, "changes": []})
    assert f"{there} cannot be deleted" in error and "delete computer objects in this OU" in error, error
    error = refused(join("THERE"))
    assert f"{GROUP} cannot be changed" in error and "write its member" in error, error


def test_read_only_database(tmp_path, program):
    world = World(tmp_path, program)
    try:
        world.server.stop()
        world.server.settings, world.server.access = "", "readonly on"
        world.server.write()
        world.server.start()
        end = world.run(plan=creations(100)).end
        assert not end["ok"] and "takes no changes" in end["error"] and end["undo"] == "", end
        assert world.undo_files() == [] and end["actions"] == 0
    finally:
        world.close()


# -- Active Directory --

@pytest.fixture
def ad(domain, program, tmp_path):
    """A configuration for the domain controller, with an OU and a group of this test's own."""
    ou, group = domain.add_ou("Applied"), domain.add_group("Applied group")
    yield {"server": domain.ldaps_uri, "identity": samba.ADMIN, "password": samba.ADMIN_PASSWORD, "ou": ou,
           "ca_file": str(domain.ca_file), "columns": COLUMNS, "mark_attribute": "adminDescription", "member_of": group,
           "res_timeout": 20, "undo_directory": str(tmp_path / "undo"), "primary_group": True}
    for dn in sorted(domain.below(ou), key=len, reverse=True):
        domain.delete(dn)
    for dn in (ou, group):
        domain.delete(dn)


def test_active_directory_itself(domain, program, ad):
    job = Job(program, ad).finish()
    assert job.of("domain") == {
        "type": "domain", "active_directory": True, "version_attribute": "uSNChanged", "base": samba.BASE,
        "name": samba.DNS, "computers": samba.COMPUTERS,
        "groups": [{"dn": ad["member_of"], "id": domain.rid(ad["member_of"]), "name": "Applied group"}]}
    # What is no security group, or cannot be a primary one.
    for group_type, primary, said in ((2, False, "distribution group"), (-2147483644, True, "global or universal"),
                                      (-2147483644, False, None)):
        group = domain.add_group(f"Type {group_type} {primary}")
        domain.modify(group, groupType=-2147483640)  # universal, which may become either
        domain.modify(group, groupType=group_type)
        end = Job(program, {**ad, "member_of": group, "primary_group": primary}).finish().end
        domain.delete(group)
        assert end["ok"] == (said is None) and (said or "") in end["error"], end
    end = Job(program, {**ad, "member_of": ad["ou"]}).finish().end
    assert "it is not a group" in end["error"], end
    end = Job(program, {**ad, "identity": "", "password": ""}).finish().end
    assert not end["ok"] and "identity" in end["error"], end


def test_active_directory_and_back(domain, program, ad):
    ou, group, rid = ad["ou"], ad["member_of"], domain.rid(ad["member_of"])
    for name in ("KEEP", "STALE"):
        domain.add_computer(name, ou, adminDescription=f"certdir:wifi:{name}", description=f"of {name}",
                            userAccountControl=4098 if name == "STALE" else 4096)
    accounts = {account["cn"]: account for account in Job(program, ad, accounts=True).finish().of("accounts")["own"]}
    assert sorted(accounts) == ["KEEP", "STALE"] and accounts["KEEP"]["guid"] and accounts["KEEP"]["sid"]

    def settle(entries):
        unsaid = {"uSNChanged", "uSNCreated", "whenChanged", "whenCreated", "objectGUID", "objectSid", "pwdLastSet",
                  "dSCorePropagationData", "replPropertyMetaData"}
        return {dn: {name: sorted(values) for name, values in entry.items() if name not in unsaid}
                for dn, entry in entries.items()}

    was, members = settle(domain.below(ou)), [domain.entry(dn).get("member", []) for dn in (group, samba.COMPUTERS)]

    def of(name, *steps):
        return action(name, *steps, account=accounts[name]["dn"], version=accounts[name]["version"])

    new = f"CN=NEW,{ou}"
    member = {"verb": "modify", "dn": group, "phase": "join", "changes": [change("member", come=[new])]}
    plan = [
        action("NEW", {**create("NEW", servicePrincipalName=["HOST/NEW"]), "dn": new}, member,
               {"verb": "modify", "dn": new, "phase": "primary", "changes": [
                   change("primaryGroupID", ["515"], [str(rid)], whole=True)]},
               {**member, "phase": "leave", "dn": samba.COMPUTERS, "changes": [change("member", [new])]}),
        of("KEEP", {"phase": "rename", "verb": "rename", "dn": accounts["KEEP"]["dn"], "rdn": "CN=KEPT", "parent": ou},
           {"phase": "change", "verb": "modify", "dn": f"CN=KEPT,{ou}", "changes": [
               change("description", ["of KEEP"], ["ü"]), change("servicePrincipalName", come=["HOST/KEPT"]),
               change("userAccountControl", ["4096"], ["4098"], whole=True)]}),
        of("STALE", {"phase": "delete", "verb": "delete", "dn": accounts["STALE"]["dn"], "changes": [
            change("objectClass", come=["computer"]), change("cn", come=["STALE"]),
            change("sAMAccountName", come=[accounts["STALE"]["account_name"]]),
            change("userAccountControl", come=["4098"]), change("description", come=["of STALE"]),
            change("adminDescription", come=["certdir:wifi:STALE"])]}),
    ]
    job = Job(program, ad, plan=plan).finish()
    assert job.end["ok"] and job.end["steps"] == 7, job.end
    entry = domain.entry(new)
    assert entry["primaryGroupID"] == [str(rid).encode()] and entry["userAccountControl"] == [b"4096"]
    assert "memberOf" not in entry  # neither by Domain Computers nor by the group, which is the primary one
    assert int(entry["pwdLastSet"][0]) > 0
    assert sorted(domain.below(ou)) == sorted([new, f"CN=KEPT,{ou}"])

    # Active Directory cannot be asked to delete only what still has its mark, so ldapmodify deletes nothing.
    with open(job.end["undo"], encoding="ascii") as file:
        deletion, = [record for record in file.read().split("\n\n") if "changetype: delete" in record]
    back = subprocess.run(["ldapmodify", "-x", "-H", domain.ldaps_uri, "-D", samba.ADMIN, "-w", samba.ADMIN_PASSWORD],
                          input=deletion, capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "LDAPTLS_CACERT": str(domain.ca_file)})
    assert back.returncode == 12 and "ritical extension" in back.stderr and domain.entry(new), back.stderr
    job = Job(program, ad, undo=job.end["undo"]).finish()
    assert job.end["ok"] and {line["type"] for line in job.lines} == {"domain", "undone", "end"}, job.lines
    # What comes back has a password again, which nobody knows.
    assert int(domain.entry(accounts["STALE"]["dn"])["pwdLastSet"][0]) > 0
    assert settle(domain.below(ou)) == was
    assert [domain.entry(dn).get("member", []) for dn in (group, samba.COMPUTERS)] == members

    # And somebody's change in between is seen.
    domain.modify(accounts["KEEP"]["dn"], displayName="by hand")
    end = Job(program, ad, plan=plan[1:2]).finish().end
    assert not end["ok"] and accounts["KEEP"]["dn"] in end["error"] and "uSNChanged" in end["error"], end
