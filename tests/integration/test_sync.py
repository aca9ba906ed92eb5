# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir sync against a fake Graph: what ends up in the list, and what never does. Manners: test_sync_graph.py."""

import fcntl
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import time
import uuid
from contextlib import closing

import pytest

from testenv import clock, delta, graph_faults
from testenv.certificates import Authority
from testenv.graph import EXPIRIES
from testenv.published import Options, assert_same, expected
from testenv.supplicant import wait_until
from testenv.sync import (DONE, MISCONFIGURED, NONE, SHRUNK, SOME, STAFF, STOPPED, Sync, contoso, serving, some_device,
                          truth)
from testenv.tenant import NO_ATTRIBUTES, Tenant


@pytest.fixture
def serve():
    with serving() as serve:
        yield serve


@pytest.fixture
def world(serve, tmp_path):
    return contoso(serve, tmp_path)


# ---- what ends up in the list ----


def test_first_sync(world):
    tenant, graph, sync = world
    run = sync.run()
    assert run.results() == {"devices": "done", "intune": "done", "groups": "done"} and run.report["published"]
    assert_same(sync.listed(), truth(tenant))
    assert run.parts()["devices"]["full"] and run.parts()["devices"]["after"] == len(tenant.devices)
    assert len(graph.asked("token")) == 3, "each part has a connection and a token, which it uses again"
    assert len(graph.asked("delta")) == run.parts()["devices"]["pages"] == 4
    assert "in order" in sync.certdir("list", "verify", "--list", sync.list_file)


def test_list_is_signed(world):
    """By each edition, a sync that cannot sign fetches nothing, and one without the key leaves the signed list as it is."""
    _, graph, sync = world
    key, public = sync.directory / "list.key", sync.directory / "list.pub"
    sync.list["signing_key_file"] = key
    started = sync.start("--json")
    assert "list.key cannot be read: No such file" in started.communicate(timeout=60)[1] and started.returncode == MISCONFIGURED
    assert not graph.asked("delta")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, timeout=60, umask=0o077)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, timeout=60)
    for _ in range(2):
        sync.run()
        assert "signature" in sync.certdir("list", "verify", "--list", sync.list_file, "--public-key", public)
    before = sync.list_file.read_bytes()
    del sync.list["signing_key_file"]
    assert "is signed, and must not become one that is not" in json.dumps(sync.run(code=None).report)
    assert sync.list_file.read_bytes() == before


def test_list_is_readable_only_by_whom_it_concerns(world):
    _, _, sync = world
    sync.run()
    assert not stat.S_IMODE(sync.list_file.stat().st_mode) & 0o022


def test_second_sync_asks_for_what_changed(world):
    tenant, graph, sync = world
    sync.run()
    device = some_device(tenant)
    tenant.change(device, accountEnabled=not tenant.devices[device]["accountEnabled"], isCompliant=None)
    tenant.delete(some_device(tenant, 1))
    tenant.add_device("NEW-1")
    mark = len(graph.requests)
    run = sync.run()
    assert_same(sync.listed(), truth(tenant))
    asked, = graph.asked("delta", mark)
    assert set(asked.query) == {"$deltatoken"}
    part = run.parts()["devices"]
    assert not part["full"] and (part["added"], part["removed"], part["objects"]) == (1, 1, 3)


def test_nothing_changed(world):
    tenant, _, sync = world
    sync.run()
    run = sync.run()
    assert run.parts()["devices"]["objects"] == 0
    assert_same(sync.listed(), truth(tenant))


def test_full_lists_everything_anew(world):
    tenant, graph, sync = world
    sync.run()
    mark = len(graph.requests)
    assert sync.run("--full").parts()["devices"]["full"]
    assert "$select" in graph.asked("delta", mark)[0].query
    assert_same(sync.listed(), truth(tenant))


def test_thousands_of_devices(serve, tmp_path):
    tenant = Tenant(1, 3000, groups=(STAFF,))
    graph = serve(tenant)
    graph.habits.page_size = 200
    sync = Sync(tmp_path / "sync", graph, group=STAFF)
    sync.run()
    assert_same(sync.listed(), truth(tenant))


def test_removed_and_come_back(world):
    tenant, _, sync = world
    device = some_device(tenant)
    sync.run()
    tenant.delete(device)
    sync.run()
    assert device not in {one.get("id") for one in sync.listed()}
    tenant.restore(device)
    sync.run()
    assert_same(sync.listed(), truth(tenant))
    tenant.delete(device)
    tenant.purge(device)
    tenant.purge(some_device(tenant))
    sync.run()
    assert_same(sync.listed(), truth(tenant))


def test_earlier_states_in_one_round_do_not_stay(world):
    """The delta query may tell of a state before the last one; the last occurrence counts."""
    tenant, graph, sync = world
    device = some_device(tenant)
    tenant.rename(device, "DESKTOP-OLD")
    sync.run()
    tenant.rename(device, "DESKTOP-BETWEEN")
    tenant.change(device, accountEnabled=False)
    tenant.rename(device, "AD-NEW")
    tenant.change(device, accountEnabled=True)
    graph.habits = delta.Habits(page_size=1, older_states=1, older_names=True, repeats=0.5, replays=0.5, empty_pages=0.5)
    sync.run()
    found, = [one for one in sync.listed() if one.get("id") == device]
    assert found["displayName"] == "AD-NEW" and found["accountEnabled"] is True
    assert "DESKTOP-OLD" in found["formerNames"]


def test_groups_nested_and_by_id(world):
    tenant, _, sync = world
    inner, middle = tenant.add_group("inner"), tenant.add_group("middle")
    staff, = tenant.group_named(STAFF)
    tenant.join(staff, middle)
    tenant.join(middle, inner)
    tenant.join(inner, staff)
    for device in list(tenant.devices)[:20]:
        tenant.join(inner, device)
    sync.set(group=[staff, "INNER"])
    sync.run()
    assert_same(sync.listed(), expected(tenant, Options(groups=(staff, inner))))
    tenant.rename_group(staff, "Wi-Fi people")
    sync.run()
    names = {group["displayName"] for one in sync.listed() for group in one.get("groups", ())}
    assert names == {"Wi-Fi people", "inner"}
    sync.set(group=None)
    sync.run("--force")
    assert not any("groups" in one for one in sync.listed())


def test_quotes_in_a_group_name(world):
    tenant, _, sync = world
    group = tenant.add_group("O'Brien's & Söhne + 100%")
    tenant.join(group, some_device(tenant))
    sync.set(group="O'Brien's & Söhne + 100%")
    sync.run()
    assert_same(sync.listed(), expected(tenant, Options(groups=(group,))))


@pytest.mark.parametrize("configuration,options", [
    ({"trust_types": "AzureAd, ServerAd"}, {"join_types": ("entra", "hybrid")}),
    ({"operating_systems": "windows, MACOS"}, {"operating_systems": ("Windows", "macOS")}),
    ({"ownership": "company"}, {"ownerships": ("company",)}),
    ({"only_enabled": "yes"}, {"only_enabled": True}),
    ({"intune": "no"}, {"intune": False}),
])
def test_filters(world, configuration, options):
    tenant, _, sync = world
    tenant.enrol(managedDeviceOwnerType="personal", operatingSystem="iOS")
    sync.set(**configuration)
    sync.run()
    everything = len(truth(tenant))
    listed = sync.listed()
    assert listed == truth(tenant, **options) and 0 < len(listed) < everything
    for device in tenant.devices:
        tenant.change(device, trustType="Workplace", operatingSystem="Linux", deviceOwnership="Personal",
                      accountEnabled=True)
    sync.run("--force")
    # What the filter kept out comes in when it changes, and the reverse.
    assert_same(sync.listed(), truth(tenant, **options))


def attributes(**values):
    return {**NO_ATTRIBUTES, **{f"extensionAttribute{name[1:]}": value for name, value in values.items()}}


def test_extension_attributes_where_asked(world):
    tenant, graph, sync = world
    device = some_device(tenant)
    tenant.change(device, extensionAttributes=attributes(_1="staff", _7="a|b\\c", _8="x" * 600))
    sync.run()
    assert_same(sync.listed(), truth(tenant))
    assert "extensionAttributes" not in graph.asked("delta")[0].query["$select"]
    # The delta link goes on with its own $select: another one takes a full listing.
    mark = len(graph.requests)
    sync.set(extension_attributes="1 7")
    assert sync.run().parts()["devices"]["full"]
    assert "extensionAttributes" in graph.asked("delta", mark)[0].query["$select"]
    assert_same(sync.listed(), truth(tenant, extension_attributes=(1, 7)))
    # In a delta what is missing is unchanged, and what is null is gone.
    tenant.change(device, accountEnabled=not tenant.devices[device]["accountEnabled"])
    tenant.change(some_device(tenant, 1), extensionAttributes=attributes(_7="kiosk"))
    assert not sync.run().parts()["devices"]["full"]
    tenant.change(device, extensionAttributes=attributes(_7="c"))
    tenant.change(some_device(tenant, 1), extensionAttributes=None)
    sync.run()
    assert_same(sync.listed(), truth(tenant, extension_attributes=(1, 7)))
    # A full listing that fails leaves the change to be made.
    sync.set(extension_attributes="8")
    graph.order("delta", graph_faults.recorded("403"), times=None)
    sync.run(code=None)
    graph.behave()
    assert sync.run().parts()["devices"]["full"]
    sync.set(extension_attributes=None)
    assert sync.run().parts()["devices"]["full"] and not sync.run().parts()["devices"]["full"]
    assert not any("extensionAttributes" in one for one in sync.listed())


def test_what_a_sync_stores_beside_the_devices(world):
    """Since when Entra ID says what it says of compliance, and how often Intune is asked."""
    tenant, _, sync = world
    device = some_device(tenant)
    tenant.change(device, isCompliant=True)

    def stored():
        with closing(sqlite3.connect(f"file:{sync.list_file}?mode=ro&immutable=1", uri=True)) as db:
            since, = db.execute("SELECT compliance_since FROM device WHERE object_id=?", [device]).fetchone()
            return since, db.execute("SELECT intune_interval FROM source").fetchone()[0]

    sync.set(intune_interval="2s")
    sync.run()
    assert stored() == (1, 2)  # how long it has been compliant is not known: it outdates nothing
    tenant.change(device, isCompliant=False)
    began = int(time.time())
    sync.run()
    first = stored()[0]
    assert began <= first <= time.time()
    sync.env = clock.later(days=2)
    sync.set(intune_interval="1d")
    sync.run("--full")
    assert stored() == (first, 86400)
    tenant.change(device, isCompliant=True)
    sync.run()
    assert stored()[0] >= first + 2


def test_a_deleted_device_does_not_come_back_through_intune(world):
    """Entra ID's object is deleted and Intune forgets its id: before or after, the record does not make it a device."""
    tenant, _, sync = world
    first, second, third = (some_device(tenant, index) for index in range(3))
    for device, name in ((first, "ONE"), (second, "TWO"), (third, "THREE")):
        for record in [key for key, one in tenant.records.items()
                       if one["azureADDeviceId"].lower() == tenant.devices[device]["deviceId"].lower()]:
            tenant.unenrol(record)
        tenant.rename(device, name)
        tenant.enrol(device)
    sync.list["max_shrink"] = "100%"
    sync.run()
    tenant.forget_device_id(tenant.devices[first]["deviceId"])
    for device in (second, third):
        gone = tenant.devices[device]["deviceId"]
        tenant.purge(device)
        if device == second:
            tenant.forget_device_id(gone)
    sync.run()
    tenant.purge(first)
    tenant.forget_device_id(gone)
    sync.run()
    assert not {"ONE", "TWO", "THREE"} & sync.names()
    sync.run("--full")
    assert not {"ONE", "TWO", "THREE"} & sync.names()
    assert "in order" in sync.certdir("list", "verify", "--list", sync.list_file)


def test_intune_switched_off(world):
    """What Intune said would stay as it was for ever: it goes, once somebody has said that this is meant."""
    tenant, _, sync = world
    sync.run()
    before = sync.listed()
    sync.set(intune="no")
    run = sync.run(code=SHRUNK)
    assert run.results()["intune"] == "shrunk" and "Intune records would be lost" in run.err and "--force" in run.err
    assert_same(sync.listed(), before)
    sync.run("--force")
    assert_same(sync.listed(), truth(tenant, intune=False))
    assert sync.run().results()["intune"] == "skipped"


# ---- renames ----


def test_a_renamed_device_is_found_by_its_former_name(world, tmp_path):
    tenant, _, sync = world
    device = some_device(tenant)
    tenant.change(device, displayName="DESKTOP-IE5GH3", accountEnabled=True)
    sync.run()
    tenant.rename(device, "AD-skE7FeA3m1AB")
    sync.run()
    certificate, _ = Authority("device CA").issue(subject=[["CN", "DESKTOP-IE5GH3"]]).write(tmp_path, "device")
    device_id = tenant.devices[device]["deviceId"]
    assert device_id in sync.certdir("list", "find", "--list", sync.list_file, "desktop-ie5gh3")
    check = json.loads(sync.certdir("check", "--json", "--list", sync.list_file, certificate))
    assert check["decision"] == "allow" and check["device"]["id"] == device_id
    tenant.add_device("DESKTOP-IE5GH3", accountEnabled=False)
    sync.run()
    check = json.loads(sync.certdir("check", "--json", "--list", sync.list_file, certificate, code=1))
    # A name that another device has now never matches.
    assert check["device"] is None or check["device"]["id"] != device_id


def test_a_name_taken_back_is_no_former_one(world):
    tenant, _, sync = world
    device = some_device(tenant)
    for name in ("DESKTOP-1", "AD-2", "desktop-1"):
        tenant.rename(device, name)
        sync.run()
    found, = [one for one in sync.listed() if one.get("id") == device]
    assert (found["displayName"], found["formerNames"]) == ("desktop-1", ["AD-2"])


def test_former_names_can_be_off(world):
    tenant, _, sync = world
    sync.list["former_names"] = "0s"
    device = some_device(tenant)
    sync.run()
    tenant.rename(device, "AD-1")
    sync.run()
    assert not any("formerNames" in one for one in sync.listed())


def test_change_log(world):
    tenant, _, sync = world
    one, two, three = list(tenant.devices)[:3]
    for device in (one, two, three):
        tenant.change(device, accountEnabled=True)
    for record in [record for record, values in tenant.records.items()
                   if values["azureADDeviceId"].lower() == tenant.devices[one]["deviceId"]]:
        tenant.unenrol(record)
    tenant.change(one, isCompliant=True, displayName="BEFORE")
    staff, = tenant.group_named(STAFF)
    tenant.leave(staff, one)
    sync.run()
    tenant.change(one, isCompliant=False, displayName="AFTER", accountEnabled=False)
    tenant.join(staff, one)
    tenant.delete(two)
    tenant.add_device("NEW-1")
    sync.run()
    told = {(change["what"], change["before"], change["after"]) for change in sync.changes()}
    assert {("renamed", "BEFORE", "AFTER"), ("enabled", "yes", "no"), ("compliance", "compliant", "noncompliant"),
            ("group", None, STAFF)} <= told
    assert tenant.bin[two]["deviceId"] in {change["device"] for change in sync.changes() if change["what"] == "removed"}
    assert "NEW-1" in {change["name"] for change in sync.changes() if change["what"] == "added"}
    assert len(sync.changes("2000-01-01")) == len(sync.changes())


# ---- delta links that expire ----


@pytest.mark.parametrize("form", EXPIRIES)
@pytest.mark.parametrize("selects", [True, False])
def test_an_expired_delta_link_leads_to_a_full_sync(world, form, selects):
    tenant, graph, sync = world
    sync.run()
    graph.expire_delta(form)
    graph.location_selects = selects
    tenant.delete(some_device(tenant))
    tenant.add_device("NEW-1", trustType="ServerAd", onPremisesSecurityIdentifier="S-1-5-21-1-2-3-4567")
    tenant.change(some_device(tenant, 1), accountEnabled=False)
    run = sync.run()
    assert run.parts()["devices"]["full"]
    assert_same(sync.listed(), truth(tenant))
    assert not sync.run().parts()["devices"]["full"]


def test_an_expired_page_token_begins_the_listing_again(world):
    tenant, graph, sync = world
    for route in ("delta", "managedDevices", "members"):
        graph.order(route, graph_faults.recorded("400 Directory_ExpiredPageToken"), skip=1)
    sync.run()
    assert_same(sync.listed(), truth(tenant))
    assert not [order for order in graph._orders if order["times"]], "each of them was met"


def test_no_sweep_before_the_last_page(world):
    tenant, graph, sync = world
    sync.run()
    before = sync.listed()
    graph.order("delta", graph_faults.no_link(), skip=2)
    run = sync.run("--full", code=SOME)
    assert "is incomplete" in run.parts()["devices"]["note"]
    assert sync.listed() == before


# ---- Intune ----


def test_intune_has_its_own_interval(world):
    tenant, graph, sync = world
    sync.set(intune_interval="1h")
    sync.run()
    before = sync.listed()
    for record in tenant.records:
        tenant.change_record(record, serialNumber="CHANGED")
    mark = len(graph.requests)
    assert sync.run().results()["intune"] == "skipped"
    assert not graph.asked("managedDevices", mark) and sync.listed() == before
    assert sync.run("--full").results()["intune"] == "done"
    assert sync.listed() == truth(tenant) != before


def test_a_tenant_without_intune(world):
    tenant, _, sync = world
    tenant.intune = False
    run = sync.run()
    assert "no Intune" in run.parts()["intune"]["note"]
    assert_same(sync.listed(), truth(tenant))
    assert run.code == DONE


def test_intune_is_not_lost_overnight(world):
    tenant, _, sync = world
    sync.run()
    before = sync.listed()
    tenant.intune = False
    run = sync.run(code=SOME)
    assert run.results()["intune"] == "failed" and "intune = no" in run.parts()["intune"]["note"]
    assert sync.listed() == before


def test_intune_may_go_first_and_entra_follow(world):
    """A record of a device that Entra ID does not know yet waits for it."""
    tenant, _, sync = world
    sync.set(intune_interval="1h")
    stranger = str(uuid.uuid4())
    record = tenant.enrol(azureADDeviceId=stranger, serialNumber="WAITS-1")
    assert sync.run().parts()["intune"]["unlisted"] == 1
    assert record not in {one.get("intuneDeviceId") for one in sync.listed()}
    tenant.add_device("LATE-1", deviceId=stranger)
    sync.run()
    found, = [one for one in sync.listed() if one.get("intuneDeviceId") == record]
    assert found["displayName"] == "LATE-1" and found["serialNumber"] == "WAITS-1"


def test_a_record_outlives_its_device(world):
    """The device goes and comes back between two listings of Intune: its record is still there for it."""
    tenant, _, sync = world
    sync.set(intune_interval="1h")
    device = tenant.add_device("BACK-1")
    record = tenant.enrol(device, serialNumber="STAYS-1")
    sync.run()
    tenant.delete(device)
    sync.run()
    assert record not in {one.get("intuneDeviceId") for one in sync.listed()}
    tenant.restore(device)
    sync.run()
    assert_same(sync.listed(), truth(tenant))


def test_what_only_speaks_against_is_found(world):
    """An administrator who looks for a device learns why it is not let in: it is gone from Entra ID, or filtered."""
    tenant, _, sync = world
    sync.set(only_enabled="yes", intune_interval="1h")
    gone = tenant.add_device("GONE-1", accountEnabled=True)
    record = tenant.enrol(gone, managementState="wipePending")
    off = tenant.add_device("OFF-1", accountEnabled=False)
    sync.run()
    entra = tenant.devices[gone]["deviceId"]
    tenant.delete(gone)
    sync.run()

    def find(command, value):
        return json.loads(sync.certdir("list", command, "--json", "--list", sync.list_file, value))

    for value, by in ((record, "intune_device_id"), (entra, "entra_device_id")):
        found = find("find", value)
        assert found["foundBy"] == by and found["managementState"] == "wipePending"
        assert found["onlyAgainst"] == "Intune's record of it names an Entra device that is gone"
    assert find("show", off)["onlyAgainst"] == "kept out by the filter of the sync"
    assert find("find", "off-1")["foundBy"] == "common_name"
    assert "only speaks against: Intune's record" in sync.certdir("list", "find", "--list", sync.list_file, record)
    text = sync.certdir("list", "show", "--list", sync.list_file, record)
    assert "management state   wipePending" in text and "only speaks against Intune's record" in text


# ---- never a lie ----


def lose(tenant, things, remove, count):
    for thing in sorted(things)[:count]:
        remove(thing)


@pytest.mark.parametrize("part", ["devices", "intune", "groups"])
def test_shrink_guard(serve, tmp_path, part):
    tenant = Tenant(2, 60, enrolled=1, groups=(STAFF,))
    staff, = tenant.group_named(STAFF)
    sync = Sync(tmp_path / "sync", serve(tenant), group=STAFF)
    sync.run()
    before = sync.listed()
    stolen = max(tenant.devices)
    if part == "devices":
        tenant.change(stolen, accountEnabled=False)
        lose(tenant, tenant.devices, tenant.delete, 7)
    elif part == "intune":
        lose(tenant, tenant.records, tenant.unenrol, 30)
    else:
        lose(tenant, tenant.members[staff], lambda device: tenant.leave(staff, device), 10)
    run = sync.run(code=SHRUNK)
    assert run.results()[part] == "shrunk" and "--force" in run.err
    after = sync.listed()
    if part == "devices":
        assert {one["id"] for one in after if "id" in one} == {one["id"] for one in before if "id" in one}
        assert [one["accountEnabled"] for one in after if one.get("id") == stolen] == [False], "a no waits for nobody"
    else:
        assert after == before
    assert sync.run("--force").results()[part] == "done"
    assert_same(sync.listed(), truth(tenant))


def test_so_many_may_always_go(serve, tmp_path):
    tenant = Tenant(2, 12, enrolled=0)
    sync = Sync(tmp_path / "sync", serve(tenant))
    sync.run()
    lose(tenant, tenant.devices, tenant.delete, 5)
    sync.run()
    assert len(sync.listed()) == 7
    lose(tenant, tenant.devices, tenant.delete, 7)
    assert sync.run(code=SHRUNK).results()["devices"] == "shrunk", "all of them are never gone"
    assert len(sync.listed()) == 7


@pytest.mark.parametrize("route,part", [("managedDevices", "intune"), ("members", "groups")])
@pytest.mark.parametrize("share", [0.5, 0])
def test_a_short_listing_with_status_200_is_not_believed(serve, tmp_path, route, part, share):
    tenant = Tenant(2, 60, enrolled=1, groups=(STAFF,))
    graph = serve(tenant)
    sync = Sync(tmp_path / "sync", graph, group=STAFF)
    sync.run()
    graph.order(route, graph_faults.short(share))
    run = sync.run(code=None)
    assert run.results()[part] in ("shrunk", "failed") and run.code in (SOME, SHRUNK)
    assert_same(sync.listed(), truth(tenant))


def test_a_short_listing_of_all_devices_heals_by_itself(serve, tmp_path):
    tenant = Tenant(2, 60, enrolled=0)
    graph = serve(tenant)
    sync = Sync(tmp_path / "sync", graph)
    sync.run()
    before = sync.listed()
    graph.order("delta", graph_faults.short(0.5))
    part = sync.run("--full", code=SHRUNK).parts()["devices"]
    assert part["result"] == "shrunk" and part["kept"] == 30 and part["removed"] == 0
    assert sync.listed() == before
    part = sync.run().parts()["devices"]
    assert part["full"] and part["kept"] == 0
    with closing(sqlite3.connect(f"file:{sync.list_file}?mode=ro&immutable=1", uri=True)) as list_file:
        assert list_file.execute("SELECT count(confirmed) FROM device").fetchone() == (0,)


def test_one_tenant_fails_the_other_is_fresh(serve, tmp_path):
    tenants = {"good": Tenant("good", 20), "bad": Tenant("bad", 20)}
    graphs = {name: serve(tenant) for name, tenant in tenants.items()}
    sync = Sync(tmp_path / "sync", graphs)
    sync.run()
    old = expected(tenants["bad"])
    for name, tenant in tenants.items():
        tenant.add_device(f"NEW-{name}")
    graphs["bad"].order("delta", graph_faults.recorded("403"), times=None)
    run = sync.run(code=SOME)
    assert run.results("good")["devices"] == "done" and run.results("bad")["devices"] == "failed"
    listed = sync.listed()
    good = {one["id"] for one in listed if one["tenantId"] == tenants["good"].id and "id" in one}
    assert good == set(tenants["good"].devices)
    assert [one for one in listed if one["tenantId"] == tenants["bad"].id] == old
    status = {one["name"]: one for one in sync.status()["tenants"]}
    assert status["good"]["ok"] and not status["bad"]["ok"] and "answers 403" in status["bad"]["note"]


def test_a_group_that_is_two(world):
    tenant, _, sync = world
    twin = tenant.add_group(STAFF.upper())
    run = sync.run(code=SOME)
    note = run.parts()["groups"]["note"]
    assert STAFF in note and "2 groups" in note and (twin in note or tenant.group_named(STAFF)[0] in note)
    assert len(sync.listed()) == len(truth_without_groups(tenant))


def truth_without_groups(tenant):
    return expected(tenant, Options())


def test_a_group_that_is_not_there(world):
    _, _, sync = world
    sync.set(group="Nobody's")
    run = sync.run(code=SOME)
    assert "Nobody's" in run.parts()["groups"]["note"]
    sync.set(group=str(uuid.uuid4()))
    assert sync.run(code=SOME).results()["groups"] == "failed"


# ---- a job and a service ----


def test_dry_run(world):
    tenant, _, sync = world
    run = sync.run("--dry-run")
    assert not sync.list_file.exists() and not run.report["published"]
    sync.run()
    device = some_device(tenant)
    tenant.rename(device, "AD-1")
    tenant.delete(some_device(tenant, 1))
    before = sync.list_file.read_bytes()
    run = sync.run("--dry-run")
    assert {("renamed", "AD-1"), ("removed", None)} <= {(change["what"], change["after"]) for change in run.changes}
    assert sync.list_file.read_bytes() == before and not sync.leftovers()
    sync.run()
    assert sync.listed() != []


def held(graph, sync, route="managedDevices"):
    """A sync that waits for one of Graph's listings, the Intune records for example: a Popen."""
    graph.order(route, graph_faults.slow(30))
    mark = len(graph.requests)
    process = sync.start()
    wait_until(lambda: graph.asked(route, mark), what="the listing being asked for")
    return process


def test_a_second_sync_leaves_to_the_first_what_that_does(world):
    tenant, graph, sync = world
    sync.run()
    device = some_device(tenant)
    tenant.change(device, accountEnabled=not tenant.devices[device]["accountEnabled"])
    first = held(graph, sync)
    try:
        wait_until(lambda: sync.listed() == truth(tenant), what="what the first has by then")
        tenant.change(device, accountEnabled=None)
        run = sync.run(timeout=20)
        assert run.results() == {"devices": "done", "intune": "skipped", "groups": "done"}
        assert run.parts()["intune"]["note"] == f"intune of contoso are being listed by process {first.pid}"
        assert_same(sync.listed(), truth(tenant))
    finally:
        first.kill()
        first.communicate()
    graph.behave()
    sync.run()


def test_the_lock_says_who_holds_it(world):
    """What was listed whole waits for the list, is told not to be published, and is published the next time without asking again."""
    tenant, graph, sync = world
    sync.run()
    tenant.add_device("NEW-1")
    holder = f"process {os.getpid()}"
    with open(f"{sync.list_file}.lock", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with sync.start("--json", "--interval", "1h") as process:
            assert holder in process.stderr.readline()
            process.send_signal(signal.SIGHUP)  # which ends the wait
            report = json.loads(process.stdout.readline())
            assert holder in report["error"] and report["exit_code"] == NONE
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
    status = sync.status(code=1)
    assert holder in status["run_error"] and holder in status["tenants"][0]["note"]
    mark = len(graph.requests)
    sync.run()
    assert_same(sync.listed(), truth(tenant))
    assert len(graph.asked("delta", mark)) == 1, "what had happened since"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_everything_as_it_was(world, number):
    tenant, graph, sync = world
    sync.run()
    before, files = sync.list_file.read_bytes(), sorted(os.listdir(sync.directory))
    for device in list(tenant.devices):
        tenant.change(device, accountEnabled=None)
    for route in ("groups", "managedDevices"):
        graph.order(route, graph_faults.slow(30))
    process = held(graph, sync, "delta")
    begin = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == STOPPED and time.monotonic() - begin < 3, err
    assert sync.list_file.read_bytes() == before and sorted(os.listdir(sync.directory)) == files
    graph.behave()
    sync.run()
    assert_same(sync.listed(), truth(tenant))


def test_killed(world):
    """kill -9 in the middle: the old list, whole, and the next run succeeds and clears up."""
    tenant, graph, sync = world
    sync.run()
    before = sync.list_file.read_bytes()
    tenant.add_device("NEW-1")
    process = held(graph, sync)
    process.kill()
    process.communicate()
    assert sync.list_file.read_bytes() == before
    graph.behave()
    sync.run()
    assert sync.listed() == truth(tenant) and not sync.leftovers()


def test_interval(world):
    tenant, graph, sync = world
    process = sync.start("--interval", "1s")
    try:
        wait_until(lambda: sync.list_file.exists() and len(graph.asked("delta")) >= 6, timeout=20,
                   what="the second sync")
        tenant.rename(some_device(tenant), "AD-1")
        wait_until(lambda: "AD-1" in sync.names(), timeout=20, what="the renamed device")
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err


def test_status(world):
    tenant, graph, sync = world
    sync.write()
    assert sync.status()["list_error"]
    sync.run()
    status = sync.status(code=0)
    one, = status["tenants"]
    listed = truth(tenant)
    assert one["ok"] and one["name"] == "contoso" and one["tenant"] == tenant.id
    assert one["devices"] == len(listed) == status["devices"]
    assert one["compliant"] == len([device for device in listed if device.get("complianceState") == "compliant"])
    assert one["disabled"] == len([device for device in listed if device.get("accountEnabled") is False])
    assert one["intune_records"] == len([device for device in listed if "intuneDeviceId" in device])
    assert set(one["parts"]) == {"devices", "intune", "groups"} and one["delta_link_age"] < 60
    for name in ("TWIN-1", "twin-1"):
        tenant.add_device(name)
    names = [device["displayName"].lower() for device in truth(tenant)]
    twins = {name: names.count(name) for name in names if names.count(name) > 1}
    sync.run()
    assert sync.status()["shared"] == {"names": len(twins), "devices": sum(twins.values()), "serials": 0}
    assert f"shared      {len(twins)} names by" in sync.certdir("status", "-c", sync.conf)
    graph.order("delta", graph_faults.recorded("403"), times=None)
    sync.run(code=SOME)
    one, = sync.status()["tenants"]
    assert not one["ok"] and "answers 403" in one["note"] and one["devices"] == len(names)
    text = sync.certdir("status", "-c", sync.conf, code=1)
    assert "contoso" in text and "answers 403" in text


def test_prometheus(world):
    tenant, _, sync = world
    sync.run()
    lines = sync.certdir("status", "-c", sync.conf, "--prometheus").splitlines()
    samples = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert samples["certdir_list_up"] == "1"
    assert samples['certdir_tenant_devices{tenant="contoso"}'] == str(len(truth(tenant)))
    assert samples['certdir_tenant_up{tenant="contoso"}'] == "1"
    when = int(samples['certdir_tenant_last_success_timestamp_seconds{tenant="contoso",part="devices"}'])
    assert abs(time.time() - when) < 60
    sample = re.compile(r"[a-z_]+(\{([a-z_]+=\"[^\"]*\",?)+\})? -?\d+")
    assert all(sample.fullmatch(line) for line in lines if not line.startswith("#"))


def test_quiet_lines_for_a_journal(world):
    _, _, sync = world
    process = sync.start()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0 and err == ""
    assert "\r" not in out and "\x1b" not in out and 1 < len(out.splitlines()) < 8
    assert "contoso" in out


@pytest.mark.parametrize("key,value,says", [("tenant_id", "contoso.example", "tenant_id"),
                                            ("intune", "perhaps", "intune"), ("gruop", "x", "group"),
                                            ("client_secret", "x", "client_secret_file"),
                                            ("graph", "http://graph.microsoft.com", "https")])
def test_mistakes_are_named(world, key, value, says):
    _, graph, sync = world
    sync.set(**{key: value})
    sync.write()
    run = sync.run(code=MISCONFIGURED)
    lines = sync.conf.read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.startswith(f"{key} ="))
    assert f"{sync.conf}:{line}:" in run.err and says in run.err and not graph.requests
