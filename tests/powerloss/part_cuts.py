# SPDX-License-Identifier: Apache-2.0
"""The power goes at every flash operation of an update, its first boot and its confirmation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from board import KINDS, NEW, OLD, Board, Kind, old_flash, wait_end
from proof import Case, Setup, part, scratch
from support.simulator import POWER_CUT_STATUS
from support.tools import DONE, Build
from support.waiting import wait_for

HOWS = ("", ":torn", ":done")
NEVER = "1000000"

# Of those with the boot loader that is not usual for them only a part: the image is written by the
# same code, and what differs are the operations around it.
STEP = 16
EDGE = 12


def update_and_ask(board: Board) -> bool:
    """An update, and a request to the new firmware; False if the power went on the way."""
    process = board.start_update(NEW)
    if not wait_end(board, process):
        process.kill()
        return False
    result = process.wait()
    assert result.status == DONE or not board.sim.running, result
    wait_for(
        lambda: not board.sim.running or board.sim.events("boot")[-1]["version"] == NEW,
        "the new firmware",
    )
    if not board.sim.running:
        return False
    process = board.start_command("test.out", "get_mode")
    if not wait_end(board, process):
        process.kill()
    return board.sim.running


def count_operations(build: Build, kind: Kind) -> int:
    with scratch() as folder, Board(folder, build, kind, old_flash()) as board:
        board.start("--power-cut", NEVER)
        assert update_and_ask(board)
        return board.operations()


def cut(build: Build, kind: Kind, at: int, how: str, folder: Path) -> None:
    with Board(folder, build, kind, old_flash()) as board:
        board.start("--power-cut", f"{at}{how}", wait=False)
        update_and_ask(board)  # the tool may have its answer, and the power goes behind it
        assert board.sim.wait_end().status == POWER_CUT_STATUS
        assert board.sim.events("power_cut")[-1]["operation"] == at
        board.judge(board.dump(), OLD, NEW)
        board.power_on()
        board.next_update()


def operations_of(kind: Kind, count: int) -> list[int]:
    """Those at which the power is cut."""
    usual = kind.stock != kind.rollback
    return [
        at
        for at in range(1, count + 1)
        if usual or at <= EDGE or at > count - EDGE or at % STEP == 0
    ]


@part("cuts", "no power at each operation: update, first boot, confirm", sample=24, workers=8)
def cases(setup: Setup) -> list[Case]:
    build = Build(setup.preset)
    found = []
    for usual in KINDS:
        for kind in (usual, replace(usual, rollback=not usual.rollback)):
            for at in operations_of(kind, count_operations(build, kind)):
                for how in HOWS:
                    args = (build, kind, at, how)
                    found.append(
                        Case(f"{kind}.{at}{how}", lambda folder, args=args: cut(*args, folder))
                    )
    return found
