# SPDX-License-Identifier: Apache-2.0
"""--stock: upstream's classic firmware as hosts meet it, its faults included."""

from collections.abc import Callable

import pytest
from support import classic, ctrl
from support.bus import SERIAL, Bus, Frame
from support.classic import Kind
from support.simulator import Simulator

Start = Callable[..., Simulator]

NO_AP_FOUND, CONNECTION_FAIL, NOT_CONNECTED, FAILURE = 2, 3, 1, -1


def connect(ssid: str, password: str = "", bssid: str = "") -> bytes:
    payload = b"".join(
        (
            classic.field(1, ssid.encode()),
            classic.field(2, password.encode()),
            classic.field(3, bssid.encode()),
            classic.field(4, 0),
            classic.field(5, 3),
        )
    )
    return classic.request(Kind.CONNECT_AP, payload)


DEADLY = {
    "unknown endpoint": classic.frame(b"\x08\x02", b"nobody"),
    "ctrl request": ctrl.request(ctrl.Kind.GET_MODE),
    "ctrl request without payload": ctrl.request(ctrl.Kind.GET_VERSION, None),
    "our request as a ctrl one": classic.frame(b"\x08\x02\x62\x00", ctrl.RESPONSES),
    "on the endpoint of ctrl's events": classic.frame(b"\x08\x02", ctrl.EVENTS),
    "mcu request": classic.frame(b"\x08\x02", b"RPCRsp"),
    "name of 14 bytes": classic.frame(b"\x08\x02", b"controlcontrol"),
    "name of 15 bytes": classic.frame(b"\x08\x02", b"controlcontrolc"),
    "name of 16 bytes": classic.frame(b"\x08\x02", b"controlcontrolco"),
    "name of 300 bytes": classic.frame(b"\x08\x02", b"c" * 300),
    "no name": classic.frame(b"\x08\x02", b""),
    "above the receive buffer": classic.request(Kind.OTA_WRITE, classic.field(1, bytes(4097))),
    "ctrl's numbers": classic.frame(classic.field(1, 103)),
    "one beyond the last": classic.frame(classic.field(1, 40)),
    "unknown message": classic.frame(classic.field(1, 100)),
    "largest number": classic.frame(classic.field(1, 0x7FFFFFFF)),
    "negative number": classic.frame(classic.field(1, (1 << 64) - 2)),
    "a reply": classic.frame(classic.field(1, 3)),
    "no protobuf": classic.frame(b"\x08"),
    "not a message": b"\x07\x01\x00\x00",
    "endpoint alone": b"\x01\x07\x00control",
    "data alone": b"\x02\x02\x00\x08\x02",
    "length beyond the end": b"\x01\x07\x00control\x02\xff\x00\x08\x02",
    "mode 9": classic.request(Kind.SET_MODE, classic.field(1, 9)),
    "set mode without payload": classic.request(Kind.SET_MODE),
    "get mac without payload": classic.request(Kind.GET_MAC),
    "set mac without mac": classic.request(Kind.SET_MAC, classic.field(2, 1)),
    "connect without payload": classic.request(Kind.CONNECT_AP),
    "write without payload": classic.request(Kind.OTA_WRITE),
}


@pytest.mark.parametrize("message", DEADLY.values(), ids=DEADLY.keys())
def test_panics_without_a_reply(start: Start, message: bytes) -> None:
    simulator = start("--stock")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        bus.send_message(message)
        bus.receive_init()  # the next thing that comes
        assert [event["reason"] for event in simulator.events("reset")] == ["panic"]
        assert bus.request(classic.request(Kind.GET_MODE)).result == 0


def test_stray_fragment_ends_the_message_before(start: Start) -> None:
    simulator = start("--stock")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        whole = classic.request(Kind.GET_MODE)
        bus.send(Frame(SERIAL, whole[:5], 1, 1))
        bus.send(Frame(SERIAL, whole, 0, 2))
        bus.receive_init()
    assert simulator.events("reset")[0]["reason"] == "panic"


def test_parts_may_come_in_any_order(start: Start) -> None:
    simulator = start("--stock")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        assert bus.request(b"\x02\x02\x00\x08\x02" + b"\x01\x07\x00control").kind is Kind.GET_MODE


def test_checksum_is_always_looked_at(start: Start) -> None:
    simulator = start("--stock")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        mode = Frame(SERIAL, classic.request(Kind.GET_MODE), sequence=1)
        bus.send_raw(mode.encode(checksum=0))
        reply = bus.request(classic.request(Kind.GET_MAC, classic.field(1, 1)))
        assert reply.kind is Kind.GET_MAC


@pytest.mark.parametrize(
    ("request_", "result"),
    [
        (classic.request(Kind.OTA_WRITE, classic.field(1, b"\xe9" + bytes(99))), FAILURE),
        (classic.request(Kind.OTA_WRITE, b""), FAILURE),
        (classic.request(Kind.OTA_END), FAILURE),
        (classic.request(Kind.GET_MAC, classic.field(1, 7)), FAILURE),
        (classic.request(Kind.SET_MAC, classic.field(1, b"x") + classic.field(2, 1)), FAILURE),
        (classic.request(Kind.SET_MODE, classic.field(1, (1 << 64) - 1)), FAILURE),
        (classic.request(Kind.DISCONNECT_AP), FAILURE),
        (classic.request(Kind.GET_AP), NOT_CONNECTED),
        (classic.request(Kind.SCAN), FAILURE),
        (classic.request(Kind.GET_SOFT_AP), FAILURE),
        (classic.request(Kind.STOP_SOFT_AP), FAILURE),
        (classic.request(Kind.GET_STATIONS), FAILURE),
        (classic.request(Kind.GET_POWER_SAVE), FAILURE),
        (classic.request(Kind.GET_TX_POWER), FAILURE),
    ],
)
def test_refuses_and_lives_on(start: Start, request_: bytes, result: int) -> None:
    """On an air without access points, with no update begun."""
    simulator = start("--stock")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        for _ in range(2):
            reply = bus.request(request_)
            assert reply.is_answer
            assert reply.result == result
    assert simulator.events("reset") == []


AIR = [
    {"ssid": "closed", "password": "correct horse", "bssid": "02:00:00:00:00:01"},
    {"ssid": "open", "bssid": "02:00:00:00:00:02"},
    {"ssid": "safe", "security": "wpa3", "password": "correct horse"},
    {"ssid": "x" * 32, "password": "y" * 63},
]


@pytest.mark.parametrize(
    ("request_", "result"),
    [
        (connect("closed", "correct horse"), 0),
        (connect("closed", "correct horse", "02:00:00:00:00:01"), 0),
        (connect("open"), 0),
        (connect("safe", "correct horse"), 0),
        (connect("x" * 32, "y" * 63), 0),
        (connect("nobody", "correct horse"), NO_AP_FOUND),
        (connect("closed", "correct horse", "02:00:00:00:00:09"), NO_AP_FOUND),
        (connect("closed"), NO_AP_FOUND),
        (connect("open", "correct horse"), NO_AP_FOUND),
        (connect("closed", "wrong horse"), CONNECTION_FAIL),
        (connect("closed", "short"), FAILURE),
        (connect("closed", "correct horse", "nonsense"), FAILURE),
        (connect(""), FAILURE),
    ],
)
def test_joining(start: Start, request_: bytes, result: int) -> None:
    simulator = start("--stock", aps=AIR)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        assert bus.request(request_).result == result
        assert bus.request(classic.request(Kind.GET_AP)).result == (NOT_CONNECTED if result else 0)


def test_after_one_failure_there_are_no_retries(start: Start) -> None:
    """The retry counter is never set back, so the general failure no longer comes of retrying."""
    simulator = start("--stock", aps=AIR)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        assert bus.request(connect("nobody", "any horse")).result == NO_AP_FOUND
        assert bus.request(connect("closed", "wrong horse")).result == FAILURE
        assert bus.request(connect("closed", "correct horse")).result == 0
        assert bus.request(connect("closed", "wrong horse")).result == CONNECTION_FAIL


def test_joining_again_leaves_first(start: Start) -> None:
    simulator = start("--stock", aps=AIR)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        for ssid, password in (("closed", "correct horse"), ("open", ""), ("open", "")):
            assert bus.request(connect(ssid, password)).result == 0
            assert bus.request(classic.request(Kind.GET_AP)).get(1) == ssid.encode()
        assert bus.request(classic.request(Kind.DISCONNECT_AP)).result == 0
        assert bus.request(classic.request(Kind.GET_AP)).result == NOT_CONNECTED


def test_a_vanished_access_point_is_noticed_when_asked(start: Start) -> None:
    simulator = start("--stock", aps=AIR)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        assert bus.request(connect("open")).result == 0
        assert simulator.control("ap-off open") == "ok"
        assert bus.request(classic.request(Kind.GET_AP)).result == NOT_CONNECTED
        assert bus.request(connect("open")).result == NO_AP_FOUND
        assert simulator.control("ap-on open") == "ok"
        assert bus.request(connect("open")).result == 0
