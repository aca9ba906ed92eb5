# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir profiles: saved answers and the fake Graph, a clean tenant, each fault by itself, the server's side, hostile answers."""

import json
import subprocess

import pytest

from testenv.certificates import Authority
from testenv.profiles import FAULTS, Profiles, devices
from testenv.radiusd import BUILD


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

    def run(self, *arguments, code=None):
        done = subprocess.run([BUILD / "certdir", "profiles", *arguments], capture_output=True, text=True, timeout=60,
                              check=False)
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
