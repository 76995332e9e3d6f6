# SPDX-License-Identifier: Apache-2.0
"""Exchanges recorded between upstream's tools and upstream's firmware, replayed to each side."""

import os
import re
import select
from pathlib import Path

import pytest
from support import classic
from support.classic import Kind, Message, Splitter
from support.fake_device import FakeDevice, answers, recorded, recorded_image
from support.process import Result
from support.rig import UPDATERS, VERB, Rig
from support.tools import DONE, REFUSED, ROOT
from support.waiting import HANG_S

RECORDINGS = ROOT / "tests/data/transcripts"
PASSWORD = "MyWifiPass@123"

# Commands that are in the scope of our tools and firmware.
OURS = {
    Kind.GET_MAC,
    Kind.GET_MODE,
    Kind.SET_MODE,
    Kind.GET_AP,
    Kind.CONNECT_AP,
    Kind.DISCONNECT_AP,
    Kind.SCAN,
    Kind.SET_MAC,
    Kind.OTA_BEGIN,
    Kind.OTA_WRITE,
    Kind.OTA_END,
}

# The radio of the recordings.
MY_WIFI = {
    "ssid": "MyWifi",
    "bssid": "11:22:33:44:55:66",
    "channel": 6,
    "rssi": -40,
    "security": "wpa2",
    "password": PASSWORD,
}
OPEN = {
    "ssid": "Open",
    "bssid": "12:22:33:44:55:66",
    "channel": 11,
    "rssi": -80,
    "security": "open",
}


def recording(name: str) -> Path:
    return RECORDINGS / f"classic-{name}.jsonl"


# The host's side


@pytest.fixture
def fake(rig: Rig) -> FakeDevice:
    device = FakeDevice(rig.folder / "fake")
    rig.finally_close(device)
    return device


def run(rig: Rig, fake: FakeDevice, tool: str, *args: str, name: str = "") -> Result:
    """A tool on the fake device, in a network namespace without interfaces."""
    if name:
        fake.replay(recording(name))
    return rig.tools.run(
        tool, *args, "--device", fake.path, "--timeout", "2", wrap=rig.no_network()
    )


@pytest.mark.parametrize("updater", UPDATERS)
@pytest.mark.parametrize("size", [40000, 40001])
def test_host_update(rig: Rig, fake: FakeDevice, updater: str, size: int) -> None:
    """All answers say success; the recorded host sent up to 4000 bytes too many, ours none."""
    path = recording(f"ota-{size}")
    image = recorded_image(path, size)
    fake.replay(path)
    result = rig.tools.run(
        updater,
        *VERB[updater],
        rig.where(updater, image),
        *("--device", fake.path, "--timeout", "2", "--reboot-timeout", "0"),
    )
    assert result.status == DONE, result
    assert fake.sent_image() == image
    sent = [m for m in fake.requests if m.kind is not Kind.GET_MODE]
    theirs = [request for request, _ in recorded(path)]
    # Byte for byte what upstream sends, but for the length of the last chunk.
    whole = size // 4000
    assert [m.raw for m in sent[: whole + 1]] == [m.raw for m in theirs[: whole + 1]]
    assert sent[-1].raw == theirs[-1].raw
    assert len(sent) == len(theirs) - (1 if size % 4000 == 0 else 0)


@pytest.mark.parametrize("updater", UPDATERS)
def test_host_write_refused(rig: Rig, fake: FakeDevice, updater: str) -> None:
    path = recording("ota-write-refused")
    image = recorded_image(recording("ota-40001"), 40001)
    fake.replay(path)
    result = rig.tools.run(
        updater,
        *VERB[updater],
        rig.where(updater, image),
        *("--device", fake.path, "--timeout", "2", "--reboot-timeout", "0"),
    )
    assert result.status == REFUSED, result
    assert re.search(r"write", result.stderr)
    assert re.search(r"8[,.]?000", result.stderr), "where it was refused"
    assert Kind.OTA_END not in fake.kinds()
    assert fake.sent_image() == image[:12000]


def test_host_scan(rig: Rig, fake: FakeDevice) -> None:
    result = run(rig, fake, "test.out", "scan", name="scan")
    assert result.status == DONE, result
    for facts in (
        ("MyWifi", "11:22:33:44:55:66", "6", "-40", "WPA2"),
        ("Open", "12:22:33:44:55:66", "11", "-80", "open"),
    ):
        line = next(x for x in result.stdout.splitlines() if re.search(rf"\b{facts[0]}\b", x))
        for fact in facts:
            assert re.search(rf"(?<![\w-]){fact}", line, re.IGNORECASE), (fact, line)


def test_host_mode_and_mac(rig: Rig, fake: FakeDevice) -> None:
    fake.replay(recording("mode-and-mac"))
    modes = [run(rig, fake, "test.out", "get_mode") for _ in range(2)]
    assert [mode.status for mode in modes] == [DONE, DONE]
    mac = run(rig, fake, "test.out", "get_mac")
    assert mac.status == DONE
    assert "24:0a:c4:11:22:33" in mac.stdout
    status = run(rig, fake, "test.out", "sta_status")
    assert status.status == DONE
    for fact in ("MyWifi", "11:22:33:44:55:66", "-40"):
        assert fact in status.stdout


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("test.out", ("sta_connect", "--ssid", "MyWifi", "--password", PASSWORD)),
        ("station_connect.py", ("MyWifi", PASSWORD)),
    ],
)
def test_host_no_ap(rig: Rig, fake: FakeDevice, tool: str, args: tuple[str, ...]) -> None:
    # station_connect.py asks for the MAC address first, as upstream's does.
    fake.script(Kind.GET_MAC, answers(recording("station-connect"), Kind.GET_MAC)[0])
    result = run(rig, fake, tool, *args, name="station-connect-no-ap")
    assert result.status == REFUSED, result
    assert re.search(r"MyWifi.*(not found|no access point)|no access point.*MyWifi", result.stderr)
    assert PASSWORD not in result.output


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        (
            "test.out",
            ("sta_connect", "--ssid", "MyWifi", "--password", PASSWORD, "--listen_interval", "5"),
        ),
        ("station_connect.py", ("MyWifi", PASSWORD, "--listen_interval", "5")),
    ],
)
def test_host_connect(rig: Rig, fake: FakeDevice, tool: str, args: tuple[str, ...]) -> None:
    """The very bytes of upstream; then there is no ethsta0, which is no success."""
    result = run(rig, fake, tool, *args, name="station-connect")
    connect = next(m for m in fake.requests if m.kind is Kind.CONNECT_AP)
    theirs = next(
        request
        for request, _ in recorded(recording("station-connect"))
        if request.kind is Kind.CONNECT_AP
    )
    assert connect.raw == theirs.raw
    assert result.status == 1, result
    assert "ethsta0" in result.stderr
    assert PASSWORD not in result.output


# The ESP32's side


def ask(device: int, request: Message) -> Message:
    """One recorded request to the ESP32, one answer back."""
    os.write(device, request.raw)
    splitter = Splitter()
    while True:
        ready, _, _ = select.select([device], [], [], HANG_S)
        assert ready, f"no answer to {request.raw[:40].hex()}"
        found = splitter.feed(os.read(device, 65536))
        if found:
            assert len(found) == 1
            assert not splitter.left
            return found[0]


@pytest.mark.parametrize("firmware", ["stock", "own"])
@pytest.mark.parametrize(
    "name",
    [
        "all-commands",
        "mode-and-mac",
        "ota-40000",
        "ota-40001",
        "scan",
        "station-connect",
        "station-connect-no-ap",
    ],
)
def test_firmware_answers_as_recorded(rig: Rig, firmware: str, name: str) -> None:
    """Byte for byte, through the driver; our firmware once its own fields are taken out."""
    points = () if name.endswith("no-ap") else (MY_WIFI, OPEN)
    options = ["--mac", "24:0a:c4:11:22:33", "--aps", rig.aps(*points)]
    if firmware == "stock":
        options.append("--stock")
    rig.power_on(*options, proxy=False)
    device = os.open(rig.device, os.O_RDWR | os.O_NOCTTY)
    try:
        for request, answer in recorded(recording(name)):
            if request.kind not in OURS:
                continue
            mine = ask(device, request)
            raw = classic.without_extension(mine) if firmware == "own" else mine.raw
            assert raw == answer.raw, request.raw[:40].hex()
    finally:
        os.close(device)
    if name.startswith("ota"):
        assert rig.sim.wait_boots(2)["slot"] == "ota_0"
