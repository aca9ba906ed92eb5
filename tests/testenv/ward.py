# SPDX-License-Identifier: GPL-2.0-or-later
"""A world in which all is right for `certdir doctor`: a server that has run, its list, an LDAP directory, a tenant. Tests break it."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from pathlib import Path

from testenv.devices import DeviceList
from testenv.graph import FakeGraph
from testenv.logins import Pki, enter
from testenv.placeholders import SECTION
from testenv.profiles import Profiles
from testenv.radiusd import BUILD, SYSTEM_LIBDIR, with_options
from testenv.sessions import KnownSessions
from testenv.slapd import ADMIN, ADMIN_PASSWORD, DEVICES, Slapd
from testenv.supplicant import wait_until
from testenv.sync import Sync
from testenv.tenant import Tenant
from testenv.worlds import ldap_options

# In the place of systemd's: what it says of units, and of the sync's user, stands beside it.
SYSTEMCTL = """\
#!/bin/sh
case $1 in
is-active) sed -n "s/^$2 //p" "${0%/*}/units" ;;
show) sed -n "s/^$3 //p" "${0%/*}/units" ;;
esac
"""
UNITS = ("freeradius.service", "certdir-sync.service", f"certdir-placeholders@{SECTION}.timer")

USER, GROUP = "nobody", "nogroup"  # the server's, who sees less than root


class Wellness:
    """`directory` is for all to pass through. Needs root."""

    def __init__(self, directory):
        self.directory = Path(directory)
        for name in ("pki", "radiusd", "lists", "lib", "journal", "bin"):
            (self.directory / name).mkdir()
        (self.directory / "bin" / "systemctl").write_text(SYSTEMCTL)
        (self.directory / "bin" / "systemctl").chmod(0o755)
        self.units = self.directory / "bin" / "units"
        self.units.write_text("".join(f"{unit} active\n" for unit in UNITS))
        self.pki = Pki(self.directory / "pki")
        self.graph = FakeGraph(Tenant("contoso", 3)).start()
        self.graph.profiles = Profiles(self.pki.authority.der)
        for network in ("wifi", "ios-wifi"):
            self.graph.profiles.change(network, trustedServerCertificateNames=["radius.corp.example"])
        self.slapd = Slapd(self.directory / "slapd").start()
        self.slapd.add_computer("PC-9")
        self.sync = Sync(self.directory / "sync", self.graph)
        self.sync.list_file = self.directory / "lists" / "devices.db"
        self.sync.list["filename"] = self.sync.list_file
        self._hand_over()
        self.sync.run()
        self._write_placeholders()
        self._listen()
        self._serve()
        self._hand_over()

    def _hand_over(self):
        """All but the sync's own is for the server to read; what it writes is the server's."""
        for name in ("pki", "lists"):
            for path in (self.directory / name, *(self.directory / name).iterdir()):
                shutil.chown(path, group=GROUP)
                path.chmod(path.stat().st_mode | (0o050 if path.is_dir() else 0o040))
        for path in (self.directory / "journal", *(self.directory / "radiusd").rglob("*")):
            shutil.chown(path, USER, GROUP)
        for path in (self.directory / "radiusd" / "raddb").rglob("*"):
            path.chmod(0o750 if path.is_dir() else 0o640)

    def _write_placeholders(self):
        """Behind all that Sync has written."""
        password = self.sync.secret_file("ldap.secret", ADMIN_PASSWORD)
        with open(self.sync.conf, "a", encoding="utf-8") as conf:
            conf.write(f"\n[placeholders {SECTION}]\nserver = {self.slapd.ldaps_uri}\nca_file = {self.slapd.ca_file}\nidentity = {ADMIN}\n"
                       f"password_file = {password}\nou = {DEVICES}\nundo_directory = {self.directory}/undo\n")

    def _listen(self):
        """In the place of a sync that stays."""
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(f"{self.sync.list_file}.sock")
        os.chmod(f"{self.sync.list_file}.sock", 0o660)
        self.door.listen(64)

    def _serve(self):
        """A login, whose session the server knows when it has ended."""
        shutil.copy(BUILD / "rlm_certdir.so", self.directory / "lib")
        own = DeviceList(self.directory / "lists" / "own.db")
        own.add("PC-1")
        own.publish()
        shutil.chown(self.directory / "radiusd", USER, GROUP)
        self.server = KnownSessions(self.directory / "radiusd", self.pki.trust, own, libdir=f"{self.directory}/lib:{SYSTEM_LIBDIR}")
        self._hand_over()
        with self.server as server:
            attempt, decision = enter(server, self.pki, self.pki.named("PC-1"))
            assert attempt.accepted, decision.line
            server.account("Start", "S-1", attempt)
            server.account("Interim-Update", "S-1", attempt)
            wait_until(lambda: server.states() == {"S-1": "running"}, what="the session")
        self.server.module = with_options(self.server.module, {
            "directories": "list ldap", "list.filename": self.sync.list_file, "list.ask": "yes", "journal": self.directory / "journal" / "it",
            "metrics": self.directory / "journal" / "certdir.prom",
            **ldap_options(self.slapd, ldaps=True), "ldap.options.memory": self.directory / "journal"})
        self.server.write()
        conf = self.server.raddb / "radiusd.conf"
        conf.write_text(conf.read_text().replace("security {", f"security {{\n\tuser = {USER}\n\tgroup = {GROUP}"))
        self.set_session(interval=600)

    def close(self):
        self.door.close()
        self.slapd.stop()
        self.graph.stop()

    # -- asking --

    def run(self, *more, wrapper=(), **options):
        return subprocess.run([*wrapper, BUILD / "certdir", "doctor", "-c", self.sync.conf, "--raddb", self.server.raddb, *more], capture_output=True,
                              text=True, timeout=60, check=False, **options,
                              env={**os.environ, "PATH": f"{self.directory}/bin:{os.environ['PATH']}"})

    def doctor(self, *more, **options):
        """(exit code, checks)"""
        done = self.run("--json", *more, **options)
        assert done.returncode in (0, 1, 2) and not done.stderr, done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout)["checks"]

    # -- breaking --

    @property
    def module(self):
        return self.server.raddb / "mods-enabled" / "certdir"

    @property
    def eap(self):
        return self.server.raddb / "mods-enabled" / "eap"

    def applied(self, outcome):
        """The summary of a last apply."""
        (self.directory / "undo").mkdir(exist_ok=True)
        (self.directory / "undo" / f"{SECTION}.apply").write_text(
            json.dumps({"time": "2026-01-01T00:00:00Z", "outcome": outcome, "error": "out of luck"}))

    def set_session(self, **columns):
        with closing(sqlite3.connect(self.server.file)) as store, store:
            for name, value in columns.items():
                store.execute(f"UPDATE session SET {name} = ?", (value,))

    def add_sessions(self, count):
        """Of as many network devices, copies of the one that is there."""
        with closing(sqlite3.connect(self.server.file)) as store, store:
            columns = [row[1] for row in store.execute("PRAGMA table_info(session)") if row[1] not in ("id", "client")]
            store.execute(f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1}) INSERT INTO session "
                          f"(client, {', '.join(columns)}) SELECT '10.0.' || (i / 250) || '.' || (i % 250 + 1), {', '.join(columns)} "
                          "FROM n, (SELECT * FROM session LIMIT 1)")


@contextmanager
def kept(path):
    """What is at `path` is there again afterwards: bytes, mode, owner and time."""
    path = Path(path)
    status, content = path.stat(), path.read_bytes()
    try:
        yield path
    finally:
        path.write_bytes(content)
        path.chmod(status.st_mode & 0o7777)
        os.chown(path, status.st_uid, status.st_gid)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@contextmanager
def edited(path, old, new):
    with kept(path):
        text = Path(path).read_text()
        assert old in text, f"{path} has no {old}"
        Path(path).write_text(text.replace(old, str(new), 1))
        yield


@contextmanager
def mode(path, bits):
    former = Path(path).stat().st_mode & 0o7777
    Path(path).chmod(bits)
    try:
        yield
    finally:
        Path(path).chmod(former)


@contextmanager
def away(path):
    hidden = Path(path).parents[1] / "away"  # what stands beside it might be read
    Path(path).rename(hidden)
    try:
        yield
    finally:
        hidden.rename(path)
