# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: each command takes its own options, and all of them refuse what is wrong in the same words, with exit code 64."""

import subprocess

import pytest

COMMANDS = {"check": "check", "sync": "sync", "status": "status", "list": "list", "placeholders": "placeholders plan|apply"}
LIST_COMMANDS = ("show", "find", "stats", "sources", "remove", "changes", "import", "export", "verify")
PLACEHOLDERS = ("plan", "apply", "adopt", "export", "undo")


def run(certdir_cli, line):
    done = subprocess.run([certdir_cli, *line.split()], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout, done.stderr


def test_help(certdir_cli):
    """On standard output and with exit code 0, wherever it stands; a command of a group tells of itself."""
    lines = {"": "certdir check", **{name: f"certdir {usage}" for name, usage in COMMANDS.items()},
             **{f"list {name}": f"certdir list {name}" for name in LIST_COMMANDS},
             **{f"placeholders {name}": "certdir placeholders plan|apply" for name in PLACEHOLDERS}}
    for line, usage in lines.items():
        for text in (f"{line} --help", f"{line} --hel" if line else "help"):
            code, out, err = run(certdir_cli, text)
            assert (code, err) == (0, "") and out.startswith(f"usage: {usage} ") and out.endswith(".\n" if not line else "\n"), text
    assert run(certdir_cli, "list show --json x --help") == run(certdir_cli, "list show --help")


# What is wrong -> the first line on stderr; the usage follows.
MISUSE = {
    "foo": 'certdir: there is no command "foo"',
    "list foo": 'certdir list: there is no command "foo"',
    "list -- foo": 'certdir list: there is no command "foo"',
    "placeholders foo": 'certdir placeholders: there is no command "foo"',
    # what is no option, or none of this command
    "check --foo x": "certdir check: unrecognized option '--foo'",
    "check -x x": "certdir check: invalid option -- 'x'",
    "check -c x x": "certdir check: invalid option -- 'c'",
    "check --dry-run x": "certdir check: unrecognized option '--dry-run'",
    "list show --foo x": "certdir list show: unrecognized option '--foo'",
    "list --foo show x": "certdir list: unrecognized option '--foo'",
    "list show --source a x": "certdir list show: does not take --source",
    "list stats --format csv": "certdir list stats: does not take --format",
    "list import --since 2d x": "certdir list import: does not take --since",
    "list export --json": "certdir list export: does not take --json",
    "sync --prometheus": "certdir sync: unrecognized option '--prometheus'",
    "status --full": "certdir status: unrecognized option '--full'",
    "placeholders plan --apply": "certdir placeholders plan: does not take --apply",
    "placeholders plan --sids": "certdir placeholders plan: does not take --sids",
    "placeholders apply --pattern x": "certdir placeholders apply: does not take --pattern",
    "placeholders undo --force x": "certdir placeholders undo: does not take --force",
    # values
    "check --name": "certdir check: option '--name' requires an argument",
    "status -c": "certdir status: option requires an argument -- 'c'",
    "list stats --json=yes": "certdir list stats: option '--json' doesn't allow an argument",
    "list import --format xml x": "certdir list import: --format is json or csv, not xml",
    "list export --format xml": "certdir list export: --format is json or csv, not xml",
    "sync --interval 0": "certdir sync: --interval is a number with s, m, h or d, from 1s to 30d",
    "sync --interval 31d": "certdir sync: --interval is a number with s, m, h or d, from 1s to 30d",
    "sync --interval soon": "certdir sync: --interval is a number with s, m, h or d, from 1s to 30d",
    # options that do not go together
    "check --list x --raddb y z": "certdir check: --list stands alone, without --raddb and --module",
    "check --list x --module y z": "certdir check: --list stands alone, without --raddb and --module",
    "sync --interval 2h --force": "certdir sync: --force and --dry-run are for one run, without --interval",
    "sync --interval 2h --dry-run": "certdir sync: --force and --dry-run are for one run, without --interval",
    "status --json --prometheus": "certdir status: --json or --prometheus, not both",
    # operands
    "check": "certdir check: an operand is missing",
    "list show": "certdir list show: an operand is missing",
    "list find --json": "certdir list find: an operand is missing",
    "list import --source a": "certdir list import: an operand is missing",
    "list show a b": "certdir list show: one operand too many: b",
    "list stats a": "certdir list stats: one operand too many: a",
    "list find -- -a -b": "certdir list find: one operand too many: -b",
    "sync x": "certdir sync: one operand too many: x",
    "status x": "certdir status: one operand too many: x",
    "placeholders apply a b": "certdir placeholders apply: one operand too many: b",
    "placeholders undo": "certdir placeholders undo: an operand is missing",
    "placeholders adopt --pattern {name}": "certdir placeholders adopt: an operand is missing",
    # options that have to be there
    "list remove": "certdir list remove: --source NAME is missing",
    "placeholders export": "certdir placeholders export: --sids is missing",
    "placeholders adopt a": "certdir placeholders adopt: --pattern TEMPLATE is missing",
}


def test_misuse(certdir_cli):
    for line, says in MISUSE.items():
        code, out, err = run(certdir_cli, line)
        first, usage = err.split("\n", 1)
        assert (code, out, first) == (64, "", says) and usage.startswith("usage: certdir "), line
    for line in ("", "list", "list --json", "placeholders", "placeholders -c x"):
        code, out, err = run(certdir_cli, line)
        assert (code, out) == (64, "") and err.startswith(f"usage: certdir {line.split(' ')[0]}"), line


@pytest.mark.parametrize("line, code, says", [
    # before and behind the operand, before the command's name, shortened, given twice: the last one counts
    ("list show --list none.db a", 66, "none.db does not exist"),
    ("list show a --list none.db", 66, "none.db does not exist"),
    ("list --list none.db show a", 66, "none.db does not exist"),
    ("list show --li=none.db a", 66, "none.db does not exist"),
    ("list show --list x.db a --list none.db", 66, "none.db does not exist"),
    ("list show --list none.db -- -a", 66, "none.db does not exist"),
    ("list import --dry --rep --forc --sou a --list none.db none.json", 66, "none.json"),
    ("placeholders -c none.conf plan a", 78, "none.conf does not exist"),
    ("placeholders plan a -c none.conf", 78, "none.conf does not exist"),
    ("sync -cnone.conf", 78, "none.conf does not exist"),
    ("check --list none.db -", 65, "-"),
])
def test_where_options_stand(certdir_cli, line, code, says):
    found, out, err = run(certdir_cli, line)
    assert (found, out) == (code, "") and says in err and "usage" not in err
