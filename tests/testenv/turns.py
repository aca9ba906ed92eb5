# SPDX-License-Identifier: GPL-2.0-or-later
"""One supplicant at one port, with one MAC address, that logs in with one certificate after the other, as Windows' "user or computer" does."""

import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from testenv.supplicant import Gate, Login, network_text


@dataclass
class Turn:
    """A login: with another certificate than the one before, or with the same, whose TLS session may be resumed then."""

    certificate: tuple = None
    identity: str = None


class _Turns(Gate):
    """Tells the supplicant, over its control socket, before each login which certificate it has: its identity a login ahead."""

    def __init__(self, server, turns, control):
        super().__init__(server.port, None)
        self.turns, self.control = turns, control

    def _set(self, name, value):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind(str(self.control.parent / "asker"))
            sock.settimeout(10)
            sock.connect(str(self.control / "test"))
            sock.send(f'SET_NETWORK 0 {name} "{value}"'.encode())
            answer = sock.recv(4096)
        (self.control.parent / "asker").unlink()
        assert answer == b"OK\n", f"{name}: {answer}"

    def _begin(self, number):
        # The first packet has said the identity, and the certificate is read when TLS begins.
        turn, following = self.turns[number - 1], self.turns[number:]
        if number > 1 and turn.certificate:
            self._set("client_cert", turn.certificate[0])
            self._set("private_key", turn.certificate[1])
        if following and following[0].identity:
            self._set("identity", following[0].identity)


def log_in_by_turns(server, ca, turns, tls=None):
    """[Attempt] of all of them. What is set ends the TLS session: an identity for a login that resumes one cannot be given."""
    with tempfile.TemporaryDirectory(prefix="turns-") as directory:
        control = Path(directory) / "control"
        first = turns[0]
        network = f"ctrl_interface={control}\n" + network_text(first.identity, *first.certificate, ca, tls or server.tls, "tls")
        with _Turns(server, turns, control) as gate:
            attempts = Login(server, *first.certificate, ca, network=network, logins=len(turns), port=gate.port, timeout=40).finish()
        if gate.error:
            raise gate.error
        return attempts
