# SPDX-License-Identifier: GPL-2.0-or-later
"""`certdir setup` against a fake Entra ID and Graph: from nothing to a tenant that is synced, again and again, and what is refused."""

import base64
import os
import pty
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from testenv import graph_faults
from testenv.graph_applications import ROLES
from testenv.radiusd import BUILD, SYSTEM_LIBDIR
from testenv.stock import STOCK
from testenv.sync import serving
from testenv.tenant import Tenant

STAFF = "Wi-Fi staff"
NAMES = {name: role for role, name in ROLES.items()}


class Office:
    """A machine without anything, and a tenant."""

    def __init__(self, graph, directory):
        self.graph = graph
        graph.permissions = set()
        self.directory = directory
        self.conf, self.list = directory / "certdir.conf", directory / "var" / "devices.db"
        (directory / "var").mkdir()
        self.key = directory / "var" / "contoso.pem"
        self.raddb = directory / "raddb"
        # Where the fake is; else the file would not be there.
        self.head = (f"# ours\n[list]\nfilename = {self.list}\n\n[tenant contoso]\n; the fake\nauthority = {graph.url}\n"
                     f"graph = {graph.url}\nca_file = {graph.ca_file}\nreport_hosts = {graph.report_suffix}\n")
        self.conf.write_text(self.head)

    def command(self, *arguments):
        return [BUILD / "certdir", "setup", "-c", self.conf, "--raddb", self.raddb, *arguments]

    def start(self, *arguments):
        return subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def run(self, *arguments, code=0):
        """(standard output, standard error)"""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=100)
        assert process.returncode == code, f"{process.returncode}\n{out}{err}"
        return out, err

    def setup(self, *arguments, code=0):
        return self.run("--tenant", "contoso.onmicrosoft.com", "--features", "intune", *arguments, code=code)

    @property
    def application(self):
        one, = self.graph.applications.values()
        return one

    def required(self):
        access, = self.application["requiredResourceAccess"]
        return {ROLES[role["id"]] for role in access["resourceAccess"]}

    def sync(self):
        done = subprocess.run([BUILD / "certdir", "sync", "-c", self.conf], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def office(tmp_path):
    with serving() as serve:
        yield Office(serve(Tenant("contoso", 5, groups=(STAFF,))), tmp_path)


def test_from_nothing_to_a_list(office):
    out, err = office.setup("--group", STAFF)
    code, = {sign_in.code for sign_in in office.graph.sign_ins}
    assert code in out and "https://microsoft.com/devicelogin" in out and not err
    assert office.required() == {"Device.Read.All", "DeviceManagementManagedDevices.Read.All", "GroupMember.Read.All"}
    assert office.graph.permissions == office.required() and office.application["signInAudience"] == "AzureADMyOrg"
    text = office.conf.read_text()
    assert text.startswith(office.head)
    assert f"client_id = {office.application['appId']}\n" in text and f"tenant_id = {office.graph.tenant.id}\n" in text
    assert "renew = yes\n" in text and f"group = {STAFF}\n" in text
    assert office.key.stat().st_mode & 0o777 == 0o600
    office.sync()
    assert office.list.exists()


def test_the_key_stays_here(office):
    office.setup()
    pem = office.key.read_bytes()
    key = load_pem_private_key(pem[pem.index(b"-----BEGIN PRIV"):], None)
    certificate = x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERT"):])
    assert key.key_size == 3072 and key.public_key().public_numbers() == certificate.public_key().public_numbers()
    secret = pem[:pem.index(b"-----END PRIV")].split(b"\n")[-4]
    assert not [request for request in office.graph.requests if b"PRIVATE" in request.body or secret in request.body]
    assert pem.startswith(f"Key-Id: {office.application['keyCredentials'][0]['keyId']}\n".encode())


def test_again_mends_and_makes_no_other(office):
    office.setup()
    before, conf = office.key.read_bytes(), office.conf.read_text()
    office.run()
    assert (office.key.read_bytes(), office.conf.read_text()) == (before, conf)
    # Somebody took a permission away, and another is wanted now.
    office.graph.assignments.clear()
    office.graph.permissions.clear()
    office.application["requiredResourceAccess"] = [{"resourceAppId": "other", "resourceAccess": []}]
    out, _ = office.run("--features", "intune users certificates")
    assert "Found the application" in out and len(office.graph.applications) == 1
    assert office.application["requiredResourceAccess"][0]["resourceAppId"] == "other", "what others wrote stays"
    assert office.graph.permissions == {"Device.Read.All", "DeviceManagementManagedDevices.Read.All", "User.Read.All",
                                        "DeviceManagementConfiguration.Read.All"}
    assert "users = yes" in office.conf.read_text()
    # The key is gone: the application gets another.
    office.key.unlink()
    office.run()
    assert len(office.application["keyCredentials"]) == 2
    office.sync()


@pytest.mark.parametrize("calls", range(1, 14, 3))
def test_killed(office, calls):
    """After a kill at any request another run ends the work, with one application."""
    process = office.start("--tenant", "contoso.onmicrosoft.com", "--features", "intune")
    deadline = time.monotonic() + 30
    while len(office.graph.requests) < calls and process.poll() is None and time.monotonic() < deadline:
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    office.setup()
    assert len(office.graph.applications) == 1
    office.sync()


def test_two_at_once(office):
    """The second one sees that the first is at it, or uses the key that this has made: there is one application, and its key."""
    runs = [office.start("--tenant", "contoso.onmicrosoft.com", "--features", "none") for _ in range(2)]
    for run in runs:
        _, err = run.communicate(timeout=100)
        assert run.returncode == 0 or (run.returncode == 75 and "another certdir is changing it" in err), err
    assert len(office.graph.applications) == 1 and len(office.application["keyCredentials"]) == 1
    office.sync()


def test_a_run_that_was_killed_before_the_key_was_made(office):
    office.key.touch(0o600)
    office.setup()
    office.sync()


def test_what_is_no_key(office):
    """A FIFO in its place holds nobody, and what stands where the key is written first is not written into."""
    os.mkfifo(office.key, 0o600)
    _, err = office.setup(code=65)
    assert f"{office.key} is not a regular file" in err
    office.key.unlink()
    victim, new = office.directory / "victim", office.key.with_name("contoso.pem.new")
    victim.touch()
    for hostile in (lambda: new.symlink_to(victim), lambda: new.hardlink_to(victim)):
        hostile()
        office.setup(code=73)
        new.unlink()
    assert victim.read_bytes() == b"" and not office.graph.applications


def test_certdir_conf_is_a_link(office):
    kept = office.directory / "kept.conf"
    office.conf.rename(kept)
    office.conf.symlink_to(kept)
    office.setup()
    assert office.conf.is_symlink() and "client_id" in kept.read_text()


def test_entra_id_needs_a_while(office):
    office.graph.lag = 2
    out, err = office.setup()
    assert "Waiting until" in out and not err
    assert len(office.graph.applications) == 1 and len(office.graph.assignments) == 2


def test_throttling(office):
    for route in ("deviceCode", "token", "application", "principals", "assignedTo"):
        office.graph.order(route, graph_faults.throttled("0.3"))
    _, err = office.setup()
    assert err.count("trying again") == 5 and len(office.graph.applications) == 1


def test_the_sign_in_takes_its_time(office):
    office.graph.sign_in_answers = ["authorization_pending", "slow_down", "authorization_pending"]
    office.setup()


@pytest.mark.parametrize("said, words", [
    ("expired_token", ["nobody has signed in before"]),
    ("authorization_declined", ["declined", "--print"]),
    ("bad_verification_code", ["AADSTS70018"]),
    (53003, ["Conditional Access", "--print powershell"]),
    (65001, ["Global Administrator"]),
    (65004, ["consent was declined"]),
])
def test_sign_ins_that_fail(office, said, words):
    office.graph.sign_in_answers = ["authorization_pending", said]
    _, err = office.setup(code=69)
    assert all(word in err for word in words), err
    assert not office.graph.applications and office.conf.read_text() == office.head
    office.setup()


def test_the_device_code_is_blocked(office):
    office.graph.device_code_answer = 53003
    _, err = office.setup(code=69)
    assert "blocks signing in by device code" in err and "--print powershell" in err


def test_no_such_tenant(office):
    _, err = office.run("--tenant", "fabrikam.example", "--features", "none", code=69)
    assert "knows no tenant fabrikam.example" in err and "AADSTS90002" in err and not office.key.exists()


def test_an_account_that_may_not_register(office):
    office.graph.may_register = False
    _, err = office.setup(code=69)
    assert "may not register an application" in err and "Application Administrator" in err
    assert office.conf.read_text() == office.head


def test_an_account_that_may_not_grant(office):
    office.graph.may_grant = False
    out, _ = office.setup(code=1)
    assert f"{office.graph.url}/{office.graph.tenant.id}/adminconsent?client_id={office.application['appId']}" in out
    assert "client_id" in office.conf.read_text()
    office.graph.may_grant = True
    office.run()
    office.sync()


def test_what_is_there_is_not_overwritten(office):
    office.conf.write_text(office.head + "client_secret_file = /etc/certdir/contoso.secret\n")
    _, err = office.setup(code=78)
    assert "client_secret_file" in err and f"{office.conf}:11:" in err and not office.graph.requests
    office.conf.write_text(office.head)
    office.key.write_text("something else\n")
    office.key.chmod(0o600)
    _, err = office.setup(code=65)
    assert str(office.key) in err and office.key.read_text() == "something else\n"


def test_an_application_that_is_gone(office):
    office.setup()
    office.graph.applications.clear()
    _, err = office.run(code=69)
    assert "take client_id out of it" in err


def test_nobody_to_ask(office):
    office.conf.write_text("")
    _, err = office.run(code=64)
    assert "--tenant is missing" in err
    _, err = office.run("--tenant", "contoso.onmicrosoft.com", code=64)
    assert "--features is missing" in err
    _, err = office.run("--tenant", office.graph.tenant.id, "--features", "none", code=64)
    assert "--name is missing" in err
    for arguments, word in ((("--features", "intun"), "intun"), (("--cloud", "mars", "--features", "none"), "mars"),
                            (("stray",), "operand"),
                            (("--features", "none", "--group", "a\nrenew = no"), "control character"), (("--print", "bash"), "--print")):
        assert word in office.run("--tenant", "contoso.onmicrosoft.com", *arguments, code=64)[1]


def test_questions_at_a_terminal(office):
    main, side = pty.openpty()
    process = subprocess.Popen(office.command(), stdin=side, stdout=side, stderr=side, text=True, start_new_session=True)
    os.close(side)
    for line in ("contoso.onmicrosoft.com", STAFF, ""):
        os.write(main, f"{line}\n".encode())
    seen = b""
    try:
        while more := os.read(main, 4096):
            seen += more
    except OSError:
        pass
    os.close(main)
    assert process.wait(60) == 0, seen
    assert b"Tenant, by a domain" in seen


def test_print(office):
    for tool, word in (("az", "az ad app create"), ("powershell", "New-MgApplication")):
        out, _ = office.setup("--print", tool, "--group", STAFF)
        assert word in out and "PRIVATE" not in out and office.graph.tenant.id in out
        for name in ("Device.Read.All", "DeviceManagementManagedDevices.Read.All", "GroupMember.Read.All"):
            assert name in out and NAMES[name] in out
        assert "User.Read.All" not in out
    key = re.search(r"FromBase64String\('(.*?)'\)", out)[1]
    pem = office.key.read_bytes()
    assert x509.load_der_x509_certificate(base64.b64decode(key)) == x509.load_pem_x509_certificate(
        pem[pem.index(b"-----BEGIN CERT"):])
    assert not office.graph.applications and office.conf.read_text() == office.head
    # What it says is to be written is what certdir sync takes.
    section = "\n".join(line[2:] for line in out.split("# [tenant contoso]\n")[1].split("#\n")[0].splitlines())
    guid = office.graph.tenant.id
    office.conf.write_text(office.head + section.replace("the first id", guid).replace("the second id", guid) + "\n")
    done = subprocess.run([BUILD / "certdir", "sync", "-c", office.conf], capture_output=True, text=True, check=False)
    assert "AADSTS700016" in done.stdout + done.stderr, done.stderr


# ---- raddb ----


def write_raddb(office):
    """As a package and make install leave it."""
    shutil.copytree(STOCK, office.raddb, symlinks=True)
    conf = office.raddb / "radiusd.conf"
    # The server's user could not read what belongs to a test.
    text = re.sub(r"(?m)^\t(user|group) = freerad", "", conf.read_text())
    conf.write_text(re.sub(r"(?m)^libdir = .*", f'libdir = "{BUILD}:{SYSTEM_LIBDIR}"', text))
    snippets = Path(__file__).parents[2] / "raddb-snippets"
    for folder in ("mods-available", "sites-available", "policy.d"):
        shutil.copytree(snippets / folder, office.raddb / folder, dirs_exist_ok=True)


def tree(directory):
    return {str(path.relative_to(directory)): os.readlink(path) if path.is_symlink() else path.read_bytes()
            for path in sorted(directory.rglob("*")) if path.is_symlink() or path.is_file()}


def test_raddb_is_shown_and_left_alone(office):
    write_raddb(office)
    before = tree(office.raddb)
    out, _ = office.setup()
    assert "+mods-enabled/certdir -> ../mods-available/certdir\n" in out
    assert "-mods-enabled/eap -> ../mods-available/eap\n+mods-enabled/eap -> ../mods-available/certdir-eap\n" in out
    assert f"+\t\tfilename = {office.list}\n" in out and "Nothing of it was changed" in out
    assert tree(office.raddb) == before


def test_raddb_is_written(office, pki):
    write_raddb(office)
    for name, file in (("server.pem", "certificate"), ("server.key", "key"), ("device-ca.pem", "ca")):
        shutil.copy(pki.trust[file], office.raddb / "certs" / name)
    shipped = (office.raddb / "mods-available/certdir").read_bytes()
    out, _ = office.setup("--write-raddb")
    assert "is content" in out
    assert os.readlink(office.raddb / "mods-enabled/eap") == "../mods-available/certdir-eap"
    assert (office.raddb / "sites-enabled/certdir-wired").exists() and (office.raddb / "mods-enabled/certdir").exists()
    assert f"filename = {office.list}\n" in (office.raddb / "mods-available/certdir").read_text()
    assert (office.raddb / "mods-available/certdir.before-setup").read_bytes() == shipped
    before = tree(office.raddb)
    out, _ = office.run("--write-raddb")
    assert "has certdir enabled" in out and tree(office.raddb) == before


def test_raddb_that_the_server_does_not_take_is_taken_back(office):
    """Without the server's certificate it would not start."""
    write_raddb(office)
    before = tree(office.raddb)
    _, err = office.setup("--write-raddb", code=78)
    assert "taken back" in err and "server.key" in err
    after = tree(office.raddb)
    assert after.pop("mods-available/certdir.before-setup") == before["mods-available/certdir"]
    assert after == before


def test_raddb_that_cannot_be_changed_is_taken_back(office):
    """The first link was made, and there is no place for the second one. The site's own eap stays in any case."""
    write_raddb(office)
    shutil.rmtree(office.raddb / "sites-enabled")
    (office.raddb / "mods-enabled/eap").unlink()
    (office.raddb / "mods-enabled/eap").write_text("eap { }\n")
    before = tree(office.raddb)
    out, err = office.setup("--write-raddb", code=73)
    assert "+mods-enabled/certdir -> " in out and f"certdir: {office.raddb} cannot be changed: No such file" in err
    assert "mods-enabled/eap is the site's own and stays" in out and "mods-enabled/eap -> " not in out
    after = tree(office.raddb)
    assert after.pop("mods-available/certdir.before-setup") == before["mods-available/certdir"]
    assert after == before
