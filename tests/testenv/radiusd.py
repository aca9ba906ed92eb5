# SPDX-License-Identifier: GPL-2.0-or-later
"""A real radiusd on loopback with a small raddb of its own, and the reading of what it logs."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from testenv.ports import free_port

REPO = Path(__file__).resolve().parents[2]
SNIPPETS = REPO / "raddb-snippets"
BUILD = Path(os.environ.get("CERTDIR_BUILD", REPO / "build"))
SECRET = "testing123"
# The distribution's server, or the one that the module was built for with the same variable.
PREFIX = os.environ.get("FREERADIUS_PREFIX")
RADIUSD = f"{PREFIX}/sbin/radiusd" if PREFIX else "freeradius"
SYSTEM_LIBDIR = f"{PREFIX}/lib" if PREFIX else "/usr/lib/freeradius"

RCODES = ("reject", "fail", "ok", "handled", "invalid", "userlock", "notfound", "noop", "updated")

RADIUSD_CONF = """\
prefix = /usr
name = radiusd
raddbdir = "{raddb}"
confdir = "{raddb}"
modconfdir = "{raddb}/mods-config"
run_dir = "{run}"
logdir = "{run}"
certdir = "{raddb}/certs"
cadir = "{raddb}/certs"
libdir = "{libdir}"
pidfile = "{run}/radiusd.pid"
max_request_time = {max_request_time}
cleanup_delay = 2
max_requests = 16384
hostname_lookups = no
proxy_requests = no
log {{
	destination = stdout
	auth = no
}}
security {{
	allow_core_dumps = no
	max_attributes = 200
	reject_delay = 0
	status_server = yes
}}
thread pool {{
	start_servers = {threads}
	max_servers = {threads}
	min_spare_servers = 1
	max_spare_servers = {threads}
	max_requests_per_server = 0
	max_queue_size = 4096
}}
client loopback {{
	ipaddr = 127.0.0.1
	secret = {secret}
	{client_virtual_server}
	{client_options}
}}
modules {{
	$INCLUDE ${{confdir}}/mods-enabled/
}}
policy {{
	$INCLUDE ${{confdir}}/policy.d/
}}
$INCLUDE ${{confdir}}/sites-enabled/
"""

EAP_CONF = """\
eap {{
	default_eap_type = tls
	timer_expire = 60
	max_sessions = 16384
	tls-config tls-common {{
		private_key_file = "{server_key}"
		certificate_file = "{server_certificate}"
		ca_file = "{ca}"
		cipher_list = "DEFAULT"
		tls_min_version = "{tls_min}"
		tls_max_version = "{tls_max}"
		ecdh_curve = ""
		cache {{
			enable = {cache}
			name = "tests"
			lifetime = 1
			max_entries = 4096
			persist_dir = "{sessions}"
		}}
	}}
	tls {{
		tls = tls-common
		{virtual_server}
	}}
}}
"""

OUTER_SITE = """\
server outer {{
	listen {{
		type = auth
		ipaddr = 127.0.0.1
		port = {port}
	}}
	authorize {{
		{authorize}
	}}
	authenticate {{
		eap
	}}
	post-auth {{
		{post_auth}
		Post-Auth-Type REJECT {{
			{post_auth_reject}
		}}
	}}
}}
"""


# What the sanitizers write, when the suite runs with a build of theirs (CERTDIR_BUILD, CERTDIR_PRELOAD).
_SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")


class RadiusdError(AssertionError):
    """radiusd did not do what the test needs; carries the end of its log."""


# ---- the log line of a decision: the one place that knows how it looks ----

_DECISION = re.compile(
    r"(?P<instance>[\w.-]+): (?P<verdict>allow|deny|unsure) (?P<reason>[a-z-]+)(?P<rest>(?: |$).*)", re.MULTILINE
)
_FIELD = re.compile(r'(?:^| )(?P<key>[a-z_]+)=(?P<value>"(?:[^"\\]|\\.)*"|[^ ]*)')


@dataclass
class Decision:
    """One decision as radiusd logged it."""

    instance: str
    verdict: str
    reason: str
    fields: dict = field(default_factory=dict)
    line: str = ""


def parse_decisions(text):
    found = []
    for match in _DECISION.finditer(text):
        fields = {}
        for item in _FIELD.finditer(match["rest"]):
            value = item["value"]
            if value.startswith('"') and value.endswith('"') and len(value) > 1:
                value = value[1:-1]
            fields[item["key"]] = value
        found.append(Decision(match["instance"], match["verdict"], match["reason"], fields, match.group(0)))
    return found


# ---- the shipped configuration, with values put in ----

_SECTION = re.compile(r"^\s*(?P<off>#)?\s*(?P<name>[\w-]+(?:\s+[\w-]+)?)\s*\{\s*(?:#.*)?$")
_OPTION = re.compile(r"^(?P<indent>\s*)(?P<off>#\s*)?(?P<name>\w+)\s*=(?P<value>[^#]*)(?P<tail>#.*)?$")


def with_options(text, options):
    """
    The shipped module file's text with the values of named options replaced: {"list.filename": "/tmp/x"}; "" before the
    dot is the module's own section. An option that stands commented out is switched on. A list gives several lines.
    KeyError when the file does not have an option: the tests must notice when a name changes.
    """
    lines, stack, done = [], [], set()
    wanted = {tuple(name.split(".")): value for name, value in options.items()}
    active = _active_options(text)
    for line in text.splitlines():
        section = _SECTION.match(line)
        if section and not section["off"]:
            stack.append(section["name"])
        elif re.match(r"^\s*\}\s*(?:#.*)?$", line):
            stack.pop()
        option = _OPTION.match(line)
        path = tuple(stack[1:]) + (option["name"],) if option else None
        if path in wanted and (path not in active or not option["off"]):
            if path not in done:
                value = wanted[path]
                for one in value if isinstance(value, (list, tuple)) else [value]:
                    lines.append(f"{option['indent'] or chr(9)}{option['name']} = {quoted(one)}")
                done.add(path)
            continue
        lines.append(line)
    missing = set(wanted) - done
    if missing:
        raise KeyError(f"not in the shipped configuration: {sorted('.'.join(path) for path in missing)}")
    return "\n".join(lines) + "\n"


def _active_options(text):
    stack, found = [], set()
    for line in text.splitlines():
        section = _SECTION.match(line)
        if section and not section["off"]:
            stack.append(section["name"])
        elif re.match(r"^\s*\}\s*(?:#.*)?$", line):
            stack.pop()
        option = _OPTION.match(line)
        if option and not option["off"]:
            found.add(tuple(stack[1:]) + (option["name"],))
    return found


def quoted(value):
    """A value as it stands in a FreeRADIUS configuration file."""
    value = str(value)
    if re.fullmatch(r"[\w./:-]+", value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def shipped_module(options=None):
    """raddb-snippets/mods-available/certdir, with options put in."""
    return with_options((SNIPPETS / "mods-available" / "certdir").read_text(), options or {})


# ---- the server ----


def _virtual_server(name):
    return f"virtual_server = {name}" if name else ""


class Radiusd:
    """
    A private radiusd. `trust` names ca, certificate and key files of its EAP-TLS. With `module` (the text of a module
    file, see shipped_module) the module, the shipped site and the shipped policies are set up; without, it is stock.
    """

    def __init__(self, directory, trust, module=None, *, tls="1.2", cache=True, sessions=None, threads=4, debug=1,
                 authorize="eap", post_auth="", post_auth_reject="", sites=None, modules=None, env=None,
                 wrapper=(), arguments=(), preload=None, max_request_time=30, virtual_server=None,
                 client_virtual_server=None, client_options="", libdir=None):
        self.directory = Path(directory)
        self.raddb = self.directory / "raddb"
        self.trust = trust
        self.module = module
        self.tls = tls
        self.cache = cache
        self.sessions = Path(sessions) if sessions else self.directory / "sessions"
        self.threads = threads
        self.debug = debug
        self.authorize = authorize
        self.post_auth = post_auth
        self.post_auth_reject = post_auth_reject
        self.sites = sites or {}
        self.modules = modules or {}
        self.env = env or {}
        self.wrapper = list(wrapper)
        self.arguments = list(arguments)
        self.preload = preload or os.environ.get("CERTDIR_PRELOAD")
        self.max_request_time = max_request_time
        self.virtual_server = virtual_server or ("certdir-check" if module else None)
        self.client_virtual_server = client_virtual_server
        self.client_options = client_options
        self.libdir = libdir or f"{BUILD}:{SYSTEM_LIBDIR}"
        self.port = free_port("udp")
        self.secret = SECRET
        self.log_file = self.directory / "radiusd.log"
        self.process = None
        self.write()

    # -- configuration --

    def write(self):
        """Writes the raddb; call again after changing an attribute of this object."""
        shutil.rmtree(self.raddb, ignore_errors=True)
        for name in ("mods-enabled", "sites-enabled", "policy.d", "certs"):
            (self.raddb / name).mkdir(parents=True)
        run = self.directory / "run"
        run.mkdir(exist_ok=True)
        self.sessions.mkdir(exist_ok=True)
        (self.raddb / "radiusd.conf").write_text(RADIUSD_CONF.format(
            raddb=self.raddb, run=run, libdir=self.libdir, secret=self.secret, threads=self.threads,
            max_request_time=self.max_request_time,
            client_virtual_server=_virtual_server(self.client_virtual_server), client_options=self.client_options))
        (self.raddb / "mods-enabled" / "always").write_text(
            "".join(f"always {rcode} {{\n\trcode = {rcode}\n}}\n" for rcode in RCODES))
        (self.raddb / "mods-enabled" / "expr").write_text("expr {\n}\n")
        (self.raddb / "mods-enabled" / "eap").write_text(EAP_CONF.format(
            server_key=self.trust["key"], server_certificate=self.trust["certificate"], ca=self.trust["ca"],
            tls_min=self.tls, tls_max=self.tls, cache="yes" if self.cache else "no", sessions=self.sessions,
            virtual_server=_virtual_server(self.virtual_server)))
        for name, text in self.modules.items():
            (self.raddb / "mods-enabled" / name).write_text(text)
        if self.module:
            (self.raddb / "mods-enabled" / "certdir").write_text(self.module)
            shutil.copy(SNIPPETS / "sites-available" / "certdir-check", self.raddb / "sites-enabled")
            shutil.copy(SNIPPETS / "policy.d" / "certdir", self.raddb / "policy.d")
        (self.raddb / "sites-enabled" / "outer").write_text(OUTER_SITE.format(
            port=self.port, authorize=self.authorize, post_auth=self.post_auth,
            post_auth_reject=self.post_auth_reject))
        for name, text in self.sites.items():
            (self.raddb / "sites-enabled" / name).write_text(text)

    def check_config(self):
        """What `freeradius -XC` says of this raddb: (exit code, output)."""
        done = subprocess.run([RADIUSD, "-XC", "-d", str(self.raddb), "-n", "radiusd"], env=self._environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        return done.returncode, done.stdout.decode(errors="replace")

    def _environment(self):
        env = dict(os.environ, **self.env)
        if self.preload:
            env["LD_PRELOAD"] = str(self.preload)
        return env

    # -- life --

    def start(self, timeout=20):
        command = self.wrapper + [RADIUSD, "-f", "-l", "stdout", "-d", str(self.raddb), "-n", "radiusd"]
        if self.debug:
            command.append("-" + "x" * self.debug)
        command += self.arguments
        mark = self.mark()
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                            env=self._environment())
        deadline = time.monotonic() + timeout
        while "Ready to process requests" not in self.log(mark):
            if self.process.poll() is not None:
                raise RadiusdError(f"radiusd ended with {self.process.returncode}:\n{self.log(mark)[-3000:]}")
            if time.monotonic() > deadline:
                self.kill()
                raise RadiusdError(f"radiusd not ready after {timeout} s:\n{self.log(mark)[-3000:]}")
            time.sleep(0.02)
        return self

    def stop(self, timeout=20):
        """Ends radiusd in the orderly way and returns its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None and not self._terminate(timeout):
            self.kill()
            raise RadiusdError(f"radiusd did not stop within {timeout} s:\n{self.log()[-3000:]}")
        code, self.process = self.process.returncode, None
        complaint = _SANITIZER.search(self.log())
        if complaint:
            raise RadiusdError(self.log()[complaint.start():][:6000])
        return code

    def _terminate(self, timeout):
        """True when it ended. The thread sanitizer keeps a signal until select(2) comes back: there a packet wakes it up."""
        deadline = time.monotonic() + timeout
        self.process.send_signal(signal.SIGTERM)
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                return False
            if self.preload:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                    sock.sendto(b"", ("127.0.0.1", self.port))
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1 if self.preload else timeout)
        return True

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def hup(self):
        self.process.send_signal(signal.SIGHUP)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        if exception[0]:
            self.kill()
        else:
            self.stop()

    # -- the log --

    def mark(self):
        """A place in the log: what comes after it is new."""
        return self.log_file.stat().st_size if self.log_file.exists() else 0

    def log(self, since=0):
        if not self.log_file.exists():
            return ""
        with open(self.log_file, "rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    def wait_log(self, pattern, since=0, timeout=10):
        """The match of a regular expression in the log after a mark; waits for it."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.search(pattern, self.log(since), re.MULTILINE)
            if match:
                return match
            if not self.alive():
                raise RadiusdError(f"radiusd is gone; its log:\n{self.log(since)[-3000:]}")
            if time.monotonic() > deadline:
                raise RadiusdError(f"no {pattern!r} within {timeout} s in:\n{self.log(since)[-6000:]}")
            time.sleep(0.02)

    def decisions(self, since=0, count=None, timeout=5):
        """The decisions logged after a mark; with `count`, waits until there are so many."""
        deadline = time.monotonic() + timeout
        while True:
            found = parse_decisions(self.log(since))
            if count is None or len(found) >= count:
                return found
            if time.monotonic() > deadline:
                raise RadiusdError(f"{len(found)} of {count} decisions in:\n{self.log(since)[-6000:]}")
            time.sleep(0.02)

    # -- what it costs --

    def _stat(self):
        text = Path(f"/proc/{self.process.pid}/stat").read_text()
        return text.rsplit(")", 1)[1].split()

    @property
    def cpu_seconds(self):
        stat = self._stat()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def rss_bytes(self):
        return int(self._stat()[21]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def fd_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @property
    def thread_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))
