# SPDX-License-Identifier: Apache-2.0
"""A firmware from the field: MicroPython for the ESP32, 1,495,344 bytes."""

import re

from support.classic import Kind
from support.rig import Rig
from support.tools import DONE, IMAGE, REFUSED

# Two slots of 1792 KiB, as upstream's table for the ESP32 has them today.
LARGE_SLOTS = """\
nvs,      data, nvs,     0x9000,   0x4000
otadata,  data, ota,     0xd000,   0x2000
phy_init, data, phy,     0xf000,   0x1000
ota_0,    app,  ota_0,   0x10000,  1792K
ota_1,    app,  ota_1,   0x1d0000, 1792K
"""


def test_it_is_what_it_should_be(micropython: bytes) -> None:
    assert len(micropython) == 1495344


def test_verify(rig: Rig, micropython: bytes) -> None:
    result = rig.tools.run("esp-ota", "verify", rig.file("micropython.bin", micropython))
    assert result.status == DONE, result


def test_refused_for_a_slot_of_one_mib(rig: Rig, updater: str, micropython: bytes) -> None:
    rig.power_on()
    before = rig.sim.flash.read()
    result = rig.update(updater, micropython)
    assert result.status == IMAGE, result
    assert re.search(r"1[,.]?495[,.]?344", result.stderr)
    assert re.search(r"1[,.]?048[,.]?576", result.stderr)
    assert Kind.OTA_BEGIN not in rig.proxy.kinds()
    assert rig.sim.flash.read() == before
    rig.check_boots(rig.old)


def test_stock_firmware_refuses_it_itself(rig: Rig, updater: str, micropython: bytes) -> None:
    rig.power_on("--stock")
    result = rig.update(updater, micropython)
    assert result.status == REFUSED, result
    assert Kind.OTA_END not in rig.proxy.kinds()
    rig.check_boots(rig.old)


def test_accepted_by_larger_slots(rig: Rig, updater: str, micropython: bytes) -> None:
    rig.power_on("--partition-table", rig.file("table.csv", LARGE_SLOTS.encode()))
    result = rig.update(updater, micropython)
    assert result.status == IMAGE, result
    assert "marker" in result.stderr  # it would not confirm itself
    assert Kind.OTA_END not in rig.proxy.kinds()
    result = rig.update(updater, micropython, "--no-trial")
    assert result.status == DONE, result
    rig.check_arrived(micropython)
