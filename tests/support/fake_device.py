# SPDX-License-Identifier: Apache-2.0
"""A device that is nothing but a script: it answers each kind of request with what it was given."""

import json
from collections import defaultdict, deque
from pathlib import Path

from . import classic, ctrl
from .classic import Kind
from .dialects import CtrlMessage, Message, dialect_of, spoken
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


def recorded_ctrl(path: Path) -> list[tuple[CtrlMessage, bytes]]:
    """Of a ctrl recording: each request, and all that came before the next one, events too."""
    found: list[tuple[CtrlMessage, bytes]] = []
    for line in map(json.loads, path.read_text().splitlines()):
        raw = bytes.fromhex(line.get("hex", ""))
        if line["dir"] == "h2d":
            found.append((spoken(classic.messages(raw)[0]), b""))
        elif line["dir"] == "d2h" and found:
            found[-1] = (found[-1][0], found[-1][1] + raw)
    return found


def renumbered(answer: bytes, request: Message) -> bytes:
    """What was recorded for another request, with the number of this one."""
    if not isinstance(request, CtrlMessage):
        return answer
    found = b""
    for message in classic.messages(answer):
        if message.endpoint == ctrl.RESPONSES:
            body = [
                (n, request.uid if n == 3 else value) for n, value in classic.fields(message.body)
            ]
            found += ctrl.frame(b"".join(classic.field(n, value) for n, value in body))
        else:
            found += message.raw
    return found


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
        self._fallback = {Kind.GET_MODE}
        self.start()

    def script(self, kind: Kind, *answers: bytes) -> None:
        self._answers[kind].extend(answers)

    def replay(self, path: Path) -> None:
        """Takes over the answers of a recording."""
        if path.name.startswith("ctrl"):
            for request, answer in recorded_ctrl(path):
                self.script(request.kind, answer)
            return
        for request, answer in recorded(path):
            self.script(request.kind, answer.raw)

    def _on_request(self, message: Message) -> None:
        answers = self._answers[message.kind]
        if len(answers) > 1:
            self._send(renumbered(answers.popleft(), message))
        elif answers:
            self._send(renumbered(answers[0], message))
        elif message.kind in self._fallback:
            self._send(dialect_of(message).mode(message.uid, mode=0))
