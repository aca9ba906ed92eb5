# SPDX-License-Identifier: GPL-2.0-or-later
"""The people of a simulated tenant: what users/delta and the groups of users are answered from."""

import random
import uuid

from testenv.tenant import DOMAIN_SID

# What GET /users/{id} can give by v1.0's schema, as far as a sync may ask; the first eleven come without $select.
NEW_USER = {
    "id": None, "businessPhones": [], "displayName": None, "givenName": None, "jobTitle": None, "mail": None,
    "mobilePhone": None, "officeLocation": None, "preferredLanguage": None, "surname": None, "userPrincipalName": None,
    "accountEnabled": None, "createdDateTime": None, "deletedDateTime": None, "department": None, "userType": None,
    "onPremisesDistinguishedName": None, "onPremisesDomainName": None, "onPremisesImmutableId": None,
    "onPremisesSamAccountName": None, "onPremisesSecurityIdentifier": None, "onPremisesSyncEnabled": None,
    "onPremisesUserPrincipalName": None,
}
USUAL = set(list(NEW_USER)[:11])


class People:
    """
    Users and their history, in the shape that delta.round_of() wants: `devices` are the objects. Groups stay the tenant's:
    join(group, user) puts a user into one.
    """

    def __init__(self, tenant):
        self.tenant = tenant
        self.rng = random.Random(f"people of {tenant.id}")
        self.devices, self.bin, self.ever_set, self.journal = {}, {}, {}, []

    @property
    def version(self):
        return len(self.journal)

    def add(self, name, on_premises=True, **properties):
        """A new user name@contoso.example; the object id."""
        user = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        self.devices[user], self.ever_set[user] = {**NEW_USER, "id": user}, set()
        made = {"userPrincipalName": f"{name}@contoso.example", "accountEnabled": True, "displayName": name.title(),
                "mail": f"{name}.mail@contoso.example", "userType": "Member"}
        if on_premises:
            made |= {"onPremisesSyncEnabled": True, "onPremisesSamAccountName": name,
                     "onPremisesDistinguishedName": f"CN={name.title()},OU=Staff,DC=corp,DC=example",
                     "onPremisesSecurityIdentifier": f"{DOMAIN_SID}-{self.rng.getrandbits(30) + 1000}"}
        self.change(user, **{**made, **properties})
        return user

    def change(self, user, **properties):
        self.devices[user].update(properties)
        self.ever_set[user].update(name for name, value in properties.items() if value is not None)
        self.journal.append((user, "put", properties))

    def delete(self, user):
        """Into the bin, for thirty days."""
        self.bin[user] = self.devices.pop(user)
        for members in self.tenant.members.values():
            members.discard(user)
        self.journal.append((user, "changed", None))

    def restore(self, user):
        self.devices[user] = self.bin.pop(user)
        self.journal.append((user, "put", dict(self.devices[user])))

    def join(self, group, user):
        self.tenant.members[group].add(user)

    def leave(self, group, user):
        self.tenant.members[group].discard(user)

    def members_of(self, group):
        """Over any number of groups in between, as transitiveMembers has them."""
        found, groups = set(), [group]
        for one in groups:
            members = self.tenant.members[one]
            found |= members & set(self.devices)
            groups += [member for member in members if member in self.tenant.groups and member not in groups]
        return found
