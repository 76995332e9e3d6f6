# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C in a program that uses the package: KeyboardInterrupt at once, and no `end`."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import classic
from support.classic import Kind
from support.fake_device import FakeDevice
from support.http_faults import FaultServer
from support.tools import HOST_CONTROL
from support.waiting import HANG_S, wait_for

PROGRAM = """
import signal, sys
import commands
from esp_hosted_ota import Device, Session, update, verify

device, source = sys.argv[1:]
try:
    {body}
    print("not interrupted")
except KeyboardInterrupt:
    print("interrupted")
{then}
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(fake: FakeDevice, tmp_path: Path, image: bytes) -> Iterator[Start]:
    """Starts a program of one statement, which Ctrl-C is to end, and what it does after that."""
    started: list[subprocess.Popen[str]] = []
    fake.script(Kind.OTA_BEGIN, classic.answer(Kind.OTA_BEGIN))
    (tmp_path / "image.bin").write_bytes(image)

    def run(body: str, then: str = "", source: str | Path = tmp_path / "image.bin"):
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(body=body, then=then), fake.path, source],
            env={
                **os.environ,
                "PYTHONPATH": str(HOST_CONTROL / "python_support"),
                "ESP_HOSTED_DEVICE": str(fake.path),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(program)
        return program

    yield run
    for program in started:
        program.kill()
        program.communicate()


def interrupt(program: "subprocess.Popen[str]", expected: str = "interrupted\n") -> None:
    program.send_signal(signal.SIGINT)
    said, errors = program.communicate(timeout=HANG_S)
    assert (said, errors, program.returncode) == (expected, "", 0)


LONG = "Device(device, timeout=600)"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (f"{LONG}.get_mac()", Kind.GET_MAC),
        (f"{LONG}.connect('net', '12345678')", Kind.CONNECT_AP),
        (f"Session({LONG}).write(bytes(40000))", Kind.OTA_WRITE),
        (f"update({LONG}, source)", Kind.OTA_WRITE),
        (f"update({LONG}, source, progress=lambda *_: None)", Kind.OTA_WRITE),
        ("commands.wifi_ap_scan_list()", Kind.SCAN),
    ],
)
def test_while_it_waits(fake: FakeDevice, start: Start, body: str, kind: Kind) -> None:
    program = start(body)
    fake.wait_request(kind)
    interrupt(program)
    assert fake.kinds()[-1] is kind


def test_while_the_server_stalls(fake: FakeDevice, start: Start, server: FaultServer) -> None:
    program = start(f"update({LONG}, source)", source=server.url("stall-head"))
    wait_for(lambda: server.seen, "a request to the server")
    interrupt(program)
    assert Kind.OTA_BEGIN not in fake.kinds()


def test_while_it_verifies(start: Start, server: FaultServer) -> None:
    program = start("verify(source)", source=server.url("stall"))
    wait_for(lambda: server.seen, "a request to the server")
    interrupt(program)


def test_the_update_of_commands_is_over(fake: FakeDevice, start: Start) -> None:
    """What is left of it cannot be ended, and the device is free."""
    program = start(
        "print(commands.esp_ota_begin(), flush=True); commands.esp_ota_write(bytes(4000))",
        "print(commands.esp_ota_end()); print(commands.wifi_get_mode())",
    )
    fake.wait_request(Kind.OTA_WRITE)
    interrupt(program, "success\ninterrupted\nfailure\n0\n")
    assert Kind.OTA_END not in fake.kinds()


def test_an_interrupted_device_can_only_be_closed(fake: FakeDevice, start: Start) -> None:
    """But another one can be opened."""
    program = start(
        f"d = {LONG}; d.get_mac()",
        "try: d.get_mode()\nexcept OSError as error: print(error)\n"
        "d.close(); print(int(Device(device).get_mode()[0]))",
    )
    fake.wait_request(Kind.GET_MAC)
    interrupt(program, f"interrupted\n{fake.path}: interrupted at get_mode\n0\n")


def test_a_handler_that_does_not_raise(fake: FakeDevice, start: Start) -> None:
    """It runs while the call waits, and the call goes on."""
    program = start(
        "signal.signal(signal.SIGINT, lambda *_: print('heard', flush=True)); "
        f"print({LONG}.get_mac())"
    )
    fake.wait_request(Kind.GET_MAC)
    program.send_signal(signal.SIGINT)
    assert program.stdout.readline() == "heard\n"
    mac = classic.answer(Kind.GET_MAC, before=classic.field(1, b"24:0a:c4:11:22:33"))
    fake.inject(mac)
    said, errors = program.communicate(timeout=HANG_S)
    assert (said, errors) == ("24:0a:c4:11:22:33\nnot interrupted\n", "")
