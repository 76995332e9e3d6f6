# SPDX-License-Identifier: Apache-2.0
"""What the ESP32's slot holds already is not sent again, whatever ended the update before."""

import os
import signal

import pytest
from support.classic import Kind
from support.cut_updates import CHUNK, SECTOR, cut_off, left_to_send
from support.dialects import CLASSIC, CTRL, Dialect, Message
from support.images import DIGEST_BYTES, refresh_digest
from support.rig import Rig
from support.shelf import make_image
from support.simulator import POWER_CUT_STATUS
from support.tools import DONE, LOCAL

SIZE = 300_000  # four blocks of 64 KiB and a short one

DIALECTS = pytest.mark.parametrize("dialect", [CLASSIC, CTRL], ids=lambda dialect: dialect.name)


def update(rig: Rig, image: bytes, *options: str) -> tuple[int, int]:
    """A whole one; returns how many bytes were sent, and how many were there."""
    result = rig.update("esp-ota", image, "--json", "--force", *options)
    assert result.status == DONE, result
    told = result.told
    assert told["sent_bytes"] + told["kept_bytes"] == len(image)
    return told["sent_bytes"], told["kept_bytes"]


def check_boots(rig: Rig, image: bytes, boots: int = 2) -> None:
    booted = rig.sim.wait_boots(boots)
    rig.sim.flash.check_slot_holds(booted["slot"], image, used_before=True)


@DIALECTS
@pytest.mark.parametrize("nth", [1, 2, 17, 18, 50, 76])
def test_killed_tool(rig: Rig, dialect: Dialect, nth: int) -> None:
    rig.power_on(dialect=dialect)
    image = make_image("2.0.0", size=SIZE)
    had = cut_off(rig, image, nth, SIZE)
    sent, _kept = update(rig, image)
    assert sent == left_to_send(SIZE, had)
    check_boots(rig, image)


@DIALECTS
@pytest.mark.parametrize("operation", [1, 30, 500, 1100])
def test_power_cut(rig: Rig, dialect: Dialect, operation: int) -> None:
    """The ESP32 knows nothing of the update before but what is in its flash."""
    rig.power_on(dialect=dialect)
    rig.sim.cut_power()
    rig.sim.start("--power-cut", str(operation))
    image = make_image("2.0.0", size=SIZE)
    tool = rig.start_update("esp-ota", image, timeout=1)
    assert rig.sim.wait_end().status == POWER_CUT_STATUS
    rig.tools.finish(tool)
    had = sum(event["length"] for event in rig.sim.events("write"))
    rig.sim.start()
    sent, _kept = update(rig, image)
    # The last write may have been programmed in part, and the event of one may be lost.
    assert sent <= left_to_send(SIZE, had)
    check_boots(rig, image)


@DIALECTS
def test_same_image_again(rig: Rig, dialect: Dialect) -> None:
    """Into the slot that holds it already: nothing but questions."""
    rig.power_on(dialect=dialect)
    image = make_image("2.0.0", size=SIZE)
    wait = ("--reboot-timeout", "60")
    assert update(rig, image, *wait) == (SIZE, 0)
    update(rig, make_image("3.0.0", size=SIZE), *wait)
    assert update(rig, image, *wait) == (0, SIZE)
    check_boots(rig, image, boots=4)


def rebuilt(image: bytes, places: list[int]) -> bytes:
    """The same image, with other bytes in some places; checksum and digest are right."""
    changed = bytearray(image)
    for place in places:
        changed[place] ^= 0xFF
        changed[-DIGEST_BYTES - 1] ^= 0xFF
    return refresh_digest(changed)


@DIALECTS
def test_rebuilt_image(rig: Rig, dialect: Dialect) -> None:
    """What differs is sent, in sectors: and no sector between that is the same."""
    rig.power_on(dialect=dialect)
    image = make_image("2.0.0", size=SIZE)
    rig.cut_off(image, SIZE // CHUNK + 3, "--force")  # all of it: runs begin at each block anew
    new = rebuilt(image, [5 * SECTOR + 17, 6 * SECTOR, 40 * SECTOR + 4095])
    sent, _kept = update(rig, new)
    assert sent == 3 * SECTOR + SIZE % SECTOR  # checksum and digest are in the last sector
    check_boots(rig, new)


@DIALECTS
def test_standard_input(rig: Rig, dialect: Dialect) -> None:
    """Its length is known only at its end."""
    rig.power_on(dialect=dialect)
    image = make_image("2.0.0", size=SIZE)
    had = cut_off(rig, image, 50, SIZE)
    with open(rig.file("image.bin", image), "rb") as stdin:
        process = rig.tools.start(
            *("esp-ota", "update", "-", "--json", "--force", "--reboot-timeout", "0"),
            *("--device", rig.device, "--dialect", dialect.name),
            stdin=stdin.fileno(),
        )
    told = rig.tools.finish(process).told
    assert told["sent_bytes"] + told["kept_bytes"] == SIZE
    assert told["sent_bytes"] == left_to_send(SIZE, had)
    check_boots(rig, image)


@DIALECTS
def test_lost_answer_is_asked_for_again(rig: Rig, dialect: Dialect) -> None:
    rig.power_on(dialect=dialect)
    assert rig.proxy
    image = make_image("2.0.0", size=SIZE)
    rig.proxy.on_answer(Kind.OTA_BEGIN, rig.proxy.drop)
    rig.proxy.on_answer(Kind.OTA_WRITE, rig.proxy.drop, 3)
    rig.proxy.on_request(Kind.OTA_WRITE, rig.proxy.drop, 20)
    assert update(rig, image) == (SIZE, 0)
    check_boots(rig, image)


@DIALECTS
def test_lost_answer_to_end(rig: Rig, dialect: Dialect) -> None:
    """Asked again, or, where the ESP32 has restarted already, found out from who runs."""
    rig.power_on(dialect=dialect)
    assert rig.proxy
    image = make_image("2.0.0", size=SIZE)
    rig.proxy.on_answer(Kind.OTA_END, rig.proxy.drop)
    assert update(rig, image, "--reboot-timeout", "60") == (SIZE, 0)
    check_boots(rig, image)


@DIALECTS
def test_interrupted_update_is_aborted(rig: Rig, dialect: Dialect) -> None:
    """The ESP32 is free at once: other commands are not refused."""
    rig.power_on(dialect=dialect)
    tool = rig.start_until(make_image("2.0.0", size=SIZE), 20, "--force")
    tool.signal(signal.SIGINT)
    assert rig.tools.finish(tool).status == LOCAL
    assert rig.command("test.out", "scan").status == DONE


@DIALECTS
def test_silent_source(rig: Rig, dialect: Dialect) -> None:
    """The ESP32 ends an update after a minute of silence: the next one goes on, unseen."""
    rig.power_on("--time", "virtual", dialect=dialect)
    image = make_image("2.0.0", size=SIZE)
    there, source = os.pipe()
    process = rig.tools.start(
        *("esp-ota", "update", "-", "--json", "--reboot-timeout", "0"),
        *("--device", rig.device, "--dialect", dialect.name),
        stdin=there,
    )
    os.close(there)
    with open(source, "wb") as pipe:
        pipe.write(image[:140_000])
        pipe.flush()
        assert rig.proxy
        rig.proxy.wait_answer(Kind.OTA_WRITE, 34)
        assert rig.sim.control("advance 70") == "ok"
        pipe.write(image[140_000:])
    told = rig.tools.finish(process).told
    assert told["sent_bytes"] + told["kept_bytes"] == SIZE
    assert rig.proxy.kinds().count(Kind.OTA_BEGIN) == 2
    check_boots(rig, image)


@DIALECTS
def test_silence_before_the_end(rig: Rig, dialect: Dialect) -> None:
    """Nothing is left to send then: a new session, whose slot has all of it, is ended."""
    rig.power_on("--time", "virtual", dialect=dialect)
    image = make_image("2.0.0", size=SIZE)
    assert rig.proxy
    proxy = rig.proxy

    def late(message: Message) -> None:
        assert rig.sim.control("advance 70") == "ok"
        proxy.forward(message)

    proxy.on_request(Kind.OTA_END, late)
    result = rig.update("esp-ota", image)
    assert result.status == DONE, result
    assert (proxy.kinds().count(Kind.OTA_BEGIN), proxy.kinds().count(Kind.OTA_END)) == (2, 2)
    check_boots(rig, image)


def test_update_in_progress(rig: Rig) -> None:
    """Of a tool that was killed: for a minute nothing may disturb the update."""
    rig.power_on()
    rig.cut_off(make_image("2.0.0", size=SIZE), 20, "--force")
    result = rig.command("test.out", "scan")
    assert "the ESP32 refused scan" in result.stderr
    assert "update in progress" in result.stderr
