# SPDX-License-Identifier: Apache-2.0
"""After an update: what boots, when it counts as good, and what happens when it is not."""

import pytest
from support.rig import Rig
from support.shelf import make_image
from support.simulator import Event
from support.tools import DONE, NO_ANSWER

NEW = "2.0.0"


def update(rig: Rig, version: str = NEW) -> Event:
    """A whole update; returns the boot of the new firmware."""
    boots = len(rig.sim.events("boot"))
    assert rig.update("test.out", make_image(version, size=40000)).status == DONE
    return rig.sim.wait_boots(boots + 1)


def test_first_boot_is_on_probation(rig: Rig) -> None:
    rig.power_on()
    booted = update(rig)
    assert (booted["version"], booted["slot"]) == (NEW, "ota_0")
    assert booted["state"] == "pending_verify"
    assert rig.sim.events("reset")[0]["reason"]


def test_first_answer_confirms(rig: Rig) -> None:
    rig.power_on()
    update(rig)
    assert rig.command("test.out", "get_mode").status == DONE
    booted = rig.reboot()
    assert (booted["version"], booted["state"]) == (NEW, "valid")


def test_never_asked_never_confirmed(rig: Rig) -> None:
    """A reset before the first answer: the boot loader goes back, and stays there."""
    rig.power_on()
    update(rig)
    booted = rig.reboot()
    assert booted["version"] == rig.old
    rig.check_boots(rig.old)


def test_plain_boot_loader_knows_no_probation(rig: Rig) -> None:
    rig.power_on("--bootloader", "plain")
    booted = update(rig)
    assert booted["version"] == NEW
    assert rig.reboot()["version"] == NEW


def test_stock_firmware_boots_the_new_one(rig: Rig) -> None:
    rig.power_on("--stock")
    assert update(rig)["version"] == NEW
    assert rig.reboot()["version"] == NEW
    assert rig.command("test.out", "get_mac").status == DONE


@pytest.mark.parametrize("fault", ["crash", "hang"])
def test_firmware_that_resets_is_rolled_back(rig: Rig, fault: str) -> None:
    """A panic, or the watchdog of a firmware that hangs: the second boot is of the old one."""
    rig.power_on("--bad-boot", f"{NEW}={fault}")
    assert update(rig)["version"] == NEW
    assert rig.sim.wait_boots(3)["version"] == rig.old
    assert rig.command("test.out", "get_mode").status == DONE
    rig.check_boots(rig.old)


def test_mute_firmware_is_rolled_back_by_the_next_reset(rig: Rig) -> None:
    rig.power_on("--bad-boot", f"{NEW}=mute")
    assert update(rig)["version"] == NEW
    assert rig.command("test.out", "get_mode", timeout=1).status == NO_ANSWER
    rig.check_boots(rig.old)
    assert rig.command("test.out", "get_mode").status == DONE


def test_update_after_a_rollback(rig: Rig) -> None:
    rig.power_on("--bad-boot", f"{NEW}=crash")
    update(rig)
    assert rig.sim.wait_boots(3)["version"] == rig.old
    image = make_image("2.0.1", size=40000)
    assert rig.update("test.out", image).status == DONE
    booted = rig.sim.wait_boots(4)
    assert booted["version"] == "2.0.1"
    assert rig.command("test.out", "get_mode").status == DONE
    assert rig.reboot()["version"] == "2.0.1"


def test_both_ends_survive_the_reboot(rig: Rig) -> None:
    """The control device is the same one before and after; tools need not know of the reboot."""
    rig.power_on(proxy=False)
    before = rig.hostedd.control.resolve()
    update(rig)
    assert rig.hostedd.control.resolve() == before
    assert rig.command("test.out", "get_mac").status == DONE


def test_hostedd_connects_again_after_a_power_cut(rig: Rig) -> None:
    rig.power_on(proxy=False)
    before = rig.hostedd.control.resolve()
    for _ in range(3):
        rig.reboot()
        assert rig.command("test.out", "get_mac").status == DONE
    assert rig.hostedd.control.resolve() == before


def test_boot_loader_in_the_flash_file_is_kept(rig: Rig, boot_loader: bytes) -> None:
    """A dump of a real chip has a boot loader at 0x1000: nothing ever writes there."""
    sim = rig.add_simulator()
    sim.start()
    sim.stop()
    sim.flash.write(0x1000, boot_loader)
    sim.start()
    rig.old = sim.events("boot")[-1]["version"]
    rig.add_hostedd()
    before = sim.flash.read()
    update(rig)
    assert rig.command("test.out", "get_mode").status == DONE
    update(rig, "2.1.0")
    assert sim.flash.read(0x1000, len(boot_loader)) == boot_loader
    assert not sim.flash.changed_outside(before, {"otadata", "ota_0", "ota_1"})
