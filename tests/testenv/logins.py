# SPDX-License-Identifier: GPL-2.0-or-later
"""Device certificates, logins with what radiusd decided of them, and worlds: a directory and servers that ask it."""

from testenv.certificates import Authority
from testenv.devices import DOMAIN, DeviceList, device_id
from testenv.radiusd import Radiusd, shipped_module
from testenv.slapd import READER, READER_PASSWORD, SUFFIX, Slapd
from testenv.supplicant import login, login_with_pause


class Pki:
    """A CA, the RADIUS server's certificate, and device certificates from recipes, as files."""

    def __init__(self, directory):
        self.directory = directory
        self.authority = Authority("certdir test CA")
        self.ca, _ = self.authority.write(directory, "ca")
        server = self.authority.issue(subject=[["CN", "radius.corp.example"]], server=True)
        self.server = server.write(directory, "server")
        self._count = 0

    @property
    def trust(self):
        return {"ca": self.ca, "certificate": self.server[0], "key": self.server[1]}

    def issue(self, recipe=None, authority=None, stem=None, **more):
        """(certificate file, key file) of a new certificate."""
        self._count += 1
        return (authority or self.authority).issue(recipe, **more).write(self.directory, stem or f"device{self._count}")

    def named(self, name, dns=None):
        """The usual device certificate: CN is the host name, SAN a DNS name."""
        return self.issue(subject=[["CN", name]], san=[{"dns": f"{(dns or name).lower()}.{DOMAIN}"}])


def enter(server, pki, certificate, **options):
    """One login: (Attempt, Decision)."""
    mark = server.mark()
    attempt, = login(server, *certificate, pki.ca, tls=server.tls, **options)
    decision, = server.decisions(mark, count=1)
    return attempt, decision


def enter_again(server, pki, certificate, between, before=None, **options):
    """
    A login with a full handshake, then `between`, then one that resumes the session: (Attempt, Decision) of the second.
    With `before`, the first one goes to that server, which shares its sessions and knows nothing of certdir.
    """
    marks = []

    def pause():
        between()
        marks.append(server.mark())

    first, second = login_with_pause(before or server, *certificate, pki.ca, pause, server if before else None,
                                     tls=server.tls, **options)
    assert first.accepted and not first.resumed
    assert second.resumed, "the session was not resumed, so the test shows nothing"
    decision, = server.decisions(marks[0], count=1)
    return second, decision


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
        """Puts a device there and gives its certificate, with a second name that nobody has (see contradict)."""
        self.put(name)
        return self.pki.named(name, dns=f"{name}-alias")

    def contradict(self, name):
        """The certificate's second name becomes that of another device."""
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


def wait_list_loaded(server, mark):
    """Waits until a running radiusd has noticed a list published after the mark."""
    server.wait_log(r"certdir: .*: \d+ devices", mark, timeout=10)


def ldap_options(slapd, ldaps=False):
    """What the shipped module file needs to ask this slapd."""
    options = {"ldap.server": slapd.ldaps_uri if ldaps else slapd.uri, "ldap.identity": READER,
               "ldap.password": READER_PASSWORD, "ldap.base_dn": SUFFIX}
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
