# SPDX-License-Identifier: GPL-2.0-or-later
"""A fleet of devices that lives from a seed: what a device list says of it, and the certificates that are handed in."""

import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone

from testenv.certificates import Authority, make_key
from testenv.devices import device_id
from testenv.placeholder_worlds import DAY, HOUR, START


@dataclass
class Handed:
    """A certificate of a device that was handed in."""

    key: str
    number: int
    begins: int
    ends: int

    @property
    def serial(self):
        """Hex, the first byte first."""
        return f"5a{self.number:014x}"

    @property
    def ski(self):
        return f"{self.number:040x}"

    def mapping(self, form, issuer):
        if form == "ski":
            return f"x509:<ski>{self.ski}"
        return f"x509:<i>cn={issuer}<sr>{bytes.fromhex(self.serial)[::-1].hex()}".lower()


class Fleet:
    """
    Devices that live from a seed. .devices is what the list says, by key; .away what it said once; .handed are the
    certificates that are handed in. Names and ids are few and alike, so that they meet often.
    """

    ISSUER = "Fleet CA"

    def __init__(self, seed, size, at=START):
        self.rng = random.Random(f"fleet {seed}")
        self.at = at
        self.devices, self.away = {}, {}
        # A directory without any certificate is taken for an export that failed: there is always a stranger's.
        self.handed = [Handed(device_id("a stranger"), 0, at, at + 3650 * DAY)]
        self._authority = Authority(self.ISSUER)
        self._key = make_key()
        self._numbers = 0
        self._pem = {}
        for _ in range(size):
            self.arrive()
        for _ in range(size):
            self.certify()

    # -- what makes them collide --

    def _id(self):
        """A GUID; many begin with the same 15 characters."""
        if self.rng.random() < 0.5:
            return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        rest = f"{self.rng.getrandbits(72):018x}"
        return f"0badcafe-0bad-{self.rng.choice((4, 4, 5))}{rest[:3]}-8{rest[3:6]}-{rest[6:]}"

    def _name(self):
        kind = self.rng.random()
        if kind < 0.4:
            return f"WORKSTATION-{self.rng.randint(0, 3):02}-{self.rng.randint(0, 99):02}"
        if kind < 0.5:
            return self.rng.choice(("Büro, 1. OG", "a+b=c;d", "#1 \"desk\"", "cn=x\\,y", "(tee*kueche)"))
        return f"PC-{self.rng.randint(0, 150):03}"

    def _some(self):
        return self.rng.choice(sorted(self.devices)) if self.devices else None

    def _unused(self, name):
        return all(device["displayName"].lower() != name.lower() for device in self.devices.values())

    # -- what happens --

    def arrive(self, **properties):
        key, name = self._id(), self._name()
        if not self._unused(name) and self.rng.random() < 0.9:
            name = f"PC-{self.rng.randint(1000, 9999)}"
        self._numbers += 1
        self.devices[key] = {
            "deviceId": key, "displayName": name, "accountEnabled": self.rng.random() < 0.9, "trustType": "AzureAd",
            "isManaged": True, "isCompliant": True, "operatingSystem": "Windows",
            "serialNumber": f"SN{self.rng.randint(0, 40):04}" if self.rng.random() < 0.1 else f"SN9{self._numbers:04}",
            **properties}
        return f"{key} arrives as {self.devices[key]['displayName']}"

    def leave(self):
        if len(self.devices) < 5:
            return None
        key = self._some()
        self.away[key] = self.devices.pop(key)
        return f"{key} leaves"

    def come_back(self):
        if not self.away:
            return None
        key = self.rng.choice(sorted(self.away))
        self.devices[key] = self.away.pop(key)
        return f"{key} comes back"

    def rename(self):
        key = self._some()
        self.devices[key]["displayName"] = name = self._name()
        return f"{key} is {name} now"

    def swap(self):
        one, other = (self.devices[self._some()] for _ in range(2))
        for name in ("displayName", "serialNumber"):
            one[name], other[name] = other[name], one[name]
        return f"{one['deviceId']} and {other['deviceId']} swap names"

    def rotate(self):
        """Three take each other's names."""
        if len(self.devices) < 3:
            return None
        three = [self.devices[key] for key in self.rng.sample(sorted(self.devices), 3)]
        for name in ("displayName", "serialNumber"):
            values = [device[name] for device in three]
            for device, value_ in zip(three, values[1:] + values[:1]):
                device[name] = value_
        return f"{[device['deviceId'] for device in three]} rotate names"

    def enrol_again(self):
        """A new id under the old name; what becomes of the old one is often seen late."""
        certified = sorted({one.key for one in self.handed} & set(self.devices))
        key = self.rng.choice(certified or sorted(self.devices))
        old, fate = self.devices[key], self.rng.choice(("gone", "gone", "disabled", "stays"))
        more = {"displayName": old["displayName"], "serialNumber": old["serialNumber"], "accountEnabled": True}
        if fate == "gone":
            self.away[key] = self.devices.pop(key)
        elif fate == "disabled":
            old["accountEnabled"] = False
        return f"{key} is enrolled again ({fate}): {self.arrive(**more)}"

    def toggle(self):
        key = self._some()
        self.devices[key]["accountEnabled"] ^= True
        return f"{key} enabled: {self.devices[key]['accountEnabled']}"

    def change_trust(self):
        key = self._some()
        self.devices[key]["trustType"] = self.rng.choice(("AzureAd", "AzureAd", "Workplace"))
        return f"{key} is {self.devices[key]['trustType']}"

    def certify(self):
        # A few have several, one after the other.
        keys = sorted({**self.devices, **self.away})
        key = self.rng.choice(self.rng.choice((keys, keys[::5])))
        self._numbers += 1
        begins = self.at - self.rng.randint(0, 2) * DAY
        self.handed.append(Handed(key, self._numbers, begins, begins + self.rng.randint(1, 60) * DAY))
        return f"{key} has certificate {self._numbers} until {self.handed[-1].ends}"

    def lose_certificate(self):
        if len(self.handed) < 2:
            return None
        lost = self.handed.pop(self.rng.randrange(1, len(self.handed)))
        return f"certificate {lost.number} of {lost.key} is not handed in any more"

    EVENTS = (arrive, arrive, leave, leave, come_back, come_back, rename, rename, swap, rotate, enrol_again,
              enrol_again, enrol_again, toggle, toggle, change_trust, certify, certify, certify, certify,
              lose_certificate)

    def live(self, count):
        """So much happens, and time goes by; what it was."""
        told = []
        self.at += self.rng.choice((HOUR, 5 * HOUR, DAY, 3 * DAY, 12 * DAY, 40 * DAY))
        for _ in range(count):
            told.append(self.rng.choice(self.EVENTS)(self))
        return [one for one in told if one]

    # -- what is given to certdir --

    def hand_in(self, directory, csv=False):
        """The certificates that are there, a PEM file each, or their numbers as a table."""
        directory.mkdir(exist_ok=True)
        for path in directory.iterdir():
            path.unlink()
        if csv:
            rows = [f"CN={one.key},CN={self.ISSUER},{one.serial},{iso(one.ends)}" for one in self.handed]
            (directory / "all.csv").write_text("\n".join(["Subject,Issuer,Serial Number,Not After", *rows]) + "\n")
            return
        for one in self.handed:
            (directory / f"{one.number}.pem").write_text(self._certificate(one))

    def _certificate(self, one):
        if one.number not in self._pem:
            self._pem[one.number] = self._authority.issue(
                subject=[["CN", one.key]], serial=one.serial, ski=one.ski, not_before=one.begins, not_after=one.ends,
                key=self._key).pem
        return self._pem[one.number]

    # -- what is right --

    def selected(self, require_enabled=True):
        """Keys of the devices that shall have an account."""
        return {key for key, device in self.devices.items()
                if device["trustType"] == "AzureAd" and (device["accountEnabled"] or not require_enabled)}

    def cn(self, key, template):
        device = self.devices[key]
        return template.format(name=device["displayName"], entra_device_id=key, serial_number=device["serialNumber"])

    def valid(self, key):
        return [one for one in self.handed if one.key == key and one.begins <= self.at <= one.ends]

    def ended(self, key):
        return [one for one in self.handed if one.key == key and one.ends < self.at]


def iso(at):
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
