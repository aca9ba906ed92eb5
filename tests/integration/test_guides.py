# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/guide-*.md, followed block by block: what stands there works, in that order, with the machine's own places in it."""

import contextlib
import json
import shutil
import subprocess
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from testenv import vpn, wired
from testenv.certificates import Authority
from testenv.devices import DeviceList, device_id
from testenv.guide import Guide
from testenv.logins import enter
from testenv.network import own_network
from testenv.radiusd import BUILD, SECRET, Radiusd
from testenv.shipped import INNER_SITE, TUNNELS
from testenv.slapd import READER, READER_PASSWORD, Slapd, sid_bytes
from testenv.supplicant import login, wait_until
from testenv.sync import serving
from testenv.tenant import Tenant

CLIENT = {"eku": ["clientAuth"]}


@pytest.fixture
def follow(tmp_path):
    guides = []

    def begin(page, **options):
        guides.append(Guide(tmp_path, page, **options))
        return guides[-1]

    yield begin
    for guide in guides:
        guide.server.kill()


def uri(key):
    return {"uri": f"AAD_Device_ID:{key}"}


def write_fake(guide, name, graph):
    """A section as setup finds it: where Entra ID and Graph are."""
    with open(guide.conf, "a", encoding="utf-8") as conf:
        conf.write(f"\n[tenant {name}]\nauthority = {graph.url}\ngraph = {graph.url}\nca_file = {graph.ca_file}\n")


class Devices:
    """A CA, and logins with its certificates at a guide's server. `ca` is who signed the server's certificate."""

    def __init__(self, guide, authority, directory, ca):
        self.guide, self.authority, self.directory, self.ca = guide, authority, directory, ca
        self.count, self.attempt = 0, None

    def enter(self, **recipe):
        """(was it let in, reason)"""
        self.count += 1
        pair = self.authority.issue({**CLIENT, **recipe}).write(self.directory, f"{self.authority.subject[-1][1]}-{self.count}".replace(" ", "-"))
        self.attempt, decision = enter(self.guide.server, self, pair)
        return self.attempt.accepted, decision.reason


def prepare(guide, pki, *authorities):
    """What a page that goes on from another one takes for granted: certificates, and certdir enabled."""
    for name, file in (("server.pem", pki.server[0]), ("server.key", pki.server[1])):
        shutil.copy(file, guide.raddb / "certs" / name)
    (guide.raddb / "certs/device-ca.pem").write_text("".join(authority.pem for authority in authorities))
    for link in ("mods-enabled/certdir", *(f"sites-enabled/certdir-{site}" for site in ("check", "wifi", "wired"))):
        (guide.raddb / link).symlink_to(f"../{link.replace('enabled', 'available')}")
    (guide.raddb / "mods-enabled/eap").unlink()
    (guide.raddb / "mods-enabled/eap").symlink_to("../mods-available/certdir-eap")


def test_entra(follow, tmp_path):
    with serving() as serve:
        tenant = Tenant("contoso", 5, groups=("Wi-Fi staff",))
        graph = serve(tenant)
        graph.permissions = set()
        guide = follow("guide-entra.md")
        write_fake(guide, "contoso", graph)
        root = Authority("Contoso Root CA")
        authority = Authority([["O", "Contoso"], ["CN", "Contoso Issuing CA"]], parent=root)
        for name, ca in (("root", root), ("issuing", authority)):
            shutil.copy(ca.write(tmp_path, name)[0], guide.work / f"{name}.cer")
        mine = add(tenant, "MINE")

        guide.run("openssl req")
        guide.run("for ca in")
        guide.run("cat >>")
        said = guide.run("cat >")
        assert said.strip() == "subject=CN=Contoso Issuing CA,O=Contoso"
        assert "is content" in guide.run("certdir setup")
        guide.run("certdir sync")
        guide.run("freeradius -XC")
        assert "0 wrong, 1 warning" in guide.run("certdir doctor", code=2)
        guide.text("tail -f")
        devices = Devices(guide, authority, tmp_path, guide.work / "radius-ca.pem")
        assert devices.enter(subject=[["CN", mine]], san=[uri(mine)]) == (True, "allowed")
        assert devices.enter(san=[uri(tenant.new_id())]) == (True, "not-found")
        shutil.copy(guide.server.log_file, guide.root / "var/log/freeradius/radius.log")
        assert guide.run("grep -E").count("deny not-found") == 1
        guide.run("sed -i")
        assert devices.enter(san=[uri(mine)]) == (True, "allowed")
        assert devices.enter(san=[uri(tenant.new_id())]) == (False, "not-found")
        guide.done()


NORTH, SOUTH = "72f988bf-86f1-41af-91ab-2d7cd011db47", "0b2f5c1e-93d7-4f0a-8a35-5c0c7a1de7f2"  # in guide-tenants.md


def write_pems(guide, **pems):
    """Files that a page takes for granted."""
    for name, pem in pems.items():
        (guide.work / f"{name.replace('_', '-')}.pem").write_text(pem if isinstance(pem, str) else pem.pem)


def write_server(guide, pki):
    shutil.copy(pki.server[0], guide.work / "server.pem")
    shutil.copy(pki.server[1], guide.work / "server.key")


def add(tenant, name, **properties):
    """A device of a tenant, which is wanted: its id."""
    return tenant.devices[tenant.add_device(name, **{"accountEnabled": True, **properties})]["deviceId"]


def test_tenants(follow, pki, tmp_path):
    """A device comes in by its own tenant's CA, at its own tenant's access points, and nowhere else."""
    with serving() as serve:
        tenants = [Tenant(name, 5) for name in ("north", "south")]
        graphs = [serve(tenant) for tenant in tenants]
        for graph in graphs:
            graph.permissions = set()
        guide = follow("guide-tenants.md", replaced={NORTH: graphs[0].tenant.id, SOUTH: graphs[1].tenant.id,
                                                     "198.51.100.0/24": "127.0.0.2", **dict.fromkeys(("north.example", "south.example"), "contoso.onmicrosoft.com")})
        write_server(guide, pki)
        north, south = (Authority([["O", name], ["CN", f"{name} Issuing CA"]]) for name in ("North", "South"))
        ids = [add(tenant, "PC-1") for tenant in tenants]
        write_pems(guide, north_ca=north, south_ca=south, forged=south.issue({**CLIENT, "san": [uri(ids[0])]}))

        guide.run("cat north-ca.pem")
        guide.run("cat >>")
        guide.run("cat >")
        guide.run("cat >")
        for name, graph in zip(("north", "south"), graphs):
            write_fake(guide, name, graph)
            guide.run(f"certdir setup --tenant {name}.example")
        assert "0 wrong, 0 warnings" in guide.run("freeradius -XC")
        assert "not-found" in guide.run("certdir check", code=1)
        guide.done()
        ours, theirs = (Devices(guide, authority, tmp_path, pki.ca) for authority in (north, south))
        assert ours.enter(san=[uri(ids[0])]) == (True, "allowed")
        assert theirs.enter(san=[uri(ids[0])]) == (False, "not-found")
        assert ours.enter(san=[uri(ids[1])]) == (False, "not-found")
        assert theirs.enter(san=[uri(ids[1])]) == (False, "allowed"), "at the access points of the others"


MAC, GONE_MAC, CHROMEBOOK, LOST_CHROMEBOOK = "C02XG2JMJG5H", "C02XG2JMAAAA", "5CD9350XYZ", "5CD9350ABC"


class Jamf(BaseHTTPRequestHandler):
    """What Jamf Pro's API says, two computers on two pages."""

    computers = [{"general": {"name": f"Mac {serial}", "remoteManagement": {"managed": True}}, "udid": str(uuid.uuid4()).upper(),
                  "hardware": {"serialNumber": serial}} for serial in (MAC, "C02XG2JMBBBB")]

    def do_POST(self):
        said = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert self.path == "/api/oauth/token" and said["client_secret"] == ["CLIENT-SECRET"] or said["client_secret"] == ["CLIENT-SECRET\n"]
        self.answer({"access_token": "a-token", "expires_in": 60})

    def do_GET(self):
        assert self.headers["Authorization"] == "Bearer a-token"
        page = int(parse_qs(urlsplit(self.path).query)["page"][0])
        self.answer({"totalCount": 2, "results": self.computers[page:page + 1]})

    def answer(self, what):
        text = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture
def jamf():
    with ThreadingHTTPServer(("127.0.0.1", 0), Jamf) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.skipif(not shutil.which("jq"), reason="no jq here")
def test_mixed(follow, pki, tmp_path, jamf):
    guide = follow("guide-mixed.md", replaced={"https://contoso.jamfcloud.com": jamf})
    authorities = [Authority([["O", "Contoso"], ["CN", f"Contoso {name} CA"]]) for name in ("Issuing", "Mac", "Chrome")]
    write_pems(guide, jamf_ca=authorities[1], chrome_ca=authorities[2])
    prepare(guide, pki, authorities[0])
    devices = DeviceList(guide.list)
    devices.add("LAPTOP-1")
    devices.publish()
    (guide.work / "computers.csv").write_text(f"Computer Name,Serial Number,UDID,Managed\nOld,{GONE_MAC},,Managed\nMine,{MAC},,Managed\n")
    (guide.work / "chromeos.csv").write_text("deviceId,serialNumber,status,macAddress,orgUnitPath,lastSync\n"
                                             f"a1,{CHROMEBOOK},ACTIVE,,/,2026-11-01T00:00:00.000Z\na2,{LOST_CHROMEBOOK},DISABLED,,/,\n")
    with open(guide.raddb / "clients.conf", "a", encoding="utf-8") as clients:
        clients.write('client aps {\n\tipaddr = 127.0.0.1\n\tsecret = "a long one"\n\tvirtual_server = certdir-wifi\n}\n')

    guide.run("cat jamf-ca.pem")
    guide.run("cat >")
    guide.run("certdir list import --source jamf")
    guide.run("install -m 600")
    guide.run("certdir list import --source chromeos")
    said = guide.run("certdir list sources")
    assert "jamf" in said and "chromeos" in said and " 0 wrong" in said
    guide.done()
    laptops, macs, chromebooks = (Devices(guide, authority, tmp_path, pki.ca) for authority in authorities)
    assert laptops.enter(san=[uri(device_id("LAPTOP-1"))]) == (True, "allowed")
    assert macs.enter(subject=[["CN", MAC]]) == (True, "allowed")
    assert macs.enter(subject=[["CN", GONE_MAC]]) == (False, "not-found"), "in the export, and not at Jamf any more"
    assert chromebooks.enter(subject=[["CN", CHROMEBOOK]]) == (True, "allowed")
    assert chromebooks.enter(subject=[["CN", LOST_CHROMEBOOK]]) == (False, "disabled")


COMPUTER = "S-1-5-21-1004336348-1177238915-682003330-1104"
TEMPLATE = {"template": {"oid": "1.3.6.1.4.1.311.21.8.1.2.3.4.5.6.7", "major": 100, "minor": 4}}


def test_ndes(follow, tmp_path):
    """Active Directory's "disabled" counts at once for whom it knows, and its outage keeps nobody out."""
    root = Authority("Corp Root CA")
    authority = Authority([["DC", "example"], ["DC", "corp"], ["CN", "Corp Issuing CA"]], parent=root)
    with serving() as serve, Slapd(tmp_path / "slapd", authority=root) as slapd:
        tenant = Tenant("contoso", 3)
        graph = serve(tenant)
        graph.permissions = set()
        host = f"127.0.0.1:{slapd.tls_port}"
        guide = follow("guide-ndes.md", replaced={
            "dc1.corp.example": host, "dc2.corp.example": host,
            "CN=svc-certdir,CN=Users,DC=corp,DC=example": READER, "a very long one": READER_PASSWORD,
            "        tls {": f"options {{\nmemory = {tmp_path}/machine/var/lib/certdir-radiusd\n}}\ntls {{"})
        write_fake(guide, "contoso", graph)
        hybrid = add(tenant, "HYBRID", trustType="ServerAd", onPremisesSecurityIdentifier=COMPUTER, onPremisesSyncEnabled=True)
        entra = add(tenant, "CLOUD", trustType="AzureAd", onPremisesSecurityIdentifier=None, onPremisesSyncEnabled=None)
        computer = slapd.add_computer("HYBRID", objectSid=sid_bytes(COMPUTER))

        guide.run("openssl req")
        for name, certificate in (("root", root), ("issuing", authority), ("server", authority.issue(
                subject=[["CN", "radius.corp.example"]], server=True))):
            shutil.copy(certificate.write(tmp_path, name)[0], guide.work / f"{name}.cer")
        shutil.copy(tmp_path / "server.key", guide.work / "server.key")  # ADCS would have signed the request
        guide.run("for ca in")
        guide.run("cat >>")
        guide.run("cat >")
        guide.run("certdir setup")
        assert " 0 wrong, 1 warning" in guide.run("freeradius -XC", code=2)
        devices = Devices(guide, authority, tmp_path, tmp_path / "root.pem")
        laptop = {"san": [uri(hybrid)], **TEMPLATE}
        (guide.work / "laptop.pem").write_text(authority.issue({**CLIENT, **laptop}).pem)
        assert "allowed" in guide.run("certdir check")
        guide.run("sed -i")
        guide.done()
        assert devices.enter(**laptop) == (True, "allowed")
        assert devices.enter(san=[uri(entra)], **TEMPLATE) == (True, "allowed")
        assert devices.enter(san=[uri(hybrid)]) == (False, "issuer"), "of another template"
        slapd.pause()
        assert devices.enter(**laptop) == (True, "allowed")
        slapd.resume()
        slapd.modify(computer, userAccountControl=4098)
        wait_until(lambda: devices.enter(**laptop) == (False, "disabled"), what="Active Directory's word")
        assert devices.enter(san=[uri(entra)], **TEMPLATE) == (True, "allowed")


@pytest.fixture
def wire():
    """A network of the test's own, and what ends with the test in it."""
    if reason := wired.missing():
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(own_network(vpn.GATEWAY, vpn.CLIENT))
        except OSError as error:
            pytest.skip(f"there can be no network of its own here: {error}")
        yield stack


def sessions(shown):
    """What the command that stands on a page prints."""
    return subprocess.run([BUILD / "certdir", *shown.split()[1:]], capture_output=True, text=True, check=False).stdout


STAFF = [{"id": "7e7ed6ca-1d0b-4c5b-9c1a-6c3f8d7a9b01", "displayName": "Wi-Fi staff"}]


def test_wired(wire, follow, tmp_path, pki):
    """A switch that others wrote, and a PC on it: in, onto its VLAN, and out when it is disabled."""
    authority = Authority([["O", "Contoso"], ["CN", "Contoso Issuing CA"]])
    guide = follow("guide-wired.md", replaced={"a long one": SECRET}, secret=SECRET)
    prepare(guide, pki, authority)
    devices = DeviceList(guide.list)
    devices.add("PC-1", groups=STAFF)
    devices.add("PC-2")
    devices.publish()

    guide.run("cat >>")
    guide.run("cat >")
    assert " 0 wrong, 0 warnings" in guide.run("sed -i")
    guide.text("aaa new-model")
    shown = guide.text("certdir sessions list")
    guide.done()
    server = guide.server
    plugged = Devices(guide, authority, tmp_path, pki.ca)
    assert plugged.enter(san=[uri(device_id("PC-1"))]) == (True, "allowed") and plugged.attempt.vlan == "20"
    assert plugged.enter(san=[uri(device_id("PC-2"))]) == (True, "allowed") and plugged.attempt.vlan == "10"
    switch = wired.Switch(tmp_path, server, guide.accounting_port)
    wire.callback(switch.close)
    pair = authority.issue({**CLIENT, "san": [uri(device_id("PC-1"))]}).write(tmp_path, "pc")
    machine = wired.Pc(tmp_path, pki, pair)
    wire.callback(machine.close)
    machine.wait_success()
    wait_until(lambda: "running" in sessions(shown), what="the session")
    devices.change("PC-1", accountEnabled=False)
    devices.publish()
    wait_until(lambda: "session disconnect done" in server.log(), what="the order")
    assert switch.opened() == (1, 1)
    assert plugged.enter(san=[uri(device_id("PC-1"))]) == (False, "disabled")


def test_vpn(wire, follow, tmp_path, pki):
    """strongSwan with the page's files, but for ESP, which a kernel may not have: a login, and its end."""
    if reason := vpn.missing():
        pytest.skip(reason)
    authority = Authority([["O", "Contoso"], ["CN", "Contoso Issuing CA"]])
    etc = tmp_path / "gateway-etc"
    etc.mkdir()
    guide = follow("guide-vpn.md", secret=SECRET, replaced={
        "a long one": SECRET, "192.0.2.20": "127.0.0.1", "192.0.2.10": "127.0.0.1", "/etc/strongswan.d/charon": etc, "/etc/swanctl/conf.d": etc,
        "certs = vpn.pem": "certs = server.pem", "id = vpn.contoso.com": 'id = "CN=radius.corp.example"',
        "version = 2": f"version = 2\nlocal_addrs = {vpn.GATEWAY}\nchildless = force"})
    guide.replaced.update({"auth_port = 1812": f"auth_port = {guide.server.port}", "acct_port = 1813": f"acct_port = {guide.accounting_port}"})
    prepare(guide, pki, authority)
    devices = DeviceList(guide.list)
    devices.add("PC-1")
    devices.publish()

    guide.run("cat >>")
    guide.run("cat >/etc/freeradius/3.0/mods-enabled/certdir_class")
    assert " 0 wrong, 0 warnings" in guide.run("cat >")
    guide.run("cat >/etc/strongswan.d")
    guide.run("cat >/etc/swanctl")
    shown = guide.text("certdir sessions list")
    guide.done()
    gateway = vpn.Charon(tmp_path, pki, "gateway", (500, 4500), (etc / "vpn.conf").read_text(), (etc / "eap-radius.conf").read_text(), pki.server)
    wire.callback(gateway.close)
    pair = authority.issue({**CLIENT, "san": [uri(device_id("PC-1")), {"dns": "pc-1.corp.example"}]}).write(tmp_path, "pc")
    machine = vpn.client(tmp_path, pki, pair, "pc-1.corp.example")
    wire.callback(machine.close)
    machine.swanctl("--initiate", "--ike", "vpn")
    gateway.wait("IKE_SA vpn.* established")
    wait_until(lambda: "running" in sessions(shown), what="the session")
    devices.change("PC-1", accountEnabled=False)
    devices.publish()
    gateway.wait("deleting IKE_SA vpn")
    machine.swanctl("--initiate", "--ike", "vpn")
    gateway.wait("received RADIUS Access-Reject")
    assert guide.server.decisions(count=2)[-1].reason == "disabled"


MODULE = """certdir {{
	list {{
		filename = {list}
	}}
}}
"""
# In the place of NPS: hands all on, or takes passwords in TTLS.
FORWARDING = """home_server certdir {{
	type = auth
	ipaddr = 127.0.0.1
	port = {port}
	secret = {secret}
}}
home_server_pool certdir {{
	home_server = certdir
}}
realm certdir {{
	auth_pool = certdir
	nostrip
}}
"""
FORWARD = "update control {\n\t\t\t&Proxy-To-Realm := \"certdir\"\n\t\t}"


class Nps(Radiusd):
    """Another RADIUS server. `forwards` is the server that it asks."""

    def __init__(self, directory, pki, forwards=None):
        directory.mkdir()
        self.forwards = forwards
        super().__init__(directory, pki.trust, authorize=FORWARD if forwards else "eap")

    def write(self):
        super().write()
        if self.forwards:
            conf = self.raddb / "radiusd.conf"
            conf.write_text(conf.read_text().replace("proxy_requests = no", "proxy_requests = yes"))
            (self.raddb / "sites-enabled/realm").write_text(FORWARDING.format(port=self.forwards.port, secret=self.forwards.secret))
        else:
            eap = self.raddb / "mods-enabled/eap"
            eap.write_text(eap.read_text().rstrip().removesuffix("}") + TUNNELS + "}\n")
            (self.raddb / "sites-enabled/inner").write_text(INNER_SITE)


def test_nps(follow, tmp_path, pki):
    """Devices come to certdir by way of NPS; and the other way round, people to NPS by way of certdir's server."""
    nps = Nps(tmp_path / "nps", pki)
    guide = follow("guide-nps.md", secret=SECRET, replaced={
        "192.0.2.30": "127.0.0.1", "another long one": nps.secret, "a long one": SECRET})
    prepare(guide, pki, pki.authority)
    (guide.raddb / "mods-available/certdir").write_text(MODULE.format(list=guide.list))
    devices = DeviceList(guide.list)
    devices.add("PC-1")
    devices.publish()
    entering = Devices(guide, pki.authority, tmp_path, pki.ca)

    assert " 0 wrong, 0 warnings" in guide.run("cat >>")
    with Nps(tmp_path / "forwarding", pki, guide.server) as forwarding:
        attempt, = login(forwarding, *pki.named("PC-1"), pki.ca)
        assert attempt.accepted and attempt.one("Class").startswith("certdir:")
        attempt, = login(forwarding, *pki.named("STRANGER"), pki.ca)
        assert not attempt.accepted and [one.reason for one in guide.server.decisions(count=2)] == ["allowed", "not-found"]

    clients = guide.raddb / "clients.conf"
    clients.write_text(clients.read_text().split("client nps {")[0])
    guide.replaced["port = 1812"] = f"port = {nps.port}"
    guide.run("cat >>")
    guide.run("cat >")
    with nps:
        assert " 0 wrong, 0 warnings" in guide.run("cat >>")
        guide.done()
        mark = guide.server.mark()
        attempt, = login(guide.server, "", "", pki.ca, identity="anna@corp.example", method="ttls-pap")
        assert attempt.accepted and not guide.server.decisions(mark)
        assert entering.enter(subject=[["CN", "PC-1"]]) == (True, "allowed")
        assert entering.enter(subject=[["CN", "STRANGER"]]) == (False, "not-found")
        nps.stop()
        assert entering.enter(subject=[["CN", "PC-1"]]) == (True, "allowed"), "while NPS is down"


def test_a_file_of_its_own(certdir_cli, tmp_path):
    """What guide-mixed.md says of CAs and files: in one list a serial number is anybody's, in two it is that of the CA's own."""
    lists = [DeviceList(tmp_path / f"{name}.db") for name in ("devices", "jamf")]
    for devices, name, serial in zip(lists, ("LAPTOP-1", "MAC-1"), ("LAPTOP-SERIAL", MAC)):
        devices.add(name, serialNumber=serial)
        devices.publish()
    mac_ca = Authority([["O", "Contoso"], ["CN", "Contoso Mac CA"]])

    def reasons(directories, first):
        (tmp_path / "radiusd.conf").write_text(
            f"certdir = {tmp_path}\nmodules {{\ncertdir {{\ndirectories = \"{directories}\"\n"
            f"list {{\nfilename = {lists[0].path}\n{first}\n}}\n"
            f"list jamf {{\nfilename = {lists[1].path}\nissuer = \"CN=Contoso Mac CA,O=Contoso\"\n}}\n"
            "certificates jamf {\nissuer = \"CN=Contoso Mac CA,O=Contoso\"\nserial_number = \"subject.cn\"\n}\n}\n}\n")
        return [json.loads(subprocess.run([certdir_cli, "check", "--json", "--raddb", tmp_path, "-"], text=True, capture_output=True, check=False,
                                          input=mac_ca.issue({**CLIENT, "subject": [["CN", serial]]}).pem).stdout)["reason"]
                for serial in ("LAPTOP-SERIAL", MAC)]

    assert reasons("list", "") == ["allowed", "not-found"]
    assert reasons("list jamf", "") == ["allowed", "allowed"], "issuer has to stand in both"
    assert reasons("list jamf", 'issuer = "CN=Contoso Issuing CA,O=Contoso"') == ["not-found", "allowed"]
