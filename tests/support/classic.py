# SPDX-License-Identifier: Apache-2.0
"""The classic control path on the wire, written down a second time.

The tests must not trust the product's own encoder, so this is another one. It knows just enough to
cut a byte stream into messages, to name them, and to make answers.
"""

from dataclasses import dataclass
from enum import IntEnum

ENDPOINT = b"control"


class Kind(IntEnum):
    """Message numbers; an answer has the number of its request plus one."""

    GET_MAC = 0
    GET_MODE = 2
    SET_MODE = 4
    GET_AP = 6
    CONNECT_AP = 8
    GET_SOFT_AP = 10
    SET_SOFT_AP = 12
    DISCONNECT_AP = 14
    STOP_SOFT_AP = 16
    SCAN = 18
    GET_STATIONS = 20
    SET_MAC = 22
    SET_POWER_SAVE = 24
    GET_POWER_SAVE = 26
    OTA_BEGIN = 28
    OTA_WRITE = 30
    OTA_END = 32
    SET_VENDOR_IE = 34
    SET_TX_POWER = 36
    GET_TX_POWER = 38


# Where the answer carries its result, by request; every other one has it in field 1.
RESULT_FIELD = {
    Kind.GET_MAC: 2,
    Kind.GET_MODE: 2,
    Kind.GET_AP: 6,
    Kind.GET_SOFT_AP: 8,
    Kind.SCAN: 3,
    Kind.GET_STATIONS: 3,
    Kind.GET_POWER_SAVE: 2,
    Kind.GET_TX_POWER: 2,
}


def varint(value: int) -> bytes:
    """A protobuf varint; negative numbers take ten bytes, as int32 does."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where the next thing starts."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data: bytes) -> list[tuple[int, int | bytes]]:
    """The fields of one protobuf message, in order: (number, varint or bytes)."""
    found: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag & 7 == 0:
            value, at = read_varint(data, at)
            found.append((tag >> 3, value))
        elif tag & 7 == 2:
            length, at = read_varint(data, at)
            if at + length > len(data):
                raise ValueError("a field leaves its message")
            found.append((tag >> 3, data[at : at + length]))
            at += length
        else:
            raise ValueError(f"wire type {tag & 7}, which this protocol never uses")
    return found


def field(number: int, value: int | bytes) -> bytes:
    """One encoded field."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def frame(body: bytes, endpoint: bytes = ENDPOINT) -> bytes:
    """Endpoint and data, as the control device carries them."""
    return (
        b"\x01"
        + len(endpoint).to_bytes(2, "little")
        + endpoint
        + b"\x02"
        + len(body).to_bytes(2, "little")
        + body
    )


def request(kind: Kind, payload: bytes | None = None) -> bytes:
    body = field(1, kind)
    if payload is not None:
        body += field(10 + kind, payload)
    return frame(body)


def answer(kind: Kind, result: int = 0, before: bytes = b"") -> bytes:
    """The answer to a request of `kind`; `before` are its encoded fields ahead of the result."""
    payload = before + field(RESULT_FIELD.get(kind, 1), result)
    return frame(field(1, kind + 1) + field(11 + kind, payload))


@dataclass(frozen=True)
class Message:
    """One message as it was on the wire, in either direction."""

    raw: bytes
    endpoint: bytes
    body: bytes

    @property
    def number(self) -> int:
        return next((value for tag, value in fields(self.body) if tag == 1), 0)

    @property
    def is_answer(self) -> bool:
        return self.number % 2 == 1

    @property
    def kind(self) -> Kind:
        """The request, or the request that this answers."""
        return Kind(self.number & ~1)

    @property
    def payload(self) -> list[tuple[int, int | bytes]]:
        """The fields of the submessage; none when the message has no submessage."""
        tag = 10 + self.number
        return next((fields(value) for number, value in fields(self.body) if number == tag), [])

    def get(self, number: int) -> int | bytes | None:
        """One field of the submessage."""
        return next((value for tag, value in self.payload if tag == number), None)

    @property
    def result(self) -> int:
        """An answer's result, signed."""
        value = self.get(RESULT_FIELD.get(self.kind, 1)) or 0
        return value - (1 << 64) if value >> 63 else value

    @property
    def image_bytes(self) -> bytes:
        """What an OTA write carries."""
        return self.get(1) or b""


class Splitter:
    """Cuts a byte stream into messages. Bytes that start no message are an error of the sender."""

    def __init__(self) -> None:
        self._left = bytearray()

    @property
    def left(self) -> bytes:
        """The start of a message that is not whole yet."""
        return bytes(self._left)

    def feed(self, data: bytes) -> list[Message]:
        self._left += data
        found = []
        while (message := self._take()) is not None:
            found.append(message)
        return found

    def _take(self) -> Message | None:
        buf = bytes(self._left)
        if len(buf) < 3:
            return None
        if buf[0] != 1:
            raise ValueError(f"not the start of a message: {buf[:32].hex()}")
        name_end = 3 + int.from_bytes(buf[1:3], "little")
        if len(buf) < name_end + 3:
            return None
        if buf[name_end] != 2:
            raise ValueError(f"no data behind the endpoint: {buf[:32].hex()}")
        end = name_end + 3 + int.from_bytes(buf[name_end + 1 : name_end + 3], "little")
        if len(buf) < end:
            return None
        del self._left[:end]
        return Message(buf[:end], buf[3:name_end], buf[name_end + 3 : end])


def messages(data: bytes) -> list[Message]:
    """All messages of a stream that must end with a whole one."""
    splitter = Splitter()
    found = splitter.feed(data)
    assert not splitter.left, f"half a message at the end: {splitter.left[:32].hex()}"
    return found


def without_extension(message: Message) -> bytes:
    """The message as stock firmware would have sent it: fields from 100 up taken out."""
    tag = 10 + message.number
    body = b""
    for number, value in fields(message.body):
        if number == tag:
            value = b"".join(field(n, v) for n, v in fields(value) if n < 100)
        body += field(number, value)
    return frame(body, message.endpoint)
