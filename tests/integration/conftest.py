# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of a login test: certificates, the two kinds of directory, servers; and a domain of Active Directory."""

import shutil
import tempfile

import pytest

from testenv.devices import DeviceList
from testenv.logins import Pki
from testenv.radiusd import BUILD, Radiusd
from testenv.samba import SambaDomain, missing
from testenv.worlds import LdapWorld, ListWorld

WORLDS = {"list": ListWorld, "ldap": LdapWorld}
# What takes longest begins first: a worker that began one of these last would be alone at the end.
LONGEST = ("domain", "test_graph_manners.py", "test_sync_graph.py", "test_ldap_faults.py", "test_ldap_pool.py", "test_sync_parts.py",
           "test_resumption.py", "test_asked_live.py", "test_placeholders_join.py", "test_server.py")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """
    What one worker does as a whole (--dist loadgroup): a file, for what its tests share; and all tests of `domain`, since
    a domain controller takes seconds to start.
    """
    def group(item):
        return "domain" if "domain" in item.fixturenames and not hasattr(item.module, "domain") else item.path.name

    def place(item):
        return LONGEST.index(group(item)) if group(item) in LONGEST else len(LONGEST)

    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))
    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def built():
    if not (BUILD / "rlm_certdir.so").exists():
        pytest.fail(f"{BUILD}/rlm_certdir.so is missing: run make first")


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session", params=[f"{kind}-tls{tls}" for kind in WORLDS for tls in ("1.2", "1.3")])
def world(request, pki, tmp_path_factory):
    kind, tls = request.param.split("-tls")
    world = WORLDS[kind](tmp_path_factory.mktemp(request.param), pki, tls)
    yield world
    world.close()


@pytest.fixture
def radiusd(tmp_path, pki):
    """Makes servers that end with the test: radiusd(module text, options of Radiusd)."""
    running = []

    def make(module, *, start=True, **options):
        directory = tmp_path / f"radiusd{len(running)}"
        directory.mkdir()
        server = Radiusd(directory, pki.trust, module, **options)
        running.append(server)
        return server.start() if start else server

    yield make
    try:
        for server in running:
            assert server.stop() in (0, None), server.log()[-3000:]
    finally:
        for server in running:
            server.kill()


@pytest.fixture
def device_list(tmp_path):
    (tmp_path / "list").mkdir()
    return DeviceList(tmp_path / "list" / "devices.db")


@pytest.fixture(scope="session")
def domain():
    """A domain controller. It is for all tests: each has an OU, a group and names of its own there."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    directory = tempfile.mkdtemp(prefix="certdir-dc-")  # short: there are sockets in it
    try:
        with SambaDomain(directory) as server:
            yield server
    finally:
        shutil.rmtree(directory)
