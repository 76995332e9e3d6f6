# SPDX-License-Identifier: Apache-2.0
"""The command line, and how the simulator ends."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.process import environment
from support.simulator import Simulator
from support.tools import DONE, LOCAL, USAGE, Build
from support.waiting import HANG_S

Start = Callable[..., Simulator]


def run(build: Build, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """With a flash file and a bus, unless `args` begin with an empty one."""
    needed = [] if args[:1] == ("",) else ["--flash", "flash.bin", "--bus", "bus"]
    return subprocess.run(
        [build.binary("esp32-sim"), *needed, *(arg for arg in args if arg)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=HANG_S,
    )


def test_help_needs_nothing(build: Build, folder: Path) -> None:
    done = run(build, folder, "", "--help")
    assert done.returncode == DONE
    assert done.stderr == ""
    for option in (
        "--flash",
        "--bus",
        "--dialect",
        "--stock",
        "--power-cut",
        "--bad-boot",
        "--flash-fault",
        "--idf",
        "--ctl",
        "--flash-chip",
        "--bus-kind",
        "--bus-mhz",
        "--bus-gap-us",
        "--bus-armed",
        "--host-us",
        "--host-window",
    ):
        assert option in done.stdout


@pytest.mark.parametrize(
    "args",
    [
        ("",),
        ("", "--flash", "flash.bin"),
        ("", "--bus", "bus"),
        ("--nonsense",),
        ("word",),
        ("--chip", "esp8266"),
        ("--flash-size", "3MB"),
        ("--flash-size", "4"),
        ("--flash-size", "0MB"),
        ("--mac", "24:0a:c4:11:22"),
        ("--mac", "01:00:00:00:00:00"),
        ("--dialect", "rpc"),
        ("--bootloader", "grub"),
        ("--time", "slow"),
        ("--flash-chip", "at25"),
        ("--flash-chip", "w25q32jv:min"),
        ("--bus-kind", "uart"),
        ("--bus-mhz", "0"),
        ("--bus-mhz", "81"),
        ("--bus-mhz", "10x"),
        ("--bus-gap-us", "-1"),
        ("--bus-armed", "0"),
        ("--bus-armed", "21"),
        ("--host-us", "soon"),
        ("--host-window", "0"),
        ("--host-window", "17"),
        ("--power-cut", "0"),
        ("--power-cut", "-1"),
        ("--power-cut", "5:half"),
        ("--power-cut", ":torn"),
        ("--bad-boot", "1.0"),
        ("--bad-boot", "1.0=burn"),
        ("--bad-boot", "1.0=mute@start"),
        ("--bad-boot", "1.0=crash@"),
        ("--bad-boot", "=crash"),
        ("--idf", "5.1"),
        ("--flash-fault", "stuck0"),
        ("--flash-fault", "stuck0:"),
        ("--flash-fault", "stuck2:0"),
        ("--flash-fault", "stuck0:-1"),
        ("--flash-fault", "stuck0:0x8000000"),
        ("--flash-fault", "stuck0:12z"),
        ("--flash-fault", "a-word-that-is-too-long:1"),
        ("--flash-fault", "stuck0:1") * 9,
        ("--bad-boot", "x" * 33 + "=crash"),
    ],
)
def test_wrong_use_is_told(build: Build, folder: Path, args: tuple[str, ...]) -> None:
    done = run(build, folder, *args)
    assert done.returncode == USAGE
    assert done.stderr.strip()
    assert list(folder.iterdir()) == [], "nothing was made"


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (("--aps", "nowhere.json"), "nowhere.json"),
        (("--events", "nowhere/events"), "nowhere/events"),
        (("--ctl", "nowhere/ctl"), "nowhere/ctl"),
        (("--bus", "nowhere/bus"), "nowhere/bus"),
        (("--flash", "nowhere/flash"), "nowhere/flash"),
        (("--partition-table", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_trouble_names_the_file(
    build: Build, folder: Path, args: tuple[str, ...], name: str
) -> None:
    done = run(build, folder, *args)
    assert done.returncode == LOCAL, done
    assert name in done.stderr
    assert not (folder / "bus").exists()
    assert not (folder / "ctl").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("time", ["none", "real"])
def test_a_signal_ends_it_in_order(start: Start, number: int, time: str) -> None:
    simulator = start("--stock", "--time", time)
    simulator.control("reset")
    simulator.wait_boots(2)
    simulator.signal(number)
    assert simulator.wait_end().status == DONE
    assert not simulator.bus.exists()
    assert not simulator.ctl.exists()


def test_sockets_of_the_dead_are_replaced(start: Start) -> None:
    simulator = start("--stock")
    simulator.cut_power()
    assert simulator.bus.exists()
    simulator.start()
    assert simulator.control("status").startswith("{")


def test_sockets_of_the_living_are_not(build: Build, start: Start, folder: Path) -> None:
    simulator = start("--stock")
    done = run(build, folder, "", "--flash", "other.bin", "--bus", str(simulator.bus))
    assert done.returncode == LOCAL
    assert str(simulator.bus) in done.stderr
    assert simulator.control("status").startswith("{")
