# SPDX-License-Identifier: Apache-2.0
"""esp-ota --json against its schema."""

from typing import Any

import pytest
from support.dialects import CLASSIC, CTRL, Dialect
from support.json_schema import EVENTS, RESULTS, check
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, IMAGE, NO_ANSWER, REFUSED, ROOT


def stages(events: list[dict[str, Any]]) -> list[str]:
    return [event["stage"] for event in events if event["event"] == "stage"]


@pytest.mark.parametrize("dialect", [CLASSIC, CTRL], ids=str)
def test_update(rig: Rig, dialect: Dialect) -> None:
    rig.power_on(dialect=dialect, proxy=False)
    image = make_image("2.0.0", size=40000)
    result = rig.update("esp-ota", image, "--json")
    assert result.status == DONE, result
    events = check(result, "update")
    assert stages(events) == ["check", "begin", "write", "end"]
    begin = next(event for event in events if event["stage"] == "begin")
    assert (begin["version"], begin["file_bytes"]) == ("2.0.0", 40000)
    assert not result.stderr


def test_update_waits_for_the_firmware(rig: Rig) -> None:
    rig.power_on(proxy=False)
    result = rig.update("esp-ota", make_image("2.0.0", size=40000), "--json", reboot_timeout=60)
    assert stages(check(result, "update"))[-1] == "reboot"


def test_quiet_update_says_its_result_alone(rig: Rig) -> None:
    rig.power_on(proxy=False)
    result = rig.update("esp-ota", make_image("2.0.0", size=40000), "--json", "--quiet")
    assert check(result, "update") == []


def test_a_refused_image_has_no_stage_that_erases(rig: Rig) -> None:
    rig.power_on(proxy=False)
    result = rig.update("esp-ota", b"\xe9" + bytes(40000), "--json")
    assert result.status == IMAGE
    assert stages(check(result, "failure")) in ([], ["check"])


def test_a_dry_run(rig: Rig) -> None:
    rig.power_on(proxy=False)
    image = make_image("2.0.0", size=40000)
    result = rig.update("esp-ota", image, "--json", "--dry-run")
    assert result.status == DONE, result
    assert check(result, "update --dry-run") == []
    result = rig.update("esp-ota", image, "--json", "--dry-run", "--chip", "esp32c3")
    assert result.status == IMAGE, result
    assert [event["event"] for event in check(result, "failure")] == ["objection"]


def test_verify(rig: Rig) -> None:
    path = rig.file("image.bin", make_image("2.0.0", size=40000))
    assert check(rig.tools.run("esp-ota", "verify", "--json", path), "verify") == []
    path.write_bytes(b"nothing")
    assert check(rig.tools.run("esp-ota", "verify", "--json", path), "failure") == []


@pytest.mark.parametrize("firmware", [(), ("--stock",)], ids=["own", "stock"])
def test_info_and_the_network(rig: Rig, firmware: tuple[str, ...]) -> None:
    point = {
        "ssid": "Caf\u00e9\u001b[31m\n",
        "bssid": "02:00:00:00:00:01",
        "channel": 6,
        "rssi": -40,
        "security": "wpa2",
        "password": "Sesam-7-auf!",
    }
    rig.power_on("--aps", rig.aps(point), *firmware, proxy=False)

    result = rig.command("esp-ota", "wifi", "scan", "--json")
    assert check(result, "wifi scan") == []
    assert result.told["networks"] == [
        {
            "ssid": "Caf\u00e9\\x1b[31m\\x0a",
            "bssid": "02:00:00:00:00:01",
            "channel": 6,
            "rssi": -40,
            "encryption": "WPA2",
        }
    ]
    result = rig.command("esp-ota", "wifi", "status", "--json")
    assert (result.status, result.told["error"]) == (REFUSED, "refused")
    check(result, "failure")
    assert rig.command("esp-ota", "info", "--json").told["network"] is None

    # There is no ethsta0, but the ESP32 joins.
    args = ("wifi", "connect", point["ssid"], "--password", point["password"], "--json")
    result = rig.command("esp-ota", *args, wrap=rig.no_network())
    check(result, "failure")
    assert "ethsta0" in result.told["message"]
    result = rig.command("esp-ota", "wifi", "status", "--json")
    check(result, "wifi status")
    info = rig.command("esp-ota", "info", "--json")
    check(info, "info")
    assert info.told["network"] == result.told["network"]
    result = rig.command("esp-ota", "wifi", "disconnect", "--json", wrap=rig.no_network())
    assert check(result, "wifi disconnect") == []


@pytest.mark.parametrize(
    "args", [("info",), ("wifi", "scan"), ("monitor",), ("wifi", "connect", "x", "--password", "")]
)
def test_no_device(rig: Rig, args: tuple[str, ...]) -> None:
    result = rig.tools.run("esp-ota", *args, "--json", "--device", rig.folder / "none")
    assert result.status == NO_ANSWER
    assert check(result, "failure") == []
    assert not result.stderr


def test_the_documentation_names_every_key() -> None:
    text = (ROOT / "docs/json.md").read_text()

    def keys(schema: Any) -> set[str]:
        if isinstance(schema, dict):
            return set(schema) | {key for each in schema.values() for key in keys(each)}
        if isinstance(schema, (tuple, list)):
            return {key for each in schema for key in keys(each)}
        return set()

    for name, schema in {**RESULTS, **EVENTS}.items():
        for key in keys(schema):
            assert f"`{key}`" in text, (name, key)
    for event in EVENTS:
        assert f"`{event.split()[0]}`" in text, event
