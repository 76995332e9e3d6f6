# SPDX-License-Identifier: Apache-2.0
"""Joining a network: what cannot work ends with a reason, and no password is ever printed."""

import os
import pty
import re
import select
import subprocess
import termios

import pytest
from support.process import Result, environment
from support.rig import Rig
from support.tools import DONE, LOCAL, REFUSED, USAGE
from support.waiting import HANG_S, wait_for

pytestmark = pytest.mark.usefixtures("dialect")

PASSWORD = "Sesam-7-auf!"
WRONG = "Salami-8-zu!"
LONG_SSID = "exactly-32-bytes-of-a-legal-ssid"
NETWORK = {
    "ssid": "Home",
    "bssid": "02:00:00:00:00:01",
    "channel": 6,
    "rssi": -40,
    "security": "wpa2",
    "password": PASSWORD,
}
TOOLS = ("test.out", "esp-ota", "station_connect.py")
# In ctrl a refusal takes 5 s, and esp-ota joins with the code of test.out.
TOOLS_REFUSED = ("test.out", "station_connect.py")
FIRMWARE = {"own": (), "stock": ("--stock",)}


def network(**other: object) -> dict[str, object]:
    return NETWORK | other


def power_on(rig: Rig, *options: str) -> Rig:
    points = (
        network(),
        network(ssid=LONG_SSID, bssid="02:00:00:00:00:02"),
        network(ssid="Caf\u00e9 \u2615", bssid="02:00:00:00:00:03"),
        network(ssid="Free", bssid="02:00:00:00:00:04", security="open", password=""),
    )
    return rig.power_on("--aps", rig.aps(*points), *options)


def connect(rig: Rig, tool: str, ssid: str, password: str, *options: str) -> Result:
    """Where there is no ethsta0."""
    args = {
        "test.out": ["sta_connect", "--ssid", ssid, "--password", password],
        "esp-ota": ["wifi", "connect", ssid, "--password", password],
        "station_connect.py": [ssid, password],
    }[tool]
    return rig.command(tool, *args, *options, wrap=rig.no_network())


def check_no_secret(rig: Rig) -> None:
    said = rig.said()
    assert PASSWORD not in said
    assert WRONG not in said


def status(rig: Rig) -> Result:
    return rig.command("test.out", "sta_status")


@pytest.mark.parametrize("firmware", FIRMWARE)
@pytest.mark.parametrize("tool", TOOLS_REFUSED)
def test_ssid_not_found(rig: Rig, tool: str, firmware: str) -> None:
    power_on(rig, *FIRMWARE[firmware])
    result = connect(rig, tool, "Elsewhere", PASSWORD)
    assert result.status == REFUSED, result
    assert re.search(r"Elsewhere", result.stderr)
    assert re.search(r"not found|no access point", result.stderr, re.IGNORECASE)
    check_no_secret(rig)


@pytest.mark.parametrize("firmware", FIRMWARE)
@pytest.mark.parametrize("tool", TOOLS_REFUSED)
def test_wrong_password(rig: Rig, tool: str, firmware: str) -> None:
    power_on(rig, *FIRMWARE[firmware])
    result = connect(rig, tool, "Home", WRONG, "--verbose")
    assert result.status == REFUSED, result
    assert re.search(r"Home", result.stderr)
    assert re.search(r"password", result.stderr, re.IGNORECASE)
    check_no_secret(rig)
    assert status(rig).status == REFUSED


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("ssid", ["Home", LONG_SSID, "Caf\u00e9 \u2615"])
def test_no_ethsta0(rig: Rig, tool: str, ssid: str) -> None:
    """The ESP32 has joined, but the host has no interface: status 1, and both are said."""
    power_on(rig)
    result = connect(rig, tool, ssid, PASSWORD)
    assert result.status == LOCAL, result
    assert "ethsta0" in result.stderr
    assert not re.search(r"ethsta0.*\bup\b", result.stdout), "it is not up"
    joined = status(rig)
    assert joined.status == DONE
    assert ssid in joined.stdout
    check_no_secret(rig)


@pytest.mark.parametrize("tool", TOOLS)
def test_open_network(rig: Rig, tool: str) -> None:
    power_on(rig)
    assert connect(rig, tool, "Free", "").status == LOCAL  # no ethsta0
    assert "Free" in status(rig).stdout


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize(
    ("ssid", "password"),
    [(LONG_SSID + "x", PASSWORD), ("", PASSWORD), ("\u00e9" * 17, PASSWORD), ("Home", "x" * 65)],
)
def test_lengths(rig: Rig, tool: str, ssid: str, password: str) -> None:
    power_on(rig)
    result = connect(rig, tool, ssid, password)
    assert result.status == USAGE, result
    assert not rig.proxy.requests or not any(
        message.kind.name == "CONNECT_AP" for message in rig.proxy.requests
    )
    check_no_secret(rig)


@pytest.mark.parametrize("tool", TOOLS)
def test_bssid_and_wpa3(rig: Rig, tool: str) -> None:
    """The example of upstream's own help, which upstream's tool refuses."""
    power_on(rig)
    result = connect(
        rig, tool, "Home", PASSWORD, "--bssid=02:00:00:00:00:01", "--is_wpa3_supported=True"
    )
    assert result.status == LOCAL, result
    message = next(m for m in rig.proxy.requests if m.kind.name == "CONNECT_AP")
    assert message.get(3) == b"02:00:00:00:00:01"
    assert message.get(4) == 1


@pytest.mark.parametrize("tool", TOOLS)
def test_bssid_that_is_none(rig: Rig, tool: str) -> None:
    power_on(rig)
    assert connect(rig, tool, "Home", PASSWORD, "--bssid=nonsense").status == USAGE
    check_no_secret(rig)


# The same commands of the two C tools.
WORDS = {
    "test.out": {"disconnect": ["sta_disconnect"], "status": ["sta_status"], "scan": ["scan"]},
    "esp-ota": {each: ["wifi", each] for each in ("disconnect", "status", "scan")},
}


@pytest.mark.parametrize("tool", WORDS)
def test_disconnect(rig: Rig, tool: str) -> None:
    power_on(rig)
    connect(rig, tool, "Home", PASSWORD)
    result = rig.command(tool, *WORDS[tool]["status"])
    assert result.status == DONE
    assert "Home" in result.stdout
    result = rig.command(tool, *WORDS[tool]["disconnect"], wrap=rig.no_network())
    assert result.status in (DONE, LOCAL), result
    assert status(rig).status == REFUSED


@pytest.mark.parametrize("tool", WORDS)
def test_scan(rig: Rig, tool: str) -> None:
    power_on(rig)
    result = rig.command(tool, *WORDS[tool]["scan"])
    assert result.status == DONE
    for ssid in ("Home", LONG_SSID, "Caf\u00e9 \u2615", "Free"):
        assert ssid in result.stdout


def test_an_ssid_cannot_write_on_the_terminal(rig: Rig) -> None:
    """Anybody may name a network: no control character of it reaches the screen."""
    rig.power_on("--aps", rig.aps(network(ssid="\u001b[31mred\u0007\r\nfake: line")))
    result = rig.command("test.out", "scan")
    assert result.status == DONE
    assert not set("\x1b\x07\r") & set(result.stdout)
    assert "\nfake: line" not in result.stdout


def test_password_of_the_environment(rig: Rig) -> None:
    power_on(rig)
    result = rig.command(
        "test.out",
        "sta_connect",
        "--ssid",
        "Home",
        wrap=rig.no_network(),
        env={"ESP_HOSTED_PASSWORD": PASSWORD},
    )
    assert result.status == LOCAL  # no ethsta0
    assert "Home" in status(rig).stdout
    check_no_secret(rig)


@pytest.mark.parametrize("tool", TOOLS)
def test_password_of_a_prompt(rig: Rig, tool: str) -> None:
    """Typed on the terminal, which does not show it."""
    power_on(rig)
    args = {
        "test.out": ["sta_connect", "--ssid", "Home"],
        "esp-ota": ["wifi", "connect", "Home"],
        "station_connect.py": ["Home", "-"],
    }[tool]
    argv = [
        *rig.no_network(),
        *map(str, rig.tools.command(tool)),
        *args,
        "--device",
        str(rig.device),
    ]
    master, slave = pty.openpty()
    process = subprocess.Popen(
        # setsid: the pty becomes the controlling terminal, where a prompt must go.
        ["setsid", "--ctty", "--wait", *argv],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment(),
    )
    wait_for(lambda: not termios.tcgetattr(slave)[3] & termios.ECHO, "a prompt without echo")
    os.write(master, PASSWORD.encode() + b"\n")
    shown = read_until_end(process, master)
    os.close(slave)
    os.close(master)
    assert PASSWORD not in shown, shown
    assert process.returncode == LOCAL, shown  # no ethsta0
    assert "ethsta0" in shown
    assert "Home" in status(rig).stdout


def read_until_end(process: "subprocess.Popen[bytes]", master: int) -> str:
    shown = b""

    def ended() -> bool:
        nonlocal shown
        while select.select([master], [], [], 0)[0]:
            shown += os.read(master, 4096)
        return process.poll() is not None

    wait_for(ended, "the tool", HANG_S)
    ended()
    return shown.decode(errors="replace")
