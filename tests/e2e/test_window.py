# SPDX-License-Identifier: Apache-2.0
"""Several writes are on their way: what becomes of any of them, and of their answers."""

import json
from collections.abc import Callable

import pytest
from support.classic import Kind
from support.dialects import CLASSIC, CTRL, Dialect, Message
from support.proxy import FaultProxy
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, REFUSED

SIZE = 150_000  # two blocks of 64 KiB and a short one
CAN_WINDOW = 16
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


@DIALECTS
def test_as_many_as_the_esp32_keeps(rig: Rig, dialect: Dialect) -> None:
    """While the answer to the first is not there, others are sent, if it says that it can."""
    rig.power_on(dialect=dialect)
    assert rig.proxy
    info = json.loads(rig.command("esp-ota", "info", "--json").output.splitlines()[-1])
    several = bool(info["extension"]["features"] & CAN_WINDOW)
    image = make_image("2.0.0", size=SIZE)
    rig.proxy.reset()
    rig.proxy.on_answer(WRITE, rig.proxy.hold)
    process = rig.start_update("esp-ota", image, "--force", timeout=5)
    rig.proxy.wait_request(WRITE, 2 if several else 1)
    rig.proxy.wait_held()
    assert several or rig.proxy.kinds().count(WRITE) == 1
    rig.proxy.release()
    assert rig.tools.finish(process).status == DONE
    rig.check_arrived(image)


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
