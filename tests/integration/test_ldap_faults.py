# SPDX-License-Identifier: GPL-2.0-or-later
"""
A directory that is ill is not felt by anybody who does not need it, and hardly by those who do: by what requests of either kind were
answered under load, and when. Each illness is had once, by several servers at the same time, and the tests look at what came of it.
What a server feels meanwhile that has nothing to do with it tells how busy the machine is.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from testenv import sick
from testenv.certificates import Authority
from testenv.devices import DOMAIN, DeviceList, device_id
from testenv.ldap_faults import FaultyProxy, Resolver
from testenv.logins import enter
from testenv.radiusd import Radiusd, parse_decisions, shipped_module
from testenv.sick import Ward, Way
from testenv.slapd import READER, READER_PASSWORD, Slapd
from testenv.supplicant import Login, wait_until
from testenv.traffic import figures

WORKERS = 8
RATE = 30  # a second, of devices and of others, at each server
ILL = 2.5  # seconds
DEADLINE, SLACK = 1.0, 0.5  # seconds: of a login, and what a busy machine may add
MEMORY = 64 << 20  # bytes that a server may grow by
ORDERS = ("ldap list", "list ldap")
TRANSPORTS = ("plain", "StartTLS", "LDAPS")
TORMENTS = {"never accepts": ("deaf",), "a byte a second": ("trickle",), "after 0.9 s": ("delay", 0.9), "after 5 s": ("delay", 5),
            "refuse": ("refuse",), "reset": ("reset",), "cut": ("cut",)}
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a program another resolv.conf")


def way_to(slapd, transport):
    return {"plain": Way(slapd.uri), "StartTLS": Way(slapd.uri, slapd.ca_file, True),
            "LDAPS": Way(slapd.ldaps_uri, slapd.ca_file)}[transport]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def slapd(here):
    with Slapd(here / "slapd") as server:
        sick.fill(server)
        server.add_computer("WHOLE-1", dNSHostName=f"whole-1.{DOMAIN}")
        yield server


@pytest.fixture(scope="module")
def admit(here, pki):
    """Puts a server under observation: admit(ward, title, slapd, way, options of Radiusd)."""
    def put(ward, title, slapd, way, **options):
        at = ward.directory / title.replace(" ", "-").replace(",", "")
        return ward.admit(sick.certdir_subject(at, pki, slapd, way, RATE, WORKERS, title=title, others=RATE, **options))

    return put


@pytest.fixture(scope="module")
def new_ward(here, pki):
    with ExitStack() as stack:
        def new(name):
            (here / name).mkdir()
            return stack.enter_context(Ward(here / name, pki))

        yield new


def not_felt(ward, title):
    """
    What has to be so whatever ails the directory: nobody else notices, and devices have an answer, and no wrong one. Until it is known
    to be ill, and while it answers though late, devices that wait for their turn may hold all threads, but not longer than half of
    their time.
    """
    subject = ward.subjects[title]
    machine = figures(ward.control.others.between(ward.begun, ward.ended))
    felt = subject.felt(ward.begun, ward.ended)
    about = f"{title}: others {felt.others}; devices {felt.devices}; a server with nothing else {machine}"
    print(about)
    assert felt.others.lost == 0 and felt.devices.lost == 0, about
    later = figures(subject.others.between(ward.begun + DEADLINE + SLACK, ward.ended))
    assert felt.others.p99 < DEADLINE / 2 + 2 * machine.p99, about
    assert title == "after 0.9 s" or later.count == 0 or later.p99 < 0.1 + 2 * machine.p99, f"{about}; later {later}"
    assert felt.devices.p99 < DEADLINE + SLACK + 2 * machine.p99, about
    assert not subject.wrong(), about


# Seconds until logins are as they were: a server that goes on is noticed at once. One that broke or was late again and again is tried less
# and less often, a password that was refused is not tried often, for fear of a lockout, and the C library asks a DNS server anew after 5 s.
SOON, LATER = 4, 9
LASTING = ("refuse", "reset", "cut", "after 0.9 s", "password", "silent resolver")


def well_again(ward, title):
    """Logins are as they were soon after its end, and the server holds no more than it did."""
    subject = ward.subjects[title]
    assert ward.well[title], f"{title}: logins are not as they were"
    last = subject.out_since(ward.ended)
    assert last is None or last - ward.ended < (LATER if title in LASTING else SOON) + SLACK, f"{title}: {last - ward.ended:.1f} s until the last login was let in"
    before, after = ward.before[title], ward.after[title]
    # Each connection is opened by a thread of its own, and there are no more of them than half of the workers.
    assert after.threads <= before.threads + WORKERS // 2, (before, after)
    assert after.fds <= before.fds + 2 * WORKERS, (before, after)
    assert after.rss <= before.rss + MEMORY, (before, after)
    assert ward.working[title], f"{title}: not all threads work"


# ---- the only server hangs ----


def listed(number):
    """Devices of the list, by id and by name."""
    name = f"LAPTOP-{number % sick.DEVICES}"
    return name if number % 2 else device_id(name)


@pytest.fixture(scope="module")
def stopped(new_ward, admit, slapd, pki):
    """slapd stops under load. Beside the lookups in it alone there are servers with a list, and one with whole EAP-TLS logins."""
    ward = new_ward("stopped")
    devices = DeviceList(ward.directory / "devices.db")
    for number in range(sick.DEVICES):
        devices.add(f"LAPTOP-{number}")
    devices.publish()
    for transport in TRANSPORTS:
        admit(ward, transport, slapd, way_to(slapd, transport))
    for order in ORDERS:
        subject = admit(ward, order, slapd, Way(slapd.uri, more={"directories": order, "list.filename": devices.path}), users=listed)
        subject.is_known = lambda name: True
    (ward.directory / "whole").mkdir()
    whole = Radiusd(ward.directory / "whole", pki.trust, debug=0,
                    module=shipped_module({**Way(slapd.uri).certdir(slapd), "certificate": "session"}))
    with whole:
        assert enter(whole, pki, pki.named("WHOLE-1"))[0].accepted

        def meanwhile():
            ward.whole = enter(whole, pki, pki.named("WHOLE-2"))[1]

        ward.ill(slapd.pause, slapd.resume, ILL, DEADLINE + SLACK, meanwhile=meanwhile)
        wait_until(lambda: enter(whole, pki, pki.named("WHOLE-1"))[0].accepted, what="the directory being noticed again")
    ward.close()
    return ward


@pytest.mark.parametrize("title", [*TRANSPORTS, *ORDERS])
def test_a_stopped_directory_is_not_felt(stopped, title):
    not_felt(stopped, title)


@pytest.mark.parametrize("title", [*TRANSPORTS, *ORDERS])
def test_all_is_well_when_it_goes_on(stopped, title):
    well_again(stopped, title)


@pytest.mark.parametrize("title", TRANSPORTS)
def test_it_is_told_in_few_lines(stopped, title):
    log = stopped.subjects[title].server.log()
    lines = [line for line in log.splitlines() if "ldap" in line and not parse_decisions(line)]
    assert 1 <= len(lines) <= 6, "\n".join(lines)


def test_an_eap_tls_login_waits_no_longer(stopped):
    """What all this is about: the same in a whole login."""
    assert stopped.whole.reason == "directory-unavailable", stopped.whole.line
    assert float(stopped.whole.fields["ms"]) < 1000 * (DEADLINE + SLACK), stopped.whole.line


@pytest.mark.parametrize("title", ORDERS)
def test_devices_of_a_list_come_in_all_the_same(stopped, title):
    """By id or by name, whoever is asked first: none is kept out, and soon all is as fast as ever."""
    devices = stopped.subjects[title].devices
    assert all(request.accepted for request in devices.between(stopped.begun, stopped.ended))
    later = figures(devices.between(stopped.begun + DEADLINE + SLACK, stopped.ended))
    machine = figures(stopped.control.others.between(stopped.begun, stopped.ended))
    assert later.p99 < 0.1 + 2 * machine.p99, (str(later), str(machine))


@pytest.fixture(scope="module")
def ill_at_first(new_ward, admit, slapd):
    """The servers start, and the first devices come, while slapd is stopped, or its name is not to be had."""
    ward = new_ward("at-first")
    with ExitStack() as stack:
        for transport in TRANSPORTS:
            admit(ward, transport, slapd, way_to(slapd, transport))
        resolver = None
        if os.geteuid() == 0:
            resolver = stack.enter_context(Resolver(ward.directory))
            admit(ward, "silent resolver", slapd, Way(f"ldaps://{resolver.host}:{slapd.tls_port}", slapd.ca_file),
                  wrapper=resolver.wrapper())

        def begin():
            slapd.pause()
            if resolver:
                resolver.mute = True

        def end():
            slapd.resume()
            if resolver:
                resolver.mute = False

        ward.ill(begin, end, ILL, DEADLINE + SLACK, first=True)
        ward.close()
    return ward


@pytest.mark.parametrize("title", [*TRANSPORTS, pytest.param("silent resolver", marks=AS_ROOT)])
def test_a_directory_that_is_ill_at_first_is_not_felt(ill_at_first, title):
    not_felt(ill_at_first, title)


@pytest.mark.parametrize("title", [*TRANSPORTS, pytest.param("silent resolver", marks=AS_ROOT)])
def test_all_is_well_when_it_is_there(ill_at_first, title):
    well_again(ill_at_first, title)


# ---- servers and ways to them that torment ----


@pytest.fixture(scope="module")
def tormented(new_ward, admit, slapd):
    ward = new_ward("tormented")
    with ExitStack() as stack:
        ways = {title: stack.enter_context(FaultyProxy(slapd.port)) for title in TORMENTS}
        for title, proxy in ways.items():
            admit(ward, title, slapd, Way(proxy.uri))

        def begin():
            for title, proxy in ways.items():
                proxy.set(*TORMENTS[title])

        def end():
            for proxy in ways.values():
                proxy.set("pass")

        ward.ill(begin, end, ILL, DEADLINE + SLACK)
        ward.close()
    return ward


@pytest.mark.parametrize("title", TORMENTS)
def test_a_torment_is_not_felt(tormented, title):
    not_felt(tormented, title)


@pytest.mark.parametrize("title", TORMENTS)
def test_all_is_well_after_a_torment(tormented, title):
    well_again(tormented, title)


def test_a_message_of_two_gigabytes(new_ward, admit, slapd):
    ward = new_ward("giant")
    with FaultyProxy(slapd.port) as proxy:
        subject = admit(ward, "giant", slapd, Way(proxy.uri))
        ward.ill(lambda: proxy.set("giant"), lambda: proxy.set("pass"), 1.5, DEADLINE + SLACK)
        ward.close()
        not_felt(ward, subject.title)
        well_again(ward, subject.title)


def test_many_names_of_a_slow_server(pki, tmp_path):
    """14 devices are found by an attribute that is not shown, so each name would be asked for alone; an answer takes a second."""
    with Slapd(tmp_path / "slapd", access="access to attrs=serialNumber by * search") as slapd, FaultyProxy(slapd.port) as proxy:
        slapd.add_computers([f"iPhone of {number}" for number in range(14)], serialNumber="iPhone")
        files = pki.issue(subject=[["CN", "iPhone"]], san=[{"dns": f"phone-{number}.{DOMAIN}"} for number in range(60)])
        module = shipped_module({**Way(proxy.uri).certdir(slapd), "certificate": "session",
                                 "ldap.attributes.common_name": "cn serialNumber sAMAccountName"})
        (tmp_path / "radiusd").mkdir()
        with Radiusd(tmp_path / "radiusd", pki.trust, module, debug=0) as server:
            proxy.set("delay", 1.0)
            attempt, = Login(server, *files, pki.ca, timeout=60).finish()
            decision, = server.decisions(count=1)
    assert not attempt.accepted
    assert float(decision.fields["ms"]) < 1000 * (DEADLINE + SLACK), decision.line


# ---- several servers ----


@pytest.fixture(scope="module")
def failed_over(new_ward, admit, slapd, here):
    """Each with two servers: of one the first is killed under load, of the other it is stopped."""
    ward = new_ward("failed-over")
    with ExitStack() as stack:
        first = {how: stack.enter_context(Slapd(ward.directory / f"slapd-{how}", slapd.authority)) for how in ("killed", "stopped")}
        for how, server in first.items():
            sick.fill(server)
            admit(ward, how, slapd, Way([server.uri, slapd.uri]))

        def begin():
            first["killed"].kill()
            first["stopped"].pause()

        ward.ill(begin, lambda: None, ILL, DEADLINE + SLACK)
        ward.close()
    return ward


@pytest.mark.parametrize("how, longest", [("killed", SLACK), ("stopped", DEADLINE + SLACK)])
def test_the_next_server(failed_over, how, longest):
    """Who logs in meanwhile is let in by the other one, but for those that were already waiting."""
    not_felt(failed_over, how)
    subject = failed_over.subjects[how]
    assert failed_over.well[how] and failed_over.working[how]
    last = subject.out_since(failed_over.begun)
    assert last is None or last - failed_over.begun < longest, last - failed_over.begun


# ---- who must not be believed, and who does not believe us ----


def test_credentials(new_ward, admit, slapd, tmp_path):
    """A certificate of another CA, one that has expired, a wrong password: nobody is let in, nobody waits, and nobody else notices."""
    ward = new_ward("credentials")
    (tmp_path / "ca").mkdir()
    another, _ = Authority("another CA").write(tmp_path / "ca", "ca")
    admit(ward, "another CA", slapd, Way(slapd.ldaps_uri, another))
    admit(ward, "another CA, StartTLS", slapd, Way(slapd.uri, another, True))
    admit(ward, "wrong password", slapd, Way(slapd.uri, more={"ldap.password": "not-the-password"}))
    with Slapd(tmp_path / "expired", expired=True) as expired:
        sick.fill(expired)
        admit(ward, "expired", expired, Way(expired.ldaps_uri, expired.ca_file))
        ward.open()
        ward.begun = time.monotonic()
        ward.last(1.5)
        ward.ended = time.monotonic()
        ward.settle(DEADLINE + SLACK)
        ward.close()
        for title, subject in ward.subjects.items():
            not_felt(ward, title)
            assert not any(request.accepted for request in subject.devices.requests), title


def test_a_restart_and_another_password(new_ward, admit, here, tmp_path):
    """The password changes and the server is started anew: nobody is let in until the password is the old one again."""
    ward = new_ward("password")
    with Slapd(tmp_path / "slapd") as slapd:
        sick.fill(slapd)
        subject = admit(ward, "password", slapd, Way(slapd.uri))

        def begin():
            slapd.modify(READER, userPassword="another-password")
            slapd.stop()
            slapd.start()

        ward.ill(begin, lambda: slapd.modify(READER, userPassword=READER_PASSWORD), 1, DEADLINE + SLACK)
        ward.close()
        not_felt(ward, subject.title)
        assert not subject.known(ward.ended - 0.5, ward.ended)[0].accepted
        well_again(ward, subject.title)


# ---- radiusd's own end ----


def test_radiusd_ends_while_the_directory_hangs(new_ward, admit, slapd):
    ward = new_ward("ends")
    with ExitStack() as stack:
        proxies = {mode: stack.enter_context(FaultyProxy(slapd.port)) for mode in ("silent", "deaf")}
        for mode, proxy in proxies.items():
            for number in range(2):
                admit(ward, f"{mode} {number}", slapd, Way(proxy.uri))
        ward.open()
        ward.healthy()
        for mode, proxy in proxies.items():
            proxy.set(mode)
        ward.last(0.7)
        ward.traffic.hush()
        with ThreadPoolExecutor() as pool:
            ended = dict(pool.map(lambda subject: (subject.title, end_while_searching(subject)), ward.subjects.values()))
    assert all(seconds < 5 for seconds in ended.values()), ended


def end_while_searching(subject):
    """
    Ends it while its workers search, and nothing waits for a worker: a server before 3.2.9 that is told to end never does when a request is
    in its queue, as a worker would take that one for ever (request_dequeue()).
    """
    wait_until(lambda: subject.waiting <= subject.server.threads // 2, what=f"{subject.title}: an empty queue")
    begin = time.monotonic()
    assert subject.server.stop(timeout=10) == 0
    return time.monotonic() - begin
