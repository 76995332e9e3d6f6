# SPDX-License-Identifier: Apache-2.0
"""Two that want the same ESP32 at the same time, and one that is no more: never a mixed image."""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from support.classic import Kind
from support.dialects import CLASSIC, DIALECTS, Dialect
from support.process import Process
from support.rig import UPDATERS, Rig
from support.shelf import make_image
from support.tools import BUSY, DONE, LOCAL, NOT_UP, REFUSED
from support.waiting import wait_for

FIRMWARES = ["own", "stock"]
SIZE = 40000
WAIT_S = 40  # far above what it takes: reaching it is a failure


def power_on(rig: Rig, firmware: str, dialect: Dialect, *options: str) -> Rig:
    stock = ("--stock",) if firmware == "stock" else ()
    return rig.power_on(*stock, *options, dialect=dialect, proxy=False)


def check_whole(rig: Rig, images: dict[str, bytes]) -> str:
    """What boots with the power back is the first firmware or one of these: its version."""
    booted = rig.reboot()
    version = booted["version"]
    if version != rig.old:
        assert version in images, f"{version} boots, which nobody sent"
        rig.sim.flash.check_slot_holds(booted["slot"], images[version], used_before=True)
    return version


# In the gap: while the first one waits for the restart, the device is free for a moment.


class Gap:
    """Two updates, the second one begun in the gap of the first one and waiting for its image.

    The first one's reconnect hook runs until the second one has begun.
    """

    def __init__(self, rig: Rig, first: bytes, second: bytes) -> None:
        gap, taken, pipe = (rig.folder / name for name in ("gap", "taken", "pipe"))
        script = f"#!/bin/sh\ntouch {gap}\nuntil test -e {taken}; do sleep 0.01; done\n"
        hook = rig.file("hook", script.encode())
        hook.chmod(0o755)
        options = ("--verbose", "--reconnect-hook", str(hook))
        self.first = rig.start_update("test.out", first, *options, reboot_timeout=WAIT_S)
        wait_for(gap.exists, "the hook")
        os.mkfifo(pipe)
        self._pipe = os.open(pipe, os.O_RDWR)
        rig.finally_close(self)
        half = len(second) // 2
        os.write(self._pipe, second[:half])
        self._rest = second[half:]
        self.second = rig.start_update("esp-ota", pipe, reboot_timeout=0)
        wait_for(lambda: rig.sim.events("write") and len(rig.sim.events("begin")) == 2, "its begin")
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
