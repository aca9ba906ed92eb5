# SPDX-License-Identifier: GPL-2.0-or-later
"""
certdir placeholders and names that users choose, against a real domain controller (Samba): what is one name for the
domain, and what its KDC would give tickets for.
"""

import pytest

from testenv.devices import device_id
from testenv.placeholders import PROBLEMS, Placeholders
from testenv.samba import BASE, DNS, DOMAIN


@pytest.fixture(scope="module")
def office(tmp_path_factory, domain):
    """Accounts by name, in an OU that is not written as the server writes it."""
    office = Placeholders(tmp_path_factory.mktemp("names"))
    office.ou = domain.add_ou("Geräte der Nutzer")
    account = domain.add_user("svc-names")
    domain.delegate(account, office.ou)
    office.options |= {
        "server": domain.ldaps_uri, "ca_file": domain.ca_file, "identity": account.identity,
        "password_file": office.secret_file("password", account.password), "ou": office.ou.upper(), "name": "{name}"}
    return office


# Names of the domain, of its controller, of services; names with a dot; a user's web server, and a computer without names.
REFUSED = [DNS, "ad", "test", DOMAIN.lower(), "DC1", f"DC1.{DNS}", "intranet", "ＷＰＡＤ", "krbtgt",
           f"pc.{DNS}", "www.bank.example", "names-shop", "names-staged"]


def test_names_that_are_more_than_names(office, domain, tmp_path):
    user = domain.add_user("names-user")
    holders = {
        "names-shop": domain.add("CN=names-web," + f"CN=Users,{BASE}", objectClass="user", sAMAccountName="names-web",
                                 servicePrincipalName=f"HTTP/names-shop.{DNS}"),
        "names-staged": domain.add_computer("NAMES-STAGED", f"CN=Computers,{BASE}")}
    for name in (*REFUSED, "names-pc", "names-çédille", "names-CEDILLE-2"):
        office.list.add(name)
    run = office.apply(code=PROBLEMS)
    problems = run.remarks("problem")
    assert set(problems) == {device_id(name) for name in REFUSED}
    for name, holder in holders.items():
        assert holder in problems[device_id(name)]
    assert run.done == [("create", "names-CEDILLE-2"), ("create", "names-pc"), ("create", "names-çédille")]
    # Nobody's traffic comes to a device: the KDC knows HOST/names-pc and no service of these names.
    assert domain.kerberos("kinit", user.principal, cache=tmp_path / "cache", typed=f"{user.password}\n").returncode == 0
    for service, given in (("cifs/names-pc", True), (f"cifs/{DNS}", False), (f"http/{DNS}", False), ("http/intranet", False),
                           ("cifs/wpad", False), ("http/names-shop", False)):
        done = domain.kerberos("kvno", service, cache=tmp_path / "cache")
        assert (done.returncode == 0) == given, (service, done.stdout, done.stderr)
    assert office.plan(code=PROBLEMS).actions == []


def test_an_account_is_not_renamed_to_such_a_name(office, domain):
    before = domain.below(office.ou)
    office.list.change("names-pc", displayName="intranet2")
    office.list.change("names-CEDILLE-2", displayName="names-staged")
    run = office.apply(code=PROBLEMS)
    assert run.done == [("move", "intranet2")]
    assert device_id("names-CEDILLE-2") in run.remarks("problem")
    after = domain.below(office.ou)
    assert {dn for dn in before if "CEDILLE" in dn} <= set(after)


def test_twins(office, domain):
    """Names that differ in case alone, beyond ASCII: neither gets an account, in this run and the next."""
    office.list.devices.clear()
    for name in ("Müller-PC", "MÜLLER-PC", "Muller-PC", "Mueller-PC"):
        office.list.add(name)
    office.apply("--force", code=PROBLEMS)
    run = office.plan(code=PROBLEMS)
    assert set(run.remarks("problem")) == {device_id(name) for name in ("Müller-PC", "MÜLLER-PC", "Muller-PC")}
    assert run.actions == []
    assert f"CN=Mueller-PC,{office.ou}" in domain.below(office.ou)
