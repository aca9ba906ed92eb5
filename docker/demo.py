#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Makes what docker/compose.yaml mounts, of the demo's devices, below build/docker (or the directory given):
certs/ and secrets/ for the server, list/ with the device list, devices/ with the devices' own certificates.
Run again, it makes the list again and leaves the rest: a container that runs has these directories mounted.
"""

import json
import os
import re
import secrets
import shutil
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tests"))

import demo  # noqa: E402
from testenv.devices import DeviceList  # noqa: E402
from testenv.logins import Pki  # noqa: E402

CONTAINER_USER = 1812
CLIENTS = """\
#  Made by docker/demo.py, with a secret of its own. Any address: compose.yaml publishes the ports on loopback only.
client demo {{
	ipaddr = *
	secret = {secret}
}}
"""


def give(directory):
    """To the container's user. Who is not root cannot give: all may read then, and these keys are worth nothing outside the demo."""
    if os.geteuid() == 0:
        for path in (directory, *directory.iterdir()):
            os.chown(path, CONTAINER_USER, CONTAINER_USER)


def make_server(directory, ids):
    """Certificates of server and devices, and clients.conf, which comes last: where it is, all of it is."""
    for name in ("certs", "secrets", "list", "devices"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    pki = Pki(directory / "devices")
    for name, source in (("certs/ca.pem", pki.ca), ("certs/server.pem", pki.server[0]), ("secrets/server.key", pki.server[1])):
        shutil.copyfile(source, directory / name)
    for row in demo.rows(ids):
        pki.issue(row.recipe, stem=row.stem.lower())
    for path in directory.glob("certs/*"):
        path.chmod(0o644)
    (directory / "secrets/clients.conf").write_text(CLIENTS.format(secret=secrets.token_hex(16)))
    for path in directory.glob("secrets/*"):
        path.chmod(0o600 if os.geteuid() == 0 else 0o644)
    give(directory / "secrets")


def make_list(directory, given):
    """A fresh list, also where an older certdir left one. The sync in the container, which may replace it, runs as user id 1812."""
    (directory / "devices.db").unlink(missing_ok=True)
    devices = DeviceList(directory / "devices.db", given)
    devices.publish()
    devices.path.chmod(0o644)
    give(directory)


def main(directory):
    given = json.loads(demo.DEVICES.read_text())["value"]
    if not (directory / "secrets/clients.conf").exists():
        make_server(directory, {device["displayName"]: device["deviceId"] for device in given})
    make_list(directory / "list", given)
    secret = re.search(r"secret = (\w+)", (directory / "secrets/clients.conf").read_text())
    print(f"{os.path.relpath(directory)} is ready for docker/compose.yaml. RADIUS secret: {secret[1] if secret else 'yours'}")
    print("The list counts as current for an hour (max_age in raddb-snippets/mods-available/certdir): run this again then.")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else REPO / "build" / "docker")
