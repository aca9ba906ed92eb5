#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What `certdir sync` costs for a tenant of 1,000,000 devices, each with an Intune record: a first sync beside a plain Python
script (plain_sync.py) on the same pages from the same server, one changed device beside copying the list's file, and
everything listed anew with nothing changed. What is compared takes turns in one run.

It measures and does not fail on a figure, but on a wrong result: both databases must say the same of every device.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("CERTDIR_BUILD", HERE.parents[1] / "build"))
DIRECTORY = BUILD / "bench-sync"
TENANT, CLIENT = "5f3b2c1a-0d4e-4b6f-8a7c-9e1d2f3a4b5c", "0a1b2c3d-4e5f-4a6b-8c7d-8e9f0a1b2c3d"
CPU_RATIO, PEAK, COPY_RATIO = 0.5, 64, 1.5  # the aims; MiB
BYTES_EACH = 6000  # of disk, for a device: its pages, two lists, two databases, a copy
PAGE = 4096  # of SQLite

CERTDIR = "certdir sync"
PLAIN = {"plain Python": [], "plain Python, 1 GiB page cache": ["1024"]}

CONFIGURATION = """\
[list]
filename = {list}

[tenant bench]
authority = {url}
graph = {url}
ca_file = {pages}/ca.pem
tenant_id = {tenant}
client_id = {client}
client_secret_file = {pages}/secret
intune = yes
intune_interval = 1d
"""

# Devices of which list and database do not say the same.
DIFFERENT = """
SELECT p.entra_device_id FROM plain.device p LEFT JOIN device d ON d.entra_device_id = p.entra_device_id
WHERE (d.object_id, d.intune_device_id, d.name, d.serial_number, d.intune_compliance, d.enabled, d.intune_name,
       d.management_state, d.category) IS NOT
      (p.object_id, p.intune_device_id, p.name, p.serial_number, p.compliance, p.enabled, p.intune_name,
       p.management_state, p.category)
"""


class Run:
    """A command that ran: .user and .system CPU seconds, .peak MiB, .wall seconds, .out."""

    def __init__(self, *command):
        begin = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE)
        self.out = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        self.wall = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(map(str, command))}: exit code {process.returncode}\n{self.out.decode()}")
        # The peak is never less than what this process had when it started the other; it keeps little itself.
        self.user, self.system, self.peak = used.ru_utime, used.ru_stime, used.ru_maxrss / 1024

    @property
    def cpu(self):
        return self.user + self.system


class Bench:
    def __init__(self, devices, seed):
        self.devices, self.seed = devices, seed
        self.pages = DIRECTORY / "pages"
        self.list = DIRECTORY / "devices.db"
        self.conf = DIRECTORY / "certdir.conf"
        self.server = None
        self.url = None

    def start(self):
        self.pages.mkdir(parents=True)
        begin = time.monotonic()
        subprocess.run([sys.executable, HERE / "pages.py", self.pages, str(self.devices), str(self.seed)], check=True)
        size = sum((self.pages / name).stat().st_size for name in ("devices", "managedDevices"))
        print(f"{size / 1e6:,.0f} MB of pages from seed {self.seed}, made in {time.monotonic() - begin:.0f} s", flush=True)
        self.server = subprocess.Popen([sys.executable, HERE / "page_server.py", self.pages], stdout=subprocess.PIPE)
        self.url = f"https://localhost:{int(self.server.stdout.readline())}"
        secret = self.pages / "secret"
        secret.touch(mode=0o600)
        secret.write_text("anything\n")
        self.conf.write_text(CONFIGURATION.format(list=self.list, url=self.url, pages=self.pages, tenant=TENANT, client=CLIENT))

    def stop(self):
        if self.server:
            self.server.kill()
            self.server.wait()

    def certdir(self, *options):
        """Runs a sync; .report is its summary."""
        run = Run(BUILD / "certdir", "sync", "-c", self.conf, "--json", *options)
        run.report = json.loads(run.out)
        return run

    def plain(self, title):
        database = self.database(title)
        database.unlink(missing_ok=True)
        return Run(sys.executable, HERE / "plain_sync.py", self.url, TENANT, CLIENT, self.pages / "secret",
                   self.pages / "ca.pem", database, *PLAIN[title])

    @staticmethod
    def database(title):
        return DIRECTORY / (title.replace(" ", "-").replace(",", "") + ".db")

    def forget_list(self):
        for file in DIRECTORY.glob(self.list.name + "*"):
            file.unlink()

    def query(self, sql, *values):
        with sqlite3.connect(f"file:{self.list}?mode=ro&immutable=1", uri=True) as db:
            db.execute("ATTACH ? AS plain", [f"file:{self.database('plain Python')}?mode=ro"])
            return db.execute(sql, values).fetchall()


def settle():
    """Writes out what is waiting, so that no turn pays for the one before it."""
    os.sync()


# ---- the first sync ----


def first_sync(bench, rounds):
    figures = {title: [] for title in (CERTDIR, *PLAIN)}
    turns = list(figures)
    for turn in range(rounds):
        for title in turns[turn % len(turns):] + turns[:turn % len(turns)]:
            settle()
            if title == CERTDIR:
                bench.forget_list()
            figures[title].append(bench.certdir() if title == CERTDIR else bench.plain(title))
    print(f"\nFirst sync, {rounds} rounds: CPU time of the client alone")
    print(f"{'':<32} {'CPU s':>7} {'range':<12} {'user':>6} {'system':>6} {'wall s':>7} {'peak MiB':>8} {'file MB':>8} {'certdir/it':>10}")
    own = figures[CERTDIR]
    for title, runs in figures.items():
        file = bench.list if title == CERTDIR else bench.database(title)
        used = [run.cpu for run in runs]
        ratio = "" if title == CERTDIR else f"{median(mine.cpu / run.cpu for mine, run in zip(own, runs)):10.2f}"
        print(f"{title:<32} {median(used):7.1f} {f'{min(used):.1f}-{max(used):.1f}':<12} {median(run.user for run in runs):6.1f} "
              f"{median(run.system for run in runs):6.1f} {median(run.wall for run in runs):7.1f} {max(run.peak for run in runs):8.1f} "
              f"{file.stat().st_size / 1e6:8.1f} {ratio}", flush=True)
    compare(bench)
    # The other Python is there to show what 1 GiB of memory buys; the aim is a plain one.
    aim(median(mine.cpu / run.cpu for mine, run in zip(own, figures["plain Python"])), CPU_RATIO, "times the CPU of plain Python")
    aim(max(run.peak for run in own), PEAK, "MiB at the peak of a first sync")


def compare(bench):
    """Fails when list and database do not hold the same."""
    (mine,), (theirs,) = bench.query("SELECT count(*) FROM device UNION ALL SELECT count(*) FROM plain.device")
    different = bench.query(DIFFERENT)
    if mine != bench.devices or theirs != bench.devices or different:
        raise SystemExit(f"of {bench.devices} devices the list has {mine} and the database {theirs}; they differ in {len(different)}, "
                         f"such as {different[:3]}: the figures would mean nothing")
    print(f"both hold the same {mine:,} devices")


# ---- one changed device ----


def one_change(bench, rounds):
    delta, copy = bench.pages / "delta", DIRECTORY / "copy"
    devices = bench.query("SELECT object_id, enabled FROM device ORDER BY random() LIMIT ?", rounds)

    def sync():
        object_id, enabled = devices.pop()
        delta.write_text(json.dumps({"value": [{"id": object_id, "accountEnabled": not enabled}]}, separators=(",", ":"))[1:])
        run = bench.certdir()
        if bench.query("SELECT enabled FROM device WHERE object_id = ?", object_id) != [(1 - enabled,)]:
            raise SystemExit(f"device {object_id} changed and the list does not say so: the figures would mean nothing")
        return run

    figures = {CERTDIR: [], "cp": [], "cp and fsync": []}
    ways = {CERTDIR: sync, "cp": lambda: Run("cp", bench.list, copy),
            "cp and fsync": lambda: Run("sh", "-c", f"cp '{bench.list}' '{copy}' && sync '{copy}'")}
    turns = list(ways)
    for turn in range(rounds):
        for title in turns[turn % 3:] + turns[:turn % 3]:
            copy.unlink(missing_ok=True)
            settle()
            figures[title].append(ways[title]())
    delta.unlink()
    copy.unlink(missing_ok=True)
    print(f"\nOne changed device, {rounds} rounds, a list of {bench.list.stat().st_size / 1e6:,.1f} MB")
    print(f"{'':<32} {'wall s':>7} {'range':<12} {'CPU s':>7} {'peak MiB':>8} {'certdir/it':>10}")
    for title, runs in figures.items():
        walls = [run.wall for run in runs]
        ratio = "" if title == CERTDIR else f"{median(mine.wall / run.wall for mine, run in zip(figures[CERTDIR], runs)):10.2f}"
        print(f"{title:<32} {median(walls):7.2f} {f'{min(walls):.2f}-{max(walls):.2f}':<12} {median(run.cpu for run in runs):7.2f} "
              f"{max(run.peak for run in runs):8.1f} {ratio}", flush=True)
    for title in ("cp", "cp and fsync"):
        aim(median(mine.wall / run.wall for mine, run in zip(figures[CERTDIR], figures[title])), COPY_RATIO, "times the time of " + title)
    aim(max(run.peak for run in figures[CERTDIR]), PEAK, "MiB at the peak of a sync of one change")


# ---- everything anew, nothing changed ----


def pages_changed(before, after):
    """How many pages of the one file are not the same in the other."""
    different = 0
    with open(before, "rb") as old, open(after, "rb") as new:
        while True:
            was, now = old.read(256 * PAGE), new.read(256 * PAGE)
            if not was and not now:
                return different
            if was != now:
                different += sum(was[i:i + PAGE] != now[i:i + PAGE] for i in range(0, max(len(was), len(now)), PAGE))


def resync(bench):
    before = DIRECTORY / "before.db"
    # The pages know nothing of the devices that were changed a moment ago: this one brings the list back to them.
    bench.certdir("--full")
    os.link(bench.list, before)
    settle()
    run = bench.certdir("--full")
    tenant, = run.report["tenants"]
    for part in ("devices", "intune"):
        tally = tenant["parts"][part]
        if any(tally[what] for what in ("added", "changed", "removed")):
            raise SystemExit(f"nothing changed and the summary says otherwise: {tally}")
    pages = before.stat().st_size // PAGE
    different = pages_changed(before, bench.list)
    before.unlink()
    print("\nEverything listed anew, nothing changed")
    print(f"{run.cpu:.1f} s of CPU (user {run.user:.1f}, system {run.system:.1f}), {run.wall:.1f} s in all; "
          f"{different:,} of {pages:,} pages of the file are new")
    compare(bench)
    aim(run.peak, PEAK, "MiB at the peak of a full resync")


def aim(figure, limit, what):
    print(f"{'met   ' if figure <= limit else 'MISSED'}  {figure:.2f} {what} (aim: {limit})")


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=1000000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="of the first sync")
    parser.add_argument("--changes", type=int, default=7, help="rounds of one changed device")
    options = parser.parse_args()
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True)
    free = shutil.disk_usage(DIRECTORY).free
    print(f"make bench-sync, on {os.cpu_count()} cores of {processor()}: {options.devices:,} devices; {free / 1e9:.0f} GB free in {DIRECTORY}")
    if free < options.devices * BYTES_EACH:
        raise SystemExit(f"{options.devices * BYTES_EACH / 1e9:.1f} GB are needed")
    bench = Bench(options.devices, options.seed)
    try:
        bench.start()
        first_sync(bench, options.rounds)
        one_change(bench, options.changes)
        resync(bench)
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"\nPeaks below {own:.0f} MiB, what this script has itself, cannot be told apart.")
    finally:
        bench.stop()
        shutil.rmtree(DIRECTORY, ignore_errors=True)


if __name__ == "__main__":
    main()
