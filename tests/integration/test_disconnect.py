# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions that are ended by certdir, at network devices that others wrote: hostapd as a switch."""

import contextlib
import re

import pytest

from testenv import wired
from testenv.das import Orders
from testenv.driver import build_server_driver
from testenv.network import own_network
from testenv.ports import free_port
from testenv.radiusd import SECRET, Radiusd, shipped_module
from testenv.wired import Pc, Switch

ACCOUNTING_SITE = """\
server accounting {{
	listen {{
		type = acct
		ipaddr = 127.0.0.1
		port = {port}
	}}
	accounting {{
		ok
	}}
}}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build_server_driver(tmp_path_factory.mktemp("driver"), "das_orders", "das", "das_clients", "das_packet", "raddb_section")


@pytest.fixture
def wire():
    """A network of the test's own, and what ends with the test in it."""
    if reason := wired.missing():
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(own_network())
        except OSError as error:
            pytest.skip(f"there can be no network of its own here: {error}")
        yield stack


def closing(stack, thing):
    stack.callback(thing.close)
    return thing


def accounted(server, since=0, timeout=10):
    """What the last Accounting-Request said."""
    server.wait_log(r"Acct-Session-Id = ", since, timeout)
    packet = re.split(r"Received Accounting-Request", server.log(since))[-1]
    return dict(re.findall(r'^\(\d+\) +([\w-]+) = "?([^"\n]*)"?$', packet, re.MULTILINE))


def test_a_switch_takes_the_order(wire, program, tmp_path, pki, device_list):
    """hostapd wants both Event-Timestamp and Message-Authenticator, and refuses attributes that it does not know."""
    device_list.add("PC-1")
    device_list.publish()
    port = free_port("udp")
    server = wire.enter_context(Radiusd(tmp_path, pki.trust, shipped_module({"directories": "list", "list.filename": device_list.path}),
                                        sites={"accounting": ACCOUNTING_SITE.format(port=port)}))
    switch = closing(wire, Switch(tmp_path, server, port))
    machine = closing(wire, Pc(tmp_path, pki, pki.named("PC-1")))
    machine.wait_success()
    said = accounted(server)
    orders = closing(wire, Orders(program, tmp_path, f"client switch {{\n\tipaddr = 127.0.0.1\n\tsecret = {SECRET}\n}}\n"))
    session = {name: said[name] for name in ("Acct-Session-Id", "Calling-Station-Id", "User-Name", "NAS-Identifier")}

    done = orders.ask(session=session)
    assert (done.outcome, done.cause) == ("done", 0), switch.log()[-3000:]
    assert switch.opened() == (1, 1)
    # The session is no more, and who comes back is decided anew.
    assert orders.ask(session=session).outcome == "gone"
    told = server.mark()
    machine.log_in()
    machine.wait_success(2)
    assert len(server.decisions()) == 2
    session["Acct-Session-Id"] = accounted(server, told)["Acct-Session-Id"]

    device_list.change("PC-1", accountEnabled=False)
    mark = server.mark()
    device_list.publish()
    server.wait_log(r"certdir: .*: \d+ devices", mark)
    assert orders.ask(session=session).outcome == "done"
    assert switch.opened() == (2, 2)
    machine.log_in()
    assert server.decisions(count=3)[-1].reason == "disabled"
    switch.wait(r"decapsulated EAP packet \(code=4")
    assert switch.opened() == (2, 2)
