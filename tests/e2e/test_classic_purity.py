# SPDX-License-Identifier: Apache-2.0
"""Classic firmware never hears a byte of another dialect: it would die of it.

Seeded runs of real tools on real drivers and stock classic firmware, with answers that are late,
lost, doubled or preceded by garbage, with restarts, and with a kept answer that has become wrong
because an update or a cable changed the firmware. Everything that the host sends is captured at the
bus. To see a failure again: PURITY_SEED and PURITY_RUNS in the environment.
"""

import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support import classic
from support.bus import Frame
from support.bus_tap import endpoints, kind_of, untouched
from support.classic import Kind
from support.dialects import CLASSIC, CTRL
from support.rig import Rig
from support.shelf import make_image
from support.tools import BUSY, DONE, NO_ANSWER, REFUSED, Build

RUNS = 1000
RUNS_OF_SLOW_BUILDS = 200
SEED = int(os.environ.get("PURITY_SEED", "0")) or random.randrange(1, 1 << 32)
BENCHES = 10

LATEST_S = 3.0  # how late an answer to the Wi-Fi mode request may be

COMMANDS = {
    "get_mode": ("test.out", "get_mode"),
    "get_mac": ("test.out", "get_mac"),
    "status": ("test.out", "sta_status"),
    "scan": ("test.out", "scan"),
    "info": ("esp-ota", "info"),
}


class Fault:
    """What happens to the answers of one run; the first of a kind, or all."""

    def __init__(self, rng: random.Random, name: str) -> None:
        self.name = name
        self._late = rng.uniform(0.5, LATEST_S)
        self._garbage = rng.randbytes(rng.randrange(1, 40))
        self._seen: Counter[object] = Counter()

    def __call__(self, frame: Frame) -> tuple[list[Frame], float]:
        kind = kind_of(frame)
        self._seen[kind] += 1
        first_mode = kind is Kind.GET_MODE and self._seen[kind] == 1
        if self.name == "late" and kind is Kind.GET_MODE:
            return [frame], self._late
        if self.name == "first lost" and first_mode:
            return [], 0.0
        if self.name == "doubled":
            return [frame, frame], 0.0
        if self.name == "garbage":
            return [Frame(frame.interface, self._garbage), frame], 0.0
        if self.name == "half" and first_mode:
            return [Frame(frame.interface, frame.payload[:9])], 0.0
        if self.name == "stray event":
            return [Frame(frame.interface, classic.answer(Kind.OTA_WRITE)), frame], 0.0
        return [frame], 0.0


QUICK = ("none", "none", "doubled", "garbage", "stray event")
SLOW = ("late", "first lost", "half")


class Bench:
    """One ESP32 behind its driver, and the runs that it gets."""

    def __init__(self, build: Build, folder: Path, number: int) -> None:
        self.rng = random.Random(f"{SEED}.{number}")
        self.rig = Rig(folder, build)
        self.rig.detect = True
        self.rig.power_on("--stock", proxy=False, bus_tap=True)
        self.done: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()

    def run(self, count: int) -> None:
        for nth in range(count):
            # A few at fixed places, so that each bench has them whatever its dice say.
            if nth % 50 == 20:
                self.wrong_answer_by_cable()
            elif nth % 50 == 45:
                self.wrong_answer_by_update()
            elif nth % 10 == 5:
                self.command(self.rng.choice(SLOW))
            elif nth % 10 == 8:
                self.restart()
            elif nth % 10 == 3:
                self.update(self.rng.choice(QUICK))
            else:
                self.command(self.rng.choice(QUICK))
            self.check(nth)

    def check(self, nth: int) -> None:
        sent = Counter(endpoints(self.rig.bus_tap.take_sent()))
        assert set(sent) <= {"control"}, f"seed {SEED}, run {nth}, {self.done}: {sent}"
        panics = [e for e in self.rig.sim.events("reset") if e["reason"] == "panic"]
        assert not panics, f"seed {SEED}, run {nth}, {self.done}: {panics}"

    def count(self, what: str, status: int) -> None:
        self.done[what] += 1
        self.statuses[status] += 1

    def command(self, fault: str) -> None:
        name = self.rng.choice(list(COMMANDS))
        self.rig.bus_tap.spoil(Fault(self.rng, fault))
        tool, word = COMMANDS[name]
        # However impatient the user is: that is no proof of another dialect.
        result = self.rig.command(tool, word, timeout=self.rng.choice((1, 5)))
        self.rig.bus_tap.spoil(untouched)
        assert result.status in (DONE, NO_ANSWER, REFUSED), result
        self.count(f"{name}, {fault}", result.status)

    def update(self, fault: str) -> None:
        boots = len(self.rig.sim.events("boot"))
        self.rig.bus_tap.spoil(Fault(self.rng, fault))
        image = make_image(f"2.0.{self.rng.randrange(3)}", size=4016)
        result = self.rig.update("test.out", image, timeout=5)
        self.rig.bus_tap.spoil(untouched)
        assert result.status in (DONE, NO_ANSWER, REFUSED), result
        if result.status == DONE:
            self.rig.sim.wait_boots(boots + 1)
        self.count(f"update, {fault}", result.status)

    def restart(self) -> None:
        """In the middle of a command, or around it."""
        process = self.rig.tools.start(
            "test.out", "scan", "--device", self.rig.device, "--timeout", "1"
        )
        self.rig.sim.control("reset")
        result = self.rig.tools.finish(process)
        assert result.status in (DONE, NO_ANSWER, REFUSED, BUSY), result
        self.count("restart", result.status)

    # What was kept is wrong

    def _learn_ctrl(self) -> None:
        """The node's firmware speaks ctrl for a while, and a tool keeps that."""
        self.rig.exchange("--stock", dialect=CTRL)
        result = self.rig.command("esp-ota", "info")
        assert result.status == DONE, result
        assert any((self.rig.folder / "esp-hosted-ota").iterdir()), "nothing was kept"

    def _back_to_classic(self) -> None:
        self.rig.exchange("--stock", dialect=CLASSIC)
        self.rig.bus_tap.take_sent()

    def wrong_answer_by_cable(self) -> None:
        self._learn_ctrl()
        self._back_to_classic()
        result = self.rig.command("test.out", "get_mac")
        assert result.status == DONE, result
        self.count("flashed by cable", result.status)

    def wrong_answer_by_update(self) -> None:
        """The new image is a classic firmware; the tool waits for it, or does not."""
        self._learn_ctrl()
        wait = self.rng.choice((0, 20))
        process = self.rig.start_update(
            "test.out", make_image("2.0.0", size=4016), reboot_timeout=wait
        )
        self.rig.sim.wait_event("end")
        self._back_to_classic()
        result = self.rig.tools.finish(process)
        assert result.status in (DONE, NO_ANSWER), result
        again = self.rig.command("test.out", "get_mac")
        assert again.status == DONE, again
        self.count("changed by update", result.status)


def runs(build: Build) -> int:
    usual = RUNS if build.preset == "release" else RUNS_OF_SLOW_BUILDS
    return int(os.environ.get("PURITY_RUNS", usual))


def run_bench(build: Build, number: int) -> Bench:
    with tempfile.TemporaryDirectory(prefix="pure-") as folder:
        bench = Bench(build, Path(folder), number)
        try:
            bench.run(runs(build) // BENCHES)
        finally:
            bench.rig.close()
        return bench


def test_classic_firmware_hears_nothing_but_classic(build: Build) -> None:
    run: Callable[[int], Bench] = lambda number: run_bench(build, number)  # noqa: E731
    with ThreadPoolExecutor(BENCHES) as pool:
        benches = list(pool.map(run, range(BENCHES)))
    done = sum((bench.done for bench in benches), Counter[str]())
    statuses = sum((bench.statuses for bench in benches), Counter[int]())
    print(f"seed {SEED}: {done}; statuses {statuses}")
    assert done.total() == runs(build) // BENCHES * BENCHES
    assert statuses[DONE] > done.total() // 2, "most of them must have worked"
