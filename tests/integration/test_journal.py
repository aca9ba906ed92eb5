# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal of real logins: what stands in a line, and what happens to it when the file moves."""

import base64
import json
import re
import ssl

import pytest

from testenv.devices import DeviceList, device_id
from testenv.logins import enter
from testenv.radiusd import shipped_module
from testenv.shipped import ShippedSite
from testenv.supplicant import login, radclient, wait_until


@pytest.fixture(scope="module")
def site(pki, tmp_path_factory):
    directory = tmp_path_factory.mktemp("journal")
    devices = DeviceList(directory / "devices.db")
    devices.add("LAPTOP-1", groups=[{"id": device_id("staff"), "displayName": 'Staff "A"'}])
    devices.add("OFF-1", accountEnabled=False)
    devices.publish()
    module = shipped_module({"list.filename": devices.path, "journal": directory / "certdir.json"})
    with ShippedSite(directory, pki.trust, module, "certdir-wifi") as server:
        server.journal = directory / "certdir.json"
        yield server


def lines(server, count):
    """The last `count` lines, when they are there."""
    wait_until(lambda: server.journal.exists() and server.journal.read_bytes().count(b"\n") >= count, what="the journal")
    return [json.loads(line) for line in server.journal.read_text().splitlines()]


def test_line_has_what_the_log_has_and_more(site, pki):
    certificate = pki.named("LAPTOP-1")
    _, decision = enter(site, pki, certificate)
    line = lines(site, 1)[-1]
    assert next(iter(line.items())) == ("version", 1)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert (line["module"], line["mode"], line["decision"], line["reason"]) == ("certdir", "enforce", "allow", "allowed")
    assert line["matched"] == {"by": decision.fields["matched"], "from": decision.fields["from"], "value": decision.fields["value"]}
    assert line["age"] >= 0 and 0 < line["took"] < 5000000 and f"ms={line['took'] // 1000}.{line['took'] % 1000:03}" in decision.line
    assert line["login"] == {"user_name": "host/test", "station": decision.fields["mac"]}
    assert line["nas"] == {"client": "127.0.0.1", "address": "127.0.0.1"}
    told = line["certificate"]
    assert base64.b64decode(told["der"], validate=True) == ssl.PEM_cert_to_DER_cert(certificate[0].read_text())
    assert (told["issuer"], told["serial"], told["holder"]) == (decision.fields["issuer"], decision.fields["serial"], "device")
    assert {(one["type"], one["value"], one["from"], one["rank"]) for one in told["identities"]} == {
        ("common_name", "laptop-1", "subject.cn", "chosen"), ("dns_name", "laptop-1.corp.example", "san.dns", "chosen")}
    lookup, = line["lookups"]
    assert (lookup["directory"], lookup["state"], lookup["records"]) == ("list", "answered", 1)
    assert [source["name"] for source in lookup["sources"]] == ["import"] and lookup["sources"][0]["devices"] >= 0
    assert (line["device"]["id"], line["device"]["name"], line["device"]["groups"]) == (device_id("LAPTOP-1"), "LAPTOP-1", ['Staff "A"'])


def test_denied_and_unseen_have_lines(site, pki):
    before = len(lines(site, 0)) if site.journal.exists() else 0
    enter(site, pki, pki.named("OFF-1"))
    enter(site, pki, pki.named("STRANGER-1"))
    login(site, *pki.named("LAPTOP-1"), pki.ca, method="ttls-pap")
    radclient(site, 'User-Name = "a\\"b\\\\c\\tBüro"\nUser-Password = "x"\nNAS-Port = 7\nNAS-Port-Id = "gi1/0/7"\n'
                    'NAS-Identifier = "switch-1"\nAcct-Session-Id = "0001"\nCalled-Station-Id = "02-00-00-00-00-09:Office"\n')
    off, stranger, tunnel, password = lines(site, before + 4)[before:]
    assert (off["decision"], off["reason"], off["device"]["name"]) == ("deny", "disabled", "OFF-1")
    assert (stranger["reason"], "device" in stranger, stranger["lookups"][0]["records"]) == ("not-found", False, 0)
    assert tunnel["reason"] == "unseen" and "certificate" not in tunnel and tunnel["lookups"] == []
    assert password["reason"] == "unseen" and password["login"]["ssid"] == "Office" and password["login"]["session"] == "0001"
    assert password["nas"] == {"client": "127.0.0.1", "identifier": "switch-1", "port": 7, "port_id": "gi1/0/7"}
    assert password["login"]["user_name"] == 'a"b\\c\tBüro'


def test_file_that_was_moved_is_made_anew(site, pki):
    enter(site, pki, pki.named("LAPTOP-1"))
    lines(site, 1)
    site.journal.rename(site.journal.with_suffix(".1"))
    enter(site, pki, pki.named("LAPTOP-1"))
    assert len(lines(site, 1)) == 1
    assert site.journal.stat().st_mode & 0o137 == 0
    assert "journal" not in "".join(re.findall(r"^.*(?:Error|Warning).*$", site.log(), re.MULTILINE))


def test_journal_that_cannot_be_written_keeps_nobody_out(radiusd, pki, device_list, tmp_path):
    device_list.add("LAPTOP-1")
    device_list.publish()
    journal = tmp_path / "absent" / "certdir.json"
    server = radiusd(shipped_module({"list.filename": device_list.path, "journal": journal}))
    server.wait_log(r"journal \S+ cannot be written: No such file or directory")
    assert enter(server, pki, pki.named("LAPTOP-1"))[0].accepted
    journal.parent.mkdir()
    assert enter(server, pki, pki.named("LAPTOP-1"))[0].accepted
    server.journal = journal
    assert lines(server, 1)[-1]["dropped"] == 1
