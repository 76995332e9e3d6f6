# SPDX-License-Identifier: Apache-2.0
"""What upstream's ctrl tools were recorded to send, sent to the virtual ESP32 right at its bus."""

import json
from collections.abc import Callable

import pytest
from support import ctrl
from support.bus import Bus
from support.ctrl import Kind
from support.simulator import Simulator
from support.tools import ROOT

Start = Callable[..., Simulator]

RECORDINGS = ROOT / "tests/data/transcripts"

STOCK = ("--mac", "24:0a:c4:11:22:33", "--dialect", "ctrl", "--stock")

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
def test_stock_says_what_was_recorded(
    start: Start, name: str, aps: list[dict[str, object]]
) -> None:
    """Replies and events, all of them and in their order; nothing besides."""
    simulator = start(*STOCK, aps=aps)
    entries = recorded(name)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        for direction, data in entries:
            if direction == "h2d":
                bus.send_message(data)
            else:
                assert bus.receive_message().raw == data
        if not name.startswith("ota"):  # that one restarts
            assert bus.is_silent(0.2)
    assert {direction for direction, _ in entries} == {"h2d", "d2h"}


def test_recorded_update_boots(start: Start) -> None:
    """The recorded hosts send the last chunk too long; the image in it is what boots."""
    simulator = start(*STOCK)
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
    boot = simulator.wait_boots(2)
    slot = simulator.events("begin")[0]["slot"]
    assert (boot["slot"], boot["version"]) == (slot, "1.0.0")
    assert sum(event["length"] for event in simulator.events("write")) == len(sent) == 44000
    assert simulator.flash.slot(slot)[: len(sent)] == sent
