# SPDX-License-Identifier: Apache-2.0
"""The memory of an update grows neither with the image nor with the pieces in which it comes."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.extended_device import CAN_WINDOW, END, ExtendedDevice, Fields
from support.process import Process
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE

MIB = 1 << 20
LARGEST = 16 * MIB  # that an update takes
GROWTH_KIB = 300  # between two updates, whose heaps do not begin at the same place
PROGRAM = make_image("2.0.0", size=MIB)

# A heap that keeps what was given back, to find its use, would grow.
ENV = {"ASAN_OPTIONS": "quarantine_size_mb=0:thread_local_quarantine_size_kb=0"}


def image(size: int) -> bytes:
    """A program maps 4 MiB at most; padding behind it is sent all the same."""
    return PROGRAM.ljust(size, b"\xff")


@pytest.fixture
def device(rig: Rig) -> ExtendedDevice:
    """Keeps several writes, and holds nothing of any image."""
    device = ExtendedDevice(rig.folder / "esps0")
    rig.finally_close(device)
    device.window = 3
    device.features |= CAN_WINDOW
    device.slot_size = LARGEST
    return device


def peak_kib(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


def peak(rig: Rig, device: ExtendedDevice, size: int, start: Callable[[], Process]) -> int:
    """Of an update of so many bytes, at its `end`."""
    device.flash = bytearray(LARGEST)
    device.sent = 0
    device.slot, device.version = b"ota_0", b"1.0.0"
    peaks: list[int] = []
    ready: list[Process] = []

    def end(content: Fields) -> bytes:
        rig.wait(lambda: ready, "the tool's number")
        peaks.append(peak_kib(ready[0].pid))
        return device.end(content)

    device.on[END] = end
    ready.append(start())
    result = rig.tools.finish(ready[0])
    assert result.status == DONE, result
    assert device.sent == size
    return peaks[0]


def check_flat(by_size: dict[int, int]) -> None:
    assert max(by_size.values()) - min(by_size.values()) <= GROWTH_KIB, by_size


def update(rig: Rig, device: ExtendedDevice, where: str | Path, stdin: int | None) -> Process:
    options = ("--device", device.path, "--reboot-timeout", "0", "--quiet")
    return rig.tools.start("esp-ota", "update", where, *options, env=ENV, stdin=stdin)


def piped(rig: Rig, device: ExtendedDevice, path: Path) -> Process:
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        assert cat.stdout
        tool = update(rig, device, "-", cat.stdout.fileno())
        cat.stdout.close()  # the tool has it
    return tool


@pytest.mark.parametrize("source", ["file", "http", "pipe"])
def test_size(rig: Rig, device: ExtendedDevice, source: str) -> None:
    found = {}
    for size in (MIB, 4 * MIB, LARGEST):
        path = rig.file("image.bin", image(size))
        start = {
            "file": lambda path=path: update(rig, device, path, None),
            "http": lambda path=path: update(
                rig, device, rig.serve(path.read_bytes()).url("ok"), None
            ),
            "pipe": lambda path=path: piped(rig, device, path),
        }[source]
        found[size] = peak(rig, device, size, start)
    check_flat(found)


def test_pieces(rig: Rig, device: ExtendedDevice) -> None:
    """The same, of eleven thousand pieces."""
    found = {}
    for size in (MIB, LARGEST):
        url = rig.serve(image(size)).url("chunked")
        found[size] = peak(rig, device, size, lambda url=url: update(rig, device, url, None))
    check_flat(found)


def test_breaks(rig: Rig, device: ExtendedDevice) -> None:
    """Nor with how often a download breaks."""
    found = {}
    for breaks in (1, 6):
        server = rig.serve(image(MIB))
        server.cuts = [MIB // 8] * breaks
        url = server.url("ranges")
        found[breaks] = peak(rig, device, MIB, lambda url=url: update(rig, device, url, None))
        assert len(server.seen) == breaks + 1
    check_flat(found)
