# SPDX-License-Identifier: Apache-2.0
"""--dialect ctrl: our own firmware, built for today's hosts."""

from collections.abc import Callable

import ctrl_host
import pytest
from ctrl_host import ask, is_alive, receive_event, receive_started
from support import classic, ctrl
from support.bus import Bus, Frame
from support.ctrl import Kind
from support.simulator import Simulator
from tiny_image import tiny_image

Start = Callable[..., Simulator]

CTRL = ("--dialect", "ctrl")

LEFT, LOST, NO_AP_FOUND = 8, 200, 201  # wifi_err_reason_t

HOME = {
    "ssid": "home",
    "bssid": "02:00:00:00:00:01",
    "channel": 6,
    "rssi": -50,
    "security": "wpa2",
    "password": "correct horse",
}
JOIN_HOME = ctrl.field(1, b"home") + ctrl.field(2, b"correct horse")


def version_of(init: Frame) -> bytes:
    """The TLV of the private INIT event that tells the firmware's version."""
    assert init.payload[11:13] == bytes([4, 8])
    return init.payload[13:]


@pytest.mark.parametrize(("chip", "number"), [("esp32", 0), ("esp32c3", 5), ("esp32c6", 13)])
def test_init_is_as_today_s_drivers_have_it(start: Start, chip: str, number: int) -> None:
    """Chip, capabilities (Wi-Fi over SPI, checksums), no raw throughput test, version."""
    simulator = start(*CTRL, "--chip", chip)
    with Bus(simulator.bus) as bus:
        init = receive_started(bus)
    assert init.payload[:11] == bytes([0, 19, 2, 1, number, 0, 1, 0xA0, 3, 1, 0])
    assert version_of(init) == b"FG\0" + bytes(5), "its own version has not upstream's form"


def test_init_comes_at_each_accept_and_each_reset(start: Start) -> None:
    simulator = start(*CTRL)
    for _ in range(2):
        with Bus(simulator.bus) as bus:
            receive_started(bus)
            assert simulator.control("reset") == "ok"
            receive_started(bus)
            assert is_alive(bus)


@pytest.mark.parametrize(
    ("version", "name", "numbers"),
    [
        ("FG-1.0.5.0.2", b"FG", [1, 0, 5, 0, 2]),
        ("XYZ-9.8.7.6.5", b"XYZ", [9, 8, 7, 6, 5]),
        ("1.2.3", b"FG", [0] * 5),
    ],
)
def test_version_is_the_booted_image_s(
    start: Start, version: str, name: bytes, numbers: list[int]
) -> None:
    simulator = start(*CTRL)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        init = ctrl_host.update(bus, tiny_image(version))
        assert version_of(init) == name[:2] + b"\0" + bytes(numbers)
        reply = ask(bus, Kind.GET_VERSION)
        assert (reply.result, reply.get(2)) == (0, name)
        assert [reply.get(field) or 0 for field in range(3, 8)] == numbers
        identity = dict(ctrl.fields(ask(bus, Kind.GET_MODE).get(100)))
    assert version.encode() in identity.values()


FOREIGN = {
    "classic": classic.request(classic.Kind.GET_MODE),
    "mcu": ctrl.frame(ctrl.field(2, 257), b"RPCRsp"),
    "on the endpoint of events": ctrl.frame(ctrl.field(2, Kind.GET_MODE), ctrl.EVENTS),
    "classic on our endpoint": ctrl.frame(b"\x08\x02\x62\x00"),
}


@pytest.mark.parametrize("message", FOREIGN.values(), ids=FOREIGN.keys())
def test_other_dialects_are_met_with_silence(start: Start, message: bytes) -> None:
    simulator = start(*CTRL)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        bus.send_message(message)
        assert is_alive(bus)
        assert len(simulator.events("boot")) == 1


def test_classic_meets_this_one_with_silence(start: Start) -> None:
    simulator = start()
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        bus.send_message(ctrl.request(Kind.GET_MODE))
        bus.send_message(ctrl.frame(b"", ctrl.EVENTS))
        assert bus.request(classic.request(classic.Kind.GET_MODE)).endpoint == classic.ENDPOINT
        assert len(simulator.events("boot")) == 1


@pytest.mark.parametrize("mode", ["none", "virtual"])
def test_heartbeats_come_as_often_as_asked(start: Start, mode: str) -> None:
    simulator = start(*CTRL, "--time", mode)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        assert simulator.control("advance 100") == "ok"
        enable = ctrl.field(1, 1) + ctrl.field(2, 20)
        assert ask(bus, Kind.SET_HEARTBEAT, enable).result == 0
        for number in (1, 2):
            assert simulator.control("advance 18") == "ok"
            assert is_alive(bus)
            assert simulator.control("advance 2") == "ok"
            assert receive_event(bus, Kind.HEARTBEAT).get(1) == number
        assert ask(bus, Kind.SET_HEARTBEAT, b"").result == 0
        assert simulator.control("advance 100") == "ok"
        assert is_alive(bus)


@pytest.mark.parametrize("mode", ["none", "virtual", "real"])
def test_connection_is_told_from_its_making_to_its_end(start: Start, mode: str) -> None:
    simulator = start(*CTRL, "--time", mode, aps=[HOME])
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        assert ask(bus, Kind.CONNECT_AP, JOIN_HOME).get(2) == b"24:0a:c4:11:22:33"
        assert receive_event(bus, Kind.DISCONNECTED).get(5) == LEFT
        assert receive_event(bus, Kind.CONNECTED).get(4) == HOME["bssid"].encode()
        assert simulator.control("ap-off home") == "ok"
        assert receive_event(bus, Kind.DISCONNECTED).get(5) == LOST
        assert simulator.control("ap-on home") == "ok"
        if mode != "real":
            assert simulator.control("advance 5") == "ok"
        assert receive_event(bus, Kind.CONNECTED).get(2) == b"home"
        assert ask(bus, Kind.DISCONNECT_AP).result == 0
        assert receive_event(bus, Kind.DISCONNECTED).get(5) == LEFT
        assert is_alive(bus)


def test_failed_connect_is_told_once(start: Start) -> None:
    simulator = start(*CTRL, aps=[])
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        assert ask(bus, Kind.CONNECT_AP, JOIN_HOME).result == 0
        assert receive_event(bus, Kind.DISCONNECTED).get(5) == LEFT
        assert receive_event(bus, Kind.DISCONNECTED).get(5) == NO_AP_FOUND
        assert simulator.control("advance 60") == "ok"
        assert is_alive(bus)


def test_reset_in_an_update_is_told_and_leaves_the_old_one(start: Start) -> None:
    simulator = start(*CTRL)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        ctrl_host.send_image(bus, tiny_image("FG-2.0.0.0.0"))
        assert simulator.control("reset") == "ok"
        receive_started(bus)
        assert ask(bus, Kind.OTA_END).result == -1
    first, second = simulator.events("boot")
    assert first["version"] == second["version"]
