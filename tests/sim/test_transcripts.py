# SPDX-License-Identifier: Apache-2.0
"""What upstream's tools were recorded to send, sent to the virtual ESP32 right at its bus."""

import json
from collections.abc import Callable

import pytest
from support import classic
from support.bus import Bus
from support.classic import Kind, Message
from support.simulator import Simulator
from support.tools import ROOT

Start = Callable[..., Simulator]

RECORDINGS = ROOT / "tests/data/transcripts"

# The station's address in the recordings, and whose firmware answers.
FIRMWARE = {
    True: ("--mac", "24:0a:c4:11:22:33", "--stock"),
    False: ("--mac", "24:0a:c4:11:22:33"),
}

MY_WIFI = {
    "ssid": "MyWifi",
    "bssid": "11:22:33:44:55:66",
    "channel": 6,
    "rssi": -40,
    "security": "wpa2",
    "password": "MyWifiPass@123",
}
OPEN = {
    "ssid": "Open",
    "bssid": "12:22:33:44:55:66",
    "channel": 11,
    "rssi": -80,
    "security": "open",
}

# Soft-AP, power save, vendor elements, transmit power: in no firmware here.
OUT_OF_SCOPE = {
    Kind.GET_SOFT_AP,
    Kind.SET_SOFT_AP,
    Kind.STOP_SOFT_AP,
    Kind.GET_STATIONS,
    Kind.SET_POWER_SAVE,
    Kind.GET_POWER_SAVE,
    Kind.SET_VENDOR_IE,
    Kind.SET_TX_POWER,
    Kind.GET_TX_POWER,
}


def exchanges(name: str) -> list[tuple[Message, Message]]:
    """Requests and the answers to them."""
    lines = (RECORDINGS / f"classic-{name}.jsonl").read_text().splitlines()
    said = [json.loads(line) for line in lines]
    whole = [
        (entry["dir"], message)
        for entry in said
        if entry["dir"] != "note"
        for message in classic.messages(bytes.fromhex(entry["hex"]))
    ]
    assert [direction for direction, _ in whole] == ["h2d", "d2h"] * (len(whole) // 2)
    return [(whole[i][1], whole[i + 1][1]) for i in range(0, len(whole), 2)]


def as_stock(message: Message, *, stock: bool) -> bytes:
    """The answer to compare: our firmware's, without what it says beyond stock."""
    return message.raw if stock else classic.without_extension(message)


@pytest.mark.parametrize("stock", [True, False], ids=["stock", "ours"])
@pytest.mark.parametrize(
    ("name", "aps"),
    [
        ("mode-and-mac", [MY_WIFI]),
        ("scan", [OPEN, MY_WIFI]),
        ("station-connect", [MY_WIFI, OPEN]),
        ("station-connect-no-ap", [OPEN]),
        ("ota-40000", []),
        ("ota-40001", []),
        ("all-commands", [MY_WIFI, OPEN]),
    ],
)
def test_answers_are_those_recorded(
    start: Start, name: str, aps: list[dict[str, object]], *, stock: bool
) -> None:
    simulator = start(*FIRMWARE[stock], aps=aps)
    compared = 0
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        for request, recorded in exchanges(name):
            if request.kind in OUT_OF_SCOPE:
                continue
            assert as_stock(bus.request(request.raw), stock=stock) == recorded.raw, request
            compared += 1
    assert compared > 0


@pytest.mark.parametrize("size", [40000, 40001])
@pytest.mark.parametrize("stock", [True, False], ids=["stock", "ours"])
def test_recorded_update_boots(start: Start, size: int, *, stock: bool) -> None:
    """The recorded hosts send the last chunk too long; the image in it is what boots."""
    simulator = start(*FIRMWARE[stock])
    sent = b""
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        for request, _ in exchanges(f"ota-{size}"):
            bus.request(request.raw)
            if request.kind is Kind.OTA_WRITE:
                sent += request.image_bytes
        bus.receive_init()
    begin = simulator.events("begin")[0]
    boot = simulator.wait_boots(2)
    assert boot["slot"] == begin["slot"]
    assert boot["version"] == "1.0.0"
    assert boot["project"] == "network_adapter"
    assert sum(event["length"] for event in simulator.events("write")) == len(sent)
    assert simulator.flash.slot(begin["slot"])[: len(sent)] == sent
