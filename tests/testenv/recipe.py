# SPDX-License-Identifier: GPL-2.0-or-later
"""
The two LDAP servers of docs/servers.md, made by what stands there: the first configured by cn=config, as Debian
does it, the second by slapd.conf. What an administrator would write in its place is replaced, and nothing else.
"""

import os
import signal
import subprocess
from pathlib import Path

import ldap

from testenv.certificates import Authority
from testenv.ports import free_port
from testenv.readme import indented
from testenv.slapd import SLAPD
from testenv.supplicant import wait_until

SUFFIX = "dc=example,dc=com"
DEVICES = f"ou=Devices,{SUFFIX}"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{SUFFIX}", "admin-password"
PASSWORDS = {"CERTDIR-PASSWORD": "keeper-secret", "RADIUS-PASSWORD": "reader-secret", "REPLICATOR-PASSWORD": "replicator-secret"}

# What is there before: a database as Debian's package makes it. dbnosync: a test does not wait for the disk.
BEFORE = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {directory}/slapd.pid
argsfile {directory}/slapd.args
{above}
database config
access to * by dn.exact="gidNumber={gid}+uidNumber={uid},cn=peercred,cn=external,cn=auth" manage by * break
database mdb
suffix {suffix}
rootdn {admin}
rootpw {password}
directory {directory}/db
dbnosync
{inside}
access to attrs=userPassword by self write by anonymous auth by * none
access to * by * read
"""


def blocks(page):
    """The indented blocks of the page by their first lines."""
    return {block.splitlines()[0]: block for block in indented(page)}


class RecipeServer:
    """One of the two. Its first port is for tests; `ldaps` is the recipe's."""

    def __init__(self, directory, number, authority):
        self.directory, self.number = Path(directory), number
        (self.directory / "db").mkdir(parents=True)
        self.port, self.tls_port = free_port("tcp"), free_port("tcp")
        self.uri, self.ldaps = f"ldap://127.0.0.1:{self.port}", f"ldaps://127.0.0.1:{self.tls_port}"
        self.socket = f"ldapi://{str(self.directory / 'ldapi').replace('/', '%2f')}"
        self.files = dict(zip(("/etc/ldap/server.pem", "/etc/ldap/server.key"), authority.issue(
            subject=[["CN", f"ldap{number}.example.com"]], san=[{"ip": "127.0.0.1"}], server=True).write(self.directory, "server")))
        self.process = None

    def prepare(self, above="", inside="", online=False):
        """slapd.conf; `online`: turned into cn=config, which is changed while slapd runs."""
        config = self.directory / "slapd.conf"
        config.write_text(BEFORE.format(directory=self.directory, above=above, inside=inside, suffix=SUFFIX, admin=ADMIN,
                                        password=ADMIN_PASSWORD, uid=os.getuid(), gid=os.getgid()))
        self._with = ["-f", config]
        if online:
            (self.directory / "slapd.d").mkdir()
            self._with = ["-F", self.directory / "slapd.d"]
            subprocess.run(["slaptest", "-n", "0", "-f", config, *self._with], check=True, capture_output=True)

    def start(self, ldaps=True):
        listeners = " ".join([self.uri, self.socket] + [self.ldaps] * ldaps)
        with open(self.directory / "slapd.log", "ab") as log:
            self.process = subprocess.Popen([SLAPD, "-d", "0", *self._with, "-h", listeners], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        wait_until(self._answers, what=f"slapd {self.number}")

    def _answers(self):
        assert self.process.poll() is None, (self.directory / "slapd.log").read_text()
        try:
            self.contents("", ldap.SCOPE_BASE)
        except ldap.SERVER_DOWN:
            return False
        return True

    def kill(self):
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def tool(self, name, text, *arguments):
        """ldapadd or ldapmodify of an LDIF text, over the socket, as the page says it."""
        done = subprocess.run([name, "-H", self.socket, *arguments], input=text, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{name}: {done.stderr}\n{text}"

    def contents(self, base=DEVICES, scope=ldap.SCOPE_ONELEVEL):
        """{DN: attributes}, operational ones and all; {} where there is no base."""
        connection = ldap.initialize(self.uri)
        connection.simple_bind_s(ADMIN, ADMIN_PASSWORD)
        try:
            found = connection.search_s(base, scope, attrlist=["*", "+"])
        except ldap.NO_SUCH_OBJECT:
            found = []
        connection.unbind_s()
        return {dn: {name: sorted(values) for name, values in entry.items()} for dn, entry in found}


class Recipe:
    """The servers, running, and the page's texts with what is here in the place of the names in it."""

    def __init__(self, directory, page):
        self.directory, self.blocks = Path(directory), blocks(page)
        authority = Authority("recipe CA")
        self.ca_file, _ = authority.write(self.directory, "ca")
        self.servers = [RecipeServer(self.directory / f"ldap{number}", number, authority) for number in (1, 2)]
        self.password_file = self.directory / "ldap.password"
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(PASSWORDS["CERTDIR-PASSWORD"] + "\n")

    def text(self, first_line, server=None):
        """A block; `server`: as it stands on that one."""
        text = self.blocks[first_line]
        if server and server.number == 2:
            text = text.replace("olcServerID: 1", "olcServerID: 2").replace("serverID 1", "serverID 2").replace("ldap2.", "ldap1.")
        for number, one in enumerate(self.servers, 1):
            text = text.replace(f"ldaps://ldap{number}.example.com", one.ldaps)
        for name, path in {"/etc/ldap/ca.pem": self.ca_file, "/etc/certdir/ldap.password": self.password_file,
                           **(server.files if server else {})}.items():
            text = text.replace(name, str(path))
        for word, password in PASSWORDS.items():
            text = text.replace(f"userPassword: {word}", f"userPassword: {hashed(password)}").replace(word, password)
        return text

    def __enter__(self):
        first, second = self.servers
        try:
            first.prepare(online=True)
            first.start(ldaps=False)
            first.tool("ldapadd", f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: example\n",
                       "-x", "-D", ADMIN, "-w", ADMIN_PASSWORD)
            first.tool("ldapmodify", self.text("dn: cn=config", first), "-Y", "EXTERNAL", "-Q")
            first.tool("ldapadd", self.text(f"dn: {DEVICES}"), "-x", "-D", ADMIN, "-w", ADMIN_PASSWORD)
            first.kill()
            first.start()
            second.prepare(above=self.text("serverID 1", second), inside=self.text("maxsize 1073741824", second))
            second.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        for server in self.servers:
            server.kill()

    def wait_equal(self, timeout=30):
        """Waits until both have seen every change that either of them has."""
        def numbers():
            return [server.contents(SUFFIX, ldap.SCOPE_BASE).get(SUFFIX, {}).get("contextCSN", []) for server in self.servers]

        wait_until(lambda: (seen := numbers())[0] == seen[1] != [], timeout, "the servers to be equal")
        assert self.servers[0].contents() == self.servers[1].contents()


def hashed(password):
    return subprocess.run(["slappasswd", "-s", password], capture_output=True, text=True, check=True).stdout.strip()
