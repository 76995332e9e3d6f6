# SPDX-License-Identifier: Apache-2.0
"""Images for the judge of image_rules.py, valid ones and damaged ones: every field, every length,
every place where one thing ends and the next begins."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .image_rules import CHIPS, DESCRIPTOR_BYTES, HEADER_BYTES, PAGE_AT, Chip
from .images import assemble, descriptor, refresh_digest

RAM = 0x4FFFFFFC  # no chip maps flash there
SEGMENT_0 = HEADER_BYTES  # its header
DATA_0 = 32
SEGMENT_1 = DATA_0 + DESCRIPTOR_BYTES  # of the images of base()
DATA_1 = SEGMENT_1 + 8


@dataclass(frozen=True)
class Case:
    name: str
    image: bytes


def pattern(length: int) -> bytes:
    return bytes((i * 7 + 3) & 0xFF for i in range(length))


def first(chip: Chip, *, more: int = 0, page_log2: int = 16, page: int = 0) -> tuple[int, bytes]:
    """A first segment, mapped so many bytes behind the start of the chip's first range."""
    data = bytearray(descriptor("1.2.3", "judged") + pattern(more))
    data[PAGE_AT] = page_log2
    return chip.mapped[0][0] + DATA_0 + page, bytes(data)


def base(chip: Chip, *, digest: bool = True, length: int = 16) -> bytes:
    """Two segments: one that is mapped, one in RAM."""
    segments = [first(chip), (RAM, pattern(length))]
    return assemble(segments, chip_id=chip.chip_id, digest=digest)


def changed(image: bytes, at: int, new: bytes) -> bytes:
    return image[:at] + new + image[at + len(new) :]


# Valid images of all kinds, and their lengths


def lengths(chip: Chip) -> Iterator[Case]:
    for digest in (True, False):
        for length in (0, 4, 8, 12, 16, 1000):  # the end at every place of a line that there is
            name = f"last segment of {length}, digest {digest}"
            yield Case(name, base(chip, digest=digest, length=length))
        yield Case(
            f"a descriptor alone, digest {digest}",
            assemble([first(chip)], chip_id=chip.chip_id, digest=digest),
        )
    for length in (252, 256, 260):
        segments = [(first(chip)[0], (first(chip)[1] + pattern(4))[:length])]
        yield Case(f"first segment of {length}", assemble(segments, chip_id=chip.chip_id))


def counts(chip: Chip) -> Iterator[Case]:
    for count in range(18):
        others = [(RAM if i % 2 else 0, pattern(4 * i % 36)) for i in range(1, count)]
        segments = [first(chip), *others][:count]
        yield Case(f"{count} segments", assemble(segments, chip_id=chip.chip_id))


def behind(chip: Chip) -> Iterator[Case]:
    for digest in (True, False):
        for more in (b"\x00", b"\xff" * 4096, base(chip)):
            yield Case(
                f"{len(more)} bytes behind, digest {digest}", base(chip, digest=digest) + more
            )


# Addresses


def second_at(chip: Chip, address: int, page_log2: int = 16) -> bytes:
    segments = [first(chip, page_log2=page_log2), (address, pattern(16))]
    return assemble(segments, chip_id=chip.chip_id)


def addresses(chip: Chip) -> Iterator[Case]:
    for address in (0, 4, 0x0FFFFFFC, 0x10000000, 0xFFFFFFFC, RAM):
        yield Case(f"second segment at {address:08x}", second_at(chip, address))
    for start, end in chip.mapped:
        for address in (start - 4, start, start + DATA_1 - 4, start + DATA_1, start + DATA_1 + 4):
            yield Case(f"second segment at {address:08x}", second_at(chip, address))
        for address in (end - 0x10000 + DATA_1, end - 4, end, end + DATA_1):
            yield Case(f"second segment at {address:08x}", second_at(chip, address))
        for address in (start, start + DATA_0, start + DATA_0 + 4, start - 4, end - 4, end):
            segments = [(address, first(chip)[1])]
            yield Case(f"first segment at {address:08x}", assemble(segments, chip_id=chip.chip_id))


def pages(chip: Chip) -> Iterator[Case]:
    """The page is the descriptor's where the chip can, and 8 to 256 KiB."""
    for log2 in (0, 12, 13, 14, 15, 16, 17, 18, 19, 255):
        own = 1 << log2 if 12 <= log2 <= 19 else 0x10000
        for page in (own // 2, own):
            segments = [first(chip, page_log2=log2, page=page)]
            name = f"page 2^{log2}, first segment {page:x} further"
            yield Case(name, assemble(segments, chip_id=chip.chip_id))
        address = chip.mapped[-1][0] + DATA_1 + own
        yield Case(f"page 2^{log2}, second segment {own:x} further", second_at(chip, address, log2))


# Fields


def mutate(chip: Chip, what: str, at: int, new: bytes) -> Iterator[Case]:
    """The digest is made right again, so that it is the field itself that is judged."""
    image = changed(base(chip), at, new)
    yield Case(f"{what} {new.hex()}", refresh_digest(image))


def u16(value: int) -> bytes:
    return struct.pack("<H", value)


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def chip_ids(chip: Chip) -> Iterator[Case]:
    others = [0x0001, 0x0004, 0x0006, 0x0007, 0x000A, 0x000E, 0x0011, 0x001F, 0x0021, 0xFFFF]
    for chip_id in (*others, 0x0100 | chip.chip_id, 0x8000 | chip.chip_id):
        yield from mutate(chip, "chip id", 12, u16(chip_id))
    for other in CHIPS:  # their addresses and limits count then
        yield from mutate(chip, "chip id", 12, u16(other.chip_id))


def header(chip: Chip) -> Iterator[Case]:
    """What is looked at."""
    for magic in (0x00, 0xE8, 0xEA, 0xFF):
        yield from mutate(chip, "magic", 0, bytes((magic,)))
    for count in (0, 1, 3, 16, 17, 18, 127, 255):
        yield from mutate(chip, "segment count", 1, bytes((count,)))
    for flag in (0, 2, 3, 128, 255):
        yield from mutate(chip, "digest flag", 23, bytes((flag,)))
    yield Case("checksum", refresh_digest(changed(base(chip), DATA_1 + 31, b"\x99")))
    yield Case("digest", base(chip)[:-1] + b"\x99")


def old_digests(chip: Chip) -> Iterator[Case]:
    """A changed byte that nothing but the digest tells."""
    for at in (2, 3, 4, 8, 9, 11, 14, 15, 18, 19, 22, SEGMENT_1, SEGMENT_1 + 3):
        yield Case(f"byte {at}, with the old digest", changed(base(chip), at, b"\x5a"))


def rest_of_the_header(chip: Chip) -> Iterator[Case]:
    for at, what in ((2, "spi mode"), (3, "spi speed and size"), (8, "wp pin"), (14, "min rev")):
        for value in (0, 1, 0x5A, 0xFF):
            yield from mutate(chip, what, at, bytes((value,)))
    for at in (4, 5, 6, 7, 9, 10, 11, 19, 20, 21, 22):  # entry, pins, reserved
        yield from mutate(chip, f"header byte {at}", at, b"\xff")
    for at, what in ((15, "min revision"), (17, "max revision")):
        for value in (0, 1, 99, 399, 9999, 65535):
            yield from mutate(chip, what, at, u16(value))


def segment_lengths(chip: Chip) -> Iterator[Case]:
    """A file that is cut off tells by its reason whether the length itself was possible."""
    impossible_or_cut = (0x1000000 - 4, 0x1000000, 0x1000004, 0x7FFFFFFC, 0x80000000)
    for value in (*impossible_or_cut, 0xFFFFFFF0, 0xFFFFFFFC, 0xFFFFFFFF, 0x1000001):
        yield from mutate(chip, "first length", SEGMENT_0 + 4, u32(value))
        yield from mutate(chip, "second length", SEGMENT_1 + 4, u32(value))
    for value in (0, 4, 252, 253, 255, 257, 258, 259, 260, 264, 280):
        yield from mutate(chip, "first length", SEGMENT_0 + 4, u32(value))
    for value in (0, 1, 2, 3, 4, 12, 15, 17, 18, 19, 20, 24, 28, 32, 60, 64):
        yield from mutate(chip, "second length", SEGMENT_1 + 4, u32(value))


def segment_addresses(chip: Chip) -> Iterator[Case]:
    for at, what in ((SEGMENT_0, "first"), (SEGMENT_1, "second")):
        for byte in range(4):
            for value in (0x00, 0x20, 0x3F, 0x40, 0x42, 0xFF):
                yield from mutate(chip, f"{what} address byte {byte}", at + byte, bytes((value,)))


def descriptors(chip: Chip) -> Iterator[Case]:
    """Changes that leave the checksum right: two equal bytes elsewhere are changed alike."""
    good = base(chip)
    for at in range(DESCRIPTOR_BYTES):
        if at > 8 and at % 8 and at not in (15, 47, 79, 95, 111, 143, 175, PAGE_AT, 255):
            continue  # every field, its first and last byte
        image = bytearray(good)
        image[DATA_0 + at] ^= 0x41
        if at < 8:
            yield Case(f"descriptor byte {at}", bytes(image))
        image[DATA_1] ^= 0x41
        yield Case(f"descriptor byte {at}, checksum right", bytes(image))
        yield Case(f"descriptor byte {at}, sealed", refresh_digest(image))


def ends(chip: Chip) -> Iterator[Case]:
    for digest in (True, False):
        for length in (4, 16):
            image = base(chip, digest=digest, length=length)
            end_of_segments = DATA_1 + length
            checksum_at = end_of_segments // 16 * 16 + 15
            seal = refresh_digest if digest else bytes
            for bit in range(8):
                broken = changed(image, checksum_at, bytes((image[checksum_at] ^ 1 << bit,)))
                yield Case(f"checksum bit {bit}, sealed, length {length}", seal(broken))
            for at in (end_of_segments, checksum_at - 1):  # of the padding
                padded = changed(image, at, b"\x55")
                yield Case(f"padding byte {at}, digest {digest}", padded)
                yield Case(f"padding byte {at}, digest {digest}, sealed", seal(padded))
    good = base(chip)
    for at in range(len(good) - 32, len(good)):
        yield Case(f"digest byte {at}", changed(good, at, bytes((good[at] ^ 0x80,))))


def cuts(chip: Chip) -> Iterator[Case]:
    for digest in (True, False):
        good = base(chip, digest=digest, length=20)
        line_end = len(good) - (32 if digest else 0)
        boundaries = [1, 12, 24, DATA_0, DATA_0 + 4, DATA_0 + PAGE_AT, SEGMENT_1, SEGMENT_1 + 4]
        boundaries += [DATA_1, DATA_1 + 20, line_end - 1, line_end, line_end + 16, len(good)]
        for length in sorted({b + d for b in boundaries for d in (-1, 0, 1)}):
            yield Case(f"cut at {length}, digest {digest}", good[:length])


def strangers(_chip: Chip) -> Iterator[Case]:
    yield Case("empty", b"")
    yield Case("text", b"<html>404</html>" * 40)
    yield Case("zeros", bytes(4096))
    yield Case("erased flash", b"\xff" * 4096)
    yield Case("ESP8266 image of the second kind", b"\xea\x04" + bytes(500))
    yield Case("only the magic", b"\xe9" * 600)


PER_CHIP = (lengths, counts, addresses, pages, segment_lengths, header)
ONCE = (
    behind,
    chip_ids,
    old_digests,
    rest_of_the_header,
    segment_addresses,
    descriptors,
    ends,
    cuts,
    strangers,
)


def cases(chip: Chip) -> list[Case]:
    """All of it for one chip; for the others what may differ from chip to chip."""
    makers = PER_CHIP + ONCE if chip is CHIPS[0] else PER_CHIP
    found = {case.image: case for make in makers for case in make(chip)}
    return list(found.values())
