# SPDX-License-Identifier: GPL-2.0-or-later
"""A network of one's own, where the standard ports of a domain controller, UDP and DNS are free."""

import contextlib
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000


def _call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


@contextlib.contextmanager
def own_network(*addresses):
    """
    This thread, and what it starts, in a network that nobody else sees and that is gone with the last of them; OSError where
    that may not be.
    """
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _call("unshare", CLONE_NEWNET)
        try:
            for command in ("link set lo up", *(f"address add {address}/24 dev lo" for address in addresses)):
                subprocess.run(["ip", *command.split()], check=True)
            yield
        finally:
            _call("setns", before, CLONE_NEWNET)
    finally:
        os.close(before)


@contextlib.contextmanager
def network_of(process):
    """Sockets that this thread opens inside are in the network of a process."""
    own, there = (os.open(f"/proc/{one}/ns/net", os.O_RDONLY) for one in ("thread-self", process))
    try:
        _call("setns", there, CLONE_NEWNET)
        try:
            yield
        finally:
            _call("setns", own, CLONE_NEWNET)
    finally:
        os.close(own)
        os.close(there)
