# SPDX-License-Identifier: GPL-2.0-or-later
"""The way to an LDAP server: names, addresses, TLS, each of which may hang or lie, and the servers of a domain."""

import contextlib
import socket
import struct
import threading
import time

import pytest

from testenv.certificates import Authority
from testenv.dns import TRUNCATED, Names, message, srv, wire
from testenv.driver import build_driver
from testenv.ldap_keeper import Keeper
from testenv.ldap_search import Liar, Searches
from testenv.slapd import NAME, READER, READER_PASSWORD, SUFFIX, Slapd

NET, RES = 2, 1
BUSY = 1.5  # for a machine that has more to do


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    with Names(tmp_path_factory.mktemp("dns")) as server:
        yield server


@pytest.fixture(scope="module")
def authority():
    return Authority("ldap connect CA")


@pytest.fixture(scope="module")
def slapd(tmp_path_factory, authority):
    with Slapd(tmp_path_factory.mktemp("slapd") / "1", authority) as server:
        server.add_computer("PC01")
        yield server


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    return build_driver(tmp_path_factory.mktemp("driver"), "ldap_operation")


@pytest.fixture
def keeper(driver, names):
    """Opens connections with the names of the test's resolver; they end, cleanly, with the test."""
    running = []

    def open_one(server, **options):
        running.append(Keeper(driver, server, wrapper=names.wrapper(), net_timeout=NET, res_timeout=RES, **options))
        return running[-1]

    yield open_one
    for one in running:
        one.close()


@contextlib.contextmanager
def deaf(address="127.0.0.1", port=0):
    """A listener that takes no connection: its queue is full, and the kernel passes over each SYN."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(0)
    with listener, contextlib.ExitStack() as stack:
        for _ in range(2):
            full = stack.enter_context(socket.socket())
            full.setblocking(False)
            full.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture
def liar():
    server = Liar(lambda number: None)
    yield server
    server.close()


# ---- names ----


def test_name_that_nobody_has(keeper):
    opened = keeper("ldap://nowhere.example").opened
    assert opened["status"] == "lost"
    assert opened["error"].startswith('ldap://nowhere.example: the name "nowhere.example" cannot be resolved: ')


def test_silent_resolver_holds_nobody_else(keeper, names, slapd):
    """rlm_ldap is in the same process: whatever resolves through libldap meanwhile does not wait for us."""
    names.whole["silent.example"] = None
    names.file.write_text(f"nameserver {names.address}\noptions timeout:1 attempts:2\n")
    opened = keeper("ldap://silent.example", beside=f"ldap://localhost:{slapd.port}").opened
    assert opened["status"] == "lost" and '"silent.example" cannot be resolved' in opened["error"], opened
    assert opened["seconds"] > 1
    assert 0 <= opened["beside"] < 0.5


# ---- addresses ----


def test_listener_that_never_accepts(keeper):
    with deaf() as port:
        opened = keeper(f"ldap://127.0.0.1:{port}").opened
    assert opened["status"] == "timeout" and NET <= opened["seconds"] < NET + BUSY
    assert opened["error"] == f"ldap://127.0.0.1:{port}: cannot connect: 127.0.0.1: no answer within 2 s"


def test_local_socket_that_never_accepts(keeper, tmp_path):
    path = tmp_path / "ldapi"
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as stack:
        listener.bind(str(path))
        listener.listen(0)
        for _ in range(2):
            full = stack.enter_context(socket.socket(socket.AF_UNIX))
            full.setblocking(False)
            full.connect_ex(str(path))
        opened = keeper("ldapi://" + str(path).replace("/", "%2F")).opened
    assert opened["status"] == "timeout" and NET <= opened["seconds"] < NET + BUSY, opened
    assert f"{path}: no answer within 2 s" in opened["error"]


def test_dead_address_before_a_good_one(keeper, names):
    """It has its share of the time and no more. 127.0.0.1 comes first (RFC 6724 5, rule 9)."""
    server = Liar(lambda number: None, host="127.0.0.2")
    port = int(server.uri.rsplit(":", 1)[1])
    names.address_of("two.example", "127.0.0.1", "127.0.0.2")
    with deaf("127.0.0.1", port):
        opened = keeper(f"ldap://two.example:{port}").opened
    server.close()
    assert opened["status"] == "ok" and NET / 2 <= opened["seconds"] < NET * 0.75, opened


def test_all_addresses_are_told(keeper, names):
    names.address_of("many.example", *(f"127.0.0.{n}" for n in range(2, 40)))
    opened = keeper("ldap://many.example:9").opened
    assert opened["status"] == "lost" and opened["error"].count("Connection refused") == 8
    names.address_of("mixed.example", "127.0.0.1", "127.0.0.3")
    with deaf("127.0.0.3") as port:
        opened = keeper(f"ldap://mixed.example:{port}").opened
    assert opened["status"] == "timeout" and opened["seconds"] < NET + BUSY
    assert "127.0.0.1: Connection refused" in opened["error"] and "127.0.0.3: no answer within" in opened["error"]


def test_a_connection_that_broke_stays_broken(keeper, liar):
    """libldap would connect again by itself and ask as nobody."""
    keep = keeper(liar.uri)
    assert keep.opened["status"] == "ok"
    for _ in range(3):
        assert keep.list(SUFFIX)["status"] == "lost"
    assert liar.connections == 1


# ---- TLS ----


class Tls(threading.Thread):
    """Takes connections, reads what comes first, and does `then` with each."""

    def __init__(self, then):
        super().__init__(daemon=True)
        self.then, self.socket = then, socket.create_server(("127.0.0.1", 0))
        self.uri = f"ldaps://127.0.0.1:{self.socket.getsockname()[1]}"
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                connection.recv(1)
                self.then(connection)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def test_reset_in_the_middle_of_tls(keeper, slapd):
    def reset(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    with Tls(reset) as server:
        opened = keeper(server.uri, ca_file=str(slapd.ca_file)).opened
    assert opened["status"] == "lost" and opened["seconds"] < 0.5
    assert opened["error"].startswith(f"{server.uri}: ") and "TLS failed: check the port" in opened["error"]


def test_silence_in_the_middle_of_tls(keeper, slapd):
    held = []
    with Tls(held.append) as server:
        opened = keeper(server.uri, ca_file=str(slapd.ca_file)).opened
    assert opened["status"] == "timeout" and RES <= opened["seconds"] < RES + BUSY, opened
    for connection in held:
        connection.close()


def test_expired(keeper, tmp_path, authority):
    with Slapd(tmp_path / "expired", authority, expired=True) as server:
        opened = keeper(server.ldaps_uri, ca_file=str(server.ca_file)).opened
        assert opened["status"] == "lost" and "TLS failed" in opened["error"], opened
        opened = keeper(server.uri, ca_file=str(server.ca_file), start_tls=True).opened
        assert opened["status"] == "lost" and "TLS failed" in opened["error"], opened


@pytest.mark.parametrize("kind", ["ldaps", "start_tls"])
def test_name_in_the_certificate_is_that_of_the_uri(keeper, names, slapd, kind):
    names.address_of(NAME, "127.0.0.1")
    names.address_of("dc2.corp.example", "127.0.0.1")
    scheme, port, more = ("ldaps", slapd.tls_port, {}) if kind == "ldaps" else ("ldap", slapd.port, {"start_tls": True})
    assert keeper(f"{scheme}://{NAME}:{port}", ca_file=str(slapd.ca_file), **more).opened["status"] == "ok"
    opened = keeper(f"{scheme}://dc2.corp.example:{port}", ca_file=str(slapd.ca_file), **more).opened
    assert opened["status"] == "lost" and "the names in the server's certificate" in opened["error"]


# ---- the servers of a domain ----


@pytest.fixture
def searches(tmp_path_factory, names):
    program = build_driver(tmp_path_factory.mktemp("search"), "ldap_search")
    with Searches(program, names.wrapper()) as several:
        yield several


def domain_search(searches, slapd, uri="ldap:///dc=corp,dc=example"):
    return searches.open({"server": [uri], "base_dn": SUFFIX, "filter": "(objectClass=computer)", "scope": "sub", "net_timeout": 1,
                          "res_timeout": 2, "srv_timelimit": 2, "ca_file": str(slapd.ca_file), "identity": READER,
                          "password": READER_PASSWORD, "start_tls": uri.startswith("ldap:")})


def found(search):
    return [record["name"] for record in search(("common_name", "pc01"))["records"]]


def test_servers_of_a_domain(searches, names, slapd):
    """The first one is down; with StartTLS the certificate is that of the host whom the DNS named."""
    names.address_of(NAME, "127.0.0.1")
    names.service("_ldap._tcp.corp.example", srv(NAME, 9, priority=0), srv(NAME, slapd.port, priority=1))
    assert found(domain_search(searches, slapd)) == ["PC01"]


def test_servers_of_a_domain_by_ldaps(searches, names, slapd):
    names.address_of(NAME, "127.0.0.1")
    names.names.pop("_ldaps._tcp.corp.example", None)
    names.service("_ldap._tcp.corp.example", srv(NAME, slapd.port))
    search = domain_search(searches, slapd, "ldaps:///dc=corp,dc=example")
    assert f"ldaps://{NAME}:636: " in search(("common_name", "pc01"))["detail"], "Active Directory has no other"
    names.service("_ldaps._tcp.corp.example", srv(NAME, slapd.tls_port))
    assert found(domain_search(searches, slapd, "ldaps:///dc=corp,dc=example")) == ["PC01"]


def test_the_name_of_the_target_counts(searches, names, slapd):
    names.address_of("dc2.corp.example", "127.0.0.1")
    names.service("_ldaps._tcp.corp.example", srv("dc2.corp.example", slapd.tls_port))
    answer = domain_search(searches, slapd, "ldaps:///dc=corp,dc=example")(("common_name", "pc01"))
    assert answer["records"] == [] and "names in the server's certificate" in answer["detail"]


def many(port):
    return [srv(f"dc{n}.corp.example", 9, priority=5) for n in range(1000)] + [srv(NAME, port)]


HOSTILE = {
    "more-than-it-has": lambda port: lambda number, question: message(number, question, [srv(NAME, port)], count=65535),
    "truncated": lambda port: lambda number, question: message(number, question, [srv(NAME, port), srv(NAME, 9)], flags=TRUNCATED)[:-5],
    "loops": lambda port: lambda number, question: message(number, question, [struct.pack("!HHH", 0, 0, 389) + b"\xc0\x41",
                                                                               srv(NAME, port)]),
    "thousand": lambda port: lambda number, question: message(number, question, many(port)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_odd_answers_that_name_a_server(searches, names, slapd, kind):
    names.address_of(NAME, "127.0.0.1")
    names.whole[f"_ldap._tcp.{kind}.example"] = HOSTILE[kind](slapd.port)
    assert found(domain_search(searches, slapd, f"ldap:///dc={kind},dc=example")) == ["PC01"]


NOBODY = {
    "nothing": (lambda number, question: message(number, question, []), "has no SRV records"),
    "no-such-name": (lambda number, question: message(number, question, [], code=3), "has no SRV records"),
    "refused": (lambda number, question: message(number, question, [srv("")]), "says in the DNS that the domain has no LDAP servers"),
    "no-host": (lambda number, question: message(number, question, [struct.pack("!HHH", 0, 0, 389) + wire("a b/c?")]),
                "has no SRV records in the DNS that name a host"),
    "broken": (lambda number, question: message(number, question, [], code=2), "no name server has an answer"),
    "mute": (None, "no name server has an answer"),
}


@pytest.mark.parametrize("kind", NOBODY)
def test_domain_without_servers(searches, names, slapd, kind):
    whole, words = NOBODY[kind]
    names.whole[f"_ldap._tcp.{kind}.example"] = whole
    uri = f"ldap:///dc={kind},dc=example"
    search = domain_search(searches, slapd, uri)
    answer = search(("common_name", "pc01"))
    deadline = time.monotonic() + 20
    while "has not answered yet" in answer["detail"] and time.monotonic() < deadline:
        answer = search(("common_name", "pc01"))
    assert answer["records"] == [] and uri in answer["detail"] and words in answer["detail"], answer
