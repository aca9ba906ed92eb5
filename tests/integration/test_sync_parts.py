# SPDX-License-Identifier: GPL-2.0-or-later
"""
certdir sync, part by part: what is complete is published while the rest hangs, and what has come is not asked for again after an
interruption.
"""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager

import pytest

from testenv import clock, graph_faults
from testenv.published import assert_same
from testenv.supplicant import wait_until
from testenv.sync import DONE, NONE, SHRUNK, SOME, STAFF, STOPPED, Sync, contoso, serving, some_device, truth
from testenv.tenant import Tenant

NOBODY = 65534
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"


@pytest.fixture
def serve():
    with serving() as serve:
        yield serve


@pytest.fixture
def world(serve, tmp_path):
    return contoso(serve, tmp_path)


@contextmanager
def ended(process):
    """A sync that is over at the end, however the test ends."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def enabled(sync):
    return {device["id"]: device.get("accountEnabled") for device in sync.listed() if "id" in device}


def disable_one(tenant, index=0):
    device = some_device(tenant, index)
    tenant.change(device, accountEnabled=False)
    return device


def open_to_all(sync):
    """Another user may read what a sync needs, and belongs to the secret's owner."""
    (sync.directory / "ca.pem").write_bytes(next(iter(sync.graphs.values())).ca_file.read_bytes())
    sync.set(ca_file=sync.directory / "ca.pem")
    os.chown(sync.directory / "contoso.secret", NOBODY, NOBODY)
    for path in [sync.directory, *sync.directory.parents]:
        if str(path).startswith("/tmp/"):
            path.chmod(path.stat().st_mode | 0o055)


def spools(sync):
    return sorted(path.name.rsplit(".", 1)[1] for path in sync.directory.iterdir() if ".spool." in path.name)


# ---- what is complete is published ----


@pytest.mark.parametrize("fault", [graph_faults.slow(60), graph_faults.recorded("504 empty"), graph_faults.trickle()],
                         ids=["hangs", "504", "trickles"])
@pytest.mark.parametrize("arguments", [(), ("--interval", "1h")], ids=["once", "stays"])
def test_devices_do_not_wait_for_intune(world, fault, arguments):
    tenant, graph, sync = world
    tenant.change(some_device(tenant), accountEnabled=True)
    sync.run()
    device = disable_one(tenant)
    graph.order("managedDevices", fault, times=None)
    with ended(sync.start(*arguments)) as process:
        wait_until(lambda: enabled(sync)[device] is False, timeout=8, what="the disabled device in the list")
        assert process.poll() is None
        kept = json.loads((sync.directory / "devices.db.status").read_text())
        assert kept["published"] and kept["tenants"][0]["parts"]["devices"]["result"] == "done"
        assert kept["tenants"][0]["ok"] and kept["tenants"][0]["parts"]["intune"]["earlier"]
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        _, err = process.communicate(timeout=20)
        assert time.monotonic() - began < 2 and process.returncode == (0 if arguments else STOPPED), err
        assert "what was complete before is published" in err


def test_a_tenant_does_not_wait_for_another(serve, tmp_path):
    tenants = {"first": Tenant("first", 20), "second": Tenant("second", 20)}
    graphs = {name: serve(tenant) for name, tenant in tenants.items()}
    sync = Sync(tmp_path / "sync", graphs)
    tenants["second"].change(some_device(tenants["second"]), accountEnabled=True)
    sync.run()
    for route in ("token", "delta"):
        graphs["first"].order(route, graph_faults.slow(60), times=None)
    device = disable_one(tenants["second"])
    with ended(sync.start()):
        wait_until(lambda: enabled(sync)[device] is False, timeout=8, what="the disabled device in the list")


def test_intune_and_groups_do_not_wait_for_the_devices(world):
    tenant, graph, sync = world
    sync.run()
    for record in tenant.records:
        tenant.change_record(record, serialNumber="CHANGED")
    graph.order("delta", graph_faults.slow(60), times=None)
    with ended(sync.start()):
        wait_until(lambda: "CHANGED" in {one.get("serialNumber") for one in sync.listed()}, timeout=8, what="Intune's part")


def test_other_parts_wait_for_the_first_devices(world):
    """Without the devices a list would say that there are none; what was fetched meanwhile is there when they come."""
    tenant, graph, sync = world
    graph.order("delta", graph_faults.recorded("403"), times=None)
    run = sync.run(code=NONE)
    assert run.results() == {"devices": "failed", "intune": "skipped", "groups": "skipped"}
    assert "devices, which have to be listed first" in run.parts()["intune"]["note"]
    assert not sync.list_file.exists() and spools(sync) == ["groups", "intune"]
    graph.behave()
    run = sync.run()
    assert_same(sync.listed(), truth(tenant))
    assert run.parts()["intune"]["resumed"] > 0 and spools(sync) == []


def test_groups_hold_members_that_come_later(world):
    """A new device is in its group in the edition that brings it, although the group was published before."""
    tenant, graph, sync = world
    sync.run()
    staff, = tenant.group_named(STAFF)
    gone, new = next(iter(tenant.members[staff])), tenant.add_device("LATE-1")
    tenant.leave(staff, gone)
    tenant.join(staff, new)
    graph.order("delta", graph_faults.slow(4))
    with ended(sync.start()) as process:
        wait_until(lambda: not any(one.get("groups") for one in sync.listed() if one.get("id") == gone), timeout=8,
                   what="the groups")
        assert "LATE-1" not in sync.names()
        assert process.wait(20) == 0
    assert_same(sync.listed(), truth(tenant))


def test_an_import_does_not_wait_for_a_listing(world):
    _, graph, sync = world
    sync.run()
    graph.order("delta", graph_faults.slow(60), times=None)
    mark = len(graph.requests)
    (sync.directory / "one.json").write_text('[{"displayName": "LAB-1"}]')
    with ended(sync.start()):
        wait_until(lambda: graph.asked("delta", mark), what="the listing")
        began = time.monotonic()
        sync.certdir("list", "import", "--list", sync.list_file, "--source", "lab", sync.directory / "one.json")
        assert time.monotonic() - began < 10 and "LAB-1" in sync.names()


# ---- each part has its rhythm ----


def test_a_hanging_part_is_left_alone_and_the_others_go_on(world):
    tenant, graph, sync = world
    tenant.change(some_device(tenant), accountEnabled=True)
    sync.run()
    graph.order("managedDevices", graph_faults.slow(60), times=None)
    mark = len(graph.requests)
    with ended(sync.start("--interval", "1s")) as process:
        wait_until(lambda: len(graph.asked("delta", mark)) >= 3, timeout=20, what="the third round")
        assert len(graph.asked("managedDevices", mark)) == 1
        device = disable_one(tenant)
        wait_until(lambda: enabled(sync)[device] is False, timeout=10, what="the disabled device")
        # The new configuration counts while the hanging part goes on with the old one.
        sync.set(only_enabled="yes")
        sync.list["max_shrink"] = "100%"
        sync.write()
        wait_until(lambda: device not in enabled(sync), timeout=10, what="the new configuration")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=5)
        assert process.returncode == 0, err


# ---- an interruption keeps what has come ----


def interrupt(sync, graph, route="delta", skip=2):
    """Kills a sync that waits for a listing's page number skip + 1."""
    graph.order(route, graph_faults.slow(60), skip=skip)
    mark = len(graph.requests)
    with ended(sync.start()):
        wait_until(lambda: len(graph.asked(route, mark)) > skip, what="the page being asked for")
    graph.behave()


def test_a_killed_listing_goes_on_where_it_was(world):
    tenant, graph, sync = world
    interrupt(sync, graph)
    tenant.add_device("MEANWHILE-1")
    mark = len(graph.requests)
    began = time.time()
    run = sync.run()
    part = run.parts()["devices"]
    assert part["resumed"] == 2 and part["full"] and part["pages"] == 5
    # The last two of four pages, and what happened since the listing began.
    assert ["$skiptoken" in one.query for one in graph.asked("delta", mark)] == [True, True, False]
    assert_same(sync.listed(), truth(tenant))
    assert spools(sync) == [] and json.loads(sync.certdir("status", "-c", sync.conf, "--json"))["tenants"][0]["ok"]
    assert time.time() - began < 20


def test_a_listing_that_failed_goes_on_and_is_as_old_as_its_beginning(world):
    tenant, graph, sync = world
    sync.set(deadline="3s")
    graph.order("managedDevices", graph_faults.recorded("504 empty"), skip=1, times=None)
    began = int(time.time())
    sync.run(code=SOME)
    graph.behave()
    sync.set(deadline="60s", intune_interval="1h")
    mark = len(graph.requests)
    # The second run's listing begins in a later second than anything of the first.
    later = int(time.time()) + 1
    wait_until(lambda: time.time() >= later)
    run = sync.run()
    assert run.parts()["intune"]["resumed"] == 1
    assert len(graph.asked("managedDevices", mark)) == run.parts()["intune"]["pages"] - 1
    assert_same(sync.listed(), truth(tenant))
    with closing(sqlite3.connect(f"file:{sync.list_file}?mode=ro&immutable=1", uri=True)) as db:
        synced, = db.execute("SELECT intune_synced FROM source").fetchone()
    assert began <= synced < later


@pytest.mark.parametrize("what", ["expired", "refused", "gone", "other attributes", "another group", "--full"])
def test_pages_that_are_no_start_any_more(world, what):
    tenant, graph, sync = world
    arguments = ()
    if what == "another group":
        interrupt(sync, graph, "members", 1)
        other = tenant.add_group("others")
        sync.set(group="others")
    elif what == "--full":
        sync.run()
        sync.set(deadline="60s")
        disable_one(tenant)
        interrupt(sync, graph, skip=0)
        arguments = ("--full",)
    else:
        interrupt(sync, graph)
    if what == "other attributes":
        sync.set(extension_attributes="1")
    elif what not in ("another group", "--full"):
        faults = {"expired": "400 Directory_ExpiredPageToken", "refused": "400 segment", "gone": "410"}
        graph.order("delta", graph_faults.recorded(faults[what]) if what != "gone" else
                    lambda *_: graph_faults.error(410, "syncStateNotFound", ""))
    run = sync.run(*arguments)
    part = run.parts()["groups" if what == "another group" else "devices"]
    assert part["resumed"] == 0
    if what == "another group":
        assert not any(group["id"] != other for one in sync.listed() for group in one.get("groups", ()))
    else:
        assert_same(sync.listed(), truth(tenant, **({"extension_attributes": (1,)} if "attributes" in what else {})))


def test_a_forgotten_delta_link_and_an_interruption(world):
    """The full listing in its place goes on, although the list still has that link."""
    tenant, graph, sync = world
    sync.run()
    graph.expire_delta()
    disable_one(tenant)
    interrupt(sync, graph, skip=3)
    mark = len(graph.requests)
    part = sync.run().parts()["devices"]
    assert part["full"] and part["resumed"] == 2
    assert "$skiptoken" in graph.asked("delta", mark)[0].query
    assert_same(sync.listed(), truth(tenant))


def test_too_old_pages(world):
    tenant, graph, sync = world
    interrupt(sync, graph)
    spool, = sync.directory.glob("*.spool.*.devices")
    data = bytearray(spool.read_bytes())
    assert spool.stat().st_mode & 0o777 == 0o600 and data[:16] == b"certdir pages 1\n"
    sync.env.update(clock.later(1.1))
    assert sync.run().parts()["devices"]["resumed"] == 0
    assert_same(sync.listed(), truth(tenant))


def test_pages_of_another_tenant(world):
    tenant, graph, sync = world
    interrupt(sync, graph)
    spool, = sync.directory.glob("*.spool.*.devices")
    other = "11111111" + tenant.id[8:]
    spool.rename(str(spool).replace(tenant.id, other))
    sync.set(tenant_id=other)
    assert sync.run(code=NONE).parts()["devices"]["resumed"] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_pages_that_somebody_else_has_put_there(world):
    tenant, graph, sync = world
    interrupt(sync, graph)
    spool, = sync.directory.glob("*.spool.*.devices")
    os.chown(spool, NOBODY, NOBODY)
    note = sync.run(code=NONE).parts()["devices"]["note"]
    assert f"{spool} belongs to user {NOBODY}" in note and "remove it" in note
    spool.unlink()
    sync.run()
    assert_same(sync.listed(), truth(tenant))


def test_a_torn_spool(world):
    tenant, graph, sync = world
    interrupt(sync, graph)
    spool, = sync.directory.glob("*.spool.*.devices")
    spool.write_bytes(spool.read_bytes()[:-10] + b"\0" * 4096)
    assert sync.run().parts()["devices"]["resumed"] == 1
    assert_same(sync.listed(), truth(tenant))


def test_no_room_for_all_pages(serve, tmp_path):
    """A file may not grow beyond so many bytes, as on a full disk: what fits stays."""
    tenant = Tenant("room", 200, groups=(STAFF,))
    graph = serve(tenant)
    graph.habits.page_size = 20
    sync = Sync(tmp_path / "sync", graph, intune="no")
    limit = 40 << 10
    sync.write()
    done = subprocess.run(["sh", "-c", f"ulimit -f {limit // 512}; exec \"$@\"", "sh", *map(str, sync.command("sync", "-c", sync.conf))],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == NONE and ".devices cannot be written: File too large" in done.stderr
    run = sync.run()
    assert run.parts()["devices"]["resumed"] > 0
    assert sync.listed() == truth(tenant, intune=False) or len(sync.listed()) == 200


# ---- what nobody asks for any more ----


def test_a_tenant_that_was_taken_out_is_told(serve, tmp_path):
    graphs = {name: serve(Tenant(name, 10)) for name in ("stays", "goes")}
    sync = Sync(tmp_path / "sync", graphs)
    assert sync.run().report["forgotten"] == []
    del sync.tenants["goes"]
    run = sync.run()
    assert run.report["forgotten"] == ["goes"]
    assert "source goes" in run.err and "certdir list remove --source goes" in run.err
    assert "certdir list remove --source goes" in sync.certdir("status", "-c", sync.conf)


# ---- dry runs ----


def test_a_dry_run_leaves_nothing_and_needs_reading_only(world):
    """Another user's dry run, with no right to write in the directory; then root's leaves nothing in the way either."""
    tenant, graph, sync = world
    sync.run()
    tenant.rename(some_device(tenant), "AD-1")
    open_to_all(sync)
    sync.list_file.chmod(0o644)
    sync.write()
    files = sorted(os.listdir(sync.directory))
    done = subprocess.run(sync.command("sync", "-c", sync.conf, "--dry-run"), capture_output=True, text=True, timeout=60,
                          check=False, user=NOBODY, group=NOBODY, extra_groups=[])
    assert done.returncode == 0 and "would rename" in done.stdout, done.stderr
    assert sorted(os.listdir(sync.directory)) == files
    for path in sync.directory.glob("devices.db*"):
        path.unlink()
    os.chown(sync.directory, NOBODY, NOBODY)
    done = subprocess.run(sync.command("sync", "-c", sync.conf, "--dry-run"), capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert not list(sync.directory.glob("devices.db*"))


def test_a_dry_run_names_what_the_guard_would_keep(serve, tmp_path):
    tenant = Tenant(2, 60, enrolled=1, groups=(STAFF,))
    staff, = tenant.group_named(STAFF)
    sync = Sync(tmp_path / "sync", serve(tenant), group=STAFF)
    sync.run()
    before = sync.list_file.read_bytes()
    lost = {tenant.devices[device]["deviceId"] for device in sorted(tenant.devices)[:7]}
    left = set(sorted(tenant.members[staff], key=str)[:15])
    for device in left:
        tenant.leave(staff, device)
    for device in sorted(tenant.devices)[:7]:
        tenant.delete(device)
    run = sync.run("--dry-run", code=SHRUNK)
    assert run.results()["devices"] == run.results()["groups"] == "shrunk" and "7 of 60 devices would be lost" in run.err
    assert lost == {change["device"] for change in run.changes if change["what"] == "removed"}
    assert len([change for change in run.changes if change["what"] == "group"]) >= 10
    assert sync.list_file.read_bytes() == before
    assert sync.run("--dry-run", "--force").results()["devices"] == "done"


def test_old_pages_of_others_are_removed(world):
    _, graph, sync = world
    interrupt(sync, graph)
    spool, = sync.directory.glob("*.spool.*.devices")
    other = spool.with_name(f"devices.db.spool.{TENANT}.devices")
    spool.rename(other)
    sync.run()
    assert other.exists(), "it may be another configuration's"
    os.utime(other, (time.time() - 90000, time.time() - 90000))
    sync.run()
    assert not other.exists()


@pytest.mark.parametrize("order", [(0, NOBODY, 0), (NOBODY, 0, NOBODY)], ids=["root first", "user first"])
def test_root_and_the_user_in_turn(world, order):
    """Each of them goes on where the other one was, also with pages that the other left."""
    tenant, graph, sync = world
    open_to_all(sync)
    os.chown(sync.directory, NOBODY, NOBODY)
    for number, user in enumerate(order):
        disable_one(tenant, number)
        graph.order("managedDevices", graph_faults.recorded("403"), skip=1)
        for code in (SOME, DONE):
            process = sync.start("--json", user=user, group=user, extra_groups=[])
            out, err = process.communicate(timeout=60)
            assert process.returncode == code, err
            user = NOBODY if user == 0 else 0
        assert json.loads(out)["tenants"][0]["parts"]["intune"]["resumed"] == 1
        assert_same(sync.listed(), truth(tenant))
        graph.behave()
    owners = {path.name: path.stat().st_uid for path in sync.directory.glob("devices.db*")}
    assert set(owners.values()) == {NOBODY}, owners


# ---- on a terminal ----


def test_a_terminal_shows_all_parts_and_what_they_wait_for(world):
    _, graph, sync = world
    graph.order("managedDevices", graph_faults.recorded("504 empty"), times=None)
    graph.order("delta", graph_faults.slow(60), skip=1, times=None)
    sync.write()
    master, slave = pty.openpty()
    shown = b""
    process = subprocess.Popen(sync.command("sync", "-c", sync.conf), stdout=subprocess.DEVNULL, stderr=slave, text=True)
    os.close(slave)
    try:
        def sees(*texts):
            nonlocal shown
            shown += os.read(master, 65536)
            return all(text in shown for text in texts)
        wait_until(lambda: sees(b"contoso: intune: attempt 2 of 8 in ", b"contoso: devices: 1 page, "), timeout=10,
                   what="both lines")
    finally:
        process.kill()
        process.wait()
        os.close(master)
