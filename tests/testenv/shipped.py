# SPDX-License-Identifier: GPL-2.0-or-later
"""A radiusd whose clients come to a site that we ship, as the file is; what that uses of the distribution's raddb comes from there."""

import shutil
from pathlib import Path

from testenv.ports import free_port
from testenv.radiusd import SNIPPETS, Radiusd

SYSTEM_RADDB = Path("/etc/freeradius/3.0")

TUNNELS = """\
	peap {
		tls = tls-common
		default_eap_type = tls
		virtual_server = inner
	}
	ttls {
		tls = tls-common
		default_eap_type = tls
		virtual_server = inner
	}
"""

# The inner login of PEAP and TTLS: EAP-TLS, or a password that nobody checks.
INNER_SITE = """\
server inner {
	authorize {
		eap
		if (noop) {
			update control {
				&Auth-Type := Accept
			}
		}
	}
	authenticate {
		eap
	}
}
"""

LISTEN_ACCOUNTING = """\
listen {{
	type = acct
	ipaddr = 127.0.0.1
	port = {port}
	virtual_server = {site}
}}
"""


class ShippedSite(Radiusd):
    """
    `site` is certdir-wifi or certdir-wired. `changed` gives what an administrator edits: {file below raddb-snippets:
    function of its text}. Listens for accounting, too, which detail keeps unless `keep_accounting` is False; eap offers PEAP
    and TTLS beside EAP-TLS.
    """

    def __init__(self, directory, trust, module, site, *, changed=None, keep_accounting=True, **options):
        self.site = site
        self.keep_accounting = keep_accounting
        self.changed = changed or {}
        self.accounting_port = free_port("udp")
        super().__init__(directory, trust, module, client_virtual_server=site, **options)

    def write(self):
        super().write()
        for name in ("attr_filter", "detail") if self.keep_accounting else ("attr_filter",):
            shutil.copy(SYSTEM_RADDB / "mods-available" / name, self.raddb / "mods-enabled")
        for name in ("canonicalization", "accounting"):
            shutil.copy(SYSTEM_RADDB / "policy.d" / name, self.raddb / "policy.d")
        shutil.copytree(SYSTEM_RADDB / "mods-config" / "attr_filter", self.raddb / "mods-config" / "attr_filter")
        conf = self.raddb / "radiusd.conf"
        conf.write_text(conf.read_text().replace("logdir =", f"radacctdir = {self.accounting}\nlogdir =") +
                        LISTEN_ACCOUNTING.format(port=self.accounting_port, site=self.site))
        eap = self.raddb / "mods-enabled" / "eap"
        eap.write_text(eap.read_text().rstrip().removesuffix("}") + TUNNELS + "}\n")
        (self.raddb / "sites-enabled" / "inner").write_text(INNER_SITE)
        for name in (f"sites-available/{self.site}", "sites-available/certdir-check", "policy.d/certdir"):
            text = (SNIPPETS / name).read_text()
            edited = self.changed.get(name, lambda text: text)(text)
            assert edited != text or name not in self.changed, f"there is nothing to change in {name}"
            (self.raddb / name.replace("available", "enabled")).write_text(edited)

    @property
    def accounting(self):
        return self.directory / "radacct"

    def details(self):
        """The text of the detail files."""
        return "".join(file.read_text() for file in sorted(self.accounting.glob("*/detail-*")))


def uncommented(line):
    """For `changed`: the line that stands commented out in a shipped file, switched on."""
    return lambda text: text.replace(f"#\t\t{line}\n", f"\t\t{line}\n")
