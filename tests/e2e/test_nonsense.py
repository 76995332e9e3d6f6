# SPDX-License-Identifier: Apache-2.0
"""A device that answers the extension with what no firmware would say."""

import pytest
from support.classic import field
from support.extended_device import BEGIN, CONFIRM, DIGESTS, WRITE, ExtendedDevice, Fields
from support.process import Result
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, NO_ANSWER, NOT_UP, REFUSED

IMAGE = make_image("2.0.0", size=300_000)
DONE_CODE = field(1, 0)


@pytest.fixture
def device(rig: Rig) -> ExtendedDevice:
    device = ExtendedDevice(rig.folder / "esps0")
    rig.finally_close(device)
    return device


def update(rig: Rig, device: ExtendedDevice) -> Result:
    return rig.tools.run(
        *("esp-ota", "update", rig.file("image.bin", IMAGE), "--device", device.path),
        *("--timeout", "3", "--reboot-timeout", "10", "--json"),
    )


def test_taken(rig: Rig, device: ExtendedDevice) -> None:
    assert update(rig, device).told["confirmed"] is True
    assert device.flash[: len(IMAGE)] == IMAGE
    assert device.sent == len(IMAGE)


@pytest.mark.parametrize("wanted", [0, 1, 65536, 300_000, 0xFFFFFFFF])
def test_always_wants_the_same(rig: Rig, device: ExtendedDevice, wanted: int) -> None:
    device.on[WRITE] = lambda _write: DONE_CODE + field(5, wanted)
    result = update(rig, device)
    assert result.status == NO_ANSWER, result
    assert "does not say what it wants; 1.0.0 is still in place" in result.told["message"]


def test_goes_back_again_and_again(rig: Rig, device: ExtendedDevice) -> None:
    """Every second answer is a step ahead: that must not count as an update that goes on."""
    ahead = [False]

    def write(content: Fields) -> bytes:
        ahead[0] = not ahead[0]
        at = int(content.get(1, 0))
        return DONE_CODE + field(5, at + 4000 if ahead[0] else at - at % 65536)

    device.on[WRITE] = write
    result = update(rig, device)
    assert result.status == NO_ANSWER, result
    assert "does not say what it wants" in result.told["message"]
    assert device.sent < len(IMAGE)


@pytest.mark.parametrize("digests", [b"", bytes(31), bytes(32 * 200)], ids=len)
def test_digests_of_nothing(rig: Rig, device: ExtendedDevice, digests: bytes) -> None:
    device.on[DIGESTS] = lambda _digests: DONE_CODE + field(7, digests)
    assert update(rig, device).status in (DONE, NO_ANSWER)
    assert device.sent in (0, len(IMAGE))


def test_words_that_move_the_cursor(rig: Rig, device: ExtendedDevice) -> None:
    device.on[BEGIN] = lambda _begin: field(1, 8) + field(3, b"\x1b[2J\r\nno")
    result = update(rig, device)
    assert result.status == REFUSED
    assert r"refused begin: \x1b[2J\x0d\x0ano (code 8)" in result.told["message"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (20, "the new firmware has answered, and was rolled back then"),
        (99, "the new firmware runs, but is not confirmed: it goes back by itself"),
    ],
)
def test_confirm_refused(rig: Rig, device: ExtendedDevice, code: int, words: str) -> None:
    device.on[CONFIRM] = lambda _confirm: field(1, code)
    result = update(rig, device)
    assert result.status == NOT_UP, result
    assert words in result.told["message"]


def test_confirm_without_answer(rig: Rig, device: ExtendedDevice) -> None:
    """It may have been taken: nobody must be told that the new firmware goes back."""
    device.on[CONFIRM] = lambda _confirm: b""
    result = update(rig, device)
    assert result.status == NOT_UP, result
    assert "whether it is confirmed is not known" in result.told["message"]
