# SPDX-License-Identifier: Apache-2.0
"""The ctrl control path on the wire, written down a second time.

The tests must not trust the product's own encoder, so this is another one. Framing and protobuf
are the classic path's; the endpoints, the envelope and the numbers are this one's.
"""

from dataclasses import dataclass
from enum import IntEnum

from . import classic
from .classic import field as field
from .classic import fields

RESPONSES, EVENTS = b"ctrlResp", b"ctrlEvnt"

REQUEST, REPLY, EVENT = 1, 2, 3


class Kind(IntEnum):
    """Message numbers; a reply has the number of its request plus 100."""

    GET_MAC = 101
    SET_MAC = 102
    GET_MODE = 103
    SET_MODE = 104
    SCAN = 105
    GET_AP = 106
    CONNECT_AP = 107
    DISCONNECT_AP = 108
    GET_SOFT_AP = 109
    SET_VENDOR_IE = 110
    START_SOFT_AP = 111
    GET_STATIONS = 112
    STOP_SOFT_AP = 113
    SET_POWER_SAVE = 114
    GET_POWER_SAVE = 115
    OTA_BEGIN = 116
    OTA_WRITE = 117
    OTA_END = 118
    SET_TX_POWER = 119
    GET_TX_POWER = 120
    SET_HEARTBEAT = 121
    SET_FEATURE = 122
    GET_VERSION = 123
    SET_COUNTRY = 124
    GET_COUNTRY = 125
    CUSTOM = 126
    SET_DHCP = 127
    GET_DHCP = 128

    STARTED = 301
    HEARTBEAT = 302
    DISCONNECTED = 303
    CONNECTED = 305


# Where the reply carries its result, by request; every other one has it in field 1.
RESULT_FIELD = {
    Kind.GET_MAC: 2,
    Kind.GET_MODE: 2,
    Kind.SCAN: 3,
    Kind.GET_AP: 6,
    Kind.GET_SOFT_AP: 8,
    Kind.GET_STATIONS: 3,
    Kind.GET_POWER_SAVE: 2,
    Kind.GET_TX_POWER: 2,
}


def frame(body: bytes, endpoint: bytes = RESPONSES) -> bytes:
    return classic.frame(body, endpoint)


def request(
    kind: int, payload: bytes | None = b"", uid: int | None = 1, msg_type: int | None = None
) -> bytes:
    """A request; `None` leaves a part out altogether."""
    body = b"" if msg_type is None else field(1, msg_type)
    body += field(2, kind)
    body += b"" if uid is None else field(3, uid)
    body += b"" if payload is None else field(kind, payload)
    return frame(body)


def signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


@dataclass(frozen=True)
class Message:
    """One message as it was on the wire, in either direction."""

    raw: bytes
    endpoint: bytes
    body: bytes

    @classmethod
    def of(cls, message: classic.Message) -> "Message":
        return cls(message.raw, message.endpoint, message.body)

    def _envelope(self, number: int) -> int | bytes | None:
        return next((value for tag, value in fields(self.body) if tag == number), None)

    @property
    def type(self) -> int:
        return self._envelope(1) or 0

    @property
    def number(self) -> int:
        return self._envelope(2) or 0

    @property
    def uid(self) -> int | None:
        """As an int32; None where there is none."""
        uid = self._envelope(3)
        return None if uid is None else signed(uid)

    @property
    def is_event(self) -> bool:
        return self.endpoint == EVENTS

    @property
    def kind(self) -> Kind:
        """The request, or the request that this answers, or the event."""
        return Kind(self.number - 100 if 200 < self.number < 300 else self.number)

    @property
    def payload(self) -> list[tuple[int, int | bytes]]:
        """The fields of the submessage; none when the message has no submessage."""
        return fields(self._envelope(self.number) or b"")

    def get(self, number: int) -> int | bytes | None:
        """One field of the submessage."""
        return next((value for tag, value in self.payload if tag == number), None)

    @property
    def result(self) -> int:
        """A reply's result, signed; absent is 0."""
        return signed(self.get(RESULT_FIELD.get(self.kind, 1)) or 0)


def without_extension(message: Message) -> bytes:
    """The message as stock firmware would have sent it: fields from 100 up taken out."""
    body = b""
    for number, value in fields(message.body):
        if number == message.number:
            value = b"".join(field(n, v) for n, v in fields(value) if n < 100)
        body += field(number, value)
    return frame(body, message.endpoint)


def messages(data: bytes) -> list[Message]:
    """All messages of a stream that must end with a whole one."""
    return [Message.of(message) for message in classic.messages(data)]
