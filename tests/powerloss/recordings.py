# SPDX-License-Identifier: Apache-2.0
"""What a real host sends for an update: recorded on the bus of the simulator, frame by frame."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from boards import Scene
from device_lives import Board, Device, End, Kind
from support.dialects import DIALECTS
from support.rig import Rig
from support.tools import DONE, Build


@dataclass(frozen=True)
class Recording:
    version: str
    image: bytes
    lives: tuple[tuple[bytes, ...], ...]  # frames of the host, up to each restart of the ESP32
    after: bytes  # the flash in the end

    @property
    def frames(self) -> tuple[bytes, ...]:
        """Up to the restart into the new firmware."""
        return self.lives[0]


def record(build: Build, kind: Kind, scene: Scene, version: str) -> Recording:
    """esp-ota, esp-hostedd and esp32-sim bring this version to the scene's board."""
    with tempfile.TemporaryDirectory(prefix="rec-") as folder:
        rig = Rig(Path(folder), build)
        try:
            return _record(rig, kind, scene, version)
        finally:
            rig.close()


def _record(rig: Rig, kind: Kind, scene: Scene, version: str) -> Recording:
    flash = rig.file("flash.bin", scene.flash(rollback=kind.rollback))
    options = ["--time", "none", "--bootloader", "rollback" if kind.rollback else "plain"]
    if kind.stock:
        options.append("--stock")
    rig.power_on(
        *options,
        dialect={d.name: d for d in DIALECTS}[kind.dialect],
        proxy=False,
        bus_tap=True,
        flash=flash,
    )
    tap = rig.bus_tap
    assert tap is not None
    rig.wait(lambda: tap.starts > 0, "the start of the ESP32 on the bus")
    tap.take_lives()
    image = scene.image(version)
    result = rig.update("esp-ota", image)
    assert result.status == DONE, result
    rig.wait(lambda: tap.starts > 0, "the restart of the ESP32 on the bus")
    lives = tap.take_lives()
    rig.sim.cut_power()
    return Recording(version, image, tuple(tuple(life) for life in lives), flash.read_bytes())


def check_replay(binary: Path, kind: Kind, scene: Scene, recording: Recording) -> None:
    """The device that is fed from memory does to its flash what the simulator did."""
    board = Board(scene.flash_bytes)
    device = Device(binary, board, kind)
    try:
        board.flash[:] = scene.flash(rollback=kind.rollback)
        assert device.start().end == End.DONE
        answer = device.feed(board.put_frames(recording.frames))
        assert answer.end == End.RESET, answer
        assert device.start(reset=True).version == recording.version
        assert bytes(board.flash) == recording.after
    finally:
        device.close()
        board.close()
