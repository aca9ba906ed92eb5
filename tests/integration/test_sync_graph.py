# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir sync and a Graph that throttles, breaks, lies and refuses: manners, limits, links, logins."""

import re
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from testenv import graph_faults
from testenv.certificates import Authority
from testenv.graph import Trap
from testenv.graph_token import refusal
from testenv.published import assert_same
from testenv.sync import DONE, MISCONFIGURED, NONE, SOME, contoso, serving, some_device, truth


@pytest.fixture
def serve():
    with serving() as serve:
        yield serve


@pytest.fixture
def world(serve, tmp_path):
    return contoso(serve, tmp_path)


# ---- links ----


def hostile(trap):
    own = re.compile(r"^https://localhost:(\d+)/")
    return {
        "other host": lambda link: f"https://127.0.0.1:{trap.port}/v1.0/devices/delta?$skiptoken=x",
        "http": lambda link: f"http://localhost:{trap.port}/v1.0/devices/delta?$skiptoken=x",
        "user@host": lambda link: own.sub(rf"https://localhost:\1@127.0.0.1:{trap.port}/", link),
        "backslash": lambda link: own.sub(rf"https://127.0.0.1:{trap.port}\\@localhost:\1/", link),
        "other port": lambda link: f"https://localhost:{trap.port}/v1.0/devices/delta?$skiptoken=x",
        "no scheme": lambda link: f"//127.0.0.1:{trap.port}/v1.0/devices/delta",
        "file": lambda link: "file:///etc/passwd",
    }


@pytest.mark.parametrize("kind", ["other host", "http", "user@host", "backslash", "other port", "no scheme", "file"])
@pytest.mark.parametrize("where", ["nextLink", "deltaLink", "Location"])
def test_links_to_elsewhere(world, kind, where):
    tenant, graph, sync = world
    with Trap() as trap:
        make = hostile(trap)[kind]
        sync.set(deadline="4s")
        sync.run()
        before = sync.listed()
        if where == "nextLink":
            graph.order("delta", graph_faults.next_link(make))
        elif where == "deltaLink":
            graph.order("delta", graph_faults.delta_link(make))
        else:
            graph.order("delta", lambda server, request, proper: graph_faults.error(
                410, "resyncRequired", "", headers={"Location": make(f"{server.url}/v1.0/devices/delta?$deltatoken=")}))
        tenant.change(some_device(tenant), accountEnabled=False)
        sync.run(code=None)
        run = sync.run(code=None)
        assert trap.visits == 0
        if where == "nextLink":
            assert run.code == DONE and sync.listed() == truth(tenant)
        else:
            assert sync.listed() in (before, truth(tenant))


def test_another_address_of_graph(world):
    """The stored link leads to the former host: all is listed anew without anybody saying --full, and nothing is lost."""
    tenant, graph, sync = world
    sync.run()
    graph.url = graph.url.replace("localhost", "127.0.0.1")
    sync.set(authority=graph.url, graph=graph.url)
    tenant.change(some_device(tenant), accountEnabled=False)
    devices = sync.run().parts()["devices"]
    assert devices["full"] and "another host" in devices["note"]
    assert sync.listed() == truth(tenant)
    devices = sync.run().parts()["devices"]
    assert not devices["full"] and devices["note"] == ""


# ---- manners ----


@pytest.mark.parametrize("route", ["token", "delta", "managedDevices", "groups", "members"])
@pytest.mark.parametrize("retry_after", ["1", "0.3", "date"])
def test_throttling_is_honoured(world, route, retry_after):
    tenant, graph, sync = world
    fault = graph_faults.throttled_until(2) if retry_after == "date" else graph_faults.throttled(retry_after)
    graph.order(route, fault)
    run = sync.run()
    first, *later = graph.asked(route)
    second = next(one for one in later if one.client == first.client)  # the other parts have their own conversations
    assert first.status == 429 and first.path == second.path
    waited = second.at - first.at
    assert waited >= (0.9 if retry_after == "date" else float(retry_after))
    assert waited < 4
    assert_same(sync.listed(), truth(tenant))
    assert run.report["tenants"][0]["throttled"] == 1


def test_retry_after_on_a_good_answer_means_nothing(world):
    tenant, graph, sync = world
    graph.order("*", graph_faults.retry_after_on_success(), times=None)
    sync.run(timeout=20)
    assert_same(sync.listed(), truth(tenant))


PASSING = [name for name in graph_faults.RECORDED if name[:3] in ("401", "429", "500", "503", "504")]


@pytest.mark.parametrize("name", PASSING)
def test_passing_errors(world, name):
    tenant, graph, sync = world
    graph.order("managedDevices" if "Intune" in name else "delta", graph_faults.recorded(name))
    sync.run()
    assert_same(sync.listed(), truth(tenant))


@pytest.mark.parametrize("name,says", [("403", "Authorization_RequestDenied"), ("400 $skip", "not supported"),
                                       ("400 segment", "segment")])
def test_final_errors(world, name, says):
    _, graph, sync = world
    graph.order("delta", graph_faults.recorded(name), times=None)
    run = sync.run(code=NONE, timeout=20)
    assert says in run.parts()["devices"]["note"] and "contoso" in run.err
    assert not sync.list_file.exists()


@pytest.mark.parametrize("permission,part", [("Device.Read.All", "devices"), ("GroupMember.Read.All", "groups"),
                                             ("DeviceManagementManagedDevices.Read.All", "intune")])
def test_a_missing_permission_is_named(world, permission, part):
    _, graph, sync = world
    graph.permissions.discard(permission)
    run = sync.run(code=NONE if part == "devices" else SOME)
    assert f"missing permissions: {permission}: " in run.parts()[part]["note"] and "consent" in run.err


def test_missing_permissions_are_named_all_at_once(world):
    _, graph, sync = world
    graph.permissions.clear()
    note = sync.run(code=NONE).parts()["devices"]["note"]
    assert "missing permissions: Device.Read.All, DeviceManagementManagedDevices.Read.All, GroupMember.Read.All: " in note


@pytest.mark.parametrize("fault", [graph_faults.cut(), graph_faults.cut(chunked=True), graph_faults.cut(reset=True),
                                   graph_faults.cut(0), graph_faults.no_answer()],
                         ids=["length", "chunked", "reset", "no body", "no answer"])
def test_a_broken_connection_is_tried_again(world, fault):
    tenant, graph, sync = world
    graph.order("delta", fault, skip=1)
    graph.order("managedDevices", fault)
    sync.run()
    assert_same(sync.listed(), truth(tenant))


def test_gzip(world):
    tenant, graph, sync = world
    graph.order("*", graph_faults.gzipped(), times=None)
    sync.run()
    assert_same(sync.listed(), truth(tenant))


def test_a_token_that_ends_on_the_way(world):
    tenant, graph, sync = world

    def expire(server, request, proper):
        server.tokens.expire()
        return proper()
    graph.order("delta", expire, skip=2)
    sync.run()
    assert [request.status for request in graph.asked("delta")] == [200, 200, 401, 200, 200]
    assert len(graph.asked("token")) >= 4, "one for each part, and a new one"
    assert_same(sync.listed(), truth(tenant))


def test_short_lived_tokens_are_renewed_before_they_end(world):
    tenant, graph, sync = world
    graph.tokens.lifetime = 200
    sync.run()
    assert 401 not in {request.status for request in graph.requests}
    assert_same(sync.listed(), truth(tenant))


def memory_peak(pid):
    """In KiB; 0 when the process has just ended."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


ENDLESS = {"trickle": graph_faults.trickle, "huge": graph_faults.huge, "huge value": graph_faults.huge_value,
           "gzip bomb": graph_faults.bomb, "same link": graph_faults.same_link}


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_would_never_end_ends(world, kind):
    """Within the deadline, and within 100 MiB of memory."""
    tenant, graph, sync = world
    sync.run()
    before = sync.listed()
    sync.set(deadline="5s")
    graph.order("delta", ENDLESS[kind](), times=None)
    begin = time.monotonic()
    process, peak = sync.start("--json"), 0
    while process.poll() is None and time.monotonic() - begin < 30:
        peak = max(peak, memory_peak(process.pid))
        time.sleep(0.01)
    process.kill()
    _, err = process.communicate()
    assert process.returncode == SOME and "contoso" in err
    assert time.monotonic() - begin < 10 and 0 < peak < 100 << 10
    assert sync.listed() == before
    graph.behave()
    sync.run()
    assert_same(sync.listed(), truth(tenant))


@pytest.mark.parametrize("fault", [graph_faults.not_json(), graph_faults.empty_body(), graph_faults.no_value(),
                                   graph_faults.redirect("https://localhost:1/"),
                                   graph_faults.redirect("http://localhost/", 301),
                                   graph_faults.redirect(lambda server: server.url + "/v1.0/groups", 307)],
                         ids=["not json", "empty", "no value", "302", "301", "307"])
def test_answers_that_are_none(world, fault):
    tenant, graph, sync = world
    sync.run()
    before = sync.listed()
    sync.set(deadline="3s")
    graph.order("delta", fault, times=None)
    run = sync.run(code=SOME, timeout=20)
    assert run.results() == {"devices": "failed", "intune": "done", "groups": "done"} and sync.listed() == before


# ---- who the application is ----


@pytest.mark.parametrize("code,says", [(7000215, "value"), (7000222, "expired"), (700016, "client_id"),
                                       (90002, "tenant_id"), (700027, "certificate")])
def test_refused_logins_say_what_to_do(world, code, says):
    _, graph, sync = world
    graph.order("token", lambda *_: refusal(code), times=None)
    run = sync.run(code=NONE, timeout=20)
    note = run.parts()["devices"]["note"]
    assert f"AADSTS{code}" in note and says in note
    assert "the-client-secret" not in run.out + run.err
    assert len(graph.asked("token")) == 3, "each part asks once: asking again changes nothing"


def test_a_secret_that_others_can_read_is_refused(world):
    _, graph, sync = world
    (sync.directory / "contoso.secret").chmod(0o644)
    run = sync.run(code=None)
    assert run.code in (NONE, MISCONFIGURED)
    assert "contoso.secret" in run.err and not graph.requests


def with_certificate(graph, sync, days=365, mode=0o640):
    when = datetime.now(timezone.utc) + timedelta(days=days)
    certificate = Authority("app CA").issue({"subject": [["CN", "certdir"]], "key": "rsa", "not_after": when,
                                             "not_before": when - timedelta(days=400)})
    graph.tokens.certificates.append(certificate.der)
    pem, key = certificate.write(sync.directory, "app")
    key.chmod(mode)
    sync.set(client_secret_file=None, certificate_file=pem, private_key_file=key)


def test_login_with_a_certificate(world):
    tenant, graph, sync = world
    with_certificate(graph, sync)
    run = sync.run()
    assert_same(sync.listed(), truth(tenant))
    assert "client_assertion=" in graph.asked("token")[0].body.decode() and "expires" not in run.err


def test_a_certificate_that_ends_soon_is_warned_of(world):
    tenant, graph, sync = world
    with_certificate(graph, sync, days=20)
    run = sync.run()
    assert "warning" in run.err and "contoso" in run.err and "expires" in run.err and "upload it to the app registration" in run.err
    assert_same(sync.listed(), truth(tenant))
    expires, = [one["credential_expires"] for one in sync.status()["tenants"]]
    left = datetime.fromisoformat(expires.replace("Z", "+00:00")) - datetime.now(timezone.utc)
    assert timedelta(days=19) < left <= timedelta(days=20)


def test_a_key_that_others_can_read_is_refused(world):
    _, graph, sync = world
    with_certificate(graph, sync, mode=0o644)
    run = sync.run(code=None)
    assert run.code in (NONE, MISCONFIGURED) and "app.key" in run.err and not graph.requests


def test_managed_identity(world):
    tenant, graph, sync = world
    sync.env["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = graph.imds_url
    sync.env["http_proxy"] = "http://127.0.0.1:1"
    sync.set(client_secret_file=None, client_id=None, managed_identity="yes")
    sync.run()
    asked, *_ = graph.asked("imds")
    assert asked.headers["metadata"] == "true" and asked.query["resource"] == graph.url
    assert sync.listed() == truth(tenant) and not graph.asked("token")


def test_federated_token_is_read_each_time(world):
    tenant, graph, sync = world
    file = sync.secret_file("federated", "first.token.here")
    graph.tokens.federated.add("first.token.here")
    sync.set(client_secret_file=None, federated_token_file=file)
    sync.run()
    graph.tokens.federated = {"second.token.here"}
    file.write_text("second.token.here")
    sync.run()
    assert_same(sync.listed(), truth(tenant))


def test_another_ca_is_not_trusted(world):
    _, graph, sync = world
    other, _ = Authority("another CA").write(sync.directory, "other-ca")
    sync.set(ca_file=other, deadline="2s")
    run = sync.run(code=NONE, timeout=20)
    assert not graph.requests and "certificate" in run.err
