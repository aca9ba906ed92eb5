# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine on which a guide of docs/ is followed: block by block, as it stands there, with the places of a test in it."""

import os
import re
import shutil
import subprocess

from testenv.ports import free_port
from testenv.radiusd import BUILD, REPO, SNIPPETS, SYSTEM_LIBDIR, Radiusd
from testenv.readme import indented
from testenv.stock import STOCK

# Where a command of certdir would look, the machine's own places are named.
CERTDIR = """\
#!/bin/sh
command=$1
shift
case $command in
setup | doctor) exec {build}/certdir $command -c {root}/etc/certdir/certdir.conf --raddb {root}/etc/freeradius/3.0 "$@" ;;
sync | status) exec {build}/certdir $command -c {root}/etc/certdir/certdir.conf "$@" ;;
list) exec {build}/certdir list "$@" --list {root}/var/lib/certdir/devices.db ;;
*) exec {build}/certdir $command "$@" ;;
esac
"""
# Units are active, have no user of their own, and what else is wanted of them is noted.
SYSTEMCTL = """\
#!/bin/sh
case $1 in
is-active) echo active ;;
show) ;;
*) echo "$@" >>{root}/systemctl ;;
esac
"""
PROGRAMS = {
    "certdir": CERTDIR,
    "systemctl": SYSTEMCTL,
    "freeradius": "#!/bin/sh\nexec /usr/sbin/freeradius -d {root}/etc/freeradius/3.0 \"$@\"\n",
}


class Server(Radiusd):
    """The machine's radiusd: its raddb is the guide's."""

    def __init__(self, directory, raddb):
        super().__init__(directory, {"ca": "", "certificate": "", "key": ""})
        self.raddb = raddb

    def write(self):
        pass


class Guide:
    """
    `page` is a file of docs/. Its blocks are taken one after the other, by run() and text(), and done() wants none to be left.
    `replaced`: {what stands in the page: what it is here}. Files that the page takes for granted go into `work`.
    """

    def __init__(self, directory, page, replaced=None, secret="a long one"):
        self.root = directory / "machine"
        self.work = directory / "work"
        for name in ("bin", "etc/certdir", "etc/freeradius", "var/lib/certdir", "var/lib/certdir-radiusd", "var/log/freeradius"):
            (self.root / name).mkdir(parents=True)
        self.work.mkdir()
        self.raddb, self.conf = self.root / "etc/freeradius/3.0", self.root / "etc/certdir/certdir.conf"
        self.list = self.root / "var/lib/certdir/devices.db"
        self.conf.write_text(f"[list]\nfilename = {self.list}\n")
        self.page = page
        self._blocks = indented((REPO / "docs" / page).read_text())
        for name, text in PROGRAMS.items():
            (self.root / "bin" / name).write_text(text.format(build=BUILD, root=self.root))
            (self.root / "bin" / name).chmod(0o755)
        self.server = Server(directory, self.raddb)
        self.server.secret = secret
        self.accounting_port = free_port("udp")
        self._install()
        self.replaced = {**{f"/{name}": f"{self.root}/{name}" for name in
                             ("etc/freeradius", "etc/certdir", "var/lib/certdir", "var/log/freeradius")},
                          "-o freerad -g freerad ": "", "192.0.2.0/24": "127.0.0.1", **(replaced or {})}

    def _install(self):
        """raddb as the distribution has it, with what a package of ours brings."""
        shutil.copytree(STOCK, self.raddb, symlinks=True)
        for folder in ("mods-available", "sites-available", "policy.d"):
            shutil.copytree(SNIPPETS / folder, self.raddb / folder, dirs_exist_ok=True)
        self._edit("radiusd.conf", (r"^\t(user|group) = freerad", ""), (r"^libdir = .*", f'libdir = "{BUILD}:{SYSTEM_LIBDIR}"'),
                   (r"^raddbdir = .*", f"raddbdir = {self.raddb}"), (r"^(logdir|run_dir) = .*", rf"\1 = {self.root}/var/log/freeradius"),
                   (r"reject_delay = 1", "reject_delay = 0"))
        self._edit("clients.conf", (r"^client localhost(_ipv6)? \{", r"client stock\1 {"), (r"ipaddr = 127\.0\.0\.1", "ipaddr = 198.51.100.1"))
        ports = iter([self.server.port, self.accounting_port, *(free_port("udp") for _ in range(3))])
        default = self.raddb / "sites-available" / "default"
        listeners = re.findall(r"^listen \{\n.*?^\}\n", default.read_text(), re.MULTILINE | re.DOTALL)
        for listener in listeners[2:]:  # IPv6's
            default.write_text(default.read_text().replace(listener, ""))
        port = (r"^(\s*)port = \d+", lambda match: f"{match[1]}port = {next(ports)}")
        self._edit("sites-available/default", (r"^(\s*)ipaddr = \*", r"\1ipaddr = 127.0.0.1"), port)
        self._edit("sites-available/inner-tunnel", port)

    def _edit(self, name, *edits):
        file = self.raddb / name
        text = file.read_text()
        for old, new in edits:
            text, count = re.subn(old, new, text, flags=re.MULTILINE)
            assert count, f"{old} is not in {name}"
        file.write_text(text)

    # -- the page --

    def text(self, beginning):
        """The next block, which begins so."""
        assert self._blocks, f"{self.page} has no more blocks: {beginning}"
        block = self._blocks.pop(0)
        assert block.startswith(beginning), f"{self.page}: not {beginning!r} but\n{block}"
        for there, here in self.replaced.items():
            block = block.replace(there, str(here))
        return block

    def run(self, beginning, code=0):
        """Runs the next block's commands, and restarts the server if they say so: what they wrote."""
        asked = self.root / "systemctl"
        asked.write_text("")
        done = subprocess.run(["bash", "-ec", self.text(beginning)], cwd=self.work, text=True, timeout=120, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              env={**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}"})
        assert done.returncode == code, f"{self.page}, {beginning}: {done.returncode}\n{done.stdout[-3000:]}"
        if "restart freeradius" in asked.read_text():
            self.server.stop()
            self.server.start()
        return done.stdout

    def done(self):
        assert not self._blocks, f"{self.page}: nobody tried\n{self._blocks[0]}"

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.server.kill()
