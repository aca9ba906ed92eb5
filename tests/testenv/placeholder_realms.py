# SPDX-License-Identifier: GPL-2.0-or-later
"""
Directories for histories of `certdir placeholders`, a slapd and a real domain, told the same in the same words: an OU
of ours with one below it, a group, a place of others, and a proxy before the server.
"""

import contextlib
import itertools
import uuid

import ldap
from ldap.controls import RequestControl
from ldap.dn import escape_dn_chars

from testenv import placeholder_worlds as worlds
from testenv.ldap_proxy import LdapProxy
from testenv.placeholder_hands import ALL, DELETION
from testenv.samba import DNS, WRITTEN, SambaDomain, password_value
from testenv.slapd import ADMIN, ADMIN_PASSWORD

TREE_DELETE = RequestControl("1.2.840.113556.1.4.805", True)  # MS-ADTS 3.1.1.3.4.1.15


class Realm:
    """What both can."""

    identity = None  # the attribute that no two entries ever have in common
    dns = None
    options = {}  # of [placeholders], to get in
    takes_back = True  # whether the way back is the whole way
    has_members = False  # whether computers can be joined to it
    escape = staticmethod(escape_dn_chars)

    def accounts(self, contents=None):
        return worlds.accounts(self.contents() if contents is None else contents, ou=self.ou)

    def foreign(self, contents=None):
        """What is not ours, with all that there is to know of it; and who is in the group and not ours."""
        contents = dict(self.contents() if contents is None else contents)
        ours = {account.dn for account in self.accounts(contents)}
        members = contents.pop(self.group).get("member", [])
        # hasSubordinates is an answer about others.
        return ({dn: {name: values for name, values in entry.items() if name != "hasSubordinates"}
                 for dn, entry in contents.items() if dn not in ours},
                [member for member in members if member.decode() not in ours])

    def is_member(self, account, members):
        return account.dn.lower() in members

    def try_add_computer(self, name, parent, properties):
        """Whether it could be added: not when something of it is taken."""
        with contextlib.suppress(ldap.ALREADY_EXISTS, ldap.CONSTRAINT_VIOLATION):
            self.server.add_computer(name, parent=parent, **properties)
            return True
        return False

    def try_modify(self, dn, **attributes):
        """Whether it could be: not when a value is taken."""
        with contextlib.suppress(ldap.CONSTRAINT_VIOLATION):
            self.modify(dn, **attributes)
            return True
        return False

    def try_rename(self, dn, rdn, parent):
        with contextlib.suppress(ldap.ALREADY_EXISTS):
            self.rename(dn, rdn, parent)
            return True
        return False

    def join_group(self, dn):
        self.server.modify(self.group, member=[*self.contents()[self.group].get("member", []), dn])

    def leave_group(self, dn):
        members = self.contents()[self.group].get("member", [])
        self.server.modify(self.group, member=[one for one in members if one.decode().lower() != dn.lower()] or None)

    def modify(self, dn, **attributes):
        self.server.modify(dn, **attributes)

    def delete(self, dn):
        self.server.delete(dn)

    def crash(self, gently):
        """The server ends and is there again."""
        if gently:
            self.server.stop()
        else:
            self.server.kill()
        self.server.start()

    def close(self):
        self.proxy.close()
        self.server.kill()


class SlapdRealm(Realm):
    """A slapd that is dressed as a domain. Its own configuration can be changed, until it ends."""

    identity, dns = "entryUUID", "corp.example"
    ou, group, elsewhere = worlds.OU, worlds.GROUP, worlds.ELSEWHERE
    aside = f"ou=Aside,{worlds.OU}"

    def __init__(self, directory):
        self.server = worlds.server(directory, settings=f"database config\nrootpw {ADMIN_PASSWORD}").start()
        self.proxy = LdapProxy(self.server.port)
        self.rules = None

    def begin(self):
        self.crash(gently=False)
        worlds.fill(self.server)
        self.server.add_entry(self.aside, objectClass="organizationalUnit", ou="Aside")

    def contents(self):
        return self.server.contents()

    def plain(self, contents=None):
        return worlds.plain(self.contents() if contents is None else contents)

    def deny(self, denied):
        """{identity: what certdir may not do with it}, and nothing else is denied."""
        connection = ldap.initialize(self.server.uri)
        connection.simple_bind_s("cn=config", ADMIN_PASSWORD)
        (database, entry), = connection.search_s("cn=config", ldap.SCOPE_ONELEVEL, "(olcSuffix=*)", ["olcAccess"])
        self.rules = self.rules or entry["olcAccess"]
        attributes = {ALL: "", DELETION: " attrs=entry"}
        rules = [f"to filter=(entryUUID={one.decode()}){attributes.get(what, f' attrs={what}')} by dn.exact={worlds.KEEPER} "
                 f"{'=arscxd' if what == DELETION else 'read'} by * break".encode() for one, what in denied.items()]
        rules += [rule.partition(b"}")[2] for rule in self.rules]
        connection.modify_s(database, [(ldap.MOD_REPLACE, "olcAccess", [b"{%d}%s" % pair for pair in enumerate(rules)])])
        connection.unbind_s()

    def rename(self, dn, rdn, parent):
        connection = ldap.initialize(self.server.uri)
        connection.simple_bind_s(ADMIN, ADMIN_PASSWORD)
        connection.rename_s(dn, rdn, parent)
        connection.unbind_s()


class SambaRealm(Realm):
    """A domain of Samba's, with an account that has the least rights."""

    identity, dns = "objectGUID", DNS
    takes_back = False  # an account that was deleted has another SID
    has_members = True

    def __init__(self, directory):
        self.server = SambaDomain(directory).start()
        self.proxy = LdapProxy(636, self.server.address, tls=True)
        self.account = self.server.add_user("svc-placeholders")
        self.numbers = itertools.count(1)
        self.world = None
        self.before = {}  # what somebody is denied: who might do what before that

    def begin(self):
        if self.world:
            with self.server.connected() as connection:
                for dn in (self.ou, self.world):  # no group goes that is somebody's primary group
                    connection.delete_ext_s(dn, serverctrls=[TREE_DELETE])
        self.before = {}
        self.world = self.server.add_ou(f"World {next(self.numbers)}")
        self.ou, self.elsewhere, groups = (self.server.add_ou(name, self.world)
                                           for name in ("Placeholders", "Elsewhere", "Groups"))
        self.aside = self.server.add_ou("Aside", self.ou)
        self.group = self.server.add_group("Wi-Fi", groups)
        self.group_id = str(self.server.rid(self.group)).encode()
        self.server.delegate(self.account, self.ou, self.group, primary=True)

    @property
    def options(self):
        return {"identity": self.account.identity, "ca_file": self.server.ca_file, "ou": self.ou}

    @property
    def password(self):
        return self.account.password

    def contents(self):
        return self.server.below(self.world)

    def plain(self, contents=None):
        contents = worlds.plain(self.contents() if contents is None else contents)
        for entry in contents.values():
            if entry.get("primaryGroupID") == [self.group_id]:
                entry["primaryGroupID"] = [b"the group"]
        return contents

    def is_member(self, account, members):
        return super().is_member(account, members) or account.entry["primaryGroupID"] == [self.group_id]

    def set_password(self, dn):
        self.modify(dn, unicodePwd=password_value("Machine-passw0rd-1"))

    def deny(self, denied):
        """{identity: what certdir may not do with it}, and nothing else is denied."""
        sid, wanted = self.account.sid, {f"<GUID={uuid.UUID(bytes_le=one)}>": what for one, what in denied.items()}
        if DELETION in denied.values():
            wanted[self.ou] = "children"
        for dn in set(self.before) - set(wanted):
            with contextlib.suppress(ldap.NO_SUCH_OBJECT):
                self.server.set_dacl(dn, self.before[dn])
            del self.before[dn]
        rules = {ALL: f"(D;;WP;;;{sid})", DELETION: f"(D;;SDDT;;;{sid})", "children": f"(D;;DC;;;{sid})"}
        for dn in set(wanted) - set(self.before):
            with contextlib.suppress(ldap.NO_SUCH_OBJECT, IndexError):
                self.before[dn] = self.server.dacl(dn)
                self.server.grant(dn, rules.get(wanted[dn]) or f"(OD;;WP;{WRITTEN[wanted[dn]]};;{sid})")

    def rename(self, dn, rdn, parent):
        self.server.rename(dn, rdn, parent)
