# SPDX-License-Identifier: GPL-2.0-or-later
"""The distribution's own raddb, as it comes with the package, with certdir wired into it step by step."""

import re
import shutil
from pathlib import Path

from testenv.ports import free_port
from testenv.radiusd import SNIPPETS, Radiusd

STOCK = Path("/etc/freeradius/3.0")


class StockRadiusd(Radiusd):
    """
    A radiusd with a copy of the stock raddb. certdir's files are in place and `mods-enabled/certdir` is linked; all
    else that the documentation tells, is a parameter: `sites` that are linked, what stands in tls { } of eap, where clients are sent.
    `edits`: {file: [(old, new)]}, each must be found.
    """

    def __init__(self, directory, trust, module, *, sites=("certdir-check", "certdir-wifi"),
                 eap_tls="virtual_server = certdir-check", client="virtual_server = certdir-wifi", own_ca=True, edits=None,
                 **options):
        self.linked, self.eap_tls, self.client, self.own_ca = sites, eap_tls, client, own_ca
        self.edits = edits or {}
        super().__init__(directory, trust, module, **{"debug": 0, **options})

    def write(self):
        shutil.rmtree(self.raddb, ignore_errors=True)
        shutil.copytree(STOCK, self.raddb, symlinks=True)
        run = self.directory / "run"
        run.mkdir(exist_ok=True)
        self.edit("radiusd.conf", (r"^raddbdir = .*", f"raddbdir = {self.raddb}"), (r"^logdir = .*", f"logdir = {run}"),
                  (r"^run_dir = .*", f"run_dir = {run}"), (r"^libdir = .*", f'libdir = "{self.libdir}"'),
                  (r"^\tuser = freerad", ""), (r"^\tgroup = freerad", ""), (r"reject_delay = 1", "reject_delay = 0"),
                  (r"^proxy_requests *= yes", "proxy_requests = no"), (r"^#\tmax_queue_size = 65536", "\tmax_queue_size = 4096"))
        self.edit("clients.conf", (r"^(client localhost \{)", rf"\1\n\t{self.client}"))
        # Of the four listeners of the default site the first is enough.
        default = (self.raddb / "sites-available/default").read_text()
        listeners = re.findall(r"^listen \{\n.*?^\}\n", default, re.MULTILINE | re.DOTALL)
        assert len(listeners) == 4
        for listener in listeners[1:]:
            default = default.replace(listener, "")
        (self.raddb / "sites-available/default").write_text(default)
        self.edit("sites-available/default", (r"^\tipaddr = \*", "\tipaddr = 127.0.0.1"),
                  (r"^\tport = 0", f"\tport = {self.port}"))
        self.edit("sites-available/inner-tunnel", (r"port = 18120", f"port = {free_port('udp')}"))
        trust = [(r"private_key_file = /.*", f'private_key_file = "{self.trust["key"]}"'),
                 (r"certificate_file = /.*", f'certificate_file = "{self.trust["certificate"]}"')]
        if self.own_ca:
            trust.append((r"ca_file = /.*", f'ca_file = "{self.trust["ca"]}"'))
        self.edit("mods-available/eap", *trust, (r"^(\ttls \{)", rf"\1\n\t\t{self.eap_tls}"))
        (self.raddb / "mods-available/certdir").write_text(self.module)
        (self.raddb / "mods-enabled/certdir").symlink_to("../mods-available/certdir")
        shutil.copy(SNIPPETS / "policy.d/certdir", self.raddb / "policy.d")
        for site in (SNIPPETS / "sites-available").iterdir():
            shutil.copy(site, self.raddb / "sites-available")
        for site in self.linked:
            (self.raddb / "sites-enabled" / site).symlink_to(f"../sites-available/{site}")
        for name, edits in self.edits.items():
            self.edit(name, *edits)

    def edit(self, name, *edits):
        """Replaces the one place in a file that each regular expression finds."""
        text = (self.raddb / name).read_text()
        for old, new in edits:
            text, count = re.subn(old, new, text, count=1, flags=re.MULTILINE)
            assert count == 1, f"{old} is not in {name}"
        (self.raddb / name).write_text(text)
