# SPDX-License-Identifier: Apache-2.0
"""The power goes during an update, and again at every operation of the one that goes on from it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import boot_model
from board import NEW, OLD, Board, Kind, old_flash, wait_end
from part_cuts import HOWS, update_and_ask
from proof import Case, Setup, part, scratch
from support.simulator import POWER_CUT_STATUS
from support.tools import IMAGE, Build

KINDS = [Kind("classic", False, True), Kind("ctrl", False, False)]

# Where the first cut is: in the first sectors, and far on. Pages before it are not sent again.
FIRST_CUTS = (20, 200)


@cache
def half_done(build: Build, kind: Kind, at: int) -> bytes:
    """The flash after the first cut."""
    with scratch() as folder, Board(folder, build, kind, old_flash()) as board:
        board.start("--power-cut", f"{at}:torn", wait=False)
        process = board.start_update(NEW)
        assert not wait_end(board, process)
        process.kill()
        return board.dump()


def count_operations(build: Build, kind: Kind, first: int) -> int:
    with scratch() as folder, Board(folder, build, kind, half_done(build, kind, first)) as board:
        board.start()
        assert update_and_ask(board)
        return board.operations()


def state_of(write: boot_model.Write) -> int:
    return boot_model.Entry.read(write.data, 0).state


def cut(build: Build, kind: Kind, first: int, at: int, how: str, folder: Path) -> None:
    with Board(folder, build, kind, half_done(build, kind, first)) as board:
        board.start("--power-cut", f"{at}{how}", wait=False)
        update_and_ask(board)  # the tool may have its answer, and the power goes behind it
        assert board.sim.wait_end().status == POWER_CUT_STATUS
        verdict = board.judge(board.dump(), OLD, NEW)
        board.power_on()
        if verdict.version == OLD and any(
            state_of(w) == boot_model.ABORTED for w in verdict.writes
        ):
            refused = board.update(NEW)  # it was on probation when the power went
            assert (refused.status, "--force" in refused.stderr) == (IMAGE, True), refused
            board.must_update(NEW, "--force")
        elif verdict.version == OLD:
            board.next_update(NEW)
        else:
            board.next_update()


@part("resume", "no power at each operation of a resumed update", sample=12, workers=8)
def cases(setup: Setup) -> list[Case]:
    build = Build(setup.preset)
    found = []
    for kind in KINDS:
        for first in FIRST_CUTS:
            for at in range(1, count_operations(build, kind, first) + 1):
                for how in HOWS:
                    args = (build, kind, first, at, how)
                    found.append(
                        Case(f"{kind}.{first}.{at}{how}", lambda f, args=args: cut(*args, f))
                    )
    return found
