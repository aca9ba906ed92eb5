# SPDX-License-Identifier: GPL-2.0-or-later
"""
Which share of a process's CPU time is certdir's, by samples of its stacks (perf). Two totals, with certdir and without,
differ from round to round by more than what certdir takes of a login; samples of one run do not.
"""

import shutil
import signal
import subprocess
from collections import Counter

# Samples a second of CPU time: a prime, so that nothing periodic keeps in step with them.
FREQUENCY = 997
# Bytes of stack in each sample: the server's log line alone has buffers of 10 KiB in several frames.
STACK = 32768

# What certdir was doing, by the functions on the stack; the first that fits counts.
PARTS = {
    "reading the certificate": {"certdir_certificate_read", "certdir_certificate_clear"},
    "directories": {"search_list", "certdir_answer_clear"},
    "decision": {"certdir_decide", "certdir_deciding"},
    "log line": {"vradlog_request", "radlog_request", "fr_prints", "login_fields", "log_decision"},
}
REST = "rest"


def part_of(stack):
    """
    What of certdir's a stack, a list of (function, file), is in; None where it is the server's. The module's wrapper around
    EAP-TLS is on all stacks of a handshake and does nothing itself. Nobody else logs lines here, and while one is written the
    module may stand too far up the stack for perf.
    """
    functions = {function for function, _ in stack}
    if "vradlog_request" not in functions and not any(
            file.endswith("/rlm_certdir.so") and function != "wrapped_process" for function, file in stack):
        return None
    return next((part for part, of_it in PARTS.items() if functions & of_it), REST)


def stacks(text):
    """The stacks in what `perf script -F ip,sym,dso` prints: lines `address function (file)`, empty ones between samples."""
    for sample in text.split("\n\n"):
        frames = [line.split(None, 1)[1].rsplit(" (", 1) for line in sample.splitlines() if line.endswith(")")]
        if frames:
            yield [(function, file.rstrip(")")) for function, file in frames]


def measure(pid, load, file):
    """
    Samples a process while `load()` runs: Counter of part_of() of all samples. `file` holds them meanwhile. RuntimeError when
    perf is not there or may not.
    """
    if not shutil.which("perf"):
        raise RuntimeError("it takes perf (Debian: linux-perf)")
    with subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", str(FREQUENCY), "--call-graph",
                           f"dwarf,{STACK}", "-p", str(pid), "-o", file], stderr=subprocess.PIPE, text=True) as record:
        try:
            load()
        finally:
            record.send_signal(signal.SIGINT)
        complaint = record.communicate()[1].strip()
    if record.returncode not in (0, -signal.SIGINT):
        raise RuntimeError(f"perf ended with {record.returncode}: {complaint[:200]}")
    try:
        script = subprocess.run(["perf", "script", "--no-inline", "-F", "ip,sym,dso", "-i", file], check=True,
                                capture_output=True, text=True).stdout
    finally:
        file.unlink()
    return Counter(part_of(stack) for stack in stacks(script))
