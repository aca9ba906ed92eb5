# SPDX-License-Identifier: GPL-2.0-or-later
"""A device that was enrolled a moment ago: the server asks the sync beside the list, which asks Graph. And who must not gain by that."""

import os
import signal
import socket
import statistics
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from testenv.graph import FakeGraph
from testenv.graph_faults import throttled
from testenv.logins import Pki, enter, wait_list_loaded
from testenv.radiusd import Radiusd, shipped_module
from testenv.supplicant import radclient, wait_until
from testenv.sync import Sync
from testenv.tenant import Tenant

ATTRIBUTE_SITE = """
	update request {
		&TLS-Client-Cert-Common-Name := &User-Name
	}
	certdir {
		notfound = 1
	}
	update control {
		&Auth-Type := Accept
	}
"""


class Asking:
    """A tenant, its list, the sync that stays beside it, and a server that asks that."""

    def __init__(self, directory, graph):
        (directory / "pki").mkdir(parents=True)
        self.directory, self.graph, self.tenant, self.pki = directory, graph, graph.tenant, Pki(directory / "pki")
        self.sync = Sync(directory / "sync", graph, intune_interval="1h")
        self.known = self.add("KNOWN-1")
        self.process = None

    def add(self, name, **more):
        return self.tenant.add_device(name, accountEnabled=True, trustType="AzureAd", **more)

    def entra(self, device):
        return self.tenant.devices[device]["deviceId"]

    def issue(self, prefix, guid):
        return self.pki.issue(subject=[["CN", "Wi-Fi"]], san=[{"uri": f"{prefix}{guid}"}])

    def of(self, device):
        return self.issue("AAD_Device_ID:", self.entra(device))

    def start(self):
        mark = len(self.graph.requests)
        self.process = self.sync.start("--interval", "1h")
        wait_until(lambda: self.graph.asked("delta", mark), timeout=20, what="the first round")
        wait_until(self.answers, timeout=20, what="the socket")
        wait_until(self.sync.list_file.exists, timeout=20, what="the list")

    def answers(self):
        try:
            return self.ask("nothing\n") == ""
        except OSError:
            return False

    def stop(self, number=signal.SIGTERM):
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.communicate(timeout=20)
            self.process = None

    @property
    def socket(self):
        return self.sync.directory / "devices.db.sock"

    def ask(self, line):
        """What the sync answers to a line; "" when it hangs up."""
        with socket.socket(socket.AF_UNIX) as asker:
            asker.settimeout(15)
            asker.connect(str(self.socket))
            asker.sendall(line.encode())
            return asker.recv(200).decode()

    def ask_for(self, guid, kind="entra_device_id"):
        return self.ask(f"certdir 1 device {kind} {guid} -\n")

    def module(self, **options):
        return shipped_module({"directories": "list", "list.filename": self.sync.list_file, "list.ask": "yes", **options})


@contextmanager
def asking(directory):
    with FakeGraph(Tenant(5)) as graph:
        made = Asking(directory, graph)
        try:
            made.start()
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    directory = tmp_path_factory.mktemp("asked")
    with asking(directory) as made:
        (directory / "radiusd").mkdir()
        with Radiusd(directory / "radiusd", made.pki.trust, made.module(), tls="1.3") as server:
            made.server = server
            yield made


def enters(world, pair):
    attempt, decision = enter(world.server, world.pki, pair)
    return attempt.accepted, decision.reason, decision.fields["device"]


def test_first_login_of_a_new_device(world):
    """By its Entra id, or by that of Intune; and what the sync itself brings later is the same device."""
    entra = world.add("NEW-1")
    assert enters(world, world.of(entra)) == (True, "allowed", "NEW-1")
    intune = world.add("NEW-2")
    record = world.tenant.enrol(intune, managementState="managed")
    assert enters(world, world.issue("IntuneDeviceId://", record)) == (True, "allowed", "NEW-2")
    bare = world.add("NEW-3")
    assert enters(world, world.pki.issue(subject=[["CN", world.entra(bare)]])) == (True, "allowed", "NEW-3")
    misplaced = world.add("NEW-4")
    assert enters(world, world.issue("ID:Microsoft Endpoint Manager:GUID:", world.entra(misplaced))) == (True, "allowed", "NEW-4")
    asked = len(world.graph.requests)
    assert enters(world, world.of(entra)) == (True, "allowed", "NEW-1")
    assert len(world.graph.requests) == asked, "the list has it"
    world.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(world.graph.asked("delta", asked)) == 1, what="the delta")
    mark = world.server.mark()
    wait_list_loaded(world.server, mark)
    assert sorted(one["displayName"] for one in world.sync.listed()) == ["KNOWN-1", "NEW-1", "NEW-2", "NEW-3", "NEW-4"]
    assert [enters(world, world.of(device))[0] for device in (entra, intune, bare)] == [True] * 3


def test_how_long_a_new_device_waits(world):
    waits = []
    for number in range(12):
        pair = world.of(world.add(f"TIMED-{number}"))
        begin = time.monotonic()
        assert enters(world, pair)[0]
        waits.append(time.monotonic() - begin)
    print(f"median {statistics.median(waits):.3f} s, longest {max(waits):.3f} s")
    assert max(waits) < 5


def test_who_is_not_let_in(world):
    """Strangers, the disabled, and whoever has nothing but a name."""
    stranger = world.issue("ID:Microsoft Endpoint Manager:GUID:", uuid.uuid4())
    assert enters(world, stranger)[:2] == (False, "not-found")
    asked = len(world.graph.requests)
    assert enters(world, stranger)[:2] == (False, "not-found")
    assert len(world.graph.requests) == asked, "for a minute nobody asks again"
    disabled = world.add("OFF-1")
    world.tenant.change(disabled, accountEnabled=False)
    assert enters(world, world.of(disabled))[:2] == (False, "disabled")
    asked = len(world.graph.requests)
    world.add("NAMED-1")
    assert enters(world, world.pki.named("NAMED-1"))[:2] == (False, "not-found")
    # An Intune record whose device Entra ID does not have is no device.
    lonely = world.tenant.enrol(managementState="managed")
    assert len(world.graph.requests) == asked
    assert enters(world, world.issue("IntuneDeviceId://", lonely))[:2] == (False, "not-found")


def test_lines(world):
    """What is no question gets no answer, and keeps nobody waiting."""
    guests = []
    for line in ("", "certdir 1 dev", "x" * 159):
        guest = socket.socket(socket.AF_UNIX)
        guest.connect(str(world.socket))
        guest.sendall(line.encode())
        guests.append(guest)
    for line in ("GET / HTTP/1.1\r\n", "certdir 2 round\n", f"certdir 1 device entra_device_id {'x' * 36} -\n", "y" * 500):
        try:
            assert world.ask(line) == ""
        except ConnectionResetError:
            pass
    assert world.ask_for(world.entra(world.add("LINE-1"))) == "certdir 1 known\n"
    for guest in guests:
        guest.settimeout(10)
        assert guest.recv(10) == b"", "who says no whole line is shown out"
        guest.close()


def test_now(world):
    asked = len(world.graph.requests)
    world.sync.certdir("sync", "--now", "-c", world.sync.conf)
    wait_until(lambda: world.graph.asked("delta", asked), what="the round")


def test_a_flood_of_strangers(tmp_path):
    """A thousand unknown ids a second: Graph is asked 30 times and then once a second, and devices that are known log in."""
    with asking(tmp_path) as world:
        (tmp_path / "radiusd").mkdir()
        with Radiusd(tmp_path / "radiusd", world.pki.trust, world.module(certificate="attributes"),
                     authorize=ATTRIBUTE_SITE) as server:
            first, begin = len(world.graph.requests), time.monotonic()
            over = threading.Event()
            replies = []

            def flood():
                while not over.is_set():
                    try:
                        replies.append(world.ask_for(uuid.uuid4()))
                    except OSError:
                        pass

            strangers = [threading.Thread(target=flood) for _ in range(4)]
            for thread in strangers:
                thread.start()
            waits = []
            while time.monotonic() < begin + 4:
                mark = server.mark()
                radclient(server, {"User-Name": world.entra(world.known)})
                decision, = server.decisions(mark, count=1)
                waits.append(float(decision.fields["ms"]))
                assert decision.reason == "allowed"
                radclient(server, {"User-Name": str(uuid.uuid4())})
            over.set()
            for thread in strangers:
                thread.join()
            seconds = time.monotonic() - begin
        asked = len([one for one in world.graph.requests[first:] if one.route != "token"])
        print(f"{len(replies)} questions in {seconds:.1f} s, {asked} requests; a known device {max(waits):.1f} ms at most")
        assert len(replies) > 1000 and asked <= 30 + seconds + 3, asked
        assert max(waits) < 500
        assert replies.count("certdir 1 busy\n") > len(replies) / 2


def test_many_at_once(tmp_path):
    """One request asks for many: nobody waits for all the others, and each hears of his own."""
    with asking(tmp_path) as world:
        assert world.ask_for(world.entra(world.add("FIRST"))) == "certdir 1 known\n"  # so that there is a token
        wanted = {world.entra(world.add(f"NEW-{n}")): "known" for n in range(40)}
        wanted[world.tenant.enrol(world.add("ENROLLED"), managementState="managed")] = "known"
        wanted[str(uuid.uuid4())] = "unknown"
        world.graph.order("devices", lambda *_: time.sleep(0.2), times=None)
        mark = len(world.graph.requests)

        def ask(number, guid):
            return world.ask_for(guid, ("entra_device_id", "device_guid")[number % 2 or wanted[guid] != "known" or number >= 40])

        with ThreadPoolExecutor(len(wanted)) as pool:
            answers = dict(zip(wanted, pool.map(ask, range(len(wanted)), wanted), strict=True))
        assert answers == {guid: f"certdir 1 {reply}\n" for guid, reply in wanted.items()}
        assert len(world.graph.asked("devices", mark)) <= 10
        assert not world.graph.violations


def test_graph_says_when_to_come_back(tmp_path):
    """Until then whoever asks hears at once that it is not known for now, and Graph hears nothing of it."""
    with asking(tmp_path) as world:
        first, second = world.entra(world.add("NEW-1")), world.entra(world.add("NEW-2"))
        assert world.ask_for(first) == "certdir 1 known\n"
        world.graph.order("devices", throttled("7"))
        mark, begin = len(world.graph.requests), time.monotonic()
        assert world.ask_for(second) == "certdir 1 busy\n"
        assert world.ask_for(uuid.uuid4()) == "certdir 1 busy\n"
        assert time.monotonic() - begin < 3 and len(world.graph.asked("devices", mark)) == 1
        wait_until(lambda: world.ask_for(second) == "certdir 1 known\n", timeout=30, what="Graph being asked again")
        refused, taken = world.graph.asked("devices", mark)
        assert 7 <= taken.at - refused.at < 20


def test_when_the_sync_is_gone(tmp_path):
    """Stopped, killed, or somebody else: today's answer, and soon at once. Known devices never wait."""
    with asking(tmp_path) as world:
        (tmp_path / "radiusd").mkdir()
        with Radiusd(tmp_path / "radiusd", world.pki.trust, world.module()) as server:
            world.server = server
            world.process.send_signal(signal.SIGSTOP)
            new = world.of(world.add("NEW-1"))
            for most in (3.5, 3.5, 1, 1):
                begin = time.monotonic()
                assert enters(world, new)[:2] == (False, "not-found")
                assert time.monotonic() - begin < most
            assert enters(world, world.of(world.known))[0]
            assert server.log().count("no answer in time") == 1
            world.stop(signal.SIGKILL)
            assert world.socket.exists()
            world.start()
            # After a rest one asks again.
            newer = world.of(world.add("NEW-2"))
            wait_until(lambda: enters(world, newer)[0], timeout=20, what="being asked again")
            server.wait_log("devices.db.sock answers again")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_somebody_else_listens(tmp_path):
    with asking(tmp_path) as world:
        world.stop()
        with Radiusd(_made(tmp_path / "radiusd"), world.pki.trust, world.module()) as server:
            world.server = server
            with _liar(world.socket):
                assert enters(world, world.of(world.add("NEW-1")))[:2] == (False, "not-found")
                assert enters(world, world.of(world.known))[0]
                assert enters(world, world.of(world.add("NEW-2")))[:2] == (False, "not-found")
                server.wait_log("neither root nor the owner of the list")


def _made(directory):
    directory.mkdir()
    return directory


@contextmanager
def _liar(path):
    """Nobody's process answers that it knows everything."""
    ready, done = os.pipe()
    child = os.fork()
    if child == 0:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        os.chmod(path, 0o666)
        os.setuid(65534)
        listener.listen()
        os.write(done, b"x")
        while True:
            guest, _ = listener.accept()
            guest.recv(200)
            with suppress(OSError):  # who does not believe him has gone
                guest.sendall(b"certdir 1 known\n")
            guest.close()
    os.read(ready, 1)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_killed_while_it_writes(tmp_path):
    """Again and again in the middle of it: the list stays whole, and the next one has what was new."""
    with asking(tmp_path) as world:
        devices = [world.add(f"NEW-{number}") for number in range(6)]
        for number, device in enumerate(devices):
            mark = len(world.graph.requests)
            with socket.socket(socket.AF_UNIX) as asker:
                asker.connect(str(world.socket))
                asker.sendall(f"certdir 1 device entra_device_id {world.entra(device)} -\n".encode())
                wait_until(lambda: len(world.graph.asked("devices", mark)) >= number % 2, what="the request")
                world.process.kill()
                world.process.communicate()
            assert "in order" in world.sync.certdir("list", "verify", "--list", world.sync.list_file)
            world.start()
            wait_until(lambda: f"NEW-{number}" in world.sync.names(), what="the round after it")
        assert world.sync.names() == {"KNOWN-1", *(f"NEW-{number}" for number in range(6))}
