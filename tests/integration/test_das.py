# SPDX-License-Identifier: GPL-2.0-or-later
"""Orders to network devices (RFC 5176), against a small one that answers as the test wants."""

import re
import shutil
import struct
import subprocess
import time

import pytest

from testenv.das import COA, DISCONNECT, Device, Orders, ack, nak, reply, silence
from testenv.driver import build_server_driver
from testenv.radiusd import SECRET
from testenv.supplicant import wait_until

USUAL = {"Message-Authenticator", "Event-Timestamp", "Acct-Session-Id", "Calling-Station-Id", "User-Name", "NAS-Identifier",
         "NAS-IP-Address"}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build_server_driver(tmp_path_factory.mktemp("driver"), "das_orders", "das", "das_clients", "das_packet", "raddb_section")


@pytest.fixture
def orders(program, tmp_path):
    """Starts the program with client sections: orders(text)."""
    running = []

    def make(configuration):
        directory = tmp_path / f"orders{len(running)}"
        directory.mkdir()
        running.append(Orders(program, directory, configuration))
        return running[-1]

    yield make
    for one in running:
        assert one.close() == 0


def client(port, more="", address="127.0.0.1", secret=SECRET):
    return f"client sw1 {{\n\tipaddr = {address}\n\tsecret = {secret}\n\tcoa_port = {port}\n\t{more}\n}}\n"


def impatient(port, more="", mrd=5):
    """Waits for five seconds instead of thirty, as the server's own options say."""
    return client(port, f"coa_server {{\n\t\tport = {port}\n\t\tcoa {{\n\t\t\tirt = 1\n\t\t\tmrd = {mrd}\n\t\t}}\n\t}}\n\t{more}")


def dissected(directory, data):
    """A packet to port 3799, as tshark shows it."""
    udp = struct.pack("!HHHH", 40000, 3799, 8 + len(data), 0) + data
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes([127, 0, 0, 1]), bytes([127, 0, 0, 1])) + udp
    head = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101) + struct.pack("<IIII", 0, 0, len(ip), len(ip))
    (directory / "packet.pcap").write_bytes(head + ip)
    return subprocess.run(["tshark", "-r", directory / "packet.pcap", "-V", "-O", "radius"], capture_output=True, text=True,
                          check=True).stdout


def test_a_disconnect_request(orders):
    with Device() as device:
        mine = orders(client(device.port))
        done = mine.ask()
        assert (done.outcome, done.cause) == ("done", 0)
        assert done.seconds < 1
        order, = device.orders
        assert order.code == DISCONNECT
        assert order.authentic
        assert order.names == USUAL
        assert order.attributes["Acct-Session-Id"] == b"4D2C0A91-00000007"
        assert order.attributes["NAS-IP-Address"] == bytes([192, 0, 2, 1])
        assert abs(struct.unpack("!I", order.attributes["Event-Timestamp"])[0] - time.time()) < 5
        # The next one has another identifier: the device would take it for the same packet.
        assert mine.ask().outcome == "done"
        assert device.orders[1].identifier != order.identifier


def test_a_packet_as_wireshark_reads_it(orders, tmp_path):
    """Somebody else's eyes find nothing to complain of."""
    if not shutil.which("tshark"):
        pytest.skip("not installed: tshark")
    with Device() as device:
        assert orders(client(device.port)).ask().outcome == "done"
        shown = dissected(tmp_path, device.orders[0].data)
    assert "Code: Disconnect-Request (40)" in shown
    assert re.search(r"Acct-Session-Id\(44\) l=19 val=4D2C0A91-00000007", shown)
    assert "Message-Authenticator(80) l=18" in shown and "Event-Timestamp(55) l=6" in shown
    assert not re.search("incorrect|Malformed|Expert Info", shown), shown


def test_texts_go_out_as_they_came(orders):
    with Device() as device:
        name = 'a\\160 "b" %{User-Name} `c`'
        assert orders(client(device.port)).ask(**{"User-Name": name, "NAS-Identifier": "x" * 253}).outcome == "done"
        assert device.orders[0].attributes["User-Name"] == name.encode()
        assert device.orders[0].attributes["NAS-Identifier"] == b"x" * 253


def test_ipv6(orders):
    with Device(address="::1") as device:
        assert orders(client(device.port, address="::1")).ask("::1", **{"NAS-IPv6-Address": "2001:db8::1"}).outcome == "done"
        assert device.orders[0].attributes["NAS-IPv6-Address"][:4] == bytes.fromhex("20010db8")


@pytest.mark.parametrize("cause, outcome", [(None, "refused"), (403, "refused"), (404, "unsupported"), (405, "unsupported"),
                                            (406, "unsupported"), (407, "refused"), (501, "unsupported"), (502, "refused"),
                                            (504, "refused"), (506, "refused"), (507, "done"), (508, "refused")])
def test_what_a_nak_means(orders, cause, outcome):
    with Device(nak(cause)) as device:
        done = orders(client(device.port)).ask()
        assert (done.outcome, done.cause) == (outcome, cause or 0)
        assert len(device.orders) == 1


SHORT = {"Message-Authenticator", "Event-Timestamp", "Acct-Session-Id", "Calling-Station-Id"}


@pytest.mark.parametrize("cause, second, outcome", [
    (401, SHORT, "unsupported"), (503, SHORT, "gone"),
    (402, USUAL | {"NAS-Port", "NAS-Port-Id", "Called-Station-Id", "Framed-IP-Address"}, "unsupported")])
def test_a_device_that_knows_sessions_by_other_attributes(orders, cause, second, outcome):
    with Device() as device:
        device.answer = lambda order: ack(order) if order.names == second else nak(cause)(order)
        mine = orders(client(device.port))
        assert mine.ask().outcome == "done"
        assert [order.names for order in device.orders] == [USUAL, second]
        device.answer = nak(cause)
        done = mine.ask()
        assert (done.outcome, done.cause) == (outcome, cause)
        assert len(device.orders) == 4


def test_a_lost_packet_is_sent_again_as_it_was(orders):
    with Device() as device:
        device.answer = lambda order: ack(order) if len(device.orders) == 2 else []
        done = orders(client(device.port)).ask()
        assert done.outcome == "done"
        assert 1.7 < done.seconds < 3
        first, second = device.orders
        assert first.data == second.data


def test_a_device_that_never_answers_harms_nobody(orders):
    with Device(silence) as silent, Device(address="127.0.0.2") as well:
        mine = orders(impatient(silent.port) + client(well.port, address="127.0.0.2").replace("sw1", "sw2"))
        given = [mine.give() for _ in range(20)]
        assert mine.ask("127.0.0.2").seconds < 1
        done = [mine.outcome(one) for one in given]
        assert {one.outcome for one in done} == {"silent"}
        # Those that had no turn end with the first that waited in vain.
        assert all(4.5 < one.seconds < 6.5 for one in done)
        assert len({order.identifier for order in silent.orders}) == 8
        # At 0, 1 and 3 seconds each; the next would come at 7.
        assert len(silent.orders) == 24
        again = [mine.give() for _ in range(3)]
        wait_until(lambda: len(silent.orders) == 26, what="the second packet to a device that is silent")
        assert len({order.identifier for order in silent.orders[24:]}) == 1, "one order at a time"
        silent.answer = ack
        assert all(mine.outcome(one).outcome == "done" for one in again)


def test_answers_that_are_none(orders):
    """Signed with another secret, of another kind, to another packet, from another port, too late."""
    with Device(silence) as device, Device(address="127.0.0.1") as stranger:
        def answer(order):
            foreign = reply(order)
            stranger.send(foreign, order.source)
            wrong = reply(order, secret="another")
            return [wrong, wrong, reply(order, code=COA + 1), reply(order, code=2), foreign[:1] + bytes([foreign[1] ^ 1]) + foreign[2:],
                    foreign[:15], b"", foreign[:2] + b"\xff\xff" + foreign[4:], foreign[:-1] + bytes([foreign[-1] ^ 1])]

        device.answer = answer
        mine = orders(impatient(device.port))
        assert mine.ask().outcome == "silent"
        late, = device.orders[-1:]
        assert mine.log().count(f"an answer from 127.0.0.1 port {device.port} is not signed with the secret") == 1
        device.answer = lambda order: [reply(late), *ack(order)]
        assert mine.ask().outcome == "done"


def test_answers_come_in_any_order(orders):
    def answer(order):
        causes = {b"one": 503, b"two": 504, b"three": 501}
        if len(device.orders) < 3:
            return []
        return [reply(one, False, causes[one.attributes["Acct-Session-Id"]]) for one in reversed(device.orders)]

    with Device(answer) as device:
        mine = orders(client(device.port))
        given = [mine.give(**{"Acct-Session-Id": name}) for name in ("one", "two", "three")]
        assert [mine.outcome(one).outcome for one in given] == ["gone", "refused", "unsupported"]


def test_a_hundred_packets_a_second(orders):
    with Device() as device:
        mine = orders(client(device.port))
        given = [mine.give() for _ in range(100)]
        assert all(mine.outcome(one).outcome == "done" for one in given)
        times = [order.at for order in device.orders]
        assert len(times) == 100
        assert 0.98 < times[-1] - times[0] < 3


def test_what_a_changed_session_gets(orders):
    coa = """certdir_change = coa
	certdir_coa = 'Cisco-AVPair = "subscriber:command=reauthenticate", Session-Timeout = 60'"""
    with Device() as device:
        mine = orders(client(device.port, coa))
        assert mine.ask(kind="change").outcome == "done"
        order, = device.orders
        assert (order.code, order.authentic) == (COA, True)
        assert order.attributes["Vendor-Specific"][6:] == b"subscriber:command=reauthenticate"
        assert order.names == USUAL | {"Vendor-Specific", 27}
        # One that is denied ends.
        assert mine.ask().outcome == "done"
        assert (device.orders[1].code, device.orders[1].names) == (DISCONNECT, USUAL)
        assert orders(client(device.port)).ask(kind="change").outcome == "done"
        assert device.orders[2].code == DISCONNECT
        none = orders(client(device.port, "certdir_change = none"))
        assert none.ask(kind="change").outcome == "unsupported"
        assert len(device.orders) == 3
        assert none.ask().outcome == "done"
        assert orders(client(0)).ask().outcome == "unsupported"


def test_which_client_counts(orders):
    """The one with the longest prefix, wherever it stands; one of a virtual server, too."""
    with Device(address="127.1.2.3", secret="narrow") as device:
        text = (client(1, address="127.0.0.0/8", secret="wide").replace("sw1", "all") +
                "clients c {\n" + client(device.port, address="127.1.2.0/24", secret="narrow") + "}\n" +
                "server s {\n" + client(1, address="127.1.0.0/16", secret="middle") + "}\n")
        assert orders(text).ask("127.1.2.3").outcome == "done"
        assert device.orders[0].authentic


def test_another_server_takes_the_orders(orders):
    server = """home_server proxy {{
	type = coa
	ipaddr = 127.0.0.2
	port = {port}
	secret = of-the-proxy
}}
home_server_pool both {{
	type = fail-over
	home_server = proxy
}}
client nas {{
	ipaddr = 192.0.2.1
	secret = of-the-device
	coa_server = {name}
}}
"""
    with Device(address="127.0.0.2", secret="of-the-proxy") as device:
        for name in ("proxy", "both"):
            mine = orders(server.format(port=device.port, name=name))
            mine.heard("192.0.2.1", "of-the-device")
            assert mine.ask("192.0.2.1").outcome == "done"
        assert all(order.authentic for order in device.orders)


def test_a_secret_that_accounting_tells(orders):
    """Of dynamic clients: the network's section has none. Where a client is in several lists, the packet tells which."""
    network = "client all {{\n\tipaddr = 127.0.0.0/8\n\tsecret = ignored\n\tdynamic_clients = dynamic\n\tcoa_port = {}\n}}\n"
    with Device(secret="dynamic") as device:
        mine = orders(network.format(device.port))
        mine.heard("127.0.0.1", "out of a file", sock=-1)
        assert [mine.ask().outcome, mine.ask().outcome] == ["silent", "silent"]
        assert mine.log().count("no client { } section has a secret for 127.0.0.1") == 1
        assert not device.orders
        mine.heard("127.0.0.1", "old")
        mine.heard("127.0.0.1", "dynamic", own="127.0.0.9")
        assert mine.ask().outcome == "done"
        assert device.orders[0].authentic
        # It comes from where the device's RADIUS server is, by the device's own word; if that address is still here.
        assert device.orders[0].source[0] == "127.0.0.9"
        mine.heard("127.0.0.1", "dynamic", own="192.0.2.9")
        assert mine.ask().outcome == "done"
        assert device.orders[1].source[0] == "127.0.0.1"


@pytest.mark.parametrize("text, complaint", [
    (client(3799, "certdir_change = bounce"), "clients.conf[1]: client sw1: certdir_change = bounce: must be disconnect, coa or none"),
    (client(3799, "certdir_changes = none"), "certdir_changes is no option"),
    (client(3799, "certdir_change = coa"), "go together"),
    (client(3799, "certdir_coa = 'Session-Timeout = 60'"), "go together"),
    (client(3799, "certdir_change = coa\n\tcertdir_coa = 'No-Such = 60'"), "certdir_coa = No-Such = 60: "),
    (client(3799, "certdir_change = coa\n\tcertdir_coa = 'Reply-Message = \"%{User-Name}\"'"), "nothing is expanded here"),
    (client("1h"), "coa_port = 1h: must be a whole number of at most 65535"),
    (client(3799, "coa_server = elsewhere"), "there is no home_server of that name")])
def test_mistakes_in_client_sections(orders, text, complaint):
    opened = orders(text).opened
    assert not opened["open"]
    assert complaint in opened["error"]
