# SPDX-License-Identifier: GPL-2.0-or-later
"""RADIUS packets as bytes (RFC 2865)."""

import hashlib
import hmac

ACCEPT, REJECT, CHALLENGE = 2, 3, 11
USER_NAME, STATE, EAP_MESSAGE, MESSAGE_AUTHENTICATOR = 1, 24, 79, 80
EAP_SUCCESS, EAP_FAILURE = 3, 4


def attributes(packet):
    """[(type, value)] in the packet's order."""
    found, position = [], 20
    while position < len(packet):
        kind, length = packet[position], packet[position + 1]
        found.append((kind, packet[position + 2:position + length]))
        position += length
    return found


def values(packet, kind):
    return [value for one, value in attributes(packet) if one == kind]


def eap(packet):
    """The EAP packet of all EAP-Message attributes."""
    return b"".join(values(packet, EAP_MESSAGE))


def is_authentic(reply, request, secret):
    """Response Authenticator and Message-Authenticator (RFC 3579, 3.2) of a reply to this request."""
    authenticator, secret = request[4:20], secret.encode()
    given, = values(reply, MESSAGE_AUTHENTICATOR)
    with_request = reply[:4] + authenticator + reply[20:]
    zeroed = with_request.replace(bytes([MESSAGE_AUTHENTICATOR, 18]) + given, bytes([MESSAGE_AUTHENTICATOR, 18]) + bytes(16))
    return (hmac.new(secret, zeroed, hashlib.md5).digest() == given and
            hashlib.md5(with_request + secret).digest() == reply[4:20])
