# SPDX-License-Identifier: Apache-2.0
"""--flash-fault: stock firmware on a flash chip with a broken place; --idf: its update calls."""

from collections.abc import Callable

import pytest
from support import classic
from support.bus import Bus
from support.classic import Kind
from support.simulator import Simulator
from tiny_image import tiny_image
from update import is_alive, send_image, update

Start = Callable[..., Simulator]

OTA_0 = 0x110000
IMAGE = tiny_image("2.0", 20000)


def write(bus: Bus, data: bytes) -> int:
    return bus.request(classic.request(Kind.OTA_WRITE, classic.field(1, data))).result


def begin(bus: Bus) -> int:
    return bus.request(classic.request(Kind.OTA_BEGIN)).result


def end(bus: Bus) -> int:
    return bus.request(classic.request(Kind.OTA_END)).result


def place(bit: int) -> int:
    """A byte of the image in its noise whose lowest bit is that."""
    return next(at for at in range(10000, len(IMAGE)) if IMAGE[at] & 1 == bit)


@pytest.mark.parametrize("stuck", [0, 1])
def test_a_stuck_bit_is_told_by_the_verification_alone(start: Start, stuck: int) -> None:
    at = place(1 - stuck)
    simulator = start("--stock", "--flash-fault", f"stuck{stuck}:{OTA_0 + at:#x}")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        send_image(bus, IMAGE)
        assert end(bus) == -1
        assert is_alive(bus)
    assert simulator.events("end")[0]["result"] == 0x1503
    assert simulator.events("misuse") == []
    expected = bytearray(IMAGE)
    expected[at] ^= 1
    assert simulator.flash.slot("ota_0")[: len(IMAGE)] == expected


@pytest.mark.parametrize("stuck", [0, 1])
def test_a_bit_that_is_stuck_where_it_should_be_hurts_nobody(start: Start, stuck: int) -> None:
    simulator = start("--stock", "--flash-fault", f"stuck{stuck}:{OTA_0 + place(stuck)}")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        update(bus, IMAGE)
        assert is_alive(bus)


def test_a_sector_that_cannot_be_erased(start: Start) -> None:
    simulator = start("--stock", "--flash-fault", f"erase-fail:{OTA_0 + 0x5001:#x}")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        assert begin(bus) == -1
        assert is_alive(bus)


def test_a_page_that_cannot_be_programmed(start: Start) -> None:
    simulator = start("--stock", "--flash-fault", f"program-fail:{OTA_0 + 5000}")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        assert begin(bus) == 0
        assert write(bus, IMAGE[:4000]) == 0
        assert write(bus, IMAGE[4000:8000]) == -1
        assert is_alive(bus)
    page = 5000 // 256 * 256
    slot = simulator.flash.slot("ota_0")
    assert slot[:page] == IMAGE[:page]
    assert slot[page:8000] == b"\xff" * (8000 - page)


def test_two_faults(start: Start) -> None:
    """The first one that is met decides."""
    faults = ("--flash-fault", "program-fail:0x111000", "--flash-fault", "program-fail:0x110000")
    simulator = start("--stock", *faults)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        assert begin(bus) == 0
        assert write(bus, IMAGE[:4000]) == -1


@pytest.mark.parametrize(("release", "second"), [("5.5", 0), ("6.0", 0), ("6.1", -1)])
def test_begin_twice(start: Start, release: str, second: int) -> None:
    """This firmware has no abort: v6.1 leaves it without updates until its next start."""
    simulator = start("--stock", "--idf", release)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        assert begin(bus) == 0
        assert write(bus, IMAGE[:4000]) == 0
        assert begin(bus) == second
        simulator.control("reset")
        bus.receive_init()
        update(bus, IMAGE)
        assert is_alive(bus)
    assert simulator.events("boot")[-1]["version"] == "2.0"
