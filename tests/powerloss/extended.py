# SPDX-License-Identifier: Apache-2.0
"""A host of the extension, right at the bus: for what no tool would ask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from support import classic, ctrl
from support.bus import Bus
from support.classic import Kind, field, fields, varint
from support.dialects import spoken

CHUNK = 4000
DONE = 0
REQUEST = 100  # field of a request's submessage
BEGIN, WRITE, END, STATUS, DIGESTS, ABORT, CONFIRM, ROLLBACK = range(1, 9)


@dataclass(frozen=True)
class Reply:
    """`code` is None where the answer carries no reply of the extension."""

    code: Optional[int]
    next: Optional[int]


class ExtendedHost:
    def __init__(self, bus: Path, dialect: str) -> None:
        self._bus = Bus(bus)
        self._ctrl = dialect == "ctrl"
        self._uid = 0
        self._bus.receive_init()

    def __enter__(self) -> ExtendedHost:
        return self

    def __exit__(self, *_: object) -> None:
        self._bus.close()

    def ask(self, kind: Kind, what: int, body: bytes = b"", before: bytes = b"") -> Reply:
        """One request of the extension on the message `kind`, and its reply."""
        payload = before + field(REQUEST, field(what, body))
        self._uid += 1
        if self._ctrl:
            self._bus.send_message(ctrl.request(ctrl.Kind[kind.name], payload, self._uid))
        else:
            self._bus.send_message(classic.request(kind, payload))
        while True:
            message = spoken(self._receive())
            if not message.is_event:
                break
        raw = message.get(101 if kind is Kind.GET_MODE else 100)
        if not isinstance(raw, bytes):
            return Reply(None, None)
        found = dict(fields(raw))
        return Reply(int(found.get(1, 0)), found.get(5))

    def _receive(self) -> classic.Message:
        message: classic.Message = self._bus.receive_message()
        return message

    def update(self, image: bytes, trial_s: int = 0) -> int:
        """A whole session; the code of its end."""
        begin = varint_field(5, len(image))
        reply = self.ask(Kind.OTA_BEGIN, BEGIN, begin)
        for at in range(0, len(image), CHUNK):
            if reply.code != DONE:
                return -1 if reply.code is None else reply.code
            where = varint_field(1, at) + varint_field(2, len(image))
            data = field(1, image[at : at + CHUNK])
            reply = self.ask(Kind.OTA_WRITE, WRITE, where, data)
        end = varint_field(1, len(image))
        end += varint_field(3, trial_s) if trial_s else b""
        reply = self.ask(Kind.OTA_END, END, end)
        return -1 if reply.code is None else reply.code

    def confirm(self, version: str) -> Optional[int]:
        return self.ask(Kind.GET_MODE, CONFIRM, field(1, version.encode())).code

    def roll_back(self) -> Optional[int]:
        return self.ask(Kind.GET_MODE, ROLLBACK).code


def varint_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)
