# SPDX-License-Identifier: Apache-2.0
"""--stock --dialect ctrl: joining. The reply is always a success; the events say how it ended."""

from collections.abc import Callable

import pytest
from ctrl_host import ask, is_alive, receive, receive_event, receive_started
from support import ctrl
from support.bus import Bus
from support.ctrl import Kind, Message
from support.simulator import Simulator

Start = Callable[..., Simulator]

STOCK = ("--stock", "--dialect", "ctrl")

FAILURE, NOT_CONNECTED = -1, 1

# esp_wifi_types.h, wifi_err_reason_t
LEFT, HANDSHAKE, LOST, NOBODY, FAILED = 8, 15, 200, 201, 205

NO_BSSID = b"00:00:00:00:00:00"
RETRY_S = 3  # longer than it waits between two attempts

AIR = [
    {
        "ssid": "closed",
        "bssid": "02:00:00:00:00:01",
        "channel": 6,
        "security": "wpa2",
        "password": "correct horse",
    },
    {"ssid": "open", "bssid": "02:00:00:00:00:02", "channel": 11},
    {"ssid": "x" * 31},
]


def connect(bus: Bus, ssid: str, password: str = "", bssid: str = "") -> None:
    payload = ctrl.field(1, ssid.encode()) + ctrl.field(2, password.encode())
    payload += ctrl.field(3, bssid.encode()) + ctrl.field(5, 3)
    reply = ask(bus, Kind.CONNECT_AP, payload)
    assert reply.payload == [(2, b"24:0a:c4:11:22:33")]


def disconnected(bus: Bus, ssid: str, reason: int) -> Message:
    event = receive_event(bus, Kind.DISCONNECTED)
    assert (event.get(1), event.get(2), event.get(3)) == (None, ssid.encode(), None)
    assert event.get(5) == reason
    return event


def connected(bus: Bus, ssid: str) -> Message:
    event = receive_event(bus, Kind.CONNECTED)
    assert (event.get(1), event.get(2), event.get(3)) == (None, ssid.encode(), len(ssid))
    return event


def name_of_ap(bus: Bus) -> bytes | None:
    reply = ask(bus, Kind.GET_AP)
    assert reply.result in (0, NOT_CONNECTED)
    return reply.get(1) if reply.result == 0 else None


def join(bus: Bus, ssid: str, password: str = "") -> None:
    """The first one: it disconnects from it once, as its configuration might be older."""
    connect(bus, ssid, password)
    disconnected(bus, ssid, LEFT)
    connected(bus, ssid)


@pytest.mark.parametrize("mode", ["none", "virtual", "real"])
def test_joins_by_way_of_a_disconnect(start: Start, mode: str) -> None:
    simulator = start(*STOCK, "--time", mode, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        connect(bus, "closed", "correct horse")
        left = disconnected(bus, "closed", LEFT)
        assert (left.get(4), left.get(6)) == (NO_BSSID, None)
        event = connected(bus, "closed")
        assert event.payload[-4:] == [(4, b"02:00:00:00:00:01"), (5, 6), (6, 3), (7, 1)]
        ap = ask(bus, Kind.GET_AP)
        assert ap.get(1) == b"closed\0"  # it sends the end of the string along
        assert (ap.get(2), ap.get(4), ap.get(5)) == (b"02:00:00:00:00:01", 6, 3)
        assert bus.is_silent(0.2)


def test_name_of_32_bytes_loses_its_last(start: Start) -> None:
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        connect(bus, "x" * 32)
        disconnected(bus, "x" * 31, LEFT)
        connected(bus, "x" * 31)


@pytest.mark.parametrize("mode", ["none", "virtual"])
def test_tries_for_ever_at_a_bearable_pace(start: Start, mode: str) -> None:
    simulator = start(*STOCK, "--time", mode, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        connect(bus, "nobody", "any horse")
        assert disconnected(bus, "nobody", NOBODY).get(4) == NO_BSSID
        for _ in range(3):
            assert bus.is_silent(0.1)
            assert is_alive(bus)
            assert simulator.control(f"advance {RETRY_S}") == "ok"
            disconnected(bus, "nobody", NOBODY)
        assert name_of_ap(bus) is None
        assert simulator.control("advance 3600") == "ok"
        told = 0
        while not bus.is_silent(0.1):
            disconnected(bus, "nobody", NOBODY)
            told += 1
        assert 3600 / RETRY_S < told < 3600
        assert is_alive(bus)


def test_real_time_brings_the_next_attempt_by_itself(start: Start) -> None:
    simulator = start(*STOCK, "--time", "real", aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        connect(bus, "nobody")
        disconnected(bus, "nobody", NOBODY)
        disconnected(bus, "nobody", NOBODY)


def test_wrong_password_is_told_by_its_reasons(start: Start) -> None:
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        connect(bus, "closed", "wrong horse")
        disconnected(bus, "closed", HANDSHAKE)
        assert simulator.control(f"advance {RETRY_S}") == "ok"
        disconnected(bus, "closed", FAILED)


@pytest.mark.parametrize("password", ["short", "x" * 7])
def test_password_that_cannot_be_one_leads_to_nothing(start: Start, password: str) -> None:
    """The driver refuses the configuration; no event ever says so."""
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        connect(bus, "closed", password)
        assert simulator.control("advance 3600") == "ok"
        assert is_alive(bus)
        assert bus.is_silent(0.1)
        join(bus, "closed", "correct horse")


def test_password_that_cannot_be_one_while_connected(start: Start) -> None:
    """It goes on with the old configuration, is never content with it, and tells each time."""
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        join(bus, "open")
        connect(bus, "closed", "short")
        disconnected(bus, "open", LEFT)
        for _ in range(3):
            assert is_alive(bus)
            assert simulator.control(f"advance {RETRY_S}") == "ok"
            disconnected(bus, "open", LEFT)


def test_nonsense_for_a_bssid_is_a_success_too(start: Start) -> None:
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        payload = ctrl.field(1, b"open") + ctrl.field(3, b"nonsense")
        assert ask(bus, Kind.CONNECT_AP, payload).payload == []
        assert simulator.control("advance 3600") == "ok"
        assert is_alive(bus)


def test_bssid_chooses(start: Start) -> None:
    simulator = start(*STOCK, aps=[*AIR, {"ssid": "open", "bssid": "02:00:00:00:00:09"}])
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        connect(bus, "open", bssid="02:00:00:00:00:09")
        disconnected(bus, "open", LEFT)
        assert connected(bus, "open").get(4) == b"02:00:00:00:00:09"
        connect(bus, "open")  # any will do: another configuration
        disconnected(bus, "open", LEFT)
        connected(bus, "open")


def test_what_is_connected_as_asked_is_reported_again(start: Start) -> None:
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        join(bus, "open")
        for _ in range(2):
            connect(bus, "open")
            connected(bus, "open")
        assert bus.is_silent(0.1)


def test_another_access_point(start: Start) -> None:
    """The first event is the farewell to the old one, under its name."""
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        join(bus, "open")
        connect(bus, "closed", "correct horse")
        disconnected(bus, "open", LEFT)
        connected(bus, "closed")
        assert name_of_ap(bus) == b"closed\0"
        connect(bus, "nobody")
        disconnected(bus, "closed", LEFT)
        disconnected(bus, "nobody", NOBODY)


def test_request_amid_the_retries_of_another(start: Start) -> None:
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        connect(bus, "nobody")
        disconnected(bus, "nobody", NOBODY)
        connect(bus, "open")
        disconnected(bus, "nobody", LEFT)
        connected(bus, "open")
        assert simulator.control("advance 3600") == "ok"
        assert name_of_ap(bus) == b"open\0"


def test_request_in_the_middle_of_an_attempt(start: Start) -> None:
    """In real time the radio takes a while, in which the second request comes on most machines."""
    simulator = start(*STOCK, "--time", "real", aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        for ssid in (b"nobody", b"open"):
            bus.send_message(ctrl.request(Kind.CONNECT_AP, ctrl.field(1, ssid)))
        events = []
        while not events or events[-1].kind is not Kind.CONNECTED:
            message = receive(bus)
            events += [message] if message.is_event else []
        assert events[-1].get(2) == b"open"
        assert {event.get(2) for event in events[:-1]} == {b"nobody"}
        assert [event.get(5) for event in events[:-1]] in ([LEFT], [NOBODY, LEFT])


def test_leaving_does_not_last(start: Start) -> None:
    """It takes the end of the connection for a loss, and comes back."""
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        join(bus, "open")
        assert ask(bus, Kind.DISCONNECT_AP).result == 0
        disconnected(bus, "open", LEFT)
        assert name_of_ap(bus) is None
        assert ask(bus, Kind.DISCONNECT_AP).result == FAILURE
        assert bus.is_silent(0.1)
        assert simulator.control(f"advance {RETRY_S}") == "ok"
        connected(bus, "open")
        assert name_of_ap(bus) == b"open\0"


def test_lost_access_point_is_told_and_found_again(start: Start) -> None:
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        join(bus, "open")
        assert simulator.control("ap-off open") == "ok"
        assert disconnected(bus, "open", LOST).get(4) == b"02:00:00:00:00:02"
        assert name_of_ap(bus) is None
        assert simulator.control(f"advance {RETRY_S}") == "ok"
        assert disconnected(bus, "open", NOBODY).get(4) == NO_BSSID
        connect(bus, "open")  # it tries already: no event of its own
        assert bus.is_silent(0.1)
        assert simulator.control("ap-on open") == "ok"
        assert simulator.control(f"advance {RETRY_S}") == "ok"
        connected(bus, "open")


def test_no_scan_while_it_tries(start: Start) -> None:
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        assert ask(bus, Kind.SCAN).get(1) == len(AIR)
        connect(bus, "nobody")
        disconnected(bus, "nobody", NOBODY)
        assert ask(bus, Kind.SCAN).result == FAILURE


def test_request_for_what_was_left(start: Start) -> None:
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        join(bus, "open")
        assert ask(bus, Kind.DISCONNECT_AP).result == 0
        disconnected(bus, "open", LEFT)
        connect(bus, "open")
        disconnected(bus, "open", LEFT)  # of the attempt that was under way
        connected(bus, "open")


@pytest.mark.parametrize("mode", [0, 2])
def test_another_mode_ends_the_connection(start: Start, mode: int) -> None:
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        join(bus, "open")
        assert ask(bus, Kind.SET_MODE, ctrl.field(1, mode)).result == 0
        disconnected(bus, "open", LEFT)
        assert simulator.control("advance 3600") == "ok"
        assert name_of_ap(bus) is None
        connect(bus, "open")  # turns to station mode, and has what it needs
        connected(bus, "open")
        assert ask(bus, Kind.DISCONNECT_AP).result == 0
        disconnected(bus, "open", LEFT)
        assert bus.is_silent(0.1)


@pytest.mark.parametrize("asked", [False, True])
def test_station_and_access_point_mode(start: Start, *, asked: bool) -> None:
    """It is left for that mode, joined there again, and left for the old mode when asked to."""
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        join(bus, "open")
        assert ask(bus, Kind.SET_MODE, ctrl.field(1, 3)).result == 0
        disconnected(bus, "open", LEFT)
        if asked:
            connect(bus, "open")
            disconnected(bus, "open", LEFT)
        else:
            assert simulator.control(f"advance {RETRY_S}") == "ok"
        connected(bus, "open")
        assert ask(bus, Kind.GET_MODE).get(1) == (1 if asked else 3)


def test_forgets_at_a_reset(start: Start) -> None:
    simulator = start(*STOCK, aps=AIR)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        connect(bus, "nobody")
        disconnected(bus, "nobody", NOBODY)
        assert simulator.control("reset") == "ok"
        receive_started(bus)
        assert simulator.control("advance 3600") == "ok"
        assert is_alive(bus)
