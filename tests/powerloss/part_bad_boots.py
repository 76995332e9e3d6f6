# SPDX-License-Identifier: Apache-2.0
"""New firmware that fails at its start: who runs in the end."""

from __future__ import annotations

from pathlib import Path

from board import LATER, NEW, OLD, Board, Kind, old_flash
from proof import Case, Setup, part
from support.tools import DONE, Build
from support.waiting import wait_for

FAULTS = ("crash", "hang", "mute")


def in_the_end(kind: Kind, fault: str) -> str:
    """What runs once everything that happens by itself has happened, and after a reset.

    Stock firmware is built without rollback: what it selects is never on probation. A boot loader
    without rollback starts what is selected for ever; the application's own timer, which would
    protect against mute firmware, needs a trial that was asked for.
    """
    return OLD if kind.rollback and not kind.stock else NEW


def bad_boot(build: Build, kind: Kind, fault: str, folder: Path) -> None:
    with Board(folder, build, kind, old_flash()) as board:
        board.start("--bad-boot", f"{NEW}={fault}")
        result = board.update(NEW)
        assert result.status == DONE, result
        board.wait_version(NEW)
        expected = in_the_end(kind, fault)
        if fault == "mute":
            board.sim.control("reset")
        elif expected == OLD:
            wait_for(lambda: board.sim.events("boot")[-1]["version"] == OLD, "the old firmware")
        else:  # it fails again, and again
            wait_for(lambda: len(board.sim.events("boot")) >= 3, "another start of the bad one")
        board.judge(board.dump(), expected)
        board.sim.cut_power()
        board.power_on()
        assert board.sim.events("boot")[0]["version"] == expected
        if expected == OLD:
            board.next_update(LATER)


@part("bad-boots", "the new firmware crashes, hangs, is mute: who runs", sample=6, workers=6)
def cases(setup: Setup) -> list[Case]:
    build = Build(setup.preset)
    found = []
    for dialect in ("classic", "ctrl"):
        for stock in (True, False):
            for rollback in (False, True):
                kind = Kind(dialect, stock, rollback)
                for fault in FAULTS:
                    args = (build, kind, fault)
                    found.append(
                        Case(
                            f"{kind}.{fault}.no-trial",
                            lambda folder, args=args: bad_boot(*args, folder),
                        )
                    )
    return found
