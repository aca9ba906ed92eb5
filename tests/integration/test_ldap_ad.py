# SPDX-License-Identifier: GPL-2.0-or-later
"""The module's LDAP directory against a real domain controller (Samba): what it finds there, and how it binds."""

import socket
import uuid
from types import SimpleNamespace

import pytest

from testenv.dns import Names, srv
from testenv.driver import build_driver
from testenv.ldap_search import Searches
from testenv.samba import BASE, DNS, HOST

MAPPING = "X509:<I>DC=test,DC=ad,CN=CA<SR>0a1b2c3d4e5f"


@pytest.fixture(scope="module")
def names(tmp_path_factory, domain):
    """The domain's own DNS, as far as anybody asks here."""
    with Names(tmp_path_factory.mktemp("dns")) as server:
        server.address_of(HOST, domain.address)
        server.service(f"_ldap._tcp.{DNS}", srv(HOST, 389))
        yield server


@pytest.fixture(scope="module")
def world(domain):
    """Computers of their own names in an OU of their own."""
    tag = uuid.uuid4().hex[:6]
    world = SimpleNamespace(
        tag=tag, ou=domain.add_ou(f"Computers {tag}"), reader=domain.add_user(f"radius-{tag}"), pc=f"pc{tag}", off=f"off{tag}",
        late=f"late{tag}", **{kind: domain.add_group(f"{kind}-{tag}") for kind in ("inner", "outer", "primary")})
    domain.modify(world.outer, member=world.inner)
    world.dn = domain.add_computer(world.pc, world.ou, dNSHostName=f"{world.pc}.{DNS}", altSecurityIdentities=MAPPING + world.tag,
                                   userPrincipalName=f"host-{world.pc}@{DNS}", operatingSystem="Windows 11 Enterprise",
                                   servicePrincipalName=[f"HOST/{world.pc}.{DNS}", f"HOST/alias{world.tag}.{DNS}"])
    domain.modify(world.inner, member=world.dn)
    domain.modify(world.primary, member=world.dn)
    domain.modify(world.dn, primaryGroupID=domain.rid(world.primary))
    domain.add_computer(world.off, world.ou, userAccountControl=4098)
    domain.add_computer(world.late, world.ou, accountExpires=133485408000000000)
    return world


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build_driver(tmp_path_factory.mktemp("search"), "ldap_search")


@pytest.fixture
def searches(program, names, domain):
    with Searches(program, [*names.wrapper(), "env", f"KRB5_CONFIG={domain.krb5_conf}"]) as several:
        yield several


def opened(searches, domain, world, server=None, **more):
    options = {"server": [server or domain.ldaps_uri], "base_dn": BASE, "filter": "(objectClass=computer)", "scope": "sub",
               "ca_file": str(domain.ca_file), "identity": world.reader.identity, "password": world.reader.password,
               "net_timeout": 2, "res_timeout": 10, "srv_timelimit": 10, **more}
    return searches.open({name: value for name, value in options.items() if value is not None})


def one(search, kind, value):
    answer = search((kind, value))
    assert len(answer["records"]) == 1, answer
    return answer["records"][0]


def test_what_is_found(searches, domain, world):
    """Every identity of the default attributes, groups of all kinds, and who may not come in any more."""
    search = opened(searches, domain, world)
    for kind, value in (("common_name", world.pc), ("dns_name", f"{world.pc}.{DNS}"), ("dns_name", f"alias{world.tag}.{DNS}"),
                        ("sid", domain.sid(world.dn)), ("upn", f"host-{world.pc}@{DNS}"), ("mapping", MAPPING + world.tag)):
        record = one(search, kind, value)
        assert record["id"].lower() == world.dn.lower() and record["by"] == [0], (kind, record)
    assert record["sid"] == domain.sid(world.dn) and record["enabled"] == "yes"
    groups = {group.lower() for group, *_ in record["groups"] if group}
    assert {world.inner.lower(), world.outer.lower(), world.primary.lower()} <= groups, record["groups"]
    assert one(search, "common_name", world.off)["enabled"] == "no"
    assert one(search, "common_name", world.late)["expires"] == (133485408000000000 // 10**7) - 11644473600
    assert search(("common_name", f"none{world.tag}"))["records"] == []


@pytest.mark.parametrize("how", ["start_tls", "gssapi", "gssapi-srv", "srv"])
def test_binds(searches, domain, world, how):
    kerberos = {"identity": None, "password": None, "ca_file": None}
    search = {
        "start_tls": lambda: opened(searches, domain, world, f"ldap://{HOST}", start_tls=True),
        "srv": lambda: opened(searches, domain, world, f"ldap:///{BASE}", start_tls=True),
        "gssapi": lambda: opened(searches, domain, world, f"ldap://{HOST}", keytab=str(domain.keytab(world.reader)), **kerberos),
        "gssapi-srv": lambda: opened(searches, domain, world, f"ldap:///{BASE}", keytab=str(domain.keytab(world.reader)), **kerberos),
    }[how]()
    assert one(search, "common_name", world.pc)["id"].lower() == world.dn.lower()


def test_a_keytab_that_is_out_of_date(searches, domain, world):
    other = domain.add_user(f"other-{world.tag}")
    keytab = domain.keytab(other)
    domain.modify(other.dn, userAccountControl=514)
    search = opened(searches, domain, world, f"ldap://{HOST}", keytab=str(keytab), identity=None, password=None, ca_file=None)
    answer = search(("common_name", world.pc))
    assert answer["records"] == [] and "the account in keytab is disabled, locked or expired" in answer["detail"], answer


def test_global_catalog(searches, domain, world):
    with socket.socket() as probe:
        if probe.connect_ex((domain.address, 3269)) != 0:
            pytest.skip("this domain controller has no Global Catalog port")
    search = opened(searches, domain, world, f"ldaps://{HOST}:3269", base_dn="", domains=DNS)
    assert one(search, "common_name", world.pc)["id"].lower() == world.dn.lower()
