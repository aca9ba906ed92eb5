# SPDX-License-Identifier: GPL-2.0-or-later
"""
The fake Graph itself: held against the names and types of the real one, against the tenant that it speaks of, and
against what is documented. With CERTDIR_GRAPH_OPENAPI naming Microsoft's OpenAPI file of Graph v1.0, its answers are
validated against that, too.
"""

import base64
import gzip
import hashlib
import http.client
import io
import itertools
import json
import os
import random
import socket
import ssl
import time
import urllib.parse
import uuid
import zipfile

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from testenv import delta, graph_applications, graph_faults, graph_reports
from testenv.certificates import Authority
from testenv.graph import EXPIRIES, FakeGraph, Trap
from testenv.graph_token import JWT_BEARER, refusal, unpadded
from testenv.graph_users import NEW_USER
from testenv.openapi import TIME, OpenApi
from testenv.published import Options, Published, arranged, expected
from testenv.tenant import NEVER, NO_ID, Tenant

EVENTUAL = {"ConsistencyLevel": "eventual"}
ROUTES = ("/devices", "/devices/delta", "/deviceManagement/managedDevices", "/groups")


@pytest.fixture
def built():
    """Nothing of ours is needed here but the fake."""


class Client:
    """A client without manners of its own: what it is told to send, it sends."""

    def __init__(self, graph):
        self.graph = graph
        context = ssl.create_default_context(cafile=str(graph.ca_file))
        port = int(graph.url.rsplit(":", 1)[1])
        self.http = http.client.HTTPSConnection("localhost", port, context=context, timeout=20)
        self.token = None

    def send(self, target, headers=None, method="GET", body=None):
        """(status, headers, body bytes) of a path or link."""
        target = target.replace(self.graph.url, "")
        if target.startswith("/") and not target.startswith(("/v1.0", f"/{self.graph.tenant.id}")):
            target = "/v1.0" + target
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        self.http.request(method, target, body, headers)
        answer = self.http.getresponse()
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, self.headers, answer.read()

    def get(self, target, status=200, headers=None):
        got, _, body = self.send(target, headers)
        assert got == status, body
        return json.loads(body)

    def refused(self, target, status, code, headers=None):
        assert self.get(target, status, headers)["error"]["code"] == code

    def log_in(self, status=200, tenant=None, **form):
        form = {"client_id": self.graph.tokens.client_id, "scope": f"{self.graph.url}/.default",
                "grant_type": "client_credentials", **form}
        form = {name: value for name, value in form.items() if value is not None}
        path = f"/{tenant or self.graph.tenant.id}/oauth2/v2.0/token"
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        self.http.request("POST", path, urllib.parse.urlencode(form), kind)
        answer = self.http.getresponse()
        content = json.loads(answer.read())
        assert answer.status == status, content
        self.token = content.get("access_token")
        return content

    def pages(self, target, headers=None):
        while target:
            page = self.get(target, headers=headers)
            yield page
            target = page.get("@odata.nextLink")

    def everything(self, target, headers=None):
        return [one for page in self.pages(target, headers) for one in page["value"]]


@pytest.fixture
def serve():
    """Makes a fake and a client that is logged in: serve(tenant, options of FakeGraph)."""
    running = []

    def serve(tenant=None, **options):
        graph = FakeGraph(tenant or Tenant(1, 40, groups=("Wi-Fi staff", "O'Brien & Söhne")), **options).start()
        running.append(graph)
        client = Client(graph)
        client.log_in(client_secret="the-client-secret")
        return graph, client

    yield serve
    for graph in running:
        graph.stop()


# ---- names and types ----


@pytest.fixture(scope="module")
def facts(repo):
    return json.loads((repo / "tests" / "vectors" / "graph-schema.json").read_text())


def fits(facts, kind, value):
    if kind.startswith("["):
        return isinstance(value, list) and all(fits(facts, kind[1:-1], item) for item in value)
    if kind.endswith("?"):
        return value is None or fits(facts, kind[:-1], value)
    if kind in facts["enums"]:
        return value in facts["enums"][kind]
    if kind == "time":
        return isinstance(value, str) and TIME.fullmatch(value)
    return isinstance(value, {"string": str, "boolean": bool, "integer": int, "object": dict}[kind]) and not (
        kind == "integer" and isinstance(value, bool))


def check(facts, kind, thing):
    for name, value in thing.items():
        if name == "@removed":
            check(facts, "removed", value)
            continue
        assert name in facts[kind], f"{kind} has no {name}"
        assert fits(facts, facts[kind][name], value), f"{kind}.{name} is a {facts[kind][name]}, not {value!r}"


def answers(client, graph):
    """Everything that the fake says of its tenant: (kind, page)."""
    end = None
    kinds = {"/devices": "device", "/devices/delta": "device", "/deviceManagement/managedDevices": "managedDevice",
             "/groups": "group", f"/users/delta?$select={','.join(NEW_USER)}": "user"}
    for route, kind in kinds.items():
        for page in client.pages(route):
            yield route, kind, page
            end = page.get("@odata.deltaLink", end) if kind == "device" else end
    graph.tenant.live(60)
    for page in client.pages(end):
        yield "/devices/delta", "device", page
    for group, kind in itertools.product(graph.tenant.groups, ("device", "user")):
        members = f"/groups/{group}/transitiveMembers/microsoft.graph.{kind}?$count=true"
        for page in client.pages(members, EVENTUAL):
            yield "members", kind, page


@pytest.mark.parametrize("seed", range(4))
def test_names_and_types(serve, facts, seed):
    tenant = Tenant(seed, 40, groups=("Wi-Fi staff",))
    tenant.live(100)
    graph, client = serve(tenant, seed=seed, habits=delta.Habits.seeded(random.Random(seed)), page_size=7)
    graph.lists_ethernet = seed % 2 == 0
    for number in range(10):
        graph.people.join(next(iter(tenant.groups)), graph.people.add(f"u{number}", on_premises=number % 2 > 0))
    seen = set()
    for _, kind, page in answers(client, graph):
        check(facts, "page", page)
        assert not {"@odata.nextLink", "@odata.deltaLink"} <= set(page)
        for thing in page["value"]:
            check(facts, kind, thing)
            seen.add(kind)
    assert seen == {"device", "managedDevice", "group", "user"}


def test_names_and_types_of_errors_and_tokens(serve, facts):
    graph, client = serve()
    for name, fault in graph_faults.RECORDED.items():
        graph.order("devices", fault)
        status, _, body = client.send("/devices")
        assert status == int(name[:3]) and list(json.loads(body)) == ["error"]
        check(facts, "error", json.loads(body)["error"])
    check(facts, "token", client.log_in(client_secret="the-client-secret"))
    check(facts, "tokenError", client.log_in(401, client_secret="wrong"))
    check(facts, "managedIdentityToken", managed_identity(graph)[1])


def test_registering_an_application(serve, facts):
    """Who has signed in by a code registers one, which then changes its keys by itself."""
    graph, client = serve()
    signer, long = (Authority("certdir", key="rsa", not_before=time.time() - 60, not_after=time.time() + days * 86400)
                    for days in (360, 400))

    def send(path, method="POST", status=200, headers=None, **body):
        got, _, answer = client.send(path, {"Content-Type": "application/json", **(headers or {})}, method,
                                     json.dumps(body) if body else None)
        assert got == status, answer
        return json.loads(answer) if answer else None

    key = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64.b64encode(signer.der).decode()}
    named, create = "/applications(uniqueName='x')", {"Prefer": "create-if-missing"}
    send(named, "PATCH", 403, create, displayName="certdir")  # no application may
    scope = " ".join(f"{graph.url}/{scope}" for scope in graph_applications.SCOPES)
    form = {"client_id": graph_applications.SIGN_IN_CLIENT, "scope": scope}
    code = json.loads(client.send(f"/{graph.tenant.id}/oauth2/v2.0/devicecode", method="POST", body=urllib.parse.urlencode(form))[2])
    check(facts, "deviceCode", code)
    poll = {"grant_type": graph_applications.DEVICE_CODE, "device_code": code["device_code"],
            "client_id": graph_applications.SIGN_IN_CLIENT, "scope": None}
    graph.sign_in_answers, graph.sign_ins[0].interval = ["authorization_pending"], 0
    check(facts, "tokenError", client.log_in(400, **poll))
    client.log_in(**poll)
    send(named, "PATCH", 404, displayName="certdir")
    too_long = {**key, "key": base64.b64encode(long.der).decode()}
    assert "error" in send(named, "PATCH", 400, create, displayName="certdir", keyCredentials=[too_long])
    application = send(named, "PATCH", 201, create, displayName="certdir", keyCredentials=[key])
    assert send(named, "PATCH", 204, create, displayName="certdir", keyCredentials=[key]) is None
    check(facts, "application", application)
    stored = client.get(f"/applications(appId='{application['appId']}')?$select=id,keyCredentials")
    check(facts, "keyCredential", stored["keyCredentials"][0])
    assert application["keyCredentials"][0]["key"] is None and stored["keyCredentials"][0]["key"] == key["key"]
    principal = send("/servicePrincipals", status=201, appId=application["appId"])
    check(facts, "servicePrincipal", principal)
    assert "error" in send("/servicePrincipals", status=409, appId=application["appId"])
    grant = {"principalId": principal["id"], "resourceId": graph.graph_principal, "appRoleId": next(iter(graph_applications.ROLES))}
    check(facts, "appRoleAssignment", send(f"/servicePrincipals/{graph.graph_principal}/appRoleAssignedTo", status=201, **grant))
    assert send(f"/servicePrincipals/{graph.graph_principal}/appRoleAssignedTo", status=400, **grant)["error"]
    send(f"/applications/{application['id']}/addKey", status=401, keyCredential=key, passwordCredential=None, proof="a.b.c")


def test_reports(serve, facts):
    """A job goes its way, its file is on another host for a while, and that one wants to see no token."""
    graph, client = serve()
    graph.report_polls, graph.certificates = 2, [graph_reports.certificate("x")]

    def post(**body):
        client.http.request("POST", "/v1.0/deviceManagement/reports/exportJobs", json.dumps(body),
                            {"Content-Type": "application/json", "Authorization": f"Bearer {client.token}"})
        answer = client.http.getresponse()
        return answer.status, json.loads(answer.read())

    assert post(reportName="AllDeviceCertificates", select=["Color"])[0] == post(reportName="Devices")[0] == 400
    status, job = post(reportName="AllDeviceCertificates", format="csv", select=["Thumbprint", "CertificateStatus"])
    assert status == 201
    seen = []
    while not job["url"]:
        check(facts, "exportJob", job)
        seen.append(job["status"])
        job = client.get(f"/deviceManagement/reports/exportJobs('{job['id']}')")
    check(facts, "exportJob", job)
    assert seen == ["notStarted", "inProgress"] and job["status"] == "completed"

    def fetch(**headers):
        url = urllib.parse.urlsplit(job["url"])
        context = ssl.create_default_context(cafile=graph.ca_file)
        connection = http.client.HTTPSConnection(url.netloc.replace("fef01.blob.localhost", "127.0.0.1"), context=context)
        connection.request("GET", f"{url.path}?{url.query}", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    status, file = fetch()
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        name, = archive.namelist()
        header = archive.read(name).decode("utf-8-sig").split("\r\n")[0].replace('"', "").split(",")
    assert status == 200 and set(header) == {"Thumbprint", "CertificateStatus", "CertificateStatus_loc"}
    assert not graph.violations and fetch(Authorization="Bearer x")[0] == 400 and len(graph.violations) == 1
    graph.expire_reports()
    assert fetch()[0] == 403


@pytest.mark.skipif("CERTDIR_GRAPH_OPENAPI" not in os.environ, reason="CERTDIR_GRAPH_OPENAPI names no file")
@pytest.mark.parametrize("seed", range(8))
def test_official_schema(serve, seed):
    api = OpenApi(os.environ["CERTDIR_GRAPH_OPENAPI"])
    paths = {"/devices/delta": "/devices/graph.delta()", "members": "/groups('{id}')/transitiveMembers"}
    tenant = Tenant(seed, 60, groups=("Wi-Fi staff",))
    tenant.live(200)
    graph, client = serve(tenant, seed=seed, habits=delta.Habits.seeded(random.Random(seed)), page_size=25)
    graph.lists_ethernet = seed % 2 == 0
    checked = 0
    for route, kind, page in answers(client, graph):
        assert not list(api.problems(api.answer_schema(paths.get(route, route)), page))
        for thing in page["value"]:
            assert not list(api.problems({"$ref": f"#/components/schemas/microsoft.graph.{kind}"}, thing))
            checked += 1
    assert checked > 100
    for fault in graph_faults.RECORDED.values():
        graph.order("devices", fault)
        assert not list(api.problems(api.answer_schema("/devices", "4XX"), json.loads(client.send("/devices")[2])))
    wrong = {"serialNumber": "1", "isManaged": "yes", "registrationDateTime": "today"}
    assert len(list(api.problems({"$ref": "#/components/schemas/microsoft.graph.device"}, wrong))) == 3


# ---- listings ----


def test_devices_are_those_of_the_tenant(serve):
    graph, client = serve(page_size=7)
    assert {one["id"] for one in client.everything("/devices")} == set(graph.tenant.devices)
    assert len(graph.asked("devices")) == 6
    device = next(iter(graph.tenant.devices.values()))
    found = client.get(f"/devices?$filter=deviceId%20eq%20'{device['deviceId']}'&$select=id,displayName")["value"]
    assert found == [{"id": device["id"], "displayName": device["displayName"]}]
    page = client.get("/devices?$count=true&$top=3", headers=EVENTUAL)
    assert page["@odata.count"] == 40 and len(page["value"]) == 3 and "$top=3&$skiptoken=" in page["@odata.nextLink"]
    assert "@odata.count" not in client.get("/devices?$count=true")
    assert "onPremisesSecurityIdentifier" not in page["value"][0]
    assert "onPremisesSecurityIdentifier" in client.get("/devices?$select=onPremisesSecurityIdentifier")["value"][0]


def test_what_the_service_refuses(serve):
    graph, client = serve()
    client.refused("/devices?$top=1000", 400, "Request_UnsupportedQuery")
    client.refused("/devices?$top=0", 400, "Request_UnsupportedQuery")
    client.refused("/devices?$skip=5", 400, "Request_BadRequest")
    client.refused("/devices?$select=serialNumber", 400, "BadRequest")
    client.refused("/devices/delta?$top=5", 400, "BadRequest")
    client.refused("/devices/delta?$select=id,hostname", 400, "BadRequest")
    client.refused("/devices/delta?$deltatoken=invented", 400, "BadRequest")
    client.refused("/deviceManagement/managedDevices?$top=1001", 400, "Request_UnsupportedQuery")
    client.refused("/deviceManagement/managedDevices?$select=deviceId", 400, "BadRequest")
    client.refused("/groups?$filter=displayName%20eq%20'O'Brien'", 400, "Request_UnsupportedQuery")
    client.refused(f"/groups/{uuid.uuid4()}", 404, "Request_ResourceNotFound")
    client.refused("/machines", 400, "BadRequest")
    assert client.send("/devices", method="POST", body=b"{}")[0] == 405
    assert [text for text in graph.violations if "invented" in text]


def test_intune(serve):
    graph, client = serve(page_size=10)
    select = "id,azureADDeviceId,ethernetMacAddress"
    records = client.everything(f"/deviceManagement/managedDevices?$select={select}&$top=1000")
    assert {one["id"] for one in records} == set(graph.tenant.records)
    assert {one["ethernetMacAddress"] for one in records} == {None}
    graph.tenant.intune = False
    assert "not applicable to target tenant" in client.get("/deviceManagement/managedDevices", 400)["error"]["message"]


def test_groups(serve):
    graph, client = serve(page_size=4)
    tenant = graph.tenant
    staff, brien = tenant.groups
    quoted = urllib.parse.quote("displayName eq 'o''brien & söhne'")
    assert [one["id"] for one in client.everything(f"/groups?$filter={quoted}")] == [brien]
    assert client.get(f"/groups/{staff}?$select=id,displayName")["displayName"] == "Wi-Fi staff"
    tenant.join(staff, brien)
    tenant.join(brien, staff)
    both = {device for device in (*tenant.members[staff], *tenant.members[brien]) if device in tenant.devices}
    members = f"/groups/{staff}/transitiveMembers/microsoft.graph.device?$select=id,deviceId&$count=true"
    listed = client.everything(members, EVENTUAL)
    assert {one["id"] for one in listed} == both and len(listed) == len(both)
    page = client.get(members, headers=EVENTUAL)
    assert page["@odata.count"] == len(both)
    client.refused(members, 400, "Request_UnsupportedQuery")
    client.refused(page["@odata.nextLink"], 400, "Request_UnsupportedQuery")
    client.refused(members.replace("&$count=true", ""), 400, "Request_UnsupportedQuery", EVENTUAL)


def test_links_are_taken_unchanged_only(serve):
    graph, client = serve(page_size=5)
    link = client.get("/devices")["@odata.nextLink"]
    client.get(link)
    assert not graph.violations
    client.refused(urllib.parse.unquote(link).replace("'", "%27"), 400, "BadRequest")
    client.refused(link + "&$top=5", 400, "BadRequest")
    assert len(graph.violations) == 2


def test_same_seed_same_answers(serve):
    told = []
    for _ in range(2):
        tenant = Tenant(5, 30)
        graph, client = serve(tenant, seed=3, habits=delta.Habits.seeded(random.Random(8)))
        texts = [client.send("/devices/delta")[2]]
        tenant.live(30)
        texts += [json.dumps(one) for one in client.everything("/devices/delta")]
        told.append([str(text).replace(graph.url, "") for text in texts])
    assert told[0] == told[1]


def test_starts_at_once(serve):
    serve()
    begin = time.monotonic()
    for _ in range(5):
        FakeGraph(Tenant()).start().stop()
    assert (time.monotonic() - begin) / 5 < 0.1


# ---- delta ----


class Follower:
    """A client that believes what the documentation of delta query says, and no more."""

    def __init__(self):
        self.known = {}

    def take(self, pages):
        for one in [one for page in pages for one in page]:
            if "@removed" in one:
                self.known.pop(one["id"], None)
            else:
                self.known.setdefault(one["id"], {}).update(one)


def truth(tenant, select):
    return {device: {name: value for name, value in properties.items() if name in select and value not in (None, [])}
            for device, properties in tenant.devices.items()}


def told_values(known):
    return {device: {name: value for name, value in properties.items() if value not in (None, [])}
            for device, properties in known.items()}


@pytest.mark.parametrize("seed", range(60))
def test_delta_leads_to_the_truth(seed):
    rng = random.Random(seed)
    tenant, habits, follower, since = Tenant(seed, rng.randint(0, 30)), delta.Habits.seeded(rng), Follower(), None
    habits.older_names = rng.random() < 0.5
    select = {"id", *rng.sample(sorted(truth_names()), rng.randint(1, 12))}
    for _ in range(10):
        pages = delta.round_of(tenant, since, select, rng, habits)
        assert all(len(page) <= habits.page_size for page in pages)
        if since is None or rng.random() < 0.1:
            follower = Follower()
            pages = delta.round_of(tenant, None, select, rng, habits)
        follower.take(pages)
        assert told_values(follower.known) == truth(tenant, select)
        since = tenant.version
        tenant.live(rng.randint(0, 12))


def truth_names():
    tenant = Tenant(0, 1)
    return set(next(iter(tenant.devices.values()))) - {"id", "deletedDateTime"}


def only_round(tenant, since, select=frozenset({"id", "displayName", "isCompliant"}), **habits):
    pages = delta.round_of(tenant, since, set(select), random.Random(1), delta.Habits(**habits))
    return [one for page in pages for one in page]


def test_delta_tells_what_changed():
    tenant = Tenant(2)
    first, second, third = (tenant.add_device(name, isCompliant=True) for name in ("A", "B", "C"))
    since = tenant.version
    assert sorted(one["displayName"] for one in only_round(tenant, None)) == ["A", "B", "C"]
    assert only_round(tenant, since) == []
    tenant.change(first, isCompliant=None)
    tenant.change(second, accountEnabled=False, model="x")
    assert only_round(tenant, since) == [{"id": first, "isCompliant": None}], "what is not selected is not tracked"
    assert only_round(tenant, since, whole=1) == [{"id": first, "displayName": "A", "isCompliant": None}]
    tenant.delete(second)
    tenant.purge(third)
    removed = {one["id"]: one["@removed"]["reason"] for one in only_round(tenant, since) if "@removed" in one}
    assert removed == {second: "changed", third: "deleted"}
    later = tenant.version
    tenant.restore(second)
    assert only_round(tenant, later) == [{"id": second, "displayName": "B", "isCompliant": True}], "like a new one"
    tenant.delete(second)
    later = tenant.version
    tenant.purge(second)
    assert only_round(tenant, later) == [{"id": second, "@removed": {"reason": "deleted"}}]


def test_a_property_that_never_had_a_value_is_left_out():
    tenant = Tenant(2)
    never, cleared = tenant.add_device("A", isCompliant=None), tenant.add_device("B", isCompliant=True)
    tenant.change(cleared, isCompliant=None)
    told = {one["id"]: one for one in only_round(tenant, None)}
    assert told[never] == {"id": never, "displayName": "A"} and told[cleared]["isCompliant"] is None


def test_delta_habits_show():
    """Each habit is seen at least once, or tests with it would show nothing."""
    tenant = Tenant(3, 30)
    since = tenant.version
    tenant.live(40)
    plain = only_round(tenant, since)
    assert len({one["id"] for one in plain}) == len(plain)
    assert len(only_round(tenant, since, repeats=0.5)) > len(plain)
    assert len(only_round(tenant, since, replays=0.5)) > len(plain)
    assert len(only_round(tenant, since, older_states=1)) > len(plain)
    assert [] in delta.round_of(tenant, since, {"id"}, random.Random(1), delta.Habits(page_size=2, empty_pages=1))
    tenant.delete(next(iter(tenant.devices)))
    assert [one for one in only_round(tenant, None, removed_at_first=1) if "@removed" in one]


@pytest.mark.parametrize("form", EXPIRIES)
def test_expired_delta_link(serve, form):
    graph, client = serve()
    page = client.get("/devices/delta?$select=displayName,onPremisesSecurityIdentifier")
    graph.expire_delta(form)
    status, code, with_location = EXPIRIES[form]
    answer = client.get(page["@odata.deltaLink"], status)
    assert answer["error"]["code"].lower() == code.lower()
    if with_location:
        again = client.everything(client.headers["location"])
        assert len(again) == 40 and any("onPremisesSecurityIdentifier" in one for one in again)
    fresh = client.get("/devices/delta")["@odata.deltaLink"]
    assert client.get(fresh)["value"] == []


# ---- tokens, permissions ----


def managed_identity(graph, headers=(("Metadata", "true"),), **query):
    port = int(graph.imds_url.rsplit(":", 1)[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    query = {"api-version": "2018-02-01", "resource": graph.url, **query}
    connection.request("GET", "/metadata/identity/oauth2/token?" + urllib.parse.urlencode(query), headers=dict(headers))
    answer = connection.getresponse()
    content = answer.status, json.loads(answer.read())
    connection.close()
    return content


def test_secret(serve):
    graph, client = serve()
    good = client.log_in(client_secret="the-client-secret")
    assert good["token_type"] == "Bearer" and isinstance(good["expires_in"], int)
    client.get("/devices")
    refused = [(7000215, 401, {"client_secret": "wrong"}), (700016, 400, {"client_id": str(uuid.uuid4())}),
               (90002, 400, {"tenant": str(uuid.uuid4())}), (70011, 400, {"scope": "https://graph.example/.default"}),
               (70003, 400, {"grant_type": "password"}), (900144, 400, {"scope": None}),
               (7000216, 401, {"client_secret": None})]
    for code, status, form in refused:
        answer = client.log_in(status, **{"client_secret": "the-client-secret", **form})
        assert answer["error_codes"] == [code] and f"AADSTS{code}:" in answer["error_description"]
    graph.tokens.secrets["the-client-secret"] = False
    assert client.log_in(401, client_secret="the-client-secret")["error_codes"] == [7000222]
    graph.order("token", lambda *_: refusal(700024))
    assert client.log_in(401, client_secret="the-client-secret")["error_codes"] == [700024]


def assertion(graph, certificate, algorithm="PS256", **claims):
    def part(content):
        return unpadded(json.dumps(content).encode())

    now = int(time.time())
    header = {"alg": algorithm, "typ": "JWT", "x5t#S256": unpadded(hashlib.sha256(certificate.der).digest())}
    client = graph.tokens.client_id
    claims = {"aud": graph.token_url, "iss": client, "sub": client, "jti": str(uuid.uuid4()), "nbf": now,
              "exp": now + 600, **claims}
    signed = f"{part(header)}.{part(claims)}".encode()
    pad = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32) if algorithm == "PS256" else padding.PKCS1v15()
    return signed.decode() + "." + unpadded(certificate.key.sign(signed, pad, hashes.SHA256()))


def test_certificate(serve):
    graph, client = serve()
    authority = Authority("app CA")
    mine, other = (authority.issue({"subject": [["CN", name]], "key": "rsa"}) for name in ("app", "other"))
    graph.tokens.certificates.append(mine.der)

    def log_in(text, code=None):
        answer = client.log_in(401 if code else 200, client_assertion_type=JWT_BEARER, client_assertion=text)
        assert answer.get("error_codes") == ([code] if code else None)

    once = assertion(graph, mine)
    log_in(once)
    client.get("/devices")
    log_in(once, 700027)
    log_in(assertion(graph, other), 700027)
    log_in(assertion(graph, mine)[:-8] + "AAAAAAAA", 700027)
    log_in(assertion(graph, mine, "RS256"), 700027)
    log_in(assertion(graph, mine, aud="https://login.example/oauth2/v2.0/token"), 700023)
    log_in(assertion(graph, mine, sub="somebody"), 700021)
    now = int(time.time())
    log_in(assertion(graph, mine, nbf=now - 700, exp=now - 100), 700024)
    log_in(assertion(graph, mine, exp=now + 86400), 700024)
    log_in("not.a.jwt", 700027)


def test_federated_token(serve):
    graph, client = serve()
    graph.tokens.federated.add("the.cluster's.token")
    client.log_in(client_assertion_type=JWT_BEARER, client_assertion="the.cluster's.token")
    client.get("/devices")
    assert client.log_in(401, client_assertion_type=JWT_BEARER, client_assertion="another")["error_codes"] == [700213]


def test_managed_identity(serve):
    graph, client = serve()
    status, token = managed_identity(graph)
    assert status == 200 and token["expires_in"] == "3599"
    client.token = token["access_token"]
    client.get("/devices")
    assert managed_identity(graph, headers=())[0] == 400
    assert managed_identity(graph, headers=(("Metadata", "true"), ("X-Forwarded-For", "10.0.0.1")))[0] == 400
    assert managed_identity(graph, client_id=str(uuid.uuid4()))[1]["error_description"] == "Identity not found"
    graph.order("imds", graph_faults.throttled("1"))
    assert managed_identity(graph)[0] == 429


def test_tokens_and_permissions(serve):
    graph, client = serve()
    for route in ROUTES:
        good, client.token = client.token, None
        client.refused(route, 401, "InvalidAuthenticationToken")
        client.token = "a foreign token"
        client.refused(route, 401, "InvalidAuthenticationToken")
        client.token = good
    graph.permissions.discard("Device.Read.All")
    client.refused("/devices", 403, "Authorization_RequestDenied")
    client.refused("/devices/delta", 403, "Authorization_RequestDenied")
    client.get("/groups")
    graph.permissions.discard("DeviceManagementManagedDevices.Read.All")
    client.refused("/deviceManagement/managedDevices", 403, "Forbidden")
    graph.tokens.expire()
    client.refused("/groups", 401, "InvalidAuthenticationToken")
    graph.tokens.lifetime = -1
    client.log_in(client_secret="the-client-secret")
    client.refused("/groups", 401, "InvalidAuthenticationToken")


# ---- misbehaviour ----


def test_orders_are_kept(serve):
    graph, client = serve()
    graph.order("devices", graph_faults.throttled("0.01"), times=2, skip=1)
    graph.order("*", graph_faults.recorded("504 empty"))
    paths = ("/groups", "/devices", "/devices", "/devices", "/devices")
    assert [client.send(path)[0] for path in paths] == [504, 200, 429, 429, 200]
    graph.order("devices", graph_faults.every(3, graph_faults.recorded("500")), times=None)
    assert [client.send("/devices")[0] for _ in range(6)] == [200, 200, 500, 200, 200, 500]
    graph.behave()
    assert client.send("/devices")[0] == 200


def test_who_does_not_wait_is_seen(serve):
    graph, client = serve()
    graph.order("devices", graph_faults.throttled("30"))
    assert client.send("/devices")[1]["retry-after"] == "30"
    client.get("/devices")
    assert "before Retry-After" in graph.violations[0]


def test_retry_after_as_a_date(serve):
    graph, client = serve()
    graph.order("devices", graph_faults.throttled_until(60))
    assert client.send("/devices")[1]["retry-after"].endswith(" GMT")


@pytest.mark.parametrize("how", [{}, {"chunked": True}, {"reset": True}, {"share": 0}])
def test_cut(serve, how):
    graph, client = serve()
    graph.order("devices", graph_faults.cut(**how))
    with pytest.raises((http.client.HTTPException, OSError)):
        client.send("/devices")
    client.http.close()
    client.get("/devices")
    graph.order("devices", graph_faults.no_answer())
    with pytest.raises((http.client.HTTPException, OSError)):
        client.send("/devices")


@pytest.mark.parametrize("fault", [graph_faults.trickle(0.001), graph_faults.huge(), graph_faults.huge_value()])
def test_endless(serve, fault):
    graph, client = serve()
    graph.order("devices", fault)
    client.http.request("GET", "/v1.0/devices", headers={"Authorization": f"Bearer {client.token}"})
    answer = client.http.getresponse()
    assert len(answer.read(500)) == 500
    client.http.close()
    graph.stop()


def test_gzip(serve):
    graph, client = serve()
    graph.order("devices", graph_faults.gzipped(), times=2)
    assert "content-encoding" not in client.send("/devices")[1]
    _, headers, body = client.send("/devices", {"Accept-Encoding": "gzip"})
    assert headers["content-encoding"] == "gzip" and len(json.loads(gzip.decompress(body))["value"]) == 40
    graph.order("devices", graph_faults.bomb(8 << 20))
    assert len(gzip.decompress(client.send("/devices")[2])) > 8 << 20


def test_lies(serve):
    graph, client = serve(page_size=10)
    with Trap() as trap:
        where = f"https://127.0.0.1:{trap.port}/v1.0/devices"
        lies = [(graph_faults.same_link(), lambda page: page["@odata.nextLink"] == f"{graph.url}/v1.0/devices?$top=20"),
                (graph_faults.next_link(lambda link: where), lambda page: page["@odata.nextLink"] == where),
                (graph_faults.no_link(), lambda page: "@odata.nextLink" not in page and len(page["value"]) == 10),
                (graph_faults.no_value(), lambda page: "value" not in page),
                (graph_faults.short(), lambda page: "@odata.nextLink" not in page and len(page["value"]) == 5)]
        for lie, holds in lies:
            graph.order("devices", lie)
            assert holds(client.get("/devices?$top=20"))
        graph.order("delta", graph_faults.delta_link(lambda link: where))
        assert client.get("/devices/delta")["@odata.deltaLink"] == where
        assert trap.visits == 0
        with socket.create_connection(("127.0.0.1", trap.port)) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert sock.recv(100)
        assert trap.visits == 1
    for fault in (graph_faults.not_json(), graph_faults.empty_body()):
        graph.order("devices", fault)
        with pytest.raises(ValueError):
            client.get("/devices")
    graph.order("devices", graph_faults.redirect(lambda server: server.url + "/v1.0/groups"))
    status, headers, _ = client.send("/devices")
    assert status == 302 and headers["location"].endswith("/groups")
    graph.order("devices", graph_faults.retry_after_on_success())
    assert client.send("/devices")[1]["retry-after"] == "1209600"
    graph.order("devices", graph_faults.slow(0.2))
    begin = time.monotonic()
    client.get("/devices")
    assert time.monotonic() - begin >= 0.2


# ---- what a list must hold: the oracle of other tests, by hand ----


def test_expected():
    tenant = Tenant(9)
    plain = tenant.add_device("PLAIN", isCompliant=False, isManaged=None, trustType="AzureAd", accountEnabled=True,
                              deviceOwnership="Company", operatingSystem="Windows",
                              registrationDateTime="2024-01-01T10:00:00Z", approximateLastSignInDateTime=None,
                              onPremisesSecurityIdentifier=None)
    known = tenant.add_device("KNOWN", isCompliant=True, isManaged=False, deviceOwnership="Personal",
                              accountEnabled=False, approximateLastSignInDateTime="2024-05-01T10:00:00Z", trustType=None)
    device_id = tenant.devices[known]["deviceId"]
    old = tenant.enrol(known, lastSyncDateTime="2024-07-01T00:00:00Z", complianceState="compliant", serialNumber="OLD",
                       enrolledDateTime="2023-01-01T00:00:00Z")
    new = tenant.enrol(azureADDeviceId=device_id.upper(), lastSyncDateTime="2024-06-01T00:00:00.5Z",
                       enrolledDateTime="2023-06-01T00:00:00Z", complianceState="inGracePeriod", serialNumber="5cg1",
                       managedDeviceOwnerType="unknown", userPrincipalName="ada@contoso.example", managementState="managed",
                       wiFiMacAddress="00A0C91E2F3D", ethernetMacAddress=None)
    alone = tenant.enrol(azureADDeviceId=NO_ID, deviceName="KIOSK", serialNumber="", complianceState="unknown",
                         managedDeviceOwnerType="company", operatingSystem="Android", managementState="managed")
    itself = tenant.enrol_with_own_id()
    tenant.enrol_stranger()
    group = tenant.add_group("Wi-Fi staff")
    tenant.join(group, known)
    found = {one.get("displayName"): one for one in expected(tenant, Options(groups=("wi-fi STAFF",)))}
    assert len(found) == 4 and itself in {one.get("intuneDeviceId") for one in found.values()}
    assert found["PLAIN"] == {
        "id": plain, "deviceId": tenant.devices[plain]["deviceId"], "tenantId": tenant.id, "displayName": "PLAIN",
        "deviceOwnership": "company", "operatingSystem": "Windows", "complianceState": "noncompliant",
        "accountEnabled": True, "trustType": "AzureAd", "registrationDateTime": "2024-01-01T10:00:00Z"}
    assert {name: found["KNOWN"].get(name) for name in (
        "intuneDeviceId", "complianceState", "isManaged", "deviceOwnership", "serialNumber", "userPrincipalName",
        "groups", "approximateLastSignInDateTime", "wiFiMacAddress", "accountEnabled", "registrationDateTime")} == {
            "intuneDeviceId": new, "complianceState": "inGracePeriod", "isManaged": True, "deviceOwnership": "personal",
            "serialNumber": "5CG1", "userPrincipalName": "ada@contoso.example", "accountEnabled": False,
            "groups": [{"id": group, "displayName": "Wi-Fi staff"}], "wiFiMacAddress": "00A0C91E2F3D",
            "approximateLastSignInDateTime": "2024-06-01T00:00:00Z",
            "registrationDateTime": tenant.devices[known]["registrationDateTime"]}
    assert found["KIOSK"]["intuneDeviceId"] == alone and "deviceId" not in found["KIOSK"]
    assert (found["KIOSK"]["isManaged"], found["KIOSK"]["complianceState"]) == (True, "unknown")
    assert old not in {one.get("intuneDeviceId") for one in found.values()}

    def names(**options):
        return {one.get("displayName") for one in expected(tenant, Options(**options))}
    assert names(join_types=("entra",)) == {"PLAIN"}
    assert names(only_enabled=True) == {"PLAIN", "KIOSK"}
    assert "KNOWN" in names(ownerships=("personal",)) and "KIOSK" not in names(ownerships=("personal",))
    assert "KIOSK" in names(operating_systems=("android",)) and "PLAIN" not in names(operating_systems=("android",))
    assert names(intune=False) == {"PLAIN", "KNOWN"}


def test_expected_former_names():
    tenant = Tenant(9)
    device = tenant.add_device("DESKTOP-1")
    published = Published(Options(former_names=100))

    def sync(name, now):
        tenant.rename(device, name)
        published.devices_done(tenant, now)
        return arranged(published.devices(now))[0].get("formerNames")
    assert sync("DESKTOP-1", 1000) is None
    assert sync("desktop-1", 1010) is None, "another case is the same name"
    assert sync("AD-2", 1020) == ["desktop-1"]
    assert sync("AD-3", 1030) == ["AD-2", "desktop-1"]
    assert sync("AD-2", 1040) == ["AD-3", "desktop-1"], "its own name is no former one"
    assert sync("AD-2", 1125) == ["AD-3"]
    tenant.delete(device)
    published.devices_done(tenant, 1130)
    tenant.restore(device)
    assert sync("AD-2", 1131) is None, "it came back as a new one"


def test_base64_tokens_look_opaque(serve):
    graph, client = serve(page_size=5)
    token = client.get("/devices")["@odata.nextLink"].split("$skiptoken=")[1]
    assert token.endswith("%3d%27") and base64.urlsafe_b64decode(token[:-6] + "==")
