# SPDX-License-Identifier: Apache-2.0
"""The power fails at a flash operation: what boots then is whole, and the next update works.

The simulator's own tests cut at every operation; here the real tools and the driver take part.
"""

import pytest
from support.rig import UPDATERS, Rig
from support.shelf import make_image
from support.simulator import POWER_CUT_STATUS
from support.tools import DONE, NO_ANSWER

IMAGE_BYTES = 16384  # few operations: the last ones, which select the slot, are the risky ones
DENSE_FROM = 60  # about here the image is written


def update_and_confirm(rig: Rig, image: bytes) -> bool:
    """An update and the first answer of the new firmware; False when the power fails on the way."""
    process = rig.start_update("test.out", image)
    rig.wait(lambda: not (process.running and rig.sim.running), "the tool or the power to end")
    if not rig.sim.running:
        process.kill()
        return False
    assert rig.tools.finish(process).status == DONE
    rig.wait(lambda: len(rig.sim.events("boot")) == 2 or not rig.sim.running, "the new firmware")
    if rig.sim.running:
        process = rig.tools.start("test.out", "get_mode", "--device", rig.device)
        rig.wait(lambda: not (process.running and rig.sim.running), "an answer or no power")
        process.kill()
    return rig.sim.running


def check_recovers(rig: Rig, new: bytes, cut: str) -> None:
    """The power is back: something whole boots, and takes the next update."""
    rig.sim.start()
    booted = rig.sim.events("boot")[-1]
    assert booted["version"] in (rig.old, "2.0.0"), (cut, booted)
    if booted["version"] == "2.0.0":
        rig.sim.flash.check_slot_holds(booted["slot"], new)
    result = rig.update("test.out", make_image("3.0.0", size=IMAGE_BYTES))
    assert result.status == DONE, (cut, result)
    assert rig.sim.wait_boots(2)["version"] == "3.0.0", cut


@pytest.mark.parametrize("how", ["", ":torn", ":done"], ids=("not-done", "torn", "done"))
@pytest.mark.parametrize("firmware", ["own", "stock"])
def test_power_cut(rig: Rig, firmware: str, how: str) -> None:
    """At every fifth operation of the image, and at each of the last ones."""
    rig.power_on(*(("--stock",) if firmware == "stock" else ()), proxy=False)
    new = make_image("2.0.0", size=IMAGE_BYTES)
    fresh = rig.sim.flash.read()
    cut, cuts = 1, 0
    while True:
        rig.sim.cut_power()
        rig.sim.flash.path.write_bytes(fresh)
        rig.sim.start("--power-cut", f"{cut}{how}")
        if update_and_confirm(rig, new):
            break
        assert rig.sim.wait_end().status == POWER_CUT_STATUS
        assert rig.sim.events("power_cut")[-1]["operation"] == cut
        check_recovers(rig, new, f"{cut}{how}")
        cuts += 1
        cut += 5 if cut < DENSE_FROM else 1
    assert cuts >= DENSE_FROM // 5, "the update took fewer operations than an image has pages"


@pytest.mark.parametrize("updater", UPDATERS)
def test_tool_says_that_the_link_is_lost(rig: Rig, updater: str) -> None:
    rig.power_on("--power-cut", "20")
    result = rig.update(updater, make_image("2.0.0", size=IMAGE_BYTES), timeout=1)
    assert result.status == NO_ANSWER, result
    assert rig.sim.wait_end().status == POWER_CUT_STATUS
