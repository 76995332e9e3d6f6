# SPDX-License-Identifier: Apache-2.0
"""A new firmware is on trial until the tool has found it to run; what fails goes back."""

import pytest
from support.classic import Kind
from support.dialects import CLASSIC, CTRL, Dialect, Message
from support.images import without_marker
from support.proxy import Handler
from support.rig import UPDATERS, Rig
from support.shelf import make_image
from support.tools import DONE, IMAGE, NO_ANSWER, NOT_UP, REFUSED, USAGE

NEW = "2.0.0"
SIZE = 40_000

DIALECTS = pytest.mark.parametrize("dialect", [CLASSIC, CTRL], ids=lambda dialect: dialect.name)


@DIALECTS
def test_confirmed(rig: Rig, dialect: Dialect) -> None:
    rig.power_on(dialect=dialect)
    image = make_image(NEW, size=SIZE)
    told = rig.update("esp-ota", image, "--json", reboot_timeout=60).told
    assert (told["verified"], told["confirmed"], told["version"]) == (True, True, NEW)
    booted = rig.reboot()
    assert (booted["version"], booted["state"]) == (NEW, "valid")


@pytest.mark.parametrize("updater", UPDATERS)
@pytest.mark.parametrize("fault", ["crash", "crash@start"])
def test_crash_is_rolled_back(rig: Rig, updater: str, fault: str) -> None:
    rig.power_on("--bad-boot", f"{NEW}={fault}")
    result = rig.update(updater, make_image(NEW, size=SIZE), reboot_timeout=60)
    assert result.status == NOT_UP, result
    assert f"the ESP32 runs {rig.old} instead of {NEW}: the new firmware was rolled back" in (
        result.stderr
    )
    rig.check_boots(rig.old)


def test_mute_firmware_goes_back_by_itself(rig: Rig) -> None:
    """It runs, and nobody can reach it: its own timer ends that."""
    rig.power_on("--time", "real", "--bad-boot", f"{NEW}=mute")
    result = rig.update("esp-ota", make_image(NEW, size=SIZE), "--trial", "10", reboot_timeout=40)
    assert result.status in (NOT_UP, NO_ANSWER), result
    assert rig.sim.wait_boots(3)["version"] == rig.old


@pytest.mark.parametrize("updater", UPDATERS)
def test_rolled_back_image_is_known(rig: Rig, updater: str) -> None:
    rig.power_on("--bad-boot", f"{NEW}=crash")
    image = make_image(NEW, size=SIZE)
    assert rig.update(updater, image, reboot_timeout=60).status == NOT_UP
    before = rig.sim.flash.read()
    result = rig.update(updater, image, reboot_timeout=60)
    assert result.status == IMAGE, result
    assert "this image was rolled back" in result.stderr
    assert "nothing was erased; --force tries it again" in result.stderr
    assert rig.sim.flash.read() == before
    assert rig.update(updater, image, "--force", reboot_timeout=60).status == NOT_UP
    other = make_image("3.0.0", size=SIZE)
    assert rig.update(updater, other, reboot_timeout=60).status == DONE


def test_rolled_back_image_is_known_in_any_slot(rig: Rig) -> None:
    """With a factory image and two slots the next update need not go where the bad one lies."""
    rig.power_on("--bad-boot", "3.0.0=crash")
    assert rig.update("esp-ota", make_image(NEW, size=SIZE), reboot_timeout=60).status == DONE
    bad = make_image("3.0.0", size=SIZE)
    assert rig.update("esp-ota", bad, reboot_timeout=60).status == NOT_UP
    assert rig.command("esp-ota", "rollback").status == DONE
    rig.check_boots(rig.old)
    result = rig.update("esp-ota", bad, reboot_timeout=60)
    assert result.status == IMAGE, result
    assert "this image was rolled back" in result.stderr


@pytest.mark.parametrize("updater", UPDATERS)
def test_image_that_cannot_confirm_itself(rig: Rig, updater: str) -> None:
    rig.power_on()
    image = without_marker(make_image(NEW, size=SIZE))
    result = rig.update(updater, image, reboot_timeout=60)
    assert result.status == IMAGE, result
    assert "it has no marker of ota_device" in result.stderr
    assert "--no-trial installs it without a way back" in result.stderr
    assert rig.update(updater, image, "--no-trial", reboot_timeout=60).status == DONE
    booted = rig.reboot()
    assert (booted["version"], booted["state"]) == (NEW, "valid")


@DIALECTS
def test_rollback(rig: Rig, dialect: Dialect) -> None:
    rig.power_on(dialect=dialect)
    refused = rig.command("esp-ota", "rollback")
    assert refused.status == REFUSED
    assert "there is no valid firmware to go back to (code 21)" in refused.stderr
    assert rig.update("esp-ota", make_image(NEW, size=SIZE), reboot_timeout=60).status == DONE
    other = rig.update("esp-ota", make_image("3.0.0", size=SIZE), reboot_timeout=60)
    assert other.status == DONE
    result = rig.command("esp-ota", "rollback", "--json")
    assert result.told["version"] == NEW, result
    rig.check_boots(NEW)


def drop_rollback(rig: Rig) -> None:
    """Its answer is lost, which is that to a Wi-Fi mode request."""
    proxy = rig.proxy
    assert proxy
    asked: list[bool] = []
    handle = proxy._handle

    def lose(side: str, message: Message, default: Handler) -> None:
        if message.kind is Kind.GET_MODE and side == "request":
            asked.append((message.get(100) or b"")[:1] == b"\x42")  # field 8 of Request
        if message.kind is not Kind.GET_MODE or side == "request" or not asked.pop(0):
            handle(side, message, default)

    proxy._handle = lose


@DIALECTS
def test_lost_answer_to_rollback(rig: Rig, dialect: Dialect) -> None:
    """Not asked again, which the firmware that came back would take for itself."""
    rig.power_on(dialect=dialect)
    assert rig.update("esp-ota", make_image(NEW, size=SIZE), reboot_timeout=60).status == DONE
    drop_rollback(rig)
    result = rig.command("esp-ota", "rollback", "--json")
    assert result.told == {"status": DONE, "version": rig.old}, result
    rig.check_boots(rig.old)


def test_confirm_of_another_version(rig: Rig) -> None:
    rig.power_on()
    result = rig.command("esp-ota", "confirm", "9.9.9")
    assert result.status == REFUSED
    assert "the ESP32 refused confirm: " in result.stderr
    assert "(code 20)" in result.stderr
    assert rig.command("esp-ota", "confirm", rig.old).status == DONE


@DIALECTS
def test_info_shows_slots(rig: Rig, dialect: Dialect) -> None:
    rig.power_on(dialect=dialect)
    assert rig.update("esp-ota", make_image(NEW, size=SIZE), reboot_timeout=60).status == DONE
    slots = {slot["label"]: slot for slot in rig.command("esp-ota", "info", "--json").told["slots"]}
    assert slots["ota_0"]["version"] == NEW
    assert slots["ota_0"]["state"] == "valid"
    assert slots["ota_0"]["running"]
    assert slots["ota_0"]["boots_next"]
    assert slots["ota_1"]["update_next"]


def test_boot_loader_without_rollback(rig: Rig) -> None:
    """Said by whoever has found out: the firmware that it started after an update."""
    rig.power_on("--bootloader", "plain")
    assert rig.update("esp-ota", make_image(NEW, size=SIZE), reboot_timeout=60).status == DONE
    result = rig.update("esp-ota", make_image("3.0.0", size=SIZE), "--json", reboot_timeout=60)
    assert result.told["confirmed"] is True
    assert result.told["protected"] is False
    assert "the boot loader knows no rollback" in result.stderr


@pytest.mark.parametrize("options", [("--no-trial",), ()], ids=["no trial", "no wait"])
def test_a_trial_that_nobody_would_end(rig: Rig, updater: str, options: tuple[str, ...]) -> None:
    rig.power_on()
    assert rig.proxy
    image = make_image(NEW, size=SIZE)
    wait = 60 if options else 0
    result = rig.update(updater, image, "--trial", "60", *options, reboot_timeout=wait)
    assert result.status == USAGE, result
    assert "a trial of 60 s needs a host that waits" in result.stderr
    assert Kind.OTA_BEGIN not in rig.proxy.kinds()
