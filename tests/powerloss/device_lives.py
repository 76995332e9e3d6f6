# SPDX-License-Identifier: Apache-2.0
"""Drives device-lives (tests/powerloss/device): the real device code, life after life.

The flash lies in memory that both have mapped. Lives on a private copy of it can be stopped before
any flash operation, and a copy of the running device loses its power there.
"""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

RTC_BYTES = 8192
FRAMES_BYTES = 4 << 20
REPLIES_BYTES = 1 << 20
FAULTS = struct.Struct("<17I")  # how many, and kind and address of each


class How(IntEnum):
    """What has become of the operation at which the power goes."""

    BEFORE = 0
    TORN = 1
    DONE = 2


class Fault(IntEnum):
    """What is broken about a place of the flash."""

    STUCK_AT_0 = 0  # the lowest bit of a byte
    STUCK_AT_1 = 1
    ERASE_FAILS = 2  # of the byte's sector
    PROGRAM_FAILS = 3  # of its page


class End(IntEnum):
    """What a command came to."""

    DONE = 0
    STOPPED = 1
    NOTHING_BOOTS = 2
    RESET = 3
    POWER_CUT = 4
    OFF = 5
    CRASHED = 6


SOFTWARE_RESET = 2

_START, _FEED, _CONTINUE, _FORK, _TIME, _RESET, _OFF = range(7)
_COMMAND = struct.Struct("<5I")
_ANSWER = struct.Struct("<11I32s")


@dataclass(frozen=True)
class Answer:
    end: End
    reason: int
    operations: int  # of flash, in this life so far
    misuses: int  # of flash
    reply_bytes: int
    running: int  # offset of the partition
    state: int | None  # of its entry in otadata
    version: str
    stack_bytes: int  # of the last command, if it was to be measured
    heap_calls: int
    heap_bytes: int


@dataclass(frozen=True)
class Kind:
    """Which device code, behind which boot loader."""

    stock: bool
    dialect: str
    rollback: bool

    @property
    def words(self) -> list[str]:
        return [
            "stock" if self.stock else "extended",
            self.dialect,
            "rollback" if self.rollback else "plain",
        ]

    def __str__(self) -> str:
        return ".".join(self.words)


class Board:
    """The flash and what else lives as long as the board does."""

    def __init__(self, flash_bytes: int) -> None:
        size = flash_bytes + RTC_BYTES + FRAMES_BYTES + REPLIES_BYTES + FAULTS.size
        self.flash_bytes = flash_bytes
        self.fd = os.memfd_create("board")
        os.truncate(self.fd, size)
        self._map = mmap.mmap(self.fd, size)
        self._all = memoryview(self._map)
        self.flash = self._all[:flash_bytes]
        self._frames = self._all[flash_bytes + RTC_BYTES :][:FRAMES_BYTES]
        self._replies = self._all[-REPLIES_BYTES - FAULTS.size :][:REPLIES_BYTES]
        self._faults = self._all[-FAULTS.size :]
        self._used = 0

    def break_flash(self, *faults: tuple[Fault, int]) -> None:
        """From the next command or life on these addresses are broken, and no others."""
        words = [len(faults), *(word for fault in faults for word in fault)]
        self._faults[:] = FAULTS.pack(*words, *[0] * (17 - len(words)))

    def put_frames(self, frames: Sequence[bytes]) -> tuple[int, int]:
        """Keeps frames for feed()."""
        start = self._used
        for frame in frames:
            packed = struct.pack("<H", len(frame)) + frame
            self._frames[self._used : self._used + len(packed)] = packed
            self._used += len(packed)
        return start, self._used

    def drop_frames(self, mark: tuple[int, int]) -> None:
        """Forgets these frames, and all that were put after them."""
        self._used = mark[0]

    def replies(self, size: int) -> list[bytes]:
        """The frames of the device in the first `size` bytes."""
        found = []
        at = 0
        while at < size:
            (length,) = struct.unpack_from("<H", self._replies, at)
            found.append(bytes(self._replies[at + 2 : at + 2 + length]))
            at += 2 + length
        return found

    def close(self) -> None:
        for view in (self.flash, self._frames, self._replies, self._faults, self._all):
            view.release()
        self._map.close()
        os.close(self.fd)


class Device:
    """One device on a board, alive between start() and an answer that is an end."""

    def __init__(self, binary: Path, board: Board, kind: Kind) -> None:
        self._board = board
        self._process = subprocess.Popen(
            [binary, str(board.fd), str(board.flash_bytes), *kind.words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[board.fd],
            bufsize=0,
        )
        self._alive = False

    def start(
        self,
        *,
        private: bool = False,
        reset: bool = False,
        keep_rtc: bool | None = None,
        cut_at: int = 0,
        how: How = How.BEFORE,
        stop_before: int = 0,
    ) -> Answer:
        """The boot loader, and the start of the firmware that it chooses; ends an earlier life.

        RTC memory stays over a reset, and else is noise, unless `keep_rtc` says otherwise.
        """
        if self._alive:
            self.off()
        keep = reset if keep_rtc is None else keep_rtc
        return self._do(_START, private | keep << 1 | reset << 2, cut_at, how, stop_before)

    def feed(
        self, mark: tuple[int, int], *, hold_restart: bool = False, measure: bool = False
    ) -> Answer:
        """The host's frames, one after the other, whatever the device says to them."""
        return self._do(_FEED, mark[0], mark[1], hold_restart | measure << 1)

    def go_on(self, stop_before: int) -> Answer:
        """After a stop: the answer is that of the command that was stopped, or a stop again."""
        return self._do(_CONTINUE, stop_before)

    def cut_copy(self, how: How) -> Answer:
        """After a stop: the flash is as it would be if the power went at the next operation."""
        return self._do(_FORK, how)

    def wait(self, seconds: float) -> Answer:
        us = int(seconds * 1e6)
        return self._do(_TIME, us & 0xFFFFFFFF, us >> 32)

    def reset(self) -> Answer:
        return self._do(_RESET)

    def off(self) -> Answer:
        return self._do(_OFF)

    def _do(self, verb: int, *arguments: int) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(_COMMAND.pack(verb, *(*arguments, 0, 0, 0, 0)[:4]))
        raw = self._process.stdout.read(_ANSWER.size) or b""
        if len(raw) != _ANSWER.size:
            raise RuntimeError(f"device-lives ended: {self._process.wait()}")
        end, reason, operations, misuses, replies, running, state, has_state, *memory, version = (
            _ANSWER.unpack(raw)
        )
        self._alive = end in (End.DONE, End.STOPPED)
        return Answer(
            End(end),
            reason,
            operations,
            misuses,
            replies,
            running,
            state if has_state else None,
            version.split(b"\0")[0].decode(errors="replace"),
            *memory,
        )

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
