# SPDX-License-Identifier: Apache-2.0
"""The control socket and the three kinds of time."""

import json
import socket
from collections.abc import Callable
from typing import Any

from support.bus import Bus
from support.simulator import Simulator
from support.waiting import HANG_S

Start = Callable[..., Simulator]


def status(simulator: Simulator) -> dict[str, Any]:
    return json.loads(simulator.control("status"))


def test_status_says_what_runs(start: Start) -> None:
    simulator = start("--stock")
    now = status(simulator)
    boot = simulator.events("boot")[0]
    assert {key: now[key] for key in ("slot", "offset", "version", "project", "state")} == {
        key: boot[key] for key in ("slot", "offset", "version", "project", "state")
    }
    assert now["time"] == "none"
    assert now["reset"] == "power_on"
    assert now["bus"] is False
    assert now["associated"] is False
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        assert status(simulator)["bus"] is True


def test_reset_is_external_and_keeps_the_clock(start: Start) -> None:
    simulator = start("--stock")
    assert simulator.control("advance 2.5") == "ok"
    assert simulator.control("reset") == "ok"
    simulator.wait_boots(2)
    assert simulator.events("reset")[0]["reason"] == "external"
    now = status(simulator)
    assert now["t"] == 2.5
    assert now["reset"] == "external"


def test_advance_wants_a_number_of_seconds(start: Start) -> None:
    simulator = start("--stock")
    for line in ("advance", "advance ", "advance x", "advance -1", "advance 1s", "advance nan"):
        assert simulator.control(line).startswith("error: "), line
    assert simulator.control("advance 0") == "ok"
    assert status(simulator)["t"] == 0


def test_real_time_cannot_be_advanced(start: Start) -> None:
    simulator = start("--stock", "--time", "real")
    assert simulator.control("advance 1").startswith("error: ")


def test_what_is_no_command_is_told(start: Start) -> None:
    simulator = start("--stock", aps=[{"ssid": "with a space"}])
    for line in ("", "stat", "statusx", "ap-off nobody", "ap-on"):
        assert simulator.control(line).startswith("error: "), line
    assert simulator.control("ap-off with a space") == "ok"
    assert simulator.control("ap-on with a space") == "ok"


def test_lines_are_answered_in_order_over_a_reset(start: Start) -> None:
    simulator = start("--stock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(HANG_S)
        sock.connect(str(simulator.ctl))
        sock.sendall(b"advance 1\nreset\nadvance 1\nstatus\nnonsense\n")
        answers = sock.makefile()
        assert answers.readline() == "ok\n"
        assert answers.readline() == "ok\n"
        assert answers.readline() == "ok\n"
        assert json.loads(answers.readline())["t"] == 2
        assert answers.readline().startswith("error: ")


def test_too_long_a_line_loses_its_client_only(start: Start) -> None:
    simulator = start("--stock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(HANG_S)
        sock.connect(str(simulator.ctl))
        sock.sendall(b"x" * 256)
        assert sock.recv(100) == b""
    assert status(simulator)["time"] == "none"
