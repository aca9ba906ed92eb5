# SPDX-License-Identifier: GPL-2.0-or-later
"""A PC that real tools join to a domain, in a network where the domain controller has its usual ports (testenv.network)."""

import os
import shutil
import subprocess
from pathlib import Path

from testenv.samba import ADMIN_PASSWORD, DNS, DOMAIN, REALM

SMB_CONF = """\
[global]
	netbios name = {name}
	realm = {realm}
	workgroup = {domain}
	security = ads
	server role = member server
	interfaces = {address}/24
	bind interfaces only = yes
	kerberos method = dedicated keytab
	dedicated keytab file = {keytab}
	log level = 1
"""
PLACES = {"private": "private dir", "state": "state directory", "cache": "cache directory", "lock": "lock directory",
          "pid": "pid directory", "ncalrpc": "ncalrpc dir"}


def missing():
    """Which tool is not here, or None."""
    for tool, package in (("adcli", "adcli"), ("net", "samba-common-bin"), ("samba-tool", "samba-common-bin"),
                          ("kinit", "krb5-user"), ("unshare", "util-linux"), ("ip", "iproute2")):
        if not shutil.which(tool):
            return f"{tool} is not installed (Debian package {package})"
    return None


class Pc:
    """`name`: what it is called, at most 15 characters; `address`: what it has."""

    def __init__(self, directory, domain, name, address):
        self.directory, self.domain, self.name = Path(directory), domain, name
        self.directory.mkdir()
        self.keytab, self.conf = self.directory / "keytab", self.directory / "smb.conf"
        (self.directory / "resolv.conf").write_text(f"nameserver {domain.address}\nsearch {DNS}\n")
        text = SMB_CONF.format(name=name, realm=REALM, domain=DOMAIN, address=address, keytab=self.keytab)
        for place, option in PLACES.items():
            (self.directory / place).mkdir()
            text += f"\t{option} = {self.directory / place}\n"
        self.conf.write_text(text)

    def run(self, *command, typed=""):
        """As on a machine whose resolver is the domain controller."""
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        environment = self.domain.krb5_env(self.directory / "tickets")
        return subprocess.run(["unshare", "--mount", "sh", "-c", script, self.directory / "resolv.conf", *command], input=typed,
                              capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, **environment, "LC_ALL": "C"})

    def adcli(self, user="Administrator", password=ADMIN_PASSWORD):
        return self.run("adcli", "join", f"--domain={DNS}", f"--login-user={user}", "--stdin-password",
                        f"--computer-name={self.name}", f"--host-fqdn={self.name.lower()}.{DNS}",
                        f"--host-keytab={self.keytab}", "--os-name=Debian", "--os-version=12", typed=password)

    def net(self):
        """`net ads join` with a ticket."""
        ticket = self.run("kinit", f"Administrator@{REALM}", typed=f"{ADMIN_PASSWORD}\n")
        assert ticket.returncode == 0, ticket.stderr
        return self._with_keytab(self.run("net", "-s", self.conf, "ads", "join", "-k", "-S", f"dc1.{DNS}"))

    def samba_tool(self):
        return self._with_keytab(self.run("samba-tool", "domain", "join", DNS, "MEMBER", "-s", self.conf,
                                          "-U", f"Administrator%{ADMIN_PASSWORD}"))

    def _with_keytab(self, joined):
        """The password is in secrets.tdb alone; the machine makes a keytab of it."""
        return self.run("net", "-s", self.conf, "ads", "keytab", "create", "-P") if joined.returncode == 0 else joined

    def log_on(self):
        """With its own key."""
        return self.run("kinit", "-k", "-t", self.keytab, f"{self.name}$@{REALM}")
