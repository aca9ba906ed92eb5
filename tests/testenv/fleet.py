# SPDX-License-Identifier: GPL-2.0-or-later
"""A company's devices, and the journal of a month of their logins: what a report is made of. The same for the same seed."""

import json
import random
import subprocess
from datetime import datetime, timedelta, timezone

from testenv.devices import device_id, graph_device
from testenv.radiusd import BUILD

SYSTEMS = [("Windows", 70), ("MacMDM", 9), ("iPhone", 8), ("IPad", 3), ("AndroidForWork", 8), ("Linux", 2)]
TRUST = [("AzureAd", 62), ("ServerAd", 25), ("Workplace", 13)]
REASONS = [("not-found", 30), ("disabled", 20), ("not-compliant", 22), ("retired", 8), ("ambiguous", 6), ("not-in-group", 6),
           ("list-stale", 4), ("issuer", 4)]
HOSTILE = ['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "PC\u202egnp.exe", "&amp;\u00e4\u4e2d", "'--><svg/onload=alert(1)>"]


def _choose(source, weighted):
    return source.choices([word for word, _ in weighted], [weight for _, weight in weighted])[0]


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def devices(count, now, seed=1):
    """Graph's objects; the first ones have hostile names, and some share theirs."""
    source = random.Random(seed)
    for number in range(count):
        name = HOSTILE[number] if number < len(HOSTILE) else "LAB-PC" if number % 400 == 7 else f"LT-{number:06}"
        device = graph_device(f"{seed}-{number}", displayName=name, operatingSystem=_choose(source, SYSTEMS), trustType=_choose(source, TRUST),
                              accountEnabled=source.random() > 0.03, isCompliant=_choose(source, [(True, 88), (False, 9), (None, 3)]),
                              approximateLastSignInDateTime=stamp(now - timedelta(hours=source.expovariate(1 / 300))))
        yield device


def line(source, at, device, number, observe):
    """A line of a journal, of a login that a device had."""
    weekend = at.weekday() >= 5
    stubborn = 20 <= number < 45 or number < len(HOSTILE)  # they try again and again
    reason = REASONS[number % 6][0] if stubborn and source.random() < 0.9 else _choose(source, REASONS) if source.random() < (0.06 if weekend else 0.03) \
        else "allowed"
    decision = {"allowed": "allow", "list-stale": "unsure"}.get(reason, "deny")
    told = {"version": 1, "time": at.strftime("%Y-%m-%dT%H:%M:%S.123Z"), "module": "certdir", "mode": "observe" if observe else "enforce",
            "decision": decision, "reason": reason, "took": source.randrange(80, 900),
            "login": {"user_name": f"host/{device['displayName']}", "station": f"02-00-00-{number % 256:02x}-00-01"}, "nas": {"client": "192.0.2.7"},
            "certificate": {"subject": f"CN={device['displayName']}", "issuer": "CN=Contoso Device CA", "serial": f"{number:08X}", "der": "MIIC" * 300},
            "lookups": [{"directory": "list", "state": "answered", "records": 1, "sources": [{"name": "corp", "devices": 40}]}]}
    if reason != "not-found":
        told["device"] = {"id": device["deviceId"], "name": device["displayName"], "operating_system": device["operatingSystem"]}
    return json.dumps(told, ensure_ascii=False)


def write_journal(path, known, now, count, seed=1, observed_days=9):
    """`count` logins of the last 33 days. Some devices are refused again and again. The first days were only observed."""
    source = random.Random(seed)
    with open(path, "w", encoding="utf-8") as file:
        for _ in range(count):
            ago = source.random() * 33
            at = now - timedelta(days=ago)
            if at.weekday() >= 5 and source.random() < 0.8:
                at -= timedelta(days=2)
            number = min(int(source.expovariate(1 / 90)), len(known) - 1) if source.random() < 0.1 else source.randrange(len(known))
            file.write(line(source, at, known[number], number, ago > 33 - observed_days) + "\n")


def write_certificates(path, known, now):
    """Intune's report of issued certificates, as CSV."""
    source = random.Random(5)
    with open(path, "w", encoding="utf-8") as file:
        file.write("Thumbprint,IssuerName,SerialNumber,DeviceId,UserPrincipalName,CertificateStatus,ValidFrom,ValidTo\n")
        for number, device in enumerate(known, 1):
            end = now + timedelta(days=source.uniform(-20, 340))
            file.write(f"{number:040x},CN=Contoso Device CA,{number:08X},{device_id('intune' + device['deviceId'])},user{number}@corp.example,"
                       f"{'revoked' if number % 50 == 3 else 'issued'},{stamp(end - timedelta(days=365))},{stamp(end)}\n")


def publish(path, known, source="corp"):
    """Imports the devices into the list `path`."""
    file = path.with_suffix(".fleet.json")
    file.write_text(json.dumps(known))
    subprocess.run([BUILD / "certdir", "list", "import", "--force", "--list", path, "--source", source, file], check=True, capture_output=True)


def utc_now():
    return datetime.now(timezone.utc)
