# SPDX-License-Identifier: GPL-2.0-or-later
"""Single questions to a directory that is slow or silent: a list beside it, a name that many have, a storm of logins, a server that ends."""

import random
import signal
import time
from statistics import median

import bench
from testenv import sick
from testenv.devices import DOMAIN, DeviceList, device_id
from testenv.ldap_faults import FaultyProxy
from testenv.radiusd import Radiusd, shipped_module
from testenv.sick import Way, in_time
from testenv.slapd import Slapd
from testenv.supplicant import Login, wait_until
from testenv.traffic import Traffic, figures, milliseconds

WORKERS = 32  # as the server is shipped
CROWD = 1000  # devices in the storm
NAMES = 60  # DNS names in the certificate of one of many
TIMES = 20  # that a server is ended


def told(requests):
    felt = figures(requests)
    return (f"{milliseconds(felt.p50)} / {milliseconds(felt.p99)} / {felt.lost} of {felt.count}, "
            f"{100 * sum(in_time(request) for request in requests) / max(1, len(requests)):.1f} % let in in time")


# ---- a list beside a directory that hangs ----


def listed(number):
    """Devices of the list, by id and by name."""
    name = f"LAPTOP-{number % sick.DEVICES}"
    return device_id(name) if number % 2 else name


def beside_a_list(pki, directory, slapd, seconds):
    """Devices in the list, while the directory is well, and while it hangs: by their ids, and by names, for which both are asked."""
    devices = DeviceList(directory / "devices.db")
    for number in range(sick.DEVICES):
        devices.add(f"LAPTOP-{number}")
    devices.publish()
    subjects = []
    for order in ("ldap list", "list ldap"):
        way = Way(slapd.uri, more={"directories": order, "list.filename": devices.path})
        subjects.append(sick.certdir_subject(directory / order.replace(" ", "-"), pki, slapd, way, 100, 8, title=order, users=listed))
    try:
        for subject in subjects:
            subject.server.start()
        with Traffic(*(stream for subject in subjects for stream in subject.streams)) as traffic:
            time.sleep(2)
            healthy = time.monotonic()
            time.sleep(seconds)
            slapd.pause()
            hung = time.monotonic()
            time.sleep(seconds)
            slapd.resume()
            end = time.monotonic()
            traffic.finish()
    finally:
        slapd.resume()
        for subject in subjects:
            subject.server.kill()
    for subject in subjects:
        print(f"\ndirectories = \"{subject.title}\", devices of the list, 100/s     p50 / p99 / lost")
        for title, begin, until in (("directory well", healthy, hung), ("directory hangs", hung, end),
                                    ("  its first second", hung, hung + 1), ("  after that", hung + 1, end)):
            requests = subject.devices.between(begin, until)
            by_id = [request for request in requests if not request.user.startswith("LAPTOP")]
            by_name = [request for request in requests if request.user.startswith("LAPTOP")]
            print(f"  {title:<20} by id {told(by_id)}; by name {told(by_name)}")


# ---- one of many of a name, with many more names ----


def one_of_many(pki, directory, slapd, proxy):
    """
    An EAP-TLS login with the certificate CN=iPhone, which 14 devices are called, and 60 DNS names; each answer takes 1.0 s. The
    server finds the 14 by an attribute that it does not show, so each name would be asked for alone.
    """
    slapd.add_computers([f"iPhone of {number}" for number in range(14)], displayName="iPhone")
    for number in range(14):
        slapd.modify(f"cn=iPhone of {number},ou=Devices,dc=corp,dc=example", serialNumber="iPhone")
    module = shipped_module({**Way(proxy.uri).certdir(slapd), "certificate": "session",
                             "ldap.attributes.common_name": "cn serialNumber sAMAccountName"})
    files = pki.issue(subject=[["CN", "iPhone"]], san=[{"dns": f"phone-{number}.{DOMAIN}"} for number in range(NAMES)])
    (directory / "many").mkdir()
    proxy.set("delay", 1.0)
    with Radiusd(directory / "many", pki.trust, module, debug=0) as server:
        begin = time.monotonic()
        attempt, = Login(server, *files, pki.ca, timeout=120).finish()
        took = time.monotonic() - begin
        decision = server.decisions(count=1)[0]
    proxy.set("pass")
    print(f"\nEAP-TLS, CN=iPhone (14 entries) and {NAMES} DNS names, each answer after 1.0 s: {milliseconds(took)}, {decision.reason} "
          f"(certdir itself {decision.fields['ms']} ms; {decision.fields.get('detail')}){', LET IN' if attempt.accepted else ''}")


# ---- everybody at once ----


def storm(pki, directory, slapd, proxy):
    """10,000 logins of 1,000 devices in 10 s, each answer of the directory after 50 ms."""
    slapd.add_computers([f"LAPTOP-{number}" for number in range(sick.DEVICES, CROWD)])
    chosen = random.Random(1)
    proxy.set("delay", 0.05)
    print(f"\n10,000 logins of {CROWD:,} devices in 10 s, answers after 50 ms, {WORKERS} threads     p50 / p99 / lost")
    way = Way(proxy.uri, more={"ldap.options.remember": 5})  # as shipped
    for title in ("certdir", "rlm_ldap"):
        crowd = [f"LAPTOP-{chosen.randrange(CROWD)}" for _ in range(11000)]
        make = (lambda: sick.certdir_subject(directory / "storm", pki, slapd, way, 1000, WORKERS, users=crowd.__getitem__)) \
            if title == "certdir" else (lambda: sick.stock_subject(directory / "storm-stock", pki, way, 1000, WORKERS,
                                                                   users=crowd.__getitem__))
        subject = make()
        subject.server.start()
        try:
            with Traffic(*subject.streams) as traffic:
                time.sleep(10)
                traffic.finish(patience=10)
        finally:
            subject.server.kill()
        print(f"  {title:<9} devices {told(subject.devices.requests)}; others {told(subject.others.requests)}")
    proxy.set("pass")


# ---- its end ----


def ends(pki, directory, slapd, proxy):
    """radiusd is told to end while logins wait for a directory that hangs: 20 times."""
    print("\nseconds that radiusd takes to end while the directory hangs, and devices log in at 50/s: median, longest")
    for mode in ("silent", "deaf"):
        for title in ("certdir", "rlm_ldap"):
            took = []
            for turn in range(TIMES):
                at = directory / f"end-{mode}-{title}-{turn}"
                way = Way(proxy.uri)
                subject = sick.certdir_subject(at, pki, slapd, way, 50, 8) if title == "certdir" else \
                    sick.stock_subject(at, pki, way, 50, 8)
                took.append(end_of(subject, proxy, mode, first=turn % 2 == 0))
            late = sum(one > 5 for one in took)
            print(f"  {title:<9} directory {mode:<6}  {median(took):.2f} {max(took):.2f}   {TIMES - late} of {TIMES} within 5 s", flush=True)


def end_of(subject, proxy, mode, first):
    """Seconds; 40 where it had to be killed."""
    if first:
        proxy.set(mode)
    subject.server.start()
    try:
        with Traffic(*subject.streams):
            if not first:
                wait_until(lambda: any(request.accepted for request in subject.devices.requests), what="a login")
                proxy.set(mode)
            mark = len(subject.devices.requests)
            wait_until(lambda: len(subject.devices.requests) > mark + 20, what="logins that wait")
            begin = time.monotonic()
            subject.server.process.send_signal(signal.SIGTERM)
            try:
                subject.server.process.wait(40)
            except Exception:  # noqa: BLE001, it is the figure
                pass
            return time.monotonic() - begin
    finally:
        subject.server.kill()
        proxy.set("pass")


PARTS = {"list": lambda pki, at, slapd, proxy, seconds: beside_a_list(pki, at, slapd, seconds),
         "names": lambda pki, at, slapd, proxy, seconds: one_of_many(pki, at, slapd, proxy),
         "storm": lambda pki, at, slapd, proxy, seconds: storm(pki, at, slapd, proxy),
         "ends": lambda pki, at, slapd, proxy, seconds: ends(pki, at, slapd, proxy)}


def run(pki, part, seconds):
    at = bench.DIRECTORY / part
    at.mkdir()
    with Slapd(at / "slapd", access="access to attrs=serialNumber by * search") as slapd, FaultyProxy(slapd.port) as proxy:
        sick.fill(slapd)
        PARTS[part](pki, at, slapd, proxy, seconds)
