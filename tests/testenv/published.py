# SPDX-License-Identifier: GPL-2.0-or-later
"""What `certdir list export` must say after a sync, worked out from a tenant in the plainest way there is."""

from dataclasses import dataclass, field
from datetime import datetime

from testenv.tenant import NO_ID, Tenant

TRUST_NAMES = {"AzureAd": "entra", "ServerAd": "hybrid", "Workplace": "registered"}


@dataclass
class Options:
    """What certdir.conf says about a tenant, as far as it shows in the list."""

    intune: bool = True
    groups: tuple = ()  # names or ids
    join_types: tuple = ()  # "entra", "hybrid", "registered"; () = all
    operating_systems: tuple = ()
    ownerships: tuple = ()
    only_enabled: bool = False
    former_names: int = 30 * 86400
    extension_attributes: tuple = ()  # numbers


def seconds(text):
    """Graph's time as Unix seconds; 0 = none."""
    if not text:
        return 0
    when = datetime.strptime(text[:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    return max(0, int(when.timestamp())) if when.year > 1 else 0


def later(*texts):
    best = max(texts, key=seconds)
    return best[:19] + "Z" if seconds(best) else None


def lower(text):
    """ASCII only, as names are compared."""
    return "".join(c.lower() if c < "\x80" else c for c in text)


def word(text):
    """An ownership: "unknown" and nothing are none."""
    return text.lower() if text and text.lower() != "unknown" else None


@dataclass
class Published:
    """
    The list of one tenant as it must be. Call ..done() with the tenant's state for each part whose listing ended well,
    then devices(): a part that failed leaves what was there.
    """

    options: Options = field(default_factory=Options)
    tenant_id: str = ""
    lists_ethernet: bool = False  # as FakeGraph.lists_ethernet
    entra: dict = field(default_factory=dict)  # object id -> properties
    former: dict = field(default_factory=dict)  # object id -> {name in lower case: (name, since)}
    records: list = field(default_factory=list)
    once: set = field(default_factory=set)  # ids of records that named an Entra device
    groups: dict = field(default_factory=dict)  # group id -> (name, object ids of members)

    # -- what a sync brought --

    def devices_done(self, tenant: Tenant, now):
        self.tenant_id = tenant.id
        for device in [device for device in self.entra if device not in tenant.devices]:
            del self.entra[device]
            self.former.pop(device, None)
        for device, properties in tenant.devices.items():
            before = self.entra.get(device, properties)["displayName"]
            self.entra[device] = dict(properties)
            if lower(before) != lower(properties["displayName"]):
                self.former.setdefault(device, {})[lower(before)] = (before, now)
            self.former.get(device, {}).pop(lower(properties["displayName"]), None)

    def intune_done(self, tenant: Tenant):
        self.records = [dict(record) for record in tenant.records.values()]
        self.once |= {record["id"] for record in self.records if not names_itself(record)}

    def intune_short(self, tenant: Tenant, share=0.5):
        """The first part of the records came; those that did not stay as they were."""
        came = list(tenant.records.values())[:int(len(tenant.records) * share)]
        self.once |= {record["id"] for record in self.records if not names_itself(record)}
        ids, keys = ({record[name].lower() for record in came} for name in ("id", "azureADDeviceId"))
        self.records = [dict(record) for record in came] + [
            record for record in self.records
            if record["id"].lower() not in ids and (names_itself(record) or record["azureADDeviceId"].lower() not in keys)]
        self.once |= {record["id"] for record in came if not names_itself(record)}

    def groups_done(self, tenant: Tenant):
        self.groups = {}
        for wanted in self.options.groups:
            group, = [wanted] if wanted in tenant.groups else tenant.group_named(wanted)
            self.groups[group] = (tenant.groups[group]["displayName"], set(tenant.devices_in(group)))

    # -- what the list then holds --

    def devices(self, now):
        """The devices as `certdir list export --format json` gives them; compare with arranged()."""
        joined, own = self._join()
        listed = [self._merge(device, joined.get(device["deviceId"].lower()), now) for device in self.entra.values()]
        listed += [self._alone(record) for record in own]
        return [clean(device) for device in listed if self._wanted(device)]

    def _join(self):
        """({device id: its record}, [records that are devices of their own])"""
        known = {device["deviceId"].lower() for device in self.entra.values()}
        joined, own = {}, []
        for record in self.records if self.options.intune else []:
            device = (record["azureADDeviceId"] or NO_ID).lower()
            if names_itself(record):
                if record["id"] not in self.once:
                    own.append(record)
            elif device in known:
                other = joined.get(device)
                if not other or enrolled(other) < enrolled(record):
                    joined[device] = record
        return joined, own

    def _merge(self, device, record, now):
        former = self.former.get(device["id"], {})
        merged = {
            "id": device["id"], "deviceId": device["deviceId"], "tenantId": self.tenant_id,
            "displayName": device["displayName"],
            "onPremisesSecurityIdentifier": device["onPremisesSecurityIdentifier"],
            "deviceOwnership": word(device["deviceOwnership"]), "operatingSystem": device["operatingSystem"],
            "complianceState": {True: "compliant", False: "noncompliant", None: None}[device["isCompliant"]],
            "extensionAttributes": {name: value for name, value in (device["extensionAttributes"] or {}).items()
                                    if value and int(name[18:]) in self.options.extension_attributes},
            "accountEnabled": device["accountEnabled"], "isManaged": device["isManaged"],
            "trustType": device["trustType"],
            "approximateLastSignInDateTime": later(device["approximateLastSignInDateTime"]),
            "registrationDateTime": later(device["registrationDateTime"]),
            "formerNames": sorted(name for name, since in former.values() if since > now - self.options.former_names),
            "groups": [{"id": group, "displayName": name} for group, (name, members) in self.groups.items()
                       if device["id"] in members],
        }
        if record:
            mine = self._alone(record)
            for name in ("displayName", "operatingSystem", "accountEnabled"):
                del mine[name]
            if mine["complianceState"] in ("unknown", "configManager") and merged["complianceState"]:
                del mine["complianceState"]
            mine["isManaged"] = mine["isManaged"] or merged["isManaged"] or mine["isManaged"]
            merged.update({name: value for name, value in mine.items() if value is not None})
            for name, other in (("approximateLastSignInDateTime", "lastSyncDateTime"),
                                ("registrationDateTime", "enrolledDateTime")):
                merged[name] = later(device[name], record[other])
        return merged

    def _alone(self, record):
        """What an Intune record says by itself."""
        return {
            "intuneDeviceId": record["id"], "tenantId": self.tenant_id, "displayName": record["deviceName"],
            "deviceName": record["deviceName"], "managementState": record["managementState"],
            "managementAgent": record["managementAgent"],
            "deviceCategoryDisplayName": record["deviceCategoryDisplayName"],
            "enrollmentProfileName": record["enrollmentProfileName"],
            "serialNumber": (record["serialNumber"] or "").upper() or None,
            "userPrincipalName": record["userPrincipalName"],
            "deviceOwnership": word(record["managedDeviceOwnerType"]), "operatingSystem": record["operatingSystem"],
            "complianceState": record["complianceState"], "accountEnabled": in_use(record) or None,
            "isManaged": managed(record),
            "wiFiMacAddress": record["wiFiMacAddress"], "imei": record["imei"], "meid": (record["meid"] or "").upper() or None,
            "ethernetMacAddress": record["ethernetMacAddress"] if self.lists_ethernet else None,
            "approximateLastSignInDateTime": later(record["lastSyncDateTime"]),
            "registrationDateTime": later(record["enrolledDateTime"]),
        }

    def _wanted(self, device):
        options = self.options
        if options.join_types and TRUST_NAMES.get(device.get("trustType")) not in options.join_types:
            return False
        systems = set(map(lower, options.operating_systems))
        if systems and lower(device["operatingSystem"] or "") not in systems:
            return False
        if options.ownerships and device["deviceOwnership"] not in options.ownerships:
            return False
        return not options.only_enabled or device["accountEnabled"] is True


def clean(device):
    """Without what is not known: an export does not write it."""
    return {name: value for name, value in device.items() if value not in (None, "", [], {})}


def in_use(record):
    return record["managementState"] in ("managed", "wipeCanceled", "retireCanceled")


def managed(record):
    """What Intune's record says of it; None: nothing."""
    if not in_use(record):
        return None if record["managementState"] == "discovered" else False
    return {"mdm": True, "easMdm": True, "configurationManagerClientMdm": True, "eas": False, "msSense": False,
            "jamf": None, "unknown": None}[record["managementAgent"]]


def names_itself(record):
    """Whether an Intune record names no Entra device."""
    return (record["azureADDeviceId"] or NO_ID).lower() in (NO_ID, record["id"].lower())


def enrolled(record):
    return seconds(record["enrolledDateTime"]), seconds(record["lastSyncDateTime"]), record["id"]


def arranged(devices):
    """Devices, and what they list, in one order, so that two lists can be compared. Times of former names are left out."""
    for device in devices:
        device.pop("formerNamesSince", None)
        for name in ("groups", "formerNames", "dnsNames"):
            if name in device:
                device[name] = sorted(device[name], key=str)
    return sorted(devices, key=lambda device: (device.get("id") or "", device.get("intuneDeviceId") or ""))


def expected(tenant, options=None, now=0):
    """What the list must hold after a first sync that went well."""
    published = Published(options or Options())
    published.devices_done(tenant, now)
    if tenant.intune:
        published.intune_done(tenant)
    published.groups_done(tenant)
    return arranged(published.devices(now))


def assert_same(listed, wanted):
    """Two arranged lists; says in a few lines what is not the same."""
    def keyed(devices):
        return {device.get("id") or device.get("intuneDeviceId"): device for device in devices}

    mine, theirs = keyed(listed), keyed(wanted)
    told = [f"{len(listed)} devices are listed, {len(mine)} different ones"] if len(mine) != len(listed) else []
    for key in sorted({*mine, *theirs}):
        one, other = mine.get(key), theirs.get(key)
        if one is None or other is None:
            told.append(f"{'not listed' if one is None else 'listed'}: {one or other}")
            continue
        told += [f"{key} {other.get('displayName')}: {name} is {one.get(name)!r}, not {other.get(name)!r}"
                 for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
    if told:
        raise AssertionError("\n".join(told[:20]))
