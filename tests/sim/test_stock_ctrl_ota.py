# SPDX-License-Identifier: Apache-2.0
"""--stock --dialect ctrl: the update. Whatever goes wrong, -1 is all that is told."""

from collections.abc import Callable

import pytest
from ctrl_host import CHUNK, ask, is_alive, receive_started, send_image, update
from support import ctrl
from support.bus import Bus
from support.ctrl import Kind
from support.simulator import Simulator
from tiny_image import tiny_image

Start = Callable[..., Simulator]

STOCK = ("--stock", "--dialect", "ctrl")

FAILURE = -1
IMAGE = tiny_image("FG-1.0.5.0.0", 3 * CHUNK)


def write(data: bytes) -> tuple[Kind, bytes]:
    return Kind.OTA_WRITE, ctrl.field(1, data)


@pytest.mark.parametrize("mode", ["none", "virtual"])
def test_boots_what_it_got(start: Start, mode: str) -> None:
    simulator = start(*STOCK, "--time", mode)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        for slot, version in (("ota_0", "FG-1.0.5.0.0"), ("ota_1", "FG-1.0.6.0.0")):
            update(bus, tiny_image(version, 3 * CHUNK))
            boot = simulator.events("boot")[-1]
            assert (boot["slot"], boot["version"]) == (slot, version)
    ends = simulator.events("end")
    resets = simulator.events("reset")
    assert [end["result"] for end in ends] == [0, 0]
    assert [reset["reason"] for reset in resets] == ["software", "software"]
    assert all(5 <= reset["t"] - end["t"] < 6 for end, reset in zip(ends, resets, strict=True))


def test_begin_erases_the_whole_slot_before_it_answers(start: Start) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        send_image(bus, IMAGE)
        slot = simulator.events("begin")[0]["slot"]
        assert simulator.flash.slot(slot)[: len(IMAGE)] == IMAGE
        assert ask(bus, Kind.OTA_BEGIN).result == 0  # a second one is no error
        assert set(simulator.flash.slot(slot)) == {0xFF}


@pytest.mark.parametrize(
    "request_", [write(IMAGE[:CHUNK]), (Kind.OTA_END, b""), (Kind.OTA_END, None)]
)
def test_nothing_comes_before_begin(start: Start, request_: tuple[Kind, bytes | None]) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        assert ask(bus, *request_).result == FAILURE
        update(bus, IMAGE)


@pytest.mark.parametrize("payload", [b"", ctrl.field(1, b"")], ids=["absent", "empty"])
def test_write_of_nothing_is_refused(start: Start, payload: bytes) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        assert ask(bus, Kind.OTA_BEGIN).result == 0
        assert ask(bus, *write(IMAGE[:CHUNK])).result == 0
        assert ask(bus, Kind.OTA_WRITE, payload).result == FAILURE
        for at in range(CHUNK, len(IMAGE), CHUNK):
            assert ask(bus, *write(IMAGE[at : at + CHUNK])).result == 0
        assert ask(bus, Kind.OTA_END).result == 0


def test_first_write_must_be_an_image_s(start: Start) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        assert ask(bus, Kind.OTA_BEGIN).result == 0
        assert ask(bus, *write(b"<html>")).result == FAILURE
        assert ask(bus, Kind.OTA_END).result == FAILURE


@pytest.mark.parametrize(
    "image", [b"", IMAGE[:-1], IMAGE[:-1] + b"x"], ids=["nothing", "cut short", "damaged"]
)
def test_end_refuses_what_is_not_valid(start: Start, image: bytes) -> None:
    """The session is closed by it, the old firmware stays, and the next update works."""
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        send_image(bus, image)
        assert ask(bus, Kind.OTA_END).result == FAILURE
        assert ask(bus, Kind.OTA_END).result == FAILURE
        assert ask(bus, *write(IMAGE[:CHUNK])).result == FAILURE
        assert simulator.control("advance 60") == "ok"
        assert is_alive(bus)
        assert simulator.events("reset") == []
        update(bus, IMAGE)


def test_slot_has_an_end(start: Start) -> None:
    simulator = start(*STOCK)
    with Bus(simulator.bus) as bus:
        receive_started(bus)
        assert ask(bus, Kind.OTA_BEGIN).result == 0
        assert ask(bus, *write(IMAGE[:CHUNK])).result == 0
        left = len(simulator.flash.slot("ota_0")) - CHUNK
        while left >= CHUNK:
            assert ask(bus, *write(bytes(CHUNK))).result == 0
            left -= CHUNK
        assert ask(bus, *write(bytes(CHUNK))).result == FAILURE
