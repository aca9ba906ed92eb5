# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that is both Entra ID and Graph as far as a test wants it, and a program of certdir's core that asks it."""

import json
import os
import subprocess

import pytest

from testenv import clock
from testenv.certificates import Authority
from testenv.driver import build_driver, driver_wrapper
from testenv.https import Server

SECRET, CERTIFICATE, MANAGED, FEDERATED = range(4)
TENANT, CLIENT = "33333333-3333-4333-8333-333333333333", "44444444-4444-4444-8444-444444444444"
THE_SECRET = "s3cret+with&signs=~%"
PAGE = {"value": [{"id": "a"}]}
MIB = 1 << 20


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """The program that asks, built against the core library."""
    return build_driver(tmp_path_factory.mktemp("driver"), "graph_get")


@pytest.fixture(scope="module")
def trust(tmp_path_factory):
    """A CA and certificates for localhost, for another host, and of another CA."""

    class Trust:
        directory = tmp_path_factory.mktemp("trust")
        authority, stranger = Authority("Graph test CA"), Authority("another CA")
        ca, _ = authority.write(directory, "ca")
        localhost = authority.issue(san=[{"dns": "localhost"}], server=True).write(directory, "localhost")
        six = authority.issue(san=[{"ip": "::1"}], server=True).write(directory, "six")
        elsewhere = authority.issue(san=[{"dns": "graph.example"}], server=True).write(directory, "elsewhere")
        untrusted = stranger.issue(san=[{"dns": "localhost"}], server=True).write(directory, "untrusted")

    return Trust


class Entra:
    """The part of a server that gives tokens. `script`: answers that come first, functions of (connection, request)."""

    def __init__(self, life=3600):
        self.life, self.given, self.script = life, 0, []

    def answer(self, connection, request):
        if self.script:
            self.script.pop(0)(connection, request)
            return
        self.given += 1
        connection.answer({"token_type": "Bearer", "expires_in": self.life, "access_token": f"token-{self.given}"})


class World:
    """A server that is both Entra ID and Graph, and a program that asks it."""

    def __init__(self, driver, trust, directory, certificate=None):
        self.driver, self.trust, self.directory = driver, trust, directory
        self.entra, self.script, self.processes = Entra(), [], []
        self.server = Server(self._answer, certificate or trust.localhost)
        self.secret = directory / "secret"
        self.secret.touch(mode=0o600)
        self.secret.write_text(THE_SECRET + "\n")
        self.environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self.options = {"tenant_id": TENANT, "client_id": CLIENT, "authority": self.server.url, "graph": self.server.url,
                        "ca_file": str(trust.ca), "credential": SECRET, "client_secret_file": str(self.secret),
                        "deadline": 60}

    def _answer(self, connection, request):
        if request.path.endswith("/oauth2/v2.0/token"):
            self.entra.answer(connection, request)
        elif self.script:
            self.script.pop(0)(connection, request)
        else:
            connection.answer(PAGE)

    @property
    def pages(self):
        return [r for r in self.server.requests if not r.path.endswith("/token")]

    @property
    def tokens(self):
        return [r for r in self.server.requests if r.path.endswith("/oauth2/v2.0/token")]

    def start(self, **options):
        process = subprocess.Popen([*driver_wrapper(), str(self.driver), json.dumps({**self.options, **options})], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.environment)
        self.processes.append(process)
        process.opened = json.loads(process.stdout.readline())
        return process

    def ask(self, process, url="/v1.0/devices", **request):
        request = {"url": self.server.url + url if url.startswith("/") else url, "permission": "Device.Read.All", **request}
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    def get(self, url="/v1.0/devices", request=(), **options):
        """One request by a program of its own."""
        process = self.start(**options)
        assert process.opened["open"], process.opened
        return self.ask(process, url, **dict(request))

    def hurry(self):
        """Time goes by thirty times as fast for programs that start from now on."""
        self.environment.update(clock.HURRY)

    def close(self):
        try:
            for process in self.processes:
                process.stdin.close()
                assert process.wait(20) == 0, process.stderr.read()
                assert process.stderr.read() == ""
        finally:
            for process in self.processes:
                process.kill()
                process.wait()
                clock.sweep(process.pid)
            self.server.close()


@pytest.fixture
def make_world(driver, trust, tmp_path):
    worlds = []

    def make(certificate=None):
        directory = tmp_path / f"world{len(worlds)}"
        directory.mkdir()
        worlds.append(World(driver, trust, directory, certificate))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def world(make_world):
    return make_world()


def error(status, code, message="", **headers):
    body = {"error": {"code": code, "message": message, "innerError": {"request-id": "id-in-body"}}}
    return lambda connection, request: connection.answer(body, status, **headers)


def expect_short_try(answer, word):
    """Three attempts, and not two minutes of them: the clock goes faster than a busy machine."""
    assert answer["outcome"] == "failed" and answer["seconds"] < 60, answer
    assert word in answer["error"] and "given up after 3 attempts in" in answer["error"]
    assert [(wait["attempt"], wait["of"]) for wait in answer["waits"]] == [(2, 3), (3, 3)]
