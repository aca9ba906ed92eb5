# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration in docs/: it loads, and each recipe lets in whom it says and nobody else."""

import json
import re
import subprocess

import pytest

from testenv.certificates import Authority
from testenv.devices import DeviceList, device_id
from testenv.logins import enter
from testenv.placeholders import DONE, FAILED, NOTHING, Placeholders
from testenv.radiusd import REPO
from testenv.readme import indented
from testenv.recipe import DEVICES, SUFFIX, Recipe
from testenv.supplicant import wait_until

DOCS = REPO / "docs"

SID = "S-1-5-21-1004336348-1177238915-682003330-1104"
OTHER_SID = "S-1-5-21-1004336348-1177238915-682003330-1105"
INTUNE = "9a1f0c5e-0f6b-4a55-8d3e-6a4f5b1c2d3e"
UNKNOWN = "5bd2a7a0-1c1f-4c8e-b3a8-000000000001"
CLIENT = {"eku": ["clientAuth"]}
PEOPLE = ["clientAuth", "1.3.6.1.5.5.7.3.4"]


def recipes():
    """{title: configuration} of the page of recipes."""
    found = {}
    for part in (DOCS / "recipes.md").read_text().split("\n## ")[1:]:
        title, text = part.split("\n", 1)
        found[title] = "\n".join(indented(text))
    return found


RECIPES = recipes()


def option(recipe, name):
    found = re.search(rf'^\s*{name} = "([^"]*)"', recipe, re.MULTILINE)
    return found[1] if found else None


@pytest.fixture(scope="module")
def devices(tmp_path_factory):
    """Mine, and the victim's: whoever is let in as that has forged something."""
    devices = DeviceList(tmp_path_factory.mktemp("list") / "devices.db")
    devices.add("MINE", onPremisesSecurityIdentifier=SID, serialNumber="C02XG2JMJG5H", intuneDeviceId=INTUNE,
                imei="490154203237518", wiFiMacAddress="00A0C91E2F3D")
    devices.add("VICTIM", onPremisesSecurityIdentifier=OTHER_SID, serialNumber="C02ZZZZZZZZZ")
    devices.publish()
    return devices


def load(directory, module):
    directory.mkdir()
    (directory / "radiusd.conf").write_text(f"certdir = {directory}\nmodules {{\ncertdir {{\n{module}\n}}\n}}\n")
    return directory


def check(cli, raddb, pem):
    done = subprocess.run([cli, "check", "--json", "--raddb", raddb, "-"], input=pem.encode(), capture_output=True, timeout=60,
                          check=False)
    assert done.stdout, done.stderr.decode()
    return json.loads(done.stdout)


def authority_of(recipe):
    """A CA of the name that the recipe gives; RDNs stand there last first."""
    rdns = [rdn.split("=", 1) for rdn in option(recipe, "issuer").split(",")]
    return Authority(list(reversed(rdns)))


def template_of(recipe):
    template = option(recipe, "template")
    return {"template": {"oid": template, "major": 100, "minor": 4}} if template else {}


def uri(value):
    return {"uri": value}


BOTH = [uri(f"AAD_Device_ID:{device_id('MINE')}"), uri(f"IntuneDeviceId://{INTUNE}")]
VICTIM_NAMED = {"subject": [["CN", "VICTIM"]]}

# By recipe: what the certificate carries, the reason, and the device.
CASES = {
    "Cloud PKI": [
        ({"subject": [["CN", device_id("MINE")]], "san": BOTH}, "allowed", "MINE"),
        ({"subject": [["CN", device_id("MINE")]], "san": BOTH[1:]}, "allowed", "MINE"),
        ({"san": [BOTH[0], uri(f"IntuneDeviceId://{UNKNOWN}")], **VICTIM_NAMED}, "allowed", "MINE"),
        ({"san": [uri(f"AAD_Device_ID:{UNKNOWN}")], **VICTIM_NAMED}, "not-found", None),
        ({"subject": [["CN", device_id("VICTIM")]]}, "no-identity", None),
        ({"san": [BOTH[1], uri(f"AAD_Device_ID:{device_id('VICTIM')}")], **VICTIM_NAMED}, "conflict", None),
        ({"san": [*BOTH, {"upn": {"hex": "ff40"}}], "subject": [["CN", "PC\0"]], "sid": "none"}, "allowed", "MINE"),
        ({"san": [{"uri": "AAD_Device_ID:7"}]}, "malformed-certificate", None),
    ],
    "NDES and ADCS": [
        ({"san": BOTH}, "allowed", "MINE"),
        ({"san": BOTH, "sid": SID}, "allowed", "MINE"),
        ({"sid": OTHER_SID, **VICTIM_NAMED}, "no-identity", None),
        ({"san": BOTH, "sid": OTHER_SID}, "conflict", None),
        ({"san": BOTH, "template": {"oid": "1.2.3.4"}}, "issuer", None),
    ],
    "ADCS autoenrolment": [
        ({"sid": SID, "san": [{"dns": "mine.corp.example"}]}, "allowed", "MINE"),
        ({"sid": SID, "san": [{"dns": "victim.corp.example"}]}, "allowed", "MINE"),
        ({"sid": "S-1-5-21-1-2-3-999", "san": [{"dns": "victim.corp.example"}]}, "not-found", None),
        ({"sid": OTHER_SID, "template": {"oid": "1.3.6.1.4.1.311.21.8.1.2.3.4.5.6.7"}}, "issuer", None),
    ],
    "SCEPman": [
        ({"san": BOTH, "subject": [["CN", "anything"]]}, "allowed", "MINE"),
        ({"eku": ["serverAuth"], "san": BOTH}, "issuer", None),
        (VICTIM_NAMED, "no-identity", None),
    ],
    "Jamf": [
        ({"subject": [["CN", "C02XG2JMJG5H"], ["CN", UNKNOWN]]}, "allowed", "MINE"),
        ({"subject": [["CN", "C02XG2JMJG5H"], ["CN", device_id("VICTIM")]]}, "allowed", "MINE"),
        ({"subject": [["CN", "C02AAAAAAAAA"], ["CN", "VICTIM"]]}, "not-found", None),
        ({"subject": [["CN", "VICTIM"]]}, "not-found", None),
    ],
    # The list of this test has no people: that nobody comes in whose device is fine is what it can tell.
    "Certificates of people": [
        ({"eku": PEOPLE, "san": [{"upn": "max@contoso.example"}, BOTH[0]], **VICTIM_NAMED}, "not-found", "MINE"),
        ({"eku": PEOPLE, "san": [{"upn": "max@contoso.example"}]}, "not-found", None),
        ({"eku": PEOPLE, "san": BOTH[:1]}, "no-identity", "MINE"),
        ({"san": [{"upn": "max@contoso.example"}, BOTH[0]]}, "issuer", None),
    ],
    "Phones and tablets": [
        ({"subject": [["CN", "490154203237518"]]}, "allowed", "MINE"),
        ({"subject": [["OU", "00:a0:c9:1e:2f:3d"], ["CN", "49-015420-323751-0"]]}, "allowed", "MINE"),
        (VICTIM_NAMED, "no-identity", None),
    ],
}


def test_each_recipe_has_cases():
    assert sorted(RECIPES) == sorted(CASES)


@pytest.mark.parametrize("title", RECIPES)
def test_recipe(certdir_cli, devices, tmp_path, title):
    recipe = RECIPES[title]
    assert "certificates " in recipe
    raddb = load(tmp_path / "raddb", f"{recipe}\nlist {{ filename = {devices.path} }}")
    authority = authority_of(recipe)
    for carries, reason, name in CASES[title]:
        result = check(certdir_cli, raddb, authority.issue({**CLIENT, **template_of(recipe), **carries}).pem)
        device = result["device"]["name"] if result["device"] else None
        assert (result["reason"], device) == (reason, name), (carries, result["detail"])
    stranger = Authority("another CA").issue({"san": BOTH}).pem
    assert check(certdir_cli, raddb, stranger)["reason"] == "issuer"


def test_jamf_without_its_recipe(certdir_cli, devices, tmp_path):
    """Why there is one: the identifier of Jamf's profile is taken for the id of a device."""
    raddb = load(tmp_path / "raddb", f"list {{ filename = {devices.path} }}")
    pem = Authority("a CA").issue({"subject": [["CN", "C02XG2JMJG5H"], ["CN", UNKNOWN]]}).pem
    assert check(certdir_cli, raddb, pem)["reason"] == "not-found"


def test_a_stolen_device(certdir_cli, tmp_path):
    """It is out by a file of one's own, whatever Entra says, for long: an old source stops placeholders. Others are not."""
    section = (DOCS / "stolen.md").read_text()
    csv, command = (block.strip() for block in re.findall(r"((?:^ {8}\S.*\n)+)", section, re.MULTILINE))
    stolen = csv.splitlines()[1].strip().split(",")[0]
    devices = DeviceList(tmp_path / "devices.db")
    devices.add("STOLEN", deviceId=stolen)
    devices.add("MINE")
    devices.publish()
    (tmp_path / "stolen.csv").write_text("".join(line.strip() + "\n" for line in csv.splitlines()))
    raddb = load(tmp_path / "raddb", f"list {{ filename = {devices.path} }}")
    authority = Authority("a CA")
    pem = {key: authority.issue({"san": [uri(f"AAD_Device_ID:{key}")]}).pem
           for key in (stolen, device_id("MINE"))}
    assert {check(certdir_cli, raddb, one)["reason"] for one in pem.values()} == {"allowed"}
    program, *arguments = command.split()
    assert program == "certdir"
    subprocess.run([certdir_cli, *arguments, "--list", devices.path], cwd=tmp_path, timeout=60, check=True, capture_output=True)
    assert check(certdir_cli, raddb, pem[stolen])["reason"] == "disabled"
    assert check(certdir_cli, raddb, pem[device_id("MINE")])["reason"] == "allowed"
    stats = subprocess.run([certdir_cli, "list", "stats", "--json", "--list", devices.path], timeout=60, check=True,
                           capture_output=True)
    assert [source["good_for"] for source in json.loads(stats.stdout)["sources"] if source["name"] == "stolen"] == [3650 * 86400]


LDAP_BLOCKS = [block for page in ("ldap.md", "servers.md") for block in indented((DOCS / page).read_text()) if block.startswith("directories = ")]


def test_directories_are_found():
    assert len(LDAP_BLOCKS) == 2


@pytest.mark.parametrize("block", LDAP_BLOCKS)
def test_directories_load(certdir_cli, devices, tmp_path, block):
    ca_file, _ = Authority("ldap CA").write(tmp_path, "ca")
    raddb = load(tmp_path / "raddb", block.replace("/etc/ldap/ca.pem", str(ca_file)) + f"\nlist {{ filename = {devices.path} }}")
    done = subprocess.run([certdir_cli, "check", "--raddb", raddb, tmp_path / "absent.pem"], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 65, done.stderr  # it got as far as the certificate


# ---- Many RADIUS servers ----

class Job(Placeholders):
    """The job of docs/servers.md, with a list and undo files that are the test's own."""

    def __init__(self, directory, section):
        super().__init__(directory)
        self.section = section

    def write(self):
        self.conf.write_text(f"[list]\nfilename = {self.list.path}\n\n{self.section}\nundo_directory = {self.undo}\n")


def test_many_radius_servers(radiusd, pki, tmp_path):
    """3,000 devices, imported, on two servers that replicate; each of the two dies once, and who is disabled is out all the same."""
    with Recipe(tmp_path, (DOCS / "servers.md").read_text()) as recipe:
        first, second = recipe.servers
        job = Job(tmp_path / "job", recipe.text("[placeholders fleet]"))
        for number in range(3000):
            job.list.add(f"PC-{number}", serialNumber=f"SN-{number}", trustType=None)
        assert len(job.apply().done) == 3000
        assert job.plan(code=NOTHING).summary["unchanged"] == 3000, "the second run has more to list than a server gives by itself"
        recipe.wait_equal()
        certificates = {name: pki.issue(subject=[["CN", device_id(name)]]) for name in ("PC-7", "PC-8", "NOBODY")}
        server = radiusd("certdir {\n" + recipe.text('directories = "ldap"') + "\n}\n")

        def reasons():
            return {name: enter(server, pki, certificate)[1].reason for name, certificate in certificates.items()}

        assert reasons() == {"PC-7": "allowed", "PC-8": "allowed", "NOBODY": "not-found"}
        job.list.change("PC-7", accountEnabled=False)
        assert job.apply(code=DONE).done == [("disable", device_id("PC-7"))]
        recipe.wait_equal()
        first.kill()
        wait_until(lambda: reasons() == {"PC-7": "disabled", "PC-8": "allowed", "NOBODY": "not-found"})
        job.list.change("PC-8", accountEnabled=False)
        assert job.apply().done == [("disable", device_id("PC-8"))], "on the server that is left"
        first.start()
        recipe.wait_equal()
        second.kill()
        wait_until(lambda: reasons() == {"PC-7": "disabled", "PC-8": "disabled", "NOBODY": "not-found"})
        assert job.plan(code=NOTHING).summary["left_out"] == {"disabled": 2}

        # What is said where the limit was forgotten is what helps.
        change = "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\n"
        first.tool("ldapmodify", change + "delete: olcLimits\nolcLimits: {0}\n", "-Y", "EXTERNAL", "-Q")
        said = job.plan(code=FAILED).summary["error"]
        assert f'"{DEVICES}"' in said and "500" in said
        line = said[said.index("limits ") + len("limits "):]
        assert line == f'dn.exact="cn=certdir,{SUFFIX}" size.soft=unlimited size.hard=unlimited'
        first.tool("ldapmodify", f"{change}add: olcLimits\nolcLimits: {line}\n", "-Y", "EXTERNAL", "-Q")
        job.plan(code=NOTHING)


# ---- reasons ----

def test_every_reason_has_a_remedy():
    """The page has the reasons of certdir(1), in its order, and each but "allowed" says what to do."""
    manual = (REPO / "man/certdir.1").read_text().split("\n.SH REASONS\n")[1].split("\n.TE")[0]
    reasons = [line.split("|")[0] for line in manual.split("\n_\n")[1].splitlines() if "|" in line]
    table = (DOCS / "denied.md").read_text().split("\n## Every reason\n")[1]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines() if line.startswith("| ")][1:]
    assert [row[0] for row in rows] == [*[reason for reason in reasons if reason not in ("allowed", "allowed-stale", "unseen")],
                                        "allowed-stale", "allowed", "unseen"]
    assert all(len(row) == 3 and (row[2] or row[0] == "allowed") for row in rows)


def test_links_between_pages():
    """Each link names a page that is there, and a heading in it."""
    pages = [REPO / "README.md", REPO / "SECURITY.md", *DOCS.glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
            path, _, anchor = target.partition("#")
            other = page.parent / path if path else page
            assert other.exists(), f"{page.name}: {target}"
            headings = re.findall(r"^#+ (.*)$", other.read_text(), re.MULTILINE) if anchor else []
            slugs = [re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert not anchor or anchor in slugs, f"{page.name}: {target}"


def test_the_site_has_every_page():
    site = (REPO / "mkdocs.yml").read_text()
    assert not [page.name for page in (*DOCS.glob("*.md"), *(REPO / "man").glob("*.[15]")) if page.name not in site]
