# SPDX-License-Identifier: Apache-2.0
"""The host dies after every message that it sends."""

from __future__ import annotations

from pathlib import Path

from board import KINDS, NEW, OLD, Board, Kind, old_flash
from fault_bus import TO_ESP32
from proof import Case, Setup, part, scratch
from support.tools import DONE, Build

TOOLS = ("esp-ota", "test.out")


def count_messages(build: Build, kind: Kind, tool: str) -> int:
    """How many messages the host sends in an undisturbed update."""
    with scratch() as folder, Board(folder, build, kind, old_flash()) as board:
        board.start(faults="")
        assert board.bus is not None
        board.bus.before(TO_ESP32, 0, lambda: None)
        result = board.update(NEW, tool=tool)
        assert result.status == DONE, result
        return board.bus.seen[TO_ESP32]


def killed(build: Build, kind: Kind, tool: str, number: int, folder: Path) -> None:
    with Board(folder, build, kind, old_flash()) as board:
        board.start(faults="")
        assert board.bus is not None
        processes = []
        board.bus.before(TO_ESP32, number, lambda: [process.kill() for process in processes])
        processes.append(board.start_update(NEW, tool=tool))
        processes[0].wait()
        assert board.bus.happened, "the update took fewer messages"
        board.judge(board.dump(), OLD, NEW)
        board.next_update()


@part("killed", "the host dies after each of its messages", sample=12, workers=6)
def cases(setup: Setup) -> list[Case]:
    build = Build(setup.preset)
    found = []
    for kind in KINDS:
        for tool in TOOLS:
            for number in range(1, count_messages(build, kind, tool) + 1):
                found.append(
                    Case(
                        f"{kind}.{tool}.{number}",
                        lambda folder, kind=kind, tool=tool, number=number: killed(
                            build, kind, tool, number, folder
                        ),
                    )
                )
    return found
