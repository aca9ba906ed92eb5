# SPDX-License-Identifier: GPL-2.0-or-later
"""What all tests share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from testenv.radiusd import BUILD, REPO  # noqa: E402  (needs the path above)


@pytest.fixture(scope="session")
def repo():
    return REPO


@pytest.fixture(scope="session")
def certdir_cli():
    """The path of the certdir command that was built."""
    path = BUILD / "certdir"
    if not path.exists():
        pytest.fail(f"{path} is missing: run make first")
    return path
