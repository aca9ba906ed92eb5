# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions from the login over accounting to their end: known over a restart, judged again, ended, held where that would be many."""

import itertools
import json
import re
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from testenv import das
from testenv.logins import enter
from testenv.radiusd import BUILD
from testenv.sessions import KnownSessions, Nas
from testenv.supplicant import wait_until


@pytest.fixture
def device():
    with das.Device() as device:
        yield device


MANY = [f"PC-{n}" for n in range(1, 13)]  # more than the 10 that may always be put out


@pytest.fixture
def server(tmp_path, pki, device_list, device):
    for name in MANY:
        device_list.add(name)
    device_list.publish()
    (tmp_path / "radiusd").mkdir()
    server = KnownSessions(tmp_path / "radiusd", pki.trust, device_list, device)
    with server:
        yield server


def login(server, pki, name):
    attempt, decision = enter(server, pki, pki.named(name))
    assert attempt.accepted, decision.line
    return attempt


def certdir(server, *command, code=0):
    done = subprocess.run([BUILD / "certdir", "sessions", *command, server.file], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def status(server, device_list, code, *options):
    conf = server.directory / "certdir.conf"
    conf.write_text(f"[list]\nfilename = {device_list.path}\n")
    done = subprocess.run([BUILD / "certdir", "status", "-c", conf, "--sessions", server.file, *options],
                          capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def disable(device_list, *names, yes=False):
    for name in names:
        device_list.change(name, accountEnabled=yes)
    device_list.publish()


def test_disabled_means_out(server, pki, device_list, device):
    """Within two seconds of the publication, of the session that is the device's and of no other; the next login is refused."""
    for name in ("PC-1", "PC-2"):
        server.account("Start", f"S-{name}", login(server, pki, name))
    wait_until(lambda: server.states() == {"S-PC-1": "running", "S-PC-2": "running"}, what="both sessions")
    disable(device_list, "PC-1")
    published = time.monotonic()
    wait_until(lambda: device.orders, what="an order")
    order = device.orders[0]
    assert order.at - published < 3 and order.code == das.DISCONNECT and order.authentic
    assert order.attributes["Acct-Session-Id"] == b"S-PC-1"
    # As the device wrote it, not as the site's policy rewrites it.
    assert order.attributes["Calling-Station-Id"] == b"020000.0000ab"
    wait_until(lambda: server.states() == {"S-PC-1": "ended", "S-PC-2": "running"}, what="the end")
    one = server.known()["S-PC-1"]
    assert (one["reason"], one["answer"], one["attempts"], one["client"]) == ("disabled", "done", 1, "127.0.0.1")
    lines = re.findall(r"session disconnect (\w+) reason=disabled nas=127.0.0.1 session=\"S-PC-1\" mac=\"020000.0000ab\"", server.log())
    assert lines == ["asked", "done"]
    assert not enter(server, pki, pki.named("PC-1"))[0].accepted
    text = certdir(server, "list")
    assert "session S-PC-1 station 020000.0000ab user host/PC-1" in text and ": ended, disabled, asked 1 time, answer done" in text
    assert text.endswith("1 running, 1 ended\n")
    server.account("Stop", "S-PC-2", login(server, pki, "PC-2"))
    server.account("Interim-Update", "S-PC-1")  # without a Class: nothing that anybody could judge
    wait_until(lambda: set(server.states().values()) == {"ended"}, what="the Stop")
    assert len(device.orders) == 1


def test_two_logins_in_one_packet(server, pki, device_list, device):
    """A network device that repeats the Class of the login before beside the present one: the later one counts."""
    before = login(server, pki, "PC-1").one("Class")
    second = int(time.time())
    wait_until(lambda: int(time.time()) > second, what="another second")
    now = login(server, pki, "PC-2").one("Class")
    server.account("Start", "S1", Class=[before, now])
    server.account("Start", "S2", Class=[now, before])
    wait_until(lambda: len(server.known()) == 2, what="both sessions")
    assert {one["device"] for one in server.known().values()} == {now.split(":")[1].split(";")[0]}


def test_killed_and_back(server, pki, device_list, device):
    """Nothing is forgotten: what changed while the server was down is found at its start."""
    attempt = login(server, pki, "PC-1")
    server.account("Start", "S1", attempt)
    server.account("Interim-Update", "S2", attempt)
    wait_until(lambda: len(server.known()) == 2, what="both sessions in the file")
    server.kill()
    disable(device_list, "PC-1")
    assert len(server.known()) == 2  # and the CLI needs no server
    server.start()
    wait_until(lambda: len(device.orders) == 2, what="both orders")
    wait_until(lambda: set(server.states().values()) == {"ended"}, what="the end")


def test_what_is_not_ours(server, pki, device_list, device):
    attempt = login(server, pki, "PC-1")
    forged = attempt.one("Class")[:-4] + "AAAA"
    for session, value in (("a", "certdir:1"), ("b", forged), ("c", "other")):
        server.account("Start", session, Class=value)
    server.account("Start", "d", attempt)
    wait_until(lambda: set(server.states()) == {"d"}, what="the one session")
    server.account("Accounting-On")
    wait_until(lambda: server.states()["d"] == "ended" or server.account("Accounting-On"), what="the end of all")
    # A damaged file is kept aside, and the server starts.
    server.stop()
    server.file.write_bytes(b"x" * 5000)
    mark = server.mark()
    server.start()
    assert server.states() == {} and "is damaged" in server.log(mark)
    assert server.file.with_name(server.file.name + ".damaged").read_bytes() == b"x" * 5000


def test_guard(server, pki, device_list, device):
    """12 devices: more than the 10 that may always be put out. Held, told, over a restart; released."""
    for name in MANY:
        server.account("Start", f"S-{name}", login(server, pki, name))
    assert certdir(server, "release", code=1) == "no session is held\n"
    disable(device_list, *MANY)
    wait_until(lambda: set(server.states().values()) == {"held"}, what="the guard")
    assert "rlm_certdir: sessions: 12 of 12 devices are denied by now, more than the 10 that max_disconnect" in server.log()
    assert "12 held\nmore devices are denied" in certdir(server, "list", code=1)
    assert "sessions: 12 are held" in status(server, device_list, 1)
    assert json.loads(status(server, device_list, 1, "--json"))["sessions"] == {"held": 12, "error": None}
    assert "\ncertdir_sessions_held 12\n" in status(server, device_list, 0, "--prometheus")
    server.stop()
    assert "no server has read" in certdir(server, "release", code=69)
    mark = server.mark()
    server.start()
    wait_until(lambda: "12 of 12 devices are denied" in server.log(mark), what="the guard again")
    assert not device.orders
    assert certdir(server, "release") == "12 sessions released\n"
    wait_until(lambda: set(server.states().values()) == {"ended"}, what="the end")
    assert len(device.orders) == 12
    assert "sessions: none is held" in status(server, device_list, 0)
    server.file = server.file.with_name("none")
    assert "sessions: not known: " in status(server, device_list, 0)


def test_slip_taken_back(server, pki, device_list, device):
    for name in MANY:
        server.account("Start", f"S-{name}", login(server, pki, name))
    disable(device_list, *MANY)
    wait_until(lambda: set(server.states().values()) == {"held"}, what="the guard")
    disable(device_list, *MANY, yes=True)
    wait_until(lambda: set(server.states().values()) == {"running"}, what="the end of the guard")
    assert not device.orders


def test_many_sessions_of_one(server, pki, device_list, device):
    """One device with 12 sessions is one device: the guard lets it go."""
    attempt = login(server, pki, "PC-1")
    for i in range(12):
        server.account("Start", f"S{i}", attempt)
    disable(device_list, "PC-1")
    wait_until(lambda: set(server.states().values()) == {"ended"}, what="the end")
    assert len(device.orders) == 12


def test_a_device_that_cannot(server, pki, device_list, device):
    """NAK Unsupported Service: nobody asks it again."""
    device.answer = das.nak(405)
    server.account("Start", "S1", login(server, pki, "PC-1"))
    disable(device_list, "PC-1")
    wait_until(lambda: server.states() == {"S1": "refused"}, what="the NAK")
    assert server.known()["S1"]["error_cause"] == 405
    assert "session disconnect unsupported error-cause=405" in server.log()
    # It is a session all the same: allowed again, it runs.
    disable(device_list, "PC-1", yes=True)
    wait_until(lambda: server.states() == {"S1": "running"}, what="the allow")
    assert len(device.orders) == 1


def test_many_at_once(tmp_path, pki, device_list, device):
    """Accounting of eight network devices, logins, editions, orders and answers of every kind at once: each session ends up as it has to."""
    for name in MANY:
        device_list.add(name)
    device_list.publish()
    (tmp_path / "radiusd").mkdir()
    server = KnownSessions(tmp_path / "radiusd", pki.trust, device_list, device, threads=8, debug=0)
    journal = tmp_path / "journal"
    server.module = server.module.replace('journal = ""', f"journal = {journal}", 1)
    server.write()
    answers = itertools.cycle((das.ack, das.silence, das.nak(503), das.nak(405), das.nak(506)))
    device.answer = lambda order: next(answers)(order)
    over = threading.Event()

    def account(number):
        with Nas(server, f"nas{number}") as nas:
            for i in range(96):
                for kind in ("Start", "Interim-Update", "Interim-Update", "Stop")[:4 - i % 2]:
                    nas.account(kind, f"{number}-{i}", logins[i % len(MANY)])

    def publish():
        for number in itertools.count(1):
            disable(device_list, "PC-2", yes=number % 2 == 0)
            if over.wait(0.3) and number % 2 == 0:
                return

    with server, ThreadPoolExecutor(9) as pool:
        logins = [login(server, pki, name) for name in MANY]
        publisher = pool.submit(publish)
        try:
            for future in [pool.submit(account, number) for number in range(8)]:
                login(server, pki, "PC-12")
                future.result()
            wait_until(lambda: device.orders, timeout=60, what="an order")  # the server looks once a second, and may find PC-2 allowed each time
        finally:
            over.set()  # or nobody would ever hear of what went wrong
        publisher.result()
        mine = {f"{number}-{i}" for number in range(8) for i in range(1, 96, 12)}  # PC-2's: let in again, those that were not put out run
        others = {f"{number}-{i}": "running" if i % 2 else "ended" for number in range(8) for i in range(96) if i % 12 != 1}

        def is_over():
            states = server.states()
            return {states.pop(session) for session in mine} <= {"running", "ended"} and states == others

        wait_until(is_over, timeout=30, what="all of them")
        assert {order.attributes["Acct-Session-Id"].decode() for order in device.orders} <= mine
        assert server.stop() == 0
    assert len([json.loads(line) for line in journal.read_text().splitlines()]) == len(MANY) + 8


def test_observe(tmp_path, pki, device_list, device):
    """mode = observe ends nobody's session."""
    device_list.add("PC-1")
    device_list.publish()
    (tmp_path / "radiusd").mkdir()
    server = KnownSessions(tmp_path / "radiusd", pki.trust, device_list, device)
    server.module = server.module.replace("mode = enforce", "mode = observe")
    server.write()
    with server:
        server.account("Start", "S1", login(server, pki, "PC-1"))
        wait_until(lambda: server.states() == {"S1": "running"}, what="the session")
        mark = server.mark()
        disable(device_list, "PC-1")
        server.wait_log(r"certdir: .*: \d+ devices?", mark)
        server.account("Interim-Update", "S1", login(server, pki, "PC-1"))
        disable(device_list, "PC-1", yes=True)
        server.wait_log(r"certdir: .*: \d+ devices?(?s:.*): \d+ devices?", mark)
        assert server.states() == {"S1": "running"} and not device.orders


def test_observed_then_enforced(tmp_path, pki, device_list, device):
    """Whom mode = observe lets in although it would be denied has a session that ends when certdir enforces, and no sooner."""
    device_list.add("PC-1")
    device_list.add("OFF-1", accountEnabled=False)
    device_list.add("LAX-1", isCompliant=False)
    device_list.publish()
    (tmp_path / "radiusd").mkdir()
    server = KnownSessions(tmp_path / "radiusd", pki.trust, device_list, device)
    server.module = server.module.replace("mode = enforce", "mode = observe").replace("require_compliant = no", "require_compliant = yes")
    server.write()
    names = ("PC-1", "OFF-1", "LAX-1", "STRANGER-1")
    with server:
        for name in names:
            server.account("Start", name, login(server, pki, name))
        wait_until(lambda: server.states() == dict.fromkeys(names, "running"), what="the sessions")
        mark = server.mark()
        device_list.add("PC-2")
        device_list.publish()
        server.wait_log(r"certdir: .*: \d+ devices?", mark)
        for name in names:
            server.account("Interim-Update", name, login(server, pki, name))
        server.stop()
        assert server.states() == dict.fromkeys(names, "running") and not device.orders
        server.module = server.module.replace("mode = observe", "mode = enforce")
        server.write()
        server.start()
        wait_until(lambda: server.states() == {**dict.fromkeys(names, "ended"), "PC-1": "running"}, what="the end")
        known = server.known()
        assert {name: known[name]["reason"] for name in names[1:]} == {"OFF-1": "disabled", "LAX-1": "not-compliant", "STRANGER-1": "not-found"}


def test_wiring(tmp_path, pki, device_list):
    """sessions { } that no accounting section feeds is told of at the start."""
    device_list.add("PC-1")
    device_list.publish()
    (tmp_path / "radiusd").mkdir()
    server = KnownSessions(tmp_path / "radiusd", pki.trust, device_list, changed={
        "sites-available/certdir-wifi": lambda text: text.replace("\t\tcertdir\n\t\t-detail", "\t\t-detail")})
    server.write()
    code, said = server.check_config()
    assert code == 0 and "no server calls certdir in accounting { }" in said
    # Another site's accounting does not make up for that of the one that network devices are sent to.
    conf = server.raddb / "radiusd.conf"
    conf.write_text(conf.read_text() + "server other {\n\taccounting {\n\t\tcertdir\n\t}\n}\n")
    code, said = server.check_config()
    assert code == 0 and "certdir is called in post-auth of this server and not in its accounting { }" in said
    for option, wrong in (("max_disconnect", 0), ("max_disconnect", 101), ("max_sessions", 0), ("key_fil", "x")):
        server.module = server.module.replace("\tsessions {\n", f"\tsessions {{\n\t\t{option} = {wrong}\n", 1)
        server.write()
        code, said = server.check_config()
        assert code != 0 and option in said
        server.module = server.module.replace(f"\t\t{option} = {wrong}\n", "")
