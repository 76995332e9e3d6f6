# SPDX-License-Identifier: Apache-2.0
"""The runner of the proof: parts that register themselves, cases, workers, and the summary."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Optional

# A case is given an empty folder. It raises AssertionError when what it proves does not hold, and
# may return how many cases it stood for; None is one.
Run = Callable[[Path], Optional[int]]


@dataclass(frozen=True)
class Case:
    name: str  # the same in every run: it reproduces the case
    run: Run


@dataclass(frozen=True)
class Setup:
    """What a part may know when it lists its cases."""

    sample: bool
    seed: int
    preset: str

    def random(self, words: str = "") -> random.Random:
        return random.Random(f"{self.seed} {words}")


@dataclass(frozen=True)
class Part:
    name: str
    says: str  # one line: what it proves
    cases: Callable[[Setup], list[Case]]
    sample: int  # so many of its cases are in the sample
    workers: int  # cases side by side: more than cores where a case mostly waits


@dataclass
class Outcome:
    part: Part
    cases: int = 0
    seconds: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)  # name, what was wrong


PARTS: dict[str, Part] = {}


def part(
    name: str, says: str, *, sample: int, workers: int = 2
) -> Callable[[Callable[[Setup], list[Case]]], Callable[[Setup], list[Case]]]:
    """Registers the function that lists the cases of a part."""

    def register(cases: Callable[[Setup], list[Case]]) -> Callable[[Setup], list[Case]]:
        assert name not in PARTS
        PARTS[name] = Part(name, says, cases, sample, workers)
        return cases

    return register


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder in memory where there is such a place: flash files are written all the time."""
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else None
    # Paths of Unix sockets must be short.
    with tempfile.TemporaryDirectory(prefix="p-", dir=place) as folder:
        yield Path(folder)


# Running

_cases: list[Case] = []  # of the part that runs: workers are forked and have it
_enough = multiprocessing.get_context("fork").Event()  # what has not begun need not any more


def _run_one(index: int) -> tuple[int, int, Optional[str]]:
    if _enough.is_set():
        return index, 0, None
    with scratch() as folder:
        try:
            count = _cases[index].run(folder)
        except Exception:
            return index, 1, traceback.format_exc()
    return index, 1 if count is None else count, None


def choose(found: list[Case], wanted: Part, setup: Setup, names: list[str]) -> list[Case]:
    if names:
        return [case for case in found if any(fnmatchcase(case.name, name) for name in names)]
    if setup.sample and len(found) > wanted.sample:
        chosen = set(setup.random(wanted.name).sample(range(len(found)), wanted.sample))
        return [case for index, case in enumerate(found) if index in chosen]
    return found


def run_part(wanted: Part, setup: Setup, names: list[str], one_will_do: bool = False) -> Outcome:
    """With `one_will_do` it ends at the first failure."""
    global _cases
    outcome = Outcome(wanted)
    start = time.monotonic()
    _enough.clear()
    try:
        _cases = choose(wanted.cases(setup), wanted, setup, names)
    except Exception:  # what nothing is done to does not work either
        _cases = []
        outcome.cases = 1
        outcome.failures.append(("", traceback.format_exc()))
    workers = max(1, min(wanted.workers, len(_cases)))
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for index, count, wrong in pool.imap_unordered(_run_one, range(len(_cases))):
            outcome.cases += count
            if wrong is not None:
                outcome.failures.append((_cases[index].name, wrong))
                if one_will_do:  # those that run end by themselves, and all that they started
                    _enough.set()
    outcome.seconds = time.monotonic() - start
    return outcome


def report(outcome: Outcome, setup: Setup) -> None:
    name = outcome.part.name
    print(
        f"{name:12} {outcome.cases:7} cases {len(outcome.failures):4} failures"
        f" {outcome.seconds:7.1f} s   {outcome.part.says}",
        flush=True,
    )
    for case, wrong in outcome.failures[:10]:
        print(f"  {wrong.strip().splitlines()[-1]}"[:400])
        print(
            f"  again: tests/powerloss/run --preset {setup.preset} --seed {setup.seed}"
            f" --part {name} --case '{case}'"
        )
    if len(outcome.failures) > 10:
        print(f"  ... and {len(outcome.failures) - 10} more")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests/powerloss/run", description=__doc__)
    parser.add_argument("--sample", action="store_true", help="some of the cases, chosen by --seed")
    parser.add_argument("--part", action="append", choices=sorted(PARTS), help="only this one")
    parser.add_argument(
        "--case", action="append", default=[], help="only this one, or all that fit a pattern"
    )
    parser.add_argument("--first", action="store_true", help="stop a part at its first failure")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--preset", default="release", help="the CMake preset whose build is used")
    parser.add_argument("--list", action="store_true", help="the parts, and the number of cases")
    given = parser.parse_args(arguments)
    setup = Setup(given.sample, given.seed, given.preset)
    parts = [PARTS[name] for name in given.part or PARTS]
    if given.list:
        for one in parts:
            print(f"{one.name:12} {len(one.cases(setup)):7}   {one.says}")
        return 0
    outcomes = []
    for one in parts:
        outcomes.append(run_part(one, setup, given.case, given.first))
        report(outcomes[-1], setup)
        if given.case and not given.first:
            for _, wrong in outcomes[-1].failures:
                print(wrong, file=sys.stderr)
    cases = sum(outcome.cases for outcome in outcomes)
    failures = sum(len(outcome.failures) for outcome in outcomes)
    seconds = sum(outcome.seconds for outcome in outcomes)
    print(f"{'all':12} {cases:7} cases {failures:4} failures {seconds:7.1f} s")
    return 1 if failures or not cases else 0
