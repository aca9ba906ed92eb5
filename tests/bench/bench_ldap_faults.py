# SPDX-License-Identifier: GPL-2.0-or-later
"""
A directory that falls ill under load: what requests feel that need none of it, what devices feel that are looked up in it, and how
soon all is well again. certdir and rlm_ldap side by side, each in a server of its own with the same threads and the same load.
"""

import os
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Callable

import bench
from testenv import sick
from testenv.ldap_faults import FaultyProxy, Resolver
from testenv.sick import DEADLINE, Resources, Ward, Way, in_time
from testenv.slapd import Slapd
from testenv.traffic import PATIENCE, milliseconds

TRIALS = 8  # threads that connect to a server that is sick, at most (keeper.c)
RECOVERY = 20  # seconds at most that are waited for it to be well
OTHERS_AIM, RECOVERY_AIM = 0.05, 2.0  # seconds
DARK = "198.18.0.2"  # RFC 2544: for measurements


@dataclass
class Fault:
    """What happens to the directory, the way to it, and how it begins and ends."""

    title: str
    way: Way
    begin: Callable
    end: Callable
    wrapper: tuple = ()
    hurts_open: bool = True  # whether connections that are open feel it


@dataclass
class Case:
    fault: Fault
    first: bool  # before the first connection; else under load
    workers: int = 8
    rate: int = 50


class Row:
    """What one server felt in one case."""

    def __init__(self, case, subject, ward, most):
        begin, end = ward.begun, ward.ended
        self.case, self.title = case, subject.title
        self.control = ward.control.felt(begin, end).others
        self.first_second = subject.felt(begin, begin + 1).others
        self.felt = subject.felt(begin, end)
        known = subject.known(begin, end)
        self.known, self.let_in = len(known), sum(in_time(request) for request in known)
        self.late = sum(1 for request in subject.devices.between(begin, end) if not request.answered or request.latency > DEADLINE)
        last = subject.out_since(end)
        self.recovery = max(0.0, last - end) if last else 0.0
        self.well = ward.well[subject.title]
        self.wrong = len(subject.wrong())
        self.before, self.most = ward.before[subject.title], most
        self.exit_seconds, self.threads_work = None, False

    def missed(self):
        """What of it is not as it should be."""
        devices = self.felt.devices
        return [text for wrong, text in (
            (self.felt.others.p99 > max(OTHERS_AIM, 2 * self.control.p99), f"others p99 {milliseconds(self.felt.others.p99)}"),
            (self.felt.others.lost, f"others lost {self.felt.others.lost}"),
            (self.late, f"{self.late} of {devices.count} devices not answered within {DEADLINE} s"),
            (not self.well or self.recovery > RECOVERY_AIM, f"recovery {self.told_recovery()}"),
            (self.wrong, f"{self.wrong} WRONG DECISIONS"),
            (not self.threads_work, "not all threads work"),
            (self.exit_seconds is None or self.exit_seconds > 5, f"stop {self.exit_seconds}"),
            (self.most.threads > self.before.threads + TRIALS, f"threads {self.before.threads} -> {self.most.threads}"),
            (self.most.fds > self.before.fds + 40, f"fds {self.before.fds} -> {self.most.fds}"),
            (self.most.rss > self.before.rss + (64 << 20), f"memory {self.before.rss >> 20} -> {self.most.rss >> 20} MiB")) if wrong]

    def told_recovery(self):
        return f"{self.recovery:.1f} s" if self.well else f"not within {self.recovery:.0f} s"

    def cells(self):
        when = "from the start" if self.case.first else "under load"
        others, devices = self.felt.others, self.felt.devices
        return (f"{self.case.fault.title}, {when}, {self.case.workers} threads, {self.case.rate}/s", self.title,
                f"{milliseconds(others.p50)} / {milliseconds(others.p99)} / {others.lost} of {others.count}",
                f"{milliseconds(devices.p50)} / {milliseconds(devices.p99)} / {devices.lost} of {devices.count}, "
                f"{100 * self.let_in // max(1, self.known)} % of the known let in in time", self.told_recovery(), str(self.wrong))


HEAD = ("fault", "server", "others: p50 / p99 / lost", "devices: p50 / p99 / lost", "well again after", "wrong")


def markdown(rows):
    lines = [HEAD, ("---",) * len(HEAD), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


class Directory:
    """The directory, in all the ways it can be reached and ill."""

    def __init__(self, stack, directory):
        self.slapd = stack.enter_context(Slapd(directory / "slapd"))
        sick.fill(self.slapd)
        self.proxy = stack.enter_context(FaultyProxy(self.slapd.port))
        self.plain = Way(self.slapd.uri)
        self.resolver = self.dark = None
        if os.environ.get("CERTDIR_BENCH_NAMESPACE"):
            self.resolver = stack.enter_context(Resolver(directory))
            self.dark = self._far_away(stack, directory)

    @staticmethod
    def _far_away(stack, directory):
        """A second slapd at the other end of a cable that can be pulled."""
        for command in ("mount -t tmpfs none /run/netns", "ip netns add dark", "ip link add va type veth peer name vb netns dark",
                        "ip addr add 198.18.0.1/30 dev va", f"ip -n dark addr add {DARK}/30 dev vb", "ip link set va up",
                        "ip -n dark link set vb up", "ip -n dark link set lo up"):
            subprocess.run(command.split(), check=True)
        # Else the kernel would notice by ARP that nobody is there, and say so.
        address = subprocess.run("ip netns exec dark cat /sys/class/net/vb/address".split(), check=True, capture_output=True,
                                 text=True).stdout.strip()
        subprocess.run(f"ip neigh replace {DARK} lladdr {address} dev va nud permanent".split(), check=True)
        slapd = stack.enter_context(Slapd(directory / "dark", host=DARK, wrapper=("ip", "netns", "exec", "dark")))
        sick.fill(slapd)
        return slapd

    def proxied(self, title, *mode, **more):
        return Fault(title, Way(self.proxy.uri), lambda: self.proxy.set(*mode), lambda: self.proxy.set("pass"), **more)

    def stopped(self, kind):
        slapd = self.slapd
        way = {"plain": self.plain, "StartTLS": Way(slapd.uri, slapd.ca_file, True), "LDAPS": Way(slapd.ldaps_uri, slapd.ca_file)}[kind]
        return Fault(f"slapd stopped ({kind})", way, slapd.pause, slapd.resume)

    def faults(self):
        """The faults that can be made here."""
        for kind in ("plain", "StartTLS", "LDAPS"):
            yield self.stopped(kind)
        yield self.proxied("never accepts", "deaf")
        yield self.proxied("one byte a second", "trickle")
        yield self.proxied("an answer of 2 GiB", "giant")
        yield self.proxied("answers after 0.9 s", "delay", 0.9)
        yield self.proxied("answers after 5 s", "delay", 5)
        yield self.proxied("refuses connections", "refuse")
        yield self.proxied("resets connections", "reset")
        yield self.proxied("cuts answers", "cut")
        if self.dark:
            yield Fault("cable pulled", Way(self.dark.ldaps_uri, self.dark.ca_file), lambda: cable("down"), lambda: cable("up"))
            yield Fault("silent resolver", Way(f"ldaps://{self.resolver.host}:{self.slapd.tls_port}", self.slapd.ca_file), lambda: self.mute(True),
                        lambda: self.mute(False), wrapper=self.resolver.wrapper(), hurts_open=False)

    def mute(self, mute):
        self.resolver.mute = mute


def cable(state):
    subprocess.run(f"ip -n dark link set vb {state}".split(), check=True)
    if state == "up":
        subprocess.run(f"ip -n dark addr replace {DARK}/30 dev vb".split(), check=True)


def cases(directory, only):
    for fault in directory.faults():
        if only and only not in fault.title:
            continue
        yield Case(fault, first=True)
        if fault.hurts_open:
            yield Case(fault, first=False)
        if "LDAPS" in fault.title:
            for workers, rate in ((8, 20), (8, 200), (32, 20), (32, 50), (32, 200)):
                yield Case(fault, first=False, workers=workers, rate=rate)


def run_case(pki, slapd, case, seconds, number, stacks):
    fault = case.fault
    directory = bench.DIRECTORY / f"case{number}"
    directory.mkdir()
    options = {"wrapper": fault.wrapper}
    with Ward(directory, pki) as servers:
        servers.admit(sick.certdir_subject(directory / "certdir", pki, slapd, fault.way, case.rate, case.workers, **options))
        servers.admit(sick.stock_subject(directory / "stock", pki, fault.way, case.rate, case.workers, **options))
        most = {}

        def watch():
            for _ in range(int(seconds)):
                servers.last(1)
                for title, now in servers.resources().items():
                    most[title] = larger(most.get(title, now), now)
            if stacks:
                keep_stacks(servers.subjects.values(), directory.name)

        servers.ill(fault.begin, fault.end, 0, PATIENCE, first=case.first, meanwhile=watch, recovery=RECOVERY)
        servers.traffic.finish(patience=DEADLINE)
        rows = [Row(case, subject, servers, most[title]) for title, subject in servers.subjects.items()]
        for row, subject in zip(rows, servers.subjects.values()):
            row.threads_work = subject.all_threads_work()
            row.exit_seconds = stop(subject.server)
        return rows


def larger(one, other):
    return Resources(max(one.fds, other.fds), max(one.threads, other.threads), max(one.rss, other.rss))


def stop(server):
    """Seconds that it takes to end; None: it does not within 20."""
    begin = time.monotonic()
    try:
        server.stop(20)
    except AssertionError:
        return None
    return time.monotonic() - begin


def keep_stacks(subjects, name):
    for subject in subjects:
        output = subprocess.run(["gdb", "-p", str(subject.server.process.pid), "-batch", "-ex", "thread apply all bt 14"],
                                capture_output=True, text=True, check=False).stdout
        (bench.DIRECTORY.parent / f"stacks-{name}-{subject.title}.txt").write_text(output)


def run(pki, seconds, only=None, stacks=False):
    rows = []
    with ExitStack() as stack:
        directory = Directory(stack, bench.DIRECTORY)
        # What is there already is told even if one of the servers does not go on.
        stack.callback(tell, rows)
        for number, case in enumerate(cases(directory, only)):
            for row in run_case(pki, directory.slapd, case, seconds, number, stacks):
                rows.append(row)
                missed = "; ".join(row.missed())
                print(f"{row.title:<9} {row.cells()[0]:<62} {f'MISSED: {missed}' if missed else 'met'}"
                      f"   [first second {milliseconds(row.first_second.p99)}, a server with nothing else {milliseconds(row.control.p99)}]",
                      flush=True)


def tell(rows):
    print()
    print(markdown(rows))
    ours = [row for row in rows if row.title == "certdir"]
    print(f"\n{sum(1 for row in ours if not row.missed())} of {len(ours)} cases of certdir meet all: others p99 < {OTHERS_AIM * 1e3:.0f} ms"
          f" and none lost; devices answered within {DEADLINE} s; well again within {RECOVERY_AIM:.0f} s; nobody wrong; stopped within 5 s")
