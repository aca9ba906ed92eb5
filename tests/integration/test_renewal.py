# SPDX-License-Identifier: GPL-2.0-or-later
"""`certdir sync` renews the certificate that certdir setup made: each step of it against a Graph that verifies the proofs."""

import base64
import datetime
import os
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from testenv.graph_faults import error
from testenv.sync import Sync, serving
from testenv.tenant import Tenant

KEY = rsa.generate_private_key(65537, 2048)


def credential(days_ago, days_left, key=KEY):
    """(PEM of key and certificate, DER of the certificate)."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "certdir")])
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=days_ago))
                   .not_valid_after(now + datetime.timedelta(days=days_left)).sign(key, hashes.SHA256()))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (pem + certificate.public_bytes(serialization.Encoding.PEM),
            certificate.public_bytes(serialization.Encoding.DER))


class Office:
    """A tenant with a registered application, and a sync that has its key."""

    def __init__(self, graph, directory, days_ago=250, days_left=115):
        self.graph = graph
        pem, der = credential(days_ago, days_left)
        body = {"displayName": "certdir", "keyCredentials": [
            {"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64.b64encode(der).decode()}]}
        self.application = graph._register(body, "certdir")
        self.first_key = self.application["keyCredentials"][0]["keyId"]
        self.sync = Sync(directory / "sync", graph, client_secret_file=None, renew="yes",
                         object_id=self.application["id"])
        self.file = self.sync.secret_file("contoso.pem", f"Key-Id: {self.first_key}\n{pem.decode()}")
        self.sync.set(certificate_file=self.file, private_key_file=self.file)
        self.next, self.former = (self.file.with_name(f"contoso.pem.{word}") for word in ("next", "former"))

    def keys(self):
        return [key["keyId"] for key in self.application["keyCredentials"]]

    def certificate(self):
        return x509.load_pem_x509_certificate(self.file.read_bytes()[self.file.read_bytes().index(b"-----BEGIN CERT"):])

    def a_day_later(self):
        self.graph.tokens.expire()
        yesterday = time.time() - 90000
        os.utime(self.former, (yesterday, yesterday))

    def left(self):
        return (self.certificate().not_valid_after - datetime.datetime.utcnow()).days


@pytest.fixture
def office(tmp_path):
    with serving() as serve:
        yield lambda **options: Office(serve(Tenant("contoso", 5)), tmp_path, **options)


def test_nothing_is_done_before_it_is_time(office):
    place = office(days_ago=100, days_left=265)
    before = place.file.read_bytes()
    place.sync.run()
    assert place.file.read_bytes() == before and not place.graph.asked("keys") and not place.next.exists()


def test_a_new_certificate(office):
    place = office()
    run = place.sync.run()
    assert place.left() == 364 and "has a new certificate" in run.err
    assert len(place.keys()) == 2 and place.keys()[0] == place.first_key
    assert place.file.read_text().startswith(f"Key-Id: {place.keys()[1]}\n")
    assert place.file.stat().st_mode & 0o777 == 0o600 and place.former.stat().st_mode & 0o777 == 0o600
    assert not place.next.exists() and place.first_key in place.former.read_text()
    assert b"PRIVATE" not in place.graph.asked("keys")[0].body

    # It is the one in use, and the former one is taken back a day later.
    place.sync.run()
    assert len(place.graph.asked("keys")) == 1
    place.a_day_later()
    place.sync.run()
    assert place.keys() == [place.file.read_text()[8:44]] and not place.former.exists()
    place.sync.run()
    assert [request.arguments["action"] for request in place.graph.asked("keys")] == ["addKey", "removeKey"]


def test_a_former_key_that_is_gone(office):
    """An administrator removed it: there is nothing left to do."""
    place = office()
    place.sync.run()
    del place.application["keyCredentials"][0]
    place.a_day_later()
    run = place.sync.run()
    assert len(place.keys()) == 1 and not place.former.exists() and "renewed" not in run.err


@pytest.mark.parametrize("answer", [(400, "Request_BadRequest", "Invalid value specified for property 'proof'."),
                                    (404, "Request_ResourceNotFound", "Resource 'x' does not exist.")])
def test_a_former_key_that_graph_does_not_take_back(office, answer):
    """A refusal is not yet "there is no such key": it is told, and asked for again."""
    place = office()
    place.sync.run()
    place.a_day_later()
    place.graph.order("keys", lambda *_: error(*answer))
    run = place.sync.run()
    assert len(place.keys()) == 2 and place.former.exists() and "could not be renewed" in run.err and answer[2] in run.err
    place.sync.run()
    assert len(place.keys()) == 1 and not place.former.exists()


def with_a_former(place):
    """An older key that Entra ID has not forgotten when the next renewal is due."""
    pem, der = credential(365, 1)
    key = place.graph._key({"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64.b64encode(der).decode()})
    place.application["keyCredentials"].append(key)
    place.former.touch(mode=0o600)
    place.former.write_text(f"Key-Id: {key['keyId']}\n{pem.decode()}")
    return key["keyId"]


def test_the_key_before_the_former_one(office):
    """It is forgotten before another one takes its place."""
    place = office()
    older = with_a_former(place)
    place.graph.order("keys", lambda *_: error(403, "Authorization_RequestDenied", "Insufficient privileges."))
    run = place.sync.run()
    assert older in place.former.read_text() and "could not be renewed" in run.err and len(place.keys()) == 2
    place.sync.run()
    assert older not in place.keys() and place.first_key in place.former.read_text() and place.left() == 364


def test_the_key_before_the_former_one_stops_nothing(office):
    """When time gets short, the new key is more important."""
    place = office(days_ago=310, days_left=55)
    older = with_a_former(place)
    place.graph.order("keys", lambda *_: error(403, "Authorization_RequestDenied", "Insufficient privileges."))
    run = place.sync.run()
    assert place.left() == 364 and older in place.keys() and "the application keeps the certificate before" in run.err


def test_a_key_that_arrived_with_an_error_is_not_sent_again(office):
    place = office()

    def lose(server, request, proper):
        proper()
        return error(503, "serviceNotAvailable", "lost")

    place.graph.order("keys", lose)
    run = place.sync.run()
    assert "could not be renewed" in run.err and len(place.graph.asked("keys")) == 1
    place.sync.run()
    assert len(place.keys()) == 2 and len(place.graph.asked("keys")) == 1 and place.left() == 364


def test_the_next_key_cannot_be_read_for_a_while(office):
    """Entra ID may have it already: no other is made."""
    place = office()
    place.graph.lag = 2
    place.sync.run()
    new = place.next.read_bytes()
    place.next.chmod(0o666)
    run = place.sync.run()
    assert f"{place.next}" in run.err and place.next.read_bytes() == new and len(place.keys()) == 2
    place.next.chmod(0o600)
    for _ in range(3):
        place.sync.run()
    assert place.file.read_bytes() == new and len(place.keys()) == 2


def test_a_key_that_is_never_taken_is_taken_back(office):
    place = office()
    place.graph.lag = 1000
    place.sync.run()
    never, = set(place.keys()) - {place.first_key}
    os.utime(place.next, (1, 1))
    place.graph.lag = 0
    place.sync.run()
    assert never not in place.keys() and len(place.keys()) == 2 and place.left() == 364


def test_the_old_one_is_used_until_the_new_one_is_taken(office):
    """Entra ID's servers do not learn of a key at once."""
    place = office()
    place.graph.lag = 2
    before = place.file.read_bytes()
    run = place.sync.run()
    assert place.file.read_bytes() == before and place.next.exists() and "renewed" not in run.err
    new = place.next.read_bytes()
    for _ in range(4):
        place.sync.run()
    assert place.file.read_bytes() == new and not place.next.exists()
    assert len(place.graph.asked("keys")) == 1, "a key that is on its way is not sent again"


def test_a_refusal_is_told_and_changes_nothing(office):
    place = office()
    before = place.file.read_bytes()
    place.graph.order("keys", lambda *_: error(403, "Authorization_RequestDenied", "Insufficient privileges."), times=None)
    run = place.sync.run()
    assert place.file.read_bytes() == before
    assert "could not be renewed" in run.err and "Insufficient privileges" in run.err and "certdir setup" in run.err


def test_an_answer_that_is_lost(office):
    """The key was taken, and nobody heard of it: the same key is used, and no other is made."""
    place = office()

    def lose(server, request, proper):
        proper()
        return error(400, "Request_BadRequest", "lost")

    place.graph.order("keys", lose)
    place.sync.run()
    sent = place.next.read_bytes()
    place.sync.run()
    assert place.file.read_bytes() == sent and len(place.keys()) == 2


def test_the_one_before_cannot_be_kept(office):
    """It is said, nothing changes, and the application does not get one key more each day."""
    place = office()
    before = place.file.read_bytes()
    place.former.mkdir()
    for _ in range(2):
        run = place.sync.run()
        os.utime(place.next, (1, 1))
    assert "could not be renewed" in run.err and str(place.former) in run.err
    assert place.file.read_bytes() == before and len(place.keys()) == 2
    place.former.rmdir()
    place.sync.run()
    assert place.left() == 364 and place.first_key in place.former.read_text()


def test_a_fifo_in_its_place(office):
    """The thread that renews would never end, and so would not certdir sync."""
    place = office()
    place.file.unlink()
    os.mkfifo(place.file, 0o600)
    _, err = place.sync.start().communicate(timeout=60)
    assert f"{place.file} is not a regular file" in err


def before_the_request(place, key):
    place.next.write_bytes(key)


def before_the_swap(place, key):
    """A link is there, and the names have not changed yet."""
    place.next.write_bytes(key)
    place.former.hardlink_to(place.file)


def cut(place, key):
    place.next.write_bytes(key[:1000])


def too_old(place, key):
    """Entra ID has never taken it."""
    place.next.write_bytes(key)
    os.utime(place.next, (1, 1))


@pytest.mark.parametrize("state", [before_the_request, before_the_swap, cut, too_old])
def test_what_a_crash_leaves(office, state):
    place = office()
    key, _ = credential(0, 365)
    place.next.touch(mode=0o600)
    state(place, key)
    place.sync.run()
    assert place.left() >= 364 and not place.next.exists() and place.former.exists()
    assert place.former.read_text().startswith(f"Key-Id: {place.first_key}\n") and len(place.keys()) == 2
    assert (key in place.file.read_bytes()) == (state in (before_the_request, before_the_swap))


def test_two_at_a_time(office):
    """The second one sees that the first is at it, or that all is done."""
    place = office()
    runs = [place.sync.start("--json"), place.sync.start("--json")]
    for run in runs:
        run.communicate()
    assert len(place.keys()) == 2 and place.left() == 364


@pytest.mark.parametrize("call", range(1, 40, 6))
def test_killed(office, call, tmp_path):
    """Whatever is there after a kill, the file has a key that works, and the next runs end the work."""
    place = office()
    process = place.sync.start("--json", preexec_fn=None)
    # The kill comes with the request number `call`, or after all of them.
    deadline = time.monotonic() + 20
    while len(place.graph.requests) < call and process.poll() is None and time.monotonic() < deadline:
        pass
    process.kill()
    process.communicate()
    assert any(der for der in place.graph.application_certificates())
    for _ in range(3):
        place.sync.run()
    assert place.left() == 364 and not place.next.exists()
    assert len(place.keys()) <= 3


def test_what_renew_needs(office):
    place = office()
    place.sync.set(object_id=None)
    run = place.sync.start()
    assert "object_id" in run.communicate()[1] and run.returncode == 78
