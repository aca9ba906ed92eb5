# SPDX-License-Identifier: GPL-2.0-or-later
"""
What can be wrong with the way to a directory: a proxy in a process of its own that passes everything on until it is told to do
something worse, and a resolver that says nothing.
"""

import contextlib
import ctypes
import os
import queue
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from testenv.ports import free_port  # noqa: E402
from testenv.slapd import NAME  # noqa: E402

MODES = ("pass", "delay", "refuse", "reset", "cut", "silent", "deaf", "trickle", "giant")
CHUNK, BACKLOG = 1 << 16, 128
GIANT = b"\x30\x84\x7f\xff\xff\xff"  # a message of 2 GiB (RFC 4511 5.1)
BIND = 0x60


class FaultyProxy:
    """
    Listens on a port of loopback for the server at `port`. set(mode) returns when the mode holds, for connections that are there,
    too, and what a mode held back goes on its way when another one comes:

    pass            everything goes through
    delay SECONDS   each answer comes so much later
    refuse          nobody listens any more
    reset           every connection is reset
    cut             an answer ends in the middle, and the connection with it
    silent          connections are taken and nothing goes through
    deaf            the same, and connections are not even taken: the kernel passes over a SYN
    trickle         an answer comes at one byte a second
    giant           a search is answered with a message of 2 GiB
    """

    def __init__(self, port, host="127.0.0.1"):
        self.port = free_port("tcp")
        self.process = subprocess.Popen([sys.executable, __file__, host, str(port), str(self.port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self._wait()

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def ldaps_uri(self):
        return f"ldaps://127.0.0.1:{self.port}"

    def set(self, mode, seconds=0.0):
        assert mode in MODES
        print(mode, seconds, file=self.process.stdin, flush=True)
        self._wait()

    def _wait(self):
        assert self.process.stdout.readline() == "done\n"

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


class _Relay:
    """The proxy's own side."""

    def __init__(self, host, port, own_port):
        self.upstream = host, port
        self.mode, self.seconds = "pass", 0.0
        self.changed = threading.Condition()
        self.links = set()
        self.listener = socket.create_server(("127.0.0.1", own_port), backlog=BACKLOG)

    def set(self, mode, seconds):
        with self.changed:
            self.mode, self.seconds = mode, seconds
            if mode == "refuse":
                # It keeps the port and listens no more, until listen() is called again; accept() comes back.
                self.listener.shutdown(socket.SHUT_RDWR)
            else:
                # The kernel looks at this number anew for each SYN.
                self.listener.listen(0 if mode == "deaf" else BACKLOG)
            self.changed.notify_all()
            links = list(self.links) if mode in ("refuse", "reset") else []
        for link in links:
            link.reset()

    def accept(self):
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.mode not in ("refuse", "deaf"))
            with contextlib.suppress(OSError):
                client, _ = self.listener.accept()
                # Who was waiting in accept() when it was told to be deaf gets one more.
                if self.mode == "reset":
                    _reset(client)
                else:
                    _Link(self, client)

    def held(self):
        """Waits while nothing is to go through."""
        with self.changed:
            self.changed.wait_for(lambda: self.mode not in ("silent", "deaf"))

    def wait(self, mode, seconds):
        """Waits so long, or until the mode is another."""
        with self.changed:
            self.changed.wait_for(lambda: self.mode != mode, max(0, seconds))


class _Link:
    """A connection through the proxy."""

    def __init__(self, relay, client):
        self.relay, self.client = relay, client
        self.answers = queue.SimpleQueue()
        try:
            self.server = socket.create_connection(relay.upstream)
        except OSError:
            client.close()
            return
        for sock in (self.client, self.server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with relay.changed:
            relay.links.add(self)
        self.threads = [threading.Thread(target=self.run, args=(part,), daemon=True) for part in (self.up, self.down, self.send)]
        self.left = len(self.threads)
        for thread in self.threads:
            thread.start()

    def run(self, part):
        with contextlib.suppress(OSError):
            part()
        for sock in (self.client, self.server):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self.answers.put((0, b""))
        with self.relay.changed:
            self.left -= 1
            if self.left:
                return
            self.relay.links.discard(self)
        self.client.close()
        self.server.close()

    def reset(self):
        _reset(self.client)

    def up(self):
        while data := self.client.recv(CHUNK):
            self.relay.held()
            if self.relay.mode == "giant" and BIND not in data[:12]:
                self.client.sendall(GIANT)
                while self.relay.mode == "giant":
                    self.client.sendall(bytes(CHUNK))
                return
            self.server.sendall(data)

    def down(self):
        while data := self.server.recv(CHUNK):
            self.answers.put((time.monotonic(), data))

    def send(self):
        """Answers, in order, each at its time."""
        while True:
            came, data = self.answers.get()
            if not data:
                return
            if self.relay.mode == "delay":
                self.relay.wait("delay", came + self.relay.seconds - time.monotonic())
            self.relay.held()
            while data and self.relay.mode == "trickle":
                self.client.sendall(data[:1])
                data = data[1:]
                self.relay.wait("trickle", 1)
            if self.relay.mode == "cut":
                self.client.sendall(data[:max(1, len(data) // 2)])
                return
            self.client.sendall(data)


def _reset(sock):
    """Ends a connection with a RST, also while a thread reads from it: connect(2) to AF_UNSPEC does that."""
    ctypes.CDLL(None).connect(sock.fileno(), bytes(16), 16)


def serve(*arguments):
    relay = _Relay(*arguments)
    threading.Thread(target=relay.accept, daemon=True).start()
    print("done", flush=True)
    for line in sys.stdin:
        mode, seconds = line.split()
        relay.set(mode, float(seconds))
        print("done", flush=True)
    os._exit(0)  # the threads wait for each other's sockets, and nothing here is worth that


# ---- names ----


class Resolver(threading.Thread):
    """
    A DNS server that says where `host` is (127.0.0.1), or, when it is `mute`, nothing. wrapper() makes a program ask it, and nobody
    else, for every name; that takes root.
    """

    def __init__(self, directory, host=NAME):
        super().__init__(daemon=True)
        self.host, self.mute, self.asked, self.over = host, False, 0, False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # Port 53 is the only one that resolv.conf knows, and there are many addresses.
        self.address = f"127.{random.SystemRandom().randrange(1, 255)}.{random.SystemRandom().randrange(255)}.53"
        self.socket.bind((self.address, 53))
        self.file = Path(directory) / "resolv.conf"
        self.file.write_text(f"nameserver {self.address}\n")
        self.start()

    def wrapper(self):
        # What is preloaded for the program (a sanitizer) is not for mount(8).
        return ["unshare", "--mount", "sh", "-c", f'LD_PRELOAD= mount --bind "{self.file}" /etc/resolv.conf && exec "$@"', "sh"]

    def run(self):
        while True:
            try:
                query, client = self.socket.recvfrom(4096)
            except OSError:
                return
            if self.over:
                return
            self.asked += 1
            if not self.mute:
                self.socket.sendto(self.answer(query), client)

    def answer(self, query):
        """RFC 1035 4.1: the address, where an A record was asked for, and else an empty answer."""
        end = query.index(0, 12) + 5
        asked, kind = query[12:end - 4], query[end - 4:end - 2]
        known = b"".join(bytes([len(label)]) + label.encode() for label in self.host.split(".")) + b"\0" == asked.lower()
        found = known and kind == b"\0\1"
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + bytes([127, 0, 0, 1]) if found else b""
        return query[:2] + struct.pack("!HHHHH", 0x8580 | (0 if known else 3), 1, int(found), 0, 0) + query[12:end] + record

    def close(self):
        self.over = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", (self.address, 53))
        self.join()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
