# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir sync and certdir status where no Graph answers: the command line, certdir.conf, exit codes, what is kept and told."""

import fcntl
import json
import os
import re
import signal
import socket
import stat
import subprocess
import time

import pytest

from testenv.supplicant import wait_until

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CLIENT = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


@pytest.fixture
def place(tmp_path):
    """A directory with a secret."""
    (tmp_path / "secret").touch(mode=0o600)
    (tmp_path / "secret").write_text("s\n")
    return tmp_path


@pytest.fixture
def certdir(certdir_cli):
    """Runs certdir to its end: (exit code, stdout, stderr)."""

    def certdir(*arguments):
        done = subprocess.run([certdir_cli, *arguments], capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    return certdir


@pytest.fixture
def silent():
    """A port where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed():
    """A port where nobody listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        yield server.getsockname()[1]


def configure(place, port, more="", tenants=("contoso",)):
    conf = place / "certdir.conf"
    text = f"[list]\nfilename = {place}/devices.db\n"
    for number, name in enumerate(tenants):
        text += (f"[tenant {name}]\nauthority = https://127.0.0.1:{port}\ngraph = https://127.0.0.1:{port}\n"
                 f"tenant_id = {TENANT[:-1]}{number}\nclient_id = {CLIENT}\nclient_secret_file = {place}/secret\n"
                 f"deadline = 1s\n{more}")
    conf.write_text(text)
    return conf


def import_one(certdir, place, source="lab"):
    (place / "one.json").write_text('[{"displayName": "PC-1"}]')
    code, _, err = certdir("list", "import", "--list", place / "devices.db", "--source", source, place / "one.json")
    assert code == 0, err


# ---- the command line ----


@pytest.mark.parametrize("arguments", [["--bogus"], ["x"], ["--interval", "often"], ["--interval", "0"], ["--interval", "5"], ["--interval"],
                                       ["--interval", "1h", "--force"], ["--interval", "1h", "--dry-run"], ["-c"]])
def test_misuse_of_sync(certdir, arguments):
    code, out, err = certdir("sync", *arguments)
    assert code == 64 and out == "" and "usage: certdir sync" in err


@pytest.mark.parametrize("arguments", [["--bogus"], ["x"], ["--json", "--prometheus"], ["-c"]])
def test_misuse_of_status(certdir, arguments):
    code, out, err = certdir("status", *arguments)
    assert code == 64 and (out == "") == ("--json" not in arguments) and "usage: certdir status" in err


@pytest.mark.parametrize("command", ["sync", "status"])
def test_help(certdir, command):
    code, out, err = certdir(command, "--help")
    assert code == 0 and out.startswith(f"usage: certdir {command}") and err == ""
    assert f"\n{command}" in certdir("--help")[1]


# ---- certdir.conf ----


@pytest.mark.parametrize("command", ["sync", "status"])
def test_no_configuration(certdir, place, command):
    code, _, err = certdir(command, "-c", place / "none.conf")
    assert code == 78 and f"{place}/none.conf does not exist: name it with -c" in err


@pytest.mark.parametrize("command", ["sync", "status"])
def test_a_mistake_has_its_line(certdir, place, command):
    conf = configure(place, 1, more="intuna = no\n")
    code, out, err = certdir(command, "-c", conf)
    assert (code, out) == (78, "")
    assert err == f"certdir: {conf}:10: [tenant contoso] has no option intuna: did you mean intune?\n"


def test_a_configuration_that_others_can_write(certdir, place):
    conf = configure(place, 1)
    conf.chmod(0o646)
    code, _, err = certdir("sync", "-c", conf)
    assert code == 78 and f"chmod o-w {conf}" in err


def test_no_tenant(certdir, place):
    conf = configure(place, 1, tenants=())
    code, _, err = certdir("sync", "-c", conf)
    assert code == 78 and "has no [tenant NAME]" in err


# ---- runs that fail ----


def test_nobody_answers(certdir, place, closed):
    conf = configure(place, closed)
    import_one(certdir, place)
    before = (place / "devices.db").read_bytes()
    code, out, err = certdir("sync", "-c", conf)
    assert code == 2 and "certdir: contoso: devices: failed: " in err and "as it was" in out
    assert (place / "devices.db").read_bytes() == before
    code, out, err = certdir("status", "-c", conf)
    assert code == 1 and err == ""
    assert "tenant contoso" in out and "the last attempt failed" in out and "error       devices failed: " in out
    assert "import lab: 1 device" in out


def test_the_report(certdir, place, closed):
    conf = configure(place, closed, tenants=("contoso", "fabrikam"))
    code, out, _ = certdir("sync", "-c", conf, "--json")
    report = json.loads(out)
    assert code == 2 == report["exit_code"] and not report["published"] and not report["dry_run"]
    assert [tenant["name"] for tenant in report["tenants"]] == ["contoso", "fabrikam"]
    for tenant in report["tenants"]:
        assert not tenant["ok"] and tenant["parts"]["devices"]["result"] == "failed" and tenant["parts"]["devices"]["note"]
    kept = place / "devices.db.status"
    assert json.loads(kept.read_text()) == report
    assert not stat.S_IMODE(kept.stat().st_mode) & 0o027
    assert sorted(os.listdir(place)) == ["certdir.conf", "devices.db.status", "secret"]


def test_a_dry_run_is_not_kept(certdir, place, closed):
    conf = configure(place, closed)
    code, out, _ = certdir("sync", "-c", conf, "--json", "--dry-run")
    assert code == 2 and json.loads(out)["dry_run"] and not (place / "devices.db.status").exists()


def test_a_tenant_that_a_run_says_nothing_about_keeps_its_report(certdir, place, closed):
    conf = configure(place, closed, tenants=("contoso", "fabrikam"))
    certdir("sync", "-c", conf)
    kept = place / "devices.db.status"
    configure(place, closed)
    certdir("sync", "-c", conf)
    assert [tenant["name"] for tenant in json.loads(kept.read_text())["tenants"]] == ["contoso"]


def test_the_end_of_a_certificate_is_known_while_there_is_one(certdir, place, closed):
    """One that cannot be read this time still ends when it did; after a change to a secret nothing ends any more."""
    conf = configure(place, closed)
    secret = conf.read_text()
    certificate = f"certificate_file = {place}/none.pem\nprivate_key_file = {place}/none.pem"
    conf.write_text(secret.replace(f"client_secret_file = {place}/secret", certificate))
    certdir("sync", "-c", conf)
    kept = place / "devices.db.status"
    report = json.loads(kept.read_text())
    assert report["tenants"][0]["credential_expires"] is None
    report["tenants"][0]["credential_expires"] = "2030-01-01T00:00:00Z"
    kept.write_text(json.dumps(report))
    certdir("sync", "-c", conf)
    assert json.loads(kept.read_text())["tenants"][0]["credential_expires"] == "2030-01-01T00:00:00Z"
    conf.write_text(secret)
    certdir("sync", "-c", conf)
    assert json.loads(kept.read_text())["tenants"][0]["credential_expires"] is None
    import_one(certdir, place)
    assert "expires" not in certdir("status", "-c", conf)[1]
    assert "credential_expires" not in certdir("status", "-c", conf, "--prometheus")[1]


def test_a_damaged_report_is_none(certdir, place, closed):
    conf = configure(place, closed)
    import_one(certdir, place)
    (place / "devices.db.status").write_text('{"tenants": [{"name": 1}, 2], "error": {}')
    code, out, _ = certdir("status", "-c", conf)
    assert code == 1 and "never synced" in out
    (place / "devices.db.status").write_text('{"tenants": [{"name": 1}, 2, {"name": "contoso", "parts": []}], "error": {}}')
    assert certdir("status", "-c", conf)[0] == 1
    certdir("sync", "-c", conf)
    assert json.loads((place / "devices.db.status").read_text())["tenants"][0]["parts"]["devices"]["note"]


def test_a_report_that_cannot_be_kept_is_a_warning(certdir, place, closed):
    conf = configure(place, closed)
    (place / "devices.db.status").mkdir()
    code, _, err = certdir("sync", "-c", conf)
    assert code == 2 and f"warning: {place}/devices.db.status cannot be written" in err
    assert not [name for name in os.listdir(place) if ".new" in name]


# ---- status ----


def test_status_without_a_list(certdir, place):
    conf = configure(place, 1)
    code, out, err = certdir("status", "-c", conf)
    assert code == 66 and "there is no usable list" in out and f"{place}/devices.db" in err
    code, out, _ = certdir("status", "-c", conf, "--json")
    assert code == 66 and json.loads(out)["list_error"]
    code, out, _ = certdir("status", "-c", conf, "--json", "--sessions", place / "none")
    assert json.loads(out)["sessions"]["error"].startswith(f"{place}/none cannot be opened")
    # Metrics say it themselves, and have to get to the collector.
    code, out, _ = certdir("status", "-c", conf, "--prometheus")
    assert code == 0 and samples(out) == {("certdir_list_up", ""): 0}


def samples(text):
    """Reads the exposition format as strictly as promtool does: {(name, labels): value}."""
    assert text.endswith("\n")
    found, types, helped, closed, current = {}, {}, set(), set(), None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in helped and len(line.split(" ", 3)[3]) > 10
            helped.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind == "gauge" and name in helped and name not in types
            types[name] = kind
        else:
            match = re.fullmatch(r'([a-z_]+)(\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (-?[0-9]+)', line)
            assert match, line
            name, labels = match[1], match[3] or ""
            assert name in types and name not in closed and (name, labels) not in found and not labels.endswith(",")
            if current not in (None, name):
                closed.add(current)  # all samples of a metric stand together
            current = name
            assert name.endswith(("_seconds", "_up")) or "_devices" in name or name.endswith("_certificates")
            found[name, labels] = int(match[4])
    return found


def test_prometheus(certdir, place, closed):
    conf = configure(place, closed, tenants=("contoso", "fabrikam"))
    import_one(certdir, place, 'a "b" \\c')
    certdir("sync", "-c", conf)
    code, out, err = certdir("status", "-c", conf, "--prometheus")
    assert (code, err) == (0, "")
    found = samples(out)
    assert found["certdir_list_up", ""] == 1 and found["certdir_list_devices", ""] == 1
    assert found["certdir_tenant_up", 'tenant="contoso"'] == 0 and found["certdir_tenant_devices", 'tenant="fabrikam"'] == 0
    assert found["certdir_tenant_last_success_timestamp_seconds", 'tenant="contoso",part="devices"'] == 0
    assert ("certdir_tenant_last_success_timestamp_seconds", 'tenant="contoso",part="groups"') not in found
    assert found["certdir_import_devices", r'source="a \"b\" \\c"'] == 1
    now = time.time()
    for (name, _), value in found.items():
        if name in ("certdir_list_published_timestamp_seconds", "certdir_tenant_last_attempt_timestamp_seconds"):
            assert now - 60 < value <= now


def test_status_tells_tables_of_certificates(certdir, place):
    conf = configure(place, 1)
    import_one(certdir, place)
    tables = ('certdir_import_certificates', 'source="ca"'), ('certdir_import_certificates_timestamp_seconds', 'source="ca"')
    assert not {name for name, _ in samples(certdir("status", "-c", conf, "--prometheus")[1])} & {name for name, _ in tables}
    report, made = place / "report.csv", int(time.time()) - 7200
    report.write_text(f"DeviceId,ValidTo,CertificateStatus,Thumbprint\n{CLIENT},2036-01-01T00:00:00Z,issued,{'A1' * 20}\n")
    os.utime(report, (made, made))
    code, _, err = certdir("list", "import", "--certificates", "--list", place / "devices.db", "--source", "ca", report)
    assert code == 0, err
    lines = certdir("status", "-c", conf)[1].splitlines()
    assert any(re.fullmatch(r"import ca: 0 devices, imported .*, 1 certificate 2\S+Z \(2 h ago\)", line) for line in lines), lines
    assert any(re.fullmatch(r"import lab: 1 device, imported 2\S+Z \(\d+ s ago\)", line) for line in lines), lines
    lab, ca = json.loads(certdir("status", "-c", conf, "--json")[1])["imports"]
    assert lab["certificates"] is None and ca["certificates"]["count"] == 1 and 7200 <= ca["certificates"]["age"] < 7300
    found = samples(certdir("status", "-c", conf, "--prometheus")[1])
    assert [found[one] for one in tables] == [1, made]
    assert not {name for name, labels in found if labels == 'source="lab"'} & {name for name, _ in tables}


def test_stats_tell_imports(certdir, place):
    import_one(certdir, place)
    code, out, _ = certdir("list", "stats", "--list", place / "devices.db")
    assert code == 0 and re.search(r"\n  import lab: 1 device, imported 2\S+Z \(\d+ s ago\)\n", out)
    source, = json.loads(certdir("list", "stats", "--json", "--list", place / "devices.db")[1])["sources"]
    assert source["kind"] == "import" and source["parts"] is None


@pytest.mark.parametrize("since,code", [("2d", 0), ("2026-11-01T00:00:00Z", 0), ("2026-11-01", 0), ("2y", 64), ("", 64),
                                        ("yesterday", 64)])
def test_changes_since(certdir, place, since, code):
    import_one(certdir, place)
    got, out, err = certdir("list", "changes", "--list", place / "devices.db", "--since", since)
    assert got == code and out == "" and ("--since" in err) == (code != 0)


# ---- signals ----


@pytest.fixture
def start(certdir_cli, place):
    """Starts `certdir sync` with its stderr in a file."""
    running = []

    def start(conf, *arguments):
        with open(place / "stderr", "w", encoding="utf-8") as err:
            running.append(subprocess.Popen([certdir_cli, "sync", "-c", conf, *arguments], stdout=subprocess.DEVNULL, stderr=err))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def is_connected(port):
    """Whether somebody has connected to a loopback port."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(line.split()[2].endswith(f":{port:04X}") and line.split()[3] == "01" for line in list(table)[1:])


@pytest.mark.parametrize("arguments,code", [([], 5), (["--interval", "1h"], 0)])
def test_a_signal_ends_a_run(start, place, silent, arguments, code):
    conf = configure(place, silent)
    conf.write_text(conf.read_text().replace("deadline = 1s", "deadline = 60s"))
    process = start(conf, *arguments)
    wait_until(lambda: is_connected(silent), timeout=10, what="a connection")
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == code
    assert "stopped by a signal, nothing was changed" in (place / "stderr").read_text()
    assert sorted(os.listdir(place)) == ["certdir.conf", "secret", "stderr"]


def test_a_service(start, place, closed):
    """It goes on after failures, hurries on SIGHUP, survives a broken configuration, and ends at once."""
    conf = configure(place, closed)
    good = conf.read_text()

    def runs():
        return (place / "stderr").read_text().count("contoso: devices: failed")

    process = start(conf, "--interval", "1h")
    wait_until(lambda: runs() == 1, timeout=20, what="the first run")
    conf.write_text(good + "intuna = x\n")
    process.send_signal(signal.SIGHUP)
    wait_until(lambda: runs() == 2, timeout=20, what="the second run")
    assert f"{conf}:10: [tenant contoso] has no option intuna" in (place / "stderr").read_text()
    assert f"going on with {conf} as it was" in (place / "stderr").read_text()
    conf.write_text(good.replace("[tenant contoso]", "[tenant fabrikam]"))
    process.send_signal(signal.SIGHUP)
    wait_until(lambda: "fabrikam: devices: failed" in (place / "stderr").read_text(), timeout=20, what="the new configuration")
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as state:
        before = int(state.read().split()[13])
    assert before < 500, "it spins"
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0


def test_an_interval_goes_from_start_to_start(start, place, closed):
    conf = configure(place, closed)
    process = start(conf, "--interval", "1s")
    wait_until(lambda: (place / "stderr").read_text().count("devices: failed") >= 3, timeout=20, what="three runs")
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 0
