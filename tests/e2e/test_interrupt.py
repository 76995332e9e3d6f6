# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, a polite end, and the impolite one, at any time of an update."""

import signal
from pathlib import Path

import pytest
from support.classic import Kind
from support.process import Process
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, LOCAL, NO_ANSWER

pytestmark = pytest.mark.usefixtures("dialect")

NTH = {Kind.GET_MODE: 1, Kind.OTA_BEGIN: 1, Kind.OTA_WRITE: 3, Kind.OTA_END: 1}


SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
IMAGE = make_image("2.0.0", size=40000)
WAIT_S = 40  # far above what it takes: reaching it is a failure


def check_interrupted(rig: Rig, process: Process, *words: str) -> None:
    """It ends by itself, says what holds, and has not sent an `end`."""
    result = rig.tools.finish(process)
    assert result.status == LOCAL, result
    assert "interrupted" in result.stderr
    for text in words:
        assert text in result.stderr
    assert Kind.OTA_END not in rig.proxy.kinds()


def check_next_update(rig: Rig, updater: str) -> None:
    """Whatever the ESP32 still answers to the one before."""
    image = make_image("3.0.0", size=40000)
    rig.proxy.release()
    rig.proxy.reset()
    result = rig.update(updater, image)
    assert result.status == DONE, result
    assert rig.proxy.sent_image() == image
    rig.check_arrived(image, used_before=True)


@SIGNALS
@pytest.mark.parametrize("kind", [Kind.GET_MODE, Kind.OTA_BEGIN, Kind.OTA_WRITE])
def test_interrupted_while_it_waits(rig: Rig, updater: str, kind: Kind, number: int) -> None:
    """At once, though the timeout is minutes away; and without an `end`."""
    rig.power_on()
    rig.proxy.on_answer(kind, rig.proxy.hold, NTH[kind])
    process = rig.start_update(updater, IMAGE, timeout=600)
    rig.proxy.wait_request(kind, NTH[kind])
    process.signal(number)
    nothing = kind is Kind.GET_MODE
    check_interrupted(
        rig, process, "nothing was erased" if nothing else f"{rig.old} is still in place"
    )
    if number == signal.SIGINT:
        rig.check_boots(rig.old)
    else:
        check_next_update(rig, updater)


def test_interrupted_while_it_finds_the_dialect_out(rig: Rig, updater: str) -> None:
    rig.detect = True
    rig.power_on()
    rig.proxy.on_request(Kind.GET_MODE, rig.proxy.mute)
    process = rig.start_update(updater, IMAGE, timeout=600)
    rig.proxy.wait_request(Kind.GET_MODE)
    process.signal(signal.SIGINT)
    check_interrupted(rig, process, "nothing was erased")
    assert Kind.OTA_BEGIN not in rig.proxy.kinds()


@SIGNALS
def test_interrupted_at_the_end(rig: Rig, updater: str, number: int) -> None:
    """The ESP32 has the `end` already: whatever the tool says of it must be true."""
    rig.power_on()
    rig.proxy.on_answer(Kind.OTA_END, rig.proxy.hold)
    process = rig.start_update(updater, IMAGE, timeout=600, reboot_timeout=WAIT_S)
    rig.proxy.wait_request(Kind.OTA_END)
    process.signal(number)
    rig.proxy.release_next()
    result = rig.tools.finish(process)
    assert result.status == LOCAL, result
    assert "interrupted; the ESP32 has selected the new firmware" in result.stderr
    assert "still in place" not in result.output
    rig.check_arrived(IMAGE)


def test_interrupted_at_an_end_without_an_answer(rig: Rig, updater: str) -> None:
    """It is waited for all the same: what it says decides what boots."""
    rig.power_on()
    rig.proxy.on_answer(Kind.OTA_END, rig.proxy.drop)
    process = rig.start_update(updater, IMAGE, timeout=1)
    rig.proxy.wait_request(Kind.OTA_END)
    process.signal(signal.SIGTERM)
    result = rig.tools.finish(process)
    assert result.status == NO_ANSWER, result
    assert "it may have selected the new firmware all the same" in result.stderr
    rig.check_arrived(IMAGE)


def test_interrupted_while_it_waits_for_the_restart(rig: Rig, updater: str) -> None:
    rig.power_on()
    rig.proxy.hold_first_question_after(Kind.OTA_END)
    process = rig.start_update(updater, IMAGE, reboot_timeout=WAIT_S)
    rig.proxy.wait_held()
    process.signal(signal.SIGTERM)
    result = rig.tools.finish(process)
    assert result.status == LOCAL, result
    assert "has selected the new firmware" in result.stderr
    rig.check_arrived(IMAGE)


def test_interrupted_while_the_server_stalls(rig: Rig, updater: str) -> None:
    rig.power_on()
    server = rig.serve(make_image("2.0.0", size=200000))
    process = rig.start_update(updater, server.url("stall"), timeout=600)
    rig.proxy.wait_request(Kind.OTA_WRITE, 5)
    process.signal(signal.SIGINT)
    check_interrupted(rig, process, f"{rig.old} is still in place")
    check_next_update(rig, updater)


def test_interrupted_while_the_server_says_nothing(rig: Rig, updater: str) -> None:
    rig.power_on()
    server = rig.serve(b"")
    process = rig.start_update(updater, server.url("stall-head"), timeout=600)
    rig.wait(lambda: server.seen, "a request to the server")
    process.signal(signal.SIGINT)
    check_interrupted(rig, process, "nothing was erased")
    assert Kind.OTA_BEGIN not in rig.proxy.kinds()
    rig.check_boots(rig.old)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name
)
def test_the_second_signal_ends_at_once(rig: Rig, updater: str, number: int) -> None:
    """Even where the first one waits for an answer."""
    rig.power_on()
    rig.proxy.on_answer(Kind.OTA_END, rig.proxy.hold)
    process = rig.start_update(updater, IMAGE, timeout=600)
    rig.proxy.wait_request(Kind.OTA_END)
    process.signal(number)
    rig.wait(lambda: not is_pending(process, number), "the first signal to arrive")
    assert process.running
    process.signal(number)
    assert rig.tools.finish(process).status == -number


def is_pending(process: Process, number: int) -> bool:
    """A second signal of a kind is lost while the first one has not arrived."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    masks = [int(line.split()[1], 16) for line in lines if line[:6] in ("SigPnd", "ShdPnd")]
    return any(mask >> (number - 1) & 1 for mask in masks)


@pytest.mark.parametrize("firmware", ["own", "stock"])
@pytest.mark.parametrize("kind", [Kind.OTA_BEGIN, Kind.OTA_WRITE])
def test_next_update_after_a_killed_tool(rig: Rig, updater: str, firmware: str, kind: Kind) -> None:
    """SIGKILL leaves an open update in the ESP32 and its answer in the queue."""
    image = make_image("2.0.0", size=40000)
    rig.power_on(*(("--stock",) if firmware == "stock" else ()))
    rig.proxy.on_answer(kind, rig.proxy.hold, NTH[kind])
    process = rig.start_update(updater, make_image("1.9.0", size=60000), timeout=600)
    rig.proxy.wait_request(kind, NTH[kind])
    process.kill()
    rig.proxy.release_next()
    rig.proxy.reset()

    result = rig.update(updater, image)
    assert result.status == DONE, result
    assert rig.proxy.sent_image() == image
    rig.check_arrived(image)


def test_killed_between_writes(rig: Rig, updater: str) -> None:
    """Without anything in between: the tool dies wherever it happens to be."""
    image = make_image("2.0.0", size=40000)
    rig.power_on(proxy=False)
    process = rig.start_update(updater, make_image("1.9.0", size=1000000), timeout=600)
    rig.sim.wait_event("write")
    process.kill()
    result = rig.update(updater, image)
    assert result.status == DONE, result
    rig.check_arrived(image, used_before=True)
