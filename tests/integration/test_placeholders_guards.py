# SPDX-License-Identifier: GPL-2.0-or-later
"""
`certdir placeholders` when something is wrong, or happens in the middle: it says what, and nothing has changed but what
was to change.
"""

import os
import resource
import signal
import socket
import subprocess
import threading
from contextlib import contextmanager

import pytest

from testenv import placeholder_worlds as worlds
from testenv.clock import HURRY
from testenv.devices import device_id
from testenv.ldap_proxy import CUT, LdapProxy
from testenv.placeholder_fixtures import shared, site, slapd  # noqa: F401
from testenv.placeholder_worlds import (BLIND, DAY, ELSEWHERE, GROUP, HOUR, KEEPER, LOOKER, MAKER, OU, PEEKER, Site, accounts,
                                        filled, forget_undo, in_between, keep_only, names, says, unchanged)
from testenv.placeholders import (DONE, FAILED, MISCONFIGURED, MISUSED, PROBLEMS, REFUSED, SECTION, TO_DO)
from testenv.ports import free_port
from testenv.radiusd import BUILD
from testenv.slapd import ADMIN, SUFFIX
from testenv.sync import contoso, serving


def refused(site, *words, code=REFUSED):
    """Neither a plan nor an apply does anything; both say why."""
    for verb in ("plan", "apply"):
        for json in (False, True):
            run = getattr(site, verb)(code=code, json=json)
            says(run, SECTION, *words)
            if json:
                assert run.summary["error"] or run.summary["refused"]
                assert not run.done
    assert not site.undo_files()


# ---- the list ----

def test_a_list_that_is_empty(slapd, site):
    filled(site)
    keep_only(site, [])
    with unchanged(slapd):
        refused(site, "list is empty")
        site.apply("--force", code=REFUSED)


def test_a_list_that_is_empty_from_the_start(slapd, site):
    site.publish()
    with unchanged(slapd):
        refused(site, "list is empty")


def test_half_of_the_list(slapd, site):
    """Disabled with --force, removed a month later with --force, and neither without."""
    filled(site, 40, operatingSystem="Windows")
    keep_only(site, list(site.devices)[:20])
    with unchanged(slapd):
        refused(site, "20 of 40", "--force", "max_remove", "10")
        assert site.plan().kinds() == {"disable": 20}
    site.apply("--force")
    found = accounts(slapd.contents())
    assert len(found) == 40
    assert {account.key for account in found if not account.disabled} == set(site.devices)
    assert {account.mark.state for account in found if account.disabled} == {"gone=2026-03-01T00:00:00Z"}
    assert site.apply().actions == []

    site.at += 30 * DAY - 1
    site.publish()
    assert site.apply().actions == []
    site.at += 1
    site.publish()
    forget_undo(site)
    with unchanged(slapd):
        refused(site, "20 of 40", "--force")
        assert site.plan().kinds() == {"remove": 20}
    site.apply("--force")
    assert {account.key for account in accounts(slapd.contents())} == set(site.devices)
    assert site.apply().actions == []


def test_a_few_may_go_without_force(slapd, site):
    filled(site, 12)
    keep_only(site, list(site.devices)[:7])
    assert site.apply().kinds() == {"disable": 5}
    assert sum(account.disabled for account in accounts(slapd.contents())) == 5


def test_a_guard_counts_what_is_disabled_too(slapd, site):
    """Half of the devices are disabled by mistake: the same as a list of half."""
    filled(site, 40)
    for number, device in enumerate(site.devices.values()):
        device["accountEnabled"] = number % 2 == 0
    site.publish()
    with unchanged(slapd):
        site.apply(code=REFUSED)


def test_devices_that_nobody_selects_any_more(slapd, site):
    """The list is whole and the configuration selects none of it."""
    filled(site, 10)
    site.options["operating_systems"] = "CP/M"
    with unchanged(slapd):
        refused(site, "no device", "10 accounts", "--force")


def test_a_list_that_is_old(slapd, site):
    filled(site)
    site.at += DAY + HOUR
    with unchanged(slapd):
        refused(site, "max_age", "24 hours", "2026-03-01T00:00:00Z")
        site.apply("--force", code=REFUSED)
    site.options["max_age"] = "2d"
    assert site.apply().actions == []


def test_a_list_that_is_missing(slapd, site):
    with unchanged(slapd):
        refused(site, site.list.path)


def test_a_list_that_is_damaged(slapd, site):
    filled(site)
    content = site.list.path.read_bytes()
    with unchanged(slapd):
        for damaged in (content[:-1], content[:4096], b"", content[:3000] + b"?" + content[3001:]):
            site.list.path.write_bytes(damaged)
            refused(site, site.list.path)


def test_intune_was_never_asked(slapd, tmp_path):
    """Whether a device is managed is only known once Intune's part was synced."""
    with serving() as serve:
        tenant, _, sync = contoso(serve, tmp_path)
        tenant.intune = False
        sync.run(code=None)
        site = Site(tmp_path / "site", slapd.uri, at=None, require_compliant="yes",
                    trust_types="AzureAd, ServerAd, Workplace")
        site.list.path = sync.list_file
        with unchanged(slapd):
            refused(site, "require_compliant", "Intune")


# ---- who is left out ----

def test_every_device_that_is_left_out_is_counted(slapd, site):
    """Whoever looks for a device that has no account learns what the section asks for that it has not."""
    site.add("LAPTOP-1", "LAPTOP-2")
    site.add("OFF-1", accountEnabled=False)
    site.add("HYBRID-1", "HYBRID-2", trustType="ServerAd")
    site.add("IMPORTED-1", "IMPORTED-2", "IMPORTED-3", trustType=None)
    site.add("PHONE-1", operatingSystem="iOS")
    site.options["operating_systems"] = "Windows"
    site.publish()
    run = site.plan(code=TO_DO)
    assert run.kinds() == {"create": 2}
    assert run.summary["left_out"] == {"disabled": 1, "trust_type": 2, "no_trust_type": 3, "operating_system": 1}
    line, = [line for line in site.plan(json=False).out.splitlines() if "left out" in line]
    assert line == (f"{site.section}: 7 devices of the list left out: disabled 1, a trust type that is not in trust_types 2, "
                    'no trust type ("none" in trust_types takes them) 3, another operating system 1')
    site.options.update(operating_systems=None, trust_types="AzureAd, ServerAd, none", require_enabled="no")
    run = site.plan(code=TO_DO)
    assert (run.kinds(), run.summary["left_out"]) == ({"create": 9}, {})
    assert "left out" not in site.plan(json=False).out


# ---- the OU ----

def test_an_ou_full_of_others(slapd, site):
    """Reported, each of them, and not touched. Removals are not thought of."""
    before = {}
    for number in range(10):
        dn = slapd.add_computer(f"SERVER-{number}", parent=OU, servicePrincipalName=f"HOST/SERVER-{number}")
        before[dn] = slapd.contents(dn)
    site.add(*names(4))
    site.publish()
    run = site.apply(code=(DONE, PROBLEMS))
    assert run.kinds() == {"create": 4}
    assert set(run.remarks("foreign")) == set(before)
    assert {dn: slapd.contents(dn) for dn in before} == before
    assert "SERVER-3" in site.plan(json=False).out


def test_an_ou_that_is_not_there(slapd, site):
    site.options["ou"] = f"OU=Notebooks,OU=Placeholder,{SUFFIX}"
    site.add("LAPTOP-1")
    site.publish()
    with unchanged(slapd):
        refused(site, f"OU=Notebooks,OU=Placeholder,{SUFFIX}", SUFFIX, code=FAILED)
    site.options["ou"] = f"OU=Notebooks,{OU}"
    run = site.plan(code=FAILED)
    says(run, f"OU=Notebooks,{OU}")
    assert run.said.lower().count(OU.lower()) >= 2, "it does not name what is there"


def test_an_ou_that_is_no_dn(slapd, site):
    site.add("LAPTOP-1")
    site.publish()
    for ou in ("Notebooks", "=", "corp.example/Notebooks", "OU=a,,DC=corp"):
        site.options["ou"] = ou
        with unchanged(slapd):
            run = site.apply(code=MISCONFIGURED)
            says(run, site.conf, "ou")


def test_two_sections_in_one_ou(slapd, site):
    """Each would call the other's accounts foreign: refused, also when one OU is within the other."""
    filled(site)
    for ou in (OU, OU.upper(), f"ou=Below, {OU}", SUFFIX):
        site.others["lan"] = {**site.options, "ou": ou}
        with unchanged(slapd):
            says(site.apply(code=MISCONFIGURED), site.conf, "wifi", "ou")


def test_accounts_of_another_section(slapd, site):
    """They stay as they are; a name that one of them has is a problem and nothing more."""
    filled(site)
    before = slapd.contents()
    site.section = "lan"
    run = site.apply(code=PROBLEMS)
    assert not run.actions and len(run.problems) == 3 and len(run.remarks("foreign")) == 3
    assert all("wifi" in text for text in run.remarks("foreign").values())
    assert slapd.contents() == before
    site.options.update(name="{name}", service_principal_name="HOST/{cn}")
    site.apply(code=(DONE, PROBLEMS))
    after = slapd.contents()
    assert {dn: after[dn] for dn in before} == before
    assert len(accounts(after, "lan")) == 3
    assert site.plan().actions == []


def test_an_account_moved_out_of_the_ou_is_not_looked_for(slapd, site):
    """What stands elsewhere is never touched, whatever mark it has; its names are taken."""
    slapd.add_computer(device_id("LAPTOP-1"), parent=ELSEWHERE, sAMAccountName="AWAY$",
                       servicePrincipalName=f"HOST/{device_id('LAPTOP-1')}",
                       adminDescription=f"certdir:wifi:{device_id('LAPTOP-1')}")
    before = slapd.contents(ELSEWHERE)
    site.add("LAPTOP-1", "LAPTOP-2")
    site.publish()
    run = site.apply(code=PROBLEMS)
    assert ELSEWHERE.lower() in run.problems[device_id("LAPTOP-1")].lower()
    assert slapd.contents(ELSEWHERE) == before


# ---- rights ----

def test_an_account_that_may_not_write(slapd, site):
    site.bind_as(LOOKER)
    site.add(*names(3))
    site.publish()
    with unchanged(slapd):
        site.plan(code=TO_DO)
        run = site.apply(code=PROBLEMS)
        says(run, "Insufficient access", "create computer objects in this OU")
        assert not run.done and len(run.of("aside")) == 3
        # For people what the server says of all of them is said once, and who they are.
        text = site.apply(code=PROBLEMS, json=False).out
    line, = [line for line in text.splitlines() if line.startswith("set aside")]
    assert line.startswith(f"set aside  3 alike ({'; '.join(sorted(site.devices))}): create: {slapd.uri}: ENTRY cannot be created: "), text


def test_adopting_what_may_not_be_seen(slapd, site):
    """The OU may be read and nothing in it: that is not "nothing to do"."""
    site.add(*names(3))
    site.publish()
    for name in names(3):
        slapd.add_computer(name, OU)
    site.bind_as(PEEKER)
    with unchanged(slapd):
        run = site.end(site.start("adopt", "--json", "--pattern", "{name}", "--apply", SECTION), PROBLEMS)
        assert "may read them" in run.problems[""] and not run.actions


def test_what_is_wrong_with_many_devices_is_said_once(slapd, site):
    """In JSON each has its line."""
    for name in names(6, 10):
        slapd.add_computer(name, OU)
    site.options["name"] = "{serial_number}"
    site.add(*names(3))
    site.publish()
    run = site.plan(code=PROBLEMS)
    assert len(run.problems) == 3 and len(run.remarks("foreign")) == 6
    lines = site.plan(code=PROBLEMS, json=False).out.splitlines()
    assert f"problem    3 alike ({'; '.join(sorted(site.devices))}): has no serial_number: it gets no account" in lines, lines
    foreign = "; ".join(f"cn={name},{OU}" for name in names(5, 10))
    assert [line for line in lines if line.startswith("foreign")] == [
        f"foreign    6 alike ({foreign}; ..): is not ours and stays as it is: this OU should hold nothing else"], lines
    site.apply(code=PROBLEMS)
    status = subprocess.run([BUILD / "certdir", "status", "-c", site.conf], capture_output=True, text=True, timeout=60, check=True)
    assert "): 3 problems; 0 done" in status.stdout, status.stdout


def test_an_account_that_may_write_some(slapd, site):
    """The right to create and not to join the group: what was done stays, and the next run goes on from there."""
    site.options["member_of"] = GROUP
    site.add(*names(3))
    site.publish()
    site.bind_as(MAKER)
    says(site.apply(code=PROBLEMS), GROUP, "Insufficient access", "member")
    site.bind_as(KEEPER)
    site.apply()
    assert len([dn for dn in slapd.contents(OU) if dn != OU]) == 3
    assert len(slapd.contents(GROUP)[GROUP]["member"]) == 3
    assert site.apply().actions == []


def test_an_ou_in_which_nothing_may_be_seen(slapd, site):
    """It looks empty, and is not: what is there must not be made again, or removed."""
    filled(site)
    site.bind_as(PEEKER)
    with unchanged(slapd):
        run = site.apply(code=PROBLEMS)
        says(run, OU, "exist")


def test_marks_that_may_not_be_seen(slapd, site):
    """Accounts without a visible mark are others' accounts."""
    filled(site)
    site.bind_as(BLIND)
    with unchanged(slapd):
        run = site.apply(code=PROBLEMS)
        assert len(run.problems) == 3 and len(run.remarks("foreign")) == 3


# ---- what is unique ----

def test_a_service_principal_name_that_another_has(slapd, site):
    """Its holder is named and stays; the others get their accounts."""
    taken = device_id("LAPTOP-002")
    holder = slapd.add_computer("REAL", parent=ELSEWHERE, servicePrincipalName=[f"host/{taken.upper()}", "HOST/REAL"])
    before = slapd.contents(ELSEWHERE)
    site.add(*names(3))
    site.publish()
    run = site.apply(code=PROBLEMS)
    assert set(run.problems) == {taken}
    assert holder.lower() in run.problems[taken].lower() and taken in run.problems[taken].lower()
    assert slapd.contents(ELSEWHERE) == before
    made = {account.key for account in accounts(slapd.contents())}
    assert made >= {device_id("LAPTOP-001"), device_id("LAPTOP-003")}
    plan = site.plan(code=PROBLEMS)
    assert plan.actions == [] and plan.problems == run.problems
    slapd.delete(holder)
    site.apply()
    assert len(accounts(slapd.contents())) == 3


def test_an_account_name_that_another_has(slapd, site):
    """One that is cut to 15 characters gives way to another's. A computer that is called as the device is is named, and keeps its names."""
    slapd.add_computer("WORKSTATION-BER", parent=ELSEWHERE)
    staged = slapd.add_computer("LAPTOP-001", parent=ELSEWHERE)
    site.options["name"] = "{name}"
    site.add(*names(2), "WORKSTATION-BERLIN-1")
    site.publish()
    run = site.apply(code=PROBLEMS)
    assert set(run.problems) == {device_id("LAPTOP-001")}
    assert staged.lower() in run.problems[device_id("LAPTOP-001")].lower()
    found = {account.cn: account.account_name for account in accounts(slapd.contents())}
    assert found["LAPTOP-002"] == "LAPTOP-002$" and "LAPTOP-001" not in found
    assert found["WORKSTATION-BERLIN-1"] != "WORKSTATION-BER$" and len(found["WORKSTATION-BERLIN-1"]) <= 16
    assert site.apply(code=PROBLEMS).actions == []
    assert found == {account.cn: account.account_name for account in accounts(slapd.contents())}


# ---- the server ----

def test_a_server_that_is_read_only(tmp_path):
    with worlds.server(tmp_path / "slapd") as slapd:
        worlds.fill(slapd)
        site = filled(Site(tmp_path / "site", slapd.uri))
        slapd.stop()
        slapd.access += "readonly on\n"
        slapd.write()
        slapd.start()
        site.add("LAPTOP-NEW")
        site.publish()
        with unchanged(slapd):
            says(site.apply(code=PROBLEMS), slapd.uri, "operation restricted", "takes no changes")


def test_servers_that_take_no_changes_are_passed_over(slapd, site, tmp_path):
    """A replica sends writers elsewhere; a read-only domain controller says what it is in its root DSE."""
    with worlds.server(tmp_path / "replica") as replica, worlds.server(tmp_path / "rodc") as controller:
        for server in (replica, controller):
            worlds.fill(server)
            server.stop()
        replica.access += f'syncrepl rid=1 provider={slapd.uri} searchbase="{SUFFIX}" type=refreshOnly bindmethod=simple\n' \
                          f"updateref {slapd.uri}\n"
        replica.write()
        replica.start()
        root = controller.directory / "root.ldif"
        root.write_text("dn:\nsupportedCapabilities: 1.2.840.113556.1.4.1920\n")
        controller.settings += f"\nattributetype ( 1.2.840.113556.1.4.1677 NAME 'supportedCapabilities' SYNTAX " \
                               f"1.3.6.1.4.1.1466.115.121.1.38 )\nrootDSE {root}\n"
        controller.write()
        controller.start()
        site.options["server"] = [replica.uri, controller.uri, slapd.uri]
        filled(site)
        assert site.plan().summary["server"].rstrip("/") == slapd.uri
        site.options["server"] = [replica.uri, controller.uri]
        says(site.apply(code=FAILED), f"{replica.uri} takes no changes: Referral",
             f"{controller.uri} is a read-only domain controller")


def test_a_server_that_is_down(site):
    site.add("LAPTOP-1")
    site.publish()
    site.options["server"] = f"ldap://127.0.0.1:{free_port('tcp')}"
    refused(site, site.options["server"], code=FAILED)


def test_the_next_server_is_asked(slapd, site):
    site.options["server"] = [f"ldap://127.0.0.1:{free_port('tcp')}", slapd.uri]
    filled(site)
    assert site.plan().summary["server"].rstrip("/") == slapd.uri


def test_a_server_that_hangs(slapd, site):
    """The kernel takes the connection and nobody answers."""
    site.at = None
    site.add("LAPTOP-1")
    site.publish()
    site.env = HURRY
    before = slapd.contents()
    slapd.pause()
    try:
        says(site.apply(code=FAILED), slapd.uri, "no answer within 60 s")
    finally:
        slapd.resume()
    assert slapd.contents() == before


def test_a_server_that_hangs_in_the_middle(slapd, site):
    """Nobody knows what became of the operations on the way; the next run does."""
    site.at = None
    site.add(*names(20))
    site.publish()
    site.env = HURRY
    try:
        with in_between(site, slapd) as proxy:
            proxy.on_request = lambda request: slapd.pause() if request.writes == 9 else None
            says(site.apply(code=FAILED), "no answer within 60 s", "make a new plan")
            slapd.resume()
    finally:
        slapd.resume()
    site.env = {}
    site.apply()
    assert len(accounts(slapd.contents())) == 20
    assert site.apply().actions == []


LIES = {
    "nothing": b"",
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "zeros": b"\0" * 4096,
    "huge length": b"\x30\x84\x7f\xff\xff\xff\x02\x01\x01\x61",
    "endless length": b"\x30\xff" + b"\xff" * 200,
    "bad bind response": b"\x30\x05\x02\x01\x01\x61\x00",
    "another message": bytes.fromhex("300c02017f61070a010004000400"),
    "half a bind response": bytes.fromhex("300c02010161070a0100"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_server_that_lies(slapd, site, lie):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def answer():
            client, _ = listener.accept()
            with client:
                client.recv(4096)
                client.sendall(LIES[lie])
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        site.options["server"] = uri = f"ldap://127.0.0.1:{listener.getsockname()[1]}"
        site.add("LAPTOP-1")
        site.publish()
        with unchanged(slapd):
            says(site.apply(code=FAILED), uri)
        thread.join()


def test_a_page_that_never_comes(slapd, site):
    """The connection ends at any answer while a plan is made: a listing is the whole truth or none."""
    filled(site, 30)
    with LdapProxy(slapd.port) as proxy, unchanged(slapd):
        site.options["server"] = proxy.uri
        for number in range(1, 100):
            proxy.on_answer = lambda request, number=number: CUT if request.number == number else None
            run = site.apply(code=(FAILED, DONE))
            asked = proxy.requests
            proxy.settle()
            assert not run.actions
            if run.code == DONE:
                break
            says(run, proxy.uri)
        assert number >= asked > 3


def test_a_wrong_password(slapd, site):
    site.options["password_file"] = site.secret_file("wrong", "not-the-password\n")
    site.add("LAPTOP-1")
    site.publish()
    with unchanged(slapd):
        refused(site, slapd.uri, "password", code=FAILED)
    for words in site.apply(code=FAILED).said.split():
        assert "not-the-password" not in words


def test_a_password_that_others_can_read(slapd, site):
    site.options["password_file"] = path = site.secret_file("open", worlds.PASSWORD + "\n")
    path.chmod(0o644)
    site.add("LAPTOP-1")
    site.publish()
    with unchanged(slapd):
        refused(site, path, "0644", code=FAILED)


def test_a_group_that_is_none(slapd, site):
    site.add("LAPTOP-1")
    site.publish()
    for group, word in ((f"cn=Nobody,{OU}", "cn=Nobody"), ("Wi-Fi", "member_of")):
        site.options["member_of"] = group
        with unchanged(slapd):
            says(site.apply(code=(FAILED, MISCONFIGURED)), word)


# ---- a plan that cannot be shown, an undo that cannot be kept ----

@pytest.mark.parametrize("arguments", ((), ("--json",)))
@pytest.mark.parametrize("count", (1, 200))
def test_a_plan_that_nobody_can_read(slapd, site, arguments, count):
    site.add(*names(count))
    site.publish()
    with unchanged(slapd):
        read, write = os.pipe()
        os.close(read)
        process = site.start("apply", *arguments, stdout=write)
        os.close(write)
        says(site.end(process, os.EX_IOERR), "standard output cannot be written")
        with open("/dev/full", "wb") as full:
            says(site.end(site.start("apply", *arguments, stdout=full), os.EX_IOERR), "standard output cannot be written")
            says(site.end(site.start("plan", *arguments, stdout=full), os.EX_IOERR), "standard output cannot be written")
    assert not site.undo_files()


@contextmanager
def small_disk(directory, size):
    directory.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", directory], check=False,
                          capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted: {done.stderr}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)


def test_an_undo_that_does_not_fit(slapd, site, tmp_path):
    site.add(*names(300))
    site.publish()
    with small_disk(tmp_path / "small", "16k") as small:
        site.options["undo_directory"] = small
        with unchanged(slapd):
            run = site.apply(code=FAILED)
            says(run, small)
            assert not run.done
        assert sorted(path.name for path in small.iterdir()) == ["wifi.apply", "wifi.lock"], "what did not fit was left there"


def test_an_undo_that_is_too_big(slapd, site):
    """The same, by a limit of the process."""
    site.add(*names(300))
    site.publish()

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
    with unchanged(slapd):
        says(site.end(site.start("apply", preexec_fn=limit), FAILED), site.undo)


def test_an_undo_directory_that_cannot_be(slapd, site, tmp_path):
    site.add("LAPTOP-1")
    site.publish()
    (tmp_path / "file").write_text("")
    for undo in (tmp_path / "file", tmp_path / "file" / "below", "/proc/certdir", tmp_path / "no" / "such" / "path"):
        site.options["undo_directory"] = undo
        with unchanged(slapd):
            says(site.apply(code=FAILED), undo)


# ---- misuse ----

def test_misuse(site):
    site.publish()
    site.write()
    for arguments in (("plan", "--what"), ("both",), (), ("plan", "one", "two")):
        done = subprocess.run([BUILD / "certdir", "placeholders", *arguments], capture_output=True, text=True,
                              timeout=20, check=False)
        assert done.returncode == MISUSED and "usage" in done.stderr
    run = site.plan("nobody", code=MISCONFIGURED)
    says(run, "[placeholders nobody]", site.conf)
    site.options["nam"] = "{name}"
    says(site.plan(code=MISCONFIGURED), "nam", "name", site.conf)


def test_the_administrator_of_the_directory(slapd, site):
    """Who may do all is held to the OU by nothing but the plan: all else is as it was."""
    slapd.add_computer("OTHER", parent=ELSEWHERE, adminDescription="certdir:wifi:other")
    before = slapd.contents(ELSEWHERE)
    site.bind_as(ADMIN)
    filled(site, 3)
    assert slapd.contents(ELSEWHERE) == before


def test_a_full_disk_is_told(slapd, site):
    filled(site)
    site.options["max_age"] = "3650d"  # no clock of the site's own here
    site.write()
    for command in ("plan", "apply"):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([BUILD / "certdir", "placeholders", command, "-c", site.conf], stdout=full, stderr=subprocess.PIPE,
                                  timeout=60, check=False)
        assert done.returncode == 74 and b"standard output cannot be written" in done.stderr
