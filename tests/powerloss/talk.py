# SPDX-License-Identifier: Apache-2.0
"""A host that says to the device whatever a case wants to hear answered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boot_model
from boards import OTADATA_AT, Scene
from device_lives import Answer, Board, Device, End, Kind
from support import classic, ctrl
from support.bus import FRAGMENT_BYTES, MORE_FRAGMENTS, SERIAL, Frame
from support.classic import Kind as Request
from support.classic import field, fields

EXTENSION = 100
MODE_EXTENSION = 101  # of the reply to the Wi-Fi mode request

# Request.what, by hosted_extension.proto
BEGIN, WRITE, END, STATUS, DIGESTS, ABORT, CONFIRM, ROLLBACK = range(1, 9)

WRITE_BYTES = 4000


@dataclass(frozen=True)
class Reply:
    result: int  # of the stock message
    code: int | None  # of the extension; None: the device said nothing of it
    next: int | None
    address: int | None  # in flash
    digests: bytes
    status: dict[int, int | bytes]

    def __str__(self) -> str:
        return f"result {self.result}, code {self.code}, next {self.next}"


def message(dialect: str, request: Request, payload: bytes) -> bytes:
    if dialect == "ctrl":
        return ctrl.request(ctrl.Kind[request.name], payload)
    return classic.request(request, payload)


def frames_of(raw: bytes, sequence: int) -> list[bytes]:
    """As a Linux host cuts a message."""
    return [
        Frame(
            SERIAL,
            raw[at : at + FRAGMENT_BYTES],
            MORE_FRAGMENTS if at + FRAGMENT_BYTES < len(raw) else 0,
            sequence,
        ).encode()
        for at in range(0, len(raw), FRAGMENT_BYTES)
    ]


def all_frames(messages: list[bytes]) -> tuple[bytes, ...]:
    return tuple(frame for number, raw in enumerate(messages) for frame in frames_of(raw, number))


def stock_update(dialect: str, image: bytes) -> tuple[bytes, ...]:
    """The frames of an update as the stock protocol has it."""
    said = [message(dialect, Request.OTA_BEGIN, b"")]
    for at in range(0, len(image), WRITE_BYTES):
        piece = image[at : at + WRITE_BYTES]
        said.append(message(dialect, Request.OTA_WRITE, field(1, piece)))
    said.append(message(dialect, Request.OTA_END, b""))
    return all_frames(said)


def trial_update(dialect: str, image: bytes, trial_s: int) -> tuple[bytes, ...]:
    """The frames of an update by the extension, with a trial."""
    said = [message(dialect, Request.GET_MODE, b"")]
    asked = extension(BEGIN, _1=0, _5=len(image), _6=sha(image))
    said.append(message(dialect, Request.OTA_BEGIN, field(EXTENSION, asked)))
    for at in range(0, len(image), WRITE_BYTES):
        piece = image[at : at + WRITE_BYTES]
        asked = extension(WRITE, _1=at, _2=len(image))
        said.append(message(dialect, Request.OTA_WRITE, field(1, piece) + field(EXTENSION, asked)))
    asked = extension(END, _1=len(image), _2=sha(image), _3=trial_s)
    said.append(message(dialect, Request.OTA_END, field(EXTENSION, asked)))
    return all_frames(said)


def one_request(dialect: str, what: int, **values: int | bytes | None) -> tuple[bytes, ...]:
    """The frames of what rides on the Wi-Fi mode request, after a look at who answers."""
    asked = field(EXTENSION, extension(what, **values))
    return all_frames(
        [message(dialect, Request.GET_MODE, b""), message(dialect, Request.GET_MODE, asked)]
    )


def extension(what: int, **values: int | bytes | None) -> bytes:
    """A Request: the values are the fields of what is asked, in their order; None: left out."""
    inner = b"".join(
        field(int(name[1:]), value) for name, value in values.items() if value is not None
    )
    return field(what, inner)


def write_payload(offset: int, data: bytes, run_end: int | None) -> bytes:
    asked = extension(WRITE, _1=offset, _2=run_end)
    return field(1, data) + field(EXTENSION, asked)


class Talk:
    """With one device on one board: one life after the other."""

    def __init__(self, binary: Path, kind: Kind, scene: Scene) -> None:
        self.kind = kind
        self.scene = scene
        self.board = Board(scene.flash_bytes)
        self._device = Device(binary, self.board, kind)
        self._sequence = 0
        self.measures = False  # the memory that messages take
        self.answer: Answer
        self._running = b""
        self.board.flash[:] = scene.flash(rollback=kind.rollback)

    def close(self) -> None:
        self._device.close()
        self.board.close()

    # Lives

    def power_on(self) -> None:
        self._begin_life(self._device.start())

    def reset(self) -> None:
        """The watchdog bites."""
        assert self._device.reset().end == End.RESET
        self.after_reset()

    def after_reset(self) -> None:
        """It has reset itself."""
        self.check_running()
        self._begin_life(self._device.start(reset=True))

    def _begin_life(self, answer: Answer) -> None:
        while answer.end == End.RESET:  # on trial, and back at once
            answer = self._device.start(reset=True)
        assert answer.end == End.DONE, answer
        self.answer = answer
        self._running = self.slot(answer.running)
        verdict = boot_model.boot(self.board.flash, self.kind.rollback)
        assert verdict.slot is not None

    def check_running(self) -> None:
        assert self.slot(self.answer.running) == self._running, "the running slot was written"
        assert self.answer.misuses == 0, f"{self.answer.misuses} operations that flash cannot do"

    def slot(self, offset: int) -> bytes:
        return bytes(self.board.flash[offset : offset + self.scene.slot_bytes])

    @property
    def other_slot(self) -> bytes:
        """What the update goes to."""
        first, second = self.scene.slots.values()
        return self.slot(second if self.answer.running == first else first)

    @property
    def otadata(self) -> bytes:
        return bytes(self.board.flash[OTADATA_AT : OTADATA_AT + 0x2000])

    @property
    def operations(self) -> int:
        return self.answer.operations

    @property
    def version(self) -> str:
        return self.answer.version

    def boots_next(self) -> boot_model.Boot:
        return boot_model.boot(self.board.flash, self.kind.rollback)

    @contextmanager
    def nothing_written(self) -> Iterator[None]:
        before = self.operations
        flash = bytes(self.board.flash)
        yield
        assert self.operations == before, f"{self.operations - before} flash operations"
        assert bytes(self.board.flash) == flash

    # Messages

    def say(self, *raws: bytes, hold_restart: bool = False) -> list[bytes]:
        """The messages that the device answers with; the host waits for none of them."""
        frames_to_send = []
        for raw in raws:
            self._sequence += 1
            frames_to_send += frames_of(raw, self._sequence)
        mark = self.board.put_frames(frames_to_send)
        answer = self._device.feed(mark, hold_restart=hold_restart, measure=self.measures)
        self.board.drop_frames(mark)
        self.answer = answer
        assert answer.end in (End.DONE, End.RESET), answer
        frames = [Frame.decode(raw) for raw in self.board.replies(answer.reply_bytes)]
        serial = b"".join(frame.payload for frame in frames if frame.interface == SERIAL)
        return [one.raw for one in classic.messages(serial) if one.endpoint != ctrl.EVENTS]

    def ask(self, request: Request, payload: bytes = b"", *, hold_restart: bool = False) -> Reply:
        raw = message(self.kind.dialect, request, payload)
        answers = self.say(raw, hold_restart=hold_restart)
        assert len(answers) == 1, f"{len(answers)} answers to {request.name}"
        return self.reply_of(request, answers[0])

    def reply_of(self, request: Request, answer: bytes) -> Reply:
        parsed = classic.messages(answer)[0]
        if self.kind.dialect == "ctrl":
            payload_fields = dict(ctrl.Message.of(parsed).payload)
            result = ctrl.Message.of(parsed).result
        else:
            payload_fields, result = dict(parsed.payload), parsed.result
        tag = MODE_EXTENSION if request == Request.GET_MODE else EXTENSION
        said = payload_fields.get(tag)
        if not isinstance(said, bytes):
            return Reply(result, None, None, None, b"", {})
        inner = dict(fields(said))
        return Reply(
            result,
            int(inner.get(1, 0)),
            int(inner[5]) if 5 in inner else None,
            int(inner[4]) if 4 in inner else None,
            bytes(inner.get(7, b"")),
            dict(fields(bytes(inner.get(6, b"")))),
        )

    def begin(self, *, chip: int | None = 0, size: int | None = None) -> Reply:
        asked = extension(BEGIN, _1=chip, _5=size)
        return self.ask(Request.OTA_BEGIN, field(EXTENSION, asked))

    def write(self, offset: int, data: bytes, run_end: int | None = None) -> Reply:
        return self.ask(Request.OTA_WRITE, write_payload(offset, data, run_end))

    def write_ahead(self, image: bytes, offsets: list[int]) -> list[Reply]:
        """Writes of which none waits for the reply to the one before."""
        raws = [
            message(
                self.kind.dialect,
                Request.OTA_WRITE,
                write_payload(at, image[at : at + WRITE_BYTES], len(image)),
            )
            for at in offsets
        ]
        return [self.reply_of(Request.OTA_WRITE, answer) for answer in self.say(*raws)]

    def ask_write(self, data: bytes) -> Reply:
        """A write of a stock host."""
        return self.ask(Request.OTA_WRITE, field(1, data))

    def end(
        self,
        size: int | None,
        sha256: bytes | None,
        *,
        trial: int | None = None,
        no_trial: bool = False,
        hold_restart: bool = False,
    ) -> Reply:
        asked = extension(END, _1=size, _2=sha256, _3=trial, _4=int(no_trial) or None)
        return self.ask(Request.OTA_END, field(EXTENSION, asked), hold_restart=hold_restart)

    def other(self, what: int, **values: int | bytes | None) -> Reply:
        """What rides on the Wi-Fi mode request."""
        return self.ask(Request.GET_MODE, field(EXTENSION, extension(what, **values)))

    def digests(self, offset: int, block: int, count: int) -> list[bytes]:
        reply = self.other(DIGESTS, _1=offset, _2=block, _3=count)
        assert reply.code == 0, reply
        return [reply.digests[at : at + 32] for at in range(0, len(reply.digests), 32)]

    def confirm(self, version: str) -> Reply:
        return self.other(CONFIRM, _1=version.encode())

    def wait(self, seconds: float) -> bool:
        """Time passes; False: the device has reset itself meanwhile."""
        answer = self._device.wait(seconds)
        assert answer.end in (End.DONE, End.RESET), answer
        return answer.end == End.DONE

    # Updates

    def write_all(self, image: bytes, start: int = 0) -> None:
        for at in range(start, len(image), WRITE_BYTES):
            reply = self.write(at, image[at : at + WRITE_BYTES], len(image))
            assert reply.code == 0, f"write at {at}: {reply}"

    def update(self, image: bytes, **how: int) -> None:
        """Into the new firmware's first life."""
        assert self.begin(size=len(image)).code == 0
        self.write_all(image)
        reply = self.end(len(image), sha(image), **how)
        assert reply.code == 0, reply
        assert self.answer.end == End.RESET
        assert self.slot_holds(image)
        self.after_reset()

    def slot_holds(self, image: bytes) -> bool:
        return self.other_slot[: len(image)] == image


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
