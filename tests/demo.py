#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
certdir at work: a real radiusd with a device list, and real EAP-TLS logins of good, bad and hostile devices.

Everything stays under build-demo, to be looked at afterwards. Ends with 1 when a login does not end as it must.
"""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from testenv.devices import DOMAIN, DeviceList
from testenv.logins import Pki, enter, enter_again, wait_list_loaded
from testenv.radiusd import BUILD, REPO, Radiusd, shipped_module

DIRECTORY = REPO / "build-demo"
DEVICES = Path(__file__).resolve().parent / "demo" / "devices.json"
UNKNOWN = "3f2504e0-4f89-41d3-9a0c-0305e82c33ff"
WIDTHS = (16, 52, 7, 5, 22, 8)


@dataclass
class Row:
    """A device, and what must become of it."""

    stem: str
    story: str
    recipe: dict
    accepted: bool
    vlan: str
    reason: str


def rows(ids):
    hostile = f"laptop-anna.{DOMAIN}".encode() + b"\0.evil.example"
    return [
        Row("LAPTOP-ANNA", "enrolled laptop, its Entra device id as CN", {"subject": [["CN", ids["LAPTOP-ANNA"]]]},
            True, "20", "allowed"),
        Row("IPAD-BEN", "personal tablet, registered, its name as CN", {"subject": [["CN", "IPAD-BEN"]]},
            True, "40", "allowed"),
        Row("LAPTOP-LOST", "reported stolen: disabled in Entra ID", {"subject": [["CN", ids["LAPTOP-LOST"]]]},
            False, None, "disabled"),
        Row("LAPTOP-GONE", "valid certificate, but deleted from Entra ID", {"subject": [["CN", "LAPTOP-GONE"]]},
            False, None, "not-found"),
        Row("LAB-PC", "a name that two devices carry", {"subject": [["CN", "LAB-PC"]]}, False, None, "ambiguous"),
        Row("LAPTOP-CARL", "re-imaged: an older object has the same name", {"subject": [["CN", "LAPTOP-CARL"]]},
            True, "10", "allowed"),
        Row("LAPTOP-DORA", "stolen: to be wiped, but not switched on since", {"subject": [["CN", ids["LAPTOP-DORA"]]]},
            False, None, "retired"),
        Row("STRANGER", "an id that nobody has, beside CN=LAPTOP-ANNA", {"subject": [["CN", "LAPTOP-ANNA"]], "san": [
            {"uri": f"AAD_Device_ID:{UNKNOWN}"}]}, False, None, "not-found"),
        Row("EVIL", "SAN 'laptop-anna" + "." + DOMAIN + "\\0.evil'", {"subject": [["CN", "EVIL"]], "san": [
            {"dns": {"hex": hostile.hex()}}]}, False, None, "malformed-certificate"),
    ]


def show(*cells):
    print("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS)).rstrip())


def report(row, attempt, decision):
    """Prints a row of the table; True when it is as it must be."""
    vlan = attempt.vlan if attempt.accepted else None
    good = (attempt.accepted, vlan, decision.reason) == (row.accepted, row.vlan, row.reason)
    show(row.stem, row.story, "ACCEPT" if attempt.accepted else "REJECT", vlan or "-", decision.reason,
         decision.fields.get("ms", "?"), "" if good else f"<- must be {row.reason}")
    if not good:
        print(f"    expected {'ACCEPT' if row.accepted else 'REJECT'}, VLAN {row.vlan or '-'}, {row.reason}")
    return good


def disable(devices, server, device_id):
    mark = server.mark()
    devices.devices[device_id]["accountEnabled"] = False
    devices.publish()
    wait_list_loaded(server, mark)


def run(server, pki, devices, ids):
    good = True
    show("DEVICE", "WHAT IT IS", "EAP", "VLAN", "REASON", "MS")
    for row in rows(ids):
        certificate = pki.issue(row.recipe, stem=row.stem.lower())
        attempt, decision = enter(server, pki, certificate, identity=f"host/{row.stem}")
        good &= report(row, attempt, decision)
        if row.stem == "LAPTOP-ANNA":
            anna = certificate
    row = Row("LAPTOP-ANNA", "disabled a moment ago, resumes her TLS session", {}, False, None, "disabled")
    attempt, decision = enter_again(server, pki, anna, lambda: disable(devices, server, ids["LAPTOP-ANNA"]),
                                    identity="host/LAPTOP-ANNA")
    return good & report(row, attempt, decision)


def epilogue(server, pki):
    def path(name):
        return os.path.relpath(name) if Path(name).is_relative_to(Path.cwd()) else name

    print(f"""
Each line is a login by eapol_test at a FreeRADIUS on 127.0.0.1; MS is what certdir added to it.
Where to look next:
  {path(server.log_file)}  its log: one line a decision, with names, directory and serial number
  {path(server.raddb)}  its whole configuration, made of what is in raddb-snippets/
Why was a device refused? Ask with its certificate, the same code answers:
  {path(BUILD / 'certdir')} check --raddb {path(server.raddb)} {path(pki.directory / 'lab-pc.pem')}
What does the list know of a device?
  {path(BUILD / 'certdir')} list show --list {path(DIRECTORY / 'devices.db')} LAPTOP-LOST""")


def main():
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    (DIRECTORY / "radiusd").mkdir(parents=True)
    given = json.loads(DEVICES.read_text())["value"]
    ids = {device["displayName"]: device["deviceId"] for device in given}
    devices = DeviceList(DIRECTORY / "devices.db", given)
    devices.publish()
    pki = Pki(DIRECTORY / "certificates")
    server = Radiusd(DIRECTORY / "radiusd", pki.trust, shipped_module({"list.filename": devices.path}), tls="1.3",
                     debug=0, post_auth="certdir_assign_vlan\n\t\tcertdir_reply_user_name")
    print(f"{len(given)} devices from {DEVICES.relative_to(REPO)} are the list; the logins are EAP-TLS with TLS 1.3.\n")
    with server:
        good = run(server, pki, devices, ids)
    epilogue(server, pki)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
