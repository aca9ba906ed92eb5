# SPDX-License-Identifier: GPL-2.0-or-later
"""Every kind of login against every kind of directory: what the device gets, and the reason in the log."""

import pytest

from testenv.logins import enter

# certificate recipe -> (accepted, reason); the devices they speak of are in `worlds`
CASES = {
    "allowed": (True, "allow", "allowed"),
    "disabled": (False, "deny", "disabled"),
    "unknown": (False, "deny", "not-found"),
    "ambiguous": (False, "deny", "ambiguous"),
    "conflict": (False, "deny", "conflict"),
    "no-identity": (False, "deny", "no-identity"),
    "hostile": (False, "deny", "malformed-certificate"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("handshake", ["full", "resumed"])
def test_login(world, pki, case, handshake):
    accepted, verdict, reason = CASES[case]
    if handshake == "full":
        attempt, decision = enter(world.server, pki, world.certificate(case))
    else:
        # The session is from the time before certdir: the stock server knows only that the CA signed the certificate.
        attempt, decision = world.enter_again(case)
    assert attempt.accepted is accepted
    assert attempt.eap == ("success" if accepted else "failure")
    assert (decision.verdict, decision.reason) == (verdict, reason), decision.line
    if accepted:
        assert decision.fields["directory"] == world.kind
        assert decision.fields["device"].upper() == "ALLOWED-1", decision.line
