# SPDX-License-Identifier: Apache-2.0
"""A pty that stands where a tool expects the control device, served by a thread."""

import os
import secrets
import selectors
import threading
import tty
from collections import deque
from collections.abc import Callable
from pathlib import Path

from .classic import Kind, Splitter
from .dialects import Message, spoken
from .waiting import HANG_S, wait_for


class Terminal:
    """The device's end of a pty: records what tools send, and lets a subclass answer.

    Tools open `path`, a symlink, as they open /dev/esps0. The slave stays open here too, so that
    the pty outlives each tool, as a character device does. Methods without an underscore are for
    the test's thread; the others run in the terminal's own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        path.symlink_to(os.ttyname(self._slave))

        self._lock = threading.Condition()
        self._captured = bytearray()
        self._taken = 0  # bytes of the capture that went to the splitter
        self._requests: list[Message] = []
        self._broken: str | None = None
        self._splitter = Splitter()
        self._marker: bytes | None = None

        self._to_tool = bytearray()
        self._calls: deque[Callable[[], None]] = deque()
        self._wake_read, self._wake_write = os.pipe()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._run_calls)
        self._selector.register(self._master, selectors.EVENT_READ, self._on_master)
        self._stopping = False
        self._closed = False
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        self._thread.start()

    # What the test asks

    @property
    def captured(self) -> bytes:
        """Every byte that tools have sent."""
        self.settle()
        with self._lock:
            return bytes(self._captured)

    @property
    def requests(self) -> list[Message]:
        """Every whole message that tools have sent; anything else in between fails the test."""
        self.settle()
        with self._lock:
            assert self._broken is None, self._broken
            return list(self._requests)

    def kinds(self) -> list[Kind]:
        return [message.kind for message in self.requests]

    def sent_image(self) -> bytes:
        """All image bytes of all writes, in order."""
        return b"".join(m.image_bytes for m in self.requests if m.kind is Kind.OTA_WRITE)

    def wait_request(self, kind: Kind, nth: int = 1) -> None:
        """Waits until the `nth` request of this kind has come in."""

        def seen() -> bool:
            with self._lock:
                return sum(m.kind is kind for m in self._requests) >= nth

        wait_for(seen, f"request {kind.name} number {nth}")

    def inject(self, data: bytes) -> None:
        """Puts bytes into the queue that the next tool will find."""
        self.call(lambda: self._send(data))
        wait_for(lambda: not self._to_tool, "room in the queue of the pty")

    def vanish(self) -> None:
        """The device node goes away under the tool."""
        self.call(self._vanish)

    def call(self, function: Callable[[], None]) -> None:
        """Runs `function` in the terminal's thread and waits for it."""
        done = threading.Event()
        self._calls.append(lambda: (function(), done.set()))
        os.write(self._wake_write, b"!")
        assert done.wait(HANG_S), "the terminal's thread hangs"

    def settle(self) -> None:
        """Waits until every byte written so far has been seen here.

        The kernel hands bytes of a pty over in order: a mark written behind them tells.
        """
        marker = b"<mark " + secrets.token_hex(16).encode() + b">"
        with self._lock:
            if self._slave < 0 or not self._thread.is_alive():
                return
            self._marker = marker
            os.write(self._slave, marker)
        wait_for(
            lambda: self._marker is None or self._slave < 0,
            "the mark at the end of what the tool sent",
        )

    def close(self) -> None:
        """May be called again."""
        if self._closed:
            return
        self._closed = True
        if self._thread.is_alive():
            self.call(self._stop)
            self._thread.join(HANG_S)
        self._vanish()
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._selector.close()

    # The thread

    def _serve(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select():
                key.data()

    def _stop(self) -> None:
        self._stopping = True

    def _run_calls(self) -> None:
        os.read(self._wake_read, 4096)
        while self._calls:
            self._calls.popleft()()

    def _on_master(self) -> None:
        self._flush()
        try:
            data = os.read(self._master, 65536)
        except BlockingIOError:
            return
        except OSError:  # the slave is gone
            self._vanish()
            return
        with self._lock:
            self._captured += data
            data = bytes(self._captured[self._taken : self._unmarked()])
            self._taken += len(data)
        self._take(data)

    def _unmarked(self) -> int:
        """How far the capture reaches without a mark, whole or begun, at its end."""
        if self._marker is None:
            return len(self._captured)
        if self._captured.endswith(self._marker):
            del self._captured[-len(self._marker) :]
            self._marker = None
            return len(self._captured)
        begun = next(
            n for n in range(len(self._marker), -1, -1) if self._captured.endswith(self._marker[:n])
        )
        return len(self._captured) - begun

    def _take(self, data: bytes) -> None:
        if self._broken is not None:
            return
        try:
            found = self._splitter.feed(data)
        except ValueError as error:
            self._broken = f"the tool sent what is no message: {error}"
            return
        for message in map(spoken, found):
            with self._lock:
                self._requests.append(message)
            self._on_request(message)

    def _on_request(self, message: Message) -> None:
        raise NotImplementedError

    def _send(self, data: bytes) -> None:
        """Towards the tool; what does not fit into the pty waits here."""
        self._to_tool += data
        self._flush()

    def _flush(self) -> None:
        while self._to_tool and self._master >= 0:
            try:
                written = os.write(self._master, self._to_tool)
            except BlockingIOError:
                break
            del self._to_tool[:written]
        if self._master >= 0:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._to_tool else 0)
            self._selector.modify(self._master, wanted, self._on_master)

    def _vanish(self) -> None:
        if self._master < 0:
            return
        self._selector.unregister(self._master)
        self.path.unlink(missing_ok=True)
        with self._lock:
            for fd in (self._master, self._slave):
                os.close(fd)
            self._master = self._slave = -1
            self._marker = None
