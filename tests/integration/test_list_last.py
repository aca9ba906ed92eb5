# SPDX-License-Identifier: GPL-2.0-or-later
"""A list that is damaged while radiusd is not running: the edition before stands in, and everybody says so."""

import json
import subprocess

from testenv.logins import enter, wait_list_loaded
from testenv.radiusd import BUILD, shipped_module


def certdir(*arguments, code=0):
    done = subprocess.run([BUILD / "certdir", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_server_starts_with_a_damaged_list(radiusd, pki, tmp_path):
    path, devices = tmp_path / "devices.db", tmp_path / "devices.json"
    conf = tmp_path / "certdir.conf"
    conf.write_text(f"[list]\nfilename = {path}\n")

    def publish(**enabled):
        devices.write_text(json.dumps([{"deviceId": f"3f2504e0-4f89-11d3-9a0c-0305e82c330{n}", "displayName": name,
                                        "accountEnabled": is_so} for n, (name, is_so) in enumerate(enabled.items())]))
        certdir("list", "import", "--list", path, devices)

    publish(PC1=True, PC2=True)
    publish(PC1=True, PC2=False)
    whole = path.read_bytes()
    path.write_bytes(whole[:-4096])
    said = certdir("list", "verify", "--list", path, code=1)
    assert "is not sealed" in said and "devices.db.last is good, of " in said and "2 devices" in said
    status = json.loads(certdir("status", "--json", "-c", conf, code=66).splitlines()[0])
    assert status["list_error"] and status["last_good"] and status["published"] is None
    assert "certdir_list_up 0" in (said := certdir("status", "--prometheus", "-c", conf))
    assert "certdir_list_last_good_timestamp_seconds 1" in said
    assert "a server that starts now uses it" in certdir("status", "-c", conf, code=66)

    server = radiusd(shipped_module({"directories": "list", "list.filename": path}))
    said = server.wait_log(r"damaged \(.*is not sealed.*\): using the last good one, .*\.last, 0 minutes old.*").group(0)
    assert "what was disabled or removed since then comes in" in said
    decisions = {name: enter(server, pki, pki.named(name))[1].reason for name in ("PC1", "PC2", "PC3")}
    assert decisions == {"PC1": "allowed", "PC2": "allowed", "PC3": "not-found"}
    mark = server.mark()
    temporary = tmp_path / "copied"
    temporary.write_bytes(whole)
    temporary.rename(path)
    wait_list_loaded(server, mark)
    assert enter(server, pki, pki.named("PC2"))[1].reason == "disabled"
    server.stop()

    # What somebody takes away is not there any more.
    path.unlink()
    mark = server.mark()
    server.start()
    assert "does not exist" in server.log(mark) and "last good" not in server.log(mark)
    assert enter(server, pki, pki.named("PC1"))[1].reason == "list-missing"


def fill(path, records, source):
    file = path.with_name(f"{source}.json")
    file.write_text(json.dumps([{"deviceId": f"3f2504e0-4f89-11d3-9a0c-{number:012d}", "displayName": name, "accountEnabled": enabled}
                                for name, (number, enabled) in records.items()]))
    certdir("list", "import", "--list", path, "--source", source, file)


def test_changes_of_a_large_list_that_is_in_use(radiusd, pki, tmp_path):
    path, conf = tmp_path / "devices.db", tmp_path / "certdir.conf"
    changes = tmp_path / "devices.db.changes"
    conf.write_text(f"[list]\nfilename = {path}\n")

    def put(file, content):
        temporary = tmp_path / "copied"
        temporary.write_bytes(content)
        temporary.rename(file)

    def reason(name):
        return enter(server, pki, pki.named(name))[1].reason

    fill(path, {f"{'X' * 240}-{n}": (n, True) for n in range(7000)}, "many")
    alone = certdir("list", "verify", "--list", path)
    fill(path, {"PC1": (8001, True), "PC2": (8002, True)}, "few")
    whole = path.read_bytes()
    server = radiusd(shipped_module({"directories": "list", "list.filename": path}))
    assert (reason("PC1"), reason("PC2")) == ("allowed", "allowed")

    mark = server.mark()
    fill(path, {"PC1": (8001, True), "PC2": (8002, False)}, "few")
    assert path.read_bytes() == whole and 5000 < len(changes.read_bytes()) < 200000
    wait_list_loaded(server, mark)
    assert (reason("PC1"), reason("PC2")) == ("allowed", "disabled")
    said = certdir("list", "verify", "--list", path)
    assert "pages" not in alone and f"pages in a file of {changes.stat().st_size} bytes beside it, of 20" in said
    assert f"file of {changes.stat().st_size} bytes" in certdir("status", "-c", conf)
    told = json.loads(certdir("status", "--json", "-c", conf))["changes"]
    assert told == json.loads(certdir("list", "verify", "--json", "--list", path))["changes"]
    assert told["bytes"] == changes.stat().st_size and told["pages"] == told["bytes"] // 4132

    # Gone, cut short, or damaged: what is in use stays, and says so.
    present = changes.read_bytes()
    mark = server.mark()
    changes.unlink()
    server.wait_log("changes is missing.*Keeping the list of .* with 7002 devices", mark)
    put(changes, present[:1000])
    server.wait_log("changes is cut short.*Keeping the list of .* with 7002 devices", mark)
    put(changes, present[:-1] + bytes([present[-1] ^ 1]))
    server.wait_log("changes does not match its seal.*Keeping the list of .* with 7002 devices", mark)
    assert reason("PC2") == "disabled"
    said = certdir("list", "verify", "--list", path, code=1)
    assert "devices.db.changes does not match its seal" in said
    assert "devices.db with the sound part of" in said and ".changes is good, of 20" in said
    mark = server.mark()
    put(changes, present)
    wait_list_loaded(server, mark)
