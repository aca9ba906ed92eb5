#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What an LDAP directory costs that is well (cpu), and what everybody feels of one that is not (faults), beside rlm_ldap in the same
run; and single questions: devices of a list beside a directory that hangs (list), a certificate with many names (names), 10,000 logins
in 10 s (storm), radiusd's end while the directory hangs (ends). As root it runs in a network namespace of its own, where cables can be pulled; else those cases are left out.
"""

import argparse
import os
import random
import shutil
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bench  # noqa: E402
import bench_ldap_cases  # noqa: E402
import bench_ldap_cpu  # noqa: E402
import bench_ldap_faults  # noqa: E402
from testenv.logins import Pki  # noqa: E402

PARTS = ("cpu", "faults", *bench_ldap_cases.PARTS)


def in_namespace():
    """Goes on in a namespace of networks and mounts of its own, if that may be."""
    if os.geteuid() != 0 or "CERTDIR_BENCH_NAMESPACE" in os.environ:
        return
    os.environ["CERTDIR_BENCH_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "sh", "-c", 'ip link set lo up && mkdir -p /run/netns && exec "$@"', "sh",
                          sys.executable, *sys.argv])


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog="make bench-ldap BENCH='cpu' passes parts on.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; none: all")
    parser.add_argument("--rounds", type=int, default=15, help="of cpu")
    parser.add_argument("--requests", type=int, default=1000, help="of each server in a round of cpu")
    parser.add_argument("--seconds", type=float, default=120, help="that each fault lasts")
    parser.add_argument("--only", help="faults with this in their title")
    parser.add_argument("--stacks", action="store_true", help="keep the stacks of all threads at the end of each fault")
    options = parser.parse_args()
    in_namespace()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # no server is left behind
    parts = options.parts or PARTS
    if wrong := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(wrong)}")
    random.seed(1)
    bench.DIRECTORY = bench.BUILD / f"bench-ldap-{os.getpid()}"
    shutil.rmtree(bench.DIRECTORY, ignore_errors=True)
    bench.DIRECTORY.mkdir(parents=True)
    pki = Pki(bench.DIRECTORY / "pki")
    if "cpu" in parts:
        bench_ldap_cpu.run(pki, options.rounds, options.requests)
    for part in bench_ldap_cases.PARTS:
        if part in parts:
            bench_ldap_cases.run(pki, part, min(options.seconds, 20))
    if "faults" in parts:
        bench_ldap_faults.run(pki, options.seconds, options.only, options.stacks)
    shutil.rmtree(bench.DIRECTORY, ignore_errors=True)


if __name__ == "__main__":
    main()
