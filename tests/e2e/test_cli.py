# SPDX-License-Identifier: Apache-2.0
"""What a tool says to a user who has no device, or types something wrong."""

import re
from pathlib import Path

import pytest
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, NO_ANSWER, USAGE

TOOLS = ("test.out", "esp-ota", "ota_update.py", "station_connect.py")


@pytest.mark.parametrize("tool", [*TOOLS, "esp-hostedd", "esp32-sim"])
def test_help_needs_no_device(rig: Rig, tool: str) -> None:
    result = rig.tools.run(tool, "--help", env={"ESP_HOSTED_DEVICE": "/nonexistent"})
    assert result.status == DONE, result
    assert re.search("usage", result.stdout, re.IGNORECASE)
    assert not result.stderr


def test_help_of_the_c_tool_names_every_command(rig: Rig) -> None:
    text = rig.tools.run("test.out", "--help").stdout
    for word in ("ota", "sta_connect", "sta_disconnect", "sta_status", "scan", "get_mac"):
        assert re.search(rf"\b{word}\b", text), word
    for option in ("--device", "--timeout", "--dialect"):
        assert option in text


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("test.out", ()),
        ("test.out", ("frobnicate",)),
        ("test.out", ("ota",)),
        ("test.out", ("get_mac", "--frobnicate")),
        ("test.out", ("get_mac", "--timeout", "soon")),
        ("test.out", ("get_mac", "--timeout")),
        ("test.out", ("get_mac", "--dialect", "latin")),
        ("test.out", ("ota", "x", "--chip", "esp8266")),
        ("test.out", ("ota", "x", "--slot-size", "big")),
        ("test.out", ("sta_connect",)),
        ("esp-ota", ()),
        ("esp-ota", ("frobnicate",)),
        ("esp-ota", ("update",)),
        ("esp-ota", ("verify",)),
        ("esp-ota", ("update", "x", "--timeout", "-1")),
        ("ota_update.py", ()),
        ("ota_update.py", ("http://x/", "--timeout", "soon")),
        ("station_connect.py", ()),
        ("esp-hostedd", ()),
        ("esp-hostedd", ("--bus", "smoke-signals")),
        ("esp32-sim", ()),
        ("esp32-sim", ("--flash", "x", "--bus", "y", "--chip", "esp8266")),
        ("esp32-sim", ("--flash", "x", "--bus", "y", "--power-cut", "soon")),
    ],
)
def test_usage(rig: Rig, tool: str, args: tuple[str, ...]) -> None:
    result = rig.tools.run(
        tool, *args, env={"ESP_HOSTED_DEVICE": str(rig.folder / "none")}, stdin=""
    )
    assert result.status == USAGE, result
    assert result.stderr.strip(), "no word of why"


def commands(image: Path) -> list[tuple[str, ...]]:
    return [
        ("test.out", "ota", str(image)),
        ("test.out", "get_mac"),
        ("test.out", "get_mode"),
        ("test.out", "scan"),
        ("test.out", "sta_status"),
        ("test.out", "sta_disconnect"),
        ("test.out", "sta_connect", "--ssid", "net", "--password", "12345678"),
        ("esp-ota", "update", str(image)),
        ("station_connect.py", "net", "12345678"),
    ]


@pytest.mark.parametrize("index", range(9))
@pytest.mark.parametrize("given_by", ["option", "environment"])
def test_no_device(rig: Rig, index: int, given_by: str) -> None:
    tool, *args = commands(rig.file("image.bin", make_image("2.0.0", size=4016)))[index]
    missing = str(rig.folder / "no-such-device")
    if given_by == "option":
        result = rig.tools.run(tool, *args, "--device", missing)
    else:
        result = rig.tools.run(tool, *args, env={"ESP_HOSTED_DEVICE": missing})
    assert result.status == NO_ANSWER, result
    assert missing in result.stderr
    assert re.search("No such file", result.stderr)


def test_no_device_for_the_python_update(rig: Rig) -> None:
    url = rig.serve(make_image("2.0.0", size=4016)).url("ok")
    missing = str(rig.folder / "no-such-device")
    result = rig.tools.run("ota_update.py", url, "--device", missing)
    assert result.status == NO_ANSWER, result
    assert missing in result.stderr


@pytest.mark.parametrize("tool", ["test.out", "station_connect.py"])
def test_device_that_is_a_directory(rig: Rig, tool: str) -> None:
    args = ("get_mac",) if tool == "test.out" else ("net", "12345678")
    result = rig.tools.run(tool, *args, "--device", rig.folder)
    assert result.status == NO_ANSWER, result
    assert re.search("directory", result.stderr)
