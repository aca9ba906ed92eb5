# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices as Graph gives them, and a list of them published with the certdir command."""

import json
import subprocess
import uuid
from pathlib import Path

from testenv.radiusd import BUILD

DOMAIN = "corp.example"


def device_id(name):
    """A deviceId that is always the same for a name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.device"))


def graph_device(name, **more):
    """A device object as GET /devices gives it."""
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.object")),
        "deviceId": device_id(name),
        "displayName": name,
        "accountEnabled": True,
        "trustType": "AzureAd",
        "isManaged": True,
        "isCompliant": True,
        "operatingSystem": "Windows",
        **more,
    }


class DeviceList:
    """A list file and the devices that are to be in it: change `devices`, then publish()."""

    def __init__(self, path, devices=()):
        self.path = Path(path)
        self.devices = {device["deviceId"]: dict(device) for device in devices}

    def add(self, name, **more):
        device = graph_device(name, **more)
        self.devices[device["deviceId"]] = device
        return device

    def change(self, name, **more):
        self.devices[device_id(name)].update(more)

    def remove(self, name):
        del self.devices[device_id(name)]

    def publish(self):
        """Imports the devices, so that the list holds these and no others."""
        source = self.path.with_suffix(".json")
        source.write_text(json.dumps(list(self.devices.values())))
        import_list(self.path, source)


def import_list(path, source, *options):
    done = subprocess.run([BUILD / "certdir", "list", "import", "--force", "--list", path, *options, source], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, f"certdir list import: {done.returncode}\n{done.stdout}{done.stderr}"
