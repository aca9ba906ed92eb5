# SPDX-License-Identifier: GPL-2.0-or-later
"""
strongSwan as a VPN gateway that asks RADIUS (EAP-TLS), sends accounting and takes orders (RFC 5176), and as its client, in a network of the
test's own. They end after IKE_AUTH without a tunnel (RFC 6023): that is all of a login, and a kernel without ESP will do.
"""

import os
import shutil
import subprocess

from testenv.wired import Program

PROGRAMS = ("charon-systemd", "swanctl")
GATEWAY, CLIENT = "10.88.0.1", "10.88.0.2"

LOAD = "random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints kdf"
STRONGSWAN_CONF = """\
swanctl {{
	load = {load}
}}
charon-systemd {{
	load = {load} kernel-netlink socket-default vici eap-identity eap-tls eap-radius
	install_routes = no
	install_virtual_ip = no
	port = {port}
	port_nat_t = {port_nat_t}
	retransmit_tries = 1
	user_agent = certdir
	journal {{
		default = -1
	}}
	filelog {{
		stderr {{
			default = 1
			cfg = 2
			flush_line = yes
		}}
	}}
	plugins {{
		vici {{
			socket = unix://{directory}/vici
		}}
		{plugins}
	}}
}}
"""

EAP_RADIUS = """
		eap-radius {{
			accounting = yes
			accounting_requires_vip = no
			nas_identifier = vpn1
			dae {{
				enable = yes
				listen = 127.0.0.1
				port = 3799
				secret = {secret}
			}}
			servers {{
				one {{
					address = 127.0.0.1
					auth_port = {radius}
					acct_port = {accounting}
					secret = {secret}
				}}
			}}
		}}
"""

GATEWAY_CONF = f"""\
connections {{
	vpn {{
		version = 2
		local_addrs = {GATEWAY}
		childless = force
		send_cert = always
		local {{
			auth = pubkey
			certs = server.pem
			id = "CN=radius.corp.example"
		}}
		remote {{
			auth = eap-radius
			eap_id = %any
		}}
		children {{
			net {{
			}}
		}}
	}}
}}
"""

CLIENT_CONF = f"""\
connections {{
	vpn {{
		version = 2
		local_addrs = {CLIENT}
		remote_addrs = {GATEWAY}
		childless = force
		local {{
			auth = eap-tls
			certs = client.pem
			id = {{identity}}
			aaa_id = "CN=radius.corp.example"
		}}
		remote {{
			auth = pubkey
			id = "CN=radius.corp.example"
		}}
	}}
}}
"""


def missing():
    """Why there can be no VPN here, or None."""
    absent = [program for program in PROGRAMS if not shutil.which(program)]
    return f"not installed: {', '.join(absent)}" if absent else None


class Charon(Program):
    """One strongSwan, with a configuration and a key of its own."""

    def __init__(self, directory, pki, name, ports, configuration, plugins, pair):
        self.directory = directory / name
        for place in ("x509", "x509ca", "private"):
            (self.directory / place).mkdir(parents=True)
        shutil.copy(pki.ca, self.directory / "x509ca" / "ca.pem")
        shutil.copy(pair[0], self.directory / "x509" / ("server.pem" if name == "gateway" else "client.pem"))
        shutil.copy(pair[1], self.directory / "private" / "key.pem")
        (self.directory / "swanctl.conf").write_text(configuration)
        (self.directory / "strongswan.conf").write_text(STRONGSWAN_CONF.format(
            load=LOAD, directory=self.directory, port=ports[0], port_nat_t=ports[1], plugins=plugins))
        super().__init__(directory, name, ["charon-systemd"], {"STRONGSWAN_CONF": self.directory / "strongswan.conf"})
        self.wait(r"spawning \d+ worker threads")
        self.swanctl("--load-all")

    def swanctl(self, *arguments):
        done = subprocess.run(["swanctl", *arguments, "--uri", f"unix://{self.directory}/vici"], capture_output=True, text=True,
                              env={**os.environ, "SWANCTL_DIR": self.directory, "STRONGSWAN_CONF": self.directory / "strongswan.conf"},
                              timeout=30, check=False)
        return done.stdout + done.stderr


def gateway(directory, pki, server, accounting):
    plugins = EAP_RADIUS.format(secret=server.secret, radius=server.port, accounting=accounting)
    return Charon(directory, pki, "gateway", (500, 4500), GATEWAY_CONF, plugins, pki.server)


def client(directory, pki, certificate, identity):
    return Charon(directory, pki, "client", (5500, 5501), CLIENT_CONF.replace("{identity}", identity), "", certificate)
