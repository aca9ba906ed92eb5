# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens while `certdir placeholders` is at work: others change what it is about to change, and signals come."""

import signal
from concurrent.futures import Future

import pytest

from testenv.devices import device_id
from testenv.placeholder_fixtures import shared, site, slapd  # noqa: F401
from testenv.placeholder_worlds import DAY, GROUP, OU, accounts, filled, in_between, names, says, unchanged, value
from testenv.placeholders import DONE, PROBLEMS, STOPPED


# ---- others at work ----


def test_two_applies_at_once(slapd, site):
    """The second waits until the first has ended, plans then, and has nothing to do."""
    site.options["member_of"] = GROUP
    site.add(*names(30))
    site.publish()
    started = []

    def start_another(request):
        if request.is_write and not started:
            started.append(site.start("apply", "--json"))

    with in_between(site, slapd) as proxy:
        proxy.on_request = start_another
        first = site.apply()
        second = site.end(started[0], DONE)
        proxy.settle()
    assert len(first.done) == 30 and second.actions == []
    assert len(slapd.contents(GROUP)[GROUP]["member"]) == 30
    # What a killed one was writing is swept up.
    (site.undo / ".wifi-20261122T100000Z-abcdef").touch()
    (site.undo / ".wifi-2-20261122T100000Z-abcdef").touch()
    assert site.apply().actions == []
    assert [path.name for path in site.undo.iterdir() if path.name.startswith(".")] == [".wifi-2-20261122T100000Z-abcdef"]


def change_at(proxy, condition, change):
    """`change` happens before the first request goes on that meets `condition`."""
    done = []

    def hook(request):
        if not done and condition(request):
            done.append(change())
    proxy.on_request = hook
    return done


def test_an_entry_that_changed_after_the_plan(slapd, site):
    """It is not touched, and told; the others are done."""
    filled(site, 6)
    for device in site.devices.values():
        device["displayName"] += "-renamed"
    site.options["description"] = "{name}"
    site.publish()
    victim = accounts(slapd.contents())[3].dn
    with in_between(site, slapd) as proxy:
        done = change_at(proxy, lambda request: request.reads_entry and request.dn.lower() == victim.lower(),
                         lambda: slapd.modify(victim, description="by an administrator"))
        run = site.apply(code=PROBLEMS)
        assert done, "the entry's version is not read before it is changed"
    says(run, victim, "chang")
    assert value(slapd.contents(victim)[victim], "description") == "by an administrator"
    site.apply()
    assert value(slapd.contents(victim)[victim], "description").endswith("-renamed")


def test_an_entry_that_changed_in_the_last_moment(slapd, site):
    """After its version was read: the server refuses what does not fit."""
    filled(site, 3)
    site.options["description"] = "first {name}"
    site.apply()
    site.options["description"] = "second {name}"
    victim = accounts(slapd.contents())[1].dn
    with in_between(site, slapd) as proxy:
        done = change_at(proxy, lambda request: request.kind == "modify" and request.dn.lower() == victim.lower(),
                         lambda: slapd.modify(victim, description="by an administrator"))
        run = site.apply(code=PROBLEMS)
        assert done
    says(run, victim, "chang")
    assert value(slapd.contents(victim)[victim], "description") == "by an administrator"
    site.apply()


@pytest.mark.parametrize("what", ("delete", "unmark", "adopt"))
def test_an_account_that_is_not_ours_any_more(slapd, site, what):
    """Deleted, or its mark was taken off, or it was given to another section, while it was to be disabled."""
    filled(site, 8)
    gone = next(iter(site.devices))
    del site.devices[gone]
    site.publish()
    victim, = (account.dn for account in accounts(slapd.contents()) if account.key == gone)
    change = {"delete": lambda: slapd.delete(victim), "unmark": lambda: slapd.modify(victim, adminDescription=None),
              "adopt": lambda: slapd.modify(victim, adminDescription=f"certdir:lan:{gone}")}[what]
    with in_between(site, slapd) as proxy:
        change_at(proxy, lambda request: request.reads_entry and request.dn.lower() == victim.lower(), change)
        says(site.apply(code=PROBLEMS), victim)
    after = slapd.contents()
    assert (victim in after) == (what != "delete")
    if victim in after:
        assert value(after[victim], "userAccountControl") == "4096"
    assert site.apply(code=(DONE, PROBLEMS)).actions == []


def test_an_account_that_is_anothers_while_others_are_removed(slapd, site):
    """Between the look at an entry and its removal is no time in which dozens of others are removed."""
    site.options["member_of"] = GROUP
    filled(site, 100)
    site.devices.clear()
    site.add("LAPTOP-NEW")
    site.publish()
    site.apply("--force")
    site.at += 31 * DAY
    site.publish()
    seen, victims = [], []

    def in_the_middle(request):
        if request.kind == "delete":
            seen.append(request.dn.lower())
            if len(seen) == 64:
                victims.append(next(account.dn for account in accounts(slapd.contents())
                                    if account.dn.lower() not in seen and account.disabled))
                slapd.modify(victims[0], adminDescription=None)

    with in_between(site, slapd) as proxy:
        proxy.on_request = in_the_middle
        says(site.apply("--force", code=PROBLEMS), *victims, "not the section's mark any more")
    assert victims[0] in slapd.contents() and len(accounts(slapd.contents())) == 1


def test_an_account_that_was_just_made_and_is_anothers(slapd, site):
    """What this run has made is looked at before it joins the group, too."""
    site.options["member_of"] = GROUP
    site.add(*names(3))
    site.publish()
    made, victims = [], []

    def after_the_last(request):
        made.extend([request.dn] * (request.kind == "add"))
        if len(made) == 3 and request.kind != "add" and not victims:
            victims.append(made[1])
            slapd.modify(made[1], adminDescription=None)

    with in_between(site, slapd) as proxy:
        proxy.on_request = after_the_last
        run = site.apply(code=PROBLEMS)
    begun, = run.of("begun")
    assert begun["dn"].lower() == victims[0].lower() and begun["left"] == f"join {GROUP}"
    members = {member.decode().lower() for member in slapd.contents()[GROUP]["member"]}
    assert members == {dn.lower() for dn in made} - {victims[0].lower()}


def test_a_removal_of_what_somebody_enabled(slapd, site):
    """The month is over, and an administrator has just enabled the account: it stays."""
    filled(site, 8)
    gone = site.devices.pop(next(iter(site.devices)))["deviceId"]
    site.publish()
    site.apply()
    site.at += 31 * DAY
    site.publish()
    victim, = (account.dn for account in accounts(slapd.contents()) if account.key == gone)
    with in_between(site, slapd) as proxy:
        done = change_at(proxy, lambda request: request.reads_entry and request.dn.lower() == victim.lower(),
                         lambda: slapd.modify(victim, userAccountControl=4096))
        says(site.apply(code=PROBLEMS), victim)
        assert done
    assert victim in slapd.contents()


def test_an_account_that_somebody_needed(slapd, site):
    """Enabled by an administrator although its device was gone: the month begins again before it is removed."""
    filled(site, 8)
    gone = site.devices.pop(next(iter(site.devices)))["deviceId"]
    site.publish()
    site.apply()
    victim, = (account.dn for account in accounts(slapd.contents()) if account.key == gone)
    slapd.modify(victim, userAccountControl=4096)
    for days, kinds in ((31, {"disable": 1}), (29, {}), (1, {"remove": 1})):
        site.at += days * DAY
        site.publish()
        assert site.apply().kinds() == kinds


def test_an_account_made_by_another_after_the_plan(slapd, site):
    """Somebody creates what we were about to create: it is theirs."""
    site.add(*names(3))
    site.publish()
    theirs = device_id("LAPTOP-002")
    with in_between(site, slapd) as proxy:
        change_at(proxy, lambda request: request.is_write,
                  lambda: slapd.add_computer(theirs, parent=OU, sAMAccountName="THEIRS$"))
        says(site.apply(code=PROBLEMS), theirs, "exist")
    before = slapd.contents(f"cn={theirs},{OU}")
    assert set(site.apply(code=PROBLEMS).problems) == {theirs}
    assert slapd.contents(f"cn={theirs},{OU}") == before


# ---- signals ----

@pytest.mark.parametrize("number, at", ((signal.SIGINT, 1), (signal.SIGTERM, 40), (signal.SIGHUP, 90)))
def test_a_signal_in_the_middle(slapd, site, number, at):
    """What is on the way is awaited; the next run does the rest."""
    site.options["member_of"] = GROUP
    site.add(*names(200))
    site.publish()
    with in_between(site, slapd) as proxy:
        process = Future()

        def stop(request):
            if request.is_write and request.writes == at:
                process.result(10).send_signal(number)
        proxy.on_request = stop
        process.set_result(site.start("apply", "--json"))
        run = site.end(process.result(), STOPPED)
    says(run, "signal", "run apply again")
    done = accounts(slapd.contents())
    assert at <= len(done) < 200 and not run.summary["done"]
    assert site.undo_files()
    site.apply()
    assert len(accounts(slapd.contents())) == 200
    assert len(slapd.contents(GROUP)[GROUP]["member"]) == 200
    assert site.apply().actions == []


def test_a_signal_while_it_plans(slapd, site):
    site.add(*names(3))
    site.publish()
    with in_between(site, slapd) as proxy, unchanged(slapd):
        process = Future()
        proxy.on_request = lambda request: (
            process.result(10).send_signal(signal.SIGTERM) if request.kind == "search" and request.scope == 2 else None)
        process.set_result(site.start("apply", "--json"))
        run = site.end(process.result(), STOPPED)
    says(run, "signal")
    assert not run.done and not site.undo_files()
