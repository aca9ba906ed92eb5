# SPDX-License-Identifier: GPL-2.0-or-later
"""What each command says of files that are not what they have to be, and that it leaves them as they are."""

import json
import os
import subprocess

import pytest

from testenv.ports import free_port

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CLIENT = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


def configure(directory, *lines):
    url = f"https://127.0.0.1:{free_port()}"
    return "\n".join((f"[list]\nfilename = {directory}/devices.db", "[tenant contoso]", f"tenant_id = {TENANT}",
                      f"client_id = {CLIENT}", f"authority = {url}", f"graph = {url}", *lines, ""))


@pytest.fixture(scope="module")
def place(certdir_cli, tmp_path_factory):
    """A list, and files that are none of what commands read."""
    directory = tmp_path_factory.mktemp("errors")
    (directory / "lab.json").write_text(json.dumps([{"displayName": "lab-1", "deviceId": CLIENT}]))
    subprocess.run([certdir_cli, "list", "import", "--list", "devices.db", "--source", "lab", "lab.json"], cwd=directory, check=True,
                   capture_output=True)
    subprocess.run([certdir_cli, "list", "import", "--list", "bare.db", "--source", "lab", "lab.json"], cwd=directory, check=True,
                   capture_output=True)
    subprocess.run([certdir_cli, "list", "remove", "--list", "bare.db", "--source", "lab"], cwd=directory, check=True,
                   capture_output=True)
    (directory / "cut.db").write_bytes((directory / "devices.db").read_bytes()[:5000])
    (directory / "text").write_text("x\n")
    (directory / "empty").touch()
    (directory / "dir").mkdir()
    (directory / "secret").touch(mode=0o600)
    (directory / "secret").write_text("s\n")
    (directory / "bare.conf").write_text(f"[list]\nfilename = {directory}/devices.db\n")
    (directory / "tenant.conf").write_text(configure(directory, f"client_secret_file = {directory}/secret"))
    (directory / "own.conf").write_text(configure(directory, "certificate_file = a.pem", "private_key_file = a.pem"))
    return directory


@pytest.fixture
def run(certdir_cli, place):
    def run(line, code):
        done = subprocess.run([certdir_cli, *line.split()], cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=20, check=False)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout, done.stderr

    return run


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file() and path.suffix != ".lock"}


LISTS = {"cut.db": "is not sealed", "none": "does not exist: is the name right?", "text": "is not a device list",
         "dir": "is not a file but a directory"}
WRONG = [
    *((f"list {command} --list {name}", 66, says) for name, says in LISTS.items() if name != "none"
      for command in ("stats", "sources", "changes", "export", "find x", "show x")),
    *((f"list stats --list {name}", 66, says) for name, says in LISTS.items()),
    ("list import --list cut.db lab.json", 73, "It is left as it is: move it away"),
    ("list import --list text lab.json", 73, "is not a device list, so none is put in its place: if it is to go, move it away"),
    ("list import --list dir lab.json", 73, "is not a file but a directory"),
    *((f"list remove --list {name} --source lab", 66, says) for name, says in LISTS.items()),
    *((f"report --list {name} -o page.html", 66, says) for name, says in LISTS.items()),
    ("check --list devices.db text", 65, "text: no certificate in it"),
    ("check --list devices.db empty", 65, "empty: no certificate in it"),
    ("check --list devices.db dir", 65, "dir cannot be read: Is a directory"),
    ("check --raddb dir text", 78, "cannot read dir/radiusd.conf"),
    ("list changes --list devices.db --since soon", 64, "--since soon: this is how long ago"),
    ("list import --list devices.db none", 66, "none cannot be read: No such file"),
    ("list import --list devices.db dir", 66, "dir cannot be read: Is a directory"),
    ("list import --list devices.db --good-for long lab.json", 64, "--good-for long: this is how long the devices stay fresh"),
    ("list import --list devices.db --certificates none", 66, "none cannot be read"),
    ("list import --list devices.db --certificates text", 66, "text: holds no certificate"),
    ("list import --list devices.db --certificates --replace text", 64, "--certificates does not go with"),
    ("list import --list dir --certificates text", 73, "is not a file but a directory"),
    ("report --list devices.db --log none -o page.html", 66, "none: No such file"),
    ("report --list devices.db --log dir -o page.html", 66, "dir cannot be read to its end"),
    ("report --list devices.db -o none/page.html", 73, "none/page.html cannot be written: No such file"),
    ("report -c none -o page.html", 78, "none does not exist: name it with -c"),
    ("replay --list devices.db --log none", 66, "none: No such file"),
    ("replay --list devices.db --log empty", 65, "there is no login in it that can be decided again"),
    ("replay --raddb dir --log text", 78, "cannot read dir/radiusd.conf"),
    ("sessions list none", 66, "none cannot be opened"),
    ("sessions list text", 66, "text cannot be read"),
    ("sessions list dir", 66, "dir is no file of sessions: name the file"),
    ("sessions release dir", 66, "dir is no file of sessions"),
    ("replay --list devices.db --log dir", 66, "dir cannot be read to its end"),
    ("replay --list devices.db --log text", 65, "there is no login in it that can be decided again"),
    ("sessions release text", 66, "text cannot be read"),
    ("profiles --from none", 65, "none has no deviceConfigurations.json"),
    ("profiles --from dir contoso", 64, "--from DIR asks no tenant: leave out contoso"),
    ("profiles --from dir --save more", 64, "--from DIR asks no tenant: leave out --save"),
    ("profiles --from dir --radius-certificate none", 66, "none cannot be read"),
    ("profiles --from dir --radius-certificate text", 65, "text: no certificate in it"),
    ("profiles -c tenant.conf fabrikam", 78, "has no [tenant fabrikam]"),
    ("profiles -c bare.conf", 78, "bare.conf has no [tenant NAME]"),
    ("sync -c bare.conf", 78, "there is nothing to sync"),
    ("sync -c tenant.conf --now", 2, "no certdir sync --interval of tenant.conf can be woken"),
    ("sync -c tenant.conf --now --json", 64, "--now wakes the certdir sync that stays, and takes no other option"),
    ("setup -c tenant.conf --tenant contoso.com --features none", 78, "tenant.conf:8: [tenant contoso] has client_secret_file"),
    ("setup -c own.conf --tenant contoso.com --features none", 78, "own.conf:8: [tenant contoso] has a certificate that certdir setup"),
    ("setup -c text --tenant contoso.com --features none", 78, "text:1: this is neither"),
    ("setup -c new.conf --tenant con_toso --features none", 64, "--tenant is a domain of the tenant, or its ID, and not con_toso"),
    ("setup -c new.conf --tenant contoso.com --name a/b --features none", 64, "--name has 1 to 64 letters"),
    *((f"placeholders {command}", 78, f"{conf} has no [placeholders {name}]: there is nothing to keep") for command, conf, name in (
        ("plan -c bare.conf", "bare.conf", "NAME"), ("apply -c tenant.conf lab", "tenant.conf", "lab"),
        ("export --sids -c bare.conf", "bare.conf", "NAME"), ("adopt -c bare.conf --pattern {name} lab", "bare.conf", "lab"))),
    ("placeholders undo -c bare.conf none", 66, "none cannot be read"),
    *((f"{command} -c none", 78, "none does not exist: name it with -c") for command in ("status", "sync", "profiles", "placeholders plan")),
    *((f"{command} -c text", 78, "text:1: this is neither a [section] nor option = value") for command in (
        "status", "sync", "profiles", "placeholders plan", "report -o page.html")),
]


@pytest.mark.parametrize("line, code, says", WRONG, ids=[line for line, *_ in WRONG])
def test_wrong_files(run, place, line, code, says):
    before = contents(place)
    _, err = run(line, code)
    assert says in err and contents(place) == before


def test_a_list_without_sources(run):
    assert run("list sources --list bare.db", 0)[0] == "bare.db has no sources\n"
    assert json.loads(run("list sources --list bare.db --json", 0)[0])["sources"] == []


@pytest.mark.parametrize("name, why", [("text", "file is not a database"), ("none", "No such file or directory")])
def test_status_of_sessions_that_are_not_known(run, name, why):
    """The list is told all the same."""
    out, _ = run(f"status -c bare.conf --sessions {name}", 0)
    assert "import lab: 1 device, " in out and "sessions: not known: " in out and why in out
    told = json.loads(run(f"status -c bare.conf --sessions {name} --json", 0)[0])
    assert told["sessions"]["held"] is None and why in told["sessions"]["error"]
    assert "certdir_sessions_held" not in run(f"status -c bare.conf --sessions {name} --prometheus", 0)[0]


# ---- tables of certificates ----


def write_table(place, count):
    rows = "".join(f"{CLIENT},2099-01-01T00:00:00Z,issued,{number:040X}\n" for number in range(1, count + 1))
    (place / "table.csv").write_text(f"DeviceId,ValidTo,CertificateStatus,Thumbprint\n{rows}")


def test_a_table_that_came_short(run, place):
    def stored():
        source, = json.loads(run("list sources --list table.db --json", 0)[0])["sources"]
        return source["certificates"]["count"]

    table = "list import --list table.db --source lab --certificates"
    run("list import --list table.db --source lab lab.json", 0)
    write_table(place, 40)
    assert run(f"{table} table.csv", 0)[0] == (
        "40 certificates (before: 0) of source lab in table.db: 40 added, 0 removed, 0 changed\n")
    assert stored() == 40
    before = contents(place)
    write_table(place, 20)
    out, err = run(f"{table} table.csv", 3)
    assert out == "" and 'of the 40 certificates of source "lab", 20 that are still valid would be lost' in err and "--force" in err
    told = json.loads(run(f"{table} --force --dry-run --json table.csv", 0)[0])
    assert (told["before"], told["certificates"], told["lost"], told["dry_run"]) == (40, 20, 20, True)
    assert contents(place)["table.db"] == before["table.db"]
    run(f"{table} --force table.csv", 0)
    assert stored() == 20


def test_a_table_of_devices_that_the_list_does_not_have(run, place):
    """Which kind of id it is, the list alone can tell."""
    run("list import --list other.db --source lab lab.json", 0)
    (place / "ca.csv").write_text("SerialNumber,Issuer,CommonName,NotAfter\n" + "".join(
        f"{serial:04X},CN=CA,{guid},2099-01-01T00:00:00Z\n" for serial, guid in ((1, TENANT), (2, CLIENT))))
    before = contents(place)["other.db"]
    out, err = run("list import --list other.db --source lab --certificates --dry-run ca.csv", 0)
    assert out.startswith("1 certificate ") and f"ca.csv line 2: no device of the list has the id {TENANT}" in err
    assert contents(place)["other.db"] == before
