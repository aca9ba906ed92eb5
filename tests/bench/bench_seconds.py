#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
How many seconds it is from a change in Entra ID to what it changes in the network: a fake Graph, `certdir sync` beside a list,
a radiusd with sessions that asks it, and network devices that take orders. Each part stands alone:

    out     disabled in Graph -> Disconnect-Request, less the sync's interval
    mass    500 of 10,000 sessions denied by one edition, beside a network device that never answers; 600 more: the guard, release
    killed  the same, and the server is killed and started in the middle
    in      enrolled in Graph -> accepted, at the first login
    flood   1,000 logins a second of ids that nobody has: what Graph is asked, how long devices that are known wait
    quiet   a round of the sync that finds nothing new

It measures and does not fail on a figure, but on a wrong result. Time is that of the wall, so the machine should do nothing else.
"""

import argparse
import hashlib
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import time
import uuid
from multiprocessing import Process, Value
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from testenv import das, packet  # noqa: E402
from testenv.graph import FakeGraph  # noqa: E402
from testenv.logins import Pki  # noqa: E402
from testenv.ports import free_port  # noqa: E402
from testenv.radiusd import BUILD, SECRET, Radiusd, shipped_module  # noqa: E402
from testenv.sync import Sync  # noqa: E402
from testenv.tenant import Tenant  # noqa: E402

DIRECTORY = BUILD / "bench-seconds"
CLASS, ACCT_SESSION_ID = 25, 44
ACCEPT, START = 2, 1
SILENT = "127.0.0.2"  # the network device that never answers

AUTHORIZE = """\
update request {
			&TLS-Client-Cert-Common-Name := &User-Name
		}
		certdir {
			notfound = reject
		}
		update reply {
			&Class := &session-state:Certdir-Class
		}
		update control {
			&Auth-Type := Accept
		}"""
ACCOUNTING = """\
server accounting {{
	listen {{
		type = acct
		ipaddr = *
		port = {port}
	}}
	accounting {{
		certdir
		ok
	}}
}}
"""
SILENT_CLIENT = "client silent {{\n\tipaddr = {address}\n\tsecret = {secret}\n\tcoa_port = {port}\n}}\n"


def attribute(kind, value):
    return bytes([kind, len(value) + 2]) + value


class Network:
    """What a network device sends: logins and accounting, from its own address."""

    def __init__(self, server, address="127.0.0.1"):
        self.server, self.identifier = server, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.settimeout(20)

    def _ask(self, code, attributes, port, authenticator=None):
        self.identifier = (self.identifier + 1) & 0xFF
        head = struct.pack("!BBH", code, self.identifier, 20 + len(attributes))
        authenticator = authenticator or hashlib.md5(head + bytes(16) + attributes + SECRET.encode()).digest()
        self.socket.sendto(head + authenticator + attributes, ("127.0.0.1", port))
        while True:
            reply = self.socket.recv(4096)
            if reply[1] == self.identifier:
                return reply

    def log_in(self, device):
        """(accepted, Class)."""
        reply = self._ask(1, attribute(1, device.encode()), self.server.port, os.urandom(16))
        return reply[0] == ACCEPT, b"".join(packet.values(reply, CLASS))

    def start(self, session, user, its_class):
        fields = attribute(40, struct.pack("!I", START)) + attribute(ACCT_SESSION_ID, session.encode())
        fields += attribute(1, user.encode()) + attribute(CLASS, its_class) + attribute(31, b"02-00-00-00-00-01")
        self._ask(4, fields, self.server.accounting_port)


class Server(Radiusd):
    """Asks the list and the sync beside it, knows sessions; `device` takes orders, `silent` takes none."""

    def __init__(self, directory, pki, list_file, device, silent, options=""):
        directory.mkdir()
        self.accounting_port, self.silent = free_port("udp"), silent
        module = shipped_module({"certificate": "attributes", "directories": "list", "list.filename": list_file,
                                 "list.ask": "yes"})
        sessions = f"\tsessions {{\n\t\tfilename = {directory}/sessions.db\n{options}\t}}\n"
        module = module.replace("\n\tpolicy {", f"\n{sessions}\n\tpolicy {{", 1)
        super().__init__(directory, pki.trust, module, debug=0, authorize=AUTHORIZE,
                         client_options=f"coa_port = {device.port}",
                         sites={"accounting": ACCOUNTING.format(port=self.accounting_port)})

    def write(self):
        super().write()
        conf = self.raddb / "radiusd.conf"
        conf.write_text(conf.read_text() + SILENT_CLIENT.format(address=SILENT, secret=SECRET, port=self.silent.port))

    def states(self):
        done = subprocess.run([BUILD / "certdir", "sessions", "list", "--json", self.directory / "sessions.db"],
                              capture_output=True, text=True, check=False)
        counts = {}
        for line in done.stdout.splitlines():
            state = line.split('"state":"', 1)[1].split('"', 1)[0]
            counts[state] = counts.get(state, 0) + 1
        return counts


class World:
    """A tenant of `count` devices, each of which has a session; its sync stays, the interval in seconds."""

    def __init__(self, name, count, interval, options="", silent_sessions=0):
        self.directory = DIRECTORY / name
        self.directory.mkdir()
        self.count, self.interval, self.options, self.silent_sessions = count, interval, options, silent_sessions
        self.graph = FakeGraph(Tenant(5))
        self.tenant = self.graph.tenant
        self.devices = [self.add(f"PC-{n}") for n in range(count)]

    def add(self, name):
        return self.tenant.add_device(name, accountEnabled=True, trustType="AzureAd")

    def entra(self, device):
        return self.tenant.devices[device]["deviceId"]

    def __enter__(self):
        pki = self.directory / "pki"
        pki.mkdir()
        self.graph.start()
        self.device = das.Device()
        self.silent = das.Device(das.silence, SILENT)
        self.device.__enter__()
        self.silent.__enter__()
        self.sync = Sync(self.directory / "sync", self.graph, intune_interval="1h")
        with open(self.directory / "sync.log", "wb") as log:
            self.sync.write()
            command = self.sync.command("sync", "-c", self.sync.conf, "--interval", f"{self.interval}s")
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait(self.sync.list_file.exists, 120)
        self.server = Server(self.directory / "radiusd", Pki(pki), self.sync.list_file, self.device, self.silent,
                             self.options)
        self.server.start(60)
        self.network, self.elsewhere = Network(self.server), Network(self.server, SILENT)
        for n, device in enumerate(self.devices):
            accepted, its_class = self.network.log_in(self.entra(device))
            if not accepted or b";" not in its_class:
                raise SystemExit("a device of the list was refused, or has no Class: the figures would mean nothing")
            (self.elsewhere if n < self.silent_sessions else self.network).start(f"S-{n}", f"host/{n}", its_class)
        wait_states(self.server, 60, running=self.count)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.server.kill()
        self.device.__exit__()
        self.silent.__exit__()
        self.graph.stop()

    def disable(self, numbers):
        for n in numbers:
            self.tenant.change(self.devices[n], accountEnabled=False)


def wait(condition, timeout):
    """Polls rarely: each look is a process."""
    end = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > end:
            raise RuntimeError("what was waited for did not come: the figures would mean nothing")
        time.sleep(0.1)
    return value


def wait_states(server, timeout, **wanted):
    """Until so many sessions at least are in these states."""
    end = time.monotonic() + timeout
    while any((states := server.states()).get(state, 0) < count for state, count in wanted.items()):
        if time.monotonic() > end:
            raise RuntimeError(f"sessions are {states}, and were to be {wanted}: the figures would mean nothing")
        time.sleep(0.1)


def cpu(pid):
    """CPU seconds of a process so far: clock_getcpuclockid(3)."""
    return time.clock_gettime(~pid << 3 | 2)


def written(pid):
    line, = [line for line in Path(f"/proc/{pid}/io").read_text().splitlines() if line.startswith("wchar:")]
    return int(line.split()[1])


def told(values):
    """Median, 99th of 100, and the longest, in seconds."""
    ordered = sorted(values)
    p50, p99 = (ordered[len(ordered) * part // 100] for part in (50, 99))
    return f"p50 {p50:.3f}, p99 {p99:.3f}, max {ordered[-1]:.3f} s"


def aim(met, what):
    print(f"{'met   ' if met else 'MISSED'}  {what}", flush=True)


def out(count=100, interval=2):
    with World("out", count, interval, "\t\tmax_disconnect = 100\n") as world:
        changed = {}
        for n in range(count):
            changed[f"S-{n}"] = time.monotonic()
            world.disable([n])
            time.sleep(random.random() * 0.4)
        wait(lambda: len({order.attributes["Acct-Session-Id"] for order in world.device.orders}) == count, 60)
        first = {}
        for order in world.device.orders:
            first.setdefault(order.attributes["Acct-Session-Id"].decode(), order.at)
        wait_states(world.server, 20, ended=count)
        waits = [first[session] - at for session, at in changed.items()]
    print(f"\n{count} devices disabled in Graph, one after the other, a sync each {interval} s: until the Disconnect-Request "
          f"that is answered by an ACK: {told(waits)}; less the interval: {told([one - interval for one in waits])}")
    aim(max(waits) < interval + 5, "each within interval + 5 s")


def mass(count=10000, denied=500, silent=50):
    """The first `silent` sessions are of the device that never answers."""
    with World("mass", count, 1, silent_sessions=silent) as world:
        pid = world.server.process.pid
        before, begin = cpu(pid), time.monotonic()
        world.disable(range(denied))
        waits = []
        while world.server.states().get("ended", 0) < denied - silent:
            if time.monotonic() > begin + 120:
                raise SystemExit(f"sessions: {world.server.states()}")
            asked = time.monotonic()
            if not world.network.log_in(world.entra(world.devices[-1]))[0]:
                raise SystemExit("a known device was refused")
            waits.append(time.monotonic() - asked)
        last = max(order.at for order in world.device.orders)
        first = min(order.at for order in world.device.orders)
        print(f"\n{denied} of {count} sessions denied by one edition, {silent} of them at a device that never answers: "
              f"first request {first - begin:.1f} s, last {last - begin:.1f} s after the change, "
              f"{len(world.device.orders)} + {len(world.silent.orders)} packets, {cpu(pid) - before:.2f} s of radiusd's CPU "
              f"in {time.monotonic() - begin:.0f} s; logins meanwhile: {told(waits)}")
        aim(len(world.device.orders) == denied - silent, "one packet for each session of a device that answers")
        before = len(world.device.orders)
        world.disable(range(denied, denied + 600))
        wait_states(world.server, 60, held=600)
        aim(len(world.device.orders) == before, f"600 more are held by the guard: {world.server.states()}")
        begin = time.monotonic()
        subprocess.run([BUILD / "certdir", "sessions", "release", world.server.directory / "sessions.db"], check=True)
        wait_states(world.server, 60, ended=denied - silent + 600)
        aim(True, f"released: the last of them ended {max(order.at for order in world.device.orders) - begin:.1f} s later")


def killed(count=2000, denied=100):
    with World("killed", count, 1) as world:
        world.disable(range(denied))
        wait(lambda: len(world.device.orders) >= denied // 4, 60)
        world.server.kill()
        told_before = len({order.attributes["Acct-Session-Id"] for order in world.device.orders})
        world.server.start(60)
        wait_states(world.server, 90, ended=denied)
        sessions = {order.attributes["Acct-Session-Id"] for order in world.device.orders}
        print(f"\n{denied} of {count} sessions denied, the server killed when {told_before} of them had been asked about, and "
              f"started again: {len(sessions)} were asked about in {len(world.device.orders)} packets, {world.server.states()}")
        aim(sessions == {f"S-{n}".encode() for n in range(denied)}, "each of them, and no other")


def enrolled(count=50):
    with World("in", 100, 3600) as world:
        waits = []
        for n in range(count):
            device = world.add(f"NEW-{n}")
            begin = time.monotonic()
            if not world.network.log_in(world.entra(device))[0]:
                raise SystemExit(f"new device {n} was refused at its first login")
            waits.append(time.monotonic() - begin)
            time.sleep(max(0.0, begin + 1.05 - time.monotonic()))  # one more may be asked about each second
    print(f"\n{count} devices, each enrolled a moment before its first login: accepted after {told(waits)}")
    aim(max(waits) < 5, "each within 5 s")


def strangers(server, rate, seconds, count, answered):
    """Logins of ids that nobody has, evenly; those that are answered are counted."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < seconds:
            while count.value < passed * rate:
                fields = attribute(1, str(uuid.uuid4()).encode())
                head = struct.pack("!BBH", 1, count.value & 0xFF, 20 + len(fields)) + os.urandom(16)
                sock.sendto(head + fields, ("127.0.0.1", server.port))
                count.value += 1
            try:
                while sock.recv(4096):
                    answered.value += 1
            except BlockingIOError:
                pass
            time.sleep(0.002)


def known_logins(world, seconds):
    waits, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        if not world.network.log_in(world.entra(random.choice(world.devices)))[0]:
            raise SystemExit("a known device was refused")
        waits.append(time.monotonic() - begin)
        time.sleep(0.01)
    return waits


def flood(rate=1000, seconds=15):
    with World("flood", 100, 3600) as world:
        without = known_logins(world, seconds / 3)
        count, answered = Value("i", 0), Value("i", 0)
        mark = len(world.graph.requests)
        load = Process(target=strangers, args=(world.server, rate, seconds, count, answered))
        load.start()
        beside = known_logins(world, seconds - 1)
        load.join()
        asked = [one for one in world.graph.requests[mark:] if one.route != "token"]
    print(f"\n{count.value / seconds:.0f} logins a second of ids that nobody has, {seconds} s: {answered.value} of {count.value} "
          f"answered, Graph asked {len(asked)} times; a known device waits {told(beside)}, without them {told(without)}")
    aim(len(asked) <= 30 + seconds + 3, "Graph is asked 30 times and then once a second at most")


def quiet(count=10000, rounds=30):
    with World("quiet", count, 1) as world:
        wait(lambda: len(world.graph.asked("delta")) > 8, 60)
        pid, mark = world.process.pid, len(world.graph.requests)
        before, bytes_before = cpu(pid), written(pid)
        wait(lambda: len(world.graph.asked("delta", mark)) >= rounds, rounds * 4)
        used, wrote = cpu(pid) - before, written(pid) - bytes_before
        requests = world.graph.requests[mark:]
        files = {file.name: file.stat().st_size for file in world.sync.directory.glob("devices.db*")}
    print(f"\n{rounds} rounds of a sync of {count} devices that find nothing new: {len(requests) / rounds:.2f} requests "
          f"({', '.join(sorted({one.route for one in requests}))}), {used / rounds * 1e3:.1f} ms of CPU and "
          f"{wrote / rounds:.0f} bytes written each; {files}")
    aim(len(requests) <= rounds + 1, "one request each")


PARTS = {"out": out, "mass": mass, "killed": killed, "in": enrolled, "flood": flood, "quiet": quiet}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all of them")
    random.seed(1)
    for part in parser.parse_args().parts or PARTS:
        shutil.rmtree(DIRECTORY, ignore_errors=True)
        DIRECTORY.mkdir(parents=True)
        PARTS[part]()
    shutil.rmtree(DIRECTORY, ignore_errors=True)


if __name__ == "__main__":
    main()
