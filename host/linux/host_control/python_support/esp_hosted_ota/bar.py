# SPDX-License-Identifier: Apache-2.0
"""The progress of an update on a terminal, with a bar by rich; needs the package rich."""

from __future__ import annotations

import io
from typing import IO, Callable, Optional, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
from rich.text import Text

from .device import Device
from .progress import BAR_CELLS, NARROW_COLUMNS, WORD_CELLS, ProgressLines, amount_of, speed_of

FRAMES_PER_SECOND = 8


class _Stream(io.TextIOBase):
    """Where rich writes: what happens to the text is the caller's business."""

    def __init__(self, write: Callable[[str], None], encoding: str) -> None:
        self._write = write
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the terminal: rich draws with what it has."""
        return self._encoding

    def write(self, text: str) -> int:
        self._write(text)
        return len(text)


class _Console(Console):
    def show_cursor(self, show: bool = True) -> bool:
        """Leaves it as it is: a second Ctrl-C ends the process at once, with no cursor."""
        return False


class ProgressBar(ProgressLines):
    """For update(progress=...): the lines of ProgressLines that stay, and below them what moves."""

    def __init__(self, out: TextIO, device: Device) -> None:
        super().__init__(out, device)
        stream = cast("IO[str]", _Stream(self._write, out.encoding))
        self._console = _Console(file=stream, force_terminal=True, highlight=False)
        self._live: Optional[Progress] = None

    def finish(self, succeeded: bool) -> None:
        """To be called once the update is over, before anything else is printed."""
        if succeeded:
            self._close_stage()
        self._stop(stays=not succeeded)  # what was done stays to be seen

    def line(self, text: str) -> None:
        """One line that stays, in place of what moves."""
        self._stop()
        # The stage's word in front stands out; nothing in a text is markup.
        styled = Text.assemble((text[:WORD_CELLS], "bold"), text[WORD_CELLS:])
        self._console.print(styled, soft_wrap=True)

    def _draw(self, text: str) -> None:
        self._stop()
        self._start(SpinnerColumn(), text)

    def _draw_write(self, seconds: float, done: int, total: int) -> None:
        words = amount_of(done, total)
        if self._columns >= NARROW_COLUMNS:
            words = f"{words}  {speed_of(seconds, done, total)}"
        if self._live is None:
            bar = BarColumn(BAR_CELLS) if self._columns >= NARROW_COLUMNS else SpinnerColumn()
            self._start(bar, "write".ljust(WORD_CELLS) + words, total or None)
        else:
            task = self._live.task_ids[0]
            self._live.update(task, completed=done, total=total or None, description=words)

    def _start(self, moving: ProgressColumn, text: str, total: Optional[int] = None) -> None:
        self._live = Progress(
            TextColumn("{task.fields[word]}", style="bold", markup=False),
            moving,
            TextColumn("{task.description}", markup=False),
            console=self._console,
            refresh_per_second=FRAMES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        word = text[: WORD_CELLS - 1]  # rich puts a space between columns
        self._live.add_task(text[WORD_CELLS:], total=total, word=word)
        self._live.start()

    def _stop(self, stays: bool = False) -> None:
        if self._live is not None:
            live, self._live = self._live, None
            live.live.transient = not stays
            live.stop()
