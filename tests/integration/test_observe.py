# SPDX-License-Identifier: GPL-2.0-or-later
"""policy { mode = observe }: everything is decided and logged, and nobody is denied."""

import json
import subprocess

import pytest

from testenv.devices import DeviceList
from testenv.logins import enter
from testenv.ports import free_port
from testenv.radiusd import BUILD, shipped_module
from testenv.shipped import ShippedSite, uncommented
from testenv.supplicant import login, radclient

# What a site of one's own may do: show what post-auth sees.
SHOWN = {
    "sites-available/certdir-wired": lambda text: uncommented("certdir_assign_vlan")(text).replace(
        "\t\tcertdir_reply_session\n",
        "\t\tcertdir_reply_session\n\t\tupdate reply {\n"
        "\t\t\t&Reply-Message += \"%{session-state:Certdir-Decision} %{session-state:Certdir-Reason}\"\n"
        "\t\t\t&Reply-Message += \"%{session-state:Certdir-Would}\"\n"
        "\t\t\t&Reply-Message += \"%{session-state:Certdir-Quarantine}\"\n\t\t}\n", 1),
}


def observing(**options):
    return shipped_module({"policy.mode": "observe", **{key.replace("__", "."): value for key, value in options.items()}})


def dead_ldap():
    return {"directories": "ldap", "ldap__server": f"ldap://127.0.0.1:{free_port('tcp')}", "ldap__options__deadline": "0.2"}


@pytest.fixture(scope="module")
def devices(tmp_path_factory):
    devices = DeviceList(tmp_path_factory.mktemp("list") / "devices.db")
    devices.add("LAPTOP-1")
    devices.add("OFF-1", accountEnabled=False)
    devices.add("LAX-1", isCompliant=False)
    devices.publish()
    return devices


@pytest.fixture(scope="module")
def site(devices, pki, tmp_path_factory):
    module = observing(list__filename=devices.path, policy__require_compliant="yes")
    with ShippedSite(tmp_path_factory.mktemp("observe"), pki.trust, module, "certdir-wired", changed=SHOWN) as server:
        yield server


CASES = {
    "known": (lambda pki: pki.named("LAPTOP-1"), "allow allowed"),
    "unknown": (lambda pki: pki.named("STRANGER-1"), "deny not-found"),
    "disabled": (lambda pki: pki.named("OFF-1"), "deny disabled"),
    "quarantine": (lambda pki: pki.named("LAX-1"), "deny not-compliant"),
    "malformed": (lambda pki: pki.issue(subject=[["CN", "LAPTOP-1"]], san=[{"dns": "laptop-1\0.evil.example"}]), "deny malformed-certificate"),
}


@pytest.mark.parametrize("case", CASES)
def test_nobody_is_denied_and_the_site_is_told(site, pki, case):
    certificate, would = CASES[case]
    attempt, decision = enter(site, pki, certificate(pki))
    assert attempt.accepted and attempt.eap == "success"
    assert f"{decision.verdict} {decision.reason}" == would and decision.line.endswith(" mode=observe")
    if case == "known":
        assert attempt.attributes["Reply-Message"] == ["allow allowed"] and attempt.vlan == "10"
    else:
        assert attempt.attributes["Reply-Message"] == ["allow observed", would] and attempt.vlan is None
    assert attempt.one("Session-Timeout") == 28800


def test_login_that_certdir_never_saw_is_only_told(site, pki):
    mark = site.mark()
    attempt, = login(site, *pki.named("LAPTOP-1"), pki.ca, method="ttls-pap")
    decision, = site.decisions(mark)
    assert attempt.accepted and attempt.eap == "success" and attempt.vlan is None
    assert attempt.attributes["Reply-Message"] == ["allow observed", "deny unseen"]
    assert decision.reason == "unseen" and decision.line.endswith(" mode=observe")


def test_site_s_own_reject_stays_one(site):
    mark = site.mark()
    reply = radclient(site, 'User-Name = "0200000000ab"\nUser-Password = "0200000000ab"\n')
    assert reply.code == "Access-Reject"
    assert site.decisions(mark)[0].line.endswith(" mode=observe")


@pytest.mark.parametrize("reason, options", [("list-missing", lambda path: {"list__filename": path / "none.db"}),
                                             ("directory-unavailable", lambda path: dead_ldap())])
def test_what_is_down_keeps_nobody_out(radiusd, pki, tmp_path, reason, options):
    server = radiusd(observing(**options(tmp_path)))
    attempt, decision = enter(server, pki, pki.named("LAPTOP-1"))
    assert attempt.accepted and (decision.verdict, decision.reason) == ("unsure", reason)
    server.wait_log(r"rlm_certdir \(certdir\): policy \{ mode = observe \}: nobody is denied")


def test_no_certificate(radiusd, devices):
    server = radiusd(observing(list__filename=devices.path),
                     authorize="certdir\n\t\tif (ok) {\n\t\t\tupdate control {\n\t\t\t\t&Auth-Type := Accept\n\t\t\t}\n\t\t}")
    mark = server.mark()
    assert radclient(server, {"User-Name": "anybody"}).code == "Access-Accept"
    decision, = server.decisions(mark, count=1)
    assert (decision.verdict, decision.reason) == ("deny", "no-certificate")


def test_check_tells_what_enforcing_would_say(site, pki):
    command = [BUILD / "certdir", "check", "--raddb", site.raddb]
    done = subprocess.run([*command, "--json", pki.named("STRANGER-1")[0]], capture_output=True, text=True, timeout=60, check=False)
    told = json.loads(done.stdout)
    assert (done.returncode, told["decision"], told["reason"], told["mode"]) == (1, "deny", "not-found", "observe"), done.stderr
    done = subprocess.run([*command, pki.named("STRANGER-1")[0]], capture_output=True, text=True, timeout=60, check=False)
    assert "mode = observe }: the server lets it in all the same" in done.stdout
