# SPDX-License-Identifier: GPL-2.0-or-later
"""`certdir placeholders undo` on a real slapd and a real domain controller: what it takes back, and what it leaves alone."""

import pytest

from testenv import placeholder_worlds as worlds
from testenv.placeholder_worlds import OU, Site, accounts, names, says, unchanged
from testenv.placeholders import DONE, FAILED, MISCONFIGURED, MISUSED, PROBLEMS


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with worlds.server(tmp_path_factory.mktemp("undo") / "slapd") as slapd:
        yield slapd


@pytest.fixture
def slapd(shared):
    worlds.fill(shared)
    return shared


@pytest.fixture
def site(slapd, tmp_path):
    site = Site(tmp_path, slapd.uri, name="{name}")
    site.add(*names(4))
    site.publish()
    site.apply()
    return site


def test_twice(slapd, site):
    undo, = site.undo_files()
    run = site.take_back(undo)
    assert run.summary["undone"] == 4 and accounts(slapd.contents()) == []
    run = site.take_back(undo)
    assert (run.summary["undone"], run.summary["nothing"], run.summary["left"]) == (0, 4, 0)
    assert len(site.apply().done) == 4


def test_an_entry_that_is_anothers_by_now(slapd, site):
    """Its mark is gone, or is another device's, or something stands below it."""
    undo, = site.undo_files()
    found = {account.cn: account for account in accounts(slapd.contents())}
    one, two, three, four = (found[name].dn for name in names(4))
    slapd.modify(one, adminDescription=None)
    slapd.modify(two, adminDescription=f"certdir:wifi:{found[names(4)[2]].key}")
    slapd.add_computer("BELOW", parent=three)
    run = site.take_back(undo, PROBLEMS)
    left = {line["dn"].lower(): line["why"] for line in run.of("left")}
    assert set(left) == {dn.lower() for dn in (one, two, three)}
    assert "has not the mark" in left[one.lower()] and "has not the mark" in left[two.lower()]
    assert "non-leaf" in left[three.lower()]
    after = slapd.contents()
    assert one in after and two in after and three in after and four not in after


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
    for code in (DONE, PROBLEMS):
        site.take_back(undo, code)
        assert {account.cn: account.key for account in accounts(slapd.contents())} == keys


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


@pytest.mark.parametrize("how", BROKEN)
def test_files_that_are_broken(slapd, site, how):
    """Nothing is done before the last line was understood."""
    change, said = BROKEN[how]
    undo, = site.undo_files()
    undo.write_text(change(undo.read_text()))
    with unchanged(slapd):
        run = site.take_back(undo, FAILED)
        says(run, str(undo) if how != "another's mark" else "wifi", said)
        assert "\x1b" not in run.err


def test_files_that_are_none(slapd, site, tmp_path):
    undo, = site.undo_files()
    with unchanged(slapd):
        for path in (tmp_path, tmp_path / "missing", "/dev/null"):
            says(site.take_back(path, FAILED), str(path))
        undo.write_text(undo.read_text().replace("[placeholders wifi]", "[placeholders lan]"))
        says(site.take_back(undo, MISCONFIGURED), "[placeholders lan]")
        assert site.end(site.start("undo", "--json"), MISUSED).lines == []
