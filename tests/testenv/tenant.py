# SPDX-License-Identifier: GPL-2.0-or-later
"""
The truth: a simulated tenant with devices, Intune records and groups, everything from a seed.

`Tenant` is what Entra ID and Intune hold; it changes by operations and keeps a journal from which a delta query can be
answered from any point. What a list made from it must hold is published.py's.
"""

import random
import re
import uuid
from datetime import datetime, timedelta, timezone

NO_ID = "00000000-0000-0000-0000-000000000000"
NEVER = "0001-01-01T00:00:00Z"
EPOCH = datetime(2024, 1, 1, tzinfo=timezone.utc)

SYSTEMS = ("Windows", "macOS", "iOS", "Android", "Linux")
COMPLIANCE = ("unknown", "compliant", "noncompliant", "conflict", "error", "inGracePeriod", "configManager")
TRUST = ("AzureAd", "ServerAd", "Workplace")
DOMAIN_SID = "S-1-5-21-1004336348-1177238915-682003330"

STATES = ("managed", "managed", "managed", "wipePending", "retireIssued", "discovered")
NO_ATTRIBUTES = {f"extensionAttribute{number}": None for number in range(1, 16)}

# What GET /devices/{id} gives of a device that has nothing in it yet; the empty collections are never null.
NEW_DEVICE = {
    "id": None, "deletedDateTime": None, "accountEnabled": True, "alternativeSecurityIds": [],
    "approximateLastSignInDateTime": None, "complianceExpirationDateTime": None, "deviceCategory": None,
    "deviceId": None, "deviceMetadata": None, "deviceOwnership": None, "deviceVersion": 2, "displayName": None,
    "enrollmentProfileName": None, "enrollmentType": None, "extensionAttributes": NO_ATTRIBUTES, "isCompliant": None,
    "isManaged": None,
    "isManagementRestricted": None, "isRooted": None, "managementType": None, "manufacturer": None, "mdmAppId": None,
    "model": None, "onPremisesLastSyncDateTime": None, "onPremisesSecurityIdentifier": None,
    "onPremisesSyncEnabled": None, "operatingSystem": None, "operatingSystemVersion": None, "physicalIds": [],
    "profileType": "RegisteredDevice", "registrationDateTime": None, "systemLabels": [], "trustType": None,
}
NEW_RECORD = {
    "id": None, "userId": "", "deviceName": None, "managedDeviceOwnerType": "company", "enrolledDateTime": NEVER,
    "lastSyncDateTime": NEVER, "operatingSystem": "Windows", "complianceState": "unknown", "jailBroken": "Unknown",
    "managementAgent": "mdm", "osVersion": "10.0.19045.4412", "easActivated": True, "easDeviceId": "",
    "easActivationDateTime": NEVER, "azureADRegistered": True, "deviceEnrollmentType": "windowsAzureADJoin",
    "emailAddress": "", "azureADDeviceId": NO_ID, "deviceRegistrationState": "registered",
    "deviceCategoryDisplayName": "Unknown", "isSupervised": False, "exchangeLastSuccessfulSyncDateTime": NEVER,
    "exchangeAccessState": "none", "exchangeAccessStateReason": "none", "isEncrypted": True, "userPrincipalName": "",
    "model": "", "manufacturer": "", "imei": "", "complianceGracePeriodExpirationDateTime": "9999-12-31T23:59:59Z",
    "serialNumber": "", "phoneNumber": "", "androidSecurityPatchLevel": "", "userDisplayName": "",
    "subscriberCarrier": "", "meid": "", "totalStorageSpaceInBytes": 0, "freeStorageSpaceInBytes": 0,
    "managedDeviceName": None, "partnerReportedThreatState": "unknown", "requireUserEnrollmentApproval": None,
    "managementCertificateExpirationDate": NEVER, "iccid": None, "udid": None, "notes": None,
    "ethernetMacAddress": None, "wiFiMacAddress": "", "physicalMemoryInBytes": 0, "enrollmentProfileName": "",
    "managementState": "managed", "remoteAssistanceSessionUrl": None, "remoteAssistanceSessionErrorDetails": None,
    "configurationManagerClientEnabledFeatures": None, "deviceHealthAttestationState": None, "deviceActionResults": [],
    "activationLockBypassCode": None,
}
NEW_GROUP = {
    "id": None, "deletedDateTime": None, "classification": None, "createdDateTime": None, "description": None,
    "displayName": None, "expirationDateTime": None, "groupTypes": [], "isAssignableToRole": None, "mail": None,
    "mailEnabled": False, "mailNickname": None, "membershipRule": None, "membershipRuleProcessingState": None,
    "onPremisesLastSyncDateTime": None, "onPremisesSecurityIdentifier": None, "onPremisesSyncEnabled": None,
    "preferredDataLocation": None, "proxyAddresses": [], "renewedDateTime": None, "securityEnabled": True,
    "securityIdentifier": None, "theme": None, "visibility": None,
}


def imei_of(number):
    """Fourteen digits with their check digit."""
    digits = f"{number:014d}"
    doubled = "".join(str(int(digit) * 2) if at % 2 else digit for at, digit in enumerate(digits))
    return digits + str(-sum(map(int, doubled)) % 10)


def _radio_numbers(record):
    """What a record of that id has for IMEI and MEID: a phone of GSM, one of CDMA, or neither."""
    number = int(record[:8], 16)
    return ({"imei": imei_of(35 * 10**12 + number), "meid": ""}, {"imei": "", "meid": f"a1{number:012x}"},
            {"imei": "", "meid": None})[number % 3]


class Tenant:
    """
    A tenant, filled with `devices` devices of which `enrolled` (a share) have an Intune record. `intune` False: it has
    no licence for it. Objects are dicts of Graph's properties, by id: .devices and .bin (deleted, restorable),
    .records, .groups.
    """

    def __init__(self, seed=0, devices=0, enrolled=0.7, intune=True, groups=()):
        self.rng = random.Random(f"tenant {seed}")
        self.more = random.Random(f"tenant {seed}, of lesser things")  # so that what it adds changes no history
        self.id = self.new_id()
        self.intune = intune
        self.devices, self.bin, self.records, self.groups = {}, {}, {}, {}
        self.members = {}  # group id -> ids of devices and groups that are in it directly
        self.ever_set = {}  # device id -> properties that once had a value
        self.journal = []  # (device id, "put", {property: value}) or (device id, "changed" or "deleted", None)
        self._ticks = 0
        for _ in range(devices):
            device = self.add_device()
            if self.rng.random() < enrolled:
                self.enrol(device)
        for name in groups:
            group = self.add_group(name)
            for device in self.rng.sample(sorted(self.devices), len(self.devices) // 3):
                self.join(group, device)

    # -- small things --

    @property
    def version(self):
        """Where the journal stands: what a delta token means."""
        return len(self.journal)

    def new_id(self):
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def now(self):
        """A time later than all before it, so that "the latest" is never two."""
        self._ticks += self.rng.randint(1, 5000)
        return (EPOCH + timedelta(seconds=self._ticks)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _some_device(self):
        return self.rng.choice(sorted(self.devices)) if self.devices else None

    # -- devices --

    def add_device(self, name=None, **properties):
        """A new device; its object id."""
        rng, device = self.rng, self.new_id()
        trust = rng.choice(TRUST)
        self.devices[device] = {**NEW_DEVICE, "id": device}
        self.ever_set[device] = set()
        system = rng.choice(SYSTEMS)
        made = {
            "deviceId": self.new_id(), "displayName": name or self._name(system), "trustType": trust,
            "accountEnabled": rng.random() < 0.95, "isManaged": rng.choice((True, False, None)),
            "isCompliant": rng.choice((True, True, False, None)), "operatingSystem": system,
            "operatingSystemVersion": f"10.0.{rng.randint(10000, 26100)}",
            "registrationDateTime": self.now(), "profileType": "RegisteredDevice", "deviceVersion": 2,
            "approximateLastSignInDateTime": rng.choice((self.now(), None)),
            "deviceOwnership": rng.choice(("Company", "Personal", None)),
            "physicalIds": [f"[GID]:g:{rng.randint(10**15, 10**16)}"],
            "extensionAttributes": self._attributes(),
        }
        if trust == "ServerAd":
            made["onPremisesSyncEnabled"] = True
            made["onPremisesSecurityIdentifier"] = f"{DOMAIN_SID}-{rng.getrandbits(30) + 1000}"
            made["onPremisesLastSyncDateTime"] = self.now()
        return self._record_put(device, {**made, **properties})

    def _attributes(self):
        some = self.more.sample(sorted(NO_ATTRIBUTES), self.more.choice((0, 0, 1, 3)))
        return {**NO_ATTRIBUTES, **{name: self.more.choice(("staff", "a|b\\c=d", "Müller", "")) for name in some}}

    def _name(self, system):
        rng = self.rng
        if system in ("iOS", "Android") and rng.random() < 0.5:
            return rng.choice(("iPhone", "iPad", "Björk’s iPhone", "user_AndroidForWork"))  # shared by many
        prefix = rng.choice(("DESKTOP-", "LAPTOP-", "pc-", "AD-"))
        return prefix + "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=7))

    def _record_put(self, device, changes):
        target = self.devices[device]
        changes = {name: value for name, value in changes.items() if target[name] != value}
        target.update(changes)
        self.ever_set[device].update(name for name, value in changes.items() if value is not None)
        if changes:
            self.journal.append((device, "put", changes))
        return device

    def change(self, device, **properties):
        """Sets properties of a device; None clears."""
        return self._record_put(device, properties)

    def rename(self, device, name=None):
        return self.change(device, displayName=name or self._name("Windows"))

    def delete(self, device):
        """Into the bin, from where it can come back; its groups forget it."""
        self.bin[device] = self.devices.pop(device)
        self.bin[device]["deletedDateTime"] = self.now()
        self._leave_all(device)
        self.journal.append((device, "changed", None))

    def restore(self, device):
        self.devices[device] = self.bin.pop(device)
        self.devices[device]["deletedDateTime"] = None
        self.journal.append((device, "put", dict(self.devices[device])))

    def purge(self, device):
        """Gone for good, from the directory or from the bin."""
        if self.bin.pop(device, None) is None:
            del self.devices[device]
            self._leave_all(device)
        self.journal.append((device, "deleted", None))

    def _leave_all(self, device):
        for members in self.members.values():
            members.discard(device)

    # -- Intune --

    def enrol(self, device=None, **properties):
        """An Intune record of a device, or of none (azureADDeviceId zero); its id."""
        rng, record = self.rng, self.new_id()
        known = self.devices.get(device)
        made = {
            "id": record, "azureADDeviceId": known["deviceId"] if known else NO_ID,
            "deviceName": known["displayName"] if known else self._name("Windows"),
            "operatingSystem": known["operatingSystem"] if known else rng.choice(SYSTEMS),
            "complianceState": rng.choice(COMPLIANCE),
            "managedDeviceOwnerType": rng.choice(("company", "personal", "unknown")),
            "serialNumber": rng.choice((f"5cg{rng.getrandbits(28):07X}", f"C02{rng.getrandbits(28):07X}", "", None)),
            "userPrincipalName": rng.choice((f"user{rng.randint(1, 99)}@contoso.example", "")),
            "enrolledDateTime": rng.choice((self.now(), NEVER)), "lastSyncDateTime": self._sync_time(),
            **_radio_numbers(record),
            "wiFiMacAddress": rng.choice((f"{rng.getrandbits(48):012X}", "", None)),
            "ethernetMacAddress": rng.choice((f"{rng.getrandbits(48):012X}", None)),
            "managementState": self.more.choice(STATES),
            "deviceCategoryDisplayName": self.more.choice(("Unknown", "Kiosk", "")),
            "enrollmentProfileName": self.more.choice(("Autopilot, sales", "", None)),
        }
        if rng.random() < 0.2:
            made["azureADDeviceId"] = made["azureADDeviceId"].upper()
        self.records[record] = {**NEW_RECORD, **made, **properties}
        self.records[record]["managedDeviceName"] = self.records[record]["deviceName"]
        return record

    def _sync_time(self):
        # Intune writes ticks of 100 ns now and then.
        return re.sub(r"Z$", self.rng.choice(("Z", ".1234567Z")), self.now())

    def enrol_with_own_id(self):
        record = self.enrol()
        self.records[record]["azureADDeviceId"] = record
        return record

    def enrol_stranger(self):
        """A record of a device that Entra ID does not know."""
        return self.enrol(azureADDeviceId=self.new_id())

    def duplicate(self, record):
        """The device was enrolled anew: a second record, which synced later."""
        old = self.records[record]
        new = self.enrol(azureADDeviceId=old["azureADDeviceId"], serialNumber=old["serialNumber"],
                         deviceName=old["deviceName"])
        if old["azureADDeviceId"] == record:
            self.change_record(new, azureADDeviceId=new)
        return new

    def change_record(self, record, **properties):
        self.records[record].update(properties)

    def check_in(self, record):
        """The device talks to Intune, which looks at its compliance."""
        self.change_record(record, lastSyncDateTime=self._sync_time(), complianceState=self.rng.choice(COMPLIANCE),
                           managementState=self.more.choice(STATES))

    def forget_device_id(self, device_id):
        """Its device was deleted in Entra ID, and Intune stops naming it."""
        for record in self.records.values():
            if (record["azureADDeviceId"] or "").lower() == device_id.lower():
                record["azureADDeviceId"] = NO_ID

    def unenrol(self, record):
        del self.records[record]

    # -- groups --

    def add_group(self, name, **properties):
        group = self.new_id()
        self.groups[group] = {**NEW_GROUP, "id": group, "displayName": name, "createdDateTime": self.now(),
                              "mailNickname": group[:10], "securityIdentifier": f"S-1-12-1-{self.rng.getrandbits(30)}",
                              **properties}
        self.members[group] = set()
        return group

    def rename_group(self, group, name):
        self.groups[group]["displayName"] = name

    def delete_group(self, group):
        del self.groups[group], self.members[group]
        self._leave_all(group)

    def join(self, group, member):
        """A device or a group becomes a member."""
        self.members[group].add(member)

    def leave(self, group, member):
        self.members[group].discard(member)

    def group_named(self, name):
        """The ids of the groups of that name; Entra ID compares without regard to case."""
        return [group for group, properties in self.groups.items() if properties["displayName"].lower() == name.lower()]

    def devices_in(self, group):
        """Object ids of the devices in it, directly or through other groups, however they are nested."""
        seen, found, waiting = {group}, set(), [group]
        while waiting:
            for member in self.members[waiting.pop()]:
                if member in self.devices:
                    found.add(member)
                elif member in self.groups and member not in seen:
                    seen.add(member)
                    waiting.append(member)
        return found

    # -- history --

    def live(self, times=1, gentle=False):
        """Some random things happen. gentle: hardly anything goes away."""
        for _ in range(times):
            self._happen(gentle)

    def _happen(self, gentle):
        rng = self.rng
        what = rng.choice(GENTLE_EVENTS if gentle else EVENTS)
        if what in NEEDS_RECORD and self.records:
            getattr(self, what)(rng.choice(sorted(self.records)))
        elif what in ("restore", "empty_bin") and self.bin:
            getattr(self, {"empty_bin": "purge"}.get(what, what))(rng.choice(sorted(self.bin)))
        elif what in ("enrol_nobody", "enrol_with_own_id", "enrol_stranger"):
            getattr(self, {"enrol_nobody": "enrol"}.get(what, what))()
        elif what == "add_device" or not self.devices:
            device = self.add_device()
            if rng.random() < 0.5:
                self.enrol(device)
        elif what in ("membership", "nesting") and self.groups:
            self._regroup(what)
        elif hasattr(self, f"_{what}"):
            getattr(self, f"_{what}")(self._some_device())
        elif what in NEEDS_DEVICE:
            device = self._some_device()
            device_id = self.devices[device]["deviceId"]
            getattr(self, what)(device)
            if what in ("delete", "purge") and self.more.random() < 0.4:
                self.forget_device_id(device_id)

    def _switch(self, device):
        self.change(device, accountEnabled=not self.devices[device]["accountEnabled"])

    def _recase(self, device):
        self.rename(device, self.devices[device]["displayName"].swapcase())

    def _namesake(self, device):
        self.rename(device, self.devices[self._some_device()]["displayName"])

    def _rename_and_back(self, device):
        old = self.devices[device]["displayName"]
        self.rename(device)
        self.rename(device, old)

    def _take_old_name(self, _):
        names = {}
        for device, what, changes in self.journal:
            if what == "put" and "displayName" in changes and device in self.devices:
                names.setdefault(device, []).append(changes["displayName"])
        renamed = sorted(device for device, had in names.items() if len(had) > 1)
        if renamed:
            device = self.rng.choice(renamed)
            self.rename(device, self.rng.choice(names[device]))

    def _verdict(self, device):
        self.change(device, isCompliant=self.rng.choice((True, False, None)),
                    isManaged=self.rng.choice((True, False, None)))

    def _sign_in(self, device):
        self.change(device, approximateLastSignInDateTime=self.now())

    def _convert(self, device):
        self.change(device, trustType=self.rng.choice((*TRUST, None)),
                    deviceOwnership=self.rng.choice(("Company", "Personal", None)))

    def _upgrade(self, device):
        self.change(device, operatingSystemVersion=f"10.0.{self.rng.randint(10000, 26100)}",
                    operatingSystem=self.rng.choice(SYSTEMS), extensionAttributes=self._attributes())

    def _leave_and_return(self, device):
        self.delete(device)
        self.restore(device)

    def _regroup(self, what):
        rng = self.rng
        group = rng.choice(sorted(self.groups))
        pool = self.devices if what == "membership" else self.groups
        member = rng.choice(sorted(pool)) if pool else None
        if member is None or member == group:
            return
        (self.leave if member in self.members[group] else self.join)(group, member)


NEEDS_RECORD = ("duplicate", "check_in", "unenrol")
NEEDS_DEVICE = ("rename", "delete", "purge", "enrol")
GENTLE_EVENTS = ("add_device", "rename", "switch", "recase", "namesake", "rename_and_back", "take_old_name", "verdict",
                 "sign_in", "upgrade", "restore", "empty_bin", "leave_and_return", "enrol", "enrol_nobody",
                 "enrol_with_own_id", "enrol_stranger", "duplicate", "check_in", "check_in")
EVENTS = (*GENTLE_EVENTS, "rename", "delete", "delete", "purge", "restore", "unenrol", "convert", "membership",
          "membership", "membership", "nesting")
