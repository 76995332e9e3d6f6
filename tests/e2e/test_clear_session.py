# SPDX-License-Identifier: Apache-2.0
"""Stock firmware on ESP-IDF 6.1 refuses every update after one that was cut off, until it restarts.

--clear-session is the way out without a restart: it ends what was cut off.
"""

import pytest
from support.classic import Kind
from support.dialects import CLASSIC, CTRL, Dialect, Message
from support.rig import UPDATERS, Rig
from support.shelf import make_image
from support.tools import DONE, LOCAL, NO_ANSWER, NOT_UP, REFUSED

SIZE = 40_000
WRITES = SIZE // 4000
CUT = make_image("2.0.0", size=SIZE)
NEXT = make_image("3.0.0", size=SIZE)

WEDGED = (
    "the ESP32 refused begin (code -1); no update was begun: if one has just ended, wait for the "
    "ESP32 to restart; if one was cut off before, restart the ESP32"
)
WAY_OUT = "; or --clear-session ends it, after which a complete old image may boot"
COMPLETE = (
    "the update that was cut off was complete: the ESP32 has selected its image and restarts in "
    "5 s; update it again then"
)

DIALECTS = pytest.mark.parametrize("dialect", [CLASSIC, CTRL], ids=lambda dialect: dialect.name)


def wedge(rig: Rig, dialect: Dialect = CLASSIC, writes: int = 4) -> None:
    rig.power_on("--stock", "--idf", "6.1", dialect=dialect)
    rig.cut_off(CUT, writes)


def kinds(rig: Rig) -> list[Kind]:
    """What was sent of updates, the writes as one."""
    assert rig.proxy
    found: list[Kind] = []
    for kind in rig.proxy.kinds():
        is_update = kind in (Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END)
        if is_update and not (kind is Kind.OTA_WRITE and found[-1:] == [kind]):
            found.append(kind)
    return found


@DIALECTS
@pytest.mark.parametrize("writes", [1, 4, WRITES])
def test_without_it(rig: Rig, dialect: Dialect, writes: int) -> None:
    wedge(rig, dialect, writes)
    before = rig.sim.flash.read()
    result = rig.update("esp-ota", NEXT, "--json")
    assert result.status == REFUSED, result
    assert result.told["device_code"] == -1
    assert result.told["message"] == f"{rig.device}: {WEDGED}{WAY_OUT}"
    assert kinds(rig) == [Kind.OTA_BEGIN]
    assert rig.sim.flash.read() == before
    # And the other way out that was named.
    assert rig.reboot()["version"] == rig.old
    assert rig.update("esp-ota", NEXT).status == DONE


@pytest.mark.parametrize("updater", UPDATERS)
def test_every_tool_names_it(rig: Rig, updater: str) -> None:
    wedge(rig)
    result = rig.update(updater, NEXT)
    assert result.status == REFUSED, result
    assert f": {WEDGED}{WAY_OUT}\n" in result.stderr


@DIALECTS
@pytest.mark.parametrize("updater", UPDATERS)
def test_with_it(rig: Rig, dialect: Dialect, updater: str) -> None:
    wedge(rig, dialect)
    result = rig.update(updater, NEXT, "--clear-session", "--verbose")
    assert result.status == DONE, result
    assert "begin was refused: ending the update that may have been cut off" in result.stderr
    assert kinds(rig) == [
        *(Kind.OTA_BEGIN, Kind.OTA_END),
        *(Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END),
    ]
    rig.check_arrived(NEXT)


@DIALECTS
def test_a_complete_image_boots(rig: Rig, dialect: Dialect) -> None:
    """Nothing but its end lacked; it is told, and the next update succeeds."""
    wedge(rig, dialect, WRITES)
    result = rig.update("esp-ota", NEXT, "--clear-session", "--json")
    assert result.status == NOT_UP, result
    assert result.told["message"] == f"{rig.device}: {COMPLETE}"
    assert kinds(rig) == [Kind.OTA_BEGIN, Kind.OTA_END]
    booted = rig.sim.wait_boots(2)
    assert booted["version"] == "2.0.0"
    rig.sim.flash.check_slot_holds(booted["slot"], CUT)
    assert rig.update("esp-ota", NEXT, "--clear-session").status == DONE
    assert rig.sim.wait_boots(3)["version"] == "3.0.0"


@DIALECTS
@pytest.mark.parametrize("idf", ["5.5", "6.0"])
def test_firmware_that_needs_none(rig: Rig, dialect: Dialect, idf: str) -> None:
    """Its begin is not refused: nothing is ended."""
    rig.power_on("--stock", "--idf", idf, dialect=dialect)
    rig.cut_off(CUT, 4)
    assert rig.update("esp-ota", NEXT, "--clear-session").status == DONE
    assert kinds(rig) == [Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END]
    rig.check_arrived(NEXT)


@DIALECTS
@pytest.mark.parametrize("cut", [False, True], ids=["idle", "cut off"])
def test_nothing_to_clear(rig: Rig, dialect: Dialect, cut: bool) -> None:
    """Firmware with the extension begins anew by itself."""
    rig.power_on("--idf", "6.1", dialect=dialect)
    if cut:
        rig.cut_off(CUT, 4)
    assert rig.update("esp-ota", NEXT, "--clear-session").status == DONE
    assert kinds(rig) == [Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END]
    rig.check_arrived(NEXT, used_before=cut)


@DIALECTS
def test_it_cannot_be_cleared(rig: Rig, dialect: Dialect) -> None:
    """Begin is refused for another reason. The option that was of no use is not named again."""
    wedge(rig, dialect)
    assert rig.proxy
    for nth in (1, 2):
        rig.proxy.on_request(Kind.OTA_BEGIN, rig.proxy.refuse, nth)
    result = rig.update("esp-ota", NEXT, "--clear-session", "--json")
    assert result.status == REFUSED, result
    assert result.told["message"] == f"{rig.device}: {WEDGED}"
    assert kinds(rig) == [Kind.OTA_BEGIN, Kind.OTA_END, Kind.OTA_BEGIN]
    rig.check_boots(rig.old)


@DIALECTS
def test_a_refused_begin_and_nothing_cut_off(rig: Rig, dialect: Dialect) -> None:
    """The end that is sent then ends nothing, and selects nothing."""
    rig.power_on("--stock", "--idf", "6.1", dialect=dialect)
    assert rig.proxy
    rig.proxy.on_request(Kind.OTA_BEGIN, rig.proxy.refuse)
    before = rig.sim.flash.read()

    def look(message: Message) -> None:
        assert rig.sim.flash.read() == before
        rig.proxy.forward(message)

    rig.proxy.on_request(Kind.OTA_BEGIN, look, 2)
    assert rig.update("esp-ota", NEXT, "--clear-session").status == DONE
    rig.check_arrived(NEXT)


@DIALECTS
@pytest.mark.parametrize("writes", [4, WRITES])
def test_no_answer_to_its_end(rig: Rig, dialect: Dialect, writes: int) -> None:
    """Nobody can tell which one boots."""
    wedge(rig, dialect, writes)
    assert rig.proxy
    rig.proxy.on_answer(Kind.OTA_END, rig.proxy.drop)
    result = rig.update("esp-ota", NEXT, "--clear-session", "--json", timeout=2)
    assert result.status == NO_ANSWER, result
    why, holds = result.told["message"].split("; ", 1)
    # The firmware of ctrl says that it starts anew.
    restarted = writes == WRITES and dialect is CTRL
    assert why.endswith("the ESP32 restarted at end" if restarted else "no answer to end for 2 s")
    assert holds == "it may have selected the image that was cut off"
    rig.proxy.reset()
    if writes == WRITES:
        assert rig.sim.wait_boots(2)["version"] == "2.0.0"
    assert rig.update("esp-ota", NEXT).status == DONE


@DIALECTS
def test_interrupted_at_its_end(rig: Rig, dialect: Dialect) -> None:
    """Its answer is waited for, as that to any end; then no update begins."""
    wedge(rig, dialect)
    assert rig.proxy
    rig.proxy.on_answer(Kind.OTA_END, rig.proxy.hold)
    tool = rig.start_update("esp-ota", NEXT, "--clear-session", "--json")
    rig.proxy.wait_held()
    tool.signal(2)
    rig.proxy.release()
    result = rig.tools.finish(tool)
    assert result.status == LOCAL, result
    assert result.told["message"].endswith(
        ": interrupted at begin; the old firmware is still in place"
    )
    assert kinds(rig) == [Kind.OTA_BEGIN, Kind.OTA_END]
    rig.check_boots(rig.old)
