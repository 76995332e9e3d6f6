# SPDX-License-Identifier: Apache-2.0
"""New firmware that fails, at each stage of its start: who runs in the end.

Case names say it. Without a time the boot loader is the only one who goes back. On a trial with a
time the new firmware's own start-up and timer do, as long as they run; where nothing of it ever
ran, and the boot loader knows no rollback, nobody is there who could: that is known beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from board import LATER, NEW, OLD, Board, Kind, old_flash
from proof import Case, Setup, part
from support.tools import DONE, NO_ANSWER, NOT_UP, Build
from support.waiting import wait_for

FAULTS = ("crash", "hang", "mute")
TRIAL_S = 120
STAGED = [
    *("crash", "crash@start", "crash@answer"),
    *("hang", "hang@start", "hang@answer"),
    *("mute", "mute@answer"),
]


def in_the_end(kind: Kind) -> str:
    """What runs once everything that happens by itself has happened, and after a reset.

    Stock firmware is built without rollback: what it selects is never on probation. A boot loader
    without rollback starts what is selected for ever.
    """
    return OLD if kind.rollback and not kind.stock else NEW


def runs(board: Board, version: str) -> bool:
    return bool(board.sim.events("boot")[-1]["version"] == version)


def without_trial(build: Build, kind: Kind, fault: str, folder: Path) -> None:
    with Board(folder, build, kind, old_flash()) as board:
        board.start("--bad-boot", f"{NEW}={fault}")
        result = board.update(NEW)
        assert result.status == DONE, result
        board.wait_version(NEW)
        expected = in_the_end(kind)
        if fault == "mute":
            board.sim.control("reset")
        elif expected == OLD:
            wait_for(lambda: runs(board, OLD), "the old firmware")
        else:  # it fails again, and again
            wait_for(lambda: len(board.sim.events("boot")) >= 3, "another start of the bad one")
        board.judge(board.dump(), expected)
        board.sim.cut_power()
        board.power_on()
        assert board.sim.events("boot")[0]["version"] == expected
        if expected == OLD:
            board.next_update(LATER)


def comes_back(build: Build, kind: Kind, fault: str, folder: Path) -> None:
    """The tool asks for a trial, waits, and tells that the update has failed."""
    with Board(folder, build, kind, old_flash()) as board:
        board.start("--bad-boot", f"{NEW}={fault}")
        process = board.start_update(NEW, "--trial", str(TRIAL_S), "--reboot-timeout", "60")
        board.wait_version(NEW)
        if fault == "mute@answer":  # then it does not answer to the confirmation
            result = process.wait()
            assert runs(board, NEW)
            board.sim.control(f"advance {TRIAL_S + 1}")
        elif fault == "mute":
            board.sim.control(f"advance {TRIAL_S + 1}")
        wait_for(lambda: runs(board, OLD), "the old firmware")
        if fault != "mute@answer":
            result = process.wait()
        assert result.status in (NOT_UP, NO_ANSWER), result
        board.judge(board.dump(), OLD)
        board.next_update(LATER)


def is_lost(build: Build, kind: Kind, fault: str, folder: Path) -> None:
    """Nothing of the new application runs. An update before has found out what the boot loader
    cannot, and that was told."""
    with Board(folder, build, kind, old_flash()) as board:
        board.start("--bad-boot", f"{LATER}={fault}")
        assert board.update(NEW, "--reboot-timeout", "60").status == DONE
        info = board.command("esp-ota", "info")
        assert "boot loader: cannot roll back" in info.stdout, info
        result = board.update(LATER, "--trial", str(TRIAL_S), "--reboot-timeout", "8")
        assert result.status in (NOT_UP, NO_ANSWER), result
        wait_for(lambda: runs(board, LATER), "another start of the bad one")
        board.judge(board.dump(), LATER)
        board.sim.cut_power()
        board.sim.start("--bad-boot", f"{LATER}={fault}")
        assert board.sim.events("boot")[-1]["version"] == LATER


def timed(kind: Kind, fault: str) -> tuple[str, Callable[[Build, Kind, str, Path], None]]:
    """The outcome of a trial with a time, and its case."""
    if not kind.rollback and fault in ("crash", "hang"):
        return "lost, as was told before", is_lost
    return "old comes back", comes_back


@part("bad-boots", "the new firmware crashes, hangs, is mute: who runs", sample=10, workers=24)
def cases(setup: Setup) -> list[Case]:
    build = Build(setup.preset)
    found = []
    for dialect in ("classic", "ctrl"):
        for stock in (True, False):
            for rollback in (False, True):
                kind = Kind(dialect, stock, rollback)
                for fault in FAULTS:
                    who = "old comes back" if in_the_end(kind) == OLD else "new stays"
                    args = (build, kind, fault)
                    found.append(
                        Case(
                            f"{kind}.{fault}.no-trial: {who}",
                            lambda folder, args=args: without_trial(*args, folder),
                        )
                    )
                for fault in STAGED if not stock else ():
                    outcome, run = timed(kind, fault)
                    args = (build, kind, fault)
                    found.append(
                        Case(
                            f"{kind}.{fault}.trial: {outcome}",
                            lambda folder, run=run, args=args: run(*args, folder),
                        )
                    )
    return found
