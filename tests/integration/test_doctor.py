# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir doctor: in a good world all is right; each fault that it knows, made on purpose, is found with what mends it."""

import base64
import copy
import email.utils
import json
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from testenv import clock, graph, graph_faults
from testenv.certificates import Authority
from testenv.dns import Names, srv
from testenv.graph_token import refusal
from testenv.placeholders import SECTION
from testenv.profiles import SERVER_AUTH
from testenv.slapd import ADMIN, ADMIN_PASSWORD, DEVICES, NAME, READER, SUFFIX
from testenv.ward import Wellness, away, edited, kept, mode

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="becomes the server's user")

SILENT, UNSUPPORTED = 4, 2  # outcomes of orders


@pytest.fixture(scope="module")
def world():
    directory = tempfile.mkdtemp(prefix="certdir-doctor-")  # pytest's own are closed to the server's user
    os.chmod(directory, 0o755)
    world = None
    try:
        world = Wellness(directory)
        yield world
    finally:
        if world:
            world.close()
        shutil.rmtree(directory)


def test_all_is_right(world):
    code, checks = world.doctor()
    assert [check for check in checks if check["state"] not in ("right", "skipped")] == [] and code == 0
    assert {check["group"] for check in checks} == {
        "server", "configuration", "certificate", "list", "ldap", "placeholders", "sync", "graph",
        "records"}
    assert all(set(check) == {"group", "name", "state", "detail", "remedy"} for check in checks)
    assert {check["name"] for check in checks if check["state"] == "skipped"} == {"rights"}


def test_for_people(world):
    done = world.run()
    assert done.returncode == 0 and re.search(r"^\d+ right, 0 wrong, 0 warnings, \d+ not looked at$", done.stdout, re.M)
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if str(world.directory) not in line)
    assert "the-client-secret" not in done.stdout and "reader-password" not in done.stdout


# ---- faults: a context manager that makes it, then what is found ----


def module(old, new):
    return lambda world: edited(world.module, old, new)


def eap(old, new):
    return lambda world: edited(world.eap, old, new)


def conf(old, new):
    return lambda world: edited(world.sync.conf, old, new)


@contextmanager
def other_certificate(world, **recipe):
    certificate, key = world.pki.issue(subject=[["CN", "radius"]], stem="other", **recipe)
    for path in (certificate, key):
        shutil.chown(path, group="nogroup")
        path.chmod(0o640)
    with edited(world.eap, str(world.pki.server[0]), certificate), kept(world.eap):
        text = world.eap.read_text()
        world.eap.write_text(text.replace(str(world.pki.server[1]), str(key)))
        yield


@contextmanager
def open_module(world, bits):
    with mode(world.module.parent, 0o755), mode(world.module, bits):
        yield


@contextmanager
def cut_list(world):
    with kept(world.sync.list_file):
        os.truncate(world.sync.list_file, world.sync.list_file.stat().st_size - 1)
        yield


def signing_key(world):
    key, public = world.directory / "list.key", world.directory / "list.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    return public


@contextmanager
def closed_door(world):
    with mode(f"{world.sync.list_file}.sock", 0o600):
        yield


@contextmanager
def no_door(world):
    with away(f"{world.sync.list_file}.sock"):
        yield


@contextmanager
def stopped_slapd(world):
    world.slapd.pause()
    try:
        yield
    finally:
        world.slapd.resume()


@contextmanager
def lost_permission(world, name="DeviceManagementManagedDevices.Read.All"):
    world.graph.permissions.discard(name)
    try:
        yield
    finally:
        world.graph.permissions.add(name)


@contextmanager
def refused_token(world):
    world.graph.order("token", lambda *_: refusal(7000215))
    yield


@contextmanager
def wrong_clock(_, seconds=600):
    original = graph.Handler.date_time_string
    graph.Handler.date_time_string = lambda *_: email.utils.formatdate(time.time() - seconds, usegmt=True)
    try:
        yield
    finally:
        graph.Handler.date_time_string = original


@contextmanager
def profile(world, short, **properties):
    """One of Intune's is another."""
    former = world.graph.profiles
    world.graph.profiles = copy.deepcopy(former)
    world.graph.profiles.change(short, **properties)
    try:
        yield
    finally:
        world.graph.profiles = former


@contextmanager
def session(world, **columns):
    with kept(world.server.file):
        world.set_session(**columns)
        yield


@contextmanager
def journal_of_root(world):
    path = world.directory / "journal" / "it"
    path.touch(mode=0o600)
    try:
        yield
    finally:
        path.unlink()


@contextmanager
def journal_with_gaps(world):
    path = world.directory / "journal" / "it"
    path.write_bytes(b'{"dropped":7,"v":1}\n{"v":1,"device":"\\n{\\"dropped\\":100,"}\n{"x":{"dropped":1000,"y":1}}\n\0\n{"dropped":3,"v":1}\n')
    shutil.chown(path, "nobody", "nogroup")
    try:
        yield
    finally:
        path.unlink()


def clients(world, *addresses):
    """More of them, in the configuration."""
    more = "".join(f"client other{i} {{\n\tipaddr = {address}\n\tsecret = other-secret\n\tvirtual_server = certdir-wifi\n}}\n"
                   for i, address in enumerate(addresses))
    return edited(world.server.raddb / "radiusd.conf", "security {", more + "security {")


@contextmanager
def silence(world, option):
    """Somebody who takes the connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener, \
            edited(world.sync.conf, f"{option} = {world.graph.url}", f"{option} = https://localhost:{listener.getsockname()[1]}"):
        yield


@contextmanager
def endless(path):
    """A file that is waited for."""
    with away(path):
        os.mkfifo(path)
        try:
            yield
        finally:
            os.unlink(path)


def unit(name, state):
    return lambda world: edited(world.units, f"{name} active", f"{name} {state}")


@contextmanager
def failed_apply(world):
    world.applied("failed")
    yield
    world.applied("ok")


@contextmanager
def other_magic(world):
    """A module that was built for another version: the number that it begins with says so."""
    module = world.directory / "lib" / "rlm_certdir.so"
    place = int(subprocess.run(["nm", "-D", module], capture_output=True, text=True, check=True).stdout.split(" D rlm_certdir\n")[0].split()[-1], 16)
    for line in subprocess.run(["readelf", "-SW", module], capture_output=True, text=True, check=True).stdout.splitlines():
        found = re.match(r" +\[ *\d+\] \.data\S* +PROGBITS +(\w+) (\w+) (\w+)", line)
        start, offset, size = (int(number, 16) for number in found.groups()) if found else (0, 0, 0)
        if start <= place < start + size:
            break
    with kept(module), open(module, "r+b") as file:
        file.seek(place - start + offset)
        magic = bytearray(file.read(8))
        magic[4] ^= 1
        file.seek(place - start + offset)
        file.write(magic)
        file.flush()
        yield


@contextmanager
def list_before(world):
    last = Path(f"{world.sync.list_file}.last")
    former = last.read_bytes() if last.exists() else None
    shutil.copy(world.sync.list_file, last)
    shutil.chown(last, group="nogroup")
    last.chmod(0o640)
    with cut_list(world):
        yield
    last.unlink()
    if former:
        last.write_bytes(former)


@contextmanager
def report(world, **changed):
    """What the last run of the sync said of the tenant."""
    with kept(f"{world.sync.list_file}.status") as path:
        last = json.loads(path.read_text())
        last["tenants"][0].update(changed)
        path.write_text(json.dumps(last))
        yield


def in_days(days):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))


@contextmanager
def own_certificate(world, days):
    """The sync logs in with one."""
    certificate = Authority("app CA").issue({"subject": [["CN", "certdir"]], "key": "rsa", "not_before": in_days(-400), "not_after": in_days(days)})
    pem, key = certificate.write(world.sync.directory, "app")
    key.chmod(0o600)
    world.graph.tokens.certificates.append(certificate.der)
    with conf(f"client_secret_file = {world.sync.directory}/contoso.secret", f"certificate_file = {pem}\nprivate_key_file = {key}")(world):
        yield


@contextmanager
def restarted(world, **changed):
    former = {name: getattr(world.slapd, name) for name in changed}
    try:
        for settings in (changed, former):
            for name, value in settings.items():
                setattr(world.slapd, name, value)
            world.slapd.stop()
            world.slapd.write()
            world.slapd.start()
            if settings is changed:
                yield
    finally:
        for name, value in former.items():
            setattr(world.slapd, name, value)


def hidden_tree(world):
    return restarted(world, access=f'access to dn.base="{SUFFIX}" by dn.exact="{READER}" search by * read')


def slapd_certificate(world, days):
    certificate = world.slapd.authority.issue(subject=[["CN", "localhost"]], san=[{"dns": "localhost"}, {"ip": "127.0.0.1"}], server=True,
                                              not_after=in_days(days))
    pem, key = certificate.write(world.slapd.directory, "ends")
    return restarted(world, _certificate=pem, _key=key)


@contextmanager
def graph_answers(world, status):
    world.graph.order("devices", lambda *_: graph_faults.error(status, "x", "y"), times=None)
    try:
        yield
    finally:
        world.graph.behave()


@contextmanager
def rubbish(path):
    with kept(path):
        Path(path).write_bytes(b"rubbish" * 1000)
        yield


# name of the fault: (what makes it, group, check, state, what is said, what mends it)
FAULTS = {
    "no module": (lambda w: away(w.directory / "lib" / "rlm_certdir.so"), "server", "module", "wrong", r"no rlm_certdir\.so in", r"libdir"),
    "module not linked": (lambda w: away(w.directory / "lib" / "rlm_certdir.so"), "server", "start", "wrong",
                          r"Failed to link to module 'rlm_certdir'", r"install the module"),
    "module of another version": (other_magic, "server", "start", "wrong", r"magic number", r"built for this version"),
    "no such user": (lambda w: edited(w.server.raddb / "radiusd.conf", "user = nobody", "user = certdir-none"), "certificate", "files", "wrong",
                     r"user = certdir-none does not exist", r"user that exists into radiusd\.conf"),
    "does not start": (eap("default_eap_type = tls", "default_eap_type = bogus"), "server", "start", "wrong", r"bogus", r"freeradius -XC"),
    "server down": (unit("freeradius.service", "failed"), "server", "service", "wrong", r"freeradius\.service is failed",
                    r"systemctl enable --now freeradius"),
    "raddb stuck": (lambda w: endless(w.eap), "configuration", "time", "wrong", r"no end after 10 seconds", r"stuck"),
    "raddb cannot be read": (lambda w: edited(w.server.raddb / "radiusd.conf", "security {", "security {{{"), "configuration", "raddb", "wrong",
                             r"radiusd\.conf", r"-XC"),
    "certdir not enabled": (lambda w: away(w.module), "configuration", "raddb", "wrong", r"no certdir module", r"mods-enabled"),
    "misspelt option": (module("max_age =", "max_aje ="), "configuration", "options", "wrong", r"max_aje", r"mods-available/certdir"),
    "observe": (module("\t\tmode = enforce", "\t\tmode = observe"), "configuration", "options", "warning", r"denies nobody", r"enforce"),
    "certdir not asked": (eap("virtual_server = certdir-check", ""), "configuration", "wiring", "wrong", r"certdir never sees",
                          r"write virtual_server"),
    "many CAs": (lambda w: edited(w.eap, f'ca_file = "{w.pki.ca}"', 'ca_file = /etc/ssl/certs/ca-certificates.crt'), "configuration", "wiring",
                 "warning", r"has \d+ CAs", r"own CA alone"),
    "password for all": (lambda w: open_module(w, 0o644), "configuration", "mode", "warning", r"anybody can read", r"chmod o-rwx \S+certdir"),
    "raddb for all to write": (lambda w: mode(w.module, 0o666), "configuration", "raddb", "wrong", r"globally writable", r"freeradius -XC"),
    "expired": (lambda w: other_certificate(w, server=True, not_before="2024-01-01T12:00:00Z", not_after="2024-02-01T12:00:00Z"),
                "certificate", "expiry", "wrong", r"expired on 2024-02-01", r"renew"),
    "not valid yet": (lambda w: other_certificate(w, server=True, not_before=in_days(2)), "certificate", "expiry", "wrong", r"is not valid before",
                      r"clock: date"),
    "no certificate": (lambda w: edited(w.pki.server[0], "CERTIFICATE", "NOTHING"), "certificate", "expiry", "wrong", r"no certificate that can be read",
                       r"PEM file"),
    "no key": (lambda w: away(w.pki.server[1]), "certificate", "files", "wrong", r"server\.key: No such file", r"put it there"),
    "expires soon": (lambda w: other_certificate(w, server=True, not_after=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 864000))),
                     "certificate", "expiry", "warning", r"expires on", r"renew"),
    "no serverAuth": (lambda w: other_certificate(w), "certificate", "purpose", "wrong", r"Windows", r"serverAuth"),
    "key not readable": (lambda w: mode(w.pki.server[1], 0o600), "certificate", "files", "wrong", r"may not read \S+server\.key",
                         r"chgrp nogroup \S+; chmod g\+r"),
    "way to key closed": (lambda w: mode(w.directory / "pki", 0o700), "certificate", "files", "wrong", r"may not pass through \S+/pki",
                          r"chmod g\+x \S+/pki"),
    "key for all": (lambda w: mode(w.pki.server[1], 0o644), "certificate", "key", "wrong", r"anybody can use it", r"chmod o-rwx"),
    "no CA": (lambda w: edited(w.pki.ca, "CERTIFICATE", "NOTHING"), "certificate", "authorities", "wrong", r"has no CA", r"PEM"),
    "old TLS": (eap('tls_min_version = "1.2"', 'tls_min_version = "1.0"'), "certificate", "versions", "warning", r"1\.0", r"tls_min_version"),
    "new TLS off": (eap('tls_max_version = "', 'tls_max_version = "1.1" # "'), "certificate", "versions", "wrong", r"Windows 11", r'tls_max_version = "1\.2"'),
    "sessions not kept": (lambda w: away(w.server.sessions), "certificate", "resumption", "wrong", r"No such file",
                          r"install -d -o nobody -g nogroup -m 750 \S+sessions"),
    "nowhere to resume": (lambda w: mode(w.server.sessions, 0o500), "certificate", "resumption", "wrong", r"may not write into",
                          r"chmod g\+rwx"),
    "no list": (lambda w: away(w.sync.list_file), "list", "list", "wrong", r"does not exist", r"certdir-sync|list import"),
    "damaged list": (cut_list, "list", "list", "wrong", r"devices\.db", r"certdir sync"),
    "list before": (list_before, "list", "last", "warning", r"takes the edition before", r"certdir sync"),
    "list not signed": (lambda w: edited(w.module, f"filename = {w.sync.list_file}", f"filename = {w.sync.list_file}\n\t\tpublic_key = {signing_key(w)}"),
                        "list", "list", "wrong", r"sign", r"signing_key_file"),
    "no public key": (lambda w: edited(w.module, f"filename = {w.sync.list_file}", f"filename = {w.sync.list_file}\n\t\tpublic_key = /none.pub"),
                      "list", "public_key", "wrong", r"/none\.pub", r"public_key"),
    "list not readable": (lambda w: mode(w.sync.list_file, 0o600), "list", "readable", "wrong", r"may not read", r"chmod g\+r"),
    "way to list closed": (lambda w: mode(w.directory / "lists", 0o700), "list", "readable", "wrong", r"may not pass through", r"chmod g\+x"),
    "list for all": (lambda w: mode(w.sync.list_file, 0o666), "list", "permissions", "wrong", r"anybody can change", r"chmod go-w \S+devices\.db"),
    "old list": (module("max_age = 3600", "max_age = 1"), "list", "age", "wrong", r"count for", r"certdir status"),
    "door closed": (closed_door, "list", "asking", "wrong", r"may not ask", r"chgrp"),
    "nobody asked": (no_door, "list", "asking", "wrong", r"no certdir sync answers", r"systemctl start certdir-sync"),
    "LDAP wrong password": (module("reader-password", "wrong-password"), "ldap", "bind", "wrong", r"Invalid credentials", r"identity and password"),
    "LDAP wrong CA": (lambda w: edited(w.module, str(w.slapd.ca_file), w.pki.ca), "ldap", "connection", "wrong", r"ldaps://", r"ca_file"),
    "LDAP unknown host": (lambda w: edited(w.module, w.slapd.ldaps_uri, "ldaps://nowhere.invalid"), "ldap", "connection", "wrong",
                          r"nowhere\.invalid", r"name"),
    "LDAP wrong port": (lambda w: edited(w.module, w.slapd.ldaps_uri, "ldaps://127.0.0.1:1"), "ldap", "connection", "wrong", r"127\.0\.0\.1:1",
                        r"port"),
    "LDAP no base": (lambda w: edited(w.module, f'base_dn = "{SUFFIX}"', f'base_dn = "ou=none,{SUFFIX}"'), "ldap", "base", "wrong", r"ou=none",
                     r"tree"),
    "LDAP not shown": (hidden_tree, "ldap", "base", "wrong", r"may not read dc=corp", r"right to read there"),
    "LDAP ends soon": (lambda w: slapd_certificate(w, 10), "ldap", "certificate", "warning", r"certificate of ldaps://\S+ ends on", r"renew that server"),
    "LDAP no devices": (module("(objectClass=computer)", "(cn=none)"), "ldap", "search", "warning", r"nothing below", r"filter"),
    "placeholders no OU": (conf(f"ou = {DEVICES}", f"ou = ou=None,{SUFFIX}"), "placeholders", "base", "wrong", r"ou=None", r"tree"),
    "placeholders password for all": (lambda w: mode(w.sync.directory / "ldap.secret", 0o644), "placeholders", "password", "wrong", r"others can read",
                                      r"chmod o-rwx"),
    "placeholders stopped": (stopped_slapd, "placeholders", "connection", "wrong", SECTION, r"stuck"),
    "conf misspelt": (conf("client_id", "client_idd"), "sync", "conf", "wrong", r"client_idd", r"certdir\.conf\(5\)"),
    "conf for all": (lambda w: mode(w.sync.conf, 0o666), "sync", "permissions", "wrong", r"anybody can change", r"chmod o-w"),
    "secret for all": (lambda w: mode(w.sync.directory / "contoso.secret", 0o644), "sync", "secret", "wrong", r"others can read", r"chmod o-rwx"),
    "no secret": (lambda w: away(w.sync.directory / "contoso.secret"), "sync", "secret", "wrong", r"contoso\.secret cannot be read: No such file",
                  r"certdir\.conf"),
    "damaged list of the sync": (cut_list, "sync", "list", "wrong", r"devices\.db", r"certdir sync"),
    "run failed": (lambda w: report(w, ok=False, parts={"devices": {"result": "failed", "note": "out of luck"}}), "sync", "last run", "wrong",
                   r"contoso: devices failed: out of luck", r"certdir sync --now"),
    "never run": (lambda w: away(f"{w.sync.list_file}.status"), "sync", "last run", "warning", r"no run is known", r"certdir sync --now"),
    "credential of the run ends soon": (lambda w: report(w, credential_expires=in_days(10)), "sync", "credential", "warning", r"expires in (9|10) days",
                                        r"upload it"),
    "credential of the run ended": (lambda w: report(w, credential_expires=in_days(-2)), "sync", "credential", "wrong", r"expires \S+ \S+ ago",
                                    r"upload it"),
    "another list": (lambda w: edited(w.module, f"filename = {w.sync.list_file}", f"filename = {w.directory}/lists/own.db"), "sync", "same list",
                     "warning", r"does not read", r"filename"),
    "secret not the sync's": (lambda w: edited(w.units, "active", "active\nUser nobody"), "sync", "secret", "wrong",
                              r"nobody may not read \S+contoso\.secret", r"chgrp nogroup \S+contoso\.secret; chmod g\+r"),
    "list not the sync's": (lambda w: edited(w.units, "active", "active\nUser games\nGroup audio"), "sync", "writable", "wrong",
                            r"games may not write into \S+lists", r"chown -R games \S+lists/"),
    "sync down": (unit("certdir-sync.service", "inactive"), "sync", "service", "warning", r"certdir sync does not run",
                  r"systemctl enable --now certdir-sync"),
    "timer off": (unit(f"certdir-placeholders@{SECTION}.timer", "inactive"), "sync", "service", "warning", SECTION, r"systemctl enable --now"),
    "apply failed": (failed_apply, "sync", "last apply", "wrong", r"wifi: the last apply failed: out of luck", r"placeholders plan"),
    "wrong secret": (refused_token, "graph", "token", "wrong", r"client secret is wrong", r"application"),
    "no permission": (lost_permission, "graph", "permissions", "wrong", r"lacks DeviceManagementManagedDevices", r"admin consent"),
    "no devices": (lambda w: lost_permission(w, "Device.Read.All"), "graph", "graph", "wrong", r"answers 403", r"Device\.Read\.All"),
    "certificate ends soon": (lambda w: own_certificate(w, 10), "graph", "credential", "warning", r"the client certificate ends on", r"upload it"),
    "Graph busy": (lambda w: graph_answers(w, 429), "graph", "graph", "wrong", r"answers 429", r"wait; is something else"),
    "Graph broken": (lambda w: graph_answers(w, 500), "graph", "graph", "wrong", r"answers 500", r"certdir sync --now"),
    "Graph unknown host": (lambda w: edited(w.sync.conf, f"graph = {w.graph.url}", "graph = https://nowhere.invalid"), "graph", "graph", "wrong",
                           r"nowhere\.invalid", r"resolv\.conf"),
    "Graph refused": (lambda w: edited(w.sync.conf, f"authority = {w.graph.url}", "authority = https://localhost:1"), "graph", "token", "wrong",
                      r"localhost", r"port 443"),
    "Graph silent": (lambda w: silence(w, "graph"), "graph", "graph", "wrong", r"does not answer in time", r"port 443"),
    "Graph not trusted": (lambda w: edited(w.sync.conf, f"ca_file = {w.graph.ca_file}", f"ca_file = {w.pki.ca}"), "graph", "graph", "wrong",
                          r"cannot be trusted", r"ca_file"),
    "clock": (wrong_clock, "graph", "clock", "wrong", r"10 min ahead", r"set-ntp"),
    "clock a little": (lambda w: wrong_clock(w, -120), "graph", "clock", "warning", r"behind", r"set-ntp"),
    "profile not for clients": (lambda w: profile(w, "scep", extendedKeyUsages=[{"name": "Server", "objectIdentifier": SERVER_AUTH}]),
                                "graph", "profiles", "wrong", r'contoso: "Windows certificate" makes certificates that are not for client auth.*add the extended', r"certdir profiles contoso"),
    "profile of another CA": (lambda w: profile(w, "root", trustedRootCertificate=base64.b64encode(Authority("another").der).decode()),
                              "graph", "profiles", "wrong", r"CN=another, which is not among the CAs", r"certdir profiles contoso"),
    "profile of another server": (lambda w: profile(w, "wifi", trustedServerCertificateNames=["nps.corp.example"]), "graph", "profiles", "wrong",
                                  r"expects a RADIUS server called nps\.corp\.example", r"certdir profiles contoso"),
    "device silent": (lambda w: session(w, answered=1, outcome=SILENT), "records", "orders", "wrong", r"did not answer",
                      r"5176"),
    "device cannot": (lambda w: session(w, answered=1, outcome=UNSUPPORTED), "records", "orders", "warning", r"cannot end",
                      r"5176"),
    "no updates": (lambda w: session(w, interval=0), "records", "updates", "warning", r"Interim-Updates",
                   r"Acct-Interim-Interval"),
    "sessions held": (lambda w: session(w, state=2, denied=1), "records", "held", "warning", r"1 denied",
                      r"certdir sessions release"),
    "sessions damaged": (lambda w: rubbish(w.server.file), "records", "sessions", "wrong", r"certdir\.sessions cannot be read", r"restart the server"),
    "sessions closed": (lambda w: mode(w.server.file.parent, 0o500), "records", "sessions", "wrong", r"may not write into", r"chmod g\+rwx"),
    "journal of root": (journal_of_root, "records", "journal", "wrong", r"may not write", r"chown"),
    "journal lacks lines": (journal_with_gaps, "records", "journal", "warning", r"lacks 10 decisions", r"df \S+it"),
    "metrics closed": (lambda w: mode(w.directory / "journal", 0o500), "records", "metrics", "wrong", r"may not write into", r"chmod"),
    "memory closed": (lambda w: mode(w.directory / "journal", 0o500), "records", "memory", "wrong", r"may not write into",
                      r"chmod"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(world, name):
    make, group, check, state, detail, remedy = FAULTS[name]
    with make(world):
        began = time.monotonic()
        code, checks = world.doctor()
        assert time.monotonic() - began < 25
    found = [one for one in checks if (one["group"], one["name"], one["state"]) == (group, check, state)]
    assert any(re.search(detail, one["detail"]) and re.search(remedy, one["remedy"]) for one in found), \
        "\n".join(str(one) for one in checks if one["state"] != "right")
    assert code == (1 if any(one["state"] == "wrong" for one in checks) else 2)
    assert [one for one in checks if one["state"] in ("wrong", "warning") and not one["remedy"]] == []


def test_profiles_not_shown(world):
    """The sync needs them not, so this is no fault."""
    with lost_permission(world, "DeviceManagementConfiguration.Read.All"):
        code, checks = world.doctor()
    found, = [one for one in checks if one["name"] == "profiles"]
    assert code == 0 and found["state"] == "skipped" and "DeviceManagementConfiguration.Read.All" in found["detail"], found


def test_list_of_a_time_to_come(world, monkeypatch):
    for name, value in clock.later(-1).items():
        monkeypatch.setenv(name, value)
    _, checks = world.doctor()
    found = {one["remedy"] for one in checks if one["name"] == "age" and "of a time to come: a clock is wrong" in one["detail"]}
    assert found == {"timedatectl set-ntp true"}, checks


AD = """\
attributetype ( 1.3.6.1.4.1.4203.666.1.1 NAME 'currentTime' SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.1.2 NAME 'allowedChildClassesEffective' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.4203.666.3.1 NAME 'rights' SUP top AUXILIARY MAY ( allowedChildClassesEffective ) )
rootDSE {file}
"""


def test_what_active_directory_says(world):
    """Its time, and what the account may make below the OU."""
    told = world.directory / "rootdse.ldif"
    told.write_text(f"dn:\nobjectClass: top\nobjectClass: extensibleObject\ncurrentTime: {time.strftime('%Y%m%d%H%M%S.0Z', time.gmtime(time.time() - 600))}\n")
    for classes, state in (("group", "wrong"), ("computer", "right")):
        with restarted(world, settings=AD.format(file=told)):
            world.slapd.modify(DEVICES, objectClass=["organizationalUnit", "rights"], allowedChildClassesEffective=classes)
            _, checks = world.doctor()
            world.slapd.modify(DEVICES, objectClass="organizationalUnit", allowedChildClassesEffective=None)
        found = {(one["group"], one["name"]): one for one in checks}
        assert (found["ldap", "clock"]["state"], found["placeholders", "clock"]["state"]) == ("wrong", "wrong")
        assert "ahead of that of ldaps://" in found["ldap", "clock"]["detail"] and "set-ntp" in found["ldap", "clock"]["remedy"]
        rights = found["placeholders", "rights"]
        assert rights["state"] == state and "make computers in" in rights["detail"] and ("RIGHTS" in rights["remedy"]) == (state == "wrong")


# ---- many network devices ----


def test_many_network_devices(world):
    """Some are named, all are counted."""
    with session(world, answered=1, outcome=SILENT, interval=0):
        world.add_sessions(10000)
        code, checks = world.doctor()
    assert code == 1 and not [one for one in checks if one["name"] == "time"]
    for name, state in (("orders", "wrong"), ("updates", "warning")):
        found = [one["detail"] for one in checks if (one["name"], one["state"]) == (name, state)]
        assert len(found) == 11 and found[-1].startswith("9991 more network devices: each ")


def test_clients_without_a_session(world):
    """Perhaps nobody is in there: this is no fault. Networks are not looked at, since it is not known who is in them."""
    with clients(world, "192.0.2.7", "192.0.2.128/25", "::1"):
        code, checks = world.doctor()
    found, = [one for one in checks if (one["group"], one["name"]) == ("records", "accounting")]
    assert code == 0 and found["state"] == "skipped", checks
    assert "of 1 client of the configuration (192.0.2.7)" in found["detail"], found


def test_many_clients(world):
    """As an operator of many sites has them: all checks are done in their time, and what is said stays short."""
    with clients(world, *(f"10.1.{i // 250}.{i % 250 + 1}" for i in range(10000))):
        code, checks = world.doctor()
    assert code == 0, [one for one in checks if one["state"] == "wrong"]
    found, = [one for one in checks if (one["group"], one["name"]) == ("records", "accounting")]
    assert "of 10000 clients of the configuration (10.1.0.1, " in found["detail"] and found["detail"].count("10.1.") == 10


# ---- a domain, and its DNS ----


@pytest.fixture
def names(tmp_path):
    with Names(tmp_path) as server:
        yield server


def test_dead_servers_of_a_domain(world, names):
    """Five that take connections and say nothing are told of in the time of one, and hide nothing of the sixth."""
    with ExitStack() as stack:
        dead = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(5)]
        ports = [listener.getsockname()[1] for listener in dead] + [world.slapd.tls_port]
        names.address_of(NAME, "127.0.0.1")
        names.service("_ldaps._tcp.corp.example", *(srv(NAME, port, priority) for priority, port in enumerate(ports)))
        stack.enter_context(edited(world.module, world.slapd.ldaps_uri, '"ldaps:///dc=corp,dc=example"'))
        _, checks = world.doctor(wrapper=names.wrapper())
    found = {(one["name"], one["state"]): [] for one in checks}
    for one in checks:
        found[one["name"], one["state"]] += [one["detail"]] if one["group"] == "ldap" else []
    assert [f"ldaps://{NAME}:{world.slapd.tls_port} takes us" in detail for detail in found["bind", "right"]] == [True]
    assert len(found["search", "right"]) == 1 and len(found["connection", "wrong"]) == 5, found
    assert not [one for one in checks if one["name"] == "time"]
    assert processes(str(world.server.raddb)) == []


def test_dead_dns(world, names):
    names.whole["_ldaps._tcp.corp.example"] = names.whole["dc1.corp.example"] = None
    for uri, name in (('"ldaps:///dc=corp,dc=example"', "dns"), ("ldaps://dc1.corp.example", "connection")):
        with edited(world.module, world.slapd.ldaps_uri, uri):
            _, checks = world.doctor(wrapper=names.wrapper())
        found, = [one for one in checks if one["group"] == "ldap"]
        assert (found["name"], found["state"]) == (name, "wrong") and "corp" in found["detail"], found
        assert "name" in found["remedy"] or "DNS" in found["remedy"]


def processes(word):
    """Command lines that have it in them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found += [line for line in [path.read_bytes()] if word.encode() in line]
    return found


def test_nothing_is_left_behind(world):
    """A server that never ends its start is ended, with the user that it has become; what was found before it counts."""
    with endless(world.pki.ca):
        _, checks = world.doctor()
    assert [one["state"] for one in checks if (one["group"], one["name"]) == ("server", "module")] == ["right"]
    found, = [one for one in checks if (one["group"], one["name"]) == ("server", "time")]
    assert "no end after 10 seconds" in found["detail"]
    assert processes(str(world.server.raddb)) == []


# ---- what is not there ----


def test_nothing_here(world, tmp_path):
    code, checks = world.doctor("-c", tmp_path / "none.conf", "--raddb", tmp_path)
    assert code == 1 and {(one["group"], one["name"]) for one in checks} == {("configuration", "raddb"), ("sync", "conf")}


def test_nothing_yet(world, tmp_path):
    """Who has just installed it is told what comes first, and nothing of a key that is not there."""
    with away(world.pki.server[1]):
        _, checks = world.doctor()
    assert ("certificate", "key") not in {(one["group"], one["name"]) for one in checks}
    with away(world.sync.list_file):
        _, checks = world.doctor("-c", tmp_path / "none.conf")
    told = {(one["group"], one["name"]): one["detail"] + one["remedy"] for one in checks}
    assert all("certdir setup" in told[name] for name in (("list", "list"), ("sync", "conf")))


def test_a_credential_of_systemd(world):
    """Without the service it is nowhere, which is no mistake of the configuration."""
    with edited(world.sync.conf, str(world.sync.directory / "contoso.secret"), "${CREDENTIALS_DIRECTORY}/contoso.secret"):
        _, checks = world.doctor()
        found, = [one for one in checks if (one["group"], one["name"]) == ("sync", "conf")]
        assert found["state"] == "skipped" and "systemctl start certdir-sync" in found["remedy"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CREDENTIALS_DIRECTORY", str(world.sync.directory))
            assert world.doctor()[0] == 0


def test_as_another_user(world):
    """What only root, or the server, can see is not looked at, and is no fault."""
    code, checks = world.doctor(user="games", group="games", extra_groups=["nogroup"])
    skipped = {(one["group"], one["name"]) for one in checks if one["state"] == "skipped"}
    assert {("server", "start"), ("certificate", "files"), ("sync", "secret"), ("graph", "token")} <= skipped
    assert not [one for one in checks if one["state"] == "wrong"], code
    _, checks = world.doctor(user="games", group="games", extra_groups=[])
    assert [one["state"] for one in checks if one["group"] == "configuration"] == ["skipped"]


@pytest.mark.parametrize("name", ["list", "sessions", "certificate", "CAs", "module", "eap", "conf", "secret", "apply"])
def test_rubbish(world, name):
    """Whatever stands in a file, it is a fault that is told: no check ends before its time."""
    path = {"list": world.sync.list_file, "sessions": world.server.file, "certificate": world.pki.server[0], "CAs": world.pki.ca,
            "module": world.module, "eap": world.eap, "conf": world.sync.conf, "secret": world.sync.directory / "contoso.secret",
            "apply": world.directory / "undo" / f"{SECTION}.apply"}[name]
    world.applied("ok")
    for rubbish in (random.Random(name).randbytes(5000), b"-----BEGIN CERTIFICATE-----\nMIIB\n{{{"):
        with kept(path):
            path.write_bytes(rubbish)
            code, checks = world.doctor()
        assert code == 1 or name == "apply"
        assert not [one for one in checks if one["name"] == "time"]
