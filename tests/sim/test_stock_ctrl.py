# SPDX-License-Identifier: Apache-2.0
"""--stock --dialect ctrl: upstream's firmware of April 2026, its faults included."""

from collections.abc import Callable

import ctrl_host
import pytest
from ctrl_host import ask, is_alive, receive, receive_event, receive_started
from support import classic, ctrl
from support.bus import MORE_FRAGMENTS, SERIAL, Bus, Frame
from support.ctrl import Kind
from support.simulator import Simulator
from tiny_image import tiny_image

Start = Callable[..., Simulator]

STOCK = ("--stock", "--dialect", "ctrl")

FAILURE, NOT_CONNECTED = -1, 1
NEGATIVE = (1 << 64) - 1

MODE = ctrl.field(2, Kind.GET_MODE)


# What it says when it starts


def version_of(init: Frame) -> bytes:
    """The TLV of the private INIT event that tells the firmware's version."""
    assert init.payload[11:13] == bytes([4, 8])
    return init.payload[13:]


@pytest.mark.parametrize(("chip", "number"), [("esp32", 0), ("esp32c3", 5), ("esp32c6", 13)])
def test_init_is_that_of_its_days(start: Start, chip: str, number: int) -> None:
    """Chip, capabilities (Wi-Fi over SPI, checksums), no raw throughput test, version."""
    simulator = start(*STOCK, "--chip", chip)
    with Bus(simulator.bus) as bus:
        init = receive_started(bus)
    assert init.payload[:11] == bytes([0, 19, 2, 1, number, 0, 1, 0xA0, 3, 1, 0])
    assert version_of(init) == b"FG\0" + bytes([1, 0, 0, 0, 0])


def test_init_comes_at_each_accept_and_each_reset(start: Start) -> None:
    simulator = start(*STOCK)
    for _ in range(2):
        with Bus(simulator.bus) as bus:
            receive_started(bus)
            assert simulator.control("reset") == "ok"
            receive_started(bus)
            assert bus.is_silent(0.2)


@pytest.mark.parametrize(
    ("version", "name", "numbers"),
    [
        ("FG-1.0.5.0.2", b"FG", [1, 0, 5, 0, 2]),
        ("XYZ-9.8.7.6.5", b"XYZ", [9, 8, 7, 6, 5]),
        ("1.2.3", b"FG", [0] * 5),
        ("FG-1.2.3", b"FG", [0] * 5),
    ],
)
def test_version_is_the_booted_image_s(
    start: Start, version: str, name: bytes, numbers: list[int]
) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        init = ctrl_host.update(bus, tiny_image(version))
        assert version_of(init) == name[:2] + b"\0" + bytes(numbers)
        reply = ask(bus, Kind.GET_VERSION)
        assert (reply.result, reply.get(2)) == (0, name)
        assert [reply.get(field) or 0 for field in range(3, 8)] == numbers


# What it does not know: one line on its console, no answer, and it lives

SILENT = {
    "classic": classic.request(classic.Kind.GET_MODE),
    "mcu": classic.frame(b"\x08\x02", b"RPCRsp"),
    "classic on our endpoint": classic.frame(b"\x08\x02\x62\x00", ctrl.RESPONSES),
    "request as event": ctrl.frame(MODE, ctrl.EVENTS),
    "shorter name": ctrl.frame(MODE, b"ctrlRes"),
    "name of 15 bytes": ctrl.frame(MODE, b"ctrlRespctrlRes"),
    "name of 300 bytes": ctrl.frame(MODE, b"c" * 300),
    "long name beyond the end": b"\x01\x0f\x00ctrl",
    "no name": ctrl.frame(MODE, b""),
    "no number": ctrl.frame(ctrl.field(1, 1)),
    **{
        f"message {number}": ctrl.request(number)
        for number in (0, 1, 100, 129, 200, 201, 202, 207, 208, 301, 305, 0x7FFFFFFF, NEGATIVE)
    },
    "no protobuf": ctrl.frame(b"\x08"),
    "wire type 7": ctrl.frame(b"\x0f\x01"),
    "payload cut short": ctrl.frame(MODE + b"\xba\x06\x7f"),
    "not a message": b"\x07\x01\x00\x00",
    "endpoint alone": b"\x01\x08\x00ctrlResp",
    "data alone": b"\x02\x02\x00" + MODE,
    "empty data": b"\x01\x08\x00ctrlResp\x02\x00\x00",
    "something behind": ctrl.request(Kind.GET_MODE) + b"\x00\x00\x00",
    "set mode without payload": ctrl.request(Kind.SET_MODE, None),
    "get mac without payload": ctrl.request(Kind.GET_MAC, None),
    "set mac without payload": ctrl.request(Kind.SET_MAC, None),
    "set mac without mac": ctrl.request(Kind.SET_MAC, ctrl.field(2, 1)),
    "connect without payload": ctrl.request(Kind.CONNECT_AP, None),
}


@pytest.mark.parametrize("message", SILENT.values(), ids=SILENT.keys())
def test_says_nothing_and_lives_on(start: Start, message: bytes) -> None:
    simulator = start(*STOCK, "--verbose")
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        said = len(simulator.output().splitlines())
        for _ in range(2):
            bus.send_message(message)
            assert is_alive(bus)
        assert len(simulator.output().splitlines()) - said == 2
    assert simulator.events("reset") == []


# What kills it

DEADLY = {
    "write without payload": ctrl.request(Kind.OTA_WRITE, None),
    "heartbeat without payload": ctrl.request(Kind.SET_HEARTBEAT, None),
    "feature without payload": ctrl.request(Kind.SET_FEATURE, None),
    "power without payload": ctrl.request(Kind.SET_TX_POWER, None),
    "country without payload": ctrl.request(Kind.SET_COUNTRY, None),
    **{f"message {number}": ctrl.request(number) for number in range(203, 207)},
    "length beyond the end": b"\x01\x08\x00ctrlResp\x02\xff\x00" + MODE,
    "name beyond the end": b"\x01\x0e\x00ctrl",
    "half a head": ctrl.request(Kind.GET_MODE) + b"\x02\x01",
}


@pytest.mark.parametrize("message", DEADLY.values(), ids=DEADLY.keys())
def test_panics_without_a_reply(start: Start, message: bytes) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        bus.send_message(message)
        receive_started(bus)  # the next thing that comes
        assert [event["reason"] for event in simulator.events("reset")] == ["panic"]
        assert is_alive(bus)


# Messages and their fragments


def write_of(size: int) -> bytes:
    """A write request of `size` bytes in all."""
    around = len(ctrl.request(Kind.OTA_WRITE, ctrl.field(1, bytes(4000)))) - 4000
    message = ctrl.request(Kind.OTA_WRITE, ctrl.field(1, bytes(size - around)))
    assert len(message) == size
    return message


def test_receive_buffer_has_4096_bytes(start: Start) -> None:
    """The next byte is cut off, and the parser looks for it behind the end."""
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        bus.send_message(write_of(4096))
        assert receive(bus).result == FAILURE  # no update is under way
        bus.send_message(write_of(4097))
        receive_started(bus)
    assert simulator.events("reset")[0]["reason"] == "panic"


def test_fragment_of_another_message_is_lost(start: Start) -> None:
    """It ends the message that is there, which is taken as it is; here it was whole."""
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        bus.send(Frame(SERIAL, ctrl.request(Kind.GET_MODE, uid=7), MORE_FRAGMENTS, 1))
        assert bus.is_silent(0.2)
        bus.send(Frame(SERIAL, ctrl.request(Kind.GET_VERSION, uid=8), 0, 2))
        assert receive(bus).uid == 7
        assert bus.is_silent(0.2)
        assert is_alive(bus)


def test_half_a_message_is_parsed_as_it_is(start: Start) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        whole = ctrl.request(Kind.GET_MODE)
        bus.send(Frame(SERIAL, whole[:12], MORE_FRAGMENTS, 1))
        bus.send(Frame(SERIAL, whole, 0, 2))
        receive_started(bus)
    assert simulator.events("reset")[0]["reason"] == "panic"


def test_parts_may_come_in_any_order(start: Start) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        bus.send_message(b"\x02\x02\x00" + MODE + b"\x01\x08\x00ctrlResp")
        assert receive(bus).kind is Kind.GET_MODE


def test_checksum_is_always_looked_at(start: Start) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        bus.send_raw(Frame(SERIAL, ctrl.request(Kind.GET_VERSION), sequence=1).encode(checksum=0))
        assert is_alive(bus)


@pytest.mark.parametrize("uid", [None, 1, 0x7FFFFFFF, -1, -(1 << 31)])
@pytest.mark.parametrize("msg_type", [None, 0, 1, 2, 3, 77])
def test_uid_comes_back_and_the_type_does_not_matter(
    start: Start, uid: int | None, msg_type: int | None
) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        bus.send_message(ctrl.request(Kind.GET_MODE, None, uid, msg_type))
        reply = receive(bus)
        assert (reply.type, reply.kind, reply.uid) == (ctrl.REPLY, Kind.GET_MODE, uid)


def test_success_is_an_empty_submessage(start: Start) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        bus.send_message(ctrl.request(Kind.SET_MODE, ctrl.field(1, 2), uid=4))
        assert receive(bus).body == bytes.fromhex("08 02 10 cc 01 18 04 e2 0c 00")
        bus.send_message(ctrl.request(Kind.SET_MODE, ctrl.field(1, 9), uid=4))
        assert receive(bus).body.endswith(bytes.fromhex("e2 0c 0b 08") + b"\xff" * 9 + b"\x01")


# Commands


@pytest.mark.parametrize(
    ("kind", "payload", "result"),
    [
        (Kind.GET_MAC, ctrl.field(1, 7), FAILURE),
        (Kind.SET_MAC, ctrl.field(1, b"x") + ctrl.field(2, 1), FAILURE),
        (Kind.SET_MAC, ctrl.field(1, b"02:00:00:00:00:01:02") + ctrl.field(2, 1), FAILURE),
        (Kind.SET_MAC, ctrl.field(1, b"02:00:00:00:00:01") + ctrl.field(2, 3), FAILURE),
        (Kind.SET_MAC, ctrl.field(1, b"02:00:00:00:00:01") + ctrl.field(2, 1), 0),
        (Kind.SET_MODE, ctrl.field(1, 4), FAILURE),
        (Kind.SET_MODE, ctrl.field(1, NEGATIVE), FAILURE),
        (Kind.SET_MODE, ctrl.field(1, 1), 0),
        (Kind.SET_MODE, b"", 0),
        (Kind.GET_AP, None, NOT_CONNECTED),
        (Kind.DISCONNECT_AP, None, FAILURE),
        (Kind.SCAN, None, FAILURE),
        *((Kind(number), b"", FAILURE) for number in range(109, 116)),
        *((Kind(number), b"", FAILURE) for number in (119, 120, 124, 125, 126, 127, 128)),
    ],
)
def test_result_with_no_access_point_about(
    start: Start, kind: Kind, payload: bytes | None, result: int
) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        for _ in range(2):
            assert ask(bus, kind, payload).result == result
    assert simulator.events("reset") == []


def test_address_that_was_set_is_told(start: Start) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        mac = b"1a:00:00:00:00:01"
        assert ask(bus, Kind.SET_MAC, ctrl.field(1, mac) + ctrl.field(2, 1)).result == 0
        assert ask(bus, Kind.GET_MAC, ctrl.field(1, 1)).get(1) == mac


@pytest.mark.parametrize(
    ("feature", "enable", "result"),
    [(1, 1, 0), (2, 0, 0), (2, 1, FAILURE), (3, 0, FAILURE), (3, 1, FAILURE), (0, 1, FAILURE)],
)
def test_feature(start: Start, feature: int, enable: int, result: int) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        switch = ctrl.field(1, feature) + ctrl.field(2, enable)
        assert ask(bus, Kind.SET_FEATURE, switch).result == result


def test_wifi_can_be_switched_off_and_on(start: Start) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        assert ask(bus, Kind.SET_FEATURE, ctrl.field(1, 1)).result == 0
        assert ask(bus, Kind.GET_MODE).result == FAILURE
        assert ask(bus, Kind.GET_MAC, ctrl.field(1, 1)).result == FAILURE
        assert ask(bus, Kind.SET_FEATURE, ctrl.field(1, 1) + ctrl.field(2, 1)).result == 0
        mode = ask(bus, Kind.GET_MODE)
        assert (mode.result, mode.get(1)) == (0, None)


# Heartbeat


def beats(simulator: Simulator, bus: Bus, seconds: float, numbers: list[int]) -> None:
    """Lets so much time pass, in which these beats come and no others."""
    assert simulator.control(f"advance {seconds}") == "ok"
    for number in numbers:
        assert receive_event(bus, Kind.HEARTBEAT).get(1) == number
    assert bus.is_silent(0.1)


@pytest.mark.parametrize(
    ("asked", "period"), [(1, 10), (0, 10), (NEGATIVE, 10), (11, 11), (3600, 3600), (99999, 3600)]
)
def test_heartbeat_comes_in_its_bounds(start: Start, asked: int, period: int) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        beats(simulator, bus, 7200, [])  # off until it is asked for
        switch_on = ctrl.field(1, 1) + ctrl.field(2, asked)
        assert ask(bus, Kind.SET_HEARTBEAT, switch_on).result == 0
        beats(simulator, bus, period - 0.5, [])
        beats(simulator, bus, 1, [1])
        beats(simulator, bus, 2 * period, [2, 3])
        assert ask(bus, Kind.SET_HEARTBEAT, switch_on).result == 0
        beats(simulator, bus, period, [1])  # counted anew
        assert ask(bus, Kind.SET_HEARTBEAT).result == 0
        beats(simulator, bus, 7200, [])
