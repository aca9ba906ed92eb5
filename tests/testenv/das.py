# SPDX-License-Identifier: GPL-2.0-or-later
"""
RFC 5176 from both ends: a small network device that takes orders and answers as a test wants, and the module's code that gives
them, in a program of its own (tests/drivers/das_orders.c).
"""

import hashlib
import hmac
import json
import queue
import socket
import struct
import subprocess
import threading
import time
from dataclasses import dataclass, field

from testenv import packet
from testenv.driver import driver_wrapper
from testenv.radiusd import SECRET

DISCONNECT, COA = 40, 43
NAMES = {1: "User-Name", 4: "NAS-IP-Address", 5: "NAS-Port", 8: "Framed-IP-Address", 24: "State", 26: "Vendor-Specific",
         30: "Called-Station-Id", 31: "Calling-Station-Id", 32: "NAS-Identifier", 44: "Acct-Session-Id",
         50: "Acct-Multi-Session-Id", 55: "Event-Timestamp", 80: "Message-Authenticator", 87: "NAS-Port-Id",
         95: "NAS-IPv6-Address"}
ERROR_CAUSE = 101


@dataclass
class Order:
    """A request as it came."""

    code: int
    identifier: int
    data: bytes
    source: tuple
    at: float
    secret: str
    authentic: bool
    attributes: dict = field(default_factory=dict)

    @property
    def names(self):
        return set(self.attributes)


def _authentic(data, secret):
    """RFC 5176, 2.3 and 3.4: both are made with an authenticator of zeroes."""
    secret = secret.encode()
    zeroed = data[:4] + bytes(16) + data[20:]
    given, = packet.values(data, packet.MESSAGE_AUTHENTICATOR)
    signature = bytes([packet.MESSAGE_AUTHENTICATOR, 18])
    unsigned = zeroed.replace(signature + given, signature + bytes(16))
    return (hashlib.md5(zeroed + secret).digest() == data[4:20] and
            hmac.new(secret, unsigned, hashlib.md5).digest() == given)


def reply(order, ack=True, cause=None, secret=None, code=None):
    """An ACK or NAK to the order, signed with the device's secret or another."""
    attributes = struct.pack("!BBI", ERROR_CAUSE, 6, cause) if cause else b""
    head = struct.pack("!BBH", code or order.code + (1 if ack else 2), order.identifier, 20 + len(attributes))
    return head + hashlib.md5(head + order.data[4:20] + attributes + (secret or order.secret).encode()).digest() + attributes


def ack(order):
    return [reply(order)]


def nak(cause):
    return lambda order: [reply(order, False, cause)]


def silence(_order):
    return []


class Device:
    """
    Takes orders at an address and port of its own. `answer` is called with each Order and gives the packets to send back; other
    packets can be sent at any time with send().
    """

    def __init__(self, answer=ack, address="127.0.0.1", secret=SECRET, port=0):
        self.answer, self.secret = answer, secret
        self.orders = []
        self._socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        with socket.socket(self._socket.family, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def send(self, data, to):
        self._socket.sendto(data, to)

    def _serve(self):
        while True:
            data, source = self._socket.recvfrom(65536)
            if not data:
                return
            attributes = {}
            for kind, value in packet.attributes(data):
                attributes.setdefault(NAMES.get(kind, kind), value)
            order = Order(data[0], data[1], data, source, time.monotonic(), self.secret, _authentic(data, self.secret),
                          attributes)
            self.orders.append(order)
            for answer in self.answer(order):
                self.send(answer, source)


SESSION = {"Acct-Session-Id": "4D2C0A91-00000007", "Calling-Station-Id": "02-00-00-00-00-07", "User-Name": "host/pc07.corp.example",
           "NAS-Identifier": "sw1", "NAS-IP-Address": "192.0.2.1", "NAS-Port": "7", "NAS-Port-Id": "ge-0/0/7",
           "Called-Station-Id": "00-00-5E-00-53-01", "Framed-IP-Address": "198.51.100.7", "Class": "certdir:7"}


@dataclass
class Outcome:
    """What became of an order; `seconds` since it was given."""

    outcome: str
    cause: int
    seconds: float


class Orders:
    """The module's code that gives orders, with a configuration of its own: outcome(give(..))."""

    def __init__(self, program, directory, configuration):
        (directory / "clients.conf").write_text(configuration)
        self._log = open(directory / "orders.log", "w+b")
        self._process = subprocess.Popen([*driver_wrapper(), program, directory / "clients.conf"], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=self._log, text=True)
        self._count, self._given, self._done = 0, {}, {}
        self._answers = queue.Queue()
        self.opened = json.loads(self._process.stdout.readline() or "{}")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            self._answers.put(json.loads(line))

    def _say(self, line):
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def give(self, client="127.0.0.1", kind="disconnect", session=None, **fields):
        self._count += 1
        self._given[self._count] = time.monotonic()
        self._say({"order": self._count, "kind": kind, "client": client, "session": {**(session or SESSION), **fields}})
        return self._count

    def heard(self, client, secret, own="0.0.0.0", sock=3):
        self._say({"heard": client, "secret": secret, "own": own, "socket": sock})

    def outcome(self, order, timeout=40):
        deadline = time.monotonic() + timeout
        while order not in self._done:
            answer = self._answers.get(timeout=max(0, deadline - time.monotonic()))
            one = answer["order"]
            assert one not in self._done, f"order {one} was answered twice"
            self._done[one] = Outcome(answer["outcome"], answer["cause"], answer["at"] - self._given[one])
        return self._done[order]

    def ask(self, *arguments, **fields):
        """The outcome of one order."""
        return self.outcome(self.give(*arguments, **fields))

    def log(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def close(self):
        self._process.stdin.close()
        code = self._process.wait(30)
        self._log.close()
        return code
