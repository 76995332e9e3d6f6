# SPDX-License-Identifier: Apache-2.0
"""commands.py: the specification's functions, with the return values that its users know."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from esp_hosted_ota import OtaError, OtaUsageError, Status
from support import classic
from support.classic import Kind
from support.fake_device import FakeDevice, answers, recorded, recorded_image
from support.tools import HOST_CONTROL, ROOT

RECORDINGS = ROOT / "tests/data/transcripts"
MAC = "24:0a:c4:11:22:33"


@pytest.fixture
def commands(fake: FakeDevice, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("ESP_HOSTED_DEVICE", str(fake.path))
    import commands

    commands.esp_ota_end()  # whatever another test has left open
    return commands


def refuse(fake: FakeDevice, kind: Kind, code: int = -1) -> None:
    fake.script(kind, classic.answer(kind, code))


def test_import_does_nothing() -> None:
    """Not even with a device that is none; and it brings the specification's names alone."""
    code = (
        "import commands; print(sorted(commands.__all__) == "
        "sorted(name for name in dir(commands) if name[0] != '_'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ESP_HOSTED_DEVICE": "/nonexistent"},
        cwd=HOST_CONTROL / "python_support",
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("True\n", "", 0)


def test_as_recorded(fake: FakeDevice, commands: ModuleType) -> None:
    """What upstream's functions make of the same answers."""
    path = RECORDINGS / "classic-all-commands.jsonl"
    for kind in (Kind.SET_MODE, Kind.GET_MODE, Kind.SCAN, Kind.SET_MAC, Kind.GET_MAC):
        fake.script(kind, *answers(path, kind))
    for kind in (Kind.CONNECT_AP, Kind.GET_AP, Kind.DISCONNECT_AP):
        fake.script(kind, *answers(path, kind))

    assert commands.wifi_set_mode(commands.WIFI_MODE_STATION) == "success"
    assert commands.wifi_get_mode() == 0
    assert [vars(ap) for ap in commands.wifi_ap_scan_list()] == [
        {"ssid": "MyWifi", "chnl": 6, "rssi": -40, "bssid": "11:22:33:44:55:66", "ecn": 3},
        {"ssid": "Open", "chnl": 11, "rssi": -80, "bssid": "12:22:33:44:55:66", "ecn": 0},
    ]
    assert commands.wifi_set_mac(1, "1a:11:11:11:11:11") == "success"
    assert commands.wifi_get_mac(1) == "1a:11:11:11:11:11"
    assert commands.wifi_set_ap_config("MyWifi", "MyWifiPass@123", "", False, 5) == "success"
    ap = commands.wifi_get_ap_config()
    assert ap == ("MyWifi", "11:22:33:44:55:66", 6, -40, 3)
    assert [type(x) for x in ap] == [str, str, int, int, int]
    assert commands.wifi_disconnect_ap() == "success"
    assert commands.last_error() is None
    theirs = {request.raw for request, _ in recorded(path)}
    assert {m.raw for m in fake.requests} <= theirs


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (Kind.GET_MAC, lambda c: c.wifi_get_mac(1)),
        (Kind.SET_MAC, lambda c: c.wifi_set_mac(1, MAC)),
        (Kind.GET_MODE, lambda c: c.wifi_get_mode()),
        (Kind.SET_MODE, lambda c: c.wifi_set_mode(1)),
        (Kind.CONNECT_AP, lambda c: c.wifi_set_ap_config("net", "12345678", "", False, 3)),
        (Kind.GET_AP, lambda c: c.wifi_get_ap_config()),
        (Kind.DISCONNECT_AP, lambda c: c.wifi_disconnect_ap()),
        (Kind.SCAN, lambda c: c.wifi_ap_scan_list()),
        (Kind.OTA_BEGIN, lambda c: c.esp_ota_begin()),
    ],
)
def test_failure(
    fake: FakeDevice, commands: ModuleType, kind: Kind, call: Callable[[ModuleType], object]
) -> None:
    refuse(fake, kind)
    assert call(commands) == "failure"
    error = commands.last_error()
    assert isinstance(error, OtaError)
    assert (error.status, error.device_code) == (Status.REFUSED, -1)


@pytest.mark.parametrize(
    ("code", "result"), [(2, "no_ap_found"), (3, "invalid_password_str"), (1, "failure")]
)
def test_not_joined(fake: FakeDevice, commands: ModuleType, code: int, result: str) -> None:
    refuse(fake, Kind.CONNECT_AP, code)
    assert commands.wifi_set_ap_config("net", "12345678", "", False, 3) == result


def test_not_connected(fake: FakeDevice, commands: ModuleType) -> None:
    for kind in (Kind.GET_AP, Kind.DISCONNECT_AP):
        refuse(fake, kind, 1)
    assert commands.wifi_get_ap_config() == "failure"
    assert "not connected" in str(commands.last_error())
    assert commands.wifi_disconnect_ap() == "failure"


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.wifi_get_mac(0),
        lambda c: c.wifi_get_mac(-1),
        lambda c: c.wifi_set_mac(3, MAC),
        lambda c: c.wifi_set_mac(1, ""),
        lambda c: c.wifi_set_mode(4),
        lambda c: c.wifi_set_ap_config("x" * 33, "12345678", "", False, 3),
        lambda c: c.wifi_set_ap_config("net", "x" * 65, "", False, 3),
        lambda c: c.wifi_set_ap_config("net", "12345678", "x" * 18, False, 3),
        lambda c: c.wifi_set_ap_config("net", "12345678", "", False, -1),
        lambda c: c.interface_down("nowhere0"),
    ],
)
def test_bad_arguments(
    fake: FakeDevice, commands: ModuleType, call: Callable[[ModuleType], object]
) -> None:
    assert call(commands) == "failure"
    assert commands.last_error() is not None
    assert [kind for kind in fake.kinds() if kind is not Kind.GET_MODE] == []


def test_no_device(commands: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESP_HOSTED_DEVICE", "/nonexistent")
    assert commands.wifi_get_mode() == "failure"
    assert isinstance(commands.last_error(), FileNotFoundError)
    assert commands.esp_ota_begin() == "failure"


def test_no_interface(fake: FakeDevice, commands: ModuleType) -> None:
    fake.script(Kind.GET_MAC, classic.answer(Kind.GET_MAC, before=classic.field(1, MAC.encode())))
    assert commands.interface_up(1, "nowhere0") == "failure"
    assert "nowhere0" in str(commands.last_error())


# An update


def test_update(fake: FakeDevice, commands: ModuleType) -> None:
    """As upstream's ota_update.py does it, down to the length it gives: always 4000."""
    path = RECORDINGS / "classic-ota-40001.jsonl"
    image = recorded_image(path, 40001)
    fake.replay(path)
    assert commands.esp_ota_begin() == "success"
    for at in range(0, 40000, 4000):
        assert commands.esp_ota_write(image[at : at + 4000], 4000) == "success"
    assert commands.esp_ota_write(image[40000:]) == "success"
    assert commands.esp_ota_end() == "success"
    assert fake.sent_image() == image
    theirs = [request.raw for request, _ in recorded(path)]
    ours = [m.raw for m in fake.requests if m.kind is not Kind.GET_MODE]
    assert ours[:11] == theirs[:11]
    assert ours[12:] == theirs[12:]


def agree(fake: FakeDevice) -> None:
    for kind in (Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END):
        fake.script(kind, classic.answer(kind))


def test_a_length_beyond_the_data(fake: FakeDevice, commands: ModuleType) -> None:
    """Upstream sends what lies behind it in memory. Here that is the end of the update."""
    agree(fake)
    assert commands.esp_ota_begin() == "success"
    assert commands.esp_ota_write(b"x", 4000) == "failure"
    assert commands.esp_ota_write(b"x", 1) == "failure"
    assert commands.esp_ota_end() == "failure"
    assert fake.kinds() == [Kind.GET_MODE, Kind.OTA_BEGIN]


def test_a_length_within_the_data(fake: FakeDevice, commands: ModuleType) -> None:
    agree(fake)
    assert commands.esp_ota_begin() == "success"
    assert commands.esp_ota_write(b"abcdef", 4) == "success"
    assert commands.esp_ota_write(bytearray(b"ef"), 2) == "success"
    assert fake.sent_image() == b"abcdef"
    assert commands.esp_ota_end() == "success"


def test_no_end_after_a_failed_write(fake: FakeDevice, commands: ModuleType) -> None:
    agree(fake)
    refuse(fake, Kind.OTA_WRITE)
    assert commands.esp_ota_begin() == "success"
    assert commands.esp_ota_write(bytes(4000), 4000) == "success"
    assert commands.esp_ota_write(bytes(4000), 4000) == "failure"
    assert commands.last_error().offset == 4000
    assert commands.esp_ota_end() == "failure"
    assert isinstance(commands.last_error(), OtaUsageError)
    assert Kind.OTA_END not in fake.kinds()
    assert commands.wifi_get_mode() == 0, "the device is free again"


def test_wrong_order(fake: FakeDevice, commands: ModuleType) -> None:
    assert commands.esp_ota_write(b"x", 1) == "failure"
    assert commands.esp_ota_end() == "failure"
    assert fake.requests == []


def test_other_commands_wait_for_the_update(fake: FakeDevice, commands: ModuleType) -> None:
    agree(fake)
    assert commands.esp_ota_begin() == "success"
    assert commands.wifi_get_mode() == "failure"
    assert commands.last_error().status == Status.BUSY
    assert commands.esp_ota_write(b"x") == "success"
    assert commands.esp_ota_end() == "success"
    assert commands.wifi_get_mode() == 0


def test_begin_again(fake: FakeDevice, commands: ModuleType, tmp_path: Path) -> None:
    """An update that was given up does not stand in the way of the next one."""
    agree(fake)
    assert commands.esp_ota_begin() == "success"
    assert commands.esp_ota_write(b"old") == "success"
    assert commands.esp_ota_begin() == "success"
    assert commands.esp_ota_write(b"new") == "success"
    assert commands.esp_ota_end() == "success"


def test_end_refused(fake: FakeDevice, commands: ModuleType) -> None:
    fake.script(Kind.OTA_BEGIN, classic.answer(Kind.OTA_BEGIN))
    refuse(fake, Kind.OTA_END)
    assert commands.esp_ota_begin() == "success"
    assert commands.esp_ota_end() == "failure"
    assert commands.last_error().status == Status.REFUSED
