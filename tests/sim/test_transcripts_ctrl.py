# SPDX-License-Identifier: Apache-2.0
"""What upstream's ctrl tools were recorded to send, sent to the virtual ESP32 right at its bus."""

import json
from collections.abc import Callable

import pytest
from ctrl_host import receive, receive_started, update
from support import ctrl
from support.bus import Bus
from support.ctrl import Kind
from support.simulator import Simulator
from support.tools import ROOT
from tiny_image import tiny_image

Start = Callable[..., Simulator]

RECORDINGS = ROOT / "tests/data/transcripts"

# The station's address in the recordings, and whose firmware answers.
FIRMWARE = {
    True: ("--mac", "24:0a:c4:11:22:33", "--dialect", "ctrl", "--stock"),
    False: ("--mac", "24:0a:c4:11:22:33", "--dialect", "ctrl"),
}

RECORDED_VERSION = "FG-1.0.0.0.0"

# The recorded radio is not one: its scan and its events name different access points.
SCANNED = [
    {
        "ssid": f"TestNet-{number}",
        "bssid": f"02:11:22:33:44:5{number}",
        "channel": channel,
        "rssi": -40 - number,
        "security": "wpa2",
        "password": "any horse",
    }
    for number, channel in ((0, 1), (1, 6))
]
JOINED = [
    {
        "ssid": "MyWifi",
        "bssid": "02:11:22:33:44:55",
        "channel": 6,
        "rssi": -40,
        "security": "wpa2",
        "password": "MyWifiPass@123",
    }
]


def recorded(name: str) -> list[tuple[str, bytes]]:
    """What went over the wire, in order: direction and bytes."""
    lines = (RECORDINGS / f"ctrl-{name}.jsonl").read_text().splitlines()
    said = [json.loads(line) for line in lines]
    return [(entry["dir"], bytes.fromhex(entry["hex"])) for entry in said if "hex" in entry]


def start_recorded(
    start: Start, aps: list[dict[str, object]] | None = None, *, stock: bool
) -> Simulator:
    """One with the version that was recorded; a new one of ours has its own."""
    simulator = start(*FIRMWARE[stock], aps=aps)
    if not stock:
        with Bus(simulator.bus) as bus:
            receive_started(bus)
            update(bus, tiny_image(RECORDED_VERSION))
    return simulator


@pytest.mark.parametrize("stock", [True, False], ids=["stock", "ours"])
@pytest.mark.parametrize(
    ("name", "aps"),
    [
        ("mode", []),
        ("mac", []),
        ("fw-version", []),
        ("scan", SCANNED),
        ("station-connect", JOINED),
        ("station-disconnect", []),
        ("ota-40001", []),
    ],
)
def test_all_is_said_as_recorded(
    start: Start, name: str, aps: list[dict[str, object]], *, stock: bool
) -> None:
    """Replies and events, all of them and in their order; nothing besides."""
    simulator = start_recorded(start, aps, stock=stock)
    entries = recorded(name)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        for direction, data in entries:
            if direction == "h2d":
                bus.send_message(data)
                continue
            said = receive(bus)
            assert (said.raw if stock else ctrl.without_extension(said)) == data
        if not name.startswith("ota"):  # that one restarts
            assert bus.is_silent(0.2)
    assert {direction for direction, _ in entries} == {"h2d", "d2h"}


@pytest.mark.parametrize("stock", [True, False], ids=["stock", "ours"])
def test_recorded_update_boots(start: Start, *, stock: bool) -> None:
    """The recorded hosts send the last chunk too long; the image in it is what boots."""
    simulator = start_recorded(start, stock=stock)
    updates = len(simulator.events("begin"))
    earlier = len(simulator.events("write"))
    sent = b""
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        for direction, data in recorded("ota-40001"):
            if direction == "d2h":
                bus.receive_message()
                continue
            bus.send_message(data)
            (request,) = ctrl.messages(data)
            if request.kind is Kind.OTA_WRITE:
                sent += request.get(1)
        bus.receive_init()
    boot = simulator.wait_boots(updates + 2)
    slot = simulator.events("begin")[updates]["slot"]
    assert (boot["slot"], boot["version"]) == (slot, "1.0.0")
    writes = simulator.events("write")[earlier:]
    assert sum(event["length"] for event in writes) == len(sent) == 44000
    assert simulator.flash.slot(slot)[: len(sent)] == sent
