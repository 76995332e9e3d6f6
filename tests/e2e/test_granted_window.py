# SPDX-License-Identifier: Apache-2.0
"""A device may grant any window: the host sends no more than it has room to answer for."""

import pytest
from support.classic import field
from support.cut_updates import writes_of
from support.extended_device import ALL_FEATURES, CAN_WINDOW, WRITE, ExtendedDevice, Fields
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, NO_ANSWER

HOST_MAX = 8  # writes that the host has out at most, whatever it may
SIZE = 150_000
NEW = make_image("2.0.0", size=SIZE)

WITH, WITHOUT = ALL_FEATURES | CAN_WINDOW, ALL_FEATURES

# What the device says, with or without the feature, and what comes of it.
GRANTS = pytest.mark.parametrize(
    ("features", "window", "writes"),
    [
        (WITH, None, 1),
        (WITH, 0, 1),
        (WITH, 1, 1),
        (WITH, 2, 2),
        (WITH, HOST_MAX, HOST_MAX),
        (WITH, 16, HOST_MAX),
        (WITH, 4_000_000_000, HOST_MAX),
        (WITH, (1 << 32) - 1, HOST_MAX),
        (WITHOUT, 3, 1),
    ],
)


def granting(rig: Rig, features: int, window: int | None) -> ExtendedDevice:
    device = ExtendedDevice(rig.folder / "esps0")
    rig.finally_close(device)
    device.features, device.window = features, window
    return device


def update(rig: Rig, device: ExtendedDevice, *options: str) -> tuple[str, ...]:
    path = rig.file("image.bin", NEW)
    return ("esp-ota", "update", path, "--device", device.path, "--reboot-timeout", "0", *options)


@GRANTS
def test_unanswered(rig: Rig, features: int, window: int | None, writes: int) -> None:
    """The third write is the last one with an answer, and then the tool gives up."""
    device = granting(rig, features, window)
    count = 0

    def write(content: Fields) -> bytes:
        nonlocal count
        count += 1
        device.silent = count == 3
        return field(1, 0)

    device.on[WRITE] = write
    result = rig.tools.run(*update(rig, device, "--timeout", "2"))
    assert result.status == NO_ANSWER, result
    sent = [len(m.image_bytes) for m in device.requests if m.image_bytes]
    assert len(sent) == 3 + writes
    assert max(sent) <= 4000


@GRANTS
def test_whole_update(rig: Rig, features: int, window: int | None, writes: int) -> None:
    device = granting(rig, features, window)
    result = rig.tools.run(*update(rig, device, "--timeout", "10"))
    assert result.status == DONE, result
    assert bytes(device.flash[:SIZE]) == NEW
    assert [what for what, _ in device.seen].count(WRITE) == writes_of(SIZE)
