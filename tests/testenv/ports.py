# SPDX-License-Identifier: GPL-2.0-or-later
"""Free loopback ports."""

import random
import socket

# The kernel gives 32768 and above to whoever asks for any port, between our look and the server's bind.
_PORTS = range(10000, 32768)
_random = random.SystemRandom()  # a test that seeds the other one repeats its ports
# A claim is a name in the abstract name space, which reaches as far as the ports do: it is everybody's who runs these tests here,
# and ends with the process.
_claims = []


def free_port(kind="udp"):
    """A port on 127.0.0.1 that nobody has now, and that no process of these tests is given while this one lives."""
    while True:
        port = _random.choice(_PORTS)
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0certdir-tests-{kind}-{port}")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as sock:
                sock.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port
