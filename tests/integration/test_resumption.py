# SPDX-License-Identifier: GPL-2.0-or-later
"""A TLS session from better days helps no device: the directory is asked again on every resumption."""

import pytest

from testenv.logins import enter_again

CHANGES = {
    "disabled": ("disable", "disabled"),
    "removed": ("remove", "not-found"),
    "ambiguous": ("duplicate", "ambiguous"),
    "conflict": ("contradict", "conflict"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_session_from_before_the_change(world, pki, change):
    verb, reason = CHANGES[change]
    name = f"BEFORE-{change.upper()}"
    certificate = world.new_device(name)
    attempt, decision = enter_again(world.server, pki, certificate, lambda: getattr(world, verb)(name))
    assert not attempt.accepted
    assert attempt.eap == "failure"
    assert (decision.verdict, decision.reason) == ("deny", reason), decision.line


def test_session_is_still_good_when_nothing_changed(world, pki):
    certificate = world.new_device("UNCHANGED-1")
    attempt, decision = enter_again(world.server, pki, certificate, lambda: None)
    assert attempt.accepted
    assert decision.reason == "allowed"
    assert decision.fields["device"].upper() == "UNCHANGED-1"


def test_device_is_let_in_again(world, pki):
    """A denial is no memory: the device that is enabled again comes in."""
    name = "BACK-AGAIN"
    certificate = world.new_device(name)

    def there_and_back():
        world.disable(name)
        world.enable(name)

    attempt, decision = enter_again(world.server, pki, certificate, there_and_back)
    assert attempt.accepted
    assert decision.reason == "allowed"
