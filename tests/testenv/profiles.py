# SPDX-License-Identifier: GPL-2.0-or-later
"""
A tenant's certificate and Wi-Fi profiles as Graph's beta endpoint tells them: a clean one, and what can be wrong with it.

	Profiles(root_der).save(directory)          saved answers, for certdir profiles --from
	FAULTS["eku"](profiles)                     one profile has that fault now
"""

import base64
import json

GRAPH = "#microsoft.graph."
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
SID_URI = "tag:microsoft.com,2022-09-14:sid:{{OnPremisesSecurityIdentifier}}"
STAFF, PHONES, STRANGERS = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "abc")

ALL_DEVICES = {"@odata.type": f"{GRAPH}allDevicesAssignmentTarget"}
ALL_USERS = {"@odata.type": f"{GRAPH}allLicensedUsersAssignmentTarget"}


def group(group_id, excluded=False):
    return {"@odata.type": f"{GRAPH}{'exclusionGroup' if excluded else 'group'}AssignmentTarget", "groupId": group_id}


def _id(number):
    return f"00000000-0000-4000-9000-{number:012}"


def _assignments(targets):
    return [{"id": f"assignment_{number}",
             "target": {"deviceAndAppManagementAssignmentFilterId": None,
                        "deviceAndAppManagementAssignmentFilterType": "none", **target}}
            for number, target in enumerate(targets)]


def _name(kind, text):
    return {"sanType": kind, "name": text}


class Profiles:
    """`items`: configurations by a short name. `relations`: {(short name, relation): short names}; a text stands for one object."""

    def __init__(self, root):
        self.root = base64.b64encode(root).decode()
        self.items, self.relations, self.policies, self.settings = {}, {}, [], {}
        self.add("root", "windows81TrustedRootCertificate", "Windows root", trustedRootCertificate=self.root)
        self.add("scep", "windows81SCEPCertificateProfile", "Windows certificate", **self.certificate(
            [_name("universalResourceIdentifier", "IntuneDeviceId://{{DeviceId}}"),
             _name("universalResourceIdentifier", SID_URI),
             _name("domainNameService", "{{AAD_Device_ID}}.contoso.example")], subject="CN={{AAD_Device_ID}}"), hashAlgorithm="sha2")
        self.add("wifi", "windowsWifiEnterpriseEAPConfiguration", "Windows Wi-Fi", **self.network())
        self.add("ios-root", "iosTrustedRootCertificate", "iPhone root", trustedRootCertificate=self.root)
        self.add("ios", "iosScepCertificateProfile", "iPhone certificate", **self.certificate(
            [_name("universalResourceIdentifier", "ID:Microsoft Endpoint Manager:GUID:{{DeviceId}}")]))
        self.add("ios-wifi", "iosEnterpriseWiFiConfiguration", "iPhone Wi-Fi", **self.network())
        self.add("restrictions", "windows10GeneralConfiguration", "Restrictions")
        for name, certificate, root in (("", "scep", "root"), ("ios-", "ios", "ios-root")):
            self.relations[certificate, "rootCertificate"] = root
            self.relations[f"{name}wifi", "rootCertificatesForServerValidation"] = [root]
            self.relations[f"{name}wifi", "identityCertificateForClientAuthentication"] = certificate

    @staticmethod
    def certificate(names, subject="CN={{DeviceId}},O=Contoso"):
        return {"subjectNameFormat": "custom", "subjectNameFormatString": subject, "customSubjectAlternativeNames": names,
                "subjectAlternativeNameType": "none", "certificateStore": "machine", "keySize": "size2048",
                "extendedKeyUsages": [{"name": "Client Authentication", "objectIdentifier": CLIENT_AUTH}],
                "renewalThresholdPercentage": 20, "certificateValidityPeriodScale": "years", "certificateValidityPeriodValue": 1,
                "scepServerUrls": ["https://scep.contoso.example/certsrv/mscep/mscep.dll"]}

    @staticmethod
    def network():
        return {"ssid": "Contoso", "eapType": "eapTls", "authenticationMethod": "certificate",
                "trustedServerCertificateNames": ["radius.contoso.example"]}

    def add(self, short, kind, name, targets=(ALL_DEVICES,), **properties):
        self.items[short] = {"@odata.type": GRAPH + kind, "id": _id(len(self.items) + 1), "displayName": name, "version": 1,
                             "lastModifiedDateTime": "2026-03-01T08:00:00Z", "createdDateTime": "2026-03-01T08:00:00Z",
                             "roleScopeTagIds": ["0"], "supportsScopeTags": True, **properties,
                             "assignments": _assignments(targets)}

    def __getitem__(self, short):
        return self.items[short]

    def change(self, short, **properties):
        self.items[short].update(properties)

    def assign(self, short, *targets):
        self.items[short]["assignments"] = _assignments(targets)

    def add_policy(self, name, *definitions):
        """One of the settings catalog."""
        policy = {"id": _id(900 + len(self.policies)), "name": name}
        self.policies.append(policy)
        self.settings[policy["id"]] = [
            {"id": str(number), "settingInstance": {"@odata.type": f"{GRAPH}deviceManagementConfigurationGroupSettingInstance",
                                                    "settingDefinitionId": definition}}
            for number, definition in enumerate(definitions)]

    def related(self, short, relation):
        """What GET .../ID/microsoft.graph.TYPE/RELATION answers; None: nothing (204)."""
        found = self.relations.get((short, relation))
        if isinstance(found, list):
            return {"value": [self._plain(one) for one in found]}
        return self._plain(found) if found else None

    def _plain(self, short):
        return {key: value for key, value in self.items[short].items() if key != "assignments"}

    def answers(self):
        """{name of the file: what Graph answered}."""
        found = {"deviceConfigurations": {"value": list(self.items.values())},
                 "configurationPolicies": {"value": self.policies}}
        for policy, settings in self.settings.items():
            found[f"{policy}.settings"] = {"value": settings}
        for short, relation in self.relations:
            found[f"{self.items[short]['id']}.{relation}"] = self.related(short, relation) or {"value": None}
        return found

    def save(self, directory):
        directory.mkdir(exist_ok=True)
        for name, answer in self.answers().items():
            (directory / f"{name}.json").write_text(json.dumps(answer))
        return directory


# ---- the list ----


def device(number, name, system="Windows", join="AzureAd", **properties):
    """As certdir list import takes it."""
    return {"deviceId": f"00000000-0000-4000-a000-{number:012}", "intuneDeviceId": f"00000000-0000-4000-b000-{number:012}",
            "displayName": name, "operatingSystem": system, "trustType": join, "isManaged": True, "accountEnabled": True,
            "userPrincipalName": "anna@contoso.example", **properties}


def devices():
    """A fleet for which nothing is wrong with the clean profiles."""
    return [device(1, "LT-1", groupIds=[STAFF]), device(2, "LT-2", groupIds=[STAFF]), device(3, "PC-3", join="ServerAd"),
            device(4, "Phone", "iOS", "Workplace", groupIds=[PHONES])]


AUTOPILOT = device(5, "PC-5", join="ServerAd", enrollmentProfileName="Hybrid Autopilot")
COMANAGED = device(6, "PC-6", join="ServerAd", managementAgent="configurationManagerClientMdm")
UNREGISTERED = {**device(7, "LT-7"), "deviceId": None}
PERSONAL = device(8, "Pixel", "Android", "Workplace", deviceOwnership="Personal")


# ---- what can be wrong ----


def _alternatives(profiles, *names, short="scep"):
    profiles.change(short, customSubjectAlternativeNames=list(names))


def _android(profiles):
    profiles.add("work-root", "androidWorkProfileTrustedRootCertificate", "Work root", trustedRootCertificate=profiles.root)
    profiles.add("work", "androidWorkProfileScepCertificateProfile", "Work profile certificate", **profiles.certificate(
        [_name("universalResourceIdentifier", "IntuneDeviceId://{{DeviceId}}")], "CN={{AAD_Device_ID}},serialNumber={{SerialNumber}}"))
    profiles.relations["work", "rootCertificate"] = "work-root"


def _short(profiles):
    profiles.change("scep", certificateValidityPeriodScale="months", certificateValidityPeriodValue=1)


def _server_only(profiles):
    profiles.change("scep", extendedKeyUsages=[{"name": "Server Authentication", "objectIdentifier": SERVER_AUTH}])


def _other_root(profiles):
    profiles.add("other-root", "windows81TrustedRootCertificate", "Another root", trustedRootCertificate=profiles.other_root)
    profiles.relations["wifi", "rootCertificatesForServerValidation"] = ["other-root"]


def _filtered(profiles):
    profiles.assign("scep", {**ALL_DEVICES, "deviceAndAppManagementAssignmentFilterId": _id(800),
                             "deviceAndAppManagementAssignmentFilterType": "include"})


def _no_sid(profiles):
    _alternatives(profiles, _name("universalResourceIdentifier", "IntuneDeviceId://{{DeviceId}}"),
                  _name("domainNameService", "{{AAD_Device_ID}}.contoso.example"))


def _names_alone(profiles):
    profiles.change("scep", subjectNameFormatString="CN={{DeviceName}}")
    _alternatives(profiles, _name("universalResourceIdentifier", SID_URI), _name("domainNameService", "{{DeviceName}}.contoso.example"))


# {fault: (what makes it, (profile, code, how many devices, level), a device that it takes)}
FAULTS = {
    "Entra-joined": (lambda p: p.change("scep", subjectNameFormatString="CN={{FullyQualifiedDomainName}}"),
                     ("Windows certificate", "no-domain", 2, "wrong"), None),
    "not registered": (lambda p: None, ("Windows certificate", "not-registered", 1, "wrong"), UNREGISTERED),
    "work profile": (_android, ("Work profile certificate", "work-profile", 1, "wrong"), PERSONAL),
    "before the join": (_names_alone, ("Windows certificate", "name-before-join", 1, "wrong"), AUTOPILOT),
    "before the join, beside an id": (lambda p: p.change("scep", subjectNameFormatString="CN={{DeviceName}}"),
                                      ("Windows certificate", "name-before-join", 1, "note"), AUTOPILOT),
    "other group": (lambda p: (p.assign("root", group(STAFF)), p.assign("wifi", group(STAFF))),
                    ("Windows certificate", "root-assignment", 1, "wrong"), None),
    "user and device": (lambda p: (p.assign("wifi", ALL_USERS), p.assign("root", ALL_DEVICES, ALL_USERS)),
                        ("Windows Wi-Fi", "certificate-assignment", 0, "wrong"), None),
    "excluded": (lambda p: (p.assign("ios-root", ALL_DEVICES, group(PHONES, excluded=True)),
                            p.assign("ios-wifi", ALL_DEVICES, group(PHONES, excluded=True))),
                 ("iPhone certificate", "root-assignment", 1, "wrong"), None),
    "unknown group": (lambda p: p.assign("ios-wifi", group(STRANGERS)), ("iPhone Wi-Fi", "group", 0, "note"), None),
    "nobody's": (lambda p: p.assign("ios-wifi"), ("iPhone Wi-Fi", "unassigned", 0, "note"), None),
    "other root": (_other_root, ("Windows Wi-Fi", "other-root", 0, "wrong"), None),
    "other server": (lambda p: p.change("wifi", trustedServerCertificateNames=["nps.contoso.example"]),
                     ("Windows Wi-Fi", "server-name", 0, "wrong"), None),
    "no certificate": (lambda p: p.relations.update({("wifi", "identityCertificateForClientAuthentication"): None}),
                       ("Windows Wi-Fi", "no-certificate", 0, "wrong"), None),
    "machine and user": (lambda p: (p.change("wifi", authenticationType="machine"), p.change("scep", certificateStore="user")),
                         ("Windows Wi-Fi", "login", 0, "wrong"), None),
    "validity": (_short, ("Windows certificate", "renewal", 0, "wrong"), None),
    "eku": (_server_only, ("Windows certificate", "eku", 0, "wrong"), None),
    "ConfigMgr": (lambda p: _alternatives(p, _name("universalResourceIdentifier", SID_URI)),
                  ("Windows certificate", "configmgr", 1, "wrong"), COMANAGED),
    "strong mapping": (_no_sid, ("Windows certificate", "strong-mapping", 1, "note"), None),
    "nobody": (lambda p: p.change("ios", subjectNameFormatString="CN=Wi-Fi", customSubjectAlternativeNames=[]),
               ("iPhone certificate", "no-identity", 0, "wrong"), None),
    "serial as a name": (lambda p: p.change("ios", subjectNameFormatString="CN={{SerialNumber}}", customSubjectAlternativeNames=[]),
                         ("iPhone certificate", "no-identity", 0, "wrong"), None),
    "malformed": (lambda p: _alternatives(p, _name("universalResourceIdentifier", "IntuneDeviceId://{{DeviceName}}"), short="ios"),
                  ("iPhone certificate", "malformed", 0, "wrong"), None),
    "CN=DeviceId": (lambda p: p.change("scep", subjectNameFormatString="CN={{DeviceId}}"),
                    ("Windows certificate", "device-id", 0, "wrong"), None),
    "unknown variable": (lambda p: p.change("scep", subjectNameFormatString="CN={{AAD_Device_ID}},OU={{Departmint}}"),
                         ("Windows certificate", "unknown-variable", 0, "note"), None),
    "filter": (_filtered, ("Windows certificate", "filter", 0, "note"), None),
}
