# SPDX-License-Identifier: Apache-2.0
"""Writes that are sent before the ones before them are answered, in both dialects."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from boards import NEW
from device_lives import End, Kind
from part_power import SMALL, device_lives
from support.classic import Kind as Request
from support.classic import field, fields
from support.tools import Build
from talk import WRITE_BYTES, Talk, message, sha

DONE, WRONG_OFFSET = 0, 11
WINDOW = 3
GRANTED = 9  # field of the identity, the last one


@pytest.fixture(params=["classic", "ctrl"])
def talk(request: pytest.FixtureRequest, build: Build) -> Iterator[Talk]:
    talk = Talk(device_lives(build), Kind(False, request.param, True), SMALL)
    talk.power_on()
    yield talk
    talk.close()


def test_the_window_is_told(talk: Talk) -> None:
    (answer,) = talk.say(message(talk.kind.dialect, Request.GET_MODE, b""))
    told = field(GRANTED, WINDOW)
    assert told in answer
    start = answer.index(told)
    assert dict(fields(answer[start:]))[GRANTED] == WINDOW


def test_writes_ahead_are_answered_in_order(talk: Talk) -> None:
    image = SMALL.image(NEW)
    assert talk.begin(size=len(image)).code == DONE
    for base in range(0, len(image), WINDOW * WRITE_BYTES):
        offsets = list(range(base, min(base + WINDOW * WRITE_BYTES, len(image)), WRITE_BYTES))
        replies = talk.write_ahead(image, offsets)
        assert [reply.code for reply in replies] == [DONE] * len(offsets)
        assert [reply.next for reply in replies] == [
            min(at + WRITE_BYTES, len(image)) for at in offsets
        ]
    assert talk.end(len(image), sha(image)).code == DONE
    assert talk.answer.end == End.RESET
    assert talk.slot_holds(image)


def test_behind_a_lost_write_the_others_are_refused(talk: Talk) -> None:
    image = SMALL.image(NEW)
    assert talk.begin(size=len(image)).code == DONE
    lost = WRITE_BYTES
    replies = talk.write_ahead(image, [0, 2 * WRITE_BYTES, 3 * WRITE_BYTES])
    assert [reply.code for reply in replies] == [DONE, WRONG_OFFSET, WRONG_OFFSET]
    assert [reply.next for reply in replies] == [lost] * 3
    talk.write_all(image, lost)
    assert talk.end(len(image), sha(image)).code == DONE
    assert talk.slot_holds(image)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_lost_and_repeated(talk: Talk, seed: int) -> None:
    image = SMALL.image(NEW)
    chance = random.Random(seed)
    assert talk.begin(size=len(image)).code == DONE
    wanted = 0
    while wanted < len(image):
        ahead = [wanted + n * WRITE_BYTES for n in range(WINDOW)]
        sent = chance.choices([at for at in ahead if at < len(image)], k=chance.randint(1, 5))
        for at, reply in zip(sent, talk.write_ahead(image, sent)):
            assert reply.code == (DONE if at <= wanted else WRONG_OFFSET)
            if at == wanted:
                wanted = min(at + WRITE_BYTES, len(image))
            assert reply.next == wanted
    assert talk.end(len(image), sha(image)).code == DONE
    assert talk.slot_holds(image)
