# SPDX-License-Identifier: Apache-2.0
"""What a tool says to a user who has no device, or types something wrong."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, NO_ANSWER, ROOT, USAGE

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


@pytest.mark.parametrize("tool", ["esp-ota", "test.out"])
def test_help_fits_a_terminal(rig: Rig, tool: str) -> None:
    text = rig.tools.run(tool, "--help").stdout
    assert max(map(len, text.splitlines())) < 80


def test_help_of_one_command_shows_its_own_options(rig: Rig) -> None:
    text = rig.tools.run("esp-ota", "verify", "--help").stdout
    assert text.startswith("Usage: esp-ota verify [OPTIONS] SOURCE\n")
    assert "--chip" in text
    assert "--device" not in text
    text = rig.tools.run("esp-ota", "wifi", "connect", "--help").stdout
    assert text.startswith("Usage: esp-ota wifi connect [OPTIONS] [SSID]\n")
    assert "--password" in text
    assert "--reboot-timeout" not in text
    text = rig.tools.run("esp-ota", "wifi", "--help").stdout
    assert "wifi scan" in text
    assert "verify" not in text


@pytest.mark.parametrize("tool", ["esp-ota", "test.out"])
def test_help_names_every_exit_status(rig: Rig, tool: str) -> None:
    text = rig.tools.run(tool, "--help").stdout
    statuses = re.sub(r"\s+", " ", text.partition("Exit status: ")[2])
    assert re.findall(r"\b(\d) ", statuses) == list("012345678")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("update", "012345678"),
        ("verify", "0123"),
        ("wifi", "012457"),
        ("wifi scan", "012457"),
        ("completion", "012"),
    ],
)
def test_help_of_a_command_names_its_statuses(rig: Rig, words: str, expected: str) -> None:
    text = rig.tools.run("esp-ota", *words.split(), "--help").stdout
    statuses = re.sub(r"\s+", " ", text.partition("Exit status: ")[2])
    assert re.findall(r"\b(\d) ", statuses) == list(expected)


def test_what_does_nothing_on_the_wire_tells_nothing_of_it(rig: Rig) -> None:
    text = rig.tools.run("esp-ota", "completion", "--help").stdout
    assert re.findall(r"^  (--[a-z]+)", text, re.MULTILINE) == ["--version", "--help"]
    assert rig.tools.run("esp-ota", "completion", "bash", "--verbose").status == USAGE


@pytest.mark.parametrize("tool", ["esp-ota", "test.out"])
def test_version(rig: Rig, tool: str) -> None:
    (version,) = re.findall(r"VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text())[:1]
    result = rig.tools.run(tool, "--version")
    assert (result.status, result.stdout) == (DONE, f"{tool} {version}\n")


@pytest.mark.parametrize(
    "args",
    [
        ("verify", "x", "--device", "y"),
        ("info", "--chip", "esp32"),
        ("wifi", "scan", "--ssid", "y"),
        ("--heartbeat", "10", "update", "x"),
    ],
)
def test_an_option_of_another_command(rig: Rig, args: tuple[str, ...]) -> None:
    result = rig.tools.run("esp-ota", *args)
    assert result.status == USAGE, result
    option = next(word for word in args if word.startswith("--"))
    assert f"takes no {option}; see esp-ota " in result.stderr


@pytest.mark.parametrize("tool", ["esp-ota", "test.out"])
@pytest.mark.parametrize(
    "args",
    [
        ("--password", "My", "Secret"),
        ("--ssid", "net", "--password", "My", "--Secret"),
        ("--ssid", "net", "--password", "My", "-Secret"),
        ("--pasword=Secret",),
        ("--passwordSecret",),
        ("-pSecret",),
        ("sta_connect", "--password", "My", "Secret", "two"),
        ("wifi", "connect", "--password", "My", "a", "Secret"),
    ],
)
def test_a_password_at_a_wrong_place_is_not_shown(
    rig: Rig, tool: str, args: tuple[str, ...]
) -> None:
    result = rig.tools.run(tool, *args)
    assert result.status == USAGE, result
    assert result.stderr.strip()
    assert "Secret" not in result.output


def test_a_mistyped_command_is_shown_as_a_terminal_can_bear_it(rig: Rig) -> None:
    assert "'udpate'" in rig.tools.run("esp-ota", "udpate").stderr
    assert "\x1b" not in rig.tools.run("esp-ota", "ud\x1b[31mpate").stderr


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
        ("esp-ota", ("wifi",)),
        ("esp-ota", ("wifi", "fly")),
        ("esp-ota", ("wifi", "connect")),
        ("esp-ota", ("wifi", "connect", "x", "--ssid", "x")),
        ("esp-ota", ("wifi", "connect", "x", "y")),
        ("esp-ota", ("completion",)),
        ("esp-ota", ("info", "--json=yes")),
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


@pytest.mark.parametrize(
    ("option", "value", "form"),
    [
        ("--sha256", "abc", "64 hexadecimal digits"),
        ("--sha256", "g" * 64, "64 hexadecimal digits"),
        ("--chip", "esp8266", "the name of a chip: esp32, esp32c3, ..."),
        ("--slot-size", "big", "a number of bytes: 1792K, 1M, 0x100000"),
        ("--retries", "1001", "0 to 1000"),
        ("--timeout", "0", "1 to 86400 seconds"),
        ("--stall-timeout", "86401", "1 to 86400 seconds"),
        ("--reboot-timeout", "-1", "0 to 86400 seconds"),
        ("--listen-interval", "0", "1 to 65535 beacons"),
        ("--heartbeat", "9", "10 to 3600 seconds"),
        ("--dialect", "latin", "auto, classic, ctrl or mcu"),
        ("--cacert", "", "the path of a file"),
        ("--interface", "", "the name of a network interface"),
        ("--is_wpa3_supported=perhaps", None, "true or false"),
    ],
)
def test_a_bad_value_is_told_what_it_must_be(
    rig: Rig, option: str, value: str | None, form: str
) -> None:
    result = rig.tools.run("esp-ota", option, *([] if value is None else [value]))
    name = option.partition("=")[0]
    assert result.status == USAGE, result
    assert result.stderr == f"esp-ota: {name}: the value must be {form}; see esp-ota --help\n"


def test_an_unknown_second_word(rig: Rig) -> None:
    result = rig.tools.run("esp-ota", "wifi", "fly")
    assert result.status == USAGE, result
    assert "wifi: unknown word 'fly', not one of connect, disconnect" in result.stderr
    result = rig.tools.run("esp-ota", "wifi")
    assert "wifi: one of its words is missing: connect, disconnect" in result.stderr
    result = rig.tools.run("esp-ota", "wifi", "--password", "My", "Secret")
    assert result.status == USAGE, result
    assert "Secret" not in result.output


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("",), "the name of a network (SSID) has 1 to 32 bytes"),
        (("net", "--bssid", "02:00"), "a BSSID has the form"),
    ],
)
def test_nobody_is_asked_for_the_password_of_no_network(
    rig: Rig, args: tuple[str, ...], words: str
) -> None:
    result = rig.tools.run("esp-ota", "wifi", "connect", *args, wrap=("setsid", "--wait"))
    assert result.status == USAGE, result
    assert words in result.stderr


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
        ("esp-ota", "wifi", "scan"),
        ("esp-ota", "wifi", "connect", "net", "--password", "12345678"),
        ("esp-ota", "monitor"),
        ("station_connect.py", "net", "12345678"),
    ]


@pytest.mark.parametrize("index", range(12))
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


def test_no_byte_of_a_name_moves_a_cursor(rig: Rig) -> None:
    """Where the image is named without a failure."""
    folder = os.fsencode(rig.folder)
    name = folder + b"/\x1b[31m\xff\x9b1m.bin"
    with open(name, "wb") as file:
        file.write(make_image("2.0.0"))
    rig.power_on()
    for command in (("verify",), ("update", "--dry-run"), ("update", "--reboot-timeout", "0")):
        device = () if command == ("verify",) else ("--device", os.fsencode(rig.device))
        program = rig.build.binary("esp-ota")
        done = subprocess.run([program, *command, name, *device], capture_output=True)
        assert done.returncode == DONE, done
        done.stdout.decode()
        assert b"\x1b" not in done.stdout
        assert rb"\x1b[31m\xff\x9b1m.bin" in done.stdout
