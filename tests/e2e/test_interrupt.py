# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, a polite end, and the impolite one, at any time of an update."""

import re
import signal

import pytest
from support.classic import Kind
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, LOCAL

pytestmark = pytest.mark.usefixtures("dialect")

NTH = {Kind.GET_MODE: 1, Kind.OTA_BEGIN: 1, Kind.OTA_WRITE: 3, Kind.OTA_END: 1}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
@pytest.mark.parametrize("kind", [Kind.GET_MODE, Kind.OTA_BEGIN, Kind.OTA_WRITE])
def test_interrupted_while_it_waits(rig: Rig, updater: str, kind: Kind, number: int) -> None:
    """At once, though the timeout is minutes away; and without an `end`."""
    rig.power_on()
    rig.proxy.on_answer(kind, rig.proxy.hold, NTH[kind])
    process = rig.start_update(updater, make_image("2.0.0", size=40000), timeout=600)
    rig.proxy.wait_request(kind, NTH[kind])
    process.signal(number)
    result = rig.tools.finish(process)
    assert result.status == LOCAL, result
    assert re.search(r"interrupt|stopped|cancel", result.stderr, re.IGNORECASE), result
    assert Kind.OTA_END not in rig.proxy.kinds()
    rig.check_boots(rig.old)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_interrupted_at_the_end(rig: Rig, updater: str, number: int) -> None:
    """The ESP32 has the `end` already: whatever the tool says of it must be true."""
    image = make_image("2.0.0", size=40000)
    rig.power_on()
    rig.proxy.on_answer(Kind.OTA_END, rig.proxy.hold)
    process = rig.start_update(updater, image, timeout=600)
    rig.proxy.wait_request(Kind.OTA_END)
    process.signal(number)
    rig.proxy.release_next()
    result = rig.tools.finish(process)
    assert result.status in (DONE, LOCAL), result
    assert f"{rig.old} is still in place" not in result.output
    rig.check_arrived(image)


def test_interrupted_while_the_server_stalls(rig: Rig, updater: str) -> None:
    rig.power_on()
    server = rig.serve(make_image("2.0.0", size=40000))
    process = rig.start_update(updater, server.url("stall"), timeout=600)
    rig.proxy.wait_request(Kind.OTA_WRITE, 5)
    process.signal(signal.SIGINT)
    result = rig.tools.finish(process)
    assert result.status == LOCAL, result
    assert Kind.OTA_END not in rig.proxy.kinds()
    rig.check_boots(rig.old)


def test_interrupted_while_the_server_says_nothing(rig: Rig, updater: str) -> None:
    rig.power_on()
    server = rig.serve(b"")
    process = rig.start_update(updater, server.url("stall-head"), timeout=600)
    rig.wait(lambda: server.seen, "a request to the server")
    process.signal(signal.SIGINT)
    result = rig.tools.finish(process)
    assert result.status == LOCAL, result
    assert Kind.OTA_BEGIN not in rig.proxy.kinds()
    rig.check_boots(rig.old)


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
