# SPDX-License-Identifier: Apache-2.0
"""While one tool works with the ESP32 no other gets in between."""

import re

import pytest
from support.classic import Kind
from support.rig import UPDATERS, Rig
from support.shelf import make_image
from support.tools import BUSY, DONE

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
        assert re.search(rf"\b{holder.pid}\b", second.stderr), second

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
