# SPDX-License-Identifier: GPL-2.0-or-later
"""
How Graph misbehaves, to order: each function here gives a fault for FakeGraph.order(). A fault is called with the
server, the request and a function that makes the proper answer, and gives the answer that is sent instead.

The codes and shapes of errors are those that people reported of the real service.
"""

import gzip as gzip_format
import itertools
import json
import socket
import struct
import time
from dataclasses import dataclass, field
from email.utils import formatdate


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    chunked: bool = False
    send: object = None  # instead of the usual way: called with the connection's handler
    pause: float = 0  # seconds for which the client was told to keep quiet; None = not told

    @property
    def json(self):
        return json.loads(self.body)


def told(content, status=200, **more):
    """An answer with a JSON body."""
    return Answer(status, json.dumps(content, ensure_ascii=False).encode(), **more)


def error(status, code, message, inner="innerError", **more):
    request = "11111111-2222-4333-8444-555555555555"
    about = {"date": "2024-01-29T13:43:35", "request-id": request, "client-request-id": request}
    return told({"error": {"code": code, "message": message, inner: about}}, status, **more)


def _intune_message(code):
    """Intune's errors come through Graph as JSON in JSON in a text."""
    text = ("An error has occurred - Operation ID (for customer support): 0 - Url: https://fef.example.manage.microsoft.com"
            "/DeviceFE/deviceManagement/managedDevices?$skiptoken=LastDeviceName%3d%27PC%27")
    deeper = json.dumps({"_version": 3, "Message": text, "CustomApiErrorPhrase": "", "RetryAfter": None,
                         "HttpHeaders": "{}"}, indent=2)
    return json.dumps({"ErrorCode": code, "Message": deeper} if code else {"Message": deeper})


def _always(make):
    return lambda server, request, proper: make()


# Name -> the fault, for tests that go through all of them. {status, retry or not} is the caller's to know.
RECORDED = {
    "429 short": _always(lambda: error(429, "TooManyRequests", "Too many requests.", headers={"Retry-After": "1"},
                                       pause=1)),
    "429 busy": _always(lambda: error(429, "TooManyRequests", "The server is busy. Please try again later.",
                                      headers={"Retry-After": "0.249"}, pause=0.249)),
    "429 nested": _always(lambda: told({"error": {
        "code": "TooManyRequests", "message": "Please retry again later.", "innerError": {
            "code": "429", "status": "429", "message": "Please retry after", "date": "2020-08-18T12:51:51"}}}, 429,
        headers={"Retry-After": "0.128"}, pause=0.128)),
    "503": _always(lambda: error(503, "ServiceUnavailable", "The service is temporarily unavailable.", pause=None)),
    "504 empty": _always(lambda: error(504, "UnknownError", "", pause=None)),
    "504 Intune": _always(lambda: error(504, "UnknownError", _intune_message(None), pause=None)),
    "401": _always(lambda: error(
        401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.", headers={
            "WWW-Authenticate": 'Bearer realm="", client_id="00000003-0000-0000-c000-000000000000"'})),
    "401 lifetime": _always(lambda: error(401, "InvalidAuthenticationToken",
                                          "Lifetime validation failed, the token is expired.")),
    "403": _always(lambda: error(403, "Authorization_RequestDenied",
                                 "Insufficient privileges to complete the operation.")),
    "403 Intune": _always(lambda: error(403, "Forbidden", _intune_message("Forbidden"))),
    "400 Directory_ExpiredPageToken": _always(lambda: error(
        400, "Directory_ExpiredPageToken",
        "The specified page token value has expired and can no longer be included in your request.")),
    "400 segment": _always(lambda: error(400, "BadRequest",
                                         "Resource not found for the segment 'devices?$skiptoken=TOKEN'.")),
    "400 $skip": _always(lambda: error(400, "Request_BadRequest", "'$skip' is not supported by the service.")),
    "400 tenant": _always(lambda: error(400, "BadRequest", "Request not applicable to target tenant.")),
    "500": _always(lambda: error(500, "generalException", "An unspecified error has occurred.")),
}


def recorded(name):
    return RECORDED[name]


# ---- throttling, outages ----


def _retry(status, code, retry_after, pause):
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return error(status, code, "Please retry again later.", headers=headers, pause=pause)


def throttled(retry_after="1", status=429):
    """Retry-After as it is given: a number of seconds, whole or not, or None."""
    code = {429: "TooManyRequests", 503: "serviceNotAvailable", 504: "UnknownError"}[status]
    return _always(lambda: _retry(status, code, retry_after, float(retry_after) if retry_after is not None else None))


def throttled_until(seconds):
    """Retry-After is a date (RFC 9110 10.2.3), that many seconds ahead; a date has no fractions."""
    def fault(server, request, proper):
        until = int(time.time() + seconds)
        return _retry(429, "TooManyRequests", formatdate(until, usegmt=True), max(0, until - time.time()))
    return fault


def retry_after_on_success(seconds=1209600):
    """A good answer that has a Retry-After, which means nothing."""
    def fault(server, request, proper):
        answer = proper()
        answer.headers["Retry-After"] = str(seconds)
        return answer
    return fault


def every(number, fault):
    """Every so manyth answer is a fault's; order it with times=None."""
    counts = itertools.count(1)
    return lambda server, request, proper: fault(server, request, proper) if next(counts) % number == 0 else None


def slow(seconds):
    def fault(server, request, proper):
        server.stopping.wait(seconds)
        return proper()
    return fault


# ---- broken connections and endless bodies ----


def cut(share=0.5, chunked=False, reset=False):
    """The connection ends in the middle of the body, whose length was told (or in the middle of its chunks)."""
    def fault(server, request, proper):
        answer = proper()
        part = answer.body[:int(len(answer.body) * share)]

        def send(handler):
            answer.chunked = chunked
            handler.send_head(answer)
            if chunked:
                part_sent = b"%x\r\n%s" % (len(answer.body), part)
            else:
                part_sent = part
            handler.wfile.write(part_sent)
            handler.wfile.flush()
            if reset:
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.hang_up()
        return Answer(answer.status, send=send)
    return fault


def no_answer():
    """The connection ends before there is any answer."""
    return _always(lambda: Answer(send=lambda handler: handler.hang_up()))


def _endless(head, piece, pause):
    def fault(server, request, proper):
        def send(handler):
            handler.send_head(Answer(200, headers={"Connection": "close"}, chunked=None))
            handler.wfile.write(head)
            handler.wfile.flush()
            while not server.stopping.wait(pause):
                handler.wfile.write(piece)
                handler.wfile.flush()
            handler.hang_up()
        return Answer(200, send=send)
    return fault


def trickle(pause=0.02):
    """A body that goes on and on, a blank at a time."""
    return _endless(b'{"value":[', b" ", pause)


def huge():
    """A body that goes on and on, as fast as it can."""
    return _endless(b'{"value":[', b'{"id":"11111111-2222-4333-8444-555555555555","x":"' + b"x" * 65536 + b'"},', 0)


def huge_value():
    """The same in one value: whoever keeps it whole has no memory left."""
    return _endless(b'{"value":[{"displayName":"', b"x" * 65536, 0)


def gzipped():
    """Compressed, if the client wants that."""
    def fault(server, request, proper):
        answer = proper()
        if "gzip" in request.headers.get("accept-encoding", ""):
            answer.body = gzip_format.compress(answer.body, 1)
            answer.headers["Content-Encoding"] = "gzip"
        return answer
    return fault


def bomb(size=1 << 28):
    """A few hundred KiB that unpack to `size` bytes, though nobody asked for it."""
    def fault(server, request, proper):
        packer = gzip_format.zlib.compressobj(9, gzip_format.zlib.DEFLATED, 31)
        piece = b" " * (1 << 20)
        packed = [packer.compress(b'{"value":['), *(packer.compress(piece) for _ in range(size >> 20)), packer.flush()]
        return Answer(200, b"".join(packed), {"Content-Encoding": "gzip"})
    return fault


# ---- lies ----


def _changed(change):
    """The proper page, changed; an answer that is no page stays as it is."""
    def fault(server, request, proper):
        answer = proper()
        if answer.status != 200:
            return answer
        page = answer.json
        change(server, request, page)
        return told(page, headers=answer.headers, chunked=answer.chunked)
    return fault


def not_json(text="<html><body>Sign in to the hotel's network</body></html>"):
    return _always(lambda: Answer(200, text.encode(), {"Content-Type": "text/html"}))


def empty_body():
    return _always(Answer)


def no_value():
    return _changed(lambda server, request, page: page.pop("value", None))


def no_link():
    """The last page's or the first page's link is not there: the listing seems to end here."""
    def change(server, request, page):
        page.pop("@odata.nextLink", None)
        page.pop("@odata.deltaLink", None)
    return _changed(change)


def same_link():
    """The next page is this page."""
    def change(server, request, page):
        page.pop("@odata.deltaLink", None)
        page["@odata.nextLink"] = server.base + request.target
    return _changed(change)


def next_link(make):
    """The next page is where make(its true or likely address) says."""
    def change(server, request, page):
        page["@odata.nextLink"] = make(page.get("@odata.nextLink") or server.base + request.target + "&x=1")
        page.pop("@odata.deltaLink", None)
    return _changed(change)


def delta_link(make):
    def change(server, request, page):
        if "@odata.deltaLink" in page:
            page["@odata.deltaLink"] = make(page["@odata.deltaLink"])
    return _changed(change)


def short(share=0.5):
    """Status 200, but only the first part of this page, and no further ones."""
    def change(server, request, page):
        page["value"] = page["value"][:int(len(page["value"]) * share)]
        page.pop("@odata.nextLink", None)
        page.pop("@odata.count", None)
    return _changed(change)


def redirect(to, status=302):
    """`to` is an address, or a function of the server."""
    return lambda server, request, proper: Answer(status, headers={"Location": to(server) if callable(to) else to})
