# SPDX-License-Identifier: GPL-2.0-or-later
"""At a terminal: what shells complete, tables that fit, and colours, which nobody else gets."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
import unicodedata

import pytest

from testenv.devices import DeviceList
from testenv.radiusd import BUILD, REPO

COMPLETION = REPO / "packaging/completion"
ENV = {**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}", "TERM": "xterm", "LC_ALL": "C"}


def offered(*words):
    done = subprocess.run([BUILD / "certdir", "complete", *words], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_what_is_offered():
    assert {"check", "list", "sync", "report", "doctor"} <= set(offered(""))
    assert offered("list", "") == ["show", "find", "stats", "sources", "remove", "changes", "import", "export", "verify"]
    assert {"--interval", "--dry-run", "-c", "--help"} <= set(offered("sync", "--")) and "--list" not in offered("sync", "--")
    assert offered("list", "import", "--format", "") == ["json", "csv"]
    assert offered("list", "--list", "x.db", "sh")[0] == "show"
    for file in (("sync", "-c", ""), ("report", "-o", ""), ("check", ""), ("nonsense", ""), ("list", "show", "x")):
        assert not offered(*file), file


def test_every_command_of_the_usage_is_offered():
    usage = subprocess.run([BUILD / "certdir", "--help"], capture_output=True, text=True, check=True).stdout
    assert set(offered("")) == set(re.findall(r"^(?:usage:|      ) certdir ([a-z]+)", usage, re.MULTILINE))


def bash(*words):
    script = f'. {COMPLETION}/certdir.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _certdir; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, env=ENV, check=True)
    return done.stdout.split()


def test_bash():
    assert bash("certdir", "pro") == ["profiles"]
    assert bash("certdir", "list", "e") == ["export"]
    assert bash("certdir", "sync", "--d") == ["--dry-run"]
    assert bash("certdir", "report", "-o", "") == []


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish(tmp_path):
    done = subprocess.run(["fish", "-c", f"source {COMPLETION}/certdir.fish; complete -C 'certdir list ex'"], capture_output=True, text=True,
                          env={**ENV, "HOME": str(tmp_path)}, check=True)
    assert done.stdout.split() == ["export"]


def read_until(terminal, pattern, seconds=20):
    """What the terminal says until the pattern stands in it."""
    said, until = "", time.monotonic() + seconds
    while not re.search(pattern, said):
        ready, _, _ = select.select([terminal], [], [], max(0, until - time.monotonic()))
        assert ready, said
        said += os.read(terminal, 65536).decode(errors="replace")
    return said


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh(tmp_path):
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], {**ENV, "HOME": str(tmp_path)})
    try:
        os.write(terminal, f"fpath=({COMPLETION} $fpath); autoload -Uz compinit; compinit -u -D; PS1=READ''Y\n".encode())
        read_until(terminal, "READY")
        os.write(terminal, b"certdir list exp\t")
        read_until(terminal, "list export")
        os.write(terminal, b"--he\t\n")
        read_until(terminal, "usage: certdir list export")
    finally:
        os.close(terminal)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


# ---- colours ----


def at_terminal(*command, columns=0, stream="stdout", **env):
    """What a command says on a stream that is a terminal; one without a width, if none is given."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: its}
    with subprocess.Popen(command, **streams, env={**ENV, **env}) as process:
        os.close(its)
        said = b""
        try:
            while part := os.read(ours, 65536):
                said += part
        except OSError:  # the other side is closed
            pass
        process.wait()
    os.close(ours)
    return said.decode()


def test_colours(pki, tmp_path):
    devices = DeviceList(tmp_path / "devices.db")
    devices.add("LAPTOP-1")
    devices.publish()
    for name, color, word in (("LAPTOP-1", 32, "allow"), ("STRANGER-1", 31, "deny")):
        command = [BUILD / "certdir", "check", "--list", devices.path, pki.named(name)[0]]
        assert f"decision \033[{color}m{word}\033[0m: " in at_terminal(*command)
        for plain in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
            assert "\033" not in at_terminal(*command, **plain) and f"decision {word}: " in at_terminal(*command, **plain)
        assert "\033[" in at_terminal(*command, NO_COLOR="")
        piped = subprocess.run(command, capture_output=True, text=True, env=ENV, check=False).stdout
        assert f"decision {word}: " in piped and "\033" not in piped
        assert "\033" not in at_terminal(*command, "--json")


def test_doctor_in_colours(tmp_path):
    command = [BUILD / "certdir", "doctor", "-c", tmp_path / "none.conf", "--raddb", tmp_path / "none"]
    said = at_terminal(*command)
    assert "\033[31mWRONG" in said or "\033[33mwarning" in said
    assert "\033" not in at_terminal(*command, NO_COLOR="1")


# ---- tables ----


def cells(line):
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


def test_a_table_fits(tmp_path):
    devices = DeviceList(tmp_path / "devices.db")
    devices.add("LAPTOP-1")
    devices.add("\u65e5\u672c\u8a9e" * 8)
    devices.publish()
    command = [BUILD / "certdir", "list", "find", "--list", devices.path, "--all"]
    piped = subprocess.run(command, capture_output=True, text=True, env={**ENV, "COLUMNS": "80"}, check=True).stdout.splitlines()
    assert "LAST SEEN" in piped[0] and "FOUND BY" not in piped[0] and "\u65e5\u672c\u8a9e" * 8 in piped[2]
    for width in (50, 80, 100, 132):
        lines = at_terminal(*command, columns=width).splitlines()
        assert len(lines) == 3 and max(map(cells, lines)) <= width
        assert [line.split()[0] for line in lines] == [line.split()[0] for line in piped]  # ids are never cut
        assert ("NAME" in lines[0], "LAST SEEN" in lines[0]) == (width > 50, width > 120)
    assert "\u672c\u2026" in lines[2] or "\u8a9e\u2026" in lines[2] or "\u65e5\u2026" in lines[2]
    assert cells(lines[1][:lines[1].index(" enabled")]) == cells(lines[2][:lines[2].index(" enabled")])
    assert at_terminal(*command, COLUMNS="80").splitlines() == at_terminal(*command, columns=80).splitlines()


# ---- progress ----


def test_a_long_import_shows_how_far_it_is(tmp_path):
    csv = tmp_path / "lab.csv"
    for count in (999, 5000):
        csv.write_text("displayName\n" + "".join(f"PC-{number}\n" for number in range(count)))
        command = [BUILD / "certdir", "list", "import", "--list", tmp_path / f"{count}.db", "--source", "lab", csv]
        said = at_terminal(*command, stream="stderr")
        assert ("lab: 5000 devices, " in said) == (count == 5000), said
        assert subprocess.run(command, capture_output=True, text=True, env=ENV, check=True).stderr == ""
