# SPDX-License-Identifier: Apache-2.0
"""A tool that is killed in the middle of an update, and what the next one has to send."""

from .classic import Kind
from .rig import Rig

WINDOW = 3  # so many writes our firmware lets be unanswered
SECTOR = 4096
BLOCK = 16 * SECTOR
CHUNK = 4000
WHOLE_BLOCK_SECTORS = 6  # a block of which so many sectors are to be sent goes whole


def writes_of(size: int) -> int:
    """Of an image of which nothing is there: each block begins with a write of its own."""
    blocks, rest = divmod(size, BLOCK)
    return blocks * -(-BLOCK // CHUNK) + -(-rest // CHUNK)


def cut_off(rig: Rig, image: bytes | str, nth: int, size: int) -> int:
    """A tool that gets no answer from the `nth` write on, and is killed when no more comes of it.

    Returns how many bytes the ESP32 has taken: of those writes too that were on their way already.
    """
    tool = rig.start_until(image, nth, "--force")
    assert rig.proxy
    rig.proxy.wait_answer(Kind.OTA_WRITE, min(nth + WINDOW - 1, writes_of(size)))
    assert tool.running, "it went on without the answers"
    tool.kill()
    rig.proxy.reset()
    return sum(event["length"] for event in rig.sim.events("write"))


def left_to_send(size: int, had: int) -> int:
    """Of an image of which the slot has the first `had` bytes."""
    if had == size:
        return 0
    block = had - had % BLOCK
    sectors = had - had % SECTOR  # one that is not there to its end is sent again
    lacking = (BLOCK - sectors % BLOCK) // SECTOR
    whole = size - block >= BLOCK and lacking >= WHOLE_BLOCK_SECTORS
    return size - (block if whole else sectors)
