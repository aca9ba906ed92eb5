# SPDX-License-Identifier: GPL-2.0-or-later
"""
Random histories of an OU where people have their hands in: PCs are joined, accounts denied, protected, moved and given
odd flags, names given to others; runs are killed, and old files are taken back. After each step the server is asked what
must be true.

Everything follows from the seed, which is printed first where one fails. CERTDIR_HISTORY_SEEDS=200 runs more of them,
CERTDIR_HISTORY_FIRST=n begins at another seed, CERTDIR_AD_HISTORY=n is how many of them run against a real domain.
"""

import os
import random
import tempfile

import pytest

from testenv import samba
from testenv.placeholder_fleet import Fleet, iso
from testenv.placeholder_hands import ALL, CONTROL, Hands
from testenv.placeholder_history import Lived, today
from testenv.placeholder_interruption import Interruption
from testenv.placeholder_realms import SambaRealm, SlapdRealm
from testenv.placeholder_worlds import START, Site
from testenv.placeholders import DONE, NOTHING, PROBLEMS, REFUSED, SECTION, TO_DO

FIRST = int(os.environ.get("CERTDIR_HISTORY_FIRST", "0"))
SEEDS = int(os.environ.get("CERTDIR_HISTORY_SEEDS", "2"))
AD_SEEDS = int(os.environ.get("CERTDIR_AD_HISTORY", "1"))
STEPS = 5


@pytest.fixture(scope="module")
def slapd(tmp_path_factory):
    realm = SlapdRealm(tmp_path_factory.mktemp("hands") / "slapd")
    yield realm
    realm.close()


@pytest.fixture(scope="module")
def domain():
    if samba.missing():
        pytest.skip(samba.missing())
    with tempfile.TemporaryDirectory(prefix="ad") as directory:
        realm = SambaRealm(directory)
        yield realm
        realm.close()


class History(Lived):
    def __init__(self, seed, realm, directory, at):
        self.rng = rng = random.Random(f"hands {seed}")
        self.realm, self.directory = realm, directory
        realm.begin()
        realm.proxy.settle()
        self.fleet = Fleet(seed, rng.randint(8, 25), at)
        self.template = rng.choice(("{name}", "{name}", "{name}", "{serial_number}"))
        self.primary = rng.random() < 0.4 and not realm.takes_back
        self.hands = Hands(rng, realm, self.fleet, self.template)
        self.site = self._site()
        self.events = [f"seed {seed}: {self.site.options}"]

    def _site(self):
        rng, realm = self.rng, self.realm
        certificates = self.directory / "certificates" if rng.random() < 0.4 else None
        site = Site(self.directory / "site", realm.proxy.uri, **realm.options, **{
            "name": self.template, "require_enabled": rng.choice((None, "no")),
            "description": rng.choice((None, "{name} {serial_number}")), "dns_host_name": rng.choice((None, "{cn}.{domain}")),
            "delete_after": rng.choice(("1h", "1d", "10d")), "max_remove": rng.choice((None, "100%")),
            "certificates": certificates, "mapping": certificates and "issuer_serial",
            "member_of": realm.group if rng.random() < 0.7 else None})
        if "identity" in realm.options:
            site.options["password_file"] = site.secret_file("password", realm.password + "\n")
        if site.options["member_of"] and self.primary:
            site.options["primary_group"] = "yes"
        return site

    # -- one step --

    def step(self, number):
        rng, site = self.rng, self.site
        if number:
            self.events += self.fleet.live(rng.choice((0, 1, 4, 8)))
            self.events += [one for one in (self.hands.act() for _ in range(rng.choice((0, 1, 2, 4, 8)))) if one]
        self.events.append(f"-- step {number} at {iso(self.fleet.at)}, denied: {sorted(self.hands.denied.values())}")
        if site.options["certificates"]:
            self.fleet.hand_in(self.directory / "certificates")
        site.at, site.list.devices = self.fleet.at, self.fleet.devices
        site.publish()
        self.look()
        if rng.random() < 0.15:
            self.adopt()
        if number and rng.random() < 0.25:
            self.take_back(rng.choice([*site.undo_files()] or [None]))
        if number and rng.random() < 0.3:
            self.killed()
        self.whole()

    def look(self, foreign=None):
        """What stands there now; what nobody may touch is what it was, `foreign` what is not ours."""
        self.contents = self.realm.contents()
        for dn, entry in self.hands.joined.items():
            assert self.contents.get(dn) == entry, f"{dn} is a real computer"
        if foreign:
            entries, members = self.realm.foreign(self.contents)
            for dn, entry in foreign[0].items():
                assert entries.get(dn) == entry, f"{dn} is not ours"
            assert members == foreign[1]

    def foreign(self):
        return self.realm.foreign(self.contents)

    def plain(self):
        return self.realm.plain(self.contents)

    def idle(self):
        return self.hands.idle(self.contents)

    def take_back(self, undo, before=None):
        if not undo:
            return
        foreign = self.foreign()
        run = self.site.take_back(undo, (DONE, PROBLEMS))
        self.realm.proxy.settle()
        self.events.append(f"undo {undo.name if hasattr(undo, 'name') else undo}: {run.code} "
                           f"{[line for line in run.lines if line['type'] != 'undone']}")
        assert (run.code == PROBLEMS) == bool(run.of("left"))
        self.look(foreign)
        # Nobody gave certdir the right to put an account back to where somebody had moved it.
        if before is not None and not any("the server refused" in line["why"] for line in run.of("left")):
            self._is_as_before(before)

    def _is_as_before(self, before):
        after = self.plain()
        assert sorted(after) == sorted(before)
        for dn in before:
            lost = {name: values for name, values in before[dn].items() if after[dn].get(name) != values}
            # An account that was removed comes back, but not into what was its primary group.
            if self.primary and set(lost) <= {"memberOf", "member", "primaryGroupID"}:
                continue
            assert after[dn] == before[dn], dn

    def adopt(self):
        before = self.plain()
        process = self.site.start("adopt", "--json", "--apply", "--pattern", self.template, SECTION)
        run = self.site.end(process, (DONE, PROBLEMS))
        self.realm.proxy.settle()
        self.events.append(f"adopt: {run.code} {run.kinds()}")
        self.look()
        for dn, entry in self.plain().items():
            assert {**entry, "adminDescription": 0} == {**before[dn], "adminDescription": 0}

    def killed(self):
        """An apply that ends in the middle, and perhaps what it did is taken back."""
        rng, site, realm = self.rng, self.site, self.realm
        foreign, before, files = self.foreign(), self.plain(), set(site.undo_files())
        trouble = Interruption(rng.choice(("kill before", "kill sent", "kill answer")), rng.randint(1, 12), realm, True)
        process = site.start("apply", "--json", "--force")
        trouble.process.set_result(process)
        run = site.end(process)
        realm.proxy.settle()
        self.events.append(f"{trouble}: {run.code} {run.err.strip()}")
        assert run.code in ((-9, DONE, PROBLEMS) if trouble.happened else (DONE, PROBLEMS)), run.err
        self.look(foreign)
        files = set(site.undo_files()) - files
        if len(files) == 1 and rng.random() < 0.5:
            self.take_back(files.pop(), before)

    def apply(self):
        """A run, with --force where it asks for that; a guard that refuses changes nothing."""
        site, realm, before = self.site, self.realm, self.contents
        foreign, arguments = self.foreign(), self.rng.choice(([], ["--force"]))
        run = site.apply(*arguments, code=None)
        if run.code == REFUSED:
            assert realm.contents() == before
            run = site.apply("--force", code=None)
        realm.proxy.settle()
        left = run.of("aside") + run.of("begun")
        self.events.append(f"apply: {run.code} {run.kinds()} left {[(line['name'], line['error']) for line in left]} "
                           f"problems {run.problems} {run.err.strip()}")
        assert run.code == (PROBLEMS if run.problems or left else DONE), f"{run.code} {run.said}"
        assert run.summary["aside"] + run.summary["begun"] == len(left) and not run.summary.get("untried")
        self.look(foreign)
        return run, {line["device"]: line for line in left}

    def whole(self):
        before = self.plain()
        run, left = self.apply()
        self._check_off()
        self._check_left(left)
        self._check_devices(run, left)
        if run.summary.get("undo") and self.rng.random() < 0.2:
            self.take_back(run.summary["undo"], before)
            run, left = self.apply()
        self._check_still(run, left)

    # -- what must be true --

    def _check_off(self):
        """Who is not to come in is disabled, whatever is odd."""
        selected = self.selected()
        for account in self.idle():
            if account.key not in selected and not self.hands.refuses(account, ALL, CONTROL):
                assert account.disabled, f"{account.dn} is enabled"

    def _check_left(self, left):
        """Only what is denied, or waits for what such an account did not give up, is left."""
        denied = {account.key for account in self.idle() if self.hands.identity(account) in self.hands.denied}
        for key, line in left.items():
            assert key in denied or "still has" in line["error"], line

    def _check_still(self, run, left):
        """The same again finds the same, and changes nothing."""
        before = self.contents
        plan = self.site.plan("--force")
        assert set(plan.problems) == set(run.problems)
        assert {action["device"] for action in plan.of("action")} == set(left)
        assert plan.code == (TO_DO if plan.actions else PROBLEMS if plan.problems else NOTHING)
        again = self.site.apply("--force", code=run.code)
        self.realm.proxy.settle()
        assert again.done == [] and {line["device"] for line in again.of("aside") + again.of("begun")} == set(left)
        assert self.realm.contents() == before

    def selected(self):
        return self.fleet.selected(self.site.options["require_enabled"] is None)

    def _check_devices(self, run, left):
        fleet, realm, by_key = self.fleet, self.realm, {}
        members = {member.decode().lower() for member in self.contents[realm.group].get("member", [])}
        for account in self.idle():
            by_key.setdefault(account.key, []).append(account)
        for key in self.selected() - set(run.problems) - set(left):
            account, = by_key[key]
            cn = fleet.cn(key, self.template)
            assert not account.disabled and account.cn == cn and not account.dn.lower().endswith(realm.aside.lower())
            assert account.names == {f"host/{cn}".lower(), f"host/{cn}.{realm.dns}".lower()}
            assert not self.site.options["member_of"] or realm.is_member(account, members)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_hands(slapd, tmp_path, seed):
    History(seed, slapd, tmp_path, START).live(STEPS)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + AD_SEEDS))
def test_hands_in_a_domain(domain, tmp_path, seed):
    History(seed, domain, tmp_path, today()).live(STEPS)
