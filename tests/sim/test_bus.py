# SPDX-License-Identifier: Apache-2.0
"""The bus: who may connect, what is announced, what is dropped."""

import struct
from collections.abc import Callable

import pytest
from support import classic
from support.bus import HCI, PRIVATE, SERIAL, STATION, Bus, Frame
from support.classic import Kind
from support.simulator import Simulator
from support.waiting import wait_for

Start = Callable[..., Simulator]

both = pytest.mark.parametrize("firmware", [["--stock"], []], ids=["stock", "ours"])


def init_tlvs(frame: Frame) -> dict[int, bytes]:
    found, at = {}, 2
    while at < len(frame.payload):
        tag, length = frame.payload[at : at + 2]
        found[tag] = frame.payload[at + 2 : at + 2 + length]
        at += 2 + length
    return found


@both
@pytest.mark.parametrize(
    ("chip", "number", "megahertz"), [("esp32", 0, 10), ("esp32s2", 2, 30), ("esp32c3", 5, 30)]
)
def test_init_names_the_chip(
    start: Start, firmware: list[str], chip: str, number: int, megahertz: int
) -> None:
    simulator = start("--chip", chip, *firmware)
    with Bus(simulator.bus) as bus:
        tlvs = init_tlvs(bus.receive_init())
    assert tlvs[2] == bytes([number])
    assert tlvs[1] == bytes([megahertz])
    assert tlvs[0][0] & 0x20, "Wi-Fi over SPI"


@both
def test_init_comes_at_each_accept_and_each_reset(start: Start, firmware: list[str]) -> None:
    simulator = start(*firmware)
    for _ in range(2):
        with Bus(simulator.bus) as bus:
            bus.receive_init()
            for _ in range(2):
                assert simulator.control("reset") == "ok"
                bus.receive_init()
                assert bus.request(classic.request(Kind.GET_MODE)).result == 0


@both
def test_second_client_is_closed(start: Start, firmware: list[str]) -> None:
    simulator = start(*firmware)
    with Bus(simulator.bus) as first:
        first.receive_init()
        with Bus(simulator.bus) as second, pytest.raises((AssertionError, ConnectionError)):
            second.receive()
        assert first.request(classic.request(Kind.GET_MODE)).result == 0


@both
def test_what_is_no_frame_is_ignored(start: Start, firmware: list[str]) -> None:
    """Nothing that the bus can carry stops the firmware, but for stock's own faults (below)."""
    simulator = start(*firmware)
    good = Frame(SERIAL, classic.request(Kind.GET_MODE), sequence=9)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        for packet in (
            b"",
            b"\x00",
            bytes(1600),
            b"\xff" * 1600,
            b"\xff" * 5000,
            good.encode()[:-1],
            good.encode(checksum=0x1234),
            struct.pack("<BBHHHHBB", SERIAL, 0, 65535, 12, 0, 0, 0, 0),
            struct.pack("<BBHHHHBB", SERIAL, 0, 15, 11, 0, 0, 0, 0) + bytes(20),
            Frame(HCI, b"\x03\x0c\x00").encode(),
            Frame(PRIVATE, b"\x00\x00").encode(),
            Frame(STATION, bytes(60)).encode(),
            Frame(9, bytes(60)).encode(),
        ):
            bus.send_raw(packet)
        assert bus.request(classic.request(Kind.GET_MODE)).result == 0
    assert simulator.events("reset") == []


@both
@pytest.mark.parametrize("padding", [1, 2, 3, 4])
def test_payload_may_be_padded(start: Start, firmware: list[str], padding: int) -> None:
    simulator = start(*firmware)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        bus.send(Frame(SERIAL, classic.request(Kind.GET_MODE), sequence=1), padding)
        assert bus.receive_message().kind is Kind.GET_MODE


@both
def test_replies_count_their_fragments(start: Start, firmware: list[str]) -> None:
    """From the ESP32, every fragment has a number of its own; long answers take several."""
    aps = [{"ssid": f"network number {i:02}", "rssi": -30 - i} for i in range(32)]
    simulator = start(*firmware, aps=aps)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        bus.request(classic.request(Kind.SET_MODE, classic.field(1, 1)))
        found = bus.request(classic.request(Kind.SCAN))
        assert [value for tag, value in found.payload if tag == 1] == [32]
        numbers = [frame.sequence for frame in bus.fragments]
        assert len(numbers) > 2
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert [frame.flags for frame in bus.fragments[1:]] == [1] * (len(numbers) - 2) + [0]


@both
def test_nobody_reading_does_not_stop_it(start: Start, firmware: list[str]) -> None:
    """Frames that the client leaves lying are dropped, and the control socket still answers."""
    simulator = start(*firmware)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        for _ in range(5000):
            bus.send_message(classic.request(Kind.GET_MODE))
        assert simulator.control("status").startswith("{")


@both
def test_a_new_client_starts_anew(start: Start, firmware: list[str]) -> None:
    """Half a message of the one before is not glued to the first of the next."""
    simulator = start(*firmware)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        bus.send(Frame(SERIAL, classic.request(Kind.GET_MODE)[:7], 1, 77))
    wait_for(lambda: '"bus": false' in simulator.control("status"), "the client to be gone")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        if firmware:  # stock takes the fragment of another message for the end of this one
            bus.send_message(classic.request(Kind.GET_MODE))
            bus.receive_init()
        assert bus.request(classic.request(Kind.GET_MODE)).result == 0
