# SPDX-License-Identifier: GPL-2.0-or-later
"""
A proxy between an LDAP client and its server that understands where messages begin and end. What a test wants to happen
in the middle happens at a message that it counted to, and not at some moment.
"""

import contextlib
import socket
import threading
from dataclasses import dataclass, field

# Tags of requests (RFC 4511 4.2 to 4.14).
KINDS = {0x60: "bind", 0x42: "unbind", 0x63: "search", 0x66: "modify", 0x68: "add", 0x4A: "delete", 0x6C: "rename",
         0x50: "abandon", 0x77: "extended"}
WRITES = ("modify", "add", "delete", "rename")
UNANSWERED = ("unbind", "abandon")
NOT_THE_END = (0x64, 0x73, 0x79)  # search result entry and reference, intermediate response
CUT, DROP = "cut", "drop"  # what hooks return
APPLICATION_DATA = 0x17  # RFC 8446 5.1


def element(data, at=0):
    """A BER element: (tag, where its content begins, where it ends), or None when it is not all there."""
    if len(data) < at + 2:
        return None
    length, begin = data[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        if len(data) < begin + octets:
            return None
        length, begin = int.from_bytes(data[begin:begin + octets], "big"), begin + octets
    return (data[at], begin, begin + length) if len(data) >= begin + length else None


def tls_record(data):
    """The same of a TLS record."""
    end = 5 + int.from_bytes(data[3:5], "big")
    return (data[0], 5, end) if len(data) >= max(5, end) else None


def messages(sock, first):
    """Whole messages of a socket; first(buffer) finds one."""
    buffer = b""
    while True:
        while found := first(buffer):
            yield buffer[:found[2]]
            buffer = buffer[found[2]:]
        try:
            more = sock.recv(1 << 16)
        except OSError:
            more = b""
        if not more:
            return
        buffer += more


@dataclass
class Request:
    """What a client asks: its kind, the DN (of a search the base), the scope of a search."""

    raw: bytes
    number: int = 0  # how many requests the proxy has seen with this one,
    writes: int = 0  # and how many of them write
    message: int = field(init=False)
    kind: str = field(init=False)
    dn: str = field(init=False, default="")
    scope: int = field(init=False, default=-1)

    def __post_init__(self):
        _, begin, _ = element(self.raw)
        _, number, end = element(self.raw, begin)
        self.message = int.from_bytes(self.raw[number:end], "big")
        tag, content, stop = element(self.raw, end)
        self.kind = KINDS.get(tag, hex(tag))
        if self.kind == "delete":
            self.dn = self.raw[content:stop].decode(errors="replace")
        elif self.kind == "search" or self.is_write:
            _, at, after = element(self.raw, content)
            self.dn = self.raw[at:after].decode(errors="replace")
            if self.kind == "search":
                self.scope = self.raw[element(self.raw, after)[1]]

    @property
    def is_write(self):
        return self.kind in WRITES

    @property
    def reads_entry(self):
        """A read of one entry, and not of what the server says of itself."""
        return self.kind == "search" and self.scope == 0 and bool(self.dn)


@dataclass
class Record:
    """Something that TLS hides; from a client that sends each request by itself it is one. It counts as a write."""

    raw: bytes
    number: int = 0
    writes: int = 0
    kind: str = "record"
    message: int = 0

    @property
    def is_write(self):
        return self.raw[0] == APPLICATION_DATA


class _Connection:
    def __init__(self, proxy, client):
        self.proxy, self.client = proxy, client
        self.server = socket.create_connection(proxy.upstream)
        for sock in (self.client, self.server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.open_requests = {}
        self.mute = False  # nothing goes through any more
        self.over = False  # the server will not answer any more
        self.idle = threading.Condition()
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self._up, self._down)]
        for thread in self.threads:
            thread.start()

    def _up(self):
        for raw in messages(self.client, self.proxy.first):
            request = self.proxy.count(raw)
            if self.mute or self._told(self.proxy.on_request, request):
                continue
            with self.idle:
                if not self.proxy.tls and request.kind not in UNANSWERED:
                    self.open_requests[request.message] = request
            try:
                self.server.sendall(raw)
            except OSError:
                break
        # What the server was sent it may finish: nobody has to guess what it still does.
        with self.idle:
            self.idle.wait_for(lambda: self.over or not self.open_requests, timeout=10)
        self.cut()

    def _down(self):
        for raw in messages(self.server, self.proxy.first):
            request = Record(raw) if self.proxy.tls else self._answered(raw)
            told = request and self._told(self.proxy.on_answer, request)
            if not self.mute and not told:
                with contextlib.suppress(OSError):
                    self._pass_on(raw)
            if self.mute and not self.open_requests:
                break
        self.cut()

    def _pass_on(self, raw):
        size = self.proxy.piece or len(raw)
        for at in range(0, len(raw), size):
            self.client.sendall(raw[at:at + size])

    def _answered(self, raw):
        """The request whose last answer this is, or None."""
        _, begin, _ = element(raw)
        _, number, end = element(raw, begin)
        if raw[end] in NOT_THE_END:
            return None
        with self.idle:
            request = self.open_requests.pop(int.from_bytes(raw[number:end], "big"), None)
            self.idle.notify_all()
        return request

    def _told(self, hook, request):
        """Whether the hook said that this goes no further."""
        verdict = self.proxy.call(hook, request)
        self.mute = self.mute or verdict == DROP
        if verdict == CUT or self.mute and not self.open_requests:
            self.cut()
        return verdict in (CUT, DROP)

    def cut(self):
        with self.idle:
            self.over = True
            self.idle.notify_all()
        for sock in (self.client, self.server):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class LdapProxy:
    """
    Listens at `host`, on a port of its own, for the server on `port` there; with `tls` it sees no more than records.
    `on_request(request)` is called before a request goes on, `on_answer(request)` before its last answer does. What
    they return: CUT, and the connection is gone at once; DROP, and nothing goes through any more, but the server may
    finish what it has. They run in the proxy's threads.
    """

    def __init__(self, port, host="127.0.0.1", tls=False):
        self.upstream, self.tls = (host, port), tls
        self.first = tls_record if tls else element
        self.on_request = self.on_answer = None
        self.piece = None  # bytes: what comes from the server goes on in pieces of so many
        self.errors = []
        self.requests = self.writes = 0
        self._connections = []
        self._lock = threading.Lock()
        self._listener = socket.create_server((host, 0))
        self.host, self.port = self._listener.getsockname()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def uri(self):
        return f"ldap{'s' if self.tls else ''}://{self.host}:{self.port}"

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                self._connections.append(_Connection(self, client))
            except OSError:
                client.close()

    def count(self, raw):
        with self._lock:
            request = Record(raw) if self.tls else Request(raw)
            self.requests += 1
            self.writes += request.is_write
            request.number, request.writes = self.requests, self.writes
            return request

    def call(self, hook, request):
        with self._lock:
            try:
                return hook(request) if hook else None
            except Exception as error:  # noqa: BLE001, it is the test's: settle() raises it there
                self.errors.append(error)
                return CUT

    def settle(self, timeout=15):
        """Waits until every connection is over and forgets hooks and counts; raises what a hook raised."""
        for connection in self._connections:
            for thread in connection.threads:
                thread.join(timeout)
                assert not thread.is_alive(), "a connection through the proxy does not end"
            connection.client.close()
            connection.server.close()
        self._connections = []
        self.on_request = self.on_answer = None
        self.requests = self.writes = 0
        if self.errors:
            raise self.errors.pop()

    def close(self):
        # shutdown() ends the accept(), which close() alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.cut()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
