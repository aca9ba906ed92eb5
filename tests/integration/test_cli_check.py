# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir check: the vectors through the command, the server's configuration, exit codes, and what a person reads."""

import hashlib
import json
import os
import re
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from testenv.certificates import Authority
from testenv.devices import DeviceList, device_id
from testenv.ldap_search import Liar, answering, entry
from testenv.radiusd import BUILD, REPO, SNIPPETS, with_options
from testenv.slapd import Slapd
from testenv.worlds import ldap_options

VECTORS = json.loads((REPO / "tests/vectors/certificates.json").read_text())


def certdir_check(cli, *arguments, stdin=None):
    return subprocess.run([cli, "check", *map(str, arguments)], capture_output=True, timeout=60, check=False, input=stdin)


def check_json(cli, *arguments):
    done = certdir_check(cli, "--json", *arguments)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


@pytest.fixture(scope="module")
def devices(tmp_path_factory):
    devices = DeviceList(tmp_path_factory.mktemp("list") / "devices.db")
    devices.add("PC01")
    devices.add("OFF", accountEnabled=False)
    devices.publish()
    return devices


@pytest.fixture(scope="module")
def authority():
    return Authority("certdir test CA")


def issue(authority, directory, stem, recipe):
    """The PEM file of a certificate."""
    path = directory / f"{stem}.pem"
    path.write_text(authority.issue(recipe).pem)
    return path


def write_raddb(directory, module):
    directory.mkdir(exist_ok=True)
    (directory / "certdir").write_text(module)
    (directory / "radiusd.conf").write_text(f"certdir = {directory}\nmodules {{\n$INCLUDE {directory}/certdir\n}}\n")
    return directory


def raddb(directory, options):
    """A raddb with nothing but the shipped certdir module, options put in."""
    return write_raddb(directory, with_options((SNIPPETS / "mods-available/certdir").read_text(), options))


# ---- the vectors ----


def vector_file(vector):
    path = BUILD / "certs" / f"{vector['name']}.der"
    assert path.exists(), f"{path} is missing: run make certificates"
    return path


def assert_vector(vector, result):
    if "malformed" in vector:
        assert (result["decision"], result["reason"]) == ("deny", "malformed-certificate")
        assert result["detail"] == vector["malformed"] and result["identities"] == []
        return
    assert len(result["identities"]) == len(vector["identities"])
    for read, expected in zip(result["identities"], vector["identities"]):
        assert {key: read[key] for key in expected} == expected
    for key in ("tenant", "template", "subject", "issuer"):
        if key in vector:
            assert result[key] == vector[key]


def test_vectors(certdir_cli, devices):
    """Each certificate of the vectors, read by the command as by the unit test."""
    plain = [vector for vector in VECTORS if not vector.get("forms")]
    assert len(plain) > 100
    code, results, _ = check_json(certdir_cli, "--list", devices.path, *map(vector_file, plain))
    assert code == 1
    assert [Path(result["file"]).stem for result in results] == [vector["name"] for vector in plain]
    for vector, result in zip(plain, results):
        assert_vector(vector, result)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.get("forms")], ids=lambda v: v["name"])
def test_vectors_with_forms(certdir_cli, devices, tmp_path, vector):
    """Forms come out of the server's configuration."""
    forms = "".join(
        f"form {form['name']} {{\n from = {form['from']}\n pattern = '{form['pattern']}'\n type = {form['type']}\n}}\n"
        for form in vector["forms"]
    )
    directory = write_raddb(tmp_path / "raddb", f"certdir {{\n{forms}list {{ filename = {devices.path} }}\n}}\n")
    _, results, errors = check_json(certdir_cli, "--raddb", directory, vector_file(vector))
    assert len(results) == 1, errors
    assert_vector(vector, results[0])


# ---- decisions and exit codes ----


def test_decisions_and_exit_codes(certdir_cli, devices, authority, tmp_path):
    known = issue(authority, tmp_path, "known", {"subject": [["CN", device_id("PC01")]]})
    off = issue(authority, tmp_path, "off", {"subject": [["CN", device_id("OFF")]]})
    stranger = issue(authority, tmp_path, "stranger", {"subject": [["CN", "stranger"]]})
    junk = tmp_path / "junk.pem"
    junk.write_text("-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n")
    empty = tmp_path / "empty.pem"
    empty.write_text("")

    code, (allowed,), _ = check_json(certdir_cli, "--list", devices.path, known)
    assert code == 0
    assert (allowed["decision"], allowed["reason"], allowed["device"]["name"]) == ("allow", "allowed", "PC01")
    assert allowed["lookups"] == [
        {"directory": "list", "type": "device_guid", "value": device_id("PC01"), "devices": 1},
    ]
    code, results, _ = check_json(certdir_cli, "--list", devices.path, known, off, stranger)
    assert code == 1
    assert [result["reason"] for result in results] == ["allowed", "disabled", "not-found"]
    code, (unsure,), _ = check_json(certdir_cli, "--list", tmp_path / "no.db", known)
    assert (code, unsure["decision"], unsure["reason"]) == (2, "unsure", "list-missing")
    code, (malformed,), _ = check_json(certdir_cli, "--list", devices.path, junk)
    assert (code, malformed["reason"]) == (1, "malformed-certificate")
    for unreadable in (empty, tmp_path / "absent.pem", tmp_path):
        code, results, errors = check_json(certdir_cli, "--list", devices.path, known, unreadable)
        assert (code, len(results), results[1]["error"]["file"]) == (65, 2, str(unreadable)), errors
        assert str(unreadable) in errors


def test_no_table_has_it(certdir_cli, authority, tmp_path):
    """Where some table of issued certificates is in scope, and only there, its silence is told."""
    devices = DeviceList(tmp_path / "devices.db")
    devices.add("PC01")
    devices.publish()
    certificate = issue(authority, tmp_path, "known", {"subject": [["CN", device_id("PC01")]]})
    thumbprint = hashlib.sha1(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
    report = tmp_path / "report.csv"

    def table(made, *rows, source="intune"):
        report.write_text("".join(f"{row}\n" for row in ("DeviceId,ValidTo,CertificateStatus,Thumbprint", *rows)))
        os.utime(report, (made, made))
        subprocess.run([certdir_cli, "list", "import", "--certificates", "--force", "--source", source, "--list", devices.path, report],
                       check=True, timeout=60, capture_output=True)

    def told():
        _, (result,), _ = check_json(certdir_cli, "--list", devices.path, certificate)
        assert result["reason"] == "allowed"
        said = [line for line in certdir_check(certdir_cli, "--list", devices.path, certificate).stdout.decode().splitlines()
                if "no table of issued certificates has it" in line]
        return [one for one in result["lookups"] if one["type"] == "certificate"], said

    other = f"{device_id('PC01')},2036-01-01T00:00:00Z,issued,{'A1' * 20}"
    assert told() == ([], [])
    table(time.time() - 7200, other)
    table(time.time() - 86400, other, source="older")
    lookups, (line,) = told()
    assert [(one["directory"], one["value"].lower(), one["devices"]) for one in lookups] == [("list", thumbprint, 0)]
    assert line.split()[:2] == ["certificate", lookups[0]["value"]]
    assert re.search(r"the newest is of 2\S+Z \(2 h ago\)$", line), line
    unasked = raddb(tmp_path / "raddb", {"directories": "list", "list.filename": devices.path, "identities": "device_guid"})
    _, (result,), _ = check_json(certdir_cli, "--raddb", unasked, certificate)
    assert [one["type"] for one in result["lookups"]] == ["device_guid"]
    table(time.time(), other.replace("A1" * 20, thumbprint), source="older")
    lookups, said = told()
    assert [one["devices"] for one in lookups] == [1] and not said
    assert "its table names no device that a directory could know" in certdir_check(
        certdir_cli, "--list", devices.path, certificate).stdout.decode()


def test_bundle_der_and_standard_input(certdir_cli, devices, authority, tmp_path):
    certificates = [authority.issue({"subject": [["CN", name]]}) for name in ("PC01", "OFF")]
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("".join(certificate.pem + certificate.key_pem for certificate in certificates))
    code, results, _ = check_json(certdir_cli, "--list", devices.path, bundle)
    assert (code, [result["reason"] for result in results]) == (1, ["allowed", "disabled"])
    done = certdir_check(certdir_cli, "--list", devices.path, "--json", "-", stdin=certificates[0].der)
    assert done.returncode == 0 and json.loads(done.stdout)["reason"] == "allowed"


def test_the_servers_configuration_decides(certdir_cli, devices, authority, tmp_path):
    known = issue(authority, tmp_path, "known", {"subject": [["CN", "PC01"]]})
    directory = raddb(tmp_path / "raddb", options={"list.filename": str(devices.path), "policy.require_group": "Staff"})
    code, (result,), _ = check_json(certdir_cli, "--raddb", directory, known)
    assert (code, result["reason"]) == (1, "not-in-group")
    directory = raddb(tmp_path / "raddb", options={"list.filename": str(devices.path), "policy.user_name": "match"})
    for name, reason in (("host/pc01", "allowed"), ("pc02", "name-mismatch")):
        _, (result,), _ = check_json(certdir_cli, "--raddb", directory, "--user-name", name, known)
        assert result["reason"] == reason
    directory = raddb(tmp_path / "raddb", options={"list.filename": str(devices.path), "list.issuer": "CN=Other CA"})
    _, (result,), _ = check_json(certdir_cli, "--raddb", directory, known)
    assert result["reason"] == "issuer"
    directory = raddb(tmp_path / "raddb", options={"list.filename": str(devices.path), "list.max_age": "an hour"})
    done = certdir_check(certdir_cli, "--raddb", directory, known)
    assert done.returncode == 78
    assert f"{directory}/certdir[" in done.stderr.decode() and "whole number" in done.stderr.decode()


def test_instances(certdir_cli, devices, authority, tmp_path):
    known = issue(authority, tmp_path, "known", {"subject": [["CN", "PC01"]]})
    directory = raddb(tmp_path / "raddb", options={"list.filename": str(devices.path)})
    second = f"certdir wired {{ list {{ filename = {devices.path} }}\n policy {{ require_managed = yes\n require_group = x }} }}\n"
    (directory / "certdir").write_text((directory / "certdir").read_text() + second)
    for arguments, reason in (([], "allowed"), (["--module", "certdir"], "allowed"), (["--module", "wired"], "not-in-group")):
        _, (result,), _ = check_json(certdir_cli, "--raddb", directory, *arguments, known)
        assert result["reason"] == reason
    done = certdir_check(certdir_cli, "--raddb", directory, "--module", "absent", known)
    assert done.returncode == 78 and b"absent" in done.stderr


def test_usage(certdir_cli, tmp_path):
    for arguments in ([], ["--list", "x"], ["--list", "x", "--raddb", "y", "z"], ["--no-such-option"]):
        done = certdir_check(certdir_cli, *arguments)
        assert done.returncode == 64 and b"usage:" in done.stderr
    assert certdir_check(certdir_cli, "--help").returncode == 0
    done = certdir_check(certdir_cli, "--raddb", tmp_path, "x")
    assert done.returncode == 78 and str(tmp_path).encode() in done.stderr


# ---- what the server does before it asks ----


@pytest.mark.parametrize("recipe, said", [
    ({"not_before": "2020-01-01T00:00:00Z", "not_after": "2021-01-01T00:00:00Z"}, "it expired on 2021-01-01 00:00:00Z"),
    ({"not_before": "2090-01-01T00:00:00Z", "not_after": "2091-01-01T00:00:00Z"}, "it is not valid before 2090-01-01 00:00:00Z"),
    ({"eku": ["serverAuth"]}, "its extended key usage is not for client authentication"),
], ids=["expired", "not-yet", "server"])
def test_the_handshake_refuses(certdir_cli, devices, authority, tmp_path, recipe, said):
    """What certdir would allow and is never asked about is not allowed; what it denies keeps its reason."""
    for name, reason in (("PC01", "unseen"), ("OFF", "disabled")):
        certificate = issue(authority, tmp_path, name, {"subject": [["CN", name]], **recipe})
        code, (result,), _ = check_json(certdir_cli, "--list", devices.path, certificate)
        assert (code, result["decision"], result["reason"]) == (1, "deny", reason)
        assert (said in result["detail"]) is (reason == "unseen")
        assert "known and wanted" not in certdir_check(certdir_cli, "--list", devices.path, certificate).stdout.decode()


@pytest.mark.parametrize("name, code, said", [
    ("person-sid", 2, ["anna@corp.example san.upn can be chosen, not an accepted type",
                       "S-1-5-21-1004336348-1177238915-682003330-512 ext.sid confirms only", "none.db does not exist"]),
    ("person-dotted-mail", 1, ["max.mustermann subject.cn a person's name: not looked up"]),
], ids=["confirms", "person"])
def test_people_read_how_far_a_name_is_trusted(certdir_cli, tmp_path, name, code, said):
    """And of a list that is not there, why it has no answer."""
    done = certdir_check(certdir_cli, "--list", tmp_path / "none.db", BUILD / "certs" / f"{name}.pem")
    text = " ".join(done.stdout.decode().split())
    assert done.returncode == code and all(words in text for words in said), text


def test_pkcs12_is_told(certdir_cli, devices, authority, tmp_path):
    certificate = authority.issue({"subject": [["CN", "PC01"]]})
    (tmp_path / "c.pem").write_text(certificate.pem + certificate.key_pem)
    subprocess.run(["openssl", "pkcs12", "-export", "-in", tmp_path / "c.pem", "-out", tmp_path / "c.p12", "-passout", "pass:x"],
                   check=True, timeout=30)
    done = certdir_check(certdir_cli, "--list", devices.path, tmp_path / "c.p12")
    assert done.returncode == 65 and b"c.p12: a PKCS#12 file" in done.stderr and b"openssl pkcs12 -in FILE -clcerts" in done.stderr
    assert done.stdout == b""


def test_every_place_is_shown(certdir_cli, devices, authority, tmp_path):
    """What no form reads yet, so that one can be written for it; nothing of it reaches the terminal unescaped."""
    san = [{"uri": "urn:asset:4711"}, {"email": "a@corp.example"}, {"other": {"oid": "1.2.3.4", "text": "kiosk"}}, {"dns": "pc01.x"}]
    recipe = {"subject": [["OU", "Kiosks"], ["UID", "u1"], ["OU", "a\x1b[31mb"], ["CN", "PC01"]], "san": san}
    certificate = issue(authority, tmp_path, "certificate", recipe)
    _, (result,), _ = check_json(certdir_cli, "--list", devices.path, certificate)
    shown = [("subject.ou", "Kiosks"), ("subject.uid", "u1"), ("subject.cn", "PC01"), ("san.uri", "urn:asset:4711"),
             ("san.email", "a@corp.example"), ("san.other", "kiosk"), ("san.dns", "pc01.x")]
    assert [(place["from"], place["value"]) for place in result["places"]] == shown
    text = certdir_check(certdir_cli, "--list", devices.path, certificate).stdout.decode()
    assert all(f"    {place:<22} {value}\n" in text for place, value in shown) and "\x1b" not in text


# ---- for a person ----


def test_explanation(certdir_cli, devices, authority, tmp_path):
    off = issue(authority, tmp_path, "off", {"subject": [["CN", device_id("OFF")]], "san": [{"dns": "off.corp.example"}]})
    done = certdir_check(certdir_cli, "--list", devices.path, off)
    text = done.stdout.decode()
    assert done.returncode == 1
    for expected in (
        "device_guid",
        "taken for an id: somebody may have named a device so; DECIDES",
        "can be chosen",
        "looked up in list",
        "1 record",
        '"OFF"',
        'known to list as ' + device_id("OFF") + ': source "import", ',
        "decision deny: disabled",
        "Enable the device in its directory",
        "HOST/off.corp.example",
        "X509:<I>CN=certdir test CA<SR>",
        "X509:<SHA1-PUKEY>",
    ):
        assert expected in text


def test_who_vouches(certdir_cli, devices, authority, tmp_path):
    """The same certificate by the defaults, by a section that places ids in the URI alone, and by one for another CA."""
    uri = f"IntuneDeviceId://{device_id('PC01')}"
    certificate = issue(authority, tmp_path, "certificate", {"subject": [["CN", "OFF"]], "san": [{"uri": uri}]})

    def check(issuer=None):
        section = ("" if issuer is None else
                   f"certificates intune {{\n issuer = '{issuer}'\n intune_device_id = san.uri\n vouched = san.uri\n}}\n")
        directory = write_raddb(tmp_path / "raddb", f"certdir {{\n{section}list {{ filename = {devices.path} }}\n}}\n")
        _, (result,), _ = check_json(certdir_cli, "--raddb", directory, certificate)
        return result, certdir_check(certdir_cli, "--raddb", directory, certificate).stdout.decode()

    def told(result, keys=("from", "rank", "vouched_by", "immutable", "deciding")):
        return [tuple(identity[key] for key in keys) for identity in result["identities"]]

    result, text = check()
    assert set(told(result)) == {("san.uri", "vouched", "ca", True, True), ("subject.cn", "chosen", None, False, False)}
    assert (result["reason"], result["section"], result["matched_by"]) == ("allowed", None, "device_guid")
    assert result["sources"] == [
        {"directory": "list", "source": "import", "id": device_id("PC01"), "only_against": None}]
    published = devices.path.stat().st_mtime  # which the tests before this one were in no hurry after
    assert 0 <= result["age"] < time.time() - published + 60 and "vouched by the CA; DECIDES" in text
    result, text = check("CN=certdir test CA")
    assert set(told(result)) == {("san.uri", "vouched", "section intune", True, True),
                                 ("subject.cn", "none", None, False, False)}
    assert (result["reason"], result["section"]) == ("allowed", "intune")
    assert "vouched by the CA (certificates intune)" in text and "not placed by certificates intune: not looked up" in text
    result, text = check("CN=Another CA")
    assert (result["decision"], result["reason"], result["section"]) == ("deny", "issuer", None)


def test_what_compliance_alone_keeps_out(certdir_cli, authority, tmp_path):
    devices = DeviceList(tmp_path / "devices.db")
    devices.add("LAX", isCompliant=False)
    devices.publish()
    known = issue(authority, tmp_path, "known", {"subject": [["CN", "LAX"]]})
    for options, quarantine in (({}, True), ({"policy.require_group": "Staff"}, False)):
        options = {"list.filename": str(devices.path), "policy.require_compliant": "yes", **options}
        text = certdir_check(certdir_cli, "--raddb", raddb(tmp_path / "raddb", options), known).stdout.decode()
        assert "decision deny: not-compliant" in text and ("certdir_quarantine" in text) is quarantine


@pytest.mark.parametrize(
    "recipe, takes",
    [
        ({"subject": [["CN", "pc01"]], "san": [{"dns": "pc01.corp.example"}]}, True),
        ({"subject": [["CN", "x"]], "san": [{"dns": "PC01"}]}, True),
        ({"subject": [["CN", "pc01"]]}, False),
        ({"subject": [["CN", "pc010"]], "san": [{"dns": "pc010.corp.example"}]}, False),
        ({"subject": [["CN", "pc01"]], "san": [{"dns": "pc01"}], "eku": ["1.3.6.1.5.5.7.3.1"]}, False),
    ],
    ids=["fqdn", "san", "no-san", "another", "server"],
)
def test_configmgr(certdir_cli, devices, authority, tmp_path, recipe, takes):
    certificate = issue(authority, tmp_path, "certificate", recipe)
    _, (result,), _ = check_json(certdir_cli, "--list", devices.path, "--name", "PC01", certificate)
    assert result["configmgr"]["takes"] is takes
    assert (result["configmgr"]["because"] is None) is takes


def test_nps_reads_the_mapping_backwards(certdir_cli, devices, tmp_path):
    """Issuer from the root down, serial number byte by byte from the end."""
    ca = Authority([["DC", "com"], ["DC", "example"], ["CN", "Corp, Inc. CA"]])
    certificate = ca.issue({"subject": [["CN", "PC01"]], "serial": "1a2b3c"})
    path = tmp_path / "certificate.pem"
    path.write_text(certificate.pem)
    text = certdir_check(certdir_cli, "--list", devices.path, path).stdout.decode()
    assert 'X509:<I>DC=com,DC=example,CN="Corp, Inc. CA"<SR>3C2B1A' in text


def test_found_by_its_strong_mapping(certdir_cli, authority, tmp_path):
    """An account that knows the certificate and none of its names is found, when `mapping` is an accepted identity."""
    certificates = {form: issue(authority, tmp_path, form, {"subject": [["CN", f"nameless-{form}"]]})
                    for form in ("SR", "SKI", "SHA1-PUKEY", "none")}
    with Slapd(tmp_path / "slapd") as slapd:
        identities = "dns_name common_name mapping"
        options = {"directories": "ldap", "identities": identities, **ldap_options(slapd)}
        directory = raddb(tmp_path / "raddb", options)
        for form, certificate in certificates.items():
            text = certdir_check(certdir_cli, "--raddb", directory, certificate).stdout.decode()
            mapping = [line.strip() for line in text.splitlines() if f"<{form}>" in line and line.startswith("      X509")]
            slapd.add_computer(f"ACCOUNT-{form}", altSecurityIdentities=mapping or "X509:<SKI>00")
        for form, certificate in certificates.items():
            _, (result,), _ = check_json(certdir_cli, "--raddb", directory, certificate)
            assert result["reason"] == ("not-found" if form == "none" else "allowed")
            assert form == "none" or result["device"]["name"] == f"ACCOUNT-{form}"
        directory = raddb(tmp_path / "raddb", {**options, "identities": "dns_name common_name"})
        _, (result,), _ = check_json(certdir_cli, "--raddb", directory, certificates["SKI"])
        assert result["reason"] == "not-found"


def test_a_server_that_stops_in_a_message(certdir_cli, authority, tmp_path):
    """The socket is taken from libldap then, which still writes to it."""
    server = Liar(lambda number: answering(entry(b"cn=pc01,dc=x", cn=[b"pc01"], userAccountControl=[b"4096"]))(number)[:-1])
    certificate = issue(authority, tmp_path, "pc01", {"subject": [["CN", "pc01"]]})
    directory = raddb(tmp_path / "raddb", {"directories": "ldap", "ldap.server": server.uri, "ldap.base_dn": "dc=x",
                                           "ldap.options.res_timeout": 1})
    code, (result,), errors = check_json(certdir_cli, "--raddb", directory, certificate)
    assert (code, result["reason"]) == (2, "directory-unavailable"), errors
    server.close()
