#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A real Active Directory domain on loopback: Samba's domain controller, one process, everything in one directory.
"""

import contextlib
import fcntl
import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import ldap
from ldap.controls import RequestControl, SimplePagedResultsControl
from ldap.dn import escape_dn_chars

from testenv.certificates import Authority
from testenv.radiusd import BUILD

SAMBA = "/usr/sbin/samba"
PORTS = {socket.SOCK_STREAM: (88, 389, 464, 636), socket.SOCK_DGRAM: (88, 389, 464)}
REALM, DOMAIN = "AD.TEST", "ADTEST"
DNS, BASE = "ad.test", "DC=ad,DC=test"
HOST = f"dc1.{DNS}"
ADMIN, ADMIN_PASSWORD = f"Administrator@{DNS}", "Admin-passw0rd"
USERS = f"CN=Users,{BASE}"
COMPUTERS = f"CN=Domain Computers,{USERS}"
KEPT = ("private", "state")  # what a domain is made of
PROVISION = Path(__file__).with_name("samba_provision.py")

SMB_CONF = """\
[global]
	netbios name = DC1
	realm = {realm}
	workgroup = {domain}
	server role = active directory domain controller
	server services = {services}
	dcerpc endpoint servers = {endpoints}
	interfaces = {address}/8
	bind interfaces only = yes
	private dir = {directory}/private
	state directory = {directory}/state
	cache directory = {directory}/cache
	lock directory = {directory}/lock
	pid directory = {directory}/run
	binddns dir = {directory}/state/bind-dns
	ncalrpc dir = {directory}/run/ncalrpc
	winbindd socket directory = {directory}/run/winbindd
	ntp signd socket directory = {directory}/run/ntp_signd
	logging = file
	log file = {directory}/log/log.%m
	log level = 1
	ldb:nosync = yes
	ldap server require strong auth = yes
	tls enabled = yes
	tls cafile = {ca}
	tls certfile = {certificate}
	tls keyfile = {key}
	load printers = no
	disable spoolss = yes
[sysvol]
	path = {directory}/state/sysvol
	read only = no
[netlogon]
	path = {directory}/state/sysvol/{dns}/scripts
	read only = no
"""

# What it offers: what certdir needs, or all that a PC wants when it is joined.
PLAIN = {"services": "ldap, cldap, kdc", "endpoints": "epmapper, samr, lsarpc, netlogon"}
WHOLE = {"services": "s3fs, rpc, ldap, cldap, kdc, winbindd, dns",
         "endpoints": "epmapper, wkssvc, samr, netlogon, lsarpc, drsuapi, dnsserver"}

KRB5_CONF = """\
[libdefaults]
	default_realm = {realm}
	dns_lookup_realm = false
	dns_lookup_kdc = false
	rdns = false
	dns_canonicalize_hostname = false
	udp_preference_limit = 1
[realms]
	{realm} = {{
		kdc = {address}
		admin_server = {address}
		kpasswd_server = {address}
	}}
[domain_realm]
	.{dns} = {realm}
	{dns} = {realm}
"""


class SambaError(AssertionError):
    """The domain controller did not do what the test needs."""


def missing():
    """Why there can be no domain controller here, or None."""
    if not os.access(SAMBA, os.X_OK):
        return f"{SAMBA} is not installed (Debian packages samba, samba-ad-provision, samba-dsdb-modules)"
    try:
        importlib.import_module("samba.provision")
    except ImportError as error:
        return f"Samba's Python modules cannot be loaded: {error}"
    try:
        _bind_all("127.0.0.1")
    except PermissionError:
        return "a domain controller has ports below 1024: run the tests as root"
    except OSError:
        pass
    return None


def _bind_all(address):
    for kind, ports in PORTS.items():
        for port in ports:
            with socket.socket(socket.AF_INET, kind) as sock:
                if kind == socket.SOCK_STREAM:  # connections that have ended are not in the way
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((address, port))


def free_address():
    """A loopback address on which nobody has a domain controller's ports. Linux has all of 127.0.0.0/8."""
    for _ in range(100):
        address = f"127.{random.randint(64, 127)}.{random.randint(1, 254)}.{random.randint(1, 254)}"
        with contextlib.suppress(OSError):
            _bind_all(address)
            return address
    raise SambaError("no loopback address has ports 88, 389, 464 and 636 free")


# ---- rights ----

# schemaIDGUIDs (MS-ADSC, MS-ADA1 to 3) of the class that is created and of the attributes that are written.
COMPUTER = "bf967a86-0de6-11d0-a285-00aa003049e2"
MEMBER = "bf9679c0-0de6-11d0-a285-00aa003049e2"
WRITTEN = {
    "cn": "bf96793f-0de6-11d0-a285-00aa003049e2",
    "name": "bf967a0e-0de6-11d0-a285-00aa003049e2",
    "adminDescription": "bf967919-0de6-11d0-a285-00aa003049e2",
    "altSecurityIdentities": "00fbf30c-91fe-11d1-aebc-0000f80367c1",
    "description": "bf967950-0de6-11d0-a285-00aa003049e2",
    "dNSHostName": "72e39547-7b18-11d1-adef-00c04fd8d5cd",
    "primaryGroupID": "bf967a00-0de6-11d0-a285-00aa003049e2",
    "servicePrincipalName": "f3a64788-5306-11d1-a9c5-0000f80367c1",
    "userAccountControl": "bf967a68-0de6-11d0-a285-00aa003049e2",
}
# LDAP_SERVER_SD_FLAGS_OID (MS-ADTS 3.1.1.3.4.1.11) with DACL_SECURITY_INFORMATION: not the owner, not the audit rules.
DACL_ONLY = RequestControl("1.2.840.113556.1.4.801", True, b"\x30\x03\x02\x01\x04")


def create_and_delete(sid):
    """ACEs for an OU: may create and delete computers in it."""
    return f"(OA;;CCDC;{COMPUTER};;{sid})"


def write_computers(sid, attributes):
    """ACEs for an OU: may write the attributes of computers below it, whoever made them."""
    return "".join(f"(OA;CIIO;WP;{WRITTEN[attribute]};{COMPUTER};{sid})" for attribute in attributes)


def write_members(sid):
    """ACE for a group."""
    return f"(OA;;WP;{MEMBER};;{sid})"


@dataclass
class Account:
    """A user of the domain that a program logs in as."""

    name: str
    dn: str
    sid: str
    password: str

    @property
    def identity(self):
        return f"{self.name}@{DNS}"

    @property
    def principal(self):
        return f"{self.name}@{REALM}"


def values(value):
    """Of an attribute as python-ldap wants them: a text, a number, bytes, or a list of such."""
    return [item if isinstance(item, bytes) else str(item).encode()
            for item in (value if isinstance(value, (list, tuple)) else [value])]


def password_value(password):
    """unicodePwd (MS-ADTS 3.1.1.3.1.5)."""
    return f'"{password}"'.encode("utf-16-le")


class SambaDomain:
    """
    A private domain. `directory`: short, since there will be sockets in it. start() makes the domain when it is not
    there yet. `whole`: with all that a PC wants of a domain controller, SMB and DNS, at an `address` of a network of its own.
    """

    def __init__(self, directory, authority=None, address=None, whole=False):
        self.directory = Path(directory)
        self.address = address or free_address()
        self.whole = whole
        self.process = None
        self.conf = self.directory / "smb.conf"
        self.krb5_conf = self.directory / "krb5.conf"
        self._prepare(authority or Authority("domain test CA"))

    def _prepare(self, authority):
        for name in ("cache", "lock", "run/winbindd", "log"):
            (self.directory / name).mkdir(parents=True)
        self.ca_file, _ = authority.write(self.directory, "ca")
        certificate, key = authority.issue(
            subject=[["CN", HOST]], san=[{"dns": HOST}, {"dns": "localhost"}, {"ip": self.address}], server=True,
        ).write(self.directory, "dc")
        key.chmod(0o600)
        self.conf.write_text(SMB_CONF.format(
            realm=REALM, domain=DOMAIN, dns=DNS, address=self.address, directory=self.directory, ca=self.ca_file,
            certificate=certificate, key=key, **(WHOLE if self.whole else PLAIN)))
        self.krb5_conf.write_text(KRB5_CONF.format(realm=REALM, dns=DNS, address=self.address))

    def _provision(self):
        """Puts a new domain in place: a copy of the one below the build directory, which is made when there is none yet."""
        wanted = {"realm": REALM, "domain": DOMAIN, "password": ADMIN_PASSWORD,
                  "address": self.address if self.whole else "127.0.0.1",
                  "spns": [f"ldap/{name}" for name in (HOST, "dc1", "localhost")],
                  "dns": "SAMBA_INTERNAL" if self.whole else "NONE"}
        version = subprocess.run([SAMBA, "--version"], capture_output=True, text=True, check=True).stdout
        recipe = json.dumps([wanted, version, SMB_CONF, PROVISION.read_text()])
        made = BUILD / "samba" / hashlib.sha256(recipe.encode()).hexdigest()[:16]
        made.parent.mkdir(exist_ok=True)
        with open(f"{made}.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # of some test processes one makes it, and the others wait
            if not made.exists():
                self._make(wanted, made)
        for name in KEPT:
            shutil.copytree(made / name, self.directory / name)

    def _make(self, wanted, made):
        for name in KEPT:
            (self.directory / name).mkdir()
        done = subprocess.run(["/usr/bin/python3", "-I", PROVISION], capture_output=True, text=True, timeout=300, check=False,
                              input=json.dumps({"conf": str(self.conf), **wanted}))
        if done.returncode != 0:
            raise SambaError(f"the domain could not be made:\n{done.stdout}{done.stderr}"[-4000:])
        half = made.with_suffix(".new")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        for name in KEPT:
            shutil.move(self.directory / name, half / name)
        half.rename(made)

    def _name_by_address(self):
        """libldap names the server in its ticket request by what the resolver makes of the address."""
        with self.connected() as connection:
            connection.modify_s(f"CN=DC1,OU=Domain Controllers,{BASE}",
                                [(ldap.MOD_ADD, "servicePrincipalName", [f"ldap/{self.address}".encode()])])

    @property
    def uri(self):
        return f"ldap://{self.address}"

    @property
    def ldaps_uri(self):
        return f"ldaps://{self.address}"

    # -- life --

    def start(self, timeout=60):
        new = not (self.directory / "private").exists()
        if new:
            self._provision()
        with open(self.directory / "log" / "out", "ab") as log:
            self.process = subprocess.Popen(
                [*self._wrapper(), SAMBA, "-F", "--no-process-group", "-M", "single", "-s", self.conf],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + timeout
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise SambaError(f"samba did not start:\n{self.log()[-4000:]}")
            time.sleep(0.02)
        if new:
            self._name_by_address()
        return self

    def _wrapper(self):
        """smbd asks winbindd who somebody is, at a socket whose place is compiled in."""
        script = 'mount -t tmpfs none /run && mkdir -p "$1" && mount --bind "$0" "$1" && shift && exec "$@"'
        wrapper = ["unshare", "--mount", "sh", "-c", script, self.directory / "run" / "winbindd", "/run/samba/winbindd"]
        return wrapper if self.whole else []

    def _answers(self):
        try:
            with socket.create_connection((self.address, 88), 5):
                self.admin().unbind_s()
            return True
        except (OSError, ldap.SERVER_DOWN, ldap.CONNECT_ERROR):
            return False

    def _signal(self, number):
        # Its session is its own: whatever it forks is in the same group.
        os.killpg(self.process.pid, number)

    def stop(self, timeout=20):
        if self.process and self.process.poll() is None:
            self._signal(signal.SIGCONT)
            self._signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise SambaError(f"samba did not stop within {timeout} s") from None
        self.process = None

    def kill(self):
        if self.process and self.process.poll() is None:
            self._signal(signal.SIGKILL)
            self.process.wait()
        self.process = None

    def pause(self):
        """A server that hangs: the kernel still takes connections, nobody answers."""
        self._signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def resume(self):
        self._signal(signal.SIGCONT)

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self.kill()

    def log(self):
        files = sorted(path for path in (self.directory / "log").iterdir() if path.is_file())
        return "".join(f"{path.name}:\n{path.read_text(errors='replace')}" for path in files)

    # -- connections --

    def bind(self, identity, password):
        """A connection of python-ldap over TLS."""
        connection = ldap.initialize(self.ldaps_uri)
        connection.set_option(ldap.OPT_NETWORK_TIMEOUT, 5)
        connection.set_option(ldap.OPT_TIMEOUT, 60)
        connection.set_option(ldap.OPT_REFERRALS, 0)
        connection.set_option(ldap.OPT_X_TLS_CACERTFILE, str(self.ca_file))
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        connection.simple_bind_s(identity, password)
        return connection

    def admin(self):
        return self.bind(ADMIN, ADMIN_PASSWORD)

    @contextlib.contextmanager
    def connected(self):
        connection = self.admin()
        try:
            yield connection
        finally:
            connection.unbind_s()

    def krb5_env(self, cache=None):
        """Environment of Kerberos clients; cache: a file for their tickets."""
        return {"KRB5_CONFIG": str(self.krb5_conf), "KRB5CCNAME": f"FILE:{cache or self.directory / 'tickets'}"}

    def kerberos(self, *command, cache=None, typed=""):
        """Runs kinit, kvno and the like; `typed` on its standard input."""
        return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=30, check=False,
                              env={**os.environ, **self.krb5_env(cache), "LC_ALL": "C"})

    # -- content --

    def add(self, dn, **attributes):
        """Adds one entry as the administrator; None leaves an attribute out. Returns its DN."""
        with self.connected() as connection:
            connection.add_s(dn, [(name, values(value)) for name, value in attributes.items() if value is not None])
        return dn

    def modify(self, dn, **attributes):
        """Replaces attributes; None removes one."""
        with self.connected() as connection:
            connection.modify_s(dn, [(ldap.MOD_REPLACE, name, None if value is None else values(value))
                                     for name, value in attributes.items()])

    def rename(self, dn, rdn, parent=None):
        with self.connected() as connection:
            connection.rename_s(dn, rdn, parent)

    def delete(self, dn):
        with self.connected() as connection:
            connection.delete_s(dn)

    def add_ou(self, name, parent=BASE):
        return self.add(f"OU={escape_dn_chars(name)},{parent}", objectClass="organizationalUnit")

    def add_group(self, name, parent=USERS):
        """A global security group."""
        return self.add(f"CN={escape_dn_chars(name)},{parent}", objectClass="group", sAMAccountName=name)

    def add_computer(self, name, parent, **attributes):
        """A computer that has nothing to do with certdir."""
        return self.add(f"CN={escape_dn_chars(name)},{parent}", **{
            "objectClass": "computer", "sAMAccountName": f"{name[:15]}$", "userAccountControl": 4096, **attributes})

    def add_user(self, name, password="User-passw0rd"):
        dn = self.add(f"CN={escape_dn_chars(name)},{USERS}", objectClass="user", sAMAccountName=name,
                      userAccountControl=512, unicodePwd=password_value(password))
        return Account(name, dn, self.sid(dn), password)

    def entry(self, dn, *attributes):
        """The attributes of one entry, {name: [bytes]}, or None when it is not there."""
        with self.connected() as connection:
            try:
                return connection.search_s(dn, ldap.SCOPE_BASE, "(objectClass=*)", list(attributes) or None)[0][1]
            except ldap.NO_SUCH_OBJECT:
                return None

    def find(self, filter_text, *attributes, base=BASE):
        """{DN: attributes} of what a search of the domain finds."""
        with self.connected() as connection:
            return self._search(connection, base, filter_text, list(attributes) or None)

    def below(self, dn):
        """Everything below an entry, with everything that there is to know: {DN: {name: sorted values}}."""
        with self.connected() as connection:
            attributes = ["*", "nTSecurityDescriptor", "replPropertyMetaData"]
            found = self._search(connection, dn, "(objectClass=*)", attributes)
        return {name: {key: sorted(several) for key, several in entry.items()}
                for name, entry in found.items() if name.lower() != dn.lower()}

    @staticmethod
    def _search(connection, base, filter_text, attributes):
        found = {}
        page = SimplePagedResultsControl(True, size=1000, cookie="")
        while True:
            request = connection.search_ext(base, ldap.SCOPE_SUBTREE, filter_text, attributes, serverctrls=[page])
            _, entries, _, controls = connection.result3(request)
            found.update({dn: entry for dn, entry in entries if dn})
            page.cookie = controls[0].cookie
            if not page.cookie:
                return found

    def sid(self, dn):
        """objectSid as text."""
        raw = self.entry(dn, "objectSid")["objectSid"][0]
        parts = [int.from_bytes(raw[at:at + 4], "little") for at in range(8, len(raw), 4)]
        return "-".join(["S", str(raw[0]), str(int.from_bytes(raw[2:8], "big")), *map(str, parts)])

    def rid(self, dn):
        return int(self.sid(dn).rpartition("-")[2])

    # -- service accounts --

    def keytab(self, account):
        """A keytab file with the account's key."""
        path = self.directory / f"{account.name}-{uuid.uuid4().hex[:8]}.keytab"
        done = self.kerberos("ktutil", typed=(
            f"addent -password -p {account.principal} -k 1 -e aes256-cts-hmac-sha1-96\n{account.password}\n"
            f"wkt {path}\nquit\n"))
        if not path.exists():
            raise SambaError(f"ktutil: {done.stdout}{done.stderr}")
        return path

    def delegate(self, account, ou, group=None, primary=False, attributes=WRITTEN):
        """The least rights that `certdir placeholders` needs, for an account that has none otherwise."""
        attributes = [name for name in attributes if name != "primaryGroupID" or primary]
        self.grant(ou, create_and_delete(account.sid) + write_computers(account.sid, attributes))
        if group:
            self.grant(group, write_members(account.sid))
        if group and primary:
            self.grant(COMPUTERS, write_members(account.sid))

    def dacl(self, dn):
        """Who may do what with an entry, as it stands there."""
        with self.connected() as connection:
            found = connection.search_ext_s(dn, ldap.SCOPE_BASE, "(objectClass=*)", ["nTSecurityDescriptor"],
                                            serverctrls=[DACL_ONLY])
        return found[0][1]["nTSecurityDescriptor"][0]

    def set_dacl(self, dn, dacl):
        with self.connected() as connection:
            connection.modify_ext_s(dn, [(ldap.MOD_REPLACE, "nTSecurityDescriptor", [dacl])], serverctrls=[DACL_ONLY])

    def grant(self, dn, aces):
        """Puts ACEs, in SDDL (MS-DTYP 2.5.1), before those that an entry has."""
        from samba.dcerpc import security
        from samba.ndr import ndr_pack, ndr_unpack

        domain = security.dom_sid(self.sid(BASE))
        flags, bracket, rest = ndr_unpack(security.descriptor, self.dacl(dn)).as_sddl(domain).partition("(")
        self.set_dacl(dn, ndr_pack(security.descriptor.from_sddl(flags + aces + bracket + rest, domain)))
