# SPDX-License-Identifier: Apache-2.0
"""Many updates in a row, with faults by chance: nothing leaks, and otadata stays right.

Four ESP32s, of each dialect and boot loader one, each with a driver that lives through all of it.
The power, the bus and the host fail now and then; slots and versions alternate.
"""

from __future__ import annotations

import os
import random
import resource
from dataclasses import dataclass
from pathlib import Path

import boot_model
from board import OLD, OTADATA_AT, Board, Kind, make_image, old_flash, wait_end
from boot_model import SECTOR, Entry
from fault_bus import DIRECTIONS, FAULTS, TO_ESP32
from proof import Case, Setup, part
from support.process import Process
from support.simulator import POWER_CUT_STATUS
from support.tools import DONE, Build
from support.waiting import wait_for

UPDATES = 1000
SAMPLE = 32
SETTLED = 4  # updates after which nothing may grow any more
RSS_SLACK_KB = 512

# An update takes about 20 messages and 270 flash operations.
MESSAGES, OPERATIONS = 22, 280

KINDS = [
    Kind(dialect, False, rollback) for dialect in ("classic", "ctrl") for rollback in (True, False)
]


@dataclass(frozen=True)
class Use:
    """What a process holds."""

    descriptors: int
    resident_kb: int

    @classmethod
    def of(cls, pid: int) -> Use:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        held = len(os.listdir(f"/proc/{pid}/fd"))
        return cls(held, pages * resource.getpagesize() // 1024)


class Soaked:
    """One ESP32 with its driver, over all updates."""

    def __init__(self, board: Board, rand: random.Random) -> None:
        self.board = board
        self.random = rand
        self.running = OLD
        self.number = 0
        self.succeeded = 0
        self.first: dict[str, Use] = {}

    def update(self) -> None:
        self.number += 1
        version = f"1.{self.number}.0"
        self._forget_logs()
        fault = self.random.choice(["none", "none", "bus", "kill", "power", "reset"])
        getattr(self, f"_{fault}")(version)
        self._settle(version)
        self._check(version, fault)

    def _none(self, version: str) -> None:
        result = self.board.update(version)
        assert result.status == DONE, result
        self._arrive(version)

    def _bus(self, version: str) -> None:
        assert self.board.bus is not None
        kind = self.random.choice(list(FAULTS))
        direction = self.random.choice(DIRECTIONS)
        self.board.bus.fault(direction, self.random.randrange(1, MESSAGES), FAULTS[kind])
        result = self.board.update(version, timeout=1)
        self.board.bus.release()
        if result.status == DONE:
            self._arrive(version)

    def _kill(self, version: str) -> None:
        assert self.board.bus is not None
        processes = []
        number = self.random.randrange(1, MESSAGES)
        self.board.bus.before(TO_ESP32, number, lambda: [p.kill() for p in processes])
        processes.append(self.board.start_update(version))
        processes[0].wait()
        self.board.bus.release()

    def _power(self, version: str) -> None:
        how = self.random.choice(["", ":torn", ":done"])
        self.board.sim.cut_power()
        self.board.power_on("--power-cut", f"{self.random.randrange(1, OPERATIONS)}{how}")
        process = self.board.start_update(version)
        if not wait_end(self.board, process):
            process.kill()
            assert self.board.sim.wait_end().status == POWER_CUT_STATUS
        elif process.wait().status == DONE and self.board.sim.running:
            self._arrive(version)

    def _reset(self, version: str) -> None:
        process = self.board.start_update(version)
        self.board.sim.control("reset")
        if process.wait().status == DONE:
            self._arrive(version)

    def _arrive(self, version: str) -> None:
        """The new firmware has started, and answers unless it is gone again, or the power goes on
        the way."""
        boots = self.board.sim.events
        wait_for(
            lambda: (
                not self.board.sim.running
                or any(boot["version"] == version for boot in boots("boot"))
            ),
            "the new firmware",
        )
        process = self._ask()
        if not wait_end(self.board, process):
            process.kill()

    def _ask(self) -> Process:
        return self.board.start_command("test.out", "get_mode")

    def _settle(self, version: str) -> None:
        """The fault is over: the power is on and no cut is to come; what runs is confirmed."""
        self.board.sim.cut_power()
        verdict = self.board.judge(self.board.dump(), self.running, version)
        self.board.power_on()
        booted = self.board.sim.events("boot")[-1]
        assert booted["version"] == verdict.version, (booted, verdict)
        assert self._ask().wait().status == DONE
        self.succeeded += verdict.version == version
        assert verdict.version is not None
        self.running = verdict.version

    def _check(self, version: str, fault: str) -> None:
        """At rest the entry that counts is whole, confirmed, and names what runs."""
        dump = self.board.dump()
        entries = [Entry.read(dump, OTADATA_AT + i * SECTOR) for i in range(2)]
        decides = boot_model.active(entries)
        assert decides is not None, f"{version}, {fault}"
        # A boot loader without rollback leaves NEW, and an answer confirms what is on probation.
        states = [boot_model.VALID] + ([] if self.board.kind.rollback else [boot_model.NEW])
        assert entries[decides].state in states, f"{version}, {fault}"
        verdict = boot_model.boot(dump, self.board.kind.rollback)
        assert (verdict.version, verdict.writes) == (self.running, ()), f"{version}, {fault}"
        uses = {
            "esp-hostedd": Use.of(self.board.hostedd_pid),
            "esp32-sim": Use.of(self.board.sim_pid),
        }
        if self.number == SETTLED:
            self.first = uses
        for name, first in self.first.items():
            now = uses[name]
            assert now.descriptors <= first.descriptors, f"{name}: {first} {now}"
            assert now.resident_kb <= first.resident_kb + RSS_SLACK_KB, f"{name}: {first} {now}"

    def _forget_logs(self) -> None:
        """Else the tests' own logs would be what grows."""
        for log in self.board.folder.glob("*.std*"):
            os.truncate(log, 0)
        for old in (*self.board.folder.glob("[0-9]*.std*"), *self.board.folder.glob("1.*.bin")):
            old.unlink()
        make_image.cache_clear()


def left_behind() -> set[str]:
    """What lies where programs may leave files."""
    return {
        str(path) for place in ("/run/esp-hosted-ota", "/tmp") for path in Path(place).glob("*esp*")
    }


def soak(build: Build, kind: Kind, updates: int, seed: int, folder: Path) -> int:
    before = left_behind()
    with Board(folder, build, kind, old_flash()) as board:
        board.start(faults=f"soak {seed} {kind}")
        soaked = Soaked(board, random.Random(f"{seed} {kind}"))
        for _ in range(updates):
            soaked.update()
        assert soaked.succeeded * 4 > updates, f"only {soaked.succeeded} of {updates} arrived"
    assert left_behind() <= before, left_behind() - before
    return updates


@part("soak", "updates in a row, random faults: no leak, otadata right", sample=4, workers=4)
def cases(setup: Setup) -> list[Case]:
    build = Build(setup.preset)
    updates = (SAMPLE if setup.sample else UPDATES) // len(KINDS)
    return [
        Case(str(kind), lambda f, kind=kind: soak(build, kind, updates, setup.seed, f))
        for kind in KINDS
    ]
