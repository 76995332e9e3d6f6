# SPDX-License-Identifier: Apache-2.0
"""One small ESP32 for one case of the proof: two slots of 64 KiB, driver, tools, and a judge."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Optional

import boot_model
from boot_model import SECTOR, Entry
from fault_bus import FaultBus
from support.images import smallest
from support.process import Process, Result
from support.simulator import Event, Hostedd, Simulator
from support.tools import DONE, Build, Toolbox
from support.waiting import wait_for

FLASH_BYTES = 0x100000
OTADATA_AT = 0xD000
SLOT_BYTES = 0x10000
SLOTS = {"ota_0": 0x10000, "ota_1": 0x20000}
FACTORY_AT = 0x30000

# In the image of a firmware that knows trial boots.
MARKER = b"esp-hosted-ota-ext-1\0"

OLD, NEW, LATER = "1.0.0", "2.0.0", "3.0.0"


@dataclass(frozen=True)
class Kind:
    """What stands at the other end of the bus."""

    dialect: str
    stock: bool
    rollback: bool  # its boot loader

    def __str__(self) -> str:
        firmware = "stock" if self.stock else "extended"
        return f"{self.dialect}.{firmware}.{'rollback' if self.rollback else 'plain'}"

    def options(self) -> list[str]:
        loader = "rollback" if self.rollback else "plain"
        stock = ["--stock"] if self.stock else []
        return ["--dialect", self.dialect, "--bootloader", loader, *stock]


# As they are found: stock firmware with a boot loader that knows no rollback, ours with one.
KINDS = [
    Kind(dialect, stock, not stock) for stock in (True, False) for dialect in ("classic", "ctrl")
]


@cache
def make_image(version: str, size: int = SLOT_BYTES, marker: bool = True) -> bytes:
    """Exactly `size` bytes, a multiple of 16; they hold no program."""
    room = (size - 32 - 24 - 8 - 256 - 8 - 1) // 4 * 4
    noise = hashlib.shake_128(version.encode()).digest(room)
    code = (MARKER if marker else b"") + noise
    image = smallest(version=version, project="network_adapter", code=code[:room])
    assert len(image) == size
    return image


def partition_table(factory: bool = False) -> bytes:
    rows = [(1, 2, 0x9000, 0x4000, "nvs"), (1, 0, OTADATA_AT, 2 * SECTOR, "otadata")]
    rows += [(0, 0x10 + i, at, SLOT_BYTES, label) for i, (label, at) in enumerate(SLOTS.items())]
    if factory:
        rows.append((0, 0, FACTORY_AT, SLOT_BYTES, "factory"))
    records = b"".join(
        struct.pack("<HBBII16sI", 0x50AA, kind, subtype, at, size, label.encode(), 0)
        for kind, subtype, at, size, label in rows
    )
    return records + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(records).digest()


def make_flash(
    slots: dict[str, bytes], otadata: tuple[Optional[Entry], Optional[Entry]], factory: bytes = b""
) -> bytes:
    flash = bytearray(b"\xff" * FLASH_BYTES)
    pieces = [(boot_model.TABLE_AT, partition_table(bool(factory))), (FACTORY_AT, factory)]
    pieces += [(SLOTS[label], image) for label, image in slots.items()]
    pieces += [
        (OTADATA_AT + i * SECTOR, entry.packed()) for i, entry in enumerate(otadata) if entry
    ]
    for at, data in pieces:
        flash[at : at + len(data)] = data
    return bytes(flash)


@cache
def old_flash() -> bytes:
    """The old firmware runs and is confirmed; there is no other that could boot."""
    return make_flash({"ota_0": make_image(OLD)}, (Entry.make(1, boot_model.VALID), None))


def slot_bytes(dump: bytes, label: str) -> bytes:
    return dump[SLOTS.get(label, FACTORY_AT) :][:SLOT_BYTES]


def simulator(build: Build) -> Path:
    """The ESP32 that is tried: that of the build, or, when a mutant is tried, that one's."""
    return Path(os.environ.get("ESP32_SIM") or build.binary("esp32-sim"))


class Board:
    """Power is on from the start; whatever runs ends with it."""

    def __init__(self, folder: Path, build: Build, kind: Kind, flash: bytes) -> None:
        self.folder = folder
        self.kind = kind
        self.build = build
        self.tools = Toolbox(build, folder)
        self.stack = ExitStack()
        self.path = folder / "flash.bin"
        self.path.write_bytes(flash)
        self.sim = Simulator(simulator(build), folder, kind.options(), flash=self.path)
        self.stack.callback(self.sim.close)
        self.bus: Optional[FaultBus] = None
        self.hostedd: Hostedd

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.stack.close()

    def start(self, *options: str, faults: Optional[str] = None, wait: bool = True) -> Board:
        """With `faults`, which is a seed, the bus can have some."""
        self.sim.start(*options, wait=wait)
        bus = self.sim.bus
        if faults is not None:
            self.bus = FaultBus(self.folder / "tap", self.sim.bus, faults)
            self.stack.callback(self.bus.close)
            bus = self.bus.path
        self.hostedd = Hostedd(
            self.build.binary("esp-hostedd"), self.folder, bus, env=self.tools.kept
        )
        self.stack.callback(self.hostedd.close)
        self.hostedd.wait_ready()
        # What is asked before is lost where the dialect is ctrl, and asked again after 3 s.
        wait_for(lambda: self.inits() or not self.sim.running, "the ESP32's start")
        return self

    # Asking

    def start_command(self, tool: str, *args: str | Path, timeout: int = 60) -> Process:
        dialect = ["--dialect", self.kind.dialect] if self.kind.dialect != "classic" else []
        where = ["--device", self.hostedd.control, "--timeout", str(timeout)]
        return self.tools.start(tool, *args, *where, *dialect)

    def command(self, tool: str, *args: str | Path) -> Result:
        return self.start_command(tool, *args).wait()

    # Updating

    def start_update(
        self, version: str, *options: str, timeout: int = 5, tool: str = "esp-ota"
    ) -> Process:
        file = self.folder / f"{version}.bin"
        file.write_bytes(make_image(version))
        verb = {"esp-ota": "update", "test.out": "ota"}[tool]
        wait = [] if "--reboot-timeout" in options else ["--reboot-timeout", "0"]
        return self.start_command(tool, verb, file, *wait, *options, timeout=timeout)

    def update(
        self, version: str, *options: str, timeout: int = 5, tool: str = "esp-ota"
    ) -> Result:
        """Ends when the tool has; the ESP32 may still restart."""
        return self.start_update(version, *options, timeout=timeout, tool=tool).wait()

    def wait_version(self, version: str) -> Event:
        """This version boots, now or soon; others may boot before."""
        return self.sim.wait_event("boot", lambda event: event["version"] == version)

    def must_update(self, version: str, *options: str) -> None:
        """One update that has to succeed, to the image in flash and the firmware that runs."""
        result = self.update(version, *options)
        assert result.status == DONE, result
        booted = self.wait_version(version)
        self.check_holds(booted["slot"], version)

    def next_update(self, version: str = LATER) -> None:
        """It succeeds: with our firmware at once, with a stock one after a reset at the latest.

        What was on its way may still restart the ESP32 under this update: then it is the one after
        that which must succeed.
        """
        if self.bus is not None:
            self.bus.release()
        boots = len(self.sim.events("boot"))
        if self.update(version, timeout=1 if self.kind.stock else 5).status == DONE:
            self.check_holds(self.wait_version(version)["slot"], version)
            return
        if self.kind.stock:
            self.reset()
        else:
            assert len(self.sim.events("boot")) > boots, self.tools_said()
        self.must_update(version)

    def tools_said(self) -> str:
        logs = sorted(self.folder.glob("[0-9]*.std*"))
        return "the update failed\n" + "\n".join(log.read_text() for log in logs)[-3000:]

    def status(self) -> dict[str, Any]:
        """What the simulator tells of itself."""
        told: dict[str, Any] = json.loads(self.sim.control("status"))
        return told

    def operations(self) -> int:
        """Flash operations since the power came."""
        count: int = self.status()["operations"]
        return count

    def inits(self) -> int:
        """How often the driver has seen the ESP32 start."""
        return self.hostedd.output().count("the ESP32 has booted")

    def power_on(self, *options: str) -> None:
        """Until the driver, which ran on, has found the ESP32 again."""
        before = self.inits()
        self.sim.start(*options)
        wait_for(lambda: self.inits() > before, "the driver on the bus")

    @property
    def hostedd_pid(self) -> int:
        return self.hostedd._process.pid

    @property
    def sim_pid(self) -> int:
        assert self.sim._process is not None
        return self.sim._process.pid

    def reset(self) -> None:
        """The EN pin."""
        before, inits = len(self.sim.events()), self.inits()
        assert self.sim.control("reset") == "ok"

        def started() -> bool:
            events = [(e["event"], e.get("reason")) for e in self.sim.events()[before:]]
            pin = ("reset", "external")
            return pin in events and any(e[0] == "boot" for e in events[events.index(pin) :])

        wait_for(started, "the start after a reset")
        wait_for(lambda: self.inits() > inits, "the driver on the bus")

    # Judging

    def dump(self) -> bytes:
        return self.path.read_bytes()

    def check_holds(self, label: str, version: str, dump: Optional[bytes] = None) -> None:
        stored = slot_bytes(dump if dump is not None else self.dump(), label)
        image = make_image(version)
        if stored != image:
            at = next(i for i in range(len(image)) if stored[i] != image[i])
            raise AssertionError(f"{label} does not hold {version}: first difference at {at:#x}")

    def judge(self, dump: bytes, *versions: str) -> boot_model.Boot:
        """One of these boots from the dump, whole: so says the model, and so does the simulator."""
        verdict = boot_model.boot(dump, self.kind.rollback)
        assert verdict.slot is not None, f"nothing boots\n{describe(dump)}"
        assert verdict.version in versions, f"{verdict.version} boots\n{describe(dump)}"
        self.check_holds(verdict.slot, verdict.version, dump)
        slot = simulated(self.build, self.folder, self.kind, dump)
        assert slot == verdict.slot, f"the simulator boots {slot}\n{describe(dump)}"
        return verdict


def simulated(build: Build, folder: Path, kind: Kind, dump: bytes) -> Optional[str]:
    """What another chip with these bytes boots."""
    place = folder / "judge"
    place.mkdir(exist_ok=True)
    flash = place / "flash.bin"
    flash.write_bytes(dump)
    other = Simulator(build.binary("esp32-sim"), place, kind.options(), flash=flash)
    other.start()
    slot: Optional[str] = other.events("boot")[-1]["slot"]
    other.cut_power()
    return slot


def describe(dump: bytes) -> str:
    """Both entries of otadata in words, on one line."""
    entries = [Entry.read(dump, OTADATA_AT + i * SECTOR) for i in range(2)]
    return "otadata " + " / ".join(
        f"{e.seq:#x} state {e.state:#x} crc {'good' if e.crc_good else 'bad'}" for e in entries
    )


def wait_end(board: Board, process: Process) -> bool:
    """Waits until the tool has ended, or the ESP32's power; True for the tool."""
    wait_for(
        lambda: not (process.running and board.sim.running), "the end of the tool or of the power"
    )
    return board.sim.running
