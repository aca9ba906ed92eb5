#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
logins.py DIRECTORY demo|later: the demo's logins at 127.0.0.1, port 1812, with what docker/demo.py made in DIRECTORY.
demo: as in the demo. later: with tests/docker/devices-later.json, where one device was disabled and one came back.
"""

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import demo  # noqa: E402
from testenv.supplicant import login  # noqa: E402


def main(directory, act):
    secret = re.search(r"secret = (\w+)", (directory / "secrets/clients.conf").read_text())[1]
    server = SimpleNamespace(port=1812, secret=secret)
    given = json.loads(demo.DEVICES.read_text())["value"]
    expected = [(row.stem, row.accepted, row.vlan) for row in demo.rows({d["displayName"]: d["deviceId"] for d in given})]
    if act == "later":
        expected = [("LAPTOP-ANNA", False, None), ("LAPTOP-LOST", True, "10")]
    wrong = 0
    for stem, accepted, vlan in expected:
        device = directory / "devices" / stem.lower()
        attempt, = login(server, f"{device}.pem", f"{device}.key", directory / "devices" / "ca.pem",
                         identity=f"host/{stem}")
        good = (attempt.accepted, attempt.vlan if attempt.accepted else None) == (accepted, vlan)
        wrong += not good
        print(f"{stem:<12} {'ACCEPT' if attempt.accepted else 'REJECT'}  VLAN {attempt.vlan or '-'}"
              f"{'' if good else f'  <- must be {accepted}, VLAN {vlan}'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
