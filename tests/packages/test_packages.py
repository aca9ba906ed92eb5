# SPDX-License-Identifier: GPL-2.0-or-later
"""
An administrator's days with the packages, in their order, in one root with its own systemd: installed, in use, updated, not removed by
mistake, removed, purged, installed again. check.sh makes the root, in CERTDIR_SITE, with the packages in its /root.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from testenv.graph import FakeGraph
from testenv.radiusd import REPO
from testenv.root import Root
from testenv.supplicant import wait_until
from testenv.sync import Sync
from testenv.tenant import Tenant

RADDB = "/etc/freeradius/3.0"
FILES = {str(path.relative_to(REPO / "raddb-snippets")) for path in (REPO / "raddb-snippets").glob("*/*")}
ENABLE = f"""cd {RADDB}
ln -s ../mods-available/certdir mods-enabled/
ln -s ../sites-available/certdir-check ../sites-available/certdir-wifi ../sites-available/certdir-wired sites-enabled/
ln -sfn ../mods-available/certdir-eap mods-enabled/eap
sed -i '/^client localhost {{/a virtual_server = certdir-wifi' clients.conf"""
CERTIFICATES = f"""cd /root
openssl req -x509 -newkey rsa:2048 -nodes -days 7 -subj "/CN=Trial CA" -keyout ca.key -out device-ca.pem
for name in server LAPTOP-1 LAPTOP-2 LAPTOP-4; do
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout $name.key -out $name.csr
    openssl x509 -req -in $name.csr -CA device-ca.pem -CAkey ca.key -CAcreateserial -days 7 -out $name.pem
done"""
GIVE_CERTIFICATES = f"cd /root; install -o freerad -g freerad -m 640 server.pem server.key device-ca.pem {RADDB}/certs/"
DEVICES = """[{"displayName": "LAPTOP-1", "deviceId": "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "accountEnabled": true},
{"displayName": "LAPTOP-2", "deviceId": "3f2504e0-4f89-41d3-9a0c-0305e82c3302", "accountEnabled": false}]"""
SUPPLICANT = """network={{
    key_mgmt=IEEE8021X
    eap=TLS
    identity="host/{0}"
    ca_cert="/root/device-ca.pem"
    client_cert="/root/{0}.pem"
    private_key="/root/{0}.key"
}}
"""
CREDENTIALS = "/run/credentials/certdir-sync.service"


class Site(Root):
    """The root, as its administrator."""

    def restart(self):
        self.run("freeradius -C; systemctl restart freeradius")

    def login(self, name):
        """Whether the device got in, and what radius.log says of it."""
        (self.path / "root/login.conf").write_text(SUPPLICANT.format(name))
        said = self.run("eapol_test -c /root/login.conf -s testing123 | tail -1", code=None)
        return said == "SUCCESS\n", self.lines(f"certdir: .*{name}")[-1]

    def lines(self, pattern):
        return re.findall(f".*{pattern}.*", (self.path / "var/log/freeradius/radius.log").read_text())

    def ours(self):
        """All files that have our name, but for those that are about packages."""
        return self.run("find / -xdev -path /root -prune -o -path '/var/lib/dpkg/*' -prune -o -path '/var/cache/*' -prune -o "
                        "-name '*certdir*' -print").split()

    def unit(self, name, unit="certdir-sync"):
        return self.run(f"systemctl show -P {name} {unit}").strip()


@pytest.fixture(scope="module")
def site():
    with Site(os.environ["CERTDIR_SITE"]) as site:
        yield site


@pytest.fixture(scope="module")
def graph(site):
    """A tenant, in the root's own network."""
    graph = FakeGraph(Tenant())
    graph.tenant.add_device("LAPTOP-3")
    with site.network():
        graph.start()
    yield graph
    graph.stop()


def test_as_installed(site):
    """Nothing runs that nobody asked for, and each directory is whose it has to be."""
    version = re.search(r"^## (\S+)$", (REPO / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert site.run("certdir -V").startswith(f"certdir {version} (for FreeRADIUS 3.2.")
    assert site.run("systemctl is-enabled certdir-sync", code=1) == "disabled\n" and site.unit("ActiveState") == "inactive"
    assert site.unit("ActiveState", "freeradius") == "active" and not site.lines("certdir")
    assert site.stat("/etc/certdir") == "root:freerad 750"
    assert site.stat("/var/lib/certdir") == "certdir:freerad 2750"
    assert site.stat("/var/lib/certdir-radiusd") == "freerad:freerad 770"
    for name in FILES:
        assert site.stat(f"{RADDB}/{name}") == "freerad:freerad 640", name
        assert (site.path / f"{RADDB[1:]}/{name}").read_bytes() == (REPO / "raddb-snippets" / name).read_bytes()
    assert not site.run(f"find {RADDB}/*-enabled -name 'certdir*'")


def test_devices_log_in(site):
    site.run(ENABLE)
    site.run(f"{CERTIFICATES}\n{GIVE_CERTIFICATES}", timeout=60)
    (site.path / "root/devices.json").write_text(DEVICES)
    site.run("certdir list import --source trial /root/devices.json")
    assert site.stat("/var/lib/certdir/devices.db").startswith("certdir:freerad ")
    site.restart()
    assert site.lines(r"rlm_certdir: certdir [0-9.]+ \(for FreeRADIUS 3.2")  # by the check before the start, too
    accepted, line = site.login("LAPTOP-1")
    assert accepted and "certdir: allow allowed" in line
    accepted, line = site.login("LAPTOP-2")
    assert not accepted and "certdir: deny disabled" in line


def test_journal_is_rotated(site):
    """By the file that came along. radiusd, which is told nothing, writes into a new one."""
    site.run(f"sed -i 's,journal = \"\",journal = ${{logdir}}/certdir.json,' {RADDB}/mods-available/certdir")
    site.restart()
    journal = site.path / "var/log/freeradius/certdir.json"
    site.login("LAPTOP-1")
    wait_until(lambda: journal.exists() and journal.read_text(), what="a line")
    site.run("logrotate -f /etc/logrotate.d/certdir")
    assert not journal.exists()
    site.login("LAPTOP-1")
    wait_until(lambda: journal.exists() and journal.read_text(), what="a line in the new file")
    assert site.stat("/var/log/freeradius/certdir.json*").split("\n") == ["freerad:freerad 640"] * 2


def configure_sync(site, graph):
    """Keys are root's: systemd hands them over."""
    sync = Sync(site.path / "etc/certdir", graph, ca_file="/etc/certdir/ca.pem", client_secret_file=f"{CREDENTIALS}/contoso.secret",
                intune_interval="1h")
    shutil.copy(graph.ca_file, sync.directory / "ca.pem")
    sync.list["filename"] = "/var/lib/certdir/devices.db"
    sync.write()
    drop_in = site.path / "etc/systemd/system/certdir-sync.service.d/site.conf"
    drop_in.parent.mkdir(parents=True, exist_ok=True)
    drop_in.write_text("[Service]\nLoadCredential=contoso.secret:/etc/certdir/contoso.secret\nWatchdogSec=4s\nRestartSec=100ms\n")
    site.run("chown root:freerad /etc/certdir/*; chmod 640 /etc/certdir/certdir.conf /etc/certdir/ca.pem; "
             "chown root:root /etc/certdir/contoso.secret; chmod 600 /etc/certdir/contoso.secret; systemctl daemon-reload")


def test_service_syncs(site, graph):
    """Ready when systemd says so; reload is a round; the server takes what it publishes."""
    configure_sync(site, graph)
    said = site.run("systemctl enable --now certdir-sync; journalctl --no-pager -u certdir-sync", code=None)
    assert site.unit("ActiveState") == "active", said
    wait_until(lambda: "1 source synced" in site.unit("StatusText"), timeout=30, what="a round")
    assert "LAPTOP-3" in site.run("certdir list find LAPTOP-3")
    assert site.stat("/var/lib/certdir/devices.db") == "certdir:freerad 640"
    new = graph.tenant.add_device("LAPTOP-4")
    site.run("systemctl reload certdir-sync")
    wait_until(lambda: site.run(f"certdir list show {new}", code=None).count("LAPTOP-4"), timeout=30, what="the new device")
    assert site.run("systemctl is-failed certdir-sync", code=1) == "active\n"
    wait_until(lambda: site.login("LAPTOP-4")[0], timeout=30, what="a login of the new device")


def test_watchdog(site):
    """A service that hangs is put away and started anew; one that does not lives for longer than the watchdog waits."""
    first = int(site.unit("WatchdogTimestampMonotonic"))
    wait_until(lambda: int(site.unit("WatchdogTimestampMonotonic")) > first + 4000000, timeout=30, what="signs of life")
    assert site.unit("NRestarts") == "0"
    site.run(f"kill -STOP {site.unit('MainPID')}")
    wait_until(lambda: site.unit("NRestarts") == "1" and site.unit("ActiveState") == "active", timeout=30, what="a new one")
    assert "watchdog" in site.run("journalctl --no-pager -u certdir-sync").lower()


def test_placeholders_timer(site):
    """It runs as the section's name says; here there is no such section, which the program itself says."""
    site.run("systemctl start certdir-placeholders@staff.timer")
    assert site.unit("ActiveState", "certdir-placeholders@staff.timer") == "active"
    said = site.run("systemctl start certdir-placeholders@staff.service; journalctl --no-pager -u certdir-placeholders@staff", code=1) + \
        site.run("journalctl --no-pager -u certdir-placeholders@staff")
    assert site.unit("ExecMainStatus", "certdir-placeholders@staff.service") == "78", said
    assert "staff" in said
    site.run("systemctl reset-failed; systemctl enable certdir-placeholders@staff.timer")


def next_version(site):
    """Packages as a later version would make them: other files for raddb."""
    site.run(r"""cd /root; mkdir -p next
        for package in certdir freeradius-certdir; do
            rm -rf tree; dpkg-deb -R ${package}_*.deb tree; sed -i 's/^Version: .*/Version: 99.0/;s/(= [^)]*debian[^)]*)/(= 99.0)/' tree/DEBIAN/control
            for file in policy.d/certdir sites-available/certdir-wifi; do
                [ ! -e tree/usr/share/certdir ] || echo "#  the next version's" >>tree/usr/share/certdir/raddb/$file; done
            dpkg-deb --root-owner-group -b tree next/$package.deb
        done; rm -rf tree""")


def test_update(site):
    """What was edited stays, nothing is written beside it, the list and radiusd stay as they are, the sync is a new one."""
    site.run(f"echo '#  mine' >>{RADDB}/policy.d/certdir")
    next_version(site)
    policies, devices = site.run(f"ls {RADDB}/policy.d"), site.run("certdir list export")
    server, sync = site.unit("MainPID", "freeradius"), site.unit("MainPID")
    said = site.run("dpkg -i /root/next/*.deb")
    assert f"kept {RADDB}/policy.d/certdir" in said and f"kept {RADDB}/mods-available/certdir" in said
    assert (site.path / RADDB[1:] / "policy.d/certdir").read_text().endswith("#  mine\n")
    assert (site.path / RADDB[1:] / "sites-available/certdir-wifi").read_text().endswith("#  the next version's\n")
    assert site.stat(f"{RADDB}/sites-available/certdir-wifi") == "freerad:freerad 640"
    assert site.run(f"ls {RADDB}/policy.d") == policies and site.run("certdir list export") == devices
    assert site.unit("MainPID", "freeradius") == server and site.unit("MainPID") not in ("0", sync)
    site.restart()
    assert site.login("LAPTOP-1")[0]


def test_what_is_in_use_is_not_removed(site):
    """Nor what it needs: without the sync the list would grow old, and nobody log in any more."""
    sync = site.unit("MainPID")
    for packages in ("freeradius-certdir", "certdir freeradius-certdir", "freeradius-certdir certdir", "certdir"):
        said = site.run(f"apt-get remove -y {packages}", code=100)
        assert f"rm {RADDB}/mods-enabled/certdir" in said and f"ln -sfn ../mods-available/eap {RADDB}/mods-enabled/eap" in said
        assert site.run("dpkg-query -W -f '${db:Status-Status} ' certdir freeradius-certdir") == "installed installed "
    assert site.unit("MainPID") == sync != "0"
    site.restart()
    assert site.login("LAPTOP-1")[0]


def test_removal_and_purge(site):
    """A removal leaves what somebody wrote, and lists; a purge leaves keys."""
    site.run(f"cd {RADDB}; rm mods-enabled/certdir sites-enabled/certdir-*; ln -sfn ../mods-available/eap mods-enabled/eap; "
             "sed -i '/^virtual_server = certdir-wifi/d' clients.conf")
    site.run("apt-get remove -y freeradius-certdir certdir")
    assert site.unit("ActiveState") == site.unit("ActiveState", "certdir-placeholders@staff.timer") == "inactive"
    site.restart()
    left = site.ours()
    assert {f"{RADDB}/policy.d/certdir", "/etc/certdir/certdir.conf", "/var/lib/certdir", "/etc/logrotate.d/certdir"} <= set(left)
    assert not [path for path in left if path.startswith("/usr/") or path.endswith(".so")]
    assert (site.path / "var/lib/certdir/devices.db").exists()
    site.run(f"cp {RADDB}/policy.d/certdir {RADDB}/mods-available/certdir.before-setup")  # as certdir setup keeps a file that it changed
    site.run("apt-get purge -y freeradius-certdir certdir")
    site.run("rm -r /etc/systemd/system/certdir-sync.service.d /var/log/freeradius/certdir.json*")
    assert site.ours() == ["/etc/certdir"]
    assert sorted(path.name for path in (site.path / "etc/certdir").iterdir()) == ["ca.pem", "contoso.secret"]


def test_installed_again(site):
    site.run("dpkg -i /root/*.deb")
    site.run(ENABLE)
    site.run("certdir list import --source trial /root/devices.json")
    site.restart()
    assert site.login("LAPTOP-1")[0] and not site.login("LAPTOP-2")[0]
    assert site.stat("/var/lib/certdir") == "certdir:freerad 2750"


def test_directories_elsewhere(site):
    """A link in a directory's place stays, what it leads to is given to nobody again, and a purge deletes nothing there but says so."""
    places = "certdir", "certdir-radiusd"
    for place in places:
        site.run(f"mv /var/lib/{place} /srv/; ln -s /srv/{place} /var/lib/; chown -R games:games /srv/{place}; chmod 00700 /srv/{place}")
    site.run("mv /etc/certdir /srv/etc; ln -s /srv/etc /etc/certdir; dpkg -i /root/next/*.deb")
    for place in places:
        assert site.run(f"readlink /var/lib/{place}") == f"/srv/{place}\n" and site.stat(f"/srv/{place}") == "games:games 700"
    site.run(f"cd {RADDB}; rm mods-enabled/certdir sites-enabled/certdir-*; ln -sfn ../mods-available/eap mods-enabled/eap")
    said = site.run("apt-get purge -y freeradius-certdir certdir")
    for place in places:
        assert f"kept /srv/{place}, which /var/lib/{place} was a link to" in said
        assert not os.path.lexists(site.path / f"var/lib/{place}")
    assert (site.path / "srv/certdir/devices.db").exists() and (site.path / "srv/etc/ca.pem").exists()
