# SPDX-License-Identifier: GPL-2.0-or-later
"""
What scripts were written for, against a real domain controller (Samba): groups of the list become groups of the domain, an account moves to
another OU and stays the same one, and accounts that a script made are adopted.
"""

import contextlib

import pytest

from testenv import placeholder_worlds as worlds
from testenv.devices import device_id
from testenv.placeholder_office import Office
from testenv.placeholders import DONE, FAILED, NOTHING, PROBLEMS, REFUSED, TO_DO
from testenv.samba import BASE, COMPUTERS, USERS, create_and_delete, write_members
from testenv.slapd import ADMIN as SLAPD_ADMIN, SUFFIX

GUESTS = f"ou=Guests,{SUFFIX}"


class Campus(Office):
    """An Office with two groups, red and blue, that follow those of the list, and a second OU."""

    def __init__(self, directory, domain, **options):
        super().__init__(directory, domain, **options)
        self.red, self.blue = (domain.add_group(f"{name} {self.tag}") for name in ("Red", "Blue"))
        self.staff = domain.add_ou(f"Staff {self.tag}", parent=self.ou)
        for group in (self.red, self.blue):
            domain.grant(group, write_members(self.account.sid))
        domain.grant(self.staff, create_and_delete(self.account.sid))
        self.options |= {'group "Red team"': self.red, 'group "blue TEAM"': self.blue, 'ou_of_group "Staff"': self.staff}
        # A list that is imported knows the groups that some device is in.
        self.list.add(f"{self.tag}-ALL", groupNames=["Red team", "Blue team", "Staff"], accountEnabled=False)

    def change(self, name, *groups):
        self.list.change(name, groupNames=list(groups))

    def members(self, group):
        """By member and by primary group: what of the section's OUs is in it, and what else."""
        listed = {dn.decode() for dn in self.domain.entry(group, "member").get("member", [])}
        found = listed | set(self.domain.find(f"(primaryGroupID={self.domain.rid(group)})", "cn"))
        return sorted(dn.split(",")[0][3:] for dn in found if dn.endswith(self.ou)), sorted(
            dn for dn in found if not dn.endswith(self.ou))

    def primary(self, name, ou=None):
        return int(self.domain.entry(f"CN={name},{ou or self.ou}", "primaryGroupID")["primaryGroupID"][0])


@pytest.fixture
def campus(tmp_path, domain):
    return Campus(tmp_path / "campus", domain)


def undone(campus, run):
    """Plays the way back as an administrator does."""
    campus.run("undo", campus.undo / run.summary["undo"].rpartition("/")[2], code=DONE)


def test_a_device_changes_its_groups_and_keeps_its_account(campus, domain):
    one, two, three = (campus.add(number) for number in (1, 2, 3))
    printer = domain.add_computer(f"{campus.tag}-PRN", campus.ou)
    for group in (campus.red, campus.blue):
        domain.modify(group, member=[printer])
    campus.change(one, "Red team")
    campus.change(two, "Red team", "Blue team")
    campus.apply()
    assert campus.members(campus.red)[0] == sorted([one, two, f"{campus.tag}-PRN"])
    assert campus.members(campus.blue)[0] == sorted([two, f"{campus.tag}-PRN"])
    assert campus.members(campus.group)[0] == sorted([one, two, three])
    # The first in the file that fits, else that of all.
    assert [campus.primary(name) for name in (one, two, three)] == [
        domain.rid(campus.red), domain.rid(campus.red), domain.rid(campus.group)]
    assert not any(campus.ou.encode() in dn for dn in domain.entry(COMPUTERS).get("member", []) if printer.encode() != dn)
    campus.settled()

    sids = {name: domain.sid(campus.dn(name)) for name in (one, two, three)}
    before = {dn: (campus.members(dn), campus.primary(one), campus.primary(two)) for dn in (campus.red, campus.blue, campus.group)}
    campus.change(one, "Blue team")
    campus.change(two)
    campus.change(three, "Red team")
    run = campus.apply()
    assert run.done == sorted(("change", name) for name in (one, two, three))
    assert campus.members(campus.red)[0] == sorted([three, f"{campus.tag}-PRN"])
    assert campus.members(campus.blue)[0] == sorted([one, f"{campus.tag}-PRN"])
    assert campus.members(campus.group)[0] == sorted([one, two, three])
    assert [campus.primary(name) for name in (one, two, three)] == [
        domain.rid(campus.blue), domain.rid(campus.group), domain.rid(campus.red)]
    assert {name: domain.sid(campus.dn(name)) for name in sids} == sids
    campus.settled()
    undone(campus, run)
    assert {dn: (campus.members(dn), campus.primary(one), campus.primary(two)) for dn in before} == before


def test_without_a_group_for_all_domain_computers_is_primary_again(campus, domain):
    name = campus.add(1, groupNames=["Red team"])
    campus.options["member_of"] = None
    campus.apply()
    assert campus.primary(name) == domain.rid(campus.red)
    campus.change(name)
    campus.apply()
    assert campus.primary(name) == 515 and campus.members(campus.red)[0] == []
    assert campus.dn(name).encode() not in domain.entry(COMPUTERS).get("member", [])
    campus.settled()


def test_an_account_moves_to_the_other_ou_and_back(campus, domain):
    name = campus.add(1, groupNames=["Red team"])
    campus.apply()
    sid = domain.sid(campus.dn(name))
    campus.change(name, "Red team", "Staff")
    run = campus.apply()
    assert run.done == [("move", name)]
    assert domain.sid(f"CN={name},{campus.staff}") == sid and campus.account_of(name) is None
    assert campus.primary(name, campus.staff) == domain.rid(campus.red)
    campus.settled()
    assert campus.plan().remarks("foreign") == {}, "the OU itself is told as a foreign entry"
    # Somebody else's in the place that it would come back to: it stays.
    obstacle = domain.add_computer(name, campus.ou, sAMAccountName=f"{campus.tag}-X$")
    campus.change(name, "Red team")
    campus.list.publish()
    plan = campus.plan(code=PROBLEMS)
    assert obstacle in plan.remarks("problem")[device_id(name)] and obstacle in plan.remarks("foreign")
    domain.delete(obstacle)
    assert campus.apply().done == [("move", name)]
    assert domain.sid(campus.dn(name)) == sid


def test_what_is_missing_is_an_error_before_anything_is_done(campus):
    campus.add(1)
    campus.list.publish()
    before = campus.everything()
    for option, value, code, said in (
            ('group "Nobody knows"', campus.red, REFUSED, 'group "Nobody knows": the device list knows no group'),
            ('ou_of_group "Nobody knows"', campus.staff, REFUSED, 'ou_of_group "Nobody knows": the device list knows no'),
            ('ou_of_tenant "contoso"', f"OU=missing,{campus.ou}", FAILED, f'ou_of_tenant "contoso" = OU=missing,{campus.ou}'),
            ('group "Staff"', f"CN=missing,{campus.ou}", FAILED, f'group "Staff" = CN=missing,{campus.ou}'),
            ('group "Staff"', campus.staff, FAILED, "it is not a group"),
            ('group "Staff"', COMPUTERS, FAILED, f'group "Staff" = {COMPUTERS}: every computer account is in Domain Computers'),
            ('group "Staff"', f"CN=Domain Admins,{USERS}", FAILED, "it is protected, as those of administrators are"),
            ("member_of", f"CN=Administrators,CN=Builtin,{BASE}", FAILED, "it is protected, as those of administrators are")):
        before_it = campus.options.get(option)
        campus.options[option] = value
        assert said in campus.run("apply", code=code).said
        campus.options[option] = before_it
    assert campus.everything() == before


def test_ous_of_a_directory_that_is_none_of_microsoft(tmp_path):
    """Beside each other and within another, spelled in another way than the server does; with entries of kind = device."""
    with worlds.server(tmp_path / "slapd", unique=False) as slapd:
        worlds.fill(slapd)
        for dn in (f"ou=Staff,{worlds.OU}", GUESTS):
            slapd.add_entry(dn, objectClass="organizationalUnit", ou=dn.split(",")[0][3:])
        site = worlds.Site(tmp_path / "site", slapd.uri, kind="device", name="{name}", **{
            'ou_of_group "Staff"': f"OU=staff, {worlds.OU.upper()}", 'ou_of_group "Guests"': GUESTS.replace(",", " , ")})
        site.bind_as(SLAPD_ADMIN)
        site.add("LAPTOP-1")
        site.add("LAPTOP-2", groupNames=["Guests"])
        site.add("LAPTOP-3", groupNames=["Staff", "Guests"])
        site.publish()
        assert site.apply().kinds() == {"create": 3}

        def places():
            return dict(dn[3:].split(",", 1) for dn in slapd.contents() if dn.lower().startswith("cn=laptop-"))
        assert places() == {"LAPTOP-1": worlds.OU, "LAPTOP-2": GUESTS, "LAPTOP-3": f"ou=Staff,{worlds.OU}"}
        plan = site.plan(code=NOTHING)
        assert plan.remarks("foreign") == {} and plan.summary["unchanged"] == 3
        # Each changes to the next one's place; the entries stay the same.
        ids = {dn.split(",")[0]: entry["entryUUID"] for dn, entry in slapd.contents().items()}
        for name, groups in (("LAPTOP-1", ["Guests"]), ("LAPTOP-2", ["Staff"]), ("LAPTOP-3", [])):
            site.devices[device_id(name)]["groupNames"] = groups
        site.publish()
        assert site.apply().kinds() == {"move": 3}
        assert places() == {"LAPTOP-1": GUESTS, "LAPTOP-2": f"ou=Staff,{worlds.OU}", "LAPTOP-3": worlds.OU}
        assert {dn.split(",")[0]: entry["entryUUID"] for dn, entry in slapd.contents().items()} == ids


# ---- adopting ----

def scripted(campus, name, **more):
    """As New-ADComputer in a script makes them: by deviceId, with HOST names, a description and a group."""
    key = device_id(name)
    dn = campus.domain.add_computer(key, campus.ou, **{
        "servicePrincipalName": [f"HOST/{key}"], "description": f"{name} from Intune", **more})
    member = campus.domain.entry(campus.group, "member").get("member", [])
    campus.domain.modify(campus.group, member=[*member, dn.encode()])
    return dn


def adopt(campus, *arguments, code=None, pattern="{entra_device_id}"):
    campus.list.publish()
    return campus.run("adopt", "--pattern", pattern, *arguments, "wifi", code=code)


def test_accounts_of_a_script_are_adopted(campus, domain):
    names = [campus.add(number) for number in range(4)]
    dns = [scripted(campus, name) for name in names[:2]]
    dns.append(scripted(campus, names[2], userAccountControl=4098))
    real = scripted(campus, names[3], operatingSystem="Windows 11 Enterprise")
    stranger = domain.add_computer(f"{campus.tag}-FAX", campus.ou)
    campus.options["name"] = "{entra_device_id}"
    before = campus.everything()
    plan = adopt(campus, code=TO_DO)
    assert plan.actions == sorted(("adopt", device_id(name)) for name in names[:3])
    assert "real computer" in plan.remarks("problem")[real] and f"{campus.tag}-FAX" in plan.remarks("warning")[""]
    assert campus.everything() == before, "adopt without --apply has changed something"

    sids = [domain.sid(dn) for dn in dns]
    accounts = [domain.entry(dn, "*") for dn in dns]
    run = adopt(campus, "--apply", code=PROBLEMS)
    assert run.done == plan.actions
    for dn, name, account in zip(dns, names, accounts):
        now = domain.entry(dn, "*")
        assert now.pop("adminDescription") == [f"certdir:wifi:{device_id(name)}".encode()]
        assert {key for key in now if now[key] != account.get(key)} <= {"uSNChanged", "whenChanged"}
    assert "adminDescription" not in domain.entry(real) and "adminDescription" not in domain.entry(stranger)
    assert adopt(campus, code=PROBLEMS).actions == []
    # From then on they are like all others.
    assert campus.plan(code=TO_DO).actions == sorted(
        [("change", device_id(name)) for name in names[:2]] + [("enable", device_id(names[2]))])
    campus.apply(code=PROBLEMS)
    assert [domain.sid(dn) for dn in dns] == sids
    assert domain.entry(dns[2], "userAccountControl")["userAccountControl"] == [b"4096"]


def test_what_is_no_pc_is_not_adopted(campus, domain):
    """They have the name of a device, and nothing else tells them from what a script makes."""
    names = [campus.add(number) for number in range(3)]
    dns = [campus.domain.add_computer(names[0], campus.ou, objectClass="msDS-GroupManagedServiceAccount",
                                      **{"msDS-ManagedPasswordInterval": 30}),
           campus.domain.add_computer(names[1], campus.ou, objectClass="msDS-ManagedServiceAccount"),
           campus.domain.add_computer(names[2], campus.ou, userAccountControl=0x2000)]
    run = adopt(campus, "--apply", code=PROBLEMS, pattern="{name}")
    assert run.actions == [] and all("real computer" in run.remarks("problem")[dn] for dn in dns)
    assert not any("adminDescription" in domain.entry(dn) for dn in dns)


def test_adopting_is_taken_back(campus, domain):
    dn = scripted(campus, campus.add(1))
    run = adopt(campus, "--apply", code=DONE)
    assert "adminDescription" in domain.entry(dn)
    undone(campus, run)
    assert "adminDescription" not in domain.entry(dn)


def test_adopt_is_asked_for_right(campus):
    campus.list.publish()
    campus.write()
    for arguments in (["adopt", "wifi"], ["adopt", "--pattern", "{name}"], ["plan", "--pattern", "{name}"], ["plan", "--apply"],
                      ["adopt", "--pattern", "{cn}", "wifi"], ["adopt", "--pattern", "name", "wifi"]):
        done = campus.start(*arguments)
        with contextlib.closing(done.stdout), contextlib.closing(done.stderr):
            assert done.wait(timeout=30) == 64 and "adopt" in done.stderr.read() + " ".join(arguments)
