# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of placeholders against slapd share: a module that imports these has a server, filled anew for each test, and a site."""

import pytest

from testenv import placeholder_worlds as worlds
from testenv.placeholder_worlds import Site


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with worlds.server(tmp_path_factory.mktemp("placeholders") / "slapd") as slapd:
        yield slapd


@pytest.fixture
def slapd(shared):
    worlds.fill(shared)
    return shared


@pytest.fixture
def site(slapd, tmp_path):
    return Site(tmp_path, slapd.uri)
