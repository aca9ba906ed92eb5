# SPDX-License-Identifier: GPL-2.0-or-later
"""A real LDAP server on loopback that looks like Active Directory: attributes with matching rules, memberOf, limits."""

import io
import os
import signal
import struct
import subprocess
import time
from pathlib import Path

import ldap
import ldif
from ldap import modlist

from testenv.certificates import Authority
from testenv.ports import free_port

SLAPD = "/usr/sbin/slapd"
NAME = "dc1.corp.example"  # its other name, for whoever can resolve that
SUFFIX = "dc=corp,dc=example"
DEVICES = f"ou=Devices,{SUFFIX}"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{SUFFIX}", "admin-password"
READER, READER_PASSWORD = f"cn=radius,{SUFFIX}", "reader-password"

TEXT, INTEGER, OCTETS, TIME = (f"1.3.6.1.4.1.1466.115.121.1.{n}" for n in (15, 27, 40, 24))
RULES = {
    TEXT: "EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch",
    INTEGER: "EQUALITY integerMatch ORDERING integerOrderingMatch",
    OCTETS: "EQUALITY octetStringMatch",
    TIME: "EQUALITY generalizedTimeMatch ORDERING generalizedTimeOrderingMatch",
}
RFC2307_MAC = "1.3.6.1.1.1.1.22"
# Active Directory's own OIDs: name, OID below 1.2.840.113556.1, syntax, whether it may have several values.
ATTRIBUTES = (
    ("whenCreated", "2.2", TIME, False),
    ("uSNChanged", "2.120", INTEGER, False),
    ("adminDescription", "2.327", TEXT, False),
    ("objectGUID", "4.2", OCTETS, False),
    ("userAccountControl", "4.8", INTEGER, False),
    ("primaryGroupID", "4.98", INTEGER, False),
    ("objectSid", "4.146", OCTETS, False),
    ("accountExpires", "4.159", INTEGER, False),
    ("sAMAccountName", "4.221", TEXT, False),
    ("operatingSystem", "4.363", TEXT, False),
    ("dNSHostName", "4.619", TEXT, False),
    ("userPrincipalName", "4.656", TEXT, False),
    ("groupType", "4.750", INTEGER, False),
    ("servicePrincipalName", "4.771", TEXT, True),
    ("objectCategory", "4.782", TEXT, False),
    ("altSecurityIdentities", "4.867", TEXT, True),
    ("lastLogonTimestamp", "4.1696", INTEGER, False),
    ("macAddress", RFC2307_MAC, TEXT, True),
)
ACCOUNT = ("description", "displayName", "serialNumber", "userCertificate", "userPassword", *(a[0] for a in ATTRIBUTES))

CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include {directory}/ad.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload syncprov
pidfile {directory}/slapd.pid
argsfile {directory}/slapd.args
TLSCACertificateFile {ca}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
sizelimit size.soft=1000 size.hard=1000 size.pr=1000 size.prtotal=unlimited
threads 4
{settings}
database mdb
suffix {suffix}
rootdn {admin}
rootpw {password}
directory {directory}/db
{durability}
maxsize {maxsize}
index objectClass,cn,sAMAccountName,servicePrincipalName,dNSHostName,objectSid,altSecurityIdentities eq
limits dn.exact="{admin}" size=1000
access to attrs=userPassword by anonymous auth by * none
{access}
access to * by users read by anonymous auth
{overlay}
"""

MEMBEROF = """\
overlay memberof
memberof-group-oc group
memberof-member-ad member
memberof-memberof-ad memberOf
memberof-refint TRUE
"""

# Of a server that replicates. Without memberof, which writes on each of them what the others are sent, too.
SYNCPROV = """\
index entryUUID,entryCSN eq
syncrepl rid=1 provider={provider} searchbase="{suffix}" type=refreshAndPersist retry="1 +" timeout=3
  bindmethod=simple binddn="{admin}" credentials={password} tls_cacert={ca} tls_reqcert=demand
multiprovider on
overlay syncprov
"""

TREE = f"""\
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
dc: corp
o: corp

dn: {DEVICES}
objectClass: organizationalUnit
ou: Devices

dn: ou=Groups,{SUFFIX}
objectClass: organizationalUnit
ou: Groups

dn: {READER}
objectClass: person
cn: radius
sn: radius
userPassword: {READER_PASSWORD}
"""


def schema():
    lines = []
    for name, oid, syntax, several in ATTRIBUTES:
        oid = oid if oid == RFC2307_MAC else f"1.2.840.113556.1.{oid}"
        lines.append(f"attributetype ( {oid} NAME '{name}' {RULES[syntax]} SYNTAX {syntax}"
                     f"{'' if several else ' SINGLE-VALUE'} )")
    may = " $ ".join(ACCOUNT)
    lines.append(f"objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP top STRUCTURAL MUST cn MAY ( {may} ) )")
    lines.append("objectclass ( 1.2.840.113556.1.3.30 NAME 'computer' SUP user STRUCTURAL )")
    lines.append("objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL MUST cn "
                 "MAY ( member $ sAMAccountName $ objectSid $ groupType $ description ) )")
    return "\n".join(lines) + "\n"


def sid_bytes(sid):
    """"S-1-5-21-1-2-3-1104" as Active Directory stores it."""
    parts = [int(part) for part in sid.split("-")[1:]]
    return struct.pack("<BB6s", parts[0], len(parts) - 2, parts[1].to_bytes(6, "big")) + b"".join(
        struct.pack("<I", part) for part in parts[2:])


def filetime(unix_seconds):
    """100 ns since 1601, as text."""
    return str((int(unix_seconds) + 11644473600) * 10**7)


class SlapdError(AssertionError):
    """slapd did not do what the test needs."""


class Slapd:
    """
    A private server. `authority` signs its certificate (for localhost, NAME and its address); `settings`, `access` and `overlay`
    are lines for slapd.conf; `tree` is what it begins with; `durable` has it wait for the disk; `debug` is its log's level;
    `wrapper` is a command that runs it, as somebody who has the address `host`; its certificate may have `expired`.
    """

    def __init__(self, directory, authority=None, settings="", access="", overlay=MEMBEROF, tree=TREE, maxsize=1 << 28,
                 durable=False, debug="0", host="127.0.0.1", wrapper=(), expired=False):
        self.directory = Path(directory)
        self.authority = authority or Authority("slapd test CA")
        self.settings, self.access, self.overlay = settings, access, overlay
        self.tree, self.maxsize, self.durable, self.debug = tree, maxsize, durable, debug
        self.host, self.wrapper, self.expired = host, list(wrapper), expired
        self.port = self.tls_port = None
        self.process = None
        self._prepare()

    def _prepare(self):
        (self.directory / "db").mkdir(parents=True)
        self.ca_file, _ = self.authority.write(self.directory, "ca")
        self._certificate, self._key = self.authority.issue(
            subject=[["CN", "localhost"]], san=[{"dns": "localhost"}, {"dns": NAME}, {"ip": self.host}], server=True,
            **({"not_after": "2024-01-31T12:00:00Z", "not_before": "2024-01-01T12:00:00Z"} if self.expired else {}),
        ).write(self.directory, "server")
        (self.directory / "ad.schema").write_text(schema())
        self.config = self.directory / "slapd.conf"
        self.write()

    def write(self):
        """Writes slapd.conf; call again after changing an attribute of this object."""
        self.config.write_text(CONFIG.format(
            directory=self.directory, ca=self.ca_file, certificate=self._certificate, key=self._key, suffix=SUFFIX,
            admin=ADMIN, password=ADMIN_PASSWORD, settings=self.settings, access=self.access, overlay=self.overlay,
            maxsize=self.maxsize, durability="" if self.durable else "dbnosync"))

    @property
    def uri(self):
        return f"ldap://{self.host}:{self.port}"

    @property
    def ldaps_uri(self):
        return f"ldaps://{self.host}:{self.tls_port}"

    # -- life --

    def start(self, timeout=15):
        """Starts, or restarts on the same ports; the first time, ports that somebody took meanwhile are replaced."""
        first = self.port is None
        deadline = time.monotonic() + timeout
        while True:
            if first:
                self.port, self.tls_port = free_port("tcp"), free_port("tcp")
            with open(self.directory / "slapd.log", "ab") as log:
                self.process = subprocess.Popen(
                    [*self.wrapper, SLAPD, "-d", self.debug, "-f", str(self.config), "-h", f"{self.uri}/ {self.ldaps_uri}/"],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            if self._wait(deadline):
                break
            if time.monotonic() > deadline:
                self.kill()
                raise SlapdError(f"slapd did not start:\n{self.log()[-3000:]}")
        if first and self.tree:
            self.add(self.tree)
        return self

    def _wait(self, deadline):
        """True when it answers, False when it ended or time is up."""
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                self._connect().unbind_s()
                return True
            except ldap.SERVER_DOWN:
                time.sleep(0.02)
        return False

    def stop(self, timeout=10):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise SlapdError(f"slapd did not stop within {timeout} s") from None
        self.process = None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def pause(self):
        """A server that hangs: the kernel still takes connections, nobody answers."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self.kill()

    def log(self):
        return (self.directory / "slapd.log").read_text(errors="replace")

    # -- content --

    def _connect(self):
        connection = ldap.initialize(self.uri)
        connection.set_option(ldap.OPT_NETWORK_TIMEOUT, 5)
        connection.set_option(ldap.OPT_TIMEOUT, 10)
        connection.simple_bind_s(ADMIN, ADMIN_PASSWORD)
        return connection

    def add(self, text):
        """Adds the entries of an LDIF text."""
        records = ldif.LDIFRecordList(io.BytesIO(text.encode()))
        records.parse()
        connection = self._connect()
        for dn, entry in records.all_records:
            connection.add_s(dn, modlist.addModlist(entry))
        connection.unbind_s()

    def add_entry(self, dn, **attributes):
        """Adds one entry; a value is a text, a number, bytes, or a list of such."""
        self.add_entries([(dn, attributes)])

    def add_entries(self, entries):
        """Adds many over one connection: (DN, attributes) each."""
        connection = self._connect()
        for dn, attributes in entries:
            connection.add_s(dn, modlist.addModlist({name: _values(value) for name, value in attributes.items()}))
        connection.unbind_s()

    def add_computer(self, name, parent=DEVICES, **attributes):
        """A computer account as a domain join makes it; returns its DN. None leaves an attribute out."""
        return self.add_computers([name], parent, **attributes)[0]

    def add_computers(self, names, parent=DEVICES, **attributes):
        """The same of several."""
        entries = [(f"cn={ldap.dn.escape_dn_chars(name)},{parent}",
                    {"objectClass": "computer", "cn": name, "sAMAccountName": f"{name}$", "userAccountControl": 4096,
                     "accountExpires": 2**63 - 1, **attributes}) for name in names]
        self.add_entries((dn, {key: value for key, value in account.items() if value is not None}) for dn, account in entries)
        return [dn for dn, _ in entries]

    def modify(self, dn, **attributes):
        """Replaces attributes; None removes one."""
        connection = self._connect()
        connection.modify_s(dn, [(ldap.MOD_REPLACE, name, None if value is None else _values(value))
                                 for name, value in attributes.items()])
        connection.unbind_s()

    def delete(self, dn):
        connection = self._connect()
        connection.delete_s(dn)
        connection.unbind_s()

    def contents(self, base=SUFFIX):
        """Every entry below `base`: {DN: {attribute: values}}, operational attributes and all."""
        connection = self._connect()
        found = connection.search_s(base, ldap.SCOPE_SUBTREE, attrlist=["*", "+"])
        connection.unbind_s()
        return {dn: {name: sorted(values) for name, values in entry.items()} for dn, entry in found}

    def change_numbers(self):
        """contextCSN: for each server that something was written to, its last change that is here."""
        connection = self._connect()
        try:
            (_, entry), = connection.search_s(SUFFIX, ldap.SCOPE_BASE, attrlist=["contextCSN"])
        except ldap.NO_SUCH_OBJECT:
            entry = {}
        connection.unbind_s()
        return sorted(entry.get("contextCSN", []))


def _values(value):
    return [item if isinstance(item, bytes) else str(item).encode()
            for item in (value if isinstance(value, (list, tuple)) else [value])]


class ReplicatedPair:
    """Two servers with the same content: what is written to either, the other gets, when it is there."""

    def __init__(self, directory, access=""):
        authority = Authority("slapd test CA")
        self.servers = [Slapd(Path(directory) / f"slapd{number}", authority, settings=f"serverID {number}", access=access,
                              tree=TREE if number == 1 else "") for number in (1, 2)]

    def __enter__(self):
        # A server's ports are known once it runs: the first one starts twice, and nobody's port can be lost to others.
        first, second = self.servers
        try:
            first.start()
            self._follow(second, first)
            second.start()
            first.stop()
            self._follow(first, second)
            first.start()
            self.wait_equal()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        for server in self.servers:
            server.kill()

    @staticmethod
    def _follow(server, provider):
        server.overlay = SYNCPROV.format(provider=provider.ldaps_uri, suffix=SUFFIX, admin=ADMIN, password=ADMIN_PASSWORD,
                                         ca=server.ca_file)
        server.write()

    def wait_equal(self, timeout=10):
        """Waits until both have seen every change that either of them has."""
        deadline = time.monotonic() + timeout
        while True:
            states = [server.change_numbers() for server in self.servers]
            if states[0] and states[0] == states[1]:
                return
            if time.monotonic() > deadline:
                raise SlapdError(f"the two did not become equal within {timeout} s: {states}")
            time.sleep(0.02)

    def contents(self):
        """What stands on each server, operational attributes and all: a dictionary by DN for each."""
        return [server.contents() for server in self.servers]
