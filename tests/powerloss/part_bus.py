# SPDX-License-Identifier: Apache-2.0
"""The bus spoils every message in turn, in both directions."""

from __future__ import annotations

from pathlib import Path

from board import KINDS, NEW, OLD, Board, Kind, old_flash
from fault_bus import DIRECTIONS, FAULTS
from part_killed import count_messages
from proof import Case, Setup, part
from support.tools import DONE, Build

# With the extension these are as if nothing had happened.
HARMLESS = ("repeat", "delay")


def spoiled(
    build: Build, kind: Kind, direction: str, number: int, fault: str, seed: int, folder: Path
) -> None:
    with Board(folder, build, kind, old_flash()) as board:
        board.start(faults=f"{seed} {direction} {number} {fault}")
        assert board.bus is not None
        board.bus.fault(direction, number, FAULTS[fault])
        result = board.update(NEW, timeout=1)
        dump = board.dump()
        if fault in HARMLESS and not kind.stock:
            assert result.status == DONE, result
        if result.status == DONE:
            board.check_holds("ota_1", NEW, dump)
        board.judge(dump, OLD, NEW)
        board.next_update()


@part("bus", "the bus spoils each message, both directions", sample=24, workers=24)
def cases(setup: Setup) -> list[Case]:
    build = Build(setup.preset)
    found = []
    for kind in KINDS:
        # Each has its answer. Behind the last may come an event of the start.
        count = count_messages(build, kind, "esp-ota")
        for direction in DIRECTIONS:
            for number in range(1, count + 1):
                for fault in FAULTS:
                    args = (build, kind, direction, number, fault, setup.seed)
                    found.append(
                        Case(
                            f"{kind}.{direction}.{number}.{fault}",
                            lambda folder, args=args: spoiled(*args, folder),
                        )
                    )
    return found
