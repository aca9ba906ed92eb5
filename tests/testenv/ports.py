# SPDX-License-Identifier: GPL-2.0-or-later
"""Free loopback ports."""

import socket

_given = set()


def free_port(kind="udp"):
    """A port on 127.0.0.1 that nobody has now, never given twice by this process."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        if (kind, port) not in _given:
            _given.add((kind, port))
            return port
