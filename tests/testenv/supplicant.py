# SPDX-License-Identifier: GPL-2.0-or-later
"""The other end of the wire: eapol_test for EAP-TLS logins, radclient for plain requests."""

import os
import re
import select
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

NETWORK = """\
network={{
	key_mgmt=IEEE8021X
	eap={eap}
	identity={identity}
	ca_cert="{ca}"
	{credentials}
	eapol_flags=0
	phase1="{phase1}"
}}
"""
_CERTIFICATE = 'client_cert{n}="{certificate}"\n\tprivate_key{n}="{key}"'
# What a login's `method` says: the outer EAP method, and what stands for the device. In a tunnel the certificate is shown inside.
METHODS = {
    "tls": ("TLS", _CERTIFICATE.replace("{n}", "")),
    "peap-tls": ("PEAP", 'phase2="auth=TLS {phase1}"\n\tca_cert2="{ca}"\n\t' + _CERTIFICATE.replace("{n}", "2")),
    "ttls-tls": ("TTLS", 'phase2="autheap=TLS {phase1}"\n\tca_cert2="{ca}"\n\t' + _CERTIFICATE.replace("{n}", "2")),
    "ttls-pap": ("TTLS", 'phase2="auth=PAP"\n\tpassword="anything"'),
}
PHASE1 = {"1.2": "tls_disable_tlsv1_3=1", "1.3": "tls_disable_tlsv1_3=0"}

# Texts and integers among the attributes that come as raw bytes in eapol_test's output, and integers that it writes in decimal.
_TEXTS = {"Tunnel-Private-Group-Id", "Reply-Message", "Class", "User-Name"}
_NUMBERS = {"Tunnel-Type": 16, "Tunnel-Medium-Type": 16, "Session-Timeout": 10, "Termination-Action": 10}


@dataclass
class Attempt:
    """One login: what RADIUS and EAP said, and the attributes of the final reply."""

    accepted: bool
    eap: str  # "success", "failure" or "none"
    resumed: bool
    attributes: dict = field(default_factory=dict)

    def one(self, name):
        values = self.attributes.get(name, [])
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def vlan(self):
        return self.one("Tunnel-Private-Group-Id")


class NoAnswer(AssertionError):
    """A login did not come to an end; carries what eapol_test said."""


def network_text(identity, certificate, key, ca, tls, method):
    eap, credentials = METHODS[method]
    # Bare hex is how wpa_supplicant's files write any bytes.
    return NETWORK.format(eap=eap, identity=identity.encode().hex(), ca=ca, phase1=PHASE1[tls],
                          credentials=credentials.format(ca=ca, certificate=certificate, key=key, phase1=PHASE1[tls]))


def _command(configuration, port, secret, logins, timeout, mac):
    return ["eapol_test", "-c", str(configuration), "-a", "127.0.0.1", "-A", "127.0.0.1", "-p", str(port),
            "-s", secret, "-r", str(logins - 1), "-t", str(int(timeout)), "-M", mac]


class Login:
    """
    One run of eapol_test, started at once: `logins` logins one after the other with the same certificate, resuming the
    TLS session when the server lets it. `method` is one of METHODS; `network`: the text of a network of one's own. finish()
    gives an Attempt for each; it ends at the first one refused.
    """

    def __init__(self, server, certificate, key, ca, identity="host/test", tls="1.2", logins=1, timeout=20, port=None,
                 mac="02:00:00:00:00:01", method="tls", network=None):
        self._directory = tempfile.TemporaryDirectory(prefix="eapol-")
        configuration = Path(self._directory.name) / "network.conf"
        configuration.write_text(network or network_text(identity, certificate, key, ca, tls, method))
        self._timeout = timeout
        # Into a file: its output is long, and nobody reads a pipe while several of these run.
        self._output = open(Path(self._directory.name) / "output", "w+b")
        command = _command(configuration, port or server.port, server.secret, logins, timeout, mac)
        self._process = subprocess.Popen(command, stdout=self._output, stderr=subprocess.STDOUT,
                                         stdin=subprocess.DEVNULL)

    def finish(self):
        try:
            self._process.wait(self._timeout + 10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.seek(0)
        self.output = self._output.read().decode(errors="replace")
        self._output.close()
        self._directory.cleanup()
        attempts = parse_attempts(self.output)
        if not attempts or attempts[-1] is None:
            raise NoAnswer(f"a login without an end:\n{self.output[-3000:]}")
        return attempts


def login(server, certificate, key, ca, **options):
    """Runs logins to their end: the Attempts. See Login for the options."""
    return Login(server, certificate, key, ca, **options).finish()


def login_with_pause(server, certificate, key, ca, between, second_server=None, **options):
    """
    Logs in twice with one TLS session. Before the second login's first packet goes to the server, `between` is called;
    with `second_server` the second login goes there. Returns the Attempts.
    """
    gate = Gate(server.port, between, second_server.port if second_server else None)
    with gate:
        attempts = login(server, certificate, key, ca, logins=2, port=gate.port, timeout=options.pop("timeout", 40),
                         **options)
    if gate.error:
        raise gate.error
    return attempts


class Gate:
    """A UDP relay before radiusd that stops at the second login's first packet until a function has run, and keeps all packets."""

    def __init__(self, target, between, second_target=None):
        self._target, self._between, self._second_target = target, between, second_target
        self._outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._outside.bind(("127.0.0.1", 0))
        self._inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._inside.bind(("127.0.0.1", 0))
        self._stop_reader, self._stop_writer = os.pipe()
        self._thread = threading.Thread(target=self._relay, daemon=True)
        self._logins = 0
        self._last_first = None
        self.requests, self.replies = [], []
        self.error = None
        self.port = self._outside.getsockname()[1]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        os.close(self._stop_writer)
        self._thread.join()
        os.close(self._stop_reader)
        self._outside.close()
        self._inside.close()

    def _relay(self):
        client = None
        while True:
            ready, _, _ = select.select([self._outside, self._inside, self._stop_reader], [], [])
            if self._stop_reader in ready:
                return
            if self._inside in ready:
                packet = self._inside.recv(65536)
                self.replies.append(packet)
                self._outside.sendto(packet, client)
            if self._outside in ready:
                packet, client = self._outside.recvfrom(65536)
                self.requests.append(packet)
                self._pass_gate(packet)
                self._inside.sendto(packet, ("127.0.0.1", self._target))

    def _pass_gate(self, packet):
        if _has_state(packet) or packet == self._last_first:
            return
        self._last_first = packet
        self._logins += 1
        try:
            self._begin(self._logins)
        except Exception as error:  # the thread has nobody else to tell
            self.error = error

    def _begin(self, number):
        if number == 2:
            try:
                self._between()
            finally:
                self._target = self._second_target or self._target


def _has_state(packet):
    """True when a RADIUS packet carries a State (RFC 2865 5.24): it is not the first one of a login."""
    position = 20
    while position + 2 <= len(packet):
        if packet[position] == 24:
            return True
        position += max(packet[position + 1], 2)
    return False


# ---- eapol_test's output ----

_REPLY = re.compile(r"^RADIUS message: code=(\d+) \(([\w-]+)\)")
_ATTRIBUTE = re.compile(r"^   Attribute \d+ \(([^)]*)\) length=\d+")
_VALUE = re.compile(r"^      (?:Invalid )?[Vv]alue: (.*)$")


def parse_attempts(output):
    """An Attempt for each final reply in eapol_test's output; a last None when a login came to no end."""
    attempts, current, resumed, name, attributes, received = [], None, False, None, {}, False
    for line in output.splitlines():
        if line.startswith("Received ") and "RADIUS" in line:
            received = True
        elif match := _REPLY.match(line):
            name = None
            attributes = {}
            current = None
            if received and match[1] in ("2", "3"):
                current = Attempt(match[1] == "2", "none", resumed, attributes)
                attempts.append(current)
                resumed = False
            received = False
        elif match := _ATTRIBUTE.match(line):
            name = match[1]
        elif name and (match := _VALUE.match(line)):
            attributes.setdefault(name, []).append(_value(name, match[1]))
            name = None
        elif line.startswith("decapsulated EAP packet") and attempts:
            attempts[-1].eap = "success" if "code=3" in line else "failure" if "code=4" in line else attempts[-1].eap
        elif "Handshake finished - resumed=1" in line:
            resumed = True
        elif "Triggering EAP reauthentication" in line:
            resumed = False
    if "EAPOL test timed out" in output or not attempts:
        attempts.append(None)
    return attempts


def _value(name, text):
    if name in _NUMBERS:
        return int(text, _NUMBERS[name])
    if text.startswith("'") and text.endswith("'"):
        return text[1:-1]
    if name in _TEXTS:
        content = bytes.fromhex(text)
        # RFC 2868: a first byte up to 0x1F is a tag.
        return content.lstrip(bytes(range(0x20))).decode(errors="replace") if name.startswith("Tunnel") \
            else content.decode(errors="replace")
    return text


# ---- radclient ----


@dataclass
class Reply:
    code: str  # "Access-Accept", "Access-Reject", ..
    attributes: dict
    output: str


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def radclient(server, attributes, kind="auth", timeout=5):
    """Sends one request, attributes as {"User-Name": "x", "Class": ["y", "z"]} or text lines; the Reply."""
    lines = attributes if isinstance(attributes, str) else "\n".join(
        f"{name} = {value if isinstance(value, int) else _quoted(value)}"
        for name, values in attributes.items() for value in (values if isinstance(values, list) else [values]))
    done = subprocess.run(["radclient", "-x", "-r", "1", "-t", str(timeout), f"127.0.0.1:{server.port}", kind,
                           server.secret], input=lines, capture_output=True, text=True, timeout=timeout + 10,
                          check=False)
    received = re.search(r"^Received (\S+) Id", done.stdout, re.MULTILINE)
    if not received:
        raise NoAnswer(f"radclient got no answer:\n{done.stdout}{done.stderr}")
    found = {}
    for name, value in re.findall(r"^\t([\w-]+)(?::\d+)? = (.*)$", done.stdout[received.end():], re.MULTILINE):
        found.setdefault(name, []).append(value.strip('"'))
    return Reply(received[1], found, done.stdout)


def wait_until(condition, timeout=10, what="the condition"):
    """Polls until `condition()` is true and returns its value."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {timeout} s")
        time.sleep(0.02)
    return value
