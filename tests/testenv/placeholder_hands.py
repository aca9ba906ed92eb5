# SPDX-License-Identifier: GPL-2.0-or-later
"""
What people do in a directory where `certdir placeholders` is at work: they join PCs, deny and protect accounts, give names
away, set flags, move and rename things. All of it from a seed, in the same words for a slapd and a real domain.
"""

ALL, NAMES, CONTROL, DELETION = "all", "servicePrincipalName", "userAccountControl", "deletion"
# More than a few that are refused alike, and nobody is given it, is a right that is missing: then apply fails, as documented.
FEW = 4
ODD_FLAGS = (0x20, 0x80000, 0x400000, 0x10000)


class Hands:
    """`realm` is where, `fleet` whose names are given away, `template` how accounts are called."""

    def __init__(self, rng, realm, fleet, template):
        self.rng, self.realm, self.fleet, self.template = rng, realm, fleet, template
        self.joined = {}  # of each PC's account, by its DN: all that there is to know of it
        self.denied = {}  # identity of an account: what certdir may not do with it
        self.numbers = 0

    def act(self):
        """Does something; what it was, or None."""
        what = self.rng.choice(self.ACTIONS)
        if what in self.OF_OTHERS:
            return what(self)
        accounts = sorted(self.idle(), key=lambda account: account.dn)
        if not accounts:
            return None
        account = self.rng.choice(accounts)
        return what(self, account) and f"{what.__name__} {account.dn}"

    def idle(self, contents=None):
        """Accounts of ours that are no real computers."""
        return [account for account in self.realm.accounts(contents) if account.dn not in self.joined]

    def identity(self, account):
        return account.entry[self.realm.identity][0]

    def refuses(self, account, *what):
        return self.denied.get(self.identity(account)) in what

    def _note_joined(self, *dns):
        contents = self.realm.contents()
        for dn in dns:
            self.joined[dn] = contents[dn]

    # -- with an account of ours --

    def join(self, account):
        """As Windows, adcli or something that writes less; only a domain has joined computers."""
        if not self.realm.has_members:
            return False
        rng, name = self.rng, account.cn if is_name(account.cn) else account.account_name.rstrip("$")
        classes = rng.choice((("HOST", "RestrictedKrbHost", "TERMSRV", "WSMAN"), ("host", "RestrictedKrbHost"), ("HOST",)))
        system = rng.choice(("Windows 11 Enterprise", "pc-linux-gnu")) if len(classes) == 1 or rng.random() < 0.7 else None
        if not self.realm.try_modify(
                account.dn, dNSHostName=f"{name}.{self.realm.dns}", userAccountControl=4096, operatingSystem=system,
                servicePrincipalName=[f"{one}/{host}" for one in classes for host in (name, f"{name}.{self.realm.dns}")]):
            return False
        self.realm.set_password(account.dn)
        self._note_joined(account.dn)
        return True

    def deny(self, account):
        return self._deny(account, self.rng.choice((ALL, NAMES, CONTROL)))

    def protect(self, account):
        return self._deny(account, DELETION)

    def _deny(self, account, what):
        if len(self.denied) >= FEW or self.identity(account) in self.denied:
            return False
        self.denied[self.identity(account)] = what
        self.realm.deny(self.denied)
        return True

    def odd_flags(self, account):
        control = int(account.entry["userAccountControl"][0])
        self.realm.modify(account.dn, userAccountControl=control ^ self.rng.choice(ODD_FLAGS))
        return True

    def expire(self, account):
        self.realm.modify(account.dn, accountExpires=self.rng.choice((116444736010000000, 0)))
        return True

    def describe(self, account):
        self.realm.modify(account.dn, description="meddled with")
        return True

    def disable(self, account):
        self.realm.modify(account.dn, userAccountControl=4098)
        return True

    def enable(self, account):
        self.realm.modify(account.dn, userAccountControl=4096)
        return True

    def unname(self, account):
        self.realm.modify(account.dn, servicePrincipalName=None)
        return True

    def move(self, account):
        if account.dn.lower().endswith(self.realm.aside.lower()):
            return False
        return self.realm.try_rename(account.dn, account.dn[:-len(self.realm.ou) - 1], self.realm.aside)

    def rename(self, account):
        self.numbers += 1
        parent = self.realm.aside if account.dn.lower().endswith(self.realm.aside.lower()) else self.realm.ou
        return self.realm.try_rename(account.dn, f"cn=Meddled {self.numbers}", parent)

    def delete(self, account):
        self.realm.delete(account.dn)
        return True

    def unmark(self, account):
        self.realm.modify(account.dn, adminDescription=None)
        return True

    def leave_group(self, account):
        self.realm.leave_group(account.dn)
        return True

    # -- with something else --

    def allow(self):
        if not self.denied:
            return None
        identity = self.rng.choice(sorted(self.denied))
        what = self.denied.pop(identity)
        self.realm.deny(self.denied)
        return f"allow {what} again"

    def let_go(self):
        """What the manual says of a real computer: its mark goes."""
        if not self.joined:
            return None
        dn = self.rng.choice(sorted(self.joined))
        self.realm.modify(dn, adminDescription=None)
        self._note_joined(dn)
        return f"the mark of {dn} is cleared"

    def stranger(self):
        """Somebody's own computer, often with a name that a device wants, or of its host in another class."""
        rng, realm = self.rng, self.realm
        self.numbers += 1
        name = f"STRANGER-{self.numbers}"
        host = self.fleet.cn(rng.choice(sorted(self.fleet.devices)), self.template)
        spn = rng.choice((f"HOST/{name}", f"HOST/{host}", f"host/{host}.{realm.dns}", f"HTTP/{host}", f"MSSQLSvc/{host}:1433"))
        cn, parent = rng.choice((name, host)), rng.choice((realm.ou, realm.elsewhere))
        account = rng.choice((name, f"PC-{rng.randint(0, 150):03}"))
        properties = {"sAMAccountName": f"{account[:15]}$", "servicePrincipalName": spn}
        made = realm.try_add_computer(cn, parent, properties)
        member = made and rng.random() < 0.3
        if member:
            realm.join_group(f"cn={realm.escape(cn)},{parent}")
        return f"a stranger: {cn} in {parent} {properties}: {'made' if made else 'in the way'}{', a member' if member else ''}"

    def rob(self):
        """A stranger's computer is given a name of one of our accounts, as far as the server lets it."""
        rng, realm = self.rng, self.realm
        found = sorted(dn for dn in realm.contents() if "=stranger-" in dn.lower())
        accounts = sorted(self.idle(), key=lambda account: account.dn)
        if not found or not accounts:
            return None
        dn, account = rng.choice(found), rng.choice(accounts)
        if any(one.dn == dn for one in accounts):
            return None
        spn = f"{rng.choice(('HTTP', 'cifs', 'TERMSRV', 'HOST'))}/{account.cn}"
        return f"{dn} gets {spn}: {realm.try_modify(dn, servicePrincipalName=spn)}"

    OF_OTHERS = (allow, let_go, stranger, rob)
    ACTIONS = (join, join, join, deny, deny, protect, odd_flags, odd_flags, expire, describe, disable, enable, unname, move,
               rename, delete, unmark, leave_group, allow, let_go, stranger, stranger, rob, rob)


def is_name(cn):
    """Whether a PC can be called so."""
    return all(character.isalnum() or character == "-" for character in cn) and cn.isascii()
