# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir profiles: saved answers and the fake Graph, a clean tenant, each fault by itself, the server's side, hostile answers."""

import json
import os
import subprocess

import pytest

from testenv import clock
from testenv.certificates import Authority
from testenv.graph import FakeGraph
from testenv.graph_faults import recorded
from testenv.graph_profiles import SCHEMA
from testenv.profiles import FAULTS, Profiles, devices
from testenv.radiusd import BUILD
from testenv.sync import Sync


class Place:
    """Certificates of both ends, a list, and how certdir profiles is run."""

    def __init__(self, directory):
        self.directory = directory
        self.root = Authority("Contoso Root")
        self.other = Authority("Contoso Root 2")
        server = self.root.issue(subject=[["CN", "radius.contoso.example"]], san=[{"dns": "radius.contoso.example"}],
                                 server=True)
        self.server = server.write(directory, "server")[0]
        self.list = self.make_list("devices", devices())

    def profiles(self):
        profiles = Profiles(self.root.der)
        profiles.other_root = None
        profiles.other_root = Profiles(self.other.der).root
        return profiles

    def make_list(self, name, content):
        file, source = self.directory / f"{name}.db", self.directory / f"{name}.json"
        source.write_text(json.dumps(content))
        subprocess.run([BUILD / "certdir", "list", "import", "--list", file, source], check=True, capture_output=True)
        return file

    def run(self, *arguments, code=None, env=None):
        done = subprocess.run([BUILD / "certdir", "profiles", *arguments], capture_output=True, text=True, timeout=60,
                              check=False, env={**os.environ, **(env or {})})
        assert code in (None, done.returncode), f"{done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def report(self, profiles, directory, *arguments, **options):
        done = self.run("--json", "--from", profiles.save(directory), "--list", self.list, "--radius-certificate",
                        self.server, *arguments, **options)
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("profiles"))


def findings(report):
    return [(profile["name"], one["code"], one["devices"], one["level"])
            for profile in report["profiles"] for one in profile["findings"]]


def test_clean(place, tmp_path):
    report = place.report(place.profiles(), tmp_path / "answers", code=0)
    assert findings(report) == [] and report["not_read"] == []
    assert [profile["name"] for profile in report["profiles"]] == [
        "Windows root", "Windows certificate", "Windows Wi-Fi", "iPhone root", "iPhone certificate", "iPhone Wi-Fi"]
    windows = report["profiles"][1]
    assert windows["strong_mapping"]
    assert {(read["variable"], read["from"], read["rank"]) for read in windows["reads"]} == {
        ("AAD_Device_ID", "subject.cn", "id"), ("DeviceId", "san.uri", "vouched"),
        ("OnPremisesSecurityIdentifier", "san.uri", "confirming")}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(fault, place, tmp_path):
    make, expected, extra = FAULTS[fault]
    profiles, options = place.profiles(), []
    make(profiles)
    if extra:
        options = ["--list", place.make_list("more", devices() + [extra])]
    report = place.report(profiles, tmp_path / "answers", *options, code=1 if expected[3] == "wrong" else 0)
    assert findings(report) == [expected]


# ---- Graph ----


@pytest.fixture
def graph(place):
    with FakeGraph() as graph:
        graph.profiles = place.profiles()
        yield graph
        assert graph.violations == []


@pytest.fixture
def sync(graph, tmp_path):
    sync = Sync(tmp_path / "sync", graph)
    sync.write()
    return sync


def test_from_graph_and_saved(place, graph, sync, tmp_path):
    """What Graph says, page by page, is what its saved answers say, and nothing is asked but what is documented."""
    FAULTS["no certificate"][0](graph.profiles)
    graph.profiles.add_policy("Mac Wi-Fi", "com.apple.wifi.managed_com.apple.wifi.managed")
    graph.profiles.add_policy("Screen saver", "com.apple.screensaver_askforpassword")
    graph.page_size = 3
    saved = tmp_path / "saved"
    options = ("--json", "--list", place.list, "--radius-certificate", place.server)
    asked = place.run("-c", sync.conf, "--save", saved, *options, code=1)
    assert findings(json.loads(asked.stdout)) == [FAULTS["no certificate"][1]]
    assert [one["name"] for one in json.loads(asked.stdout)["not_read"]] == ["Mac Wi-Fi"]
    assert len(graph.asked("configurations")) == 3
    requests = len(graph.requests)
    assert place.run("--from", saved, *options, code=1).stdout == asked.stdout
    assert len(graph.requests) == requests
    assert saved.stat().st_mode & 0o777 == 0o700
    again = place.run("-c", sync.conf, "--save", saved, *options, code=69)
    assert "save into an empty directory" in again.stderr


def test_devices_of_the_tenant(place, sync, graph):
    """They are counted as the sync of this tenant put them into the list, which certdir.conf names."""
    for number in range(40):
        graph.tenant.enrol(graph.tenant.add_device(f"pc{number}", operatingSystem="Windows", trustType="AzureAd" if number % 4 else "ServerAd"))
    for number in range(2):
        graph.tenant.enrol(None, operatingSystem="Windows", deviceName=f"kiosk{number}")
    sync.run()
    FAULTS["Entra-joined"][0](graph.profiles)
    report = json.loads(place.run("--json", "-c", sync.conf, code=1).stdout)
    assert ("Windows certificate", "no-domain", 30, "wrong") in findings(report)
    # What Intune alone knows has no Entra ID's id for its certificate.
    assert ("Windows certificate", "not-registered", 2, "wrong") in findings(report)


def test_permission_is_missing(place, graph, sync):
    graph.permissions.discard("DeviceManagementConfiguration.Read.All")
    refused = place.run("-c", sync.conf, "--list", place.list, code=69)
    assert "DeviceManagementConfiguration.Read.All" in refused.stderr and not refused.stdout


@pytest.mark.parametrize("route,part", [("relation", "its rootCertificate: "), ("settings", "its settings: ")])
@pytest.mark.parametrize("fault,says", [("403", "answers 403 although the access token grants"), ("503", "answers 503")])
def test_part_of_one_profile_is_refused(place, graph, sync, route, part, fault, says):
    """It is told, with what to do, and so is all else; the exit code says that it is not all."""
    graph.profiles.add_policy("Mac Wi-Fi", "com.apple.wifi.managed_com.apple.wifi.managed")
    FAULTS["no certificate"][0](graph.profiles)
    refused = graph.profiles["ios"] if route == "relation" else graph.profiles.policies[0]

    def one(server, request, proper):
        return recorded(fault)(server, request, proper) if refused["id"] in request.target else proper()

    graph.order(route, one, times=None)
    sync.set(deadline="1h")  # two minutes by our clock: a busy machine must not make it the reason
    sync.write()
    done = place.run("-c", sync.conf, "--list", place.list, "--radius-certificate", place.server, "--json", code=69, env=clock.HURRY)
    report = json.loads(done.stdout)
    assert findings(report) == [FAULTS["no certificate"][1]]
    unread, = [item for item in report["not_read"] if item["name"] != "Mac Wi-Fi" or route == "settings"]
    assert unread["name"] == refused.get("displayName", refused.get("name"))
    assert unread["why"].startswith(part)
    assert says in unread["why"] and (fault == "503" or "DeviceManagementConfiguration.Read.All" in unread["why"]), unread


def test_what_graph_does_not_know(place, graph, sync, tmp_path):
    """A relation that Graph does not know of a type is told, and ends nothing; one profile that comes twice is one."""
    graph.profiles.add("10X", "windows10XSCEPCertificateProfile", "Headset", **graph.profiles.certificate(
        [{"sanType": "universalResourceIdentifier", "name": "IntuneDeviceId://{{DeviceId}}"}], "CN=Headset"))
    graph.profiles.items["again"] = graph.profiles["ios"]
    done = json.loads(place.run("-c", sync.conf, "--list", place.list, "--save", tmp_path / "saved", "--json", code=0).stdout)
    assert [profile["name"] for profile in done["profiles"]].count("iPhone certificate") == 1
    assert [(one["name"], one["why"].split(":")[0]) for one in done["not_read"]] == [("Headset", "its rootCertificate")]
    again = json.loads(place.run("--from", tmp_path / "saved", "--list", place.list, "--json", code=0).stdout)
    assert again["sections"] == done["sections"] and again["not_read"] == []


def test_roots_of_all_networks(place, graph, sync):
    """The relation to a network's roots is called otherwise in each platform's type, and some have both: whichever it uses is read."""
    networks = [(kind, relation) for kind, has in SCHEMA.items() for relation in has["relations"]
                if relation.startswith("rootCertificate") and relation.endswith("ForServerValidation")]
    graph.profiles.add("other-root", "windows81TrustedRootCertificate", "Another root", trustedRootCertificate=graph.profiles.other_root)
    for kind, relation in networks:
        short = f"{kind} {relation}"
        graph.profiles.add(short, kind, short, **graph.profiles.network())
        graph.profiles.relations[short, relation] = ["other-root"] if "Certificates" in relation else "other-root"
        graph.profiles.relations[short, "identityCertificateForClientAuthentication"] = "scep"
    options = ("--list", place.list, "--radius-certificate", place.server, "--json")
    report = json.loads(place.run("-c", sync.conf, *options, code=1).stdout)
    assert report["not_read"] == []
    assert sorted(name for name, code, *_ in findings(report) if code == "other-root") == sorted(" ".join(one) for one in networks)


def test_profiles_of_the_fake_are_graph_s():
    """Properties and words of what the fake answers, against the official schema."""
    profiles = Profiles(b"")
    for make, *_ in FAULTS.values():
        profiles.other_root = ""
        make(profiles)
    for one in profiles.items.values():
        kind = one["@odata.type"].removeprefix("#microsoft.graph.")
        known = {"@odata.type", *(name for part in ("deviceConfiguration", kind) for names in SCHEMA[part].values() for name in names)}
        assert set(one) <= known, f"{kind} has no {sorted(set(one) - known)}"
    for (short, relation) in profiles.relations:
        assert relation in SCHEMA[profiles[short]["@odata.type"].removeprefix("#microsoft.graph.")]["relations"]


def test_save_where_nothing_can_be_written(place, sync, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be" in place.run("-c", sync.conf, "--list", place.list, "--save", tmp_path / "file", code=69).stderr
    assert "cannot be made" in place.run("-c", sync.conf, "--list", place.list, "--save", tmp_path / "no" / "dir", code=69).stderr


def test_configuration(place, graph, tmp_path):
    several = Sync(tmp_path / "several", {"contoso": graph, "fabrikam": graph})
    several.set("fabrikam", tenant_id="72f988bf-86f1-41af-91ab-2d7cd011db47")
    several.write()
    assert "several tenants" in place.run("-c", several.conf, "--list", place.list, code=78).stderr
    place.run("-c", several.conf, "--list", place.list, "contoso", code=0)
    assert "no [tenant nobody]" in place.run("-c", several.conf, "--list", place.list, "nobody", code=78).stderr
    assert place.run("--from", tmp_path, "contoso", code=64).stderr.startswith("certdir profiles: --from DIR asks no tenant")


# ---- the RADIUS server ----


def write_raddb(directory, place, more=""):
    """A raddb with certdir and an eap module, whose CA is the root of the profiles."""
    root = place.root.write(directory.parent, "root")[0]
    directory.mkdir()
    (directory / "radiusd.conf").write_text(
        f"modules {{\neap {{\ntls-config common {{\ncertificate_file = {place.server}\nca_file = {root}\n}}\n}}\n"
        f"certdir {{\n{more}\nlist {{ filename = {place.list} }}\n}}\n}}\n")
    return directory


def test_sections_are_read_by_certdir(place, tmp_path):
    """What is printed to be pasted is what the server's own reader takes, and with it every profile's certificate has an id."""
    profiles = place.profiles()
    profiles.change("ios", subjectNameFormatString="CN=sn.{{SerialNumber}},O=Contoso", customSubjectAlternativeNames=[])
    sections = place.report(profiles, tmp_path / "answers")["sections"]
    assert "type = serial_number" in sections and 'pattern = "^sn.(.+)$"' in sections
    assert 'vouched = "san.dns san.uri"' in sections  # in subject.cn stands the serial number, too
    with_them = write_raddb(tmp_path / "with", place, sections)
    # By itself, certdir does not read a serial number there.
    report = place.report(profiles, tmp_path / "by itself", code=1)
    assert findings(report) == [("iPhone certificate", "no-identity", 0, "wrong")]
    assert findings(place.report(profiles, tmp_path / "again", "--raddb", with_them, code=0)) == []
    # A person's certificate has a section of its own kind.
    person = place.profiles()
    person.change("scep", subjectNameFormatString="CN={{UserName}}", certificateStore="user",
                  customSubjectAlternativeNames=[{"sanType": "userPrincipalName", "name": "{{UserPrincipalName}}"}])
    for short in ("ios", "ios-wifi"):
        del person.items[short]
    person.relations = {key: value for key, value in person.relations.items() if not key[0].startswith("ios")}
    sections = place.report(person, tmp_path / "person")["sections"]
    assert "holder = user" in sections
    report = place.report(person, tmp_path / "person2", "--raddb", write_raddb(tmp_path / "people", place, sections))
    assert [one for one in findings(report) if one[1].startswith("server")] == []
    # The same CA for both: what only the ones have tells them apart, or the others are refused, and told of.
    for name, more, due in (("apart", [{"name": "Smart card", "objectIdentifier": "1.3.6.1.4.1.311.20.2.2"}], []),
                            ("alike", [], [("Windows certificate", "server-identity", 0, "wrong")])):
        both = place.profiles()
        both.change("scep", subjectNameFormatString="CN={{UserName}}", certificateStore="user",
                    extendedKeyUsages=both["scep"]["extendedKeyUsages"] + more,
                    customSubjectAlternativeNames=[{"sanType": "userPrincipalName", "name": "{{UserPrincipalName}}"}])
        sections = place.report(both, tmp_path / name)["sections"]
        report = place.report(both, tmp_path / name, "--raddb", write_raddb(tmp_path / f"{name}-raddb", place, sections))
        assert [one for one in findings(report) if one[1].startswith("server")] == due
    without = write_raddb(tmp_path / "without", place, 'certificates other { issuer = "CN=Contoso Root"\ndns_name = "san.dns" }')
    report = place.report(profiles, tmp_path / "third", "--raddb", without, code=1)
    assert ("iPhone certificate", "server-identity", 0, "wrong") in findings(report)


def test_server_is_another(place, tmp_path):
    """Sections for another CA, another CA in eap, and the server's own certificate when none was named."""
    sections = 'certificates other { issuer = "CN=Somebody Else"\ndns_name = "san.dns" }'
    raddb = write_raddb(tmp_path / "raddb", place, sections)
    profiles = place.profiles()
    report = place.report(profiles, tmp_path / "answers", "--raddb", raddb, code=0)
    # It may be the name of a CA below the root.
    assert findings(report) == [("Windows certificate", "server-issuer", 0, "note"), ("iPhone certificate", "server-issuer", 0, "note")]
    profiles.root = profiles.other_root
    profiles.change("root", trustedRootCertificate=profiles.other_root)
    done = place.run("--json", "--from", profiles.save(tmp_path / "others"), "--list", place.list, "--raddb",
                     write_raddb(tmp_path / "second", place), code=1)
    assert findings(json.loads(done.stdout)) == [("Windows certificate", "server-ca", 0, "wrong"), ("Windows Wi-Fi", "other-root", 0, "wrong")]


# ---- hostile and cut answers ----


def _cut(directory):
    file = directory / "deviceConfigurations.json"
    file.write_bytes(file.read_bytes()[:-7])
    return "deviceConfigurations.json is no whole answer of Graph"


def _no_page(directory):
    file = directory / "deviceConfigurations.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "@odata.nextLink": "https://graph.microsoft.com/beta/x"}))
    return "deviceConfigurations, page 2: it is missing"


def _number(directory):
    (directory / "configurationPolicies.json").write_text("7")
    return "configurationPolicies.json is no "


def _no_id(directory):
    (directory / "deviceConfigurations.json").write_text('{"value":[{"id":"../../etc/passwd","displayName":"x"}]}')
    return "without an id"


def _no_value(directory):
    (directory / "deviceConfigurations.json").write_text('{"error":{"code":"Forbidden"}}')
    return 'deviceConfigurations, page 1: no answer of Graph: it has no "value"'


def _nothing(directory):
    (directory / "deviceConfigurations.json").unlink()
    return "has no deviceConfigurations.json"


@pytest.mark.parametrize("harm", [_cut, _no_page, _number, _no_id, _no_value, _nothing])
def test_bad_answers(harm, place, tmp_path):
    directory = place.profiles().save(tmp_path / "answers")
    says = harm(directory)
    refused = place.run("--from", directory, "--list", place.list, code=65)
    assert says in refused.stderr and not refused.stdout


def test_strange_values(place, tmp_path):
    """Values of a wrong type, missing ones, and names that are not to be believed harm nobody."""
    profiles = place.profiles()
    profiles.change("scep", customSubjectAlternativeNames={"sanType": 1}, extendedKeyUsages="x", certificateStore=[],
                    displayName="A\u202eB\x1b[31m\nC", subjectNameFormatString="CN={{AAD_Device_ID}}{{")
    profiles.change("wifi", trustedServerCertificateNames=[None, 3], assignments=[None, {"target": 5}, {"target": {"groupId": "x"}}])
    profiles.change("root", trustedRootCertificate="====")
    profiles.relations["ios-wifi", "identityCertificateForClientAuthentication"] = None
    (profiles.save(tmp_path / "answers") / f"{profiles['ios']['id']}.rootCertificate.json").write_text('{"id":7}')
    for extra in ([], ["--json"]):
        done = place.run("--from", tmp_path / "answers", "--list", place.list, "--radius-certificate", place.server, *extra)
        assert done.returncode == 1 and "\x1b" not in done.stdout and "\u202e" not in done.stdout
    assert "its certificate cannot be read" in done.stdout


def test_relations_that_were_not_saved(place, tmp_path):
    """The Graph Explorer's one answer is enough, saved by Windows' editor: what is not known is not told."""
    directory = place.profiles().save(tmp_path / "answers")
    (directory / "deviceConfigurations.json").write_text((directory / "deviceConfigurations.json").read_text(), encoding="utf-8-sig")
    for file in directory.glob("*-*.json"):
        file.unlink()
    (directory / "configurationPolicies.json").unlink()
    done = place.run("--from", directory, "--list", place.list, "--radius-certificate", place.server, code=0)
    assert "0 wrong, 0 to look at" in done.stdout


def test_example_of_the_manual(repo, place, tmp_path):
    """It is what the program prints of such profiles, but for where lines end."""
    profiles = place.profiles()
    for short in ("ios-root", "ios", "ios-wifi", "restrictions"):
        del profiles.items[short]
    profiles.relations = {key: value for key, value in profiles.relations.items() if key[0] in profiles.items}
    profiles.change("scep", subjectNameFormatString="CN={{FullyQualifiedDomainName}}",
                    customSubjectAlternativeNames=[one for one in profiles["scep"]["customSubjectAlternativeNames"]
                                                   if one["sanType"] == "universalResourceIdentifier"])
    FAULTS["other root"][0](profiles)
    done = place.run("--from", profiles.save(tmp_path / "answers"), "--list", place.list, "--radius-certificate", place.server, code=1)
    manual = (repo / "man" / "certdir-profiles.1").read_text()
    example = manual.partition("$ certdir profiles")[2].partition("\n")[2].partition("\n.fi")[0].replace("\\-", "-")
    assert example.split() == done.stdout.split(), done.stdout


def test_without_a_list(place, tmp_path):
    profiles = place.profiles()
    FAULTS["Entra-joined"][0](profiles)
    done = place.run("--from", profiles.save(tmp_path / "answers"), code=0)
    assert "can never be issued to Entra-joined devices, which nobody has counted without a list" in done.stdout
    place.run("--from", tmp_path / "answers", "--list", tmp_path / "none.db", code=66)
    place.run("--from", tmp_path / "answers", "--radius-certificate", tmp_path / "none.pem", code=66)
