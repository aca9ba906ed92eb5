# SPDX-License-Identifier: GPL-2.0-or-later
"""
Random histories of a fleet, with runs that are killed and directories that fail in the middle: the end is that of a
twin directory where nothing was ever interrupted.

Everything follows from the seed. CERTDIR_HISTORY_SEEDS=200 runs more of them, CERTDIR_HISTORY_FIRST=n begins at another
seed, CERTDIR_AD_HISTORY=n runs so many of them against real domains, too.
"""

import os
import random
import signal
import tempfile

import pytest

from testenv import samba
from testenv.placeholder_fleet import Fleet, iso
from testenv.placeholder_history import Lived, today
from testenv.placeholder_interruption import Interruption
from testenv.placeholder_realms import SambaRealm, SlapdRealm
from testenv.placeholder_worlds import DAY, HOUR, START, Site, as_of_now
from testenv.placeholders import DONE, FAILED, PROBLEMS, REFUSED, STOPPED

FIRST = int(os.environ.get("CERTDIR_HISTORY_FIRST", "0"))
SEEDS = int(os.environ.get("CERTDIR_HISTORY_SEEDS", "3"))
AD_SEEDS = int(os.environ.get("CERTDIR_AD_HISTORY", "0"))
STEPS = 6


@pytest.fixture(scope="module")
def slapds(tmp_path_factory):
    """The directory where things go wrong, and its twin."""
    base = tmp_path_factory.mktemp("history")
    realms = []
    try:
        for name in ("one", "twin"):
            realms.append(SlapdRealm(base / name))
        yield realms
    finally:
        for realm in realms:
            realm.close()


@pytest.fixture(scope="module")
def domains():
    if samba.missing():
        pytest.skip(samba.missing())
    realms = []
    with tempfile.TemporaryDirectory(prefix="ad") as one, tempfile.TemporaryDirectory(prefix="ad") as twin:
        try:
            for directory in (one, twin):
                realms.append(SambaRealm(directory))
            yield realms
        finally:
            for realm in realms:
                realm.close()


class History(Lived):
    """A fleet, two directories that are told the same, and what must be true after each step."""

    def __init__(self, seed, realms, directory, at):
        self.rng = rng = random.Random(f"history {seed}")
        self.realms = realms
        self.fleet = Fleet(seed, rng.randint(20, 60), at)
        self.template = rng.choice(("{name}", "{name}", "{entra_device_id}", "{serial_number}"))
        self.form = rng.choice(("issuer_serial", "ski"))
        self.csv = self.form == "issuer_serial" and rng.random() < 0.5
        self.grouped = rng.random() < 0.7
        self.directory = directory
        self.options = {
            "name": self.template, "require_enabled": rng.choice((None, "no")),
            "description": rng.choice((None, "{name} {serial_number}")),
            "dns_host_name": rng.choice((None, "{cn}.{domain}")),
            "delete_after": rng.choice(("1h", "1d", "10d", "30d")), "max_remove": rng.choice((None, "100%"))}
        self.certificates = rng.random() < 0.7
        if self.certificates:
            self.options.update(certificates=directory / "certificates", mapping=self.form)
        self.primary = rng.random() < 0.5 and not realms[0].takes_back
        self.sites = [self._site(realm, name) for realm, name in zip(realms, ("one", "twin"))]
        self.names = {}  # of every entry that was ever ours: its sAMAccountName
        self.events = [f"seed {seed}: {self.options} group: {self.grouped} {self.primary}"]
        self.strangers = 0

    def _site(self, realm, name):
        realm.begin()
        realm.proxy.settle()
        site = Site(self.directory / name, realm.proxy.uri, **realm.options, **self.options)
        if "identity" in realm.options:
            site.options["password_file"] = site.secret_file("password", realm.password + "\n")
        if self.grouped:
            site.options.update(member_of=realm.group, primary_group="yes" if self.primary else None)
        return site

    # -- what others do in the directory --

    def meddle(self):
        """The same in both directories, which are equal now."""
        rng, realm = self.rng, self.realms[0]
        found = sorted(realm.accounts(), key=lambda account: account.dn)
        if not found or rng.random() < 0.3:
            self._stranger()
            return
        account = rng.choice(found)
        self.strangers += 1
        rdn = account.dn[:-len(realm.ou) - 1]
        change = {
            "describe": lambda realm, dn: realm.modify(dn, description="meddled with"),
            "disable": lambda realm, dn: realm.modify(dn, userAccountControl=4098),
            "enable": lambda realm, dn: realm.modify(dn, userAccountControl=4096),
            "unname": lambda realm, dn: realm.modify(dn, servicePrincipalName=None),
            "move": lambda realm, dn: realm.rename(dn, rdn, realm.aside),
            "rename": lambda realm, dn: realm.rename(dn, f"cn=Meddled {self.strangers}", realm.ou),
            "delete": lambda realm, dn: realm.delete(dn),
            "unmark": lambda realm, dn: realm.modify(dn, adminDescription=None),
            "leave group": lambda realm, dn: realm.leave_group(dn),
        }
        what = rng.choice(sorted(change))
        if account.dn.lower().endswith(realm.aside.lower()):
            return
        self.events.append(f"an administrator: {what} {account.dn}")
        for one in self.realms:
            change[what](one, account.dn[:-len(realm.ou)] + one.ou)

    def _stranger(self):
        """Somebody's own computer, often with a name that a device wants."""
        self.strangers += 1
        rng, name = self.rng, f"STRANGER-{self.strangers}"
        key = rng.choice(sorted(self.fleet.devices))
        cn = rng.choice((name, self.fleet.cn(key, self.template)))
        ours = rng.random() < 0.5
        properties = {"sAMAccountName": rng.choice((f"{name}$", f"PC-{rng.randint(0, 150):03}$")),
                      "servicePrincipalName": f"HOST/{name}"}
        if rng.random() < 0.4:
            properties["servicePrincipalName"] = f"host/{self.fleet.cn(key, self.template)}"
        made = [realm.try_add_computer(cn, realm.ou if ours else realm.elsewhere, properties) for realm in self.realms]
        assert made[0] == made[1]
        where = "in the OU" if ours else "elsewhere"
        self.events.append(f"a stranger: {cn} {where} {properties}: {'made' if made[0] else 'in the way'}")

    # -- one step --

    def step(self, number):
        rng = self.rng
        if number:
            self.events += self.fleet.live(rng.choice((0, 1, 4, 12)))
            for _ in range(rng.choice((0, 0, 1, 3))):
                self.meddle()
        self.events.append(f"-- step {number} at {iso(self.fleet.at)}")
        if self.certificates:
            self.fleet.hand_in(self.directory / "certificates", self.csv)
        foreign = [realm.foreign() for realm in self.realms]
        for site in self.sites:
            site.at = self.fleet.at
            site.list.devices = self.fleet.devices
            site.publish()
        twin = self.run_twin()
        assert self.run_with_trouble(twin) == twin.code
        self.check(foreign)

    def run_twin(self):
        site, realm = self.sites[1], self.realms[1]
        before = realm.plain()
        run = self._run_twin(site, realm.proxy)
        self._check_removals(realm.accounts(before), run)
        if run.actions and realm.takes_back and self.rng.random() < 0.2:
            self.take_back(realm, run.summary["undo"], before, run)
            assert self._run_twin(site, realm.proxy).of("action") == run.of("action")
        return run

    def _run_twin(self, site, proxy):
        arguments = []
        run = site.apply(code=(DONE, PROBLEMS, REFUSED))
        if run.code == REFUSED:
            self.events.append(f"refused: {run.summary['refused']}")
            arguments = ["--force"]
            proxy.settle()
            run = site.apply(*arguments, code=(DONE, PROBLEMS))
        run.arguments, run.writes = arguments, proxy.writes
        assert run.done == run.actions
        assert all(run.summary[kind] == count for kind, count in run.kinds().items())
        proxy.settle()
        self.events.append(f"twin: {run.code} {run.kinds()} in {run.writes} writes, problems {sorted(run.problems)}")
        return run

    def _check_removals(self, before, run):
        """Only what is not in the list, was disabled, and has been so for long enough."""
        patience = {"1h": HOUR, "1d": DAY, "10d": 10 * DAY, "30d": 30 * DAY}[self.options["delete_after"]]
        keys = {action["device"] for action in run.of("action") if action["kind"] == "remove"}
        assert not keys & set(self.fleet.devices)
        for account in before:
            if account.key in keys:
                assert account.disabled and account.mark.state <= f"gone={iso(self.fleet.at - patience)}"

    def take_back(self, realm, undo, before, run):
        """
        What the undo file is for. Parts of a run that was killed never happened: they are told, and the others are taken back.
        Accounts that were removed come back, but not into what was their primary group: that they had left by being deleted. The
        file of one that was killed does not know what the server calls what was made, but when that was.
        """
        as_of_now(undo)
        done = self.sites[self.realms.index(realm)].take_back(undo, (DONE, PROBLEMS))
        realm.proxy.settle()
        self.events.append(f"taken back with {undo}: {done.code} {[line for line in done.lines if line['type'] != 'undone']}")
        after = realm.plain()
        if self.primary:
            keys = {action["device"] for action in run.of("action") if action["kind"] == "remove"}
            removed = {account.dn for account in realm.accounts(before) if account.key in keys}
            for contents in (after, before):
                for dn in removed:
                    contents[dn].pop("memberOf", None)
                members = contents[realm.group].pop("member", [])
                contents[realm.group]["member"] = [member for member in members if member.decode() not in removed]
        self._check_equal(after, before)

    def run_with_trouble(self, twin):
        """Interrupted up to three times, then to the end; the exit code."""
        rng, site, realm = self.rng, self.sites[0], self.realms[0]
        left, before = twin.writes, realm.plain()
        for _ in range(rng.choice((0, 1, 1, 1, 2, 3)) if twin.actions else 0):
            # A group and its members are not one transaction of slapd: there it may finish what it has.
            trouble = Interruption(rng.choice(Interruption.KINDS), rng.randint(1, left), realm, self.grouped)
            files = set(site.undo_files())
            process = site.start("apply", "--json", *twin.arguments)
            trouble.process.set_result(process)
            run = site.end(process)
            if not realm.proxy.tls:
                left = max(1, left - realm.proxy.writes)
            realm.proxy.settle()
            self.events.append(f"{trouble}: {run.code} {run.err.strip()}")
            ends = {"kill": -signal.SIGKILL, "terminate": STOPPED}.get(trouble.kind.split()[0], FAILED)
            assert run.code in ((ends, DONE, PROBLEMS) if trouble.happened else (DONE, PROBLEMS)), run.err
            files = set(site.undo_files()) - files
            # A server that lost its client may still be at work.
            if len(files) == 1 and realm.takes_back and not trouble.kind.startswith("cut") and rng.random() < 0.4:
                self.take_back(realm, files.pop(), before, twin)
                left = twin.writes
            before = realm.plain()
        return self.run_to_the_end(site, realm.proxy, twin.arguments)

    def run_to_the_end(self, site, proxy, arguments):
        """What a broken connection left on its way may change something under the next run, which then stops."""
        for _ in range(4):
            run = site.apply(*arguments, code=None)
            proxy.settle()
            self.events.append(f"to the end: {run.code} {run.kinds()} {run.err.strip()}")
            if run.code != FAILED:
                break
        assert run.code in (DONE, PROBLEMS), run.err
        return run.code

    # -- what must be true --

    def check(self, foreign):
        realm = self.realms[0]
        for one, (entries, members) in zip(self.realms, foreign):
            self._check_equal(one.foreign()[0], entries)
            assert one.foreign()[1] == members
        self._check_equal(realm.plain(), self.realms[1].plain())
        plan = self.sites[0].plan(code=(DONE, PROBLEMS))
        realm.proxy.settle()
        assert plan.actions == []
        contents = realm.contents()
        ours = realm.accounts(contents)
        self._check_names(ours)
        self._check_devices(ours, set(plan.problems), contents)
        if self.certificates:
            self._check_mappings(ours, set(plan.problems), plan)

    @staticmethod
    def _check_equal(one, twin):
        assert sorted(one) == sorted(twin)
        for dn, entry in one.items():
            assert entry == twin[dn], dn

    def _check_names(self, ours):
        """Unique, short, and never another one for the same entry."""
        assert len({account.account_name.lower() for account in ours}) == len(ours)
        for account in ours:
            entry, = account.entry[self.realms[0].identity]
            assert account.account_name.endswith("$") and len(account.account_name) <= 16
            assert self.names.setdefault(entry, account.account_name) == account.account_name

    def _check_devices(self, ours, problems, contents):
        fleet, realm, by_key = self.fleet, self.realms[0], {}
        selected = fleet.selected(self.options["require_enabled"] is None)
        members = {member.decode().lower() for member in contents[realm.group].get("member", [])}
        for account in ours:
            by_key.setdefault(account.key, []).append(account)
        for key in selected - problems:
            account, = by_key[key]
            cn = fleet.cn(key, self.template)
            assert not account.disabled and not account.mark.state
            assert account.cn == cn and not account.dn.lower().endswith(realm.aside.lower())
            assert account.names == {f"host/{cn}".lower(), f"host/{cn}.{realm.dns}".lower()}
            assert not self.grouped or realm.is_member(account, members)
        for key, found in by_key.items():
            if key in problems:
                continue
            account, = found
            if key not in fleet.devices:
                assert account.disabled and account.mark.state.startswith("gone=")
            elif key not in selected:
                assert account.disabled and account.mark.state == "disabled"

    def _check_mappings(self, ours, problems, plan):
        fleet = self.fleet
        owner = {one.mapping(self.form, fleet.ISSUER): one.key for one in fleet.handed}
        unmapped = set()
        for account in ours:
            found = {mapping.lower() for mapping in account.mappings}
            assert all(owner.get(mapping, account.key) == account.key for mapping in found), account.dn
            if account.key in fleet.devices and account.key not in problems and not account.disabled:
                valid = {one.mapping(self.form, fleet.ISSUER) for one in fleet.valid(account.key)}
                ended = {one.mapping(self.form, fleet.ISSUER) for one in fleet.ended(account.key)}
                assert not valid or found == valid
                assert not found & ended
                if not found:
                    unmapped.add(account.key)
        assert set(plan.remarks("no-mapping")) - problems == unmapped - problems


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_history(slapds, tmp_path, seed):
    History(seed, slapds, tmp_path, START).live(STEPS)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + AD_SEEDS))
def test_history_of_a_domain(domains, tmp_path, seed):
    History(seed, domains, tmp_path, today()).live(STEPS)
