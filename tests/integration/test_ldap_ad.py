# SPDX-License-Identifier: GPL-2.0-or-later
"""The module's LDAP directory against a real domain controller (Samba): what it finds, how it binds, and logins."""

import socket
import uuid
from types import SimpleNamespace

import ldap
import pytest

from testenv.dns import Names, srv
from testenv.driver import build_driver
from testenv.ldap_search import Searches
from testenv.logins import enter
from testenv.radiusd import Radiusd
from testenv.samba import BASE, DNS, HOST, USERS

MAPPING = "X509:<I>DC=test,DC=ad,CN=CA<SR>0a1b2c3d4e5f"
LONG_AGO = 133485408000000000  # as accountExpires has it


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
    domain.add_computer(world.late, world.ou, accountExpires=LONG_AGO)
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
    assert one(search, "common_name", world.late)["expires"] == (LONG_AGO // 10**7) - 11644473600
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


# ---- people ----

DOMAIN_USERS = f"CN=Domain Users,{USERS}"
PEOPLE = """
certdir {{
	directories = "ldap"
	certificates staff {{ issuer = "CN=certdir test CA", holder = user
		upn = "san.upn", user_sid = "ext.sid", vouched = "ext.sid" }}
	ldap {{ server = "{uri}", identity = "{reader.identity}", password = "{reader.password}", base_dn = "{base}"
		tls {{ ca_file = "{ca}" }}
		options {{ deadline = 10.0, net_timeout = 5, res_timeout = 10, remember = 0 }}
	}}
	policy {{ require_group = "{groups[0]}", require_group = "{groups[1]}" }}
}}
"""


class Staff:
    """People of the domain, and their logins."""

    def __init__(self, domain, pki, world, server):
        self.domain, self.pki, self.tag, self.server = domain, pki, world.tag, server

    def upn(self, name):
        return f"{name}-{self.tag}@{DNS}"

    def add(self, name, **attributes):
        user = self.domain.add_user(f"{name}-{self.tag}")
        self.domain.modify(user.dn, userPrincipalName=self.upn(name), **attributes)
        return user

    def change(self, group, operation, user):
        with self.domain.connected() as connection:
            connection.modify_s(group, [(operation, "member", [user.dn.encode()])])

    def move(self, user, group):
        """Makes a group their primary one, and takes them out of Domain Users, where the server leaves them."""
        self.change(group, ldap.MOD_ADD, user)
        self.domain.modify(user.dn, primaryGroupID=self.domain.rid(group))
        self.change(DOMAIN_USERS, ldap.MOD_DELETE, user)

    def login(self, upn, sid=None):
        """What is decided of a certificate with such names: the reason."""
        names = {"san": [{"upn": upn}] if upn else [], **({"sid": sid} if sid else {})}
        attempt, decision = enter(self.server, self.pki, self.pki.issue(subject=[["CN", "x"]], **names))
        assert attempt.accepted is (decision.reason == "allowed"), decision.line
        return decision.reason


@pytest.fixture(scope="module")
def staff(tmp_path_factory, domain, world, pki):
    module = PEOPLE.format(uri=domain.ldaps_uri, reader=world.reader, base=BASE, ca=domain.ca_file,
                           groups=(world.outer, DOMAIN_USERS))
    with Radiusd(tmp_path_factory.mktemp("people"), pki.trust, module) as server:
        yield Staff(domain, pki, world, server)


def test_people(domain, world, staff):
    """By the default user_filter: who is disabled, expired, in no group or gone stays out, and so do computers."""
    anna = staff.add("anna")
    assert staff.login(staff.upn("anna"), anna.sid) == "allowed", "by the primary group, Domain Users"
    assert staff.login(staff.upn("anna")) == staff.login(None, anna.sid) == "allowed", "by either name alone"
    domain.modify(anna.dn, userPrincipalName=staff.upn("anna.new"))
    assert staff.login(staff.upn("anna"), anna.sid) == "allowed", "the SID is still hers, with the UPN of before"
    assert staff.login(staff.upn("anna")) == "not-found"

    ben = staff.add("ben")
    staff.move(ben, world.primary)
    assert staff.login(staff.upn("ben"), ben.sid) == "not-in-group"
    staff.change(world.inner, ldap.MOD_ADD, ben)
    assert staff.login(staff.upn("ben"), ben.sid) == "allowed", "by a group in the group"

    assert staff.login(staff.upn("off"), staff.add("off", userAccountControl=514).sid) == "disabled"
    assert staff.login(staff.upn("late"), staff.add("late", accountExpires=LONG_AGO).sid) == "disabled"
    domain.modify(ben.dn, userAccountControl=514)
    assert staff.login(staff.upn("ben"), ben.sid) == "disabled", "from now on"

    assert staff.login(f"host-{world.pc}@{DNS}", domain.sid(world.dn)) == "not-found", "a computer is no person"
    assert staff.login(f"host-{world.pc}@{DNS}") == "not-found"

    gone = staff.add("gone")
    domain.delete(gone.dn)
    assert staff.login(staff.upn("gone"), gone.sid) == "not-found"
    assert staff.login(staff.upn("gone")) == "not-found"
    staff.add("gone")
    assert staff.login(staff.upn("gone")) == "allowed"
    assert staff.login(staff.upn("gone"), gone.sid) == "not-found", "another one who was given the same UPN"
