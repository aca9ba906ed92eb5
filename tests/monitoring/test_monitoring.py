# SPDX-License-Identifier: GPL-2.0-or-later
"""
The alert rules and the dashboard against a real Prometheus, which scrapes a real node exporter, which reads the files of a real radiusd
and of `certdir status`. Grafana itself is not here: of its file, the queries are run and the places of the panels looked at.
"""

import contextlib
import json
import re
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from testenv import das
from testenv.devices import DOMAIN, DeviceList
from testenv.logins import Pki, enter
from testenv.metrics import Metrics
from testenv.ports import free_port
from testenv.radiusd import REPO
from testenv.sessions import KnownSessions
from testenv.slapd import Slapd
from testenv.supplicant import wait_until
from testenv.sync import contoso, serving
from testenv.worlds import ldap_options

MONITORING = REPO / "packaging/monitoring"
RULES, DASHBOARD = MONITORING / "certdir-rules.yml", MONITORING / "certdir-dashboard.json"
# What the site of this test has not: a damaged list, a certificate as a credential, sections of placeholders, issued certificates.
NOT_HERE = {"certdir_list_last_good_timestamp_seconds", "certdir_tenant_credential_expires_timestamp_seconds",
            "certdir_placeholders_timestamp_seconds", "certdir_sessions_held"}


@contextlib.contextmanager
def running(log, *command):
    with open(log, "wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            process.terminate()


def promtool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules():
    promtool("check", "rules", RULES)
    promtool("test", "rules", REPO / "tests/monitoring/rules-test.yml")


def test_each_rule_is_tested():
    alerts = set(re.findall(r"alert: (\w+)", RULES.read_text()))
    assert alerts and alerts == set(re.findall(r"alertname: (\w+)", (REPO / "tests/monitoring/rules-test.yml").read_text()))


class Prometheus:
    def __init__(self, directory, exporter_port):
        self.directory, self.port = directory, free_port("tcp")
        config = f"""global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{RULES}"]
scrape_configs: [{{job_name: certdir, static_configs: [{{targets: ["127.0.0.1:{exporter_port}"]}}]}}]
"""
        (directory / "prometheus.yml").write_text(config)

    def get(self, path, **query):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=20) as answer:
            said = json.load(answer)
        assert said["status"] == "success" and not said.get("warnings"), said
        return said["data"]

    def ask(self, expression):
        return self.get("query", query=expression)["result"]

    def answers(self):
        with contextlib.suppress(OSError):
            return self.ask('up{job="certdir"} == 1')
        return False

    @property
    def command(self):
        return ("prometheus", f"--config.file={self.directory / 'prometheus.yml'}", f"--storage.tsdb.path={self.directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}")


@pytest.fixture(scope="module")
def synced(tmp_path_factory):
    """A tenant that was synced, and the next sync has failed."""
    with serving() as serve:
        _, graph, sync = contoso(serve, tmp_path_factory.mktemp("sync"))
        sync.run()
        graph.stop()
        sync.run(code=None)
    return sync


@pytest.fixture(scope="module")
def prometheus(synced, tmp_path_factory):
    """With a site behind it that has had logins, one session that was ended, an LDAP server that is up and one that is not."""
    directory = tmp_path_factory.mktemp("monitoring")
    (directory / "pki").mkdir()
    pki = Pki(directory / "pki")
    textfiles = directory / "textfiles"
    textfiles.mkdir()
    devices = DeviceList(synced.list_file)
    for name in ("PC-1", "PC-2"):
        devices.add(name)
    devices.add("OFF-1", accountEnabled=False)
    devices.publish()
    exporter_port = free_port("tcp")
    server_port = Prometheus(directory, exporter_port)
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(das.Device())
        slapd = stack.enter_context(Slapd(directory / "slapd"))
        slapd.add_computer("PC-3", dNSHostName=f"pc-3.{DOMAIN}")
        (directory / "radiusd").mkdir()
        module = {"directories": "list ldap", **ldap_options(slapd), "ldap.options.remember": 60, "metrics": textfiles / "certdir.prom",
                  "journal": directory / "journal.json"}
        server = stack.enter_context(KnownSessions(directory / "radiusd", pki.trust, devices, device, module=module))
        for name in ("PC-1", "PC-2", "PC-3", "OFF-1", "STRANGER-1"):
            attempt, _ = enter(server, pki, pki.named(name))
            if name == "PC-1":
                server.account("Start", "S-PC-1", attempt)
        (textfiles / "certdir-status.prom").write_text(synced.certdir("status", "-c", synced.conf, "--prometheus"))
        devices.change("PC-1", accountEnabled=False)
        devices.publish()
        wait_until(lambda: server.states() == {"S-PC-1": "ended"}, what="the end of a session")
        written = (textfiles / "certdir.prom").stat().st_mtime
        wait_until(lambda: (textfiles / "certdir.prom").stat().st_mtime > written and
                   Metrics((textfiles / "certdir.prom").read_text()).sum("certdir_session_answers_total"), timeout=40, what="the file with all of it")
        stack.enter_context(running(directory / "exporter.log", "prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
                                    f"--collector.textfile.directory={textfiles}", f"--web.listen-address=127.0.0.1:{exporter_port}"))
        stack.enter_context(running(directory / "prometheus.log", *server_port.command))
        wait_until(server_port.answers, timeout=60, what="Prometheus")
        wait_until(lambda: server_port.ask("certdir_build_info"), timeout=60, what="a scrape")
        second = time.time()
        wait_until(lambda: float(server_port.ask("max(timestamp(certdir_build_info))")[0]["value"][1]) > second + 1, timeout=60, what="more")
        yield server_port


def test_no_file_is_refused(prometheus):
    """Both files together: one meaning and one sample each."""
    assert prometheus.ask("node_textfile_scrape_error")[0]["value"][1] == "0"
    assert len(prometheus.ask("node_textfile_mtime_seconds")) == 2
    assert {one["metric"].get("module", "") for one in prometheus.ask("certdir_list_up")} == {"", "certdir"}
    assert prometheus.ask('sum(certdir_session_answers_total{answer="done"})')[0]["value"][1] == "1"


def queries():
    """(where, expression) of the dashboard, with what Grafana puts in for its variables. What is 0 and left out there counts as there."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m").removesuffix(" > 0")


def test_dashboard(prometheus):
    assert len(list(queries())) > 25
    empty = {where for where, expression in queries() if not prometheus.ask(expression)}
    assert empty <= {"Credential ends", "Placeholders"}, empty
    variable = prometheus.get("label/instance/values", **{"match[]": '{__name__=~"certdir_(list_up|build_info)"}'})
    assert len(variable) == 1
    metrics = {name for _, expression in queries() for name in re.findall(r"certdir_[a-z_]+", expression)} | \
        set(re.findall(r"certdir_[a-z_]+", RULES.read_text()))
    missing = {name for name in metrics if not prometheus.ask(f"count({name})")}
    assert missing <= NOT_HERE, missing


def test_rules_are_evaluated(prometheus):
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert len(rules) == RULES.read_text().count("- alert:")
    wait_until(lambda: all(rule["health"] == "ok" for group in prometheus.get("rules")["groups"] for rule in group["rules"]), what="each rule")
    names = {alert["labels"]["alertname"] for alert in prometheus.get("alerts")["alerts"]}
    assert "CertdirSyncFailed" in names and not names & {"CertdirListUnusable", "CertdirUndecided", "CertdirServerSilent"}, names


def test_panels_have_their_places():
    """No two lie on each other, none sticks out; ids are one of a kind."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)
