# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir sync: Intune's report of issued certificates, from the job to the list; and the same as a file by hand."""

import json
import re
import signal
import sqlite3
import subprocess
from contextlib import closing

import pytest

from testenv import clock, graph_faults
from testenv.graph_faults import Answer
from testenv.graph_reports import ADDITIONAL, COLUMNS, CREATE, READ, certificate, packed, table
from testenv.supplicant import wait_until
from testenv.sync import DONE, SHRUNK, SOME, Sync, contoso, serving
from testenv.tenant import Tenant


@pytest.fixture
def serve():
    with serving() as serve:
        yield serve


@pytest.fixture
def world(serve, tmp_path):
    """contoso with a certificate for each Intune record. Time flies: the pauses between questions are long for a test."""
    tenant, graph, sync = contoso(serve, tmp_path)
    sync.env = clock.HURRY
    # Two minutes by our clock: a busy machine must not make it the reason.
    sync.set(certificates="yes", certificates_interval="0s", deadline="1h")
    graph.certificates = [certificate(record, number) for number, record in enumerate(sorted(tenant.records), 1)]
    return tenant, graph, sync


def rows(sync):
    """{thumbprint: (device, revoked)} of the list."""
    with closing(sqlite3.connect(f"file:{sync.list_file}?mode=ro&immutable=1", uri=True)) as db:
        return {row[0]: row[1:] for row in db.execute("SELECT thumbprint,intune_device_id,revoked FROM certificate")}


def wanted(certificates):
    return {row["Thumbprint"].lower(): (row["DeviceId"], int(row["CertificateStatus"] == "revoked")) for row in certificates}


def part(sync, code=DONE, *arguments):
    return sync.run(*arguments, code=code).parts()["certificates"]


# ---- what comes of a report ----


def test_a_report_becomes_the_table(world):
    tenant, graph, sync = world
    graph.certificates[0]["CertificateStatus"] = "revoked"
    graph.report_polls = 3
    done = part(sync)
    assert done["result"] == "done" and done["note"] == "" and done["added"] == done["objects"] == len(tenant.records)
    assert rows(sync) == wanted(graph.certificates)
    posted = [one for one in graph.asked("exports") if one.method == "POST"]
    assert len(posted) == 1 and len(graph.asked("exports")) == 4 and len(graph.asked("report")) == 1
    assert json.loads(posted[0].body)["localizationType"] == ADDITIONAL and posted[0].headers["accept-language"] == "en-US"
    assert json.loads(posted[0].body)["select"] and "authorization" not in graph.asked("report")[0].headers
    status = sync.status()["tenants"][0]["parts"]
    assert status["certificates"]["last_success"] and status["certificates"]["age"] < 3600
    count = len(tenant.records)
    assert status["certificates"]["count"] == count
    assert re.search(rf"\n  synced      certificates 2\S+Z \(.* ago\): {count}(, each .*)?\n", sync.certdir("status", "-c", sync.conf))
    prometheus = sync.certdir("status", "-c", sync.conf, "--prometheus")
    assert 'certdir_tenant_last_success_timestamp_seconds{tenant="contoso",part="certificates"}' in prometheus
    assert f'certdir_tenant_certificates{{tenant="contoso"}} {count}\n' in prometheus
    # The next one: a change, a loss of one of many.
    graph.certificates[1]["CertificateStatus"] = "revoked"
    del graph.certificates[-1]
    done = part(sync)
    assert (done["result"], done["changed"], done["removed"]) == ("done", 1, 1)
    assert rows(sync) == wanted(graph.certificates)


@pytest.mark.parametrize("seed", range(4))
def test_columns_come_in_any_order(serve, tmp_path, seed):
    tenant = Tenant(seed, 10, enrolled=1)
    graph = serve(tenant, seed=seed)
    sync = Sync(tmp_path / "sync", graph, certificates="yes")
    sync.env = clock.HURRY
    graph.certificates = [certificate(record, number, UPN='O"Brien, Jr.@example.com')
                          for number, record in enumerate(sorted(tenant.records), 1)]
    assert part(sync)["note"] == "" and rows(sync) == wanted(graph.certificates)


def test_states_as_numbers(world):
    _, graph, sync = world
    states = {"9": 0, "14": 1, "7": 1, "17": 0, "20": 1, "4": 1}
    for row, state in zip(graph.certificates, states, strict=False):
        row["CertificateStatus"] = state
    assert part(sync)["note"] == ""
    assert [rows(sync)[row["Thumbprint"].lower()][1] for row in graph.certificates[:len(states)]] == list(states.values())


def test_not_asked_and_not_due(world):
    _, graph, sync = world
    sync.set(certificates=None)
    assert part(sync)["note"] == "certificates = no" and not graph.asked("exports")
    sync.set(certificates="yes", certificates_interval="240h")
    part(sync)
    sync.env = clock.hurry(later=600)
    again = part(sync)
    assert again["result"] == "skipped" and "not due yet (certificates_interval)" in again["note"]
    assert part(sync, DONE, "--full")["result"] == "done"
    sync.set(certificates="no")  # what is there goes, once somebody says that this is meant
    assert "would be lost" in part(sync, SHRUNK)["note"] and rows(sync) == wanted(graph.certificates)
    assert part(sync, DONE, "--force")["result"] == "done" and not rows(sync)


def test_shrunk(world):
    _, graph, sync = world
    part(sync)
    all_of_them = wanted(graph.certificates)
    del graph.certificates[3:]
    assert part(sync, SHRUNK)["result"] == "shrunk" and rows(sync) == all_of_them
    assert part(sync, DONE, "--force")["result"] == "done" and rows(sync) == wanted(graph.certificates)


def test_odd_rows_are_counted(world):
    _, graph, sync = world
    good = wanted(graph.certificates)
    graph.certificates[1:1] = [certificate("no-guid", 901), certificate(graph.certificates[0]["DeviceId"], 902, ValidTo="soon"),
                               certificate("", 903), certificate(graph.certificates[0]["DeviceId"], 904, Thumbprint="zz")]
    graph.certificates.append(certificate(graph.certificates[0]["DeviceId"], 905, CertificateStatus="Mystery"))
    done = part(sync)
    assert done["result"] == "done" and done["objects"] == len(good) + 5
    assert "3 rows were left out, the first: line 3: " in done["note"] and "no-guid" in done["note"]
    assert "1 rows name no device and no user" in done["note"] and '("Mystery") and count as issued' in done["note"]
    assert rows(sync) == {**good, **wanted(graph.certificates[-1:])}


# ---- what stands in the way ----


def test_permissions(world):
    _, graph, sync = world
    graph.permissions.discard(READ)
    failed = part(sync, SOME)
    assert failed["result"] == "failed" and f"missing permissions: {READ}" in failed["note"]
    graph.permissions.add(READ)
    graph.report_permission = CREATE
    failed = part(sync, SOME)
    assert f"missing permissions: {CREATE}" in failed["note"]
    graph.permissions.add(CREATE)
    assert part(sync)["result"] == "done"


def test_no_intune(world):
    tenant, graph, sync = world
    tenant.intune = False
    graph.order("exports", graph_faults.recorded("400 tenant"), times=None)
    skipped = part(sync)
    assert skipped["result"] == "skipped" and "certificates = no" in skipped["note"]


@pytest.mark.parametrize("how", ["expired", "failed", "cut", "damaged", "throttled", "503"])
def test_asked_again(world, how):
    _, graph, sync = world
    whole = packed(("report.csv", table(graph.certificates, COLUMNS)))
    if how == "expired":
        graph.order("report", lambda server, request, proper: server.expire_reports())
    elif how == "failed":
        graph.report_fails = 2
    elif how == "cut":
        graph.order("report", graph_faults.cut())
    elif how == "damaged":
        graph.order("report", lambda server, request, proper: Answer(200, whole[:-30]))
    elif how == "throttled":
        graph.order("exports", graph_faults.throttled("0.3"), times=2)
        sync.env = {}  # whoever is in a hurry comes too early
    else:
        graph.order("report", graph_faults.recorded("503"))
    assert part(sync)["result"] == "done" and rows(sync) == wanted(graph.certificates)


def test_a_job_that_never_ends(world):
    _, graph, sync = world
    graph.report_polls = 10 ** 6
    sync.set(deadline="120s")
    failed = part(sync, SOME)
    assert failed["result"] == "failed" and "`deadline`: make that longer" in failed["note"]


@pytest.mark.parametrize("host", ["localhost:{port}", "x.blob.localhost:{port}@evil.localhost:{port}", "blob.localhost.evil.localhost:{port}",
                                  "evilblob.localhost:{port}", "fef01.blob.localhost:1", "fef01.blob.localhost:{port}#"])
def test_a_link_elsewhere_is_not_followed(world, host):
    _, graph, sync = world
    graph.report_host = host.format(port=graph.report_host.rpartition(":")[2])
    failed = part(sync, SOME)
    assert failed["result"] == "failed" and "the server gave a link to a file" in failed["note"]
    assert not graph.asked("report")


def test_a_redirect_is_not_followed(world):
    _, graph, sync = world
    graph.order("report", lambda server, request, proper: Answer(302, b"", {"Location": f"{graph.url}/elsewhere"}), times=None)
    assert "redirects are not followed" in part(sync, SOME)["note"]


def encrypted():
    """A zip that says so of its entry, which is all that matters here."""
    zipped = bytearray(packed(("a.csv", "x")))
    zipped[6] |= 1
    zipped[zipped.index(b"PK\1\2") + 8] |= 1
    return bytes(zipped)


HOSTILE = {
    "bomb": (lambda: packed(("a.csv", table([], COLUMNS) + b"0\n" * (32 << 20))), "unpacks to more than"),
    "two": (lambda: packed(("a.csv", "x"), ("b.csv", "x")), "has several entries"),
    "path": (lambda: packed(("../a.csv", "x")), "where one file NAME.csv belongs"),
    "json": (lambda: packed(("a.json", "x")), "where one file NAME.csv belongs"),
    "empty": (lambda: packed(), "zip"),
    "encrypted": (encrypted, "encrypted"),
    "no zip": (lambda: b"<html>", "this is no zip"),
    "column": (lambda: packed(("a.csv", table([], [c for c in COLUMNS if c != "DeviceId"]))), "has no column DeviceId"),
    "status": (lambda: packed(("a.csv", table([], [c for c in COLUMNS if c != "CertificateStatus"]))),
               "has no column CertificateStatus"),
    "quote": (lambda: packed(("a.csv", table([], COLUMNS) + b'"cut')), "is the file cut short?"),
    "short": (lambda: packed(("a.csv", table([certificate("x")], COLUMNS)[:-30])), "is cut short"),
    "long": (lambda: packed(("a.csv", table([certificate(UPN="".join(map(str, range(99999))))], COLUMNS))), "longer than"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_file(world, tmp_path, kind):
    """By the sync and by hand alike, nothing of it is taken, and what was there stays."""
    _, graph, sync = world
    part(sync)
    make, why = HOSTILE[kind]
    graph.report_file = make()
    failed = part(sync, SOME)
    assert failed["result"] == "failed" and why in failed["note"] and rows(sync) == wanted(graph.certificates)
    if kind == "no zip":
        return
    file = tmp_path / "report.zip"
    file.write_bytes(graph.report_file)
    done = subprocess.run(sync.command("list", "import", "--certificates", "--list", sync.list_file, file),
                          capture_output=True, text=True, check=False)
    assert done.returncode and why in done.stderr and "nothing was changed" in done.stderr


# ---- killed, and two tenants ----


@pytest.mark.parametrize("moment", ["in the middle", "before the list"])
def test_killed(world, moment):
    _, graph, sync = world
    sync.set(certificates_interval="1h")
    if moment == "in the middle":
        graph.order("report", graph_faults.slow(60))
    else:
        graph.order("delta", graph_faults.slow(60), times=None)  # the first devices are waited for
    process = sync.start()
    try:
        if moment == "in the middle":
            wait_until(lambda: graph.asked("report"), what="the download")
        else:
            spool = sync.directory / f"devices.db.spool.{graph.tenant.id}.certificates"
            # Its last record says that all is there.
            wait_until(lambda: spool.exists() and spool.read_bytes()[-80:-76] == b"\3\0\0\0", what="the report in its spool")
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    graph.behave()
    sync.env = clock.hurry(later=600)  # what was asked before is not of the future
    before = len(graph.asked("report"))
    assert part(sync)["result"] == "done" and rows(sync) == wanted(graph.certificates)
    assert len(graph.asked("report")) - before == (1 if moment == "in the middle" else 0)


def test_two_tenants(serve, tmp_path):
    tenants = {name: Tenant(name, 10, enrolled=1) for name in ("first", "second")}
    graphs = {name: serve(tenant) for name, tenant in tenants.items()}
    sync = Sync(tmp_path / "sync", graphs, certificates="yes")
    sync.env = clock.HURRY
    for start, (name, tenant) in enumerate(tenants.items()):
        graphs[name].certificates = [certificate(record, 100 * start + number)
                                     for number, record in enumerate(sorted(tenant.records))]
    graphs["second"].order("report", lambda server, request, proper: Answer(500))
    run = sync.run()
    assert run.results("first")["certificates"] == run.results("second")["certificates"] == "done"
    assert rows(sync) == wanted(graphs["first"].certificates + graphs["second"].certificates)


# ---- by hand ----


def import_file(sync, file, *arguments, code=0):
    out = sync.certdir("list", "import", "--certificates", "--json", "--list", sync.list_file, *arguments, file, code=code)
    return json.loads(out) if out else None


@pytest.mark.parametrize("form", ["zip", "csv", "utf-16"])
def test_import(world, tmp_path, form):
    _, graph, sync = world
    sync.set(certificates="no")
    sync.run()
    before = sync.listed()
    content = table(graph.certificates, COLUMNS)
    file = tmp_path / f"AllDeviceCertificates.{form}"
    file.write_bytes(packed(("AllDeviceCertificates.csv", content)) if form == "zip" else content if form == "csv"
                     else content.decode("utf-8-sig").encode("utf-16"))
    assert import_file(sync, file, "--dry-run")["added"] == len(graph.certificates) and not rows(sync)
    done = import_file(sync, file, "--tenant", graph.tenant.id)
    assert done["added"] == done["rows"] == len(graph.certificates) and done["note"] == ""
    assert rows(sync) == wanted(graph.certificates) and sync.listed() == before
    sync.run()
    assert rows(sync) == wanted(graph.certificates)
    file.write_bytes(table(graph.certificates[:2], COLUMNS))
    error = import_file(sync, file, code=3)["error"]
    assert error["exit"] == 3 and "10 % is the limit" in error["text"] and len(rows(sync)) == len(graph.certificates)
    assert import_file(sync, file, "--force")["certificates"] == 2


def test_import_of_a_ca(world, tmp_path):
    """What certutil exports: the device is told by the names, where they are an id."""
    tenant, _, sync = world
    sync.set(certificates="no")
    sync.run()
    device = sorted(tenant.records)[0]
    file = tmp_path / "adcs.csv"
    file.write_text(
        '"Serial Number","Issuer","Issued Common Name","Subject Alternative Name","Certificate Effective Date",'
        '"Certificate Expiration Date","Request Disposition","Certificate Hash"\n'
        f'"4d0000aa","CN=CA, O=Contoso","wifi","URL=IntuneDeviceId://{device}","2026-01-01T00:00:00Z",'
        f'"2036-01-01T00:00:00Z","20 -- Issued","{"a1 " * 20}"\n'
        f'"4d0000ab","CN=CA, O=Contoso","wifi","URL=IntuneDeviceId://{device}","2026-01-01T00:00:00Z",'
        f'"2036-01-01T00:00:00Z","21 -- Revoked","EMPTY"\n'
        '"4d0000ac","CN=CA, O=Contoso","pc01","EMPTY","2026-01-01T00:00:00Z","2036-01-01T00:00:00Z","20 -- Issued","EMPTY"\n'
        f'"4d0000ad","CN=CA, O=Contoso","{tenant.id}","EMPTY","2026-01-01T00:00:00Z","2036-01-01T00:00:00Z","20 -- Issued","EMPTY"\n')
    done = import_file(sync, file, "--source", "ca")
    assert (done["certificates"], done["nobody"]) == (2, 1) and "1 rows name no device and no user" in done["note"]
    assert f"1 rows were left out, the first: {file} line 5: no device of the list has the id {tenant.id}" in done["note"]
    assert rows(sync) == {"a1" * 20: (device, 0), None: (device, 1)}
