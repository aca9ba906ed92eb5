# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir in the distribution's own raddb: what is forgotten or misspelt between the network device and certdir is told."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from testenv.certificates import Authority
from testenv.devices import DeviceList
from testenv.ports import free_port
from testenv.radiusd import BUILD, shipped_module
from testenv.stock import StockRadiusd
from testenv.supplicant import login

INNER_TLS = """\
network={{
	key_mgmt=IEEE8021X
	eap={method}
	identity="host/test"
	ca_cert="{ca}"
	phase2="{phase2}=TLS"
	ca_cert2="{ca}"
	client_cert2="{certificate}"
	private_key2="{key}"
	eapol_flags=0
	phase1="tls_disable_tlsv1_3=1"
}}
"""
PASSWORD = """\
network={{
	key_mgmt=IEEE8021X
	eap={method}
	identity="bob"
	password="hello"
	eapol_flags=0
}}
"""


@pytest.fixture(scope="module")
def devices(tmp_path_factory):
    devices = DeviceList(tmp_path_factory.mktemp("list") / "devices.db")
    devices.add("LAPTOP-1")
    devices.add("OFF-1", accountEnabled=False)
    devices.publish()
    return devices


@pytest.fixture
def stock(tmp_path, pki, devices):
    """Makes servers with the stock raddb: stock(options of StockRadiusd)."""
    running = []

    def make(start=True, module=None, **options):
        directory = tmp_path / f"stock{len(running)}"
        directory.mkdir()
        server = StockRadiusd(directory, pki.trust, shipped_module({"list.filename": devices.path, **(module or {})}),
                              **options)
        running.append(server)
        return server.start() if start else server

    yield make
    for server in running:
        server.kill()


def inner_tls(pki, certificate, method, phase2):
    return INNER_TLS.format(method=method, phase2=phase2, ca=pki.ca, certificate=certificate[0], key=certificate[1])


def enter(server, pki, certificate, **options):
    """Logs in once: (let in, the one line of certdir)."""
    mark = server.mark()
    attempt, = login(server, *certificate, pki.ca, **options)
    decision, = server.decisions(mark, count=1)
    return attempt.accepted, decision


# ---- certdir in post-auth ----


def test_one_line_for_each_login(stock, pki):
    """Whoever denies it: certdir, or the server before certdir was asked. No second line where certdir decided."""
    server = stock()
    for name, reason in (("LAPTOP-1", "allowed"), ("OFF-1", "disabled"), ("STRANGER-1", "not-found")):
        accepted, decision = enter(server, pki, pki.named(name))
        assert (accepted, decision.reason) == (name == "LAPTOP-1", reason), decision.line
    foreign = pki.issue(subject=[["CN", "LAPTOP-1"]], authority=Authority("another CA"))
    accepted, decision = enter(server, pki, foreign, mac="02:00:00:00:0a:01")
    assert (accepted, decision.verdict, decision.reason) == (False, "deny", "unseen"), decision.line
    assert decision.fields["mac"] == "02-00-00-00-0A-01" and decision.fields["user"] == "host/test"
    assert "(EAP-Type TLS): it ended in the TLS handshake" in decision.line and "the server says: " in decision.line
    for method, said in (("MD5", "only EAP-TLS shows a client certificate"), ("PEAP", "no EAP-TLS inside")):
        accepted, decision = enter(server, pki, foreign, network=PASSWORD.format(method=method))
        assert (accepted, decision.reason) == (False, "unseen") and said in decision.line, decision.line


def test_post_auth_rejects_what_certdir_never_saw(stock, pki):
    """The outer site is guarded and eap was forgotten: a stranger whom eap accepts stays out, with one line."""
    server = stock(eap_tls="", module={"unguarded": "yes"})
    accepted, decision = enter(server, pki, pki.named("STRANGER-1"))
    assert (accepted, decision.verdict, decision.reason) == (False, "deny", "unseen"), decision.line
    assert "tls { } of the eap module has no `virtual_server`" in decision.line


def test_post_auth_rejects_what_a_site_lets_in(stock, pki):
    """A server behind tls { virtual_server } that accepts whatever certdir says: a disabled device stays out, and it is said why."""
    let_in = {"sites-available/certdir-check": [(r"^\t\t\treject$", "\t\t\tupdate control {\n\t\t\t\t&Auth-Type := Accept\n\t\t\t}")]}
    server = stock(edits=let_in)
    accepted, decision = enter(server, pki, pki.named("OFF-1"))
    assert (accepted, decision.reason) == (False, "disabled"), decision.line
    assert "the site accepts what certdir decided to deny: rejected" in server.log()


def test_a_resumed_tunnel_is_not_a_login(stock, pki, tmp_path):
    """PEAP with EAP-TLS inside, in a site without certdir_full_tunnel: resumed, there is no inner login, so nobody is let in."""
    (tmp_path / "sessions").mkdir()
    cache = {"mods-available/eap": [
        (r"^\t\t\tenable = no", f'enable = yes\n\t\t\tname = "tests"\n\t\t\tpersist_dir = "{tmp_path}/sessions"')]}
    certificate = pki.named("LAPTOP-1")
    resuming = {"sites-available/certdir-wifi": [(r"^\t\tcertdir_full_tunnel\n", "")]}
    server = stock(edits={**cache, **resuming})
    mark = server.mark()
    first, second = login(server, *certificate, pki.ca, logins=2, network=inner_tls(pki, certificate, "PEAP", "auth"))
    assert first.accepted and second.resumed and not second.accepted
    allowed, unseen = server.decisions(mark, count=2)
    assert (allowed.reason, unseen.reason) == ("allowed", "unseen")
    assert "a resumed session has no inner login: set cache { enable = no }" in unseen.line


# ---- what is forgotten, misspelt, put elsewhere ----

EAP = "mods-enabled/eap"
SITE_ONLY = ("certdir-wifi",)
IN_TLS_CONFIG = {"mods-available/eap": [(r"^(\ttls-config tls-common \{)", r"\1\n\t\tvirtual_server = certdir-check")]}
MISTAKES = {
    # options of StockRadiusd; the severity, the file and the text of the finding
    "eap-forgotten": (dict(eap_tls="", client="", sites=("certdir-check",)), "error", EAP,
                      'has no virtual_server, so certdir never sees its logins: write virtual_server = "certdir-check" here'),
    "not-linked": (dict(sites=SITE_ONLY), "error", EAP, "link sites-available/certdir-check into sites-enabled"),
    "misspelt": (dict(eap_tls="virtual_server = certdir-chek"), "error", EAP,
                 '"certdir-chek": there is no such server, so every EAP-TLS login is rejected: write "certdir-check"'),
    "tls-config": (dict(eap_tls="", edits=IN_TLS_CONFIG), "error", EAP,
                   "EAP-TLS does not look for virtual_server here, so certdir never sees the logins of eap"),
    "another-server": (dict(eap_tls="virtual_server = inner-tunnel"), "error", EAP,
                       'server "inner-tunnel" does not call certdir in authorize'),
    "client-misspelt": (dict(client="virtual_server = certdir-wfi"), "warning", "clients.conf",
                        'virtual_server = "certdir-wfi": there is no such server, so every request of this client is rejected'),
    "client-forgotten": (dict(client=""), "warning", "sites-enabled/certdir-wifi",
                         "no client is sent to server certdir-wifi: write virtual_server = certdir-wifi into client { }"),
    "bundle": (dict(own_ca=False), "warning", EAP, "a client certificate of any of them passes"),
    "cached-tunnel": (dict(edits={"mods-available/eap": [(r"^\t\t\tenable = no", "\t\t\tenable = yes")]}), "warning", EAP,
                      "skips the inner EAP-TLS login and so certdir: call certdir_full_tunnel behind eap in authorize of default, or"),
    "nothing-reaches-it": (dict(client="", edits={"sites-available/default": [(r"^\teap$", "")],
                                                  "sites-available/inner-tunnel": [(r"^\teap$", "")]}),
                           "warning", "mods-enabled/certdir", "no EAP-TLS login reaches certdir"),
}


def check(server, certificate, *arguments):
    done = subprocess.run([BUILD / "certdir", "check", *arguments, "--raddb", server.raddb, certificate[0]], capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(stock, pki, mistake):
    """radiusd -XC and certdir check say it, with file and line; what lets strangers in, or nobody, is an error for both."""
    options, severity, name, said = MISTAKES[mistake]
    server = stock(start=False, **options)
    code, output = server.check_config()
    told = [line for line in output.splitlines() if said in line]
    assert told and re.search(rf"{re.escape(str(server.raddb / name))}\[\d+\]: rlm_certdir: ", told[0]), output[-3000:]
    assert code == (severity == "error"), output[-3000:]
    code, result, errors = check(server, pki.named("LAPTOP-1"), "--json")
    result = json.loads(result)
    finding, *_ = [finding for finding in result["wiring"] if said in finding["text"]]
    assert (finding["severity"], finding["file"]) == (severity, str(server.raddb / name)) and finding["line"] > 0
    assert (code, result["decision"], result["reason"]) == ((1, "deny", "unseen") if severity == "error" else (0, "allow", "allowed"))
    assert ("radiusd does not start with this configuration: see " in result["detail"]) is (severity == "error")
    if mistake == "eap-forgotten":
        text = check(server, pki.named("LAPTOP-1"))[1]
        assert f"  {severity}  {server.raddb / name}[{finding['line']}]: {finding['text']}" in text


def test_the_stock_configuration_wired_as_told(stock, pki):
    """No finding, and no login passes by certdir: neither in the shipped site nor in the stock default site."""
    for options in ({"sites": ("certdir-check", "certdir-wifi", "certdir-wired")}, {"client": "", "sites": ("certdir-check",)}):
        server = stock(**options)
        assert "[" not in "".join(re.findall(r"\S+\[\d+\]: rlm_certdir: .*", server.log()))
        assert json.loads(check(server, pki.named("LAPTOP-1"), "--json")[1])["wiring"] == []
        for name, reason in (("LAPTOP-1", "allowed"), ("OFF-1", "disabled"), ("STRANGER-1", "not-found")):
            accepted, decision = enter(server, pki, pki.named(name))
            assert (accepted, decision.reason) == (name == "LAPTOP-1", reason), decision.line


UNGUARDED = """
eap vpn {
	default_eap_type = tls
	tls-config tls-vpn {
		private_key_file = "%(key)s"
		certificate_file = "%(certificate)s"
		ca_file = "%(ca)s"
	}
	tls {
		tls = tls-vpn
	}
}
"""


VPN_SITE = """
server vpn {
	%s
	authenticate {
		Auth-Type vpn {
			ours
		}
	}
}
"""
POLICY = "ours {\n\tif (&User-Name) {\n\t\tvpn.authenticate\n\t}\n}\n"


@pytest.mark.parametrize("reached, module, code, told", [
    (True, {}, 1, "tls { } of vpn (in vpn) has no virtual_server"),
    (True, {"unguarded": "yes"}, 0, None),
    (True, {"certificate": "attributes"}, 0, "tls { } of vpn (in vpn) has no virtual_server"),
    (False, {}, 0, None),
])
def test_other_eap_modules(stock, pki, reached, module, code, told):
    """One that no client can reach is nobody's business; a reachable one is an error, unless it is meant."""
    server = stock(start=False, module=module)
    (server.raddb / "mods-enabled/vpn").write_text(UNGUARDED % pki.trust)
    (server.raddb / "policy.d/ours").write_text(POLICY)
    listener = f"listen {{\n\ttype = auth\n\tipaddr = 127.0.0.1\n\tport = {free_port('udp')}\n\t}}"
    (server.raddb / "sites-enabled/vpn").write_text(VPN_SITE % (listener if reached else ""))
    server.edit("clients.conf", (r"^client localhost \{", "client vpn {\n\tipaddr = 127.0.0.2\n\tsecret = x\n}\nclient localhost {"))
    got, output = server.check_config()
    assert got == code, output[-3000:]
    assert (told in output) if told else "rlm_certdir: tls" not in output


CLIENT = "client x {\n\tipaddr = 127.0.0.3\n\tsecret = x\n}\n"
CALL = "authorize {\n\tvpn\n}\nauthenticate {\n\tAuth-Type vpn {\n\t\tvpn\n\t}\n}\n"
NESTED = CALL.replace("\t\tvpn\n", "if (&User-Name) {\n" * 20 + "vpn\n" + "}\n" * 20)
PROXIED = "home_server vpn {\n\tvirtual_server = vpn\n}\n"
WAYS = {
    # how a stranger comes to the eap module: the site with %s for a listener's options, and the name of its section for EAP-TLS
    "upper-case-type": ("server vpn {\nlisten {\n\ttype = AUTH\n\t%s\n}\n" + CLIENT + CALL + "}\n", "tls"),
    "clients-of-the-server": ("listen {\n\ttype = auth\n\tvirtual_server = vpn\n\t%s\n}\nserver vpn {\n" + CLIENT + CALL + "}\n", "tls"),
    "clients-of-a-name": ("lab {\n" + CLIENT + "}\nserver vpn {\nlisten {\n\ttype = auth\n\tclients = lab\n\t%s\n}\n" + CALL + "}\n", "tls"),
    "upper-case-method": ("server vpn {\nlisten {\n\ttype = auth\n\t%s\n}\n" + CLIENT + CALL + "}\n", "TLS"),
    "other-name-of-the-method": ("server vpn {\nlisten {\n\ttype = auth\n\t%s\n}\n" + CLIENT + CALL + "}\n", "EAP-TLS"),
    "deep": ("server vpn {\nlisten {\n\ttype = auth\n\t%s\n}\n" + CLIENT + NESTED + "}\n", "tls"),
    "proxied": ("server vpn {\n" + CALL + "}\n" + PROXIED + "server other {\nlisten {\n\ttype = acct\n\t%s\n}\n}\n", "tls"),
    "no-name": ("listen {\n\ttype = auth\n\tclients = lab\n\t%s\n}\nclients lab {\n" + CLIENT + "}\nserver {\n" + CALL + "}\n", "tls"),
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_an_unguarded_eap_module(stock, pki, way):
    """All that the server accepts as a way, or as a name, is seen."""
    site, method = WAYS[way]
    server = stock(start=False)
    server.edit("clients.conf", (r"^client localhost_ipv6 \{", "client localhost_ipv6 {\n\tvirtual_server = certdir-wifi"))
    (server.raddb / "mods-enabled/vpn").write_text((UNGUARDED % pki.trust).replace("\ttls {", f"\t{method} {{"))
    (server.raddb / "sites-enabled/vpn").write_text(site % f"ipaddr = 127.0.0.1\n\tport = {free_port('udp')}")
    code, output = server.check_config()
    assert code == 1 and "tls { } of vpn (in " in output, output[-2000:]


def test_a_policy_of_a_modules_name_is_gone_through_once(stock):
    """It may call the module as often as it likes: radiusd starts, and in no time."""
    server = stock(start=False)
    (server.raddb / "policy.d/ours").write_text("eap {\n" + "\teap\n" * 6 + "}\n")
    code, output = server.check_config()
    assert code == 0, output[-2000:]


STOCK_CHECK = dict(eap_tls="virtual_server = check-eap-tls", sites=("check-eap-tls", "certdir-check", "certdir-wifi"))


@pytest.mark.parametrize("call, told", [("certdir", True), ("certdir {\n\t\tnotfound = reject\n\t\tnoop = reject\n\t}", False)])
def test_a_server_that_accepts_whatever_certdir_says(stock, call, told):
    """The stock check-eap-tls accepts all logins, and in authorize the server goes on after `notfound`."""
    edits = {"sites-available/check-eap-tls": [(r"^authorize \{", f"authorize {{\n\t{call}")]}
    server = stock(start=False, edits=edits, **STOCK_CHECK)
    code, output = server.check_config()
    assert code == 0 and ("accepts every login, also of a device that certdir does not know" in output) is told, output[-2000:]


def test_a_server_that_calls_the_shipped_one(stock):
    server = stock(start=False, eap_tls="virtual_server = ours")
    (server.raddb / "sites-enabled/ours").write_text("server ours {\n\tauthorize {\n\t\tserver[certdir-check]\n\t}\n}\n")
    code, output = server.check_config()
    assert code == 0 and "does not call certdir" not in output, output[-2000:]


# ---- what the server's user may read ----


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become the server's user")
def test_check_judges_as_the_servers_user(stock, pki, devices):
    """What radiusd as freerad cannot read is missing for `certdir check` by root, too, which says what to do about it."""
    directory = Path(tempfile.mkdtemp(prefix="certdir-user-"))  # pytest's own are closed to all but root
    try:
        shutil.copy(devices.path, directory / "devices.db")
        server = stock(start=False, module={"list.filename": directory / "devices.db"}, edits={"radiusd.conf": [
            (r"^security \{", "security {\n\tuser = freerad\n\tgroup = freerad")]})
        certificate = pki.named("LAPTOP-1")
        for name, mode, said in ((directory / "devices.db", 0o600, "cannot be read by user freerad: chgrp freerad {0} && chmod g+r {0}"),
                                 (directory, 0o700, "user freerad may not enter {0}: chgrp freerad {0} && chmod g+rx {0}")):
            directory.chmod(0o755)
            name.chmod(mode)
            code, result, _ = check(server, certificate, "--json")
            result = json.loads(result)
            assert (code, result["decision"], result["reason"]) == (2, "unsure", "list-missing")
            assert said.format(name) in result["detail"]
        for name in (directory, directory / "devices.db"):
            shutil.chown(name, group="freerad")
            name.chmod(0o750 if name == directory else 0o640)
        assert check(server, certificate)[0] == 0
    finally:
        shutil.rmtree(directory)


def test_a_configuration_that_cannot_be_read(stock, pki):
    server = stock(start=False)
    server.raddb.rename(server.raddb.with_name("elsewhere"))
    code, _, errors = check(server, pki.named("LAPTOP-1"))
    assert code == 78 and f"cannot read {server.raddb}/radiusd.conf: No such file or directory" in errors


def test_a_section_that_nothing_uses_is_checked(stock):
    server = stock(start=False)
    server.edit("mods-available/certdir", (r"^\t\tserver = \"ldaps://dc1", "\t\tsevrer = \"x\"\n\t\tserver = \"ldaps://dc1"))
    code, output = server.check_config()
    assert code == 1 and 'unknown option "sevrer" in ldap { }' in output, output[-2000:]
    server.edit("mods-available/certdir", (r"^\t\tsevrer = .*\n", ""))
    code, output = server.check_config()
    assert code == 0 and re.search(r"certdir\[\d+\]: ldap is not named in `directories`, and so is not used", output)


@pytest.mark.parametrize("directories, told", [("list", True), ("list ldap", False)])
def test_a_group_that_nobody_is_in(stock, directories, told):
    """Told where the list alone can know it: Active Directory may have it otherwise."""
    server = stock(start=False, module={"directories": directories, "policy.require_group": "CN=Staf,DC=example,DC=com"})
    code, output = server.check_config()
    assert code == 0 and ('require_group = "CN=Staf,DC=example,DC=com": no device is in a group' in output) is told, output[-2000:]


def test_an_issuer_that_no_ca_has(stock, pki):
    """In a directory or a certificates section; in any spelling of the name's parts it is one that eap trusts."""
    server = stock(start=False, module={"list.issuer": ["CN=certdir tset CA", "cn=certdir test CA"]})
    code, output = server.check_config()
    assert code == 0 and f'issuer = "CN=certdir tset CA": no CA in {pki.ca} has this name' in output, output[-2000:]
    assert 'issuer = "cn=certdir test CA": no CA' not in output
