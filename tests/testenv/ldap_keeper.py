# SPDX-License-Identifier: GPL-2.0-or-later
"""The program that keeps a directory: reads it whole, and writes to it."""

import json
import os
import select
import subprocess

import pytest

from testenv.driver import driver_wrapper
from testenv.slapd import DEVICES

RES_TIMEOUT = 1


class Keeper:
    """A running program with one connection."""

    def __init__(self, program, server, environment=None, wrapper=(), **options):
        options = {"server": server, "net_timeout": 2, "res_timeout": RES_TIMEOUT, **options}
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("LDAP", "KRB5"))}
        self.process = subprocess.Popen([*wrapper, *driver_wrapper(), str(program), json.dumps(options)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**inherited, "LDAPNOINIT": "1", **(environment or {})})
        self.opened = self._read()

    def _read(self, timeout=60):
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            self.process.kill()
            pytest.fail("the program hangs")
        line = self.process.stdout.readline()
        if not line:
            pytest.fail(f"the program ended with {self.process.wait()}:\n{self.process.stderr.read()}")
        return json.loads(line)

    def _request(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._read()

    def list(self, base=DEVICES, attributes=("cn",), **more):
        return self._request(list={"base": base, "attributes": attributes, **more})

    def send(self, *operations):
        return self._request(send=operations)

    def receive(self, count):
        return self._request(receive=count)

    def run(self, *operations):
        """Sends all, then waits for all; the answers in the order of the operations."""
        sent = self.send(*operations)
        assert sent["status"] == "ok", sent
        received = self.receive(len(operations))
        assert received["status"] == "ok", received
        answers = {answer["id"]: answer for answer in received["answers"]}
        return [answers[number] for number in sent["ids"]]

    def one(self, verb, dn, **more):
        return self.run({"verb": verb, "dn": dn, **more})[0]

    def statuses(self, *operations):
        """All are on the way at once, and the server does them in any order."""
        return [answer["status"] for answer in self.run(*operations)]

    def close(self):
        _, log = self.process.communicate(timeout=60)
        assert self.process.returncode == 0 and log == "", log
