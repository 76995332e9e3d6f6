# SPDX-License-Identifier: Apache-2.0
"""The least time that an update can take: max(flash, bus), from the image and the slot alone.

Written from the datasheets and from ESP-IDF's driver, not from the simulator.
"""

from __future__ import annotations

from dataclasses import dataclass

COMMAND, PAGE, SECTOR, BLOCK = 64, 256, 4096, 65536
CHUNK = 4000

# ESP-IDF's driver: a command of 64 bytes out and the looks at the status around it; the status is
# polled every 22 us; a read of 64 bytes. At 40 MHz over one line out and two lines in.
PROGRAM_S, READ_S, POLL_S = 20e-6, 9e-6, 22e-6
HASH_BYTES_PER_S = 8e6  # the accelerator of an ESP32


@dataclass(frozen=True)
class FlashChip:
    """Times of a datasheet, in seconds."""

    first_byte: float
    further_byte: float
    sector: float
    block: float


FLASH = {
    "w25q32jv": FlashChip(30e-6, 2.5e-6, 45e-3, 150e-3),
    "w25q32jv:max": FlashChip(50e-6, 12e-6, 400e-3, 2000e-3),
    "gd25q32c": FlashChip(30e-6, 2.5e-6, 50e-3, 250e-3),
    "gd25q32c:max": FlashChip(50e-6, 12e-6, 400e-3, 1200e-3),
}


def _polled(seconds: float) -> float:
    return -(-round(seconds * 1e9) // round(POLL_S * 1e9)) * POLL_S


def _command(chip: FlashChip, size: int) -> float:
    return PROGRAM_S + _polled(chip.first_byte + (size - 1) * chip.further_byte)


def program_s(chip: FlashChip, data: bytes) -> float:
    """Without the pages that are erased anyway."""
    pages = (data[at : at + PAGE] for at in range(0, len(data), PAGE))
    return sum(
        _command(chip, len(page[at : at + COMMAND]))
        for page in pages
        if page.count(0xFF) < len(page)
        for at in range(0, len(page), COMMAND)
    )


def _block_s(chip: FlashChip, wanted: bytes, there: bytes) -> float:
    """One block: the whole of it anew, or the sectors that differ."""
    sectors = [
        wanted[at : at + SECTOR]
        for at in range(0, len(wanted), SECTOR)
        if wanted[at : at + SECTOR] != there[at : at + len(wanted[at : at + SECTOR])]
    ]
    if not sectors:
        return 0.0
    one_by_one = sum(_polled(chip.sector) + program_s(chip, sector) for sector in sectors)
    return min(one_by_one, _polled(chip.block) + program_s(chip, wanted))


def verify_s(size: int) -> float:
    """ESP-IDF reads and hashes the image before it selects it; so do the digests of a slot."""
    return -(-size // COMMAND) * READ_S + size / HASH_BYTES_PER_S


def flash_s(chip: FlashChip, image: bytes, slot: bytes) -> float:
    """Erase and program of what differs from what the slot holds, and ESP-IDF's verification."""
    work = sum(
        _block_s(chip, image[at : at + BLOCK], slot[at : at + BLOCK])
        for at in range(0, len(image), BLOCK)
    )
    return work + verify_s(len(image))


def sent_bytes(image: bytes, slot: bytes) -> int:
    """Of the sectors that the slot does not hold."""
    return sum(
        len(image[at : at + SECTOR])
        for at in range(0, len(image), SECTOR)
        if image[at : at + SECTOR] != slot[at : at + len(image[at : at + SECTOR])]
    )


def bus_s(kind: str, mhz: int, size: int) -> float:
    """Three frames for 4000 bytes: 1600 bytes each on SPI, and 0.15 ms between two."""
    frames = -(-size // CHUNK) * 3
    if kind == "sdio":
        return frames * (1536 * 2 / (mhz * 1e6) + 120e-6)
    return frames * (1600 * 8 / (mhz * 1e6) + 150e-6)
