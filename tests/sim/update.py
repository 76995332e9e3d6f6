# SPDX-License-Identifier: Apache-2.0
"""An update by hand, over the bus."""

from support import classic
from support.bus import Bus
from support.classic import Kind

CHUNK = 4000


def send_image(bus: Bus, image: bytes) -> None:
    """Everything up to `end`, whose answer is the caller's to look at."""
    assert bus.request(classic.request(Kind.OTA_BEGIN)).result == 0
    for at in range(0, len(image), CHUNK):
        data = classic.field(1, image[at : at + CHUNK])
        assert bus.request(classic.request(Kind.OTA_WRITE, data)).result == 0


def update(bus: Bus, image: bytes) -> None:
    """A whole one, and the restart into it."""
    send_image(bus, image)
    assert bus.request(classic.request(Kind.OTA_END)).result == 0
    bus.receive_init()


def is_alive(bus: Bus) -> bool:
    return bus.request(classic.request(Kind.GET_MODE)).result == 0
