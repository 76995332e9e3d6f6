# SPDX-License-Identifier: Apache-2.0
"""Bluetooth that runs over the bus of the update is to be stopped first."""

import pytest
from support.dialects import CTRL
from support.process import Result
from support.rig import UPDATERS, VERB, Rig
from support.shelf import make_image
from support.tools import BUSY, DONE, kernel

USB, UART, SDIO, SPI = 1, 3, 6, 7
UP, DOWN = 1, 0


def update(rig: Rig, tool: str, hci: str, *options: str, driver: bool = True) -> Result:
    image = rig.where(tool, make_image("FG-1.0.0.0.0", size=40000))
    shim = {"driver": "1"} if driver else {}
    return rig.tools.run(
        tool,
        *VERB[tool],
        image,
        *("--device", rig.device, "--timeout", "60", "--reboot-timeout", "0"),
        *("--dialect", "ctrl"),
        *options,
        env=kernel(rig.build, **shim, hci=hci),
    )


@pytest.mark.parametrize("bus", [SDIO, SPI], ids=["SDIO", "SPI"])
@pytest.mark.parametrize("tool", UPDATERS)
def test_an_adapter_that_is_up_stands_against_an_update(rig: Rig, tool: str, bus: int) -> None:
    rig.power_on("--stock", dialect=CTRL, proxy=False)
    result = update(rig, tool, f"{USB}:{UP},{bus}:{UP}")
    assert result.status == BUSY, result
    assert (
        f"{rig.device}: hci1 is up: stop Bluetooth first (bluetoothctl power off, or hciconfig "
        "hci1 down); nothing was erased"
    ) in result.stderr
    assert "erased; --force does not look at that\n" in result.stderr
    assert not rig.sim.events("begin")

    forced = update(rig, tool, f"{bus}:{UP}", "--force")
    assert forced.status == DONE, forced
    assert rig.sim.events("begin")


def test_what_is_down_or_of_another_bus_does_not(rig: Rig) -> None:
    rig.power_on("--stock", dialect=CTRL, proxy=False)
    result = update(rig, "test.out", f"{SDIO}:{DOWN},{SPI}:{DOWN},{UART}:{UP},{USB}:{UP}")
    assert result.status == DONE, result


def test_without_the_kernel_driver_it_is_another_chips(rig: Rig) -> None:
    """esp-hostedd has no Bluetooth."""
    rig.power_on("--stock", dialect=CTRL, proxy=False)
    result = update(rig, "test.out", f"{SDIO}:{UP}", driver=False)
    assert result.status == DONE, result
