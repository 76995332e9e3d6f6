# SPDX-License-Identifier: Apache-2.0
"""The proof's boot model: against what real boot loaders did, and against the simulator's own."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from boot_model import (
    ABORTED,
    INVALID,
    NEW,
    PENDING,
    UNDEFINED,
    VALID,
    Entry,
    after,
    boot,
)
from proof import scratch
from support.images import program
from support.process import Process
from support.tools import Build
from support.waiting import wait_for

from sim import test_boot_observed as observed

SECTOR = observed.SECTOR
OTADATA_AT = observed.OTADATA_AT

STATES = [NEW, PENDING, VALID, INVALID, ABORTED, UNDEFINED, 5]


def dump_of(flash: observed.Flash, folder: Path) -> bytes:
    path = folder / "dump.bin"
    flash.write(path)
    return path.read_bytes()


@pytest.mark.parametrize(
    "row", observed.rows(), ids=lambda row: f"{row['bootloader']}: {row['flash_state']}"
)
def test_boots_as_observed(row: dict[str, str], folder: Path) -> None:
    dump = dump_of(observed.build(row["flash_state"]), folder)
    verdict = boot(dump, row["bootloader"].endswith("+rollback"))
    assert (verdict.slot or "none") == row["booted"]
    if verdict.slot is not None:
        assert verdict.project == row["app_printed"]
    new = after(dump, verdict)
    if row["otadata_change"] == "same":
        assert new == dump
        return
    sectors = [new[OTADATA_AT + i * SECTOR :][:SECTOR] for i in range(2)]
    words = " ".join(f"[{i}] {observed.describe(bytes(sectors[i]))}" for i in range(2))
    assert words == row["otadata_change"]


def random_entry(rand: random.Random) -> bytes:
    seq = rand.choice([0, 1, 2, 3, 4, 5, 0xFFFFFFFE, 0xFFFFFFFF, rand.getrandbits(32)])
    entry = Entry.make(seq, rand.choice(STATES)).packed()
    kind = rand.randrange(8)
    if kind == 0:
        return b""  # an erased sector
    if kind == 1:  # torn: the second half is still blank
        return entry[:16]
    if kind == 2:
        return entry[:28] + struct.pack("<I", rand.getrandbits(32))
    return entry


def random_flash(rand: random.Random) -> observed.Flash:
    flash = observed.Flash(otadata=[random_entry(rand), random_entry(rand)])
    flash.factory_entry = rand.random() < 0.5
    for slot in list(flash.slots):
        damage = rand.randrange(8)
        if damage == 0:
            del flash.slots[slot]
        elif damage == 1:
            at = rand.randrange(len(flash.slots[slot]))
            flash.slots[slot] = observed.flip(at)(flash.slots[slot])
        elif damage == 2:
            flash.slots[slot] = flash.slots[slot][: rand.randrange(len(flash.slots[slot]))]
    return flash


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory: a flash file is written for each case."""
    with scratch() as place:
        yield place


def simulated(build: Build, folder: Path, rollback: bool) -> tuple[str | None, bytes]:
    """The slot that the simulator boots from dump.bin, and the dump afterwards."""
    events = folder / "events.jsonl"
    events.unlink(missing_ok=True)
    args = [build.binary("esp32-sim"), "--flash", folder / "dump.bin", "--bus", folder / "bus"]
    args += ["--events", events, "--bootloader", "rollback" if rollback else "plain", "--stock"]
    process = Process(args, folder / "esp32-sim")

    def line() -> str | None:
        text = events.read_text() if events.exists() else ""
        found = [one for one in text.split("\n")[:-1] if '"boot"' in one]
        return found[0] if found else None

    try:
        booted = wait_for(line, "a boot")
    finally:
        process.kill()
    slot = next((s for s in observed.SLOTS if f'"{s}"' in booted), None)
    return slot, (folder / "dump.bin").read_bytes()


@pytest.mark.parametrize("rollback", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_simulator(build: Build, folder: Path, seed: int, rollback: bool) -> None:
    """Flashes that nobody thought of: a difference is a mistake in one of the two models."""
    rand = random.Random(seed)
    for case in range(60):
        dump = dump_of(random_flash(rand), folder)
        verdict = boot(dump, rollback)
        slot, new = simulated(build, folder, rollback)
        place = f"seed {seed}, case {case}: {dump[OTADATA_AT:][:32]!r} {dump[0xE000:][:32]!r}"
        assert (verdict.slot, after(dump, verdict)) == (slot, new), place


def test_is_fast(folder: Path) -> None:
    """It judges tens of thousands of dumps: an image of 1 MiB costs some milliseconds."""
    flash = observed.Flash(otadata=[observed.entry(1), b""])
    dump = bytearray(dump_of(flash, folder))
    image = program(observed.SLOT_BYTES)
    dump[0x110000 : 0x110000 + len(image)] = image
    seconds = []
    for case in range(10):
        changed = bytearray(dump)
        changed[0x110000 + len(image) - 1] ^= case
        start = time.thread_time()
        verdict = boot(changed, True)
        seconds.append(time.thread_time() - start)
        assert verdict.slot == ("factory" if case else "ota_0")
    assert min(seconds) < 0.02
    print(f"{min(seconds) * 1000:.2f} ms")
