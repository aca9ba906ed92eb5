# SPDX-License-Identifier: GPL-2.0-or-later
"""
A server whose devices are looked up in a directory that falls ill, beside requests that need no directory: what either feels. The
devices' requests carry no certificate, only a name that is looked up as one from a certificate would be.
"""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from testenv.ports import free_port
from testenv.radiusd import Radiusd, shipped_module
from testenv.rlm_ldap import rlm_ldap
from testenv.supplicant import wait_until
from testenv.traffic import ACCEPT, Stream, Traffic, access_request, figures
from testenv.worlds import ldap_options

DEVICES = 50
DISABLED = "OFF-1"
OTHERS_RATE = 50
DEADLINE = 1.1  # seconds: that of a login as shipped, and a tenth for the way

OTHERS = """\
server others {{
	listen {{
		type = auth
		ipaddr = 127.0.0.1
		port = {port}
	}}
	authorize {{
		update control {{
			&Auth-Type := Accept
		}}
	}}
}}
"""
# Each request ends only when there are as many of them as threads.
TOGETHER = """\
server together {{
	listen {{
		type = auth
		ipaddr = 127.0.0.1
		port = {port}
	}}
	authorize {{
		update request {{
			&Tmp-String-0 := "%{{exec:/bin/sh {script}}}"
		}}
		update control {{
			&Auth-Type := Accept
		}}
	}}
}}
"""
BARRIER = 'echo >>"{here}"; n=0; until [ "$(wc -l <"{here}")" -ge {threads} ] || [ $((n += 1)) -gt 200 ]; do sleep 0.1; done'
EXEC = "exec {\n\twait = yes\n\ttimeout = 20\n}\n"
VERDICT = """
		if ({condition}) {{
			update control {{
				&Auth-Type := Accept
			}}
		}}
		else {{
			reject
		}}
"""
CERTDIR = """update request {
			&TLS-Client-Cert-Common-Name := &User-Name
		}
		certdir""" + VERDICT.format(condition="ok")
STOCK = "ldap" + VERDICT.format(condition='(ok || updated) && &control:Tmp-String-0 && &control:Tmp-String-0 != "4098"')


def device(number):
    """Whose login is number n: mostly a device that is known, now and then one that is disabled or a stranger."""
    if number % 10 == 5:
        return DISABLED
    return f"STRANGER-{number}" if number % 10 == 9 else f"LAPTOP-{number % DEVICES}"


def is_known(name):
    return name.startswith("LAPTOP-")


def fill(slapd):
    slapd.add_computers([f"LAPTOP-{number}" for number in range(DEVICES)])
    slapd.add_computer(DISABLED, userAccountControl=4098)


@dataclass
class Way:
    """How a server reaches the directory: what stands in the configurations of certdir and of rlm_ldap."""

    uri: str
    ca_file: str = ""
    start_tls: bool = False
    more: dict = field(default_factory=dict)  # options of the shipped file

    def certdir(self, slapd):
        # These devices come again and again: without this, few of their logins would ask the directory.
        options = {**ldap_options(slapd), "ldap.server": self.uri, "ldap.options.remember": 0}
        if self.ca_file:
            options["ldap.tls.ca_file"] = self.ca_file
        if self.start_tls:
            options["ldap.tls.start_tls"] = "yes"
        return {"certificate": "attributes", "directories": "ldap", **options, **self.more}

    def stock(self, workers):
        tls = f'ca_file = "{self.ca_file}"\n\t\trequire_cert = "demand"\n' if self.ca_file else ""
        return rlm_ldap(self.uri, connections=workers, tls=tls + ("\t\tstart_tls = yes" if self.start_tls else ""))


class Subject:
    """One radiusd, not started yet, and the streams of requests to its two ports."""

    def __init__(self, title, directory, pki, rate, users=device, others=OTHERS_RATE, **options):
        self.title, self.is_known = title, is_known
        directory.mkdir()
        port, self._together = free_port("udp"), free_port("udp")
        script = directory / "barrier"
        self.server = Radiusd(directory, pki.trust, debug=0, **{
            **options, "modules": {"exec": EXEC, **options.get("modules", {})},
            "sites": {"others": OTHERS.format(port=port), "together": TOGETHER.format(port=self._together, script=script)}})
        script.write_text(BARRIER.format(here=directory / "here", threads=self.server.threads))
        self.others = Stream(f"{title}: others", port, others, lambda number: f"other-{number}")
        self.devices = Stream(f"{title}: devices", self.server.port, rate, users)

    @property
    def streams(self):
        return (self.others, self.devices)

    def felt(self, begin, end):
        return Felt(figures(self.others.between(begin, end)), figures(self.devices.between(begin, end)))

    def known(self, begin, end=float("inf")):
        return [request for request in self.devices.between(begin, end) if self.is_known(request.user)]

    def all_threads_work(self):
        """
        Whether as many requests at once as there are threads are answered, each of which waits for all others. Once; and not where
        something is preloaded, since a server with the thread sanitizer hangs in fork(2).
        """
        if self.server.preload:
            return True
        with ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(self.server.threads)]
            for number, sock in enumerate(sockets):
                sock.settimeout(15)  # less than it takes to give up
                sock.connect(("127.0.0.1", self._together))
                sock.send(access_request(f"together-{number}"))
            try:
                return [sock.recv(4096)[0] for sock in sockets] == [ACCEPT] * len(sockets)
            except TimeoutError:
                return False

    @property
    def waiting(self):
        """Requests that were sent and not answered yet."""
        return sum(len(stream.open) for stream in self.streams)

    def wrong(self):
        """Those who were let in and must not be, whatever the directory does."""
        return [request for request in self.devices.requests if request.accepted and not self.is_known(request.user)]

    def out_since(self, begin):
        """When the last login of a known device was sent, from a time on, that was not let in in time; None: all were."""
        return max((request.sent for request in self.known(begin) if not in_time(request)), default=None)

    def is_well(self, span=0.5):
        """Whether every known device that logged in lately, and was or could have been answered, was let in."""
        now = time.monotonic()
        lately = self.known(now - span - 0.2, now - 0.2)
        return len(lately) > 0 and all(in_time(request) for request in lately)


def in_time(request):
    """Whether it was let in before its supplicant noticed anything."""
    return request.accepted and request.latency <= DEADLINE


@dataclass
class Felt:
    others: object
    devices: object


def certdir_subject(directory, pki, slapd, way, rate, workers, title="certdir", **options):
    return Subject(title, directory, pki, rate, module=shipped_module(way.certdir(slapd)), authorize=CERTDIR, threads=workers,
                   **options)


def control_subject(directory, pki):
    """A server with nothing but the requests that need no directory: what it feels is the machine's own."""
    return Subject("control", directory, pki, 1, users=lambda number: f"nobody-{number}", authorize="reject")


def stock_subject(directory, pki, way, rate, workers, title="rlm_ldap", **options):
    return Subject(title, directory, pki, rate, modules={"ldap": way.stock(workers)}, authorize=STOCK, threads=workers, **options)


@dataclass
class Resources:
    """What a process holds, of /proc."""

    fds: int
    threads: int
    rss: int

    @classmethod
    def of(cls, server):
        return cls(server.fd_count, server.thread_count, server.rss_bytes)


class Ward:
    """Servers under observation, one that has nothing to do with any directory, and their traffic."""

    def __init__(self, directory, pki):
        self.directory, self.pki, self.subjects, self.traffic = directory, pki, {}, None
        self.control = control_subject(directory / "control", pki)
        self.before, self.after, self.well, self.working = {}, {}, {}, {}
        self.begun = self.ended = None

    def admit(self, subject):
        self.subjects[subject.title] = subject
        return subject

    def everybody(self):
        return (self.control, *self.subjects.values())

    def open(self):
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda subject: subject.server.start(60), self.everybody()))
        self.traffic = Traffic(*(stream for subject in self.everybody() for stream in subject.streams))
        self.traffic.start()

    def healthy(self):
        for subject in self.subjects.values():
            wait_until(subject.is_well, timeout=20, what=f"{subject.title}: logins while all is well")

    def resources(self):
        return {title: Resources.of(subject.server) for title, subject in self.subjects.items()}

    def last(self, seconds):
        """Goes on for so long, by the traffic itself."""
        stream = self.control.others
        goal = len(stream.requests) + seconds * stream.rate
        wait_until(lambda: len(stream.requests) >= goal, timeout=20 * seconds, what="traffic")

    def settle(self, patience):
        """Waits until what was asked between is answered, or it is too late for that."""
        late = time.monotonic() + patience
        wait_until(lambda: time.monotonic() > late or all(
            request.answered for subject in self.everybody() for stream in subject.streams
            for request in stream.between(self.begun, self.ended)), timeout=patience + 5, what="answers")

    def ill(self, begin, end, seconds, patience, first=False, meanwhile=None, recovery=10):
        """Has everybody ill for a time, from before the servers start or under load, and waits a while for all to be well."""
        try:
            if first:
                begin()
                self.open()
                self.before = self.resources()
            else:
                self.open()
                self.healthy()
                self.before = self.resources()
                begin()
            started = time.monotonic()
            if meanwhile:
                meanwhile()
            self.last(seconds)
        finally:
            end()
        self.begun, self.ended = started, time.monotonic()
        self.settle(patience)
        late = time.monotonic() + recovery
        wait_until(lambda: time.monotonic() > late or all(subject.is_well() for subject in self.subjects.values()),
                   timeout=recovery + 5)
        self.well = {title: subject.is_well() for title, subject in self.subjects.items()}
        self.after = self.resources()

    def close(self):
        """Sees whether all threads work, which is in `working`, and ends all of it in the orderly way."""
        if self.traffic and self.traffic.is_alive():
            self.traffic.finish(patience=2)
            self.working = {title: subject.server.alive() and subject.all_threads_work() for title, subject in self.subjects.items()}
        with ThreadPoolExecutor() as pool:
            codes = dict(pool.map(lambda subject: (subject.title, subject.server.stop()), self.everybody()))
        assert set(codes.values()) <= {0, None}, codes

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            if not exception[0]:
                self.close()
        finally:
            if self.traffic and self.traffic.is_alive():
                self.traffic.finish(patience=0)
            for subject in self.everybody():
                subject.server.kill()
