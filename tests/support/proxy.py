# SPDX-License-Identifier: Apache-2.0
"""Between a tool and the control device: hands every message on, but for those with a fault."""

import os
import selectors
import tty
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from . import ctrl
from .classic import Kind, Splitter
from .dialects import Message, answer_to, ctrl_event, spoken
from .terminal import Terminal
from .waiting import wait_for

Handler = Callable[[Message], None]

RESTARTED = ctrl_event(ctrl.Kind.STARTED)


class FaultProxy(Terminal):
    """Opens the real control device, and shows tools another one.

    A fault is a handler for the n-th request or answer of a kind, counted from 1; it runs instead
    of handing the message on. `forward`, `deliver`, `refuse` and so on are what it may do, and they
    are ready-made handlers too. Answers stay in order: those behind one that is held are held too.
    """

    def __init__(self, device: Path, path: Path) -> None:
        super().__init__(path)
        self._device = os.open(device, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._device)
        self._answers = Splitter()
        self._handlers: dict[tuple[str, Kind, int], Handler] = {}
        self._lost_from: dict[Kind, int] = {}
        self._counts: Counter[tuple[str, Kind]] = Counter()
        self._held: list[bytes] = []
        self._mute = False
        self._selector.register(self._device, selectors.EVENT_READ, self._on_device)
        self.start()

    # What the test asks for

    def on_request(self, kind: Kind, handler: Handler, nth: int = 1) -> None:
        self._handlers["request", kind, nth] = handler

    def on_answer(self, kind: Kind, handler: Handler, nth: int = 1) -> None:
        self._handlers["answer", kind, nth] = handler

    def drop_answers(self, kind: Kind, first: int) -> None:
        """That one and all behind it: a single lost answer to a write is made good by the next."""
        self._lost_from[kind] = first

    def reset(self) -> None:
        """As new: no fault, nothing recorded, nothing held, and no half message of a tool that was
        killed while it wrote one: a driver gets each write whole."""
        self.settle()

        def clear() -> None:
            self._handlers.clear()
            self._lost_from.clear()
            self._counts.clear()
            self._held.clear()
            self._mute = False
            self._splitter = Splitter()
            with self._lock:
                self._captured.clear()
                self._taken = 0
                self._requests.clear()

        self.call(clear)

    def release(self) -> None:
        """Lets go of the answers that `hold` kept back."""
        self.call(self._release)

    def release_next(self) -> None:
        """Waits until `hold` has an answer, and lets it go."""
        self.wait_held()
        self.release()

    def wait_answer(self, kind: Kind, nth: int = 1) -> None:
        """Waits until the device has answered the `nth` request of this kind."""
        wait_for(lambda: self._counts["answer", kind] >= nth, f"answer {kind.name} number {nth}")

    def hold_first_question_after(self, kind: Kind) -> None:
        """Keeps the answer to the first Wi-Fi mode request after the answer to `kind` back."""
        self._first_question_after(kind, "answer", self.hold)

    def gone_at_first_question_after(self, kind: Kind) -> None:
        """The device node vanishes at the first Wi-Fi mode request after the answer to `kind`."""
        self._first_question_after(kind, "request", self.gone)

    def _first_question_after(self, kind: Kind, way: str, fault: Handler) -> None:
        def handler(message: Message) -> None:
            nth = self._counts[way, Kind.GET_MODE] + 1
            self._handlers[way, Kind.GET_MODE, nth] = fault
            self.deliver(message)

        self.on_answer(kind, handler)

    def wait_held(self) -> None:
        wait_for(lambda: self._held, "an answer to hold back")

    # Faults

    def forward(self, message: Message) -> None:
        """To the device."""
        os.write(self._device, message.raw)

    def deliver(self, message: Message) -> None:
        """To the tool."""
        self._send(message.raw)

    def drop(self, message: Message) -> None:
        """Lost on its way. The next one may get through."""

    def mute(self, message: Message) -> None:
        """Lost, and from now on the device is silent."""
        self._mute = True

    def hold(self, message: Message) -> None:
        """Kept back until release()."""
        self._held.append(message.raw)

    def twice(self, message: Message) -> None:
        self._send(message.raw * 2)

    def refuse(self, message: Message) -> None:
        """The device says no; it does not get the request at all."""
        self._send(answer_to(message, -1))

    def gone(self, message: Message) -> None:
        """The device node vanishes."""
        self._vanish()

    def cut(self, length: int) -> Handler:
        """Only the first `length` bytes arrive, and nothing ever again."""

        def handler(message: Message) -> None:
            self._send(message.raw[:length])
            self._mute = True

        return handler

    def in_pieces(self, message: Message) -> None:
        """Byte by byte, each in a write of its own."""
        for byte in message.raw:
            self._send(bytes((byte,)))

    def behind(self, data: bytes | Callable[[Message], bytes]) -> Handler:
        """Other bytes arrive first."""
        return lambda message: self._send(
            (data if isinstance(data, bytes) else data(message)) + message.raw
        )

    def instead(self, data: bytes | Callable[[Message], bytes]) -> Handler:
        """Other bytes arrive in its place, perhaps made to fit it."""
        return lambda message: self._send(data if isinstance(data, bytes) else data(message))

    def restart(self, message: Message) -> None:
        """The device says that it has started anew; it does not get the request."""
        self._send(RESTARTED)

    # The thread

    def _on_request(self, message: Message) -> None:
        if not self._mute:
            self._handle("request", message, self.forward)

    def _on_device(self) -> None:
        try:
            data = os.read(self._device, 65536)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(self._device)
            return
        for message in map(spoken, self._answers.feed(data)):
            if not self._mute:
                self._handle("answer", message, self._usual(message))

    def _usual(self, message: Message) -> Handler:
        """What becomes of an answer or an event that has no handler of its own."""
        nth = self._counts["answer", message.kind] + 1
        if nth >= self._lost_from.get(message.kind, nth + 1):
            return self.drop
        return self.hold if self._held else self.deliver

    def _handle(self, direction: str, message: Message, otherwise: Handler) -> None:
        nth = self._counts[direction, message.kind] + 1
        self._handlers.get((direction, message.kind, nth), otherwise)(message)
        self._counts[direction, message.kind] = nth

    def _release(self) -> None:
        for raw in self._held:
            self._send(raw)
        self._held.clear()

    def close(self) -> None:
        if not self._closed:
            super().close()
            os.close(self._device)
