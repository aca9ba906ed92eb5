# SPDX-License-Identifier: GPL-2.0-or-later
"""`make install`, `make uninstall`, and what is built anew for another server."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from testenv import supplicant
from testenv.logins import wait_list_loaded
from testenv.ports import free_port
from testenv.radiusd import BUILD, REPO, SYSTEM_LIBDIR, Radiusd, parse_decisions
from testenv.readme import indented

DEBIAN = Path("/etc/freeradius/3.0")
HEADERS = Path("/usr/include/freeradius")
FILES = ("mods-available/certdir", "mods-available/certdir-eap", "policy.d/certdir", "sites-available/certdir-check",
         "sites-available/certdir-wifi", "sites-available/certdir-wired")
# The indented blocks of README's Install, by their first words.
README = {block.split(" -")[0].split("\n")[0].split(" (")[0]: block for block in
          indented((REPO / "README.md").read_text().split("\n## Install\n")[1].split("\n## ")[0])}


def make(tree, *arguments, fails=False):
    done = subprocess.run(["make", "--no-print-directory", "-C", tree, *map(str, arguments)], capture_output=True, text=True,
                          timeout=120, check=False, env={**os.environ, "MAKEFLAGS": ""})
    assert (done.returncode != 0) is fails, done.stdout + done.stderr
    return done.stdout + done.stderr


class Site:
    """A source tree whose build is done, and a root that it is installed into, with the raddb that Debian ships."""

    def __init__(self, directory):
        self.tree, self.root, self.trial = directory / "tree", directory / "root", directory / "trial"
        self.raddb, self.list = self.root / "etc/freeradius/3.0", directory / "devices.db"
        self.shipped = self.root / "usr/share/certdir/raddb"
        (self.tree / "build").mkdir(parents=True)
        for name in ("Makefile", "CHANGELOG.md"):
            shutil.copy(REPO / name, self.tree)
        (self.tree / "rlm_certdir").symlink_to(REPO / "rlm_certdir")
        for name in ("man", "packaging", "raddb-snippets"):
            shutil.copytree(REPO / name, self.tree / name)
        for name in ("rlm_certdir.so", "certdir"):
            (self.tree / "build" / name).symlink_to(BUILD / name)
        self.raddb.mkdir(parents=True)
        self.port = free_port()

    def make(self, *arguments, **options):
        return make(self.tree, "-o", "all", f"DESTDIR={self.root}", *arguments, **options)

    def edit(self, name, text):
        with open(self.raddb / name, "a", encoding="utf-8") as file:
            file.write(text)

    def next_version(self, name, text):
        with open(self.tree / "raddb-snippets" / name, "a", encoding="utf-8") as file:
            file.write(text)

    def ours(self):
        """The files below raddb that were not there at first."""
        return sorted(str(path.relative_to(self.raddb)) for path in self.raddb.rglob("*") if not path.is_dir()
                      and "certdir" in path.name)

    def debian(self):
        """Debian's raddb for a server that runs as whoever tests, reads our build, and listens to `port` on loopback."""
        shutil.rmtree(self.raddb)
        shutil.copytree(DEBIAN, self.raddb, symlinks=True)
        self.change("radiusd.conf", (r"^\s*(user|group) = freerad$", ""), (r"^(run_dir|logdir) = .*", rf"\1 = {self.root}"),
                    (str(DEBIAN), str(self.raddb)), (f"libdir = {SYSTEM_LIBDIR}", f"libdir = {BUILD}:{SYSTEM_LIBDIR}"),
                    ("proxy_requests  = yes", "proxy_requests = no"))
        ports = iter([self.port, *(free_port() for _ in range(4))])
        port = (r"^(\s*)port = \d+", lambda match: f"{match[1]}port = {next(ports)}")
        self.change("sites-available/default", (r"^(\s*)ipaddr = \*", r"\1ipaddr = 127.0.0.1"),
                    (r"^(\s*)ipv6addr = ::.*", r"\1ipv6addr = ::1"), port)
        self.change("sites-available/inner-tunnel", port)

    def change(self, name, *changes):
        file = self.raddb / name
        text = file.read_text()
        for pattern, replacement in changes:
            text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
            assert count, (name, pattern)
        file.write_text(text)

    def enable(self):
        self.run(README["cd /etc/freeradius/3.0"])

    def run(self, commands):
        """Commands of README.md, with the site's places and our build in them."""
        for there, here in (("/etc/freeradius/3.0", self.raddb), ("-o freerad -g freerad ", ""),
                            ("certdir list import", f"{BUILD}/certdir list import --list {self.list}"),
                            ("systemctl restart freeradius", ":"), ("eapol_test", f"eapol_test -p {self.port}")):
            commands = commands.replace(there, str(here))
        self.trial.mkdir(exist_ok=True)
        return subprocess.run(["bash", "-ec", commands], cwd=self.trial, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def test_files_and_their_places(site):
    site.make("install")
    assert site.ours() == sorted(FILES)
    assert (site.root / "usr/lib/freeradius/rlm_certdir.so").read_bytes() == (BUILD / "rlm_certdir.so").read_bytes()
    assert (site.root / "var/lib/certdir").stat().st_mode & 0o2777 == 0o2755
    assert (site.root / "var/lib/certdir-radiusd").stat().st_mode & 0o7777 == 0o770
    assert (site.root / "etc/certdir").stat().st_mode & 0o7777 == 0o750
    for name in FILES:
        assert (site.raddb / name).stat().st_mode & 0o777 == 0o640
        assert (site.raddb / name).read_bytes() == (REPO / "raddb-snippets" / name).read_bytes()


class InstalledRadiusd(Radiusd):
    """The server with the raddb of a site."""

    def __init__(self, directory, trust, site):
        self.site = site
        super().__init__(directory, trust)
        self.raddb, self.port = site.raddb, site.port

    def write(self):
        pass


def test_as_readme_says(site, pki, tmp_path):
    """README's own commands, in Debian's raddb: the device gets in, and no more when it is disabled, nor by another CA."""
    site.debian()
    site.make("install", f"LISTDIR={tmp_path}")
    site.enable()
    commands, login = re.split("(?=^eapol_test)", README["openssl req"], flags=re.MULTILINE)
    site.run(commands)
    trust = {"ca": site.trial / "device-ca.pem"}
    with InstalledRadiusd(tmp_path, trust, site) as server:
        assert site.run(login) == "SUCCESS\n"
        decision, = server.decisions(count=1)
        shown = parse_decisions(README["Info:"])[0]
        assert all(decision.fields[name] == value for name, value in shown.fields.items()), decision.line
        mark = server.mark()
        site.run("sed -i 's/true/false/' devices.json; certdir list import --source trial devices.json")
        wait_list_loaded(server, mark)
        assert site.run(login) == "FAILURE\n"
        assert server.decisions(mark)[-1].reason == "disabled"
        mark = server.mark()
        attempt, = supplicant.login(server, *pki.named("LAPTOP-1"), trust["ca"])
        assert not attempt.accepted and server.decisions(mark)[0].reason == "unseen"  # the eap module refuses that CA


def test_upgrade_keeps_what_was_edited_and_radiusd_reads_that_alone(site, pki):
    site.debian()
    site.make("install")
    site.enable()
    for name, kind in (("server.pem", "certificate"), ("server.key", "key"), ("device-ca.pem", "ca")):
        shutil.copy(pki.trust[kind], site.trial / name)
    site.run(README["install"])
    site.edit("policy.d/certdir", "\n#  mine\n")
    site.next_version("policy.d/certdir", "\n#  the next version's\n")
    site.next_version("sites-available/certdir-wifi", "\n#  the next version's\n")
    for place in ("etc/certdir", "var/lib/certdir"):
        (site.root / place).chmod(0o2750)  # as certdir-sync(1) has it
    said = site.make("install")
    assert all((site.root / place).stat().st_mode & 0o7777 == 0o2750 for place in ("etc/certdir", "var/lib/certdir"))
    policy = site.raddb / "policy.d/certdir"
    assert policy.read_text().endswith("\n#  mine\n")
    assert f"diff {policy} {site.shipped / 'policy.d/certdir'}" in said
    assert "next version" in (site.shipped / "policy.d/certdir").read_text()
    assert "next version" in (site.raddb / "sites-available/certdir-wifi").read_text()  # nobody had edited that
    assert said.count("kept ") == 1
    assert site.ours() == sorted([*FILES, "mods-enabled/certdir",
                                  *(f"sites-enabled/certdir-{name}" for name in ("check", "wifi", "wired"))])

    done = subprocess.run(["freeradius", "-XC", "-d", site.raddb], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    read = re.findall(rf"^including configuration file ({site.raddb}/policy\.d/.*)$", done.stdout, re.MULTILINE)
    debian = [path.name for path in (DEBIAN / "policy.d").iterdir() if "certdir" not in path.name]
    assert sorted(read) == sorted(str(site.raddb / "policy.d" / name) for name in [*debian, "certdir"])

    site.next_version("policy.d/certdir", "\n#  one more\n")
    site.make("install")
    assert policy.read_text().endswith("\n#  mine\n")


def test_upgrade_from_before_the_shipped_copies(site):
    """The former `make install` wrote certdir.new into policy.d, which radiusd reads whole."""
    policy = site.raddb / "policy.d/certdir"
    policy.parent.mkdir()
    policy.write_text("#  mine\n")
    policy.with_name("certdir.new").write_text("#  an older version's\n")
    said = site.make("install")
    assert policy.read_text() == "#  mine\n"
    assert site.ours() == sorted(FILES)
    assert f"moved {policy}.new" in said
    assert (site.shipped / "policy.d/certdir.old").read_text() == "#  an older version's\n"


def test_what_was_removed_stays_away(site):
    """policy.d/certdir under another name must not get a second one beside it."""
    site.make("install")
    (site.raddb / "policy.d/certdir").rename(site.raddb / "policy.d/certdir-site")
    said = site.make("install")
    assert not (site.raddb / "policy.d/certdir").exists()
    assert f"cp {site.shipped / 'policy.d/certdir'} {site.raddb / 'policy.d/certdir'}" in said
    shutil.rmtree(site.raddb)  # but a new server's raddb gets all
    site.make("install")
    assert site.ours() == sorted(FILES)


def test_uninstall(site):
    site.raddb.mkdir(exist_ok=True)
    site.make("install")
    (site.raddb / "mods-enabled").mkdir()
    (site.raddb / "mods-enabled/certdir").symlink_to("../mods-available/certdir")
    (site.raddb / "mods-enabled/eap").symlink_to("../mods-available/certdir-eap")
    said = site.make("uninstall", fails=True)
    undo = [f"rm {site.raddb}/mods-enabled/certdir", f"ln -sfn ../mods-available/eap {site.raddb}/mods-enabled/eap"]
    assert [line.strip() for line in said.splitlines() if line.startswith("    ")] == undo, said
    assert site.ours() == sorted((*FILES, "mods-enabled/certdir"))

    for command in undo:
        subprocess.run(command.split(), check=True)
    assert os.readlink(site.raddb / "mods-enabled/eap") == "../mods-available/eap"
    (site.raddb / "mods-enabled/eap").unlink()
    site.edit("policy.d/certdir", "#  mine\n")
    (site.root / "var/lib/certdir/devices.db").write_text("a list")
    (site.root / "var/lib/certdir-radiusd/certdir.ldap.memory").write_text("what LDAP said")
    said = site.make("uninstall")
    assert f"kept {site.raddb}/policy.d/certdir" in said
    left = sorted(str(path.relative_to(site.root)) for path in site.root.rglob("*") if not path.is_dir())
    assert left == ["etc/freeradius/3.0/policy.d/certdir", "var/lib/certdir/devices.db"]
    assert not (site.root / "etc/certdir").exists() and not (site.root / "var/lib/certdir-radiusd").exists()


def test_uninstall_stops_what_runs(site, tmp_path, monkeypatch):
    """Not for systemd: an installation that is put together for another place. What cannot be stopped is not uninstalled."""
    said, stuck = tmp_path / "said", tmp_path / "stuck"
    (site.root / "bin").mkdir()
    systemctl = site.root / "bin/systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$*" >>{said}\n[ ! -e {stuck} ]\n')
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{site.root}/bin:{os.environ['PATH']}")
    timer = site.root / "etc/systemd/system/timers.target.wants/certdir-placeholders@staff.timer"

    site.make("install")
    site.make("uninstall")
    assert not said.exists()
    site.make("install")
    (site.root / "run/systemd/system").mkdir(parents=True)
    timer.parent.mkdir(parents=True)
    timer.symlink_to("/usr/lib/systemd/system/certdir-placeholders@.timer")
    stuck.touch()
    site.make("uninstall", fails=True)
    assert (site.root / "usr/bin/certdir").exists() and timer.is_symlink()
    stuck.unlink()
    said.unlink()
    site.make("uninstall")
    assert said.read_text().splitlines() == ["stop certdir-sync.service certdir-placeholders@*", "disable certdir-sync.service", "daemon-reload"]
    assert not (site.root / "usr/bin/certdir").exists() and not timer.is_symlink()
    site.make("uninstall")  # once more there is nothing to be stopped


def test_places_are_variables(site):
    places = {"BINDIR": "opt/bin", "MANDIR": "opt/man", "SHAREDIR": "opt/share", "LIBDIR": "opt/lib", "RADDB": "opt/raddb",
              "CONFDIR": "opt/etc", "LISTDIR": "opt/list", "UNITDIR": "opt/units", "SYSUSERSDIR": "opt/users", "LOGROTATEDIR": "opt/rotate",
              "BASHDIR": "opt/bash", "ZSHDIR": "opt/zsh", "FISHDIR": "opt/fish"}
    variables = [*(f"{name}=/{place}" for name, place in places.items()), "LOGDIR=/opt/log", "SERVER_GROUP=radiusd"]
    site.make("install", *variables)
    assert sorted(path.name for path in site.root.iterdir()) == ["etc", "opt"]  # etc: the raddb of the fixture
    assert sorted(path.name for path in (site.root / "opt").iterdir()) == sorted([*(place[4:] for place in places.values()), "list-radiusd"])
    assert "filename = /opt/list/devices.db" in (site.root / "opt/raddb/mods-available/certdir").read_text()
    unit = (site.root / "opt/units/certdir-sync.service").read_text()
    assert "ExecStart=/opt/bin/certdir sync --interval 60s" in unit and "ReadWritePaths=/opt/list\n" in unit and "Group=radiusd\n" in unit
    assert (site.root / "opt/users/certdir.conf").read_text().endswith('u certdir -:radiusd "certdir sync" /opt/list\n')
    assert "\n/opt/log/certdir.json {\n" in (site.root / "opt/rotate/certdir").read_text()
    site.make("uninstall", *variables)
    assert not [path for path in (site.root / "opt").rglob("*") if not path.is_dir()]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_units(site, tmp_path):
    """systemd takes them, and they may do little."""
    site.make("install")
    units = tmp_path / "units"
    units.mkdir()
    for unit in (site.root / "usr/lib/systemd/system").iterdir():
        instance = units / unit.name.replace("@.", "@staff.")
        instance.write_text(unit.read_text().replace("/usr/bin/certdir", str(BUILD / "certdir")))
    assert len(list(units.iterdir())) == 3
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units.iterdir()], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and str(units) not in done.stderr, done.stderr
    for service in units.glob("*.service"):
        done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=19", service], capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr  # exposure above 1.9


# ---- for which server it is built ----


@pytest.fixture
def server(tmp_path):
    """Headers of a server in a prefix of its own; set_version() is an upgrade of its package."""

    class Server:
        prefix = tmp_path / "fr"
        include = prefix / "include/freeradius"

        def set_version(self, version):
            for name in ("features.h", "autoconf.h"):
                (self.include / name).unlink(missing_ok=True)
                text = (HEADERS / name).read_text()
                (self.include / name).write_text(re.sub(r"(RADIUSD_VERSION\s+)\d+", rf"\g<1>{version}", text))
                os.utime(self.include / name, (1, 1))  # a package's files are as old as the package

    server = Server()
    server.include.mkdir(parents=True)
    for header in HEADERS.iterdir():
        (server.include / header.name).symlink_to(header)
    (server.include / "radpaths.h").unlink()
    (server.include / "radpaths.h").write_text((HEADERS / "radpaths.h").read_text().replace(
        '"/usr/lib/freeradius"', f'"{server.prefix}/lib"').replace('"/etc/freeradius/3.0"', f'"{server.prefix}/etc/raddb"'))
    server.set_version("030201")
    return server


GLUE, CORE = "rlm_certdir/eap_tls_session.o", "rlm_certdir/base/reason.o"


def test_other_server_is_built_for_anew(tmp_path, server):
    def build():
        said = make(REPO, f"B={tmp_path}/b", "OPT=-O0", f"FREERADIUS_PREFIX={server.prefix}", tmp_path / "b" / GLUE,
                    tmp_path / "b" / CORE)
        return [name for name in (GLUE, CORE) if f"CC      {tmp_path}/b/{name}" in said]

    assert build() == [GLUE, CORE]
    assert build() == []
    server.set_version("030208")
    assert build() == [GLUE]
    assert build() == []


@pytest.mark.parametrize("version", ["030026", "04000000"])
def test_other_versions_are_refused(tmp_path, server, version):
    server.set_version(version)
    said = make(REPO, f"B={tmp_path}/b", f"FREERADIUS_PREFIX={server.prefix}", tmp_path / "b" / GLUE, fails=True)
    assert "certdir is for FreeRADIUS 3.2" in said


def test_prefix_of_a_server(tmp_path, site, server):
    site.make("install", f"FREERADIUS_PREFIX={server.prefix}")
    place = Path(f"{site.root}{server.prefix}")
    assert (place / "lib/rlm_certdir.so").exists()
    assert (place / "etc/raddb/policy.d/certdir").exists()
    said = make(REPO, f"B={tmp_path}/b", f"FREERADIUS_PREFIX={tmp_path}/nowhere", tmp_path / "b" / GLUE, fails=True)
    assert f"No headers of FreeRADIUS in {tmp_path}/nowhere/include" in said
