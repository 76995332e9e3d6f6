# SPDX-License-Identifier: Apache-2.0
"""A host of the ctrl dialect, right at the bus."""

from support import ctrl
from support.bus import Bus, Frame
from support.ctrl import Kind, Message

STARTED = bytes.fromhex("0108006374726c45766e74020800080310ad02ea1200")  # as recorded

CHUNK = 4000


def receive_started(bus: Bus) -> Frame:
    """The private INIT event, which is returned, and the control event right behind it."""
    init = bus.receive_init()
    assert bus.receive_message().raw == STARTED
    return init


def receive(bus: Bus) -> Message:
    return Message.of(bus.receive_message())


def receive_event(bus: Bus, kind: Kind) -> Message:
    event = receive(bus)
    assert (event.endpoint, event.type, event.kind) == (ctrl.EVENTS, ctrl.EVENT, kind)
    assert event.uid is None
    return event


def ask(bus: Bus, kind: Kind, payload: bytes | None = b"", uid: int | None = 1) -> Message:
    """The reply to a request; it must be the next thing that comes."""
    bus.send_message(ctrl.request(kind, payload, uid))
    reply = receive(bus)
    assert (reply.endpoint, reply.type, reply.kind) == (ctrl.RESPONSES, ctrl.REPLY, kind), reply
    assert reply.uid == uid
    return reply


def is_alive(bus: Bus) -> bool:
    """Whether the next thing that comes is the answer to this."""
    return ask(bus, Kind.GET_MODE, uid=0x5EED).get(1) is not None


def send_image(bus: Bus, image: bytes) -> None:
    """Everything up to `end`, whose answer is the caller's to look at."""
    assert ask(bus, Kind.OTA_BEGIN).result == 0
    for at in range(0, len(image), CHUNK):
        data = ctrl.field(1, image[at : at + CHUNK])
        assert ask(bus, Kind.OTA_WRITE, data).result == 0


def update(bus: Bus, image: bytes) -> Frame:
    """A whole one, and the restart into it; returns the private INIT event of that."""
    send_image(bus, image)
    assert ask(bus, Kind.OTA_END).result == 0
    return receive_started(bus)
