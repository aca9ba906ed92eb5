# SPDX-License-Identifier: GPL-2.0-or-later
"""
A fake Microsoft Graph on loopback: https with a certificate of a test CA, the token endpoint, and what a sync asks for.

It answers for one Tenant, as documented and no more willingly: what the real service refuses (an unknown property in
$select, $top above its limit, a link that somebody changed) is refused here, too. What a client does against good manners
(asking again before Retry-After has passed, changing a link) is kept in `violations`.

	with FakeGraph(tenant) as graph:
		graph.order("managedDevices", graph_faults.throttled("0.2"), times=2)

By hand: PYTHONPATH=tests python3 -m testenv.graph --devices 2500
"""

import argparse
import base64
import json
import os
import random
import re
import secrets
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from testenv import delta, graph_applications, graph_faults, graph_profiles
from testenv.certificates import Authority
from testenv.graph_faults import Answer, error, told
from testenv.graph_reports import READ, Reports
from testenv.graph_token import Tokens
from testenv.graph_users import NEW_USER, USUAL, People
from testenv.tenant import NEW_DEVICE, NEW_GROUP, NEW_RECORD, Tenant

PERMISSIONS = {"devices": "Device.Read.All", "delta": "Device.Read.All", "groups": "GroupMember.Read.All",
               "group": "GroupMember.Read.All", "members": "GroupMember.Read.All",
               "users": "User.Read.All", "userMembers": "GroupMember.Read.All",
               "managedDevices": "DeviceManagementManagedDevices.Read.All",
               "managedDevice": "DeviceManagementManagedDevices.Read.All", "exports": READ,
               **graph_profiles.PERMISSIONS}
JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
DELTAS = {"delta", "users"}
# Only when it is selected.
HIDDEN = {"onPremisesSecurityIdentifier", "extensionAttributes"}

# How an expired delta token is told: (status, code in any spelling of case, whether with Location).
EXPIRIES = {
    "410 Location": (410, "Gone", True),
    "410 syncStateNotFound": (410, "syncStateNotFound", False),
    "400 syncStateNotFound": (400, "syncStateNotFound", False),
    "410 resyncRequired": (410, "resyncRequired", True),
    "404 syncStateNotFound": (404, "syncStateNotFound", False),
}

ROUTES = [(re.compile(pattern), name) for pattern, name in (
    (r"/(?P<tenant>[^/]+)/oauth2/v2\.0/token", "token"),
    (r"/v1\.0/devices", "devices"),
    (r"/v1\.0/devices/(?:microsoft\.graph\.)?delta(?:\(\))?", "delta"),
    (r"/v1\.0/deviceManagement/managedDevices", "managedDevices"),
    (r"/v1\.0/deviceManagement/managedDevices/(?P<record>[^/]+)", "managedDevice"),
    (r"/v1\.0/deviceManagement/reports/exportJobs(?:\('(?P<job>[\w-]+)'\))?", "exports"),
    (r"/v1\.0/groups", "groups"),
    (r"/v1\.0/groups/(?P<group>[^/]+)/transitiveMembers/microsoft\.graph\.device", "members"),
    (r"/v1\.0/groups/(?P<group>[^/]+)/transitiveMembers/microsoft\.graph\.user", "userMembers"),
    (r"/v1\.0/users/(?:microsoft\.graph\.)?delta(?:\(\))?", "users"),
    (r"/v1\.0/groups/(?P<group>[^/]+)", "group"),
)] + graph_profiles.ROUTES + graph_applications.ROUTES


@dataclass
class Request:
    """One request as it came, and what became of it."""

    method: str
    target: str  # path and query, as they stood
    headers: dict
    at: float  # time.monotonic()
    body: bytes = b""
    route: str = None
    status: int = 0
    arguments: dict = field(default_factory=dict)
    client: tuple = None  # address of the connection that it came over

    @property
    def path(self):
        return self.target.split("?")[0]

    @property
    def query(self):
        pairs = urllib.parse.parse_qsl(self.target.partition("?")[2], keep_blank_values=True)
        return dict(pairs)


@dataclass
class Link:
    """What an opaque token in a link stands for."""

    route: str
    pages: list = None  # of the listing that it is in the middle of
    index: int = 0
    version: int = None  # journal position: of a round's start, or of a delta link
    select: frozenset = frozenset()
    generation: int = 0
    count: int = None


class BadRequest(Exception):
    """Carries the answer."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.answer = error(status, code, message)


# ---- connections ----


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60

    def answer_request(self):
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, time.monotonic(), self.rfile.read(length),
                          client=self.client_address)
        answer = self.server.answer(request)
        if answer.send:
            answer.send(self)
            return
        self.send_head(answer)
        if answer.chunked:
            for start in range(0, len(answer.body), 16000):
                piece = answer.body[start:start + 16000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.wfile.write(answer.body)
        self.wfile.flush()

    do_GET = do_POST = do_PATCH = do_HEAD = answer_request

    def send_head(self, answer):
        """chunked None: the body ends with the connection."""
        self.send_response(answer.status)
        headers = {"Cache-Control": "no-cache", "Content-Type": JSON, "Vary": "Accept-Encoding", "OData-Version": "4.0",
                   "request-id": secrets.token_hex(8), "Strict-Transport-Security": "max-age=31536000", **answer.headers}
        if answer.chunked is None:
            self.close_connection = True
        elif answer.chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(answer.body))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def hang_up(self):
        """Ends the connection without TLS's good-bye."""
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def log_message(self, *_):
        pass


class Listener:
    """Accepts connections on a loopback port and has each served by a thread of its own; ends at once."""

    def __init__(self, answer, context=None):
        self.answer, self.context = answer, context
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.visits = 0
        self._connections = set()
        self._thread = self.accept_at(self.socket)

    def accept_at(self, listening):
        """At another socket, too, such as one in the network of a container."""
        thread = threading.Thread(target=self._accept, args=(listening,), daemon=True)
        thread.start()
        return thread

    def _accept(self, listening):
        while True:
            try:
                connection, address = listening.accept()
            except OSError:
                return
            self.visits += 1
            self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection, address), daemon=True).start()

    def _serve(self, connection, address):
        plain = connection
        try:
            connection.settimeout(60)
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
                self._connections.discard(plain)
                self._connections.add(connection)
            Handler(connection, address, self)
        except (OSError, ValueError):
            pass  # whoever hangs up has a reason that the test knows
        finally:
            self._connections.discard(connection)
            connection.close()

    def close(self):
        for sock in [self.socket, *self._connections]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.socket.close()
        self._thread.join(10)


class Trap:
    """A port where nobody should come: counts the connections, whatever is spoken on them."""

    def __init__(self):
        self._listener = Listener(lambda request: told({"value": []}))
        self.port = self._listener.port

    @property
    def visits(self):
        return self._listener.visits

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()


_authorities = {}


def authority():
    """The CA of all fakes in this process and its server certificate: made once, files in a directory of their own."""
    if not _authorities:
        directory = tempfile.TemporaryDirectory(prefix="graph-ca-")
        long_ago = time.time() - 365 * 86400  # so that clients whose clock is behind take them
        ca = Authority("Graph test CA", not_before=long_ago)
        ca_file, _ = ca.write(directory.name, "ca")
        server = ca.issue(subject=[["CN", "localhost"]], server=True,
                          san=[{"dns": "localhost"}, {"dns": "*.blob.localhost"}, {"ip": "127.0.0.1"}], not_before=long_ago)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*server.write(directory.name, "server"))
        context.num_tickets = 0
        _authorities.update(directory=directory, ca=ca, ca_file=Path(ca_file), context=context)
    return _authorities


# ---- the service ----


class FakeGraph(Reports, graph_profiles.ProfileAnswers, graph_applications.Applications):
    """
    The service for one tenant. Change at any time: .habits (of delta rounds), .page_size (at most so many objects on a
    page of the other listings), .permissions, .tokens. `seed` decides all that is left to chance.
    """

    def __init__(self, tenant=None, seed=0, habits=None, page_size=1000):
        self.tenant = tenant or Tenant()
        self.people = People(self.tenant)
        self.rng = random.Random(f"graph {seed}")
        self.habits = habits or delta.Habits()
        self.page_size = page_size
        self.permissions = set(PERMISSIONS.values())
        self.tokens = Tokens(self.tenant.id, lambda: self.url, lambda: self.permissions, self.application_certificates)
        self.lists_ethernet = False  # whether listings tell it; documented is null, and a GET of the one record
        self.location_selects = True  # whether the Location of a 410 carries the $select of before
        self.requests, self.violations = [], []
        self.stopping = threading.Event()
        self.profiles, self._beta_links = None, {}  # a testenv.profiles.Profiles
        self._orders, self._links = [], {}
        self._generation, self._expiry = 0, None
        self._quiet_until = {}  # by connection: each is a conversation of its own
        self._lock = threading.Lock()
        self.start_applications()

    # -- life --

    def start(self):
        self._listener = Listener(self._answer, authority()["context"])
        self._imds = Listener(self._answer_imds)
        self.start_reports(lambda answer: Listener(answer, authority()["context"]))
        self.port = self._listener.port
        self.accept_at = self._listener.accept_at
        self.url = f"https://localhost:{self.port}"
        self.imds_url = f"http://127.0.0.1:{self._imds.port}"
        return self

    def stop(self):
        self.stopping.set()
        self._listener.close()
        self._imds.close()
        self.stop_reports()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def base(self):
        """What links begin with."""
        return self.url

    @property
    def ca_file(self):
        return authority()["ca_file"]

    @property
    def token_url(self):
        return f"{self.url}/{self.tenant.id}/oauth2/v2.0/token"

    # -- orders, records --

    def order(self, route, fault, times=1, skip=0):
        """The next `times` (None: all) answers on `route` ("*": any), after `skip` good ones, are `fault`'s."""
        self._orders.append({"route": route, "fault": fault, "times": times, "skip": skip})

    def behave(self):
        """Forgets all orders."""
        self._orders.clear()

    def expire_delta(self, form="410 Location"):
        """The delta links that are out lead to `form` of EXPIRIES from now on."""
        self._generation += 1
        self._expiry = form

    def asked(self, route, since=0):
        """The requests for a route, from request number `since` on."""
        return [request for request in self.requests[since:] if request.route == route]

    def _take_order(self, route):
        for order in self._orders:
            if order["route"] not in (route, "*") or order["times"] == 0:
                continue
            if order["skip"] > 0:
                order["skip"] -= 1
                continue
            if order["times"] is not None:
                order["times"] -= 1
            return order["fault"]
        return None

    # -- answering --

    def _answer(self, request):
        with self._lock:
            for pattern, route in ROUTES:
                found = pattern.fullmatch(urllib.parse.unquote(request.path))
                if found:
                    request.route, request.arguments = route, found.groupdict()
                    break
            self.requests.append(request)
            early = self._quiet_until.get(request.client, 0) - request.at
            if early > 0.001:
                self.violations.append(f"{request.target}: {early:.3f} s before Retry-After has passed")
            fault = self._take_order(request.route)
        answer = None
        if fault:
            answer = fault(self, request, lambda: self._proper(request))
        if answer is None:
            answer = self._proper(request)
        request.status = answer.status
        if answer.pause:
            self._quiet_until[request.client] = time.monotonic() + answer.pause
        return answer

    def _answer_imds(self, request):
        request.route = "imds"
        self.requests.append(request)
        if request.path != "/metadata/identity/oauth2/token":
            return Answer(404)
        fault = self._take_order("imds")
        proper = lambda: self.tokens.managed_identity(request.query, request.headers)  # noqa: E731
        answer = fault(self, request, proper) if fault else proper()
        request.status = answer.status
        return answer

    def _proper(self, request):
        with self._lock:
            try:
                if not self._admits(request):
                    return self._refused(request)
                verb = "get" if request.route == "token" else request.method.lower()
                return getattr(self, f"_{verb}_{request.route}")(request)
            except BadRequest as bad:
                return bad.answer

    def _admits(self, request):
        if request.route == "token":
            return request.method == "POST"
        if request.route in graph_applications.METHODS:
            return self.admits_application_request(request)
        if request.route is None or request.method not in _methods(request):
            return False
        return self._has_token(request) and self._permission(request) in self.permissions

    def _permission(self, request):
        return self.report_permission if request.method == "POST" else PERMISSIONS[request.route]

    def _has_token(self, request):
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme == "Bearer" and self.tokens.good(token)

    def _refused(self, request):
        if request.route is None:
            if request.path.startswith("/v1.0/") and not self._has_token(request):
                return graph_faults.recorded("401")(self, request, None)
            segment = request.path.rsplit("/", 1)[-1]
            return error(400, "BadRequest", f"Resource not found for the segment '{segment}'.")
        if request.method not in _methods(request):
            return error(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        if not self._has_token(request):
            return graph_faults.recorded("401")(self, request, None)
        intune = request.route in ("managedDevices", "managedDevice", "exports")
        return graph_faults.recorded("403 Intune" if intune else "403")(self, request, None)

    def _get_token(self, request):
        if "authorization" in request.headers:
            self.violations.append("an access token was sent to the token endpoint")
        form = dict(urllib.parse.parse_qsl(request.body.decode("ascii", "replace")))
        if form.get("grant_type") == graph_applications.DEVICE_CODE:
            return self.sign_in_token(form)
        return self.tokens.answer(request.arguments["tenant"], f"{self.url}{request.path}", request.body)

    # -- listings --

    def _get_devices(self, request):
        def objects(query, select):
            devices = _filtered(self.tenant.devices.values(), query.get("$filter"), ("deviceId", "displayName", "id"))
            return [_selected(device, select, NEW_DEVICE, HIDDEN) for device in devices]
        counts = "eventual" in request.headers.get("consistencylevel", "")
        return self._listing(request, "devices", NEW_DEVICE, objects, 999, 100, counts)

    def _get_managedDevices(self, request):
        if not self.tenant.intune:
            raise BadRequest("BadRequest", "Request not applicable to target tenant.")

        def objects(query, select):
            records = _filtered(self.tenant.records.values(), query.get("$filter"),
                                ("azureADDeviceId", "deviceName", "id"))
            unlisted = {} if self.lists_ethernet else {"ethernetMacAddress": None}
            return [_selected({**record, **unlisted}, select, NEW_RECORD) for record in records]
        # Intune counts without being asked, and nobody documents what: here it is the page.
        return self._listing(request, "deviceManagement/managedDevices", NEW_RECORD, objects, 1000, 1000, "page")

    def _get_managedDevice(self, request):
        wanted = request.arguments["record"].lower()
        if not self.tenant.intune:
            raise BadRequest("BadRequest", "Request not applicable to target tenant.")
        _check_options(request.query, {"$select"})
        if wanted not in self.tenant.records:
            raise BadRequest("ResourceNotFound", f"Device {wanted} not found", 404)
        select = _select(request.query.get("$select"), NEW_RECORD, "microsoft.graph.managedDevice")
        context = f"{self.base}/v1.0/$metadata#deviceManagement/managedDevices/$entity"
        return told({"@odata.context": context, **_selected(self.tenant.records[wanted], select, NEW_RECORD)})

    def _get_groups(self, request):
        def objects(query, select):
            groups = _filtered(self.tenant.groups.values(), query.get("$filter"), ("displayName", "id"))
            return [_selected(group, select, NEW_GROUP) for group in groups]
        return self._listing(request, "groups", NEW_GROUP, objects, 999, 100, False)

    def _get_group(self, request):
        group = self._group(request)
        _check_options(request.query, {"$select"})
        select = _select(request.query.get("$select"), NEW_GROUP, "microsoft.graph.group")
        context = f"{self.base}/v1.0/$metadata#groups/$entity"
        return told({"@odata.context": context, **_selected(group, select, NEW_GROUP)})

    def _group(self, request):
        wanted = request.arguments["group"].lower()
        if wanted not in self.tenant.groups:
            raise BadRequest("Request_ResourceNotFound", f"Resource '{wanted}' does not exist or one of its queried "
                             "reference-property objects are not present.", 404)
        return self.tenant.groups[wanted]

    def _get_members(self, request):
        group = self._group(request)
        self._check_advanced(request)

        def objects(query, select):
            devices = sorted(self.tenant.devices_in(group["id"]))
            return [_selected(self.tenant.devices[device], select, NEW_DEVICE, HIDDEN) for device in devices]
        return self._listing(request, "devices", NEW_DEVICE, objects, 999, 100, True)

    def _get_userMembers(self, request):
        group = self._group(request)
        self._check_advanced(request)

        def objects(query, select):
            return [_selected(self.people.devices[user], select or USUAL, NEW_USER)
                    for user in sorted(self.people.members_of(group["id"]))]
        return self._listing(request, "users", NEW_USER, objects, 999, 100, True)

    def _check_advanced(self, request):
        """An OData cast is an advanced query: header and $count on every page (aad-advanced-queries)."""
        query = request.query
        if request.headers.get("consistencylevel", "").lower() != "eventual" or (
                "$skiptoken" not in query and query.get("$count") != "true"):
            raise BadRequest("Request_UnsupportedQuery", "A query of this kind needs the header ConsistencyLevel: "
                             "eventual and $count=true.")

    def _listing(self, request, context, known, objects, top_limit, top_usual, counts):
        """Makes the pages of a listing at its first request; later ones come by the token of their link."""
        query = request.query
        if "$skiptoken" in query:
            return self._page(request, self._link(request, "$skiptoken"), context)
        _check_options(query, {"$select", "$filter", "$top", "$count"})
        kind = {"managedDevices": "managedDevice", "groups": "group", "userMembers": "user"}.get(request.route, "device")
        select = _select(query.get("$select"), known, f"microsoft.graph.{kind}")
        found = objects(query, select)
        size = min(self.page_size, _top(query.get("$top"), top_limit, top_usual))
        pages = [found[start:start + size] for start in range(0, len(found), size)] or [[]]
        link = Link(request.route, pages, select=frozenset(select))
        if counts == "page" or (counts and query.get("$count") == "true"):
            link.count = -1 if counts == "page" else len(found)
        return self._page(request, link, context)

    def _page(self, request, link, context):
        page = {"@odata.context": f"{self.base}/v1.0/$metadata#{context}"}
        objects = link.pages[link.index]
        if link.count is not None and (link.count < 0 or link.index == 0):
            page["@odata.count"] = link.count if link.count >= 0 else len(objects)
        if link.index + 1 < len(link.pages):
            page["@odata.nextLink"] = self._issue(request, "$skiptoken", replace(link, index=link.index + 1))
        elif link.route in DELTAS:
            end = Link(link.route, version=link.version, select=link.select, generation=self._generation)
            page["@odata.deltaLink"] = self._issue(request, "$deltatoken", end)
        page["value"] = objects
        return told(page, chunked=self.rng.random() < 0.5)

    def _issue(self, request, kind, link):
        """A link that cannot be taken apart, and that shows it when it was decoded and encoded again."""
        token = base64.urlsafe_b64encode(self.rng.randbytes(self.rng.choice((18, 90, 1200)))).decode().rstrip("=")
        target = f"{request.path}?{kind}={token}%3d%27"
        if kind == "$skiptoken" and request.route not in DELTAS and "$top" in request.query:
            target = f"{request.path}?$top={request.query['$top']}&{kind}={token}%3d%27"
        self._links[token + "='"] = (target, link)
        return self.base + target

    def _link(self, request, kind):
        target, link = self._links.get(request.query[kind], (None, None))
        if target != request.target:
            self.violations.append(f"{request.target}: is not a link that was given")
            raise BadRequest("BadRequest", f"Invalid value for {kind}: the token is not valid.")
        return link

    # -- delta --

    def _get_delta(self, request):
        return self._delta(request, "devices", NEW_DEVICE, set(NEW_DEVICE) - HIDDEN)

    def _get_users(self, request):
        return self._delta(request, "users", NEW_USER, USUAL)

    def _delta(self, request, context, known, usual):
        query = request.query
        if "$skiptoken" in query:
            return self._page(request, self._link(request, "$skiptoken"), context)
        if query.get("$deltatoken"):
            link = self._link(request, "$deltatoken")
            if link.generation < self._generation:
                return self._expired(link)
            return self._round(request, context, link.version, link.select)
        _check_options(query, {"$select", "$deltatoken"})
        select = _select(query.get("$select"), known, f"microsoft.graph.{context[:-1]}") or usual
        return self._round(request, context, None, frozenset(select))

    def _round(self, request, context, since, select):
        of = self.people if request.route == "users" else self.tenant
        pages = delta.round_of(of, since, set(select), self.rng, self.habits)
        link = Link(request.route, pages, version=of.version, select=select, generation=self._generation)
        return self._page(request, link, context)

    def _expired(self, link):
        status, code, with_location = EXPIRIES[self._expiry]
        code = self.rng.choice((code, code.lower(), code.upper(), code[:1].upper() + code[1:]))
        answer = error(status, code, "The sync state generation is not found; generation=149;[highest=157][157][155].")
        if with_location:
            # The first request again, with an empty $deltatoken.
            select = f"$select={','.join(sorted(link.select))}&" if self.location_selects else ""
            answer.headers["Location"] = f"{self.base}/v1.0/{'users' if link.route == 'users' else 'devices'}/delta?{select}$deltatoken="
        return answer


def _methods(request):
    if request.route in graph_applications.METHODS:
        return graph_applications.METHODS[request.route]
    if request.route == "exports":
        return ("GET",) if request.arguments["job"] else ("POST",)
    return ("POST",) if request.route == "token" else ("GET",)


# ---- OData ----


def _check_options(query, supported):
    for name in query:
        if name not in supported:
            code = "Request_BadRequest" if name == "$skip" else "BadRequest"
            raise BadRequest(code, f"'{name}' is not supported by the service.")


def _select(text, known, kind):
    names = [name.strip() for name in text.split(",")] if text else []
    for name in names:
        if name not in known:
            raise BadRequest("BadRequest", "Parsing OData Select and Expand failed: Could not find a property named "
                             f"'{name}' on type '{kind}'.")
    return set(names)


def _selected(properties, select, known, hidden=frozenset()):
    """All properties, or the selected ones. Directory objects have their id only when it is selected, too."""
    names = select or set(known) - hidden
    return {name: value for name, value in properties.items() if name in names}


def _top(text, limit, usual):
    if text is None:
        return usual
    if not text.isdigit() or not 1 <= int(text) <= limit:
        raise BadRequest("Request_UnsupportedQuery", f"Invalid page size specified: '{text}'. Must be between 1 and "
                         f"{limit} inclusive.")
    return int(text)


def _filtered(objects, text, properties):
    """The forms of $filter that are spoken here: name eq 'value', quotes in the value doubled; up to 15 of them joined by or."""
    if text is None:
        return list(objects)
    clauses = [re.fullmatch(r"(\w+) eq '((?:[^']|'')*)'", clause) for clause in text.split(" or ")]
    if not all(clauses) or {found[1] for found in clauses} - set(properties):
        raise BadRequest("Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified.")
    if len(clauses) > 15:
        raise BadRequest("Request_UnsupportedQuery", "Too many child clauses specified in search filter expression containing "
                         f"'OR' operators: {len(clauses)}. Max allowed: 15.")
    wanted = {(found[1], found[2].replace("''", "'").lower()) for found in clauses}
    return [one for one in objects if any((name, (one[name] or "").lower()) in wanted for name in properties)]


# ---- by hand ----


def main():
    parser = argparse.ArgumentParser(description="serve a fake Graph: until standard input ends, and say where on "
                                     "standard output; or while a command runs, which is told in GRAPH_FAKE")
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--page-size", type=int, default=1000)
    parser.add_argument("--throttle", type=int, default=0, metavar="N", help="answer 429 at every Nth request")
    parser.add_argument("command", nargs="*")
    arguments = parser.parse_args()
    tenant = Tenant(arguments.seed, arguments.devices, groups=("Wi-Fi staff",))
    habits = delta.Habits(page_size=min(200, arguments.page_size))
    graph = FakeGraph(tenant, arguments.seed, habits, arguments.page_size)
    if arguments.throttle:
        graph.order("*", graph_faults.every(arguments.throttle, graph_faults.throttled("1")), times=None)
    with graph:
        about = json.dumps({"graph": graph.url, "token": graph.token_url, "ca": str(graph.ca_file), "tenant": tenant.id,
                            "client": graph.tokens.client_id, "secret": next(iter(graph.tokens.secrets)),
                            "imds": graph.imds_url, "devices": len(tenant.devices), "records": len(tenant.records),
                            "members": {group: len(tenant.devices_in(group)) for group in tenant.groups}})
        if arguments.command:
            env = {**os.environ, "GRAPH_FAKE": about, "NODE_EXTRA_CA_CERTS": str(graph.ca_file)}
            code = subprocess.run(arguments.command, env=env, check=False).returncode
        else:
            print(about, flush=True)
            sys.stdin.read()
            code = 0
    for violation in graph.violations:
        print(f"violation: {violation}", file=sys.stderr)
    return code or bool(graph.violations)


if __name__ == "__main__":
    sys.exit(main())
