#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Makes what docker/compose.yaml mounts, of the demo's devices, below build/docker (or the directory given):
certs/ and clients.conf for the server, list/ with the device list, devices/ with the devices' own certificates.
"""

import json
import os
import secrets
import shutil
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tests"))

import demo  # noqa: E402
from testenv.devices import DeviceList  # noqa: E402
from testenv.logins import Pki  # noqa: E402

CLIENTS = """\
#  Made by docker/demo.py, with a secret of its own. Any address: compose.yaml publishes the ports on loopback only.
client demo {{
	ipaddr = *
	secret = {secret}
}}
"""


def copy(source, target):
    """For a server that runs as another user; these keys are worth nothing outside the demo."""
    shutil.copyfile(source, target)
    target.chmod(0o644)


def main(directory):
    shutil.rmtree(directory, ignore_errors=True)
    for name in ("certs", "list"):
        (directory / name).mkdir(parents=True)
    pki = Pki(directory / "devices")
    for name, source in (("ca.pem", pki.ca), ("server.pem", pki.server[0]), ("server.key", pki.server[1])):
        copy(source, directory / "certs" / name)
    secret = secrets.token_hex(16)
    (directory / "clients.conf").write_text(CLIENTS.format(secret=secret))
    given = json.loads(demo.DEVICES.read_text())["value"]
    devices = DeviceList(directory / "list" / "devices.db", given)
    devices.publish()
    devices.path.chmod(0o644)
    for row in demo.rows({device["displayName"]: device["deviceId"] for device in given}):
        pki.issue(row.recipe, stem=row.stem.lower())
    print(f"{os.path.relpath(directory)} is ready for docker/compose.yaml. RADIUS secret: {secret}")
    print("The list counts as current for an hour (max_age in raddb-snippets/mods-available/certdir): run this again then.")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else REPO / "build" / "docker")
