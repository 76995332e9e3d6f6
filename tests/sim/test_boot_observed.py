# SPDX-License-Identifier: Apache-2.0
"""The boot loader model against what real boot loaders were seen to do: every row of the table."""

from __future__ import annotations

import csv
import hashlib
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.images import for_other_chip, smallest, with_bad_checksum
from support.simulator import Simulator

DATA = Path(__file__).resolve().parents[1] / "data" / "boot" / "boot-observed.tsv"

FLASH_BYTES = 4 * 1024 * 1024
TABLE_AT = 0x8000
OTADATA_AT = 0xD000
SECTOR = 0x1000
SLOTS = {"factory": 0x10000, "ota_0": 0x110000, "ota_1": 0x210000}
SLOT_BYTES = 0x100000
STATES = {"new": 0, "pending": 1, "valid": 2, "invalid": 3, "aborted": 4}


def crc(seq: int) -> int:
    """As the chip's ROM: not the usual CRC-32, the register starts at 0."""
    return zlib.crc32(struct.pack("<I", seq), 0xFFFFFFFF)


def entry(seq: int, state: int = 0xFFFFFFFF, good: bool = True) -> bytes:
    return struct.pack("<I20sII", seq, b"\xff" * 20, state, crc(seq) ^ (0 if good else 1))


def image_of(slot: str) -> bytes:
    names = {"factory": "factoryapp", "ota_0": "slot0", "ota_1": "slot1"}
    return smallest(version="1.0", project=names[slot], code=bytes(range(256)) * 16)


@dataclass
class Flash:
    """A flash file in the making."""

    slots: dict[str, bytes] = field(default_factory=lambda: {s: image_of(s) for s in SLOTS})
    sizes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SLOTS, SLOT_BYTES))
    otadata: list[bytes] = field(default_factory=lambda: [b"", b""])
    factory_entry: bool = True
    good_md5: bool = True

    def table(self) -> bytes:
        entries = [(1, 2, 0x9000, 0x4000, "nvs"), (1, 0, OTADATA_AT, 0x2000, "otadata")]
        if self.factory_entry:
            entries.append((0, 0, SLOTS["factory"], self.sizes["factory"], "factory"))
        for number, slot in enumerate(("ota_0", "ota_1")):
            entries.append((0, 0x10 + number, SLOTS[slot], self.sizes[slot], slot))
        records = b"".join(
            struct.pack("<HBBII16sI", 0x50AA, kind, subtype, at, size, label.encode(), 0)
            for kind, subtype, at, size, label in entries
        )
        digest = bytearray(hashlib.md5(records).digest())
        digest[0] ^= 0 if self.good_md5 else 1
        return records + b"\xeb\xeb" + b"\xff" * 14 + bytes(digest)

    def write(self, path: Path) -> None:
        flash = bytearray(b"\xff" * FLASH_BYTES)
        pieces = [(TABLE_AT, self.table())]
        pieces += [(SLOTS[slot], data) for slot, data in self.slots.items()]
        pieces += [(OTADATA_AT + i * SECTOR, data) for i, data in enumerate(self.otadata)]
        for at, data in pieces:
            flash[at : at + len(data)] = data
        path.write_bytes(flash)


def take_otadata(flash: Flash, words: str) -> None:
    """ "1 / 2 bad crc", "1 valid / 2 new", "- / 2 pending"."""
    for index, half in enumerate(words.split("/")):
        match = re.fullmatch(r"\s*(-|\d\w*)(?: (\w+))?( bad crc)?\s*", half)
        assert match, f"not understood: {words!r}"
        if match[1] == "-":
            continue
        state = STATES.get(match[2], 0xFFFFFFFF)
        flash.otadata[index] = entry(int(match[1], 0), state, not half.rstrip().endswith("bad crc"))


def erase(*slots: str) -> Callable[[Flash], None]:
    def change(flash: Flash) -> None:
        for slot in slots:
            del flash.slots[slot]

    return change


def change_ota_1(change: Callable[[bytes], bytes]) -> Callable[[Flash], None]:
    def apply(flash: Flash) -> None:
        flash.slots["ota_1"] = change(flash.slots["ota_1"])

    return apply


def flip(at: int) -> Callable[[bytes], bytes]:
    return lambda image: image[:at] + bytes([image[at] ^ 1]) + image[at + 1 :]


def shrink_ota_1(flash: Flash) -> None:
    flash.sizes["ota_1"] = SECTOR
    assert len(flash.slots["ota_1"]) > SECTOR


def no_factory_entry(flash: Flash) -> None:
    flash.factory_entry = False


def wrong_md5(flash: Flash) -> None:
    flash.good_md5 = False


def both_bad(flash: Flash) -> None:
    flash.otadata = [entry(1, good=False), entry(2, good=False)]


def nothing(flash: Flash) -> None:
    pass


CHANGES: dict[str, Callable[[Flash], None]] = {
    "both otadata empty": nothing,
    "empty": nothing,
    "both bad crc": both_bad,
    "factory erased": erase("factory"),
    "no factory entry": no_factory_entry,
    "table md5 wrong": wrong_md5,
    "ota_1 slot smaller than image": shrink_ota_1,
    "ota_1 payload byte flipped": change_ota_1(flip(1000)),
    "ota_1 hash byte wrong": change_ota_1(flip(-1 % len(image_of("ota_1")))),
    "ota_1 checksum wrong, hash right": change_ota_1(with_bad_checksum),
    "ota_1 image of another chip": change_ota_1(lambda image: for_other_chip(image, 5)),
    "ota_1 half written": change_ota_1(lambda image: image[: len(image) // 2]),
    "ota_1 erased": erase("ota_1"),
    "ota_0 erased": erase("ota_0"),
    "ota_0 and ota_1 erased": erase("ota_0", "ota_1"),
    "ota_0 and factory erased": erase("ota_0", "factory"),
    "all erased": erase("factory", "ota_0", "ota_1"),
}


def build(words: str) -> Flash:
    """The flash that the row's words describe; what they do not say is as usual."""
    flash = Flash()
    rest = words
    while rest:
        known = [change for change in CHANGES if rest == change or rest.startswith(change + ", ")]
        if known:
            part = max(known, key=len)
            CHANGES[part](flash)
        else:
            part = rest.split(",")[0]
            take_otadata(flash, part.removeprefix("seq "))
        rest = rest[len(part) :].removeprefix(",").strip()
    return flash


def describe(sector: bytes) -> str:
    seq, _, state, check = struct.unpack("<I20sII", sector[:32])
    if sector[:32] == b"\xff" * 32:
        return "empty"
    names = {0: "NEW", 1: "PENDING_VERIFY", 2: "VALID", 3: "INVALID", 4: "ABORTED"}
    good = "ok" if check == crc(seq) else "bad"
    return f"seq={seq} state={names.get(state, 'UNDEFINED')} crc={good}"


def rows() -> list[dict[str, str]]:
    with DATA.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_table_is_whole() -> None:
    assert len(rows()) == 99


@pytest.mark.parametrize(
    "row", rows(), ids=lambda row: f"{row['bootloader']}: {row['flash_state']}"
)
def test_boots_as_observed(row: dict[str, str], start: Callable[..., Simulator], folder: Path):
    flash = folder / "flash.bin"
    build(row["flash_state"]).write(flash)
    before = flash.read_bytes()
    kind = "rollback" if row["bootloader"].endswith("+rollback") else "plain"
    simulator = start("--bootloader", kind)
    (boot,) = simulator.events("boot")
    assert (boot["slot"] or "none") == row["booted"]
    after = flash.read_bytes()
    sectors = [after[OTADATA_AT + i * SECTOR :][:SECTOR] for i in range(2)]
    if row["otadata_change"] == "same":
        assert after == before
    else:
        assert f"[0] {describe(sectors[0])} [1] {describe(sectors[1])}" == row["otadata_change"]
        assert after[:OTADATA_AT] == before[:OTADATA_AT]
        assert after[OTADATA_AT + 2 * SECTOR :] == before[OTADATA_AT + 2 * SECTOR :]
