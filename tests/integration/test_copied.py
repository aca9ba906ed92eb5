# SPDX-License-Identifier: GPL-2.0-or-later
"""One list, copied and signed, as docs/servers.md has it: its commands, word by word, with other directories."""

import functools
import http.server
import json
import os
import re
import shlex
import subprocess
import threading

import pytest

from testenv.logins import enter, wait_list_loaded
from testenv.radiusd import BUILD, REPO, shipped_module
from testenv.readme import indented

BLOCKS = {block.splitlines()[0]: block for block in indented((REPO / "docs/servers.md").read_text())}

# ssh OPTION VALUE .. HOST COMMAND..: what sshd does with the command of authorized_keys
SSH = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift 2; done
shift
SSH_ORIGINAL_COMMAND="$*" exec @command@
"""


def certdir(*arguments, code=0):
    done = subprocess.run([BUILD / "certdir", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


class Fleet:
    """The machine that syncs, and one server."""

    def __init__(self, tmp_path):
        self.sync, self.server, self.etc = (tmp_path / name for name in ("sync", "server", "etc"))
        for directory in (self.sync, self.server, self.etc):
            directory.mkdir()
        self.list = self.sync / "devices.db"
        self.key = self.etc / "list.key"
        subprocess.run(self.here(BLOCKS["(umask 077; openssl genpkey -algorithm ed25519 -out /etc/certdir/list.key)"]), shell=True,
                       check=True, timeout=60)

    def here(self, text, at=None):
        return text.replace("/etc/certdir/", f"{self.etc}/").replace("/var/lib/certdir", str(at or self.server))

    @property
    def public_key(self):
        return self.etc / "list.pub"

    def fill(self, source="few", key=True, **devices):
        file = self.etc / "devices.json"
        file.write_text(json.dumps([{"deviceId": f"3f2504e0-4f89-11d3-9a0c-{number:012d}", "displayName": name, "accountEnabled": enabled}
                                    for name, (number, enabled) in devices.items()]))
        certdir("list", "import", "--list", self.list, "--source", source, *(["--signing-key", self.key] if key else []), file)

    def by_rsync(self):
        service = BLOCKS["[Unit]"]
        command = re.search(r'^restrict,command="([^"]*)" ssh-', BLOCKS[next(line for line in BLOCKS if line.startswith("restrict,"))])[1]
        ssh = self.etc / "ssh"
        ssh.write_text(SSH.replace("@command@", self.here(command, self.sync)))
        ssh.chmod(0o755)
        words = shlex.split(self.here(re.search(r"^ExecStart=(.*)", service, re.MULTILINE)[1]))
        subprocess.run(words, check=True, timeout=60, umask=0o027, env={**os.environ, "PATH": f"{self.etc}:{os.environ['PATH']}"})

    def by_https(self):
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=self.sync)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            script = self.here(BLOCKS["#!/bin/sh"]).replace("https://sync.example.com/certdir/", f"http://127.0.0.1:{server.server_port}/")
            subprocess.run(["/bin/sh", "-c", script], check=True, timeout=60, umask=0o027)
            server.shutdown()


@pytest.mark.parametrize("way", ["by_rsync", "by_https"])
def test_a_copied_list(radiusd, pki, tmp_path, way):
    fleet = Fleet(tmp_path)
    copy = getattr(fleet, way)
    certificates = {name: pki.named(name) for name in ("PC1", "PC2", "EVIL")}

    def reasons():
        return {name: enter(server, pki, certificate)[1].reason for name, certificate in certificates.items()}

    def copy_and_wait():
        mark = server.mark()
        copy()
        wait_list_loaded(server, mark)

    fleet.fill(PC1=(1, True))
    copy()
    assert {file.name: file.stat().st_mode & 0o777 for file in fleet.server.iterdir()} == {"devices.db": 0o640}
    server = radiusd(shipped_module({"directories": "list", "list.filename": fleet.server / "devices.db",
                                     "list.public_key": fleet.public_key}))
    assert reasons() == {"PC1": "allowed", "PC2": "not-found", "EVIL": "not-found"}
    copy()  # nothing new
    fleet.fill("many", **{f"{'X' * 240}-{n}": (100 + n, True) for n in range(7000)})
    copy_and_wait()
    fleet.fill(PC1=(1, True), PC2=(2, True))
    copy_and_wait()
    assert {file.name for file in fleet.server.iterdir()} == {"devices.db", "devices.db.changes"}
    assert reasons() == {"PC1": "allowed", "PC2": "allowed", "EVIL": "not-found"}
    fleet.fill(PC1=(1, False), PC2=(2, True))
    copy_and_wait()
    said = certdir("list", "verify", "--list", fleet.server / "devices.db", "--public-key", fleet.public_key)
    assert "7002 devices; signature, seal" in said and "pages in a file of" in said
    assert reasons() == {"PC1": "disabled", "PC2": "allowed", "EVIL": "not-found"}

    # Somebody on the way has a list of his own.
    for file in fleet.sync.iterdir():
        file.unlink()
    fleet.fill(key=False, EVIL=(3, True))
    mark = server.mark()
    copy()
    server.wait_log(r"devices\.db is not signed.*Keeping the list of .* with 7002 devices", mark)
    assert reasons() == {"PC1": "disabled", "PC2": "allowed", "EVIL": "not-found"}
    assert "is not signed" in certdir("list", "verify", "--list", fleet.server / "devices.db", "--public-key", fleet.public_key, code=1)


def test_a_server_without_its_key_does_not_start(radiusd, pki, tmp_path):
    fleet = Fleet(tmp_path)
    fleet.fill(PC1=(1, True))
    server = radiusd(shipped_module({"directories": "list", "list.filename": fleet.list, "list.public_key": fleet.public_key}))
    assert enter(server, pki, pki.named("PC1"))[1].reason == "allowed"
    server.stop()
    fleet.public_key.rename(fleet.etc / "moved")
    checked = subprocess.run([BUILD / "certdir", "check", "--raddb", server.raddb, pki.named("PC1")[0]], capture_output=True, text=True,
                             timeout=60, check=False)
    assert checked.returncode == 78 and "list.pub cannot be read: No such file or directory" in checked.stderr


def test_changes_that_were_cut(tmp_path):
    fleet = Fleet(tmp_path)
    fleet.fill("many", **{f"{'X' * 240}-{n}": (100 + n, True) for n in range(7000)})
    for enabled in (True, False):
        fleet.fill(PC1=(1, enabled))
    changes = fleet.sync / "devices.db.changes"
    assert "warning" not in certdir("list", "verify", "--list", fleet.list)
    fleet.fill(PC1=(1, True))
    os.truncate(changes, changes.stat().st_size - 1)
    said = certdir("list", "verify", "--list", fleet.list)
    assert re.search(r"warning: .*devices\.db\.changes: [0-9]+ bytes stand behind the last whole edition, of 20", said)
    assert json.loads(certdir("list", "verify", "--json", "--list", fleet.list).splitlines()[0])["changes"]["behind"] > 4096
