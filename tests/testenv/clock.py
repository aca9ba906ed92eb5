# SPDX-License-Identifier: GPL-2.0-or-later
"""
Another time for a program that asks time(2). libfaketime could do all of it, but leaves shared memory behind for each process that
is killed, and stumbles over it when the process's number comes again.
"""

import functools
import tempfile
from pathlib import Path

from testenv.driver import build_preload


@functools.cache
def _library():
    directory = tempfile.TemporaryDirectory(prefix="certdir-clock-")
    return directory, build_preload(Path(directory.name), "clock")  # which is removed when nobody holds it any more


def later(days):
    """The environment in which it is so many days later."""
    return {"LD_PRELOAD": str(_library()[1]), "TEST_LATER": str(round(days * 86400))} if days else {}


def clock(at):
    """The environment in which it is `at` (Unix seconds) and stays so; None is now."""
    return {"LD_PRELOAD": str(_library()[1]), "TEST_TIME": str(int(at))} if at is not None else {}


def hurry(later=0):
    """
    Time goes by thirty times as fast, also where it is measured: a minute's patience ends after two seconds. It begins so
    many seconds later, for a program that comes after another one that hurried.
    """
    return {"LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "FAKETIME": f"+{later} x30"}


HURRY = hurry()


def sweep(pid):
    """Removes what libfaketime left behind of this process, which has ended."""
    for path in Path("/dev/shm").glob(f"*faketime_*_{pid}"):
        path.unlink(missing_ok=True)
