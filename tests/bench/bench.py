#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What certdir costs: radiusd's CPU time per request, beside policies that do less and a search in LDAP, and whole EAP-TLS
logins with and without it. All servers run at once, each policy in one of its own, and take turns, so that what else the
machine does meets all of them; but it takes the caches from each: what a busy machine says of microseconds is too much.
Differences and ratios are taken within a round; shown is the median over the rounds. What share of a whole login is
certdir's is told by samples of radiusd's stacks.
"""

import argparse
import os
import platform
import random
import select
import shutil
import socket
import struct
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import share  # noqa: E402
from testenv.logins import Pki  # noqa: E402
from testenv.radiusd import BUILD, RADIUSD, Radiusd, shipped_module  # noqa: E402
from testenv.rlm_ldap import rlm_ldap  # noqa: E402
from testenv.slapd import Slapd  # noqa: E402
from testenv.supplicant import Login  # noqa: E402
from testenv.worlds import ldap_options  # noqa: E402

DIRECTORY = BUILD / "bench"
SMALL, LARGE = 1000, 1000000
WINDOW, SOCKETS = 32, 4
SLOWER_THAN_FOUR = 10  # microseconds that a look into the list may cost more than four attributes
LARGE_TO_SMALL = 1.5
SHARE = 2  # percent of radiusd's CPU in a full login
PARALLEL = 32  # supplicants at once

ACCEPT = "update control {\n\t\t\t&Auth-Type := Accept\n\t\t}"
FOUR = """update control {
			&Tmp-String-0 := "one"
			&Tmp-String-1 := "two"
		}
		update reply {
			&Reply-Message := "three"
			&Filter-Id := "four"
		}
		""" + ACCEPT
LINELOG = """\
linelog {{
	filename = "{filename}"
	format = "%{{User-Name}} four attributes set, and a line written about it as certdir writes one about each of its decisions"
}}
"""
NAME = """update request {
			&TLS-Client-Cert-Common-Name := &User-Name
		}
		"""


def name(n):
    return f"LAPTOP-{n:07}"


def entra_id(n):
    return str(uuid.UUID(int=random.Random(n).getrandbits(128), version=4))


# ---- a list, through the command that administrators use ----


def make_list(path, count):
    source = path.with_suffix(".csv")
    with open(source, "w", encoding="ascii") as file:
        file.write("id,deviceId,displayName,accountEnabled,trustType,isManaged,isCompliant,operatingSystem\n")
        for n in range(count):
            file.write(f"{entra_id(n + LARGE)},{entra_id(n)},{name(n)},true,AzureAd,true,true,Windows\n")
    begin = time.monotonic()
    subprocess.run([BUILD / "certdir", "list", "import", "--list", path, source], check=True, stdout=subprocess.DEVNULL)
    source.unlink()
    print(f"list of {count:,} devices: {path.stat().st_size / 1e6:.1f} MB, imported in {time.monotonic() - begin:.1f} s")
    return path


# ---- load ----


def packet(user):
    """An Access-Request (RFC 2865) with a User-Name; its identifier is put in when it is sent."""
    value = user.encode()
    attributes = bytes([1, len(value) + 2]) + value
    return struct.pack("!BBH", 1, 0, 20 + len(attributes)) + os.urandom(16) + attributes


class Load:
    """Requests over a few sockets, `window` of them on their way at any time."""

    def __init__(self, port, window=WINDOW):
        self.window = window
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(SOCKETS)]
        for sock in self.sockets:
            sock.connect(("127.0.0.1", port))
        self.poll = select.epoll()
        self.by_fd = {sock.fileno(): sock for sock in self.sockets}
        for fd in self.by_fd:
            self.poll.register(fd, select.EPOLLIN)
        self.identifier = dict.fromkeys(self.by_fd, 0)

    def _send(self, fd, request):
        self.identifier[fd] = identifier = (self.identifier[fd] + 1) & 0xFF
        self.by_fd[fd].send(request[:1] + bytes([identifier]) + request[2:])

    def run(self, requests):
        """Sends all; each must be accepted. Nothing is sent again: on loopback nothing may get lost."""
        waiting = iter(requests)
        sent = answered = 0
        for i in range(self.window):
            self._send(self.sockets[i % SOCKETS].fileno(), next(waiting))
            sent += 1
        while answered < len(requests):
            ready = self.poll.poll(10)
            if not ready:
                raise SystemExit(f"{sent - answered} requests got no answer")
            for fd, _ in ready:
                if self.by_fd[fd].recv(4096)[0] != 2:
                    raise SystemExit("a device of the list was refused: the figures would mean nothing")
                answered += 1
                if sent < len(requests):
                    self._send(fd, next(waiting))
                    sent += 1


def cpu(pid):
    """CPU seconds, user and system, of a process so far: what /proc/PID/stat has, but exact (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)


class Silent(Radiusd):
    """Makes no line of its log at all: what a line costs is the difference."""

    def write(self):
        super().write()
        conf = self.raddb / "radiusd.conf"
        conf.write_text(conf.read_text().replace("destination = stdout", "destination = null"))

    def start(self, timeout=20):
        self.process = subprocess.Popen([RADIUSD, "-f", "-d", str(self.raddb), "-n", "radiusd"], stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + timeout
        while f":{self.port:04X} " not in Path("/proc/net/udp").read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("radiusd without a log does not start")
            time.sleep(0.02)
        return self


class Policy:
    """A radiusd of its own with a policy, and its figures: microseconds per request, round by round."""

    def __init__(self, title, pki, users, authorize, slapd=None, window=WINDOW, kind=Radiusd, **options):
        self.title, self.slapd = title, slapd
        directory = DIRECTORY / title.replace(" ", "-").replace(",", "")
        directory.mkdir()
        self.server = kind(directory, pki.trust, debug=0, authorize=authorize, **options).start(60)
        self.load = Load(self.server.port, window)
        self.users = users
        self.figures, self.slapd_figures = [], []

    def measure(self, count):
        requests = [packet(self.users(i)) for i in range(count)]
        before, slapd_before = cpu(self.server.process.pid), self.slapd and cpu(self.slapd.process.pid)
        self.load.run(requests)
        self.figures.append((cpu(self.server.process.pid) - before) / count * 1e6)
        if self.slapd:
            self.slapd_figures.append((cpu(self.slapd.process.pid) - slapd_before) / count * 1e6)

    def over(self, other):
        """Microseconds more than another policy took in the same round, and the ratio: the medians."""
        pairs = list(zip(self.figures, other.figures))
        return median(mine - theirs for mine, theirs in pairs), median(mine / theirs for mine, theirs in pairs)


def policies(pki, slapd):
    def some(count):
        return lambda i: entra_id(random.randrange(count)) if i % 2 else name(random.randrange(count))

    def names(_):
        return name(random.randrange(SMALL))

    def certdir(**options):
        module = shipped_module({"certificate": "attributes", **{key.replace("__", "."): value
                                                                 for key, value in options.items()}})
        return {"module": module, "authorize": NAME + "certdir\n\t\t" + ACCEPT}

    small, large = make_list(DIRECTORY / "small.db", SMALL), make_list(DIRECTORY / "large.db", LARGE)
    yield Policy("nothing", pki, names, ACCEPT)
    yield Policy("four attributes set", pki, names, FOUR)
    yield Policy("four attributes and a line logged", pki, names, "linelog\n\t\t" + FOUR,
                 modules={"linelog": LINELOG.format(filename=DIRECTORY / "lines")})
    yield Policy("name copied as certdir needs it here", pki, names, NAME + ACCEPT)
    yield Policy("certdir, list of 1,000", pki, some(SMALL), **certdir(list__filename=small))
    yield Policy("the same, no line in the log", pki, some(SMALL), kind=Silent, **certdir(list__filename=small))
    yield Policy("the same, journal beside the log", pki, some(SMALL),
                 **certdir(list__filename=small, journal=DIRECTORY / "journal.json"))
    yield Policy("the same, metrics beside the log", pki, some(SMALL),
                 **certdir(list__filename=small, metrics=DIRECTORY / "certdir.prom"))
    yield Policy("certdir, list of 1,000,000", pki, some(LARGE), **certdir(list__filename=large))
    yield Policy("certdir, LDAP", pki, names, slapd=slapd,
                 **certdir(directories="ldap", **{key.replace(".", "__"): value
                                                  for key, value in ldap_options(slapd).items()}))
    yield Policy("rlm_ldap search", pki, names, "ldap\n\t\t" + ACCEPT, slapd=slapd, modules={"ldap": rlm_ldap(slapd.uri)})


def requests_table(pki, rounds, count):
    with Slapd(DIRECTORY / "slapd") as slapd:
        for n in range(SMALL):
            slapd.add_computer(name(n))
        running = []
        try:
            for policy in policies(pki, slapd):
                running.append(policy)
                policy.measure(count // 10)  # warm
                policy.figures, policy.slapd_figures = [], []
            for _ in range(rounds):
                for policy in running:
                    policy.measure(count // 4 if policy.slapd else count)
        finally:
            for policy in running:
                policy.server.kill()
    print(f"\nCPU time of radiusd per request ({rounds} rounds of {count:,}, with LDAP {count // 4:,})")
    print(f"{'policy':<38} {'median us':>9}  {'range':<13} {'- nothing':>9} {'- four':>7} {'x four':>7}")
    nothing, four = running[:2]
    for policy in running:
        spread = f"{min(policy.figures):.1f}-{max(policy.figures):.1f}"
        slapd_own = f"  and slapd {median(policy.slapd_figures):.1f}" if policy.slapd else ""
        more, ratio = policy.over(four)
        print(f"{policy.title:<38} {median(policy.figures):9.1f}  {spread:<13} {policy.over(nothing)[0]:9.1f} {more:7.1f} {ratio:7.2f}"
              f"{slapd_own}")
    verdicts({policy.title: policy for policy in running})


def verdicts(policies_by_title):
    """What was aimed at. Measured, not tested: it depends on the machine and on what else it does."""
    small = policies_by_title["certdir, list of 1,000"]
    more, _ = small.over(policies_by_title["four attributes set"])
    _, ratio = policies_by_title["certdir, list of 1,000,000"].over(small)
    print(f"\n{'met   ' if more <= SLOWER_THAN_FOUR else 'MISSED'}  the list costs {more:.1f} us more than four attributes set"
          f" (aim: {SLOWER_THAN_FOUR})")
    print(f"{'met   ' if ratio <= LARGE_TO_SMALL else 'MISSED'}  1,000,000 devices cost {ratio:.2f} times what 1,000 do"
          f" (aim: {LARGE_TO_SMALL})")


# ---- whole logins ----

CHECK_NOTHING = f"server check-nothing {{\n\tauthorize {{\n\t\t{ACCEPT}\n\t}}\n}}\n"


def logins_round(server, pki, certificate, count, parallel):
    """
    (CPU seconds of radiusd per login, logins a second), `parallel` supplicants at once with `count` logins each: so many,
    because eapol_test rests 0.1 s between two logins.
    """
    before, begin = cpu(server.process.pid), time.monotonic()
    running = [Login(server, *certificate, pki.ca, tls=server.tls, logins=count, timeout=120, mac=f"02:00:00:00:00:{i:02x}")
               for i in range(parallel)]
    attempts = [attempt for login in running for attempt in login.finish()]
    seconds, used = time.monotonic() - begin, cpu(server.process.pid) - before
    if len(attempts) != count * parallel or not all(attempt.accepted and not attempt.resumed for attempt in attempts):
        raise SystemExit("not every login was a full one that was accepted: the figures would mean nothing")
    return used / len(attempts), len(attempts) / seconds


def logins_table(pki, rounds, count):
    device = pki.issue(subject=[["CN", name(7)]])
    large = DIRECTORY / "large.db"
    variants = {
        "without a check of the certificate": {},
        "a check that accepts everything": {"virtual_server": "check-nothing", "sites": {"check-nothing": CHECK_NOTHING}},
        "certdir-check, list of 1,000,000": {"module": shipped_module({"list.filename": large})},
        "the same, with a journal": {"module": shipped_module({"list.filename": large, "journal": DIRECTORY / "journal.json"})},
    }
    servers, figures = {}, {title: [] for title in variants}
    try:
        for i, (title, options) in enumerate(variants.items()):
            (DIRECTORY / f"logins{i}").mkdir()
            servers[title] = Radiusd(DIRECTORY / f"logins{i}", pki.trust, tls="1.3", cache=False, debug=0, **options).start(60)
        for turn in range(rounds + 1):
            for title, server in servers.items():
                figure = logins_round(server, pki, device, count if turn else count // 5, PARALLEL)
                if turn:  # the first one warms
                    figures[title].append(figure)
    finally:
        for server in servers.values():
            server.kill()
    print(f"\nEAP-TLS logins, TLS 1.3, full handshakes ({rounds} rounds of {PARALLEL} x {count})")
    print(f"{'':<38} {'radiusd ms a login':>18}  {'ratio':>6} {'logins/s':>9}  {'ratio':>6}   (supplicants on the same cores)")
    plain = figures["without a check of the certificate"]
    for title, rows in figures.items():
        (used, rate), (used_ratio, rate_ratio) = medians(rows), medians(
            [(row[0] / base[0], row[1] / base[1]) for row, base in zip(rows, plain)])
        print(f"{title:<38} {used * 1e3:18.3f}  {used_ratio:6.3f} {rate:9.0f}  {rate_ratio:6.3f}")


def medians(pairs):
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def share_table(pki, rounds, count):
    device = pki.issue(subject=[["CN", name(7)]])
    directory = DIRECTORY / "share"
    directory.mkdir()
    parts = Counter()
    with Radiusd(directory, pki.trust, module=shipped_module({"list.filename": DIRECTORY / "large.db"}), tls="1.3", cache=False,
                 debug=0) as server:
        logins_round(server, pki, device, count // 5, PARALLEL)  # warm
        try:
            for _ in range(rounds):
                parts += share.measure(server.process.pid, lambda: logins_round(server, pki, device, count, PARALLEL),
                                       directory / "samples")
        except RuntimeError as error:
            print(f"\ncertdir's share of a full login is not measured: {error}")
            return
    total = parts.total()
    percent = {part: parts[part] / total * 100 for part in [*share.PARTS, share.REST]}
    all_of_it = sum(percent.values())
    print(f"\n{'met   ' if all_of_it <= SHARE else 'MISSED'}  certdir's share of a full login: {all_of_it:.1f} % of {total:,} samples"
          f" (aim: {SHARE}): {', '.join(f'{part} {value:.2f}' for part, value in percent.items())}")


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--requests", type=int, default=4000, help="of each policy in a round")
    parser.add_argument("--logins", type=int, default=20, help="of each supplicant in a round")
    options = parser.parse_args()
    random.seed(1)
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True)
    version = subprocess.run(["freeradius", "-v"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    print(f"make bench, on {os.cpu_count()} cores of {processor()}, load {os.getloadavg()[0]:.1f}\n{version}")
    pki = Pki(DIRECTORY / "pki")
    requests_table(pki, options.rounds, options.requests)
    logins_table(pki, 5, options.logins)
    share_table(pki, 5, options.logins)
    shutil.rmtree(DIRECTORY, ignore_errors=True)


if __name__ == "__main__":
    main()
