# SPDX-License-Identifier: GPL-2.0-or-later
"""What a list or an OU may hold that was chosen to do harm, or that nobody thought of: `certdir placeholders` copes."""

import pytest

from testenv import placeholder_worlds as worlds
from testenv.certificates import sequence
from testenv.devices import device_id
from testenv.ldap_proxy import Request
from testenv.ldap_search import Liar, entry, message, result
from testenv.placeholder_fixtures import shared, site, slapd  # noqa: F401
from testenv.placeholder_worlds import GROUP, OU, accounts, filled, plain
from testenv.placeholders import DONE, PROBLEMS, TO_DO, Placeholders
from testenv.slapd import SUFFIX, sid_bytes


HOSTILE = (
    "CN=x,OU=y", f"x,{SUFFIX}", "a+b=c", "*", "a*b)(cn=*", "(|(objectClass=*))", 'say "hello"', "back\\slash",
    "back\\2cslash", "#hash", " blank before", "blank after ", "  ", "a;b<c>d", "=", "host/name", "name$", "NAME$",
    "name", "dollar$$$", "[brackets]:|?", ": colon", "< url", "Müllers Büro", "Größe-Ä", "名前", "🖥️ desk",
    "e\u0301 combining", "a\u202eb", "\u00a0nbsp", "x" * 64, "x" * 65, "y" * 200, "é" * 40, "ends in \\",
    "a/b", "tab\there", "line\nbreak",
    "dn: cn=x\nchangetype: delete", "certdir:wifi:x", "-", "%s%n", "{name}", "$(id)", "\x7f", "\x1b[2J",
)


@pytest.mark.parametrize("template", ("{name}", "{name} {serial_number}", "{entra_device_id}"))
def test_hostile_names(slapd, site, template):
    """Each device has an account that says its name exactly, or is a problem; the undo file takes all of it back."""
    for number, name in enumerate(HOSTILE):
        device = {"displayName": name, "serialNumber": name[::-1] or "x"}
        site.add(f"HOSTILE-{number}", **device)
    site.options.update(name=template, description="{name} / {serial_number}", member_of=GROUP)
    site.publish()
    empty = plain(slapd.contents())
    run = site.apply(code=(DONE, PROBLEMS))
    found = {account.key: account for account in accounts(slapd.contents())}
    assert not set(found) & set(run.problems)
    assert set(found) | set(run.problems) == set(site.devices)
    assert len(found) > len(HOSTILE) // 2
    if template == "{entra_device_id}":
        assert len(found) == len(HOSTILE)
    for key, account in found.items():
        name = site.devices[key]["displayName"]
        if template == "{name}":
            assert account.cn.strip() == name.strip()
        assert account.dn.lower().endswith(OU.lower()) and account.dn.count(",ou=") == 1
        assert len(account.cn) <= 64
        account.account_name.encode("ascii")
        assert len(account.account_name) <= 16 and not set(account.account_name[:-1]) & set('"/\\[]:|<>+=;?,* ')
    assert len({account.account_name.lower() for account in found.values()}) == len(found)
    assert len(slapd.contents(GROUP)[GROUP]["member"]) == len(found)
    plan = site.plan(code=(DONE, PROBLEMS))
    assert plan.actions == [] and plan.problems == run.problems
    says_no_controls(site.plan(json=False))

    undo, = site.undo_files()
    worlds.changes(undo)
    site.take_back(undo)
    assert plain(slapd.contents()) == empty


def says_no_controls(run):
    for text in (run.out, run.err):
        assert not [character for character in text if character != "\n" and not character.isprintable()
                    and ord(character) < 0xa0], text


def test_hostile_entries_in_the_ou(slapd, site):
    """Marks that are nearly ours, values that are no text: foreign, or ours and brought into order; never a crash."""
    filled(site, 4)
    marks = ("certdir:wifi", "certdir:wifi:", "certdir::x", "certdir:wifi:x:gone=yesterday",
             "certdir:wifi:x:gone=9999-99-99T99:99:99Z", "CERTDIR:WIFI:x", " certdir:wifi:x", "certdir:wifi:x\n",
             "certdir:wifi:x\x1b[2J", "certdir:wifi:" + "k" * 300, "certdir:" + "s" * 40 + ":x", "certdir:wifi2:x",
             "certdir:wif:x", "xcertdir:wifi:x", "\U0001f600")
    foreign = {}
    for number, mark in enumerate(marks):
        name = f"odd \x1b[31m,+\"\\ {number}"
        dn = slapd.add_computer(name, parent=OU, sAMAccountName=f"ODD{number}$", adminDescription=mark,
                                servicePrincipalName=[f"HOST/odd{number}", "\x1b]0;title\x07" + str(number)],
                                altSecurityIdentities="X509:<I>\x01<SR>zz")
        foreign[mark] = (dn, slapd.contents(dn))
    run = site.apply(code=(DONE, PROBLEMS))
    ours = {mark for mark, (dn, before) in foreign.items() if slapd.contents(dn) != before}
    assert not ours, f"entries with these marks were taken for ours: {ours}"
    assert len(run.remarks("foreign")) == len(marks)
    says_no_controls(site.plan(json=False))


def test_our_own_accounts_with_odd_values(slapd, site):
    """What somebody wrote into our accounts is put right, in one run."""
    filled(site, 4)
    first, second, third, fourth = (account.dn for account in accounts(slapd.contents()))
    slapd.modify(first, servicePrincipalName=["HOST/x\x1b", "RestrictedKrbHost/*)(", "http/" + "y" * 3000],
                 description=" \x01 ")
    slapd.modify(second, dNSHostName="\u202e", altSecurityIdentities=[
        "X509:<RFC822>kept@corp.example", "Kerberos:kept@CORP.EXAMPLE", "X509:<I>", "X509:<I>CN=x<SR>\x07"])
    slapd.modify(third, userAccountControl=None, sAMAccountName="Z" * 200)
    slapd.modify(fourth, userAccountControl=0x7FFFFFFF, displayName="x" * 100000)
    run = site.apply(code=(DONE, PROBLEMS))
    says_no_controls(site.plan(json=False))
    assert site.plan(code=(DONE, PROBLEMS)).actions == []
    assert len(accounts(slapd.contents())) == 4
    kept = worlds.texts(slapd.contents(second)[second], "altSecurityIdentities")
    assert {"X509:<RFC822>kept@corp.example", "Kerberos:kept@CORP.EXAMPLE"} <= set(kept)
    undo = site.undo_files()[-1]
    assert run.summary["undo"] == str(undo)
    worlds.changes(undo)


def test_two_accounts_with_one_mark(slapd, site):
    """An administrator copied an account: which one is right is not guessed in silence."""
    filled(site, 3)
    one = accounts(slapd.contents())[0]
    slapd.add_computer("COPY", parent=OU, sAMAccountName="COPY$", adminDescription=f"certdir:wifi:{one.key}")
    run = site.apply(code=(DONE, PROBLEMS))
    assert one.key in run.problems
    assert site.plan(code=(DONE, PROBLEMS)).actions == []
    assert not [account for account in accounts(slapd.contents()) if account.dn == one.dn and account.disabled]


# ---- a domain controller that shows a part of very many values (MaxValRange) ----

DOMAIN = "DC=ad,DC=test"
PLACES = f"OU=Placeholders,{DOMAIN}"
ELSEWHERE = f"CN=ODD,CN=Computers,{DOMAIN}"
PIECES = {"servicePrincipalName": [], "servicePrincipalName;range=0-1499": [b"HOST/one", b"HOST/of-thousands"]}


def computer(name, number, **more):
    """A placeholder as Active Directory shows it."""
    return entry(f"CN={name},{PLACES}".encode(), **{
        "objectClass": [b"top", b"computer"], "adminDescription": [f"certdir:wifi:{device_id(name)}".encode()],
        "sAMAccountName": [f"{name}$".encode()], "userAccountControl": [b"4096"], "uSNChanged": [b"%d" % number],
        "whenCreated": [b"20260130120000.0Z"], "pwdLastSet": [b"134142480000000000"],
        "servicePrincipalName": [f"HOST/{name}".encode()], **more})


class Controller(Liar):
    """Says that it is a domain controller, and has an OU with three accounts."""

    def __init__(self):
        self.asked = []
        super().__init__(self.answer)

    def entries(self, request, body):
        if not request.dn:
            return [entry(b"", supportedCapabilities=[b"1.2.840.113556.1.4.800"], namingContexts=[DOMAIN.encode()])]
        if request.dn == PLACES and request.scope == 2:
            return [entry(PLACES.encode(), objectClass=[b"organizationalUnit"]), computer("GONE", 1),
                    computer("ODD", 2, **PIECES), computer("KEPT", 3)]
        if request.dn in (PLACES, DOMAIN) and request.scope == 0:
            more = {"objectSid": [sid_bytes("S-1-5-21-1-2-3")]} if request.dn == DOMAIN else {}
            return [entry(request.dn.encode(), objectClass=[b"top"], **more)]
        if b"HOST/NEW" in body or b"OTHER$" in body:
            self.asked.append(body.count(b"HOST/"))
            return [entry(ELSEWHERE.encode(), sAMAccountName=[b"OTHER$"], **PIECES)]
        return []

    def answer(self, number):
        found = self.entries(Request(sequence(self.last)), self.last)
        return b"".join(message(number, one) for one in found) + message(number, result(0x65, 0))


def test_an_account_with_thousands_of_values(tmp_path):
    """It is left alone and told, and whoever has a name among values that are not shown has it; nobody else is kept from theirs."""
    server = Controller()
    try:
        site = Placeholders(tmp_path / "site", server=server.uri, identity="svc@ad.test", ou=PLACES, name="{name}",
                            service_principal_name="HOST/{cn}", max_remove="100%")
        site.options["password_file"] = site.secret_file("password", "secret")
        for name in ("KEPT", "NEW", "FREE", "OTHER"):
            site.list.add(name)
        site.list.publish()
        plan = site.plan(code=TO_DO)
    finally:
        server.close()
    assert plan.actions == [("create", "FREE"), ("disable", "GONE")]
    problems = plan.remarks("problem")
    assert "its servicePrincipalName has more values than the server gives at once" in problems[device_id("ODD")]
    assert f"servicePrincipalName \"HOST/NEW\" is held by {ELSEWHERE}" in problems[device_id("NEW")]
    assert f"OTHER$\" is that of {ELSEWHERE}" in problems[device_id("OTHER")]
    assert server.asked[0] > 1 and set(server.asked[1:]) <= {0, 1}, "asked about each alone: what is shown does not explain all"
