# SPDX-License-Identifier: GPL-2.0-or-later
"""Worlds: a directory of either kind, the same devices in it, and a server that asks it."""

from testenv.devices import DOMAIN, DeviceList, device_id
from testenv.logins import enter_again, wait_list_loaded
from testenv.radiusd import Radiusd, shipped_module
from testenv.slapd import READER, READER_PASSWORD, SUFFIX, Slapd


class World:
    """
    A directory with a device of each fate, a radiusd that asks it, and one beside it that does not (`before`) and
    shares its TLS sessions. What tests change is about devices of their own, from new_device().
    """

    kind = None

    def __init__(self, directory, pki, tls):
        self.pki = pki
        self.tls = tls
        self.directory = directory
        self._certificates = {}
        self.server = self.before = None
        try:
            self.open()
            self.fill()
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self):
        server = Radiusd(self._new("radiusd"), self.pki.trust, self.module(), tls=self.tls)
        self.before = Radiusd(self._new("before"), self.pki.trust, tls=self.tls, sessions=server.sessions).start()
        self.server = server.start()

    def _new(self, name):
        (self.directory / name).mkdir()
        return self.directory / name

    def fill(self):
        """The devices that certificate() speaks of."""
        for name in ("ALLOWED-1", "DISABLED-1", "TWIN-1", "MINE-1", "YOURS-1"):
            self.put(name)
        self.duplicate("TWIN-1")
        self.disable("DISABLED-1")

    def close(self):
        for server in (self.server, self.before):
            if server:
                server.stop()

    def certificate(self, case):
        if case not in self._certificates:
            self._certificates[case] = self._issue(case)
        return self._certificates[case]

    def _issue(self, case):
        if case == "conflict":
            return self.pki.named("MINE-1", dns="YOURS-1")
        if case == "no-identity":
            return self.pki.issue(subject=[["O", "Example"], ["C", "DE"]])
        if case == "hostile":
            cut = f"allowed-1.{DOMAIN}".encode() + b"\0.evil.example"
            return self.pki.issue(subject=[["CN", "ALLOWED-1"]], san=[{"dns": {"hex": cut.hex()}}])
        names = {"allowed": "ALLOWED-1", "disabled": "DISABLED-1", "unknown": "STRANGER-1", "ambiguous": "TWIN-1"}
        return self.pki.named(names[case])

    def enter_again(self, case):
        return enter_again(self.server, self.pki, self.certificate(case), lambda: None, before=self.before)

    def new_device(self, name):
        """Puts a device there and gives its certificate, with one more name that nobody has (see contradict)."""
        self.put(name)
        full = f"{name.lower()}.{DOMAIN}"
        return self.pki.issue(subject=[["CN", name]], san=[{"dns": full}, {"dns": full.replace(".", "-alias.", 1)}])

    def contradict(self, name):
        """The certificate's last name becomes that of another device."""
        self.put(f"{name}-ALIAS")


class ListWorld(World):
    kind = "list"

    def open(self):
        self.list = DeviceList(self.directory / "devices.db")

    def module(self):
        return shipped_module({"directories": "list", "list.filename": self.list.path})

    def _publish(self):
        mark = self.server.mark() if self.server else 0
        self.list.publish()
        if self.server:
            wait_list_loaded(self.server, mark)

    def put(self, name):
        self.list.add(name)
        self._publish()

    def duplicate(self, name):
        self.list.add(name, deviceId=device_id(f"{name} again"), id=device_id(f"{name} again object"))
        self._publish()

    def disable(self, name):
        self.list.change(name, accountEnabled=False)
        self._publish()

    def enable(self, name):
        self.list.change(name, accountEnabled=True)
        self._publish()

    def remove(self, name):
        self.list.remove(name)
        self._publish()


def ldap_options(slapd, ldaps=False):
    """What the shipped module file needs to ask this slapd."""
    # What the tests change they ask for at once.
    options = {"ldap.server": slapd.ldaps_uri if ldaps else slapd.uri, "ldap.identity": READER,
               "ldap.password": READER_PASSWORD, "ldap.base_dn": SUFFIX, "ldap.options.remember": 0,
               "ldap.options.memory": ""}
    if ldaps:
        options["ldap.tls.ca_file"] = slapd.ca_file
    return options


class LdapWorld(World):
    kind = "ldap"

    def open(self):
        self.slapd = Slapd(self.directory / "slapd").start()
        self._entries = {}

    def close(self):
        super().close()
        self.slapd.stop()

    def module(self):
        return shipped_module({"directories": "ldap", **ldap_options(self.slapd, ldaps=self.tls == "1.3")})

    def put(self, name):
        self._entries[name] = self.slapd.add_computer(name, dNSHostName=f"{name.lower()}.{DOMAIN}")

    def duplicate(self, name):
        self.slapd.add_computer(f"{name} of old", sAMAccountName=f"{name}$", dNSHostName=f"{name.lower()}.{DOMAIN}")

    def disable(self, name):
        self.slapd.modify(self._entries[name], userAccountControl=4098)

    def enable(self, name):
        self.slapd.modify(self._entries[name], userAccountControl=4096)

    def remove(self, name):
        self.slapd.delete(self._entries.pop(name))
