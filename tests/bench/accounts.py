# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices as Entra ID lists them, and the computer accounts that `certdir placeholders` would have made of them."""

import base64
import uuid

from testenv.devices import graph_device
from testenv.slapd import sid_bytes

# The options of [placeholders ..] that account() follows.
TEMPLATES = """\
description = {name} {serial_number}
"""


def device(number, **more):
    return graph_device(f"LAPTOP-{number:06}", serialNumber=f"SN{number:08X}", **more)


def account(number, device, ou, section, domain):
    """The account of a device as LDIF, with what a domain controller puts there itself."""
    cn = device["deviceId"]
    lines = [f"dn: cn={cn},{ou}", "objectClass: computer", f"cn: {cn}", f"sAMAccountName: {cn[:15].upper()}$",
             "userAccountControl: 4096", f"servicePrincipalName: HOST/{cn}", f"servicePrincipalName: HOST/{cn}.{domain}",
             f"description: {device['displayName']} {device['serialNumber']}", f"adminDescription: certdir:{section}:{cn}",
             "primaryGroupID: 515", "accountExpires: 9223372036854775807", f"uSNChanged: {number + 10000}",
             f"objectSid:: {_binary(sid_bytes(f'S-1-5-21-397955417-626881126-188441444-{number + 10000}'))}",
             f"objectGUID:: {_binary(uuid.uuid5(uuid.NAMESPACE_OID, cn).bytes_le)}"]
    return "\n".join(lines) + "\n\n"


def _binary(value):
    return base64.b64encode(value).decode()
