# SPDX-License-Identifier: GPL-2.0-or-later
"""
Access-Requests that come when they come: so many a second, whatever has become of those before. That is what access points do, and
what shows a server whose threads wait; who sends the next request only after an answer never sees a queue.
"""

import contextlib
import heapq
import os
import select
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass

from testenv.packet import ACCEPT

BUFFER = 1 << 20
PATIENCE = 5  # seconds in which access points have an answer or give up, more or less


def access_request(user):
    """An Access-Request (RFC 2865) with a User-Name; its identifier is put in when it is sent."""
    value = user.encode()
    attributes = bytes([1, len(value) + 2]) + value
    return struct.pack("!BBH", 1, 0, 20 + len(attributes)) + os.urandom(16) + attributes


@dataclass
class Request:
    """One request and what came of it; times are of time.monotonic()."""

    user: str
    sent: float
    answered: float = None
    code: int = 0

    @property
    def accepted(self):
        return self.code == ACCEPT

    @property
    def latency(self):
        return self.answered - self.sent if self.answered else None


class Stream:
    """Requests at `rate` a second to a port of loopback; `users(n)` names the user of number n."""

    def __init__(self, title, port, rate, users):
        self.title, self.port, self.rate, self.users = title, port, rate, users
        self.requests, self.open, self.sockets = [], {}, {}
        self._free = deque()
        self.next = 0.0

    def send(self, now, register):
        if not self._free:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            sock.connect(("127.0.0.1", self.port))
            self.sockets[sock.fileno()] = sock
            self._free.extend((sock.fileno(), identifier) for identifier in range(256))
            register(sock.fileno(), self)
        key = self._free.popleft()
        request = Request(self.users(len(self.requests)), now)
        raw = access_request(request.user)
        self.open[key] = request
        self.requests.append(request)
        # Nobody listening any more is no answer, as any other silence.
        with contextlib.suppress(ConnectionRefusedError):
            self.sockets[key[0]].send(raw[:1] + bytes([key[1]]) + raw[2:])

    def receive(self, fd):
        while True:
            try:
                reply = self.sockets[fd].recv(4096, socket.MSG_DONTWAIT)
            except (BlockingIOError, ConnectionRefusedError):
                return
            request = self.open.pop((fd, reply[1]), None)
            if request:
                request.answered, request.code = time.monotonic(), reply[0]
                self._free.append((fd, reply[1]))

    def between(self, begin, end):
        """The requests that were sent in a span of time."""
        return [request for request in self.requests if begin <= request.sent < end]


class Traffic(threading.Thread):
    """Streams that run from start() on, until they are told to end."""

    def __init__(self, *streams):
        super().__init__(daemon=True)
        self.streams, self._by_fd, self._poll = streams, {}, select.epoll()
        self._until = self._patience = None

    def _register(self, fd, stream):
        self._by_fd[fd] = stream
        self._poll.register(fd, select.EPOLLIN)

    def run(self):
        begin = time.monotonic()
        due = [(begin + index / 1000, index) for index in range(len(self.streams))]
        heapq.heapify(due)
        while True:
            now = time.monotonic()
            over = self._until is not None and now >= self._until
            if over and (now >= self._until + self._patience or not any(stream.open for stream in self.streams)):
                return
            while not over and due[0][0] <= now:
                when, index = heapq.heappop(due)
                stream = self.streams[index]
                stream.send(time.monotonic(), self._register)
                heapq.heappush(due, (when + 1 / stream.rate, index))
            for fd, _ in self._poll.poll(0.05 if over else max(0.0, min(0.05, due[0][0] - time.monotonic()))):
                self._by_fd[fd].receive(fd)

    def hush(self, patience=5.0):
        """Sends no more; for `patience` seconds answers are still taken."""
        self._patience, self._until = patience, time.monotonic()

    def finish(self, patience=5.0):
        """Sends no more, and waits until all is answered, or for `patience` seconds."""
        self.hush(patience)
        self.join()
        for stream in self.streams:
            for sock in stream.sockets.values():
                sock.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        if self.is_alive():
            self.finish(0)


# ---- figures ----


@dataclass
class Figures:
    """What a group of requests felt, in seconds; who was not answered within PATIENCE is lost, and counts in the percentiles all the same."""

    count: int
    lost: int
    accepted: int
    p50: float
    p99: float
    longest: float

    def __str__(self):
        return f"p50 {milliseconds(self.p50)} p99 {milliseconds(self.p99)} max {milliseconds(self.longest)} lost {self.lost}/{self.count}"


def milliseconds(seconds):
    if seconds == float("inf"):
        return "never"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def figures(requests):
    latencies = sorted(request.latency if request.answered else float("inf") for request in requests) or [float("inf")]
    return Figures(len(requests), sum(latency > PATIENCE for latency in latencies), sum(request.accepted for request in requests),
                   latencies[len(latencies) // 2], latencies[min(len(latencies) - 1, len(latencies) * 99 // 100)], latencies[-1])
