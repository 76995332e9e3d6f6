# SPDX-License-Identifier: Apache-2.0
"""`esp-ota monitor`: what the ESP32 says by itself, as it comes."""

import json
import os
import signal
import subprocess
from typing import Any

import pytest
from support import ctrl
from support.classic import Kind, field
from support.dialects import CLASSIC, CTRL, ctrl_event
from support.json_schema import check
from support.process import Process, environment
from support.proxy import RESTARTED
from support.rig import Rig
from support.tools import DONE, LOCAL, NO_ANSWER, REFUSED, USAGE
from support.waiting import HANG_S, wait_for

BSSID = b"02:00:00:00:00:01"
EVIL = b"\x1b[31mred\x07\r\nfake: line"
OTHER = 304


def connected(ssid: bytes) -> bytes:
    payload = field(2, ssid) + field(3, len(ssid)) + field(4, BSSID) + field(5, 6) + field(6, 3)
    return ctrl_event(ctrl.Kind.CONNECTED, payload)


def disconnected(ssid: bytes) -> bytes:
    rssi = field(6, (1 << 64) - 70)
    payload = field(2, ssid) + field(3, len(ssid)) + field(4, BSSID) + field(5, 201) + rssi
    return ctrl_event(ctrl.Kind.DISCONNECTED, payload)


def power_on(rig: Rig, *options: str) -> None:
    """An ESP32 that has said that it started: the driver keeps no request for one that has not."""
    rig.power_on(*options, dialect=CTRL)
    rig.wait(lambda: "from the ESP32: " in rig.hostedd.output(), "the first event")


def start(rig: Rig, *options: str) -> Process:
    """A monitor that listens."""
    process = rig.tools.start(
        "esp-ota", "monitor", "--device", rig.device, *rig.dialect_options(), *options
    )
    rig.finally_kill(process)
    rig.proxy.wait_answer(Kind.GET_MODE)
    if "--heartbeat" in options:
        rig.proxy.wait_answer(ctrl.Kind.SET_HEARTBEAT)
    return process


def heartbeats_asked(rig: Rig) -> list[int | None]:
    """What the tool has asked for: seconds apart, or None for an end of them."""
    return [
        message.get(2) if message.get(1) else None
        for message in rig.proxy.requests
        if message.kind is ctrl.Kind.SET_HEARTBEAT
    ]


def end(rig: Rig, process: Process, number: int = signal.SIGINT) -> list[dict[str, Any]]:
    process.signal(number)
    result = rig.tools.finish(process)
    assert result.status == DONE, result
    return check(result, "monitor")


@pytest.mark.parametrize("firmware", [(), ("--stock",)], ids=["own", "stock"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_heartbeats(rig: Rig, firmware: tuple[str, ...], number: int) -> None:
    power_on(rig, *firmware)
    process = start(rig, "--json", "--heartbeat", "3600")
    for count in (1, 2):
        rig.sim.control("advance 3600")
        wait_for(lambda: process.output().count("heartbeat") >= count, "a heartbeat")  # noqa: B023
    events = end(rig, process, number)
    beats = [event["number"] for event in events if event["event"] == "heartbeat"]
    assert beats[1] == beats[0] + 1
    assert heartbeats_asked(rig) == [3600, None], "they are ended with the monitor"


def test_every_kind_of_event(rig: Rig) -> None:
    power_on(rig)
    process = start(rig, "--json")
    for data in (RESTARTED, connected(b"Home"), disconnected(EVIL), ctrl_event(OTHER)):
        rig.proxy.inject(data)
    process.wait_output(str(OTHER))
    events = end(rig, process)[-4:]  # that it started once is said too, if it was not over by then
    for event in events:
        assert event.pop("time").endswith("Z")
    assert events == [
        {"event": "init"},
        {
            "event": "connected",
            "ssid": "Home",
            "bssid": BSSID.decode(),
            "channel": 6,
            "encryption": "WPA2",
        },
        {
            "event": "disconnected",
            "ssid": "\\x1b[31mred\\x07\\x0d\\x0afake: line",
            "bssid": BSSID.decode(),
            "reason": 201,
            "rssi": -70,
        },
        {"event": "other", "number": OTHER},
    ]


def test_text_that_a_terminal_can_bear(rig: Rig) -> None:
    power_on(rig)
    process = start(rig)
    rig.proxy.inject(connected(EVIL) + disconnected(b"Home"))
    process.wait_output("reason 201, -70 dBm")
    process.signal(signal.SIGINT)
    result = rig.tools.finish(process)
    assert result.status == DONE
    assert not set("\x1b\x07\r") & set(result.stdout)
    kinds = [line.split()[2] for line in result.stdout.splitlines()]
    assert kinds[-2:] == ["connected", "disconnected"]


def test_after_a_restart_heartbeats_are_asked_for_again(rig: Rig) -> None:
    power_on(rig)
    process = start(rig, "--json", "--heartbeat", "60")
    rig.proxy.inject(RESTARTED)
    rig.proxy.wait_answer(ctrl.Kind.SET_HEARTBEAT, nth=2)
    end(rig, process)
    assert heartbeats_asked(rig) == [60, 60, None]


def test_heartbeats_that_cannot_be_ended_are_said(rig: Rig) -> None:
    power_on(rig)
    rig.proxy.on_request(ctrl.Kind.SET_HEARTBEAT, rig.proxy.refuse, nth=2)
    process = start(rig, "--heartbeat", "60")
    process.signal(signal.SIGINT)
    result = rig.tools.finish(process)
    assert result.status == REFUSED, result
    assert "its heartbeats go on" in result.stderr


def test_the_device_vanishes(rig: Rig) -> None:
    power_on(rig)
    process = start(rig, "--json")
    rig.proxy.vanish()
    result = rig.tools.finish(process)
    assert result.status == NO_ANSWER, result
    check(result, "failure")


@pytest.mark.parametrize("options", [(), ("--heartbeat", "60")])
def test_classic_has_no_events(rig: Rig, options: tuple[str, ...]) -> None:
    rig.power_on(dialect=CLASSIC)
    result = rig.command("esp-ota", "monitor", *options)
    assert result.status == REFUSED, result
    assert "classic has no events" in result.stderr


def test_interrupted_while_it_asks_who_is_there(rig: Rig) -> None:
    power_on(rig)
    rig.proxy.on_request(Kind.GET_MODE, rig.proxy.drop)
    process = rig.tools.start(
        "esp-ota", "monitor", "--json", "--heartbeat", "60", "--device", rig.device,
        "--dialect", "ctrl",
    )  # fmt: skip
    rig.finally_kill(process)
    rig.proxy.wait_request(Kind.GET_MODE)
    end(rig, process)
    assert heartbeats_asked(rig) == []


def test_a_reader_that_goes_away_ends_it(rig: Rig) -> None:
    power_on(rig)
    args = [*rig.tools.command("esp-ota"), "monitor", "--json", "--device", rig.device]
    read, write = os.pipe()
    process = subprocess.Popen(
        [*args, *rig.dialect_options()], stdout=write, env=environment(rig.tools.kept)
    )
    os.close(write)
    rig.proxy.wait_answer(Kind.GET_MODE)
    rig.proxy.inject(RESTARTED)
    assert json.loads(os.read(read, 4096).splitlines()[0])["event"] == "init"
    os.close(read)
    rig.proxy.inject(RESTARTED)
    assert process.wait(HANG_S) == LOCAL


@pytest.mark.parametrize("seconds", ["0", "9", "3601", "soon"])
def test_heartbeats_have_limits(rig: Rig, seconds: str) -> None:
    result = rig.tools.run("esp-ota", "monitor", "--heartbeat", seconds, "--device", "/nonexistent")
    assert result.status == USAGE, result
