# SPDX-License-Identifier: Apache-2.0
"""The images of the end-to-end tests, by version and size: real programs where there is a compiler.

For the other chips the same bytes stand in a valid image that no chip could run.
"""

import random
from functools import cache

from . import images

COMPILED = ("esp32", "esp32c3")


@cache
def make_image(version: str, size: int = 4016, chip: str = "esp32") -> bytes:
    """A valid image of exactly `size` bytes, which is a multiple of 16."""
    if chip in COMPILED:
        return images.program(size, chip=chip, version=version)
    head = images.descriptor(version, "network_adapter")
    # Header, digest, the segment's own header, and four bytes at least for the checksum's line.
    length = size - images.HEADER_BYTES - images.DIGEST_BYTES - images.SEGMENT_HEADER_BYTES - 4
    fill = random.Random(version).randbytes(length - len(head))
    image = images.assemble([(images.DROM[chip], head + fill)], chip_id=images.CHIP_IDS[chip])
    assert len(image) == size
    return image


def smallest_image(version: str) -> bytes:
    """Without a digest: only the checksum guards it."""
    return images.smallest(version=version, digest=False)
