# SPDX-License-Identifier: Apache-2.0
"""Every byte of the file arrives, and not one byte more is sent."""

import pytest
from support import ctrl
from support.classic import Kind, field, request
from support.dialects import CLASSIC
from support.rig import UPDATERS, Rig
from support.shelf import make_image, smallest_image
from support.tools import DONE

# 3984 to 4016: around the 4000 bytes of a write message. 1,048,576: the whole of a slot.
SIZES = ("smallest", 3984, 4000, 4016, 40000, 1048576)

pytestmark = pytest.mark.usefixtures("dialect")

FIRMWARE = {"own": (), "stock": ("--stock",)}


def image_of(size: str | int) -> bytes:
    return smallest_image("2.0.0") if size == "smallest" else make_image("2.0.0", size=size)


def check_update(rig: Rig, updater: str, image: bytes, where: object) -> None:
    """Updates, and looks at every byte: on the wire, in the events, in the flash."""
    before = rig.sim.flash.read()
    result = rig.update(updater, where)
    assert result.status == DONE, result

    assert rig.proxy.sent_image() == image
    writes = [len(m.image_bytes) for m in rig.proxy.requests if m.kind is Kind.OTA_WRITE]
    assert all(0 < length <= 4000 for length in writes)
    assert rig.proxy.kinds().count(Kind.OTA_BEGIN) == 1
    assert rig.proxy.kinds()[-1] is Kind.OTA_END

    booted = rig.sim.wait_boots(2)
    assert booted["version"] == "2.0.0"
    assert sum(event["length"] for event in rig.sim.events("write")) == len(image)
    rig.sim.flash.check_slot_holds(booted["slot"], image)
    assert not rig.sim.flash.changed_outside(before, {"otadata", booted["slot"]})


@pytest.mark.parametrize("firmware", FIRMWARE)
@pytest.mark.parametrize("size", SIZES)
def test_image_arrives_byte_exact(rig: Rig, updater: str, firmware: str, size: str | int) -> None:
    image = image_of(size)
    rig.power_on(*FIRMWARE[firmware])
    check_update(rig, updater, image, image)


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_a_byte_behind_the_image_is_of_the_file(rig: Rig, updater: str, firmware: str) -> None:
    """The file is sent as it is, 40001 bytes; the ESP32 ignores what follows the image."""
    file = make_image("2.0.0", size=40000) + b"\xa5"
    rig.power_on(*FIRMWARE[firmware])
    check_update(rig, updater, file, file)


@pytest.mark.parametrize("size", [4000, 1048576])
@pytest.mark.parametrize("tool", ["test.out", "esp-ota"])
def test_c_tools_take_a_url(rig: Rig, tool: str, size: int) -> None:
    image = make_image("2.0.0", size=size)
    rig.power_on()
    check_update(rig, tool, image, rig.serve(image).url("ok"))


def test_updates_take_turns_between_the_slots(rig: Rig, updater: str) -> None:
    rig.power_on()
    slots = []
    for turn, version in enumerate(("2.0.0", "2.1.0", "2.2.0"), start=2):
        image = make_image(version, size=40000)
        assert rig.update(updater, image).status == DONE
        booted = rig.sim.wait_boots(turn)
        assert booted["version"] == version
        rig.sim.flash.check_slot_holds(booted["slot"], image)
        slots.append(booted["slot"])
    assert slots == ["ota_0", "ota_1", "ota_0"]


def test_a_shorter_image_leaves_nothing_of_the_longer_one(rig: Rig) -> None:
    """The same slot a second time: what it held before is gone."""
    rig.power_on()
    for turn, (version, size) in enumerate(
        (("2.0.0", 200000), ("2.1.0", 200000), ("2.2.0", 4016)), start=2
    ):
        image = make_image(version, size=size)
        assert rig.update("test.out", image).status == DONE
        booted = rig.sim.wait_boots(turn)
        rig.sim.flash.check_slot_holds(booted["slot"], image, used_before=turn == 4)


@pytest.mark.parametrize("tool", UPDATERS)
def test_stock_firmware_hears_nothing_new(rig: Rig, tool: str) -> None:
    """It loses its control task to a message that it does not know: only upstream's own go out."""
    image = make_image("2.0.0", size=4016)
    rig.power_on("--stock")
    assert rig.update(tool, image).status == DONE
    sent = [m for m in rig.proxy.requests if m.kind is not Kind.GET_MODE]
    expected = [
        (Kind.OTA_BEGIN, None),
        (Kind.OTA_WRITE, field(1, image[:4000])),
        (Kind.OTA_WRITE, field(1, image[4000:])),
        (Kind.OTA_END, None),
    ]
    assert [m.raw for m in sent] == [
        # In ctrl a request always has its submessage: some firmware looks into it unasked.
        request(kind, payload)
        if rig.dialect is CLASSIC
        else ctrl.request(ctrl.Kind[kind.name], payload or b"", message.uid)
        for message, (kind, payload) in zip(sent, expected, strict=True)
    ]
