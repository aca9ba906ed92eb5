# SPDX-License-Identifier: GPL-2.0-or-later
"""An OU of the test domain that certdir keeps, with a service account that may do what the manual says and no more."""

import itertools

from testenv.placeholders import DONE, NOTHING, Placeholders
from testenv.samba import COMPUTERS, WRITTEN

ENABLED, DISABLED = b"4096", b"4098"  # userAccountControl of a computer

numbers = itertools.count(1)


class Office(Placeholders):
    """
    An OU and a group of their own, devices whose names nobody else in the domain has, and a service account that may do
    what is documented.
    """

    def __init__(self, directory, domain, delegated=True, **options):
        super().__init__(directory)
        self.domain = domain
        self.tag = f"T{next(numbers)}"
        self.ou = domain.add_ou(f"Placeholders {self.tag}")
        self.group = domain.add_group(f"Wi-Fi {self.tag}")
        self.account = domain.add_user(f"svc-{self.tag}", password=f"Svc-passw0rd-{self.tag}")
        self.options |= {
            "server": domain.ldaps_uri, "ca_file": domain.ca_file, "identity": self.account.identity,
            "password_file": self.secret_file("password", self.account.password + "\n"), "ou": self.ou,
            "name": "{name}", "description": "{name} {serial_number}", "dns_host_name": "{cn}.{domain}",
            "member_of": self.group, "primary_group": True, **options}
        if delegated:
            domain.delegate(self.account, self.ou, self.group, primary=self.options["primary_group"])

    def become_another(self, attributes=WRITTEN):
        """From now on certdir is another account with such rights, which has made none of the accounts."""
        other = self.domain.add_user(f"other-{self.tag}")
        self.domain.delegate(other, self.ou, self.group, primary=True, attributes=attributes)
        self.options |= {"identity": other.identity, "password_file": self.secret_file("other", other.password)}
        return other

    def name(self, number):
        return f"{self.tag}-PC{number:02}"

    def add(self, number, **more):
        """A device; returns the name of it."""
        name = self.name(number)
        self.list.add(name, **{"serialNumber": f"SN-{name}", **more})
        return name

    def fill(self, count):
        return [self.add(number) for number in range(count)]

    def dn(self, name):
        return f"CN={name},{self.ou}"

    def account_of(self, name):
        """Everything that the account has, {attribute: [values]}, or None."""
        return self.domain.entry(self.dn(name), "*")

    def one(self, name, attribute):
        """The only value as a text, or None."""
        found = (self.account_of(name) or {}).get(attribute, [])
        assert len(found) <= 1
        return found[0].decode() if found else None

    def everything(self):
        """The OU, the two groups' members and their versions."""
        groups = {dn: self.domain.entry(dn, "member", "uSNChanged") for dn in (self.group, COMPUTERS)}
        return self.domain.below(self.ou), groups

    def settled(self):
        """There is nothing left to do, and doing it anyway touches nothing."""
        before = self.everything()
        plan = self.plan(code=NOTHING)
        assert plan.actions == []
        assert self.run("apply", code=DONE).done == []
        assert self.everything() == before
