# SPDX-License-Identifier: GPL-2.0-or-later
"""
Which part of each room's lines the tests ran, and of the ways that conditions can go, from a build with --coverage.

usage: coverage.py BUILD
"""
import json
import pathlib
import subprocess
import sys
from collections import defaultdict
from itertools import zip_longest


def lines_of(build):
    """{source file: {line: [how often it ran, how often each branch of it was taken]}}, over all objects that were run."""
    found = defaultdict(dict)
    data = sorted(pathlib.Path(build, "rlm_certdir").rglob("*.gcda"))
    if not data:
        sys.exit(f"coverage.py: nothing below {build} was run: no .gcda files")
    out = subprocess.run(["gcov", "--json-format", "--branch-probabilities", "--stdout", *map(str, data)],
                         check=True, capture_output=True, text=True).stdout
    for report in out.splitlines():
        for source in json.loads(report)["files"]:
            for line in source["lines"]:
                counts = [line["count"], *(branch["count"] for branch in line["branches"])]
                known = found[source["file"]].setdefault(line["line_number"], [0] * len(counts))
                known[:] = map(sum, zip_longest(known, counts, fillvalue=0))  # an inline function is in several objects
    return found


def row(room, lines, ran, branches, taken):
    return (f"{room:26} {100 * ran / lines:5.1f} % of {lines:6} lines"
            f" {100 * taken / max(branches, 1):5.1f} % of {branches:6} branches")


def main():
    rooms = defaultdict(lambda: [0, 0, 0, 0])
    for name, lines in lines_of(sys.argv[1]).items():
        path = pathlib.PurePath(name)
        if path.parts[0] != "rlm_certdir":
            continue
        room = rooms[path.parts[1] if len(path.parts) > 2 else "(the flow and the module)"]
        for ran, *branches in lines.values():
            room[:] = map(sum, zip(room, (1, ran > 0, len(branches), sum(map(bool, branches)))))
    for room, figures in sorted(rooms.items()):
        print(row(room, *figures))
    print(row("all", *map(sum, zip(*rooms.values()))))


if __name__ == "__main__":
    main()
