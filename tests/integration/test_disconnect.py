# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions that are ended by certdir, at network devices that others wrote: hostapd as a switch, strongSwan as a VPN gateway."""

import contextlib
import re
import time
from types import SimpleNamespace

import pytest

from testenv import vpn, wired
from testenv.das import SESSION, Device, Orders, ack, silence
from testenv.driver import build_server_driver
from testenv.logins import wait_list_loaded
from testenv.network import own_network
from testenv.ports import free_port
from testenv.radiusd import SECRET, Radiusd, shipped_module
from testenv.supplicant import login, radclient, wait_until
from testenv.wired import Pc, Switch

ACCOUNTING_SITE = """\
server accounting {{
	listen {{
		type = acct
		ipaddr = 127.0.0.1
		port = {port}
	}}
	accounting {{
		{calls}
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
            stack.enter_context(own_network(vpn.GATEWAY, vpn.CLIENT))
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


def start(wire, directory, pki, device_list, *names, calls="ok", more="", **options):
    """A radiusd that knows these devices and takes accounting, in that network, and its accounting port."""
    for name in names:
        device_list.add(name)
    device_list.publish()
    port = free_port("udp")
    module = shipped_module({"directories": "list", "list.filename": device_list.path}).rstrip()[:-1] + more + "}\n"
    server = Radiusd(directory, pki.trust, module, sites={"accounting": ACCOUNTING_SITE.format(port=port, calls=calls)}, **options)
    return wire.enter_context(server), port


@pytest.fixture
def wire_server(wire, tmp_path, pki, device_list):
    return start(wire, tmp_path, pki, device_list, "PC-1")


@pytest.fixture
def keeping_server(wire, tmp_path, pki, device_list):
    """The same, which knows its sessions and ends them by itself."""
    return start(wire, tmp_path, pki, device_list, "PC-1", "PC-2", calls="certdir\n\t\tok", post_auth="certdir\n\t\tcertdir_reply_session",
                 more=f"\tsessions {{\n\t\tfilename = {tmp_path}/sessions.db\n\t}}\n")


@pytest.fixture
def orders(wire, program, tmp_path):
    return closing(wire, Orders(program, tmp_path, f"client nas {{\n\tipaddr = 127.0.0.1\n\tsecret = {SECRET}\n}}\n"))


def disable(device_list, server, enabled=False):
    mark = server.mark()
    device_list.change("PC-1", accountEnabled=enabled)
    device_list.publish()
    wait_list_loaded(server, mark)


def session_of(server, since=0):
    """As the table of sessions has it."""
    said = accounted(server, since)
    return {name: said[name] for name in SESSION if name in said}


def test_a_switch_takes_the_order(wire, wire_server, orders, tmp_path, pki, device_list):
    """hostapd wants both Event-Timestamp and Message-Authenticator, and refuses attributes that it does not know."""
    server, port = wire_server
    switch = closing(wire, Switch(tmp_path, server, port))
    machine = closing(wire, Pc(tmp_path, pki, pki.named("PC-1")))
    machine.wait_success()
    session = session_of(server)
    done = orders.ask(session=session)
    assert (done.outcome, done.cause) == ("done", 0), switch.log()[-3000:]
    assert switch.opened() == (1, 1)
    # The station stays in hostapd's table, without its User-Name: it answers 503 to the whole request, and ACK to Acct-Session-Id and station alone.
    assert orders.ask(session=session).outcome == "done"
    assert switch.opened() == (1, 1)
    # Another session of that station is none that it has.
    assert orders.ask(session={**session, "Acct-Session-Id": "0000000000000000"}).outcome == "gone"
    # Who comes back is decided anew.
    mark = server.mark()
    machine.log_in()
    machine.wait_success(2)
    assert len(server.decisions(count=2)) == 2

    session = session_of(server, mark)
    disable(device_list, server)
    assert orders.ask(session=session).outcome == "done"
    assert switch.opened() == (2, 2)
    machine.log_in()
    assert server.decisions(count=3)[-1].reason == "disabled"
    switch.wait(r"decapsulated EAP packet \(code=4")
    assert switch.opened() == (2, 2)


def test_a_vpn_gateway_takes_orders(wire, wire_server, orders, program, tmp_path, pki, device_list):
    """strongSwan knows sessions by User-Name."""
    if reason := vpn.missing():
        pytest.skip(reason)
    server, port = wire_server
    gateway = closing(wire, vpn.gateway(tmp_path, pki, server, port))
    machine = closing(wire, vpn.client(tmp_path, pki, pki.named("PC-1"), "pc-1.corp.example"))
    machine.swanctl("--initiate", "--ike", "vpn")
    gateway.wait("IKE_SA vpn.* established")
    session = session_of(server)
    text = f"""client nas {{ipaddr = 127.0.0.1\nsecret = {SECRET}\ncertdir_change = coa\ncertdir_coa = 'Session-Timeout = 7200'\n}}\n"""
    changing = closing(wire, Orders(program, tmp_path, text))
    assert changing.ask(kind="change", session=session).outcome == "done"
    gateway.wait("applying 7200s lifetime to 1 IKE_SA")
    disable(device_list, server)
    assert orders.ask(session=session).outcome == "done"
    gateway.wait("deleting IKE_SA vpn")
    machine.swanctl("--initiate", "--ike", "vpn")
    gateway.wait("received RADIUS Access-Reject")
    assert server.decisions(count=2)[-1].reason == "disabled"
    assert orders.ask(session=session).outcome in ("gone", "refused")


def test_disabled_and_out(wire, keeping_server, tmp_path, pki, device_list):
    """From the list to the switch without anybody's hand, and no way back in."""
    server, port = keeping_server
    switch = closing(wire, Switch(tmp_path, server, port))
    machine = closing(wire, Pc(tmp_path, pki, pki.named("PC-1")))
    machine.wait_success()
    accounted(server)
    begin = time.monotonic()
    disable(device_list, server)
    server.wait_log(r"session disconnect done reason=disabled nas=127\.0\.0\.1 ")
    print(f"out {time.monotonic() - begin:.2f} s after publication")
    assert time.monotonic() - begin < 5
    assert switch.opened() == (1, 1)
    mark = server.mark()
    machine.log_in()
    assert server.decisions(mark, count=1)[0].reason == "disabled"
    switch.wait(r"decapsulated EAP packet \(code=4")
    assert switch.opened() == (1, 1)


def test_killed_before_the_answer(wire, keeping_server, pki, device_list):
    """What a device was asked and did not answer is asked again by the server that comes after."""
    server, port = keeping_server
    device = wire.enter_context(Device(silence, port=wired.DAS_PORT))
    attempt, = login(server, *pki.named("PC-1"), pki.ca)
    begun = {"Acct-Status-Type": "Start", "Acct-Session-Id": "s1", "Calling-Station-Id": "02-00-00-00-00-01"}
    lines = "\n".join(f"{name} = {value}" for name, value in begun.items()) + f"\nClass = 0x{attempt.one('Class').encode().hex()}"
    radclient(SimpleNamespace(port=port, secret=server.secret), lines, "acct")
    disable(device_list, server)
    wait_until(lambda: device.orders, what="the order")
    server.kill()
    device.answer = ack
    mark = server.mark()
    server.start()
    server.wait_log(r'session disconnect done reason=disabled nas=127\.0\.0\.1 session="s1"', mark, timeout=5)


def test_mistakes_are_told_by_a_check(tmp_path, pki, device_list):
    """`radiusd -XC` looks at client sections and the key, too."""
    more = f"\tsessions {{\n\t\tfilename = {tmp_path}/sessions.db\n\t\t{{}}\n\t}}\n"
    device_list.publish()
    module = shipped_module({"directories": "list", "list.filename": device_list.path}).rstrip()[:-1]
    for option, client, complaint in (("", "certdir_change = bounce", r"radiusd.conf\[\d+\]: client loopback: certdir_change = bounce"),
                                      (f"key_file = {tmp_path}/none", "", f"{tmp_path}/none")):
        server = Radiusd(tmp_path, pki.trust, module + more.replace("{}", option) + "}\n", client_options=client)
        code, said = server.check_config()
        assert code != 0
        assert re.search(complaint, said), said[-2000:]
