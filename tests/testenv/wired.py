# SPDX-License-Identifier: GPL-2.0-or-later
"""
802.1X on a wire: hostapd as the switch, which also takes orders (RFC 5176), and wpa_supplicant as the PC, at the two ends of a virtual
cable in a network of the test's own (testenv.network).
"""

import contextlib
import os
import re
import shutil
import subprocess

from testenv.supplicant import wait_until

PROGRAMS = ("hostapd", "wpa_supplicant", "ip")
DAS_PORT = 3799
PORT, PC = "port0", "pc0"

HOSTAPD_CONF = """\
interface={port}
driver=wired
ctrl_interface={run}
logger_stdout=-1
logger_stdout_level=0
ieee8021x=1
eapol_version=2
eap_reauth_period=0
use_pae_group_addr=1
own_ip_addr=127.0.0.1
nas_identifier=sw1
auth_server_addr=127.0.0.1
auth_server_port={radius}
auth_server_shared_secret={secret}
acct_server_addr=127.0.0.1
acct_server_port={accounting}
acct_server_shared_secret={secret}
radius_acct_interim_interval={interim}
radius_das_port={das}
radius_das_client=127.0.0.1 {secret}
radius_das_require_event_timestamp=1
radius_das_require_message_authenticator=1
radius_auth_req_attr=61:d:15
radius_auth_req_attr=87:s:ge-0/0/7
"""

WPA_CONF = """\
ctrl_interface={run}
ap_scan=0
eapol_version=2
network={{
	key_mgmt=IEEE8021X
	eap=TLS
	identity="{identity}"
	ca_cert="{ca}"
	client_cert="{certificate}"
	private_key="{key}"
	eapol_flags=0
}}
"""


def missing():
    """Why there can be no such wire here, or None."""
    absent = [program for program in PROGRAMS if not shutil.which(program)]
    return f"not installed: {', '.join(absent)}" if absent else None


class Program:
    """A program that runs until close(), and what it writes."""

    def __init__(self, directory, name, command, environment=None):
        self._path = directory / f"{name}.log"
        with open(self._path, "wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                             env={**os.environ, **(environment or {})})

    def log(self):
        return self._path.read_text(errors="replace")

    def count(self, pattern):
        return len(re.findall(pattern, self.log()))

    def wait(self, pattern, times=1, timeout=10):
        """Until the pattern stands in the log so often; what it matched last."""
        with contextlib.suppress(AssertionError):
            return wait_until(lambda: re.findall(pattern, self.log())[times - 1:], timeout)[0]
        raise AssertionError(f"no {pattern!r} ({times}) within {timeout} s in:\n{self.log()[-3000:]}")

    def close(self):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Switch(Program):
    """One port with 802.1X."""

    def __init__(self, directory, server, accounting, interim=0, das=DAS_PORT):
        for command in (f"link add {PORT} type veth peer name {PC}", f"link set {PORT} up", f"link set {PC} up"):
            subprocess.run(["ip", *command.split()], check=True)
        conf = directory / "hostapd.conf"
        conf.write_text(HOSTAPD_CONF.format(port=PORT, run=directory / "hostapd", radius=server.port, accounting=accounting,
                                            secret=server.secret, interim=interim, das=das))
        super().__init__(directory, "hostapd", ["hostapd", "-dt", conf])
        self.wait("AP-ENABLED")

    def opened(self):
        """How often the port was opened, and closed again."""
        return self.count("AP-STA-CONNECTED"), self.count("AP-STA-DISCONNECTED")

    def close(self):
        super().close()
        subprocess.run(["ip", "link", "delete", PORT], check=False)


class Pc(Program):
    """A PC at that port, with a certificate: it logs in at once, and on log_in()."""

    def __init__(self, directory, pki, certificate, identity="host/pc"):
        self._directory = directory
        conf = directory / "wpa.conf"
        conf.write_text(WPA_CONF.format(run=directory / "wpa", identity=identity, ca=pki.ca, certificate=certificate[0],
                                        key=certificate[1]))
        super().__init__(directory, "wpa", ["wpa_supplicant", "-dt", "-Dwired", f"-i{PC}", f"-c{conf}"])

    def log_in(self):
        """What a PC does that finds its port closed. hostapd says nothing on a wire when it closes one."""
        subprocess.run(["wpa_cli", "-p", self._directory / "wpa", "-i", PC, "reassociate"], check=True, stdout=subprocess.DEVNULL)

    def wait_success(self, times=1):
        self.wait("CTRL-EVENT-EAP-SUCCESS", times)
