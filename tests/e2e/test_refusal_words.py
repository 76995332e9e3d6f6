# SPDX-License-Identifier: Apache-2.0
"""What is said of a refusal: why, what still holds, and what to do about it."""

import pytest
from support.classic import field
from support.dialects import CLASSIC, CTRL, Dialect
from support.extended_device import (
    ABORT,
    BEGIN,
    CONFIRM,
    END,
    ROLLBACK,
    WRITE,
    ExtendedDevice,
    Fields,
)
from support.process import Result
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, NO_ANSWER, NOT_UP, REFUSED

IMAGE = make_image("2.0.0", size=300_000)
NEXT = "; the selected firmware runs next: try again after the restart"

DIALECTS = pytest.mark.parametrize("dialect", [CLASSIC, CTRL], ids=lambda dialect: dialect.name)


@pytest.fixture
def device(rig: Rig) -> ExtendedDevice:
    device = ExtendedDevice(rig.folder / "esps0")
    rig.finally_close(device)
    return device


def run(rig: Rig, device: ExtendedDevice, *args: str) -> Result:
    return rig.tools.run("esp-ota", *args, "--device", device.path, "--timeout", "3", "--json")


def update(rig: Rig, device: ExtendedDevice) -> Result:
    image = str(rig.file("image.bin", IMAGE))
    return run(rig, device, "update", image, "--reboot-timeout", "10")


def refusing(code: int, **content: bytes) -> bytes:
    return field(1, code) + b"".join(field(3, text) for text in content.values())


@pytest.mark.parametrize("command", [BEGIN, WRITE, ROLLBACK])
def test_about_to_restart(rig: Rig, device: ExtendedDevice, command: int) -> None:
    """Nothing of what runs is still in place a moment later."""
    device.on[command] = lambda _content: refusing(9)
    result = run(rig, device, "rollback") if command == ROLLBACK else update(rig, device)
    assert result.status == REFUSED, result
    assert f"it is about to restart with another firmware (code 9){NEXT}" in result.told["message"]
    assert "still in place" not in result.told["message"]


@DIALECTS
def test_two_updates_in_a_row(rig: Rig, dialect: Dialect) -> None:
    """The same of the real firmware, in the five seconds after the first."""
    rig.power_on("--time", "real", dialect=dialect)
    assert rig.update("esp-ota", make_image("2.0.0", size=4016)).status == DONE
    result = rig.update("esp-ota", make_image("3.0.0", size=4016))
    assert result.status == REFUSED, result
    assert NEXT in result.stderr


@pytest.mark.parametrize("length", [80, 3000, 3900])
def test_a_long_text_leaves_room_for_the_code(
    rig: Rig, device: ExtendedDevice, length: int
) -> None:
    device.on[BEGIN] = lambda _begin: refusing(8, text=b"no " * (length // 3))
    result = update(rig, device)
    assert result.status == REFUSED, result
    assert result.told["device_code"] == 8
    assert "refused begin: no no no" in result.told["message"]
    assert "(code 8); 1.0.0 is still in place" in result.told["message"]


def test_confirm_of_another_version(rig: Rig, device: ExtendedDevice) -> None:
    device.on[CONFIRM] = lambda _content: refusing(20)
    result = run(rig, device, "confirm", "9.9.9")
    assert result.status == REFUSED, result
    assert result.told["message"].endswith("it runs another version (code 20); 1.0.0 runs")


@pytest.mark.parametrize(
    "version", [b"1.0\x1b[31m", b"1\n2", b"back\\slash", b"\xff\xfe", b"v" * 32]
)
def test_any_version_can_be_confirmed(rig: Rig, device: ExtendedDevice, version: bytes) -> None:
    """What is shown of it is not what it is."""
    device.version = version
    asked: list[int | bytes] = []

    def confirm(content: Fields) -> bytes:
        asked.append(content[1])
        return field(1, 0)

    device.on[CONFIRM] = confirm
    result = run(rig, device, "confirm")
    assert result.status == DONE, result
    assert asked == [version]
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("confirm",), "the firmware has no trial: nothing waits to be confirmed"),
        (("rollback",), "the firmware has no rollback: an update with the older image goes back"),
    ],
    ids=["confirm", "rollback"],
)
def test_stock_firmware(rig: Rig, command: tuple[str, ...], words: str) -> None:
    rig.power_on("--stock")
    result = rig.command("esp-ota", *command)
    assert result.status == REFUSED, result
    assert result.stderr.endswith(f": {words}\n")


@pytest.mark.parametrize("reply", [field(1, 0) + field(5, 0), field(1, 11), field(1, 1)])
def test_an_update_that_is_still_open_is_aborted(
    rig: Rig, device: ExtendedDevice, reply: bytes
) -> None:
    """Else the ESP32 would refuse other commands for a minute."""
    device.on[WRITE] = lambda _write: reply
    result = update(rig, device)
    assert result.status in (NO_ANSWER, REFUSED), result
    assert [what for what, _ in device.seen].count(ABORT) == 1


@pytest.mark.parametrize("code", [10, 13, 14, 15, 16])
def test_an_update_that_has_ended_is_not(rig: Rig, device: ExtendedDevice, code: int) -> None:
    device.on[WRITE] = lambda _write: refusing(code)
    assert update(rig, device).status == REFUSED
    assert ABORT not in [what for what, _ in device.seen]


@pytest.mark.parametrize(
    ("can_roll_back", "words"),
    [
        (0, "goes back by itself, unless the power fails: the boot loader knows no rollback"),
        (1, "goes back by itself"),
    ],
)
def test_who_goes_back_by_itself(
    rig: Rig, device: ExtendedDevice, can_roll_back: int, words: str
) -> None:
    device.can_roll_back = can_roll_back
    device.on[CONFIRM] = lambda _confirm: refusing(19)
    result = update(rig, device)
    assert result.status == NOT_UP, result
    assert result.told["message"].endswith(words)


@pytest.mark.parametrize(
    ("can_roll_back", "words"),
    [
        (0, " s of its start, if it starts: the boot loader knows no rollback"),
        (1, " s of its start"),
        (None, " s of its start, if it starts, or the boot loader knows rollback"),
    ],
)
def test_who_goes_back_unseen(
    rig: Rig, device: ExtendedDevice, can_roll_back: int | None, words: str
) -> None:
    """The new firmware does not answer at all."""
    device.can_roll_back = can_roll_back

    def end(_content: Fields) -> bytes:
        device.silent = True
        return field(1, 0)

    device.on[END] = end
    image = str(rig.file("image.bin", IMAGE))
    result = run(rig, device, "update", image, "--reboot-timeout", "1")
    assert result.status == NO_ANSWER, result
    assert result.told["message"].endswith(words)


def test_help_of_rollback(rig: Rig) -> None:
    result = rig.tools.run("esp-ota", "rollback", "--help")
    assert ", 6 it did not go back" in result.stdout
