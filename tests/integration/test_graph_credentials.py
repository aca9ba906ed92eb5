# SPDX-License-Identifier: GPL-2.0-or-later
"""How certdir proves to Entra ID who it is: secrets, certificates, federated tokens, managed identities."""

import base64
import contextlib
import hashlib
import json
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from testenv.certificates import Authority
from testenv.graph_world import CERTIFICATE, CLIENT, driver, error, expect_short_try, FEDERATED, make_world, MANAGED, TENANT, \
    THE_SECRET, trust, world
from testenv.https import Server
from testenv.ports import free_port


def test_a_secret_that_has_expired(world):
    body = {"error": "invalid_client", "error_codes": [7000222],
            "error_description": "AADSTS7000222: The provided client secret keys are expired. Trace ID: x"}
    world.entra.script = [lambda c, r: c.answer(body, 401)]
    answer = world.get()
    assert answer["outcome"] == "failed" and len(world.tokens) == 1 and not world.pages
    assert "AADSTS7000222" in answer["error"] and "make a new one" in answer["error"]
    assert THE_SECRET not in answer["error"] and "Trace" not in answer["error"]


def test_a_secret_that_others_can_read(world):
    world.secret.chmod(0o644)
    opened = world.start().opened
    assert not opened["open"] and f"chmod o-rwx {world.secret}" in opened["error"]
    assert opened["error"] and THE_SECRET not in opened["error"]


def unpad(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_certificate_instead_of_a_secret(world):
    signer = Authority("certdir sync", key="rsa")
    certificate, key = signer.write(world.directory, "client")
    process = world.start(credential=CERTIFICATE, certificate_file=str(certificate), private_key_file=str(key))
    parsed = x509.load_der_x509_certificate(signer.der)
    assert process.opened["open"], process.opened
    assert process.opened["expires"] == parsed.not_valid_after.timestamp() - time.timezone
    assert world.ask(process)["outcome"] == "ok"
    form = world.tokens[0].form
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert "client_secret" not in form
    header, claims, signature = form["client_assertion"].split(".")
    parsed.public_key().verify(unpad(signature), f"{header}.{claims}".encode(),
                               padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    assert json.loads(unpad(header)) == {
        "alg": "PS256", "typ": "JWT",
        "x5t#S256": base64.urlsafe_b64encode(hashlib.sha256(signer.der).digest()).decode().rstrip("=")}
    claims = json.loads(unpad(claims))
    assert claims["aud"] == f"{world.server.url}/{TENANT}/oauth2/v2.0/token"
    assert claims["iss"] == claims["sub"] == CLIENT
    assert abs(claims["nbf"] - time.time()) < 60 and claims["exp"] == claims["nbf"] + 600


def test_a_federated_token_is_read_anew(world):
    file = world.directory / "federated"
    file.write_text("first.assertion\n")
    file.chmod(0o644)
    world.entra.life = 100
    process = world.start(credential=FEDERATED, federated_token_file=str(file))
    assert world.ask(process)["outcome"] == "ok"
    file.write_text("second.assertion")
    assert world.ask(process)["outcome"] == "ok"
    file.unlink()
    answer = world.ask(process)
    assert answer["outcome"] == "failed" and str(file) in answer["error"]
    assert [r.form["client_assertion"] for r in world.tokens] == ["first.assertion", "second.assertion"]


@pytest.mark.parametrize("client", [None, CLIENT])
def test_a_managed_identity(world, client):
    script = [lambda c, r: c.answer(b"", 404, Retry_After="0.1"), lambda c, r: c.answer(b"", 410, Retry_After="0.1"),
              lambda c, r: c.answer(b"", 429, Retry_After="0.1"), lambda c, r: c.answer(b"", 500, Retry_After="0.1")]

    def answer(connection, request):
        if script:
            script.pop(0)(connection, request)
            return
        connection.answer({"access_token": "managed", "refresh_token": "", "expires_in": "3599", "expires_on": "1506484173",
                           "not_before": "1506480273", "resource": "https://x/", "token_type": "Bearer"})

    endpoint = Server(answer, host="127.0.0.1")
    try:
        world.environment["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = endpoint.url
        world.environment["http_proxy"] = world.environment["all_proxy"] = f"http://127.0.0.1:{free_port('tcp')}"
        world.environment["no_proxy"] = "localhost"
        found = world.get(credential=MANAGED, client_id=client, client_secret_file=None)
    finally:
        endpoint.close()
    assert found["outcome"] == "ok", found
    assert len(endpoint.requests) == 5
    for request in endpoint.requests:
        assert (request.method, request.path) == ("GET", "/metadata/identity/oauth2/token")
        assert request.headers["metadata"] == "true" and "authorization" not in request.headers
        expected = {"api-version": "2018-02-01", "resource": world.server.url}
        assert request.query == ({**expected, "client_id": client} if client else expected)
    assert world.pages[0].headers["authorization"] == "Bearer managed"


MANAGED_TOKEN = {"access_token": "managed", "expires_in": "3599", "token_type": "Bearer"}


@contextlib.contextmanager
def identity_endpoint(world, answer, **environment):
    """A managed identity's endpoint; {} in a variable's value is its address."""
    endpoint = Server(answer, host="127.0.0.1")
    try:
        world.environment.update({name: value.format(endpoint.url) for name, value in environment.items()})
        yield endpoint
    finally:
        endpoint.close()


class Arc:
    """Azure Arc's agent: a challenge that names a file first, the token for what stands in it."""

    def __init__(self, world):
        self.keys = world.directory / "tokens"
        self.keys.mkdir()
        self.key = self.keys / "a.key"
        self.key.touch(mode=0o440)
        self.key.write_text("the-proof")
        self.realm = str(self.key)

    def answer(self, connection, request):
        if request.headers.get("authorization") == "Basic the-proof":
            connection.answer(MANAGED_TOKEN)
        else:
            connection.answer(b"", 401, WWW_Authenticate=f"Basic realm={self.realm}")


def test_azure_arc(world):
    arc = Arc(world)
    with identity_endpoint(world, arc.answer, IDENTITY_ENDPOINT="{}/metadata/identity/oauth2/token", IMDS_ENDPOINT="{}") as endpoint:
        found = world.get(credential=MANAGED, client_id=None, client_secret_file=None, arc_keys=str(arc.keys))
    assert found["outcome"] == "ok", found
    first, second = endpoint.requests
    for request in endpoint.requests:
        assert request.path == "/metadata/identity/oauth2/token" and request.headers["metadata"] == "true"
        assert request.query == {"api-version": "2019-11-01", "resource": world.server.url}
    assert "authorization" not in first.headers and second.headers["authorization"] == "Basic the-proof"
    assert world.pages[0].headers["authorization"] == "Bearer managed"


def elsewhere(arc):
    (arc.keys.parent / "b.key").write_text("secret")
    arc.realm = str(arc.keys.parent / "b.key")


def upwards(arc):
    (arc.keys.parent / "b.key").write_text("secret")
    arc.realm = f"{arc.keys}/../b.key"


def a_link(arc):
    (arc.keys.parent / "b").write_text("secret")
    arc.key.unlink()
    arc.key.symlink_to(arc.keys.parent / "b")


def no_key(arc):
    arc.key.rename(arc.keys / "a.txt")
    arc.realm = str(arc.keys / "a.txt")


@pytest.mark.parametrize("change, word", [
    (elsewhere, "no .key file in"), (upwards, "no .key file in"), (no_key, "no .key file in"),
    (a_link, "group himds"), (lambda arc: arc.key.unlink(), "group himds"),
    (lambda arc: arc.key.chmod(0o666), "not one of the agent's"),
    (lambda arc: arc.key.write_text("x" * 5000), "not one of the agent's"),
    (lambda arc: arc.key.write_text("a b"), "not one of the agent's"),
    (lambda arc: arc.key.write_text(""), "not one of the agent's"),
])
def test_what_arc_may_not_ask_for(world, change, word):
    arc = Arc(world)
    change(arc)
    with identity_endpoint(world, arc.answer, IDENTITY_ENDPOINT="{}/x", IMDS_ENDPOINT="{}") as endpoint:
        found = world.get(credential=MANAGED, client_id=None, client_secret_file=None, arc_keys=str(arc.keys))
    assert found["outcome"] == "failed" and word in found["error"] and found["waits"] == []
    assert len(endpoint.requests) == 1 and not world.pages


def test_arc_has_one_identity(world):
    world.environment.update(IDENTITY_ENDPOINT="http://localhost:1/x", IMDS_ENDPOINT="http://localhost:1")
    opened = world.start(credential=MANAGED, client_secret_file=None).opened
    assert not opened["open"] and "leave client_id out" in opened["error"]


def test_app_service(world):
    """Which tells when the token ends, and not how long it lives."""
    token = {"access_token": "managed", "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer", "client_id": CLIENT}
    with identity_endpoint(world, lambda c, r: c.answer(token), IDENTITY_ENDPOINT="{}/msi/token", IDENTITY_HEADER="h3ader") as endpoint:
        process = world.start(credential=MANAGED, client_secret_file=None)
        assert [world.ask(process)["outcome"] for _ in range(2)] == ["ok", "ok"]
    request, = endpoint.requests
    assert request.path == "/msi/token" and request.headers["x-identity-header"] == "h3ader"
    assert request.query == {"api-version": "2019-08-01", "resource": world.server.url, "client_id": CLIENT}


def test_a_managed_identity_away_from_azure(world):
    world.hurry()
    world.environment["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = f"http://127.0.0.1:{free_port('tcp')}"
    answer = world.get(credential=MANAGED, client_secret_file=None, deadline=3600)
    expect_short_try(answer, "managed_identity = yes is for machines in Azure")


def test_somebody_elses_metadata_service(world):
    world.hurry()
    with identity_endpoint(world, lambda c, r: c.answer(b"<html>", 404, Content_Type="text/html"),
                           AZURE_POD_IDENTITY_AUTHORITY_HOST="{}"):
        answer = world.get(credential=MANAGED, client_secret_file=None, deadline=3600)
    expect_short_try(answer, "is this a machine in Azure")
