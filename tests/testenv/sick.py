# SPDX-License-Identifier: GPL-2.0-or-later
"""
A server whose devices are looked up in a directory that falls ill, beside requests that need no directory: what either feels. The
devices' requests carry no certificate, only a name that is looked up as one from a certificate would be.
"""

import time
from dataclasses import dataclass, field

from testenv.ports import free_port
from testenv.radiusd import Radiusd, shipped_module
from testenv.rlm_ldap import rlm_ldap
from testenv.slapd import READER, READER_PASSWORD  # noqa: F401, who asks
from testenv.traffic import Stream, figures
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
        options = {**ldap_options(slapd), "ldap.server": self.uri}
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
        self.title = title
        directory.mkdir()
        port = free_port("udp")
        options["sites"] = {"others": OTHERS.format(port=port), **options.get("sites", {})}
        self.server = Radiusd(directory, pki.trust, debug=0, **options)
        self.others = Stream(f"{title}: others", port, others, lambda number: f"other-{number}")
        self.devices = Stream(f"{title}: devices", self.server.port, rate, users)

    @property
    def streams(self):
        return (self.others, self.devices)

    def felt(self, begin, end):
        return Felt(figures(self.others.between(begin, end)), figures(self.devices.between(begin, end)))

    def known(self, begin, end=float("inf")):
        return [request for request in self.devices.between(begin, end) if is_known(request.user)]

    def wrong(self):
        """Those who were let in and must not be, whatever the directory does."""
        return [request for request in self.devices.requests if request.accepted and not is_known(request.user)]

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
