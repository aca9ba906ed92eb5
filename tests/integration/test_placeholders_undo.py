# SPDX-License-Identifier: GPL-2.0-or-later
"""`certdir placeholders undo` on a real slapd and a real domain controller: what it takes back, and what it leaves alone."""

import contextlib
import json
import re
import signal
import subprocess
from concurrent.futures import Future

import pytest

from testenv import placeholder_worlds as worlds
from testenv.devices import device_id
from testenv.ldap_proxy import LdapProxy
from testenv.placeholder_fixtures import shared, slapd  # noqa: F401
from testenv.placeholder_worlds import DAY, ELSEWHERE, GROUP, GROUPS, OU, Site, accounts, names, says, unchanged, value
from testenv.placeholders import DONE, FAILED, MISCONFIGURED, MISUSED, PROBLEMS, STOPPED, TO_DO, UNDO_IS_NONE, UNREADABLE
from testenv.radiusd import BUILD
from testenv.slapd import SUFFIX


@pytest.fixture
def site(slapd, tmp_path):
    site = Site(tmp_path, slapd.uri, name="{name}", member_of=GROUP)
    site.add(*names(4))
    site.publish()
    site.apply()
    return site


def test_twice(slapd, site):
    undo, = site.undo_files()
    with unchanged(slapd):
        assert len(site.take_back(undo, TO_DO, dry=True).of("undo")) == 4
    run = site.take_back(undo)
    assert run.summary["undone"] == 4 and run.summary["error"] is None and accounts(slapd.contents()) == []
    assert site.take_back(undo, dry=True).summary["nothing"] == 4
    run = site.take_back(undo)
    assert (run.summary["undone"], run.summary["nothing"], run.summary["left"]) == (0, 4, 0)
    assert len(site.apply().done) == 4


def test_the_newest_first(site):
    """An older file is told of, whatever the section's name; a copy elsewhere says nothing of when it was made."""
    first, = site.undo_files()
    site.add(*names(6)[4:])
    site.publish()
    site.apply()
    second = site.undo_files()[-1]
    said = site.take_back(first).err
    assert f"warning: {second.name} is newer than {first}" in said
    assert "is newer than" not in site.take_back(second).err


def test_an_entry_that_is_anothers_by_now(slapd, site):
    """Its mark is gone, or is another device's, or something stands below it."""
    undo, = site.undo_files()
    found = {account.cn: account for account in accounts(slapd.contents())}
    one, two, three, four = (found[name].dn for name in names(4))
    slapd.modify(one, adminDescription=None)
    slapd.modify(two, adminDescription=f"certdir:wifi:{found[names(4)[2]].key}")
    slapd.add_computer("BELOW", parent=three)
    left = site.take_back(undo, TO_DO, dry=True).of("left")
    assert {line["dn"].lower() for line in left} == {one.lower(), two.lower()}
    run = site.take_back(undo, PROBLEMS)
    left = {line["dn"].lower(): line["why"] for line in run.of("left")}
    assert set(left) == {dn.lower() for dn in (one, two, three)}
    assert "has not the mark" in left[one.lower()] and "has not the mark" in left[two.lower()]
    assert "non-leaf" in left[three.lower()]
    after = slapd.contents()
    assert one in after and two in after and three in after and four not in after


def made_again(slapd, account):
    """Somebody deletes an account and makes another one under its name; `adopt` gives that one the mark."""
    slapd.delete(account.dn)
    slapd.add_computer(account.cn, parent=OU)
    slapd.modify(account.dn, adminDescription=f"certdir:wifi:{account.key}")


NO_ID = "00000000-0000-0000-0000-000000000000"


def test_an_account_that_was_made_again(slapd, site):
    """Name and mark are those of the account that the run made, and the account is another one."""
    undo, = site.undo_files()
    one, *others = accounts(slapd.contents())
    made_again(slapd, one)
    assert NO_ID not in undo.read_text()
    assert len(site.take_back(undo, TO_DO, dry=True).of("left")) == 1
    run = site.take_back(undo, PROBLEMS)
    left, = run.of("left")
    assert left["dn"].lower() == one.dn.lower() and "is another one by now" in left["why"] and "entryUUID" in left["why"]
    assert run.summary["undone"] == len(others) and [account.dn for account in accounts(slapd.contents())] == [one.dn]


@pytest.mark.parametrize("ids", [f"\n# id: {NO_ID}", ""], ids=["a run that was killed", "an earlier version"])
def test_a_file_without_ids(slapd, site, ids):
    """It knows when the run was: what was made on another day by the server's clock is another account."""
    undo, = site.undo_files()
    undo.write_text(re.sub("\n# id: .*", ids, undo.read_text()))
    left = site.take_back(undo, PROBLEMS).of("left")
    assert len(left) == 4 and all("it was made at 20" in line["why"] for line in left)
    worlds.as_of_now(undo)
    assert site.take_back(undo).summary["undone"] == 4 and accounts(slapd.contents()) == []


def removed(site, account):
    """The device is not in the list for long enough; returns the undo file of the removal."""
    site.device = site.devices.pop(account.key)
    site.publish()
    site.apply()
    site.at += 31 * DAY
    site.publish()
    assert [action["kind"] for action in site.apply().of("action")] == ["remove"]
    return site.undo_files()[-1]


def test_a_device_that_came_back_under_another_name(slapd, site):
    """It has an account by now: the one that was removed would be its second."""
    one = accounts(slapd.contents())[0]
    undo = removed(site, one)
    site.devices[one.key] = {**site.device, "displayName": "LAPTOP-NEW"}
    site.publish()
    site.apply()
    for dry in (True, False):
        left, = site.take_back(undo, PROBLEMS, dry=dry).of("left")
        assert left["verb"] == "add" and f"device {one.key} has CN=LAPTOP-NEW,".lower() in left["why"].lower()
    assert [account.cn for account in accounts(slapd.contents()) if account.key == one.key] == ["LAPTOP-NEW"]


def test_what_comes_back_needs_no_why(slapd, site):
    undo = removed(site, accounts(slapd.contents())[0])
    done, = [line for line in site.take_back(undo).of("undone") if line["verb"] == "add"]
    assert done["why"] == ""


@contextlib.contextmanager
def at_write(site, slapd, number, act):
    """`act` is called when that write is on its way to the server."""
    uri = site.options["server"]
    with LdapProxy(slapd.port) as proxy:
        proxy.on_request = lambda request: act() if request.is_write and request.writes == number else None
        site.options["server"] = proxy.uri
        yield
        proxy.settle()
    site.options["server"] = uri


@pytest.mark.parametrize("number, code", ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, STOPPED)))
def test_broken_off_and_again(slapd, site, number, code):
    """It goes on from where it was."""
    undo, = site.undo_files()
    process = Future()
    with at_write(site, slapd, 3, lambda: process.result(10).send_signal(number)):
        process.set_result(site.start("undo", "--json", str(undo)))
        site.end(process.result(), code)
    left = len(accounts(slapd.contents()))
    assert 0 < left < 4
    run = site.take_back(undo)
    assert run.summary["nothing"] > 0 and run.summary["left"] == 0 and accounts(slapd.contents()) == []


@pytest.mark.parametrize("command", ("undo", "apply"))
def test_beside_another(slapd, site, command):
    """An administrator and a timer: the second waits for the first, and sees what that has left."""
    undo, = site.undo_files()
    started = []
    with at_write(site, slapd, 1, lambda: started.append(site.start(command, "--json", *([str(undo)] if command == "undo" else [])))):
        assert site.take_back(undo).summary["left"] == 0
        other = site.end(started[0], DONE)
    if command == "undo":
        assert (other.summary["undone"], other.summary["left"]) == (0, 0) and accounts(slapd.contents()) == []
    else:
        assert len(other.done) == len(accounts(slapd.contents())) == 4


def test_a_directory_that_cannot_be_written(slapd, site):
    """An undo needs to write nothing."""
    undo, = site.undo_files()
    site.options["undo_directory"] = "/proc/no"
    assert site.take_back(undo).summary["undone"] > 0 and accounts(slapd.contents()) == []


def test_names_that_went_round(slapd, site):
    """Used twice, the file does not exchange the names again."""
    keys = {account.cn: account.key for account in accounts(slapd.contents())}
    one, two = names(2)
    for key, name in ((keys[one], two), (keys[two], one)):
        site.devices[key]["displayName"] = name
    site.publish()
    site.apply()
    swapped = {account.cn: account.key for account in accounts(slapd.contents())}
    assert swapped[one] == keys[two] and swapped[two] == keys[one]
    undo = site.undo_files()[-1]
    with unchanged(slapd):
        shown = site.take_back(undo, TO_DO, dry=True)
    assert len(shown.of("undo")) == shown.summary["records"] and shown.summary["dry_run"], "in the order in which names go round"
    for code in (DONE, PROBLEMS):
        site.take_back(undo, code)
        assert {account.cn: account.key for account in accounts(slapd.contents())} == keys


def test_status_tells_of_the_last_runs(slapd, site):
    def status(*arguments, code=0):
        done = subprocess.run([BUILD / "certdir", "status", "-c", site.conf, *arguments], capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout

    section, = json.loads(status("--json"))["placeholders"]
    assert section["name"] == "wifi" and section["plan"] is None
    assert [section["apply"][key] for key in ("outcome", "create", "done", "aside")] == ["ok", 4, 4, 0]
    site.add("LAPTOP-NEW")
    site.publish()
    site.plan()
    text = status()
    assert "placeholders wifi:" in text and ": to do, create 1; 0 problems" in text
    assert ": ok, create 4; 0 problems; 4 done, 0 begun, 0 set aside, 0 not tried" in text
    metrics = status("--prometheus")
    assert 'certdir_placeholders_actions{section="wifi",run="plan",kind="create"} 1\n' in metrics
    assert 'certdir_placeholders_results{section="wifi",run="apply",result="done"} 4\n' in metrics
    # What failed is told, and is bad enough for the exit code. A file that is none is as good as not there.
    site.options["ou"] = f"ou=missing,{OU}"
    site.apply(code=FAILED)
    assert f"error       {slapd.uri}" in status(code=1) and "failed" in status(code=1)
    (site.undo / "wifi.apply").write_text("[1")
    assert json.loads(status("--json"))["placeholders"][0]["apply"] is None


def test_an_account_that_is_another_devices_by_now(slapd, site):
    """What replaces a value, whatever that is, asks for the device; who is enabled is not left to chance."""
    one = next(account for account in accounts(slapd.contents()) if account.cn == names(1)[0])
    site.devices[one.key]["accountEnabled"] = False
    site.publish()
    site.apply()
    slapd.modify(one.dn, userAccountControl="4096")
    site.apply()
    undo = site.undo_files()[-1]
    slapd.modify(one.dn, adminDescription=f"certdir:wifi:{device_id(900)}")
    says_why, = site.take_back(undo, PROBLEMS).of("left")
    assert "has not the mark of device " + one.key in says_why["why"]
    assert value(slapd.contents()[one.dn], "userAccountControl") == "4098"


def test_a_section_in_another_spelling(slapd, site):
    """Marks are compared without regard to case, also when they are taken back."""
    gone = next(account for account in accounts(slapd.contents()) if account.cn == names(1)[0])
    del site.devices[gone.key]
    site.publish()
    site.apply()
    site.section = "WiFi"
    site.at += 31 * DAY
    site.publish()
    assert [action["kind"] for action in site.apply().of("action")] == ["remove"]
    site.take_back(site.undo_files()[-1])
    assert gone.dn in slapd.contents()


BROKEN = {
    "cut": (lambda text: text[:len(text) // 2], "was cut"),
    "empty": (lambda text: "", "no undo file"),
    "not ours": (lambda text: "dn: CN=a\nchangetype: delete\n", "no undo file"),
    "another's mark": (lambda text: text.replace("# mark: certdir:wifi:", "# mark: certdir:lan:"), "mark"),
    "no mark": (lambda text: text.replace("# mark: ", "# Mark: "), "mark"),
    "not a change": (lambda text: text.replace("changetype: delete", "changetype: erase"), "no LDIF"),
    "another file": (lambda text: text.replace("\n# The end", "\ninclude: file:///etc/shadow\n\n# The end"), "another file"),
    "a file's content": (lambda text: text.replace("\n# The end", f"\ndn: cn=x,{OU}\nchangetype: add\ncn:< file:///etc/shadow\n"
                                                   "\n# The end"), "another file"),
    "an entry without a mark": (lambda text: text.replace("\n# The end", f"\ndn: cn=x,{OU}\nchangetype: add\ncn: x\n"
                                                          "objectClass: computer\n\n# The end"), "without the section's mark"),
    "a whole attribute": (lambda text: text.replace("\n# The end", f"\ndn: cn=x,{OU}\nchangetype: modify\ndelete: description\n"
                                                    "-\n\n# The end"), "no such record"),
    "a control character": (lambda text: text.replace("# Look", "# \x1b[2J"), "does not write"),
    "a binary": (lambda text: text.replace("# Look", "# \0"), "does not write"),
    "another control": (lambda text: text.replace("control: 1.3.6.1.1.12", "control: 1.2.840.113556.1.4.805"), "no such record"),
}


def record(dn, *lines):
    """Appends a record of what is one of the section's by all but what it does."""
    return lambda text: text.replace("\n# The end", "\n" + "\n".join([f"dn: {dn}", *lines, ""]) + "\n# The end")


def added(dn=f"cn=x,{OU}", **values):
    """An account that would come back."""
    given = {"objectClass": "computer", "cn": "x", "adminDescription": "certdir:wifi:k", "sAMAccountName": "x$", **values}
    return record(dn, "changetype: add", *(f"{name}: {value}" for name, value in given.items()))


def modified(attribute, value, dn=f"cn={names(1)[0]},{OU}"):
    return record(dn, "changetype: modify", f"replace: {attribute}", f"{attribute}: {value}", "-")


def moved(parent, rdn="cn=y"):
    return record(f"cn={names(1)[0]},{OU}", "changetype: modrdn", f"newrdn: {rdn}", "deleteoldrdn: 1", f"newsuperior: {parent}")


def joined(group, member=f"cn={names(1)[0]},{OU}"):
    return record(group, "changetype: modify", "add: member", f"member: {member}", "-")


# With the rights of an administrator each of these would do.
BROKEN |= {
    "a group of others": (joined(f"cn=Domain Admins,{GROUPS}"), "no group of the section"),
    "a member of others": (joined(GROUP, f"cn=a,{ELSEWHERE}"), "not in an OU"),
    "moved away": (moved(f"ou=Domain Controllers,{SUFFIX}"), "no OU of the section"),
    "moved under two names": (moved(OU, "cn=y,ou=z"), "no name that certdir gives"),
    "moved to be a user": (moved(OU, "uid=y"), "no name that certdir gives"),
    "made elsewhere": (added(f"cn=x,cn=Users,{SUFFIX}"), "not in an OU"),
    "made beside": (added(f"cn=x,{OU[:-1]}x"), "not in an OU"),
    "made a user": (added(objectClass="user"), "no such objectClass"),
    "made a domain controller": (added(userAccountControl=532480), "no such userAccountControl"),
    "made without a password": (added(userAccountControl=4128), "no such userAccountControl"),
    "made with a history": (added(sIDHistory="S-1-5-21-1-2-3-500"), "does not write sIDHistory"),
    "becomes a domain controller": (modified("userAccountControl", 532480), "no such userAccountControl"),
    "becomes anything": (modified("userAccountControl", "x"), "no such userAccountControl"),
    "becomes somebody": (modified("msDS-AllowedToActOnBehalfOfOtherIdentity", "x"), "does not write msDS"),
    "becomes another section's": (modified("adminDescription", "certdir:lan:k"), "no such adminDescription"),
    "another name": (modified("sAMAccountName", "dc1$"), "does not write sAMAccountName"),
    "somebody else's": (modified("description", "x", f"cn=a,{ELSEWHERE}"), "not in an OU"),
    "the OU itself": (modified("description", "x", OU), "not in an OU"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_files_that_are_broken(slapd, site, how):
    """Nothing is done before the last line was understood."""
    change, said = BROKEN[how]
    undo, = site.undo_files()
    undo.write_text(change(undo.read_text()))
    with unchanged(slapd):
        run = site.take_back(undo, (FAILED, UNDO_IS_NONE))
        says(run, str(undo) if how != "another's mark" else "wifi", said)
        assert "\x1b" not in run.err


def test_flags_that_nobody_knows(slapd, site):
    """An edited file, or a person since: the account is switched on and off and gets no other flag."""
    one = next(account for account in accounts(slapd.contents()) if account.cn == names(1)[0])
    undo, = site.undo_files()
    text = undo.read_text()
    start = text.index("\ndn:")
    undo.write_text(modified("userAccountControl", 4096 | 0x80000)(f"{text[:start]}\n# The end.\n"))
    left, = site.take_back(undo, PROBLEMS).of("left")
    assert "other flags" in left["why"] and value(slapd.contents()[one.dn], "userAccountControl") == "4096"
    undo.write_text(modified("userAccountControl", 4098)(f"{text[:start]}\n# The end.\n"))
    site.take_back(undo)
    assert value(slapd.contents()[one.dn], "userAccountControl") == "4098"


def test_files_that_are_none(slapd, site, tmp_path):
    undo, = site.undo_files()
    with unchanged(slapd):
        for path, code in ((tmp_path, UNDO_IS_NONE), (tmp_path / "missing", UNREADABLE), ("/dev/null", UNDO_IS_NONE)):
            says(site.take_back(path, code), str(path))
        undo.write_text(undo.read_text().replace("[placeholders wifi]", "[placeholders lan]"))
        says(site.take_back(undo, MISCONFIGURED), "[placeholders lan]")
        assert [line["error"]["exit"] for line in site.end(site.start("undo", "--json"), MISUSED).lines] == [MISUSED]
