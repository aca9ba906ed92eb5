# SPDX-License-Identifier: GPL-2.0-or-later
"""
Which part of each room's lines the tests ran, from a build with --coverage.

usage: coverage.py BUILD
"""
import json
import pathlib
import subprocess
import sys
from collections import defaultdict


def lines_of(build):
    """{source file: {line: how often it ran}}, over all objects that were run."""
    counts = defaultdict(lambda: defaultdict(int))
    data = sorted(pathlib.Path(build, "rlm_certdir").rglob("*.gcda"))
    if not data:
        sys.exit(f"coverage.py: nothing below {build} was run: no .gcda files")
    out = subprocess.run(["gcov", "--json-format", "--stdout", *map(str, data)], check=True, capture_output=True, text=True).stdout
    for report in out.splitlines():
        for source in json.loads(report)["files"]:
            for line in source["lines"]:
                counts[source["file"]][line["line_number"]] += line["count"]
    return counts


def main():
    rooms = defaultdict(lambda: [0, 0])
    for name, lines in lines_of(sys.argv[1]).items():
        path = pathlib.PurePath(name)
        if path.parts[0] != "rlm_certdir":
            continue
        room = rooms[path.parts[1] if len(path.parts) > 2 else "(the flow and the module)"]
        room[0] += sum(1 for count in lines.values() if count)
        room[1] += len(lines)
    for room, (ran, lines) in sorted(rooms.items()):
        print(f"{room:26} {100 * ran / lines:5.1f} %  of {lines:6} lines")
    ran, lines = (sum(column) for column in zip(*rooms.values()))
    print(f"{'all':26} {100 * ran / lines:5.1f} %  of {lines:6} lines")


if __name__ == "__main__":
    main()
