# SPDX-License-Identifier: Apache-2.0
"""The power goes at every flash operation of an update, and again while that is repaired."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from boards import FOURTH, NEW, NEXT, OLDER, Scene
from device_lives import Kind
from power_cuts import TRIAL_S, Failed, Sweep, count_operations, cut_at, cut_twice
from proof import Case, Setup, part
from recordings import Recording, check_replay, record
from support.tools import Build
from talk import CONFIRM, ROLLBACK, one_request, trial_update

FULL = Scene(1 << 20, 1 << 20)  # an image that fills a slot of 1 MiB
SMALL = Scene(64 << 10, 64 << 10)
FACTORY = Scene(64 << 10, 64 << 10, factory=True)

KINDS = tuple(
    Kind(stock, dialect, rollback)
    for stock in (True, False)
    for dialect in ("classic", "ctrl")
    for rollback in (False, True)
)
# Stock firmware with the boot loader that it came with, ours with the one that it asks for.
MAIN_KINDS = (Kind(True, "classic", False), Kind(False, "classic", True))

_made: dict[tuple[Kind, Scene], Sweep] = {}


def _make(build: Build, kind: Kind, scene: Scene) -> Sweep:
    """Records the host's frames."""
    with contextlib.redirect_stdout(io.StringIO()):
        updates = [record(build, kind, scene, version) for version in (NEW, NEXT, FOURTH)]
    return Sweep(device_lives(build), kind, scene, tuple(updates))


def device_lives(build: Build) -> Path:
    """The device code: that of the build, or, when a mutant is tried, that one's."""
    return Path(os.environ.get("DEVICE_LIVES", build.folder / "tests" / "device-lives"))


def sweeps(setup: Setup, kinds: Sequence[Kind], scene: Scene) -> list[Sweep]:
    """Parts of one run share the recordings."""
    missing = [kind for kind in kinds if (kind, scene) not in _made]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        arguments = [(Build(setup.preset), kind, scene) for kind in missing]
        for sweep in pool.starmap(_make, arguments, 1):
            _made[sweep.kind, scene] = sweep
    return [_made[kind, scene] for kind in kinds]


def _pieces(first: int, last: int, size: int) -> list[range]:
    """All operations from `first` to `last`, in pieces."""
    return [range(at, min(at + size, last + 1)) for at in range(first, last + 1, size)]


def _every_operation(setup: Setup, kinds: Sequence[Kind], scene: Scene, size: int) -> list[Case]:
    found = sweeps(setup, kinds, scene)
    replays = [
        Case(f"{sweep}.replay", lambda _, sweep=sweep: _check_replays(sweep)) for sweep in found
    ]
    return replays + _pieces_of(found, size)


def _pieces_of(found: Sequence[Sweep], size: int) -> list[Case]:
    return [
        Case(
            f"{sweep}.{piece[0]}-{piece[-1]}",
            lambda _, sweep=sweep, piece=piece: cut_at(sweep, piece),
        )
        for sweep in found
        for last in [_count(sweep)]
        for piece in _pieces(_first(sweep, last), last, size)
    ]


def _check_replays(sweep: Sweep) -> int:
    """Fed from memory the device does to its flash what the recorded one did."""
    for update in sweep.updates:
        check_replay(sweep.binary, sweep.kind, sweep.scene, update)
    return len(sweep.updates)


def _count(sweep: Sweep) -> int:
    """0 where the update does not even succeed undisturbed: then the replay says so."""
    try:
        return count_operations(sweep)
    except Failed:
        return 0


@part(
    "power-1m", "power cut at every flash operation, a slot of 1 MiB that the image fills", sample=6
)
def full_slot(setup: Setup) -> list[Case]:
    return _every_operation(setup, MAIN_KINDS, FULL, 20)


@part("power-64k", "the same for every firmware, dialect and boot loader, 64 KiB", sample=14)
def small_slot(setup: Setup) -> list[Case]:
    return [
        *_every_operation(setup, KINDS, SMALL, 8),
        *_every_operation(setup, KINDS, FACTORY, 8),
    ]


def _by_hand(build: Build, kind: Kind, keep_rtc: bool, name: str, first: Recording) -> Sweep:
    """What no stock host says: one that the tests have, word by word."""
    later = [_trial_of(kind, version) for version in (NEXT, FOURTH)]
    return Sweep(device_lives(build), kind, SMALL, (first, *later), keep_rtc, name)


def _trial_of(kind: Kind, version: str) -> Recording:
    """An update with a trial; in its second life the new firmware is confirmed."""
    image = SMALL.image(version)
    lives = (
        trial_update(kind.dialect, image, TRIAL_S),
        one_request(kind.dialect, CONFIRM, _1=version.encode()),
    )
    return Recording(version, image, lives, b"")


def _rollback_of(kind: Kind) -> Recording:
    """Back to what was there before the old firmware."""
    lives = (one_request(kind.dialect, ROLLBACK), ())
    return Recording(OLDER, SMALL.image(OLDER), lives, b"")


def trial_sweeps(setup: Setup) -> list[Sweep]:
    build = Build(setup.preset)
    found = []
    for kind in (kind for kind in KINDS if not kind.stock):
        for keep_rtc in (False, True):
            memory = "rtc-kept" if keep_rtc else "rtc-lost"
            trial, rollback = f"trial.{memory}", f"rollback.{memory}"
            found.append(_by_hand(build, kind, keep_rtc, trial, _trial_of(kind, NEW)))
            found.append(_by_hand(build, kind, keep_rtc, rollback, _rollback_of(kind)))
    return found


@part(
    "power-trial",
    "power cut in an update with a trial, its confirmation, and a rollback",
    sample=10,
)
def trials(setup: Setup) -> list[Case]:
    return _pieces_of(trial_sweeps(setup), 16)


def _first(sweep: Sweep, last: int) -> int:
    """Until the image is selected nothing is in RTC memory, kept or not."""
    return max(1, last - 20) if sweep.keep_rtc else 1


@part("power-pairs", "power cut while the next update repairs a power cut", sample=16)
def pairs(setup: Setup) -> list[Case]:
    cases = []
    plans = (
        (sweeps(setup, KINDS, SMALL), 2, 16),
        (sweeps(setup, MAIN_KINDS, FULL), 16, 8),
        (trial_sweeps(setup), 4, 8),
    )
    for found, step, each in plans:
        for sweep in found:
            last = _count(sweep)
            for start in range(_first(sweep, last), last + 1, 4 * step):
                wanted = range(start, min(start + 4 * step, last + 1), step)
                name = f"{sweep}.{start}"
                run = partial(cut_twice, sweep, wanted, each, last)
                cases.append(Case(name, lambda _, run=run, name=name: run(setup.random(name))))
    return cases
