# SPDX-License-Identifier: Apache-2.0
"""The power fails at every single flash operation of an update, in each of three ways."""

from collections.abc import Callable

import pytest
from support.bus import Bus
from support.simulator import POWER_CUT_STATUS, Simulator
from tiny_image import tiny_image
from update import is_alive, update

Start = Callable[..., Simulator]

OLD, NEW, LATER = tiny_image("1.0"), tiny_image("2.0"), tiny_image("3.0")
UNCUT = 10_000  # more operations than there are


def bring_to_1_0(simulator: Simulator) -> bytes:
    """The state before the update: 1.0 runs and is confirmed. Returns the flash."""
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        update(bus, OLD)
        assert is_alive(bus)
    simulator.stop()
    return simulator.flash.read()


def update_until_the_cut(simulator: Simulator) -> bool:
    """An update and the new firmware's first answer; False when the power fails on the way."""
    try:
        with Bus(simulator.bus) as bus:
            bus.receive_init()
            update(bus, NEW)
            return is_alive(bus)
    except (AssertionError, OSError):
        assert simulator.wait_end().status == POWER_CUT_STATUS
        return False


@pytest.mark.parametrize("how", ["", ":torn", ":done"])
@pytest.mark.parametrize("firmware", [["--stock"], []], ids=["stock", "ours"])
def test_every_cut_leaves_something_that_boots(start: Start, firmware: list[str], how: str) -> None:
    simulator = start(*firmware)
    before = bring_to_1_0(simulator)
    booted = set()
    for cut in range(1, UNCUT):
        simulator.flash.write(0, before)
        simulator.start("--power-cut", f"{cut}{how}", wait=False)
        done = update_until_the_cut(simulator)
        if done:
            simulator.stop()
            break
        assert simulator.events("power_cut")[0]["operation"] == cut

        simulator.start()
        version = simulator.events("boot")[0]["version"]
        booted.add(version)
        assert version in ("1.0", "2.0"), f"cut {cut}{how}"
        with Bus(simulator.bus) as bus:
            bus.receive_init()
            assert is_alive(bus)
            update(bus, LATER)
            assert is_alive(bus)
        assert simulator.events("boot")[-1]["version"] == "3.0", f"cut {cut}{how}"
        simulator.stop()
    assert cut > 16, "an update takes more operations than that"
    assert "1.0" in booted
    assert how != ":done" or "2.0" in booted, "the last operation selects the new one"


def test_a_cut_before_does_nothing_and_a_cut_after_does_it(start: Start) -> None:
    simulator = start()
    simulator.stop()
    blank = simulator.flash.read()
    contents = []
    for how in ("", ":torn", ":done"):
        simulator.flash.write(0, blank)
        # The first operation erases what is erased; the second programs the first page.
        simulator.start("--power-cut", f"2{how}", wait=False)
        assert not update_until_the_cut(simulator)
        contents.append(simulator.flash.slot("ota_0")[:256])
    assert contents[0] == b"\xff" * 256
    assert contents[1][:128] == NEW[:128]
    assert contents[1][128:] == b"\xff" * 128
    assert contents[2] == NEW[:256]
