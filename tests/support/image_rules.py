# SPDX-License-Identifier: Apache-2.0
"""The rules of an application image, read from ESP-IDF's verification (v5.5) and written down a
second time: a judge of images that shares nothing with the reader under test.

It is stricter than the chip in what nobody can use: an image needs a segment and a descriptor, and
its digest flag is 0 or 1 (as esptool has it; ESP-IDF takes any other for 1).
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

HEADER_BYTES = 24
SEGMENT_HEADER_BYTES = 8
DESCRIPTOR_BYTES = 256
DESCRIPTOR_MAGIC = 0xABCD5432
PAGE_AT = 180  # of the descriptor: log2 of the MMU's page
DIGEST_BYTES = 32
LINE = 16  # the checksum ends one
MAX_SEGMENTS = 16
SEED = 0xEF
MIB_16 = 0x1000000
DEFAULT_PAGE = 0x10000


@dataclass(frozen=True)
class Chip:
    name: str  # as people write it
    chip_id: int
    mapped: tuple[tuple[int, int], ...]  # from flash through the MMU; the end is behind the range
    own_page: bool = False  # the descriptor may say another page than 64 KiB
    long_segments: bool = False  # the 16 MiB limit is not this chip's

    @property
    def token(self) -> str:
        """As tools write it."""
        return self.name.lower().replace("-", "")


CHIPS = (
    Chip("ESP32", 0x0000, ((0x3F400000, 0x3F800000), (0x400D0000, 0x40400000))),
    Chip("ESP32-S2", 0x0002, ((0x3F000000, 0x3FF80000), (0x40080000, 0x40800000))),
    Chip("ESP32-C3", 0x0005, ((0x3C000000, 0x3C800000), (0x42000000, 0x42800000))),
    Chip(
        "ESP32-S3",
        0x0009,
        ((0x3C000000, 0x3E000000), (0x42000000, 0x44000000)),
        long_segments=True,
    ),
    Chip("ESP32-C2", 0x000C, ((0x3C000000, 0x3C400000), (0x42000000, 0x42400000)), own_page=True),
    Chip("ESP32-C6", 0x000D, ((0x42000000, 0x43000000),), own_page=True),
    Chip("ESP32-H2", 0x0010, ((0x42000000, 0x43000000),), own_page=True),
    Chip(
        "ESP32-P4",
        0x0012,
        ((0x40000000, 0x44000000), (0x48000000, 0x4C000000)),
        long_segments=True,
    ),
    Chip("ESP32-C61", 0x0014, ((0x42000000, 0x44000000),), own_page=True, long_segments=True),
    Chip("ESP32-C5", 0x0017, ((0x42000000, 0x44000000),), long_segments=True),
    Chip("ESP32-H21", 0x0019, ((0x42000000, 0x43000000),), own_page=True),
    Chip("ESP32-H4", 0x001C, ((0x42000000, 0x44000000),), own_page=True, long_segments=True),
    Chip(
        "ESP32-S31",
        0x0020,
        ((0x40000000, 0x44000000), (0x50000000, 0x54000000)),
        own_page=True,
        long_segments=True,
    ),
)
BY_ID = {chip.chip_id: chip for chip in CHIPS}


@dataclass(frozen=True)
class Verdict:
    """`reasons` is empty for a valid image; of several at one place each is a good answer."""

    reasons: frozenset[str]
    image_bytes: int = 0

    @property
    def valid(self) -> bool:
        return not self.reasons


def bad(*reasons: str) -> Verdict:
    return Verdict(frozenset(reasons))


def lies_in_pages(chip: Chip, page: int, address: int, offset: int) -> bool:
    """A mapped segment lies at the same place of an MMU page in flash and in the address space."""
    mapped = any(start <= address < end for start, end in chip.mapped)
    return not mapped or offset % page == address % page


def length_is_possible(chip: Chip, length: int) -> bool:
    limit = 0xFFFFFFFF if chip.long_segments else MIB_16
    return length % 4 == 0 and length < limit


def page_of(chip: Chip, descriptor: bytes) -> int:
    if chip.own_page and 13 <= descriptor[PAGE_AT] <= 18:  # 8 KiB to 256 KiB
        return 1 << descriptor[PAGE_AT]
    return DEFAULT_PAGE


def judge_header(image: bytes) -> Verdict | None:
    """None if there is nothing against it."""
    if not image:
        return bad("empty")
    if image[0] != 0xE9:
        return bad("magic")
    if len(image) < HEADER_BYTES:
        return bad("truncated")
    chip_id = struct.unpack_from("<H", image, 12)[0]
    reasons = set()
    if chip_id not in BY_ID:
        reasons.add("chip")
    if image[1] == 0:
        reasons.add("no segment")
    if image[1] > MAX_SEGMENTS:
        reasons.add("too many segments")
    if image[23] > 1:
        reasons.add("digest flag")
    return bad(*reasons) if reasons else None


def judge_first_segment(image: bytes, chip: Chip, address: int, at: int) -> Verdict | int:
    """The size of an MMU page, if there is nothing against its descriptor."""
    descriptor = image[at : at + DESCRIPTOR_BYTES]
    if len(descriptor) < DESCRIPTOR_BYTES:
        return bad("truncated")
    if struct.unpack_from("<I", descriptor)[0] != DESCRIPTOR_MAGIC:
        return bad("descriptor")
    page = page_of(chip, descriptor)
    return page if lies_in_pages(chip, page, address, at) else bad("address")


def judge_end(image: bytes, end_of_segments: int, checksum: int) -> Verdict:
    line_end = (end_of_segments + 1 + LINE - 1) // LINE * LINE
    if len(image) < line_end:
        return bad("truncated")
    if image[line_end - 1] != checksum:
        return bad("checksum")
    if image[23] == 0:
        return Verdict(frozenset(), line_end)
    digest = image[line_end : line_end + DIGEST_BYTES]
    if len(digest) < DIGEST_BYTES:
        return bad("truncated")
    if digest != hashlib.sha256(image[:line_end]).digest():
        return bad("digest")
    return Verdict(frozenset(), line_end + DIGEST_BYTES)


def judge(image: bytes) -> Verdict:
    """What is to be said of a file; of its faults, those that come first in it."""
    refused = judge_header(image)
    if refused is not None:
        return refused
    chip = BY_ID[struct.unpack_from("<H", image, 12)[0]]
    at = HEADER_BYTES
    page = DEFAULT_PAGE
    checksum = SEED
    for number in range(image[1]):
        if len(image) < at + SEGMENT_HEADER_BYTES:
            return bad("truncated")
        address, length = struct.unpack_from("<II", image, at)
        at += SEGMENT_HEADER_BYTES
        reasons = set()
        if not length_is_possible(chip, length):
            reasons.add("length")
        if number == 0 and length < DESCRIPTOR_BYTES:
            reasons.add("descriptor")
        if number > 0 and not lies_in_pages(chip, page, address, at):
            reasons.add("address")
        if reasons:
            return bad(*reasons)
        if number == 0:
            found = judge_first_segment(image, chip, address, at)
            if isinstance(found, Verdict):
                return found
            page = found
        data = image[at : at + length]
        if len(data) < length:
            return bad("truncated")
        for byte in data:
            checksum ^= byte
        at += length
    return judge_end(image, at, checksum)
