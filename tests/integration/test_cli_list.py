# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir list: import, export, show, find, stats, verify, on real files."""

import contextlib
import csv
import fcntl
import hashlib
import io
import json
import os
import re
import sqlite3
import subprocess
import time

import pytest

G1 = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
G2 = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"


@pytest.fixture
def vectors(repo):
    return repo / "tests" / "vectors" / "lists"


@pytest.fixture
def run(certdir_cli, tmp_path):
    """Runs `certdir list COMMAND --list devices.db ..`; checks the exit code."""

    def run(command, *args, code=0, stdin=None):
        result = subprocess.run([certdir_cli, "list", command, "--list", tmp_path / "devices.db", *args], input=stdin,
                                capture_output=True, timeout=60)
        result.out, result.err = result.stdout.decode(), result.stderr.decode()
        assert result.returncode == code, result.out + result.err
        return result

    return run


@pytest.fixture
def load(run, tmp_path):
    """Imports a text or an object as JSON."""

    def load(content, *args, code=0, name="devices.json"):
        data = content if isinstance(content, bytes) else content.encode() if isinstance(content, str) \
            else json.dumps(content).encode()
        (tmp_path / name).write_bytes(data)
        return run("import", *args, tmp_path / name, code=code)

    return load


def show(run, value):
    return [json.loads(line) for line in run("show", "--json", value).out.splitlines()]


def test_graph(run, vectors):
    result = run("import", vectors / "graph.json")
    assert result.out.startswith("3 devices (before: 0) in ")
    assert result.err.count("deletedDateTime") == 1 and "displayName" not in result.err
    laptop, = show(run, "LAPTOP-0001")
    assert {k: v for k, v in laptop.items() if k != "synced"} == {
        "id": "6a59ea83-02bd-468f-a40b-f2c3d1821983", "deviceId": G1, "displayName": "LAPTOP-0001",
        "deviceOwnership": "company", "operatingSystem": "Windows", "complianceState": "compliant",
        "accountEnabled": True, "isManaged": True, "trustType": "AzureAd",
        "approximateLastSignInDateTime": "2024-05-01T10:00:00Z", "registrationDateTime": "2023-02-10T08:15:30Z",
        "source": "import", "foundBy": "common_name"}
    hybrid, = show(run, "hybrid-17")
    assert hybrid["onPremisesSecurityIdentifier"] == "S-1-5-21-1004336348-1177238915-682003330-1133"
    assert not {"isManaged", "complianceState", "registrationDateTime"} & set(hybrid)  # null and 0001 are "not known"
    phone, = show(run, "björk's iphone")
    assert (phone["accountEnabled"], phone["complianceState"], phone["trustType"]) == (False, "noncompliant", "Workplace")


def test_powershell(run, vectors):
    run("import", vectors / "powershell.json")
    laptop, = show(run, G1.upper())
    assert laptop["approximateLastSignInDateTime"] == "2024-05-01T10:00:00Z"
    hybrid, = show(run, "HYBRID-17")
    assert hybrid["displayName"] == "hybrid-17" and "accountEnabled" not in hybrid


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_windows_powershell_redirection(run, load, encoding):
    load('{"DisplayName": "Gerät 💻"}'.encode(encoding))  # one device: ConvertTo-Json writes no array
    assert show(run, "gerät 💻")[0]["displayName"] == "Gerät 💻"


def test_intune(run, vectors):
    run("import", vectors / "intune.json")
    laptop, = show(run, "laptop-0001")
    assert laptop["intuneDeviceId"] == "c1f5a3c0-5a58-4f3e-8a59-0a7f3b0c1d2e" and "id" not in laptop
    assert laptop["deviceId"] == G1 and laptop["serialNumber"] == "5CG1234ABC" and laptop["isManaged"] is True
    assert laptop["complianceState"] == "inGracePeriod" and laptop["userPrincipalName"] == "ada@contoso.example"
    kiosk, = show(run, "kiosk-3")
    assert not {"deviceId", "serialNumber", "approximateLastSignInDateTime"} & set(kiosk)


def test_csv_with_semicolons(run, vectors):
    result = run("import", vectors / "semicolons.csv")
    assert "Comment" in result.err and "record 2" in result.err and "control character" in result.err
    laptop, = show(run, G1)
    assert laptop["displayName"] == 'LAPTOP; "0001"' and laptop["serialNumber"] == "5CG1"
    assert laptop["accountEnabled"] is True and laptop["isManaged"] is False
    assert [g["displayName"] for g in laptop["groups"]] == ["Wi-Fi staff", "a|b"]
    assert "displayName" not in show(run, "sn-2")[0]


@pytest.mark.parametrize("first", ["json", "csv"])
@pytest.mark.parametrize("second", ["json", "csv"])
def test_export_is_a_fixed_point(run, load, vectors, first, second):
    run("import", vectors / "everything.json")
    exported = run("export", "--format", first).stdout
    load(exported, "--replace", name="one." + first)
    assert run("export", "--format", first).stdout == exported
    again = run("export", "--format", second).stdout
    load(again, "--replace", name="two." + second)
    assert run("export", "--format", first).stdout == exported


def test_export_keeps_everything(run, vectors):
    run("import", vectors / "everything.json")
    want = json.loads((vectors / "everything.json").read_text())
    got = {d.get("displayName"): d for d in json.loads(run("export").out)}
    assert len(got) == len(want)
    for device in want:
        mine = got[device.get("displayName")]
        assert set(mine) == set(device)
        for key, value in device.items():
            if key == "groups":
                assert sorted(map(str, mine[key])) == sorted(map(str, value))
            elif key == "dnsNames":
                assert mine[key] == ["laptop-0001.contoso.example", "laptop-0001.corp.contoso.example"]
            elif key == "accountExpirationDate":
                assert mine[key] == "2029-12-31T23:00:00Z"
            else:
                assert mine[key] == value
    rows = list(csv.DictReader(io.StringIO(run("export", "--format", "csv").out, newline="")))
    assert len(rows) == len(want)
    assert rows[-1]["displayName"] == 'printer, 2nd floor; "east"'


def test_show_tells_everything(run, vectors):
    """Each text and time of the file stands in a line of what is shown to people; a trustType in certdir's own word."""
    def texts(value):
        if isinstance(value, (dict, list)):
            for one in value.values() if isinstance(value, dict) else value:
                yield from texts(one)
        elif isinstance(value, str) and value:
            yield value

    run("import", vectors / "everything.json")
    for device in json.loads(run("export").out):
        shown = run("show", device.get("displayName") or device.get("serialNumber") or next(texts(device))).out
        joined = device.pop("trustType", None)
        assert [text for text in texts(device) if text not in shown] == []
        assert joined is None or re.search(r"^  join type +(entra|hybrid|registered|ad)$", shown, re.M)


def test_former_names(run, load, tmp_path):
    """An older export has names alone; times without a name, and names that are none, are nothing to keep."""
    load([{"displayName": "a", "formerNames": ["B", "C"]},
          {"displayName": "d", "formerNamesSince": ["2024-01-01T00:00:00Z", None, ""], "formerNames": ["E", "F"]},
          {"displayName": "g", "formerNames": ["", "H"], "formerNamesSince": ["2024-01-01T00:00:00Z"]},
          {"displayName": "i", "formerNamesSince": ["2024-01-01T00:00:00Z"]}])
    got = {one["displayName"]: (one.get("formerNames"), one.get("formerNamesSince")) for one in json.loads(run("export").out)}
    assert got == {"a": (["B", "C"], None), "d": (["E", "F"], ["2024-01-01T00:00:00Z", None]), "g": (["H"], None),
                   "i": (None, None)}
    load("displayName,formerNames,formerNamesSince\na,B|C,|2024-01-01T00:00:00Z\n", "--replace", name="a.csv", code=0)
    device, = json.loads(run("export").out)
    assert (device["formerNames"], device["formerNamesSince"]) == (["B", "C"], [None, "2024-01-01T00:00:00Z"])


def test_extension_attributes(run, load):
    load([{"displayName": "a", "extensionAttributes": {"ExtensionAttribute15": "x", "extensionAttribute2": "", "other": {},
                                                       "extensionAttribute1": None, "extensionAttribute3": "y"}},
          {"displayName": "b", "extensionAttributes": "7=x|2=a\\|b"},
          {"displayName": "c", "extensionAttributes": {"extensionAttribute1": None}},
          # what Export-Csv makes of an object
          {"displayName": "d", "ExtensionAttributes": "Microsoft.Graph.PowerShell.Models.OnPremisesExtensionAttributes"}])
    got = [one.get("extensionAttributes") for one in json.loads(run("export").out)]
    assert got == [{"extensionAttribute3": "y", "extensionAttribute15": "x"},
                   {"extensionAttribute2": "a|b", "extensionAttribute7": "x"}, None, None]
    rows = csv.DictReader(io.StringIO(run("export", "--format", "csv").out, newline=""))
    assert [row["extensionAttributes"] for row in rows] == ["3=y|15=x", "2=a\\|b|7=x", "", ""]


def test_words(run, load):
    """What Graph says next year is not known, and what it says is spelled as a sync spells it."""
    result = load([{"displayName": "a", "trustType": "Mine", "deviceOwnership": "unknown", "deviceId": "--"},
                   {"displayName": "b", "trustType": "AZUREAD", "managedDeviceOwnerType": "Company"},
                   {"displayName": "c", "trustType": "Hybrid", "deviceOwnership": "unknownFutureValue"},
                   {"displayName": "d", "trustType": "", "deviceOwnership": "Leased", "deviceId": "0" * 32}])
    assert 'trustType "Mine" is not known' in result.err and result.err.count("warning") == 1
    got = [(one.get("trustType"), one.get("deviceOwnership"), one.get("deviceId")) for one in json.loads(run("export").out)]
    assert got == [(None, None, None), ("AzureAd", "company", None), ("ServerAd", None, None), (None, "Leased", None)]


UDIDS = ["4D8CD419-1892-4CFE-8D18-D1DD53CC7970", "00008103-001A2B3C4D5E6F70", "A1B2C3D4E5F60718293A4B5C6D7E8F9001122334"]


def test_udid(run, load):
    load([{"displayName": f"mac-{i}", "udid": udid} for i, udid in enumerate(UDIDS)] +
         [{"displayName": "z", "udid": "00000000-0000-0000-0000-000000000000"}])
    for i, udid in enumerate(UDIDS):
        for value in (udid, udid.lower()):
            device, = show(run, value)
            assert (device["displayName"], device["udid"], device["foundBy"]) == (f"mac-{i}", udid.lower(), "udid")
        assert f"udid               {udid.lower()}" in run("show", f"mac-{i}").out
    assert "udid" not in show(run, "z")[0]
    assert run("find", UDIDS[0]).out.splitlines()[1].startswith(UDIDS[0].lower())
    stats = json.loads(run("stats", "--json").out)
    assert stats["identities"]["udid"] == 3 and "udid" in stats["sources"][0]["identities"]
    assert '"x" is not a UDID' in load([{"displayName": "a", "udid": "x"}], code=66).err
    result = load([{"displayName": "a", "udid": UDIDS[1]}, {"displayName": "b", "udid": UDIDS[1]}], "--source", "two")
    assert f"udid {UDIDS[1].lower()} stands in 2 devices of source two" in result.err
    load([{"udid": UDIDS[0]}], "--force")  # it is enough to know a device by


def test_good_for(run, load, tmp_path):
    def source():
        return json.loads(run("stats", "--json").out)["sources"][0]

    load(named(2), "--source", "lab", "--good-for", "30d")
    assert source()["good_for"] == 30 * 86400 and "good for 30 days" in run("stats").out
    load(named(2), "--source", "lab")  # what it is good for stays with the source
    assert source()["good_for"] == 30 * 86400
    load(named(2), "--source", "lab", "--good-for", "90m")
    assert source()["good_for"] == 5400
    load(named(2), "--source", "lab", "--good-for", "0")
    assert source()["good_for"] is None and "good for" not in run("stats").out
    for wrong in ("30", "often", "4000d", "-1d"):
        assert "as 30d or 12h" in load(named(2), "--good-for", wrong, code=64).err


def test_intune_names(run, load):
    """Intune's name is the device's where there is no other."""
    load([{"displayName": "a", "deviceName": "b", "managementState": "WIPEpending"}, {"deviceName": "c"}])
    got = [(one["displayName"], one["deviceName"], one.get("managementState")) for one in json.loads(run("export").out)]
    assert got == [("a", "b", "wipePending"), ("c", "c", None)]


@pytest.mark.parametrize("content,says", [
    ([{"displayName": "a"}, {"displayName": "b"}], 0),
    ([{"displayName": "a", "accountEnabled": None}, {"displayName": "b", "accountEnabled": ""}], 1),  # not known is not enabled
    ([{"displayName": "a", "accountEnabled": None}, {"displayName": "b", "accountEnabled": False}], 1),
    ([{"displayName": "a", "accountEnabled": True}], 1),
    ("displayName,accountEnabled\na,\nb,\n", 1),
    ("Computer Name,Serial Number\na,S1\nb,S2\n", 0),
    ("serialNumber,orgUnitPath,status\nS1,/,LOST\n", 1),
    ("displayName,accountEnabled\na,\nb,true\n", 1),
])
def test_whether_an_import_says_who_is_enabled(load, tmp_path, content, says):
    load([{"displayName": "z", "accountEnabled": not says}])
    load(content, "--force", name="a.csv" if isinstance(content, str) else "a.json")
    with sqlite3.connect(f"file:{tmp_path}/devices.db?mode=ro&immutable=1", uri=True) as db:
        assert db.execute("SELECT says_enabled FROM source").fetchall() == [(says,)]


def test_filler_serial_numbers(run, load):
    """What a maker left in for want of one is none, and nothing to complain of."""
    result = load([{"displayName": "a", "serialNumber": "Default string"}, {"displayName": "b", "serialNumber": " 0 "},
                   {"displayName": "c", "serialNumber": "To be filled by O.E.M."}, {"displayName": "d", "serialNumber": "5CG1"}])
    assert result.err == ""
    assert [one.get("serialNumber") for one in json.loads(run("export").out)] == [None, None, None, "5CG1"]
    assert "imported without it" in load([{"displayName": "a", "serialNumber": "x" * 256}], "--force").err


def test_sources(run, load):
    load([{"displayName": "a"}, {"displayName": "b"}], "--source", "one")
    load([{"displayName": "c"}], "--source", "two", "--tenant", TENANT)
    result = load([{"displayName": "d"}], "--source", "one", "--force")
    assert result.out.startswith("2 devices (before: 3) in ")
    assert run("show", "a", code=1).out == ""
    assert show(run, "c")[0]["tenantId"] == TENANT
    stats = json.loads(run("stats", "--json").out)
    assert [(s["name"], s["tenant"], s["devices"]) for s in stats["sources"]] == [("one", None, 1), ("two", TENANT, 1)]
    assert load([{"displayName": "e"}], "--replace").out.startswith("1 device (before: 2) in ")
    assert len(json.loads(run("stats", "--json").out)["sources"]) == 1


def test_dry_run(run, load, tmp_path):
    load([{"displayName": "a"}])
    before = (tmp_path / "devices.db").read_bytes()
    out = load([{"displayName": "b"}, {"displayName": "c"}], "--dry-run").out.splitlines()
    assert out[:3] == ["import: would remove a", "import: would add b", "import: would add c"]
    assert out[3].startswith("2 devices (before: 1) in ") and "2 added, 1 removed, 0 changed; nothing was published" in out[3]
    assert (tmp_path / "devices.db").read_bytes() == before


def changes(run, *args):
    return [json.loads(line) for line in run("changes", "--json", *args).out.splitlines()]


def test_changes(run, load):
    """An import is in the change log as a sync is: what came, went, or is not what it was."""
    first = [{"displayName": f"PC-{i}", "deviceId": f"3f2504e0-4f89-11d3-9a0c-0305e82c{i:04}", "accountEnabled": True,
              "complianceState": "compliant"} for i in range(6)] + [{"displayName": "twin"}, {"displayName": "TWIN"}]
    load(first)
    assert changes(run) == []  # all of it is new
    then = [dict(first[0], accountEnabled=False), dict(first[1], complianceState="noncompliant"), dict(first[2], displayName="new name"),
            dict(first[3], displayName="pc-3", serialNumber="S3"), first[4], {"displayName": "Twin"}, {"displayName": "other", "udid": UDIDS[1]}]
    would = load(then, "--dry-run").out.splitlines()
    assert [line.split(" (")[0] for line in would[:-1]] == [
        "import: would remove PC-5", "import: would remove TWIN", "import: would add other", "import: would rename PC-2 to new name",
        "import: would change enabled of PC-0 from yes to no", "import: would change compliance of PC-1 from compliant to noncompliant"]
    assert changes(run) == []
    result = json.loads(load(then, "--json").out)
    assert (result["added"], result["lost"], result["changed"]) == (1, 2, 3)
    got = [(c["source"], c["name"], c["what"], c["before"], c["after"]) for c in changes(run)]
    assert got == [("import", "PC-5", "removed", None, None), ("import", "TWIN", "removed", None, None), ("import", "other", "added", None, None),
                   ("import", "new name", "renamed", "PC-2", "new name"), ("import", "PC-0", "enabled", "yes", "no"),
                   ("import", "PC-1", "compliance", "compliant", "noncompliant")]
    text = run("changes").out.splitlines()
    assert f"import  PC-5 ({first[5]['deviceId']})  removed" in text[0] and f"other ({UDIDS[1].lower()})  added" in text[2]
    assert text[1].endswith("import  TWIN  removed")
    load(then)
    assert len(changes(run)) == 6 and load(then, "--dry-run").out.count("would") == 0


def test_json_result(load):
    result = json.loads(load([{"displayName": "a", "odd": 1}], "--json").out)
    assert (result["devices"], result["before"], result["imported"], result["ignored"]) == (1, 0, 1, ["odd"])


REFUSED = [
    ([{"displayName": "a"}, {"displayName": "PC2", "deviceId": "xyz"}], ["record 2", '"PC2"', "deviceId", '"xyz"', "GUID"]),
    ([{"displayName": "a", "onPremisesSecurityIdentifier": "S-0"}], ["record 1", "onPremisesSecurityIdentifier", '"S-0"']),
    ([{"displayName": "a", "accountEnabled": "perhaps"}], ["accountEnabled", '"perhaps"']),
    ([{"displayName": "a", "isManaged": 1.5}], ["isManaged", "1.5"]),
    ([{"displayName": "a", "accountEnabled": "Managed"}], ["accountEnabled", '"Managed"']),
    ([{"displayName": "a"}, {"displayName": "b", "acountEnabled": False}], ["record 2", "acountEnabled", "did you mean accountEnabled?"]),
    ([{"displayName": "a", "Serial Number": "b"}], ["Serial Number", "did you mean serialNumber?"]),
    ([{"displayName": "a", "trustType": 7}], ["trustType", "7"]),
    ([{"displayName": "a", "registrationDateTime": "14.11.2023"}], ["registrationDateTime", '"14.11.2023"']),
    ([{"displayName": "a", "registrationDateTime": "2023-02-30T00:00:00Z"}], ["2023-02-30"]),
    ([{"displayName": "a", "lastSyncDateTime": "/Date(12"}], ["lastSyncDateTime"]),
    ([{"displayName": "a", "dnsNames": ["ok.example", "not ok"]}], ["not ok", "DNS name"]),
    ([{"displayName": "a", "groups": ["x"]}], ["groups"]),
    ([{"displayName": "a", "formerNames": [None]}], ["formerNames", "texts"]),
    ([{"displayName": "a", "formerNames": ["b"], "formerNamesSince": ["yesterday"]}], ["formerNamesSince", "yesterday"]),
    ([{"displayName": "a", "formerNames": ["b"], "formerNamesSince": [7]}], ["formerNamesSince"]),
    ([{"displayName": "a", "extensionAttributes": {"extensionAttribute1": 7}}], ["extensionAttributes", "extensionAttribute1"]),
    ([{"displayName": "a", "extensionAttributes": "16=x"}], ["extensionAttributes", "16=x"]),
    ([{"displayName": "a", "extensionAttributes": ["x"]}], ["extensionAttributes"]),
    ([{"displayName": "a", "managementState": 7}], ["managementState"]),
    ([{"displayName": ["a"]}], ["displayName", '["a"]']),
    ([{"displayName": "a", "userPrincipalName": "a\x1b[2J"}], ["userPrincipalName", "control character"]),
    ([{"displayName": "a", "deviceId": G1, "azureADDeviceId": G2}], ["contradicts"]),
    ([{"displayName": "one", "deviceId": G1}, {"displayName": "two", "deviceId": "{" + G1.upper() + "}"}],
     ["record 2", '"two"', '"one"', G1]),
    ([{"userPrincipalName": "ada@contoso.example"}], ["record 1", "neither a name nor an id"]),
    ([17], ["record 1", "17"]),
    ({"value": 5}, ["no array"]),
    ("5", ["no array"]),
    ({"value": [{"displayName": "a"}], "@odata.nextLink": "https://graph.microsoft.com/x"}, ["page", "nextLink"]),
    ('[{"displayName": "a"}, {"displ', ["line 1", "cut short"]),
    ('[{"displayName": "a"}]]', ["line 1"]),
    ('[{"displayName": "a", "displayName": "b"}]', ["line 1"]),
    (b'[{"displayName": "a\xff"}]', ["line 1"]),
    ("", ["cut short"]),
]


@pytest.mark.parametrize("content,says", REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_refused_json(run, load, tmp_path, content, says):
    load([{"displayName": "kept"}])
    before = (tmp_path / "devices.db").read_bytes()
    result = load(content, code=66)
    for word in [*says, "devices.json", "nothing was changed"]:
        assert word in result.err
    assert "\x1b" not in result.err
    assert (tmp_path / "devices.db").read_bytes() == before
    assert not list(tmp_path.glob("devices.db.new.*"))


@pytest.mark.parametrize("content,says", [
    ('displayName,deviceId\n"a,b\n', ["record 1", "quote is not closed"]),
    ('displayName,deviceId\n"a"b,c\n', ["record 1", "closing quote"]),
    (f"displayName,deviceId\na,{G1}\nb\n", ["record 2", "has 1 fields, the header has 2"]),
    ("displayName,deviceId\na,xyz\n", ["record 1", "deviceId", "xyz"]),
    ("displayName,DisplayName\na,b\n", ["stands twice"]),
    ("what,ever\na,b\n", ["none of its columns"]),
    ("", ["empty"]),
    (b"displayName\nM\xfcller\n", ["record 1", "UTF-8"]),
    ("\ufeff\ufeffaccountEnabled,displayName\nperhaps,a\n", ["record 1", "accountEnabled"]),
    (b"displayName\na\0b\n", ["record 1", "NUL"]),
])
def test_refused_csv(run, load, content, says):
    result = load(content, code=66, name="devices.csv")
    for word in [*says, "devices.csv", "nothing was changed"]:
        assert word in result.err
    assert run("stats", code=66).out == ""


def test_unfit_names_keep_nobody_out(run, load):
    """The user chooses the name, the maker the serial number; a tenant is imported all the same."""
    result = load([{"deviceId": G1, "displayName": "a\x1b[2J"}, {"deviceId": G2, "serialNumber": "\x07", "displayName": "b"}])
    assert result.err.count("imported without it") == 2 and "\x1b" not in result.err
    assert "displayName" not in show(run, G1)[0] and "serialNumber" not in show(run, G2)[0]


def test_damaged_list(run, load, tmp_path):
    load([{"displayName": "a"}])
    path = tmp_path / "devices.db"
    path.write_bytes(path.read_bytes()[:-100])
    before = path.read_bytes()
    assert "not sealed" in run("verify", code=1).out
    assert json.loads(run("verify", "--json", code=1).out)["ok"] is False
    for command in (["show", "a"], ["find", "a"], ["stats"], ["export"]):
        assert "not sealed" in run(*command, code=66).err
    assert "--replace" in load([{"displayName": "b"}], code=73).err
    assert path.read_bytes() == before
    load([{"displayName": "b"}], "--replace")
    assert "in order" in run("verify").out


def test_looking_changes_nothing(run, load, tmp_path):
    load([{"displayName": "a"}])
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.iterdir()}
    for command in (["show", "a"], ["find", "a"], ["stats"], ["export"], ["verify"]):
        run(*command)
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.iterdir()} == before


def test_shared_ids_are_told(run, load):
    """Two sources may know the same device; two devices of one source that share what only one should have are a problem."""
    load([{"displayName": "a", "deviceId": G1, "serialNumber": "S1"}], "--source", "one")
    assert load([{"displayName": "a", "deviceId": G1, "serialNumber": "S1"}], "--source", "two").err == ""
    assert "in order" in run("verify").out
    assert json.loads(run("stats", "--json").out)["shared"] == {"names": 0, "devices": 0, "serials": 0}
    twins = [{"displayName": "a", "serialNumber": "S1"}, {"displayName": "A", "serialNumber": "S1"}]
    assert "serial_number S1 stands in 2 devices of source two" in load(twins, "--source", "two").err
    assert "S1 stands in 2 devices" in run("verify", code=1).out
    assert json.loads(run("stats", "--json").out)["shared"] == {"names": 1, "devices": 2, "serials": 1}
    assert "names 1, devices 2, serials 1" in run("stats").out


def test_find(run, vectors):
    run("import", vectors / "everything.json")
    for value in (G1, G1.upper(), "c1f5a3c0-5a58-4f3e-8a59-0a7f3b0c1d2e", "6a59ea83-02bd-468f-a40b-f2c3d1821983", "5cg1234abc",
                  "S-1-5-21-1004336348-1177238915-682003330-1134", "host/LAPTOP-0001", "laptop-0001.contoso.example.",
                  "DESKTOP-AB12CD3"):
        lines = run("find", value).out.splitlines()
        assert len(lines) == 2 and lines[1].startswith(G1), value
    assert "no device" in run("find", "nobody", code=1).err


def test_find_many(run, load):
    load([{"displayName": name, "deviceId": G1[:-1] + last, "serialNumber": "S" + last}
          for name, last in (("PC-2", "2"), ("pc-1", "1"), ("MAC-1", "3"))])
    names = lambda *args: [json.loads(line)["displayName"] for line in run("find", "--json", *args).out.splitlines()]
    assert set(names("PC-*")) == {"pc-1", "PC-2"} and set(names("--all")) == set(names("*")) == {"pc-1", "PC-2", "MAC-1"}
    assert names("s3*") == ["MAC-1"] and names(G1[:-1] + "2") == ["PC-2"] and len(names(G1[:-1] + "*")) == 3
    assert [json.loads(line)["foundBy"] for line in run("find", "--json", "S1*").out.splitlines()] == ["serial_number"]
    assert len(run("find", "pc*").out.splitlines()) == 3
    none = run("find", "X*", code=1)
    assert none.out == "" and 'begins with "X"' in none.err
    assert "--all stands alone" in run("find", "--all", "x", code=64).err and "an operand is missing" in run("find", code=64).err


def test_find_those_that(run, load, tmp_path):
    """Each option leaves out what is not so, with a value, a prefix, --all, or alone."""
    load([{"displayName": "PC-1", "deviceId": G1, "accountEnabled": False, "trustType": "AzureAd"},
          {"displayName": "PC-2", "deviceId": G2, "accountEnabled": True, "complianceState": "noncompliant", "trustType": "ServerAd"},
          {"displayName": "MAC-1", "serialNumber": "S3", "accountEnabled": False, "complianceState": "compliant"}], "--source", "one")
    load([{"displayName": "PC-3", "accountEnabled": False}], "--source", "two")
    def names(*args, code=0):
        return [json.loads(line).get("displayName") for line in run("find", "--json", *args, code=code).out.splitlines()]
    assert names("--disabled") == names("--disabled", "--all") == ["MAC-1", "PC-1", "PC-3"]
    assert names("--disabled", "PC-*") == ["PC-1", "PC-3"] and names("--disabled", "--source", "two") == ["PC-3"]
    assert names("--noncompliant") == names("--noncompliant", "pc-2") == ["PC-2"]
    assert names("--join", "entra") == ["PC-1"] and names("--join", "unknown", "--source", "one") == ["MAC-1"]
    for none in (["--noncompliant", "pc-1"], ["--stale"], ["--disabled", "PC-2*"]):
        found = run("find", *none, code=1)
        assert found.out == "" and "that the options ask for" in found.err
    with contextlib.closing(sqlite3.connect(tmp_path / "devices.db")) as db:
        assert db.execute("SELECT count(*) FROM device").fetchone() == (4,)
    assert "--join is entra, hybrid" in run("find", "--join", "azure", code=64).err
    assert len(run("find", "--disabled", "PC-*").out.splitlines()) == 3


@pytest.mark.parametrize("since,code", [("5", 64), ("5x", 64), ("5m", 0), ("0", 0), ("2026-11-01", 0)])
def test_since(run, load, since, code):
    load(named(1))
    assert code == 0 or "2d or 12h" in run("changes", "--since", since, code=code).err


def test_sqlite3_opens_it(run, load, tmp_path):
    load([{"displayName": "PC1"}])
    db = sqlite3.connect(f"file:{tmp_path}/devices.db?mode=ro", uri=True)
    assert db.execute("SELECT name FROM device WHERE name='pc1'").fetchall() == [("PC1",)]
    db.close()


def test_locked(certdir_cli, run, load, tmp_path):
    """An import waits for who is writing the list, and a dry run for nobody."""
    load([{"displayName": "a"}])
    (tmp_path / "b.json").write_text('[{"displayName": "b"}]')
    with open(tmp_path / "devices.db.lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run("import", "--dry-run", tmp_path / "b.json")
        waiting = subprocess.Popen([certdir_cli, "list", "import", "--list", tmp_path / "devices.db", "--source", "two",
                                    tmp_path / "b.json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert waiting.stderr.readline() == \
            f"certdir: waiting for process {os.getpid()}, which is writing {tmp_path}/devices.db\n"
        assert waiting.poll() is None
    out, err = waiting.communicate(timeout=30)
    assert (waiting.returncode, err) == (0, "") and out.startswith("2 devices (before: 1)")


def test_two_at_once(certdir_cli, run, tmp_path):
    """Imports of several sources at the same time: each finds what the one before it has published."""
    (tmp_path / "one.json").write_text('[{"displayName": "a"}]')
    running = [subprocess.Popen([certdir_cli, "list", "import", "--list", tmp_path / "devices.db", "--source", f"s{i}",
                                 tmp_path / "one.json"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for i in range(8)]
    for process in running:
        assert process.communicate(timeout=60) and process.returncode == 0
    assert len(json.loads(run("stats", "--json").out)["sources"]) == 8


def test_killed_import(certdir_cli, run, load, tmp_path):
    """kill -9 at whatever moment: what is published is the old or the new list, whole, and the next import works."""
    names = tmp_path / "many.json"
    names.write_text(json.dumps([{"displayName": f"PC-{i}"} for i in range(20000)]))
    load([{"displayName": "old"}])
    partial = 0
    for step in range(8):
        import_ = subprocess.Popen([certdir_cli, "list", "import", "--list", tmp_path / "devices.db", names],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        temporary = tmp_path / f"devices.db.new.{import_.pid}"
        deadline = time.monotonic() + 30
        while import_.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):  # not yet, or not any more
                if temporary.stat().st_size > step * 100000:
                    break
        import_.kill()
        import_.wait()
        partial += temporary.exists()
        assert json.loads(run("stats", "--json").out)["devices"] in (1, 20000)
        assert "in order" in run("verify").out
    assert partial > 0
    load([{"displayName": "new"}], "--force")
    assert not list(tmp_path.glob("devices.db.new.*"))


def named(count, first=0):
    return [{"displayName": f"PC-{i}"} for i in range(first, first + count)]


def test_shrink_guard(run, load, tmp_path):
    """A file that came short is not what the source has become, unless somebody says so."""
    load(named(100))
    before = (tmp_path / "devices.db").read_bytes()
    for args in ([], ["--dry-run"], ["--replace"]):
        result = load(named(100, 11), *args, code=3)
        for word in ["devices.json", "of the 100 devices", "11 would be lost (PC-0, PC-1, PC-2, PC-3, PC-4, ..)", 'source "import"', "10 % is the limit", "--force", "nothing was changed"]:
            assert word in result.err
        assert (tmp_path / "devices.db").read_bytes() == before
        assert not list(tmp_path.glob("devices.db.new.*"))
    assert json.loads(load(named(100, 10), "--json").out)["lost"] == 10
    load([], code=3)
    load([], "--force")
    load(named(100))
    load(named(3), "--source", "other")  # another source has lost nothing
    load(named(3, 5), "--source", "other", code=3)  # all of several
    load(named(3, 2), "--source", "other")
    load(named(1), "--source", "import", "--replace", "--force")
    assert len(json.loads(run("export").out)) == 1


def test_shrink_guard_knows_devices_by_their_ids(load):
    """Renamed, or known by more than before: that is the same device."""
    serials = [{"displayName": f"PC-{i}", "serialNumber": f"SN{i}"} for i in range(50)]
    load(serials)
    load([{**device, "displayName": f"renamed-{i}", "deviceId": f"3f2504e0-4f89-11d3-9a0c-0305e82c{i:04}"}
          for i, device in enumerate(serials)])
    assert "of the 50 devices of source \"import\", 50 would be lost" in load(serials, code=3).err  # they were known by their Entra id


def test_a_tenant_is_not_imported_into(run, load, tmp_path):
    load(named(2), "--source", "contoso")
    db = tmp_path / "devices.db"
    connection = sqlite3.connect(":memory:")
    connection.deserialize(db.read_bytes())
    connection.execute("UPDATE source SET kind='tenant'")
    connection.commit()
    db.write_bytes(seal(connection.serialize()))
    before = db.read_bytes()
    for args in ([], ["--replace"]):
        result = load(named(2), "--source", "contoso", *args, code=73)
        assert "contoso" in result.err and "--source" in result.err and db.read_bytes() == before
    load(named(2), "--source", "lab")
    assert len(json.loads(run("export").out)) == 4


def test_certificates_of_no_source(run, load, tmp_path):
    load(named(2))
    load(f"DeviceId,ValidTo,CertificateStatus,Thumbprint\n{G1},2036-01-01T00:00:00Z,issued,{'A1' * 20}\n", "--certificates",
         name="report.csv")
    assert "in order" in run("verify").out
    db = tmp_path / "devices.db"
    connection = sqlite3.connect(":memory:")
    connection.deserialize(db.read_bytes())
    connection.execute("UPDATE certificate SET id=7,source=99")
    connection.commit()
    db.write_bytes(seal(connection.serialize()))
    out = run("verify", code=1).out
    assert "table certificate row 7 refers to a missing row of source" in out
    assert "source import says that it has 1 issued certificates, and has 0" in out


def seal(image):
    """The seal as list/seal.h describes it, behind an image."""
    chunks = [image[at:at + (1 << 14)] for at in range(0, len(image), 1 << 14)]
    digests = b"".join(hashlib.sha256(chunk).digest() for chunk in chunks)
    head = b"certdir\3" + len(image).to_bytes(8, "little") + bytes(8)
    return image + digests + head + hashlib.sha256(head + digests).digest()


def test_macs(run, load):
    load([{"displayName": "pc", "wiFiMacAddress": "00:a0:c9:1e:2f:3d", "ethernetMacAddress": "00a0c91e2f3e"}])
    device, = show(run, "pc")
    assert (device["wiFiMacAddress"], device["ethernetMacAddress"]) == ("00A0C91E2F3D", "00a0c91e2f3e")
    row, = csv.DictReader(io.StringIO(run("export", "--format", "csv").out, newline=""))
    assert (row["wiFiMacAddress"], row["ethernetMacAddress"]) == ("00A0C91E2F3D", "00a0c91e2f3e")


def test_phones(run, load):
    """IMEI, MEID and MAC address in one spelling, by which they are found in any; what is none stays as it is, and is found by nobody."""
    rows = ["A1,26 053179 311383 7,af0123450abcde,02A0C91E2F3D", "A2,2.60532E+14,0,none", "A3,,,"]
    assert load("\n".join(["serialNumber,imei,MEID,wiFiMacAddress", *rows]), name="phones.csv").err == ""
    properties = ("imei", "meid", "wiFiMacAddress")
    written = {device["serialNumber"]: [device.get(name) for name in properties] for device in json.loads(run("export").out)}
    assert written == {"A1": ["260531793113837", "AF0123450ABCDE", "02A0C91E2F3D"], "A2": ["2.60532E+14", "0", "none"], "A3": [None] * 3}
    for value, found_by in (("26-053179-311383-0", "imei"), ("2605317931138301", "imei"), ("293608736500703710", "meid")):
        device, = show(run, value)
        assert (device["serialNumber"], device["foundBy"]) == ("A1", found_by)
    assert "imei               260531793113837" in run("show", "A1").out
    for value in ("02A0C91E2F3D", "2.60532E+14", "0"):
        run("show", value, code=1)


def test_autopilot_csv(run, vectors):
    result = run("import", "--source", "autopilot", vectors / "autopilot.csv")
    assert result.out.startswith("2 devices (before: 0) in ")
    for column in ("Windows Product ID", "Hardware Hash", "Group Tag"):
        assert column in result.err
    device, = show(run, "7c-1234-ab")
    assert device["serialNumber"] == "7C-1234-AB" and device["userPrincipalName"] == "ada@contoso.example"
    assert not {"accountEnabled", "isManaged", "complianceState", "displayName"} & set(device)  # not known


def exported(run, source):
    """The devices of one source, as they are exported, by what they are called."""
    listed = [show(run, device.get("serialNumber") or device["displayName"])[0] for device in json.loads(run("export").out)]
    return {device.get("displayName", device.get("serialNumber")): {k: v for k, v in device.items() if k not in ("synced", "foundBy")}
            for device in listed if device["source"] == source}


def test_intune_export(run, vectors):
    result = run("import", "--source", "intune", vectors / "intune-export.csv")
    for text in ["took for an export of Intune admin center: ", "Device ID as intuneDeviceId", "JoinType as trustType", "left: OS version, ",
                 "Last check-in where it is no time", 'Managed by "ConfigMgr"']:
        assert text in result.err
    assert result.err.count("\n") == 1
    got = exported(run, "intune")
    assert got["LAPTOP-0001"] == {
        "source": "intune", "deviceId": G1, "intuneDeviceId": "c1f5a3c0-5a58-4f3e-8a59-0a7f3b0c1d2e", "displayName": "LAPTOP-0001",
        "deviceName": "LAPTOP-0001", "serialNumber": "5CG1234ABC", "wiFiMacAddress": "00A0C91E2F3D", "ethernetMacAddress": "00A0C91E2F3E",
        "userPrincipalName": "ada@contoso.example", "deviceOwnership": "company", "operatingSystem": "Windows",
        "complianceState": "compliant", "managementState": "managed", "deviceCategoryDisplayName": "Sales", "isManaged": True,
        "trustType": "AzureAd", "approximateLastSignInDateTime": "2024-05-01T11:00:00Z", "registrationDateTime": "2023-02-10T09:00:00Z"}
    assert got["kiosk-3"]["managementState"] == "wipePending" and "isManaged" not in got["kiosk-3"]
    assert not {"deviceId", "trustType", "approximateLastSignInDateTime"} & set(got["kiosk-3"])
    assert (got["HYB-17"]["trustType"], got["HYB-17"]["complianceState"], got["HYB-17"]["isManaged"]) == ("ServerAd", "unknown", True)


def test_entra_export(run, vectors):
    assert "took for an export of Entra admin center: " in run("import", "--source", "entra", vectors / "entra-export.csv").err
    got = exported(run, "entra")
    assert got["LAPTOP-0001"]["id"] == "6a59ea83-02bd-468f-a40b-f2c3d1821983" and got["LAPTOP-0001"]["trustType"] == "AzureAd"
    assert got["LAPTOP-0001"]["registrationDateTime"] == "2023-02-10T08:15:30Z"
    assert (got["stolen"]["accountEnabled"], got["stolen"]["trustType"]) == (False, "ServerAd")


def test_google_export(run, vectors):
    result = run("import", "--source", "google", vectors / "google.csv")
    assert "took for an export of Google Admin: " in result.err and "left: deviceId, " in result.err and 'status "DELINQUENT"' in result.err
    got = exported(run, "google")
    assert [got[f"5CD000{i}ABC"].get("accountEnabled") for i in (1, 2, 3)] == [True, False, None]
    assert not any({"deviceId", "id", "intuneDeviceId"} & set(device) for device in got.values())


def test_jamf_mobile_export(run, vectors):
    run("import", "--source", "jamf", vectors / "jamf-mobile.csv")
    assert exported(run, "jamf")["Ada’s iPhone"] == {
        "source": "jamf", "displayName": "Ada’s iPhone", "udid": UDIDS[1].lower(), "serialNumber": "F17ABC1DEF23",
        "wiFiMacAddress": "00A0C91E2F41", "imei": "350000000000006", "deviceOwnership": "company", "isManaged": True,
        "approximateLastSignInDateTime": "2024-05-01T10:00:00Z"}


def test_misspelt_column(load):
    for header in ("displayName,acountEnabled", "displayName,Account Enabled", "Computer Name,Serial Number,account_enabled"):
        row = "a,false" if header.count(",") == 1 else "a,b,false"
        assert "did you mean accountEnabled?" in load(f"{header}\n{row}\n", name="a.csv", code=66).err
    result = load("Computer Name,Serial Number,accountEnabled\na,b,false\n", name="a.csv")  # a column of ours in an export
    assert "Computer Name as displayName, Serial Number as serialNumber, accountEnabled\n" in result.err
    assert load([{"displayName": "a", "comment": "x"}]).err.endswith("ignored, because nothing here looks at it: comment\n")


def test_export_keeps_who_is_enabled_by_being_there(run, load, tmp_path):
    """Beside a source that says so of its devices, one that does not would lose it."""
    load([{"displayName": "mac"}], "--source", "jamf")
    load([{"displayName": "laptop", "accountEnabled": True}, {"displayName": "odd", "accountEnabled": None}], "--source", "entra")
    for form in ("json", "csv"):
        load(run("export", "--format", form).stdout, "--replace", name="all." + form)
        got = {device["displayName"]: device.get("accountEnabled") for device in json.loads(run("export").out)}
        assert got == {"mac": True, "laptop": True, "odd": None}


def test_marks_of_direction(run, load):
    """A name cannot look like another on a terminal, and is the same behind a pipe."""
    name = "a\u202eb\u2066c\u061c"
    load([{"displayName": name, "complianceState": "\u200fx"}, {"displayName": "=1+1"}])
    shown = run("show", name).out
    assert shown.startswith("a\\u202eb\\u2066c\\u061c\n") and "\\u200fx" in shown
    assert "\\u202e" in run("export").out and json.loads(run("export").out)[1]["displayName"] == name
    rows = list(csv.DictReader(io.StringIO(run("export", "--format", "csv").out, newline="")))
    assert [row["displayName"] for row in rows] == ["'=1+1", name]
    assert "\u202e" not in load([{"displayName": name, "deviceId": "x"}], code=66).err


def test_size_of_a_file(run, tmp_path):
    """Not read, not even where it is said by nothing but its size."""
    with open(tmp_path / "sparse.json", "wb") as file:
        file.truncate(64 << 30)
    assert "sparse.json is larger than 1024 MiB" in run("import", tmp_path / "sparse.json", code=66).err


def test_trailing_garbage(load):
    for content in ('{"value":[]}"', '{"value":[]}]', '[{"displayName":"a"}]x', '[] []', '{"value":[]}\x00'):
        assert "not JSON" in load(content, code=66).err


def test_jamf_csv(run, vectors):
    result = run("import", "--source", "jamf", vectors / "jamf.csv")
    assert "Asset Tag" in result.err and "JSS Computer ID" in result.err and "Managed By" in result.err
    mac, = show(run, "C02ABC1DEF23")
    assert {k: v for k, v in mac.items() if k not in ("synced", "foundBy")} == {
        "deviceId": G1, "displayName": "Ada’s MacBook Pro", "serialNumber": "C02ABC1DEF23", "isManaged": True,
        "udid": "4d8cd419-1892-4cfe-8d18-d1dd53cc7970",
        "operatingSystem": "macOS 14.4.1", "source": "jamf"}
    other, = show(run, "mac-mini-3")
    assert other["isManaged"] is False and "deviceId" not in other


def test_standard_input(run):
    run("import", "-", stdin=b'displayName\nfrom-stdin\n')
    assert show(run, "FROM-STDIN")


def test_cannot_write(certdir_cli, tmp_path):
    (tmp_path / "x.json").write_text("[]")
    result = subprocess.run([certdir_cli, "list", "import", "--list", tmp_path / "no" / "devices.db", tmp_path / "x.json"],
                            capture_output=True, timeout=60)
    assert result.returncode == 73 and b"devices.db" in result.stderr
    result = subprocess.run([certdir_cli, "list", "import", "--list", tmp_path / "devices.db", tmp_path / "missing.json"],
                            capture_output=True, timeout=60)
    assert result.returncode == 66 and b"missing.json" in result.stderr


@pytest.mark.parametrize("args", [[], ["nonsense"], ["show"], ["show", "a", "b"], ["stats", "a"], ["find", "--replace", "a"],
                                  ["import", "--format", "xml", "x"], ["export", "--json"], ["show", "--nonsense", "a"]])
def test_usage(certdir_cli, args):
    result = subprocess.run([certdir_cli, "list", *args], capture_output=True, timeout=60)
    assert result.returncode == 64 and b"usage: certdir list" in result.stderr and (result.stdout == b"") == ("--json" not in args)


@pytest.mark.parametrize("command", ["show", "find", "stats", "import", "export", "verify"])
def test_help(certdir_cli, command):
    result = subprocess.run([certdir_cli, "list", command, "--help"], capture_output=True, timeout=60)
    assert result.returncode == 0 and result.stdout.startswith(f"usage: certdir list {command}".encode())
