#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A tenant as Graph would list it, from a seed: for devices and managedDevices a file with the pages' objects, one after the
other ('"value":[..]}', compact as Graph sends them), and where each page begins. page_server.py puts the heads on.

usage: pages.py DIRECTORY DEVICES SEED
"""

import json
import random
import sys
import time
from pathlib import Path

PAGE = 999  # devices on a page; the fewer pages, the less work between them, for every client
INTUNE_PAGE = 1000
POOL = 65536
EPOCH = 1704067200

DEVICE = ('{"id":"%s","deviceId":"%s","displayName":"%s","accountEnabled":%s,"trustType":"%s","isCompliant":%s,'
          '"isManaged":true,"operatingSystem":"%s","deviceOwnership":"%s","approximateLastSignInDateTime":"%s",'
          '"registrationDateTime":"%s","onPremisesSecurityIdentifier":%s}')
RECORD = ('{"id":"%s","userPrincipalName":"user%s@bench.example","deviceName":"%s","managedDeviceOwnerType":"%s",'
          '"enrolledDateTime":"%s","lastSyncDateTime":"%s","operatingSystem":"%s","complianceState":"%s",'
          '"managementState":"managed","deviceCategoryDisplayName":"%s","enrollmentProfileName":"%s","azureADDeviceId":"%s",'
          '"serialNumber":"%s","wiFiMacAddress":"%s","ethernetMacAddress":"%s"}')


def pool(rng, *weighted):
    """POOL values in random order, as often as their weights say."""
    return rng.choices([value for value, _ in weighted], [weight for _, weight in weighted], k=POOL)


def guid(digits):
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


class Tenant:
    def __init__(self, count, seed):
        self.count = count
        rng = random.Random(seed)
        self.random = [rng.randbytes(16 * count) for _ in range(3)]  # object ids, Entra device ids, Intune ids
        self.order = list(range(count))
        rng.shuffle(self.order)
        times = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(EPOCH + rng.randrange(63072000))) for _ in range(POOL)]
        self.seen, self.registered = times, times[POOL // 2:] + times[:POOL // 2]
        self.synced = [text[:-1] + f".{rng.randrange(10 ** 7):07d}Z" for text in times]
        self.enabled = pool(rng, ("true", 97), ("false", 3))
        self.state = pool(rng, ("compliant", 90), ("noncompliant", 7), ("inGracePeriod", 3))
        self.system = pool(rng, ("Windows", 80), ("MacMDM", 8), ("IPhone", 7), ("AndroidForWork", 5))
        self.ownership = pool(rng, ("Company", 90), ("Personal", 10))
        self.category = pool(rng, ("Unknown", 80), ("Kiosk", 10), ("Sales", 10))
        self.profile = pool(rng, ("", 60), ("Autopilot standard", 40))
        self.trust = pool(rng, ("AzureAd", 60), ("ServerAd", 30), ("Workplace", 10))

    def id(self, kind, n):
        return guid(self.random[kind][16 * n:16 * n + 16].hex())

    def device(self, n):
        entra = self.random[1][16 * n:16 * n + 16].hex()
        # Which of the pool's values a device has comes from its id, so that its Intune record agrees.
        pick = int(entra[:4], 16)
        trust = self.trust[pick]
        return DEVICE % (
            self.id(0, n), guid(entra), "DESKTOP-" + entra[25:].upper(), self.enabled[pick], trust,
            "false" if self.state[pick] == "noncompliant" else "true", self.system[pick], self.ownership[pick],
            self.seen[pick], self.registered[pick],
            f'"S-1-5-21-3623811015-3361044348-30300820-{n + 1000}"' if trust == "ServerAd" else "null")

    def record(self, i):
        n = self.order[i]
        entra = self.random[1][16 * n:16 * n + 16].hex()
        pick = int(entra[:4], 16)
        intune = self.random[2][16 * i:16 * i + 16].hex()
        return RECORD % (
            guid(intune), entra[4:10], "DESKTOP-" + entra[25:].upper(), self.ownership[pick].lower(), self.registered[pick],
            self.synced[pick], self.system[pick], self.state[pick], self.category[pick], self.profile[pick], guid(entra),
            "5CG" + intune[14:22].upper(), intune[:12].upper(), "" if pick & 3 else intune[20:].upper())


def write(path, count, size, item):
    """Writes the pages and returns where each begins and where the last ends."""
    offsets, at = [], 0
    with open(path, "wb") as file:
        for begin in range(0, max(count, 1), size):
            page = f'"value":[{",".join(map(item, range(begin, min(begin + size, count))))}]}}'.encode()
            offsets.append(at)
            at += file.write(page)
    return offsets + [at]


def main():
    directory, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    tenant = Tenant(count, seed)
    (directory / "index.json").write_text(json.dumps({
        "devices": write(directory / "devices", count, PAGE, tenant.device),
        "managedDevices": write(directory / "managedDevices", count, INTUNE_PAGE, tenant.record)}))


if __name__ == "__main__":
    main()
