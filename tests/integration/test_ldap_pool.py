# SPDX-License-Identifier: GPL-2.0-or-later
"""The servers of a directory: which one is asked, who waits for one that does not answer, and how it comes back."""

import re
import socket
import threading

import pytest

from testenv.certificates import tlv
from testenv.driver import build_driver
from testenv.ldap_search import Liar, Searches, answering, entry, message, requests, result
from testenv.ports import free_port
from testenv.slapd import sid_bytes
from testenv.supplicant import wait_until

PC01 = [("common_name", "pc01")]
FOUND = answering(entry(b"cn=pc01,dc=x", cn=[b"pc01"], sAMAccountName=[b"PC01$"], userAccountControl=[b"4096"]))


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    return build_driver(tmp_path_factory.mktemp("driver"), "ldap_search")


@pytest.fixture
def opened(driver):
    with Searches(driver) as searches:
        yield lambda *servers, **more: searches.open({
            "server": [server.uri for server in servers], "base_dn": "dc=x", "net_timeout": 1, "res_timeout": 1,
            "srv_timelimit": 1, "deadline": 1, **more})


class Server(Liar):
    """A server with a thread for each connection, which may take to silence or refuse binds."""

    def __init__(self, reply=FOUND, bind=0):
        self.silent, self.bind, self.binds, self.delay, self.open = threading.Event(), bind, 0, 0, []
        self.awake = threading.Condition()
        super().__init__(reply)

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            threading.Thread(target=self.talk, args=[connection], daemon=True).start()

    def talk(self, connection):
        stream = connection.makefile("rb")
        try:
            for body in requests(stream):
                self.listen(connection, body)
        except OSError:
            pass

    def listen(self, connection, body):
        with self.awake:
            self.awake.wait_for(lambda: not self.silent.is_set())
        number, operation = body[2], body[3]
        if operation == 0x60:
            self.binds += 1
            threading.Event().wait(self.delay)
            connection.sendall(message(number, result(0x61, self.bind)))
        elif operation == 0x63:
            self.searches, self.last = self.searches + 1, body
            answer = self.reply(number) if b"pc01" in body or b"load" in body else answering(code=0)(number)
            if answer is not None:
                connection.sendall(answer)

    def hush(self):
        self.silent.set()

    def wake(self):
        with self.awake:
            self.silent.clear()
            self.awake.notify_all()


@pytest.fixture
def server():
    running = []

    def start(*arguments, **more):
        running.append(Server(*arguments, **more))
        return running[-1]

    yield start
    for one in running:
        one.wake()
        one.socket.close()


def answered(search):
    answer = search(*PC01)
    return answer if answer["state"] == "answered" else None


def test_nobody_waits_for_a_server_that_is_sick_and_it_comes_back_by_itself(server, opened):
    one = server()
    search = opened(one)
    assert answered(search)
    one.hush()
    assert 0.9 < search(*PC01)["seconds"] < 1.2
    assert search(*PC01)["seconds"] < 1.2
    for _ in range(3):
        answer = search(*PC01)
        assert answer["seconds"] < 0.1 and re.fullmatch(
            rf"{one.uri}: no (answer|connection) within 1 s, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d", answer["detail"])
    one.wake()
    assert wait_until(lambda: answered(search), timeout=2)["seconds"] < 0.1
    log = search.close().splitlines()
    assert len(log) == 2 and f"directory ldap: {one.uri}: no " in log[0] and "no login waits for this server" in log[0]
    assert re.search(rf"directory ldap: {one.uri} answers again; it did not since \d{{4}}-.* \(\d+ s\)", log[1])


def test_the_next_server_is_asked_in_the_same_login(server, opened):
    first, second = server(), server()
    search = opened(first, second)
    assert answered(search)
    first.hush()
    assert 0.4 < answered(search)["seconds"] < 0.7, "half of the time is the first one's"
    assert answered(search)["seconds"] < 0.1 and second.searches == 2, "nobody waits twice"
    first.wake()
    before = first.searches
    wait_until(lambda: answered(search) and first.searches > before, timeout=5)


def test_a_trouble_that_is_over_is_not_told(server, opened):
    one = server()
    one.hush()
    search = opened(one, deadline=0.1)
    assert "no connection within 0.1 s" in search(*PC01)["detail"]
    one.wake()
    wait_until(lambda: answered(search), timeout=5)
    one.hush()
    assert search(*PC01)["detail"] == f"{one.uri}: no answer within 0.1 s"


AD = {"cn": [b"pc01"], "sAMAccountName": [b"PC01$"], "userAccountControl": [b"4096"], "primaryGroupID": [b"515"],
      "objectSid": [sid_bytes("S-1-5-21-1-2-3-1104")]}
CHAIN = b"1.2.840.113556.1.4.1941"


def test_groups_are_asked_of_a_server_that_answers(server, opened):
    """One that is late over groups has them left out for half a minute; one that is late over all is another matter."""
    def domain(number, one):
        if b"load" in one.last:
            threading.Event().wait(0.3)
            return answering()(number)
        found = entry(b"cn=Nested,dc=x") if CHAIN in one.last else entry(b"cn=pc01,dc=x", **AD)
        return answering(found)(number)

    first, second = server(lambda number: domain(number, first)), server(lambda number: domain(number, second))
    search = opened(first, second)
    wait_until(lambda: search.request(threads=3, searches=1, names=1) and first.connections == 3, timeout=5)
    first.hush()
    answer = answered(search)
    assert second.searches == 2 and [group[0] for group in answer["records"][0]["groups"]] == ["cn=Nested,dc=x"]
    assert not answer["partial"] and answer["seconds"] < 0.7


def test_groups_have_all_the_time_that_is_left(server, opened):
    """They are asked for once, so that nothing is kept for another server."""
    def domain(number, one):
        if CHAIN not in one.last:
            return answering(entry(b"cn=pc01,dc=x", **AD))(number)
        threading.Event().wait(1.2)
        return answering(entry(b"cn=Nested,dc=x"))(number)

    first, second = server(lambda number: domain(number, first)), server(lambda number: domain(number, second))
    answer = answered(opened(first, second, deadline=2))
    assert [group[0] for group in answer["records"][0]["groups"]] == ["cn=Nested,dc=x"]


def test_a_slow_search_leaves_the_groups_out_once(server, opened):
    """Half a minute without groups is for a server that is slow over groups."""
    def domain(number):
        if CHAIN not in one.last:
            threading.Event().wait(0.7 if one.searches == 1 else 0)
            return answering(entry(b"cn=pc01,dc=x", **AD))(number)
        return answering(entry(b"cn=Nested,dc=x"))(number) if one.searches > 2 else b""

    one = server(domain)
    search = opened(one)
    assert answered(search)["partial"]
    assert [group[0] for group in answered(search)["records"][0]["groups"]] == ["cn=Nested,dc=x"]


class Failing(Server):
    """Once it fails, it answers load-0, and load-1 when two connections were given up, and no others."""

    def __init__(self, pause):
        self.pause, self.failing, self.lost = pause, False, threading.Semaphore(0)
        super().__init__()

    def talk(self, connection):
        super().talk(connection)
        self.lost.release()

    def listen(self, connection, body):
        name = re.search(rb"load-\d+", body)
        if not name:
            super().listen(connection, body)
            return
        if self.failing and name[0] not in (b"load-0", b"load-1"):
            return
        if self.failing and name[0] == b"load-1":
            for _ in range(2):
                self.lost.acquire(timeout=5)
        else:
            threading.Event().wait(self.pause)
        connection.sendall(answering(entry(b"cn=" + name[0] + b",dc=x", cn=[name[0]]))(body[2]))


def test_a_sick_server_that_still_answered_somebody_gets_half_of_the_time_too(opened):
    one, other = Failing(0.3), Failing(0)
    search = opened(one, other, deadline=2)
    wait_until(lambda: search.request(threads=3, searches=1, names=64)["wrong"] == 0 and one.connections == 3, timeout=5)
    one.failing = True
    one.socket.shutdown(socket.SHUT_RDWR)
    assert search.request(threads=3, searches=3, names=64)["wrong"] == 0
    other.socket.close()


@pytest.mark.parametrize("code", [1, 3, 32, 53])
def test_what_one_server_refuses_the_next_is_asked(server, opened, code):
    """A replica that is still empty has not the base."""
    empty, second = server(answering(code=code)), server()
    search = opened(empty, second)
    assert answered(search) and (empty.searches, second.searches) == (1, 1)
    assert opened(empty)(*PC01)["state"] == "unavailable"


def test_a_server_that_recovers_is_bound_before_anybody_asks(server, opened):
    one = server()
    port = int(one.uri.rsplit(":", 1)[1])
    search = opened(one)
    one.hush()
    for _ in range(2):
        search(*PC01)
    one.wake()
    searches = one.searches
    wait_until(lambda: one.searches > searches and search.connections(port) > 0, timeout=3, what="a trial's search")
    binds = one.binds
    wait_until(lambda: answered(search), timeout=1)
    assert one.binds == binds


def test_a_share_of_the_workers_waits_and_the_others_do_not(server, opened):
    one = server()
    search = opened(one, most=2)
    assert answered(search)
    one.hush()
    load = search.request(threads=8, searches=1, names=1)
    assert sorted(seconds > 0.9 for seconds in load["each"]) == [False] * 6 + [True] * 2
    assert max(seconds for seconds in load["each"] if seconds < 0.9) < 0.7


def test_much_to_do_is_no_reason_to_refuse(server, opened):
    """More searches than may run at a time wait for each other while answers come."""
    def reply(number):
        threading.Event().wait(0.02)
        name = re.search(rb"load-\d+", one.last)[0]
        return answering(entry(b"cn=" + name + b",dc=x", cn=[name]))(number)

    one = server(reply)
    search = opened(one, most=2, deadline=10)
    assert search.request(threads=8, searches=10, names=1)["wrong"] == 0


@pytest.mark.parametrize("threads", [8, 32])
def test_a_slow_server_gets_a_connection_for_each_who_waits(server, opened, threads):
    """A keeper that sleeps is told of those who still wait when a connection that was made is somebody's."""
    def reply(number):
        threading.Event().wait(0.3)
        return answering(entry(b"cn=load-0,dc=x", cn=[b"load-0"]))(number)

    one = server(reply)
    search = opened(one, most=threads, deadline=20)
    assert search.request(threads=threads, searches=6, names=1)["wrong"] == 0
    assert one.connections == threads


def test_a_server_that_answers_probes_alone_is_tried_less_and_less(server, opened):
    one = server(lambda number: None)
    search = opened(one)
    for _ in range(2):
        assert search(*PC01)["seconds"] > 0.9
    wait_until(lambda: search(*PC01)["seconds"] > 0.9, timeout=3)
    assert search(*PC01)["seconds"] > 0.9
    assert search(*PC01)["seconds"] < 0.1, "it is sick again, and is left alone for two seconds"
    for _ in range(2):
        wait_until(lambda: search(*PC01)["seconds"] > 0.9, timeout=5)
    log = search.close()
    assert log.count("answers again") == 1 and log.count("no login waits") == 2, "and the log has nothing more of it"


@pytest.mark.parametrize("servers", [1, 2])
def test_a_refused_password_is_not_tried_again_and_again(server, opened, servers):
    all_of_them = [server(bind=49) for _ in range(servers)]
    search = opened(*all_of_them, identity="cn=x", password="wrong")
    for _ in range(20):
        answer = search(*PC01)
        assert answer["seconds"] < 0.3 and "check identity and password" in answer["detail"]
    assert sum(one.binds for one in all_of_them) == 1


def test_a_password_that_was_changed_is_tried_once_however_many_wait(server, opened):
    """The connections that are there go on, and the many who would like another one do not all try it at once."""
    def reply(number):
        threading.Event().wait(0.3)
        return FOUND(number)

    one = server(reply)
    search = opened(one, most=16, deadline=5, identity="cn=x", password="of yesterday")
    assert answered(search)
    threading.Event().wait(2)  # what succeeded a moment ago says more
    one.bind, one.delay = 49, 0.2
    search.request(threads=16, searches=1, names=1)
    assert one.binds == 2


def test_connections_that_work_outlive_a_server_that_takes_no_more(server, opened):
    one = server()
    search = opened(one)
    assert answered(search)
    one.socket.shutdown(socket.SHUT_RDWR)
    assert answered(search)["seconds"] < 0.1
    assert search.request(threads=4, searches=1, names=1)["seconds"] < 1.2
    assert answered(search)


def test_all_servers_are_named(server, opened):
    dead = [type("Dead", (), {"uri": f"ldap://127.0.0.1:{free_port('tcp')}"}) for _ in range(2)]
    search = opened(*dead)
    wait_until(lambda: all(one.uri in search(*PC01)["detail"] for one in dead), timeout=3)


def test_an_answer_that_is_too_large_is_given_up(server, opened):
    one = server(lambda number: b"\x30\x84\x7f\xff\xff\xff\x02\x01" + bytes([number]) + b"\x64" + b"x" * 65536)
    answer = opened(one)(*PC01)
    assert answer["state"] == "unavailable" and answer["seconds"] < 0.5, "it is not waited for"


def test_unsolicited_goodbye(server, opened):
    """A server that restarts may say so (RFC 4511 4.4.1); the next connection answers."""
    def reply(number):
        if one.searches == 2:
            one.open[-1].sendall(message(0, tlv(0x78, tlv(0x0a, b"\x34") + tlv(0x04, b"") + tlv(0x04, b"bye") +
                                                tlv(0x8a, b"1.3.6.1.4.1.1466.20036"))))
            one.open[-1].close()
            return None
        return FOUND(number)

    one = server(reply)
    search = opened(one)
    assert answered(search) and answered(search)["seconds"] < 0.5
