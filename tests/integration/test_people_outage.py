# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices in one LDAP directory and people in another: what each of them being down means for whom."""

import pytest

from testenv.graph import FakeGraph
from testenv.logins import Pki, enter
from testenv.radiusd import Radiusd
from testenv.slapd import DEVICES, READER, READER_PASSWORD, SUFFIX, Slapd
from testenv.supplicant import wait_until
from testenv.sync import Sync
from testenv.tenant import Tenant

OIDS = {"device": "1.3.6.1.4.1.99999.1", "user": "1.3.6.1.4.1.99999.2", "both": "1.3.6.1.4.1.99999.3"}
LDAP = """
    ldap {name} {{ server = "{uri}", identity = "{identity}", password = "{password}", base_dn = "{base}",
        user_filter = "(&(objectClass=user)(!(objectClass=computer)))"
        options {{ remember = 0, memory = "{memory}" }} }}
"""
MODULE = """
certdir {{
    directories = "list machines persons"
    certificates devices {{ issuer = "CN=certdir test CA", ekus = "{device}", common_name = "subject.cn" }}
    certificates people {{ issuer = "CN=certdir test CA", ekus = "{user}", holder = user, upn = "san.upn" }}
    certificates shared {{ issuer = "CN=certdir test CA", ekus = "{both}", holder = both, upn = "san.upn", common_name = "subject.cn" }}
    list {{ filename = "{list}" }}
    {machines}
    {persons}
    policy {{ require_enabled_owner = yes, on_unavailable = {unavailable} }}
}}
"""
DOWN = "directory-unavailable"


class House:
    """A list with a device that has an owner, a directory with a PC and one with people, and servers that ask all three."""

    def __init__(self, directory, graph, machines, persons):
        self.directory, self.machines, self.persons = directory, machines, persons
        (directory / "pki").mkdir()
        self.pki = Pki(directory / "pki")
        for name, owner in (("OWNED", "anna"), ("KIOSK", None)):
            device = graph.tenant.add_device(name, accountEnabled=True)
            graph.tenant.enrol(device, managementState="managed", userPrincipalName=f"{owner}@contoso.example" if owner else "")
        self.sync = Sync(directory / "sync", graph)
        self.sync.run()
        machines.add_computer("PC-1")
        for name, off in (("anna", 0), ("ben", 2)):
            persons.add_entry(f"cn={name},{SUFFIX}", objectClass="user", cn=name, sAMAccountName=name,
                              userPrincipalName=f"{name}@contoso.example", userAccountControl=512 + off)

    def server(self, name, unavailable, people="persons"):
        directory = self.directory / name
        (directory / "memory").mkdir(parents=True)
        shared = {"identity": READER, "password": READER_PASSWORD, "memory": directory / "memory"}
        text = MODULE.format(**OIDS, list=self.sync.list_file, unavailable=unavailable,
                             machines=LDAP.format(name="machines", uri=self.machines.uri, base=DEVICES, **shared),
                             persons=LDAP.format(name=people, uri=self.persons.uri, base=SUFFIX, **shared))
        return Radiusd(directory, self.pki.trust, text.replace("machines persons", f"machines {people}"))

    def enter(self, server, holder, person, device):
        san = [{"upn": f"{person}@contoso.example"}] if person else []
        certificate = self.pki.issue(subject=[["CN", device or "x"]], san=san, eku=["clientAuth", OIDS[holder]])
        attempt, decision = enter(server, self.pki, certificate)
        assert attempt.accepted is (decision.verdict == "allow"), decision.line
        return decision

    def reasons(self, server):
        """{holder: reason} of whoever is fine, and of the device that has an owner."""
        tries = {"device": ("device", None, "PC-1"), "kiosk": ("device", None, "KIOSK"), "owned": ("device", None, "OWNED"),
                 "user": ("user", "anna", None), "both": ("both", "anna", "PC-1")}
        return {name: self.enter(server, *one).reason for name, one in tries.items()}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    directory = tmp_path_factory.mktemp("house")
    with FakeGraph(Tenant(3)) as graph, Slapd(directory / "machines") as machines, Slapd(directory / "persons") as persons:
        yield House(directory, graph, machines, persons)


def back(house, server, *tries):
    for one in tries:
        wait_until(lambda one=one: house.enter(server, *one).reason == "allowed", what="the directory being noticed again")


def test_one_of_two_directories_is_down(house):
    fine = dict.fromkeys(("device", "kiosk", "owned", "user", "both"), "allowed")
    with house.server("fail", "fail") as server:
        assert house.reasons(server) == fine
        house.persons.stop()
        assert house.reasons(server) == {**fine, "owned": DOWN, "user": DOWN, "both": DOWN}
        # Who it is that could not be asked for is told, and that of who it is.
        detail = house.enter(server, "device", None, "OWNED").fields["detail"]
        assert detail.startswith("its owner: "), detail
        detail = house.enter(server, "both", "anna", "PC-1").fields["detail"]
        assert detail.startswith("the user: "), detail
        house.persons.start()
        back(house, server, ("user", "anna", None))
        house.machines.stop()
        assert house.reasons(server) == {**fine, "device": DOWN, "both": DOWN}
        house.machines.start()
        back(house, server, ("device", None, "PC-1"))
        assert house.reasons(server) == fine


def test_people_are_remembered(house):
    """In an outage, and over a restart in one; a section that is called as the other's file of people has a file of its own."""
    with house.server("stale", "stale", "machines.users") as server:
        assert set(house.reasons(server).values()) == {"allowed"}
        assert house.enter(server, "user", "ben", None).reason == "disabled"
        house.persons.stop()
        try:
            for restarted in (False, True):
                wait_until(lambda: house.enter(server, "user", "anna", None).reason == "allowed-stale", what="an old answer")
                assert house.reasons(server) == {"device": "allowed", "kiosk": "allowed", "owned": "allowed-stale",
                                                 "user": "allowed-stale", "both": "allowed-stale"}
                assert house.enter(server, "user", "ben", None).reason == "disabled"
                assert house.enter(server, "user", "carl", None).reason == DOWN
                if not restarted:
                    server.stop()
                    files = {one.name for one in (server.directory / "memory").iterdir()}
                    assert files == {"certdir.machines.memory", "certdir.machines.users.memory", "certdir.machines.memory.users",
                                     "certdir.machines.users.memory.users"}
                    mark = server.mark()
                    server.start()
                    server.wait_log("of it are remembered", mark)
        finally:
            house.persons.start()
