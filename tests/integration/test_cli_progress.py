# SPDX-License-Identifier: GPL-2.0-or-later
"""What a sync shows at a terminal while it works: lines that fit and that nothing is left of, and who has no terminal sees none."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

from testenv.sync import Sync, serving
from testenv.tenant import Tenant

COLUMNS = 40


def on_screen(said):
    """The lines that a terminal shows after all that was said; with how wide the widest was while they came."""
    lines, widest = [""], 0
    row = 0
    for part in re.findall(r"\r\n|\n|\r|\033\[K|\033\[A|[^\r\n\033]+", said):
        if part in ("\r\n", "\n"):
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\033[A":
            row -= 1
        elif part == "\033[K":
            lines[row] = ""  # it comes behind \r alone
        elif part != "\r":
            lines[row] += part
            if " pages, " in part:
                widest = max(widest, len(lines[row]))
    return [line for line in lines if line], widest


def run_at_terminal(command, seen):
    """All that it says; `seen` is set when there was a line about pages."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    said = b""
    with subprocess.Popen(command, stdout=its, stderr=its) as process:
        os.close(its)
        try:
            while part := os.read(ours, 65536):
                said += part
                if b"page" in said:
                    seen.set()
        except OSError:  # the other side is closed
            pass
        code = process.wait()
    os.close(ours)
    return code, said.decode()


def test_a_sync_at_a_terminal(tmp_path):
    seen = threading.Event()

    def hold(_server, _request, proper):
        seen.wait(30)
        return proper()

    with serving() as serve:
        graph = serve(Tenant("contoso", 5))
        sync = Sync(tmp_path / "sync", graph)
        sync.write()
        command = sync.command("sync", "-c", sync.conf)
        graph.order("devices", hold)
        code, said = run_at_terminal(command, seen)
        assert code == 0 and seen.is_set() and "\033[K" in said
        lines, widest = on_screen(said)
        assert widest == COLUMNS - 1, "a line that is longer is cut, as one that wraps could not be written over"
        assert not [line for line in lines if " pages, " in line], "nothing is left of them"
        assert [line.split()[0] for line in lines] == ["contoso:"] * 3 + [f"{sync.list_file}:"]
        piped = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "\033" not in piped.stdout + piped.stderr and " pages, " not in piped.stderr
