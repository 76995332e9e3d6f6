# SPDX-License-Identifier: Apache-2.0
"""The power goes at every flash operation of an update: not done, torn, done.

After each cut the old or the new firmware boots, never none, and the next update, of a third
version, succeeds. The device code is the real one, fed with the frames of a real host.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from boards import NEW, OLD, OTADATA_AT, Scene
from boot_model import SECTOR, Boot, boot
from device_lives import SOFTWARE_RESET, Answer, Board, Device, End, How, Kind
from recordings import Recording


class Failed(Exception):
    """A case whose outcome must not be."""


@dataclass
class Tally:
    """What a part has found out."""

    cases: int = 0
    failures: list[str] = field(default_factory=list)

    def case(self, name: str, check: Callable[[], None]) -> None:
        self.cases += 1
        try:
            check()
        except Failed as failure:
            self.failures.append(f"{name}: {failure}")

    def add(self, other: Tally) -> None:
        self.cases += other.cases
        self.failures += other.failures


@dataclass(frozen=True)
class Sweep:
    """One device, and two updates of it: the power goes in the first, the second must succeed."""

    binary: Path
    kind: Kind
    scene: Scene
    first: Recording
    second: Recording

    def __str__(self) -> str:
        return f"{self.scene.slot_bytes // 1024} KiB, {self.kind}"


class Bench:
    """A board of a sweep, with the device that updates and another that comes after a cut."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.board = Board(sweep.scene.flash_bytes)
        self.first = [self.board.put_frames(life) for life in sweep.first.lives]
        self.second = [self.board.put_frames(life) for life in sweep.second.lives]
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

    def power_on(self, allowed: tuple[str, ...]) -> Boot:
        """What the flash boots: the model's word, and then the chip's own."""
        expected = self.verdict()
        if expected.version not in allowed:
            raise Failed(f"boots {expected.version}, not one of {allowed}")
        otadata = self._otadata_after(expected)
        answer = self.later.start()
        if answer.end != End.DONE:
            raise Failed(f"does not start: {answer}")
        if answer.version != expected.version or answer.state != expected.state:
            raise Failed(f"boots {answer.version} {answer.state}, the model says {expected}")
        if bytes(self.board.flash[OTADATA_AT : OTADATA_AT + 2 * SECTOR]) != otadata:
            raise Failed(f"otadata is not as the model has it after {expected}")
        return expected

    def _otadata_after(self, verdict: Boot) -> bytes:
        otadata = bytearray(self.board.flash[OTADATA_AT : OTADATA_AT + 2 * SECTOR])
        for write in verdict.writes:
            at = write.address - OTADATA_AT
            otadata[at : at + SECTOR] = write.data.ljust(SECTOR, b"\xff")
        return bytes(otadata)

    def update_again(self) -> None:
        """The device is on: it takes the second update, boots it, and keeps it if told to."""
        check_restarts(self.later.feed(self.second[0]))
        self._check_arrived("restarts into")
        for frames in self.second[1:]:
            if frames[0] != frames[1]:
                self.later.start(keep_rtc=True)
                self.later.feed(frames)
                self.later.off()
                self._check_arrived("after its confirmation boots")

    def _check_arrived(self, what: str) -> None:
        found = self.verdict()
        if found.version != self.sweep.second.version:
            raise Failed(f"the next update {what} {found}")


def check_restarts(answer: Answer) -> None:
    if (answer.end, answer.reason) != (End.RESET, SOFTWARE_RESET):
        raise Failed(f"the update does not end in a restart: {answer}")
    if answer.misuses != 0:
        raise Failed(f"{answer.misuses} operations that the flash cannot do")


class Walk:
    """Goes through the first update on a bench, and stops before each wanted operation.

    Operations are counted through all lives, the boot loader's own among them.
    """

    def __init__(self, bench: Bench, wanted: Callable[[int], bool]) -> None:
        self._bench = bench
        self._wanted = wanted
        self._before = 0  # operations of earlier lives
        self._reached: list[int] = []

    def stops(self) -> Iterator[int]:
        """The number of each operation that comes next; cut() is for there."""
        self._bench.make_new()
        last = len(self._bench.first) - 1
        for number, life in enumerate(self._bench.first):
            stop = self._next(0)
            answer = self._bench.device.start(private=True, keep_rtc=number > 0, stop_before=stop)
            answer = yield from self._until_end(answer)
            if answer.end == End.DONE:
                answer = self._bench.device.feed(life)
                answer = yield from self._until_end(answer)
            if number < last:
                check_restarts(answer)
            self._before += answer.operations
        if answer.end == End.DONE:
            self._bench.device.off()
        missing = set(filter(self._wanted, range(1, self._before + 1))) - set(self._reached)
        assert not missing, f"operations that were passed by: {sorted(missing)}"

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
        """The next wanted operation after `done` of this life, in its own count."""
        at = done + 1
        while not self._wanted(self._before + at):
            at += 1
        return at

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


def run_share(sweep: Sweep, share: int, shares: int, every: int = 1) -> Tally:
    """Every `every`-th operation, of which this process does one share."""
    tally = Tally()
    with Bench(sweep) as bench:
        walk = Walk(bench, lambda n: n % every == 0 and n // every % shares == share)
        for number in walk.stops():
            for how in How:
                if not walk.cut(number, how):
                    break
                name = f"{sweep}: operation {number} {how.name.lower()}"
                tally.case(name, lambda: _recover(bench))
    return tally


def _recover(bench: Bench) -> None:
    bench.power_on((OLD, NEW))
    bench.update_again()
