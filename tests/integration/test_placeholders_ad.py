# SPDX-License-Identifier: GPL-2.0-or-later
"""
certdir placeholders against a real domain controller (Samba), by an account with the least rights that the manual
lists: what Kerberos and LDAP see of the accounts, each kind of change, and what happens when the domain is in the way.
"""

import csv
import json
import os
import subprocess
import time

import pytest

from testenv.certificates import Authority
from testenv.devices import device_id
from testenv.placeholder_office import DISABLED, ENABLED, Office
from testenv.placeholders import DONE, FAILED, NOTHING, PROBLEMS, REFUSED, SECTION, TO_DO
from testenv.radiusd import BUILD, shipped_module
from testenv.samba import BASE, COMPUTERS, DNS, USERS, WRITTEN, create_and_delete

WORKSTATION_TRUST = b"805306369"  # sAMAccountType, MS-SAMR 2.2.1.9
COMPUTER_CATEGORY = f"CN=Computer,CN=Schema,CN=Configuration,{BASE}"

@pytest.fixture
def office(tmp_path, domain):
    return Office(tmp_path / "office", domain)


# ---- forty devices: what the domain sees of them ----

FORTY = 40


@pytest.fixture(scope="module")
def forty(tmp_path_factory, domain):
    office = Office(tmp_path_factory.mktemp("forty"), domain)
    office.names = office.fill(FORTY)
    office.list.publish()
    office.planned = office.plan(code=TO_DO)
    office.untouched = office.everything()
    office.created = office.apply()
    return office


def test_apply_does_what_plan_said(forty):
    expected = sorted(("create", name) for name in forty.names)
    assert forty.planned.actions == expected
    assert forty.untouched[0] == {}, "plan has changed something"
    assert forty.created.actions == expected
    assert forty.created.done == expected
    summary = forty.created.summary
    assert (summary["create"], summary["done"], summary["wanted"], summary["error"]) == (FORTY, FORTY, FORTY, None)
    assert forty.undo_files() == [forty.undo / summary["undo"].rpartition("/")[2]]


def test_the_accounts_are_computers(forty, domain):
    group = str(domain.rid(forty.group)).encode()
    for name in forty.names:
        account = forty.account_of(name)
        assert account["objectClass"][-1] == b"computer"
        assert account["objectCategory"] == [COMPUTER_CATEGORY.encode()]
        assert account["sAMAccountType"] == [WORKSTATION_TRUST]
        assert account["sAMAccountName"] == [f"{name}$".encode()]
        assert account["userAccountControl"] == [ENABLED]
        assert sorted(account["servicePrincipalName"]) == [f"HOST/{name}".encode(), f"HOST/{name}.{DNS}".encode()]
        assert account["dNSHostName"] == [f"{name}.{DNS}".encode()]
        assert account["description"] == [f"{name} SN-{name}".encode()]
        assert account["adminDescription"] == [f"certdir:{SECTION}:{device_id(name)}".encode()]
        assert account["primaryGroupID"] == [group]
        assert account["pwdLastSet"] != [b"0"]
        assert "memberOf" not in account  # and so not in Domain Computers


def test_found_as_nps_looks_for_them(forty, domain):
    for name in forty.names[::8]:
        for filter_text in (f"(servicePrincipalName=HOST/{name})", f"(servicePrincipalName=host/{name.lower()}.{DNS})",
                            f"(sAMAccountName={name}$)", f"(&(objectCategory=computer)(cn={name}))"):
            assert list(domain.find(filter_text, "cn")) == [forty.dn(name)], filter_text
    members = domain.find(f"(primaryGroupID={domain.rid(forty.group)})", "cn")
    assert sorted(members) == sorted(map(forty.dn, forty.names))
    assert not any(forty.ou.encode() in dn for dn in domain.entry(COMPUTERS).get("member", []))


def test_a_second_apply_does_nothing(forty):
    forty.settled()


def test_kerberos_sees_computers(forty, domain, tmp_path):
    user, tickets = domain.add_user(f"user-{forty.tag}"), tmp_path / "tickets"
    assert domain.kerberos("kinit", user.principal, cache=tickets, typed=f"{user.password}\n").returncode == 0
    names = forty.names[::13]
    for name in names:
        for service in (f"HOST/{name}", f"host/{name}.{DNS}", f"{name}$"):
            done = domain.kerberos("kvno", service, cache=tickets)
            assert done.returncode == 0, done.stderr
    assert "not found in Kerberos database" in domain.kerberos("kvno", f"HOST/{forty.tag}-NOBODY", cache=tickets).stderr
    # The account is there and has keys, and what anybody would try first opens nothing.
    name = names[0]
    for guess in ("", name, name.lower(), f"{name}$", f"{name.lower()}$", f"{name.lower()}$"[:14]):
        done = domain.kerberos("kinit", f"{name}$", cache=tmp_path / "guessed", typed=f"{guess}\n")
        assert done.returncode == 1 and "Password incorrect" in done.stderr, (guess, done.stderr)


def test_the_module_finds_them(forty, certdir_cli, domain, tmp_path):
    """certdir's own LDAP directory lets in who has an account here, and nobody else."""
    authority = Authority("device CA")
    name = forty.names[3]
    known, _ = authority.issue(subject=[["CN", name]], san=[{"dns": f"{name.lower()}.{DNS}"}]).write(tmp_path, "known")
    stranger, _ = authority.issue(subject=[["CN", f"{forty.tag}-NOBODY"]]).write(tmp_path, "stranger")
    raddb = tmp_path / "raddb"
    raddb.mkdir()
    (raddb / "certdir").write_text(shipped_module({
        "directories": "ldap", "ldap.server": domain.ldaps_uri, "ldap.tls.ca_file": domain.ca_file,
        "ldap.identity": forty.account.identity, "ldap.password": forty.account.password, "ldap.base_dn": BASE}))
    (raddb / "radiusd.conf").write_text(f"modules {{\n$INCLUDE {raddb}/certdir\n}}\n")
    done = subprocess.run([certdir_cli, "check", "--raddb", raddb, "--json", known, stranger], capture_output=True,
                          text=True, timeout=60, check=False)
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["reason"], first["device"]["id"]) == ("allowed", forty.dn(name))
    assert second["reason"] == "not-found"


# ---- each kind of change ----


def test_changes(office):
    office.fill(4)
    office.apply()
    names = [office.name(number) for number in range(4)]
    ids = {name: office.one(name, "adminDescription") for name in names}
    office.list.change(names[0], serialNumber="SN-NEW")
    office.list.change(names[1], displayName=f"{office.tag}-RENAMED")
    office.list.change(names[2], accountEnabled=False)
    security_id, account_name = office.account_of(names[1])["objectSid"], office.one(names[1], "sAMAccountName")
    run = office.apply()
    assert run.done == [("change", names[0]), ("disable", names[2]), ("move", f"{office.tag}-RENAMED")]
    assert office.one(names[0], "description") == f"{names[0]} SN-NEW"
    assert office.account_of(names[2])["userAccountControl"] == [DISABLED]
    assert office.one(names[2], "adminDescription") == f"{ids[names[2]]}:disabled"
    assert office.account_of(names[1]) is None
    renamed = office.account_of(f"{office.tag}-RENAMED")
    assert renamed["objectSid"] == security_id and renamed["sAMAccountName"] == [account_name.encode()]
    assert sorted(renamed["servicePrincipalName"]) == [
        f"HOST/{office.tag}-RENAMED".encode(), f"HOST/{office.tag}-RENAMED.{DNS}".encode()]
    assert renamed["dNSHostName"] == [f"{office.tag}-RENAMED.{DNS}".encode()]
    office.settled()

    office.list.change(names[2], accountEnabled=True)
    assert office.apply().done == [("enable", names[2])]
    assert office.account_of(names[2])["userAccountControl"] == [ENABLED]
    assert office.one(names[2], "adminDescription") == ids[names[2]]
    office.settled()


def test_another_dns_host_name(office):
    """
    When dNSHostName changes and the service principal names are to stay, the domain controller renames the one that was
    made of it all the same; the next run puts it right.
    """
    name, = office.fill(1)
    office.apply()
    office.options["dns_host_name"] = "{cn}.wifi.{domain}"
    office.apply()
    assert office.one(name, "dNSHostName") == f"{name}.wifi.{DNS}"
    office.run("apply", code=DONE)
    assert sorted(office.account_of(name)["servicePrincipalName"]) == [
        f"HOST/{name}".encode(), f"HOST/{name}.{DNS}".encode()]
    office.settled()


def test_removed_in_two_steps(office):
    names = office.fill(12)
    office.options["delete_after"] = "30d"
    office.apply()
    gone = [names[0], names[1]]
    mark = office.one(gone[0], "adminDescription")
    for name in gone:
        office.list.remove(name)
    assert office.apply().done == [("disable", name) for name in gone]
    for name in gone:
        assert office.account_of(name)["userAccountControl"] == [DISABLED]
    assert office.one(gone[0], "adminDescription").startswith(f"{mark}:gone=20")
    office.settled()
    assert office.plan(code=NOTHING, days=29).actions == []

    office.list.add(gone[1], serialNumber=f"SN-{gone[1]}")
    assert office.apply().done == [("enable", gone[1])]
    assert office.account_of(gone[1])["userAccountControl"] == [ENABLED]

    assert office.plan(code=TO_DO, days=31).actions == [("remove", gone[0])]
    assert office.run("apply", code=DONE, days=31).done == [("remove", gone[0])]
    assert office.account_of(gone[0]) is None
    assert sorted(office.domain.below(office.ou)) == sorted(map(office.dn, names[1:]))
    office.settled()


def test_enrolled_again_under_the_same_name(office):
    """The account is taken over: its SID, which access lists name, stays; nothing of the device before does."""
    names = office.fill(3)
    office.apply()
    before = office.account_of(names[0])
    office.list.remove(names[0])
    again = device_id(f"{names[0]} again")
    office.list.add(f"{names[0]} again", displayName=names[0], serialNumber="SN-AGAIN")
    assert [line["kind"] for line in office.apply().of("done")] == ["change"]
    after = office.account_of(names[0])
    for attribute in ("objectSid", "objectGUID", "sAMAccountName", "servicePrincipalName"):
        assert after[attribute] == before[attribute], attribute
    assert after["adminDescription"] == [f"certdir:{SECTION}:{again}".encode()]
    assert after["description"] == [f"{names[0]} SN-AGAIN".encode()]
    assert after["userAccountControl"] == [ENABLED]
    office.settled()


def test_a_mark_in_another_spelling_is_ours(office, domain):
    """Active Directory does not tell case and blanks at the end apart: the account is still the device's."""
    names = office.fill(2)
    office.list.publish()
    office.apply()
    for name, change in zip(names, (str.upper, lambda mark: f"{mark} ")):
        domain.modify(office.dn(name), adminDescription=change(office.one(name, "adminDescription")))
    office.settled()


def test_brought_back_into_the_ou(office, domain):
    """An account that another one made is taken out of the place below with a right that is given there."""
    name, = office.fill(1)
    office.apply()
    below = domain.add_ou("Moved", office.ou)
    domain.rename(office.dn(name), f"CN={name}", below)
    other = office.become_another()
    assert office.plan(code=TO_DO).actions == [("move", name)]
    failed = office.run("apply", code=PROBLEMS)
    assert f"CN={name},{below}" in failed.said and office.account_of(name) is None
    domain.grant(below, create_and_delete(other.sid))
    assert office.run("apply", code=DONE).done == [("move", name)]
    assert office.account_of(name)["userAccountControl"] == [ENABLED]
    office.settled()


def test_mappings(office, tmp_path):
    """altSecurityIdentities on the real thing: a renewed certificate's comes before the old one's goes."""
    authority, handed_in = Authority("device CA"), tmp_path / "certificates"
    names = office.fill(2)
    office.options |= {"certificates": handed_in, "mapping": "ski"}
    handed_in.mkdir()

    def hand_in(stem, byte):
        path = handed_in / f"{stem}.pem"
        path.write_text(authority.issue(subject=[["CN", names[0]]], ski=byte * 20).pem)
        return path

    first = hand_in("first", "0a")
    run = office.apply()
    assert office.account_of(names[0])["altSecurityIdentities"] == [f"X509:<SKI>{'0a' * 20}".encode()]
    assert "altSecurityIdentities" not in office.account_of(names[1])
    without, = run.remarks("no-mapping")
    assert without in (office.dn(names[1]), device_id(names[1]))
    office.settled()
    hand_in("second", "0b")
    office.apply()
    assert sorted(office.account_of(names[0])["altSecurityIdentities"]) == [
        f"X509:<SKI>{byte * 20}".encode() for byte in ("0a", "0b")]
    first.unlink()
    office.apply()
    assert office.account_of(names[0])["altSecurityIdentities"] == [f"X509:<SKI>{'0b' * 20}".encode()]
    office.settled()


def test_mappings_guard(office, tmp_path):
    """A file that is missing, or one that has the newest certificates alone, costs no account its mapping unasked."""
    old, new, handed_in = Authority("old CA"), Authority("new CA"), tmp_path / "certificates"
    names = office.fill(7)
    office.options |= {"certificates": handed_in}
    handed_in.mkdir()

    def hand_in(authority):
        path = handed_in / f"{authority.name}.pem"
        path.write_text("".join(authority.issue(subject=[["CN", name]], serial=f"00c0ff{number:02x}").pem
                                for number, name in enumerate(names)))
        return path

    def mappings():
        return [sorted(office.account_of(name)["altSecurityIdentities"]) for name in names]

    first = hand_in(old)
    office.apply()
    before = mappings()
    # Nothing is said of forms: the key identifier, and the serial number with and without its zero.
    assert [value.split(b">")[0] for value in before[0]] == [b"X509:<I", b"X509:<I", b"X509:<SKI"]
    assert [value.split(b">")[-1] for value in before[0][:2]] == [b"00FFC0", b"00FFC000"]
    hand_in(new)
    first.rename(tmp_path / "away.pem")
    refused = office.apply(code=REFUSED)
    assert "7 of 7 accounts would lose a mapping whose certificate is not known to have ended" in refused.said
    assert mappings() == before
    (tmp_path / "away.pem").rename(first)
    office.apply()
    assert all(set(then) < set(now) for then, now in zip(before, mappings()))
    office.settled()
    first.unlink()
    assert office.apply("--force").summary["certificates"] == {
        "handed_in": 7, "matched": 7, "ended": 0, "unmatched": 0, "ski": 7, "sha1_pukey": 0, "issuer_serial": 7}
    assert not any(set(then) & set(now) for then, now in zip(before, mappings()))


def export(office, *arguments, code=0):
    done = subprocess.run([BUILD / "certdir", "placeholders", "export", "-c", office.conf, *arguments],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    return done


def test_export_sids(office):
    """What a CA needs to write the extension by itself; a device that is not wanted today will be again."""
    names = office.fill(3)
    office.apply()
    office.list.change(names[2], accountEnabled=False)
    office.apply()
    before = office.everything()
    rows = sorted([device_id(name), office.domain.sid(office.dn(name)), name] for name in names)
    table = export(office, "--sids")
    assert list(csv.reader(table.stdout.splitlines())) == [["device_id", "sid", "name"], *rows] and not table.stderr
    lines = [json.loads(line) for line in export(office, "--sids", "--json", SECTION).stdout.splitlines()]
    assert [[line["device_id"], line["sid"], line["name"]] for line in lines] == rows
    # Two accounts of one device: whose SID is it?
    twin = office.domain.add_computer(f"{office.tag}-TWIN", office.ou,
                                      adminDescription=f"certdir:{SECTION}:{device_id(names[0])}")
    twins = export(office, "--sids")
    assert [row[0] for row in csv.reader(twins.stdout.splitlines())][1:] == [
        row[0] for row in rows if row[0] != device_id(names[0])]
    assert twins.stderr.count("is one of several accounts of its device") == 2
    office.domain.delete(twin)
    # Who had this one's SID in a certificate could log in as the PC that it has become.
    office.domain.modify(office.dn(names[1]), operatingSystem="Windows 11 Pro")
    real = export(office, "--sids")
    assert names[1] not in real.stdout and names[0] in real.stdout
    assert f"{office.dn(names[1])} is a real computer by now" in real.stderr
    assert office.everything()[0].keys() == before[0].keys()
    export(office, code=64)
    office.options["password_file"].write_text("wrong\n")
    assert "wrong" not in export(office, "--sids", code=1).stderr


# ---- the way back ----

# What the domain controller counts and dates itself, and what can not be had again.
OWN_AFFAIRS = {"uSNChanged", "uSNCreated", "whenChanged", "whenCreated", "replPropertyMetaData", "objectGUID",
               "objectSid", "pwdLastSet", "nTSecurityDescriptor", "lastLogoff", "badPasswordTime"}


def essence(office):
    return ({dn: {name: values for name, values in entry.items() if name not in OWN_AFFAIRS}
             for dn, entry in office.domain.below(office.ou).items()},
            {dn: sorted(office.domain.entry(dn, "member").get("member", [])) for dn in (office.group, COMPUTERS)})


def test_undo(office):
    names = office.fill(8)
    office.apply()
    before = essence(office)
    office.add(20)
    office.list.change(names[0], serialNumber="SN-NEW")
    office.list.change(names[1], displayName=f"{office.tag}-RENAMED")
    office.list.change(names[2], accountEnabled=False)
    office.list.remove(names[3])
    run = office.apply()
    assert run.summary["done"] == 5 and essence(office) != before
    office.run("undo", office.undo_files()[-1], code=DONE)
    assert essence(office) == before
    # And forward again.
    assert office.apply().done == run.done


def test_undo_of_a_removal(office):
    """It comes back with a new SID, disabled, and with a password that nobody knows."""
    names = office.fill(8)
    office.apply()
    office.list.remove(names[0])
    office.apply()
    before = essence(office)
    assert office.run("apply", code=DONE, days=31).done == [("remove", names[0])]
    office.run("undo", office.undo_files()[-1], code=DONE)
    after = essence(office)
    assert sorted(after[0]) == sorted(before[0])
    name = office.dn(names[0])
    for attribute in ("adminDescription", "description", "dNSHostName", "sAMAccountName", "servicePrincipalName"):
        assert after[0][name][attribute] == before[0][name][attribute]
    assert after[0][name]["userAccountControl"] == [DISABLED]
    assert int(office.account_of(names[0])["pwdLastSet"][0]) > 0
    assert office.plan("--force").code in (NOTHING, TO_DO)


# ---- binds ----


def bind_options(office, domain, how):
    if how == "start-tls":
        return {"server": domain.uri, "start_tls": True}
    return {"server": domain.uri, "bind": "gssapi", "keytab": domain.keytab(office.account), "identity": None,
            "password_file": None, "ca_file": None}


@pytest.mark.parametrize("how", ["start-tls", "gssapi"])
def test_binds(office, domain, how):
    """By StartTLS, and by Kerberos, which seals the connection by itself: passwords are set over it."""
    office.env = {"KRB5_CONFIG": str(domain.krb5_conf)}
    office.options |= bind_options(office, domain, how)
    names = office.fill(3)
    assert office.apply().done == [("create", name) for name in names]
    assert office.account_of(names[0])["pwdLastSet"] != [b"0"]
    office.settled()


def test_binds_that_fail(office, domain):
    office.env = {"KRB5_CONFIG": str(domain.krb5_conf)}
    office.fill(2)
    office.list.publish()
    good = dict(office.options)
    office.options["password_file"] = office.secret_file("wrong", "not-the-password\n")
    assert "Invalid credentials" in office.run("apply", code=FAILED).said
    stranger = domain.add_user(f"stranger-{office.tag}")
    domain.modify(stranger.dn, userAccountControl=514)
    office.options = {**good, **bind_options(office, domain, "gssapi"), "keytab": domain.keytab(stranger)}
    said = office.run("apply", code=FAILED).said
    assert domain.uri in said and "revoked" in said
    assert office.everything()[0] == {}


# ---- the domain is in the way ----


def test_no_right_to_create(tmp_path, domain):
    office = Office(tmp_path / "office", domain, delegated=False)
    office.fill(5)
    before = office.everything()
    run = office.apply(code=FAILED)
    assert f",{office.ou}" in run.said and "Insufficient access" in run.said
    assert run.done == [] and office.everything() == before
    domain.delegate(office.account, office.ou, office.group, primary=True)
    assert office.apply().summary["done"] == 5
    office.settled()


def test_no_right_to_the_group(tmp_path, domain):
    """The accounts are there and not done: the next run, with the right, goes on from there."""
    office = Office(tmp_path / "office", domain, delegated=False)
    domain.delegate(office.account, office.ou)
    names = office.fill(3)
    run = office.apply(code=PROBLEMS)
    assert office.group in run.said and "Insufficient access" in run.said
    assert run.done == []
    domain.delegate(office.account, office.ou, office.group, primary=True)
    office.apply()
    group = str(domain.rid(office.group))
    assert [office.one(name, "primaryGroupID") for name in names] == [group] * 3
    office.settled()


def hand_in_certificate(office, name):
    path = office.directory / "certificate.pem"
    path.write_text(Authority("device CA").issue(subject=[["CN", name]]).pem)
    office.options["certificates"] = path


def enroll_again(office, name):
    office.list.remove(name)
    office.list.add(f"{name} again", displayName=name, serialNumber=f"SN-{name}")


def disable(office, name):
    office.add(1)  # one of several may always be disabled
    office.list.change(name, accountEnabled=False)


# A change of an account that needs the right to write this attribute.
CHANGES = {
    "adminDescription": enroll_again,
    "altSecurityIdentities": hand_in_certificate,
    "cn": lambda office, name: office.list.change(name, displayName=f"{name}x"),
    "description": lambda office, name: office.list.change(name, serialNumber="SN-NEW"),
    "dNSHostName": lambda office, name: office.options.update(dns_host_name="{cn}.wifi.{domain}"),
    "name": lambda office, name: office.list.change(name, displayName=f"{name}x"),
    "primaryGroupID": lambda office, name: office.options.update(primary_group=True),
    "servicePrincipalName": lambda office, name: office.options.update(service_principal_name="HOST/{cn}.{domain}"),
    "userAccountControl": disable,
}


@pytest.mark.parametrize("attribute", sorted(WRITTEN))
def test_no_right_to_an_attribute(tmp_path, domain, attribute):
    """
    Accounts that somebody else owns: what an account creates itself, it may write more of. Each right of the manual's
    list is needed: without one of them, the change that needs it is refused; with it, it is done.
    """
    office = Office(tmp_path / "office", domain, primary_group=False, service_principal_name="HOST/{cn}")
    name, = office.fill(1)
    office.apply()
    other = office.become_another([written for written in WRITTEN if written != attribute])
    CHANGES[attribute](office, name)
    before = office.account_of(name)
    run = office.apply(code=PROBLEMS)
    assert office.dn(name) in run.said and "Insufficient access" in run.said
    assert office.account_of(name) == before
    domain.delegate(other, office.ou, attributes=[attribute], primary=True)
    office.apply()
    assert office.account_of(name) != before
    assert office.plan(code=NOTHING).actions == []


def test_a_name_that_somebody_else_has(office, domain):
    """A service principal name is not taken from its holder, and not from a computer that has none yet and is called so."""
    names = office.fill(3)
    holder = domain.add_computer(f"{office.tag}-HOLDER", f"CN=Computers,{BASE}",
                                 servicePrincipalName=f"HOST/{names[0]}")
    staged = domain.add_computer(names[1], f"CN=Computers,{BASE}")
    before = domain.below(f"CN=Computers,{BASE}")
    run = office.apply(code=PROBLEMS)
    problems = run.remarks("problem")
    assert set(problems) == {device_id(names[0]), device_id(names[1])}
    assert holder in problems[device_id(names[0])] and f"HOST/{names[0]}" in problems[device_id(names[0])]
    assert staged in problems[device_id(names[1])]
    assert run.done == [("create", names[2])]
    assert domain.below(f"CN=Computers,{BASE}") == before
    assert office.plan(code=PROBLEMS).actions == []
    domain.delete(holder)
    domain.delete(staged)
    office.apply()
    assert sorted(office.account_of(names[0])["servicePrincipalName"]) == [
        f"HOST/{names[0]}".encode(), f"HOST/{names[0]}.{DNS}".encode()]
    office.settled()


def test_an_alias_that_somebody_else_has(office, domain):
    """The server takes HOST/x for taken by DHCP/x, which no search of ours finds: that one is refused, the others go on."""
    names = office.fill(4)
    holder = domain.add_computer(f"{office.tag}-WEB", f"CN=Computers,{BASE}", servicePrincipalName=f"DHCP/{names[0]}")
    run = office.apply(code=PROBLEMS)
    assert office.dn(names[0]) in run.said and "must be unique" in run.said
    assert sorted(name for _, name in run.done) == names[1:]
    assert {office.one(name, "primaryGroupID") for name in names[1:]} == {str(domain.rid(office.group))}
    domain.delete(holder)
    assert office.apply().done == [("create", names[0])]
    office.settled()


def test_sixteen_characters(office):
    """Names that begin with the same 15 characters get different account names, which stay."""
    names = [f"{office.tag}-LAPTOP-IN-BERLIN-{number}" for number in range(3)]
    for name in names:
        office.list.add(name)
    office.apply()
    accounts = [office.one(name, "sAMAccountName") for name in names]
    assert len(set(accounts)) == 3
    assert all(account.endswith("$") and len(account) <= 16 for account in accounts)
    office.settled()


def test_the_place_is_missing(office, domain):
    office.fill(3)
    office.list.publish()
    good = dict(office.options)
    for option, dn, near in (("ou", f"OU=Nowhere,{office.ou}", office.ou), ("member_of", f"CN=Nobody,{USERS}", USERS)):
        office.options = {**good, option: dn}
        for command in ("plan", "apply"):
            said = office.run(command, code=FAILED).said
            assert dn in said and near in said.replace(dn, "")
    assert office.everything()[0] == {}
    domain.delete(office.ou)
    office.options = good
    assert office.ou in office.run("apply", code=FAILED).said


def test_foreign_objects_are_left_alone(office, domain):
    """Whatever is done around them, they stay byte for byte, with what the server notes of each attribute."""
    names = office.fill(6)
    below = domain.add_ou("Below", office.ou)
    foreign = [
        below,
        domain.add_computer(f"{office.tag}-ADMIN", office.ou, description="somebody's"),
        domain.add_computer(f"{office.tag}-DEEP", below),
        domain.add_computer(f"{office.tag}-WIRED", office.ou, adminDescription=f"certdir:wired:{device_id(names[0])}"),
        domain.add_computer(f"{office.tag}-HALF", office.ou, adminDescription=f"certdir:{SECTION}"),
        domain.add(f"CN={office.tag}-USER,{office.ou}", objectClass="user", sAMAccountName=f"{office.tag}-USER",
                   adminDescription=f"certdir:{SECTION}:{device_id(names[1])}"),
        domain.add(f"CN={office.tag}-CONTACT,{office.ou}", objectClass="contact", description=f"certdir:{SECTION}:x"),
    ]

    def theirs():
        return {dn: entry for dn, entry in domain.below(office.ou).items() if dn in foreign}

    before = theirs()
    assert len(before) == len(foreign)
    run = office.apply()
    assert run.done == [("create", name) for name in names]
    assert sorted(run.remarks("foreign")) == sorted(foreign)
    office.list.change(names[0], accountEnabled=False)
    office.list.change(names[1], displayName=f"{office.tag}-RENAMED")
    office.list.remove(names[2])
    assert office.apply().summary["done"] == 3
    domain.modify(office.dn(names[3]), adminDescription=None)  # it is not ours any more
    lost = domain.entry(office.dn(names[3]), "*")
    run = office.apply(code=PROBLEMS)
    assert office.dn(names[3]) in run.remarks("foreign")
    assert office.run("apply", days=31, code=PROBLEMS).done == [("remove", names[2])]
    assert domain.entry(office.dn(names[3]), "*") == lost
    assert theirs() == before


def test_a_domain_controller_that_dies(office, domain):
    """In the middle of an apply: what was done stays, and the next one ends where an undisturbed one would have."""
    names = office.fill(30)
    office.list.publish()
    process = office.start("apply")
    try:
        wait_until_there(office, 3)
        domain.kill()
        run = office.end(process, FAILED)
    finally:
        domain.kill()
        domain.start()
    assert domain.address in run.said and "connection was lost" in run.said and "TLS failed" not in run.said
    there = len(domain.below(office.ou))
    assert 3 <= there < 30, "it was not in the middle"
    office.apply()
    group = str(domain.rid(office.group)).encode()
    accounts = domain.below(office.ou)
    assert sorted(accounts) == sorted(map(office.dn, names))
    assert {account["primaryGroupID"][0] for account in accounts.values()} == {group}
    assert not any("memberOf" in account for account in accounts.values())
    office.settled()


def wait_until_there(office, count, timeout=30):
    deadline = time.monotonic() + timeout
    while len(office.domain.find("(objectClass=computer)", "cn", base=office.ou)) < count:
        assert time.monotonic() < deadline, "no accounts come"


# ---- many ----


@pytest.mark.skipif("CERTDIR_AD_DEVICES" not in os.environ, reason="CERTDIR_AD_DEVICES does not say how many (2000)")
def test_many(office, capsys):
    """Created, changed, disabled, removed; the times are printed."""
    count = int(os.environ["CERTDIR_AD_DEVICES"])
    names = office.fill(count)
    times = {}

    def timed(what, **options):
        begin = time.monotonic()
        run = office.run("apply", "--force", code=DONE, timeout=1800, **options)
        times[what] = time.monotonic() - begin
        assert run.summary["done"] == run.summary[what] == count, run.summary

    def each(change):
        for name in names:
            change(name)
        office.list.publish()

    office.list.publish()
    timed("create")
    each(lambda name: office.list.change(name, serialNumber="SN-NEW"))
    timed("change")
    each(lambda name: office.list.change(name, accountEnabled=False))
    timed("disable")
    each(lambda name: office.list.change(name, accountEnabled=True))
    timed("enable")
    begin = time.monotonic()
    office.plan(code=NOTHING)
    times["nothing to do"] = time.monotonic() - begin
    office.add(count + 1)
    office.list.publish()
    office.run("apply", code=DONE)
    each(office.list.remove)
    office.run("apply", "--force", code=DONE, timeout=1800)
    timed("remove", days=31)
    assert list(office.domain.below(office.ou)) == [office.dn(office.name(count + 1))]
    with capsys.disabled():
        print(f"\n{count} devices, seconds: " + ", ".join(f"{what} {took:.1f}" for what, took in times.items()))
