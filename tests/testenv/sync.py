# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir.conf for fake Graphs, and runs of `certdir sync` with it."""

import json
import os
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from testenv.graph import FakeGraph
from testenv.published import Options, arranged, expected
from testenv.radiusd import BUILD
from testenv.tenant import Tenant

# Exit codes of `certdir sync`.
DONE, SOME, NONE, SHRUNK, STOPPED, MISCONFIGURED = 0, 1, 2, 3, 5, 78


@dataclass
class Run:
    """One run that ended."""

    code: int
    out: str
    err: str

    @property
    def report(self):
        """Of a run with --json: the last line."""
        return json.loads(self.out.splitlines()[-1])

    @property
    def changes(self):
        """Of a dry run with --json: the lines before."""
        return [json.loads(line) for line in self.out.splitlines()[:-1]]

    def parts(self, tenant=None):
        """{"devices": {"result": .., ..}, ..} of a tenant, or of the only one."""
        found = [one["parts"] for one in self.report["tenants"] if tenant in (None, one["name"])]
        assert len(found) == 1
        return found[0]

    def results(self, tenant=None):
        """Of the parts, but for certificates and users where nobody asks for them."""
        return {name: part["result"] for name, part in self.parts(tenant).items()
                if part["note"] != "certificates = no" and (name, part["result"]) != ("users", "skipped")}


class Sync:
    """
    A directory with a configuration, secrets and a list. graphs: a FakeGraph (it becomes tenant contoso) or several by
    name. Options of the tenants are keywords, or in .tenants; those of the list in .list. A value that is a list is
    several lines, None none.
    """

    def __init__(self, directory, graphs, **options):
        self.directory = Path(directory)
        self.directory.mkdir(exist_ok=True)
        self.graphs = graphs if isinstance(graphs, dict) else {"contoso": graphs}
        self.list_file = self.directory / "devices.db"
        self.conf = self.directory / "certdir.conf"
        self.list = {"filename": self.list_file}
        self.directories = {}  # LDAP: {name: options}
        self.tenants = {name: {**self._tenant(name, graph), **options} for name, graph in self.graphs.items()}
        self.env = {}

    def secret_file(self, name, text):
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    def _tenant(self, name, graph):
        return {"authority": graph.url, "graph": graph.url, "ca_file": graph.ca_file, "tenant_id": graph.tenant.id,
                "client_id": graph.tokens.client_id, "intune_interval": "0s", "deadline": "60s",
                "report_hosts": graph.report_suffix,
                "client_secret_file": self.secret_file(f"{name}.secret", "the-client-secret\n")}

    def set(self, tenant="contoso", **options):
        self.tenants[tenant].update(options)

    def write(self):
        lines = []
        sections = {"list": self.list, **{f"tenant {name}": options for name, options in self.tenants.items()},
                    **{f"ldap {name}": options for name, options in self.directories.items()}}
        for section, options in sections.items():
            lines.append(f"[{section}]")
            for key, value in options.items():
                for one in value if isinstance(value, (list, tuple)) else [value]:
                    lines += [f"{key} = {one}"] if one is not None else []
        self.conf.write_text("\n".join(lines) + "\n")

    # -- running --

    def command(self, *arguments):
        return [BUILD / "certdir", *arguments]

    def start(self, *arguments, **options):
        """Starts `certdir sync`; a Popen with texts."""
        self.write()
        return subprocess.Popen(self.command("sync", "-c", self.conf, *arguments), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env={**os.environ, **self.env}, **options)

    def run(self, *arguments, code=DONE, timeout=60):
        """Runs `certdir sync --json` to its end and checks the exit code (None: any)."""
        process = self.start("--json", *arguments)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        assert code in (None, process.returncode), f"certdir sync: {process.returncode}\n{out}{err}"
        return Run(process.returncode, out, err)

    def certdir(self, *arguments, code=0):
        """Any other command: its standard output."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, f"certdir {arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def status(self, code=None):
        done = subprocess.run(self.command("status", "-c", self.conf, "--json"), capture_output=True, text=True,
                              timeout=60, check=False)
        assert code in (None, done.returncode), done.stderr
        return json.loads(done.stdout)

    # -- looking --

    def listed(self):
        """The list's devices, in testenv.published.arranged() order."""
        if not self.list_file.exists():
            return []
        devices = json.loads(self.certdir("list", "export", "--format", "json", "--list", self.list_file))
        self._add_addresses(devices)
        return arranged(devices)

    def _add_addresses(self, devices):
        """MAC addresses stand in the file, not in an export."""
        with closing(sqlite3.connect(f"file:{self.list_file}?mode=ro&immutable=1", uri=True)) as db:
            found = {row[:2]: row[2:] for row in db.execute(
                "SELECT object_id,intune_device_id,wifi_mac,ethernet_mac FROM device WHERE listed")}
        for device in devices:
            # A sync that goes on may have published another list since the export.
            addresses = found.get((device.get("id"), device.get("intuneDeviceId")), ())
            names = ("wiFiMacAddress", "ethernetMacAddress")
            device.update({name: value for name, value in zip(names, addresses) if value})

    def names(self):
        return {device.get("displayName") for device in self.listed()}

    def changes(self, since="1d"):
        out = self.certdir("list", "changes", "--json", "--since", since, "--list", self.list_file)
        return [json.loads(line) for line in out.splitlines()]

    def leftovers(self):
        """Files beside the list that a run should not leave: temporary ones."""
        return sorted(path.name for path in self.directory.iterdir() if ".new" in path.name or ".tmp" in path.name)


# ---- a tenant to begin a test with ----

STAFF = "Wi-Fi staff"


@contextmanager
def serving():
    """Gives serve(tenant, options of FakeGraph), which starts fakes; at the end no client may have been ill-mannered."""
    running = []

    def serve(tenant, **options):
        running.append(FakeGraph(tenant, **options).start())
        return running[-1]

    try:
        yield serve
    finally:
        for graph in running:
            graph.stop()
    assert not [violation for graph in running for violation in graph.violations]


def contoso(serve, directory):
    """A tenant of 30 devices with a group, its Graph with small pages, a certdir.conf for it: (tenant, graph, sync)."""
    tenant = Tenant("contoso", 30, groups=(STAFF,))
    graph = serve(tenant, page_size=8)
    graph.habits.page_size = 8
    return tenant, graph, Sync(directory / "sync", graph, group=STAFF)


def some_device(tenant, index=0):
    return sorted(tenant.devices)[index]


def truth(tenant, **options):
    """What the list must hold with that configuration."""
    return expected(tenant, Options(groups=(STAFF,), **options))
