# SPDX-License-Identifier: Apache-2.0
"""A host right at the simulator's bus: frames, without a driver in between."""

import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from .classic import Message, Splitter
from .waiting import HANG_S, wait_for

STATION, ACCESS_POINT, SERIAL, HCI, PRIVATE = range(5)
MORE_FRAGMENTS = 0x01
FRAGMENT_BYTES = 1500


@dataclass(frozen=True)
class Frame:
    """One frame of either direction."""

    interface: int
    payload: bytes
    flags: int = 0
    sequence: int = 0
    packet_type: int = 0

    def encode(self, padding: int = 0, checksum: int | None = None) -> bytes:
        """As on the bus, with bytes of padding in front of the payload."""
        head = struct.pack("<BBHH", self.interface, self.flags, len(self.payload), 12 + padding)
        tail = struct.pack("<HBB", self.sequence, 0, self.packet_type)
        rest = tail + bytes(padding) + self.payload
        if checksum is None:
            checksum = sum(head + rest) & 0xFFFF
        return head + struct.pack("<H", checksum) + rest

    @classmethod
    def decode(cls, raw: bytes) -> "Frame":
        interface, flags, length, offset, checksum = struct.unpack("<BBHHH", raw[:8])
        sequence, _, packet_type = struct.unpack("<HBB", raw[8:12])
        assert (offset, len(raw)) == (12, 12 + length), f"not one frame: {raw[:32].hex()}"
        assert checksum == (sum(raw) - raw[6] - raw[7]) & 0xFFFF, f"checksum: {raw[:32].hex()}"
        return cls(interface, raw[12:], flags, sequence, packet_type)


class Bus:
    """The one client of a simulator's bus."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(HANG_S)

        def connected() -> bool:
            try:
                self._socket.connect(str(path))
            except (FileNotFoundError, ConnectionRefusedError):
                return False
            return True

        wait_for(connected, f"the bus {path}")
        self._splitter = Splitter()
        self._messages: list[Message] = []
        self._sequence = 0
        self.fragments: list[Frame] = []  # every serial frame that came

    def __enter__(self) -> "Bus":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def send_raw(self, packet: bytes) -> None:
        self._socket.send(packet)

    def send(self, frame: Frame, padding: int = 0) -> None:
        self.send_raw(frame.encode(padding))

    def send_message(self, message: bytes) -> None:
        """One message of the control path, in fragments, as a Linux host sends it."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        for at in range(0, len(message), FRAGMENT_BYTES):
            piece = message[at : at + FRAGMENT_BYTES]
            more = MORE_FRAGMENTS if at + FRAGMENT_BYTES < len(message) else 0
            self.send(Frame(SERIAL, piece, more, self._sequence))

    def receive(self) -> Frame:
        raw = self._socket.recv(2048)
        assert raw, "the simulator hung up"
        return Frame.decode(raw)

    def receive_init(self) -> Frame:
        """The next frame, which must be the INIT event."""
        frame = self.receive()
        assert (frame.interface, frame.packet_type) == (PRIVATE, 0), frame
        assert tuple(frame.payload[:2]) == (0, len(frame.payload) - 2), frame
        return frame

    def receive_message(self) -> Message:
        """The next message; frames of other interfaces must not come in between."""
        while not self._messages:
            frame = self.receive()
            assert frame.interface == SERIAL, frame
            self.fragments.append(frame)
            self._messages += self._splitter.feed(frame.payload)
        return self._messages.pop(0)

    def request(self, message: bytes) -> Message:
        self.send_message(message)
        return self.receive_message()

    def is_silent(self, seconds: float = 0.0) -> bool:
        """Whether nothing has come, and nothing comes for so long."""
        self._socket.settimeout(seconds or 1e-6)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except (TimeoutError, BlockingIOError):
            return True
        finally:
            self._socket.settimeout(HANG_S)
        return False


def accept_between(
    listener: socket.socket, bus: Path
) -> tuple[socket.socket, socket.socket] | None:
    """The driver that connects to `listener`, and a connection to the simulator's bus for it; None,
    and the driver is hung up on, when the simulator is switched off."""
    host, _ = listener.accept()
    esp32 = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        esp32.connect(str(bus))
    except OSError:
        esp32.close()
        host.close()
        return None
    return host, esp32
