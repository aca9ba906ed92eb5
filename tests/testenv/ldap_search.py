# SPDX-License-Identifier: GPL-2.0-or-later
"""The LDAP directory alone, without a certificate or a decision: the search program, and servers that lie to it."""

import json
import os
import select
import socket
import subprocess
import threading
import time

from testenv.certificates import sequence, tlv
from testenv.driver import driver_wrapper


class SearchError(AssertionError):
    """The search program did not do what the test needs."""


class Search:
    """A running search program: an LDAP directory opened once."""

    def __init__(self, program, options, wrapper=(), **more):
        options = {**options, **more}
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LDAP")}
        self.process = subprocess.Popen([*wrapper, *driver_wrapper(), str(program), json.dumps(options)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**environment, "LDAPNOINIT": "1"})
        self.log = None
        self.opened = self._read()

    def _read(self, timeout=120):
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            self.process.kill()
            raise SearchError("the search program hangs")
        line = self.process.stdout.readline()
        if not line:
            raise SearchError(f"the search program ended with {self.process.wait()}:\n{self.process.stderr.read()}")
        return json.loads(line)

    def request(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._read()

    def __call__(self, *values):
        return self.request(values=values)

    def connections(self, port):
        """How many established connections to a port it has."""
        inodes = set()
        for number in os.listdir(f"/proc/{self.process.pid}/fd"):
            target = os.readlink(f"/proc/{self.process.pid}/fd/{number}")
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table.readlines()[1:]]
        return sum(1 for row in rows if row[9] in inodes and int(row[2].split(":")[1], 16) == port and row[3] == "01")

    def close(self):
        """Ends it, once, and returns what it logged."""
        if self.log is None:
            _, self.log = self.process.communicate(timeout=60)
            assert self.process.returncode == 0, self.log
        return self.log


class Searches:
    """Directories that are opened in a test, and end, cleanly, with it."""

    def __init__(self, program, wrapper=()):
        self.program, self.wrapper, self.running = program, wrapper, []

    def open(self, options):
        search = Search(self.program, options, self.wrapper)
        self.running.append(search)
        assert search.opened == {"open": True, "error": ""}
        return search

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for search in self.running:
            search.close()


# ---- servers that lie ----


def wait_until_read(sock, timeout=10):
    """Until whoever is at the other end, on this machine, has read all that was sent, or is gone."""
    port, own = (f"{address[1]:04X}" for address in (sock.getpeername(), sock.getsockname()))
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table.readlines()[1:]]
        if not any(row[1].endswith(f":{port}") and row[2].endswith(f":{own}") and row[4].split(":")[1] != "00000000"
                   for row in rows):
            return


class Liar(threading.Thread):
    """
    Takes every bind and answers every search with `reply(message id)`: bytes, a list of them to send each when the one before was
    read, or None to close the connection.
    """

    def __init__(self, reply, host="127.0.0.1"):
        super().__init__(daemon=True)
        self.reply, self.connections, self.searches, self.abandoned, self.last = reply, 0, 0, 0, b""
        self.socket = socket.create_server((host, 0))
        self.uri = f"ldap://{host}:{self.socket.getsockname()[1]}"
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self.serve(connection)

    def serve(self, connection):
        stream = connection.makefile("rb")
        for body in requests(stream):
            number, operation = body[2], body[3]  # 02 01 id op: ids stay below 128 here
            if operation == 0x60:
                connection.sendall(message(number, result(0x61, 0)))
            elif operation == 0x63:
                self.searches, self.last = self.searches + 1, body
                reply = self.reply(number)
                if reply is None:
                    return
                try:
                    for piece in reply if isinstance(reply, list) else [reply]:
                        connection.sendall(piece)
                        if piece is not reply:
                            wait_until_read(connection)
                except OSError:
                    return
            elif operation == 0x50:
                self.abandoned += 1

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def requests(stream):
    """The bodies of the LDAP messages that come."""
    while head := stream.read(2):
        length = head[1]
        if length & 0x80:
            length = int.from_bytes(stream.read(length & 0x7F), "big")
        yield stream.read(length)


def message(number, operation):
    return sequence(tlv(0x02, bytes([number])), operation)


def result(tag, code, referral=b""):
    return tlv(tag, tlv(0x0a, bytes([code])) + tlv(0x04, b"") + tlv(0x04, b"") + referral)


def entry(dn, **attributes):
    listed = b"".join(
        sequence(tlv(0x04, name.encode()), tlv(0x31, b"".join(tlv(0x04, value) for value in values)))
        for name, values in attributes.items())
    return tlv(0x64, tlv(0x04, dn) + sequence(listed))


def answering(*entries, code=0):
    return lambda number: b"".join(message(number, one) for one in entries) + message(number, result(0x65, code))
