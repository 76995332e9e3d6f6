# SPDX-License-Identifier: Apache-2.0
"""Our own firmware: a trial that nobody confirms, and the way back on demand, over real resets."""

from collections.abc import Callable

import pytest
from ctrl_host import CHUNK, ask, is_alive, receive_started, send_image
from support import ctrl
from support.bus import Bus
from support.ctrl import Kind
from support.simulator import Simulator
from tiny_image import tiny_image

Start = Callable[..., Simulator]

IMAGE = tiny_image("2.0.0", 3 * CHUNK)

# Of hosted_extension.proto: Request.end.trial_seconds = 60, Request.confirm, Request.rollback
END_ON_TRIAL = ctrl.field(3, bytes((3 << 3, 60)))
CONFIRM = ctrl.field(7, ctrl.field(1, b"2.0.0"))
ROLLBACK = ctrl.field(8, b"")


def extension(request: bytes) -> bytes:
    return ctrl.field(100, request)


def code_of(reply: ctrl.Message) -> int:
    got = reply.get(101)
    assert isinstance(got, bytes)
    assert got[0] == 0x08
    return got[1]


def update_on_trial(bus: Bus) -> None:
    receive_started(bus)
    send_image(bus, IMAGE)
    assert ask(bus, Kind.OTA_END, extension(END_ON_TRIAL)).result == 0
    receive_started(bus)


def booted(simulator: Simulator) -> list[tuple[str, str]]:
    return [(boot["slot"], boot["version"]) for boot in simulator.events("boot")]


@pytest.mark.parametrize("boot_loader", ["rollback", "plain"])
def test_nobody_confirms(start: Start, boot_loader: str) -> None:
    simulator = start("--dialect", "ctrl", "--bootloader", boot_loader)
    with Bus(simulator.bus) as bus:
        update_on_trial(bus)
        assert is_alive(bus)  # an answer is no confirmation
        simulator.control("advance 59")
        assert is_alive(bus)
        simulator.control("advance 2")
        receive_started(bus)
        assert is_alive(bus)
    old, new, back = booted(simulator)
    assert new[1] == "2.0.0"
    assert back == old


@pytest.mark.parametrize("boot_loader", ["rollback", "plain"])
@pytest.mark.parametrize("kind", ["crash@start", "hang@start", "crash@answer", "hang@answer"])
def test_a_firmware_that_fails(start: Start, kind: str, boot_loader: str) -> None:
    simulator = start(
        "--dialect", "ctrl", "--bootloader", boot_loader, "--bad-boot", f"2.0.0={kind}"
    )
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        send_image(bus, IMAGE)
        assert ask(bus, Kind.OTA_END, extension(END_ON_TRIAL)).result == 0
        if kind.endswith("@answer"):
            receive_started(bus)
            assert is_alive(bus)
        receive_started(bus)
        assert is_alive(bus)
    assert booted(simulator)[1][1] == "2.0.0"
    assert booted(simulator)[-1] == booted(simulator)[0]


@pytest.mark.parametrize("boot_loader", ["rollback", "plain"])
def test_a_firmware_that_nobody_hears(start: Start, boot_loader: str) -> None:
    simulator = start("--dialect", "ctrl", "--bootloader", boot_loader, "--bad-boot", "2.0.0=mute")
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        send_image(bus, IMAGE)
        assert ask(bus, Kind.OTA_END, extension(END_ON_TRIAL)).result == 0
        simulator.wait_boots(2)
        simulator.control("advance 61")
        receive_started(bus)
        assert is_alive(bus)
    assert booted(simulator)[-1] == booted(simulator)[0]


def test_the_en_pin_takes_the_time_away(start: Start) -> None:
    """RTC memory is off meanwhile: under a boot loader without rollback nothing is left of it."""
    simulator = start("--dialect", "ctrl", "--bootloader", "plain")
    with Bus(simulator.bus) as bus:
        update_on_trial(bus)
        simulator.control("reset")
        receive_started(bus)
        assert is_alive(bus)
        simulator.control("advance 1000")
        assert is_alive(bus)
    assert booted(simulator)[-1][1] == "2.0.0"


@pytest.mark.parametrize("boot_loader", ["rollback", "plain"])
def test_confirmed_and_then_back_on_demand(start: Start, boot_loader: str) -> None:
    simulator = start("--dialect", "ctrl", "--bootloader", boot_loader)
    with Bus(simulator.bus) as bus:
        update_on_trial(bus)
        assert code_of(ask(bus, Kind.GET_MODE, extension(CONFIRM))) == 0
        simulator.control("advance 1000")
        simulator.control("reset")
        receive_started(bus)
        assert booted(simulator)[-1][1] == "2.0.0"
        assert code_of(ask(bus, Kind.GET_MODE, extension(ROLLBACK))) == 0
        receive_started(bus)  # the restart comes by itself
        assert booted(simulator)[-1] == booted(simulator)[0]
