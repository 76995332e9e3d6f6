# SPDX-License-Identifier: Apache-2.0
"""Which dialect the firmware speaks: found out without harm, kept, and forgotten in time."""

import os
import re
import time
from collections.abc import Callable

import pytest
from support import classic, ctrl
from support.bus_tap import endpoints
from support.classic import Kind
from support.dialects import CLASSIC, CTRL, ctrl_event
from support.process import Result
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, NO_ANSWER, REFUSED, USAGE

FIRMWARE = [("--stock",), ()]
LIMIT_MS = 5000


@pytest.fixture(params=FIRMWARE, ids=["stock", "own"])
def ctrl_rig(rig: Rig, request: pytest.FixtureRequest) -> Rig:
    rig.detect = True
    rig.power_on(*request.param, dialect=CTRL, proxy=False, bus_tap=True)
    # Its init event has passed: a tool that hears it need not search.
    rig.wait(lambda: "control bytes" in rig.hostedd.output(), "the init event")
    return rig


def ask(rig: Rig, *options: str) -> Result:
    result = rig.command("esp-ota", "info", "--verbose", *options)
    assert result.status == DONE, result
    return result


def took_ms(result: Result) -> int | None:
    found = re.search(r"dialect (\w+), found out in (\d+) ms", result.stderr)
    return int(found[2]) if found else None


def asked(rig: Rig) -> list[str]:
    """The endpoints that the host has used since it was last asked."""
    return endpoints(rig.bus_tap.take_sent())


def test_ctrl_costs_time_once(ctrl_rig: Rig) -> None:
    first = ask(ctrl_rig)
    assert took_ms(first) in range(LIMIT_MS), first
    used = asked(ctrl_rig)
    assert used[:2] == ["control", "control"]
    assert set(used[2:]) == {"ctrlResp"}

    second = ask(ctrl_rig)
    assert took_ms(second) is None
    assert set(asked(ctrl_rig)) == {"ctrlResp"}


def test_classic_costs_no_time(rig: Rig) -> None:
    rig.power_on("--stock", proxy=False, bus_tap=True)
    for _ in range(2):
        assert took_ms(ask(rig)) < LIMIT_MS
    assert set(asked(rig)) == {"control"}


def test_a_named_dialect_is_not_looked_for(ctrl_rig: Rig) -> None:
    ask(ctrl_rig, "--dialect", "ctrl")
    assert set(asked(ctrl_rig)) == {"ctrlResp"}


def test_a_dialect_that_does_not_fit(ctrl_rig: Rig) -> None:
    result = ctrl_rig.command("esp-ota", "info", "--dialect", "classic", timeout=1)
    assert result.status == NO_ANSWER, result
    assert set(asked(ctrl_rig)) == {"control"}


def test_no_such_dialect(rig: Rig) -> None:
    assert rig.tools.run("test.out", "get_mode", "--dialect", "latin").status == USAGE


# Forgotten


def restart(rig: Rig) -> None:
    boots = len(rig.sim.events("boot"))
    rig.sim.control("reset")
    rig.sim.wait_boots(boots + 1)


def power_cut(rig: Rig) -> None:
    rig.reboot()
    rig.bus_tap.wait_connected()


def new_driver(rig: Rig) -> None:
    rig.hostedd.stop()
    rig.add_hostedd()
    rig.bus_tap.wait_connected()


def touched_node(rig: Rig) -> None:
    os.chmod(rig.hostedd.control.resolve(), 0o600)


@pytest.mark.parametrize("change", [restart, power_cut, new_driver, touched_node])
def test_what_may_bring_other_firmware_makes_it_ask_again(
    ctrl_rig: Rig, change: Callable[[Rig], None]
) -> None:
    ask(ctrl_rig)
    kept = mark(ctrl_rig)
    change(ctrl_rig)
    ctrl_rig.wait(lambda: mark(ctrl_rig) != kept, "the driver to have heard of it")
    asked(ctrl_rig)
    assert took_ms(ask(ctrl_rig)) is not None
    assert asked(ctrl_rig)[0] == "control"


def mark(rig: Rig) -> object:
    """What changes when a kept answer is outdated: the answers there are, and the node's ctime."""
    kept = rig.folder / "esp-hosted-ota"
    return sorted(kept.iterdir()), os.stat(rig.hostedd.control).st_ctime_ns


def test_an_update_makes_it_ask_again(ctrl_rig: Rig) -> None:
    """Also one whose new firmware nobody waited for."""
    ask(ctrl_rig)
    result = ctrl_rig.update("test.out", make_image("2.0.0", size=40000))
    assert result.status == DONE, result
    ctrl_rig.sim.wait_boots(2)
    asked(ctrl_rig)
    assert took_ms(ask(ctrl_rig)) is not None


def test_silence_makes_it_ask_again(rig: Rig) -> None:
    """Through a terminal that the driver knows nothing of: what it kept there is not removed."""
    rig.detect = True
    rig.power_on("--stock", dialect=CTRL)
    ask(rig)
    rig.exchange("--stock", dialect=CLASSIC)
    # The worst case: the wrong question is asked once, and its silence ends it.
    rig.command("esp-ota", "info", timeout=1)
    rig.sim.wait_event("boot")
    rig.proxy.reset()
    result = ask(rig)
    assert "dialect classic" in result.stderr


@pytest.mark.parametrize("endpoint", ["RPCRsp", "RPCEvt"])
def test_mcu_firmware_is_recognised_by_what_it_says(rig: Rig, endpoint: str) -> None:
    rig.power_on("--stock")
    event = classic.frame(classic.field(1, 3) + classic.field(2, 770), b"RPCEvt")
    answer = classic.frame(
        classic.field(1, 2) + classic.field(2, 606) + classic.field(606, b""), b"RPCRsp"
    )
    said = event if endpoint == "RPCEvt" else answer
    rig.proxy.on_answer(Kind.GET_MODE, rig.proxy.instead(said))
    rig.proxy.on_request(None, rig.proxy.instead(answer))
    result = rig.command("test.out", "get_mode")
    assert result.status == REFUSED, result
    assert "ESP-Hosted-MCU" in result.stderr


def test_a_heard_event_spares_the_wait(rig: Rig) -> None:
    """Its endpoint names the dialect; what lay in the queue before does not count."""
    rig.detect = True
    rig.power_on("--stock", dialect=CTRL)
    rig.proxy.inject(ctrl_event(ctrl.Kind.HEARTBEAT))
    heartbeat = ctrl_event(ctrl.Kind.HEARTBEAT, classic.field(1, 3))
    rig.proxy.on_request(Kind.GET_MODE, rig.proxy.instead(heartbeat))
    begun = time.monotonic()
    result = ask(rig)
    assert "dialect ctrl" in result.stderr
    assert time.monotonic() - begun < LIMIT_MS / 1000
    assert [m.endpoint for m in rig.proxy.requests][:2] == [b"control", b"ctrlResp"]
