# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading an LDAP directory whole and writing to it, against a real slapd, and against servers that break or lie."""

import os
import urllib.parse

import pytest

from testenv.certificates import Authority, sequence, tlv
from testenv.driver import build_driver
from testenv.ldap_keeper import RES_TIMEOUT, Keeper
from testenv.ldap_search import Liar, answering, entry, message, result
from testenv.slapd import ADMIN, ADMIN_PASSWORD, DEVICES, READER, READER_PASSWORD, SUFFIX, Slapd

FEW = f"cn=few,{SUFFIX}"  # gets few entries, however many pages they are on


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """The program that keeps a directory, built against the core library."""
    return build_driver(tmp_path_factory.mktemp("driver"), "ldap_operation")


def come(**attributes):
    return [{"attribute": name, "come": value if isinstance(value, list) else [value]}
            for name, value in attributes.items()]


def add(name, parent=DEVICES, **attributes):
    return {"verb": "add", "dn": f"cn={name},{parent}",
            "changes": come(objectClass="computer", cn=name, sAMAccountName=f"{name}$", **attributes)}


def modify(dn, *changes):
    return {"verb": "modify", "dn": dn, "changes": list(changes)}


def change(attribute, gone=(), new=(), **more):
    return {"attribute": attribute, "gone": list(gone), "come": list(new), **more}


@pytest.fixture(scope="module")
def authority():
    return Authority("ldap operation CA")


@pytest.fixture(scope="module")
def slapd(tmp_path_factory, authority):
    with Slapd(tmp_path_factory.mktemp("slapd") / "1", authority,
               access=f"access to attrs=uSNChanged by dn.exact={READER} =sc by users read\n"
                      f'limits dn.exact="{FEW}" size.soft=20 size.hard=20 size.prtotal=hard') as server:
        server.add_entry(FEW, objectClass="person", cn="few", sn="few", userPassword="few-password")
        yield server


@pytest.fixture
def own_slapd(tmp_path, authority):
    """Starts a server that the test may break."""
    servers = []

    def start(**settings):
        servers.append(Slapd(tmp_path / f"slapd{len(servers)}", authority, **settings).start())
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def keeper(driver):
    """Opens connections that end, cleanly, with the test."""
    running = []

    def open_one(server, **options):
        if "bind" not in options:
            options = {"identity": ADMIN, "password": ADMIN_PASSWORD, **options}
        one = Keeper(driver, server, **options)
        running.append(one)
        return one

    yield open_one
    for one in running:
        one.close()


@pytest.fixture
def keep(keeper, slapd):
    one = keeper(slapd.uri)
    assert one.opened["status"] == "ok", one.opened
    return one


@pytest.fixture
def ou(slapd, request):
    """A place of the test's own."""
    name = request.node.name.replace("[", "-").replace("]", "").replace("=", "-").replace(",", "-")
    slapd.add_entry(f"ou={name},{SUFFIX}", objectClass="organizationalUnit", ou=name)
    return f"ou={name},{SUFFIX}"


# ---- listing ----


@pytest.fixture(scope="module")
def many(slapd, driver):
    """2,500 entries, more than the server gives at once, made 500 at a time."""
    one = Keeper(driver, slapd.uri, identity=ADMIN, password=ADMIN_PASSWORD)
    parent = f"ou=Many,{SUFFIX}"
    slapd.add_entry(parent, objectClass="organizationalUnit", ou="Many")
    for i in range(0, 2500, 500):
        assert one.statuses(*(add(f"many-{n}", parent, description=f"number {n}") for n in range(i, i + 500))) == \
            ["ok"] * 500
    one.close()
    return parent


@pytest.mark.parametrize("page", [7, 1000])
def test_every_entry_is_listed_once(keeper, slapd, many, page):
    listed = keeper(slapd.uri, identity=READER, password=READER_PASSWORD).list(
        many, scope="one", page=page, attributes=["cn", "description"])
    assert (listed["status"], listed["count"]) == ("ok", 2500)
    found = {dn: dict(values) for dn, values in listed["entries"]}
    assert found == {f"cn=many-{n},{many}": {"cn": f"many-{n}", "description": f"number {n}"} for n in range(2500)}


def test_a_list_that_is_cut_is_no_list(keeper, slapd, many):
    listed = keeper(slapd.uri, identity=READER, password=READER_PASSWORD).list(many, scope="one")
    assert listed["status"] == "size-limit" and many in listed["error"] and "Raise it for this account" in listed["error"]


@pytest.mark.parametrize("page", [0, 7, 20, 1000])
def test_a_size_limit_is_told_with_the_line_that_raises_it(keeper, slapd, many, page):
    """OpenLDAP's holds for the sum of all pages."""
    listed = keeper(slapd.uri, identity=FEW, password="few-password").list(many, scope="one", page=page)
    assert listed["status"] == "size-limit"
    assert listed["error"].startswith(f'{slapd.uri}: "{many}": the server does not give all entries: it ended after 20, for its size limit')
    assert listed["error"].endswith(f'limits dn.exact="{FEW}" size.soft=unlimited size.hard=unlimited')


def test_scopes(keep, ou):
    assert keep.statuses(add("a", ou), {"verb": "add", "dn": f"ou=b,{ou}",
                                        "changes": come(objectClass="organizationalUnit", ou="b")}) == ["ok"] * 2
    assert keep.statuses(add("c", f"ou=b,{ou}")) == ["ok"]
    for scope, dns in (("base", {ou}), ("one", {f"cn=a,{ou}", f"ou=b,{ou}"}),
                       ("sub", {ou, f"cn=a,{ou}", f"ou=b,{ou}", f"cn=c,ou=b,{ou}"})):
        assert {dn for dn, _ in keep.list(ou, scope=scope, page=100)["entries"]} == dns
    assert [dn for dn, _ in keep.list(ou, filter="(cn=c)", page=1)["entries"]] == [f"cn=c,ou=b,{ou}"]


def test_root_dse(keep):
    listed = keep.list("", scope="base", attributes=["namingContexts", "supportedControl"])
    assert listed["status"] == "ok"
    (dn, values), = listed["entries"]
    assert dn == "" and ["namingContexts", SUFFIX] in values
    assert ["supportedControl", "1.2.840.113556.1.4.319"] in values


def test_missing_base(keep):
    listed = keep.list(f"ou=Nowhere,{SUFFIX}", page=10)
    assert listed["status"] == "no-object" and f"\"ou=Nowhere,{SUFFIX}\": No such object" in listed["error"]
    assert keep.list("nonsense")["status"] == "failed"
    listed = keep.list(filter="(cn")
    assert listed["status"] == "failed" and "Bad search filter" in listed["error"]
    assert keep.list()["status"] == "ok", "the connection is good"


def test_the_caller_ends_a_list(keep, many):
    listed = keep.list(many, page=100, refuse_at=150)
    assert (listed["status"], listed["error"], listed["count"]) == ("failed", "the test wants no more", 150)
    assert keep.list(many, page=1000, scope="one")["count"] == 2500, "nothing of the broken list is left over"


def test_options_are_other_attributes(keep, ou):
    assert keep.statuses(add("a", ou, description=["plain"])) == ["ok"]
    assert keep.statuses(modify(f"cn=a,{ou}", change("description;lang-de", new=["deutsch"]))) == ["ok"]
    assert keep.list(ou, scope="one", attributes=["description"])["entries"] == [
        [f"cn=a,{ou}", [["description", "plain"]]]]


# ---- operations ----


def test_modify(keep, slapd, ou):
    dn = f"cn=a,{ou}"
    assert keep.statuses(add("a", ou, servicePrincipalName=["HOST/a", "HOST/b"], userAccountControl="4096")) == ["ok"]
    assert keep.statuses(modify(dn, change("servicePrincipalName", ["HOST/b"], ["HOST/c", "HOST/d"]),
                                change("description", new=["new"]),
                                change("userAccountControl", ["1"], ["4098"], whole=True))) == ["ok"]
    entry_now = slapd.contents(ou)[dn]
    assert entry_now["servicePrincipalName"] == [b"HOST/a", b"HOST/c", b"HOST/d"]
    assert entry_now["description"] == [b"new"] and entry_now["userAccountControl"] == [b"4098"]
    assert keep.statuses(modify(dn, change("description", whole=True), change("displayName", whole=True))) == ["ok"]
    assert "description" not in slapd.contents(ou)[dn]


@pytest.mark.parametrize("changes,words", [
    ([change("description", ["wrong"], ["new"])], "No such attribute"),
    ([change("serialNumber", ["wrong"])], "No such attribute"),
    ([change("description", new=["right"])], "Type or value exists"),
    ([change("displayName", new=["x"]), change("description", ["wrong"])], "No such attribute"),
])
def test_an_entry_that_is_not_as_we_saw_it(keep, slapd, ou, changes, words):
    assert keep.statuses(add("a", ou, description="right")) == ["ok"]
    before = slapd.contents(ou)
    answer = keep.one("modify", f"cn=a,{ou}", changes=changes)
    assert answer["status"] == "changed" and words in answer["text"]
    assert slapd.contents(ou) == before


def test_a_removal_without_values_removes_nothing(keep, slapd, ou):
    """In LDAP it would remove them all."""
    dn = f"cn=a,{ou}"
    assert keep.statuses(add("a", ou, description="kept")) == ["ok"]
    assert keep.statuses(modify(dn, change("description"), change("displayName", new=["x"]))) == ["ok"]
    assert slapd.contents(ou)[dn]["description"] == [b"kept"]


def test_rename(keep, slapd, ou):
    slapd.add_entry(f"ou=below,{ou}", objectClass="organizationalUnit", ou="below")
    assert keep.statuses(add("a", ou), add("b", ou)) == ["ok"] * 2
    assert keep.one("rename", f"cn=a,{ou}", rdn="cn=new", parent=f"ou=below,{ou}")["status"] == "ok"
    contents = slapd.contents(ou)
    assert f"cn=a,{ou}" not in contents and contents[f"cn=new,ou=below,{ou}"]["cn"] == [b"new"]
    assert keep.one("rename", f"cn=b,{ou}", rdn="cn=new", parent=f"ou=below,{ou}")["status"] == "exists"
    assert keep.one("rename", f"cn=a,{ou}", rdn="cn=z", parent=ou)["status"] == "no-object"


def test_delete(keep, slapd, ou):
    assert keep.statuses(add("a", ou)) == ["ok"]
    assert keep.one("delete", f"cn=a,{ou}")["status"] == "ok"
    assert f"cn=a,{ou}" not in slapd.contents(ou)
    answer = keep.one("delete", f"cn=a,{ou}")
    assert answer["status"] == "no-object" and answer["text"].startswith("No such object")


@pytest.mark.parametrize("operation,status", [
    (add("a"), "exists"),
    (add("x", f"ou=Nowhere,{SUFFIX}"), "no-object"),
    (add("x", description=""), "constraint"),
    (add("x", nonsense="x"), "failed"),
    (add("x", userAccountControl=["1", "2"]), "constraint"),
    (modify(f"cn=a,{DEVICES}", change("userAccountControl", new=["many"])), "constraint"),
    (modify(f"cn=a,{DEVICES}", change("namingContexts", new=["x"])), "constraint"),
    ({"verb": "delete", "dn": DEVICES}, "not-leaf"),
    ({"verb": "delete", "dn": "nonsense"}, "failed"),
])
def test_refused(keep, slapd, operation, status):
    keep.run(add("a"))
    before = slapd.contents()
    answer = keep.run(operation)[0]
    assert answer["status"] == status, answer
    assert answer["text"] and slapd.contents() == before


def test_without_rights(keep, keeper, slapd, ou):
    assert keep.statuses(add("a", ou)) == ["ok"]
    before = slapd.contents(ou)
    reader = keeper(slapd.uri, identity=READER, password=READER_PASSWORD)
    dn = f"cn=a,{ou}"
    assert reader.statuses(add("b", ou), modify(dn, change("description", new=["x"])), {"verb": "delete", "dn": dn},
                           {"verb": "rename", "dn": dn, "rdn": "cn=z", "parent": ou}) == ["denied"] * 4
    assert slapd.contents(ou) == before


def test_read(keep, keeper, slapd, ou):
    dn = f"cn=a,{ou}"
    assert keep.statuses(add("a", ou, uSNChanged="77", description=["x" * 128], displayName="y" * 127)) == ["ok"]

    def read(attribute, where=dn, by=keep):
        answer = by.one("read", where, attribute=attribute)
        return answer["status"], answer["found"], answer["value"]

    assert read("uSNChanged") == read("usnchanged") == ("ok", True, "77")
    assert read("displayName") == ("ok", True, "y" * 127)
    assert read("description") == ("ok", False, ""), "longer than an answer holds"
    assert read("serialNumber") == ("ok", False, "")
    assert read("cn", f"cn=b,{ou}") == ("no-object", False, "")
    status, found, version = read("entryCSN")
    assert (status, found) == ("ok", True) and version == slapd.contents(ou)[dn]["entryCSN"][0].decode()
    reader = keeper(slapd.uri, identity=READER, password=READER_PASSWORD)
    assert read("uSNChanged", by=reader) == ("ok", False, "")


def test_many_on_the_way_at_once(keep, slapd, ou):
    """Each answer is told apart, whatever it is and in whatever order they come."""
    operations, statuses = [], []
    for n in range(500):
        operations += [add(f"{n}", ou)]
        statuses += ["ok"]
    assert keep.statuses(*operations) == statuses
    operations, statuses = [], []
    for n in range(200):
        operations += [{"verb": "read", "dn": f"cn={n},{ou}", "attribute": "sAMAccountName"},
                       {"verb": "delete", "dn": f"cn=missing-{n},{ou}"},
                       modify(f"cn={n + 200},{ou}", change("description", new=[f"{n}"])),
                       add(f"{n}", ou)]
        statuses += ["ok", "no-object", "ok", "exists"]
    answers = keep.run(*operations)
    assert [answer["status"] for answer in answers] == statuses
    assert [answer["value"] for answer in answers[::4]] == [f"{n}$" for n in range(200)]
    contents = slapd.contents(ou)
    assert len(contents) == 501
    assert all(contents[f"cn={n + 200},{ou}"]["description"] == [str(n).encode()] for n in range(200))
    assert keep.list(ou, scope="one", page=100)["count"] == 500, "a list and operations share the connection"


# ---- servers that do not take changes ----


def test_read_only_database(keeper, own_slapd):
    server = own_slapd()
    server.stop()
    server.config.write_text(server.config.read_text().replace("maxsize", "readonly on\nmaxsize", 1))
    server.start()
    keep = keeper(server.uri)
    for operation in (add("a"), modify(DEVICES, change("description", new=["x"])), {"verb": "delete", "dn": READER},
                      {"verb": "rename", "dn": READER, "rdn": "cn=z", "parent": SUFFIX}):
        answer = keep.run(operation)[0]
        assert answer["status"] == "read-only" and "operation restricted" in answer["text"]


def test_referral(keeper, own_slapd):
    keep = keeper(own_slapd(settings="referral ldap://elsewhere.example").uri)
    answer = keep.run(add("a", "dc=other,dc=example"))[0]
    assert answer["status"] == "read-only"
    assert answer["text"].startswith("Referral, to ldap://elsewhere.example/")
    assert keep.list("dc=other,dc=example")["status"] == "read-only"


# ---- servers that are not there any more ----


def test_stopped_server(keeper, own_slapd):
    server = own_slapd()
    on_list, on_receive, on_send = (keeper(server.uri) for _ in range(3))
    server.pause()
    listed = on_list.list(page=10)
    assert listed["status"] == "timeout" and f"{server.uri}: no answer within {RES_TIMEOUT} s" in listed["error"]
    assert RES_TIMEOUT - 0.1 < listed["seconds"] < RES_TIMEOUT + 0.5
    assert on_receive.send(*(add(f"{n}") for n in range(50)))["status"] == "ok"
    received = on_receive.receive(50)
    assert received["status"] == "timeout" and received["answers"] == []
    assert RES_TIMEOUT - 0.1 < received["seconds"] < RES_TIMEOUT + 0.5
    # More than the socket takes: only the watchdog ends this.
    sent = on_send.send(add("large", description=["x" * (32 << 20)]))
    assert sent["status"] == "timeout" and server.uri in sent["error"]
    assert RES_TIMEOUT - 0.1 < sent["seconds"] < RES_TIMEOUT + 0.5
    opening = keeper(server.uri).opened
    assert opening["status"] == "timeout" and opening["seconds"] < RES_TIMEOUT + 0.5
    server.resume()


def test_connection_cut_in_the_middle(keeper, own_slapd):
    server = own_slapd()
    keep, other = keeper(server.uri), keeper(server.uri)
    assert keep.statuses(add("a")) == ["ok"]
    server.pause()
    assert keep.send(*(add(f"{n}") for n in range(500)))["status"] == "ok"
    server.kill()
    received = keep.receive(500)
    assert received["status"] == "lost" and received["answers"] == []
    assert received["error"].startswith(f"{server.uri}: Can't contact LDAP server")
    for _ in range(2):
        assert keep.send(*(add(f"{n}") for n in range(100)))["status"] == "lost", "and is not found again by itself"
    assert other.list(page=10)["status"] == "lost"


def test_server_ends_in_the_middle_of_many(keeper, own_slapd):
    """What was answered was done; of the others nobody knows."""
    server = own_slapd()
    keep = keeper(server.uri)
    assert keep.send(*(add(f"{n}") for n in range(800)))["status"] == "ok"
    first = keep.receive(200)
    server.process.kill()
    server.process.wait()
    rest = keep.receive(800)
    assert (first["status"], rest["status"]) == ("ok", "lost")
    server.start()
    done = sum(1 for answer in first["answers"] + rest["answers"] if answer["status"] == "ok")
    assert 200 <= done <= keeper(server.uri).list(scope="one", page=1000)["count"] <= 800


# ---- binds ----


@pytest.fixture(scope="module")
def external(tmp_path_factory, authority):
    """A server that knows a client certificate, and root on its socket, as the administrator."""
    class Listening(Slapd):
        """On a socket of the file system, too."""

        @property
        def local_uri(self):
            return "ldapi://" + urllib.parse.quote(str(self.directory / "ldapi"), safe="")

        @property
        def ldaps_uri(self):
            return f"{self.local_uri}/ ldaps://127.0.0.1:{self.tls_port}"

    directory = tmp_path_factory.mktemp("external")
    with Listening(directory / "1", authority, settings=f"""\
TLSVerifyClient allow
authz-regexp "^cn=job$" "{ADMIN}"
authz-regexp "^gidNumber={os.getgid()}.uidNumber={os.getuid()},cn=peercred,cn=external,cn=auth$" "{ADMIN}"
""") as server:
        certificate, key = authority.issue(subject=[["CN", "job"]]).write(directory, "job")
        stranger, stranger_key = Authority("another CA").issue(subject=[["CN", "job"]]).write(directory, "stranger")
        server.job = {"bind": "external", "ca_file": str(server.ca_file), "certificate_file": str(certificate),
                      "private_key_file": str(key)}
        server.stranger = {**server.job, "certificate_file": str(stranger), "private_key_file": str(stranger_key)}
        yield server


@pytest.mark.parametrize("kind", ["ldapi", "ldaps", "start_tls"])
def test_external(keeper, external, kind):
    keep = {"ldapi": lambda: keeper(external.local_uri, bind="external"),
            "ldaps": lambda: keeper(f"ldaps://127.0.0.1:{external.tls_port}", **external.job),
            "start_tls": lambda: keeper(external.uri, start_tls=True, **external.job)}[kind]()
    assert keep.opened["status"] == "ok", keep.opened
    assert keep.statuses(add(f"by-{kind}")) == ["ok"]


def test_external_with_a_certificate_that_is_not_known(keeper, external):
    opened = keeper(f"ldaps://127.0.0.1:{external.tls_port}", **external.stranger).opened
    assert opened["status"] == "refused" and "the certificate in certificate_file" in opened["error"]


def test_external_is_for_those_who_have_something_to_show(keeper, external):
    for server, options in ((external.uri, {}), ("ldaps://127.0.0.1", {}), ("ldap://127.0.0.1", external.job),
                            ("ldaps://127.0.0.1", {**external.job, "private_key_file": ""}),
                            ("ldap://127.0.0.1", {"start_tls": True, "ca_file": str(external.ca_file)})):
        opened = keeper(server, **{"bind": "external", **options}).opened
        assert not opened["acceptable"] and "EXTERNAL is for ldapi://, or for TLS with" in opened["error"]


def keytab_of(realm, name, key):
    """A keytab with one key (MIT's file format 0502)."""
    counted = [len(text).to_bytes(2, "big") + text for text in (realm.encode(), name.encode(), key)]
    entry_bytes = b"".join([b"\0\1", *counted[:2], bytes(3), b"\1", bytes(4), b"\1", b"\0\x11", counted[2]])
    return b"\5\2" + len(entry_bytes).to_bytes(4, "big") + entry_bytes


@pytest.mark.parametrize("tls", [False, True])
def test_gssapi_without_what_it_needs(keeper, slapd, tmp_path, tls):
    keytab = tmp_path / "keytab"
    options = {"server": slapd.ldaps_uri if tls else slapd.uri, "bind": "gssapi", "ca_file": str(slapd.ca_file),
               "keytab": str(keytab)}
    # Neither of these is looked at: the keytab of the configuration is the one that counts.
    environment = {"KRB5_CLIENT_KTNAME": "/dev/null", "KRB5CCNAME": "FILE:/dev/null", "KRB5_CONFIG": "/dev/null"}
    opened = keeper(**options, environment=environment).opened
    assert not opened["acceptable"] and f'keytab "{keytab}" cannot be read' in opened["error"], opened
    keytab.write_bytes(b"")
    opened = keeper(**options, environment=environment).opened
    assert opened["acceptable"] and opened["status"] == "refused", opened
    assert "check keytab: the file must be there" in opened["error"]
    keytab.write_bytes(keytab_of("TEST", "radius", bytes(16)))
    opened = keeper(**options, environment=environment).opened
    assert opened["acceptable"] and opened["status"] == "failed", opened
    assert "name the realm's domain controllers in /etc/krb5.conf" in opened["error"]


def test_simple_bind_errors_are_as_before(keeper, slapd):
    opened = keeper(slapd.uri, password="wrong").opened
    assert opened["status"] == "refused"
    assert opened["error"].endswith("Invalid credentials: check identity and password")


# ---- servers that lie ----


@pytest.fixture
def liar():
    running = []

    def start(reply):
        running.append(Liar(reply))
        return running[-1]

    yield start
    for server in running:
        server.close()


def page(number, cookie, *dns):
    """A page of a listing that ends with a cookie."""
    value = sequence(tlv(0x02, b"\0"), tlv(0x04, cookie))
    control = tlv(0xA0, sequence(tlv(0x04, b"1.2.840.113556.1.4.319"), tlv(0x04, value)))
    return b"".join(message(number, entry(dn, cn=[b"x"])) for dn in dns) + sequence(
        tlv(0x02, bytes([number])), result(0x65, 0), control)


@pytest.mark.parametrize("cycle", [1, 2, 3, 7])
def test_pages_in_a_circle(keeper, liar, cycle):
    server = liar(lambda number: page(number, b"more", b"cn=%d,dc=x" % (number % cycle), b"cn=last,dc=x"))
    listed = keeper(server.uri).list("dc=x", page=2)
    assert listed["status"] == "failed"
    assert "\"dc=x\": the server sends the same page of the list again" in listed["error"]
    assert server.searches <= 3 * cycle + 1


def test_a_circle_after_good_pages(keeper, liar):
    server = liar(lambda number: page(number, b"more", b"cn=%d,dc=x" % (number if number < 20 else number % 3)))
    listed = keeper(server.uri).list("dc=x", page=1)
    assert listed["status"] == "failed" and server.searches < 70


def test_one_cookie_for_all_pages_is_no_circle(keeper, liar):
    server = liar(lambda number: page(number, b"same" if number < 100 else b"", b"cn=%d,dc=x" % number))
    listed = keeper(server.uri).list("dc=x", page=1)
    assert (listed["status"], listed["count"]) == ("ok", server.searches)
    assert server.searches == 99


def test_empty_pages(keeper, liar):
    server = liar(lambda number: page(number, b"more"))
    listed = keeper(server.uri).list("dc=x", page=10)
    assert listed["status"] == "failed" and "empty pages" in listed["error"] and server.searches == 100
    some = liar(lambda number: page(number, b"more" if number < 60 else b"", *[b"cn=%d" % number] * (number % 40 == 0)))
    listed = keeper(some.uri).list("dc=x", page=10)
    assert (listed["status"], listed["count"]) == ("ok", 1)


def test_a_server_that_knows_no_pages(keeper, liar):
    everything = liar(answering(entry(b"cn=a,dc=x", cn=[b"a"])))
    listed = keeper(everything.uri).list("dc=x", page=10)
    assert (listed["status"], listed["count"]) == ("ok", 1)
    nothing = answering()
    forgets = liar(lambda number: page(number, b"more", b"cn=a,dc=x") if number == 2 else nothing(number))
    listed = keeper(forgets.uri).list("dc=x", page=10)
    assert listed["status"] != "ok" and "\"dc=x\"" in listed["error"], "the rest of the list did not come"


@pytest.mark.parametrize("code,status", [(4, "size-limit"), (3, "failed"), (11, "failed"), (12, "failed"), (51, "lost"),
                                         (50, "denied"), (1, "failed")])
def test_an_end_that_is_none(keeper, liar, code, status):
    server = liar(answering(entry(b"cn=a,dc=x", cn=[b"a"]), code=code))
    listed = keeper(server.uri).list("dc=x", page=10)
    assert listed["status"] == status and listed["error"].startswith(f"{server.uri}: \"dc=x\": ")
    assert "base_dn" not in listed["error"] and "srv_timelimit" not in listed["error"]


def test_values_in_pieces(keeper, liar):
    server = liar(answering(entry(b"cn=a,dc=x", **{
        "cn": [b"a"], "memberOf": [], "memberOf;Range=0-1499": [b"cn=b,dc=x"]})))
    listed = keeper(server.uri).list("dc=x", page=10)
    assert listed["status"] == "failed" and listed["entries"] == []
    assert "\"cn=a,dc=x\" has more values" in listed["error"] and "memberOf;Range=0-1499" in listed["error"]


def test_a_page_without_an_end(keeper, liar):
    server = liar(lambda number: b"".join(message(number, entry(b"cn=%d,dc=x" % n, cn=[b"x"])) for n in range(50)))
    listed = keeper(server.uri).list("dc=x", page=10)
    assert listed["status"] == "timeout" and RES_TIMEOUT - 0.1 < listed["seconds"] < RES_TIMEOUT + 0.5


def unsolicited(oid):
    """A notification that answers nothing; the notice of disconnection is one (RFC 4511 4.4.1)."""
    return message(0, tlv(0x78, tlv(0x0A, b"\x34") + tlv(0x04, b"") + tlv(0x04, b"going\ndown") + tlv(0x8A, oid)))


@pytest.mark.parametrize("reply,words", [
    (lambda number: None, "Can't contact LDAP server"),
    (lambda number: b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20, ""),
    (lambda number: message(number, tlv(0x64, b"\xff\xff\xff")) + message(number, result(0x65, 0)), ""),
    (lambda number: unsolicited(b"1.3.6.1.4.1.1466.20036"), "going down"),
    (lambda number: unsolicited(b"1.2.3"), "going down"),
])
def test_reading_one_breaks(keeper, liar, reply, words):
    server = liar(reply)
    keep = keeper(server.uri)
    assert keep.send({"verb": "read", "dn": "cn=a,dc=x", "attribute": "cn"})["status"] == "ok"
    received = keep.receive(1)
    if received["status"] == "ok":
        assert not received["answers"][0]["found"]
    else:
        assert received["status"] in ("lost", "timeout") and words in received["error"], received


@pytest.mark.parametrize("values,found", [
    ([b"7"], True), ([b"7", b"8"], True), ([b""], True), ([b"7\0"], False), ([], False),
])
def test_hostile_value(keeper, liar, values, found):
    server = liar(answering(entry(b"cn=a,dc=x", uSNChanged=values)))
    answer = keeper(server.uri).one("read", "cn=a,dc=x", attribute="uSNChanged")
    assert (answer["status"], answer["found"]) == ("ok", found)
    assert answer["value"] == (values[0].decode() if found else "")
