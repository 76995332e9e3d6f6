# SPDX-License-Identifier: Apache-2.0
"""Looks into a flash file from outside: a plain dump of the chip's flash."""

import struct
from dataclasses import dataclass
from pathlib import Path

TABLE_OFFSET = 0x8000
TABLE_BYTES = 0xC00
SECTOR = 0x1000


@dataclass(frozen=True)
class Partition:
    label: str
    type: int
    subtype: int
    offset: int
    size: int


class Flash:
    """A flash file. Nothing is kept: every call reads the file as it is now."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, offset: int = 0, size: int = -1) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(offset)
            return file.read(size)

    def write(self, offset: int, data: bytes) -> None:
        """Overwrites bytes, as a programmer with the chip out of its board would."""
        with open(self.path, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def partitions(self) -> list[Partition]:
        table = self.read(TABLE_OFFSET, TABLE_BYTES)
        found = []
        for at in range(0, TABLE_BYTES, 32):
            record = table[at : at + 32]
            if record[:2] != b"\xaa\x50":
                break
            kind, subtype, offset, size, label = struct.unpack("<BBII16s", record[2:28])
            found.append(Partition(label.rstrip(b"\0").decode(), kind, subtype, offset, size))
        return found

    def partition(self, label: str) -> Partition:
        return next(part for part in self.partitions() if part.label == label)

    def slot(self, label: str) -> bytes:
        part = self.partition(label)
        return self.read(part.offset, part.size)

    def check_slot_holds(self, label: str, image: bytes, used_before: bool = False) -> None:
        """Byte for byte: the image, and behind it nothing that somebody programmed.

        Of a slot that was used before only the sectors of the image must be so: our firmware
        erases as far as the data goes.
        """
        slot = self.slot(label)
        assert len(image) <= len(slot)
        stored = slot[: len(image)]
        if stored != image:
            at = next(i for i, (a, b) in enumerate(zip(stored, image, strict=True)) if a != b)
            raise AssertionError(f"{label}: differs from the image first at {at}")
        rest = slot[len(image) :]
        erased_to = (len(image) + SECTOR - 1) // SECTOR * SECTOR - len(image)
        behind = rest[:erased_to]
        assert behind == b"\xff" * len(behind), (
            f"{label}: bytes behind the image that are not of it"
        )
        if not used_before:
            assert rest.strip(b"\xff") == b"", f"{label}: the slot's rest is not blank"

    def changed_outside(self, before: bytes, labels: set[str]) -> list[int]:
        """Sectors that differ from an earlier dump and lie in none of these partitions."""
        now = self.read()
        assert len(now) == len(before), "the flash file changed its size"
        allowed = [part for part in self.partitions() if part.label in labels]
        return [
            at
            for at in range(0, len(now), SECTOR)
            if now[at : at + SECTOR] != before[at : at + SECTOR]
            and not any(part.offset <= at < part.offset + part.size for part in allowed)
        ]
