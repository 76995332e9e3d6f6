# SPDX-License-Identifier: Apache-2.0
"""Trials with a time that nobody ends, or too late; cuts in confirmation and rollback."""

from __future__ import annotations

from pathlib import Path

from board import NEW, OLD, Board, Kind, old_flash, wait_end
from fault_bus import TO_ESP32
from proof import Case, Setup, part, scratch
from support.classic import field
from support.process import Process
from support.simulator import POWER_CUT_STATUS
from support.tools import DONE, REFUSED, Build
from support.waiting import wait_for
from talk import CONFIRM, EXTENSION

TRIAL_S = 120
KINDS = [
    Kind(dialect, False, rollback) for dialect in ("classic", "ctrl") for rollback in (False, True)
]
HOWS = ("", ":torn", ":done")


def on_trial(board: Board) -> None:
    """The new firmware runs, on a trial of two minutes: its host dies before it confirms."""
    assert board.bus is not None
    asked = field(EXTENSION, field(CONFIRM, field(1, NEW.encode())))
    hosts: list[Process] = []
    board.bus.lose(TO_ESP32, asked, lambda: [host.kill() for host in hosts])
    hosts.append(board.start_update(NEW, "--trial", str(TRIAL_S), "--reboot-timeout", "60"))
    hosts[0].wait()
    assert board.bus.happened, board.tools_said()
    assert runs(board, NEW)


def runs(board: Board, version: str) -> bool:
    boots = board.sim.events("boot")
    return bool(boots) and boots[-1]["version"] == version


def confirm(board: Board, version: str, status: int) -> None:
    result = board.command("esp-ota", "confirm", version)
    assert result.status == status, result


def not_confirmed(build: Build, kind: Kind, folder: Path) -> None:
    """Firmware that works, and that nobody confirms; another version's confirmation is none."""
    with Board(folder, build, kind, old_flash()) as board:
        board.start(faults="")
        on_trial(board)
        confirm(board, OLD, REFUSED)
        board.sim.control(f"advance {TRIAL_S - 1}")
        assert runs(board, NEW)
        board.sim.control("advance 2")
        wait_for(lambda: runs(board, OLD), "the old firmware")
        board.judge(board.dump(), OLD)
        confirm(board, NEW, REFUSED)  # too late
        board.judge(board.dump(), OLD)
        board.next_update()


def confirmed_at_last(build: Build, kind: Kind, folder: Path) -> None:
    """In the last second. From then on a reset is a reset, whatever its reason."""
    with Board(folder, build, kind, old_flash()) as board:
        board.start(faults="")
        on_trial(board)
        board.sim.control(f"advance {TRIAL_S - 1}")
        confirm(board, NEW, DONE)
        board.sim.control(f"advance {2 * TRIAL_S}")
        assert runs(board, NEW)
        board.reset()
        assert runs(board, NEW)
        board.judge(board.dump(), NEW)
        board.next_update()


def start_step(board: Board, what: str) -> Process:
    """The command whose operations are cut."""
    if what == "confirm":
        return board.start_command("esp-ota", "confirm", NEW, timeout=5)
    return board.start_command("esp-ota", "rollback", "--reboot-timeout", "0", timeout=5)


def step(board: Board, what: str) -> None:
    result = start_step(board, what).wait()
    assert result.status == DONE, result
    if what == "rollback":
        wait_for(lambda: runs(board, OLD), "the old firmware")


def prepare(board: Board, what: str, *options: str) -> int:
    """Up to right before the command; how many operations that took."""
    board.start(*options, faults="")
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
        process = start_step(board, what)
        wait_end(board, process)
        # The rollback is behind its answer.
        assert board.sim.wait_end().status == POWER_CUT_STATUS
        process.kill()
        board.judge(board.dump(), OLD, NEW)
        board.power_on()
        board.next_update()


@part("trial", "trials that nobody ends; cuts in confirm and rollback", sample=12, workers=6)
def cases(setup: Setup) -> list[Case]:
    build = Build(setup.preset)
    found = []
    for kind in KINDS:
        for name, run in (
            ("not confirmed in time: old comes back", not_confirmed),
            ("confirmed in time: new stays", confirmed_at_last),
        ):
            found.append(Case(f"{kind}.{name}", lambda f, k=kind, run=run: run(build, k, f)))
        for what in ("confirm", "rollback"):
            for at in count_operations(build, kind, what):
                for how in HOWS:
                    cuts = (build, kind, what, at, how)
                    found.append(
                        Case(f"{kind}.{what}.{at}{how}", lambda f, cuts=cuts: cut(*cuts, f))
                    )
    return found
