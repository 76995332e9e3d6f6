# SPDX-License-Identifier: Apache-2.0
"""Several writes are on their way: what becomes of any of them, and of their answers."""

from collections.abc import Callable

import pytest
from support.classic import Kind, fields
from support.cut_updates import CHUNK, WINDOW, writes_of
from support.dialects import CLASSIC, CTRL, Dialect, Message
from support.proxy import FaultProxy
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, NO_ANSWER, REFUSED

SIZE = 150_000  # two blocks of 64 KiB and a short one
WRITE = Kind.OTA_WRITE
# The first, one in the middle, both sides of a block's border, and the last two.
PLACES = (1, 9, 17, 18, 38, 39)

DIALECTS = pytest.mark.parametrize("dialect", [CLASSIC, CTRL], ids=lambda dialect: dialect.name)


def lose_request(proxy: FaultProxy, nth: int) -> None:
    proxy.on_request(WRITE, proxy.drop, nth)


def lose_answer(proxy: FaultProxy, nth: int) -> None:
    proxy.on_answer(WRITE, proxy.drop, nth)


def double_answer(proxy: FaultProxy, nth: int) -> None:
    proxy.on_answer(WRITE, proxy.twice, nth)


def double_request(proxy: FaultProxy, nth: int) -> None:
    def again(message: Message) -> None:
        proxy.forward(message)
        proxy.forward(message)

    proxy.on_request(WRITE, again, nth)


FAULTS = [lose_request, lose_answer, double_answer, double_request]


@DIALECTS
@pytest.mark.parametrize("nth", PLACES)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_fault(
    rig: Rig, dialect: Dialect, fault: Callable[[FaultProxy, int], None], nth: int
) -> None:
    rig.power_on(dialect=dialect)
    assert rig.proxy
    fault(rig.proxy, nth)
    image = make_image("2.0.0", size=SIZE)
    result = rig.update("esp-ota", image, "--force")
    assert result.status == DONE, result
    rig.check_arrived(image)


def unanswered(rig: Rig, nth: int) -> list[int]:
    """How long the writes are that a tool makes, of which that from `nth` on have no answer, until
    it gives up. The ESP32 gets them all."""
    assert rig.proxy
    rig.proxy.drop_answers(WRITE, nth)
    result = rig.update("esp-ota", make_image("2.0.0", size=SIZE), "--force", timeout=2)
    assert result.status == NO_ANSWER, result
    sent = [len(m.image_bytes) for m in rig.proxy.requests if m.kind is WRITE]
    return sent[nth - 1 :]


@DIALECTS
@pytest.mark.parametrize("nth", PLACES)
def test_as_many_as_the_esp32_keeps(rig: Rig, dialect: Dialect, nth: int) -> None:
    """So many writes are unanswered and no more, and no more bytes than it has room for."""
    rig.power_on(dialect=dialect)
    sent = unanswered(rig, nth)
    assert len(sent) == min(WINDOW, writes_of(SIZE) - nth + 1)
    assert max(sent) <= CHUNK


@DIALECTS
@pytest.mark.parametrize("nth", PLACES)
def test_one_to_stock_firmware(rig: Rig, dialect: Dialect, nth: int) -> None:
    """It may lose the second one."""
    rig.power_on("--stock", dialect=dialect)
    nth = min(nth, -(-SIZE // CHUNK))  # here blocks are no borders
    sent = unanswered(rig, nth)
    assert len(sent) == 1
    assert sent[0] <= CHUNK


def test_the_firmware_says_so(rig: Rig) -> None:
    """What these tests take for the window is what the ESP32 grants."""
    rig.power_on()
    assert rig.proxy
    proxy = rig.proxy
    answers: list[Message] = []

    def keep(message: Message) -> None:
        answers.append(message)
        proxy.deliver(message)

    proxy.on_answer(Kind.GET_MODE, keep)
    assert rig.command("esp-ota", "info").status == DONE
    assert dict(fields(answers[0].get(100)))[9] == WINDOW


@DIALECTS
def test_refusal_of_one(rig: Rig, dialect: Dialect) -> None:
    """Whatever is on its way behind it: no `end`, and the old firmware boots."""
    rig.power_on(dialect=dialect)
    assert rig.proxy
    rig.proxy.on_request(WRITE, rig.proxy.refuse, 20)
    result = rig.update("esp-ota", make_image("2.0.0", size=SIZE), "--force", timeout=5)
    assert result.status == REFUSED, result
    assert "refused write at" in result.stderr
    assert Kind.OTA_END not in rig.proxy.kinds()
    rig.check_boots(rig.old)
