# SPDX-License-Identifier: Apache-2.0
"""While one tool works with the ESP32 no other gets in between."""

import os
from pathlib import Path

import pytest
from support.classic import Kind
from support.process import Process
from support.rig import UPDATERS, VERB, Rig
from support.shelf import make_image
from support.tools import BUSY, DONE, kernel

pytestmark = pytest.mark.usefixtures("dialect")


@pytest.mark.parametrize("first", UPDATERS)
def test_second_tool_is_told_who_is_first(rig: Rig, first: str) -> None:
    image = make_image("2.0.0", size=40000)
    rig.power_on()
    rig.proxy.on_answer(Kind.OTA_WRITE, rig.proxy.hold, 3)
    holder = rig.start_update(first, image)
    rig.proxy.wait_request(Kind.OTA_WRITE, 3)

    seconds = [rig.update(tool, image) for tool in UPDATERS]
    seconds.append(rig.command("test.out", "get_mode"))
    seconds.append(rig.command("station_connect.py", "net", "password"))
    for second in seconds:
        assert second.status == BUSY, second
        name = Path(f"/proc/{holder.pid}/comm").read_text().strip()
        assert f": busy: process {holder.pid} ({name}) holds it" in second.stderr, second

    rig.proxy.release_next()
    assert rig.tools.finish(holder).status == DONE
    assert rig.proxy.sent_image() == image, "somebody else's bytes came in between"
    rig.check_arrived(image)


def test_lock_ends_with_its_holder(rig: Rig) -> None:
    rig.power_on()
    rig.proxy.on_answer(Kind.OTA_BEGIN, rig.proxy.hold)
    holder = rig.start_update("test.out", make_image("2.0.0", size=40000))
    rig.proxy.wait_request(Kind.OTA_BEGIN)
    assert rig.command("test.out", "get_mode").status == BUSY
    holder.kill()
    rig.proxy.release()
    assert rig.command("test.out", "get_mode").status == DONE


def test_lock_is_by_device_not_by_name(rig: Rig) -> None:
    """Two paths to one device node are one lock."""
    rig.power_on()
    other = rig.folder / "another-name"
    other.symlink_to(rig.device.resolve())
    rig.proxy.on_answer(Kind.OTA_BEGIN, rig.proxy.hold)
    holder = rig.start_update("test.out", make_image("2.0.0", size=40000))
    rig.proxy.wait_request(Kind.OTA_BEGIN)
    assert rig.tools.run("test.out", "get_mode", "--device", other).status == BUSY
    rig.proxy.release_next()
    assert rig.tools.finish(holder).status == DONE


@pytest.mark.parametrize("tool", [*UPDATERS, "station_connect.py"])
def test_a_driver_that_takes_one_opener(rig: Rig, tool: str) -> None:
    """Upstream's: its EBUSY does not say who, and upstream's tools take no lock."""
    master, slave = os.openpty()
    device = Path(os.ttyname(slave))
    holder = Process(["sleep", "600"], rig.folder / "holder", stdin=slave)
    rig.finally_kill(holder)
    os.close(slave)
    words = ["net", "password"] if tool == "station_connect.py" else [*VERB[tool], "/nonexistent"]
    result = rig.tools.run(
        tool, *words, "--device", device, env=kernel(rig.build, driver="1", busy=str(device))
    )
    os.close(master)
    assert result.status == BUSY, result
    assert f"{device}: busy: process {holder.pid} (sleep) holds it" in result.stderr
