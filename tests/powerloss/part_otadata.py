# SPDX-License-Identifier: Apache-2.0
"""The boot selection on flash that is broken just there.

A sector of otadata does not erase, or does not program, or has a bit that is stuck, from one step
of an update on. A step that says that it is done is done: what it selected runs, whole, now and
after a reset. One that fails says where, and the old or the new firmware boots. When the flash is
as it should be again, the next update succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import board
import boards
from board import LATER, NEW, OLD, OTADATA_AT, Board, old_flash
from boards import OLDER
from boot_model import ENTRY_BYTES, SECTOR
from device_lives import End, Fault, Kind
from part_named import cut_at, operations_at
from part_power import KINDS, SMALL, device_lives
from proof import Case, Setup, part
from support.tools import DONE as TOOL_DONE
from support.tools import NOT_UP, REFUSED, Build
from talk import ROLLBACK, WRITE_BYTES, Reply, Talk, sha

# Codes of hosted_extension.proto
DONE, ERASE_FAILED, SELECT_FAILED, NO_ROLLBACK = 0, 13, 19, 21
TRIAL_S = 120

IMAGE = SMALL.image(NEW)

# Of a record: number, two bytes of the label that nobody reads, state, CRC.
BYTES = (*range(4), 4, 23, *range(24, ENTRY_BYTES))


class Worn(Talk):
    """A talk with a device whose otadata breaks in the course of it."""

    def __init__(self, binary: Path, kind: Kind, fault: Fault, at: int) -> None:
        super().__init__(binary, kind, SMALL)
        self._fault, self._at = fault, at

    def wear_out(self) -> bool:
        """False: that alone has another firmware boot, before anything was asked for."""
        before = self.boots_next().version
        self.board.break_flash((self._fault, self._at))
        self.wait(0)  # then a stuck bit shows
        return self.boots_next().version == before

    def check_named(self, reply: Reply, *codes: int) -> None:
        """What was refused, was for the broken place."""
        assert reply.code in codes, reply
        where = self._at // SECTOR * SECTOR
        assert reply.address == where, f"{reply} at {reply.address}, not {where:#x}"

    def check_boots(self, *versions: str) -> None:
        """One of these boots, whole: so says the model, and so it is."""
        verdict = self.boots_next()
        assert verdict.slot is not None, "nothing boots"
        assert verdict.version in versions, f"{verdict} boots"
        stored = self.slot(self.scene.slots[verdict.slot])
        image = self._image(verdict.version)
        assert stored[: len(image)] == image, f"{verdict.slot} is not whole"

    def _image(self, version: str) -> bytes:
        if version == boards.OLD:
            return self.scene.old
        return self.scene.image(version, self.scene.slot_bytes if version == OLDER else None)

    def starts(self, *versions: str) -> None:
        """After a reset."""
        self.check_boots(*versions)
        self.reset()
        assert self.version in versions, f"{self.version} runs"

    def recover(self) -> None:
        """The place takes again."""
        self.board.break_flash()
        self.reset()
        for _ in range(3):
            if self.confirm(self.version).code == DONE:
                break
            self.reset()  # what no record names does not come back
        self.update(self.scene.image(boards.NEXT))
        assert self.version == boards.NEXT


def _write(talk: Worn) -> Reply:
    """The whole image; the first reply that is a refusal, or the last."""
    reply = talk.begin(size=len(IMAGE))
    for at in range(0, len(IMAGE), WRITE_BYTES):
        if reply.code == DONE:
            reply = talk.write(at, IMAGE[at : at + WRITE_BYTES], len(IMAGE))
    return reply


def _update(talk: Worn, **how: int) -> None:
    reply = _write(talk)
    if reply.code != DONE:
        talk.check_named(reply, ERASE_FAILED)  # of the record that was this slot's
        talk.starts(OLD)
        return
    reply = talk.end(len(IMAGE), sha(IMAGE), **how)
    if reply.code != DONE:
        talk.check_named(reply, SELECT_FAILED)
        talk.starts(OLD, NEW)
        return
    assert talk.answer.end == End.RESET
    talk.check_boots(NEW)
    talk.after_reset()
    assert talk.version == NEW
    _confirm(talk)


def _confirm(talk: Worn) -> None:
    reply = talk.confirm(NEW)
    if reply.code != DONE:
        talk.check_named(reply, SELECT_FAILED)
        talk.starts(OLD, NEW)
        return
    for _ in range(2):
        talk.starts(NEW)


def _roll_back(talk: Worn) -> None:
    """That it goes back is said before the flash is asked: what is broken shows too late, and the
    running image runs on."""
    reply = talk.other(ROLLBACK)
    if talk.answer.end == End.RESET:
        assert reply.code == DONE
        talk.check_boots(OLD)
        talk.after_reset()
        assert talk.version == OLD
        return
    assert reply.code in (DONE, NO_ROLLBACK), reply
    talk.starts(OLD, NEW)


def _before_update(talk: Worn) -> None:
    talk.power_on()


def _on_trial(talk: Worn) -> None:
    talk.power_on()
    talk.update(IMAGE, trial=TRIAL_S)


def _confirmed(talk: Worn) -> None:
    _on_trial(talk)
    assert talk.confirm(NEW).code == DONE


STEPS: dict[str, tuple[Callable[[Worn], None], Callable[[Worn], None]]] = {
    "update": (_before_update, partial(_update, trial=TRIAL_S)),
    "no-trial": (_before_update, partial(_update, no_trial=True)),
    "confirm": (_on_trial, _confirm),
    "rollback": (_confirmed, _roll_back),
}


def _worn(binary: Path, kind: Kind, step: str, fault: Fault, at: int) -> None:
    prepare, go = STEPS[step]
    talk = Worn(binary, kind, fault, at)
    try:
        prepare(talk)
        if talk.wear_out():
            go(talk)
        else:
            talk.starts(OLDER, OLD, NEW)
        talk.recover()
    finally:
        talk.close()


def _places() -> list[tuple[Fault, int]]:
    found = []
    for sector in (OTADATA_AT, OTADATA_AT + SECTOR):
        found += [(Fault.ERASE_FAILS, sector), (Fault.PROGRAM_FAILS, sector)]
        for byte in BYTES:
            found += [(Fault.STUCK_AT_0, sector + byte), (Fault.STUCK_AT_1, sector + byte)]
    return found


# With the real tools: the old firmware's record is in the first sector, the update's in the second.

SECOND = OTADATA_AT + SECTOR
AT = f"at {SECOND:#x} (code {SELECT_FAILED}"
STATE = SECOND + 24
TOOL_KINDS = [
    board.Kind(dialect, False, rollback)
    for dialect in ("classic", "ctrl")
    for rollback in (False, True)
]


def _select(build: Build, kind: board.Kind, fault: str, folder: Path) -> None:
    """An update whose selection does not take is refused."""
    with Board(folder, build, kind, old_flash()) as one:
        one.start("--flash-fault", fault)
        result = one.update(NEW, "--reboot-timeout", "60")
        assert result.status == REFUSED, result
        assert f"the boot selection could not be written {AT}" in result.stderr, result
        assert f"{OLD} is still in place" in result.stderr, result
        _goes_on(one, OLD, NEW)


def _goes_on(one: Board, *versions: str) -> None:
    """One of these boots, and on good flash the next update succeeds."""
    one.sim.cut_power()
    one.judge(one.dump(), *versions)
    one.power_on()
    one.next_update()


def _trial_not_noted(build: Build, kind: board.Kind, fault: str, folder: Path) -> None:
    """What the boot loader would write of the trial does not take, what a confirmation writes
    does."""
    with Board(folder, build, kind, old_flash()) as one:
        one.start("--flash-fault", fault)
        result = one.update(NEW, "--reboot-timeout", "60", "--json")
        assert result.told["confirmed"] is True, result
        one.reset()
        assert one.sim.events("boot")[-1]["version"] == NEW
        _goes_on(one, NEW)


def _old_record_stays(build: Build, kind: board.Kind, fault: str, folder: Path) -> None:
    """The record of what is about to be written over cannot be erased: refused before it is."""
    with Board(folder, build, kind, old_flash()) as one:
        one.start("--flash-fault", fault)
        assert one.update(NEW, "--reboot-timeout", "60").status == TOOL_DONE
        result = one.update(LATER, "--reboot-timeout", "60")
        assert result.status == REFUSED, result
        assert f"at {OTADATA_AT:#x} (code {ERASE_FAILED}" in result.stderr, result
        one.check_holds("ota_0", OLD)
        _goes_on(one, NEW)


@cache
def _selected(build: Build, kind: board.Kind) -> int:
    """The flash operation with which the new firmware is selected."""
    return operations_at(build, kind, ask=False) - (2 if kind.rollback else 0)


def _tool_confirm(
    build: Build, kind: board.Kind, fault: str, boots: tuple[str, ...], folder: Path
) -> None:
    """The place breaks between the selection and the first start."""
    with Board(folder, build, kind, old_flash()) as one:
        cut_at(one, _selected(build, kind))
        one.power_on("--flash-fault", fault)
        assert one.sim.events("boot")[-1]["version"] == NEW
        result = one.command("esp-ota", "confirm", NEW)
        assert result.status == REFUSED, result
        assert AT in result.stderr, result
        _goes_on(one, *boots)


def _tool_rollback(
    build: Build, kind: board.Kind, fault: str, status: int, boots: str, folder: Path
) -> None:
    """The place breaks after the confirmation."""
    with Board(folder, build, kind, old_flash()) as one:
        one.start()
        assert one.update(NEW, "--reboot-timeout", "60").status == TOOL_DONE
        one.sim.cut_power()
        one.power_on("--flash-fault", fault)
        result = one.command("esp-ota", "rollback")
        assert result.status == status, result
        assert status == TOOL_DONE or "it did not go back" in result.stderr, result
        _goes_on(one, boots)


def _with_tools(build: Build) -> dict[str, Callable[[Path], None]]:
    """By name, which is the outcome."""
    erase, program = f"erase-fail:{SECOND:#x}", f"program-fail:{SECOND:#x}"
    low, high = f"stuck0:{STATE:#x}", f"stuck1:{STATE:#x}"
    number, old_erase = f"stuck1:{SECOND:#x}", f"erase-fail:{OTADATA_AT:#x}"
    found: dict[str, Callable[[Path], None]] = {}
    for kind in TOOL_KINDS:
        for fault in (erase, program, high, number):
            found[f"{kind}.select, {fault}: refused"] = partial(_select, build, kind, fault)
        found[f"{kind}.trial, {low}: confirmed"] = partial(_trial_not_noted, build, kind, low)
        found[f"{kind}.erase ahead, {old_erase}: refused"] = partial(
            _old_record_stays, build, kind, old_erase
        )
        for fault, boots in ((erase, NEW), (program, OLD)):
            found[f"{kind}.confirm, {fault}: refused, {boots} boots"] = partial(
                _tool_confirm, build, kind, fault, (boots,)
            )
        for fault, status, boots in (
            (erase, NOT_UP, NEW),
            (low, NOT_UP, NEW),
            (program, TOOL_DONE, OLD),
        ):
            found[f"{kind}.rollback, {fault}: {boots} boots"] = partial(
                _tool_rollback, build, kind, fault, status, boots
            )
    return found


@part("otadata", "the boot selection on broken flash: never none", sample=60, workers=6)
def cases(setup: Setup) -> list[Case]:
    build = Build(setup.preset)
    binary = device_lives(build)
    found = [
        Case(
            f"{kind}.{step}.{fault.name.lower()}.{at:#x}",
            lambda _, args=(kind, step, fault, at): _worn(binary, *args),
        )
        for kind in KINDS
        if not kind.stock
        for step in STEPS
        for fault, at in _places()
    ]
    return found + [Case(name, run) for name, run in _with_tools(build).items()]
