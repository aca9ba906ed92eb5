# SPDX-License-Identifier: GPL-2.0-or-later
"""With --json, a command that fails says so on standard output, too: one object, with the same keys in all commands."""

import json
import subprocess

import pytest

# Each command, with what it cannot do: the exit code, which file or option is at fault.
FAILURES = [
    ("check --list none.db none.pem", 65, "none.pem", None),
    ("check", 64, None, None),
    ("list show --list none.db x", 66, "none.db", None),
    ("list find --list none.db x", 66, "none.db", None),
    ("list find --join azure", 64, None, "--join"),
    ("list stats --list none.db", 66, "none.db", None),
    ("list sources --list none.db", 66, "none.db", None),
    ("list remove --list none.db --source x", 66, "none.db", None),
    ("list remove --list none.db", 64, None, "--source"),
    ("list changes --since soon", 64, None, "--since"),
    ("list changes --list none.db", 66, "none.db", None),
    ("list import --list new.db none.json", 66, "none.json", None),
    ("list import --list text text", 73, "text", None),
    ("list import --list new.db --certificates none.csv", 66, "none.csv", None),
    ("list import --good-for long x", 64, None, "--good-for"),
    ("list verify --list none.db --public-key none.pem", 66, "none.pem", None),
    ("sync -c none.conf", 78, "none.conf", None),
    ("sync --interval soon", 64, None, "--interval"),
    *((f"placeholders {command}", 78, "none.conf", None) for command in (
        "plan -c none.conf", "apply -c none.conf", "adopt -c none.conf --pattern {name} x", "export -c none.conf --sids",
        "undo -c none.conf x")),
    ("placeholders undo -c bare.conf none.undo", 66, "none.undo", None),
    ("placeholders plan -c bare.conf", 78, "bare.conf", None),
    ("profiles -c none.conf", 78, "none.conf", None),
    ("profiles --from none", 65, "none", None),
    ("replay --log none.log", 66, "none.log", None),
    ("replay --raddb none --log text", 78, "none/radiusd.conf", None),
    ("sessions list none", 66, "none", None),
    ("status -c none.conf", 78, "none.conf", None),
    ("doctor x", 64, None, None),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    directory = tmp_path_factory.mktemp("failures")
    (directory / "bare.conf").write_text(f"[list]\nfilename = {directory}/devices.db\n")
    (directory / "text").write_text("x\n")
    return directory


def run(certdir_cli, place, line, code):
    done = subprocess.run([certdir_cli, *line.split()], cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                          check=False)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done


@pytest.mark.parametrize("line, code, file, option", FAILURES, ids=[line for line, *_ in FAILURES])
def test_failure(certdir_cli, place, line, code, file, option):
    done = run(certdir_cli, place, f"{line} --json", code)
    printed = done.stdout.splitlines()
    error = json.loads(printed[0])["error"]
    text = error.pop("text")
    assert len(printed) == 1 and error == {"file": file, "option": option, "exit": code} and text in done.stderr
    assert run(certdir_cli, place, line, code).stdout == ""


def test_a_misspelt_option(certdir_cli, place):
    error = json.loads(run(certdir_cli, place, "list stats --lisd x --json", 64).stdout)["error"]
    assert error["option"] == "--lisd" and "did you mean --list?" in error["text"]


def test_nothing_found(certdir_cli, place):
    (place / "one.json").write_text('[{"displayName": "PC-1"}]')
    run(certdir_cli, place, "list import --list found.db one.json", 0)
    for value in ("x", "x*"):
        error = json.loads(run(certdir_cli, place, f"list find --list found.db --json {value}", 1).stdout)["error"]
        assert error["exit"] == 1 and f'"{value.rstrip("*")}"' in error["text"]


def test_every_command_that_knows_json_is_here(certdir_cli):
    """The table above is compared with what shells are told of options."""
    def offered(*words):
        done = subprocess.run([certdir_cli, "complete", *words], capture_output=True, text=True, check=True)
        return done.stdout.split()

    commands = [(name,) for name in offered("")]
    commands = [(*one, name) for one in commands for name in offered(*one, "") if not name.startswith("-")] + commands
    groups = {one[0] for one in commands if len(one) > 1}
    known = {" ".join(one) for one in commands if one[0] not in groups or len(one) > 1 if "--json" in offered(*one, "--")}
    assert len(known) > 15
    assert {one for one in known if not any(line.split()[:len(one.split())] == one.split() for line, *_ in FAILURES)} == set()
