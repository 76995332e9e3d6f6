# SPDX-License-Identifier: Apache-2.0
"""Updates of a virtual ESP32 in virtual time, by the real tools."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from update_bound import FLASH, SECTOR, bus_s, flash_s, sent_bytes

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.images import DROM, IRAM, assemble, descriptor  # noqa: E402
from support.process import environment  # noqa: E402
from support.simulator import Hostedd, Simulator  # noqa: E402
from support.tools import Build  # noqa: E402

MIB = 1 << 20
CHANGED = 0.05  # of the sectors of an image that was built again

# Parts of the time, as the picture stacks them, and the members of the simulator's event.
PARTS = {
    "erase": ("erase",),
    "program": ("program",),
    "read, hash": ("read", "hash"),
    "bus": ("bus",),
    "host": ("host",),
    "waiting": ("cpu", "sleep"),
}

FIRMWARE = {
    "classic": ("--stock", "--dialect", "classic"),
    "ctrl": ("--stock", "--dialect", "ctrl"),
    "ours": ("--dialect", "ctrl"),
}

SCENARIOS = ("first", "repeated", "rebuilt", "resumed")


@dataclass(frozen=True)
class Case:
    """One update, and of what."""

    firmware: str = "ours"
    size: int = MIB
    bus: str = "spi"
    mhz: int = 10
    flash: str = "w25q32jv"
    scenario: str = "first"

    def of(self, firmware: str) -> Case:
        """The same of another firmware."""
        return replace(self, firmware=firmware)


@dataclass(frozen=True)
class Measured:
    """Seconds of one update."""

    total: float
    parts: dict[str, float]
    first: float | None  # until the first bytes are in the slot; None: there was nothing to write
    bound: float


def image_of(noise: bytes, version: str, size: int) -> bytes:
    """A valid image of that size, of `noise`; nowhere is it 0xFF for long."""
    text = b"6A\0\0"
    fixed = 24 + 8 + 256 + 8 + len(text) + 32
    data = descriptor(version, "network_adapter") + noise[: (size - fixed - 1) // 4 * 4]
    image = assemble([(DROM["esp32"], data), (IRAM["esp32"], text)], entry=IRAM["esp32"])
    assert size - 16 <= len(image) <= size
    return image


@cache
def images(case: Case) -> tuple[bytes, bytes]:
    """The image, and what the slot holds before."""
    chance = random.Random(1)
    noise = bytearray(chance.randbytes(case.size))
    old = image_of(bytes(noise), "1.0.0", case.size)
    other = chance.randbytes(case.size)
    if case.scenario == "rebuilt":
        count = case.size // SECTOR
        # The first and the last have changed in any case: version, checksum, digest.
        for at in chance.sample(range(1, count - 1), round(count * CHANGED) - 2):
            noise[at * SECTOR] ^= 0xFF
    image = image_of(bytes(noise), "1.0.1", case.size)
    half = case.size // 2 // SECTOR * SECTOR
    before = {
        "first": other,
        "repeated": image,
        "rebuilt": old,
        "resumed": image[:half] + other[half:],
    }
    return image, before[case.scenario].ljust(case.size, b"\xff")


def _table(folder: Path, size: int) -> tuple[str, ...]:
    """Slots of 1 MiB, as the simulator has them, or as large as the image."""
    if size <= MIB:
        return ()
    path = folder / "partitions.csv"
    path.write_text(
        "otadata,data,ota,0xd000,0x2000\n"
        "factory,app,factory,0x10000,1M\n"
        f"ota_0,app,ota_0,0x110000,{size}\n"
        f"ota_1,app,ota_1,{0x110000 + size:#x},{size}\n"
    )
    return ("--partition-table", str(path), "--flash-size", "16MB")


def _update(simulator: Simulator, case: Case, build: Build, folder: Path) -> None:
    image, before = images(case.of("ours"))
    slot = next(part for part in simulator.flash.partitions() if part.label == "ota_0")
    path = folder / "image.bin"
    path.write_bytes(image)
    simulator.flash.write(slot.offset, before)
    env = environment({"ESP_HOSTED_RUN": str(folder)})
    hostedd = Hostedd(build.binary("esp-hostedd"), folder, simulator.bus, env=env)
    try:
        hostedd.wait_ready()
        dialect = "classic" if case.firmware == "classic" else "ctrl"
        tool = [build.binary("esp-ota"), "update", path, "--device", hostedd.control]
        options = ["--dialect", dialect, "--force", "--reboot-timeout", "0", "--quiet"]
        subprocess.run([*tool, *options], env=env, check=True)
        simulator.wait_boots(2)
    finally:
        hostedd.close()


def bound_s(case: Case) -> float:
    """What ESP-IDF's flash driver, or the bus, needs for it at least."""
    image, before = images(case.of("ours"))
    return max(
        flash_s(FLASH[case.flash], image, before),
        bus_s(case.bus, case.mhz, sent_bytes(image, before)),
    )


def measure(case: Case, build: Build) -> Measured:
    """Runs it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        options = (
            *("--time", "virtual", *FIRMWARE[case.firmware], *_table(folder, case.size)),
            *("--bus-kind", case.bus, "--bus-mhz", str(case.mhz), "--flash-chip", case.flash),
        )
        simulator = Simulator(build.binary("esp32-sim"), folder, options)
        simulator.start()
        try:
            _update(simulator, case, build, folder)
            time = simulator.wait_event("time")
            writes = simulator.events("write")
            first = writes[0]["t"] - (time["t"] - time["total"]) if writes else None
            parts = {part: sum(time[name] for name in names) for part, names in PARTS.items()}
            return Measured(time["total"], parts, first, bound_s(case))
        finally:
            simulator.close()
