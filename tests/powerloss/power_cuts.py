# SPDX-License-Identifier: Apache-2.0
"""The power goes at every flash operation of an update: not done, torn, done.

After each cut the old or the new firmware boots, never none, and the next update, of a third
version, succeeds. The device code is the real one, fed with the frames of a real host.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from boards import OLD, OTADATA_AT, Scene
from boot_model import SECTOR, Boot, boot
from device_lives import SOFTWARE_RESET, Answer, Board, Device, End, How, Kind
from recordings import Recording

TRIAL_S = 120  # of updates that have one


class Failed(Exception):
    """The outcome of a case must not be."""


class Tally:
    """Counts cases, and goes on after one that failed."""

    def __init__(self) -> None:
        self.cases = 0
        self._failures: list[str] = []

    def case(self, name: str, check: Callable[[], object]) -> None:
        self.cases += 1
        try:
            check()
        except Failed as failure:
            self._failures.append(f"{name}: {failure}")

    def finish(self) -> int:
        """How many cases there were; all of them must have been good."""
        assert not self._failures, (
            f"{len(self._failures)} of {self.cases} cases, the first: {self._failures[0]}"
        )
        return self.cases


@dataclass(frozen=True)
class Sweep:
    """One device, and updates of it, one after the other: all but the first must succeed."""

    binary: Path
    kind: Kind
    scene: Scene
    updates: tuple[Recording, ...]
    keep_rtc: bool = False  # over a power cut: a short one may leave RTC memory as it was
    name: str = "update"

    def __str__(self) -> str:
        factory = "factory." if self.scene.factory else ""
        return f"{self.name}.{factory}{self.scene.slot_bytes // 1024}k.{self.kind}"


class Bench:
    """A board of a sweep, with the device that updates and another that comes after a cut."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.board = Board(sweep.scene.flash_bytes)
        self.updates = [
            [self.board.put_frames(life) for life in update.lives] for update in sweep.updates
        ]
        self.device = Device(sweep.binary, self.board, sweep.kind)
        self.later = Device(sweep.binary, self.board, sweep.kind)
        self._blank = sweep.scene.flash(rollback=sweep.kind.rollback)

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.device.close()
        self.later.close()
        self.board.close()

    def make_new(self) -> None:
        self.board.flash[:] = self._blank

    def verdict(self) -> Boot:
        return boot(self.board.flash, self.sweep.kind.rollback)

    def power_on(self, allowed: Sequence[str], *, keep_rtc: bool = False) -> None:
        """What the flash boots: the model's word, and then the chip's own."""
        answer = self._boot(allowed, reset=False, keep_rtc=keep_rtc)
        if answer.end == End.RESET:  # on trial, as RTC memory still knows, and back at once
            answer = self._boot(allowed, reset=True, keep_rtc=True)
        if answer.end == End.DONE and keep_rtc:  # or its time is up, since nobody confirms it
            answer = self.later.wait(TRIAL_S + 1)
            if answer.end == End.RESET:
                answer = self._boot(allowed, reset=True, keep_rtc=True)
        if answer.end != End.DONE:
            raise Failed(f"does not start: {answer}")

    def _boot(self, allowed: Sequence[str], *, reset: bool, keep_rtc: bool) -> Answer:
        expected = self.verdict()
        if expected.version not in allowed:
            raise Failed(f"boots {expected.version}, not one of {allowed}")
        self._check_whole(expected)
        otadata = self._otadata_after(expected)
        answer = self.later.start(reset=reset, keep_rtc=keep_rtc)
        if answer.end == End.RESET:
            return answer
        if answer.version != expected.version or answer.state != expected.state:
            raise Failed(f"boots {answer.version} {answer.state}, the model says {expected}")
        if bytes(self.board.flash[OTADATA_AT : OTADATA_AT + 2 * SECTOR]) != otadata:
            raise Failed(f"otadata is not as the model has it after {expected}")
        return answer

    def _check_whole(self, found: Boot) -> None:
        """What boots is all of what the host sent, also what no boot loader looks at."""
        at = self.sweep.scene.slots[found.slot or ""]
        for update in self.sweep.updates:
            stored = bytes(self.board.flash[at : at + len(update.image)])
            if update.version == found.version and stored != update.image:
                raise Failed(f"{found.slot} boots, and does not hold all of the image")

    def _otadata_after(self, verdict: Boot) -> bytes:
        otadata = bytearray(self.board.flash[OTADATA_AT : OTADATA_AT + 2 * SECTOR])
        for write in verdict.writes:
            at = write.address - OTADATA_AT
            otadata[at : at + SECTOR] = write.data.ljust(SECTOR, b"\xff")
        return bytes(otadata)

    def update(self, number: int) -> None:
        """The device is on: it takes this update, boots it, and keeps it if told to."""
        version = self.sweep.updates[number].version
        check_restarts(self.later.feed(self.updates[number][0]))
        self._check_boots(version, "restarts into")
        for frames in self.updates[number][1:]:
            if frames[0] != frames[1]:
                self.later.start(reset=True)
                self.later.feed(frames)
                self.later.off()
                self._check_boots(version, "after its confirmation boots")

    def _check_boots(self, version: str, what: str) -> None:
        found = self.verdict()
        if found.version != version:
            raise Failed(f"the update to {version} {what} {found}")
        self._check_whole(found)

    def cut_update(self, number: int, operation: int, how: How) -> bool:
        """The device, switched on anew, loses its power in this update. False: it has no such
        operation."""
        for life, frames in enumerate(self.updates[number]):
            answer = self.later.start(reset=life > 0, cut_at=operation, how=how)
            if answer.end == End.DONE:
                answer = self.later.feed(frames)
            if answer.end == End.POWER_CUT:
                return True
            if answer.end != End.RESET:
                return False
            operation -= answer.operations
            if operation <= 0:
                return False
        return False


def check_restarts(answer: Answer) -> None:
    if (answer.end, answer.reason) != (End.RESET, SOFTWARE_RESET):
        raise Failed(f"the update does not end in a restart: {answer}")
    if answer.misuses != 0:
        raise Failed(f"{answer.misuses} operations that the flash cannot do")


class Walk:
    """Goes through the first update on a bench, and stops before each operation of a range.

    Operations are counted from 1 through all lives, the boot loader's own among them.
    """

    def __init__(self, bench: Bench, wanted: range) -> None:
        self._bench = bench
        self._wanted = wanted
        self._before = 0  # operations of earlier lives
        self._reached: list[int] = []

    def stops(self) -> Iterator[int]:
        """The number of each operation that comes next; cut() is for there."""
        self._before = 0
        self._bench.make_new()
        last = len(self._bench.updates[0]) - 1
        for number, life in enumerate(self._bench.updates[0]):
            stop = self._next(0)
            answer = self._bench.device.start(private=True, reset=number > 0, stop_before=stop)
            answer = yield from self._until_end(answer)
            if answer.end == End.DONE:
                answer = self._bench.device.feed(life)
                answer = yield from self._until_end(answer)
            if number < last:
                check_restarts(answer)
            self._before += answer.operations
        if answer.end == End.DONE:
            self._bench.device.off()
        assert self._reached == list(self._wanted), "operations were passed by, or there are none"

    @property
    def operations(self) -> int:
        """How many there were: all of them, once stops() is through."""
        return self._before

    def _until_end(self, answer: Answer) -> Generator[int, None, Answer]:
        while answer.end == End.STOPPED:
            done = answer.operations
            number = self._before + done + 1
            reached = len(self._reached)
            yield number
            # If nothing was cut, the operation is one of the next command or life.
            stop = self._next(done + 1 if len(self._reached) > reached else done)
            answer = self._bench.device.go_on(stop)
        return answer

    def _next(self, done: int) -> int:
        """The next wanted operation after `done` of this life, in its own count; 0: none."""
        first = self._before + done + 1
        if not self._wanted or first > self._wanted[-1]:
            return 0
        start, step = self._wanted.start, self._wanted.step
        return max(start, first + (start - first) % step) - self._before

    def cut(self, number: int, how: How) -> bool:
        """Whether there was such an operation in what the device does now."""
        answer = self._bench.device.cut_copy(how)
        if answer.end in (End.OFF, End.RESET):
            return False
        if answer.end != End.POWER_CUT:
            raise RuntimeError(f"no power cut: {answer}")
        if number not in self._reached[-1:]:
            self._reached.append(number)
        return True


def count_operations(sweep: Sweep) -> int:
    """Of the whole first update; the next ones have about as many."""
    with Bench(sweep) as bench:
        walk = Walk(bench, range(0))
        assert not list(walk.stops())
        return walk.operations


def cut_at(sweep: Sweep, wanted: range) -> int:
    """The power goes at each of these operations, and before and in the middle of it."""
    tally = Tally()
    with Bench(sweep) as bench:
        walk = Walk(bench, wanted)
        for number in walk.stops():
            for how in How:
                if not walk.cut(number, how):
                    break
                tally.case(f"operation {number} {how.name}", lambda: _recover(bench))
    return tally.finish()


def _recover(bench: Bench) -> None:
    sweep = bench.sweep
    bench.power_on((OLD, sweep.updates[0].version), keep_rtc=sweep.keep_rtc)
    bench.update(1)


def cut_twice(sweep: Sweep, wanted: range, each: int, last: int, rand: random.Random) -> int:
    """The power goes at each of these, and again, `each` times, in the next update."""
    tally = Tally()
    with Bench(sweep) as bench:
        walk = Walk(bench, wanted)
        for number in walk.stops():
            how = rand.choice(list(How))
            if not walk.cut(number, how):
                continue  # it comes again
            flash = bytes(bench.board.flash)
            for _ in range(each):
                second = _near_an_end(rand, last), rand.choice(list(How)), rand.random() < 0.5
                _pair(bench, tally, f"operation {number} {how.name}, then {second}", flash, second)
    return tally.finish()


def _near_an_end(rand: random.Random, last: int) -> int:
    """Half of them anywhere, half where the boot selection is changed."""
    kind = rand.randrange(4)
    if kind == 0:
        return rand.randint(1, 8)
    if kind == 1:
        return rand.randint(max(1, last - 8), last)
    return rand.randint(1, last)


def _pair(
    bench: Bench, tally: Tally, name: str, flash: bytes, second: tuple[int, How, bool]
) -> None:
    operation, how, keep_rtc = second
    bench.board.flash[:] = flash
    if bench.cut_update(1, operation, how):
        tally.case(name, lambda: _recover_twice(bench, keep_rtc))


def _recover_twice(bench: Bench, keep_rtc: bool) -> None:
    versions = [update.version for update in bench.sweep.updates[:2]]
    bench.power_on([OLD, *versions], keep_rtc=keep_rtc)
    bench.update(2)
