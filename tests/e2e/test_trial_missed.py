# SPDX-License-Identifier: Apache-2.0
"""A trial that was due and did not take place: the update is done, and it is said."""

import pytest
from support.classic import Kind
from support.dialects import CLASSIC, CTRL, Dialect, Message
from support.extended_device import BEGIN, END, ExtendedDevice, Fields
from support.images import without_marker
from support.rig import UPDATERS, Rig
from support.shelf import make_image
from support.tools import DONE

NEW = "2.0.0"
IMAGE = make_image(NEW, size=40_000)
SAID = "the trial did not take place: the new firmware runs and stays, by its first answer alone"

DIALECTS = pytest.mark.parametrize("dialect", [CLASSIC, CTRL], ids=lambda dialect: dialect.name)


def power_on(rig: Rig, *options: str, dialect: Dialect = CLASSIC) -> None:
    """An ESP32 that loses its power before it restarts, which in real time is five seconds later.

    RTC memory, where the request for the trial is, does not outlive that.
    """
    rig.power_on("--time", "real", *options, dialect=dialect)
    proxy = rig.proxy
    assert proxy

    def handler(message: Message) -> None:
        rig.sim.cut_power()
        rig.sim.start()
        proxy.deliver(message)

    proxy.on_answer(Kind.OTA_END, handler)


def state_of_running(rig: Rig) -> str:
    slots = rig.command("esp-ota", "info", "--json").told["slots"]
    return next(slot["state"] for slot in slots if slot["running"])


@DIALECTS
def test_record_lost(rig: Rig, dialect: Dialect) -> None:
    power_on(rig, dialect=dialect)
    result = rig.update("esp-ota", IMAGE, "--json", "--trial", "100", reboot_timeout=60)
    assert result.status == DONE, result
    told = result.told
    assert (told["version"], told["verified"], told["confirmed"]) == (NEW, True, True)
    assert (told["trial_missed"], told["protected"]) == (True, False)
    assert f"esp-ota: {SAID}\n" in result.stderr
    assert state_of_running(rig) == "valid"
    rig.check_boots(NEW)


@pytest.mark.parametrize("updater", UPDATERS)
def test_every_tool_says_it(rig: Rig, updater: str) -> None:
    """Also of the trial that nobody asked for, because it is the rule."""
    power_on(rig)
    result = rig.update(updater, IMAGE, reboot_timeout=60)
    assert result.status == DONE, result
    assert f"{SAID}\n" in result.stderr
    assert f"the ESP32 runs {NEW}" in result.stdout


def test_quiet(rig: Rig) -> None:
    power_on(rig)
    result = rig.update("esp-ota", IMAGE, "--quiet", reboot_timeout=60)
    assert (result.status, result.output) == (DONE, ""), result


@pytest.mark.parametrize("bootloader", ["rollback", "plain"])
def test_a_trial_that_took_place(rig: Rig, bootloader: str) -> None:
    """Nothing is said, but of the boot loader; which the new firmware knows at the first update."""
    rig.power_on("--bootloader", bootloader)
    result = rig.update("esp-ota", IMAGE, "--json", "--trial", "100", reboot_timeout=60)
    assert result.status == DONE, result
    assert result.told["trial_missed"] is False
    assert result.told["protected"] is (bootloader == "rollback")
    assert SAID not in result.stderr
    assert ("knows no rollback" in result.stderr) is (bootloader == "plain")


def test_record_lost_under_a_plain_boot_loader(rig: Rig) -> None:
    """There was no timer either: it is not said that there was."""
    power_on(rig, "--bootloader", "plain")
    result = rig.update("esp-ota", IMAGE, "--json", reboot_timeout=60)
    assert result.status == DONE, result
    assert (result.told["trial_missed"], result.told["protected"]) == (True, False)
    assert "timer" not in result.stderr


@pytest.mark.parametrize("asked", [True, False], ids=["--trial", "default"])
def test_stock_firmware(rig: Rig, asked: bool) -> None:
    """It knows no trial: who has asked for one is told so."""
    rig.power_on("--stock")
    options = ("--trial", "100") if asked else ()
    result = rig.update("esp-ota", IMAGE, "--json", *options, reboot_timeout=60)
    assert result.status == DONE, result
    assert result.told["trial_missed"] is asked
    assert (SAID in result.stderr) is asked


@pytest.mark.parametrize("asked", [True, False], ids=["--trial", "default"])
def test_image_without_a_trial(rig: Rig, asked: bool) -> None:
    """Where the boot loader would not go back, it is taken; it cannot be on trial."""
    rig.power_on("--bootloader", "plain")
    assert rig.update("esp-ota", IMAGE, reboot_timeout=60).status == DONE
    other = without_marker(make_image("3.0.0", size=40_000))
    options = ("--trial", "100") if asked else ()
    result = rig.update("esp-ota", other, "--json", *options, reboot_timeout=60)
    assert result.status == DONE, result
    assert result.told["trial_missed"] is asked


def test_an_identity_that_is_lost_midway(rig: Rig) -> None:
    """Who was told to begin can do what it said then: the trial is asked for, and takes place."""
    device = ExtendedDevice(rig.folder / "esps0")
    rig.finally_close(device)

    def begin(_content: Fields) -> bytes:
        device.features &= ~4
        return b"\x08\x00"

    def end(content: Fields) -> bytes:
        device.features |= 4
        return device.end(content)

    device.on = {BEGIN: begin, END: end}
    result = rig.tools.run(
        *("esp-ota", "update", rig.file("image.bin", IMAGE), "--device", device.path, "--json"),
        *("--timeout", "3", "--reboot-timeout", "10", "--trial", "100"),
    )
    assert result.status == DONE, result
    assert next(content[3] for what, content in device.seen if what == END) == 100
    assert (result.told["confirmed"], result.told["trial_missed"]) == (True, False)
