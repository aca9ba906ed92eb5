#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Serves the pages that pages.py wrote, over https on loopback, and hands out a token for them. Fast and friendly: no
throttling, no errors; that a sync stands those is for the tests.

A delta link gives one page: the objects in DIRECTORY/delta ('"value":[..]}') if that file is there, else none.

usage: page_server.py DIRECTORY        writes DIRECTORY/ca.pem, then prints its port
"""

import json
import os
import re
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from testenv.certificates import Authority  # noqa: E402

TOKEN = "ey" + "Jhbd0" * 300  # as long as the real ones
STATE = "x9Kp2Lq7" * 50  # so are the links
FIRST = {"/v1.0/devices/delta": "devices", "/v1.0/deviceManagement/managedDevices": "managedDevices"}


class Pages:
    def __init__(self, directory):
        self.directory = directory
        self.offsets = json.loads((directory / "index.json").read_text())
        self.files = {name: os.open(directory / name, os.O_RDONLY) for name in self.offsets}
        self.base = None

    def page(self, path, query):
        """The body of an answer, or None."""
        name = FIRST.get(path)
        if name is None:
            return None
        if "deltatoken=" in query and name == "devices":
            return self._delta(path)
        skip = re.search(r"skiptoken=(\d+)\.", query)
        number = int(skip[1]) if skip else 0
        offsets = self.offsets[name]
        if number + 2 < len(offsets):
            link = f'"@odata.nextLink":"{self.base}{path}?$skiptoken={number + 1}.{STATE}",'
        elif name == "devices":
            link = f'"@odata.deltaLink":"{self.base}{path}?$deltatoken=1.{STATE}",'
        else:
            link = ""
        begin, end = offsets[number:number + 2]
        return self._head(name, link) + os.pread(self.files[name], end - begin, begin)

    def _head(self, name, link):
        return f'{{"@odata.context":"{self.base}/v1.0/$metadata#{name}",{link}'.encode()

    def _delta(self, path):
        delta = self.directory / "delta"
        objects = delta.read_bytes() if delta.exists() else b'"value":[]}'
        return self._head("devices", f'"@odata.deltaLink":"{self.base}{path}?$deltatoken=2.{STATE}",') + objects


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    pages = None

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, json.dumps({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599,
                                      "access_token": TOKEN}).encode())

    def do_GET(self):
        if self.headers["Authorization"] != "Bearer " + TOKEN:
            return self._answer(401, b'{"error":{"code":"InvalidAuthenticationToken","message":"No such token."}}')
        path, _, query = self.path.partition("?")
        body = self.pages.page(path, query)
        if body is None:
            return self._answer(404, b'{"error":{"code":"Request_ResourceNotFound","message":"No such page."}}')
        return self._answer(200, body)

    def _answer(self, status, body):
        head = (f"HTTP/1.1 {status} -\r\nContent-Type: application/json;odata.metadata=minimal;charset=utf-8\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        self.wfile.write(head.encode() + body)


def main():
    directory = Path(sys.argv[1])
    authority = Authority("certdir bench CA")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(subject=[["CN", "localhost"]], san=[{"dns": "localhost"}], server=True)
                            .write(directory, "server"))
    (directory / "ca.pem").write_text(authority.pem)
    Handler.pages = Pages(directory)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    # Each connection's own thread does its handshake.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    Handler.pages.base = f"https://localhost:{server.server_port}"
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
