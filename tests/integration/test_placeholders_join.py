# SPDX-License-Identifier: GPL-2.0-or-later
"""PCs that real tools join to the domain under the names of placeholders: from then on they are nobody's but their own."""

import contextlib
import shutil
import tempfile
import time
from datetime import datetime, timezone

import pytest

from testenv import pc, samba
from testenv.devices import device_id
from testenv.network import own_network
from testenv.pc import Pc
from testenv.placeholder_office import Office
from testenv.placeholders import NOTHING, PROBLEMS

DC, CLIENT = "10.77.0.1", "10.77.0.2"
SLACK = 10  # a password that was set so soon is taken for the one that the account was made with


@pytest.fixture(scope="module")
def domain():
    """A domain controller with all of its services, in a network that is the test's own."""
    reason = samba.missing() or pc.missing()
    if reason:
        pytest.skip(reason)
    directory = tempfile.mkdtemp(prefix="certdir-dc-")
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory)
        try:
            stack.enter_context(own_network(DC, CLIENT))
        except OSError as error:
            pytest.skip(f"there can be no network of its own here: {error}")
        yield stack.enter_context(samba.SambaDomain(directory, address=DC, whole=True))


def made(office, name):
    """When, as a Unix time."""
    text = office.account_of(name)["whenCreated"][0].decode()
    return datetime.strptime(text, "%Y%m%d%H%M%S.0Z").replace(tzinfo=timezone.utc).timestamp()


def left_by(office, names):
    """All that there is to know of accounts, by their DN."""
    found = office.domain.below(office.ou)
    return {office.dn(name): found[office.dn(name)] for name in names}


def owner_joins(office, machine):
    """The account that certdir binds as has made the placeholder and owns it: who has its password may do this, too."""
    return machine.adcli(office.account.name, office.account.password)


JOINS = {"adcli": lambda _, machine: machine.adcli(), "the owner": owner_joins, "net": lambda _, machine: machine.net(),
         "samba-tool": lambda _, machine: machine.samba_tool()}
QUIET = ("net", "samba-tool")  # what they write has no sign but the password's age


def test_joined_with_real_tools(tmp_path, domain):
    """Ten runs with all that may become of a device, and the undo of the first: each PC's account is what its join left."""
    office = Office(tmp_path / "office", domain)
    *names, other, another = office.fill(len(JOINS) + 2)
    office.apply()
    first, = office.undo_files()
    for name, (tool, join) in zip(names, JOINS.items()):
        machine = Pc(tmp_path / name, domain, name, CLIENT)
        while tool in QUIET and time.time() < made(office, name) + SLACK + 1:
            pass
        joined = join(office, machine)
        assert joined.returncode == 0, f"{tool}: {joined.stdout}{joined.stderr}"
        logged_on = machine.log_on()
        assert logged_on.returncode == 0, f"{tool}: {logged_on.stderr}"
    before = left_by(office, names)

    def untouched(expected=(), code=PROBLEMS, days=0):
        office.list.publish()
        plan = office.plan("--force", days=days)
        done = office.run("apply", "--force", code=code, days=days)
        assert plan.actions == done.actions and done.done == sorted(expected), done.lines
        assert left_by(office, names) == before
        told = [line["subject"] for line in done.of("remark") if "is a real computer by now (" in line["text"]]
        assert sorted(told) == sorted(map(device_id, names))

    def of_all(change):
        for name in names:
            change(name)

    untouched()
    of_all(lambda name: office.list.change(name, serialNumber=f"SN-{name}-NEW"))
    untouched()
    of_all(lambda name: office.list.change(name, accountEnabled=False))
    office.list.change(other, accountEnabled=False)
    untouched([("disable", other)])
    of_all(office.list.remove)
    untouched()
    untouched(days=31)
    untouched(days=300)
    of_all(lambda name: office.list.add(name, displayName=f"{name}-NEW"))
    untouched()
    office.options |= {"enabled": False, "member_of": None, "primary_group": None,
                       "service_principal_name": "HOST/{serial_number}"}
    office.list.change(other, accountEnabled=True)
    office.list.publish()
    office.run("apply", "--force", code=PROBLEMS)
    untouched()
    office.options |= {"name": "{serial_number}"}
    office.list.publish()
    office.run("apply", "--force", code=PROBLEMS)
    untouched()
    undone = office.run("undo", first, code=PROBLEMS)
    assert {line["dn"] for line in undone.of("left")} >= {office.dn(name) for name in names}
    assert left_by(office, names) == before


def test_a_stranger_cannot_join_it(tmp_path, domain):
    """A user of the domain has no right to a placeholder."""
    office = Office(tmp_path / "office", domain)
    name, = office.fill(1)
    office.apply()
    user = domain.add_user("stranger")
    before = left_by(office, [name])
    joined = Pc(tmp_path / name, domain, name, CLIENT).adcli(user.name, user.password)
    assert joined.returncode != 0 and "Not permitted to change password" in joined.stderr, joined.stderr
    assert left_by(office, [name]) == before
    office.plan(code=NOTHING)
