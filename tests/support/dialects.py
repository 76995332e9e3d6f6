# SPDX-License-Identifier: Apache-2.0
"""The two dialects with one face, for tests that hold for both.

A kind is classic's `Kind` wherever both dialects have the request. A message of either dialect has
`raw`, `endpoint`, `kind`, `uid`, `result`, `get()`, `image_bytes` and `is_event`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from . import classic, ctrl
from .classic import Kind, field

MCU_ENDPOINTS = (b"RPCRsp", b"RPCEvt")


class ClassicMessage(classic.Message):
    """Has no numbers to pair requests with answers."""

    uid = 0
    is_event = False


class CtrlMessage(ctrl.Message):
    """Names its requests as classic does, where classic has them."""

    @property
    def kind(self) -> IntEnum:
        kind = super().kind
        return Kind.__members__.get(kind.name, kind)

    @property
    def image_bytes(self) -> bytes:
        return self.get(1) or b""


class McuMessage(classic.Message):
    """Is recognised, and no more."""

    uid = 0
    is_event = False
    kind = None


Message = ClassicMessage | CtrlMessage | McuMessage


def spoken(message: classic.Message) -> Message:
    """The message as its endpoint says that it is meant."""
    parts = (message.raw, message.endpoint, message.body)
    if message.endpoint in (ctrl.RESPONSES, ctrl.EVENTS):
        return CtrlMessage(*parts)
    if message.endpoint in MCU_ENDPOINTS:
        return McuMessage(*parts)
    return ClassicMessage(*parts)


@dataclass(frozen=True)
class Dialect:
    """How one kind of firmware writes what the tests make it say."""

    name: str
    endpoint: bytes
    # kind, result, the encoded fields ahead of the result, number of the request
    answer: Callable[..., bytes]

    def __str__(self) -> str:
        return self.name

    def answer_to(self, request: Message, result: int = 0, before: bytes = b"") -> bytes:
        return self.answer(request.kind, result, before, request.uid or 0)

    def mode(self, uid: int = 0, mode: int = 1) -> bytes:
        """An answer to the Wi-Fi mode request, of a stock firmware."""
        return self.answer(Kind.GET_MODE, 0, field(1, mode), uid)


def _classic_answer(kind: Kind, result: int = 0, before: bytes = b"", uid: int = 0) -> bytes:
    return classic.answer(kind, result, before)


def ctrl_reply(number: int, payload: bytes | None, uid: int = 0) -> bytes:
    """A reply with this number; `None` has no submessage."""
    body = field(1, ctrl.REPLY) + field(2, number)
    body += field(3, uid) if uid else b""
    body += b"" if payload is None else field(number, payload)
    return ctrl.frame(body)


def ctrl_event(number: int, payload: bytes = b"") -> bytes:
    return ctrl.frame(field(1, ctrl.EVENT) + field(2, number) + field(number, payload), ctrl.EVENTS)


def _ctrl_answer(kind: IntEnum, result: int = 0, before: bytes = b"", uid: int = 0) -> bytes:
    kind = ctrl.Kind[kind.name]
    payload = before
    if result:  # zeros are left out
        payload += field(ctrl.RESULT_FIELD.get(kind, 1), result)
    return ctrl_reply(kind + 100, payload, uid)


CLASSIC = Dialect("classic", classic.ENDPOINT, _classic_answer)
CTRL = Dialect("ctrl", ctrl.RESPONSES, _ctrl_answer)
DIALECTS = (CLASSIC, CTRL)


def dialect_of(message: Message) -> Dialect:
    return CTRL if isinstance(message, CtrlMessage) else CLASSIC


def answer_to(request: Message, result: int = 0, before: bytes = b"") -> bytes:
    """An answer in the dialect of the request, with its number."""
    return dialect_of(request).answer_to(request, result, before)
