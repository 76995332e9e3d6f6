# SPDX-License-Identifier: Apache-2.0
"""A script of a device that says it has the extension: for answers that no firmware would give."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from .classic import Kind, field, fields
from .dialects import Message, answer_to
from .terminal import Terminal

# Request.what
BEGIN, WRITE, END, STATUS, DIGESTS, ABORT, CONFIRM, ROLLBACK = range(1, 9)
ALL_FEATURES = 7
CAN_WINDOW = 16

Fields = dict[int, int | bytes]
# The content of a request, to the content of its Reply.
Answer = Callable[[Fields], bytes]


class ExtendedDevice(Terminal):
    """Takes everything, and holds nothing but what was sent; `on` exchanges single answers."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.on: dict[int, Answer] = {}
        self.version = b"1.0.0"
        self.slot = b"ota_0"
        self.features = ALL_FEATURES
        self.window: int | None = None
        self.slot_size = 1 << 20
        self.seen: list[tuple[int, Fields]] = []
        self.flash = bytearray(b"\xff" * (1 << 20))
        self.sent = 0  # bytes of all writes
        self.can_roll_back: int | None = 1  # None: it is not known yet
        self.silent = False  # from the next request on
        self.on_trial = False
        self.start()

    def identity(self) -> bytes:
        return (
            field(1, 0)
            + field(2, self.slot_size)
            + field(3, self.slot)
            + field(4, b"network_adapter")
            + field(5, self.version)
            + (b"" if self.can_roll_back is None else field(6, self.can_roll_back))
            + field(7, self.features)
            + field(8, int(self.on_trial))
            + (b"" if self.window is None else field(9, self.window))
        )

    def end(self, content: Fields) -> bytes:
        """The new firmware runs, on trial if that was asked for."""
        self.slot, self.version = b"ota_1", b"2.0.0"
        self.on_trial = content.get(3, 0) > 0
        return field(1, 0)

    def _reply(self, what: int, content: Fields, data: bytes) -> bytes:
        if what in self.on:
            return self.on[what](content)
        if what == WRITE:
            at = content.get(1, 0)
            self.flash[at : at + len(data)] = data
            return field(1, 0) + field(5, at + len(data))
        if what == DIGESTS:
            at, block, count = content.get(1, 0), content[2], content[3]
            end = content.get(4, self.slot_size)
            found = b""
            while count and at < end:
                found += hashlib.sha256(self.flash[at : min(at + block, end)]).digest()
                at, count = at + block, count - 1
            return field(1, 0) + field(7, found)
        if what == STATUS:
            return field(1, 0) + field(6, b"")
        if what == END:
            return self.end(content)
        if what == CONFIRM:
            self.on_trial = False
        return field(1, 0)

    def _on_request(self, message: Message) -> None:
        if self.silent:
            return
        before = b""
        tag = 100
        if message.kind is Kind.GET_MODE:
            tag = 101
            before = field(1, 1) + field(100, self.identity())
        elif message.kind is Kind.OTA_WRITE:
            self.sent += len(message.image_bytes)
        request = message.get(100)
        if isinstance(request, bytes):
            what, content = fields(request)[0]
            found = dict(fields(content))
            self.seen.append((what, found))
            reply = self._reply(what, found, message.image_bytes if what == WRITE else b"")
            payload = field(tag, reply)
            if message.kind is Kind.GET_MODE:
                before += payload
            else:
                self._send(answer_to(message, 0, payload))
                return
        self._send(answer_to(message, 0, before))
