# SPDX-License-Identifier: GPL-2.0-or-later
"""The module in a running server: configuration, attributes, policies, a directory that comes and goes."""

import re
import subprocess
import time

import pytest

from testenv.devices import device_id
from testenv.logins import enter, wait_list_loaded
from testenv.radiusd import BUILD, REPO, SNIPPETS, quoted, shipped_module
from testenv.supplicant import login, radclient, wait_until

# Shows what later sections see, in attributes that eapol_test prints.
SHOW = """
	update reply {
		&Class := "%{session-state:Certdir-Decision} %{session-state:Certdir-Reason}"
		&Reply-Message := "%{session-state:Certdir-Directory} %{session-state:Certdir-Matched-By}"
		&Reply-Message += "%{session-state:Certdir-Device-Id} %{session-state:Certdir-Device-Name}"
		&Reply-Message += "%{session-state:Certdir-Join-Type} %{session-state:Certdir-Compliance}"
	}
"""


@pytest.fixture
def one_device(device_list):
    device_list.add("LAPTOP-1")
    device_list.publish()
    return device_list


def version():
    """What `certdir --version` prints, after a look that it is the change log's and the server's."""
    said = subprocess.run([BUILD / "certdir", "--version"], capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    ours = re.search(r"^## (\d\S*)$", (REPO / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    server = subprocess.run(["freeradius", "-v"], capture_output=True, text=True, timeout=20, check=False).stdout
    assert said == f"certdir {ours} (for FreeRADIUS {re.search(r'Version ([0-9.]+)', server)[1]})"
    return said


# ---- configuration ----


def test_shipped_file_runs_with_nothing_changed_but_the_path(radiusd, pki, one_device):
    server = radiusd(shipped_module({"list.filename": one_device.path}), start=False)
    code, output = server.check_config()
    assert code == 0, output
    server.start()
    assert server.log().count(f"rlm_certdir: {version()}\n") == 1
    attempt, decision = enter(server, pki, pki.named("LAPTOP-1"))
    assert attempt.accepted and decision.reason == "allowed", decision.line
    assert server.stop() == 0


def test_shipped_file_passes_the_check_untouched(radiusd):
    code, output = radiusd(shipped_module(), start=False).check_config()
    assert code == 0, output


WRONG = {
    "certificate": ("sesion", "session"),
    "identities": ("entra_device_id mac_address", "mac_address"),
    "directories": ("liste", "liste"),
    "list.max_age": ("1h", "max_age"),
    "list.issuer": ("Example CA", "distinguished name"),
    "ldap.scope": ("subtree", "subtree"),
    "ldap.filter": ("(objectClass=computer", "filter"),
    "ldap.port": ("ldaps", "port"),
    "ldap.base_dn": ("", "base_dn"),
    "ldap.domains": ("corp example/com", "domains"),
    "ldap.server": ("", "server"),
    "ldap.tls.require_cert": ("demnad", "demnad"),
    "ldap.options.net_timeout": ("-1", "net_timeout"),
    "ldap.options.remember": ("61", "remember"),
    "policy.require_managed": ("sometimes", "require_managed"),
    "policy.compliance_unknown": ("maybe", "maybe"),
    "policy.enrollment_grace": ("1 day", "enrollment_grace"),
    "policy.join_types": ("entra azure", "azure"),
    "policy.on_unavailable": ("ok", "on_unavailable"),
    "policy.user_name": ("exact", "exact"),
    "policy.names_must_agree": ("sometimes", "names_must_agree"),
    "policy.twins": ("newest", "twins"),
    "policy.ownership": ("private", "ownership"),
    "policy.operating_systems": ("Windows, macOS", "once for each system"),
    "policy.stale_for": ("1d", "stale_for"),
}


@pytest.mark.parametrize("option", WRONG)
def test_wrong_value_is_named_with_file_and_line(radiusd, one_device, option):
    value, named = WRONG[option]
    options = {"list.filename": one_device.path, "directories": "list ldap"}
    correct = shipped_module(options)
    module = shipped_module({**options, option: value})
    code, output = radiusd(module, start=False).check_config()
    assert code != 0, "the server takes this value"
    changed = [n for n, (a, b) in enumerate(zip(correct.splitlines(), module.splitlines()), 1) if a != b]
    lines = section_lines(module, changed[0])
    messages = [line for line in output.splitlines()
                if (at := re.search(r"mods-enabled/certdir\[(\d+)\]", line)) and int(at[1]) in lines]
    assert any(named in line for line in messages), output[-1500:]


def ldap_with(text, account=""):
    """An ldap section that binds in another way."""
    return ('\tldap other {\n\t\tserver = "ldap://dc1.example.com"\n\t\tbase_dn = "DC=example,DC=com"\n'
            f"{account}{text}\t}}\n")


def sasl(**options):
    return "\t\tsasl {\n" + "".join(f"\t\t\t{name} = {quoted(value)}\n" for name, value in options.items()) + "\t\t}\n"


ACCOUNT = '\t\tidentity = "cn=radius"\n\t\tpassword = "secret"\n'


@pytest.mark.parametrize("text, named", [
    (ldap_with(sasl(mech="PLAIN")), "PLAIN.*EXTERNAL and GSSAPI are known"),
    (ldap_with(sasl(mech="GSSAPI")), "needs the keytab"),
    (ldap_with(sasl(mech="GSSAPI", keytab="/nonexistent")), "keytab"),
    (ldap_with(sasl(mech="GSSAPI", keytab="/etc/hostname"), ACCOUNT), "identity is for binds without sasl"),
    (ldap_with(sasl(keytab="/etc/hostname")), "keytab is for mech = GSSAPI"),
    (ldap_with(sasl(mech="EXTERNAL")), "EXTERNAL is for ldapi://"),
    (ldap_with(sasl(mech="EXTERNAL", realm="X")), "unknown option .realm. in sasl"),
    (ldap_with("\t\toptions {\n\t\t\tchase_referrals = yes\n\t\t}\n"), "referrals are never followed; name the server"),
    (ldap_with("\t\tserver = \"ldap://dc1/DC=a\"\n"), "only a domain stands there, as in ldap:///dc=example,dc=com"),
    (ldap_with("\t\tserver = \"ldap:///DC=example,DC=com\"\n", ACCOUNT), "get the password in clear text"),
])
def test_ldap_sections_that_are_wrong(radiusd, one_device, text, named):
    module = with_section(shipped_module({"list.filename": one_device.path, "directories": "list other"}), text)
    code, output = radiusd(module, start=False).check_config()
    assert code != 0
    assert re.search(rf"mods-enabled/certdir\[\d+\].*{named}", output), output[-1500:]


@pytest.mark.parametrize("text", [
    ldap_with(sasl(mech="gssapi", keytab="/etc/hostname")),
    ldap_with('\t\tserver = "ldaps:///DC=example,DC=com"\n', ""),
])
def test_ldap_sections_that_are_right(radiusd, one_device, text):
    module = with_section(shipped_module({"list.filename": one_device.path, "directories": "list other"}), text)
    code, output = radiusd(module, start=False).check_config()
    assert code == 0, output[-1500:]


def test_attributes_do_not_tell_which_certificate_it_is(radiusd, one_device):
    """A table of issued ones cannot be asked: what requires it would deny everybody."""
    code, output = radiusd(shipped_module({"list.filename": one_device.path, "certificate": "attributes",
                                           "policy.require_known_certificate": "yes"}), start=False).check_config()
    assert code != 0 and "take one of the two out" in output, output[-1500:]


def section_lines(text, line):
    """The lines of the section right inside certdir { } that `line` stands in, or `line` alone."""
    depth, start = 0, None
    for number, code in enumerate((one.split("#")[0] for one in text.splitlines()), 1):
        if depth == 1 and "{" in code:
            start = number
        depth += code.count("{") - code.count("}")
        if depth == 1 and start and "}" in code:
            if start <= line <= number:
                return range(start, number + 1)
            start = None
    return range(line, line + 1)


def certificates(name="intune", **options):
    """A certificates section; an option that is None is left out."""
    options = {"issuer": "CN=certdir test CA", "dns_name": "san.dns", "common_name": "subject.cn", **options}
    lines = "".join(f"\t\t{option} = {quoted(value)}\n" for option, value in options.items() if value is not None)
    return f"\tcertificates {name} {{\n{lines}\t}}\n"


def form(name="asset", **options):
    options = {"from": "san.uri", "pattern": "^urn:example:device:(.+)$", "type": "serial_number", **options}
    lines = "".join(f"\t\t{option} = {quoted(value)}\n" for option, value in options.items())
    return f"\tform {name} {{\n{lines}\t}}\n"


def with_section(module, text):
    """The module's text with a section more at its end."""
    end = module.rstrip().rindex("}")
    return module[:end] + text + module[end:]


@pytest.mark.parametrize("text", [form(), certificates(), certificates(vouched="san.dns") + certificates("other", issuer="CN=Other CA")])
def test_sections_that_are_right(radiusd, one_device, text):
    module = with_section(shipped_module({"list.filename": one_device.path}), text)
    code, output = radiusd(module, start=False).check_config()
    assert code == 0, output[-1500:]


@pytest.mark.parametrize("text, named", [
    ("\trequire_compliant = yes\n", "require_compliant"),  # belongs into policy { }
    ("\tpolice {\n\t}\n", "police.*did you mean policy[?]"),
    ("\tidentites = sid\n", "identites.*did you mean identities[?]"),
    ("\tidentities = sid\n", "identities"),  # a second time
    ("\tpolicy {\n\t\trequire_compliant = yes\n\t}\n", "policy"),  # a second one would not count
    (form() + form(), "form asset"),
    (form(name=""), "needs a name"),
    (form(pattern="urn:example:(.+)"), "pattern"),
    (form(**{"from": "san.mac"}), "san.mac"),
    (form(type="mac"), "mac"),
    (certificates() + certificates(), "certificates intune"),
    (certificates(name=""), "needs a name"),
    (certificates(holder="owner"), "holder"),
    (certificates(vouched="san.dns san.mac"), "san.mac"),
    (certificates(dns_name="san.mac"), "san.mac"),
    (certificates(vouched="san.uri"), "san.uri"),
    (certificates(dns_name=None, common_name=None), "intune names no place"),
    (certificates(issuer="Example CA"), "Example CA"),
    (certificates(issuer="0a:0B"), "key identifier"),
    (certificates(issuer=None, template="Machine"), "template"),
    (certificates(ekus="clientAuth"), "clientAuth"),
    (certificates(mapping="san.dns"), "mapping"),
    (certificates(upn="san.upn"), "upn is not among `identities`"),
])
def test_sections_that_are_wrong(radiusd, one_device, text, named):
    module = with_section(shipped_module({"list.filename": one_device.path}), text)
    code, output = radiusd(module, start=False).check_config()
    assert code != 0
    assert re.search(rf"mods-enabled/certdir\[\d+\].*{named}", output), output[-1500:]


def test_two_instances(radiusd, pki, tmp_path, one_device):
    """certdir { } and certdir wired { }, each with its list; both reach the same TLS session."""
    wired_list = type(one_device)(tmp_path / "wired.db")
    wired_list.add("DESK-1")
    wired_list.publish()
    wired = re.sub(r"^certdir \{", "certdir wired {", shipped_module({"list.filename": wired_list.path}),
                   flags=re.MULTILINE)
    both = """
server both {
	authorize {
		if (&User-Name =~ /^wired/) {
			wired
		}
		else {
			certdir
		}
		if (ok) {
			update control {
				&Auth-Type := Accept
			}
		}
		else {
			reject
		}
	}
}
"""
    server = radiusd(shipped_module({"list.filename": one_device.path}), modules={"wired": wired}, sites={"both": both},
                     virtual_server="both")
    laptop, desk = pki.named("LAPTOP-1"), pki.named("DESK-1")
    expected = [(laptop, "wifi", "allowed"), (laptop, "wired", "not-found"), (desk, "wired", "allowed"),
                (desk, "wifi", "not-found")]
    for certificate, identity, reason in expected:
        attempt, decision = enter(server, pki, certificate, identity=identity)
        assert decision.reason == reason
        assert attempt.accepted is (reason == "allowed")
    assert server.stop() == 0


def test_two_instances_with_one_file_of_metrics(radiusd, one_device, tmp_path):
    """One would write over what the other one has to tell."""
    own, wired = (shipped_module({"list.filename": one_device.path, "metrics": tmp_path / name}) for name in ("own.prom", "wired.prom"))
    wired = re.sub(r"^certdir \{", "certdir wired {", wired, flags=re.MULTILINE)
    server = radiusd(own, modules={"wired": wired}, start=False)
    code, output = server.check_config()
    assert code == 0, output[-1500:]
    server = radiusd(own, modules={"wired": wired.replace("wired.prom", "own.prom")}, start=False)
    code, output = server.check_config()
    assert code != 0
    assert re.search(r"mods-enabled/\w+\[\d+\].*own\.prom: certdir \w+ at \S+mods-enabled/\w+\[\d+\] writes that file, too", output), output[-1500:]


def test_certificates_of_no_section_are_refused(radiusd, pki, one_device):
    """The same certificate, with sections for another CA alone and for its own as well."""
    other, own = certificates("other", issuer="CN=Another CA"), certificates()
    for text, reason in ((other, "issuer"), (other + own, "allowed")):
        server = radiusd(with_section(shipped_module({"list.filename": one_device.path}), text))
        attempt, decision = enter(server, pki, pki.named("LAPTOP-1"))
        assert decision.reason == reason, decision.line
        assert attempt.accepted is (reason == "allowed")


# ---- what post-auth gets ----


def test_session_state_in_post_auth(radiusd, pki, device_list):
    device_list.add("LAPTOP-1", trustType="ServerAd")
    device_list.publish()
    server = radiusd(shipped_module({"list.filename": device_list.path}), post_auth=SHOW)
    attempt, _ = enter(server, pki, pki.issue(subject=[["CN", device_id("LAPTOP-1")]]))
    assert attempt.one("Class") == "allow allowed"
    assert attempt.attributes["Reply-Message"] == [
        "list device_guid", f"{device_id('LAPTOP-1')} LAPTOP-1", "hybrid compliant"]


MORE = """
	update reply {
		&Reply-Message := "%{session-state:Certdir-Operating-System} %{session-state:Certdir-Ownership}"
		&Reply-Message += "%{session-state:Certdir-List-Age} %{session-state:Certdir-Quarantine}"
		&Reply-Message += "%{session-state:Certdir-Group[*]}"
	}
"""


def test_facts_in_session_state(radiusd, pki, device_list):
    device_list.add("LAPTOP-1", deviceOwnership="Company", groups=STAFF)
    device_list.publish()
    server = radiusd(shipped_module({"list.filename": device_list.path}), post_auth=MORE)
    attempt, _ = enter(server, pki, pki.named("LAPTOP-1"))
    facts, age, groups = attempt.attributes["Reply-Message"]
    assert facts == "Windows company" and groups == "Wi-Fi staff"
    assert re.fullmatch(r"\d{1,3} ", age), age


def test_session_state_of_a_refused_login(radiusd, pki, one_device):
    server = radiusd(shipped_module({"list.filename": one_device.path}), post_auth_reject=SHOW)
    attempt, _ = enter(server, pki, pki.named("STRANGER-1"))
    assert not attempt.accepted
    assert attempt.one("Class").split()[:2] == ["deny", "not-found"]


STAFF = [{"id": "7e7ed6ca-1d0b-4c5b-9c1a-6c3f8d7a9b01", "displayName": "Wi-Fi staff"}]


def test_vlan_and_name_from_the_shipped_policies(radiusd, pki, device_list):
    device_list.add("STAFF-1", groups=STAFF)
    device_list.add("PLAIN-1")
    device_list.add("PHONE-1", trustType="Workplace")
    device_list.publish()
    server = radiusd(shipped_module({"list.filename": device_list.path}),
                     post_auth="certdir_assign_vlan\ncertdir_reply_user_name")
    for name, vlan in [("STAFF-1", "20"), ("PLAIN-1", "10"), ("PHONE-1", "40")]:
        attempt, decision = enter(server, pki, pki.named(name), identity="host/somebody-else")
        assert attempt.accepted, decision.line
        assert attempt.vlan == vlan
        assert attempt.one("User-Name") == f"host/{name}"
        assert attempt.one("Tunnel-Type") == 13 and attempt.one("Tunnel-Medium-Type") == 6


def test_group_comparison_where_certdir_runs(radiusd, pki, device_list):
    device_list.add("STAFF-1", groups=STAFF)
    device_list.add("PLAIN-1")
    device_list.publish()
    site = """
server groups {
	authorize {
		certdir
		if (Certdir-Group == "Wi-Fi staff") {
			update control {
				&Auth-Type := Accept
			}
		}
		else {
			reject
		}
	}
}
"""
    server = radiusd(shipped_module({"list.filename": device_list.path}), sites={"groups": site},
                     virtual_server="groups")
    assert enter(server, pki, pki.named("STAFF-1"))[0].accepted
    assert not enter(server, pki, pki.named("PLAIN-1"))[0].accepted


def test_quarantine_is_for_known_devices_only(radiusd, pki, device_list):
    site = (SNIPPETS / "sites-available" / "certdir-check").read_text()
    site = re.sub(r"^(\t\t\t)reject$", r"\1certdir_quarantine", site, flags=re.MULTILINE)
    assert "\tcertdir_quarantine" in site
    device_list.add("LAX-1", isCompliant=False)
    device_list.add("OFF-1", isCompliant=False, accountEnabled=False)
    device_list.publish()
    server = radiusd(shipped_module({"list.filename": device_list.path, "policy.require_compliant": "yes"}),
                     start=False, post_auth="certdir_assign_vlan")
    (server.raddb / "sites-enabled" / "certdir-check").write_text(site)
    server.start()
    attempt, decision = enter(server, pki, pki.named("LAX-1"))
    assert decision.reason == "not-compliant"
    assert attempt.accepted and attempt.vlan == "99"
    for name in ("OFF-1", "STRANGER-1"):
        assert not enter(server, pki, pki.named(name))[0].accepted


def test_quarantine_hides_nothing_else(radiusd, pki, device_list):
    """not-compliant is the first reason of several: what comes behind it stands against the device all the same."""
    site = (SNIPPETS / "sites-available" / "certdir-check").read_text()
    site = re.sub(r"^(\t\t\t)reject$", r"\1certdir_quarantine", site, flags=re.MULTILINE)
    device_list.add("STAFF-1", isCompliant=False, groups=STAFF)
    device_list.add("OTHER-1", isCompliant=False)
    device_list.add("PHONE-1", isCompliant=False, groups=STAFF, operatingSystem="Android")
    device_list.publish()
    options = {"policy.require_compliant": "yes", "policy.require_group": "Wi-Fi staff", "policy.user_name": "match",
               "policy.operating_systems": ["windows", "macOS"]}
    server = radiusd(shipped_module({"list.filename": device_list.path, **options}), start=False,
                     post_auth="certdir_assign_vlan")
    (server.raddb / "sites-enabled" / "certdir-check").write_text(site)
    server.start()
    for name, identity, reason in [("STAFF-1", "host/staff-1", "not-compliant"), ("OTHER-1", "host/other-1", "not-compliant"),
                                   ("STAFF-1", "host/other-1", "name-mismatch"), ("PHONE-1", "host/phone-1", "system")]:
        attempt, decision = enter(server, pki, pki.named(name), identity=identity)
        assert decision.reason == reason, decision.line
        assert attempt.accepted is (name == "STAFF-1" and identity == "host/staff-1"), decision.line


def test_log_line_tells_who_and_where(radiusd, pki, one_device):
    """The network device's words come from the outer request; no name or word of a stranger can make up a field."""
    called = 'update request {\n\t\t\t&Called-Station-Id := "00-11-22-33-44-55:Corp: 5 GHz\\" reason=\\"x"\n\t\t}\n\t\teap'
    server = radiusd(shipped_module({"list.filename": one_device.path}), authorize=called)
    certificate = pki.issue(subject=[["CN", "LAPTOP-1"]], san=[{"upn": "anna@corp.example"}])
    attempt, decision = enter(server, pki, certificate, identity='x" upn="boss@corp.example', mac="02:00:00:00:0a:01")
    fields = decision.fields
    assert attempt.accepted, decision.line
    assert list(fields) == ["directory", "matched", "from", "value", "device", "id", "issuer", "serial", "ms", "user", "upn",
                            "mac", "nas", "ssid", "age", "system", "detail"]
    assert fields["upn"] == "anna@corp.example" and fields["user"] == 'x\\" upn=\\"boss@corp.example'
    assert fields["mac"] == "02-00-00-00-0A-01" and fields["nas"] == "127.0.0.1"
    assert fields["ssid"] == 'Corp: 5 GHz\\" reason=\\"x' and fields["system"] == "Windows"
    assert fields["matched"] == "common_name" and fields["age"].isdigit()
    _, decision = enter(server, pki, pki.named("STRANGER-1"))
    assert (decision.fields["age"], decision.fields["system"], decision.fields["upn"]) == ("-", "", ""), decision.line


@pytest.mark.parametrize("called, ssid", [("00-11-22-33-44-55", ""), ("001122334455:a", "a"), ("switch7", ""),
                                          ("switch7:a", ""), ("0011.2233.4455:a:b", "a:b"), ("00-11-22-33-44-55:", "")])
def test_ssid(radiusd, pki, one_device, called, ssid):
    authorize = f'update request {{\n\t\t\t&Called-Station-Id := "{called}"\n\t\t}}\n\t\teap'
    server = radiusd(shipped_module({"list.filename": one_device.path}), authorize=authorize)
    _, decision = enter(server, pki, pki.named("LAPTOP-1"))
    assert decision.fields["ssid"] == ssid, decision.line


def test_policies_never_give_a_vlan_without_a_decision(radiusd, pki, one_device):
    """Without `tls { virtual_server }`, or with it in tls-config, certdir is not asked: then nobody may get in."""
    server = radiusd(shipped_module({"list.filename": one_device.path, "unguarded": "yes"}), start=False,
                     post_auth="certdir_assign_vlan")
    eap = server.raddb / "mods-enabled" / "eap"
    eap.write_text(eap.read_text().replace("virtual_server = certdir-check", ""))
    server.start()
    attempt, = login(server, *pki.named("STRANGER-1"), pki.ca)
    assert not server.decisions()
    assert not attempt.accepted, f"let in with VLAN {attempt.vlan}"


def test_module_failure_message(radiusd, one_device):
    authorize = """
	update request {
		&TLS-Client-Cert-Common-Name := &User-Name
	}
	certdir {
		notfound = 1
		fail = 1
	}
	update reply {
		&Reply-Message := "%{Module-Failure-Message}"
	}
	update control {
		&Auth-Type := Accept
	}
"""
    server = radiusd(shipped_module({"certificate": "attributes", "list.filename": one_device.path}),
                     authorize=authorize)
    reply = radclient(server, {"User-Name": "STRANGER-1"})
    assert "not-found" in reply.attributes["Reply-Message"][0]


# ---- a list that comes and goes ----


def test_missing_list_then_a_list(radiusd, pki, device_list):
    server = radiusd(shipped_module({"list.filename": device_list.path}))
    certificate = pki.named("LAPTOP-1")
    attempt, decision = enter(server, pki, certificate)
    assert not attempt.accepted
    assert (decision.verdict, decision.reason) == ("unsure", "list-missing"), decision.line
    mark = server.mark()
    device_list.add("LAPTOP-1")
    device_list.publish()
    wait_list_loaded(server, mark)
    attempt, decision = enter(server, pki, certificate)
    assert attempt.accepted and decision.reason == "allowed"


@pytest.mark.parametrize("damage", ["cut", "garbage", "removed"])
def test_a_list_that_is_lost_is_not_the_end_of_the_one_in_memory(radiusd, pki, one_device, damage):
    server = radiusd(shipped_module({"list.filename": one_device.path}))
    mark = server.mark()
    if damage == "cut":
        content = one_device.path.read_bytes()
        one_device.path.write_bytes(content[:len(content) // 2])
    elif damage == "garbage":
        one_device.path.write_bytes(b"no list" * 1000)
    else:
        one_device.path.unlink()
    server.wait_log(re.escape(str(one_device.path)), mark, timeout=10)
    attempt, decision = enter(server, pki, pki.named("LAPTOP-1"))
    assert attempt.accepted and decision.reason == "allowed", decision.line
    mark = server.mark()
    one_device.path.unlink(missing_ok=True)
    one_device.add("LAPTOP-2")
    one_device.publish()
    wait_list_loaded(server, mark)
    assert enter(server, pki, pki.named("LAPTOP-2"))[0].accepted


def test_stale_list(radiusd, pki, one_device):
    certificate, stranger = pki.named("LAPTOP-1"), pki.named("STRANGER-1")
    # on_unavailable = stale takes old parts for fresh, so that a device which they do not know is not known.
    for on_unavailable, reason, unknown in [("fail", "list-stale", "list-stale"), ("stale", "allowed-stale", "not-found")]:
        server = radiusd(shipped_module({"list.filename": one_device.path, "list.max_age": "1",
                                         "policy.on_unavailable": on_unavailable}), post_auth="certdir_assign_vlan")
        attempt, decision = wait_until(lambda server=server: stale_login(server, pki, certificate), what="a stale list")
        assert decision.reason == reason
        assert attempt.accepted is (reason == "allowed-stale")
        assert attempt.vlan == ("30" if attempt.accepted else None)
        attempt, decision = enter(server, pki, stranger)
        assert not attempt.accepted and decision.reason == unknown, decision.line
        server.wait_log(r"source \"import\" was last synced \d+ s ago, more than max_age = 1", 0, timeout=10)


def stale_login(server, pki, certificate):
    attempt, decision = enter(server, pki, certificate)
    return None if decision.reason == "allowed" else (attempt, decision)


def test_list_replaced_under_load(radiusd, pki, one_device):
    """Thirty editions while logins go on: each decision is by a whole list, and nothing is left open."""
    server = radiusd(shipped_module({"list.filename": one_device.path}))
    known, coming = pki.named("LAPTOP-1"), pki.named("GUEST-1")
    enter(server, pki, known)
    before = server.fd_count
    end = time.monotonic() + 6
    editions = 0
    while time.monotonic() < end or editions < 10:
        if editions % 2:
            one_device.remove("GUEST-1")
        else:
            one_device.add("GUEST-1")
        one_device.publish()
        editions += 1
        attempt, decision = enter(server, pki, known)
        assert attempt.accepted, decision.line
        attempt, decision = enter(server, pki, coming)
        assert decision.reason in ("allowed", "not-found"), decision.line
        assert attempt.accepted is (decision.reason == "allowed")
    wait_until(lambda: server.fd_count <= before + 2, what="the files of old lists being closed")


# ---- signals ----


def test_hup_does_no_harm(radiusd, pki, one_device):
    server = radiusd(shipped_module({"list.filename": one_device.path}))
    certificate = pki.named("LAPTOP-1")
    for _ in range(3):
        mark = server.mark()
        server.hup()
        server.wait_log("HUP", mark)
        attempt, decision = enter(server, pki, certificate)
        assert attempt.accepted and decision.reason == "allowed"
    assert server.stop() == 0


def test_stop_is_orderly(radiusd, pki, one_device):
    server = radiusd(shipped_module({"list.filename": one_device.path}))
    enter(server, pki, pki.named("LAPTOP-1"))
    assert server.stop(timeout=10) == 0
