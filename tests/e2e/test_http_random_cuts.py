# SPDX-License-Identifier: Apache-2.0
"""200 downloads cut at places of chance: what is called a success is exact to the byte."""

import os
import random

import pytest
from support.cutting_relay import CuttingRelay
from support.http_faults import FaultServer
from support.nginx import Nginx
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE
from support.waiting import wait_for

IMAGE_BYTES = 40000
DOWNLOADS = 25  # of each of the eight tests
HEAD_BYTES = 1000  # more than the head of an answer has
SEED = os.environ.get("SEED", "esp-hosted-ota")  # another one: other places


class Device:
    """One ESP32 that is updated again and again, forwards and back, to two images of one size."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig.power_on(proxy=False)
        self._boots = 1

    def update(self, url: str, image: bytes) -> None:
        result = self._rig.update("esp-ota", url, "--verbose", "--force")
        assert result.status == DONE, result
        self._boots += 1
        slot = self._rig.sim.wait_boots(self._boots)["slot"]
        self._rig.sim.flash.check_slot_holds(slot, image, used_before=True)


def both_images(number: int) -> tuple[bytes, bytes]:
    """The one that does not run, if all went well, and the other one."""
    versions = ("2.0.0", "3.0.0") if number % 2 == 0 else ("3.0.0", "2.0.0")
    return tuple(make_image(version, size=IMAGE_BYTES) for version in versions)


def some_cuts(chance: random.Random, least: int) -> list[int]:
    """One to three; the first one leaves something to go on from."""
    more = [chance.randrange(IMAGE_BYTES) for _ in range(chance.randrange(3))]
    cuts = [chance.randrange(least, IMAGE_BYTES), *more]
    print(f"cuts: {cuts}")
    return cuts


@pytest.mark.parametrize("series", range(4))
def test_nginx(rig: Rig, nginx: Nginx, series: int) -> None:
    chance = random.Random(f"{SEED}/nginx/{series}")
    device = Device(rig)
    relay = CuttingRelay(nginx.port)
    rig.finally_close(relay)
    for number in range(DOWNLOADS):
        image, _ = both_images(number)
        name = f"{series}-{number}.bin"
        nginx.publish(name, image)
        location = "no-ranges" if number % 5 == 4 else "plain"
        relay.cuts = some_cuts(chance, HEAD_BYTES)
        device.update(f"http://127.0.0.1:{relay.port}/{location}/{name}", image)
        if location == "plain":
            wait_for(lambda name=name: 206 in dict(nginx.asked(name)), "a range in nginx's log")


BEHAVIOURS = (
    "ranges",
    "no-ranges",
    "no-validators",
    "weak-tag",
    "new-tag",
    "another-start",
    "another-total",
    "another-tag",
    "no-such-range",
)


def check_ranges(behaviour: str, server: FaultServer) -> None:
    """Whoever proves which image it has is asked for the rest."""
    asked = [ranges for ranges in server.ranges()[1:] if ranges is not None]
    if behaviour in ("no-validators", "weak-tag"):
        assert not asked
    else:
        assert asked


@pytest.mark.parametrize("series", range(4))
def test_a_server_that_breaks_its_word(rig: Rig, series: int) -> None:
    """Every fifth time the image has changed when the download goes on."""
    chance = random.Random(f"{SEED}/faults/{series}")
    device = Device(rig)
    for number in range(DOWNLOADS):
        image, other = both_images(number)
        behaviour = chance.choice(BEHAVIOURS)
        server = rig.serve(image)
        server.cuts = some_cuts(chance, 1)
        server.then = other if number % 5 == 4 and behaviour != "ranges" else b""
        print(f"{number}: {behaviour}, changes: {bool(server.then)}")
        device.update(server.url(behaviour), server.then or image)
        check_ranges(behaviour, server)
