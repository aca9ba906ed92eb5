# SPDX-License-Identifier: GPL-2.0-or-later
"""The server's own LDAP module, set up as its documentation says, for what is measured beside it."""

import re

from testenv.slapd import READER, READER_PASSWORD, SUFFIX

# The timeouts are those of the shipped file; start = 0, or the server would not start while the directory is down.
MODULE = """\
ldap {{
	{server}
	identity = "{identity}"
	password = "{password}"
	base_dn = "{base}"
	user {{
		base_dn = "{base}"
		filter = "{filter}"
	}}
	update {{
{updates}
	}}
	options {{
		chase_referrals = no
		res_timeout = 10
		srv_timelimit = 3
		net_timeout = 1
		idle = 60
		probes = 3
		interval = 3
	}}
	tls {{
		{tls}
	}}
	pool {{
		start = 0
		min = {connections}
		max = {connections}
		spare = 0
		uses = 0
		lifetime = 0
		idle_timeout = 0
		retry_delay = {retry_delay}
	}}
}}
"""
# As that documentation has it: the account of the computer, and whether it is disabled.
FILTER, ATTRIBUTES = "(sAMAccountName=%{User-Name}$)", ("userAccountControl",)


def rlm_ldap(server, search_filter=FILTER, attributes=ATTRIBUTES, tls="", connections=4, retry_delay=30):
    """mods-enabled/ldap; the filter may hold expansions, and of the attributes each goes into the control list."""
    updates = "\n".join(f"\t\t&control:Tmp-String-{number % 10} += '{attribute}'" for number, attribute in enumerate(attributes))
    servers = "\n\t".join(f'server = "{one}"' for one in ([server] if isinstance(server, str) else server))
    return MODULE.format(server=servers, identity=READER, password=READER_PASSWORD, base=SUFFIX, filter=search_filter,
                         updates=updates, tls=tls, connections=connections, retry_delay=retry_delay)


def searches(log):
    """What slapd's log of level 256 tells of each search: (filter, attributes)."""
    return [(found[1], tuple(found[2].split())) for found in re.finditer(
        r'SRCH base="[^"]*" scope=\d deref=\d filter="([^"]*)"\n.* SRCH attr=(.*)', log)]
