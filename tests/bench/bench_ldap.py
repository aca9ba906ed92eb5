#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What an LDAP directory costs that is well (cpu), beside rlm_ldap in the same run.
"""

import argparse
import random
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bench  # noqa: E402
import bench_ldap_cpu  # noqa: E402
from testenv.logins import Pki  # noqa: E402

PARTS = ("cpu",)


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog="make bench-ldap BENCH='cpu' passes parts on.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; none: all")
    parser.add_argument("--rounds", type=int, default=15, help="of cpu")
    parser.add_argument("--requests", type=int, default=1000, help="of each server in a round of cpu")
    options = parser.parse_args()
    parts = options.parts or PARTS
    if wrong := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(wrong)}")
    random.seed(1)
    bench.DIRECTORY = bench.BUILD / "bench-ldap"
    shutil.rmtree(bench.DIRECTORY, ignore_errors=True)
    bench.DIRECTORY.mkdir(parents=True)
    pki = Pki(bench.DIRECTORY / "pki")
    if "cpu" in parts:
        bench_ldap_cpu.run(pki, options.rounds, options.requests)
    shutil.rmtree(bench.DIRECTORY, ignore_errors=True)


if __name__ == "__main__":
    main()
