# SPDX-License-Identifier: GPL-2.0-or-later
"""Strong mappings of the list's tables of issued certificates: renewed, revoked, lost, and what cannot be written."""

import hashlib
import subprocess
import uuid

import pytest

from testenv import placeholder_worlds as worlds
from testenv.certificates import Authority
from testenv.graph_reports import COLUMNS, certificate, table
from testenv.placeholder_office import Office
from testenv.placeholder_worlds import Site
from testenv.placeholders import DONE, NOTHING, TO_DO
from testenv.radiusd import BUILD

CA = "CN=Issuing CA, O=Contoso, C=US"
AS_AD = "C=US,O=Contoso,CN=Issuing CA"


def intune(name):
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.intune"))


def row(name, number, issuer=CA, **more):
    return certificate(intune(name), number, IssuerName=issuer, **more)


def mapping(number, issuer=AS_AD):
    """Of a row's serial number, whose bytes AD has in reverse."""
    return f"X509:<I>{issuer}<SR>{bytes.fromhex(f'4D{number:036X}')[::-1].hex().upper()}"


def issue(site, *rows, command=("list", "import", "--certificates", "--force")):
    """The table has these rows and no others."""
    file = site.directory / "issued.csv"
    file.write_bytes(table(rows, COLUMNS))
    done = subprocess.run([BUILD / "certdir", *command, "--list", site.list.path, file], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Awaiting(Office):
    """A certdir.conf that asks Intune for a table."""

    def write(self):
        super().write()
        secret = self.secret_file("secret", "a-secret\n")
        self.conf.write_text(f"{self.conf.read_text()}[tenant contoso]\ntenant_id = {uuid.UUID(int=7)}\n"
                             f"client_id = {uuid.UUID(int=8)}\nclient_secret_file = {secret}\ncertificates = yes\n")


@pytest.fixture
def office(tmp_path, domain):
    office = Office(tmp_path / "office", domain)
    office.names = [office.add(number, intuneDeviceId=intune(office.name(number))) for number in range(3)]
    office.list.publish()
    return office


def mapped(office, name):
    return sorted(value.decode() for value in office.account_of(name).get("altSecurityIdentities", []))


def test_life_of_a_mapping(office):
    """No file is handed in: what the report has is mapped, before NPS sees it first, and goes when it has ended."""
    first, second, third = office.names
    # Two CAs of one name have given one number.
    issue(office, row(first, 1), row(second, 1, "CN=Issuing CA, DC=corp, DC=example", Thumbprint="AB" * 20))
    run = office.apply()
    assert mapped(office, first) == [mapping(1)]
    assert mapped(office, second) == [mapping(1, "DC=example,DC=corp,CN=Issuing CA")]
    assert mapped(office, third) == [] and len(run.remarks("no-mapping")) == 1 and not run.remarks("nps-refuses")
    assert run.summary["issued"] == {"in_list": 2, "matched": 2, "ended": 0, "unmatched": 0}
    office.settled()
    issue(office, row(first, 1), row(first, 2), row(third, 3))
    office.apply()
    assert mapped(office, first) == sorted([mapping(1), mapping(2)]) and mapped(office, third) == [mapping(3)]
    assert mapped(office, second) == [mapping(1, "DC=example,DC=corp,CN=Issuing CA")]  # the report has lost it
    issue(office, row(first, 2))  # and nearly all of it
    office.settled()
    issue(office, row(first, 1, ValidTo="2026-01-01 00:00:00.0000000"), row(first, 2), row(third, 3, status="revoked"))
    run = office.apply()
    assert mapped(office, first) == [mapping(2)] and mapped(office, third) == []
    refused, = run.remarks("nps-refuses").values()
    assert refused.startswith(f"{third} was issued certificates") and refused.endswith("are revoked")
    office.settled()
    office.list.remove(second)  # its row, if there were one, gives nothing to anybody
    issue(office, row(first, 2), row(second, 5))
    assert office.apply().actions == [("disable", second)]


def test_beside_files(tmp_path, domain):
    """A certificate of both: the file has the issuer's exact name, the row says whose it is and whether it is revoked."""
    office = Awaiting(tmp_path / "office", domain, mapping="issuer_serial")
    first, second = [office.add(number, intuneDeviceId=intune(office.name(number))) for number in range(2)]
    authority, handed_in = Authority("device CA"), tmp_path / "certificates"
    handed_in.mkdir()
    office.options["certificates"] = handed_in
    certificates = [authority.issue(subject=[["CN", name]], serial=f"4D{number:036X}")
                    for number, name in ((1, "Wi-Fi"), (2, second))]
    for number, one in enumerate(certificates):
        (handed_in / f"{number}.pem").write_text(one.pem)
    prints = [hashlib.sha1(one.der).hexdigest().upper() for one in certificates]
    office.list.publish()
    odd = "O=device CA"  # the table's word for it
    issue(office, row(first, 1, odd, Thumbprint=prints[0]), row(first, 9), row(second, 2, odd, Thumbprint=prints[1]))
    office.apply()
    theirs = [mapped(office, name) for name in (first, second)]
    assert [len(values) for values in theirs] == [2, 1] and mapping(9) in theirs[0] and "O=device CA" not in str(theirs)
    office.settled()
    # The list is made anew, and does not have its table yet: what that has given stays, files or not.
    office.list.path.unlink()
    office.list.publish()
    office.apply()
    assert [mapped(office, name) for name in (first, second)] == theirs
    issue(office, row(second, 2, odd, Thumbprint=prints[1], status="revoked"))
    office.apply()
    assert [mapped(office, name) for name in (first, second)] == [theirs[0], []]


HOSTILE = ["C=US, O=Contoso, CN=Issuing CA", "CN=a\\, b, C=US", 'CN="x<SR>00", C=US', "CN=a + O=b, C=US", "CN=K?ln, C=DE",
           "CN=a, LAND=DE"]


def test_on_slapd(tmp_path):
    """Odd issuers are told and not written, and nothing in one that can be written means more than itself."""
    with worlds.server(tmp_path / "slapd") as slapd:
        worlds.fill(slapd)
        site = Site(tmp_path / "site", slapd.uri, at=None)
        names = [f"LAPTOP-{number:02}" for number in range(30)]
        for name in names:
            site.add(name, intuneDeviceId=intune(name))
        site.publish()
        fine = 'CN="a)(cn=*)", O=*'
        issue(site, *(row(name, number, HOSTILE[number % len(HOSTILE)]) for number, name in enumerate(names[1:], 1)),
              row(names[0], 99, fine))
        run = site.apply(code=DONE)
        given = [entry["altSecurityIdentities"] for entry in slapd.contents().values() if "altSecurityIdentities" in entry]
        assert len(given) == 1 and mapping(99, 'O=*,CN="a)(cn=*)"') in str(given)
        assert len(run.remarks("nps-refuses")) == 29
        shown = site.plan(json=False, code=NOTHING).out.splitlines()
        lines = [line for line in shown if line.startswith("nps-refuses")]
        assert len(lines) == 21 and "and 9 more" in lines[-1] and "does not tell its name in Active Directory" in lines[0]
        assert any("30 certificates in the list that were not handed in: 1 valid and mapped" in line for line in shown)
        site.options["mapping"] = "ski"
        issue(site, row(names[1], 1))
        assert site.plan(code=NOTHING).remarks("nps-refuses")
        site.options["mapping"] = "issuer_serial"
        assert site.plan(code=TO_DO).actions == [("change", next(line["name"] for line in site.plan().of("action")))]
