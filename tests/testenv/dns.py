# SPDX-License-Identifier: GPL-2.0-or-later
"""A DNS server for one program under test: addresses and SRV records, true ones and others."""

import socket
import struct

from testenv.ldap_faults import Resolver

A, SRV = 1, 33


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def srv(host, port=389, priority=0, weight=0):
    return struct.pack("!HHH", priority, weight, port) + wire(host)


class Names(Resolver):
    """
    Answers what `names` has, {name: {type: [record data]}}. For a name with a `whole` answer, a function that makes the message
    of (id, question), it is that, whatever was asked; with None the name is met with silence.
    """

    def __init__(self, directory):
        self.names, self.whole = {}, {}
        super().__init__(directory)

    def address_of(self, host, *addresses):
        self.names[host] = {A: [socket.inet_aton(address) for address in addresses]}

    def service(self, name, *records):
        self.names[name] = {SRV: list(records)}

    def run(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            if self.over:
                return
            if answer := self.answer(query):
                self.socket.sendto(answer, client)

    def answer(self, query):
        end = query.index(0, 12) + 5
        question, kind = query[12:end], int.from_bytes(query[end - 4:end - 2], "big")
        labels, name = question[:-4], []
        while labels[0]:
            name.append(labels[1:1 + labels[0]].decode().lower())
            labels = labels[1 + labels[0]:]
        name = ".".join(name)
        if name in self.whole:
            return self.whole[name] and self.whole[name](query[:2], question)
        return message(query[:2], question, self.names.get(name, {}).get(kind, []), kind,
                       code=0 if name in self.names else 3)


def message(number, question, records, kind=SRV, code=0, flags=0, count=None):
    """RFC 1035 4.1. `count` is the number of answers that it claims, when that is not how many there are."""
    head = number + struct.pack("!HHHHH", 0x8580 | flags | code, 1, len(records) if count is None else count, 0, 0)
    return head + question + b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 1, len(data)) + data for data in records)


TRUNCATED = 0x0200
