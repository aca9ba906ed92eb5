# SPDX-License-Identifier: GPL-2.0-or-later
"""How certdir talks to Graph: tokens, throttling, broken and hostile answers, deadlines, hosts, stopping."""

import base64
import contextlib
import gzip
import json
import os
import select
import signal
import socket
import socketserver
import struct
import threading
import time
import urllib.parse
import zlib

import pytest

from testenv.graph_world import CLIENT, driver, error, expect_short_try, make_world, MIB, PAGE, TENANT, THE_SECRET, trust, world
from testenv.https import Hangup, Server
from testenv.ports import free_port


# ---- what goes out ----


def test_what_is_sent(world):
    answer = world.get("/v1.0/devices/delta?$select=id,a'b&x=%2F..%2F/../y", request={"eventual": True})
    assert answer["outcome"] == "ok" and answer["error"] == ""
    token, page = world.server.requests
    assert (token.method, token.target) == ("POST", f"/{TENANT}/oauth2/v2.0/token")
    assert token.headers["content-type"] == "application/x-www-form-urlencoded"
    assert token.form == {"client_id": CLIENT, "grant_type": "client_credentials", "client_secret": THE_SECRET,
                          "scope": world.server.url + "/.default"}
    assert page.method == "GET"
    assert page.target == "/v1.0/devices/delta?$select=id,a'b&x=%2F..%2F/../y"
    assert page.headers["authorization"] == "Bearer token-1"
    assert page.headers["consistencylevel"] == "eventual"
    assert page.headers["accept"] == "application/json" and page.headers["accept-encoding"] == "gzip"
    assert page.headers["user-agent"].startswith("certdir")


def test_paths_are_not_tidied(world):
    world.get("/v1.0/a/../b/./c//d")
    assert world.pages[0].target == "/v1.0/a/../b/./c//d"
    assert "consistencylevel" not in world.pages[0].headers


def test_one_connection_and_one_token_for_many_pages(world):
    process = world.start()
    for n in range(20):
        assert world.ask(process, f"/v1.0/devices?{n}")["outcome"] == "ok"
    assert (len(world.pages), len(world.tokens), world.server.connections) == (20, 1, 1)
    assert world.ask(process)["requests"] == 22


def test_compressed_pages(world):
    body = json.dumps({"value": ["x" * 100000]}).encode()
    world.script = [lambda c, r: c.answer(gzip.compress(body), Content_Encoding="gzip")]
    answer = world.get()
    assert answer["outcome"] == "ok" and answer["length"] == len(body)
    assert answer["bytes"] < 2000


# ---- links ----


@pytest.mark.parametrize("url, word", [
    ("https://graph.example/v1.0", "graph.example"),
    ("{host}@127.0.0.1:{other}/x", "user name"),
    ("{host}\\@127.0.0.1:{other}/x", "backslash"),
    ("{url}.example/x", "link"),
    ("https://localhost:{other}/x", "port {other}"),
    ("https://127.0.0.1:{port}/x", "127.0.0.1"),
    ("http://localhost:{port}/x", "not https"),
    ("file:///etc/passwd", "not https"),
    ("{url}/a b", "blank"),
    ("{url}/a\r\nEvil: yes", "control"),
])
def test_a_foreign_link_is_asked_of_nobody(make_world, trust, url, word):
    world, other = make_world(), make_world()
    values = {"url": world.server.url, "port": world.server.port, "other": other.server.port, "host": "https://localhost"}
    answer = world.get(url.format(**values))
    assert answer["outcome"] == "failed"
    assert word.format(**values) in answer["error"]
    assert not world.server.requests and not other.server.requests


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(make_world, status):
    world, other = make_world(), make_world()
    world.script = [lambda c, r: c.answer(b"", status, Location=other.server.url + "/stolen\x1b[31m")]
    answer = world.get()
    assert answer["outcome"] == "failed"
    assert str(status) in answer["error"] and other.server.url + "/stolen" in answer["error"]
    assert "\x1b" not in answer["error"]
    assert not other.server.requests and len(world.pages) == 1


def test_a_token_endpoint_that_redirects(make_world):
    world, other = make_world(), make_world()
    world.entra.script = [lambda c, r: c.answer(b"", 307, Location=other.server.url)]
    answer = world.get()
    assert answer["outcome"] == "failed" and "307" in answer["error"]
    assert not other.server.requests


# ---- TLS ----


def test_certificate_of_another_host(make_world, trust):
    world = make_world(trust.elsewhere)
    answer = world.get()
    assert answer["outcome"] == "failed" and "cannot be trusted" in answer["error"] and answer["seconds"] < 10
    assert not world.server.requests


def test_unknown_authority(make_world, trust):
    world = make_world(trust.untrusted)
    answer = world.get()
    assert answer["outcome"] == "failed" and "cannot be trusted" in answer["error"] and "ca_file" in answer["error"]
    assert not world.server.requests


def test_without_ca_file_only_the_system_is_trusted(world):
    answer = world.get(ca_file=None)
    assert answer["outcome"] == "failed" and "cannot be trusted" in answer["error"]
    assert not world.server.requests


def test_ca_file_that_is_not_there(world):
    answer = world.get(ca_file="/nonexistent/ca.pem")
    assert answer["outcome"] == "failed" and "ca_file /nonexistent/ca.pem" in answer["error"]


def test_old_tls(world):
    import ssl
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        world.server.context.minimum_version = ssl.TLSVersion.TLSv1
        world.server.context.maximum_version = ssl.TLSVersion.TLSv1_1
    world.server.context.set_ciphers("ALL:@SECLEVEL=0")
    answer = world.get(deadline=1)
    assert answer["outcome"] == "failed" and not world.server.requests


# ---- throttling, retries ----


def test_waits_as_long_as_told(world):
    world.script = [error(429, "TooManyRequests", "busy", Retry_After="0.3"), error(503, "x", Retry_After="0.2"),
                    error(504, "x", Retry_After="0.1")]
    answer = world.get()
    assert answer["outcome"] == "ok" and answer["begins"] == 4 and answer["throttled"] == 3
    assert answer["seconds"] >= 0.6


def test_patience_has_no_count_when_told_how_long(world):
    world.script = [error(429, "TooManyRequests", Retry_After="0.01")] * 30
    answer = world.get()
    assert answer["outcome"] == "ok" and answer["throttled"] == 30


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_passing_trouble_without_retry_after(world, status):
    world.script = [error(status, "UnknownError")]
    answer = world.get()
    assert answer["outcome"] == "ok" and len(world.pages) == 2
    wait, = answer["waits"]
    assert (wait["attempt"], wait["of"]) == (2, 8) and 1 <= wait["seconds"] <= 3
    assert f"{world.server.url} answers {status} UnknownError" in wait["why"]


@pytest.mark.parametrize("retry_after", ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_never_waits_beyond_the_deadline(world, retry_after):
    world.script = [error(429, "TooManyRequests", "busy", Retry_After=retry_after)]
    answer = world.get()
    assert answer["outcome"] == "denied" and answer["seconds"] < 10
    assert "deadline" in answer["error"] and "TooManyRequests" in answer["error"]
    assert len(world.pages) == 1


def test_retry_after_of_a_good_answer_means_nothing(world):
    world.script = [lambda c, r: c.answer(PAGE, Retry_After="1209600")]
    answer = world.get()
    assert answer["outcome"] == "ok" and answer["throttled"] == 0 and answer["seconds"] < 10


def test_a_throttled_token(world):
    world.entra.script = [lambda c, r: c.answer(b"", 429, Retry_After="0.2"),
                          lambda c, r: c.answer(b"", 503, Retry_After="0.1")]
    answer = world.get()
    assert answer["outcome"] == "ok" and answer["throttled"] == 2 and len(world.tokens) == 3


def test_a_token_that_would_come_after_the_deadline(world):
    world.entra.script = [lambda c, r: c.answer(b"", 429, Retry_After="3600")]
    answer = world.get()
    assert answer["outcome"] == "failed" and "3600 s" in answer["error"] and "deadline" in answer["error"]
    assert len(world.tokens) == 1 and answer["seconds"] < 10


def test_an_error_with_an_endless_body_is_that_error(world):
    def flood(connection, request):
        connection.head(503, 1 << 30, Retry_After="0.1")
        while True:
            connection.send(b"x" * 65536)

    world.script = [flood]
    answer = world.get()
    assert answer["outcome"] == "ok" and len(world.pages) == 2


def test_nobody_is_asked_again_at_once(world):
    """A busy server that does not say how long gets a second at least."""
    world.script = [error(429, "TooManyRequests"), error(429, "TooManyRequests", Retry_After="0")]
    answer = world.get()
    assert answer["outcome"] == "ok" and answer["seconds"] >= 2
    assert [(wait["attempt"], wait["of"]) for wait in answer["waits"]] == [(2, 8), (3, 8)]


def test_patience_ends_after_two_minutes(world):
    world.hurry()
    world.script = [error(504, "UnknownError")] * 20
    answer = world.get(deadline=3600)
    assert answer["outcome"] == "denied" and 10 < answer["seconds"] < 130
    assert len(world.pages) <= 8 and f"given up after {len(world.pages)} attempts in " in answer["error"]
    assert "504" in answer["error"]


@pytest.mark.parametrize("kind", ["silence", "trickle"])
def test_silence_and_trickles_are_given_up(world, kind):
    """A hundred seconds without a byte, or with one now and then, is an attempt that failed; slower than that no page is."""

    def trickle(connection, request):
        connection.head(200, 1 << 20)
        while not connection.server.closed.wait(0.03):
            connection.send(b" ")

    world.hurry()
    world.script = [trickle if kind == "trickle" else lambda c, r: c.wait()]
    answer = world.get(deadline=3600)
    assert answer["outcome"] == "ok" and len(world.pages) == 2
    assert 95 < answer["seconds"] < 130
    assert [wait["attempt"] for wait in answer["waits"]] == [2]
    assert "timed out" in answer["waits"][0]["why"] or "too slow" in answer["waits"][0]["why"]


# ---- what will hardly get better soon ----


def test_an_unknown_host(world):
    world.hurry()
    url = f"https://{'a' * 70}.example"  # no label is that long: the resolver knows without asking anybody
    expect_short_try(world.get(url + "/v1.0", authority=url, graph=url, deadline=3600), "Could not resolve host")


def test_a_refused_connection(world):
    world.hurry()
    url = f"https://localhost:{free_port('tcp')}"
    expect_short_try(world.get(url + "/v1.0", authority=url, graph=url, deadline=3600), url[8:])


def test_a_port_without_tls(world):
    class Plain(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(1)
            self.request.sendall(b"HTTP/1.1 400 x\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Plain) as plain:
        threading.Thread(target=plain.serve_forever, args=(0.05,)).start()
        world.hurry()
        url = f"https://localhost:{plain.server_address[1]}"
        answer = world.get(url + "/v1.0", authority=url, graph=url, deadline=3600)
        plain.shutdown()
    expect_short_try(answer, url[8:])


@contextlib.contextmanager
def connect_proxy(user=None):
    """A proxy for CONNECT that leads to where it is asked, once it knows who asks."""

    def connect(connection, request):
        if user and request.headers.get("proxy-authorization") != "Basic " + base64.b64encode(user.encode()).decode():
            connection.answer(b"", 407, Proxy_Authenticate='Basic realm="x"')
            return
        host, _, port = request.target.rpartition(":")
        with socket.create_connection((host, int(port))) as other:
            connection.send(b"HTTP/1.1 200 x\r\n\r\n")
            pairs = {connection.stream: other, other: connection.stream}
            while not connection.server.closed.is_set():
                for one in select.select(list(pairs), [], [], 0.1)[0]:
                    data = one.recv(65536)
                    if not data:
                        raise Hangup
                    pairs[one].sendall(data)

    proxy = Server(connect, host="127.0.0.1")
    try:
        yield proxy
    finally:
        proxy.close()


@pytest.mark.parametrize("user", [None, "svc:p@ss word"])
def test_through_a_proxy(world, user):
    login = urllib.parse.quote(user, safe=":") + "@" if user else ""
    with connect_proxy(user) as proxy:
        world.environment["https_proxy"] = f"http://{login}127.0.0.1:{proxy.port}"
        answer = world.get()
    assert answer["outcome"] == "ok", answer
    assert {(r.method, r.target) for r in proxy.requests} == {("CONNECT", f"localhost:{world.server.port}")}
    assert all("proxy-authorization" not in r.headers for r in world.server.requests)


def test_a_proxy_wants_another_password(world):
    with connect_proxy("svc:right") as proxy:
        world.environment["https_proxy"] = f"http://svc:wrong@127.0.0.1:{proxy.port}"
        answer = world.get()
    assert answer["outcome"] == "failed" and answer["waits"] == [] and "407" in answer["error"] and "wrong" not in answer["error"]


@pytest.mark.parametrize("no_proxy", ["localhost", "*", "example.com,localhost"])
def test_no_proxy(world, no_proxy):
    with connect_proxy() as proxy:
        world.environment.update(https_proxy=proxy.url, no_proxy=no_proxy)
        answer = world.get()
    assert answer["outcome"] == "ok" and not proxy.requests


@pytest.mark.parametrize("status, word", [(407, "USER:PASSWORD@PROXY"), (403, "no_proxy")])
def test_a_proxy_that_refuses(world, status, word):
    proxy = Server(lambda c, r: c.answer(b"", status), host="127.0.0.1")
    try:
        world.environment["https_proxy"] = proxy.url
        answer = world.get()
    finally:
        proxy.close()
    assert answer["outcome"] == "failed" and answer["seconds"] < 10 and answer["waits"] == []
    assert str(status) in answer["error"] and word in answer["error"] and "localhost" in answer["error"]
    assert len(proxy.requests) == 1 and not world.server.requests


# ---- broken answers ----


def cut(connection, request):
    connection.head(200, 1000)
    connection.send(b'{"value":[')
    raise Hangup


def reset(connection, request):
    connection.head(200, 1000)
    connection.send(b'{"value":[')
    connection.stream.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER: close with a reset
    raise Hangup


def cut_chunked(connection, request):
    connection.head(200, Transfer_Encoding="chunked")
    connection.send(b"a\r\n" + b'{"value":[' + b"\r\n")
    raise Hangup


def cut_without_length(connection, request):
    connection.head(200, Connection="close")
    connection.send(b'{"value":[')
    raise Hangup


def cut_gzip(connection, request):
    body = gzip.compress(json.dumps({"value": [os.urandom(5000).hex()]}).encode())
    connection.head(200, Connection="close", Content_Encoding="gzip")
    connection.send(body[:len(body) // 2])
    raise Hangup


def no_gzip(connection, request):
    connection.answer(b'{"value":[]}', Content_Encoding="gzip")


def silence(connection, request):
    raise Hangup


def nothing(connection, request):
    connection.answer(b"")


def cut_headers(connection, request):
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Ty")
    raise Hangup


@pytest.mark.parametrize("behaviour", [cut, reset, cut_chunked, cut_without_length, cut_gzip, no_gzip, silence,
                                       nothing, cut_headers])
def test_a_broken_answer_is_asked_for_again(world, behaviour):
    world.script = [behaviour]
    answer = world.get()
    assert answer["outcome"] == "ok", answer
    assert answer["length"] == len(json.dumps(PAGE)) and len(world.pages) == 2


def test_what_the_sink_refuses_is_not_asked_for_again(world):
    answer = world.get(request={"refuse": True})
    assert answer["outcome"] == "failed" and answer["error"] == "the sink refuses"
    assert len(world.pages) == 1


def test_a_sign_in_page_is_no_page(world):
    world.script = [lambda c, r: c.answer(b"<html>Welcome", Content_Type="text/html")]
    answer = world.get()
    assert answer["outcome"] == "failed" and "text/html" in answer["error"] and answer["length"] == 0


def test_too_large_a_page(world):
    def flood(connection, request):
        connection.head(200, 1 << 30)
        while True:
            connection.send(b" " * 65536)

    world.script = [flood]
    answer = world.get()
    assert answer["outcome"] == "failed" and "64 MiB" in answer["error"]
    assert 63 * MIB < answer["length"] <= 64 * MIB


def test_a_page_of_nearly_the_largest_size(world):
    def large(connection, request):
        connection.head(200, 64 * MIB)
        for _ in range(64):
            connection.send(b" " * MIB)

    world.script = [large]
    answer = world.get()
    assert answer["outcome"] == "ok" and answer["length"] == 64 * MIB


def test_a_bomb_is_counted_as_it_bursts(world):
    squeeze = zlib.compressobj(9, wbits=31)
    bomb = b"".join(squeeze.compress(b" " * MIB) for _ in range(200)) + squeeze.flush()
    assert len(bomb) < MIB
    world.script = [lambda c, r: c.answer(bomb, Content_Encoding="gzip")]
    answer = world.get()
    assert answer["outcome"] == "failed" and "64 MiB" in answer["error"] and answer["length"] <= 64 * MIB


def test_too_large_a_file(world):
    """Of a report, which another host gives: a gigabyte, counted as it bursts, of which nobody keeps more."""
    squeeze = zlib.compressobj(wbits=-15)
    piece = squeeze.compress(b"0" * 16 * MIB) + squeeze.flush(zlib.Z_FULL_FLUSH)
    bomb = gzip.compress(b"")[:10] + piece * 65  # its end is never reached
    world.script = [lambda c, r: c.answer(bomb, Content_Encoding="gzip", Content_Type="application/zip")]
    answer = world.get(request={"file": True})
    assert answer["outcome"] == "failed" and "answers with more than 1024 MiB in one file" in answer["error"], answer
    assert 1000 * MIB < answer["length"] <= 1024 * MIB
    assert not world.tokens and "authorization" not in world.pages[0].headers


@pytest.mark.parametrize("where", ["body", "headers", "nothing"])
def test_an_endless_trickle_ends_at_the_deadline(world, where):
    def trickle(connection, request):
        if where == "body":
            connection.head(200, 1 << 20)
        elif where == "headers":
            connection.send(b"HTTP/1.1 200 OK\r\n")
        else:
            connection.wait()
        for n in range(10000):
            connection.send(b" " if where == "body" else f"X-{n}: y\r\n".encode())
            if connection.server.closed.wait(0.05):
                return

    world.script = [trickle] * 10
    answer = world.get(deadline=2)
    assert answer["outcome"] == "failed" and "deadline" in answer["error"]
    assert 1.5 < answer["seconds"] < 4


def test_a_token_that_trickles(world):
    world.entra.script = [lambda c, r: c.wait()]
    answer = world.get(deadline=1)
    assert answer["outcome"] == "failed" and "deadline" in answer["error"] and answer["seconds"] < 3


# ---- tokens ----


def test_an_expired_token_is_renewed_once(world):
    world.script = [error(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")]
    answer = world.get()
    assert answer["outcome"] == "ok"
    assert [r.headers["authorization"] for r in world.pages] == ["Bearer token-1", "Bearer token-2"]
    assert answer["seconds"] < 2


def test_a_token_that_is_refused_twice(world):
    world.script = [error(401, "InvalidAuthenticationToken", "Wrong audience.")] * 5
    answer = world.get()
    assert answer["outcome"] == "failed" and "InvalidAuthenticationToken: Wrong audience." in answer["error"]
    assert len(world.pages) == 2 and "token-" not in answer["error"]


@pytest.mark.parametrize("life, tokens", [(3600, 1), ("3599", 1), (3600.5, 1), (310, 1), (290, 3), ("1", 3)])
def test_a_token_is_renewed_five_minutes_before_its_end(world, life, tokens):
    world.entra.life = life
    process = world.start()
    for _ in range(3):
        assert world.ask(process)["outcome"] == "ok"
    assert len(world.tokens) == tokens
    assert world.pages[-1].headers["authorization"] == f"Bearer token-{tokens}"


@pytest.mark.parametrize("body, word", [
    (b"[]", "token_type"), (b"{", "not JSON"), ({"token_type": "Bearer"}, "access_token"),
    ({"token_type": "pop", "expires_in": 3600, "access_token": "hidden"}, "token_type"),
    ({"token_type": "Bearer", "expires_in": 3600, "access_token": ""}, "access_token"),
    ({"token_type": "Bearer", "expires_in": 3600, "access_token": "hidden\r\nEvil: yes"}, "access_token"),
    ({"token_type": "Bearer", "expires_in": 3600, "access_token": "hid den"}, "access_token"),
    ({"token_type": "Bearer", "expires_in": 3600, "access_token": "hidd\u00e9n"}, "access_token"),
    ({"token_type": "Bearer", "expires_in": 3600, "access_token": 12}, "access_token"),
    ({"token_type": "Bearer", "access_token": "hidden"}, "expires_in"),
    ({"token_type": "Bearer", "expires_in": -1, "access_token": "hidden"}, "expires_in"),
    ({"token_type": "Bearer", "expires_in": "1h", "access_token": "hidden"}, "expires_in"),
    ({"token_type": "Bearer", "expires_in": 3600, "access_token": "hidden" * 20000}, "more than 65536 bytes"),
])
def test_a_token_that_is_none(world, body, word):
    world.entra.script = [lambda c, r: c.answer(body)]
    answer = world.get()
    assert answer["outcome"] == "failed" and word in answer["error"]
    assert "hid" not in answer["error"] and not world.pages


@pytest.mark.parametrize("behaviour", [cut, nothing, cut_headers])
def test_a_token_answer_that_is_cut(world, behaviour):
    world.entra.script = [behaviour]
    assert world.get()["outcome"] == "ok" and len(world.tokens) == 2


def test_a_token_answer_that_is_html(world):
    world.entra.script = [lambda c, r: c.answer(b'{"access_token":"x"}', Content_Type="text/html")]
    assert "text/html" in world.get()["error"]


def test_a_graph_with_an_ipv6_address(make_world, trust):
    world = make_world()
    try:
        six = Server(world._answer, trust.six, host="[::1]", address="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    try:
        answer = world.get(six.url + "/v1.0/devices", authority=six.url, graph=six.url)
    finally:
        six.close()
    assert answer["outcome"] == "ok", answer
    assert [request.headers["host"] for request in six.requests] == [f"[::1]:{six.port}"] * 2


def test_a_proxy_of_the_environment_is_used(world):
    """Otherwise the managed identity's test, where none must be used, would show nothing."""
    proxy = Server(lambda c, r: c.answer(b"", 403), host="127.0.0.1")
    try:
        world.environment["https_proxy"] = proxy.url
        answer = world.get(deadline=1)
    finally:
        proxy.close()
    assert answer["outcome"] == "failed" and proxy.requests[0].method == "CONNECT"
    assert not world.server.requests


# ---- what refusals mean ----


def test_a_missing_permission_is_named(world):
    world.script = [error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")]
    answer = world.get()
    assert answer["outcome"] == "denied" and len(world.pages) == 1
    for words in ("Device.Read.All", "application permission", "admin consent", "id-in-body"):
        assert words in answer["error"]


@pytest.mark.parametrize("claims, missing", [
    ({}, "Device.Read.All"),  # the driver's tenant has neither Intune nor groups
    ({"roles": ["Device.Read.All"]}, None),
])
def test_the_token_tells_what_is_granted(world, claims, missing):
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    world.entra.script = [lambda c, r: c.answer({"token_type": "Bearer", "expires_in": 3600,
                                                  "access_token": f"e30.{payload}.x"})]
    world.script = [error(403, "Authorization_RequestDenied")]
    answer = world.get()
    assert answer["outcome"] == "denied" and payload not in answer["error"]
    assert (f"missing permissions: {missing}: " if missing else "although the access token grants") in answer["error"]


def test_an_expired_delta_token(world):
    target = world.server.url + "/v1.0/devices/delta?$deltatoken="
    world.script = [error(410, "SyncStateNotFound", "x", Location=target), error(410, "x"),
                    error(400, "RESYNCREQUIRED"), error(404, "syncstatenotfound", Location=target)]
    process = world.start()
    assert [world.ask(process)["outcome"] for _ in range(4)] == ["resync"] * 4
    assert len(world.pages) == 4


@pytest.mark.parametrize("status, code, message, outcome", [
    (400, "Directory_ExpiredPageToken", "x", "expired-page"),
    (400, "BadRequest", "Request not applicable to target tenant.", "not-applicable"),
    (404, "Request_ResourceNotFound", "x", "not-found"),
    (400, "Request_BadRequest", "x", "refused"),
    (204, "", "", "empty"),
])
def test_other_outcomes(world, status, code, message, outcome):
    world.script = [error(status, code, message)] if status != 204 else [lambda c, r: c.answer(b"", 204)]
    answer = world.get()
    assert answer["outcome"] == outcome and answer["error"]
    assert str(status) in answer["error"] and len(world.pages) == 1


def test_the_id_of_a_refusal_without_a_body(world):
    world.script = [lambda c, r: c.answer(b"", 400, request_id="id-in-header")]
    assert "id-in-header" in world.get()["error"]


# ---- stopping ----


@pytest.mark.parametrize("where", ["transfer", "answer", "wait", "token"])
def test_a_stop_ends_it_at_once(world, where):
    reached = threading.Event()

    def hang(connection, request):
        if where == "transfer":
            connection.head(200, 1000)
            connection.send(b'{"value":[')
        reached.set()
        connection.wait()

    def throttle(connection, request):
        connection.answer(b"", 429, Retry_After="50")
        reached.set()

    if where == "token":
        world.entra.script = [hang]
    else:
        world.script = [throttle if where == "wait" else hang]
    process = world.start()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(world.ask(process)))
    asking.start()
    assert reached.wait(20)
    stopped = time.monotonic()
    process.send_signal(signal.SIGTERM)
    asking.join(20)
    assert answers and answers[0]["outcome"] == "stopped" and answers[0]["error"] == "stopped"
    assert time.monotonic() - stopped < 2
