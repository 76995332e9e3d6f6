# SPDX-License-Identifier: Apache-2.0
"""Two that want the same ESP32 at the same time, and one that is no more: never a mixed image."""

import contextlib
import os
import random
import signal
from collections.abc import Callable, Iterator

import pytest
from support.classic import Kind
from support.dialects import CLASSIC, DIALECTS, Dialect
from support.process import Process
from support.rig import UPDATERS, Rig
from support.shelf import make_image
from support.tools import BUSY, DONE, LOCAL, NO_ANSWER, NOT_UP, REFUSED
from support.waiting import wait_for

FIRMWARES = ["own", "stock"]
SIZE = 40000
WAIT_S = 40  # far above what it takes: reaching it is a failure


@contextlib.contextmanager
def until_ready(rig: Rig) -> Iterator[None]:
    """Ends when the driver knows that the ESP32 has started: else it drops what it is told, and a
    tool asks again 3 s later.
    """

    def starts() -> int:
        return rig.hostedd.output().count("the ESP32 has booted")

    before = starts()
    yield
    wait_for(lambda: starts() > before, "the driver to hear of the start")


def power_on(rig: Rig, firmware: str, dialect: Dialect, *options: str) -> Rig:
    stock = ("--stock",) if firmware == "stock" else ()
    return rig.power_on(*stock, *options, dialect=dialect, proxy=False)


def check_whole(rig: Rig, images: dict[str, bytes]) -> str:
    """What boots with the power back is the first firmware or one of these: its version."""
    with until_ready(rig):
        booted = rig.reboot()
    version = booted["version"]
    if version != rig.old:
        assert version in images, f"{version} boots, which nobody sent"
        rig.sim.flash.check_slot_holds(booted["slot"], images[version], used_before=True)
    return version


# In the gap: while the first one waits for the restart, the device is free for a moment.


def start_with_gap(rig: Rig, image: bytes, *options: str) -> Process:
    """An update whose reconnect hook has begun, and runs until the file "taken" is there."""
    gap, taken = rig.folder / "gap", rig.folder / "taken"
    script = f"#!/bin/sh\ntouch {gap}\nuntil test -e {taken}; do sleep 0.01; done\n"
    hook = rig.file("hook", script.encode())
    hook.chmod(0o755)
    hooked = (*options, "--verbose", "--reconnect-hook", str(hook))
    process = rig.start_update("test.out", image, *hooked, reboot_timeout=WAIT_S)
    wait_for(gap.exists, "the hook")
    return process


class Gap:
    """Two updates, the second one begun in the gap of the first one and waiting for its image.

    The first one asks for no trial: else the ESP32 takes no second one before that has ended.
    """

    def __init__(self, rig: Rig, first: bytes, second: bytes) -> None:
        taken, pipe = rig.folder / "taken", rig.folder / "pipe"
        self.first = start_with_gap(rig, first, "--no-trial")
        os.mkfifo(pipe)
        self._pipe = os.open(pipe, os.O_RDWR)
        rig.finally_close(self)
        half = len(second) // 2
        os.write(self._pipe, second[:half])
        self._rest = second[half:]
        self.second = rig.start_update("esp-ota", pipe, reboot_timeout=0)
        wait_for(lambda: len(rig.sim.events("begin")) == 2, "its begin")
        taken.touch()
        self.first.wait_output(f"process {self.second.pid} (esp-ota) holds it; waiting for it")

    def go_on(self) -> None:
        """The second one gets the rest of its image."""
        os.write(self._pipe, self._rest)
        self.close()

    def close(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
        self._pipe = -1


def test_second_update_in_the_gap(rig: Rig) -> None:
    """The first one does not claim what the second one brought."""
    images = {"2.0.0": make_image("2.0.0", size=SIZE), "3.0.0": make_image("3.0.0", size=SIZE)}
    power_on(rig, "own", CLASSIC)
    gap = Gap(rig, *images.values())
    gap.go_on()
    assert rig.tools.finish(gap.second).status == DONE
    result = rig.tools.finish(gap.first)
    assert result.status == NOT_UP, result
    assert "runs 3.0.0 instead of 2.0.0: another process had the device meanwhile" in result.stderr
    assert check_whole(rig, images) == "3.0.0"


def test_second_update_that_ends_in_the_gap(rig: Rig) -> None:
    """It has erased the old firmware alone: the new one runs, and is found to."""
    images = {"2.0.0": make_image("2.0.0", size=SIZE), "3.0.0": make_image("3.0.0", size=SIZE)}
    power_on(rig, "own", CLASSIC)
    gap = Gap(rig, *images.values())
    gap.second.signal(signal.SIGTERM)
    assert rig.tools.finish(gap.second).status == LOCAL
    result = rig.tools.finish(gap.first)
    assert result.status == DONE, result
    assert "the ESP32 runs 2.0.0" in result.stdout
    assert check_whole(rig, images) == "2.0.0"


def test_second_update_while_the_first_is_on_trial(rig: Rig) -> None:
    """It would erase the way back: the ESP32 refuses it until the first one has been confirmed."""
    images = {"2.0.0": make_image("2.0.0", size=SIZE), "3.0.0": make_image("3.0.0", size=SIZE)}
    power_on(rig, "own", CLASSIC)
    first = start_with_gap(rig, images["2.0.0"])
    second = rig.update("esp-ota", images["3.0.0"])
    assert second.status == REFUSED, second
    assert "(code 7)" in second.stderr
    (rig.folder / "taken").touch()
    assert rig.tools.finish(first).status == DONE
    assert check_whole(rig, images) == "2.0.0"


def test_second_update_before_the_restart(rig: Rig) -> None:
    """Who does not wait for the restart leaves 5 s in which stock firmware takes another update:
    the slot that was just selected is erased, and the restart cuts the update.
    """
    images = {"2.0.0": make_image("2.0.0", size=SIZE), "3.0.0": make_image("3.0.0", size=SIZE)}
    rig.power_on("--stock", "--time", "real")
    assert rig.update("test.out", images["2.0.0"]).status == DONE
    rig.proxy.reset()
    rig.proxy.on_answer(Kind.OTA_WRITE, rig.proxy.hold, 3)
    second = rig.start_update("test.out", images["3.0.0"], timeout=10)
    rig.sim.wait_boots(2)
    # On a slow machine it may have come to anything, or only after the restart.
    rig.wait(lambda: rig.proxy.release() or not second.running, "the end of the second update")
    result = rig.tools.finish(second)
    assert result.status in (DONE, REFUSED, NO_ANSWER), result
    assert check_whole(rig, images) in ({"3.0.0"} if result.status == DONE else {rig.old, "2.0.0"})


# At any moment


class Moments:
    """Random, but the same at each run, and by what the ESP32 does and not by the clock."""

    def __init__(self, rig: Rig, seed: str) -> None:
        self.random = random.Random(seed)
        self._rig = rig

    def wait(self, process: Process) -> None:
        """Until somewhere in the update that `process` makes, or until its end."""
        kind = self.random.choice(["begin", "write", "write", "write", "end", "boot"])
        before = len(self._rig.sim.events(kind))
        nth = self.random.randint(1, SIZE // 4000) if kind == "write" else 1
        wait_for(
            lambda: len(self._rig.sim.events(kind)) >= before + nth or not process.running,
            f"{kind} number {nth}",
        )
        for _ in range(self.random.randint(0, 20000)):
            pass


class Images:
    """Each with a version of its own, so that what boots tells which one it is."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}

    def make(self) -> bytes:
        version = f"{len(self.known) + 2}.0.0"
        self.known[version] = make_image(version, size=SIZE + 4016 * (len(self.known) % 3))
        return self.known[version]


def combinations(test: Callable[..., None]) -> Callable[..., None]:
    test = pytest.mark.parametrize("dialect", DIALECTS, ids=str)(test)
    return pytest.mark.parametrize("firmware", FIRMWARES)(test)


def check_update(rig: Rig, tool: str, images: Images) -> None:
    """An update as ever, by whoever comes next."""
    image = images.make()
    version = list(images.known)[-1]
    with until_ready(rig):
        result = rig.update(tool, image)
        assert result.status == DONE, result
    rig.wait(lambda: rig.sim.events("boot")[-1]["version"] == version, f"{version} to boot")
    slot = rig.sim.events("boot")[-1]["slot"]
    rig.sim.flash.check_slot_holds(slot, image, used_before=True)


def kill_tool(rig: Rig, process: Process) -> None:
    process.kill()


def kill_hostedd(rig: Rig, process: Process) -> None:
    """The tool finds that the device has gone; it may have been done."""
    rig.hostedd.kill()
    assert rig.tools.finish(process).status in (DONE, NO_ANSWER)
    with until_ready(rig):
        rig.add_hostedd()


def cut_power(rig: Rig, process: Process) -> None:
    """The tool may have got its last answer, or none any more."""
    with until_ready(rig):
        rig.sim.cut_power()
        rig.sim.start()
    process.signal(signal.SIGTERM)
    assert rig.tools.finish(process).status in (DONE, LOCAL, NO_ANSWER, REFUSED)


def kill_all(rig: Rig, process: Process) -> None:
    rig.sim.cut_power()
    rig.hostedd.kill()
    process.kill()
    rig.sim.start()
    with until_ready(rig):
        rig.add_hostedd()


VICTIMS = [kill_tool, kill_tool, kill_hostedd, cut_power, kill_all]
ROUNDS = 10


@combinations
def test_killed_at_any_moment(rig: Rig, firmware: str, dialect: Dialect) -> None:
    """Whatever is killed: something whole boots, and the next update succeeds."""
    power_on(rig, firmware, dialect)
    moments, images = Moments(rig, f"killed {firmware} {dialect}"), Images()
    for i in range(ROUNDS):
        tool = moments.random.choice(UPDATERS)
        # Not patient: an `end` that the power cut has swallowed is waited for in spite of SIGTERM.
        process = rig.start_update(tool, images.make(), timeout=1)
        moments.wait(process)
        VICTIMS[i % len(VICTIMS)](rig, process)
        if moments.random.random() < 0.5:
            check_whole(rig, images.known)
        check_update(rig, moments.random.choice(UPDATERS), images)
    check_whole(rig, images.known)


@combinations
def test_second_tool_starts_at_any_moment(rig: Rig, firmware: str, dialect: Dialect) -> None:
    """Another update, and a command, while the first one runs: they find it busy, or have come
    after it.
    """
    power_on(rig, firmware, dialect)
    moments, images = Moments(rig, f"second {firmware} {dialect}"), Images()
    for _ in range(ROUNDS // 2):
        first = rig.start_update(moments.random.choice(UPDATERS), images.make())
        moments.wait(first)
        # Not for long: what the restart has swallowed is not answered.
        second = rig.start_update(moments.random.choice(UPDATERS), images.make(), timeout=1)
        options = ("--device", rig.device, "--timeout", "1", *rig.dialect_options())
        command = rig.tools.start("test.out", "get_mode", *options)
        one, two = rig.tools.finish(first), rig.tools.finish(second)
        assert one.status == DONE, one
        assert two.status in (DONE, BUSY, NO_ANSWER, REFUSED), two
        assert rig.tools.finish(command).status in (DONE, BUSY, NO_ANSWER)
        check_whole(rig, images.known)
    check_update(rig, "test.out", images)
