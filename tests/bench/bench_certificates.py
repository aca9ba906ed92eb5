#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What Intune's report of 1,000,000 issued certificates costs `certdir sync`, beside a plain Python script (zipfile, csv, sqlite3) that
puts the same zip into a table with the same indexes: CPU time of each, by getrusage, and the peak of memory. Both must hold the same.

usage: bench_certificates.py [ROWS]
"""

import csv
import io
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from testenv.graph import FakeGraph  # noqa: E402
from testenv.graph_reports import COLUMNS, certificate, packed, table  # noqa: E402
from testenv.sync import Sync  # noqa: E402
from testenv.tenant import Tenant  # noqa: E402

WANTED = ("Thumbprint", "IssuerName", "SerialNumber", "DeviceId", "UserId", "UPN", "ValidFrom", "ValidTo", "CertificateStatus", "PolicyId")


def plain(file, database):
    """What an administrator would write."""
    with zipfile.ZipFile(file) as archive, closing(sqlite3.connect(database)) as db, db:
        db.execute(f"CREATE TABLE certificate({','.join(f'{name} TEXT' for name in WANTED)})")
        rows = csv.DictReader(io.TextIOWrapper(archive.open(archive.namelist()[0]), "utf-8-sig", newline=""))
        db.executemany(f"INSERT INTO certificate VALUES ({','.join('?' * len(WANTED))})",
                       ([row["Thumbprint"].lower(), *(row[name] for name in WANTED[1:])] for row in rows))
        for name in ("Thumbprint", "SerialNumber", "DeviceId"):
            db.execute(f"CREATE INDEX by_{name} ON certificate({name})")


def make(file, rows, devices):
    one = table((certificate(devices[number % len(devices)], number, user=devices[0], upn=f"u{number}@example.com")
                 for number in range(rows)), [name for name in COLUMNS if name in WANTED])
    file.write_bytes(packed(("report.csv", one)))
    print(f"{rows:,} rows, {len(one) / 1e6:.0f} MB, {file.stat().st_size / 1e6:.0f} MB as a zip", flush=True)


def measured(start):
    """Runs a child: (CPU seconds, wall seconds, peak MiB)."""
    begin = time.monotonic()
    process = start()
    _, status, used = os.wait4(process, 0)
    assert status == 0, status
    return used.ru_utime + used.ru_stime, time.monotonic() - begin, used.ru_maxrss / 1024


def spawn(*command):
    return os.posix_spawn(str(command[0]), [str(word) for word in command], os.environ,
                          file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])


def show(title, figures):
    print(f"{title:<14} {figures[0]:7.1f} s CPU {figures[1]:7.1f} s wall {figures[2]:7.0f} MiB peak", flush=True)


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
    tenant = Tenant("bench", 100, enrolled=1)
    devices = sorted(tenant.records)
    with tempfile.TemporaryDirectory() as directory, FakeGraph(tenant) as graph:
        directory = Path(directory)
        file, database = directory / "report.zip", directory / "plain.db"
        # Made by a process of its own: a child's peak is never less than what this one had when it started it.
        subprocess.run([sys.executable, __file__, "make", file, str(rows), *devices], check=True)
        graph.report_file = file.read_bytes()
        sync = Sync(directory / "sync", graph, certificates_interval="0s", deadline="1h")
        sync.run()  # the devices
        sync.set(certificates="yes")
        sync.write()
        mine = measured(lambda: spawn(*sync.command("sync", "-c", sync.conf)))
        show("certdir sync", mine)
        again = measured(lambda: spawn(*sync.command("sync", "-c", sync.conf)))
        show("nothing new", again)
        theirs = measured(lambda: spawn(sys.executable, __file__, "plain", file, database))
        show("plain Python", theirs)
        print(f"certdir takes {mine[0] / theirs[0]:.2f} of plain Python's CPU time")
        held = [sqlite3.connect(f"file:{one}?immutable=1", uri=True).execute(
            f"SELECT count(*),count(DISTINCT {key}) FROM certificate").fetchone() for one, key in
            ((sync.list_file, "thumbprint"), (database, "Thumbprint"))]
        assert held[0] == held[1] == (rows, rows), held


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "plain":
        plain(Path(sys.argv[2]), sys.argv[3])
    elif len(sys.argv) > 4:
        make(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
    else:
        main()
