# SPDX-License-Identifier: Apache-2.0
"""Flash contents that cases of the proof begin with: slots, and what was in them before."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from boot_model import SECTOR, TABLE_AT, UNDEFINED, VALID, Entry
from support.images import program

OTADATA_AT = 0xD000
FIRST_AT = 0x10000  # of the slots


@dataclass(frozen=True)
class Scene:
    """The old firmware runs from ota_0; the slot beside it holds a still older one, to its end.

    Or it runs from a factory partition, nothing was ever updated, and the older one is in ota_0.
    """

    slot_bytes: int
    image_bytes: int  # of the images that updates bring
    factory: bool = False

    @property
    def slots(self) -> dict[str, int]:
        """Where they lie."""
        labels = [*(["factory"] if self.factory else []), "ota_0", "ota_1"]
        return {label: FIRST_AT + i * self.slot_bytes for i, label in enumerate(labels)}

    @property
    def flash_bytes(self) -> int:
        return FIRST_AT + len(self.slots) * self.slot_bytes

    def image(self, version: str, size: int | None = None) -> bytes:
        return program(size or self.image_bytes, version=version, marker=True)

    @property
    def old(self) -> bytes:
        return self.image(OLD, max(16384, self.slot_bytes // 4))

    def flash(self, *, rollback: bool) -> bytes:
        state = VALID if rollback else UNDEFINED
        flash = bytearray(b"\xff" * self.flash_bytes)
        old, older, *_ = self.slots.values()
        _put(flash, TABLE_AT, _table(self))
        if not self.factory:
            _put(flash, OTADATA_AT, Entry.make(3, state).packed())
            _put(flash, OTADATA_AT + SECTOR, Entry.make(2, state).packed())
        _put(flash, old, self.old)
        _put(flash, older, self.image(OLDER, self.slot_bytes))
        return bytes(flash)


OLDER, OLD, NEW, NEXT, FOURTH = "0.9.0", "1.0.0", "2.0.0", "3.0.0", "4.0.0"


def _put(flash: bytearray, at: int, data: bytes) -> None:
    flash[at : at + len(data)] = data


def _table(scene: Scene) -> bytes:
    subtypes = {"factory": 0, "ota_0": 0x10, "ota_1": 0x11}
    rows = [
        (1, 2, 0x9000, 0x4000, b"nvs"),
        (1, 0, OTADATA_AT, 0x2000, b"otadata"),
        (1, 1, 0xF000, 0x1000, b"phy_init"),
    ]
    rows += [
        (0, subtypes[label], at, scene.slot_bytes, label.encode())
        for label, at in scene.slots.items()
    ]
    table = b"".join(b"\xaa\x50" + struct.pack("<BBII16sI", *row, 0) for row in rows)
    return table + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest()
