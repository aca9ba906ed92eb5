# SPDX-License-Identifier: GPL-2.0-or-later
"""A small HTTP(S) server that does what each test tells it to, well or badly, down to the single byte."""

import json
import socket
import ssl
import threading
import urllib.parse


class Request:
    """What was asked: method, target (path and query as sent), headers (names in lower case), body."""

    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = lines[0].split(" ", 2)
        self.path = self.target.partition("?")[0]
        self.headers = {name.strip().lower(): value.strip() for name, _, value in (l.partition(":") for l in lines[1:])}
        self.body = body

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode(), strict_parsing=True))

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(self.target.partition("?")[2]))


class Hangup(Exception):
    """Raised by a handler: the connection ends here."""


class Connection:
    """One client's connection, for a handler to answer on."""

    def __init__(self, server, stream):
        self.server, self.stream = server, stream

    def read(self):
        """The next Request, or None."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.stream.recv(65536)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        request = Request(head, body)
        while len(request.body) < int(request.headers.get("content-length", 0)):
            request.body += self.stream.recv(65536)
        return request

    def send(self, data):
        self.stream.sendall(data)

    def head(self, status=200, length=None, **headers):
        """Status line and headers; names are written with _ for -."""
        headers = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if length is not None:
            headers["Content-Length"] = length
        lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in headers.items())]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def answer(self, body=b"", status=200, **headers):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.head(status, len(body), **headers)
        self.send(body)

    def wait(self):
        """Until the server closes or the client goes away; the client never sends more here."""
        while not self.server.closed.is_set():
            try:
                if not self.stream.recv(65536):
                    return
            except TimeoutError:
                continue
            except OSError:
                return


class Server:
    """
    Listens on `address`. `handler(connection, request)` is called for each request, in a thread of its connection;
    .requests has them all. certificate: (PEM file, key file), None: plain HTTP.
    """

    def __init__(self, handler, certificate=None, host="localhost", address="127.0.0.1"):
        self.handler, self.requests, self.closed = handler, [], threading.Event()
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.address = address
        self.listener = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if certificate else 'http'}://{host}:{self.port}"
        self.connections = 0
        self.failures = []
        self._threads, self._streams = [], []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def _accept(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            if self.closed.is_set():
                stream.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(stream,))
            self._streams.append(stream)
            self._threads.append(thread)
            thread.start()

    def _serve(self, stream):
        try:
            stream.settimeout(20)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                stream = self.context.wrap_socket(stream, server_side=True)
            stream.settimeout(0.1)
            connection = Connection(self, stream)
            while not self.closed.is_set():
                try:
                    request = connection.read()
                except TimeoutError:
                    continue
                if request is None:
                    return
                self.requests.append(request)
                stream.settimeout(20)
                self.handler(connection, request)
                stream.settimeout(0.1)
        except (Hangup, OSError):
            pass
        except Exception as error:  # a mistake in a test's handler must not look like a bad network
            self.failures.append(error)
        finally:
            stream.close()

    def close(self):
        self.closed.set()
        try:
            socket.create_connection((self.address, self.port)).close()
        except OSError:
            pass
        self.listener.close()
        self._accepting.join(10)
        for stream in self._streams:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(10)
        assert not self.failures, self.failures
