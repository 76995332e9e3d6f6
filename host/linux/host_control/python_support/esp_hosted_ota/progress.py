# SPDX-License-Identifier: Apache-2.0
"""The progress of an update on a text stream."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Optional, TextIO

from .device import Device, chip_name
from .update import Image, Stage

BAR_CELLS = 26
WORD_CELLS = 8  # the word in front of each line
USUAL_COLUMNS = 80
NARROW_COLUMNS = 76  # below, there is no room for the bar
DRAW_INTERVAL = 0.1  # seconds
UNKNOWN_CHIP = "unknown chip"


def printable(text: str) -> str:
    """Text that anybody may have chosen, as a terminal can bear it: the rest becomes \\xNN."""
    return "".join(
        c
        if c.isprintable()
        else "".join(f"\\x{byte:02x}" for byte in c.encode(errors="surrogateescape"))
        for c in text
    )


def _columns(terminal: TextIO) -> int:
    with contextlib.suppress(OSError):
        return os.get_terminal_size(terminal.fileno()).columns or USUAL_COLUMNS
    return USUAL_COLUMNS


class ProgressLines:
    """For update(progress=...): on a terminal the last line is rewritten, elsewhere there is one
    line for each stage. A stream that nobody reads any more must not break the update off: it is
    left alone from then on.
    """

    def __init__(self, out: TextIO, device: Device) -> None:
        self._out: Optional[TextIO] = out
        self._device = device
        self._terminal = is_terminal(out)
        self._columns = _columns(out) if self._terminal else 0
        self._stage: Optional[Stage] = None
        self._begun = self._drawn = 0.0
        self._done = 0
        self._shown = 0  # columns of a line that is not ended

    def __call__(self, stage: Stage, image: Image, done: int, total: int) -> None:
        """Called by the update."""
        if stage != self._stage:
            self._close_stage()
            self._open_stage(stage, image)
        self._done = done
        if self._terminal and stage == Stage.WRITE:
            now = time.monotonic()
            if now - self._drawn >= DRAW_INTERVAL:
                self._drawn = now
                self._draw_write(now - self._begun, done, total)

    def finish(self, succeeded: bool) -> None:
        """To be called once the update is over, before anything else is printed."""
        if succeeded:
            self._close_stage()
        elif self._shown:
            self._write("\n")  # what was done stays to be seen
            self._shown = 0

    def line(self, text: str) -> None:
        """One line that stays, in place of one that is not ended."""
        self._write(text.ljust(self._shown) + "\n")
        self._shown = 0

    def _draw(self, text: str) -> None:
        """A line that the next one takes the place of; for terminals alone."""
        if not self._terminal:
            return
        text = text[: self._columns - 1]  # in the last column some terminals begin a new line
        self._write(text.ljust(self._shown) + "\r")
        self._shown = len(text)

    def _write(self, text: str) -> None:
        if self._out is None:
            return
        try:
            self._out.write(text)
            self._out.flush()
        except OSError:
            self._out = None

    def _open_stage(self, stage: Stage, image: Image) -> None:
        self._stage = stage
        self._begun = time.monotonic()
        if stage == Stage.BEGIN:
            self.line(f"image   {printable(image.source)}: {_describe(image)}")
            self.line(f"device  {self._device.path}: {self._describe_device()}")
            self._draw("begin   the ESP32 prepares its slot ...")
        elif stage == Stage.END:
            self._draw("end     the ESP32 verifies the image ...")
        elif stage == Stage.REBOOT:
            self._say_reboot()

    def _say_reboot(self) -> None:
        """A line that stays where lines cannot be rewritten: it may be the last for a minute."""
        text = "reboot  the ESP32 restarts in 5 s, waiting for its new firmware ..."
        if self._terminal:
            self._draw(text)
        else:
            self.line(text)

    def _describe_device(self) -> str:
        identity = self._device.identity
        if identity is None:
            return f"dialect {self._device.dialect}, does not tell its chip"
        chip = chip_name(identity.chip_id) or UNKNOWN_CHIP
        return f"{chip}, running {printable(identity.version)} from {identity.running_slot}"

    def _close_stage(self) -> None:
        """The line that stays of a stage that has succeeded."""
        seconds = time.monotonic() - self._begun
        if self._stage == Stage.BEGIN:
            self.line(f"begin   the slot is prepared, {seconds:.1f} s")
        elif self._stage == Stage.WRITE:
            rate = self._done / 1024 / seconds if seconds > 0 else 0
            self.line(f"write   {self._done:,} bytes, {seconds:.1f} s, {rate:.0f} KiB/s")
        elif self._stage == Stage.END:
            self.line(f"end     the ESP32 has verified the image, {seconds:.1f} s")
        elif self._stage == Stage.REBOOT:
            self.line(f"reboot  the ESP32 answers again, {seconds:.1f} s")

    def _draw_write(self, seconds: float, done: int, total: int) -> None:
        words = amount_of(done, total)
        if self._columns < NARROW_COLUMNS:
            self._draw(f"write   {words}")
            return
        cells = BAR_CELLS * done // total if total else 0
        bar = f"[{'#' * cells}{'-' * (BAR_CELLS - cells)}] " if total else ""
        self._draw(f"write   {bar}{words}  {speed_of(seconds, done, total)}")


def progress_on(out: TextIO, device: Device, bar: bool) -> ProgressLines:
    """What shows an update on `out`: with `bar` and rich, on a terminal, a bar that moves.

    Elsewhere rich is not even loaded: that takes longer than much of the rest.
    """
    if bar and is_terminal(out):
        with contextlib.suppress(ImportError):
            from .bar import ProgressBar

            return ProgressBar(out, device)
    return ProgressLines(out, device)


def is_terminal(out: TextIO) -> bool:
    """Whether lines can be rewritten there."""
    return out.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def amount_of(done: int, total: int) -> str:
    """How much is written, in bytes; `total` 0: nobody knows."""
    if not total:
        return f"{done // 1024} KiB"
    return f"{100 * done // total:3} %  {done // 1024} of {total // 1024} KiB"


def speed_of(seconds: float, done: int, total: int) -> str:
    """The rate since the start, and at this rate the time left."""
    rate = done / seconds if seconds > 0 else 0
    speed = f"{rate / 1024:.0f} KiB/s"
    if not total:
        return speed
    left = (total - done) / rate if rate > 0 else 0
    return f"{speed}  {left:.0f} s left"


def _describe(image: Image) -> str:
    words = [chip_name(image.chip_id) or UNKNOWN_CHIP, printable(image.version)]
    if image.file_bytes is not None:
        words.append(f"{image.file_bytes:,} bytes")
    if image.file_bytes is None or not image.image_bytes:
        words.append("checked on its way")
    elif image.digest_appended:
        words.append("digest ok")
    else:
        words.append("checksum ok (no digest)")
    if image.signature_ok:
        words.append("signature ok")
    return ", ".join(words)
