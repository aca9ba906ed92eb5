# SPDX-License-Identifier: GPL-2.0-or-later
"""
A fleet: two LDAP servers that replicate each other, `certdir placeholders` that keeps the devices on either of them, and a
radiusd that asks both. Logins go on while servers die and come back and devices come and go.
"""

import threading
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from testenv.devices import device_id
from testenv.logins import enter
from testenv.placeholders import DONE, FAILED, NOTHING, SECTION, Placeholders
from testenv.radiusd import shipped_module
from testenv.slapd import DEVICES, READER, READER_PASSWORD, SUFFIX, ReplicatedPair
from testenv.supplicant import login, wait_until

NET_TIMEOUT, RES_TIMEOUT = 1, 2
# To connect and bind with each of two servers (and a second before a handshake is cut off), then to search.
LONGEST = 2 * (NET_TIMEOUT + RES_TIMEOUT + 1) + RES_TIMEOUT + 1

KEEPER, KEEPER_PASSWORD = f"cn=certdir,{SUFFIX}", "keeper-password"
# One that may see everything but the mark.
BLIND, BLIND_PASSWORD = f"cn=blind,{SUFFIX}", "blind-password"
ACCESS = f"""\
access to dn.subtree="{DEVICES}" attrs=description by dn.exact="{KEEPER}" write by dn.exact="{READER}" read by * none
access to dn.subtree="{DEVICES}" by dn.exact="{KEEPER}" write by users read by * none
"""

ATTRIBUTES = """\
		attributes {
			entra_device_id = "cn"
			serial_number = "serialNumber"
		}
"""


class Fleet:
    """Two servers, and a job for each of them that keeps the devices of one list there."""

    def __init__(self, directory, pair):
        self.pair = pair
        first, second = pair.servers
        first.add_entry(KEEPER, objectClass="person", cn="certdir", sn="certdir", userPassword=KEEPER_PASSWORD)
        first.add_entry(BLIND, objectClass="person", cn="blind", sn="blind", userPassword=BLIND_PASSWORD)
        pair.wait_equal()
        self.on_first, self.on_second = self.jobs = [self._job(directory / f"job{number}", server)
                                               for number, server in enumerate(pair.servers)]
        self.list = self.on_second.list = self.on_first.list

    @staticmethod
    def _job(directory, server):
        job = Placeholders(directory, server=server.ldaps_uri, identity=KEEPER, ca_file=server.ca_file, ou=DEVICES, kind="device",
                           attribute="serialNumber {serial_number}", delete_after="30d")
        job.options["password_file"] = job.secret_file("password", KEEPER_PASSWORD + "\n")
        return job

    def add(self, name):
        self.list.add(name, serialNumber=f"SN-{name}")

    def module(self, **options):
        """The module's configuration: both servers, and what identifies a device there."""
        text = shipped_module({
            "directories": "ldap", "ldap.server": [server.ldaps_uri for server in self.pair.servers],
            "ldap.identity": READER, "ldap.password": READER_PASSWORD, "ldap.base_dn": DEVICES,
            "ldap.filter": f"(&(objectClass=device)(description=certdir:{SECTION}:*))", "ldap.tls.ca_file": self.pair.servers[0].ca_file,
            "ldap.options.net_timeout": NET_TIMEOUT, "ldap.options.res_timeout": RES_TIMEOUT, "ldap.options.remember": 0,
            **options})
        begin = text.index("\t\tattributes {")
        end = text.index("}\n", begin) + 2
        return text[:begin] + ATTRIBUTES + text[end:]


@pytest.fixture
def fleet(tmp_path):
    with ReplicatedPair(tmp_path, access=ACCESS) as pair:
        yield Fleet(tmp_path, pair)


# ---- logins, and what they may be answered with at which time ----

Seen = namedtuple("Seen", "name user begin end accepted")


class Traffic:
    """Logins without a pause, two at a time, each under a User-Name of its own."""

    def __init__(self, server, pki, certificates):
        self.server, self.pki, self.certificates = server, pki, certificates
        self.seen, self.errors = [], []
        self._mark = server.mark()
        self._stopped = threading.Event()
        self._lanes = [threading.Thread(target=self._run, args=(lane,)) for lane in range(2)]

    def __enter__(self):
        for lane in self._lanes:
            lane.start()
        return self

    def __exit__(self, *exception):
        self._stopped.set()
        for lane in self._lanes:
            lane.join()

    def _run(self, lane):
        names = list(self.certificates)
        # Each lane goes through all of them, the second one from the middle.
        number = lane * len(names) // 2
        try:
            while not self._stopped.is_set():
                self._log_in(names[number % len(names)], f"{lane}.{number}", f"02:00:00:00:02:{lane:02x}")
                number += 1
        except Exception as error:  # the thread has nobody else to tell
            self.errors.append(error)

    def _log_in(self, name, number, mac):
        user, begin = f"{name}.{number}", time.monotonic()
        attempt, = login(self.server, *self.certificates[name], self.pki.ca, identity=user, mac=mac, tls=self.server.tls)
        self.seen.append(Seen(name, user, begin, time.monotonic(), attempt.accepted))

    def everybody(self):
        """Waits until every device has logged in, or tried to, from start to end, since now."""
        now = time.monotonic()
        wait_until(lambda: self.errors or {seen.name for seen in list(self.seen) if seen.begin > now} == set(self.certificates),
                   timeout=6 * LONGEST, what="a login of every device")
        assert not self.errors, self.errors

    def decisions(self):
        """{User-Name: Decision} of all logins that came to an end."""
        found = self.server.decisions(self._mark, count=len(self.seen))
        assert len(found) == len(self.seen), "a decision for each login, and no other"
        return {decision.fields["user"]: decision for decision in found}


class Truth:
    """Which reasons a device's login may get, and when: [reason, since, until]. The last one is what holds now."""

    def __init__(self, reasons):
        begin = time.monotonic()
        self._spans = {name: [[reason, begin, None]] for name, reason in reasons.items()}

    @contextmanager
    def changing(self, reasons):
        """Inside, the devices may get these reasons or what they got before; after that, these."""
        begin, before = time.monotonic(), [self._spans[name][-1] for name in reasons]
        for name, reason in reasons.items():
            self._spans[name].append([reason, begin, None])
        yield
        for span in before:
            span[2] = time.monotonic()

    @contextmanager
    def returning(self, reasons):
        """Inside, a server is coming back that last knew these. It is asked as soon as it answers."""
        begin = time.monotonic()
        yield
        for name, reason in reasons.items():
            self._spans[name].insert(0, [reason, begin, time.monotonic()])

    def allows(self, seen, reason):
        return any(reason == wanted and begin <= seen.end and (end is None or seen.begin <= end)
                   for wanted, begin, end in self._spans[seen.name])


DEVICE_NAMES = ("STAYS-1", "STAYS-2", "LEAVES-1", "COMES-1", "STRANGER-1")


def test_logins_go_on(fleet, radiusd, pki):
    """One server dies, the job runs on the other, the first comes back, then the other dies: and nobody notices."""
    first, second = fleet.pair.servers
    for name in ("STAYS-1", "STAYS-2", "LEAVES-1"):
        fleet.add(name)
    assert len(fleet.on_first.apply().done) == 3
    fleet.pair.wait_equal()
    certificates = {name: pki.issue(subject=[["CN", device_id(name)]]) for name in DEVICE_NAMES}
    server = radiusd(fleet.module())
    truth = Truth({"STAYS-1": "allowed", "STAYS-2": "allowed", "LEAVES-1": "allowed", "COMES-1": "not-found",
                     "STRANGER-1": "not-found"})
    with Traffic(server, pki, certificates) as traffic:
        traffic.everybody()
        first.kill()
        traffic.everybody()

        fleet.list.remove("LEAVES-1")
        fleet.add("COMES-1")
        with truth.changing({"LEAVES-1": "disabled", "COMES-1": "allowed"}):
            assert len(fleet.on_second.apply().done) == 2
        traffic.everybody()

        with truth.returning({"LEAVES-1": "allowed", "COMES-1": "not-found"}):
            first.start()
            fleet.pair.wait_equal()
        traffic.everybody()
        second.kill()
        traffic.everybody()

        with truth.changing({"LEAVES-1": "not-found"}):
            assert [kind for kind, _ in fleet.on_first.apply(days=31).done] == ["remove"]
        with truth.returning({"LEAVES-1": "disabled"}):
            second.start()
            fleet.pair.wait_equal()
        first.kill()
        traffic.everybody()
    decisions = traffic.decisions()
    wrong = [(seen, decisions[seen.user].line) for seen in traffic.seen
             if not truth.allows(seen, decisions[seen.user].reason) or
             seen.accepted is not (decisions[seen.user].reason == "allowed")]
    assert not wrong, f"{len(wrong)} of {len(traffic.seen)}: {wrong[:3]}"
    longest = max(traffic.seen, key=lambda seen: seen.end - seen.begin)
    assert longest.end - longest.begin < LONGEST, decisions[longest.user].line


def test_mark_that_is_hidden(fleet, radiusd, pki):
    """A server that may not read the mark cannot tell who is disabled, and lets nobody in."""
    for name in ("STAYS-1", "OFF-1"):
        fleet.add(name)
    fleet.on_first.apply()
    fleet.list.change("OFF-1", accountEnabled=False)
    fleet.on_first.apply()
    certificates = {name: pki.issue(subject=[["CN", device_id(name)]]) for name in ("STAYS-1", "OFF-1")}
    seeing = radiusd(fleet.module())
    assert [enter(seeing, pki, certificate)[1].reason for certificate in certificates.values()] == ["allowed", "disabled"]
    blind = radiusd(fleet.module(**{"ldap.identity": BLIND, "ldap.password": BLIND_PASSWORD}))
    assert [enter(blind, pki, certificate)[1].reason for certificate in certificates.values()] == ["not-found", "not-found"]


# ---- two jobs, and jobs that are cut off ----


def devices_on(server):
    """{device id: entry} of what stands on a server."""
    return {entry["cn"][0].decode(): entry for dn, entry in server.contents(DEVICES).items() if dn != DEVICES}


def check_settled(fleet):
    """The entries are those of the list on both servers, the same ones, and there is nothing left to do."""
    fleet.pair.wait_equal()
    ones, others = fleet.pair.contents()
    assert ones == others
    assert set(devices_on(fleet.pair.servers[0])) == set(fleet.list.devices)
    for job in fleet.jobs:
        assert job.plan(code=NOTHING).summary["unchanged"] == len(fleet.list.devices)


def test_two_jobs_at_once(fleet):
    """
    Where both make the same entry, the first one to arrive stays or its replica comes in between, so that both jobs may
    be refused some; what one is refused the other made, and one more run settles the rest.
    """
    for number in range(200):
        fleet.add(f"PC-{number}")
    fleet.list.publish()
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda job: job.run("apply"), fleet.jobs))
    fleet.pair.wait_equal()
    ones, others = fleet.pair.contents()
    assert ones == others
    assert any(run.done for run in runs), [run.said for run in runs]
    assert set(devices_on(fleet.pair.servers[0])) <= set(fleet.list.devices)
    assert all(run.code == DONE or "Already exists" in run.said and "make a new plan" in run.said for run in runs)
    fleet.on_first.apply()
    check_settled(fleet)


def test_server_dies_under_the_job(fleet):
    """What it took to its grave is made again on the other one; back again, they agree."""
    first, second = fleet.pair.servers
    for number in range(2000):
        fleet.add(f"PC-{number}")
    fleet.list.publish()
    # Its plan is long, and somebody has to read it.
    with ThreadPoolExecutor() as pool:
        job = pool.submit(fleet.on_first.run, "apply", code=FAILED)
        wait_until(lambda: len(devices_on(second)) > 20, what="the first entries")
        first.kill()
    assert first.ldaps_uri in job.result().summary["error"]
    assert 0 < len(fleet.on_second.apply().done) < 2000, "the server died before or after the job"
    first.start()
    check_settled(fleet)


def test_hung_server(fleet, radiusd, pki):
    """The first server hangs, with connections to it open: what was asked of it is asked of the other one, and no login waits twice."""
    first, _ = fleet.pair.servers
    fleet.add("STAYS-1")
    fleet.on_first.apply()
    fleet.pair.wait_equal()
    certificates = {name: pki.issue(subject=[["CN", device_id(name)]]) for name in ("STAYS-1", "STRANGER-1")}
    server = radiusd(fleet.module())
    with Traffic(server, pki, certificates) as traffic:
        traffic.everybody()
        first.pause()
        try:
            traffic.everybody()
            since = time.monotonic()
            traffic.everybody()
        finally:
            first.resume()
    decisions = traffic.decisions()
    assert {(seen.name, decisions[seen.user].reason) for seen in traffic.seen} == {("STAYS-1", "allowed"), ("STRANGER-1", "not-found")}
    assert all(seen.end - seen.begin < RES_TIMEOUT for seen in traffic.seen if seen.begin > since)
    assert all(seen.end - seen.begin < LONGEST for seen in traffic.seen)
