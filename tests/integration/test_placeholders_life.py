# SPDX-License-Identifier: GPL-2.0-or-later
"""
PCs that are joined to the domain under the name of a placeholder: a real domain controller (Samba), what a join writes,
and a real login with the machine's password. From then on certdir never touches the account.
"""

import ldap
import pytest

from testenv.devices import device_id
from testenv.ldap_proxy import LdapProxy
from testenv.placeholder_office import DISABLED, ENABLED, Office
from testenv.placeholders import DONE, PROBLEMS
from testenv.samba import BASE, DNS, REALM, password_value

PASSWORD = "Machine-passw0rd-1"
CONTROL = "bf967a68-0de6-11d0-a285-00aa003049e2"  # schemaIDGUID of userAccountControl (MS-ADA3)
OPERATIONAL = ("*", "uSNChanged", "whenChanged", "memberOf", "nTSecurityDescriptor", "replPropertyMetaData")


@pytest.fixture(scope="module")
def office(tmp_path_factory, domain):
    """For all tests, each with accounts of its own; so there are problems that are others'."""
    office = Office(tmp_path_factory.mktemp("life") / "office", domain)
    office.fill(16)
    office.apply()
    return office


@pytest.fixture
def names(office):
    """Accounts that no other test has."""
    first = office.taken = getattr(office, "taken", -2) + 2
    return office.name(first), office.name(first + 1)


def log_on(office, name, tickets):
    """The machine itself, with its password."""
    return office.domain.kerberos("kinit", f"{name}$@{REALM}", cache=tickets, typed=f"{PASSWORD}\n")


def join(office, name):
    """What a join writes: whoever joins sets the password, the machine logs on with it, and the rest follows by its channel."""
    domain, dn = office.domain, office.dn(name)
    assert log_on(office, name, office.directory / "tickets").returncode != 0, "nobody knows a placeholder's password"
    domain.modify(dn, unicodePwd=password_value(PASSWORD), userAccountControl=4096)
    assert log_on(office, name, office.directory / "tickets").returncode == 0
    spns = [f"{service}/{host}" for service in ("HOST", "RestrictedKrbHost", "TERMSRV", "WSMAN")
            for host in (name, f"{name}.{DNS}")]
    domain.modify(dn, dNSHostName=f"{name}.{DNS}", servicePrincipalName=spns, operatingSystem="Windows 11 Enterprise",
                  operatingSystemVersion="10.0 (22631)")


def everything(office, dn):
    """All that there is to know of an entry, and who says that it is a member of what."""
    found = {key: sorted(values) for key, values in office.domain.entry(dn, *OPERATIONAL).items()}
    return found, sorted(office.domain.find(f"(member={dn})", "cn"))


def run(office, code=None, days=0):
    office.list.publish()
    plan = office.plan("--force", days=days)
    done = office.run("apply", "--force", code=code, days=days)
    assert plan.actions == done.actions
    return done


def test_ten_runs(tmp_path, domain):
    """The device stays, leaves, comes back, is renamed; another one gets its name; weeks go by: the entry is what it was."""
    office = Office(tmp_path / "office", domain)
    name, other = office.fill(2)
    office.apply()
    key, dn = device_id(name), office.dn(name)
    join(office, name)
    before = everything(office, dn)
    assert before[0]["logonCount"] != [b"0"] and int(before[0]["lastLogonTimestamp"][0]) > 0

    def untouched(done, *expected):
        assert everything(office, dn) == before
        assert name not in [line["name"] for line in done.of("action")]
        text = done.remarks("problem")[key]
        assert f"{dn} is a real computer by now (" in text and "clear its adminDescription" in text
        assert done.done == sorted(expected), done.lines

    untouched(run(office))
    office.list.change(name, serialNumber="SN-NEW")
    untouched(run(office))
    office.list.change(name, accountEnabled=False)
    untouched(run(office))
    office.list.remove(name)
    untouched(run(office))
    untouched(run(office, days=31))
    untouched(run(office, days=300))
    office.list.add(f"{name} again", displayName=name)
    done = run(office)
    untouched(done)
    assert "which is a real computer by now" in done.remarks("problem")[device_id(f"{name} again")]
    office.list.remove(f"{name} again")
    office.list.add(name, displayName=f"{office.tag}-RENAMED")
    untouched(run(office))
    office.list.change(name, displayName=other)
    office.list.remove(other)
    untouched(run(office), ("disable", other))
    office.options |= {"enabled": False, "member_of": None, "primary_group": None, "service_principal_name": "HOST/{serial_number}"}
    run(office)
    assert everything(office, dn) == before


def test_enabled_by_hand_after_it_was_disabled(office, names):
    """The device left the list as its PC was joined: that was seen too late, somebody enabled the account, and it stays so."""
    name, _ = names
    office.list.remove(name)
    assert run(office).done == [("disable", name)]
    join(office, name)
    before = everything(office, office.dn(name))
    assert before[0]["userAccountControl"] == [ENABLED] and b":gone=" in before[0]["adminDescription"][0]
    run(office, code=PROBLEMS)
    run(office, code=PROBLEMS, days=31)
    assert everything(office, office.dn(name)) == before


SIGNS = {
    "operatingSystem": "Windows 11", "operatingSystemVersion": "10.0", "userCertificate": b"\x30\x00",
    "servicePrincipalName": "TERMSRV/{name}"}


def test_signs(tmp_path, domain):
    office = Office(tmp_path / "office", domain)
    names = dict(zip(SIGNS, office.fill(len(SIGNS))))
    office.add(9)
    office.apply()
    for attribute, name in names.items():
        value = SIGNS[attribute]
        domain.modify(office.dn(name), **{attribute: value.format(name=name) if isinstance(value, str) else value})
        office.list.remove(name)
    done = run(office, code=PROBLEMS)
    assert done.actions == []
    for attribute, name in names.items():
        assert f"({attribute}" in done.remarks("problem")[device_id(name)]
        # Without the sign it is a placeholder.
        domain.modify(office.dn(name), **{attribute: None})
    assert run(office, code=DONE).done == sorted(("disable", name) for name in names.values())


def test_what_stands_below_an_account(office, domain, names):
    name, _ = names
    domain.add(f"CN=2026-11-30,{office.dn(name)}", objectClass="msFVE-RecoveryInformation",
               **{"msFVE-RecoveryGuid": b"g" * 16, "msFVE-RecoveryPassword": "1-2"})
    office.list.remove(name)
    text = run(office, code=PROBLEMS).remarks("problem")[device_id(name)]
    assert f"entries stand below it, such as CN=2026-11-30,{office.dn(name)}" in text
    assert office.account_of(name)["userAccountControl"] == [ENABLED]


def test_logons_are_no_sign(office, domain, names):
    """Servers that ask for its groups may leave lastLogonTimestamp on a placeholder; it has to be disabled all the same."""
    name, _ = names
    domain.modify(office.dn(name), lastLogonTimestamp=134404833586718740)
    office.list.remove(name)
    assert run(office).done == [("disable", name)]


def test_once_the_mark_is_cleared_it_is_foreign(office, domain, names):
    name, _ = names
    join(office, name)
    domain.modify(office.dn(name), adminDescription=None)
    before = everything(office, office.dn(name))
    done = run(office, code=PROBLEMS)
    assert "not ours" in done.remarks("foreign")[office.dn(name)]
    assert f"taken by {office.dn(name)}" in done.remarks("problem")[device_id(name)]
    office.list.remove(name)
    assert device_id(name) not in run(office).remarks("problem")
    assert everything(office, office.dn(name)) == before


def test_joined_between_plan_and_apply(office, domain, names):
    """The version that is read before the first change is another one, so nothing is changed."""
    name, _ = names
    office.list.change(name, serialNumber="SN-NEW")
    office.list.publish()
    with LdapProxy(636, domain.address, tls=True) as proxy:
        office.options["server"] = proxy.uri
        seen = []
        assert office.plan().actions == [("change", name)]
        proxy.settle()
        files = office.undo_files()

        def meanwhile(record):
            # The undo is written when the plan is made; what is sent next reads the version.
            if record.is_write and not seen and office.undo_files() != files:
                join(office, name)
                seen.append(everything(office, office.dn(name)))

        proxy.on_request = meanwhile
        failed = office.run("apply")
        office.options["server"] = domain.ldaps_uri
        assert seen, "apply wrote no undo file"
        assert "was changed by somebody since the plan was made" in failed.said, failed.said
        assert failed.code == PROBLEMS and failed.done == []
    assert everything(office, office.dn(name)) == seen[0]


def test_joined_between_two_steps(tmp_path, domain):
    """The account has left its group and is to be deleted, when the PC is joined: so it is not deleted."""
    office = Office(tmp_path / "office", domain, primary_group=False)
    name, other, _ = office.fill(3)
    office.apply()
    for gone in (name, other):
        office.list.remove(gone)
    office.apply("--force")
    with LdapProxy(636, domain.address, tls=True) as proxy:
        office.options["server"] = proxy.uri
        seen = []

        def meanwhile(_):
            if not seen and office.dn(name).encode() not in domain.entry(office.group, "member")["member"]:
                seen.append(None)
                join(office, name)
                seen[0] = everything(office, office.dn(name))

        proxy.on_request = meanwhile
        done = office.run("apply", "--force", code=PROBLEMS, days=31)
    begun, = done.of("begun")
    assert "a real computer by now" in begun["error"] and begun["left"] == "delete"
    assert everything(office, office.dn(name)) == seen[0]
    assert done.done == [("remove", other)] and office.account_of(other) is None


def test_what_somebody_hides(tmp_path, domain):
    """An account whose userAccountControl cannot be read keeps nobody from being disabled, and is left alone."""
    office = Office(tmp_path / "office", domain)
    hidden, stolen, _ = office.fill(3)
    office.apply()
    domain.grant(office.dn(hidden), f"(OD;;RP;{CONTROL};;{office.account.sid})")
    before = everything(office, office.dn(hidden))
    for name in (hidden, stolen):
        office.list.change(name, accountEnabled=False)
    done = run(office, code=PROBLEMS)
    assert done.done == [("disable", stolen)]
    assert "its userAccountControl cannot be read" in done.remarks("problem")[device_id(hidden)]
    assert everything(office, office.dn(hidden)) == before


def test_hybrid_join(office, domain, names):
    """Entra Connect has synced the account that was a placeholder: told as what it is."""
    name, _ = names
    join(office, name)
    before = everything(office, office.dn(name))
    office.list.remove(name)
    office.list.add(f"{name} hybrid", displayName=name, trustType="ServerAd",
                    onPremisesSecurityIdentifier=domain.sid(office.dn(name)))
    done = run(office, code=PROBLEMS)
    assert (f"{office.dn(name)}, the placeholder of device {device_id(name)}, was joined to the domain and is device "
            f"{device_id(f'{name} hybrid')} now") in done.remarks("problem")[device_id(name)]
    assert not any("Entra Connect syncs this OU" in text for text in done.remarks("warning").values())
    assert everything(office, office.dn(name)) == before


def test_hybrid_join_with_another_account(office, domain, names):
    """The placeholder of a device that is gone gives up what the real computer needs, and it gets it."""
    name, _ = names
    real = domain.add_computer(f"{office.tag}-REAL", f"CN=Computers,{BASE}")
    with pytest.raises(ldap.CONSTRAINT_VIOLATION):
        domain.modify(real, servicePrincipalName=f"HOST/{name}")
    office.list.add(f"{name} hybrid", displayName=name, trustType="ServerAd", onPremisesSecurityIdentifier=domain.sid(real))
    done = run(office, code=PROBLEMS)
    assert done.actions == [] and device_id(f"{name} hybrid") in done.remarks("problem")[device_id(name)]

    office.list.remove(name)
    sid = domain.sid(office.dn(name))
    run(office)
    domain.modify(real, servicePrincipalName=f"HOST/{name}")
    assert office.account_of(name) is None
    (dn, entry), = domain.find(f"(adminDescription=certdir:wifi:{device_id(name)}*)", "*", base=office.ou).items()
    assert domain.sid(dn) == sid and entry["userAccountControl"] == [DISABLED] and "servicePrincipalName" not in entry
    assert office.plan().actions == []


def test_what_a_person_did_is_told(office, domain, names):
    name, expired = names
    domain.modify(office.dn(name), userAccountControl=4096 | 0x20 | 0x80000)
    domain.modify(office.dn(expired), accountExpires=116444736010000000)
    office.list.change(name, serialNumber="SN-NEW")
    office.list.publish()
    done = office.run("apply")
    texts = [line["text"] for line in done.of("remark") if line["subject"] in map(device_id, names)]
    for word in ("PASSWD_NOTREQD", "TRUSTED_FOR_DELEGATION", "accountExpires"):
        assert sum(word in text for text in texts) == 1, texts
    assert done.done == [("change", name)] and office.one(name, "description") == f"{name} SN-NEW"
    assert int(office.one(name, "userAccountControl")) == 4096 | 0x20 | 0x80000
    assert office.account_of(expired)["accountExpires"] == [b"116444736010000000"]


def test_undo_leaves_a_joined_computer_alone(tmp_path, domain):
    """Whoever takes back the apply that made the account does not delete the PC that has it by now, nor its membership."""
    office = Office(tmp_path / "office", domain)
    one, two = office.fill(2)
    office.apply()
    made = office.undo_files()[-1]
    office.list.change(one, serialNumber="SN-NEW")
    office.apply()
    changed = office.undo_files()[-1]
    join(office, one)
    before = everything(office, office.dn(one))
    for undo in (changed, made):
        undone = office.run("undo", undo, code=PROBLEMS)
        left, = undone.of("left")
        assert left["dn"] == office.dn(one) and "is a real computer by now" in left["why"]
    assert everything(office, office.dn(one)) == before and office.account_of(two) is None


def test_undo_leaves_an_account_alone_that_was_made_again(tmp_path, domain):
    """It has name and mark of the one that the run made, and another objectGUID; what our clock says does not matter."""
    office = Office(tmp_path / "office", domain)
    one, _ = office.fill(2)
    office.apply()
    made, = office.undo_files()
    mark = office.one(one, "adminDescription")
    domain.delete(office.dn(one))
    domain.add_computer(one, office.ou, adminDescription=mark)
    before = everything(office, office.dn(one))
    undone = office.run("undo", made, code=PROBLEMS, days=2)
    left, = undone.of("left")
    assert left["dn"] == office.dn(one) and "objectGUID" in left["why"] and undone.summary["undone"] == 1
    assert everything(office, office.dn(one)) == before


def test_protected_from_accidental_deletion(tmp_path, domain):
    """What is protected, and what somebody has denied to us, is told; the stolen laptop is disabled all the same."""
    office = Office(tmp_path / "office", domain)
    gone, denied, stolen, kept = office.fill(4)
    office.apply()
    office.list.remove(gone)
    office.apply()
    # As the administration tools protect an object: on itself, and on what stands above it.
    domain.grant(office.dn(gone), "(D;;SDDT;;;WD)")
    domain.grant(office.ou, "(D;;DC;;;WD)")
    domain.grant(office.dn(denied), f"(D;;WP;;;{office.account.sid})")
    for name in (denied, kept):
        office.list.change(name, displayName=f"{name}-NEW")
    office.list.change(stolen, accountEnabled=False)
    office.list.publish()
    done = office.run("apply", code=PROBLEMS, days=31)
    asides = {line["name"]: line["error"] for line in done.of("aside") + done.of("begun")}
    assert office.account_of(stolen)["userAccountControl"] == [b"4098"]
    assert ("disable", stolen) in done.done and done.summary["aside"] + done.summary["begun"] == len(asides) == 2, done.lines
    assert "protects this entry" in asides[gone] and office.dn(gone) in asides[gone]
    assert office.dn(denied) in " ".join(asides.values())
    assert office.account_of(gone) and [b"4098"] == office.account_of(gone)["userAccountControl"]
