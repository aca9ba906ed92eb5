# SPDX-License-Identifier: GPL-2.0-or-later
"""
Where two things meet that each were right by themselves: directories and directories, sources of one list, fresh facts
and old ones, what a CA vouches for and what the requester wrote. By real logins; more of a kind by `certdir check`.
"""

import shutil
import time
import uuid

import pytest

from testenv.certificates import octets, oid, sequence, tlv
from testenv.samba import COMPUTERS, DNS as AD_DNS
from testenv.sites import Site, ago, dns, guid, named, publish, uri, with_id
from testenv.slapd import DEVICES, SUFFIX, Slapd, sid_bytes
from testenv.sync import SOME, STAFF, Sync, serving
from testenv.tenant import Tenant, imei_of
from testenv.worlds import ldap_options

NOBODY = guid("nobody")
DOMAIN_SID, USER_SID = "S-1-5-21-1-2-3-1115", "S-1-5-21-1-2-3-2222"
FOREST_A, FOREST_B, HELPDESK, PLACEHOLDERS = (f"ou={name},{SUFFIX}" for name in ("A", "B", "Helpdesk", "Placeholders"))
GROUPS = f"ou=Groups,{SUFFIX}"
RETIRED = ("retirePending", "retireFailed", "retireIssued", "wipePending", "wipeFailed", "wipeIssued", "unhealthy",
           "deletePending")
MARKS = ("certdir:fleet:x", "CERTDIR:fleet:y:Disabled", "certdir:fleet:z:disabled ",
         "CertDir:fleet:w:GONE=2026-01-01T00:00:00Z")
KEPT = ("managed", "wipeCanceled", "retireCanceled", "discovered")
IMEI, LOST = "260531793113837", 35000000000022
# Where a profile has put what, on the CA of this fleet.
PHONES = """
	certificates phones {
		imei = "subject.cn"
		meid = "subject.cn"
		wifi_mac = "subject.ou"
		serial_number = "subject.o"
		permanent_id = "san.permanentIdentifier"
	}
"""
LONG = f"{AD_DNS.replace('.', '-')}-a-long-computer-name"
DAYS = 4320  # minutes: the three


def day(days):
    """Graph's time of so many days from now."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))


# ---- what there is ----


class Contoso:
    """A tenant of devices that each are for one of the tests, and lists that were synced from it at different times."""

    def __init__(self, directory, serve):
        self.tenant = Tenant("seams")
        self.graph = serve(self.tenant)
        self.ids, self.objects, self.records = {}, {}, {}
        self._fill()
        self.main, self.half, self.hourly = (self._sync(directory / name) for name in ("main", "half", "hourly"))
        self._live()
        self.list = self.main.list_file
        publish(self.list, "jamf", self._macs())

    def _sync(self, directory):
        return Sync(directory, self.graph, group=STAFF)

    def put(self, name, key=None, **properties):
        made = {"trustType": "AzureAd", "accountEnabled": True, "isManaged": True, "isCompliant": True,
                "operatingSystem": "Windows", "registrationDateTime": day(-400),
                "approximateLastSignInDateTime": day(0), "onPremisesSecurityIdentifier": None}
        device = self.tenant.add_device(name, **{**made, **properties})
        self.objects[key or name], self.ids[key or name] = device, self.tenant.devices[device]["deviceId"]
        return device

    def enrol(self, name, key=None, **properties):
        made = {"complianceState": "compliant", "managementState": "managed", "serialNumber": "",
                "lastSyncDateTime": day(0), "enrolledDateTime": day(-400), "managedDeviceOwnerType": "company"}
        self.records[key or name] = self.tenant.enrol(self.objects[name], **{**made, **properties})

    def _fill(self):
        self.put("LAPTOP-V")
        self.put(self.ids["LAPTOP-V"], key="phone of that GUID", trustType="Workplace")
        self.put("HYB-15", trustType="ServerAd", onPremisesSecurityIdentifier=DOMAIN_SID)
        self.put("hyb-15.corp.example", key="phone of that name", trustType="Workplace")
        self.put("OFF-2", accountEnabled=False)
        self.put("OWN-3", accountEnabled=False)
        self.put("BOTH-3")
        self.put("MAC-20")
        self.put("PC_01")
        self.put("max")
        self.put("OLD-14")
        self.put("DELETED-14")
        self.put("BLOCKED-14")
        serials = {"PHONE-4": "C02MAC4", "BOARD-4": "Default string", "WARD-14": "S-WARD", "IPAD-17": ""}
        for name, serial in serials.items():
            self.put(name)
            self.enrol(name, serialNumber=serial)
        for name in ("UNKNOWN-5", "NOT-6", "HOURLY-20"):
            self.put(name, isCompliant=None)
            self.enrol(name)
        self.enrol("DELETED-14")
        self.put("WIPED-20")
        self.enrol("WIPED-20", key="old", managementState="wipePending")
        self.enrol("WIPED-20", key="new", enrolledDateTime=day(-3))
        self._fill_states_and_twins()
        self._fill_phones()

    def _fill_phones(self):
        """By the numbers of their radios; a tablet that made its MAC address up."""
        for name, numbers in {"PHONE-22": {"imei": IMEI, "wiFiMacAddress": "00A0C91E2F22", "serialNumber": "F17ABC1DEF22"},
                              "CDMA-22": {"meid": "AF0123450ABCDE"}, "PAD-22": {"wiFiMacAddress": "DAA0C91E2F22"},
                              "LOST-22": {"imei": imei_of(LOST), "managementState": "wipePending"}}.items():
            self.put(name)
            self.enrol(name, **{"imei": "", "meid": "", "wiFiMacAddress": "", **numbers})

    def _fill_states_and_twins(self):
        for state in (*RETIRED, *KEPT):
            self.put(f"PC-{state}")
            self.enrol(f"PC-{state}", managementState=state)
        for name, enabled in (("REIMAGED-1", True), ("REIMAGED-2", False)):
            self.put(name, key=f"{name} of old", approximateLastSignInDateTime=day(-60), accountEnabled=enabled)
            self.put(name, registrationDateTime=day(-5))
        for name in ("LAX-IN", "LAX-OUT"):
            self.put(name, isCompliant=False)
        staff = self.tenant.add_group(STAFF)
        for name in ("LAX-IN", "UNKNOWN-5"):
            self.tenant.join(staff, self.objects[name])
        self.records["gone"] = self.tenant.enrol_stranger()
        self.records["alone"] = self.tenant.enrol(deviceName="ALONE-17", managementState="managed")
        self.records["found"] = self.tenant.enrol(deviceName="FOUND-17", managementState="discovered")
        self.put("CO-21", isManaged=True, isCompliant=True)
        self.enrol("CO-21", complianceState="configManager", managementAgent="configurationManagerClientMdm", deviceName="21-OC")
        self.put("MAIL-21", isManaged=False, isCompliant=True)
        self.enrol("MAIL-21", managementAgent="eas")

    def _live(self):
        """The syncs: three days, two days, 70 and 15 minutes ago, and now."""
        self._at(DAYS, self.main, self.half)
        self.stale = self.main.list_file.with_name("stale.db")
        shutil.copy(self.main.list_file, self.stale)
        self.tenant.rename(self.objects["OLD-14"], "NEW-14")
        self._at(2880, self.main)
        self.hourly.set(intune_interval="1h")
        self._at(70, self.hourly)
        self.tenant.change(self.objects["NOT-6"], isCompliant=False)
        self._at(15, self.hourly)
        self.tenant.delete(self.objects["DELETED-14"])
        self._at(0, self.main)
        self.graph.permissions = {"Device.Read.All"}
        self._at(0, self.half, code=SOME)

    @staticmethod
    def _at(minutes, *syncs, code=0):
        for sync in syncs:
            sync.env = ago(minutes)
            sync.run(code=code)

    def _macs(self):
        """What an import knows: of a tenant's devices by their id, of Macs by serial number and name."""
        return [
            {"deviceId": self.ids["OWN-3"], "displayName": "OWN-3", "serialNumber": "S-OWN", "accountEnabled": True},
            {"deviceId": self.ids["BOTH-3"], "displayName": "BOTH-3", "serialNumber": "S-BOTH", "accountEnabled": True},
            {"displayName": "MAC-4", "serialNumber": "C02MAC4", "accountEnabled": False},
            {"displayName": "MAC-20", "serialNumber": "C02MAC20", "accountEnabled": True},
        ]


def fill_ldap(server):
    for ou in (FOREST_A, FOREST_B, HELPDESK, PLACEHOLDERS):
        server.add_entry(ou, objectClass="organizationalUnit", ou=ou.split(",")[0][3:])
    for name in ("DC01", "PC01", "OFF-2", "SALES-02"):
        server.add_computer(name, dNSHostName=f"{name.lower()}.corp.example")
    server.add_computer("MAC-22", macAddress="00:a0:c9:1e:2f:ad")
    server.add_computer("HYB-15", dNSHostName="hyb-15.corp.example", objectSid=sid_bytes(DOMAIN_SID))
    for number, control in ((1, 4096), (2, 4098)):
        name = f"PC0{number}"
        server.add_computer(name, FOREST_A, dNSHostName=f"{name}.foresta.example")
        server.add_computer(name, FOREST_B, dNSHostName=f"{name}.forestb.example", userAccountControl=control)
    server.add_computer("PC03", FOREST_A, dNSHostName="pc03.foresta.example")
    for name, parent in (("STAFF-13", GROUPS), ("HELP-13", HELPDESK)):
        dn = server.add_computer(name)
        server.add_entry(f"cn={STAFF},{parent}", objectClass="group", cn=STAFF, member=dn)
    for number, mark in enumerate(MARKS):
        server.add_computer(f"MARK-{number}", PLACEHOLDERS, description=mark)


@pytest.fixture(scope="module")
def contoso(tmp_path_factory):
    with serving() as serve:
        yield Contoso(tmp_path_factory.mktemp("contoso"), serve)


@pytest.fixture(scope="module")
def slapd(tmp_path_factory):
    with Slapd(tmp_path_factory.mktemp("slapd") / "1") as server:
        fill_ldap(server)
        yield server


@pytest.fixture(scope="module")
def open_site(tmp_path_factory, pki):
    """Makes a site, once for each name; its radiusd ends with the module."""
    sites = {}

    def opened(name, options, **more):
        if name not in sites:
            sites[name] = Site(tmp_path_factory.mktemp("site") / "1", pki, options, **more)
        return sites[name]

    yield opened
    for site in sites.values():
        assert site.server.stop() in (0, None)


@pytest.fixture
def list_options(contoso):
    return {"directories": "list", "list.filename": contoso.list}


def ldap_section(slapd, name="ldap", base=DEVICES, **more):
    options = {**ldap_options(slapd), "ldap.base_dn": base, **{f"ldap.{key}": value for key, value in more.items()}}
    return {f"{name}{key[4:]}": value for key, value in options.items()}


@pytest.fixture
def hybrid(open_site, list_options, slapd):
    """The usual site: a tenant's list with an import of Macs, and AD behind it."""
    return open_site("hybrid", {**list_options, "directories": "list ldap", **ldap_section(slapd)})


@pytest.fixture
def ad_only(open_site, slapd):
    return open_site("AD only", {"directories": "ldap", **ldap_section(slapd)})


# ---- unknown ids and names ----


def test_unknown_id_is_not_outvoted_by_a_name_in_another_directory(hybrid, contoso, open_site, list_options, tmp_path):
    hybrid.keeps_out(with_id(NOBODY, "DC01"), "not-found")
    hybrid.check([(with_id(NOBODY, "LAPTOP-V"), "not-found"),
                  (named(NOBODY, san=dns("dc01.corp.example")), "not-found"),
                  (named("DC01", san=uri(f"IntuneDeviceId://{NOBODY}")), "not-found")])
    second = tmp_path / "second.db"
    publish(second, "second", [{"deviceId": guid("dc02"), "displayName": "DC02", "accountEnabled": True}])
    two = open_site("two lists", {**list_options, "directories": "list second", "list second.filename": second},
                    more=[("list", "second")])
    two.check([(with_id(NOBODY, "DC02"), "not-found"), (named("DC02"), "allowed")])


def test_unknown_id_among_several_common_names(hybrid):
    hybrid.keeps_out(named(NOBODY, "LAPTOP-V"), "not-found")
    san = dns("laptop-v.corp.example")
    hybrid.check([(named("LAPTOP-V", NOBODY), "not-found"), (named(NOBODY, NOBODY, san=san), "not-found"),
                  (named(NOBODY, "", san=san), "not-found"),
                  (named("", NOBODY, "LAPTOP-V"), "not-found"), (named("LAPTOP-V", ""), "allowed")])


def test_a_guid_where_a_name_stands_gives_way(hybrid, contoso, open_site, list_options):
    """A phone named with another device's GUID, by a profile that puts its name into the CN."""
    ids = contoso.ids
    phone = ids["phone of that GUID"]
    decision = hybrid.lets_in(with_id(phone, ids["LAPTOP-V"]))
    assert decision.fields["id"] == phone, decision.line
    section = ('\tcertificates intune {\n\t\tissuer = "CN=certdir test CA"\n\t\tentra_device_id = "san.uri"\n'
               '\t\tcommon_name = "subject.cn"\n\t\tvouched = "san.uri"\n\t}\n')
    site = open_site("ids in URIs only", list_options, sections=section)
    decision = site.lets_in(named(ids["LAPTOP-V"]))
    assert decision.fields["id"] == phone, decision.line
    site.keeps_out(named(ids["HYB-15"]), "not-found")
    site.check([(with_id(ids["HYB-15"], ids["LAPTOP-V"]), "allowed"), (with_id(NOBODY, ids["LAPTOP-V"]), "not-found")])


def test_serial_number_of_another(hybrid):
    hybrid.keeps_out({"subject": [["CN", "WARD-14"], ["serialNumber", "S-NOBODY"]]}, "not-found")
    hybrid.check([({"subject": [["CN", "WARD-14"], ["serialNumber", "S-WARD"]]}, "allowed")])


def test_former_name_needs_a_certificate_of_its_time(hybrid):
    """The device has had a new name for two days; certificates are of the day after that, and of the day before."""
    hybrid.keeps_out(named("OLD-14"), "not-found")
    hybrid.check([(named("OLD-14", not_before=day(-3)), "allowed"), (named("NEW-14"), "allowed")])


# ---- several sources ----


def test_disabled_in_the_list_beats_an_enabled_account(contoso, open_site, slapd):
    """The list is three days old, AD is live, nobody may guess: the device is disabled, however old that is."""
    options = {"list.filename": contoso.stale, "directories": "list ldap", **ldap_section(slapd)}
    stale = open_site("stale", options)
    decision = stale.keeps_out(named("OFF-2", san=dns("off-2.corp.example")), "disabled")
    assert int(decision.fields["age"]) >= 3 * 86400 - 60, decision.line
    for name, more in (("AD first", {"directories": "ldap list"}),
                       ("stale allowed", {"policy.on_unavailable": "stale"}),
                       ("AD first, and fresh", {"directories": "ldap list", "list.filename": contoso.list})):
        open_site(name, {**options, **more}).check([(named("OFF-2"), "disabled")])


def test_two_rows_of_one_id_are_one_device(hybrid, contoso):
    """The tenant's is disabled, the import's is enabled and has the serial number; and one that is enabled in both."""
    hybrid.keeps_out({"subject": [["CN", "OWN-3"], ["serialNumber", "S-OWN"]]}, "disabled")
    hybrid.lets_in({**with_id(contoso.ids["BOTH-3"]), "subject": [["serialNumber", "S-BOTH"]]}, "BOTH-3")
    hybrid.check([({"subject": [["serialNumber", "S-OWN"]]}, "disabled"), (with_id(contoso.ids["OWN-3"]), "disabled"),
                  ({"subject": [["CN", contoso.ids["BOTH-3"]], ["serialNumber", "S-BOTH"]]}, "allowed")])


def test_serial_number_that_two_report(hybrid):
    """A personal device says the serial number of a Mac that is disabled; fillers are nobody's."""
    hybrid.keeps_out({"subject": [["serialNumber", "C02MAC4"]]}, "disabled")
    fillers = ("Default string", "To be filled by O.E.M.", "System Serial Number", "Not Specified", "None", "N/A",
               "INVALID", "0")
    hybrid.check([({"subject": [["serialNumber", filler]]}, "no-identity") for filler in fillers])


def attested(text):
    """A permanentIdentifier, as a CA writes it that has had the device attest its number."""
    return [{"other": {"oid": "1.3.6.1.5.5.7.8.3", "type": "sequence", "hex": tlv(12, text.encode()).hex()}}]


def test_numbers_of_hardware(open_site, list_options, slapd):
    """IMEI, MEID, MAC address and what a device attests, where the section says that they stand; of the directory's spelling or not."""
    site = open_site("phones", {**list_options, "directories": "list ldap", **ldap_section(slapd),
                                "ldap.attributes.wifi_mac": "macAddress"}, sections=PHONES)
    site.lets_in(named("26-053179-311383-0"), "PHONE-22")
    site.lets_in({"subject": [["OU", "00:a0:c9:1e:2f:22"]]}, "PHONE-22")
    site.lets_in({"subject": [["OU", "00-A0-C9-1E-2F-AD"]]}, "MAC-22")
    site.keeps_out(named(str(LOST)), "retired")
    site.check([(named(IMEI[:14]), "allowed"), (named(f"{IMEI[:14]}01"), "allowed"), (named("293608736500703710"), "allowed"),
                (named(IMEI, "af0123450abcde"), "conflict"), (named(imei_of(LOST + 1)), "not-found"),
                ({"subject": [["O", "f17abc1def22"]]}, "allowed"), (named("x", san=attested("F17ABC1DEF22")), "allowed"),
                (named("x", san=attested("F17ABC1DEF23")), "not-found"), (named("PHONE-22"), "no-identity"),
                ({"subject": [["OU", "DAA0C91E2F22"]]}, "no-identity"), (named("000000000000000"), "no-identity")])


def test_numbers_of_hardware_that_nobody_placed(hybrid):
    """Without a section a CN is a name; but what a device attests stands in a place of its own."""
    hybrid.check([(named(IMEI), "not-found"), (named("PHONE-22", san=attested("F17ABC1DEF22")), "allowed"),
                  (named("PHONE-22", san=attested("some other number")), "allowed"),
                  (named("PHONE-22", san=attested("C02MAC4")), "conflict")])


def test_deleted_in_the_tenant_but_in_an_old_export(contoso, open_site, list_options, tmp_path):
    """And a block list of no tenant, where the list is limited to one."""
    old = tmp_path / "old.db"
    shutil.copy(contoso.list, old)
    tenant = contoso.tenant.id
    publish(old, "export", [{"deviceId": contoso.ids[name], "displayName": name, "accountEnabled": True}
                            for name in ("DELETED-14", "LAPTOP-V")], minutes=DAYS, tenant=tenant)
    blocked = contoso.ids["BLOCKED-14"]
    publish(old, "blocked", [{"deviceId": blocked, "displayName": "BLOCKED-14", "accountEnabled": False}])
    site = open_site("old export", {**list_options, "list.filename": old, "list.max_age": 0, "list.tenant": tenant})
    site.keeps_out(named("DELETED-14"), "not-found")
    site.keeps_out(with_id(blocked), "disabled")
    site.check([(with_id(contoso.ids["DELETED-14"]), "not-found"), (named("BLOCKED-14"), "disabled"),
                (with_id(contoso.ids["LAPTOP-V"]), "allowed")])


def test_full_name_decides_between_forests(open_site, slapd):
    options = {"directories": "ldap b", **ldap_section(slapd, base=FOREST_A, domains="foresta.example"),
               **ldap_section(slapd, "ldap b", base=FOREST_B, domains="forestb.example")}
    site = open_site("forests", options, more=[("ldap", "b")])
    decision = site.lets_in(named("PC01", san=dns("pc01.forestb.example")))
    assert decision.fields["directory"] == "b", decision.line
    site.keeps_out(named("PC02", san=dns("pc02.forestb.example")), "disabled")
    site.check([(named("PC03", san=dns("pc03.forestb.example")), "not-found"), (named("PC03"), "allowed"),
                (named("PC01", san=dns("pc01.foresta.example")), "allowed"), (named("PC02"), "disabled")])


# ---- facts and their ages ----


def test_facts_of_a_part_that_has_failed_for_days(contoso, open_site):
    """The devices are fresh; Intune and the groups could not be asked since three days."""
    options = {"directories": "list", "list.filename": contoso.half.list_file}
    site = open_site("Intune failed", {**options, "policy.require_compliant": "yes"})
    decision = site.keeps_out(named("UNKNOWN-5"), "list-stale")
    assert 'Intune part of \\"contoso\\"' in decision.line and int(decision.fields["age"]) >= 3 * 86400, decision.line
    site = open_site("groups failed", {**options, "policy.require_group": STAFF})
    result, = site.check([(named("UNKNOWN-5"), "list-stale")])
    assert 'groups part of "contoso"' in result["detail"] and result["age"] >= 3 * 86400
    open_site("neither needed", options).check([(named("UNKNOWN-5"), "allowed")])


def test_compliance_is_the_newer_word(contoso, open_site):
    """Intune said so 70 minutes ago and is asked each hour: no reason to wait outside. Entra ID has said no since."""
    site = open_site("hourly", {"directories": "list", "list.filename": contoso.hourly.list_file,
                                "policy.require_compliant": "yes"})
    site.keeps_out(named("NOT-6"), "not-compliant")
    decision = site.lets_in(named("HOURLY-20"))
    assert 4200 <= int(decision.fields["age"]) < 5400, decision.line


def test_source_of_the_future(contoso, open_site, tmp_path):
    """Two days ahead is not fresh for ever; two minutes ahead is a clock."""
    files = [tmp_path / "ahead.db", tmp_path / "a bit ahead.db"]
    for file, device, minutes in zip(files, ("AHEAD-13", "AHEAD-20"), (-2880, -2)):
        publish(file, "import", [{"deviceId": guid(device), "displayName": device, "accountEnabled": True}], minutes)
    site = open_site("future", {"directories": "list second", "list.filename": files[0],
                                "list second.filename": files[1]}, more=[("list", "second")])
    decision = site.keeps_out(with_id(guid("AHEAD-13")), "list-stale")
    assert "in the future" in decision.fields["detail"], decision.line
    site.lets_in(with_id(guid("AHEAD-20")), "AHEAD-20")


def test_retired(hybrid):
    """A stolen laptop that is switched off has not heard of it."""
    hybrid.keeps_out(named("PC-wipePending"), "retired")
    hybrid.check([(named(f"PC-{state}"), "retired") for state in RETIRED] +
                 [(named(f"PC-{state}"), "allowed") for state in KEPT])


def test_wiped_and_set_up_anew(hybrid):
    """Its old record in Intune still says wipePending."""
    hybrid.lets_in(named("WIPED-20"))


# ---- who vouches for a name ----


def object_sid(object_id):
    """S-1-12-1-..: a SID that says an object id of Entra ID."""
    content = uuid.UUID(object_id).bytes_le
    return "S-1-12-1-" + "-".join(str(int.from_bytes(content[at:at + 4], "little")) for at in (0, 4, 8, 12))


def test_sid_from_the_request_selects_nobody(hybrid, ad_only, contoso):
    hybrid.keeps_out(named("EVIL", sid=DOMAIN_SID), "not-found")
    ad_only.check([(named("EVIL", sid=DOMAIN_SID), "not-found"), (named("HYB-15", sid=DOMAIN_SID), "allowed")])
    other = object_sid(contoso.objects["LAPTOP-V"])
    hybrid.keeps_out(named("WARD-14", san=uri(f"tag:microsoft.com,2022-09-14:sid:{other}")), "conflict")
    hybrid.check([(named("WARD-14", sid=object_sid(contoso.objects["WARD-14"])), "allowed"),
                  (named("WARD-14", sid=other), "conflict")])


def test_extensions_that_any_request_can_carry(hybrid, contoso):
    ward, record = contoso.ids["WARD-14"], contoso.records["WARD-14"]
    hybrid.keeps_out(named("evil", entra_device_id=ward), "not-found")
    hybrid.check([(named("evil", mdm_device_id={"guid": record, "form": "bare"}), "not-found"),
                  (named("WARD-14", entra_device_id=ward), "allowed"),
                  (named("LAPTOP-V", entra_device_id=ward), "conflict")])


def test_persons_are_no_devices(hybrid, contoso):
    upn, mail = {"upn": "max.mustermann@corp.example"}, {"email": "max.mustermann@corp.example"}
    hybrid.keeps_out(named("max.mustermann", san=[upn, mail]), "no-identity")
    hybrid.keeps_out(named("Sales", san=[{"upn": "SALES-02$@corp@example"}]), "not-found")
    hybrid.check([(named("max", san=[{"upn": "max@corp.example"}]), "no-identity"),
                  (named("max.mustermann", san=[mail]), "no-identity"),
                  ({"san": [{"upn": "SALES-02$@corp@example"}]}, "no-identity"), (named("max"), "allowed"),
                  ({"san": [{"upn": "SALES-02$@corp.example"}]}, "allowed")])
    person_sid = {"uri": f"tag:microsoft.com,2022-09-14:sid:{USER_SID}"}
    hybrid.lets_in(with_id(contoso.ids["HYB-15"], "max.mustermann", san=[upn, person_sid]), "HYB-15")
    hybrid.check([(with_id(contoso.ids["HYB-15"], san=[person_sid]), "sid-mismatch")])


# ---- groups, marks, quarantine ----


def test_group_of_that_name_made_by_others(open_site, slapd):
    site = open_site("groups", {"directories": "ldap", **ldap_section(slapd, group_base_dn=GROUPS),
                                "policy.require_group": STAFF})
    site.keeps_out(named("HELP-13"), "not-in-group")
    site.lets_in(named("STAFF-13"))
    by_dn = open_site("groups by DN", {"directories": "ldap", **ldap_section(slapd),
                                       "policy.require_group": f"cn={STAFF},{HELPDESK}"})
    by_dn.check([(named("HELP-13"), "allowed"), (named("STAFF-13"), "not-in-group")])


def test_marks_however_they_are_written(open_site, slapd):
    site = open_site("marks", {"directories": "ldap", **ldap_section(slapd, base=PLACEHOLDERS)})
    site.keeps_out(named("MARK-1"), "disabled")
    site.check([(named("MARK-0"), "allowed"), (named("MARK-2"), "disabled"), (named("MARK-3"), "disabled")])


def test_quarantine_is_for_compliance_alone(open_site, list_options):
    site = open_site("quarantine", {**list_options, "policy.require_compliant": "yes", "policy.require_group": STAFF,
                                    "policy.user_name": "match"}, quarantine=True)
    site.login(True, "not-compliant", named("LAX-IN"), identity="host/lax-in")
    site.login(False, "name-mismatch", named("LAX-IN"), identity="host/another")
    site.login(False, "not-compliant", named("LAX-OUT"), identity="host/lax-out")


# ---- who must not be kept out ----


def test_names_of_others_do_not_veto(hybrid, contoso):
    """Phones are named with the device's id, and with its full name."""
    hybrid.lets_in(named(contoso.ids["LAPTOP-V"]), "LAPTOP-V")
    hybrid.lets_in(with_id(contoso.ids["HYB-15"], "hyb-15.corp.example"), "HYB-15")
    hybrid.check([(with_id(contoso.ids["LAPTOP-V"]), "allowed"), (named("hyb-15.corp.example"), "allowed"),
                  (named("HYB-15", san=dns("hyb-15.corp.example")), "allowed")])


@pytest.mark.parametrize("name", ["REIMAGED-1", "REIMAGED-2"])
def test_set_up_anew_beside_its_old_object(hybrid, contoso, open_site, list_options, name):
    """The old object is enabled, or disabled."""
    decision = hybrid.lets_in(named(name))
    assert decision.fields["id"] == contoso.ids[name] and decision.fields["matched"].endswith("+dates"), decision.line
    open_site("twins", {**list_options, "policy.twins": "deny"}).check([(named(name), "ambiguous")])


def test_ids_in_every_place(hybrid, contoso):
    """Apple's Intune id behind Entra's prefix, GUID.domain, an underscore; but no record whose Entra device is gone."""
    hybrid.lets_in(with_id(contoso.records["IPAD-17"]), "IPAD-17")
    hybrid.lets_in(named("PC_01.corp.example"), "PC_01")
    hybrid.keeps_out(named(contoso.records["gone"]), "not-found")
    hybrid.check([(named(contoso.records["DELETED-14"]), "not-found"), (with_id(contoso.records["gone"]), "not-found"),
                  (named(f"{contoso.ids['IPAD-17']}.corp.example"), "allowed"),
                  (named(contoso.records["alone"]), "allowed"), (named(contoso.records["IPAD-17"]), "allowed"),
                  (named("x", san=dns("PC_01.corp.example")), "allowed")])


def test_what_intune_says_of_management(open_site, list_options, contoso):
    """Co-managed, and found by Intune's name; synced by Exchange only; known to Intune alone, and not enrolled."""
    site = open_site("managed", {**list_options, "policy.require_managed": "yes", "policy.require_compliant": "yes"})
    site.lets_in(with_id(contoso.ids["CO-21"]), "CO-21")
    site.check([(named("21-OC"), "allowed"), (with_id(contoso.ids["MAIL-21"]), "not-managed"),
                (named(contoso.records["alone"]), "compliance-unknown"), (named(contoso.records["found"]), "disabled")])


def test_names_that_nobody_needs(hybrid, contoso):
    me = contoso.ids["LAPTOP-V"]
    odd = [{"dns": name} for name in ("Anna's MacBook Air", "*.corp.example", "a:b")]
    odd += uri("tag:microsoft.com,2022-09-14:sid:", "https://example.com/" + "x" * 300)
    odd += [{"uri": {"hex": "https://b\u00fccher.example/".encode().hex()}},
            {"email": {"hex": "m\u00fcller@x.example".encode("latin-1").hex()}}]
    many = dns(*(f"alias-{number}.corp.example" for number in range(70)))
    purposes, key = (content + tlv(5, b"") for content in (sequence(oid("1.3.6.1.5.5.7.3.2")), octets(b"k" * 20)))
    trailing = {"eku": [], "ski": False, "extensions": [
        {"oid": "2.5.29.37", "hex": purposes.hex()}, {"oid": "2.5.29.14", "hex": key.hex()}]}
    hybrid.lets_in(with_id(me, san=odd), "LAPTOP-V")
    hybrid.lets_in(with_id(me, san=many, **trailing), "LAPTOP-V")
    hybrid.check([(with_id(me, san=[one]), "allowed") for one in odd] +
                 [(with_id(me, san=many), "allowed"), (with_id(me, **trailing), "allowed")])


def test_id_that_no_directory_can_know(ad_only):
    """Active Directory alone: Intune's certificates carry an id there, too, and may be of another domain than AD's."""
    ad_only.lets_in(named("PC01", san=uri(f"IntuneDeviceId://{NOBODY}")), "PC01")
    ad_only.lets_in(named("PC01", san=dns("pc01.corp.com")), "PC01")
    ad_only.check([(with_id(NOBODY, "PC01"), "allowed"), (named("PC01", san=dns("pc01.corp.example")), "allowed"),
                   (named("PC01", san=dns("other.corp.example")), "not-found")])


def test_mac_that_two_know_by_its_name_alone(hybrid):
    hybrid.lets_in(named("MAC-20"))
    hybrid.check([({"subject": [["CN", "MAC-20"], ["serialNumber", "C02MAC20"]]}, "allowed")])


def test_groups_and_names_of_active_directory(domain, open_site):
    """In its Global Catalog: a nested group, the primary group, and a name that Windows cut to 15 characters."""
    ou = domain.add_ou("Seams")
    short = LONG[:15].upper()
    computer = domain.add_computer(short, ou, dNSHostName=f"{LONG}.{AD_DNS}")
    inner, outer = (domain.add_group(f"Seams {name}", ou) for name in ("inner", "outer"))
    domain.modify(inner, member=computer)
    domain.modify(outer, member=inner)
    reader = domain.add_user("seams-reader")
    options = {"directories": "ldap", "ldap.server": f"ldaps://{domain.address}:3269", "ldap.identity": reader.identity,
               "ldap.password": reader.password, "ldap.tls.ca_file": domain.ca_file, "ldap.base_dn": "",
               "ldap.domains": AD_DNS, "ldap.options.remember": 0, "ldap.options.deadline": 10}
    site = open_site("catalog", {**options, "policy.require_group": outer})
    site.lets_in(named(LONG))
    site.check([(named(f"{LONG}.{AD_DNS}"), "allowed"), (named(f"{LONG}-2"), "not-found"), (named(short), "allowed")])
    primary = domain.sid(COMPUTERS)
    open_site("primary group", {**options, "policy.require_group": primary}).check([(named(LONG), "allowed")])
    nobody = open_site("other group", {**options, "policy.require_group": f"CN=Nobody,{ou}"})
    nobody.check([(named(LONG), "not-in-group")])
