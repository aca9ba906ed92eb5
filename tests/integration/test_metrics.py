# SPDX-License-Identifier: GPL-2.0-or-later
"""The file of metrics that a real server writes: logins, lists, LDAP servers, sessions; and that a file that cannot be written harms nobody."""

import re
import subprocess
import time

import pytest

from testenv import das
from testenv.devices import DOMAIN
from testenv.logins import enter
from testenv.metrics import Metrics
from testenv.radiusd import REPO, shipped_module
from testenv.sessions import KnownSessions
from testenv.slapd import Slapd
from testenv.supplicant import wait_until
from testenv.worlds import ldap_options


@pytest.fixture
def prom(tmp_path):
    return tmp_path / "certdir.prom"


def test_logins_and_lists(radiusd, pki, device_list, prom):
    device_list.add("LAPTOP-1")
    device_list.add("OFF-1", accountEnabled=False)
    device_list.publish()
    before = time.time()
    server = radiusd(shipped_module({"directories": "list", "list.filename": device_list.path, "metrics": prom}))
    wait_until(prom.exists, what="the file")
    assert prom.stat().st_mode & 0o777 == 0o644
    for name in ("LAPTOP-1", "LAPTOP-1", "OFF-1"):
        enter(server, pki, pki.named(name))
    server.stop()
    metrics = Metrics(prom.read_text())
    assert metrics.sum("certdir_decisions_total", module="certdir", decision="allow", reason="allowed", directory="list") == 2
    assert metrics.sum("certdir_decisions_total", decision="deny", reason="disabled", directory="list") == 1
    assert metrics.sum("certdir_decisions_total") == 3 == metrics.sum("certdir_decision_seconds_count")
    assert metrics.sum("certdir_decision_seconds_bucket", le="+Inf") == 3 == metrics.sum("certdir_decision_seconds_bucket", le="10")
    assert 0 < metrics.sum("certdir_decision_seconds_sum") < 30
    assert metrics.sum("certdir_enforcing") == metrics.sum("certdir_list_up", directory="list") == metrics.sum("certdir_build_info") == 1
    assert metrics.sum("certdir_list_devices", directory="list") == 2 and metrics.sum("certdir_list_editions_total") == 1
    imported = metrics.sum("certdir_import_timestamp_seconds", source="import")
    assert before - 60 < imported <= time.time()
    assert metrics.sum("certdir_list_stale_timestamp_seconds", source="import", part="devices") == imported + 3600
    assert before - 1 < metrics.sum("certdir_start_timestamp_seconds") <= time.time()
    assert not list(prom.parent.glob("*.new"))


def test_ldap_that_goes_down(radiusd, pki, tmp_path, prom):
    with Slapd(tmp_path / "slapd") as slapd:
        slapd.add_computer("LAPTOP-1", dNSHostName=f"laptop-1.{DOMAIN}")
        server = radiusd(shipped_module({"directories": "ldap", **ldap_options(slapd), "ldap.options.remember": 60, "metrics": prom,
                                         "policy.on_unavailable": "stale"}))
        for _ in range(3):
            assert enter(server, pki, pki.named("LAPTOP-1"))[0].accepted
        slapd.stop()
        for _ in range(3):
            enter(server, pki, pki.named("STRANGER-1"))
        server.stop()
    metrics = Metrics(prom.read_text())
    of = {"directory": "ldap", "of": "devices"}
    assert metrics.sum("certdir_ldap_searches_total", answered="yes", **of) >= 1
    assert metrics.sum("certdir_ldap_memory_answers_total", kind="remembered", **of) == 2
    assert metrics.sum("certdir_ldap_server_up", **of) == 0
    assert metrics.sum("certdir_decisions_total", decision="unsure", reason="directory-unavailable") == 3


def test_sessions_and_orders(tmp_path, pki, device_list, prom):
    for name in ("PC-1", "PC-2"):
        device_list.add(name)
    device_list.publish()
    (tmp_path / "radiusd").mkdir()
    with das.Device() as device:
        server = KnownSessions(tmp_path / "radiusd", pki.trust, device_list, device, module={"metrics": prom})
        with server:
            for name in ("PC-1", "PC-2"):
                server.account("Start", f"S-{name}", enter(server, pki, pki.named(name))[0])
            device_list.change("PC-1", accountEnabled=False)
            device_list.publish()
            wait_until(lambda: server.states() == {"S-PC-1": "ended", "S-PC-2": "running"}, what="the end")
    metrics = Metrics(prom.read_text())
    assert metrics.sum("certdir_sessions", state="running") == metrics.sum("certdir_sessions", state="ended") == 1
    assert metrics.sum("certdir_sessions", state="held") == 0
    assert metrics.sum("certdir_session_orders_total", order="disconnect") == 1
    assert metrics.sum("certdir_session_answers_total", order="disconnect", answer="done") == 1
    assert metrics.sum("certdir_session_answers_total") == 1
    assert metrics.sum("certdir_list_editions_total") == 2


def test_a_directory_that_is_not_there(radiusd, pki, device_list, tmp_path):
    """Logins go on, and the log says once what is wrong."""
    device_list.add("LAPTOP-1")
    device_list.publish()
    server = radiusd(shipped_module({"directories": "list", "list.filename": device_list.path, "metrics": tmp_path / "none" / "certdir.prom"}))
    assert enter(server, pki, pki.named("LAPTOP-1"))[0].accepted
    server.stop()
    assert server.log().count("certdir.prom cannot be written: No such file or directory") == 1


def test_each_metric_stands_in_the_manual():
    names = set(re.findall(r'"(certdir_[a-z_]+)"', (REPO / "rlm_certdir/metrics/metric.c").read_text()))
    assert len(names) > 30
    manual = (REPO / "man/certdir-metrics.5").read_text()
    assert not {name for name in names if name not in manual}
    alerts = [REPO / "packaging/monitoring" / name for name in ("certdir-rules.yml", "certdir-dashboard.json")]
    for file in filter(lambda file: file.exists(), alerts):
        used = set(re.findall(r"\bcertdir_[a-z_]+", re.sub(r"certdir_decision_seconds_(bucket|sum|count)", "", file.read_text())))
        assert used <= names, f"{file.name} asks for what there is not"


def test_promtool_takes_it(radiusd, pki, device_list, prom):
    """Where it is installed (make monitoring-test does that)."""
    device_list.add("LAPTOP-1")
    device_list.publish()
    server = radiusd(shipped_module({"directories": "list", "list.filename": device_list.path, "metrics": prom}))
    server.stop()
    try:
        with open(prom, "rb") as file:
            done = subprocess.run(["promtool", "check", "metrics"], stdin=file, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("promtool is not installed")
    assert done.returncode == 0, done.stdout + done.stderr
