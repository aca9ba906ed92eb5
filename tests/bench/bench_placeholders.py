#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What `certdir placeholders` costs on a real slapd that looks like Active Directory: planning 100,000 devices against their 100,000
accounts beside reading the same OU with paged ldapsearch, and creating 10,000 accounts beside ldapadd of the same entries. What is
compared takes turns in one run, over ldaps://, as the same identity, from the same server.

The time of certdir is that of the whole command: it reads the list, too, makes the plan, asks whether names are free, and writes the
way back. Creating is measured twice: on a server that waits for the disk at each change, as it comes, and on one that does not
(dbnosync), because a disk would hide everything else.

It measures and does not fail on a figure, but on a wrong result: a plan must find what was changed and nothing else, and both ways of
creating must leave the same accounts.
"""

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import accounts  # noqa: E402  (these need the path above)
from bench_sync import Run, aim, processor, settle  # noqa: E402
from testenv.certificates import Authority  # noqa: E402
from testenv.devices import DOMAIN, import_list  # noqa: E402
from testenv.radiusd import BUILD  # noqa: E402
from testenv.slapd import DEVICES, SLAPD, SUFFIX, Slapd  # noqa: E402

DIRECTORY = BUILD / "bench-placeholders"
PLAN_RATIO, APPLY_RATIO = 1.3, 0.5  # the aims: of the wall clock
SECTION = "bench"
KEEPER, PASSWORD = f"cn=certdir,{SUFFIX}", "keeper-password"
# Not the root DN: no limit holds for that one, and pages could be of any size.
ACCESS = f'access to dn.subtree="{DEVICES}" by dn.exact="{KEEPER}" write by users read by anonymous auth'

CONFIGURATION = """\
[list]
filename = {list}

[placeholders {section}]
server = {uri}
identity = {identity}
password_file = {password}
ca_file = {ca}
ou = {ou}
undo_directory = {undo}
{templates}"""


class Server(Slapd):
    """slapd, what its CPU is, and how to fill it quickly."""

    def __init__(self, directory, authority, **options):
        super().__init__(directory, authority, access=ACCESS, maxsize=8 << 30, **options)

    def begin(self):
        self.start(timeout=60)
        self.add_entry(KEEPER, objectClass="person", cn="certdir", sn="certdir", userPassword=PASSWORD)
        return self

    @property
    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def load(self, ldif_file):
        """Fills the database while the server is down."""
        self.stop()
        subprocess.run(["slapadd", "-q", "-f", self.config, "-l", ldif_file], check=True)
        self.start(timeout=60)


class Job:
    """The list, the configuration, and the clients that are compared."""

    def __init__(self, directory):
        self.directory = directory
        self.list, self.conf = directory / "devices.db", directory / "certdir.conf"
        self.password = directory / "password"
        self.password.touch(mode=0o600)
        self.password.write_text(PASSWORD)
        self.server = None

    def use(self, server):
        self.server = server
        self.conf.write_text(CONFIGURATION.format(
            list=self.list, section=SECTION, uri=server.ldaps_uri, identity=KEEPER, password=self.password, ca=server.ca_file,
            ou=DEVICES, undo=self.directory / "undo", templates=accounts.TEMPLATES))
        os.environ["LDAPTLS_CACERT"] = str(server.ca_file)

    def publish(self, devices):
        source = self.directory / "devices.json"
        source.write_text(json.dumps(devices))
        import_list(self.list, source)

    def run(self, *command):
        """Runs a client; .server is the CPU time of slapd meanwhile."""
        settle()
        before = self.server.cpu
        run = Run(*command)
        run.server = self.server.cpu - before
        return run

    def certdir(self, command):
        # plan: 2 says that there is something to do, and 0 that there is not.
        run = self.run("sh", "-c", f"'{BUILD}/certdir' placeholders {command} --json -c '{self.conf}' > '{self.directory}/out' || test $? -eq 2")
        lines = (self.directory / "out").read_text().splitlines()
        run.summary = json.loads(lines[-1])
        return run

    def tool(self, name, arguments, out="/dev/null"):
        """One of OpenLDAP's, as the same identity."""
        return self.run("sh", "-c", f"exec {name} -x -H {self.server.ldaps_uri} -D '{KEEPER}' -y '{self.password}' {arguments} > '{out}'")

    def ldapsearch(self, what, out="/dev/null"):
        return self.tool("ldapsearch", f"-LLL -o ldif-wrap=no -E pr=1000/noprompt -b '{DEVICES}' {what}", out)


def table(figures, own):
    print(f"{'':<28} {'wall s':>7} {'range':<13} {'client CPU':>10} {'slapd CPU':>9} {'peak MiB':>8} {'certdir/it':>10} {'of CPU':>6}")
    for title, runs in figures.items():
        walls = [run.wall for run in runs]
        ratios = "" if title == own else f"{ratio(figures, own, title):10.2f} {ratio(figures, own, title, lambda run: run.cpu + run.server):6.2f}"
        print(f"{title:<28} {median(walls):7.2f} {f'{min(walls):.2f}-{max(walls):.2f}':<13} {median(run.cpu for run in runs):10.2f} "
              f"{median(run.server for run in runs):9.2f} {max(run.peak for run in runs):8.1f} {ratios}", flush=True)


def ratio(figures, one, other, of=lambda run: run.wall):
    return median(of(mine) / of(theirs) for mine, theirs in zip(figures[one], figures[other]))


def take_turns(ways, rounds):
    """{title: its runs}; who goes first changes from round to round."""
    figures, turns = {title: [] for title in ways}, list(ways)
    for turn in range(rounds):
        for title in turns[turn % len(turns):] + turns[:turn % len(turns)]:
            figures[title].append(ways[title]())
    return figures


def expect(summary, **counts):
    wrong = {name: summary[name] for name, count in counts.items() if summary[name] != count}
    if wrong or summary["error"] or summary["refused"]:
        raise SystemExit(f"the plan should say {counts}, and says {summary}: the figures would mean nothing")


# ---- planning ----


def listing_of(job):
    """Filter and attributes of the plan's own listing of the OU, as slapd's log has them."""
    mark = len(job.server.log())
    job.certdir("plan")
    found = re.search(rf'SRCH base="{re.escape(DEVICES)}" scope=2 deref=\d filter="(.*)"\n.*SRCH attr=(.*)\n', job.server.log()[mark:], re.I)
    if not found:
        raise SystemExit("the plan's listing of the OU is not in slapd's log")
    return f"'{found[1]}' {found[2]}"


def planning(job, count, rounds, what):
    devices = [accounts.device(number) for number in range(count)]
    begin = time.monotonic()
    ldif = job.directory / "accounts.ldif"
    with open(ldif, "w", encoding="ascii") as file:
        for number, device in enumerate(devices):
            file.write(accounts.account(number, device, DEVICES, SECTION, DOMAIN))
    job.server.load(ldif)
    ldif.unlink()
    job.publish(devices)
    print(f"\n{count:,} devices and {count:,} accounts, made in {time.monotonic() - begin:.0f} s; the database has "
          f"{(job.server.directory / 'db' / 'data.mdb').stat().st_blocks / 2048:,.0f} MiB")
    entries = job.directory / "entries"
    job.ldapsearch(what, entries)
    found = sum(line.startswith("dn: ") for line in entries.open(encoding="utf-8"))
    entries.unlink()
    print(f"ldapsearch gives {found:,} entries for what the plan itself reads, pages of 1000: {what}")

    def plan(title, **counts):
        def once():
            run = job.certdir("plan")
            expect(run.summary, **counts)
            return run

        figures = take_turns({"certdir placeholders plan": once, "ldapsearch": lambda: job.ldapsearch(what)}, rounds)
        print(f"\nPlan, {title}; {rounds} rounds")
        table(figures, "certdir placeholders plan")
        aim(ratio(figures, "certdir placeholders plan", "ldapsearch"), PLAN_RATIO, f"times the time of ldapsearch, {title}")

    plan("everything as it should be", unchanged=count, create=0, change=0, disable=0, remove=0)
    part = count // 400
    for number in range(0, 2 * part):
        devices[number]["displayName"] += "-NEW"
    for number in range(2 * part, 3 * part):
        devices[number]["accountEnabled"] = False
    devices[3 * part:4 * part] = [accounts.device(count + number) for number in range(part)]
    job.publish(devices)
    plan("1 % to change", unchanged=count - 4 * part, change=2 * part, disable=2 * part, create=part)


# ---- creating ----


def creating(directory, job, authority, count, rounds, durable):
    """Each turn on a server of its own that has nothing yet."""
    ldif, tried = directory / "new.ldif", []

    def on_new_server(way):
        def once():
            tried.append(None)
            server = Server(directory / f"new{len(tried)}", authority, durable=durable)
            try:
                job.use(server.begin())
                run = way()
                contents = {dn: {name: values for name, values in entry.items() if name not in ("unicodePwd", *OPERATIONAL)}
                            for dn, entry in server.contents(DEVICES).items()}
            finally:
                server.kill()
                shutil.rmtree(server.directory)
            if len(contents) != count + 1 or contents != state.setdefault("contents", contents):
                raise SystemExit(f"{len(contents) - 1:,} accounts of {count:,}, or others than before: the figures would mean nothing")
            return run
        return once

    def apply():
        run = job.certdir("apply")
        expect(run.summary, create=count, done=count)
        if not ldif.exists():
            job.ldapsearch("'(objectClass=computer)' '*'", ldif)
        return run

    state = {}
    on_new_server(apply)()
    ways = {"certdir placeholders apply": on_new_server(apply),
            "ldapadd": on_new_server(lambda: job.tool("ldapadd", f"-f '{ldif}'"))}
    figures = take_turns(ways, rounds)
    title = "slapd waits for the disk" if durable else "slapd does not wait for the disk (dbnosync)"
    print(f"\n{count:,} new accounts; {rounds} rounds; {title}")
    table(figures, "certdir placeholders apply")
    for name, runs in figures.items():
        print(f"{name:<28} {count / median(run.wall for run in runs):,.0f} accounts a second")
    aim(ratio(figures, "certdir placeholders apply", "ldapadd"), APPLY_RATIO, f"times the time of ldapadd, {title}")
    each = one_by_one(directory, job, authority, ldif, durable)
    own = median(run.wall for run in figures["certdir placeholders apply"]) / count
    print(f"{'an ldapadd for each':<28} {1 / each:,.0f} accounts a second: apply takes {own / each:.2f} times that")
    ldif.unlink()


def one_by_one(directory, job, authority, ldif, durable, few=200):
    """Seconds an account when each has an ldapadd of its own, as scripts do it."""
    one = directory / "one.ldif"
    entries = [entry for entry in ldif.read_text().split("\n\n") if entry.strip()][:few]
    server = Server(directory / "one", authority, durable=durable)
    try:
        job.use(server.begin())
        seconds = 0
        for entry in entries:
            one.write_text(entry + "\n")
            seconds += job.tool("ldapadd", f"-f '{one}'").wall
    finally:
        server.kill()
        shutil.rmtree(server.directory)
    return seconds / len(entries)


OPERATIONAL = ("entryUUID", "entryCSN", "createTimestamp", "modifyTimestamp", "creatorsName", "modifiersName")


def version(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return next((line.strip("$ ") for line in (done.stdout + done.stderr).splitlines() if "OpenLDAP" in line), command[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=100000)
    parser.add_argument("--new", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=5, help="of planning")
    parser.add_argument("--new-rounds", type=int, default=3, help="of creating")
    options = parser.parse_args()
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True)
    print(f"make bench-placeholders, on {os.cpu_count()} cores of {processor()}\n{version(SLAPD, '-VV')}\n"
          f"{version('ldapsearch', '-VV')}")
    authority, job = Authority("bench CA"), Job(DIRECTORY)
    server = Server(DIRECTORY / "slapd", authority)
    try:
        few = [accounts.device(number) for number in range(3)]
        job.publish(few)
        with_log = Server(DIRECTORY / "log", authority, debug="stats")
        try:
            job.use(with_log.begin())
            what = listing_of(job)
        finally:
            with_log.kill()
        job.use(server.begin())
        planning(job, options.devices, options.rounds, what)
        server.stop()
        job.publish([accounts.device(number) for number in range(options.new)])
        for durable in (False, True):
            creating(DIRECTORY, job, authority, options.new, options.new_rounds, durable)
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"\nPeaks below {own:.0f} MiB, what this script has itself, cannot be told apart.")
    finally:
        server.kill()
        shutil.rmtree(DIRECTORY, ignore_errors=True)


if __name__ == "__main__":
    main()
