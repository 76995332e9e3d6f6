# SPDX-License-Identifier: Apache-2.0
"""What the control path takes of the ESP32's memory, printed and bounded.

The figures are those of the device code compiled for this machine: its pointers are twice as long,
and its stack frames are larger too.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from boards import NEW
from device_lives import End, Kind
from part_power import SMALL, device_lives
from support.classic import Kind as Request
from support.tools import Build
from talk import STATUS, WRITE_BYTES, Talk, sha

COMPONENTS = ("hosted_control", "hosted_wire", "ota_device")

STATIC_MAX = 40 * 1024
STACK_MAX = 6 * 1024
HEAP_MAX = 1024


@dataclass
class Most:
    """Of all messages of a kind."""

    stack: int = 0
    heap_calls: int = 0
    heap: int = 0


def static_bytes(build: Build, component: str) -> int:
    """RAM that is taken for good: what is written at run time. (Constants lie in flash.)"""
    (archive,) = build.folder.glob(f"sim/components/*/lib{component}.a")
    listed = subprocess.run(["size", "-A", archive], capture_output=True, text=True, check=True)
    total = 0
    for line in listed.stdout.splitlines():
        name, _, rest = line.partition(" ")
        constant = name.startswith(".data.rel.ro")
        if name.startswith((".bss", ".data", "rtc_noinit", "COMMON")) and not constant:
            total += int(rest.split()[0])
    return total


class Measured(Talk):
    """Keeps what the messages take, by what they are."""

    def __init__(self, build: Build, kind: Kind) -> None:
        super().__init__(device_lives(build), kind, SMALL)
        self.measures = True
        self.found: dict[str, Most] = {}

    def note(self, name: str) -> None:
        most = self.found.setdefault(name, Most())
        most.stack = max(most.stack, self.answer.stack_bytes)
        most.heap_calls = max(most.heap_calls, self.answer.heap_calls)
        most.heap = max(most.heap, self.answer.heap_bytes)


@pytest.fixture(params=["classic", "ctrl"])
def talk(request: pytest.FixtureRequest, build: Build) -> Iterator[Measured]:
    talk = Measured(build, Kind(False, request.param, True))
    yield talk
    talk.close()


def update(talk: Measured) -> None:
    """Everything that an update has of messages, and what may be asked meanwhile."""
    image = SMALL.image(NEW)
    talk.power_on()
    assert talk.ask(Request.GET_MODE).result == 0
    talk.note("mode")
    assert talk.begin(size=len(image)).code == 0
    talk.note("begin")
    for at in range(0, len(image), WRITE_BYTES):
        assert talk.write(at, image[at : at + WRITE_BYTES], len(image)).code == 0
        talk.note("write")
        assert talk.write(at, image[at : at + WRITE_BYTES], len(image)).code == 0
        talk.note("write, repeated")
    assert len(talk.digests(0, 4096, 16)) == 16
    talk.note("digests")
    assert talk.other(STATUS).code == 0
    talk.note("status")
    assert talk.end(len(image), sha(image), hold_restart=True).code == 0
    talk.note("end")


def update_of_a_stock_host(talk: Measured) -> None:
    image = SMALL.image(NEW)
    talk.power_on()
    assert talk.ask(Request.OTA_BEGIN).result == 0
    for at in range(0, len(image), WRITE_BYTES):
        piece = image[at : at + WRITE_BYTES]
        assert talk.ask_write(piece).result == 0
        talk.note("stock write")


def test_the_control_path_is_bounded(talk: Measured, build: Build) -> None:
    update(talk)
    update_of_a_stock_host(talk)
    if build.preset != "release":
        pytest.skip("the memory of a sanitizer, or of coverage, is not that of the code")

    static = {name: static_bytes(build, name) for name in COMPONENTS}
    stack = max(most.stack for most in talk.found.values())
    heap = max(most.heap for most in talk.found.values())
    print(f"\nRAM of the control path, {talk.kind.dialect}")
    print(f"  static {sum(static.values())}: {static}")
    for name, most in talk.found.items():
        print(f"  {name:16} stack {most.stack:5}  heap {most.heap:5} in {most.heap_calls} calls")

    assert talk.answer.end == End.DONE
    for name in ("write", "write, repeated", "stock write", "digests", "status"):
        assert talk.found[name].heap_calls == 0, f"{name} takes heap"
    assert 0 < sum(static.values()) <= STATIC_MAX
    assert stack <= STACK_MAX
    assert heap <= HEAP_MAX
