# SPDX-License-Identifier: GPL-2.0-or-later
"""What commands do with files: sources that are removed, lists that others can change, output that cannot be written."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from testenv.certificates import Authority
from testenv.ports import free_port

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CLIENT = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


@pytest.fixture
def certdir(certdir_cli, tmp_path):
    """Runs certdir in the test's directory: (exit code, stdout, stderr)."""

    def certdir(*arguments, code=0, **options):
        done = subprocess.run([certdir_cli, *arguments], text=True, timeout=60, check=False,
                              **{"cwd": tmp_path, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout, done.stderr

    return certdir


@pytest.fixture
def devices(certdir, tmp_path):
    """A list of two imports, ./devices.db."""
    for source, count in (("lab", 3), ("school", 2)):
        (tmp_path / f"{source}.json").write_text(json.dumps(
            [{"displayName": f"{source}-{i}", "deviceId": f"{CLIENT[:-4]}{source == 'lab':02}{i:02}"} for i in range(count)]))
        certdir("list", "import", "--list", "devices.db", "--source", source, f"{source}.json")
    return tmp_path / "devices.db"


# ---- sources ----


def test_sources(certdir, devices):
    out, err = certdir("list", "sources", "--list", devices)
    assert err == "" and [line.split(",")[0] for line in out.splitlines()] == ["  import lab: 3 devices", "  import school: 2 devices"]
    told = json.loads(certdir("list", "sources", "--list", devices, "--json")[0])
    assert told["list"] == str(devices) and [source["name"] for source in told["sources"]] == ["lab", "school"]
    counted = json.loads(certdir("list", "stats", "--list", devices, "--json")[0])
    for source in told["sources"] + counted["sources"]:
        assert 0 <= source.pop("age") < 60  # which goes on between the two commands
    assert told["sources"] == counted["sources"]


def test_remove(certdir, devices):
    before = devices.read_bytes()
    out, _ = certdir("list", "remove", "--list", devices, "--source", "lab", "--dry-run")
    assert out == f'source "lab" and its 3 devices would be removed from {devices}\n' and devices.read_bytes() == before
    told = json.loads(certdir("list", "remove", "--list", devices, "--source", "lab", "--json")[0])
    assert told == {"list": str(devices), "source": "lab", "devices": 3, "dry_run": False}
    assert [source["name"] for source in json.loads(certdir("list", "sources", "--list", devices, "--json")[0])["sources"]] == ["school"]
    assert {device["displayName"] for device in json.loads(certdir("list", "export", "--list", devices)[0])} == {"school-0", "school-1"}
    changes = [json.loads(line) for line in certdir("list", "changes", "--list", devices, "--json")[0].splitlines()]
    gone = [change for change in changes if change["what"] == "removed"]
    assert {change["source"] for change in gone} == {"lab"} and {change["name"] for change in gone} == {"lab-0", "lab-1", "lab-2"}
    certdir("list", "verify", "--list", devices)


@pytest.mark.parametrize("arguments, code, says", [
    (["--source", "lag"], 1, 'has no source "lag"'),
    ([], 64, "--source NAME is missing"),
    (["--source", "lab", "--force"], 64, "does not take --force"),
    (["--source", "lab", "x"], 64, "operand too many"),
])
def test_remove_what_is_not_there(certdir, devices, arguments, code, says):
    before = devices.read_bytes()
    out, err = certdir("list", "remove", "--list", devices, *arguments, code=code)
    assert out == "" and says in err and devices.read_bytes() == before


def test_remove_from_no_list(certdir, tmp_path):
    assert "does not exist" in certdir("list", "remove", "--list", tmp_path / "none.db", "--source", "lab", code=66)[1]
    assert os.listdir(tmp_path) == []


# ---- who can change it ----


def configure(directory):
    (directory / "secret").touch(mode=0o600)
    (directory / "secret").write_text("s\n")
    conf = directory / "certdir.conf"
    port = free_port()
    conf.write_text(f"[list]\nfilename = {directory}/devices.db\n[tenant contoso]\ntenant_id = {TENANT}\nclient_id = {CLIENT}\n"
                    f"authority = https://127.0.0.1:{port}\ngraph = https://127.0.0.1:{port}\nclient_secret_file = {directory}/secret\n"
                    "deadline = 1s\n")
    return conf


def test_a_list_that_anybody_can_change(certdir, devices):
    """Told by each command, with what mends it; nobody is kept out for it."""
    conf = configure(devices.parent)
    devices.chmod(0o666)
    devices.parent.chmod(0o777)
    conf.chmod(0o664)
    os.chown(conf, 0, 12345)
    warning = f"certdir: warning: {devices} has mode 0666: anybody can change it, and so let devices in; do: chmod o-w {devices}\n"
    for command in (["list", "stats", "--list", devices], ["list", "verify", "--list", devices], ["list", "show", "--list", devices, "lab-1"],
                    ["list", "remove", "--list", devices, "--source", "school"]):
        assert warning in certdir(*command)[1]
    for command, code in ((["status", "-c", conf], 1), (["sync", "-c", conf], 2)):
        err = certdir(*command, code=code)[1]
        assert warning in err and f"do: chmod g-w {conf}" in err
    devices.chmod(0o640)
    assert f"do: chmod o-w {devices.parent}\n" in certdir("list", "stats", "--list", devices)[1]
    devices.parent.chmod(0o755)
    assert certdir("list", "stats", "--list", devices)[1] == ""


def test_replace_is_for_lists(certdir, devices):
    """A wrong name does not cost another file, nor does a link that somebody else has made."""
    other = devices.with_name("passwd")
    other.write_text("root:x:0:0:root:/root:/bin/bash\n" * 100)
    _, err = certdir("list", "import", "--list", other, "--replace", "lab.json", code=73)
    assert "is not a device list" in err and other.read_text().startswith("root:x:0:0")
    link = devices.with_name("link.db")
    link.symlink_to(devices)
    certdir("list", "import", "--list", link, "--replace", "--force", "lab.json")
    os.chown(link, 12345, 12345, follow_symlinks=False)
    before = devices.read_bytes()
    _, err = certdir("list", "import", "--list", link, "--replace", "lab.json", code=73)
    assert "symbolic link of user 12345" in err and devices.read_bytes() == before


def test_as_somebody_else(certdir):
    """Root and the user that the directory is for, in either order; a look needs no more than reading."""
    with tempfile.TemporaryDirectory() as directory:  # others cannot enter pytest's
        devices = Path(directory) / "devices.db"
        devices.with_name("one.json").write_text('[{"displayName": "PC-1"}]')
        os.chown(directory, 12345, 12346)
        os.chmod(directory, 0o2755)
        service = {"user": 12345, "group": 12346, "extra_groups": [], "cwd": directory}
        looker = {"user": 54321, "group": 12346, "extra_groups": [], "cwd": directory}
        load = ["list", "import", "--list", devices, "--source", "lab", "one.json"]
        certdir(*load, cwd=directory)  # root: the list is made over to the directory's owner
        certdir(*load, **service)
        devices.with_name("devices.db.lock").unlink()
        devices.with_name("devices.db.lock").touch(mode=0o600)  # of a former root
        certdir(*load, **service)
        certdir(*load, cwd=directory)
        for name in ("devices.db", "devices.db.lock"):
            status = devices.with_name(name).stat()
            assert (status.st_uid, status.st_gid) == (12345, 12346)
        certdir(*load, "--dry-run", **looker)
        certdir("list", "remove", "--list", devices, "--source", "lab", "--dry-run", **looker)
        looker["group"] = 54321
        assert "cannot be read by user 54321" in certdir("list", "stats", "--list", devices, code=66, **looker)[1]


# ---- output that cannot be written ----


def test_a_full_disk_is_told(certdir, devices):
    """One exit code for all of them, and a word on stderr: half of an export is no export."""
    conf = configure(devices.parent)
    certificate = devices.with_name("lab-1.pem")
    certificate.write_text(Authority("certdir test CA").issue({"subject": [["CN", "lab-1"]]}).pem)
    lists = [[command, *more, *json_] for json_ in ([], ["--json"]) for command, *more in (
        ("stats",), ("verify",), ("sources",), ("find", "lab-1"), ("show", "lab-1"), ("changes",), ("import", "lab.json"),
        ("import", "--dry-run", "lab.json"), ("remove", "--source", "school", "--dry-run"))] + [["export"], ["export", "--format", "csv"]]
    commands = [["list", command[0], "--list", devices, *command[1:]] for command in lists if command != ["verify"]]
    for json_ in ([], ["--json"]):
        commands += [["check", "--list", devices, *json_, certificate], ["status", "-c", conf, *json_]]
    commands += [["sync", "-c", conf, "--json"], ["sync", "-c", conf, "--json", "--dry-run"], ["status", "-c", conf, "--prometheus"]]
    commands += [[*command, "--help"] for command in ([], ["check"], ["list"], ["list", "find"], ["sync"], ["status"], ["placeholders"])]
    with open("/dev/full", "w", encoding="ascii") as full:
        for command in commands:
            if command[:2] == ["list", "changes"]:
                certdir("list", "remove", "--list", devices, "--source", "school")  # something to tell
            _, err = certdir(*command, code=74, stdout=full)
            assert "standard output cannot be written" in err, command
            if command[:2] == ["list", "changes"]:
                certdir("list", "import", "--list", devices, "--source", "school", "school.json")
