# SPDX-License-Identifier: GPL-2.0-or-later
"""What commands say of options that do not go together, or that are no values. test_options.c has the command line itself."""

import subprocess

import pytest

INTERVAL = "certdir sync: --interval is a number with s, m, h or d, from 1s to 30d"


@pytest.mark.parametrize("line, says", [
    ("check --list x --raddb y z", "certdir check: --list stands alone, without --raddb and --module"),
    ("check --list x --module y z", "certdir check: --list stands alone, without --raddb and --module"),
    *((f"sync --interval {wrong}", INTERVAL) for wrong in ("0", "31d", "soon")),
    ("sync --interval 2h --force", "certdir sync: --force and --dry-run are for one run, without --interval"),
    ("sync --interval 2h --dry-run", "certdir sync: --force and --dry-run are for one run, without --interval"),
    ("status --json --prometheus", "certdir status: --json or --prometheus, not both"),
])
def test_misuse(certdir_cli, line, says):
    done = subprocess.run([certdir_cli, *line.split()], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    first, usage = done.stderr.split("\n", 1)
    assert (done.returncode, done.stdout == "", first) == (64, "--json" not in line, says) and usage.startswith("usage: certdir ")
