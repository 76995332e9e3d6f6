# SPDX-License-Identifier: Apache-2.0
"""What an ESP32 boots from a flash dump: the second opinion of the proof.

Written from what is known of ESP-IDF's boot loader (v4.3 to v6.1) and from what real ones were seen
to do, never from sim/chip: a rule that is understood wrongly in one of the two shows as a
difference. Nothing here touches a file; all functions are pure but for what they remember of
images and tables that they saw before.

    verdict = boot(dump, rollback=True)
    verdict.slot, verdict.version     # "ota_1", "2.0"; None, None: a reset loop
    dump = after(dump, verdict)       # with what the boot loader itself wrote into otadata
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import Optional, Union

Dump = Union[bytes, bytearray, memoryview]

SECTOR = 0x1000
TABLE_AT = 0x8000
TABLE_RECORDS = 96  # the first 0xC00 bytes of the sector
ENTRY_BYTES = 32

APP, DATA = 0x00, 0x01
FACTORY, OTA_0, TEST = 0x00, 0x10, 0x20  # subtypes of APP
OTADATA = 0x00  # subtype of DATA

NEW, PENDING, VALID, INVALID, ABORTED, UNDEFINED = 0, 1, 2, 3, 4, 0xFFFFFFFF
EMPTY_SEQ = 0xFFFFFFFF

MAX_SEGMENTS = 16
DESCRIPTOR_BYTES = 256
DESCRIPTOR_MAGIC = 0xABCD5432

Range = tuple[int, int]


@dataclass(frozen=True)
class Chip:
    """What the verification of an image knows of the chip that it runs on."""

    id: int
    mapped: tuple[Range, ...]  # addresses that flash is mapped to
    loaded: tuple[Range, ...]  # addresses that the boot loader copies to
    page_in_descriptor: bool = False  # the size of an MMU page is the image's choice
    segment_limit: int = 0x1000000
    revision: int = 0  # major * 100 + minor; a blank eFuse is v0.0
    block_revision: int = 0


_BIG = 0xFFFFFFFF
CHIPS = {
    "esp32": Chip(
        0,
        ((0x3F400000, 0x3F800000), (0x400D0000, 0x40400000)),
        (
            (0x3FFAE000, 0x40000000),
            (0x40080000, 0x400AA000),
            (0x400C0000, 0x400C2000),
            (0x3FF80000, 0x3FF82000),
            (0x50000000, 0x50002000),
        ),
    ),
    "esp32s2": Chip(
        2,
        ((0x3F000000, 0x3FF80000), (0x40080000, 0x40800000)),
        ((0x3FFB0000, 0x40000000), (0x40020000, 0x40070000)),
    ),
    "esp32c3": Chip(
        5,
        ((0x3C000000, 0x3C800000), (0x42000000, 0x42800000)),
        ((0x3FC80000, 0x3FCE0000), (0x4037C000, 0x403E0000), (0x50000000, 0x50002000)),
    ),
    "esp32s3": Chip(
        9,
        ((0x3C000000, 0x3E000000), (0x42000000, 0x44000000)),
        (
            (0x3FC88000, 0x3FD00000),
            (0x40370000, 0x403E0000),
            (0x600FE000, 0x60100000),
            (0x50000000, 0x50002000),
        ),
        segment_limit=_BIG,
    ),
    "esp32c6": Chip(
        13,
        ((0x42000000, 0x43000000),),
        ((0x40800000, 0x40880000), (0x50000000, 0x50004000)),
        page_in_descriptor=True,
    ),
}


@dataclass(frozen=True)
class Partition:
    label: str
    type: int
    subtype: int
    offset: int
    size: int


@dataclass(frozen=True)
class Image:
    """What is of interest in an image that the boot loader would start."""

    size: int  # with its checksum and digest
    project: str
    version: str


@dataclass(frozen=True)
class Entry:
    """One of the two sectors of otadata."""

    seq: int
    label: bytes
    state: int
    crc: int

    @classmethod
    def read(cls, dump: Dump, at: int) -> Entry:
        return cls(*struct.unpack_from("<I20sII", dump, at))

    @classmethod
    def make(cls, seq: int, state: int = UNDEFINED) -> Entry:
        return cls(seq, b"\xff" * 20, state, seq_crc(seq))

    def with_state(self, state: int) -> Entry:
        return Entry(self.seq, self.label, state, self.crc)

    def packed(self) -> bytes:
        return struct.pack("<I20sII", self.seq, self.label, self.state, self.crc)

    @property
    def crc_good(self) -> bool:
        return self.crc == seq_crc(self.seq)

    @property
    def refused(self) -> bool:
        """Never selected, whatever its CRC says."""
        return self.seq == EMPTY_SEQ or self.state in (INVALID, ABORTED)

    @property
    def valid(self) -> bool:
        return not self.refused and self.crc_good


@dataclass(frozen=True)
class Write:
    """The boot loader erases the sector at `address` and programs `data` to its start."""

    address: int
    data: bytes


@dataclass(frozen=True)
class Boot:
    slot: Optional[str]  # label of the partition; None: nothing boots, the chip resets for ever
    project: Optional[str]
    version: Optional[str]
    state: Optional[int]  # in otadata, of this slot, after the boot loader's writes; None: no entry
    writes: tuple[Write, ...]  # in their order


def seq_crc(seq: int) -> int:
    """Over the sequence number alone; the register starts at 0, unlike in the usual CRC-32."""
    return zlib.crc32(struct.pack("<I", seq), 0xFFFFFFFF)


# The partition table

_tables: dict[tuple[bytes, int], Optional[tuple[Partition, ...]]] = {}


def partitions(dump: Dump) -> Optional[tuple[Partition, ...]]:
    """In the table's order; None if the boot loader refuses the table."""
    raw = bytes(dump[TABLE_AT : TABLE_AT + TABLE_RECORDS * 32])
    key = (raw, len(dump))
    if key not in _tables:
        _tables[key] = _parse_table(raw, len(dump))
    return _tables[key]


def _parse_table(raw: bytes, chip_bytes: int) -> Optional[tuple[Partition, ...]]:
    found: list[Partition] = []
    digests = 0
    for at in range(0, len(raw) - 31, 32):
        record = raw[at : at + 32]
        if record[:2] == b"\xaa\x50":
            kind, subtype, offset, size, label = struct.unpack_from("<BBII16s", record, 2)
            if offset > chip_bytes or size > chip_bytes - offset:
                return None
            name = label.split(b"\0")[0].decode(errors="replace")
            found.append(Partition(name, kind, subtype, offset, size))
        elif record[:2] == b"\xeb\xeb":
            digests += 1
            if digests > 1 or record[16:] != hashlib.md5(raw[:at]).digest():
                return None
        elif record[:4] == b"\xff\xff\xff\xff":
            return tuple(found) if at > 0 else None
        else:
            return None
    return None  # no end marker


# Verification of an image

_images: dict[tuple[bytes, int, int, Chip], Optional[Image]] = {}


def verify(dump: Dump, part: Partition, chip: Chip) -> Optional[Image]:
    """The image that lies in the partition; None: the boot loader refuses it."""
    slot = bytes(dump[part.offset : part.offset + part.size])
    # The digest costs less than the walk through the image, and most slots were seen before.
    key = (hashlib.sha256(slot).digest(), part.size, part.offset, chip)
    if key not in _images:
        _images[key] = _verify(slot, part.offset, chip)
    return _images[key]


def _verify(slot: bytes, offset: int, chip: Chip) -> Optional[Image]:
    segments = _walk(slot, offset, chip)
    if segments is None:
        return None
    end = segments[-1][2] if segments else 24
    length = (end + 16) // 16 * 16  # there is room for the checksum, which is the last byte
    hashed = slot[23] != 0
    if length + (32 if hashed else 0) > len(slot):
        return None
    checksum = 0xEF
    for _, start, stop in segments:
        checksum ^= _xor(slot[start:stop])
    if slot[length - 1] != checksum:
        return None
    if hashed and hashlib.sha256(slot[:length]).digest() != slot[length : length + 32]:
        return None
    project, version = _names(slot)
    return Image(length + (32 if hashed else 0), project, version)


def _walk(slot: bytes, offset: int, chip: Chip) -> Optional[list[tuple[int, int, int]]]:
    """Load address, start and end in the slot of each segment."""
    if len(slot) < 24 or slot[0] != 0xE9 or not _for_chip(slot, chip):
        return None
    count = slot[1]
    if count > MAX_SEGMENTS:
        return None
    page = _page_size(slot, chip)
    if page is None:
        return None
    found = []
    at = 24
    for _ in range(count):
        if at + 8 > len(slot):
            return None
        address, size = struct.unpack_from("<II", slot, at)
        at += 8
        # One that leaves the partition is read on by the real one, and refused all the same.
        if size % 4 != 0 or size >= chip.segment_limit or at + size > len(slot):
            return None
        if not _placed_well(address, size, offset + at, page, chip):
            return None
        found.append((address, at, at + size))
        at += size
    return found


def _for_chip(slot: bytes, chip: Chip) -> bool:
    chip_id, _, low, high = struct.unpack_from("<HBHH", slot, 12)
    if chip_id != chip.id or chip.revision < low:
        return False
    if high not in (0, 0xFFFF) and chip.revision > high:
        return False
    if chip.id == 0 or len(slot) < 32 + DESCRIPTOR_BYTES:
        return True
    low, high = struct.unpack_from("<HH", slot, 32 + 176)
    if low not in (0, 0xFFFF) and chip.block_revision < low:
        return False
    return high in (0, 0xFFFF) or chip.block_revision <= high


def _page_size(slot: bytes, chip: Chip) -> Optional[int]:
    if not chip.page_in_descriptor:
        return 0x10000
    if len(slot) < 32 + DESCRIPTOR_BYTES:
        return None
    if struct.unpack_from("<I", slot, 32)[0] != DESCRIPTOR_MAGIC:
        return None
    power = slot[32 + 180]
    return 1 << power if 13 <= power <= 18 else 0x10000


def _placed_well(address: int, size: int, flash_at: int, page: int, chip: Chip) -> bool:
    if address < 0x10000000:
        return True  # padding
    if _inside(address, 0, chip.mapped):
        return flash_at % page == address % page
    return _inside(address, size, chip.loaded)


def _inside(address: int, size: int, ranges: tuple[Range, ...]) -> bool:
    return any(low <= address < high and address + size <= high for low, high in ranges)


def _xor(data: bytes) -> int:
    """Of all bytes: halves are folded onto each other, a few long operations instead of many."""
    number = int.from_bytes(data, "little")
    size = 1
    while size < len(data):
        size *= 2
    while size > 1:
        size //= 2
        number = (number >> (8 * size)) ^ (number & ((1 << (8 * size)) - 1))
    return number


def _names(slot: bytes) -> tuple[str, str]:
    """Project and version; empty where there is no descriptor."""
    if len(slot) < 32 + DESCRIPTOR_BYTES:
        return "", ""
    if struct.unpack_from("<I", slot, 32)[0] != DESCRIPTOR_MAGIC:
        return "", ""
    version, project = struct.unpack_from("<32s32s", slot, 0x30)
    return _text(project), _text(version)


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode(errors="replace")


# The choice


@dataclass(frozen=True)
class Layout:
    """The partitions that the boot loader cares for."""

    factory: Optional[Partition]
    test: Optional[Partition]
    otas: dict[int, Partition]  # by number; the rule counts them
    otadata: Optional[Partition]

    @classmethod
    def of(cls, table: tuple[Partition, ...]) -> Layout:
        apps = {part.subtype: part for part in table if part.type == APP}
        data = {part.subtype: part for part in table if part.type == DATA}
        otas = {s - OTA_0: part for s, part in apps.items() if OTA_0 <= s < OTA_0 + 16}
        return cls(apps.get(FACTORY), apps.get(TEST), otas, data.get(OTADATA))

    def entries(self, dump: Dump) -> list[Entry]:
        """None of them without otadata."""
        if self.otadata is None:
            return []
        return [Entry.read(dump, self.otadata.offset + i * SECTOR) for i in range(2)]


def layout(dump: Dump) -> Optional[Layout]:
    table = partitions(dump)
    return None if table is None else Layout.of(table)


def active(entries: list[Entry]) -> Optional[int]:
    """Which entry decides: the larger number; of equal ones the first."""
    good = [i for i in range(2) if entries[i].valid]
    return max(good, key=lambda i: (entries[i].seq, -i)) if good else None


class _Choice:
    """The boot loader's way through otadata: what it wants to boot, and what it writes."""

    def __init__(self, found: Layout, entries: list[Entry], rollback: bool) -> None:
        self.found = found
        self.entries = entries
        self.rollback = rollback
        self.writes: list[Write] = []
        self.first_ever = False  # no factory, no otadata: it notes what it booted
        self.wanted: Optional[int] = None  # number of an OTA slot; None: factory first
        if entries:
            if rollback:
                self._abort_unconfirmed()
            self._select()

    def _put(self, index: int, entry: Entry) -> None:
        assert self.found.otadata is not None
        self.entries[index] = entry
        self.writes.append(Write(self.found.otadata.offset + index * SECTOR, entry.packed()))

    def _abort_unconfirmed(self) -> None:
        for i in range(2):
            if self.entries[i].state == PENDING:  # without a look at its CRC
                self._put(i, self.entries[i].with_state(ABORTED))

    def _select(self) -> None:
        count = len(self.found.otas)
        if count == 0 or all(entry.refused for entry in self.entries):
            if self.found.factory is None:
                self.wanted = 0
                self.first_ever = all(e.seq == EMPTY_SEQ or not e.crc_good for e in self.entries)
            return
        decides = active(self.entries)
        if decides is None:
            return
        self.wanted = ((self.entries[decides].seq - 1) & 0xFFFFFFFF) % count
        if self.rollback and self.entries[decides].state == NEW:
            self._put(decides, self.entries[decides].with_state(PENDING))

    def order(self) -> list[tuple[Optional[int], Partition]]:
        """What is tried one after the other: down from what is wanted, factory, then upwards."""
        count = len(self.found.otas)
        first = -1 if self.wanted is None else self.wanted
        numbers: list[Optional[int]] = [*range(first, -1, -1), None, *range(first + 1, count)]
        tried = [(n, self.found.factory if n is None else self.found.otas.get(n)) for n in numbers]
        tried.append((None, self.found.test))
        return [(n, part) for n, part in tried if part is not None and part.size > 0]

    def booted(self, number: Optional[int]) -> None:
        if self.first_ever and number is not None:
            self._put(0, Entry.make(number + 1, VALID))

    def state_of(self, number: Optional[int]) -> Optional[int]:
        """As ESP-IDF tells the application: the first entry that means this slot."""
        if number is None:
            return None
        for entry in self.entries:
            if entry.crc_good and ((entry.seq - 1) & 0xFFFFFFFF) % len(self.found.otas) == number:
                return entry.state
        return None


_NOTHING = Boot(None, None, None, None, ())


def boot(dump: Dump, rollback: bool, chip: str = "esp32") -> Boot:
    """What boots at the next reset, and what the boot loader writes on the way."""
    found = layout(dump)
    if found is None:
        return _NOTHING
    if found.otadata is not None and found.otadata.size < 2 * SECTOR:
        return _NOTHING
    choice = _Choice(found, found.entries(dump), rollback)
    for number, part in choice.order():
        image = verify(dump, part, CHIPS[chip])
        if image is not None:
            choice.booted(number)
            state = choice.state_of(number)
            return Boot(part.label, image.project, image.version, state, tuple(choice.writes))
    return Boot(None, None, None, None, tuple(choice.writes))


def after(dump: Dump, verdict: Boot) -> bytearray:
    """The dump as the application that was booted finds it."""
    new = bytearray(dump)
    for write in verdict.writes:
        sector = write.data.ljust(SECTOR, b"\xff")
        new[write.address : write.address + SECTOR] = sector
    return new
