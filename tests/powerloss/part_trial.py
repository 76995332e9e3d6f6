# SPDX-License-Identifier: Apache-2.0
"""Trials with a time: bad firmware at each stage, and cuts in confirmation and rollback."""

from __future__ import annotations

import contextlib
from pathlib import Path

import extended
from board import LATER, NEW, OLD, Board, Kind, make_image, old_flash
from extended import ExtendedHost
from proof import Case, Setup, part, scratch
from support.simulator import POWER_CUT_STATUS
from support.tools import Build
from support.waiting import wait_for

TRIAL_S = 120
KINDS = [
    Kind(dialect, False, rollback) for dialect in ("classic", "ctrl") for rollback in (False, True)
]
FAULTS = [
    *("crash", "crash@start", "crash@answer"),
    *("hang", "hang@start", "hang@answer"),
    *("mute", "mute@answer"),
]
HOWS = ("", ":torn", ":done")


def on_trial(board: Board) -> None:
    """The new firmware runs, on a trial of two minutes."""
    with ExtendedHost(board.sim.bus, board.kind.dialect) as host:
        assert host.update(make_image(NEW), TRIAL_S) == extended.DONE
    board.wait_version(NEW)


def runs(board: Board, version: str) -> bool:
    boots = board.sim.events("boot")
    return bool(boots) and boots[-1]["version"] == version


def bad_trial(build: Build, kind: Kind, fault: str, folder: Path) -> None:
    """The ESP32 comes back by itself, but where nothing of the new application ever ran and the
    boot loader knows no rollback: then nobody is there who could."""
    lost = not kind.rollback and fault in ("crash", "hang")
    with Board(folder, build, kind, old_flash()) as board:
        board.sim.start("--bad-boot", f"{NEW}={fault}")
        on_trial(board)
        if fault.endswith("@answer"):
            with ExtendedHost(board.sim.bus, kind.dialect) as host:
                assert host.ask(extended.Kind.GET_MODE, extended.STATUS).code == extended.DONE
        if fault.startswith("mute"):
            board.sim.control(f"advance {TRIAL_S + 1}")
        if lost:
            wait_for(lambda: len(board.sim.events("boot")) >= 3, "another start of the bad one")
            board.judge(board.dump(), NEW)
            return
        wait_for(lambda: runs(board, OLD), "the old firmware")
        board.judge(board.dump(), OLD)
        with ExtendedHost(board.sim.bus, kind.dialect) as host:
            assert host.update(make_image(LATER)) == extended.DONE
        board.wait_version(LATER)


def not_confirmed(build: Build, kind: Kind, folder: Path) -> None:
    """Firmware that works, and that nobody confirms; another version's confirmation is none."""
    with Board(folder, build, kind, old_flash()) as board:
        board.sim.start()
        on_trial(board)
        with ExtendedHost(board.sim.bus, kind.dialect) as host:
            assert host.confirm(OLD) == 20  # WRONG_VERSION
        board.sim.control(f"advance {TRIAL_S - 1}")
        assert runs(board, NEW)
        board.sim.control("advance 2")
        wait_for(lambda: runs(board, OLD), "the old firmware")
        board.judge(board.dump(), OLD)


def step(board: Board, what: str) -> None:
    """The command whose operations are cut."""
    with ExtendedHost(board.sim.bus, board.kind.dialect) as host:
        code = host.confirm(NEW) if what == "confirm" else host.roll_back()
        assert code == extended.DONE, code
        if what == "rollback":
            board.sim.control("advance 2")
            wait_for(lambda: runs(board, OLD) or not board.sim.running, "the old firmware")


def prepare(board: Board, what: str, *options: str) -> int:
    """Up to right before the command; how many operations that took."""
    board.sim.start(*options)
    on_trial(board)
    if what == "rollback":
        step(board, "confirm")
    return board.operations()


def count_operations(build: Build, kind: Kind, what: str) -> range:
    with scratch() as folder, Board(folder, build, kind, old_flash()) as board:
        first = prepare(board, what) + 1
        step(board, what)
        return range(first, board.operations() + 1)


def cut(build: Build, kind: Kind, what: str, at: int, how: str, folder: Path) -> None:
    with Board(folder, build, kind, old_flash()) as board:
        prepare(board, what, "--power-cut", f"{at}{how}")
        with contextlib.suppress(AssertionError, OSError):  # the bus ends in the midst of it
            step(board, what)
        assert board.sim.wait_end().status == POWER_CUT_STATUS
        board.judge(board.dump(), OLD, NEW)
        board.sim.start()
        with ExtendedHost(board.sim.bus, kind.dialect) as host:
            assert host.update(make_image(LATER)) == extended.DONE
        board.wait_version(LATER)
        board.judge(board.dump(), LATER if not kind.rollback else OLD, NEW, LATER)


@part("trial", "bad firmware on trial; cuts in confirm and rollback", sample=12, workers=6)
def cases(setup: Setup) -> list[Case]:
    build = Build(setup.preset)
    found = []
    for kind in KINDS:
        for fault in FAULTS:
            args = (build, kind, fault)
            found.append(Case(f"{kind}.{fault}", lambda f, args=args: bad_trial(*args, f)))
        found.append(
            Case(f"{kind}.not-confirmed", lambda f, kind=kind: not_confirmed(build, kind, f))
        )
        for what in ("confirm", "rollback"):
            for at in count_operations(build, kind, what):
                for how in HOWS:
                    cuts = (build, kind, what, at, how)
                    found.append(
                        Case(f"{kind}.{what}.{at}{how}", lambda f, cuts=cuts: cut(*cuts, f))
                    )
    return found
