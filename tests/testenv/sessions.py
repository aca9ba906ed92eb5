# SPDX-License-Identifier: GPL-2.0-or-later
"""A shipped site whose sessions are known, and what a network device says and hears of them."""

import hashlib
import json
import socket
import struct
import subprocess

from testenv.radiusd import BUILD, shipped_module
from testenv.shipped import ShippedSite
from testenv.supplicant import radclient


class KnownSessions(ShippedSite):
    """certdir-wifi with sessions { }, which keeps them in `file`, and `device`, the network device that takes its orders. `module`: more of its options."""

    def __init__(self, directory, trust, device_list, device=None, options="", module=None, **more):
        self.file = directory / "certdir.sessions"
        self.device = device
        module = shipped_module({"directories": "list", "list.filename": device_list.path, **(module or {})})
        module = module.replace("\n\tpolicy {", f"\n\tsessions {{\n\t\tfilename = {self.file}\n{options}\t}}\n\n\tpolicy {{", 1)
        super().__init__(directory, trust, module, "certdir-wifi", **more)

    def write(self):
        super().write()
        conf = self.raddb / "radiusd.conf"
        client = f"ipaddr = 127.0.0.1\n\tcoa_port = {self.device.port if self.device else 3799}"
        conf.write_text(conf.read_text().replace("ipaddr = 127.0.0.1", client, 1))

    def account(self, kind, session=None, login=None, **attributes):
        """One accounting packet of the device; its Class is that of the login."""
        said = {"Acct-Status-Type": kind, "NAS-Identifier": "ap1", "Calling-Station-Id": "020000.0000ab"}
        if session:
            said["Acct-Session-Id"] = session
        if login:
            said |= {"User-Name": login.one("User-Name"), "Class": login.one("Class")}
        to = type("Accounting", (), {"port": self.accounting_port, "secret": self.secret})
        assert radclient(to, {**said, **attributes}, "acct").code == "Accounting-Response"

    def known(self):
        """What `certdir sessions list` has of them: {Acct-Session-Id: object}."""
        done = subprocess.run([BUILD / "certdir", "sessions", "list", "--json", self.file], capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        return {one["session"]: one for one in map(json.loads, done.stdout.splitlines())}

    def states(self):
        return {session: one["state"] for session, one in self.known().items()}


class Nas:
    """Accounting-Requests by a socket of its own, each as soon as the one before is answered."""

    KINDS = {"Start": 1, "Stop": 2, "Interim-Update": 3}

    def __init__(self, server, name):
        self.secret, self.name, self.identifier = server.secret.encode(), name.encode(), 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", server.accounting_port))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def account(self, kind, session, login):
        """`login`: whose Class it has."""
        said = {40: struct.pack("!I", self.KINDS[kind]), 44: session.encode(), 32: self.name, 25: login.one("Class").encode()}
        fields = b"".join(bytes([number, len(value) + 2]) + value for number, value in said.items())
        self.identifier = (self.identifier + 1) & 0xFF
        head = struct.pack("!BBH", 4, self.identifier, 20 + len(fields))
        self.socket.send(head + hashlib.md5(head + bytes(16) + fields + self.secret).digest() + fields)
        while self.socket.recv(4096)[1] != self.identifier:
            pass
