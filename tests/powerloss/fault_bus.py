# SPDX-License-Identifier: Apache-2.0
"""The bus between driver and ESP32, which spoils one message of one direction.

A message is what the control path says at once, in one or more frames. Messages are counted from 1,
for each direction by itself, from the moment on that a fault is asked for.
"""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from support.bus import MORE_FRAGMENTS, SERIAL, Frame, accept_between
from support.waiting import HANG_S, wait_for

TO_ESP32, TO_HOST = "to-esp32", "to-host"
DIRECTIONS = (TO_ESP32, TO_HOST)


@dataclass
class Wire:
    """One direction."""

    name: str
    count: int = 0  # whole messages so far
    begun: list[bytes] = field(default_factory=list)  # raw frames of the message on its way
    held: list[bytes] = field(default_factory=list)  # waits for the next message


# What becomes of a message: its frames, and those that take their place at once.
Fault = Callable[["FaultBus", Wire, list[bytes]], list[bytes]]


def drop(bus: FaultBus, wire: Wire, frames: list[bytes]) -> list[bytes]:
    return []


def repeat(bus: FaultBus, wire: Wire, frames: list[bytes]) -> list[bytes]:
    return frames + frames


def swap(bus: FaultBus, wire: Wire, frames: list[bytes]) -> list[bytes]:
    """The next message of this direction overtakes it."""
    wire.held = frames
    return []


def cut(bus: FaultBus, wire: Wire, frames: list[bytes]) -> list[bytes]:
    """Its second half is lost. Of one frame the length is made right: a shorter message."""
    if len(frames) > 1:
        return frames[: len(frames) // 2]
    frame = Frame.decode(frames[0])
    payload = frame.payload[: len(frame.payload) // 2]
    short = Frame(frame.interface, payload, frame.flags, frame.sequence, frame.packet_type)
    return [short.encode()]


def _flipped(bus: FaultBus, frames: list[bytes], at_least: int) -> list[bytes]:
    index = bus.random.randrange(len(frames))
    raw = bytearray(frames[index])
    raw[bus.random.randrange(at_least, len(raw))] ^= 1 << bus.random.randrange(8)
    return [*frames[:index], bytes(raw), *frames[index + 1 :]]


def corrupt(bus: FaultBus, wire: Wire, frames: list[bytes]) -> list[bytes]:
    """One bit flips, which the checksum shows."""
    return _flipped(bus, frames, 0)


def mangle(bus: FaultBus, wire: Wire, frames: list[bytes]) -> list[bytes]:
    """One bit of the payload flips, and the checksum fits: nobody on the way can see it."""
    spoiled = []
    for raw in _flipped(bus, frames, 12):
        bare = bytearray(raw)
        bare[6:8] = b"\0\0"
        bare[6:8] = (sum(bare) & 0xFFFF).to_bytes(2, "little")
        spoiled.append(bytes(bare))
    return spoiled


def delay(seconds: float) -> Fault:
    def fault(bus: FaultBus, wire: Wire, frames: list[bytes]) -> list[bytes]:
        """What is behind it waits as well."""
        bus.pause(wire, time.monotonic() + seconds)
        return frames

    return fault


class FaultBus:
    """What the driver connects to, in front of the simulator's own bus."""

    def __init__(self, path: Path, bus: Path, seed: str = "") -> None:
        self.path = path
        self.random = random.Random(seed)
        self.seen = {name: 0 for name in DIRECTIONS}  # messages since fault()
        self.happened = False
        self._bus = bus
        self._lock = threading.Lock()
        self._fault: Optional[Fault] = None
        self._on: Optional[tuple[str, int]] = None
        self._before: Optional[Callable[[], None]] = None
        self._content: Optional[bytes] = None
        self._wires = {name: Wire(name) for name in DIRECTIONS}
        self._late: dict[str, list[bytes]] = {name: [] for name in DIRECTIONS}
        self._until = dict.fromkeys(DIRECTIONS, 0.0)
        self._ends: dict[str, socket.socket] = {}  # by the direction that they read
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(path))
        self._listener.listen()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._wake, wake = socket.socketpair()
        self._selector.register(wake, selectors.EVENT_READ, self._on_wake)
        self._woken = wake
        self._releasing = False
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def fault(self, direction: str, number: int, fault: Fault) -> None:
        """The `number`-th message from now on is spoiled; all others arrive."""
        with self._lock:
            self._arm(direction, number)
            self._fault = fault

    def before(self, direction: str, number: int, action: Callable[[], None]) -> None:
        """`action` is over before the `number`-th message from now on is handed on."""
        with self._lock:
            self._arm(direction, number)
            self._before = action

    def lose(self, direction: str, content: bytes, then: Callable[[], None]) -> None:
        """The first message from now on that has this in it is lost, after `then`."""

        def lost(bus: FaultBus, wire: Wire, frames: list[bytes]) -> list[bytes]:
            then()
            return []

        with self._lock:
            self._arm(direction, 0)
            self._content = content
            self._fault = lost

    def _arm(self, direction: str, number: int) -> None:
        self._on = (direction, number)
        self._fault = self._before = None
        self._content = None
        self.happened = False
        for wire in self._wires.values():
            wire.count = 0
        self.seen = {name: 0 for name in DIRECTIONS}

    def pause(self, wire: Wire, until: float) -> None:
        self._until[wire.name] = until

    def release(self) -> None:
        """The fault is over: what is still held back arrives, and all else from now on."""
        with self._lock:
            self._on = None
            self._releasing = True
        self._wake.send(b"x")

    def wait_connected(self) -> None:
        wait_for(lambda: len(self._ends) == 2, "the driver on the bus")

    def close(self) -> None:
        self._stopping = True
        self._wake.send(b"x")
        self._thread.join(HANG_S)
        self._hang_up()
        for end in (self._listener, self._wake, self._woken):
            end.close()
        self._selector.close()

    # The thread

    def _serve(self) -> None:
        while not self._stopping:
            due = [self._until[name] for name in DIRECTIONS if self._late[name]]
            wait = max(0.0, min(due) - time.monotonic()) if due else None
            for key, _ in self._selector.select(wait):
                key.data()
            for name in DIRECTIONS:
                self._send_late(name)

    def _on_wake(self) -> None:
        self._woken.recv(64)
        if self._releasing:
            self._releasing = False
            for wire in self._wires.values():
                held, wire.held = wire.held, []
                self._put(wire.name, held)

    def _accept(self) -> None:
        ends = accept_between(self._listener, self._bus)
        if ends is None:
            return
        self._hang_up()
        self._ends = dict(zip(DIRECTIONS, ends))
        for name, end in self._ends.items():
            self._selector.register(
                end, selectors.EVENT_READ, lambda name=name: self._on_frame(name)
            )

    def _hang_up(self) -> None:
        for end in self._ends.values():
            self._selector.unregister(end)
            end.close()
        self._ends = {}
        for wire in self._wires.values():
            wire.begun, wire.held = [], []
            self._late[wire.name] = []

    def _on_frame(self, name: str) -> None:
        try:
            raw = self._ends[name].recv(4096) if name in self._ends else b""
        except OSError:
            raw = b""
        if not raw:
            self._hang_up()
            return
        frame = Frame.decode(raw)
        if frame.interface != SERIAL:
            self._put(name, [raw])
            return
        wire = self._wires[name]
        wire.begun.append(raw)
        if not frame.flags & MORE_FRAGMENTS:
            frames, wire.begun = wire.begun, []
            self._on_message(wire, frames)

    def _on_message(self, wire: Wire, frames: list[bytes]) -> None:
        with self._lock:
            wire.count += 1
            self.seen[wire.name] = wire.count
            hit = self._on == (wire.name, wire.count) or self._is_wanted(wire, frames)
            fault, before = self._fault, self._before
        if hit:
            self.happened = True
            if before is not None:
                before()
            if fault is not None:
                self._put(wire.name, fault(self, wire, frames))
                return
        held, wire.held = wire.held, []
        self._put(wire.name, frames + held)

    def _is_wanted(self, wire: Wire, frames: list[bytes]) -> bool:
        if self._content is None or self._on is None or self._on[0] != wire.name or self.happened:
            return False
        return self._content in b"".join(Frame.decode(raw).payload for raw in frames)

    def _put(self, name: str, frames: list[bytes]) -> None:
        self._late[name] += frames
        self._send_late(name)

    def _send_late(self, name: str) -> None:
        if time.monotonic() < self._until[name]:
            return
        other = TO_HOST if name == TO_ESP32 else TO_ESP32
        frames, self._late[name] = self._late[name], []
        for raw in frames:
            if other in self._ends:
                with contextlib.suppress(OSError):
                    self._ends[other].send(raw)


FAULTS: dict[str, Fault] = {
    "drop": drop,
    "repeat": repeat,
    "swap": swap,
    "cut": cut,
    "corrupt": corrupt,
    "mangle": mangle,
    "delay": delay(0.3),
}
