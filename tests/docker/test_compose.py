# SPDX-License-Identifier: GPL-2.0-or-later
"""
docker/compose.yaml as it stands, with the demo's devices, a sync from a fake Graph, and Prometheus; and what docs/container.md says. Run by
test.sh, which builds the images. Services are named, since podman-compose 1.0.3 starts those of all profiles.
"""

import contextlib
import json
import os
import random
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import pytest

from testenv.certificates import Authority
from testenv.graph import FakeGraph
from testenv.metrics import Metrics
from testenv.network import network_of
from testenv.radiusd import REPO
from testenv.readme import indented
from testenv.supplicant import wait_until
from testenv.tenant import Tenant

COMPOSE, ENGINE = (shlex.split(os.environ.get(name, "")) for name in ("CERTDIR_COMPOSE", "CERTDIR_ENGINE"))
pytestmark = pytest.mark.skipif(not COMPOSE, reason="no podman-compose or docker compose, or not run by tests/docker/test.sh")
USER = 1812
GUIDE = REPO / "docs/container.md"
CONF = """[tenant contoso]
tenant_id = {tenant}
client_id = {client}
authority = {url}
graph = {url}
ca_file = /etc/certdir/ca.pem
intune = no
certificate_file = ${{CREDENTIALS_DIRECTORY}}/graph.pem
private_key_file = ${{CREDENTIALS_DIRECTORY}}/graph.pem
"""


def run(*command, check=True, **options):
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, timeout=120, check=False, **options)
    assert not check or done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done


def healthy(container):
    """Podman's checks run by systemd's timers, or by hand."""
    if ENGINE[0] == "podman":
        return run(*ENGINE, "healthcheck", "run", container, check=False).returncode == 0
    return run(*ENGINE, "inspect", "-f", "{{.State.Health.Status}}", container).stdout.strip() == "healthy"


def some_address():
    """Of loopback: not the machine's own, and seldom one that another run has."""
    return ".".join(["127"] + [str(random.randint(2, 254)) for _ in range(3)])


class Site:
    """A copy of what compose.yaml needs of the tree, to be edited as an administrator would, and the demo that it mounts."""

    def __init__(self, directory):
        self.tree, self.data = directory / "certdir", directory / "certdir/build/docker"
        for name in ("docker", "raddb-snippets", "packaging/monitoring"):
            shutil.copytree(REPO / name, self.tree / name)
        file = self.tree / "docker/compose.yaml"
        file.write_text(file.read_text().replace("image: certdir\n", f"image: {os.environ['CERTDIR_IMAGE']}\n"))
        run(REPO / "docker/demo.py", self.data)
        (self.data / "sync").mkdir()
        self.address = some_address()
        self.project = f"certdirtest{os.getpid()}"

    def compose(self, *arguments, **options):
        env = {**os.environ, "CERTDIR_ADDRESS": self.address, "CERTDIR_PROMETHEUS": self.address}
        return run(*COMPOSE, "-p", self.project, "-f", self.tree / "docker/compose.yaml", *arguments, env=env, **options)

    def edit(self, name, pattern, replacement):
        path = self.tree / "raddb-snippets" / name
        text, count = re.subn(pattern, replacement, path.read_text(), flags=re.MULTILINE)
        assert count, f"{name} has no {pattern}"
        path.write_text(text)

    def containers(self, *more):
        return run(*ENGINE, "ps", "-aq", "--filter", f"label=com.docker.compose.project={self.project}", *more).stdout.split()

    def container(self, service):
        found, = self.containers("--filter", f"label=com.docker.compose.service={service}")
        return found

    def of(self, service, template):
        return run(*ENGINE, "inspect", "-f", template, self.container(service)).stdout.strip()

    def execute(self, service, *command, **options):
        return run(*ENGINE, "exec", self.container(service), *command, **options)

    def logs(self, service):
        done = run(*ENGINE, "logs", self.container(service))
        return done.stdout + done.stderr

    def healthy(self, service):
        return healthy(self.container(service))

    def inside(self, *command, **options):
        """In the network of radiusd's container, whose ports are fixed."""
        return run("nsenter", "-n", "-t", self.of("radius", "{{.State.Pid}}"), *command, **options)

    def logins(self, act):
        return self.inside(sys.executable, REPO / "tests/docker/logins.py", self.data, act, check=False)

    def remove(self):
        named = ("--filter", f"label=com.docker.compose.project={self.project}")
        for container in self.containers():
            done = run(*ENGINE, "logs", container)
            print(f"---- {container}", *(done.stdout + done.stderr).splitlines()[-30:], sep="\n")
            run(*ENGINE, "rm", "-f", container, check=False)
        for kind in ("volume", "network"):
            for one in run(*ENGINE, kind, "ls", "-q", *named).stdout.split():
                run(*ENGINE, kind, "rm", one, check=False)


def guide(beginning):
    """What stands in a block of docs/container.md from there on."""
    found, = (block[block.index(beginning):].strip() for block in indented(GUIDE.read_text()) if beginning in block)
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("compose"))
    made.edit("sites-available/certdir-wifi", r"^#(.*certdir_assign_vlan)$", r"\1")
    made.edit("mods-available/certdir", r"^#(\tsessions \{)$((?:\n.*)*?)\n#(\t\})$", r"\1\2\n\3")
    run("sh", "-c", guide("sed -i").splitlines()[0], cwd=made.tree)
    try:
        made.compose("up", "-d", "radius")
        wait_until(lambda: made.healthy("radius"), timeout=60, what="a healthy server")
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def synced(site):
    """The service sync, in whose network Graph is on loopback. LAPTOP-ANNA is known there, too, and disabled."""
    anna = json.loads((REPO / "tests/demo/devices.json").read_text())["value"][0]
    tenant = Tenant("contoso", 20)
    tenant.add_device(anna["displayName"], deviceId=anna["deviceId"], accountEnabled=False)
    signer = Authority("certdir sync", key="rsa")
    with FakeGraph(tenant) as graph:
        graph.tokens.certificates.append(signer.der)
        shutil.copyfile(graph.ca_file, site.data / "sync/ca.pem")
        (site.data / "sync/certdir.conf").write_text(CONF.format(tenant=tenant.id, client=graph.tokens.client_id, url=graph.url))
        credential = site.data / "secrets/graph.pem"
        credential.touch(mode=0o600)
        credential.write_text(signer.pem + signer.key_pem)
        os.chown(credential, USER, USER)
        site.compose("up", "-d", "sync")
        with network_of(site.of("sync", "{{.State.Pid}}")):
            listening = socket.create_server(("127.0.0.1", graph.port))
        with listening:
            graph.accept_at(listening)
            wait_until(lambda: site.execute("sync", "certdir", "sync", "--now", check=False).returncode == 0, timeout=60, what="a sync that stays")
            yield graph
            listening.shutdown(socket.SHUT_RDWR)
        assert not graph.violations


def test_secrets(site):
    said = site.execute("radius", "stat", "-L", "-c", "%n %a %u", "/run/secrets/server.key", "/run/secrets/clients.conf").stdout
    assert said.split("\n")[:2] == ["/run/secrets/server.key 600 1812", "/run/secrets/clients.conf 600 1812"]


def test_logins(site):
    done = site.logins("demo")
    assert done.returncode == 0, done.stdout + done.stderr + site.logs("radius")


def test_demo_of_the_guide(site):
    def typed(text, **options):
        return run("sh", "-c", text.replace("127.0.0.1", address), cwd=site.tree, **options)

    address, label = some_address(), f"com.docker.compose.project={site.project}"
    begin = guide("podman run --rm").replace("podman run", f"{shlex.join(ENGINE)} run -d --label {label}")
    container = typed(begin.removesuffix("certdir") + os.environ["CERTDIR_IMAGE"]).stdout.strip()
    wait_until(lambda: healthy(container), timeout=60, what="a healthy server")
    login = guide("cat >build/docker/anna.conf")
    done = typed(login, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "SUCCESS"), done.stdout
    assert typed(login.replace("laptop-anna", "laptop-gone"), check=False).stdout.splitlines()[-1] == "FAILURE"
    run(*ENGINE, "stop", container)


def test_published_port(site):
    secret = re.search(r"secret = (\w+)", (site.data / "secrets/clients.conf").read_text())[1]
    done = run("radclient", "-x", "-r", "1", "-t", "5", f"{site.address}:1813", "acct", secret,
               input='Acct-Status-Type = Start, Acct-Session-Id = "s", NAS-Identifier = "ap1"\n')
    assert "Accounting-Response" in done.stdout


def test_sync(site, synced):
    wait_until(lambda: "contoso" in site.execute("radius", "certdir", "list", "sources", check=False).stdout, timeout=60, what="a published list")
    wait_until(lambda: site.healthy("sync"), timeout=60, what="a healthy sync")
    wait_until(lambda: "LAPTOP-ANNA  REJECT" in site.logins("later").stdout, timeout=60, what="the refusal of a device that Graph calls disabled")
    assert re.search("certdir: deny disabled .*LAPTOP-ANNA", site.logs("radius"))


def test_memory_over_a_restart(site):
    def sessions():
        return site.execute("radius", "ls", "/var/lib/certdir-radiusd").stdout.split()

    assert "certdir.sessions" in sessions()
    begun = time.monotonic()
    site.compose("restart", "radius")
    assert time.monotonic() - begun < 15
    wait_until(lambda: site.healthy("radius"), timeout=60, what="a healthy server")
    assert "certdir.sessions" in sessions()
    assert "set aside" not in site.logs("radius")


class Prometheus:
    def __init__(self, address):
        self.url = f"http://{address}:9090/api/v1"

    def get(self, path):
        with urllib.request.urlopen(f"{self.url}/{path}", timeout=10) as answer:
            return json.load(answer)["data"]

    def up(self):
        with contextlib.suppress(OSError):
            return [one for one in self.get("targets")["activeTargets"] if one["health"] == "up"]
        return []

    def has(self, expression):
        return self.get("query?" + urllib.parse.urlencode({"query": expression}))["result"]

    def rules(self):
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]


def test_prometheus(site, synced):
    site.compose("up", "-d", "node-exporter", "prometheus")
    prometheus = Prometheus(site.address)
    wait_until(prometheus.up, timeout=60, what="a target that is up")
    assert site.healthy("sync")
    # Of the server, and of certdir status.
    wait_until(lambda: prometheus.has('certdir_build_info{instance="certdir"}'), timeout=60, what="the server's metrics")
    wait_until(lambda: prometheus.has('certdir_tenant_up{tenant="contoso"} == 1'), timeout=60, what="the sync's metrics")
    assert not Metrics(site.execute("radius", "cat", "/var/lib/prometheus/node-exporter/certdir.prom").stdout).sum("certdir_journal_dropped_lines_total")
    assert prometheus.has("node_textfile_scrape_error")[0]["value"][1] == "0"
    # What the alerts mean is tested in tests/monitoring.
    wait_until(lambda: {rule["health"] for rule in prometheus.rules()} == {"ok"}, timeout=60, what="alert rules that have run")


def test_stop(site):
    begun = time.monotonic()
    site.compose("stop", "radius")
    assert time.monotonic() - begun < 8, "it was killed"
    assert site.of("radius", "{{.State.ExitCode}}") == "0"
