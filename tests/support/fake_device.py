# SPDX-License-Identifier: Apache-2.0
"""A device that is nothing but a script: it answers each kind of request with what it was given."""

import json
from collections import defaultdict, deque
from pathlib import Path

from . import classic
from .classic import Kind
from .dialects import Message
from .terminal import Terminal


def recorded(path: Path) -> list[tuple[Message, Message]]:
    """The exchanges of a recording: (request, answer)."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    stream = {
        way: classic.messages(b"".join(bytes.fromhex(x["hex"]) for x in lines if x["dir"] == way))
        for way in ("h2d", "d2h")
    }
    pairs = list(zip(stream["h2d"], stream["d2h"], strict=True))
    assert all(answer.number == request.number + 1 for request, answer in pairs)
    return pairs


def recorded_image(path: Path, size: int) -> bytes:
    """The image of a recorded update; behind it the recorded host sent bytes of its own."""
    sent = b"".join(m.image_bytes for m, _ in recorded(path) if m.kind is Kind.OTA_WRITE)
    return sent[:size]


def answers(path: Path, kind: Kind) -> list[bytes]:
    """The recorded answers to requests of one kind."""
    return [answer.raw for request, answer in recorded(path) if request.kind is kind]


class FakeDevice(Terminal):
    """Answers the n-th request of a kind with the n-th answer for it, the last one again and again.

    The Wi-Fi mode request has an answer from the start, as a tool may ask it of any device.
    A kind without an answer gets none.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._answers: defaultdict[Kind, deque[bytes]] = defaultdict(deque)
        mode_none = classic.answer(Kind.GET_MODE, 0, before=classic.field(1, 0))
        self._fallback: dict[Kind, bytes] = {Kind.GET_MODE: mode_none}
        self.start()

    def script(self, kind: Kind, *answers: bytes) -> None:
        self._answers[kind].extend(answers)

    def replay(self, path: Path) -> None:
        """Takes over the answers of a recording."""
        for request, answer in recorded(path):
            self.script(request.kind, answer.raw)

    def _on_request(self, message: Message) -> None:
        answers = self._answers[message.kind]
        if len(answers) > 1:
            self._send(answers.popleft())
        elif answers:
            self._send(answers[0])
        elif message.kind in self._fallback:
            self._send(self._fallback[message.kind])
