# SPDX-License-Identifier: Apache-2.0
"""Ethernet between the station and the wire behind its access point: a real TAP."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import classic, ctrl
from support.bus import STATION, Bus, Frame
from support.classic import Kind
from support.netns import Namespace, why_not
from support.simulator import Simulator
from support.tools import LOCAL

Start = Callable[..., Simulator]

pytestmark = pytest.mark.skipif(why_not() is not None, reason=f"no TAP here: {why_not()}")

every = pytest.mark.parametrize(
    "firmware",
    [["--stock"], [], ["--stock", "--dialect", "ctrl"], ["--dialect", "ctrl"]],
    ids=["stock", "ours", "stock ctrl", "ours ctrl"],
)

STATION_MAC = bytes.fromhex("240ac4112233")
WIRE_MAC = bytes.fromhex("020000000001")
AIR = [{"ssid": "net", "tap": "ap0"}]

# Sends what it reads as hexadecimal lines, and prints what arrives (of our own Ethernet type).
WIRE = """
import select, socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88B5))
wire.bind(("ap0", 0x88B5))
print("ready", flush=True)
while True:
    for source in select.select([wire, sys.stdin], [], [])[0]:
        if source is wire:
            frame, address = wire.recvfrom(2048)
            if address[2] != socket.PACKET_OUTGOING:
                print(frame.hex(), flush=True)
        else:
            line = sys.stdin.readline()
            if not line:
                sys.exit()
            wire.send(bytes.fromhex(line))
            print("sent", flush=True)
"""


class Wire:
    """Whoever else is on the access point's network."""

    def __init__(self, namespace: Namespace) -> None:
        self._process = subprocess.Popen(
            [*namespace.enter, "python3", "-c", WIRE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout.readline() == "ready\n"
        self._arrived: list[bytes] = []

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def send(self, frame: bytes) -> None:
        self._process.stdin.write(frame.hex() + "\n")
        self._process.stdin.flush()
        while (line := self._process.stdout.readline()) != "sent\n":
            self._arrived.append(bytes.fromhex(line))

    def receive(self) -> bytes:
        if self._arrived:
            return self._arrived.pop(0)
        return bytes.fromhex(self._process.stdout.readline())


def ethernet(to: bytes, source: bytes, text: bytes) -> bytes:
    return to + source + b"\x88\xb5" + text.ljust(46, b"\0")


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """One whose kernel says nothing by itself: IPv6 would announce itself on the wire."""
    space = Namespace()
    ipv6 = "/proc/sys/net/ipv6/conf/default/disable_ipv6"
    space.run("sh", "-c", f"test ! -e {ipv6} || echo 1 >{ipv6}")
    yield space
    space.close()


def join(bus: Bus, firmware: list[str]) -> None:
    """From its INIT event until it is associated."""
    bus.receive_init()
    payload = classic.field(1, b"net") + classic.field(2, b"")
    if "ctrl" not in firmware:
        assert bus.request(classic.request(Kind.CONNECT_AP, payload)).result == 0
        return
    bus.send_message(ctrl.request(ctrl.Kind.CONNECT_AP, payload))
    while ctrl.Message.of(bus.receive_message()).kind is not ctrl.Kind.CONNECTED:
        pass


@every
@pytest.mark.parametrize("there_before", [False, True])
def test_frames_pass_while_associated(
    start: Start, namespace: Namespace, firmware: list[str], *, there_before: bool
) -> None:
    if there_before:
        namespace.run("ip", "tuntap", "add", "dev", "ap0", "mode", "tap")
    simulator = start(*firmware, aps=AIR, wrap=namespace.enter)
    namespace.run("ip", "link", "set", "ap0", "up")
    with Bus(simulator.bus) as bus, Wire(namespace) as wire:
        wire.send(ethernet(b"\xff" * 6, WIRE_MAC, b"too early"))
        bus.send(Frame(STATION, ethernet(WIRE_MAC, STATION_MAC, b"too early")))
        join(bus, firmware)

        bus.send(Frame(STATION, ethernet(WIRE_MAC, STATION_MAC, b"hello")), padding=2)
        assert wire.receive() == ethernet(WIRE_MAC, STATION_MAC, b"hello")

        wire.send(ethernet(WIRE_MAC, WIRE_MAC, b"for somebody else"))
        wire.send(ethernet(STATION_MAC, WIRE_MAC, b"for us"))
        wire.send(ethernet(b"\xff" * 6, WIRE_MAC, b"for all"))
        for text in (b"for us", b"for all"):
            frame = bus.receive()
            assert frame.interface == STATION
            assert frame.payload[14:].rstrip(b"\0") == text


@every
def test_a_full_size_frame_passes(start: Start, namespace: Namespace, firmware: list[str]) -> None:
    simulator = start(*firmware, aps=AIR, wrap=namespace.enter)
    namespace.run("ip", "link", "set", "ap0", "up")
    with Bus(simulator.bus) as bus, Wire(namespace) as wire:
        join(bus, firmware)
        full = ethernet(STATION_MAC, WIRE_MAC, bytes(range(250)) * 6)
        assert len(full) == 1514
        wire.send(full)
        assert bus.receive().payload == full
        back = ethernet(WIRE_MAC, STATION_MAC, bytes(range(250)) * 6)
        bus.send(Frame(STATION, back))
        assert wire.receive() == back


@every
def test_a_reset_ends_the_association_and_not_the_wire(
    start: Start, namespace: Namespace, firmware: list[str]
) -> None:
    simulator = start(*firmware, aps=AIR, wrap=namespace.enter)
    namespace.run("ip", "link", "set", "ap0", "up")
    with Bus(simulator.bus) as bus, Wire(namespace) as wire:
        join(bus, firmware)
        simulator.control("reset")
        bus.send(Frame(STATION, ethernet(WIRE_MAC, STATION_MAC, b"lost")))
        wire.send(ethernet(STATION_MAC, WIRE_MAC, b"lost"))
        join(bus, firmware)
        bus.send(Frame(STATION, ethernet(WIRE_MAC, STATION_MAC, b"back again")))
        assert wire.receive() == ethernet(WIRE_MAC, STATION_MAC, b"back again")


def test_a_tap_that_cannot_be_opened_is_told(start: Start, namespace: Namespace) -> None:
    simulator = start("--stock", aps=AIR, wrap=namespace.enter)
    simulator.cut_power()
    aps = Path(simulator.options[simulator.options.index("--aps") + 1])
    aps.write_text('[{"ssid": "net", "tap": "not/a/name"}]')
    simulator.start(wait=False)
    ended = simulator.wait_end()
    assert ended.status == LOCAL
    assert "TAP not/a/name" in ended.stderr
