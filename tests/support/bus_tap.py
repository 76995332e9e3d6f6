# SPDX-License-Identifier: Apache-2.0
"""Between the driver and the simulator's bus: keeps what the host sends, spoils what comes back."""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .bus import MORE_FRAGMENTS, PRIVATE, SERIAL, Frame, accept_between
from .classic import Message, messages
from .dialects import spoken
from .waiting import HANG_S, wait_for

# What becomes of a frame from the ESP32: the frames that arrive, and how many seconds later.
Spoil = Callable[[Frame], tuple[list[Frame], float]]


def untouched(frame: Frame) -> tuple[list[Frame], float]:
    return [frame], 0.0


class BusTap:
    """The bus that the driver connects to, in front of the simulator's own."""

    def __init__(self, path: Path, bus: Path) -> None:
        self.path = path
        self._bus = bus
        self._lock = threading.Lock()
        self._sent: list[bytes] = []  # messages of the host, whole
        self._begun = b""
        self._lives: list[list[bytes]] = [[]]  # its frames, by the starts of the ESP32
        self._spoil: Spoil = untouched
        self._late: list[tuple[float, bytes]] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(path))
        self._listener.listen()
        self._host: socket.socket | None = None
        self._esp32: socket.socket | None = None
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def spoil(self, spoil: Spoil) -> None:
        """From now on this happens to every control frame of the ESP32."""
        with self._lock:
            self._spoil = spoil

    def take_sent(self) -> list[bytes]:
        """What the host has sent since the last call: each a whole message, or what it began."""
        with self._lock:
            sent, self._sent = self._sent, []
        return sent

    @property
    def starts(self) -> int:
        """How often the ESP32 has said that it starts, since the last take_lives()."""
        with self._lock:
            return len(self._lives) - 1

    def take_lives(self) -> list[list[bytes]]:
        """The host's frames since the last call: a list up to each start of the ESP32, and one."""
        with self._lock:
            lives, self._lives = self._lives, [[]]
        return lives

    @property
    def connected(self) -> bool:
        return self._esp32 is not None

    def wait_connected(self) -> None:
        wait_for(lambda: self.connected, "the driver on the bus")

    def close(self) -> None:
        self._stopping = True
        self._thread.join(HANG_S)
        self._hang_up()
        self._listener.close()
        self._selector.close()

    # The thread

    def _serve(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(0.01 if self._late else 0.1):
                key.data()
            self._send_late()

    def _accept(self) -> None:
        ends = accept_between(self._listener, self._bus)
        if ends is None:
            return
        self._hang_up()
        self._host, self._esp32 = ends
        self._selector.register(self._host, selectors.EVENT_READ, self._on_host)
        self._selector.register(self._esp32, selectors.EVENT_READ, self._on_esp32)

    def _hang_up(self) -> None:
        for end in (self._host, self._esp32):
            if end is not None:
                self._selector.unregister(end)
                end.close()
        self._host = self._esp32 = None
        self._late.clear()
        self._begun = b""

    @staticmethod
    def _receive(end: socket.socket) -> bytes:
        try:
            return end.recv(4096)
        except OSError:
            return b""

    def _on_host(self) -> None:
        raw = self._receive(self._host) if self._host is not None else b""
        if not raw:
            self._hang_up()
            return
        with self._lock:
            self._lives[-1].append(raw)
        frame = Frame.decode(raw)
        if frame.interface == SERIAL:
            self._begun += frame.payload
            if not frame.flags & MORE_FRAGMENTS:
                with self._lock:
                    self._sent.append(self._begun)
                self._begun = b""
        self._send(self._esp32, raw)

    def _on_esp32(self) -> None:
        raw = self._receive(self._esp32) if self._esp32 is not None else b""
        if not raw:
            self._hang_up()
            return
        frame = Frame.decode(raw)
        if frame.interface != SERIAL:
            if frame.interface == PRIVATE:
                with self._lock:
                    self._lives.append([])
            self._send(self._host, raw)
            return
        with self._lock:
            frames, delay = self._spoil(frame)
        due = time.monotonic() + delay
        # The order is kept: what is behind a late frame is late as well.
        self._late += [(due, frame.encode()) for frame in frames]
        self._send_late()

    def _send_late(self) -> None:
        while self._late and self._late[0][0] <= time.monotonic():
            self._send(self._host, self._late.pop(0)[1])

    def _send(self, end: socket.socket | None, raw: bytes) -> None:
        if end is not None:
            with contextlib.suppress(OSError):
                end.send(raw)


def endpoints(sent: list[bytes]) -> list[str]:
    """The endpoint of each message that a host sent."""
    return [messages(raw)[0].endpoint.decode(errors="replace") for raw in sent]


def kind_of(frame: Frame) -> object:
    """Which request a frame of the ESP32 answers; None for a piece of a longer message."""
    try:
        found: list[Message] = messages(frame.payload)
    except (AssertionError, ValueError):
        return None
    return spoken(found[0]).kind
