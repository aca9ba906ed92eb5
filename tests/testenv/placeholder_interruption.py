# SPDX-License-Identifier: GPL-2.0-or-later
"""What may happen to a run in the middle of its work: certdir killed or told to end, the connection cut, the directory crashed."""

import signal
from concurrent.futures import Future

from testenv.ldap_proxy import CUT, DROP


class Interruption:
    """Something that happens at a write of a run. `gently`: the server may finish what it was sent."""

    KINDS = ("kill before", "kill sent", "kill answer", "kill sent", "kill answer", "cut before", "cut answer",
             "crash before", "crash answer", "terminate")

    def __init__(self, kind, number, realm, gently):
        self.kind, self.number, self.realm, self.gently = kind, number, realm, gently
        self.process = Future()
        self.seen = 0
        self.happened = False
        if kind.endswith("answer"):
            realm.proxy.on_answer = self._check
        else:
            realm.proxy.on_request = self._check

    def __str__(self):
        return f"{self.kind} {self.number}{'' if self.happened else ' (never came to it)'}"

    def _check(self, request):
        self.seen += request.is_write
        if self.happened or self.seen < self.number:
            return None
        self.happened = True
        return getattr(self, "_" + self.kind.replace(" ", "_"))(self.process.result(10))

    @staticmethod
    def _kill_before(process):
        process.kill()
        return DROP

    @staticmethod
    def _kill_sent(process):
        process.kill()

    _kill_answer = _kill_sent

    def _cut_before(self, _):
        return DROP if self.gently else CUT

    _cut_answer = _cut_before

    def _crash_before(self, _):
        self.realm.crash(self.gently)
        return CUT

    _crash_answer = _crash_before

    @staticmethod
    def _terminate(process):
        process.send_signal(signal.SIGTERM)
